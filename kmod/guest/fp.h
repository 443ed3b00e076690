/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fp.h - F, D and Zfh instructions executed in C.
 */
#ifndef DTV_GUEST_FP_H
#define DTV_GUEST_FP_H

#include "state.h"
#include "decode.h"

/* Rounding modes, unprivileged manual 20.2. */
enum dtv_rm {
	DTV_RM_RNE = 0, /* to nearest, ties to even */
	DTV_RM_RTZ = 1, /* toward zero */
	DTV_RM_RDN = 2, /* down */
	DTV_RM_RUP = 3, /* up */
	DTV_RM_RMM = 4, /* to nearest, ties to the larger magnitude */
	DTV_RM_DYN = 7, /* what frm says */
};

/* fflags, unprivileged manual 20.2. */
#define DTV_FP_NX 0x01U
#define DTV_FP_UF 0x02U
#define DTV_FP_OF 0x04U
#define DTV_FP_DZ 0x08U
#define DTV_FP_NV 0x10U
#define DTV_FCSR_FRM_SHIFT 5

#define DTV_FP_NAN16 0x7e00U
#define DTV_FP_NAN32 0x7fc00000U
#define DTV_FP_NAN64 0x7ff8000000000000ULL
#define DTV_FP_BOX 0xffffffff00000000ULL
#define DTV_FP_BOX16 0xffffffffffff0000ULL

/* The instruction of F that does with singles what @op does with doubles; or @op. */
static inline u16 dtv_fp_single_op(u16 op)
{
	BUILD_BUG_ON(DTV_OP_FMV_D_X - DTV_OP_FLD != DTV_OP_FMV_W_X - DTV_OP_FLW);
	BUILD_BUG_ON(DTV_OP_FADD_D - DTV_OP_FLD != DTV_OP_FADD_S - DTV_OP_FLW);
	return op >= DTV_OP_FLD && op <= DTV_OP_FMV_D_X ? op - DTV_OP_FLD + DTV_OP_FLW : op;
}

/* The same for an instruction of Zfh. */
static inline u16 dtv_fp_half_op(u16 op)
{
	BUILD_BUG_ON(DTV_OP_FMV_H_X - DTV_OP_FLH != DTV_OP_FMV_W_X - DTV_OP_FLW);
	BUILD_BUG_ON(DTV_OP_FADD_H - DTV_OP_FLH != DTV_OP_FADD_S - DTV_OP_FLW);
	return op >= DTV_OP_FLH && op <= DTV_OP_FMV_H_X ? op - DTV_OP_FLH + DTV_OP_FLW : op;
}

/**
 * dtv_guest_fp() - execute one instruction of F, D or Zfh
 * @h: state; pc is the instruction's. On return pc is the next instruction's
 *     or the trap handler's
 * @insn: decoded instruction, not a load or store
 *
 * Every computational, conversion, compare, move and classify instruction of F,
 * D and Zfh, with integers only. Flags accumulate in h->fcsr; MXCSR is not looked
 * at. FS is made dirty by what writes an f register or may raise a flag. FS
 * Off and an invalid rounding mode are illegal instructions.
 *
 * Return: 0, or the DTV_FX_* bits of the trap.
 * Context: hart's own. Unprivileged manual chapters 20, 21; privileged manual 3.1.6.6.
 */
u64 dtv_guest_fp(struct dtv_hart *h, const struct dtv_insn *insn);

#endif /* DTV_GUEST_FP_H */
