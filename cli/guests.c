// SPDX-License-Identifier: GPL-2.0-or-later
/* Verbs that do something to a guest: start, stop, reset, pause, wait, forget. */
#include "vmctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STOP_SECONDS 30
/* How long start -c looks for a dtvd that is being restarted. */
#define RETRY_MS 10000

static json_t *named(const char *name)
{
	return json_pack("{s:s}", "name", name);
}

static int simple(const struct vmctl *v, int argc, char **argv, const char *method)
{
	if (argc != 2)
		return usage_of(argv[0]);
	return client_once(v, method, named(argv[1]), NULL);
}

/** verb_reset - push the reset button */
int verb_reset(const struct vmctl *v, int argc, char **argv)
{
	return simple(v, argc, argv, "io.dtv.Reset");
}

/** verb_pause - halt a guest */
int verb_pause(const struct vmctl *v, int argc, char **argv)
{
	return simple(v, argc, argv, "io.dtv.Pause");
}

/** verb_unpause - let it go on */
int verb_unpause(const struct vmctl *v, int argc, char **argv)
{
	return simple(v, argc, argv, "io.dtv.Unpause");
}

/** verb_forget - drop an ended guest's record */
int verb_forget(const struct vmctl *v, int argc, char **argv)
{
	return simple(v, argc, argv, "io.dtv.Forget");
}

static const struct {
	const char *result;
	int status;
} results[] = {
	{ "poweroff", VMCTL_OK },	 { "failure", VMCTL_GUEST_FAILED },
	{ "panic", VMCTL_GUEST_FAILED }, { "killed", VMCTL_GUEST_KILLED },
	{ "error", VMCTL_GUEST_ERROR },
};

static int status_of(const char *result)
{
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		if (!strcmp(results[i].result, result))
			return results[i].status;
	return VMCTL_FAILED;
}

/* A bare-metal program's status is its own; 256 is not nothing. */
static int program_status(const struct vmctl *v, const char *name, int code)
{
	struct client c;
	json_t *answer;
	bool program;

	if (client_open(v, &c, true) != VMCTL_OK)
		return VMCTL_GUEST_FAILED;
	if (client_call(&c, "io.dtv.Show", named(name), -1, &answer) != VMCTL_OK) {
		client_close(&c);
		return VMCTL_GUEST_FAILED;
	}
	client_close(&c);
	program = json_object_get(json_object_get(answer, "guest"), "elf");
	json_decref(answer);
	return program && code & 255 ? code & 255 : VMCTL_GUEST_FAILED;
}

/**
 * wait_for_end - wait until a guest has ended and say how
 * @v: what the user said
 * @name: guest
 * @retry_ms: how long to look for dtvd if it is not there
 *
 * Return: the guest's result as an exit status; of a bare-metal program that failed its own.
 */
int wait_for_end(const struct vmctl *v, const char *name, int retry_ms)
{
	struct client c;
	json_t *end;
	int ret;

	while ((ret = client_open(v, &c, retry_ms > 0)) != VMCTL_OK) {
		if (retry_ms <= 0)
			return ret;
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
		retry_ms -= 100;
	}
	ret = client_call(&c, "io.dtv.Wait", named(name), -1, &end);
	client_close(&c);
	if (ret != VMCTL_OK)
		return ret;
	ret = status_of(json_text(end, "result"));
	if (ret == VMCTL_GUEST_FAILED)
		ret = program_status(v, name, json_integer_value(json_object_get(end, "code")));
	if (v->json)
		print_json(end);
	else
		complain("%s: %s", name, json_text(end, "reason"));
	json_decref(end);
	return ret;
}

/** verb_wait - wait for a guest's end */
int verb_wait(const struct vmctl *v, int argc, char **argv)
{
	if (argc != 2)
		return usage_of("wait");
	return wait_for_end(v, argv[1], 0);
}

static int attach_and_wait(const struct vmctl *v, const char *name)
{
	enum console_end end;
	struct client c;
	int ret = client_open(v, &c, false);

	if (ret != VMCTL_OK)
		return ret;
	ret = client_upgrade(&c, "io.dtv.Console", named(name));
	if (ret != VMCTL_OK) {
		client_close(&c);
		return ret;
	}
	end = console_run(c.fd);
	client_close(&c);
	if (end == CONSOLE_DETACHED)
		fprintf(stderr, "\n[detached; `vmctl console %s` attaches again]\n", name);
	if (end != CONSOLE_HANGUP)
		return end == CONSOLE_DETACHED ? VMCTL_OK : VMCTL_FAILED;
	return wait_for_end(v, name, RETRY_MS);
}

/** verb_start - start a guest */
int verb_start(const struct vmctl *v, int argc, char **argv)
{
	bool attach = false;
	json_t *started;
	char *path;
	int o, ret;

	while ((o = getopt(argc, argv, "+c")) != -1) {
		if (o != 'c')
			return usage_of("start");
		attach = true;
	}
	if (optind + 1 != argc)
		return usage_of("start");
	path = realpath(argv[optind], NULL);
	if (!path) {
		complain("%s: %s", argv[optind], strerror(errno));
		return VMCTL_BAD_CONFIG;
	}
	ret = client_once(v, "io.dtv.Start", json_pack("{s:s}", "path", path), &started);
	free(path);
	if (ret != VMCTL_OK)
		return ret;
	if (attach) {
		if (isatty(STDIN_FILENO))
			fprintf(stderr, "[%s started; ~. at the start of a line detaches]\n",
				json_text(started, "name"));
		ret = attach_and_wait(v, json_text(started, "name"));
	} else if (v->json) {
		print_json(started);
	} else {
		printf("%s started\n", json_text(started, "name"));
	}
	json_decref(started);
	return ret;
}

static int ask_to_stop(const struct vmctl *v, const char *name, int seconds)
{
	struct client c;
	json_t *end;
	int ret = client_open(v, &c, false);

	if (ret != VMCTL_OK)
		return ret;
	ret = client_call(&c, "io.dtv.Stop", named(name), -1, NULL);
	if (ret == VMCTL_OK)
		ret = client_call(&c, "io.dtv.Wait", named(name), seconds * 1000, &end);
	client_close(&c);
	if (ret == VMCTL_TIMEOUT)
		complain("%s was asked and has not stopped within %d s: `vmctl stop -f %s` ends it",
			 name, seconds, name);
	if (ret != VMCTL_OK)
		return ret;
	if (v->json)
		print_json(end);
	json_decref(end);
	return VMCTL_OK;
}

/** verb_stop - stop a guest */
int verb_stop(const struct vmctl *v, int argc, char **argv)
{
	bool force = false;
	long seconds = STOP_SECONDS;
	char *end;
	int o;

	while ((o = getopt(argc, argv, "+ft:")) != -1) {
		switch (o) {
		case 'f':
			force = true;
			break;
		case 't':
			seconds = strtol(optarg, &end, 10);
			if (*end || end == optarg || seconds < 0 || seconds > 86400)
				return usage_of("stop");
			break;
		default:
			return usage_of("stop");
		}
	}
	if (optind + 1 != argc)
		return usage_of("stop");
	if (force)
		return client_once(v, "io.dtv.Stop",
				   json_pack("{s:s,s:b}", "name", argv[optind], "force", 1), NULL);
	return ask_to_stop(v, argv[optind], seconds);
}
