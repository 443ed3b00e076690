/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guests that dtvd knows: those that run, each a process of its own, and
 * those that have ended, whose result is kept until their name is used again or
 * they are forgotten.
 *
 * Of each guest the run directory has, in guests/: NAME.json (what it is, and
 * how it ended), NAME.ring (ring.h), NAME.sock (guest.h) while it runs.
 */
#ifndef DTV_DAEMON_GUESTS_H
#define DTV_DAEMON_GUESTS_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "config.h"
#include "loop.h"

struct dtv_guests;
struct dtv_guest;

/*
 * What became of a request: {"ok": true, ...} or {"error": NAME, "message": TEXT}.
 * The object stays the caller's. Called exactly once, perhaps before the function
 * that made the request returns.
 */
typedef void (*dtv_answer_fn)(void *arg, json_t *answer);

struct dtv_guests *dtv_guests_new(struct dtv_loop *loop, int run_dir, char *err, size_t n);
void dtv_guests_recover(struct dtv_guests *gs);
struct dtv_guest *dtv_guests_find(struct dtv_guests *gs, const char *name);
json_t *dtv_guests_list(struct dtv_guests *gs);
void dtv_guests_start(struct dtv_guests *gs, const struct dtv_config *c, const char *path,
		      uid_t owner, const int files[DTV_FILES], dtv_answer_fn fn, void *arg);
void dtv_guests_reap(struct dtv_guests *gs);
void dtv_guests_told(struct dtv_guests *gs, const char *name, const char *state,
		     const char *reason);

bool dtv_guest_alive(const struct dtv_guest *g);
bool dtv_guest_ending(const struct dtv_guest *g);
json_t *dtv_guest_describe(const struct dtv_guest *g);
void dtv_guest_ask(struct dtv_guest *g, const char *op, int fd, dtv_answer_fn fn, void *arg);
void dtv_guest_kill(struct dtv_guest *g, const char *reason, dtv_answer_fn fn, void *arg);
void dtv_guest_wait(struct dtv_guest *g, bool (*alive)(void *arg), dtv_answer_fn fn, void *arg);
size_t dtv_guest_log(struct dtv_guest *g, char *buf, size_t size);
void dtv_guest_forget(struct dtv_guest *g);
void dtv_guests_free(struct dtv_guests *gs);

#endif /* DTV_DAEMON_GUESTS_H */
