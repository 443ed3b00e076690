/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * state.h - the architectural state of one hart, as it lies on the vCPU page.
 *
 * Translated code addresses this structure by constant displacements and the
 * jail can write all of it: to C code in the module every field is hostile
 * input, read once and bounded before it chooses a view or an index.
 */
#ifndef DTV_GUEST_STATE_H
#define DTV_GUEST_STATE_H

#include "../port.h"

/* Privilege modes, privileged manual table 1.1. */
enum dtv_priv {
	DTV_PRIV_U = 0,
	DTV_PRIV_S = 1,
	DTV_PRIV_M = 3,
};

/* Exception codes, privileged manual table 3.6 (mcause). */
enum dtv_exc {
	DTV_EXC_INSN_MISALIGNED = 0,
	DTV_EXC_INSN_ACCESS = 1,
	DTV_EXC_ILLEGAL = 2,
	DTV_EXC_BREAKPOINT = 3,
	DTV_EXC_LOAD_MISALIGNED = 4,
	DTV_EXC_LOAD_ACCESS = 5,
	DTV_EXC_STORE_MISALIGNED = 6,
	DTV_EXC_STORE_ACCESS = 7,
	DTV_EXC_ECALL_U = 8,
	DTV_EXC_ECALL_S = 9,
	DTV_EXC_ECALL_M = 11,
	DTV_EXC_INSN_PAGE = 12,
	DTV_EXC_LOAD_PAGE = 13,
	DTV_EXC_STORE_PAGE = 15,
};

#define DTV_CAUSE_INTERRUPT BIT_ULL(63)

/* Interrupt numbers = bits of mip, mie, mideleg. */
enum dtv_irq {
	DTV_IRQ_SSI = 1,
	DTV_IRQ_MSI = 3,
	DTV_IRQ_STI = 5,
	DTV_IRQ_MTI = 7,
	DTV_IRQ_SEI = 9,
	DTV_IRQ_MEI = 11,
};

/* mstatus, RV64, privileged manual 3.1.6. */
#define DTV_MSTATUS_SIE BIT_ULL(1)
#define DTV_MSTATUS_MIE BIT_ULL(3)
#define DTV_MSTATUS_SPIE BIT_ULL(5)
#define DTV_MSTATUS_UBE BIT_ULL(6)
#define DTV_MSTATUS_MPIE BIT_ULL(7)
#define DTV_MSTATUS_SPP BIT_ULL(8)
#define DTV_MSTATUS_VS GENMASK_ULL(10, 9)
#define DTV_MSTATUS_MPP GENMASK_ULL(12, 11)
#define DTV_MSTATUS_MPP_SHIFT 11
#define DTV_MSTATUS_FS GENMASK_ULL(14, 13)
#define DTV_MSTATUS_FS_SHIFT 13
#define DTV_MSTATUS_MPRV BIT_ULL(17)
#define DTV_MSTATUS_SUM BIT_ULL(18)
#define DTV_MSTATUS_MXR BIT_ULL(19)
#define DTV_MSTATUS_TVM BIT_ULL(20)
#define DTV_MSTATUS_TW BIT_ULL(21)
#define DTV_MSTATUS_TSR BIT_ULL(22)
#define DTV_MSTATUS_UXL GENMASK_ULL(33, 32)
#define DTV_MSTATUS_SXL GENMASK_ULL(35, 34)
#define DTV_MSTATUS_SD BIT_ULL(63)

/* menvcfg, 3.1.18, and the lower ones senvcfg. */
#define DTV_ENVCFG_FIOM BIT_ULL(0)
#define DTV_ENVCFG_CBIE GENMASK_ULL(5, 4)
#define DTV_ENVCFG_CBCFE BIT_ULL(6)
#define DTV_ENVCFG_CBZE BIT_ULL(7)
#define DTV_ENVCFG_ADUE BIT_ULL(61)
#define DTV_ENVCFG_PBMTE BIT_ULL(62)
#define DTV_ENVCFG_STCE BIT_ULL(63)

#define DTV_SATP_MODE_SHIFT 60
#define DTV_SATP_MODE_BARE 0ULL
#define DTV_SATP_MODE_SV39 8ULL
#define DTV_SATP_ASID GENMASK_ULL(59, 44)
#define DTV_SATP_ASID_SHIFT 44
#define DTV_SATP_PPN GENMASK_ULL(43, 0)

#define DTV_NR_PMP 16

/*
 * struct dtv_hart - architectural state of a hart plus the exit words
 *
 * x[1] to x[31] and canon_mask are what translated code touches most: it
 * reaches them with an 8-bit displacement from rbp, which points at offset
 * DTV_HART_BIAS.
 */
struct dtv_hart {
	u64 x[32]; /* integer registers; x[0] stays 0 */
	u64 canon_mask; /* bits of a gva that must be alike: 63..38 */
	u64 f[32]; /* FP registers, NaN-boxed raw bits */

	u64 pc; /* valid outside translated code; exits store it */
	u64 view_base; /* hva of gva 0 in the current data view (gs base) */
	u64 resume_ip; /* where the resume and redirect stubs jump to */
	u64 exit_ip; /* return address of the exit site's call */
	u32 exit_reason; /* enum dtv_exit */
	u32 mxcsr; /* MXCSR to load when translated code runs */
	u64 rstack_sp; /* rsp while translated code does not run */
	u64 host_sp; /* uhost: its C stack; module: unused */
	u64 host_exit; /* uhost: where exits jump; module: unused */
	u32 exit_fd; /* module: vCPU fd for the exit's ioctl */
	u32 exit_cmd; /* module: ioctl number */
	u64 scratch[4]; /* spill space of stubs */
	/* View bases that translated code may switch to by itself; 0: ask. */
	u64 view_u, view_s, view_sum;
	u32 irq_hint; /* not 0: an enabled interrupt may be pending */
	u32 kicked; /* not 0: a kick met an atomic sequence, which asks at its end */
	u32 nan_d, nan_s; /* for the next exit: dtv_where's, of where the hart was stopped */

	/* LR/SC reservation: address (gpa-independent gva) and loaded value. */
	u64 resv_addr; /* ~0: none */
	u64 resv_value;

	u32 priv; /* enum dtv_priv */
	u32 fcsr; /* frm in 7:5; fflags in 4:0 (flags not yet in MXCSR) */
	u64 hartid;

	u64 mstatus;
	u64 isa; /* DTV_ISA_* that the hart offers */
	u64 mideleg;
	u64 medeleg;
	u64 mie;
	u64 mip; /* software-writable bits; wires are ORed in by the host */
	u64 mtvec;
	u64 mcounteren;
	u64 mcountinhibit;
	u64 menvcfg;
	u64 mstateen[4];
	u64 mscratch;
	u64 mepc;
	u64 mcause;
	u64 mtval;
	u64 stvec;
	u64 scounteren;
	u64 senvcfg;
	u64 sscratch;
	u64 sepc;
	u64 scause;
	u64 stval;
	u64 satp;
	u64 stimecmp;
	u8 pmpcfg[DTV_NR_PMP];
	u64 pmpaddr[DTV_NR_PMP];
	/* Instructions that retired, once they are counted; see translator.rst, Counting */
	u64 instret;
	u64 instret_base; /* minstret = instret + base; minstret itself while that is inhibited */
	u64 cycle_base;
};

#define DTV_HART_BIAS 136

static_assert(offsetof(struct dtv_hart, x) == 0, "x[] is reached by disp8");
static_assert(sizeof(struct dtv_hart) <= 4096, "dtv_hart fits the vCPU page");

#endif /* DTV_GUEST_STATE_H */
