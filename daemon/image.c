// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * image.c - formats of what is loaded: Linux's Documentation/arch/riscv/
 * boot-image-header.rst and ELF64. Files are input from outside: every
 * number is bounded before it is used.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"

#define MIB (UINT64_C(1) << 20)
#define PAGE UINT64_C(4096)

/* A RISC-V kernel stands at a multiple of this. */
#define KERNEL_ALIGN (2 * MIB)

struct image_header {
	uint32_t code0, code1;
	uint64_t text_offset;
	uint64_t image_size;
	uint64_t flags;
	uint32_t version;
	uint32_t res1;
	uint64_t res2;
	uint64_t magic;
	uint32_t magic2;
	uint32_t res3;
};

#define HEADER_MAGIC2 0x05435352 /* "RSC\x05" */
#define HEADER_FLAG_BE 1
#define HEADER_VERSION_MAJOR(v) ((v) >> 16)

static int fail(char *err, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int fail(char *err, size_t n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, n, fmt, ap);
	va_end(ap);
	return -1;
}

/* Read exactly @size bytes at @offset. */
static int read_at(int fd, const char *name, void *buf, uint64_t size, uint64_t offset, char *err,
		   size_t n)
{
	uint8_t *p = buf;

	while (size) {
		ssize_t got = pread(fd, p, size > 1 << 30 ? 1 << 30 : size, offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(err, n, "%s: cannot read: %s", name, strerror(errno));
		if (got == 0)
			return fail(err, n, "%s: file is shorter than it says", name);
		p += got;
		offset += got;
		size -= got;
	}
	return 0;
}

static int regular_size(int fd, const char *name, uint64_t *size, char *err, size_t n)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail(err, n, "%s: %s", name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return fail(err, n, "%s: is a directory", name);
	if (!S_ISREG(st.st_mode))
		return fail(err, n, "%s: is not a regular file", name);
	if (!st.st_size)
		return fail(err, n, "%s: is empty", name);
	*size = st.st_size;
	return 0;
}

/* Formats that people hand over by mistake; @head is zero-padded. */
static const char *other_format(const uint8_t *head, size_t n)
{
	static const struct {
		size_t at;
		size_t len;
		const char *bytes;
		const char *name;
	} formats[] = {
		{ 0, 4, "\177ELF", "an ELF file; give the Image, not vmlinux" },
		{ 0, 2, "\x1f\x8b", "gzip-compressed; unpack it first (gunzip)" },
		{ 0, 4, "\x28\xb5\x2f\xfd", "zstd-compressed; unpack it first (zstd -d)" },
		{ 0, 6, "\3757zXZ\0", "xz-compressed; unpack it first (xz -d)" },
		{ 0, 3, "BZh", "bzip2-compressed; unpack it first (bzip2 -d)" },
		{ 0, 4, "\x04\x22\x4d\x18", "lz4-compressed; unpack it first (lz4 -d)" },
		{ 0, 4, "\x02\x21\x4c\x18", "lz4-compressed; unpack it first (lz4 -d)" },
		{ 0, 6, "070701", "a cpio archive; is it the initrd?" },
		{ 0, 4, "\xd0\x0d\xfe\xed", "a device tree or FIT image" },
		{ 0, 4, "\x27\x05\x19\x56", "a U-Boot uImage" },
		{ 56, 4, "ARM\x64", "an arm64 Image" },
		{ 0x202, 4, "HdrS", "an x86 kernel (bzImage)" },
		{ 0, 2, "MZ", "an EFI program" },
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (formats[i].at + formats[i].len <= n &&
		    !memcmp(head + formats[i].at, formats[i].bytes, formats[i].len))
			return formats[i].name;
	}
	return NULL;
}

int image_probe_kernel(int fd, const char *name, struct image_kernel *k, char *err, size_t n)
{
	uint8_t head[0x210] = { 0 };
	struct image_header h;
	const char *other;

	if (regular_size(fd, name, &k->file_size, err, n))
		return -1;
	if (read_at(fd, name, head, k->file_size < sizeof(head) ? k->file_size : sizeof(head), 0,
		    err, n))
		return -1;
	memcpy(&h, head, sizeof(h));
	if (h.magic2 != HEADER_MAGIC2) {
		other = other_format(head, sizeof(head));
		if (other)
			return fail(err, n, "%s: not a RISC-V Linux Image: it is %s", name, other);
		return fail(err, n, "%s: not a RISC-V Linux Image", name);
	}
	if (HEADER_VERSION_MAJOR(h.version) != 0)
		return fail(err, n, "%s: Image header version %u.%u is not known", name,
			    h.version >> 16, h.version & 0xffff);
	if (h.flags & HEADER_FLAG_BE)
		return fail(err, n, "%s: big-endian kernel", name);
	if (h.text_offset % KERNEL_ALIGN || h.text_offset > 1ULL << 40)
		return fail(err, n, "%s: text offset 0x%" PRIx64 " is not a multiple of 2 MiB",
			    name, h.text_offset);
	if (h.image_size > 1ULL << 40)
		return fail(err, n, "%s: image size 0x%" PRIx64 " makes no sense", name,
			    h.image_size);
	k->text_offset = h.text_offset;
	/* Old linkers left the size 0; the file itself is the least there is. */
	k->image_size = h.image_size > k->file_size ? h.image_size : k->file_size;
	return 0;
}

int image_probe_initrd(int fd, const char *name, uint64_t *size, char *err, size_t n)
{
	return regular_size(fd, name, size, err, n);
}

/* Bytes as a person says them, rounded up. */
static uint64_t in_mib(uint64_t bytes)
{
	return (bytes + MIB - 1) / MIB;
}

int image_place(const struct image_kernel *k, uint64_t initrd_size, uint64_t ram_gpa,
		uint64_t ram_size, struct image_layout *l, char *err, size_t n)
{
	uint64_t top = ram_gpa + ram_size, free_bytes;

	memset(l, 0, sizeof(*l));
	if (ram_size < IMAGE_MEMORY_MIN)
		return fail(err, n,
			    "memory of %" PRIu64 " MiB is too small: at least %" PRIu64 " MiB",
			    ram_size / MIB, IMAGE_MEMORY_MIN / MIB);
	if (k->text_offset > ram_size || k->image_size > ram_size - k->text_offset)
		return fail(err, n,
			    "kernel does not fit: it needs %" PRIu64 " MiB, memory is %" PRIu64
			    " MiB",
			    in_mib(k->text_offset + k->image_size), ram_size / MIB);
	l->entry = ram_gpa + k->text_offset;
	l->kernel_end = (l->entry + k->image_size + PAGE - 1) & ~(PAGE - 1);

	/* From the top: device tree, then initrd, as far from the kernel as can be. */
	top &= ~(PAGE - 1);
	if (l->kernel_end > top || top - l->kernel_end < IMAGE_DTB_MAX)
		return fail(err, n,
			    "no room for the device tree: memory is %" PRIu64
			    " MiB, the kernel takes %" PRIu64 " MiB of it",
			    ram_size / MIB, in_mib(l->kernel_end - ram_gpa));
	l->dtb = top - IMAGE_DTB_MAX;
	free_bytes = l->dtb - l->kernel_end;
	if (!initrd_size)
		return 0;
	if (initrd_size > free_bytes)
		return fail(err, n,
			    "initrd does not fit: it has %" PRIu64 " MiB, %" PRIu64
			    " MiB are free (memory %" PRIu64 " MiB, kernel %" PRIu64 " MiB)",
			    in_mib(initrd_size), free_bytes / MIB, ram_size / MIB,
			    in_mib(l->kernel_end - ram_gpa));
	l->initrd_start = (l->dtb - initrd_size) & ~(PAGE - 1);
	if (l->initrd_start < l->kernel_end)
		return fail(err, n, "initrd does not fit: memory is short by a page");
	l->initrd_end = l->initrd_start + initrd_size;
	return 0;
}

int image_load_raw(int fd, const char *name, const struct image_ram *ram, uint64_t gpa,
		   uint64_t size, char *err, size_t n)
{
	return read_at(fd, name, ram->host + (gpa - ram->gpa), size, 0, err, n);
}

/* --- ELF --- */

/* Read a table of @count entries of @size bytes; freed by the caller. */
static void *read_table(int fd, const char *name, uint64_t file_size, uint64_t offset,
			uint64_t bytes, char *err, size_t n)
{
	void *p;

	if (!bytes || offset > file_size || bytes > file_size - offset) {
		fail(err, n, "%s: damaged ELF file: a table lies outside of it", name);
		return NULL;
	}
	p = malloc(bytes);
	if (!p) {
		fail(err, n, "%s: out of memory", name);
		return NULL;
	}
	if (read_at(fd, name, p, bytes, offset, err, n)) {
		free(p);
		return NULL;
	}
	return p;
}

static int load_segments(int fd, const char *name, uint64_t file_size, const Elf64_Ehdr *eh,
			 uint64_t bias, const struct image_ram *ram, struct image_elf *elf,
			 char *err, size_t n)
{
	Elf64_Phdr *ph;
	int ret = -1;

	if (eh->e_phentsize != sizeof(*ph) || !eh->e_phnum)
		return fail(err, n, "%s: ELF file without segments", name);
	ph = read_table(fd, name, file_size, eh->e_phoff, (uint64_t)eh->e_phnum * sizeof(*ph), err,
			n);
	if (!ph)
		return -1;
	for (unsigned int i = 0; i < eh->e_phnum; i++) {
		const Elf64_Phdr *p = &ph[i];
		uint64_t gpa = p->p_paddr + bias, at = gpa - ram->gpa;

		if (p->p_type != PT_LOAD || !p->p_memsz)
			continue;
		if (gpa < ram->gpa || at > ram->size || p->p_memsz > ram->size - at ||
		    p->p_filesz > p->p_memsz) {
			fail(err, n,
			     "%s: segment at 0x%" PRIx64 " (0x%" PRIx64
			     " bytes) lies outside of memory",
			     name, gpa, (uint64_t)p->p_memsz);
			goto out;
		}
		if (p->p_offset > file_size || p->p_filesz > file_size - p->p_offset) {
			fail(err, n, "%s: damaged ELF file: a segment lies outside of it", name);
			goto out;
		}
		if (elf->start == elf->end || gpa < elf->start)
			elf->start = gpa;
		if (gpa + p->p_memsz > elf->end)
			elf->end = gpa + p->p_memsz;
		if (!ram->host)
			continue;
		if (read_at(fd, name, ram->host + at, p->p_filesz, p->p_offset, err, n))
			goto out;
		memset(ram->host + at + p->p_filesz, 0, p->p_memsz - p->p_filesz);
	}
	ret = 0;
out:
	free(ph);
	return ret;
}

static void note_symbol(struct image_elf *elf, const char *sym, uint64_t value)
{
	static const struct {
		const char *name;
		size_t member;
	} wanted[] = {
		{ "tohost", offsetof(struct image_elf, tohost) },
		{ "fromhost", offsetof(struct image_elf, fromhost) },
		{ "begin_signature", offsetof(struct image_elf, begin_signature) },
		{ "end_signature", offsetof(struct image_elf, end_signature) },
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!strcmp(sym, wanted[i].name))
			*(uint64_t *)((char *)elf + wanted[i].member) = value;
	}
}

/* A stripped file is fine: it has no symbols, then. */
static int read_symbols(int fd, const char *name, uint64_t file_size, const Elf64_Ehdr *eh,
			struct image_elf *elf, char *err, size_t n)
{
	Elf64_Shdr *sh, *sym_sh = NULL;
	Elf64_Sym *syms = NULL;
	char *names = NULL;
	int ret = -1;

	if (!eh->e_shnum || eh->e_shentsize != sizeof(*sh))
		return 0;
	sh = read_table(fd, name, file_size, eh->e_shoff, (uint64_t)eh->e_shnum * sizeof(*sh), err,
			n);
	if (!sh)
		return -1;
	for (unsigned int i = 0; i < eh->e_shnum; i++) {
		if (sh[i].sh_type == SHT_SYMTAB)
			sym_sh = &sh[i];
	}
	if (!sym_sh || sym_sh->sh_size < sizeof(*syms)) {
		ret = 0;
		goto out;
	}
	if (sym_sh->sh_link >= eh->e_shnum) {
		fail(err, n, "%s: damaged ELF file: symbol table without names", name);
		goto out;
	}
	syms = read_table(fd, name, file_size, sym_sh->sh_offset, sym_sh->sh_size, err, n);
	if (!syms)
		goto out;
	names = read_table(fd, name, file_size, sh[sym_sh->sh_link].sh_offset,
			   sh[sym_sh->sh_link].sh_size, err, n);
	if (!names)
		goto out;
	names[sh[sym_sh->sh_link].sh_size - 1] = 0;
	for (uint64_t i = 0; i < sym_sh->sh_size / sizeof(*syms); i++) {
		if (syms[i].st_name < sh[sym_sh->sh_link].sh_size)
			note_symbol(elf, names + syms[i].st_name, syms[i].st_value);
	}
	ret = 0;
out:
	free(names);
	free(syms);
	free(sh);
	return ret;
}

int image_is_elf(int fd, const char *name, bool *is_elf, char *err, size_t n)
{
	uint8_t magic[SELFMAG] = { 0 };
	uint64_t size;

	if (regular_size(fd, name, &size, err, n) ||
	    read_at(fd, name, magic, size < SELFMAG ? size : SELFMAG, 0, err, n))
		return -1;
	*is_elf = !memcmp(magic, ELFMAG, SELFMAG);
	return 0;
}

int image_load_elf(int fd, const char *name, const struct image_ram *ram, bool movable,
		   struct image_elf *elf, char *err, size_t n)
{
	uint64_t file_size, bias = 0;
	Elf64_Ehdr eh;

	memset(elf, 0, sizeof(*elf));
	if (regular_size(fd, name, &file_size, err, n))
		return -1;
	if (file_size < sizeof(eh))
		return fail(err, n, "%s: not an ELF file", name);
	if (read_at(fd, name, &eh, sizeof(eh), 0, err, n))
		return -1;
	if (memcmp(eh.e_ident, ELFMAG, SELFMAG))
		return fail(err, n, "%s: not an ELF file", name);
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh.e_machine != EM_RISCV)
		return fail(err, n, "%s: not a 64-bit RISC-V ELF file", name);
	if (eh.e_type == ET_DYN && movable)
		bias = ram->gpa;
	else if (eh.e_type != ET_EXEC)
		return fail(err, n, "%s: not an executable linked at fixed addresses", name);
	if (load_segments(fd, name, file_size, &eh, bias, ram, elf, err, n))
		return -1;
	elf->entry = eh.e_entry + bias;
	if (elf->entry < ram->gpa || elf->entry - ram->gpa >= ram->size || elf->entry & 1)
		return fail(err, n, "%s: entry at 0x%" PRIx64 " lies outside of memory", name,
			    elf->entry);
	return bias ? 0 : read_symbols(fd, name, file_size, &eh, elf, err, n);
}
