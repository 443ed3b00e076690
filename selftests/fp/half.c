// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * half.c - Zfh and Zfhmin as guest/fp.c does them, against MPFR.
 *
 * What can be rounded is computed exactly (quotients and roots with far more bits than
 * any tie has), then rounded to the nearer of its neighbours among the halves, found
 * by comparison: nothing here knows how bits are packed but number().
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "oracle.h"

#define NR_RANDOM 40000
#define SIGN 0x8000U
#define INF 0x7c00U
#define QUIET 0x0200U
#define NR_HALVES 0x10000U

/* Where something changes; both signs of each are tried. */
static const u16 corners[] = {
	0x0000, 0x0001, 0x0002, 0x0003, 0x01ff, 0x0200, 0x03fe, 0x03ff, 0x0400, 0x0401, 0x07ff,
	0x0800, 0x1000, 0x1400, 0x2800, 0x37ff, 0x3800, 0x3801, 0x3a00, 0x3bff, 0x3c00, 0x3c01,
	0x3e00, 0x3fff, 0x4000, 0x4100, 0x4200, 0x63ff, 0x6400, 0x6401, 0x67ff, 0x6800, 0x77ff,
	0x7800, 0x7bfe, 0x7bff, 0x7c00, 0x7c01, 0x7dff, 0x7e00, 0x7e01, 0x7fff,
};

static mpfr_t exact, near, xa, xb, xc;
static struct dtv_hart hart;

static u16 corner_half(unsigned int i)
{
	return corners[i / 2 % ARRAY_SIZE(corners)] | (i & 1 ? SIGN : 0);
}

static u16 rnd_half(void)
{
	u64 v = rnd();

	return v >> 60 < 4 ? corner_half(v % (2 * ARRAY_SIZE(corners))) : (u16)v;
}

static bool is_nan(u16 h)
{
	return (h & 0x7fff) > INF;
}

static bool is_snan(u16 h)
{
	return is_nan(h) && !(h & QUIET);
}

static bool is_inf(u16 h)
{
	return (h & 0x7fff) == INF;
}

static bool is_zero(u16 h)
{
	return !(h & 0x7fff);
}

/* The number that a half is; that of the largest exponent's first is 2^16. */
static double number(u16 h)
{
	int e = h >> 10 & 31, f = h & 0x3ff;
	double d = e ? ldexp(1024 + f, e - 25) : ldexp(f, -24);

	return h & SIGN ? -d : d;
}

/* The value in exact, which is not zero, as a half. */
static u64 round_exact(u8 rm, u32 *flags)
{
	bool neg = mpfr_signbit(exact) != 0, tiny, up;
	u16 sign = neg ? SIGN : 0, lo = 0, hi = INF;
	bool away = rm == (neg ? DTV_RM_RDN : DTV_RM_RUP);
	int c;

	*flags = 0;
	/* As if the exponent had no bound. */
	mpfr_set_prec(near, 11);
	if (rm == DTV_RM_RMM)
		mpfr_round_nearest_away(mpfr_set, near, exact);
	else
		mpfr_set(near, exact, mpfr_modes[rm]);
	mpfr_abs(near, near, MPFR_RNDN);
	mpfr_abs(exact, exact, MPFR_RNDN);
	if (mpfr_cmp_d(near, 65536) >= 0) {
		*flags = DTV_FP_OF | DTV_FP_NX;
		return sign | (away || rm == DTV_RM_RNE || rm == DTV_RM_RMM ? INF : INF - 1);
	}
	tiny = mpfr_cmp_d(near, 0x1p-14) < 0;
	while (hi - lo > 1) {
		u16 mid = (lo + hi) / 2;

		if (mpfr_cmp_d(exact, number(mid)) >= 0)
			lo = mid;
		else
			hi = mid;
	}
	if (!mpfr_cmp_d(exact, number(lo)))
		return sign | lo;
	*flags = DTV_FP_NX | (tiny ? DTV_FP_UF : 0);
	c = mpfr_cmp_d(exact, (number(lo) + number(hi)) / 2);
	up = away;
	if (rm == DTV_RM_RNE)
		up = c > 0 || (c == 0 && (lo & 1));
	else if (rm == DTV_RM_RMM)
		up = c >= 0;
	return sign | (up ? hi : lo);
}

static u64 box(u16 h)
{
	return h | DTV_FP_BOX16;
}

/* Execute with f1, f2, f3 and x1 set; the result is f4 or x4. */
static void check(const struct dtv_insn *in, bool to_x, u64 want, u32 want_flags)
{
	u64 got;

	hart.fcsr = 0;
	if (dtv_guest_fp(&hart, in) && complain())
		printf("# %s trapped\n", dtv_op_name(in->op));
	got = to_x ? hart.x[4] : hart.f[4];
	if ((got != want || (hart.fcsr & 31) != want_flags) && complain())
		printf("# %s rm %u f: %llx %llx %llx x: %llx: got %llx %x want %llx %x\n",
		       dtv_op_name(in->op), in->rm, (unsigned long long)hart.f[1],
		       (unsigned long long)hart.f[2], (unsigned long long)hart.f[3],
		       (unsigned long long)hart.x[1], (unsigned long long)got,
		       (unsigned int)hart.fcsr & 31, (unsigned long long)want, want_flags);
}

/* --- arithmetic --- */

/* The same in doubles, where nothing overflows and nothing becomes zero by rounding. */
static double in_doubles(enum arith op, double a, double b, double c, u8 rm)
{
	double d;

	host_round(rm);
	d = host_double(op, a, b, c);
	host_round(DTV_RM_RNE);
	return d;
}

static double with_inf(u16 h)
{
	return is_inf(h) ? (h & SIGN ? -INFINITY : INFINITY) : number(h);
}

static u64 want_arith(enum arith op, u16 a, u16 b, u16 c, u8 rm, u32 *flags)
{
	unsigned int n = op == SQRT ? 1 : op == FMA ? 3 : 2;
	double d;

	*flags = 0;
	if (op == FMA && ((is_inf(a) && is_zero(b)) || (is_zero(a) && is_inf(b)))) {
		*flags = DTV_FP_NV;
		return DTV_FP_NAN16;
	}
	if (is_nan(a) || (n > 1 && is_nan(b)) || (n > 2 && is_nan(c))) {
		if (is_snan(a) || (n > 1 && is_snan(b)) || (n > 2 && is_snan(c)))
			*flags = DTV_FP_NV;
		return DTV_FP_NAN16;
	}
	d = in_doubles(op, with_inf(a), with_inf(b), with_inf(c), rm);
	if (isnan(d)) {
		*flags = DTV_FP_NV;
		return DTV_FP_NAN16;
	}
	if (isinf(d)) {
		if (op == DIV && is_zero(b) && !is_inf(a))
			*flags = DTV_FP_DZ;
		return INF | (signbit(d) ? SIGN : 0);
	}
	if (d == 0)
		return signbit(d) ? SIGN : 0;
	mpfr_set_d(xa, number(a), MPFR_RNDN);
	mpfr_set_d(xb, number(b), MPFR_RNDN);
	mpfr_set_d(xc, number(c), MPFR_RNDN);
	mpfr_arith(exact, op, xa, xb, xc);
	return round_exact(rm, flags);
}

static void one_arith(const struct dtv_insn *in, enum arith op, u16 a, u16 b, u16 c)
{
	u16 wa = a, wc = c;
	u32 flags;
	u64 want;

	/* Signs of operands make the other three of fmadd. */
	if (in->op == DTV_OP_FNMSUB_H || in->op == DTV_OP_FNMADD_H)
		wa ^= SIGN;
	if (in->op == DTV_OP_FMSUB_H || in->op == DTV_OP_FNMADD_H)
		wc ^= SIGN;
	want = want_arith(op, wa, b, wc, in->rm, &flags);
	hart.f[1] = box(a);
	hart.f[2] = box(b);
	hart.f[3] = box(c);
	check(in, false, box(want), flags);
}

static void test_arith(u16 insn, enum arith op)
{
	unsigned int nr = 2 * ARRAY_SIZE(corners), i, j, rm;

	for (rm = 0; rm < 5; rm++) {
		struct dtv_insn in = make_insn(insn, 4, 1, 2, 3, rm);

		if (op == SQRT) {
			for (i = 0; i < NR_HALVES; i++)
				one_arith(&in, op, i, 0, 0);
			continue;
		}
		for (i = 0; i < nr; i++)
			for (j = 0; j < nr; j++)
				one_arith(&in, op, corner_half(i), corner_half(j), rnd_half());
		for (i = 0; i < NR_RANDOM; i++) {
			u16 a = rnd_half(), b = rnd_half(), c = rnd_half();
			u32 flags;

			/* The addend cancels most of the product. */
			if (op == FMA && i & 1)
				c = want_arith(MUL, a, b, 0, rm, &flags) ^ SIGN;
			one_arith(&in, op, a, b, c);
		}
	}
	group_done("%s", dtv_op_name(insn));
}

/* --- conversions --- */

/* From a single or double, to a half. */
static void test_narrow(u16 op, bool dbl)
{
	unsigned int nr = nr_corner(dbl), i, rm;

	for (rm = 0; rm < 5; rm++) {
		struct dtv_insn in = make_insn(op, 4, 1, 0, 0, rm);

		for (i = 0; i < nr + 2 * NR_HALVES + NR_RANDOM; i++) {
			u64 v = i < nr ? corner(dbl, i) : rnd_number(dbl), want;
			u32 flags = 0, v32;
			bool quiet;
			double d;
			float f;

			/* Halves, and what is next to a tie between two. */
			if (i >= nr && i < nr + 2 * NR_HALVES) {
				u16 h = (i - nr) / 2;

				d = is_nan(h) ? NAN : with_inf(h);
				if (i & 1 && !is_nan(h) && !is_inf(h))
					d += ldexp(number(0x0001),
						   (h >> 10 & 31 ? (h >> 10 & 31) : 1) - 2) *
					     (1 + (double)((int)(rnd() % 3) - 1) / 1024);
				f = d;
				memcpy(&v32, &f, 4);
				memcpy(&v, &d, 8);
				if (!dbl)
					v = v32;
			}
			if (dbl) {
				memcpy(&d, &v, 8);
				quiet = v >> 51 & 1;
			} else {
				v32 = v;
				memcpy(&f, &v32, 4);
				d = f;
				quiet = v >> 22 & 1;
			}
			if (isnan(d)) {
				want = DTV_FP_NAN16;
				flags = quiet ? 0 : DTV_FP_NV;
			} else if (isinf(d)) {
				want = INF | (signbit(d) ? SIGN : 0);
			} else if (d == 0) {
				want = signbit(d) ? SIGN : 0;
			} else {
				mpfr_set_d(exact, d, MPFR_RNDN);
				want = round_exact(rm, &flags);
			}
			hart.f[1] = dbl ? v : v | DTV_FP_BOX;
			check(&in, false, box(want), flags);
		}
	}
	group_done("%s", dtv_op_name(op));
}

static void test_widen(u16 op, bool dbl)
{
	struct dtv_insn in = make_insn(op, 4, 1, 0, 0, 0);
	unsigned int i;

	for (i = 0; i < NR_HALVES; i++) {
		double d = with_inf(i);
		float f = d;
		u32 v32;
		u64 v;

		memcpy(&v, &d, 8);
		memcpy(&v32, &f, 4);
		if (is_nan(i)) {
			v = DTV_FP_NAN64;
			v32 = DTV_FP_NAN32;
		}
		hart.f[1] = box(i);
		check(&in, false, dbl ? v : v32 | DTV_FP_BOX, is_snan(i) ? DTV_FP_NV : 0);
	}
	group_done("%s", dtv_op_name(op));
}

static void test_to_int(u16 op, unsigned int width, bool uns)
{
	unsigned int i, rm;

	for (rm = 0; rm < 5; rm++) {
		struct dtv_insn in = make_insn(op, 4, 1, 0, 0, rm);

		for (i = 0; i < NR_HALVES; i++) {
			u64 max = uns ? ~0ULL >> (64 - width) : ~0ULL >> (65 - width), want;
			u32 flags = 0;

			mpfr_set_d(exact, number(i), MPFR_RNDN);
			mpfr_set_prec(near, 64);
			if (rm == DTV_RM_RMM)
				mpfr_round(near, exact);
			else
				mpfr_rint(near, exact, mpfr_modes[rm]);
			if (is_nan(i) || (is_inf(i) && !(i & SIGN))) {
				want = max;
				flags = DTV_FP_NV;
			} else if (is_inf(i) || (uns && mpfr_sgn(near) < 0)) {
				want = uns ? 0 : max + 1;
				flags = DTV_FP_NV;
			} else {
				want = mpfr_get_si(near, MPFR_RNDN);
				flags = mpfr_cmp(near, exact) ? DTV_FP_NX : 0;
			}
			if (width == 32)
				want = (u64)(s64)(s32)want;
			hart.f[1] = box(i);
			check(&in, true, want, flags);
		}
	}
	group_done("%s", dtv_op_name(op));
}

static void test_from_int(u16 op, unsigned int width, bool uns)
{
	unsigned int i, rm;

	for (rm = 0; rm < 5; rm++) {
		struct dtv_insn in = make_insn(op, 4, 1, 0, 0, rm);

		for (i = 0; i < nr_corner_int + 2 * NR_HALVES + NR_RANDOM; i++) {
			/* All that may be finite, and more. */
			u64 v = i < nr_corner_int		  ? corner_int(i) :
				i < nr_corner_int + 2 * NR_HALVES ? i - NR_HALVES :
								    rnd_int();
			u64 want = 0;
			u32 flags = 0;

			hart.x[1] = v;
			if (width == 32)
				v = uns ? (u32)v : (u64)(s64)(s32)v;
			if (uns)
				mpfr_set_ui(exact, v, MPFR_RNDN);
			else
				mpfr_set_si(exact, (s64)v, MPFR_RNDN);
			if (v)
				want = round_exact(rm, &flags);
			check(&in, false, box(want), flags);
		}
	}
	group_done("%s", dtv_op_name(op));
}

/* --- no rounding --- */

static u64 class_of(u16 h)
{
	if (is_nan(h))
		return h & QUIET ? 0x200 : 0x100;
	if (is_inf(h))
		return h & SIGN ? 0x001 : 0x080;
	if (is_zero(h))
		return h & SIGN ? 0x008 : 0x010;
	if (fabs(number(h)) < 0x1p-14)
		return h & SIGN ? 0x004 : 0x020;
	return h & SIGN ? 0x002 : 0x040;
}

static void one_simple(u16 op, u16 a, u16 b)
{
	bool nan = is_nan(a) || is_nan(b), to_x = false, least = op == DTV_OP_FMIN_H;
	struct dtv_insn in = make_insn(op, 4, 1, op_shape(op).sources > 1 ? 2 : 0, 0, 0);
	double x = with_inf(a), y = with_inf(b);
	u32 flags = is_snan(a) || is_snan(b) ? DTV_FP_NV : 0;
	u64 want = 0;

	switch (op) {
	case DTV_OP_FEQ_H:
		want = !nan && x == y;
		to_x = true;
		break;
	case DTV_OP_FLT_H:
	case DTV_OP_FLE_H:
		want = !nan && (op == DTV_OP_FLT_H ? x < y : x <= y);
		flags = nan ? DTV_FP_NV : 0;
		to_x = true;
		break;
	case DTV_OP_FMIN_H:
	case DTV_OP_FMAX_H:
		if (nan)
			want = !is_nan(a) ? a : !is_nan(b) ? b : DTV_FP_NAN16;
		else if (x == y)
			want = !!(a & SIGN) == least ? a : b;
		else
			want = (x < y) == least ? a : b;
		break;
	case DTV_OP_FSGNJ_H:
		want = (a & ~SIGN) | (b & SIGN);
		flags = 0;
		break;
	case DTV_OP_FSGNJN_H:
		want = (a & ~SIGN) | (~b & SIGN);
		flags = 0;
		break;
	case DTV_OP_FSGNJX_H:
		want = a ^ (b & SIGN);
		flags = 0;
		break;
	case DTV_OP_FCLASS_H:
		want = class_of(a);
		flags = 0;
		to_x = true;
		break;
	case DTV_OP_FMV_X_H:
		want = (u64)(s64)(s16)a;
		flags = 0;
		to_x = true;
		break;
	}
	hart.f[1] = box(a);
	hart.f[2] = box(b);
	check(&in, to_x, to_x ? want : box(want), flags);
}

static void test_simple(u16 op)
{
	unsigned int nr = 2 * ARRAY_SIZE(corners), i, j;

	for (i = 0; i < NR_HALVES; i++)
		one_simple(op, i, op_shape(op).sources > 1 ? rnd_half() : 0);
	for (i = 0; op_shape(op).sources > 1 && i < nr; i++)
		for (j = 0; j < nr; j++)
			one_simple(op, corner_half(i), corner_half(j));
	group_done("%s", dtv_op_name(op));
}

/* What is not boxed is the canonical NaN, but for fmv.x.h and the signs' operands' boxes. */
static void test_boxes(void)
{
	static const u64 bad[] = {
		0x0000000000003c00,
		0xfffffffffffe3c00,
		0x7fffffffffff3c00,
		0xffffffff00003c00,
	};
	struct dtv_insn add = make_insn(DTV_OP_FADD_H, 4, 1, 2, 0, 7);
	struct dtv_insn sign = make_insn(DTV_OP_FSGNJ_H, 4, 1, 1, 0, 0);
	struct dtv_insn to_x = make_insn(DTV_OP_FMV_X_H, 4, 1, 0, 0, 0);
	struct dtv_insn from_x = make_insn(DTV_OP_FMV_H_X, 4, 1, 0, 0, 0);
	unsigned int i;

	hart.f[2] = box(0x3c00);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		hart.f[1] = bad[i];
		check(&add, false, box(DTV_FP_NAN16), 0);
		check(&sign, false, box(DTV_FP_NAN16), 0);
		check(&to_x, true, 0x3c00, 0);
	}
	hart.x[1] = 0x1234567890ab8765;
	check(&from_x, false, box(0x8765), 0);
	group_done("boxes");
}

static const struct {
	u16 op;
	enum arith arith;
} arith_ops[] = {
	{ DTV_OP_FADD_H, ADD },	 { DTV_OP_FSUB_H, SUB },   { DTV_OP_FMUL_H, MUL },
	{ DTV_OP_FDIV_H, DIV },	 { DTV_OP_FSQRT_H, SQRT }, { DTV_OP_FMADD_H, FMA },
	{ DTV_OP_FMSUB_H, FMA }, { DTV_OP_FNMSUB_H, FMA }, { DTV_OP_FNMADD_H, FMA },
};

static const u16 simple_ops[] = {
	DTV_OP_FEQ_H,	DTV_OP_FLT_H,	 DTV_OP_FLE_H,	  DTV_OP_FMIN_H,   DTV_OP_FMAX_H,
	DTV_OP_FSGNJ_H, DTV_OP_FSGNJN_H, DTV_OP_FSGNJX_H, DTV_OP_FCLASS_H, DTV_OP_FMV_X_H,
};

static const struct {
	u16 to, from;
	unsigned int width;
	bool uns;
} int_ops[] = {
	{ DTV_OP_FCVT_W_H, DTV_OP_FCVT_H_W, 32, false },
	{ DTV_OP_FCVT_WU_H, DTV_OP_FCVT_H_WU, 32, true },
	{ DTV_OP_FCVT_L_H, DTV_OP_FCVT_H_L, 64, false },
	{ DTV_OP_FCVT_LU_H, DTV_OP_FCVT_H_LU, 64, true },
};

int main(void)
{
	unsigned int i;

	mpfr_inits2(256, exact, near, xa, xb, xc, (mpfr_ptr)0);
	hart.mstatus = DTV_MSTATUS_FS;
	plan(ARRAY_SIZE(arith_ops) + ARRAY_SIZE(simple_ops) + 2 * ARRAY_SIZE(int_ops) + 5);
	for (i = 0; i < ARRAY_SIZE(arith_ops); i++)
		test_arith(arith_ops[i].op, arith_ops[i].arith);
	test_narrow(DTV_OP_FCVT_H_S, false);
	test_narrow(DTV_OP_FCVT_H_D, true);
	test_widen(DTV_OP_FCVT_S_H, false);
	test_widen(DTV_OP_FCVT_D_H, true);
	for (i = 0; i < ARRAY_SIZE(int_ops); i++) {
		test_to_int(int_ops[i].to, int_ops[i].width, int_ops[i].uns);
		test_from_int(int_ops[i].from, int_ops[i].width, int_ops[i].uns);
	}
	for (i = 0; i < ARRAY_SIZE(simple_ops); i++)
		test_simple(simple_ops[i]);
	test_boxes();
	return finish();
}
