/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtual.h - where things are in virtual.c and virtual.S. */
#ifndef VIRTUAL_H
#define VIRTUAL_H

#define RAM 0x80000000
#define HIGH 0xffffffffc0000000 /* the kernel's view of RAM */
#define USER 0x2000
#define DATA_PAGES 16
#define USER_PAGES (2 + DATA_PAGES)

#endif /* VIRTUAL_H */
