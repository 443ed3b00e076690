// SPDX-License-Identifier: GPL-2.0-only
/*
 * select_int.c - integer computation, branches, jumps and system instructions
 * of RV64IM on x86-64. Unprivileged manual chapters 2, 4, 13.
 */
#include "select.h"

static void fact_known(struct dtv_tx *tx, u64 value)
{
	tx->pend_known = true;
	tx->pend_value = value;
}

static bool known(const struct dtv_tx *tx, u8 r, u64 *value)
{
	if (r == 0) {
		*value = 0;
		return true;
	}
	*value = tx->facts.value[r];
	return tx->facts.known & 1U << r;
}

/* x[rd] = constant, in one host instruction where the commit must be one. */
static void set_const(struct dtv_tx *tx, u8 rd, u64 value)
{
	struct dtv_buf *b = &tx->b;

	fact_known(tx, value);
	if (rd == 0)
		return;
	if (mapped(rd)) {
		mov_ri(b, dtv_x86_map[rd], value);
	} else if (x86_is_s32(value)) {
		mov_mi(b, slot(rd), value);
		drop_copies(tx, rd);
	} else {
		u8 h = scratch(tx);

		mov_ri(b, h, value);
		done(tx, rd, h);
	}
}

/* What follows may write a mapped rd more than once: a kick must not rewind it. */
static void busy(struct dtv_tx *tx)
{
	/* In a pair it is refused anyhow. */
	if (tx->nr_entries && !tx->pair)
		tx->entries[tx->nr_entries - 1].kind = ENTRY_BUSY;
}

/*
 * Slots are read by plain mov: hosts forward those from a store still in flight by renaming,
 * at a cost of a cycle each, but operands of other instructions through the store queue, in eight.
 * They are changed in place where there is no copy: that is as fast as in a register.
 */
static bool in_place(struct dtv_tx *tx, u8 r)
{
	if (mapped(r) || copy_of(tx, r) != X86_NO_REG)
		return false;
	/* Who reads it soon takes a copy. */
	return tx->step->next_rd > tx->n + 3;
}

/* d = x[r] as first of several steps */
static void begin(struct dtv_tx *tx, u8 d, u8 r)
{
	u8 h = copy_of(tx, r);

	if (d > RDX)
		busy(tx);
	if (h == X86_NO_REG)
		load_reg(tx, d, r);
	else
		mov_rr(&tx->b, d, h);
}

/* x[rd] = x[rs] */
static void move(struct dtv_tx *tx, u8 rd, u8 rs)
{
	if (tx->facts.canon & 1U << rs) {
		tx->pend_canon = true;
		tx->pend_drift = tx->facts.drift[rs];
	}
	if (rd == rs) {
		/* It may be the one that is to save the value. */
		if (copy_of(tx, rd) <= RDX)
			done(tx, rd, change(tx, rd));
		return;
	}
	if (mapped(rd) && copy_of(tx, rs) == X86_NO_REG)
		load_reg(tx, dtv_x86_map[rd], rs);
	else
		done(tx, rd, use(tx, rs));
}

static void addi(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u64 v;
	u8 s, d;

	if (in->rd == 0)
		return;
	if (known(tx, in->rs1, &v)) {
		set_const(tx, in->rd, DTV_MUTANT(addi_known, v - in->imm, v + in->imm));
		return;
	}
	if (in->imm == 0) {
		move(tx, in->rd, in->rs1);
		return;
	}
	if (tx->facts.canon & 1U << in->rs1) {
		s64 drift = (s64)tx->facts.drift[in->rs1] + in->imm;

		tx->pend_canon = drift > -(1 << 30) && drift < 1 << 30;
		tx->pend_drift = drift;
	}
	if (in->rd == in->rs1) {
		if (in_place(tx, in->rd)) {
			alu_mi(b, ALU_ADD, slot(in->rd),
			       DTV_MUTANT(addi_slot, in->imm + 1, in->imm));
		} else {
			d = change(tx, in->rd);
			alu_ri(b, ALU_ADD, d, in->imm);
			done(tx, in->rd, d);
		}
		return;
	}
	s = use(tx, in->rs1);
	d = def(tx, in->rd);
	lea_rm(b, d, x86_base(s, in->imm));
	done(tx, in->rd, d);
}

static void alu_imm(struct dtv_tx *tx, enum x86_alu op)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u64 v;
	u8 d;

	if (in->rd == 0)
		return;
	if (known(tx, in->rs1, &v)) {
		u64 i = (s64)in->imm;

		set_const(tx, in->rd, op == ALU_AND ? v & i : op == ALU_OR ? v | i : v ^ i);
		return;
	}
	if (in->rd == in->rs1 && in_place(tx, in->rd)) {
		alu_mi(b, op, slot(in->rd), in->imm);
		return;
	}
	if (op == ALU_AND && DTV_MUTANT(andi_byte, in->imm & 255, in->imm) == 255) {
		u8 s = use(tx, in->rs1);

		d = def(tx, in->rd);
		movzx8_rr(b, d, s);
		done(tx, in->rd, d);
		return;
	}
	if (in->rd == in->rs1) {
		d = change(tx, in->rd);
	} else {
		d = def(tx, in->rd);
		begin(tx, d, in->rs1);
	}
	if (DTV_MUTANT(xori_not, op != ALU_AND, op == ALU_XOR) && in->imm == -1)
		not_r(b, d);
	else
		alu_ri(b, op, d, in->imm);
	done(tx, in->rd, d);
}

static void alu_reg(struct dtv_tx *tx, enum x86_alu op)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u8 rs1 = in->rs1, rs2 = in->rs2, s, d;
	u64 v1, v2;

	if (in->rd == 0)
		return;
	if (known(tx, rs1, &v1) && known(tx, rs2, &v2)) {
		set_const(tx, in->rd,
			  op == ALU_ADD ? v1 + v2 :
			  op == ALU_SUB ? v1 - v2 :
			  op == ALU_AND ? v1 & v2 :
			  op == ALU_OR	? v1 | v2 :
					  v1 ^ v2);
		return;
	}
	if (DTV_MUTANT(and_x0, false, op == ALU_AND) && (rs1 == 0 || rs2 == 0)) {
		set_const(tx, in->rd, 0);
		return;
	}
	if (rs2 == 0 || (rs1 == 0 && op != ALU_SUB)) {
		move(tx, in->rd, rs1 | rs2);
		return;
	}
	if (DTV_MUTANT(sub_swap, true, op != ALU_SUB) && rs1 != in->rd && rs2 == in->rd) {
		rs2 = rs1;
		rs1 = in->rd;
	}
	s = use(tx, rs2);
	if (in->rd == rs1) {
		if (in_place(tx, rs1)) {
			alu_mr(b, op, slot(rs1), s);
		} else {
			d = change(tx, rs1);
			alu_rr(b, op, d, s);
			done(tx, rs1, d);
		}
		return;
	}
	if (op == ALU_ADD) {
		struct x86_mem m = { .base = use(tx, rs1), .index = s };

		d = def(tx, in->rd);
		lea_rm(b, d, m);
		done(tx, in->rd, d);
		return;
	}
	/* rd may be a source (sub rd, rs1, rd): compute beside it. */
	d = in->rd == DTV_MUTANT(sub_alias, 0, rs2) ? scratch(tx) : def(tx, in->rd);
	begin(tx, d, rs1);
	alu_rr(b, op, d, s);
	done(tx, in->rd, d);
}

/* The 32-bit result in @h, sign-extended into rd. */
static void done32(struct dtv_tx *tx, u8 rd, u8 h)
{
	u8 d = mapped(rd) ? dtv_x86_map[rd] : h;

	(DTV_MUTANT(w_no_sign, mov32_rr, movsxd_rr))(&tx->b, d, h);
	done(tx, rd, d);
}

static void addiw(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	u64 v;
	u8 s, d;

	if (in->rd == 0)
		return;
	if (known(tx, in->rs1, &v)) {
		v += in->imm;
		set_const(tx, in->rd, DTV_MUTANT(addiw_known, (u32)v, (u64)(s64)(s32)v));
		return;
	}
	if (in->imm == 0 && DTV_MUTANT(sext_assumed, ~0U, tx->facts.sext) & 1U << in->rs1) {
		move(tx, in->rd, in->rs1);
		return;
	}
	s = use(tx, in->rs1);
	if (in->imm == 0) {
		d = def(tx, in->rd);
		movsxd_rr(&tx->b, d, s);
		done(tx, in->rd, d);
		return;
	}
	d = scratch(tx);
	lea32_rm(&tx->b, d, x86_base(s, in->imm));
	done32(tx, in->rd, d);
}

static void alu_regw(struct dtv_tx *tx, enum x86_alu op)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u8 s, d;

	if (in->rd == 0)
		return;
	if (op == ALU_ADD && in->rs1 && in->rs2) {
		struct x86_mem m = { .base = use(tx, in->rs1), .index = use(tx, in->rs2) };

		d = scratch(tx);
		lea32_rm(b, d, m);
	} else {
		s = in->rs2 ? use(tx, in->rs2) : X86_NO_REG;
		d = scratch(tx);
		begin(tx, d, in->rs1);
		if (in->rs2)
			alu32_rr(b, op, d, s);
	}
	done32(tx, in->rd, d);
}

static void shift_imm(struct dtv_tx *tx, enum x86_shift op)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u64 v;
	u8 d;

	if (in->rd == 0)
		return;
	if (known(tx, in->rs1, &v)) {
		op = DTV_MUTANT(srai_known, op == SH_SAR ? SH_SHR : op, op);
		set_const(tx, in->rd,
			  op == SH_SHL ? v << in->imm :
			  op == SH_SHR ? v >> in->imm :
					 (u64)((s64)v >> in->imm));
		return;
	}
	if (in->imm == 0) {
		move(tx, in->rd, in->rs1);
		return;
	}
	if (in->rd == in->rs1 && in_place(tx, in->rd)) {
		shift_mi(b, op, slot(in->rd), in->imm);
		return;
	}
	if (in->rd == in->rs1) {
		d = change(tx, in->rd);
	} else {
		d = def(tx, in->rd);
		begin(tx, d, in->rs1);
	}
	shift_ri(b, op, d, DTV_MUTANT(shift_imm_mask, in->imm & 31, in->imm));
	done(tx, in->rd, d);
}

static void shift_immw(struct dtv_tx *tx, enum x86_shift op)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u8 s, d;

	if (in->rd == 0)
		return;
	if (op == SH_SHL || in->imm == 0) {
		d = scratch(tx);
		begin(tx, d, in->rs1);
		if (in->imm)
			shift32_ri(b, op, d, in->imm);
		done32(tx, in->rd, d);
		return;
	}
	/* A logical shift leaves bit 31 clear, so that zero extension is right. */
	s = use(tx, in->rs1);
	d = in->rd == in->rs1 ? change(tx, in->rd) : def(tx, in->rd);
	if (op == SH_SHR) {
		if (d != s) {
			if (d > RDX)
				busy(tx);
			mov32_rr(b, d, s);
		}
		shift32_ri(b, op, d, in->imm);
	} else {
		if (d != s || !(tx->facts.sext & 1U << in->rs1)) {
			if (d > RDX)
				busy(tx);
			movsxd_rr(b, d, s);
		}
		shift_ri(b, op, d, in->imm);
	}
	done(tx, in->rd, d);
}

static void shift_reg(struct dtv_tx *tx, enum x86_shift op, bool w)
{
	const struct dtv_insn *in = &tx->insn;
	u8 s, n, d;

	if (in->rd == 0)
		return;
	s = use(tx, in->rs1);
	n = use(tx, in->rs2);
	d = w ? def(tx, in->rd) : scratch(tx);
	x86_shx(&tx->b, DTV_MUTANT(shiftw_wide, true, w), op, d, s, n);
	if (w)
		done(tx, in->rd, d);
	else
		done32(tx, in->rd, d);
}

static void set_flag(struct dtv_tx *tx, enum x86_cc cc)
{
	u8 h = scratch(tx), d = mapped(tx->insn.rd) ? dtv_x86_map[tx->insn.rd] : h;

	setcc_r(&tx->b, cc, h);
	movzx8_rr(&tx->b, d, h);
	done(tx, tx->insn.rd, d);
}

static void slt_imm(struct dtv_tx *tx, enum x86_cc cc)
{
	const struct dtv_insn *in = &tx->insn;
	u64 v, i = (s64)in->imm;

	if (in->rd == 0)
		return;
	if (known(tx, in->rs1, &v)) {
		set_const(tx, in->rd,
			  DTV_MUTANT(slti_known, false, cc == CC_L) ? (s64)v < (s64)i : v < i);
		return;
	}
	alu_ri(&tx->b, ALU_CMP, use(tx, in->rs1), in->imm);
	set_flag(tx, cc);
}

static void slt_reg(struct dtv_tx *tx, enum x86_cc cc)
{
	const struct dtv_insn *in = &tx->insn;
	u8 s1;

	if (in->rd == 0)
		return;
	s1 = use(tx, in->rs1);
	alu_rr(&tx->b, ALU_CMP, s1, use(tx, in->rs2));
	set_flag(tx, cc);
}

static void mul(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	u8 rs1 = in->rs1, rs2 = in->rs2, s, d;

	if (in->rd == 0)
		return;
	if (rs1 == 0 || rs2 == 0) {
		set_const(tx, in->rd, 0);
		return;
	}
	if (in->rd == DTV_MUTANT(mul_alias, 0, rs2)) {
		rs2 = rs1;
		rs1 = in->rd;
	}
	s = use(tx, rs2);
	if (in->rd == rs1) {
		d = change(tx, rs1);
		/* rd may be both sources, and its copy then is too. */
	} else {
		d = def(tx, in->rd);
		begin(tx, d, rs1);
	}
	imul_rr(&tx->b, d, s);
	done(tx, in->rd, d);
}

static void mulw(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	u8 s, d;

	if (in->rd == 0)
		return;
	s = use(tx, in->rs2);
	d = scratch(tx);
	begin(tx, d, in->rs1);
	imul32_rr(&tx->b, d, s);
	done32(tx, in->rd, d);
}

/* The 32-bit result in @h, for code that keeps no copies. */
static void commit32(struct dtv_tx *tx, u8 rd, u8 h)
{
	u8 d = dst(tx, rd, RAX);

	(DTV_MUTANT(w_no_sign, mov32_rr, movsxd_rr))(&tx->b, d, h);
	commit(tx, rd, d);
}

static void mulh(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u8 s2;

	if (in->rd == 0)
		return;
	load_reg(tx, RAX, in->rs1);
	s2 = src(tx, in->rs2, RCX);
	if (in->op == DTV_OP_MULH)
		imul_r(b, s2);
	else
		mul_r(b, s2);
	if (in->op == DTV_MUTANT(mulhsu_unsigned, DTV_OP_MUL, DTV_OP_MULHSU)) {
		/* The unsigned product counted a negative rs1 as 2^64 too much. */
		load_reg(tx, RAX, in->rs1);
		shift_ri(b, SH_SAR, RAX, 63);
		alu_rr(b, ALU_AND, RAX, s2);
		alu_rr(b, ALU_SUB, RDX, RAX);
	}
	commit(tx, in->rd, RDX);
}

/* Division by zero and overflow give values, not traps (unprivileged manual 13.2). */
static void divide(struct dtv_tx *tx, bool sign, bool rem, bool w)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u8 *zero, *minus = NULL, *done, *done2 = NULL;
	u8 res = rem ? RDX : RAX;

	if (in->rd == 0)
		return;
	load_reg(tx, RCX, in->rs2);
	load_reg(tx, RAX, in->rs1);
	if (DTV_MUTANT(divw_zero, false, w))
		test32_rr(b, RCX, RCX);
	else
		test_rr(b, RCX, RCX);
	zero = jcc_rel8(b, CC_E);
	if (sign) {
		if (w)
			alu32_ri(b, ALU_CMP, RCX, -1);
		else
			alu_ri(b, ALU_CMP, RCX, -1);
		minus = jcc_rel8(b, DTV_MUTANT(div_minus_one, CC_O, CC_E));
		if (w)
			cdq(b);
		else
			cqo(b);
		idiv_r(b, !w, RCX);
	} else {
		alu32_rr(b, ALU_XOR, RDX, RDX);
		div_r(b, !w, RCX);
	}
	done = jmp_rel8(b);
	if (sign) {
		x86_fix8(b, minus, b->p);
		if (rem)
			alu32_rr(b, ALU_XOR, RDX, RDX);
		else if (w)
			neg32_r(b, RAX);
		else
			neg_r(b, RAX);
		done2 = jmp_rel8(b);
	}
	x86_fix8(b, zero, b->p);
	if (rem)
		mov_rr(b, RDX, DTV_MUTANT(rem_zero, RCX, RAX));
	else
		alu_ri(b, ALU_OR, RAX, DTV_MUTANT(div_zero_value, 0, -1));
	x86_fix8(b, done, b->p);
	if (done2)
		x86_fix8(b, done2, b->p);
	if (w)
		commit32(tx, in->rd, res);
	else
		commit(tx, in->rd, res);
}

static void branch(struct dtv_tx *tx, enum x86_cc cc)
{
	const struct dtv_insn *in = &tx->insn;
	u8 s1 = use(tx, in->rs1), s2 = in->rs2 ? use(tx, in->rs2) : X86_NO_REG;

	branch_exit(tx, cc, tx->pc + in->imm, s1, s2);
}

#define RA 1

/* jal, or jalr to a known address. An address too far for a chain goes by the jump cache. */
static void direct_jump(struct dtv_tx *tx, gva_t target)
{
	const struct dtv_insn *in = &tx->insn;
	gva_t link = tx->pc + DTV_MUTANT(link_len, 4, in->len);

	tx->end = true;
	set_const(tx, in->rd, link);
	tx->count++;
	if (!x86_is_s32(target - tx->block_pc)) {
		/* rd is committed, and may be what the target was made from. */
		dtv_tx_entry(tx, ENTRY_BUSY);
		mov_ri(&tx->b, RAX, target);
		if (in->rd == RA)
			jump_call_exit(tx, link);
		else
			jump_exit(tx);
	} else if (in->rd == RA) {
		call_exit(tx, target, link);
	} else {
		dtv_x86_chain_exit(tx, target);
	}
}

static void jalr(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u64 v;

	tx->end = true;
	if (known(tx, in->rs1, &v)) {
		direct_jump(tx, (v + DTV_MUTANT(jalr_offset, 0, in->imm)) & ~1ULL);
		return;
	}
	if (in->rd == 0 && in->rs1 == RA && in->imm == 0) {
		return_exit(tx);
		return;
	}
	lea_rm(b, RAX, x86_base(src(tx, in->rs1, RAX), in->imm));
	alu_ri(b, ALU_AND, RAX, DTV_MUTANT(jalr_odd, -1, -2));
	if (in->rd && !mapped(in->rd) && !x86_is_s32(tx->pc + in->len)) {
		mov_ri(b, RCX, tx->pc + in->len);
		commit(tx, in->rd, RCX);
	} else {
		set_const(tx, in->rd, tx->pc + in->len);
	}
	tx->count += DTV_MUTANT(count_jump, 0, 1);
	if (in->rd == RA)
		jump_call_exit(tx, tx->pc + in->len);
	else
		jump_exit(tx);
}

/* fence: x86 is TSO; only a store before a load needs an instruction. */
static void fence(struct dtv_tx *tx)
{
	unsigned int pred = tx->insn.raw >> 24 & 15, succ = tx->insn.raw >> 20 & 15;
	bool tso = tx->insn.raw >> 28 == 8;

	/* pause: fence w, 0 */
	if (tx->insn.raw == 0x0100000f && (tx->d->isa & DTV_ISA_ZIHINTPAUSE))
		x86_pause(&tx->b);
	if (DTV_MUTANT(fence_nothing, false, !tso && (pred & 5) && (succ & 10)))
		lock_alu_mi(&tx->b, ALU_OR, HART(scratch), 0);
}

/* Several instructions as one; see enum dtv_fuse. */
static void fused(struct dtv_tx *tx)
{
	const struct dtv_step *f = tx->step;
	struct dtv_buf *b = &tx->b;
	u8 rd = tx->insn.rd, s = use(tx, f->fuse_reg), d;
	struct x86_mem m;

	switch ((enum dtv_fuse)f->fuse) {
	case FUSE_ROR32:
		d = scratch(tx);
		rorx_rri(b, false, d, s, f->fuse_n);
		done32(tx, rd, d);
		return;
	case FUSE_SHADD:
		m = x86_base(use(tx, f->fuse_base), 0);
		m.index = s;
		m.scale = f->fuse_n;
		d = def(tx, rd);
		lea_rm(b, d, m);
		done(tx, rd, d);
		return;
	default:
		break;
	}
	d = def(tx, rd);
	switch ((enum dtv_fuse)f->fuse) {
	case FUSE_ROR64:
		rorx_rri(b, true, d, s, f->fuse_n);
		break;
	case FUSE_ZEXT32_SHL:
		if (d > RDX)
			busy(tx);
		mov32_rr(b, d, s);
		shift_ri(b, SH_SHL, d, f->fuse_n);
		break;
	case FUSE_ZEXT16:
		movzx16_rr(b, d, s);
		break;
	case FUSE_SEXT16:
		movsx16_rr(b, d, s);
		break;
	case FUSE_SEXT8:
		movsx8_rr(b, d, s);
		break;
	default:
		mov32_rr(b, d, s);
		break;
	}
	done(tx, rd, d);
}

bool dtv_x86_int(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;

	if (tx->step->fuse != FUSE_NONE) {
		fused(tx);
		return true;
	}
	switch (in->op) {
	case DTV_OP_LUI:
		set_const(tx, in->rd, DTV_MUTANT(lui_unsigned, (u32)in->imm, (u64)(s64)in->imm));
		break;
	case DTV_OP_AUIPC:
		set_const(tx, in->rd, tx->pc + (s64)in->imm + DTV_MUTANT(auipc_next, 4, 0));
		break;
	case DTV_OP_JAL:
		direct_jump(tx, tx->pc + in->imm);
		break;
	case DTV_OP_JALR:
		jalr(tx);
		break;
	case DTV_OP_BEQ:
		branch(tx, CC_E);
		break;
	case DTV_OP_BNE:
		branch(tx, CC_NE);
		break;
	case DTV_OP_BLT:
		branch(tx, CC_L);
		break;
	case DTV_OP_BGE:
		branch(tx, DTV_MUTANT(bge_polarity, CC_L, DTV_MUTANT(bge_equal, CC_G, CC_GE)));
		break;
	case DTV_OP_BLTU:
		branch(tx, DTV_MUTANT(bltu_signed, CC_L, CC_B));
		break;
	case DTV_OP_BGEU:
		branch(tx, CC_AE);
		break;
	case DTV_OP_ADDI:
		addi(tx);
		break;
	case DTV_OP_SLTI:
		slt_imm(tx, CC_L);
		break;
	case DTV_OP_SLTIU:
		slt_imm(tx, CC_B);
		break;
	case DTV_OP_XORI:
		alu_imm(tx, ALU_XOR);
		break;
	case DTV_OP_ORI:
		alu_imm(tx, ALU_OR);
		break;
	case DTV_OP_ANDI:
		alu_imm(tx, ALU_AND);
		break;
	case DTV_OP_SLLI:
		shift_imm(tx, SH_SHL);
		break;
	case DTV_OP_SRLI:
		shift_imm(tx, SH_SHR);
		break;
	case DTV_OP_SRAI:
		shift_imm(tx, SH_SAR);
		break;
	case DTV_OP_ADD:
		alu_reg(tx, ALU_ADD);
		break;
	case DTV_OP_SUB:
		alu_reg(tx, ALU_SUB);
		break;
	case DTV_OP_XOR:
		alu_reg(tx, ALU_XOR);
		break;
	case DTV_OP_OR:
		alu_reg(tx, ALU_OR);
		break;
	case DTV_OP_AND:
		alu_reg(tx, ALU_AND);
		break;
	case DTV_OP_SLL:
		shift_reg(tx, SH_SHL, true);
		break;
	case DTV_OP_SRL:
		shift_reg(tx, SH_SHR, true);
		break;
	case DTV_OP_SRA:
		shift_reg(tx, DTV_MUTANT(sra_logical, SH_SHR, SH_SAR), true);
		break;
	case DTV_OP_SLT:
		slt_reg(tx, CC_L);
		break;
	case DTV_OP_SLTU:
		slt_reg(tx, CC_B);
		break;
	case DTV_OP_ADDIW:
		addiw(tx);
		break;
	case DTV_OP_SLLIW:
		shift_immw(tx, SH_SHL);
		break;
	case DTV_OP_SRLIW:
		shift_immw(tx, SH_SHR);
		break;
	case DTV_OP_SRAIW:
		shift_immw(tx, SH_SAR);
		break;
	case DTV_OP_ADDW:
		alu_regw(tx, ALU_ADD);
		break;
	case DTV_OP_SUBW:
		alu_regw(tx, ALU_SUB);
		break;
	case DTV_OP_SLLW:
		shift_reg(tx, SH_SHL, false);
		break;
	case DTV_OP_SRLW:
		shift_reg(tx, SH_SHR, false);
		break;
	case DTV_OP_SRAW:
		shift_reg(tx, SH_SAR, false);
		break;
	case DTV_OP_MUL:
		mul(tx);
		break;
	case DTV_OP_MULW:
		mulw(tx);
		break;
	case DTV_OP_MULH:
	case DTV_OP_MULHU:
	case DTV_OP_MULHSU:
		mulh(tx);
		break;
	case DTV_OP_DIV:
		divide(tx, true, false, false);
		break;
	case DTV_OP_DIVU:
		divide(tx, false, false, false);
		break;
	case DTV_OP_REM:
		divide(tx, true, true, false);
		break;
	case DTV_OP_REMU:
		divide(tx, false, true, false);
		break;
	case DTV_OP_DIVW:
		divide(tx, true, false, true);
		break;
	case DTV_OP_DIVUW:
		divide(tx, false, false, true);
		break;
	case DTV_OP_REMW:
		divide(tx, true, true, true);
		break;
	case DTV_OP_REMUW:
		divide(tx, false, true, true);
		break;
	case DTV_OP_FENCE:
		fence(tx);
		break;
	case DTV_OP_CSRRW:
	case DTV_OP_CSRRS:
	case DTV_OP_CSRRC:
	case DTV_OP_CSRRWI:
	case DTV_OP_CSRRSI:
	case DTV_OP_CSRRCI:
	case DTV_OP_SFENCE_VMA:
	case DTV_OP_SINVAL_VMA:
	case DTV_OP_SFENCE_W_INVAL:
	case DTV_OP_SFENCE_INVAL_IR:
		system_exit(tx, DTV_EXIT_SYSTEM, false);
		break;
	default:
		return false;
	}
	return true;
}
