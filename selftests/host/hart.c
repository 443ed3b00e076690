// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hart.c - a hart is a thread: its loop, its signals, its sleep.
 *
 * Translated code runs on the thread itself, with rsp in the vCPU area, so
 * every signal is taken on an alternate stack. SIGSEGV is a view miss;
 * SIGUSR1 is a kick. A kick that arrives in C code is remembered in
 * uhart.kicked, which uhost_enter() looks at last thing before it jumps.
 * The fault handler keeps SIGUSR1 blocked: a kick waits until it returns.
 */
#include <errno.h>
#include <linux/futex.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <unistd.h>

#include "uhost.h"

#define ALTSTACK_SIZE (256 << 10)
/* How long a kick that came at a bad moment waits. */
#define REKICK_NS 20000
/* The longest single sleep of a waiting hart, should a wake-up ever be missed. */
#define WAIT_MAX_NS 1000000000ULL

extern char uhost_crit_start[], uhost_crit_end[], uhost_abort[], uhost_left[];
int uhost_enter(void *rbp, u64 stub, u64 *host_sp, u32 *kicked);

static __thread struct uhart *self;

bool hart_is_self(const struct uhart *h)
{
	return h == self;
}

/* --- time --- */

u64 dtv_host_time(struct dtv_vm_core *vm)
{
	return (uhost_monotonic() - uhost_of(vm)->t0) / 100;
}

/* Guest ticks as CLOCK_MONOTONIC, ns; ~0 when that is too far away to matter. */
static u64 ticks_to_ns(const struct uhost *u, u64 ticks)
{
	if (ticks > (u64)LLONG_MAX / 200)
		return ~0ULL;
	return u->t0 + ticks * 100;
}

void dtv_host_timer(struct dtv_cpu *cpu, u64 when)
{
	struct uhart *h = uhart_of(cpu);
	u64 ns = ticks_to_ns(h->host, when);
	struct itimerspec its = { 0 };

	if (ns != ~0ULL) {
		its.it_value.tv_sec = ns / 1000000000;
		its.it_value.tv_nsec = ns % 1000000000;
	}
	timer_settime(h->timer, TIMER_ABSTIME, &its, NULL);
}

/* --- kicks and sleep --- */

static void wake(struct uhart *h)
{
	__atomic_fetch_add(&h->wake, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &h->wake, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void hart_kick(struct uhart *h)
{
	wake(h);
	if (READ_ONCE(h->cpu.in_guest) && READ_ONCE(h->tid))
		syscall(SYS_tgkill, getpid(), h->tid, SIGUSR1);
}

void dtv_host_kick(struct dtv_cpu *cpu)
{
	hart_kick(uhart_of(cpu));
}

bool dtv_host_relax(struct dtv_cpu *cpu, unsigned int tries)
{
	(void)cpu;
	(void)tries;
	sched_yield();
	return true;
}

static void hart_wait(struct uhart *h)
{
	struct dtv_cpu *cpu = &h->cpu;
	u64 begin = uhost_monotonic();

	h->waits++;
	for (;;) {
		u32 seen = __atomic_load_n(&h->wake, __ATOMIC_SEQ_CST);
		u64 due, now, left = WAIT_MAX_NS;
		struct timespec ts;

		if (dtv_cpu_runnable(cpu) || READ_ONCE(h->host->vm.stopped))
			break;
		now = uhost_monotonic();
		due = ticks_to_ns(h->host, READ_ONCE(cpu->timer_when));
		if (due <= now)
			left = 1000;
		else if (due - now < left)
			left = due - now;
		ts.tv_sec = left / 1000000000;
		ts.tv_nsec = left % 1000000000;
		syscall(SYS_futex, &h->wake, FUTEX_WAIT_PRIVATE, seen, &ts, NULL, 0);
	}
	h->wait_ns += uhost_monotonic() - begin;
}

/* --- signals --- */

static bool in_cache(const struct uhost *u, u64 ip)
{
	return ip - (u64)u->cache_exec < u->cache_size;
}

/* printf to stderr that is fit for a handler of a broken process. */
static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (len > (int)sizeof(line) - 1)
		len = sizeof(line) - 1;
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

/* A bug of ours: say all that helps to find it, and die by the signal's default. */
static void crash(int sig, const siginfo_t *si, const greg_t *r)
{
	static const char *const names[16] = { "r8",  "r9",  "r10", "r11", "r12", "r13",
					       "r14", "r15", "rdi", "rsi", "rbp", "rbx",
					       "rdx", "rax", "rcx", "rsp" };
	static u32 crashing;
	u64 ip = r[REG_RIP];

	signal(sig, SIG_DFL);
	if (__atomic_exchange_n(&crashing, 1, __ATOMIC_SEQ_CST))
		_exit(UHOST_KILLED);
	say("\nuhost: crash: signal %d code %d address %p trap %lld error 0x%llx\n", sig,
	    si->si_code, si->si_addr, r[REG_TRAPNO], r[REG_ERR]);
	say("  rip 0x%llx", (unsigned long long)ip);
	for (int i = 0; i < 16; i++)
		say("%s%s 0x%llx", i % 4 ? " " : "\n  ", names[i],
		    (unsigned long long)r[REG_R8 + i]);
	say("\n");
	if (self) {
		const struct dtv_hart *g = &self->cpu.area->hart;

		say("  hart %u area %p pc 0x%llx priv %u satp 0x%llx in_guest %u exit %u exit_ip 0x%llx resume_ip 0x%llx\n",
		    self->cpu.id, (void *)self->cpu.area, (unsigned long long)g->pc, g->priv,
		    (unsigned long long)g->satp, self->cpu.in_guest, g->exit_reason,
		    (unsigned long long)g->exit_ip, (unsigned long long)g->resume_ip);
		if (in_cache(self->host, ip)) {
			const u8 *code = self->host->cache_rw + (ip - (u64)self->host->cache_exec);
			struct dtv_where w = { 0 };

			dtv_dbt_where(&self->host->vm.dbt, ip, &w);
			say("  cache + 0x%llx: where %d guest pc 0x%llx gpa 0x%llx class %u; bytes",
			    (unsigned long long)(ip - (u64)self->host->cache_exec), w.kind,
			    (unsigned long long)w.pc, (unsigned long long)w.gpa, w.class);
			for (int i = 0; i < 16; i++)
				say(" %02x", code[i]);
			say("\n");
		}
	}
	console_restore();
	/*
	 * Returning runs into the same fault, now with the default action: a core dump
	 * of the place.
	 */
	if (si->si_code <= 0)
		abort();
}

static void on_fault(int sig, siginfo_t *si, void *uc_)
{
	greg_t *r = ((ucontext_t *)uc_)->uc_mcontext.gregs;
	struct uhart *h = self;
	int saved_errno = errno;
	u64 ip = r[REG_RIP];
	struct dtv_miss m = { 0 };
	unsigned int idx;
	gva_t gva;

	if (!h || !in_cache(h->host, ip) || (r[REG_TRAPNO] == 14 && (r[REG_ERR] & 16)) ||
	    si->si_code <= 0) {
		crash(sig, si, r);
		return;
	}
	if (r[REG_TRAPNO] == 14 && views_find(h, (u64)si->si_addr, &idx, &gva)) {
		h->misses++;
		dtv_cpu_miss(&h->cpu, idx, gva, r[REG_ERR] & 2, ip, &m);
	} else {
		dtv_cpu_stray(&h->cpu, ip, &m);
	}
	switch (m.kind) {
	case DTV_MISS_MAP:
		views_map(h, &m);
		break;
	case DTV_MISS_REDIRECT:
		if (!m.ip) {
			crash(sig, si, r);
			return;
		}
		r[REG_RIP] = m.ip;
		break;
	case DTV_MISS_RETRY:
		break;
	}
	errno = saved_errno;
}

static void on_crash(int sig, siginfo_t *si, void *uc)
{
	crash(sig, si, ((ucontext_t *)uc)->uc_mcontext.gregs);
}

static void on_kick(int sig, siginfo_t *si, void *uc)
{
	greg_t *r = ((ucontext_t *)uc)->uc_mcontext.gregs;
	struct itimerspec its = { .it_value.tv_nsec = REKICK_NS };
	struct uhart *h = self;
	int saved_errno = errno;
	u64 ip = r[REG_RIP], to;

	(void)sig;
	(void)si;
	if (!h)
		return;
	/* The guest's timer sends the same signal. */
	dtv_cpu_timer_fired(&h->cpu);
	WRITE_ONCE(h->kicked, 1);
	__atomic_fetch_add(&h->wake, 1, __ATOMIC_SEQ_CST);
	if (ip - (u64)uhost_crit_start < (u64)(uhost_crit_end - uhost_crit_start)) {
		r[REG_RIP] = (u64)uhost_abort;
	} else if (in_cache(h->host, ip)) {
		h->kicks++;
		to = dtv_cpu_kicked(&h->cpu, ip, r[REG_RAX]);
		if (to)
			r[REG_RIP] = to;
		else
			timer_settime(h->rekick, 0, &its, NULL);
	}
	errno = saved_errno;
}

void hart_signals(struct uhost *u)
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK };

	(void)u;
	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR1);
	sa.sa_sigaction = on_kick;
	sigaction(SIGUSR1, &sa, NULL);
	/* A fault inside the fault handler is a crash to be told of: do not block it. */
	sa.sa_flags |= SA_NODEFER;
	sa.sa_sigaction = on_fault;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	sa.sa_sigaction = on_crash;
	sigaction(SIGILL, &sa, NULL);
	sigaction(SIGFPE, &sa, NULL);
	sigaction(SIGTRAP, &sa, NULL);
}

/* --- the loop --- */

static enum dtv_action hart_run(struct uhart *h)
{
	struct dtv_cpu *cpu = &h->cpu;
	struct dtv_hart *hart = &cpu->area->hart;
	int kicked;

	WRITE_ONCE(h->kicked, 0);
	WRITE_ONCE(cpu->in_guest, 1);
	/* in_guest before the look at requests: see kmod/hart.c. */
	smp_mb();
	if (dtv_cpu_pending(cpu) || READ_ONCE(h->host->vm.stopped)) {
		WRITE_ONCE(cpu->in_guest, 0);
		return dtv_cpu_continue(cpu);
	}
	hart->host_exit = (u64)uhost_left;
	kicked = uhost_enter((u8 *)cpu->area + DTV_HART_BIAS, h->host->vm.dbt.stub_resume,
			     &hart->host_sp, &h->kicked);
	if (kicked) {
		WRITE_ONCE(cpu->in_guest, 0);
		return dtv_cpu_continue(cpu);
	}
	return dtv_cpu_exit(cpu);
}

static int make_timer(timer_t *t, pid_t tid)
{
	struct sigevent sev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };

	sev._sigev_un._tid = tid;
	return timer_create(CLOCK_MONOTONIC, &sev, t);
}

/* Harts come out of reset together: firmware does not wait for one that comes late. */
static void start_together(struct uhost *u)
{
	u32 n = __atomic_add_fetch(&u->ready, 1, __ATOMIC_SEQ_CST);

	while (n < u->nr_harts && !READ_ONCE(u->vm.stopped)) {
		struct timespec ts = { .tv_nsec = 1000000 };

		syscall(SYS_futex, &u->ready, FUTEX_WAIT_PRIVATE, n, &ts, NULL, 0);
		n = READ_ONCE(u->ready);
	}
	syscall(SYS_futex, &u->ready, FUTEX_WAKE_PRIVATE, DTV_MAX_HARTS, NULL, NULL, 0);
}

static void *hart_thread(void *arg)
{
	struct uhart *h = arg;
	struct uhost *u = h->host;
	stack_t ss = { .ss_sp = h->altstack, .ss_size = ALTSTACK_SIZE }, old;
	pid_t tid = syscall(SYS_gettid);
	enum dtv_action action;

	if (sigaltstack(&ss, &old) || make_timer(&h->timer, tid) || make_timer(&h->rekick, tid)) {
		uhost_stop(u, UHOST_KILLED, "hart %u: cannot prepare its thread: %s", h->cpu.id,
			   strerror(errno));
		return NULL;
	}
	self = h;
	WRITE_ONCE(h->tid, tid);
	start_together(u);

	action = dtv_cpu_continue(&h->cpu);
	while (!READ_ONCE(u->vm.stopped)) {
		switch (action) {
		case DTV_RUN:
			action = hart_run(h);
			break;
		case DTV_WAIT:
			hart_wait(h);
			action = dtv_cpu_continue(&h->cpu);
			break;
		case DTV_MMIO:
			machine_mmio(u, &h->cpu.mmio);
			h->mmio++;
			action = dtv_cpu_mmio_done(&h->cpu);
			break;
		case DTV_STOP:
			if (!READ_ONCE(u->vm.stopped))
				uhost_stop(u, UHOST_KILLED, "hart %u stopped", h->cpu.id);
			break;
		}
	}
	timer_delete(h->timer);
	timer_delete(h->rekick);
	/* What a sanitizer installed before is its own to free. */
	sigaltstack(&old, NULL);
	return NULL;
}

int hart_start(struct uhart *h)
{
	u8 *p = mmap(NULL, ALTSTACK_SIZE + 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	mprotect(p, 4096, PROT_NONE);
	h->altstack = p + 4096;
	errno = pthread_create(&h->thread, NULL, hart_thread, h);
	return errno ? -1 : 0;
}
