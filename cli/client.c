// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The connection to dtvd: varlink's wire format, a JSON object and a NUL byte
 * each way. What dtvd refuses becomes a sentence with the command that helps,
 * and an exit status of its own.
 */
#include "vmctl.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/** complain - a line to stderr */
void complain(const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	/* A guest's words are among what is said: nothing of it may reach a terminal raw. */
	for (char *s = text; s && *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
	fprintf(stderr, "vmctl: %s\n", text ? text : "out of memory");
	free(text);
}

static int no_permission(const char *socket, bool quiet)
{
	if (!quiet)
		complain("no permission to use %s: join its group, `usermod -aG dtv USER`", socket);
	return VMCTL_NO_MODULE;
}

static int no_daemon(const char *socket, const char *why, bool quiet)
{
	if (!quiet)
		complain("dtvd is not running (%s: %s): start it, `systemctl start dtvd` or `dtvd`",
			 socket, why);
	return VMCTL_NO_DAEMON;
}

/**
 * client_open - connect to dtvd
 * @v: what the user said
 * @c: to be opened
 * @quiet: say nothing if that fails
 *
 * Return: an exit status; VMCTL_OK: connected.
 */
int client_open(const struct vmctl *v, struct client *c, bool quiet)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int ret;

	memset(c, 0, sizeof(*c));
	c->fd = -1;
	if (strlen(v->socket) >= sizeof(a.sun_path)) {
		complain("%s: longer than a socket's path can be", v->socket);
		return VMCTL_USAGE;
	}
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", v->socket);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 && !connect(c->fd, (struct sockaddr *)&a, sizeof(a)))
		return VMCTL_OK;
	ret = errno == EACCES ? no_permission(v->socket, quiet) :
				no_daemon(v->socket, strerror(errno), quiet);
	client_close(c);
	return ret;
}

/** client_close - hang up */
void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	free(c->in);
	c->in = NULL;
	c->len = 0;
	c->room = 0;
}

static int gone(void)
{
	complain("dtvd went away: start it again with `systemctl start dtvd`; guests go on");
	return VMCTL_NO_DAEMON;
}

static int send_call(struct client *c, const char *method, json_t *params, bool upgrade)
{
	json_t *msg = json_pack("{s:s,s:o}", "method", method, "parameters",
				params ? params : json_object());
	char *text;
	size_t len, at = 0;

	if (upgrade)
		json_object_set_new(msg, "upgrade", json_true());
	text = json_dumps(msg, JSON_COMPACT);
	json_decref(msg);
	if (!text) {
		complain("a name or path is no UTF-8");
		return VMCTL_USAGE;
	}
	len = strlen(text) + 1;
	while (at < len) {
		ssize_t n = send(c->fd, text + at, len - at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		at += n;
	}
	free(text);
	return at == len ? VMCTL_OK : gone();
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Exactly one message, so that an upgraded stream's bytes stay in the socket. */
static int read_message(struct client *c, int timeout_ms, json_t **out)
{
	int64_t until = now_ms() + timeout_ms;

	for (;;) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		int64_t left = timeout_ms < 0 ? -1 : until - now_ms();
		char buf[4096], *end;
		ssize_t n;
		size_t take;

		if (timeout_ms >= 0 && left < 0)
			left = 0;
		n = poll(&p, 1, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (!n)
			return VMCTL_TIMEOUT;
		n = recv(c->fd, buf, sizeof(buf), MSG_PEEK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return gone();
		end = memchr(buf, 0, n);
		take = end ? (size_t)(end - buf) + 1 : (size_t)n;
		if (c->room - c->len < take) {
			c->room = (c->len + take) * 2;
			c->in = realloc(c->in, c->room);
			if (!c->in) {
				complain("out of memory");
				exit(VMCTL_FAILED);
			}
		}
		n = recv(c->fd, c->in + c->len, take, 0);
		if (n <= 0)
			return gone();
		c->len += n;
		if (!end)
			continue;
		*out = json_loadb(c->in, c->len - 1, 0, NULL);
		c->len = 0;
		if (json_is_object(*out))
			return VMCTL_OK;
		complain("dtvd answered what is no message");
		return VMCTL_FAILED;
	}
}

static int explain_config(json_t *params)
{
	json_t *messages = json_object_get(params, "messages"), *m;
	size_t i;

	json_array_foreach(messages, i, m) fprintf(stderr, "%s\n", json_string_value(m));
	return VMCTL_BAD_CONFIG;
}

static int explain_taken(json_t *params)
{
	complain("%s; `vmctl status` lists guests, `vmctl stop NAME` ends one",
		 json_text(params, "message"));
	return VMCTL_NAME_TAKEN;
}

static int explain_guest(json_t *params)
{
	complain("no guest \"%s\"; `vmctl status` lists guests", json_text(params, "name"));
	return VMCTL_NO_GUEST;
}

static int explain_module(json_t *params)
{
	complain("%s", json_text(params, "message"));
	return VMCTL_NO_MODULE;
}

static int explain_state(json_t *params)
{
	complain("%s", json_text(params, "message"));
	return VMCTL_WRONG_STATE;
}

static int explain_failed(json_t *params)
{
	complain("%s", json_text(params, "message"));
	return VMCTL_FAILED;
}

static const struct {
	const char *error;
	int (*explain)(json_t *params);
} errors[] = {
	{ "io.dtv.BadConfig", explain_config },	   { "io.dtv.NameTaken", explain_taken },
	{ "io.dtv.NoGuest", explain_guest },	   { "io.dtv.NoModule", explain_module },
	{ "io.dtv.NoPermission", explain_module }, { "io.dtv.WrongState", explain_state },
	{ "io.dtv.Failed", explain_failed },
};

static int explain(json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));
	json_t *params = json_object_get(answer, "parameters");

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (!strcmp(errors[i].error, error))
			return errors[i].explain(params);
	complain("dtvd says %s", error);
	return VMCTL_FAILED;
}

static int finish_call(struct client *c, int timeout_ms, json_t **out)
{
	json_t *answer = NULL;
	int ret = read_message(c, timeout_ms, &answer);

	if (ret == VMCTL_OK && json_is_string(json_object_get(answer, "error")))
		ret = explain(answer);
	if (out)
		*out = NULL;
	if (ret == VMCTL_OK && out) {
		*out = json_object_get(answer, "parameters");
		json_incref(*out);
	}
	json_decref(answer);
	return ret;
}

/**
 * client_call - one call and its answer
 * @c: connection
 * @method: full name
 * @params: object, taken over; NULL: an empty one
 * @timeout_ms: -1: wait for ever. After VMCTL_TIMEOUT @c can only be closed.
 * @out: the answer's parameters, the caller's; NULL if not VMCTL_OK. May be NULL.
 *
 * Return: an exit status; what is not VMCTL_OK or VMCTL_TIMEOUT has been said.
 */
int client_call(struct client *c, const char *method, json_t *params, int timeout_ms, json_t **out)
{
	int ret = send_call(c, method, params, false);

	if (ret != VMCTL_OK) {
		if (out)
			*out = NULL;
		return ret;
	}
	return finish_call(c, timeout_ms, out);
}

/**
 * client_upgrade - a call after which the socket is a stream of bytes
 * @c: connection
 * @method: full name
 * @params: object, taken over
 *
 * Return: an exit status.
 */
int client_upgrade(struct client *c, const char *method, json_t *params)
{
	int ret = send_call(c, method, params, true);

	return ret == VMCTL_OK ? finish_call(c, -1, NULL) : ret;
}

/** client_once - connect, client_call(), hang up */
int client_once(const struct vmctl *v, const char *method, json_t *params, json_t **out)
{
	struct client c;
	int ret = client_open(v, &c, false);

	if (ret != VMCTL_OK) {
		json_decref(params);
		if (out)
			*out = NULL;
		return ret;
	}
	ret = client_call(&c, method, params, -1, out);
	client_close(&c);
	return ret;
}
