/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest inside its process: RAM, devices, VM and jails, built in one ordered
 * list of steps and taken down in the other direction.
 */
#ifndef DTV_DAEMON_MACHINE_H
#define DTV_DAEMON_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "config.h"
#include "console.h"
#include "hv.h"
#include "loop.h"
#include "ring.h"

struct dtv_machine;

/**
 * struct dtv_machine_parts - what a machine is made of; it owns none of them
 * @loop: event loop
 * @config: description
 * @ring: mapping of the ring file
 * @file: the configuration's files, open; -1: none
 * @hv: open, without a VM
 * @spare: the host has more processors than one
 */
struct dtv_machine_parts {
	struct dtv_loop *loop;
	const struct dtv_config *config;
	struct dtv_ring *ring;
	int file[DTV_FILES];
	struct dtv_hv *hv;
	bool spare;
};

/**
 * struct dtv_end - how a guest ended
 * @result: enum dtv_result; DTV_RESULT_NONE: it has not
 * @code: the guest's number, with DTV_RESULT_FAILURE
 * @reason: text
 */
struct dtv_end {
	enum dtv_result result;
	int code;
	char reason[DTV_END_REASON];
};

struct dtv_machine *dtv_machine_new(const struct dtv_machine_parts *parts);
int dtv_machine_start(struct dtv_machine *m, char *err, size_t n);
int dtv_machine_pause(struct dtv_machine *m);
int dtv_machine_unpause(struct dtv_machine *m);
int dtv_machine_reset(struct dtv_machine *m);
int dtv_machine_ask_stop(struct dtv_machine *m);
void dtv_machine_end(struct dtv_machine *m, enum dtv_result result, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void dtv_machine_reap(struct dtv_machine *m);
bool dtv_machine_paused(const struct dtv_machine *m);
int dtv_machine_stats(struct dtv_machine *m, struct dtv_stats *stats);
pid_t dtv_machine_jail(const struct dtv_machine *m, unsigned int vcpu);
struct dtv_console *dtv_machine_console(struct dtv_machine *m);
const struct dtv_end *dtv_machine_result(const struct dtv_machine *m);
void dtv_machine_stop(struct dtv_machine *m);
void dtv_machine_free(struct dtv_machine *m);

#endif /* DTV_DAEMON_MACHINE_H */
