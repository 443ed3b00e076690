// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stub.c - in the places of hv.c and jail.c: a module of nothing, so that dtvd
 * and vmctl can be tested where no module can be loaded. The "guest" is a child
 * that drives the serial port and the finisher by the same events as a real one:
 *
 *   it prints "stub: guest runs", then echoes what is typed, and on a key
 *   q powers off, f reports failure 7, p panics, r resets, x is stopped by the
 *   module, b prints 100,000 bytes, o after a break powers off.
 *
 * DTV_STUB in the environment of dtvd: "nomodule" or "nopermission": no device;
 * "hasty": guests power off once they have printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fdt.h"
#include "hv.h"
#include "jail.h"
#include "util.h"

#define RESETS 4
#define UART_THR 0
#define UART_LSR 5
#define LSR_DR 1
#define LSR_BI 16

/* Made before the sandbox, which allows no new sockets. */
static int pairs[RESETS][2];
static unsigned int used;
static int guest_end = -1, vm_end = -1;
static bool stopped, paused, hasty;
static char stop_reason[DTV_REASON_MAX + 1];

/* A guest's process under the sanitizers cannot look for leaks: that takes forbidden calls. */
static bool sandboxed;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return sandboxed;
}

int dtv_hv_open(struct dtv_hv *hv, char *err, size_t n)
{
	const char *how = getenv("DTV_STUB");

	memset(hv, 0, sizeof(*hv));
	hv->vm = -1;
	hv->dev = -1;
	sandboxed = true;
	if (how && !strcmp(how, "nomodule")) {
		snprintf(err, n, "/dev/dtv is not there: load the module with `modprobe dtv`");
		return -ENOENT;
	}
	if (how && !strcmp(how, "nopermission")) {
		snprintf(err, n, "no permission to open /dev/dtv: join its group");
		return -EACCES;
	}
	hasty = how && !strcmp(how, "hasty");
	for (unsigned int i = 0; i < RESETS; i++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pairs[i]) < 0)
			return -errno;
	return 0;
}

int dtv_hv_create(struct dtv_hv *hv, const char *name, uint64_t cache, char *err, size_t n)
{
	(void)name;
	(void)cache;
	if (used == RESETS) {
		snprintf(err, n, "the stub has no more VMs");
		return -ENOSPC;
	}
	vm_end = pairs[used][0];
	guest_end = pairs[used][1];
	used++;
	fcntl(vm_end, F_SETFL, O_NONBLOCK);
	hv->vm = vm_end;
	hv->vcpus = 0;
	stopped = false;
	stop_reason[0] = 0;
	return 0;
}

int dtv_hv_isa(struct dtv_hv *hv, const char *isa, char *err, size_t n)
{
	(void)hv;
	(void)err;
	(void)n;
	return strncmp(isa, "rv64i", 5) ? -EINVAL : 0;
}

int dtv_hv_limit(struct dtv_hv *hv, uint64_t instructions, char *err, size_t n)
{
	(void)hv;
	(void)err;
	(void)n;
	return instructions ? 0 : -EINVAL;
}

int dtv_hv_memory(struct dtv_hv *hv, int memfd, uint64_t gpa, uint64_t size, char *err, size_t n)
{
	(void)hv;
	(void)err;
	(void)n;
	return memfd >= 0 && gpa == MACHINE_RAM_GPA && size ? 0 : -EINVAL;
}

int dtv_hv_rom(struct dtv_hv *hv, int memfd, uint64_t gpa, uint64_t size, char *err, size_t n)
{
	(void)hv;
	(void)err;
	(void)n;
	return memfd >= 0 && gpa < MACHINE_RAM_GPA && size ? 1 : -EINVAL;
}

int dtv_hv_show(struct dtv_hv *hv, unsigned int slot, bool shown)
{
	(void)hv;
	(void)slot;
	(void)shown;
	return 0;
}

int dtv_hv_written(struct dtv_hv *hv, uint64_t gpa, uint64_t size)
{
	(void)hv;
	(void)gpa;
	(void)size;
	return 0;
}

int dtv_hv_vcpu(struct dtv_hv *hv, char *err, size_t n)
{
	(void)err;
	(void)n;
	hv->vcpu[hv->vcpus++] = fcntl(guest_end, F_DUPFD_CLOEXEC, 0);
	return 0;
}

int dtv_hv_entry(struct dtv_hv *hv, uint64_t pc, uint64_t a1, bool m_mode, char *err, size_t n)
{
	(void)hv;
	(void)err;
	(void)n;
	return pc && (a1 || m_mode) ? 0 : -EINVAL;
}

int dtv_hv_enter(int vcpu_fd)
{
	(void)vcpu_fd;
	return -ENXIO;
}

int dtv_hv_start(struct dtv_hv *hv, char *err, size_t n)
{
	(void)hv;
	(void)err;
	(void)n;
	return 0;
}

int dtv_hv_pause(struct dtv_hv *hv)
{
	(void)hv;
	paused = true;
	return 0;
}

int dtv_hv_unpause(struct dtv_hv *hv)
{
	(void)hv;
	paused = false;
	return 0;
}

int dtv_hv_stop(struct dtv_hv *hv, const char *reason)
{
	(void)hv;
	stopped = true;
	snprintf(stop_reason, sizeof(stop_reason), "%s", reason);
	shutdown(vm_end, SHUT_RDWR);
	return 0;
}

int dtv_hv_irq(struct dtv_hv *hv, unsigned int irq, bool level)
{
	(void)hv;
	(void)irq;
	(void)level;
	return 0;
}

int dtv_hv_events(struct dtv_hv *hv, struct dtv_event *ev, size_t n)
{
	ssize_t len;

	(void)n;
	len = recv(hv->vm, ev, sizeof(*ev), MSG_DONTWAIT);
	if (len <= 0)
		return 0;
	if (ev->type == DTV_EVENT_STOPPED) {
		stopped = true;
		snprintf(stop_reason, sizeof(stop_reason), "stub: the guest jumped into nothing");
	}
	return 1;
}

int dtv_hv_reply(struct dtv_hv *hv, const struct dtv_event *ev, uint64_t data, bool nobody)
{
	struct dtv_mmio_reply r = { .id = ev->id, .data = data, .status = nobody };

	return send(hv->vm, &r, sizeof(r), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int dtv_hv_state(struct dtv_hv *hv, struct dtv_state *state)
{
	(void)hv;
	memset(state, 0, sizeof(*state));
	state->state = stopped ? DTV_VM_STOPPED : paused ? DTV_VM_PAUSED : DTV_VM_RUNNING;
	snprintf(state->reason, sizeof(state->reason), "%s", stop_reason);
	return 0;
}

int dtv_hv_stats(struct dtv_hv *hv, struct dtv_stats *stats)
{
	(void)hv;
	memset(stats, 0, sizeof(*stats));
	stats->blocks = 42;
	return 0;
}

void dtv_hv_destroy(struct dtv_hv *hv)
{
	for (unsigned int i = 0; i < hv->vcpus; i++)
		close(hv->vcpu[i]);
	hv->vcpus = 0;
	if (hv->vm >= 0) {
		close(vm_end);
		close(guest_end);
	}
	hv->vm = -1;
}

/* The guest. */

static uint64_t access_bus(uint64_t gpa, unsigned int len, bool write, uint64_t data)
{
	struct dtv_event ev = {
		.type = DTV_EVENT_MMIO,
		.addr = gpa,
		.data = data,
		.len = len,
		.write = write,
	};
	struct dtv_mmio_reply r;

	if (send(guest_end, &ev, sizeof(ev), MSG_NOSIGNAL) < 0 ||
	    recv(guest_end, &r, sizeof(r), 0) != sizeof(r))
		_exit(0);
	return r.data;
}

static void print(const char *text)
{
	for (; *text; text++)
		access_bus(MACHINE_UART_GPA + UART_THR, 1, true, (unsigned char)*text);
}

static void finisher(uint32_t value)
{
	access_bus(MACHINE_FINISHER_GPA, 4, true, value);
}

static void key(char c, bool after_break)
{
	struct dtv_event stop = { .type = DTV_EVENT_STOPPED };
	char line[101];

	memset(line, '.', 99);
	strcpy(line + 99, "\n");
	switch (c) {
	case 'q':
		finisher(0x5555);
		break;
	case 'f':
		finisher(7 << 16 | 0x3333);
		break;
	case 'r':
		finisher(0x7777);
		break;
	case 'p':
		print("\r\n[    1.234567] ---[ end Kernel panic - not syncing: ");
		print("\033[31mstub ]---\r\n");
		break;
	case 'x':
		if (send(guest_end, &stop, sizeof(stop), MSG_NOSIGNAL) < 0)
			_exit(0);
		break;
	case 'b':
		for (int i = 0; i < 1000; i++)
			print(line);
		print("end of b\n");
		break;
	case 'o':
		if (after_break)
			finisher(0x5555);
		break;
	}
}

static void run_guest(void)
{
	bool after_break = false;

	print("stub: guest runs\r\n");
	if (hasty)
		finisher(0x5555);
	for (;;) {
		uint64_t lsr = access_bus(MACHINE_UART_GPA + UART_LSR, 1, false, 0);
		char c[2] = "";

		if (lsr & LSR_DR) {
			c[0] = access_bus(MACHINE_UART_GPA + UART_THR, 1, false, 0);
			if (lsr & LSR_BI) {
				after_break = true;
				continue;
			}
			print(c);
			key(c[0], after_break);
			after_break = false;
			continue;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
}

pid_t dtv_jail_fork(int vcpu_fd, const char *name, unsigned int vcpu)
{
	struct pollfd p = { .fd = guest_end };
	pid_t pid = fork();

	(void)vcpu_fd;
	(void)name;
	if (pid)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_PDEATHSIG, 9 /* SIGKILL */);
	close(vm_end);
	if (!vcpu)
		run_guest();
	while (!(p.revents & POLLHUP))
		poll(&p, 1, -1);
	_exit(0);
}
