// SPDX-License-Identifier: GPL-2.0-or-later
/* nbody.c - sixteen bodies that attract each other, each pair in each step. */
#include "../real.h"

#define BODIES 16

struct body {
	real x[3], v[3], mass;
};

static BENCH_NOINLINE void step(struct body *bodies, real dt)
{
	for (int i = 0; i < BODIES; i++) {
		struct body *a = &bodies[i];

		for (int j = i + 1; j < BODIES; j++) {
			struct body *b = &bodies[j];
			real dx = a->x[0] - b->x[0], dy = a->x[1] - b->x[1], dz = a->x[2] - b->x[2];
			real d2 = dx * dx + dy * dy + dz * dz + (real)0.01;
			real mag = dt / (d2 * real_sqrt(d2));

			a->v[0] -= dx * b->mass * mag;
			a->v[1] -= dy * b->mass * mag;
			a->v[2] -= dz * b->mass * mag;
			b->v[0] += dx * a->mass * mag;
			b->v[1] += dy * a->mass * mag;
			b->v[2] += dz * a->mass * mag;
		}
	}
	for (int i = 0; i < BODIES; i++)
		for (int k = 0; k < 3; k++)
			bodies[i].x[k] += dt * bodies[i].v[k];
}

u64 REAL_NAME(nbody)(unsigned int scale)
{
	size_t n = bench_size(scale, 250000, 100);
	struct bench_random r = BENCH_RANDOM;
	struct body bodies[BODIES];
	u64 check = 0;

	for (int i = 0; i < BODIES; i++) {
		for (int k = 0; k < 3; k++) {
			bodies[i].x[k] = real_random(&r) * 10 - 5;
			bodies[i].v[k] = real_random(&r) - (real)0.5;
		}
		bodies[i].mass = real_random(&r);
	}
	bench_start();
	for (size_t i = 0; i < n; i++)
		step(bodies, (real)0.001);
	bench_stop();
	for (int i = 0; i < BODIES; i++)
		for (int k = 0; k < 3; k++)
			check = bench_mix(check, real_bits(bodies[i].x[k]));
	return check;
}
