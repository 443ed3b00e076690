// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main.c - runs the benchmark programs, one in a process; it is built once for each level of
 * optimization and machine.
 *
 *   bench-O2 list			names and groups
 *   bench-O2 run NAME [SCALE]		NAME may be its place in the list, from 0. Prints
 *					"NAME CHECK NS ALL": hexadecimal; nanoseconds from
 *					bench_start() to bench_stop(), and of the whole program
 *   bench-O2 run NAME SCALE COPIES	the same in COPIES processes at once, each on a processor of
 *					its own. NS is then from the first's beginning to the last's
 *					end
 *   bench-O2 serve			for a guest's console: reads lines
 *					"LEVEL NAME SCALE [COPIES]", runs bench-LEVEL of the same
 *					directory for each, and answers
 *					"dtv-bench: NAME CHECK NS ALL TOTAL" or
 *					"dtv-bench: failed ..."; TOTAL is from fork to the end of
 *					the program. Ends at "off".
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static const struct program {
	const char *name;
	const char *group;
	u64 (*run)(unsigned int scale);
} programs[] = {
#define PROGRAM(name, group) { #name, #group, bench_##name },
	BENCH_PROGRAMS
#undef PROGRAM
};

#define NR_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static u64 started, spent;

static u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void bench_start(void)
{
	started = now();
}

void bench_stop(void)
{
	spent += now() - started;
}

void bench_die(const char *why)
{
	perror(why);
	exit(1);
}

void *bench_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		bench_die("mmap");
	return p;
}

void bench_text(u8 *text, size_t size)
{
	static const char letters[] = "etaoinshrdlcumwfgypbvkjxqz";
	struct bench_random r = BENCH_RANDOM;
	u8 words[512][12];
	size_t n = 0;

	for (size_t i = 0; i < 512; i++) {
		size_t len = 2 + bench_random(&r) % 9;

		for (size_t j = 0; j < len; j++) {
			u64 x = bench_random(&r);

			words[i][j] = letters[(x & 0xffff) % 26 * (x >> 16 & 0xff) >> 8];
		}
		words[i][len] = 0;
	}
	while (n < size) {
		u64 x = bench_random(&r);
		/* Small numbers are frequent. */
		const u8 *word = words[(x & 511) * (x >> 9 & 511) >> 9];

		for (; *word && n < size; word++)
			text[n++] = *word;
		if (n < size)
			text[n++] = (x >> 20) % 13 ? ' ' : '\n';
	}
}

/* What a copy leaves behind. */
struct copy {
	u64 check, from, to;
};

static void copy_run(const struct program *program, unsigned int scale, int cpu, struct copy *c)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_die("sched_setaffinity");
	c->check = program->run(scale);
	c->to = now();
	c->from = c->to - spent;
	_exit(0);
}

/* Each result has to be the same; sets spent. */
static u64 copies_run(const struct program *program, unsigned int scale, int nr)
{
	struct copy *c = mmap(NULL, nr * sizeof(*c), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	u64 from = ~0ull, to = 0;
	int status;

	if (c == MAP_FAILED)
		bench_die("mmap");
	for (int i = 0; i < nr; i++) {
		if (!fork())
			copy_run(program, scale, i, &c[i]);
	}
	for (int i = 0; i < nr; i++) {
		if (wait(&status) < 0 || status)
			bench_die("a copy");
	}
	for (int i = 0; i < nr; i++) {
		from = c[i].from < from ? c[i].from : from;
		to = c[i].to > to ? c[i].to : to;
		if (c[i].check != c[0].check)
			bench_die("copies differ");
	}
	spent = to - from;
	return c[0].check;
}

static int run(const char *name, unsigned int scale, int copies)
{
	u64 began = now();
	char *end;
	size_t i = strtoul(name, &end, 10);

	if (*end)
		for (i = 0; i < NR_PROGRAMS && strcmp(name, programs[i].name);)
			i++;
	if (i < NR_PROGRAMS) {
		u64 check = copies ? copies_run(&programs[i], scale, copies) :
				     programs[i].run(scale);

		printf("%s %016llx %llu %llu\n", programs[i].name, (unsigned long long)check,
		       (unsigned long long)spent, (unsigned long long)(now() - began));
		return 0;
	}
	fprintf(stderr, "bench: no program %s\n", name);
	return 2;
}

/*
 * One line's program. Its output comes by a pipe, so that our answer is one line
 * whatever it does.
 */
static void serve_one(char *self, char *level, char *name, char *scale, char *copies)
{
	char path[256], answer[128] = "";
	char *slash = strrchr(self, '/');
	int out[2], status, len = slash ? slash - self + 1 : 0;
	size_t got = 0;
	ssize_t n;
	u64 start;
	pid_t pid;

	snprintf(path, sizeof(path), "%.*sbench-%s", len, self, level);
	if (pipe2(out, O_CLOEXEC))
		bench_die("pipe");
	start = now();
	pid = fork();
	if (!pid) {
		dup2(out[1], 1);
		execl(path, path, "run", name, scale, copies, NULL);
		_exit(127);
	}
	close(out[1]);
	while (got < sizeof(answer) - 1 &&
	       (n = read(out[0], answer + got, sizeof(answer) - 1 - got)) > 0)
		got += n;
	close(out[0]);
	answer[strcspn(answer, "\n")] = 0;
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		bench_die("fork");
	if (status)
		printf("dtv-bench: failed %s %#x\n", name, status);
	else
		printf("dtv-bench: %s %llu\n", answer, (unsigned long long)(now() - start));
}

static int serve(char *self)
{
	char line[128], level[16], name[64], scale[16], copies[16];
	struct termios t;

	if (!tcgetattr(0, &t)) {
		t.c_lflag &= ~ECHO;
		tcsetattr(0, TCSANOW, &t);
	}
	setlinebuf(stdout);
	puts("dtv-bench: ready");
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "off\n"))
			return 0;
		if (sscanf(line, "%15s %63s %15s %15s", level, name, scale, copies) == 4)
			serve_one(self, level, name, scale, copies);
		else if (sscanf(line, "%15s %63s %15s", level, name, scale) == 3)
			serve_one(self, level, name, scale, NULL);
		else
			puts("dtv-bench: failed what 0");
	}
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (size_t i = 0; i < NR_PROGRAMS; i++)
			printf("%s %s\n", programs[i].name, programs[i].group);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve(argv[0]);
	/* What the fork program starts. */
	if (argc == 2 && !strcmp(argv[1], "nothing"))
		return 42;
	if (argc >= 3 && argc <= 5 && !strcmp(argv[1], "run"))
		return run(argv[2], argc > 3 ? strtoul(argv[3], NULL, 10) : 100,
			   argc > 4 ? atoi(argv[4]) : 0);
	fprintf(stderr, "usage: %s list | run NAME [SCALE [COPIES]] | serve\n", argv[0]);
	return 2;
}
