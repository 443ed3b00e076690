// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See control.h. The table at the end is the interface: a row per method, its
 * parameters checked before its function runs.
 *
 * dtvd opens a caller's files with the caller's rights, not its own: who may
 * start guests may not therefore read what only root can.
 */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "ring.h"
#include "util.h"

static const char interface_text[] =
#include "io.dtv.varlink.inc"
	;

static const char service_text[] =
	"interface org.varlink.service\n"
	"method GetInfo() -> (vendor: string, product: string, version: string,\n"
	"                     url: string, interfaces: []string)\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"error InterfaceNotFound (interface: string)\n"
	"error MethodNotFound (method: string)\n"
	"error MethodNotImplemented (method: string)\n"
	"error InvalidParameter (parameter: string)\n";

static void invalid(struct dtv_conn *c, const char *parameter)
{
	dtv_conn_error(c, "org.varlink.service.InvalidParameter",
		       json_pack("{s:s}", "parameter", parameter));
}

/* Pass a guest's "no" on. True: it was one. */
static bool refused(struct dtv_conn *c, json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (!error)
		return false;
	dtv_conn_error(c, error,
		       json_pack("{s:O?}", "message", json_object_get(answer, "message")));
	return true;
}

static void answer_empty(void *arg, json_t *answer)
{
	struct dtv_conn *c = arg;

	if (!refused(c, answer))
		dtv_conn_reply(c, NULL);
}

static bool conn_alive(void *arg)
{
	return dtv_conn_alive(arg);
}

/**
 * struct rights - whose files these are
 * @changed: to be given back
 * @groups: ours
 * @n: how many
 */
struct rights {
	bool changed;
	gid_t groups[256];
	int n;
};

/* Take the caller's rights on files. Capabilities on files go with the file system uid. */
static int take_rights(struct dtv_conn *c, struct rights *r)
{
	const struct ucred *peer = dtv_conn_peer(c);
	gid_t theirs[256];
	socklen_t len = sizeof(theirs);

	r->changed = false;
	if (geteuid() != 0 || peer->uid == 0)
		return 0;
	r->n = getgroups(DTV_COUNT(r->groups), r->groups);
	if (r->n < 0 || getsockopt(dtv_conn_fd(c), SOL_SOCKET, SO_PEERGROUPS, theirs, &len) < 0 ||
	    setgroups(len / sizeof(gid_t), theirs) < 0)
		return -errno;
	r->changed = true;
	setfsgid(peer->gid);
	setfsuid(peer->uid);
	return 0;
}

static void give_rights_back(struct rights *r)
{
	if (!r->changed)
		return;
	setfsuid(geteuid());
	setfsgid(getegid());
	if (setgroups(r->n, r->groups) < 0)
		dtv_log(DTV_WARNING, "cannot set groups: %s", strerror(errno));
}

static void start_answer(void *arg, json_t *answer)
{
	struct dtv_conn *c = arg;

	if (refused(c, answer))
		return;
	dtv_conn_reply(c, json_pack("{s:O?,s:O?}", "name", json_object_get(answer, "name"), "pid",
				    json_object_get(answer, "pid")));
}

static void do_start(struct dtv_guests *gs, struct dtv_conn *c, json_t *params)
{
	const char *path = json_string_value(json_object_get(params, "path"));
	struct dtv_messages m = { 0 };
	struct dtv_config config;
	struct rights rights;
	int files[DTV_FILES], ret;

	if (!path || path[0] != '/') {
		invalid(c, "path");
		return;
	}
	ret = take_rights(c, &rights);
	if (ret < 0) {
		dtv_conn_error(c, "io.dtv.Failed", json_pack("{s:s}", "message", strerror(-ret)));
		return;
	}
	for (unsigned int i = 0; i < DTV_FILES; i++)
		files[i] = -1;
	ret = dtv_config_read(path, &config, &m);
	if (!ret) {
		ret = dtv_config_open(&config, files);
		if (ret < 0)
			dtv_messages_add(&m, "%s: cannot open a file that it names: %s", path,
					 strerror(-ret));
	}
	give_rights_back(&rights);
	if (m.n) {
		json_t *list = json_array();

		for (size_t i = 0; i < m.n; i++) {
			json_t *text = json_string(m.text[i]);

			json_array_append_new(list, text ? text : json_string("not UTF-8"));
		}
		dtv_conn_error(c, "io.dtv.BadConfig", json_pack("{s:o}", "messages", list));
	} else {
		dtv_guests_start(gs, &config, path, dtv_conn_peer(c)->uid, files, start_answer, c);
	}
	dtv_config_close(files);
	dtv_messages_free(&m);
	dtv_config_free(&config);
}

static void do_list(struct dtv_guests *gs, struct dtv_conn *c, json_t *params)
{
	(void)params;
	dtv_conn_reply(c, json_pack("{s:o}", "guests", dtv_guests_list(gs)));
}

static void do_get_info(struct dtv_guests *gs, struct dtv_conn *c, json_t *params)
{
	(void)gs;
	(void)params;
	dtv_conn_reply(c, json_pack("{s:s,s:s,s:s,s:s,s:[s,s]}", "vendor", "dtv", "product", "dtvd",
				    "version", DTV_VERSION, "url", "", "interfaces",
				    "org.varlink.service", "io.dtv"));
}

static void do_get_interface(struct dtv_guests *gs, struct dtv_conn *c, json_t *params)
{
	const char *name = json_string_value(json_object_get(params, "interface"));
	const char *text = NULL;

	(void)gs;
	if (!name) {
		invalid(c, "interface");
		return;
	}
	if (!strcmp(name, "io.dtv"))
		text = interface_text;
	else if (!strcmp(name, "org.varlink.service"))
		text = service_text;
	if (!text) {
		dtv_conn_error(c, "org.varlink.service.InterfaceNotFound",
			       json_pack("{s:s}", "interface", name));
		return;
	}
	dtv_conn_reply(c, json_pack("{s:s}", "description", text));
}

/* Methods of one guest. */

static void guest_stop(struct dtv_guest *g, struct dtv_conn *c, json_t *params)
{
	json_t *force = json_object_get(params, "force");

	if (force && !json_is_boolean(force) && !json_is_null(force)) {
		invalid(c, "force");
		return;
	}
	if (json_is_true(force))
		dtv_guest_kill(g, "killed on request", answer_empty, c);
	else
		dtv_guest_ask(g, "stop", -1, answer_empty, c);
}

static void guest_reset(struct dtv_guest *g, struct dtv_conn *c, json_t *params)
{
	(void)params;
	dtv_guest_ask(g, "reset", -1, answer_empty, c);
}

static void guest_pause(struct dtv_guest *g, struct dtv_conn *c, json_t *params)
{
	(void)params;
	dtv_guest_ask(g, "pause", -1, answer_empty, c);
}

static void guest_unpause(struct dtv_guest *g, struct dtv_conn *c, json_t *params)
{
	(void)params;
	dtv_guest_ask(g, "unpause", -1, answer_empty, c);
}

/**
 * struct show - a Show on its way
 * @c: who asked
 * @guest: what is known without asking
 */
struct show {
	struct dtv_conn *c;
	json_t *guest;
};

static void show_answer(void *arg, json_t *answer)
{
	static const char *const keys[] = { "jails", "counters" };
	struct show *s = arg;

	/* A guest that does not answer is shown without that. */
	for (size_t i = 0; i < DTV_COUNT(keys); i++) {
		json_t *v = json_object_get(answer, keys[i]);

		if (v)
			json_object_set(s->guest, keys[i], v);
	}
	dtv_conn_reply(s->c, json_pack("{s:o}", "guest", s->guest));
	free(s);
}

static void guest_show(struct dtv_guest *g, struct dtv_conn *c, json_t *params)
{
	struct show *s = dtv_zalloc(sizeof(*s));

	(void)params;
	s->c = c;
	s->guest = dtv_guest_describe(g);
	dtv_guest_ask(g, "info", -1, show_answer, s);
}

/* What an ended guest has said. A socket takes more than a ring without waiting. */
static void send_log(struct dtv_guest *g, int fd)
{
	char *log = dtv_zalloc(DTV_RING_BYTES);
	size_t n = dtv_guest_log(g, log, DTV_RING_BYTES);

	if (send(fd, log, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		dtv_log(DTV_DEBUG, "console: %s", strerror(errno));
	free(log);
}

/**
 * struct attach - a console on its way to a guest
 * @guest: to whom
 * @fd: the console
 */
struct attach {
	struct dtv_guest *guest;
	int fd;
};

static void attach_ended(void *arg, json_t *answer)
{
	struct attach *a = arg;

	if (answer && !dtv_guest_alive(a->guest))
		send_log(a->guest, a->fd);
	close(a->fd);
	free(a);
}

/* A guest that was about to end has not taken it: what it said is in its log then. */
static void attach_answer(void *arg, json_t *answer)
{
	struct attach *a = arg;

	if (json_object_get(answer, "error") && dtv_guest_ending(a->guest))
		dtv_guest_wait(a->guest, NULL, attach_ended, a);
	else
		attach_ended(a, NULL);
}

/* The descriptor is the guest's from then on: dtvd can go, the console stays. */
static void guest_console(struct dtv_guest *g, struct dtv_conn *c, json_t *params)
{
	struct attach *a;
	int fd;

	(void)params;
	if (!dtv_conn_wants_upgrade(c)) {
		dtv_conn_error(c, "io.dtv.Failed",
			       json_pack("{s:s}", "message",
					 "Console has to be called with upgrade"));
		return;
	}
	fd = dtv_conn_upgrade(c, NULL);
	if (fd < 0)
		return;
	if (!dtv_guest_alive(g)) {
		send_log(g, fd);
		close(fd);
		return;
	}
	a = dtv_zalloc(sizeof(*a));
	a->guest = g;
	a->fd = fd;
	dtv_guest_ask(g, "console", fd, attach_answer, a);
}

static void wait_answer(void *arg, json_t *answer)
{
	struct dtv_conn *c = arg;

	if (refused(c, answer))
		return;
	dtv_conn_reply(c, json_pack("{s:O,s:O,s:O}", "result", json_object_get(answer, "result"),
				    "code", json_object_get(answer, "code"), "reason",
				    json_object_get(answer, "reason")));
}

static void guest_wait(struct dtv_guest *g, struct dtv_conn *c, json_t *params)
{
	(void)params;
	dtv_guest_wait(g, conn_alive, wait_answer, c);
}

/* Length of the UTF-8 sequence at @s, 0: none. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80		 ? 1 :
		     s[0] >= 0xc2 && s[0] < 0xe0 ? 2 :
		     s[0] >= 0xe0 && s[0] < 0xf0 ? 3 :
		     s[0] >= 0xf0 && s[0] < 0xf5 ? 4 :
						   0;

	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return len;
}

static void guest_log(struct dtv_guest *g, struct dtv_conn *c, json_t *params)
{
	unsigned char *log = dtv_zalloc(DTV_RING_BYTES);
	size_t n = dtv_guest_log(g, (char *)log, DTV_RING_BYTES), at = 0;
	char *text = dtv_zalloc(3 * n + 1);

	(void)params;
	for (size_t i = 0; i < n;) {
		size_t len = utf8_length(log + i, n - i);

		/* Some JSON libraries end a string at a zero. */
		if (!len || !log[i]) {
			memcpy(text + at, "\xef\xbf\xbd", 3);
			at += 3;
			i++;
			continue;
		}
		memcpy(text + at, log + i, len);
		at += len;
		i += len;
	}
	dtv_conn_reply(c, json_pack("{s:s%}", "text", text, at));
	free(text);
	free(log);
}

static void guest_forget(struct dtv_guest *g, struct dtv_conn *c, json_t *params)
{
	(void)params;
	if (dtv_guest_alive(g)) {
		dtv_conn_error(c, "io.dtv.WrongState",
			       json_pack("{s:s}", "message", "the guest has not stopped"));
		return;
	}
	dtv_guest_forget(g);
	dtv_conn_reply(c, NULL);
}

static const struct {
	const char *name;
	void (*run)(struct dtv_guests *gs, struct dtv_conn *c, json_t *params);
	void (*run_guest)(struct dtv_guest *g, struct dtv_conn *c, json_t *params);
} methods[] = {
	{ "io.dtv.Start", do_start, NULL },
	{ "io.dtv.Stop", NULL, guest_stop },
	{ "io.dtv.Reset", NULL, guest_reset },
	{ "io.dtv.Pause", NULL, guest_pause },
	{ "io.dtv.Unpause", NULL, guest_unpause },
	{ "io.dtv.List", do_list, NULL },
	{ "io.dtv.Show", NULL, guest_show },
	{ "io.dtv.Console", NULL, guest_console },
	{ "io.dtv.Wait", NULL, guest_wait },
	{ "io.dtv.Log", NULL, guest_log },
	{ "io.dtv.Forget", NULL, guest_forget },
	{ "org.varlink.service.GetInfo", do_get_info, NULL },
	{ "org.varlink.service.GetInterfaceDescription", do_get_interface, NULL },
};

static void no_method(struct dtv_conn *c, const char *method)
{
	const char *dot = strrchr(method, '.');
	size_t len = dot ? (size_t)(dot - method) : 0;

	if ((len == strlen("io.dtv") && !strncmp(method, "io.dtv", len)) ||
	    (len == strlen("org.varlink.service") && !strncmp(method, "org.varlink.service", len)))
		dtv_conn_error(c, "org.varlink.service.MethodNotFound",
			       json_pack("{s:s}", "method", method));
	else
		dtv_conn_error(c, "org.varlink.service.InterfaceNotFound",
			       json_pack("{s:s%}", "interface", method, len));
}

/**
 * dtv_control_call - answer a call
 * @opaque: struct dtv_guests
 * @c: connection
 * @method: full name
 * @params: object
 */
void dtv_control_call(void *opaque, struct dtv_conn *c, const char *method, json_t *params)
{
	struct dtv_guests *gs = opaque;

	for (size_t i = 0; i < DTV_COUNT(methods); i++) {
		const char *name;
		struct dtv_guest *g;

		if (strcmp(methods[i].name, method))
			continue;
		if (methods[i].run) {
			methods[i].run(gs, c, params);
			return;
		}
		name = json_string_value(json_object_get(params, "name"));
		if (!name) {
			invalid(c, "name");
			return;
		}
		g = dtv_guests_find(gs, name);
		if (!g)
			dtv_conn_error(c, "io.dtv.NoGuest", json_pack("{s:s}", "name", name));
		else
			methods[i].run_guest(g, c, params);
		return;
	}
	no_method(c, method);
}
