// SPDX-License-Identifier: GPL-2.0-or-later
/* test_plic.c - the interrupt controller, by its registers. */
#include <pthread.h>
#include "irq/plic.h"
#include "unit.h"

#define PRIORITY(irq) (4 * (irq))
#define PENDING(word) (0x1000 + 4 * (word))
#define ENABLE(ctx, word) (0x2000 + 0x80 * (ctx) + 4 * (word))
#define THRESHOLD(ctx) (0x200000 + 0x1000 * (ctx))
#define CLAIM(ctx) (0x200004 + 0x1000 * (ctx))

static struct dtv_plic plic;
static u64 outputs; /* bit per context, as told */
static unsigned int told;

static void set_output(void *opaque, unsigned int ctx, bool level)
{
	CHECK(opaque == &outputs);
	told++;
	if (level)
		outputs |= BIT_ULL(ctx);
	else
		outputs &= ~BIT_ULL(ctx);
}

static void setup(unsigned int contexts)
{
	outputs = 0;
	told = 0;
	dtv_plic_init(&plic, contexts, set_output, &outputs);
}

static u32 rd(u64 off)
{
	return dtv_plic_read(&plic, off, 4);
}

static void wr(u64 off, u32 val)
{
	dtv_plic_write(&plic, off, 4, val);
}

void test_plic_claim(void)
{
	setup(4);
	wr(PRIORITY(10), 1);
	wr(PRIORITY(11), 3);
	wr(PRIORITY(40), 3);
	wr(ENABLE(1, 0), 1 << 10 | 1 << 11);
	wr(ENABLE(1, 1), 1 << 8);
	wr(ENABLE(3, 0), 1 << 10);
	CHECK_EQ(outputs, 0);
	CHECK_EQ(rd(CLAIM(1)), 0);
	dtv_plic_set_level(&plic, 10, true);
	CHECK_EQ(outputs, 0xa);
	dtv_plic_set_level(&plic, 40, true);
	dtv_plic_set_level(&plic, 11, true);
	CHECK_EQ(rd(PENDING(0)), 0xc00);
	CHECK_EQ(rd(PENDING(1)), 0x100);
	CHECK_EQ(rd(CLAIM(1)), 11); /* priority, then number */
	CHECK_EQ(rd(CLAIM(1)), 40);
	CHECK_EQ(outputs, 0xa);
	CHECK_EQ(rd(CLAIM(3)), 10);
	CHECK_EQ(outputs, 0); /* gone for both */
	CHECK_EQ(rd(CLAIM(1)), 0);
	wr(CLAIM(1), 11); /* wire still high */
	CHECK_EQ(outputs, 2);
	CHECK_EQ(rd(CLAIM(1)), 11);
	dtv_plic_set_level(&plic, 11, false);
	wr(CLAIM(1), 11);
	CHECK_EQ(outputs, 0);

	/* The threshold masks the output, not the claim. */
	dtv_plic_set_level(&plic, 11, true);
	wr(THRESHOLD(1), 3);
	CHECK_EQ(outputs, 0);
	wr(THRESHOLD(1), 2);
	CHECK_EQ(outputs, 2);
	wr(THRESHOLD(1), 7);
	CHECK_EQ(rd(CLAIM(1)), 11);
	/* Priority 0 is never. */
	wr(THRESHOLD(1), 0);
	wr(PRIORITY(11), 0);
	wr(CLAIM(1), 11);
	CHECK_EQ(rd(PENDING(0)) & 0x800, 0x800);
	CHECK_EQ(outputs, 0);
	CHECK_EQ(rd(CLAIM(1)), 0);
	wr(PRIORITY(11), 1);
	CHECK_EQ(outputs, 2);
	wr(ENABLE(1, 0), 0);
	CHECK_EQ(outputs, 0);
}

void test_plic_gateway(void)
{
	setup(2);
	wr(PRIORITY(5), 1);
	wr(ENABLE(1, 0), 1 << 5);
	dtv_plic_set_level(&plic, 5, true);
	dtv_plic_set_level(&plic, 5, false); /* passed on already: stays */
	CHECK_EQ(outputs, 2);
	CHECK_EQ(rd(CLAIM(1)), 5);
	dtv_plic_set_level(&plic, 5, true); /* in service: gateway closed */
	CHECK_EQ(rd(PENDING(0)), 0);
	CHECK_EQ(outputs, 0);
	wr(CLAIM(1), 6); /* not in service, not enabled */
	wr(CLAIM(0), 5); /* not enabled for that context */
	wr(CLAIM(1), 0);
	wr(CLAIM(1), 96);
	wr(CLAIM(1), 0xffffffff);
	CHECK_EQ(outputs, 0);
	wr(CLAIM(1), 5);
	CHECK_EQ(outputs, 2);
	CHECK_EQ(rd(CLAIM(1)), 5);
	dtv_plic_set_level(&plic, 5, false);
	wr(CLAIM(1), 5);
	CHECK_EQ(outputs, 0);
	wr(CLAIM(1), 5); /* a second completion is nothing */
	CHECK_EQ(outputs, 0);

	dtv_plic_pulse(&plic, 5);
	dtv_plic_pulse(&plic, 5);
	CHECK_EQ(rd(CLAIM(1)), 5);
	CHECK_EQ(outputs, 0);
	dtv_plic_pulse(&plic, 5); /* while in service: after completion */
	CHECK_EQ(outputs, 0);
	CHECK_EQ(rd(CLAIM(1)), 0);
	wr(CLAIM(1), 5);
	CHECK_EQ(outputs, 2);
	CHECK_EQ(rd(CLAIM(1)), 5);
	wr(CLAIM(1), 5);
	CHECK_EQ(outputs, 0);

	dtv_plic_set_level(&plic, 0, true);
	dtv_plic_set_level(&plic, 96, true);
	dtv_plic_pulse(&plic, ~0U);
	CHECK_EQ(rd(PENDING(0)) | rd(PENDING(1)) | rd(PENDING(2)), 0);
}

void test_plic_registers(void)
{
	u64 off, seed = 1;
	unsigned int i;

	setup(2);
	wr(PRIORITY(95), ~0U);
	CHECK_EQ(rd(PRIORITY(95)), 7);
	wr(PRIORITY(0), 7);
	CHECK_EQ(rd(PRIORITY(0)), 0);
	wr(PRIORITY(96), 7);
	CHECK_EQ(rd(PRIORITY(96)), 0);
	wr(PENDING(0), ~0U);
	CHECK_EQ(rd(PENDING(0)), 0);
	wr(ENABLE(0, 0), ~0U);
	CHECK_EQ(rd(ENABLE(0, 0)), ~1U);
	wr(ENABLE(1, 2), ~0U);
	CHECK_EQ(rd(ENABLE(1, 2)), ~0U);
	CHECK_EQ(rd(ENABLE(1, 3)), 0);
	wr(ENABLE(2, 0), ~0U); /* no such context */
	CHECK_EQ(rd(ENABLE(2, 0)), 0);
	wr(THRESHOLD(1), ~0U);
	CHECK_EQ(rd(THRESHOLD(1)), 7);
	wr(THRESHOLD(2), ~0U);
	CHECK_EQ(rd(THRESHOLD(2)), 0);
	CHECK_EQ(dtv_plic_read(&plic, PRIORITY(95), 8), 0);
	CHECK_EQ(dtv_plic_read(&plic, PRIORITY(95), 1), 0);
	dtv_plic_write(&plic, PRIORITY(95), 8, 0);
	CHECK_EQ(rd(PRIORITY(95)), 7);
	CHECK_EQ(dtv_plic_read(&plic, PRIORITY(95) + 2, 4), 0);
	CHECK_EQ(dtv_plic_read(&plic, ~0ULL - 3, 4), 0);

	/* Anything at all; for ASan and UBSan. */
	setup(1000);
	CHECK_EQ(plic.nr_contexts, DTV_PLIC_CONTEXTS);
	for (i = 0; i < 300000; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		off = i & 1 ? seed : (seed >> 8) % 0x240100;
		if (i & 2)
			off &= ~3ULL;
		if (i & 4)
			dtv_plic_read(&plic, off, i & 8 ? 4 : (seed & 15));
		else
			dtv_plic_write(&plic, off, 4, seed >> 32);
		dtv_plic_set_level(&plic, seed >> 50 & 127, seed & 1);
	}
	CHECK_EQ(plic.told, plic.output);
	CHECK_EQ(outputs, plic.output);
}

#define ROUNDS 100000

static void *toggle(void *arg)
{
	unsigned int irq = *(unsigned int *)arg, i;

	for (i = 0; i < ROUNDS; i++) {
		dtv_plic_pulse(&plic, irq);
		rd(CLAIM(irq));
		wr(CLAIM(irq), irq);
	}
	return NULL;
}

/* Threads pulse and claim; what was told last is what holds in the end. */
void test_plic_threads(void)
{
	static unsigned int irqs[3] = { 1, 2, 3 };
	pthread_t threads[3];
	unsigned int i;

	setup(4);
	for (i = 0; i < 3; i++) {
		wr(PRIORITY(irqs[i]), 1);
		wr(ENABLE(irqs[i], 0), 1U << irqs[i]);
	}
	for (i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, toggle, &irqs[i]), 0);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(plic.output, 0);
	CHECK_EQ(plic.told, 0);
	CHECK_EQ(outputs, 0);
	CHECK(told > 0);
	dtv_plic_pulse(&plic, 2);
	CHECK_EQ(outputs, 4);
}
