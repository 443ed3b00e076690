/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * isa.h - names of extensions: between DTV_ISA_* bits and strings as "rv64gc_zba".
 *
 * The daemon is built with isa.c too, so that a configuration, the device tree
 * and the module mean the same by a name.
 */
#ifndef DTV_GUEST_ISA_H
#define DTV_GUEST_ISA_H

#include "../port.h"

/* Room for the longest list of names, and for the longest string, ends included. */
#define DTV_ISA_NAMES 64
#define DTV_ISA_STRING 512

int dtv_isa_parse(const char *s, u64 *isa, char *err, size_t n);
u64 dtv_isa_all(void);
unsigned int dtv_isa_names(u64 isa, const char **names, unsigned int max);
size_t dtv_isa_string(u64 isa, char *buf, size_t n);

#endif /* DTV_GUEST_ISA_H */
