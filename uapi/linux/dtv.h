/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * dtv: run RISC-V 64 machines by dynamic binary translation.
 *
 * How the pieces are used
 *
 *   A process opens /dev/dtv, asks DTV_GET_API_VERSION, and makes a VM with
 *   DTV_CREATE_VM. On the VM fd it adds memory slots (parts of a sealed
 *   memfd), vCPUs (DTV_CREATE_VCPU, an fd each) and the entry state of hart 0
 *   (DTV_SET_ENTRY). The VM belongs to that process: its pages are accounted
 *   there, and when the last VM fd is closed the VM stops.
 *
 *   For each vCPU it then forks a child that closes everything but the vCPU fd,
 *   gives up its rights, installs a seccomp filter that leaves ioctl,
 *   rt_sigreturn and exit_group, and calls DTV_VCPU_ENTER. That ioctl does not
 *   return: it removes the whole address space of the caller, maps the views,
 *   the code cache and the vCPU area, and continues in translated code (the
 *   jail). The vCPU runs until the VM stops or the jail is killed.
 *
 *   Accesses to guest physical addresses that are neither RAM nor a device of
 *   the module are queued; so are stores to ROM (DTV_SET_ROM). read() on the VM fd
 *   returns struct dtv_event records; each DTV_EVENT_MMIO is answered with
 *   DTV_MMIO_REPLY (reads and writes alike; the vCPU waits for it). poll() tells
 *   when records are there.
 *
 *   Devices raise their interrupt with DTV_IRQ_LINE, or by an eventfd (DTV_IRQFD).
 */
#ifndef _UAPI_LINUX_DTV_H
#define _UAPI_LINUX_DTV_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DTV_API_VERSION 1

#define DTV_DEVICE "/dev/dtv"
#define DTV_NAME_MAX 63 /* bytes in a guest's name, without the terminating 0 */
#define DTV_VCPUS_MAX 32
#define DTV_SLOTS_MAX 8
#define DTV_IRQS_MAX 96 /* PLIC sources 1..95 */

/* The machine: QEMU's virt memory map, the parts that the module answers itself. */
#define DTV_GPA_PLIC 0x0c000000ULL
#define DTV_GPA_PLIC_SIZE 0x00600000ULL
#define DTV_GPA_RAM 0x80000000ULL
#define DTV_TIMEBASE_HZ 10000000

/* DTV_CHECK_CAP arguments; the answer is 0 (no) or a positive number. */
#define DTV_CAP_VCPUS 1 /* most vCPUs a VM can have */
#define DTV_CAP_SLOTS 2 /* most memory slots */
#define DTV_CAP_VIEWS 3 /* views of a jail */
#define DTV_CAP_SV48 4 /* Sv48 guests fit */
#define DTV_CAP_SBI 5 /* version of the built-in SBI: major << 24 | minor */
#define DTV_CAP_IRQFD 6
#define DTV_CAP_ISA 7 /* DTV_SET_ISA is there */
#define DTV_CAP_ROM 8 /* DTV_SET_ROM and DTV_SHOW_ROM are there */
#define DTV_CAP_LIMIT 9 /* DTV_SET_LIMIT is there */

/**
 * struct dtv_create_vm - DTV_CREATE_VM
 * @name: NUL-terminated, not empty, of [A-Za-z0-9._-]; unique while the VM lives
 * @cache_size: code cache in bytes, a multiple of the page size from 1 MiB to 1 GiB; 0: 32 MiB
 * @flags: 0
 * @reserved: 0
 */
struct dtv_create_vm {
	char name[DTV_NAME_MAX + 1];
	__u64 cache_size;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct dtv_memory - DTV_SET_MEMORY, DTV_SET_ROM: add a slot (before the first vCPU runs)
 * @slot: 0 .. DTV_SLOTS_MAX - 1, not yet used
 * @fd: memfd, sealed with F_SEAL_SHRINK
 * @gpa: page-aligned, at or above DTV_GPA_RAM; ROM ends there, and is no device of the module
 * @size: bytes, page-aligned, not 0
 * @offset: in the memfd, page-aligned; offset + size must not exceed its size
 */
struct dtv_memory {
	__u32 slot;
	__s32 fd;
	__u64 gpa;
	__u64 size;
	__u64 offset;
};

/**
 * struct dtv_show - DTV_SHOW_ROM: who answers loads from ROM
 * @slot: of DTV_SET_ROM
 * @shown: 1: the slot's memory, as at first; 0: the loads are DTV_EVENT_MMIO. Stores always are;
 *         instructions are always fetched from memory.
 */
struct dtv_show {
	__u32 slot;
	__u32 shown;
};

#define DTV_ISA_MAX 511

/**
 * struct dtv_isa - DTV_SET_ISA: what the VM's harts offer (before the first vCPU is made)
 * @isa: NUL-terminated: rv64, single letters, then names of more letters, each behind an
 *       underscore: "rv64gc_zba_zbb". What is not named is off: its instructions are illegal.
 *       A VM that is told nothing offers all that there is.
 */
struct dtv_isa {
	char isa[DTV_ISA_MAX + 1];
};

#define DTV_LIMIT_MAX (1ULL << 62)

/**
 * struct dtv_limit - DTV_SET_LIMIT: where the VM ends by itself (before the first vCPU is made)
 * @instructions: 1 .. DTV_LIMIT_MAX: the VM stops right behind the last of so many that a hart
 *                retires; the first hart to get there ends it
 * @flags: 0
 * @reserved: 0
 *
 * The reason is then "ended after N instructions".
 */
struct dtv_limit {
	__u64 instructions;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct dtv_entry - DTV_SET_ENTRY: state of the harts at their start
 * @pc: gpa of the first instruction
 * @a1: gpa of the device tree; a0 is the hart's id
 * @a2: likewise; what firmware finds there is between it and who loaded it
 * @flags: DTV_ENTRY_M_MODE or 0
 * @reserved: 0
 *
 * Without flags hart 0 starts in S-mode, the others wait for SBI HSM, and the built-in SBI answers.
 */
struct dtv_entry {
	__u64 pc;
	__u64 a1;
	__u64 a2;
	__u32 flags;
	__u32 reserved;
};
#define DTV_ENTRY_M_MODE 1 /* all harts start, in M-mode; nobody answers ecalls from S-mode */

/**
 * struct dtv_irq_level - DTV_IRQ_LINE
 * @irq: PLIC source, 1 .. DTV_IRQS_MAX - 1
 * @level: 0 or 1
 */
struct dtv_irq_level {
	__u32 irq;
	__u32 level;
};

/**
 * struct dtv_irqfd - DTV_IRQFD: each write to the eventfd is an edge on the source
 * @fd: eventfd
 * @irq: PLIC source
 * @flags: DTV_IRQFD_DEASSIGN or 0
 * @reserved: 0
 */
struct dtv_irqfd {
	__s32 fd;
	__u32 irq;
	__u32 flags;
	__u32 reserved;
};
#define DTV_IRQFD_DEASSIGN 1

enum dtv_event_type {
	DTV_EVENT_MMIO = 1, /* answer with DTV_MMIO_REPLY */
	DTV_EVENT_RESET = 2, /* the guest asked by SBI SRST: type in addr, reason in data */
	DTV_EVENT_CONSOLE = 3, /* SBI debug console: len bytes in data (at most 8) */
	DTV_EVENT_STOPPED = 4, /* the VM stopped; see DTV_GET_STATE */
};

/**
 * struct dtv_event - a record of read() on the VM fd
 * @type: enum dtv_event_type
 * @vcpu: hart that waits
 * @id: to be given back in the reply
 * @addr: gpa
 * @data: value written, little endian, zero-extended
 * @len: 1, 2, 4 or 8
 * @write: 1: store, 0: load
 */
struct dtv_event {
	__u32 type;
	__u32 vcpu;
	__u64 id;
	__u64 addr;
	__u64 data;
	__u32 len;
	__u32 write;
};

/**
 * struct dtv_mmio_reply - DTV_MMIO_REPLY
 * @id: of the event
 * @data: loaded value (ignored for stores)
 * @status: 0, or 1: nothing is at that address (the guest gets an access fault)
 * @vcpu: of the event
 */
struct dtv_mmio_reply {
	__u64 id;
	__u64 data;
	__u32 status;
	__u32 vcpu;
};

enum dtv_vm_state {
	DTV_VM_CREATED = 0,
	DTV_VM_RUNNING = 1,
	DTV_VM_PAUSED = 2,
	DTV_VM_STOPPED = 3,
};

#define DTV_REASON_MAX 127

/**
 * struct dtv_state - DTV_GET_STATE
 * @state: enum dtv_vm_state
 * @vcpus: number of vCPUs
 * @reason: why the VM stopped, NUL-terminated text; empty while it has not
 */
struct dtv_state {
	__u32 state;
	__u32 vcpus;
	char reason[DTV_REASON_MAX + 1];
};

/* DTV_STOP_VM: the reason that others will see. */
struct dtv_stop {
	char reason[DTV_REASON_MAX + 1];
};

/* DTV_WRITTEN: guest RAM or ROM was written from outside; its translations are dropped. */
struct dtv_range {
	__u64 gpa;
	__u64 size;
};

/* Counters of a VM (sum over vCPUs); DTV_GET_STATS. Netlink has the same names. */
struct dtv_stats {
	__u64 exits[16]; /* by enum dtv_exit of the translator */
	__u64 blocks; /* translated */
	__u64 guest_bytes; /* of translated blocks */
	__u64 host_bytes;
	__u64 misses;
	__u64 traps;
	__u64 mmio;
	__u64 invalidated; /* blocks dropped by stores to code */
	__u64 flushes; /* the oldest part of the cache, or all of it, was thrown away */
	__u64 pinned; /* bytes of guest RAM pinned now */
	__u64 cache_used; /* bytes */
};

/* /dev/dtv */
#define DTV_GET_API_VERSION _IO(0xD7, 0x00)
#define DTV_CHECK_CAP _IO(0xD7, 0x01)
#define DTV_CREATE_VM _IOW(0xD7, 0x02, struct dtv_create_vm)

/* VM fd */
#define DTV_SET_MEMORY _IOW(0xD7, 0x10, struct dtv_memory)
#define DTV_CREATE_VCPU _IO(0xD7, 0x11) /* argument: hart id; returns an fd */
#define DTV_SET_ENTRY _IOW(0xD7, 0x12, struct dtv_entry)
#define DTV_IRQ_LINE _IOW(0xD7, 0x13, struct dtv_irq_level)
#define DTV_IRQFD _IOW(0xD7, 0x14, struct dtv_irqfd)
#define DTV_MMIO_REPLY _IOW(0xD7, 0x15, struct dtv_mmio_reply)
#define DTV_START _IO(0xD7, 0x16) /* created -> running: vCPUs that entered go on */
#define DTV_PAUSE _IO(0xD7, 0x17)
#define DTV_UNPAUSE _IO(0xD7, 0x18)
#define DTV_STOP_VM _IOW(0xD7, 0x19, struct dtv_stop)
#define DTV_GET_STATE _IOR(0xD7, 0x1a, struct dtv_state)
#define DTV_GET_STATS _IOR(0xD7, 0x1b, struct dtv_stats)
#define DTV_WRITTEN _IOW(0xD7, 0x1c, struct dtv_range)
#define DTV_SET_ISA _IOW(0xD7, 0x1d, struct dtv_isa)
#define DTV_SET_ROM _IOW(0xD7, 0x1e, struct dtv_memory)
#define DTV_SHOW_ROM _IOW(0xD7, 0x1f, struct dtv_show)
#define DTV_SET_LIMIT _IOW(0xD7, 0x30, struct dtv_limit)

/* vCPU fd */
#define DTV_VCPU_ENTER _IO(0xD7, 0x20) /* argument: the descriptor's own number */
#define DTV_VCPU_EXIT _IO(0xD7, 0x21) /* of the jail's exit stub only */
#define DTV_VCPU_STRAY _IO(0xD7, 0x22) /* of the jail's signal handler only */

#endif /* _UAPI_LINUX_DTV_H */
