// SPDX-License-Identifier: GPL-2.0-or-later
/* test_system.c - instructions that are executed in C. */
#include "unit.h"

static bool trapped(const struct rig *r, u64 fx, u64 cause, u64 tval)
{
	return fx == (DTV_FX_TRAP | DTV_FX_REGIME) && r->h.mcause == cause && r->h.mtval == tval &&
	       r->h.mepc == RAM_BASE;
}

/* M-mode hart in the mode @priv, everything trapping to M. */
static void in_mode(struct rig *r, u32 priv, u64 status)
{
	rig_init(r, false);
	r->h.mtvec = RAM_BASE + 0x1000;
	r->h.priv = priv;
	r->h.mstatus |= status;
}

void test_system_csr(void)
{
	struct rig r;
	u64 fx;

	in_mode(&r, DTV_PRIV_M, 0);
	r.h.mscratch = 0xf0;
	r.h.x[5] = 0x3c;
	CHECK_EQ(rig_exec(&r, enc_csr(CSRRW, 0x340, 6, 5)), 0);
	CHECK_EQ(r.h.x[6], 0xf0);
	CHECK_EQ(r.h.mscratch, 0x3c);
	CHECK_EQ(r.h.pc, RAM_BASE + 4);
	rig_exec(&r, enc_csr(CSRRS, 0x340, 5, 6)); /* rd is also a source elsewhere */
	CHECK_EQ(r.h.x[5], 0x3c);
	CHECK_EQ(r.h.mscratch, 0xfc);
	rig_exec(&r, enc_csr(CSRRC, 0x340, 5, 5));
	CHECK_EQ(r.h.x[5], 0xfc);
	CHECK_EQ(r.h.mscratch, 0xc0);
	rig_exec(&r, enc_csr(CSRRWI, 0x340, 0, 31));
	CHECK_EQ(r.h.mscratch, 31);
	CHECK_EQ(r.h.x[0], 0);
	rig_exec(&r, enc_csr(CSRRSI, 0x340, 7, 0));
	CHECK_EQ(r.h.x[7], 31);
	rig_exec(&r, enc_csr(CSRRCI, 0x340, 7, 1));
	CHECK_EQ(r.h.mscratch, 30);
	/* Same register as source and destination. */
	r.h.x[8] = 1;
	rig_exec(&r, enc_csr(CSRRW, 0x340, 8, 8));
	CHECK_EQ(r.h.x[8], 30);
	CHECK_EQ(r.h.mscratch, 1);

	/* Read-only registers: CSRRS with x0 and CSRRSI with 0 do not write. */
	in_mode(&r, DTV_PRIV_M, 0);
	rig_exec(&r, enc_csr(CSRRS, 0xf14, 6, 0));
	CHECK_EQ(r.h.x[6], 2);
	rig_exec(&r, enc_csr(CSRRCI, 0xf14, 6, 0));
	CHECK_EQ(r.h.pc, RAM_BASE + 8);
	r.h.pc = RAM_BASE;
	r.h.x[6] = 99;
	fx = rig_exec(&r, enc_csr(CSRRS, 0xf14, 6, 1)); /* x1 is 0, but it is a write */
	CHECK(trapped(&r, fx, DTV_EXC_ILLEGAL, enc_csr(CSRRS, 0xf14, 6, 1)));
	CHECK_EQ(r.h.x[6], 99);
	in_mode(&r, DTV_PRIV_M, 0);
	fx = rig_exec(&r, enc_csr(CSRRW, 0xc00, 0, 0));
	CHECK(trapped(&r, fx, DTV_EXC_ILLEGAL, enc_csr(CSRRW, 0xc00, 0, 0)));

	/* mip: the SEIP line is read but not written back. */
	in_mode(&r, DTV_PRIV_M, 0);
	r.env.lines = BIT_ULL(DTV_IRQ_SEI);
	rig_exec(&r, enc_csr(CSRRSI, 0x344, 6, 2));
	CHECK_EQ(r.h.x[6], 0x200);
	CHECK_EQ(r.h.mip, 2);
	r.h.x[5] = 2;
	rig_exec(&r, enc_csr(CSRRC, 0x344, 6, 5));
	CHECK_EQ(r.h.x[6], 0x202);
	CHECK_EQ(r.h.mip, 0);
	r.h.x[5] = 0x200;
	rig_exec(&r, enc_csr(CSRRS, 0x344, 0, 5));
	CHECK_EQ(r.h.mip, 0x200);
	r.env.lines = 0;
	rig_exec(&r, enc_csr(CSRRS, 0x344, 6, 0));
	CHECK_EQ(r.h.x[6], 0x200);

	/* U-mode: counters only. */
	in_mode(&r, DTV_PRIV_U, 0);
	fx = rig_exec(&r, enc_csr(CSRRS, 0x100, 6, 0));
	CHECK(trapped(&r, fx, DTV_EXC_ILLEGAL, enc_csr(CSRRS, 0x100, 6, 0)));
}

void test_system_modes(void)
{
	static const struct {
		u32 raw;
		u32 priv;
		u64 status;
		bool ok;
	} cases[] = {
		{ SRET, DTV_PRIV_U, 0, false },
		{ SRET, DTV_PRIV_S, 0, true },
		{ SRET, DTV_PRIV_S, DTV_MSTATUS_TSR, false },
		{ SRET, DTV_PRIV_M, DTV_MSTATUS_TSR, true },
		{ MRET, DTV_PRIV_U, 0, false },
		{ MRET, DTV_PRIV_S, 0, false },
		{ MRET, DTV_PRIV_M, 0, true },
		{ WFI, DTV_PRIV_U, 0, false },
		{ WFI, DTV_PRIV_S, 0, true },
		{ WFI, DTV_PRIV_S, DTV_MSTATUS_TW, false },
		{ WFI, DTV_PRIV_M, DTV_MSTATUS_TW, true },
		{ SFENCE_VMA(0, 0), DTV_PRIV_U, 0, false },
		{ SFENCE_VMA(0, 0), DTV_PRIV_S, 0, true },
		{ SFENCE_VMA(0, 0), DTV_PRIV_S, DTV_MSTATUS_TVM, false },
		{ SFENCE_VMA(0, 0), DTV_PRIV_M, DTV_MSTATUS_TVM, true },
		{ 0x0000100f, DTV_PRIV_U, 0, true },
		{ 0x0ff0000f, DTV_PRIV_U, 0, true },
		{ 0xffffffff, DTV_PRIV_M, 0, false },
		{ 0x00000000, DTV_PRIV_M, 0, false },
	};
	struct rig r;
	unsigned int i;
	u64 fx;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		in_mode(&r, cases[i].priv, cases[i].status);
		r.h.sepc = RAM_BASE + 0x100;
		r.h.mepc = RAM_BASE + 0x200;
		fx = rig_exec(&r, cases[i].raw);
		if (cases[i].ok != !(fx & DTV_FX_TRAP))
			unit_fail(__FILE__, __LINE__, "allowed", i, cases[i].ok);
		if (!cases[i].ok && !trapped(&r, fx, DTV_EXC_ILLEGAL, cases[i].raw))
			unit_fail(__FILE__, __LINE__, "illegal trap", i, r.h.mcause);
	}

	in_mode(&r, DTV_PRIV_S, 0);
	CHECK_EQ(rig_exec(&r, WFI), DTV_FX_WFI | DTV_FX_IRQ);
	CHECK_EQ(r.h.pc, RAM_BASE + 4);
	CHECK_EQ(rig_exec(&r, 0x0000100f), DTV_FX_FENCE_I);
	CHECK_EQ(r.h.pc, RAM_BASE + 8);

	/* A compressed word's illegal trap has 16 bits in tval. */
	in_mode(&r, DTV_PRIV_U, 0);
	fx = rig_exec(&r, 0x12340004);
	CHECK(trapped(&r, fx, DTV_EXC_ILLEGAL, 0x0004));

	/* Svinval when offered. */
	in_mode(&r, DTV_PRIV_S, 0);
	r.env.isa &= ~DTV_ISA_SVINVAL;
	CHECK(rig_exec(&r, 0x16000073) & DTV_FX_TRAP);
	in_mode(&r, DTV_PRIV_S, 0);
	CHECK_EQ(rig_exec(&r, 0x18000073), 0);
	CHECK_EQ(rig_exec(&r, 0x18100073), 0);
	CHECK_EQ(rig_exec(&r, 0x16000073), DTV_FX_SFENCE);
	CHECK_EQ(r.h.pc, RAM_BASE + 12);
}

void test_system_ecall(void)
{
	struct rig r;
	u64 fx;

	in_mode(&r, DTV_PRIV_U, 0);
	fx = rig_exec(&r, ECALL);
	CHECK(trapped(&r, fx, DTV_EXC_ECALL_U, 0));
	in_mode(&r, DTV_PRIV_S, 0);
	fx = rig_exec(&r, ECALL);
	CHECK(trapped(&r, fx, DTV_EXC_ECALL_S, 0));
	in_mode(&r, DTV_PRIV_M, 0);
	fx = rig_exec(&r, ECALL);
	CHECK(trapped(&r, fx, DTV_EXC_ECALL_M, 0));

	/* Built-in SBI: S-mode's calls are answered, U-mode's go to S. */
	rig_init(&r, true);
	r.h.stvec = RAM_BASE + 0x40;
	CHECK_EQ(rig_exec(&r, ECALL), DTV_FX_SBI);
	CHECK_EQ(r.h.pc, RAM_BASE + 4);
	r.h.priv = DTV_PRIV_U;
	CHECK_EQ(rig_exec(&r, ECALL), DTV_FX_TRAP | DTV_FX_REGIME);
	CHECK_EQ(r.h.scause, DTV_EXC_ECALL_U);
	CHECK_EQ(r.h.sepc, RAM_BASE + 4);
	CHECK_EQ(r.h.pc, RAM_BASE + 0x40);
	CHECK_EQ(r.h.priv, DTV_PRIV_S);

	in_mode(&r, DTV_PRIV_U, 0);
	fx = rig_exec(&r, EBREAK);
	CHECK(trapped(&r, fx, DTV_EXC_BREAKPOINT, RAM_BASE));
	in_mode(&r, DTV_PRIV_U, 0);
	fx = rig_exec(&r, C_EBREAK);
	CHECK(trapped(&r, fx, DTV_EXC_BREAKPOINT, RAM_BASE));
}

void test_system_fence(void)
{
	struct rig r;

	rig_init(&r, true);
	r.h.x[5] = 0xffffffc000123456ULL;
	r.h.x[6] = 0xabc12345;
	CHECK_EQ(rig_exec(&r, SFENCE_VMA(0, 0)), DTV_FX_SFENCE);
	CHECK_EQ(r.env.fence.size, ~0ULL);
	CHECK_EQ(r.env.fence.asid, ~0ULL);
	CHECK_EQ(rig_exec(&r, SFENCE_VMA(5, 0)), DTV_FX_SFENCE);
	CHECK_EQ(r.env.fence.gva, 0xffffffc000123000ULL);
	CHECK_EQ(r.env.fence.size, 4096);
	CHECK_EQ(r.env.fence.asid, ~0ULL);
	CHECK_EQ(rig_exec(&r, SFENCE_VMA(0, 6)), DTV_FX_SFENCE);
	CHECK_EQ(r.env.fence.gva, 0);
	CHECK_EQ(r.env.fence.size, ~0ULL);
	CHECK_EQ(r.env.fence.asid, 0x2345);
	/* A register that holds 0 is not x0. */
	r.h.x[7] = 0;
	CHECK_EQ(rig_exec(&r, SFENCE_VMA(7, 7)), DTV_FX_SFENCE);
	CHECK_EQ(r.env.fence.gva, 0);
	CHECK_EQ(r.env.fence.size, 4096);
	CHECK_EQ(r.env.fence.asid, 0);
	CHECK_EQ(r.h.pc, RAM_BASE + 16);
}
