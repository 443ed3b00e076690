// SPDX-License-Identifier: GPL-2.0-or-later
/* store.c - see store.h. Sealed, as the module takes no other memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store.h"

#define PAGE 4096

int store_make(struct store *s, const char *name, size_t size, char *err, size_t n)
{
	int fd = memfd_create("dtv-device", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *p = MAP_FAILED;

	size = (size + PAGE - 1) & ~(size_t)(PAGE - 1);
	if (fd >= 0 && !ftruncate(fd, size) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		snprintf(err, n, "%s: cannot get %zu KiB of memory: %s", name, size >> 10,
			 strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*s = (struct store){ p, size, fd };
	return 0;
}

void store_free(struct store *s)
{
	if (!s->data)
		return;
	munmap(s->data, s->size);
	close(s->fd);
	*s = (struct store){ .fd = -1 };
}
