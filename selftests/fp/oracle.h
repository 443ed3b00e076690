/* SPDX-License-Identifier: GPL-2.0-or-later */
/* oracle.h - arithmetic by who is independent of guest/fp.c: MPFR, and the host's doubles. */
#ifndef DTV_FP_ORACLE_H
#define DTV_FP_ORACLE_H

#include <mpfr.h>
#include "cases.h"

enum arith { ADD, SUB, MUL, DIV, SQRT, FMA };

/* Rounding modes of MPFR, by RISC-V's; it has none for RMM. */
extern const mpfr_rnd_t mpfr_modes[4];

/* Let the host round as @rm says; to the nearest for RMM. */
void host_round(u8 rm);
/* @op of doubles on the host: what is not used may be anything. */
double host_double(enum arith op, double a, double b, double c);
/* The same in MPFR, cut off where @to ends. Return: 0 if nothing was lost, as mpfr_add(). */
int mpfr_arith(mpfr_t to, enum arith op, mpfr_t a, mpfr_t b, mpfr_t c);

#endif /* DTV_FP_ORACLE_H */
