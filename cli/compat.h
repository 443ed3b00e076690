/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the compat verb is made of: facts.c finds out about the host, conditions.c says what holds
 * and what it rests on, compat.c brings the two together and prints.
 */
#ifndef DTV_CLI_COMPAT_H
#define DTV_CLI_COMPAT_H

#include "vmctl.h"

/* What is looked for on a host. */
enum fact {
	FACT_KERNEL,
	FACT_MODULE,
	FACT_DAEMON,
	FACT_CPU,
	FACT_NX,
	FACT_KERNEL_GUARD,
	FACT_LEAKS,
	FACT_SECCOMP,
	FACT_ADDRESS_BITS,
	FACT_ADDRESS_SPACE,
	FACT_MEMLOCK,
	FACT_OVERCOMMIT,
	FACT_TSC,
	FACT_CLOCK,
	NR_FACTS,
};

enum verdict {
	VERDICT_OK,
	VERDICT_NOTE, /* worth knowing; no condition hangs on it */
	VERDICT_UNKNOWN, /* could not be found out */
	VERDICT_MISSING, /* conditions that need it are not held */
};

/**
 * struct found - what was found of a fact
 * @mark: what it means
 * @text: in words
 */
struct found {
	enum verdict mark;
	char text[320];
};

/* How dtv holds a condition, wherever the host has what that needs. */
enum hold {
	HOLD_HOST, /* the host's hardware does it */
	HOLD_CHECK, /* translated code or C code checks */
	HOLD_PART, /* but for what the text says */
};

#define LINES_MAX 6
#define SHOWN_MAX 6

/**
 * struct condition - a row of the scoreboard
 * @name: the paper's condition
 * @hold: how it is held
 * @by: what does it, a text in lines
 * @cost: of that
 * @not_held: for HOLD_PART, what is not, and why
 * @needs: bit @i: the enum fact @i has to be there
 * @shown: by which tests, COLLECTION:TEST of selftests/tests.list; a part of the test in brackets
 */
struct condition {
	const char *name;
	enum hold hold;
	const char *by[LINES_MAX];
	const char *cost[LINES_MAX];
	const char *not_held[LINES_MAX];
	unsigned int needs;
	const char *shown[SHOWN_MAX];
};

/* conditions.c; the last has no name. */
extern const struct condition conditions[];

/* facts.c */
const char *fact_name(enum fact fact);
void find_facts(const struct vmctl *v, const char *sysroot, struct found *found);

#endif /* DTV_CLI_COMPAT_H */
