/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crt.S - what compute.c starts on: a stack, and the FPU switched on.
 */
	.section .text.init, "ax"
	.globl	_start
_start:
	li	t0, 0x2000
	csrs	mstatus, t0
	la	sp, stack_end
	tail	start

	.section .data
	.balign	64
	.globl	tohost, begin_signature, end_signature
tohost:	.dword	0
	.balign	64
begin_signature:
	.zero	16
end_signature:
	.balign	16
	.zero	16384
stack_end:
