// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The check verb. dtvd's program is what knows configuration files; it is run
 * for that, as the user, whether or not a dtvd serves.
 */
#include "vmctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Beside us, as in a build directory; in sbin beside our bin; or wherever PATH says. */
static void exec_dtvd(char **argv)
{
	static const char *const places[] = { "dtvd", "../sbin/dtvd" };
	char self[4096], path[4200];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n > 0) {
		self[n] = 0;
		slash = strrchr(self, '/');
		for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
			snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - self), self,
				 places[i]);
			execv(path, argv);
		}
	}
	execvp("dtvd", argv);
	complain("cannot run dtvd: %s", strerror(errno));
	_exit(VMCTL_FAILED);
}

static json_t *read_lines(int fd)
{
	FILE *f = fdopen(fd, "r");
	json_t *list = json_array();
	size_t room = 0;
	char *line = NULL;
	ssize_t n;

	while (f && (n = getline(&line, &room, f)) > 0) {
		json_t *text;

		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		text = json_string(line);
		json_array_append_new(list, text ? text : json_string("not UTF-8"));
	}
	free(line);
	if (f)
		fclose(f);
	return list;
}

/** verb_check - check a configuration file */
int verb_check(const struct vmctl *v, int argc, char **argv)
{
	char *args[4] = { "dtvd", "--check" };
	int pipefd[2], status, ret;
	json_t *messages, *all;
	pid_t pid;

	if (argc != 2 || argv[1][0] == '-')
		return usage_of("check");
	args[2] = argv[1];
	pid = pipe(pipefd) < 0 ? -1 : fork();
	if (pid < 0) {
		complain("%s", strerror(errno));
		return VMCTL_FAILED;
	}
	if (!pid) {
		close(pipefd[0]);
		if (v->json)
			dup2(pipefd[1], STDERR_FILENO);
		close(pipefd[1]);
		exec_dtvd(args);
	}
	close(pipefd[1]);
	messages = read_lines(pipefd[0]);
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		ret = VMCTL_FAILED;
	else
		ret = WEXITSTATUS(status);
	if (v->json) {
		all = json_pack("{s:b,s:O}", "ok", ret == VMCTL_OK, "messages", messages);
		print_json(all);
		json_decref(all);
	} else if (ret == VMCTL_OK) {
		printf("%s: ok\n", argv[1]);
	}
	json_decref(messages);
	return ret;
}
