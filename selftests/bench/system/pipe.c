// SPDX-License-Identifier: GPL-2.0-or-later
/* pipe.c - one byte, there and back between two processes. */
#include "system.h"

#include <sys/wait.h>

u64 bench_pipe(unsigned int scale)
{
	size_t n = bench_size(scale, 40000, 10);
	int there[2], back[2];
	u64 check = 0;
	u8 byte = 0;
	pid_t child;

	system_one_cpu();
	if (pipe(there) || pipe(back))
		bench_die("pipe");
	child = fork();
	if (!child) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1) {
			byte = byte * 5 + 1;
			if (write(back[1], &byte, 1) != 1)
				break;
		}
		_exit(0);
	}
	bench_start();
	for (size_t i = 0; i < n; i++) {
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			bench_die("pipe");
		check = bench_mix(check, byte);
	}
	bench_stop();
	close(there[1]);
	waitpid(child, NULL, 0);
	return check;
}
