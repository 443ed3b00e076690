// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * uart.c - NS16550A: register file, FIFO, interrupt identification.
 */
#include <string.h>

#include "uart.h"

#define RBR 0 /* read; DLL with DLAB */
#define THR 0 /* write */
#define IER 1 /* DLM with DLAB */
#define IIR 2 /* read */
#define FCR 2 /* write */
#define LCR 3
#define MCR 4
#define LSR 5
#define MSR 6
#define SCR 7

#define IER_RDI 0x01
#define IER_THRI 0x02
#define IER_RLSI 0x04
#define IER_MSI 0x08

#define IIR_NONE 0x01
#define IIR_MSI 0x00
#define IIR_THRI 0x02
#define IIR_RDI 0x04
#define IIR_RLSI 0x06
#define IIR_TIMEOUT 0x0c
#define IIR_FIFOS 0xc0

#define FCR_ENABLE 0x01
#define FCR_CLEAR_RX 0x02
#define FCR_TRIGGER 0xc0

#define LCR_DLAB 0x80

#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10

#define LSR_DR 0x01
#define LSR_OE 0x02
#define LSR_BI 0x10
#define LSR_THRE 0x20
#define LSR_TEMT 0x40

#define MSR_TERI 0x04
#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI 0x40
#define MSR_DCD 0x80

static unsigned int fifo_size(const struct uart *u)
{
	return u->fcr & FCR_ENABLE ? UART_FIFO : 1;
}

static unsigned int trigger(const struct uart *u)
{
	static const uint8_t levels[4] = { 1, 4, 8, 14 };

	return u->fcr & FCR_ENABLE ? levels[u->fcr >> 6] : 1;
}

/* What IIR says now, without the FIFO bits: the source of highest priority. */
static uint8_t identify(const struct uart *u)
{
	if ((u->ier & IER_RLSI) && u->lsr_errors)
		return IIR_RLSI;
	if ((u->ier & IER_RDI) && u->count)
		return u->count >= trigger(u) ? IIR_RDI : IIR_TIMEOUT;
	if ((u->ier & IER_THRI) && u->thre_pending)
		return IIR_THRI;
	if ((u->ier & IER_MSI) && u->msr_delta)
		return IIR_MSI;
	return IIR_NONE;
}

static void update_wire(struct uart *u)
{
	bool level = identify(u) != IIR_NONE;

	if (level != u->level) {
		u->level = level;
		u->set_irq(u->opaque, level);
	}
}

/*
 * The four modem inputs. A peer is always there and ready; in loopback the
 * outputs of MCR come back instead.
 */
static void update_modem(struct uart *u)
{
	uint8_t old = u->msr_lines, now = MSR_CTS | MSR_DSR | MSR_DCD;

	if (u->mcr & MCR_LOOP) {
		now = 0;
		if (u->mcr & MCR_RTS)
			now |= MSR_CTS;
		if (u->mcr & MCR_DTR)
			now |= MSR_DSR;
		if (u->mcr & MCR_OUT1)
			now |= MSR_RI;
		if (u->mcr & MCR_OUT2)
			now |= MSR_DCD;
	}
	/* The ring indicator reports its trailing edge alone. */
	u->msr_delta |= ((old ^ now) & (MSR_CTS | MSR_DSR | MSR_DCD)) >> 4;
	if (old & ~now & MSR_RI)
		u->msr_delta |= MSR_TERI;
	u->msr_lines = now;
}

static void clear_rx(struct uart *u)
{
	u->head = u->count = 0;
	u->lsr_errors = 0;
}

static void push(struct uart *u, uint8_t byte)
{
	if (u->count == fifo_size(u)) {
		u->lsr_errors |= LSR_OE;
		return;
	}
	u->fifo[(u->head + u->count++) % UART_FIFO] = byte;
}

/* Tell the feeder about room, once per refusal, when nothing of the device is in flux. */
static void offer_room(struct uart *u)
{
	if (!u->starved || u->count == fifo_size(u) || (u->mcr & MCR_LOOP))
		return;
	u->starved = false;
	if (u->input_room)
		u->input_room(u->opaque);
}

void uart_reset(struct uart *u)
{
	clear_rx(u);
	u->ier = u->lcr = u->mcr = u->scr = u->fcr = 0;
	u->dll = 1;
	u->dlm = 0;
	u->msr_lines = MSR_CTS | MSR_DSR | MSR_DCD;
	u->msr_delta = 0;
	u->thre_pending = false;
	update_wire(u);
	offer_room(u);
}

static uint8_t read_rbr(struct uart *u)
{
	uint8_t byte = 0;

	if (u->count) {
		byte = u->fifo[u->head];
		u->head = (u->head + 1) % UART_FIFO;
		u->count--;
	}
	return byte;
}

static uint8_t read_register(struct uart *u, uint64_t offset)
{
	uint8_t v;

	switch (offset) {
	case RBR:
		return u->lcr & LCR_DLAB ? u->dll : read_rbr(u);
	case IER:
		return u->lcr & LCR_DLAB ? u->dlm : u->ier;
	case IIR:
		v = identify(u);
		if (v == IIR_THRI)
			u->thre_pending = false;
		return v | (u->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
	case LCR:
		return u->lcr;
	case MCR:
		return u->mcr;
	case LSR:
		v = u->lsr_errors | LSR_THRE | LSR_TEMT | (u->count ? LSR_DR : 0);
		u->lsr_errors = 0;
		return v;
	case MSR:
		v = u->msr_lines | u->msr_delta;
		u->msr_delta = 0;
		return v;
	case SCR:
		return u->scr;
	}
	return 0;
}

uint64_t uart_read(void *dev, uint64_t offset, unsigned int len)
{
	struct uart *u = dev;
	uint8_t v;

	(void)len;
	v = read_register(u, offset);
	update_wire(u);
	offer_room(u);
	return v;
}

static void write_register(struct uart *u, uint64_t offset, uint8_t v)
{
	switch (offset) {
	case THR:
		if (u->lcr & LCR_DLAB) {
			u->dll = v;
			return;
		}
		if (u->mcr & MCR_LOOP)
			push(u, v);
		else
			u->output(u->opaque, v);
		u->thre_pending = true;
		return;
	case IER:
		if (u->lcr & LCR_DLAB) {
			u->dlm = v;
			return;
		}
		v &= 0x0f;
		/*
		 * Enabling the interrupt of an empty transmitter raises it: drivers
		 * start sending by that.
		 */
		if ((v & IER_THRI) && !(u->ier & IER_THRI))
			u->thre_pending = true;
		u->ier = v;
		return;
	case FCR:
		/*
		 * Switching the FIFOs on or off empties them; the other bits count only
		 * with ENABLE.
		 */
		if ((v ^ u->fcr) & FCR_ENABLE)
			clear_rx(u);
		if (v & FCR_ENABLE) {
			if (v & FCR_CLEAR_RX)
				clear_rx(u);
			u->fcr = v & (FCR_ENABLE | FCR_TRIGGER);
		} else {
			u->fcr = 0;
		}
		return;
	case LCR:
		u->lcr = v;
		return;
	case MCR:
		u->mcr = v & 0x1f;
		update_modem(u);
		return;
	case SCR:
		u->scr = v;
		return;
	}
}

void uart_write(void *dev, uint64_t offset, unsigned int len, uint64_t data)
{
	struct uart *u = dev;

	(void)len;
	write_register(u, offset, data);
	update_wire(u);
	offer_room(u);
}

size_t uart_input(struct uart *u, const void *buf, size_t n)
{
	const uint8_t *p = buf;
	size_t taken = 0;

	if (!(u->mcr & MCR_LOOP)) {
		while (taken < n && u->count < fifo_size(u))
			push(u, p[taken++]);
	}
	u->starved = taken < n;
	update_wire(u);
	return taken;
}

void uart_break(struct uart *u)
{
	if (u->mcr & MCR_LOOP)
		return;
	push(u, 0);
	u->lsr_errors |= LSR_BI;
	update_wire(u);
}
