/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The module's lifecycle events, by generic netlink. */
#ifndef DTV_DAEMON_EVENTS_H
#define DTV_DAEMON_EVENTS_H

#include "loop.h"

struct dtv_events;

/* A VM's state changed; @reason is NULL or why it stopped. */
typedef void (*dtv_event_fn)(void *opaque, const char *name, const char *state, const char *reason);

struct dtv_events *dtv_events_new(struct dtv_loop *loop, dtv_event_fn fn, void *opaque);
void dtv_events_free(struct dtv_events *e);

#endif /* DTV_DAEMON_EVENTS_H */
