// SPDX-License-Identifier: GPL-2.0-or-later
/* test_trap.c - traps in, out, and which interrupt. */
#include "unit.h"

static u64 field(const struct rig *r, u64 mask)
{
	return (r->h.mstatus & mask) / (mask & -mask);
}

void test_trap_delegation(void)
{
	static const u32 modes[] = { DTV_PRIV_U, DTV_PRIV_S, DTV_PRIV_M };
	unsigned int m, code, deleg;
	struct rig r;
	bool to_s;

	for (m = 0; m < ARRAY_SIZE(modes); m++) {
		for (code = 0; code < 16; code++) {
			for (deleg = 0; deleg < 2; deleg++) {
				rig_init(&r, false);
				r.h.priv = modes[m];
				r.h.medeleg = deleg ? BIT_ULL(code) : ~BIT_ULL(code);
				r.h.stvec = 0x1001;
				r.h.mtvec = 0x2001;
				r.h.mstatus |= DTV_MSTATUS_SIE | DTV_MSTATUS_MIE;
				r.h.resv_addr = 4;
				CHECK_EQ(dtv_guest_trap(&r.h, code, 0x77),
					 DTV_FX_TRAP | DTV_FX_REGIME);
				to_s = deleg && modes[m] != DTV_PRIV_M;
				CHECK_EQ(r.h.resv_addr, ~0ULL);
				CHECK_EQ(r.h.priv, to_s ? DTV_PRIV_S : DTV_PRIV_M);
				/* Exceptions do not use the vectors. */
				CHECK_EQ(r.h.pc, to_s ? 0x1000 : 0x2000);
				if (to_s) {
					CHECK_EQ(r.h.sepc, RAM_BASE);
					CHECK_EQ(r.h.scause, code);
					CHECK_EQ(r.h.stval, 0x77);
					CHECK_EQ(field(&r, DTV_MSTATUS_SPP), modes[m]);
					CHECK_EQ(field(&r, DTV_MSTATUS_SPIE), 1);
					CHECK_EQ(field(&r, DTV_MSTATUS_SIE), 0);
					CHECK_EQ(field(&r, DTV_MSTATUS_MIE), 1);
					CHECK_EQ(r.h.mcause, 0);
				} else {
					CHECK_EQ(r.h.mepc, RAM_BASE);
					CHECK_EQ(r.h.mcause, code);
					CHECK_EQ(r.h.mtval, 0x77);
					CHECK_EQ(field(&r, DTV_MSTATUS_MPP), modes[m]);
					CHECK_EQ(field(&r, DTV_MSTATUS_MPIE), 1);
					CHECK_EQ(field(&r, DTV_MSTATUS_MIE), 0);
					CHECK_EQ(field(&r, DTV_MSTATUS_SIE), 1);
				}
			}
		}
	}

	/* Nothing is left of the trap before. */
	rig_init(&r, false);
	r.h.priv = DTV_PRIV_U;
	r.h.medeleg = BIT_ULL(2);
	r.h.mstatus |= DTV_MSTATUS_SPP | DTV_MSTATUS_SPIE | DTV_MSTATUS_MPP | DTV_MSTATUS_MPIE;
	dtv_guest_trap(&r.h, 2, 0);
	CHECK_EQ(field(&r, DTV_MSTATUS_SPP), 0);
	CHECK_EQ(field(&r, DTV_MSTATUS_SPIE), 0);
	CHECK_EQ(field(&r, DTV_MSTATUS_MPP), 3);
	dtv_guest_trap(&r.h, 3, 0);
	CHECK_EQ(field(&r, DTV_MSTATUS_MPP), 1);
	CHECK_EQ(field(&r, DTV_MSTATUS_MPIE), 0);

	/* Interrupts: mideleg, vectors. */
	rig_init(&r, false);
	r.h.priv = DTV_PRIV_U;
	r.h.mideleg = BIT_ULL(DTV_IRQ_STI);
	r.h.medeleg = ~0ULL;
	r.h.stvec = 0x1001;
	r.h.mtvec = 0x2001;
	dtv_guest_trap(&r.h, DTV_CAUSE_INTERRUPT | DTV_IRQ_STI, 0);
	CHECK_EQ(r.h.pc, 0x1000 + 4 * DTV_IRQ_STI);
	CHECK_EQ(r.h.scause, 1ULL << 63 | 5);
	CHECK_EQ(r.h.priv, DTV_PRIV_S);
	CHECK_EQ(field(&r, DTV_MSTATUS_SPIE), 0);
	dtv_guest_trap(&r.h, DTV_CAUSE_INTERRUPT | DTV_IRQ_MEI, 0);
	CHECK_EQ(r.h.pc, 0x2000 + 4 * DTV_IRQ_MEI);
	CHECK_EQ(r.h.priv, DTV_PRIV_M);
	CHECK_EQ(field(&r, DTV_MSTATUS_MPP), DTV_PRIV_S);
	r.h.mtvec = 0x2000;
	dtv_guest_trap(&r.h, DTV_CAUSE_INTERRUPT | DTV_IRQ_MEI, 0);
	CHECK_EQ(r.h.pc, 0x2000);

	/* Reset under the built-in SBI: nothing but S's own calls would go to M. */
	rig_init(&r, true);
	CHECK_EQ(r.h.medeleg, 0xb1ff);
	CHECK_EQ(r.h.mideleg, 0x222);
	CHECK_EQ(r.h.priv, DTV_PRIV_S);
	CHECK_EQ(r.h.hartid, 2);
	CHECK_EQ(r.h.mxcsr, 0x1f80);
	CHECK_EQ(r.h.stimecmp, ~0ULL);
	rig_init(&r, false);
	CHECK_EQ(r.h.medeleg, 0);
	CHECK_EQ(r.h.priv, DTV_PRIV_M);

	/* Reset leaves the host's words alone. */
	r.h.host_sp = 1;
	r.h.exit_fd = 2;
	r.h.view_base = 3;
	r.h.f[31] = 4;
	r.h.pmpaddr[15] = 5;
	dtv_guest_reset(&r.h, 0, dtv_isa_all(), false);
	CHECK_EQ(r.h.host_sp, 1);
	CHECK_EQ(r.h.exit_fd, 2);
	CHECK_EQ(r.h.view_base, 3);
	CHECK_EQ(r.h.f[31], 0);
	CHECK_EQ(r.h.pmpaddr[15], 0);
}

void test_trap_return(void)
{
	struct rig r;
	u32 mpp;

	rig_init(&r, false);
	r.h.priv = DTV_PRIV_S;
	r.h.sepc = 0x1235;
	r.h.mstatus |= DTV_MSTATUS_SPP | DTV_MSTATUS_SPIE | DTV_MSTATUS_MPRV;
	CHECK_EQ(dtv_guest_sret(&r.h), DTV_FX_REGIME | DTV_FX_IRQ);
	CHECK_EQ(r.h.pc, 0x1234);
	CHECK_EQ(r.h.priv, DTV_PRIV_S);
	CHECK_EQ(field(&r, DTV_MSTATUS_SIE), 1);
	CHECK_EQ(field(&r, DTV_MSTATUS_SPIE), 1);
	CHECK_EQ(field(&r, DTV_MSTATUS_SPP), 0);
	CHECK_EQ(field(&r, DTV_MSTATUS_MPRV), 0);
	r.h.mstatus &= ~DTV_MSTATUS_SPIE;
	dtv_guest_sret(&r.h);
	CHECK_EQ(r.h.priv, DTV_PRIV_U);
	CHECK_EQ(field(&r, DTV_MSTATUS_SIE), 0);
	CHECK_EQ(field(&r, DTV_MSTATUS_SPIE), 1);

	/* The mode is SPP's and the enable SPIE's, not the other way round. */
	r.h.mstatus |= DTV_MSTATUS_SPIE;
	r.h.mstatus &= ~(DTV_MSTATUS_SPP | DTV_MSTATUS_SIE);
	dtv_guest_sret(&r.h);
	CHECK_EQ(r.h.priv, DTV_PRIV_U);
	CHECK_EQ(field(&r, DTV_MSTATUS_SIE), 1);

	for (mpp = 0; mpp < 4; mpp++) {
		rig_init(&r, false);
		r.h.mepc = 0x4000;
		r.h.mstatus |= (u64)mpp << 11 | DTV_MSTATUS_MPIE | DTV_MSTATUS_MPRV;
		CHECK_EQ(dtv_guest_mret(&r.h), DTV_FX_REGIME | DTV_FX_IRQ);
		CHECK_EQ(r.h.pc, 0x4000);
		CHECK_EQ(r.h.priv, mpp == 2 ? 0 : mpp);
		CHECK_EQ(field(&r, DTV_MSTATUS_MIE), 1);
		CHECK_EQ(field(&r, DTV_MSTATUS_MPIE), 1);
		CHECK_EQ(field(&r, DTV_MSTATUS_MPP), 0);
		CHECK_EQ(field(&r, DTV_MSTATUS_MPRV), mpp == 3);
	}
}

void test_trap_interrupts(void)
{
	static const u8 order[] = { 11, 3, 7, 9, 1, 5 };
	unsigned int i;
	struct rig r;
	u64 all = 0xaa8;

	/* All pending, taken by M one after the other. */
	rig_init(&r, false);
	r.h.menvcfg = DTV_ENVCFG_STCE;
	r.h.mie = 0xaaa;
	r.h.mip = 2;
	r.h.mstatus |= DTV_MSTATUS_MIE;
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		CHECK_EQ(dtv_guest_interrupt(&r.h, all), order[i]);
		r.h.mie &= ~BIT_ULL(order[i]);
	}
	CHECK_EQ(dtv_guest_interrupt(&r.h, all), -1);
	CHECK(!dtv_guest_wfi_done(&r.h, all));

	r.h.mie = 0xaaa;
	r.h.mstatus &= ~DTV_MSTATUS_MIE;
	CHECK_EQ(dtv_guest_interrupt(&r.h, all), -1);
	CHECK(dtv_guest_wfi_done(&r.h, all));
	r.h.priv = DTV_PRIV_S; /* below M the enable does not count */
	CHECK_EQ(dtv_guest_interrupt(&r.h, all), DTV_IRQ_MEI);

	/* Delegated ones wait for the others, and for SIE. */
	r.h.mideleg = 0x222;
	r.h.mie = 0x222;
	CHECK_EQ(dtv_guest_interrupt(&r.h, all), -1);
	r.h.mstatus |= DTV_MSTATUS_SIE;
	CHECK_EQ(dtv_guest_interrupt(&r.h, all), DTV_IRQ_SEI);
	r.h.mie |= BIT_ULL(DTV_IRQ_MTI);
	CHECK_EQ(dtv_guest_interrupt(&r.h, all), DTV_IRQ_MTI);
	r.h.mie = 0x222;
	r.h.mstatus &= ~DTV_MSTATUS_SIE;
	r.h.priv = DTV_PRIV_U;
	CHECK_EQ(dtv_guest_interrupt(&r.h, all), DTV_IRQ_SEI);
	CHECK_EQ(dtv_guest_interrupt(&r.h, BIT_ULL(DTV_IRQ_STI)), DTV_IRQ_SSI);
	r.h.mip = 0;
	CHECK_EQ(dtv_guest_interrupt(&r.h, BIT_ULL(DTV_IRQ_STI)), DTV_IRQ_STI);
	CHECK_EQ(dtv_guest_interrupt(&r.h, 0), -1);
	r.h.priv = DTV_PRIV_M; /* never to a lower mode */
	r.h.mstatus |= DTV_MSTATUS_SIE | DTV_MSTATUS_MIE;
	CHECK_EQ(dtv_guest_interrupt(&r.h, all), -1);

	/* Without STCE the line is nothing, software's bit counts. */
	r.h.priv = DTV_PRIV_U;
	r.h.menvcfg = 0;
	CHECK_EQ(dtv_guest_interrupt(&r.h, BIT_ULL(DTV_IRQ_STI)), -1);
	r.h.mip = BIT_ULL(DTV_IRQ_STI);
	CHECK_EQ(dtv_guest_interrupt(&r.h, 0), DTV_IRQ_STI);
}
