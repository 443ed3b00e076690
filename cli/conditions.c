// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scoreboard: for each condition of the paper (Aggarwal and Smith, 2006) what holds it, what
 * that costs, what it needs of a host, and the tests that show it. `vmctl compat` is made of this
 * table, and so is the one in Documentation/compatibility.rst: `vmctl compat --table` prints it,
 * and cli:compat compares them and looks for the tests.
 */
#include "compat.h"

#include <stddef.h>

#define NEED(fact) (1U << FACT_##fact)
#define ALWAYS (NEED(KERNEL) | NEED(MODULE))

const struct condition conditions[] = {
	{
		.name = "Exceptions checked",
		.hold = HOLD_CHECK,
		.by = {
			"An address that may not be canonical is tested in line, where no fact",
			"of the translation makes that superfluous; likewise the alignment of",
			"atomics, and divisors. Every other exception is a fault of the host's",
			"or C code's.",
		},
		.cost = {
			"2 host instructions an access without a fact: test, jnz; in S-mode",
			"cmp, jb. Atomics 2 more.",
		},
		.needs = ALWAYS,
		.shown = { "isa:run (table.py)", "isa:run (priv.py edges)",
			   "isa:run (priv.py order of exceptions)", "isa:run (random.py)",
			   "isa:mutate.py (canon_unchecked)", "isa:module" },
	},
	{
		.name = "Checks implicit in host instructions",
		.hold = HOLD_HOST,
		.by = {
			"Presence and rights of a page are checked by the host's MMU, in views",
			"that have the guest's rights.",
		},
		.cost = {
			"None for an access. A page's first access is a page fault of the",
			"host's.",
		},
		.needs = ALWAYS,
		.shown = { "isa:run (priv.py PTE bits)", "isa:run (rights.py)", "isa:module" },
	},
	{
		.name = "No spurious traps",
		.hold = HOLD_CHECK,
		.by = {
			"A host fault that the guest has no part in (first touch, code written",
			"to, a page zapped, a view recycled) is served, and the instruction",
			"starts over. Only what a walk of the guest's own page table says",
			"becomes a trap.",
		},
		.cost = { "A page fault of the host's each." },
		.needs = ALWAYS,
		.shown = { "isa:run (priv.py quiet)", "isa:module", "isa:run (random.py)",
			   "smp:meets" },
	},
	{
		.name = "Nothing beyond guest memory reachable",
		.hold = HOLD_CHECK,
		.by = {
			"A jail is a process with nothing mapped but views, cache (never",
			"writable) and the vCPU area; seccomp leaves it three system calls, and",
			"the module takes all that it says for hostile. Of views of the same",
			"hart the check of addresses keeps it away.",
		},
		.cost = { "That of the first row; nothing for the jail." },
		.needs = ALWAYS | NEED(NX) | NEED(SECCOMP) | NEED(LEAKS),
		.shown = { "api:wrong", "api:lives (maps)", "api:lives (hostile_calls)",
			   "api:lives (hostile_maps)", "cli:lives" },
	},
	{
		.name = "Register file",
		.hold = HOLD_CHECK,
		.by = {
			"11 x registers and 12 f registers are registers of the host, the",
			"others are in the vCPU area. That holds the guest's own state, and",
			"what is harmless if it is corrupted.",
		},
		.cost = {
			"A host load or store for a register in a slot, where no copy is at",
			"hand.",
		},
		.needs = ALWAYS | NEED(CPU),
		.shown = { "isa:run (table.py)", "api:lives (hostile_area)", "fuzz:run" },
	},
	{
		.name = "Execute-only pages",
		.hold = HOLD_CHECK,
		.by = {
			"The walk refuses the load, so the page is mapped in no view that may",
			"not read it.",
		},
		.cost = { "None beside the walk." },
		.needs = ALWAYS,
		.shown = { "isa:run (priv.py PTE bits)", "isa:run (rights.py)", "isa:module" },
	},
	{
		.name = "Address space larger than the guest's",
		.hold = HOLD_HOST,
		.by = {
			"2^47 bytes hold 64 views of 2^39 with guards between. Sv48 and Sv57",
			"are not offered: satp is WARL.",
		},
		.cost = { "None." },
		.needs = ALWAYS | NEED(ADDRESS_BITS) | NEED(ADDRESS_SPACE),
		.shown = { "isa:run (priv.py csr satp)", "isa:run (priv.py csr fixed bits)",
			   "api:lives (maps)" },
	},
	{
		.name = "Permission types a superset",
		.hold = HOLD_CHECK,
		.by = {
			"Read and write are the host's. Execute is looked up at translation and",
			"kept by tags of pages; write without read is reserved in RISC-V. A",
			"page that PMP parts is not mapped.",
		},
		.cost = {
			"2 host instructions, a cmp and a jne, where code of another page is",
			"entered.",
		},
		.needs = ALWAYS | NEED(NX),
		.shown = { "isa:run (priv.py PTE bits)", "isa:run (rights.py)", "isa:module" },
	},
	{
		.name = "Precise state",
		.hold = HOLD_CHECK,
		.by = {
			"An instruction has one commit, its last; side tables say what guest",
			"instruction a host address belongs to.",
		},
		.cost = { "None until a trap." },
		.needs = ALWAYS,
		.shown = { "isa:run (random.py)", "isa:run (priv.py trap)", "isa:module",
			   "fuzz:run" },
	},
	{
		.name = "Self-modifying code",
		.hold = HOLD_CHECK,
		.by = {
			"A page with code is writable in no view of any hart. A store there, of",
			"a hart, of C code, or told by DTV_WRITTEN, drops what was translated",
			"before it is done, so that code is current even without fence.i.",
		},
		.cost = {
			"A page fault of the host's for the first store to a page since it was",
			"executed.",
		},
		.needs = ALWAYS,
		.shown = { "isa:run (priv.py modify code)", "isa:run (random.py)", "smp:meets",
			   "smp:module", "isa:module" },
	},
	{
		.name = "True fault addresses",
		.hold = HOLD_HOST,
		.by = {
			"The host's fault address less the view's base; of what C code does,",
			"its own.",
		},
		.cost = { "None." },
		.needs = ALWAYS,
		.shown = { "isa:run (priv.py trap)", "isa:run (priv.py edges)",
			   "isa:run (random.py)", "isa:module" },
	},
	{
		.name = "Time",
		.hold = HOLD_CHECK,
		.by = {
			"time counts 10 MHz of the host's clock, alike on all harts, and stands",
			"while a VM is paused. cycle is that of a clock of 1 GHz, whose rate the",
			"manual leaves open. instret counts the instructions that retire.",
		},
		.cost = {
			"An exit for each read. Once instret was looked at, an addition a",
			"block.",
		},
		.needs = ALWAYS,
		.shown = { "unit:unit (csr: counters)", "isa:run (priv.py counters)",
			   "isa:run (priv.py timer interrupt)", "isa:run (priv.py instret)",
			   "isa:run (random.py)", "api:lives (pause)" },
	},
	{
		.name = "LR and SC",
		.hold = HOLD_CHECK,
		.by = {
			"A pair is a compare-and-swap; any other LR makes a reservation that",
			"stores of others end.",
		},
		.cost = {
			"A pair: a lock cmpxchg. Any other: C code, and a page fault of the",
			"host's for stores of others.",
		},
		.needs = ALWAYS,
		.shown = { "smp:meets", "smp:module", "isa:run (meet.py)",
			   "isa:run (priv.py LR and SC)" },
	},
	{
		.name = "Resource limits",
		.hold = HOLD_CHECK,
		.by = {
			"A full cache loses its oldest part. Page tables of a jail are bounded,",
			"and made anew. Memory over the limit of the owner stops the VM, which",
			"says so; it takes nothing from others.",
		},
		.cost = { "Retranslation of what was lost." },
		.needs = ALWAYS | NEED(MEMLOCK),
		.shown = { "smp:meets", "api:lives (memlock)", "api:lives (page_tables_bounded)",
			   "api:nomem" },
	},
	{ .name = NULL },
};
