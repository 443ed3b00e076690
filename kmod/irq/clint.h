/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clint.h - machine-level software interrupts and timers: the registers of
 * SiFive's CLINT, which are those of ACLINT's MSWI and MTIMER at offsets 0 and
 * 0x4000, as QEMU's virt machine has them.
 */
#ifndef DTV_IRQ_CLINT_H
#define DTV_IRQ_CLINT_H

#include "../port.h"

#define DTV_CLINT_SIZE 0x10000

struct dtv_vm_core;

/*
 * msip registers answer to 4 bytes, mtimecmp and mtime to 4 and 8, aligned; what is no
 * register reads 0 and ignores writes. Any hart's context, no lock of dtv held.
 */
u64 dtv_clint_read(struct dtv_vm_core *vm, u64 offset, unsigned int len);
void dtv_clint_write(struct dtv_vm_core *vm, u64 offset, unsigned int len, u64 data);

#endif /* DTV_IRQ_CLINT_H */
