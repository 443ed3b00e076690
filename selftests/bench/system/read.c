// SPDX-License-Identifier: GPL-2.0-or-later
/* read.c - pages of a file in memory (tmpfs) are read in no order. */
#include "system.h"

#include <sys/mman.h>

#define PAGES 2048

u64 bench_read(unsigned int scale)
{
	size_t n = bench_size(scale, 250000, 100);
	int fd = memfd_create("bench", MFD_CLOEXEC);
	struct bench_random r = BENCH_RANDOM;
	static u64 buf[512];
	u64 check = 0;

	system_one_cpu();
	for (size_t i = 0; i < PAGES; i++) {
		for (size_t j = 0; j < 512; j++)
			buf[j] = bench_random(&r);
		if (write(fd, buf, sizeof(buf)) != sizeof(buf))
			bench_die("write");
	}
	bench_start();
	for (size_t i = 0; i < n; i++) {
		u64 x = bench_random(&r);

		if (pread(fd, buf, sizeof(buf), (x & (PAGES - 1)) * 4096) != sizeof(buf))
			bench_die("pread");
		check = bench_mix(check, buf[x >> 32 & 511]);
	}
	bench_stop();
	close(fd);
	return check;
}
