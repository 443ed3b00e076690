// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * finisher.c - sifive,test1: a 16-bit command in the low half of a word at
 * offset 0, a failure's code in the high half. It has no state.
 */
#include "finisher.h"

#define CMD_FAIL 0x3333
#define CMD_PASS 0x5555
#define CMD_RESET 0x7777

uint64_t finisher_read(void *dev, uint64_t offset, unsigned int len)
{
	(void)dev;
	(void)offset;
	(void)len;
	return 0;
}

void finisher_write(void *dev, uint64_t offset, unsigned int len, uint64_t data)
{
	struct finisher *f = dev;

	if (offset != 0 || len < 2)
		return;
	switch (data & 0xffff) {
	case CMD_PASS:
		f->finish(f->opaque, FINISHER_POWEROFF, 0);
		break;
	case CMD_FAIL:
		f->finish(f->opaque, FINISHER_FAIL, len == 2 ? 0 : (data >> 16) & 0xffff);
		break;
	case CMD_RESET:
		f->finish(f->opaque, FINISHER_RESET, 0);
		break;
	}
}
