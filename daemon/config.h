/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's configuration file, made a struct. Nothing is started and nothing
 * written: files that it names are only opened to see that they are there.
 */
#ifndef DTV_DAEMON_CONFIG_H
#define DTV_DAEMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/dtv.h>

#include "loader.h"
#include "util.h"

#define DTV_CACHE_MIN (1ULL << 20)
#define DTV_CACHE_MAX (1ULL << 30)
#define DTV_CMDLINE_MAX 2047
/* Longer than any sensible file: what is read at most. */
#define DTV_CONFIG_MAX (64 * 1024)

/* Files that a configuration names, each under the key in dtv_file_keys[]. */
enum dtv_file {
	DTV_FILE_KERNEL,
	DTV_FILE_INITRD,
	DTV_FILE_ELF,
	DTV_FILE_SIGNATURE, /* is written, and made if it is not there */
	DTV_FILE_BIOS,
	DTV_FILE_FLASH0,
	DTV_FILE_FLASH1,
	DTV_FILE_PLACE, /* the first of LOADER_PLACES */
	DTV_FILES = DTV_FILE_PLACE + LOADER_PLACES,
};

extern const char *const dtv_file_keys[DTV_FILES];

/* Where the guest's serial line is to be had beside `vmctl console`. */
enum dtv_console_kind {
	DTV_CONSOLE_LOG, /* nowhere else */
	DTV_CONSOLE_PTY, /* a pseudo terminal too */
};

/**
 * struct dtv_config - a guest as its file describes it
 * @name: see dtv_name_ok()
 * @harts: 1 .. DTV_VCPUS_MAX
 * @memory: bytes of RAM, whole pages
 * @cache: bytes of code cache, whole pages; 0: the module's default
 * @file: absolute paths, or NULL; with an ELF program neither kernel nor initrd
 * @isa: DTV_ISA_* bits of the extensions that the harts offer
 * @max_instructions: that a hart may retire; 0: as many as it likes
 * @place_gpa: addresses of the files from DTV_FILE_PLACE on
 * @flash_write: what the guest writes to its flash is written to the files
 * @cmdline: the kernel's command line
 * @console: see enum dtv_console_kind
 */
struct dtv_config {
	char name[DTV_NAME_MAX + 1];
	uint32_t harts;
	uint64_t memory;
	uint64_t cache;
	char *file[DTV_FILES];
	uint64_t isa;
	uint64_t max_instructions;
	uint64_t place_gpa[LOADER_PLACES];
	bool flash_write;
	char *cmdline;
	enum dtv_console_kind console;
};

int dtv_config_parse(const char *path, const char *text, struct dtv_config *c,
		     struct dtv_messages *m);
int dtv_config_read(const char *path, struct dtv_config *c, struct dtv_messages *m);
int dtv_config_open(const struct dtv_config *c, int fd[DTV_FILES]);
void dtv_config_close(int fd[DTV_FILES]);
void dtv_config_loader(const struct dtv_config *c, const int fd[DTV_FILES], struct loader *l);
void dtv_config_free(struct dtv_config *c);

#endif /* DTV_DAEMON_CONFIG_H */
