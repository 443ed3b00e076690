// SPDX-License-Identifier: GPL-2.0-only
/*
 * pair.c - which LR and SC may be a compare-and-swap.
 *
 * An LR and an SC of the same size and address, with nothing but integer
 * computation and branches that are not taken between them, are a pair. The
 * hart looks at no memory in between, so nothing tells when the LR was done: if
 * the word has the LR's value when the SC is done, the LR may as well have
 * been done right before, and no store of another hart came between. So
 * the SC of a pair is a compare-and-swap, and its LR makes no reservation.
 *
 * An LR that leads to wrs.nto or wrs.sto instead (Zawrs) is one of a loop that waits for a
 * store and stores nothing itself. These end at once, so a load is all it has to be.
 *
 * The branches that leave between the two lead to code in which no reservation
 * is there: an SC fails. That must not be so for an SC that belongs to a
 * constrained loop (unprivileged manual 14.3), which is why a branch from which
 * one can be reached within such a loop's length makes no pair.
 */
#include "translate.h"

/* A constrained loop is at most 16 instructions (unprivileged manual 14.3). */
#define LOOP_INSNS 16
#define LOOP_BYTES (LOOP_INSNS * 4)

/* Base integer computation: changes rd, and may be in a constrained loop. */
static bool is_compute(u16 op)
{
	BUILD_BUG_ON(DTV_OP_SRAW - DTV_OP_ADDI != 27);
	return op == DTV_OP_LUI || op == DTV_OP_AUIPC || (op >= DTV_OP_ADDI && op <= DTV_OP_SRAW);
}

static bool is_sc(u16 op)
{
	return op == DTV_OP_SC_W || op == DTV_OP_SC_D;
}

/* The instruction at @off of the page; false when it does not end before @end. */
static bool decode_at(const u8 *page, unsigned int off, unsigned int end, u64 isa,
		      struct dtv_insn *in)
{
	u16 lo, hi = 0;

	if (off + 2 > end)
		return false;
	memcpy(&lo, page + off, 2);
	if (dtv_insn_len(lo) == 4) {
		if (off + 4 > end)
			return false;
		memcpy(&hi, page + off + 2, 2);
	}
	dtv_decode(lo | (u32)hi << 16, isa, in);
	return true;
}

/* Places a constrained loop could reach: bit i for the halfword i behind the LR. */
struct reach {
	u64 bits;
	unsigned int lr; /* its offset in the page */
	unsigned int end; /* nothing is known of what is behind */
};

static void reach_mark(struct reach *r, unsigned int off)
{
	unsigned int i = (off - r->lr) / 2;

	if (off > r->lr && i < LOOP_BYTES / 2)
		r->bits |= 1ULL << i;
}

/* Whether an SC can be reached from the marked places, going forward alone. */
static bool reach_sc(struct reach *r, const u8 *page, u64 isa)
{
	struct dtv_insn in;
	unsigned int i, off;

	for (i = 0; i < LOOP_BYTES / 2; i++) {
		if (!(r->bits >> i & 1))
			continue;
		off = r->lr + i * 2;
		if (!decode_at(page, off, r->end, isa, &in) || is_sc(in.op))
			return true;
		if (is_compute(in.op) || in.fmt == DTV_FMT_B)
			reach_mark(r, off + in.len);
		if ((in.fmt == DTV_FMT_B || (in.op == DTV_OP_JAL && !in.rd)) && in.imm > 0)
			reach_mark(r, off + in.imm);
	}
	return false;
}

/**
 * dtv_pair_find() - look whether an LR makes a pair with an SC of its block
 * @page: the block's page
 * @off: offset of the LR in it
 * @end: where the part of the page ends that the block stays in
 * @lr: the LR
 * @isa: DTV_ISA_* that blocks may use
 * @seen: bit per halfword of the page: is in the block already
 * @p: the pair
 *
 * Return: PAIR_NONE; PAIR_FOUND; PAIR_LATER: it would be one in a block that begins with the LR;
 * PAIR_WAIT: an LR that needs no SC.
 * Context: d->lock held.
 */
enum dtv_pair_kind dtv_pair_find(const u8 *page, unsigned int off, unsigned int end,
				 const struct dtv_insn *lr, u64 isa, const u64 *seen,
				 struct dtv_pair *p)
{
	struct reach reach = { .lr = off, .end = end };
	unsigned int at = off + lr->len;
	bool again = false;
	struct dtv_insn in;

	p->branches = 0;
	if (lr->rd && lr->rd == lr->rs1)
		return PAIR_NONE;
	for (p->insns = 1; p->insns < LOOP_INSNS; p->insns++) {
		if (!decode_at(page, at, end, isa, &in))
			return PAIR_NONE;
		again |= seen[at / 128] >> (at / 2 % 64) & 1;
		if (is_sc(in.op)) {
			if (DTV_MUTANT(pair_address, false, in.rs1 != lr->rs1) ||
			    (in.op == DTV_OP_SC_D) != (lr->op == DTV_OP_LR_D) ||
			    DTV_MUTANT(pair_branch, false, reach_sc(&reach, page, isa)))
				return PAIR_NONE;
			p->sc = at;
			return again ? PAIR_LATER : PAIR_FOUND;
		}
		if (in.op == DTV_OP_WRS_NTO || in.op == DTV_OP_WRS_STO)
			return reach_sc(&reach, page, isa) ? PAIR_NONE : PAIR_WAIT;
		if (in.op == DTV_OP_JAL && !in.rd && in.imm > 0) {
			at += in.imm;
			continue;
		}
		if (in.fmt == DTV_FMT_B) {
			p->branches++;
			if (in.imm > 0)
				reach_mark(&reach, at + in.imm);
		} else if (!is_compute(in.op) ||
			   DTV_MUTANT(pair_base, false, in.rd && in.rd == lr->rs1)) {
			return PAIR_NONE;
		}
		at += in.len;
	}
	return PAIR_NONE;
}
