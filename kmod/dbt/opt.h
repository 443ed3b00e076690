/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * opt.h - the optimizations by name, each with a switch and a counter: to find which one is
 * guilty of a wrong result, and whether one does anything. All are on unless
 * struct dtv_dbt_config says otherwise.
 *
 * A new one is a line here, and dtv_opt() or opt() at the one place where it is chosen,
 * asked last, so that the counter counts what it did. A change of view.c or hart.c that
 * cannot be undone for a running guest is asked when the hart is made.
 */
#ifndef DTV_DBT_OPT_H
#define DTV_DBT_OPT_H

#include "../port.h"

// clang-format off
#define DTV_OPTS(OPT) \
	OPT(CHAIN, "chain", "direct jumps go from block to block") \
	OPT(FOLLOW, "follow", "a block goes on behind a direct jump inside its page") \
	OPT(BRANCH, "branch", "a block goes on behind a conditional branch") \
	OPT(SHORT, "short", "a long block that begins no loop ends with a branch") \
	OPT(RSTACK, "return-stack", "calls push where to return to") \
	OPT(JCACHE, "jump-cache", "indirect jumps look their block up in line") \
	OPT(KNOWN, "known", "registers whose values are known are constants") \
	OPT(CANON, "canon", "a base register is checked once") \
	OPT(STRIDE, "stride", "a pointer that moves is checked in a loop's first round only") \
	OPT(COPIES, "copies", "values of slots are taken from scratch registers") \
	OPT(DEAD, "dead", "results that nobody sees are not computed") \
	OPT(BRIEF, "brief", "results that are soon overwritten are not stored in slots") \
	OPT(ORDER, "order", "computation goes on with what was computed last") \
	OPT(FUSE, "fuse", "shifts become rotations, extensions, scaled additions") \
	OPT(SEXT, "sext", "what is known to be sign-extended is not extended again") \
	OPT(FP, "fp", "floating point by host instructions") \
	OPT(FP_FACTS, "fp-facts", "FS, frm and boxing are checked once in a block") \
	OPT(FP_NAN, "fp-nan", "a NaN is made canonical when it can be seen, not at once") \
	OPT(LOOP, "loop", "a loop in one block is checked in its first round only") \
	OPT(CSR, "csr", "S-mode CSRs without an exit") \
	OPT(ECALL, "ecall", "system calls of U-mode without an exit") \
	OPT(SRET, "sret", "returns to U-mode without an exit") \
	OPT(MMIO, "mmio", "an access that misses on MMIO again and again becomes an exit") \
	OPT(GLOBAL_VIEW, "global-view", "one S-mode view for all address spaces") \
	OPT(KEEP_TAGS, "keep-tags", "a write of satp keeps the tags of global code") \
	OPT(FILTER, "fence-filter", "fences of what is not mapped zap nothing") \
	OPT(AROUND, "fill-around", "a miss maps its neighbours too") \
	OPT(PARTS, "parts", "a full cache loses its oldest part, not everything")

enum dtv_opt {
#define OPT(id, name, text) DTV_OPT_##id,
	DTV_OPTS(OPT)
#undef OPT
	DTV_NR_OPTS
};
// clang-format on

/* Its name; NULL behind the last. */
const char *dtv_opt_name(unsigned int opt);
/* What it does, in a few words. */
const char *dtv_opt_text(unsigned int opt);

/**
 * dtv_opts_parse() - a list of names as a mask
 * @list: names, separated by commas; "all" is all of them
 * @mask: bit n for enum dtv_opt n
 *
 * Return: true, or false when there is a name that is none.
 */
bool dtv_opts_parse(const char *list, u64 *mask);

#endif /* DTV_DBT_OPT_H */
