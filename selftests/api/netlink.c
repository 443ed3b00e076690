// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * netlink.c - generic netlink family "dtv": dump, query and events, as a
 * program with libnl sees them.
 */
#define _GNU_SOURCE
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <linux/dtv_netlink.h>

#include "vm.h"

static const uint32_t poweroff[] = { RV_NOP };

static struct nla_policy policy[DTV_A_VM_MAX + 1] = {
	[DTV_A_VM_ID] = { .type = NLA_U32 },	   [DTV_A_VM_NAME] = { .type = NLA_STRING },
	[DTV_A_VM_STATE] = { .type = NLA_U32 },	   [DTV_A_VM_REASON] = { .type = NLA_STRING },
	[DTV_A_VM_VCPUS] = { .type = NLA_U32 },	   [DTV_A_VM_PID] = { .type = NLA_U32 },
	[DTV_A_VM_STATS] = { .type = NLA_NESTED },
};

struct seen {
	int nr;
	int err;
	int cmd;
	uint32_t id, state, vcpus, pid;
	char name[64], reason[128];
	bool stats;
	char states[16]; /* of events, a digit each */
};

static int got(struct nl_msg *msg, void *arg)
{
	struct nlattr *a[DTV_A_VM_MAX + 1];
	struct seen *s = arg;

	EXPECT(!genlmsg_parse(nlmsg_hdr(msg), 0, a, DTV_A_VM_MAX, policy));
	EXPECT(a[DTV_A_VM_ID] && a[DTV_A_VM_NAME] && a[DTV_A_VM_STATE] && a[DTV_A_VM_PID]);
	s->cmd = ((struct genlmsghdr *)nlmsg_data(nlmsg_hdr(msg)))->cmd;
	s->id = nla_get_u32(a[DTV_A_VM_ID]);
	s->state = nla_get_u32(a[DTV_A_VM_STATE]);
	s->pid = nla_get_u32(a[DTV_A_VM_PID]);
	s->vcpus = a[DTV_A_VM_VCPUS] ? nla_get_u32(a[DTV_A_VM_VCPUS]) : 0;
	snprintf(s->name, sizeof(s->name), "%s", nla_get_string(a[DTV_A_VM_NAME]));
	snprintf(s->reason, sizeof(s->reason), "%s",
		 a[DTV_A_VM_REASON] ? nla_get_string(a[DTV_A_VM_REASON]) : "");
	s->stats = a[DTV_A_VM_STATS];
	if (s->nr < 15)
		s->states[s->nr] = '0' + s->state;
	s->nr++;
	return NL_OK;
}

static int failed(struct sockaddr_nl *addr, struct nlmsgerr *err, void *arg)
{
	((struct seen *)arg)->err = err->error;
	return NL_STOP;
}

static struct nl_sock *sock_open(struct seen *seen, int *family)
{
	struct nl_sock *sk = nl_socket_alloc();

	EXPECT(sk && !genl_connect(sk));
	*family = genl_ctrl_resolve(sk, DTV_FAMILY_NAME);
	if (*family < 0)
		_exit(TAP_SKIP);
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, got, seen);
	nl_socket_modify_err_cb(sk, NL_CB_CUSTOM, failed, seen);
	return sk;
}

static void query(struct seen *seen, int flags, uint32_t id, const char *name)
{
	int family;
	struct nl_sock *sk = sock_open(seen, &family);
	struct nl_msg *msg = nlmsg_alloc();

	memset(seen, 0, sizeof(*seen));
	EXPECT(genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, flags, DTV_CMD_VM_GET,
			   DTV_FAMILY_VERSION));
	if (id)
		nla_put_u32(msg, DTV_A_VM_ID, id);
	if (name)
		nla_put_string(msg, DTV_A_VM_NAME, name);
	EXPECT(nl_send_auto(sk, msg) >= 0);
	nlmsg_free(msg);
	nl_recvmsgs_default(sk);
	nl_socket_free(sk);
}

TEST(query)
{
	struct vm vm = vm_make("nl-one", 2, poweroff, sizeof(poweroff));
	struct seen seen;
	uint32_t id;

	query(&seen, 0, 0, "nl-one");
	EXPECT(seen.nr == 1 && !strcmp(seen.name, "nl-one") && seen.vcpus == 2 && seen.stats);
	EXPECT(seen.pid == (uint32_t)getpid() && seen.state == DTV_VM_CREATED && !*seen.reason);
	id = seen.id;
	query(&seen, 0, id, NULL);
	EXPECT(seen.nr == 1 && seen.id == id);
	query(&seen, 0, 0, "nobody");
	EXPECT(seen.nr == 0 && seen.err == -ENOENT);
	query(&seen, 0, 0, NULL);
	EXPECT(seen.nr == 0 && seen.err == -EINVAL);
	EXPECT(!ioctl(vm.fd, DTV_STOP_VM, &((struct dtv_stop){ .reason = "enough" })));
	vm_wait_stop(&vm);
	query(&seen, 0, id, NULL);
	EXPECT(seen.nr == 1 && seen.state == DTV_VM_STOPPED && !strcmp(seen.reason, "enough"));
	close(vm.fd);
	query(&seen, 0, id, NULL);
	EXPECT(seen.nr == 0 && seen.err == -ENOENT);
}

TEST(dump)
{
	enum { NR = 40 };
	struct seen seen;
	char name[16];

	query(&seen, NLM_F_DUMP, 0, NULL);
	EXPECT(seen.nr == 0);
	/* More than fits into one message. */
	for (int i = 0; i < NR; i++) {
		snprintf(name, sizeof(name), "nl-%d", i);
		vm_create(name);
	}
	query(&seen, NLM_F_DUMP, 0, NULL);
	EXPECT(seen.nr == NR && !strcmp(seen.name, "nl-39"));
}

TEST(events)
{
	int family, group;
	struct seen seen = { 0 };
	struct nl_sock *sk = sock_open(&seen, &family);
	struct vm vm;

	nl_socket_disable_seq_check(sk);
	group = genl_ctrl_resolve_grp(sk, DTV_FAMILY_NAME, DTV_MCGRP_EVENTS);
	EXPECT(group >= 0 && !nl_socket_add_membership(sk, group));
	vm = vm_make("nl-ev", 1, poweroff, sizeof(poweroff));
	EXPECT(!ioctl(vm.fd, DTV_START));
	EXPECT(!ioctl(vm.fd, DTV_PAUSE));
	EXPECT(!ioctl(vm.fd, DTV_UNPAUSE));
	vm_jail(&vm, 0);
	while (seen.nr < 5)
		EXPECT(!nl_recvmsgs_default(sk));
	EXPECT(seen.cmd == DTV_CMD_VM_EVENT);
	EXPECT(!strcmp(seen.states, "01213"));
	EXPECT(!strcmp(seen.name, "nl-ev") && !strcmp(seen.reason, "guest: poweroff"));
}

int main(void)
{
	return tap_main();
}
