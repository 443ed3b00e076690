// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * loader.c - see loader.h. What is loaded is entered into a list of ranges, so that
 * two things at one address are an error and not a guest that does strange things.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "loader.h"

#define KERNEL_ALIGN (UINT64_C(2) << 20)
#define PAGE UINT64_C(4096)
/* bios, kernel, initrd, device tree. */
#define RANGES_MAX (LOADER_PLACES + 4)

/* OpenSBI, include/sbi/fw_dynamic.h: what a loader tells it by a2. */
#define FW_DYNAMIC_MAGIC 0x4942534f
#define FW_DYNAMIC_VERSION 2
#define FW_DYNAMIC_S_MODE 1

struct fw_dynamic_info {
	uint64_t magic;
	uint64_t version;
	uint64_t next_addr;
	uint64_t next_mode;
	uint64_t options;
	uint64_t boot_hart;
};

/* The ROM as QEMU's virt has it: code, the words that it reads, and the info. */
struct reset_rom {
	uint32_t code[6];
	uint64_t start;
	uint64_t dtb;
	struct fw_dynamic_info info;
};

_Static_assert(sizeof(struct reset_rom) <= ROM_SIZE, "the reset code fits its ROM");

struct range {
	uint64_t start, end;
	const char *name;
};

struct ranges {
	struct range list[RANGES_MAX];
	unsigned int nr;
};

static int fail(char *err, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int fail(char *err, size_t n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, n, fmt, ap);
	va_end(ap);
	return -1;
}

static int claim(struct ranges *r, const char *name, uint64_t start, uint64_t end, char *err,
		 size_t n)
{
	if (start == end)
		return 0;
	for (unsigned int i = 0; i < r->nr; i++) {
		const struct range *o = &r->list[i];

		if (start < o->end && o->start < end)
			return fail(err, n,
				    "%s at 0x%" PRIx64 " to 0x%" PRIx64 " overlaps %s at 0x%" PRIx64
				    " to 0x%" PRIx64,
				    name, start, end, o->name, o->start, o->end);
	}
	r->list[r->nr++] = (struct range){ start, end, name };
	return 0;
}

/* A file as it is, at @gpa. */
static int load_raw(const struct loader_file *f, const struct image_ram *ram, uint64_t gpa,
		    struct ranges *r, char *err, size_t n)
{
	uint64_t size;

	if (image_probe_initrd(f->fd, f->name, &size, err, n))
		return -1;
	if (gpa < ram->gpa || gpa - ram->gpa > ram->size || size > ram->size - (gpa - ram->gpa))
		return fail(err, n,
			    "%s: at 0x%" PRIx64 " its %" PRIu64
			    " bytes are not in memory, which is 0x%" PRIx64 " to 0x%" PRIx64,
			    f->name, gpa, size, ram->gpa, ram->gpa + ram->size);
	if (claim(r, f->name, gpa, gpa + size, err, n))
		return -1;
	return ram->host ? image_load_raw(f->fd, f->name, ram, gpa, size, err, n) : 0;
}

static int load_elf(const struct loader_file *f, const struct image_ram *ram, bool movable,
		    struct ranges *r, struct image_elf *elf, char *err, size_t n)
{
	if (image_load_elf(f->fd, f->name, ram, movable, elf, err, n))
		return -1;
	return claim(r, f->name, elf->start, elf->end, err, n);
}

/* Firmware: ELF, or raw at the start of memory. */
static int load_bios(const struct loader *l, const struct image_ram *ram, struct ranges *r,
		     uint64_t *pc, char *err, size_t n)
{
	struct image_elf elf;
	bool is_elf;

	if (image_is_elf(l->bios.fd, l->bios.name, &is_elf, err, n))
		return -1;
	if (!is_elf) {
		*pc = ram->gpa;
		return load_raw(&l->bios, ram, ram->gpa, r, err, n);
	}
	if (load_elf(&l->bios, ram, true, r, &elf, err, n))
		return -1;
	*pc = elf.entry;
	return 0;
}

/* What firmware goes on with: an Image, an ELF file, or raw. */
static int load_payload(const struct loader *l, const struct image_ram *ram, struct ranges *r,
			struct image_kernel *k, uint64_t *next, char *err, size_t n)
{
	uint64_t end = r->nr ? r->list[0].end : ram->gpa;
	uint64_t at = (end - ram->gpa + KERNEL_ALIGN - 1) & ~(KERNEL_ALIGN - 1);
	struct image_elf elf;
	bool is_elf;
	char why[256];

	if (image_is_elf(l->kernel.fd, l->kernel.name, &is_elf, err, n))
		return -1;
	if (is_elf) {
		if (load_elf(&l->kernel, ram, false, r, &elf, err, n))
			return -1;
		*next = elf.entry;
		k->text_offset = elf.start - ram->gpa;
		k->image_size = elf.end - elf.start;
		return 0;
	}
	*next = ram->gpa + at;
	if (load_raw(&l->kernel, ram, *next, r, err, n))
		return -1;
	/* An Image says how much memory it takes; of anything else the file is all. */
	if (image_probe_kernel(l->kernel.fd, l->kernel.name, k, why, sizeof(why)))
		k->image_size = r->list[r->nr - 1].end - *next;
	k->text_offset = at;
	r->nr--;
	return claim(r, l->kernel.name, *next, *next + k->image_size, err, n);
}

static void fill_rom(struct rom *rom, uint64_t pc, uint64_t dtb, uint64_t next)
{
	const struct reset_rom image = {
		.code = {
			0x00000297, /* auipc t0, 0 */
			0x02828613, /* addi  a2, t0, 40 */
			0xf1402573, /* csrr  a0, mhartid */
			0x0202b583, /* ld    a1, 32(t0) */
			0x0182b283, /* ld    t0, 24(t0) */
			0x00028067, /* jr    t0 */
		},
		.start = pc,
		.dtb = dtb,
		.info = {
			.magic = FW_DYNAMIC_MAGIC,
			.version = FW_DYNAMIC_VERSION,
			.next_addr = next,
			.next_mode = FW_DYNAMIC_S_MODE,
		},
	};

	if (rom->mem.data)
		memcpy(rom->mem.data, &image, sizeof(image));
}

/* The tree goes to the top of memory, the initrd below it. */
static int load_rest(const struct loader *l, const struct image_ram *ram, struct ranges *r,
		     const struct image_kernel *k, struct image_layout *lay, char *err, size_t n)
{
	uint64_t initrd_size = 0;

	if (l->initrd.name &&
	    image_probe_initrd(l->initrd.fd, l->initrd.name, &initrd_size, err, n))
		return -1;
	if (image_place(k, initrd_size, ram->gpa, ram->size, lay, err, n))
		return -1;
	if (initrd_size && load_raw(&l->initrd, ram, lay->initrd_start, r, err, n))
		return -1;
	return claim(r, "the device tree", lay->dtb, lay->dtb + IMAGE_DTB_MAX, err, n);
}

static int load_places(const struct loader *l, const struct image_ram *ram, struct ranges *r,
		       char *err, size_t n)
{
	for (unsigned int i = 0; i < l->places; i++) {
		if (load_raw(&l->place[i], ram, l->place_gpa[i], r, err, n))
			return -1;
	}
	return 0;
}

static int make_tree(const struct loader *l, const struct image_ram *ram,
		     const struct image_layout *lay, char *err, size_t n)
{
	struct fdt_machine tree = l->tree;
	void *buf = ram->host ? ram->host + (lay->dtb - ram->gpa) : malloc(IMAGE_DTB_MAX);
	long ret;

	if (!buf)
		return fail(err, n, "out of memory");
	tree.ram_size = ram->size;
	tree.initrd_start = lay->initrd_start;
	tree.initrd_end = lay->initrd_end;
	tree.rng_seed_size = 32;
	if (getrandom(tree.rng_seed, tree.rng_seed_size, 0) != (ssize_t)tree.rng_seed_size)
		tree.rng_seed_size = 0;
	ret = fdt_make(&tree, buf, IMAGE_DTB_MAX, err, n);
	if (!ram->host)
		free(buf);
	return ret < 0 ? -1 : 0;
}

int loader_load(const struct loader *l, const struct image_ram *ram, struct rom *rom,
		struct loader_start *s, char *err, size_t n)
{
	struct image_kernel k = { 0 };
	struct ranges r = { .nr = 0 };
	struct image_layout lay;
	uint64_t next = 0;

	memset(s, 0, sizeof(*s));
	if (l->elf.name) {
		if (load_elf(&l->elf, ram, false, &r, &s->elf, err, n))
			return -1;
		s->pc = s->elf.entry;
		s->m_mode = true;
		fill_rom(rom, s->pc, 0, 0);
		return 0;
	}
	if (l->bios.name) {
		if (load_bios(l, ram, &r, &s->pc, err, n))
			return -1;
		k.text_offset = r.list[0].end - ram->gpa;
		if (l->kernel.name && load_payload(l, ram, &r, &k, &next, err, n))
			return -1;
	} else if (l->kernel.name && image_probe_kernel(l->kernel.fd, l->kernel.name, &k, err, n)) {
		return -1;
	}
	if (load_rest(l, ram, &r, &k, &lay, err, n))
		return -1;
	if (l->kernel.name && !l->bios.name) {
		s->pc = lay.entry;
		if (load_raw(&l->kernel, ram, s->pc, &r, err, n))
			return -1;
		r.list[r.nr - 1].end = lay.kernel_end;
	}
	if (load_places(l, ram, &r, err, n) || make_tree(l, ram, &lay, err, n))
		return -1;
	if (!l->bios.name && !l->kernel.name)
		s->pc = MACHINE_FLASH_GPA;
	else if (!l->kernel.name && l->flash)
		next = MACHINE_FLASH_GPA;
	fill_rom(rom, s->pc, lay.dtb, next);
	s->a1 = lay.dtb;
	if (l->bios.name || !l->kernel.name) {
		s->pc = MACHINE_ROM_GPA;
		s->a1 = 0;
		s->m_mode = true;
	}
	return 0;
}

bool loader_parse_place(const char *text, size_t *len, uint64_t *gpa)
{
	const char *at = strrchr(text, '@');
	char *end;

	if (!at || at == text || at[1] < '0' || at[1] > '9')
		return false;
	errno = 0;
	*gpa = strtoull(at + 1, &end, 0);
	*len = at - text;
	return !*end && !errno;
}
