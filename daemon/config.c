// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See config.h. The table `keys` is the file format (guest.cfg(5)); each row's
 * function checks one value and stores it. All mistakes of a file are reported,
 * but the first of syntax, behind which nothing can be understood.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "dev/flash.h"
#include "fdt.h"
#include "image.h"
#include "kmod/guest/isa.h"

/**
 * struct reader - one file being read
 * @path: its name in messages
 * @dir: what relative paths are relative to
 * @c: where values go
 * @m: where complaints go
 * @file: settings of files, for complaints about what is in them
 * @memory: the setting
 * @cmdline: likewise
 */
struct reader {
	const char *path;
	char *dir;
	struct dtv_config *c;
	struct dtv_messages *m;
	const config_setting_t *file[DTV_FILES], *memory, *cmdline;
};

struct key {
	const char *name;
	int type; /* CONFIG_TYPE_* */
	bool required;
	const char *expected; /* completes "KEY: expected ..." */
	void (*take)(struct reader *r, const config_setting_t *s, const struct key *k);
};

#define FLASH_TEXT "the file name of a flash bank's contents in quotes"
#define SIZE_TEXT "a size in quotes, as \"512M\" or \"1G\""

static void __attribute__((format(printf, 3, 4)))
complain(struct reader *r, const config_setting_t *s, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = dtv_vformat(fmt, ap);
	va_end(ap);
	dtv_messages_add(r->m, "%s:%u: %s", r->path, config_setting_source_line(s), text);
	free(text);
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return dtv_strdup(".");
	if (slash == path)
		return dtv_strdup("/");
	return dtv_format("%.*s", (int)(slash - path), path);
}

/* A number with K, M, G or T behind it, or with nothing: bytes. */
static bool parse_size(const char *s, uint64_t *size)
{
	static const char units[] = "KMGT";
	unsigned long long n;
	const char *unit;
	unsigned int shift = 0;
	char *end;

	if (s[0] < '0' || s[0] > '9')
		return false;
	errno = 0;
	n = strtoull(s, &end, 10);
	if (errno)
		return false;
	if (*end) {
		unit = strchr(units, *end & ~0x20);
		if (!unit || end[1])
			return false;
		shift = 10 * (unit - units + 1);
	}
	if (n > UINT64_MAX >> shift)
		return false;
	*size = n << shift;
	return true;
}

static void take_name(struct reader *r, const config_setting_t *s, const struct key *k)
{
	const char *name = config_setting_get_string(s);

	if (!dtv_name_ok(name)) {
		complain(r, s, "%s: expected %s, not \"%s\"", k->name, k->expected, name);
		return;
	}
	snprintf(r->c->name, sizeof(r->c->name), "%s", name);
}

static void take_harts(struct reader *r, const config_setting_t *s, const struct key *k)
{
	int n = config_setting_get_int(s);

	if (n < 1 || n > DTV_VCPUS_MAX) {
		complain(r, s, "%s: expected %s, not %d", k->name, k->expected, n);
		return;
	}
	r->c->harts = n;
}

static bool take_size(struct reader *r, const config_setting_t *s, const struct key *k,
		      uint64_t *size)
{
	const char *text = config_setting_get_string(s);

	if (!parse_size(text, size)) {
		complain(r, s, "%s: expected %s, not \"%s\"", k->name, k->expected, text);
		return false;
	}
	if (*size % 4096) {
		complain(r, s, "%s: \"%s\" is not a multiple of 4K", k->name, text);
		return false;
	}
	return true;
}

static void take_memory(struct reader *r, const config_setting_t *s, const struct key *k)
{
	const char *text = config_setting_get_string(s);
	struct sysinfo info;
	uint64_t size, host;

	r->memory = s;
	if (!take_size(r, s, k, &size))
		return;
	if (size < IMAGE_MEMORY_MIN) {
		complain(r, s, "%s: \"%s\" is too small: a guest needs at least %lluM", k->name,
			 text, (unsigned long long)IMAGE_MEMORY_MIN >> 20);
		return;
	}
	sysinfo(&info);
	host = (uint64_t)info.totalram * info.mem_unit;
	if (size > host) {
		complain(r, s, "%s: \"%s\" is beyond this host, which has %lluM", k->name, text,
			 (unsigned long long)host >> 20);
		return;
	}
	r->c->memory = size;
}

static void take_cache(struct reader *r, const config_setting_t *s, const struct key *k)
{
	uint64_t size;

	if (!take_size(r, s, k, &size))
		return;
	if (size < DTV_CACHE_MIN || size > DTV_CACHE_MAX) {
		complain(r, s, "%s: expected a size from \"1M\" to \"1G\", not \"%s\"", k->name,
			 config_setting_get_string(s));
		return;
	}
	r->c->cache = size;
}

const char *const dtv_file_keys[DTV_FILES] = {
	[DTV_FILE_KERNEL] = "kernel",
	[DTV_FILE_INITRD] = "initrd",
	[DTV_FILE_ELF] = "elf",
	[DTV_FILE_SIGNATURE] = "signature",
	[DTV_FILE_BIOS] = "bios",
	[DTV_FILE_FLASH0] = "flash0",
	[DTV_FILE_FLASH1] = "flash1",
	"load0",
	"load1",
	"load2",
	"load3",
	"load4",
	"load5",
	"load6",
	"load7",
};

static enum dtv_file file_of(const struct key *k)
{
	unsigned int i = 0;

	while (strcmp(dtv_file_keys[i], k->name))
		i++;
	return i;
}

/* An absolute path, of @len bytes of @text. */
static char *path_of(struct reader *r, const char *text, size_t len)
{
	return text[0] == '/' ? dtv_format("%.*s", (int)len, text) :
				dtv_format("%s/%.*s", r->dir, (int)len, text);
}

/* The absolute path of the file in @s, or NULL. */
static char *take_path(struct reader *r, const config_setting_t *s, const struct key *k)
{
	const char *text = config_setting_get_string(s);

	r->file[file_of(k)] = s;
	if (!*text) {
		complain(r, s, "%s: expected %s, not an empty string", k->name, k->expected);
		return NULL;
	}
	return path_of(r, text, strlen(text));
}

/* Whether @path is a file that can be read. */
static bool look_at(struct reader *r, const config_setting_t *s, const struct key *k,
		    const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	bool ok = false;

	if (fd < 0) {
		complain(r, s, "%s: expected %s: %s: %s", k->name, k->expected, path,
			 strerror(errno));
		return false;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		complain(r, s, "%s: expected %s: %s is not a regular file", k->name, k->expected,
			 path);
	else
		ok = true;
	close(fd);
	return ok;
}

static void take_file(struct reader *r, const config_setting_t *s, const struct key *k)
{
	char *path = take_path(r, s, k);

	if (path && !look_at(r, s, k, path)) {
		free(path);
		path = NULL;
	}
	r->c->file[file_of(k)] = path;
}

static void take_places(struct reader *r, const config_setting_t *s, const struct key *k)
{
	if (config_setting_length(s) > LOADER_PLACES) {
		complain(r, s, "%s: expected %s, not %d", k->name, k->expected,
			 config_setting_length(s));
		return;
	}
	for (int i = 0; i < config_setting_length(s); i++) {
		const char *text = config_setting_get_string_elem(s, i);
		char *path;
		size_t len;

		if (!text || !loader_parse_place(text, &len, &r->c->place_gpa[i])) {
			complain(r, s, "%s: expected %s, not \"%s\"", k->name, k->expected,
				 text ? text : "a number");
			return;
		}
		path = path_of(r, text, len);
		if (!look_at(r, s, k, path)) {
			free(path);
			return;
		}
		r->file[DTV_FILE_PLACE + i] = s;
		r->c->file[DTV_FILE_PLACE + i] = path;
	}
}

/* A file that is going to be written: it need not be there, but what is there must be a file. */
static void take_output(struct reader *r, const config_setting_t *s, const struct key *k)
{
	char *path = take_path(r, s, k), *dir;
	struct stat st;

	if (!path)
		return;
	dir = directory_of(path);
	if (stat(dir, &st) < 0)
		complain(r, s, "%s: expected %s: %s: %s", k->name, k->expected, dir,
			 strerror(errno));
	else if (!stat(path, &st) && !S_ISREG(st.st_mode))
		complain(r, s, "%s: expected %s: %s is not a regular file", k->name, k->expected,
			 path);
	free(dir);
	r->c->file[file_of(k)] = path;
}

static void take_flash_write(struct reader *r, const config_setting_t *s, const struct key *k)
{
	(void)k;
	r->c->flash_write = config_setting_get_bool(s);
}

static void take_cmdline(struct reader *r, const config_setting_t *s, const struct key *k)
{
	const char *text = config_setting_get_string(s);

	if (strlen(text) > DTV_CMDLINE_MAX) {
		complain(r, s, "%s: expected %s, not %zu", k->name, k->expected, strlen(text));
		return;
	}
	r->cmdline = s;
	r->c->cmdline = dtv_strdup(text);
}

static void take_console(struct reader *r, const config_setting_t *s, const struct key *k)
{
	const char *text = config_setting_get_string(s);

	if (!strcmp(text, "log"))
		r->c->console = DTV_CONSOLE_LOG;
	else if (!strcmp(text, "pty"))
		r->c->console = DTV_CONSOLE_PTY;
	else
		complain(r, s, "%s: expected %s, not \"%s\"", k->name, k->expected, text);
}

static void take_isa(struct reader *r, const config_setting_t *s, const struct key *k)
{
	char why[128];
	u64 bits;

	if (dtv_isa_parse(config_setting_get_string(s), &bits, why, sizeof(why)) < 0)
		complain(r, s, "%s: %s", k->name, why);
	else
		r->c->isa = bits;
}

static void take_max_instructions(struct reader *r, const config_setting_t *s, const struct key *k)
{
	const char *text = config_setting_get_string(s);
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < 1 || n > DTV_LIMIT_MAX)
		complain(r, s, "%s: expected %s, not \"%s\"", k->name, k->expected, text);
	else
		r->c->max_instructions = n;
}

static const struct key keys[] = {
	{ "name", CONFIG_TYPE_STRING, true,
	  "1 to 63 letters, digits, '.', '_' or '-' in quotes, the first a letter or digit",
	  take_name },
	{ "harts", CONFIG_TYPE_INT, false, "a number from 1 to 32", take_harts },
	{ "memory", CONFIG_TYPE_STRING, true, SIZE_TEXT, take_memory },
	{ "kernel", CONFIG_TYPE_STRING, false, "the file name of a RISC-V kernel Image in quotes",
	  take_file },
	{ "initrd", CONFIG_TYPE_STRING, false, "the file name of an initial RAM disk in quotes",
	  take_file },
	{ "bios", CONFIG_TYPE_STRING, false, "the file name of firmware in quotes", take_file },
	{ "load", CONFIG_TYPE_ARRAY, false, "up to 8 of \"FILE@ADDRESS\" in brackets",
	  take_places },
	{ "flash0", CONFIG_TYPE_STRING, false, FLASH_TEXT, take_file },
	{ "flash1", CONFIG_TYPE_STRING, false, FLASH_TEXT, take_file },
	{ "flash_write", CONFIG_TYPE_BOOL, false, "true or false", take_flash_write },
	{ "elf", CONFIG_TYPE_STRING, false, "the file name of a bare-metal program in quotes",
	  take_file },
	{ "signature", CONFIG_TYPE_STRING, false, "the name of a file to be written in quotes",
	  take_output },
	{ "cmdline", CONFIG_TYPE_STRING, false, "a string in quotes of at most 2047 characters",
	  take_cmdline },
	{ "isa", CONFIG_TYPE_STRING, false, "a string as \"rv64gc_zba\"", take_isa },
	/* libconfig drops the upper half of a large number that is not in quotes. */
	{ "max_instructions", CONFIG_TYPE_STRING, false, "a number from 1 to 2^62 in quotes",
	  take_max_instructions },
	{ "console", CONFIG_TYPE_STRING, false, "\"log\" or \"pty\"", take_console },
	{ "cache", CONFIG_TYPE_STRING, false, SIZE_TEXT, take_cache },
};

static const char *type_name(int type)
{
	switch (type) {
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "an integer";
	case CONFIG_TYPE_FLOAT:
		return "a floating-point number";
	case CONFIG_TYPE_BOOL:
		return "a truth value";
	case CONFIG_TYPE_ARRAY:
		return "an array";
	case CONFIG_TYPE_LIST:
		return "a list";
	case CONFIG_TYPE_GROUP:
		return "a group";
	}
	return "that";
}

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < DTV_COUNT(keys); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static void take_setting(struct reader *r, const config_setting_t *s)
{
	const char *name = config_setting_name(s);
	const struct key *k = find_key(name);
	char known[256] = "";
	size_t at = 0;

	if (!k) {
		for (size_t i = 0; i < DTV_COUNT(keys); i++)
			at += snprintf(known + at, sizeof(known) - at, "%s%s", i ? ", " : "",
				       keys[i].name);
		complain(r, s, "unknown key \"%s\": expected one of %s", name, known);
		return;
	}
	if (config_setting_type(s) != k->type) {
		complain(r, s, "%s: expected %s, not %s", name, k->expected,
			 type_name(config_setting_type(s)));
		return;
	}
	k->take(r, s, k);
}

/* libconfig's words for what goes wrong in the file's structure are short. */
static void complain_syntax(struct reader *r, config_t *cfg)
{
	const char *text = config_error_text(cfg);
	const char *more = "";

	if (text && !strcmp(text, "syntax error"))
		more = ": expected lines of the form KEY = VALUE; with text in quotes";
	else if (text && !strcmp(text, "duplicate setting name"))
		more = ": expected each key once";
	dtv_messages_add(r->m, "%s:%d: %s%s", r->path, config_error_line(cfg),
			 text ? text : "cannot be read", more);
}

/* What is in the files, and whether they fit into the memory. */
static void check_contents(struct reader *r)
{
	const struct image_ram ram = { .gpa = DTV_GPA_RAM, .size = r->c->memory };
	const char *isa[DTV_ISA_NAMES + 1] = { NULL };
	const config_setting_t *where = r->memory;
	const char *key = "memory";
	int fd[DTV_FILES], ret;
	struct loader_start start;
	struct loader l;
	char err[512] = "";
	struct rom rom = { 0 };

	for (unsigned int i = 0; i < DTV_FILES; i++)
		fd[i] = -1;
	for (unsigned int i = 0; i < DTV_FILES; i++) {
		if (r->c->file[i] && i != DTV_FILE_SIGNATURE)
			fd[i] = open(r->c->file[i], O_RDONLY | O_CLOEXEC);
	}
	dtv_config_loader(r->c, fd, &l);
	dtv_isa_names(r->c->isa, isa, DTV_ISA_NAMES);
	l.tree.isa = isa;
	ret = loader_load(&l, &ram, &rom, &start, err, sizeof(err));
	for (unsigned int i = DTV_FILE_FLASH0; i <= DTV_FILE_FLASH1 && !ret; i++) {
		struct flash bank = { .fd = -1 };

		if (r->c->file[i])
			ret = flash_load(&bank, fd[i], r->c->file[i], false, err, sizeof(err));
		flash_free(&bank);
	}
	dtv_config_close(fd);
	if (ret < 0) {
		/* Messages begin with the name of the file that they are about. */
		for (unsigned int i = 0; i < DTV_FILES; i++) {
			size_t len = r->c->file[i] ? strlen(r->c->file[i]) : 0;

			if (len && !strncmp(err, r->c->file[i], len) &&
			    (err[len] == ':' || err[len] == ' ')) {
				where = r->file[i];
				key = i < DTV_FILE_PLACE ? dtv_file_keys[i] : "load";
				break;
			}
		}
		complain(r, where, "%s: %s", key, err);
	} else if (r->file[DTV_FILE_SIGNATURE] && !start.elf.begin_signature) {
		complain(r, r->file[DTV_FILE_SIGNATURE],
			 "signature: %s has no begin_signature and end_signature",
			 r->c->file[DTV_FILE_ELF]);
	}
}

/* What goes with what. */
static void check_together(struct reader *r)
{
	static const enum dtv_file others[] = { DTV_FILE_KERNEL, DTV_FILE_INITRD, DTV_FILE_BIOS };

	if (!r->file[DTV_FILE_ELF]) {
		if (!r->file[DTV_FILE_KERNEL] && !r->file[DTV_FILE_BIOS] &&
		    !r->file[DTV_FILE_FLASH0])
			dtv_messages_add(r->m,
					 "%s:1: kernel is missing: expected %s, or bios, flash0 or elf",
					 r->path, find_key("kernel")->expected);
		if (r->file[DTV_FILE_SIGNATURE])
			complain(r, r->file[DTV_FILE_SIGNATURE],
				 "signature: expected beside elf alone");
		return;
	}
	for (size_t i = 0; i < DTV_COUNT(others); i++) {
		if (r->file[others[i]])
			complain(r, r->file[others[i]], "%s: expected not to be beside elf",
				 dtv_file_keys[others[i]]);
	}
	if (r->file[DTV_FILE_PLACE])
		complain(r, r->file[DTV_FILE_PLACE], "load: expected not to be beside elf");
	if (r->cmdline)
		complain(r, r->cmdline, "cmdline: expected not to be beside elf");
}

/* A line that libconfig would replace by another file's content. */
static bool has_include(const char *text)
{
	for (const char *at = text; (at = strstr(at, "@include")); at++) {
		const char *p = at;

		while (p > text && (p[-1] == ' ' || p[-1] == '\t'))
			p--;
		if (p == text || p[-1] == '\n')
			return true;
	}
	return false;
}

/**
 * dtv_config_parse - make a configuration file's text a struct
 * @path: the file's name, in messages and for relative paths
 * @text: its content, NUL-terminated
 * @c: to be filled; free it with dtv_config_free() whatever is returned
 * @m: gets a "FILE:LINE: what was expected" for each mistake
 *
 * Return: 0, or -EINVAL when @m got something.
 */
int dtv_config_parse(const char *path, const char *text, struct dtv_config *c,
		     struct dtv_messages *m)
{
	struct reader r = { .path = path, .c = c, .m = m };
	size_t before = m->n;
	config_t cfg;

	memset(c, 0, sizeof(*c));
	c->harts = 1;
	c->isa = dtv_isa_all();
	r.dir = directory_of(path);
	config_init(&cfg);
	if (has_include(text)) {
		dtv_messages_add(m, "%s:1: @include: expected a guest's keys in one file", path);
	} else if (config_read_string(&cfg, text) != CONFIG_TRUE) {
		complain_syntax(&r, &cfg);
	} else {
		const config_setting_t *root = config_root_setting(&cfg);

		for (int i = 0; i < config_setting_length(root); i++)
			take_setting(&r, config_setting_get_elem(root, i));
		for (size_t i = 0; i < DTV_COUNT(keys); i++) {
			if (keys[i].required && !config_setting_get_member(root, keys[i].name))
				dtv_messages_add(m, "%s:1: %s is missing: expected %s", path,
						 keys[i].name, keys[i].expected);
		}
		check_together(&r);
		if (m->n == before)
			check_contents(&r);
	}
	if (!c->cmdline)
		c->cmdline = dtv_strdup("console=ttyS0");
	config_destroy(&cfg);
	free(r.dir);
	return m->n == before ? 0 : -EINVAL;
}

/**
 * dtv_config_read - the same for a file
 * @path: its name
 * @c: as for dtv_config_parse()
 * @m: as for dtv_config_parse()
 *
 * Return: 0, or -EINVAL when @m got something.
 */
int dtv_config_read(const char *path, struct dtv_config *c, struct dtv_messages *m)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = 0;
	char *text;
	int err;

	memset(c, 0, sizeof(*c));
	if (fd < 0) {
		dtv_messages_add(m, "%s: %s", path, strerror(errno));
		return -EINVAL;
	}
	text = dtv_zalloc(DTV_CONFIG_MAX + 1);
	while (len < DTV_CONFIG_MAX + 1) {
		ssize_t n = read(fd, text + len, DTV_CONFIG_MAX + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			dtv_messages_add(m, "%s: %s", path, strerror(errno));
			close(fd);
			free(text);
			return -EINVAL;
		}
		if (!n)
			break;
		len += n;
	}
	close(fd);
	if (len > DTV_CONFIG_MAX || memchr(text, 0, len)) {
		dtv_messages_add(m, "%s:1: no configuration: expected a text of at most 64K", path);
		free(text);
		return -EINVAL;
	}
	err = dtv_config_parse(path, text, c, m);
	free(text);
	return err;
}

/**
 * dtv_config_open - open the files that a configuration names
 * @c: configuration
 * @fd: descriptors; -1 where no file is named
 *
 * Return: 0, or -errno; dtv_config_close() closes in both cases.
 */
int dtv_config_open(const struct dtv_config *c, int fd[DTV_FILES])
{
	struct stat st;

	for (unsigned int i = 0; i < DTV_FILES; i++)
		fd[i] = -1;
	for (unsigned int i = 0; i < DTV_FILES; i++) {
		bool flash = i == DTV_FILE_FLASH0 || i == DTV_FILE_FLASH1;
		int flags = i == DTV_FILE_SIGNATURE ? O_RDWR | O_CREAT :
			    flash && c->flash_write ? O_RDWR :
						      O_RDONLY;

		if (!c->file[i])
			continue;
		fd[i] = open(c->file[i], flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
		if (fd[i] < 0)
			return -errno;
		if (fstat(fd[i], &st) < 0 || !S_ISREG(st.st_mode))
			return -EINVAL;
	}
	return 0;
}

/** dtv_config_close - close what dtv_config_open() opened */
void dtv_config_close(int fd[DTV_FILES])
{
	for (unsigned int i = 0; i < DTV_FILES; i++) {
		if (fd[i] >= 0)
			close(fd[i]);
		fd[i] = -1;
	}
}

/**
 * dtv_config_loader - what a configuration wants to be loaded
 * @c: configuration; the loader refers to its strings
 * @fd: its files, open
 * @l: result, but for the instruction set
 */
void dtv_config_loader(const struct dtv_config *c, const int fd[DTV_FILES], struct loader *l)
{
	*l = (struct loader){
		.bios = { fd[DTV_FILE_BIOS], c->file[DTV_FILE_BIOS] },
		.kernel = { fd[DTV_FILE_KERNEL], c->file[DTV_FILE_KERNEL] },
		.initrd = { fd[DTV_FILE_INITRD], c->file[DTV_FILE_INITRD] },
		.elf = { fd[DTV_FILE_ELF], c->file[DTV_FILE_ELF] },
		.flash = c->file[DTV_FILE_FLASH0],
		.tree = {
			.harts = c->harts,
			.bootargs = c->cmdline,
			.virtio = MACHINE_VIRTIO_MAX,
		},
	};
	while (l->places < LOADER_PLACES && c->file[DTV_FILE_PLACE + l->places]) {
		l->place[l->places] = (struct loader_file){ fd[DTV_FILE_PLACE + l->places],
							    c->file[DTV_FILE_PLACE + l->places] };
		l->place_gpa[l->places] = c->place_gpa[l->places];
		l->places++;
	}
}

/** dtv_config_free - free what a configuration holds; it is empty afterwards */
void dtv_config_free(struct dtv_config *c)
{
	for (unsigned int i = 0; i < DTV_FILES; i++)
		free(c->file[i]);
	free(c->cmdline);
	memset(c, 0, sizeof(*c));
}
