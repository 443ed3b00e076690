// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * virtual.c - the kernel of a program as riscv-tests' v environment makes them: few frames for the
 * many pages of a user program, which come and go by page faults. What the hardware says of
 * a page (A, D) must be true when it goes.
 */
#include "virtual.h"

#define FRAMES 6
#define PAGE 4096

#define V 1UL
#define R 2UL
#define W 4UL
#define X 8UL
#define U 16UL
#define A 64UL
#define D 128UL

#define FETCH_FAULT 12
#define STORE_FAULT 15
#define CALL 8

typedef unsigned long u64;

extern u64 user_image[USER_PAGES][PAGE / 8];
extern volatile u64 tohost;

static u64 root[512] __attribute__((aligned(PAGE)));
static u64 mid[512] __attribute__((aligned(PAGE)));
static u64 leaf[512] __attribute__((aligned(PAGE)));
static u64 frames[FRAMES][PAGE / 8] __attribute__((aligned(PAGE)));
static int owner[FRAMES]; /* page + 1; 0: free */
static unsigned int oldest;

u64 boot(void);
void trap(u64 cause, u64 value, u64 a0);

static void end(u64 code)
{
	tohost = code;
	for (;;)
		;
}

static void fail(u64 code)
{
	end(code << 1 | 1);
}

static u64 entry(const void *at, u64 bits)
{
	u64 pa = (u64)at >= HIGH ? (u64)at - HIGH + RAM : (u64)at;

	return pa >> 12 << 10 | bits;
}

/* In M-mode, at physical addresses. */
u64 boot(void)
{
	root[511] = entry((void *)RAM, V | R | W | X | A | D);
	root[0] = entry(mid, V);
	mid[0] = entry(leaf, V);
	return 8UL << 60 | (u64)root >> 12;
}

static void fence(u64 va)
{
	__asm__ volatile("sfence.vma %0, zero" ::"r"(va) : "memory");
}

static void evict(unsigned int frame)
{
	unsigned int page = owner[frame] - 1;
	u64 *pte = &leaf[USER / PAGE + page];
	int dirty, same = 1;

	*pte &= ~V;
	fence(USER + page * PAGE);
	dirty = !!(*pte & D);
	for (unsigned int i = 0; i < PAGE / 8; i++) {
		same &= frames[frame][i] == user_image[page][i];
		user_image[page][i] = frames[frame][i];
	}
	if (!dirty && !same)
		fail(100);
	if (!(*pte & A))
		fail(101);
	*pte = 0;
}

static void fault(u64 cause, u64 va)
{
	u64 page = va / PAGE - USER / PAGE, *pte;

	if (cause == 14 || cause < FETCH_FAULT || page >= USER_PAGES)
		fail(102);
	pte = &leaf[va / PAGE];
	if (*pte & V) {
		/* A machine that leaves A and D to software. */
		if (*pte & A && (cause != STORE_FAULT || *pte & D))
			fail(103);
		*pte |= cause == STORE_FAULT ? A | D : A;
		fence(va);
		return;
	}
	if (owner[oldest])
		evict(oldest);
	for (unsigned int i = 0; i < PAGE / 8; i++)
		frames[oldest][i] = user_image[page][i];
	*pte = entry(frames[oldest], V | R | W | X | U);
	owner[oldest] = page + 1;
	oldest = (oldest + 1) % FRAMES;
	fence(va);
	__asm__ volatile("fence.i" ::: "memory");
}

void trap(u64 cause, u64 value, u64 a0)
{
	if (cause == CALL)
		end(a0);
	fault(cause, value);
}
