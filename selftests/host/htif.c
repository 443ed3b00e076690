// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * htif.c - the mailbox by which bare-metal test programs speak to their host:
 * tohost and fromhost, as Spike defines them. The mailbox is plain memory, so
 * it is polled.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "uhost.h"

/* clang-format off */
#define HTIF_DEVICE(v) ((v) >> 56)
#define HTIF_COMMAND(v) ((v) >> 48 & 0xff)
#define HTIF_PAYLOAD(v) ((v) & 0xffffffffffffULL)
/* clang-format on */

#define SYS_WRITE 64
#define SYS_EXIT 93

/* Host pointer to @size bytes of guest RAM, NULL when they are not all RAM. */
static void *guest(const struct uhost *u, u64 gpa, u64 size)
{
	u64 at = gpa - u->ram.gpa;

	return at < u->ram.size && size <= u->ram.size - at ? u->ram.host + at : NULL;
}

/* The program is done: 1 is success, other odd values carry a code. */
static void finished(struct uhost *u, u64 value)
{
	u64 code = value >> 1;

	if (!code)
		uhost_stop(u, UHOST_OK, "%s", "");
	else
		uhost_stop(u, code & 255 ? (int)(code & 255) : UHOST_KILLED,
			   "guest failed with code %" PRIu64, code);
}

static void proxy_call(struct uhost *u, u64 gpa)
{
	u64 *mem = gpa & 7 ? NULL : guest(u, gpa, 64);
	void *buf;

	if (!mem) {
		uhost_stop(u, UHOST_KILLED, "HTIF: bad address 0x%" PRIx64 " in tohost", gpa);
		return;
	}
	switch (mem[0]) {
	case SYS_WRITE:
		buf = guest(u, mem[2], mem[3]);
		if (!buf || (mem[1] != 1 && mem[1] != 2)) {
			mem[0] = buf ? -EBADF : -EFAULT;
			break;
		}
		pthread_mutex_lock(&u->devices);
		console_put(u, buf, mem[3]);
		pthread_mutex_unlock(&u->devices);
		mem[0] = mem[3];
		break;
	case SYS_EXIT:
		finished(u, mem[1] << 1 | 1);
		break;
	default:
		mem[0] = -ENOSYS;
	}
}

bool htif_poll(struct uhost *u, const struct image_elf *elf)
{
	u64 *tohost = elf->tohost & 7 ? NULL : guest(u, elf->tohost, 8);
	u64 *fromhost = elf->fromhost & 7 ? NULL : guest(u, elf->fromhost, 8);
	bool answer = false;
	u64 value;
	u8 byte;

	if (!elf->tohost || !tohost)
		return false;
	value = __atomic_load_n(tohost, __ATOMIC_ACQUIRE);
	if (!value)
		return false;
	if (HTIF_DEVICE(value) == 0 && HTIF_COMMAND(value) == 0) {
		if (value & 1) {
			finished(u, HTIF_PAYLOAD(value));
			return true;
		}
		proxy_call(u, HTIF_PAYLOAD(value));
		answer = true;
	} else if (HTIF_DEVICE(value) == 1 && HTIF_COMMAND(value) == 1) {
		byte = value;
		pthread_mutex_lock(&u->devices);
		console_put(u, &byte, 1);
		pthread_mutex_unlock(&u->devices);
	}
	__atomic_store_n(tohost, 0, __ATOMIC_SEQ_CST);
	if (answer && fromhost)
		__atomic_store_n(fromhost, 1, __ATOMIC_SEQ_CST);
	return true;
}

int htif_signature(const struct uhost *u, const struct image_elf *elf, const char *path, char *err,
		   size_t n)
{
	u64 size = elf->end_signature - elf->begin_signature;
	const u8 *p;
	FILE *f;

	if (!elf->begin_signature || elf->end_signature < elf->begin_signature) {
		snprintf(err, n, "the program has no begin_signature and end_signature");
		return -1;
	}
	p = guest(u, elf->begin_signature, size);
	if (!p) {
		snprintf(err, n, "the signature lies outside of memory");
		return -1;
	}
	f = fopen(path, "we");
	if (!f) {
		snprintf(err, n, "%s: %s", path, strerror(errno));
		return -1;
	}
	for (u64 i = 0; i + 4 <= size; i += 4) {
		u32 word;

		memcpy(&word, p + i, 4);
		fprintf(f, "%08x\n", word);
	}
	if (fclose(f)) {
		snprintf(err, n, "%s: %s", path, strerror(errno));
		return -1;
	}
	return 0;
}
