// SPDX-License-Identifier: GPL-2.0-only
/*
 * plic.c - RISC-V PLIC 1.0.0: gateways, priorities, claim and complete.
 *
 * p->lock rules all of the structure and nests inside everything else. Outputs
 * are reported without it, by one caller at a time and in order: who finds
 * another one reporting leaves the change to that one (see tell()).
 */
#include "plic.h"

/* Register map, PLIC specification chapter 3. */
#define PENDING_BASE 0x1000
#define ENABLE_BASE 0x2000
#define ENABLE_STRIDE 0x80
#define CONTEXT_BASE 0x200000
#define CONTEXT_STRIDE 0x1000
#define CONTEXT_THRESHOLD 0
#define CONTEXT_CLAIM 4

#define PRIORITY_MASK 7

static bool test(const u32 *words, unsigned int irq)
{
	return words[irq / 32] & (1U << (irq % 32));
}

static void set(u32 *words, unsigned int irq)
{
	words[irq / 32] |= 1U << (irq % 32);
}

static void clear(u32 *words, unsigned int irq)
{
	words[irq / 32] &= ~(1U << (irq % 32));
}

/*
 * The source that a claim by the context would get: highest priority, then
 * lowest number; 0: none. Sources of priority 0 or below never interrupt.
 */
static unsigned int best(const struct dtv_plic *p, unsigned int ctx, u32 above)
{
	unsigned int w, irq, found = 0;
	u32 bits;

	for (w = 0; w < DTV_PLIC_WORDS; w++) {
		bits = p->pending[w] & ~p->claimed[w] & p->enable[ctx][w];
		for (; bits; bits &= bits - 1) {
			irq = w * 32 + __builtin_ctz(bits);
			if (p->priority[irq] > above) {
				above = p->priority[irq];
				found = irq;
			}
		}
	}
	return found;
}

/* Find out all outputs again; tell() follows, without the lock. */
static void update(struct dtv_plic *p)
{
	unsigned int ctx;
	u64 now = 0;

	for (ctx = 0; ctx < p->nr_contexts; ctx++)
		if (best(p, ctx, p->threshold[ctx]))
			now |= BIT_ULL(ctx);
	p->output = now;
}

/*
 * Tell what changed. Two callers that told a context 1 and 0 side by side could
 * do it in the wrong order. So the first one goes on until there is nothing to
 * tell, and the others leave it to that one.
 */
static void tell(struct dtv_plic *p)
{
	unsigned int ctx;
	u64 now, diff;

	spin_lock(&p->lock);
	while (!p->telling && p->told != p->output) {
		p->telling = true;
		now = p->output;
		diff = p->told ^ now;
		p->told = now;
		spin_unlock(&p->lock);
		for (; diff; diff &= diff - 1) {
			ctx = __builtin_ctzll(diff);
			p->set_output(p->opaque, ctx, now & BIT_ULL(ctx));
		}
		spin_lock(&p->lock);
		p->telling = false;
	}
	spin_unlock(&p->lock);
}

/**
 * dtv_plic_init() - reset state: nothing enabled, all priorities and thresholds 0
 * @p: PLIC
 * @nr_contexts: 1 to DTV_PLIC_CONTEXTS; more are cut off
 * @set_output: told of changes of a context's line, all lines start low
 * @opaque: handed to @set_output
 *
 * Context: nobody uses @p yet.
 */
void dtv_plic_init(struct dtv_plic *p, unsigned int nr_contexts,
		   void (*set_output)(void *opaque, unsigned int context, bool level), void *opaque)
{
	memset(p, 0, sizeof(*p));
	spin_lock_init(&p->lock);
	p->nr_contexts = nr_contexts < DTV_PLIC_CONTEXTS ? nr_contexts : DTV_PLIC_CONTEXTS;
	p->set_output = set_output;
	p->opaque = opaque;
}

/* The threshold does not restrict claims (chapter 9). */
static u32 claim(struct dtv_plic *p, unsigned int ctx)
{
	unsigned int irq = best(p, ctx, 0);

	if (irq) {
		clear(p->pending, irq);
		set(p->claimed, irq);
	}
	return irq;
}

/* Ignored unless the source is enabled for the context (chapter 10). */
static void complete(struct dtv_plic *p, unsigned int ctx, u32 irq)
{
	if (irq == 0 || irq >= DTV_PLIC_SOURCES || !test(p->enable[ctx], irq) ||
	    !test(p->claimed, irq))
		return;
	clear(p->claimed, irq);
	if (test(p->level, irq))
		set(p->pending, irq);
}

/* Which register an offset is; false: none. */
static bool context_reg(const struct dtv_plic *p, u64 offset, unsigned int *ctx, u32 *reg)
{
	if (offset < CONTEXT_BASE || (offset - CONTEXT_BASE) / CONTEXT_STRIDE >= p->nr_contexts)
		return false;
	*ctx = (offset - CONTEXT_BASE) / CONTEXT_STRIDE;
	*reg = offset % CONTEXT_STRIDE;
	return true;
}

static u32 *enable_word(struct dtv_plic *p, u64 offset)
{
	unsigned int ctx, word;

	if (offset < ENABLE_BASE || offset >= CONTEXT_BASE)
		return NULL;
	ctx = (offset - ENABLE_BASE) / ENABLE_STRIDE;
	word = (offset % ENABLE_STRIDE) / 4;
	if (ctx >= p->nr_contexts || word >= DTV_PLIC_WORDS)
		return NULL;
	return &p->enable[ctx][word];
}

/**
 * dtv_plic_read() - guest read of a register
 * @p: PLIC
 * @offset: from the PLIC's base, anything
 * @len: bytes; registers answer to 4 alone
 *
 * A read of a claim register claims.
 *
 * Return: value; 0 for what is no register.
 * Context: process context, no lock of dtv held; may call set_output.
 */
u64 dtv_plic_read(struct dtv_plic *p, u64 offset, unsigned int len)
{
	unsigned int ctx;
	u32 reg, val = 0;
	bool claimed = false;
	u32 *word;

	if (len != 4 || (offset & 3))
		return 0;
	spin_lock(&p->lock);
	if (offset < DTV_PLIC_SOURCES * 4) {
		val = p->priority[offset / 4];
	} else if (offset >= PENDING_BASE && offset < PENDING_BASE + DTV_PLIC_WORDS * 4) {
		val = p->pending[(offset - PENDING_BASE) / 4];
	} else if (context_reg(p, offset, &ctx, &reg)) {
		if (reg == CONTEXT_THRESHOLD) {
			val = p->threshold[ctx];
		} else if (reg == CONTEXT_CLAIM) {
			val = claim(p, ctx);
			claimed = val;
		}
	} else {
		word = enable_word(p, offset);
		if (word)
			val = *word;
	}
	if (claimed)
		update(p);
	spin_unlock(&p->lock);
	if (claimed)
		tell(p);
	return val;
}

/**
 * dtv_plic_write() - guest write of a register
 * @p: PLIC
 * @offset: from the PLIC's base, anything
 * @len: bytes; registers answer to 4 alone
 * @data: value; bits that a register lacks are dropped
 *
 * Context: process context, no lock of dtv held; may call set_output.
 */
void dtv_plic_write(struct dtv_plic *p, u64 offset, unsigned int len, u64 data)
{
	unsigned int ctx;
	u32 reg;
	u32 *word;

	if (len != 4 || (offset & 3))
		return;
	spin_lock(&p->lock);
	if (offset >= 4 && offset < DTV_PLIC_SOURCES * 4) {
		p->priority[offset / 4] = data & PRIORITY_MASK;
	} else if (context_reg(p, offset, &ctx, &reg)) {
		if (reg == CONTEXT_THRESHOLD)
			p->threshold[ctx] = data & PRIORITY_MASK;
		else if (reg == CONTEXT_CLAIM)
			complete(p, ctx, data);
	} else {
		word = enable_word(p, offset);
		if (word) /* source 0 does not exist */
			*word = (offset % ENABLE_STRIDE) ? data : data & ~1ULL;
	}
	update(p);
	spin_unlock(&p->lock);
	tell(p);
}

/**
 * dtv_plic_set_level() - drive a level-triggered wire
 * @p: PLIC
 * @irq: source, 1 to 95; others are ignored
 * @level: asserted
 *
 * A request that the gateway passed on stays pending when the wire falls
 * (chapter 5); while the source is in service its wire is looked at again at
 * completion.
 *
 * Context: process context, no lock of dtv held; may call set_output.
 */
void dtv_plic_set_level(struct dtv_plic *p, unsigned int irq, bool level)
{
	if (irq == 0 || irq >= DTV_PLIC_SOURCES)
		return;
	spin_lock(&p->lock);
	if (level) {
		set(p->level, irq);
		if (!test(p->claimed, irq))
			set(p->pending, irq);
	} else {
		clear(p->level, irq);
	}
	update(p);
	spin_unlock(&p->lock);
	tell(p);
}

/**
 * dtv_plic_pulse() - an edge
 * @p: PLIC
 * @irq: source, 1 to 95; others are ignored
 *
 * Edges until the claim count once; one that comes while the source is in
 * service is delivered after completion.
 *
 * Context: process context, no lock of dtv held; may call set_output.
 */
void dtv_plic_pulse(struct dtv_plic *p, unsigned int irq)
{
	if (irq == 0 || irq >= DTV_PLIC_SOURCES)
		return;
	spin_lock(&p->lock);
	set(p->pending, irq);
	update(p);
	spin_unlock(&p->lock);
	tell(p);
}
