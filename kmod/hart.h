/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hart.h - the run loop of a hart, for every host.
 *
 * What an exit, a view miss and a kick mean is said here once; the module and
 * uhost only differ in how they arrive. Trusted per-hart and per-VM data that
 * the portable sources need is in struct dtv_cpu and struct dtv_vm_core, which
 * each host embeds in its own.
 */
#ifndef DTV_HART_H
#define DTV_HART_H

#include "port.h"
#include "guest/guest.h"
#include "dbt/dbt.h"
#include "mmu/view.h"
#include "mmu/resv.h"
#include "irq/clint.h"
#include "irq/plic.h"
#include "host.h"

#define DTV_MAX_HARTS 32

/*
 * Requests to a hart, set by others with dtv_cpu_request(), taken before translated
 * code is entered.
 */
#define DTV_REQ_FENCE_I BIT(0)
#define DTV_REQ_SFENCE BIT(1) /* merged fence in cpu->req_fence */
#define DTV_REQ_START BIT(2) /* HSM hart_start: cpu->start_* */
#define DTV_REQ_LEAVE BIT(3) /* just leave translated code */
#define DTV_REQ_IRQ BIT(4) /* interrupt lines changed */
#define DTV_REQ_SSIP BIT(5) /* set mip.SSIP: an IPI by the SBI */
#define DTV_REQ_TIMER BIT(6) /* mtimecmp or mtime changed: program the timer */
#ifndef BIT
#define BIT(n) (1UL << (n))
#endif

#define DTV_CLINT_BASE 0x02000000ULL
#define DTV_PLIC_BASE 0x0c000000ULL

/* SBI HSM states (SBI 2.0 chapter 9). */
enum dtv_hsm {
	DTV_HSM_STARTED = 0,
	DTV_HSM_STOPPED = 1,
	DTV_HSM_START_PENDING = 2,
	DTV_HSM_STOP_PENDING = 3,
	DTV_HSM_SUSPENDED = 4,
};

enum dtv_action {
	DTV_RUN, /* enter translated code through the resume stub; hart->resume_ip is set */
	/* sleep (or just see to signals) until dtv_cpu_runnable(), then call dtv_cpu_continue() */
	DTV_WAIT,
	DTV_MMIO, /* cpu->mmio waits for an answer: dtv_cpu_mmio_done() */
	DTV_STOP, /* the VM was stopped */
};

struct dtv_mmio {
	gpa_t gpa;
	u64 data; /* value to write, or the answer */
	u8 len; /* 1, 2, 4, 8 */
	bool write;
	bool failed; /* answer: nothing is there (access fault) */
};

struct dtv_vm_core {
	struct dtv_cpu *cpus[DTV_MAX_HARTS];
	unsigned int nr_cpus;
	u64 isa; /* DTV_ISA_* offered */
	bool sbi; /* built-in SBI instead of M-mode software */
	bool stopped; /* set by the host; harts leave with DTV_STOP */
	/* 1 while room is made in the cache: no hart enters translated code or the engine */
	u32 gate;
	struct dtv_dbt dbt;
	struct dtv_mmu mmu;
	spinlock_t resv_lock;
	u32 nr_resv; /* harts whose reservation is recorded */
	struct dtv_plic plic;
	u64 max_insns; /* that a hart may retire; 0: no end */
	u64 time_offset; /* mtime minus the host's count of ticks; one word, any hart writes it */
};

struct dtv_cpu {
	struct dtv_vm_core *vm;
	u32 id; /* hartid */
	struct dtv_area *area; /* hostile */
	u64 area_exec; /* its address in the jail */

	/* 1 while translated code may run; the host sets and clears it, see dtv_cpu_pending() */
	u32 in_guest;
	u32 busy; /* 1 while hart.c may look at blocks outside of translated code */
	u32 gen; /* dbt.gen that hart->resume_ip belongs to */
	u64 big_code[8]; /* bit per GiB of gva: code was found through a leaf of more than 4 KiB */
	bool pmp_open; /* PMP allows everything: nobody asks it */
	bool local_s; /* an executable-page tag of S-mode came from a mapping that is not global */
	bool again; /* DTV_WAIT is only a chance to be interrupted */
	bool loop; /* the code that is looked up was reached by a jump backwards */
	u64 fencing; /* bit per hart that has not done yet what dtv_sbi_fence() asked for; own */
	unsigned long requests; /* DTV_REQ_* */
	spinlock_t req_lock;
	struct dtv_fence req_fence;
	u64 lines; /* mip bits driven by wires (atomic or under req_lock) */
	u64 stime; /* stimecmp while it drives STIP, else ~0; mtime's ticks */
	u64 mtimecmp; /* drives MTIP; any hart may write it */
	u64 timer_when; /* the earlier of both that is to come, ~0 none; the host's ticks */

	u32 hsm; /* enum dtv_hsm */
	u64 start_pc, start_arg;

	struct dtv_views views;
	struct dtv_resv resv;
	struct dtv_mmio mmio;
	struct dtv_insn mmio_insn; /* the instruction that waits for the answer */
	u64 mmio_next_ip; /* boundary behind it, if mmio_gen is still dbt.gen */
	u32 mmio_gen;
	u8 mmio_count; /* of the block's instructions that had retired before it */
	/*
	 * The same behind the instruction before hart->resume_ip: not in hart->instret, as the
	 * block adds them when it ends. If the hart does not go there after all, C code does.
	 */
	u8 resume_count;
	u64 counters[DTV_NR_COUNTERS];
};

/**
 * dtv_vm_core_init() - prepare the portable part of a VM; cpus are added by dtv_cpu_init()
 * @vm: zeroed, but for isa (0: all) and sbi
 * @cfg: code cache as the host laid it out
 *
 * Return: 0 or -ENOMEM, -EINVAL.
 */
int dtv_vm_core_init(struct dtv_vm_core *vm, const struct dtv_dbt_config *cfg);
/* Offer other extensions (DTV_ISA_*). Return: 0, or -EBUSY: there is a hart already. */
int dtv_vm_core_set_isa(struct dtv_vm_core *vm, u64 isa);
/*
 * The first hart that has retired @n instructions ends the VM, right behind the last of them. The
 * bound is DTV_INSNS_MAX. Return: 0, -EINVAL, or -EBUSY: there is a hart already.
 */
int dtv_vm_core_limit(struct dtv_vm_core *vm, u64 n);
#define DTV_INSNS_MAX (1ULL << 62)
void dtv_vm_core_destroy(struct dtv_vm_core *vm);

/*
 * @area: the hart's vCPU area, host-writable; @area_exec: its address as translated
 * code sees it.
 */
int dtv_cpu_init(struct dtv_cpu *cpu, struct dtv_vm_core *vm, u32 id, struct dtv_area *area,
		 u64 area_exec);
void dtv_cpu_destroy(struct dtv_cpu *cpu);

/* Reset to pc, a0 = hartid, a1 = arg; @started false leaves it in HSM stopped state. */
void dtv_cpu_reset(struct dtv_cpu *cpu, u64 pc, u64 arg, bool started);

/**
 * dtv_cpu_continue() - find out what a hart does next, from its state
 * @cpu: the hart, outside of translated code
 *
 * For the first entry, after a wait and after a kick taken outside of
 * translated code: handles requests, takes a pending interrupt, finds or makes
 * the block at pc.
 */
enum dtv_action dtv_cpu_continue(struct dtv_cpu *cpu);

/*
 * Translated code left through an exit stub; state is all in area->hart.
 * in_guest is still 1 and is cleared here.
 */
enum dtv_action dtv_cpu_exit(struct dtv_cpu *cpu);

/* The answer to DTV_MMIO is in cpu->mmio.data. */
enum dtv_action dtv_cpu_mmio_done(struct dtv_cpu *cpu);

/* True when a hart that got DTV_WAIT has something to do. Any context. */
bool dtv_cpu_runnable(struct dtv_cpu *cpu);

/*
 * Before entering translated code, in this order: the host sets in_guest, full
 * barrier, and looks at dtv_cpu_pending(): when true it clears in_guest and
 * calls dtv_cpu_continue() instead. A requester sets the request, full
 * barrier, looks at in_guest and kicks. One of the two sees the other.
 */
bool dtv_cpu_pending(struct dtv_cpu *cpu);

enum dtv_miss_kind {
	DTV_MISS_MAP, /* map gpa's page at gva's page with prot, then go on at the same ip */
	DTV_MISS_REDIRECT, /* go on at ip; host registers stay as they are */
	DTV_MISS_RETRY, /* go on at the same ip */
};

struct dtv_miss {
	enum dtv_miss_kind kind;
	u64 ip;
	unsigned int view; /* index of the view that was missed in */
	gva_t gva; /* page address */
	gpa_t gpa; /* page address */
	void *page; /* dtv_host_ram() of it, or dtv_host_rom() */
	bool rom; /* the latter */
	u8 prot; /* bit 0 read, bit 1 write */
	/* leaf level in the guest's table: neighbours to 2 MiB are alike with level >= 1 */
	u8 level;
};

/**
 * dtv_cpu_miss() - a host page fault in a view
 * @cpu: hart, in translated code
 * @view: index of the view that the address belongs to (guard included)
 * @gva: faulting address minus the view's base
 * @write: host access was a write
 * @ip: host instruction pointer
 * @m: result. For MAP the host inserts the page and then calls dtv_view_filled(), if it may be
 *     written, or dtv_view_shown(), if it is ROM.
 *
 * Context: hart's own, may sleep for first touch of a RAM page; no dtv lock held.
 */
void dtv_cpu_miss(struct dtv_cpu *cpu, unsigned int view, gva_t gva, bool write, u64 ip,
		  struct dtv_miss *m);

/*
 * A kick found translated code at @ip, with @rax in that register. Return: the ip
 * to go on at (a stub that exits to the module with everything saved), @ip
 * itself to go on (nothing to do), or 0: cannot be interrupted right here;
 * kick again a moment later.
 */
u64 dtv_cpu_kicked(struct dtv_cpu *cpu, u64 ip, u64 rax);

/*
 * Translated code got a host signal that is no miss: non-canonical or foreign address
 * at ip. gva = 0 unknown. Same results as a miss.
 */
void dtv_cpu_stray(struct dtv_cpu *cpu, u64 ip, struct dtv_miss *m);

/* The host's timer for the hart expired: called before the kick that follows. Any context. */
void dtv_cpu_timer_fired(struct dtv_cpu *cpu);

/* Requests, kicks, interrupt lines; any context. */
void dtv_cpu_request(struct dtv_cpu *cpu, unsigned long req);
void dtv_cpu_set_line(struct dtv_cpu *cpu, enum dtv_irq irq, bool level);
/* mtime: now, in ticks of 10 MHz. Any context. */
u64 dtv_vm_time(struct dtv_vm_core *vm);
/* Guest RAM at [gpa, gpa+size) was written from outside (device, loader): drop its translations. */
void dtv_vm_memory_written(struct dtv_vm_core *vm, gpa_t gpa, u64 size);
/*
 * From now on dtv_host_rom() has no answer for loads in this range: when this returns no load of
 * any hart gets one from there any more. May sleep.
 */
void dtv_vm_rom_hidden(struct dtv_vm_core *vm, gpa_t gpa, u64 size);

#endif /* DTV_HART_H */
