// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm.c - life and death of guests; see vm.h for lifetimes and locks.
 */
#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/wait_bit.h>

#include "guest/isa.h"
#include "jail.h"
#include "mmu/slots.h"
#include "netlink.h"
#include "trace.h"
#include "vcpu.h"
#include "vm.h"

static DEFINE_MUTEX(dtv_vms_lock);
static LIST_HEAD(dtv_vms); /* ascending by id */
static u32 last_id;
static atomic_t nr_vms;
static struct workqueue_struct *queue;

static void stop_work(struct work_struct *work);
static void free_work(struct work_struct *work);

int dtv_vm_subsys_init(void)
{
	queue = alloc_workqueue("dtv", WQ_UNBOUND, 0);
	return queue ? 0 : -ENOMEM;
}

void dtv_vm_subsys_exit(void)
{
	wait_var_event(&nr_vms, !atomic_read(&nr_vms));
	destroy_workqueue(queue);
	/* A kick that dropped a VM's last reference may be at its last instructions. */
	synchronize_rcu_tasks();
}

/* Memory for the portable parts. */
void *dtv_host_alloc(size_t bytes)
{
	return kvzalloc(bytes, DTV_GFP_TABLE);
}

void dtv_host_free(void *p, size_t bytes)
{
	kvfree(p);
}

static bool valid_name(const char *name)
{
	size_t i, len = strnlen(name, DTV_NAME_MAX + 1);

	if (!len || len > DTV_NAME_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (!isascii(name[i]) || (!isalnum(name[i]) && !strchr("._-", name[i])))
			return false;
	return true;
}

static int enlist(struct dtv_vm *vm)
{
	struct dtv_vm *other;
	int err = 0;

	mutex_lock(&dtv_vms_lock);
	list_for_each_entry(other, &dtv_vms, node)
		if (!strcmp(other->name, vm->name))
			err = -EEXIST;
	if (!err) {
		vm->id = ++last_id;
		list_add_tail(&vm->node, &dtv_vms);
	}
	mutex_unlock(&dtv_vms_lock);
	return err;
}

static void delist(struct dtv_vm *vm)
{
	mutex_lock(&dtv_vms_lock);
	list_del_init(&vm->node);
	mutex_unlock(&dtv_vms_lock);
}

static void set_owner(struct dtv_vm *vm)
{
	vm->owner = get_pid(task_tgid(current));
	vm->user = get_current_user();
	vm->mm = current->mm;
	mmgrab(vm->mm);
	vm->memlock = ~0ULL;
	if (!capable(CAP_IPC_LOCK) && rlimit(RLIMIT_MEMLOCK) != RLIM_INFINITY)
		vm->memlock = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
}

static void put_owner(struct dtv_vm *vm)
{
	mmdrop(vm->mm);
	free_uid(vm->user);
	put_pid(vm->owner);
}

static char *no_opt = "";
module_param(no_opt, charp, 0400);
MODULE_PARM_DESC(no_opt, "Optimizations to leave out, for bisecting: names in dbt/opt.h");

static int init_core(struct dtv_vm *vm)
{
	struct dtv_dbt_config cfg = {
		.exec = DTV_JAIL_CACHE,
		.size = dtv_jail_cache_size(vm),
		.exit_jump = false,
	};
	int err;

	if (!dtv_opts_parse(no_opt, &cfg.no_opt))
		return -EINVAL;
	vm->cache = __vmalloc(vm->cache_size, DTV_GFP_TABLE | __GFP_ZERO);
	if (!vm->cache)
		return -ENOMEM;
	cfg.rw = vm->cache;
	dtv_jail_init_cache(vm);
	err = dtv_vm_core_init(&vm->core, &cfg);
	if (err)
		vfree(vm->cache);
	return err;
}

struct dtv_vm *dtv_vm_create(const struct dtv_create_vm *args)
{
	u64 cache = args->cache_size ?: DTV_CACHE_SIZE_DEFAULT;
	struct dtv_vm *vm;
	int err;

	if (!valid_name(args->name) || args->flags || args->reserved)
		return ERR_PTR(-EINVAL);
	if (cache & ~PAGE_MASK || cache < DTV_CACHE_SIZE_MIN || cache > DTV_CACHE_SIZE_MAX)
		return ERR_PTR(-EINVAL);
	vm = kvzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	kref_init(&vm->ref);
	strscpy(vm->name, args->name, sizeof(vm->name));
	INIT_LIST_HEAD(&vm->node);
	INIT_LIST_HEAD(&vm->irqfds);
	mutex_init(&vm->lock);
	spin_lock_init(&vm->event_lock);
	init_waitqueue_head(&vm->event_wait);
	init_waitqueue_head(&vm->space_wait);
	init_waitqueue_head(&vm->hold_wait);
	INIT_WORK(&vm->stop_work, stop_work);
	INIT_WORK(&vm->free_work, free_work);
	dtv_clock_init(vm);
	vm->state = DTV_VM_CREATED;
	vm->hold = true;
	vm->cache_size = cache;
	err = init_core(vm);
	if (err)
		goto no_core;
	set_owner(vm);
	err = enlist(vm);
	if (err)
		goto no_name;
	atomic_inc(&nr_vms);
	trace_vm_created(vm->id, vm->name);
	dtv_netlink_event(vm, DTV_VM_CREATED);
	return vm;

no_name:
	put_owner(vm);
	dtv_vm_core_destroy(&vm->core);
	vfree(vm->cache);
no_core:
	kvfree(vm);
	return ERR_PTR(err);
}

static void free_work(struct work_struct *work)
{
	struct dtv_vm *vm = container_of(work, struct dtv_vm, free_work);
	unsigned int i;

	for (i = 0; i < DTV_VCPUS_MAX; i++)
		dtv_vcpu_destroy(vm->vcpus[i]);
	dtv_vm_core_destroy(&vm->core);
	vfree(vm->cache);
	dtv_slots_release(vm);
	put_owner(vm);
	kvfree(vm);
	if (atomic_dec_and_test(&nr_vms))
		wake_up_var(&nr_vms);
}

static void release(struct kref *ref)
{
	struct dtv_vm *vm = container_of(ref, struct dtv_vm, ref);

	queue_work(queue, &vm->free_work);
}

void dtv_vm_get(struct dtv_vm *vm)
{
	kref_get(&vm->ref);
}

bool dtv_vm_tryget(struct dtv_vm *vm)
{
	return kref_get_unless_zero(&vm->ref);
}

void dtv_vm_put(struct dtv_vm *vm)
{
	kref_put(&vm->ref, release);
}

void dtv_vm_orphan(struct dtv_vm *vm)
{
	dtv_vm_kill(vm, "owner closed");
	/* Let the stop end with the VM still in the list, for who looks it up on the event. */
	flush_work(&vm->stop_work);
	mutex_lock(&vm->lock);
	dtv_irqfd_release_all(vm);
	mutex_unlock(&vm->lock);
	delist(vm);
}

/* --- the end --- */

void dtv_vm_kill(struct dtv_vm *vm, const char *why, ...)
{
	char reason[DTV_REASON_MAX + 1];
	unsigned long flags;
	bool first;
	va_list ap;

	va_start(ap, why);
	vscnprintf(reason, sizeof(reason), why, ap);
	va_end(ap);
	spin_lock_irqsave(&vm->event_lock, flags);
	first = !vm->core.stopped;
	if (first) {
		strscpy(vm->reason, reason, sizeof(vm->reason));
		WRITE_ONCE(vm->core.stopped, true);
	}
	spin_unlock_irqrestore(&vm->event_lock, flags);
	if (first) {
		dtv_vm_get(vm);
		queue_work(queue, &vm->stop_work);
	}
}

void dtv_host_kill(struct dtv_vm_core *core, const char *why)
{
	dtv_vm_kill(dtv_vm_of(core), "%s", why);
}

void dtv_host_ended(struct dtv_vm_core *core, u64 n)
{
	dtv_vm_kill(dtv_vm_of(core), "ended after %llu instructions", n);
}

static void stop_work(struct work_struct *work)
{
	struct dtv_vm *vm = container_of(work, struct dtv_vm, stop_work);
	const struct dtv_event event = { .type = DTV_EVENT_STOPPED };
	unsigned int i;

	mutex_lock(&vm->lock);
	WRITE_ONCE(vm->state, DTV_VM_STOPPED);
	WRITE_ONCE(vm->hold, false);
	dtv_clock_stop(vm);
	for (i = 0; i < DTV_VCPUS_MAX; i++) {
		struct dtv_vcpu *vcpu = vm->vcpus[i];

		if (!vcpu)
			continue;
		wake_up_all(&vcpu->wait);
		if (vcpu->task)
			send_sig(SIGKILL, vcpu->task, 1);
	}
	mutex_unlock(&vm->lock);
	wake_up_all(&vm->hold_wait);
	wake_up_all(&vm->space_wait);
	trace_vm_stopped(vm->id, vm->name, vm->reason);
	dtv_netlink_event(vm, DTV_VM_STOPPED);
	dtv_vm_post(vm, &event, 0);
	dtv_vm_put(vm);
}

/* --- events --- */

bool dtv_vm_post(struct dtv_vm *vm, const struct dtv_event *event, unsigned int reserve)
{
	unsigned long flags;
	bool room;

	spin_lock_irqsave(&vm->event_lock, flags);
	room = vm->event_head - vm->event_tail < DTV_EVENTS - reserve;
	if (room)
		vm->events[vm->event_head++ % DTV_EVENTS] = *event;
	spin_unlock_irqrestore(&vm->event_lock, flags);
	if (room)
		wake_up_interruptible(&vm->event_wait);
	return room;
}

bool dtv_vm_has_event(struct dtv_vm *vm)
{
	return READ_ONCE(vm->event_head) != READ_ONCE(vm->event_tail) || READ_ONCE(vm->eof);
}

int dtv_vm_next_event(struct dtv_vm *vm, struct dtv_event *event)
{
	int got = 1;

	spin_lock_irq(&vm->event_lock);
	if (vm->event_head != vm->event_tail) {
		*event = vm->events[vm->event_tail++ % DTV_EVENTS];
		if (event->type == DTV_EVENT_STOPPED)
			WRITE_ONCE(vm->eof, true);
	} else {
		got = vm->eof ? 0 : -EAGAIN;
	}
	spin_unlock_irq(&vm->event_lock);
	if (got == 1 && wq_has_sleeper(&vm->space_wait))
		wake_up(&vm->space_wait);
	return got;
}

void dtv_host_reset(struct dtv_vm_core *core, u32 type, u32 reason)
{
	struct dtv_vm *vm = dtv_vm_of(core);
	const struct dtv_event event = {
		.type = DTV_EVENT_RESET,
		.addr = type,
		.data = reason,
	};

	dtv_vm_post(vm, &event, 0);
	dtv_vm_kill(vm, "guest: %s%s", type ? "reset" : "poweroff",
		    reason == 1 ? " after a system failure" : "");
}

size_t dtv_host_console_write(struct dtv_vm_core *core, const void *buf, size_t n)
{
	struct dtv_vm *vm = dtv_vm_of(core);
	const u8 *p = buf;
	size_t done, i;

	for (done = 0; done < n; done += i) {
		struct dtv_event event = { .type = DTV_EVENT_CONSOLE };

		for (i = 0; i < 8 && done + i < n; i++)
			event.data |= (u64)p[done + i] << (8 * i);
		event.len = i;
		/* The reader may be frozen before us. */
		if (wait_event_state(vm->space_wait,
				     dtv_vm_post(vm, &event, DTV_EVENTS_RESERVED) ||
					     dtv_vm_stopped(vm),
				     (TASK_KILLABLE | TASK_FREEZABLE)))
			break;
		if (dtv_vm_stopped(vm))
			break;
	}
	return done;
}

/* The console's input is the UART's: the debug console has none. */
size_t dtv_host_console_read(struct dtv_vm_core *core, void *buf, size_t n)
{
	return 0;
}

/* --- ioctls --- */

int dtv_vm_set_memory(struct dtv_vm *vm, const struct dtv_memory *mem)
{
	return dtv_slots_add(vm, mem, false);
}

int dtv_vm_set_rom(struct dtv_vm *vm, const struct dtv_memory *mem)
{
	return dtv_slots_add(vm, mem, true);
}

int dtv_vm_show_rom(struct dtv_vm *vm, const struct dtv_show *show)
{
	return dtv_slots_show(vm, show);
}

int dtv_vm_set_isa(struct dtv_vm *vm, const struct dtv_isa *isa)
{
	char why[128];
	u64 bits;
	int err;

	if (strnlen(isa->isa, sizeof(isa->isa)) == sizeof(isa->isa) ||
	    dtv_isa_parse(isa->isa, &bits, why, sizeof(why)))
		return -EINVAL;
	mutex_lock(&vm->lock);
	if (dtv_vm_stopped(vm))
		err = -ESHUTDOWN;
	else
		err = dtv_vm_core_set_isa(&vm->core, bits);
	mutex_unlock(&vm->lock);
	return err;
}

int dtv_vm_set_limit(struct dtv_vm *vm, const struct dtv_limit *limit)
{
	int err;

	BUILD_BUG_ON(DTV_LIMIT_MAX != DTV_INSNS_MAX);
	if (limit->flags || limit->reserved)
		return -EINVAL;
	mutex_lock(&vm->lock);
	if (dtv_vm_stopped(vm))
		err = -ESHUTDOWN;
	else
		err = dtv_vm_core_limit(&vm->core, limit->instructions);
	mutex_unlock(&vm->lock);
	return err;
}

int dtv_vm_set_entry(struct dtv_vm *vm, const struct dtv_entry *entry)
{
	int err = 0;

	if (entry->pc & 1 || entry->flags & ~DTV_ENTRY_M_MODE || entry->reserved)
		return -EINVAL;
	mutex_lock(&vm->lock);
	if (dtv_vm_stopped(vm)) {
		err = -ESHUTDOWN;
	} else if (vm->state != DTV_VM_CREATED) {
		err = -EBUSY;
	} else {
		vm->entry = *entry;
		vm->entered = true;
	}
	mutex_unlock(&vm->lock);
	return err;
}

static int may_start(struct dtv_vm *vm)
{
	if (dtv_vm_stopped(vm))
		return -ESHUTDOWN;
	if (vm->state != DTV_VM_CREATED)
		return -EALREADY;
	if (!vm->vcpus[0] || !vm->nr_slots || !vm->entered)
		return -EINVAL;
	return 0;
}

int dtv_vm_start(struct dtv_vm *vm)
{
	unsigned int i;
	int err;

	mutex_lock(&vm->lock);
	err = may_start(vm);
	if (err)
		goto out;
	vm->core.sbi = !(vm->entry.flags & DTV_ENTRY_M_MODE);
	for (i = 0; i < DTV_VCPUS_MAX && vm->vcpus[i]; i++) {
		dtv_cpu_reset(&vm->vcpus[i]->cpu, vm->entry.pc, vm->entry.a1,
			      i == 0 || !vm->core.sbi);
		vm->vcpus[i]->cpu.area->hart.x[12] = vm->entry.a2;
	}
	WRITE_ONCE(vm->state, DTV_VM_RUNNING);
	dtv_clock_start(vm);
	/* Pairs with the acquire of who finds it false and looks at a hart. */
	smp_store_release(&vm->hold, false);
	wake_up_all(&vm->hold_wait);
	dtv_netlink_event(vm, DTV_VM_RUNNING);
out:
	mutex_unlock(&vm->lock);
	return err;
}

/*
 * Wait until no hart is in translated code. A jail that is not on a processor
 * (stopped by a signal, frozen) cannot leave it, and does not run it either: do not wait for ever.
 */
static void wait_for_harts(struct dtv_vm *vm)
{
	const unsigned long end = jiffies + HZ;
	unsigned int i;

	for (i = 0; i < DTV_VCPUS_MAX && vm->vcpus[i]; i++) {
		const struct dtv_cpu *cpu = &vm->vcpus[i]->cpu;

		while (READ_ONCE(cpu->in_guest) && time_before(jiffies, end) &&
		       !fatal_signal_pending(current))
			usleep_range(50, 200);
	}
}

int dtv_vm_pause(struct dtv_vm *vm)
{
	unsigned int i;
	int err = 0;

	mutex_lock(&vm->lock);
	if (dtv_vm_stopped(vm)) {
		err = -ESHUTDOWN;
	} else if (vm->state == DTV_VM_PAUSED) {
		err = -EALREADY;
	} else if (vm->state != DTV_VM_RUNNING) {
		err = -EINVAL;
	} else {
		WRITE_ONCE(vm->state, DTV_VM_PAUSED);
		WRITE_ONCE(vm->hold, true);
		dtv_clock_stop(vm);
		for (i = 0; i < DTV_VCPUS_MAX && vm->vcpus[i]; i++)
			dtv_cpu_request(&vm->vcpus[i]->cpu, DTV_REQ_LEAVE);
		wait_for_harts(vm);
		dtv_netlink_event(vm, DTV_VM_PAUSED);
	}
	mutex_unlock(&vm->lock);
	return err;
}

int dtv_vm_unpause(struct dtv_vm *vm)
{
	unsigned int i;
	int err = 0;

	mutex_lock(&vm->lock);
	if (dtv_vm_stopped(vm)) {
		err = -ESHUTDOWN;
	} else if (vm->state == DTV_VM_RUNNING) {
		err = -EALREADY;
	} else if (vm->state != DTV_VM_PAUSED) {
		err = -EINVAL;
	} else {
		WRITE_ONCE(vm->state, DTV_VM_RUNNING);
		dtv_clock_start(vm);
		for (i = 0; i < DTV_VCPUS_MAX && vm->vcpus[i]; i++)
			dtv_timer_rearm(vm->vcpus[i]);
		/* As in dtv_vm_start(). */
		smp_store_release(&vm->hold, false);
		wake_up_all(&vm->hold_wait);
		dtv_netlink_event(vm, DTV_VM_RUNNING);
	}
	mutex_unlock(&vm->lock);
	return err;
}

int dtv_vm_irq_line(struct dtv_vm *vm, const struct dtv_irq_level *level)
{
	if (!level->irq || level->irq >= DTV_IRQS_MAX || level->level > 1)
		return -EINVAL;
	dtv_plic_set_level(&vm->core.plic, level->irq, level->level);
	return 0;
}

/* A range may be all of a large guest's memory. */
static int written(struct dtv_vm *vm, gpa_t gpa, u64 size)
{
	const u64 most = 16ULL << 20;

	while (size) {
		u64 n = min(size, most);

		dtv_vm_memory_written(&vm->core, gpa, n);
		gpa += n;
		size -= n;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

int dtv_vm_written(struct dtv_vm *vm, const struct dtv_range *range)
{
	/* Pairs with dtv_slots_add(). */
	unsigned int i, nr = smp_load_acquire(&vm->nr_slots);

	for (i = 0; i < nr; i++) {
		const struct dtv_slot *slot = &vm->slots[i];
		u64 size = slot->pages << PAGE_SHIFT;

		if (range->gpa < slot->gpa || range->gpa - slot->gpa >= size)
			continue;
		if (!range->size || range->size > size - (range->gpa - slot->gpa))
			break;
		return written(vm, range->gpa, range->size);
	}
	return -EINVAL;
}

static unsigned int count_vcpus(struct dtv_vm *vm)
{
	unsigned int n = 0;

	while (n < DTV_VCPUS_MAX && READ_ONCE(vm->vcpus[n]))
		n++;
	return n;
}

void dtv_vm_get_state(struct dtv_vm *vm, struct dtv_state *state)
{
	memset(state, 0, sizeof(*state));
	state->vcpus = count_vcpus(vm);
	spin_lock_irq(&vm->event_lock);
	state->state = vm->core.stopped ? DTV_VM_STOPPED : READ_ONCE(vm->state);
	strscpy(state->reason, vm->reason, sizeof(state->reason));
	spin_unlock_irq(&vm->event_lock);
}

void dtv_vm_get_stats(struct dtv_vm *vm, struct dtv_stats *stats)
{
	const struct dtv_dbt *dbt = &vm->core.dbt;
	unsigned int i, e, n = count_vcpus(vm);

	BUILD_BUG_ON(ARRAY_SIZE(stats->exits) != (int)DTV_NR_EXITS);
	memset(stats, 0, sizeof(*stats));
	for (i = 0; i < n; i++) {
		const u64 *c = vm->vcpus[i]->cpu.counters;

		for (e = 0; e < DTV_NR_EXITS; e++)
			stats->exits[e] += READ_ONCE(c[DTV_COUNTER_EXITS + e]);
		stats->misses += READ_ONCE(c[DTV_COUNTER_MISSES]);
		stats->traps += READ_ONCE(c[DTV_COUNTER_TRAPS]);
		stats->mmio += READ_ONCE(c[DTV_COUNTER_MMIO]);
	}
	stats->blocks = READ_ONCE(dbt->stat_blocks);
	stats->guest_bytes = READ_ONCE(dbt->stat_guest_bytes);
	stats->host_bytes = READ_ONCE(dbt->stat_host_bytes);
	stats->invalidated = READ_ONCE(dbt->stat_invalidated);
	stats->flushes = READ_ONCE(dbt->stat_flushes) + READ_ONCE(dbt->stat_evictions);
	stats->cache_used = dtv_dbt_used(dbt);
	stats->pinned = (u64)atomic64_read(&vm->pinned) << PAGE_SHIFT;
}

int dtv_vm_for_each(u32 first, int (*fn)(struct dtv_vm *vm, void *arg), void *arg)
{
	struct dtv_vm *vm;
	int ret = 0;

	mutex_lock(&dtv_vms_lock);
	list_for_each_entry(vm, &dtv_vms, node) {
		if (vm->id < first)
			continue;
		ret = fn(vm, arg);
		if (ret)
			break;
	}
	mutex_unlock(&dtv_vms_lock);
	return ret;
}
