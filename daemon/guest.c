// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See guest.h. The order of guest_start() is the security of this process:
 * what needs rights comes first and touches nothing that a guest supplies, then
 * rights and system calls go, and only then the guest's files are looked at.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "config.h"
#include "console.h"
#include "hv.h"
#include "kmod/guest/isa.h"
#include "loop.h"
#include "machine.h"
#include "ring.h"
#include "sandbox.h"
#include "util.h"

#define PEERS_MAX 8
/* How long the rest of the output waits for a slow terminal, in ms. */
#define FINISH_MS 2000

struct guest;

/**
 * struct peer - a dtvd that is connected
 * @guest: to whom
 * @fd: -1: free place
 * @watch: of @fd
 */
struct peer {
	struct guest *guest;
	int fd;
	struct dtv_watch *watch;
};

/**
 * struct guest - this process
 * @config: its description
 * @hv: the module
 * @loop: event loop
 * @ring: mapping of the ring file
 * @machine: the guest proper
 * @listen: control socket
 * @signals: signalfd of SIGCHLD and SIGTERM
 * @owner: whose its pseudo terminal is
 * @pty: path of its pseudo terminal, or empty
 * @peer: who is connected
 */
struct guest {
	struct dtv_config config;
	struct dtv_hv hv;
	struct dtv_loop *loop;
	struct dtv_ring *ring;
	struct dtv_machine *machine;
	int listen;
	int signals;
	uid_t owner;
	char pty[64];
	struct peer peer[PEERS_MAX];
};

static void hang_up(struct peer *p)
{
	dtv_loop_del(p->watch);
	close(p->fd);
	p->fd = -1;
	p->watch = NULL;
}

static void send_json(struct peer *p, json_t *msg)
{
	char *text = json_dumps(msg, JSON_COMPACT);

	json_decref(msg);
	/* A dtvd that does not read its answers is not there. */
	if (!text || dtv_packet_send(p->fd, text, strlen(text), NULL, 0) < 0)
		hang_up(p);
	free(text);
}

static const char *state_name(const struct guest *g)
{
	return dtv_machine_paused(g->machine) ? "paused" : "running";
}

static void tell_state(struct guest *g)
{
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (g->peer[i].fd >= 0)
			send_json(&g->peer[i],
				  json_pack("{s:s,s:s}", "event", "state", "state", state_name(g)));
	}
}

/* Operations: each returns the answer. @fd is -1 or a descriptor to take over or close. */

static json_t *op_info(struct guest *g, json_t *msg, int fd)
{
	struct dtv_stats st;
	json_t *answer, *jails = json_array(), *exits = json_array();

	(void)msg;
	(void)fd;
	for (unsigned int i = 0; i < g->config.harts; i++)
		json_array_append_new(jails, json_integer(dtv_machine_jail(g->machine, i)));
	answer = json_pack("{s:b,s:s,s:i,s:o,s:s}", "ok", 1, "state", state_name(g), "pid",
			   (int)getpid(), "jails", jails, "pty", g->pty);
	if (dtv_machine_stats(g->machine, &st) < 0) {
		json_decref(exits);
		return answer;
	}
	for (size_t i = 0; i < DTV_COUNT(st.exits); i++)
		json_array_append_new(exits, json_integer(st.exits[i]));
	json_object_set_new(
		answer, "counters",
		json_pack("{s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "exits", exits, "blocks",
			  (json_int_t)st.blocks, "guest_bytes", (json_int_t)st.guest_bytes,
			  "host_bytes", (json_int_t)st.host_bytes, "misses", (json_int_t)st.misses,
			  "traps", (json_int_t)st.traps, "mmio", (json_int_t)st.mmio, "invalidated",
			  (json_int_t)st.invalidated, "flushes", (json_int_t)st.flushes, "pinned",
			  (json_int_t)st.pinned, "cache_used", (json_int_t)st.cache_used));
	return answer;
}

static json_t *done(struct guest *g, int ret, const char *already)
{
	if (ret == -EALREADY)
		return dtv_failure("WrongState", "the guest is %s already", already);
	if (ret < 0)
		return dtv_failure("Failed", "the module says: %s", strerror(-ret));
	tell_state(g);
	return json_pack("{s:b}", "ok", 1);
}

static json_t *op_pause(struct guest *g, json_t *msg, int fd)
{
	(void)msg;
	(void)fd;
	return done(g, dtv_machine_pause(g->machine), "paused");
}

static json_t *op_unpause(struct guest *g, json_t *msg, int fd)
{
	(void)msg;
	(void)fd;
	return done(g, dtv_machine_unpause(g->machine), "running");
}

static json_t *op_reset(struct guest *g, json_t *msg, int fd)
{
	(void)msg;
	(void)fd;
	dtv_console_note(dtv_machine_console(g->machine), "reset");
	if (dtv_machine_reset(g->machine) < 0)
		return dtv_failure("Failed", "%s", dtv_machine_result(g->machine)->reason);
	tell_state(g);
	return json_pack("{s:b}", "ok", 1);
}

static json_t *op_stop(struct guest *g, json_t *msg, int fd)
{
	(void)msg;
	(void)fd;
	if (dtv_machine_ask_stop(g->machine) < 0)
		return dtv_failure("WrongState", "the guest is paused and cannot be asked");
	return json_pack("{s:b}", "ok", 1);
}

static json_t *op_kill(struct guest *g, json_t *msg, int fd)
{
	const char *reason = json_string_value(json_object_get(msg, "reason"));

	(void)fd;
	dtv_machine_end(g->machine, DTV_RESULT_KILLED, 0, "%s", reason ? reason : "killed");
	return json_pack("{s:b}", "ok", 1);
}

static json_t *op_console(struct guest *g, json_t *msg, int fd)
{
	int ret;

	(void)msg;
	if (fd < 0)
		return dtv_failure("Failed", "no descriptor came");
	ret = dtv_console_attach(dtv_machine_console(g->machine), fd);
	if (ret < 0) {
		close(fd);
		return dtv_failure("Failed", "cannot attach: %s", strerror(-ret));
	}
	return json_pack("{s:b}", "ok", 1);
}

static const struct {
	const char *name;
	json_t *(*run)(struct guest *g, json_t *msg, int fd);
	bool takes_fd;
} ops[] = {
	{ "info", op_info, false },	  { "pause", op_pause, false },
	{ "unpause", op_unpause, false }, { "reset", op_reset, false },
	{ "stop", op_stop, false },	  { "kill", op_kill, false },
	{ "console", op_console, true },
};

static void peer_event(void *arg, uint32_t events)
{
	struct peer *p = arg;
	static char buf[DTV_PACKET_MAX];
	int fds[DTV_FDS_MAX], fd = -1;
	const char *op;
	json_t *msg, *answer = NULL;
	size_t nfds, i;
	ssize_t n;

	(void)events;
	n = dtv_packet_recv(p->fd, buf, sizeof(buf), fds, &nfds);
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		hang_up(p);
		return;
	}
	for (i = 0; i < nfds; i++) {
		if (!i)
			fd = fds[i];
		else
			close(fds[i]);
	}
	msg = json_loadb(buf, n, 0, NULL);
	op = json_string_value(json_object_get(msg, "op"));
	for (i = 0; op && i < DTV_COUNT(ops); i++) {
		if (strcmp(ops[i].name, op))
			continue;
		answer = ops[i].run(p->guest, msg, ops[i].takes_fd ? fd : -1);
		if (ops[i].takes_fd)
			fd = -1;
		break;
	}
	if (!answer)
		answer = dtv_failure("Failed", "no such operation");
	if (fd >= 0)
		close(fd);
	json_decref(msg);
	if (p->fd >= 0)
		send_json(p, answer);
	else
		json_decref(answer);
}

static bool add_peer(struct guest *g, int fd)
{
	for (size_t i = 0; i < PEERS_MAX; i++) {
		struct peer *p = &g->peer[i];

		if (p->fd >= 0)
			continue;
		p->guest = g;
		p->watch = dtv_loop_add(g->loop, fd, EPOLLIN, peer_event, p);
		if (!p->watch)
			return false;
		p->fd = fd;
		return true;
	}
	return false;
}

/* The directory of the socket is closed to others; the second lock is here. */
static void accept_peer(void *arg, uint32_t events)
{
	struct guest *g = arg;
	int fd = accept4(g->listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred cred;
	socklen_t len = sizeof(cred);

	(void)events;
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 ||
	    (cred.uid != 0 && cred.uid != getuid()) || !add_peer(g, fd))
		close(fd);
}

static void on_signal(void *arg, uint32_t events)
{
	struct guest *g = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(g->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			dtv_machine_reap(g->machine);
		else
			dtv_machine_end(g->machine, DTV_RESULT_KILLED, 0,
					"guest process: ended by signal %u of pid %u",
					info.ssi_signo, info.ssi_pid);
	}
}

static int take_config(struct guest *g, const char *text, size_t len, char *err, size_t n)
{
	json_t *msg = json_loadb(text, len, 0, NULL);
	const char *name, *cmdline, *isa, *path;
	json_int_t memory, cache, owner, max_instructions;
	size_t name_len;
	int harts, pty = 0, flash_write = 0, ret;

	ret = json_unpack(msg, "{s:s,s:i,s:I,s:I,s:s,s:s,s:b,s:b,s:I,s:I}", "name", &name, "harts",
			  &harts, "memory", &memory, "cache", &cache, "isa", &isa, "cmdline",
			  &cmdline, "pty", &pty, "flash_write", &flash_write, "owner", &owner,
			  "max_instructions", &max_instructions);
	if (ret < 0 || !dtv_name_ok(name) || harts < 1 || harts > DTV_VCPUS_MAX ||
	    dtv_isa_parse(isa, &g->config.isa, err, n) < 0) {
		json_decref(msg);
		snprintf(err, n, "the description of the guest is broken");
		return -EINVAL;
	}
	snprintf(g->config.name, sizeof(g->config.name), "%s", name);
	g->config.harts = harts;
	g->config.memory = memory;
	g->config.cache = cache;
	g->config.max_instructions = max_instructions;
	g->config.flash_write = flash_write;
	g->owner = owner;
	for (unsigned int i = 0; i < DTV_FILES; i++) {
		path = json_string_value(json_object_get(msg, dtv_file_keys[i]));
		g->config.file[i] = path ? dtv_strdup(path) : NULL;
		if (path && i >= DTV_FILE_PLACE &&
		    loader_parse_place(path, &name_len, &g->config.place_gpa[i - DTV_FILE_PLACE]))
			g->config.file[i][name_len] = 0;
	}
	g->config.cmdline = dtv_strdup(cmdline);
	g->config.console = pty ? DTV_CONSOLE_PTY : DTV_CONSOLE_LOG;
	json_decref(msg);
	return 0;
}

/* The slave stays open here, or the master would see a hangup while nobody uses it. */
static int open_pty(struct guest *g, char *err, size_t n)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave = -1;
	struct termios t;

	if (master >= 0 && !unlockpt(master) && !ptsname_r(master, g->pty, sizeof(g->pty)))
		slave = open(g->pty, O_RDWR | O_NOCTTY | O_CLOEXEC);
	/* Raw from the start: an echo of the guest's output would be its input. */
	if (slave >= 0 && !tcgetattr(slave, &t)) {
		cfmakeraw(&t);
		tcsetattr(slave, TCSANOW, &t);
		if (fchown(slave, g->owner, -1) < 0)
			dtv_log(DTV_WARNING, "%s: %s", g->pty, strerror(errno));
	} else {
		snprintf(err, n, "cannot make a pseudo terminal: %s", strerror(errno));
		g->pty[0] = 0;
		return -EIO;
	}
	return master;
}

static int watch_signals(struct guest *g)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	g->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (g->signals < 0 || !dtv_loop_add(g->loop, g->signals, EPOLLIN, on_signal, g))
		return -errno;
	return 0;
}

static const char *error_of(int ret)
{
	switch (ret) {
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
	case -EPROTO:
		return "NoModule";
	case -EACCES:
	case -EPERM:
		return "NoPermission";
	}
	return "Failed";
}

/* Returns NULL when the guest runs, else the error's name and its text in @err. */
static const char *guest_start(struct guest *g, const char *text, size_t len, const int *fds,
			       size_t nfds, char *err, size_t n)
{
	struct dtv_machine_parts parts = {
		.config = &g->config,
		.hv = &g->hv,
		.spare = sysconf(_SC_NPROCESSORS_ONLN) > 1,
	};
	size_t at = DTV_START_FILES;
	int ret, pty = -1;

	if (nfds < DTV_START_FILES || take_config(g, text, len, err, n) < 0)
		return "Failed";
	for (unsigned int i = 0; i < DTV_FILES; i++)
		parts.file[i] = g->config.file[i] && at < nfds ? fds[at++] : -1;
	g->listen = fds[DTV_START_SOCKET];
	g->ring = mmap(NULL, sizeof(*g->ring), PROT_READ | PROT_WRITE, MAP_SHARED,
		       fds[DTV_START_RING], 0);
	g->loop = dtv_loop_new();
	if (g->ring == MAP_FAILED || !g->loop || watch_signals(g) < 0 || listen(g->listen, 4) < 0 ||
	    !dtv_loop_add(g->loop, g->listen, EPOLLIN, accept_peer, g)) {
		snprintf(err, n, "cannot start: %s", strerror(errno));
		return "Failed";
	}
	ret = dtv_hv_open(&g->hv, err, n);
	if (ret < 0)
		return error_of(ret);
	if (g->config.console == DTV_CONSOLE_PTY) {
		pty = open_pty(g, err, n);
		if (pty < 0)
			return "Failed";
	}
	if (dtv_sandbox_rights(fds[DTV_START_EMPTY], err, n) < 0)
		return "Failed";
	close(fds[DTV_START_EMPTY]);
	close(fds[DTV_START_RING]);
	if (dtv_sandbox_syscalls(err, n) < 0)
		return "Failed";

	parts.loop = g->loop;
	parts.ring = g->ring;
	g->machine = dtv_machine_new(&parts);
	ret = dtv_machine_start(g->machine, err, n);
	if (ret == -EEXIST)
		return "NameTaken";
	if (ret < 0)
		return "Failed";
	if (pty >= 0)
		dtv_console_attach(dtv_machine_console(g->machine), pty);
	return NULL;
}

/* The ring file says how it ended before anybody can see that this process is gone. */
static void guest_finish(struct guest *g)
{
	struct dtv_ring *ring = g->ring;
	struct dtv_end end;

	dtv_machine_stop(g->machine);
	end = *dtv_machine_result(g->machine);
	dtv_console_finish(dtv_machine_console(g->machine), FINISH_MS);
	dtv_machine_free(g->machine);
	g->machine = NULL;
	memcpy(ring->reason, end.reason, sizeof(ring->reason));
	ring->code = end.code;
	__atomic_store_n(&ring->result, end.result, __ATOMIC_RELEASE);
}

/**
 * dtv_guest_main - be the process of a guest
 * @name: for `ps`
 *
 * Return: exit status.
 */
int dtv_guest_main(const char *name)
{
	static struct guest g;
	static char buf[DTV_PACKET_MAX];
	int fds[DTV_FDS_MAX];
	const char *error;
	char err[512] = "", *who;
	json_t *answer;
	char *text;
	size_t nfds;
	ssize_t n;
	int ret;

	who = dtv_format("dtvd[%s]", name);
	dtv_log_init(who, false);
	text = dtv_format("dtvd:%s", name);
	prctl(PR_SET_NAME, text);
	free(text);
	for (size_t i = 0; i < PEERS_MAX; i++)
		g.peer[i].fd = -1;
	n = dtv_packet_recv(DTV_GUEST_FD, buf, sizeof(buf), fds, &nfds);
	if (n <= 0) {
		dtv_log(DTV_ERR, "this is for dtvd's own use");
		return 2;
	}
	error = guest_start(&g, buf, n, fds, nfds, err, sizeof(err));
	answer = error ? dtv_failure(error, "%s", err) :
			 json_pack("{s:b,s:i,s:s}", "ok", 1, "pid", (int)getpid(), "pty", g.pty);
	text = json_dumps(answer, JSON_COMPACT);
	ret = dtv_packet_send(DTV_GUEST_FD, text, strlen(text), NULL, 0);
	free(text);
	json_decref(answer);
	/* A dtvd that ended meanwhile has told nobody that the guest runs: so it does not. */
	if (error || ret < 0) {
		dtv_machine_free(g.machine);
		return 1;
	}
	/* Without dtvd the guest goes on: another one will come. */
	if (fcntl(DTV_GUEST_FD, F_SETFL, O_NONBLOCK) < 0 || !add_peer(&g, DTV_GUEST_FD))
		close(DTV_GUEST_FD);
	ret = dtv_loop_run(g.loop);
	if (ret < 0)
		dtv_machine_end(g.machine, DTV_RESULT_ERROR, 0, "event loop: %s", strerror(-ret));
	guest_finish(&g);
	dtv_config_free(&g.config);
	dtv_loop_free(g.loop);
	free(who);
	return 0;
}
