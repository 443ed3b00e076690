// SPDX-License-Identifier: GPL-2.0-or-later
/* raytrace.c - mirroring spheres over a plane, lit by one lamp. */
#include "../real.h"

#define SPHERES 12
#define DEPTH 4

struct vector {
	real x, y, z;
};

struct sphere {
	struct vector centre;
	real radius, mirror;
};

static struct sphere spheres[SPHERES];
static const struct vector lamp = { 5, 10, -5 };

static struct vector add(struct vector a, struct vector b, real times)
{
	return (struct vector){ a.x + b.x * times, a.y + b.y * times, a.z + b.z * times };
}

static real dot(struct vector a, struct vector b)
{
	return a.x * b.x + a.y * b.y + a.z * b.z;
}

static struct vector unit(struct vector a)
{
	real len = real_sqrt(dot(a, a));

	return (struct vector){ a.x / len, a.y / len, a.z / len };
}

/* The nearest sphere that a ray hits, or -1. */
static BENCH_NOINLINE int hit(const struct vector *from, const struct vector *way, real *distance)
{
	int nearest = -1;

	for (int i = 0; i < SPHERES; i++) {
		struct vector to = add(spheres[i].centre, *from, -1);
		real along = dot(to, *way);
		real d2 = dot(to, to) - along * along, r2 = spheres[i].radius * spheres[i].radius,
		     t;

		if (along < 0 || d2 > r2)
			continue;
		t = along - real_sqrt(r2 - d2);
		if (t > (real)0.001 && (nearest < 0 || t < *distance)) {
			*distance = t;
			nearest = i;
		}
	}
	return nearest;
}

static real trace(const struct vector *from, const struct vector *way, int depth)
{
	struct vector at, normal, to_lamp, mirrored;
	real distance, unused, light, mirror;
	int i = hit(from, way, &distance);

	if (i < 0) {
		if (way->y >= 0)
			return way->y / 2;
		/* The plane, as a chess board */
		at = add(*from, *way, -from->y / way->y);
		light = ((s32)(at.x + 1000) ^ (s32)(at.z + 1000)) & 1 ? (real)0.9 : (real)0.2;
		to_lamp = unit(add(lamp, at, -1));
		return hit(&at, &to_lamp, &unused) >= 0 ? light / 4 : light * to_lamp.y;
	}
	at = add(*from, *way, distance);
	normal = unit(add(at, spheres[i].centre, -1));
	to_lamp = unit(add(lamp, at, -1));
	light = dot(normal, to_lamp);
	if (light < 0 || hit(&at, &to_lamp, &unused) >= 0)
		light = 0;
	mirror = spheres[i].mirror;
	if (depth >= DEPTH)
		return light;
	mirrored = add(*way, normal, -2 * dot(*way, normal));
	return light * (1 - mirror) + mirror * trace(&at, &mirrored, depth + 1);
}

u64 REAL_NAME(raytrace)(unsigned int scale)
{
	u32 wide = 1200, high = bench_size(scale, 1000, 8);
	struct bench_random r = BENCH_RANDOM;
	struct vector eye = { 0, 2, -8 };
	u64 check = 0;

	for (int i = 0; i < SPHERES; i++) {
		struct sphere *s = &spheres[i];

		s->radius = real_random(&r) + (real)0.3;
		s->centre = (struct vector){ real_random(&r) * 8 - 4,
					     s->radius + real_random(&r) * 2, real_random(&r) * 6 };
		s->mirror = real_random(&r);
	}
	bench_start();
	for (u32 y = 0; y < high; y++) {
		for (u32 x = 0; x < wide; x++) {
			real across = (real)x / wide - (real)0.5;
			real up = (real)0.4 - (real)y / high;
			struct vector way = unit((struct vector){ across, up, 1 });

			check = bench_mix(check, real_bits(trace(&eye, &way, 0)));
		}
	}
	bench_stop();
	return check;
}
