// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nomem.c - each allocation of a VM's making fails in its turn, where the
 * kernel has fault injection (the lab's debug kernel): the caller is told,
 * nothing is left behind, and the next try works.
 */
#define _GNU_SOURCE
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "vm.h"

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0) {
		printf("# no %s\n", path);
		fflush(stdout);
		_exit(TAP_SKIP);
	}
	EXPECT(write(fd, value, strlen(value)) == (ssize_t)strlen(value));
	close(fd);
}

static void prepare(void)
{
	set("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	set("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	set("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	set("/sys/kernel/debug/failslab/verbose", "0");
	set("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	set("/sys/kernel/debug/fail_usercopy/verbose", "0");
}

/*
 * Let the @nth allocation from now on fail in this task. Return: whether the last order was carried
 * out; @nth 0: no new one.
 */
static bool fail_nth(unsigned int nth)
{
	static __thread int fd = -1;
	char text[16] = "";

	if (fd < 0)
		fd = open("/proc/thread-self/fail-nth", O_RDWR);
	EXPECT(fd >= 0);
	/* The copy to us may be what fails. */
	while (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		;
	bool done = atoi(text) == 0;

	snprintf(text, sizeof(text), "%u", nth);
	while (pwrite(fd, text, strlen(text), 0) <= 0)
		;
	return done;
}

/* The next call with its first allocation failing, then its second, until none is left. */
static unsigned int nth_wanted;

#define EACH(call, undo)                                                                    \
	do {                                                                                \
		unsigned int _n, _failed = 0;                                               \
		bool _hit = true;                                                           \
		for (_n = 1; _hit && _n < 3000; _n += _n < 300 ? 1 : _n / 10) {             \
			nth_wanted = _n;                                                    \
			fail_nth(_n);                                                       \
			long _ret = (call);                                                 \
			int _err = errno;                                                   \
			_hit = fail_nth(0);                                                 \
			if (_ret < 0) {                                                     \
				EXPECT(_err == ENOMEM || _err == ENFILE || _err == EFAULT); \
				_failed++;                                                  \
			} else {                                                            \
				undo;                                                       \
			}                                                                   \
		}                                                                           \
		printf("# %s: %u tries, %u failed\n", #call, _n, _failed);                  \
		EXPECT(_failed);                                                            \
	} while (0)

TEST(create_vm)
{
	struct dtv_create_vm arg = { .name = "nomem", .cache_size = MIB };
	int dev = dev_open();

	prepare();
	EACH(ioctl(dev, DTV_CREATE_VM, &arg), close(_ret));
}

/* A vCPU that got no file stops its VM: each try has one of its own. */
static long vcpu_of_new_vm(int *vm)
{
	close(*vm);
	fail_nth(0);
	*vm = vm_create("nomem");
	fail_nth(nth_wanted);
	return ioctl(*vm, DTV_CREATE_VCPU, 0L);
}

TEST(create_vcpu)
{
	int vm = vm_create("nomem");

	prepare();
	EACH(vcpu_of_new_vm(&vm), close(_ret));
}

TEST(set_memory)
{
	struct dtv_memory mem = { .gpa = DTV_GPA_RAM, .size = 64 * MIB };
	int vm = vm_create("nomem");

	prepare();
	mem.fd = ram_create(mem.size, F_SEAL_SHRINK);
	EACH(ioctl(vm, DTV_SET_MEMORY, &mem), {
		mem.slot++;
		mem.gpa += mem.size;
	});
}

TEST(irqfd)
{
	struct dtv_irqfd irqfd = { .irq = 1 };
	int vm = vm_create("nomem");

	prepare();
	irqfd.fd = eventfd(0, 0);
	EACH(ioctl(vm, DTV_IRQFD, &irqfd), irqfd.irq++);
}

int main(void)
{
	return tap_main();
}
