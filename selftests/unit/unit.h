/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unit.h - what the unit tests share: checks, and the small machine that
 * stands in for a host.
 */
#ifndef DTV_UNIT_H
#define DTV_UNIT_H

#include "guest/guest.h"
#include "guest/isa.h"
#include "host.h"

/* A check that fails says where and goes on; the test is then "not ok". */
void unit_fail(const char *file, int line, const char *what, u64 got, u64 want);
/* The running test cannot be made here; it counts as skipped. */
void unit_skip(const char *why);

#define CHECK(c)                                                 \
	do {                                                     \
		if (!(c))                                        \
			unit_fail(__FILE__, __LINE__, #c, 0, 1); \
	} while (0)
#define CHECK_EQ(a, b)                                                  \
	do {                                                            \
		u64 _got = (u64)(a), _want = (u64)(b);                  \
		if (_got != _want)                                      \
			unit_fail(__FILE__, __LINE__, #a, _got, _want); \
	} while (0)

#define RAM_BASE 0x80000000ULL
#define RAM_SIZE (1ULL << 20)
#define NR_HARTS 4

struct dtv_cpu {
	u64 id;
};

/* What the tests' host recorded. */
struct dtv_vm_core {
	_Alignas(4096) u8 ram[RAM_SIZE];
	struct dtv_cpu cpus[NR_HARTS];
	u32 hsm[NR_HARTS];
	u64 ipis; /* hart ids as bits */
	u64 start_pc, start_arg;
	u64 fence_mask;
	bool fence_i;
	struct dtv_fence fence;
	bool reset;
	u32 reset_type, reset_reason;
	char out[DTV_PAGE_SIZE * 32];
	size_t out_len, out_max; /* the console takes no more than out_max in all */
	const char *in; /* console input */
	gpa_t written_gpa;
	gpa_t pte_written; /* by the last walk that set A or D */
	u64 written_len;
	/* Called by dtv_host_ram() before it answers, to race with the walk. */
	void (*on_ram)(struct dtv_vm_core *vm, gpa_t gpa);
};

extern struct dtv_vm_core machine;

void machine_reset(void);
u64 *ram64(gpa_t gpa);

/* A hart and its surroundings, after reset. */
struct rig {
	struct dtv_hart h;
	struct dtv_env env;
};

void rig_init(struct rig *r, bool sbi);
/* Execute the instruction @raw by dtv_guest_system() at the rig's pc. */
u64 rig_exec(struct rig *r, u32 raw);

/* Encodings of the instructions that tests execute. */
u32 enc_csr(unsigned int funct3, u32 csr, unsigned int rd, unsigned int rs1);
#define CSRRW 1
#define CSRRS 2
#define CSRRC 3
#define CSRRWI 5
#define CSRRSI 6
#define CSRRCI 7
#define ECALL 0x00000073
#define EBREAK 0x00100073
#define C_EBREAK 0x9002
#define SRET 0x10200073
#define MRET 0x30200073
#define WFI 0x10500073
#define SFENCE_VMA(rs1, rs2) (0x12000073 | (rs1) << 15 | (rs2) << 20)

/* The tests, in the order of main.c's table. */
void test_decode_compressed(void);
void test_decode_random(void);
void test_decode_isa(void);
void test_isa_parse(void);
void test_isa_string(void);
void test_csr_table(void);
void test_csr_access(void);
void test_csr_warl(void);
void test_csr_status(void);
void test_csr_fp(void);
void test_csr_counters(void);
void test_csr_interrupts(void);
void test_csr_sstc(void);
void test_csr_pmp(void);
void test_csr_stateen(void);
void test_csr_hostile(void);
void test_system_csr(void);
void test_system_modes(void);
void test_system_ecall(void);
void test_system_fence(void);
void test_trap_delegation(void);
void test_trap_return(void);
void test_trap_interrupts(void);
void test_walk_levels(void);
void test_walk_rights(void);
void test_walk_faults(void);
void test_walk_upper(void);
void test_walk_ad(void);
void test_walk_race(void);
void test_walk_regime(void);
void test_sbi_base(void);
void test_sbi_time(void);
void test_sbi_ipi_fence(void);
void test_sbi_hsm(void);
void test_sbi_srst(void);
void test_sbi_dbcn(void);
void test_sbi_legacy(void);
void test_plic_claim(void);
void test_plic_gateway(void);
void test_plic_registers(void);
void test_plic_threads(void);

#endif /* DTV_UNIT_H */
