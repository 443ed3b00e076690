// SPDX-License-Identifier: GPL-2.0-only
/*
 * ahead.c - reads ahead on the path of a block, before code is made: which results nobody
 * sees, which instructions are one together, when a register is read next. Knows no host.
 *
 * Who sees a result: an instruction that reads the register, and whoever finds the hart between
 * two instructions. A fault, an exit and a branch find it there; a kick does not have to
 * (ENTRY_BUSY). So what is computed and then overwritten, with nothing but computation in
 * between that does not need it, is dead.
 */
#include "translate.h"

#define ALL (~1U) /* x1 to x31 */

/* What an instruction is, for who reads ahead. */
enum {
	PURE = 1, /* computes x[rd] from registers and constants and does nothing else */
	SHIFT = 2, /* by a constant; what is fused begins with one */
	JOINS = 4, /* may make a rotation of two shifts */
	LEAVES = 8, /* branches, jumps, and what else may end the path */
};

// clang-format off
static const u8 kinds[DTV_NR_OPS] = {
	[DTV_OP_ILLEGAL] = LEAVES,
	[DTV_OP_LUI] = PURE,
	[DTV_OP_AUIPC] = PURE,
	[DTV_OP_JAL] = LEAVES,
	[DTV_OP_JALR] = LEAVES,
	[DTV_OP_BEQ ... DTV_OP_BGEU] = LEAVES,
	[DTV_OP_ADDI ... DTV_OP_ANDI] = PURE,
	[DTV_OP_SLLI] = PURE | SHIFT,
	[DTV_OP_SRLI] = PURE | SHIFT,
	[DTV_OP_SRAI] = PURE,
	[DTV_OP_ADD] = PURE | JOINS,
	[DTV_OP_SUB ... DTV_OP_SLTU] = PURE,
	[DTV_OP_XOR] = PURE | JOINS,
	[DTV_OP_SRL] = PURE,
	[DTV_OP_SRA] = PURE,
	[DTV_OP_OR] = PURE | JOINS,
	[DTV_OP_AND] = PURE,
	[DTV_OP_ADDIW] = PURE,
	[DTV_OP_SLLIW] = PURE | SHIFT,
	[DTV_OP_SRLIW] = PURE | SHIFT,
	[DTV_OP_SRAIW ... DTV_OP_SRAW] = PURE,
	[DTV_OP_MUL ... DTV_OP_REMUW] = PURE,
	[DTV_OP_LR_W] = LEAVES,
	[DTV_OP_LR_D] = LEAVES,
};
// clang-format on

/* Registers that it may read; f registers count as x registers. What it does not have is 0. */
static u32 reads(const struct dtv_insn *in)
{
	return (1U << in->rs1 | 1U << in->rs2) & ALL;
}

/* A shift by a constant whose operand still is where it was. */
struct shift {
	u16 op;
	u8 rs1, n;
};

struct reader {
	struct shift shifts[32];
	u32 valid; /* bit r: x[r] is shifts[r] */
};

static void fuse(struct dtv_step *s, enum dtv_fuse kind, u8 reg, u8 n)
{
	s->fuse = kind;
	s->fuse_reg = reg;
	s->fuse_n = n;
}

/* or, xor, add of what is left and right of one register: a rotation. */
static void rotate(struct dtv_tx *tx, const struct reader *rd, struct dtv_step *s)
{
	const struct dtv_insn *in = &s->insn;
	const struct shift *l = &rd->shifts[in->rs1], *r = &rd->shifts[in->rs2];
	enum dtv_fuse kind = FUSE_NONE;

	if (!(rd->valid >> in->rs1 & 1) || !(rd->valid >> in->rs2 & 1))
		return;
	if (l->op == DTV_OP_SRLIW || l->op == DTV_OP_SRLI) {
		l = &rd->shifts[in->rs2];
		r = &rd->shifts[in->rs1];
	}
	if (DTV_MUTANT(fuse_sources, false, l->rs1 != r->rs1) || !l->n || !r->n)
		return;
	if (l->op == DTV_OP_SLLIW && r->op == DTV_OP_SRLIW &&
	    DTV_MUTANT(fuse_amount, true, l->n + r->n == 32))
		kind = FUSE_ROR32;
	else if (l->op == DTV_OP_SLLI && r->op == DTV_OP_SRLI && l->n + r->n == 64)
		kind = FUSE_ROR64;
	if (kind != FUSE_NONE && opt(tx, DTV_OPT_FUSE))
		fuse(s, kind, l->rs1, r->n);
}

/*
 * What is one with the shift in the step before, which overwrites its result: extensions,
 * scaled additions. Its operand may be what it overwrites.
 */
static bool with_last(struct dtv_tx *tx, const struct dtv_step *last, struct dtv_step *s)
{
	const struct dtv_insn *in = &s->insn, *sh = &last->insn;
	enum dtv_fuse kind = FUSE_NONE;
	u8 t = sh->rd;

	if (sh->op != DTV_OP_SLLI || t == 0 || in->rd != t)
		return false;
	switch (in->op) {
	case DTV_OP_SRLI:
		if (sh->imm == 32 && in->imm == 32)
			kind = FUSE_ZEXT32;
		else if (sh->imm == 48 && in->imm == 48)
			kind = FUSE_ZEXT16;
		else if (sh->imm == 32 && in->imm > 0 && in->imm < 32)
			kind = FUSE_ZEXT32_SHL;
		break;
	case DTV_OP_SRAI:
		if (sh->imm == 48 && in->imm == 48)
			kind = FUSE_SEXT16;
		else if (sh->imm == 56 && in->imm == 56)
			kind = FUSE_SEXT8;
		break;
	case DTV_OP_ADD:
		/* The other summand is read after the shift. */
		if (sh->imm >= 1 && sh->imm <= 3 && (in->rs1 == t) != (in->rs2 == t))
			kind = FUSE_SHADD;
		break;
	}
	if (kind == FUSE_NONE || (kind != FUSE_SHADD && in->rs1 != t) || sh->rs1 == 0 ||
	    !opt(tx, DTV_OPT_FUSE))
		return false;
	fuse(s, kind, sh->rs1, kind == FUSE_ZEXT32_SHL ? 32 - in->imm : sh->imm);
	s->fuse_base = in->rs1 == t ? in->rs2 : in->rs1;
	s->with_last = true;
	return true;
}

/* Forwards: what belongs together. */
static void find_fusions(struct dtv_tx *tx)
{
	struct reader r = { .valid = 0 };
	unsigned int i, k;

	for (i = 0; i < tx->nr_ahead; i++) {
		struct dtv_step *s = &tx->ahead[i];
		const struct dtv_insn *in = &s->insn;
		u32 m;

		if (!in->rd)
			continue;
		if (!(i && s[-1].kind & SHIFT && with_last(tx, s - 1, s)) && s->kind & JOINS)
			rotate(tx, &r, s);
		for (m = r.valid; m; m &= m - 1) {
			k = __builtin_ctz(m);
			if (r.shifts[k].rs1 == DTV_MUTANT(fuse_stale, 32, in->rd))
				r.valid &= ~(1U << k);
		}
		r.valid &= ~(1U << in->rd);
		if (s->kind & SHIFT && in->rs1 && in->rd != in->rs1) {
			r.shifts[in->rd] = (struct shift){ in->op, in->rs1, in->imm };
			r.valid |= 1U << in->rd;
		}
	}
}

/* Backwards: what is read, and when. Return: how many are brief. */
static unsigned int find_readers(struct dtv_tx *tx, unsigned int first)
{
	u32 live = ALL, read;
	u8 next[32], written[32];
	unsigned int i, seen = first + tx->nr_ahead; /* the hart is found there */
	unsigned int nr_brief = 0;
	bool fused_next = false;

	memset(next, DTV_NEVER, sizeof(next));
	memset(written, DTV_NEVER, sizeof(written));
	for (i = tx->nr_ahead; i-- > 0;) {
		struct dtv_step *s = &tx->ahead[i];
		const struct dtv_insn *in = &s->insn;
		bool with_next = fused_next;
		u8 rd = in->rd;

		fused_next = s->with_last;
		s->dead = false;
		s->brief = false;
		s->next_rd = next[rd];
		if (rd && s->kind & PURE) {
			if (with_next || (!(live >> rd & 1) && opt(tx, DTV_OPT_DEAD))) {
				s->dead = true;
				if (!with_next)
					s->until = written[rd];
				else
					s->until = s[1].dead ? s[1].until : first + i + 1;
				continue;
			}
			live &= ~(1U << rd);
			if (written[rd] < seen) {
				s->brief = true;
				s->until = written[rd];
				nr_brief++;
			}
		} else {
			live = DTV_MUTANT(dead_seen, live, ALL);
			seen = DTV_MUTANT(brief_seen, seen, first + i);
		}
		if (rd) {
			next[rd] = DTV_NEVER;
			written[rd] = first + i;
		}
		if (likely(s->fuse == FUSE_NONE)) {
			/* x0 has no readers that matter. */
			live |= DTV_MUTANT(dead_read, 0, reads(in));
			s->next_rs1 = next[in->rs1];
			s->next_rs2 = next[in->rs2];
			next[in->rs1] = first + i;
			next[in->rs2] = first + i;
			continue;
		}
		read = 1U << s->fuse_reg;
		if (s->fuse == FUSE_SHADD)
			read |= 1U << s->fuse_base;
		live |= DTV_MUTANT(dead_read, 0, read & ALL);
		s->next_rs1 = next[s->fuse_reg];
		s->next_rs2 = next[s->fuse_base];
		for (; read; read &= read - 1)
			next[__builtin_ctz(read)] = first + i;
	}
	return nr_brief;
}

#define UNIT 32 /* steps that are put into order at a time */

/* What the step reads, where the shift that is one with it reads for it. */
static u32 unit_reads(const struct dtv_step *s, bool with_next)
{
	u32 m = 0;

	if (with_next)
		return 1U << s[1].fuse_reg;
	if (s->dead)
		return 0;
	if (s->fuse == FUSE_NONE)
		return reads(&s->insn);
	if (!s->with_last)
		m = 1U << s->fuse_reg;
	if (s->fuse == FUSE_SHADD)
		m |= 1U << s->fuse_base;
	return m;
}

/*
 * Computation of @n steps, which may be done in any order that keeps reads and writes of
 * each register in theirs: each step if possible behind the one whose result it reads, so that the
 * result is in a scratch register still.
 */
static void order(struct dtv_step *steps, unsigned int n, unsigned int first)
{
	u32 after[UNIT], from[UNIT], readers[32] = { 0 }, made = 0;
	u8 writer[32], when[UNIT], count = 0;
	struct dtv_step out[UNIT];
	unsigned int i, best;
	u16 off = steps[0].off;

	memset(writer, DTV_NEVER, sizeof(writer));
	for (i = 0; i < n; i++) {
		const struct dtv_step *s = &steps[i];
		bool with_next = i + 1 < n && s[1].with_last;
		u32 m = unit_reads(s, with_next) & ALL;
		u8 rd = s->insn.rd;

		after[i] = 0;
		from[i] = 0;
		for (; m; m &= m - 1) {
			unsigned int r = __builtin_ctz(m);

			if (writer[r] != DTV_NEVER)
				from[i] |= 1U << writer[r];
			readers[r] |= 1U << i;
		}
		after[i] |= DTV_MUTANT(order_results, 0, from[i]);
		if (rd) {
			if (writer[rd] != DTV_NEVER)
				after[i] |= DTV_MUTANT(order_writes, 0, 1U << writer[rd]);
			after[i] |= DTV_MUTANT(order_reads, 0, readers[rd] & ~(1U << i));
			writer[rd] = i;
			readers[rd] = 0;
		}
	}
	for (i = 0; i + 1 < n; i++)
		if (steps[i + 1].with_last)
			after[i] |= after[i + 1] & ~(1U << i);
	while (count < n) {
		int best_when = -1;

		best = n;
		for (i = 0; i < n; i++) {
			int w = 0;
			u32 m;

			if (made >> i & 1 || after[i] & ~made || steps[i].with_last)
				continue;
			for (m = from[i]; m; m &= m - 1)
				w = max(w, when[__builtin_ctz(m)] + 1);
			if (w > best_when) {
				best_when = w;
				best = i;
			}
		}
		do {
			made |= 1U << best;
			when[best] = count;
			out[count++] = steps[best++];
		} while (best < n && steps[best].with_last);
	}
	out[0].unit_end = first + n;
	out[0].unit_off = off;
	memcpy(steps, out, n * sizeof(*out));
}

/* Put runs of computation into order where it saves stores into slots. */
static bool put_in_order(struct dtv_tx *tx, unsigned int first)
{
	u32 slots = tx->d->slots;
	unsigned int i = 0, n, brief;
	bool any = false;

	while (i < tx->nr_ahead) {
		struct dtv_step *s = &tx->ahead[i];

		brief = 0;
		for (n = 0; n < UNIT && i + n < tx->nr_ahead && s[n].kind & PURE; n++)
			brief += s[n].brief && slots >> s[n].insn.rd & 1;
		/* What is one stays together. */
		while (n && i + n < tx->nr_ahead && s[n].with_last)
			n--;
		if (n >= 6 && brief >= 2 && opt(tx, DTV_OPT_ORDER)) {
			order(s, n, first + i);
			any = true;
		}
		i += n ? n : 1;
	}
	return any;
}

void dtv_read_ahead(struct dtv_tx *tx, const u8 *page, const u64 *seen, unsigned int first,
		    unsigned int branches)
{
	unsigned int off = tx->pc & 0xfff, n = 0;
	u8 all = 0;

	while (first + n < DTV_BLOCK_INSNS) {
		struct dtv_step *s = &tx->ahead[n];
		struct dtv_insn *in = &s->insn;
		u16 lo;

		if (off >= tx->page_end || seen[off / 128] >> (off / 2 % 64) & 1)
			break;
		memcpy(&lo, page + off, 2);
		if (off + dtv_insn_len(lo) > tx->page_end)
			break;
		dtv_decode(dtv_fetch(page + off), tx->d->isa, in);
		s->fuse = FUSE_NONE;
		s->with_last = false;
		s->unit_end = 0;
		s->off = off;
		s->kind = kinds[in->op];
		all |= s->kind;
		n++;
		if (likely(!(s->kind & LEAVES) && in->fmt != DTV_FMT_NONE)) {
			off += in->len;
			continue;
		}
		if (in->op == DTV_OP_JAL && in->rd == 0 && in->imm > 0 &&
		    off + in->imm < tx->page_end) {
			off += in->imm;
			continue;
		}
		off += in->len;
		if (in->fmt != DTV_FMT_B || ++branches == DTV_BLOCK_BRANCHES ||
		    first + n > tx->goes_on)
			break;
	}
	tx->nr_ahead = n;
	tx->first_ahead = first;
	tx->end_ahead = off;
	if (all & SHIFT)
		find_fusions(tx);
	if (find_readers(tx, first) >= 2 && put_in_order(tx, first))
		find_readers(tx, first);
}
