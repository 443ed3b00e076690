// SPDX-License-Identifier: GPL-2.0-or-later
/* test_pagetable.c - the Sv39 walk, against tables written by hand. */
#include <pthread.h>
#include <time.h>
#include "unit.h"

#define ROOT (RAM_BASE + 0x1000)
#define MID (RAM_BASE + 0x2000)
#define LEAF (RAM_BASE + 0x3000)
#define SATP (8ULL << 60 | ROOT >> 12)
#define TARGET 0xc000000ULL /* no RAM stands there: no matter to the walk */

#define V DTV_PTE_V
#define R DTV_PTE_R
#define W DTV_PTE_W
#define X DTV_PTE_X
#define U DTV_PTE_U
#define G DTV_PTE_G
#define A DTV_PTE_A
#define D DTV_PTE_D

static u64 pte(gpa_t gpa, u64 flags)
{
	return gpa >> 12 << 10 | flags;
}

/* One leaf of @level for @gva, at the slot that is returned. */
static u64 *map(gva_t gva, unsigned int level, u64 leaf)
{
	u64 *l2 = ram64(ROOT) + (gva >> 30 & 511);
	u64 *l1 = ram64(MID) + (gva >> 21 & 511);
	u64 *l0 = ram64(LEAF) + (gva >> 12 & 511);

	*l2 = pte(MID, V);
	*l1 = pte(LEAF, V);
	if (level == 2)
		return *l2 = leaf, l2;
	if (level == 1)
		return *l1 = leaf, l1;
	return *l0 = leaf, l0;
}

static struct dtv_regime regime(u32 priv, bool sum, bool mxr)
{
	return (struct dtv_regime){
		.satp = SATP, .priv = priv, .sum = sum, .mxr = mxr, .adue = true
	};
}

void test_walk_levels(void)
{
	static const gva_t gvas[] = { 0, 0x12345678, 0x3fffffffff, 0xffffffc000000000,
				      0xffffffffffffffff, 0xffffffd2a4b6c8da };
	struct dtv_regime s = regime(DTV_PRIV_S, false, false);
	struct dtv_walk w;
	unsigned int i, level;
	u64 size;

	for (i = 0; i < ARRAY_SIZE(gvas); i++) {
		for (level = 0; level < 3; level++) {
			size = 4096ULL << (9 * level);
			map(gvas[i], level, pte(7 * size, V | R | W | A | D));
			CHECK_EQ(dtv_guest_walk(&machine, &s, gvas[i], DTV_ACCESS_READ, &w), 0);
			CHECK_EQ(w.gpa, 7 * size + (gvas[i] & (size - 1)));
			CHECK_EQ(w.level, level);
			CHECK_EQ(w.prot, 3);
			CHECK_EQ(w.global, false);
			CHECK_EQ(w.pte, pte(7 * size, V | R | W | A | D));
		}
		/* G counts wherever it is on the path. */
		map(gvas[i], 0, pte(TARGET, V | R | A | D | G));
		CHECK_EQ(dtv_guest_walk(&machine, &s, gvas[i], DTV_ACCESS_READ, &w), 0);
		CHECK_EQ(w.global, true);
		map(gvas[i], 0, pte(TARGET, V | R | A | D));
		ram64(ROOT)[gvas[i] >> 30 & 511] |= G;
		CHECK_EQ(dtv_guest_walk(&machine, &s, gvas[i], DTV_ACCESS_READ, &w), 0);
		CHECK_EQ(w.global, true);
		memset(machine.ram, 0, RAM_SIZE);
	}
	/* The largest physical page number. */
	map(0, 0, GENMASK_ULL(53, 10) | V | R | A);
	CHECK_EQ(dtv_guest_walk(&machine, &s, 5, DTV_ACCESS_READ, &w), 0);
	CHECK_EQ(w.gpa, GENMASK_ULL(55, 12) | 5);

	/* Bare: gva is gpa, all rights. */
	s.satp = 0;
	CHECK_EQ(dtv_guest_walk(&machine, &s, ~0ULL, DTV_ACCESS_WRITE, &w), 0);
	CHECK_EQ(w.gpa, ~0ULL);
	CHECK_EQ(w.prot, 7);
	CHECK_EQ(w.pte, 0);
}

/* Table 23 of the manual by brute force: what each regime may do with each leaf. */
void test_walk_rights(void)
{
	static const u32 faults[3] = { DTV_EXC_LOAD_PAGE, DTV_EXC_STORE_PAGE, DTV_EXC_INSN_PAGE };
	unsigned int flags, i, acc;
	struct dtv_walk w;
	bool user, rr, ww, xx, reach, valid, ok[3];
	struct dtv_regime r;
	int err;

	for (flags = 0; flags < 16; flags++) {
		rr = flags & 1;
		ww = flags & 2;
		xx = flags & 4;
		user = flags & 8;
		map(0x5000, 0, pte(TARGET, V | A | D | (u64)(flags << 1)));
		for (i = 0; i < 8; i++) {
			r = regime(i & 1 ? DTV_PRIV_S : DTV_PRIV_U, i & 2, i & 4);
			valid = (rr || xx) && (rr || !ww);
			reach = r.priv == DTV_PRIV_U ? user : !user || r.sum;
			ok[0] = valid && reach && (rr || (r.mxr && xx));
			ok[1] = valid && reach && ww;
			ok[2] = valid && xx && (r.priv == DTV_PRIV_U) == user;
			for (acc = 0; acc < 3; acc++) {
				err = dtv_guest_walk(&machine, &r, 0x5123, acc, &w);
				if (err != (ok[acc] ? 0 : -1))
					unit_fail(__FILE__, __LINE__, "walk", flags << 8 | i, acc);
				if (err)
					CHECK_EQ(w.exc, faults[acc]);
				else
					CHECK_EQ(w.prot, ok[0] | ok[1] << 1 | ok[2] << 2);
			}
		}
	}
}

static void faults(gva_t gva, u32 exc)
{
	static const u32 page[3] = { 13, 15, 12 }, access[3] = { 5, 7, 1 };
	struct dtv_regime s = regime(DTV_PRIV_S, true, true);
	unsigned int acc;
	struct dtv_walk w;

	for (acc = 0; acc < 3; acc++) {
		if (dtv_guest_walk(&machine, &s, gva, acc, &w) != -1)
			unit_fail(__FILE__, __LINE__, "no fault", gva, acc);
		else
			CHECK_EQ(w.exc, exc == DTV_EXC_LOAD_PAGE ? page[acc] : access[acc]);
	}
}

void test_walk_faults(void)
{
	static const gva_t odd[] = { 0x4000000000, 0xffffffbfffffffff, 0x8000000000000000,
				     0x7fffffffffffffff, 0xff00000000000000, 1ULL << 39 };
	u64 all = V | R | W | X | A | D;
	unsigned int i, bit;
	struct dtv_walk w;
	struct dtv_regime s = regime(DTV_PRIV_S, false, false);

	map(0, 0, pte(TARGET, all));
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		map(odd[i], 2, pte(0, all));
		faults(odd[i], DTV_EXC_LOAD_PAGE);
	}
	memset(machine.ram, 0, RAM_SIZE);
	faults(0, DTV_EXC_LOAD_PAGE);

	map(0, 0, pte(TARGET, all));
	CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_WRITE, &w), 0);
	map(0, 0, pte(TARGET, all & ~V));
	faults(0, DTV_EXC_LOAD_PAGE);
	map(0, 0, pte(LEAF, V)); /* a pointer at the last level */
	faults(0, DTV_EXC_LOAD_PAGE);
	for (bit = 54; bit < 64; bit++) {
		map(0, 0, pte(TARGET, all) | BIT_ULL(bit));
		faults(0, DTV_EXC_LOAD_PAGE);
		map(0, 0, pte(TARGET, all));
		*ram64(MID) |= BIT_ULL(bit);
		faults(0, DTV_EXC_LOAD_PAGE);
	}
	/* U, A and D are reserved in pointers. */
	for (bit = 4; bit < 8; bit++) {
		map(0, 0, pte(TARGET, all));
		*ram64(ROOT) |= BIT_ULL(bit);
		if (bit == 5)
			CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_READ, &w), 0);
		else
			faults(0, DTV_EXC_LOAD_PAGE);
	}
	/* Misaligned superpages; A and D are not touched then. */
	for (bit = 0; bit < 18; bit++) {
		u64 *slot = map(0, 2, pte(4096ULL << bit, V | R | W | X));

		faults(0, DTV_EXC_LOAD_PAGE);
		CHECK_EQ(*slot, pte(4096ULL << bit, V | R | W | X));
		if (bit < 9) {
			map(0, 1, pte(4096ULL << bit, all));
			faults(0, DTV_EXC_LOAD_PAGE);
		}
	}
	/* Tables outside of RAM. */
	map(0, 0, pte(TARGET, all));
	*ram64(ROOT) = pte(0x1000, V);
	faults(0, DTV_EXC_LOAD_ACCESS);
	*ram64(ROOT) = pte(RAM_BASE + RAM_SIZE, V);
	faults(0, DTV_EXC_LOAD_ACCESS);
	*ram64(ROOT) = GENMASK_ULL(53, 10) | V;
	faults(0, DTV_EXC_LOAD_ACCESS);
}

static unsigned int race_left;
static u64 *race_slot;
static u64 race_value;

/* Another hart changes the PTE behind the walk's back. */
static void race(struct dtv_vm_core *vm, gpa_t gpa)
{
	(void)vm;
	if (gpa >= LEAF && race_left && !--race_left)
		*race_slot = race_value;
}

void test_walk_upper(void)
{
	struct dtv_regime s = regime(DTV_PRIV_S, false, false);
	unsigned int bits, level;
	struct dtv_walk w;
	bool ok;

	/* N and PBMT, PPN's lowest four bits, in a leaf. */
	for (bits = 0; bits < 32; bits++) {
		s.pbmte = bits & 1;
		s.napot = bits & 2;
		for (level = 0; level < 2; level++) {
			u64 pbmt = bits >> 3;
			bool n = bits & 4;
			u64 leaf = pte(0x3000000 | (level ? 0 : 8 << 12), V | R | W | X | A | D) |
				   pbmt << 61 | (u64)n << 63;

			map(0x5000, level, leaf);
			ok = (!pbmt || (s.pbmte && pbmt < 3)) && (!n || (s.napot && !level));
			CHECK_EQ(dtv_guest_walk(&machine, &s, 0x5678, DTV_ACCESS_READ, &w), ok - 1);
			if (!ok)
				CHECK_EQ(w.exc, DTV_EXC_LOAD_PAGE);
			else
				CHECK_EQ(w.gpa, level || n ? 0x3005678 : 0x3008678);
			CHECK(!ok || w.napot == n);
		}
	}
}

void test_walk_ad(void)
{
	struct dtv_regime s = regime(DTV_PRIV_S, false, false);
	struct dtv_walk w;
	u64 *slot;

	slot = map(0, 0, pte(TARGET, V | R | W | X));
	CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_READ, &w), 0);
	CHECK_EQ(*slot, pte(TARGET, V | R | W | X | A));
	CHECK_EQ(w.prot, 5); /* no write until D is set */
	CHECK_EQ(machine.pte_written, (gpa_t)((u8 *)slot - machine.ram) + RAM_BASE);
	machine.pte_written = 0;
	CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_READ, &w), 0);
	CHECK_EQ(machine.pte_written, 0);
	CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_WRITE, &w), 0);
	CHECK_EQ(*slot, pte(TARGET, V | R | W | X | A | D));
	CHECK_EQ(w.pte, *slot);
	CHECK_EQ(w.prot, 7);
	CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_READ, &w), 0);
	CHECK_EQ(w.prot, 7);

	/* Svade: what would have to be set is a fault, and nothing is written. */
	s.adue = false;
	slot = map(0, 0, pte(TARGET, V | R | W | X));
	CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_READ, &w), -1);
	CHECK_EQ(w.exc, DTV_EXC_LOAD_PAGE);
	CHECK_EQ(*slot, pte(TARGET, V | R | W | X));
	slot = map(0, 0, pte(TARGET, V | R | W | X | A));
	CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_READ, &w), 0);
	CHECK_EQ(w.prot, 5);
	CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_WRITE, &w), -1);
	CHECK_EQ(w.exc, DTV_EXC_STORE_PAGE);
	slot = map(0, 0, pte(TARGET, V | R | W | X | A | D));
	CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_WRITE, &w), 0);
	s.adue = true;

	/* Fetch sets A alone. */
	slot = map(0, 0, pte(TARGET, V | R | W | X));
	CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_EXEC, &w), 0);
	CHECK_EQ(*slot, pte(TARGET, V | R | W | X | A));

	/* A refused access changes nothing. */
	slot = map(0, 0, pte(TARGET, V | R));
	CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_WRITE, &w), -1);
	CHECK_EQ(*slot, pte(TARGET, V | R));
	/* RSW bits are software's and stay. */
	slot = map(0, 0, pte(TARGET, V | R | W | 3ULL << 8));
	CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_WRITE, &w), 0);
	CHECK_EQ(*slot, pte(TARGET, V | R | W | A | D | 3ULL << 8));

	/* The table changes between the lookup of a level and its reading. */
	machine.on_ram = race;
	slot = map(0, 0, pte(TARGET, V | R | W));
	race_left = 1;
	race_slot = slot;
	race_value = 0;
	CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_READ, &w), -1);
	CHECK_EQ(*slot, 0);
	machine.on_ram = NULL;
}

#define RACE_SECONDS 1

static bool race_over;
static u64 moves;

/* Another hart: moves the page up, one page at a time, and takes A and D away. */
static void *move(void *slot)
{
	u64 old, new;

	for (moves = 0; !READ_ONCE(race_over); moves++) {
		do {
			old = READ_ONCE(*(u64 *)slot);
			new = (old & ~(A | D)) + pte(DTV_PAGE_SIZE, 0);
		} while (cmpxchg((u64 *)slot, old, new) != old);
	}
	return NULL;
}

/* The PTE changes between its reading and the update of A and D: neither change is lost. */
void test_walk_race(void)
{
	struct dtv_regime s = regime(DTV_PRIV_S, false, false);
	u64 *slot = map(0, 0, pte(TARGET, V | R | W));
	struct dtv_walk w;
	pthread_t thread;
	time_t end;

	race_over = false;
	CHECK_EQ(pthread_create(&thread, NULL, move, slot), 0);
	/* By the clock: on a busy machine the two seldom run at the same time. */
	for (end = time(NULL) + RACE_SECONDS + 1; time(NULL) < end;) {
		CHECK_EQ(dtv_guest_walk(&machine, &s, 0, DTV_ACCESS_WRITE, &w), 0);
		CHECK_EQ(w.pte, pte(w.gpa, V | R | W | A | D));
	}
	WRITE_ONCE(race_over, true);
	pthread_join(thread, NULL);
	CHECK_EQ(*slot & ~(A | D), pte(TARGET + moves * DTV_PAGE_SIZE, V | R | W));
}

void test_walk_regime(void)
{
	struct dtv_regime r;
	struct rig g;
	u32 priv, mpp;

	rig_init(&g, false);
	g.h.satp = SATP;
	g.h.mstatus |= DTV_MSTATUS_SUM | DTV_MSTATUS_MXR;
	dtv_guest_regime(&g.h, DTV_ACCESS_READ, &r);
	CHECK_EQ(r.priv, DTV_PRIV_M);
	CHECK_EQ(r.satp, 0);
	CHECK(!r.sum && !r.mxr);
	g.h.priv = DTV_PRIV_S;
	dtv_guest_regime(&g.h, DTV_ACCESS_READ, &r);
	CHECK_EQ(r.priv, DTV_PRIV_S);
	CHECK_EQ(r.satp, SATP);
	CHECK(r.sum && r.mxr);
	g.h.priv = DTV_PRIV_U;
	dtv_guest_regime(&g.h, DTV_ACCESS_READ, &r);
	CHECK(!r.sum && r.mxr);
	g.h.satp = 0x1234;
	dtv_guest_regime(&g.h, DTV_ACCESS_READ, &r);
	CHECK_EQ(r.satp, 0);
	CHECK(!r.sum && !r.mxr);

	/* MPRV: loads and stores of M-mode alone. */
	g.h.satp = SATP;
	for (priv = 0; priv < 4; priv++) {
		for (mpp = 0; mpp < 4; mpp++) {
			if (priv == 2 || mpp == 2)
				continue;
			g.h.priv = priv;
			g.h.mstatus = DTV_MSTATUS_MPRV | (u64)mpp << 11;
			dtv_guest_regime(&g.h, DTV_ACCESS_WRITE, &r);
			CHECK_EQ(r.priv, priv == 3 ? mpp : priv);
			CHECK_EQ(r.satp, r.priv == 3 ? 0 : SATP);
			dtv_guest_regime(&g.h, DTV_ACCESS_EXEC, &r);
			CHECK_EQ(r.priv, priv);
		}
	}
}
