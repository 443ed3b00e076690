/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * select.h - what the files of x86 instruction selection share: where guest
 * registers live, address forming, commits.
 *
 * Every guest instruction's code has one commit, its last state change, so
 * that a fault or kick before it rewinds to the instruction's start. Code that
 * a kick must not rewind is ENTRY_BUSY.
 */
#ifndef DTV_DBT_X86_SELECT_H
#define DTV_DBT_X86_SELECT_H

#include "../tx.h"
#include "encode.h"

/* Host register of a guest register, X86_NO_REG for those in slots. */
extern const u8 dtv_x86_map[32];

/*
 * xmm register of a guest f register, X86_NO_REG for those in slots. The first is
 * DTV_X86_FMAP_FIRST; below it are X0, X1, X2, which are scratch, and X_ONES, which has all its
 * bits set while translated code runs.
 */
extern const u8 dtv_x86_fmap[32];
#define DTV_X86_FMAP_FIRST 4
enum { X0, X1, X2, X_ONES };

/* Memory operand of a field of struct dtv_hart / struct dtv_area. */
#define HART(field) x86_base(RBP, (s32)offsetof(struct dtv_hart, field) - DTV_HART_BIAS)

static inline struct x86_mem slot(u8 r)
{
	return x86_base(RBP, (s32)(r * 8) - DTV_HART_BIAS);
}

static inline struct x86_mem fslot(u8 r)
{
	return x86_base(RBP, (s32)offsetof(struct dtv_hart, f) + r * 8 - DTV_HART_BIAS);
}

static inline bool mapped(u8 r)
{
	return dtv_x86_map[r] != X86_NO_REG;
}

static inline bool fmapped(u8 r)
{
	return dtv_x86_fmap[r] != X86_NO_REG;
}

/*
 * Host register that holds x[r]: its own, or @tmp loaded from the slot (zero for x0).
 * Leaves flags alone unless r is x0.
 */
u8 src(struct dtv_tx *tx, u8 r, u8 tmp);

/* Load x[r] into @d, whatever it is. */
void load_reg(struct dtv_tx *tx, u8 d, u8 r);

/*
 * Host register to compute x[rd] in when a partial result in it would do no harm: its
 * own, or @tmp.
 */
u8 dst(struct dtv_tx *tx, u8 rd, u8 tmp);

/* The commit: x[rd] = host register @h (nothing for x0 or when h is rd's own register). */
void commit(struct dtv_tx *tx, u8 rd, u8 h);

/*
 * The same for instructions that keep track of what scratch registers hold (dtv_x86_insn() lists
 * them; all others start and end without copies): they get their registers from here alone.
 * A slot that was stored a moment ago costs a cycle to load, which a copy saves.
 */
/* Host register that holds x[r]; it is not to be written. Changes flags for x0. */
u8 use(struct dtv_tx *tx, u8 r);
/* The copy of x[r] if there is one, its own register if it has one, else X86_NO_REG. */
u8 copy_of(struct dtv_tx *tx, u8 r);
/* A scratch register to write. */
u8 scratch(struct dtv_tx *tx);
/* Host register to compute x[rd] in: its own, or a scratch register. */
u8 def(struct dtv_tx *tx, u8 rd);
/* The commit, h becomes a copy if it is a scratch register. */
void done(struct dtv_tx *tx, u8 rd, u8 h);
/* A register to change x[rd] in, with its value: its own or its copy. */
u8 change(struct dtv_tx *tx, u8 rd);
/* The slot of x[rd] was written by the commit: no register holds it. */
void drop_copies(struct dtv_tx *tx, u8 rd);
void drop_all_copies(struct dtv_tx *tx);

/*
 * x[rd] is about to change: forget facts about it. Called by dtv_x86_insn() for every
 * instruction with an integer rd.
 */
void forget(struct dtv_tx *tx, u8 rd);

/**
 * guest_mem() - form the address x[rs1] + imm, checked canonical
 * @tx: translation
 * @rs1: base register
 * @imm: displacement
 * @tmp: scratch register that may hold the base (RCX where RAX and RDX are needed), or
 *       X86_NO_REG for one by use()
 *
 * Emits the canonical check unless a fact makes it superfluous.
 *
 * Return: the operand, in the data view.
 */
struct x86_mem guest_mem(struct dtv_tx *tx, u8 rs1, s32 imm, u8 tmp);

/*
 * select_fp.c: F and D. select_mem.c: loads, stores, atomics. select_bit.c: Zb*,
 * Zicond. select_cbo.c: Zicbom, Zicboz. select_int.c: the rest.
 * Each returns false when the op is not its.
 */
bool dtv_x86_int(struct dtv_tx *tx);
bool dtv_x86_bit(struct dtv_tx *tx);
bool dtv_x86_cbo(struct dtv_tx *tx);
bool dtv_x86_mem(struct dtv_tx *tx);
bool dtv_x86_fp(struct dtv_tx *tx);
bool dtv_x86_sys(struct dtv_tx *tx);

/* jcc to a block at @target behind the comparison of two host registers (b X86_NO_REG: with 0). */
void branch_exit(struct dtv_tx *tx, enum x86_cc cc, gva_t target, u8 a, u8 b);

/*
 * While instructions are counted, tx->count has those that are done at the next row: who ends a
 * block adds its own before it calls one of these, and return_exit() does it itself.
 */

/* A row, and the count, where the next pc is in rax. Changes the flags. */
void count_jump(struct dtv_tx *tx);

/* Go to the guest pc in rax; everything else is committed. */
void jump_exit(struct dtv_tx *tx);
/* The same to code of another class. */
void jump_exit_to(struct dtv_tx *tx, u8 class);

/*
 * Calls and returns by the return stack. For calls ra is committed; @link is
 * its value. A prediction is a pair of a host return address and the guest's;
 * it is only followed when the guest's is equal, to a place that goes on at
 * the checked entry of the block there. So any pair of the same class may be
 * followed at any time.
 */
void call_exit(struct dtv_tx *tx, gva_t target, gva_t link);
void jump_call_exit(struct dtv_tx *tx, gva_t link);
void return_exit(struct dtv_tx *tx);

/* Leave the instruction to C: in line, the block goes on behind it unless @end. */
void system_exit(struct dtv_tx *tx, enum dtv_exit reason, bool end);

#endif /* DTV_DBT_X86_SELECT_H */
