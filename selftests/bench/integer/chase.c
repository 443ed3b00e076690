// SPDX-License-Identifier: GPL-2.0-or-later
/* chase.c - pointers followed through a ring of nodes that lie in no order: 256 KiB, then 8 MiB. */
#include "../bench.h"

struct node {
	struct node *next;
	u64 value;
	u64 rest[6];
};

static struct node *ring(size_t n, struct bench_random *r)
{
	struct node *nodes = bench_alloc(n * sizeof(*nodes));
	u32 *order = bench_alloc(n * sizeof(*order));

	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n - 1; i; i--) {
		size_t j = bench_random(r) % (i + 1);
		u32 t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
	for (size_t i = 0; i < n; i++) {
		nodes[order[i]].next = &nodes[order[(i + 1) % n]];
		nodes[order[i]].value = bench_random(r);
	}
	return nodes;
}

static u64 follow(struct node *at, size_t steps)
{
	u64 sum = 0;

	while (steps--) {
		sum += at->value ^ steps;
		at->value = sum;
		at = at->next;
	}
	return sum;
}

u64 bench_chase(unsigned int scale)
{
	size_t steps = bench_size(scale, 7000000, 10000);
	struct bench_random r = BENCH_RANDOM;
	struct node *small = ring(4096, &r), *large = ring(131072, &r);
	u64 check;

	bench_start();
	check = follow(small, steps);
	check = bench_mix(check, follow(large, steps / 8));
	bench_stop();
	return check;
}
