/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom.h - a small read-only memory. Guests read it; the machine does not fetch
 * instructions from it, so a hart starts behind the code that is in there.
 */
#ifndef DTV_DAEMON_DEV_ROM_H
#define DTV_DAEMON_DEV_ROM_H

#include <stdint.h>

#define ROM_SIZE 0xf000
#define ROM_FILLED 256

/**
 * struct rom - the device
 * @data: what is at its start; the rest is 0
 */
struct rom {
	uint8_t data[ROM_FILLED];
};

uint64_t rom_read(void *dev, uint64_t offset, unsigned int len);
void rom_write(void *dev, uint64_t offset, unsigned int len, uint64_t data);

#endif /* DTV_DAEMON_DEV_ROM_H */
