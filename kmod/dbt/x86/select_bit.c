// SPDX-License-Identifier: GPL-2.0-only
/*
 * select_bit.c - Zba, Zbb, Zbc, Zbs, Zbkb and Zicond on x86-64, which has an
 * instruction for nearly each of them: BMI1, BMI2, LZCNT, POPCNT and PCLMULQDQ
 * are there on every host (check_host() in main.c). Unprivileged manual
 * chapters 12, 28, 32.
 *
 * Results are made in rax, or by the last instruction in rd's own register, so
 * that each has one commit.
 */
#include "select.h"

/* A one-operand host instruction: rd = op x[rs1]. */
static void unary(struct dtv_tx *tx, void (*op)(struct dtv_buf *b, u8 d, u8 s))
{
	const struct dtv_insn *in = &tx->insn;
	u8 s = src(tx, in->rs1, RAX), d = dst(tx, in->rd, RAX);

	op(&tx->b, d, s);
	commit(tx, in->rd, d);
}

/* x[rd] = the 32 bits of eax, sign-extended. */
static void commit_word(struct dtv_tx *tx)
{
	u8 d = dst(tx, tx->insn.rd, RAX);

	(DTV_MUTANT(bit_word_sign, mov32_rr, movsxd_rr))(&tx->b, d, RAX);
	commit(tx, tx->insn.rd, d);
}

/* x[rd] = x[rs2] + (x[rs1] << n); @uw: the lower 32 bits of x[rs1] */
static void shift_add(struct dtv_tx *tx, unsigned int n, bool uw)
{
	const struct dtv_insn *in = &tx->insn;
	u8 s1 = src(tx, in->rs1, RAX), s2, d;

	if (uw && in->rs2 == 0 && n == 0) { /* zext.w */
		d = dst(tx, in->rd, RAX);
		mov32_rr(&tx->b, d, s1);
		commit(tx, in->rd, d);
		return;
	}
	if (uw) {
		(DTV_MUTANT(shadd_uw, mov_rr, mov32_rr))(&tx->b, RAX, s1);
		s1 = RAX;
	}
	s2 = src(tx, in->rs2, RCX);
	d = dst(tx, in->rd, RAX);
	n = DTV_MUTANT(shadd_scale, n == 3 ? 2 : n, n);
	lea_rm(&tx->b, d, (struct x86_mem){ .base = s2, .index = s1, .scale = n });
	commit(tx, in->rd, d);
}

static void slli_uw(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;

	(DTV_MUTANT(slli_uw_wide, mov_rr, mov32_rr))(&tx->b, RAX, src(tx, in->rs1, RAX));
	if (in->imm)
		shift_ri(&tx->b, SH_SHL, RAX, in->imm);
	commit(tx, in->rd, RAX);
}

/* rs1 & ~rs2 */
static void andn(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	u8 s1 = src(tx, in->rs1, RAX), s2 = src(tx, in->rs2, RCX), d = dst(tx, in->rd, RAX);

	andn_rrr(&tx->b, d, DTV_MUTANT(andn_swap, s1, s2), DTV_MUTANT(andn_swap, s2, s1));
	commit(tx, in->rd, d);
}

/* rs1 | ~rs2 = ~(~rs1 & rs2) */
static void orn(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;

	andn_rrr(&tx->b, RAX, src(tx, in->rs1, RAX), src(tx, in->rs2, RCX));
	if (DTV_MUTANT(orn_not, false, true))
		not_r(&tx->b, RAX);
	commit(tx, in->rd, RAX);
}

static void xnor(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;

	load_reg(tx, RAX, in->rs1);
	alu_rr(&tx->b, ALU_XOR, RAX, src(tx, in->rs2, RCX));
	if (DTV_MUTANT(xnor_xor, false, true))
		not_r(&tx->b, RAX);
	commit(tx, in->rd, RAX);
}

/* x[rd] = x[rs2] cc x[rs1] ? x[rs2] : x[rs1] */
static void minmax(struct dtv_tx *tx, enum x86_cc cc)
{
	const struct dtv_insn *in = &tx->insn;
	u8 s2;

	load_reg(tx, RAX, in->rs1);
	s2 = src(tx, in->rs2, RCX);
	alu_rr(&tx->b, ALU_CMP, s2, RAX);
	cmov_rr(&tx->b, cc ^ DTV_MUTANT(minmax_other, 1, 0), RAX, s2);
	commit(tx, in->rd, RAX);
}

static void rotate_reg(struct dtv_tx *tx, enum x86_shift op, bool w)
{
	const struct dtv_insn *in = &tx->insn;

	load_reg(tx, RAX, in->rs1);
	load_reg(tx, RCX, in->rs2);
	if (w) {
		shift_rcl(&tx->b, op, RAX);
		commit(tx, in->rd, RAX);
	} else {
		shift32_rcl(&tx->b, op, RAX);
		commit_word(tx);
	}
}

static void rotate_imm(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	u8 s = src(tx, in->rs1, RAX), d = dst(tx, in->rd, RAX);

	rorx_rri(&tx->b, true, d, s, DTV_MUTANT(rori_mask, in->imm & 31, in->imm));
	commit(tx, in->rd, d);
}

static void rotate_immw(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;

	rorx_rri(&tx->b, false, RAX, src(tx, in->rs1, RAX), in->imm);
	commit_word(tx);
}

/* Each byte: all ones unless it is zero. */
static void orc_b(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;

	movq_xr(b, true, 0, src(tx, in->rs1, RAX));
	xorps_rrr(b, 1, 1, 1);
	pcmpeqb_rr(b, 0, 1);
	movq_rx(b, true, RAX, 0);
	if (DTV_MUTANT(orc_not, false, true))
		not_r(b, RAX);
	commit(tx, in->rd, RAX);
}

static void rev8(struct dtv_tx *tx)
{
	load_reg(tx, RAX, tx->insn.rs1);
	if (DTV_MUTANT(rev8_nothing, false, true))
		bswap_r(&tx->b, RAX);
	commit(tx, tx->insn.rd, RAX);
}

/* The bits of each byte in the other order: swap neighbours, pairs, nibbles. */
static void brev8(struct dtv_tx *tx)
{
	static const u64 masks[] = { 0x5555555555555555, 0x3333333333333333, 0x0f0f0f0f0f0f0f0f };
	struct dtv_buf *b = &tx->b;
	unsigned int i;

	load_reg(tx, RAX, tx->insn.rs1);
	for (i = DTV_MUTANT(brev8_pairs, 1, 0); i < ARRAY_SIZE(masks); i++) {
		mov_ri(b, RDX, masks[i]);
		mov_rr(b, RCX, RAX);
		shift_ri(b, SH_SHR, RCX, 1 << i);
		alu_rr(b, ALU_AND, RAX, RDX);
		alu_rr(b, ALU_AND, RCX, RDX);
		shift_ri(b, SH_SHL, RAX, 1 << i);
		alu_rr(b, ALU_OR, RAX, RCX);
	}
	commit(tx, tx->insn.rd, RAX);
}

/* The lower halves (words, bytes) of rs1 and rs2, rs1's below. */
static void pack(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;

	load_reg(tx, RCX, in->rs2);
	mov32_rr(b, RAX, src(tx, in->rs1, RAX));
	shift_ri(b, SH_SHL, RCX, DTV_MUTANT(pack_shift, 16, 32));
	alu_rr(b, ALU_OR, RAX, RCX);
	commit(tx, in->rd, RAX);
}

static void packh(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;

	movzx8_rr(b, RCX, src(tx, in->rs2, RCX));
	(DTV_MUTANT(packh_word, movzx16_rr, movzx8_rr))(b, RAX, src(tx, in->rs1, RAX));
	shift32_ri(b, SH_SHL, RCX, 8);
	alu32_rr(b, ALU_OR, RAX, RCX);
	commit(tx, in->rd, RAX);
}

static void packw(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;

	load_reg(tx, RCX, in->rs2);
	(DTV_MUTANT(packw_byte, movzx8_rr, movzx16_rr))(b, RAX, src(tx, in->rs1, RAX));
	shift32_ri(b, SH_SHL, RCX, 16);
	alu32_rr(b, ALU_OR, RAX, RCX);
	commit_word(tx);
}

/* Bit x[rs2] of x[rs1]: the host takes it modulo 64, too. */
static void bit_reg(struct dtv_tx *tx, enum x86_bit op)
{
	const struct dtv_insn *in = &tx->insn;

	load_reg(tx, RAX, in->rs1);
	bit_rr(&tx->b, op, RAX, src(tx, in->rs2, RCX));
	commit(tx, in->rd, RAX);
}

static void bit_imm(struct dtv_tx *tx, enum x86_bit op)
{
	const struct dtv_insn *in = &tx->insn;

	load_reg(tx, RAX, in->rs1);
	bit_ri(&tx->b, op, RAX, DTV_MUTANT(bit_imm_mask, in->imm & 31, in->imm));
	commit(tx, in->rd, RAX);
}

static void commit_carry(struct dtv_tx *tx)
{
	u8 d = dst(tx, tx->insn.rd, RAX);

	setcc_r(&tx->b, DTV_MUTANT(bext_not, CC_AE, CC_B), RAX);
	movzx8_rr(&tx->b, d, RAX);
	commit(tx, tx->insn.rd, d);
}

static void bext(struct dtv_tx *tx)
{
	u8 s = src(tx, tx->insn.rs1, RAX);

	bit_rr(&tx->b, BIT_TEST, s, src(tx, tx->insn.rs2, RCX));
	commit_carry(tx);
}

static void bexti(struct dtv_tx *tx)
{
	bit_ri(&tx->b, BIT_TEST, src(tx, tx->insn.rs1, RAX), tx->insn.imm);
	commit_carry(tx);
}

/* The product has 127 bits: clmulr gives the upper 64 of them. */
static void clmul(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;

	movq_xr(b, true, 0, src(tx, in->rs1, RAX));
	movq_xr(b, true, 1, src(tx, in->rs2, RCX));
	pclmullqlqdq_rr(b, 0, 1);
	if (in->op == DTV_MUTANT(clmulh_low, DTV_OP_CLMULR, DTV_OP_CLMULH))
		pextrq_rxi(b, RAX, 0, 1);
	else
		movq_rx(b, true, RAX, 0);
	if (in->op == DTV_OP_CLMULR) {
		pextrq_rxi(b, RDX, 0, 1);
		shld_rri(b, RDX, RAX, DTV_MUTANT(clmulr_shift, 2, 1));
		commit(tx, in->rd, RDX);
		return;
	}
	commit(tx, in->rd, RAX);
}

/* x[rd] = x[rs2] cc 0 ? 0 : x[rs1] */
static void czero(struct dtv_tx *tx, enum x86_cc cc)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u8 s2;

	load_reg(tx, RAX, in->rs1);
	s2 = src(tx, in->rs2, RDX);
	alu32_rr(b, ALU_XOR, RCX, RCX);
	(DTV_MUTANT(czero_word, test32_rr, test_rr))(b, s2, s2);
	cmov_rr(b, cc, RAX, RCX);
	commit(tx, in->rd, RAX);
}

bool dtv_x86_bit(struct dtv_tx *tx)
{
	switch (tx->insn.op) {
	case DTV_OP_WRS_NTO:
	case DTV_OP_WRS_STO:
		/* Waiting may end at any time (unprivileged manual 15). */
		x86_pause(&tx->b);
		return true;
	}
	if (tx->insn.op < DTV_OP_SH1ADD || tx->insn.op > DTV_OP_CZERO_NEZ)
		return false;
	if (tx->insn.rd == 0)
		return true;
	switch (tx->insn.op) {
	case DTV_OP_SH1ADD:
		shift_add(tx, 1, false);
		break;
	case DTV_OP_SH2ADD:
		shift_add(tx, 2, false);
		break;
	case DTV_OP_SH3ADD:
		shift_add(tx, 3, false);
		break;
	case DTV_OP_ADD_UW:
		shift_add(tx, 0, true);
		break;
	case DTV_OP_SH1ADD_UW:
		shift_add(tx, 1, true);
		break;
	case DTV_OP_SH2ADD_UW:
		shift_add(tx, 2, true);
		break;
	case DTV_OP_SH3ADD_UW:
		shift_add(tx, 3, true);
		break;
	case DTV_OP_SLLI_UW:
		slli_uw(tx);
		break;
	case DTV_OP_ANDN:
		andn(tx);
		break;
	case DTV_OP_ORN:
		orn(tx);
		break;
	case DTV_OP_XNOR:
		xnor(tx);
		break;
	case DTV_OP_CLZ:
		unary(tx, lzcnt_rr);
		break;
	case DTV_OP_CTZ:
		unary(tx, tzcnt_rr);
		break;
	case DTV_OP_CPOP:
		unary(tx, popcnt_rr);
		break;
	case DTV_OP_CLZW:
		unary(tx, DTV_MUTANT(clzw_wide, lzcnt_rr, lzcnt32_rr));
		break;
	case DTV_OP_CTZW:
		unary(tx, DTV_MUTANT(ctzw_wide, tzcnt_rr, tzcnt32_rr));
		break;
	case DTV_OP_CPOPW:
		unary(tx, DTV_MUTANT(cpopw_wide, popcnt_rr, popcnt32_rr));
		break;
	case DTV_OP_MIN:
		minmax(tx, DTV_MUTANT(min_unsigned, CC_B, CC_L));
		break;
	case DTV_OP_MINU:
		minmax(tx, CC_B);
		break;
	case DTV_OP_MAX:
		minmax(tx, CC_G);
		break;
	case DTV_OP_MAXU:
		minmax(tx, CC_A);
		break;
	case DTV_OP_SEXT_B:
		unary(tx, DTV_MUTANT(sext_b_zero, movzx8_rr, movsx8_rr));
		break;
	case DTV_OP_SEXT_H:
		unary(tx, movsx16_rr);
		break;
	case DTV_OP_ZEXT_H:
		unary(tx, DTV_MUTANT(zext_h_sign, movsx16_rr, movzx16_rr));
		break;
	case DTV_OP_ORC_B:
		orc_b(tx);
		break;
	case DTV_OP_REV8:
		rev8(tx);
		break;
	case DTV_OP_BREV8:
		brev8(tx);
		break;
	case DTV_OP_ROL:
		rotate_reg(tx, DTV_MUTANT(rol_right, SH_ROR, SH_ROL), true);
		break;
	case DTV_OP_ROR:
		rotate_reg(tx, SH_ROR, true);
		break;
	case DTV_OP_ROLW:
		rotate_reg(tx, SH_ROL, false);
		break;
	case DTV_OP_RORW:
		rotate_reg(tx, SH_ROR, DTV_MUTANT(rorw_wide, true, false));
		break;
	case DTV_OP_RORI:
		rotate_imm(tx);
		break;
	case DTV_OP_RORIW:
		rotate_immw(tx);
		break;
	case DTV_OP_PACK:
		pack(tx);
		break;
	case DTV_OP_PACKH:
		packh(tx);
		break;
	case DTV_OP_PACKW:
		packw(tx);
		break;
	case DTV_OP_BSET:
		bit_reg(tx, BIT_SET);
		break;
	case DTV_OP_BCLR:
		bit_reg(tx, BIT_RESET);
		break;
	case DTV_OP_BINV:
		bit_reg(tx, DTV_MUTANT(binv_set, BIT_SET, BIT_COMPLEMENT));
		break;
	case DTV_OP_BSETI:
		bit_imm(tx, BIT_SET);
		break;
	case DTV_OP_BCLRI:
		bit_imm(tx, BIT_RESET);
		break;
	case DTV_OP_BINVI:
		bit_imm(tx, BIT_COMPLEMENT);
		break;
	case DTV_OP_BEXT:
		bext(tx);
		break;
	case DTV_OP_BEXTI:
		bexti(tx);
		break;
	case DTV_OP_CLMUL:
	case DTV_OP_CLMULH:
	case DTV_OP_CLMULR:
		clmul(tx);
		break;
	case DTV_OP_CZERO_EQZ:
		czero(tx, DTV_MUTANT(czero_swap, CC_NE, CC_E));
		break;
	case DTV_OP_CZERO_NEZ:
		czero(tx, CC_NE);
		break;
	default:
		return false;
	}
	return true;
}
