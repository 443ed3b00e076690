/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * programs.S - tiny bare-metal programs for uhost --elf; -DPROGRAM=n picks one.
 */
	.section .text.init, "ax"
	.globl	_start
_start:
#if PROGRAM == 1		/* success by HTIF */
	li	a0, 1
	la	t0, tohost
	sd	a0, (t0)
1:	j	1b

#elif PROGRAM == 2		/* failure 7 by HTIF, and a signature */
	la	t0, begin_signature
	li	t1, 0x1122334455667788
	sd	t1, (t0)
	li	t1, 0xcafe
	sw	t1, 8(t0)
	li	a0, 7 << 1 | 1
	la	t0, tohost
	sd	a0, (t0)
1:	j	1b

#elif PROGRAM == 3		/* write by HTIF system call, putchar, poweroff by finisher */
	la	s0, tohost
	la	s1, fromhost
	la	a0, call
	fence
	sd	a0, (s0)
1:	ld	a1, (s1)
	beqz	a1, 1b
	sd	zero, (s1)
	la	s2, text
2:	lbu	a0, (s2)
	beqz	a0, 3f
	li	a1, 0x0101
	slli	a1, a1, 48
	or	a0, a0, a1
	sd	a0, (s0)
4:	ld	a1, (s0)
	bnez	a1, 4b
	addi	s2, s2, 1
	j	2b
3:	li	t0, 0x100000
	li	t1, 0x5555
	sw	t1, (t0)
1:	j	1b
text:	.asciz	"by putchar\n"
	.balign	64
call:	.dword	64, 1, message, 12
	.zero	32
message: .ascii	"by syscall!\n"

#elif PROGRAM == 4		/* UART output, failure 9 by finisher */
	li	s0, 0x10000000
	la	s1, text
1:	lbu	a0, (s1)
	beqz	a0, 2f
3:	lbu	a1, 5(s0)
	andi	a1, a1, 0x20
	beqz	a1, 3b
	sb	a0, (s0)
	addi	s1, s1, 1
	j	1b
2:	li	t0, 0x100000
	li	t1, 0x93333
	sw	t1, (t0)
1:	j	1b
text:	.asciz	"by uart\n"

#elif PROGRAM == 5		/* nothing but a loop */
1:	j	1b

#elif PROGRAM == 6		/* all harts add to a counter; hart 0 waits for 4 x 100000 */
	la	s0, begin_signature
	li	s1, 100000
	li	t0, 1
1:	amoadd.w zero, t0, (s0)
2:	addi	s2, s0, 4
	lr.w	t1, (s2)
	addi	t1, t1, 1
	sc.w	t2, t1, (s2)
	bnez	t2, 2b
	addi	s1, s1, -1
	bnez	s1, 1b
	csrr	a0, mhartid
	bnez	a0, 4f
	li	s3, 400000
3:	lw	t1, (s0)
	bne	t1, s3, 3b
3:	lw	t1, 4(s0)
	bne	t1, s3, 3b
	li	a0, 1
	la	t0, tohost
	sd	a0, (t0)
4:	wfi
	j	4b

#elif PROGRAM == 7		/* echo of the console by polling until q */
	li	s0, 0x10000000
	li	t0, 1
	sb	t0, 2(s0)
1:	lbu	a1, 5(s0)
	andi	a1, a1, 1
	beqz	a1, 1b
	lbu	a0, (s0)
	sb	a0, (s0)
	li	a1, 'q'
	bne	a0, a1, 1b
	li	t0, 0x100000
	li	t1, 0x5555
	sw	t1, (t0)
1:	j	1b

#elif PROGRAM == 8		/* a store to its own code, and the machine timer is not needed for it */
	li	s1, 1000
	li	s2, 0
	la	s0, patch
	lw	s3, (s0)
	la	s4, other
	lw	s4, (s4)
1:	call	patch
	sw	s4, (s0)
	fence.i
	call	patch
	sw	s3, (s0)
	fence.i
	addi	s1, s1, -1
	bnez	s1, 1b
	li	a0, 1
	li	t0, 3000
	beq	s2, t0, 2f
	li	a0, 5 << 1 | 1
2:	la	t0, tohost
	sd	a0, (t0)
3:	j	3b
	.balign	4
	.option	norvc
patch:	addi	s2, s2, 1
	ret
other:	addi	s2, s2, 2

#elif PROGRAM == 9		/* a system call's block where no memory is */
	li	a0, 0x1000
	la	t0, tohost
	sd	a0, (t0)
1:	j	1b

#elif PROGRAM == 10		/* CLINT on one hart; a digit for each interrupt's number */
	.macro	await seen
1:	csrci	mstatus, 8
	li	t0, \seen
	beq	s5, t0, 2f
	wfi
	csrsi	mstatus, 8
	j	1b
2:	csrsi	mstatus, 8
	.endm
	.macro	same a, b, code
	beq	\a, \b, 1f
	li	a0, \code << 1 | 1
	j	out
1:
	.endm
	li	s1, 0x2004000		/* mtimecmp */
	li	s2, 0x200bff8		/* mtime */
	li	s3, 0x2000000		/* msip */
	li	s4, -1
	li	s5, 0
	li	s6, 10000		/* a millisecond */
	la	t0, handler
	csrw	mtvec, t0
	li	t0, 0x80
	csrw	mie, t0
	csrsi	mstatus, 8
	ld	t1, (s2)
	add	s7, t1, s6
	sd	s7, (s1)
	await	0x7
	ld	t1, (s2)
	sltu	t1, t1, s7
	same	t1, zero, 2		/* not before its time */
	li	t0, 8
	csrw	mie, t0
	li	t0, 3			/* of which one bit exists */
	sw	t0, (s3)
	await	0x73
	lw	t1, (s3)
	same	t1, zero, 3
	/* Registers: halves, harts that are not there, what is no register. */
	csrw	mie, zero
	li	t1, 0x12345678
	sw	t1, 4(s1)
	sw	zero, (s1)
	ld	t1, (s1)
	li	t2, 0x1234567800000000
	same	t1, t2, 4
	lw	t1, 4(s1)
	li	t2, 0x12345678
	same	t1, t2, 5
	sw	t2, 4(s3)
	lw	t1, 4(s3)
	same	t1, zero, 6
	ld	t1, 8(s1)
	same	t1, zero, 7
	lbu	t1, (s2)
	same	t1, zero, 8
	lw	t1, 0x7fc(s3)
	same	t1, zero, 9
	sd	s4, (s1)
	/* mtime can be set, and time is the same. */
	li	s7, 0x123456789abc
	sd	s7, (s2)
	rdtime	t1
	sub	t1, t1, s7
	srli	t1, t1, 30
	same	t1, zero, 10
	/* Both comparators: each comes, the earlier first. */
	slli	t0, s4, 63
	csrs	0x30a, t0		/* menvcfg.STCE */
	li	t0, 0xa0
	csrw	mie, t0
	ld	t1, (s2)
	add	t1, t1, s6
	sd	t1, (s1)
	add	t1, t1, s6
	csrw	0x14d, t1
	await	0x7375
	ld	t1, (s2)
	add	t1, t1, s6
	csrw	0x14d, t1
	add	t1, t1, s6
	sd	t1, (s1)
1:	csrci	mstatus, 8		/* on a busy host both have come, and M goes first */
	li	t0, 0x737557
	beq	s5, t0, 2f
	li	t0, 0x737575
	beq	s5, t0, 2f
	wfi
	csrsi	mstatus, 8
	j	1b
2:	csrsi	mstatus, 8
	li	s5, 0x737557
	/* One that has come and is masked does not hold up the other. */
	li	t0, 0x20
	csrw	mie, t0
	sd	zero, (s1)
	ld	t1, (s2)
	add	t1, t1, s6
	csrw	0x14d, t1
	await	0x7375575
	li	t0, 0x80
	csrw	mie, t0
	await	0x73755757
	li	a0, 1
out:	la	t0, tohost
	sd	a0, (t0)
1:	j	1b
	.balign	4
handler:
	csrr	t3, mcause
	andi	t3, t3, 15
	slli	s5, s5, 4
	or	s5, s5, t3
	li	t4, 3
	bne	t3, t4, 1f
	sw	zero, (s3)
1:	li	t4, 7
	bne	t3, t4, 1f
	sd	s4, (s1)
1:	li	t4, 5
	bne	t3, t4, 1f
	csrw	0x14d, s4
1:	mret

#elif PROGRAM == 11		/* CLINT on two harts: hart 0 sends, hart 1 sleeps and answers */
	li	s1, 0x2004008		/* mtimecmp of hart 1 */
	li	s2, 0x200bff8
	li	s3, 0x2000000		/* msip of hart 0, then 1 */
	csrr	a0, mhartid
	li	s4, 200
	bnez	a0, 3f
	/* Hart 0: an interrupt, its answer, the timer of the other, its answer. */
1:	li	t0, 1
	sw	t0, 4(s3)
2:	lw	t0, (s3)
	beqz	t0, 2b
	sw	zero, (s3)
	ld	t0, (s2)
	addi	t0, t0, 100
	sd	t0, (s1)
2:	lw	t0, (s3)
	beqz	t0, 2b
	sw	zero, (s3)
	addi	s4, s4, -1
	bnez	s4, 1b
	li	a0, 1
	la	t0, tohost
	sd	a0, (t0)
1:	j	1b
	/* Hart 1: mie says what it waits for, mstatus.MIE is 0, so that nothing is taken. */
3:	li	t0, 8
	csrw	mie, t0
4:	wfi
	csrr	t0, mip
	andi	t0, t0, 8
	beqz	t0, 4b
	sw	zero, 4(s3)
	li	t0, 0x80
	csrw	mie, t0
	li	t1, 1
	sw	t1, (s3)
4:	wfi
	csrr	t0, mip
	andi	t0, t0, 0x80
	beqz	t0, 4b
	li	t0, -1
	sd	t0, (s1)
	li	t1, 1
	sw	t1, (s3)
	j	3b

#elif PROGRAM == 12		/* a loop of 1,234,567 rounds, entered as a block of its own */
	li	s0, 1234567
	li	a0, 0
	la	t0, loop
	jr	t0
loop:	add	a0, a0, s0
	xori	a0, a0, 5
	addi	s0, s0, -1
	bnez	s0, loop
	li	a0, 1
	la	t0, tohost
	sd	a0, (t0)
1:	wfi
	j	1b

#elif PROGRAM == 13		/* a loop whose round 500 makes an instruction behind its store the way out */
	la	a3, patched
	la	a4, way_out
	lw	a4, (a4)
	la	a1, begin_signature
	sub	a3, a3, a1
	li	a5, 1000
	li	a0, 0
	la	s0, out
	la	t0, loop
	jr	t0
loop:	addi	a5, a5, -1
	addi	a2, a5, -500
	seqz	a2, a2
	neg	a2, a2
	and	a2, a2, a3
	add	a2, a2, a1
	sw	a4, (a2)
	.option	push
	.option	norvc
patched: addi	a0, a0, 1
	bnez	a5, loop
	li	a0, 1000
out:	addi	a0, a0, -499
	slli	a0, a0, 1
	ori	a0, a0, 1
	la	t0, tohost
	sd	a0, (t0)
1:	j	1b
	.balign	4
way_out: jr	s0
	.option	pop

#elif PROGRAM == 14		/* 300 interrupts of a loop that has hardly a boundary where one may come */
	la	t0, handler
	csrw	mtvec, t0
	li	s3, 300
	li	s4, 0x200bff8		/* mtime */
	li	s5, 0x2004000		/* mtimecmp */
	li	s8, 0x123456789abcdef
	li	s9, 0x1234567
	li	s10, 77
	li	t0, 0x80
	csrw	mie, t0
	csrsi	mstatus, 8
	ld	t0, (s4)
	addi	t0, t0, 1000
	sd	t0, (s5)
	.balign	4
loop:	.rept	10
	div	t3, s8, s9
	div	t4, s8, s10
	div	t5, t3, s10
	xor	t3, t4, t5
	xor	s11, s11, t3
	.endr
	beqz	zero, loop
	.balign	4
handler: addi	s3, s3, -1
	beqz	s3, 1f
	ld	t0, (s4)
	addi	t0, t0, 1000
	sd	t0, (s5)
	mret
1:	li	a0, 1
	la	t0, tohost
	sd	a0, (t0)
1:	j	1b

#elif PROGRAM == 15		/* without an end: the signature says how many instructions there were */
	li	a0, 1
	la	t0, begin_signature	/* two instructions */
	jal	loop
loop:	sw	a0, 0(t0)
	sw	a0, 4(t0)
	sw	a0, 8(t0)
	addi	a0, a0, 1
	j	loop

#elif PROGRAM == 16		/* U-mode, upper half: an SC right behind its LR, which C executes, does not fail */
	la	t0, out
	csrw	mtvec, t0
	li	t0, -1
	csrw	pmpaddr0, t0
	li	t0, 0x1f
	csrw	pmpcfg0, t0
	la	t0, root
	srli	t0, t0, 12
	li	t1, 8
	slli	t1, t1, 60
	or	t0, t0, t1
	csrw	satp, t0
	sfence.vma
	la	t0, user
	li	t1, 0xffffffbf80000000	/* where RAM is, at gva -2^38 */
	add	t0, t0, t1
	csrw	mepc, t0
	la	s2, begin_signature
	add	s2, s2, t1
	li	s3, 100000
	li	a0, 0
	csrw	mstatus, zero
	mret
	.balign	64
user:	xori	s2, s2, 0		/* what is known of it is forgotten */
	lr.d	t0, (s2)
	addi	t0, t0, 1
	sc.d	t1, t0, (s2)
	add	a0, a0, t1
	addi	s3, s3, -1
	bnez	s3, user
	ecall
	.balign	4
out:	snez	a0, a0
	slli	a0, a0, 1
	ori	a0, a0, 1
	la	t0, tohost
	sd	a0, (t0)
1:	j	1b
	.balign	4096
root:	.zero	256 * 8
	.dword	0x80000000 >> 12 << 10 | 0xdf
	.zero	255 * 8

#elif PROGRAM == 17		/* no interrupt finds the flags of what it comes before */
	la	t0, handler
	csrw	mtvec, t0
	li	t0, 0x2000
	csrs	mstatus, t0
	li	s3, 3000
	li	s4, 0x200bff8		/* mtime */
	li	s5, 0x2004000		/* mtimecmp */
	li	t0, 1
	fcvt.d.l ft8, t0
	li	t0, 3
	fcvt.d.l ft9, t0
	fcvt.s.l ft10, t0
	la	s6, raises
	la	s7, end_raises
	li	t0, 0x80
	csrw	mie, t0
	csrsi	mstatus, 8
	ld	t0, (s4)
	addi	t0, t0, 100
	sd	t0, (s5)
/* Results in slots, of another rounding mode, in x registers. */
	.macro	raise insn:vararg
	fsflags	zero
	\insn
	.endm
raises:	raise	fdiv.d ft11, ft8, ft9
	raise	fsqrt.d ft11, ft9
	raise	fdiv.d fa0, ft8, ft9, rup
	raise	fdiv.d ft11, ft8, ft9, rdn
	raise	fsqrt.s ft11, ft10
	raise	fmadd.d ft11, ft11, ft11, ft9
	raise	fcvt.l.d t1, ft11
	raise	fcvt.wu.d t1, ft11, rdn
	raise	fcvt.lu.s t1, ft11, rup
	fsflags	zero
	j	raises
end_raises:
	.balign	4
/* What is at mepc begins behind an fsflags, or is one: no flags are left but by what was done. */
handler: frflags	s8
	csrr	s9, mepc
	beqz	s8, next
	bltu	s9, s6, next
	bgeu	s9, s7, next
	lwu	s10, -4(s9)
	li	s11, 0x00101073		/* fsflags zero */
	beq	s10, s11, early
next:	addi	s3, s3, -1
	beqz	s3, 1f
	ld	t0, (s4)
	addi	t0, t0, 100
	sd	t0, (s5)
	mret
1:	li	a0, 1
2:	la	t0, tohost
	sd	a0, (t0)
1:	j	1b
early:	li	a0, 3
	j	2b
#endif

	.section .data
	.balign	4096		/* what is stored here is not code's page */
	.balign	64
	.globl	tohost, fromhost, begin_signature, end_signature
tohost:	.dword	0
	.balign	64
fromhost: .dword 0
	.balign	64
begin_signature:
	.zero	16
end_signature:
