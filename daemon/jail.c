// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A jail begins as a fork of the guest's process, already without user,
 * capabilities and most system calls. The child gives up what the kernel would
 * otherwise write to memory that is about to be unmapped (restartable
 * sequences, robust list, clear-child-tid: a leftover of the first kills the
 * process at its next preemption), every descriptor but its vCPU's, and every
 * system call but ioctl, rt_sigreturn and exit_group. Then it enters.
 *
 * Between fork and entry only system calls are made, nothing of libc that
 * might allocate or lock.
 */
#include "jail.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hv.h"
#include "util.h"

/* An architecture's check, then the three calls; anything else ends the process. */
static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 5),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

/* libc says where its area is but not, in all versions, how long it said it was. */
static int drop_rseq(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	if (!__rseq_size)
		return 0;
	for (unsigned int len = 32; len <= 512; len += 32) {
		/* 1: RSEQ_FLAG_UNREGISTER */
		if (!syscall(SYS_rseq, area, len, 1, RSEQ_SIG))
			return 0;
	}
	return -errno;
}

static int close_others(int keep)
{
	if (keep > 0 && syscall(SYS_close_range, 0, keep - 1, 0) < 0)
		return -errno;
	if (syscall(SYS_close_range, keep + 1, ~0u, 0) < 0)
		return -errno;
	return 0;
}

static int become(int vcpu_fd, const char *comm, pid_t parent)
{
	const struct sock_fprog prog = {
		.len = DTV_COUNT(filter),
		.filter = (struct sock_filter *)filter,
	};
	sigset_t none;
	int ret;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	if (getppid() != parent)
		return -ESRCH;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, comm);
	ret = close_others(vcpu_fd);
	if (ret < 0)
		return ret;
	ret = drop_rseq();
	if (ret < 0)
		return ret;
	if (syscall(SYS_set_robust_list, NULL, 3 * sizeof(void *)) < 0)
		return -errno;
	syscall(SYS_set_tid_address, NULL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		return -errno;
	return dtv_hv_enter(vcpu_fd);
}

/**
 * dtv_jail_fork - make the jail of a vCPU
 * @vcpu_fd: the vCPU; closed in no process
 * @name: of the guest
 * @vcpu: its number
 *
 * The child never returns. It ends with an errno as exit status if it could
 * not enter, and by a signal otherwise.
 *
 * Context: this process has one thread.
 * Return: the child's pid, or -errno.
 */
pid_t dtv_jail_fork(int vcpu_fd, const char *name, unsigned int vcpu)
{
	pid_t parent = getpid(), pid;
	char comm[16], number[8];

	/* 15 bytes are seen; the number matters more than the name's end. */
	snprintf(number, sizeof(number), "/%u", vcpu);
	snprintf(comm, sizeof(comm), "dtv:%.*s%s", (int)(11 - strlen(number)), name, number);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		syscall(SYS_exit_group, -become(vcpu_fd, comm, parent) & 0xff);
	return pid;
}
