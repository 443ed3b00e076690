// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cold.c - 100,000 blocks of code, each of which runs once: the cost is that of translating them.
 * A branch that is as good as random, one instruction on either side of it, some arithmetic before:
 * 1,000 times in ten functions, which are copied to 50 places. The runner counts the instructions
 * of the section.
 */
#include <sys/mman.h>

#include "../bench.h"

#define COPIES 50

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
static u8 *copy(size_t size)
{
	u8 *copies = bench_alloc(COPIES * size);

	for (size_t i = 0; i < COPIES; i++)
		for (size_t j = 0; j < size; j++)
			copies[i * size + j] = __start_bench_blocks[j];
	if (mprotect(copies, COPIES * size, PROT_READ | PROT_EXEC))
		bench_die("mprotect");
	__builtin___clear_cache((char *)copies, (char *)copies + COPIES * size);
	return copies;
}

static u64 pass(const u8 *copies, size_t size)
{
	u64 check = 1;

	for (size_t i = 0; i < COPIES; i++, copies += size) {
		for (size_t j = 0; j < sizeof(functions) / sizeof(functions[0]); j++) {
			size_t at = (const u8 *)functions[j] - __start_bench_blocks;

			check = ((cold_function)(copies + at))(check >> 7, check);
		}
	}
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
	u8 *copies = copy(size);
	u64 check;

	(void)scale;
	bench_start();
	check = pass(copies, size);
	bench_stop();
	return check;
}

u64 bench_warm(unsigned int scale)
{
	size_t size = section_size();
	u8 *copies = copy(size);
	u64 first, again;

	(void)scale;
	first = pass(copies, size);
	bench_start();
	again = pass(copies, size);
	bench_stop();
	return first == again ? first : 0;
}
