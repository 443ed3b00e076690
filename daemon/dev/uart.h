/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uart.h - a National Semiconductor 16550A serial port.
 *
 * Registers are bytes at a stride of one. Output is infinitely fast: the
 * transmitter is always empty. Input waits in a 16-byte FIFO; who feeds it is
 * told how much was taken and when there is room again. Time does not pass in
 * the line: the receiver's character timeout is there as soon as data waits
 * below the trigger level. Not thread-safe.
 */
#ifndef DTV_DAEMON_DEV_UART_H
#define DTV_DAEMON_DEV_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART_SIZE 0x100
#define UART_FIFO 16

/**
 * struct uart - the device; set the callbacks, then call uart_reset()
 * @output: a byte was sent
 * @set_irq: drives the interrupt wire
 * @input_room: the FIFO was full and now takes bytes again; may be NULL
 * @opaque: for the callbacks
 * @fifo: received bytes, a ring
 * @head: index of the oldest
 * @count: how many
 * @lsr_errors: OE and BI, cleared by a read of LSR
 * @ier: interrupt enable register
 * @lcr: line control
 * @mcr: modem control
 * @scr: scratch
 * @fcr: FIFO control as written (enable and trigger bits)
 * @dll: divisor latch, low
 * @dlm: divisor latch, high
 * @msr_delta: the low four bits of MSR
 * @msr_lines: the high four bits, as last seen
 * @thre_pending: the transmitter became empty since this was last told by IIR
 * @starved: input was refused
 * @level: what was last told to @set_irq
 */
struct uart {
	void (*output)(void *opaque, uint8_t byte);
	void (*set_irq)(void *opaque, bool level);
	void (*input_room)(void *opaque);
	void *opaque;
	uint8_t fifo[UART_FIFO];
	unsigned int head, count;
	uint8_t lsr_errors;
	uint8_t ier, lcr, mcr, scr, fcr, dll, dlm;
	uint8_t msr_delta, msr_lines;
	bool thre_pending;
	bool starved;
	bool level;
};

/* State after master reset. Keeps the callbacks; the wire goes low. */
void uart_reset(struct uart *u);

uint64_t uart_read(void *dev, uint64_t offset, unsigned int len);
void uart_write(void *dev, uint64_t offset, unsigned int len, uint64_t data);

/**
 * uart_input() - bytes arrive on the line
 * @u: port
 * @buf: bytes
 * @n: how many
 *
 * Return: how many were taken. When less than @n, @input_room is called as
 * soon as it is worth trying again.
 */
size_t uart_input(struct uart *u, const void *buf, size_t n);

/* A break condition arrives on the line. */
void uart_break(struct uart *u);

#endif /* DTV_DAEMON_DEV_UART_H */
