/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * finisher.h - SiFive's test finisher: the register by which a guest powers
 * off, resets, or reports a failure.
 */
#ifndef DTV_DAEMON_DEV_FINISHER_H
#define DTV_DAEMON_DEV_FINISHER_H

#include <stdint.h>

#define FINISHER_SIZE 0x1000

enum finisher_what {
	FINISHER_POWEROFF,
	FINISHER_FAIL, /* with a code of 0..65535 */
	FINISHER_RESET,
};

/**
 * struct finisher - the device
 * @finish: told once per store that asks for something
 * @opaque: for @finish
 */
struct finisher {
	void (*finish)(void *opaque, enum finisher_what what, unsigned int code);
	void *opaque;
};

uint64_t finisher_read(void *dev, uint64_t offset, unsigned int len);
void finisher_write(void *dev, uint64_t offset, unsigned int len, uint64_t data);

#endif /* DTV_DAEMON_DEV_FINISHER_H */
