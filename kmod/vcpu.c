// SPDX-License-Identifier: GPL-2.0-only
/*
 * vcpu.c - the run loop of a jail and what interrupts it.
 *
 * How a kick is not lost: the jail sets in_guest, full barrier, and looks at
 * requests and vm->hold before it goes back to translated code; who kicks has
 * set a request or hold, full barrier, and looks at in_guest. One of the two
 * sees the other. in_guest stays set during view faults: the task work that a
 * kick queues runs at their end, with the registers of translated code.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "jail.h"
#include "mmu/map.h"
#include "trace.h"
#include "vcpu.h"
#include "vm.h"

#define KICK_QUEUED 0

static void kicked(struct callback_head *work);

static int check_create(struct dtv_vm *vm, unsigned long id)
{
	if (id >= DTV_VCPUS_MAX)
		return -EINVAL;
	if (dtv_vm_stopped(vm))
		return -ESHUTDOWN;
	if (vm->state != DTV_VM_CREATED)
		return -EBUSY;
	if (vm->vcpus[id])
		return -EEXIST;
	/* Harts are numbered without gaps. */
	if (id && !vm->vcpus[id - 1])
		return -EINVAL;
	return 0;
}

static struct dtv_vcpu *create_locked(struct dtv_vm *vm, unsigned long id)
{
	struct dtv_vcpu *vcpu;
	int err;

	err = check_create(vm, id);
	if (err)
		return ERR_PTR(err);
	vcpu = kvzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	vcpu->vm = vm;
	init_waitqueue_head(&vcpu->wait);
	init_task_work(&vcpu->kick_work, kicked);
	dtv_timer_init(vcpu);
	vcpu->inode = dtv_map_inode();
	if (IS_ERR(vcpu->inode)) {
		err = PTR_ERR(vcpu->inode);
		goto no_inode;
	}
	err = -ENOMEM;
	vcpu->area = __vmalloc(DTV_AREA_SIZE, DTV_GFP_TABLE | __GFP_ZERO);
	if (!vcpu->area)
		goto no_area;
	vcpu->cpu.views.nr = DTV_JAIL_VIEWS;
	err = dtv_cpu_init(&vcpu->cpu, &vm->core, id, vcpu->area, DTV_JAIL_AREA);
	if (err)
		goto no_cpu;
	WRITE_ONCE(vm->vcpus[id], vcpu);
	return vcpu;

no_cpu:
	vfree(vcpu->area);
no_area:
	dtv_map_inode_put(vcpu->inode);
no_inode:
	kvfree(vcpu);
	return ERR_PTR(err);
}

struct dtv_vcpu *dtv_vcpu_create(struct dtv_vm *vm, unsigned long id)
{
	struct dtv_vcpu *vcpu;

	mutex_lock(&vm->lock);
	vcpu = create_locked(vm, id);
	mutex_unlock(&vm->lock);
	return vcpu;
}

void dtv_vcpu_destroy(struct dtv_vcpu *vcpu)
{
	if (!vcpu)
		return;
	dtv_timer_cancel(vcpu);
	dtv_cpu_destroy(&vcpu->cpu);
	if (vcpu->task)
		put_task_struct(vcpu->task);
	vfree(vcpu->area);
	dtv_map_inode_put(vcpu->inode);
	kvfree(vcpu);
}

struct file *dtv_vcpu_file(struct dtv_vcpu *vcpu, const struct file_operations *fops)
{
	return dtv_map_file(vcpu->inode, "dtv-vcpu", fops, vcpu);
}

int dtv_vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	return dtv_map_mmap(file->private_data, vma);
}

/* --- kicks --- */

/* In the jail's context, before it goes back to user mode; or, when it dies, on its way out. */
static void kicked(struct callback_head *work)
{
	struct dtv_vcpu *vcpu = container_of(work, struct dtv_vcpu, kick_work);
	struct pt_regs *regs = task_pt_regs(current);
	struct dtv_vm *vm = vcpu->vm;

	clear_bit(KICK_QUEUED, &vcpu->kick_flags);
	/* Who finds the bit clear queues us again; what was asked before is seen below. */
	smp_mb__after_atomic();
	if (!(current->flags & PF_EXITING) && READ_ONCE(vcpu->cpu.in_guest)) {
		u64 ip = 0;

		/* In the signal stub the registers that matter are in its frame. */
		if (!dtv_jail_in_signal(vm, regs->ip))
			ip = dtv_cpu_kicked(&vcpu->cpu, regs->ip, regs->ax);

		if (ip)
			regs->ip = ip;
		else
			dtv_timer_again(vcpu);
	}
	dtv_vm_put(vm);
}

static void interrupt(struct dtv_vcpu *vcpu)
{
	if (test_and_set_bit(KICK_QUEUED, &vcpu->kick_flags))
		return;
	if (!dtv_vm_tryget(vcpu->vm))
		return;
	if (task_work_add(vcpu->task, &vcpu->kick_work, TWA_RESUME)) {
		/* The jail is dying: nobody has to be told. */
		clear_bit(KICK_QUEUED, &vcpu->kick_flags);
		dtv_vm_put(vcpu->vm);
		return;
	}
	kick_process(vcpu->task);
}

void dtv_vcpu_kick(struct dtv_vcpu *vcpu)
{
	/* What there is to see comes before in_guest and the wait queue are looked at. */
	smp_mb();
	if (READ_ONCE(vcpu->cpu.in_guest))
		interrupt(vcpu);
	/* The barrier above is the one that waitqueue_active() wants. */
	if (waitqueue_active(&vcpu->wait))
		wake_up(&vcpu->wait);
}

void dtv_host_kick(struct dtv_cpu *cpu)
{
	dtv_vcpu_kick(dtv_vcpu_of(cpu));
}

/*
 * Waits are mostly short: the other hart is interrupted and only has to reach the kernel. If its
 * task is not on a processor, ours may be needed; if it is stopped or frozen, we want to be idle,
 * and to be stopped and frozen too.
 */
bool dtv_host_relax(struct dtv_cpu *self, unsigned int tries)
{
	const unsigned int us = 2U << min(tries / 64, 9U);

	if (fatal_signal_pending(current))
		dtv_vm_kill(dtv_vcpu_of(self)->vm, "vcpu %u: jail killed", self->id);
	if (need_resched())
		cond_resched();
	else
		usleep_range(us, us * 4);
	return !signal_pending(current);
}

void dtv_vcpu_gone(struct dtv_vcpu *vcpu)
{
	unsigned int sig = 0;

	if (xchg(&vcpu->gone, true))
		return;
	WRITE_ONCE(vcpu->cpu.in_guest, 0);
	if (current == vcpu->task && current->flags & PF_EXITING)
		sig = current->exit_code & 0x7f;
	if (sig)
		dtv_vm_kill(vcpu->vm, "vcpu %u: jail killed by signal %u", vcpu->cpu.id, sig);
	else
		dtv_vm_kill(vcpu->vm, "vcpu %u: jail died", vcpu->cpu.id);
}

/* --- the run loop --- */

static void send_mmio(struct dtv_vcpu *vcpu)
{
	const struct dtv_mmio *mmio = &vcpu->cpu.mmio;
	const struct dtv_event event = {
		.type = DTV_EVENT_MMIO,
		.vcpu = vcpu->cpu.id,
		.id = ++vcpu->mmio_id,
		.addr = mmio->gpa,
		.data = mmio->write ? mmio->data : 0,
		.len = mmio->len,
		.write = mmio->write,
	};

	/* mmio_id is there before anybody compares it. */
	smp_store_release(&vcpu->mmio, DTV_VCPU_MMIO_SENT);
	/* There is room: the reserve is larger than the number of vCPUs. */
	if (!dtv_vm_post(vcpu->vm, &event, 0))
		dtv_vm_kill(vcpu->vm, "vcpu %u: event queue full", vcpu->cpu.id);
}

int dtv_vcpu_mmio_reply(struct dtv_vm *vm, const struct dtv_mmio_reply *reply)
{
	struct dtv_vcpu *vcpu;

	if (reply->vcpu >= DTV_VCPUS_MAX || reply->status > 1)
		return -EINVAL;
	vcpu = READ_ONCE(vm->vcpus[reply->vcpu]);
	if (!vcpu)
		return -EINVAL;
	/* Pairs with send_mmio(). */
	if (smp_load_acquire(&vcpu->mmio) != DTV_VCPU_MMIO_SENT || vcpu->mmio_id != reply->id)
		return -ENOENT;
	if (cmpxchg(&vcpu->mmio, DTV_VCPU_MMIO_SENT, DTV_VCPU_MMIO_TAKEN) != DTV_VCPU_MMIO_SENT)
		return -ENOENT;
	vcpu->cpu.mmio.data = reply->data;
	vcpu->cpu.mmio.failed = reply->status;
	/* Pairs with wait_mmio(): the answer is there. */
	smp_store_release(&vcpu->mmio, DTV_VCPU_MMIO_DONE);
	wake_up(&vcpu->wait);
	return 0;
}

static bool unheld(struct dtv_vm *vm)
{
	/* Pairs with dtv_vm_start(): the hart's state is there. */
	return !smp_load_acquire(&vm->hold) || dtv_vm_stopped(vm);
}

static bool answered(struct dtv_vcpu *vcpu)
{
	/* Pairs with dtv_vcpu_mmio_reply(). */
	return smp_load_acquire(&vcpu->mmio) == DTV_VCPU_MMIO_DONE || dtv_vm_stopped(vcpu->vm);
}

/*
 * Each of these returns non-zero when a signal is pending. Sleeps are
 * interruptible, not killable: an idle guest is no load, can be stopped, and
 * does not hold up the freezer.
 */
static int wait_unheld(struct dtv_vcpu *vcpu)
{
	struct dtv_vm *vm = vcpu->vm;

	return wait_event_interruptible(vm->hold_wait, unheld(vm));
}

static int wait_runnable(struct dtv_vcpu *vcpu)
{
	return wait_event_interruptible(vcpu->wait,
					dtv_cpu_runnable(&vcpu->cpu) || dtv_vm_stopped(vcpu->vm));
}

static int wait_mmio(struct dtv_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->mmio) == DTV_VCPU_MMIO_NONE)
		send_mmio(vcpu);
	return wait_event_interruptible(vcpu->wait, answered(vcpu));
}

/* Enter translated code, if nothing speaks against it: see the head of this file. */
static bool go(struct dtv_vcpu *vcpu)
{
	struct dtv_cpu *cpu = &vcpu->cpu;

	WRITE_ONCE(cpu->in_guest, 1);
	/* Pairs with who asks for something and then looks at in_guest. */
	smp_mb();
	if (likely(!dtv_cpu_pending(cpu) && !READ_ONCE(vcpu->vm->hold) &&
		   !dtv_vm_stopped(vcpu->vm)))
		return true;
	WRITE_ONCE(cpu->in_guest, 0);
	return false;
}

/* One step. Return: 1: to translated code; 0: go on with vcpu->action; negative: a signal. */
static int step(struct dtv_vcpu *vcpu)
{
	struct dtv_cpu *cpu = &vcpu->cpu;

	cond_resched();
	if (unlikely(vcpu->trim))
		dtv_jail_trim(vcpu);
	switch (vcpu->action) {
	case DTV_RUN:
		if (!vcpu->parked && go(vcpu))
			return 1;
		vcpu->parked = true;
		/* A guest can keep its hart busy here for ever. */
		if (signal_pending(current) || wait_unheld(vcpu))
			return -ERESTARTNOINTR;
		break;
	case DTV_WAIT:
		if (signal_pending(current) || wait_runnable(vcpu))
			return -ERESTARTNOINTR;
		break;
	case DTV_MMIO:
		if (wait_mmio(vcpu))
			return -ERESTARTNOINTR;
		break;
	case DTV_STOP:
		break;
	}
	if (dtv_vm_stopped(vcpu->vm) || vcpu->action == DTV_STOP) {
		send_sig(SIGKILL, current, 1);
		return 1;
	}
	if (vcpu->action == DTV_MMIO) {
		vcpu->mmio = DTV_VCPU_MMIO_NONE;
		vcpu->action = dtv_cpu_mmio_done(cpu);
	} else {
		vcpu->action = dtv_cpu_continue(cpu);
	}
	vcpu->parked = false;
	return 0;
}

long dtv_vcpu_exit(struct dtv_vcpu *vcpu)
{
	struct dtv_area *area = vcpu->area;
	int ret;

	if (current != vcpu->task || !vcpu->jailed)
		return -EPERM;
	if (!vcpu->parked)
		vcpu->action = dtv_cpu_exit(&vcpu->cpu);
	do {
		ret = step(vcpu);
	} while (!ret);
	/* For the stub that goes on: who wrote the area meanwhile may have overwritten it. */
	area->hart.exit_fd = vcpu->fd;
	area->hart.exit_cmd = DTV_VCPU_EXIT;
	/* The next call is the interrupted wait again, not an exit of translated code. */
	vcpu->parked = ret < 0;
	return ret < 0 ? ret : 0;
}

void dtv_host_trace(struct dtv_cpu *cpu, enum dtv_trace what, u64 a, u64 b)
{
	const u32 vm = dtv_vcpu_of(cpu)->vm->id;

	switch (what) {
	case DTV_TRACE_EXIT:
		trace_vcpu_exit(vm, cpu->id, a, b);
		break;
	case DTV_TRACE_BLOCK:
		trace_block_translated(vm, cpu->id, a, b >> 32, (u32)b);
		break;
	case DTV_TRACE_MISS:
		trace_view_miss(vm, cpu->id, a, b);
		break;
	case DTV_TRACE_TRAP:
		trace_guest_trap(vm, cpu->id, a, b);
		break;
	case DTV_TRACE_MMIO:
		trace_mmio(vm, cpu->id, a, b & 0xff, (b >> 8) & 1);
		break;
	}
}
