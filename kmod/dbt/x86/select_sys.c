// SPDX-License-Identifier: GPL-2.0-only
/*
 * select_sys.c - what of the S-mode privileged architecture runs without
 * leaving translated code: trap registers, the SIE and SUM bits of sstatus,
 * sret to U-mode, ecall from U-mode. Privileged manual chapter 4.1, 3.3.2.
 *
 * Only where it cannot be told from the C code: hart.c keeps the bases of the
 * views that may be switched to in hart->view_*, 0 where it has to be asked,
 * and hart->irq_hint where an enabled interrupt is pending that was masked
 * when it arrived. Code that unmasks looks at the hint after it has unmasked:
 * a kick sees either the new mask, or leaves the hint in time.
 */
#include "select.h"

#define CSR_SSTATUS 0x100
#define CSR_STVEC 0x105
#define CSR_SSCRATCH 0x140
#define CSR_SEPC 0x141
#define CSR_SCAUSE 0x142
#define CSR_STVAL 0x143

/* sstatus bits below 32 that this machine has. */
#define SSTATUS_LOW                                                                                \
	(DTV_MSTATUS_SIE | DTV_MSTATUS_SPIE | DTV_MSTATUS_SPP | DTV_MSTATUS_FS | DTV_MSTATUS_SUM | \
	 DTV_MSTATUS_MXR)

static void cold_system(struct dtv_tx *tx, enum x86_cc cc)
{
	dtv_tx_cold(tx, COLD_SYSTEM, jcc_rel32(&tx->b, cc));
}

/* rax = sstatus; changes rcx. */
static void read_sstatus(struct dtv_tx *tx)
{
	struct dtv_buf *b = &tx->b;

	mov32_rm(b, RAX, HART(mstatus));
	alu32_ri(b, ALU_AND, RAX, SSTATUS_LOW);
	/* SD: one added to FS = 3 carries into the empty bit above it. */
	lea32_rm(b, RCX, x86_base(RAX, 1 << DTV_MSTATUS_FS_SHIFT));
	alu32_ri(b, ALU_AND, RCX, 1 << (DTV_MSTATUS_FS_SHIFT + 2));
	shift_ri(b, SH_SHL, RCX, 63 - (DTV_MSTATUS_FS_SHIFT + 2));
	alu_rr(b, DTV_MUTANT(sd_bit, ALU_CMP, ALU_OR), RAX, RCX);
	/* UXL = 2: bts rax, 33 */
	x86_op_rr(b, X86_W | X86_0F, 0xba, 5, RAX);
	x86_byte(b, 33);
}

static void look_at_hint(struct dtv_tx *tx)
{
	alu32_mi(&tx->b, ALU_CMP, DTV_MUTANT(hint_lost, HART(x[0]), HART(irq_hint)), 0);
	dtv_tx_cold(tx, COLD_LOOK, jcc_rel32(&tx->b, CC_NE));
}

/* The data view becomes that of sstatus.SUM = @on. */
static void set_sum(struct dtv_tx *tx, bool on)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;

	if (on)
		mov_rm(b, RDX, HART(view_sum));
	else
		mov_rm(b, RDX, DTV_MUTANT(sum_view, HART(view_sum), HART(view_s)));
	test_rr(b, RDX, RDX);
	cold_system(tx, CC_E);
	if (in->rd)
		read_sstatus(tx);
	dtv_tx_entry(tx, ENTRY_BUSY);
	if (on)
		x86_alu_mi(b, 0, ALU_OR, HART(mstatus), DTV_MSTATUS_SUM);
	else
		x86_alu_mi(b, 0, ALU_AND, HART(mstatus), ~(s32)DTV_MSTATUS_SUM);
	mov_mr(b, HART(view_base), RDX);
	wrgsbase_r(b, RDX);
	commit(tx, in->rd, RAX);
}

/* sstatus.SIE is set or cleared. */
static void set_sie(struct dtv_tx *tx, bool on)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;

	if (in->rd)
		read_sstatus(tx);
	dtv_tx_entry(tx, ENTRY_BUSY);
	if (on)
		x86_alu_mi(b, 0, ALU_OR, HART(mstatus), DTV_MSTATUS_SIE);
	else
		x86_alu_mi(b, 0, ALU_AND, HART(mstatus), ~(s32)DTV_MSTATUS_SIE);
	commit(tx, in->rd, RAX);
	if (on)
		look_at_hint(tx);
}

/* csrrs sstatus, rs1 with a value that is not known: SIE alone, or C. */
static void or_sstatus(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;
	u8 s = src(tx, in->rs1, RDX);

	/* test r64, imm32, sign-extended: every bit but SIE. */
	x86_op_rr(b, X86_W, 0xf7, 0, s);
	x86_u32(b, ~(u32)DTV_MSTATUS_SIE);
	cold_system(tx, CC_NE);
	if (in->rd)
		read_sstatus(tx);
	dtv_tx_entry(tx, ENTRY_BUSY);
	x86_op_rm(b, 0, ALU_OR << 3 | 1, s, HART(mstatus));
	commit(tx, in->rd, RAX);
	look_at_hint(tx);
}

/*
 * Any write of sstatus, but for one that changes MXR: with it, translated code may switch to
 * no view. A value that is known is @value.
 */
static void write_sstatus(struct dtv_tx *tx, bool known, u64 value)
{
	const struct dtv_insn *in = &tx->insn;
	bool write = in->op == DTV_OP_CSRRW || in->op == DTV_OP_CSRRWI;
	bool clear = in->op == DTV_OP_CSRRC || in->op == DTV_OP_CSRRCI;
	struct dtv_buf *b = &tx->b;
	u8 *same;

	/* rdx = the new value, rcx = the old one. */
	if (known) {
		value &= SSTATUS_LOW;
		mov_ri(b, RDX, clear ? ~value & U32_MAX : value);
	} else {
		load_reg(tx, RDX, in->rs1);
		alu32_ri(b, ALU_AND, RDX, SSTATUS_LOW);
		if (clear)
			not_r(b, RDX);
	}
	mov32_rm(b, RCX, HART(mstatus));
	if (write) {
		mov32_rr(b, RAX, RCX);
		alu32_ri(b, ALU_AND, RAX, ~(s32)SSTATUS_LOW);
		alu32_rr(b, ALU_OR, RDX, RAX);
	} else {
		alu32_rr(b, clear ? ALU_AND : ALU_OR, RDX, RCX);
	}
	alu32_rr(b, ALU_XOR, RCX, RDX);
	test32_ri(b, RCX, DTV_MSTATUS_MXR);
	cold_system(tx, CC_NE);
	mov_rm(b, RAX, HART(view_s));
	test32_ri(b, RDX, DTV_MSTATUS_SUM);
	x86_op_rm(b, X86_W | X86_0F, 0x40 | CC_NE, RAX, HART(view_sum));
	test_rr(b, RAX, RAX);
	cold_system(tx, CC_E);
	dtv_tx_entry(tx, ENTRY_BUSY);
	test32_ri(b, RCX, DTV_MSTATUS_SUM);
	same = jcc_rel8(b, CC_E);
	mov_mr(b, HART(view_base), RAX);
	wrgsbase_r(b, RAX);
	x86_fix8(b, same, b->p);
	if (in->rd)
		read_sstatus(tx);
	mov32_mr(b, HART(mstatus), RDX);
	commit(tx, in->rd, RAX);
	if (!clear && (!known || (value & DTV_MSTATUS_SIE)))
		look_at_hint(tx);
	/* FS may be anything now. */
	dtv_tx_forget_checks(tx);
}

static bool sstatus(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;
	bool set = in->op == DTV_OP_CSRRS || in->op == DTV_OP_CSRRSI;
	bool imm = in->fmt == DTV_FMT_CSRI;
	u64 mask = in->rs1;

	if (in->rs1 == 0 && in->op != DTV_OP_CSRRW && in->op != DTV_OP_CSRRWI) {
		if (in->rd) {
			read_sstatus(tx);
			commit(tx, in->rd, RAX);
		}
		return true;
	}
	if (!imm) {
		if (in->rs1 && !(tx->facts.known & 1U << in->rs1)) {
			if (set)
				or_sstatus(tx);
			else
				write_sstatus(tx, false, 0);
			return true;
		}
		mask = in->rs1 ? tx->facts.value[in->rs1] : 0;
	}
	if (in->op == DTV_OP_CSRRW || in->op == DTV_OP_CSRRWI)
		write_sstatus(tx, true, mask);
	else if (mask == DTV_MSTATUS_SIE)
		set_sie(tx, set);
	else if (mask == DTV_MSTATUS_SUM)
		set_sum(tx, set);
	else
		write_sstatus(tx, true, mask);
	return true;
}

/* A register that is all storage, but for the bits outside of @keep, which read 0. */
static bool plain(struct dtv_tx *tx, struct x86_mem m, s32 keep)
{
	const struct dtv_insn *in = &tx->insn;
	struct dtv_buf *b = &tx->b;

	if (in->op == DTV_OP_CSRRW) {
		if (in->rd)
			mov_rm(b, RAX, m);
		load_reg(tx, RCX, in->rs1);
		if (keep != -1)
			alu_ri(b, ALU_AND, RCX, keep);
		dtv_tx_entry(tx, ENTRY_BUSY);
		mov_mr(b, m, RCX);
		commit(tx, in->rd, RAX);
		return true;
	}
	if ((in->op != DTV_OP_CSRRS && in->op != DTV_OP_CSRRC) || in->rs1)
		return false;
	if (in->rd) {
		u8 d = dst(tx, in->rd, RAX);

		mov_rm(b, d, m);
		commit(tx, in->rd, d);
	}
	return true;
}

static bool csr(struct dtv_tx *tx)
{
	switch (tx->insn.imm) {
	case CSR_SSTATUS:
		return sstatus(tx);
	case CSR_SSCRATCH:
		return plain(tx, HART(sscratch), -1);
	case CSR_SEPC:
		return plain(tx, HART(sepc), DTV_MUTANT(sepc_odd, -1, -2));
	case CSR_SCAUSE:
		return plain(tx, HART(scause), -1);
	case CSR_STVAL:
		return plain(tx, HART(stval), -1);
	}
	return false;
}

/* Data accesses go to the view in rdx, returns to nowhere: the class of the code changes. */
static void change_class(struct dtv_tx *tx)
{
	struct dtv_buf *b = &tx->b;

	mov_mr(b, HART(view_base), RDX);
	wrgsbase_r(b, RDX);
	lea_rm(b, RSP, x86_base(RBP, (s32)offsetof(struct dtv_area, rstack_top) - DTV_HART_BIAS));
	/* A trap out of a miss takes rsp from here: not what the class before left. */
	mov_mr(b, HART(rstack_sp), RSP);
}

static bool sret(struct dtv_tx *tx)
{
	struct dtv_buf *b = &tx->b;

	mov32_rm(b, RAX, HART(mstatus));
	/* Only to U-mode; TSR traps. */
	test32_ri(b, RAX, DTV_MSTATUS_SPP | DTV_MUTANT(tsr_ignored, 0, DTV_MSTATUS_TSR));
	cold_system(tx, CC_NE);
	mov_rm(b, RDX, HART(view_u));
	test_rr(b, RDX, RDX);
	cold_system(tx, CC_E);
	/* SIE = SPIE, SPIE = 1, MPRV = 0; SPP is 0. */
	mov32_rr(b, RCX, RAX);
	shift32_ri(b, SH_SHR, RCX, 4);
	alu32_ri(b, ALU_AND, RCX, DTV_MSTATUS_SIE);
	alu32_ri(b, ALU_AND, RAX, ~(s32)(DTV_MSTATUS_SIE | DTV_MSTATUS_MPRV));
	alu32_rr(b, DTV_MUTANT(sret_sie, ALU_CMP, ALU_OR), RAX, RCX);
	alu32_ri(b, ALU_OR, RAX, DTV_MUTANT(sret_spie, 0, DTV_MSTATUS_SPIE));
	dtv_tx_entry(tx, ENTRY_BUSY);
	mov32_mr(b, HART(mstatus), RAX);
	mov32_mi(b, HART(priv), DTV_PRIV_U);
	change_class(tx);
	mov_rm(b, RAX, HART(sepc));
	tx->count += DTV_MUTANT(count_sret, 0, 1);
	count_jump(tx);
	alu32_mi(b, ALU_CMP, HART(irq_hint), 0);
	dtv_tx_cold(tx, COLD_JUMP, jcc_rel32(b, CC_NE));
	jump_exit_to(tx, DTV_CLASS_U);
	tx->end = true;
	return true;
}

/* Delegated to S-mode, privileged manual 4.1.1, 4.1.7 to 4.1.9. */
static bool ecall(struct dtv_tx *tx)
{
	struct dtv_buf *b = &tx->b;

	mov_rm(b, RDX, HART(view_s));
	mov32_rm(b, RAX, HART(mstatus));
	test32_ri(b, RAX, DTV_MSTATUS_SUM);
	x86_op_rm(b, X86_W | X86_0F, 0x40 | CC_NE, RDX, HART(view_sum));
	test_rr(b, RDX, RDX);
	cold_system(tx, CC_E);
	x86_op_rm(b, 0, 0xf7, 0, HART(medeleg));
	x86_u32(b, 1U << DTV_EXC_ECALL_U);
	cold_system(tx, CC_E);
	/* SPIE = SIE, SIE = 0, SPP = 0. */
	lea32_rm(b, RCX, (struct x86_mem){ .base = X86_NO_REG, .index = RAX, .scale = 3 });
	shift32_ri(b, SH_SHL, RCX, 1);
	alu32_ri(b, ALU_AND, RCX, DTV_MUTANT(ecall_spie, 0, DTV_MSTATUS_SPIE));
	alu32_ri(b, ALU_AND, RAX, ~(s32)(DTV_MSTATUS_SIE | DTV_MSTATUS_SPIE | DTV_MSTATUS_SPP));
	alu32_rr(b, ALU_OR, RAX, RCX);
	mov_ri(b, RCX, tx->pc + DTV_MUTANT(ecall_epc, 4, 0));
	dtv_tx_entry(tx, ENTRY_BUSY);
	mov32_mr(b, HART(mstatus), RAX);
	mov_mr(b, HART(sepc), RCX);
	mov_mi(b, HART(scause), DTV_EXC_ECALL_U);
	mov_mi(b, HART(stval), 0);
	mov_mi(b, HART(resv_addr), -1);
	mov32_mi(b, HART(priv), DTV_PRIV_S);
	change_class(tx);
	mov_rm(b, RAX, HART(stvec));
	alu_ri(b, ALU_AND, RAX, -4);
	/* It does not retire (privileged manual 3.3.1). */
	tx->count += DTV_MUTANT(count_ecall_u, 1, 0);
	jump_exit_to(tx, DTV_CLASS_S);
	tx->end = true;
	return true;
}

bool dtv_x86_sys(struct dtv_tx *tx)
{
	switch (tx->insn.op) {
	case DTV_OP_CSRRW:
	case DTV_OP_CSRRS:
	case DTV_OP_CSRRC:
	case DTV_OP_CSRRWI:
	case DTV_OP_CSRRSI:
	case DTV_OP_CSRRCI:
		return tx->class == DTV_CLASS_S && opt(tx, DTV_OPT_CSR) && csr(tx);
	case DTV_OP_SRET:
		return tx->class == DTV_CLASS_S && opt(tx, DTV_OPT_SRET) && sret(tx);
	case DTV_OP_ECALL:
		return tx->class == DTV_CLASS_U && opt(tx, DTV_OPT_ECALL) && ecall(tx);
	}
	return false;
}
