// SPDX-License-Identifier: GPL-2.0-only
/*
 * csr.c - control and status registers: a table, a row each (privileged
 * manual 20240411 chapters 2 to 4, Sstc; unprivileged manual chapters 7, 8, 20).
 *
 * A row either names a field of struct dtv_hart and the bits of it that can be
 * written, or functions. What a register may hold is decided here and nowhere
 * else. No lock.
 */
#include "guest.h"

#define CSR_PRIV(csr) (((csr) >> 8) & 3)
#define CSR_READ_ONLY(csr) (((csr) >> 10) == 3)

#define FFLAGS 0x1fU
#define FRM_SHIFT 5
#define FRM 7U

/* MXCSR, Intel SDM volume 1, 10.2.3. */
#define MXCSR_IE BIT_ULL(0)
#define MXCSR_ZE BIT_ULL(2)
#define MXCSR_OE BIT_ULL(3)
#define MXCSR_UE BIT_ULL(4)
#define MXCSR_PE BIT_ULL(5)
#define MXCSR_FLAGS 0x3fU
#define MXCSR_MASKS 0x1f80U
#define MXCSR_RC_SHIFT 13

#define SSTATUS_WRITE (DTV_MSTATUS_SIE | DTV_MSTATUS_SPIE | DTV_MSTATUS_SPP | DTV_MSTATUS_FS | \
		       DTV_MSTATUS_SUM | DTV_MSTATUS_MXR)
#define SSTATUS_READ (SSTATUS_WRITE | DTV_MSTATUS_UXL | DTV_MSTATUS_SD)
#define MSTATUS_WRITE (SSTATUS_WRITE | DTV_MSTATUS_MIE | DTV_MSTATUS_MPIE | DTV_MSTATUS_MPP | \
		       DTV_MSTATUS_MPRV | DTV_MSTATUS_TVM | DTV_MSTATUS_TW | DTV_MSTATUS_TSR)
#define MSTATUS_XL (2ULL << 32 | 2ULL << 34)

#define COUNTER_CY 0
#define COUNTER_TM 1
#define COUNTER_IR 2

#define PMP_R 0x01
#define PMP_W 0x02
#define PMP_A 0x18
#define PMP_A_TOR 0x08
#define PMP_L 0x80

/**
 * struct csr - a register, or a run of registers that behave alike
 * @first: number
 * @last: number of the last one of the run
 * @off: offset of a u64 in struct dtv_hart, when there are no functions
 * @wmask: bits of it that can be written; the others keep their value
 * @fx: what follows from a write
 * @ok: extra condition of access; NULL: none
 * @read: NULL: the field at @off; or 0 when @zero
 * @write: NULL: the field at @off; nothing when @zero
 * @zero: read-only zero, writes are ignored
 */
struct csr {
	u16 first, last;
	u16 off;
	bool zero;
	u64 wmask;
	u64 fx;
	bool (*ok)(const struct dtv_hart *h, const struct dtv_env *env, u32 csr);
	u64 (*read)(const struct dtv_hart *h, const struct dtv_env *env, u32 csr);
	u64 (*write)(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val);
};

/* --- floating point --- */

static bool fp_ok(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)csr;
	return (env->isa & DTV_ISA_F) && (h->mstatus & DTV_MSTATUS_FS);
}

static u32 fp_flags(const struct dtv_hart *h)
{
	u32 mx = DTV_MUTANT(fflags_lost, 0, READ_ONCE(h->mxcsr));
	u32 flags = h->fcsr & FFLAGS;

	if (mx & MXCSR_PE)
		flags |= 1; /* NX */
	if (mx & MXCSR_UE)
		flags |= 2; /* UF */
	if (mx & MXCSR_OE)
		flags |= 4; /* OF */
	if (mx & MXCSR_ZE)
		flags |= 8; /* DZ */
	if (mx & MXCSR_IE)
		flags |= 16; /* NV */
	return flags;
}

/**
 * dtv_fp_mxcsr() - the MXCSR that translated code has to run with
 * @h: state; any content gives a value that ldmxcsr accepts
 *
 * Return: exceptions masked, rounding as frm says (RMM as RNE, which is for
 * translated code to make good), sticky flags of h->mxcsr kept.
 * Context: any.
 */
u32 dtv_fp_mxcsr(const struct dtv_hart *h)
{
	/* RNE RTZ RDN RUP RMM and three that no instruction is executed in. */
	static const u8 rc[8] = { 0, 3, 1, 2, 0, 0, 0, 0 };
	u32 frm = (READ_ONCE(h->fcsr) >> FRM_SHIFT) & DTV_MUTANT(frm_ignored, 0, FRM);

	return MXCSR_MASKS | (u32)rc[frm] << MXCSR_RC_SHIFT | (READ_ONCE(h->mxcsr) & MXCSR_FLAGS);
}

static u64 fp_set(struct dtv_hart *h, u32 frm, u32 flags)
{
	h->fcsr = frm << FRM_SHIFT | flags;
	h->mxcsr &= ~DTV_MUTANT(fflags_stay, 0, MXCSR_FLAGS);
	h->mstatus |= DTV_MSTATUS_FS; /* Dirty */
	return DTV_FX_FP;
}

static u64 fflags_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)env;
	(void)csr;
	return fp_flags(h);
}

static u64 fflags_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	(void)env;
	(void)csr;
	return fp_set(h, (h->fcsr >> FRM_SHIFT) & FRM, val & FFLAGS);
}

static u64 frm_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)env;
	(void)csr;
	return (h->fcsr >> FRM_SHIFT) & FRM;
}

static u64 frm_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	(void)env;
	(void)csr;
	return fp_set(h, val & FRM, fp_flags(h));
}

static u64 fcsr_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	return frm_read(h, env, csr) << FRM_SHIFT | fp_flags(h);
}

static u64 fcsr_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	(void)env;
	(void)csr;
	return fp_set(h, (val >> FRM_SHIFT) & FRM, val & FFLAGS);
}

/* --- counters --- */

/* mcounteren and scounteren, 3.1.11 and 4.1.5. */
static bool counter_enabled(const struct dtv_hart *h, u32 csr)
{
	u64 bit = BIT_ULL(csr & 31);

	if (h->priv == DTV_PRIV_M)
		return true;
	if (!(h->mcounteren & bit))
		return DTV_MUTANT(counteren, true, false);
	return h->priv == DTV_PRIV_S || (h->scounteren & bit);
}

static bool counter_ok(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	return (env->isa & DTV_ISA_ZICNTR) && counter_enabled(h, csr);
}

static bool hpmcounter_ok(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	return (env->isa & DTV_ISA_ZIHPM) && counter_enabled(h, csr);
}

/* A base is the value itself while its counter is inhibited, an offset otherwise. */
static u64 counter_value(const struct dtv_hart *h, u32 which, u64 base, u64 count)
{
	return h->mcountinhibit & BIT_ULL(which) ? base : base + count;
}

static u64 cycle_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)csr;
	return counter_value(h, COUNTER_CY, h->cycle_base, env->cycles);
}

static u64 cycle_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	(void)csr;
	h->cycle_base = h->mcountinhibit & BIT_ULL(COUNTER_CY) ? val : val - env->cycles;
	return 0;
}

static u64 time_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)h;
	(void)csr;
	return env->time;
}

static u64 instret_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)csr;
	return counter_value(h, DTV_MUTANT(count_inhibit, COUNTER_CY, COUNTER_IR), h->instret_base,
			     env->instret);
}

/*
 * The instruction that writes does not count: the next one reads what was written (unprivileged
 * manual 6.1). So @val is the count behind it.
 */
static u64 instret_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	u64 behind = env->instret + DTV_MUTANT(instret_write, 0, 1);

	(void)csr;
	h->instret_base = h->mcountinhibit & BIT_ULL(COUNTER_IR) ? val : val - behind;
	return 0;
}

/* It is the instructions behind the write that are counted in another way, not itself. */
static u64 mcountinhibit_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	bool counts = !(h->mcountinhibit & BIT_ULL(COUNTER_IR));
	u64 cycle = cycle_read(h, env, csr);
	u64 instret = instret_read(h, env, csr) + counts;

	h->mcountinhibit = val & (BIT_ULL(COUNTER_CY) | BIT_ULL(COUNTER_IR));
	cycle_write(h, env, csr, cycle);
	instret_write(h, env, csr, instret);
	return 0;
}

/* --- status --- */

static u64 mstatus_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	u64 val = (h->mstatus & MSTATUS_WRITE) | MSTATUS_XL;

	(void)env;
	(void)csr;
	if ((val & DTV_MSTATUS_FS) == DTV_MSTATUS_FS)
		val |= DTV_MSTATUS_SD;
	return val;
}

static u64 status_write(struct dtv_hart *h, u64 val, u64 mask)
{
	u64 old = h->mstatus;
	u64 now = (old & MSTATUS_WRITE & ~mask) | (val & mask) | MSTATUS_XL;
	u64 fx = 0;

	if ((now & DTV_MSTATUS_MPP) == DTV_MUTANT(mpp_two, 8ULL, 2ULL) << DTV_MSTATUS_MPP_SHIFT)
		now = (now & ~DTV_MSTATUS_MPP) | (old & DTV_MSTATUS_MPP);
	h->mstatus = now;
	if ((old ^ now) &
	    (DTV_MSTATUS_MPRV | DTV_MSTATUS_MPP | DTV_MSTATUS_SUM | DTV_MSTATUS_MXR))
		fx |= DTV_FX_REGIME;
	if (now & ~old & (DTV_MSTATUS_SIE | DTV_MSTATUS_MIE))
		fx |= DTV_FX_IRQ;
	if (!(old & DTV_MSTATUS_FS) != !(now & DTV_MSTATUS_FS))
		fx |= DTV_FX_ISA;
	return fx;
}

static u64 mstatus_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	(void)env;
	(void)csr;
	return status_write(h, val, MSTATUS_WRITE);
}

static u64 sstatus_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	return mstatus_read(h, env, csr) & SSTATUS_READ;
}

static u64 sstatus_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	(void)env;
	(void)csr;
	return status_write(h, val, SSTATUS_WRITE);
}

static u64 misa_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	static const struct {
		u64 isa;
		char letter;
	} letters[] = {
		{ DTV_ISA_I, 'I' }, { DTV_ISA_M, 'M' }, { DTV_ISA_A, 'A' },
		{ DTV_ISA_F, 'F' }, { DTV_ISA_D, 'D' }, { DTV_ISA_C, 'C' },
	};
	u64 val = 2ULL << 62 | BIT_ULL('S' - 'A') | BIT_ULL('U' - 'A');
	unsigned int i;

	(void)h;
	(void)csr;
	for (i = 0; i < ARRAY_SIZE(letters); i++)
		if (env->isa & letters[i].isa)
			val |= BIT_ULL(letters[i].letter - 'A');
	return val;
}

/* --- interrupts --- */

static u64 mip_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)csr;
	return dtv_guest_mip(h, env->lines);
}

static u64 mip_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	u64 mask = BIT_ULL(DTV_IRQ_SSI) | BIT_ULL(DTV_IRQ_SEI);

	(void)env;
	(void)csr;
	if (!(h->menvcfg & DTV_ENVCFG_STCE))
		mask |= BIT_ULL(DTV_IRQ_STI);
	h->mip = (h->mip & ~mask) | (val & mask);
	return DTV_FX_IRQ;
}

static u64 sip_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	return mip_read(h, env, csr) & h->mideleg & DTV_MIDELEG_MASK;
}

static u64 sip_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	u64 mask = BIT_ULL(DTV_IRQ_SSI) & h->mideleg;

	(void)env;
	(void)csr;
	h->mip = (h->mip & ~mask) | (val & mask);
	return DTV_FX_IRQ;
}

static u64 sie_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)env;
	(void)csr;
	return h->mie & h->mideleg & DTV_MIDELEG_MASK;
}

static u64 sie_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	u64 mask = h->mideleg & DTV_MIDELEG_MASK;

	(void)env;
	(void)csr;
	h->mie = (h->mie & ~mask) | (val & mask);
	return DTV_FX_IRQ;
}

/* --- translation, timer --- */

static bool satp_ok(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)env;
	(void)csr;
	return h->priv != DTV_PRIV_S ||
	       !(h->mstatus & DTV_MUTANT(tvm_ignored, 0, DTV_MSTATUS_TVM));
}

/* 4.1.11: a write with an unsupported mode has no effect at all. */
static u64 satp_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	u64 mode = val >> DTV_SATP_MODE_SHIFT;

	(void)env;
	(void)csr;
	if ((mode != DTV_SATP_MODE_BARE && mode != DTV_SATP_MODE_SV39) || h->satp == val)
		return 0;
	h->satp = val;
	return DTV_FX_REGIME | DTV_FX_SATP;
}

/* Sstc 2.1: S-mode has stimecmp while menvcfg.STCE and mcounteren.TM are set. */
static bool stimecmp_ok(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)csr;
	if (!(env->isa & DTV_ISA_SSTC))
		return false;
	return h->priv == DTV_PRIV_M ||
	       ((h->menvcfg & DTV_ENVCFG_STCE) && (h->mcounteren & BIT_ULL(COUNTER_TM)));
}

/* --- Smstateen: state that S- and U-mode may have --- */

#define STATEEN_SE BIT_ULL(63) /* sstateen */
#define STATEEN_ENVCFG BIT_ULL(62) /* senvcfg; of the first alone */

static u64 stateen_mask(u32 csr)
{
	return csr & 3 ? STATEEN_SE : STATEEN_SE | STATEEN_ENVCFG;
}

void dtv_guest_stateen(struct dtv_hart *h)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(h->mstateen); i++)
		h->mstateen[i] = stateen_mask(i);
}

static bool mstateen_ok(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)h;
	(void)csr;
	return env->isa & DTV_ISA_SMSTATEEN;
}

static u64 mstateen_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)env;
	return h->mstateen[csr & 3];
}

static u64 mstateen_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	(void)env;
	h->mstateen[csr & 3] = val & DTV_MUTANT(stateen_mask, ~0ULL, stateen_mask(csr));
	return 0;
}

/* There is nothing that S-mode could keep from U-mode: sstateen is zero. */
static bool sstateen_ok(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	return (env->isa & DTV_ISA_SMSTATEEN) &&
	       (h->priv == DTV_PRIV_M ||
		(h->mstateen[csr & 3] & DTV_MUTANT(stateen_se, ~0ULL, STATEEN_SE)));
}

static bool senvcfg_ok(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)csr;
	return !(env->isa & DTV_ISA_SMSTATEEN) || h->priv == DTV_PRIV_M ||
	       DTV_MUTANT(stateen_envcfg, true, (h->mstateen[0] & STATEEN_ENVCFG) != 0);
}

/* --- menvcfg, senvcfg: 3.1.18, 4.1.10 --- */

/* Bits of both. */
static u64 envcfg_mask(u64 isa)
{
	u64 mask = DTV_ENVCFG_FIOM;

	if (isa & DTV_ISA_ZICBOM)
		mask |= DTV_ENVCFG_CBIE | DTV_ENVCFG_CBCFE;
	if (isa & DTV_ISA_ZICBOZ)
		mask |= DTV_ENVCFG_CBZE;
	return mask;
}

static u64 menvcfg_mask(u64 isa)
{
	u64 mask = envcfg_mask(isa);

	if (isa & DTV_ISA_SVADU)
		mask |= DTV_ENVCFG_ADUE;
	if (isa & DTV_ISA_SVPBMT)
		mask |= DTV_ENVCFG_PBMTE;
	if (isa & DTV_ISA_SSTC)
		mask |= DTV_ENVCFG_STCE;
	return mask;
}

/* CBIE 2 is reserved: the field keeps its value. */
static u64 envcfg_legal(u64 old, u64 val)
{
	if ((val & DTV_ENVCFG_CBIE) == DTV_MUTANT(envcfg_cbie, 8ULL, 2ULL) << 4)
		val = (val & ~DTV_ENVCFG_CBIE) | (old & DTV_ENVCFG_CBIE);
	return val;
}

/**
 * dtv_guest_envcfg() - menvcfg after reset
 * @isa: DTV_ISA_*
 * @sbi: no M-mode software will change it: everything is on
 *
 * Software that knows nothing of Svadu and Svpbmt finds A and D set for it,
 * unless Svade was asked for, and memory types allowed, as in QEMU.
 * With the built-in SBI, which is the timer's owner, STCE is set in any case.
 *
 * Context: any.
 */
u64 dtv_guest_envcfg(u64 isa, bool sbi)
{
	u64 val = DTV_ENVCFG_PBMTE;

	if (!(isa & DTV_ISA_SVADE))
		val |= DTV_ENVCFG_ADUE;
	if (sbi)
		val |= DTV_ENVCFG_CBIE | DTV_ENVCFG_CBCFE | DTV_ENVCFG_CBZE;
	val &= menvcfg_mask(isa);
	return sbi ? val | DTV_ENVCFG_STCE : val;
}

static u64 senvcfg_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	(void)csr;
	h->senvcfg = envcfg_legal(h->senvcfg, val) &
		     DTV_MUTANT(senvcfg_mask, ~0ULL, envcfg_mask(env->isa));
	return 0;
}

static u64 menvcfg_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	u64 old = h->menvcfg;

	(void)csr;
	h->menvcfg = envcfg_legal(old, val) & menvcfg_mask(env->isa);
	return (old ^ h->menvcfg) & DTV_ENVCFG_STCE ? DTV_FX_TIMER | DTV_FX_IRQ : 0;
}

/* --- physical memory protection, 3.7.1 --- */

static bool pmpcfg_ok(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)h;
	(void)env;
	return !(csr & 1); /* RV64 has the even ones */
}

static u64 pmpcfg_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	unsigned int i, first = (csr & 3) * 4;
	u64 val = 0;

	(void)env;
	for (i = 0; i < 8; i++)
		val |= (u64)h->pmpcfg[first + i] << (8 * i);
	return val;
}

static u64 pmpcfg_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	unsigned int i, first = (csr & 3) * 4;
	u64 fx = 0;
	u8 cfg;

	(void)env;
	for (i = 0; i < 8; i++) {
		if (h->pmpcfg[first + i] & PMP_L)
			continue;
		cfg = (val >> (8 * i)) & 0x9f;
		if (!(cfg & DTV_MUTANT(pmp_write_only, PMP_R | PMP_W, PMP_R))) /* reserved */
			cfg &= ~PMP_W;
		if (h->pmpcfg[first + i] != cfg)
			fx = DTV_FX_REGIME | DTV_FX_PMP;
		h->pmpcfg[first + i] = cfg;
	}
	return fx;
}

static u64 pmpaddr_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)env;
	return h->pmpaddr[csr & (DTV_NR_PMP - 1)];
}

static u64 pmpaddr_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val)
{
	unsigned int i = csr & (DTV_NR_PMP - 1);

	(void)env;
	if (h->pmpcfg[i] & PMP_L)
		return 0;
	/* The bottom of a locked range is locked with it. */
	if (i + 1 < DTV_NR_PMP && DTV_MUTANT(pmp_lock, false, (h->pmpcfg[i + 1] & PMP_L) != 0) &&
	    (h->pmpcfg[i + 1] & PMP_A) == PMP_A_TOR)
		return 0;
	val &= GENMASK_ULL(53, 0);
	if (h->pmpaddr[i] == val)
		return 0;
	h->pmpaddr[i] = val;
	/* Nothing changes if no entry is made from it. */
	if (!(h->pmpcfg[i] & PMP_A) &&
	    (i + 1 == DTV_NR_PMP || (h->pmpcfg[i + 1] & PMP_A) != PMP_A_TOR))
		return 0;
	return DTV_FX_REGIME | DTV_FX_PMP;
}

static u64 mhartid_read(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	(void)env;
	(void)csr;
	return h->hartid;
}

/* --- the table, ascending --- */

/* clang-format off */
#define FIELD(num, name, mask, effects) \
	{ .first = (num), .last = (num), .off = offsetof(struct dtv_hart, name), \
	  .wmask = (mask), .fx = (effects) }
#define FUNC(num, rd, wr) { .first = (num), .last = (num), .read = (rd), .write = (wr) }
#define FUNC_IF(from, to, cond, rd, wr) \
	{ .first = (from), .last = (to), .ok = (cond), .read = (rd), .write = (wr) }
#define ZERO(from, to) { .first = (from), .last = (to), .zero = true }
#define ZERO_IF(from, to, cond) { .first = (from), .last = (to), .zero = true, .ok = (cond) }

#define ALL (~0ULL)
#define TVEC (~2ULL) /* base and mode 0 or 1 */
#define EPC (~1ULL) /* IALIGN is 16 */

static const struct csr csrs[] = {
	FUNC_IF(0x001, 0x001, fp_ok, fflags_read, fflags_write),
	FUNC_IF(0x002, 0x002, fp_ok, frm_read, frm_write),
	FUNC_IF(0x003, 0x003, fp_ok, fcsr_read, fcsr_write),
	FUNC(0x100, sstatus_read, sstatus_write),
	FUNC(0x104, sie_read, sie_write),
	FIELD(0x105, stvec, TVEC, 0),
	FIELD(0x106, scounteren, 0xffffffff, 0),
	{ .first = 0x10a, .last = 0x10a, .ok = senvcfg_ok,
	  .off = offsetof(struct dtv_hart, senvcfg), .write = senvcfg_write },
	ZERO_IF(0x10c, 0x10f, sstateen_ok),
	FIELD(0x140, sscratch, ALL, 0),
	FIELD(0x141, sepc, EPC, 0),
	FIELD(0x142, scause, ALL, 0),
	FIELD(0x143, stval, ALL, 0),
	FUNC(0x144, sip_read, sip_write),
	{ .first = 0x14d, .last = 0x14d, .ok = stimecmp_ok,
	  .off = offsetof(struct dtv_hart, stimecmp), .wmask = ALL,
	  .fx = DTV_FX_TIMER | DTV_FX_IRQ },
	{ .first = 0x180, .last = 0x180, .ok = satp_ok,
	  .off = offsetof(struct dtv_hart, satp), .write = satp_write },
	FUNC(0x300, mstatus_read, mstatus_write),
	{ .first = 0x301, .last = 0x301, .read = misa_read, .zero = true },
	FIELD(0x302, medeleg, DTV_MEDELEG_MASK, 0),
	FIELD(0x303, mideleg, DTV_MIDELEG_MASK, DTV_FX_IRQ),
	FIELD(0x304, mie, DTV_MIP_MASK, DTV_FX_IRQ),
	FIELD(0x305, mtvec, TVEC, 0),
	FIELD(0x306, mcounteren, 0xffffffff, 0),
	{ .first = 0x30a, .last = 0x30a, .off = offsetof(struct dtv_hart, menvcfg),
	  .write = menvcfg_write },
	FUNC_IF(0x30c, 0x30f, mstateen_ok, mstateen_read, mstateen_write),
	{ .first = 0x320, .last = 0x320, .off = offsetof(struct dtv_hart, mcountinhibit),
	  .write = mcountinhibit_write },
	ZERO(0x323, 0x33f), /* mhpmevent */
	FIELD(0x340, mscratch, ALL, 0),
	FIELD(0x341, mepc, EPC, 0),
	FIELD(0x342, mcause, ALL, 0),
	FIELD(0x343, mtval, ALL, 0),
	FUNC(0x344, mip_read, mip_write),
	FUNC_IF(0x3a0, 0x3a3, pmpcfg_ok, pmpcfg_read, pmpcfg_write),
	FUNC_IF(0x3b0, 0x3b0 + DTV_NR_PMP - 1, NULL, pmpaddr_read, pmpaddr_write),
	FUNC(0xb00, cycle_read, cycle_write), /* mcycle */
	FUNC(0xb02, instret_read, instret_write), /* minstret */
	ZERO(0xb03, 0xb1f), /* mhpmcounter */
	FUNC_IF(0xc00, 0xc00, counter_ok, cycle_read, NULL),
	FUNC_IF(0xc01, 0xc01, counter_ok, time_read, NULL),
	FUNC_IF(0xc02, 0xc02, counter_ok, instret_read, NULL),
	ZERO_IF(0xc03, 0xc1f, hpmcounter_ok), /* hpmcounter */
	ZERO(0xf11, 0xf13), /* mvendorid marchid mimpid: no commercial core */
	FUNC(0xf14, mhartid_read, NULL),
	ZERO(0xf15, 0xf15), /* mconfigptr */
};
/* clang-format on */

/* The register's row when the hart may access it now, or NULL. Chapter 2.1. */
static const struct csr *lookup(const struct dtv_hart *h, const struct dtv_env *env, u32 csr)
{
	unsigned int lo = 0, hi = ARRAY_SIZE(csrs), mid;

	if (csr > 0xfff || (h->priv & 3) < DTV_MUTANT(csr_priv, 0, CSR_PRIV(csr)))
		return NULL;
	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (csr > csrs[mid].last)
			lo = mid + 1;
		else if (csr < csrs[mid].first)
			hi = mid;
		else
			return !csrs[mid].ok || csrs[mid].ok(h, env, csr) ? &csrs[mid] : NULL;
	}
	return NULL;
}

/**
 * dtv_csr_read() - read a CSR at the hart's privilege
 * @h: state
 * @env: surroundings: isa, time, lines, cycles
 * @csr: number; anything
 * @val: result
 *
 * Return: 0, or -1: illegal instruction.
 * Context: hart's own.
 */
int dtv_csr_read(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 *val)
{
	const struct csr *row = lookup(h, env, csr);

	if (!row)
		return -1;
	if (row->read)
		*val = row->read(h, env, csr);
	else if (row->zero)
		*val = 0;
	else
		*val = *(const u64 *)((const u8 *)h + row->off);
	return 0;
}

/**
 * dtv_csr_write() - write a CSR at the hart's privilege
 * @h: state
 * @env: surroundings
 * @csr: number; anything
 * @val: what is written; what the register cannot hold is dropped
 * @fx: DTV_FX_* bits are ORed into it
 *
 * Return: 0, or -1: illegal instruction, nothing changed.
 * Context: hart's own.
 */
int dtv_csr_write(struct dtv_hart *h, const struct dtv_env *env, u32 csr, u64 val, u64 *fx)
{
	const struct csr *row = lookup(h, env, csr);
	u64 *field;

	if (!row || DTV_MUTANT(csr_read_only, false, CSR_READ_ONLY(csr)))
		return -1;
	if (row->write) {
		*fx |= row->write(h, env, csr, val);
	} else if (!row->zero) {
		field = (u64 *)((u8 *)h + row->off);
		*field = (*field & ~row->wmask) | (val & row->wmask);
		*fx |= row->fx;
	}
	return 0;
}
