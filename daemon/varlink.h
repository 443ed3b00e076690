/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Varlink's wire format: on a stream socket, messages are JSON objects ended by
 * a NUL byte. This file knows connections, calls and answers; what the methods
 * mean is control.c's.
 *
 * A connection has one call at a time in work; what it sends behind that waits.
 * Each call is answered exactly once, perhaps much later, by dtv_conn_reply(),
 * dtv_conn_error() or dtv_conn_upgrade().
 */
#ifndef DTV_DAEMON_VARLINK_H
#define DTV_DAEMON_VARLINK_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "loop.h"

#define DTV_VARLINK_MESSAGE_MAX (256 * 1024)

struct dtv_varlink;
struct dtv_conn;

/* A call came: @params is an object, and the caller's. */
typedef void (*dtv_call_fn)(void *opaque, struct dtv_conn *c, const char *method, json_t *params);

struct dtv_varlink *dtv_varlink_new(struct dtv_loop *loop, int listen_fd, dtv_call_fn fn,
				    void *opaque);
void dtv_varlink_free(struct dtv_varlink *v);

void dtv_conn_reply(struct dtv_conn *c, json_t *params);
void dtv_conn_error(struct dtv_conn *c, const char *error, json_t *params);
int dtv_conn_upgrade(struct dtv_conn *c, json_t *params);
bool dtv_conn_wants_upgrade(const struct dtv_conn *c);
bool dtv_conn_alive(const struct dtv_conn *c);
const struct ucred *dtv_conn_peer(const struct dtv_conn *c);
int dtv_conn_fd(const struct dtv_conn *c);

#endif /* DTV_DAEMON_VARLINK_H */
