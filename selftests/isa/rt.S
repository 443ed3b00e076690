/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rt.S - the runtime below generated programs: runs one after the other, each
 * from its own initial state, records traps, stores final states, ends the
 * machine. The image builder (lib/image.py) puts the programs behind it and
 * knows the layouts below.
 */

/*
 * Header at BLOB: u64 number of programs, u64 ticks between timer interrupts
 * (0: none), u64 number of harts, u64 whether to count instructions, then descriptors. With timer
 * interrupts, which nothing in a program sees, and with several harts, that
 * take every so manieth program, the results must be the same as without.
 */
#define BLOB		0x80010000

/* Descriptor. */
#define B_STORM		8
#define B_HARTS		16
#define B_COUNT		24
#define B_DESC		32

/* What a hart has of its own, at mscratch: x1..x31 of a program in a trap, then */
#define A_DESC		256	/* its descriptor */
#define A_LEFT		264	/* programs from this one on */
#define A_STORMS	272	/* timer interrupts taken by the program */
#define A_CAUSE_S	280	/* the end as the S-mode handler found it */
#define A_EPC_S		288
#define A_SAVE_S	512	/* x1..x31 in a trap that S-mode takes */
#define A_SIZE		1024

#define D_ENTRY		0	/* pc */
#define D_INIT		8	/* x1..x31, f0..f31, fcsr */
#define D_STATE		16	/* where the final state goes */
#define D_MSTATUS	24
#define D_SATP		32
#define D_END		40	/* pc of the ecall that ends it */
#define D_MTRAPS	48	/* traps before it is ended by force */
/*
 * 1: a fetch fault goes on at ra; 2: traps of U-mode are S-mode's; 4: behind an ecall it is in
 * M-mode, and PMP entries 0 to 14 are its own
 */
#define D_FLAGS		56
#define D_SIZE		64

/* Final state. */
#define S_X		0	/* x1..x31 */
#define S_F		248	/* f0..f31 */
#define S_FCSR		504
#define S_TRAPS		512	/* number of traps */
#define S_HASH		520	/* of all causes, epcs, tvals */
#define S_MSTATUS	528	/* at the end */
#define S_CAUSE		536	/* of the end */
#define S_EPC		544
#define S_LOG		552	/* the first LOGGED traps: cause, epc, tval */
#define LOGGED		24

#define MSTATUS_FS	0x6000
#define MSTATUS_MPRV	0x20000
#define MSTATUS_SUM	0x40000
#define MSTATUS_MXR	0x80000
/* What is compared of mstatus: MPIE SPP MPP FS MPRV SUM MXR SPIE. */
#define MSTATUS_CMP	0xe79a0
/* FS may be made dirty too early: Initial and Clean are compared as Dirty, and FS itself goes to S_FS. */
#define S_FS		1128
/* With B_COUNT: minstret from before the first register is loaded up to the end. */
#define S_COUNT		1136
#define S_RAW		1144	/* traps, those that are not logged and the end included */

	.option norelax
	.section .text.init, "ax"
	.globl	_start
_start:
	csrr	s0, mhartid
	li	s1, BLOB
	ld	s2, B_HARTS(s1)
1:	bgeu	s0, s2, 1b
	la	t0, trap
	csrw	mtvec, t0
	li	t0, -1
	csrw	pmpaddr0, t0
	li	t0, 0x1f
	csrw	pmpcfg0, t0
	csrw	mie, zero
	csrw	medeleg, zero
	csrw	mideleg, zero
	li	t0, 7
	csrw	mcounteren, t0
	csrw	scounteren, t0
	ld	t2, B_STORM(s1)
	la	t3, storm
	sd	t2, 0(t3)
	beqz	t2, 1f
	li	t2, -1
	csrw	0x14d, t2		/* stimecmp */
	li	t2, 1 << 63
	csrs	0x30a, t2		/* menvcfg.STCE */
1:	la	s3, areas
	slli	t0, s0, 10
	add	s3, s3, t0
	csrw	mscratch, s3
	ld	t0, 0(s1)
	sub	t0, t0, s0
	sd	t0, A_LEFT(s3)
	slli	t0, s0, 6
	addi	s1, s1, B_DESC
	add	s1, s1, t0
	sd	s1, A_DESC(s3)

next:
	csrr	s3, mscratch
	ld	t1, A_LEFT(s3)
	blez	t1, done
	ld	t0, A_DESC(s3)
	sd	zero, A_STORMS(s3)
	/* What programs could hand on to the next of the same hart. */
	csrw	sscratch, zero
	csrw	stval, zero
	csrw	scause, zero
	csrw	sepc, zero
	ld	t1, D_FLAGS(t0)
	andi	t1, t1, 2
	beqz	t1, 1f
	addi	t1, s3, A_SAVE_S
	csrw	sscratch, t1
	la	t1, strap
	csrw	stvec, t1
	li	t1, 0xb1ff
1:	csrw	medeleg, t1
	ld	t1, D_FLAGS(t0)
	andi	t1, t1, 4
	beqz	t1, 1f
	li	t1, -1
	csrw	pmpaddr15, t1
	li	t1, 0x1f << 56
	csrw	pmpcfg2, t1
	csrw	pmpcfg0, zero
1:	ld	t1, D_SATP(t0)
	csrw	satp, t1
	sfence.vma
	fence.i
	ld	t1, D_ENTRY(t0)
	csrw	mepc, t1
	li	t1, MSTATUS_FS
	csrs	mstatus, t1
	ld	t2, D_INIT(t0)
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	fld	f\n, (248 + 8 * \n)(t2)
	.endr
	ld	t1, 504(t2)
	fscsr	t1
	ld	t1, D_MSTATUS(t0)
	csrw	mstatus, t1
	la	t1, storm
	ld	t1, 0(t1)
	beqz	t1, 1f
	csrr	t3, time
	add	t1, t1, t3
	csrw	0x14d, t1
	li	t1, 0x20
	csrs	mie, t1
1:	li	t1, BLOB
	ld	t1, B_COUNT(t1)
	beqz	t1, 1f
	csrw	minstret, zero
1:	mv	x31, t2
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ld	x\n, (8 * \n - 8)(x31)
	.endr
	mret

/* Read a halfword of the program's code: \reg = that at \off(s3). */
.macro	code lv, reg, off
	.ifc	\lv, m
	li	t0, MSTATUS_MPRV | MSTATUS_MXR
	.else
	li	t0, MSTATUS_SUM | MSTATUS_MXR
	.endif
	csrr	t2, \lv\()status
	csrs	\lv\()status, t0
	lhu	\reg, \off(s3)
	csrw	\lv\()status, t2
.endm

/*
 * A trap in level \lv: registers are in the area at x31, mscratch or sscratch
 * is put right. Logs it and goes on behind the instruction, or to \finish with
 * s0 descriptor, s1 final state, s2 cause, s3 epc.
 */
.macro	handler lv, finish
	csrr	s2, \lv\()cause
	csrr	s3, \lv\()epc
	csrr	s4, \lv\()tval
	ld	t0, S_RAW(s1)
	addi	t0, t0, 1
	sd	t0, S_RAW(s1)
	ld	t0, D_END(s0)
	bne	t0, s3, 1f
	addi	t0, s2, -8
	li	t1, 4
	bltu	t0, t1, \finish
1:	/* tval of ebreak is 0 or pc as the implementation likes: leave it out. */
	li	t0, 3
	bne	s2, t0, 1f
	li	s4, 0
1:	/*
	 * A misaligned SC traps; for QEMU 7.2 it has no reservation and fails: let it
	 * fail here too, unlogged.
	 */
	li	t0, 6
	bne	s2, t0, 1f
	code	\lv, t1, 0
	andi	t3, t1, 0x7f
	li	t0, 0x2f
	bne	t3, t0, 1f
	code	\lv, t3, 2
	srli	t0, t3, 11
	addi	t0, t0, -3
	bnez	t0, 1f
	srli	t1, t1, 7
	andi	t1, t1, 31
	addi	s3, s3, 4
	beqz	t1, 9f
	slli	t1, t1, 3
	add	t1, t1, x31
	li	t0, 1
	sd	t0, -8(t1)
	j	9f
1:	/*
	 * Where QEMU 7.2 departs from the manual: traps of AMOs and SCs are
	 * those of stores (it says 4, 5 and, of a page that may not be read,
	 * 13 for 6, 7 and 15); tval of a misaligned access to nothing is the
	 * access's or its upper part's address (it rounds down to 8).
	 */
	li	t0, 5
	beq	s2, t0, 2f
	li	t0, 7
	beq	s2, t0, 2f
	li	t0, 4
	beq	s2, t0, 4f
	li	t0, 13
	bne	s2, t0, 3f
	j	4f
2:	andi	s4, s4, -8
4:	code	\lv, t1, 0
	andi	t1, t1, 0x7f
	li	t0, 0x2f
	bne	t1, t0, 3f
	code	\lv, t3, 2
	srli	t3, t3, 11
	li	t0, 2
	beq	t3, t0, 3f
	ori	s2, s2, 2
3:	/* Log it. */
	ld	s5, S_TRAPS(s1)
	addi	t0, s5, 1
	sd	t0, S_TRAPS(s1)
	li	t1, LOGGED
	bgeu	s5, t1, 2f
	li	t1, 24
	mul	t1, t1, s5
	add	t1, t1, s1
	sd	s2, (S_LOG)(t1)
	sd	s3, (S_LOG + 8)(t1)
	sd	s4, (S_LOG + 16)(t1)
2:	ld	t1, S_HASH(s1)
	li	t2, 0x100000001b3
	xor	t1, t1, s2
	mul	t1, t1, t2
	xor	t1, t1, s3
	mul	t1, t1, t2
	xor	t1, t1, s4
	mul	t1, t1, t2
	srli	t2, t1, 29
	xor	t1, t1, t2
	sd	t1, S_HASH(s1)
	ld	t1, D_MTRAPS(s0)
	bgeu	s5, t1, \finish
	/* Fetch faults and interrupts end it, what else is skipped. */
	bltz	s2, \finish
	ld	t0, D_FLAGS(s0)
	andi	t0, t0, 1
	beqz	t0, 2f
	addi	t0, s2, -1
	beqz	t0, 1f
	addi	t0, s2, -12
	bnez	t0, 2f
1:	ld	s3, 0(x31)
	j	3f
2:	li	t0, 1
	bleu	s2, t0, \finish
	li	t0, 12
	beq	s2, t0, \finish
	code	\lv, t1, 0
	not	t1, t1
	andi	t1, t1, 3
	addi	s3, s3, 2
	bnez	t1, 3f
	addi	s3, s3, 2
3:
	.ifc	\lv, m
	ld	t0, D_FLAGS(s0)
	andi	t0, t0, 4
	beqz	t0, 9f
	addi	t0, s2, -8
	li	t1, 4
	bgeu	t0, t1, 9f
	li	t0, 3 << 11
	csrs	mstatus, t0
	.endif
9:	csrw	\lv\()epc, s3
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ld	x\n, (8 * \n - 8)(x31)
	.endr
	\lv\()ret
.endm

	.balign	4
trap:
	csrrw	x31, mscratch, x31
	sd	x1, 0(x31)
	sd	x2, 8(x31)
	csrr	x1, mcause
	li	x2, (1 << 63) | 5
	bne	x1, x2, 2f
	la	x1, storm
	ld	x1, 0(x1)
	beqz	x1, 2f
	/*
	 * Each a little later than the one before: where taking it is slower than what was asked for, not
	 * an instruction would be reached between two.
	 */
	ld	x2, A_STORMS(x31)
	addi	x2, x2, 1
	sd	x2, A_STORMS(x31)
	mul	x2, x2, x1
	srli	x2, x2, 6
	add	x1, x1, x2
	csrr	x2, time
	add	x1, x1, x2
	csrw	0x14d, x1
	ld	x1, 0(x31)
	ld	x2, 8(x31)
	csrrw	x31, mscratch, x31
	mret
2:	ld	x1, 0(x31)
	ld	x2, 8(x31)
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	sd	x\n, (8 * \n - 8)(x31)
	.endr
	csrr	t0, mscratch
	sd	t0, 240(x31)
	csrw	mscratch, x31
	mv	s6, x31
	ld	s0, A_DESC(x31)
	ld	s1, D_STATE(s0)
	/* The S-mode handler saw the end. */
	csrr	t0, mepc
	la	t1, strap_end
	bne	t0, t1, 1f
	addi	s6, x31, A_SAVE_S
	ld	s2, A_CAUSE_S(x31)
	ld	s3, A_EPC_S(x31)
	j	finish
1:	handler	m, finish

	/* Traps that are delegated, of U-mode only. */
	.balign	4
strap:
	csrrw	x31, sscratch, x31
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	sd	x\n, (8 * \n - 8)(x31)
	.endr
	csrr	t0, sscratch
	sd	t0, 240(x31)
	csrw	sscratch, x31
	ld	s0, (A_DESC - A_SAVE_S)(x31)
	ld	s1, D_STATE(s0)
	handler	s, strap_finish
strap_finish:
	sd	s2, (A_CAUSE_S - A_SAVE_S)(x31)
	sd	s3, (A_EPC_S - A_SAVE_S)(x31)
strap_end:
	ecall

finish:
	li	t0, BLOB
	ld	t0, B_COUNT(t0)
	beqz	t0, 1f
	csrr	t0, minstret
	sd	t0, S_COUNT(s1)
1:
	li	t0, 0x20
	csrc	mie, t0
	ld	t0, D_FLAGS(s0)
	andi	t0, t0, 4
	beqz	t0, 1f
	li	t0, -1
	csrw	pmpaddr0, t0
	li	t0, 0x1f
	csrw	pmpcfg0, t0
	csrw	pmpcfg2, zero
1:
	sd	s2, S_CAUSE(s1)
	sd	s3, S_EPC(s1)
	csrr	t0, mstatus
	li	t1, MSTATUS_CMP
	and	t1, t1, t0
	li	t2, MSTATUS_FS
	and	t0, t0, t2
	sd	t0, S_FS(s1)
	beqz	t0, 5f
	or	t1, t1, t2
5:	sd	t1, S_MSTATUS(s1)
	csrs	mstatus, t2
	frcsr	t0
	sd	t0, S_FCSR(s1)
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	fsd	f\n, (S_F + 8 * \n)(s1)
	.endr
	li	t1, 31
	mv	t2, s1
	mv	t3, s6
4:	ld	t0, 0(t3)
	sd	t0, 0(t2)
	addi	t3, t3, 8
	addi	t2, t2, 8
	addi	t1, t1, -1
	bnez	t1, 4b
	/* The next of this hart's. */
	li	t1, BLOB
	ld	t1, B_HARTS(t1)
	ld	t0, A_LEFT(x31)
	sub	t0, t0, t1
	sd	t0, A_LEFT(x31)
	slli	t1, t1, 6
	add	s0, s0, t1
	sd	s0, A_DESC(x31)
	j	next

done:
	csrw	satp, zero
	/* The last hart to be done ends the machine. */
	fence
	la	t0, ended
	li	t1, 1
	amoadd.d.aqrl t1, t1, (t0)
	addi	t1, t1, 1
	li	t0, BLOB
	ld	t0, B_HARTS(t0)
7:	bne	t0, t1, 7b
	la	t0, tohost
	li	t1, 1
	sd	t1, 0(t0)
	fence
	li	t0, 0x100000
	li	t1, 0x5555
	sw	t1, 0(t0)
6:	j	6b

	.data
	.balign	64
areas:	.fill	32 * A_SIZE, 1, 0
storm:	.dword	0
ended:	.dword	0
	.balign	64
	.globl	tohost
tohost:	.dword	0
	.balign	64
	.globl	fromhost
fromhost: .dword 0
