/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event loop: file descriptors and timers, one thread, epoll. A watch may be
 * removed at any time, also by a function that the same round calls.
 */
#ifndef DTV_DAEMON_LOOP_H
#define DTV_DAEMON_LOOP_H

#include <stdint.h>

struct dtv_loop;
struct dtv_watch;

/* @events: EPOLL*; 0 for a timer. */
typedef void (*dtv_watch_fn)(void *arg, uint32_t events);

struct dtv_loop *dtv_loop_new(void);
void dtv_loop_free(struct dtv_loop *loop);
struct dtv_watch *dtv_loop_add(struct dtv_loop *loop, int fd, uint32_t events, dtv_watch_fn fn,
			       void *arg);
struct dtv_watch *dtv_loop_timer(struct dtv_loop *loop, dtv_watch_fn fn, void *arg);
void dtv_loop_timer_set(struct dtv_watch *w, int64_t ns);
void dtv_loop_change(struct dtv_watch *w, uint32_t events);
void dtv_loop_del(struct dtv_watch *w);
int dtv_loop_run(struct dtv_loop *loop);
void dtv_loop_quit(struct dtv_loop *loop);

#endif /* DTV_DAEMON_LOOP_H */
