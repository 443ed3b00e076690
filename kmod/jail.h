/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * jail.h - the address space of a process that runs translated code.
 *
 *   0x0000_2000_0000  vCPU area, read+write
 *   0x0000_4000_0000  code cache, read+execute
 *   0x1000_0000_0000  views, read+write, DTV_VIEW_STRIDE apart
 *
 * Nothing else is mapped. The areas' distances are larger than what a guest
 * access without an address check can be off.
 */
#ifndef DTV_JAIL_H
#define DTV_JAIL_H

#include "mmu/view.h"

struct dtv_vcpu;
struct dtv_vm;
struct file;

#define DTV_JAIL_VIEWS 64
#define DTV_JAIL_AREA 0x20000000UL
#define DTV_JAIL_CACHE 0x40000000UL
#define DTV_JAIL_VIEW 0x100000000000UL

/**
 * dtv_jail_enter() - turn the calling process into a vCPU's jail
 * @vcpu: vCPU, without a jail yet
 * @file: its file
 * @fd: descriptor of @file, for the exits
 *
 * When it fails the process is as it was, or dies (SIGKILL is pending).
 *
 * Return: 0: the process goes on in translated code; or an errno of Documentation/api.rst.
 * Context: system call of a single-threaded 64-bit process, sleeps.
 */
long dtv_jail_enter(struct dtv_vcpu *vcpu, struct file *file, unsigned long fd);

/**
 * dtv_jail_stray() - DTV_VCPU_STRAY: the signal handler of a jail asks where to go on
 * @vcpu: vCPU
 *
 * Return: 0, -EPERM when the caller is not the jail, -EFAULT when its rdx is no signal frame.
 * Context: the jail's, sleeps.
 */
long dtv_jail_stray(struct dtv_vcpu *vcpu);

/**
 * dtv_jail_trim() - give back the page tables of the views, which zaps leave behind
 * @vcpu: vCPU
 *
 * A guest can make them grow to a gigabyte a view. They are filled again by misses.
 *
 * Context: the jail's, outside of translated code, sleeps.
 */
void dtv_jail_trim(struct dtv_vcpu *vcpu);

/* Bytes of page tables that a jail may have. Context: any. */
u64 dtv_jail_tables_max(const struct dtv_vm *vm);

/* Code of the signal handler, in assembly. */
extern const u8 dtv_jail_signal_stub[], dtv_jail_signal_stub_end[];

/* Bytes of the cache that the translator may use, and the making of the rest. */
u64 dtv_jail_cache_size(const struct dtv_vm *vm);
void dtv_jail_init_cache(struct dtv_vm *vm);

/* Whether a jail with this ip handles a signal. Context: any. */
bool dtv_jail_in_signal(const struct dtv_vm *vm, u64 ip);

#endif /* DTV_JAIL_H */
