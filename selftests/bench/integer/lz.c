// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lz.c - dictionary compression with a hash of four bytes, and its reverse. A token is a byte
 * (4 bits number of literals, 4 bits length of match), more length bytes of 255 at most, the
 * literals, and two bytes of distance.
 */
#include "../bench.h"

#define HASH_BITS 14

static u32 read32(const u8 *p)
{
	return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static u8 *put_length(u8 *out, size_t n)
{
	for (; n >= 255; n -= 255)
		*out++ = 255;
	*out++ = n;
	return out;
}

/* LITERALS bytes from IN, then a match; none, at the end, if LEN is 0. */
static u8 *put(u8 *out, const u8 *in, size_t literals, size_t len, size_t distance)
{
	size_t match = len ? len - 4 : 0;

	*out++ = (literals < 15 ? literals : 15) << 4 | (match < 15 ? match : 15);
	if (literals >= 15)
		out = put_length(out, literals - 15);
	while (literals--)
		*out++ = *in++;
	if (match >= 15)
		out = put_length(out, match - 15);
	*out++ = distance;
	*out++ = distance >> 8;
	return out;
}

static size_t compress(const u8 *in, size_t n, u8 *out, u32 *table)
{
	u8 *o = out;
	size_t i = 0, done = 0;

	while (i + 8 < n) {
		u32 hash = read32(in + i) * 2654435761u >> (32 - HASH_BITS);
		size_t at = table[hash], len = 0;

		table[hash] = i;
		if (at < i && i - at < 65536)
			while (i + len < n && in[at + len] == in[i + len])
				len++;
		if (len < 4) {
			i++;
			continue;
		}
		o = put(o, in + done, i - done, len, i - at);
		i += len;
		done = i;
	}
	return put(o, in + done, n - done, 0, 0) - out;
}

static size_t get_length(const u8 **in, size_t n)
{
	u8 more;

	if (n < 15)
		return n;
	do {
		more = *(*in)++;
		n += more;
	} while (more == 255);
	return n;
}

static size_t expand(const u8 *in, size_t n, u8 *out)
{
	const u8 *end = in + n;
	u8 *o = out;

	while (in < end) {
		u8 token = *in++;
		size_t literals = get_length(&in, token >> 4), match, distance;

		while (literals--)
			*o++ = *in++;
		match = get_length(&in, token & 15);
		distance = in[0] | in[1] << 8;
		in += 2;
		if (!distance)
			break;
		for (match += 4; match; match--, o++)
			*o = o[-(ptrdiff_t)distance];
	}
	return o - out;
}

u64 bench_lz(unsigned int scale)
{
	size_t n = bench_size(scale, 14 << 20, 4096), packed, unpacked;
	u8 *text = bench_alloc(n), *small = bench_alloc(n + n / 2), *again = bench_alloc(n);
	u32 *table = bench_alloc(sizeof(u32) << HASH_BITS);
	u64 check = 0;

	bench_text(text, n);
	bench_start();
	packed = compress(text, n, small, table);
	unpacked = expand(small, packed, again);
	bench_stop();
	if (unpacked != n)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (text[i] != again[i])
			return 0;
	for (size_t i = 0; i < packed; i++)
		check = bench_mix(check, small[i]);
	return bench_mix(check, packed);
}
