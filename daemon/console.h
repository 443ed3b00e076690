/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's console inside its process: output goes to a ring, and from there
 * to whoever is attached, each at his own pace; what they type goes to the
 * serial port. A reader that falls behind by more than the ring loses the
 * oldest bytes; the guest never waits.
 */
#ifndef DTV_DAEMON_CONSOLE_H
#define DTV_DAEMON_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

#include "loop.h"
#include "ring.h"

struct dtv_console;

/**
 * struct dtv_console_ops - what the console needs of its owner
 * @input: bytes for the guest; returns how many were taken. After fewer than
 *         offered, dtv_console_room() is to be called.
 * @panic: the guest's kernel said that it panicked and hangs now; @text is what
 *         it said
 */
struct dtv_console_ops {
	size_t (*input)(void *opaque, const void *buf, size_t n);
	void (*panic)(void *opaque, const char *text);
};

struct dtv_console *dtv_console_new(struct dtv_loop *loop, struct dtv_ring *ring,
				    const struct dtv_console_ops *ops, void *opaque);
int dtv_console_attach(struct dtv_console *c, int fd);
void dtv_console_put(struct dtv_console *c, uint8_t byte);
void dtv_console_flush(struct dtv_console *c);
void dtv_console_room(struct dtv_console *c);
void dtv_console_note(struct dtv_console *c, const char *text);
void dtv_console_finish(struct dtv_console *c, int ms);
void dtv_console_free(struct dtv_console *c);

#endif /* DTV_DAEMON_CONSOLE_H */
