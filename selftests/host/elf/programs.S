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
#endif

	.section .data
	.balign	64
	.globl	tohost, fromhost, begin_signature, end_signature
tohost:	.dword	0
	.balign	64
fromhost: .dword 0
	.balign	64
begin_signature:
	.zero	16
end_signature:
