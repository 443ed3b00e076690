/* SPDX-License-Identifier: GPL-2.0-or-later */
/* warn.h - what the engine warns of is a finding: no guest may bring it about. */
#ifndef DTV_FUZZ_WARN_H
#define DTV_FUZZ_WARN_H

#include <stdbool.h>

void fuzz_fail(const char *file, int line, const char *what)
	__attribute__((noreturn));

#define WARN_ON_ONCE(c)                                    \
	({                                                 \
		bool _c = !!(c);                           \
		if (__builtin_expect(_c, 0))               \
			fuzz_fail(__FILE__, __LINE__, #c); \
		_c;                                        \
	})

#endif /* DTV_FUZZ_WARN_H */
