// SPDX-License-Identifier: GPL-2.0-only
/*
 * translate.c - forms a block: fetches and decodes guest instructions along
 * the straight path, follows jumps inside the page, and hands each to
 * instruction selection. Runs under d->lock.
 */
#include "translate.h"
#include "../host.h"

/* Instructions that were already translated on this path, by halfword in the page. */
struct seen {
	u64 bits[DTV_PAGE_SIZE / 2 / 64];
};

static bool seen_test(const struct seen *s, gva_t pc)
{
	unsigned int i = (pc & 0xfff) >> 1;

	return s->bits[i / 64] >> (i % 64) & 1;
}

static void seen_set(struct seen *s, gva_t pc)
{
	unsigned int i = (pc & 0xfff) >> 1;

	s->bits[i / 64] |= 1ULL << (i % 64);
}

u32 dtv_fetch(const u8 *p)
{
	u16 lo, hi;

	memcpy(&lo, p, 2);
	if (dtv_insn_len(lo) == 2)
		return lo;
	memcpy(&hi, p + 2, 2);
	return lo | (u32)hi << 16;
}

/* Whether the instruction in the page's last halfword goes on in the next page. */
static bool crosses(const u8 *p)
{
	u16 lo;

	memcpy(&lo, p, 2);
	return dtv_insn_len(lo) == 4;
}

/* Whether code at @pc may be in the block as far as its page is concerned. */
static bool stays(const struct dtv_code *code, gva_t pc)
{
	u64 off = pc - (code->pc & DTV_PAGE_MASK);

	return off >= code->ext.lo && off < code->ext.hi;
}

/*
 * At an LR: sets tx->pair. Return: false when the LR has to begin a block, so that
 * its SC is in the same.
 */
static bool begin_pair(struct dtv_tx *tx, const u8 *page, unsigned int off, unsigned int end,
		       const struct seen *seen, unsigned int n, unsigned int branches)
{
	struct dtv_pair p;
	enum dtv_pair_kind kind;

	tx->waits = false;
	if (tx->d->stepping)
		return true;
	kind = dtv_pair_find(page, off, end, &tx->insn, tx->d->isa, seen->bits, &p);
	tx->waits = kind == PAIR_WAIT;
	if (kind == PAIR_NONE || kind == PAIR_WAIT || p.branches >= DTV_BLOCK_BRANCHES)
		return true;
	if (n && (kind == PAIR_LATER || n + p.insns >= DTV_BLOCK_INSNS ||
		  branches + p.branches >= DTV_BLOCK_BRANCHES || !dtv_tx_room_for(tx, p.insns)))
		return false;
	tx->pair = p.sc;
	tx->pair_rs1 = tx->insn.rs1;
	return true;
}

/* Where the instruction behind the current one stands: steps may have another order. */
static gva_t behind(const struct dtv_tx *tx, gva_t base)
{
	unsigned int i = tx->n + 1 - tx->first_ahead;
	const struct dtv_step *s = &tx->ahead[i];

	if (tx->n >= tx->first_ahead + tx->nr_ahead)
		return tx->pc + tx->insn.len;
	if (i == tx->nr_ahead)
		return base + tx->end_ahead;
	return base | (s->unit_end ? s->unit_off : s->off);
}

/*
 * Whether the block goes on behind a branch. What is behind it is translated again wherever else
 * code leads there, so only a short block does, and the first of a loop.
 */
static bool goes_on(struct dtv_tx *tx)
{
	return opt(tx, DTV_OPT_BRANCH) && !(tx->n >= tx->goes_on && opt(tx, DTV_OPT_SHORT));
}

bool dtv_translate(struct dtv_tx *tx, const struct dtv_code *code, u32 xp, u32 xp2)
{
	struct dtv_dbt *d = tx->d;
	const u8 *page = dtv_host_code(d->vm, code->gpa & DTV_PAGE_MASK);
	gva_t base = code->pc & DTV_PAGE_MASK;
	struct seen seen = { 0 };
	unsigned int n, branches = 0, most = d->stepping ? 1 : DTV_BLOCK_INSNS;

	if (!page)
		return false;
	tx->block_pc = code->pc;
	tx->page_gpa = code->gpa & DTV_PAGE_MASK;
	tx->class = code->class;
	tx->page_end = DTV_MUTANT(pmp_part, DTV_PAGE_SIZE, code->ext.hi);
	tx->goes_on = code->loop ? DTV_BLOCK_INSNS : DTV_BLOCK_SHORT;
	tx->pc = code->pc;
	tx->end = false;
	memset(&tx->facts, 0, offsetof(struct dtv_facts, drift));
	/* x0 */
	tx->facts.sext = 1;
	tx->loop = LOOP_NONE;
	tx->loops = !xp2 && !d->stepping;
	tx->written = 0;
	tx->pair = 0;
	tx->waits = false;
	tx->hold = 0;
	tx->held = 0;
	tx->count = 0;
	tx->first_ahead = 0;
	tx->nr_ahead = 0;
	tx->guest_bytes = 0;
	tx->nr_cold = 0;
	tx->nr_entries = 0;
	tx->nr_exits = 0;

	dtv_x86_begin(tx, xp, xp2);
	for (n = 0; !tx->end && !tx->b.full; n++) {
		unsigned int off = tx->pc - base;
		u32 raw = 0;

		if (n && tx->loops && tx->pc == tx->block_pc) {
			tx->loop = dtv_x86_loop(tx);
			if (tx->loop == LOOP_CLOSED)
				break;
			if (tx->loop == LOOP_ROUND) {
				memset(&seen, 0, sizeof(seen));
				branches = 0;
				n = 0;
				tx->hold = 0;
				tx->first_ahead = 0;
				tx->nr_ahead = 0;
			}
		}
		tx->n = n;
		/* Where there is no boundary the block cannot end; what is made there is small. */
		if (n && n >= tx->hold &&
		    (n >= most || off >= tx->page_end || !dtv_tx_room(tx) ||
		     branches == DTV_BLOCK_BRANCHES || seen_test(&seen, tx->pc))) {
			dtv_x86_chain_exit(tx, tx->pc);
			break;
		}
		if (!xp2 && !tx->pair && !d->stepping &&
		    n >= tx->first_ahead + tx->nr_ahead)
			dtv_read_ahead(tx, page, seen.bits, n, branches);
		seen_set(&seen, tx->pc);
		if (n < tx->first_ahead + tx->nr_ahead) {
			tx->step = &tx->ahead[n - tx->first_ahead];
			if (tx->step->unit_end) {
				/* The one boundary of it all, unless what comes before goes on. */
				if (n >= tx->hold) {
					dtv_x86_look(tx);
					dtv_tx_entry(tx, ENTRY_BUSY);
				}
				tx->hold = max_t(unsigned int, tx->hold, tx->step->unit_end);
			}
			tx->pc = base | tx->step->off;
		} else {
			tx->step = &tx->unread;
			if (off == DTV_PAGE_SIZE - 2 && crosses(page + off)) {
				u16 hi;
				const u8 *page2;

				/* A block of its own. */
				if (n || !xp2) {
					dtv_x86_chain_exit(tx, tx->pc);
					break;
				}
				page2 = dtv_host_code(d->vm, code->gpa2 & DTV_PAGE_MASK);
				if (!page2)
					return false;
				memcpy(&raw, page + off, 2);
				memcpy(&hi, page2, 2);
				raw = (u16)raw | (u32)hi << 16;
			} else {
				raw = dtv_fetch(page + off);
				if (n && off + dtv_insn_len(raw) > tx->page_end) {
					dtv_x86_chain_exit(tx, tx->pc);
					break;
				}
			}
			dtv_decode(raw, d->isa, &tx->unread.insn);
		}
		tx->insn = tx->step->insn;
		dtv_tx_log(tx);
		if (tx->insn.op == DTV_OP_JAL && tx->insn.rd == 0 && !xp2 &&
		    stays(code, tx->pc + tx->insn.imm) &&
		    (tx->pair || opt(tx, DTV_OPT_FOLLOW))) {
			tx->pc += tx->insn.imm;
			tx->count++;
			continue;
		}
		if (dtv_is_lr(tx->insn.op) && off + 4 <= code->ext.hi &&
		    !begin_pair(tx, page, off, code->ext.hi, &seen, n, branches)) {
			dtv_x86_chain_exit(tx, tx->pc);
			break;
		}
		if (tx->step->dead)
			dtv_x86_dead(tx);
		else
			dtv_x86_insn(tx);
		if (off == tx->pair)
			tx->pair = 0;
		/* A pair is never parted. */
		if (tx->insn.fmt == DTV_FMT_B)
			branches = tx->pair || goes_on(tx) ? branches + 1 : DTV_BLOCK_BRANCHES;
		tx->guest_bytes += tx->insn.len;
		tx->count++;
		tx->pc = tx->loop == LOOP_BACK ? tx->block_pc : behind(tx, base);
	}
	tx->body_end = tx->b.p - tx->start;
	dtv_x86_finish(tx);
	return !tx->b.full;
}
