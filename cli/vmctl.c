// SPDX-License-Identifier: GPL-2.0-or-later
/* vmctl: the table of verbs, and what is said before one. */
#include "vmctl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	int (*run)(const struct vmctl *v, int argc, char **argv);
	const char *arguments;
	const char *does;
} verbs[] = {
	{ "start", verb_start, "[-c] FILE", "start the guest of a configuration file; -c: attach" },
	{ "stop", verb_stop, "[-f] [-t SECONDS] NAME", "ask a guest to power off; -f: end it" },
	{ "reset", verb_reset, "NAME", "push the reset button" },
	{ "pause", verb_pause, "NAME", "halt a guest and its time" },
	{ "unpause", verb_unpause, "NAME", "let it go on" },
	{ "status", verb_show, "[NAME]", "list guests, or show one" },
	{ "show", verb_show, "[NAME]", "the same" },
	{ "console", verb_console, "NAME", "attach to a guest's console; ~. detaches" },
	{ "wait", verb_wait, "NAME", "wait for a guest's end; its result is the exit status" },
	{ "log", verb_log, "NAME", "print the last console output" },
	{ "forget", verb_forget, "NAME", "drop what is kept of a guest that has ended" },
	{ "check", verb_check, "FILE", "check a configuration file" },
	{ "compat", verb_compat, "[--sysroot DIR]", "which conditions hold on this host" },
	{ "version", verb_version, "", "versions of vmctl and dtvd" },
	{ "help", verb_help, "", "this" },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void print_usage(FILE *to)
{
	fprintf(to, "usage: vmctl [--json] [--socket PATH] VERB ...\n\n");
	for (size_t i = 0; i < VERBS; i++) {
		char line[64];

		snprintf(line, sizeof(line), "%s %s", verbs[i].name, verbs[i].arguments);
		fprintf(to, "  %-30s %s\n", line, verbs[i].does);
	}
}

/**
 * usage_of - a verb was called in a wrong way
 * @verb: its name
 *
 * Return: the exit status for that.
 */
int usage_of(const char *verb)
{
	for (size_t i = 0; i < VERBS; i++)
		if (!strcmp(verbs[i].name, verb))
			fprintf(stderr, "usage: vmctl %s %s\n", verb, verbs[i].arguments);
	return VMCTL_USAGE;
}

/** verb_help - print all verbs */
int verb_help(const struct vmctl *v, int argc, char **argv)
{
	(void)v;
	(void)argc;
	(void)argv;
	print_usage(stdout);
	return VMCTL_OK;
}

static bool colors(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") && !(no && *no);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct vmctl v = { .socket = VMCTL_SOCKET, .color = colors() };
	const char *verb;
	int o;

	/* '+': the verb's options are the verb's. */
	while ((o = getopt_long(argc, argv, "+js:hV", longs, NULL)) != -1) {
		switch (o) {
		case 'j':
			v.json = true;
			break;
		case 's':
			v.socket = optarg;
			break;
		case 'h':
			print_usage(stdout);
			return VMCTL_OK;
		case 'V':
			return verb_version(&v, 0, NULL);
		default:
			print_usage(stderr);
			return VMCTL_USAGE;
		}
	}
	if (optind == argc) {
		print_usage(stderr);
		return VMCTL_USAGE;
	}
	verb = argv[optind];
	argc -= optind;
	argv += optind;
	/* --json may stand at the end too, where one adds it to a line from the history. */
	if (argc > 1 && !strcmp(argv[argc - 1], "--json")) {
		v.json = true;
		argv[--argc] = NULL;
	}
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(verbs[i].name, verb))
			continue;
		optind = 0;
		return verbs[i].run(&v, argc, argv);
	}
	fprintf(stderr, "vmctl: no verb \"%s\"; see `vmctl help`\n", verb);
	return VMCTL_USAGE;
}
