// SPDX-License-Identifier: GPL-2.0-only
/*
 * decode.c - instruction bits to struct dtv_insn.
 *
 * 32-bit encodings come from the rows of insns.h and nowhere else. Compressed
 * ones (unprivileged manual chapter 27, RV64C) are expanded here to the
 * instruction they stand for. Reserved encodings are illegal, hints are the
 * no-ops that their expansion happens to be. No state, no lock.
 */
#include "decode.h"

struct row {
	const char *name;
	u64 isa;
	u8 fmt;
};

static const struct row rows[DTV_NR_OPS] = {
	[DTV_OP_ILLEGAL] = { "illegal", 0, DTV_FMT_NONE },
#define INSN(id, name, fmt, match, mask, isa) \
	[DTV_OP_##id] = { name, isa, DTV_FMT_##fmt },
#include "insns.h"
#undef INSN
};

const char *dtv_op_name(u16 op)
{
	return op < DTV_NR_OPS ? rows[op].name : rows[DTV_OP_ILLEGAL].name;
}

/* Fields by which rows are told apart before they are compared. */
#define OPCODE 0x7f
#define FUNCT3 0x7000
#define FORMAT 0x06000000

static __always_inline void match_row(u32 raw, u32 key, u32 fields, u32 match, u32 mask, u16 id,
				      u16 *op)
{
	if (!((match ^ key) & mask & fields) && (raw & mask) == match)
		*op = id;
}

/*
 * A call for each row. @key, the values of @fields, is constant in every caller below, so that the
 * compiler keeps only the comparisons of rows that may match. Of two rows that match the later
 * counts.
 */
static __always_inline u16 match_rows(u32 raw, u32 key, u32 fields)
{
	u16 op = DTV_OP_ILLEGAL;

#define INSN(id, name, fmt, match, mask, isa) \
	match_row(raw, key, fields, match, mask, DTV_OP_##id, &op),
	(void)(
#include "insns.h"
		0);
#undef INSN
	return op;
}

static __always_inline u16 match_funct3(u32 raw, u32 opcode)
{
	switch (raw >> 12 & 7) {
	case 0:
		return match_rows(raw, opcode, OPCODE | FUNCT3);
	case 1:
		return match_rows(raw, opcode | 1 << 12, OPCODE | FUNCT3);
	case 2:
		return match_rows(raw, opcode | 2 << 12, OPCODE | FUNCT3);
	case 3:
		return match_rows(raw, opcode | 3 << 12, OPCODE | FUNCT3);
	case 4:
		return match_rows(raw, opcode | 4 << 12, OPCODE | FUNCT3);
	case 5:
		return match_rows(raw, opcode | 5 << 12, OPCODE | FUNCT3);
	case 6:
		return match_rows(raw, opcode | 6 << 12, OPCODE | FUNCT3);
	}
	return match_rows(raw, opcode | 7 << 12, OPCODE | FUNCT3);
}

/* The floating-point formats S, D and H; there is no row of the fourth. */
static __always_inline u16 match_format(u32 raw, u32 opcode)
{
	switch (raw >> 25 & 3) {
	case 0:
		return match_rows(raw, opcode, OPCODE | FORMAT);
	case 1:
		return match_rows(raw, opcode | 1 << 25, OPCODE | FORMAT);
	case 2:
		return match_rows(raw, opcode | 2 << 25, OPCODE | FORMAT);
	}
	return match_rows(raw, opcode | 3 << 25, OPCODE | FORMAT);
}

/* Unprivileged manual, table 70: the major opcodes that insns.h has rows of. */
static u16 match32(u32 raw)
{
	switch (raw & OPCODE) {
	case 0x03: /* LOAD */
		return match_funct3(raw, 0x03);
	case 0x07: /* LOAD-FP */
		return match_funct3(raw, 0x07);
	case 0x0f: /* MISC-MEM */
		return match_funct3(raw, 0x0f);
	case 0x13: /* OP-IMM */
		return match_funct3(raw, 0x13);
	case 0x17: /* AUIPC */
		return match_rows(raw, 0x17, OPCODE);
	case 0x1b: /* OP-IMM-32 */
		return match_funct3(raw, 0x1b);
	case 0x23: /* STORE */
		return match_funct3(raw, 0x23);
	case 0x27: /* STORE-FP */
		return match_funct3(raw, 0x27);
	case 0x2f: /* AMO */
		return match_funct3(raw, 0x2f);
	case 0x33: /* OP */
		return match_funct3(raw, 0x33);
	case 0x37: /* LUI */
		return match_rows(raw, 0x37, OPCODE);
	case 0x3b: /* OP-32 */
		return match_funct3(raw, 0x3b);
	case 0x43: /* MADD */
		return match_rows(raw, 0x43, OPCODE);
	case 0x47: /* MSUB */
		return match_rows(raw, 0x47, OPCODE);
	case 0x4b: /* NMSUB */
		return match_rows(raw, 0x4b, OPCODE);
	case 0x4f: /* NMADD */
		return match_rows(raw, 0x4f, OPCODE);
	case 0x53: /* OP-FP */
		return match_format(raw, 0x53);
	case 0x63: /* BRANCH */
		return match_funct3(raw, 0x63);
	case 0x67: /* JALR */
		return match_rows(raw, 0x67, OPCODE);
	case 0x6f: /* JAL */
		return match_rows(raw, 0x6f, OPCODE);
	case 0x73: /* SYSTEM */
		return match_funct3(raw, 0x73);
	}
	return DTV_OP_ILLEGAL;
}

/* Bits hi..lo of v, moved to bit position at. */
static __always_inline u32 field(u32 v, unsigned int hi, unsigned int lo, unsigned int at)
{
	return ((v >> lo) & ((2u << (hi - lo)) - 1)) << at;
}

/* Sign-extend the value whose sign stands in bit @sign. */
static __always_inline s32 sext(u32 v, unsigned int sign)
{
	return (s32)(v << (31 - sign)) >> (31 - sign);
}

static bool operands32(struct dtv_insn *insn, u32 raw, unsigned int fmt)
{
	u8 rd = field(raw, 11, 7, 0);
	u8 rs1 = field(raw, 19, 15, 0);
	u8 rs2 = field(raw, 24, 20, 0);
	u8 rm = field(raw, 14, 12, 0);

	switch (fmt) {
	case DTV_FMT_NONE:
		break;
	case DTV_FMT_R:
		insn->rd = rd;
		insn->rs1 = rs1;
		insn->rs2 = rs2;
		break;
	case DTV_FMT_I:
		insn->rd = rd;
		insn->rs1 = rs1;
		insn->imm = sext(raw >> 20, 11);
		break;
	case DTV_FMT_SH:
		insn->rd = rd;
		insn->rs1 = rs1;
		insn->imm = field(raw, 25, 20, 0);
		break;
	case DTV_FMT_SHW:
		insn->rd = rd;
		insn->rs1 = rs1;
		insn->imm = field(raw, 24, 20, 0);
		break;
	case DTV_FMT_S:
		insn->rs1 = rs1;
		insn->rs2 = rs2;
		insn->imm = sext(field(raw, 31, 25, 5) | rd, 11);
		break;
	case DTV_FMT_B:
		insn->rs1 = rs1;
		insn->rs2 = rs2;
		insn->imm = sext(field(raw, 31, 31, 12) | field(raw, 7, 7, 11) |
					 field(raw, 30, 25, 5) | field(raw, 11, 8, 1),
				 12);
		break;
	case DTV_FMT_U:
		insn->rd = rd;
		insn->imm = (s32)(raw & 0xfffff000);
		break;
	case DTV_FMT_J:
		insn->rd = rd;
		insn->imm = sext(field(raw, 31, 31, 20) | field(raw, 19, 12, 12) |
					 field(raw, 20, 20, 11) | field(raw, 30, 21, 1),
				 20);
		break;
	case DTV_FMT_CSR:
	case DTV_FMT_CSRI:
	case DTV_FMT_FENCE: /* imm = fm pred succ */
		insn->rd = rd;
		insn->rs1 = rs1;
		insn->imm = raw >> 20;
		break;
	case DTV_FMT_CBO:
		insn->rs1 = rs1;
		break;
	case DTV_FMT_AMO:
		insn->rd = rd;
		insn->rs1 = rs1;
		insn->rs2 = rs2;
		insn->rm = field(raw, 26, 25, 0);
		break;
	case DTV_FMT_R4:
		insn->rs3 = raw >> 27;
		fallthrough;
	case DTV_FMT_FP:
		/* Reserved rounding modes; what frm says for 7 is for run time. */
		if (DTV_MUTANT(rm_reserved, false, rm == 5 || rm == 6))
			return false;
		insn->rd = rd;
		insn->rs1 = rs1;
		insn->rs2 = rs2;
		insn->rm = rm;
		break;
	}
	return true;
}

static u16 r_type(struct dtv_insn *insn, u16 op, u8 rd, u8 rs1, u8 rs2)
{
	insn->rd = rd;
	insn->rs1 = rs1;
	insn->rs2 = rs2;
	return op;
}

static u16 i_type(struct dtv_insn *insn, u16 op, u8 rd, u8 rs1, s32 imm)
{
	insn->rd = rd;
	insn->rs1 = rs1;
	insn->imm = imm;
	return op;
}

/* Stores and branches. */
static u16 s_type(struct dtv_insn *insn, u16 op, u8 rs1, u8 rs2, s32 imm)
{
	insn->rs1 = rs1;
	insn->rs2 = rs2;
	insn->imm = imm;
	return op;
}

static u16 quadrant0(struct dtv_insn *insn, u32 c)
{
	u8 lo = 8 + field(c, 4, 2, 0); /* rd' or rs2' */
	u8 hi = 8 + field(c, 9, 7, 0); /* rs1' */
	u32 word = field(c, 12, 10, 3) | field(c, 6, 6, 2) | field(c, 5, 5, 6);
	u32 dword = field(c, 12, 10, 3) | field(c, 6, 5, 6);
	u32 imm;

	switch (c >> 13) {
	case 0: /* c.addi4spn; 0 is reserved, among them 0x0000 */
		imm = field(c, 12, 11, 4) | field(c, 10, 7, 6) | field(c, 6, 6, 2) |
		      field(c, 5, 5, 3);
		return DTV_MUTANT(c_reserved, 1, imm) ? i_type(insn, DTV_OP_ADDI, lo, 2, imm) :
							DTV_OP_ILLEGAL;
	case 1: /* c.fld */
		return i_type(insn, DTV_OP_FLD, lo, hi, dword);
	case 2: /* c.lw */
		return i_type(insn, DTV_OP_LW, lo, hi, word);
	case 3: /* c.ld */
		return i_type(insn, DTV_OP_LD, lo, hi, dword);
	case 5: /* c.fsd */
		return s_type(insn, DTV_OP_FSD, hi, lo, dword);
	case 6: /* c.sw */
		return s_type(insn, DTV_OP_SW, hi, lo, word);
	case 7: /* c.sd */
		return s_type(insn, DTV_OP_SD, hi, lo, dword);
	}
	return DTV_OP_ILLEGAL;
}

/* c.srli and the arithmetic that shares its funct3. */
static u16 quadrant1_alu(struct dtv_insn *insn, u32 c)
{
	static const u16 ops[8] = {
		DTV_OP_SUB,  DTV_OP_XOR,  DTV_OP_OR,	  DTV_OP_AND,
		DTV_OP_SUBW, DTV_OP_ADDW, DTV_OP_ILLEGAL, DTV_OP_ILLEGAL,
	};
	u8 rd = 8 + field(c, 9, 7, 0);
	u32 imm = field(c, 12, 12, 5) | field(c, 6, 2, 0);

	switch (field(c, 11, 10, 0)) {
	case 0:
		return i_type(insn, DTV_OP_SRLI, rd, rd, imm);
	case 1:
		return i_type(insn, DTV_OP_SRAI, rd, rd, imm);
	case 2:
		return i_type(insn, DTV_OP_ANDI, rd, rd, sext(imm, 5));
	}
	return r_type(insn, ops[field(c, 12, 12, 2) | field(c, 6, 5, 0)], rd, rd,
		      8 + field(c, 4, 2, 0));
}

static u16 quadrant1(struct dtv_insn *insn, u32 c)
{
	u8 rd = field(c, 11, 7, 0);
	s32 imm = sext(field(c, 12, 12, 5) | field(c, 6, 2, 0), 5);
	s32 off;

	switch (c >> 13) {
	case 0: /* c.nop, c.addi */
		return i_type(insn, DTV_OP_ADDI, rd, rd, imm);
	case 1: /* c.addiw; rd = 0 is reserved */
		return rd ? i_type(insn, DTV_OP_ADDIW, rd, rd, imm) : DTV_OP_ILLEGAL;
	case 2: /* c.li */
		return i_type(insn, DTV_OP_ADDI, rd, 0, imm);
	case 3: /* c.addi16sp, c.lui; 0 is reserved in both */
		if (!imm)
			return DTV_OP_ILLEGAL;
		if (rd != 2) {
			insn->rd = rd;
			insn->imm = DTV_MUTANT(c_lui_sign, imm & 63, imm) * 4096;
			return DTV_OP_LUI;
		}
		off = sext(field(c, 12, 12, 9) | field(c, 6, 6, 4) | field(c, 5, 5, 6) |
				   field(c, 4, 3, 7) | field(c, 2, 2, 5),
			   9);
		return i_type(insn, DTV_OP_ADDI, 2, 2, off);
	case 4:
		return quadrant1_alu(insn, c);
	case 5: /* c.j */
		insn->imm = sext(field(c, 12, 12, 11) | field(c, 11, 11, 4) | field(c, 10, 9, 8) |
					 field(c, 8, 8, 10) | field(c, 7, 7, 6) |
					 field(c, 6, 6, 7) | field(c, 5, 3, 1) | field(c, 2, 2, 5),
				 11);
		return DTV_OP_JAL;
	}
	/* c.beqz, c.bnez */
	off = sext(field(c, 12, 12, 8) | field(c, 11, 10, 3) | field(c, 6, 5, 6) |
			   field(c, 4, 3, 1) | field(c, 2, 2, 5),
		   8);
	return s_type(insn, (c >> 13) == 6 ? DTV_OP_BEQ : DTV_OP_BNE, 8 + field(c, 9, 7, 0), 0,
		      off);
}

/* c.jr, c.mv, c.ebreak, c.jalr, c.add */
static u16 quadrant2_jump(struct dtv_insn *insn, u32 c, u8 rd, u8 rs2)
{
	bool bit12 = c & 0x1000;

	if (rs2)
		return r_type(insn, DTV_OP_ADD, rd, bit12 ? rd : 0, rs2);
	if (rd)
		return i_type(insn, DTV_OP_JALR, bit12, rd, 0);
	return bit12 ? DTV_OP_EBREAK : DTV_OP_ILLEGAL;
}

static u16 quadrant2(struct dtv_insn *insn, u32 c)
{
	u8 rd = field(c, 11, 7, 0);
	u8 rs2 = field(c, 6, 2, 0);
	u32 ldword = field(c, 12, 12, 5) | field(c, 6, 5, 3) | field(c, 4, 2, 6);
	u32 sdword = field(c, 12, 10, 3) | field(c, 9, 7, 6);
	u32 imm;

	switch (c >> 13) {
	case 0: /* c.slli */
		return i_type(insn, DTV_OP_SLLI, rd, rd, field(c, 12, 12, 5) | rs2);
	case 1: /* c.fldsp */
		return i_type(insn, DTV_OP_FLD, rd, 2, ldword);
	case 2: /* c.lwsp; rd = 0 is reserved */
		imm = field(c, 12, 12, 5) | field(c, 6, 4, 2) | field(c, 3, 2, 6);
		return rd ? i_type(insn, DTV_OP_LW, rd, 2, imm) : DTV_OP_ILLEGAL;
	case 3: /* c.ldsp; rd = 0 is reserved */
		return rd ? i_type(insn, DTV_OP_LD, rd, 2, ldword) : DTV_OP_ILLEGAL;
	case 4:
		return quadrant2_jump(insn, c, rd, rs2);
	case 5: /* c.fsdsp */
		return s_type(insn, DTV_OP_FSD, 2, rs2, sdword);
	case 6: /* c.swsp */
		return s_type(insn, DTV_OP_SW, 2, rs2, field(c, 12, 9, 2) | field(c, 8, 7, 6));
	}
	return s_type(insn, DTV_OP_SD, 2, rs2, sdword); /* c.sdsp */
}

static u16 decode16(struct dtv_insn *insn, u32 c)
{
	switch (c & 3) {
	case 0:
		return quadrant0(insn, c);
	case 1:
		return quadrant1(insn, c);
	}
	return quadrant2(insn, c);
}

/**
 * dtv_decode() - decode one instruction
 * @raw: 32 bits at pc; the upper half is ignored for a 16-bit instruction
 * @isa: DTV_ISA_* the hart offers
 * @insn: result, written completely; op is DTV_OP_ILLEGAL for what is
 *        undefined, reserved or needs an extension that @isa lacks
 *
 * Context: any; touches nothing but @insn.
 */
void dtv_decode(u32 raw, u64 isa, struct dtv_insn *insn)
{
	unsigned int len = dtv_insn_len(raw);
	bool ok = true;
	u16 op;

	if (len == 2)
		raw &= 0xffff;
	*insn = (struct dtv_insn){ .len = len, .raw = raw };
	if (len == 2) {
		op = isa & DTV_ISA_C ? decode16(insn, raw) : DTV_OP_ILLEGAL;
	} else {
		op = match32(raw);
		ok = operands32(insn, raw, rows[op].fmt);
	}
	/* What converts to or from doubles needs both. */
	if ((op == DTV_OP_FCVT_D_H || op == DTV_OP_FCVT_H_D) && !(isa & DTV_ISA_D))
		ok = false;
	if (!ok || !(rows[op].isa & isa)) {
		*insn = (struct dtv_insn){ .len = len, .raw = raw };
		return;
	}
	insn->op = op;
	insn->fmt = rows[op].fmt;
}
