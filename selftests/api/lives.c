// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lives.c - running VMs: events, pause, what a jail has mapped, and every way
 * for one to end.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "vm.h"

/* Where a jail has its parts. */
#define AREA 0x20000000UL
#define CACHE 0x40000000UL
#define VIEW 0x100000000000UL
#define VIEW_STRIDE (528UL << 30)

#define UART 0x10000

static const uint32_t spin[] = { RV_SPIN };
static const uint32_t idle[] = { RV_WFI, RV_JUMP(-4) };
static const uint32_t poweroff[] = { RV_NOP };

static double cpu_seconds(pid_t pid)
{
	unsigned long user, system;
	char path[64], text[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	EXPECT(f && fgets(text, sizeof(text), f));
	fclose(f);
	EXPECT(sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		      &user, &system) == 2);
	return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

static unsigned long status_kib(pid_t pid, const char *key)
{
	char path[64], line[128];
	unsigned long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			kib = strtoul(line + strlen(key) + 1, NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

TEST(power_off)
{
	struct vm vm = vm_make("t", 1, poweroff, sizeof(poweroff));
	struct dtv_state state;
	struct dtv_event ev;

	vm_start(&vm, 1);
	EXPECT(vm_event(&vm, &ev, 30));
	EXPECT(ev.type == DTV_EVENT_RESET && ev.addr == 0 && ev.data == 0);
	state = vm_wait_stop(&vm);
	EXPECT(!strcmp(state.reason, "guest: poweroff"));
	vm_reap(&vm, 0, SIGKILL);
}

TEST(mmio)
{
	/* Load from the UART's page, store what came plus one, then a load of nothing. */
	static const uint32_t code[] = {
		RV_LUI(T0, UART), RV_LW(T1, T0, 4), RV_ADDI(T1, T1, 1), RV_SW(T1, T0, 0), RV_SPIN,
	};
	struct vm vm = vm_make("t", 1, code, sizeof(code));
	struct dtv_mmio_reply reply = { 0 };
	struct dtv_stats stats;
	struct dtv_event ev;

	vm_start(&vm, 1);
	EXPECT(vm_event(&vm, &ev, 30));
	EXPECT(ev.type == DTV_EVENT_MMIO && ev.vcpu == 0 && ev.addr == 0x10000004);
	EXPECT(ev.len == 4 && !ev.write);
	reply.id = ev.id + 1;
	FAILS(ioctl(vm.fd, DTV_MMIO_REPLY, &reply), ENOENT);
	reply.id = ev.id;
	reply.data = 0x1234;
	EXPECT(!ioctl(vm.fd, DTV_MMIO_REPLY, &reply));
	FAILS(ioctl(vm.fd, DTV_MMIO_REPLY, &reply), ENOENT);
	EXPECT(vm_event(&vm, &ev, 30));
	EXPECT(ev.type == DTV_EVENT_MMIO && ev.addr == 0x10000000 && ev.write && ev.data == 0x1235);
	reply.id = ev.id;
	EXPECT(!ioctl(vm.fd, DTV_MMIO_REPLY, &reply));
	EXPECT(!ioctl(vm.fd, DTV_GET_STATS, &stats));
	EXPECT(stats.mmio == 2);
}

TEST(idle_uses_no_cpu)
{
	struct vm vm = vm_make("t", 2, idle, sizeof(idle));

	vm_start(&vm, 2);
	nap(1000 * tap_slow());

	double before = cpu_seconds(vm.jail[0]) + cpu_seconds(vm.jail[1]);

	nap(2000);
	EXPECT(cpu_seconds(vm.jail[0]) + cpu_seconds(vm.jail[1]) - before < 0.1);
}

TEST(pause)
{
	struct vm vm = vm_make("t", 1, spin, sizeof(spin));
	struct dtv_state state;
	double before;

	vm_start(&vm, 1);
	nap(500);
	EXPECT(!ioctl(vm.fd, DTV_PAUSE));
	EXPECT(!ioctl(vm.fd, DTV_GET_STATE, &state) && state.state == DTV_VM_PAUSED);
	before = cpu_seconds(vm.jail[0]);
	nap(1000);
	EXPECT(cpu_seconds(vm.jail[0]) - before < 0.1);
	EXPECT(!ioctl(vm.fd, DTV_UNPAUSE));
	before = cpu_seconds(vm.jail[0]);
	nap(1000);
	EXPECT(cpu_seconds(vm.jail[0]) - before > 0.3);
}

/* A jail in translated code, in wfi and held can be stopped and continued like any process. */
static void stop_and_continue(struct vm *vm)
{
	int status;

	nap(300);
	EXPECT(!kill(vm->jail[0], SIGSTOP));
	EXPECT(waitpid(vm->jail[0], &status, WUNTRACED) == vm->jail[0] && WIFSTOPPED(status));
	EXPECT(!kill(vm->jail[0], SIGCONT));
	nap(300);
	EXPECT(!kill(vm->jail[0], 0));
	EXPECT(waitpid(vm->jail[0], &status, WNOHANG) == 0);
}

TEST(stop_signal)
{
	struct vm a = vm_make("a", 1, spin, sizeof(spin)), b = vm_make("b", 1, idle, sizeof(idle));

	vm_jail(&a, 0);
	vm_wait_jail(&a, 0);
	stop_and_continue(&a);
	EXPECT(!ioctl(a.fd, DTV_START));
	stop_and_continue(&a);
	vm_start(&b, 1);
	stop_and_continue(&b);
}

TEST(maps)
{
	struct vm vm = vm_make("t", 1, spin, sizeof(spin));
	unsigned int all = 0, code = 0, area = 0, views = 0;
	unsigned long start, end, offset;
	char path[64], line[256], perm[5];
	FILE *f;

	vm_start(&vm, 1);
	nap(500);
	snprintf(path, sizeof(path), "/proc/%d/maps", vm.jail[0]);
	f = fopen(path, "r");
	EXPECT(f);
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, "[vsyscall]"))
			continue;
		EXPECT(sscanf(line, "%lx-%lx %4s %lx", &start, &end, perm, &offset) == 4);
		EXPECT(strstr(line, "dtv-vcpu"));
		EXPECT(!(perm[1] == 'w' && perm[2] == 'x'));
		all++;
		if (!strcmp(perm, "r-xs") && end - start == MIB)
			code++;
		else if (!strcmp(perm, "rw-s") && end - start < MIB)
			area++;
		else if (!strcmp(perm, "rw-s") && end - start > 512ULL << 30)
			views++;
	}
	fclose(f);
	EXPECT(code == 1 && area == 1 && views == all - 2 && views >= 16);
}

/* What a process can have set for its mappings does not change a jail's. */
TEST(odd_process)
{
	struct vm vm = vm_make("t", 1, spin, sizeof(spin));
	char path[64], line[256];
	FILE *f;

	vm.jail[0] = fork();
	if (!vm.jail[0]) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		personality(READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE);
		mlockall(MCL_CURRENT | MCL_FUTURE);
		signal(SIGUSR1, (void (*)(int))(uintptr_t)0x12345678);
		close(vm.fd);
		ioctl(vm.vcpu[0], DTV_VCPU_ENTER, (long)vm.vcpu[0]);
		_exit(9);
	}
	vm_wait_jail(&vm, 0);
	EXPECT(!ioctl(vm.fd, DTV_START));
	snprintf(path, sizeof(path), "/proc/%d/maps", vm.jail[0]);
	f = fopen(path, "r");
	EXPECT(f);
	while (fgets(line, sizeof(line), f))
		EXPECT(!strstr(line, "wx"));
	fclose(f);
	EXPECT(status_kib(vm.jail[0], "VmLck:") == 0);
	/* Handlers are gone with their code: the default action is the end. */
	EXPECT(!kill(vm.jail[0], SIGUSR1));
	vm_reap(&vm, 0, SIGUSR1);
}

/* SIGSEGV is handled in the cache, by asking the module. */
TEST(stray)
{
	struct vm vm = vm_make("t", 1, spin, sizeof(spin));
	struct dtv_state state;

	vm_start(&vm, 1);
	nap(300);
	EXPECT(!kill(vm.jail[0], SIGSEGV));
	state = vm_wait_stop(&vm);
	EXPECT(!strcmp(state.reason, "translated code reached outside of its views"));
	vm_reap(&vm, 0, SIGKILL);
}

/* The same before the jail has been in translated code at all. */
TEST(stray_at_once)
{
	struct vm vm = vm_make("t", 1, spin, sizeof(spin));
	struct dtv_state state;
	sigset_t set;

	vm.jail[0] = fork();
	if (!vm.jail[0]) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigemptyset(&set);
		sigaddset(&set, SIGSEGV);
		sigprocmask(SIG_BLOCK, &set, NULL);
		raise(SIGSEGV);
		close(vm.fd);
		ioctl(vm.vcpu[0], DTV_VCPU_ENTER, (long)vm.vcpu[0]);
		_exit(9);
	}
	state = vm_wait_stop(&vm);
	EXPECT(!strcmp(state.reason, "translated code reached outside of its views"));
	vm_reap(&vm, 0, SIGKILL);
}

TEST(kill_jail)
{
	struct vm vm = vm_make("t", 2, spin, sizeof(spin));
	struct dtv_state state;

	vm_start(&vm, 2);
	nap(300);
	EXPECT(!kill(vm.jail[1], SIGKILL));
	state = vm_wait_stop(&vm);
	EXPECT(!strcmp(state.reason, "vcpu 1: jail killed by signal 9"));
	vm_reap(&vm, 0, SIGKILL);
	vm_reap(&vm, 1, SIGKILL);
}

TEST(terminate_jail)
{
	struct vm vm = vm_make("t", 1, idle, sizeof(idle));
	struct dtv_state state;

	vm_start(&vm, 1);
	nap(300);
	EXPECT(!kill(vm.jail[0], SIGTERM));
	state = vm_wait_stop(&vm);
	EXPECT(!strcmp(state.reason, "vcpu 0: jail killed by signal 15"));
	vm_reap(&vm, 0, SIGTERM);
}

TEST(owner_closes)
{
	struct vm vm = vm_make("t", 2, spin, sizeof(spin));
	int again;

	vm_start(&vm, 2);
	nap(300);
	EXPECT(!close(vm.fd));
	vm_reap(&vm, 0, SIGKILL);
	vm_reap(&vm, 1, SIGKILL);
	again = vm_create("t");
	EXPECT(again >= 0);
}

TEST(killed_while_mmio_waits)
{
	static const uint32_t code[] = { RV_LUI(T0, UART), RV_LW(T1, T0, 0), RV_SPIN };
	struct vm vm = vm_make("t", 1, code, sizeof(code));
	struct dtv_event ev;

	vm_start(&vm, 1);
	EXPECT(vm_event(&vm, &ev, 30) && ev.type == DTV_EVENT_MMIO);
	EXPECT(!kill(vm.jail[0], SIGKILL));
	vm_reap(&vm, 0, SIGKILL);
	EXPECT(vm_event(&vm, &ev, 30) && ev.type == DTV_EVENT_STOPPED);
}

/* A guest that jumps to where nothing is traps for ever; its host can still end it. */
TEST(jump_into_nothing)
{
	static const uint32_t code[] = { 0x00000067 }; /* jr x0 */
	struct vm vm = vm_make("t", 1, code, sizeof(code));

	vm_start(&vm, 1);
	nap(1000);
	EXPECT(!ioctl(vm.fd, DTV_STOP_VM, &((struct dtv_stop){ .reason = "end" })));
	vm_reap(&vm, 0, SIGKILL);
}

static void touch_and_see(const char *reason)
{
	/* A store to each page of 4 MiB from RAM + 1 MiB on, then power off. */
	static const uint32_t code[] = {
		RV_AUIPC(T1, 0x100), RV_LUI(T3, 1),	 RV_AUIPC(T4, 0x500),
		RV_SB(0, T1),	     RV_ADD(T1, T1, T3), RV_BLTU(T1, T4, -8),
	};
	struct vm vm = vm_make("lock", 1, code, sizeof(code));
	struct dtv_state state;
	struct dtv_stats stats;

	vm_start(&vm, 1);
	state = vm_wait_stop(&vm);
	printf("# %s\n", state.reason);
	EXPECT(!strncmp(state.reason, reason, strlen(reason)));
	EXPECT(!ioctl(vm.fd, DTV_GET_STATS, &stats));
	EXPECT(status_kib(getpid(), "VmPin:") == stats.pinned >> 10 && stats.pinned);
	vm_reap(&vm, 0, SIGKILL);
	close(vm.fd);
	close(vm.vcpu[0]);
}

/* Guest memory counts against the owner's limit, and is given back. */
TEST(memlock)
{
	const struct rlimit little = { MIB, MIB };

	touch_and_see("guest: poweroff");
	for (int i = 0; i < 50 && status_kib(getpid(), "VmPin:"); i++)
		nap(100);
	EXPECT(status_kib(getpid(), "VmPin:") == 0);
	/* The device is opened while we may. */
	EXPECT(!chmod(DTV_DEVICE, 0666));
	EXPECT(!setrlimit(RLIMIT_MEMLOCK, &little) && !setuid(65534));
	/* To look at our jails all the same. */
	EXPECT(!prctl(PR_SET_DUMPABLE, 1));
	for (int i = 0; i < 3; i++) {
		touch_and_see("no more memory may be locked: RLIMIT_MEMLOCK of 1024 KiB");
		for (int j = 0; j < 50 && status_kib(getpid(), "VmPin:"); j++)
			nap(100);
	}
}

/* A guest that maps a page everywhere and touches it there: host page tables stay bounded. */
TEST(page_tables_bounded)
{
	enum { V = 1, R = 2, W = 4, X = 8, A = 0x40, D = 0x80, LEAF = V | R | W | A | D };
	static const uint32_t code[] = {
		RV_AUIPC(T2, 1),    RV_LD(T0, T2, 0),	 RV_LD(T1, T2, 8), RV_LD(T3, T2, 16),
		RV_LD(T4, T2, 24),  RV_CSRW(0x180, T0),	 RV_SFENCE_VMA,	   RV_SB(0, T1),
		RV_ADD(T1, T1, T3), RV_BLTU(T1, T4, -8),
	};
	struct vm vm = vm_make("t", 1, code, sizeof(code));
	/* Enough for several times what there may be of them. */
	const uint64_t data[] = { 8ULL << 60 | (DTV_GPA_RAM + 0x2000) >> 12, 4ULL << 30, 2 * MIB,
				  (4ULL + 196 / tap_slow()) << 30 };
	uint64_t *root = (void *)(vm.ram + 0x2000), *mid = (void *)(vm.ram + 0x3000),
		 *low = (void *)(vm.ram + 0x4000);
	unsigned long most = 0, kib;
	struct dtv_event ev;

	memcpy(vm.ram + 0x1000, data, sizeof(data));
	for (int i = 0; i < 512; i++) {
		root[i] = (DTV_GPA_RAM + 0x3000) >> 12 << 10 | V;
		mid[i] = (DTV_GPA_RAM + 0x4000) >> 12 << 10 | V;
		low[i] = (DTV_GPA_RAM + 0x5000) >> 12 << 10 | LEAF;
	}
	root[2] = DTV_GPA_RAM >> 12 << 10 | LEAF | X;
	vm_start(&vm, 1);
	while (!vm_event(&vm, &ev, 0)) {
		kib = status_kib(vm.jail[0], "VmPTE:");
		most = kib > most ? kib : most;
		nap(20);
	}
	printf("# at most %lu KiB of page tables\n", most);
	EXPECT(ev.type == DTV_EVENT_RESET);
	EXPECT(most > 10000 && most < 40000);
	EXPECT(vm_wait_stop(&vm).reason[0] == 'g');
}

/* Is a stopped process in a system call, which for a jail is the module's? proc(5), syscall. */
static bool in_system_call(pid_t pid)
{
	char name[64], first = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/syscall", pid);
	f = fopen(name, "r");
	EXPECT(f && fread(&first, 1, 1, f) == 1);
	fclose(f);
	return first != '-';
}

/*
 * A stopped jail cannot leave translated code. Another one that waits for it, here with a remote
 * fence, is hardly a load meanwhile and can be stopped too; and both go on.
 */
TEST(stopped_peer)
{
	static const uint32_t code[] = {
		/* Start hart 1 behind the loop, with a1 = RAM + 1 MiB. */
		RV_LUI(A7, 0x485),
		RV_ADDI(A7, A7, 0x34d),
		RV_ADDI(A6, 0, 0),
		RV_ADDI(A0, 0, 1),
		RV_AUIPC(A1, 0),
		RV_ADDI(A1, A1, 20),
		RV_AUIPC(12, 0x100),
		RV_ECALL,
		RV_SPIN,
		/* Hart 1: fence hart 0, count. */
		RV_ADDI(T1, A1, 0),
		RV_LUI(A7, 0x52465),
		RV_ADDI(A7, A7, -0x1bd),
		RV_ADDI(A6, 0, 1),
		RV_ADDI(A0, 0, 1),
		RV_ADDI(A1, 0, 0),
		RV_ADDI(12, 0, 0),
		RV_ADDI(13, 0, -1),
		RV_ECALL,
		RV_ADDI(T0, T0, 1),
		RV_SW(T0, T1, 0),
		RV_JUMP(-32),
	};
	struct vm vm = vm_make("t", 2, code, sizeof(code));
	volatile uint32_t *count = (void *)(vm.ram + MIB + 24);
	double before;
	uint32_t seen;
	int status;

	vm_start(&vm, 2);
	for (int i = 0; i < 500 && *count < 10; i++)
		nap(20);
	EXPECT(*count >= 10);
	/*
	 * A hart 0 that is stopped in the module, on the way back from a kick, is nothing that a
	 * fence has to wait for. One in translated code is, each time.
	 */
	for (int tries = 1;; tries++) {
		EXPECT(!kill(vm.jail[0], SIGSTOP));
		EXPECT(waitpid(vm.jail[0], &status, WUNTRACED) == vm.jail[0] && WIFSTOPPED(status));
		if (!in_system_call(vm.jail[0]))
			break;
		EXPECT(tries < 20);
		EXPECT(!kill(vm.jail[0], SIGCONT));
		nap(20);
	}
	nap(500);
	seen = *count;
	before = cpu_seconds(vm.jail[1]);
	nap(2000);
	printf("# waiting: %.2f of 2 s\n", cpu_seconds(vm.jail[1]) - before);
	EXPECT(cpu_seconds(vm.jail[1]) - before < 0.5);
	EXPECT(*count == seen);
	EXPECT(!kill(vm.jail[1], SIGSTOP));
	status = 0;
	for (int i = 0; i < 250 && !status; i++) {
		nap(20);
		EXPECT(waitpid(vm.jail[1], &status, WUNTRACED | WNOHANG) >= 0);
	}
	EXPECT(WIFSTOPPED(status));
	EXPECT(!kill(vm.jail[1], SIGCONT) && !kill(vm.jail[0], SIGCONT));
	for (int i = 0; i < 500 && *count < seen + 10; i++)
		nap(20);
	EXPECT(*count >= seen + 10);
}

#define DIED (-1000)

/*
 * Have the traced jail make a system call in place of its next one, which comes
 * afterwards. The jail is at the entry of a system call, before and after.
 * Return: the call's result; DIED: of SIGKILL.
 */
static long inject(pid_t pid, long nr, unsigned long a, unsigned long b, unsigned long c,
		   unsigned long d, unsigned long e)
{
	struct user_regs_struct regs, saved;
	int status;
	long ret;

	EXPECT(!ptrace(PTRACE_GETREGS, pid, 0, &saved));
	regs = saved;
	regs.orig_rax = nr;
	regs.rdi = a;
	regs.rsi = b;
	regs.rdx = c;
	regs.r10 = d;
	regs.r8 = e;
	regs.r9 = 0;
	saved.rip -= 2;
	saved.rax = saved.orig_rax;
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) || ptrace(PTRACE_SYSCALL, pid, 0, 0))
		goto gone;
	EXPECT(waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return DIED;
	EXPECT(WIFSTOPPED(status));
	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) || ptrace(PTRACE_SETREGS, pid, 0, &saved) ||
	    ptrace(PTRACE_SYSCALL, pid, 0, 0))
		goto gone;
	ret = regs.rax;
	EXPECT(waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return DIED;
	EXPECT(WIFSTOPPED(status));
	return ret;
gone:
	EXPECT(errno == ESRCH && waitpid(pid, &status, 0) == pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return DIED;
}

/* A running VM whose jail is traced, at the entry of a system call. */
static struct vm traced(void)
{
	static const uint32_t code[] = { RV_LUI(A7, 0), RV_ADDI(A7, A7, 16), RV_ECALL,
					 RV_JUMP(-8) };
	struct vm vm = vm_make("t", 1, code, sizeof(code));
	int status;

	vm_start(&vm, 1);
	nap(300);
	EXPECT(!ptrace(PTRACE_ATTACH, vm.jail[0], 0, 0));
	EXPECT(waitpid(vm.jail[0], &status, 0) == vm.jail[0] && WIFSTOPPED(status));
	EXPECT(!ptrace(PTRACE_SETOPTIONS, vm.jail[0], 0,
		       PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
	do {
		EXPECT(!ptrace(PTRACE_SYSCALL, vm.jail[0], 0, 0));
		EXPECT(waitpid(vm.jail[0], &status, 0) == vm.jail[0] && WIFSTOPPED(status));
	} while (WSTOPSIG(status) != (SIGTRAP | 0x80));
	/* What stopped first was an exit, if the attach came within a system call. */
	struct __ptrace_syscall_info info;

	EXPECT(ptrace(PTRACE_GET_SYSCALL_INFO, vm.jail[0], sizeof(info), &info) > 0);
	if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		EXPECT(!ptrace(PTRACE_SYSCALL, vm.jail[0], 0, 0));
		EXPECT(waitpid(vm.jail[0], &status, 0) == vm.jail[0] && WIFSTOPPED(status));
	}
	return vm;
}

/* Whatever system calls a jail makes, it gets no other rights, and no more memory, than it has. */
TEST(hostile_calls)
{
	enum { RW = PROT_READ | PROT_WRITE, X = PROT_EXEC };
	struct vm vm = traced();
	pid_t pid = vm.jail[0];
	const int fd = vm.vcpu[0];

	EXPECT(inject(pid, SYS_mprotect, VIEW, VIEW_STRIDE, RW | X, 0, 0) == -EACCES);
	EXPECT(inject(pid, SYS_mprotect, VIEW, VIEW_STRIDE, X, 0, 0) == -EACCES);
	EXPECT(inject(pid, SYS_mprotect, AREA, 4096, RW | X, 0, 0) == -EACCES);
	EXPECT(inject(pid, SYS_mprotect, CACHE, MIB, RW, 0, 0) == -EACCES);
	EXPECT(inject(pid, SYS_mprotect, CACHE, MIB, RW | X, 0, 0) == -EACCES);
	EXPECT(inject(pid, SYS_mremap, CACHE, MIB, 2 * MIB, MREMAP_MAYMOVE, 0) == -EFAULT);
	EXPECT(inject(pid, SYS_mremap, VIEW, 0, VIEW_STRIDE, MREMAP_MAYMOVE, 0) < 0);
	EXPECT(inject(pid, SYS_madvise, VIEW, VIEW_STRIDE, MADV_DOFORK, 0, 0) == -EINVAL);
	EXPECT(inject(pid, SYS_madvise, CACHE, MIB, MADV_DOFORK, 0, 0) == -EINVAL);
	EXPECT(inject(pid, SYS_madvise, VIEW, VIEW_STRIDE, MADV_DODUMP, 0, 0) == -EINVAL);
	EXPECT(inject(pid, SYS_mmap, 0, 4096, RW, MAP_SHARED, fd) == -EACCES);
	EXPECT(inject(pid, SYS_mmap, 0, MIB, PROT_READ | X, MAP_SHARED, fd) == -EACCES);
	EXPECT(inject(pid, SYS_ioctl, fd, DTV_VCPU_ENTER, fd, 0, 0) == -EBUSY);
	/* Rights may come back: to what they were. */
	EXPECT(!inject(pid, SYS_mprotect, VIEW, VIEW_STRIDE, PROT_NONE, 0, 0));
	EXPECT(!inject(pid, SYS_mprotect, VIEW, VIEW_STRIDE, RW, 0, 0));
	for (int i = 0; i < 50; i++)
		EXPECT(inject(pid, SYS_getpid, 0, 0, 0, 0, 0) == pid);
	EXPECT(!ptrace(PTRACE_DETACH, pid, 0, 0));
	nap(200);
	EXPECT(!kill(pid, 0) && waitpid(pid, NULL, WNOHANG) == 0);
}

/* A jail that takes its address space apart hurts itself. */
static void maul(int how)
{
	struct vm vm = traced();
	pid_t pid = vm.jail[0];
	long ret = 0, child = 0;
	int status;

	switch (how) {
	case 0:
		ret = inject(pid, SYS_munmap, CACHE, 20480, 0, 0, 0);
		break;
	case 1:
		ret = inject(pid, SYS_mremap, VIEW, VIEW_STRIDE, VIEW_STRIDE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, VIEW + 66 * VIEW_STRIDE) < 0;
		break;
	case 2:
		ret = inject(pid, SYS_munmap, VIEW + 4096, 100 * VIEW_STRIDE, 0, 0, 0);
		break;
	case 3:
		ret = inject(pid, SYS_munmap, AREA, 4096, 0, 0, 0);
		break;
	case 4:
		ret = inject(pid, SYS_madvise, AREA, 4096, MADV_DONTNEED, 0, 0);
		break;
	case 5:
		ret = inject(pid, SYS_mremap, CACHE, MIB, MIB, MREMAP_MAYMOVE | MREMAP_FIXED,
			     2 * CACHE) < 0;
		break;
	case 6:
		ret = inject(pid, SYS_close, vm.vcpu[0], 0, 0, 0, 0);
		break;
	case 7:
		ret = child = inject(pid, SYS_fork, 0, 0, 0, 0, 0);
		break;
	case 8:
		/* It goes on in translated code, and its exits are refused. */
		ret = child = inject(pid, SYS_clone, CLONE_VM, AREA + 8192, 0, 0, 0);
		break;
	case 9:
		ret = inject(pid, SYS_madvise, AREA, 4096, MADV_DOFORK, 0, 0);
		/* The child's end may be ours. */
		if (!ret)
			ret = child = inject(pid, SYS_fork, 0, 0, 0, 0, 0);
		break;
	case 10:
		ret = inject(pid, SYS_mlockall, MCL_CURRENT | MCL_FUTURE, 0, 0, 0, 0);
		break;
	}
	if (ret != DIED) {
		EXPECT(!ret || ret == child);
		ptrace(PTRACE_DETACH, pid, 0, 0);
		nap(300);
		kill(pid, SIGKILL);
		EXPECT(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	}
	if (child > 0)
		kill(child, SIGKILL);
	printf("# way %d: %s\n", how, vm_wait_stop(&vm).reason);
	close(vm.fd);
	close(vm.vcpu[0]);
	close(vm.memfd);
}

TEST(hostile_maps)
{
	for (int how = 0; how <= 10; how++)
		maul(how);
}

/* The area is the jail's: whatever is written there at any moment, the module stands it. */
TEST(hostile_area)
{
	static const uint32_t code[] = {
		RV_LUI(A7, 0),	     RV_ADDI(A7, A7, 16), RV_ECALL,	RV_SFENCE_VMA,
		RV_CSRW(0x180, 0),   RV_LUI(T0, UART),	  RV_SB(0, T0), RV_AUIPC(T1, 0),
		RV_SW(T0, T1, 1024), RV_JUMP(-36),
	};
	unsigned int seed = getpid();
	struct dtv_state state;
	char path[64];
	int mem, stops = 0;

	printf("# seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 60; round++) {
		struct vm vm = vm_make("t", 1, code, sizeof(code));

		vm_start(&vm, 1);
		snprintf(path, sizeof(path), "/proc/%d/mem", vm.jail[0]);
		mem = open(path, O_RDWR | O_CLOEXEC);
		EXPECT(mem >= 0);
		for (int i = 0; i < 300; i++) {
			struct dtv_mmio_reply reply = { 0 };
			struct dtv_event ev;
			uint64_t v = (uint64_t)rand() << 33 ^ rand();

			/* Small numbers and addresses of the jail's do more than just anything. */
			if (rand() % 3 == 0)
				v &= 15;
			else if (rand() % 3 == 0)
				v = (rand() % 2 ? CACHE : VIEW) + (v & 0xfffff);
			pwrite(mem, &v, sizeof(v),
			       AREA + (rand() % (rand() % 4 ? 2048 : 65536) & ~7));
			while (vm_event(&vm, &ev, 0)) {
				reply.id = ev.id;
				reply.data = v;
				if (ev.type == DTV_EVENT_MMIO)
					ioctl(vm.fd, DTV_MMIO_REPLY, &reply);
			}
			EXPECT(!ioctl(vm.fd, DTV_GET_STATE, &state));
			if (state.state == DTV_VM_STOPPED)
				break;
		}
		stops += state.state == DTV_VM_STOPPED;
		kill(vm.jail[0], SIGKILL);
		EXPECT(waitpid(vm.jail[0], NULL, 0) == vm.jail[0]);
		close(mem);
		close(vm.fd);
		close(vm.vcpu[0]);
		close(vm.memfd);
		munmap(vm.ram, 16 * MIB);
	}
	printf("# %d of 60 VMs stopped by themselves\n", stops);
}

TEST(irqfd_wakes)
{
	/* PLIC: priority of 10, enable in S context 1 of hart 0; sie.SEIE; wfi; then power off. */
	static const uint32_t code[] = {
		RV_LUI(T0, 0xc000),
		RV_ADDI(T1, 0, 1),
		RV_SW(T1, T0, 40),
		RV_LUI(T0, 0xc002),
		RV_ADDI(T1, 0, 0x400),
		RV_SW(T1, T0, 0x80),
		RV_LUI(T0, 0xc201),
		RV_SW(0, T0, 0),
		RV_ADDI(T1, 0, 0x200),
		RV_CSRW(0x104, T1),
		RV_WFI,
	};
	struct vm vm = vm_make("t", 1, code, sizeof(code));
	struct dtv_irqfd irqfd = { .fd = eventfd(0, 0), .irq = 10 };
	struct dtv_event ev;

	EXPECT(!ioctl(vm.fd, DTV_IRQFD, &irqfd));
	vm_start(&vm, 1);
	EXPECT(!vm_event(&vm, &ev, 1));
	EXPECT(write(irqfd.fd, &(uint64_t){ 1 }, 8) == 8);
	EXPECT(vm_event(&vm, &ev, 30) && ev.type == DTV_EVENT_RESET);
}

int main(void)
{
	return tap_main();
}
