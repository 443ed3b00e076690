// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * matrix.c - matrices of 32 bit integers multiplied, row by row. (By columns, as in a textbook,
 * gcc's vectors for this machine are slower than plain code: a measure of nothing.)
 */
#include "../bench.h"

#define N 200

static void multiply(u32 (*c)[N], u32 (*a)[N], u32 (*b)[N])
{
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++)
			c[i][j] = 0;
		for (int k = 0; k < N; k++)
			for (int j = 0; j < N; j++)
				c[i][j] += a[i][k] * b[k][j];
	}
}

u64 bench_matrix(unsigned int scale)
{
	size_t n = bench_size(scale, 24, 1);
	u32(*a)[N] = bench_alloc(sizeof(u32[N][N])), (*b)[N] = bench_alloc(sizeof(u32[N][N]));
	u32(*c)[N] = bench_alloc(sizeof(u32[N][N]));
	struct bench_random r = BENCH_RANDOM;
	u64 check = 0;

	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++) {
			a[i][j] = bench_random(&r);
			b[i][j] = bench_random(&r);
		}
	}
	bench_start();
	for (size_t i = 0; i < n; i++) {
		u32(*t)[N] = a;

		multiply(c, a, b);
		a = c;
		c = t;
	}
	bench_stop();
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			check = bench_mix(check, a[i][j]);
	return check;
}
