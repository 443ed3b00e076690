// SPDX-License-Identifier: GPL-2.0-only
/*
 * select_fp.c - F and D on SSE and FMA (unprivileged manual chapters 20, 21).
 *
 * Twelve f registers have an xmm register of their own (dtv_x86_fmap), the others are in
 * their slots between instructions. MXCSR rounds as frm says and its sticky flags are fflags, so
 * that an operation is mostly one host instruction. A single is kept boxed by the upper half of
 * the first source. What SSE does differently:
 *  - a NaN result is not the canonical one: see settle();
 *  - minsd and maxsd signal for quiet NaNs and do not order the zeros;
 *  - conversions give another number for what does not fit, and raise inexact
 *    when a wider intermediate was inexact: sequences below keep to operations
 *    whose flags are a subset of the right ones;
 *  - infinity times zero plus a quiet NaN does not signal.
 * Left to C (exit FP): rounding to nearest with ties away (but conversions to
 * integers), invalid frm, and singles that are not boxed.
 *
 * Flags raised twice do no harm, so everything rewinds, but for code that
 * runs with another rounding mode than frm's.
 */
#include "select.h"
#include "../../guest/fp.h"

#define EXP_MASK64 0x7ff0000000000000ULL
#define EXP_MASK32 0x7f800000U

/* What a COLD_FP_FIX does: cold->reg. */
enum fix {
	FIX_NAN, /* xmm0 = canonical NaN */
	FIX_SETTLE, /* one of two registers is a NaN */
	FIX_FMA, /* the same, and invalid for infinity times zero */
	FIX_MINMAX, /* xmm0, xmm1: at least one is a NaN */
	FIX_INT, /* signed conversion of xmm0 gave the indefinite value in rax */
	FIX_UINT, /* conversion of xmm0 to 32 bits unsigned does not fit */
	FIX_ULONG, /* xmm0 is negative, 2^63 or more, or a NaN */
};

/* Its parameters: cold->target. */
#define FIX_DBL 1
#define FIX_WIDE 2
#define FIX_MODE(m) ((m) << 4)
#define FIX_RS(rs1, rs2) ((rs1) << 8 | (rs2) << 16)
#define FIX_X(x, y) ((x) << 8 | (y) << 16)

/* A detour at @from, which goes on where the buffer ends now. */
static void fix(struct dtv_tx *tx, enum fix kind, u8 *from, s32 param)
{
	struct dtv_cold *c = dtv_tx_cold(tx, COLD_FP_FIX, from);

	c->reg = kind;
	/* Before an instruction, or in the middle of it, where flags are raised. */
	c->row = kind == FIX_SETTLE ? ENTRY_REWIND : ENTRY_BUSY;
	c->target = param;
	c->back = tx->b.p;
}

/*
 * The host has raised the instruction's flags and has not committed its result: no way back, for
 * an interrupt would find flags of what it comes before.
 */
static void raised(struct dtv_tx *tx)
{
	if (tx->entries[tx->nr_entries - 1].kind != ENTRY_BUSY)
		dtv_tx_entry(tx, ENTRY_BUSY);
}

/* --- checks before an instruction --- */

/* FS is not Off; with @writes, f registers or fflags may change and it becomes Dirty. */
static void enter(struct dtv_tx *tx, bool writes)
{
	struct x86_mem m = HART(mstatus);

	BUILD_BUG_ON(DTV_MSTATUS_FS != 0x6000);
	m.disp += 1;
	if (!tx->facts.fs_on) {
		test8_mi(&tx->b, m, DTV_MSTATUS_FS >> 8);
		dtv_tx_cold(tx, COLD_SYSTEM, jcc_rel32(&tx->b, DTV_MUTANT(fs_off, CC_O, CC_E)));
		dtv_tx_forget_checks(tx);
		tx->facts.fs_on = true;
	}
	if (DTV_MUTANT(fs_clean, false, writes && !tx->facts.fs_dirty)) {
		m.disp -= 1;
		alu32_mi(&tx->b, ALU_OR, m, DTV_MSTATUS_FS);
		tx->facts.fs_dirty = true;
	}
}

/* A dynamic mode is one that MXCSR has, or C does it: RMM and invalid ones set bit 2 of frm. */
static void need_frm(struct dtv_tx *tx)
{
	if (tx->insn.rm != DTV_RM_DYN || tx->facts.frm_ok)
		return;
	test8_mi(&tx->b, HART(fcsr), DTV_MUTANT(frm_invalid, 0, 4) << DTV_FCSR_FRM_SHIFT);
	dtv_tx_cold(tx, COLD_FP, jcc_rel32(&tx->b, CC_NE));
	tx->facts.frm_ok = true;
}

/* --- NaNs --- */

/*
 * RISC-V's results are canonical NaNs where the host's have an operand's payload, or the sign
 * set (unprivileged manual 20.3). An operation cannot tell them apart, so f registers with an
 * xmm register keep the host's until somebody can: a store or a move, C code, another block.
 * facts.nan_d and nan_s say which may hold one, and whether it is a double or a single. The
 * side table says the same of every host address, for kicks, misses and exits.
 */
static u16 nan_bit(u8 r)
{
	return 1U << (dtv_x86_fmap[r] - DTV_X86_FMAP_FIRST);
}

static void set_nan(struct dtv_tx *tx, bool dbl, u8 r)
{
	tx->facts.nan_d &= ~nan_bit(r);
	tx->facts.nan_s &= ~nan_bit(r);
	if (DTV_MUTANT(nan_payload, true, false))
		return;
	if (dbl)
		tx->facts.nan_d |= nan_bit(r);
	else
		tx->facts.nan_s |= nan_bit(r);
}

static void no_nan(struct dtv_tx *tx, u8 r)
{
	tx->facts.nan_d &= ~nan_bit(r);
	tx->facts.nan_s &= ~nan_bit(r);
}

/* xmm @x = the canonical NaN, by one change of it. Changes xmm0. */
static void canonical_nan(struct dtv_buf *b, bool dbl, u8 x)
{
	if (dbl) {
		psrlq_rri(b, X0, X_ONES, 52);
		psllq_rri(b, x, X0, 51);
	} else {
		psrld_rri(b, X0, X_ONES, 23);
		pslld_rri(b, X0, X0, 22);
		movss_rrr(b, x, X_ONES, X0);
	}
}

/* The same if it is a NaN. */
static void settle_one(struct dtv_buf *b, bool dbl, u8 x)
{
	u8 *skip;

	ucomis_rr(b, dbl, x, x);
	skip = jcc_rel8(b, CC_NP);
	canonical_nan(b, dbl, x);
	x86_fix8(b, skip, b->p);
}

/* Up to two xmm registers of the mask, the second X86_NO_REG when there is one only. */
static u16 take_two(u16 mask, u8 *x, u8 *y)
{
	u16 rest = mask & (mask - 1);

	*x = DTV_X86_FMAP_FIRST + __builtin_ctz(mask);
	*y = rest ? DTV_X86_FMAP_FIRST + __builtin_ctz(rest) : X86_NO_REG;
	return rest & (rest - 1);
}

/* A comparison is unordered when either is a NaN. */
static void settle(struct dtv_tx *tx, bool dbl, u16 mask)
{
	u8 x, y;

	while (mask) {
		mask = take_two(mask, &x, &y);
		if (y == X86_NO_REG)
			y = x;
		ucomis_rr(&tx->b, dbl, x, y);
		fix(tx, FIX_SETTLE, jcc_rel32(&tx->b, CC_P), (dbl ? FIX_DBL : 0) | FIX_X(x, y));
	}
}

void dtv_x86_fp_settle(struct dtv_tx *tx)
{
	settle(tx, true, tx->facts.nan_d);
	settle(tx, false, tx->facts.nan_s);
	tx->facts.nan_d = 0;
	tx->facts.nan_s = 0;
}

static void settle_cold(struct dtv_buf *b, bool dbl, u16 mask)
{
	u8 *skip, x, y;

	while (mask) {
		mask = take_two(mask, &x, &y);
		if (y == X86_NO_REG) {
			settle_one(b, dbl, x);
			continue;
		}
		ucomis_rr(b, dbl, x, y);
		skip = jcc_rel8(b, CC_NP);
		settle_one(b, dbl, x);
		settle_one(b, dbl, y);
		x86_fix8(b, skip, b->p);
	}
}

void dtv_x86_fp_settle_cold(struct dtv_tx *tx, u16 nan_d, u16 nan_s)
{
	settle_cold(&tx->b, true, DTV_MUTANT(nan_at_branch, 0, nan_d));
	settle_cold(&tx->b, false, nan_s);
}

/* The bits of f[r] are as the guest shall see them. Changes xmm0. */
static void need_bits(struct dtv_tx *tx, u8 r)
{
	if (!fmapped(r))
		return;
	settle(tx, true, tx->facts.nan_d & nan_bit(r));
	settle(tx, false, tx->facts.nan_s & nan_bit(r));
	no_nan(tx, r);
}

void dtv_dbt_settle_nans(struct dtv_hart *h, u16 nan_d, u16 nan_s)
{
	unsigned int r;

	for (r = 0; (nan_d | nan_s) && r < 32; r++) {
		u32 bit = fmapped(r) ? 1U << (dtv_x86_fmap[r] - DTV_X86_FMAP_FIRST) : 0;
		u64 v = h->f[r];

		if (DTV_MUTANT(nan_at_exit, true, false))
			break;
		if ((nan_d & bit) && v << 1 > EXP_MASK64 << 1)
			h->f[r] = DTV_FP_NAN64;
		else if ((nan_s & bit) && (u32)v << 1 > EXP_MASK32 << 1)
			h->f[r] = DTV_FP_BOX | DTV_FP_NAN32;
	}
}

/* --- operands and commits --- */

/* f[r] is a boxed single, or C does it. Changes RAX and xmm0. */
static void need_boxed(struct dtv_tx *tx, u8 r)
{
	struct x86_mem m = fslot(r);

	if (DTV_MUTANT(box_unchecked, ~0U, tx->facts.fboxed) & 1U << r)
		return;
	if (fmapped(r)) {
		/* The host's NaN may look like a box. */
		need_bits(tx, r);
		pextrd1_rx(&tx->b, RAX, dtv_x86_fmap[r]);
		alu32_ri(&tx->b, ALU_CMP, RAX, -1);
	} else {
		m.disp += 4;
		alu32_mi(&tx->b, ALU_CMP, m, -1);
	}
	dtv_tx_cold(tx, COLD_FP, jcc_rel32(&tx->b, CC_NE));
	tx->facts.fboxed |= 1U << r;
}

static void need_operand(struct dtv_tx *tx, bool dbl, u8 r)
{
	if (!dbl)
		need_boxed(tx, r);
}

/* xmm register that holds f[r], whole: its own, or @tmp loaded from the slot. */
static u8 fsrc(struct dtv_tx *tx, u8 r, u8 tmp)
{
	if (fmapped(r))
		return dtv_x86_fmap[r];
	movs_rm(&tx->b, true, tmp, fslot(r));
	return tmp;
}

/* xmm @x = f[r], whole */
static void load_f(struct dtv_tx *tx, u8 x, u8 r)
{
	if (fmapped(r))
		movaps_rr(&tx->b, x, dtv_x86_fmap[r]);
	else
		movs_rm(&tx->b, true, x, fslot(r));
}

/*
 * xmm register for a result that one host instruction makes: f[rd]'s own; xmm0 when it has none,
 * or @detour: something goes on behind that instruction that must find f[rd] unchanged.
 */
static u8 fdst(struct dtv_tx *tx, bool detour)
{
	return fmapped(tx->insn.rd) && !detour ? dtv_x86_fmap[tx->insn.rd] : X0;
}

/* f[rd] = xmm @x: a double, or a single with its box. It is no NaN, or the right one. */
static void commit_x(struct dtv_tx *tx, bool dbl, u8 x)
{
	u8 rd = tx->insn.rd;

	if (!fmapped(rd)) {
		movs_mr(&tx->b, true, fslot(rd), x);
	} else {
		if (dtv_x86_fmap[rd] != x)
			movaps_rr(&tx->b, dtv_x86_fmap[rd], x);
		no_nan(tx, rd);
	}
	if (dbl)
		tx->facts.fboxed &= ~(1U << rd);
	else
		tx->facts.fboxed |= 1U << rd;
}

/* The same of an operation's result, in fdst(). */
static void commit_result(struct dtv_tx *tx, bool dbl, u8 x)
{
	if (fmapped(tx->insn.rd)) {
		if (dtv_x86_fmap[tx->insn.rd] != x)
			raised(tx);
		commit_x(tx, dbl, x);
		set_nan(tx, dbl, tx->insn.rd);
		return;
	}
	raised(tx);
	ucomis_rr(&tx->b, dbl, x, x);
	fix(tx, FIX_NAN, jcc_rel32(&tx->b, DTV_MUTANT(nan_payload, CC_O, CC_P)),
	    dbl ? FIX_DBL : 0);
	commit_x(tx, dbl, x);
}

/* --- static rounding modes --- */

/* Order of MXCSR.RC and of roundsd: nearest, down, up, zero. */
static const u8 rc_of_rm[4] = { 0, 3, 1, 2 };

static struct x86_mem mxcsr_frm(void)
{
	return HART(scratch[2]);
}

static struct x86_mem mxcsr_rm(void)
{
	return HART(scratch[3]);
}

/*
 * Let MXCSR round as the instruction says. While it does, a kick must not
 * rewind, because the state that it saves has frm's mode in MXCSR.
 */
static void round_begin(struct dtv_tx *tx)
{
	struct dtv_buf *b = &tx->b;

	if (DTV_MUTANT(rm_ignored, DTV_RM_DYN, tx->insn.rm) == DTV_RM_DYN)
		return;
	stmxcsr_m(b, mxcsr_frm());
	mov32_rm(b, RCX, mxcsr_frm());
	alu32_ri(b, ALU_AND, RCX, ~0x6000);
	alu32_ri(b, ALU_OR, RCX, rc_of_rm[tx->insn.rm & 3] << 13);
	mov32_mr(b, mxcsr_rm(), RCX);
	dtv_tx_entry(tx, ENTRY_BUSY);
	ldmxcsr_m(b, mxcsr_rm());
}

/* And back to frm, with the flags raised. Only rcx and rdx are changed. */
static void round_end(struct dtv_tx *tx)
{
	struct dtv_buf *b = &tx->b;

	if (DTV_MUTANT(rm_ignored, DTV_RM_DYN, tx->insn.rm) == DTV_RM_DYN)
		return;
	stmxcsr_m(b, mxcsr_rm());
	mov32_rm(b, RCX, mxcsr_rm());
	mov32_rm(b, RDX, mxcsr_frm());
	alu32_ri(b, ALU_AND, RCX, ~0x6000);
	alu32_ri(b, ALU_AND, RDX, 0x6000);
	alu32_rr(b, ALU_OR, RCX, RDX);
	mov32_mr(b, mxcsr_rm(), RCX);
	ldmxcsr_m(b, mxcsr_rm());
}

/* A rounding mode of its own is set around the operation: the commit comes behind. */
static bool own_mode(const struct dtv_tx *tx)
{
	return tx->insn.rm != DTV_RM_DYN;
}

/* --- arithmetic --- */

static void arith(struct dtv_tx *tx, enum x86_sse op, bool dbl)
{
	const struct dtv_insn *in = &tx->insn;
	u8 d = fdst(tx, own_mode(tx)), rs1 = in->rs1, rs2 = in->rs2, a;

	need_operand(tx, dbl, in->rs1);
	need_operand(tx, dbl, in->rs2);
	/* What is in a slot had best be the second. */
	if ((op == SSE_ADD || op == SSE_MUL) && !fmapped(rs1)) {
		rs1 = in->rs2;
		rs2 = in->rs1;
	}
	a = fsrc(tx, rs1, X0);
	round_begin(tx);
	if (fmapped(rs2))
		sse_s_rrr(&tx->b, op, dbl, d, a, dtv_x86_fmap[rs2]);
	else
		sse_s_rrm(&tx->b, op, dbl, d, a, fslot(rs2));
	round_end(tx);
	commit_result(tx, dbl, d);
}

static void square_root(struct dtv_tx *tx, bool dbl)
{
	u8 d = fdst(tx, own_mode(tx)), a;

	need_operand(tx, dbl, tx->insn.rs1);
	a = fsrc(tx, tx->insn.rs1, X0);
	round_begin(tx);
	sse_s_rrr(&tx->b, SSE_SQRT, dbl, d, a, a);
	round_end(tx);
	commit_result(tx, dbl, d);
}

static void fused(struct dtv_tx *tx, enum x86_fma op, bool dbl)
{
	const struct dtv_insn *in = &tx->insn;
	u8 a;

	need_operand(tx, dbl, in->rs1);
	need_operand(tx, dbl, in->rs2);
	need_operand(tx, dbl, in->rs3);
	load_f(tx, X0, in->rs1);
	a = fsrc(tx, in->rs2, X1);
	round_begin(tx);
	if (fmapped(in->rs3))
		vfm213s_rrr(&tx->b, op, dbl, X0, a, dtv_x86_fmap[in->rs3]);
	else
		vfm213s_rrm(&tx->b, op, dbl, X0, a, fslot(in->rs3));
	raised(tx);
	round_end(tx);
	ucomis_rr(&tx->b, dbl, X0, X0);
	fix(tx, FIX_FMA, jcc_rel32(&tx->b, CC_P),
	    (dbl ? FIX_DBL : 0) | FIX_RS(in->rs1, in->rs2));
	commit_x(tx, dbl, X0);
}

/*
 * Both orders of minsd (maxsd) differ for zeros of different sign alone: the
 * disjunction has the sign if one has it, the conjunction if both have it.
 */
static void minmax(struct dtv_tx *tx, bool greater, bool dbl)
{
	const struct dtv_insn *in = &tx->insn;
	enum x86_sse op = greater ? SSE_MAX : SSE_MIN;
	struct dtv_buf *b = &tx->b;
	u8 *nan;

	need_operand(tx, dbl, in->rs1);
	need_operand(tx, dbl, in->rs2);
	load_f(tx, X0, in->rs1);
	load_f(tx, X1, in->rs2);
	ucomis_rr(b, dbl, X0, X1);
	raised(tx);
	nan = jcc_rel32(b, CC_P);
	sse_s_rrr(b, op, dbl, X2, X0, X1);
	sse_s_rrr(b, op, dbl, X1, X1, X0);
	if (DTV_MUTANT(minmax_zero, !greater, greater))
		andps_rrr(b, X0, X1, X2);
	else
		orps_rrr(b, X0, X1, X2);
	fix(tx, FIX_MINMAX, nan, dbl ? FIX_DBL : 0);
	commit_x(tx, dbl, X0);
}

/* --- signs, moves, classes, compares: no rounding --- */

enum sign_op { SIGN_COPY, SIGN_NEGATE, SIGN_XOR };

/* xmm2 = the sign bit alone; a box stays one. */
static void sign_mask(struct dtv_buf *b, bool dbl)
{
	if (dbl) {
		psllq_rri(b, X2, X_ONES, 63);
	} else {
		psrlq_rri(b, X2, X_ONES, 63);
		psllq_rri(b, X2, X2, 31);
	}
}

static void sign(struct dtv_tx *tx, enum sign_op op, bool dbl)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u8 d = fdst(tx, false), x, y;

	need_operand(tx, dbl, in->rs1);
	need_operand(tx, dbl, in->rs2);
	need_bits(tx, in->rs1);
	need_bits(tx, in->rs2);
	x = fsrc(tx, in->rs1, X0);
	if (in->rs1 == in->rs2) {
		/* fmv, fneg, fabs */
		if (op == SIGN_COPY) {
			commit_x(tx, dbl, x);
			return;
		}
		sign_mask(b, dbl);
		if (op == SIGN_NEGATE)
			xorps_rrr(b, d, x, X2);
		else
			andnps_rrr(b, d, X2, x);
		commit_x(tx, dbl, d);
		return;
	}
	y = fsrc(tx, in->rs2, X1);
	sign_mask(b, dbl);
	if (op == SIGN_NEGATE)
		andnps_rrr(b, X1, y, X2);
	else
		andps_rrr(b, X1, y, X2);
	if (op == SIGN_XOR) {
		xorps_rrr(b, d, x, X1);
	} else {
		andnps_rrr(b, X0, X2, x);
		orps_rrr(b, d, X0, X1);
	}
	commit_x(tx, dbl, d);
}

/* fle and flt signal for every NaN. Operands are exchanged, so that unordered reads as below. */
static void less(struct dtv_tx *tx, enum x86_cc cc, bool dbl)
{
	const struct dtv_insn *in = &tx->insn;
	u8 d = dst(tx, in->rd, RAX), x;

	need_operand(tx, dbl, in->rs1);
	need_operand(tx, dbl, in->rs2);
	x = fsrc(tx, in->rs2, X0);
	if (fmapped(in->rs1))
		comis_rr(&tx->b, dbl, x, dtv_x86_fmap[in->rs1]);
	else
		comis_rm(&tx->b, dbl, x, fslot(in->rs1));
	if (!in->rd)
		return;
	raised(tx);
	setcc_r(&tx->b, cc, RAX);
	movzx8_rr(&tx->b, d, RAX);
	commit(tx, in->rd, d);
}

static void equal(struct dtv_tx *tx, bool dbl)
{
	const struct dtv_insn *in = &tx->insn;
	u8 x;

	need_operand(tx, dbl, in->rs1);
	need_operand(tx, dbl, in->rs2);
	x = fsrc(tx, in->rs1, X0);
	if (fmapped(in->rs2))
		cmps_rrr(&tx->b, dbl, X0, x, dtv_x86_fmap[in->rs2], X86_CMP_EQ);
	else
		cmps_rrm(&tx->b, dbl, X0, x, fslot(in->rs2), X86_CMP_EQ);
	raised(tx);
	movq_rx(&tx->b, false, RAX, X0);
	alu32_ri(&tx->b, ALU_AND, RAX, 1);
	commit(tx, in->rd, RAX);
}

/*
 * For positive numbers the bit is 4 (zero), and one more for each of: not
 * zero, normal, infinite; for negative ones 7 less that.
 */
static void classify(struct dtv_tx *tx, bool dbl)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u8 *nan, *join;

	need_operand(tx, dbl, in->rs1);
	if (!in->rd)
		return;
	/* The number at the top of rax, without its sign at the top of rcx. */
	if (fmapped(in->rs1))
		movq_rx(b, true, RAX, dtv_x86_fmap[in->rs1]);
	else
		mov_rm(b, RAX, fslot(in->rs1));
	if (!dbl)
		shift_ri(b, SH_SHL, RAX, 32);
	lea_rm(b, RCX, (struct x86_mem){ .base = RAX, .index = RAX });
	mov_ri(b, RDX, dbl ? EXP_MASK64 << 1 : (u64)EXP_MASK32 << 33);
	alu_rr(b, ALU_CMP, RCX, RDX);
	nan = jcc_rel8(b, CC_A);
	mov_ri(b, RDX, 4);
	alu_ri(b, ALU_CMP, RCX, 1);
	alu32_ri(b, ALU_SBB, RDX, -1);
	shift_ri(b, SH_SHR, RCX, dbl ? 53 : 56);
	alu32_ri(b, ALU_CMP, RCX, DTV_MUTANT(fclass_subnormal, 0, 1));
	alu32_ri(b, ALU_SBB, RDX, -1);
	alu32_ri(b, ALU_CMP, RCX, dbl ? 0x7ff : 0xff);
	alu32_ri(b, ALU_SBB, RDX, -1);
	shift_ri(b, SH_SAR, RAX, 63);
	alu32_ri(b, ALU_AND, RAX, 7);
	alu32_rr(b, ALU_XOR, RDX, RAX);
	join = jmp_rel8(b);
	x86_fix8(b, nan, b->p);
	/* 8 signalling, 9 quiet */
	shift_ri(b, SH_SHR, RAX, dbl ? 51 : 54);
	alu32_ri(b, ALU_AND, RAX, 1);
	lea_rm(b, RDX, x86_base(RAX, 8));
	x86_fix8(b, join, b->p);
	mov_ri(b, RAX, 1);
	x86_shx(b, true, SH_SHL, RAX, RAX, RDX);
	commit(tx, in->rd, RAX);
}

/* --- conversions --- */

/* roundsd's immediate for the instruction's mode. */
static u8 round_mode(const struct dtv_insn *in)
{
	return in->rm == DTV_RM_DYN ? X86_ROUND_MXCSR : rc_of_rm[in->rm & 3];
}

/*
 * xmm @d = xmm0 rounded to integral with ties away, no flags raised but invalid for a
 * signalling NaN: truncate, and add one of the same sign when the (exact)
 * difference is a half or more. Changes xmm2, rax, rcx.
 */
static void round_rmm(struct dtv_tx *tx, bool dbl, u8 d)
{
	struct dtv_buf *b = &tx->b;
	u8 *skip, *big;

	rounds_rr(b, dbl, d, X0, rc_of_rm[DTV_RM_RTZ] | X86_ROUND_QUIET);
	/* Integral, infinite or a NaN: nothing to do, and nothing to subtract. */
	ucomis_rr(b, dbl, d, X0);
	big = jcc_rel8(b, CC_E);
	sse_s_rrr(b, SSE_SUB, dbl, X2, X0, d);
	/* 2 * |difference| < 1, on the bits: exponent below that of a half */
	movq_rx(b, dbl, RAX, X2);
	alu_rr(b, ALU_ADD, RAX, RAX);
	if (!dbl)
		mov32_rr(b, RAX, RAX);
	shift_ri(b, SH_SHR, RAX, dbl ? 53 : 24);
	alu32_ri(b, ALU_CMP, RAX, dbl ? 1022 : 126);
	skip = jcc_rel8(b, CC_B);
	/* One with the sign of xmm0; the sum is small and exact. */
	movq_rx(b, dbl, RAX, X0);
	if (dbl) {
		mov_ri(b, RCX, 1023ULL << 52);
		shift_ri(b, SH_SHR, RAX, 63);
		shift_ri(b, SH_SHL, RAX, 63);
	} else {
		mov_ri(b, RCX, 127U << 23);
		alu32_ri(b, ALU_AND, RAX, S32_MIN);
	}
	alu_rr(b, ALU_OR, RAX, RCX);
	movq_xr(b, dbl, X2, RAX);
	sse_s_rrr(b, SSE_ADD, dbl, d, d, X2);
	x86_fix8(b, skip, b->p);
	x86_fix8(b, big, b->p);
}

/* xmm1 = xmm0 rounded as the instruction says; raises no inexact. */
static void round_quiet(struct dtv_tx *tx, bool dbl)
{
	if (tx->insn.rm == DTV_RM_RMM)
		round_rmm(tx, dbl, X1);
	else
		rounds_rr(&tx->b, dbl, X1, X0, round_mode(&tx->insn) | X86_ROUND_QUIET);
}

/* The integer of @w in rax, widened to a register, becomes x[rd]. */
static void commit_int(struct dtv_tx *tx, bool w)
{
	u8 d = dst(tx, tx->insn.rd, RAX);

	if (!tx->insn.rd)
		return;
	if (!w) {
		movsxd_rr(&tx->b, d, RAX);
		commit(tx, tx->insn.rd, d);
	} else {
		commit(tx, tx->insn.rd, RAX);
	}
}

/*
 * Signed. The host has the right result and flags of all numbers that fit, in
 * its own rounding mode or toward zero. In other modes the number is made
 * integral first; if that was inexact (and the result fits) converting the
 * number itself once more says so.
 */
static void to_signed(struct dtv_tx *tx, bool dbl, bool w)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	s32 param = (dbl ? FIX_DBL : 0) | (w ? FIX_WIDE : 0);

	need_operand(tx, dbl, in->rs1);
	load_f(tx, X0, in->rs1);
	if (in->rm == DTV_RM_DYN || in->rm == DTV_RM_RTZ) {
		if (in->rm == DTV_RM_DYN)
			cvts2si_rx(b, dbl, w, RAX, X0);
		else
			cvtts2si_rx(b, dbl, w, RAX, X0);
		raised(tx);
		/* Overflows for the indefinite value alone. */
		x86_alu_ri(b, w ? X86_W : 0, ALU_CMP, RAX, 1);
		fix(tx, FIX_INT, jcc_rel32(b, CC_O), param);
	} else {
		round_quiet(tx, dbl);
		raised(tx);
		cvtts2si_rx(b, dbl, w, RAX, X1);
		x86_alu_ri(b, w ? X86_W : 0, ALU_CMP, RAX, 1);
		/* The least integer itself is rare enough for C, too. */
		dtv_tx_cold(tx, COLD_FP, jcc_rel32(b, CC_O));
		cvtts2si_rx(b, dbl, true, RCX, X0);
	}
	commit_int(tx, w);
}

/* Unsigned, 32 bits: the integral number as 64 bits says whether it fits. */
static void to_u32(struct dtv_tx *tx, bool dbl)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u8 *nofit;

	need_operand(tx, dbl, in->rs1);
	load_f(tx, X0, in->rs1);
	round_quiet(tx, dbl);
	raised(tx);
	cvtts2si_rx(b, dbl, true, RAX, X1);
	mov32_rr(b, RCX, RAX);
	alu_rr(b, ALU_CMP, RCX, RAX);
	nofit = jcc_rel32(b, DTV_MUTANT(fcvt_wu_limit, CC_O, CC_NE));
	cvtts2si_rx(b, dbl, true, RCX, X0);
	fix(tx, FIX_UINT, nofit, dbl ? FIX_DBL : 0);
	commit_int(tx, false);
}

/* Unsigned, 64 bits: what is not negative and below 2^63 is as signed. */
static void to_u64(struct dtv_tx *tx, bool dbl)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u8 *other;

	if (in->rm == DTV_RM_RMM) {
		/* Ties to integers are rare up there, and so are programs that ask for this. */
		system_exit(tx, DTV_EXIT_FP, true);
		return;
	}
	need_operand(tx, dbl, in->rs1);
	load_f(tx, X0, in->rs1);
	movq_rx(b, dbl, RCX, X0);
	shift_ri(b, SH_SHR, RCX, dbl ? 52 : 23);
	alu32_ri(b, ALU_CMP, RCX, dbl ? 1023 + 63 : 127 + 63);
	other = jcc_rel32(b, CC_AE);
	switch (in->rm) {
	case DTV_RM_DYN:
		cvts2si_rx(b, dbl, true, RAX, X0);
		break;
	case DTV_RM_RTZ:
		cvtts2si_rx(b, dbl, true, RAX, X0);
		break;
	default:
		rounds_rr(b, dbl, X0, X0, round_mode(in));
		raised(tx);
		cvtts2si_rx(b, dbl, true, RAX, X0);
		break;
	}
	raised(tx);
	fix(tx, FIX_ULONG, other, (dbl ? FIX_DBL : 0) | FIX_MODE(round_mode(in)));
	commit_int(tx, true);
}

/*
 * From an integer. 64 bits unsigned with the top bit set: half of it, the lost
 * bit kept sticky, and doubled afterwards, which is exact.
 */
static void from_int(struct dtv_tx *tx, bool dbl, bool w, bool uns)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	bool exact = dbl && !w;
	u8 *top, *join, s, d;

	if (uns && !w) {
		s = src(tx, in->rs1, RAX);
		mov32_rr(b, RAX, s);
		s = RAX;
	} else if (uns) {
		load_reg(tx, RAX, in->rs1);
		s = RAX;
	} else {
		s = src(tx, in->rs1, RAX);
	}
	if (uns && w) {
		if (!exact)
			round_begin(tx);
		test_rr(b, RAX, RAX);
		top = jcc_rel8(b, CC_S);
		cvtsi2s_xxr(b, dbl, true, X0, X_ONES, RAX);
		join = jmp_rel8(b);
		x86_fix8(b, top, b->p);
		mov32_rr(b, RCX, RAX);
		shift_ri(b, SH_SHR, RAX, 1);
		alu32_ri(b, ALU_AND, RCX, DTV_MUTANT(fcvt_from_u64, 0, 1));
		alu_rr(b, ALU_OR, RAX, RCX);
		cvtsi2s_xxr(b, dbl, true, X0, X_ONES, RAX);
		sse_s_rrr(b, SSE_ADD, dbl, X0, X0, X0);
		x86_fix8(b, join, b->p);
		if (!exact) {
			raised(tx);
			round_end(tx);
		}
		commit_x(tx, dbl, X0);
		return;
	}
	d = fdst(tx, !exact && own_mode(tx));
	if (!exact)
		round_begin(tx);
	cvtsi2s_xxr(b, dbl, w || uns, d, X_ONES, s);
	if (!exact) {
		if (d == X0)
			raised(tx);
		round_end(tx);
	}
	commit_x(tx, dbl, d);
}

static void to_single(struct dtv_tx *tx)
{
	u8 d = fdst(tx, own_mode(tx)), x = fsrc(tx, tx->insn.rs1, X0);

	round_begin(tx);
	cvts2s_rrr(&tx->b, true, d, DTV_MUTANT(box_missing, x, X_ONES), x);
	round_end(tx);
	commit_result(tx, false, d);
}

/* Exact, whatever the rounding mode. */
static void to_double(struct dtv_tx *tx)
{
	u8 d = fdst(tx, false), x;

	need_boxed(tx, tx->insn.rs1);
	x = fsrc(tx, tx->insn.rs1, X0);
	cvts2s_rrr(&tx->b, false, d, x, x);
	commit_result(tx, true, d);
}

/* --- loads, stores, moves --- */

static void load(struct dtv_tx *tx, bool dbl)
{
	const struct dtv_insn *in = &tx->insn;
	struct x86_mem m = guest_mem(tx, in->rs1, in->imm, RCX);
	u8 d = fdst(tx, false);

	if (dbl)
		movs_rm(&tx->b, true, d, m);
	else
		pinsrd_xxm(&tx->b, d, DTV_MUTANT(flw_box, X0, X_ONES), m);
	commit_x(tx, dbl, d);
}

static void store(struct dtv_tx *tx, bool dbl)
{
	const struct dtv_insn *in = &tx->insn;
	struct x86_mem m;

	need_bits(tx, in->rs2);
	m = guest_mem(tx, in->rs1, in->imm, RCX);
	movs_mr(&tx->b, dbl, m, fsrc(tx, in->rs2, X0));
}

static void move_from_x(struct dtv_tx *tx, bool dbl)
{
	const struct dtv_insn *in = &tx->insn;
	u8 s = src(tx, in->rs1, RAX), d = fdst(tx, false);

	if (dbl)
		movq_xr(&tx->b, true, d, s);
	else
		pinsrd_xxr(&tx->b, d, X_ONES, s);
	commit_x(tx, dbl, d);
}

static void move_to_x(struct dtv_tx *tx, bool dbl)
{
	const struct dtv_insn *in = &tx->insn;
	u8 d = dst(tx, in->rd, RAX);

	if (!in->rd)
		return;
	need_bits(tx, in->rs1);
	if (!fmapped(in->rs1)) {
		if (dbl)
			mov_rm(&tx->b, d, fslot(in->rs1));
		else
			movsxd_rm(&tx->b, d, fslot(in->rs1));
	} else if (dbl) {
		movq_rx(&tx->b, true, d, dtv_x86_fmap[in->rs1]);
	} else {
		movq_rx(&tx->b, false, RAX, dtv_x86_fmap[in->rs1]);
		movsxd_rr(&tx->b, d, RAX);
	}
	commit(tx, in->rd, d);
}

/* --- detours --- */

/* Raise the invalid flag: all ones are a NaN. Changes rcx. */
static void raise_invalid(struct dtv_buf *b)
{
	cvtts2si_rx(b, true, true, RCX, X_ONES);
}

/*
 * Infinity times zero: multiply when a factor is zero or a NaN. Of what can
 * come to such a product, invalid is the only flag.
 */
static void fix_fma(struct dtv_tx *tx, bool dbl, s32 param)
{
	struct dtv_buf *b = &tx->b;
	u8 *zero, *skip;

	load_f(tx, X0, param >> 8 & 31);
	load_f(tx, X1, param >> 16 & 31);
	xorps_rrr(b, X2, X2, X2);
	ucomis_rr(b, dbl, X0, X2);
	zero = jcc_rel8(b, CC_E);
	ucomis_rr(b, dbl, X1, X2);
	skip = jcc_rel8(b, CC_NE);
	x86_fix8(b, zero, b->p);
	sse_s_rrr(b, DTV_MUTANT(fma_inf_zero, SSE_ADD, SSE_MUL), dbl, X0, X0, X1);
	x86_fix8(b, skip, b->p);
	canonical_nan(b, dbl, X0);
}

/* The operand that is not a NaN, if there is one; ucomisd has raised what had to be. */
static void fix_minmax(struct dtv_buf *b, bool dbl)
{
	u8 *first, *second;

	ucomis_rr(b, dbl, X0, X0);
	first = jcc_rel8(b, DTV_MUTANT(minmax_nan, CC_NO, CC_NP));
	movaps_rr(b, X0, X1);
	ucomis_rr(b, dbl, X0, X0);
	second = jcc_rel8(b, CC_NP);
	canonical_nan(b, dbl, X0);
	x86_fix8(b, first, b->p);
	x86_fix8(b, second, b->p);
}

/*
 * rcx = -1 when xmm0 is not below zero, or a NaN, so that the largest integer
 * is meant; 0 otherwise. Changes xmm0 and @zero.
 */
static void not_negative(struct dtv_buf *b, bool dbl, u8 zero)
{
	xorps_rrr(b, zero, zero, zero);
	cmps_rrr(b, dbl, X0, X0, zero, X86_CMP_NLT);
	movq_rx(b, dbl, RCX, X0);
	if (!dbl)
		movsxd_rr(b, RCX, RCX);
}

static void fix_ulong(struct dtv_tx *tx, bool dbl, u8 mode, u8 *back)
{
	struct dtv_buf *b = &tx->b;
	u8 *top, *invalid;

	/* Flags are those of the comparison of sign and exponent with 2^63's. */
	top = jcc_rel8(b, CC_E);
	rounds_rr(b, dbl, X1, X0, mode | X86_ROUND_QUIET);
	xorps_rrr(b, X2, X2, X2);
	ucomis_rr(b, dbl, X1, X2);
	invalid = jcc_rel8(b, CC_NE);
	/* A negative number that rounds to zero; or a NaN, which counts as equal. */
	cvtts2si_rx(b, dbl, true, RAX, X0);
	test_rr(b, RAX, RAX);
	x86_fix32(b, jcc_rel32(b, CC_E), back);
	x86_fix8(b, invalid, b->p);
	raise_invalid(b);
	not_negative(b, dbl, X2);
	mov_rr(b, RAX, RCX);
	x86_fix32(b, jmp_rel32(b), back);
	x86_fix8(b, top, b->p);
	/* Such numbers are integral. */
	mov_ri(b, RAX, dbl ? (1023ULL + 63) << 52 : (127U + 63) << 23);
	movq_xr(b, dbl, X1, RAX);
	sse_s_rrr(b, SSE_SUB, dbl, X0, X0, X1);
	cvtts2si_rx(b, dbl, true, RAX, X0);
	(DTV_MUTANT(fcvt_lu_high, btr_ri, btc_ri))(b, RAX, 63);
}

void dtv_x86_fp_cold(struct dtv_tx *tx, const struct dtv_cold *c)
{
	bool dbl = c->target & FIX_DBL;
	struct dtv_buf *b = &tx->b;

	switch ((enum fix)c->reg) {
	case FIX_NAN:
		canonical_nan(b, dbl, X0);
		break;
	case FIX_SETTLE:
		settle_one(b, dbl, c->target >> 8 & 15);
		if (DTV_MUTANT(nan_second, false, (c->target >> 8 & 15) != (c->target >> 16 & 15)))
			settle_one(b, dbl, c->target >> 16 & 15);
		break;
	case FIX_FMA:
		fix_fma(tx, dbl, c->target);
		break;
	case FIX_MINMAX:
		fix_minmax(b, dbl);
		break;
	case FIX_INT:
		/* Right for a negative number; one less wraps to the largest. */
		not_negative(b, dbl, X1);
		alu_rr(b, DTV_MUTANT(fcvt_w_limit, ALU_CMP, ALU_ADD), RAX, RCX);
		break;
	case FIX_UINT:
		raise_invalid(b);
		not_negative(b, dbl, X1);
		mov_rr(b, RAX, RCX);
		break;
	case FIX_ULONG:
		fix_ulong(tx, dbl, c->target >> 4 & 15, c->back);
		break;
	}
	x86_fix32(b, jmp_rel32(b), c->back);
}

/* --- dispatch --- */

/* These functions, and the dispatch, know the ops of F alone: see dtv_fp_single_op(). */

/* Changes no f register and raises no flag. */
static bool reads_only(u16 op)
{
	switch (op) {
	case DTV_OP_FCLASS_S:
	case DTV_OP_FMV_X_W:
	case DTV_OP_FSW:
		return true;
	}
	return false;
}

/* rd is an x register. */
static bool writes_x(u16 op)
{
	switch (op) {
	case DTV_OP_FLE_S:
	case DTV_OP_FLT_S:
	case DTV_OP_FEQ_S:
	case DTV_OP_FCLASS_S:
	case DTV_OP_FCVT_W_S:
	case DTV_OP_FCVT_WU_S:
	case DTV_OP_FCVT_L_S:
	case DTV_OP_FCVT_LU_S:
	case DTV_OP_FMV_X_W:
		return true;
	}
	return false;
}

/* Rounds to a format, and so not with ties away. */
static bool rounds(u16 op, bool dbl)
{
	switch (op) {
	case DTV_OP_FADD_S:
	case DTV_OP_FSUB_S:
	case DTV_OP_FMUL_S:
	case DTV_OP_FDIV_S:
	case DTV_OP_FSQRT_S:
	case DTV_OP_FMADD_S:
	case DTV_OP_FMSUB_S:
	case DTV_OP_FNMSUB_S:
	case DTV_OP_FNMADD_S:
	case DTV_OP_FCVT_S_D:
	case DTV_OP_FCVT_S_L:
	case DTV_OP_FCVT_S_LU:
		return true;
	case DTV_OP_FCVT_S_W:
	case DTV_OP_FCVT_S_WU:
		return !dbl;
	}
	return false;
}

/* Zfh, whose instructions are in C. */
static bool half(struct dtv_tx *tx)
{
	u16 op = tx->insn.op, like = dtv_fp_half_op(op);

	if (op < DTV_OP_FLH || op > DTV_OP_FCVT_H_D)
		return false;
	tx->rd_is_f = !writes_x(like);
	enter(tx, !reads_only(like));
	system_exit(tx, op == DTV_OP_FLH || op == DTV_OP_FSH ? DTV_EXIT_ACCESS : DTV_EXIT_FP, true);
	return true;
}

bool dtv_x86_fp(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	u16 op = dtv_fp_single_op(in->op);
	bool dbl = op != in->op;

	if (half(tx))
		return true;
	/* The rows of F and D in insns.h. */
	if (in->op < DTV_OP_FLW || in->op > DTV_OP_FCVT_D_S)
		return false;
	tx->rd_is_f = !writes_x(op);
	if (!opt(tx, DTV_OPT_FP_FACTS))
		dtv_tx_forget_checks(tx);
	enter(tx, !reads_only(op));
	if ((DTV_MUTANT(rmm_even, DTV_RM_DYN, in->rm) == DTV_RM_RMM && rounds(op, dbl)) ||
	    (op != DTV_OP_FLW && op != DTV_OP_FSW && !opt(tx, DTV_OPT_FP))) {
		system_exit(tx, DTV_EXIT_FP, true);
		return true;
	}
	if (in->fmt == DTV_FMT_FP || in->fmt == DTV_FMT_R4)
		need_frm(tx);

	switch (op) {
	case DTV_OP_FLW:
		load(tx, dbl);
		break;
	case DTV_OP_FSW:
		store(tx, dbl);
		break;
	case DTV_OP_FMADD_S:
		fused(tx, FMA_MADD, dbl);
		break;
	case DTV_OP_FMSUB_S:
		fused(tx, FMA_MSUB, dbl);
		break;
	/* The n of RISC-V negates the whole, the host's the product alone. */
	case DTV_OP_FNMSUB_S:
		fused(tx, FMA_NMADD, dbl);
		break;
	case DTV_OP_FNMADD_S:
		fused(tx, DTV_MUTANT(fnmadd_sign, FMA_NMADD, FMA_NMSUB), dbl);
		break;
	case DTV_OP_FADD_S:
		arith(tx, SSE_ADD, dbl);
		break;
	case DTV_OP_FSUB_S:
		arith(tx, SSE_SUB, dbl);
		break;
	case DTV_OP_FMUL_S:
		arith(tx, SSE_MUL, dbl);
		break;
	case DTV_OP_FDIV_S:
		arith(tx, SSE_DIV, dbl);
		break;
	case DTV_OP_FSQRT_S:
		square_root(tx, dbl);
		break;
	case DTV_OP_FSGNJ_S:
		sign(tx, SIGN_COPY, dbl);
		break;
	case DTV_OP_FSGNJN_S:
		sign(tx, SIGN_NEGATE, dbl);
		break;
	case DTV_OP_FSGNJX_S:
		sign(tx, DTV_MUTANT(fsgnjx_copy, SIGN_COPY, SIGN_XOR), dbl);
		break;
	case DTV_OP_FMIN_S:
		minmax(tx, false, dbl);
		break;
	case DTV_OP_FMAX_S:
		minmax(tx, true, dbl);
		break;
	case DTV_OP_FLE_S:
		less(tx, DTV_MUTANT(fle_strict, CC_A, CC_AE), dbl);
		break;
	case DTV_OP_FLT_S:
		less(tx, CC_A, dbl);
		break;
	case DTV_OP_FEQ_S:
		equal(tx, dbl);
		break;
	case DTV_OP_FCLASS_S:
		classify(tx, dbl);
		break;
	case DTV_OP_FCVT_W_S:
		to_signed(tx, dbl, false);
		break;
	case DTV_OP_FCVT_L_S:
		to_signed(tx, dbl, true);
		break;
	case DTV_OP_FCVT_WU_S:
		to_u32(tx, dbl);
		break;
	case DTV_OP_FCVT_LU_S:
		to_u64(tx, dbl);
		break;
	case DTV_OP_FCVT_S_W:
		from_int(tx, dbl, false, false);
		break;
	case DTV_OP_FCVT_S_WU:
		from_int(tx, dbl, false, true);
		break;
	case DTV_OP_FCVT_S_L:
		from_int(tx, dbl, true, false);
		break;
	case DTV_OP_FCVT_S_LU:
		from_int(tx, dbl, true, true);
		break;
	case DTV_OP_FCVT_S_D:
		to_single(tx);
		break;
	case DTV_OP_FCVT_D_S:
		to_double(tx);
		break;
	case DTV_OP_FMV_W_X:
		move_from_x(tx, dbl);
		break;
	case DTV_OP_FMV_X_W:
		move_to_x(tx, dbl);
		break;
	}
	return true;
}
