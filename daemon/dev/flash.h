/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flash.h - a bank of parallel NOR flash, CFI 01 (Intel command set): two chips of
 * 16 bits side by side, 256 KiB erase blocks, as QEMU's virt has them. Guests read,
 * query, program and erase it. While reads give the array harts do them by themselves.
 *
 * Not thread-safe.
 */
#ifndef DTV_DAEMON_DEV_FLASH_H
#define DTV_DAEMON_DEV_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../store.h"

#define FLASH_SIZE 0x2000000
#define FLASH_BLOCK 0x40000
#define FLASH_BUFFER 2048

/**
 * struct flash - a bank
 * @mem: contents; what is behind @size in it is erased
 * @size: bytes of contents, 0: nothing is in it; behind them all is erased and cannot be programmed
 * @fd: file that changes are written to; -1: it is write-protected
 * @mode: command that says what reads give; 0xff: the array
 * @cycle: how many writes of the command there were
 * @status: status register of each chip
 * @left: words of a buffered write that are to come
 * @base: what part of the bank @buffer is
 * @buffer: of a buffered write
 * @bad: a word of it was elsewhere
 * @hidden: harts leave reads to the device
 * @hide: is called when that has changed, before the write that changes it is done; NULL: nobody
 * @changed: bytes of the contents have changed; NULL: nobody
 * @opaque: for both
 */
struct flash {
	struct store mem;
	size_t size;
	int fd;
	uint8_t mode;
	unsigned int cycle;
	uint8_t status;
	unsigned int left;
	uint32_t base;
	uint8_t buffer[FLASH_BUFFER];
	bool bad;
	bool hidden;
	void (*hide)(void *opaque, const struct flash *f);
	void (*changed)(void *opaque, const struct flash *f, uint64_t at, size_t n);
	void *opaque;
};

/* State after reset: reads give the array. Keeps the contents. */
void flash_reset(struct flash *f);

/**
 * flash_load() - give a bank its contents
 * @f: bank
 * @fd: regular file, of at most FLASH_SIZE bytes
 * @name: what messages call it
 * @writable: write changes to it
 * @err: message on failure
 * @n: bytes in @err
 *
 * Return: 0 or -1.
 */
int flash_load(struct flash *f, int fd, const char *name, bool writable, char *err, size_t n);
void flash_free(struct flash *f);

uint64_t flash_read(void *dev, uint64_t offset, unsigned int len);
void flash_write(void *dev, uint64_t offset, unsigned int len, uint64_t data);

#endif /* DTV_DAEMON_DEV_FLASH_H */
