// SPDX-License-Identifier: GPL-2.0-or-later
/* aes.c - AES-128 (FIPS 197) by four tables of 1 KiB, in counter mode. */
#include "../bench.h"

static u8 sbox[256];
static u32 table[4][256];

static u8 times2(u8 x)
{
	return x << 1 ^ (x & 0x80 ? 0x1b : 0);
}

static void make_tables(void)
{
	u8 p = 1, q = 1;

	/* p runs through all elements but 0, q through their inverses. */
	do {
		p ^= times2(p);
		q ^= q << 1;
		q ^= q << 2;
		q ^= q << 4;
		q ^= q & 0x80 ? 0x09 : 0;
		sbox[p] = q ^ (u8)(q << 1 | q >> 7) ^ (u8)(q << 2 | q >> 6) ^
			  (u8)(q << 3 | q >> 5) ^ (u8)(q << 4 | q >> 4) ^ 0x63;
	} while (p != 1);
	sbox[0] = 0x63;
	for (int i = 0; i < 256; i++) {
		u8 s = sbox[i], s2 = times2(s);
		u32 t = (u32)s2 << 24 | (u32)s << 16 | (u32)s << 8 | (u8)(s2 ^ s);

		for (int j = 0; j < 4; j++)
			table[j][i] = j ? t >> 8 * j | t << (32 - 8 * j) : t;
	}
}

static void expand(u32 *key)
{
	u8 rcon = 1;

	for (int i = 4; i < 44; i++) {
		u32 t = key[i - 1];

		if (i % 4 == 0) {
			t = (u32)sbox[t >> 16 & 255] << 24 | (u32)sbox[t >> 8 & 255] << 16 |
			    (u32)sbox[t & 255] << 8 | sbox[t >> 24];
			t ^= (u32)rcon << 24;
			rcon = times2(rcon);
		}
		key[i] = key[i - 4] ^ t;
	}
}

static u32 column(u32 a, u32 b, u32 c, u32 d, u32 key)
{
	return table[0][a >> 24] ^ table[1][b >> 16 & 255] ^ table[2][c >> 8 & 255] ^
	       table[3][d & 255] ^ key;
}

static u32 last(u32 a, u32 b, u32 c, u32 d, u32 key)
{
	return ((u32)sbox[a >> 24] << 24 | (u32)sbox[b >> 16 & 255] << 16 |
		(u32)sbox[c >> 8 & 255] << 8 | sbox[d & 255]) ^
	       key;
}

static void encrypt(const u32 *key, const u32 *in, u32 *out)
{
	u32 a = in[0] ^ key[0], b = in[1] ^ key[1], c = in[2] ^ key[2], d = in[3] ^ key[3];

	for (int round = 1; round < 10; round++) {
		u32 w, x, y, z;

		key += 4;
		w = column(a, b, c, d, key[0]);
		x = column(b, c, d, a, key[1]);
		y = column(c, d, a, b, key[2]);
		z = column(d, a, b, c, key[3]);
		a = w;
		b = x;
		c = y;
		d = z;
	}
	key += 4;
	out[0] = last(a, b, c, d, key[0]);
	out[1] = last(b, c, d, a, key[1]);
	out[2] = last(c, d, a, b, key[2]);
	out[3] = last(d, a, b, c, key[3]);
}

u64 bench_aes(unsigned int scale)
{
	/* FIPS 197, appendix B */
	u32 key[44] = { 0x2b7e1516, 0x28aed2a6, 0xabf71588, 0x09cf4f3c };
	static const u32 plain[4] = { 0x3243f6a8, 0x885a308d, 0x313198a2, 0xe0370734 };
	size_t n = bench_size(scale, 36 << 20, 4096) / 16, words = 1 << 18;
	u32 *data = bench_alloc(words * sizeof(*data));
	struct bench_random r = BENCH_RANDOM;
	u32 counter[4] = { 0 }, stream[4];
	u64 check = 0;

	make_tables();
	expand(key);
	encrypt(key, plain, stream);
	if (stream[0] != 0x3925841d || stream[3] != 0x196a0b32)
		return 0;
	for (size_t i = 0; i < words; i++)
		data[i] = bench_random(&r) >> 32;
	bench_start();
	for (size_t i = 0; i < n; i++) {
		u32 *p = data + i * 4 % words;

		counter[3] = i;
		encrypt(key, counter, stream);
		p[0] ^= stream[0];
		p[1] ^= stream[1];
		p[2] ^= stream[2];
		p[3] ^= stream[3];
	}
	bench_stop();
	for (size_t i = 0; i < words; i++)
		check = bench_mix(check, data[i]);
	return check;
}
