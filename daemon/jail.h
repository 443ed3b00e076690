/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making the process that one vCPU runs in, out of the guest's process. */
#ifndef DTV_DAEMON_JAIL_H
#define DTV_DAEMON_JAIL_H

#include <sys/types.h>

pid_t dtv_jail_fork(int vcpu_fd, const char *name, unsigned int vcpu);

#endif /* DTV_DAEMON_JAIL_H */
