// SPDX-License-Identifier: GPL-2.0-only
/*
 * trap.c - reset, entry into trap handlers and return from them, and which
 * interrupt is next (privileged manual 3.1.6.1, 3.1.8, 3.1.9, 3.3.2, 3.4).
 *
 * Everything here is a pure function of struct dtv_hart, any content of which
 * is accepted. No lock.
 */
#include "guest.h"

/* Machine-level priority order, 3.1.9. */
static const u8 irq_order[] = {
	DTV_IRQ_MEI, DTV_IRQ_MSI, DTV_IRQ_MTI, DTV_IRQ_SEI, DTV_IRQ_SSI, DTV_IRQ_STI,
};

/* A mode that exists, whatever the state says. */
static u32 hart_priv(const struct dtv_hart *h)
{
	u32 priv = READ_ONCE(h->priv) & 3;

	return priv == 2 ? DTV_PRIV_U : priv;
}

/**
 * dtv_guest_reset() - put a hart into its state after reset
 * @h: state; only the architectural part is written, not what connects the
 *     hart to its host (view, exit words)
 * @hartid: mhartid
 * @isa: DTV_ISA_* that it offers
 * @sbi: true: S-mode, as OpenSBI leaves a hart; false: M-mode
 *
 * With the built-in SBI there is no M-mode software that could take a trap:
 * all but ecalls from S and M are delegated. pc is 0: the caller sets it, and
 * a0, a1.
 *
 * Context: the hart is not running. Privileged manual 3.4.
 */
void dtv_guest_reset(struct dtv_hart *h, u64 hartid, u64 isa, bool sbi)
{
	size_t tail = offsetof(struct dtv_hart, resv_addr);

	memset(h->x, 0, sizeof(h->x));
	memset(h->f, 0, sizeof(h->f));
	memset((u8 *)h + tail, 0, sizeof(*h) - tail);
	h->pc = 0;
	h->resv_addr = ~0ULL;
	h->hartid = hartid;
	h->priv = DTV_PRIV_M;
	h->mstatus = 2ULL << 32 | 2ULL << 34; /* UXL, SXL: 64 bits */
	h->isa = isa;
	h->menvcfg = dtv_guest_envcfg(isa, sbi);
	h->stimecmp = ~0ULL;
	h->mxcsr = 0;
	h->mxcsr = dtv_fp_mxcsr(h);
	if (!sbi)
		return;

	h->priv = DTV_PRIV_S;
	h->mstatus |= 1ULL << DTV_MSTATUS_FS_SHIFT; /* Initial */
	h->mideleg = DTV_MIDELEG_MASK;
	dtv_guest_stateen(h);
	h->medeleg = DTV_MEDELEG_MASK & ~BIT_ULL(DTV_EXC_ECALL_S);
	h->mcounteren = 0xffffffff;
	h->scounteren = 7;
	/* One entry that gives everything: without a match S and U have nothing. */
	h->pmpaddr[0] = GENMASK_ULL(53, 0);
	h->pmpcfg[0] = 0x1f;
}

/**
 * dtv_guest_mip() - mip as software sees it
 * @h: state
 * @lines: bits driven from outside
 *
 * STIP is the Sstc comparator's while menvcfg.STCE is set, M-mode software's
 * otherwise; SEIP is both ORed (3.1.9).
 *
 * Context: any.
 */
u64 dtv_guest_mip(const struct dtv_hart *h, u64 lines)
{
	u64 soft = READ_ONCE(h->mip) &
		   (BIT_ULL(DTV_IRQ_SSI) | BIT_ULL(DTV_IRQ_STI) | BIT_ULL(DTV_IRQ_SEI));

	if (READ_ONCE(h->menvcfg) & DTV_ENVCFG_STCE)
		soft &= ~BIT_ULL(DTV_IRQ_STI);
	else
		lines &= ~BIT_ULL(DTV_IRQ_STI);
	return soft | (lines & DTV_MIP_MASK & ~BIT_ULL(DTV_IRQ_SSI));
}

static u64 vector(u64 tvec, u64 cause)
{
	u64 base = tvec & ~3ULL;

	if ((tvec & 3) == DTV_MUTANT(tvec_vectored, 2, 1) && (cause & DTV_CAUSE_INTERRUPT))
		base += 4 * (cause & 63);
	return base;
}

/**
 * dtv_guest_trap() - enter the trap handler for an exception or interrupt
 * @h: state; pc is the faulting instruction's
 * @cause: enum dtv_exc, or DTV_CAUSE_INTERRUPT | enum dtv_irq
 * @tval: value for xtval
 *
 * An LR's reservation ends with the trap, so that the handler's LR/SC pairs
 * cannot make one of the interrupted code succeed.
 *
 * Return: DTV_FX_TRAP | DTV_FX_REGIME.
 * Context: hart's own. Privileged manual 3.1.6.1, 3.1.8, 4.1.1.
 */
u64 dtv_guest_trap(struct dtv_hart *h, u64 cause, u64 tval)
{
	u64 deleg = cause & DTV_CAUSE_INTERRUPT ? h->mideleg : h->medeleg;
	u32 priv = hart_priv(h);
	u64 status = h->mstatus;

	h->resv_addr = DTV_MUTANT(resv_trap, h->resv_addr, ~0ULL);
	if (priv != DTV_MUTANT(trap_deleg_m, 4, DTV_PRIV_M) && (deleg & BIT_ULL(cause & 63))) {
		h->sepc = h->pc & ~1ULL;
		h->scause = cause;
		h->stval = tval;
		status &= ~(DTV_MSTATUS_SPP | DTV_MSTATUS_SPIE);
		if (priv == DTV_MUTANT(trap_spp, DTV_PRIV_M, DTV_PRIV_S))
			status |= DTV_MSTATUS_SPP;
		if (status & DTV_MSTATUS_SIE)
			status |= DTV_MSTATUS_SPIE;
		status &= ~DTV_MSTATUS_SIE;
		h->priv = DTV_PRIV_S;
		h->pc = vector(h->stvec, cause);
	} else {
		h->mepc = (h->pc + DTV_MUTANT(trap_epc, 4, 0)) & ~1ULL;
		h->mcause = cause;
		h->mtval = tval;
		status &= ~(DTV_MSTATUS_MPP | DTV_MSTATUS_MPIE);
		status |= (u64)priv << DTV_MSTATUS_MPP_SHIFT;
		if (status & DTV_MSTATUS_MIE)
			status |= DTV_MSTATUS_MPIE;
		status &= ~DTV_MSTATUS_MIE;
		h->priv = DTV_PRIV_M;
		h->pc = vector(h->mtvec, cause);
	}
	h->mstatus = status;
	return DTV_FX_TRAP | DTV_FX_REGIME;
}

/**
 * dtv_guest_sret() - return from an S-mode handler; the caller checked that it is allowed
 * @h: state
 *
 * Return: DTV_FX_* bits.
 * Context: hart's own. Privileged manual 3.1.6.1, 3.3.2.
 */
u64 dtv_guest_sret(struct dtv_hart *h)
{
	u64 status = h->mstatus & ~(DTV_MSTATUS_SIE | DTV_MSTATUS_MPRV);

	h->priv = status & DTV_MSTATUS_SPP ? DTV_PRIV_S : DTV_PRIV_U;
	if (status & DTV_MSTATUS_SPIE)
		status |= DTV_MSTATUS_SIE;
	status |= DTV_MSTATUS_SPIE;
	h->mstatus = status & ~DTV_MUTANT(sret_spp, 0, DTV_MSTATUS_SPP);
	h->pc = h->sepc & ~1ULL;
	return DTV_FX_REGIME | DTV_FX_IRQ;
}

/**
 * dtv_guest_mret() - return from an M-mode handler; the caller checked that it is allowed
 * @h: state
 *
 * Return: DTV_FX_* bits.
 * Context: hart's own. Privileged manual 3.1.6.1, 3.3.2.
 */
u64 dtv_guest_mret(struct dtv_hart *h)
{
	u64 status = h->mstatus & ~DTV_MSTATUS_MIE;
	u32 priv = (status & DTV_MSTATUS_MPP) >> DTV_MSTATUS_MPP_SHIFT;

	if (priv == 2)
		priv = DTV_PRIV_U;
	h->priv = priv;
	if (priv != DTV_MUTANT(mret_mprv, priv, DTV_PRIV_M))
		status &= ~DTV_MSTATUS_MPRV;
	if (status & DTV_MUTANT(mret_mpie, 0, DTV_MSTATUS_MPIE))
		status |= DTV_MSTATUS_MIE;
	status |= DTV_MSTATUS_MPIE;
	h->mstatus = status & ~DTV_MSTATUS_MPP;
	h->pc = h->mepc & ~1ULL;
	return DTV_FX_REGIME | DTV_FX_IRQ;
}

/**
 * dtv_guest_interrupt() - which interrupt is to be taken now
 * @h: state
 * @lines: mip bits driven from outside
 *
 * Return: interrupt number, or -1.
 * Context: any; @h may change meanwhile. Privileged manual 3.1.9, 4.1.3.
 */
int dtv_guest_interrupt(const struct dtv_hart *h, u64 lines)
{
	u64 pending = dtv_guest_mip(h, lines) & READ_ONCE(h->mie);
	u64 deleg = READ_ONCE(h->mideleg) & DTV_MIDELEG_MASK;
	u64 status = READ_ONCE(h->mstatus);
	u32 priv = hart_priv(h);
	u64 taken = 0;
	unsigned int i;

	if (priv != DTV_PRIV_M || (status & DTV_MSTATUS_MIE))
		taken = pending & ~deleg;
	if (!taken &&
	    (priv == DTV_PRIV_U ||
	     (priv == DTV_PRIV_S && (status & DTV_MUTANT(irq_masked, ~0ULL, DTV_MSTATUS_SIE)))))
		taken = pending & deleg;
	if (DTV_MUTANT(irq_order, taken, 0))
		return __builtin_ctzll(taken);
	for (i = 0; taken && i < ARRAY_SIZE(irq_order); i++)
		if (taken & BIT_ULL(irq_order[i]))
			return irq_order[i];
	return -1;
}

/**
 * dtv_guest_wfi_done() - whether wfi must not sleep
 * @h: state
 * @lines: mip bits driven from outside
 *
 * Neither the global enables nor delegation count (3.3.3).
 *
 * Context: any; @h may change meanwhile.
 */
bool dtv_guest_wfi_done(const struct dtv_hart *h, u64 lines)
{
	return dtv_guest_mip(h, lines) & READ_ONCE(h->mie);
}
