/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the verbs share: exit statuses, the connection to dtvd, how things are
 * printed. A file per group of verbs; vmctl.c has the table of them.
 */
#ifndef DTV_CLI_VMCTL_H
#define DTV_CLI_VMCTL_H

#include <jansson.h>
#include <stdbool.h>

#define VMCTL_SOCKET "/run/dtv/dtvd.sock"

/* Exit statuses; they do not change, and vmctl(8) lists them. */
enum vmctl_exit {
	VMCTL_OK = 0,
	VMCTL_FAILED = 1,
	VMCTL_USAGE = 2,
	VMCTL_NO_DAEMON = 3,
	VMCTL_NO_GUEST = 4,
	VMCTL_NAME_TAKEN = 5,
	VMCTL_BAD_CONFIG = 6,
	VMCTL_NO_MODULE = 7, /* or no permission */
	VMCTL_WRONG_STATE = 8,
	VMCTL_TIMEOUT = 9,
	/* How a guest ended: wait, start -c. */
	VMCTL_GUEST_FAILED = 10, /* it failed or panicked */
	VMCTL_GUEST_KILLED = 11,
	VMCTL_GUEST_ERROR = 12, /* the module stopped it */
	VMCTL_NOT_HELD = 13, /* compat: not all conditions are held here */
};

/**
 * struct vmctl - what was said before the verb
 * @socket: dtvd's
 * @json: print data as JSON
 * @color: stdout is a terminal that shows colours
 */
struct vmctl {
	const char *socket;
	bool json;
	bool color;
};

/* A connection: the socket and what was read of the next answer. */
struct client {
	int fd;
	char *in;
	size_t len;
	size_t room;
};

/* client.c */
int client_open(const struct vmctl *v, struct client *c, bool quiet);
void client_close(struct client *c);
int client_call(struct client *c, const char *method, json_t *params, int timeout_ms, json_t **out);
int client_upgrade(struct client *c, const char *method, json_t *params);
int client_once(const struct vmctl *v, const char *method, json_t *params, json_t **out);
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* print.c */
void print_json(json_t *data);
void print_clean(const char *text);
const char *json_text(const json_t *object, const char *key);

/* Verbs: arguments behind the verb; they return an exit status. */
int verb_start(const struct vmctl *v, int argc, char **argv);
int verb_stop(const struct vmctl *v, int argc, char **argv);
int verb_reset(const struct vmctl *v, int argc, char **argv);
int verb_pause(const struct vmctl *v, int argc, char **argv);
int verb_unpause(const struct vmctl *v, int argc, char **argv);
int verb_wait(const struct vmctl *v, int argc, char **argv);
int verb_forget(const struct vmctl *v, int argc, char **argv);
int verb_show(const struct vmctl *v, int argc, char **argv);
int verb_log(const struct vmctl *v, int argc, char **argv);
int verb_console(const struct vmctl *v, int argc, char **argv);
int verb_compat(const struct vmctl *v, int argc, char **argv);
int verb_check(const struct vmctl *v, int argc, char **argv);
int verb_version(const struct vmctl *v, int argc, char **argv);
int verb_help(const struct vmctl *v, int argc, char **argv);

/* console.c, for start -c: what ended the attachment. */
enum console_end {
	CONSOLE_HANGUP,
	CONSOLE_DETACHED,
	CONSOLE_SIGNAL,
};
enum console_end console_run(int fd);

/* guests.c, for start -c: wait, say how it ended, and make it an exit status. */
int wait_for_end(const struct vmctl *v, const char *name, int retry_ms);

int usage_of(const char *verb);

#endif /* DTV_CLI_VMCTL_H */
