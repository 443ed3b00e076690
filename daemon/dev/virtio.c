// SPDX-License-Identifier: GPL-2.0-or-later
/* virtio.c - see virtio.h. */
#include "virtio.h"

#define MAGIC_VALUE 0x000
#define VERSION 0x004
#define VENDOR_ID 0x00c

#define MAGIC 0x74726976 /* "virt" */
#define VERSION_LEGACY 1 /* what QEMU's slots say without being asked for more */
#define VENDOR 0x554d4551 /* "QEMU": the one that drivers know */

uint64_t virtio_read(void *dev, uint64_t offset, unsigned int len)
{
	(void)dev;
	if (len != 4)
		return 0;
	switch (offset) {
	case MAGIC_VALUE:
		return MAGIC;
	case VERSION:
		return VERSION_LEGACY;
	case VENDOR_ID:
		return VENDOR;
	}
	return 0;
}

void virtio_write(void *dev, uint64_t offset, unsigned int len, uint64_t data)
{
	(void)dev;
	(void)offset;
	(void)len;
	(void)data;
}
