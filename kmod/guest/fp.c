// SPDX-License-Identifier: GPL-2.0-only
/*
 * fp.c - IEEE 754 binary16, binary32 and binary64 with integers: all of F, D and
 * Zfh, in all five rounding modes, with exact flags.
 *
 * Translated code uses the host's FPU and comes here for what that cannot do
 * (rounding mode RMM, singles that are not boxed, all of Zfh). Tests use it as the
 * reference for translated code.
 *
 * A finite number that is not zero is sig * 2^(exp - 63) with bit 63 of sig
 * set, whatever its format. Operations make a 64-bit significand and a sticky
 * bit for what is below, and round once. No lock, no state but the hart's.
 */
#include "fp.h"
#include "guest.h"

enum fp_class { FP_ZERO, FP_FINITE, FP_INF, FP_QNAN, FP_SNAN };

struct fp_format {
	u8 frac; /* bits of the fraction */
	u8 bits; /* of the whole number */
	s16 emax; /* largest exponent, and the bias */
};

static const struct fp_format half = { 10, 16, 15 };
static const struct fp_format single = { 23, 32, 127 };
static const struct fp_format dbl = { 52, 64, 1023 };

struct fp_num {
	enum fp_class class;
	bool sign;
	s32 exp;
	u64 sig;
};

/* A finite number for sums: sig * 2^(exp - 126), bit 126 of sig set. */
struct fp_wide {
	bool sign;
	s32 exp;
	__uint128_t sig;
};

/* What an operation works with beside its operands. */
struct fp_env {
	const struct fp_format *fmt; /* of the result */
	u8 rm; /* enum dtv_rm, not DYN */
	u32 flags; /* raised */
};

static u64 sign_bit(const struct fp_format *f, bool sign)
{
	return (u64)sign << (f->bits - 1);
}

static u64 infinity(const struct fp_format *f, bool sign)
{
	return sign_bit(f, sign) | (u64)(2 * f->emax + 1) << f->frac;
}

static u64 quiet_nan(const struct fp_format *f)
{
	return infinity(f, false) | 1ULL << (f->frac - 1);
}

static u64 invalid(struct fp_env *e)
{
	e->flags |= DTV_FP_NV;
	return quiet_nan(e->fmt);
}

static bool is_nan(struct fp_num a)
{
	return a.class >= FP_QNAN;
}

/* Result of an operation one of whose operands is a NaN. */
static u64 propagate(struct fp_env *e, struct fp_num a, struct fp_num b)
{
	if (a.class == FP_SNAN || b.class == FP_SNAN)
		e->flags |= DTV_FP_NV;
	return quiet_nan(e->fmt);
}

static struct fp_num unpack(const struct fp_format *f, u64 bits)
{
	u64 frac = bits & ((1ULL << f->frac) - 1);
	s32 exp = bits >> f->frac & (2 * f->emax + 1);
	struct fp_num n = { .class = FP_FINITE, .sign = bits >> (f->bits - 1) & 1 };
	int shift;

	if (exp == 2 * f->emax + 1) {
		n.class = !frac ? FP_INF : frac >> (f->frac - 1) ? FP_QNAN : FP_SNAN;
	} else if (exp) {
		n.exp = exp - f->emax;
		n.sig = (frac | 1ULL << f->frac) << (63 - f->frac);
	} else if (!frac) {
		n.class = FP_ZERO;
	} else {
		shift = __builtin_clzll(frac);
		n.exp = 1 - f->emax + (63 - shift) - f->frac;
		n.sig = frac << shift;
	}
	return n;
}

/*
 * The upper bits of @sig, @drop bits less, rounded; @rest: something not zero
 * is below sig (then drop is at least 1). @sign: of the number.
 */
static u64 round_bits(u64 sig, bool rest, s32 drop, bool sign, u8 rm, bool *inexact)
{
	bool half = false, up;
	u64 q = sig;

	if (drop > 64) {
		q = 0;
		rest |= sig != 0;
	} else if (drop > 0) {
		q = drop == 64 ? 0 : sig >> drop;
		half = sig >> (drop - 1) & 1;
		rest |= (sig & ((1ULL << (drop - 1)) - 1)) != 0;
	}
	switch (rm) {
	case DTV_RM_RNE:
		up = half && (rest || (q & 1));
		break;
	case DTV_RM_RDN:
		up = sign && (half || rest);
		break;
	case DTV_RM_RUP:
		up = !sign && (half || rest);
		break;
	case DTV_RM_RMM:
		up = DTV_MUTANT(soft_away, half && (rest || (q & 1)), half);
		break;
	default:
		up = false;
		break;
	}
	*inexact = half || rest;
	return q + up;
}

/*
 * Round (-1)^sign * (sig + rest) * 2^(exp - 63) to the result's format. Tiny is
 * what would be below the smallest normal number if the exponent had no bound
 * (tininess after rounding, unprivileged manual 20.4).
 */
static u64 pack(struct fp_env *e, bool sign, s32 exp, u64 sig, bool rest)
{
	const struct fp_format *f = e->fmt;
	s32 emin = 1 - f->emax, drop = 63 - f->frac;
	bool tiny = exp < emin, inexact;
	u64 bits;

	if (exp == emin - 1)
		tiny = DTV_MUTANT(half_tiny, e->fmt == &half, false) ||
		       !(round_bits(sig, rest, drop, sign, e->rm, &inexact) >> (f->frac + 1));
	if (exp < emin) {
		bits = round_bits(sig, rest, drop + emin - exp, sign, e->rm, &inexact);
	} else {
		/* The leading one adds 1 to the exponent, and so does a carry. */
		bits = round_bits(sig, rest, drop, sign, e->rm, &inexact);
		bits += (u64)(exp + f->emax - 1) << f->frac;
	}
	if (bits >= infinity(f, false)) {
		bool inf = e->rm == DTV_RM_RNE || e->rm == DTV_RM_RMM ||
			   e->rm == (sign ? DTV_RM_RDN : DTV_RM_RUP);

		e->flags |= DTV_FP_OF | DTV_FP_NX;
		return infinity(f, sign) - !inf;
	}
	if (inexact)
		e->flags |= DTV_FP_NX | (tiny ? DTV_FP_UF : 0);
	return sign_bit(f, sign) | bits;
}

/* A number as it is; rounding happens when it comes from a wider format. */
static u64 pack_num(struct fp_env *e, struct fp_num a)
{
	switch (a.class) {
	case FP_ZERO:
		return sign_bit(e->fmt, a.sign);
	case FP_FINITE:
		return pack(e, a.sign, a.exp, a.sig, false);
	case FP_INF:
		return infinity(e->fmt, a.sign);
	default:
		return propagate(e, a, a);
	}
}

static struct fp_wide widen(struct fp_num a)
{
	return (struct fp_wide){ a.sign, a.exp, (__uint128_t)a.sig << 63 };
}

/* Product of finite numbers, exact. */
static struct fp_wide product(struct fp_num a, struct fp_num b)
{
	__uint128_t sig = (__uint128_t)a.sig * b.sig;
	s32 exp = a.exp + b.exp;

	/* At most 106 bits are in use: the lowest is zero. */
	if (sig >> 127) {
		sig >>= 1;
		exp++;
	}
	return (struct fp_wide){ a.sign ^ b.sign, exp, sig };
}

static u64 pack_wide(struct fp_env *e, bool sign, s32 exp, __uint128_t sig)
{
	u64 hi = sig >> 64;
	int shift = hi ? __builtin_clzll(hi) : 64 + __builtin_clzll((u64)sig);

	sig <<= shift;
	return pack(e, sign, exp + 1 - shift, sig >> 64, (u64)sig != 0);
}

static u64 zero_sum(struct fp_env *e, bool a, bool b)
{
	return sign_bit(e->fmt, a == b ? a : e->rm == DTV_RM_RDN);
}

/* Sum of finite numbers. */
static u64 sum(struct fp_env *e, struct fp_wide a, struct fp_wide b)
{
	struct fp_wide t;
	s32 d;

	if (a.exp < b.exp || (a.exp == b.exp && a.sig < b.sig)) {
		t = a;
		a = b;
		b = t;
	}
	/*
	 * What is shifted out is kept as a sticky bit at the bottom. That is
	 * exact enough: bits get lost from a distance on where at most one
	 * leading bit of the result cancels.
	 */
	d = a.exp - b.exp;
	if (d > 126)
		b.sig = 1;
	else if (d)
		b.sig = b.sig >> d | ((b.sig & (((__uint128_t)1 << d) - 1)) != 0);
	a.sig = a.sign == b.sign ? a.sig + b.sig : a.sig - b.sig;
	if (!a.sig)
		return zero_sum(e, a.sign, b.sign);
	return pack_wide(e, a.sign, a.exp, a.sig);
}

static u64 fp_add(struct fp_env *e, struct fp_num a, struct fp_num b)
{
	if (is_nan(a) || is_nan(b))
		return propagate(e, a, b);
	if (a.class == FP_INF && b.class == FP_INF && a.sign != b.sign)
		return invalid(e);
	if (a.class == FP_INF)
		return infinity(e->fmt, a.sign);
	if (b.class == FP_INF)
		return infinity(e->fmt, b.sign);
	if (a.class == FP_ZERO && b.class == FP_ZERO)
		return zero_sum(e, a.sign, b.sign);
	if (a.class == FP_ZERO)
		return pack_num(e, b);
	if (b.class == FP_ZERO)
		return pack_num(e, a);
	return sum(e, widen(a), widen(b));
}

static u64 fp_mul(struct fp_env *e, struct fp_num a, struct fp_num b)
{
	bool sign = a.sign ^ b.sign;
	struct fp_wide p;

	if (is_nan(a) || is_nan(b))
		return propagate(e, a, b);
	if (a.class == FP_INF || b.class == FP_INF) {
		if (a.class == FP_ZERO || b.class == FP_ZERO)
			return invalid(e);
		return infinity(e->fmt, sign);
	}
	if (a.class == FP_ZERO || b.class == FP_ZERO)
		return sign_bit(e->fmt, sign);
	p = product(a, b);
	return pack_wide(e, sign, p.exp, p.sig);
}

/* a * b + c; infinity times zero is invalid whatever c is (unprivileged manual 20.6). */
static u64 fp_fma(struct fp_env *e, struct fp_num a, struct fp_num b, struct fp_num c)
{
	bool sign = a.sign ^ b.sign;

	if ((a.class == FP_INF && b.class == FP_ZERO) || (a.class == FP_ZERO && b.class == FP_INF))
		return invalid(e);
	if (is_nan(a) || is_nan(b) || is_nan(c)) {
		propagate(e, c, c);
		return propagate(e, a, b);
	}
	if (a.class == FP_INF || b.class == FP_INF) {
		if (c.class == FP_INF && c.sign != sign)
			return invalid(e);
		return infinity(e->fmt, sign);
	}
	if (c.class == FP_INF)
		return infinity(e->fmt, c.sign);
	if (a.class == FP_ZERO || b.class == FP_ZERO)
		return c.class == FP_ZERO ? zero_sum(e, sign, c.sign) : pack_num(e, c);
	if (c.class == FP_ZERO) {
		struct fp_wide p = product(a, b);

		return pack_wide(e, sign, p.exp, p.sig);
	}
	return sum(e, product(a, b), widen(c));
}

static u64 fp_div(struct fp_env *e, struct fp_num a, struct fp_num b)
{
	bool sign = a.sign ^ b.sign;
	u64 rem, den, q = 0;
	s32 exp;
	int i;

	if (is_nan(a) || is_nan(b))
		return propagate(e, a, b);
	if (a.class == b.class && (a.class == FP_INF || a.class == FP_ZERO))
		return invalid(e);
	if (a.class == FP_INF)
		return infinity(e->fmt, sign);
	if (a.class == FP_ZERO || b.class == FP_INF)
		return sign_bit(e->fmt, sign);
	if (b.class == FP_ZERO) {
		e->flags |= DTV_FP_DZ;
		return infinity(e->fmt, sign);
	}
	/* The low bits of both are zero: half of them is exact and its double fits. */
	rem = a.sig >> 1;
	den = b.sig >> 1;
	exp = a.exp - b.exp;
	if (rem < den) {
		rem <<= 1;
		exp--;
	}
	for (i = 0; i < 64; i++) {
		q <<= 1;
		if (rem >= den) {
			rem -= den;
			q |= 1;
		}
		rem <<= 1;
	}
	return pack(e, sign, exp, q, rem != 0);
}

static u64 fp_sqrt(struct fp_env *e, struct fp_num a)
{
	__uint128_t num, rem = 0, t;
	u64 root = 0;
	int i;

	if (is_nan(a))
		return propagate(e, a, a);
	if (a.class == FP_ZERO)
		return sign_bit(e->fmt, a.sign);
	if (a.sign)
		return invalid(e);
	if (a.class == FP_INF)
		return infinity(e->fmt, false);
	/* Two bits of the radicand make one of the root; its exponent has to be even. */
	num = (__uint128_t)a.sig << (63 + (a.exp & 1));
	for (i = 0; i < 64; i++) {
		rem = rem << 2 | (u64)(num >> 126);
		num <<= 2;
		t = (__uint128_t)root << 2 | 1;
		root <<= 1;
		if (rem >= t) {
			rem -= t;
			root |= 1;
		}
	}
	return pack(e, false, (a.exp - (a.exp & 1)) / 2, root, rem != 0);
}

/* -1 less, 0 equal, 1 greater; no NaNs. The zeros are equal. */
static int compare(struct fp_num a, struct fp_num b)
{
	int mag;

	if (a.class == FP_ZERO && b.class == FP_ZERO)
		return 0;
	if (a.class == FP_ZERO)
		return b.sign ? 1 : -1;
	if (b.class == FP_ZERO || a.sign != b.sign)
		return a.sign ? -1 : 1;
	if (a.class != b.class)
		mag = a.class == FP_INF ? 1 : -1;
	else if (a.class == FP_INF)
		mag = 0;
	else if (a.exp != b.exp)
		mag = a.exp < b.exp ? -1 : 1;
	else
		mag = a.sig < b.sig ? -1 : a.sig > b.sig;
	return a.sign ? -mag : mag;
}

/* minimumNumber and maximumNumber of IEEE 754-2019, -0 below +0 (unprivileged manual 20.6). */
static u64 fp_minmax(struct fp_env *e, u64 abits, u64 bbits, bool greater)
{
	struct fp_num a = unpack(e->fmt, abits), b = unpack(e->fmt, bbits);
	int order;

	if (is_nan(a) || is_nan(b)) {
		propagate(e, a, b);
		return !is_nan(a) ? abits : !is_nan(b) ? bbits : quiet_nan(e->fmt);
	}
	order = compare(a, b);
	if (!order)
		order = b.sign - a.sign;
	return (order > 0) == greater ? abits : bbits;
}

/* fclass: one bit of ten (unprivileged manual 20.9). */
static u64 fp_class(struct fp_num a, const struct fp_format *f)
{
	unsigned int n;

	if (is_nan(a))
		return a.class == FP_SNAN ? 1 << 8 : 1 << 9;
	if (a.class == FP_INF)
		n = 7;
	else if (a.class == FP_ZERO)
		n = 4;
	else
		n = a.exp < 1 - f->emax ? 5 : 6;
	return 1ULL << (a.sign ? 7 - n : n);
}

/* To an integer of @width bits; what does not fit gives the nearest one, NV, and not NX. */
static u64 fp_to_int(struct fp_env *e, struct fp_num a, unsigned int width, bool uns)
{
	u64 max = uns ? ~0ULL >> (64 - width) : ~0ULL >> (65 - width);
	u64 low = uns ? 0 : max + 1; /* magnitude of the least one */
	bool inexact = false, fits;
	u64 mag = 0;

	switch (a.class) {
	case FP_ZERO:
		return 0;
	case FP_FINITE:
		fits = a.exp < 64;
		if (fits)
			mag = round_bits(a.sig, false, a.exp < -1 ? 65 : 63 - a.exp, a.sign, e->rm,
					 &inexact);
		fits = fits && mag <= (a.sign ? low : max);
		break;
	case FP_INF:
		fits = false;
		break;
	default:
		fits = false;
		a.sign = false;
		break;
	}
	if (!fits) {
		e->flags |= DTV_FP_NV;
		mag = a.sign ? low : max;
	} else if (inexact) {
		e->flags |= DTV_FP_NX;
	}
	if (a.sign)
		mag = -mag;
	/* Results of 32 bits are sign-extended, unsigned ones too. */
	return width == 32 ? (u64)(s64)(s32)mag : mag;
}

static u64 fp_from_int(struct fp_env *e, u64 v, unsigned int width, bool uns)
{
	bool sign;
	int shift;

	if (width == 32)
		v = uns ? (u32)v : (u64)(s64)(s32)v;
	sign = !uns && v >> 63;
	if (sign)
		v = -v;
	if (!v)
		return 0;
	shift = __builtin_clzll(v);
	return pack(e, sign, 63 - shift, v << shift, false);
}

/* By an instruction's fmt field, and the source of a conversion between formats. */
static const struct fp_format *const formats[4] = { &single, &dbl, &half, &dbl };

/* f[r] as a number of format @f: what is narrower and not boxed is the canonical NaN (21.2). */
static u64 read_f(const struct dtv_hart *h, const struct fp_format *f, u8 r)
{
	u64 v = READ_ONCE(h->f[r & 31]);

	if (f == &dbl)
		return v;
	if (f == &half)
		return v >= DTV_MUTANT(half_box, DTV_FP_BOX, DTV_FP_BOX16) ? (u16)v : DTV_FP_NAN16;
	return v >= DTV_FP_BOX ? (u32)v : DTV_FP_NAN32;
}

static void write_f(struct dtv_hart *h, const struct fp_format *f, u8 r, u64 v)
{
	u64 box = DTV_MUTANT(half_unboxed, false, f == &half) ? DTV_FP_BOX16 : DTV_FP_BOX;

	h->f[r & 31] = f == &dbl ? v : v | box;
}

/* What the instruction gives for its operands; false: it is none of these. */
static bool execute(const struct dtv_hart *h, const struct dtv_insn *insn, struct fp_env *e,
		    u64 *res, bool *to_x)
{
	const struct fp_format *f = formats[insn->raw >> 25 & 3], *from;
	u64 abits = read_f(h, f, insn->rs1), bbits = read_f(h, f, insn->rs2);
	struct fp_num a = unpack(f, abits), b = unpack(f, bbits), c;
	u64 x = insn->rs1 ? READ_ONCE(h->x[insn->rs1 & 31]) : 0;
	u64 s = sign_bit(f, true);
	u16 op = dtv_fp_half_op(dtv_fp_single_op(insn->op));

	e->fmt = f;
	*to_x = false;
	switch (op) {
	case DTV_OP_FMADD_S:
	case DTV_OP_FMSUB_S:
	case DTV_OP_FNMSUB_S:
	case DTV_OP_FNMADD_S:
		/* Opcode bit 3 negates the product, bit 2 the addend. */
		c = unpack(f, read_f(h, f, insn->rs3));
		a.sign ^= insn->raw >> 3 & 1;
		c.sign ^= insn->raw >> 2 & 1;
		*res = fp_fma(e, a, b, c);
		return true;
	case DTV_OP_FADD_S:
		*res = fp_add(e, a, b);
		return true;
	case DTV_OP_FSUB_S:
		b.sign = !b.sign;
		*res = fp_add(e, a, b);
		return true;
	case DTV_OP_FMUL_S:
		*res = fp_mul(e, a, b);
		return true;
	case DTV_OP_FDIV_S:
		*res = fp_div(e, a, b);
		return true;
	case DTV_OP_FSQRT_S:
		*res = fp_sqrt(e, a);
		return true;
	case DTV_OP_FSGNJ_S:
		*res = (abits & ~s) | (bbits & s);
		return true;
	case DTV_OP_FSGNJN_S:
		*res = (abits & ~s) | (~bbits & s);
		return true;
	case DTV_OP_FSGNJX_S:
		*res = abits ^ (bbits & s);
		return true;
	case DTV_OP_FMIN_S:
		*res = fp_minmax(e, abits, bbits, false);
		return true;
	case DTV_OP_FMAX_S:
		*res = fp_minmax(e, abits, bbits, true);
		return true;
	case DTV_OP_FCVT_S_D:
	case DTV_OP_FCVT_D_S:
	case DTV_OP_FCVT_S_H:
	case DTV_OP_FCVT_H_S:
	case DTV_OP_FCVT_D_H:
	case DTV_OP_FCVT_H_D:
		from = formats[insn->rs2 & 3];
		*res = pack_num(e, unpack(from, read_f(h, from, insn->rs1)));
		return true;
	case DTV_OP_FCVT_S_W:
	case DTV_OP_FCVT_S_WU:
	case DTV_OP_FCVT_S_L:
	case DTV_OP_FCVT_S_LU:
		*res = fp_from_int(e, x, insn->raw >> 21 & 1 ? 64 : 32, insn->raw >> 20 & 1);
		return true;
	case DTV_OP_FMV_W_X:
		*res = f == &dbl ? x : f == &half ? (u16)x : (u32)x;
		return true;
	}

	*to_x = true;
	switch (op) {
	case DTV_OP_FLE_S:
	case DTV_OP_FLT_S:
		if (is_nan(a) || is_nan(b)) {
			e->flags |= DTV_FP_NV;
			*res = 0;
		} else {
			/* funct3 is 0 for fle, 1 for flt. */
			*res = compare(a, b) < !(insn->raw >> 12 & 1);
		}
		return true;
	case DTV_OP_FEQ_S:
		if (is_nan(a) || is_nan(b)) {
			propagate(e, a, b);
			*res = 0;
		} else {
			*res = !compare(a, b);
		}
		return true;
	case DTV_OP_FCLASS_S:
		*res = fp_class(a, f);
		return true;
	case DTV_OP_FCVT_W_S:
	case DTV_OP_FCVT_WU_S:
	case DTV_OP_FCVT_L_S:
	case DTV_OP_FCVT_LU_S:
		*res = fp_to_int(e, a, insn->raw >> 21 & 1 ? 64 : 32, insn->raw >> 20 & 1);
		return true;
	case DTV_OP_FMV_X_W:
		/* The bits, boxed or not. */
		*res = READ_ONCE(h->f[insn->rs1 & 31]);
		if (f != &dbl)
			*res = f == &half ? (u64)(s64)(s16)*res : (u64)(s64)(s32)*res;
		if (f == &half)
			*res = DTV_MUTANT(half_move, (u16)*res, *res);
		return true;
	}
	return false;
}

/* Documented in fp.h. */
u64 dtv_guest_fp(struct dtv_hart *h, const struct dtv_insn *insn)
{
	bool rounds = insn->fmt == DTV_FMT_FP || insn->fmt == DTV_FMT_R4;
	u32 fcsr = READ_ONCE(h->fcsr);
	struct fp_env e = { .fmt = &dbl, .rm = insn->rm };
	bool to_x;
	u64 res;

	if (rounds && e.rm == DTV_RM_DYN)
		e.rm = fcsr >> DTV_FCSR_FRM_SHIFT & 7;
	if (!(READ_ONCE(h->mstatus) & DTV_MSTATUS_FS) || (rounds && e.rm > DTV_RM_RMM) ||
	    !execute(h, insn, &e, &res, &to_x))
		return dtv_guest_trap(h, DTV_EXC_ILLEGAL, insn->raw);

	if (!to_x)
		write_f(h, e.fmt, insn->rd, res);
	else if (insn->rd)
		h->x[insn->rd & 31] = res;
	h->fcsr = fcsr | e.flags;
	if (!to_x || e.flags)
		h->mstatus |= DTV_MSTATUS_FS;
	h->pc += insn->len;
	return 0;
}
