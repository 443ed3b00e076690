// SPDX-License-Identifier: GPL-2.0-or-later
/* Verbs that print: status, show, log, version. */
#include "vmctl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *state;
	const char *color;
} colors[] = {
	{ "running", "\033[32m" },
	{ "paused", "\033[33m" },
	{ "stopped", "\033[2m" },
};

static void print_state(const struct vmctl *v, const char *state, int width)
{
	const char *color = NULL;

	for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++)
		if (v->color && !strcmp(colors[i].state, state))
			color = colors[i].color;
	printf("%s%-*s%s", color ? color : "", width, state, color ? "\033[0m" : "");
}

static void print_size(json_int_t bytes, int width)
{
	char text[32];

	if (bytes % (1 << 30) == 0)
		snprintf(text, sizeof(text), "%lldG", (long long)bytes >> 30);
	else if (bytes % (1 << 20) == 0)
		snprintf(text, sizeof(text), "%lldM", (long long)bytes >> 20);
	else
		snprintf(text, sizeof(text), "%lldK", (long long)bytes >> 10);
	printf("%-*s", width, text);
}

static json_int_t number(const json_t *g, const char *key)
{
	return json_integer_value(json_object_get(g, key));
}

/* "stopped: reason" is what most want to know, so it is in the list. */
static void print_row(const struct vmctl *v, const json_t *g)
{
	printf("%-20s ", json_text(g, "name"));
	print_state(v, json_text(g, "state"), 9);
	printf("%5lld  ", (long long)number(g, "harts"));
	print_size(number(g, "memory"), 8);
	if (json_object_get(g, "reason")) {
		printf("stopped: ");
		print_clean(json_text(g, "reason"));
	} else {
		printf("pid %lld", (long long)number(g, "pid"));
	}
	putchar('\n');
}

static int show_all(const struct vmctl *v)
{
	json_t *answer, *g;
	size_t i;
	int ret = client_once(v, "io.dtv.List", NULL, &answer);

	if (ret != VMCTL_OK)
		return ret;
	if (v->json) {
		print_json(answer);
	} else {
		printf("%-20s %-9s%5s  %-8s%s\n", "NAME", "STATE", "HARTS", "MEMORY", "");
		json_array_foreach(json_object_get(answer, "guests"), i, g) print_row(v, g);
	}
	json_decref(answer);
	return VMCTL_OK;
}

static void print_text(const json_t *g, const char *key)
{
	const char *s = json_string_value(json_object_get(g, key));

	if (!s)
		return;
	printf("%-12s", key);
	print_clean(s);
	putchar('\n');
}

static void print_time(const json_t *g, const char *key)
{
	time_t t = number(g, key);
	char text[64];
	struct tm tm;

	if (!json_object_get(g, key) || !localtime_r(&t, &tm))
		return;
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%-12s%s\n", key, text);
}

static void print_counters(json_t *counters)
{
	const char *key;
	json_t *value, *one;
	size_t i;

	if (!counters)
		return;
	json_object_foreach(counters, key, value)
	{
		if (json_is_integer(value))
			printf("  %-14s%lld\n", key, (long long)json_integer_value(value));
	}
	printf("  %-14s", "exits");
	json_array_foreach(json_object_get(counters, "exits"), i, one)
		printf("%s%lld", i ? " " : "", (long long)json_integer_value(one));
	putchar('\n');
}

static void print_guest(const struct vmctl *v, json_t *g)
{
	json_t *jails = json_object_get(g, "jails"), *j;
	size_t i;

	print_text(g, "name");
	printf("%-12s", "state");
	print_state(v, json_text(g, "state"), 0);
	if (json_object_get(g, "reason")) {
		printf(": ");
		print_clean(json_text(g, "reason"));
	}
	putchar('\n');
	print_text(g, "result");
	printf("%-12s%lld\n%-12s", "harts", (long long)number(g, "harts"), "memory");
	print_size(number(g, "memory"), 0);
	putchar('\n');
	print_text(g, "config");
	print_text(g, "kernel");
	print_text(g, "initrd");
	print_text(g, "bios");
	print_text(g, "flash0");
	print_text(g, "flash1");
	print_text(g, "elf");
	print_text(g, "signature");
	print_text(g, "cmdline");
	print_time(g, "started");
	print_time(g, "ended");
	if (json_object_get(g, "pid"))
		printf("%-12s%lld\n", "pid", (long long)number(g, "pid"));
	if (jails) {
		printf("%-12s", "jails");
		json_array_foreach(jails, i, j)
			printf("%s%lld", i ? " " : "", (long long)json_integer_value(j));
		putchar('\n');
	}
	print_text(g, "pty");
	print_counters(json_object_get(g, "counters"));
}

/** verb_show - list guests, or show one */
int verb_show(const struct vmctl *v, int argc, char **argv)
{
	json_t *answer, *guest;
	int ret;

	if (argc == 1)
		return show_all(v);
	if (argc != 2)
		return usage_of(argv[0]);
	ret = client_once(v, "io.dtv.Show", json_pack("{s:s}", "name", argv[1]), &answer);
	if (ret != VMCTL_OK)
		return ret;
	guest = json_object_get(answer, "guest");
	if (v->json)
		print_json(guest);
	else
		print_guest(v, guest);
	json_decref(answer);
	return VMCTL_OK;
}

/** verb_log - print the last console output, as the guest sent it */
int verb_log(const struct vmctl *v, int argc, char **argv)
{
	json_t *answer, *text;
	int ret;

	if (argc != 2)
		return usage_of("log");
	ret = client_once(v, "io.dtv.Log", json_pack("{s:s}", "name", argv[1]), &answer);
	if (ret != VMCTL_OK)
		return ret;
	text = json_object_get(answer, "text");
	if (v->json)
		print_json(answer);
	else
		fwrite(json_string_value(text), 1, json_string_length(text), stdout);
	json_decref(answer);
	return VMCTL_OK;
}

/** verb_version - versions of both ends */
int verb_version(const struct vmctl *v, int argc, char **argv)
{
	json_t *info = NULL;
	struct client c;

	(void)argc;
	(void)argv;
	if (client_open(v, &c, true) == VMCTL_OK) {
		client_call(&c, "org.varlink.service.GetInfo", NULL, 5000, &info);
		client_close(&c);
	}
	if (v->json) {
		json_t *both =
			json_pack("{s:s,s:o?}", "vmctl", DTV_VERSION, "dtvd",
				  info ? json_incref(json_object_get(info, "version")) : NULL);

		print_json(both);
		json_decref(both);
	} else {
		printf("vmctl %s\n", DTV_VERSION);
		if (info)
			printf("dtvd %s\n", json_text(info, "version"));
		else
			printf("dtvd is not running\n");
	}
	json_decref(info);
	return VMCTL_OK;
}
