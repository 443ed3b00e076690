// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See sandbox.h. The list of system calls is that of a process which serves
 * devices and, at a reset, loads its files again and forks new jails. Of the
 * calls with a wide meaning only the used part is left: no mapping is made
 * executable, a clone is a fork, an ioctl is one of the module's or fcntl-like.
 */
#include "sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "util.h"

/* Used if the user of the installation is not there; "nobody" on every Linux. */
#define UID_NOBODY 65534
#define GID_NOBODY 65534

/* The module's ioctl type letter, in an ioctl number's second byte. */
#define DTV_IOCTL_TYPE 0xd7

#define ALL (~0ULL)

/**
 * dtv_sandbox_rights - become nobody, in an empty directory
 * @empty_dir: descriptor of the directory that will be all there is
 * @err: text on failure
 * @n: room there
 *
 * Started by an ordinary user there are no rights to drop: only those that an
 * exec could bring are refused.
 *
 * Return: 0 or -errno.
 */
int dtv_sandbox_rights(int empty_dir, char *err, size_t n)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	const struct rlimit nothing = { 0, 0 };
	struct passwd *pw;
	uid_t uid = UID_NOBODY;
	gid_t gid = GID_NOBODY;
	int ret;

	setrlimit(RLIMIT_CORE, &nothing);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		goto fail;
	if (geteuid() != 0)
		return 0;
	/*
	 * The module accounts the guest's memory to this process; dtvd has checked its size. Where
	 * limits cannot be raised (containers), the module will say if the one there is too low.
	 */
	if (setrlimit(RLIMIT_MEMLOCK, &unlimited) < 0)
		dtv_log(DTV_WARNING, "cannot raise the limit of locked memory: %s",
			strerror(errno));
	pw = getpwnam(DTV_SANDBOX_USER);
	if (pw) {
		uid = pw->pw_uid;
		gid = pw->pw_gid;
	}
	if (fchdir(empty_dir) < 0 || chroot(".") < 0)
		goto fail;
	capng_clear(CAPNG_SELECT_BOTH);
	ret = capng_change_id(uid, gid, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	if (ret < 0) {
		snprintf(err, n, "cannot become user %u: capng_change_id() says %d", uid, ret);
		return -EPERM;
	}
	if (capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE || setuid(0) == 0) {
		snprintf(err, n, "rights are left after dropping them");
		return -EPERM;
	}
	return 0;
fail:
	ret = -errno;
	snprintf(err, n, "cannot give up rights: %s", strerror(errno));
	return ret;
}

static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(close_range),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fcntl),
	SCMP_SYS(fallocate),
	SCMP_SYS(ftruncate),
	SCMP_SYS(memfd_create),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(accept4),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(getsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(wait4),
	SCMP_SYS(waitid),
	SCMP_SYS(getpid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(gettid),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(sched_yield),
	/* A new jail's, on its way. */
	SCMP_SYS(set_robust_list),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(rseq),
	SCMP_SYS(seccomp),
};

/* One call, if its argument number @arg, of which @mask counts, is @value. */
static int allow_if(scmp_filter_ctx ctx, int call, unsigned int arg, uint64_t mask, uint64_t value)
{
	const struct scmp_arg_cmp cmp = {
		.arg = arg,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = mask,
		.datum_b = value,
	};

	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, call, 1, &cmp);
}

static int allow_parts(scmp_filter_ctx ctx)
{
	static const int prctls[] = { PR_SET_PDEATHSIG, PR_SET_NAME, PR_SET_NO_NEW_PRIVS };
	const unsigned long fork_flags = CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD;
	int ret = 0;

	for (size_t i = 0; i < DTV_COUNT(prctls); i++)
		ret |= allow_if(ctx, SCMP_SYS(prctl), 0, ALL, prctls[i]);
	ret |= allow_if(ctx, SCMP_SYS(clone), 0, ALL, fork_flags);
	ret |= allow_if(ctx, SCMP_SYS(ioctl), 1, 0xff00, DTV_IOCTL_TYPE << 8);
	ret |= allow_if(ctx, SCMP_SYS(mmap), 2, PROT_EXEC, 0);
	ret |= allow_if(ctx, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
	/* abort() and raise() signal this process; no other's number is accepted. */
	ret |= allow_if(ctx, SCMP_SYS(tgkill), 0, ALL, getpid());
	return ret;
}

/**
 * dtv_sandbox_syscalls - allow what serving a guest needs; the rest kills
 * @err: text on failure
 * @n: room there
 *
 * Return: 0 or -errno.
 */
int dtv_sandbox_syscalls(char *err, size_t n)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int ret;

	if (!ctx) {
		snprintf(err, n, "cannot make a system call filter");
		return -ENOMEM;
	}
	/* A tree instead of a list, with the call that serving MMIO is made of first. */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	seccomp_syscall_priority(ctx, SCMP_SYS(ioctl), 255);
	ret = allow_parts(ctx);
	for (size_t i = 0; i < DTV_COUNT(allowed) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	if (!ret)
		ret = seccomp_load(ctx);
	seccomp_release(ctx);
	if (ret)
		snprintf(err, n, "cannot install the system call filter: %s", strerror(-ret));
	return ret;
}
