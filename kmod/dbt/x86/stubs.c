// SPDX-License-Identifier: GPL-2.0-only
/*
 * stubs.c - the code at the start of the cache: leaving translated code and
 * entering it. See struct dtv_dbt in dbt.h for what each stub expects.
 */
#include "select.h"

#define SYS_IOCTL 16

static void save_all(struct dtv_buf *b)
{
	unsigned int r;

	for (r = 1; r < 32; r++)
		if (mapped(r))
			mov_mr(b, slot(r), dtv_x86_map[r]);
	for (r = 0; r < 32; r++)
		if (fmapped(r))
			movs_mr(b, true, fslot(r), dtv_x86_fmap[r]);
	stmxcsr_m(b, HART(mxcsr));
	mov_mr(b, HART(rstack_sp), RSP);
}

static void load_all(struct dtv_buf *b)
{
	unsigned int r;

	ldmxcsr_m(b, HART(mxcsr));
	mov_rm(b, RSP, HART(rstack_sp));
	mov_rm(b, RAX, HART(view_base));
	wrgsbase_r(b, RAX);
	for (r = 1; r < 32; r++)
		if (mapped(r))
			mov_rm(b, dtv_x86_map[r], slot(r));
	for (r = 0; r < 32; r++)
		if (fmapped(r))
			movs_rm(b, true, dtv_x86_fmap[r], fslot(r));
	ones_r(b, X_ONES);
	jmp_m(b, HART(resume_ip));
}

/* rax = where the guest's ra leads. */
static void load_ra(struct dtv_buf *b)
{
	mov_rr(b, RAX, dtv_x86_map[1]);
	alu_ri(b, ALU_AND, RAX, -2);
}

int dtv_x86_stubs(struct dtv_dbt *d)
{
	struct dtv_buf buf = { .p = d->cfg.rw, .end = d->cfg.rw + 4096 };
	struct dtv_buf *b = &buf;
	u64 delta = d->cfg.exec - (u64)(uintptr_t)d->cfg.rw;
	const u8 *leave;
	unsigned int i;

	d->slots = 0;
	for (i = 1; i < 32; i++)
		d->slots |= (u32)!mapped(i) << i;

#define HERE() ((u64)(uintptr_t)b->p + delta)
	/* Everything is in slots but the registers of the fixed map. */
	leave = b->p;
	save_all(b);
	if (d->cfg.exit_jump) {
		mov_rm(b, RSP, HART(host_sp));
		jmp_m(b, HART(host_exit));
	} else {
		mov_ri(b, RAX, SYS_IOCTL);
		mov32_rm(b, RDI, HART(exit_fd));
		mov32_rm(b, RSI, HART(exit_cmd));
		alu32_rr(b, ALU_XOR, RDX, RDX);
		x86_syscall(b);
	}
	/* The module's exit falls through to here. */
	d->stub_resume = HERE();
	load_all(b);

	d->stub_redirect = HERE();
	mov_rm(b, RSP, HART(rstack_sp));
	mov_rm(b, RAX, HART(view_base));
	wrgsbase_r(b, RAX);
	jmp_m(b, HART(resume_ip));

	for (i = DTV_EXIT_CHAIN; i <= DTV_EXIT_FP; i++) {
		d->stub_exit[i] = HERE();
		pop_m(b, HART(exit_ip));
		if (i == DTV_EXIT_JUMP)
			mov_mr(b, HART(pc), RAX);
		mov32_mi(b, HART(exit_reason), i);
		x86_fix32(b, jmp_rel32(b), leave);
	}

	/* A guest return to 0 met the ring's upper end: undo the pop. */
	d->stub_unpredicted = HERE();
	lea_rm(b, RSP, x86_base(RSP, -8));
	load_ra(b);
	x86_fix32(b, call_rel32(b), d->cfg.rw + (d->stub_exit[DTV_EXIT_JUMP] - d->cfg.exec));

	d->stub_kick = HERE();
	mov32_mi(b, HART(exit_reason), DTV_EXIT_KICK);
	x86_fix32(b, jmp_rel32(b), leave);
	d->stub_access = HERE();
	mov32_mi(b, HART(exit_reason), DTV_EXIT_ACCESS);
	x86_fix32(b, jmp_rel32(b), leave);
	/* After a trap: the return stack may be another class's. */
	d->stub_lookup = HERE();
	mov_rm(b, RSP, HART(rstack_sp));
	mov32_mi(b, HART(exit_reason), DTV_EXIT_RESUME);
	x86_fix32(b, jmp_rel32(b), leave);
#undef HERE
	if (b->full)
		return -EINVAL;
	d->stubs_end = 4096;
	return 0;
}
