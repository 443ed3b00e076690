// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stats.c - counting what happens, and printing it at the end.
 */
#include <stdio.h>
#include <sys/resource.h>

#include "uhost.h"

static const char *const exit_names[DTV_NR_EXITS] = {
	[DTV_EXIT_NONE] = "none",   [DTV_EXIT_CHAIN] = "chain",	  [DTV_EXIT_ENTER] = "enter",
	[DTV_EXIT_JUMP] = "jump",   [DTV_EXIT_SYSTEM] = "system", [DTV_EXIT_ACCESS] = "access",
	[DTV_EXIT_KICK] = "kick",   [DTV_EXIT_RESUME] = "resume", [DTV_EXIT_ILLEGAL] = "illegal",
	[DTV_EXIT_FETCH] = "fetch", [DTV_EXIT_FP] = "fp",
};

const char *stats_exit_name(unsigned int reason)
{
	return reason < DTV_NR_EXITS && exit_names[reason] ? exit_names[reason] : "?";
}

void dtv_host_trace(struct dtv_cpu *cpu, enum dtv_trace what, u64 a, u64 b)
{
	static const char *const names[] = { "exit", "block", "miss", "trap", "mmio" };
	struct uhart *h = uhart_of(cpu);

	switch (what) {
	case DTV_TRACE_EXIT:
		h->exits[a % DTV_NR_EXITS]++;
		break;
	case DTV_TRACE_BLOCK:
		h->blocks++;
		break;
	case DTV_TRACE_TRAP:
		h->causes[a % 32 + (a & DTV_CAUSE_INTERRUPT ? 32 : 0)]++;
		break;
	case DTV_TRACE_MISS:
	case DTV_TRACE_MMIO:
		break;
	}
	if (h->host->trace)
		fprintf(stderr, "[%u] %s %s 0x%llx 0x%llx\n", cpu->id, names[what],
			what == DTV_TRACE_EXIT && exit_names[a % DTV_NR_EXITS] ?
				exit_names[a % DTV_NR_EXITS] :
				"",
			(unsigned long long)a, (unsigned long long)b);
}

static void line(const char *name, u64 v)
{
	if (v)
		fprintf(stderr, "  %-20s %12llu\n", name, (unsigned long long)v);
}

static double seconds(const struct timeval *tv)
{
	return tv->tv_sec + tv->tv_usec / 1e6;
}

static void print_hart(const struct uhart *h)
{
	char name[32];

	fprintf(stderr, "hart %u:\n", h->cpu.id);
	for (unsigned int i = 0; i < DTV_NR_EXITS; i++) {
		snprintf(name, sizeof(name), "exit %s", stats_exit_name(i));
		line(name, h->exits[i]);
	}
	for (unsigned int i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "%s %u", i < 32 ? "trap" : "interrupt", i % 32);
		line(name, h->causes[i]);
	}
	line("misses", h->misses);
	line("mmap: mapped", h->maps);
	line("mmap: zapped", h->zaps);
	line("views emptied", h->resets);
	line("kicks", h->kicks);
	line("mmio", h->mmio);
	line("blocks translated", h->blocks);
	line("sleeps", h->waits);
	fprintf(stderr, "  %-20s %12.3f s\n", "slept", h->wait_ns / 1e9);
}

void stats_print(const struct uhost *u, u64 ns)
{
	const struct dtv_dbt *d = &u->vm.dbt;
	struct rusage ru;
	char name[32];

	fprintf(stderr, "\n");
	for (unsigned int i = 0; i < u->nr_harts; i++)
		print_hart(u->harts[i]);
	fprintf(stderr, "translator:\n");
	line("blocks", d->stat_blocks);
	line("guest bytes", d->stat_guest_bytes);
	line("host bytes", d->stat_host_bytes);
	line("invalidated", d->stat_invalidated);
	line("evictions", d->stat_evictions);
	line("flushes", d->stat_flushes);
	for (unsigned int i = 0; dtv_opt_name(i); i++) {
		snprintf(name, sizeof(name), "opt %s", dtv_opt_name(i));
		line(name, d->stat_opts[i]);
	}
	getrusage(RUSAGE_SELF, &ru);
	fprintf(stderr, "time: %.3f s, user %.3f s, system %.3f s\n", ns / 1e9,
		seconds(&ru.ru_utime), seconds(&ru.ru_stime));
}
