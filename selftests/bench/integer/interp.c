// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * interp.c - an interpreter of byte code with a stack, each instruction jumping to the next by a
 * table; the program that it runs looks for the longest Collatz sequence.
 */
#include "../bench.h"

enum {
	OP_CONST,
	OP_LOAD,
	OP_STORE,
	OP_ADD,
	OP_MUL,
	OP_SHR,
	OP_AND,
	OP_LESS,
	OP_JUMP,
	OP_JUMPZ,
	OP_END,
};

/* Variables */
enum { N, X, LEN, BEST, BEST_N, LIMIT };

// clang-format off
static const u8 program[] = {
	/*  0: */ OP_CONST, 1, OP_STORE, N,
	/*  4: next n */ OP_LOAD, N, OP_LOAD, LIMIT, OP_LESS, OP_JUMPZ, 68,
	/* 11: */ OP_LOAD, N, OP_STORE, X, OP_CONST, 0, OP_STORE, LEN,
	/* 19: step */ OP_CONST, 1, OP_LOAD, X, OP_LESS, OP_JUMPZ, 53,
	/* 26: */ OP_LOAD, LEN, OP_CONST, 1, OP_ADD, OP_STORE, LEN,
	/* 33: */ OP_LOAD, X, OP_CONST, 1, OP_AND, OP_JUMPZ, 69,
	/* 40: odd */ OP_LOAD, X, OP_CONST, 3, OP_MUL, OP_CONST, 1, OP_ADD, OP_STORE, X,
	/* 50: */ OP_JUMP, 19,
	/* 52: */ OP_END,
	/* 53: done */ OP_LOAD, BEST, OP_LOAD, LEN, OP_LESS, OP_JUMPZ, 78,
	/* 60: */ OP_LOAD, LEN, OP_STORE, BEST, OP_LOAD, N, OP_JUMP, 76,
	/* 68: */ OP_END,
	/* 69: even */ OP_LOAD, X, OP_SHR, OP_STORE, X, OP_JUMP, 19,
	/* 76: */ OP_STORE, BEST_N,
	/* 78: */ OP_LOAD, N, OP_CONST, 1, OP_ADD, OP_STORE, N, OP_JUMP, 4,
};
// clang-format on

static BENCH_NOINLINE u64 interpret(const u8 *code, u64 *vars)
{
	static const void *const ops[] = {
		[OP_CONST] = &&op_const, [OP_LOAD] = &&op_load, [OP_STORE] = &&op_store,
		[OP_ADD] = &&op_add,	 [OP_MUL] = &&op_mul,	[OP_SHR] = &&op_shr,
		[OP_AND] = &&op_and,	 [OP_LESS] = &&op_less, [OP_JUMP] = &&op_jump,
		[OP_JUMPZ] = &&op_jumpz, [OP_END] = &&op_end,
	};
	u64 stack[16], *sp = stack, count = 0;
	const u8 *pc = code;

#define NEXT                      \
	do {                      \
		count++;          \
		goto *ops[*pc++]; \
	} while (0)

	NEXT;
op_const:
	*sp++ = *pc++;
	NEXT;
op_load:
	*sp++ = vars[*pc++];
	NEXT;
op_store:
	vars[*pc++] = *--sp;
	NEXT;
op_add:
	sp--;
	sp[-1] += sp[0];
	NEXT;
op_mul:
	sp--;
	sp[-1] *= sp[0];
	NEXT;
op_shr:
	sp[-1] >>= 1;
	NEXT;
op_and:
	sp--;
	sp[-1] &= sp[0];
	NEXT;
op_less:
	sp--;
	sp[-1] = sp[-1] < sp[0];
	NEXT;
op_jump:
	pc = code + *pc;
	NEXT;
op_jumpz:
	pc = *--sp ? pc + 1 : code + *pc;
	NEXT;
op_end:
	return count;
}

u64 bench_interp(unsigned int scale)
{
	u64 vars[8] = { 0 }, count;

	vars[LIMIT] = bench_size(scale, 100000, 100);
	bench_start();
	count = interpret(program, vars);
	bench_stop();
	return bench_mix(bench_mix(count, vars[BEST]), vars[BEST_N]);
}
