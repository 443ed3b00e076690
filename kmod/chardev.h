/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chardev.h - /dev/dtv and the descriptors made through it.
 */
#ifndef DTV_CHARDEV_H
#define DTV_CHARDEV_H

int dtv_chardev_init(void);
void dtv_chardev_exit(void);

#endif /* DTV_CHARDEV_H */
