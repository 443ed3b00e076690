// SPDX-License-Identifier: GPL-2.0-or-later
/* board.c - the table of devices; see board.h. */
#include "board.h"

static void uart_output(void *opaque, uint8_t byte)
{
	struct board *b = opaque;

	b->ops->output(b->opaque, byte);
}

static void uart_irq(void *opaque, bool level)
{
	struct board *b = opaque;

	b->ops->irq(b->opaque, MACHINE_UART_IRQ, level);
}

static void uart_room(void *opaque)
{
	struct board *b = opaque;

	b->ops->room(b->opaque);
}

static void rtc_irq(void *opaque, bool level)
{
	struct board *b = opaque;

	b->ops->irq(b->opaque, MACHINE_RTC_IRQ, level);
}

static void rtc_rearm(void *opaque)
{
	struct board *b = opaque;

	b->ops->alarm(b->opaque);
}

static void finish(void *opaque, enum finisher_what what, unsigned int code)
{
	struct board *b = opaque;

	b->ops->finish(b->opaque, what, code);
}

static unsigned int bank_of(const struct board *b, const struct flash *f)
{
	return f - b->flash;
}

static void flash_hide(void *opaque, const struct flash *f)
{
	struct board *b = opaque;

	if (f->size)
		b->ops->hide(b->opaque, 1 + bank_of(b, f), f->hidden);
}

static void flash_changed(void *opaque, const struct flash *f, uint64_t at, size_t n)
{
	struct board *b = opaque;

	b->ops->written(b->opaque, MACHINE_FLASH_GPA + bank_of(b, f) * MACHINE_FLASH_SIZE + at, n);
}

int board_init(struct board *b, const struct board_ops *ops, void *opaque, char *err, size_t n)
{
	const struct bus_range ranges[] = {
		{ MACHINE_ROM_GPA, ROM_SIZE, rom_read, rom_write, &b->rom, "rom" },
		{ MACHINE_FINISHER_GPA, FINISHER_SIZE, finisher_read, finisher_write, &b->finisher,
		  "finisher" },
		{ MACHINE_RTC_GPA, RTC_SIZE, rtc_read, rtc_write, &b->rtc, "rtc" },
		{ MACHINE_UART_GPA, UART_SIZE, uart_read, uart_write, &b->uart, "uart" },
		{ MACHINE_FLASH_GPA, FLASH_SIZE, flash_read, flash_write, &b->flash[0], "flash0" },
		{ MACHINE_FLASH_GPA + FLASH_SIZE, FLASH_SIZE, flash_read, flash_write, &b->flash[1],
		  "flash1" },
	};
	struct bus_range slot = {
		.gpa = MACHINE_VIRTIO_GPA,
		.size = VIRTIO_SIZE,
		.read = virtio_read,
		.write = virtio_write,
		.name = "virtio",
	};

	b->ops = ops;
	b->opaque = opaque;
	b->finisher.finish = finish;
	b->finisher.opaque = b;
	b->rtc.set_irq = rtc_irq;
	b->rtc.rearm = rtc_rearm;
	b->rtc.opaque = b;
	b->uart.output = uart_output;
	b->uart.set_irq = uart_irq;
	b->uart.input_room = uart_room;
	b->uart.opaque = b;
	bus_init(&b->bus);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (bus_add(&b->bus, &ranges[i], err, n))
			return -1;
	}
	for (unsigned int i = 0; i < MACHINE_VIRTIO_MAX; i++, slot.gpa += MACHINE_VIRTIO_SIZE) {
		slot.dev = &b->virtio[i];
		if (bus_add(&b->bus, &slot, err, n))
			return -1;
	}
	for (unsigned int i = 0; i < MACHINE_FLASH_BANKS; i++) {
		b->flash[i].fd = -1;
		b->flash[i].hide = flash_hide;
		b->flash[i].changed = flash_changed;
		b->flash[i].opaque = b;
	}
	if (store_make(&b->rom.mem, "rom", ROM_SIZE, err, n))
		return -1;
	board_reset(b);
	return 0;
}

const struct store *board_rom(const struct board *b, unsigned int i, uint64_t *gpa)
{
	if (!i) {
		*gpa = MACHINE_ROM_GPA;
		return &b->rom.mem;
	}
	*gpa = MACHINE_FLASH_GPA + (i - 1) * MACHINE_FLASH_SIZE;
	return &b->flash[i - 1].mem;
}

void board_reset(struct board *b)
{
	uart_reset(&b->uart);
	rtc_reset(&b->rtc);
	for (unsigned int i = 0; i < MACHINE_FLASH_BANKS; i++)
		flash_reset(&b->flash[i]);
}

void board_free(struct board *b)
{
	for (unsigned int i = 0; i < MACHINE_FLASH_BANKS; i++)
		flash_free(&b->flash[i]);
	store_free(&b->rom.mem);
}
