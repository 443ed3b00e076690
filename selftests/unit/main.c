// SPDX-License-Identifier: GPL-2.0-or-later
/* main.c - runs the unit tests and prints TAP. Exit: 0 all passed or skipped, 1 not. */
#include <stdio.h>
#include <stdlib.h>
#include "unit.h"

#define MAX_COMPLAINTS 20

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "decode: all compressed words agree with objdump", test_decode_compressed },
	{ "decode: random words agree with objdump", test_decode_random },
	{ "decode: extensions that are not offered are illegal", test_decode_isa },
	{ "isa: strings", test_isa_parse },
	{ "isa: names and back", test_isa_string },
	{ "csr: which registers exist, and at which privilege", test_csr_table },
	{ "csr: TVM, counter enables, read-only", test_csr_access },
	{ "csr: WARL fields", test_csr_warl },
	{ "csr: mstatus and sstatus", test_csr_status },
	{ "csr: floating point", test_csr_fp },
	{ "csr: counters", test_csr_counters },
	{ "csr: mip, mie, sip, sie, mideleg", test_csr_interrupts },
	{ "csr: Sstc", test_csr_sstc },
	{ "csr: Smstateen", test_csr_stateen },
	{ "csr: PMP registers and locks", test_csr_pmp },
	{ "csr: random state and accesses", test_csr_hostile },
	{ "system: CSR instructions", test_system_csr },
	{ "system: privilege, TSR, TW, TVM", test_system_modes },
	{ "system: ecall and ebreak", test_system_ecall },
	{ "system: fences", test_system_fence },
	{ "trap: delegation and vectors", test_trap_delegation },
	{ "trap: sret and mret", test_trap_return },
	{ "trap: interrupt priority and wfi", test_trap_interrupts },
	{ "walk: leaves of all levels", test_walk_levels },
	{ "walk: rights in all regimes", test_walk_rights },
	{ "walk: faults", test_walk_faults },
	{ "walk: memory types and NAPOT", test_walk_upper },
	{ "walk: accessed and dirty bits", test_walk_ad },
	{ "walk: PTEs that others change", test_walk_race },
	{ "walk: regimes", test_walk_regime },
	{ "sbi: base", test_sbi_base },
	{ "sbi: timer", test_sbi_time },
	{ "sbi: hart masks, IPI, remote fences", test_sbi_ipi_fence },
	{ "sbi: hart state management", test_sbi_hsm },
	{ "sbi: system reset", test_sbi_srst },
	{ "sbi: debug console", test_sbi_dbcn },
	{ "sbi: legacy", test_sbi_legacy },
	{ "plic: claim, priority, threshold", test_plic_claim },
	{ "plic: gateways", test_plic_gateway },
	{ "plic: registers", test_plic_registers },
	{ "plic: outputs told in order", test_plic_threads },
};

static unsigned int complaints;
static const char *skipped;

void unit_fail(const char *file, int line, const char *what, u64 got, u64 want)
{
	if (complaints++ < MAX_COMPLAINTS)
		printf("# %s:%d: %s: got 0x%llx, want 0x%llx\n", file, line, what,
		       (unsigned long long)got, (unsigned long long)want);
}

void unit_skip(const char *why)
{
	skipped = why;
}

int main(void)
{
	unsigned int i, passed = 0, failed = 0, skips = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%zu\n", ARRAY_SIZE(tests));
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		complaints = 0;
		skipped = NULL;
		machine_reset();
		tests[i].run();
		if (complaints) {
			printf("not ok %u %s\n", i + 1, tests[i].name);
			failed++;
		} else if (skipped) {
			printf("ok %u %s # SKIP %s\n", i + 1, tests[i].name, skipped);
			skips++;
		} else {
			printf("ok %u %s\n", i + 1, tests[i].name);
			passed++;
		}
	}
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:%u error:0\n", passed, failed,
	       skips);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
