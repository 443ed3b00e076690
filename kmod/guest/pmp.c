// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmp.c - physical memory protection: what a privilege mode may do where
 * (privileged manual 3.7). The registers are csr.c's.
 *
 * Entries are looked at in order, and the first that matches any byte of an access
 * decides: it has to match all bytes. Pure functions of struct dtv_hart, any content of
 * which is accepted. No lock.
 */
#include "guest.h"

#define PMP_A 0x18
#define PMP_A_TOR 0x08
#define PMP_A_NA4 0x10
#define PMP_A_NAPOT 0x18
#define PMP_L 0x80
#define PMP_RWX 0x07

#define ADDR_BITS 54
#define SPACE_END BIT_ULL(ADDR_BITS + 2)

/* Bytes [lo, hi) that entry @i matches; empty when it is off. */
static void entry_range(const struct dtv_hart *h, unsigned int i, gpa_t *lo, gpa_t *hi)
{
	u64 addr = READ_ONCE(h->pmpaddr[i]) & (BIT_ULL(ADDR_BITS) - 1), ones;

	*lo = 0;
	*hi = 0;
	switch (READ_ONCE(h->pmpcfg[i]) & PMP_A) {
	case PMP_A_TOR:
		if (i)
			*lo = (READ_ONCE(h->pmpaddr[i - 1]) & (BIT_ULL(ADDR_BITS) - 1)) << 2;
		*hi = addr << 2;
		break;
	case PMP_A_NA4:
		*lo = addr << 2;
		*hi = *lo + 4;
		break;
	case PMP_A_NAPOT:
		/* n trailing ones: 2^(n + 3) bytes. */
		ones = addr ^ (addr + 1);
		*lo = (addr & ~ones) << 2;
		*hi = *lo + ((ones + 1) << DTV_MUTANT(pmp_napot, 3, 2));
		break;
	}
}

/* No enum dtv_access has other numbers than bits of pmpcfg. */
static u8 entry_rights(const struct dtv_hart *h, unsigned int i, u32 priv)
{
	u8 cfg = READ_ONCE(h->pmpcfg[i]);

	BUILD_BUG_ON(DTV_ACCESS_READ != 0 || DTV_ACCESS_WRITE != 1 || DTV_ACCESS_EXEC != 2);
	if (priv == DTV_PRIV_M && !(cfg & PMP_L))
		return DTV_MUTANT(pmp_machine, cfg, PMP_RWX) & PMP_RWX;
	return cfg & PMP_RWX;
}

/**
 * dtv_pmp_rights() - what a mode may do with some bytes in one access
 * @h: state
 * @priv: effective mode (after MPRV); walks of page tables are S
 * @gpa: first byte
 * @len: bytes, not 0
 *
 * Return: bit per enum dtv_access; 0 when the deciding entry does not match all bytes.
 * Context: any. Privileged manual 3.7.1.3.
 */
u8 dtv_pmp_rights(const struct dtv_hart *h, u32 priv, gpa_t gpa, u64 len)
{
	unsigned int i;
	gpa_t lo, hi;

	for (i = 0; i < DTV_NR_PMP; i++) {
		entry_range(h, i, &lo, &hi);
		if (lo >= hi || hi <= gpa || lo >= gpa + len)
			continue;
		if (DTV_MUTANT(pmp_partial, false, lo > gpa || hi < gpa + len))
			return 0;
		return entry_rights(h, i, priv);
	}
	return priv == DTV_PRIV_M || DTV_MUTANT(pmp_nothing, true, false) ? PMP_RWX : 0;
}

/**
 * dtv_pmp_span() - the bytes around one for which the same entry decides
 * @h: state
 * @priv: effective mode
 * @gpa: the byte
 * @from: in: first byte to look at; out: first byte of the span
 * @to: the same for the end, exclusive
 *
 * Return: bit per enum dtv_access, alike for all bytes of the span.
 * Context: any.
 */
u8 dtv_pmp_span(const struct dtv_hart *h, u32 priv, gpa_t gpa, gpa_t *from, gpa_t *to)
{
	unsigned int i;
	gpa_t lo, hi;

	for (i = 0; i < DTV_NR_PMP; i++) {
		entry_range(h, i, &lo, &hi);
		if (lo >= hi)
			continue;
		if (lo <= gpa && gpa < hi) {
			*from = max(*from, lo);
			*to = min(*to, hi);
			return entry_rights(h, i, priv);
		}
		/* Those before the one that matches are on one side. */
		if (hi <= gpa)
			*from = max(*from, hi);
		else
			*to = min(*to, lo);
	}
	return priv == DTV_PRIV_M || DTV_MUTANT(pmp_nothing, true, false) ? PMP_RWX : 0;
}

/**
 * dtv_pmp_open() - whether nothing is protected from any mode
 * @h: state
 *
 * True of a hart whose first entry gives all memory to everybody, and no entry is locked.
 *
 * Context: any.
 */
bool dtv_pmp_open(const struct dtv_hart *h)
{
	gpa_t lo = 0, hi = SPACE_END;
	unsigned int i;

	for (i = 0; i < DTV_NR_PMP; i++)
		if (READ_ONCE(h->pmpcfg[i]) & PMP_L)
			return false;
	return dtv_pmp_span(h, DTV_PRIV_U, 0, &lo, &hi) == PMP_RWX && !lo && hi == SPACE_END;
}
