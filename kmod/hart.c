// SPDX-License-Identifier: GPL-2.0-only
/*
 * hart.c - the run loop of a hart: what an exit, a miss and a kick mean, for
 * every host.
 *
 * Order against others: requests, in_guest, busy and the gate.
 *
 *   entering hart			requester / flusher
 *   in_guest = 1 (or busy = 1)		set request (or gate = 1)
 *   smp_mb				smp_mb
 *   look at requests (or gate)		look at in_guest (or busy): kick, wait
 *
 * One of the two sees the other. A requester that needs the request done
 * before it goes on waits until in_guest is 0: the target handles requests
 * before it enters again. The flusher of the cache waits for busy too, as C
 * code reads blocks without a lock.
 */
#include "hart.h"
#include "guest/fp.h"
#include "guest/isa.h"

/* --- requests --- */

static void request(struct dtv_cpu *cpu, unsigned long req)
{
	__atomic_fetch_or(&cpu->requests, req, __ATOMIC_SEQ_CST);
}

void dtv_cpu_request(struct dtv_cpu *cpu, unsigned long req)
{
	request(cpu, req);
	dtv_host_kick(cpu);
}

void dtv_cpu_set_line(struct dtv_cpu *cpu, enum dtv_irq irq, bool level)
{
	u64 bit = BIT_ULL(irq), old;

	if (level)
		old = __atomic_fetch_or(&cpu->lines, bit, __ATOMIC_SEQ_CST);
	else
		old = __atomic_fetch_and(&cpu->lines, ~bit, __ATOMIC_SEQ_CST);
	if (level && !(old & bit))
		dtv_cpu_request(cpu, DTV_REQ_IRQ);
}

void dtv_cpu_timer_fired(struct dtv_cpu *cpu)
{
	u64 when = READ_ONCE(cpu->timer_when);

	if (when != ~0ULL && dtv_host_time(cpu->vm) >= when)
		request(cpu, DTV_REQ_IRQ);
}

/**
 * dtv_vm_time() - the guest's mtime
 * @vm: VM
 *
 * Return: ticks of 10 MHz.
 * Context: any.
 */
u64 dtv_vm_time(struct dtv_vm_core *vm)
{
	return dtv_host_time(vm) + READ_ONCE(vm->time_offset);
}

/* The interrupt wires as the hart sees them now: PLIC outputs, msip and both comparators. */
static u64 lines_now(struct dtv_cpu *cpu)
{
	u64 lines = READ_ONCE(cpu->lines), s = READ_ONCE(cpu->stime), m = READ_ONCE(cpu->mtimecmp);
	u64 now;

	if (s == ~0ULL && m == ~0ULL)
		return lines;
	now = dtv_vm_time(cpu->vm);
	if (s != ~0ULL && now >= s)
		lines |= BIT_ULL(DTV_IRQ_STI);
	if (m != ~0ULL && now >= m)
		lines |= BIT_ULL(DTV_IRQ_MTI);
	return lines;
}

/* Have the host call at the earlier comparator that is to come; what has come is in lines_now(). */
static void arm_timer(struct dtv_cpu *cpu)
{
	u64 now = dtv_vm_time(cpu->vm), s = READ_ONCE(cpu->stime), m = READ_ONCE(cpu->mtimecmp);
	u64 next = ~0ULL, host = dtv_host_time(cpu->vm);

	if (s > now)
		next = s;
	if (m > now && m < next)
		next = m;
	/* Both count alike, from another zero. */
	if (next != ~0ULL)
		next = next - now < ~0ULL - host ? host + (next - now) : ~0ULL;
	WRITE_ONCE(cpu->timer_when, next);
	dtv_host_timer(cpu, next);
}

/* The host's timer went off: the other comparator may still be to come. */
static void renew_timer(struct dtv_cpu *cpu)
{
	u64 when = READ_ONCE(cpu->timer_when);

	if (when != ~0ULL && dtv_host_time(cpu->vm) >= when)
		arm_timer(cpu);
}

bool dtv_cpu_pending(struct dtv_cpu *cpu)
{
	struct dtv_vm_core *vm = cpu->vm;

	return READ_ONCE(cpu->requests) || READ_ONCE(vm->gate) || READ_ONCE(vm->stopped) ||
	       READ_ONCE(cpu->gen) != READ_ONCE(vm->dbt.gen);
}

/* Stopped by SBI HSM, until the START request is taken. */
static bool halted(struct dtv_cpu *cpu)
{
	u32 hsm = READ_ONCE(cpu->hsm);

	return hsm == DTV_HSM_STOPPED || hsm == DTV_HSM_START_PENDING;
}

bool dtv_cpu_runnable(struct dtv_cpu *cpu)
{
	if (READ_ONCE(cpu->vm->stopped) || (READ_ONCE(cpu->requests) & ~DTV_REQ_IRQ) || cpu->again)
		return true;
	if (halted(cpu))
		return false;
	renew_timer(cpu);
	return dtv_guest_wfi_done(&cpu->area->hart, lines_now(cpu));
}

/* C code of the engine may look at blocks from here to engine_leave(). */
static void engine_enter(struct dtv_cpu *cpu)
{
	unsigned int tries = 0;

	for (;;) {
		WRITE_ONCE(cpu->busy, 1);
		/* busy before the look at the gate: pairs with flush_cache(). */
		smp_mb();
		if (likely(!READ_ONCE(cpu->vm->gate)))
			return;
		WRITE_ONCE(cpu->busy, 0);
		while (READ_ONCE(cpu->vm->gate))
			dtv_host_relax(cpu, tries++);
	}
}

static void engine_leave(struct dtv_cpu *cpu)
{
	/* All looks at blocks come before: pairs with the second barrier of flush_cache(). */
	smp_store_release(&cpu->busy, 0);
}

/* Why no hart may be in translated code or in the engine. */
enum flush {
	FLUSH_ROOM, /* room in the code cache */
	FLUSH_COUNT, /* blocks have to count instructions */
	FLUSH_STEP, /* the same one by one */
};

/*
 * The most that a hart retires between two looks at the count: a block, what is put behind its
 * last boundary, and some instructions in C.
 */
#define STEPS 256

/* The hart's last STEPS instructions are to come. */
static void last_steps(struct dtv_hart *h)
{
	h->instret -= STEPS;
	if (!(h->mcountinhibit & 4))
		h->instret_base += STEPS;
}

static void flush(struct dtv_vm_core *vm, enum flush why)
{
	unsigned int i;

	if (why == FLUSH_ROOM) {
		dtv_dbt_evict(&vm->dbt);
	} else if (why == FLUSH_COUNT) {
		dtv_dbt_count(&vm->dbt, false);
	} else if (!vm->dbt.stepping) {
		dtv_dbt_count(&vm->dbt, true);
		for (i = 0; i < DTV_MAX_HARTS; i++)
			if (vm->cpus[i])
				last_steps(&vm->cpus[i]->area->hart);
	}
	for (i = 0; i < DTV_MAX_HARTS; i++)
		if (vm->cpus[i])
			dtv_dbt_area_evicted(&vm->dbt, vm->cpus[i]->area, vm->cpus[i]->area_exec);
}

/*
 * Change the code cache: no hart is in translated code or in the engine meanwhile. The caller is
 * not busy, and looks afterwards whether there still is a reason: another hart may have come first
 * with its own.
 * Return: false when it was given up, as the host wants the hart.
 */
static bool flush_cache(struct dtv_cpu *self, enum flush why)
{
	struct dtv_vm_core *vm = self->vm;
	unsigned int i, tries = 0;

	if (cmpxchg(&vm->gate, 0, 1) != 0) {
		while (READ_ONCE(vm->gate))
			if (!dtv_host_relax(self, tries++))
				return false;
		return true;
	}
	/*
	 * The gate before the looks at in_guest and busy: pairs with the barriers in
	 * engine_enter() and of the host before it asks dtv_cpu_pending().
	 */
	smp_mb();
	for (i = 0; i < DTV_MAX_HARTS; i++) {
		struct dtv_cpu *cpu = vm->cpus[i];

		if (!cpu || cpu == self)
			continue;
		while (READ_ONCE(cpu->in_guest) || READ_ONCE(cpu->busy)) {
			if (READ_ONCE(cpu->in_guest))
				dtv_host_kick(cpu);
			if (!dtv_host_relax(self, tries++)) {
				/* Nothing was changed: others go on in the cache as it is. */
				smp_store_release(&vm->gate, 0);
				return false;
			}
		}
	}
	/*
	 * Who was seen outside is done with the blocks: pairs with the release of
	 * busy in engine_leave() and of in_guest in dtv_cpu_exit().
	 */
	smp_mb();
	flush(vm, why);
	/* Who sees the gate open, in engine_enter() or dtv_cpu_pending(), sees what is left. */
	smp_store_release(&vm->gate, 0);
	return true;
}

/* --- state changes and what follows from them --- */

static void fill_env(struct dtv_cpu *cpu, struct dtv_env *env)
{
	memset(env, 0, sizeof(*env));
	env->isa = cpu->vm->isa;
	env->time = dtv_vm_time(cpu->vm);
	env->lines = lines_now(cpu);
	env->cycles = env->time * 100;
	env->instret = READ_ONCE(cpu->area->hart.instret);
	env->sbi = cpu->vm->sbi;
}

static u8 class_of(const struct dtv_hart *h)
{
	switch (READ_ONCE(h->priv) & 3) {
	case DTV_PRIV_U:
		return DTV_CLASS_U;
	case DTV_PRIV_S:
		return DTV_CLASS_S;
	}
	return DTV_CLASS_M;
}

/* The regime of an access. */
static void regime(const struct dtv_cpu *cpu, enum dtv_access acc, struct dtv_regime *r)
{
	dtv_guest_regime(&cpu->area->hart, acc, r);
	if (cpu->pmp_open)
		r->pmp = NULL;
}

/* Base of the view that is there for a regime, 0 if there is none. */
static u64 view_base(struct dtv_cpu *cpu, u64 satp, u8 priv, bool sum)
{
	struct dtv_regime r = { .satp = satp, .priv = priv, .sum = sum };
	int idx = dtv_view_find(cpu, &r);

	return idx < 0 ? 0 : dtv_host_view_base(cpu, idx);
}

/* The regime may have changed: find its view, and those that translated code may switch to. */
static void choose_view(struct dtv_cpu *cpu)
{
	struct dtv_hart *h = &cpu->area->hart;
	u64 satp = READ_ONCE(h->satp);
	struct dtv_regime r;

	regime(cpu, DTV_ACCESS_READ, &r);
	h->view_base = dtv_host_view_base(cpu, dtv_view_get(cpu, &r));
	if (satp >> DTV_SATP_MODE_SHIFT != DTV_SATP_MODE_SV39 || (h->mstatus & DTV_MSTATUS_MXR)) {
		h->view_u = 0;
		h->view_s = 0;
		h->view_sum = 0;
		return;
	}
	h->view_u = view_base(cpu, satp, DTV_PRIV_U, false);
	h->view_s = view_base(cpu, satp, DTV_PRIV_S, false);
	h->view_sum = view_base(cpu, satp, DTV_PRIV_S, true);
}

/* Code of one privilege never returns into that of another. */
static void change_class(struct dtv_cpu *cpu, u8 old)
{
	if (class_of(&cpu->area->hart) != old)
		dtv_dbt_rstack_reset(cpu->area, cpu->area_exec);
}

/* An interrupt that is enabled but masked is looked for again when translated code unmasks. */
static void update_hint(struct dtv_cpu *cpu)
{
	struct dtv_hart *h = &cpu->area->hart;

	WRITE_ONCE(h->irq_hint, (dtv_guest_mip(h, lines_now(cpu)) & READ_ONCE(h->mie)) != 0);
}

static void program_timer(struct dtv_cpu *cpu)
{
	struct dtv_hart *h = &cpu->area->hart;
	/* stimecmp drives STIP only with menvcfg.STCE (privileged manual 3.1.18, 12.1). */
	u64 when = READ_ONCE(h->menvcfg) >> 63 ? READ_ONCE(h->stimecmp) : ~0ULL;

	WRITE_ONCE(cpu->stime, when);
	arm_timer(cpu);
}

static void fence(struct dtv_cpu *cpu, const struct dtv_fence *f)
{
	unsigned int giga = (f->gva >> 30) & 511;

	if (DTV_MUTANT(fence_view, false, true))
		dtv_view_fence(cpu, f);
	if (DTV_MUTANT(fence_code, true, false))
		return;
	/* One address stands for all of its leaf (privileged manual 4.2.1). */
	if (f->size <= DTV_PAGE_SIZE &&
	    !DTV_MUTANT(fence_big, 0, cpu->big_code[giga / 64] >> (giga % 64) & 1)) {
		dtv_dbt_forget(cpu->area, f->gva, false);
		return;
	}
	dtv_dbt_forget(cpu->area, ~0ULL, false);
	memset(cpu->big_code, 0, sizeof(cpu->big_code));
}

/* Global mappings are those of every address space (privileged manual 4.3.1): they survive. */
static void satp_changed(struct dtv_cpu *cpu)
{
	bool bare = READ_ONCE(cpu->area->hart.satp) >> DTV_SATP_MODE_SHIFT != DTV_SATP_MODE_SV39;

	if (DTV_MUTANT(satp_code, true, false))
		return;
	dtv_dbt_forget(cpu->area, ~0ULL,
		       !DTV_MUTANT(tags_local, false, cpu->local_s) && !bare &&
			       dtv_opt(&cpu->vm->dbt, DTV_OPT_KEEP_TAGS));
	cpu->local_s = false;
}

/* What views show and which pages are executable was decided by the PMP that was. */
static void pmp_changed(struct dtv_cpu *cpu)
{
	bool was = cpu->pmp_open;

	cpu->pmp_open = dtv_pmp_open(&cpu->area->hart);
	if (was && cpu->pmp_open)
		return;
	if (DTV_MUTANT(pmp_views, false, true))
		dtv_views_flush(cpu);
	if (DTV_MUTANT(pmp_tags, false, true))
		dtv_dbt_forget_all(cpu->area);
}

static void trap(struct dtv_cpu *cpu, u64 cause, u64 tval)
{
	struct dtv_hart *h = &cpu->area->hart;
	u8 class = class_of(h);

	cpu->counters[DTV_COUNTER_TRAPS]++;
	dtv_host_trace(cpu, DTV_TRACE_TRAP, cause, h->pc);
	dtv_guest_trap(h, cause, tval);
	dtv_resv_drop(cpu);
	change_class(cpu, class);
	choose_view(cpu);
}

static void take_interrupt(struct dtv_cpu *cpu)
{
	int irq = dtv_guest_interrupt(&cpu->area->hart, lines_now(cpu));

	if (irq >= 0)
		trap(cpu, DTV_CAUSE_INTERRUPT | irq, 0);
	update_hint(cpu);
}

/* --- finding code --- */

#define FIND_AGAIN (~1ULL)

/* Code was found through a superpage's leaf. */
static void note_big(struct dtv_cpu *cpu, gva_t gva)
{
	cpu->big_code[(gva >> 30 & 511) / 64] |= 1ULL << (gva >> 30 & 63);
}

/*
 * The part of a page that PMP parts from which the 16 bits at @gpa may be fetched with
 * others. Return: false: they may not.
 */
static bool fetch_extent(const struct dtv_regime *r, gpa_t gpa, struct dtv_extent *ext)
{
	gpa_t page = gpa & DTV_PAGE_MASK, lo = page, hi = page + DTV_PAGE_SIZE;

	if (!(dtv_pmp_span(r->pmp, r->priv, gpa, &lo, &hi) & BIT_ULL(DTV_ACCESS_EXEC)))
		return false;
	*ext = (struct dtv_extent){ lo - page, hi - page };
	return true;
}

/*
 * Host address of the block at the hart's pc, after taking the traps that the
 * fetch raises. DTV_DBT_FULL: flush first; FIND_AGAIN: the handler itself
 * keeps trapping: let the host look at signals.
 */
static u64 find_code(struct dtv_cpu *cpu)
{
	struct dtv_vm_core *vm = cpu->vm;
	struct dtv_hart *h = &cpu->area->hart;
	unsigned int tries;

	for (tries = 0; tries < 16; tries++) {
		struct dtv_code code = {
			.gpa2 = ~0ULL,
			.ext = DTV_WHOLE_PAGE,
			.ext2 = DTV_WHOLE_PAGE,
			.class = class_of(h),
			.loop = cpu->loop,
		};
		/* An odd pc is no architectural state, but may stand on the vCPU page. */
		gva_t pc = READ_ONCE(h->pc) & ~1ULL;
		struct dtv_regime r;
		struct dtv_walk w;
		bool fresh, local, big;
		u32 xp, xp2 = 0;
		u64 ip;
		u8 *p;

		h->pc = pc;
		regime(cpu, DTV_ACCESS_EXEC, &r);
		if (dtv_guest_walk(vm, &r, pc, DTV_ACCESS_EXEC, &w)) {
			trap(cpu, w.exc, pc);
			continue;
		}
		p = dtv_host_code(vm, w.gpa);
		if (!p || (w.mixed && !fetch_extent(&r, w.gpa, &code.ext))) {
			trap(cpu, DTV_EXC_INSN_ACCESS, pc);
			continue;
		}
		code.pc = pc;
		code.gpa = w.gpa;
		/* A bare mapping ends when translation begins. */
		local = !w.global || !r.satp;
		big = w.level || DTV_MUTANT(napot_code, false, w.napot);
		if ((pc & 0xfff) + 2 == code.ext.hi && w.mixed && (pc & 0xfff) != 0xffe &&
		    dtv_insn_len(READ_ONCE(*(u16 *)p)) == 4) {
			struct dtv_extent rest;

			/* Two entries allow one half each: an instruction by itself. */
			if (!fetch_extent(&r, w.gpa + 2, &rest)) {
				trap(cpu, DTV_EXC_INSN_ACCESS, pc + 2);
				continue;
			}
			code.ext.lo = pc & 0xfff;
			code.ext.hi = code.ext.lo + 4;
		}
		if ((pc & 0xfff) == 0xffe && dtv_insn_len(READ_ONCE(*(u16 *)p)) == 4) {
			if (dtv_guest_walk(vm, &r, pc + 2, DTV_ACCESS_EXEC, &w)) {
				trap(cpu, w.exc, pc + DTV_MUTANT(fetch_tval, 0, 2));
				continue;
			}
			if (!dtv_host_code(vm, w.gpa) ||
			    (w.mixed && !fetch_extent(&r, w.gpa, &code.ext2))) {
				trap(cpu, DTV_EXC_INSN_ACCESS, pc + 2);
				continue;
			}
			code.gpa2 = w.gpa;
			local |= !w.global;
			if (w.level || w.napot)
				note_big(cpu, pc + 2);
		}
		/* Tags of U-mode never outlive a change of satp. */
		if (local && code.class == DTV_CLASS_S)
			cpu->local_s = true;
		if (big)
			note_big(cpu, pc);
		xp = dtv_dbt_page(&vm->dbt, pc, code.gpa, code.class, code.ext, &fresh);
		if (!xp)
			return DTV_DBT_FULL;
		if (fresh) {
			dtv_view_protect(cpu, code.gpa);
			dtv_dbt_page_ready(&vm->dbt, xp);
		}
		if (code.gpa2 != ~0ULL) {
			xp2 = dtv_dbt_page(&vm->dbt, pc + 2, code.gpa2, code.class, code.ext2,
					   &fresh);
			if (!xp2)
				return DTV_DBT_FULL;
			if (fresh) {
				dtv_view_protect(cpu, code.gpa2);
				dtv_dbt_page_ready(&vm->dbt, xp2);
			}
		}
		ip = dtv_dbt_get(&vm->dbt, cpu->area, &code, xp, xp2);
		if (code.host_bytes)
			dtv_host_trace(cpu, DTV_TRACE_BLOCK, pc,
				       (u64)code.guest_bytes << 32 | code.host_bytes);
		if (ip)
			return ip;
	}
	return FIND_AGAIN;
}

/* Let the host look at signals, then try again. */
static enum dtv_action again(struct dtv_cpu *cpu)
{
	cpu->again = true;
	return DTV_WAIT;
}

/*
 * The harts that were asked for a fence have done it, or will before they go on. Return: false
 * when the wait was given up.
 */
static bool fences_done(struct dtv_cpu *self)
{
	unsigned int i, tries = 0;

	for (i = 0; self->fencing; i++) {
		struct dtv_cpu *t = self->vm->cpus[i];

		if (!(self->fencing & BIT_ULL(i)))
			continue;
		/*
		 * Outside of translated code, and of C code that accesses
		 * memory for it, it does the fence before it goes on.
		 */
		while ((READ_ONCE(t->in_guest) || READ_ONCE(t->busy)) && READ_ONCE(t->requests) &&
		       !READ_ONCE(self->vm->stopped))
			if (!dtv_host_relax(self, tries++))
				return false;
		self->fencing &= ~BIT_ULL(i);
	}
	return true;
}

/* An instruction that C did has retired. */
static void retired(struct dtv_cpu *cpu)
{
	cpu->area->hart.instret++;
}

/* As many instructions have retired as may, or may in blocks of many. */
static bool at_limit(const struct dtv_cpu *cpu)
{
	return unlikely(cpu->vm->dbt.limited) && (s64)READ_ONCE(cpu->area->hart.instret) >= 0;
}

/* Go on at the hart's pc. Ends the engine section. */
static enum dtv_action run(struct dtv_cpu *cpu)
{
	struct dtv_hart *h = &cpu->area->hart;
	unsigned int flushes = 0;
	u64 ip;

	while (at_limit(cpu)) {
		bool ends = cpu->vm->dbt.stepping;

		engine_leave(cpu);
		if (ends) {
			dtv_host_ended(cpu->vm, cpu->vm->max_insns);
			return DTV_STOP;
		}
		if (!flush_cache(cpu, FLUSH_STEP))
			return again(cpu);
		engine_enter(cpu);
	}
	if (unlikely(cpu->fencing)) {
		/* Others may wait for this hart at the same time. */
		engine_leave(cpu);
		if (!fences_done(cpu))
			return again(cpu);
		engine_enter(cpu);
	}
	for (;;) {
		/* Other harts may fill what was flushed, but not for ever. */
		if (flushes == 64)
			dtv_host_kill(cpu->vm, "a block does not fit into the code cache");
		if (READ_ONCE(cpu->vm->stopped) || flushes == 64) {
			engine_leave(cpu);
			return DTV_STOP;
		}
		ip = find_code(cpu);
		if (ip != DTV_DBT_FULL)
			break;
		engine_leave(cpu);
		if (!flush_cache(cpu, FLUSH_ROOM))
			return again(cpu);
		flushes++;
		engine_enter(cpu);
	}
	if (ip == FIND_AGAIN) {
		engine_leave(cpu);
		return again(cpu);
	}
	h->resume_ip = ip;
	cpu->resume_count = 0;
	WRITE_ONCE(cpu->gen, cpu->vm->dbt.gen);
	engine_leave(cpu);
	return DTV_RUN;
}

/*
 * Go on at @ip inside a block that was found in this engine section, behind an instruction that
 * was done in C when @count of the block had retired; 0: at the hart's pc. Jumps between the two
 * are in the block's count.
 */
static enum dtv_action run_at(struct dtv_cpu *cpu, u64 ip, u8 count)
{
	if (!ip || at_limit(cpu))
		return run(cpu);
	cpu->area->hart.resume_ip = ip;
	cpu->resume_count = DTV_MUTANT(count_resume, 0, count + 1);
	cpu->area->hart.instret -= cpu->resume_count;
	WRITE_ONCE(cpu->gen, cpu->vm->dbt.gen);
	engine_leave(cpu);
	return DTV_RUN;
}

static void take_requests(struct dtv_cpu *cpu)
{
	struct dtv_hart *h = &cpu->area->hart;
	unsigned long req = xchg(&cpu->requests, 0);

	if (req & DTV_REQ_SFENCE) {
		struct dtv_fence f;

		spin_lock(&cpu->req_lock);
		f = cpu->req_fence;
		cpu->req_fence.size = 0;
		spin_unlock(&cpu->req_lock);
		if (f.size)
			fence(cpu, &f);
	}
	if (req & DTV_REQ_START) {
		dtv_cpu_reset(cpu, cpu->start_pc, cpu->start_arg, true);
		WRITE_ONCE(cpu->hsm, DTV_HSM_STARTED);
	}
	if (req & DTV_REQ_SSIP)
		h->mip |= BIT_ULL(DTV_IRQ_SSI);
	if (req & DTV_REQ_TIMER)
		arm_timer(cpu);
	else if (req & DTV_REQ_IRQ)
		renew_timer(cpu);
}

/* Requests and interrupts, then what comes next. In an engine section, which it ends. */
static enum dtv_action next(struct dtv_cpu *cpu)
{
	WRITE_ONCE(cpu->area->hart.kicked, 0);
	if (READ_ONCE(cpu->requests))
		take_requests(cpu);
	if (halted(cpu)) {
		engine_leave(cpu);
		return READ_ONCE(cpu->vm->stopped) ? DTV_STOP : DTV_WAIT;
	}
	/* It goes on: other harts start it only out of STOPPED, so that nobody else writes here. */
	if (cpu->hsm == DTV_HSM_SUSPENDED)
		WRITE_ONCE(cpu->hsm, DTV_HSM_STARTED);
	take_interrupt(cpu);
	return run(cpu);
}

enum dtv_action dtv_cpu_continue(struct dtv_cpu *cpu)
{
	cpu->again = false;
	/* Where the hart was to go on it did not. */
	cpu->area->hart.instret += cpu->resume_count;
	cpu->resume_count = 0;
	engine_enter(cpu);
	return next(cpu);
}

/* --- instructions done in C --- */

/* The bits of the instruction at @gpa; false when there is no memory (the guest took it away). */
static bool fetch_raw(struct dtv_cpu *cpu, gva_t pc, gpa_t gpa, u32 *raw)
{
	u8 *p = dtv_host_code(cpu->vm, gpa);
	struct dtv_regime r;
	struct dtv_walk w;
	u16 lo, hi;

	if (!p)
		return false;
	lo = READ_ONCE(*(u16 *)p);
	*raw = lo;
	if (dtv_insn_len(lo) == 2)
		return true;
	if ((gpa & 0xfff) == 0xffe) {
		regime(cpu, DTV_ACCESS_EXEC, &r);
		if (dtv_guest_walk(cpu->vm, &r, pc + 2, DTV_ACCESS_EXEC, &w))
			return false;
		p = dtv_host_code(cpu->vm, w.gpa);
		if (!p)
			return false;
	} else {
		p += 2;
	}
	hi = READ_ONCE(*(u16 *)p);
	*raw |= (u32)hi << 16;
	return true;
}

/* Whether the instruction sees how many have retired. */
static bool sees_count(struct dtv_hart *h, const struct dtv_env *env, const struct dtv_insn *insn)
{
	u64 val;

	return (insn->fmt == DTV_FMT_CSR || insn->fmt == DTV_FMT_CSRI) &&
	       ((insn->imm & 0xfff) == 0xb02 || (insn->imm & 0xfff) == 0xc02) &&
	       !dtv_csr_read(h, env, insn->imm & 0xfff, &val);
}

static enum dtv_action do_system(struct dtv_cpu *cpu, const struct dtv_where *w, bool fp)
{
	struct dtv_hart *h = &cpu->area->hart;
	u8 class = class_of(h);
	struct dtv_insn insn;
	struct dtv_env env;
	u64 fx;
	u32 raw;

	h->pc = w->pc;
	if (!fetch_raw(cpu, w->pc, w->gpa, &raw))
		return run(cpu);
	dtv_decode(raw, cpu->vm->isa, &insn);
	fill_env(cpu, &env);
	if (!cpu->vm->dbt.counting && sees_count(h, &env, &insn)) {
		/* Nobody knows yet how many there were: they count from here on. */
		engine_leave(cpu);
		if (!flush_cache(cpu, FLUSH_COUNT))
			return again(cpu);
		engine_enter(cpu);
		return run(cpu);
	}
	if (fp)
		fx = dtv_guest_fp(h, &insn);
	else
		fx = dtv_guest_system(h, &env, &insn);
	/* Neither what traps nor ecall and ebreak (privileged manual 3.3.1). */
	if (DTV_MUTANT(count_ecall, !(fx & DTV_FX_SBI), !(fx & (DTV_FX_TRAP | DTV_FX_SBI))))
		retired(cpu);
	if (fx & DTV_FX_TRAP) {
		cpu->counters[DTV_COUNTER_TRAPS]++;
		dtv_host_trace(cpu, DTV_TRACE_TRAP, h->priv == DTV_PRIV_M ? h->mcause : h->scause,
			       w->pc);
	}
	if (fx & DTV_FX_SBI) {
		/* May wait for other harts: they must not wait for this one. */
		engine_leave(cpu);
		fx |= dtv_sbi_call(cpu, h, &env);
		engine_enter(cpu);
	}
	if (fx & DTV_FX_SFENCE)
		fence(cpu, &env.fence);
	if (fx & DTV_FX_SATP)
		satp_changed(cpu);
	if (fx & DTV_FX_FP)
		h->mxcsr = dtv_fp_mxcsr(h);
	if (fx & DTV_FX_PMP)
		pmp_changed(cpu);
	if (fx & (DTV_FX_REGIME | DTV_FX_SATP | DTV_FX_TRAP)) {
		change_class(cpu, class);
		choose_view(cpu);
	}
	if (fx & DTV_FX_TIMER)
		program_timer(cpu);
	if ((fx & DTV_FX_WFI) && !at_limit(cpu)) {
		if (READ_ONCE(cpu->vm->stopped)) {
			engine_leave(cpu);
			return DTV_STOP;
		}
		if (halted(cpu) || !dtv_cpu_runnable(cpu)) {
			engine_leave(cpu);
			return DTV_WAIT;
		}
	}
	if (fx & DTV_FX_IRQ)
		return next(cpu);
	/* What an FP check found wrong is a fact of the code behind it. */
	if (fp ||
	    (fx & (DTV_FX_TRAP | DTV_FX_SATP | DTV_FX_SFENCE | DTV_FX_FENCE_I | DTV_FX_ISA |
		   DTV_FX_SBI | DTV_FX_PMP)) ||
	    h->pc != w->pc + insn.len || w->dead)
		return run(cpu);
	return run_at(cpu, w->next_ip, w->count);
}

/* --- memory accesses done in C: MMIO, addresses that failed a check, misaligned atomics --- */

enum access_kind { ACC_NONE, ACC_LOAD, ACC_STORE, ACC_AMO, ACC_LR, ACC_SC };

static enum access_kind classify(const struct dtv_insn *in, u8 *len)
{
	switch (in->op) {
	case DTV_OP_LB:
	case DTV_OP_LBU:
		*len = 1;
		return ACC_LOAD;
	case DTV_OP_LH:
	case DTV_OP_LHU:
	case DTV_OP_FLH:
		*len = 2;
		return ACC_LOAD;
	case DTV_OP_LW:
	case DTV_OP_LWU:
	case DTV_OP_FLW:
		*len = 4;
		return ACC_LOAD;
	case DTV_OP_LD:
	case DTV_OP_FLD:
		*len = 8;
		return ACC_LOAD;
	case DTV_OP_SB:
		*len = 1;
		return ACC_STORE;
	case DTV_OP_SH:
	case DTV_OP_FSH:
		*len = 2;
		return ACC_STORE;
	case DTV_OP_SW:
	case DTV_OP_FSW:
		*len = 4;
		return ACC_STORE;
	case DTV_OP_SD:
	case DTV_OP_FSD:
		*len = 8;
		return ACC_STORE;
	}
	if (in->fmt != DTV_FMT_AMO)
		return ACC_NONE;
	*len = (in->raw >> 12 & 7) == 2 ? 4 : 8;
	switch (in->op) {
	case DTV_OP_LR_W:
	case DTV_OP_LR_D:
		return ACC_LR;
	case DTV_OP_SC_W:
	case DTV_OP_SC_D:
		return ACC_SC;
	}
	return ACC_AMO;
}

static void finish_load(struct dtv_hart *h, const struct dtv_insn *in, u64 v)
{
	u8 rd = in->rd & 31;

	switch (in->op) {
	case DTV_OP_LB:
		v = (s64)(s8)v;
		break;
	case DTV_OP_LH:
		v = (s64)(s16)v;
		break;
	case DTV_OP_LW:
	case DTV_OP_LR_W:
		v = (s64)(s32)v;
		break;
	case DTV_OP_LBU:
		v = (u8)v;
		break;
	case DTV_OP_LHU:
		v = (u16)v;
		break;
	case DTV_OP_LWU:
		v = (u32)v;
		break;
	case DTV_OP_FLH:
		h->f[rd] = v | DTV_MUTANT(flh_box, 0, DTV_FP_BOX16);
		return;
	case DTV_OP_FLW:
		h->f[rd] = v | 0xffffffff00000000ULL;
		return;
	case DTV_OP_FLD:
		h->f[rd] = v;
		return;
	}
	if (rd)
		h->x[rd] = v;
}

static u64 store_data(const struct dtv_hart *h, const struct dtv_insn *in)
{
	bool fp = in->op == DTV_OP_FSH || in->op == DTV_OP_FSW || in->op == DTV_OP_FSD;

	return fp ? h->f[in->rs2 & 31] : h->x[in->rs2 & 31];
}

static u64 amo_result(const struct dtv_insn *in, bool w, u64 old, u64 arg)
{
	s64 so = w ? (s64)old : (s32)old, sa = w ? (s64)arg : (s32)arg;
	u64 uo = w ? old : (u32)old, ua = w ? arg : (u32)arg;

	switch (in->op) {
	case DTV_OP_AMOSWAP_W:
	case DTV_OP_AMOSWAP_D:
		return arg;
	case DTV_OP_AMOADD_W:
	case DTV_OP_AMOADD_D:
		return old + arg;
	case DTV_OP_AMOXOR_W:
	case DTV_OP_AMOXOR_D:
		return old ^ arg;
	case DTV_OP_AMOAND_W:
	case DTV_OP_AMOAND_D:
		return old & arg;
	case DTV_OP_AMOOR_W:
	case DTV_OP_AMOOR_D:
		return old | arg;
	case DTV_OP_AMOMIN_W:
	case DTV_OP_AMOMIN_D:
		return so < sa ? old : arg;
	case DTV_OP_AMOMAX_W:
	case DTV_OP_AMOMAX_D:
		return so > sa ? old : arg;
	case DTV_OP_AMOMINU_W:
	case DTV_OP_AMOMINU_D:
		return uo < ua ? old : arg;
	}
	return uo > ua ? old : arg;
}

/* Aligned AMO on RAM. Returns what rd gets. */
static u64 do_amo(struct dtv_hart *h, const struct dtv_insn *in, u8 *p)
{
	u64 arg = h->x[in->rs2 & 31], old, want;
	bool w = in->raw >> 12 & 1;

	do {
		old = w ? READ_ONCE(*(u64 *)p) : READ_ONCE(*(u32 *)p);
		want = amo_result(in, w, old, arg);
	} while (w ? cmpxchg((u64 *)p, old, want) != old :
		     cmpxchg((u32 *)p, (u32)old, (u32)want) != (u32)old);
	return w ? old : (u64)(s64)(s32)old;
}

/* Code that C wrote over is dropped as if a store had missed. Return: whether there was some. */
static bool wrote_ram(struct dtv_vm_core *vm, gpa_t gpa)
{
	return dtv_dbt_is_code(&vm->dbt, DTV_MUTANT(code_store, ~0ULL, gpa)) &&
	       dtv_dbt_invalidate(&vm->dbt, gpa);
}

void dtv_guest_pte_written(void *vm_, gpa_t gpa)
{
	struct dtv_vm_core *vm = vm_;

	if (DTV_MUTANT(pte_code, false, true))
		wrote_ram(vm, gpa);
	dtv_resv_written(vm, gpa, 8);
}

static enum dtv_action access_fault(struct dtv_cpu *cpu, enum access_kind kind, gva_t gva)
{
	trap(cpu, kind == ACC_LOAD || kind == ACC_LR ? DTV_EXC_LOAD_ACCESS : DTV_EXC_STORE_ACCESS,
	     gva);
	return run(cpu);
}

static enum dtv_action start_mmio(struct dtv_cpu *cpu, const struct dtv_insn *in, gpa_t gpa, u8 len,
				  bool write, u64 data, u64 next_ip, u8 count)
{
	struct dtv_vm_core *vm = cpu->vm;

	cpu->counters[DTV_COUNTER_MMIO]++;
	dtv_host_trace(cpu, DTV_TRACE_MMIO, gpa, len | (u64)write << 8);
	cpu->mmio = (struct dtv_mmio){ .gpa = gpa, .data = data, .len = len, .write = write };
	cpu->mmio_insn = *in;
	cpu->mmio_next_ip = next_ip;
	cpu->mmio_count = count;
	cpu->mmio_gen = vm->dbt.gen;
	if (gpa - DTV_CLINT_BASE < DTV_CLINT_SIZE) {
		if (write)
			dtv_clint_write(vm, gpa - DTV_CLINT_BASE, len, data);
		else
			cpu->mmio.data = dtv_clint_read(vm, gpa - DTV_CLINT_BASE, len);
		engine_leave(cpu);
		return dtv_cpu_mmio_done(cpu);
	}
	if (gpa - DTV_PLIC_BASE < DTV_PLIC_SIZE) {
		if (write)
			dtv_plic_write(&vm->plic, gpa - DTV_PLIC_BASE, len, data);
		else
			cpu->mmio.data = dtv_plic_read(&vm->plic, gpa - DTV_PLIC_BASE, len);
		engine_leave(cpu);
		return dtv_cpu_mmio_done(cpu);
	}
	engine_leave(cpu);
	return DTV_MMIO;
}

enum dtv_action dtv_cpu_mmio_done(struct dtv_cpu *cpu)
{
	struct dtv_hart *h = &cpu->area->hart;
	u64 next_ip = cpu->mmio_next_ip;

	engine_enter(cpu);
	if (cpu->mmio.failed) {
		gva_t gva = h->x[cpu->mmio_insn.rs1 & 31] + cpu->mmio_insn.imm;

		return access_fault(cpu, cpu->mmio.write ? ACC_STORE : ACC_LOAD, gva);
	}
	if (!cpu->mmio.write)
		finish_load(h, &cpu->mmio_insn, cpu->mmio.data);
	h->pc += cpu->mmio_insn.len;
	retired(cpu);
	if (READ_ONCE(cpu->requests))
		return next(cpu);
	return run_at(cpu, cpu->mmio_gen == cpu->vm->dbt.gen ? next_ip : 0, cpu->mmio_count);
}

/* Translate @gva for @acc of @len bytes, in one page; on failure the trap was taken. */
static bool access_walk(struct dtv_cpu *cpu, gva_t gva, enum dtv_access acc, u64 len, gpa_t *gpa)
{
	struct dtv_regime r;
	struct dtv_walk w;

	regime(cpu, acc, &r);
	if (dtv_guest_walk(cpu->vm, &r, gva, acc, &w)) {
		trap(cpu, w.exc, gva);
		return false;
	}
	if (w.mixed && !(dtv_pmp_rights(r.pmp, r.priv, w.gpa, len) & BIT_ULL(acc))) {
		trap(cpu, acc == DTV_ACCESS_READ ? DTV_EXC_LOAD_ACCESS : DTV_EXC_STORE_ACCESS, gva);
		return false;
	}
	*gpa = w.gpa;
	return true;
}

/* Inside of a view, for sure. */
static bool canonical(gva_t gva)
{
	return (s64)(gva << (64 - DTV_VIEW_BITS)) >> (64 - DTV_VIEW_BITS) == (s64)gva;
}

#define CACHE_BLOCK 64 /* Zic64b */

/*
 * Cache-block instructions (unprivileged manual 19): memory is coherent, so that
 * all but cbo.zero are done when the rights are checked. What fails is a store's
 * fault with the address of the block.
 */
static enum dtv_action do_cbo(struct dtv_cpu *cpu, const struct dtv_where *w,
			      const struct dtv_insn *in)
{
	struct dtv_hart *h = &cpu->area->hart;
	gva_t gva = h->x[in->rs1 & 31] & ~(gva_t)(CACHE_BLOCK - 1);
	struct dtv_vm_core *vm = cpu->vm;
	bool zero = in->op == DTV_OP_CBO_ZERO;
	enum dtv_access acc = zero ? DTV_ACCESS_WRITE : DTV_ACCESS_READ;
	struct dtv_regime r;
	struct dtv_walk walk;
	bool code = false;
	u8 *p;

	if (!dtv_guest_cbo(h, in)) {
		trap(cpu, DTV_EXC_ILLEGAL, in->raw);
		return run(cpu);
	}
	/* What may be stored to may be loaded: a right to load is enough for the others. */
	regime(cpu, acc, &r);
	if (dtv_guest_walk(vm, &r, gva, acc, &walk)) {
		trap(cpu,
		     walk.exc == DTV_EXC_LOAD_PAGE || walk.exc == DTV_EXC_STORE_PAGE ?
			     DTV_EXC_STORE_PAGE :
			     DTV_EXC_STORE_ACCESS,
		     gva);
		return run(cpu);
	}
	if (walk.mixed &&
	    !(dtv_pmp_rights(r.pmp, r.priv, walk.gpa, CACHE_BLOCK) & BIT_ULL(acc)))
		return access_fault(cpu, ACC_STORE, gva);
	if (zero) {
		p = dtv_host_ram(vm, walk.gpa);
		if (!p)
			return access_fault(cpu, ACC_STORE, gva);
		code = wrote_ram(vm, walk.gpa);
		dtv_resv_lock(cpu, walk.gpa, CACHE_BLOCK, ~0ULL, 0);
		memset(p, 0, CACHE_BLOCK);
		dtv_resv_unlock(cpu);
		/* As for stores: see do_access(). */
		smp_mb();
		wrote_ram(vm, walk.gpa);
	}
	h->pc += in->len;
	retired(cpu);
	return run_at(cpu, w->dead || code || !canonical(gva) ? 0 : w->next_ip, w->count);
}

/* Where the memory of an access is; NULL: there is none, or it is a device's. */
static u8 *access_memory(struct dtv_vm_core *vm, gpa_t gpa, enum access_kind kind)
{
	u8 *p = dtv_host_ram(vm, gpa);

	return p || (kind != ACC_LOAD && kind != ACC_LR) ? p : dtv_host_rom(vm, gpa, true);
}

static enum dtv_action do_access(struct dtv_cpu *cpu, const struct dtv_where *w)
{
	struct dtv_hart *h = &cpu->area->hart;
	struct dtv_vm_core *vm = cpu->vm;
	enum access_kind kind;
	enum dtv_access acc;
	struct dtv_insn in;
	gpa_t gpa, gpa2 = 0;
	u64 data = 0, next_ip;
	unsigned int n1;
	u8 *p, *p2, len;
	bool code = false;
	gva_t gva;
	u32 raw;

	h->pc = w->pc;
	if (!fetch_raw(cpu, w->pc, w->gpa, &raw))
		return run(cpu);
	dtv_decode(raw, vm->isa, &in);
	if (in.fmt == DTV_FMT_CBO)
		return do_cbo(cpu, w, &in);
	kind = classify(&in, &len);
	if (kind == ACC_NONE)
		return run(cpu); /* the guest changed the code under its own feet */
	gva = h->x[in.rs1 & 31] + (in.fmt == DTV_FMT_AMO ? 0 : (s64)in.imm);
	acc = kind == ACC_LOAD || kind == ACC_LR ? DTV_ACCESS_READ : DTV_ACCESS_WRITE;
	/*
	 * The code behind relies on a canonical base and on the instruction
	 * that was translated: go on there only when both are so.
	 */
	next_ip = w->dead || !canonical(gva) ? 0 : w->next_ip;

	/* The hart has no reservation there: fails before the access is tried. */
	if (kind == ACC_SC && !w->paired && !(gva & (len - 1)) && h->resv_addr != gva) {
		dtv_resv_drop(cpu);
		data = 1;
		goto done;
	}
	/* Atomics must be aligned (unprivileged manual 14.2, 14.4). */
	if (kind >= ACC_AMO && (gva & (len - 1))) {
		trap(cpu, kind == ACC_LR ? DTV_EXC_LOAD_MISALIGNED : DTV_EXC_STORE_MISALIGNED, gva);
		return run(cpu);
	}
	n1 = min((unsigned int)len, (unsigned int)(DTV_PAGE_SIZE - (gva & 0xfff)));
	if (!access_walk(cpu, gva, acc, n1, &gpa))
		return run(cpu);
	if (n1 < len && !access_walk(cpu, gva + n1, acc, len - n1, &gpa2))
		return run(cpu);
	gpa2 = DTV_MUTANT(cross_page, gpa + n1, gpa2);

	p = access_memory(vm, gpa, kind);
	p2 = n1 < len ? access_memory(vm, gpa2, kind) : NULL;
	if (!p || (n1 < len && !p2)) {
		if (kind >= ACC_AMO || n1 < len || (gpa & (len - 1)))
			return access_fault(cpu, kind, gva);
		if (kind == ACC_STORE) {
			data = store_data(h, &in);
			if (len < 8)
				data &= (1ULL << len * 8) - 1;
		}
		return start_mmio(cpu, &in, gpa, len, kind == ACC_STORE, data, next_ip,
				  w->count);
	}

	dtv_dbt_note_ram(&vm->dbt, READ_ONCE(h->exit_ip) - 1, w->gpa);
	switch (kind) {
	case ACC_LOAD:
		if (n1 == len && !(gva & (len - 1))) {
			/* Naturally aligned accesses are single-copy atomic. */
			data = len == 8 ? READ_ONCE(*(u64 *)p) :
			       len == 4 ? READ_ONCE(*(u32 *)p) :
			       len == 2 ? READ_ONCE(*(u16 *)p) :
					  READ_ONCE(*p);
		} else {
			memcpy(&data, p, n1);
			if (p2)
				memcpy((u8 *)&data + n1, p2, len - n1);
		}
		finish_load(h, &in, data);
		break;
	case ACC_STORE:
		data = store_data(h, &in);
		code = wrote_ram(vm, gpa);
		if (p2)
			code |= wrote_ram(vm, gpa2);
		dtv_resv_lock(cpu, gpa, n1, p2 ? gpa2 : ~0ULL, len - n1);
		if (n1 == len && !(gva & (len - 1))) {
			switch (len) {
			case 1:
				WRITE_ONCE(*p, (u8)data);
				break;
			case 2:
				WRITE_ONCE(*(u16 *)p, (u16)data);
				break;
			case 4:
				WRITE_ONCE(*(u32 *)p, (u32)data);
				break;
			default:
				WRITE_ONCE(*(u64 *)p, data);
			}
		} else {
			memcpy(p, &data, n1);
			if (p2)
				memcpy(p2, (u8 *)&data + n1, len - n1);
		}
		dtv_resv_unlock(cpu);
		/*
		 * A hart that translated in between saw the old bytes; the store comes
		 * before the look.
		 */
		smp_mb();
		wrote_ram(vm, gpa);
		if (p2)
			wrote_ram(vm, gpa2);
		break;
	case ACC_LR:
		/*
		 * Not back into a pair's code, where a kick that comes before it is entered would
		 * leave the SC without its LR: the SC by itself wants a reservation.
		 */
		if (w->paired)
			next_ip = 0;
		data = dtv_resv_load(cpu, gva, gpa, p, len);
		break;
	case ACC_SC:
		code = wrote_ram(vm, gpa);
		data = !dtv_resv_store(cpu, gva, gpa, p, len, h->x[in.rs2 & 31], w->paired);
		wrote_ram(vm, gpa);
		break;
	default:
		code = wrote_ram(vm, gpa);
		dtv_resv_lock(cpu, gpa, len, ~0ULL, 0);
		data = do_amo(h, &in, p);
		dtv_resv_unlock(cpu);
		wrote_ram(vm, gpa);
		break;
	}
done:
	if (kind >= ACC_AMO && (in.rd & 31))
		h->x[in.rd & 31] = data;
	h->pc += in.len;
	retired(cpu);
	/* The block may be among what was dropped: a loop that stays in it would never see it. */
	return run_at(cpu, code ? 0 : next_ip, w->count);
}

/* --- exits --- */

enum dtv_action dtv_cpu_exit(struct dtv_cpu *cpu)
{
	struct dtv_hart *h = &cpu->area->hart;
	struct dtv_vm_core *vm = cpu->vm;
	u32 reason = READ_ONCE(h->exit_reason);
	u64 exit_ip = READ_ONCE(h->exit_ip);
	u16 nan_d = READ_ONCE(h->nan_d), nan_s = READ_ONCE(h->nan_s);
	enum dtv_action act;
	struct dtv_where w;

	/* From in_guest to busy without a gap in which exit_ip could lose its meaning. */
	WRITE_ONCE(cpu->busy, 1);
	/* Pairs with flush_cache() and dtv_sbi_fence(), which look at in_guest and then at busy. */
	smp_store_release(&cpu->in_guest, 0);
	cpu->resume_count = 0;
	cpu->counters[DTV_COUNTER_EXITS + (reason & (DTV_NR_EXITS - 1))]++;
	if (nan_d | nan_s) {
		dtv_dbt_settle_nans(h, nan_d, nan_s);
		h->nan_d = 0;
		h->nan_s = 0;
	}

	switch (reason) {
	case DTV_EXIT_JUMP:
		/* Also from code that unmasked an interrupt. */
		if (READ_ONCE(cpu->requests) || READ_ONCE(h->irq_hint) || READ_ONCE(h->kicked))
			break;
		act = run(cpu);
		if (act == DTV_RUN) {
			engine_enter(cpu);
			if (cpu->gen == vm->dbt.gen)
				dtv_dbt_jcache_fill(cpu->area, class_of(h), h->pc, h->resume_ip);
			engine_leave(cpu);
		}
		dtv_host_trace(cpu, DTV_TRACE_EXIT, reason, h->pc);
		return act;
	case DTV_EXIT_NONE:
	case DTV_EXIT_KICK:
	case DTV_EXIT_RESUME:
		break;
	default:
		dtv_dbt_where(&vm->dbt, exit_ip - 1, &w);
		dtv_host_trace(cpu, DTV_TRACE_EXIT, reason, w.pc);
		if (w.kind != DTV_WHERE_INSN && w.kind != DTV_WHERE_BUSY &&
		    w.kind != DTV_WHERE_NEXT) {
			dtv_host_kill(vm, "translated code left from nowhere");
			engine_leave(cpu);
			return DTV_STOP;
		}
		dtv_dbt_settle_nans(h, w.nan_d, w.nan_s);
		h->instret += w.count;
		h->pc = w.pc;
		/*
		 * Nothing of the instruction was done: requests and interrupts go first. But
		 * an SC that is not done now fails; they go right behind it.
		 */
		if ((READ_ONCE(cpu->requests) || READ_ONCE(h->kicked)) && !w.paired)
			return next(cpu);
		switch (reason) {
		case DTV_EXIT_CHAIN:
		case DTV_EXIT_ENTER: {
			u32 gen = vm->dbt.gen;

			/* Backwards in a page: mostly a loop. */
			cpu->loop = reason == DTV_EXIT_CHAIN && w.pc < w.from &&
				    (w.pc ^ w.from) < DTV_PAGE_SIZE;
			act = run(cpu);
			cpu->loop = false;
			if (act == DTV_RUN && gen == READ_ONCE(vm->dbt.gen) && h->pc == w.pc) {
				engine_enter(cpu);
				if (gen == vm->dbt.gen && reason == DTV_EXIT_CHAIN)
					dtv_dbt_chain(&vm->dbt, exit_ip, h->resume_ip);
				/*
				 * Not the exit's class and pc: a trap may have led to
				 * the same pc in another class.
				 */
				else if (gen == vm->dbt.gen)
					dtv_dbt_jcache_renew(cpu->area, class_of(h), h->pc,
							     h->resume_ip);
				engine_leave(cpu);
			}
			return act;
		}
		case DTV_EXIT_SYSTEM:
		case DTV_EXIT_ILLEGAL:
			return do_system(cpu, &w, false);
		case DTV_EXIT_FP:
			return do_system(cpu, &w, true);
		case DTV_EXIT_ACCESS:
			return do_access(cpu, &w);
		}
		break;
	}
	dtv_host_trace(cpu, DTV_TRACE_EXIT, reason, h->pc);
	return next(cpu);
}

/* --- misses --- */

/* Whether the 2 MiB around a page of a superpage are alike for PMP, too. */
static bool alike(const struct dtv_regime *r, const struct dtv_walk *w)
{
	gpa_t lo = w->gpa & ~((2ULL << 20) - 1), hi = lo + (2ULL << 20);

	if (!r->pmp || !w->level)
		return true;
	dtv_pmp_span(r->pmp, r->priv, w->gpa, &lo, &hi);
	return DTV_MUTANT(pmp_large, true, hi - lo == 2ULL << 20);
}

/* The hart leaves by a stub from where it was stopped, not from an exit. */
static void stopped_at(struct dtv_hart *h, const struct dtv_where *w)
{
	h->nan_d = DTV_MUTANT(nan_at_kick, 0, w->nan_d);
	h->nan_s = w->nan_s;
	h->instret += DTV_MUTANT(count_kick, 0, w->count);
}

void dtv_cpu_miss(struct dtv_cpu *cpu, unsigned int view, gva_t gva, bool write, u64 ip,
		  struct dtv_miss *m)
{
	struct dtv_hart *h = &cpu->area->hart;
	struct dtv_vm_core *vm = cpu->vm;
	enum dtv_access acc = write ? DTV_ACCESS_WRITE : DTV_ACCESS_READ;
	struct dtv_regime r;
	struct dtv_insn in;
	struct dtv_where w;
	struct dtv_walk walk;
	u64 next;
	u32 raw;
	u8 len;

	memset(m, 0, sizeof(*m));
	m->view = view;
	cpu->counters[DTV_COUNTER_MISSES]++;
	dtv_dbt_where(&vm->dbt, ip, &w);
	regime(cpu, acc, &r);
	if ((w.kind != DTV_WHERE_INSN && w.kind != DTV_WHERE_BUSY) || !dtv_view_is(cpu, view, &r)) {
		dtv_host_kill(vm, "translated code missed where it cannot");
		m->kind = DTV_MISS_REDIRECT;
		m->ip = vm->dbt.stub_lookup;
		return;
	}
	/* An AMO or SC that the host found unreadable still asks to write. */
	if (!write) {
		h->pc = w.pc;
		if (fetch_raw(cpu, w.pc, w.gpa, &raw)) {
			dtv_decode(raw, vm->isa, &in);
			switch (classify(&in, &len)) {
			case ACC_AMO:
			case ACC_SC:
				acc = DTV_ACCESS_WRITE;
				break;
			default:
				break;
			}
		}
	}
	regime(cpu, acc, &r);
	if (dtv_guest_walk(vm, &r, gva, acc, &walk)) {
		h->pc = w.pc;
		trap(cpu, walk.exc, DTV_MUTANT(trap_tval, 0, gva));
		m->kind = DTV_MISS_REDIRECT;
		stopped_at(h, &w);
		/* A handler must find settled f registers: by an exit. */
		next = w.nan_d | w.nan_s ? FIND_AGAIN : find_code(cpu);
		if (next == DTV_DBT_FULL || next == FIND_AGAIN) {
			m->ip = vm->dbt.stub_lookup;
		} else {
			h->resume_ip = next;
			m->ip = vm->dbt.stub_redirect;
		}
		return;
	}
	if (!dtv_view_admits(cpu, &r, walk.global)) {
		/* Once in a hart's life: the instruction starts again, in a view of its own. */
		h->pc = w.pc;
		stopped_at(h, &w);
		choose_view(cpu);
		m->kind = DTV_MISS_REDIRECT;
		m->ip = vm->dbt.stub_lookup;
		return;
	}
	dtv_host_trace(cpu, DTV_TRACE_MISS, gva, walk.gpa);
	m->gva = gva & DTV_PAGE_MASK;
	m->gpa = walk.gpa & DTV_PAGE_MASK;
	m->page = dtv_host_ram(vm, m->gpa);
	if (!m->page && acc == DTV_ACCESS_READ) {
		m->page = dtv_host_rom(vm, m->gpa, true);
		m->rom = m->page;
	}
	if (!m->page) {
		/* MMIO or nothing: the access is done in C. */
		dtv_dbt_note_mmio(&vm->dbt, ip, w.gpa);
		h->exit_ip = ip + 1;
		m->kind = DTV_MISS_REDIRECT;
		m->ip = vm->dbt.stub_access;
		return;
	}
	if (walk.mixed) {
		/* No mapping has its rights: each access is done in C. */
		h->exit_ip = ip + 1;
		m->kind = DTV_MISS_REDIRECT;
		m->ip = vm->dbt.stub_access;
		return;
	}
	if (m->rom) {
		walk.prot &= ~2;
	} else if (DTV_MUTANT(code_writable, false, dtv_view_guarded(cpu, m->gpa))) {
		if (acc == DTV_ACCESS_WRITE) {
			/*
			 * Done in C at once: were the page only made writable,
			 * a kick could come first, and the code that is run
			 * then take the right away again, for ever.
			 */
			h->exit_ip = ip + 1;
			m->kind = DTV_MISS_REDIRECT;
			m->ip = vm->dbt.stub_access;
			return;
		}
		walk.prot &= ~2;
	}
	m->kind = DTV_MISS_MAP;
	/* ROM goes page by page: its neighbours may be a device's. */
	m->level = !m->rom && alike(&r, &walk) ? walk.level : 0;
	m->prot = walk.prot & 3;
	/*
	 * A view shows a page to loads and stores alike: what is writable is readable
	 * (PTE W implies R).
	 */
	m->prot |= 1;
	/* A fence of one address in 64 KiB means them all: as if they were 2 MiB. */
	dtv_view_note(cpu, view, m->gva,
		      DTV_MUTANT(napot_fence, walk.level, walk.napot ? 1 : walk.level));
}

void dtv_cpu_stray(struct dtv_cpu *cpu, u64 ip, struct dtv_miss *m)
{
	(void)ip;
	memset(m, 0, sizeof(*m));
	dtv_host_kill(cpu->vm, "translated code reached outside of its views");
	m->kind = DTV_MISS_REDIRECT;
	m->ip = cpu->vm->dbt.stub_lookup;
}

/* --- kicks --- */

u64 dtv_cpu_kicked(struct dtv_cpu *cpu, u64 ip, u64 rax)
{
	struct dtv_hart *h = &cpu->area->hart;
	struct dtv_vm_core *vm = cpu->vm;
	struct dtv_where w;

	if (DTV_MUTANT(irq_lost, true, !dtv_cpu_pending(cpu)))
		return ip;
	/* An interrupt that is masked needs no exit: the instruction that unmasks it does. */
	if (READ_ONCE(cpu->requests) == DTV_REQ_IRQ && !READ_ONCE(vm->gate) &&
	    !READ_ONCE(vm->stopped)) {
		cmpxchg(&cpu->requests, DTV_REQ_IRQ, 0UL);
		renew_timer(cpu);
		update_hint(cpu);
		if (dtv_guest_interrupt(h, lines_now(cpu)) < 0)
			return ip;
		request(cpu, DTV_REQ_IRQ);
	}
	dtv_dbt_where(&vm->dbt, ip, &w);
	switch (w.kind) {
	case DTV_WHERE_INSN:
	case DTV_WHERE_NEXT:
		h->pc = w.pc + DTV_MUTANT(rewind_next, w.kind == DTV_WHERE_INSN ? 4 : 0, 0);
		break;
	case DTV_WHERE_NEXT_RAX:
		h->pc = rax;
		break;
	default:
		/*
		 * Interrupts mostly come right behind a locked instruction,
		 * where this one has begun: let its end look.
		 */
		WRITE_ONCE(h->kicked, 1);
		return 0;
	}
	stopped_at(h, &w);
	return vm->dbt.stub_kick;
}

/* --- what the built-in SBI asks of other harts --- */

struct dtv_vm_core *dtv_sbi_vm(struct dtv_cpu *cpu)
{
	return cpu->vm;
}

bool dtv_sbi_hart_exists(struct dtv_cpu *cpu, u64 id)
{
	return id < DTV_MAX_HARTS && cpu->vm->cpus[id];
}

u32 dtv_sbi_hart_state(struct dtv_cpu *cpu, u64 id)
{
	return READ_ONCE(cpu->vm->cpus[id]->hsm);
}

int dtv_sbi_hart_start(struct dtv_cpu *cpu, u64 id, gpa_t pc, u64 arg)
{
	struct dtv_cpu *t = cpu->vm->cpus[id];

	if (cmpxchg(&t->hsm, DTV_HSM_STOPPED, DTV_HSM_START_PENDING) != DTV_HSM_STOPPED)
		return -1;
	t->start_pc = pc;
	t->start_arg = arg;
	/* Where to start comes before the request: pairs with the xchg in take_requests(). */
	smp_wmb();
	dtv_cpu_request(t, DTV_REQ_START);
	return 0;
}

void dtv_sbi_hart_stop(struct dtv_cpu *cpu)
{
	WRITE_ONCE(cpu->hsm, DTV_HSM_STOPPED);
}

void dtv_sbi_hart_suspend(struct dtv_cpu *cpu)
{
	WRITE_ONCE(cpu->hsm, DTV_HSM_SUSPENDED);
}

void dtv_sbi_ipi(struct dtv_cpu *cpu, u64 id)
{
	dtv_cpu_request(cpu->vm->cpus[id], DTV_REQ_SSIP | DTV_REQ_IRQ);
}

/* One fence that covers both. */
static void merge_fence(struct dtv_fence *into, const struct dtv_fence *f)
{
	if (!into->size) {
		*into = *f;
		return;
	}
	if (into->gva != f->gva || into->size != f->size) {
		into->gva = 0;
		into->size = ~0ULL;
	}
	if (into->asid != f->asid)
		into->asid = ~0ULL;
}

void dtv_sbi_fence(struct dtv_cpu *self, u64 mask, bool fence_i, const struct dtv_fence *f)
{
	unsigned int i;

	for (i = 0; i < DTV_MAX_HARTS; i++) {
		struct dtv_cpu *t = mask >> i & 1 ? self->vm->cpus[i] : NULL;

		if (!t)
			continue;
		if (t == self) {
			if (!fence_i)
				fence(self, f);
			continue;
		}
		self->fencing |= BIT_ULL(i);
		if (fence_i) {
			request(t, DTV_REQ_FENCE_I);
		} else {
			spin_lock(&t->req_lock);
			merge_fence(&t->req_fence, f);
			spin_unlock(&t->req_lock);
			request(t, DTV_REQ_SFENCE);
		}
		if (READ_ONCE(t->in_guest))
			dtv_host_kick(t);
	}
	/*
	 * The requests before the looks at in_guest and busy: pairs with the host's
	 * barrier before it asks dtv_cpu_pending().
	 */
	smp_mb();
	/* The hart goes on when they are done: run() waits again if this is given up. */
	fences_done(self);
}

void dtv_sbi_ram_written(struct dtv_cpu *cpu, gpa_t gpa, u64 n)
{
	dtv_vm_memory_written(cpu->vm, gpa, n);
}

void dtv_vm_rom_hidden(struct dtv_vm_core *vm, gpa_t gpa, u64 size)
{
	/* The host's answer to dtv_host_rom() changed before: pairs with dtv_view_shown(). */
	smp_mb();
	if (vm->cpus[0])
		dtv_view_hide(vm->cpus[0], gpa, size);
}

void dtv_vm_memory_written(struct dtv_vm_core *vm, gpa_t gpa, u64 size)
{
	gpa_t page;

	/* The caller's stores come before the look at what is code. */
	smp_mb();
	dtv_resv_written(vm, gpa, size);
	for (page = gpa & DTV_PAGE_MASK; page < gpa + size; page += DTV_PAGE_SIZE)
		wrote_ram(vm, page);
}

/* --- lifetimes --- */

static void plic_output(void *opaque, unsigned int context, bool level)
{
	struct dtv_vm_core *vm = opaque;
	unsigned int id = context / 2;

	if (id < DTV_MAX_HARTS && vm->cpus[id])
		dtv_cpu_set_line(vm->cpus[id], context & 1 ? DTV_IRQ_SEI : DTV_IRQ_MEI, level);
}

int dtv_vm_core_init(struct dtv_vm_core *vm, const struct dtv_dbt_config *cfg)
{
	int err;

	vm->isa = vm->isa ? vm->isa : dtv_isa_all();
	err = dtv_dbt_init(&vm->dbt, vm, cfg);
	if (err)
		return err;
	vm->dbt.isa = vm->isa;
	spin_lock_init(&vm->resv_lock);
	err = dtv_mmu_init(&vm->mmu, 1 << 18);
	if (err) {
		dtv_dbt_destroy(&vm->dbt);
		return err;
	}
	dtv_plic_init(&vm->plic, DTV_MAX_HARTS * 2, plic_output, vm);
	return 0;
}

int dtv_vm_core_set_isa(struct dtv_vm_core *vm, u64 isa)
{
	if (vm->nr_cpus)
		return -EBUSY;
	vm->isa = isa;
	vm->dbt.isa = isa;
	return 0;
}

int dtv_vm_core_limit(struct dtv_vm_core *vm, u64 n)
{
	if (!n || n > DTV_INSNS_MAX)
		return -EINVAL;
	if (vm->nr_cpus)
		return -EBUSY;
	vm->max_insns = n;
	vm->dbt.counting = true;
	vm->dbt.limited = true;
	vm->dbt.stepping = n <= STEPS;
	return 0;
}

void dtv_vm_core_destroy(struct dtv_vm_core *vm)
{
	dtv_mmu_destroy(&vm->mmu);
	dtv_dbt_destroy(&vm->dbt);
}

int dtv_cpu_init(struct dtv_cpu *cpu, struct dtv_vm_core *vm, u32 id, struct dtv_area *area,
		 u64 area_exec)
{
	int err;

	if (id >= DTV_MAX_HARTS || vm->cpus[id] || area_exec % DTV_AREA_ALIGN)
		return -EINVAL;
	cpu->vm = vm;
	cpu->id = id;
	cpu->area = area;
	cpu->area_exec = area_exec;
	cpu->timer_when = ~0ULL;
	cpu->stime = ~0ULL;
	cpu->mtimecmp = ~0ULL;
	cpu->hsm = DTV_HSM_STOPPED;
	cpu->resv.gpa = ~0ULL;
	spin_lock_init(&cpu->req_lock);
	err = dtv_views_init(&cpu->views, cpu->views.nr ? cpu->views.nr : 16);
	if (err)
		return err;
	cpu->views.split = !dtv_opt(&vm->dbt, DTV_OPT_GLOBAL_VIEW);
	dtv_dbt_area_init(&vm->dbt, area, area_exec);
	if (vm->dbt.limited) {
		area->hart.instret_base = vm->max_insns - (vm->dbt.stepping ? 0 : STEPS);
		area->hart.instret = -area->hart.instret_base;
	}
	/* Others look at cpus[] without a lock. */
	smp_store_release(&vm->cpus[id], cpu);
	vm->nr_cpus++;
	return 0;
}

void dtv_cpu_destroy(struct dtv_cpu *cpu)
{
	if (cpu->vm && cpu->vm->cpus[cpu->id] == cpu) {
		cpu->vm->cpus[cpu->id] = NULL;
		cpu->vm->nr_cpus--;
		dtv_views_destroy(&cpu->views);
	}
}

void dtv_cpu_reset(struct dtv_cpu *cpu, u64 pc, u64 arg, bool started)
{
	struct dtv_area *area = cpu->area;
	struct dtv_hart *h = &area->hart;
	u64 keep_fd = (u64)h->exit_cmd << 32 | h->exit_fd, host_sp = h->host_sp,
	    host_exit = h->host_exit, instret = h->instret;

	memset(h, 0, sizeof(*h));
	h->exit_fd = keep_fd;
	h->exit_cmd = keep_fd >> 32;
	h->host_sp = host_sp;
	h->host_exit = host_exit;
	h->canon_mask = GENMASK_ULL(63, 38);
	dtv_dbt_rstack_reset(area, cpu->area_exec);
	h->resume_ip = cpu->vm->dbt.stub_lookup;
	dtv_resv_drop(cpu);
	dtv_guest_reset(h, cpu->id, cpu->vm->isa, cpu->vm->sbi);
	/* The hart has retired what it has. */
	h->instret = instret;
	h->instret_base = -instret;
	cpu->resume_count = 0;
	h->pc = pc;
	h->x[10] = cpu->id;
	h->x[11] = arg;
	h->mxcsr = dtv_fp_mxcsr(h);
	dtv_dbt_forget(area, ~0ULL, false);
	pmp_changed(cpu);
	cpu->local_s = false;
	WRITE_ONCE(cpu->hsm, started ? DTV_HSM_STARTED : DTV_HSM_STOPPED);
	choose_view(cpu);
	program_timer(cpu);
}
