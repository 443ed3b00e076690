/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tap.h - TAP for test programs in C, with kselftest's exit codes.
 *
 *   TEST(name) { EXPECT(1 + 1 == 2); }
 *   int main(void) { return tap_main(); }
 *
 * Each test runs in a process of its own; a failed EXPECT() ends it.
 */
#ifndef DTV_API_TAP_H
#define DTV_API_TAP_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAP_SKIP 4
#define TAP_SECONDS 60

struct tap_test {
	const char *name;
	void (*fn)(void);
	struct tap_test *next;
};

static struct tap_test *tap_first, **tap_last = &tap_first;

#define TEST(id)                                                    \
	static void test_##id(void);                                \
	static struct tap_test tap_##id = { #id, test_##id, NULL }; \
	static __attribute__((constructor)) void tap_add_##id(void) \
	{                                                           \
		*tap_last = &tap_##id;                              \
		tap_last = &tap_##id.next;                          \
	}                                                           \
	static void test_##id(void)

#define EXPECT(cond)                                                                              \
	do {                                                                                      \
		if (!(cond)) {                                                                    \
			printf("# %s:%d: not so: %s (errno %d, %s)\n", __FILE__, __LINE__, #cond, \
			       errno, strerror(errno));                                           \
			fflush(stdout);                                                           \
			_exit(1);                                                                 \
		}                                                                                 \
	} while (0)

/* The call fails with this errno. */
#define FAILS(call, want)                                                                      \
	do {                                                                                   \
		errno = 0;                                                                     \
		long _ret = (call);                                                            \
		if (_ret != -1 || errno != (want)) {                                           \
			printf("# %s:%d: %s: returned %ld, errno %d, expected %s\n", __FILE__, \
			       __LINE__, #call, _ret, errno, #want);                           \
			fflush(stdout);                                                        \
			_exit(1);                                                              \
		}                                                                              \
	} while (0)

/* How much slower than usual the machine is: the debug kernel's is. */
static inline int tap_slow(void)
{
	const char *slow = getenv("DTV_SLOW");

	return slow && atoi(slow) > 0 ? atoi(slow) : 1;
}

static inline int tap_run(const struct tap_test *t)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(TAP_SECONDS * tap_slow());
		t->fn();
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	if (WIFSIGNALED(status))
		printf("# %s: killed by signal %d\n", t->name, WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static inline int tap_main(void)
{
	int nr = 0, failed = 0, skipped = 0, i = 0;
	const char *only = getenv("TAP_ONLY");
	const struct tap_test *t;

	/* To look into a test: the others are taken out of the list. */
	for (struct tap_test **link = &tap_first; only && *link;) {
		if (strcmp((*link)->name, only))
			*link = (*link)->next;
		else
			link = &(*link)->next;
	}
	for (t = tap_first; t; t = t->next)
		nr++;
	printf("TAP version 13\n1..%d\n", nr);
	for (t = tap_first; t; t = t->next) {
		int ret = tap_run(t);

		i++;
		if (ret == TAP_SKIP) {
			skipped++;
			printf("ok %d %s # SKIP cannot run here\n", i, t->name);
		} else if (ret) {
			failed++;
			printf("not ok %d %s\n", i, t->name);
		} else {
			printf("ok %d %s\n", i, t->name);
		}
	}
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:%d error:0\n", nr - failed - skipped,
	       failed, skipped);
	return failed ? 1 : skipped == nr ? TAP_SKIP : 0;
}

#endif /* DTV_API_TAP_H */
