// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main.c - uhost: a RISC-V machine in one process, the engine's test bed.
 *
 * Reads the command line, builds the machine, starts the harts, and then
 * serves stdin, device timers and HTIF until somebody calls uhost_stop().
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "uhost.h"

#include "../../daemon/loader.h"
#include "../../kmod/guest/isa.h"

/* RAM comes in multiples of this: view runs and guest superpages then never cross its end. */
#define RAM_UNIT (2ULL << 20)
/* How long the harts have to stop. */
#define STOP_SECONDS 5

struct options {
	const char *bios, *kernel, *initrd, *append, *elf, *signature;
	const char *flash[MACHINE_FLASH_BANKS];
	const char *place[LOADER_PLACES];
	u64 place_gpa[LOADER_PLACES];
	unsigned int places;
	u64 memory, cache, isa;
	unsigned long cpus, max_seconds, max_insns;
	u64 no_opt;
	const char *dump, *ops;
	unsigned long dump_top;
	bool dump_blocks;
	bool stats, trace, stress_kicks, flash_write;
};

static struct uhost *the_guest; /* for signal handlers */

#ifdef __SANITIZE_ADDRESS__
/* Signal stacks are ours, and faults are the engine's daily bread. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "use_sigaltstack=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:detect_leaks=0";
}
#endif

/* --- stopping --- */

void uhost_poke(struct uhost *u)
{
	u64 one = 1;

	if (write(u->event_fd, &one, sizeof(one)) < 0)
		return; /* full: it is readable already */
}

void uhost_stop(struct uhost *u, int code, const char *fmt, ...)
{
	va_list ap;

	if (cmpxchg(&u->done, 0, 1) != 0)
		return;
	u->code = code;
	va_start(ap, fmt);
	vsnprintf(u->why, sizeof(u->why), fmt, ap);
	va_end(ap);
	/* The words come before: pairs with the look at stopped, after which the harts end. */
	smp_mb();
	WRITE_ONCE(u->vm.stopped, true);
	/* stopped before the looks at in_guest in hart_kick(): pairs with hart_run(). */
	smp_mb();
	for (unsigned int i = 0; i < u->nr_harts; i++) {
		if (u->harts[i])
			hart_kick(u->harts[i]);
	}
	uhost_poke(u);
}

void dtv_host_kill(struct dtv_vm_core *vm, const char *why)
{
	uhost_stop(uhost_of(vm), UHOST_KILLED, "killed: %s", why);
}

void dtv_host_ended(struct dtv_vm_core *vm, u64 n)
{
	uhost_stop(uhost_of(vm), UHOST_LIMIT, "ended after %llu instructions",
		   (unsigned long long)n);
}

void dtv_host_reset(struct dtv_vm_core *vm, u32 type, u32 reason)
{
	struct uhost *u = uhost_of(vm);

	if (type)
		uhost_stop(u, UHOST_KILLED, "guest asked for a reset");
	else if (reason)
		uhost_stop(u, UHOST_KILLED, "guest shut down, reason %u", reason);
	else
		uhost_stop(u, UHOST_OK, "%s", "");
}

static void on_interrupt(int sig)
{
	uhost_stop(the_guest, UHOST_KILLED, "ended by signal %d", sig);
}

/* --- memory --- */

void *dtv_host_ram(struct dtv_vm_core *vm, gpa_t gpa)
{
	struct uhost *u = uhost_of(vm);
	u64 at = gpa - u->ram.gpa;

	return at < u->ram.size ? u->ram.host + at : NULL;
}

void *dtv_host_alloc(size_t bytes)
{
	return calloc(1, bytes);
}

void dtv_host_free(void *p, size_t bytes)
{
	(void)bytes;
	free(p);
}

/* --- command line --- */

static void usage(FILE *f)
{
	fputs("usage: uhost [--bios FILE] --kernel IMAGE [--initrd FILE] [--append STRING] [options]\n"
	      "       uhost --bios FILE [--load FILE@ADDRESS]... [options]\n"
	      "       uhost --flash0 FILE [options]\n"
	      "       uhost --elf FILE [--signature OUT] [options]\n"
	      "Run a RISC-V machine; its console is on stdin and stdout (on a terminal: Ctrl-A x ends it).\n"
	      "\n"
	      "  --bios FILE        firmware, started in machine mode: ELF, or raw at 0x80000000\n"
	      "  --kernel IMAGE     Linux kernel in RISC-V Image format; below --bios also ELF or raw\n"
	      "  --flash0 FILE      contents of the first flash bank, --flash1 of the second: without --kernel\n"
	      "                     the first is what firmware starts, or is started in machine mode\n"
	      "  --flash-write      what the guest writes to them goes to the files\n"
	      "  --load FILE@ADDRESS  a file to be in memory at the start, at most 8\n"
	      "  --initrd FILE      initial file system\n"
	      "  --append STRING    kernel command line\n"
	      "  --elf FILE         bare-metal program, started in machine mode; HTIF is served\n"
	      "  --signature OUT    at the end write begin_signature..end_signature to OUT\n"
	      "  --memory SIZE      RAM, with suffix M or G (default 1G)\n"
	      "  --cpus N           harts, 1 to 32 (default 1)\n"
	      "  --cache SIZE       code cache (default 32M)\n"
	      "  --isa STRING       extensions that the harts have, as rv64gc_zba (default all)\n"
	      "  --max-seconds N    give up after N seconds with exit code 124\n"
	      "  --max-instructions N  end right behind the N-th instruction that a hart retires (the\n"
	      "                     first hart to get there), with exit code 123\n"
	      "  --no-opt LIST      switch optimizations off: names separated by commas; help lists them\n"
	      "  --dump-blocks[=FILE]  count blocks' executions; at the end print the hottest, guest and host\n"
	      "                     instructions side by side (objdump and riscv64-linux-gnu-objdump)\n"
	      "  --dump-ops FILE    how often each instruction was executed, at most\n"
	      "  --dump-top N       how many of them (default 20)\n"
	      "  --stats            print counters at the end\n"
	      "  --stress-kicks     interrupt the harts all the time (a test of the engine)\n"
	      "  --trace            print every exit, block, miss, trap and MMIO access\n"
	      "  --help             print this\n"
	      "\n"
	      "Exit code: 0 the guest powered off, 1 it broke down or was killed, 2 wrong usage or bad\n"
	      "input, 123 out of instructions, 124 out of time, otherwise the code of the failure that the\n"
	      "guest reported.\n",
	      f);
}

static bool parse_number(const char *s, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(s, &end, 10);
	return s[0] >= '0' && s[0] <= '9' && !*end && !errno;
}

static bool parse_size(const char *s, u64 *out)
{
	unsigned int shift = 0;
	char *end;

	errno = 0;
	*out = strtoull(s, &end, 0);
	if (s[0] < '0' || s[0] > '9' || errno)
		return false;
	switch (*end) {
	case 'K':
	case 'k':
		shift = 10;
		break;
	case 'M':
	case 'm':
		shift = 20;
		break;
	case 'G':
	case 'g':
		shift = 30;
		break;
	}
	if (shift)
		end++;
	if (*end || *out > ~0ULL >> shift)
		return false;
	*out <<= shift;
	return true;
}

static int bad_usage(const char *option, const char *what)
{
	fprintf(stderr, "uhost: %s%s%s\n", option, *option ? ": " : "", what);
	return UHOST_USAGE;
}

/* Names alone in the first column, so that scripts can read them. */
static void list_opts(void)
{
	for (unsigned int i = 0; dtv_opt_name(i); i++)
		printf("%-14s %s\n", dtv_opt_name(i), dtv_opt_text(i));
}

static bool take_place(struct options *o, char *text)
{
	size_t len;

	if (o->places == LOADER_PLACES || !loader_parse_place(text, &len, &o->place_gpa[o->places]))
		return false;
	text[len] = 0;
	o->place[o->places++] = text;
	return true;
}

/* Returns -1 to go on, else the exit code. */
static int parse_options(int argc, char **argv, struct options *o)
{
	enum {
		BIOS = 256,
		KERNEL,
		INITRD,
		FLASH0,
		FLASH1,
		FLASH_WRITE,
		LOAD,
		APPEND,
		ELF,
		SIGNATURE,
		MEMORY,
		CPUS,
		CACHE,
		ISA,
		MAX_SECONDS,
		MAX_INSTRUCTIONS,
		STATS,
		TRACE,
		STRESS_KICKS,
		NO_OPT,
		DUMP_BLOCKS,
		DUMP_TOP,
		DUMP_OPS,
		MUTATE,
		HELP
	};
	static const struct option longs[] = {
		{ "bios", required_argument, NULL, BIOS },
		{ "kernel", required_argument, NULL, KERNEL },
		{ "initrd", required_argument, NULL, INITRD },
		{ "flash0", required_argument, NULL, FLASH0 },
		{ "flash1", required_argument, NULL, FLASH1 },
		{ "flash-write", no_argument, NULL, FLASH_WRITE },
		{ "load", required_argument, NULL, LOAD },
		{ "append", required_argument, NULL, APPEND },
		{ "elf", required_argument, NULL, ELF },
		{ "signature", required_argument, NULL, SIGNATURE },
		{ "memory", required_argument, NULL, MEMORY },
		{ "cpus", required_argument, NULL, CPUS },
		{ "cache", required_argument, NULL, CACHE },
		{ "isa", required_argument, NULL, ISA },
		{ "max-seconds", required_argument, NULL, MAX_SECONDS },
		{ "max-instructions", required_argument, NULL, MAX_INSTRUCTIONS },
		{ "stats", no_argument, NULL, STATS },
		{ "trace", no_argument, NULL, TRACE },
		{ "stress-kicks", no_argument, NULL, STRESS_KICKS },
		{ "no-opt", required_argument, NULL, NO_OPT },
		{ "dump-blocks", optional_argument, NULL, DUMP_BLOCKS },
		{ "dump-top", required_argument, NULL, DUMP_TOP },
		{ "dump-ops", required_argument, NULL, DUMP_OPS },
#ifdef DTV_MUTATE
		{ "mutate", required_argument, NULL, MUTATE },
#endif
		{ "help", no_argument, NULL, HELP },
		{ 0 },
	};
	char why[128];
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case BIOS:
			o->bios = optarg;
			break;
		case FLASH0:
		case FLASH1:
			o->flash[c - FLASH0] = optarg;
			break;
		case FLASH_WRITE:
			o->flash_write = true;
			break;
		case LOAD:
			if (!take_place(o, optarg))
				return bad_usage("--load", "up to 8 of FILE@ADDRESS are expected");
			break;
		case KERNEL:
			o->kernel = optarg;
			break;
		case INITRD:
			o->initrd = optarg;
			break;
		case APPEND:
			o->append = optarg;
			break;
		case ELF:
			o->elf = optarg;
			break;
		case SIGNATURE:
			o->signature = optarg;
			break;
		case MEMORY:
			if (!parse_size(optarg, &o->memory))
				return bad_usage("--memory", "a size like 512M or 1G is expected");
			break;
		case CPUS:
			if (!parse_number(optarg, &o->cpus) || o->cpus < 1 ||
			    o->cpus > DTV_MAX_HARTS)
				return bad_usage("--cpus", "a number from 1 to 32 is expected");
			break;
		case CACHE:
			if (!parse_size(optarg, &o->cache) || o->cache < 1 << 20 ||
			    o->cache > 1 << 30 || o->cache % 4096)
				return bad_usage("--cache", "a size from 1M to 1G is expected");
			break;
		case ISA:
			if (dtv_isa_parse(optarg, &o->isa, why, sizeof(why)))
				return bad_usage("--isa", why);
			break;
		case MAX_SECONDS:
			if (!parse_number(optarg, &o->max_seconds))
				return bad_usage("--max-seconds", "a number is expected");
			break;
		case MAX_INSTRUCTIONS:
			if (!parse_number(optarg, &o->max_insns) || !o->max_insns ||
			    o->max_insns > DTV_INSNS_MAX)
				return bad_usage("--max-instructions",
						 "a number from 1 to 2^62 is expected");
			break;
		case STATS:
			o->stats = true;
			break;
		case TRACE:
			o->trace = true;
			break;
		case STRESS_KICKS:
			o->stress_kicks = true;
			break;
		case DUMP_BLOCKS:
			o->dump_blocks = true;
			o->dump = optarg;
			break;
		case DUMP_TOP:
			if (!parse_number(optarg, &o->dump_top))
				return bad_usage("--dump-top", "a number is expected");
			break;
		case DUMP_OPS:
			o->ops = optarg;
			break;
		case NO_OPT:
			if (!strcmp(optarg, "help")) {
				list_opts();
				return UHOST_OK;
			}
			if (!dtv_opts_parse(optarg, &o->no_opt))
				return bad_usage("--no-opt", "unknown name: see --no-opt help");
			break;
#ifdef DTV_MUTATE
		case MUTATE:
			if (!strcmp(optarg, "list")) {
				mutate_list();
				return UHOST_OK;
			}
			if (!mutate_choose(optarg))
				return bad_usage("--mutate", "no such mutant (--mutate list)");
			break;
#endif
		case HELP:
			usage(stdout);
			return UHOST_OK;
		default:
			usage(stderr);
			return UHOST_USAGE;
		}
	}
	if (optind < argc)
		return bad_usage(argv[optind], "unexpected argument");
	if (!(o->kernel || o->bios || o->flash[0]) && !o->elf)
		return bad_usage("",
				 "give one of --kernel, --bios, --flash0 and --elf (see --help)");
	if ((o->kernel || o->bios) && o->elf)
		return bad_usage("--elf", "expected without --kernel and --bios");
	if (o->elf && (o->initrd || o->append || o->places))
		return bad_usage("--elf",
				 "a bare-metal program has no other files and no command line");
	if (o->signature && !o->elf)
		return bad_usage("--signature", "needs --elf");
	return -1;
}

/* --- building the machine --- */

static void *map_anonymous(u64 size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int make_ram(struct uhost *u, u64 size, char *err, size_t n)
{
	struct sysinfo si;
	void *p;

	if (size < IMAGE_MEMORY_MIN) {
		snprintf(err, n, "memory of %llu MiB is too small: at least %llu MiB",
			 (unsigned long long)(size >> 20),
			 (unsigned long long)(IMAGE_MEMORY_MIN >> 20));
		return -1;
	}
	if (size % RAM_UNIT) {
		snprintf(err, n, "memory must be a multiple of 2 MiB");
		return -1;
	}
	if (!sysinfo(&si) && size > (u64)si.totalram * si.mem_unit) {
		snprintf(err, n, "memory of %llu MiB is more than this host has (%llu MiB)",
			 (unsigned long long)(size >> 20),
			 (unsigned long long)((u64)si.totalram * si.mem_unit >> 20));
		return -1;
	}
	u->ram_fd = memfd_create("uhost-ram", MFD_CLOEXEC);
	if (u->ram_fd < 0 || ftruncate(u->ram_fd, size))
		goto fail;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, u->ram_fd, 0);
	if (p == MAP_FAILED)
		goto fail;
	u->ram = (struct image_ram){ .host = p, .gpa = MACHINE_RAM_GPA, .size = size };
	return 0;
fail:
	snprintf(err, n, "cannot get %llu MiB of memory: %s", (unsigned long long)(size >> 20),
		 strerror(errno));
	return -1;
}

static int make_cache(struct uhost *u, u64 size, char *err, size_t n)
{
	int fd = memfd_create("uhost-cache", MFD_CLOEXEC);
	void *rw, *exec;

	if (fd < 0 || ftruncate(fd, size))
		goto fail;
	rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	exec = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	if (rw == MAP_FAILED || exec == MAP_FAILED)
		goto fail;
	close(fd);
	u->cache_rw = rw;
	u->cache_exec = exec;
	u->cache_size = size;
	return 0;
fail:
	snprintf(err, n, "cannot make the code cache: %s", strerror(errno));
	return -1;
}

static int make_harts(struct uhost *u, char *err, size_t n)
{
	for (unsigned int i = 0; i < u->nr_harts; i++) {
		struct uhart *h = calloc(1, sizeof(*h));
		struct dtv_area *area = map_anonymous(DTV_AREA_SIZE + DTV_AREA_ALIGN);

		if (!h || !area)
			goto fail;
		area = (void *)(((u64)area + DTV_AREA_ALIGN - 1) & ~(u64)(DTV_AREA_ALIGN - 1));
		h->host = u;
		h->cpu.id = i;
		u->harts[i] = h;
		if (views_init(h))
			goto fail;
		h->cpu.views.nr = u->nr_views;
		if (dtv_cpu_init(&h->cpu, &u->vm, i, area, (u64)area))
			goto fail;
	}
	return 0;
fail:
	snprintf(err, n, "out of memory");
	return -1;
}

static int open_file(const char *path, char *err, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		snprintf(err, n, "%s: %s", path, strerror(errno));
	return fd;
}

/* --- the mailbox of bare-metal programs --- */

static void htif_output(void *opaque, const void *buf, size_t n)
{
	struct uhost *u = opaque;

	pthread_mutex_lock(&u->devices);
	console_put(u, buf, n);
	pthread_mutex_unlock(&u->devices);
}

static void htif_finish(void *opaque, uint64_t code)
{
	if (!code)
		uhost_stop(opaque, UHOST_OK, "%s", "");
	else
		uhost_stop(opaque, code & 255 ? (int)(code & 255) : UHOST_KILLED,
			   "guest failed with code %llu", (unsigned long long)code);
}

static void htif_bad(void *opaque, uint64_t gpa)
{
	uhost_stop(opaque, UHOST_KILLED, "HTIF: bad address 0x%llx in tohost",
		   (unsigned long long)gpa);
}

static bool open_named(struct loader_file *f, const char *name, char *err, size_t n)
{
	if (!name)
		return true;
	f->name = name;
	f->fd = open_file(name, err, n);
	return f->fd >= 0;
}

static void close_named(const struct loader_file *f)
{
	if (f->name && f->fd >= 0)
		close(f->fd);
}

static int load(struct uhost *u, const struct options *o, char *err, size_t n)
{
	const char *isa[DTV_ISA_NAMES + 1] = { NULL };
	struct loader l = {
		.tree = {
			.harts = u->nr_harts,
			.isa = isa,
			.bootargs = o->append,
			.virtio = MACHINE_VIRTIO_MAX,
		},
		.places = o->places,
		.flash = o->flash[0],
	};
	struct loader_start s;
	int ret = -1;

	dtv_isa_names(u->vm.isa, isa, DTV_ISA_NAMES);
	for (unsigned int i = 0; i < o->places; i++) {
		l.place_gpa[i] = o->place_gpa[i];
		if (!open_named(&l.place[i], o->place[i], err, n))
			return -1;
	}
	if (open_named(&l.bios, o->bios, err, n) && open_named(&l.kernel, o->kernel, err, n) &&
	    open_named(&l.initrd, o->initrd, err, n) && open_named(&l.elf, o->elf, err, n))
		ret = loader_load(&l, &u->ram, &u->board.rom, &s, err, n);
	close_named(&l.bios);
	close_named(&l.kernel);
	close_named(&l.initrd);
	close_named(&l.elf);
	for (unsigned int i = 0; i < o->places; i++)
		close_named(&l.place[i]);
	if (ret)
		return ret;
	u->htif = (struct htif){
		.ram = u->ram,
		.elf = s.elf,
		.output = htif_output,
		.finish = htif_finish,
		.bad = htif_bad,
		.opaque = u,
	};
	u->vm.sbi = !s.m_mode;
	for (unsigned int i = 0; i < u->nr_harts; i++)
		dtv_cpu_reset(&u->harts[i]->cpu, s.pc, s.a1, i == 0 || s.m_mode);
	return 0;
}

static int build(struct uhost *u, const struct options *o, char *err, size_t n)
{
	struct dtv_dbt_config cfg;

	u->trace = o->trace;
	u->nr_harts = o->cpus;
	u->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	u->t0 = uhost_monotonic();
	if (u->event_fd < 0) {
		snprintf(err, n, "eventfd: %s", strerror(errno));
		return -1;
	}
	if (make_ram(u, o->memory, err, n) || make_cache(u, o->cache, err, n) ||
	    views_reserve(u, err, n))
		return -1;
	cfg = (struct dtv_dbt_config){
		.rw = u->cache_rw,
		.exec = (u64)u->cache_exec,
		.size = u->cache_size,
		.exit_jump = true,
		.profile = o->dump_blocks || o->ops,
		.no_opt = o->no_opt,
	};
	u->vm.isa = o->isa;
	if (dtv_vm_core_init(&u->vm, &cfg)) {
		snprintf(err, n, "cannot initialise the engine: out of memory");
		return -1;
	}
	if (o->max_insns && dtv_vm_core_limit(&u->vm, o->max_insns))
		return -1;
	if (make_harts(u, err, n) || machine_init(u, err, n))
		return -1;
	for (unsigned int i = 0; i < MACHINE_FLASH_BANKS; i++) {
		const char *name = o->flash[i];
		int fd, ret;

		if (!name)
			continue;
		fd = open(name, (o->flash_write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
		if (fd < 0) {
			snprintf(err, n, "%s: %s", name, strerror(errno));
			return -1;
		}
		ret = flash_load(&u->board.flash[i], fd, name, o->flash_write, err, n);
		if (ret || !o->flash_write)
			close(fd);
		if (ret)
			return -1;
	}
	return load(u, o, err, n);
}

/* --- running it --- */

/* When the RTC is due: milliseconds from now, at most @ms. */
static int rtc_wait(struct uhost *u, int ms)
{
	u64 due = rtc_deadline(&u->board.rtc), now;
	struct timespec ts;

	if (due == RTC_NEVER)
		return ms;
	clock_gettime(CLOCK_REALTIME, &ts);
	now = ts.tv_sec * 1000000000ULL + ts.tv_nsec;
	if ((s64)(due - now) <= 0)
		return 0;
	return (due - now) / 1000000 + 1 < (u64)ms ? (int)((due - now) / 1000000 + 1) : ms;
}

/* Programs that print through HTIF do so byte by byte: while they do, look often. */
static void serve_htif(struct uhost *u)
{
	unsigned int idle = 0;

	while (idle < 2000 && !READ_ONCE(u->done)) {
		if (htif_poll(&u->htif))
			idle = 1;
		else if (!idle++)
			return;
	}
}

static void serve(struct uhost *u, const struct options *o)
{
	u64 end = o->max_seconds ? u->t0 + o->max_seconds * 1000000000ULL : ~0ULL;
	bool open_stdin = true;

	while (!READ_ONCE(u->done)) {
		struct pollfd fds[2] = {
			{ .fd = u->event_fd, .events = POLLIN },
			{ .fd = STDIN_FILENO, .events = POLLIN },
		};
		int ms = u->htif.elf.tohost ? 1 : 1000;
		u64 now = uhost_monotonic(), count;

		if (now >= end) {
			uhost_stop(u, UHOST_TIMEOUT, "out of time after %lu s", o->max_seconds);
			break;
		}
		if (end - now < 1000000000ULL && ms > 10)
			ms = 10;
		pthread_mutex_lock(&u->devices);
		rtc_expire(&u->board.rtc);
		ms = rtc_wait(u, ms);
		if (u->out_used && ms > 2)
			ms = 2;
		if (!open_stdin || u->in_used == sizeof(u->in))
			fds[1].fd = -1;
		pthread_mutex_unlock(&u->devices);

		if (poll(fds, 2, ms) < 0 && errno != EINTR)
			break;
		if (fds[0].revents && read(u->event_fd, &count, sizeof(count)) < 0 &&
		    errno != EAGAIN)
			break;
		/* Output that just began waits a moment for more; else it goes out now. */
		if (!fds[0].revents) {
			pthread_mutex_lock(&u->devices);
			console_flush(u);
			pthread_mutex_unlock(&u->devices);
		}
		if (fds[1].revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL))
			open_stdin = console_read(u);
		serve_htif(u);
	}
}

/* Make the harts leave translated code at any place, over and over. */
static void *stress_kicks(void *arg)
{
	struct uhost *u = arg;
	struct timespec ts = { .tv_nsec = 1000 };

	while (!READ_ONCE(u->done)) {
		for (unsigned int i = 0; i < u->nr_harts; i++)
			dtv_cpu_request(&u->harts[i]->cpu, DTV_REQ_LEAVE);
		nanosleep(&ts, NULL);
	}
	return NULL;
}

/* Harts that do not come back are a bug of ours; say so and leave them behind. */
static bool join_harts(struct uhost *u)
{
	bool ok = true;

	for (unsigned int i = 0; i < u->nr_harts; i++) {
		struct uhart *h = u->harts[i];
		struct timespec ts;
		int left = STOP_SECONDS * 100;

		do {
			hart_kick(h);
			clock_gettime(CLOCK_REALTIME, &ts);
			ts.tv_nsec += 10000000;
			if (ts.tv_nsec >= 1000000000) {
				ts.tv_sec++;
				ts.tv_nsec -= 1000000000;
			}
		} while (pthread_timedjoin_np(h->thread, NULL, &ts) && --left);
		if (!left) {
			fprintf(stderr, "uhost: hart %u does not stop\n", i);
			ok = false;
		}
	}
	return ok;
}

static int write_signature(struct uhost *u, const char *path, char *err, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), ret;

	if (fd < 0) {
		snprintf(err, n, "%s: %s", path, strerror(errno));
		return -1;
	}
	ret = htif_signature(&u->ram, &u->htif.elf, fd, path, err, n);
	close(fd);
	return ret;
}

static void destroy(struct uhost *u)
{
	for (unsigned int i = 0; i < u->nr_harts; i++) {
		struct uhart *h = u->harts[i];

		dtv_cpu_destroy(&h->cpu);
		free(h->views);
		free(h);
	}
	dtv_vm_core_destroy(&u->vm);
	board_free(&u->board);
	free(u);
}

int main(int argc, char **argv)
{
	struct options o = { .memory = 1ULL << 30, .cache = 32 << 20, .cpus = 1, .dump_top = 20 };
	struct sigaction sa = { .sa_handler = on_interrupt, .sa_flags = SA_ONSTACK };
	sigset_t block, old;
	pthread_t stress;
	char err[512] = "";
	struct uhost *u;
	bool joined;
	int code;

	code = parse_options(argc, argv, &o);
	if (code >= 0)
		return code;
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2") ||
	    !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("pclmul")) {
		fprintf(stderr,
			"uhost: this processor is too old: x86-64-v3, PCLMULQDQ and FSGSBASE are needed\n");
		return UHOST_USAGE;
	}
	u = calloc(1, sizeof(*u));
	if (!u || build(u, &o, err, sizeof(err))) {
		fprintf(stderr, "uhost: %s\n", u ? err : "out of memory");
		return UHOST_USAGE;
	}

	the_guest = u;
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	hart_signals(u);
	console_init();
	/* What ends uhost is for the main thread, not for translated code. */
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &block, &old);
	for (unsigned int i = 0; i < u->nr_harts; i++) {
		if (hart_start(u->harts[i])) {
			console_restore();
			fprintf(stderr, "uhost: cannot start a thread: %s\n", strerror(errno));
			return UHOST_USAGE;
		}
	}
	if (o.stress_kicks && pthread_create(&stress, NULL, stress_kicks, u))
		o.stress_kicks = false;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	serve(u, &o);
	if (o.stress_kicks)
		pthread_join(stress, NULL);
	joined = join_harts(u);
	pthread_mutex_lock(&u->devices);
	console_flush(u);
	pthread_mutex_unlock(&u->devices);
	console_restore();

	if (u->why[0])
		fprintf(stderr, "uhost: %s\n", u->why);
	if (o.stats)
		stats_print(u, uhost_monotonic() - u->t0);
	code = u->code;
	if (o.dump_blocks && joined && dump_blocks(u, o.dump, o.dump_top))
		code = code ? code : UHOST_USAGE;
	if (o.ops && joined && dump_ops(u, o.ops))
		code = code ? code : UHOST_USAGE;
	if (o.signature && write_signature(u, o.signature, err, sizeof(err))) {
		fprintf(stderr, "uhost: %s\n", err);
		code = code ? code : UHOST_USAGE;
	}
	if (joined)
		destroy(u);
	return code;
}
