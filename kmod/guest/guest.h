/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest.h - the architecture's entry points: CSRs, traps, page-table walk,
 * system instructions, SBI. Pure functions of a hart's state and of guest
 * memory; they know no host, no view and no cache. What has to follow from
 * a change of state is returned as DTV_FX_* bits.
 */
#ifndef DTV_GUEST_GUEST_H
#define DTV_GUEST_GUEST_H

#include "state.h"
#include "decode.h"

/* What the caller has to do after a state change. */
/* priv, satp, SUM, MXR, MPRV, MPP or PMP changed: choose the view again */
#define DTV_FX_REGIME BIT_ULL(0)
#define DTV_FX_SATP BIT_ULL(1) /* satp changed: forget which code pages are executable */
#define DTV_FX_IRQ BIT_ULL(2) /* look for a pending interrupt before going on */
#define DTV_FX_TIMER BIT_ULL(3) /* stimecmp or menvcfg.STCE changed: program the timer */
#define DTV_FX_FP BIT_ULL(4) /* fcsr changed: recompute hart->mxcsr */
#define DTV_FX_FENCE_I BIT_ULL(5)
#define DTV_FX_SFENCE BIT_ULL(6) /* struct dtv_fence says of what */
#define DTV_FX_WFI BIT_ULL(7) /* sleep until an interrupt is pending */
#define DTV_FX_SBI BIT_ULL(8) /* ecall to the built-in SBI */
#define DTV_FX_TRAP BIT_ULL(9) /* a trap was entered: pc is the handler's */
/* FS went from Off to another state or back: FP instructions trap or no longer trap */
#define DTV_FX_ISA BIT_ULL(10)
/* what PMP allows changed: forget views and which code pages are executable */
#define DTV_FX_PMP BIT_ULL(11)

/* Bits that exist in mip and mie, and that can be delegated. */
#define DTV_MIP_MASK 0xaaaULL
#define DTV_MIDELEG_MASK 0x222ULL /* SSI STI SEI */
#define DTV_MEDELEG_MASK 0xb3ffULL /* all but ecall from M */

/*
 * Which sfence.vma was executed. With an address it names one page, but what
 * has to be forgotten is all that came from the leaf PTE of that address: of a
 * superpage that is 2 MiB or 1 GiB, and guests fence it by a single address.
 */
struct dtv_fence {
	gva_t gva; /* start; with size ~0 everything */
	u64 size; /* bytes, ~0: all addresses */
	u64 asid; /* ~0: all ASIDs */
};

/* What a hart has from outside, filled by hart.c before csr and system calls. */
struct dtv_env {
	u64 isa; /* DTV_ISA_* bits this hart offers */
	u64 time; /* mtime now, ticks of 10 MHz */
	u64 lines; /* mip bits driven by wires: MSI MTI SEI MEI, STI by Sstc */
	u64 cycles; /* for mcycle */
	u64 instret; /* instructions that retired before this one: for minstret */
	bool sbi; /* true: no M-mode software, SBI answers S-mode ecalls */
	struct dtv_fence fence; /* out: with DTV_FX_SFENCE */
};

/**
 * dtv_guest_reset() - put a hart into its state after reset
 * @h: state, zeroed and initialised
 * @hartid: mhartid
 * @isa: DTV_ISA_* that it offers
 * @sbi: true: S-mode under the built-in SBI (delegation as OpenSBI leaves
 *       it, counters enabled, Sstc on); false: M-mode
 */
void dtv_guest_reset(struct dtv_hart *h, u64 hartid, u64 isa, bool sbi);

/* csr.c: menvcfg after reset, see dtv_guest_reset(). */
u64 dtv_guest_envcfg(u64 isa, bool sbi);
/* csr.c: the built-in SBI lets S-mode have what mstateen could keep from it. */
void dtv_guest_stateen(struct dtv_hart *h);

/*
 * MXCSR for h->frm: exceptions masked, RMM as RNE, the sticky flags of
 * h->mxcsr kept. The sticky flags of fcsr live in h->fcsr and h->mxcsr both;
 * reading fflags ORs them, and every C write of fflags, frm or fcsr moves all
 * of them to h->fcsr.
 */
u32 dtv_fp_mxcsr(const struct dtv_hart *h);

/*
 * csr.c: privileged manual chapter 2 to 4, a table row a CSR. Return 0 or -1 (illegal
 * instruction).
 */
int dtv_csr_read(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 *val);
int dtv_csr_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val, u64 *fx);

/**
 * dtv_guest_system() - execute one instruction that translated code leaves to C
 * @h: state; pc is the instruction's. On return pc is the next instruction's
 *     or the trap handler's.
 * @env: surroundings
 * @insn: decoded instruction: SYSTEM, FENCE.I, SFENCE.VMA, SINVAL, or anything
 *        undefined or disabled (illegal instruction trap, tval = raw bits)
 *
 * Return: DTV_FX_* bits.
 */
u64 dtv_guest_system(struct dtv_hart *h, struct dtv_env *env, const struct dtv_insn *insn);

/**
 * dtv_guest_cbo() - whether the hart may execute a cache-block instruction now
 * @h: state
 * @insn: cbo.*
 *
 * Return: false: illegal instruction.
 */
bool dtv_guest_cbo(const struct dtv_hart *h, const struct dtv_insn *insn);

/* trap.c: privileged manual 3.1.8 (delegation), 3.1.6.1, 3.3.2. */

/**
 * dtv_guest_trap() - enter the trap handler for an exception or interrupt
 * @h: state; pc is the faulting instruction's (xepc)
 * @cause: enum dtv_exc, or DTV_CAUSE_INTERRUPT | enum dtv_irq
 * @tval: value for xtval
 *
 * Return: DTV_FX_* bits (always TRAP and REGIME).
 */
u64 dtv_guest_trap(struct dtv_hart *h, u64 cause, u64 tval);

u64 dtv_guest_sret(struct dtv_hart *h);
u64 dtv_guest_mret(struct dtv_hart *h);

/* mip as software sees it: software's bits and the lines, STIP as menvcfg.STCE says. */
u64 dtv_guest_mip(const struct dtv_hart *h, u64 lines);

/**
 * dtv_guest_interrupt() - which interrupt is to be taken now
 * @h: state
 * @lines: mip bits driven from outside
 *
 * Return: interrupt number, or -1. Priority as in privileged manual 3.1.9.
 */
int dtv_guest_interrupt(const struct dtv_hart *h, u64 lines);

/*
 * True when wfi must not sleep: a locally enabled interrupt is pending (privileged
 * manual 3.3.3).
 */
bool dtv_guest_wfi_done(const struct dtv_hart *h, u64 lines);

/* pagetable.c: privileged manual 4.3.2, 4.4 */
enum dtv_access {
	DTV_ACCESS_READ = 0,
	DTV_ACCESS_WRITE = 1,
	DTV_ACCESS_EXEC = 2,
};

#define DTV_PTE_V BIT_ULL(0)
#define DTV_PTE_R BIT_ULL(1)
#define DTV_PTE_W BIT_ULL(2)
#define DTV_PTE_X BIT_ULL(3)
#define DTV_PTE_U BIT_ULL(4)
#define DTV_PTE_G BIT_ULL(5)
#define DTV_PTE_A BIT_ULL(6)
#define DTV_PTE_D BIT_ULL(7)
#define DTV_PTE_PBMT GENMASK_ULL(62, 61)
#define DTV_PTE_N BIT_ULL(63)

/* The effective regime of an access: mode after MPRV, plus what modifies it. */
struct dtv_regime {
	const struct dtv_hart *pmp; /* whose PMP is asked; NULL: it allows everything */
	u64 satp; /* 0 in bare and M-mode */
	u8 priv; /* effective enum dtv_priv */
	bool sum;
	bool mxr;
	/* What the walk finds legal; not part of what tells views apart. */
	bool adue; /* A and D are set; else page faults (Svade) */
	bool pbmte; /* Svpbmt */
	bool napot; /* Svnapot */
};

struct dtv_walk {
	gpa_t gpa; /* translated address of the access's gva */
	u64 pte; /* leaf PTE after A/D update; 0 in bare mode */
	u8 level; /* 0: 4 KiB leaf, 1: 2 MiB, 2: 1 GiB */
	bool napot; /* the leaf stands for 64 KiB; level is 0 */
	u8 prot; /* bit 0 read, 1 write (only with D set), 2 execute: rights in this regime */
	bool global; /* G on the path */
	/* PMP's rights are not alike in the page: ask dtv_pmp_rights() for each access */
	bool mixed;
	u32 exc; /* enum dtv_exc when the walk failed */
};

void dtv_guest_regime(const struct dtv_hart *h, enum dtv_access acc, struct dtv_regime *r);

/**
 * dtv_guest_walk() - translate a guest virtual address
 * @vm: opaque, handed to dtv_host_ram()
 * @r: regime
 * @gva: address
 * @acc: access to be made; A (and D for writes) are set in guest memory by an
 *       atomic compare-and-swap on the PTE (Svadu)
 * @w: result
 *
 * Non-canonical gva, V=0, W without R, reserved bits, misaligned superpages, missing rights: page
 * fault of the access's type. PTE or target outside of RAM: for the PTE an access fault; the
 * target's gpa is returned as it is (the caller finds RAM, MMIO or nothing there). What PMP
 * forbids: access fault; with w->mixed the caller has to ask about the access itself.
 *
 * Return: 0, or -1 with w->exc set.
 * Context: any; takes no lock.
 */
int dtv_guest_walk(void *vm, const struct dtv_regime *r, gva_t gva, enum dtv_access acc,
		   struct dtv_walk *w);

/* pmp.c: privileged manual 3.7 */

u8 dtv_pmp_rights(const struct dtv_hart *h, u32 priv, gpa_t gpa, u64 len);
u8 dtv_pmp_span(const struct dtv_hart *h, u32 priv, gpa_t gpa, gpa_t *from, gpa_t *to);
bool dtv_pmp_open(const struct dtv_hart *h);

/*
 * A walk has set A or D of the PTE at @gpa, which may be code: supplied by hart.c. Takes
 * locks of the translator and of reservations when it must.
 */
void dtv_guest_pte_written(void *vm, gpa_t gpa);

/* sbi.c: RISC-V SBI 2.0. Works on the caller's a0..a7 in h->x. */
struct dtv_cpu;
/* Return: DTV_FX_* bits. pc is already past the ecall. */
u64 dtv_sbi_call(struct dtv_cpu *cpu, struct dtv_hart *h, struct dtv_env *env);

/*
 * What sbi.c needs of other harts and of the machine: supplied by hart.c.
 * Called from the hart's own context outside translated code, no lock held.
 * Hart ids come from the guest and may be anything.
 */
struct dtv_vm_core;
struct dtv_vm_core *dtv_sbi_vm(struct dtv_cpu *cpu);
bool dtv_sbi_hart_exists(struct dtv_cpu *cpu, u64 id);
/* SBI HSM state (9.2) of a hart that exists. */
u32 dtv_sbi_hart_state(struct dtv_cpu *cpu, u64 id);
/*
 * Start a stopped hart in S-mode at gpa @pc, a0 = id, a1 = @arg. Return: 0, or -1: not
 * in state STOPPED.
 */
int dtv_sbi_hart_start(struct dtv_cpu *cpu, u64 id, gpa_t pc, u64 arg);
/* The calling hart is STOPPED from now on; it leaves the instruction with DTV_FX_WFI. */
void dtv_sbi_hart_stop(struct dtv_cpu *cpu);
/* It is SUSPENDED until it goes on; it leaves the instruction with DTV_FX_WFI and DTV_FX_IRQ. */
void dtv_sbi_hart_suspend(struct dtv_cpu *cpu);
/* Set SSIP of a hart that exists, the calling one included, and kick it. */
void dtv_sbi_ipi(struct dtv_cpu *cpu, u64 id);
/*
 * Execute fence.i (@fence_i) or the sfence.vma @f on all harts of @mask (bit =
 * hart id, all exist, maybe the caller) and return when all have done it.
 */
void dtv_sbi_fence(struct dtv_cpu *cpu, u64 mask, bool fence_i, const struct dtv_fence *f);
/* C code wrote guest RAM at [gpa, gpa + n): drop its translations. */
void dtv_sbi_ram_written(struct dtv_cpu *cpu, gpa_t gpa, u64 n);

#endif /* DTV_GUEST_GUEST_H */
