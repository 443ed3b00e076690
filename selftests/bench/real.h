/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * real.h - the type of the floating point programs, which are compiled once with -DREAL=double and
 * once with -DREAL=float, and what they would have had from the mathematical library: its results
 * differ from machine to machine.
 */
#ifndef BENCH_REAL_H
#define BENCH_REAL_H

#include "bench.h"

typedef REAL real;

#define REAL_PASTE(name, suffix) bench_##name##_##suffix
#define REAL_PASTE2(name, suffix) REAL_PASTE(name, suffix)
#define REAL_NAME(name) REAL_PASTE2(name, SUFFIX)

/* One instruction on both machines, rounded exactly. */
static inline real real_sqrt(real x)
{
	return sizeof(real) == sizeof(float) ? __builtin_sqrtf(x) : __builtin_sqrt(x);
}

static inline u64 real_bits(real x)
{
	union {
		double d;
		u64 bits;
	} u = { .d = x };

	return u.bits;
}

/* Uniform in [0, 1), with 24 bits. */
static inline real real_random(struct bench_random *r)
{
	return (real)(bench_random(r) >> 40) / (real)(1 << 24);
}

#endif
