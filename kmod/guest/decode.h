/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * decode.h - from instruction bits to struct dtv_insn.
 *
 * The list of instructions is insns.h, one row each; decoder, disassembly
 * names and translator dispatch are made from it.
 */
#ifndef DTV_GUEST_DECODE_H
#define DTV_GUEST_DECODE_H

#include "../port.h"
#include "mutant.h"

/* Extensions a hart can offer; rows of insns.h name the one they need. */
#define DTV_ISA_I BIT_ULL(0)
#define DTV_ISA_M BIT_ULL(1)
#define DTV_ISA_A BIT_ULL(2)
#define DTV_ISA_F BIT_ULL(3)
#define DTV_ISA_D BIT_ULL(4)
#define DTV_ISA_C BIT_ULL(5)
#define DTV_ISA_ZICSR BIT_ULL(6)
#define DTV_ISA_ZIFENCEI BIT_ULL(7)
#define DTV_ISA_ZICNTR BIT_ULL(8)
#define DTV_ISA_SSTC BIT_ULL(9)
#define DTV_ISA_SVINVAL BIT_ULL(10)
#define DTV_ISA_ZBA BIT_ULL(11)
#define DTV_ISA_ZBB BIT_ULL(12)
#define DTV_ISA_ZBS BIT_ULL(13)
#define DTV_ISA_ZBC BIT_ULL(14)
#define DTV_ISA_ZBKB BIT_ULL(15)
#define DTV_ISA_ZICOND BIT_ULL(16)
#define DTV_ISA_ZIHINTPAUSE BIT_ULL(17)
#define DTV_ISA_ZAWRS BIT_ULL(18)
#define DTV_ISA_ZIHPM BIT_ULL(19)
#define DTV_ISA_ZICBOM BIT_ULL(20)
#define DTV_ISA_ZICBOP BIT_ULL(21)
#define DTV_ISA_ZICBOZ BIT_ULL(22)
#define DTV_ISA_SVPBMT BIT_ULL(23)
#define DTV_ISA_SVNAPOT BIT_ULL(24)
#define DTV_ISA_SVADU BIT_ULL(25)
#define DTV_ISA_SVADE BIT_ULL(26)
#define DTV_ISA_ZFHMIN BIT_ULL(37)
#define DTV_ISA_ZFH BIT_ULL(38)
#define DTV_ISA_SMSTATEEN BIT_ULL(39)
/* Names for what is so anyway. */
#define DTV_ISA_ZIC64B BIT_ULL(27)
#define DTV_ISA_ZICCAMOA BIT_ULL(28)
#define DTV_ISA_ZICCIF BIT_ULL(29)
#define DTV_ISA_ZICCLSM BIT_ULL(30)
#define DTV_ISA_ZICCRSE BIT_ULL(31)
#define DTV_ISA_ZA64RS BIT_ULL(32)
#define DTV_ISA_ZKT BIT_ULL(33)
#define DTV_ISA_SSCCPTR BIT_ULL(34)
#define DTV_ISA_SSCOUNTERENW BIT_ULL(35)
#define DTV_ISA_SSTVALA BIT_ULL(36)

/* The base machine. */
#define DTV_ISA_RV64GC                                                                           \
	(DTV_ISA_I | DTV_ISA_M | DTV_ISA_A | DTV_ISA_F | DTV_ISA_D | DTV_ISA_C | DTV_ISA_ZICSR | \
	 DTV_ISA_ZIFENCEI | DTV_ISA_ZICNTR | DTV_ISA_ZIHPM | DTV_ISA_SSTC)

/*
 * Operand formats. imm is sign-extended as the manual says; shift amounts,
 * csr numbers and zimm are zero-extended.
 */
enum dtv_fmt {
	DTV_FMT_NONE,
	DTV_FMT_R, /* rd rs1 rs2 */
	DTV_FMT_I, /* rd rs1 imm */
	DTV_FMT_SH, /* rd rs1 imm = shamt 0..63 */
	DTV_FMT_SHW, /* rd rs1 imm = shamt 0..31 */
	DTV_FMT_S, /* rs1 rs2 imm */
	DTV_FMT_B, /* rs1 rs2 imm */
	DTV_FMT_U, /* rd imm = imm[31:12] << 12, sign-extended */
	DTV_FMT_J, /* rd imm */
	DTV_FMT_CSR, /* rd rs1 imm = csr */
	DTV_FMT_CSRI, /* rd rs1 = zimm, imm = csr */
	DTV_FMT_AMO, /* rd rs1 rs2 aqrl in rm */
	DTV_FMT_R4, /* rd rs1 rs2 rs3 rm */
	DTV_FMT_FP, /* rd rs1 rs2 rm */
	DTV_FMT_FENCE,
	DTV_FMT_CBO, /* rs1 */
};

enum dtv_op {
	DTV_OP_ILLEGAL = 0, /* undefined, reserved, or not offered */
#define INSN(id, name, fmt, match, mask, isa) DTV_OP_##id,
#include "insns.h"
#undef INSN
	DTV_NR_OPS,
};

/**
 * struct dtv_insn - a decoded instruction
 * @op: enum dtv_op
 * @len: bytes: 2 or 4
 * @fmt: enum dtv_fmt
 * @rd: register number, where @fmt has it; so the following three
 * @rs1: or zimm, see DTV_FMT_CSRI
 * @rs2: second source
 * @rs3: third source
 * @rm: FP rounding mode (0..7), or aq << 1 | rl
 * @imm: see enum dtv_fmt
 * @raw: bits as fetched; upper half 0 when len is 2
 *
 * Compressed instructions decode to the instruction they stand for, with len 2.
 */
struct dtv_insn {
	u16 op;
	u8 len;
	u8 fmt;
	u8 rd, rs1, rs2, rs3;
	u8 rm;
	s32 imm;
	u32 raw;
};

/**
 * dtv_decode() - decode one instruction
 * @raw: 32 bits at pc (for a 16-bit instruction the upper half is ignored)
 * @isa: DTV_ISA_* the hart offers
 * @insn: result; op is DTV_OP_ILLEGAL for what is undefined
 */
void dtv_decode(u32 raw, u64 isa, struct dtv_insn *insn);

/* Mnemonic of an op, for traces and dumps. */
const char *dtv_op_name(u16 op);

/* Length in bytes of the instruction whose first 16 bits are @lo (unprivileged manual 1.5). */
static inline unsigned int dtv_insn_len(u16 lo)
{
	return (lo & 3) == 3 ? 4 : 2;
}

#endif /* DTV_GUEST_DECODE_H */
