// SPDX-License-Identifier: GPL-2.0-only
/*
 * pagetable.c - the Sv39 walk (privileged manual 4.3.2 and 4.4).
 *
 * Translates in a regime, sets A and D in guest memory, and says what the
 * regime may do with the page. Guest page tables are hostile and change while
 * they are read: each PTE is read once. Takes no lock. Physical memory
 * protection (3.7) is asked about PTEs and about the page that is found.
 */
#include "guest.h"
#include "../host.h"

#define LEVELS 3
#define VPN_BITS 9
#define VA_BITS 39

#define PTE_PPN_SHIFT 10
#define PTE_PPN GENMASK_ULL(53, 10)
#define PTE_RESERVED GENMASK_ULL(60, 54)
#define PTE_PBMT_RESERVED DTV_PTE_PBMT /* the fourth value of two bits */

/* Svnapot: the one size there is, 64 KiB, as the PPN's low bits say it. */
#define NAPOT_PAGES 16ULL
#define NAPOT_PPN (NAPOT_PAGES / 2)

static const u8 page_faults[] = {
	[DTV_ACCESS_READ] = DTV_EXC_LOAD_PAGE,
	[DTV_ACCESS_WRITE] = DTV_EXC_STORE_PAGE,
	[DTV_ACCESS_EXEC] = DTV_EXC_INSN_PAGE,
};

static const u8 access_faults[] = {
	[DTV_ACCESS_READ] = DTV_EXC_LOAD_ACCESS,
	[DTV_ACCESS_WRITE] = DTV_EXC_STORE_ACCESS,
	[DTV_ACCESS_EXEC] = DTV_EXC_INSN_ACCESS,
};

/**
 * dtv_guest_regime() - the regime that an access of a kind is made in
 * @h: state; every value of it is accepted
 * @acc: kind; fetches are not subject to MPRV
 * @r: result, normalised: what has no influence on the translation is 0, so
 *     that equal regimes compare equal
 *
 * Context: any. Privileged manual 3.1.6.3 (MPRV, MXR, SUM), 4.1.11 (satp).
 */
void dtv_guest_regime(const struct dtv_hart *h, enum dtv_access acc, struct dtv_regime *r)
{
	u64 status = READ_ONCE(h->mstatus);
	u64 satp = READ_ONCE(h->satp);
	u32 priv = READ_ONCE(h->priv) & 3;

	if (DTV_MUTANT(mprv_fetch, true, acc != DTV_ACCESS_EXEC) && priv == DTV_PRIV_M &&
	    (status & DTV_MSTATUS_MPRV))
		priv = (status & DTV_MSTATUS_MPP) >> DTV_MSTATUS_MPP_SHIFT;
	if (priv == 2) /* no such mode: only a corrupted state has it */
		priv = DTV_PRIV_U;
	if (priv == DTV_PRIV_M || satp >> DTV_SATP_MODE_SHIFT != DTV_SATP_MODE_SV39)
		satp = 0;
	r->pmp = h;
	r->satp = satp;
	r->priv = priv;
	r->sum = satp && priv == DTV_PRIV_S &&
		 (status & DTV_MUTANT(pt_sum, ~0ULL, DTV_MSTATUS_SUM));
	r->mxr = satp && (status & DTV_MUTANT(pt_mxr, 0, DTV_MSTATUS_MXR));
	r->adue = READ_ONCE(h->menvcfg) & DTV_ENVCFG_ADUE;
	r->pbmte = READ_ONCE(h->menvcfg) & DTV_ENVCFG_PBMTE;
	r->napot = READ_ONCE(h->isa) & DTV_ISA_SVNAPOT;
}

/* Whether the leaf's upper bits are such as the regime knows (chapters 5, 6). */
static bool leaf_legal(const struct dtv_regime *r, u64 pte, int level)
{
	/* All memory is coherent main memory here: the types make no difference. */
	if ((pte & DTV_PTE_PBMT) &&
	    (!DTV_MUTANT(pbmt_off, true, r->pbmte) ||
	     (pte & DTV_PTE_PBMT) == DTV_MUTANT(pbmt_reserved, 0, PTE_PBMT_RESERVED)))
		return false;
	if (!(pte & DTV_PTE_N))
		return true;
	return r->napot && level == 0 &&
	       ((pte & PTE_PPN) >> PTE_PPN_SHIFT & (NAPOT_PAGES - 1)) ==
		       DTV_MUTANT(napot_size, (pte & PTE_PPN) >> PTE_PPN_SHIFT & (NAPOT_PAGES - 1),
				  NAPOT_PPN);
}

/* Bits of struct dtv_walk.prot that the leaf gives in the regime, D not considered. */
static u8 leaf_rights(const struct dtv_regime *r, u64 pte)
{
	bool user = pte & DTV_PTE_U;
	bool data, exec;
	u8 prot = 0;

	if (r->priv == DTV_PRIV_U) {
		data = user;
		exec = user;
	} else {
		data = !user || r->sum;
		exec = DTV_MUTANT(pt_user_exec, true, !user);
	}
	if (data && ((pte & DTV_PTE_R) || (r->mxr && (pte & DTV_PTE_X))))
		prot |= BIT_ULL(DTV_ACCESS_READ);
	if (data && (pte & DTV_PTE_W))
		prot |= BIT_ULL(DTV_ACCESS_WRITE);
	if (exec && (pte & DTV_PTE_X))
		prot |= BIT_ULL(DTV_ACCESS_EXEC);
	return prot;
}

/* The last step: may the regime access the page at w->gpa, as far as PMP is concerned? */
static int check_page(const struct dtv_regime *r, enum dtv_access acc, struct dtv_walk *w)
{
	gpa_t page = w->gpa & DTV_PAGE_MASK, lo = page, hi = page + DTV_PAGE_SIZE;
	u8 rights;

	w->mixed = false;
	w->exc = 0;
	if (!r->pmp)
		return 0;
	rights = dtv_pmp_span(r->pmp, r->priv, w->gpa, &lo, &hi);
	if (hi - lo != DTV_PAGE_SIZE) {
		w->mixed = true;
		return 0;
	}
	w->prot &= rights;
	if (rights & BIT_ULL(acc))
		return 0;
	w->exc = access_faults[acc];
	return -1;
}

static int walk_bare(const struct dtv_regime *r, gva_t gva, enum dtv_access acc, struct dtv_walk *w)
{
	w->gpa = gva;
	w->pte = 0;
	w->level = LEVELS - 1;
	w->napot = false;
	w->prot = BIT_ULL(DTV_ACCESS_READ) | BIT_ULL(DTV_ACCESS_WRITE) | BIT_ULL(DTV_ACCESS_EXEC);
	w->global = true;
	return check_page(r, acc, w);
}

/**
 * dtv_guest_walk() - translate a guest virtual address
 * @vm: opaque, handed to dtv_host_ram()
 * @r: regime, from dtv_guest_regime()
 * @gva: address
 * @acc: access to be made
 * @w: result
 *
 * A, and D for writes, are set by compare-and-swap, or found missing where the
 * regime has Svade; when the PTE changed
 * meanwhile it is read again (4.3.2 step 7). Bare regimes translate to
 * themselves with all rights; whether anything stands at the gpa is the
 * caller's to find out.
 *
 * Return: 0, or -1 with w->exc set.
 * Context: any; takes no lock. Page-table pages are touched by dtv_host_ram().
 */
int dtv_guest_walk(void *vm, const struct dtv_regime *r, gva_t gva, enum dtv_access acc,
		   struct dtv_walk *w)
{
	u8 need = BIT_ULL(acc);
	gpa_t table, at;
	u64 pte, want, *slot;
	unsigned int shift;
	bool global = false;
	int level;
	u8 prot, pmp;

	if (!r->satp)
		return walk_bare(r, gva, acc, w);

	if (DTV_MUTANT(pt_canonical, gva, (u64)((s64)(gva << (64 - VA_BITS)) >> (64 - VA_BITS))) !=
	    gva)
		goto page_fault;

	table = (r->satp & DTV_SATP_PPN) << DTV_PAGE_SHIFT;
	for (level = LEVELS - 1; level >= 0; level--) {
		shift = DTV_PAGE_SHIFT + VPN_BITS * level;
		at = table + ((gva >> shift) & ((1 << VPN_BITS) - 1)) * 8;
		pmp = r->pmp ? dtv_pmp_rights(r->pmp, DTV_PRIV_S, at, 8) : ~0;
		slot = dtv_host_ram(vm, at);
		if (!slot || DTV_MUTANT(pmp_table, false, !(pmp & BIT_ULL(DTV_ACCESS_READ))))
			goto access_fault;
reread:
		pte = READ_ONCE(*slot);
		if (!(pte & DTV_PTE_V) || (pte & DTV_MUTANT(pt_reserved, 0, PTE_RESERVED)) ||
		    (pte & (DTV_PTE_R | DTV_PTE_W)) == DTV_PTE_W)
			goto page_fault;
		if (pte & (DTV_PTE_R | DTV_PTE_X))
			goto leaf;
		/* U, A, D, N and PBMT are reserved in a pointer to the next level. */
		if (pte & DTV_MUTANT(pt_pointer, 0,
				     DTV_PTE_U | DTV_PTE_A | DTV_PTE_D | DTV_PTE_N | DTV_PTE_PBMT))
			goto page_fault;
		global |= !!(pte & DTV_PTE_G);
		table = (pte & PTE_PPN) >> PTE_PPN_SHIFT << DTV_PAGE_SHIFT;
	}
	goto page_fault;

leaf:
	prot = leaf_rights(r, pte);
	if (!(prot & need) || !leaf_legal(r, pte, level))
		goto page_fault;
	w->gpa = (pte & PTE_PPN) >> PTE_PPN_SHIFT << DTV_PAGE_SHIFT;
	if (w->gpa & DTV_MUTANT(pt_misaligned, 0, BIT_ULL(shift) - 1)) /* misaligned superpage */
		goto page_fault;
	w->napot = pte & DTV_PTE_N;
	if (w->napot) {
		w->gpa &= ~((NAPOT_PAGES - 1) << DTV_PAGE_SHIFT);
		w->gpa |= gva & DTV_MUTANT(napot_first, 0, (NAPOT_PAGES - 1) << DTV_PAGE_SHIFT);
	}

	want = pte | DTV_MUTANT(pt_accessed, 0, DTV_PTE_A) |
	       (acc == DTV_ACCESS_WRITE ? DTV_MUTANT(pt_dirty, 0, DTV_PTE_D) : 0);
	if (want != pte) {
		if (!DTV_MUTANT(adue_always, true, r->adue))
			goto page_fault;
		if (DTV_MUTANT(pmp_dirty, false, !(pmp & BIT_ULL(DTV_ACCESS_WRITE))))
			goto access_fault;
		if (cmpxchg(slot, pte, want) != pte)
			goto reread;
		dtv_guest_pte_written(vm, at);
	}

	if (DTV_MUTANT(pt_dirty_map, false, DTV_MUTANT(pt_dirty, false, !(want & DTV_PTE_D))))
		prot &= ~BIT_ULL(DTV_ACCESS_WRITE);
	w->gpa |= gva & (BIT_ULL(shift) - 1);
	w->pte = want;
	w->level = level;
	w->prot = prot;
	w->global = global || (want & DTV_PTE_G);
	return check_page(r, acc, w);

access_fault:
	w->exc = access_faults[acc];
	return -1;

page_fault:
	w->exc = page_faults[acc];
	return -1;
}
