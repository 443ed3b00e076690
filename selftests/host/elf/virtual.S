/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtual.S - the assembly of virtual.c: a program of the form of riscv-tests' v environment. From
 * M-mode to a kernel at high addresses in S-mode, whose user program has its pages on demand and
 * ends by ecall with the value for tohost in a0.
 */
#include "virtual.h"

	.section .text.init, "ax"
	.globl	_start
_start:	csrr	t0, mhartid
1:	bnez	t0, 1b
	lla	sp, stack_top
	lla	t0, unexpected
	csrw	mtvec, t0
	li	t0, -1
	csrw	pmpaddr0, t0
	li	t0, 0x1f
	csrw	pmpcfg0, t0
	call	boot			/* returns satp */
	csrw	satp, a0
	li	t0, 0xb1ff & ~(1 << 9)	/* all but calls from S-mode */
	csrw	medeleg, t0
	li	t0, 3 << 11
	csrc	mstatus, t0
	li	t0, 1 << 11
	csrs	mstatus, t0
	lla	t0, kernel
	li	t1, HIGH - RAM
	add	t0, t0, t1
	csrw	mepc, t0
	mret
	.balign	4
unexpected:
	li	a0, 1337 << 1 | 1
	lla	t0, tohost
	sd	a0, (t0)
1:	j	1b

	.text
kernel:	lla	sp, stack_top
	csrw	sscratch, sp
	lla	t0, trap_entry
	csrw	stvec, t0
	li	t0, 1 << 8
	csrc	sstatus, t0
	li	t0, USER
	csrw	sepc, t0
	sret

	.balign	4
trap_entry:
	csrrw	sp, sscratch, sp
	addi	sp, sp, -256
	.irp	n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	sd	x\n, 8 * \n(sp)
	.endr
	csrr	a0, scause
	csrr	a1, stval
	ld	a2, 80(sp)		/* the program's a0 */
	call	trap
	.irp	n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ld	x\n, 8 * \n(sp)
	.endr
	addi	sp, sp, 256
	csrrw	sp, sscratch, sp
	sret

/* --- the user program: two pages of code, then pages of data --- */

	.section .data.user, "aw"
	.balign	4096
	.globl	user_image
user_image:
	.macro	expect a, b, code
	beq	\a, \b, 9f
	li	a0, \code << 1 | 1
	ecall
9:
	.endm
	li	s0, USER + 2 * 4096	/* data */
	li	s1, 0			/* round */
round:	li	s2, 0			/* page */
page:	slli	t0, s2, 12
	add	t0, t0, s0
	slli	t1, s2, 3
	add	t0, t0, t1
	addi	t1, s2, 1
	mul	t2, t1, s1
	ld	t3, (t0)
	expect	t3, t2, 1
	add	t3, t3, t1
	sd	t3, (t0)
	call	second			/* the other page of code */
	expect	a0, s2, 2
	addi	s2, s2, 1
	li	t0, DATA_PAGES
	bltu	s2, t0, page
	/* Over the edge between two pages, neither of which may be there. */
	lui	t0, 5
	add	t0, t0, s0
	li	t1, 0x1122334455667788
	add	t1, t1, s1
	sd	t1, -4(t0)
	lui	t2, 11
	add	t2, t2, s0
	amoadd.d zero, s1, (t2)
	ld	t3, -4(t0)
	expect	t3, t1, 3
	sd	zero, -4(t0)
	sub	t3, zero, s1
	amoadd.d zero, t3, (t2)
	addi	s1, s1, 1
	li	t0, 20
	bltu	s1, t0, round
	li	a0, 1
	ecall
1:	j	1b
	.balign	4096
second:	mv	a0, s2
	ret
	.balign	4096
	.zero	4096 * DATA_PAGES

	.section .data
	.balign	64
	.globl	tohost, fromhost
	.size	tohost, 8
	.size	fromhost, 8
tohost:	.dword	0
	.balign	64
fromhost: .dword 0
	.balign	4096
	.zero	8192
stack_top:
