// SPDX-License-Identifier: GPL-2.0-only
/*
 * select_cbo.c - cache-block instructions (unprivileged manual chapter 19).
 *
 * cbo.zero is four stores of zeros, each of which may be made again; kernels
 * clear pages with it. The others have nothing to do but to check rights,
 * which C does. Prefetches are or-immediates to x0 and have no code.
 */
#include "select.h"

/* Leave to C, which raises the exception, unless the bit is set: menvcfg, senvcfg. */
static void allowed(struct dtv_tx *tx, struct x86_mem csr)
{
	test8_mi(&tx->b, csr, DTV_ENVCFG_CBZE);
	dtv_tx_cold(tx, COLD_SYSTEM, jcc_rel32(&tx->b, CC_E));
}

static void cbo_zero(struct dtv_tx *tx)
{
	struct dtv_buf *b = &tx->b;
	struct x86_mem m;
	unsigned int i;

	if (DTV_MUTANT(cbo_menvcfg, false, tx->class != DTV_CLASS_M))
		allowed(tx, HART(menvcfg));
	if (DTV_MUTANT(cbo_senvcfg, false, tx->class == DTV_CLASS_U))
		allowed(tx, HART(senvcfg));
	m = guest_mem(tx, tx->insn.rs1, 0, RCX);
	if (m.base == X86_NO_REG)
		mov_ri(b, RCX, (s64)m.disp);
	else
		mov_rr(b, RCX, m.base);
	alu_ri(b, ALU_AND, RCX, DTV_MUTANT(cbo_aligned, -16, -64));
	xorps_rrr(b, 0, 0, 0);
	for (i = 0; i < DTV_MUTANT(cbo_half, 32, 64); i += 16)
		movaps_mr(b, x86_view(RCX, i), 0);
}

bool dtv_x86_cbo(struct dtv_tx *tx)
{
	switch (tx->insn.op) {
	case DTV_OP_CBO_ZERO:
		cbo_zero(tx);
		return true;
	case DTV_OP_CBO_INVAL:
	case DTV_OP_CBO_CLEAN:
	case DTV_OP_CBO_FLUSH:
		system_exit(tx, DTV_EXIT_ACCESS, false);
		return true;
	}
	return false;
}
