/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h - memory that a device and the harts share: a sealed memfd, and a
 * mapping of it for the device.
 */
#ifndef DTV_DAEMON_STORE_H
#define DTV_DAEMON_STORE_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct store - the memory
 * @data: NULL: there is none
 * @size: bytes, a multiple of the page size
 * @fd: memfd
 */
struct store {
	uint8_t *data;
	size_t size;
	int fd;
};

/**
 * store_make() - get memory, zeroed
 * @s: without memory
 * @name: what messages call it
 * @size: bytes; is rounded up to pages
 * @err: message on failure
 * @n: bytes in @err
 *
 * Return: 0 or -1.
 */
int store_make(struct store *s, const char *name, size_t size, char *err, size_t n);
/* Give it back; the harts keep what they were given. */
void store_free(struct store *s);

#endif /* DTV_DAEMON_STORE_H */
