// SPDX-License-Identifier: GPL-2.0-or-later
/* oracle.c - see oracle.h */
#include <fenv.h>
#include <math.h>
#include "oracle.h"

const mpfr_rnd_t mpfr_modes[4] = { MPFR_RNDN, MPFR_RNDZ, MPFR_RNDD, MPFR_RNDU };

void host_round(u8 rm)
{
	static const int modes[5] = {
		FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD, FE_TONEAREST,
	};

	fesetround(modes[rm]);
}

double host_double(enum arith op, double a, double b, double c)
{
	volatile double x = a, y = b, z = c, d = 0;

	switch (op) {
	case ADD:
		d = x + y;
		break;
	case SUB:
		d = x - y;
		break;
	case MUL:
		d = x * y;
		break;
	case DIV:
		d = x / y;
		break;
	case SQRT:
		d = sqrt(x);
		break;
	case FMA:
		d = fma(x, y, z);
		break;
	}
	return d;
}

int mpfr_arith(mpfr_t to, enum arith op, mpfr_t a, mpfr_t b, mpfr_t c)
{
	switch (op) {
	case ADD:
		return mpfr_add(to, a, b, MPFR_RNDZ);
	case SUB:
		return mpfr_sub(to, a, b, MPFR_RNDZ);
	case MUL:
		return mpfr_mul(to, a, b, MPFR_RNDZ);
	case DIV:
		return mpfr_div(to, a, b, MPFR_RNDZ);
	case SQRT:
		return mpfr_sqrt(to, a, MPFR_RNDZ);
	case FMA:
		break;
	}
	return mpfr_fma(to, a, b, c, MPFR_RNDZ);
}
