/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start.S - a RISC-V Linux Image header (Documentation/arch/riscv/boot-image-header.rst
 * of Linux), entry of the first hart and of the others, the trap entry.
 */
	.section .head, "ax"
	.globl	_start
_start:
	j	first
	.word	0
	.dword	0x200000	/* text_offset */
	.dword	0x100000	/* image_size */
	.dword	0		/* flags: little endian */
	.word	2		/* version */
	.word	0
	.dword	0
	.dword	0x5643534952	/* RISCV */
	.word	0x05435352	/* RSC\x05 */
	.word	0

	.text
first:
	mv	s0, a0
	lla	t0, trap
	csrw	stvec, t0
	lla	sp, stacks
	addi	t1, s0, 1
	slli	t1, t1, 14
	add	sp, sp, t1
	mv	tp, s0
	mv	a0, s0
	mv	a1, a1
	call	first_main
1:	wfi
	j	1b

/* HSM start: a0 = hart id. */
	.globl	second
second:
	lla	t0, trap
	csrw	stvec, t0
	lla	sp, stacks
	addi	t1, a0, 1
	slli	t1, t1, 14
	add	sp, sp, t1
	mv	tp, a0
	call	second_main
1:	wfi
	j	1b

	.balign	4
trap:
	addi	sp, sp, -256
	sd	ra, 0(sp)
	sd	t0, 8(sp)
	sd	t1, 16(sp)
	sd	t2, 24(sp)
	sd	t3, 32(sp)
	sd	t4, 40(sp)
	sd	t5, 48(sp)
	sd	t6, 56(sp)
	sd	a0, 64(sp)
	sd	a1, 72(sp)
	sd	a2, 80(sp)
	sd	a3, 88(sp)
	sd	a4, 96(sp)
	sd	a5, 104(sp)
	sd	a6, 112(sp)
	sd	a7, 120(sp)
	csrr	a0, scause
	csrr	a1, sepc
	csrr	a2, stval
	call	on_trap
	ld	ra, 0(sp)
	ld	t0, 8(sp)
	ld	t1, 16(sp)
	ld	t2, 24(sp)
	ld	t3, 32(sp)
	ld	t4, 40(sp)
	ld	t5, 48(sp)
	ld	t6, 56(sp)
	ld	a0, 64(sp)
	ld	a1, 72(sp)
	ld	a2, 80(sp)
	ld	a3, 88(sp)
	ld	a4, 96(sp)
	ld	a5, 104(sp)
	ld	a6, 112(sp)
	ld	a7, 120(sp)
	addi	sp, sp, 256
	sret

	.bss
	.balign	16
stacks:
	.space	32 << 14
