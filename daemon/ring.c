// SPDX-License-Identifier: GPL-2.0-or-later
/* See ring.h. */
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/** dtv_result_name - the word for @result that the interface uses */
const char *dtv_result_name(enum dtv_result result)
{
	static const char *const names[DTV_RESULTS] = {
		[DTV_RESULT_NONE] = "none",	  [DTV_RESULT_POWEROFF] = "poweroff",
		[DTV_RESULT_FAILURE] = "failure", [DTV_RESULT_PANIC] = "panic",
		[DTV_RESULT_KILLED] = "killed",	  [DTV_RESULT_ERROR] = "error",
	};

	return result < DTV_RESULTS ? names[result] : "error";
}

/**
 * dtv_ring_create - make an empty ring file in place of an older one
 * @dirfd: directory
 * @name: file name there
 * @err: text on failure
 * @n: room there
 *
 * Its blocks are allocated, so that writing through a mapping cannot fail.
 *
 * Return: a descriptor open for reading and writing, or -errno.
 */
int dtv_ring_create(int dirfd, const char *name, char *err, unsigned long n)
{
	uint32_t magic = DTV_RING_MAGIC;
	int fd, ret;

	unlinkat(dirfd, name, 0);
	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		ret = -errno;
		snprintf(err, n, "%s: %s", name, strerror(-ret));
		return ret;
	}
	ret = -posix_fallocate(fd, 0, sizeof(struct dtv_ring));
	if (!ret && pwrite(fd, &magic, sizeof(magic), 0) != sizeof(magic))
		ret = -errno;
	if (ret) {
		snprintf(err, n, "%s: %s", name, strerror(-ret));
		close(fd);
		unlinkat(dirfd, name, 0);
		return ret;
	}
	return fd;
}
