// SPDX-License-Identifier: GPL-2.0-or-later
/* fft.c - Fourier transforms of 8192 complex points, there and back. */
#include "../real.h"

#define BITS 13
#define N (1 << BITS)

struct complex {
	real re, im;
};

/* exp(2 pi i / N * k), by halving angles: no library's sine is everywhere the same. */
static void make_roots(struct complex *root)
{
	double re[BITS + 1], im[BITS + 1];

	/* of angle pi, pi / 2, ... */
	re[0] = -1;
	im[0] = 0;
	re[1] = 0;
	im[1] = 1;
	for (int i = 2; i <= BITS; i++) {
		re[i] = __builtin_sqrt((1 + re[i - 1]) / 2);
		im[i] = im[i - 1] / (2 * re[i]);
	}
	for (int k = 0; k < N; k++) {
		double x = 1, y = 0;

		for (int i = 0; i < BITS; i++) {
			if (k >> (BITS - 1 - i) & 1) {
				double t = x * re[i] - y * im[i];

				y = x * im[i] + y * re[i];
				x = t;
			}
		}
		root[k].re = x;
		root[k].im = y;
	}
}

/* SIGN is 1 or -1: the direction. */
static BENCH_NOINLINE void transform(struct complex *v, const struct complex *root, real sign)
{
	for (u32 i = 0, j = 0; i < N; i++) {
		u32 bit = N >> 1;

		if (i < j) {
			struct complex t = v[i];

			v[i] = v[j];
			v[j] = t;
		}
		for (; j & bit; bit >>= 1)
			j ^= bit;
		j |= bit;
	}
	for (u32 len = 1; len < N; len *= 2) {
		for (u32 at = 0; at < N; at += 2 * len) {
			for (u32 i = 0; i < len; i++) {
				struct complex w = root[i * (N / 2 / len)];
				struct complex *a = &v[at + i], *b = a + len, t;

				w.im *= sign;
				t.re = b->re * w.re - b->im * w.im;
				t.im = b->re * w.im + b->im * w.re;
				b->re = a->re - t.re;
				b->im = a->im - t.im;
				a->re += t.re;
				a->im += t.im;
			}
		}
	}
}

u64 REAL_NAME(fft)(unsigned int scale)
{
	size_t n = bench_size(scale, 640, 1);
	struct complex *v = bench_alloc(N * sizeof(*v)), *root = bench_alloc(N * sizeof(*root));
	struct bench_random r = BENCH_RANDOM;
	u64 check = 0;

	make_roots(root);
	for (int i = 0; i < N; i++) {
		v[i].re = real_random(&r);
		v[i].im = real_random(&r);
	}
	bench_start();
	for (size_t i = 0; i < n; i++) {
		transform(v, root, 1);
		for (int j = 0; j < N; j++) {
			v[j].re /= N;
			v[j].im /= N;
		}
		transform(v, root, -1);
	}
	bench_stop();
	for (int i = 0; i < N; i++)
		check = bench_mix(bench_mix(check, real_bits(v[i].re)), real_bits(v[i].im));
	return check;
}
