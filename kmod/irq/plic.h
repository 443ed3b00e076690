/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plic.h - RISC-V Platform-Level Interrupt Controller 1.0.0, the register
 * layout of QEMU's virt machine: contexts 2n (M) and 2n+1 (S) of hart n.
 *
 * Portable. All entry points take the PLIC's own lock (innermost) and report
 * changes of a context's output through the callback after dropping it.
 */
#ifndef DTV_IRQ_PLIC_H
#define DTV_IRQ_PLIC_H

#include "../port.h"

#define DTV_PLIC_SOURCES 96
#define DTV_PLIC_CONTEXTS 64
#define DTV_PLIC_WORDS (DTV_PLIC_SOURCES / 32)
#define DTV_PLIC_SIZE 0x600000

struct dtv_plic {
	spinlock_t lock;
	unsigned int nr_contexts;
	u32 priority[DTV_PLIC_SOURCES]; /* 0..7 */
	u32 level[DTV_PLIC_WORDS]; /* wires */
	u32 pending[DTV_PLIC_WORDS];
	u32 claimed[DTV_PLIC_WORDS]; /* in service: gateway closed */
	u32 enable[DTV_PLIC_CONTEXTS][DTV_PLIC_WORDS];
	u32 threshold[DTV_PLIC_CONTEXTS];
	u64 output; /* bit per context: what it is */
	u64 told; /* what was last told */
	bool telling; /* somebody is telling, without the lock */
	/* A context's interrupt line changed; called without the lock. */
	void (*set_output)(void *opaque, unsigned int context, bool level);
	void *opaque;
};

void dtv_plic_init(struct dtv_plic *p, unsigned int nr_contexts,
		   void (*set_output)(void *opaque, unsigned int context, bool level),
		   void *opaque);
/* Registers are 32 bits wide; other widths and unmapped offsets read 0 and ignore writes. */
u64 dtv_plic_read(struct dtv_plic *p, u64 offset, unsigned int len);
void dtv_plic_write(struct dtv_plic *p, u64 offset, unsigned int len, u64 data);
/* Level-triggered wire @irq of 1..95. Out of range is ignored. */
void dtv_plic_set_level(struct dtv_plic *p, unsigned int irq, bool level);
/* An edge: pending is set once. */
void dtv_plic_pulse(struct dtv_plic *p, unsigned int irq);

#endif /* DTV_IRQ_PLIC_H */
