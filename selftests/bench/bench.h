/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench.h - what a benchmark program has from main.c, and the list of the programs.
 *
 * A program is a function bench_NAME(scale). It makes its input from a fixed seed, does its work
 * between bench_start() and bench_stop(), and returns a check value which depends on all of the
 * work and on nothing else: it must be the same on each machine. What is timed calls no library
 * function, so that both machines run code from the same compiler.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define BENCH_NOINLINE __attribute__((noinline, noclone))

/* The clock runs between these two; there may be several such pairs. */
void bench_start(void);
void bench_stop(void);

/* Memory that is there already: every page has been written. Ends the program if there is none. */
void *bench_alloc(size_t size);

/* End the program with a message: the machine is broken, not slow. */
_Noreturn void bench_die(const char *why);

/* FULL at scale 100 (percent), but at least MIN. */
static inline u64 bench_size(unsigned int scale, u64 full, u64 min)
{
	u64 n = full * scale / 100;

	return n < min ? min : n;
}

struct bench_random {
	u64 state;
};

#define BENCH_RANDOM ((struct bench_random){ 0x9e3779b97f4a7c15 })

/* xorshift64* */
static inline u64 bench_random(struct bench_random *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1d;
}

/* One step of a check value: order matters, nothing is lost. */
static inline u64 bench_mix(u64 check, u64 value)
{
	check = (check ^ value) * 0x100000001b3;
	return check ^ check >> 29;
}

/* Text of made-up words with the frequencies of a language, more or less: SIZE bytes. */
void bench_text(u8 *text, size_t size);

/* PROGRAM(name, group). A floating point program is there twice: PROGRAM2 makes both. */
#define PROGRAM2(name) PROGRAM(name##_double, float) PROGRAM(name##_single, float)
// clang-format off
#define BENCH_PROGRAMS \
	PROGRAM(sort, integer) \
	PROGRAM(sieve, integer) \
	PROGRAM(sha256, integer) \
	PROGRAM(aes, integer) \
	PROGRAM(lz, integer) \
	PROGRAM(search, integer) \
	PROGRAM(records, integer) \
	PROGRAM(bigint, integer) \
	PROGRAM(chase, integer) \
	PROGRAM(matrix, integer) \
	PROGRAM(interp, integer) \
	PROGRAM(virtual, integer) \
	PROGRAM(recursion, integer) \
	PROGRAM(state, integer) \
	PROGRAM2(nbody) \
	PROGRAM2(mandelbrot) \
	PROGRAM2(lu) \
	PROGRAM2(fft) \
	PROGRAM2(raytrace) \
	PROGRAM(fma, extra) \
	PROGRAM(null, system) \
	PROGRAM(pipe, system) \
	PROGRAM(switch, system) \
	PROGRAM(fork, system) \
	PROGRAM(mmap, system) \
	PROGRAM(fault, system) \
	PROGRAM(read, system) \
	PROGRAM(cold, cold) \
	PROGRAM(warm, cold) \
	PROGRAM(sweep, large) \
	PROGRAM(large, large)
// clang-format on

#define PROGRAM(name, group) u64 bench_##name(unsigned int scale);
BENCH_PROGRAMS
#undef PROGRAM

#endif
