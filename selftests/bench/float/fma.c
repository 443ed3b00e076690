// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fma.c - polynomials by Horner's scheme, each step one fused multiply-add. The other programs are
 * compiled without contraction, since their results have to be the same everywhere; this one says
 * what fused instructions cost.
 */
#include "../bench.h"

#ifdef __x86_64__
#define HAS_FMA __attribute__((target("fma")))
#else
#define HAS_FMA
#endif

#define DEGREE 24

static HAS_FMA BENCH_NOINLINE double sum(const double *c, size_t n)
{
	double total = 0;

	for (size_t i = 0; i < n; i++) {
		double x = (double)(i & 1023) / 1024, y = c[DEGREE];

		for (int j = DEGREE - 1; j >= 0; j--)
			y = __builtin_fma(y, x, c[j]);
		total += y;
	}
	return total;
}

u64 bench_fma(unsigned int scale)
{
	struct bench_random r = BENCH_RANDOM;
	union {
		double d;
		u64 bits;
	} u;
	double c[DEGREE + 1];

	for (int i = 0; i <= DEGREE; i++)
		c[i] = (double)(bench_random(&r) >> 40) / (1 << 24) - 0.5;
	bench_start();
	u.d = sum(c, bench_size(scale, 16000000, 1000));
	bench_stop();
	return u.bits;
}
