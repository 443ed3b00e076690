// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * console.c - the guest's console on stdin and stdout.
 *
 * Output is collected and written at line ends, when the buffer is full, or
 * by the main thread a moment later. On a terminal input is raw; Ctrl-A x
 * quits and Ctrl-A a sends a Ctrl-A.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "uhost.h"

#define ESCAPE 0x01 /* Ctrl-A */

static struct termios saved;
static volatile bool raw;

void console_restore(void)
{
	if (raw) {
		raw = false;
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	}
}

void console_init(void)
{
	struct termios t;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved))
		return;
	t = saved;
	cfmakeraw(&t);
	/* The guest sends carriage returns itself, but our own messages do not. */
	t.c_oflag |= OPOST | ONLCR;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0) {
		raw = true;
		atexit(console_restore);
	}
}

/* All of it: a pipe may take less, a non-blocking one nothing for a while. */
static void write_all(const u8 *p, size_t n)
{
	while (n) {
		ssize_t done = write(STDOUT_FILENO, p, n);

		if (done < 0 && errno == EAGAIN) {
			struct pollfd pfd = { .fd = STDOUT_FILENO, .events = POLLOUT };

			poll(&pfd, 1, -1);
			continue;
		}
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return;
		p += done;
		n -= done;
	}
}

void console_flush(struct uhost *u)
{
	size_t n = u->out_used;

	u->out_used = 0;
	write_all(u->out, n);
}

void console_put(struct uhost *u, const void *buf, size_t n)
{
	const u8 *p = buf;

	for (size_t i = 0; i < n; i++) {
		/* The main thread flushes what has no line end. */
		if (!u->out_used)
			uhost_poke(u);
		u->out[u->out_used++] = p[i];
		if (p[i] == '\n' || u->out_used == sizeof(u->out))
			console_flush(u);
	}
}

void console_feed(struct uhost *u)
{
	size_t taken;

	if (!u->in_used)
		return;
	taken = uart_input(&u->board.uart, u->in, u->in_used);
	u->in_used -= taken;
	memmove(u->in, u->in + taken, u->in_used);
}

/* Take Ctrl-A sequences out of what was typed. Returns the bytes left. */
static size_t filter_escape(struct uhost *u, u8 *buf, size_t n)
{
	static bool escaped;
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		if (escaped) {
			escaped = false;
			if (buf[i] == 'x')
				uhost_stop(u, UHOST_KILLED, "ended by Ctrl-A x");
			else if (buf[i] == 'a' || buf[i] == ESCAPE)
				buf[out++] = ESCAPE;
		} else if (buf[i] == ESCAPE) {
			escaped = true;
		} else {
			buf[out++] = buf[i];
		}
	}
	return out;
}

bool console_read(struct uhost *u)
{
	ssize_t got;
	size_t n;

	pthread_mutex_lock(&u->devices);
	got = read(STDIN_FILENO, u->in + u->in_used, sizeof(u->in) - u->in_used);
	if (got > 0) {
		n = got;
		if (raw)
			n = filter_escape(u, u->in + u->in_used, n);
		u->in_used += n;
		console_feed(u);
	}
	pthread_mutex_unlock(&u->devices);
	return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

/* --- host.h --- */

size_t dtv_host_console_write(struct dtv_vm_core *vm, const void *buf, size_t n)
{
	struct uhost *u = uhost_of(vm);

	pthread_mutex_lock(&u->devices);
	console_put(u, buf, n);
	pthread_mutex_unlock(&u->devices);
	return n;
}

size_t dtv_host_console_read(struct dtv_vm_core *vm, void *buf, size_t n)
{
	struct uhost *u = uhost_of(vm);

	pthread_mutex_lock(&u->devices);
	if (n > u->in_used)
		n = u->in_used;
	memcpy(buf, u->in, n);
	u->in_used -= n;
	memmove(u->in, u->in + n, u->in_used);
	pthread_mutex_unlock(&u->devices);
	if (n)
		uhost_poke(u);
	return n;
}
