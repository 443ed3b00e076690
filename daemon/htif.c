// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * htif.c - see htif.h. The program may change its memory at any time: each
 * word is read once, and checked after that.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "htif.h"

/* clang-format off */
#define HTIF_DEVICE(v) ((v) >> 56)
#define HTIF_COMMAND(v) ((v) >> 48 & 0xff)
#define HTIF_PAYLOAD(v) ((v) & 0xffffffffffffULL)
/* clang-format on */

#define SYS_WRITE 64
#define SYS_EXIT 93

/* The most that one call writes: a program may ask for all of its memory. */
#define WRITE_MAX (64 * 1024)

/* Host pointer to @size bytes of guest RAM, NULL when they are not all RAM. */
static void *guest(const struct image_ram *ram, uint64_t gpa, uint64_t size)
{
	uint64_t at = gpa - ram->gpa;

	return at < ram->size && size <= ram->size - at ? ram->host + at : NULL;
}

static uint64_t get(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static int64_t do_write(struct htif *h, uint64_t fd, uint64_t gpa, uint64_t size)
{
	const void *buf;

	if (fd != 1 && fd != 2)
		return -EBADF;
	if (!size)
		return 0;
	if (size > WRITE_MAX)
		size = WRITE_MAX;
	buf = guest(&h->ram, gpa, size);
	if (!buf)
		return -EFAULT;
	h->output(h->opaque, buf, size);
	return size;
}

/* False: the program is done. */
static bool proxy_call(struct htif *h, uint64_t gpa)
{
	uint64_t *mem = gpa & 7 ? NULL : guest(&h->ram, gpa, 64);
	int64_t ret;

	if (!mem) {
		h->bad(h->opaque, gpa);
		return false;
	}
	switch (get(&mem[0])) {
	case SYS_WRITE:
		ret = do_write(h, get(&mem[1]), get(&mem[2]), get(&mem[3]));
		break;
	case SYS_EXIT:
		h->finish(h->opaque, get(&mem[1]));
		return false;
	default:
		ret = -ENOSYS;
	}
	__atomic_store_n(&mem[0], (uint64_t)ret, __ATOMIC_RELEASE);
	return true;
}

bool htif_poll(struct htif *h)
{
	uint64_t *tohost = h->elf.tohost & 7 ? NULL : guest(&h->ram, h->elf.tohost, 8);
	uint64_t *fromhost = h->elf.fromhost & 7 ? NULL : guest(&h->ram, h->elf.fromhost, 8);
	bool answer = false;
	uint64_t value;
	uint8_t byte;

	if (!h->elf.tohost || !tohost)
		return false;
	value = get(tohost);
	if (!value)
		return false;
	if (HTIF_DEVICE(value) == 0 && HTIF_COMMAND(value) == 0) {
		/* 1 is success, other odd values carry a code. */
		if (value & 1) {
			h->finish(h->opaque, HTIF_PAYLOAD(value) >> 1);
			return true;
		}
		if (!proxy_call(h, HTIF_PAYLOAD(value)))
			return true;
		answer = true;
	} else if (HTIF_DEVICE(value) == 1 && HTIF_COMMAND(value) == 1) {
		byte = value;
		h->output(h->opaque, &byte, 1);
	}
	__atomic_store_n(tohost, 0, __ATOMIC_SEQ_CST);
	if (answer && fromhost)
		__atomic_store_n(fromhost, 1, __ATOMIC_SEQ_CST);
	return true;
}

/* A buffer of lines on its way to a file. */
static int put(int fd, const char *buf, size_t n)
{
	while (n) {
		ssize_t done = write(fd, buf, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		buf += done;
		n -= done;
	}
	return 0;
}

int htif_signature(const struct image_ram *ram, const struct image_elf *elf, int fd,
		   const char *name, char *err, size_t n)
{
	uint64_t size = elf->end_signature - elf->begin_signature;
	char buf[9 * 256 + 1];
	const uint8_t *p;
	size_t used = 0;

	if (!elf->begin_signature || elf->end_signature < elf->begin_signature) {
		snprintf(err, n, "the program has no begin_signature and end_signature");
		return -1;
	}
	p = guest(ram, elf->begin_signature, size);
	if (!p) {
		snprintf(err, n, "the signature lies outside of memory");
		return -1;
	}
	for (uint64_t i = 0; i + 4 <= size; i += 4) {
		uint32_t word;

		memcpy(&word, p + i, 4);
		used += snprintf(buf + used, sizeof(buf) - used, "%08" PRIx32 "\n", word);
		if (used + 9 >= sizeof(buf) || i + 8 > size) {
			if (put(fd, buf, used)) {
				snprintf(err, n, "%s: %s", name, strerror(errno));
				return -1;
			}
			used = 0;
		}
	}
	return 0;
}
