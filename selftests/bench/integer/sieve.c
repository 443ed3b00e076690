// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sieve.c - multiples are crossed out in 64 MiB, a byte for each number, by the primes from 1 Ki
 * on: most strides are pages wide, so that address translation is what it costs.
 */
#include "../bench.h"

u64 bench_sieve(unsigned int scale)
{
	size_t n = bench_size(scale, 64 << 20, 4 << 20), left = 0;
	u8 *crossed = bench_alloc(n);
	u64 check = 0;

	bench_start();
	for (size_t p = 1031; p * p < n; p += 2) {
		size_t d = 3;

		while (d * d <= p && p % d)
			d += 2;
		if (d * d <= p)
			continue;
		for (size_t i = p; i < n; i += p)
			crossed[i] = 1;
	}
	for (size_t i = 0; i < n; i += 61)
		left += !crossed[i];
	bench_stop();
	for (size_t i = 0; i < n; i += 4099)
		check = bench_mix(check, crossed[i]);
	return bench_mix(check, left);
}
