// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dtvd: options, and the daemon from start to end. The same program is the
 * process of a guest (guest.h) and the checker of configuration files.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "control.h"
#include "events.h"
#include "guest.h"
#include "guests.h"
#include "loop.h"
#include "util.h"
#include "varlink.h"

#define RUN_DIR "/run/dtv"
#define GROUP "dtv"

/* Exit statuses; vmctl's and ours agree. */
#define EXIT_USAGE 2
#define EXIT_CONFIG 6

struct options {
	const char *run_dir;
	const char *socket;
	const char *group;
	bool verbose;
};

/**
 * struct daemon - this process
 * @opt: what the user said
 * @socket: path of the varlink socket
 * @run_dir: open directory
 * @listen: varlink socket
 * @signals: signalfd
 * @loop: event loop
 * @guests: all guests
 * @varlink: server
 * @events: the module's
 */
struct daemon {
	struct options opt;
	char *socket;
	int run_dir;
	int listen;
	int signals;
	struct dtv_loop *loop;
	struct dtv_guests *guests;
	struct dtv_varlink *varlink;
	struct dtv_events *events;
};

static void usage(FILE *to)
{
	fputs("usage: dtvd [--run-dir DIR] [--socket PATH] [--group NAME] [--verbose]\n"
	      "       dtvd --check FILE\n"
	      "       dtvd --version | --help\n",
	      to);
}

static int check(const char *path)
{
	struct dtv_messages m = { 0 };
	struct dtv_config c;
	int ret = dtv_config_read(path, &c, &m);

	for (size_t i = 0; i < m.n; i++)
		fprintf(stderr, "%s\n", m.text[i]);
	dtv_messages_free(&m);
	dtv_config_free(&c);
	return ret ? EXIT_CONFIG : 0;
}

/* systemd's readiness protocol: a datagram to a socket, perhaps an abstract one. */
static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t len;
	int fd;

	if (!path || (path[0] != '/' && path[0] != '@'))
		return;
	len = strlen(path);
	if (len >= sizeof(a.sun_path))
		return;
	memcpy(a.sun_path, path, len);
	if (a.sun_path[0] == '@')
		a.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&a,
		   offsetof(struct sockaddr_un, sun_path) + len) < 0)
		dtv_log(DTV_WARNING, "cannot tell systemd: %s", strerror(errno));
	close(fd);
}

static void on_signal(void *arg, uint32_t events)
{
	struct daemon *d = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(d->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			dtv_guests_reap(d->guests);
			continue;
		}
		dtv_log(DTV_INFO, "signal %u: ending; guests go on", info.ssi_signo);
		dtv_loop_quit(d->loop);
	}
}

static int watch_signals(struct daemon *d)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (d->signals < 0 || !dtv_loop_add(d->loop, d->signals, EPOLLIN, on_signal, d))
		return -errno;
	return 0;
}

/* One daemon per run directory: the lock goes when its process does. */
static int open_run_dir(struct daemon *d)
{
	const char *path = d->opt.run_dir;
	int lock;

	if (mkdir(path, 0755) < 0 && errno != EEXIST) {
		dtv_log(DTV_ERR, "%s: %s", path, strerror(errno));
		return -1;
	}
	d->run_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	lock = d->run_dir < 0 ? -1 : openat(d->run_dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0) {
		dtv_log(DTV_ERR, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (flock(lock, LOCK_EX | LOCK_NB) < 0) {
		dtv_log(DTV_ERR, "%s: another dtvd is running", path);
		return -1;
	}
	return 0;
}

/* Who is in the group may use the service; without such a group root alone. */
static int open_socket(struct daemon *d)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct group *gr = getgrnam(d->opt.group);
	mode_t mask;
	int ret;

	if (strlen(d->socket) >= sizeof(a.sun_path)) {
		dtv_log(DTV_ERR, "%s: longer than a socket's path can be", d->socket);
		return -1;
	}
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", d->socket);
	unlink(d->socket);
	d->listen = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0177);
	ret = d->listen < 0 ? -1 : bind(d->listen, (struct sockaddr *)&a, sizeof(a));
	umask(mask);
	if (!ret && gr && geteuid() == 0)
		ret = chown(d->socket, 0, gr->gr_gid) < 0 || chmod(d->socket, 0660) < 0 ? -1 : 0;
	if (ret < 0 || listen(d->listen, SOMAXCONN) < 0) {
		dtv_log(DTV_ERR, "%s: %s", d->socket, strerror(errno));
		return -1;
	}
	return 0;
}

static void module_event(void *opaque, const char *name, const char *state, const char *reason)
{
	struct daemon *d = opaque;

	dtv_guests_told(d->guests, name, state, reason);
}

static int daemon_start(struct daemon *d)
{
	char err[256] = "";
	int ret;

	if (open_run_dir(d) < 0)
		return -1;
	d->loop = dtv_loop_new();
	if (!d->loop) {
		dtv_log(DTV_ERR, "epoll: %s", strerror(errno));
		return -1;
	}
	ret = watch_signals(d);
	if (ret < 0) {
		dtv_log(DTV_ERR, "signals: %s", strerror(-ret));
		return -1;
	}
	d->guests = dtv_guests_new(d->loop, d->run_dir, err, sizeof(err));
	if (!d->guests) {
		dtv_log(DTV_ERR, "%s: %s", d->opt.run_dir, err);
		return -1;
	}
	dtv_guests_recover(d->guests);
	d->events = dtv_events_new(d->loop, module_event, d);
	if (open_socket(d) < 0)
		return -1;
	d->varlink = dtv_varlink_new(d->loop, d->listen, dtv_control_call, d->guests);
	return d->varlink ? 0 : -1;
}

static int daemon_main(const struct options *opt)
{
	struct daemon d = { .opt = *opt, .run_dir = -1, .listen = -1, .signals = -1 };
	int ret;

	/* The run directory and what is in it are closed to others by mode, not by luck. */
	umask(022);
	d.socket = opt->socket ? dtv_strdup(opt->socket) : dtv_format("%s/dtvd.sock", opt->run_dir);
	ret = daemon_start(&d);
	if (!ret) {
		notify("READY=1");
		dtv_log(DTV_INFO, "ready on %s", d.socket);
		ret = dtv_loop_run(d.loop);
		unlink(d.socket);
	}
	dtv_varlink_free(d.varlink);
	dtv_events_free(d.events);
	dtv_guests_free(d.guests);
	dtv_loop_free(d.loop);
	free(d.socket);
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "run-dir", required_argument, NULL, 'r' },
		{ "socket", required_argument, NULL, 's' },
		{ "group", required_argument, NULL, 'g' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "check", required_argument, NULL, 'c' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ "guest", required_argument, NULL, 'G' },
		{ NULL, 0, NULL, 0 },
	};
	struct options opt = { .run_dir = RUN_DIR, .group = GROUP };
	int o;

	while ((o = getopt_long(argc, argv, "r:s:g:vhV", longs, NULL)) != -1) {
		switch (o) {
		case 'r':
			opt.run_dir = optarg;
			break;
		case 's':
			opt.socket = optarg;
			break;
		case 'g':
			opt.group = optarg;
			break;
		case 'v':
			opt.verbose = true;
			break;
		case 'c':
			return check(optarg);
		case 'G':
			return dtv_guest_main(optarg);
		case 'V':
			printf("dtvd %s\n", DTV_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	dtv_log_init("dtvd", opt.verbose);
	return daemon_main(&opt);
}
