// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * soft.c - guest/fp.c against MPFR, which knows all five rounding modes, and
 * for NaNs, infinities and zeros against the host's FPU.
 *
 * An exact value (or one from which rounding cannot tell it) is computed with
 * enough bits, and rounded to the format by MPFR with as many bits as the
 * result has at its exponent.
 */
#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "oracle.h"

#define NR_RANDOM 60000
_Static_assert(sizeof(long) == 8, "mpfr_get_si() gives 64 bits");
#define EXACT 4600 /* bits: a product of doubles plus a double */

static mpfr_t xa, xb, xc, exact, rounded, bound;

static double as64(u64 v)
{
	double d;

	memcpy(&d, &v, 8);
	return d;
}

static float as32(u32 v)
{
	float f;

	memcpy(&f, &v, 4);
	return f;
}

static u64 bits64(double d)
{
	u64 v;

	memcpy(&v, &d, 8);
	return d != d ? DTV_FP_NAN64 : v;
}

static u64 bits32(float f)
{
	u32 v;

	memcpy(&v, &f, 4);
	return f != f ? DTV_FP_NAN32 : v;
}

/* Whether the bits are a NaN or an infinity. */
static bool special(bool dbl, u64 v)
{
	return dbl ? (v >> 52 & 0x7ff) == 0x7ff : (v >> 23 & 0xff) == 0xff;
}

static bool nan_bits(bool dbl, u64 v)
{
	return special(dbl, v) && (dbl ? v << 12 : v << 41) != 0;
}

static bool zero_bits(bool dbl, u64 v)
{
	return !(dbl ? v << 1 : v << 33);
}

/* Load a number; operations on signalling NaNs are the host's. */
static void load(mpfr_t x, bool dbl, u64 v)
{
	if (dbl)
		mpfr_set_d(x, as64(v), MPFR_RNDN);
	else
		mpfr_set_flt(x, as32(v), MPFR_RNDN);
}

static void set_rounded(mpfr_prec_t prec, u8 rm)
{
	mpfr_set_prec(rounded, prec);
	if (rm == DTV_RM_RMM)
		mpfr_round_nearest_away(mpfr_set, rounded, exact);
	else
		mpfr_set(rounded, exact, mpfr_modes[rm]);
}

static u64 result_bits(bool dbl, double d)
{
	return dbl ? bits64(d) : bits32((float)d);
}

/* The value in exact, not zero, as a number of the format. */
static u64 round_exact(bool dbl, u8 rm, u32 *flags)
{
	int p = dbl ? 53 : 24, emin = dbl ? -1022 : -126, emax = dbl ? 1023 : 127;
	bool neg = mpfr_signbit(exact) != 0, tiny;
	double max = dbl ? 0x1.fffffffffffffp1023 : 0x1.fffffep127;
	double least = dbl ? 0x1p-1074 : 0x1p-149;
	int e = mpfr_get_exp(exact) - 1, prec;

	*flags = 0;
	/* As if the exponent had no bound. */
	set_rounded(p, rm);
	if (mpfr_get_exp(rounded) - 1 > emax) {
		*flags = DTV_FP_OF | DTV_FP_NX;
		if (rm == DTV_RM_RTZ || rm == (neg ? DTV_RM_RUP : DTV_RM_RDN))
			return result_bits(dbl, neg ? -max : max);
		return result_bits(dbl, neg ? -INFINITY : INFINITY);
	}
	tiny = mpfr_get_exp(rounded) - 1 < emin;
	prec = e < emin ? p - (emin - e) : p;
	if (prec >= 1) {
		set_rounded(prec, rm);
	} else {
		/* Below the least subnormal: to it or to zero. */
		int half;
		bool up;

		mpfr_set_d(bound, least / 2 > 0 ? least / 2 : least, MPFR_RNDN);
		if (least / 2 == 0)
			mpfr_div_2ui(bound, bound, 1, MPFR_RNDN);
		half = mpfr_cmpabs(exact, bound);
		up = rm == (neg ? DTV_RM_RDN : DTV_RM_RUP);
		if (rm == DTV_RM_RNE)
			up = half > 0;
		else if (rm == DTV_RM_RMM)
			up = half >= 0;
		mpfr_set_prec(rounded, p);
		mpfr_set_d(rounded, up ? least : 0, MPFR_RNDN);
		mpfr_setsign(rounded, rounded, neg, MPFR_RNDN);
	}
	if (mpfr_cmp(rounded, exact))
		*flags = DTV_FP_NX | (tiny ? DTV_FP_UF : 0);
	return result_bits(dbl, mpfr_get_d(rounded, MPFR_RNDN));
}

/* What the host raised. */
static u32 host_flags(void)
{
	int f = fetestexcept(FE_ALL_EXCEPT);

	return (f & FE_INVALID ? DTV_FP_NV : 0) | (f & FE_DIVBYZERO ? DTV_FP_DZ : 0) |
	       (f & FE_OVERFLOW ? DTV_FP_OF : 0) | (f & FE_UNDERFLOW ? DTV_FP_UF : 0) |
	       (f & FE_INEXACT ? DTV_FP_NX : 0);
}

/* Host's answer, for operands that leave nothing to round but the sign of zero. */
static u64 host_arith(enum arith op, bool dbl, u64 a, u64 b, u64 c, u8 rm, u32 *flags)
{
	u64 r;

	host_round(rm);
	feclearexcept(FE_ALL_EXCEPT);
	if (dbl) {
		r = bits64(host_double(op, as64(a), as64(b), as64(c)));
	} else {
		volatile float x = as32(a), y = as32(b), z = as32(c), d = 0;

		switch (op) {
		case ADD:
			d = x + y;
			break;
		case SUB:
			d = x - y;
			break;
		case MUL:
			d = x * y;
			break;
		case DIV:
			d = x / y;
			break;
		case SQRT:
			d = sqrtf(x);
			break;
		case FMA:
			d = fmaf(x, y, z);
			break;
		}
		r = bits32(d);
	}
	*flags = host_flags();
	/* RISC-V signals for infinity times zero whatever is added. */
	if (op == FMA && ((special(dbl, a) && !nan_bits(dbl, a) && zero_bits(dbl, b)) ||
			  (special(dbl, b) && !nan_bits(dbl, b) && zero_bits(dbl, a))))
		*flags |= DTV_FP_NV;
	host_round(DTV_RM_RNE);
	return r;
}

/* Where bits were lost one more is set, so that the value is on no boundary. */
static void nudge(int ternary)
{
	if (!ternary || mpfr_zero_p(exact))
		return;
	mpfr_prec_round(exact, mpfr_get_prec(exact) + 16, MPFR_RNDN);
	if (mpfr_signbit(exact))
		mpfr_nextbelow(exact);
	else
		mpfr_nextabove(exact);
}

static u64 want_arith(enum arith op, bool dbl, u64 a, u64 b, u64 c, u8 rm, u32 *flags)
{
	bool host = special(dbl, a) || (op != SQRT && special(dbl, b)) ||
		    (op == FMA && special(dbl, c));

	if ((op == DIV && zero_bits(dbl, b)) || (op == SQRT && a >> (dbl ? 63 : 31)))
		host = true;
	if (!host) {
		load(xa, dbl, a);
		load(xb, dbl, b);
		load(xc, dbl, c);
		mpfr_set_prec(exact, op == DIV || op == SQRT ? 200 : EXACT);
		nudge(mpfr_arith(exact, op, xa, xb, xc));
		host = mpfr_zero_p(exact);
	}
	if (host)
		return host_arith(op, dbl, a, b, c, rm, flags);
	return round_exact(dbl, rm, flags);
}

/* --- running fp.c --- */

static struct dtv_hart hart;

static void check_result(const struct dtv_insn *in, u64 got, u64 want, u32 want_flags)
{
	u32 flags = hart.fcsr & 31;

	if ((got != want || flags != want_flags) && complain())
		printf("# %s rm %u f: %llx %llx %llx x: %llx: got %llx %x want %llx %x\n",
		       dtv_op_name(in->op), in->rm, (unsigned long long)hart.f[1],
		       (unsigned long long)hart.f[2], (unsigned long long)hart.f[3],
		       (unsigned long long)hart.x[1], (unsigned long long)got, flags,
		       (unsigned long long)want, want_flags);
}

static u64 box(bool dbl, u64 v)
{
	return dbl ? v : v | DTV_FP_BOX;
}

/* Execute with f1, f2, f3 (or x1) set; the result is f4 or x4. */
static u64 execute(const struct dtv_insn *in, bool dbl, u64 a, u64 b, u64 c)
{
	struct op_shape s = op_shape(in->op);

	hart.fcsr = 0;
	hart.f[1] = box(dbl, a);
	hart.f[2] = box(dbl, b);
	hart.f[3] = box(dbl, c);
	if (dtv_guest_fp(&hart, in) && complain())
		printf("# %s trapped\n", dtv_op_name(in->op));
	return s.x_dst ? hart.x[4] : hart.f[4];
}

static void one_arith(const struct dtv_insn *in, enum arith op, bool dbl, u64 a, u64 b, u64 c)
{
	u64 sign = 1ULL << (dbl ? 63 : 31), want, wa = a, wc = c;
	u32 flags;

	if (op == FMA) {
		/* Signs of operands make the other three of it. */
		u16 of_f = dtv_fp_single_op(in->op);

		if (of_f == DTV_OP_FNMSUB_S || of_f == DTV_OP_FNMADD_S)
			wa ^= sign;
		if (of_f == DTV_OP_FMSUB_S || of_f == DTV_OP_FNMADD_S)
			wc ^= sign;
	}
	want = want_arith(op, dbl, wa, b, wc, in->rm, &flags);
	check_result(in, execute(in, dbl, a, b, c), box(dbl, want), flags);
}

static void test_arith(u16 insn, enum arith op)
{
	bool dbl = op_shape(insn).dst_dbl;
	unsigned int nr = nr_corner(dbl), i, j, rm;

	for (rm = 0; rm < 5; rm++) {
		struct dtv_insn in = make_insn(insn, 4, 1, 2, 3, rm);

		for (i = 0; i < nr; i++)
			for (j = 0; j < (op == SQRT ? 1 : nr); j++)
				one_arith(&in, op, dbl, corner(dbl, i), corner(dbl, j),
					  corner(dbl, rnd() % nr));
		for (i = 0; i < NR_RANDOM; i++) {
			u64 a = rnd_number(dbl), b = rnd_number(dbl), c = rnd_number(dbl);

			if (op == FMA && !(rnd() & 3) && !special(dbl, a) && !special(dbl, b)) {
				/* The addend cancels most of the product. */
				u32 f;

				c = want_arith(MUL, dbl, a, b, 0, rnd() & 3, &f) ^
				    1ULL << (dbl ? 63 : 31);
			}
			one_arith(&in, op, dbl, a, b, c);
		}
	}
	group_done("%s", dtv_op_name(insn));
}

static void test_narrow(void)
{
	unsigned int i, rm;
	u64 want, v;
	u32 flags;

	for (rm = 0; rm < 5; rm++) {
		struct dtv_insn in = make_insn(DTV_OP_FCVT_S_D, 4, 1, 0, 0, rm);

		for (i = 0; i < nr_corner64 + 4 * NR_RANDOM; i++) {
			v = i < nr_corner64 ? corner(true, i) : rnd_number(true);
			flags = 0;
			if (nan_bits(true, v)) {
				want = DTV_FP_NAN32;
				flags = v >> 51 & 1 ? 0 : DTV_FP_NV;
			} else if (special(true, v) || zero_bits(true, v)) {
				want = bits32((float)as64(v));
			} else {
				load(exact, true, v);
				want = round_exact(false, rm, &flags);
			}
			check_result(&in, execute(&in, true, v, 0, 0), box(false, want),
				     flags);
		}
	}
	group_done("fcvt.s.d");
}

static void test_widen(void)
{
	struct dtv_insn in = make_insn(DTV_OP_FCVT_D_S, 4, 1, 0, 0, 0);
	unsigned int i;

	for (i = 0; i < nr_corner32 + NR_RANDOM; i++) {
		u64 v = i < nr_corner32 ? corner(false, i) : rnd_number(false);
		bool snan = nan_bits(false, v) && !(v >> 22 & 1);

		check_result(&in, execute(&in, false, v, 0, 0), bits64(as32(v)),
			     snan ? DTV_FP_NV : 0);
	}
	group_done("fcvt.d.s");
}

static void test_to_int(u16 op, unsigned int width, bool uns)
{
	bool dbl = op_shape(op).src_dbl;
	unsigned int nr = nr_corner(dbl), i, rm;
	mpfr_t low, high;

	mpfr_inits2(128, low, high, (mpfr_ptr)0);
	mpfr_set_si_2exp(high, 1, uns ? width : width - 1, MPFR_RNDN);
	mpfr_neg(low, high, MPFR_RNDN);
	if (uns)
		mpfr_set_zero(low, 1);
	mpfr_sub_ui(high, high, 1, MPFR_RNDN);
	for (rm = 0; rm < 5; rm++) {
		struct dtv_insn in = make_insn(op, 4, 1, 0, 0, rm);

		for (i = 0; i < nr + NR_RANDOM; i++) {
			u64 v = i < nr ? corner(dbl, i) : rnd_number(dbl), want;
			u32 flags = 0;

			load(exact, dbl, v);
			mpfr_set_prec(rounded, 1200);
			switch (rm) {
			case DTV_RM_RNE:
				mpfr_roundeven(rounded, exact);
				break;
			case DTV_RM_RTZ:
				mpfr_trunc(rounded, exact);
				break;
			case DTV_RM_RDN:
				mpfr_floor(rounded, exact);
				break;
			case DTV_RM_RUP:
				mpfr_ceil(rounded, exact);
				break;
			case DTV_RM_RMM:
				mpfr_round(rounded, exact);
				break;
			}
			if (nan_bits(dbl, v) || mpfr_cmp(rounded, high) > 0) {
				flags = DTV_FP_NV;
				want = mpfr_get_ui(high, MPFR_RNDN);
			} else if (mpfr_cmp(rounded, low) < 0) {
				flags = DTV_FP_NV;
				want = uns ? 0 : (u64)mpfr_get_si(low, MPFR_RNDN);
			} else {
				flags = mpfr_cmp(rounded, exact) ? DTV_FP_NX : 0;
				want = uns ? mpfr_get_ui(rounded, MPFR_RNDN) :
					     (u64)mpfr_get_si(rounded, MPFR_RNDN);
			}
			if (width == 32)
				want = (u64)(s64)(s32)want;
			check_result(&in, execute(&in, dbl, v, 0, 0), want, flags);
		}
	}
	mpfr_clears(low, high, (mpfr_ptr)0);
	group_done("%s", dtv_op_name(op));
}

static void test_from_int(u16 op, unsigned int width, bool uns)
{
	bool dbl = op_shape(op).dst_dbl;
	unsigned int i, rm;

	for (rm = 0; rm < 5; rm++) {
		struct dtv_insn in = make_insn(op, 4, 1, 0, 0, rm);

		for (i = 0; i < nr_corner_int + NR_RANDOM; i++) {
			u64 v = i < nr_corner_int ? corner_int(i) : rnd_int(), want = 0;
			u32 flags = 0;

			hart.x[1] = v;
			if (width == 32)
				v = uns ? (u32)v : (u64)(s64)(s32)v;
			mpfr_set_prec(exact, 64);
			if (uns)
				mpfr_set_ui(exact, v, MPFR_RNDN);
			else
				mpfr_set_si(exact, (s64)v, MPFR_RNDN);
			if (v)
				want = round_exact(dbl, rm, &flags);
			check_result(&in, execute(&in, dbl, 0, 0, 0), box(dbl, want), flags);
		}
	}
	group_done("%s", dtv_op_name(op));
}

/* Compares, min, max, sign injection, class: no rounding. */
static void one_simple(u16 op, bool dbl, u64 a, u64 b)
{
	struct dtv_insn in = make_insn(op, 4, 1, op_shape(op).sources > 1 ? 2 : 0, 0, 0);
	u64 sign = 1ULL << (dbl ? 63 : 31), quiet = 1ULL << (dbl ? 51 : 22), want = 0;
	double x = dbl ? as64(a) : as32(a), y = dbl ? as64(b) : as32(b);
	bool an = nan_bits(dbl, a), bn = nan_bits(dbl, b);
	u32 flags = (an && !(a & quiet)) || (bn && !(b & quiet)) ? DTV_FP_NV : 0;
	bool least, to_x = op_shape(op).x_dst;

	switch (op) {
	case DTV_OP_FEQ_S:
	case DTV_OP_FEQ_D:
		want = !an && !bn && x == y;
		break;
	case DTV_OP_FLT_S:
	case DTV_OP_FLT_D:
		want = !an && !bn && x < y;
		flags = an || bn ? DTV_FP_NV : 0;
		break;
	case DTV_OP_FLE_S:
	case DTV_OP_FLE_D:
		want = !an && !bn && x <= y;
		flags = an || bn ? DTV_FP_NV : 0;
		break;
	case DTV_OP_FMIN_S:
	case DTV_OP_FMIN_D:
	case DTV_OP_FMAX_S:
	case DTV_OP_FMAX_D:
		least = op == DTV_OP_FMIN_S || op == DTV_OP_FMIN_D;
		if (an || bn)
			want = !an ? a : !bn ? b : dbl ? DTV_FP_NAN64 : DTV_FP_NAN32;
		else if (x == y)
			want = !!(a & sign) == least ? a : b;
		else
			want = (x < y) == least ? a : b;
		break;
	case DTV_OP_FSGNJ_S:
	case DTV_OP_FSGNJ_D:
		want = (a & ~sign) | (b & sign);
		flags = 0;
		break;
	case DTV_OP_FSGNJN_S:
	case DTV_OP_FSGNJN_D:
		want = (a & ~sign) | (~b & sign);
		flags = 0;
		break;
	case DTV_OP_FSGNJX_S:
	case DTV_OP_FSGNJX_D:
		want = a ^ (b & sign);
		flags = 0;
		break;
	case DTV_OP_FCLASS_S:
	case DTV_OP_FCLASS_D:
		flags = 0;
		switch (dbl ? fpclassify(as64(a)) : fpclassify(as32(a))) {
		case FP_NAN:
			want = a & quiet ? 0x200 : 0x100;
			break;
		case FP_INFINITE:
			want = a & sign ? 0x001 : 0x080;
			break;
		case FP_NORMAL:
			want = a & sign ? 0x002 : 0x040;
			break;
		case FP_SUBNORMAL:
			want = a & sign ? 0x004 : 0x020;
			break;
		case FP_ZERO:
			want = a & sign ? 0x008 : 0x010;
			break;
		}
		break;
	case DTV_OP_FMV_X_W:
		want = (u64)(s64)(s32)a;
		flags = 0;
		break;
	case DTV_OP_FMV_X_D:
		want = a;
		flags = 0;
		break;
	}
	check_result(&in, execute(&in, dbl, a, b, 0), to_x ? want : box(dbl, want), flags);
}

static void test_simple(u16 op)
{
	bool dbl = op_shape(op).src_dbl;
	unsigned int nr = nr_corner(dbl), i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < (op_shape(op).sources > 1 ? nr : 1); j++)
			one_simple(op, dbl, corner(dbl, i), corner(dbl, j));
	for (i = 0; i < NR_RANDOM; i++) {
		u64 a = rnd_number(dbl);

		one_simple(op, dbl, a, rnd() & 7 ? rnd_number(dbl) : a);
	}
	group_done("%s", dtv_op_name(op));
}

/* Singles that are not boxed, FS Off, rounding modes that are none. */
static void test_rest(void)
{
	struct dtv_insn in = make_insn(DTV_OP_FADD_S, 4, 1, 2, 0, 7);
	u32 frm;

	hart.fcsr = 0;
	hart.f[1] = 0xfffffffe3f800000ULL;
	hart.f[2] = 0xffffffff3f800000ULL;
	dtv_guest_fp(&hart, &in);
	check_result(&in, hart.f[4], DTV_FP_NAN32 | DTV_FP_BOX, 0);
	hart.f[1] = 0xffffffff3f800000ULL;
	for (frm = 0; frm < 8; frm++) {
		hart.fcsr = frm << 5;
		hart.mcause = 0;
		hart.mstatus = DTV_MSTATUS_FS & -DTV_MSTATUS_FS;
		dtv_guest_fp(&hart, &in);
		if ((hart.mcause == DTV_EXC_ILLEGAL) != (frm > 4) && complain())
			printf("# frm %u: cause %llu\n", frm, (unsigned long long)hart.mcause);
		if (((hart.mstatus & DTV_MSTATUS_FS) == DTV_MSTATUS_FS) != (frm <= 4) && complain())
			printf("# frm %u: mstatus %llx\n", frm, (unsigned long long)hart.mstatus);
	}
	hart.fcsr = 0;
	hart.mcause = 0;
	hart.mstatus = 0;
	dtv_guest_fp(&hart, &in);
	if (hart.mcause != DTV_EXC_ILLEGAL && complain())
		printf("# FS Off: cause %llu\n", (unsigned long long)hart.mcause);
	hart.mstatus = DTV_MSTATUS_FS;
	group_done("boxing, FS, frm");
}

static const struct {
	u16 s, d;
	enum arith op;
} arith_ops[] = {
	{ DTV_OP_FADD_S, DTV_OP_FADD_D, ADD },	   { DTV_OP_FSUB_S, DTV_OP_FSUB_D, SUB },
	{ DTV_OP_FMUL_S, DTV_OP_FMUL_D, MUL },	   { DTV_OP_FDIV_S, DTV_OP_FDIV_D, DIV },
	{ DTV_OP_FSQRT_S, DTV_OP_FSQRT_D, SQRT },  { DTV_OP_FMADD_S, DTV_OP_FMADD_D, FMA },
	{ DTV_OP_FMSUB_S, DTV_OP_FMSUB_D, FMA },   { DTV_OP_FNMSUB_S, DTV_OP_FNMSUB_D, FMA },
	{ DTV_OP_FNMADD_S, DTV_OP_FNMADD_D, FMA },
};

/* clang-format off */
static const u16 simple_ops[] = {
	DTV_OP_FEQ_S, DTV_OP_FEQ_D, DTV_OP_FLT_S, DTV_OP_FLT_D, DTV_OP_FLE_S, DTV_OP_FLE_D,
	DTV_OP_FMIN_S, DTV_OP_FMIN_D, DTV_OP_FMAX_S, DTV_OP_FMAX_D, DTV_OP_FSGNJ_S, DTV_OP_FSGNJ_D,
	DTV_OP_FSGNJN_S, DTV_OP_FSGNJN_D, DTV_OP_FSGNJX_S, DTV_OP_FSGNJX_D, DTV_OP_FCLASS_S,
	DTV_OP_FCLASS_D, DTV_OP_FMV_X_W, DTV_OP_FMV_X_D,
};
/* clang-format on */

static const struct {
	u16 s, d, from_s, from_d;
	unsigned int width;
	bool uns;
} int_ops[] = {
	{ DTV_OP_FCVT_W_S, DTV_OP_FCVT_W_D, DTV_OP_FCVT_S_W, DTV_OP_FCVT_D_W, 32, false },
	{ DTV_OP_FCVT_WU_S, DTV_OP_FCVT_WU_D, DTV_OP_FCVT_S_WU, DTV_OP_FCVT_D_WU, 32, true },
	{ DTV_OP_FCVT_L_S, DTV_OP_FCVT_L_D, DTV_OP_FCVT_S_L, DTV_OP_FCVT_D_L, 64, false },
	{ DTV_OP_FCVT_LU_S, DTV_OP_FCVT_LU_D, DTV_OP_FCVT_S_LU, DTV_OP_FCVT_D_LU, 64, true },
};

int main(void)
{
	unsigned int i;

	mpfr_inits2(64, xa, xb, xc, exact, rounded, bound, (mpfr_ptr)0);
	hart.mstatus = DTV_MSTATUS_FS;
	plan(2 * ARRAY_SIZE(arith_ops) + ARRAY_SIZE(simple_ops) + 4 * ARRAY_SIZE(int_ops) + 3);
	for (i = 0; i < ARRAY_SIZE(arith_ops); i++) {
		test_arith(arith_ops[i].s, arith_ops[i].op);
		test_arith(arith_ops[i].d, arith_ops[i].op);
	}
	mpfr_set_prec(exact, 64);
	test_narrow();
	test_widen();
	for (i = 0; i < ARRAY_SIZE(int_ops); i++) {
		mpfr_set_prec(exact, 64);
		test_to_int(int_ops[i].s, int_ops[i].width, int_ops[i].uns);
		test_to_int(int_ops[i].d, int_ops[i].width, int_ops[i].uns);
		test_from_int(int_ops[i].from_s, int_ops[i].width, int_ops[i].uns);
		test_from_int(int_ops[i].from_d, int_ops[i].width, int_ops[i].uns);
	}
	for (i = 0; i < ARRAY_SIZE(simple_ops); i++)
		test_simple(simple_ops[i]);
	test_rest();
	return finish();
}
