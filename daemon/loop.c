// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See loop.h. A removed watch is only marked and is freed at the end of the
 * round, because epoll may have handed out an event for it already.
 */
#include "loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "util.h"

/**
 * struct dtv_watch - a file descriptor and what to do about it
 * @loop: where it is
 * @fd: -1 once removed; a timer's is its own
 * @timer: @fd is a timerfd of this watch
 * @events: what epoll is told to look for
 * @fn: to be called
 * @arg: with this
 * @next: in the loop's list of all, or of the removed
 */
struct dtv_watch {
	struct dtv_loop *loop;
	int fd;
	bool timer;
	uint32_t events;
	dtv_watch_fn fn;
	void *arg;
	struct dtv_watch *next;
};

/**
 * struct dtv_loop - see loop.h
 * @epoll: its descriptor
 * @quit: dtv_loop_run() is to return
 * @all: list of watches, removed ones too until the round is over
 * @stale: some watch is removed
 */
struct dtv_loop {
	int epoll;
	bool quit;
	struct dtv_watch *all;
	bool stale;
};

/** dtv_loop_new - make a loop; NULL and errno when the kernel has no room */
struct dtv_loop *dtv_loop_new(void)
{
	struct dtv_loop *loop = dtv_zalloc(sizeof(*loop));

	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		free(loop);
		return NULL;
	}
	return loop;
}

static void sweep(struct dtv_loop *loop)
{
	struct dtv_watch **p = &loop->all;

	while (*p) {
		struct dtv_watch *w = *p;

		if (w->fd >= 0) {
			p = &w->next;
			continue;
		}
		*p = w->next;
		free(w);
	}
	loop->stale = false;
}

/** dtv_loop_free - free @loop (or NULL) and its watches; their descriptors stay open */
void dtv_loop_free(struct dtv_loop *loop)
{
	if (!loop)
		return;
	for (struct dtv_watch *w = loop->all; w; w = w->next) {
		if (w->timer && w->fd >= 0)
			close(w->fd);
		w->fd = -1;
	}
	sweep(loop);
	close(loop->epoll);
	free(loop);
}

/**
 * dtv_loop_add - watch a file descriptor
 * @loop: the loop
 * @fd: descriptor that epoll takes
 * @events: EPOLLIN and such; 0: only errors and hangup
 * @fn: called with @arg and what happened
 * @arg: see @fn
 *
 * Return: the watch, or NULL and errno.
 */
struct dtv_watch *dtv_loop_add(struct dtv_loop *loop, int fd, uint32_t events, dtv_watch_fn fn,
			       void *arg)
{
	struct dtv_watch *w = dtv_zalloc(sizeof(*w));
	struct epoll_event ev = { .events = events, .data.ptr = w };

	w->loop = loop;
	w->fd = fd;
	w->events = events;
	w->fn = fn;
	w->arg = arg;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		free(w);
		return NULL;
	}
	w->next = loop->all;
	loop->all = w;
	return w;
}

/**
 * dtv_loop_timer - make a timer that is not yet set
 * @loop: the loop
 * @fn: called with @arg when the time has come
 * @arg: see @fn
 *
 * Return: the watch, or NULL and errno.
 */
struct dtv_watch *dtv_loop_timer(struct dtv_loop *loop, dtv_watch_fn fn, void *arg)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct dtv_watch *w;

	if (fd < 0)
		return NULL;
	w = dtv_loop_add(loop, fd, EPOLLIN, fn, arg);
	if (!w) {
		close(fd);
		return NULL;
	}
	w->timer = true;
	return w;
}

/**
 * dtv_loop_timer_set - set a timer, once
 * @w: of dtv_loop_timer()
 * @ns: from now, in nanoseconds; at most 0: as soon as possible; INT64_MAX: never
 */
void dtv_loop_timer_set(struct dtv_watch *w, int64_t ns)
{
	struct itimerspec t = { 0 };

	if (ns != INT64_MAX) {
		if (ns < 1)
			ns = 1;
		t.it_value.tv_sec = ns / 1000000000;
		t.it_value.tv_nsec = ns % 1000000000;
	}
	timerfd_settime(w->fd, 0, &t, NULL);
}

/** dtv_loop_change - look for other @events on @w */
void dtv_loop_change(struct dtv_watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	if (w->fd < 0 || w->events == events)
		return;
	w->events = events;
	epoll_ctl(w->loop->epoll, EPOLL_CTL_MOD, w->fd, &ev);
}

/** dtv_loop_del - stop watching; the descriptor stays open (a timer's is closed); NULL is fine */
void dtv_loop_del(struct dtv_watch *w)
{
	if (!w || w->fd < 0)
		return;
	epoll_ctl(w->loop->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	if (w->timer)
		close(w->fd);
	w->fd = -1;
	w->loop->stale = true;
}

/**
 * dtv_loop_run - call watches' functions until dtv_loop_quit()
 * @loop: the loop
 *
 * Return: 0, or -errno when epoll fails.
 */
int dtv_loop_run(struct dtv_loop *loop)
{
	struct epoll_event ev[32];

	while (!loop->quit) {
		int n = epoll_wait(loop->epoll, ev, DTV_COUNT(ev), -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++) {
			struct dtv_watch *w = ev[i].data.ptr;
			uint64_t count;

			if (w->fd < 0)
				continue;
			if (w->timer) {
				/* Set anew since: not yet due. */
				if (read(w->fd, &count, sizeof(count)) != sizeof(count))
					continue;
				w->fn(w->arg, 0);
			} else {
				w->fn(w->arg, ev[i].events);
			}
		}
		if (loop->stale)
			sweep(loop);
	}
	return 0;
}

/** dtv_loop_quit - let dtv_loop_run() return after this round */
void dtv_loop_quit(struct dtv_loop *loop)
{
	loop->quit = true;
}
