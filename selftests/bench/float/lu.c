// SPDX-License-Identifier: GPL-2.0-or-later
/* lu.c - a system of linear equations solved by elimination with partial pivoting. */
#include "../real.h"

#define N 160

static BENCH_NOINLINE void solve(real a[][N + 1])
{
	for (int k = 0; k < N; k++) {
		int pivot = k;

		for (int i = k + 1; i < N; i++) {
			real x = a[i][k] < 0 ? -a[i][k] : a[i][k];
			real y = a[pivot][k] < 0 ? -a[pivot][k] : a[pivot][k];

			if (x > y)
				pivot = i;
		}
		for (int j = k; j <= N && pivot != k; j++) {
			real t = a[k][j];

			a[k][j] = a[pivot][j];
			a[pivot][j] = t;
		}
		for (int i = k + 1; i < N; i++) {
			real f = a[i][k] / a[k][k];

			for (int j = k; j <= N; j++)
				a[i][j] -= f * a[k][j];
		}
	}
	for (int i = N - 1; i >= 0; i--) {
		for (int j = i + 1; j < N; j++)
			a[i][N] -= a[i][j] * a[j][N];
		a[i][N] /= a[i][i];
	}
}

u64 REAL_NAME(lu)(unsigned int scale)
{
	size_t n = bench_size(scale, 260, 1);
	real(*a)[N + 1] = bench_alloc(sizeof(real[N][N + 1]));
	struct bench_random r = BENCH_RANDOM;
	u64 check = 0;

	for (size_t i = 0; i < n; i++) {
		for (int j = 0; j < N; j++)
			for (int k = 0; k <= N; k++)
				a[j][k] = real_random(&r) - (real)0.5;
		bench_start();
		solve(a);
		bench_stop();
		for (int j = 0; j < N; j++)
			check = bench_mix(check, real_bits(a[j][N]));
	}
	return check;
}
