// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See machine.h. A reset of the guest is a new VM: the old one is given back,
 * its RAM emptied, kernel and initrd loaded again. All of that works below the
 * sandbox, because the device, the files and the memory are open from the start.
 *
 * Whatever ends a guest calls dtv_machine_end(): the first reason wins, the loop
 * is left after the current round, and the owner takes the machine down.
 */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "htif.h"
#include "jail.h"
#include "kmod/guest/isa.h"
#include "loader.h"
#include "util.h"

/* Asking a guest to stop: between a break and its key, and behind the key. */
#define SYSRQ_BREAK_NS 100000000LL
#define SYSRQ_KEY_NS 400000000LL
/* How long jails may take to die, in steps of a millisecond. */
#define REAP_STEPS 5000

/* How long to look for the next event; about what going to sleep and waking up take. */
#define SPIN_NS 20000
/* And how often: consoles and dtvd want to be heard, too. */
#define ROUNDS_MAX 1000

/* How often a mailbox is looked at, and for how long at a stretch while it is used. */
#define HTIF_NS 1000000
#define HTIF_ROUND_NS 5000000

/* SBI SRST: types and the one reason that matters. */
#define SRST_SHUTDOWN 0
#define SRST_REASON_FAILURE 1

/**
 * struct dtv_machine - see machine.h
 * @p: what it is made of
 * @memfd: RAM
 * @ram: mapping of it
 * @board: devices
 * @rom_slot: the module's number of each of board_rom()
 * @rtc_timer: alarm of the clock
 * @htif: mailbox of a bare-metal program
 * @htif_timer: to look at it
 * @console: the other end of the serial port
 * @vm_watch: events of the VM
 * @jail: pid of each vCPU's; 0: none
 * @paused: by the user
 * @want_reset: asked for in this round of events
 * @stop_timer: next of the keys that ask the guest to stop
 * @stop_step: 1 + which; 0: nobody asked
 * @end: how it ended
 */
struct dtv_machine {
	struct dtv_machine_parts p;
	int memfd;
	uint8_t *ram;
	struct board board;
	int rom_slot[BOARD_ROMS];
	struct dtv_watch *rtc_timer;
	struct htif htif;
	struct dtv_watch *htif_timer;
	struct dtv_console *console;
	struct dtv_watch *vm_watch;
	pid_t jail[DTV_VCPUS_MAX];
	bool paused;
	bool want_reset;
	struct dtv_watch *stop_timer;
	unsigned int stop_step;
	struct dtv_end end;
};

/**
 * dtv_machine_end - the guest is over
 * @m: machine
 * @result: how
 * @code: the guest's number, or 0
 * @fmt: why, for the user; the first call's is kept
 */
void dtv_machine_end(struct dtv_machine *m, enum dtv_result result, int code, const char *fmt, ...)
{
	va_list ap;

	if (m->end.result != DTV_RESULT_NONE)
		return;
	m->end.result = result;
	m->end.code = code;
	va_start(ap, fmt);
	vsnprintf(m->end.reason, sizeof(m->end.reason), fmt, ap);
	va_end(ap);
	dtv_loop_quit(m->p.loop);
}

/* Devices and their wires. */

static void uart_output(void *opaque, uint8_t byte)
{
	struct dtv_machine *m = opaque;

	dtv_console_put(m->console, byte);
}

static void irq(void *opaque, unsigned int irq, bool level)
{
	struct dtv_machine *m = opaque;

	dtv_hv_irq(m->p.hv, irq, level);
}

static void uart_room(void *opaque)
{
	struct dtv_machine *m = opaque;

	dtv_console_room(m->console);
}

static size_t console_input(void *opaque, const void *buf, size_t n)
{
	struct dtv_machine *m = opaque;

	return uart_input(&m->board.uart, buf, n);
}

static void console_panic(void *opaque, const char *text)
{
	struct dtv_machine *m = opaque;

	dtv_machine_end(m, DTV_RESULT_PANIC, 0, "guest kernel panic: %s", text);
}

static const struct dtv_console_ops console_ops = {
	.input = console_input,
	.panic = console_panic,
};

static void finish(void *opaque, enum finisher_what what, unsigned int code)
{
	struct dtv_machine *m = opaque;

	switch (what) {
	case FINISHER_POWEROFF:
		dtv_machine_end(m, DTV_RESULT_POWEROFF, 0, "powered off");
		break;
	case FINISHER_FAIL:
		dtv_machine_end(m, DTV_RESULT_FAILURE, code, "guest reported failure %u", code);
		break;
	case FINISHER_RESET:
		m->want_reset = true;
		break;
	}
}

static void rtc_rearm(void *opaque)
{
	struct dtv_machine *m = opaque;
	uint64_t due = rtc_deadline(&m->board.rtc);
	struct timespec t;
	uint64_t now;

	clock_gettime(CLOCK_REALTIME, &t);
	now = t.tv_sec * 1000000000ULL + t.tv_nsec;
	if (due == RTC_NEVER || (due > now && due - now > INT64_MAX))
		dtv_loop_timer_set(m->rtc_timer, INT64_MAX);
	else
		dtv_loop_timer_set(m->rtc_timer, due > now ? (int64_t)(due - now) : 0);
}

static void rtc_due(void *arg, uint32_t events)
{
	struct dtv_machine *m = arg;

	(void)events;
	rtc_expire(&m->board.rtc);
	/* The host's clock may have been set back since. */
	rtc_rearm(m);
}

/* Between two VMs there is nobody to be told: memory is shown at first. */
static void hide(void *opaque, unsigned int rom, bool hidden)
{
	struct dtv_machine *m = opaque;

	if (m->p.hv->vm >= 0)
		dtv_hv_show(m->p.hv, m->rom_slot[rom], !hidden);
}

static void written(void *opaque, uint64_t gpa, uint64_t size)
{
	struct dtv_machine *m = opaque;

	dtv_hv_written(m->p.hv, gpa, size);
}

static int build_devices(struct dtv_machine *m, char *err, size_t n)
{
	static const struct board_ops ops = {
		.irq = irq,
		.output = uart_output,
		.room = uart_room,
		.finish = finish,
		.alarm = rtc_rearm,
		.hide = hide,
		.written = written,
	};

	m->rtc_timer = dtv_loop_timer(m->p.loop, rtc_due, m);
	m->console = dtv_console_new(m->p.loop, m->p.ring, &console_ops, m);
	if (!m->rtc_timer || !m->console) {
		snprintf(err, n, "no timer: %s", strerror(errno));
		return -EIO;
	}
	if (board_init(&m->board, &ops, m, err, n))
		return -EINVAL;
	for (unsigned int i = 0; i < MACHINE_FLASH_BANKS; i++) {
		int fd = m->p.file[DTV_FILE_FLASH0 + i];

		if (fd >= 0 &&
		    flash_load(&m->board.flash[i], fd, m->p.config->file[DTV_FILE_FLASH0 + i],
			       m->p.config->flash_write, err, n))
			return -EINVAL;
	}
	return 0;
}

/* The mailbox of a bare-metal program. */

static void htif_output(void *opaque, const void *buf, size_t n)
{
	struct dtv_machine *m = opaque;
	const uint8_t *p = buf;

	for (size_t i = 0; i < n; i++)
		dtv_console_put(m->console, p[i]);
}

static void htif_finish(void *opaque, uint64_t code)
{
	if (!code)
		dtv_machine_end(opaque, DTV_RESULT_POWEROFF, 0, "the program ended with success");
	else
		dtv_machine_end(opaque, DTV_RESULT_FAILURE, code > INT_MAX ? INT_MAX : (int)code,
				"the program ended with status %llu", (unsigned long long)code);
}

static void htif_bad(void *opaque, uint64_t gpa)
{
	dtv_machine_end(opaque, DTV_RESULT_ERROR, 0, "HTIF: bad address 0x%llx in tohost",
			(unsigned long long)gpa);
}

/* A program that prints does so byte by byte: while it does, look often. */
static void htif_due(void *arg, uint32_t events)
{
	struct dtv_machine *m = arg;
	int64_t now = dtv_now_ns(), end = now + HTIF_ROUND_NS, until = now;

	(void)events;
	do {
		if (htif_poll(&m->htif))
			until = dtv_now_ns() + SPIN_NS;
		now = dtv_now_ns();
	} while (m->end.result == DTV_RESULT_NONE && now < until && now < end);
	dtv_loop_timer_set(m->htif_timer, now < until ? 0 : HTIF_NS);
}

static int build_htif(struct dtv_machine *m, char *err, size_t n)
{
	m->htif.output = htif_output;
	m->htif.finish = htif_finish;
	m->htif.bad = htif_bad;
	m->htif.opaque = m;
	m->htif.ram = (struct image_ram){ m->ram, MACHINE_RAM_GPA, m->p.config->memory };
	m->htif_timer = dtv_loop_timer(m->p.loop, htif_due, m);
	if (!m->htif_timer) {
		snprintf(err, n, "no timer: %s", strerror(errno));
		return -EIO;
	}
	return 0;
}

/* RAM: its size is sealed, so that neither we nor anybody can take pages from below the VM. */
static int build_ram(struct dtv_machine *m, char *err, size_t n)
{
	uint64_t size = m->p.config->memory;
	char name[32];

	snprintf(name, sizeof(name), "dtv:%.20s", m->p.config->name);
	m->memfd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (m->memfd < 0 || ftruncate(m->memfd, size) < 0 ||
	    fcntl(m->memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0) {
		snprintf(err, n, "cannot make %lluM of memory: %s", (unsigned long long)size >> 20,
			 strerror(errno));
		return -ENOMEM;
	}
	m->ram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, m->memfd, 0);
	if (m->ram == MAP_FAILED) {
		m->ram = NULL;
		snprintf(err, n, "cannot map %lluM of memory: %s", (unsigned long long)size >> 20,
			 strerror(errno));
		return -ENOMEM;
	}
	return 0;
}

static int load(struct dtv_machine *m, struct loader_start *s, char *err, size_t n)
{
	const struct image_ram ram = { m->ram, MACHINE_RAM_GPA, m->p.config->memory };
	const char *names[DTV_ISA_NAMES + 1] = { NULL };
	struct loader l;

	dtv_config_loader(m->p.config, m->p.file, &l);
	dtv_isa_names(m->p.config->isa, names, DTV_ISA_NAMES);
	l.tree.isa = names;
	if (loader_load(&l, &ram, &m->board.rom, s, err, n))
		return -EINVAL;
	m->htif.elf = s->elf;
	if (s->elf.tohost)
		dtv_loop_timer_set(m->htif_timer, HTIF_NS);
	return 0;
}

static void vm_events(void *arg, uint32_t events);

static int build_vm(struct dtv_machine *m, const struct loader_start *s, char *err, size_t n)
{
	const struct dtv_config *c = m->p.config;
	struct dtv_hv *hv = m->p.hv;
	char isa[DTV_ISA_STRING];
	int ret;

	ret = dtv_hv_create(hv, c->name, c->cache, err, n);
	if (ret < 0)
		return ret;
	dtv_isa_string(c->isa, isa, sizeof(isa));
	ret = dtv_hv_isa(hv, isa, err, n);
	if (ret < 0)
		return ret;
	if (c->max_instructions)
		ret = dtv_hv_limit(hv, c->max_instructions, err, n);
	if (ret < 0)
		return ret;
	ret = dtv_hv_memory(hv, m->memfd, MACHINE_RAM_GPA, c->memory, err, n);
	if (ret < 0)
		return ret;
	for (unsigned int i = 0; i < BOARD_ROMS; i++) {
		uint64_t gpa;
		const struct store *rom = board_rom(&m->board, i, &gpa);

		if (!rom->data)
			continue;
		m->rom_slot[i] = dtv_hv_rom(hv, rom->fd, gpa, rom->size, err, n);
		if (m->rom_slot[i] < 0)
			return m->rom_slot[i];
	}
	for (unsigned int i = 0; i < c->harts; i++) {
		ret = dtv_hv_vcpu(hv, err, n);
		if (ret < 0)
			return ret;
	}
	ret = dtv_hv_entry(hv, s->pc, s->a1, s->m_mode, err, n);
	if (ret < 0)
		return ret;
	m->vm_watch = dtv_loop_add(m->p.loop, hv->vm, EPOLLIN, vm_events, m);
	if (!m->vm_watch) {
		snprintf(err, n, "cannot watch the VM: %s", strerror(errno));
		return -EIO;
	}
	return 0;
}

static int build_jails(struct dtv_machine *m, char *err, size_t n)
{
	for (unsigned int i = 0; i < m->p.hv->vcpus; i++) {
		pid_t pid = dtv_jail_fork(m->p.hv->vcpu[i], m->p.config->name, i);

		if (pid < 0) {
			snprintf(err, n, "cannot make the process of vcpu %u: %s", i,
				 strerror(-pid));
			return pid;
		}
		m->jail[i] = pid;
	}
	return 0;
}

/* All that is made anew by a reset, in order. */
static int power_on(struct dtv_machine *m, char *err, size_t n)
{
	struct loader_start s;
	int ret;

	board_reset(&m->board);
	ret = load(m, &s, err, n);
	if (ret < 0)
		return ret;
	ret = build_vm(m, &s, err, n);
	if (ret < 0)
		return ret;
	ret = build_jails(m, err, n);
	if (ret < 0)
		return ret;
	return dtv_hv_start(m->p.hv, err, n);
}

/* Give VM and jails back. The module kills jails whose VM is gone. */
static int power_off(struct dtv_machine *m, const char *reason)
{
	unsigned int left = 0;

	if (m->p.hv->vm >= 0)
		dtv_hv_stop(m->p.hv, reason);
	dtv_loop_del(m->vm_watch);
	m->vm_watch = NULL;
	dtv_hv_destroy(m->p.hv);
	for (unsigned int step = 0; step < REAP_STEPS; step++) {
		left = 0;
		for (unsigned int i = 0; i < DTV_VCPUS_MAX; i++) {
			if (!m->jail[i])
				continue;
			if (waitpid(m->jail[i], NULL, WNOHANG) == m->jail[i])
				m->jail[i] = 0;
			else
				left++;
		}
		if (!left)
			return 0;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return -EBUSY;
}

static void reset_now(struct dtv_machine *m)
{
	char err[DTV_END_REASON] = "";

	m->want_reset = false;
	if (m->end.result != DTV_RESULT_NONE)
		return;
	if (power_off(m, "reset") < 0) {
		dtv_machine_end(m, DTV_RESULT_ERROR, 0, "reset: a vCPU's process does not end");
		return;
	}
	if (fallocate(m->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		      m->p.config->memory) < 0) {
		dtv_machine_end(m, DTV_RESULT_ERROR, 0, "reset: cannot empty the memory: %s",
				strerror(errno));
		return;
	}
	m->paused = false;
	m->stop_step = 0;
	if (power_on(m, err, sizeof(err)) < 0)
		dtv_machine_end(m, DTV_RESULT_ERROR, 0, "reset: %s", err);
}

/* The words for a jail's wait status. */
static void jail_died(struct dtv_machine *m, unsigned int vcpu, int status)
{
	if (WIFSIGNALED(status))
		dtv_machine_end(m, DTV_RESULT_KILLED, 0, "vcpu %u: killed by signal %d", vcpu,
				WTERMSIG(status));
	else if (WEXITSTATUS(status))
		dtv_machine_end(m, DTV_RESULT_ERROR, 0, "vcpu %u: cannot enter its jail: %s", vcpu,
				strerror(WEXITSTATUS(status)));
	else
		dtv_machine_end(m, DTV_RESULT_ERROR, 0, "vcpu %u: its process ended", vcpu);
}

/* The words for the end of a jail that the module has seen, if they can be better than its own. */
static void jail_gone(struct dtv_machine *m, unsigned int vcpu, const char *reason)
{
	int status;

	for (unsigned int step = 0; m->jail[vcpu] && step < REAP_STEPS; step++) {
		if (waitpid(m->jail[vcpu], &status, WNOHANG) == m->jail[vcpu]) {
			m->jail[vcpu] = 0;
			jail_died(m, vcpu, status);
			return;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	dtv_machine_end(m, DTV_RESULT_KILLED, 0, "%s", reason);
}

/* Has the module stopped the VM? Then the guest is over, and the module's reason is why. */
static void vm_stopped(struct dtv_machine *m)
{
	struct dtv_state state;
	unsigned int vcpu;
	int at = 0;

	if (m->want_reset || dtv_hv_state(m->p.hv, &state) < 0 ||
	    (state.state != DTV_VM_STOPPED && !state.reason[0]))
		return;
	if (sscanf(state.reason, "vcpu %u: jail %n", &vcpu, &at) == 1 && at && vcpu < DTV_VCPUS_MAX)
		jail_gone(m, vcpu, state.reason);
	else
		dtv_machine_end(m, DTV_RESULT_ERROR, 0, "%s",
				state.reason[0] ? state.reason : "stopped without a reason");
}

static void srst(struct dtv_machine *m, uint64_t type, uint64_t reason)
{
	if (type != SRST_SHUTDOWN)
		m->want_reset = true;
	else if (reason == SRST_REASON_FAILURE)
		dtv_machine_end(m, DTV_RESULT_FAILURE, 1, "guest reported a system failure");
	else
		dtv_machine_end(m, DTV_RESULT_POWEROFF, 0, "powered off");
}

static void mmio(struct dtv_machine *m, const struct dtv_event *ev)
{
	uint64_t data = ev->write ? ev->data : 0;
	bool nobody = bus_access(&m->board.bus, ev->addr, ev->len, ev->write, &data) < 0;

	dtv_hv_reply(m->p.hv, ev, data, nobody);
}

static void vm_event(struct dtv_machine *m, const struct dtv_event *ev)
{
	switch (ev->type) {
	case DTV_EVENT_MMIO:
		mmio(m, ev);
		break;
	case DTV_EVENT_RESET:
		srst(m, ev->addr, ev->data);
		break;
	case DTV_EVENT_CONSOLE:
		for (unsigned int b = 0; b < ev->len && b < 8; b++)
			dtv_console_put(m->console, ev->data >> (8 * b));
		break;
	case DTV_EVENT_STOPPED:
		vm_stopped(m);
		break;
	}
}

/*
 * A driver's accesses come one behind the other, each after the answer to the one before: so
 * with a processor to spare, look for the next a moment longer before going to sleep.
 */
static void vm_events(void *arg, uint32_t events)
{
	struct dtv_machine *m = arg;
	struct dtv_event ev[32];
	int64_t until = 0;
	int n;

	(void)events;
	for (unsigned int round = 0; round < ROUNDS_MAX; round++) {
		n = dtv_hv_events(m->p.hv, ev, DTV_COUNT(ev));
		if (n < 0) {
			vm_stopped(m);
			dtv_machine_end(m, DTV_RESULT_ERROR, 0, "the VM is not readable: %s",
					strerror(-n));
			return;
		}
		for (int i = 0; i < n; i++)
			vm_event(m, &ev[i]);
		if (m->want_reset || m->end.result != DTV_RESULT_NONE || !m->p.spare)
			break;
		if (n)
			until = dtv_now_ns() + SPIN_NS;
		else if (dtv_now_ns() >= until)
			break;
	}
	if (m->want_reset)
		reset_now(m);
}

/**
 * dtv_machine_reap - some child has ended (SIGCHLD)
 * @m: machine
 */
void dtv_machine_reap(struct dtv_machine *m)
{
	int status;

	/*
	 * What the guest asked for before its jails went is in the queue. Then the module's reason:
	 * it names the vCPU that was first, and the others follow it.
	 */
	if (m->p.hv->vm >= 0) {
		vm_events(m, 0);
		vm_stopped(m);
	}
	for (unsigned int i = 0; i < DTV_VCPUS_MAX; i++) {
		if (!m->jail[i] || waitpid(m->jail[i], &status, WNOHANG) != m->jail[i])
			continue;
		m->jail[i] = 0;
		jail_died(m, i, status);
	}
}

/**
 * dtv_machine_new - a machine that is not yet built
 * @parts: copied; what it refers to must outlive the machine
 */
struct dtv_machine *dtv_machine_new(const struct dtv_machine_parts *parts)
{
	struct dtv_machine *m = dtv_zalloc(sizeof(*m));

	m->p = *parts;
	m->memfd = -1;
	return m;
}

static void stop_due(void *arg, uint32_t events);

/**
 * dtv_machine_start - build it and let it run
 * @m: new machine
 * @err: text for the user on failure
 * @n: room there
 *
 * Return: 0 or -errno; the machine is to be freed in both cases.
 */
int dtv_machine_start(struct dtv_machine *m, char *err, size_t n)
{
	int ret;

	ret = build_devices(m, err, n);
	if (ret < 0)
		return ret;
	ret = build_ram(m, err, n);
	if (ret < 0)
		return ret;
	ret = build_htif(m, err, n);
	if (ret < 0)
		return ret;
	m->stop_timer = dtv_loop_timer(m->p.loop, stop_due, m);
	if (!m->stop_timer) {
		snprintf(err, n, "no timer: %s", strerror(errno));
		return -EIO;
	}
	return power_on(m, err, n);
}

/** dtv_machine_pause - stop all harts and guest time; -EALREADY when they stand */
int dtv_machine_pause(struct dtv_machine *m)
{
	int ret;

	if (m->paused)
		return -EALREADY;
	ret = dtv_hv_pause(m->p.hv);
	if (!ret)
		m->paused = true;
	return ret;
}

/** dtv_machine_unpause - go on; -EALREADY when they run */
int dtv_machine_unpause(struct dtv_machine *m)
{
	int ret;

	if (!m->paused)
		return -EALREADY;
	ret = dtv_hv_unpause(m->p.hv);
	if (!ret)
		m->paused = false;
	return ret;
}

/** dtv_machine_reset - what a reset button does */
int dtv_machine_reset(struct dtv_machine *m)
{
	reset_now(m);
	return m->end.result == DTV_RESULT_NONE ? 0 : -EIO;
}

/*
 * Ask by what the console driver of any Linux with CONFIG_MAGIC_SYSRQ_SERIAL
 * understands: break and a key, on the line that is its console. Sync, remount
 * read-only, power off.
 */
static void stop_due(void *arg, uint32_t events)
{
	static const char sysrq[] = "suo";
	struct dtv_machine *m = arg;
	unsigned int step = m->stop_step - 1;

	(void)events;
	if (!m->stop_step || step >= 2 * strlen(sysrq)) {
		m->stop_step = 0;
		return;
	}
	m->stop_step++;
	/* Apart, because a break is told by the line's status and not by a place in the FIFO. */
	if (step % 2 == 0)
		uart_break(&m->board.uart);
	else
		uart_input(&m->board.uart, &sysrq[step / 2], 1);
	dtv_loop_timer_set(m->stop_timer, step % 2 ? SYSRQ_KEY_NS : SYSRQ_BREAK_NS);
}

/**
 * dtv_machine_ask_stop - ask the guest to power itself off
 * @m: machine
 *
 * Return: 0: it was asked; -EBUSY: it is paused and hears nothing.
 */
int dtv_machine_ask_stop(struct dtv_machine *m)
{
	if (m->paused)
		return -EBUSY;
	if (!m->stop_step) {
		m->stop_step = 1;
		stop_due(m, 0);
	}
	return 0;
}

/** dtv_machine_paused - is it paused? */
bool dtv_machine_paused(const struct dtv_machine *m)
{
	return m->paused;
}

/** dtv_machine_stats - the module's counters; 0 or -errno */
int dtv_machine_stats(struct dtv_machine *m, struct dtv_stats *stats)
{
	return dtv_hv_stats(m->p.hv, stats);
}

/** dtv_machine_jail - pid of the process of @vcpu, 0: it has none */
pid_t dtv_machine_jail(const struct dtv_machine *m, unsigned int vcpu)
{
	return vcpu < DTV_VCPUS_MAX ? m->jail[vcpu] : 0;
}

/** dtv_machine_console - its console */
struct dtv_console *dtv_machine_console(struct dtv_machine *m)
{
	return m->console;
}

/** dtv_machine_result - how it ended */
const struct dtv_end *dtv_machine_result(const struct dtv_machine *m)
{
	return &m->end;
}

/* What a bare-metal program leaves as its result; without it, it has not ended well. */
static void write_signature(struct dtv_machine *m)
{
	const char *name = m->p.config->file[DTV_FILE_SIGNATURE];
	int fd = m->p.file[DTV_FILE_SIGNATURE];
	char err[DTV_END_REASON - 16] = "";

	if (lseek(fd, 0, SEEK_SET) < 0 || ftruncate(fd, 0) < 0)
		snprintf(err, sizeof(err), "%s: %s", name, strerror(errno));
	else if (!htif_signature(&m->htif.ram, &m->htif.elf, fd, name, err, sizeof(err)))
		return;
	if (m->end.result == DTV_RESULT_POWEROFF) {
		m->end.result = DTV_RESULT_ERROR;
		snprintf(m->end.reason, sizeof(m->end.reason), "signature: %s", err);
	}
}

/**
 * dtv_machine_stop - the guest is over: end its harts, and keep what it leaves
 * @m: machine, after dtv_machine_end()
 *
 * dtv_machine_result() is final behind this.
 */
void dtv_machine_stop(struct dtv_machine *m)
{
	power_off(m, m->end.reason);
	if (m->p.file[DTV_FILE_SIGNATURE] >= 0)
		write_signature(m);
}

/** dtv_machine_free - take it down, whatever part of it exists; NULL is fine */
void dtv_machine_free(struct dtv_machine *m)
{
	if (!m)
		return;
	power_off(m, m->end.reason[0] ? m->end.reason : "not started");
	dtv_loop_del(m->stop_timer);
	dtv_loop_del(m->rtc_timer);
	dtv_loop_del(m->htif_timer);
	dtv_console_free(m->console);
	board_free(&m->board);
	if (m->ram)
		munmap(m->ram, m->p.config->memory);
	if (m->memfd >= 0)
		close(m->memfd);
	free(m);
}
