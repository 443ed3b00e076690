// SPDX-License-Identifier: GPL-2.0-or-later
/* virtual.c - objects of eight classes in no order, each asked through its table of functions. */
#include "../bench.h"

struct object;

struct class {
	u64 (*size)(const struct object *o);
	void (*grow)(struct object *o, u64 by);
	u64 (*hash)(const struct object *o, u64 seed);
};

struct object {
	const struct class *class;
	u64 a, b;
};

#define CLASS(n, size_expr, grow_stmt, hash_expr)            \
	static u64 size##n(const struct object *o)           \
	{                                                    \
		return size_expr;                            \
	}                                                    \
	static void grow##n(struct object *o, u64 by)        \
	{                                                    \
		grow_stmt;                                   \
	}                                                    \
	static u64 hash##n(const struct object *o, u64 seed) \
	{                                                    \
		return hash_expr;                            \
	}                                                    \
	static const struct class class##n = { size##n, grow##n, hash##n };

CLASS(0, o->a, o->a += by, seed + o->a)
CLASS(1, o->a * o->b, o->b += by & 7, seed ^ o->b)
CLASS(2, o->a + o->b, o->a ^= by, seed * 3 + o->a)
CLASS(3, o->b >> 3, o->b = o->a + by, seed - o->b)
CLASS(4, o->a - o->b, o->a += by | 1, seed + (o->a ^ o->b))
CLASS(5, o->a & o->b, o->b -= by, (seed << 1) + o->a)
CLASS(6, o->a | 1, o->a = o->b + by, (seed >> 1) ^ o->b)
CLASS(7, o->b ^ 0x55, o->a += o->b & by, seed + o->a * 5)

static const struct class *const classes[] = { &class0, &class1, &class2, &class3,
					       &class4, &class5, &class6, &class7 };

u64 bench_virtual(unsigned int scale)
{
	size_t n = 4096, rounds = bench_size(scale, 4400, 2);
	struct object *objects = bench_alloc(n * sizeof(*objects));
	struct bench_random r = BENCH_RANDOM;
	u64 check = 0;

	for (size_t i = 0; i < n; i++) {
		u64 x = bench_random(&r);

		/* Neighbours are mostly of one class, as they are in programs. */
		objects[i].class = x & 3 && i ? objects[i - 1].class : classes[x >> 2 & 7];
		objects[i].a = x >> 20;
		objects[i].b = x >> 40;
	}
	bench_start();
	for (size_t round = 0; round < rounds; round++) {
		for (size_t i = 0; i < n; i++) {
			struct object *o = &objects[i];

			o->class->grow(o, o->class->size(o) & 1023);
			check = o->class->hash(o, check);
		}
	}
	bench_stop();
	for (size_t i = 0; i < n; i++)
		check = bench_mix(check, objects[i].a + objects[i].b);
	return check;
}
