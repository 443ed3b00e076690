// SPDX-License-Identifier: GPL-2.0-only
/*
 * resv.c - reservations (unprivileged manual 14.2).
 *
 * An LR takes the right to write the word's page from all other harts. A store
 * of theirs then misses and is made by C code, which ends what it overlaps.
 * Fills honour reservations as they honour pages of code: mmu.rst has why
 * nothing is missed.
 *
 * What translated code ends by itself (hart->resv_addr = ~0) stays recorded here until
 * the hart makes the next or somebody looks: it then counts as none.
 */
#include "../hart.h"

/*
 * Other harts may not be slow for ever because of an LR that no SC follows: so many
 * stores to its page end it.
 */
#define FOREIGN_MAX 256

/* Lock held, or just a guess. */
static bool live(const struct dtv_cpu *cpu)
{
	return READ_ONCE(cpu->resv.gpa) != ~0ULL &&
	       READ_ONCE(cpu->area->hart.resv_addr) != ~0ULL;
}

/* Lock held. */
static void resv_end(struct dtv_cpu *cpu)
{
	if (cpu->resv.gpa == ~0ULL)
		return;
	WRITE_ONCE(cpu->resv.gpa, ~0ULL);
	WRITE_ONCE(cpu->vm->nr_resv, cpu->vm->nr_resv - 1);
}

/* A store to [gpa, gpa + len) by @self, NULL: by no hart. Lock held. */
static void end_others(struct dtv_vm_core *vm, const struct dtv_cpu *self, gpa_t gpa, u64 len)
{
	unsigned int i;

	for (i = 0; DTV_MUTANT(resv_others, 0, vm->nr_resv) && i < DTV_MAX_HARTS; i++) {
		struct dtv_cpu *cpu = vm->cpus[i];
		gpa_t set;

		if (!cpu || cpu == self || cpu->resv.gpa == ~0ULL)
			continue;
		set = cpu->resv.gpa & ~(DTV_RESV_SET - 1ULL);
		if (!live(cpu) || (gpa < set + DTV_RESV_SET && set < gpa + len))
			resv_end(cpu);
		else if (((set ^ gpa) & DTV_PAGE_MASK) == 0 && ++cpu->resv.foreign > FOREIGN_MAX)
			resv_end(cpu);
	}
}

static u64 load(const void *p, u8 len)
{
	return len == 8 ? READ_ONCE(*(const u64 *)p) :
			  (u64)(s64)DTV_MUTANT(lr_w_zero, 0, (s32)READ_ONCE(*(const u32 *)p));
}

static bool store_if(void *p, u8 len, u64 old, u64 value)
{
	if (len == 8)
		return cmpxchg((u64 *)p, old, value) == old;
	return cmpxchg((u32 *)p, (u32)old, (u32)value) == (u32)old;
}

/**
 * dtv_resv_load() - execute an LR
 * @cpu: hart
 * @gva: address, aligned
 * @gpa: where it stands
 * @p: the same for C code
 * @len: 4 or 8
 *
 * Return: the word, sign-extended.
 * Context: hart's own, no lock held, may sleep. Unprivileged manual 14.2.
 */
u64 dtv_resv_load(struct dtv_cpu *cpu, gva_t gva, gpa_t gpa, const void *p, u8 len)
{
	struct dtv_hart *h = &cpu->area->hart;
	struct dtv_vm_core *vm = cpu->vm;
	u64 value;

	spin_lock(&vm->resv_lock);
	resv_end(cpu);
	cpu->resv.len = len;
	cpu->resv.foreign = 0;
	WRITE_ONCE(h->resv_addr, gva);
	WRITE_ONCE(cpu->resv.gpa, gpa);
	WRITE_ONCE(vm->nr_resv, vm->nr_resv + 1);
	spin_unlock(&vm->resv_lock);
	/*
	 * The reservation before the look at who may write: it has a full barrier
	 * between. A fill looks the other way round.
	 */
	if (DTV_MUTANT(resv_protect, false, vm->nr_cpus > 1))
		dtv_view_protect_others(cpu, gpa);
	value = load(p, len);
	h->resv_value = value;
	return value;
}

/**
 * dtv_resv_store() - execute an SC
 * @cpu: hart
 * @gva: address, aligned
 * @gpa: where it stands
 * @p: the same for C code
 * @len: 4 or 8
 * @value: to be stored
 * @paired: the SC of a pair, whose LR made no reservation
 *
 * Besides the reservation the word must have the LR's value: who writes it unseen
 * is a device, or a page-table walk that sets A or D.
 *
 * Return: whether it was stored.
 * Context: hart's own. Unprivileged manual 14.2.
 */
bool dtv_resv_store(struct dtv_cpu *cpu, gva_t gva, gpa_t gpa, void *p, u8 len, u64 value,
		    bool paired)
{
	struct dtv_hart *h = &cpu->area->hart;
	struct dtv_vm_core *vm = cpu->vm;
	bool ok = paired;

	spin_lock(&vm->resv_lock);
	if (!paired)
		ok = live(cpu) && h->resv_addr == gva && cpu->resv.gpa == gpa &&
		     DTV_MUTANT(resv_size, true, cpu->resv.len == len);
	ok = ok && store_if(p, len, h->resv_value, value);
	if (ok)
		end_others(vm, cpu, gpa, len);
	if (DTV_MUTANT(sc_keeps, false, true)) {
		resv_end(cpu);
		WRITE_ONCE(h->resv_addr, ~0ULL);
	}
	spin_unlock(&vm->resv_lock);
	return ok;
}

/**
 * dtv_resv_drop() - the hart's reservation ends: a trap, a reset
 * @cpu: hart
 *
 * Context: hart's own.
 */
void dtv_resv_drop(struct dtv_cpu *cpu)
{
	if (DTV_MUTANT(resv_trap, true, false))
		return;
	WRITE_ONCE(cpu->area->hart.resv_addr, ~0ULL);
	if (READ_ONCE(cpu->resv.gpa) == ~0ULL)
		return;
	spin_lock(&cpu->vm->resv_lock);
	resv_end(cpu);
	spin_unlock(&cpu->vm->resv_lock);
}

/**
 * dtv_resv_lock() - before C code stores for a hart
 * @cpu: hart; its own reservation stands
 * @gpa: first byte
 * @len: bytes, within a page
 * @gpa2: the rest, in another page
 * @len2: bytes of it, 0: none
 *
 * An SC of another hart comes before or after the store, and fails if it comes after.
 *
 * Context: hart's own; takes vm->resv_lock until dtv_resv_unlock().
 */
void dtv_resv_lock(struct dtv_cpu *cpu, gpa_t gpa, u64 len, gpa_t gpa2, u64 len2)
	__acquires(&cpu->vm->resv_lock)
{
	spin_lock(&cpu->vm->resv_lock);
	end_others(cpu->vm, cpu, gpa, len);
	if (len2)
		end_others(cpu->vm, cpu, gpa2, len2);
}

/**
 * dtv_resv_unlock() - behind the store
 * @cpu: hart
 *
 * Context: releases vm->resv_lock.
 */
void dtv_resv_unlock(struct dtv_cpu *cpu) __releases(&cpu->vm->resv_lock)
{
	spin_unlock(&cpu->vm->resv_lock);
}

/**
 * dtv_resv_written() - guest RAM was written by a device, or by a walk
 * @vm: the VM
 * @gpa: first byte
 * @len: bytes
 *
 * Context: any; takes vm->resv_lock.
 */
void dtv_resv_written(struct dtv_vm_core *vm, gpa_t gpa, u64 len)
{
	/* The caller's stores come before. An LR that comes later loads them. */
	smp_mb();
	if (!READ_ONCE(vm->nr_resv))
		return;
	spin_lock(&vm->resv_lock);
	end_others(vm, NULL, gpa, len);
	spin_unlock(&vm->resv_lock);
}

/**
 * dtv_resv_held() - whether another hart may have a reservation in a page
 * @cpu: hart
 * @gpa: any address in the page
 *
 * Context: any, no lock: who fills a view asks behind a full barrier.
 */
bool dtv_resv_held(const struct dtv_cpu *cpu, gpa_t gpa)
{
	const struct dtv_vm_core *vm = cpu->vm;
	unsigned int i;

	if (likely(!READ_ONCE(vm->nr_resv)))
		return false;
	for (i = 0; i < DTV_MAX_HARTS; i++) {
		const struct dtv_cpu *other = vm->cpus[i];

		if (other && other != cpu && live(other) &&
		    ((READ_ONCE(other->resv.gpa) ^ gpa) & DTV_PAGE_MASK) == 0)
			return true;
	}
	return false;
}
