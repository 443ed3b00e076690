/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small things that all of the daemon uses: log lines, message lists, memory
 * that never fails quietly, seqpacket messages with file descriptors.
 */
#ifndef DTV_DAEMON_UTIL_H
#define DTV_DAEMON_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#define DTV_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Levels of syslog, those that are used. */
enum dtv_level {
	DTV_ERR = 3,
	DTV_WARNING = 4,
	DTV_INFO = 6,
	DTV_DEBUG = 7,
};

/**
 * struct dtv_messages - texts for the user, collected in order
 * @text: the texts, without a newline
 * @n: how many
 */
struct dtv_messages {
	char **text;
	size_t n;
};

void dtv_log_init(const char *who, bool verbose);
void dtv_log(enum dtv_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void *dtv_zalloc(size_t size);
void *dtv_realloc(void *p, size_t size);
char *dtv_strdup(const char *s);
char *dtv_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *dtv_vformat(const char *fmt, va_list ap);
json_t *dtv_failure(const char *error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void dtv_messages_add(struct dtv_messages *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void dtv_messages_free(struct dtv_messages *m);

int64_t dtv_now_ms(void);
int64_t dtv_now_ns(void);

#define DTV_FDS_MAX 24
#define DTV_PACKET_MAX (64 * 1024)

int dtv_packet_send(int sock, const void *data, size_t len, const int *fds, size_t nfds);
ssize_t dtv_packet_recv(int sock, void *data, size_t len, int *fds, size_t *nfds);

bool dtv_name_ok(const char *name);

#endif /* DTV_DAEMON_UTIL_H */
