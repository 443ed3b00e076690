// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * state.c - a machine of states that tells what kind of number each field of a line is, of the kind
 * that CoreMark has: little work between branches that follow the input.
 */
#include "../bench.h"

enum state {
	START,
	SIGN,
	INT,
	POINT,
	FRACTION,
	EXPONENT,
	EXP_SIGN,
	SCIENTIFIC,
	INVALID,
	NR_STATES,
};

static u32 seen[NR_STATES], passed[NR_STATES];

static int digit(u8 c)
{
	return c >= '0' && c <= '9';
}

/* The state after one field; *TEXT moves behind it. */
static BENCH_NOINLINE enum state field(const u8 **text)
{
	const u8 *p = *text;
	enum state state = START;

	for (; *p && state != INVALID; p++) {
		u8 c = *p;

		if (c == ',') {
			p++;
			break;
		}
		switch (state) {
		case START:
			if (digit(c))
				state = INT;
			else if (c == '+' || c == '-')
				state = SIGN;
			else
				state = c == '.' ? POINT : INVALID;
			break;
		case SIGN:
			state = digit(c) ? INT : c == '.' ? POINT : INVALID;
			break;
		case INT:
			if (!digit(c))
				state = c == '.' ? FRACTION : c == 'e' ? EXPONENT : INVALID;
			break;
		case POINT:
		case FRACTION:
			state = c == 'e' ? EXPONENT : digit(c) ? FRACTION : INVALID;
			break;
		case EXPONENT:
			state = digit(c) ? SCIENTIFIC : c == '+' || c == '-' ? EXP_SIGN : INVALID;
			break;
		case EXP_SIGN:
		case SCIENTIFIC:
			state = digit(c) ? SCIENTIFIC : INVALID;
			break;
		default:
			break;
		}
		passed[state]++;
	}
	/* What is left of an invalid one */
	if (state == INVALID)
		while (*p && *p++ != ',')
			;
	*text = p;
	return state;
}

u64 bench_state(unsigned int scale)
{
	static const char *const samples[] = {
		"5012,",     "1234,",	  "-874,",     "+122,",	    "35.54400,", ".1234500,",
		"-110.70,",  "+0.64400,", "5.500e+3,", "-.123e-2,", "-87e+832,", "+0.6e-12,",
		"T0.3e-1F,", "-T.T++Tq,", "1T3.4e4z,", "34.0e-T^,",
	};
	size_t n = 1 << 16, rounds = bench_size(scale, 2600, 2), len = 0;
	u8 *text = bench_alloc(n);
	struct bench_random r = BENCH_RANDOM;
	u64 check = 0;

	while (len + 16 < n) {
		const char *s = samples[bench_random(&r) >> 60];

		while (*s)
			text[len++] = *s++;
	}
	text[len] = 0;
	bench_start();
	for (size_t i = 0; i < rounds; i++) {
		const u8 *p = text;

		while (*p)
			seen[field(&p)]++;
		/* The next round has another text. */
		text[i * 31 % len] ^= text[i * 31 % len] == ',' ? 0 : 1;
	}
	bench_stop();
	for (int i = 0; i < NR_STATES; i++)
		check = bench_mix(bench_mix(check, seen[i]), passed[i]);
	return check;
}
