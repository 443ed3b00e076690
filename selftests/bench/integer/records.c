// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * records.c - what programs of the kind that dhrystone imitates do: records assigned and linked,
 * short strings copied and compared, small procedures, cases of an enumeration, little arithmetic.
 */
#include "../bench.h"

enum kind { KIND_NONE, KIND_PERSON, KIND_PLACE, KIND_THING, NR_KINDS };

struct record {
	struct record *next;
	enum kind kind;
	s32 number;
	s32 others[4];
	char name[32];
};

static BENCH_NOINLINE void copy(char *to, const char *from)
{
	while ((*to++ = *from++))
		;
}

static BENCH_NOINLINE int compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a - *b;
}

static BENCH_NOINLINE enum kind other_kind(enum kind kind, s32 number)
{
	switch (kind) {
	case KIND_NONE:
		return number > 100 ? KIND_PERSON : KIND_THING;
	case KIND_PERSON:
		return KIND_PLACE;
	case KIND_PLACE:
		return number & 1 ? KIND_THING : KIND_NONE;
	case KIND_THING:
		return KIND_PERSON;
	default:
		return KIND_NONE;
	}
}

static BENCH_NOINLINE void fill(s32 *table, s32 (*grid)[16], s32 at, s32 value)
{
	table[at] = value;
	table[at + 1] = table[at];
	table[at + 10] = at;
	for (s32 i = at; i <= at + 1; i++)
		grid[at & 15][i & 15] = at;
	grid[(at + 1) & 15][at & 15]++;
	table[at + 5] = value / (at | 1);
}

static BENCH_NOINLINE void visit(struct record *r, s32 i)
{
	struct record *next = r->next;

	*next = *r;
	next->next = r->next->next ? r->next : r;
	r->number = 5;
	next->number = r->number + i % 7;
	next->kind = other_kind(r->kind, i);
	if (next->kind == KIND_PERSON) {
		next->others[i & 3] = next->number * 3;
		next->kind = other_kind(next->kind, next->number);
	} else {
		*r = *next;
	}
	next->next = r;
	r->next = next;
}

u64 bench_records(unsigned int scale)
{
	size_t n = bench_size(scale, 4000000, 1000);
	struct record *a = bench_alloc(2 * sizeof(*a)), *b = a + 1;
	static s32 table[64], grid[16][16];
	char first[32], second[32];
	u64 check = 0;

	*a = (struct record){ b, KIND_NONE, 1, { 1, 2, 3, 4 }, "a record with a name" };
	*b = (struct record){ a, KIND_THING, 2, { 5, 6, 7, 8 }, "another name" };
	bench_start();
	for (size_t i = 0; i < n; i++) {
		copy(first, a->name);
		copy(second, i & 1 ? "a record with a place" : "a record with a name");
		if (compare(first, second) < 0)
			a->number += 2;
		else
			b->others[i & 3] += a->number;
		second[9 + i % 8] = 'x';
		if (i % 5 == 0)
			copy(b->name, second);
		fill(table, grid, 3 + i % 40, a->number + (s32)i % 100);
		visit(a, i % 1000);
		check = bench_mix(check, b->number + b->kind * 16 + table[20] + grid[3][4]);
	}
	bench_stop();
	for (size_t i = 0; a->name[i]; i++)
		check = bench_mix(check, a->name[i]);
	return check;
}
