// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * differs.c - does a signature hold what lib/suites.py wrote down? Says what does not.
 *
 * differs --harts WANT: how many harts the image is for
 * differs SIGNATURE WANT: exit status 0: all records are as they must be, 1: some are not, 2: usage
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 12

static uint8_t *read_all(const char *name, size_t *size)
{
	FILE *f = fopen(name, "rb");
	uint8_t *p;
	long end = f && !fseek(f, 0, SEEK_END) ? ftell(f) : -1;

	if (end < 0) {
		perror(name);
		exit(2);
	}
	rewind(f);
	p = malloc(end + 1);
	if (!p || fread(p, 1, end, f) != (size_t)end) {
		perror(name);
		exit(2);
	}
	fclose(f);
	*size = end;
	return p;
}

static uint32_t word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

int main(int argc, char **argv)
{
	const uint8_t *sig, *want, *p, *end;
	size_t sig_size, want_size;
	unsigned int bad = 0;
	uint32_t records;

	if (argc != 3) {
		fputs("usage: differs SIGNATURE WANT | differs --harts WANT\n", stderr);
		return 2;
	}
	want = read_all(argv[2], &want_size);
	if (want_size < 12 || memcmp(want, "DTVX", 4)) {
		fprintf(stderr, "%s: no records\n", argv[2]);
		return 2;
	}
	if (!strcmp(argv[1], "--harts")) {
		printf("%u\n", word(want + 4));
		return 0;
	}
	sig = read_all(argv[1], &sig_size);
	records = word(want + 8);
	p = want + 12;
	end = want + want_size;
	for (uint32_t i = 0; i < records; i++) {
		uint32_t at = word(p), len = word(p + 4), name_len = word(p + 8), o;
		const char *name = (const char *)p + 12;
		const uint8_t *w = p + 12 + name_len, *mask = w + len;

		p = mask + len;
		if (p > end || at > sig_size || len > sig_size - at) {
			fprintf(stderr, "%s: record %u does not fit\n", argv[2], i);
			return 2;
		}
		for (o = 0; o < len && !((sig[at + o] ^ w[o]) & mask[o]); o++)
			;
		if (o == len)
			continue;
		if (bad++ < SHOWN) {
			uint64_t a = 0, b = 0;

			o &= ~7U;
			memcpy(&a, w + o, len - o < 8 ? len - o : 8);
			memcpy(&b, sig + at + o, len - o < 8 ? len - o : 8);
			printf("%.*s + %x: want %016llx got %016llx\n", (int)name_len, name, o,
			       (unsigned long long)a, (unsigned long long)b);
		}
	}
	printf("%u of %u records differ\n", bad, records);
	return bad != 0;
}
