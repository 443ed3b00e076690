// SPDX-License-Identifier: GPL-2.0-or-later
/* mandelbrot.c - how long each point of a square takes to escape. */
#include "../real.h"

u64 REAL_NAME(mandelbrot)(unsigned int scale)
{
	u32 wide = 560, high = bench_size(scale, 560, 8);
	u64 check = 0;

	bench_start();
	for (u32 py = 0; py < high; py++) {
		for (u32 px = 0; px < wide; px++) {
			real cx = (real)px * 3 / wide - 2, cy = (real)py * 3 / high - (real)1.5;
			real x = 0, y = 0;
			u32 i = 0;

			while (i < 1000 && x * x + y * y < 4) {
				real t = x * x - y * y + cx;

				y = 2 * x * y + cy;
				x = t;
				i++;
			}
			check = bench_mix(check, i);
		}
	}
	bench_stop();
	return check;
}
