// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cold.c - 100,000 blocks of code, each of which runs once: the cost is that of translating them.
 * A branch that is as good as random, one instruction on either side of it, some arithmetic before:
 * 1,000 times in ten functions, which are copied to 50 places. The runner counts the instructions
 * of the section.
 *
 * large and sweep have 720 copies: more than three times what fits into dtv's code cache by
 * default. sweep runs them in turn, each function once: what is needed next is what was thrown away
 * first. large calls functions as programs do, few of them often (the n-th in proportion to 1/n),
 * and each does something while it is at it: half a million instructions, in LOOPS rounds. There
 * the time is that of the second half, when everything has been translated that ever will be.
 */
#include <sys/mman.h>

#include "../bench.h"

#define COPIES 50
#define LARGE_COPIES 720
#define FUNCTIONS 10
#define LOOPS 500

/* The compiler must not know what is in X: so nothing is merged, and no branch is made a move. */
#define KEEP(x) __asm__ volatile("" : "+r"(x))

#define B(n)                                         \
	x = (x ^ (u32)((n)*2654435761u)) + (x >> 5); \
	if (x & 1 << (n) % 13 << 2) {                \
		y += x;                              \
		KEEP(y);                             \
	} else {                                     \
		y -= x;                              \
		KEEP(y);                             \
	}

#define B10(n) B(n) B(n + 1) B(n + 2) B(n + 3) B(n + 4) B(n + 5) B(n + 6) B(n + 7) B(n + 8) B(n + 9)

#define F(n)                                                                                      \
	__attribute__((noinline, noclone, section("bench_blocks"))) static u64 f##n(u32 x, u64 y) \
	{                                                                                         \
		B10(n##00)                                                                        \
		B10(n##10)                                                                        \
		B10(n##20)                                                                        \
		B10(n##30)                                                                        \
		B10(n##40)                                                                        \
		B10(n##50)                                                                        \
		B10(n##60)                                                                        \
		B10(n##70)                                                                        \
		B10(n##80)                                                                        \
		B10(n##90)                                                                        \
		return y ^ x;                                                                     \
	}

// clang-format off
#define ALL(M) M(10) M(11) M(12) M(13) M(14) M(15) M(16) M(17) M(18) M(19)
// clang-format on

ALL(F)

#define NAME(n) f##n,

typedef u64 (*cold_function)(u32 x, u64 y);

static const cold_function functions[] = { ALL(NAME) };

extern const u8 __start_bench_blocks[], __stop_bench_blocks[];

/* The functions refer to nothing, so that they work anywhere. */
static u8 *copy(size_t size, size_t nr)
{
	u8 *copies = bench_alloc(nr * size);

	for (size_t i = 0; i < nr; i++)
		for (size_t j = 0; j < size; j++)
			copies[i * size + j] = __start_bench_blocks[j];
	if (mprotect(copies, nr * size, PROT_READ | PROT_EXEC))
		bench_die("mprotect");
	__builtin___clear_cache((char *)copies, (char *)copies + nr * size);
	return copies;
}

static cold_function function(const u8 *copies, size_t size, size_t i)
{
	size_t at = (const u8 *)functions[i % FUNCTIONS] - __start_bench_blocks;

	return (cold_function)(copies + i / FUNCTIONS * size + at);
}

static u64 pass(const u8 *copies, size_t size, size_t nr)
{
	u64 check = 1;

	for (size_t i = 0; i < nr * FUNCTIONS; i++)
		check = function(copies, size, i)(check >> 7, check);
	return check;
}

/* As far as the functions are concerned: 16 is enough for any instruction's alignment. */
static size_t section_size(void)
{
	return (__stop_bench_blocks - __start_bench_blocks + 15) & ~15ull;
}

u64 bench_cold(unsigned int scale)
{
	size_t size = section_size();
	u8 *copies = copy(size, COPIES);
	u64 check;

	(void)scale;
	bench_start();
	check = pass(copies, size, COPIES);
	bench_stop();
	return check;
}

u64 bench_warm(unsigned int scale)
{
	size_t size = section_size();
	u8 *copies = copy(size, COPIES);
	u64 first, again;

	(void)scale;
	first = pass(copies, size, COPIES);
	bench_start();
	again = pass(copies, size, COPIES);
	bench_stop();
	return first == again ? first : 0;
}

u64 bench_sweep(unsigned int scale)
{
	size_t size = section_size(), nr = bench_size(scale, LARGE_COPIES, 10);
	u8 *copies = copy(size, nr);
	u64 first = pass(copies, size, nr), again;

	bench_start();
	again = pass(copies, size, nr);
	bench_stop();
	return first == again ? first : 0;
}

u64 bench_large(unsigned int scale)
{
	size_t size = section_size(), nr = bench_size(scale, LARGE_COPIES, 10);
	size_t all = nr * FUNCTIONS, calls = bench_size(scale, 6000, 100);
	u64 *weight = bench_alloc(all * sizeof(*weight)), sum = 0;
	u32 *place = bench_alloc(all * sizeof(*place));
	struct bench_random r = BENCH_RANDOM;
	u8 *copies = copy(size, nr);
	u64 check = pass(copies, size, nr);

	/* The n-th of them stands anywhere. */
	for (size_t i = 0; i < all; i++) {
		size_t j = bench_random(&r) % (i + 1);

		place[i] = place[j];
		place[j] = i;
	}
	for (size_t i = 0; i < all; i++) {
		sum += (1ull << 32) / (i + 1);
		weight[i] = sum;
	}
	for (size_t i = 0; i < calls; i++) {
		u64 x = bench_random(&r) % sum;
		size_t low = 0, high = all - 1;
		cold_function f;

		if (i == calls / 2)
			bench_start();
		while (low < high) {
			size_t middle = (low + high) / 2;

			if (weight[middle] > x)
				high = middle;
			else
				low = middle + 1;
		}
		f = function(copies, size, place[low]);
		for (size_t j = 0; j < LOOPS; j++)
			check = f(check >> 7, check);
	}
	bench_stop();
	return check;
}
