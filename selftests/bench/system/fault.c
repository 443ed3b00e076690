// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fault.c - a program that handles its own page faults, as garbage collectors do: a store to a
 * protected page, a signal, the protection taken away, the store again.
 */
#include "system.h"

#include <signal.h>
#include <sys/mman.h>

static u8 *page;
static u64 faults;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (info->si_addr != page + 8)
		_exit(1);
	faults++;
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

u64 bench_fault(unsigned int scale)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	size_t n = bench_size(scale, 30000, 10);

	system_one_cpu();
	page = bench_alloc(4096);
	if (sigaction(SIGSEGV, &sa, NULL))
		bench_die("sigaction");
	bench_start();
	for (size_t i = 0; i < n; i++) {
		mprotect(page, 4096, PROT_READ);
		*(volatile u64 *)(page + 8) += i;
	}
	bench_stop();
	return bench_mix(faults, *(u64 *)(page + 8));
}
