// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See console.h. Bytes are put into the ring one by one as the guest sends them
 * and passed on a moment later together, or a write() a byte would be the rule.
 */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "util.h"

/* The last line of a kernel that does not go on, behind its time stamp. */
#define PANIC_END "---[ end Kernel panic - not syncing: "
#define LINE_MAX_BYTES 256
#define CLIENTS_MAX 16
/* Shorter than a typist notices, longer than a slow host takes for a character. */
#define FLUSH_NS 8000000

/**
 * struct client - somebody attached
 * @console: to what
 * @fd: stream; -1: free place
 * @watch: of @fd
 * @at: position in the stream of output: next byte to send
 */
struct client {
	struct dtv_console *console;
	int fd;
	struct dtv_watch *watch;
	uint64_t at;
};

/**
 * struct dtv_console - see console.h
 * @loop: event loop
 * @ring: shared with the ring file
 * @head: bytes ever written; ring->head is a copy for readers of the file
 * @ops: see console.h
 * @opaque: for @ops
 * @client: who is attached
 * @in: what was typed and not yet taken
 * @in_len: bytes of it
 * @timer: passes output on
 * @armed: it is set
 * @line: the current line of output, to see a panic
 * @line_len: bytes of it
 */
struct dtv_console {
	struct dtv_loop *loop;
	struct dtv_ring *ring;
	uint64_t head;
	const struct dtv_console_ops *ops;
	void *opaque;
	struct client client[CLIENTS_MAX];
	uint8_t in[256];
	size_t in_len;
	struct dtv_watch *timer;
	bool armed;
	char line[LINE_MAX_BYTES];
	size_t line_len;
};

static void flush_due(void *arg, uint32_t events)
{
	(void)events;
	dtv_console_flush(arg);
}

/**
 * dtv_console_new - make a console
 * @loop: event loop
 * @ring: mapping of the ring file
 * @ops: see console.h
 * @opaque: for @ops
 *
 * Return: the console, or NULL and errno.
 */
struct dtv_console *dtv_console_new(struct dtv_loop *loop, struct dtv_ring *ring,
				    const struct dtv_console_ops *ops, void *opaque)
{
	struct dtv_console *c = dtv_zalloc(sizeof(*c));

	c->loop = loop;
	c->ring = ring;
	c->ops = ops;
	c->opaque = opaque;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		c->client[i].fd = -1;
	c->timer = dtv_loop_timer(loop, flush_due, c);
	if (!c->timer) {
		free(c);
		return NULL;
	}
	return c;
}

static void detach(struct client *cl)
{
	dtv_loop_del(cl->watch);
	close(cl->fd);
	cl->watch = NULL;
	cl->fd = -1;
}

static uint32_t wanted(const struct client *cl)
{
	const struct dtv_console *c = cl->console;

	return (c->in_len < sizeof(c->in) ? EPOLLIN : 0) | (cl->at < c->head ? EPOLLOUT : 0);
}

/* Send what can be sent without waiting. False: the client is gone. */
static bool pump(struct client *cl)
{
	struct dtv_console *c = cl->console;

	if (c->head - cl->at > DTV_RING_BYTES)
		cl->at = c->head - DTV_RING_BYTES;
	while (cl->at < c->head) {
		size_t pos = cl->at % DTV_RING_BYTES;
		size_t len = c->head - cl->at;
		ssize_t n;

		if (len > DTV_RING_BYTES - pos)
			len = DTV_RING_BYTES - pos;
		n = write(cl->fd, c->ring->data + pos, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			detach(cl);
			return false;
		}
		cl->at += n;
	}
	if (cl->watch)
		dtv_loop_change(cl->watch, wanted(cl));
	return true;
}

static void changed(struct dtv_console *c)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *cl = &c->client[i];

		if (cl->fd >= 0 && cl->watch)
			dtv_loop_change(cl->watch, wanted(cl));
	}
}

static void client_event(void *arg, uint32_t events)
{
	struct client *cl = arg;
	struct dtv_console *c = cl->console;
	ssize_t n;

	if (events & EPOLLIN && c->in_len < sizeof(c->in)) {
		n = read(cl->fd, c->in + c->in_len, sizeof(c->in) - c->in_len);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			detach(cl);
			return;
		}
		if (n > 0) {
			c->in_len += n;
			dtv_console_room(c);
		}
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		detach(cl);
		return;
	}
	if (cl->fd >= 0)
		pump(cl);
}

/**
 * dtv_console_attach - a client, who first gets what the ring still has
 * @c: console
 * @fd: stream socket or terminal; the console's from now on, if 0 is returned
 *
 * Return: 0, -EBUSY when too many are attached, or -errno.
 */
int dtv_console_attach(struct dtv_console *c, int fd)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *cl = &c->client[i];

		if (cl->fd >= 0)
			continue;
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		cl->console = c;
		cl->at = c->head > DTV_RING_BYTES ? c->head - DTV_RING_BYTES : 0;
		cl->watch = dtv_loop_add(c->loop, fd, EPOLLIN, client_event, cl);
		if (!cl->watch)
			return -errno;
		cl->fd = fd;
		pump(cl);
		return 0;
	}
	return -EBUSY;
}

/* A whole line was sent: is it a kernel's last? */
static void look_at_line(struct dtv_console *c)
{
	char *s = c->line, *end;

	c->line[c->line_len] = 0;
	if (*s == '[') {
		/* "[    1.234567] ", and perhaps "[    T1] " */
		while (*s == '[' && (end = strstr(s, "] ")))
			s = end + 2;
	}
	if (strncmp(s, PANIC_END, strlen(PANIC_END)))
		return;
	s += strlen(PANIC_END);
	end = strstr(s, " ]---");
	if (end)
		*end = 0;
	c->ops->panic(c->opaque, s);
}

/** dtv_console_put - the guest sent a byte */
void dtv_console_put(struct dtv_console *c, uint8_t byte)
{
	c->ring->data[c->head % DTV_RING_BYTES] = byte;
	c->head++;
	__atomic_store_n(&c->ring->head, c->head, __ATOMIC_RELEASE);
	if (byte == '\n') {
		look_at_line(c);
		c->line_len = 0;
	} else if (byte != '\r' && c->line_len < LINE_MAX_BYTES - 1) {
		c->line[c->line_len++] = byte;
	}
	if (!c->armed) {
		c->armed = true;
		dtv_loop_timer_set(c->timer, FLUSH_NS);
	}
}

/** dtv_console_flush - pass on what was put */
void dtv_console_flush(struct dtv_console *c)
{
	c->armed = false;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *cl = &c->client[i];

		if (cl->fd >= 0 && cl->at < c->head)
			pump(cl);
	}
}

/** dtv_console_room - the guest's port can take input again: offer what waits */
void dtv_console_room(struct dtv_console *c)
{
	size_t n;

	if (!c->in_len)
		return;
	n = c->ops->input(c->opaque, c->in, c->in_len);
	memmove(c->in, c->in + n, c->in_len - n);
	c->in_len -= n;
	changed(c);
}

/** dtv_console_note - a line of the daemon's own for who is attached, and for the log */
void dtv_console_note(struct dtv_console *c, const char *text)
{
	char *line = dtv_format("\r\n[dtv: %s]\r\n", text);

	for (char *s = line; *s; s++)
		dtv_console_put(c, *s);
	free(line);
	dtv_console_flush(c);
}

/**
 * dtv_console_finish - the guest has ended: send the rest and hang up
 * @c: console
 * @ms: how long to wait for clients that do not read, in milliseconds
 */
void dtv_console_finish(struct dtv_console *c, int ms)
{
	int64_t until = dtv_now_ms() + ms;

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *cl = &c->client[i];

		while (cl->fd >= 0 && pump(cl) && cl->at < c->head) {
			struct pollfd p = { .fd = cl->fd, .events = POLLOUT };
			int64_t left = until - dtv_now_ms();

			if (left <= 0 || poll(&p, 1, left) <= 0)
				break;
		}
		if (cl->fd >= 0)
			detach(cl);
	}
}

/** dtv_console_free - hang up and free; NULL is fine */
void dtv_console_free(struct dtv_console *c)
{
	if (!c)
		return;
	dtv_console_finish(c, 0);
	dtv_loop_del(c->timer);
	free(c);
}
