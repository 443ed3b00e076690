// SPDX-License-Identifier: GPL-2.0-only
/*
 * jail.c - turns a process into a jail: everything it has mapped goes, views,
 * cache and area come, and it goes on in the cache. All by exported functions
 * and the caller's own context, as execve does it to a process.
 *
 * Besides this file only kmod/dbt/x86 knows the host's registers.
 */
#include <linux/compat.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/syscalls.h>
#include <asm/sigframe.h>
#include <asm/unistd.h>
#include <linux/dtv.h>

#include "compat/compat.h"
#include "jail.h"
#include "mmu/map.h"
#include "vcpu.h"
#include "vm.h"

/* The last page of the cache is ours: the translator does not know of it. */
#define SIGNAL_STUB(vm) ((vm)->cache_size - PAGE_SIZE)

/*
 * The handler of SIGSEGV in a jail: an access that hit no view. DTV_VCPU_STRAY
 * edits the ip in the signal frame, which rdx points at. rbp is translated code's.
 */
static void __used signal_stub(void)
{
	asm volatile(".pushsection .rodata\n"
		     ".global dtv_jail_signal_stub, dtv_jail_signal_stub_end\n"
		     "dtv_jail_signal_stub:\n"
		     "	movl %0, %%eax\n"
		     "	movl %c1(%%rbp), %%edi\n"
		     "	movl %2, %%esi\n"
		     "	syscall\n"
		     "	movq %%rdx, %%rsp\n"
		     "	movl %3, %%eax\n"
		     "	syscall\n"
		     "dtv_jail_signal_stub_end:\n"
		     ".popsection\n" ::"i"(__NR_ioctl),
		     "i"(offsetof(struct dtv_hart, exit_fd) - DTV_HART_BIAS),
		     "i"((int)DTV_VCPU_STRAY), "i"(__NR_rt_sigreturn));
}

u64 dtv_jail_cache_size(const struct dtv_vm *vm)
{
	return SIGNAL_STUB(vm);
}

void dtv_jail_init_cache(struct dtv_vm *vm)
{
	memcpy(vm->cache + SIGNAL_STUB(vm), dtv_jail_signal_stub,
	       dtv_jail_signal_stub_end - dtv_jail_signal_stub);
}

bool dtv_jail_in_signal(const struct dtv_vm *vm, u64 ip)
{
	return ip >= DTV_JAIL_CACHE + SIGNAL_STUB(vm) && ip < DTV_JAIL_CACHE + vm->cache_size;
}

/* What the mappings of a jail add up to. */
static u64 total_size(struct dtv_vm *vm)
{
	return DTV_JAIL_VIEWS * DTV_VIEW_STRIDE + vm->cache_size + DTV_AREA_SIZE;
}

/*
 * Others may hold the address space for a moment (readers of /proc); one that is shared by a
 * vfork() parent stays shared.
 */
static bool alone(void)
{
	unsigned int tries;

	if (!thread_group_empty(current))
		return false;
	for (tries = 0; atomic_read(&current->mm->mm_users) != 1; tries++) {
		if (tries == 100 || fatal_signal_pending(current))
			return false;
		usleep_range(500, 1000);
	}
	return true;
}

static int check_caller(struct dtv_vcpu *vcpu, struct file *file, unsigned long fd)
{
	struct file *same = fd <= INT_MAX ? fget(fd) : NULL;

	if (same)
		fput(same);
	if (same != file)
		return -EINVAL;
	if (in_compat_syscall() || !user_64bit_mode(task_pt_regs(current)))
		return -EINVAL;
	if (dtv_compat_shadow_stack(current) || !alone())
		return -EBUSY;
	if (rlimit(RLIMIT_AS) < total_size(vcpu->vm))
		return -ENOMEM;
	return 0;
}

/* One jail per vCPU, for ever. */
static int claim(struct dtv_vcpu *vcpu)
{
	struct dtv_vm *vm = vcpu->vm;
	int err = 0;

	mutex_lock(&vm->lock);
	if (dtv_vm_stopped(vm))
		err = -ESHUTDOWN;
	else if (vcpu->task)
		err = -EBUSY;
	else
		vcpu->task = get_task_struct(current);
	mutex_unlock(&vm->lock);
	return err;
}

/* It did not come to it: another process may try. */
static void unclaim(struct dtv_vcpu *vcpu)
{
	struct dtv_vm *vm = vcpu->vm;

	mutex_lock(&vm->lock);
	put_task_struct(vcpu->task);
	vcpu->task = NULL;
	mutex_unlock(&vm->lock);
}

/* What the kernel would touch on return to user mode or at exit, in memory that is gone. */
static void forget_pointers(void)
{
	rseq_execve(current);
#ifdef CONFIG_FUTEX
	current->robust_list = NULL;
#ifdef CONFIG_COMPAT
	current->compat_robust_list = NULL;
#endif
#endif
	current->clear_child_tid = NULL;
}

/* Handlers are gone with the memory; SIGSEGV gets ours. */
static void set_signals(struct dtv_vm *vm)
{
	const unsigned long stub = DTV_JAIL_CACHE + SIGNAL_STUB(vm);
	/* Ours alone, and nobody else changes it: check_caller(). */
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);
	struct k_sigaction *action;
	sigset_t faults;
	int sig;

	spin_lock_irq(&sighand->siglock);
	for (sig = 1; sig <= _NSIG; sig++) {
		action = &sighand->action[sig - 1];
		if (action->sa.sa_handler != SIG_IGN)
			action->sa.sa_handler = SIG_DFL;
		action->sa.sa_flags = 0;
		action->sa.sa_restorer = NULL;
		sigemptyset(&action->sa.sa_mask);
	}
	action = &sighand->action[SIGSEGV - 1];
	action->sa.sa_handler = (__sighandler_t)stub;
	action->sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTORER;
	action->sa.sa_restorer = (__sigrestore_t)stub;
	spin_unlock_irq(&sighand->siglock);
	siginitset(&faults, sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) | sigmask(SIGFPE) |
				    sigmask(SIGTRAP));
	sigprocmask(SIG_UNBLOCK, &faults, NULL);
	current->sas_ss_sp = DTV_JAIL_AREA + offsetof(struct dtv_area, sigstack);
	current->sas_ss_size = sizeof_field(struct dtv_area, sigstack);
	current->sas_ss_flags = 0;
}

/* What would make mappings other than they are asked for. */
static int plain_mm(void)
{
	struct mm_struct *mm = current->mm;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	mm->def_flags = 0;
	mmap_write_unlock(mm);
	current->personality &= ~(READ_IMPLIES_EXEC | MMAP_PAGE_ZERO | ADDR_COMPAT_LAYOUT);
	return 0;
}

static int map(struct file *file, u64 addr, u64 size, unsigned long prot, u64 offset)
{
	unsigned long ret =
		vm_mmap(file, addr, size, prot, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, offset);

	return IS_ERR_VALUE(ret) ? (int)ret : 0;
}

/* What is there already is replaced. */
static int map_views(struct dtv_vcpu *vcpu, struct file *file)
{
	unsigned int i;
	int err = 0;

	vcpu->mapping = true;
	for (i = 0; i < DTV_JAIL_VIEWS && !err; i++)
		err = map(file, DTV_JAIL_VIEW + i * DTV_VIEW_STRIDE, DTV_VIEW_STRIDE,
			  PROT_READ | PROT_WRITE, i * DTV_VIEW_STRIDE);
	vcpu->mapping = false;
	if (!err && current->mm->map_count != DTV_JAIL_VIEWS + 2)
		err = -EBUSY;
	return err;
}

static int map_all(struct dtv_vcpu *vcpu, struct file *file)
{
	int err;

	vcpu->mapping = true;
	err = map(file, DTV_JAIL_AREA, DTV_AREA_SIZE, PROT_READ | PROT_WRITE, DTV_MAP_AREA);
	if (!err)
		err = map(file, DTV_JAIL_CACHE, vcpu->vm->cache_size, PROT_READ | PROT_EXEC,
			  DTV_MAP_CACHE);
	vcpu->mapping = false;
	return err ?: map_views(vcpu, file);
}

u64 dtv_jail_tables_max(const struct dtv_vm *vm)
{
	u64 pages = 0;
	unsigned int i;

	/* Eight views of all of the memory, and something for what is mapped sparsely. */
	for (i = 0; i < vm->nr_slots; i++)
		pages += vm->slots[i].pages;
	return (pages << PAGE_SHIFT) / 64 + (16ULL << 20);
}

void dtv_jail_trim(struct dtv_vcpu *vcpu)
{
	struct file *file = fget(vcpu->fd);
	int err = -EBADF;

	vcpu->trim = false;
	dtv_views_flush(&vcpu->cpu);
	if (file && file_inode(file) == vcpu->inode)
		err = map_views(vcpu, file);
	if (file)
		fput(file);
	if (err)
		dtv_vm_kill(vcpu->vm, "vcpu %u: views cannot be mapped again (error %d)",
			    vcpu->cpu.id, -err);
}

/*
 * The first thing the jail does is the system call of its exit stub: the run
 * loop goes on from there, and returns behind it, where registers are loaded.
 */
static void set_registers(struct dtv_vcpu *vcpu, unsigned int fd)
{
	static const u8 syscall_insn[2] = { 0x0f, 0x05 };
	const u64 ip = vcpu->vm->core.dbt.stub_resume - sizeof(syscall_insn);
	struct pt_regs *regs = task_pt_regs(current);

	WARN_ON_ONCE(memcmp(vcpu->vm->cache + (ip - DTV_JAIL_CACHE), syscall_insn,
			    sizeof(syscall_insn)));
	regs->r15 = regs->r14 = regs->r13 = regs->r12 = 0;
	regs->r11 = regs->r10 = regs->r9 = regs->r8 = 0;
	regs->bx = regs->cx = regs->dx = 0;
	regs->bp = DTV_JAIL_AREA + DTV_HART_BIAS;
	regs->sp = DTV_JAIL_AREA + offsetof(struct dtv_area, rstack) +
		   sizeof_field(struct dtv_area, rstack) - 64;
	regs->di = fd;
	regs->si = DTV_VCPU_EXIT;
	regs->ip = ip;
	regs->flags = X86_EFLAGS_IF | X86_EFLAGS_FIXED;
	/* No system call is to be restarted here. */
	regs->orig_ax = -1;
}

long dtv_jail_enter(struct dtv_vcpu *vcpu, struct file *file, unsigned long fd)
{
	struct dtv_area *area = vcpu->area;
	int err;

	err = check_caller(vcpu, file, fd);
	if (err)
		return err;
	err = claim(vcpu);
	if (err)
		return err;
	err = plain_mm();
	if (!err)
		err = vm_munmap(0, TASK_SIZE);
	if (err) {
		unclaim(vcpu);
		return err;
	}
	/* There is nothing to return to any more. */
	forget_pointers();
	set_signals(vcpu->vm);
	err = map_all(vcpu, file);
	if (err) {
		dtv_vm_kill(vcpu->vm, "vcpu %u: address space cannot be made (error %d)",
			    vcpu->cpu.id, -err);
		send_sig(SIGKILL, current, 1);
		return err;
	}
	vcpu->fd = fd;
	/* The signal handler needs them, and may be run before the first exit. */
	area->hart.exit_fd = fd;
	area->hart.exit_cmd = DTV_VCPU_EXIT;
	vcpu->parked = true;
	vcpu->action = DTV_RUN;
	WRITE_ONCE(vcpu->jailed, true);
	set_registers(vcpu, fd);
	/* rax: the exit's system call. */
	return __NR_ioctl;
}

/*
 * The signal frame lies on the area's stack, where other code of the jail may
 * change it: what is found there is only an address in the jail.
 */
long dtv_jail_stray(struct dtv_vcpu *vcpu)
{
	const u64 area = DTV_JAIL_AREA, frame = task_pt_regs(current)->dx;
	const size_t ip_offset = offsetof(struct ucontext, uc_mcontext.ip);
	struct dtv_miss m = { .kind = DTV_MISS_RETRY };
	u64 *ip;

	if (current != vcpu->task || !vcpu->jailed)
		return -EPERM;
	if (frame & 7 || frame < area || frame > area + DTV_AREA_SIZE - sizeof(struct ucontext))
		return -EFAULT;
	ip = vcpu->area + (frame - area) + ip_offset;
	dtv_cpu_stray(&vcpu->cpu, READ_ONCE(*ip), &m);
	if (m.kind == DTV_MISS_REDIRECT)
		WRITE_ONCE(*ip, m.ip);
	return 0;
}
