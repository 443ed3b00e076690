/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink family "dtv", version 1: which guests there are and what
 * happens to them. uapi/dtv.yaml specifies it; the two agree.
 *
 * The family exists in the initial network namespace. Everybody there may
 * read: it tells no more than the process list does.
 */
#ifndef _UAPI_LINUX_DTV_NETLINK_H
#define _UAPI_LINUX_DTV_NETLINK_H

#define DTV_FAMILY_NAME "dtv"
#define DTV_FAMILY_VERSION 1

/* Multicast group: DTV_CMD_VM_EVENT at each change of a guest's state. */
#define DTV_MCGRP_EVENTS "events"

enum {
	DTV_CMD_VM_GET = 1, /* do: by DTV_A_VM_ID or DTV_A_VM_NAME; dump: all */
	DTV_CMD_VM_EVENT, /* notification: id, name, state, reason, pid */

	__DTV_CMD_MAX,
	DTV_CMD_MAX = (__DTV_CMD_MAX - 1)
};

enum {
	DTV_A_VM_PAD = 1,
	DTV_A_VM_ID, /* u32, unique since the module was loaded */
	DTV_A_VM_NAME, /* string */
	DTV_A_VM_STATE, /* u32, enum dtv_vm_state of dtv.h */
	DTV_A_VM_REASON, /* string, when stopped */
	DTV_A_VM_VCPUS, /* u32 */
	DTV_A_VM_PID, /* u32, process that made the guest */
	DTV_A_VM_STATS, /* nest of DTV_A_STATS_* */

	__DTV_A_VM_MAX,
	DTV_A_VM_MAX = (__DTV_A_VM_MAX - 1)
};

/* As struct dtv_stats of dtv.h has them; all u64. */
enum {
	DTV_A_STATS_PAD = 1,
	DTV_A_STATS_EXITS, /* sum */
	DTV_A_STATS_BLOCKS,
	DTV_A_STATS_GUEST_BYTES,
	DTV_A_STATS_HOST_BYTES,
	DTV_A_STATS_MISSES,
	DTV_A_STATS_TRAPS,
	DTV_A_STATS_MMIO,
	DTV_A_STATS_INVALIDATED,
	DTV_A_STATS_FLUSHES,
	DTV_A_STATS_PINNED,
	DTV_A_STATS_CACHE_USED,

	__DTV_A_STATS_MAX,
	DTV_A_STATS_MAX = (__DTV_A_STATS_MAX - 1)
};

#endif /* _UAPI_LINUX_DTV_NETLINK_H */
