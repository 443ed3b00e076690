// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ioctls.c - each ioctl with each bad argument, a wrong descriptor, out of
 * order: the errno that Documentation/api.rst promises, and nothing changed.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <sys/stat.h>

#include "vm.h"

static const uint32_t spin[] = { RV_SPIN };

TEST(device)
{
	int dev = dev_open();

	EXPECT(ioctl(dev, DTV_GET_API_VERSION, 0) == DTV_API_VERSION);
	FAILS(ioctl(dev, DTV_GET_API_VERSION, 1), EINVAL);
	EXPECT(ioctl(dev, DTV_CHECK_CAP, DTV_CAP_VCPUS) == DTV_VCPUS_MAX);
	EXPECT(ioctl(dev, DTV_CHECK_CAP, DTV_CAP_SLOTS) == DTV_SLOTS_MAX);
	EXPECT(ioctl(dev, DTV_CHECK_CAP, DTV_CAP_VIEWS) >= 16);
	EXPECT(ioctl(dev, DTV_CHECK_CAP, DTV_CAP_SV48) == 0);
	EXPECT(ioctl(dev, DTV_CHECK_CAP, DTV_CAP_SBI) == 2 << 24);
	EXPECT(ioctl(dev, DTV_CHECK_CAP, 0x7fffffff) == 0);
	/* Calls of other descriptors, and of nobody. */
	FAILS(ioctl(dev, DTV_START), ENOTTY);
	FAILS(ioctl(dev, DTV_VCPU_ENTER, dev), ENOTTY);
	FAILS(ioctl(dev, _IO(0xD7, 0x7f)), ENOTTY);
	FAILS(ioctl(dev, _IO(0xD6, 0x02)), ENOTTY);
	FAILS(read(dev, &(char){ 0 }, 1), EINVAL);
}

TEST(create_vm)
{
	struct dtv_create_vm ok = { .name = "a-Z_0.9", .cache_size = MIB }, arg;
	int dev = dev_open(), vm, other;

	FAILS(ioctl(dev, DTV_CREATE_VM, NULL), EFAULT);
#define BAD(change)                                             \
	do {                                                    \
		arg = ok;                                       \
		change;                                         \
		FAILS(ioctl(dev, DTV_CREATE_VM, &arg), EINVAL); \
	} while (0)
	BAD(arg.name[0] = 0);
	BAD(memset(arg.name, 'x', sizeof(arg.name)));
	BAD(strcpy(arg.name, "a b"));
	BAD(strcpy(arg.name, "a/b"));
	BAD(strcpy(arg.name, "\xc3\xa4"));
	BAD(arg.flags = 1);
	BAD(arg.reserved = 1);
	BAD(arg.cache_size = MIB + 1);
	BAD(arg.cache_size = MIB - 4096);
	BAD(arg.cache_size = 1024 * MIB + 4096);
#undef BAD
	vm = ioctl(dev, DTV_CREATE_VM, &ok);
	EXPECT(vm >= 0);
	EXPECT(fcntl(vm, F_GETFD) & FD_CLOEXEC);
	FAILS(ioctl(dev, DTV_CREATE_VM, &ok), EEXIST);
	arg = ok;
	arg.name[0] = 'b';
	other = ioctl(dev, DTV_CREATE_VM, &arg);
	EXPECT(other >= 0);
	EXPECT(!close(vm));
	/* The name is free again. */
	vm = ioctl(dev, DTV_CREATE_VM, &ok);
	EXPECT(vm >= 0);
}

TEST(vm_descriptor)
{
	int vm = vm_create("t");
	struct dtv_event ev;

	FAILS(ioctl(vm, DTV_GET_API_VERSION, 0), ENOTTY);
	FAILS(ioctl(vm, DTV_VCPU_EXIT), ENOTTY);
	FAILS(ioctl(vm, _IO(0xD7, 0x7f)), ENOTTY);
	FAILS(read(vm, &ev, sizeof(ev) - 1), EINVAL);
	EXPECT(!fcntl(vm, F_SETFL, O_NONBLOCK));
	FAILS(read(vm, &ev, sizeof(ev)), EAGAIN);
	FAILS((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, vm, 0), ENODEV);
	FAILS(write(vm, &ev, sizeof(ev)), EINVAL);
}

TEST(set_isa)
{
	struct dtv_isa ok = { "rv64gc_zba_zbb" }, arg;
	int vm = vm_create("t");

	EXPECT(ioctl(dev_open(), DTV_CHECK_CAP, DTV_CAP_ISA) == 1);
	FAILS(ioctl(vm, DTV_SET_ISA, NULL), EFAULT);
	memset(&arg, 'a', sizeof(arg));
	FAILS(ioctl(vm, DTV_SET_ISA, &arg), EINVAL);
	FAILS(ioctl(vm, DTV_SET_ISA, &(struct dtv_isa){ "" }), EINVAL);
	FAILS(ioctl(vm, DTV_SET_ISA, &(struct dtv_isa){ "rv64gc_zbx" }), EINVAL);
	FAILS(ioctl(vm, DTV_SET_ISA, &(struct dtv_isa){ "rv64imafd" }), EINVAL);
	EXPECT(!ioctl(vm, DTV_SET_ISA, &ok));
	EXPECT(!ioctl(vm, DTV_SET_ISA, &ok));
	EXPECT(ioctl(vm, DTV_CREATE_VCPU, 0) >= 0);
	FAILS(ioctl(vm, DTV_SET_ISA, &ok), EBUSY);
}

TEST(set_limit)
{
	struct dtv_limit ok = { .instructions = 1000 }, arg;
	int vm = vm_create("t");

	EXPECT(ioctl(dev_open(), DTV_CHECK_CAP, DTV_CAP_LIMIT) == 1);
	FAILS(ioctl(vm, DTV_SET_LIMIT, NULL), EFAULT);
	arg = (struct dtv_limit){ 0 };
	FAILS(ioctl(vm, DTV_SET_LIMIT, &arg), EINVAL);
	arg = (struct dtv_limit){ .instructions = DTV_LIMIT_MAX + 1 };
	FAILS(ioctl(vm, DTV_SET_LIMIT, &arg), EINVAL);
	arg = (struct dtv_limit){ .instructions = 1, .flags = 1 };
	FAILS(ioctl(vm, DTV_SET_LIMIT, &arg), EINVAL);
	arg = (struct dtv_limit){ .instructions = 1, .reserved = 1 };
	FAILS(ioctl(vm, DTV_SET_LIMIT, &arg), EINVAL);
	EXPECT(!ioctl(vm, DTV_SET_LIMIT, &ok));
	EXPECT(!ioctl(vm, DTV_SET_LIMIT, &ok));
	EXPECT(ioctl(vm, DTV_CREATE_VCPU, 0) >= 0);
	FAILS(ioctl(vm, DTV_SET_LIMIT, &ok), EBUSY);
}

TEST(set_memory)
{
	struct dtv_memory ok = { .gpa = DTV_GPA_RAM, .size = 2 * MIB, .offset = MIB }, arg;
	int vm = vm_create("t"), pipes[2], shm;

	ok.fd = ram_create(4 * MIB, F_SEAL_SHRINK);
	FAILS(ioctl(vm, DTV_SET_MEMORY, NULL), EFAULT);
#define BAD(change, err)                                     \
	do {                                                 \
		arg = ok;                                    \
		change;                                      \
		FAILS(ioctl(vm, DTV_SET_MEMORY, &arg), err); \
	} while (0)
	BAD(arg.slot = DTV_SLOTS_MAX, EINVAL);
	BAD(arg.slot = 1, EINVAL);
	BAD(arg.size = 0, EINVAL);
	BAD(arg.size = 4095, EINVAL);
	BAD(arg.gpa += 1, EINVAL);
	BAD(arg.offset += 512, EINVAL);
	BAD(arg.gpa = 0x1000, EINVAL);
	BAD(arg.gpa = -4096ULL, EINVAL);
	BAD(arg.gpa = 1ULL << 56, EINVAL);
	BAD(arg.size = 1ULL << 56, EINVAL);
	BAD(arg.size = 4 * MIB, EINVAL);
	BAD(arg.offset = -4096ULL, EINVAL);
	BAD(arg.offset = 1ULL << 62, EINVAL);
	BAD(arg.fd = -1, EBADF);
	BAD(arg.fd = 12345, EBADF);
	BAD(arg.fd = vm, EINVAL);
	BAD(arg.fd = ram_create(4 * MIB, 0), EINVAL);
	EXPECT(!pipe(pipes));
	BAD(arg.fd = pipes[0], EINVAL);
	BAD(arg.fd = open("/dev/zero", O_RDWR), EINVAL);
	shm = memfd_create("huge", MFD_HUGETLB | MFD_ALLOW_SEALING);
	if (shm >= 0) {
		fcntl(shm, F_ADD_SEALS, F_SEAL_SHRINK);
		BAD(arg.fd = shm, EINVAL);
	}
	EXPECT(!ioctl(vm, DTV_SET_MEMORY, &ok));
	BAD((void)0, EEXIST);
	BAD((arg.slot = 1, arg.gpa += MIB), EEXIST);
	BAD((arg.slot = 1, arg.gpa += 2 * MIB, arg.slot = 0), EEXIST);
	arg = ok;
	arg.slot = 1;
	arg.gpa += 2 * MIB;
	EXPECT(!ioctl(vm, DTV_SET_MEMORY, &arg));
#undef BAD
}

TEST(set_rom)
{
	struct dtv_memory ok = { .gpa = 0x1000, .size = MIB }, arg;
	int vm = vm_create("t");

	ok.fd = ram_create(4 * MIB, F_SEAL_SHRINK);
	FAILS(ioctl(vm, DTV_SET_ROM, NULL), EFAULT);
	FAILS(ioctl(vm, DTV_SHOW_ROM, NULL), EFAULT);
	FAILS(ioctl(vm, DTV_SHOW_ROM, &(struct dtv_show){ .slot = 0 }), EINVAL);
#define BAD(change, err)                                  \
	do {                                              \
		arg = ok;                                 \
		change;                                   \
		FAILS(ioctl(vm, DTV_SET_ROM, &arg), err); \
	} while (0)
	BAD(arg.slot = 1, EINVAL);
	BAD(arg.size = 0, EINVAL);
	BAD(arg.gpa = DTV_GPA_RAM, EINVAL);
	BAD(arg.gpa = DTV_GPA_RAM - MIB + 4096, EINVAL);
	BAD(arg.gpa = -4096ULL, EINVAL);
	BAD(arg.size = -4096ULL, EINVAL);
	BAD(arg.gpa = DTV_GPA_PLIC, EINVAL);
	BAD(arg.gpa = DTV_GPA_PLIC + DTV_GPA_PLIC_SIZE - 4096, EINVAL);
	BAD(arg.gpa = DTV_GPA_PLIC - MIB + 4096, EINVAL);
	BAD(arg.gpa = 0x02000000 - MIB + 4096, EINVAL);
	BAD(arg.gpa = 0x0200f000, EINVAL);
	BAD(arg.fd = ram_create(4 * MIB, 0), EINVAL);
	EXPECT(!ioctl(vm, DTV_SET_ROM, &ok));
	BAD((void)0, EEXIST);
	BAD((arg.slot = 1, arg.gpa = MIB), EEXIST);
	/* One sequence of numbers for both kinds. */
	arg = (struct dtv_memory){ .slot = 1, .gpa = DTV_GPA_RAM, .size = MIB, .fd = ok.fd };
	EXPECT(!ioctl(vm, DTV_SET_MEMORY, &arg));
	BAD((arg.slot = 2, arg.gpa = DTV_GPA_PLIC - MIB, arg.size = MIB, arg.fd = -1), EBADF);
	FAILS(ioctl(vm, DTV_SHOW_ROM, &(struct dtv_show){ .slot = 1 }), EINVAL);
	FAILS(ioctl(vm, DTV_SHOW_ROM, &(struct dtv_show){ .slot = 2 }), EINVAL);
	FAILS(ioctl(vm, DTV_SHOW_ROM, &(struct dtv_show){ .slot = 0, .shown = 2 }), EINVAL);
	EXPECT(!ioctl(vm, DTV_SHOW_ROM, &(struct dtv_show){ .slot = 0, .shown = 0 }));
	EXPECT(!ioctl(vm, DTV_SHOW_ROM, &(struct dtv_show){ .slot = 0, .shown = 0 }));
	EXPECT(!ioctl(vm, DTV_SHOW_ROM, &(struct dtv_show){ .slot = 0, .shown = 1 }));
	EXPECT(!ioctl(vm, DTV_WRITTEN, &(struct dtv_range){ .gpa = 0x1000, .size = MIB }));
#undef BAD
}

TEST(create_vcpu)
{
	int vm = vm_create("t"), vcpu;

	FAILS(ioctl(vm, DTV_CREATE_VCPU, DTV_VCPUS_MAX), EINVAL);
	FAILS(ioctl(vm, DTV_CREATE_VCPU, -1L), EINVAL);
	FAILS(ioctl(vm, DTV_CREATE_VCPU, 1), EINVAL);
	for (long i = 0; i < DTV_VCPUS_MAX; i++) {
		vcpu = ioctl(vm, DTV_CREATE_VCPU, i);
		EXPECT(vcpu >= 0);
	}
	FAILS(ioctl(vm, DTV_CREATE_VCPU, 0), EEXIST);
	FAILS(ioctl(vcpu, DTV_START), ENOTTY);
	FAILS(ioctl(vcpu, _IO(0xD7, 0x7f)), ENOTTY);
	/* Of the jail alone. */
	FAILS(ioctl(vcpu, DTV_VCPU_EXIT), EPERM);
	FAILS(ioctl(vcpu, DTV_VCPU_STRAY), EPERM);
	FAILS((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, vcpu, 0), EACCES);
	FAILS((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, vcpu, 0), EACCES);
	FAILS(read(vcpu, &(char){ 0 }, 1), EINVAL);
}

TEST(entry_and_start)
{
	struct dtv_memory mem = { .gpa = DTV_GPA_RAM, .size = MIB };
	struct dtv_entry entry = { .pc = DTV_GPA_RAM };
	int vm = vm_create("t");

	FAILS(ioctl(vm, DTV_START), EINVAL);
	FAILS(ioctl(vm, DTV_PAUSE), EINVAL);
	FAILS(ioctl(vm, DTV_UNPAUSE), EINVAL);
	FAILS(ioctl(vm, DTV_SET_ENTRY, NULL), EFAULT);
	FAILS(ioctl(vm, DTV_SET_ENTRY, &((struct dtv_entry){ .pc = DTV_GPA_RAM + 1 })), EINVAL);
	FAILS(ioctl(vm, DTV_SET_ENTRY, &((struct dtv_entry){ .flags = 2 })), EINVAL);
	FAILS(ioctl(vm, DTV_SET_ENTRY, &((struct dtv_entry){ .reserved = 1 })), EINVAL);
	EXPECT(ioctl(vm, DTV_CREATE_VCPU, 0) >= 0);
	FAILS(ioctl(vm, DTV_START), EINVAL);
	EXPECT(!ioctl(vm, DTV_SET_ENTRY, &entry));
	FAILS(ioctl(vm, DTV_START), EINVAL);
	mem.fd = ram_create(MIB, F_SEAL_SHRINK);
	EXPECT(!ioctl(vm, DTV_SET_MEMORY, &mem));
	EXPECT(!ioctl(vm, DTV_START));
	FAILS(ioctl(vm, DTV_START), EALREADY);
	FAILS(ioctl(vm, DTV_UNPAUSE), EALREADY);
	FAILS(ioctl(vm, DTV_SET_ENTRY, &entry), EBUSY);
	mem.slot = 1;
	mem.gpa += MIB;
	FAILS(ioctl(vm, DTV_SET_MEMORY, &mem), EBUSY);
	FAILS(ioctl(vm, DTV_CREATE_VCPU, 1), EBUSY);
	EXPECT(!ioctl(vm, DTV_PAUSE));
	FAILS(ioctl(vm, DTV_PAUSE), EALREADY);
	FAILS(ioctl(vm, DTV_START), EALREADY);
	EXPECT(!ioctl(vm, DTV_UNPAUSE));
}

TEST(interrupts)
{
	struct dtv_irq_level ok = { .irq = 10, .level = 1 }, arg;
	struct dtv_irqfd irqfd = { .irq = 10 }, fd;
	int vm = vm_create("t");

	FAILS(ioctl(vm, DTV_IRQ_LINE, NULL), EFAULT);
	EXPECT(!ioctl(vm, DTV_IRQ_LINE, &ok));
	arg = ok;
	arg.irq = 0;
	FAILS(ioctl(vm, DTV_IRQ_LINE, &arg), EINVAL);
	arg = ok;
	arg.irq = DTV_IRQS_MAX;
	FAILS(ioctl(vm, DTV_IRQ_LINE, &arg), EINVAL);
	arg = ok;
	arg.level = 2;
	FAILS(ioctl(vm, DTV_IRQ_LINE, &arg), EINVAL);

	irqfd.fd = eventfd(0, 0);
	FAILS(ioctl(vm, DTV_IRQFD, NULL), EFAULT);
	fd = irqfd;
	fd.irq = 0;
	FAILS(ioctl(vm, DTV_IRQFD, &fd), EINVAL);
	fd = irqfd;
	fd.irq = DTV_IRQS_MAX;
	FAILS(ioctl(vm, DTV_IRQFD, &fd), EINVAL);
	fd = irqfd;
	fd.flags = 2;
	FAILS(ioctl(vm, DTV_IRQFD, &fd), EINVAL);
	fd = irqfd;
	fd.reserved = 1;
	FAILS(ioctl(vm, DTV_IRQFD, &fd), EINVAL);
	fd = irqfd;
	fd.fd = -1;
	FAILS(ioctl(vm, DTV_IRQFD, &fd), EBADF);
	fd = irqfd;
	fd.fd = vm;
	FAILS(ioctl(vm, DTV_IRQFD, &fd), EINVAL);
	fd = irqfd;
	fd.flags = DTV_IRQFD_DEASSIGN;
	FAILS(ioctl(vm, DTV_IRQFD, &fd), ENOENT);
	EXPECT(!ioctl(vm, DTV_IRQFD, &irqfd));
	FAILS(ioctl(vm, DTV_IRQFD, &irqfd), EEXIST);
	EXPECT(write(irqfd.fd, &(uint64_t){ 1 }, 8) == 8);
	EXPECT(!ioctl(vm, DTV_IRQFD, &fd));
	EXPECT(!ioctl(vm, DTV_IRQFD, &irqfd));
	EXPECT(!close(irqfd.fd));
	/* As many as there is room for, closed ones not counted. */
	for (int i = 0; i < 4 * DTV_IRQS_MAX; i++) {
		irqfd.fd = eventfd(i & 1, 0);
		irqfd.irq = 1 + i % (DTV_IRQS_MAX - 1);
		EXPECT(irqfd.fd >= 0 && !ioctl(vm, DTV_IRQFD, &irqfd));
	}
	irqfd.fd = eventfd(0, 0);
	FAILS(ioctl(vm, DTV_IRQFD, &irqfd), ENOSPC);
}

TEST(reply_and_written)
{
	struct vm vm = vm_make("t", 1, spin, sizeof(spin));
	struct dtv_mmio_reply reply = { .vcpu = 0 };
	struct dtv_range range = { .gpa = DTV_GPA_RAM, .size = 16 * MIB };

	FAILS(ioctl(vm.fd, DTV_MMIO_REPLY, NULL), EFAULT);
	FAILS(ioctl(vm.fd, DTV_MMIO_REPLY, &reply), ENOENT);
	reply.status = 2;
	FAILS(ioctl(vm.fd, DTV_MMIO_REPLY, &reply), EINVAL);
	reply.status = 0;
	reply.vcpu = 1;
	FAILS(ioctl(vm.fd, DTV_MMIO_REPLY, &reply), EINVAL);
	reply.vcpu = -1;
	FAILS(ioctl(vm.fd, DTV_MMIO_REPLY, &reply), EINVAL);

	EXPECT(!ioctl(vm.fd, DTV_WRITTEN, &range));
	range.size += 1;
	FAILS(ioctl(vm.fd, DTV_WRITTEN, &range), EINVAL);
	range.size = 0;
	FAILS(ioctl(vm.fd, DTV_WRITTEN, &range), EINVAL);
	range = (struct dtv_range){ .gpa = DTV_GPA_RAM - 1, .size = 1 };
	FAILS(ioctl(vm.fd, DTV_WRITTEN, &range), EINVAL);
	range = (struct dtv_range){ .gpa = DTV_GPA_RAM + 8, .size = -8ULL };
	FAILS(ioctl(vm.fd, DTV_WRITTEN, &range), EINVAL);
	FAILS(ioctl(vm.fd, DTV_WRITTEN, NULL), EFAULT);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* All of a large memory at once: it takes its time, and can be killed meanwhile. */
TEST(written_much)
{
	const uint64_t size = 64ULL << 30;
	struct dtv_memory mem = { .gpa = DTV_GPA_RAM, .size = size };
	struct dtv_range range = { .gpa = DTV_GPA_RAM, .size = size };
	int vm = vm_create("t"), status;
	double begin, took;
	pid_t pid;

	mem.fd = ram_create(size, F_SEAL_SHRINK);
	EXPECT(!ioctl(vm, DTV_SET_MEMORY, &mem));
	begin = seconds();
	EXPECT(!ioctl(vm, DTV_WRITTEN, &range));
	took = seconds() - begin;
	pid = fork();
	if (!pid)
		while (!ioctl(vm, DTV_WRITTEN, &range))
			;
	nap(took * 100);
	begin = seconds();
	EXPECT(!kill(pid, SIGKILL) && waitpid(pid, &status, 0) == pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	printf("# %.3f s, killed within %.3f\n", took, seconds() - begin);
	EXPECT(seconds() - begin < took / 2 + 0.05);
}

#define CGROUP "/sys/fs/cgroup/dtv-test"

static void cgroup_write(const char *dir, const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY);
	EXPECT(fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value));
	close(fd);
}

/* Bytes of kernel memory that the group is charged for. */
static unsigned long cgroup_kernel(void)
{
	unsigned long bytes = 0;
	char line[128];
	FILE *f = fopen(CGROUP "/memory.stat", "r");

	EXPECT(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "kernel %lu", &bytes) == 1)
			break;
	fclose(f);
	return bytes;
}

/* What a VM is made of is charged to the maker's control group, whose limit is an error. */
TEST(control_group)
{
	struct dtv_create_vm arg = { .name = "group", .cache_size = 32 * MIB };
	unsigned long before, vm_bytes, vcpu_bytes;
	int dev = dev_open(), fd, i;

	cgroup_write("/sys/fs/cgroup", "cgroup.subtree_control", "+memory");
	EXPECT(!mkdir(CGROUP, 0755) || errno == EEXIST);
	cgroup_write(CGROUP, "memory.max", "max");
	cgroup_write(CGROUP, "cgroup.procs", "0");
	before = cgroup_kernel();
	fd = ioctl(dev, DTV_CREATE_VM, &arg);
	EXPECT(fd >= 0);
	vm_bytes = cgroup_kernel() - before;
	before += vm_bytes;
	for (i = 0; i < 16; i++)
		EXPECT(ioctl(fd, DTV_CREATE_VCPU, (long)i) >= 0);
	vcpu_bytes = (cgroup_kernel() - before) / 16;
	printf("# VM: %lu KiB, vCPU: %lu KiB\n", vm_bytes >> 10, vcpu_bytes >> 10);
	EXPECT(vm_bytes >= 32 * MIB);
	/* The area alone. */
	EXPECT(vcpu_bytes >= 128 << 10);
	cgroup_write(CGROUP, "memory.max", "100M");
	strcpy(arg.name, "more");
	arg.cache_size = 1024 * MIB;
	FAILS(ioctl(dev, DTV_CREATE_VM, &arg), ENOMEM);
	cgroup_write("/sys/fs/cgroup", "cgroup.procs", "0");
}

TEST(stop)
{
	struct vm vm = vm_make("t", 1, spin, sizeof(spin));
	struct dtv_stop stop = { .reason = "because" };
	struct dtv_memory mem = { .slot = 1, .gpa = DTV_GPA_RAM + 16 * MIB, .size = MIB };
	struct dtv_entry entry = { .pc = DTV_GPA_RAM };
	struct dtv_stats stats;
	struct dtv_state state;
	struct dtv_event ev;

	FAILS(ioctl(vm.fd, DTV_STOP_VM, NULL), EFAULT);
	FAILS(ioctl(vm.fd, DTV_STOP_VM, &((struct dtv_stop){ .reason = "" })), EINVAL);
	memset(stop.reason, 'x', sizeof(stop.reason));
	FAILS(ioctl(vm.fd, DTV_STOP_VM, &stop), EINVAL);
	EXPECT(!ioctl(vm.fd, DTV_GET_STATE, &state));
	EXPECT(state.state == DTV_VM_CREATED && state.vcpus == 1 && !*state.reason);
	EXPECT(!ioctl(vm.fd, DTV_GET_STATS, &stats));
	FAILS(ioctl(vm.fd, DTV_GET_STATE, NULL), EFAULT);
	FAILS(ioctl(vm.fd, DTV_GET_STATS, NULL), EFAULT);

	stop = (struct dtv_stop){ .reason = "because" };
	EXPECT(!ioctl(vm.fd, DTV_STOP_VM, &stop));
	state = vm_wait_stop(&vm);
	EXPECT(!strcmp(state.reason, "because"));
	EXPECT(read(vm.fd, &ev, sizeof(ev)) == 0);
	/* The first reason stays, and nothing starts any more. */
	stop = (struct dtv_stop){ .reason = "again" };
	FAILS(ioctl(vm.fd, DTV_STOP_VM, &stop), ESHUTDOWN);
	FAILS(ioctl(vm.fd, DTV_START), ESHUTDOWN);
	FAILS(ioctl(vm.fd, DTV_PAUSE), ESHUTDOWN);
	FAILS(ioctl(vm.fd, DTV_UNPAUSE), ESHUTDOWN);
	FAILS(ioctl(vm.fd, DTV_CREATE_VCPU, 1), ESHUTDOWN);
	FAILS(ioctl(vm.fd, DTV_SET_ENTRY, &entry), ESHUTDOWN);
	mem.fd = ram_create(MIB, F_SEAL_SHRINK);
	FAILS(ioctl(vm.fd, DTV_SET_MEMORY, &mem), ESHUTDOWN);
	FAILS(ioctl(vm.vcpu[0], DTV_VCPU_ENTER, (long)vm.vcpu[0]), ESHUTDOWN);
	EXPECT(!ioctl(vm.fd, DTV_GET_STATE, &state));
	EXPECT(!strcmp(state.reason, "because"));
}

static int in_child(int (*fn)(void *), void *arg)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(fn(arg));
	EXPECT(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int enter(void *arg)
{
	struct vm *vm = arg;

	ioctl(vm->vcpu[0], DTV_VCPU_ENTER, (long)vm->vcpu[0]);
	return errno;
}

static int enter_vfork(void *arg)
{
	static int err;

	/* The memory is the parent's too. */
	if (!vfork()) {
		enter(arg);
		err = errno;
		_exit(0);
	}
	return err;
}

static void *sleep_on(void *arg)
{
	pause();
	return arg;
}

static int enter_with_thread(void *arg)
{
	pthread_t thread;

	EXPECT(!pthread_create(&thread, NULL, sleep_on, NULL));
	return enter(arg);
}

static int enter_without_space(void *arg)
{
	EXPECT(!setrlimit(RLIMIT_AS, &(struct rlimit){ 1ULL << 40, 1ULL << 40 }));
	return enter(arg);
}

TEST(enter)
{
	struct vm vm = vm_make("t", 1, spin, sizeof(spin));
	int other = vm_create("other");

	FAILS(ioctl(vm.vcpu[0], DTV_VCPU_ENTER, -1L), EINVAL);
	FAILS(ioctl(vm.vcpu[0], DTV_VCPU_ENTER, (long)vm.fd), EINVAL);
	FAILS(ioctl(vm.vcpu[0], DTV_VCPU_ENTER, (long)other), EINVAL);
	EXPECT(in_child(enter_vfork, &vm) == EBUSY);
	EXPECT(in_child(enter_with_thread, &vm) == EBUSY);
	EXPECT(in_child(enter_without_space, &vm) == ENOMEM);
	vm_jail(&vm, 0);
	vm_wait_jail(&vm, 0);
	EXPECT(in_child(enter, &vm) == EBUSY);
	EXPECT(!ioctl(vm.fd, DTV_STOP_VM, &((struct dtv_stop){ .reason = "end" })));
	vm_reap(&vm, 0, SIGKILL);
}

int main(void)
{
	return tap_main();
}
