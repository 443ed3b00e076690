/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that starts in the first bank of flash, as on QEMU's virt with pflash: two harts,
 * M-mode. It looks at what the reset code in ROM has told it, runs and reads from ROM and from both
 * banks, and erases and programs the second. Ends by the finisher, with the number of the check that
 * failed.
 */

#define FINISHER 0x100000
#define ROM 0x1000
#define FLASH0 0x20000000
#define FLASH1 0x22000000
#define RAM 0x80000000
#define CLINT 0x02000000

/* Words in RAM that the harts share. */
#define PHASE (RAM + 0x10000)
#define ROUNDS 200

#define LI_A0(n) (0x513 | (n) << 20)
#define RET 0x8067

	/* s11 is the check's number. */
	.macro check n
	li s11, \n
	.endm

	.macro store32 at, value
	li t4, \at
	li t5, \value
	sw t5, 0(t4)
	.endm

	.macro expect32 at, value
	li t4, \at
	lwu t4, 0(t4)
	li t5, \value
	bne t4, t5, fail
	.endm

	/* A command for both chips, and until they are done. */
	.macro command at, cmd
	store32 \at, (\cmd) << 16 | (\cmd)
	.endm

	.macro wait at
99:	li t4, \at
	lw t4, 0(t4)
	andi t4, t4, 0x80
	beqz t4, 99b
	.endm

	.text
	.globl _start
_start:
	csrr s1, mhartid
	check 1 /* t0 and a0 to a2 are those of the reset code */
	li t4, FLASH0
	bne t0, t4, fail
	bne a0, s1, fail
	li t4, 0x1028
	bne a2, t4, fail
	lwu t4, 0(a2)
	li t5, 0x4942534f
	bne t4, t5, fail
	lwu t4, 0(a1)
	li t5, 0xedfe0dd0
	bne t4, t5, fail
	check 2 /* this is flash */
	auipc t4, 0
	srli t4, t4, 25
	li t5, FLASH0 >> 25
	bne t4, t5, fail
	bnez s1, to_ram

	check 3 /* data beside the code, aligned and not */
	lla t4, data
	lwu t5, 0(t4)
	li t6, 0x33221100
	bne t5, t6, fail
	ld t5, 3(t4)
	li t6, 0xaa99887766554433
	bne t5, t6, fail
	lb t5, 8(t4)
	li t6, -0x78
	bne t5, t6, fail

	check 4 /* ROM cannot be written, and can be run */
	li t4, ROM
	ld t5, 0(t4)
	sd zero, 0(t4)
	ld t6, 0(t4)
	bne t5, t6, fail
	/* Its csrr a0; ld a1, 32(t0); ld t0, 24(t0); jr t0, with another table. */
	li t0, PHASE
	lla t4, back
	sd t4, 24(t0)
	li t5, 0x1234567
	sd t5, 32(t0)
	li a0, -1
	li t4, ROM + 8
	jr t4
back:
	bnez a0, fail
	li t4, 0x1234567
	bne a1, t4, fail

	/* The rest is run from RAM, by each hart in a copy of its own. */
to_ram:
	lla t4, _start
	lla t5, end
	li t6, RAM
	slli t0, s1, 12
	add t6, t6, t0
1:	ld a0, 0(t4)
	sd a0, 0(t6)
	addi t4, t4, 8
	addi t6, t6, 8
	bltu t4, t5, 1b
	fence.i
	lla t4, in_ram
	li t5, RAM - FLASH0
	add t4, t4, t5
	add t4, t4, t0
	jr t4
in_ram:
	lla t4, trap
	csrw mtvec, t4
	li s7, PHASE
	bnez s1, second
	/* Nobody may run what is in a bank that gives its status. */
1:	lw t4, 8(s7)
	beqz t4, 1b

#ifndef QEMU /* QEMU 7.2 aborts at it */
	check 5 /* an atomic is a fault, and changes nothing */
	li s2, 7
	lla s3, 1f
	li s4, FLASH0
	li t4, FLASH0
	amoadd.w t5, t4, (t4)
	j fail
1:	expect32 FLASH0, 0xf14024f3
#endif

	check 6 /* query, while the page may be mapped, and the array again */
	li t4, FLASH0 + 0x40
	lwu s5, 0(t4)
	command FLASH0 + 0x154, 0x98
	expect32 FLASH0 + 0x40, 0x510051
	expect32 FLASH0 + 0x9c, 0x180018
	command FLASH0, 0xff
	li t4, FLASH0 + 0x40
	lwu t5, 0(t4)
	bne t5, s5, fail

	check 7 /* identification of one bank leaves the other alone */
	command FLASH1, 0x90
	expect32 FLASH1, 0x890089
	expect32 FLASH0, 0xf14024f3
	command FLASH1, 0xff

	check 8 /* erase */
	command FLASH1, 0x20
	command FLASH1, 0xd0
	wait FLASH1
	command FLASH1, 0x50
	command FLASH1, 0xff
	expect32 FLASH1, 0xffffffff

	check 9 /* program a function, and run it */
	command FLASH1, 0x40
	store32 FLASH1, LI_A0(0x7c3)
	wait FLASH1
	command FLASH1 + 4, 0x40
	store32 FLASH1 + 4, RET
	wait FLASH1
	command FLASH1, 0xff
	expect32 FLASH1, LI_A0(0x7c3)
	fence.i
	li t4, FLASH1
	jalr t4
	li t4, 0x7c3
	bne a0, t4, fail

#ifndef QEMU /* QEMU runs what it has translated before */
	check 10 /* bits fall: another number, of bits that are set */
	command FLASH1, 0x10
	store32 FLASH1, LI_A0(0x402)
	wait FLASH1
	command FLASH1, 0xff
	fence.i
	li t4, FLASH1
	jalr t4
	li t4, 0x402
	bne a0, t4, fail
#endif

	check 11 /* a buffer of two words behind it */
	command FLASH1 + 0x40000, 0x20
	command FLASH1 + 0x40000, 0xd0
	wait FLASH1
	command FLASH1 + 0x40000, 0xe8
	wait FLASH1
	store32 FLASH1 + 0x40000, 0x10001
	store32 FLASH1 + 0x40000, LI_A0(5)
	store32 FLASH1 + 0x40004, RET
	command FLASH1 + 0x40000, 0xd0
	wait FLASH1
	command FLASH1, 0xff
	fence.i
	li t4, FLASH1 + 0x40000
	jalr t4
	li t4, 5
	bne a0, t4, fail

	check 12 /* what one hart commands another sees, over and over */
	li s6, ROUNDS
	li s8, 0
1:	command FLASH0 + 0x154, 0x98
	call step
	command FLASH0, 0xff
	call step
	addi s6, s6, -1
	bnez s6, 1b
	li t4, FINISHER
	li t5, 0x5555
	sw t5, 0(t4)
	j .

/* The next phase, and until the other hart has seen it. */
step:
	addi s8, s8, 1
	fence iorw, iorw
	sw s8, 0(s7)
2:	lw t4, 4(s7)
	bne t4, s8, 2b
	fence iorw, iorw
	ret

second:
	check 13 /* in odd phases the query, in even ones what is there too */
	li s8, 0
	lla s5, _start
	lwu s5, 0x40(s5)
	li t4, 1
	sw t4, 8(s7)
1:	addi s8, s8, 1
2:	lw t4, 0(s7)
	bne t4, s8, 2b
	fence iorw, iorw
	li t6, FLASH0 + 0x40
	lwu t4, 0(t6)
	mv t5, s5
	andi t6, s8, 1
	beqz t6, 3f
	li t5, 0x510051
3:	bne t4, t5, fail
	fence iorw, iorw
	sw s8, 4(s7)
	j 1b

/* A trap that is expected: cause s2, mtval s4, goes on at s3. */
	.balign 4
trap:
	csrr t4, mcause
	bne t4, s2, fail
	csrr t4, mtval
	bne t4, s4, fail
	csrw mepc, s3
	mret

fail:
	li t4, FINISHER
	slli t5, s11, 16
	li t6, 0x3333
	or t5, t5, t6
	sw t5, 0(t4)
	j .

	.balign 8
data:
	.byte 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb
	.balign 8
end:
