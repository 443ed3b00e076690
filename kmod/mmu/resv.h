/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * resv.h - reservations of LRs whose SC is no compare-and-swap.
 *
 * vm->resv_lock (spin, nests in nothing and nothing in it) rules struct dtv_resv and
 * orders stores of C code against SCs.
 */
#ifndef DTV_MMU_RESV_H
#define DTV_MMU_RESV_H

#include "../port.h"

struct dtv_vm_core;
struct dtv_cpu;

/* A reservation set: aligned, of this many bytes (Za64rs). */
#define DTV_RESV_SET 64

/**
 * struct dtv_resv - a hart's reservation
 * @gpa: of the reserved word; ~0: none. Live while the hart's resv_addr is not ~0, too
 * @len: its bytes
 * @foreign: stores of other harts to other sets of its page, which are slow meanwhile
 */
struct dtv_resv {
	gpa_t gpa;
	u8 len;
	u32 foreign;
};

/* LR: reserve @len bytes at @gva, which stand at @gpa and @p, and load them. May sleep. */
u64 dtv_resv_load(struct dtv_cpu *cpu, gva_t gva, gpa_t gpa, const void *p, u8 len);

/*
 * SC: store if the hart has this reservation; with @paired if the word still has
 * the LR's value. The hart has none then.
 */
bool dtv_resv_store(struct dtv_cpu *cpu, gva_t gva, gpa_t gpa, void *p, u8 len, u64 value,
		    bool paired);

/* The hart's reservation ends. */
void dtv_resv_drop(struct dtv_cpu *cpu);

/*
 * C code stores to @len bytes at @gpa for a hart, between these two, and to @len2 more in
 * another page: ends what others have reserved there.
 */
void dtv_resv_lock(struct dtv_cpu *cpu, gpa_t gpa, u64 len, gpa_t gpa2, u64 len2);
void dtv_resv_unlock(struct dtv_cpu *cpu);

/* Guest RAM was written by who is no hart. */
void dtv_resv_written(struct dtv_vm_core *vm, gpa_t gpa, u64 len);

/* Whether a hart other than @cpu may have a reservation in the page. */
bool dtv_resv_held(const struct dtv_cpu *cpu, gpa_t gpa);

#endif /* DTV_MMU_RESV_H */
