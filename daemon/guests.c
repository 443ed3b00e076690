// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See guests.h. dtvd is only a broker: all that matters is in the guest's
 * process and in the run directory, so nothing is lost when dtvd dies. That a
 * guest has ended is seen by its pidfd, never by its socket: a process that is
 * there but silent is still there.
 */
#include "guests.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "kmod/guest/isa.h"
#include "ring.h"
#include "util.h"

/* How long a guest's process may take to end itself when it is told to. */
#define KILL_NS 3000000000LL

enum state {
	STARTING,
	RUNNING,
	PAUSED,
	STOPPED,
};

static const char *const state_names[] = {
	[STARTING] = "starting",
	[RUNNING] = "running",
	[PAUSED] = "paused",
	[STOPPED] = "stopped",
};

/**
 * struct request - somebody who waits for an answer
 * @next: list
 * @fn: to be told; NULL: nobody
 * @arg: for @fn and @alive
 * @alive: waiters only: is anybody there still?
 */
struct request {
	struct request *next;
	dtv_answer_fn fn;
	void *arg;
	bool (*alive)(void *arg);
};

/**
 * struct dtv_guest - one guest
 * @gs: all of them
 * @next: list, by name
 * @name: its name
 * @info: what it is and how it ended, as in its .json file
 * @state: see enum state
 * @pid: its process
 * @pidfd: the same; -1: ended
 * @pid_watch: of @pidfd
 * @chan: socket to it; -1: none
 * @chan_watch: of @chan
 * @asked: requests not yet answered, in order
 * @asked_end: where the next goes
 * @waiters: those who wait for its end
 * @kill_timer: when patience ends
 * @have_status: @status is its wait status
 * @status: see waitpid(2)
 * @told: what the module said about its end
 */
struct dtv_guest {
	struct dtv_guests *gs;
	struct dtv_guest *next;
	char name[DTV_NAME_MAX + 1];
	json_t *info;
	enum state state;
	pid_t pid;
	int pidfd;
	struct dtv_watch *pid_watch;
	int chan;
	struct dtv_watch *chan_watch;
	struct request *asked, **asked_end;
	struct request *waiters;
	struct dtv_watch *kill_timer;
	bool have_status;
	int status;
	char told[DTV_END_REASON];
};

/**
 * struct dtv_guests - all guests
 * @loop: event loop
 * @dir: guests/ in the run directory
 * @empty: empty/ there
 * @list: guests by name
 */
struct dtv_guests {
	struct dtv_loop *loop;
	int dir;
	int empty;
	struct dtv_guest *list;
};

static void answer(dtv_answer_fn fn, void *arg, json_t *msg)
{
	if (fn)
		fn(arg, msg);
	json_decref(msg);
}

/* Names of a guest's files. */
static void file_name(const struct dtv_guest *g, const char *suffix, char *buf, size_t n)
{
	snprintf(buf, n, "%s.%s", g->name, suffix);
}

static void remove_file(struct dtv_guest *g, const char *suffix)
{
	char name[DTV_NAME_MAX + 16];

	file_name(g, suffix, name, sizeof(name));
	unlinkat(g->gs->dir, name, 0);
}

static void remove_files(struct dtv_guest *g)
{
	remove_file(g, "json");
	remove_file(g, "ring");
	remove_file(g, "sock");
}

/* The directory may be deeper than a socket's address has room for. */
static void socket_address(const struct dtv_guest *g, struct sockaddr_un *a)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	snprintf(a->sun_path, sizeof(a->sun_path), "/proc/self/fd/%d/%s.sock", g->gs->dir, g->name);
}

/* Write NAME.json so that it is whole or the old one. */
static void save(struct dtv_guest *g)
{
	char name[DTV_NAME_MAX + 16], tmp[DTV_NAME_MAX + 16];
	char *text;
	int fd, ret = -1;

	json_object_set_new(g->info, "state", json_string(state_names[g->state]));
	text = json_dumps(g->info, JSON_INDENT(1));
	file_name(g, "json", name, sizeof(name));
	file_name(g, "tmp", tmp, sizeof(tmp));
	fd = openat(g->gs->dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0 && text)
		ret = dprintf(fd, "%s\n", text);
	if (fd >= 0)
		close(fd);
	if (ret < 0 || renameat(g->gs->dir, tmp, g->gs->dir, name) < 0)
		dtv_log(DTV_WARNING, "%s: cannot write: %s", name, strerror(errno));
	free(text);
}

static struct dtv_guest *guest_new(struct dtv_guests *gs, const char *name)
{
	struct dtv_guest *g = dtv_zalloc(sizeof(*g)), **p = &gs->list;

	g->gs = gs;
	snprintf(g->name, sizeof(g->name), "%s", name);
	g->pidfd = -1;
	g->chan = -1;
	g->asked_end = &g->asked;
	while (*p && strcmp((*p)->name, name) < 0)
		p = &(*p)->next;
	g->next = *p;
	*p = g;
	return g;
}

static void close_chan(struct dtv_guest *g)
{
	dtv_loop_del(g->chan_watch);
	g->chan_watch = NULL;
	if (g->chan >= 0)
		close(g->chan);
	g->chan = -1;
}

static void answer_all(struct request **list, json_t *msg)
{
	while (*list) {
		struct request *r = *list;

		*list = r->next;
		answer(r->fn, r->arg, json_incref(msg));
		free(r);
	}
	json_decref(msg);
}

static void guest_free(struct dtv_guest *g)
{
	struct dtv_guest **p = &g->gs->list;

	while (*p != g)
		p = &(*p)->next;
	*p = g->next;
	answer_all(&g->waiters, dtv_failure("Failed", "the guest did not start"));
	close_chan(g);
	dtv_loop_del(g->pid_watch);
	dtv_loop_del(g->kill_timer);
	if (g->pidfd >= 0)
		close(g->pidfd);
	json_decref(g->info);
	free(g);
}

static json_t *end_of(const struct dtv_guest *g)
{
	return json_pack("{s:b,s:O,s:O,s:O}", "ok", 1, "result", json_object_get(g->info, "result"),
			 "code", json_object_get(g->info, "code"), "reason",
			 json_object_get(g->info, "reason"));
}

static void set_end(struct dtv_guest *g, enum dtv_result result, int code, const char *reason)
{
	json_t *text = json_string(reason);

	json_object_set_new(g->info, "result", json_string(dtv_result_name(result)));
	json_object_set_new(g->info, "code", json_integer(code));
	json_object_set_new(g->info, "reason", text ? text : json_string("not readable"));
	json_object_set_new(g->info, "ended", json_integer(time(NULL)));
}

/* How it ended: by its own word in the ring file, else by what we saw. */
static void find_end(struct dtv_guest *g)
{
	char name[DTV_NAME_MAX + 16], reason[DTV_END_REASON + 64];
	struct dtv_ring head;
	ssize_t n = -1;
	int fd;

	file_name(g, "ring", name, sizeof(name));
	fd = openat(g->gs->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		n = pread(fd, &head, offsetof(struct dtv_ring, data), 0);
		close(fd);
	}
	if (n == offsetof(struct dtv_ring, data) && head.result > DTV_RESULT_NONE &&
	    head.result < DTV_RESULTS) {
		head.reason[sizeof(head.reason) - 1] = 0;
		set_end(g, head.result, head.code, head.reason);
		return;
	}
	if (g->have_status && WIFSIGNALED(g->status))
		snprintf(reason, sizeof(reason), "guest process: killed by signal %d",
			 WTERMSIG(g->status));
	else if (g->have_status)
		snprintf(reason, sizeof(reason), "guest process: ended with status %d",
			 WEXITSTATUS(g->status));
	else if (g->told[0])
		snprintf(reason, sizeof(reason), "guest process: killed (the module says: %s)",
			 g->told);
	else
		snprintf(reason, sizeof(reason), "guest process: killed");
	set_end(g, DTV_RESULT_KILLED, 0, reason);
}

static bool chan_packet(struct dtv_guest *g);
static void chan_drain(struct dtv_guest *g);

static void guest_ended(struct dtv_guest *g)
{
	struct dtv_guests *gs = g->gs;
	char name[DTV_NAME_MAX + 1];

	/* Its last word, why it did not start, may still be unread; reading it frees @g. */
	memcpy(name, g->name, sizeof(name));
	if (g->state == STARTING && g->chan >= 0) {
		chan_packet(g);
		if (dtv_guests_find(gs, name) != g)
			return;
	}
	chan_drain(g);
	if (!g->have_status && g->pid > 0 && waitpid(g->pid, &g->status, WNOHANG) == g->pid)
		g->have_status = true;
	close_chan(g);
	dtv_loop_del(g->pid_watch);
	g->pid_watch = NULL;
	dtv_loop_del(g->kill_timer);
	g->kill_timer = NULL;
	if (g->pidfd >= 0)
		close(g->pidfd);
	g->pidfd = -1;
	remove_file(g, "sock");
	if (g->state == STARTING) {
		struct request *asked = g->asked;
		json_t *msg =
			g->have_status && WIFSIGNALED(g->status) ?
				dtv_failure("Failed", "%s: its process was killed by signal %d",
					    g->name, WTERMSIG(g->status)) :
				dtv_failure("Failed", "%s: its process ended at once", g->name);

		remove_files(g);
		guest_free(g);
		answer_all(&asked, msg);
		return;
	}
	find_end(g);
	g->state = STOPPED;
	save(g);
	dtv_log(DTV_INFO, "guest %s stopped: %s", g->name,
		json_string_value(json_object_get(g->info, "reason")));
	answer_all(&g->asked, dtv_failure("WrongState", "the guest has just stopped"));
	g->asked_end = &g->asked;
	answer_all(&g->waiters, end_of(g));
}

static void pid_event(void *arg, uint32_t events)
{
	(void)events;
	guest_ended(arg);
}

static void set_state(struct dtv_guest *g, const char *name)
{
	if (name && !strcmp(name, "paused"))
		g->state = PAUSED;
	else if (name && !strcmp(name, "running"))
		g->state = RUNNING;
}

/* The answer to the first packet: it runs, or it never will. */
static bool started(struct dtv_guest *g, json_t *msg)
{
	struct request *r = g->asked;
	bool ok = json_is_true(json_object_get(msg, "ok"));

	g->asked = r->next;
	if (!g->asked)
		g->asked_end = &g->asked;
	if (ok) {
		g->state = RUNNING;
		json_object_set(g->info, "pty", json_object_get(msg, "pty"));
		json_object_set_new(msg, "name", json_string(g->name));
		save(g);
		dtv_log(DTV_INFO, "guest %s started, pid %d", g->name, g->pid);
	} else {
		/* Its process ends by itself. */
		remove_files(g);
		guest_free(g);
	}
	answer(r->fn, r->arg, json_incref(msg));
	free(r);
	return ok;
}

/* One packet. False: nothing more can be read now, or @g is gone. */
static bool chan_packet(struct dtv_guest *g)
{
	static char buf[DTV_PACKET_MAX];
	ssize_t n = dtv_packet_recv(g->chan, buf, sizeof(buf), NULL, NULL);
	struct request *r;
	bool more = true;
	json_t *msg;

	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		close_chan(g);
		/* While it starts, its end will say more. */
		if (g->state != STARTING) {
			struct request *asked = g->asked;

			g->asked = NULL;
			g->asked_end = &g->asked;
			answer_all(&asked, dtv_failure("Failed", "its process hung up"));
		}
		return false;
	}
	msg = json_loadb(buf, n, 0, NULL);
	r = g->asked;
	if (json_object_get(msg, "event")) {
		set_state(g, json_string_value(json_object_get(msg, "state")));
	} else if (r && json_is_object(msg)) {
		if (g->state == STARTING) {
			more = started(g, msg);
		} else {
			g->asked = r->next;
			if (!g->asked)
				g->asked_end = &g->asked;
			set_state(g, json_string_value(json_object_get(msg, "state")));
			answer(r->fn, r->arg, json_incref(msg));
			free(r);
		}
	}
	json_decref(msg);
	return more;
}

static void chan_drain(struct dtv_guest *g)
{
	/* While it starts only guest_ended() itself may free it. */
	while (g->state != STARTING && g->chan >= 0 && chan_packet(g))
		;
}

static void chan_event(void *arg, uint32_t events)
{
	(void)events;
	chan_packet(arg);
}

static void ask(struct dtv_guest *g, dtv_answer_fn fn, void *arg)
{
	struct request *r = dtv_zalloc(sizeof(*r));

	r->fn = fn;
	r->arg = arg;
	*g->asked_end = r;
	g->asked_end = &r->next;
}

static int watch_chan(struct dtv_guest *g, int fd)
{
	g->chan = fd;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	g->chan_watch = dtv_loop_add(g->gs->loop, fd, EPOLLIN, chan_event, g);
	return g->chan_watch ? 0 : -errno;
}

static int watch_pid(struct dtv_guest *g, pid_t pid)
{
	g->pid = pid;
	g->pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (g->pidfd >= 0) {
		fcntl(g->pidfd, F_SETFD, FD_CLOEXEC);
		g->pid_watch = dtv_loop_add(g->gs->loop, g->pidfd, EPOLLIN, pid_event, g);
	}
	return g->pid_watch ? 0 : -errno;
}

/**
 * dtv_guests_new - make the list of guests
 * @loop: event loop
 * @run_dir: descriptor of the run directory; stays the caller's
 * @err: text on failure
 * @n: room there
 *
 * Return: an empty list, or NULL.
 */
struct dtv_guests *dtv_guests_new(struct dtv_loop *loop, int run_dir, char *err, size_t n)
{
	struct dtv_guests *gs = dtv_zalloc(sizeof(*gs));

	gs->loop = loop;
	mkdirat(run_dir, "guests", 0700);
	mkdirat(run_dir, "empty", 0555);
	gs->dir = openat(run_dir, "guests", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	gs->empty = openat(run_dir, "empty", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (gs->dir < 0 || gs->empty < 0) {
		snprintf(err, n, "cannot use the run directory: %s", strerror(errno));
		dtv_guests_free(gs);
		return NULL;
	}
	return gs;
}

/* Connect to the process that a record names. */
static int reconnect(struct dtv_guest *g)
{
	pid_t pid = json_integer_value(json_object_get(g->info, "pid"));
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), ret = 0;
	socklen_t len = sizeof(struct ucred);
	struct sockaddr_un a;
	struct ucred cred;

	if (fd < 0)
		return -errno;
	socket_address(g, &a);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		ret = -errno;
	else if (cred.pid != pid || cred.uid != geteuid())
		ret = -ESRCH;
	if (!ret && g->pidfd < 0)
		ret = watch_pid(g, pid);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return watch_chan(g, fd);
}

static void recover_one(struct dtv_guests *gs, const char *file)
{
	int fd = openat(gs->dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	json_t *info = fd >= 0 ? json_loadfd(fd, 0, NULL) : NULL;
	const char *name = json_string_value(json_object_get(info, "name"));
	const char *state = json_string_value(json_object_get(info, "state"));
	struct dtv_guest *g;

	if (fd >= 0)
		close(fd);
	if (!name || !state || !dtv_name_ok(name) || strncmp(file, name, strlen(name)) ||
	    strcmp(file + strlen(name), ".json") || dtv_guests_find(gs, name)) {
		dtv_log(DTV_WARNING, "guests/%s: not a guest's record", file);
		json_decref(info);
		return;
	}
	g = guest_new(gs, name);
	g->info = info;
	g->state = STOPPED;
	if (!strcmp(state, "stopped") && json_object_get(info, "result"))
		return;
	if (!reconnect(g)) {
		g->state = RUNNING;
		dtv_guest_ask(g, "info", -1, NULL, NULL);
		dtv_log(DTV_INFO, "guest %s is there, pid %d", name, g->pid);
		return;
	}
	guest_ended(g);
}

/**
 * dtv_guests_recover - find guests of a dtvd before this one
 * @gs: empty list
 */
void dtv_guests_recover(struct dtv_guests *gs)
{
	int fd = openat(gs->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		const char *dot = strrchr(e->d_name, '.');

		if (dot && !strcmp(dot, ".json"))
			recover_one(gs, e->d_name);
	}
	if (d)
		closedir(d);
}

/** dtv_guests_find - the guest @name, or NULL */
struct dtv_guest *dtv_guests_find(struct dtv_guests *gs, const char *name)
{
	for (struct dtv_guest *g = gs->list; g; g = g->next)
		if (!strcmp(g->name, name))
			return g;
	return NULL;
}

/** dtv_guests_list - array of what dtv_guest_describe() says, by name */
json_t *dtv_guests_list(struct dtv_guests *gs)
{
	json_t *list = json_array();

	for (struct dtv_guest *g = gs->list; g; g = g->next)
		if (g->state != STARTING)
			json_array_append_new(list, dtv_guest_describe(g));
	return list;
}

/* In the child: be the guest's process. */
static void become_guest(const char *name, int sock)
{
	char *argv[4] = { "dtvd", "--guest", (char *)name };
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (sock == DTV_GUEST_FD)
		fcntl(sock, F_SETFD, 0);
	else
		dup2(sock, DTV_GUEST_FD);
	syscall(SYS_close_range, DTV_GUEST_FD + 1, ~0u, 0);
	execv("/proc/self/exe", argv);
	_exit(127);
}

static int bind_socket(struct dtv_guest *g, char *err, size_t n)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un a;

	socket_address(g, &a);
	remove_file(g, "sock");
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		snprintf(err, n, "cannot make the guest's socket: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static int spawn(struct dtv_guest *g, const int *fds, size_t nfds, char *err, size_t n)
{
	char *text = json_dumps(g->info, JSON_COMPACT);
	int pair[2], ret = -1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		snprintf(err, n, "cannot make a socket: %s", strerror(errno));
		free(text);
		return -1;
	}
	pid = fork();
	if (!pid)
		become_guest(g->name, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		snprintf(err, n, "cannot fork: %s", strerror(errno));
		close(pair[0]);
	} else {
		json_object_set_new(g->info, "pid", json_integer(pid));
		ret = dtv_packet_send(pair[0], text, strlen(text), fds, nfds);
		if (!ret)
			ret = watch_pid(g, pid);
		if (!ret)
			ret = watch_chan(g, pair[0]);
		else
			close(pair[0]);
		if (ret)
			snprintf(err, n, "cannot speak to the guest's process: %s", strerror(-ret));
	}
	free(text);
	return ret;
}

static json_t *describe_config(const struct dtv_config *c, const char *path, uid_t owner)
{
	char isa[DTV_ISA_STRING];
	json_t *info;

	dtv_isa_string(c->isa, isa, sizeof(isa));
	info = json_pack("{s:s,s:s,s:i,s:I,s:I,s:s,s:s,s:b,s:b,s:I,s:I,s:I}", "name", c->name,
			 "config", path, "harts", (int)c->harts, "memory", (json_int_t)c->memory,
			 "cache", (json_int_t)c->cache, "isa", isa, "cmdline", c->cmdline, "pty",
			 c->console == DTV_CONSOLE_PTY, "flash_write", c->flash_write, "started",
			 (json_int_t)time(NULL), "owner", (json_int_t)owner, "max_instructions",
			 (json_int_t)c->max_instructions);

	for (unsigned int i = 0; info && i < DTV_FILES; i++) {
		char *text;
		int ret;

		if (!c->file[i])
			continue;
		text = i < DTV_FILE_PLACE ?
			       dtv_strdup(c->file[i]) :
			       dtv_format("%s@0x%llx", c->file[i],
					  (unsigned long long)c->place_gpa[i - DTV_FILE_PLACE]);
		ret = json_object_set_new(info, dtv_file_keys[i], json_string(text));
		free(text);
		if (ret < 0) {
			json_decref(info);
			return NULL;
		}
	}
	return info;
}

/**
 * dtv_guests_start - start a guest
 * @gs: all guests
 * @c: checked description
 * @path: its file, for the record
 * @owner: who asked: its pseudo terminal will be theirs
 * @files: its files, open, the caller's; -1: none
 * @fn: told when the guest runs or why it does not
 * @arg: for @fn
 */
void dtv_guests_start(struct dtv_guests *gs, const struct dtv_config *c, const char *path,
		      uid_t owner, const int files[DTV_FILES], dtv_answer_fn fn, void *arg)
{
	struct dtv_guest *g = dtv_guests_find(gs, c->name);
	char name[DTV_NAME_MAX + 16], err[256] = "";
	size_t nfds = DTV_START_FILES;
	int fds[DTV_FDS_MAX];
	json_t *info;
	int ret = -1;

	if (g && g->state != STOPPED) {
		answer(fn, arg, dtv_failure("NameTaken", "a guest %s is there already", c->name));
		return;
	}
	info = describe_config(c, path, owner);
	if (!info) {
		answer(fn, arg, dtv_failure("Failed", "a path or the command line is no UTF-8"));
		return;
	}
	if (g)
		dtv_guest_forget(g);
	g = guest_new(gs, c->name);
	g->info = info;
	file_name(g, "ring", name, sizeof(name));
	for (unsigned int i = 0; i < DTV_FILES; i++) {
		if (files[i] >= 0)
			fds[nfds++] = files[i];
	}
	fds[DTV_START_EMPTY] = gs->empty;
	fds[DTV_START_SOCKET] = -1;
	fds[DTV_START_RING] = dtv_ring_create(gs->dir, name, err, sizeof(err));
	if (fds[DTV_START_RING] >= 0)
		fds[DTV_START_SOCKET] = bind_socket(g, err, sizeof(err));
	if (fds[DTV_START_SOCKET] >= 0)
		ret = spawn(g, fds, nfds, err, sizeof(err));
	if (fds[DTV_START_RING] >= 0)
		close(fds[DTV_START_RING]);
	if (fds[DTV_START_SOCKET] >= 0)
		close(fds[DTV_START_SOCKET]);
	if (ret < 0) {
		remove_files(g);
		guest_free(g);
		answer(fn, arg, dtv_failure("Failed", "%s", err));
		return;
	}
	ask(g, fn, arg);
	/* From now on the next dtvd would find it. */
	save(g);
}

/** dtv_guests_reap - children have ended (SIGCHLD) */
void dtv_guests_reap(struct dtv_guests *gs)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (struct dtv_guest *g = gs->list; g; g = g->next) {
			if (g->pid == pid && g->pidfd >= 0) {
				g->status = status;
				g->have_status = true;
			}
		}
	}
}

/**
 * dtv_guests_told - the module has sent an event
 * @gs: all guests
 * @name: of the VM
 * @state: what it is now
 * @reason: why, or NULL
 */
void dtv_guests_told(struct dtv_guests *gs, const char *name, const char *state, const char *reason)
{
	struct dtv_guest *g = dtv_guests_find(gs, name);

	dtv_log(DTV_DEBUG, "module: %s: %s%s%s", name, state, reason ? ": " : "",
		reason ? reason : "");
	if (g && g->state != STOPPED && reason && reason[0])
		snprintf(g->told, sizeof(g->told), "%s", reason);
}

/** dtv_guest_alive - has it not ended? */
bool dtv_guest_alive(const struct dtv_guest *g)
{
	return g->state != STOPPED;
}

/** dtv_guest_ending - has it ended, or does its process not speak any more? */
bool dtv_guest_ending(const struct dtv_guest *g)
{
	struct pollfd p = { .fd = g->chan };

	if (g->state == STOPPED || g->chan < 0)
		return true;
	/* That it hung up may be on its way to us through the event loop. */
	return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR);
}

/** dtv_guest_describe - an object of type Guest of the interface; the caller's */
json_t *dtv_guest_describe(const struct dtv_guest *g)
{
	static const char *const keys[] = {
		"harts",   "memory",  "config", "kernel", "initrd", "elf",    "signature",
		"cmdline", "started", "ended",	"result", "code",   "reason",
	};
	json_t *d = json_pack("{s:s,s:s}", "name", g->name, "state", state_names[g->state]);

	for (size_t i = 0; i < DTV_COUNT(keys); i++) {
		json_t *v = json_object_get(g->info, keys[i]);

		if (v)
			json_object_set(d, keys[i], v);
	}
	if (g->state != STOPPED) {
		const char *pty = json_string_value(json_object_get(g->info, "pty"));

		json_object_set_new(d, "pid", json_integer(g->pid));
		if (pty && *pty)
			json_object_set_new(d, "pty", json_string(pty));
	}
	return d;
}

static int send_op(struct dtv_guest *g, const char *op, const char *reason, int fd)
{
	json_t *msg = json_pack("{s:s}", "op", op);
	char *text;
	int ret;

	if (reason)
		json_object_set_new(msg, "reason", json_string(reason));
	text = json_dumps(msg, JSON_COMPACT);
	json_decref(msg);
	ret = g->chan < 0 ? reconnect(g) : 0;
	if (!ret)
		ret = dtv_packet_send(g->chan, text, strlen(text), &fd, fd >= 0 ? 1 : 0);
	free(text);
	return ret;
}

/**
 * dtv_guest_ask - ask a guest's process to do something
 * @g: guest
 * @op: an operation of guest.h
 * @fd: descriptor to pass, which stays the caller's; -1: none
 * @fn: told what came of it; may be NULL
 * @arg: for @fn
 */
void dtv_guest_ask(struct dtv_guest *g, const char *op, int fd, dtv_answer_fn fn, void *arg)
{
	int ret;

	if (g->state == STOPPED) {
		answer(fn, arg,
		       dtv_failure("WrongState", "the guest has stopped: %s",
				   json_string_value(json_object_get(g->info, "reason"))));
		return;
	}
	if (g->state == STARTING) {
		answer(fn, arg, dtv_failure("WrongState", "the guest is not yet running"));
		return;
	}
	ret = send_op(g, op, NULL, fd);
	if (ret < 0)
		answer(fn, arg,
		       dtv_failure("Failed", "its process does not answer: %s", strerror(-ret)));
	else
		ask(g, fn, arg);
}

static void kill_due(void *arg, uint32_t events)
{
	struct dtv_guest *g = arg;

	(void)events;
	if (g->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, g->pidfd, SIGKILL, NULL, 0);
}

/**
 * dtv_guest_kill - end a guest, whatever it says
 * @g: guest
 * @reason: for the record
 * @fn: told when it has ended
 * @arg: for @fn
 */
void dtv_guest_kill(struct dtv_guest *g, const char *reason, dtv_answer_fn fn, void *arg)
{
	if (g->state == STOPPED) {
		dtv_guest_ask(g, "kill", -1, fn, arg);
		return;
	}
	if (g->state == STARTING) {
		/* Who started it will be told. */
		kill_due(g, 0);
		answer(fn, arg, json_pack("{s:b}", "ok", 1));
		return;
	}
	if (!g->kill_timer)
		g->kill_timer = dtv_loop_timer(g->gs->loop, kill_due, g);
	dtv_guest_wait(g, NULL, fn, arg);
	if (send_op(g, "kill", reason, -1) < 0 || !g->kill_timer) {
		kill_due(g, 0);
		return;
	}
	ask(g, NULL, NULL);
	dtv_loop_timer_set(g->kill_timer, KILL_NS);
}

/**
 * dtv_guest_wait - wait for its end
 * @g: guest
 * @alive: does @arg still wait? NULL: always
 * @fn: told {"ok", "result", "code", "reason"}
 * @arg: for both
 */
void dtv_guest_wait(struct dtv_guest *g, bool (*alive)(void *arg), dtv_answer_fn fn, void *arg)
{
	struct request **p = &g->waiters, *r;

	if (g->state == STOPPED) {
		answer(fn, arg, end_of(g));
		return;
	}
	while ((r = *p)) {
		if (!r->alive || r->alive(r->arg)) {
			p = &r->next;
			continue;
		}
		*p = r->next;
		answer(r->fn, r->arg, dtv_failure("Failed", "gone"));
		free(r);
	}
	r = dtv_zalloc(sizeof(*r));
	r->fn = fn;
	r->arg = arg;
	r->alive = alive;
	*p = r;
}

/**
 * dtv_guest_log - the last of its console output
 * @g: guest, which may have ended
 * @buf: where to
 * @size: room there; DTV_RING_BYTES is enough
 *
 * Return: bytes, the oldest first.
 */
size_t dtv_guest_log(struct dtv_guest *g, char *buf, size_t size)
{
	const off_t base = offsetof(struct dtv_ring, data);
	char name[DTV_NAME_MAX + 16];
	size_t len, pos, first, got = 0;
	uint64_t head = 0;
	ssize_t n;
	int fd;

	file_name(g, "ring", name, sizeof(name));
	fd = openat(g->gs->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	if (pread(fd, &head, sizeof(head), offsetof(struct dtv_ring, head)) != sizeof(head))
		head = 0;
	len = head < DTV_RING_BYTES ? head : DTV_RING_BYTES;
	if (len > size)
		len = size;
	pos = (head - len) % DTV_RING_BYTES;
	first = len < DTV_RING_BYTES - pos ? len : DTV_RING_BYTES - pos;
	n = pread(fd, buf, first, base + pos);
	if (n > 0)
		got = n;
	if (got == first && len > first) {
		n = pread(fd, buf + got, len - first, base);
		if (n > 0)
			got += n;
	}
	close(fd);
	return got;
}

/** dtv_guest_forget - drop an ended guest and its files */
void dtv_guest_forget(struct dtv_guest *g)
{
	remove_files(g);
	guest_free(g);
}

/** dtv_guests_free - forget all in memory; guests and files stay. NULL is fine */
void dtv_guests_free(struct dtv_guests *gs)
{
	if (!gs)
		return;
	while (gs->list) {
		answer_all(&gs->list->asked, dtv_failure("Failed", "dtvd ends"));
		answer_all(&gs->list->waiters, dtv_failure("Failed", "dtvd ends"));
		guest_free(gs->list);
	}
	if (gs->dir >= 0)
		close(gs->dir);
	if (gs->empty >= 0)
		close(gs->empty);
	free(gs);
}
