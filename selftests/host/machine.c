// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * machine.c - the guest's devices: the daemon's models on the daemon's bus,
 * their wires on the engine's PLIC.
 */
#include <stdio.h>

#include "uhost.h"

#include "../../daemon/fdt.h"

static void uart_output(void *opaque, uint8_t byte)
{
	console_put(opaque, &byte, 1);
}

static void uart_irq(void *opaque, bool level)
{
	struct uhost *u = opaque;

	dtv_plic_set_level(&u->vm.plic, MACHINE_UART_IRQ, level);
}

static void uart_room(void *opaque)
{
	struct uhost *u = opaque;

	console_feed(u);
	/* stdin is read again once the buffer has room. */
	uhost_poke(u);
}

static void rtc_irq(void *opaque, bool level)
{
	struct uhost *u = opaque;

	dtv_plic_set_level(&u->vm.plic, MACHINE_RTC_IRQ, level);
}

static void rtc_rearm(void *opaque)
{
	uhost_poke(opaque);
}

static void finish(void *opaque, enum finisher_what what, unsigned int code)
{
	struct uhost *u = opaque;

	switch (what) {
	case FINISHER_POWEROFF:
		uhost_stop(u, UHOST_OK, "%s", "");
		break;
	case FINISHER_FAIL:
		uhost_stop(u, code & 255 ? (int)(code & 255) : UHOST_KILLED,
			   "guest failed with code %u", code);
		break;
	case FINISHER_RESET:
		uhost_stop(u, UHOST_KILLED, "guest asked for a reset");
		break;
	}
}

static uint64_t plic_read(void *dev, uint64_t offset, unsigned int len)
{
	return dtv_plic_read(dev, offset, len);
}

static void plic_write(void *dev, uint64_t offset, unsigned int len, uint64_t data)
{
	dtv_plic_write(dev, offset, len, data);
}

int machine_init(struct uhost *u, char *err, size_t n)
{
	const struct bus_range devices[] = {
		{ MACHINE_FINISHER_GPA, FINISHER_SIZE, finisher_read, finisher_write, &u->finisher,
		  "finisher" },
		{ MACHINE_RTC_GPA, RTC_SIZE, rtc_read, rtc_write, &u->rtc, "rtc" },
		{ MACHINE_PLIC_GPA, MACHINE_PLIC_SIZE, plic_read, plic_write, &u->vm.plic, "plic" },
		{ MACHINE_UART_GPA, UART_SIZE, uart_read, uart_write, &u->uart, "uart" },
	};

	pthread_mutex_init(&u->devices, NULL);
	u->finisher.finish = finish;
	u->finisher.opaque = u;
	u->uart.output = uart_output;
	u->uart.set_irq = uart_irq;
	u->uart.input_room = uart_room;
	u->uart.opaque = u;
	u->rtc.set_irq = rtc_irq;
	u->rtc.rearm = rtc_rearm;
	u->rtc.opaque = u;
	uart_reset(&u->uart);
	rtc_reset(&u->rtc);
	bus_init(&u->bus);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (bus_add(&u->bus, &devices[i], err, n))
			return -1;
	}
	return 0;
}

void machine_mmio(struct uhost *u, struct dtv_mmio *mmio)
{
	uint64_t data = mmio->data;
	int ret;

	pthread_mutex_lock(&u->devices);
	ret = bus_access(&u->bus, mmio->gpa, mmio->len, mmio->write, &data);
	pthread_mutex_unlock(&u->devices);
	mmio->failed = ret != 0;
	if (!mmio->write)
		mmio->data = data;
	if (ret && u->trace)
		fprintf(stderr, "uhost: nothing at gpa 0x%llx (%s, %u bytes)\n",
			(unsigned long long)mmio->gpa, mmio->write ? "write" : "read", mmio->len);
}
