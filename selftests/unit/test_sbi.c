// SPDX-License-Identifier: GPL-2.0-or-later
/* test_sbi.c - SBI 2.0 calls, good and bad. */
#include "unit.h"

#define BASE 0x10
#define TIME 0x54494d45
#define IPI 0x735049
#define RFNC 0x52464e43
#define HSM 0x48534d
#define SRST 0x53525354
#define DBCN 0x4442434e

#define NOT_SUPPORTED (-2LL)
#define INVALID_PARAM (-3LL)
#define INVALID_ADDRESS (-5LL)
#define ALREADY_AVAILABLE (-6LL)

#define MARK 0x5555aaaa5555aaaaULL

static struct rig rig;
static u64 effects;

/* Returns a0; a1 is in rig.h.x[11]. */
static s64 call(u64 eid, u64 fid, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
	rig.h.x[10] = a0;
	rig.h.x[11] = a1;
	rig.h.x[12] = a2;
	rig.h.x[13] = a3;
	rig.h.x[14] = a4;
	rig.h.x[15] = MARK;
	rig.h.x[16] = fid;
	rig.h.x[17] = eid;
	effects = dtv_sbi_call(&machine.cpus[0], &rig.h, &rig.env);
	return rig.h.x[10];
}

void test_sbi_base(void)
{
	static const u64 offered[] = { 0, 1, 2, 8, BASE, TIME, IPI, RFNC, HSM, SRST, DBCN };
	static const u64 missing[] = { 3, 4, 5, 6, 7, 9, 0x11, 0x504d55, 0x53555350, ~0ULL,
				       0x100000010, 0x1000000000000000ULL };
	unsigned int i;
	u64 fid;

	rig_init(&rig, true);
	CHECK_EQ(call(BASE, 0, 0, 0, 0, 0, 0), 0);
	CHECK_EQ(rig.h.x[11], 0x2000000);
	CHECK_EQ(effects, 0);
	CHECK_EQ(call(BASE, 1, 0, 0, 0, 0, 0), 0);
	CHECK_EQ(rig.h.x[11], 0x647476);
	CHECK_EQ(call(BASE, 2, 0, 0, 0, 0, 0), 0);
	for (fid = 4; fid <= 6; fid++) {
		CHECK_EQ(call(BASE, fid, 1, 1, 0, 0, 0), 0);
		CHECK_EQ(rig.h.x[11], 0);
	}
	CHECK_EQ(call(BASE, 7, 0, 0, 0, 0, 0), NOT_SUPPORTED);
	for (i = 0; i < ARRAY_SIZE(offered); i++) {
		CHECK_EQ(call(BASE, 3, offered[i], 9, 0, 0, 0), 0);
		CHECK_EQ(rig.h.x[11], 1);
		if (offered[i] > 8)
			CHECK_EQ(call(offered[i], 1000, 0, 0, 0, 0, 0), NOT_SUPPORTED);
	}
	for (i = 0; i < ARRAY_SIZE(missing); i++) {
		CHECK_EQ(call(BASE, 3, missing[i], 9, 0, 0, 0), 0);
		CHECK_EQ(rig.h.x[11], 0);
		CHECK_EQ(call(missing[i], 0, 1, 1, 1, 1, 1), NOT_SUPPORTED);
		CHECK_EQ(effects, 0);
	}
	/* Registers beside a0 and a1 are preserved. */
	CHECK_EQ(rig.h.x[15], MARK);
	CHECK_EQ(rig.h.x[12], 1);
}

void test_sbi_time(void)
{
	rig_init(&rig, true);
	CHECK_EQ(call(TIME, 0, 0x123456789abcdefULL, 0, 0, 0, 0), 0);
	CHECK_EQ(rig.h.stimecmp, 0x123456789abcdefULL);
	CHECK_EQ(effects, DTV_FX_TIMER | DTV_FX_IRQ);
	CHECK_EQ(call(TIME, 1, 5, 0, 0, 0, 0), NOT_SUPPORTED);
	CHECK_EQ(rig.h.stimecmp, 0x123456789abcdefULL);
}

void test_sbi_ipi_fence(void)
{
	rig_init(&rig, true);
	CHECK_EQ(call(IPI, 0, 0x5, 0, 0, 0, 0), 0);
	CHECK_EQ(machine.ipis, 5);
	machine.ipis = 0;
	CHECK_EQ(call(IPI, 0, 0x3, 2, 0, 0, 0), 0);
	CHECK_EQ(machine.ipis, 0xc);
	machine.ipis = 0;
	CHECK_EQ(call(IPI, 0, 0, ~0ULL, 0, 0, 0), 0); /* all */
	CHECK_EQ(machine.ipis, 0xf);
	machine.ipis = 0;
	CHECK_EQ(call(IPI, 0, 0x7, 2, 0, 0, 0), INVALID_PARAM); /* hart 4 does not exist */
	CHECK_EQ(call(IPI, 0, 1ULL << 63, 0, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(call(IPI, 0, 1, 64, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(call(IPI, 0, 4, ~0ULL - 1, 0, 0, 0), INVALID_PARAM); /* does not wrap to hart 0 */
	CHECK_EQ(call(IPI, 0, 0, 4, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(machine.ipis, 0); /* nobody was interrupted by the bad ones */
	CHECK_EQ(call(IPI, 0, 0, 3, 0, 0, 0), 0);
	CHECK_EQ(machine.ipis, 0);

	CHECK_EQ(call(RFNC, 0, 0x2, 0, 0, 0, 0), 0);
	CHECK_EQ(machine.fence_mask, 2);
	CHECK(machine.fence_i);
	CHECK_EQ(call(RFNC, 1, 0, ~0ULL, 0x1234, 0x1000, 0), 0);
	CHECK_EQ(machine.fence_mask, 0xf);
	CHECK(!machine.fence_i);
	CHECK_EQ(machine.fence.gva, 0x1000);
	CHECK_EQ(machine.fence.size, 0x2000);
	CHECK_EQ(machine.fence.asid, ~0ULL);
	CHECK_EQ(call(RFNC, 2, 1, 0, 0xffffffc000000000ULL, 0x1000, 7), 0);
	CHECK_EQ(machine.fence.gva, 0xffffffc000000000ULL);
	CHECK_EQ(machine.fence.size, 0x1000);
	CHECK_EQ(machine.fence.asid, 7);
	call(RFNC, 1, 1, 0, 0, 0, 0); /* everything */
	CHECK_EQ(machine.fence.size, ~0ULL);
	call(RFNC, 1, 1, 0, 0x5000, ~0ULL, 0);
	CHECK_EQ(machine.fence.size, ~0ULL);
	call(RFNC, 1, 1, 0, ~0ULL - 100, 0x1000, 0); /* wraps: everything */
	CHECK_EQ(machine.fence.size, ~0ULL);
	call(RFNC, 1, 1, 0, ~0ULL - 0x1000, 0x1000, 0);
	CHECK_EQ(machine.fence.size, ~0ULL);
	machine.fence_mask = 0;
	CHECK_EQ(call(RFNC, 1, 1, 0, 0x5000, 0, 0), 0); /* no bytes, nothing to do */
	CHECK_EQ(call(RFNC, 1, 0, 0, 0, 0, 0), 0); /* no harts */
	CHECK_EQ(machine.fence_mask, 0);
	CHECK_EQ(call(RFNC, 1, 0x10, 0, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(call(RFNC, 3, 1, 0, 0, 0, 0), NOT_SUPPORTED);
	CHECK_EQ(machine.fence_mask, 0);
}

void test_sbi_hsm(void)
{
	rig_init(&rig, true);
	CHECK_EQ(call(HSM, 2, 0, 0, 0, 0, 0), 0);
	CHECK_EQ(rig.h.x[11], 0);
	CHECK_EQ(call(HSM, 2, 1, 0, 0, 0, 0), 0);
	CHECK_EQ(rig.h.x[11], 1);
	CHECK_EQ(call(HSM, 2, 4, 0, 0, 0, 0), INVALID_PARAM);

	CHECK_EQ(call(HSM, 0, ~0ULL, RAM_BASE, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(call(HSM, 0, 1, 0x1000, 0, 0, 0), INVALID_ADDRESS);
	CHECK_EQ(call(HSM, 0, 1, RAM_BASE + 1, 0, 0, 0), INVALID_ADDRESS);
	CHECK_EQ(machine.hsm[1], 1);
	CHECK_EQ(call(HSM, 0, 1, RAM_BASE + 0x400, 0x77, 0, 0), 0);
	CHECK_EQ(machine.hsm[1], 2);
	CHECK_EQ(machine.start_pc, RAM_BASE + 0x400);
	CHECK_EQ(machine.start_arg, 0x77);
	CHECK_EQ(call(HSM, 0, 1, RAM_BASE, 0, 0, 0), ALREADY_AVAILABLE);
	CHECK_EQ(call(HSM, 0, 0, RAM_BASE, 0, 0, 0), ALREADY_AVAILABLE);

	call(HSM, 1, 0, 0, 0, 0, 0);
	CHECK_EQ(machine.hsm[0], 1);
	CHECK_EQ(effects, DTV_FX_WFI);

	CHECK_EQ(call(HSM, 3, 0, 0, 0, 0, 0), 0);
	CHECK_EQ(effects, DTV_FX_WFI | DTV_FX_IRQ);
	CHECK_EQ(machine.hsm[0], 4);
	machine.hsm[0] = 0;
	CHECK_EQ(call(HSM, 3, 1, 0, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(effects, 0);
	CHECK_EQ(call(HSM, 3, 0x10000000, 0, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(call(HSM, 3, 0x80000000, 0x10, 5, 0, 0), INVALID_ADDRESS);
	CHECK_EQ(effects, 0);
	CHECK_EQ(machine.hsm[0], 0);
	rig.h.satp = 8ULL << 60;
	rig.h.mstatus |= DTV_MSTATUS_SIE;
	call(HSM, 3, 0xffffffff80000000ULL, RAM_BASE + 0x100, 0x99, 0, 0);
	CHECK_EQ(rig.h.pc, RAM_BASE + 0x100);
	CHECK_EQ(rig.h.satp, 0);
	CHECK_EQ(rig.h.mstatus & DTV_MSTATUS_SIE, 0);
	CHECK_EQ(rig.h.x[10], 2); /* hart id */
	CHECK_EQ(rig.h.x[11], 0x99);
	CHECK_EQ(machine.hsm[0], 4);
	CHECK_EQ(effects, DTV_FX_WFI | DTV_FX_IRQ | DTV_FX_REGIME | DTV_FX_SATP);
}

void test_sbi_srst(void)
{
	rig_init(&rig, true);
	CHECK_EQ(call(SRST, 0, 3, 0, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(call(SRST, 0, 0, 2, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(call(SRST, 0, 0xf0000000, 0, 0, 0, 0), INVALID_PARAM);
	CHECK(!machine.reset);
	CHECK_EQ(effects, 0);
	call(SRST, 0, 1, 1, 0, 0, 0);
	CHECK(machine.reset);
	CHECK_EQ(machine.reset_type, 1);
	CHECK_EQ(machine.reset_reason, 1);
	CHECK_EQ(effects, DTV_FX_WFI);
}

void test_sbi_dbcn(void)
{
	char *ram = (char *)ram64(RAM_BASE);
	unsigned int i;

	rig_init(&rig, true);
	strcpy(ram + 0x10, "hello");
	CHECK_EQ(call(DBCN, 0, 5, RAM_BASE + 0x10, 0, 0, 0), 0);
	CHECK_EQ(rig.h.x[11], 5);
	CHECK(!memcmp(machine.out, "hello", 5));
	CHECK_EQ(call(DBCN, 2, 0x141, 0, 0, 0, 0), 0); /* low byte */
	CHECK_EQ(rig.h.x[11], 0);
	CHECK_EQ(machine.out_len, 6);
	CHECK_EQ(machine.out[5], 'A');
	CHECK_EQ(call(DBCN, 0, 0, RAM_BASE, 0, 0, 0), 0);
	CHECK_EQ(rig.h.x[11], 0);

	/* Over page borders, and not more than a bound in one call. */
	for (i = 0; i < RAM_SIZE; i++)
		ram[i] = (i * 7) >> 3;
	machine.out_len = 0;
	CHECK_EQ(call(DBCN, 0, 10000, RAM_BASE + 0xffe, 0, 0, 0), 0);
	CHECK_EQ(rig.h.x[11], 10000);
	CHECK(!memcmp(machine.out, ram + 0xffe, 10000));
	machine.out_len = 0;
	CHECK_EQ(call(DBCN, 0, RAM_SIZE, RAM_BASE, 0, 0, 0), 0);
	CHECK_EQ(rig.h.x[11], 0x10000);

	/* A host that takes a part. */
	machine.out_len = 0;
	machine.out_max = 5000;
	CHECK_EQ(call(DBCN, 0, 10000, RAM_BASE, 0, 0, 0), 0);
	CHECK_EQ(rig.h.x[11], 5000);
	CHECK_EQ(call(DBCN, 0, 10000, RAM_BASE, 0, 0, 0), 0);
	CHECK_EQ(rig.h.x[11], 0);
	CHECK_EQ(call(DBCN, 2, 'x', 0, 0, 0, 0), -1LL);

	/* Not memory. */
	machine.out_max = sizeof(machine.out);
	machine.out_len = 0;
	CHECK_EQ(call(DBCN, 0, 5, 0x1000, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(call(DBCN, 0, 5, RAM_BASE, 1, 0, 0), INVALID_PARAM);
	CHECK_EQ(call(DBCN, 0, 5, RAM_BASE + RAM_SIZE - 4, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(call(DBCN, 0, ~0ULL, RAM_BASE, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(call(DBCN, 0, 5, ~0ULL - 2, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(machine.out_len, 0);
	CHECK_EQ(call(DBCN, 0, 4, RAM_BASE + RAM_SIZE - 4, 0, 0, 0), 0);
	CHECK_EQ(rig.h.x[11], 4);

	/* Input. */
	CHECK_EQ(call(DBCN, 1, 100, RAM_BASE + 0x20, 0, 0, 0), 0);
	CHECK_EQ(rig.h.x[11], 0);
	CHECK_EQ(machine.written_len, 0);
	machine.in = "keys";
	CHECK_EQ(call(DBCN, 1, 3, RAM_BASE + 0x20, 0, 0, 0), 0);
	CHECK_EQ(rig.h.x[11], 3);
	CHECK(!memcmp(ram + 0x20, "key", 3));
	CHECK_EQ(machine.written_gpa, RAM_BASE + 0x20);
	CHECK_EQ(machine.written_len, 3);
	CHECK_EQ(call(DBCN, 1, 3, 0x20, 0, 0, 0), INVALID_PARAM);
	CHECK_EQ(call(DBCN, 3, 3, RAM_BASE, 0, 0, 0), NOT_SUPPORTED);
}

void test_sbi_legacy(void)
{
	rig_init(&rig, true);
	CHECK_EQ(call(0, MARK, 4711, MARK, 0, 0, 0), 0);
	CHECK_EQ(rig.h.stimecmp, 4711);
	CHECK_EQ(rig.h.x[11], MARK); /* a1 is not an answer here */
	CHECK_EQ(call(1, 0, 'z', MARK, 0, 0, 0), 0);
	CHECK_EQ(machine.out[0], 'z');
	CHECK_EQ(call(2, 0, 0, MARK, 0, 0, 0), -1LL);
	machine.in = "\xff";
	CHECK_EQ(call(2, 0, 0, MARK, 0, 0, 0), 0xff);
	CHECK_EQ(rig.h.x[11], MARK);
	call(8, 0, 0, 0, 0, 0, 0);
	CHECK(machine.reset);
	CHECK_EQ(machine.reset_type, 0);
}
