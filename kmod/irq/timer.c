// SPDX-License-Identifier: GPL-2.0-only
/*
 * timer.c - guest time and the harts' timers.
 *
 * Guest time counts 10 MHz from the VM's creation on CLOCK_MONOTONIC and stands
 * still while the VM is paused. vm->clock_seq rules the two numbers that say so. A hart's timer
 * only makes it look at its interrupts: the portable code compares stimecmp with the time.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/math64.h>

#include "../compat/compat.h"
#include "../vcpu.h"
#include "../vm.h"

#define NS_PER_TICK (NSEC_PER_SEC / DTV_TIMEBASE_HZ)
/* A kick that found an atomic sequence, of some ten instructions, is repeated after this time. */
#define AGAIN_NS 20000

void dtv_clock_init(struct dtv_vm *vm)
{
	seqlock_init(&vm->clock_seq);
	vm->clock_base = 0;
	vm->clock_paused = 0;
}

void dtv_clock_stop(struct dtv_vm *vm)
{
	write_seqlock_irq(&vm->clock_seq);
	if (vm->clock_paused == ~0ULL)
		vm->clock_paused = ktime_get_ns() - vm->clock_base;
	write_sequnlock_irq(&vm->clock_seq);
}

void dtv_clock_start(struct dtv_vm *vm)
{
	write_seqlock_irq(&vm->clock_seq);
	if (vm->clock_paused != ~0ULL) {
		vm->clock_base = ktime_get_ns() - vm->clock_paused;
		vm->clock_paused = ~0ULL;
	}
	write_sequnlock_irq(&vm->clock_seq);
}

/* Guest time in ns; *base: what to add for host time, ~0 while the clock stands. */
static u64 clock_read(struct dtv_vm *vm, u64 *base)
{
	unsigned int seq;
	u64 paused;

	do {
		seq = read_seqbegin(&vm->clock_seq);
		*base = vm->clock_base;
		paused = vm->clock_paused;
	} while (read_seqretry(&vm->clock_seq, seq));
	if (paused != ~0ULL) {
		*base = ~0ULL;
		return paused;
	}
	return ktime_get_ns() - *base;
}

u64 dtv_clock_now(struct dtv_vm *vm)
{
	u64 base;

	return div_u64(clock_read(vm, &base), NS_PER_TICK);
}

u64 dtv_host_time(struct dtv_vm_core *core)
{
	return dtv_clock_now(dtv_vm_of(core));
}

static enum hrtimer_restart timer_expired(struct hrtimer *timer)
{
	dtv_cpu_request(&container_of(timer, struct dtv_vcpu, timer)->cpu, DTV_REQ_IRQ);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart kick_again(struct hrtimer *timer)
{
	dtv_vcpu_kick(container_of(timer, struct dtv_vcpu, kick_again));
	return HRTIMER_NORESTART;
}

void dtv_timer_init(struct dtv_vcpu *vcpu)
{
	hrtimer_setup(&vcpu->timer, timer_expired, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	hrtimer_setup(&vcpu->kick_again, kick_again, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	vcpu->timer_when = ~0ULL;
}

/* Nobody kicks or programs the vCPU any more. */
void dtv_timer_cancel(struct dtv_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->timer);
	hrtimer_cancel(&vcpu->kick_again);
}

static void arm(struct dtv_vcpu *vcpu, u64 when)
{
	u64 base, now = clock_read(vcpu->vm, &base);
	u64 ns;

	/* While the clock stands nothing expires; it is armed anew when it goes on. */
	if (when >= KTIME_MAX / NS_PER_TICK || base == ~0ULL) {
		hrtimer_try_to_cancel(&vcpu->timer);
		return;
	}
	ns = when * NS_PER_TICK;
	if (ns <= now) {
		hrtimer_try_to_cancel(&vcpu->timer);
		dtv_cpu_request(&vcpu->cpu, DTV_REQ_IRQ);
		return;
	}
	if (ns > KTIME_MAX - base)
		ns = KTIME_MAX - base;
	hrtimer_start(&vcpu->timer, ns_to_ktime(base + ns), HRTIMER_MODE_ABS);
}

void dtv_host_timer(struct dtv_cpu *cpu, u64 when)
{
	struct dtv_vcpu *vcpu = dtv_vcpu_of(cpu);

	WRITE_ONCE(vcpu->timer_when, when);
	arm(vcpu, when);
}

/* The clock goes on. The hart may program its timer at the same time: the newest value wins. */
void dtv_timer_rearm(struct dtv_vcpu *vcpu)
{
	u64 when;

	do {
		when = READ_ONCE(vcpu->timer_when);
		arm(vcpu, when);
	} while (when != READ_ONCE(vcpu->timer_when));
}

void dtv_timer_again(struct dtv_vcpu *vcpu)
{
	hrtimer_start(&vcpu->kick_again, ns_to_ktime(AGAIN_NS), HRTIMER_MODE_REL);
}
