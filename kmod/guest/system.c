// SPDX-License-Identifier: GPL-2.0-only
/*
 * system.c - the instructions that translated code leaves to C: CSR access,
 * environment calls, returns from traps, wfi, translation fences.
 *
 * Which modes may execute them is decided here (privileged manual 3.1.6.5,
 * 3.3, 4.2); what a CSR does is csr.c's. No lock.
 */
#include "guest.h"

#define CSR_MIP 0x344

static u64 illegal(struct dtv_hart *h, const struct dtv_insn *insn)
{
	return dtv_guest_trap(h, DTV_EXC_ILLEGAL, insn->raw);
}

/* Unprivileged manual 6.1: what is not to be read is not read, likewise for writes. */
static u64 csr_insn(struct dtv_hart *h, struct dtv_env *env, const struct dtv_insn *insn)
{
	bool is_write = insn->op == DTV_OP_CSRRW || insn->op == DTV_OP_CSRRWI;
	u64 arg = insn->fmt == DTV_FMT_CSRI ? insn->rs1 : h->x[insn->rs1 & 31];
	u32 csr = (u32)insn->imm & 0xfff;
	u64 old = 0, base, fx = 0;

	if ((!is_write || insn->rd) && dtv_csr_read(h, env, csr, &old))
		return illegal(h, insn);

	/* 3.1.9: the external interrupt's line is seen in mip.SEIP but not written back. */
	base = old;
	if (csr == CSR_MIP)
		base = (old & ~BIT_ULL(DTV_IRQ_SEI)) | (h->mip & BIT_ULL(DTV_IRQ_SEI));

	if (insn->op == DTV_OP_CSRRS || insn->op == DTV_OP_CSRRSI)
		arg |= base;
	else if (!is_write)
		arg = base & ~arg;
	if ((is_write || DTV_MUTANT(csr_set_x0, 1, insn->rs1)) &&
	    dtv_csr_write(h, env, csr, arg, &fx))
		return illegal(h, insn);

	if (insn->rd)
		h->x[insn->rd & 31] = DTV_MUTANT(csr_old, arg, old);
	h->pc += insn->len;
	return fx;
}

/* sfence.vma and sinval.vma, 4.2.1 and chapter 8. */
static u64 fence_vma(struct dtv_hart *h, struct dtv_env *env, const struct dtv_insn *insn)
{
	if (h->priv == DTV_PRIV_U ||
	    (h->priv == DTV_PRIV_S && (h->mstatus & DTV_MUTANT(tvm_ignored, 0, DTV_MSTATUS_TVM))))
		return illegal(h, insn);
	env->fence.gva = 0;
	env->fence.size = DTV_MUTANT(fence_one, DTV_PAGE_SIZE, ~0ULL);
	env->fence.asid = ~0ULL;
	if (insn->rs1) {
		env->fence.gva = (h->x[insn->rs1 & 31] + DTV_MUTANT(fence_next, DTV_PAGE_SIZE, 0)) &
				 DTV_PAGE_MASK;
		env->fence.size = DTV_PAGE_SIZE;
	}
	if (insn->rs2)
		env->fence.asid = (h->x[insn->rs2 & 31] + DTV_MUTANT(fence_asid, 1, 0)) &
				  (DTV_SATP_ASID >> DTV_SATP_ASID_SHIFT);
	h->pc += insn->len;
	return DTV_FX_SFENCE;
}

static u64 ecall(struct dtv_hart *h, struct dtv_env *env, const struct dtv_insn *insn)
{
	switch (h->priv) {
	case DTV_PRIV_S:
		if (!env->sbi)
			return dtv_guest_trap(h, DTV_EXC_ECALL_S, 0);
		h->pc += insn->len;
		return DTV_FX_SBI;
	case DTV_PRIV_M:
		return dtv_guest_trap(h, DTV_EXC_ECALL_M, 0);
	}
	return dtv_guest_trap(h, DTV_EXC_ECALL_U, 0);
}

static u64 wfi(struct dtv_hart *h, const struct dtv_insn *insn)
{
	if (h->priv == DTV_MUTANT(wfi_user, 4, DTV_PRIV_U) ||
	    (h->priv == DTV_PRIV_S && (h->mstatus & DTV_MUTANT(tw_ignored, 0, DTV_MSTATUS_TW))))
		return illegal(h, insn);
	h->pc += insn->len;
	return DTV_FX_WFI | DTV_FX_IRQ;
}

/* menvcfg and senvcfg, 3.1.18, 4.1.10: M-mode rules S and U, S-mode rules U. */
bool dtv_guest_cbo(const struct dtv_hart *h, const struct dtv_insn *insn)
{
	u64 bits = insn->op == DTV_OP_CBO_ZERO	? DTV_ENVCFG_CBZE :
		   insn->op == DTV_OP_CBO_INVAL ? DTV_ENVCFG_CBIE :
						  DTV_ENVCFG_CBCFE;

	if (h->priv == DTV_PRIV_M)
		return true;
	if (!(h->menvcfg & bits))
		return false;
	return h->priv == DTV_PRIV_S || (h->senvcfg & bits);
}

/**
 * dtv_guest_system() - execute one instruction that translated code leaves to C
 * @h: state; pc is the instruction's. On return pc is the next instruction's
 *     or the trap handler's.
 * @env: surroundings; env->fence is set with DTV_FX_SFENCE
 * @insn: decoded instruction; what is undefined, not offered or not allowed
 *        traps as illegal instruction with its bits in xtval
 *
 * With the built-in SBI an ecall from S-mode returns DTV_FX_SBI: the caller
 * then calls dtv_sbi_call().
 *
 * Return: DTV_FX_* bits.
 * Context: hart's own.
 */
u64 dtv_guest_system(struct dtv_hart *h, struct dtv_env *env, const struct dtv_insn *insn)
{
	switch (insn->op) {
	case DTV_OP_CSRRW:
	case DTV_OP_CSRRS:
	case DTV_OP_CSRRC:
	case DTV_OP_CSRRWI:
	case DTV_OP_CSRRSI:
	case DTV_OP_CSRRCI:
		return csr_insn(h, env, insn);
	case DTV_OP_ECALL:
		return ecall(h, env, insn);
	case DTV_OP_EBREAK:
		return dtv_guest_trap(h, DTV_EXC_BREAKPOINT, h->pc);
	case DTV_OP_SRET:
		if (h->priv == DTV_PRIV_U ||
		    (h->priv == DTV_PRIV_S && (h->mstatus & DTV_MSTATUS_TSR)))
			break;
		return dtv_guest_sret(h);
	case DTV_OP_MRET:
		if (h->priv != DTV_PRIV_M)
			break;
		return dtv_guest_mret(h);
	case DTV_OP_WFI:
		return wfi(h, insn);
	case DTV_OP_SFENCE_VMA:
	case DTV_OP_SINVAL_VMA:
		if (DTV_MUTANT(sinval_nothing, insn->op == DTV_OP_SINVAL_VMA, false)) {
			h->pc += insn->len;
			return 0;
		}
		return fence_vma(h, env, insn);
	case DTV_OP_SFENCE_W_INVAL:
	case DTV_OP_SFENCE_INVAL_IR:
		/* sinval.vma has done all already. */
		if (h->priv == DTV_MUTANT(sinval_user, 4, DTV_PRIV_U))
			break;
		h->pc += insn->len;
		return 0;
	case DTV_OP_FENCE:
		h->pc += insn->len;
		return 0;
	case DTV_OP_FENCE_I:
		h->pc += insn->len;
		return DTV_FX_FENCE_I;
	}
	return illegal(h, insn);
}
