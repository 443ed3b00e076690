// SPDX-License-Identifier: GPL-2.0-or-later
/* machine.c - the tests' host: 1 MiB of RAM, 4 harts, a console that records. */
#include "unit.h"

struct dtv_vm_core machine;

void machine_reset(void)
{
	unsigned int i;

	memset(&machine, 0, sizeof(machine));
	for (i = 0; i < NR_HARTS; i++) {
		machine.cpus[i].id = i;
		machine.hsm[i] = i ? 1 : 0;
	}
	machine.out_max = sizeof(machine.out);
	machine.in = "";
}

u64 *ram64(gpa_t gpa)
{
	return (u64 *)(machine.ram + (gpa - RAM_BASE));
}

void *dtv_host_rom(struct dtv_vm_core *vm, gpa_t gpa, bool load)
{
	(void)vm;
	(void)gpa;
	(void)load;
	return NULL;
}

void *dtv_host_ram(struct dtv_vm_core *vm, gpa_t gpa)
{
	if (vm->on_ram)
		vm->on_ram(vm, gpa);
	return gpa - RAM_BASE < RAM_SIZE ? vm->ram + (gpa - RAM_BASE) : NULL;
}

void dtv_guest_pte_written(void *vm, gpa_t gpa)
{
	(void)vm;
	machine.pte_written = gpa;
}

void dtv_host_reset(struct dtv_vm_core *vm, u32 type, u32 reason)
{
	vm->reset = true;
	vm->reset_type = type;
	vm->reset_reason = reason;
}

size_t dtv_host_console_write(struct dtv_vm_core *vm, const void *buf, size_t n)
{
	n = min(n, vm->out_max - vm->out_len);
	memcpy(vm->out + vm->out_len, buf, n);
	vm->out_len += n;
	return n;
}

size_t dtv_host_console_read(struct dtv_vm_core *vm, void *buf, size_t n)
{
	n = min(n, strlen(vm->in));
	memcpy(buf, vm->in, n);
	vm->in += n;
	return n;
}

struct dtv_vm_core *dtv_sbi_vm(struct dtv_cpu *cpu)
{
	(void)cpu;
	return &machine;
}

bool dtv_sbi_hart_exists(struct dtv_cpu *cpu, u64 id)
{
	(void)cpu;
	return id < NR_HARTS;
}

u32 dtv_sbi_hart_state(struct dtv_cpu *cpu, u64 id)
{
	(void)cpu;
	return machine.hsm[id];
}

int dtv_sbi_hart_start(struct dtv_cpu *cpu, u64 id, gpa_t pc, u64 arg)
{
	(void)cpu;
	if (machine.hsm[id] != 1)
		return -1;
	machine.hsm[id] = 2;
	machine.start_pc = pc;
	machine.start_arg = arg;
	return 0;
}

void dtv_sbi_hart_stop(struct dtv_cpu *cpu)
{
	machine.hsm[cpu->id] = 1;
}

void dtv_sbi_hart_suspend(struct dtv_cpu *cpu)
{
	machine.hsm[cpu->id] = 4;
}

void dtv_sbi_ipi(struct dtv_cpu *cpu, u64 id)
{
	(void)cpu;
	machine.ipis |= BIT_ULL(id);
}

void dtv_sbi_fence(struct dtv_cpu *cpu, u64 mask, bool fence_i, const struct dtv_fence *f)
{
	(void)cpu;
	machine.fence_mask = mask;
	machine.fence_i = fence_i;
	machine.fence = *f;
}

void dtv_sbi_ram_written(struct dtv_cpu *cpu, gpa_t gpa, u64 n)
{
	(void)cpu;
	machine.written_gpa = gpa;
	machine.written_len = n;
}

void rig_init(struct rig *r, bool sbi)
{
	memset(r, 0, sizeof(*r));
	dtv_guest_reset(&r->h, 2, dtv_isa_all(), sbi);
	r->h.pc = RAM_BASE;
	r->env.isa = dtv_isa_all();
	r->env.time = 1000;
	r->env.cycles = 5000;
	r->env.instret = 300;
	r->env.sbi = sbi;
}

u64 rig_exec(struct rig *r, u32 raw)
{
	struct dtv_insn insn;

	dtv_decode(raw, r->env.isa, &insn);
	return dtv_guest_system(&r->h, &r->env, &insn);
}

u32 enc_csr(unsigned int funct3, u32 csr, unsigned int rd, unsigned int rs1)
{
	return 0x73 | rd << 7 | funct3 << 12 | rs1 << 15 | csr << 20;
}
