// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * minivmm.c - the smallest program that boots a kernel on /dev/dtv: one process
 * with the VM fd and the UART, one jail per hart, nothing dropped and nothing
 * kept. It tests the module without the daemon.
 *
 * minivmm --kernel IMAGE [--initrd FILE] [--append TEXT] [OPTIONS]
 * minivmm --flat FILE [OPTIONS]: a raw binary that is put at the start of RAM and entered there
 * minivmm --elf FILE [--signature OUT] [OPTIONS]: a bare-metal program, entered in M-mode by all
 * harts. Its signature, begin_signature to end_signature, is written to OUT as it is in memory
 * OPTIONS: --memory MIB, --cpus N, --cache MIB, --name NAME, --seconds N, --stats
 *
 * Exit status: 0 the guest powered off, 1 something else ended it, 2 usage, 124 --seconds are over.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/dtv.h>

#include "../../daemon/bus.h"
#include "../../daemon/dev/finisher.h"
#include "../../daemon/dev/rtc.h"
#include "../../daemon/dev/uart.h"
#include "../../daemon/fdt.h"
#include "../../daemon/image.h"

static char err[512];
static int vm;
static int done = -1; /* exit status */

static void die(const char *what)
{
	fprintf(stderr, "minivmm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void die_err(void)
{
	fprintf(stderr, "minivmm: %s\n", err);
	exit(1);
}

static void irq(unsigned int source, bool level)
{
	struct dtv_irq_level arg = { .irq = source, .level = level };

	if (ioctl(vm, DTV_IRQ_LINE, &arg) && errno != ESHUTDOWN)
		die("DTV_IRQ_LINE");
}

static void uart_irq(void *opaque, bool level)
{
	irq(MACHINE_UART_IRQ, level);
}

static void rtc_irq(void *opaque, bool level)
{
	irq(MACHINE_RTC_IRQ, level);
}

static void output(void *opaque, uint8_t byte)
{
	if (write(1, &byte, 1) != 1)
		exit(1);
}

static void finish(void *opaque, enum finisher_what what, unsigned int code)
{
	struct dtv_stop stop = { .reason = "minivmm: finisher" };

	done = what == FINISHER_POWEROFF ? 0 : 1;
	ioctl(vm, DTV_STOP_VM, &stop);
}

static struct uart uart = { .output = output, .set_irq = uart_irq };
static struct rtc rtc = { .set_irq = rtc_irq };
static struct finisher finisher = { .finish = finish };
static struct bus bus;

static void make_bus(void)
{
	const struct bus_range ranges[] = {
		{ MACHINE_UART_GPA, UART_SIZE, uart_read, uart_write, &uart, "uart" },
		{ MACHINE_RTC_GPA, RTC_SIZE, rtc_read, rtc_write, &rtc, "rtc" },
		{ MACHINE_FINISHER_GPA, FINISHER_SIZE, finisher_read, finisher_write, &finisher,
		  "finisher" },
	};

	bus_init(&bus);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (bus_add(&bus, &ranges[i], err, sizeof(err)))
			die_err();
	uart_reset(&uart);
	rtc_reset(&rtc);
}

static int open_file(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(name);
	return fd;
}

static void load_kernel(const char *kernel, const char *initrd, struct fdt_machine *m,
			struct image_ram *ram, struct dtv_entry *entry)
{
	int kfd = open_file(kernel), ifd = initrd ? open_file(initrd) : -1;
	struct image_kernel k;
	struct image_layout l;
	uint64_t isize = 0;

	if (image_probe_kernel(kfd, kernel, &k, err, sizeof(err)) ||
	    (initrd && image_probe_initrd(ifd, initrd, &isize, err, sizeof(err))) ||
	    image_place(&k, isize, ram->gpa, ram->size, &l, err, sizeof(err)) ||
	    image_load_raw(kfd, kernel, ram, l.entry, k.file_size, err, sizeof(err)) ||
	    (initrd && image_load_raw(ifd, initrd, ram, l.initrd_start, isize, err, sizeof(err))))
		die_err();
	m->initrd_start = l.initrd_start;
	m->initrd_end = l.initrd_end;
	if (fdt_make(m, ram->host + (l.dtb - ram->gpa), IMAGE_DTB_MAX, err, sizeof(err)) < 0)
		die_err();
	entry->pc = l.entry;
	entry->a1 = l.dtb;
}

static void load_flat(const char *name, struct image_ram *ram, struct dtv_entry *entry)
{
	int fd = open_file(name);

	if (read(fd, ram->host, ram->size) <= 0)
		die(name);
	close(fd);
	entry->pc = ram->gpa;
}

static void load_elf(const char *name, struct image_ram *ram, struct dtv_entry *entry,
		     struct image_elf *elf)
{
	int fd = open_file(name);

	if (image_load_elf(fd, name, ram, false, elf, err, sizeof(err)))
		die_err();
	close(fd);
	entry->pc = elf->entry;
	entry->flags = DTV_ENTRY_M_MODE;
}

static void write_signature(const char *name, const struct image_ram *ram,
			    const struct image_elf *elf)
{
	uint64_t size = elf->end_signature - elf->begin_signature;
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		die(name);
	if (elf->begin_signature < ram->gpa || elf->end_signature < elf->begin_signature ||
	    elf->end_signature - ram->gpa > ram->size) {
		fprintf(stderr, "minivmm: no signature in memory\n");
		exit(1);
	}
	if (write(fd, ram->host + (elf->begin_signature - ram->gpa), size) != (ssize_t)size)
		die(name);
	close(fd);
}

/* Become a jail: what the daemon's helper does, without its care. */
static pid_t start_jail(int vcpu, unsigned int id)
{
	pid_t parent = getpid(), pid = fork();
	char name[16];

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	snprintf(name, sizeof(name), "jail/%u", id);
	prctl(PR_SET_NAME, name);
	close(vm);
	ioctl(vcpu, DTV_VCPU_ENTER, (long)vcpu);
	die("DTV_VCPU_ENTER");
	_exit(1);
}

static void serve(const struct dtv_event *ev)
{
	struct dtv_mmio_reply reply = { .id = ev->id, .vcpu = ev->vcpu };
	uint64_t data = ev->data;

	switch (ev->type) {
	case DTV_EVENT_MMIO:
		reply.status = bus_access(&bus, ev->addr, ev->len, ev->write, &data) ? 1 : 0;
		reply.data = data;
		if (ioctl(vm, DTV_MMIO_REPLY, &reply) && done < 0 && errno != ENOENT)
			die("DTV_MMIO_REPLY");
		break;
	case DTV_EVENT_CONSOLE:
		for (unsigned int i = 0; i < ev->len; i++)
			output(NULL, ev->data >> (8 * i));
		break;
	case DTV_EVENT_RESET:
		fprintf(stderr, "minivmm: reset type %llu reason %llu\n", ev->addr, ev->data);
		done = ev->addr ? 1 : 0;
		break;
	case DTV_EVENT_STOPPED: {
		struct dtv_state st;

		ioctl(vm, DTV_GET_STATE, &st);
		fprintf(stderr, "minivmm: stopped: %s\n", st.reason);
		if (done < 0)
			done = 1;
		break;
	}
	}
}

static void show_stats(void)
{
	static const char *const exits[16] = { "none",	  "chain",  "enter", "jump",
					       "system",  "access", "kick",  "resume",
					       "illegal", "fetch",  "fp" };
	struct dtv_stats s;

	if (ioctl(vm, DTV_GET_STATS, &s))
		die("DTV_GET_STATS");
	for (int i = 0; i < 16; i++)
		if (s.exits[i])
			fprintf(stderr, "exits %s: %llu\n", exits[i] ? exits[i] : "?", s.exits[i]);
	fprintf(stderr,
		"blocks %llu guest bytes %llu host bytes %llu misses %llu traps %llu mmio %llu\n",
		s.blocks, s.guest_bytes, s.host_bytes, s.misses, s.traps, s.mmio);
	fprintf(stderr, "invalidated %llu flushes %llu pinned %llu KiB cache %llu KiB\n",
		s.invalidated, s.flushes, s.pinned >> 10, s.cache_used >> 10);
}

/* Feed stdin to the UART as it takes it; returns false at its end. */
static bool feed(void)
{
	char buf[UART_FIFO];
	ssize_t n = read(0, buf, UART_FIFO - uart.count);

	if (n > 0)
		uart_input(&uart, buf, n);
	return n > 0;
}

static void loop(double seconds)
{
	struct pollfd fds[2] = { { .fd = vm, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
	struct timespec start, now;
	struct dtv_event ev[32];
	bool stopped = false, eof = false;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!stopped) {
		/* Standard input is left alone while the FIFO is full, and for good at its end. */
		fds[1].fd = uart.count < UART_FIFO && !eof ? 0 : -1;
		poll(fds, 2, 200);
		if (fds[0].revents & POLLIN) {
			ssize_t n = read(vm, ev, sizeof(ev));

			if (n < 0)
				die("read");
			for (size_t i = 0; i < n / sizeof(ev[0]); i++) {
				serve(&ev[i]);
				stopped |= ev[i].type == DTV_EVENT_STOPPED;
			}
		}
		if (fds[1].fd == 0 && fds[1].revents && !feed())
			eof = true;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (seconds && now.tv_sec - start.tv_sec >= seconds) {
			struct dtv_stop stop = { .reason = "minivmm: time is over" };

			done = 124;
			seconds = 0;
			ioctl(vm, DTV_STOP_VM, &stop);
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	fprintf(stderr, "minivmm: %.2f s\n",
		now.tv_sec - start.tv_sec + (now.tv_nsec - start.tv_nsec) / 1e9);
}

int main(int argc, char **argv)
{
	static const char *const isa[] = { "i",	    "m",	"a",	  "f",	  "d",	   "c",
					   "zicsr", "zifencei", "zicntr", "sstc", "svadu", NULL };
	static const struct option options[] = {
		{ "kernel", 1, NULL, 'k' },
		{ "initrd", 1, NULL, 'i' },
		{ "append", 1, NULL, 'a' },
		{ "memory", 1, NULL, 'm' },
		{ "cpus", 1, NULL, 'c' },
		{ "seconds", 1, NULL, 's' },
		{ "flat", 1, NULL, 'f' },
		{ "stats", 0, NULL, 't' },
		{ "cache", 1, NULL, 'C' },
		{ "name", 1, NULL, 'n' },
		{ "elf", 1, NULL, 'e' },
		{ "signature", 1, NULL, 'S' },
		{ 0 },
	};
	struct fdt_machine m = {
		.harts = 1, .isa = isa, .ram_size = 256 << 20, .rng_seed_size = 32
	};
	struct dtv_create_vm create = { .name = "minivmm" };
	const char *kernel = NULL, *initrd = NULL, *flat = NULL, *bare = NULL, *sig = NULL;
	struct image_ram ram = { .gpa = DTV_GPA_RAM };
	struct dtv_memory mem = { .gpa = DTV_GPA_RAM };
	struct dtv_entry entry = { 0 };
	struct image_elf elf = { 0 };
	int vcpus[DTV_VCPUS_MAX], dev, c;
	pid_t jails[DTV_VCPUS_MAX];
	bool stats = false;
	double seconds = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'k':
			kernel = optarg;
			break;
		case 'i':
			initrd = optarg;
			break;
		case 'a':
			m.bootargs = optarg;
			break;
		case 'm':
			m.ram_size = strtoull(optarg, NULL, 0) << 20;
			break;
		case 'c':
			m.harts = strtoul(optarg, NULL, 0);
			break;
		case 's':
			seconds = strtod(optarg, NULL);
			break;
		case 'f':
			flat = optarg;
			break;
		case 't':
			stats = true;
			break;
		case 'C':
			create.cache_size = strtoull(optarg, NULL, 0) << 20;
			break;
		case 'n':
			snprintf(create.name, sizeof(create.name), "%s", optarg);
			break;
		case 'e':
			bare = optarg;
			break;
		case 'S':
			sig = optarg;
			break;
		default:
			return 2;
		}
	}
	if (!!kernel + !!flat + !!bare != 1 || (sig && !bare) || optind != argc || m.harts < 1 ||
	    m.harts > DTV_VCPUS_MAX) {
		fputs("usage: minivmm --kernel IMAGE | --flat FILE | --elf FILE [OPTIONS]\n",
		      stderr);
		return 2;
	}
	dev = open(DTV_DEVICE, O_RDWR | O_CLOEXEC);
	if (dev < 0)
		die(DTV_DEVICE);
	vm = ioctl(dev, DTV_CREATE_VM, &create);
	if (vm < 0)
		die("DTV_CREATE_VM");
	mem.fd = memfd_create("ram", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (mem.fd < 0 || ftruncate(mem.fd, m.ram_size) ||
	    fcntl(mem.fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		die("memfd");
	mem.size = m.ram_size;
	ram.size = m.ram_size;
	ram.host = mmap(NULL, ram.size, PROT_READ | PROT_WRITE, MAP_SHARED, mem.fd, 0);
	if (ram.host == MAP_FAILED)
		die("mmap");
	if (getrandom(m.rng_seed, m.rng_seed_size, 0) < 0)
		die("getrandom");
	if (kernel)
		load_kernel(kernel, initrd, &m, &ram, &entry);
	else if (flat)
		load_flat(flat, &ram, &entry);
	else
		load_elf(bare, &ram, &entry, &elf);
	if (ioctl(vm, DTV_SET_MEMORY, &mem))
		die("DTV_SET_MEMORY");
	for (unsigned int i = 0; i < m.harts; i++) {
		vcpus[i] = ioctl(vm, DTV_CREATE_VCPU, (long)i);
		if (vcpus[i] < 0)
			die("DTV_CREATE_VCPU");
	}
	if (ioctl(vm, DTV_SET_ENTRY, &entry))
		die("DTV_SET_ENTRY");
	make_bus();
	for (unsigned int i = 0; i < m.harts; i++)
		jails[i] = start_jail(vcpus[i], i);
	if (ioctl(vm, DTV_START, NULL))
		die("DTV_START");
	loop(seconds);
	for (unsigned int i = 0; i < m.harts; i++) {
		int status;

		waitpid(jails[i], &status, 0);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			fprintf(stderr, "minivmm: jail %u: status %#x\n", i, status);
	}
	if (stats)
		show_stats();
	if (sig && (!done || done == 124))
		write_signature(sig, &ram, &elf);
	return done;
}
