// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See util.h. Running out of memory ends the process: a guest process is one
 * guest, and dtvd itself is found again by its guests' sockets when it is
 * started anew.
 */
#include "util.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/dtv.h>

static const char *log_who = "dtvd";
static bool log_verbose;
static bool log_prefix;

/**
 * dtv_log_init - how log lines look
 * @who: put in front of each line; must stay valid
 * @verbose: print DTV_DEBUG lines too
 *
 * Lines go to stderr; below systemd's journal with the level as "<n>".
 */
void dtv_log_init(const char *who, bool verbose)
{
	log_who = who;
	log_verbose = verbose;
	log_prefix = getenv("JOURNAL_STREAM") != NULL;
}

/**
 * dtv_log - a line for the administrator
 * @level: see enum dtv_level
 * @fmt: without a newline
 */
void dtv_log(enum dtv_level level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	if (level == DTV_DEBUG && !log_verbose)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (log_prefix)
		n = dprintf(STDERR_FILENO, "<%d>%s: %s\n", level, log_who, line);
	else
		n = dprintf(STDERR_FILENO, "%s: %s\n", log_who, line);
	(void)n; /* there is no other place to complain at */
}

static void *checked(void *p)
{
	if (!p) {
		dtv_log(DTV_ERR, "out of memory");
		abort();
	}
	return p;
}

/** dtv_zalloc - zeroed memory of @size bytes; never NULL, free() it */
void *dtv_zalloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

/** dtv_realloc - realloc() of @p to @size bytes that never fails */
void *dtv_realloc(void *p, size_t size)
{
	return checked(realloc(p, size ? size : 1));
}

/** dtv_strdup - copy of @s; never NULL, free() it */
char *dtv_strdup(const char *s)
{
	return checked(strdup(s));
}

/**
 * dtv_failure - an answer that is an error
 * @error: its name in the interface io.dtv
 * @fmt: message for people, as printf() has it
 *
 * Return: a new reference.
 */
json_t *dtv_failure(const char *error, const char *fmt, ...)
{
	va_list ap;
	char *text;
	json_t *msg;

	va_start(ap, fmt);
	text = dtv_vformat(fmt, ap);
	va_end(ap);
	msg = json_pack("{s:o,s:o}", "error", json_sprintf("io.dtv.%s", error), "message",
			json_string_nocheck(text));
	free(text);
	return msg;
}

/** dtv_vformat - text made as vprintf() does; never NULL, free() it */
char *dtv_vformat(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		s = checked(NULL);
	return s;
}

/** dtv_format - text made as printf() does; never NULL, free() it */
char *dtv_format(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = dtv_vformat(fmt, ap);
	va_end(ap);
	return s;
}

/** dtv_messages_add - append a text to @m */
void dtv_messages_add(struct dtv_messages *m, const char *fmt, ...)
{
	va_list ap;

	m->text = dtv_realloc(m->text, (m->n + 1) * sizeof(*m->text));
	va_start(ap, fmt);
	m->text[m->n++] = dtv_vformat(fmt, ap);
	va_end(ap);
}

/** dtv_messages_free - empty @m, which can be used again */
void dtv_messages_free(struct dtv_messages *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->text[i]);
	free(m->text);
	m->text = NULL;
	m->n = 0;
}

/** dtv_now_ns - monotonic time in nanoseconds */
int64_t dtv_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/** dtv_now_ms - monotonic time in milliseconds */
int64_t dtv_now_ms(void)
{
	return dtv_now_ns() / 1000000;
}

/**
 * dtv_packet_send - one message on a SOCK_SEQPACKET socket
 * @sock: the socket
 * @data: the message, @len bytes, at least 1 and at most DTV_PACKET_MAX
 * @len: its length
 * @fds: file descriptors to pass; they stay open here
 * @nfds: how many, at most DTV_FDS_MAX
 *
 * Return: 0, or -errno (-EAGAIN when the peer does not read).
 */
int dtv_packet_send(int sock, const void *data, size_t len, const int *fds, size_t nfds)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(DTV_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds > DTV_FDS_MAX || len > DTV_PACKET_MAX)
		return -EMSGSIZE;
	if (nfds) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, nfds * sizeof(int));
	}
	while (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/**
 * dtv_packet_recv - one message of a SOCK_SEQPACKET socket
 * @sock: the socket
 * @data: where to; a longer message is an error
 * @len: room there
 * @fds: DTV_FDS_MAX file descriptors, close-on-exec; NULL: none are taken
 * @nfds: set to how many came
 *
 * Return: length, 0 at the end of the stream, or -errno.
 */
ssize_t dtv_packet_recv(int sock, void *data, size_t len, int *fds, size_t *nfds)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(DTV_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t count = 0;
	int got[DTV_FDS_MAX];
	ssize_t n;

	msg.msg_control = &control;
	msg.msg_controllen = sizeof(control);
	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (nfds)
		*nfds = 0;
	if (n < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(got, CMSG_DATA(c), count * sizeof(int));
	}
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || !fds) {
		for (size_t i = 0; i < count; i++)
			close(got[i]);
		return msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EMSGSIZE : n;
	}
	memcpy(fds, got, count * sizeof(int));
	*nfds = count;
	return n;
}

/**
 * dtv_name_ok - is this the name of a guest?
 * @name: text from anywhere
 *
 * 1 to DTV_NAME_MAX letters, digits, '.', '_' and '-', the first of them a
 * letter or a digit: a name is also the name of files.
 */
bool dtv_name_ok(const char *name)
{
	static const char first[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char rest[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len <= DTV_NAME_MAX && strchr(first, name[0]) &&
	       strspn(name, rest) == len;
}
