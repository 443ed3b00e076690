/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tx.h - what the translator's own files share: blocks, their side tables,
 * and the state of one translation. Nobody outside dbt/ includes it.
 */
#ifndef DTV_DBT_TX_H
#define DTV_DBT_TX_H

#include "dbt.h"
#include "buf.h"

#define DTV_BLOCK_BRANCHES 3 /* conditional ones: what is behind more is less and less executed */
#define DTV_BLOCK_SHORT 6 /* a branch that these instructions come before ends the block */
#define DTV_BLOCK_EXITS 72
#define DTV_BLOCK_ENTRIES (DTV_BLOCK_INSNS * 12)
#define DTV_BLOCK_BYTES 24576 /* host bytes in a block, at most */

/* Side table kinds: how to read a host address at or behind an entry. */
enum dtv_entry_kind {
	ENTRY_REWIND, /* the instruction has changed nothing yet, wherever ip is */
	ENTRY_BUSY, /* the same at its first byte only */
	ENTRY_EXIT, /* chain site: next pc is the exit's target */
	ENTRY_RAX, /* next pc is in rax */
	ENTRY_LR, /* as REWIND: the LR of a pair */
	ENTRY_PAIR, /* behind an LR, up to its SC: to stop here would undo the LR */
	/*
	 * Not rows of their own but said of the next: f registers, a bit each in @guest, that hold
	 * a double (single) in which every NaN stands for the canonical one.
	 */
	ENTRY_NAN_D,
	ENTRY_NAN_S,
};

/* Entries ascend by host offset: first the body, then the cold code. */
struct dtv_entry_row {
	u16 host; /* offset from the block's first byte */
	u16 guest : 12; /* offset of the instruction in its page */
	u16 kind : 3; /* enum dtv_entry_kind */
	u16 warm : 1; /* scratch registers hold copies: C code cannot go on here */
};

struct dtv_exit_row {
	u16 host; /* offset of the call in the cold code */
	u16 patch; /* offset of the rel32 that chaining changes */
	s32 target; /* next pc, from the block's pc, which is even; EXIT_CHECKED */
	u32 chained : 1;
	u32 next : 31; /* while chained: exit_ref() of the next exit that leads to the same block */
};

#define EXIT_CHECKED 1 /* never chained past the check of the page */

struct dtv_block {
	u32 host; /* offset in the cache: the call of the ENTER exit */
	u32 host_len;
	u64 pc;
	u32 meta; /* offset of the side tables in d->meta: entries, then exits */
	u16 nr_entries, nr_exits;
	u16 body_end; /* offset of the cold code */
	u8 class;
	bool dead;
	u32 incoming; /* chained exits that lead here: exit_ref() of the newest, 0 none */
	u32 swept; /* d->gen at which @incoming was last rid of what was evicted */
	u32 xp, xp2;
	u32 hash_next;
	u32 xp_next, xp2_next; /* blocks of the same page */
};

/* Offsets in a block of the checked and the main entry, without and with a second page. */
#define DTV_CHECKED_OFF 5
#define DTV_MAIN_OFF 17
#define DTV_MAIN_OFF2 29

struct dtv_xp {
	gva_t gva; /* page address */
	gpa_t gpa;
	struct dtv_extent ext;
	u8 class;
	u8 state; /* enum dtv_xp_state */
	u32 next; /* in the hash chain */
	u32 blocks; /* newest block, 0 none */
	u32 swept; /* d->gen at which that list was last rid of what was evicted */
};

enum dtv_xp_state { XP_NEW, XP_READY, XP_DEAD };

/* A piece of cold code that the body branches to. */
struct dtv_cold {
	u8 *from; /* the rel32 of the branch */
	u8 *back; /* where to go on, for detours */
	u8 kind; /* enum dtv_cold_kind */
	u8 reg; /* host register (canonical check detour) */
	u8 row; /* enum dtv_entry_kind of the instruction's first row */
	u16 guest; /* instruction */
	u8 count; /* instructions that have retired at the branch and are not in hart->instret */
	u8 add; /* to be added to hart->instret on the way out; behind the branch it is none */
	u16 nan_d, nan_s; /* as struct dtv_facts has them at the branch */
	s32 target; /* chain sites, COLD_LIMIT: next pc, from the block's pc */
};

enum dtv_cold_kind {
	COLD_ACCESS, /* exit ACCESS */
	COLD_CANON_S, /* S-mode: the lower half is fine too, else exit ACCESS */
	COLD_CHAIN, /* exit CHAIN */
	COLD_JUMP, /* exit JUMP, pc in rax */
	COLD_CALL, /* the same for a call: @back is where it returns to */
	COLD_RETURN, /* a return that was not predicted: by the jump cache */
	COLD_SYSTEM, /* exit SYSTEM */
	COLD_LOOK, /* the (4-byte) instruction is done; leave to look at interrupts */
	COLD_KICKED, /* the same before an instruction */
	COLD_FP, /* exit FP; goes on with a block of its own, for facts do not hold behind it */
	COLD_FP_FIX, /* detour: dtv_x86_fp_cold() */
	COLD_ROUND, /* while instructions are counted: the next round of a loop, at @back */
	COLD_LIMIT, /* exit JUMP to the target: as many have retired as may */
	COLD_LIMIT_RA, /* the same to where ra leads */
};

#define DTV_COLD_MAX (DTV_BLOCK_INSNS * 6)

/* Instructions that are made as one, by the last of them. */
enum dtv_fuse {
	FUSE_NONE,
	FUSE_ROR32, /* rd = lower half of x[fuse_reg] rotated right by fuse_n, sign-extended */
	FUSE_ROR64, /* rd = x[fuse_reg] rotated right by fuse_n */
	FUSE_ZEXT32, /* rd = lower half of x[fuse_reg] */
	FUSE_ZEXT32_SHL, /* the same << fuse_n */
	FUSE_ZEXT16,
	FUSE_SEXT16,
	FUSE_SEXT8,
	FUSE_SHADD, /* rd = (x[fuse_reg] << fuse_n) + x[fuse_base] */
};

#define DTV_NEVER 0xff

/**
 * struct dtv_step - an instruction of the path, and what comes behind it; see ahead.c
 * @insn: the instruction
 * @fuse: enum dtv_fuse: made as this, from these registers
 * @fuse_reg: see enum dtv_fuse
 * @fuse_n: see enum dtv_fuse
 * @fuse_base: see enum dtv_fuse
 * @with_last: one with the step before, which is dead then
 * @dead: nobody sees the result: nothing is made
 * @brief: the result is read, but nobody finds it in its slot
 * @kind: what ahead.c knows of the instruction
 * @until: of a dead or brief one: number of the step that overwrites the result; boundaries up to
 *         it are none where the hart can be found
 * @off: offset of the instruction in its page
 * @unit_end: at the first of steps that were put into another order: number of the first behind
 *            them; there are no boundaries among them
 * @unit_off: with it: offset of the instruction that comes first
 * @next_rd: number of the step that reads x[rd] next, or DTV_NEVER
 * @next_rs1: the same of x[rs1], or of fuse_reg
 * @next_rs2: the same of x[rs2], or of fuse_base
 */
struct dtv_step {
	struct dtv_insn insn;
	u8 fuse;
	u8 fuse_reg, fuse_n, fuse_base;
	bool with_last;
	bool dead, brief;
	u8 kind;
	u8 until;
	u8 unit_end;
	u8 next_rd, next_rs1, next_rs2;
	u16 off, unit_off;
};

/*
 * struct dtv_facts - what is known at a guest instruction boundary on the straight path
 * through a block
 */
struct dtv_facts {
	u32 canon; /* bit r: x[r] was checked canonical, give or take drift[r] */
	u32 known; /* bit r: x[r] is value[r] */
	u32 sext; /* bit r: x[r] is the sign extension of its lower 32 bits */
	bool fs_on; /* FS was found on */
	bool fs_dirty; /* FS was made dirty */
	bool frm_ok; /* frm was found to be RNE, RTZ, RDN or RUP: MXCSR rounds as it says */
	u32 fboxed; /* bit r: f[r] was found to be a boxed single, or made one */
	/*
	 * Bit dtv_x86_fmap[r] - DTV_X86_FMAP_FIRST: f[r] holds a double (single) whose NaN, if it
	 * is one, is a quiet one that stands for the canonical one. No more is known of it; so
	 * the block that goes on here may find less.
	 */
	u16 nan_d, nan_s;
	/* What follows means nothing where no bit says so. */
	s32 drift[32];
	u64 value[32];
};

/* Of a loop that is a block: its first round has no facts, the others have those of its end. */
enum dtv_loop {
	LOOP_NONE,
	LOOP_BACK, /* the instruction that was selected goes on at the block's first */
	LOOP_ROUND, /* the second copy is being made */
	LOOP_CLOSED, /* it leads back to its own begin: the block ends there */
};

/* struct dtv_tx - one translation */
struct dtv_tx {
	struct dtv_dbt *d;
	struct dtv_buf b;
	struct dtv_profile *profile; /* of the block, or NULL */
	u32 number; /* the block's index in d->blocks */
	u8 *start; /* block's first byte, as C code writes it */
	u64 delta; /* exec address = rw address + delta */
	gva_t block_pc;
	gpa_t page_gpa; /* of the block's page */
	u32 page_end; /* offset of the end of the part of the page that the block stays in */
	unsigned int goes_on; /* a branch that so many instructions come before ends the block */
	u8 class;
	bool end; /* the block ends behind this instruction */
	u32 body_end; /* offset of the cold code */
	u32 guest_bytes; /* of the translated instructions */

	gva_t pc; /* current instruction */
	struct dtv_insn insn;
	unsigned int n; /* its number */
	u8 count; /* how many of the block have retired and are not in hart->instret */
	const struct dtv_step *step; /* what is known of it */
	struct dtv_step unread; /* for where nothing is: all zero but for the instruction */
	unsigned int hold; /* boundaries before instructions of lower numbers do not exist */
	unsigned int held; /* time of what is behind no boundary, since a look for a kick */
	struct dtv_step ahead[DTV_BLOCK_INSNS];
	unsigned int first_ahead, nr_ahead; /* steps in @ahead: first number, how many */
	unsigned int end_ahead; /* offset in the page of the instruction behind them */
	u16 pair; /* in a pair: offset of its SC in the page, else 0 */
	u8 pair_rs1; /* its address register */
	bool waits; /* at an LR: it waits for a store and needs no reservation */

	struct dtv_facts facts;
	/*
	 * Copies of slots in scratch registers: x86 register h holds x[copy[h]], 0 none. Slots
	 * are up to date, so copies may be dropped at any time, but for those in @unsaved, which
	 * only are where there is no boundary.
	 */
	u8 copy[16];
	u32 unsaved; /* bit h: the slot does not have the value */
	u8 copy_next[16]; /* number of the step that reads it next, or DTV_NEVER */
	u32 pinned; /* bit h: in use by the current instruction */
	/* facts about rd after the current instruction, set by its selection */
	bool pend_known, pend_canon;
	u64 pend_value;
	s32 pend_drift;
	bool rd_is_f; /* rd was an f register: facts about x[rd] stand */

	u8 loop; /* enum dtv_loop */
	bool loops; /* a branch to the block's begin may close a loop */
	u32 written; /* bit r: x[r] was written since the block's begin */
	u8 *round; /* where the second copy begins */
	struct dtv_facts at_round; /* what it takes to be known */

	struct dtv_cold cold[DTV_COLD_MAX];
	unsigned int nr_cold;
	struct dtv_entry_row entries[DTV_BLOCK_ENTRIES];
	u8 counts[DTV_BLOCK_ENTRIES]; /* @count at each of them */
	unsigned int nr_entries;
	struct dtv_exit_row exits[DTV_BLOCK_EXITS];
	unsigned int nr_exits;
};

/* --- for selection (x86/select*.c) --- */

/* Whether an optimization is on: the last of what is asked before it is applied. */
static inline bool opt(struct dtv_tx *tx, enum dtv_opt which)
{
	return dtv_opt(tx->d, which);
}

/* x86/select.c: whether any scratch register holds a copy. */
bool dtv_x86_warm(const struct dtv_tx *tx);

static inline bool dtv_is_lr(u16 op)
{
	return op == DTV_OP_LR_W || op == DTV_OP_LR_D;
}

/* How the first row of the current instruction is to be read. */
static inline enum dtv_entry_kind dtv_tx_first(const struct dtv_tx *tx)
{
	if (!tx->pair)
		return ENTRY_REWIND;
	return dtv_is_lr(tx->insn.op) ? ENTRY_LR : ENTRY_PAIR;
}

/* Keep the current instruction for who reads the block later. */
static inline void dtv_tx_log(struct dtv_tx *tx)
{
	struct dtv_profile *p = tx->profile;

	if (likely(!p) || p->nr == ARRAY_SIZE(p->insn))
		return;
	p->insn[p->nr].raw = tx->insn.raw;
	p->insn[p->nr].guest = tx->pc & 0xfff;
	p->insn[p->nr].host = tx->b.p - tx->start;
	p->nr++;
}

static inline void dtv_tx_row(struct dtv_tx *tx, enum dtv_entry_kind kind, u16 guest)
{
	if (tx->nr_entries == DTV_BLOCK_ENTRIES) {
		tx->b.full = true;
		return;
	}
	tx->counts[tx->nr_entries] = tx->count;
	tx->entries[tx->nr_entries++] = (struct dtv_entry_row){
		.host = tx->b.p - tx->start,
		.guest = guest,
		.kind = kind,
		.warm = dtv_x86_warm(tx),
	};
}

/* Append a side table row for the code that follows. */
static inline void dtv_tx_entry(struct dtv_tx *tx, enum dtv_entry_kind kind)
{
	if (DTV_MUTANT(nan_row, 0, tx->facts.nan_d))
		dtv_tx_row(tx, ENTRY_NAN_D, tx->facts.nan_d);
	if (tx->facts.nan_s)
		dtv_tx_row(tx, ENTRY_NAN_S, tx->facts.nan_s);
	dtv_tx_row(tx, kind, tx->pc & 0xfff);
}

/* Ask for cold code that @from (a rel32) branches to. */
static inline struct dtv_cold *dtv_tx_cold(struct dtv_tx *tx, enum dtv_cold_kind kind, u8 *from)
{
	struct dtv_cold *c = &tx->cold[tx->nr_cold];

	if (tx->nr_cold == DTV_COLD_MAX) {
		tx->b.full = true;
		return c - 1;
	}
	tx->nr_cold++;
	*c = (struct dtv_cold){
		.from = from,
		.kind = kind,
		.row = dtv_tx_first(tx),
		.guest = tx->pc & 0xfff,
		.count = tx->count,
		.nan_d = tx->facts.nan_d,
		.nan_s = tx->facts.nan_s,
	};
	return c;
}

/*
 * Whether one more instruction fits, and an exit behind it: it may need 16 pieces of cold
 * code with three side table rows each, and some more rows.
 */
static inline bool dtv_tx_room(const struct dtv_tx *tx)
{
	return tx->nr_cold + 16 <= DTV_COLD_MAX &&
	       tx->nr_entries + 3 * tx->nr_cold + 60 <= DTV_BLOCK_ENTRIES;
}

/* Whether @n more instructions fit that compute or branch, and one of any kind behind them. */
static inline bool dtv_tx_room_for(const struct dtv_tx *tx, unsigned int n)
{
	return tx->nr_cold + 2 * n + 16 <= DTV_COLD_MAX &&
	       tx->nr_entries + 3 * tx->nr_cold + 9 * n + 60 <= DTV_BLOCK_ENTRIES;
}

/* The same for a second copy of all that there is. */
static inline bool dtv_tx_room_twice(const struct dtv_tx *tx)
{
	return tx->nr_cold < DTV_COLD_MAX / 3 && tx->nr_entries < DTV_BLOCK_ENTRIES / 4 &&
	       tx->b.p - tx->start < DTV_BLOCK_BYTES / 4;
}

/* FS, frm and f registers may be anything. */
static inline void dtv_tx_forget_checks(struct dtv_tx *tx)
{
	tx->facts.fs_on = false;
	tx->facts.fs_dirty = false;
	tx->facts.frm_ok = false;
	tx->facts.fboxed = 0;
}

/*
 * C code has run between the last instruction and the next: the same, and NaNs that stood for
 * the canonical one are that.
 */
static inline void dtv_tx_forget_fp(struct dtv_tx *tx)
{
	dtv_tx_forget_checks(tx);
	tx->facts.nan_d = 0;
	tx->facts.nan_s = 0;
}

/* x86/select_fp.c: the detour of a COLD_FP_FIX; its branch is fixed, its side table row stands. */
void dtv_x86_fp_cold(struct dtv_tx *tx, const struct dtv_cold *c);

/*
 * NaNs that stand for the canonical one are made that, before what may follow takes them for
 * themselves: in line, or all in cold code. xmm0 and the flags are changed.
 */
void dtv_x86_fp_settle(struct dtv_tx *tx);
void dtv_x86_fp_settle_cold(struct dtv_tx *tx, u16 nan_d, u16 nan_s);

/* cache.c: whether the load or store at @gpa is known to reach what is no RAM. Lock held. */
bool dtv_dbt_is_mmio(struct dtv_dbt *d, gpa_t gpa);

/* pair.c */
enum dtv_pair_kind { PAIR_NONE, PAIR_FOUND, PAIR_LATER, PAIR_WAIT };

struct dtv_pair {
	u16 sc; /* offset of the SC in the page */
	u8 insns; /* before it, the LR included */
	u8 branches; /* among them */
};

enum dtv_pair_kind dtv_pair_find(const u8 *page, unsigned int off, unsigned int end,
				 const struct dtv_insn *lr, u64 isa, const u64 *seen,
				 struct dtv_pair *p);

/* translate.c: first halfword at @p, or both when the instruction has 32 bits. */
u32 dtv_fetch(const u8 *p);

/*
 * ahead.c: read instructions from tx->pc on into tx->ahead. @page: its page; @seen: bit per
 * halfword that is in the block; @first: number of the first; @branches: how many conditional
 * ones are in the block, which ends with DTV_BLOCK_BRANCHES of them.
 */
void dtv_read_ahead(struct dtv_tx *tx, const u8 *page, const u64 *seen, unsigned int first,
		    unsigned int branches);

/* x86/select.c */
/*
 * At a boundary: if much that has none was made before, look whether a kick came meanwhile. Says so
 * with rows of the current instruction; its own come behind.
 */
void dtv_x86_look(struct dtv_tx *tx);
void dtv_x86_dead(struct dtv_tx *tx); /* the current instruction, with a result that nobody sees */
void dtv_x86_begin(struct dtv_tx *tx, u32 xp, u32 xp2);
void dtv_x86_insn(struct dtv_tx *tx); /* emits tx->insn, sets tx->end */
void dtv_x86_finish(struct dtv_tx *tx); /* emits the cold code */
void dtv_x86_chain_exit(struct dtv_tx *tx, gva_t target); /* the block's last jump */
/*
 * The straight path has come back to the block's begin. LOOP_ROUND: go on there, with the
 * facts that it sets. LOOP_CLOSED: the jump back was emitted. LOOP_NONE: it is an exit.
 */
enum dtv_loop dtv_x86_loop(struct dtv_tx *tx);
int dtv_x86_stubs(struct dtv_dbt *d);
/* Patching of live code: one aligned store each. */
void dtv_x86_patch_rel32(u8 *at, s32 rel);
void dtv_x86_patch_dead(u8 *main_entry, const u8 *to);

#endif /* DTV_DBT_TX_H */
