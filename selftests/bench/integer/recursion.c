// SPDX-License-Identifier: GPL-2.0-or-later
/* recursion.c - calls and returns: deep ones, Takeuchi's function, the permutations of a list. */
#include "../bench.h"

static BENCH_NOINLINE s32 tak(s32 x, s32 y, s32 z)
{
	if (y >= x)
		return z;
	return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

/* Not a tail call: the way back has work to do. */
static BENCH_NOINLINE u64 deep(u64 n, u64 x)
{
	if (!n)
		return x;
	return bench_mix(deep(n - 1, x + n), n);
}

static BENCH_NOINLINE void permute(u8 *v, int n, u64 *check)
{
	if (n == 1) {
		*check += v[0] * 3 + v[1];
		return;
	}
	for (int i = 0; i < n; i++) {
		u8 t;

		permute(v, n - 1, check);
		t = v[n & 1 ? 0 : i];
		v[n & 1 ? 0 : i] = v[n - 1];
		v[n - 1] = t;
	}
}

u64 bench_recursion(unsigned int scale)
{
	size_t n = bench_size(scale, 70, 1);
	u64 check = 0;

	bench_start();
	for (size_t i = 0; i < n; i++) {
		u8 v[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

		check = bench_mix(check, tak(15, 9, i % 3));
		check = bench_mix(check, deep(20000, i));
		permute(v, sizeof(v), &check);
	}
	bench_stop();
	return check;
}
