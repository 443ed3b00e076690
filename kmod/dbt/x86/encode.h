/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * encode.h - x86-64 encoders: pure functions named by the mnemonic that append
 * one instruction to a buffer. Operand order is Intel's. AMD64 APM volume 3.
 *
 * A function name ends in the operand kinds: r register, m memory, i
 * immediate; a width of 32 bits is said (mov32_rr), none means 64.
 */
#ifndef DTV_DBT_X86_ENCODE_H
#define DTV_DBT_X86_ENCODE_H

#include "../buf.h"
#include "../../guest/mutant.h"

/* clang-format off */
enum x86_reg {
	RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI,
	R8, R9, R10, R11, R12, R13, R14, R15,
};

#define X86_NO_REG 0xff

/* Condition codes of jcc, setcc, cmovcc. */
enum x86_cc {
	CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A,
	CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G,
};
/* clang-format on */

/* The eight ALU operations that share one encoding scheme. */
enum x86_alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

enum x86_shift { SH_ROL, SH_ROR, SH_RCL, SH_RCR, SH_SHL, SH_SHR, SH_SAL, SH_SAR };

/**
 * struct x86_mem - memory operand [seg: base + index * scale + disp]
 * @base: enum x86_reg or X86_NO_REG
 * @index: enum x86_reg (not RSP) or X86_NO_REG
 * @scale: 0..3, log2
 * @gs: gs segment override: an address in the current data view
 * @disp: bytes
 */
struct x86_mem {
	u8 base;
	u8 index;
	u8 scale;
	bool gs;
	s32 disp;
};

/*
 * The low @n bytes of @v, at most 8. All 8 are stored, so the last 7 bytes of a buffer are not
 * used: one store for each part of an instruction is what makes translation fast.
 */
static inline void x86_bytes(struct dtv_buf *b, u64 v, unsigned int n)
{
	u8 *p = b->p;

	if (unlikely(b->end - p < 8)) {
		b->full = true;
		return;
	}
	memcpy(p, &v, 8);
	b->p = p + n;
}

/* The low byte of @v. */
static inline void x86_byte(struct dtv_buf *b, u32 v)
{
	x86_bytes(b, v & 0xff, 1);
}

static inline void x86_u32(struct dtv_buf *b, u32 v)
{
	x86_bytes(b, v, 4);
}

static inline void x86_u64(struct dtv_buf *b, u64 v)
{
	x86_bytes(b, v, 8);
}

/* An instruction up to its displacement, while it is put together: 8 bytes at most. */
struct x86_code {
	u64 v;
	unsigned int bits;
};

static __always_inline void x86_put(struct x86_code *c, u8 byte)
{
	c->v |= (u64)byte << c->bits;
	c->bits += 8;
}

static inline void x86_emit(struct dtv_buf *b, struct x86_code c)
{
	x86_bytes(b, c.v, c.bits / 8);
}

static inline struct x86_mem x86_base(u8 base, s32 disp)
{
	struct x86_mem m = { .base = base, .index = X86_NO_REG, .disp = disp };

	return m;
}

static inline struct x86_mem x86_view(u8 base, s32 disp)
{
	struct x86_mem m = { .base = base, .index = X86_NO_REG, .gs = true, .disp = disp };

	return m;
}

static inline bool x86_is_s8(s64 v)
{
	return v >= -128 && v <= 127;
}

static inline bool x86_is_s32(s64 v)
{
	return v >= S32_MIN && v <= S32_MAX;
}

/* What precedes the opcode: size and repeat prefixes, REX.W, escape bytes. */
#define X86_W 0x1 /* REX.W */
#define X86_66 0x2
#define X86_F2 0x4
#define X86_F3 0x8
#define X86_0F 0x10
#define X86_0F38 0x20
#define X86_0F3A 0x40
#define X86_BYTE 0x80 /* 8-bit register operand: REX for spl..dil */
#define X86_LOCK 0x100
#define X86_RMBYTE 0x200 /* 8-bit register in r/m alone */

static __always_inline void x86_escape(struct x86_code *c, u32 fl, u8 op)
{
	if (fl & (X86_0F | X86_0F38 | X86_0F3A))
		x86_put(c, 0x0f);
	if (fl & X86_0F38)
		x86_put(c, 0x38);
	if (fl & X86_0F3A)
		x86_put(c, 0x3a);
	x86_put(c, op);
}

static __always_inline void x86_prefix(struct x86_code *c, u32 fl)
{
	if (fl & X86_LOCK)
		x86_put(c, 0xf0);
	if (fl & X86_66)
		x86_put(c, 0x66);
	if (fl & X86_F2)
		x86_put(c, 0xf2);
	if (fl & X86_F3)
		x86_put(c, 0xf3);
}

static __always_inline void x86_rex(struct x86_code *c, u32 fl, u8 reg, u8 index, u8 base,
				    bool force)
{
	u8 rex = 0x40 | (fl & X86_W ? 8 : 0) | (reg & 8) >> 1 | (index & 8) >> 2 | (base & 8) >> 3;

	if (rex != 0x40 || force)
		x86_put(c, rex);
}

/* op reg, r/m with r/m a register; @reg may be an opcode extension. */
static inline void x86_op_rr(struct dtv_buf *b, u32 fl, u8 op, u8 reg, u8 rm)
{
	bool force = ((fl & X86_BYTE) && (reg >= 4 || rm >= 4)) || ((fl & X86_RMBYTE) && rm >= 4);
	struct x86_code c = { 0 };

	x86_prefix(&c, fl);
	x86_rex(&c, fl, reg, 0, rm, force);
	x86_escape(&c, fl, op);
	x86_put(&c, 0xc0 | (reg & 7) << 3 | (rm & 7));
	x86_emit(b, c);
}

/* One byte: the register in the opcode. */
static inline void x86_op_r(struct dtv_buf *b, u32 fl, u8 op, u8 reg)
{
	struct x86_code c = { 0 };

	x86_rex(&c, fl, 0, 0, reg, false);
	x86_escape(&c, fl, op | (reg & 7));
	x86_emit(b, c);
}

/* The operand in memory, which ends the instruction but for an immediate. */
static __always_inline void x86_modrm_mem(struct dtv_buf *b, struct x86_code c, u8 reg,
					  struct x86_mem m)
{
	u8 r = (reg & 7) << 3;
	bool sib = m.index != X86_NO_REG || m.base == X86_NO_REG || (m.base & 7) == RSP;
	unsigned int disp;
	u8 mod;

	if (m.base == X86_NO_REG) {
		mod = 0;
		disp = 4;
	} else if (!m.disp && (m.base & 7) != RBP) {
		mod = 0;
		disp = 0;
	} else if (x86_is_s8(m.disp)) {
		mod = 0x40;
		disp = 1;
	} else {
		mod = 0x80;
		disp = 4;
	}
	if (sib) {
		u8 index = m.index == X86_NO_REG ? RSP : m.index & 7;
		u8 base = m.base == X86_NO_REG ? RBP : m.base & 7;

		x86_put(&c, mod | r | 4);
		x86_put(&c, m.scale << 6 | index << 3 | base);
	} else {
		x86_put(&c, mod | r | (m.base & 7));
	}
	x86_emit(b, c);
	if (disp)
		x86_bytes(b, (u32)m.disp, disp);
}

/* op reg, r/m with r/m in memory. */
static inline void x86_op_rm(struct dtv_buf *b, u32 fl, u8 op, u8 reg, struct x86_mem m)
{
	struct x86_code c = { 0 };

	if (m.gs)
		x86_put(&c, 0x65);
	x86_prefix(&c, fl);
	x86_rex(&c, fl, reg, m.index == X86_NO_REG ? 0 : m.index,
		m.base == X86_NO_REG ? 0 : m.base, (fl & X86_BYTE) && reg >= 4);
	x86_escape(&c, fl, op);
	x86_modrm_mem(b, c, reg, m);
}

/*
 * The VEX prefix, of two bytes where that is enough, and the opcode: @pp 0 none, 1 66, 2 F3, 3 F2;
 * @mm 1 0F, 2 0F38, 3 0F3A.
 */
static __always_inline void x86_vex(struct x86_code *c, bool w, u8 pp, u8 mm, u8 op, u8 reg,
				    u8 vvvv, u8 index, u8 base)
{
	u8 last = (~vvvv & 15) << 3 | pp, r = reg & 8 ? 0 : 0x80;

	if (mm == 1 && !w && !((index | base) & 8)) {
		x86_put(c, 0xc5);
		x86_put(c, r | last);
	} else {
		x86_put(c, 0xc4);
		x86_put(c, r | (index & 8 ? 0 : 0x40) | (base & 8 ? 0 : 0x20) | mm);
		x86_put(c, (w ? 0x80 : 0) | last);
	}
	x86_put(c, op);
}

/* Three-operand VEX encodings. */
static inline void x86_vex_rr(struct dtv_buf *b, bool w, u8 pp, u8 mm, u8 op, u8 reg, u8 vvvv,
			      u8 rm)
{
	struct x86_code c = { 0 };

	x86_vex(&c, w, pp, mm, op, reg, vvvv, 0, rm);
	x86_put(&c, 0xc0 | (reg & 7) << 3 | (rm & 7));
	x86_emit(b, c);
}

static inline void x86_vex_rm(struct dtv_buf *b, bool w, u8 pp, u8 mm, u8 op, u8 reg, u8 vvvv,
			      struct x86_mem m)
{
	u8 index = m.index == X86_NO_REG ? 0 : m.index;
	u8 base = m.base == X86_NO_REG ? 0 : m.base;
	struct x86_code c = { 0 };

	if (m.gs)
		x86_put(&c, 0x65);
	x86_vex(&c, w, pp, mm, op, reg, vvvv, index, base);
	x86_modrm_mem(b, c, reg, m);
}

/* --- moves --- */

static inline void mov_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_W, 0x8b, d, s);
}

static inline void mov32_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, 0, 0x8b, d, s);
}

static inline void mov_rm(struct dtv_buf *b, u8 d, struct x86_mem m)
{
	x86_op_rm(b, X86_W, 0x8b, d, m);
}

static inline void mov32_rm(struct dtv_buf *b, u8 d, struct x86_mem m)
{
	x86_op_rm(b, 0, 0x8b, d, m);
}

static inline void mov_mr(struct dtv_buf *b, struct x86_mem m, u8 s)
{
	x86_op_rm(b, X86_W, 0x89, s, m);
}

static inline void mov32_mr(struct dtv_buf *b, struct x86_mem m, u8 s)
{
	x86_op_rm(b, 0, 0x89, s, m);
}

static inline void mov16_mr(struct dtv_buf *b, struct x86_mem m, u8 s)
{
	x86_op_rm(b, X86_66, 0x89, s, m);
}

static inline void mov8_mr(struct dtv_buf *b, struct x86_mem m, u8 s)
{
	x86_op_rm(b, X86_BYTE, 0x88, s, m);
}

static inline void mov_mi(struct dtv_buf *b, struct x86_mem m, s32 imm)
{
	x86_op_rm(b, X86_W, 0xc7, 0, m);
	x86_u32(b, imm);
}

static inline void mov32_mi(struct dtv_buf *b, struct x86_mem m, s32 imm)
{
	x86_op_rm(b, 0, 0xc7, 0, m);
	x86_u32(b, imm);
}

static inline void mov16_mi(struct dtv_buf *b, struct x86_mem m, s16 imm)
{
	x86_op_rm(b, X86_66, 0xc7, 0, m);
	x86_bytes(b, (u16)imm, 2);
}

static inline void mov8_mi(struct dtv_buf *b, struct x86_mem m, s8 imm)
{
	x86_op_rm(b, 0, 0xc6, 0, m);
	x86_byte(b, imm);
}

/* Any 64-bit constant by the shortest form that leaves the flags alone. */
static inline void mov_ri(struct dtv_buf *b, u8 d, u64 imm)
{
	if (imm <= U32_MAX) {
		x86_op_r(b, 0, 0xb8, d);
		x86_u32(b, imm & U32_MAX);
	} else if (x86_is_s32(imm)) {
		x86_op_rr(b, X86_W, 0xc7, 0, d);
		x86_u32(b, imm & U32_MAX);
	} else {
		x86_op_r(b, X86_W, 0xb8, d);
		x86_u64(b, imm);
	}
}

static inline void movsxd_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_W, 0x63, d, s);
}

static inline void movsxd_rm(struct dtv_buf *b, u8 d, struct x86_mem m)
{
	x86_op_rm(b, X86_W, 0x63, d, m);
}

static inline void movsx8_rm(struct dtv_buf *b, u8 d, struct x86_mem m)
{
	x86_op_rm(b, X86_W | X86_0F, 0xbe, d, m);
}

static inline void movsx16_rm(struct dtv_buf *b, u8 d, struct x86_mem m)
{
	x86_op_rm(b, X86_W | X86_0F, 0xbf, d, m);
}

static inline void movzx8_rm(struct dtv_buf *b, u8 d, struct x86_mem m)
{
	x86_op_rm(b, X86_0F, 0xb6, d, m);
}

static inline void movzx16_rm(struct dtv_buf *b, u8 d, struct x86_mem m)
{
	x86_op_rm(b, X86_0F, 0xb7, d, m);
}

static inline void movzx8_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_0F | X86_RMBYTE, 0xb6, d, s);
}

static inline void movzx16_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_0F, 0xb7, d, s);
}

static inline void movsx8_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_W | X86_0F | X86_RMBYTE, 0xbe, d, s);
}

static inline void movsx16_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_W | X86_0F, 0xbf, d, s);
}

static inline void lea_rm(struct dtv_buf *b, u8 d, struct x86_mem m)
{
	x86_op_rm(b, X86_W, 0x8d, d, m);
}

static inline void lea32_rm(struct dtv_buf *b, u8 d, struct x86_mem m)
{
	x86_op_rm(b, 0, 0x8d, d, m);
}

static inline void push_r(struct dtv_buf *b, u8 r)
{
	x86_op_r(b, 0, 0x50, r);
}

static inline void pop_r(struct dtv_buf *b, u8 r)
{
	x86_op_r(b, 0, 0x58, r);
}

static inline void pop_m(struct dtv_buf *b, struct x86_mem m)
{
	x86_op_rm(b, 0, 0x8f, 0, m);
}

/* --- arithmetic --- */

static inline void alu_rr(struct dtv_buf *b, enum x86_alu op, u8 d, u8 s)
{
	x86_op_rr(b, X86_W, op << 3 | 3, d, s);
}

static inline void alu32_rr(struct dtv_buf *b, enum x86_alu op, u8 d, u8 s)
{
	x86_op_rr(b, 0, op << 3 | 3, d, s);
}

static inline void alu_rm(struct dtv_buf *b, enum x86_alu op, u8 d, struct x86_mem m)
{
	x86_op_rm(b, X86_W, op << 3 | 3, d, m);
}

static inline void alu32_rm(struct dtv_buf *b, enum x86_alu op, u8 d, struct x86_mem m)
{
	x86_op_rm(b, 0, op << 3 | 3, d, m);
}

static inline void alu_mr(struct dtv_buf *b, enum x86_alu op, struct x86_mem m, u8 s)
{
	x86_op_rm(b, X86_W, op << 3 | 1, s, m);
}

static inline void x86_alu_ri(struct dtv_buf *b, u32 fl, enum x86_alu op, u8 d, s32 imm)
{
	if (x86_is_s8(imm)) {
		x86_op_rr(b, fl, 0x83, op, d);
		x86_byte(b, imm);
	} else {
		x86_op_rr(b, fl, 0x81, op, d);
		x86_u32(b, imm);
	}
}

static inline void alu_ri(struct dtv_buf *b, enum x86_alu op, u8 d, s32 imm)
{
	x86_alu_ri(b, X86_W, op, d, imm);
}

static inline void alu32_ri(struct dtv_buf *b, enum x86_alu op, u8 d, s32 imm)
{
	x86_alu_ri(b, 0, op, d, imm);
}

static inline void x86_alu_mi(struct dtv_buf *b, u32 fl, enum x86_alu op, struct x86_mem m, s32 imm)
{
	if (x86_is_s8(imm)) {
		x86_op_rm(b, fl, 0x83, op, m);
		x86_byte(b, imm);
	} else {
		x86_op_rm(b, fl, 0x81, op, m);
		x86_u32(b, imm);
	}
}

static inline void alu_mi(struct dtv_buf *b, enum x86_alu op, struct x86_mem m, s32 imm)
{
	x86_alu_mi(b, X86_W, op, m, imm);
}

static inline void alu32_mi(struct dtv_buf *b, enum x86_alu op, struct x86_mem m, s32 imm)
{
	x86_alu_mi(b, 0, op, m, imm);
}

/* cmp dword [m], imm32 with the immediate always four bytes (it is patched or has fixed layout). */
static inline void cmp32_mi32(struct dtv_buf *b, struct x86_mem m, u32 imm)
{
	x86_op_rm(b, 0, 0x81, ALU_CMP, m);
	x86_u32(b, imm);
}

static inline void test_rr(struct dtv_buf *b, u8 a, u8 c)
{
	x86_op_rr(b, X86_W, 0x85, c, a);
}

static inline void test32_rr(struct dtv_buf *b, u8 a, u8 c)
{
	x86_op_rr(b, 0, 0x85, c, a);
}

static inline void test_mr(struct dtv_buf *b, struct x86_mem m, u8 r)
{
	x86_op_rm(b, X86_W, 0x85, r, m);
}

/* test r8, imm8 */
static inline void test8_ri(struct dtv_buf *b, u8 r, u8 imm)
{
	x86_op_rr(b, X86_RMBYTE, 0xf6, 0, r);
	x86_byte(b, imm);
}

static inline void test32_ri(struct dtv_buf *b, u8 r, u32 imm)
{
	x86_op_rr(b, 0, 0xf7, 0, r);
	x86_u32(b, imm);
}

static inline void neg_r(struct dtv_buf *b, u8 r)
{
	x86_op_rr(b, X86_W, 0xf7, 3, r);
}

static inline void neg32_r(struct dtv_buf *b, u8 r)
{
	x86_op_rr(b, 0, 0xf7, 3, r);
}

static inline void not_r(struct dtv_buf *b, u8 r)
{
	x86_op_rr(b, X86_W, 0xf7, 2, r);
}

static inline void shift_ri(struct dtv_buf *b, enum x86_shift op, u8 r, u8 n)
{
	x86_op_rr(b, X86_W, 0xc1, op, r);
	x86_byte(b, n);
}

/* The same in memory; the immediate is a byte. */
static inline void shift_mi(struct dtv_buf *b, enum x86_shift op, struct x86_mem m, u8 n)
{
	x86_op_rm(b, X86_W, 0xc1, op, m);
	x86_byte(b, n);
}

static inline void shift32_ri(struct dtv_buf *b, enum x86_shift op, u8 r, u8 n)
{
	x86_op_rr(b, 0, 0xc1, op, r);
	x86_byte(b, n);
}

/* By cl: rol, ror, shl, shr, sar. */
static inline void shift_rcl(struct dtv_buf *b, enum x86_shift op, u8 r)
{
	x86_op_rr(b, X86_W, 0xd3, op, r);
}

static inline void shift32_rcl(struct dtv_buf *b, enum x86_shift op, u8 r)
{
	x86_op_rr(b, 0, 0xd3, op, r);
}

/* d = d << n, filled from the top of s */
static inline void shld_rri(struct dtv_buf *b, u8 d, u8 s, u8 n)
{
	x86_op_rr(b, X86_W | X86_0F, 0xa4, s, d);
	x86_byte(b, n);
}

/* BMI2: d = s rotated right; no flags */
static inline void rorx_rri(struct dtv_buf *b, bool w, u8 d, u8 s, u8 n)
{
	x86_vex_rr(b, w, 3, 3, 0xf0, d, 0, s);
	x86_byte(b, n);
}

static inline void bswap_r(struct dtv_buf *b, u8 r)
{
	x86_op_r(b, X86_W | X86_0F, 0xc8, r);
}

/* Zero bits above the highest, below the lowest one (the width for 0); one bits. */
static inline void lzcnt_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_F3 | X86_W | X86_0F, 0xbd, d, s);
}

static inline void lzcnt32_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_F3 | X86_0F, 0xbd, d, s);
}

static inline void tzcnt_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_F3 | X86_W | X86_0F, 0xbc, d, s);
}

static inline void tzcnt32_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_F3 | X86_0F, 0xbc, d, s);
}

static inline void popcnt_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_F3 | X86_W | X86_0F, 0xb8, d, s);
}

static inline void popcnt32_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_F3 | X86_0F, 0xb8, d, s);
}

/* BMI2: d = s shifted by the low bits of n. shlx 66, sarx F3, shrx F2. */
static inline void x86_shx(struct dtv_buf *b, bool w, enum x86_shift op, u8 d, u8 s, u8 n)
{
	x86_vex_rr(b, w, op == SH_SHL ? 1 : op == SH_SAR ? 2 : 3, 2, 0xf7, d, n, s);
}

/* BMI1: d = ~a & [m] */
static inline void andn_rrr(struct dtv_buf *b, u8 d, u8 a, u8 c)
{
	x86_vex_rr(b, true, 0, 2, 0xf2, d, a, c);
}

static inline void imul_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_W | X86_0F, 0xaf, d, s);
}

static inline void imul_rm(struct dtv_buf *b, u8 d, struct x86_mem m)
{
	x86_op_rm(b, X86_W | X86_0F, 0xaf, d, m);
}

static inline void imul32_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_op_rr(b, X86_0F, 0xaf, d, s);
}

/* rdx:rax = rax * r; mul 4, imul 5; div 6, idiv 7 divide rdx:rax. */
static inline void mul_r(struct dtv_buf *b, u8 r)
{
	x86_op_rr(b, X86_W, 0xf7, 4, r);
}

static inline void imul_r(struct dtv_buf *b, u8 r)
{
	x86_op_rr(b, X86_W, 0xf7, 5, r);
}

static inline void div_r(struct dtv_buf *b, bool w, u8 r)
{
	x86_op_rr(b, w ? X86_W : 0, 0xf7, 6, r);
}

static inline void idiv_r(struct dtv_buf *b, bool w, u8 r)
{
	x86_op_rr(b, w ? X86_W : 0, 0xf7, 7, r);
}

static inline void cqo(struct dtv_buf *b)
{
	x86_bytes(b, 0x9948, 2);
}

static inline void cdq(struct dtv_buf *b)
{
	x86_byte(b, 0x99);
}

static inline void setcc_r(struct dtv_buf *b, enum x86_cc cc, u8 r)
{
	x86_op_rr(b, X86_0F | X86_RMBYTE, 0x90 | cc, 0, r);
}

static inline void cmov_rr(struct dtv_buf *b, enum x86_cc cc, u8 d, u8 s)
{
	x86_op_rr(b, X86_W | X86_0F, 0x40 | cc, d, s);
}

/* --- atomics: the memory operand carries the segment --- */

static inline void xchg_mr(struct dtv_buf *b, bool w, struct x86_mem m, u8 r)
{
	x86_op_rm(b, w ? X86_W : 0, 0x87, r, m);
}

static inline void lock_xadd_mr(struct dtv_buf *b, bool w, struct x86_mem m, u8 r)
{
	x86_op_rm(b, DTV_MUTANT(amoadd_unlocked, 0, X86_LOCK) | X86_0F | (w ? X86_W : 0), 0xc1, r,
		  m);
}

static inline void lock_cmpxchg_mr(struct dtv_buf *b, bool w, struct x86_mem m, u8 r)
{
	x86_op_rm(b, DTV_MUTANT(amo_unlocked, 0, X86_LOCK) | X86_0F | (w ? X86_W : 0), 0xb1, r, m);
}

static inline void lock_alu_mr(struct dtv_buf *b, bool w, enum x86_alu op, struct x86_mem m, u8 s)
{
	x86_op_rm(b, DTV_MUTANT(alu_unlocked, 0, X86_LOCK) | (w ? X86_W : 0), op << 3 | 1, s, m);
}

static inline void lock_alu_mi(struct dtv_buf *b, enum x86_alu op, struct x86_mem m, s8 imm)
{
	x86_op_rm(b, X86_LOCK | X86_W, 0x83, op, m);
	x86_byte(b, imm);
}

/* --- control --- */

/* Emit a 32-bit branch; returns where its displacement is. */
static inline u8 *jcc_rel32(struct dtv_buf *b, enum x86_cc cc)
{
	x86_bytes(b, 0x800f | (u32)cc << 8, 6);
	return b->p - 4;
}

static inline u8 *jmp_rel32(struct dtv_buf *b)
{
	x86_bytes(b, 0xe9, 5);
	return b->p - 4;
}

static inline u8 *call_rel32(struct dtv_buf *b)
{
	x86_bytes(b, 0xe8, 5);
	return b->p - 4;
}

/* Emit a short branch; returns where its displacement byte is. */
static inline u8 *jcc_rel8(struct dtv_buf *b, enum x86_cc cc)
{
	x86_bytes(b, 0x70 | cc, 2);
	return b->p - 1;
}

static inline u8 *jmp_rel8(struct dtv_buf *b)
{
	x86_bytes(b, 0xeb, 2);
	return b->p - 1;
}

/* Let the branch whose displacement is at @at go to @to (both in the buffer). */
static inline void x86_fix8(struct dtv_buf *b, u8 *at, const u8 *to)
{
	s64 rel = to - (at + 1);

	if (b->full)
		return;
	if (WARN_ON_ONCE(!x86_is_s8(rel)))
		b->full = true;
	else
		*at = rel;
}

static inline void x86_fix32(struct dtv_buf *b, u8 *at, const u8 *to)
{
	s32 rel = to - (at + 4);

	if (!b->full)
		memcpy(at, &rel, 4);
}

static inline void jmp_r(struct dtv_buf *b, u8 r)
{
	x86_op_rr(b, 0, 0xff, 4, r);
}

static inline void jmp_m(struct dtv_buf *b, struct x86_mem m)
{
	x86_op_rm(b, 0, 0xff, 4, m);
}

static inline void ret(struct dtv_buf *b)
{
	x86_byte(b, 0xc3);
}

static inline void x86_syscall(struct dtv_buf *b)
{
	x86_bytes(b, 0x050f, 2);
}

static inline void x86_pause(struct dtv_buf *b)
{
	x86_bytes(b, 0x90f3, 2);
}

static inline void ud2(struct dtv_buf *b)
{
	x86_bytes(b, 0x0b0f, 2);
}

static inline void wrgsbase_r(struct dtv_buf *b, u8 r)
{
	x86_op_rr(b, X86_F3 | X86_W | X86_0F, 0xae, 3, r);
}

static inline void ldmxcsr_m(struct dtv_buf *b, struct x86_mem m)
{
	x86_op_rm(b, X86_0F, 0xae, 2, m);
}

static inline void stmxcsr_m(struct dtv_buf *b, struct x86_mem m)
{
	x86_op_rm(b, X86_0F, 0xae, 3, m);
}

/* Multi-byte nops, AMD64 APM volume 3, NOP. */
static inline void x86_nop(struct dtv_buf *b, unsigned int n)
{
	static const u64 nops[8] = {
		0,
		0x90,
		0x9066,
		0x001f0f,
		0x00401f0f,
		0x0000441f0f,
		0x0000441f0f66,
		0x00000000801f0f,
	};

	while (n) {
		unsigned int k = min(n, 7u);

		x86_bytes(b, nops[k], k);
		n -= k;
	}
}

/*
 * --- scalar floating point, VEX encoded; @dbl true: double, false: single ---
 *
 * What the upper half of a destination gets comes from the first source. So a boxed single in
 * the first source makes the result one.
 */

#define X86_PP(dbl) ((dbl) ? 3 : 2)

/* xmm @d = [m], zero above */
static inline void movs_rm(struct dtv_buf *b, bool dbl, u8 d, struct x86_mem m)
{
	x86_vex_rm(b, false, X86_PP(dbl), 1, 0x10, d, 0, m);
}

static inline void movs_mr(struct dtv_buf *b, bool dbl, struct x86_mem m, u8 s)
{
	x86_vex_rm(b, false, X86_PP(dbl), 1, 0x11, s, 0, m);
}

/* vmovss d, a, s: the lowest 32 bits of @s, the rest of @a */
static inline void movss_rrr(struct dtv_buf *b, u8 d, u8 a, u8 s)
{
	x86_vex_rr(b, false, 2, 1, 0x10, d, a, s);
}

/* movq/movd xmm, r and back */
static inline void movq_xr(struct dtv_buf *b, bool w, u8 x, u8 r)
{
	x86_vex_rr(b, w, 1, 1, 0x6e, x, 0, r);
}

static inline void movq_rx(struct dtv_buf *b, bool w, u8 r, u8 x)
{
	x86_vex_rr(b, w, 1, 1, 0x7e, x, 0, r);
}

/* vpinsrd d, a, r/[m], 0: 32 bits at the bottom, the rest of @a */
static inline void pinsrd_xxr(struct dtv_buf *b, u8 d, u8 a, u8 r)
{
	x86_vex_rr(b, false, 1, 3, 0x22, d, a, r);
	x86_byte(b, 0);
}

static inline void pinsrd_xxm(struct dtv_buf *b, u8 d, u8 a, struct x86_mem m)
{
	x86_vex_rm(b, false, 1, 3, 0x22, d, a, m);
	x86_byte(b, 0);
}

/* vpextrd r, x, 1 */
static inline void pextrd1_rx(struct dtv_buf *b, u8 r, u8 x)
{
	x86_vex_rr(b, false, 1, 3, 0x16, x, 0, r);
	x86_byte(b, 1);
}

/* addsd/addss ... by the opcode */
enum x86_sse {
	SSE_SQRT = 0x51,
	SSE_ADD = 0x58,
	SSE_MUL,
	SSE_SUB = 0x5c,
	SSE_MIN,
	SSE_DIV,
	SSE_MAX
};

static inline void sse_s_rrr(struct dtv_buf *b, enum x86_sse op, bool dbl, u8 d, u8 a, u8 s)
{
	x86_vex_rr(b, false, X86_PP(dbl), 1, op, d, a, s);
}

static inline void sse_s_rrm(struct dtv_buf *b, enum x86_sse op, bool dbl, u8 d, u8 a,
			     struct x86_mem m)
{
	x86_vex_rm(b, false, X86_PP(dbl), 1, op, d, a, m);
}

/* Bitwise, on the whole register. */
static inline void andps_rrr(struct dtv_buf *b, u8 d, u8 a, u8 s)
{
	x86_vex_rr(b, false, 0, 1, 0x54, d, a, s);
}

/* movaps [m], x: 16 bytes, aligned */
static inline void movaps_mr(struct dtv_buf *b, struct x86_mem m, u8 s)
{
	x86_vex_rm(b, false, 0, 1, 0x29, s, 0, m);
}

/* d = ~a & s */
static inline void andnps_rrr(struct dtv_buf *b, u8 d, u8 a, u8 s)
{
	x86_vex_rr(b, false, 0, 1, 0x55, d, a, s);
}

static inline void orps_rrr(struct dtv_buf *b, u8 d, u8 a, u8 s)
{
	x86_vex_rr(b, false, 0, 1, 0x56, d, a, s);
}

static inline void xorps_rrr(struct dtv_buf *b, u8 d, u8 a, u8 s)
{
	x86_vex_rr(b, false, 0, 1, 0x57, d, a, s);
}

static inline void movaps_rr(struct dtv_buf *b, u8 d, u8 s)
{
	/* The other direction where that makes the prefix shorter. */
	if (s & 8 && !(d & 8))
		x86_vex_rr(b, false, 0, 1, 0x29, s, 0, d);
	else
		x86_vex_rr(b, false, 0, 1, 0x28, d, 0, s);
}

/* All bits of @d set. */
static inline void ones_r(struct dtv_buf *b, u8 d)
{
	x86_vex_rr(b, false, 1, 1, 0x76, d, d, d);
}

/* Bytes: all bits set where d is s. */
static inline void pcmpeqb_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_vex_rr(b, false, 1, 1, 0x74, d, d, s);
}

/* d = carry-less product of the lower quadwords */
static inline void pclmullqlqdq_rr(struct dtv_buf *b, u8 d, u8 s)
{
	x86_vex_rr(b, false, 1, 3, 0x44, d, d, s);
	x86_byte(b, 0);
}

/* Quadword @n of x. */
static inline void pextrq_rxi(struct dtv_buf *b, u8 r, u8 x, u8 n)
{
	x86_vex_rr(b, true, 1, 3, 0x16, x, 0, r);
	x86_byte(b, n);
}

/* Quadwords (doublewords) of @s shifted by @n. */
static inline void psllq_rri(struct dtv_buf *b, u8 d, u8 s, u8 n)
{
	x86_vex_rr(b, false, 1, 1, 0x73, 6, d, s);
	x86_byte(b, n);
}

static inline void psrlq_rri(struct dtv_buf *b, u8 d, u8 s, u8 n)
{
	x86_vex_rr(b, false, 1, 1, 0x73, 2, d, s);
	x86_byte(b, n);
}

static inline void pslld_rri(struct dtv_buf *b, u8 d, u8 s, u8 n)
{
	x86_vex_rr(b, false, 1, 1, 0x72, 6, d, s);
	x86_byte(b, n);
}

static inline void psrld_rri(struct dtv_buf *b, u8 d, u8 s, u8 n)
{
	x86_vex_rr(b, false, 1, 1, 0x72, 2, d, s);
	x86_byte(b, n);
}

/* ucomisd/ucomiss: invalid for signalling NaNs only; comisd/comiss: for all NaNs. */
static inline void ucomis_rr(struct dtv_buf *b, bool dbl, u8 d, u8 s)
{
	x86_vex_rr(b, false, dbl, 1, 0x2e, d, 0, s);
}

static inline void comis_rr(struct dtv_buf *b, bool dbl, u8 d, u8 s)
{
	x86_vex_rr(b, false, dbl, 1, 0x2f, d, 0, s);
}

static inline void comis_rm(struct dtv_buf *b, bool dbl, u8 d, struct x86_mem m)
{
	x86_vex_rm(b, false, dbl, 1, 0x2f, d, 0, m);
}

/* cmpsd/cmpss: d = all ones where the predicate holds of a and s. */
#define X86_CMP_EQ 0 /* quiet */
#define X86_CMP_NLT 5 /* not less, or unordered; signalling */

static inline void cmps_rrr(struct dtv_buf *b, bool dbl, u8 d, u8 a, u8 s, u8 pred)
{
	x86_vex_rr(b, false, X86_PP(dbl), 1, 0xc2, d, a, s);
	x86_byte(b, pred);
}

static inline void cmps_rrm(struct dtv_buf *b, bool dbl, u8 d, u8 a, struct x86_mem m, u8 pred)
{
	x86_vex_rm(b, false, X86_PP(dbl), 1, 0xc2, d, a, m);
	x86_byte(b, pred);
}

/* roundsd/roundss: to an integral value. @mode: 0 to 3 nearest, down, up, zero; or flags. */
#define X86_ROUND_MXCSR 4 /* as MXCSR says */
#define X86_ROUND_QUIET 8 /* raise no inexact */

static inline void rounds_rr(struct dtv_buf *b, bool dbl, u8 d, u8 s, u8 mode)
{
	x86_vex_rr(b, false, 1, 3, dbl ? 0x0b : 0x0a, d, s, s);
	x86_byte(b, mode);
}

/* Integer to floating point, the rest of @a; @w: 64-bit integer. */
static inline void cvtsi2s_xxr(struct dtv_buf *b, bool dbl, bool w, u8 x, u8 a, u8 r)
{
	x86_vex_rr(b, w, X86_PP(dbl), 1, 0x2a, x, a, r);
}

/* Floating point to integer, rounded as MXCSR says; cvtt: toward zero. */
static inline void cvts2si_rx(struct dtv_buf *b, bool dbl, bool w, u8 r, u8 x)
{
	x86_vex_rr(b, w, X86_PP(dbl), 1, 0x2d, r, 0, x);
}

static inline void cvtts2si_rx(struct dtv_buf *b, bool dbl, bool w, u8 r, u8 x)
{
	x86_vex_rr(b, w, X86_PP(dbl), 1, 0x2c, r, 0, x);
}

/* cvtsd2ss, cvtss2sd: @dbl is the source's format; the rest of @a */
static inline void cvts2s_rrr(struct dtv_buf *b, bool dbl, u8 d, u8 a, u8 s)
{
	x86_vex_rr(b, false, X86_PP(dbl), 1, 0x5a, d, a, s);
}

/* d = +-(d * a) +- s */
enum x86_fma { FMA_MADD = 0xa9, FMA_MSUB = 0xab, FMA_NMADD = 0xad, FMA_NMSUB = 0xaf };

static inline void vfm213s_rrr(struct dtv_buf *b, enum x86_fma op, bool dbl, u8 d, u8 a, u8 s)
{
	x86_vex_rr(b, dbl, 1, 2, op, d, a, s);
}

static inline void vfm213s_rrm(struct dtv_buf *b, enum x86_fma op, bool dbl, u8 d, u8 a,
			       struct x86_mem m)
{
	x86_vex_rm(b, dbl, 1, 2, op, d, a, m);
}

/* bt, bts, btr, btc: carry is the bit, which is then left, set, cleared, inverted. */
enum x86_bit { BIT_TEST = 4, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

static inline void bit_ri(struct dtv_buf *b, enum x86_bit op, u8 r, u8 n)
{
	x86_op_rr(b, X86_W | X86_0F, 0xba, op, r);
	x86_byte(b, n);
}

/* The bit is n modulo 64. */
static inline void bit_rr(struct dtv_buf *b, enum x86_bit op, u8 r, u8 n)
{
	x86_op_rr(b, X86_W | X86_0F, 0x83 | op << 3, n, r);
}

static inline void bts_ri(struct dtv_buf *b, u8 r, u8 n)
{
	bit_ri(b, BIT_SET, r, n);
}

static inline void btr_ri(struct dtv_buf *b, u8 r, u8 n)
{
	bit_ri(b, BIT_RESET, r, n);
}

static inline void btc_ri(struct dtv_buf *b, u8 r, u8 n)
{
	bit_ri(b, BIT_COMPLEMENT, r, n);
}

static inline void cmc(struct dtv_buf *b)
{
	x86_byte(b, 0xf5);
}

/* test byte [m], imm8 */
static inline void test8_mi(struct dtv_buf *b, struct x86_mem m, u8 imm)
{
	x86_op_rm(b, 0, 0xf6, 0, m);
	x86_byte(b, imm);
}

#endif /* DTV_DBT_X86_ENCODE_H */
