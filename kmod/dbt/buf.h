/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DTV_DBT_BUF_H
#define DTV_DBT_BUF_H

#include "../port.h"

/**
 * struct dtv_buf - where host code is appended
 * @p: next byte
 * @end: first byte that must not be written; when less than 8 bytes are left nothing is, and @full
 *       is set
 * @full: something did not fit: the code is no good
 */
struct dtv_buf {
	u8 *p;
	u8 *end;
	bool full;
};

#endif /* DTV_DBT_BUF_H */
