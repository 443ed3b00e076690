// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the compat verb finds out about a host: from /proc and /sys, from the module's device, and
 * from dtvd. Nothing of it has to be there. With a sysroot, files below it are read in place of
 * this machine's, and neither device nor dtvd is asked.
 */
#include "compat.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dtv.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The views of a jail: DTV_JAIL_VIEWS of kmod/jail.h, each of them and its guards. */
#define VIEWS_BYTES (64ULL * (528ULL << 30))
#define OLDEST_MAJOR 6
#define OLDEST_MINOR 1

/**
 * struct look - where is looked
 * @sysroot: in front of each path; "" for this machine
 * @owner: whose limits count, as a name in /proc
 * @who: that in words
 * @dtvd: dtvd's version; NULL: it was not reached
 */
struct look {
	const char *sysroot;
	char owner[16];
	const char *who;
	char *dtvd;
};

static void say(struct found *f, enum verdict mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct found *f, enum verdict mark, const char *fmt, ...)
{
	va_list ap;

	f->mark = mark;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

static char *path_of(const struct look *l, const char *path)
{
	char *full;

	if (asprintf(&full, "%s%s", l->sysroot, path) < 0) {
		complain("out of memory");
		exit(VMCTL_FAILED);
	}
	return full;
}

static FILE *open_file(const struct look *l, const char *path)
{
	char *full = path_of(l, path);
	FILE *f = fopen(full, "re");

	free(full);
	return f;
}

static bool there(const struct look *l, const char *path)
{
	char *full = path_of(l, path);
	bool is = !access(full, F_OK);

	free(full);
	return is;
}

/* The line of a file that begins with @key, without that and blanks and colons; the caller's. */
static char *line_of(const struct look *l, const char *path, const char *key)
{
	FILE *f = open_file(l, path);
	char *line = NULL, *found = NULL;
	size_t room = 0, len = strlen(key);

	while (f && !found && getline(&line, &room, f) > 0) {
		if (strncmp(line, key, len))
			continue;
		line[strcspn(line, "\n")] = 0;
		found = strdup(line + len + strspn(line + len, " \t:"));
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* Whether @word is one of those in @text. */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += len)
		if ((at == text || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	return false;
}

/* Those of @words that the first processor has not, in @lacks; -1: nobody knows; else how many. */
static int lacks_flags(const struct look *l, const char *const *words, char *lacks, size_t room)
{
	char *flags = line_of(l, "/proc/cpuinfo", "flags");
	int n = 0;

	*lacks = 0;
	for (; flags && *words; words++) {
		if (has_word(flags, *words))
			continue;
		snprintf(lacks + strlen(lacks), room - strlen(lacks), "%s%s", n ? " " : "", *words);
		n++;
	}
	n = flags ? n : -1;
	free(flags);
	return n;
}

static void find_kernel(const struct look *l, struct found *f)
{
	char *release = line_of(l, "/proc/sys/kernel/osrelease", "");
	int major = 0, minor = 0;

	if (!release || sscanf(release, "%d.%d", &major, &minor) != 2)
		say(f, VERDICT_UNKNOWN, "/proc/sys/kernel/osrelease does not tell");
	else if (major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR))
		say(f, VERDICT_MISSING, "%s: the module needs %d.%d or later", release,
		    OLDEST_MAJOR, OLDEST_MINOR);
	else
		say(f, VERDICT_OK, "%s", release);
	free(release);
}

static void ask_module(int fd, const char *version, struct found *f)
{
	int api = ioctl(fd, DTV_GET_API_VERSION, NULL);

	if (api < 0)
		say(f, VERDICT_MISSING, "%s does not answer: %s", DTV_DEVICE, strerror(errno));
	else if (api != DTV_API_VERSION)
		say(f, VERDICT_MISSING,
		    "loaded; its interface is version %d, vmctl's %d: install both anew", api,
		    DTV_API_VERSION);
	else
		say(f, VERDICT_OK, "loaded%s%s; interface %d, %d harts, %d views a hart",
		    version ? ", version " : "", version ? version : "", api,
		    ioctl(fd, DTV_CHECK_CAP, DTV_CAP_VCPUS),
		    ioctl(fd, DTV_CHECK_CAP, DTV_CAP_VIEWS));
}

static void find_module(const struct look *l, struct found *f)
{
	char *version = line_of(l, "/sys/module/dtv/version", "");
	char *disabled = line_of(l, "/proc/sys/kernel/modules_disabled", "");
	int fd;

	if (*l->sysroot) {
		if (there(l, "/sys/module/dtv"))
			say(f, VERDICT_OK, "loaded");
		else
			say(f, VERDICT_NOTE, "not loaded");
		goto out;
	}
	fd = open(DTV_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		ask_module(fd, version, f);
		close(fd);
	} else if (errno == EACCES || errno == EPERM) {
		say(f, VERDICT_UNKNOWN,
		    "there is a %s, and no permission to ask it: join its group, `usermod -aG dtv USER`",
		    DTV_DEVICE);
	} else if (disabled && !strcmp(disabled, "1")) {
		say(f, VERDICT_NOTE,
		    "not loaded, and kernel.modules_disabled forbids it until a reboot");
	} else {
		say(f, VERDICT_NOTE, "not loaded: what follows holds once it is, `modprobe dtv`");
	}
out:
	free(version);
	free(disabled);
}

static void find_daemon(const struct look *l, struct found *f)
{
	if (!l->dtvd)
		say(f, VERDICT_NOTE, "not reached: limits are those of this shell");
	else if (strcmp(l->dtvd, DTV_VERSION))
		say(f, VERDICT_NOTE, "dtvd %s, vmctl %s", l->dtvd, DTV_VERSION);
	else
		say(f, VERDICT_OK, "dtvd %s", l->dtvd);
}

/* Those that kmod/main.c asks for, as /proc/cpuinfo writes them. cli:compat compares the lists. */
static const char *const needed[] = { "fsgsbase", "avx2",  "bmi1",   "bmi2",	  "fma",
				      "abm",	  "movbe", "popcnt", "pclmulqdq", NULL };

static void find_cpu(const struct look *l, struct found *f)
{
	char lacks[128];

	switch (lacks_flags(l, needed, lacks, sizeof(lacks))) {
	case -1:
		say(f, VERDICT_UNKNOWN, "/proc/cpuinfo does not tell");
		break;
	case 0:
		say(f, VERDICT_OK, "fsgsbase avx2 bmi1 bmi2 fma abm movbe popcnt pclmulqdq");
		break;
	default:
		say(f, VERDICT_MISSING, "the processor or its kernel's command line lacks %s",
		    lacks);
	}
}

static void find_nx(const struct look *l, struct found *f)
{
	static const char *const nx[] = { "nx", NULL };
	char lacks[8];
	int n = lacks_flags(l, nx, lacks, sizeof(lacks));

	if (n < 0)
		say(f, VERDICT_UNKNOWN, "/proc/cpuinfo does not tell");
	else if (n)
		say(f, VERDICT_MISSING, "the guest's data could be executed as host code");
	else
		say(f, VERDICT_OK, "guest memory and vCPU area cannot be executed");
}

/* A second line: they keep a mistake of the kernel's from being more than that. */
static void find_kernel_guard(const struct look *l, struct found *f)
{
	static const char *const words[] = { "smep", "smap", NULL };
	char lacks[16];
	int n = lacks_flags(l, words, lacks, sizeof(lacks));

	if (n < 0)
		say(f, VERDICT_UNKNOWN, "/proc/cpuinfo does not tell");
	else if (n)
		say(f, VERDICT_NOTE,
		    "no %s: nothing but correct kernel code keeps it off a jail's memory", lacks);
	else
		say(f, VERDICT_OK, "smep smap");
}

/*
 * A guest chooses the addresses of loads that are executed ahead of their checks. Where such a load
 * can see what is not mapped, or others' data in buffers, no check of ours is one.
 */
static void find_leaks(const struct look *l, struct found *f)
{
	static const char *const worst[] = { "meltdown", "l1tf", "mds" };
	char open[160] = "", path[96];
	unsigned int known = 0;

	for (size_t i = 0; i < sizeof(worst) / sizeof(worst[0]); i++) {
		char *state;

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/vulnerabilities/%s",
			 worst[i]);
		state = line_of(l, path, "");
		known += state != NULL;
		if (state && !strncmp(state, "Vulnerable", 10))
			snprintf(open + strlen(open), sizeof(open) - strlen(open), " %s", worst[i]);
		free(state);
	}
	if (*open)
		say(f, VERDICT_MISSING, "vulnerable, and not mitigated:%s", open);
	else if (known < sizeof(worst) / sizeof(worst[0]))
		say(f, VERDICT_UNKNOWN, "/sys/devices/system/cpu/vulnerabilities does not tell");
	else
		say(f, VERDICT_OK, "meltdown, l1tf, mds: not affected or mitigated");
}

static void find_seccomp(const struct look *l, struct found *f)
{
	char *actions = line_of(l, "/proc/sys/kernel/seccomp/actions_avail", "");

	if (!actions && !there(l, "/proc/sys/kernel/osrelease"))
		say(f, VERDICT_UNKNOWN, "/proc/sys/kernel/seccomp/actions_avail does not tell");
	else if (!actions)
		say(f, VERDICT_MISSING, "the kernel has no seccomp filters");
	else if (!has_word(actions, "kill_process"))
		say(f, VERDICT_MISSING, "no kill_process among \"%s\"", actions);
	else
		say(f, VERDICT_OK, "kill_process");
	free(actions);
}

static void find_address_bits(const struct look *l, struct found *f)
{
	char *line = line_of(l, "/proc/cpuinfo", "address sizes");
	unsigned int physical, virtual;

	if (!line || sscanf(line, "%u bits physical, %u bits virtual", &physical, &virtual) != 2)
		say(f, VERDICT_UNKNOWN, "/proc/cpuinfo does not tell");
	else if (virtual < 48)
		say(f, VERDICT_MISSING, "%u bits are too few for 64 views", virtual);
	else
		say(f, VERDICT_OK, "%u bits", virtual);
	free(line);
}

/* A limit of the owner's in bytes. False: it is not known. ~0ULL: there is none. */
static bool limit_of(const struct look *l, const char *key, unsigned long long *bytes)
{
	char path[64], *line;
	bool known = false;

	snprintf(path, sizeof(path), "/proc/%s/limits", l->owner);
	line = line_of(l, path, key);
	if (line && !strncmp(line, "unlimited", 9)) {
		*bytes = ~0ULL;
		known = true;
	} else if (line) {
		char *end;

		*bytes = strtoull(line, &end, 10);
		known = end != line;
	}
	free(line);
	return known;
}

static void find_address_space(const struct look *l, struct found *f)
{
	unsigned long long bytes;

	if (!limit_of(l, "Max address space", &bytes))
		say(f, VERDICT_UNKNOWN, "the limits of %s cannot be read", l->who);
	else if (bytes < VIEWS_BYTES + (4ULL << 30))
		say(f, VERDICT_MISSING, "RLIMIT_AS of %s is %llu MiB: jails need %llu MiB", l->who,
		    bytes >> 20, (VIEWS_BYTES + (4ULL << 30)) >> 20);
	else
		say(f, VERDICT_OK, "no RLIMIT_AS in the way (%s)", l->who);
}

static void find_memlock(const struct look *l, struct found *f)
{
	unsigned long long bytes, caps = 0;
	char path[64], *line;

	snprintf(path, sizeof(path), "/proc/%s/status", l->owner);
	line = line_of(l, path, "CapEff:");
	if (line)
		caps = strtoull(line, NULL, 16);
	free(line);
	/* CAP_IPC_LOCK */
	if (caps >> 14 & 1)
		say(f, VERDICT_OK, "CAP_IPC_LOCK: no limit (%s)", l->who);
	else if (!limit_of(l, "Max locked memory", &bytes))
		say(f, VERDICT_UNKNOWN, "the limits of %s cannot be read", l->who);
	else if (bytes == ~0ULL)
		say(f, VERDICT_OK, "no RLIMIT_MEMLOCK (%s)", l->who);
	else
		say(f, VERDICT_NOTE,
		    "guests that touch more than %llu MiB stop: RLIMIT_MEMLOCK of %s", bytes >> 20,
		    l->who);
}

static void find_overcommit(const struct look *l, struct found *f)
{
	char *mode = line_of(l, "/proc/sys/vm/overcommit_memory", "");

	if (!mode)
		say(f, VERDICT_UNKNOWN, "/proc/sys/vm/overcommit_memory does not tell");
	else if (!strcmp(mode, "2"))
		say(f, VERDICT_NOTE, "strict: all of a guest's memory is reserved when it starts");
	else
		say(f, VERDICT_OK, "a guest's memory is taken as it is touched");
	free(mode);
}

static void find_tsc(const struct look *l, struct found *f)
{
	static const char *const words[] = { "constant_tsc", "nonstop_tsc", NULL };
	char lacks[32];
	int n = lacks_flags(l, words, lacks, sizeof(lacks));

	if (n < 0)
		say(f, VERDICT_UNKNOWN, "/proc/cpuinfo does not tell");
	else if (n)
		say(f, VERDICT_NOTE, "not invariant (no %s): the kernel has to take another clock",
		    lacks);
	else
		say(f, VERDICT_OK, "invariant");
}

static void find_clock(const struct look *l, struct found *f)
{
	char *clock =
		line_of(l, "/sys/devices/system/clocksource/clocksource0/current_clocksource", "");

	if (!clock)
		say(f, VERDICT_UNKNOWN, "the clock source could not be read");
	else if (!has_word("tsc kvm-clock hyperv_clocksource_tsc_page", clock))
		say(f, VERDICT_NOTE, "%s: guests read true time, slowly", clock);
	else
		say(f, VERDICT_OK, "%s", clock);
	free(clock);
}

static const struct {
	const char *name;
	void (*find)(const struct look *l, struct found *f);
} finders[NR_FACTS] = {
	[FACT_KERNEL] = { "kernel", find_kernel },
	[FACT_MODULE] = { "module", find_module },
	[FACT_DAEMON] = { "daemon", find_daemon },
	[FACT_CPU] = { "processor", find_cpu },
	[FACT_NX] = { "nx", find_nx },
	[FACT_KERNEL_GUARD] = { "smep-smap", find_kernel_guard },
	[FACT_LEAKS] = { "leaks", find_leaks },
	[FACT_SECCOMP] = { "seccomp", find_seccomp },
	[FACT_ADDRESS_BITS] = { "address-bits", find_address_bits },
	[FACT_ADDRESS_SPACE] = { "address-space", find_address_space },
	[FACT_MEMLOCK] = { "memlock", find_memlock },
	[FACT_OVERCOMMIT] = { "overcommit", find_overcommit },
	[FACT_TSC] = { "tsc", find_tsc },
	[FACT_CLOCK] = { "clock", find_clock },
};

/** fact_name - a word for a fact; the key in JSON */
const char *fact_name(enum fact fact)
{
	return finders[fact].name;
}

/* If dtvd answers, its version, and it is the one whose limits count. */
static void ask_daemon(const struct vmctl *v, struct look *l)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	json_t *info = NULL;
	struct client c;

	if (client_open(v, &c, true) != VMCTL_OK)
		return;
	if (client_call(&c, "org.varlink.service.GetInfo", NULL, 5000, &info) == VMCTL_OK) {
		l->dtvd = strdup(json_text(info, "version"));
		if (!getsockopt(c.fd, SOL_SOCKET, SO_PEERCRED, &cred, &len)) {
			snprintf(l->owner, sizeof(l->owner), "%d", cred.pid);
			l->who = "dtvd";
		}
	}
	json_decref(info);
	client_close(&c);
}

/**
 * find_facts - look at a host
 * @v: how to reach dtvd
 * @sysroot: a directory to find proc and sys in; NULL: this machine, its module and its dtvd
 * @found: NR_FACTS of them
 */
void find_facts(const struct vmctl *v, const char *sysroot, struct found *found)
{
	struct look l = { .sysroot = sysroot ? sysroot : "", .owner = "self", .who = "this shell" };

	if (!sysroot)
		ask_daemon(v, &l);
	for (int i = 0; i < NR_FACTS; i++)
		finders[i].find(&l, &found[i]);
	free(l.dtvd);
}
