// SPDX-License-Identifier: GPL-2.0-only
/*
 * sbi.c - the built-in SBI 2.0: a table of extensions, a function each.
 *
 * Answers S-mode's ecalls where no M-mode software runs. Other harts and the
 * machine are reached through dtv_sbi_*() (guest.h) and dtv_host_*() (host.h).
 * Every argument comes from the guest and is bounded here. No lock.
 */
#include "guest.h"
#include "../host.h"

/* SBI 2.0 chapter 3, table 1. */
#define SBI_SUCCESS 0
#define SBI_ERR_FAILED (-1)
#define SBI_ERR_NOT_SUPPORTED (-2)
#define SBI_ERR_INVALID_PARAM (-3)
#define SBI_ERR_INVALID_ADDRESS (-5)
#define SBI_ERR_ALREADY_AVAILABLE (-6)

#define SBI_SPEC_VERSION (2U << 24) /* major in 30:24, minor in 23:0 */
#define SBI_IMPL_ID 0x647476 /* "dtv" */
#define SBI_IMPL_VERSION 1

/* Legacy extensions, chapter 5: a0 alone is the answer. */
#define LEGACY_SET_TIMER 0x00
#define LEGACY_PUTCHAR 0x01
#define LEGACY_GETCHAR 0x02
#define LEGACY_SHUTDOWN 0x08

#define SRST_TYPE_LAST 2 /* shutdown, cold reboot, warm reboot */
#define SRST_REASON_LAST 1 /* none, system failure */

#define HSM_SUSPEND_RETENTIVE 0x00000000U
#define HSM_SUSPEND_NON_RETENTIVE 0x80000000U

/* Most bytes that one DBCN call moves: a call may take fewer than asked for. */
#define DBCN_MAX (16 * DTV_PAGE_SIZE)

#define A0 10
#define A1 11

struct call {
	struct dtv_cpu *cpu;
	struct dtv_hart *h;
	struct dtv_vm_core *vm;
	u64 fid;
	u64 arg[6]; /* a0..a5 */
	u64 value; /* out: a1 */
	u64 fx; /* out */
	bool away; /* out: the call does not return, leave a0 and a1 alone */
};

#define NR_EXTENSIONS 7

struct extension {
	u64 eid;
	s64 (*call)(struct call *c);
};

static const struct extension extensions[NR_EXTENSIONS];
static bool legacy_offered(u64 eid);

/* --- chapter 4: base --- */

static u64 probe(u64 eid)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(extensions); i++)
		if (extensions[i].eid == eid)
			return 1;
	return legacy_offered(eid);
}

static s64 base_call(struct call *c)
{
	switch (c->fid) {
	case 0:
		c->value = SBI_SPEC_VERSION;
		return SBI_SUCCESS;
	case 1:
		c->value = SBI_IMPL_ID;
		return SBI_SUCCESS;
	case 2:
		c->value = SBI_IMPL_VERSION;
		return SBI_SUCCESS;
	case 3:
		c->value = probe(c->arg[0]);
		return SBI_SUCCESS;
	case 4: /* mvendorid, marchid, mimpid as csr.c has them */
	case 5:
	case 6:
		c->value = 0;
		return SBI_SUCCESS;
	}
	return SBI_ERR_NOT_SUPPORTED;
}

/* --- chapter 6: timer --- */

static void set_timer(struct call *c, u64 when)
{
	c->h->stimecmp = when;
	c->fx |= DTV_FX_TIMER | DTV_FX_IRQ;
}

static s64 time_call(struct call *c)
{
	if (c->fid != 0)
		return SBI_ERR_NOT_SUPPORTED;
	set_timer(c, c->arg[0]);
	return SBI_SUCCESS;
}

/* --- hart masks, 3.1 --- */

/*
 * Hart ids that (mask, base) names, as bits; base -1 names all. Return:
 * SBI_SUCCESS, or SBI_ERR_INVALID_PARAM when the base or one of them does not
 * exist.
 */
static s64 hart_mask(struct call *c, u64 mask, u64 base, u64 *harts)
{
	bool all = base == ~0ULL;
	unsigned int i;

	*harts = 0;
	if (all)
		base = 0;
	else if (base >= 64 || !dtv_sbi_hart_exists(c->cpu, base))
		return SBI_ERR_INVALID_PARAM;
	for (i = 0; i < 64; i++) {
		if (!all && !(mask & BIT_ULL(i)))
			continue;
		if (base + i < 64 && dtv_sbi_hart_exists(c->cpu, base + i))
			*harts |= BIT_ULL(base + i);
		else if (!all)
			return SBI_ERR_INVALID_PARAM;
	}
	return SBI_SUCCESS;
}

/* --- chapter 7: IPI --- */

static s64 ipi_call(struct call *c)
{
	unsigned int i;
	u64 harts;
	s64 err;

	if (c->fid != 0)
		return SBI_ERR_NOT_SUPPORTED;
	err = hart_mask(c, c->arg[0], c->arg[1], &harts);
	if (err)
		return err;
	for (i = 0; i < 64; i++)
		if (harts & BIT_ULL(i))
			dtv_sbi_ipi(c->cpu, i);
	c->fx |= DTV_FX_IRQ; /* the caller may be among them */
	return SBI_SUCCESS;
}

/* --- chapter 8: remote fences --- */

static void fence_range(struct dtv_fence *f, u64 start, u64 size)
{
	u64 end = start + size;

	f->gva = 0;
	f->size = ~0ULL;
	if ((!start && !size) || size == ~0ULL || end < start || end > ~0ULL - DTV_PAGE_SIZE)
		return;
	f->gva = start & DTV_PAGE_MASK;
	f->size = ((end + DTV_PAGE_SIZE - 1) & DTV_PAGE_MASK) - f->gva;
}

static s64 rfence_call(struct call *c)
{
	struct dtv_fence f = { .gva = 0, .size = ~0ULL, .asid = ~0ULL };
	u64 harts;
	s64 err;

	if (c->fid > 2) /* the others are for the hypervisor extension */
		return SBI_ERR_NOT_SUPPORTED;
	err = hart_mask(c, c->arg[0], c->arg[1], &harts);
	if (err)
		return err;
	if (c->fid >= 1)
		fence_range(&f, c->arg[2], c->arg[3]);
	if (c->fid == 2)
		f.asid = c->arg[4] & (DTV_SATP_ASID >> DTV_SATP_ASID_SHIFT);
	if (harts && f.size)
		dtv_sbi_fence(c->cpu, harts, c->fid == 0, &f);
	return SBI_SUCCESS;
}

/* --- chapter 9: hart state --- */

/* The state that hart_start and a non-retentive resume begin with, table 5. */
static void start_state(struct dtv_hart *h, u64 pc, u64 arg)
{
	h->pc = pc;
	h->priv = DTV_PRIV_S;
	h->satp = 0;
	h->mstatus &= ~DTV_MSTATUS_SIE;
	h->x[A0] = h->hartid;
	h->x[A1] = arg;
}

/*
 * A suspended hart waits as in wfi. A retentive one goes on behind the ecall; a
 * non-retentive one has its state of resumption already while it waits.
 */
static s64 hart_suspend(struct call *c)
{
	u32 type = c->arg[0];

	if (type != HSM_SUSPEND_RETENTIVE && type != HSM_SUSPEND_NON_RETENTIVE)
		return SBI_ERR_INVALID_PARAM;
	if (type == HSM_SUSPEND_NON_RETENTIVE &&
	    ((c->arg[1] & 1) || !dtv_host_ram(c->vm, c->arg[1])))
		return SBI_ERR_INVALID_ADDRESS;
	dtv_sbi_hart_suspend(c->cpu);
	c->fx |= DTV_FX_WFI | DTV_FX_IRQ;
	if (type == HSM_SUSPEND_RETENTIVE)
		return SBI_SUCCESS;
	start_state(c->h, c->arg[1], c->arg[2]);
	c->fx |= DTV_FX_REGIME | DTV_FX_SATP;
	c->away = true;
	return SBI_SUCCESS;
}

static s64 hsm_call(struct call *c)
{
	switch (c->fid) {
	case 0: /* hart_start */
		if (!dtv_sbi_hart_exists(c->cpu, c->arg[0]))
			return SBI_ERR_INVALID_PARAM;
		if ((c->arg[1] & 1) || !dtv_host_ram(c->vm, c->arg[1]))
			return SBI_ERR_INVALID_ADDRESS;
		if (dtv_sbi_hart_start(c->cpu, c->arg[0], c->arg[1], c->arg[2]))
			return SBI_ERR_ALREADY_AVAILABLE;
		return SBI_SUCCESS;
	case 1: /* hart_stop */
		dtv_sbi_hart_stop(c->cpu);
		c->fx |= DTV_FX_WFI;
		c->away = true;
		return SBI_SUCCESS;
	case 2: /* hart_get_status */
		if (!dtv_sbi_hart_exists(c->cpu, c->arg[0]))
			return SBI_ERR_INVALID_PARAM;
		c->value = dtv_sbi_hart_state(c->cpu, c->arg[0]);
		return SBI_SUCCESS;
	case 3: /* hart_suspend */
		return hart_suspend(c);
	}
	return SBI_ERR_NOT_SUPPORTED;
}

/* --- chapter 10: system reset --- */

static void reset(struct call *c, u32 type, u32 reason)
{
	dtv_host_reset(c->vm, type, reason);
	c->fx |= DTV_FX_WFI;
	c->away = true;
}

static s64 srst_call(struct call *c)
{
	u32 type = c->arg[0], reason = c->arg[1];

	if (c->fid != 0)
		return SBI_ERR_NOT_SUPPORTED;
	if (type > SRST_TYPE_LAST || reason > SRST_REASON_LAST)
		return SBI_ERR_INVALID_PARAM;
	reset(c, type, reason);
	return SBI_SUCCESS;
}

/* --- chapter 12: debug console --- */

/* All pages of [gpa, gpa + n) are RAM; n is bounded. */
static bool is_ram(struct dtv_vm_core *vm, gpa_t gpa, u64 n)
{
	gpa_t page;

	if (gpa + n < gpa)
		return false;
	for (page = gpa & DTV_PAGE_MASK; page < gpa + n; page += DTV_PAGE_SIZE)
		if (!dtv_host_ram(vm, page))
			return false;
	return true;
}

/* Move bytes page by page until the host takes or has no more. */
static s64 dbcn_move(struct call *c, bool write)
{
	u64 left = c->arg[0];
	gpa_t gpa = c->arg[1];
	size_t chunk, done;
	void *p;

	c->value = 0;
	if (c->arg[2] || gpa + left < gpa)
		return SBI_ERR_INVALID_PARAM;
	if (left > DBCN_MAX)
		left = DBCN_MAX;
	if (!is_ram(c->vm, gpa, left))
		return SBI_ERR_INVALID_PARAM;
	while (left) {
		chunk = min(left, DTV_PAGE_SIZE - (gpa & (DTV_PAGE_SIZE - 1)));
		p = dtv_host_ram(c->vm, gpa);
		if (!p)
			break;
		if (write) {
			done = dtv_host_console_write(c->vm, p, chunk);
		} else {
			done = dtv_host_console_read(c->vm, p, chunk);
			if (done)
				dtv_sbi_ram_written(c->cpu, gpa, done);
		}
		c->value += done;
		if (done < chunk)
			break;
		gpa += chunk;
		left -= chunk;
	}
	return SBI_SUCCESS;
}

static s64 dbcn_call(struct call *c)
{
	u8 byte;

	switch (c->fid) {
	case 0:
		return dbcn_move(c, true);
	case 1:
		return dbcn_move(c, false);
	case 2:
		byte = c->arg[0];
		c->value = 0;
		return dtv_host_console_write(c->vm, &byte, 1) == 1 ? SBI_SUCCESS : SBI_ERR_FAILED;
	}
	return SBI_ERR_NOT_SUPPORTED;
}

static const struct extension extensions[NR_EXTENSIONS] = {
	{ 0x10, base_call },
	{ 0x54494d45, time_call }, /* TIME */
	{ 0x735049, ipi_call }, /* sPI */
	{ 0x52464e43, rfence_call }, /* RFNC */
	{ 0x48534d, hsm_call }, /* HSM */
	{ 0x53525354, srst_call }, /* SRST */
	{ 0x4442434e, dbcn_call }, /* DBCN */
};

/* --- chapter 5: legacy --- */

static bool legacy_offered(u64 eid)
{
	return eid <= LEGACY_GETCHAR || eid == LEGACY_SHUTDOWN;
}

/* Return: a0. */
static s64 legacy_call(struct call *c, u64 eid)
{
	u8 byte = c->arg[0];

	switch (eid) {
	case LEGACY_SET_TIMER:
		set_timer(c, c->arg[0]);
		return 0;
	case LEGACY_PUTCHAR:
		return dtv_host_console_write(c->vm, &byte, 1) == 1 ? 0 : -1;
	case LEGACY_GETCHAR:
		return dtv_host_console_read(c->vm, &byte, 1) == 1 ? byte : -1;
	case LEGACY_SHUTDOWN:
		reset(c, 0, 0);
		return 0;
	}
	return SBI_ERR_NOT_SUPPORTED;
}

static s64 dispatch(struct call *c, u64 eid)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(extensions); i++)
		if (extensions[i].eid == eid)
			return extensions[i].call(c);
	return SBI_ERR_NOT_SUPPORTED;
}

/**
 * dtv_sbi_call() - answer an ecall from S-mode
 * @cpu: the hart, opaque here
 * @h: its state; a0..a5 arguments, a6 function, a7 extension; pc is already
 *     past the ecall. a0 and a1 are set (a0 alone by legacy extensions), or
 *     left alone by calls that do not return.
 * @env: surroundings
 *
 * Return: DTV_FX_* bits.
 * Context: hart's own, may sleep (remote fences, console). RISC-V SBI 2.0.
 */
u64 dtv_sbi_call(struct dtv_cpu *cpu, struct dtv_hart *h, struct dtv_env *env)
{
	struct call c = { .cpu = cpu, .h = h, .vm = dtv_sbi_vm(cpu), .fid = h->x[16] };
	u64 eid = h->x[17];
	s64 err;

	(void)env;
	memcpy(c.arg, &h->x[A0], sizeof(c.arg));
	if (legacy_offered(eid)) {
		err = legacy_call(&c, eid);
		if (!c.away)
			h->x[A0] = err;
		return c.fx;
	}
	err = dispatch(&c, eid);
	if (c.away)
		return c.fx;
	h->x[A0] = err;
	h->x[A1] = c.value;
	return c.fx;
}
