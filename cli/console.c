// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The console verb: bytes between a terminal and a guest. On a terminal, which
 * is made raw for the time, ~. at the start of a line detaches and ~~ sends one
 * tilde; input that is no terminal goes through as it is.
 */
#include "vmctl.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/* How long a guest may take to be gone after its console is. */
#define END_MS 3000

/* Where in a line of input we are. */
enum escape {
	ESCAPE_START, /* of a line */
	ESCAPE_TILDE, /* a tilde came there */
	ESCAPE_LINE, /* somewhere else */
};

static bool write_all(int fd, const char *buf, size_t n)
{
	while (n) {
		ssize_t done = write(fd, buf, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, -1);
			continue;
		}
		if (done < 0)
			return false;
		buf += done;
		n -= done;
	}
	return true;
}

/* Typed bytes: what is for the guest goes to @out. True: detach. */
static bool filter(enum escape *state, const char *in, size_t n, char *out, size_t *len)
{
	*len = 0;
	for (size_t i = 0; i < n; i++) {
		char c = in[i];

		if (*state == ESCAPE_START && c == '~') {
			*state = ESCAPE_TILDE;
			continue;
		}
		if (*state == ESCAPE_TILDE) {
			if (c == '.')
				return true;
			if (c != '~')
				out[(*len)++] = '~';
		}
		out[(*len)++] = c;
		*state = c == '\r' || c == '\n' ? ESCAPE_START : ESCAPE_LINE;
	}
	return false;
}

static enum console_end shuffle(int fd, int signals, bool tty)
{
	struct pollfd p[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	enum escape state = ESCAPE_START;
	char in[4096], out[2 * sizeof(in)];
	size_t len;
	ssize_t n;

	for (;;) {
		if (poll(p, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			return CONSOLE_SIGNAL;
		}
		if (p[0].revents) {
			n = read(fd, in, sizeof(in));
			if (n <= 0 && errno != EINTR)
				return CONSOLE_HANGUP;
			if (n > 0 && !write_all(STDOUT_FILENO, in, n))
				return CONSOLE_SIGNAL;
		}
		if (p[2].revents)
			return CONSOLE_SIGNAL;
		if (!p[1].revents)
			continue;
		n = read(STDIN_FILENO, in, sizeof(in));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			/* No more input; the output is still wanted, but for a closed terminal. */
			if (tty)
				return CONSOLE_SIGNAL;
			p[1].fd = -1;
			continue;
		}
		if (!tty) {
			memcpy(out, in, n);
			len = n;
		} else if (filter(&state, in, n, out, &len)) {
			return CONSOLE_DETACHED;
		}
		/* A guest that is gone is seen by the next read. */
		write_all(fd, out, len);
	}
}

/**
 * console_run - connect the terminal to a guest
 * @fd: stream of its console
 *
 * Return: what ended it; the terminal is as before.
 */
enum console_end console_run(int fd)
{
	bool tty = isatty(STDIN_FILENO);
	struct termios before, raw;
	enum console_end end;
	sigset_t set;
	int signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (tty && tcgetattr(STDIN_FILENO, &before) < 0)
		tty = false;
	if (tty) {
		raw = before;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	}
	end = shuffle(fd, signals, tty);
	if (tty)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	close(signals);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return end;
}

/** verb_console - attach to a guest */
int verb_console(const struct vmctl *v, int argc, char **argv)
{
	json_t *answer;
	enum console_end end;
	struct client c;
	int ret;

	if (argc != 2)
		return usage_of("console");
	ret = client_open(v, &c, false);
	if (ret != VMCTL_OK)
		return ret;
	ret = client_upgrade(&c, "io.dtv.Console", json_pack("{s:s}", "name", argv[1]));
	if (ret != VMCTL_OK) {
		client_close(&c);
		return ret;
	}
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "[attached to %s; ~. at the start of a line detaches]\n", argv[1]);
	end = console_run(c.fd);
	client_close(&c);
	if (end == CONSOLE_DETACHED)
		fprintf(stderr, "\n[detached; %s goes on]\n", argv[1]);
	if (end != CONSOLE_HANGUP)
		return end == CONSOLE_DETACHED ? VMCTL_OK : VMCTL_FAILED;
	/* The guest's end is known to dtvd a moment after the stream's. */
	ret = client_open(v, &c, false);
	if (ret != VMCTL_OK)
		return ret;
	ret = client_call(&c, "io.dtv.Wait", json_pack("{s:s}", "name", argv[1]), END_MS, &answer);
	client_close(&c);
	if (ret == VMCTL_TIMEOUT)
		complain("%s hung up", argv[1]);
	if (ret != VMCTL_OK)
		return ret;
	complain("%s has stopped: %s", argv[1], json_text(answer, "reason"));
	json_decref(answer);
	return VMCTL_OK;
}
