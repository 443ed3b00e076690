// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See events.h. The family comes and goes with the module, which may be loaded
 * long after dtvd was started: so the socket listens to the generic netlink
 * controller too, and joins the module's group whenever it appears.
 */
#include "events.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <linux/dtv.h>
#include <linux/dtv_netlink.h>

#include "util.h"

/**
 * struct dtv_events - a listener
 * @sock: socket for events, of both families
 * @watch: of it
 * @family: the module's number, 0: not there
 * @loop: event loop
 * @fn: told of events
 * @opaque: for @fn
 */
struct dtv_events {
	struct nl_sock *sock;
	struct dtv_watch *watch;
	int family;
	struct dtv_loop *loop;
	dtv_event_fn fn;
	void *opaque;
};

/* Questions to the controller go over a socket of their own: the other has events in between. */
static int resolve(const char *family, const char *group, int *number)
{
	struct nl_sock *sock = nl_socket_alloc();
	int ret;

	if (!sock)
		return -ENOMEM;
	ret = genl_connect(sock);
	if (!ret)
		ret = genl_ctrl_resolve_grp(sock, family, group);
	if (ret >= 0 && number)
		*number = genl_ctrl_resolve(sock, family);
	nl_socket_free(sock);
	return ret;
}

static void join(struct dtv_events *e)
{
	int family = 0, group = resolve(DTV_FAMILY_NAME, DTV_MCGRP_EVENTS, &family);

	if (group < 0 || nl_socket_add_membership(e->sock, group) < 0)
		return;
	e->family = family;
	dtv_log(DTV_DEBUG, "module: listening to its events");
}

static const char *state_name(uint32_t state)
{
	static const char *const names[] = {
		[DTV_VM_CREATED] = "created",
		[DTV_VM_RUNNING] = "running",
		[DTV_VM_PAUSED] = "paused",
		[DTV_VM_STOPPED] = "stopped",
	};

	return state < DTV_COUNT(names) ? names[state] : "unknown";
}

static void vm_event(struct dtv_events *e, struct nlmsghdr *nlh)
{
	static struct nla_policy policy[DTV_A_VM_MAX + 1] = {
		[DTV_A_VM_NAME] = { .type = NLA_STRING },
		[DTV_A_VM_STATE] = { .type = NLA_U32 },
		[DTV_A_VM_REASON] = { .type = NLA_STRING },
	};
	struct nlattr *attr[DTV_A_VM_MAX + 1];

	if (genlmsg_parse(nlh, 0, attr, DTV_A_VM_MAX, policy) < 0 || !attr[DTV_A_VM_NAME] ||
	    !attr[DTV_A_VM_STATE])
		return;
	e->fn(e->opaque, nla_get_string(attr[DTV_A_VM_NAME]),
	      state_name(nla_get_u32(attr[DTV_A_VM_STATE])),
	      attr[DTV_A_VM_REASON] ? nla_get_string(attr[DTV_A_VM_REASON]) : NULL);
}

static void controller_event(struct dtv_events *e, struct nlmsghdr *nlh)
{
	struct nlattr *attr[CTRL_ATTR_MAX + 1];
	struct genlmsghdr *head = nlmsg_data(nlh);
	const char *name;

	if (genlmsg_parse(nlh, 0, attr, CTRL_ATTR_MAX, NULL) < 0 || !attr[CTRL_ATTR_FAMILY_NAME])
		return;
	name = nla_get_string(attr[CTRL_ATTR_FAMILY_NAME]);
	if (strcmp(name, DTV_FAMILY_NAME))
		return;
	if (head->cmd == CTRL_CMD_NEWFAMILY && !e->family)
		join(e);
	else if (head->cmd == CTRL_CMD_DELFAMILY)
		e->family = 0;
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct dtv_events *e = arg;

	if (nlh->nlmsg_type == GENL_ID_CTRL)
		controller_event(e, nlh);
	else if (e->family && nlh->nlmsg_type == e->family)
		vm_event(e, nlh);
	return NL_OK;
}

static void readable(void *arg, uint32_t events)
{
	struct dtv_events *e = arg;
	int ret = nl_recvmsgs_default(e->sock);

	(void)events;
	/* Lost events are lost; what matters of them is in the guests' own words too. */
	if (ret < 0 && ret != -NLE_AGAIN)
		dtv_log(DTV_DEBUG, "netlink: %s", nl_geterror(ret));
}

/**
 * dtv_events_new - listen to the module
 * @loop: event loop
 * @fn: called for each event
 * @opaque: for @fn
 *
 * Return: a listener, or NULL where there is no netlink: one can do without.
 */
struct dtv_events *dtv_events_new(struct dtv_loop *loop, dtv_event_fn fn, void *opaque)
{
	struct dtv_events *e = dtv_zalloc(sizeof(*e));
	int group;

	e->loop = loop;
	e->fn = fn;
	e->opaque = opaque;
	e->sock = nl_socket_alloc();
	if (!e->sock)
		goto fail;
	nl_socket_disable_seq_check(e->sock);
	if (nl_socket_modify_cb(e->sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, e) < 0 ||
	    genl_connect(e->sock) < 0 || nl_socket_set_nonblocking(e->sock) < 0)
		goto fail;
	group = resolve("nlctrl", "notify", NULL);
	if (group >= 0)
		nl_socket_add_membership(e->sock, group);
	join(e);
	e->watch = dtv_loop_add(loop, nl_socket_get_fd(e->sock), EPOLLIN, readable, e);
	if (e->watch)
		return e;
fail:
	dtv_log(DTV_WARNING, "no generic netlink: the module's events are not seen");
	dtv_events_free(e);
	return NULL;
}

/** dtv_events_free - stop listening; NULL is fine */
void dtv_events_free(struct dtv_events *e)
{
	if (!e)
		return;
	dtv_loop_del(e->watch);
	nl_socket_free(e->sock);
	free(e);
}
