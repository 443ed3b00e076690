/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom.h - a small read-only memory: harts read it and start in it, and stores to it
 * do nothing.
 */
#ifndef DTV_DAEMON_DEV_ROM_H
#define DTV_DAEMON_DEV_ROM_H

#include <stdint.h>

#include "../store.h"

#define ROM_SIZE 0xf000

/**
 * struct rom - the device
 * @mem: ROM_SIZE bytes
 */
struct rom {
	struct store mem;
};

uint64_t rom_read(void *dev, uint64_t offset, unsigned int len);
void rom_write(void *dev, uint64_t offset, unsigned int len, uint64_t data);

#endif /* DTV_DAEMON_DEV_ROM_H */
