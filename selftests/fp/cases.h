/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cases.h - operands and instructions for the floating-point tests, and TAP. */
#ifndef DTV_FP_CASES_H
#define DTV_FP_CASES_H

#include "guest/fp.h"
#include "guest/guest.h"

/* Numbers at which something changes, both signs of each; singles are not boxed. */
u64 corner(bool dbl, unsigned int i);
u64 corner_int(unsigned int i);
extern const unsigned int nr_corner64, nr_corner32, nr_corner_int;

static inline unsigned int nr_corner(bool dbl)
{
	return dbl ? nr_corner64 : nr_corner32;
}

u64 rnd(void);
/* A random number of a format: exponents close together, few bits set, corners. */
u64 rnd_number(bool dbl);
u64 rnd_int(void);

/* The instruction @op with its operands, decoded. */
struct dtv_insn make_insn(u16 op, u8 rd, u8 rs1, u8 rs2, u8 rs3, u8 rm);
bool has_rm(u16 op);
/* Operands of @op. */
struct op_shape {
	u8 sources; /* f registers read */
	bool src_dbl, dst_dbl; /* format */
	bool x_src, x_dst; /* an x register instead */
};
struct op_shape op_shape(u16 op);

/* A test prints TAP: complaints, then group_done() with their number. */
void plan(unsigned int n);
bool complain(void); /* false after too many */
void group_done(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int finish(void);

#endif /* DTV_FP_CASES_H */
