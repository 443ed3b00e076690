/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loader.h - fills a machine's memory before it starts, and says where its harts
 * begin: a kernel below the built-in SBI, firmware with or without a kernel, or a
 * bare-metal program. For dtvd and for uhost.
 */
#ifndef DTV_DAEMON_LOADER_H
#define DTV_DAEMON_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/rom.h"
#include "fdt.h"
#include "image.h"

/* Files that are placed in memory as they are. */
#define LOADER_PLACES 8

/**
 * struct loader_file - a file to be loaded
 * @fd: open; looked at only if @name is not NULL
 * @name: what messages call it; NULL: there is none
 */
struct loader_file {
	int fd;
	const char *name;
};

/**
 * struct loader - what is loaded
 * @bios: firmware, which starts in M-mode: raw at the start of RAM, or ELF; or none
 * @kernel: Image; with @bios also an ELF file or raw, at the first 2 MiB behind it
 * @initrd: initial RAM disk, or none
 * @elf: bare-metal program, and then nothing else
 * @place: files for fixed addresses
 * @place_gpa: the addresses
 * @places: how many
 * @flash: the first flash bank has contents: they are what starts if nothing else does, and what
 *         firmware goes on with if there is no kernel
 * @tree: machine, as far as the caller knows it; the loader adds where things are
 */
struct loader {
	struct loader_file bios, kernel, initrd, elf;
	struct loader_file place[LOADER_PLACES];
	uint64_t place_gpa[LOADER_PLACES];
	unsigned int places;
	bool flash;
	struct fdt_machine tree;
};

/**
 * struct loader_start - how harts begin
 * @pc: first instruction, gpa: of firmware, in the ROM
 * @a1: device tree, gpa; 0: none, or the ROM's code knows it
 * @m_mode: all harts, in M-mode; else hart 0 in S-mode
 * @elf: symbols of a bare-metal program
 */
struct loader_start {
	uint64_t pc;
	uint64_t a1;
	bool m_mode;
	struct image_elf elf;
};

/**
 * loader_load() - load everything
 * @l: what
 * @ram: memory, empty; without ram->host everything is only checked
 * @rom: is filled; without memory everything is only checked
 * @s: result
 * @err: what is wrong, in words for the user
 * @n: bytes in @err
 *
 * Return: 0 or -1.
 */
int loader_load(const struct loader *l, const struct image_ram *ram, struct rom *rom,
		struct loader_start *s, char *err, size_t n);

/**
 * loader_parse_place() - take FILE@ADDRESS apart
 * @text: in
 * @len: bytes of the file's name
 * @gpa: address
 *
 * Return: false: it is nothing of that form.
 */
bool loader_parse_place(const char *text, size_t *len, uint64_t *gpa);

#endif /* DTV_DAEMON_LOADER_H */
