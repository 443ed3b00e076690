// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See varlink.h. A connection whose peer is gone lives on as long as one of its
 * calls is in work, because whoever works on it holds a pointer.
 */
#include "varlink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "util.h"

#define CONNS_MAX 128
/* What a peer may leave unread. */
#define OUT_MAX (4 * DTV_VARLINK_MESSAGE_MAX)
#define UPGRADE_MS 1000

/**
 * struct buffer - bytes in transit
 * @data: the bytes
 * @len: how many
 * @room: allocated
 */
struct buffer {
	char *data;
	size_t len;
	size_t room;
};

/**
 * struct dtv_conn - a client
 * @v: server
 * @fd: -1: gone
 * @watch: of @fd
 * @peer: who it is, by the kernel
 * @in: what it sent and was not yet looked at
 * @out: answers to send
 * @busy: a call is in work
 * @working: work() is on the stack and uses this memory
 * @oneway: that call gets no answer
 * @upgrade: that call asks for a raw stream
 * @closing: hang up once @out is sent
 */
struct dtv_conn {
	struct dtv_varlink *v;
	int fd;
	struct dtv_watch *watch;
	struct ucred peer;
	struct buffer in;
	struct buffer out;
	bool busy;
	bool working;
	bool oneway;
	bool upgrade;
	bool closing;
};

/**
 * struct dtv_varlink - a server
 * @loop: event loop
 * @fd: listening socket, not ours to close
 * @watch: of @fd
 * @fn: answers calls
 * @opaque: for @fn
 * @conns: connections alive
 */
struct dtv_varlink {
	struct dtv_loop *loop;
	int fd;
	struct dtv_watch *watch;
	dtv_call_fn fn;
	void *opaque;
	unsigned int conns;
};

static void append(struct buffer *b, const void *data, size_t len)
{
	if (b->room - b->len < len) {
		b->room = (b->len + len) * 2;
		b->data = dtv_realloc(b->data, b->room);
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void consume(struct buffer *b, size_t len)
{
	memmove(b->data, b->data + len, b->len - len);
	b->len -= len;
}

/* The memory goes when nobody works on a call of it any more. */
static void conn_release(struct dtv_conn *c)
{
	if (c->fd >= 0 || c->busy || c->working)
		return;
	free(c->in.data);
	free(c->out.data);
	free(c);
}

/* The peer is gone, or has to be. @c may be freed. */
static void conn_close(struct dtv_conn *c)
{
	if (c->fd >= 0) {
		dtv_loop_del(c->watch);
		close(c->fd);
		c->fd = -1;
		c->v->conns--;
	}
	conn_release(c);
}

static void update(struct dtv_conn *c)
{
	/* A busy connection is still read, to see that the peer goes. */
	bool in = c->in.len < DTV_VARLINK_MESSAGE_MAX && !c->closing;

	dtv_loop_change(c->watch, (in ? EPOLLIN : 0) | (c->out.len ? EPOLLOUT : 0));
}

/* False: the connection is gone (and possibly freed). */
static bool flush(struct dtv_conn *c)
{
	while (c->out.len) {
		ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			conn_close(c);
			return false;
		}
		consume(&c->out, n);
	}
	if (c->closing && !c->out.len) {
		conn_close(c);
		return false;
	}
	update(c);
	return true;
}

static void queue(struct dtv_conn *c, json_t *msg)
{
	char *text = json_dumps(msg, JSON_COMPACT);

	if (text && c->out.len < OUT_MAX)
		append(&c->out, text, strlen(text) + 1);
	else
		c->closing = true;
	free(text);
}

static void call(struct dtv_conn *c, json_t *msg)
{
	json_t *params = json_object_get(msg, "parameters");
	const char *method = json_string_value(json_object_get(msg, "method"));

	c->busy = true;
	c->oneway = json_is_true(json_object_get(msg, "oneway"));
	c->upgrade = json_is_true(json_object_get(msg, "upgrade"));
	if (json_is_object(params))
		json_incref(params);
	else
		params = json_object();
	c->v->fn(c->v->opaque, c, method, params);
	json_decref(params);
}

/* Look at whole messages, until one of them is being worked on. @c may be freed. */
static void work(struct dtv_conn *c)
{
	c->working = true;
	while (c->fd >= 0 && !c->busy && !c->closing) {
		char *end = c->in.len ? memchr(c->in.data, 0, c->in.len) : NULL;
		json_t *msg;

		if (!end) {
			if (c->in.len >= DTV_VARLINK_MESSAGE_MAX)
				conn_close(c);
			break;
		}
		msg = json_loadb(c->in.data, end - c->in.data, 0, NULL);
		consume(&c->in, end + 1 - c->in.data);
		if (!json_is_object(msg) || !json_is_string(json_object_get(msg, "method"))) {
			/* The protocol has no answer to what is no message. */
			json_decref(msg);
			conn_close(c);
			break;
		}
		call(c, msg);
		json_decref(msg);
	}
	c->working = false;
	if (c->fd >= 0)
		flush(c);
	else
		conn_release(c);
}

static void conn_event(void *arg, uint32_t events)
{
	struct dtv_conn *c = arg;
	char buf[16384];
	ssize_t n;

	if (events & EPOLLIN) {
		n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			conn_close(c);
			return;
		}
		if (n > 0)
			append(&c->in, buf, n);
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		conn_close(c);
		return;
	}
	if (events & EPOLLOUT && !flush(c))
		return;
	if (!c->busy)
		work(c);
	else
		update(c);
}

static void accept_event(void *arg, uint32_t events)
{
	struct dtv_varlink *v = arg;
	int fd = accept4(v->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct dtv_conn *c;
	socklen_t len;

	(void)events;
	if (fd < 0)
		return;
	if (v->conns >= CONNS_MAX) {
		close(fd);
		return;
	}
	c = dtv_zalloc(sizeof(*c));
	c->v = v;
	c->fd = fd;
	len = sizeof(c->peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->peer, &len) == 0)
		c->watch = dtv_loop_add(v->loop, fd, EPOLLIN, conn_event, c);
	if (!c->watch) {
		close(fd);
		free(c);
		return;
	}
	v->conns++;
}

/**
 * dtv_varlink_new - serve a listening socket
 * @loop: event loop
 * @listen_fd: the socket
 * @fn: called for each call
 * @opaque: for @fn
 *
 * Return: the server, or NULL and errno.
 */
struct dtv_varlink *dtv_varlink_new(struct dtv_loop *loop, int listen_fd, dtv_call_fn fn,
				    void *opaque)
{
	struct dtv_varlink *v = dtv_zalloc(sizeof(*v));

	v->loop = loop;
	v->fd = listen_fd;
	v->fn = fn;
	v->opaque = opaque;
	v->watch = dtv_loop_add(loop, listen_fd, EPOLLIN, accept_event, v);
	if (!v->watch) {
		free(v);
		return NULL;
	}
	return v;
}

/** dtv_varlink_free - take no more connections; NULL is fine */
void dtv_varlink_free(struct dtv_varlink *v)
{
	if (!v)
		return;
	dtv_loop_del(v->watch);
	free(v);
}

static void answered(struct dtv_conn *c, json_t *msg)
{
	bool again = c->fd >= 0;

	if (again && !c->oneway)
		queue(c, msg);
	json_decref(msg);
	c->busy = false;
	/* Not from here: work() is perhaps who called. The loop comes back for the rest. */
	if (again) {
		if (flush(c) && c->in.len && memchr(c->in.data, 0, c->in.len))
			dtv_loop_change(c->watch, EPOLLIN | EPOLLOUT);
	} else {
		conn_release(c);
	}
}

/**
 * dtv_conn_reply - answer a call
 * @c: connection, not to be used afterwards
 * @params: object, taken over; NULL: an empty one
 */
void dtv_conn_reply(struct dtv_conn *c, json_t *params)
{
	answered(c, json_pack("{s:o}", "parameters", params ? params : json_object()));
}

/**
 * dtv_conn_error - answer a call by an error
 * @c: connection, not to be used afterwards
 * @error: full name
 * @params: object, taken over; NULL: an empty one
 */
void dtv_conn_error(struct dtv_conn *c, const char *error, json_t *params)
{
	answered(c, json_pack("{s:s,s:o}", "error", error, "parameters",
			      params ? params : json_object()));
}

/**
 * dtv_conn_upgrade - answer a call, after which the stream is no varlink any more
 * @c: connection, not to be used afterwards
 * @params: object, taken over; NULL: an empty one
 *
 * Return: the stream, the caller's; or -1 if the peer is gone.
 */
int dtv_conn_upgrade(struct dtv_conn *c, json_t *params)
{
	json_t *msg = json_pack("{s:o}", "parameters", params ? params : json_object());
	int64_t until = dtv_now_ms() + UPGRADE_MS;
	int fd = -1;

	if (c->fd >= 0)
		queue(c, msg);
	json_decref(msg);
	while (c->fd >= 0 && c->out.len) {
		struct pollfd p = { .fd = c->fd, .events = POLLOUT };
		ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			consume(&c->out, n);
		else if (errno != EAGAIN || dtv_now_ms() > until || poll(&p, 1, 100) < 0)
			break;
	}
	if (c->fd >= 0 && !c->out.len)
		fd = dup(c->fd);
	if (fd >= 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	c->busy = false;
	conn_close(c);
	return fd;
}

/** dtv_conn_wants_upgrade - does the call in work ask for a raw stream? */
bool dtv_conn_wants_upgrade(const struct dtv_conn *c)
{
	return c->upgrade;
}

/** dtv_conn_alive - is the peer of a call in work still there? */
bool dtv_conn_alive(const struct dtv_conn *c)
{
	return c->fd >= 0;
}

/** dtv_conn_peer - who calls */
const struct ucred *dtv_conn_peer(const struct dtv_conn *c)
{
	return &c->peer;
}

/** dtv_conn_fd - the socket, for questions to the kernel about the peer */
int dtv_conn_fd(const struct dtv_conn *c)
{
	return c->fd;
}
