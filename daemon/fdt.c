// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fdt.c - writes the tree with libfdt's sequential interface. libfdt's errors
 * are sticky there in effect: the first one is kept and reported at the end.
 */
#include <libfdt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fdt.h"

#define PHANDLE_PLIC 1
#define PHANDLE_TEST 2
#define PHANDLE_CPU 0x100 /* + hart: its interrupt controller */

/* Interrupts of a hart's own controller, privileged manual table 3.6. */
#define IRQ_M_SOFT 3
#define IRQ_M_TIMER 7
#define IRQ_S_EXT 9
#define IRQ_M_EXT 11

/**
 * struct tree - a tree being written
 * @fdt: buffer
 * @error: first error of libfdt, 0 so far
 */
struct tree {
	void *fdt;
	int error;
};

static void check(struct tree *t, int ret)
{
	if (ret < 0 && !t->error)
		t->error = ret;
}

static void begin(struct tree *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void begin(struct tree *t, const char *fmt, ...)
{
	char name[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	check(t, fdt_begin_node(t->fdt, name));
}

static void end(struct tree *t)
{
	check(t, fdt_end_node(t->fdt));
}

static void u32(struct tree *t, const char *name, uint32_t v)
{
	check(t, fdt_property_u32(t->fdt, name, v));
}

static void u64(struct tree *t, const char *name, uint64_t v)
{
	check(t, fdt_property_u64(t->fdt, name, v));
}

static void str(struct tree *t, const char *name, const char *v)
{
	check(t, fdt_property_string(t->fdt, name, v));
}

static void flag(struct tree *t, const char *name)
{
	check(t, fdt_property(t->fdt, name, NULL, 0));
}

static void reg(struct tree *t, uint64_t gpa, uint64_t size)
{
	fdt64_t v[2] = { cpu_to_fdt64(gpa), cpu_to_fdt64(size) };

	check(t, fdt_property(t->fdt, "reg", v, sizeof(v)));
}

/* A list of strings: each with its NUL, one behind the other. */
static void strings(struct tree *t, const char *name, const char *const *list)
{
	char buf[512];
	size_t used = 0;

	for (; *list; list++) {
		size_t len = strlen(*list) + 1;

		if (len > sizeof(buf) - used) {
			check(t, -FDT_ERR_NOSPACE);
			return;
		}
		memcpy(buf + used, *list, len);
		used += len;
	}
	check(t, fdt_property(t->fdt, name, buf, used));
}

/* The older form: rv64 plus single letters, then the others after underscores. */
static void isa_string(struct tree *t, const char *const *list)
{
	char buf[512] = "rv64";
	size_t used = strlen(buf);

	for (; *list; list++) {
		const char *sep = strlen(*list) > 1 ? "_" : "";
		int len = snprintf(buf + used, sizeof(buf) - used, "%s%s", sep, *list);

		if ((size_t)len >= sizeof(buf) - used) {
			check(t, -FDT_ERR_NOSPACE);
			return;
		}
		used += len;
	}
	str(t, "riscv,isa", buf);
}

static bool has(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

static void make_chosen(struct tree *t, const struct fdt_machine *m)
{
	char path[64];

	begin(t, "chosen");
	if (m->bootargs)
		str(t, "bootargs", m->bootargs);
	snprintf(path, sizeof(path), "/soc/serial@%llx", MACHINE_UART_GPA);
	str(t, "stdout-path", path);
	if (m->initrd_start) {
		u64(t, "linux,initrd-start", m->initrd_start);
		u64(t, "linux,initrd-end", m->initrd_end);
	}
	if (m->rng_seed_size && m->rng_seed_size <= sizeof(m->rng_seed))
		check(t, fdt_property(t->fdt, "rng-seed", m->rng_seed, m->rng_seed_size));
	end(t);
}

static void make_cpus(struct tree *t, const struct fdt_machine *m)
{
	begin(t, "cpus");
	u32(t, "#address-cells", 1);
	u32(t, "#size-cells", 0);
	u32(t, "timebase-frequency", MACHINE_TIMEBASE_HZ);
	for (unsigned int i = 0; i < m->harts; i++) {
		begin(t, "cpu@%x", i);
		str(t, "device_type", "cpu");
		u32(t, "reg", i);
		str(t, "status", "okay");
		str(t, "compatible", "riscv");
		str(t, "mmu-type", "riscv,sv39");
		str(t, "riscv,isa-base", "rv64i");
		strings(t, "riscv,isa-extensions", m->isa);
		isa_string(t, m->isa);
		if (has(m->isa, "zicbom"))
			u32(t, "riscv,cbom-block-size", MACHINE_CACHE_BLOCK);
		if (has(m->isa, "zicbop"))
			u32(t, "riscv,cbop-block-size", MACHINE_CACHE_BLOCK);
		if (has(m->isa, "zicboz"))
			u32(t, "riscv,cboz-block-size", MACHINE_CACHE_BLOCK);
		begin(t, "interrupt-controller");
		str(t, "compatible", "riscv,cpu-intc");
		u32(t, "#interrupt-cells", 1);
		flag(t, "interrupt-controller");
		u32(t, "phandle", PHANDLE_CPU + i);
		end(t);
		end(t);
	}
	end(t);
}

/* Two wires to each hart's own controller. */
static void wires(struct tree *t, const struct fdt_machine *m, uint32_t first, uint32_t second)
{
	fdt32_t *cell;
	void *p;

	check(t, fdt_property_placeholder(t->fdt, "interrupts-extended",
					  m->harts * 4 * sizeof(fdt32_t), &p));
	if (t->error)
		return;
	cell = p;
	for (unsigned int i = 0; i < m->harts; i++) {
		*cell++ = cpu_to_fdt32(PHANDLE_CPU + i);
		*cell++ = cpu_to_fdt32(first);
		*cell++ = cpu_to_fdt32(PHANDLE_CPU + i);
		*cell++ = cpu_to_fdt32(second);
	}
}

static void make_plic(struct tree *t, const struct fdt_machine *m)
{
	static const char *const compatible[] = { "sifive,plic-1.0.0", "riscv,plic0", NULL };

	begin(t, "interrupt-controller@%llx", MACHINE_PLIC_GPA);
	strings(t, "compatible", compatible);
	reg(t, MACHINE_PLIC_GPA, MACHINE_PLIC_SIZE);
	u32(t, "#address-cells", 0);
	u32(t, "#interrupt-cells", 1);
	flag(t, "interrupt-controller");
	u32(t, "riscv,ndev", MACHINE_PLIC_SOURCES);
	u32(t, "phandle", PHANDLE_PLIC);
	/* Context 2n is hart n's M-mode, 2n + 1 its S-mode. */
	wires(t, m, IRQ_M_EXT, IRQ_S_EXT);
	end(t);
}

static void make_clint(struct tree *t, const struct fdt_machine *m)
{
	static const char *const compatible[] = { "sifive,clint0", "riscv,clint0", NULL };

	begin(t, "clint@%llx", MACHINE_CLINT_GPA);
	strings(t, "compatible", compatible);
	reg(t, MACHINE_CLINT_GPA, MACHINE_CLINT_SIZE);
	wires(t, m, IRQ_M_SOFT, IRQ_M_TIMER);
	end(t);
}

static void interrupt(struct tree *t, unsigned int irq)
{
	u32(t, "interrupt-parent", PHANDLE_PLIC);
	u32(t, "interrupts", irq);
}

static void make_devices(struct tree *t, const struct fdt_machine *m)
{
	static const char *const test[] = { "sifive,test1", "sifive,test0", "syscon", NULL };

	begin(t, "test@%llx", MACHINE_FINISHER_GPA);
	strings(t, "compatible", test);
	reg(t, MACHINE_FINISHER_GPA, 0x1000);
	u32(t, "phandle", PHANDLE_TEST);
	end(t);

	begin(t, "rtc@%llx", MACHINE_RTC_GPA);
	str(t, "compatible", "google,goldfish-rtc");
	reg(t, MACHINE_RTC_GPA, 0x1000);
	interrupt(t, MACHINE_RTC_IRQ);
	end(t);

	begin(t, "serial@%llx", MACHINE_UART_GPA);
	str(t, "compatible", "ns16550a");
	reg(t, MACHINE_UART_GPA, 0x100);
	u32(t, "clock-frequency", MACHINE_UART_CLOCK);
	interrupt(t, MACHINE_UART_IRQ);
	end(t);

	for (unsigned int i = 0; i < m->virtio && i < MACHINE_VIRTIO_MAX; i++) {
		begin(t, "virtio_mmio@%llx", MACHINE_VIRTIO_GPA + i * MACHINE_VIRTIO_SIZE);
		str(t, "compatible", "virtio,mmio");
		reg(t, MACHINE_VIRTIO_GPA + i * MACHINE_VIRTIO_SIZE, MACHINE_VIRTIO_SIZE);
		interrupt(t, MACHINE_VIRTIO_IRQ + i);
		end(t);
	}
}

static void make_flash(struct tree *t)
{
	fdt64_t v[2 * MACHINE_FLASH_BANKS];

	for (unsigned int i = 0; i < MACHINE_FLASH_BANKS; i++) {
		v[2 * i] = cpu_to_fdt64(MACHINE_FLASH_GPA + i * MACHINE_FLASH_SIZE);
		v[2 * i + 1] = cpu_to_fdt64(MACHINE_FLASH_SIZE);
	}
	begin(t, "flash@%llx", MACHINE_FLASH_GPA);
	str(t, "compatible", "cfi-flash");
	check(t, fdt_property(t->fdt, "reg", v, sizeof(v)));
	u32(t, "bank-width", 4);
	end(t);
}

/* Linux's syscon-poweroff and syscon-reboot: store @value to the finisher. */
static void make_syscon(struct tree *t, const char *name, const char *compatible, uint32_t value)
{
	begin(t, "%s", name);
	str(t, "compatible", compatible);
	u32(t, "regmap", PHANDLE_TEST);
	u32(t, "offset", 0);
	u32(t, "value", value);
	end(t);
}

long fdt_make(const struct fdt_machine *m, void *buf, size_t size, char *err, size_t n)
{
	struct tree tree = { .fdt = buf }, *t = &tree;

	check(t, fdt_create(buf, size));
	check(t, fdt_finish_reservemap(buf));
	begin(t, "%s", "");
	u32(t, "#address-cells", 2);
	u32(t, "#size-cells", 2);
	str(t, "compatible", "riscv-virtio");
	str(t, "model", "dtv,virt");

	make_chosen(t, m);
	begin(t, "memory@%llx", MACHINE_RAM_GPA);
	str(t, "device_type", "memory");
	reg(t, MACHINE_RAM_GPA, m->ram_size);
	end(t);
	make_cpus(t, m);
	make_flash(t);

	begin(t, "soc");
	u32(t, "#address-cells", 2);
	u32(t, "#size-cells", 2);
	str(t, "compatible", "simple-bus");
	flag(t, "ranges");
	make_clint(t, m);
	make_plic(t, m);
	make_devices(t, m);
	end(t);

	make_syscon(t, "poweroff", "syscon-poweroff", 0x5555);
	make_syscon(t, "reboot", "syscon-reboot", 0x7777);
	end(t);
	check(t, fdt_finish(buf));
	if (t->error) {
		snprintf(err, n, "device tree: %s", fdt_strerror(t->error));
		return -1;
	}
	return fdt_totalsize(buf);
}
