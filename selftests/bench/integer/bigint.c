// SPDX-License-Identifier: GPL-2.0-or-later
/* bigint.c - powers of a number of 2048 bits, modulo another, by Montgomery's multiplication. */
#include "../bench.h"

#define LIMBS 32

typedef unsigned __int128 u128;

/* r = a * b / 2^2048 mod m; NINV is -1 / m mod 2^64. */
static BENCH_NOINLINE void multiply(u64 *r, const u64 *a, const u64 *b, const u64 *m, u64 ninv)
{
	u64 t[LIMBS + 2] = { 0 };
	u64 borrow = 0, keep;

	for (int i = 0; i < LIMBS; i++) {
		u64 carry = 0, q;
		u128 x;

		for (int j = 0; j < LIMBS; j++) {
			x = (u128)a[j] * b[i] + t[j] + carry;
			t[j] = x;
			carry = x >> 64;
		}
		x = (u128)t[LIMBS] + carry;
		t[LIMBS] = x;
		t[LIMBS + 1] = x >> 64;
		q = t[0] * ninv;
		x = (u128)q * m[0] + t[0];
		carry = x >> 64;
		for (int j = 1; j < LIMBS; j++) {
			x = (u128)q * m[j] + t[j] + carry;
			t[j - 1] = x;
			carry = x >> 64;
		}
		x = (u128)t[LIMBS] + carry;
		t[LIMBS - 1] = x;
		t[LIMBS] = t[LIMBS + 1] + (u64)(x >> 64);
	}
	for (int i = 0; i < LIMBS; i++) {
		u128 x = (u128)t[i] - m[i] - borrow;

		r[i] = x;
		borrow = x >> 64 & 1;
	}
	/* All ones if t was smaller than m already. */
	keep = -(u64)(borrow > t[LIMBS]);
	for (int i = 0; i < LIMBS; i++)
		r[i] = (t[i] & keep) | (r[i] & ~keep);
}

u64 bench_bigint(unsigned int scale)
{
	size_t n = bench_size(scale, 70000, 50);
	struct bench_random r = BENCH_RANDOM;
	u64 a[LIMBS], x[LIMBS], m[LIMBS], ninv = 1, check = 0;

	for (int i = 0; i < LIMBS; i++) {
		a[i] = x[i] = bench_random(&r);
		m[i] = bench_random(&r);
	}
	m[0] |= 1;
	m[LIMBS - 1] |= 1ull << 63;
	a[LIMBS - 1] >>= 1;
	x[LIMBS - 1] >>= 1;
	for (int i = 0; i < 6; i++)
		ninv *= 2 - m[0] * ninv;
	ninv = -ninv;
	bench_start();
	for (size_t i = 0; i < n; i++) {
		multiply(x, x, x, m, ninv);
		if (i % 4 == 0)
			multiply(x, x, a, m, ninv);
	}
	bench_stop();
	for (int i = 0; i < LIMBS; i++)
		check = bench_mix(check, x[i]);
	return check;
}
