/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uhost.h - what the files of uhost share: one guest, its harts, its console.
 *
 * Threads: one per hart (hart.c) and the main thread (main.c), which serves
 * stdin, device timers and HTIF. Devices are ruled by uhost.devices (mutex);
 * everything of the engine is ruled as kmod/hart.h says.
 */
#ifndef UHOST_H
#define UHOST_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "../../kmod/hart.h"

#include "../../daemon/board.h"
#include "../../daemon/htif.h"
#include "../../daemon/image.h"

/* Exit codes. A failure reported through finisher or HTIF is passed on as it is. */
#define UHOST_OK 0
#define UHOST_KILLED 1 /* guest broke down, asked for a reset, or uhost was interrupted */
#define UHOST_USAGE 2
#define UHOST_LIMIT 123
#define UHOST_TIMEOUT 124

#define UHOST_RUN_TAGS 1024
#define UHOST_GONE 256

/**
 * struct uview - what uhost knows about a view beside view.c
 * @vmas: upper bound of the host VMAs in it
 * @tags: runs of neighbours that were filled once: gva run number + 1, direct-mapped; see views.c
 * @gone: pages known not to be mapped: gva + 1, direct-mapped; the owner's alone
 */
struct uview {
	u32 vmas;
	u64 tags[UHOST_RUN_TAGS];
	u64 gone[UHOST_GONE];
};

/**
 * struct uhart - a hart and its thread
 * @cpu: the engine's part
 * @host: back pointer
 * @thread: its thread
 * @tid: the kernel's id of it, 0 before it runs
 * @wake: counts kicks; the futex that a waiting hart sleeps on
 * @kicked: a kick came since the loop last looked; read by uhost_enter()
 * @timer: guest timer
 * @rekick: fires a moment after a kick that found the hart where it cannot be interrupted
 * @altstack: for signal handlers
 * @views: beside cpu.views
 * @exits: per enum dtv_exit
 * @causes: traps per cause; interrupts from 32 on
 * @blocks: translated by this hart
 * @misses: view misses
 * @maps: host mappings made
 * @zaps: host mappings removed
 * @resets: views emptied
 * @kicks: kicks that arrived in translated code
 * @waits: times the hart slept
 * @wait_ns: how long
 * @mmio: MMIO accesses
 */
struct uhart {
	struct dtv_cpu cpu;
	struct uhost *host;
	pthread_t thread;
	pid_t tid;
	u32 wake;
	u32 kicked;
	timer_t timer;
	timer_t rekick;
	void *altstack;
	struct uview *views;
	u64 exits[DTV_NR_EXITS];
	u64 causes[64];
	u64 blocks, misses, maps, zaps, resets, kicks, waits, wait_ns, mmio;
};

/**
 * struct uhost - the guest
 * @vm: the engine's part
 * @harts: vm.nr_cpus of them
 * @nr_harts: how many
 * @ready: threads of theirs that may start
 * @nr_views: views per hart
 * @ram: guest RAM, mapped for C code
 * @ram_fd: memfd of it
 * @cache_rw: code cache as C code writes it
 * @cache_exec: the same as harts run it
 * @cache_size: bytes
 * @t0: CLOCK_MONOTONIC at guest time 0, ns
 * @devices: rules the devices and @out
 * @board: devices
 * @hidden: of each of board_rom(): the device answers loads
 * @htif: mailbox of a bare-metal program; the main thread's
 * @out: console output not written yet
 * @out_used: bytes in it
 * @in: console input that nobody took yet
 * @in_used: bytes in it
 * @event_fd: wakes the main thread
 * @done: somebody asked to stop
 * @code: exit code of who was first
 * @why: message of who was first; empty: none
 * @trace: print every trace event
 */
struct uhost {
	struct dtv_vm_core vm;
	struct uhart *harts[DTV_MAX_HARTS];
	unsigned int nr_harts;
	u32 ready;
	unsigned int nr_views;
	struct image_ram ram;
	int ram_fd;
	u8 *cache_rw;
	u8 *cache_exec;
	u64 cache_size;
	u64 t0;
	pthread_mutex_t devices;
	struct board board;
	bool hidden[BOARD_ROMS];
	struct htif htif;
	u8 out[4096];
	size_t out_used;
	u8 in[4096];
	size_t in_used;
	int event_fd;
	u32 done;
	int code;
	char why[256];
	bool trace;
};

static inline struct uhart *uhart_of(struct dtv_cpu *cpu)
{
	return container_of(cpu, struct uhart, cpu);
}

static inline struct uhost *uhost_of(struct dtv_vm_core *vm)
{
	return container_of(vm, struct uhost, vm);
}

static inline u64 uhost_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* main.c */

/* End the run: the first caller's code and message count. Any thread, also in signal handlers. */
void uhost_stop(struct uhost *u, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Make the main thread look around. Any context. */
void uhost_poke(struct uhost *u);

/* console.c: stdio and the terminal. */
void console_init(void);
void console_restore(void);
/* Bytes from the guest; caller holds u->devices. */
void console_put(struct uhost *u, const void *buf, size_t n);
/* Write out what waits; caller holds u->devices. */
void console_flush(struct uhost *u);
/* Hand waiting input to the UART; caller holds u->devices. */
void console_feed(struct uhost *u);
/* Read stdin (it is readable). Returns false at its end. Main thread. */
bool console_read(struct uhost *u);

/* machine.c: devices. */

/* The memory of the board at @gpa, and how far in it that is; NULL: there is none. */
const struct store *machine_rom(const struct uhost *u, gpa_t gpa, u64 *at, unsigned int *idx);
int machine_init(struct uhost *u, char *err, size_t n);
/* An MMIO access in cpu->mmio. Hart's thread. */
void machine_mmio(struct uhost *u, struct dtv_mmio *mmio);

/* hart.c: threads, entry, signals. */
void hart_signals(struct uhost *u);
int hart_start(struct uhart *h);
void hart_kick(struct uhart *h);
/* Whether the caller is this hart's thread. */
bool hart_is_self(const struct uhart *h);

/* views.c: address space. */
int views_reserve(struct uhost *u, char *err, size_t n);
int views_init(struct uhart *h);
/* Which view of @h has host address @addr, gap included. Returns false when none. */
bool views_find(struct uhart *h, u64 addr, unsigned int *idx, gva_t *gva);
/* Carry out a miss that is to be mapped. Hart's thread, in its fault handler. */
void views_map(struct uhart *h, const struct dtv_miss *m);

/* stats.c */
const char *stats_exit_name(unsigned int reason);
void stats_print(const struct uhost *u, u64 ns);

/* dump.c: the TOP hottest blocks to a file, or stderr. Returns 0, or -1 and has said why. */
int dump_blocks(const struct uhost *u, const char *path, unsigned long top);
/* dump.c: a line "COUNT NAME" for each instruction, at most so often executed. The same. */
int dump_ops(const struct uhost *u, const char *path);

#ifdef DTV_MUTATE
/* --- mutate.c, in the test build alone --- */

/* Break the engine as @name says (kmod/guest/mutants.h), before it is made. */
bool mutate_choose(const char *name);
void mutate_list(void);
#endif

#endif /* UHOST_H */
