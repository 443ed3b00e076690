/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mutant.h - lets a test build break the engine on purpose, one thing at a time, to
 * find out whether the tests notice (selftests/isa/mutate.py).
 *
 * DTV_MUTANT(name, wrong, right) is @right and nothing else in the product; its names
 * are the rows of mutants.h.
 */
#ifndef DTV_GUEST_MUTANT_H
#define DTV_GUEST_MUTANT_H

#ifndef DTV_MUTATE
#define DTV_MUTANT(name, wrong, right) (right)
#else
#define DTV_MUTANT(name, wrong, right) (dtv_mutant == DTV_MUTANT_##name ? (wrong) : (right))

#define MUTANT(name, test, text) DTV_MUTANT_##name,
enum dtv_mutant {
	DTV_MUTANT_none,
#include "mutants.h"
};
#undef MUTANT

/* Chosen before the machine is made; the host of the test build defines it. */
extern enum dtv_mutant dtv_mutant;
#endif

#endif /* DTV_GUEST_MUTANT_H */
