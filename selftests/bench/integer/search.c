// SPDX-License-Identifier: GPL-2.0-or-later
/* search.c - words looked up in a text: by Horspool's jumps, and by trying every place. */
#include "../bench.h"

static size_t horspool(const u8 *text, size_t n, const u8 *word, size_t len)
{
	size_t found = 0;
	u8 jump[256];

	for (int i = 0; i < 256; i++)
		jump[i] = len;
	for (size_t i = 0; i + 1 < len; i++)
		jump[word[i]] = len - 1 - i;
	for (size_t at = 0; at + len <= n; at += jump[text[at + len - 1]]) {
		size_t i = len;

		while (i && text[at + i - 1] == word[i - 1])
			i--;
		found += !i;
	}
	return found;
}

static size_t everywhere(const u8 *text, size_t n, const u8 *word, size_t len)
{
	size_t found = 0;

	for (size_t at = 0; at + len <= n; at++) {
		size_t i = 0;

		while (i < len && text[at + i] == word[i])
			i++;
		found += i == len;
	}
	return found;
}

u64 bench_search(unsigned int scale)
{
	size_t n = bench_size(scale, 10 << 20, 8192);
	u8 *text = bench_alloc(n);
	u64 check = 0;

	bench_text(text, n);
	bench_start();
	for (size_t i = 0; i < 8; i++) {
		/* Of the text itself, so that there is something to find. */
		const u8 *word = text + 500 * i;
		size_t len = 4 + i;

		check = bench_mix(check, horspool(text, n, word, len));
		if (i < 4)
			check = bench_mix(check, everywhere(text, n, word, len));
	}
	bench_stop();
	return check;
}
