/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm.h - a guest: its memory, its state, its events, its end.
 *
 * Lifetime. A VM is freed with its last reference: the VM file has one, each
 * vCPU file has one (the mappings of a jail hold its file), and so has each
 * piece of deferred work. vCPUs are part of the VM and are freed with it.
 *
 * Locks, outermost first (Documentation/locking.rst has the reasons):
 *   dtv_vms_lock (mutex)      the list of VMs, uniqueness of names
 *   vm->lock (mutex)          configuration and changes of state
 *   mmap_lock of a jail       held when view faults arrive
 *   locks of the portable code: mmu, translator, request and PLIC locks
 *   i_mmap_rwsem of a vCPU    inside zaps
 *   vm->event_lock (spin, irq) the event queue and the reason; innermost
 */
#ifndef DTV_VM_H
#define DTV_VM_H

#include <linux/gfp.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/dtv.h>

#include "hart.h"

struct dtv_vcpu;
struct file;
struct mm_struct;
struct page;
struct pid;
struct user_struct;

/* Records that read() has not fetched yet. A vCPU that waits needs one at most. */
#define DTV_EVENTS 256
#define DTV_EVENTS_RESERVED (2 * DTV_VCPUS_MAX)

/*
 * Of memory whose size a caller chooses: charged to its control group, and when it is too much the
 * caller gets an error, and not somebody else the out-of-memory killer.
 */
#define DTV_GFP_TABLE (GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

#define DTV_CACHE_SIZE_MIN (1ULL << 20)
#define DTV_CACHE_SIZE_MAX (1ULL << 30)
#define DTV_CACHE_SIZE_DEFAULT (32ULL << 20)

/**
 * struct dtv_slot - a range of guest RAM or ROM
 * @gpa: first address
 * @pages: number of pages
 * @pgoff: page offset in @file
 * @file: the memfd
 * @page: by index in the slot: the pinned page, NULL while untouched; set once by cmpxchg
 * @rom: stores are a device's
 * @hidden: of ROM: loads are, too
 */
struct dtv_slot {
	gpa_t gpa;
	u64 pages;
	pgoff_t pgoff;
	struct file *file;
	struct page **page;
	bool rom;
	bool hidden;
};

/**
 * struct dtv_vm - a guest
 * @core: what the portable code knows of it
 * @ref: see the head of this file
 * @id: number, unique since the module was loaded
 * @name: NUL-terminated
 * @node: in the list of VMs while the VM file is open; dtv_vms_lock
 * @lock: configuration, state
 * @state: enum dtv_vm_state; written under @lock, read anywhere
 * @hold: vCPUs stay out of translated code: not started yet, or paused
 * @entered: DTV_SET_ENTRY was called; @lock
 * @entry: its argument
 * @vcpus: by hart id; written under @lock before the VM starts
 * @nr_slots: valid elements of @slots, published with release
 * @slots: guest RAM and ROM
 * @cache: the code cache, writable in the kernel alone
 * @cache_size: bytes
 * @pinned: pages of RAM that are pinned and charged
 * @memlock: most pages that may be pinned, from the owner's RLIMIT_MEMLOCK; ~0: no limit
 * @user: who is charged
 * @mm: the owner's, for its pinned_vm
 * @owner: the process that made the VM
 * @event_lock: the members below it
 * @events: ring of records
 * @event_head: records written
 * @event_tail: records read
 * @reason: why the VM stopped; set once
 * @eof: DTV_EVENT_STOPPED was read: nothing follows
 * @event_wait: readers of the VM fd
 * @space_wait: console writers that found the ring full
 * @hold_wait: vCPUs that wait for @hold to end
 * @stop_work: the sleeping part of a stop
 * @free_work: the end, for references that are dropped where one cannot sleep
 * @clock_seq: @clock_base, @clock_paused
 * @clock_base: host time (ns) of guest time 0
 * @clock_paused: guest time (ns) while the clock stands; ~0: it runs
 * @irqfds: eventfds that raise interrupts; @lock
 */
struct dtv_vm {
	struct dtv_vm_core core;
	struct kref ref;
	u32 id;
	char name[DTV_NAME_MAX + 1];
	struct list_head node;

	struct mutex lock;
	u32 state;
	bool hold;
	bool entered;
	struct dtv_entry entry;
	struct dtv_vcpu *vcpus[DTV_VCPUS_MAX];
	unsigned int nr_slots;
	struct dtv_slot slots[DTV_SLOTS_MAX];
	void *cache;
	u64 cache_size;

	atomic64_t pinned;
	u64 memlock;
	struct user_struct *user;
	struct mm_struct *mm;
	struct pid *owner;

	spinlock_t event_lock;
	struct dtv_event events[DTV_EVENTS];
	u32 event_head, event_tail;
	char reason[DTV_REASON_MAX + 1];
	bool eof;
	wait_queue_head_t event_wait;
	wait_queue_head_t space_wait;
	wait_queue_head_t hold_wait;
	struct work_struct stop_work;
	struct work_struct free_work;

	seqlock_t clock_seq;
	u64 clock_base;
	u64 clock_paused;

	struct list_head irqfds;
};

static inline struct dtv_vm *dtv_vm_of(struct dtv_vm_core *core)
{
	return container_of(core, struct dtv_vm, core);
}

int dtv_vm_subsys_init(void);
void dtv_vm_subsys_exit(void);

/**
 * dtv_vm_create() - make a VM owned by the calling process
 * @args: from user space, unchecked
 *
 * Return: the VM with one reference, or ERR_PTR: -EINVAL for a bad name, size or
 * non-zero reserved member, -EEXIST when the name is taken, -ENOMEM.
 * Context: process, sleeps.
 */
struct dtv_vm *dtv_vm_create(const struct dtv_create_vm *args);

/* References. dtv_vm_tryget(): for who only knows that the memory is there. Context: any. */
void dtv_vm_get(struct dtv_vm *vm);
bool dtv_vm_tryget(struct dtv_vm *vm);
void dtv_vm_put(struct dtv_vm *vm);

/* The last VM fd was closed: stop, leave the list. Does not drop the caller's reference. */
void dtv_vm_orphan(struct dtv_vm *vm);

/* The ioctls of these names; Documentation/api.rst has the errors. Context: process, sleep. */
int dtv_vm_set_memory(struct dtv_vm *vm, const struct dtv_memory *mem);
int dtv_vm_set_rom(struct dtv_vm *vm, const struct dtv_memory *mem);
int dtv_vm_show_rom(struct dtv_vm *vm, const struct dtv_show *show);
int dtv_vm_set_isa(struct dtv_vm *vm, const struct dtv_isa *isa);
int dtv_vm_set_limit(struct dtv_vm *vm, const struct dtv_limit *limit);
int dtv_vm_set_entry(struct dtv_vm *vm, const struct dtv_entry *entry);
int dtv_vm_start(struct dtv_vm *vm);
int dtv_vm_pause(struct dtv_vm *vm);
int dtv_vm_unpause(struct dtv_vm *vm);
int dtv_vm_irq_line(struct dtv_vm *vm, const struct dtv_irq_level *level);
int dtv_vm_written(struct dtv_vm *vm, const struct dtv_range *range);
void dtv_vm_get_state(struct dtv_vm *vm, struct dtv_state *state);
void dtv_vm_get_stats(struct dtv_vm *vm, struct dtv_stats *stats);

/**
 * dtv_vm_kill() - stop a VM; the first reason wins
 * @vm: VM
 * @why: printf format of the reason, cut at DTV_REASON_MAX bytes
 *
 * The vCPUs see it at once, the rest (events, end of the jails) follows from a work queue.
 *
 * Context: any.
 */
__printf(2, 3) void dtv_vm_kill(struct dtv_vm *vm, const char *why, ...);

static inline bool dtv_vm_stopped(struct dtv_vm *vm)
{
	return READ_ONCE(vm->core.stopped);
}

/**
 * dtv_vm_post() - queue a record for the VM fd
 * @vm: VM
 * @event: record
 * @reserve: records to leave free: 0 for one that must arrive
 *
 * Return: false when the queue is full.
 * Context: any.
 */
bool dtv_vm_post(struct dtv_vm *vm, const struct dtv_event *event, unsigned int reserve);

/**
 * dtv_vm_next_event() - take a record from the queue
 * @vm: VM
 * @event: filled
 *
 * Return: 1; 0 when none will come any more; -EAGAIN when there is none now.
 * Context: any.
 */
int dtv_vm_next_event(struct dtv_vm *vm, struct dtv_event *event);
bool dtv_vm_has_event(struct dtv_vm *vm);

/**
 * dtv_vm_for_each() - call a function for each VM in the list, in order of ids
 * @first: smallest id to show
 * @fn: called with the list locked; a non-zero result ends the walk and is returned
 * @arg: handed on
 *
 * Context: process, sleeps.
 */
int dtv_vm_for_each(u32 first, int (*fn)(struct dtv_vm *vm, void *arg), void *arg);

/* irq/timer.c: guest time in ticks, and when such a time is, in ns of CLOCK_MONOTONIC. */
void dtv_clock_init(struct dtv_vm *vm);
void dtv_clock_stop(struct dtv_vm *vm);
void dtv_clock_start(struct dtv_vm *vm);
u64 dtv_clock_now(struct dtv_vm *vm);

/* irq/irqfd.c. Context: process, sleep; the first under vm->lock. */
int dtv_irqfd(struct dtv_vm *vm, const struct dtv_irqfd *args);
void dtv_irqfd_release_all(struct dtv_vm *vm);
int dtv_irqfd_subsys_init(void);
void dtv_irqfd_subsys_exit(void);

#endif /* DTV_VM_H */
