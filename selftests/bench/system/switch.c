// SPDX-License-Identifier: GPL-2.0-or-later
/* switch.c - a token goes round a ring of 20 processes, each of which touches some memory. */
#include "system.h"

#include <sys/wait.h>

#define PROCESSES 20
#define WORDS 1024

static u32 work(u32 token)
{
	static u32 memory[WORDS];

	for (int i = 0; i < WORDS; i += 16) {
		memory[i] += token;
		/* Five times what it was: odd, so that nothing of it is lost. */
		token = token * 4 + memory[i] + 1;
	}
	return token;
}

static void pass(int in, int out)
{
	u32 token;

	while (read(in, &token, sizeof(token)) == sizeof(token)) {
		token = work(token);
		if (write(out, &token, sizeof(token)) != sizeof(token))
			break;
	}
}

u64 bench_switch(unsigned int scale)
{
	size_t rounds = bench_size(scale, 2000, 2);
	int pipes[PROCESSES][2];
	u32 token = 1;
	u64 check = 0;

	system_one_cpu();
	for (int i = 0; i < PROCESSES; i++)
		if (pipe(pipes[i]))
			bench_die("pipe");
	/* Process i reads pipe i - 1 and writes pipe i; we are number 0. */
	for (int i = 1; i < PROCESSES; i++) {
		if (fork())
			continue;
		/* No other end left open, so that the end of one is the end of all. */
		for (int j = 0; j < PROCESSES; j++) {
			if (j != i)
				close(pipes[j][1]);
			if (j != i - 1)
				close(pipes[j][0]);
		}
		pass(pipes[i - 1][0], pipes[i][1]);
		_exit(0);
	}
	bench_start();
	for (size_t i = 0; i < rounds; i++) {
		token = work(token);
		if (write(pipes[0][1], &token, sizeof(token)) != sizeof(token) ||
		    read(pipes[PROCESSES - 1][0], &token, sizeof(token)) != sizeof(token))
			bench_die("pipe");
		check = bench_mix(check, token);
	}
	bench_stop();
	for (int i = 0; i < PROCESSES; i++)
		close(pipes[i][1]);
	while (wait(NULL) > 0)
		;
	return check;
}
