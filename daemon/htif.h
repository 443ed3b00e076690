/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * htif.h - the mailbox by which bare-metal test programs speak to their host:
 * tohost and fromhost, as Spike defines them, and the result area of the
 * architecture tests. The mailbox is plain memory, so its owner polls it.
 */
#ifndef DTV_DAEMON_HTIF_H
#define DTV_DAEMON_HTIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image.h"

/**
 * struct htif - a mailbox
 * @ram: where the program lives
 * @elf: addresses of the mailbox and of the result area
 * @output: bytes for the console
 * @finish: the program is done; 0 is success. Told once.
 * @bad: the program gave an address that cannot be one
 * @opaque: for the three
 */
struct htif {
	struct image_ram ram;
	struct image_elf elf;
	void (*output)(void *opaque, const void *buf, size_t n);
	void (*finish)(void *opaque, uint64_t code);
	void (*bad)(void *opaque, uint64_t gpa);
	void *opaque;
};

/* Look at the mailbox. Returns true when something was there. */
bool htif_poll(struct htif *h);

/**
 * htif_signature() - write the result area, a line of eight hexadecimal digits a word
 * @ram: where the program lives
 * @elf: its symbols
 * @fd: open file, at its beginning
 * @name: what messages call it
 * @err: what is wrong, when -1 is returned
 * @n: size of @err
 *
 * Return: 0, or -1: no such symbols, not in memory, or the file cannot be written.
 */
int htif_signature(const struct image_ram *ram, const struct image_elf *elf, int fd,
		   const char *name, char *err, size_t n);

#endif /* DTV_DAEMON_HTIF_H */
