/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host.h - what a host must supply to the portable sources.
 *
 * Two hosts exist: the module (vm.c, vcpu.c, mmu/map.c, irq/timer.c) and
 * uhost (selftests/host). Unless said otherwise these are called from the
 * hart's own context, outside translated code, with no lock of dtv held.
 */
#ifndef DTV_HOST_H
#define DTV_HOST_H

#include "port.h"

struct dtv_vm_core;
struct dtv_cpu;

/* --- memory --- */

/**
 * dtv_host_ram() - where the host has a page of guest RAM
 * @vm: the VM (struct dtv_vm_core)
 * @gpa: any address in the page
 *
 * Pins and accounts the page on first touch.
 *
 * Return: host pointer to the byte at @gpa, valid to the end of its 4 KiB page
 * for the life of the VM; NULL where there is no RAM.
 * Context: any, also under the translation lock; does not sleep once the page
 * has been touched. In the module the first touch may sleep: callers that hold a spin lock touch
 * the page before they take it.
 */
void *dtv_host_ram(struct dtv_vm_core *vm, gpa_t gpa);

/**
 * dtv_host_rom() - where the host has a page of guest ROM
 * @vm: the VM
 * @gpa: any address in the page
 * @load: for a load
 *
 * ROM is memory that harts fetch from and load from; a store to it is the device's, and so
 * are loads while the device says so. Apart from that as dtv_host_ram().
 *
 * Return: host pointer; NULL where there is no ROM, or with @load while the device answers.
 * Context: as dtv_host_ram().
 */
void *dtv_host_rom(struct dtv_vm_core *vm, gpa_t gpa, bool load);

/* What instructions are fetched from: RAM or ROM. */
static inline void *dtv_host_code(struct dtv_vm_core *vm, gpa_t gpa)
{
	void *p = dtv_host_ram(vm, gpa);

	return p ? p : dtv_host_rom(vm, gpa, false);
}

/* Zeroed memory for tables that live as long as the VM or hart; NULL when none. May sleep. */
void *dtv_host_alloc(size_t bytes);
void dtv_host_free(void *p, size_t bytes);

/* --- views (see mmu/view.h) --- */

/*
 * The following are called by view.c with the VM's view lock held or from the
 * hart's own context.
 */

/*
 * Remove all mappings of [gva, gva + size) of view @idx of @cpu; may be called for
 * another hart's view.
 */
void dtv_host_view_zap(struct dtv_cpu *cpu, unsigned int idx, gva_t gva, u64 size);
/* Remove all mappings of the view. */
void dtv_host_view_reset(struct dtv_cpu *cpu, unsigned int idx);
/* Host address of gva 0 in view @idx. */
u64 dtv_host_view_base(struct dtv_cpu *cpu, unsigned int idx);

/* --- time and other harts --- */

/* Now, in ticks of 10 MHz since the VM was made (stops while the VM is paused). */
u64 dtv_host_time(struct dtv_vm_core *vm);
/* Program the hart's timer: at time @when (ticks; ~0: never) call dtv_cpu_kick() on it. */
void dtv_host_timer(struct dtv_cpu *cpu, u64 when);
/*
 * Make @cpu look at its requests and interrupt lines soon: wake it from wfi, or
 * interrupt its translated code. Any context.
 */
void dtv_host_kick(struct dtv_cpu *cpu);
/**
 * dtv_host_relax() - wait a moment for another hart
 * @self: the hart that waits
 * @tries: how often it has waited already: the moments become longer
 *
 * The other may be stopped by the host for ever, so a wait is one that can be given up.
 *
 * Return: false when the host has something for the hart to see to (a signal): then give up if
 * possible, return from the run loop with DTV_WAIT and try again later.
 * Context: own, may sleep.
 */
bool dtv_host_relax(struct dtv_cpu *self, unsigned int tries);

/* --- built-in SBI --- */

/* System reset (SBI SRST type and reason, unchanged); the VM stops soon after. */
void dtv_host_reset(struct dtv_vm_core *vm, u32 type, u32 reason);
/* Debug console: write or read bytes; returns the number taken. @buf is host memory. */
size_t dtv_host_console_write(struct dtv_vm_core *vm, const void *buf, size_t n);
size_t dtv_host_console_read(struct dtv_vm_core *vm, void *buf, size_t n);
/* A hart has retired the @n instructions that it may (dtv_vm_core_limit()): stop the VM. */
void dtv_host_ended(struct dtv_vm_core *vm, u64 n);
/* The guest or the daemon broke the contract: stop the VM, first reason wins. Any context. */
void dtv_host_kill(struct dtv_vm_core *vm, const char *why);

/* Tracing hooks; the module makes them tracepoints, uhost counters. */
enum dtv_trace {
	DTV_TRACE_EXIT, /* a: reason, b: pc */
	DTV_TRACE_BLOCK, /* a: pc, b: guest bytes << 32 | host bytes */
	DTV_TRACE_MISS, /* a: gva, b: gpa */
	DTV_TRACE_TRAP, /* a: cause, b: pc */
	DTV_TRACE_MMIO, /* a: gpa, b: len | write << 8 */
};
void dtv_host_trace(struct dtv_cpu *cpu, enum dtv_trace what, u64 a, u64 b);

#endif /* DTV_HOST_H */
