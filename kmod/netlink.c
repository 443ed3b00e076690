// SPDX-License-Identifier: GPL-2.0-only
/*
 * netlink.c - generic netlink family "dtv" as uapi/dtv.yaml specifies it: list,
 * counters, events. Never the data path.
 *
 * Messages are filled under dtv_vms_lock (dtv_vm_for_each()), events from
 * wherever a state changed.
 */
#include <linux/pid_namespace.h>
#include <net/genetlink.h>
#include <linux/dtv.h>
#include <linux/dtv_netlink.h>

#include "netlink.h"
#include "vm.h"

static struct genl_family family;

static const struct nla_policy policy[DTV_A_VM_MAX + 1] = {
	[DTV_A_VM_ID] = { .type = NLA_U32 },
	[DTV_A_VM_NAME] = { .type = NLA_NUL_STRING, .len = DTV_NAME_MAX },
};

enum { GROUP_EVENTS };

static const struct genl_multicast_group groups[] = {
	[GROUP_EVENTS] = { .name = DTV_MCGRP_EVENTS },
};

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, DTV_A_STATS_PAD);
}

static int put_stats(struct sk_buff *skb, struct dtv_vm *vm)
{
	struct dtv_stats stats;
	struct nlattr *nest;
	u64 exits = 0;
	unsigned int i;

	dtv_vm_get_stats(vm, &stats);
	for (i = 0; i < ARRAY_SIZE(stats.exits); i++)
		exits += stats.exits[i];
	nest = nla_nest_start(skb, DTV_A_VM_STATS);
	if (!nest || put_u64(skb, DTV_A_STATS_EXITS, exits) ||
	    put_u64(skb, DTV_A_STATS_BLOCKS, stats.blocks) ||
	    put_u64(skb, DTV_A_STATS_GUEST_BYTES, stats.guest_bytes) ||
	    put_u64(skb, DTV_A_STATS_HOST_BYTES, stats.host_bytes) ||
	    put_u64(skb, DTV_A_STATS_MISSES, stats.misses) ||
	    put_u64(skb, DTV_A_STATS_TRAPS, stats.traps) ||
	    put_u64(skb, DTV_A_STATS_MMIO, stats.mmio) ||
	    put_u64(skb, DTV_A_STATS_INVALIDATED, stats.invalidated) ||
	    put_u64(skb, DTV_A_STATS_FLUSHES, stats.flushes) ||
	    put_u64(skb, DTV_A_STATS_PINNED, stats.pinned) ||
	    put_u64(skb, DTV_A_STATS_CACHE_USED, stats.cache_used))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* What a message and an event have in common. */
static int put_head(struct sk_buff *skb, struct dtv_vm *vm, const struct dtv_state *state)
{
	if (nla_put_u32(skb, DTV_A_VM_ID, vm->id) || nla_put_string(skb, DTV_A_VM_NAME, vm->name) ||
	    nla_put_u32(skb, DTV_A_VM_STATE, state->state) ||
	    nla_put_u32(skb, DTV_A_VM_PID, pid_nr(vm->owner)))
		return -EMSGSIZE;
	if (*state->reason && nla_put_string(skb, DTV_A_VM_REASON, state->reason))
		return -EMSGSIZE;
	return 0;
}

static int put_vm(struct sk_buff *skb, struct dtv_vm *vm, u32 portid, u32 seq, int flags)
{
	struct dtv_state state;
	void *header;

	header = genlmsg_put(skb, portid, seq, &family, flags, DTV_CMD_VM_GET);
	if (!header)
		return -EMSGSIZE;
	dtv_vm_get_state(vm, &state);
	if (put_head(skb, vm, &state) || nla_put_u32(skb, DTV_A_VM_VCPUS, state.vcpus) ||
	    put_stats(skb, vm)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

struct dump {
	struct sk_buff *skb;
	struct netlink_callback *cb;
};

static int dump_vm(struct dtv_vm *vm, void *arg)
{
	const struct dump *dump = arg;
	int err;

	err = put_vm(dump->skb, vm, NETLINK_CB(dump->cb->skb).portid, dump->cb->nlh->nlmsg_seq,
		     NLM_F_MULTI);
	if (!err)
		dump->cb->args[0] = vm->id + 1;
	return err;
}

static int vm_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump dump = { .skb = skb, .cb = cb };
	int err;

	err = dtv_vm_for_each(cb->args[0], dump_vm, &dump);
	/* A full message is sent, and the dump goes on with the next. */
	return err && !skb->len ? err : skb->len;
}

struct query {
	struct genl_info *info;
	struct sk_buff *reply;
};

static bool matches(struct dtv_vm *vm, struct nlattr *const *attrs)
{
	if (attrs[DTV_A_VM_ID])
		return nla_get_u32(attrs[DTV_A_VM_ID]) == vm->id;
	return !nla_strcmp(attrs[DTV_A_VM_NAME], vm->name);
}

static int answer(struct dtv_vm *vm, void *arg)
{
	const struct query *query = arg;
	int err;

	if (!matches(vm, query->info->attrs))
		return 0;
	err = put_vm(query->reply, vm, query->info->snd_portid, query->info->snd_seq, 0);
	return err ?: 1;
}

static int vm_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct query query = { .info = info };
	int ret;

	if (!info->attrs[DTV_A_VM_ID] && !info->attrs[DTV_A_VM_NAME])
		return -EINVAL;
	query.reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!query.reply)
		return -ENOMEM;
	ret = dtv_vm_for_each(0, answer, &query);
	if (ret == 1)
		return genlmsg_reply(query.reply, info);
	nlmsg_free(query.reply);
	return ret ?: -ENOENT;
}

void dtv_netlink_event(struct dtv_vm *vm, u32 what)
{
	struct dtv_state state = { .state = what };
	struct sk_buff *skb;
	void *header;

	skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return;
	if (what == DTV_VM_STOPPED)
		dtv_vm_get_state(vm, &state);
	header = genlmsg_put(skb, 0, 0, &family, 0, DTV_CMD_VM_EVENT);
	if (!header || put_head(skb, vm, &state)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, header);
	/* Nobody listens: that is no error. */
	genlmsg_multicast(&family, skb, 0, GROUP_EVENTS, GFP_KERNEL);
}

static const struct genl_ops ops[] = {
	{
		.cmd = DTV_CMD_VM_GET,
		.doit = vm_get_doit,
		.dumpit = vm_get_dumpit,
	},
};

static struct genl_family family __ro_after_init = {
	.name = DTV_FAMILY_NAME,
	.version = DTV_FAMILY_VERSION,
	.maxattr = DTV_A_VM_MAX,
	.policy = policy,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.resv_start_op = DTV_CMD_VM_EVENT,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

int dtv_netlink_init(void)
{
	return genl_register_family(&family);
}

void dtv_netlink_exit(void)
{
	genl_unregister_family(&family);
}
