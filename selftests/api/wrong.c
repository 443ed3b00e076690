// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wrong.c - what a jail reaches whose translated code is wrong, or hostile: nothing.
 *
 * Any instruction can be put into the cache of a stock module: a guest's constant of 32 bits is the
 * end of a host instruction, and a debugger sends the jail there, with registers of its choice. So
 * this is what wrong code could do at most. Jails are made as dtvd makes them, with its filter.
 * Another VM runs all the time; at the end it is as it was.
 */
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <sys/user.h>

#include "../../daemon/jail.h"
#include "vm.h"

/* Where a jail has its parts. */
#define AREA 0x20000000UL
#define CACHE 0x40000000UL
#define VIEW 0x100000000000UL
#define VIEW_STRIDE (528UL << 30)
#define VIEWS 64
#define VIEWS_END (VIEW + VIEWS * VIEW_STRIDE)

/* RISC-V registers that have one of the host's, and which. */
static const struct {
	unsigned int x;
	size_t host;
} regs_of[] = {
	{ 10, offsetof(struct user_regs_struct, r9) },
	{ 11, offsetof(struct user_regs_struct, r10) },
	{ 12, offsetof(struct user_regs_struct, r11) },
	{ 13, offsetof(struct user_regs_struct, r12) },
	{ 14, offsetof(struct user_regs_struct, r13) },
	{ 15, offsetof(struct user_regs_struct, r14) },
	{ 9, offsetof(struct user_regs_struct, r8) },
	{ 18, offsetof(struct user_regs_struct, r15) },
};

#define GADGETS (sizeof(regs_of) / sizeof(regs_of[0]))

/* Four bytes of host code each. */
enum { SYSCALL, STORE, LOAD, JUMP, INT80, SYSENTER };
static const uint8_t common[GADGETS][4] = {
	[SYSCALL] = { 0x0f, 0x05, 0x90, 0x90 }, [STORE] = { 0x48, 0x89, 0x08, 0x90 },
	[LOAD] = { 0x48, 0x8b, 0x08, 0x90 },	[JUMP] = { 0xff, 0xe0, 0x90, 0x90 },
	[INT80] = { 0xcd, 0x80, 0x90, 0x90 },	[SYSENTER] = { 0x0f, 0x34, 0x90, 0x90 },
	[6] = { 0x90, 0x90, 0x90, 0x11 },	[7] = { 0x90, 0x90, 0x90, 0x12 },
};

/**
 * struct wrong - a jail with code of ours, stopped by us
 * @vm: its VM
 * @pid: the jail
 * @at: where the code is
 * @regs: its registers, in translated code
 */
struct wrong {
	struct vm vm;
	pid_t pid;
	uint64_t at[GADGETS];
	struct user_regs_struct regs;
};

/* The last child that ended, and was waited for: its pid is nobody's. */
static pid_t reaped;

/* Wait for a change of state, at most @ms. False: none. */
static bool changed(pid_t pid, int *status, int ms)
{
	for (int i = 0; i <= ms * tap_slow(); i++) {
		pid_t got = waitpid(pid, status, WNOHANG);

		EXPECT(got >= 0);
		if (got && !WIFSTOPPED(*status))
			reaped = pid;
		if (got)
			return true;
		nap(1);
	}
	return false;
}

/* One instruction. The status that the jail stops or ends with. */
static int step(struct wrong *w)
{
	int status;

	EXPECT(!ptrace(PTRACE_SINGLESTEP, w->pid, 0, 0));
	EXPECT(changed(w->pid, &status, 20000));
	return status;
}

static bool stopped_by(int status, int sig)
{
	return WIFSTOPPED(status) && WSTOPSIG(status) == sig;
}

static uint64_t *reg(struct user_regs_struct *regs, unsigned int i)
{
	return (uint64_t *)((char *)regs + regs_of[i].host);
}

static uint64_t constant(const uint8_t *code)
{
	int32_t v;

	memcpy(&v, code, sizeof(v));
	return (int64_t)v;
}

/* Follow the guest's loop once and see which host instruction ends in which constant. */
static void find_code(struct wrong *w, const uint8_t code[][4])
{
	struct user_regs_struct regs;
	unsigned int found = 0;

	for (int steps = 0; steps < 500 && found < GADGETS; steps++) {
		EXPECT(!ptrace(PTRACE_GETREGS, w->pid, 0, &regs));
		for (unsigned int i = 0; i < GADGETS; i++)
			*reg(&regs, i) = 0;
		EXPECT(!ptrace(PTRACE_SETREGS, w->pid, 0, &regs));
		EXPECT(stopped_by(step(w), SIGTRAP));
		EXPECT(!ptrace(PTRACE_GETREGS, w->pid, 0, &regs));
		for (unsigned int i = 0; i < GADGETS; i++) {
			if (*reg(&regs, i) != constant(code[i]) || w->at[i])
				continue;
			w->at[i] = regs.rip - 4;
			found++;
		}
	}
	EXPECT(found == GADGETS);
	w->regs = regs;
	EXPECT(regs.rip >= CACHE && regs.rip < CACHE + MIB);
}

/* A jail as dtvd makes it, whose cache has @code, traced and stopped in it. */
static struct wrong wrong_make(const uint8_t code[][4])
{
	uint32_t guest[2 * GADGETS + 1], *p = guest;
	struct wrong w = { 0 };
	int status;

	for (unsigned int i = 0; i < GADGETS; i++) {
		uint32_t v = constant(code[i]), x = regs_of[i].x;

		EXPECT(v + 0x800 < 0x80000000 || v >= 0x80000000);
		*p++ = RV_LUI(x, (v + 0x800) >> 12);
		*p++ = RV_ADDI(x, x, v);
	}
	*p = RV_JUMP(-4 * (p - guest));
	w.vm = vm_make("wrong", 1, guest, sizeof(guest));
	w.pid = w.vm.jail[0] = dtv_jail_fork(w.vm.vcpu[0], "wrong", 0);
	EXPECT(w.pid > 0);
	vm_wait_jail(&w.vm, 0);
	EXPECT(!ioctl(w.vm.fd, DTV_START));
	nap(20);
	EXPECT(!ptrace(PTRACE_ATTACH, w.pid, 0, 0));
	EXPECT(changed(w.pid, &status, 20000) && stopped_by(status, SIGSTOP));
	EXPECT(!ptrace(PTRACE_SETOPTIONS, w.pid, 0, PTRACE_O_EXITKILL));
	find_code(&w, code);
	return w;
}

static void wrong_end(struct wrong *w)
{
	if (reaped != w->pid) {
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
	}
	close(w->vm.fd);
	close(w->vm.vcpu[0]);
	close(w->vm.memfd);
	munmap(w->vm.ram, 16 * MIB);
}

/* The jail's registers are those it had, but for rip, rax and rcx. */
static void set(struct wrong *w, unsigned int code, uint64_t rax, uint64_t rcx)
{
	struct user_regs_struct regs = w->regs;

	regs.rip = w->at[code];
	regs.rax = rax;
	regs.rcx = rcx;
	regs.orig_rax = -1;
	EXPECT(!ptrace(PTRACE_SETREGS, w->pid, 0, &regs));
}

static void set_call(struct wrong *w, unsigned int code, long nr, uint64_t a, uint64_t b,
		     uint64_t c)
{
	struct user_regs_struct regs = w->regs;

	regs.rip = w->at[code];
	regs.rax = nr;
	regs.rdi = regs.rbx = a;
	regs.rsi = regs.rcx = b;
	regs.rdx = c;
	regs.r10 = regs.r8 = regs.r9 = 0;
	regs.orig_rax = -1;
	EXPECT(!ptrace(PTRACE_SETREGS, w->pid, 0, &regs));
}

/* Whether the state of a process is @letter. */
static bool status_is(pid_t pid, char letter)
{
	char path[64], line[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (f && !fgets(line, sizeof(line), f))
		*line = 0;
	if (f)
		fclose(f);
	return strrchr(line, ')') && strrchr(line, ')')[2] == letter;
}

/* As the jail itself could at any moment. It may be dead already. */
static void area_write(struct wrong *w, uint64_t at, const void *data, size_t n)
{
	char path[64];
	int mem;

	snprintf(path, sizeof(path), "/proc/%d/mem", w->pid);
	mem = open(path, O_RDWR | O_CLOEXEC);
	if (mem < 0)
		return;
	EXPECT(pwrite(mem, data, n, at) == (ssize_t)n || kill(w->pid, 0) ||
	       status_is(w->pid, 'Z') || status_is(w->pid, 'X'));
	close(mem);
}

/* Bytes of the area, as it is mapped. */
static uint64_t area_size(struct wrong *w)
{
	unsigned long start = 0, end = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", w->pid);
	f = fopen(path, "r");
	EXPECT(f && fgets(line, sizeof(line), f));
	fclose(f);
	EXPECT(sscanf(line, "%lx-%lx", &start, &end) == 2 && start == AREA);
	return end - start;
}

/* Let it run. It has to be killed by SIGSYS, and the VM says so. */
static void is_forbidden(struct wrong *w, const char *what)
{
	struct dtv_state state;
	int status;

	EXPECT(!ptrace(PTRACE_CONT, w->pid, 0, 0));
	EXPECT(changed(w->pid, &status, 20000));
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		printf("# %s: status %#x\n", what, status);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	state = vm_wait_stop(&w->vm);
	EXPECT(!strcmp(state.reason, "vcpu 0: jail killed by signal 31"));
}

/* The code is where we think it is, and does what we think. */
TEST(code_of_ours)
{
	struct wrong w = wrong_make(common);
	struct user_regs_struct regs;
	uint64_t v = 0x1122334455667788, at = AREA + area_size(&w) - 8;

	set(&w, STORE, at, v);
	EXPECT(stopped_by(step(&w), SIGTRAP));
	set(&w, LOAD, at, 0);
	EXPECT(stopped_by(step(&w), SIGTRAP));
	EXPECT(!ptrace(PTRACE_GETREGS, w.pid, 0, &regs) && regs.rcx == v);
	set(&w, JUMP, w.at[LOAD], 0);
	EXPECT(stopped_by(step(&w), SIGTRAP));
	EXPECT(!ptrace(PTRACE_GETREGS, w.pid, 0, &regs) && regs.rip == w.at[LOAD]);
	wrong_end(&w);
}

static const uint64_t elsewhere[] = {
	0,
	0x1000,
	0x10000,
	AREA - 8,
	CACHE - 8,
	CACHE + MIB,
	VIEW - 8,
	VIEWS_END,
	0x555555554000,
	0x7ffff7dd0000,
	0x7fffffffe000,
	0x7ffffffff000,
	0x800000000000,
	0xffff7ffffffffff8,
	0xffff800000000000,
	0xffff888000000000,
	0xffffc90000000000,
	0xffffea0000000000,
	0xfffffe0000000000,
	0xffffffff81000000,
	0xffffffffa0000000,
	0xfffffffffffffff8,
};

static void faults(struct wrong *w, unsigned int code, uint64_t at)
{
	int status;

	set(w, code, at, 1);
	status = step(w);
	/* The jump itself arrives; what is there does not. */
	if (code == JUMP && stopped_by(status, SIGTRAP))
		status = step(w);
	if (!stopped_by(status, SIGSEGV))
		printf("# code %u at %#lx: status %#x\n", code, at, status);
	EXPECT(stopped_by(status, SIGSEGV));
}

TEST(loads_and_stores_elsewhere)
{
	struct wrong w = wrong_make(common);
	struct user_regs_struct regs;
	uint64_t at;

	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		faults(&w, STORE, elsewhere[i]);
		faults(&w, LOAD, elsewhere[i]);
		faults(&w, JUMP, elsewhere[i]);
	}
	faults(&w, STORE, AREA + area_size(&w));
	/* The cache is not written, and what can be written is not executed. */
	for (at = CACHE; at < CACHE + MIB; at += 4096)
		faults(&w, STORE, at);
	faults(&w, STORE, w.at[STORE]);
	for (at = AREA; at < AREA + area_size(&w); at += 4096)
		faults(&w, JUMP, at);
	/* A page of the view that is there. */
	at = w.regs.gs_base + DTV_GPA_RAM + 65536;
	set(&w, LOAD, at, 0);
	EXPECT(stopped_by(step(&w), SIGTRAP));
	EXPECT(!ptrace(PTRACE_GETREGS, w.pid, 0, &regs));
	if (regs.rip == w.at[LOAD])
		EXPECT(stopped_by(step(&w), SIGTRAP));
	faults(&w, JUMP, at);
	wrong_end(&w);
}

/* Where nothing is mapped yet in a view a jump asks the module, which knows what it is. */
TEST(jumps_to_views)
{
	for (unsigned int i = 0; i < VIEWS; i += 9) {
		struct wrong w = wrong_make(common);
		uint64_t at = VIEW + i * VIEW_STRIDE + VIEW_STRIDE / 2 + DTV_GPA_RAM;
		struct user_regs_struct regs;
		struct dtv_state state;
		int status;

		set(&w, JUMP, at, 0);
		/* The VM's end takes the jail with it, now or on its way. */
		for (unsigned int steps = 0; steps < 2; steps++) {
			status = step(&w);
			if (WIFSIGNALED(status))
				break;
			EXPECT(stopped_by(status, SIGTRAP));
			EXPECT(!ptrace(PTRACE_GETREGS, w.pid, 0, &regs));
			EXPECT(regs.rip == at || (regs.rip >= CACHE && regs.rip < CACHE + MIB));
		}
		EXPECT(!WIFSIGNALED(status) || WTERMSIG(status) == SIGKILL);
		EXPECT(!ioctl(w.vm.fd, DTV_GET_STATE, &state));
		EXPECT(!strcmp(state.reason, "translated code missed where it cannot"));
		wrong_end(&w);
	}
}

/* What happens when nobody holds it back: the signal stub asks the module, which ends the VM. */
TEST(stray_ends_the_vm)
{
	static const unsigned int codes[] = { STORE, LOAD, JUMP };
	struct dtv_state state;

	for (unsigned int i = 0; i < 3; i++) {
		struct wrong w = wrong_make(common);
		int status;

		set(&w, codes[i], 0xffff888000000000, 1);
		EXPECT(!ptrace(PTRACE_DETACH, w.pid, 0, 0));
		state = vm_wait_stop(&w.vm);
		EXPECT(!strcmp(state.reason, "translated code reached outside of its views"));
		EXPECT(changed(w.pid, &status, 20000) && WIFSIGNALED(status));
		EXPECT(WTERMSIG(status) == SIGKILL);
		close(w.vm.fd);
		close(w.vm.vcpu[0]);
	}
}

/* A view that is not the current one is not filled: the VM stops. */
TEST(other_views)
{
	static const unsigned int codes[] = { STORE, LOAD };

	for (unsigned int i = 0; i < 2; i++) {
		struct wrong w = wrong_make(common);
		struct dtv_state state;
		int status;

		set(&w, codes[i], VIEW + (VIEWS - 1) * VIEW_STRIDE + VIEW_STRIDE / 2 + DTV_GPA_RAM,
		    1);
		EXPECT(!ptrace(PTRACE_DETACH, w.pid, 0, 0));
		state = vm_wait_stop(&w.vm);
		printf("# %s\n", state.reason);
		EXPECT(changed(w.pid, &status, 20000) && WIFSIGNALED(status));
		close(w.vm.fd);
		close(w.vm.vcpu[0]);
	}
}

TEST(forbidden_calls)
{
	static const long calls[] = {
		SYS_read,
		SYS_write,
		SYS_open,
		SYS_mmap,
		SYS_mprotect,
		SYS_munmap,
		SYS_brk,
		SYS_rt_sigaction,
		SYS_rt_sigprocmask,
		SYS_pread64,
		SYS_dup,
		SYS_getpid,
		SYS_socket,
		SYS_sendmsg,
		SYS_clone,
		SYS_fork,
		SYS_vfork,
		SYS_execve,
		SYS_exit,
		SYS_kill,
		SYS_ptrace,
		SYS_prctl,
		SYS_arch_prctl,
		SYS_modify_ldt,
		SYS_iopl,
		SYS_init_module,
		SYS_futex,
		SYS_set_thread_area,
		SYS_timer_create,
		SYS_openat,
		SYS_process_vm_readv,
		SYS_process_vm_writev,
		SYS_seccomp,
		SYS_memfd_create,
		SYS_bpf,
		SYS_execveat,
		SYS_userfaultfd,
		SYS_rseq,
		SYS_io_uring_setup,
		SYS_clone3,
		SYS_pidfd_getfd,
		499,
		4095,
		-1,
		/* The x32 way to call ioctl. */
		0x40000000 | 514,
		0x40000000 | SYS_ioctl,
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct wrong w = wrong_make(common);
		char what[32];

		snprintf(what, sizeof(what), "system call %ld", calls[i]);
		set_call(&w, SYSCALL, calls[i], 0, 0, 0);
		is_forbidden(&w, what);
		wrong_end(&w);
	}
}

/* Other doors of the kernel: the 32-bit calls, and the page of calls that every process has. */
TEST(other_doors)
{
	struct wrong w = wrong_make(common);
	int status;

	set_call(&w, INT80, 20, 0, 0, 0);
	is_forbidden(&w, "int 0x80");
	wrong_end(&w);
	/* 54: ioctl there. */
	w = wrong_make(common);
	set_call(&w, INT80, 54, w.vm.vcpu[0], DTV_VCPU_EXIT, 0);
	is_forbidden(&w, "int 0x80, ioctl");
	wrong_end(&w);
	/* A processor may have it or not. */
	w = wrong_make(common);
	set_call(&w, SYSENTER, 20, 0, 0, 0);
	EXPECT(!ptrace(PTRACE_CONT, w.pid, 0, 0) && changed(w.pid, &status, 20000));
	EXPECT((WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) || stopped_by(status, SIGILL) ||
	       stopped_by(status, SIGSEGV));
	wrong_end(&w);
	w = wrong_make(common);
	set(&w, JUMP, 0xffffffffff600000, 0);
	EXPECT(!ptrace(PTRACE_CONT, w.pid, 0, 0) && changed(w.pid, &status, 20000));
	EXPECT((WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) || stopped_by(status, SIGSEGV));
	wrong_end(&w);
}

static long result_of(struct wrong *w)
{
	struct user_regs_struct regs;

	EXPECT(stopped_by(step(w), SIGTRAP));
	EXPECT(!ptrace(PTRACE_GETREGS, w->pid, 0, &regs));
	return regs.rax;
}

/* The one call that is left, on what is not its own, and with what it is not for. */
TEST(ioctls)
{
	static const unsigned int cmds[] = {
		DTV_GET_API_VERSION,
		DTV_CHECK_CAP,
		DTV_CREATE_VM,
		DTV_SET_MEMORY,
		DTV_CREATE_VCPU,
		DTV_SET_ENTRY,
		DTV_IRQ_LINE,
		DTV_IRQFD,
		DTV_MMIO_REPLY,
		DTV_START,
		DTV_PAUSE,
		DTV_UNPAUSE,
		DTV_STOP_VM,
		DTV_GET_STATE,
		DTV_GET_STATS,
		DTV_WRITTEN,
		DTV_SET_ISA,
		DTV_VCPU_ENTER,
		0x5401 /* TCGETS */,
		0x5412 /* TIOCSTI */,
		1 /* FIBMAP */,
		0x541b /* FIONREAD */,
		0xc020660b /* FS_IOC_FIEMAP */,
		0x40049409 /* FICLONE */,
		~0u,
	};
	struct wrong w = wrong_make(common);
	const int mine = w.vm.vcpu[0];

	for (int fd = -2; fd < 1024; fd = fd == 70 ? 1000 : fd + 1) {
		if (fd == mine)
			continue;
		set_call(&w, SYSCALL, SYS_ioctl, fd, DTV_VCPU_EXIT, 0);
		EXPECT(result_of(&w) == -EBADF);
	}
	for (size_t i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
		static const uint64_t args[] = { 0, 1, AREA, CACHE, VIEW, 0xffff888000000000 };

		for (unsigned int k = 0; k < 6; k++) {
			long ret;

			set_call(&w, SYSCALL, SYS_ioctl, mine, cmds[i], args[k]);
			ret = result_of(&w);
			if (ret >= 0)
				printf("# ioctl %#x: %ld\n", cmds[i], ret);
			EXPECT(ret < 0);
		}
	}
	for (unsigned int i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		set_call(&w, SYSCALL, SYS_ioctl, mine, DTV_VCPU_STRAY, elsewhere[i]);
		EXPECT(result_of(&w) == -EFAULT);
	}
	wrong_end(&w);
}

/* What only a kernel may execute, and what stops a processor. */
TEST(privileged_instructions)
{
	static const uint8_t all[][4] = {
		{ 0xf4 }, /* hlt */
		{ 0xfa }, /* cli */
		{ 0xfb }, /* sti */
		{ 0xec }, /* in */
		{ 0xee }, /* out */
		{ 0x0f, 0x30 }, /* wrmsr */
		{ 0x0f, 0x32 }, /* rdmsr */
		{ 0x0f, 0x22, 0xd8 }, /* mov cr3, rax */
		{ 0x0f, 0x20, 0xd8 }, /* mov rax, cr3 */
		{ 0x0f, 0x23, 0xf8 }, /* mov dr7, rax */
		{ 0x0f, 0x01, 0x10 }, /* lgdt */
		{ 0x0f, 0x01, 0x18 }, /* lidt */
		{ 0x0f, 0x00, 0xd8 }, /* ltr */
		{ 0x0f, 0x01, 0x38 }, /* invlpg */
		{ 0x0f, 0x01, 0xf8 }, /* swapgs */
		{ 0x0f, 0x01, 0xcb }, /* stac */
		{ 0x0f, 0x01, 0xd1 }, /* xsetbv */
		{ 0x0f, 0x06 }, /* clts */
		{ 0x0f, 0x09 }, /* wbinvd */
		{ 0x0f, 0x07 }, /* sysret */
		{ 0x0f, 0x35 }, /* sysexit */
		{ 0x0f, 0x0b }, /* ud2 */
		{ 0x0f, 0xaa }, /* rsm */
	};
	uint8_t code[GADGETS][4];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i += GADGETS - 1) {
		struct wrong w;
		size_t n = sizeof(all) / sizeof(all[0]) - i;

		if (n > GADGETS - 1)
			n = GADGETS - 1;
		for (unsigned int k = 0; k < GADGETS; k++) {
			memset(code[k], 0x90, 4);
			code[k][3] = 0x10 + k;
		}
		for (unsigned int k = 0; k < n; k++)
			memcpy(code[k], all[i + k], 3);
		w = wrong_make(code);
		for (unsigned int k = 0; k < n; k++) {
			int status;

			set(&w, k, AREA, 0);
			status = step(&w);
			if (!stopped_by(status, SIGSEGV) && !stopped_by(status, SIGILL))
				printf("# instruction %zu: status %#x\n", i + k, status);
			EXPECT(stopped_by(status, SIGSEGV) || stopped_by(status, SIGILL));
		}
		wrong_end(&w);
	}
}

/* Return from a signal that never was, to where and as what the frame says. */
static int forged_return(struct wrong *w, ucontext_t *uc)
{
	struct user_regs_struct regs = w->regs;
	int status;

	area_write(w, AREA + 8192, uc, sizeof(*uc));
	regs.rip = w->at[SYSCALL];
	regs.rax = SYS_rt_sigreturn;
	regs.rsp = AREA + 8192;
	regs.orig_rax = -1;
	EXPECT(!ptrace(PTRACE_SETREGS, w->pid, 0, &regs));
	EXPECT(!ptrace(PTRACE_CONT, w->pid, 0, 0));
	if (changed(w->pid, &status, 200))
		return status;
	return -1;
}

static bool is_fault(int status)
{
	return stopped_by(status, SIGSEGV) || stopped_by(status, SIGTRAP) ||
	       stopped_by(status, SIGBUS) || stopped_by(status, SIGILL);
}

TEST(forged_signal_frames)
{
	static const uint16_t segments[] = { 0,	   3,	 0x10, 0x13, 0x18, 0x1b, 0x20, 0x23,  0x28,
					     0x2b, 0x30, 0x33, 0x38, 0x40, 0x43, 0x7b, 0xffff };
	struct wrong w;
	ucontext_t uc;
	int status;

	/* To a forbidden call, in the mode that it is in and in the other. */
	w = wrong_make(common);
	memset(&uc, 0, sizeof(uc));
	uc.uc_mcontext.gregs[REG_RIP] = w.at[SYSCALL];
	uc.uc_mcontext.gregs[REG_RAX] = SYS_getpid;
	uc.uc_mcontext.gregs[REG_CSGSFS] = 0x002b000000000033;
	status = forged_return(&w, &uc);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	wrong_end(&w);
	w = wrong_make(common);
	uc.uc_mcontext.gregs[REG_RIP] = w.at[INT80];
	uc.uc_mcontext.gregs[REG_RAX] = 20;
	uc.uc_mcontext.gregs[REG_CSGSFS] = 0x002b000000000023;
	status = forged_return(&w, &uc);
	EXPECT((WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) || stopped_by(status, SIGSEGV));
	wrong_end(&w);
	/* No segment is a kernel's. What it is instead may go on; where to is nothing. */
	for (unsigned int i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		w = wrong_make(common);
		uc.uc_mcontext.gregs[REG_RIP] = 0xffffffff81000000;
		uc.uc_mcontext.gregs[REG_EFL] = ~0ULL;
		uc.uc_mcontext.gregs[REG_CSGSFS] = (uint64_t)segments[i] << 48 | segments[i];
		status = forged_return(&w, &uc);
		if (!is_fault(status))
			printf("# segment %#x: status %#x\n", segments[i], status);
		EXPECT(is_fault(status));
		wrong_end(&w);
	}
}

/* The stub loads gs from the area: wherever that leads, the kernel does not mind. */
TEST(any_gs_base)
{
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		struct wrong w = wrong_make(common);
		uint8_t page[4096];
		int status;

		/* All that may be a base, a pc or a host address in the state. */
		for (size_t k = 0; k < sizeof(page); k += 8)
			memcpy(page + k, &elsewhere[i], 8);
		area_write(&w, AREA + 520, page, 160);
		set_call(&w, SYSCALL, SYS_ioctl, w.vm.vcpu[0], DTV_VCPU_EXIT, 0);
		EXPECT(!ptrace(PTRACE_CONT, w.pid, 0, 0));
		for (int k = 0; k < 3; k++)
			area_write(&w, AREA + 520, page, 160);
		if (changed(w.pid, &status, 50) && WIFSTOPPED(status)) {
			EXPECT(!ptrace(PTRACE_CONT, w.pid, 0, WSTOPSIG(status)));
			changed(w.pid, &status, 50);
		}
		wrong_end(&w);
	}
}

static uint64_t any(void)
{
	uint64_t v = (uint64_t)rand() << 33 ^ rand();

	switch (rand() % 6) {
	case 0:
		return v & 15;
	case 1:
		return elsewhere[rand() % (sizeof(elsewhere) / sizeof(elsewhere[0]))];
	case 2:
		return AREA + (v & 0xffff);
	case 3:
		return CACHE + (v & 0xfffff);
	case 4:
		return VIEW + v % VIEWS * VIEW_STRIDE + (v >> 20 & 0xfffff);
	default:
		return v;
	}
}

/* Let it run for a moment, with @sig. The status that it has stopped or ended with. */
static int run_on(struct wrong *w, int sig)
{
	int status;

	EXPECT(!ptrace(PTRACE_CONT, w->pid, 0, sig));
	if (!changed(w->pid, &status, 3)) {
		EXPECT(!kill(w->pid, SIGSTOP));
		EXPECT(changed(w->pid, &status, 20000));
	}
	return status;
}

/*
 * Of an instruction, but for far returns and far calls: QEMU 7.2, which the lab's machines run in,
 * does their accesses with the kernel's rights (a program of three instructions shows it), and the
 * kernel is right to complain.
 */
static uint8_t any_byte(void)
{
	uint8_t b;

	do {
		b = rand();
	} while (b == 0xca || b == 0xcb || b == 0xcf || b == 0xff);
	return b;
}

static void random_code(int *ends)
{
	uint8_t code[GADGETS][4];
	struct user_regs_struct regs;
	struct dtv_state state;
	struct wrong w;

	for (unsigned int i = 0; i < GADGETS; i++) {
		do {
			for (unsigned int k = 0; k < 4; k++)
				code[i][k] = any_byte();
		} while (code[i][3] == 0x7f || code[i][3] == 0 || code[i][3] == 0xff);
		if (rand() % 3 == 0)
			memcpy(code[i], common[rand() % 6], 3);
	}
	w = wrong_make(code);
	for (int jumps = 0; jumps < 8; jumps++) {
		int status;

		regs = w.regs;
		for (unsigned int i = 0; i < 15; i++)
			((unsigned long *)&regs)[i] = rand() % 4 ? ((unsigned long *)&regs)[i] :
								   any();
		regs.rip = w.at[rand() % GADGETS];
		regs.rax = any();
		if (rand() % 2) {
			/* A call that is allowed. */
			regs.rax = rand() % 4 ? SYS_ioctl : SYS_rt_sigreturn;
			regs.rdi = w.vm.vcpu[0];
			regs.rsi = rand() % 3 ? DTV_VCPU_EXIT : DTV_VCPU_STRAY;
		}
		if (rand() % 2)
			for (int k = 0; k < 10; k++)
				area_write(&w, AREA + (rand() % 2048 & ~7), &(uint64_t){ any() },
					   8);
		regs.orig_rax = -1;
		EXPECT(!ptrace(PTRACE_SETREGS, w.pid, 0, &regs));
		status = run_on(&w, 0);
		/* Every other time the jail gets its signal. */
		if (WIFSTOPPED(status) && WSTOPSIG(status) != SIGSTOP && rand() % 2)
			status = run_on(&w, WSTOPSIG(status));
		if (!WIFSTOPPED(status))
			break;
	}
	EXPECT(!ioctl(w.vm.fd, DTV_GET_STATE, &state));
	*ends += state.state == DTV_VM_STOPPED;
	wrong_end(&w);
}

TEST(random_code)
{
	unsigned int seed = getpid() ^ time(NULL);
	time_t until = time(NULL) + 20 * tap_slow();
	int rounds = 0, ends = 0;

	printf("# seed %u\n", seed);
	srand(seed);
	for (; time(NULL) < until; rounds++)
		random_code(&ends);
	printf("# %d jails, %d VMs stopped by themselves\n", rounds, ends);
	EXPECT(rounds > 20);
}

static struct vm witness;

/* Who has no part in this: runs as before, with memory as it was. */
TEST(witness)
{
	volatile uint64_t *count = (void *)(witness.ram + MIB);
	struct dtv_state state;
	uint64_t seen = *count;

	for (int i = 0; i < 500 && *count < seen + 1000; i++)
		nap(10);
	EXPECT(*count >= seen + 1000);
	EXPECT(!ioctl(witness.fd, DTV_GET_STATE, &state) && state.state == DTV_VM_RUNNING);
	for (uint64_t i = 0; i < MIB; i++)
		EXPECT(witness.ram[2 * MIB + i] == (uint8_t)(i * 7));
}

int main(void)
{
	/* Count at 1 MiB. */
	static const uint32_t code[] = {
		RV_AUIPC(T1, 0x100),
		RV_ADDI(T0, T0, 1),
		RV_SW(T0, T1, 0),
		RV_JUMP(-8),
	};

	witness = vm_make("witness", 1, code, sizeof(code));
	for (uint64_t i = 0; i < MIB; i++)
		witness.ram[2 * MIB + i] = i * 7;
	vm_start(&witness, 1);
	return tap_main();
}
