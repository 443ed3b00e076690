// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * emit.c - translated F and D code against guest/fp.c.
 *
 * Blocks are made by the translator's own selection and run here, between an
 * entry and exit stubs of this file; what they leave to C is executed in C,
 * as the engine does. State must then be that of C alone, and C must have
 * been asked only where translated code may ask it.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "dbt/x86/select.h"
#include "cases.h"

#define PC 0x80000000ULL
#define MAX_SEQ DTV_BLOCK_INSNS
#define NR_MEM 8

static u8 code[1 << 17] __attribute__((aligned(4096)));
static struct dtv_area area __attribute__((aligned(4096)));
static struct dtv_dbt dbt;
static struct dtv_tx tx;
static void (*enter)(void *rbp, void *code, u64 flags);
static u8 *blocks;
static u64 mem[NR_MEM], ref_mem[NR_MEM];
static unsigned long settled; /* exits with NaNs that C makes canonical */

static const u16 all_ops[] = {
#define INSN(id, name, fmt, match, mask, isa) DTV_OP_##id,
#include "guest/insns.h"
#undef INSN
};

static bool is_fp(u16 op)
{
	return op >= DTV_OP_FLW && op <= DTV_OP_FCVT_D_S;
}

static bool is_access(u16 op)
{
	return op == DTV_OP_FLW || op == DTV_OP_FLD || op == DTV_OP_FSW || op == DTV_OP_FSD;
}

/* What selection asks of the cache: there is none. */
bool dtv_dbt_is_mmio(struct dtv_dbt *d, gpa_t gpa)
{
	(void)d;
	(void)gpa;
	return false;
}

/* --- running translated code --- */

static void make_stubs(void)
{
	static const u8 saved[] = { RBX, RBP, R12, R13, R14, R15 };
	struct dtv_buf b = { .p = code, .end = code + sizeof(code) };
	unsigned int i, r;
	u8 *common;

	if (mprotect(code, sizeof(code), PROT_READ | PROT_WRITE | PROT_EXEC)) {
		printf("1..0 # SKIP no executable memory\n");
		exit(4);
	}
	enter = (void (*)(void *, void *, u64))(uintptr_t)b.p;
	for (i = 0; i < ARRAY_SIZE(saved); i++)
		push_r(&b, saved[i]);
	mov_rr(&b, RBP, RDI);
	mov_rr(&b, RAX, RSI);
	push_r(&b, RDX);
	mov_mr(&b, HART(host_sp), RSP);
	ldmxcsr_m(&b, HART(mxcsr));
	for (r = 1; r < 32; r++)
		if (mapped(r))
			mov_rm(&b, dtv_x86_map[r], slot(r));
	for (r = 0; r < 32; r++)
		if (fmapped(r))
			movs_rm(&b, true, dtv_x86_fmap[r], fslot(r));
	ones_r(&b, X_ONES);
	/* popfq: single steps begin when the caller wants them */
	x86_byte(&b, 0x9d);
	jmp_r(&b, RAX);

	common = b.p;
	pop_r(&b, RAX);
	mov_mr(&b, HART(exit_ip), RAX);
	for (r = 1; r < 32; r++)
		if (mapped(r))
			mov_mr(&b, slot(r), dtv_x86_map[r]);
	for (r = 0; r < 32; r++)
		if (fmapped(r))
			movs_mr(&b, true, fslot(r), dtv_x86_fmap[r]);
	stmxcsr_m(&b, HART(mxcsr));
	mov32_mi(&b, HART(scratch[0]), 0x1f80);
	ldmxcsr_m(&b, HART(scratch[0]));
	mov_rm(&b, RSP, HART(host_sp));
	pop_r(&b, RDX);
	for (i = ARRAY_SIZE(saved); i--;)
		pop_r(&b, saved[i]);
	ret(&b);

	for (i = 0; i < DTV_NR_EXITS; i++) {
		dbt.stub_exit[i] = (uintptr_t)b.p;
		mov32_mi(&b, HART(exit_reason), i);
		x86_fix32(&b, jmp_rel32(&b), common);
	}
	blocks = b.p;
}

/* Translate @n instructions; returns how many are in the block. */
static unsigned int build(const struct dtv_insn *insn, unsigned int n, u64 pc, u32 fboxed)
{
	unsigned int i;
	u8 *end;

	memset(&tx, 0, sizeof(tx));
	tx.d = &dbt;
	tx.step = &tx.unread;
	tx.b.p = tx.start = blocks;
	tx.b.end = code + sizeof(code);
	tx.class = DTV_CLASS_M;
	tx.block_pc = tx.pc = pc;
	for (i = 0; i < n && !tx.end && dtv_tx_room(&tx); i++) {
		tx.insn = insn[i];
		dtv_x86_insn(&tx);
		if (!i && fboxed && !tx.end) {
			/* Once more, with what is known of the registers. */
			dtv_tx_forget_fp(&tx);
			tx.b.p = tx.start;
			tx.nr_cold = tx.nr_entries = 0;
			tx.facts.fs_on = tx.facts.fs_dirty = true;
			tx.facts.fboxed = fboxed;
			dtv_x86_insn(&tx);
		}
		tx.pc += insn[i].len;
	}
	if (!tx.end) {
		dtv_tx_entry(&tx, ENTRY_REWIND);
		end = call_rel32(&tx.b);
		x86_fix32(&tx.b, end, (u8 *)(uintptr_t)dbt.stub_exit[DTV_EXIT_NONE]);
	}
	dtv_x86_finish(&tx);
	if (tx.b.full) {
		printf("Bail out! block does not fit\n");
		exit(1);
	}
	return i;
}

static const struct dtv_entry_row *row_of(const u8 *ip)
{
	unsigned int i;

	for (i = tx.nr_entries; i--;)
		if (tx.entries[i].host <= ip - tx.start)
			return &tx.entries[i];
	return NULL;
}

/* What the rows before @row say of f registers, as dtv_dbt_where() has it. */
static void nans_of(const struct dtv_entry_row *row, u16 *nan_d, u16 *nan_s)
{
	*nan_d = *nan_s = 0;
	while (row-- > tx.entries && row->kind >= ENTRY_NAN_D)
		*(row->kind == ENTRY_NAN_D ? nan_d : nan_s) = row->guest;
}

/* Run the block that is built: the exit's reason and, in @index, the instruction it stands at. */
static u32 run(unsigned int *index, u64 flags)
{
	const struct dtv_entry_row *row;
	u16 nan_d, nan_s;

	enter((u8 *)&area + DTV_HART_BIAS, tx.start, flags);
	row = row_of((u8 *)(uintptr_t)area.hart.exit_ip - 5);
	nans_of(row, &nan_d, &nan_s);
	settled += !!(nan_d | nan_s);
	dtv_dbt_settle_nans(&area.hart, nan_d, nan_s);
	*index = (row->guest - (PC & 0xfff)) / 4;
	return area.hart.exit_reason;
}

/* --- the reference --- */

static u32 flags_of(const struct dtv_hart *h)
{
	static const u8 bit[6] = { DTV_FP_NV, 0, DTV_FP_DZ, DTV_FP_OF, DTV_FP_UF, DTV_FP_NX };
	u32 flags = h->fcsr & 31;
	unsigned int i;

	for (i = 0; i < 6; i++)
		if (h->mxcsr >> i & 1)
			flags |= bit[i];
	return flags;
}

static u64 reference(struct dtv_hart *h, const struct dtv_insn *in, u64 *m)
{
	unsigned int off;
	u32 half;

	if (!is_access(in->op))
		return dtv_guest_fp(h, in);
	if (!(h->mstatus & DTV_MSTATUS_FS))
		return dtv_guest_trap(h, DTV_EXC_ILLEGAL, in->raw);
	off = in->imm;
	switch (in->op) {
	case DTV_OP_FLW:
		memcpy(&half, (u8 *)m + off, 4);
		h->f[in->rd] = half | DTV_FP_BOX;
		h->mstatus |= DTV_MSTATUS_FS;
		break;
	case DTV_OP_FLD:
		memcpy(&h->f[in->rd], (u8 *)m + off, 8);
		h->mstatus |= DTV_MSTATUS_FS;
		break;
	case DTV_OP_FSW:
		memcpy((u8 *)m + off, &h->f[in->rs2], 4);
		break;
	case DTV_OP_FSD:
		memcpy((u8 *)m + off, &h->f[in->rs2], 8);
		break;
	}
	h->pc += in->len;
	return 0;
}

/* Whether translated code may leave the instruction to C in this state. */
static bool may_ask(const struct dtv_hart *h, const struct dtv_insn *in)
{
	struct op_shape s;
	u8 rs[3] = { in->rs1, in->rs2, in->rs3 };
	unsigned int i;

	if (!(h->mstatus & DTV_MSTATUS_FS))
		return true;
	if (is_access(in->op))
		return false;
	if (has_rm(in->op) && (in->rm == 4 || (in->rm == 7 && h->fcsr >> 7 & 1)))
		return true;
	s = op_shape(in->op);
	/* The least integer by a static mode of its own. */
	if (s.x_dst && has_rm(in->op) && in->rm != 7 && in->rm != 1)
		return true;
	for (i = 0; i < s.sources; i++)
		if (!s.src_dbl && in->op != DTV_OP_FMV_X_W && h->f[rs[i]] < DTV_FP_BOX)
			return true;
	return false;
}

static void show(const char *what, const struct dtv_insn *in, const struct dtv_hart *before,
		 const struct dtv_hart *want)
{
	const struct dtv_hart *h = &area.hart;
	unsigned int i;

	printf("# %s: %s rd %u rs1 %u rs2 %u rs3 %u rm %u, frm %u\n", what, dtv_op_name(in->op),
	       in->rd, in->rs1, in->rs2, in->rs3, in->rm, before->fcsr >> 5 & 7);
	printf("#   f: %llx %llx %llx x: %llx\n", (unsigned long long)before->f[in->rs1],
	       (unsigned long long)before->f[in->rs2], (unsigned long long)before->f[in->rs3],
	       (unsigned long long)before->x[in->rs1]);
	for (i = 0; i < 32; i++) {
		if (h->x[i] != want->x[i])
			printf("#   x%u got %llx want %llx\n", i, (unsigned long long)h->x[i],
			       (unsigned long long)want->x[i]);
		if (h->f[i] != want->f[i])
			printf("#   f%u got %llx want %llx\n", i, (unsigned long long)h->f[i],
			       (unsigned long long)want->f[i]);
	}
	printf("#   flags got %x want %x, mxcsr %x\n", flags_of(h), flags_of(want), h->mxcsr);
}

static bool same(const struct dtv_hart *want)
{
	const struct dtv_hart *h = &area.hart;

	return !memcmp(h->x, want->x, sizeof(h->x)) && !memcmp(h->f, want->f, sizeof(h->f)) &&
	       flags_of(h) == flags_of(want) && h->mxcsr >> 6 == want->mxcsr >> 6 &&
	       (h->mstatus & want->mstatus) == want->mstatus;
}

static void reset_hart(u32 frm)
{
	struct dtv_hart *h = &area.hart;
	unsigned int i;

	memset(h, 0, sizeof(*h));
	h->pc = PC;
	h->mstatus = 1 << DTV_MSTATUS_FS_SHIFT;
	h->fcsr = frm << 5;
	h->mxcsr = dtv_fp_mxcsr(h);
	for (i = 0; i < 32; i++)
		h->f[i] = 0x1111111111111111ULL * (i & 15);
	for (i = 1; i < 32; i++)
		h->x[i] = 0x0101010101010101ULL * i;
}

/* --- one instruction at a time --- */

static unsigned long executed, asked;

/* The instruction that is built, on the state of the area. */
static void try_one(const struct dtv_insn *in)
{
	struct dtv_hart before = area.hart, want = before;
	unsigned int index;
	u32 reason;

	reference(&want, in, ref_mem);
	reason = run(&index, 0x202);
	executed++;
	if (reason != DTV_EXIT_NONE) {
		asked++;
		if (!may_ask(&before, in)) {
			if (complain())
				show("left to C", in, &before, &want);
			return;
		}
		dtv_guest_fp(&area.hart, in);
	}
	if (!same(&want) && complain())
		show("differs", in, &before, &want);
}

/* Where operands and the result stand: aliases of every kind, mapped x registers and others. */
/* clang-format off */
static const u8 places[][4] = {
	{ 3, 1, 2, 4 }, { 1, 1, 2, 4 }, { 2, 1, 2, 4 }, { 10, 10, 11, 10 }, { 5, 6, 6, 6 },
	{ 18, 31, 12, 30 }, { 7, 7, 7, 7 },
};
/* clang-format on */

#define NR_SPECIAL 12

/* Signed zeros, ones, infinities, the extreme numbers, NaNs. */
static u64 special(bool dbl, unsigned int i)
{
	/* clang-format off */
	static const u64 s[NR_SPECIAL] = {
		0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000,
		1, 0x80000001, 0x7f7fffff, 0x7fc00001, 0xffc00000, 0x7f800001,
	};
	static const u64 d[NR_SPECIAL] = {
		0, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000,
		0x7ff0000000000000, 0xfff0000000000000, 1, 0x8000000000000001,
		0x7fefffffffffffff, 0x7ff8000000000001, 0xfff8000000000000, 0x7ff0000000000001,
	};
	/* clang-format on */

	return dbl ? d[i % NR_SPECIAL] : s[i % NR_SPECIAL];
}

/* An instruction that is built, and the state that it starts from. */
struct trial {
	struct dtv_insn in;
	struct op_shape s;
	u8 r[4]; /* rd, rs1, rs2, rs3 */
	u32 boxed; /* f registers that the code takes to be boxed */
	struct dtv_hart clean;
};

static void begin_trial(const struct trial *t)
{
	struct dtv_hart *h = &area.hart;

	h->fcsr = t->clean.fcsr;
	h->mxcsr = t->clean.mxcsr;
	h->x[t->r[0]] = t->clean.x[t->r[0]];
	h->f[t->r[0]] = t->clean.f[t->r[0]];
	if (t->boxed >> t->r[0] & 1)
		h->f[t->r[0]] |= DTV_FP_BOX;
}

static void operand(const struct trial *t, unsigned int i, u64 v)
{
	area.hart.f[t->r[i]] = t->s.src_dbl ? v : v | DTV_FP_BOX;
}

static void try_ints(const struct trial *t)
{
	unsigned int i;

	for (i = 0; i < nr_corner_int + 200; i++) {
		begin_trial(t);
		area.hart.x[t->r[1]] = i < nr_corner_int ? corner_int(i) : rnd_int();
		try_one(&t->in);
	}
}

/* All pairs of corners. */
static void try_corners(const struct trial *t)
{
	bool dbl = t->s.src_dbl;
	unsigned int nr = nr_corner(dbl), i, j;

	for (i = 0; i < nr; i++) {
		for (j = 0; j < (t->s.sources > 1 ? nr : 1); j++) {
			begin_trial(t);
			operand(t, 3, rnd() & 1 ? corner(dbl, rnd() % nr) : rnd_number(dbl));
			operand(t, 2, corner(dbl, j));
			operand(t, 1, corner(dbl, i));
			try_one(&t->in);
		}
	}
}

/* All triples of what is special. */
static void try_specials(const struct trial *t)
{
	bool dbl = t->s.src_dbl;
	unsigned int i;

	for (i = 0; i < NR_SPECIAL * NR_SPECIAL * NR_SPECIAL; i++) {
		begin_trial(t);
		operand(t, 3, special(dbl, i / NR_SPECIAL / NR_SPECIAL));
		operand(t, 2, special(dbl, i / NR_SPECIAL));
		operand(t, 1, special(dbl, i));
		try_one(&t->in);
	}
}

static void try_random(const struct trial *t, unsigned int n)
{
	bool dbl = t->s.src_dbl;
	unsigned int i;

	while (n--) {
		begin_trial(t);
		for (i = 1; i < 4; i++)
			operand(t, i, rnd_number(dbl));
		if (t->s.sources == 3 && !(rnd() & 7))
			operand(t, 2, dbl ? 0x3ff0000000000001ULL : 0x3f800001);
		/* Not boxed. */
		if (!dbl && !t->boxed && !(rnd() & 15))
			area.hart.f[t->r[1 + rnd() % 3]] = rnd();
		try_one(&t->in);
	}
}

/* The instruction in one place with one rounding mode, for all values of frm that matter. */
static void try_insn(u16 op, unsigned int place, u8 rm, bool known)
{
	bool rounds = has_rm(op), full;
	struct trial t = { .s = op_shape(op) };
	unsigned int frm;

	memcpy(t.r, places[place], sizeof(t.r));
	t.in = make_insn(op, t.r[0], t.r[1], t.r[2], t.r[3], rm);
	if (known)
		t.boxed = t.s.src_dbl ? ~(1U << t.r[1] | 1U << t.r[2] | 1U << t.r[3]) : ~0U;
	build(&t.in, 1, PC, t.boxed);

	/* A static mode must not depend on frm: those that are valid are enough. */
	for (frm = 0; frm < (!rounds ? 1 : rm == DTV_RM_DYN ? 8 : 4); frm++) {
		full = !place && !known && (rm == DTV_RM_DYN ? frm < 4 : !frm);
		reset_hart(frm);
		if (known)
			area.hart.mstatus = DTV_MSTATUS_FS;
		t.clean = area.hart;
		if (t.s.x_src) {
			try_ints(&t);
			continue;
		}
		if (full)
			try_corners(&t);
		if (t.s.sources == 3)
			try_specials(&t);
		try_random(&t, full ? 20000 : 1500);
	}
}

static void test_op(u16 op)
{
	static const u8 rms[] = { 0, 1, 2, 3, 4, 7 };
	struct op_shape s = op_shape(op);
	unsigned int p, m;

	for (p = 0; p < ARRAY_SIZE(places); p++) {
		for (m = 0; m < (has_rm(op) ? ARRAY_SIZE(rms) : 1); m++) {
			try_insn(op, p, rms[m], false);
			if (!s.src_dbl || !s.dst_dbl)
				try_insn(op, p, rms[m], true);
		}
	}
}

/* --- sequences: what is known of registers, FS and frm --- */

static const u8 xregs[] = { 0, 5, 6, 8, 10, 11, 12, 13, 18, 28, 31 };

static struct dtv_insn random_insn(void)
{
	u16 op;
	u8 rm, rd, rs1;
	struct op_shape s;
	struct dtv_insn in;

	do
		op = all_ops[rnd() % ARRAY_SIZE(all_ops)];
	while (!is_fp(op));
	if (is_access(op)) {
		bool wide = op == DTV_OP_FLD || op == DTV_OP_FSD;
		unsigned int size = wide ? 8 : 4;
		unsigned int off = rnd() % (NR_MEM * 8 / size) * size;

		/* The base is x9, with a register of its own, or x20, with a slot. */
		rs1 = rnd() & 1 ? 9 : 20;
		in = make_insn(op, 0, rs1, 0, 0, 0);
		in.rd = op == DTV_OP_FLW || op == DTV_OP_FLD ? rnd() & 7 : 0;
		in.rs2 = op == DTV_OP_FSW || op == DTV_OP_FSD ? rnd() & 7 : 0;
		in.imm = off;
		return in;
	}
	s = op_shape(op);
	rm = rnd() & 1 ? 7 : rnd() % 5;
	rd = s.x_dst ? xregs[rnd() % ARRAY_SIZE(xregs)] : rnd() & 7;
	rs1 = s.x_src ? xregs[rnd() % ARRAY_SIZE(xregs)] : rnd() & 7;
	return make_insn(op, rd, rs1, rnd() & 7, rnd() & 7, rm);
}

static struct dtv_hart boundary[MAX_SEQ + 1];
static unsigned long steps, bad_steps;

/* Every host instruction: the state is that of the boundary which a kick here would rewind to. */
static void on_step(int sig, siginfo_t *info, void *ctx)
{
	/* clang-format off */
	static const u8 gregs[16] = {
		REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
		REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	};
	/* clang-format on */
	ucontext_t *uc = ctx;
	const u8 *ip = (const u8 *)(uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
	const struct dtv_hart *want;
	const struct dtv_entry_row *row;
	struct dtv_hart now;
	u16 nan_d, nan_s;
	unsigned int r;
	bool bad = false;

	(void)sig;
	(void)info;
	if (ip < tx.start || ip >= tx.b.p) {
		uc->uc_mcontext.gregs[REG_EFL] &= ~0x100LL;
		return;
	}
	row = row_of(ip);
	if (row->kind == ENTRY_BUSY && row->host != ip - tx.start)
		return;
	want = &boundary[(row->guest - (PC & 0xfff)) / 4];
	for (r = 1; r < 32; r++) {
		u64 v = area.hart.x[r];

		if (mapped(r))
			v = uc->uc_mcontext.gregs[gregs[dtv_x86_map[r]]];

		bad |= v != want->x[r];
	}
	memcpy(now.f, area.hart.f, sizeof(now.f));
	for (r = 0; r < 32; r++)
		if (fmapped(r))
			memcpy(&now.f[r], &uc->uc_mcontext.fpregs->_xmm[dtv_x86_fmap[r]], 8);
	nans_of(row, &nan_d, &nan_s);
	dtv_dbt_settle_nans(&now, nan_d, nan_s);
	bad |= memcmp(now.f, want->f, sizeof(want->f)) != 0;
	bad |= uc->uc_mcontext.fpregs->mxcsr >> 6 != want->mxcsr >> 6;
	steps++;
	if (bad && complain())
		printf("# state changed before the commit of instruction %u, host offset %td\n",
		       (row->guest - (unsigned int)(PC & 0xfff)) / 4, ip - tx.start);
	bad_steps += bad;
}

static void test_sequence(bool stepping)
{
	struct dtv_insn seq[MAX_SEQ];
	unsigned int n = 4 + rnd() % (MAX_SEQ - 4), i, index, at, len;
	struct dtv_hart want, before;
	bool trapped = false, wrong;
	u32 reason;

	for (i = 0; i < n; i++)
		seq[i] = random_insn();
	reset_hart(rnd() & 7 ? rnd() & 3 : rnd() & 7);
	if (!(rnd() & 15))
		area.hart.mstatus = 0;
	for (i = 0; i < 8; i++)
		area.hart.f[i] = rnd() & 1 ? rnd_number(true) : rnd_number(false) | DTV_FP_BOX;
	for (i = 0; i < ARRAY_SIZE(xregs); i++)
		area.hart.x[xregs[i]] = xregs[i] ? rnd_int() : 0;
	for (i = 0; i < NR_MEM; i++)
		ref_mem[i] = rnd() & 1 ? rnd_number(true) : rnd_number(false) | rnd() << 32;
	memcpy(mem, ref_mem, sizeof(mem));
	area.hart.x[9] = area.hart.x[20] = (uintptr_t)mem;

	before = want = boundary[0] = area.hart;
	for (i = 0; i < n && !trapped; i++) {
		trapped = reference(&want, &seq[i], ref_mem) != 0;
		boundary[i + 1] = want;
	}

	trapped = false;
	for (at = 0; at < n && !trapped; at = index + 1) {
		len = build(seq + at, n - at, PC + at * 4, 0);
		reason = run(&index, stepping ? 0x302 : 0x202);
		executed += index - at;
		if (reason == DTV_EXIT_NONE) {
			if (index != at + len && complain())
				printf("# block ended at %u, not %u\n", index, at + len);
			/* Ends where there is no room for more, too. */
			area.hart.pc = PC + index * 4;
			index--;
			continue;
		}
		if (!may_ask(&area.hart, &seq[index]) && complain())
			show("left to C", &seq[index], &area.hart, &boundary[index + 1]);
		area.hart.pc = PC + index * 4;
		asked++;
		if (reason == DTV_EXIT_SYSTEM)
			trapped = dtv_guest_trap(&area.hart, DTV_EXC_ILLEGAL, seq[index].raw);
		else
			trapped = dtv_guest_fp(&area.hart, &seq[index]) != 0;
	}
	wrong = !same(&want) || memcmp(mem, ref_mem, sizeof(mem)) ||
		area.hart.mcause != want.mcause || area.hart.mepc != want.mepc;
	if (wrong && complain()) {
		show("sequence differs", &seq[0], &before, &want);
		for (i = 0; i < n; i++)
			printf("#   %2u %s rd %u rs %u %u %u rm %u\n", i, dtv_op_name(seq[i].op),
			       seq[i].rd, seq[i].rs1, seq[i].rs2, seq[i].rs3, seq[i].rm);
	}
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO };
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(all_ops); i++)
		n += is_fp(all_ops[i]) && !is_access(all_ops[i]);
	plan(n + 2);
	make_stubs();
	sigaction(SIGTRAP, &sa, NULL);

	for (i = 0; i < ARRAY_SIZE(all_ops); i++) {
		if (!is_fp(all_ops[i]) || is_access(all_ops[i]))
			continue;
		executed = asked = 0;
		test_op(all_ops[i]);
		group_done("%s: %lu times, %lu by C", dtv_op_name(all_ops[i]), executed, asked);
	}
	executed = asked = 0;
	for (i = 0; i < 60000; i++)
		test_sequence(false);
	group_done("sequences: %lu instructions, %lu by C", executed, asked);
	for (i = 0; i < 1000; i++)
		test_sequence(true);
	group_done("kick at any host instruction finds the state of a boundary: %lu", steps);
	return finish();
}
