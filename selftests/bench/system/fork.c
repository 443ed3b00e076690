// SPDX-License-Identifier: GPL-2.0-or-later
/* fork.c - a process is made, becomes a new program, and is waited for. */
#include "system.h"

#include <sys/wait.h>

u64 bench_fork(unsigned int scale)
{
	size_t n = bench_size(scale, 300, 2);
	u64 check = 0;

	system_one_cpu();
	bench_start();
	for (size_t i = 0; i < n; i++) {
		pid_t child = fork();
		int status;

		if (!child) {
			execl("/proc/self/exe", "bench", "nothing", NULL);
			_exit(1);
		}
		if (child < 0 || waitpid(child, &status, 0) != child)
			bench_die("fork");
		check = bench_mix(check, WEXITSTATUS(status));
	}
	bench_stop();
	return check;
}
