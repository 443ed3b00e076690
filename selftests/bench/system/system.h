/* SPDX-License-Identifier: GPL-2.0-or-later */
/* system.h - what the programs have in common that measure the kernel under them. */
#ifndef BENCH_SYSTEM_H
#define BENCH_SYSTEM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <unistd.h>

#include "../bench.h"

/* Stay on one processor, with all children: the machine that we are compared with has one. */
static inline void system_one_cpu(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET(cpu < 0 ? 0 : cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_die("sched_setaffinity");
}

#endif
