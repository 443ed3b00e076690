// SPDX-License-Identifier: GPL-2.0-or-later
/* See hv.h and linux/dtv.h. No other file of the daemon issues these ioctls. */
#include "hv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util.h"

static int call(int fd, unsigned long cmd, const void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, cmd, arg);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

static int explain(int ret, char *err, size_t n, const char *what)
{
	if (ret < 0)
		snprintf(err, n, "%s: %s", what, strerror(-ret));
	return ret < 0 ? ret : 0;
}

static int cannot_open(int ret, char *err, size_t n)
{
	switch (ret) {
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		snprintf(err, n, "no %s: load the module, `modprobe dtv` or `insmod dtv.ko`",
			 DTV_DEVICE);
		break;
	case -EACCES:
	case -EPERM:
		snprintf(err, n, "no permission to use %s: join its group, `usermod -aG dtv USER`",
			 DTV_DEVICE);
		break;
	default:
		snprintf(err, n, "%s: %s", DTV_DEVICE, strerror(-ret));
	}
	return ret;
}

static int wrong_version(int ret, char *err, size_t n)
{
	if (ret < 0)
		snprintf(err, n, "%s does not answer: %s", DTV_DEVICE, strerror(-ret));
	else
		snprintf(err, n, "the module's version is %d, dtvd's is %d: install both anew", ret,
			 DTV_API_VERSION);
	return -EPROTO;
}

/**
 * dtv_hv_open - open the module's device and check that we understand it
 * @hv: is made empty first
 * @err: text for the user, with what helps
 * @n: room there
 *
 * Return: 0; -ENOENT, -ENXIO or -ENODEV: no module; -EACCES or -EPERM: no
 * right; -EPROTO: another API version; or another -errno.
 */
int dtv_hv_open(struct dtv_hv *hv, char *err, size_t n)
{
	int ret;

	memset(hv, 0, sizeof(*hv));
	hv->vm = -1;
	hv->dev = open(DTV_DEVICE, O_RDWR | O_CLOEXEC);
	if (hv->dev < 0)
		return cannot_open(-errno, err, n);
	ret = call(hv->dev, DTV_GET_API_VERSION, NULL);
	if (ret == DTV_API_VERSION)
		return 0;
	close(hv->dev);
	hv->dev = -1;
	return wrong_version(ret, err, n);
}

/**
 * dtv_hv_create - make the VM
 * @hv: open, without a VM
 * @name: of the guest
 * @cache: bytes of code cache, 0: the module's default
 * @err: text on failure
 * @n: room there
 *
 * Return: 0; -EEXIST: a VM of this name lives; or another -errno.
 */
int dtv_hv_create(struct dtv_hv *hv, const char *name, uint64_t cache, char *err, size_t n)
{
	struct dtv_create_vm arg = { .cache_size = cache };
	int fd;

	snprintf(arg.name, sizeof(arg.name), "%s", name);
	fd = call(hv->dev, DTV_CREATE_VM, &arg);
	if (fd < 0)
		return explain(fd, err, n, "cannot make the VM");
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	hv->vm = fd;
	hv->vcpus = 0;
	hv->slots = 0;
	return 0;
}

/** dtv_hv_isa - what the harts offer, as guest.cfg(5) writes it; before the first vCPU */
int dtv_hv_isa(struct dtv_hv *hv, const char *isa, char *err, size_t n)
{
	struct dtv_isa arg;

	if ((size_t)snprintf(arg.isa, sizeof(arg.isa), "%s", isa) >= sizeof(arg.isa))
		return explain(-EINVAL, err, n, "cannot set the extensions");
	return explain(call(hv->vm, DTV_SET_ISA, &arg), err, n, "cannot set the extensions");
}

/** dtv_hv_limit - how many instructions a hart may retire; before the first vCPU */
int dtv_hv_limit(struct dtv_hv *hv, uint64_t instructions, char *err, size_t n)
{
	struct dtv_limit arg = { .instructions = instructions };

	return explain(call(hv->vm, DTV_SET_LIMIT, &arg), err, n,
		       "cannot limit the number of instructions");
}

/** dtv_hv_memory - add RAM: the first @size bytes of sealed @memfd at @gpa */
int dtv_hv_memory(struct dtv_hv *hv, int memfd, uint64_t gpa, uint64_t size, char *err, size_t n)
{
	struct dtv_memory arg = { .slot = hv->slots, .fd = memfd, .gpa = gpa, .size = size };
	int ret = call(hv->vm, DTV_SET_MEMORY, &arg);

	hv->slots += ret >= 0;
	return explain(ret, err, n, "cannot give the VM its memory");
}

/** dtv_hv_rom - add ROM: the first @size bytes of sealed @memfd at @gpa; its slot, or -errno */
int dtv_hv_rom(struct dtv_hv *hv, int memfd, uint64_t gpa, uint64_t size, char *err, size_t n)
{
	struct dtv_memory arg = { .slot = hv->slots, .fd = memfd, .gpa = gpa, .size = size };
	int ret = call(hv->vm, DTV_SET_ROM, &arg);

	return ret < 0 ? explain(ret, err, n, "cannot give the VM its ROM") : (int)hv->slots++;
}

/** dtv_hv_show - whether harts read a ROM by themselves, or by DTV_EVENT_MMIO */
int dtv_hv_show(struct dtv_hv *hv, unsigned int slot, bool shown)
{
	struct dtv_show arg = { .slot = slot, .shown = shown };

	return call(hv->vm, DTV_SHOW_ROM, &arg);
}

/** dtv_hv_written - memory that harts execute was changed by us */
int dtv_hv_written(struct dtv_hv *hv, uint64_t gpa, uint64_t size)
{
	struct dtv_range arg = { .gpa = gpa, .size = size };

	return call(hv->vm, DTV_WRITTEN, &arg);
}

/** dtv_hv_vcpu - add the next vCPU */
int dtv_hv_vcpu(struct dtv_hv *hv, char *err, size_t n)
{
	int fd = call(hv->vm, DTV_CREATE_VCPU, (void *)(uintptr_t)hv->vcpus);

	if (fd < 0)
		return explain(fd, err, n, "cannot make a vCPU");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	hv->vcpu[hv->vcpus++] = fd;
	return 0;
}

/**
 * dtv_hv_entry - how harts start
 * @hv: with a VM that was not started
 * @pc: gpa of the first instruction
 * @a1: for a1
 * @m_mode: all harts, in M-mode, without the built-in SBI; else hart 0 in S-mode
 * @err: text on failure
 * @n: room there
 *
 * Return: 0 or -errno.
 */
int dtv_hv_entry(struct dtv_hv *hv, uint64_t pc, uint64_t a1, bool m_mode, char *err, size_t n)
{
	struct dtv_entry arg = { .pc = pc, .a1 = a1 };

	if (m_mode)
		arg.flags = DTV_ENTRY_M_MODE;

	return explain(call(hv->vm, DTV_SET_ENTRY, &arg), err, n, "cannot set the entry");
}

/**
 * dtv_hv_enter - become the jail of a vCPU
 * @vcpu_fd: its fd
 *
 * Context: a process with one thread and nothing worth keeping (jail.c).
 * Return: does not on success; -errno.
 */
int dtv_hv_enter(int vcpu_fd)
{
	/* The fd's number is what the exit stub will use. */
	return ioctl(vcpu_fd, DTV_VCPU_ENTER, (long)vcpu_fd) < 0 ? -errno : -EIO;
}

/** dtv_hv_start - let the vCPUs run */
int dtv_hv_start(struct dtv_hv *hv, char *err, size_t n)
{
	return explain(call(hv->vm, DTV_START, NULL), err, n, "cannot start the VM");
}

/** dtv_hv_pause - all vCPUs stand and guest time with them when this returns 0 */
int dtv_hv_pause(struct dtv_hv *hv)
{
	return call(hv->vm, DTV_PAUSE, NULL);
}

/** dtv_hv_unpause - go on after dtv_hv_pause() */
int dtv_hv_unpause(struct dtv_hv *hv)
{
	return call(hv->vm, DTV_UNPAUSE, NULL);
}

/** dtv_hv_stop - stop the VM for good; others see @reason */
int dtv_hv_stop(struct dtv_hv *hv, const char *reason)
{
	struct dtv_stop arg = { .reason = "" };

	snprintf(arg.reason, sizeof(arg.reason), "%s", reason);
	return call(hv->vm, DTV_STOP_VM, &arg);
}

/** dtv_hv_irq - drive the interrupt wire of PLIC source @irq */
int dtv_hv_irq(struct dtv_hv *hv, unsigned int irq, bool level)
{
	struct dtv_irq_level arg = { .irq = irq, .level = level };

	if (hv->vm < 0)
		return 0;
	return call(hv->vm, DTV_IRQ_LINE, &arg);
}

/** dtv_hv_events - take up to @n events; how many came, 0: none now, or -errno */
int dtv_hv_events(struct dtv_hv *hv, struct dtv_event *ev, size_t n)
{
	ssize_t len = read(hv->vm, ev, n * sizeof(*ev));

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return len / sizeof(*ev);
}

/** dtv_hv_reply - answer an MMIO event; @nobody: nothing is at that address */
int dtv_hv_reply(struct dtv_hv *hv, const struct dtv_event *ev, uint64_t data, bool nobody)
{
	struct dtv_mmio_reply arg = {
		.id = ev->id,
		.data = data,
		.status = nobody,
		.vcpu = ev->vcpu,
	};

	return call(hv->vm, DTV_MMIO_REPLY, &arg);
}

/** dtv_hv_state - state of the VM */
int dtv_hv_state(struct dtv_hv *hv, struct dtv_state *state)
{
	int ret = call(hv->vm, DTV_GET_STATE, state);

	state->reason[DTV_REASON_MAX] = 0;
	return ret;
}

/** dtv_hv_stats - counters of the VM */
int dtv_hv_stats(struct dtv_hv *hv, struct dtv_stats *stats)
{
	return call(hv->vm, DTV_GET_STATS, stats);
}

/** dtv_hv_destroy - give the VM back, if there is one; the device stays open */
void dtv_hv_destroy(struct dtv_hv *hv)
{
	for (unsigned int i = 0; i < hv->vcpus; i++)
		close(hv->vcpu[i]);
	hv->vcpus = 0;
	if (hv->vm >= 0)
		close(hv->vm);
	hv->vm = -1;
}
