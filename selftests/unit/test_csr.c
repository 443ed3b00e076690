// SPDX-License-Identifier: GPL-2.0-or-later
/* test_csr.c - what CSRs exist, who may access them, what they hold. */
#include "unit.h"

#define MSTATUS 0x300
#define SSTATUS 0x100
#define XL (2ULL << 32 | 2ULL << 34)

static u64 rd(struct rig *r, u32 csr)
{
	u64 val = 0xdeadULL;

	CHECK_EQ(dtv_csr_read(&r->h, &r->env, csr, &val), 0);
	return val;
}

/* Returns the DTV_FX_* bits. */
static u64 wr(struct rig *r, u32 csr, u64 val)
{
	u64 fx = 0;

	CHECK_EQ(dtv_csr_write(&r->h, &r->env, csr, val, &fx), 0);
	return fx;
}

static bool readable(struct rig *r, u32 csr)
{
	u64 val;

	return !dtv_csr_read(&r->h, &r->env, csr, &val);
}

static bool writable(struct rig *r, u32 csr)
{
	u64 fx;

	return !dtv_csr_write(&r->h, &r->env, csr, 0, &fx);
}

static bool in(u32 csr, u32 first, u32 last)
{
	return csr >= first && csr <= last;
}

/* The list of the manual, written down a second time. */
static bool exists(u32 csr)
{
	/* clang-format off */
	static const u16 single[] = {
		0x001, 0x002, 0x003, 0x100, 0x104, 0x105, 0x106, 0x10a, 0x140, 0x141, 0x142,
		0x143, 0x144, 0x14d, 0x180, 0x300, 0x301, 0x302, 0x303, 0x304, 0x305, 0x306,
		0x30a, 0x320, 0x340, 0x341, 0x342, 0x343, 0x344, 0x3a0, 0x3a2, 0xb00, 0xb02,
		0xf11, 0xf12, 0xf13, 0xf14, 0xf15,
	};
	/* clang-format on */
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(single); i++)
		if (csr == single[i])
			return true;
	return in(csr, 0x323, 0x33f) || in(csr, 0x3b0, 0x3bf) || in(csr, 0xb03, 0xb1f) ||
	       in(csr, 0xc00, 0xc1f);
}

void test_csr_table(void)
{
	static const u32 modes[] = { DTV_PRIV_U, DTV_PRIV_S, DTV_PRIV_M };
	struct rig r;
	unsigned int m;
	bool want;
	u32 csr;

	for (m = 0; m < ARRAY_SIZE(modes); m++) {
		for (csr = 0; csr < 0x1004; csr++) {
			rig_init(&r, true);
			r.h.scounteren = ~0ULL;
			r.h.priv = modes[m];
			want = exists(csr) && modes[m] >= ((csr >> 8) & 3);
			if (readable(&r, csr) != want)
				unit_fail(__FILE__, __LINE__, "readable", csr, modes[m]);
			want = want && (csr >> 10) != 3;
			if (writable(&r, csr) != want)
				unit_fail(__FILE__, __LINE__, "writable", csr, modes[m]);
		}
	}
}

void test_csr_access(void)
{
	struct rig r;
	u32 i;

	rig_init(&r, true);
	r.h.mstatus |= DTV_MSTATUS_TVM;
	CHECK(!readable(&r, 0x180));
	CHECK(!writable(&r, 0x180));
	r.h.priv = DTV_PRIV_M;
	CHECK(readable(&r, 0x180));
	CHECK(writable(&r, 0x180));

	rig_init(&r, false);
	for (i = 0; i < 32; i++) {
		r.h.mcounteren = ~BIT_ULL(i);
		r.h.scounteren = ~0ULL;
		r.h.priv = DTV_PRIV_M;
		CHECK(readable(&r, 0xc00 + i));
		r.h.priv = DTV_PRIV_S;
		CHECK(!readable(&r, 0xc00 + i));
		r.h.priv = DTV_PRIV_U;
		CHECK(!readable(&r, 0xc00 + i));
		r.h.mcounteren = BIT_ULL(i);
		CHECK(readable(&r, 0xc00 + i));
		r.h.scounteren = ~BIT_ULL(i);
		CHECK(!readable(&r, 0xc00 + i));
		r.h.priv = DTV_PRIV_S;
		CHECK(readable(&r, 0xc00 + i));
	}
	r.env.isa &= ~DTV_ISA_ZICNTR;
	CHECK(!readable(&r, 0xc00));
}

void test_csr_warl(void)
{
	static const struct {
		u16 csr;
		u64 ones, zeros; /* what is read after writing all ones, all zeros */
	} plain[] = {
		{ 0x105, ~2ULL, 0 }, /* stvec */
		{ 0x106, 0xffffffff, 0 },
		{ 0x10a, 0xf1, 0 },
		{ 0x140, ~0ULL, 0 },
		{ 0x141, ~1ULL, 0 }, /* sepc */
		{ 0x142, ~0ULL, 0 },
		{ 0x143, ~0ULL, 0 },
		{ 0x301, 0x800000000014112dULL, 0x800000000014112dULL }, /* misa: RV64 IMAFDC S U */
		{ 0x302, 0xb3ff, 0 }, /* medeleg */
		{ 0x303, 0x222, 0 }, /* mideleg */
		{ 0x304, 0xaaa, 0 }, /* mie */
		{ 0x305, ~2ULL, 0 },
		{ 0x306, 0xffffffff, 0 },
		{ 0x30a, 7ULL << 61 | 0xf1, 0 },
		{ 0x320, 5, 0 },
		{ 0x323, 0, 0 },
		{ 0x33f, 0, 0 },
		{ 0x340, ~0ULL, 0 },
		{ 0x341, ~1ULL, 0 },
		{ 0x342, ~0ULL, 0 },
		{ 0x343, ~0ULL, 0 },
		{ 0xb03, 0, 0 },
		{ 0xb1f, 0, 0 },
	};
	struct rig r;
	unsigned int i;
	u64 mode;

	rig_init(&r, false);
	for (i = 0; i < ARRAY_SIZE(plain); i++) {
		wr(&r, plain[i].csr, ~0ULL);
		if (rd(&r, plain[i].csr) != plain[i].ones)
			unit_fail(__FILE__, __LINE__, "ones", plain[i].csr, plain[i].ones);
		wr(&r, plain[i].csr, 0);
		if (rd(&r, plain[i].csr) != plain[i].zeros)
			unit_fail(__FILE__, __LINE__, "zeros", plain[i].csr, plain[i].zeros);
	}

	/* satp takes modes 0 and 8; others leave it alone altogether. */
	CHECK_EQ(wr(&r, 0x180, 8ULL << 60 | 0xabcdULL << 44 | 0x123456789abULL),
		 DTV_FX_REGIME | DTV_FX_SATP);
	for (mode = 0; mode < 16; mode++) {
		if (mode == 0 || mode == 8)
			continue;
		CHECK_EQ(wr(&r, 0x180, mode << 60 | 1), 0);
		CHECK_EQ(rd(&r, 0x180), 8ULL << 60 | 0xabcdULL << 44 | 0x123456789abULL);
	}
	CHECK_EQ(wr(&r, 0x180, 0), DTV_FX_REGIME | DTV_FX_SATP);
	CHECK_EQ(rd(&r, 0x180), 0);
	CHECK_EQ(wr(&r, 0x180, 0), 0);

	CHECK_EQ(rd(&r, 0xf11), 0);
	CHECK_EQ(rd(&r, 0xf14), 2);
}

void test_csr_status(void)
{
	struct rig r;
	u64 fx;

	rig_init(&r, false);
	CHECK_EQ(rd(&r, MSTATUS), XL);
	wr(&r, MSTATUS, ~0ULL);
	CHECK_EQ(rd(&r, MSTATUS), XL | 1ULL << 63 | 0x7e79aa);
	CHECK_EQ(rd(&r, SSTATUS), 2ULL << 32 | 1ULL << 63 | 0xc6122);
	wr(&r, SSTATUS, 0);
	CHECK_EQ(rd(&r, MSTATUS), XL | 0x721888);
	wr(&r, MSTATUS, 0);
	CHECK_EQ(rd(&r, MSTATUS), XL);
	wr(&r, SSTATUS, ~0ULL);
	CHECK_EQ(rd(&r, MSTATUS), XL | 1ULL << 63 | 0xc6122);

	/* MPP 2 does not exist: the field keeps its value. */
	wr(&r, MSTATUS, 3ULL << 11);
	wr(&r, MSTATUS, 2ULL << 11);
	CHECK_EQ(rd(&r, MSTATUS), XL | 3ULL << 11);
	wr(&r, MSTATUS, 1ULL << 11);
	CHECK_EQ(rd(&r, MSTATUS), XL | 1ULL << 11);
	wr(&r, MSTATUS, 2ULL << 11);
	CHECK_EQ(rd(&r, MSTATUS), XL | 1ULL << 11);

	/* SD is FS dirty and nothing else. */
	wr(&r, MSTATUS, DTV_MSTATUS_SD | 2ULL << 13);
	CHECK_EQ(rd(&r, MSTATUS), XL | 2ULL << 13);

	/* Effects. */
	wr(&r, MSTATUS, 0);
	fx = wr(&r, SSTATUS, DTV_MSTATUS_SUM);
	CHECK_EQ(fx, DTV_FX_REGIME);
	fx = wr(&r, SSTATUS, DTV_MSTATUS_SUM | DTV_MSTATUS_SIE);
	CHECK_EQ(fx, DTV_FX_IRQ);
	fx = wr(&r, SSTATUS, DTV_MSTATUS_SUM);
	CHECK_EQ(fx, 0);
	fx = wr(&r, SSTATUS, DTV_MSTATUS_SUM | DTV_MSTATUS_FS);
	CHECK_EQ(fx, DTV_FX_ISA);
	fx = wr(&r, SSTATUS, DTV_MSTATUS_SUM | 1ULL << 13);
	CHECK_EQ(fx, 0);
	fx = wr(&r, SSTATUS, DTV_MSTATUS_MXR);
	CHECK_EQ(fx, DTV_FX_REGIME | DTV_FX_ISA);
}

void test_csr_fp(void)
{
	static const u8 rc[8] = { 0, 3, 1, 2, 0, 0, 0, 0 };
	static const struct {
		u8 x86, riscv;
	} flags[] = { { 1, 16 }, { 2, 0 }, { 4, 8 }, { 8, 4 }, { 16, 2 }, { 32, 1 } };
	struct rig r;
	unsigned int i;

	rig_init(&r, true);
	r.h.mstatus &= ~DTV_MSTATUS_FS;
	for (i = 1; i <= 3; i++) {
		CHECK(!readable(&r, i));
		CHECK(!writable(&r, i));
	}
	r.h.mstatus |= 1ULL << 13;
	CHECK_EQ(rd(&r, 3), 0);
	CHECK_EQ((r.h.mstatus >> 13) & 3, 1); /* reads leave FS alone */
	CHECK_EQ(wr(&r, 3, ~0ULL), DTV_FX_FP);
	CHECK_EQ((r.h.mstatus >> 13) & 3, 3);
	CHECK_EQ(rd(&r, 1), 0x1f);
	CHECK_EQ(rd(&r, 2), 7);
	CHECK_EQ(rd(&r, 3), 0xff);
	wr(&r, 1, 0x05);
	CHECK_EQ(rd(&r, 3), 0xe5);
	wr(&r, 2, 3);
	CHECK_EQ(rd(&r, 3), 0x65);

	/* Flags that translated code left in MXCSR. */
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		wr(&r, 3, 0);
		r.h.mxcsr = 0x1f80 | flags[i].x86;
		CHECK_EQ(rd(&r, 1), flags[i].riscv);
		CHECK_EQ(rd(&r, 3), flags[i].riscv);
		wr(&r, 2, 1); /* the rounding mode changes, the flags stay */
		CHECK_EQ(rd(&r, 1), flags[i].riscv);
		CHECK_EQ(r.h.mxcsr & 0x3f, 0);
		CHECK_EQ(dtv_fp_mxcsr(&r.h), 0x7f80);
		r.h.mxcsr |= flags[i].x86;
		wr(&r, 1, 0); /* clears them everywhere */
		CHECK_EQ(rd(&r, 1), 0);
	}
	for (i = 0; i < 8; i++) {
		wr(&r, 2, i);
		CHECK_EQ(dtv_fp_mxcsr(&r.h), 0x1f80 | (u32)rc[i] << 13);
	}
	r.h.fcsr = ~0U;
	r.h.mxcsr = ~0U;
	CHECK_EQ(dtv_fp_mxcsr(&r.h), 0x1fbf);
	CHECK_EQ(rd(&r, 3), 0xff);
	r.env.isa &= ~(DTV_ISA_F | DTV_ISA_D);
	CHECK(!readable(&r, 3));
}

void test_csr_counters(void)
{
	struct rig r;

	rig_init(&r, false);
	CHECK_EQ(rd(&r, 0xb00), 5000);
	CHECK_EQ(rd(&r, 0xb02), 300);
	CHECK_EQ(rd(&r, 0xc01), 1000);
	wr(&r, 0xb00, 7);
	CHECK_EQ(rd(&r, 0xc00), 7);
	CHECK_EQ(rd(&r, 0xc02), 300);
	r.env.cycles += 10;
	r.env.instret += 4;
	CHECK_EQ(rd(&r, 0xb00), 17);
	CHECK_EQ(rd(&r, 0xb02), 304);
	wr(&r, 0x320, 1); /* stop cycle */
	r.env.cycles += 100;
	r.env.instret += 100;
	CHECK_EQ(rd(&r, 0xb00), 17);
	CHECK_EQ(rd(&r, 0xb02), 404);
	wr(&r, 0xb00, 20);
	r.env.cycles += 100;
	CHECK_EQ(rd(&r, 0xc00), 20);
	wr(&r, 0x320, 4); /* stop instret instead, behind this instruction */
	r.env.cycles += 3;
	r.env.instret += 50;
	CHECK_EQ(rd(&r, 0xc00), 23);
	CHECK_EQ(rd(&r, 0xc02), 405);
	wr(&r, 0xb02, ~0ULL);
	CHECK_EQ(rd(&r, 0xb02), ~0ULL);
	wr(&r, 0x320, 0);
	/* It does not count itself: one for it, then two. */
	r.env.instret += 3;
	CHECK_EQ(rd(&r, 0xc02), 1);
	/* Nor does what writes the counter. */
	wr(&r, 0xb02, 77);
	r.env.instret += 1;
	CHECK_EQ(rd(&r, 0xc02), 77);
	CHECK_EQ(rd(&r, 0xc03), 0);
	wr(&r, 0xb03, 5);
	CHECK_EQ(rd(&r, 0xb03), 0);
}

void test_csr_interrupts(void)
{
	struct rig r;

	rig_init(&r, false);
	r.env.lines = 0xfff;
	CHECK_EQ(rd(&r, 0x344), 0xa88); /* no SSI line; STI only with STCE */
	r.env.lines = 0;
	CHECK_EQ(wr(&r, 0x344, ~0ULL), DTV_FX_IRQ);
	CHECK_EQ(rd(&r, 0x344), 0x222);
	CHECK_EQ(rd(&r, 0x144), 0); /* nothing delegated */
	wr(&r, 0x303, 0x220);
	CHECK_EQ(rd(&r, 0x144), 0x220);
	wr(&r, 0x144, 0); /* SSIP is not delegated, the others are read-only */
	CHECK_EQ(rd(&r, 0x344), 0x222);
	wr(&r, 0x303, 0x222);
	wr(&r, 0x144, 0);
	CHECK_EQ(rd(&r, 0x344), 0x220);
	wr(&r, 0x144, ~0ULL);
	CHECK_EQ(rd(&r, 0x344), 0x222);

	wr(&r, 0x304, 0x888);
	wr(&r, 0x104, ~0ULL);
	CHECK_EQ(rd(&r, 0x304), 0xaaa);
	CHECK_EQ(rd(&r, 0x104), 0x222);
	wr(&r, 0x303, 0x200);
	CHECK_EQ(rd(&r, 0x104), 0x200);
	wr(&r, 0x104, 0);
	CHECK_EQ(rd(&r, 0x304), 0x8aa);
	wr(&r, 0x344, 0);
	r.env.lines = BIT_ULL(DTV_IRQ_SEI);
	CHECK_EQ(rd(&r, 0x144), 0x200);
}

void test_csr_sstc(void)
{
	struct rig r;

	rig_init(&r, false);
	CHECK_EQ(wr(&r, 0x14d, 77), DTV_FX_TIMER | DTV_FX_IRQ);
	CHECK_EQ(r.h.stimecmp, 77);
	wr(&r, 0x344, BIT_ULL(DTV_IRQ_STI));
	CHECK_EQ(rd(&r, 0x344), 0x20);
	CHECK_EQ(wr(&r, 0x30a, DTV_ENVCFG_STCE), DTV_FX_TIMER | DTV_FX_IRQ);
	CHECK_EQ(wr(&r, 0x30a, DTV_ENVCFG_STCE), 0);
	CHECK_EQ(rd(&r, 0x344), 0); /* now the comparator's */
	r.env.lines = BIT_ULL(DTV_IRQ_STI);
	CHECK_EQ(rd(&r, 0x344), 0x20);
	wr(&r, 0x344, 0);
	CHECK_EQ(rd(&r, 0x344), 0x20);

	r.h.priv = DTV_PRIV_S;
	CHECK(!readable(&r, 0x14d)); /* mcounteren.TM */
	r.h.mcounteren = 2;
	CHECK(readable(&r, 0x14d));
	r.h.menvcfg = 0;
	CHECK(!readable(&r, 0x14d));
	r.h.priv = DTV_PRIV_M;
	CHECK(readable(&r, 0x14d));
	r.env.isa &= ~DTV_ISA_SSTC;
	CHECK(!readable(&r, 0x14d));
	wr(&r, 0x30a, ~0ULL);
	CHECK_EQ(rd(&r, 0x30a), 3ULL << 61 | 0xf1);
}

void test_csr_stateen(void)
{
	struct rig r;
	u32 i;

	/* As it is without it, and behind the built-in SBI. */
	rig_init(&r, false);
	CHECK(!readable(&r, 0x30c));
	CHECK(!readable(&r, 0x10c));
	r.h.priv = DTV_PRIV_S;
	CHECK(readable(&r, 0x10a));
	rig_init(&r, true);
	r.env.isa |= DTV_ISA_SMSTATEEN;
	CHECK(readable(&r, 0x10a));
	for (i = 0; i < 4; i++)
		CHECK(readable(&r, 0x10c + i));

	rig_init(&r, false);
	r.env.isa |= DTV_ISA_SMSTATEEN;
	for (i = 0; i < 4; i++) {
		CHECK_EQ(rd(&r, 0x30c + i), 0);
		wr(&r, 0x30c + i, ~0ULL);
		CHECK_EQ(rd(&r, 0x30c + i), i ? 1ULL << 63 : 3ULL << 62);
		wr(&r, 0x10c + i, ~0ULL);
		CHECK_EQ(rd(&r, 0x10c + i), 0);
	}
	r.h.priv = DTV_PRIV_S;
	CHECK(!readable(&r, 0x30c));
	CHECK(readable(&r, 0x10a) && readable(&r, 0x10c) && readable(&r, 0x10f));
	r.h.mstateen[0] = 1ULL << 63;
	CHECK(!readable(&r, 0x10a) && !writable(&r, 0x10a) && readable(&r, 0x10c));
	r.h.mstateen[0] = 1ULL << 62;
	CHECK(readable(&r, 0x10a) && !readable(&r, 0x10c) && readable(&r, 0x10d));
	r.h.mstateen[2] = 0;
	CHECK(!readable(&r, 0x10e) && readable(&r, 0x10f));
	r.h.priv = DTV_PRIV_U;
	CHECK(!readable(&r, 0x10a) && !readable(&r, 0x10f));
	r.h.priv = DTV_PRIV_M;
	r.h.mstateen[0] = 0;
	CHECK(readable(&r, 0x10a) && readable(&r, 0x10c));
}

void test_csr_pmp(void)
{
	struct rig r;

	rig_init(&r, false);
	CHECK(!readable(&r, 0x3a1));
	CHECK(!writable(&r, 0x3a3));
	wr(&r, 0x3a0, 0x0102030405060708ULL);
	/* W without R is dropped: 02 and 06. */
	CHECK_EQ(rd(&r, 0x3a0), 0x0100030405040708ULL);
	wr(&r, 0x3a2, ~0ULL & ~0x8080808080808080ULL);
	CHECK_EQ(rd(&r, 0x3a2), 0x1f1f1f1f1f1f1f1fULL);
	wr(&r, 0x3b0, ~0ULL);
	CHECK_EQ(rd(&r, 0x3b0), GENMASK_ULL(53, 0));

	wr(&r, 0x3a0, 0x8800); /* entry 1: locked, TOR: entry 0's address with it */
	wr(&r, 0x3b1, 5);
	CHECK_EQ(rd(&r, 0x3b1), 0);
	wr(&r, 0x3b0, 5);
	CHECK_EQ(rd(&r, 0x3b0), GENMASK_ULL(53, 0));
	wr(&r, 0x3b2, 5);
	CHECK_EQ(rd(&r, 0x3b2), 5);
	wr(&r, 0x3a0, 0x000f0f);
	CHECK_EQ(rd(&r, 0x3a0), 0x880f);
	wr(&r, 0x3bf, 9);
	CHECK_EQ(rd(&r, 0x3bf), 9);
}

/* Whatever the vCPU page holds, nothing but the manual's values comes out. */
void test_csr_hostile(void)
{
	u64 seed = 88172645463325252ULL, val, fx = 0;
	struct dtv_regime regime;
	struct rig r;
	unsigned int i, k;
	u64 *words = (u64 *)&r.h;

	rig_init(&r, false);
	for (i = 0; i < 200000; i++) {
		for (k = 0; k < sizeof(r.h) / 8; k += 1 + (seed & 7)) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			words[k] = seed;
		}
		r.env.lines = seed;
		if (!dtv_csr_read(&r.h, &r.env, seed >> 20 & 0xfff, &val) &&
		    (seed >> 20 & 0xfff) == MSTATUS)
			CHECK_EQ(val & ~(XL | 1ULL << 63 | 0x7e79aa), 0);
		dtv_csr_write(&r.h, &r.env, seed >> 24 & 0xfff, seed, &fx);
		rig_exec(&r, (u32)seed);
		rig_exec(&r, enc_csr((seed & 7) ?: 1, seed >> 12 & 0xfff, seed >> 30 & 31,
				     seed >> 35 & 31));
		dtv_guest_trap(&r.h, seed, seed);
		dtv_guest_sret(&r.h);
		CHECK(r.h.priv <= 1);
		dtv_guest_mret(&r.h);
		CHECK(r.h.priv != 2 && r.h.priv <= 3);
		r.h.priv = seed >> 3;
		dtv_guest_interrupt(&r.h, seed);
		dtv_guest_regime(&r.h, seed % 3, &regime);
		CHECK(regime.priv != 2 && regime.priv <= 3);
		CHECK(regime.satp == 0 || regime.satp >> 60 == 8);
	}
}
