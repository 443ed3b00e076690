/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm.h - what tests of the API make again and again: a VM with memory, vCPUs
 * and a few instructions to run. Everything checks itself with EXPECT().
 */
#ifndef DTV_API_VM_H
#define DTV_API_VM_H

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <linux/dtv.h>

#include "tap.h"

#define MIB (1ULL << 20)

/* RISC-V, by hand. */
#define RV_LUI(rd, imm20) ((uint32_t)(imm20) << 12 | (rd) << 7 | 0x37)
#define RV_ADDI(rd, rs, imm) (((uint32_t)(imm)&0xfff) << 20 | (rs) << 15 | (rd) << 7 | 0x13)
#define RV_LW(rd, rs, imm) (((uint32_t)(imm)&0xfff) << 20 | (rs) << 15 | 2 << 12 | (rd) << 7 | 0x03)
#define RV_SW(rs2, rs1, imm) \
	((uint32_t)(imm) >> 5 << 25 | (rs2) << 20 | (rs1) << 15 | 2 << 12 | ((imm)&31) << 7 | 0x23)
#define RV_CSRW(csr, rs1) ((uint32_t)(csr) << 20 | (rs1) << 15 | 1 << 12 | 0x73)
#define RV_LD(rd, rs, imm) ((uint32_t)(imm) << 20 | (rs) << 15 | 3 << 12 | (rd) << 7 | 0x03)
#define RV_SB(rs2, rs1) ((rs2) << 20 | (rs1) << 15 | 0x23)
#define RV_AUIPC(rd, imm20) ((uint32_t)(imm20) << 12 | (rd) << 7 | 0x17)
#define RV_ADD(rd, rs1, rs2) ((rs2) << 20 | (rs1) << 15 | (rd) << 7 | 0x33)
#define RV_BLTU(rs1, rs2, off)                                                                   \
	(((uint32_t)(off) >> 12 & 1) << 31 | ((uint32_t)(off) >> 5 & 0x3f) << 25 | (rs2) << 20 | \
	 (rs1) << 15 | 6 << 12 | ((uint32_t)(off) >> 1 & 15) << 8 |                              \
	 ((uint32_t)(off) >> 11 & 1) << 7 | 0x63)
#define RV_SFENCE_VMA 0x12000073
#define RV_ECALL 0x73
#define RV_WFI 0x10500073
#define RV_JUMP(off)                                                                    \
	((((uint32_t)(off) >> 20 & 1) << 31) | (((uint32_t)(off) >> 1 & 0x3ff) << 21) | \
	 (((uint32_t)(off) >> 11 & 1) << 20) | (((uint32_t)(off) >> 12 & 0xff) << 12) | 0x6f)
#define RV_SPIN RV_JUMP(0)
enum { A0 = 10, A1 = 11, A6 = 16, A7 = 17, T0 = 5, T1 = 6, T2 = 7, T3 = 28, T4 = 29 };
#define RV_NOP RV_ADDI(0, 0, 0)

struct vm {
	int fd;
	int memfd;
	int vcpu[DTV_VCPUS_MAX];
	pid_t jail[DTV_VCPUS_MAX];
	uint8_t *ram;
};

static inline int dev_open(void)
{
	int fd = open(DTV_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		printf("# %s: %s\n", DTV_DEVICE, strerror(errno));
		fflush(stdout);
		_exit(errno == ENOENT ? TAP_SKIP : 1);
	}
	return fd;
}

static inline int vm_create(const char *name)
{
	struct dtv_create_vm arg = { .cache_size = MIB };
	int dev = dev_open(), fd;

	snprintf(arg.name, sizeof(arg.name), "%s", name);
	fd = ioctl(dev, DTV_CREATE_VM, &arg);
	EXPECT(fd >= 0);
	close(dev);
	return fd;
}

static inline int ram_create(uint64_t size, int seals)
{
	int fd = memfd_create("ram", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	EXPECT(fd >= 0 && !ftruncate(fd, size));
	EXPECT(!seals || !fcntl(fd, F_ADD_SEALS, seals));
	return fd;
}

/*
 * A VM with 16 MiB, @vcpus vCPUs and @code at the start of its RAM; not
 * started. Behind @code the guest powers off (SBI SRST).
 */
static inline struct vm vm_make(const char *name, unsigned int vcpus, const uint32_t *code,
				size_t bytes)
{
	static const uint32_t poweroff[] = {
		RV_LUI(A7, 0x53525), RV_ADDI(A7, A7, 0x354), RV_ADDI(A6, 0, 0),
		RV_ADDI(A0, 0, 0),   RV_ADDI(A1, 0, 0),	     RV_ECALL,
	};
	struct dtv_memory mem = { .gpa = DTV_GPA_RAM, .size = 16 * MIB };
	struct dtv_entry entry = { .pc = DTV_GPA_RAM };
	struct vm vm = { .fd = vm_create(name) };

	vm.memfd = mem.fd = ram_create(mem.size, F_SEAL_SHRINK);
	vm.ram = mmap(NULL, mem.size, PROT_READ | PROT_WRITE, MAP_SHARED, mem.fd, 0);
	EXPECT(vm.ram != MAP_FAILED);
	memcpy(vm.ram, code, bytes);
	memcpy(vm.ram + bytes, poweroff, sizeof(poweroff));
	EXPECT(!ioctl(vm.fd, DTV_SET_MEMORY, &mem));
	for (unsigned int i = 0; i < vcpus; i++) {
		vm.vcpu[i] = ioctl(vm.fd, DTV_CREATE_VCPU, (long)i);
		EXPECT(vm.vcpu[i] >= 0);
	}
	EXPECT(!ioctl(vm.fd, DTV_SET_ENTRY, &entry));
	return vm;
}

static inline void vm_jail(struct vm *vm, unsigned int i)
{
	vm->jail[i] = fork();
	EXPECT(vm->jail[i] >= 0);
	if (vm->jail[i])
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(vm->fd);
	ioctl(vm->vcpu[i], DTV_VCPU_ENTER, (long)vm->vcpu[i]);
	_exit(9);
}

static inline void nap(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

/* Until the child is a jail: nothing but the vCPU's file is mapped. */
static inline void vm_wait_jail(struct vm *vm, unsigned int i)
{
	char path[64], line[256];
	bool ready = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", vm->jail[i]);
	for (int tries = 0; tries < 1500 * tap_slow() && !ready; tries++) {
		nap(20);
		f = fopen(path, "r");
		EXPECT(f);
		ready = fgets(line, sizeof(line), f) && strstr(line, "dtv-vcpu");
		fclose(f);
	}
	EXPECT(ready);
	/* The other mappings come right after the first. */
	nap(20);
}

static inline void vm_start(struct vm *vm, unsigned int vcpus)
{
	for (unsigned int i = 0; i < vcpus; i++)
		vm_jail(vm, i);
	for (unsigned int i = 0; i < vcpus; i++)
		vm_wait_jail(vm, i);
	EXPECT(!ioctl(vm->fd, DTV_START));
}

/* Next event, within @seconds; false when there is none. */
static inline bool vm_event(struct vm *vm, struct dtv_event *ev, int seconds)
{
	struct pollfd p = { .fd = vm->fd, .events = POLLIN };

	if (poll(&p, 1, seconds * tap_slow() * 1000) <= 0)
		return false;
	return read(vm->fd, ev, sizeof(*ev)) == sizeof(*ev);
}

/* Wait until the VM has stopped; its reason. */
static inline struct dtv_state vm_wait_stop(struct vm *vm)
{
	struct dtv_state state;
	struct dtv_event ev;

	do {
		EXPECT(vm_event(vm, &ev, 30));
	} while (ev.type != DTV_EVENT_STOPPED);
	EXPECT(!ioctl(vm->fd, DTV_GET_STATE, &state));
	EXPECT(state.state == DTV_VM_STOPPED);
	return state;
}

/* The jail is dead, by @sig. */
static inline void vm_reap(struct vm *vm, unsigned int i, int sig)
{
	int status;

	EXPECT(waitpid(vm->jail[i], &status, 0) == vm->jail[i]);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != sig)
		printf("# jail %u: status %#x\n", i, status);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == sig);
}

#endif /* DTV_API_VM_H */
