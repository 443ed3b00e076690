/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image.h - what is loaded into a guest's RAM before it starts: a Linux
 * kernel in RISC-V Image format with its initrd and device tree, or a
 * bare-metal ELF file.
 *
 * Files are given as open descriptors of regular files, with a name for
 * messages. All functions return 0, or -1 with a message in plain words.
 * Placement is computed from sizes alone, so that a configuration can be
 * checked before any memory exists.
 */
#ifndef DTV_DAEMON_IMAGE_H
#define DTV_DAEMON_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is set aside for the device tree. */
#define IMAGE_DTB_MAX 0x10000
/* The least memory that placement accepts. */
#define IMAGE_MEMORY_MIN (UINT64_C(16) << 20)

/**
 * struct image_kernel - what an Image's header says
 * @text_offset: from the start of RAM, bytes
 * @image_size: bytes in memory, .bss included
 * @file_size: bytes in the file
 */
struct image_kernel {
	uint64_t text_offset;
	uint64_t image_size;
	uint64_t file_size;
};

/**
 * struct image_layout - where things go; all gpa
 * @entry: first instruction
 * @kernel_end: first byte behind the kernel in memory
 * @initrd_start: 0 without an initrd
 * @initrd_end: first byte behind it
 * @dtb: device tree, IMAGE_DTB_MAX bytes
 */
struct image_layout {
	uint64_t entry;
	uint64_t kernel_end;
	uint64_t initrd_start;
	uint64_t initrd_end;
	uint64_t dtb;
};

/**
 * struct image_ram - guest RAM as the host sees it
 * @host: writable mapping
 * @gpa: address of its first byte
 * @size: bytes
 */
struct image_ram {
	uint8_t *host;
	uint64_t gpa;
	uint64_t size;
};

/* Read and check a kernel's header; what is no RISC-V Image is named. */
int image_probe_kernel(int fd, const char *name, struct image_kernel *k, char *err, size_t n);

/* Size of an initrd; it must be a regular, non-empty file. */
int image_probe_initrd(int fd, const char *name, uint64_t *size, char *err, size_t n);

/**
 * image_place() - compute where kernel, initrd and device tree go
 * @k: kernel
 * @initrd_size: 0 for none
 * @ram_gpa: start of RAM
 * @ram_size: bytes
 * @l: result
 * @err: what is wrong, when -1 is returned
 * @n: size of @err
 */
int image_place(const struct image_kernel *k, uint64_t initrd_size, uint64_t ram_gpa,
		uint64_t ram_size, struct image_layout *l, char *err, size_t n);

/* Copy a file of @size bytes to @gpa; the caller has checked that this is memory. */
int image_load_raw(int fd, const char *name, const struct image_ram *ram, uint64_t gpa,
		   uint64_t size, char *err, size_t n);

/**
 * struct image_elf - addresses of a bare-metal program, 0 where it has no such symbol
 * @entry: first instruction
 * @start: lowest address of a segment
 * @end: first byte behind the highest
 * @tohost: HTIF mailbox
 * @fromhost: HTIF answers
 * @begin_signature: start of the architecture tests' result area
 * @end_signature: first byte behind it
 */
struct image_elf {
	uint64_t entry;
	uint64_t start, end;
	uint64_t tohost;
	uint64_t fromhost;
	uint64_t begin_signature;
	uint64_t end_signature;
};

/* Whether a file begins as ELF files do; -1 when it cannot be read or is no file. */
int image_is_elf(int fd, const char *name, bool *is_elf, char *err, size_t n);

/**
 * image_load_elf() - load the segments of a 64-bit RISC-V ELF executable
 * @fd: file
 * @name: what messages call it
 * @ram: memory; without ram->host only look at the file, and whether it fits
 * @movable: a position-independent one, which relocates itself, goes to the start of
 *           memory; others go to their physical addresses
 * @elf: result; no symbols of a movable one
 * @err: what is wrong, when -1 is returned
 * @n: size of @err
 */
int image_load_elf(int fd, const char *name, const struct image_ram *ram, bool movable,
		   struct image_elf *elf, char *err, size_t n);

#endif /* DTV_DAEMON_IMAGE_H */
