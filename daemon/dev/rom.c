// SPDX-License-Identifier: GPL-2.0-or-later
/* rom.c - see rom.h. */
#include "rom.h"

uint64_t rom_read(void *dev, uint64_t offset, unsigned int len)
{
	const struct rom *r = dev;
	uint64_t v = 0;

	for (unsigned int i = 0; i < len; i++)
		v |= (uint64_t)r->mem.data[offset + i] << (8 * i);
	return v;
}

void rom_write(void *dev, uint64_t offset, unsigned int len, uint64_t data)
{
	(void)dev;
	(void)offset;
	(void)len;
	(void)data;
}
