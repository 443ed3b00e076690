/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module as the guest process sees it: hv.c is the only file that issues
 * its ioctls. Functions return 0 (or what they say) or -errno, with a text for
 * the user in @err where they have one.
 */
#ifndef DTV_DAEMON_HV_H
#define DTV_DAEMON_HV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/dtv.h>

/**
 * struct dtv_hv - a VM, or the place for one
 * @dev: /dev/dtv, open for the process's whole life
 * @vm: VM fd, non-blocking; -1: no VM
 * @slots: memory slots made
 * @vcpus: vCPUs made
 * @vcpu: their fds
 */
struct dtv_hv {
	int dev;
	int vm;
	unsigned int slots;
	unsigned int vcpus;
	int vcpu[DTV_VCPUS_MAX];
};

int dtv_hv_open(struct dtv_hv *hv, char *err, size_t n);
int dtv_hv_create(struct dtv_hv *hv, const char *name, uint64_t cache, char *err, size_t n);
int dtv_hv_isa(struct dtv_hv *hv, const char *isa, char *err, size_t n);
int dtv_hv_limit(struct dtv_hv *hv, uint64_t instructions, char *err, size_t n);
int dtv_hv_memory(struct dtv_hv *hv, int memfd, uint64_t gpa, uint64_t size, char *err, size_t n);
int dtv_hv_rom(struct dtv_hv *hv, int memfd, uint64_t gpa, uint64_t size, char *err, size_t n);
int dtv_hv_show(struct dtv_hv *hv, unsigned int slot, bool shown);
int dtv_hv_written(struct dtv_hv *hv, uint64_t gpa, uint64_t size);
int dtv_hv_vcpu(struct dtv_hv *hv, char *err, size_t n);
int dtv_hv_entry(struct dtv_hv *hv, uint64_t pc, uint64_t a1, bool m_mode, char *err, size_t n);
int dtv_hv_enter(int vcpu_fd);
int dtv_hv_start(struct dtv_hv *hv, char *err, size_t n);
int dtv_hv_pause(struct dtv_hv *hv);
int dtv_hv_unpause(struct dtv_hv *hv);
int dtv_hv_stop(struct dtv_hv *hv, const char *reason);
int dtv_hv_irq(struct dtv_hv *hv, unsigned int irq, bool level);
int dtv_hv_events(struct dtv_hv *hv, struct dtv_event *ev, size_t n);
int dtv_hv_reply(struct dtv_hv *hv, const struct dtv_event *ev, uint64_t data, bool nobody);
int dtv_hv_state(struct dtv_hv *hv, struct dtv_state *state);
int dtv_hv_stats(struct dtv_hv *hv, struct dtv_stats *stats);
void dtv_hv_destroy(struct dtv_hv *hv);

#endif /* DTV_DAEMON_HV_H */
