/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file GUEST.ring in the run directory: the last console output of a guest
 * and, once it has ended, how. The guest's process writes it through a shared
 * mapping, so that it is whole at whatever moment that process dies; dtvd reads
 * it with pread() and trusts nothing in it.
 */
#ifndef DTV_DAEMON_RING_H
#define DTV_DAEMON_RING_H

#include <stdint.h>

#define DTV_RING_MAGIC 0x76746472
#define DTV_RING_BYTES (64 * 1024)
#define DTV_END_REASON 256

/* How a guest ended; the names are in dtv_result_name(). */
enum dtv_result {
	DTV_RESULT_NONE, /* it did not */
	DTV_RESULT_POWEROFF, /* it powered itself off */
	DTV_RESULT_FAILURE, /* it said that it failed, by finisher or SBI */
	DTV_RESULT_PANIC, /* its kernel panicked and hangs */
	DTV_RESULT_KILLED, /* somebody here ended it */
	DTV_RESULT_ERROR, /* it could not go on: the module stopped it */
	DTV_RESULTS,
};

/**
 * struct dtv_ring - content of the file
 * @magic: DTV_RING_MAGIC
 * @result: enum dtv_result; written last
 * @code: with DTV_RESULT_FAILURE the guest's number
 * @reserved: 0
 * @head: bytes ever written; the last is at data[(head - 1) % DTV_RING_BYTES]
 * @reason: why the guest ended, NUL-terminated
 * @pad: up to a page
 * @data: the ring
 */
struct dtv_ring {
	uint32_t magic;
	uint32_t result;
	int32_t code;
	uint32_t reserved;
	uint64_t head;
	char reason[DTV_END_REASON];
	char pad[4096 - 24 - DTV_END_REASON];
	uint8_t data[DTV_RING_BYTES];
};

const char *dtv_result_name(enum dtv_result result);
int dtv_ring_create(int dirfd, const char *name, char *err, unsigned long n);

#endif /* DTV_DAEMON_RING_H */
