// SPDX-License-Identifier: GPL-2.0-or-later
/* sort.c - quicksort, the pivot a median of three, with insertion sort of short runs. */
#include "../bench.h"

static void swap(u32 *a, u32 *b)
{
	u32 t = *a;

	*a = *b;
	*b = t;
}

static void insertion(u32 *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		u32 x = v[i];
		size_t j = i;

		for (; j && v[j - 1] > x; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}

static void quicksort(u32 *v, size_t n)
{
	while (n > 16) {
		size_t i = 0, j = n - 1;
		u32 pivot;

		if (v[n / 2] < v[0])
			swap(&v[n / 2], &v[0]);
		if (v[n - 1] < v[0])
			swap(&v[n - 1], &v[0]);
		if (v[n - 1] < v[n / 2])
			swap(&v[n - 1], &v[n / 2]);
		pivot = v[n / 2];
		for (;;) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i >= j)
				break;
			swap(&v[i++], &v[j--]);
		}
		quicksort(v, i);
		v += i;
		n -= i;
	}
	insertion(v, n);
}

u64 bench_sort(unsigned int scale)
{
	size_t n = bench_size(scale, 2000000, 1000);
	u32 *v = bench_alloc(n * sizeof(*v));
	struct bench_random r = BENCH_RANDOM;
	u64 check = 0;

	for (size_t i = 0; i < n; i++)
		v[i] = bench_random(&r) >> 32;
	bench_start();
	quicksort(v, n);
	bench_stop();
	for (size_t i = 0; i < n; i++)
		check = bench_mix(check, v[i]);
	for (size_t i = 1; i < n; i++)
		if (v[i - 1] > v[i])
			return 0;
	return check;
}
