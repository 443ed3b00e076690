/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a guest's process gives up its rights, in two stages: first user, groups,
 * capabilities and the file system, then system calls. Each is for good.
 */
#ifndef DTV_DAEMON_SANDBOX_H
#define DTV_DAEMON_SANDBOX_H

#include <stddef.h>

#define DTV_SANDBOX_USER "dtv"

int dtv_sandbox_rights(int empty_dir, char *err, size_t n);
int dtv_sandbox_syscalls(char *err, size_t n);

#endif /* DTV_DAEMON_SANDBOX_H */
