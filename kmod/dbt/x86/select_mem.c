// SPDX-License-Identifier: GPL-2.0-only
/*
 * select_mem.c - loads, stores and atomics: one host access each, with the
 * canonical check where no fact makes it superfluous. Unprivileged manual
 * chapters 2.6 and 14.
 */
#include "select.h"

static bool canonical(u64 gva)
{
	return (s64)(gva << 25) >> 25 == (s64)gva;
}

/*
 * The base register holds a canonical address or the access is left to C. The
 * guards of a view are wider than any drift that facts allow.
 */
static void canon_check(struct dtv_tx *tx, u8 base)
{
	struct dtv_cold *c;

	if (tx->class == DTV_CLASS_S) {
		/* Kernels live in the upper half: base must have all high bits. */
		alu_rm(&tx->b, ALU_CMP, base, HART(canon_mask));
		c = dtv_tx_cold(tx, COLD_CANON_S, jcc_rel32(&tx->b, CC_B));
		c->reg = base;
		c->back = tx->b.p;
	} else {
		test_mr(&tx->b, HART(canon_mask), base);
		dtv_tx_cold(tx, COLD_ACCESS, jcc_rel32(&tx->b, CC_NE));
	}
}

/* The base register's value in its own register, or in @tmp, or where use() puts it. */
static u8 base_reg(struct dtv_tx *tx, u8 rs1, u8 tmp)
{
	return tmp == X86_NO_REG ? use(tx, rs1) : src(tx, rs1, tmp);
}

struct x86_mem guest_mem(struct dtv_tx *tx, u8 rs1, s32 imm, u8 tmp)
{
	u64 value = rs1 ? tx->facts.value[rs1] : 0;
	bool known = rs1 == 0 || (tx->facts.known & 1U << rs1);
	s64 drift;
	u8 base;

	if (known && canonical(value + imm)) {
		if (x86_is_s32(value + imm))
			return x86_view(X86_NO_REG, value + imm);
		if (canonical(value))
			return x86_view(base_reg(tx, rs1, tmp), imm);
	}
	base = base_reg(tx, rs1, tmp);
	drift = tx->facts.drift[rs1];
	if (rs1 == 0 || !(tx->facts.canon & 1U << rs1) || drift + imm > 1 << 30 ||
	    drift + imm < -(1 << 30) || !opt(tx, DTV_OPT_CANON)) {
		if (DTV_MUTANT(canon_unchecked, false, true))
			canon_check(tx, base);
		tx->facts.canon |= 1U << rs1;
		tx->facts.drift[rs1] = 0;
	}
	return x86_view(base, imm);
}

static void load(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	struct x86_mem m = guest_mem(tx, in->rs1, in->imm, X86_NO_REG);
	struct dtv_buf *b = &tx->b;
	u8 d = in->rd ? def(tx, in->rd) : scratch(tx);

	if (DTV_MUTANT(load_early, in->rd != in->rs1, false))
		alu32_rr(b, ALU_XOR, d, d);
	switch (in->op) {
	case DTV_OP_LB:
		(DTV_MUTANT(lb_unsigned, movzx8_rm, movsx8_rm))(b, d, m);
		break;
	case DTV_OP_LH:
		movsx16_rm(b, d, m);
		break;
	case DTV_OP_LW:
		movsxd_rm(b, d, m);
		break;
	case DTV_OP_LD:
		mov_rm(b, d, m);
		break;
	case DTV_OP_LBU:
		movzx8_rm(b, d, m);
		break;
	case DTV_OP_LHU:
		(DTV_MUTANT(lh_wide, mov32_rm, movzx16_rm))(b, d, m);
		break;
	case DTV_OP_LWU:
		(DTV_MUTANT(lwu_signed, movsxd_rm, mov32_rm))(b, d, m);
		break;
	}
	done(tx, in->rd, d);
}

static void store(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	struct x86_mem m = guest_mem(tx, in->rs1, in->imm, X86_NO_REG);
	struct dtv_buf *b = &tx->b;
	u8 s;

	if (in->rs2 == 0) {
		switch (in->op) {
		case DTV_OP_SB:
			mov8_mi(b, m, 0);
			break;
		case DTV_OP_SH:
			mov16_mi(b, m, 0);
			break;
		case DTV_OP_SW:
			mov32_mi(b, m, 0);
			break;
		case DTV_OP_SD:
			mov_mi(b, m, DTV_MUTANT(store_x0, 1, 0));
			break;
		}
		return;
	}
	s = use(tx, in->rs2);
	switch (in->op) {
	case DTV_OP_SB:
		mov8_mr(b, m, s);
		break;
	case DTV_OP_SH:
		(DTV_MUTANT(sh_wide, mov32_mr, mov16_mr))(b, m, s);
		break;
	case DTV_OP_SW:
		mov32_mr(b, m, s);
		break;
	case DTV_OP_SD:
		(DTV_MUTANT(sd_narrow, mov32_mr, mov_mr))(b, m, s);
		break;
	}
}

/*
 * The address of an atomic in a register of its own, naturally aligned or left to C
 * (which raises the exception).
 */
static u8 atomic_base(struct dtv_tx *tx, bool w)
{
	const struct dtv_insn *in = &tx->insn;
	struct x86_mem m = guest_mem(tx, in->rs1, 0, RCX);
	u8 base = m.base;

	if (base == X86_NO_REG) {
		mov_ri(&tx->b, RCX, (s64)m.disp);
		base = RCX;
	}
	test8_ri(&tx->b, base, DTV_MUTANT(amo_misaligned, 0, w ? 7 : 3));
	dtv_tx_cold(tx, COLD_ACCESS, jcc_rel32(&tx->b, CC_NE));
	return base;
}

/*
 * The LR of a pair: keeps the value for its SC. It makes no reservation, and ends one
 * that was there. Any other LR makes one in C.
 */
static void load_reserved(struct dtv_tx *tx, bool w)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u8 base;

	if (!tx->pair && !tx->waits) {
		system_exit(tx, DTV_EXIT_ACCESS, false);
		return;
	}
	base = atomic_base(tx, w);
	if (w)
		mov_rm(b, RAX, x86_view(base, 0));
	else
		(DTV_MUTANT(lr_w_zero, mov32_rm, movsxd_rm))(b, RAX, x86_view(base, 0));
	mov_mi(b, HART(resv_addr), -1);
	mov_mr(b, HART(resv_value), RAX);
	commit(tx, in->rd, RAX);
}

/*
 * A loop around a locked instruction is nearly always interrupted right behind
 * that, where a kick cannot be taken: look for one at the end.
 */
static void look_at_kick(struct dtv_tx *tx)
{
	alu32_mi(&tx->b, ALU_CMP, HART(kicked), 0);
	dtv_tx_cold(tx, COLD_LOOK, jcc_rel32(&tx->b, CC_NE));
}

/* The SC of a pair. Its LR has checked the address: behind one in C another block goes on. */
static void store_paired(struct dtv_tx *tx, bool w)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	struct x86_mem m = guest_mem(tx, in->rs1, 0, RCX);

	mov_rm(b, RAX, DTV_MUTANT(sc_any_value, m, HART(resv_value)));
	lock_cmpxchg_mr(b, w, m, src(tx, in->rs2, RDX));
	setcc_r(b, CC_NE, RAX);
	movzx8_rr(b, RAX, RAX);
	commit(tx, in->rd, RAX);
	look_at_kick(tx);
}

static void store_conditional(struct dtv_tx *tx, bool w)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;

	if (tx->pair && tx->pair == (tx->pc & 0xfff) && tx->pair_rs1 == in->rs1) {
		store_paired(tx, w);
		return;
	}
	atomic_base(tx, w);
	alu_mi(b, ALU_CMP, HART(resv_addr), -1);
	dtv_tx_cold(tx, COLD_ACCESS, jcc_rel32(b, CC_NE));
	if (in->rd) {
		mov_ri(b, RAX, DTV_MUTANT(sc_unreserved, 0, 1));
		commit(tx, in->rd, RAX);
	}
}

static void commit_amo(struct dtv_tx *tx, bool w)
{
	u8 rd = tx->insn.rd;

	if (rd) {
		if (!w)
			(DTV_MUTANT(amo_w_zero, mov32_rr, movsxd_rr))(&tx->b, RAX, RAX);
		commit(tx, rd, RAX);
	}
	look_at_kick(tx);
}

/* amoand, amoor, amoxor, amomin...: a compare-and-swap loop. */
static void amo_loop(struct dtv_tx *tx, bool w)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u8 base = atomic_base(tx, w);
	struct x86_mem m = x86_view(base, 0);
	enum x86_alu op = ALU_AND;
	enum x86_cc keep = CC_L;
	bool minmax = false;
	const u8 *again;

	dtv_tx_entry(tx, ENTRY_BUSY);
	switch (in->op) {
	case DTV_OP_AMOAND_W:
	case DTV_OP_AMOAND_D:
		op = ALU_AND;
		break;
	case DTV_OP_AMOOR_W:
	case DTV_OP_AMOOR_D:
		op = ALU_OR;
		break;
	case DTV_OP_AMOXOR_W:
	case DTV_OP_AMOXOR_D:
		op = ALU_XOR;
		break;
	case DTV_OP_AMOMIN_W:
	case DTV_OP_AMOMIN_D:
		keep = CC_L;
		minmax = true;
		break;
	case DTV_OP_AMOMAX_W:
	case DTV_OP_AMOMAX_D:
		keep = CC_G;
		minmax = true;
		break;
	case DTV_OP_AMOMINU_W:
	case DTV_OP_AMOMINU_D:
		keep = CC_B;
		minmax = true;
		break;
	default:
		keep = DTV_MUTANT(amomaxu_signed, CC_G, CC_A);
		minmax = true;
		break;
	}
	if (!minmax && in->rd == 0) {
		lock_alu_mr(b, w, op, m, src(tx, in->rs2, RAX));
		return;
	}
	if (w)
		mov_rm(b, RAX, m);
	else
		mov32_rm(b, RAX, m);
	again = b->p;
	load_reg(tx, RDX, in->rs2);
	if (minmax) {
		/* rdx = the old value where it stays */
		if (DTV_MUTANT(amo_w_wide, true, w))
			alu_rr(b, ALU_CMP, RAX, RDX);
		else
			alu32_rr(b, ALU_CMP, RAX, RDX);
		cmov_rr(b, keep, RDX, RAX);
	} else {
		alu_rr(b, op, RDX, RAX);
	}
	lock_cmpxchg_mr(b, w, m, RDX);
	x86_fix8(b, jcc_rel8(b, CC_NE), again);
	commit_amo(tx, w);
}

static void amo_add(struct dtv_tx *tx, bool w)
{
	const struct dtv_insn *in = &tx->insn;
	u8 base = atomic_base(tx, w);

	dtv_tx_entry(tx, ENTRY_BUSY);
	if (in->rd == 0) {
		lock_alu_mr(&tx->b, w, ALU_ADD, x86_view(base, 0), src(tx, in->rs2, RAX));
		return;
	}
	load_reg(tx, RAX, in->rs2);
	lock_xadd_mr(&tx->b, w, x86_view(base, 0), RAX);
	commit_amo(tx, w);
}

static void amo_swap(struct dtv_tx *tx, bool w)
{
	u8 base = atomic_base(tx, w);

	dtv_tx_entry(tx, ENTRY_BUSY);
	load_reg(tx, RAX, tx->insn.rs2);
	xchg_mr(&tx->b, w, x86_view(base, 0), RAX);
	commit_amo(tx, w);
}

bool dtv_x86_mem(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;

	BUILD_BUG_ON(DTV_OP_SD - DTV_OP_LB != 10);
	if (in->op >= DTV_OP_LB && in->op <= DTV_OP_SD &&
	    dtv_dbt_is_mmio(tx->d, tx->page_gpa | (tx->pc & 0xfff))) {
		system_exit(tx, DTV_EXIT_ACCESS, false);
		return true;
	}
	switch (tx->insn.op) {
	case DTV_OP_LB:
	case DTV_OP_LH:
	case DTV_OP_LW:
	case DTV_OP_LD:
	case DTV_OP_LBU:
	case DTV_OP_LHU:
	case DTV_OP_LWU:
		load(tx);
		break;
	case DTV_OP_SB:
	case DTV_OP_SH:
	case DTV_OP_SW:
	case DTV_OP_SD:
		store(tx);
		break;
	case DTV_OP_LR_W:
		load_reserved(tx, false);
		break;
	case DTV_OP_LR_D:
		load_reserved(tx, true);
		break;
	case DTV_OP_SC_W:
		store_conditional(tx, false);
		break;
	case DTV_OP_SC_D:
		store_conditional(tx, true);
		break;
	case DTV_OP_AMOSWAP_W:
		amo_swap(tx, false);
		break;
	case DTV_OP_AMOSWAP_D:
		amo_swap(tx, true);
		break;
	case DTV_OP_AMOADD_W:
		amo_add(tx, false);
		break;
	case DTV_OP_AMOADD_D:
		amo_add(tx, true);
		break;
	case DTV_OP_AMOXOR_W:
	case DTV_OP_AMOAND_W:
	case DTV_OP_AMOOR_W:
	case DTV_OP_AMOMIN_W:
	case DTV_OP_AMOMAX_W:
	case DTV_OP_AMOMINU_W:
	case DTV_OP_AMOMAXU_W:
		amo_loop(tx, false);
		break;
	case DTV_OP_AMOXOR_D:
	case DTV_OP_AMOAND_D:
	case DTV_OP_AMOOR_D:
	case DTV_OP_AMOMIN_D:
	case DTV_OP_AMOMAX_D:
	case DTV_OP_AMOMINU_D:
	case DTV_OP_AMOMAXU_D:
		amo_loop(tx, true);
		break;
	default:
		return false;
	}
	return true;
}
