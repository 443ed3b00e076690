// SPDX-License-Identifier: GPL-2.0-only
/*
 * select.c - the frame of a block on x86-64: entry, exits, cold code, and the
 * helpers that all instruction selection shares.
 */
#include "select.h"

const u8 dtv_x86_map[32] = {
	[0] = X86_NO_REG,
	[1] = RBX, /* ra */
	[2] = RSI, /* sp */
	[3] = X86_NO_REG,
	[4] = X86_NO_REG,
	[5] = X86_NO_REG,
	[6] = X86_NO_REG,
	[7] = X86_NO_REG,
	[8] = RDI, /* s0 */
	[9] = R8, /* s1 */
	[10] = R9, /* a0 */
	[11] = R10, /* a1 */
	[12] = R11, /* a2 */
	[13] = R12, /* a3 */
	[14] = R13, /* a4 */
	[15] = R14, /* a5 */
	[16] = X86_NO_REG,
	[17] = X86_NO_REG,
	[18] = R15, /* s2 */
	[19] = X86_NO_REG,
	[20] = X86_NO_REG,
	[21] = X86_NO_REG,
	[22] = X86_NO_REG,
	[23] = X86_NO_REG,
	[24] = X86_NO_REG,
	[25] = X86_NO_REG,
	[26] = X86_NO_REG,
	[27] = X86_NO_REG,
	[28] = X86_NO_REG,
	[29] = X86_NO_REG,
	[30] = X86_NO_REG,
	[31] = X86_NO_REG,
};

const u8 dtv_x86_fmap[32] = {
	4,	    5,		6,	    7,		8,	    9, /* ft0 to ft5 */
	X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG, 10,	    11, /* fa0, fa1 */
	12,	    13,		14,	    15, /* fa2 to fa5 */
	X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG,
	X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG,
	X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG,
};

u8 src(struct dtv_tx *tx, u8 r, u8 tmp)
{
	if (mapped(r))
		return dtv_x86_map[r];
	load_reg(tx, tmp, r);
	return tmp;
}

void load_reg(struct dtv_tx *tx, u8 d, u8 r)
{
	if (r == 0)
		alu32_rr(&tx->b, ALU_XOR, d, d);
	else if (mapped(r))
		mov_rr(&tx->b, d, dtv_x86_map[r]);
	else
		mov_rm(&tx->b, d, slot(r));
}

u8 dst(struct dtv_tx *tx, u8 rd, u8 tmp)
{
	(void)tx;
	return mapped(rd) ? dtv_x86_map[rd] : tmp;
}

void commit(struct dtv_tx *tx, u8 rd, u8 h)
{
	if (rd == DTV_MUTANT(x0_written, 32, 0))
		return;
	if (!mapped(rd))
		mov_mr(&tx->b, slot(rd), h);
	else if (dtv_x86_map[rd] != h)
		mov_rr(&tx->b, dtv_x86_map[rd - DTV_MUTANT(two_in_one, rd == 14, 0)], h);
}

/* Scratch registers that may hold copies. */
static const u8 pool[] = { RAX, RCX, RDX };

bool dtv_x86_warm(const struct dtv_tx *tx)
{
	return tx->copy[RAX] | tx->copy[RCX] | tx->copy[RDX];
}

/* Number of the step that reads x[r] next. */
static u8 next_reader(const struct dtv_tx *tx, u8 r)
{
	const struct dtv_step *s = tx->step;

	if (s->fuse != FUSE_NONE)
		return r == s->fuse_reg ? s->next_rs1 : s->next_rs2;
	return r == s->insn.rs1 ? s->next_rs1 : s->next_rs2;
}

static void pin(struct dtv_tx *tx, u8 h)
{
	tx->pinned |= 1U << h;
}

/* The register is to hold something else. */
static void evict(struct dtv_tx *tx, u8 h)
{
	if (DTV_MUTANT(brief_lost, false, tx->unsaved >> h & 1) && tx->copy_next[h] != DTV_NEVER)
		mov_mr(&tx->b, slot(tx->copy[h]), h);
	tx->unsaved &= ~(1U << h);
	tx->copy[h] = 0;
}

u8 scratch(struct dtv_tx *tx)
{
	u8 best = X86_NO_REG;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pool); i++) {
		u8 h = pool[i];

		if (tx->pinned & 1U << h)
			continue;
		if (best == X86_NO_REG || (!tx->copy[h] && tx->copy[best]) ||
		    (tx->copy[h] && tx->copy[best] && tx->copy_next[h] > tx->copy_next[best]))
			best = h;
	}
	if (WARN_ON_ONCE(best == X86_NO_REG)) {
		tx->b.full = true;
		return RAX;
	}
	evict(tx, best);
	pin(tx, best);
	return best;
}

u8 copy_of(struct dtv_tx *tx, u8 r)
{
	unsigned int i;

	if (mapped(r))
		return dtv_x86_map[r];
	for (i = 0; r && i < ARRAY_SIZE(pool); i++) {
		u8 h = pool[i];

		if (tx->copy[h] == r && (tx->unsaved >> h & 1 || opt(tx, DTV_OPT_COPIES))) {
			pin(tx, h);
			tx->copy_next[h] = next_reader(tx, r);
			return h;
		}
	}
	return X86_NO_REG;
}

u8 use(struct dtv_tx *tx, u8 r)
{
	u8 h = copy_of(tx, r);

	if (h == X86_NO_REG) {
		h = scratch(tx);
		load_reg(tx, h, r);
		tx->copy[h] = r;
		tx->copy_next[h] = next_reader(tx, r);
	}
	return h;
}

u8 def(struct dtv_tx *tx, u8 rd)
{
	return mapped(rd) ? dtv_x86_map[rd] : scratch(tx);
}

u8 change(struct dtv_tx *tx, u8 rd)
{
	u8 h = use(tx, rd);

	if (h <= RDX) {
		tx->copy[h] = 0;
		tx->unsaved &= ~(1U << h);
	}
	return h;
}

void drop_copies(struct dtv_tx *tx, u8 rd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pool); i++) {
		if (DTV_MUTANT(copy_stays, 0, rd) && tx->copy[pool[i]] == rd) {
			tx->copy[pool[i]] = 0;
			tx->unsaved &= ~(1U << pool[i]);
		}
	}
}

void drop_all_copies(struct dtv_tx *tx)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pool); i++)
		evict(tx, pool[i]);
}

void done(struct dtv_tx *tx, u8 rd, u8 h)
{
	if (rd == 0 || mapped(rd)) {
		commit(tx, rd, h);
		return;
	}
	drop_copies(tx, rd);
	if (h > RDX) {
		commit(tx, rd, h);
		return;
	}
	/* In a move it is a copy of the source. */
	if (tx->copy[h]) {
		commit(tx, rd, h);
		if (tx->unsaved >> h & 1 || tx->step->next_rd >= tx->copy_next[h])
			return;
	} else if (tx->step->brief && opt(tx, DTV_OPT_BRIEF)) {
		tx->entries[tx->nr_entries - 1].kind =
			DTV_MUTANT(brief_rewinds, ENTRY_REWIND, ENTRY_BUSY);
		tx->hold = max(tx->hold, tx->step->until + 1U);
		tx->unsaved |= 1U << h;
	} else {
		commit(tx, rd, h);
	}
	tx->copy[h] = rd;
	tx->copy_next[h] = tx->step->next_rd;
}

void forget(struct dtv_tx *tx, u8 rd)
{
	if (rd == 0)
		return;
	tx->facts.canon &= ~DTV_MUTANT(canon_stays, 0, 1U << rd);
	tx->facts.known &= ~DTV_MUTANT(known_stays, 0, 1U << rd);
	tx->facts.sext &= ~DTV_MUTANT(sext_stays, 0, 1U << rd);
}

/* Let the rel32 at @at reach the host address @to. */
static void to_exec(struct dtv_tx *tx, u8 *at, u64 to)
{
	s32 rel = to - ((u64)(uintptr_t)(at + 4) + tx->delta);

	if (!tx->b.full)
		memcpy(at, &rel, 4);
}

static void call_stub(struct dtv_tx *tx, enum dtv_exit reason)
{
	u8 *at = call_rel32(&tx->b);

	to_exec(tx, at, tx->d->stub_exit[reason]);
}

static struct x86_mem xpage_mem(u8 class, gva_t gva)
{
	u32 off = offsetof(struct dtv_area, xpage) + dtv_xpage_index(class, gva) * sizeof(u32);

	return x86_base(RBP, (s32)off - DTV_HART_BIAS);
}

/* What has retired goes into hart->instret. Changes the flags. */
static void add_count(struct dtv_tx *tx)
{
	if (tx->d->counting && tx->count)
		alu_mi(&tx->b, ALU_ADD, HART(instret), tx->count);
	tx->count = 0;
}

/*
 * The same where the block is left or begins again: as many may have retired as the hart is
 * allowed to, which cold code of @kind leads out of. A row is before it, and one has to be
 * behind it, as nothing has retired there. Return: whether there is any code.
 */
static bool count_out(struct dtv_tx *tx, enum dtv_cold_kind kind, s32 target)
{
	bool any = tx->d->counting && tx->count;

	add_count(tx);
	if (any && tx->d->limited)
		dtv_tx_cold(tx, kind, jcc_rel32(&tx->b, CC_NS))->target = target;
	return any;
}

void count_jump(struct dtv_tx *tx)
{
	dtv_tx_entry(tx, ENTRY_RAX);
	if (count_out(tx, COLD_JUMP, 0))
		dtv_tx_entry(tx, ENTRY_RAX);
}

/* One more time through the block, at its begin or that of the loop in it: nothing is in rax. */
static void count(struct dtv_tx *tx)
{
	if (likely(!tx->profile))
		return;
	dtv_tx_entry(tx, ENTRY_REWIND);
	mov_ri(&tx->b, RAX, (uintptr_t)&tx->profile->count);
	lock_alu_mi(&tx->b, ALU_ADD, x86_base(RAX, 0), 1);
}

void dtv_x86_begin(struct dtv_tx *tx, u32 xp, u32 xp2)
{
	memset(tx->copy, 0, sizeof(tx->copy));
	tx->unsaved = 0;
	dtv_tx_entry(tx, ENTRY_REWIND);
	call_stub(tx, DTV_EXIT_ENTER);
	/* The displacement is beyond 8 bits for every field of xpage: fixed length. */
	cmp32_mi32(&tx->b, xpage_mem(tx->class, tx->pc), xp);
	x86_fix8(&tx->b, jcc_rel8(&tx->b, DTV_MUTANT(entry_unchecked, CC_O, CC_NE)), tx->start);
	if (xp2) {
		cmp32_mi32(&tx->b, xpage_mem(tx->class, tx->pc + DTV_PAGE_SIZE), xp2);
		x86_fix8(&tx->b, jcc_rel8(&tx->b, DTV_MUTANT(entry2_unchecked, CC_O, CC_NE)),
			 tx->start);
	}
	x86_nop(&tx->b, 2);
	count(tx);
}

/*
 * A rel32 that live patching changes must lie inside an aligned quadword, so
 * that one store changes it: nops needed before an instruction whose rel32
 * is @off bytes from here.
 */
static unsigned int patch_pad(const struct dtv_tx *tx, unsigned int off)
{
	unsigned int at = ((uintptr_t)tx->b.p + off) & 7;

	return at > 4 ? 8 - at : 0;
}

void dtv_x86_chain_exit(struct dtv_tx *tx, gva_t target)
{
	struct dtv_cold *c;

	/* The instruction before has committed: the padding must not count as part of it. */
	dtv_tx_entry(tx, ENTRY_EXIT);
	dtv_x86_fp_settle_cold(tx, tx->facts.nan_d, tx->facts.nan_s);
	tx->facts.nan_d = 0;
	tx->facts.nan_s = 0;
	if (count_out(tx, COLD_LIMIT, target - tx->block_pc))
		dtv_tx_entry(tx, ENTRY_EXIT);
	x86_nop(&tx->b, patch_pad(tx, 1));
	c = dtv_tx_cold(tx, COLD_CHAIN, jmp_rel32(&tx->b));
	c->target = target - tx->block_pc;
}

/* Whether all is known that the second copy of the loop takes to be known. */
static bool round_again(const struct dtv_tx *tx)
{
	const struct dtv_facts *now = &tx->facts, *then = &tx->at_round;
	unsigned int r;

	for (r = 1; r < 32; r++)
		if ((then->canon >> r & 1) &&
		    (!(now->canon >> r & 1) || now->drift[r] != then->drift[r]))
			return false;
	return !(then->known & ~now->known) && then->fs_on <= now->fs_on &&
	       then->fs_dirty <= now->fs_dirty && then->frm_ok <= now->frm_ok &&
	       !(then->sext & ~now->sext) && !(then->fboxed & ~now->fboxed) &&
	       !(now->nan_d & ~then->nan_d) && !(now->nan_s & ~then->nan_s);
}

/* Whether a branch to the block's begin makes or closes a second copy of the loop. */
static bool is_loop(struct dtv_tx *tx)
{
	/* A pair's straight path is fixed. */
	if (!tx->loops || tx->pair)
		return false;
	if (tx->loop == LOOP_ROUND)
		return round_again(tx);
	return tx->loop == LOOP_NONE && dtv_tx_room_twice(tx) && opt(tx, DTV_OPT_LOOP);
}

enum dtv_loop dtv_x86_loop(struct dtv_tx *tx)
{
	if (tx->loop != LOOP_BACK && !is_loop(tx)) {
		tx->loops = false;
		return LOOP_NONE;
	}
	if (tx->loop == LOOP_ROUND) {
		u8 *at;

		/* Nothing of the first instruction is done. */
		dtv_tx_entry(tx, ENTRY_REWIND);
		if (count_out(tx, COLD_LIMIT, 0))
			dtv_tx_entry(tx, ENTRY_REWIND);
		at = jmp_rel32(&tx->b);
		x86_fix32(&tx->b, at, tx->round);
		return LOOP_CLOSED;
	}
	/*
	 * What the round before has changed it may change again, so that it will not be known. But
	 * of a pointer its last access says the same after each round, see made_access().
	 */
	if ((tx->facts.canon & tx->written) && !opt(tx, DTV_OPT_STRIDE))
		tx->facts.canon &= ~tx->written;
	tx->facts.known &= ~tx->written;
	drop_all_copies(tx);
	if (tx->d->counting)
		dtv_tx_entry(tx, ENTRY_REWIND);
	count_out(tx, COLD_LIMIT, 0);
	tx->at_round = tx->facts;
	tx->round = tx->b.p;
	count(tx);
	return LOOP_ROUND;
}

static void compare(struct dtv_tx *tx, u8 a, u8 b)
{
	if (b == X86_NO_REG)
		test_rr(&tx->b, a, a);
	else
		alu_rr(&tx->b, ALU_CMP, a, b);
}

void branch_exit(struct dtv_tx *tx, enum x86_cc cc, gva_t target, u8 a, u8 b)
{
	struct dtv_cold *c;

	if (target == tx->block_pc && is_loop(tx)) {
		if (tx->loop == LOOP_ROUND) {
			u8 *at;

			compare(tx, a, b);
			at = jcc_rel32(&tx->b, cc);
			if (tx->d->counting)
				dtv_tx_cold(tx, COLD_ROUND, at)->back = tx->round;
			else
				x86_fix32(&tx->b, at, tx->round);
			return;
		}
		/* The straight path is the one back, the other leaves. */
		tx->loop = LOOP_BACK;
		cc ^= DTV_MUTANT(loop_leaves, 0, 1);
		target = tx->pc + tx->insn.len;
	}
	/*
	 * The comparison and the jump stay together, so that the host makes one of them. Where
	 * cold code has NaNs to settle or to count before it leaves, its jump is what is patched.
	 */
	if (!(tx->facts.nan_d | tx->facts.nan_s) && !tx->d->counting)
		x86_nop(&tx->b, patch_pad(tx, 3 + 2));
	compare(tx, a, b);
	c = dtv_tx_cold(tx, COLD_CHAIN, jcc_rel32(&tx->b, cc));
	c->target = target - tx->block_pc;
	c->add = tx->d->counting ? tx->count + DTV_MUTANT(count_branch, 0, 1) : 0;
}

#define JCACHE_DISP(class)                                         \
	((s32)(offsetof(struct dtv_area, jcache) +                 \
	       (class) * sizeof(struct dtv_jentry) * DTV_JCACHE) - \
	 DTV_HART_BIAS)

/* The jump cache's entry for the guest pc in rax; changes rcx and the flags. */
static struct x86_mem jcache_probe(struct dtv_tx *tx, u8 class)
{
	struct x86_mem m = { .base = RBP, .index = RCX, .scale = 3, .disp = JCACHE_DISP(class) };

	/* An entry is 16 bytes and pc is even: (pc >> 1) * 16 = pc * 8. */
	BUILD_BUG_ON(sizeof(struct dtv_jentry) != 16);
	mov32_rr(&tx->b, RCX, RAX);
	alu32_ri(&tx->b, ALU_AND, RCX, (DTV_JCACHE - 1) << 1);
	alu_rm(&tx->b, ALU_CMP, RAX, m);
	m.disp += 8;
	return m;
}

void jump_exit(struct dtv_tx *tx)
{
	jump_exit_to(tx, tx->class);
}

void jump_exit_to(struct dtv_tx *tx, u8 class)
{
	struct x86_mem m;

	count_jump(tx);
	if (!opt(tx, DTV_OPT_JCACHE)) {
		call_stub(tx, DTV_EXIT_JUMP);
		return;
	}
	m = jcache_probe(tx, class);
	dtv_tx_cold(tx, COLD_JUMP, jcc_rel32(&tx->b, DTV_MUTANT(jcache_untagged, CC_O, CC_NE)));
	jmp_m(&tx->b, m);
}

/* Bytes of push_link(). */
#define PUSH_LINK_LEN 12

/* The guest's half of a return stack pair; ra is committed. */
static void push_link(struct dtv_tx *tx)
{
	push_r(&tx->b, dtv_x86_map[1]);
	/* or rsp, imm32 wraps the ring; then the push went to where the pair is not. */
	x86_op_rr(&tx->b, X86_W, 0x81, ALU_OR, RSP);
	x86_u32(&tx->b, DTV_RSTACK_BYTES);
	mov_mr(&tx->b, x86_base(RSP, 0), dtv_x86_map[1]);
}

/* Where the host call returns to: drop the guest's half, go on behind the guest's call. */
static void after_call(struct dtv_tx *tx, gva_t link)
{
	struct dtv_cold *c;

	lea_rm(&tx->b, RSP, x86_base(RSP, 8));
	x86_nop(&tx->b, patch_pad(tx, 1));
	dtv_tx_entry(tx, ENTRY_EXIT);
	c = dtv_tx_cold(tx, COLD_CHAIN, jmp_rel32(&tx->b));
	/* Who returns here knows nothing of the page that this block stands for. */
	c->target = (s32)(link - tx->block_pc) | EXIT_CHECKED;
}

void call_exit(struct dtv_tx *tx, gva_t target, gva_t link)
{
	struct dtv_cold *c;

	if (!opt(tx, DTV_OPT_RSTACK)) {
		dtv_x86_chain_exit(tx, target);
		return;
	}
	/*
	 * ra is committed, and may be what the target was made from: no way back from
	 * the padding on.
	 */
	dtv_tx_entry(tx, ENTRY_BUSY);
	count_out(tx, COLD_LIMIT, target - tx->block_pc);
	x86_nop(&tx->b, patch_pad(tx, PUSH_LINK_LEN + 1));
	push_link(tx);
	c = dtv_tx_cold(tx, COLD_CHAIN, call_rel32(&tx->b));
	c->target = target - tx->block_pc;
	after_call(tx, link);
}

void jump_call_exit(struct dtv_tx *tx, gva_t link)
{
	struct dtv_cold *c;
	struct x86_mem m;

	if (!opt(tx, DTV_OPT_RSTACK) || !opt(tx, DTV_OPT_JCACHE)) {
		jump_exit(tx);
		return;
	}
	count_jump(tx);
	m = jcache_probe(tx, tx->class);
	c = dtv_tx_cold(tx, COLD_CALL, jcc_rel32(&tx->b, CC_NE));
	dtv_tx_entry(tx, ENTRY_BUSY);
	push_link(tx);
	x86_op_rm(&tx->b, 0, 0xff, 2, m);
	c->back = tx->b.p;
	after_call(tx, link);
}

void return_exit(struct dtv_tx *tx)
{
	if (!opt(tx, DTV_OPT_RSTACK)) {
		mov_rr(&tx->b, RAX, dtv_x86_map[1]);
		alu_ri(&tx->b, ALU_AND, RAX, -2);
		tx->count++;
		jump_exit(tx);
		return;
	}
	alu_mr(&tx->b, ALU_CMP, x86_base(RSP, 8), dtv_x86_map[1]);
	dtv_tx_cold(tx, COLD_RETURN, jcc_rel32(&tx->b, DTV_MUTANT(return_unchecked, CC_O, CC_NE)));
	if (tx->d->counting)
		dtv_tx_entry(tx, ENTRY_BUSY);
	tx->count += DTV_MUTANT(count_return, 0, 1);
	count_out(tx, COLD_LIMIT_RA, 0);
	ret(&tx->b);
}

void system_exit(struct dtv_tx *tx, enum dtv_exit reason, bool end)
{
	call_stub(tx, reason);
	if (DTV_MUTANT(fp_facts_stay, false, true))
		dtv_tx_forget_fp(tx);
	drop_all_copies(tx);
	tx->end = end;
}

/* What selection has to know of an instruction before it is made. */
enum {
	/* Takes registers by use(), scratch() and def() alone. */
	KEEPS = 1,
	/* The result is a sign-extended 32-bit value: always; under a condition. */
	SEXT = 2,
	SEXT_IF = 4,
	/* Who makes it. */
	INT = 8,
	MEM = 16,
};

// clang-format off
static const u8 traits[DTV_NR_OPS] = {
	[DTV_OP_LUI] = KEEPS | SEXT | INT,
	[DTV_OP_AUIPC] = KEEPS | INT,
	[DTV_OP_JAL ... DTV_OP_JALR] = INT,
	[DTV_OP_BEQ ... DTV_OP_BGEU] = KEEPS | INT,
	[DTV_OP_LB ... DTV_OP_LW] = KEEPS | SEXT | MEM,
	[DTV_OP_LD] = KEEPS | MEM,
	[DTV_OP_LBU ... DTV_OP_LHU] = KEEPS | SEXT | MEM,
	[DTV_OP_LWU ... DTV_OP_SD] = KEEPS | MEM,
	[DTV_OP_ADDI] = KEEPS | SEXT_IF | INT,
	[DTV_OP_SLTI ... DTV_OP_SLTIU] = KEEPS | SEXT | INT,
	[DTV_OP_XORI ... DTV_OP_ANDI] = KEEPS | SEXT_IF | INT,
	[DTV_OP_SLLI ... DTV_OP_SRLI] = KEEPS | INT,
	[DTV_OP_SRAI ... DTV_OP_ADD] = KEEPS | SEXT_IF | INT,
	[DTV_OP_SUB ... DTV_OP_SLL] = KEEPS | INT,
	[DTV_OP_SLT ... DTV_OP_SLTU] = KEEPS | SEXT | INT,
	[DTV_OP_XOR] = KEEPS | SEXT_IF | INT,
	[DTV_OP_SRL ... DTV_OP_SRA] = KEEPS | INT,
	[DTV_OP_OR ... DTV_OP_AND] = KEEPS | SEXT_IF | INT,
	[DTV_OP_ADDIW ... DTV_OP_SRAW] = KEEPS | SEXT | INT,
	[DTV_OP_FENCE] = KEEPS | INT,
	[DTV_OP_MUL] = KEEPS | INT,
	[DTV_OP_MULW] = KEEPS | SEXT | INT,
	[DTV_OP_DIVW ... DTV_OP_REMUW] = SEXT | INT,
};
// clang-format on

/* Whether the instruction's result is a sign-extended 32-bit value. */
static bool result_sext(const struct dtv_tx *tx, u8 trait)
{
	const struct dtv_insn *in = &tx->insn;
	bool s1 = tx->facts.sext >> in->rs1 & 1;

	switch ((enum dtv_fuse)tx->step->fuse) {
	case FUSE_NONE:
		break;
	case FUSE_ROR32:
	case FUSE_ZEXT16:
	case FUSE_SEXT16:
	case FUSE_SEXT8:
		return true;
	default:
		return false;
	}
	if (!(trait & SEXT_IF))
		return trait & SEXT;
	switch (in->op) {
	case DTV_OP_ANDI:
		return s1 || in->imm >= 0;
	case DTV_OP_ADDI:
		return s1 && in->imm == 0;
	case DTV_OP_XORI:
	case DTV_OP_ORI:
	case DTV_OP_SRAI:
		return s1;
	case DTV_OP_AND:
	case DTV_OP_OR:
	case DTV_OP_XOR:
		return s1 && (tx->facts.sext >> in->rs2 & 1);
	case DTV_OP_ADD:
		return (s1 && in->rs2 == 0) || (in->rs1 == 0 && (tx->facts.sext >> in->rs2 & 1));
	}
	return false;
}

/*
 * Whether what follows the instruction may find f registers in another way than through this
 * block: all but arithmetic, accesses and branches.
 */
static bool sees_f(const struct dtv_tx *tx)
{
	switch (tx->insn.fmt) {
	case DTV_FMT_R:
	case DTV_FMT_I:
	case DTV_FMT_SH:
	case DTV_FMT_SHW:
	case DTV_FMT_S:
	case DTV_FMT_B:
	case DTV_FMT_U:
	case DTV_FMT_R4:
	case DTV_FMT_FP:
		return tx->insn.op == DTV_OP_JALR;
	}
	return !(tx->insn.op >= DTV_OP_FLW && tx->insn.op <= DTV_OP_FCVT_D_S);
}

/* A kick is looked for when so much was done behind no boundary, in simple instructions. */
#define LOOK_AFTER 24

/* What an instruction takes in these. */
static unsigned int time_of(u16 op)
{
	return op >= DTV_OP_DIV && op <= DTV_OP_REMUW && op != DTV_OP_MULW ? 8 : 1;
}

void dtv_x86_look(struct dtv_tx *tx)
{
	if (tx->held < LOOK_AFTER || tx->pair)
		return;
	tx->held = 0;
	dtv_tx_entry(tx, ENTRY_REWIND);
	alu32_mi(&tx->b, ALU_CMP, HART(kicked), 0);
	dtv_tx_cold(tx, COLD_KICKED, jcc_rel32(&tx->b, CC_NE));
}

/* Loads and stores that never go on without their access. */
static bool plain_access(u16 op)
{
	switch (op) {
	case DTV_OP_FLW:
	case DTV_OP_FSW:
	case DTV_OP_FLD:
	case DTV_OP_FSD:
		return true;
	}
	return op >= DTV_OP_LB && op <= DTV_OP_SD;
}

/*
 * The current instruction has made an access. So its address was canonical: there is nothing
 * in guards to access. So a pointer that goes on from access to access by less than a guard, as
 * one of a loop does, meets the guard before it is anywhere else.
 */
static void made_access(struct dtv_tx *tx)
{
	const struct dtv_insn *in = &tx->insn;

	if (!in->rs1)
		return;
	tx->facts.canon |= 1U << in->rs1;
	tx->facts.drift[in->rs1] = -in->imm;
}

/* Make it, whoever can; false: nobody. */
static bool make(struct dtv_tx *tx, u8 trait)
{
	if (trait & INT)
		return dtv_x86_int(tx);
	if (trait & MEM)
		return dtv_x86_mem(tx);
	return dtv_x86_sys(tx) || dtv_x86_int(tx) || dtv_x86_mem(tx) || dtv_x86_bit(tx) ||
	       dtv_x86_cbo(tx) || dtv_x86_fp(tx);
}

void dtv_x86_insn(struct dtv_tx *tx)
{
	u8 rd = tx->insn.rd, trait = traits[tx->insn.op];
	bool sext = result_sext(tx, trait);

	BUILD_BUG_ON(DTV_OP_SRAW - DTV_OP_BEQ != 44);
	if (!(trait & KEEPS))
		drop_all_copies(tx);
	tx->pinned = 0;
	if (tx->n >= tx->hold) {
		dtv_x86_look(tx);
		dtv_tx_entry(tx, dtv_tx_first(tx));
	}
	tx->pend_known = false;
	tx->pend_canon = false;
	tx->rd_is_f = false;
	if ((tx->facts.nan_d | tx->facts.nan_s) && (sees_f(tx) || !opt(tx, DTV_OPT_FP_NAN)))
		dtv_x86_fp_settle(tx);
	if (!make(tx, trait))
		system_exit(tx, tx->insn.op == DTV_OP_ILLEGAL ? DTV_EXIT_ILLEGAL : DTV_EXIT_SYSTEM,
			    true);
	if (tx->n < tx->hold)
		tx->held += time_of(tx->insn.op);
	if (plain_access(tx->insn.op))
		made_access(tx);
	if (!rd || tx->rd_is_f)
		return;
	tx->written |= 1U << rd;
	forget(tx, rd);
	if (sext && opt(tx, DTV_OPT_SEXT))
		tx->facts.sext |= 1U << rd;
	if (tx->pend_known && opt(tx, DTV_OPT_KNOWN)) {
		tx->facts.known |= 1U << rd;
		tx->facts.value[rd] = tx->pend_value;
	}
	if (tx->pend_canon && opt(tx, DTV_OPT_CANON)) {
		tx->facts.canon |= 1U << rd;
		tx->facts.drift[rd] = tx->pend_drift;
	}
}

void dtv_x86_dead(struct dtv_tx *tx)
{
	/* What follows, up to the end of the hold, has no boundaries of its own. */
	if (tx->n >= tx->hold) {
		dtv_x86_look(tx);
		dtv_tx_entry(tx, DTV_MUTANT(dead_rewinds, ENTRY_REWIND, ENTRY_BUSY));
	}
	tx->hold = max(tx->hold, tx->step->until + 1U);
	/* Copies stay: the next instruction may be one with this, and read the value before. */
	forget(tx, tx->insn.rd);
}

void dtv_x86_finish(struct dtv_tx *tx)
{
	gva_t page = tx->block_pc & DTV_PAGE_MASK;
	unsigned int i;

	for (i = 0; i < tx->nr_cold; i++) {
		struct dtv_cold *c = &tx->cold[i];
		struct dtv_exit_row *e;

		tx->pc = page | c->guest;
		tx->count = c->count;
		tx->facts.nan_d = c->nan_d;
		tx->facts.nan_s = c->nan_s;
		x86_fix32(&tx->b, c->from, tx->b.p);
		switch ((enum dtv_cold_kind)c->kind) {
		case COLD_ACCESS:
			dtv_tx_entry(tx, c->row);
			call_stub(tx, DTV_EXIT_ACCESS);
			break;
		case COLD_CANON_S:
			dtv_tx_entry(tx, c->row);
			test_mr(&tx->b, HART(canon_mask), c->reg);
			x86_fix32(&tx->b, jcc_rel32(&tx->b, CC_E), c->back);
			call_stub(tx, DTV_EXIT_ACCESS);
			break;
		case COLD_CHAIN:
			if (c->nan_d | c->nan_s | c->add) {
				/* Of the branch, which changes nothing. */
				dtv_tx_entry(tx, c->row);
				dtv_x86_fp_settle_cold(tx, c->nan_d, c->nan_s);
				tx->count = c->add;
				count_out(tx, COLD_LIMIT, c->target);
				dtv_tx_entry(tx, ENTRY_EXIT);
				x86_nop(&tx->b, patch_pad(tx, 1));
				c->from = jmp_rel32(&tx->b);
				tx->facts.nan_d = 0;
				tx->facts.nan_s = 0;
			}
			dtv_tx_entry(tx, ENTRY_EXIT);
			if (tx->nr_exits == DTV_BLOCK_EXITS) {
				tx->b.full = true;
				break;
			}
			e = &tx->exits[tx->nr_exits++];
			e->host = tx->b.p - tx->start;
			e->patch = c->from - tx->start;
			e->target = c->target;
			e->chained = 0;
			call_stub(tx, DTV_EXIT_CHAIN);
			/* For block_at() in cache.c. */
			x86_u32(&tx->b, tx->number);
			break;
		case COLD_JUMP:
			dtv_tx_entry(tx, ENTRY_RAX);
			call_stub(tx, DTV_EXIT_JUMP);
			break;
		case COLD_CALL:
			dtv_tx_entry(tx, ENTRY_RAX);
			/* lea rcx, [rip + back] */
			x86_bytes(&tx->b, 0x0d8d48, 7);
			x86_fix32(&tx->b, tx->b.p - 4, c->back);
			dtv_tx_entry(tx, ENTRY_BUSY);
			push_link(tx);
			push_r(&tx->b, RCX);
			dtv_tx_entry(tx, ENTRY_RAX);
			call_stub(tx, DTV_EXIT_JUMP);
			break;
		case COLD_RETURN:
			dtv_tx_entry(tx, ENTRY_REWIND);
			mov_rr(&tx->b, RAX, dtv_x86_map[1]);
			alu_ri(&tx->b, ALU_AND, RAX, -2);
			tx->count++;
			jump_exit(tx);
			break;
		case COLD_LOOK:
			/* The instruction is done: look at interrupts before the next. */
			dtv_tx_entry(tx, ENTRY_BUSY);
			mov_ri(&tx->b, RAX, page + c->guest + 4);
			tx->count++;
			add_count(tx);
			dtv_tx_entry(tx, ENTRY_RAX);
			call_stub(tx, DTV_EXIT_JUMP);
			break;
		case COLD_KICKED:
			dtv_tx_entry(tx, ENTRY_REWIND);
			call_stub(tx, DTV_EXIT_ENTER);
			break;
		case COLD_SYSTEM:
			dtv_tx_entry(tx, ENTRY_REWIND);
			call_stub(tx, DTV_EXIT_SYSTEM);
			break;
		case COLD_FP:
			dtv_tx_entry(tx, ENTRY_REWIND);
			call_stub(tx, DTV_EXIT_FP);
			break;
		case COLD_FP_FIX:
			dtv_tx_entry(tx, c->row);
			dtv_x86_fp_cold(tx, c);
			break;
		case COLD_ROUND:
			dtv_tx_entry(tx, c->row);
			tx->count += DTV_MUTANT(count_round, 0, 1);
			count_out(tx, COLD_LIMIT, 0);
			tx->pc = tx->block_pc;
			dtv_tx_entry(tx, ENTRY_REWIND);
			x86_fix32(&tx->b, jmp_rel32(&tx->b), c->back);
			break;
		case COLD_LIMIT:
			dtv_tx_entry(tx, ENTRY_BUSY);
			dtv_x86_fp_settle_cold(tx, c->nan_d, c->nan_s);
			tx->facts.nan_d = 0;
			tx->facts.nan_s = 0;
			mov_ri(&tx->b, RAX, tx->block_pc + c->target);
			dtv_tx_entry(tx, ENTRY_RAX);
			call_stub(tx, DTV_EXIT_JUMP);
			break;
		case COLD_LIMIT_RA:
			dtv_tx_entry(tx, ENTRY_BUSY);
			mov_rr(&tx->b, RAX, dtv_x86_map[1]);
			alu_ri(&tx->b, ALU_AND, RAX, -2);
			dtv_tx_entry(tx, ENTRY_RAX);
			call_stub(tx, DTV_EXIT_JUMP);
			break;
		}
	}
}

void dtv_x86_patch_rel32(u8 *at, s32 rel)
{
	u64 *q = (u64 *)((uintptr_t)at & ~7UL);
	unsigned int shift = ((uintptr_t)at & 7) * 8;
	u64 v = READ_ONCE(*q);

	v &= ~(0xffffffffULL << shift);
	v |= (u64)(u32)rel << shift;
	WRITE_ONCE(*q, v);
}

void dtv_x86_patch_dead(u8 *main_entry, const u8 *to)
{
	/* jmp short @to over the two-byte nop, which is aligned to 2. */
	u16 v = 0xeb | (u8)(to - (main_entry + 2)) << 8;

	WRITE_ONCE(*(u16 *)main_entry, v);
}
