/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enter.S - the way from C into translated code and back.
 *
 * int uhost_enter(void *rbp, u64 stub, u64 *host_sp, u32 *kicked);
 *
 * Saves what the C ABI wants preserved, stores rsp in *host_sp and jumps to
 * the stub. Translated code leaves by loading rsp from there and jumping to
 * uhost_left. Returns 0 then, and 1 when a kick came before the jump:
 * from uhost_crit_start on the signal handler diverts to uhost_abort, and a
 * kick that came earlier is seen in *kicked.
 */
	.text
	.globl	uhost_enter, uhost_crit_start, uhost_crit_end, uhost_abort, uhost_left
	.hidden	uhost_enter, uhost_crit_start, uhost_crit_end, uhost_abort, uhost_left
	.type	uhost_enter, @function
	.p2align 4
uhost_enter:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	subq	$8, %rsp
	stmxcsr	(%rsp)
	movq	%rsp, (%rdx)
	movq	%rdi, %rbp
uhost_crit_start:
	cmpl	$0, (%rcx)
	jne	uhost_abort
	jmp	*%rsi
uhost_crit_end:
uhost_abort:
	movl	$1, %eax
	jmp	1f
uhost_left:
	xorl	%eax, %eax
1:	vzeroupper
	cld
	ldmxcsr	(%rsp)
	addq	$8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.size	uhost_enter, . - uhost_enter

	.section .note.GNU-stack, "", @progbits
