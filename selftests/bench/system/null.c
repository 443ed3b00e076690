// SPDX-License-Identifier: GPL-2.0-or-later
/* null.c - system calls that do nothing. */
#include "system.h"

#include <sys/syscall.h>

u64 bench_null(unsigned int scale)
{
	size_t n = bench_size(scale, 1000000, 100);
	u64 good = 0;

	system_one_cpu();
	bench_start();
	for (size_t i = 0; i < n; i++)
		good += syscall(SYS_getppid) > 0;
	bench_stop();
	return good;
}
