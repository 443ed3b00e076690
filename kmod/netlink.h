/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * netlink.h - generic netlink family "dtv": who is there, and what happens to them.
 */
#ifndef DTV_NETLINK_H
#define DTV_NETLINK_H

struct dtv_vm;

int dtv_netlink_init(void);
void dtv_netlink_exit(void);

/**
 * dtv_netlink_event() - tell the multicast group "events" about a VM's new state
 * @vm: VM
 * @state: enum dtv_vm_state
 *
 * Context: process, may sleep.
 */
void dtv_netlink_event(struct dtv_vm *vm, u32 state);

#endif /* DTV_NETLINK_H */
