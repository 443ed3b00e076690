/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slots.h - guest RAM and ROM: parts of memfds, pinned and charged when touched.
 */
#ifndef DTV_MMU_SLOTS_H
#define DTV_MMU_SLOTS_H

#include "../port.h"

struct dtv_vm;
struct dtv_memory;
struct dtv_show;

/**
 * dtv_slots_add() - DTV_SET_MEMORY, DTV_SET_ROM
 * @vm: VM, not started
 * @mem: from user space, unchecked
 * @rom: the latter
 *
 * Return: 0, -EINVAL, -EBADF, -EEXIST (slot number or addresses taken), -EBUSY (started), -ENOMEM.
 * Context: process, sleeps; takes vm->lock.
 */
int dtv_slots_add(struct dtv_vm *vm, const struct dtv_memory *mem, bool rom);

/**
 * dtv_slots_show() - DTV_SHOW_ROM
 * @vm: VM
 * @show: from user space, unchecked
 *
 * Two calls at the same time for one slot come in any order.
 *
 * Return: 0, or -EINVAL: no such slot, not ROM, or no such value.
 * Context: process, sleeps.
 */
int dtv_slots_show(struct dtv_vm *vm, const struct dtv_show *show);

/**
 * dtv_slots_ahead() - as dtv_host_ram() for a page that may be touched soon
 * @vm: VM
 * @gpa: address of a page
 *
 * Return: host pointer to the page; NULL where there is no RAM, or it cannot be had, which is no
 * error.
 * Context: process, sleeps when the page was not touched before.
 */
void *dtv_slots_ahead(struct dtv_vm *vm, gpa_t gpa);

/* Unpin everything. No vCPU runs any more. Context: process. */
void dtv_slots_release(struct dtv_vm *vm);

int dtv_slots_subsys_init(void);
void dtv_slots_subsys_exit(void);

#endif /* DTV_MMU_SLOTS_H */
