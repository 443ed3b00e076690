/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check.h - is what the code cache says of itself consistent? */
#ifndef DTV_FUZZ_CHECK_H
#define DTV_FUZZ_CHECK_H

#include "../../kmod/hart.h"

/*
 * Look at every block, its side tables, its exits and the lists that it is in, and at
 * all pages. What is wrong ends in fuzz_fail(). Returns the number of blocks. No hart runs.
 */
unsigned int check_cache(struct dtv_dbt *d);

/* For who wants to be in a block: the @n-th of those there are; NULL: there is none. */
const struct dtv_block *check_block(const struct dtv_dbt *d, unsigned int n);
/* Its code address, as translated code sees it, and its length. */
u64 check_block_ip(const struct dtv_dbt *d, const struct dtv_block *bl,
		   u32 *len);
/* Behind the call of its @n-th exit; 0: it has none. */
u64 check_exit_ip(const struct dtv_dbt *d, const struct dtv_block *bl,
		  unsigned int n);

#endif /* DTV_FUZZ_CHECK_H */
