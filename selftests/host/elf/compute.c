// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * compute.c - a bare-metal program that computes for a while and leaves a
 * checksum as its signature: whatever interrupts it, the sum is the same.
 */
typedef unsigned long u64;
typedef unsigned int u32;

extern volatile u64 tohost;
extern u64 begin_signature[];

static u64 state = 88172645463325252UL;
static u64 words[64];
static double reals[16];

static u64 next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Sum of two 8-word numbers with carries. */
static u64 add8(u64 *r, const u64 *a, const u64 *b)
{
	u64 carry = 0;

	for (int i = 0; i < 8; i++) {
		u64 sum = a[i] + b[i] + carry;

		if (sum != a[i])
			carry = sum < a[i];
		r[i] = sum;
	}
	return carry;
}

static void mul4(u64 *r, const u64 *a, const u64 *b)
{
	for (int i = 0; i < 8; i++)
		r[i] = 0;
	for (int i = 0; i < 4; i++) {
		u64 carry = 0;

		for (int j = 0; j < 4; j++) {
			unsigned __int128 t = (unsigned __int128)a[i] * b[j] +
					      r[i + j] + carry;

			r[i + j] = t;
			carry = t >> 64;
		}
		r[i + 4] = carry;
	}
}

static u64 mix(u64 n)
{
	u64 a = next(), b = next() | 1, s = 0;
	u32 w = a, v = b;

	s += a / b + a % b;
	s += (long)a / (long)(b >> 7 | 1) + (long)a % (long)(b >> 9 | 1);
	s ^= w / v + w % (v >> 3 | 1) + (u64)((int)w / (int)(v | 1)) +
	     (u64)((int)w >> (v & 31));
	s += (a << (b & 63)) ^ (a >> (n & 63)) ^ ((long)a >> (b & 63)) ^
	     (w << (n & 31));
	s += (a < b) + 2 * ((long)a < (long)b) + 4 * (w < 12345678) + 8 * !a +
	     16 * ((long)a < -5);
	return s;
}

static u64 recurse(u64 n)
{
	return n < 2 ? n + (next() & 1) : recurse(n - 1) * 3 + recurse(n - 2);
}

static u64 call(u64 (*f)(u64), u64 n)
{
	return f(n) + 1;
}

static u64 atomics(u64 n)
{
	static u64 d;
	static u32 w;
	u64 s = 0;

	s += __atomic_fetch_add(&d, n, __ATOMIC_SEQ_CST);
	s ^= __atomic_fetch_xor(&d, n << 5, __ATOMIC_SEQ_CST);
	s += __atomic_fetch_or(&w, (u32)n, __ATOMIC_SEQ_CST);
	s ^= __atomic_fetch_and(&w, ~(u32)(n << 3), __ATOMIC_SEQ_CST);
	s += __atomic_exchange_n(&w, (u32)s, __ATOMIC_SEQ_CST);
	__atomic_compare_exchange_n(&d, &s, s + 1, 0, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&w, 3, __ATOMIC_SEQ_CST);
	return s + d + w;
}

static u64 floats(u64 n)
{
	double *r = &reals[n & 15], x = (double)(long)next(),
	       y = (float)n + 0.25;

	*r = *r * 0.5 + x / y - (y < x ? y : 1.5);
	return (u64)(long)(*r / 1e6) + (*r < x) + (u64)(int)(float)(y * 3);
}

/*
 * Elimination: loops whose products and sums wait in registers, among them NaNs that were made
 * (the sign of the host's differs) and passed on.
 */
static u64 fold(u64 s, const void *p, int n)
{
	const unsigned char *c = p;

	while (n--)
		s = s * 31 + *c++;
	return s;
}

static u64 eliminate(u64 n)
{
	static double m[6][6];

	for (int i = 0; i < 36; i++)
		m[i / 6][i % 6] = (double)(int)next() / 65536;
	if (n % 4 == 0)
		m[n % 5][2] = 0;
	for (int k = 0; k < 6; k++)
		for (int i = k + 1; i < 6; i++) {
			double f = m[i][k] / (n % 3 ? m[k][k] : 0.0 * (k == 2));

			for (int j = k; j < 6; j++)
				m[i][j] -= f * m[k][j];
		}
	return fold(n, m, sizeof(m));
}

static u64 eliminate_single(u64 n)
{
	static float m[6][6];

	for (int i = 0; i < 36; i++)
		m[i / 6][i % 6] = (float)(int)next() / 65536;
	if (n % 4 == 0)
		m[n % 5][2] = 0;
	for (int k = 0; k < 6; k++)
		for (int i = k + 1; i < 6; i++) {
			float f = m[i][k] / (n % 3 ? m[k][k] : 0.0f * (k == 2));

			for (int j = k; j < 6; j++)
				m[i][j] -= f * m[k][j];
		}
	return fold(n, m, sizeof(m));
}

void start(void)
{
	u64 sum = 0;

	for (u64 n = 0; n < 2000000; n++) {
		u64 *w = &words[n % 7 * 8];

		for (int i = 0; i < 4; i++)
			w[i] = next();
		mul4(&words[56], w, w + 2);
		sum += add8(w, &words[56], w) + words[60] + mix(n);
		sum = (sum ^ call(mix, n)) + atomics(n) + floats(n);
		if (n % 64 == 0)
			sum += call(recurse, 9);
		if (n % 512 == 0)
			sum += eliminate(n / 512) ^ eliminate_single(n / 512);
	}
	begin_signature[0] = sum;
	begin_signature[1] = state;
	tohost = 1;
	for (;;)
		;
}
