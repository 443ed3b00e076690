// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mutate.c - chooses what the test build's engine does wrong. The ways are
 * kmod/guest/mutants.h's; selftests/isa/mutate.py looks whether the tests notice.
 */
#include <stdio.h>
#include <string.h>

#include "uhost.h"

enum dtv_mutant dtv_mutant;

#define MUTANT(name, test, text) { #name, #test, text },
static const struct {
	const char *name, *test, *text;
} mutants[] = {
	{ "none", "", "" },
#include "../../kmod/guest/mutants.h"
};

bool mutate_choose(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(mutants); i++) {
		if (!strcmp(name, mutants[i].name)) {
			dtv_mutant = i;
			return true;
		}
	}
	return false;
}

void mutate_list(void)
{
	for (unsigned int i = 1; i < ARRAY_SIZE(mutants); i++)
		printf("%s\t%s\t%s\n", mutants[i].name, mutants[i].test, mutants[i].text);
}
