// SPDX-License-Identifier: GPL-2.0-or-later
/* cases.c - operands and instructions for the floating-point tests, and TAP. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "cases.h"

/* clang-format off */
static const u64 magnitudes64[] = {
	0ULL,
	1ULL, /* least subnormal */
	2ULL,
	0x0008000000000000ULL,
	0x000fffffffffffffULL, /* largest subnormal */
	0x0010000000000000ULL, /* least normal */
	0x0010000000000001ULL,
	0x001fffffffffffffULL,
	0x3690000000000000ULL, /* half the least subnormal single */
	0x36a0000000000000ULL,
	0x380fffffe0000000ULL, /* around the least normal single */
	0x380ffffff0000000ULL,
	0x3810000000000000ULL,
	0x3ca0000000000000ULL, /* 2^-53 */
	0x3fd0000000000000ULL, /* 0.25 */
	0x3fdfffffffffffffULL, /* next below a half */
	0x3fe0000000000000ULL, /* 0.5 */
	0x3fe0000000000001ULL,
	0x3fe8000000000000ULL, /* 0.75 */
	0x3fefffffffffffffULL,
	0x3ff0000000000000ULL, /* 1 */
	0x3ff0000000000001ULL,
	0x3ff0000010000000ULL, /* tie between singles */
	0x3ff0000030000000ULL,
	0x3ff8000000000000ULL, /* 1.5 */
	0x4000000000000000ULL, /* 2 */
	0x4004000000000000ULL, /* 2.5 */
	0x4008000000000000ULL, /* 3 */
	0x41dfffffff800000ULL, /* 2^31 - 2 */
	0x41dfffffffc00000ULL, /* 2^31 - 1 */
	0x41dfffffffe00000ULL, /* 2^31 - 0.5 */
	0x41dfffffffd99999ULL, /* 2^31 - 0.6 */
	0x41e0000000000000ULL, /* 2^31 */
	0x41e0000000066666ULL, /* 2^31 + 0.2 */
	0x41e0000000100000ULL, /* 2^31 + 0.5 */
	0x41e0000000133333ULL, /* 2^31 + 0.6 */
	0x41e0000000200000ULL, /* 2^31 + 1 */
	0x41efffffffe00000ULL, /* 2^32 - 1 */
	0x41efffffffe80000ULL, /* 2^32 - 0.75 */
	0x41effffffff00000ULL, /* 2^32 - 0.5 */
	0x41effffffff80000ULL, /* 2^32 - 0.25 */
	0x41f0000000000000ULL, /* 2^32 */
	0x41f0000000080000ULL, /* 2^32 + 0.5 */
	0x432fffffffffffffULL, /* 2^52 - 0.5 */
	0x4330000000000001ULL,
	0x43dfffffffffffffULL, /* below 2^63 */
	0x43e0000000000000ULL, /* 2^63 */
	0x43e0000000000001ULL,
	0x43efffffffffffffULL, /* below 2^64 */
	0x43f0000000000000ULL, /* 2^64 */
	0x47efffffe0000000ULL, /* largest single */
	0x47efffffefffffffULL,
	0x47effffff0000000ULL, /* rounds to infinity */
	0x47f0000000000000ULL,
	0x5fefffffffffffffULL,
	0x7fe0000000000000ULL,
	0x7fefffffffffffffULL, /* largest */
	0x7ff0000000000000ULL, /* infinity */
	0x7ff0000000000001ULL, /* signalling */
	0x7ff7ffffffffffffULL,
	0x7ff8000000000000ULL, /* quiet */
	0x7ff8000000000001ULL,
	0x7fffffffffffffffULL,
};

static const u64 magnitudes32[] = {
	0U,
	1U,
	2U,
	0x00400000U,
	0x007fffffU, /* largest subnormal */
	0x00800000U, /* least normal */
	0x00800001U,
	0x00ffffffU,
	0x33800000U, /* 2^-24 */
	0x3e800000U, /* 0.25 */
	0x3effffffU,
	0x3f000000U, /* 0.5 */
	0x3f000001U,
	0x3f400000U, /* 0.75 */
	0x3f7fffffU,
	0x3f800000U, /* 1 */
	0x3f800001U,
	0x3fc00000U, /* 1.5 */
	0x40000000U, /* 2 */
	0x40200000U, /* 2.5 */
	0x40400000U, /* 3 */
	0x4affffffU, /* 2^23 - 0.5 */
	0x4b000001U,
	0x4effffffU, /* below 2^31 */
	0x4f000000U, /* 2^31 */
	0x4f000001U,
	0x4f7fffffU, /* below 2^32 */
	0x4f800000U, /* 2^32 */
	0x5effffffU, /* below 2^63 */
	0x5f000000U, /* 2^63 */
	0x5f000001U,
	0x5f7fffffU, /* below 2^64 */
	0x5f800000U, /* 2^64 */
	0x7effffffU,
	0x7f000000U,
	0x7f7fffffU, /* largest */
	0x7f800000U, /* infinity */
	0x7f800001U, /* signalling */
	0x7fbfffffU,
	0x7fc00000U, /* quiet */
	0x7fc00001U,
	0x7fffffffU,
};

static const u64 corner_ints[] = {
	0, 1, 2, 3, ~0ULL, ~1ULL,
	0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0x100000000,
	0xffffffff80000000, 0xffffffff7fffffff,
	0xffffff, 0x1000000, 0x1000001, 0x1000002, 0x1000003, 0x1ffffff, 0x2000003, /* 24 bits */
	0x1fffffffffffff, 0x20000000000000, 0x20000000000001, 0x20000000000003,
	0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001,
	0x8000000000000400, 0x8000000000000401, 0x8000000000000c00, 0x80000000000003ff,
	0x7ffffffffffffdff, 0x7ffffffffffffe00, 0x7ffffffffffffe01,
	0xfffffffffffff800, 0xfffffffffffffbff, 0xfffffffffffffc00, 0xfffffffffffffc01,
	0xffffff7fffffffff, 0xffffff8000000000, 0xffffff8000000001, 0xfffffe8000000000,
	0x8000008000000000, 0x8000008000000001, 0x8000007fffffffff, 0x4000004000000001,
};

/* clang-format on */

const unsigned int nr_corner64 = 2 * ARRAY_SIZE(magnitudes64);
const unsigned int nr_corner32 = 2 * ARRAY_SIZE(magnitudes32);
const unsigned int nr_corner_int = ARRAY_SIZE(corner_ints);

u64 corner(bool dbl, unsigned int i)
{
	u64 sign = i & 1;

	return dbl ? magnitudes64[i / 2] | sign << 63 : magnitudes32[i / 2] | sign << 31;
}

u64 corner_int(unsigned int i)
{
	return corner_ints[i];
}

u64 rnd(void)
{
	/* splitmix64 */
	static u64 state = 0x6474760000000001ULL;
	u64 z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* Bits of a fraction: any, few ones, or few zeros. */
static u64 fraction(void)
{
	u64 v = rnd();

	switch (rnd() & 3) {
	case 0:
		return v;
	case 1:
		return v & rnd() & rnd() & rnd();
	case 2:
		return v | rnd() | rnd() | rnd();
	default:
		return v << (rnd() & 63);
	}
}

static u64 rnd64(void)
{
	static const u16 near[] = {
		1023, 1023, 1023, 1, 30, 2040, 1023 - 126, 1023 + 127, 1023 + 31, 1023 + 63,
	};
	u64 sign = rnd() << 63, exp;

	switch (rnd() & 7) {
	case 0:
		return corner(true, rnd() % nr_corner64);
	case 1:
		exp = rnd() & 0x7ff;
		break;
	case 2:
		exp = 0;
		break;
	default:
		exp = (near[rnd() % ARRAY_SIZE(near)] + rnd() % 9 - 4) & 0x7ff;
		break;
	}
	return sign | exp << 52 | fraction() >> 12;
}

static u64 rnd32(void)
{
	static const u8 near[] = { 127, 127, 127, 4, 30, 250, 127 + 31, 127 + 63, 64, 190 };
	u64 sign = (rnd() & 1) << 31, exp;

	switch (rnd() & 7) {
	case 0:
		return corner(false, rnd() % nr_corner32);
	case 1:
		exp = rnd() & 0xff;
		break;
	case 2:
		exp = 0;
		break;
	default:
		exp = (near[rnd() % ARRAY_SIZE(near)] + rnd() % 9 - 4) & 0xff;
		break;
	}
	return sign | exp << 23 | fraction() >> 41;
}

u64 rnd_number(bool dbl)
{
	return dbl ? rnd64() : rnd32();
}

u64 rnd_int(void)
{
	return rnd() & 1 ? corner_int(rnd() % nr_corner_int) : fraction() >> (rnd() & 63);
}

bool has_rm(u16 op)
{
	struct dtv_insn in = make_insn(op, 0, 0, 0, 0, 0);

	return in.fmt == DTV_FMT_FP || in.fmt == DTV_FMT_R4;
}

struct dtv_insn make_insn(u16 op, u8 rd, u8 rs1, u8 rs2, u8 rs3, u8 rm)
{
	static const struct {
		u32 match, mask;
	} rows[] = {
		{ 0, 0 },
#define INSN(id, name, fmt, match, mask, isa) { match, mask },
#include "guest/insns.h"
#undef INSN
	};
	u32 operands = rd << 7 | rm << 12 | rs1 << 15 | rs2 << 20 | (u32)rs3 << 27;
	struct dtv_insn in;

	dtv_decode(rows[op].match | (operands & ~rows[op].mask), DTV_ISA_RV64GC | DTV_ISA_ZFH,
		   &in);
	if (in.op != op) {
		printf("Bail out! %s does not decode\n", dtv_op_name(op));
		exit(1);
	}
	return in;
}

struct op_shape op_shape(u16 op)
{
	struct op_shape s = { .sources = 2 };
	struct dtv_insn in = make_insn(op, 1, 1, 1, 1, 0);

	s.src_dbl = s.dst_dbl = in.raw >> 25 & 1;
	switch (in.raw & 0x7f) {
	case 0x43:
	case 0x47:
	case 0x4b:
	case 0x4f:
		s.sources = 3;
		return s;
	}
	switch (in.raw >> 27) {
	case 0x0b: /* fsqrt */
		s.sources = 1;
		break;
	case 0x08: /* fcvt.s.d, fcvt.d.s */
		s.sources = 1;
		s.src_dbl = !s.dst_dbl;
		break;
	case 0x14: /* compares */
		s.x_dst = true;
		break;
	case 0x18: /* to integer */
	case 0x1c: /* fmv.x, fclass */
		s.sources = 1;
		s.x_dst = true;
		break;
	case 0x1a: /* from integer */
	case 0x1e:
		s.sources = 0;
		s.x_src = true;
		break;
	}
	return s;
}

static unsigned int count, failed, complaints;

void plan(unsigned int n)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%u\n", n);
}

bool complain(void)
{
	return complaints++ < 10;
}

void group_done(const char *fmt, ...)
{
	va_list ap;

	if (complaints) {
		printf("# %u differences\n", complaints);
		failed++;
	}
	printf("%sok %u ", complaints ? "not " : "", ++count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	complaints = 0;
}

int finish(void)
{
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n", count - failed,
	       failed);
	return failed ? 1 : 0;
}
