/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * board.h - the devices of the machine, QEMU virt's, at their addresses and on
 * their interrupt wires: one table, for dtvd and for uhost. What the engine has
 * itself (PLIC, CLINT) is not in it.
 *
 * Not thread-safe: the owner serialises all calls.
 */
#ifndef DTV_DAEMON_BOARD_H
#define DTV_DAEMON_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "dev/finisher.h"
#include "dev/flash.h"
#include "dev/rom.h"
#include "dev/rtc.h"
#include "dev/uart.h"
#include "dev/virtio.h"
#include "fdt.h"

/**
 * struct board_ops - what the devices need of their owner
 * @irq: drive the wire of a PLIC source
 * @output: a byte left the serial port
 * @room: the serial port takes input again
 * @finish: the guest asked the test finisher for something
 * @alarm: rtc_deadline() changed
 * @hide: who answers reads of memory @rom has changed: harts by themselves, or with @hidden the
 *        device
 * @written: the contents of one have changed
 */
struct board_ops {
	void (*irq)(void *opaque, unsigned int irq, bool level);
	void (*output)(void *opaque, uint8_t byte);
	void (*room)(void *opaque);
	void (*finish)(void *opaque, enum finisher_what what, unsigned int code);
	void (*alarm)(void *opaque);
	void (*hide)(void *opaque, unsigned int rom, bool hidden);
	void (*written)(void *opaque, uint64_t gpa, uint64_t size);
};

/* Memories that harts fetch from and read: the ROM and the flash banks. */
#define BOARD_ROMS (1 + MACHINE_FLASH_BANKS)

/**
 * struct board - the devices
 * @bus: where they are
 * @rom: reset code, and what firmware is told
 * @finisher: poweroff, reset, failures
 * @rtc: clock
 * @uart: serial port
 * @virtio: slots
 * @flash: two banks
 * @ops: the owner
 * @opaque: handed to it
 */
struct board {
	struct bus bus;
	struct rom rom;
	struct finisher finisher;
	struct rtc rtc;
	struct uart uart;
	struct virtio_slot virtio[MACHINE_VIRTIO_MAX];
	struct flash flash[MACHINE_FLASH_BANKS];
	const struct board_ops *ops;
	void *opaque;
};

/**
 * board_init() - put the devices on the bus, in their state after reset
 * @b: zeroed
 * @ops: kept
 * @opaque: for @ops
 * @err: message on failure
 * @n: bytes in @err
 *
 * Return: 0, or -1: two devices want one address, or there is no memory.
 */
int board_init(struct board *b, const struct board_ops *ops, void *opaque, char *err, size_t n);

/**
 * board_rom() - a memory that harts fetch from and read, while the device lets them
 * @b: board
 * @i: below BOARD_ROMS
 * @gpa: where it stands
 *
 * Return: it; without data: there is none.
 */
const struct store *board_rom(const struct board *b, unsigned int i, uint64_t *gpa);

/* A reset of the machine: all devices as after board_init(); flash keeps its contents. */
void board_reset(struct board *b);
/* Give back what the devices hold. */
void board_free(struct board *b);

#endif /* DTV_DAEMON_BOARD_H */
