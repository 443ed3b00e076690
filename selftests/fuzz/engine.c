// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * engine.c - the engine as a library under libFuzzer: everything that C code of
 * the engine does for a guest, with any bytes as code, any contents of page tables,
 * CSRs and the vCPU area. Translated code is made, and never run.
 *
 * An input is a list of steps (enum step). After each, no writable mapping of a page
 * of code or of another hart's reserved page is left; behind the last, and whenever
 * the input asks, the cache is looked through (check.c). ASan, UBSan and a
 * warning of the engine (warn.h) find the rest.
 */
#include <stdlib.h>
#include <stdio.h>

#include "../../kmod/guest/isa.h"
#include "../../kmod/guest/fp.h"
#include "check.h"

#define PAGES 64
#define RAM_GPA 0x80000000ULL
#define RAM_SIZE (PAGES * DTV_PAGE_SIZE)
#define HARTS 2
#define VIEWS 6
#define CACHE_SIZE (1 << 20)
#define CACHE_EXEC 0x700000000000ULL
#define STEPS_MAX 400

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

enum step {
	POKE, /* bytes to RAM, by the daemon */
	CODE, /* bytes to RAM, and a hart goes there */
	REG, /* a word of a hart's vCPU area */
	CSR, /* the same for what traps and translation depend on, with values that make sense */
	PTE, /* an entry of a page table */
	GO, /* a hart finds its way from its state */
	EXIT, /* translated code leaves, for a reason, from a block */
	CHAIN, /* the same by an exit that can be chained */
	MISS, /* translated code misses in a view */
	KICK, /* translated code is interrupted */
	INSN, /* an instruction done in C */
	LINE, /* a wire, the timer, a request */
	ANSWER, /* MMIO is answered */
	EVICT, /* room is made in the cache */
	LOOK, /* check_cache() */
	NR_STEPS,
};

struct input {
	const u8 *p, *end;
};

/* What a host would have mapped in views. */
static struct mapping {
	bool used, write;
	u8 cpu, view;
	gva_t gva;
	gpa_t gpa;
} maps[256];

static struct dtv_vm_core *vm;
static struct dtv_cpu *cpus[HARTS];
static u8 *ram, *cache;
static u64 now;

void fuzz_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "finding: %s:%d: %s\n", file, line, what);
	abort();
}

#define CHECK(c)                                           \
	do {                                               \
		if (!(c))                                  \
			fuzz_fail(__FILE__, __LINE__, #c); \
	} while (0)

/* --- the host --- */

void *dtv_host_rom(struct dtv_vm_core *v, gpa_t gpa, bool load)
{
	(void)v;
	(void)gpa;
	(void)load;
	return NULL;
}

void *dtv_host_ram(struct dtv_vm_core *v, gpa_t gpa)
{
	(void)v;
	return gpa - RAM_GPA < RAM_SIZE ? ram + (gpa - RAM_GPA) : NULL;
}

void *dtv_host_alloc(size_t bytes)
{
	return calloc(1, bytes);
}

void dtv_host_free(void *p, size_t bytes)
{
	(void)bytes;
	free(p);
}

void dtv_host_view_zap(struct dtv_cpu *cpu, unsigned int idx, gva_t gva,
		       u64 size)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(maps); i++)
		if (maps[i].used && maps[i].cpu == cpu->id &&
		    maps[i].view == idx &&
		    maps[i].gva - (gva & DTV_PAGE_MASK) < size + (gva & 0xfff))
			maps[i].used = false;
}

void dtv_host_view_reset(struct dtv_cpu *cpu, unsigned int idx)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(maps); i++)
		if (maps[i].cpu == cpu->id && maps[i].view == idx)
			maps[i].used = false;
}

u64 dtv_host_view_base(struct dtv_cpu *cpu, unsigned int idx)
{
	CHECK(idx < VIEWS);
	return 0x100000000000ULL + (cpu->id * VIEWS + idx) * DTV_VIEW_STRIDE +
	       DTV_VIEW_STRIDE / 2;
}

u64 dtv_host_time(struct dtv_vm_core *v)
{
	(void)v;
	return now;
}

void dtv_host_timer(struct dtv_cpu *cpu, u64 when)
{
	(void)cpu;
	(void)when;
}

void dtv_host_kick(struct dtv_cpu *cpu)
{
	(void)cpu;
}

bool dtv_host_relax(struct dtv_cpu *cpu, unsigned int tries)
{
	(void)cpu;
	(void)tries;
	return true;
}

void dtv_host_reset(struct dtv_vm_core *v, u32 type, u32 reason)
{
	(void)type;
	(void)reason;
	v->stopped = true;
}

size_t dtv_host_console_write(struct dtv_vm_core *v, const void *buf, size_t n)
{
	const u8 *b = buf;
	u8 sum = 0;

	(void)v;
	for (size_t i = 0; i < n; i++)
		sum ^= b[i];
	return sum == 0xa5 ? n / 2 : n;
}

size_t dtv_host_console_read(struct dtv_vm_core *v, void *buf, size_t n)
{
	(void)v;
	memset(buf, 'x', n);
	return n;
}

void dtv_host_ended(struct dtv_vm_core *v, u64 n)
{
	(void)n;
	v->stopped = true;
}

void dtv_host_kill(struct dtv_vm_core *v, const char *why)
{
	(void)why;
	v->stopped = true;
}

void dtv_host_trace(struct dtv_cpu *cpu, enum dtv_trace what, u64 a, u64 b)
{
	(void)cpu;
	(void)what;
	(void)a;
	(void)b;
}

/* --- input --- */

static u64 take(struct input *in, unsigned int bytes)
{
	u64 v = 0;

	for (unsigned int i = 0; i < bytes && in->p < in->end; i++)
		v |= (u64)*in->p++ << (8 * i);
	return v;
}

/* An address: in RAM, in a low page that page tables are made for, or anything. */
static u64 take_address(struct input *in)
{
	u64 kind = take(in, 1), v = take(in, 3);

	switch (kind & 7) {
	case 0:
	case 1:
	case 2:
		return RAM_GPA + v % RAM_SIZE;
	case 3:
		return v % (64 * DTV_PAGE_SIZE);
	case 4:
		return -(s64)(v % (64 * DTV_PAGE_SIZE));
	case 5:
		return DTV_PLIC_BASE + v % 0x600000;
	case 6:
		return (kind >> 3 & 1 ? -1ULL : 1ULL) << (kind >> 3) | v;
	}
	return take(in, 8);
}

/* A host address of translated code, mostly. */
static u64 take_ip(struct input *in)
{
	const struct dtv_block *bl = check_block(&vm->dbt, take(in, 2));
	u64 at = take(in, 2), ip;
	u32 len;

	if (!bl)
		return CACHE_EXEC + at;
	ip = check_block_ip(&vm->dbt, bl, &len);
	return at == 0xffff ? take(in, 8) : ip + at % len;
}

/* --- steps --- */

static void poke(struct input *in, gpa_t at)
{
	u64 n = take(in, 1);

	while (n-- && in->p < in->end)
		ram[(at++ - RAM_GPA) % RAM_SIZE] = *in->p++;
}

static void after(struct dtv_cpu *cpu, enum dtv_action act)
{
	CHECK(!cpu->busy && !vm->gate);
	CHECK(!vm->dbt.lock.v && !vm->mmu.lock.v && !vm->resv_lock.v &&
	      !vm->mmu.zapping);
	if (act == DTV_RUN) {
		u64 ip = cpu->area->hart.resume_ip;

		CHECK(ip - CACHE_EXEC < CACHE_SIZE);
	}
	if (act == DTV_MMIO)
		CHECK(cpu->mmio.len == 1 || cpu->mmio.len == 2 ||
		      cpu->mmio.len == 4 || cpu->mmio.len == 8);
}

static void map(struct dtv_cpu *cpu, const struct dtv_miss *m,
		unsigned int slot)
{
	struct mapping *mp = &maps[slot % ARRAY_SIZE(maps)];

	CHECK(m->page == dtv_host_ram(vm, m->gpa) && m->page);
	CHECK(m->gva % DTV_PAGE_SIZE == 0 && m->gpa % DTV_PAGE_SIZE == 0);
	CHECK((s64)(m->gva << 25) >> 25 == (s64)m->gva);
	for (unsigned int i = 0; i < ARRAY_SIZE(maps); i++)
		if (maps[i].used && maps[i].cpu == cpu->id &&
		    maps[i].view == m->view && maps[i].gva == m->gva)
			mp = &maps[i];
	*mp = (struct mapping){ true,	 m->prot & 2, cpu->id,
				m->view, m->gva,      m->gpa };
	if (mp->write && !dtv_view_filled(cpu, m->view, m->gva, m->gpa))
		mp->write = false;
}

static void set_state(struct input *in, struct dtv_cpu *cpu)
{
	struct dtv_hart *h = &cpu->area->hart;
	u64 what = take(in, 1);

	switch (what % 12) {
	case 0:
		h->priv = what >> 4;
		break;
	case 1:
		h->satp = 8ULL << 60 | take(in, 1) << 44 |
			  (RAM_GPA >> 12) + what / 12 % PAGES;
		break;
	case 2:
		h->mstatus = take(in, 4) | 2ULL << 32 | 2ULL << 34;
		break;
	case 3:
		h->medeleg = take(in, 2);
		break;
	case 4:
		h->mideleg = take(in, 2);
		break;
	case 5:
		h->stvec = take_address(in);
		break;
	case 6:
		h->mtvec = take_address(in);
		break;
	case 7:
		h->sepc = take_address(in);
		break;
	case 8:
		h->mie = take(in, 2);
		break;
	case 9:
		h->fcsr = take(in, 1);
		break;
	case 10:
		h->x[1 + what / 12 % 31] = take_address(in);
		break;
	case 11:
		h->menvcfg = take(in, 1) << 60;
		h->stimecmp = take(in, 4);
		break;
	}
}

static void step(struct input *in)
{
	unsigned int op = take(in, 1);
	struct dtv_cpu *cpu = cpus[op >> 7];
	struct dtv_hart *h = &cpu->area->hart;
	struct dtv_miss m;
	gpa_t at;
	u64 v;

	cpu->in_guest = 0;
	switch (op % 128 % NR_STEPS) {
	case POKE:
		at = RAM_GPA + take(in, 3) % RAM_SIZE;
		poke(in, at);
		dtv_vm_memory_written(vm, at, 256);
		break;
	case CODE:
		at = RAM_GPA + (take(in, 3) & ~1ULL) % RAM_SIZE;
		poke(in, at);
		dtv_vm_memory_written(vm, at, 256);
		h->pc = at;
		after(cpu, dtv_cpu_continue(cpu));
		break;
	case REG:
		v = take(in, 2) % (sizeof(*h) / 8);
		((u64 *)h)[v] = take(in, 8);
		break;
	case CSR:
		set_state(in, cpu);
		break;
	case PTE:
		at = RAM_GPA + take(in, 1) % PAGES * DTV_PAGE_SIZE +
		     take(in, 2) % 512 * 8;
		v = (RAM_GPA >> 12) + take(in, 1) % PAGES;
		v = v << 10 | take(in, 1);
		*(u64 *)(ram + (at - RAM_GPA)) = v ^ (u64)take(in, 1) << 54;
		dtv_vm_memory_written(vm, at, 8);
		break;
	case GO:
		h->pc = take_address(in);
		after(cpu, dtv_cpu_continue(cpu));
		break;
	case EXIT:
		h->exit_reason = take(in, 1);
		h->exit_ip = take_ip(in) + 1;
		cpu->in_guest = 1;
		after(cpu, dtv_cpu_exit(cpu));
		break;
	case CHAIN: {
		const struct dtv_block *bl = check_block(&vm->dbt, take(in, 2));

		if (!bl)
			break;
		h->exit_reason = DTV_EXIT_CHAIN;
		h->exit_ip = check_exit_ip(&vm->dbt, bl, take(in, 1));
		cpu->in_guest = 1;
		after(cpu, dtv_cpu_exit(cpu));
		break;
	}
	case MISS: {
		struct dtv_regime r;
		unsigned int idx;

		dtv_guest_regime(h, DTV_ACCESS_READ, &r);
		idx = dtv_view_get(cpu, &r);
		v = take(in, 1);
		cpu->in_guest = 1;
		dtv_cpu_miss(cpu, v & 2 ? (v >> 2) % VIEWS : idx,
			     take_address(in), v & 1, take_ip(in), &m);
		if (m.kind == DTV_MISS_MAP)
			map(cpu, &m, v ^ m.gva >> 12);
		else if (m.kind == DTV_MISS_REDIRECT)
			CHECK(m.ip - CACHE_EXEC < CACHE_SIZE);
		break;
	}
	case KICK:
		cpu->in_guest = 1;
		v = take_ip(in);
		v = dtv_cpu_kicked(cpu, v, take_address(in));
		break;
	case INSN: {
		struct dtv_env env = { .isa = vm->isa,
				       .time = now,
				       .lines = cpu->lines,
				       .sbi = vm->sbi };
		struct dtv_insn insn;
		u64 fx;

		dtv_decode(take(in, 4), vm->isa, &insn);
		v = take(in, 1);
		fx = v & 1 ? dtv_guest_fp(h, &insn) :
			     dtv_guest_system(h, &env, &insn);
		if (fx & DTV_FX_SBI)
			dtv_sbi_call(cpu, h, &env);
		break;
	}
	case LINE:
		v = take(in, 1);
		now += take(in, 2);
		if (v & 1)
			dtv_cpu_set_line(cpu, v >> 4, v & 2);
		else
			dtv_cpu_request(cpu, v >> 1 & 0x3f);
		dtv_cpu_timer_fired(cpu);
		if (v & 8)
			after(cpu, dtv_cpu_continue(cpu));
		break;
	case ANSWER:
		cpu->mmio.data = take(in, 8);
		cpu->mmio.failed = take(in, 1) & 1;
		after(cpu, dtv_cpu_mmio_done(cpu));
		break;
	case EVICT:
		dtv_dbt_evict(&vm->dbt);
		for (unsigned int i = 0; i < HARTS; i++)
			dtv_dbt_area_evicted(&vm->dbt, cpus[i]->area,
					     cpus[i]->area_exec);
		break;
	case LOOK:
		check_cache(&vm->dbt);
		break;
	}
	vm->stopped = false;
	cpu->in_guest = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(maps); i++)
		if (maps[i].used && maps[i].write)
			CHECK(!dtv_view_guarded(cpus[maps[i].cpu],
						maps[i].gpa));
}

/* --- lifetimes --- */

static void make(void)
{
	struct dtv_dbt_config cfg = { .exec = CACHE_EXEC, .size = CACHE_SIZE };

	ram = calloc(1, RAM_SIZE);
	/* Its end is the end of an allocation: what is written behind it is found. */
	cache = aligned_alloc(4096, CACHE_SIZE);
	cfg.rw = cache;
	vm = calloc(1, sizeof(*vm));
	CHECK(ram && cache && vm && !dtv_vm_core_init(vm, &cfg));
	for (unsigned int i = 0; i < HARTS; i++) {
		struct dtv_area *area = aligned_alloc(
			DTV_AREA_ALIGN,
			(DTV_AREA_SIZE | (DTV_AREA_ALIGN - 1)) + 1);

		CHECK(area);
		memset(area, 0, DTV_AREA_SIZE);
		cpus[i] = calloc(1, sizeof(*cpus[i]));
		cpus[i]->id = i;
		cpus[i]->views.nr = VIEWS;
		CHECK(!dtv_cpu_init(cpus[i], vm, i, area,
				    0x600000000000ULL + i * 0x100000));
	}
}

static void reset(struct input *in)
{
	u64 options = take(in, 2);

	vm->isa = options & 1 ? dtv_isa_all() :
				dtv_isa_all() & ~(options >> 2 << 4);
	vm->dbt.isa = vm->isa;
	vm->sbi = options & 2;
	vm->stopped = false;
	now = 0;
	memset(ram, 0, RAM_SIZE);
	memset(vm->dbt.mmio_sites, 0, sizeof(vm->dbt.mmio_sites));
	/* Without parts all of the cache is emptied. */
	vm->dbt.cfg.no_opt = BIT_ULL(DTV_OPT_PARTS);
	vm->dbt.parts[vm->dbt.part].used =
		vm->dbt.parts[vm->dbt.part].start + vm->dbt.part_size;
	dtv_dbt_evict(&vm->dbt);
	vm->dbt.cfg.no_opt = 0;
	for (unsigned int i = 0; i < HARTS; i++) {
		struct dtv_cpu *cpu = cpus[i];

		cpu->requests = 0;
		cpu->lines = 0;
		cpu->in_guest = 0;
		cpu->mmio = (struct dtv_mmio){ .len = 4 };
		memset(&cpu->mmio_insn, 0, sizeof(cpu->mmio_insn));
		dtv_views_flush(cpu);
		cpu->views.split = false;
		dtv_dbt_area_init(&vm->dbt, cpu->area, cpu->area_exec);
		dtv_cpu_reset(cpu, RAM_GPA, 0, true);
	}
	memset(maps, 0, sizeof(maps));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, data + size };

	if (!vm)
		make();
	reset(&in);
	for (unsigned int n = 0; n < STEPS_MAX && in.p < in.end; n++)
		step(&in);
	check_cache(&vm->dbt);
	return 0;
}
