// SPDX-License-Identifier: GPL-2.0-or-later
/* mmap.c - 64 pages of memory are had, touched and given back. */
#include "system.h"

#include <sys/mman.h>

#define PAGES 64

u64 bench_mmap(unsigned int scale)
{
	size_t n = bench_size(scale, 1000, 2);
	u64 check = 0;

	system_one_cpu();
	bench_start();
	for (size_t i = 0; i < n; i++) {
		u8 *p = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			bench_die("mmap");
		for (int j = 0; j < PAGES; j++)
			check += p[j * 4096 + 1]++ + j;
		if (munmap(p, PAGES * 4096))
			bench_die("munmap");
	}
	bench_stop();
	return check;
}
