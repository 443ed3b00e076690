// SPDX-License-Identifier: GPL-2.0-only
/*
 * clint.c - msip, mtimecmp and mtime (RISC-V ACLINT 1.0-rc4 chapters 2 and 3;
 * privileged manual 3.2.1).
 *
 * No lock: a comparator is one word, which any hart may write; the hart that it
 * belongs to is asked to program its timer. Two harts that write halves of one
 * register at the same time race as they would on hardware.
 */
#include "../hart.h"
#include "clint.h"

#define MSIP_BASE 0x0
#define MSIP_STRIDE 4
#define MTIMECMP_BASE 0x4000
#define MTIMECMP_STRIDE 8
#define MTIME 0xbff8

static struct dtv_cpu *hart_at(struct dtv_vm_core *vm, u64 index)
{
	/* Pairs with dtv_cpu_init(). */
	return index < DTV_MAX_HARTS ? smp_load_acquire(&vm->cpus[index]) : NULL;
}

/* Bytes @offset & 7 and so on of a register of eight. */
static u64 part(u64 value, u64 offset, unsigned int len)
{
	return len == 8 ? value : (u32)(value >> (offset & 4) * 8);
}

static u64 merge(u64 old, u64 offset, unsigned int len, u64 data)
{
	unsigned int shift = DTV_MUTANT(clint_half, 0, offset & 4) * 8;

	if (len == 8)
		return data;
	return (old & ~(0xffffffffULL << shift)) | (u64)(u32)data << shift;
}

/**
 * dtv_clint_read() - guest read of a register
 * @vm: VM
 * @offset: from the CLINT's base, anything
 * @len: bytes
 *
 * Return: value; 0 for what is no register.
 * Context: any hart's, no lock of dtv held.
 */
u64 dtv_clint_read(struct dtv_vm_core *vm, u64 offset, unsigned int len)
{
	struct dtv_cpu *cpu;

	if ((len != 4 && len != 8) || (offset & (len - 1)))
		return 0;
	if (offset < MTIMECMP_BASE) {
		cpu = hart_at(vm, (offset - MSIP_BASE) / MSIP_STRIDE);
		return len == 4 && cpu ? READ_ONCE(cpu->lines) >> DTV_IRQ_MSI & 1 : 0;
	}
	if ((offset & ~4ULL) == MTIME)
		return part(dtv_vm_time(vm), offset, len);
	cpu = hart_at(vm, (offset - MTIMECMP_BASE) / MTIMECMP_STRIDE);
	return cpu ? part(READ_ONCE(cpu->mtimecmp), offset, len) : 0;
}

/**
 * dtv_clint_write() - guest write of a register
 * @vm: VM
 * @offset: from the CLINT's base, anything
 * @len: bytes
 * @data: value; of msip only bit 0 exists
 *
 * Context: any hart's, no lock of dtv held.
 */
void dtv_clint_write(struct dtv_vm_core *vm, u64 offset, unsigned int len, u64 data)
{
	struct dtv_cpu *cpu;
	unsigned int i;

	if ((len != 4 && len != 8) || (offset & (len - 1)))
		return;
	if (offset < MTIMECMP_BASE) {
		cpu = hart_at(vm, (offset - MSIP_BASE) / MSIP_STRIDE);
		if (len == 4 && cpu && DTV_MUTANT(clint_msip, false, true))
			dtv_cpu_set_line(cpu, DTV_IRQ_MSI, data & 1);
		return;
	}
	if ((offset & ~4ULL) == MTIME) {
		data = merge(dtv_vm_time(vm), offset, len, data);
		WRITE_ONCE(vm->time_offset,
			   DTV_MUTANT(clint_time, 0, data - dtv_host_time(vm)));
		for (i = 0; i < DTV_MAX_HARTS; i++) {
			cpu = hart_at(vm, i);
			if (cpu)
				dtv_cpu_request(cpu, DTV_REQ_TIMER);
		}
		return;
	}
	cpu = hart_at(vm, (offset - MTIMECMP_BASE) / MTIMECMP_STRIDE);
	if (!cpu)
		return;
	if (DTV_MUTANT(clint_timecmp, true, false))
		return;
	WRITE_ONCE(cpu->mtimecmp, merge(READ_ONCE(cpu->mtimecmp), offset, len, data));
	dtv_cpu_request(cpu, DTV_REQ_TIMER);
}
