// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * parts-test.c - tests of what daemon and uhost share: bus, device models,
 * image loading, device tree. TAP on stdout.
 */
#include <elf.h>
#include <fcntl.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../../daemon/board.h"
#include "../../daemon/image.h"
#include "../../daemon/loader.h"

static int failures;
static const char *current;

#define CHECK(c)                                                              \
	do {                                                                  \
		if (!(c)) {                                                   \
			failures++;                                           \
			printf("# %s: line %d: %s\n", current, __LINE__, #c); \
		}                                                             \
	} while (0)

/* --- bus --- */

static uint64_t reg_value;

static uint64_t reg_read(void *dev, uint64_t offset, unsigned int len)
{
	(void)len;
	return *(uint64_t *)dev + offset;
}

static void reg_write(void *dev, uint64_t offset, unsigned int len, uint64_t data)
{
	(void)len;
	*(uint64_t *)dev = data - offset;
}

static int add(struct bus *b, uint64_t gpa, uint64_t size, char *err)
{
	struct bus_range r = { gpa, size, reg_read, reg_write, &reg_value, "reg" };

	return bus_add(b, &r, err, 128);
}

static void test_bus(void)
{
	char err[128] = "";
	struct bus b;
	uint64_t d;

	bus_init(&b);
	CHECK(!add(&b, 0x2000, 0x1000, err));
	CHECK(!add(&b, 0x1000, 0x1000, err));
	CHECK(!add(&b, 0x4000, 0x10, err));
	CHECK(add(&b, 0x1fff, 2, err) == -1 && strstr(err, "overlaps"));
	CHECK(add(&b, 0x3fff, 2, err) == -1);
	CHECK(add(&b, 0x0, 0x10000, err) == -1);
	CHECK(add(&b, 0x9000, 0, err) == -1);
	CHECK(add(&b, ~0ULL, 2, err) == -1);
	CHECK(!add(&b, ~0ULL, 1, err));
	reg_value = 0xffffffff00000001;
	CHECK(!bus_access(&b, 0x1004, 4, false, &d) && d == 5);
	CHECK(!bus_access(&b, 0x1000, 8, false, &d) && d == 0xffffffff00000001);
	CHECK(bus_access(&b, 0x1ffe, 4, false, &d) == -1 && d == 0);
	CHECK(bus_access(&b, 0x3000, 4, false, &d) == -1);
	CHECK(bus_access(&b, 0x400c, 8, false, &d) == -1);
	CHECK(bus_access(&b, 0xfff, 1, false, &d) == -1);
	d = 100;
	CHECK(!bus_access(&b, 0x4008, 8, true, &d) && reg_value == 92);
	for (int i = 0; i < BUS_RANGES_MAX - 4; i++)
		CHECK(!add(&b, 0x100000 + i * 16, 16, err));
	CHECK(add(&b, 0x900000, 16, err) == -1 && strstr(err, "more than"));
}

/* --- UART --- */

static uint8_t sent[64];
static unsigned int nr_sent, rooms;
static bool wire;

static void on_output(void *opaque, uint8_t byte)
{
	(void)opaque;
	sent[nr_sent++ % sizeof(sent)] = byte;
}

static void on_irq(void *opaque, bool level)
{
	(void)opaque;
	wire = level;
}

static void on_room(void *opaque)
{
	(void)opaque;
	rooms++;
}

static unsigned int rd(struct uart *u, unsigned int r)
{
	return uart_read(u, r, 1);
}

static void wr(struct uart *u, unsigned int r, unsigned int v)
{
	uart_write(u, r, 1, v);
}

static void uart_setup(struct uart *u)
{
	memset(u, 0, sizeof(*u));
	u->output = on_output;
	u->set_irq = on_irq;
	u->input_room = on_room;
	nr_sent = rooms = 0;
	wire = false;
	uart_reset(u);
}

static void test_uart_registers(void)
{
	struct uart u;

	uart_setup(&u);
	CHECK(rd(&u, 5) == 0x60);
	CHECK(rd(&u, 2) == 0x01);
	wr(&u, 2, 1);
	CHECK(rd(&u, 2) == 0xc1);
	wr(&u, 3, 0x80);
	wr(&u, 0, 0x34);
	wr(&u, 1, 0x12);
	CHECK(rd(&u, 0) == 0x34 && rd(&u, 1) == 0x12);
	wr(&u, 3, 0x03);
	CHECK(rd(&u, 1) == 0 && rd(&u, 3) == 3 && nr_sent == 0);
	wr(&u, 1, 0xff);
	CHECK(rd(&u, 1) == 0x0f);
	wr(&u, 1, 0);
	wr(&u, 7, 0xa5);
	CHECK(rd(&u, 7) == 0xa5);
	CHECK(rd(&u, 6) == 0xb0);
	CHECK(rd(&u, 9) == 0);
	wr(&u, 0, 'x');
	CHECK(nr_sent == 1 && sent[0] == 'x');
}

static void test_uart_transmit_interrupt(void)
{
	struct uart u;

	uart_setup(&u);
	wr(&u, 1, 2);
	CHECK(wire);
	CHECK(rd(&u, 2) == 0x02);
	CHECK(!wire && rd(&u, 2) == 0x01);
	wr(&u, 0, 'a');
	CHECK(wire && rd(&u, 2) == 0x02 && !wire);
	/* Writing the same enable again raises nothing; off and on does. */
	wr(&u, 1, 2);
	CHECK(!wire);
	wr(&u, 1, 0);
	wr(&u, 1, 2);
	CHECK(wire);
	/* A receive interrupt hides it but does not consume it. */
	wr(&u, 1, 3);
	CHECK(uart_input(&u, "q", 1) == 1);
	CHECK(rd(&u, 2) == 0x04);
	CHECK(rd(&u, 0) == 'q');
	CHECK(wire && rd(&u, 2) == 0x02);
	CHECK(!wire);
}

static void test_uart_receive(void)
{
	struct uart u;

	uart_setup(&u);
	CHECK(uart_input(&u, "abc", 3) == 1);
	CHECK(rd(&u, 5) == 0x61 && rooms == 0);
	CHECK(rd(&u, 0) == 'a' && rooms == 1 && rd(&u, 5) == 0x60);
	wr(&u, 2, 0x81);
	wr(&u, 1, 1);
	CHECK(uart_input(&u, "0123456", 7) == 7);
	CHECK(wire && rd(&u, 2) == 0xcc);
	CHECK(uart_input(&u, "789abcdefXYZ", 12) == 9);
	CHECK(rd(&u, 2) == 0xc4);
	for (int i = 0; i < 16; i++) {
		CHECK(wire);
		CHECK(rd(&u, 0) == (unsigned int)"0123456789abcdef"[i]);
	}
	CHECK(!wire && rooms == 2 && rd(&u, 0) == 0);
	CHECK(uart_input(&u, "12", 2) == 2);
	wr(&u, 2, 0x83);
	CHECK(!wire && rd(&u, 5) == 0x60);
	wr(&u, 1, 4);
	uart_break(&u);
	CHECK(wire && rd(&u, 2) == 0xc6 && rd(&u, 5) == 0x71 && !wire);
}

static void test_uart_loopback(void)
{
	struct uart u;

	uart_setup(&u);
	wr(&u, 2, 1);
	wr(&u, 4, 0x1a);
	CHECK((rd(&u, 6) & 0xf0) == 0x90);
	wr(&u, 4, 0x1f);
	CHECK((rd(&u, 6) & 0xf0) == 0xf0);
	/* The ring indicator's trailing edge. */
	wr(&u, 4, 0x1b);
	CHECK(rd(&u, 6) == 0xb4);
	CHECK(uart_input(&u, "z", 1) == 0);
	for (int i = 0; i < 16; i++)
		wr(&u, 0, i);
	CHECK(nr_sent == 0 && rd(&u, 5) == 0x61);
	wr(&u, 0, 99);
	CHECK(rd(&u, 5) == 0x63 && rd(&u, 5) == 0x61);
	for (unsigned int i = 0; i < 16; i++)
		CHECK(rd(&u, 0) == i);
	wr(&u, 4, 0x0b);
	CHECK(rooms == 1 || rooms == 0);
	CHECK(uart_input(&u, "z", 1) == 1);
}

/* --- finisher, RTC --- */

static int finished = -1;
static unsigned int finish_code;

static void on_finish(void *opaque, enum finisher_what what, unsigned int code)
{
	(void)opaque;
	finished = what;
	finish_code = code;
}

static void test_finisher(void)
{
	struct finisher f = { .finish = on_finish };

	finisher_write(&f, 0, 4, 0x1234);
	CHECK(finished == -1);
	finisher_write(&f, 4, 4, 0x5555);
	CHECK(finished == -1);
	finisher_write(&f, 0, 4, 0x5555);
	CHECK(finished == FINISHER_POWEROFF);
	finisher_write(&f, 0, 4, 0x73333);
	CHECK(finished == FINISHER_FAIL && finish_code == 7);
	finisher_write(&f, 0, 2, 0x7777);
	CHECK(finished == FINISHER_RESET);
	CHECK(finisher_read(&f, 0, 4) == 0);
}

static uint64_t rtc_time(struct rtc *r)
{
	uint64_t low = rtc_read(r, 0, 4);

	return rtc_read(r, 4, 4) << 32 | low;
}

static void rtc_set(struct rtc *r, unsigned int reg, uint64_t v)
{
	rtc_write(r, reg + 4, 4, v >> 32);
	rtc_write(r, reg, 4, v & 0xffffffff);
}

static void test_rtc(void)
{
	struct rtc r = { .set_irq = on_irq };
	uint64_t t0, due;

	wire = false;
	rtc_reset(&r);
	t0 = rtc_time(&r);
	CHECK(t0 / 1000000000 - time(NULL) <= 1);
	CHECK(rtc_deadline(&r) == RTC_NEVER);
	rtc_set(&r, 0, 1000000000000ULL);
	CHECK(rtc_time(&r) - 1000000000000ULL < 1000000000);
	rtc_write(&r, 0x10, 4, 1);
	rtc_set(&r, 8, 1000000000000ULL + 50000000000ULL);
	CHECK(rtc_read(&r, 0x18, 4) == 1 && !wire);
	due = rtc_deadline(&r);
	CHECK(due - t0 > 49000000000ULL && due - t0 < 51000000000ULL);
	rtc_expire(&r);
	CHECK(!wire);
	rtc_write(&r, 0x14, 4, 1);
	CHECK(rtc_read(&r, 0x18, 4) == 0 && rtc_deadline(&r) == RTC_NEVER);
	/* In the past: at once. */
	rtc_set(&r, 8, 1000);
	CHECK(wire && rtc_read(&r, 0x18, 4) == 0);
	rtc_write(&r, 0x10, 4, 0);
	CHECK(!wire);
	rtc_write(&r, 0x10, 4, 1);
	CHECK(wire);
	rtc_write(&r, 0x1c, 4, 1);
	CHECK(!wire);
}

/* --- images --- */

static int file_of(const void *bytes, size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n) {
		perror("memfd");
		exit(1);
	}
	return fd;
}

static int probe(const void *bytes, size_t n, struct image_kernel *k, char *err)
{
	int fd = file_of(bytes, n), ret;

	ret = image_probe_kernel(fd, "K", k, err, 256);
	close(fd);
	return ret;
}

static void make_image(uint8_t *b, uint64_t text_offset, uint64_t image_size)
{
	memset(b, 0, 4096);
	memcpy(b + 8, &text_offset, 8);
	memcpy(b + 16, &image_size, 8);
	b[32] = 2;
	memcpy(b + 48, "RISCV\0\0", 8);
	memcpy(b + 56, "RSC\x05", 4);
}

static void test_kernel(void)
{
	struct image_layout l;
	struct image_kernel k;
	uint8_t b[4096] = { 0 };
	char err[256];

	CHECK(probe(b, 4096, &k, err) == -1 && strstr(err, "not a RISC-V Linux Image"));
	CHECK(probe(b, 3, &k, err) == -1);
	CHECK(probe(b, 0, &k, err) == -1 && strstr(err, "empty"));
	memcpy(b, "\177ELF", 4);
	CHECK(probe(b, 4096, &k, err) == -1 && strstr(err, "ELF"));
	memcpy(b, "\x1f\x8b\x08\0", 4);
	CHECK(probe(b, 4096, &k, err) == -1 && strstr(err, "gzip"));
	memcpy(b, "MZ\0\0", 4);
	memcpy(b + 0x202, "HdrS", 4);
	CHECK(probe(b, 4096, &k, err) == -1 && strstr(err, "bzImage"));
	memcpy(b + 56, "ARM\x64", 4);
	CHECK(probe(b, 4096, &k, err) == -1 && strstr(err, "arm64"));

	make_image(b, 2 << 20, 20 << 20);
	CHECK(!probe(b, 4096, &k, err) && k.image_size == 20 << 20 && k.file_size == 4096);
	CHECK(!image_place(&k, 1000000, 0x80000000, 256 << 20, &l, err, 256));
	CHECK(l.entry == 0x80200000 && l.kernel_end == 0x81600000);
	CHECK(l.dtb == 0x90000000 - IMAGE_DTB_MAX && l.initrd_end <= l.dtb &&
	      l.initrd_end - l.initrd_start == 1000000 && l.initrd_start % 4096 == 0);
	CHECK(image_place(&k, 0, 0x80000000, 1 << 20, &l, err, 256) == -1 &&
	      strstr(err, "1 MiB is too small"));
	CHECK(image_place(&k, 0, 0x80000000, 16 << 20, &l, err, 256) == -1 &&
	      strstr(err, "kernel does not fit"));
	CHECK(image_place(&k, 0, 0x80000000, 22 << 20, &l, err, 256) == -1 &&
	      strstr(err, "device tree"));
	CHECK(!image_place(&k, 0, 0x80000000, 24 << 20, &l, err, 256) && l.initrd_start == 0);
	CHECK(image_place(&k, 2 << 20, 0x80000000, 24 << 20, &l, err, 256) == -1 &&
	      strstr(err, "initrd does not fit"));
	CHECK(image_place(&k, ~0ULL - 100, 0x80000000, 24 << 20, &l, err, 256) == -1);

	make_image(b, 0x1000, 1 << 20);
	CHECK(probe(b, 4096, &k, err) == -1);
	make_image(b, 2 << 20, ~0ULL);
	CHECK(probe(b, 4096, &k, err) == -1);
	make_image(b, 2 << 20, 1 << 20);
	b[24] = 1;
	CHECK(probe(b, 4096, &k, err) == -1 && strstr(err, "big-endian"));
}

/*
 * struct small_elf - an ELF file with one segment and one symbol
 */
struct small_elf {
	Elf64_Ehdr eh;
	Elf64_Phdr ph;
	Elf64_Shdr sh[3];
	Elf64_Sym sym[2];
	char names[16];
	uint32_t text[4];
};

static void make_elf(struct small_elf *e)
{
	*e = (struct small_elf){
		.eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
			.e_type = ET_EXEC,
			.e_machine = EM_RISCV,
			.e_entry = 0x80000004,
			.e_phoff = offsetof(struct small_elf, ph),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1,
			.e_shoff = offsetof(struct small_elf, sh),
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = 3 },
		.ph = { .p_type = PT_LOAD,
			.p_offset = offsetof(struct small_elf, text),
			.p_paddr = 0x80000000,
			.p_filesz = 16,
			.p_memsz = 32 },
		.sh = { { 0 },
			{ .sh_type = SHT_SYMTAB,
			  .sh_offset = offsetof(struct small_elf, sym),
			  .sh_size = 2 * sizeof(Elf64_Sym),
			  .sh_link = 2 },
			{ .sh_type = SHT_STRTAB,
			  .sh_offset = offsetof(struct small_elf, names),
			  .sh_size = 16 } },
		.sym = { { 0 }, { .st_name = 1, .st_value = 0x80001000 } },
		.names = "\0tohost",
		.text = { 1, 2, 3, 4 },
	};
}

static int load_elf(const struct small_elf *e, size_t n, struct image_elf *out, char *err)
{
	static uint8_t memory[8192];
	struct image_ram ram = { memory, 0x80000000, sizeof(memory) };
	int fd = file_of(e, n), ret;

	memset(memory, 0xff, sizeof(memory));
	ret = image_load_elf(fd, "E", &ram, false, out, err, 256);
	close(fd);
	if (!ret)
		CHECK(!memcmp(memory, e->text, 16) && memory[16] == 0 && memory[31] == 0 &&
		      memory[32] == 0xff);
	return ret;
}

static void test_elf(void)
{
	struct image_elf out;
	struct small_elf e;
	char err[256];

	make_elf(&e);
	CHECK(!load_elf(&e, sizeof(e), &out, err));
	CHECK(out.entry == 0x80000004 && out.tohost == 0x80001000 && !out.fromhost);
	CHECK(load_elf(&e, 40, &out, err) == -1);
	CHECK(load_elf(&e, sizeof(e.eh) + 8, &out, err) == -1);
	e.ph.p_paddr = 0x7ffffff0;
	CHECK(load_elf(&e, sizeof(e), &out, err) == -1 && strstr(err, "outside of memory"));
	make_elf(&e);
	e.ph.p_memsz = ~0ULL;
	CHECK(load_elf(&e, sizeof(e), &out, err) == -1);
	make_elf(&e);
	e.ph.p_offset = 1 << 20;
	CHECK(load_elf(&e, sizeof(e), &out, err) == -1);
	make_elf(&e);
	e.sh[1].sh_link = 9;
	CHECK(load_elf(&e, sizeof(e), &out, err) == -1);
	make_elf(&e);
	e.sh[1].sh_size = 1ULL << 60;
	CHECK(load_elf(&e, sizeof(e), &out, err) == -1);
	make_elf(&e);
	e.sym[1].st_name = 0xffffff;
	memset(e.names, 'x', 16);
	CHECK(!load_elf(&e, sizeof(e), &out, err) && !out.tohost);
	make_elf(&e);
	e.eh.e_machine = EM_X86_64;
	CHECK(load_elf(&e, sizeof(e), &out, err) == -1 && strstr(err, "RISC-V"));
	make_elf(&e);
	e.eh.e_shnum = 0;
	CHECK(!load_elf(&e, sizeof(e), &out, err) && !out.tohost);
}

/* --- loader --- */

static uint8_t memory[24 << 20];

/* Load into fresh memory; what is checked without memory is the same. */
static int load(const struct loader *l, struct rom *rom, struct loader_start *s, char *err)
{
	struct image_ram ram = { NULL, 0x80000000, sizeof(memory) };
	char why[256] = "";
	int ret = loader_load(l, &ram, rom, s, why, sizeof(why)), again;

	memset(memory, 0, sizeof(memory));
	ram.host = memory;
	*err = 0;
	again = loader_load(l, &ram, rom, s, err, 256);
	CHECK(ret == again && !strcmp(why, err));
	return again;
}

static struct rom new_rom(void)
{
	struct rom rom = { 0 };
	char err[256];

	CHECK(!store_make(&rom.mem, "rom", ROM_SIZE, err, sizeof(err)));
	return rom;
}

static uint64_t rom64(struct rom *rom, unsigned int at)
{
	return rom_read(rom, at, 8);
}

static const char *const some_isa[] = { "i", "m", "a", "zicsr", "sstc", NULL };

static void test_loader_linux(void)
{
	struct loader l = { .tree = { .harts = 1, .isa = some_isa } };
	uint8_t b[4096], initrd[5000];
	struct rom rom = new_rom();
	struct loader_start s;
	char err[256];
	uint64_t dtb;
	int at, len;

	make_image(b, 2 << 20, 1 << 20);
	memset(initrd, 0x77, sizeof(initrd));
	l.kernel = (struct loader_file){ file_of(b, sizeof(b)), "K" };
	l.initrd = (struct loader_file){ file_of(initrd, sizeof(initrd)), "I" };
	CHECK(!load(&l, &rom, &s, err));
	CHECK(s.pc == 0x80200000 && !s.m_mode);
	CHECK(!memcmp(memory + (2 << 20), b, sizeof(b)));
	CHECK(!fdt_check_full(memory + (s.a1 - 0x80000000), IMAGE_DTB_MAX));
	at = fdt_path_offset(memory + (s.a1 - 0x80000000), "/chosen");
	CHECK(fdt_getprop(memory + (s.a1 - 0x80000000), at, "linux,initrd-end", &len) && len == 8);
	CHECK(!memcmp(memory + sizeof(memory) - IMAGE_DTB_MAX - 8192, initrd, sizeof(initrd)));

	dtb = s.a1;
	/* Beside it, and over it. */
	l.place[0] = l.initrd;
	l.places = 1;
	l.place_gpa[0] = 0x80300000;
	CHECK(!load(&l, &rom, &s, err) && memory[3 << 20] == 0x77);
	l.place_gpa[0] = 0x802fffff;
	CHECK(load(&l, &rom, &s, err) == -1 && strstr(err, "overlaps K at 0x80200000"));
	l.place_gpa[0] = dtb;
	CHECK(load(&l, &rom, &s, err) == -1 && strstr(err, "overlaps the device tree"));
	l.place_gpa[0] = 0x80000000 + sizeof(memory) - 4999;
	CHECK(load(&l, &rom, &s, err) == -1 && strstr(err, "not in memory"));
	l.place_gpa[0] = ~0ULL - 10;
	CHECK(load(&l, &rom, &s, err) == -1 && strstr(err, "not in memory"));
	l.place_gpa[0] = 0;
	CHECK(load(&l, &rom, &s, err) == -1 && strstr(err, "not in memory"));
	l.places = 0;
	/* A directory of no regular files. */
	l.initrd.fd = open("/", O_RDONLY);
	CHECK(load(&l, &rom, &s, err) == -1 && strstr(err, "I: is a directory"));
}

static void test_loader_firmware(void)
{
	struct loader l = { .tree = { .harts = 2, .isa = some_isa } };
	struct loader_start s;
	struct small_elf e;
	uint8_t b[4096], bios[6000], raw[100];
	struct rom rom = new_rom();
	char err[256];

	make_image(b, 2 << 20, 1 << 20);
	memset(bios, 0x13, sizeof(bios));
	memset(raw, 0x55, sizeof(raw));
	l.bios = (struct loader_file){ file_of(bios, sizeof(bios)), "B" };
	CHECK(!load(&l, &rom, &s, err));
	CHECK(s.pc == 0x1000 && s.m_mode && !s.a1 && !memcmp(memory, bios, sizeof(bios)));
	/* The code that starts it, and what that tells it. */
	CHECK(rom64(&rom, 0) == 0x0282861300000297 && rom64(&rom, 16) == 0x000280670182b283);
	CHECK(rom64(&rom, 24) == 0x80000000);
	CHECK(!fdt_check_full(memory + (rom64(&rom, 32) - 0x80000000), IMAGE_DTB_MAX));
	/* What firmware is told: no next stage. */
	CHECK(rom64(&rom, 0x28) == 0x4942534f && rom64(&rom, 0x30) == 2 &&
	      rom64(&rom, 0x38) == 0 && rom64(&rom, 0x40) == 1);
	/* Or that in flash. */
	l.flash = true;
	CHECK(!load(&l, &rom, &s, err) && rom64(&rom, 0x38) == 0x20000000 &&
	      rom64(&rom, 24) == 0x80000000);
	l.kernel = (struct loader_file){ file_of(b, sizeof(b)), "K" };
	CHECK(!load(&l, &rom, &s, err) && rom64(&rom, 0x38) == 0x80200000);
	CHECK(!memcmp(memory + (2 << 20), b, sizeof(b)));
	/* An Image takes more memory than its file has. */
	l.place[0] = (struct loader_file){ file_of(raw, sizeof(raw)), "R" };
	l.places = 1;
	l.place_gpa[0] = 0x80280000;
	CHECK(load(&l, &rom, &s, err) == -1 && strstr(err, "R at 0x80280000"));
	l.places = 0;
	/* Raw, or ELF, where it wants to be. */
	l.kernel.fd = l.place[0].fd;
	CHECK(!load(&l, &rom, &s, err) && rom64(&rom, 0x38) == 0x80200000 &&
	      memory[2 << 20] == 0x55);
	make_elf(&e);
	e.ph.p_paddr = 0x80400000;
	e.eh.e_entry = 0x80400008;
	l.kernel.fd = file_of(&e, sizeof(e));
	CHECK(!load(&l, &rom, &s, err) && rom64(&rom, 0x38) == 0x80400008 &&
	      !memcmp(memory + (4 << 20), e.text, 16));
	make_elf(&e);
	l.kernel.fd = file_of(&e, sizeof(e));
	CHECK(load(&l, &rom, &s, err) == -1 && strstr(err, "overlaps B"));
	/* Firmware that can be anywhere goes to the start of memory. */
	l.kernel.name = NULL;
	l.flash = false;
	e.eh.e_type = ET_DYN;
	e.ph.p_paddr = 0;
	e.eh.e_entry = 4;
	l.bios.fd = file_of(&e, sizeof(e));
	CHECK(!load(&l, &rom, &s, err) && rom64(&rom, 24) == 0x80000004 &&
	      !memcmp(memory, e.text, 16));
	e.eh.e_machine = EM_386;
	l.bios.fd = file_of(&e, sizeof(e));
	CHECK(load(&l, &rom, &s, err) == -1 && strstr(err, "B: not a 64-bit RISC-V"));
	l.bios.fd = file_of(&e, 0);
	CHECK(load(&l, &rom, &s, err) == -1 && strstr(err, "B: is empty"));
	/* Flash alone starts by itself. */
	l.bios.name = NULL;
	l.flash = true;
	CHECK(!load(&l, &rom, &s, err) && s.pc == 0x1000 && s.m_mode &&
	      rom64(&rom, 24) == 0x20000000 && rom64(&rom, 0x38) == 0);
	store_free(&rom.mem);
}

static void test_loader_place(void)
{
	uint64_t gpa;
	size_t len;

	CHECK(loader_parse_place("a@b@0x1000", &len, &gpa) && len == 3 && gpa == 0x1000);
	CHECK(loader_parse_place("x@4096", &len, &gpa) && len == 1 && gpa == 4096);
	CHECK(!loader_parse_place("x", &len, &gpa));
	CHECK(!loader_parse_place("@5", &len, &gpa));
	CHECK(!loader_parse_place("x@", &len, &gpa));
	CHECK(!loader_parse_place("x@y", &len, &gpa));
	CHECK(!loader_parse_place("x@-5", &len, &gpa));
	CHECK(!loader_parse_place("x@5M", &len, &gpa));
	CHECK(!loader_parse_place("x@99999999999999999999", &len, &gpa));
}

/* --- board --- */

static unsigned int board_wires;

static void board_irq(void *opaque, unsigned int irq, bool level)
{
	(void)opaque;
	board_wires = level ? board_wires | 1U << irq : board_wires & ~(1U << irq);
}

static void board_nothing(void *opaque)
{
	(void)opaque;
}

static void board_byte(void *opaque, uint8_t byte)
{
	*(uint8_t *)opaque = byte;
}

static void board_finish(void *opaque, enum finisher_what what, unsigned int code)
{
	(void)code;
	*(uint8_t *)opaque = what;
}

static unsigned int board_hidden;

static void board_hide(void *opaque, unsigned int rom, bool hidden)
{
	(void)opaque;
	board_hidden = hidden ? board_hidden | 1U << rom : board_hidden & ~(1U << rom);
}

static uint64_t board_gpa, board_size;

static void board_written(void *opaque, uint64_t gpa, uint64_t size)
{
	(void)opaque;
	board_gpa = gpa;
	board_size = size;
}

static void test_board(void)
{
	static const struct board_ops ops = {
		.irq = board_irq,
		.output = board_byte,
		.room = board_nothing,
		.finish = board_finish,
		.alarm = board_nothing,
		.hide = board_hide,
		.written = board_written,
	};
	static uint8_t contents[FLASH_BLOCK + 100];
	static struct board b;
	const struct store *mem;
	uint8_t seen = 0;
	char err[128];
	uint64_t v;

	CHECK(!board_init(&b, &ops, &seen, err, sizeof(err)));
	v = 'x';
	CHECK(!bus_access(&b.bus, 0x10000000, 1, true, &v) && seen == 'x');
	v = 0x7777;
	CHECK(!bus_access(&b.bus, 0x100000, 4, true, &v) && seen == FINISHER_RESET);
	/* Slots of virtio-mmio, all empty. */
	for (uint64_t gpa = 0x10001000; gpa <= 0x10008000; gpa += 0x1000) {
		CHECK(!bus_access(&b.bus, gpa, 4, false, &v) && v == 0x74726976);
		CHECK(!bus_access(&b.bus, gpa + 8, 4, false, &v) && v == 0);
		v = 1;
		CHECK(!bus_access(&b.bus, gpa + 0x70, 4, true, &v));
		CHECK(!bus_access(&b.bus, gpa + 0x70, 4, false, &v) && v == 0);
		CHECK(bus_access(&b.bus, gpa + 0x200, 4, false, &v) == -1);
	}
	CHECK(bus_access(&b.bus, 0x10009000, 4, false, &v) == -1);
	/* ROM: it cannot be written; harts may read it by themselves. */
	b.rom.mem.data[255] = 0xab;
	CHECK(!bus_access(&b.bus, 0x10ff, 8, false, &v) && v == 0xab);
	CHECK(!bus_access(&b.bus, 0xfff8, 8, false, &v) && v == 0);
	v = 0;
	CHECK(!bus_access(&b.bus, 0x10ff, 1, true, &v) && b.rom.mem.data[255] == 0xab);
	CHECK(bus_access(&b.bus, 0xfffc, 8, false, &v) == -1);
	mem = board_rom(&b, 0, &v);
	CHECK(v == 0x1000 && mem->size == 0xf000 && mem->data[255] == 0xab);
	/* Flash: likewise, while it is in its first mode; what harts know of it is told. */
	CHECK(!board_rom(&b, 1, &v)->data && !board_rom(&b, 2, &v)->data && v == 0x22000000);
	CHECK(!flash_load(&b.flash[1], file_of(contents, sizeof(contents)), "F", true, err,
			  sizeof(err)));
	mem = board_rom(&b, 2, &v);
	CHECK(mem->size == FLASH_BLOCK + 4096 && mem->data[FLASH_BLOCK + 99] == 0 &&
	      mem->data[FLASH_BLOCK + 100] == 0xff);
	v = 0x200020;
	CHECK(!bus_access(&b.bus, 0x22000000, 4, true, &v) && board_hidden == 4 && !board_size);
	v = 0xd000d0;
	CHECK(!bus_access(&b.bus, 0x22000000, 4, true, &v) && board_hidden == 4);
	CHECK(board_gpa == 0x22000000 && board_size == FLASH_BLOCK && mem->data[5] == 0xff);
	v = 0xff;
	CHECK(!bus_access(&b.bus, 0x22000000, 4, true, &v) && !board_hidden);
	v = 0x40;
	CHECK(!bus_access(&b.bus, 0x22000000, 4, true, &v) && board_hidden == 4);
	v = 0x1234;
	CHECK(!bus_access(&b.bus, 0x22000008, 2, true, &v) && board_hidden == 4);
	CHECK(board_gpa == 0x22000008 && board_size == 2 && mem->data[9] == 0x12);
	/* An empty bank is nobody's. */
	v = 0x40;
	CHECK(!bus_access(&b.bus, 0x20000000, 4, true, &v) && board_hidden == 4);
	/* Wires. */
	v = 1;
	CHECK(!bus_access(&b.bus, 0x101010, 4, true, &v)); /* IRQ_ENABLED */
	v = 0;
	CHECK(!bus_access(&b.bus, 0x10100c, 4, true, &v));
	CHECK(!bus_access(&b.bus, 0x101008, 4, true, &v) && board_wires == 1U << 11);
	uart_input(&b.uart, "a", 1);
	v = 1;
	CHECK(!bus_access(&b.bus, 0x10000001, 1, true, &v) && board_wires == (1U << 11 | 1U << 10));
	board_reset(&b);
	CHECK(!board_wires && !board_hidden);
	board_free(&b);
}

/* --- flash --- */

static uint32_t flash32(struct flash *f, uint64_t at)
{
	return flash_read(f, at, 4);
}

static void test_flash(void)
{
	static uint8_t contents[2 * FLASH_BLOCK + 100], now[sizeof(contents)];
	static struct flash f = { .fd = -1 };
	char err[256];
	int fd;

	/* Empty: erased, and it stays so. */
	flash_reset(&f);
	CHECK(flash32(&f, 0) == 0xffffffff && flash_read(&f, FLASH_SIZE - 8, 8) == ~0ULL);
	flash_write(&f, 0, 4, 0x400040);
	flash_write(&f, 0, 4, 0);
	CHECK(flash32(&f, 0) == 0x920092); /* ready, not programmed, protected */
	flash_write(&f, 0, 4, 0x500050);
	CHECK(flash32(&f, 0) == 0xffffffff);

	for (size_t i = 0; i < sizeof(contents); i++)
		contents[i] = i * 7;
	fd = file_of(contents, sizeof(contents));
	CHECK(!flash_load(&f, fd, "F", true, err, sizeof(err)));
	CHECK(flash32(&f, 0) == 0x150e0700 && flash_read(&f, 3, 1) == 21);
	CHECK(flash_read(&f, 8, 8) == 0x69625b544d463f38ULL);
	CHECK(flash_read(&f, sizeof(contents), 4) == 0xffffffff);
	/* Query and identification, on both chips. */
	flash_write(&f, 0x154, 4, 0x980098);
	CHECK(flash32(&f, 0x40) == 0x510051 && flash32(&f, 0x44) == 0x520052 &&
	      flash32(&f, 0x48) == 0x590059 && flash32(&f, 0x27 * 4) == 0x180018);
	CHECK(flash32(&f, 0) == 0 && flash32(&f, FLASH_SIZE - 4) == 0);
	flash_write(&f, 0, 4, 0x900090);
	CHECK(flash32(&f, 0) == 0x890089 && flash32(&f, 4) == 0x180018 && flash32(&f, 8) == 0);
	flash_write(&f, 0, 4, 0xff00ff);
	CHECK(flash32(&f, 0) == 0x150e0700);
	/* A word: bits only fall. */
	flash_write(&f, 4, 4, 0x400040);
	flash_write(&f, 4, 4, 0xf0f0f0f0);
	CHECK(flash32(&f, 4) == 0x800080);
	flash_write(&f, 0, 4, 0xff00ff);
	CHECK(flash32(&f, 4) == (0x312a231c & 0xf0f0f0f0));
	/* A block. */
	flash_write(&f, FLASH_BLOCK + 8, 4, 0x200020);
	flash_write(&f, FLASH_BLOCK + 8, 4, 0xd000d0);
	CHECK(flash32(&f, 0) == 0x800080);
	flash_write(&f, 0, 4, 0xff00ff);
	CHECK(flash32(&f, FLASH_BLOCK) == 0xffffffff &&
	      flash32(&f, 2 * FLASH_BLOCK - 4) == 0xffffffff);
	CHECK(flash_read(&f, FLASH_BLOCK - 1, 1) == contents[FLASH_BLOCK - 1] &&
	      (flash_read(&f, 2 * FLASH_BLOCK, 1) & 0xff) == contents[2 * FLASH_BLOCK]);
	/* The last block is a short one here. */
	flash_write(&f, 2 * FLASH_BLOCK, 4, 0x20);
	flash_write(&f, 2 * FLASH_BLOCK, 4, 0xd0);
	CHECK(flash32(&f, 0) == 0x800080);
	/* Not confirmed. */
	flash_write(&f, 0, 4, 0x20);
	flash_write(&f, 0, 4, 0xff);
	CHECK(flash32(&f, 0) == 0xb000b0);
	flash_write(&f, 0, 4, 0x50);
	/* A buffer. */
	flash_write(&f, FLASH_BLOCK, 4, 0xe800e8);
	CHECK(flash32(&f, FLASH_BLOCK) == 0x800080);
	flash_write(&f, FLASH_BLOCK, 4, 0x10001);
	flash_write(&f, FLASH_BLOCK, 4, 0x11223344);
	flash_write(&f, FLASH_BLOCK + 4, 4, 0x55667788);
	flash_write(&f, FLASH_BLOCK, 4, 0xd000d0);
	CHECK(flash32(&f, FLASH_BLOCK) == 0x800080);
	flash_write(&f, 0, 4, 0xff00ff);
	CHECK(flash_read(&f, FLASH_BLOCK, 8) == 0x5566778811223344ULL &&
	      flash32(&f, FLASH_BLOCK + 8) == 0xffffffff);
	/* A buffer that is too long, and one with a word of elsewhere: nothing is done. */
	flash_write(&f, 0, 4, 0xe8);
	flash_write(&f, 0, 4, 0xffff);
	CHECK(flash32(&f, 0) == 0xb000b0);
	flash_write(&f, 0, 4, 0x50);
	flash_write(&f, 0, 4, 0xe8);
	flash_write(&f, 0, 4, 0);
	flash_write(&f, FLASH_BLOCK + 16, 4, 0);
	flash_write(&f, 0, 4, 0xd0);
	CHECK(flash32(&f, 0) == 0xb000b0);
	flash_write(&f, 0, 4, 0x50);
	CHECK(flash32(&f, FLASH_BLOCK + 16) == 0xffffffff && flash32(&f, 0) == 0x150e0700);
	/* Behind the file's end. */
	flash_write(&f, sizeof(contents), 4, 0x40);
	flash_write(&f, sizeof(contents), 4, 0);
	CHECK(flash32(&f, 0) == 0x900090);
	flash_write(&f, FLASH_SIZE - 4, 4, 0x50);
	/* All of that is in the file. */
	CHECK(pread(fd, now, sizeof(now), 0) == sizeof(now) && now[FLASH_BLOCK] == 0x44 &&
	      now[FLASH_BLOCK + 8] == 0xff && now[5] == (contents[5] & 0xf0) &&
	      now[2 * FLASH_BLOCK + 99] == 0xff);
	/* Anything at all. */
	for (unsigned int i = 0; i < 2000000; i++) {
		uint64_t r = i * 0x9e3779b97f4a7c15ULL;
		unsigned int len = 1U << (r >> 60 & 3);
		uint64_t at = (r >> 20) % FLASH_SIZE & ~(uint64_t)(len - 1);
		static const uint8_t cmds[] = { 0x20, 0xd0, 0xe8, 0x40, 0x10, 0xff, 0x98, 0x02 };

		if (i & 1)
			at %= 4096;
		if (r >> 50 & 1)
			flash_write(&f, at, len, r >> 48 & 2 ? r : cmds[r >> 56 & 7]);
		else
			flash_read(&f, at, len);
	}
	flash_free(&f);

	CHECK(flash_load(&f, open("/", O_RDONLY), "F", true, err, sizeof(err)) == -1);
	CHECK(!ftruncate(fd, FLASH_SIZE + 1));
	CHECK(flash_load(&f, fd, "F", true, err, sizeof(err)) == -1 &&
	      strstr(err, "at most 32 MiB"));
}

/* --- device tree --- */

static void test_fdt(void)
{
	static const char *const isa[] = { "i", "m", "a", "zicsr", "sstc", NULL };
	struct fdt_machine m = {
		.harts = 3,
		.isa = isa,
		.ram_size = 1ULL << 32,
		.bootargs = "console=ttyS0",
		.initrd_start = 0x90000000,
		.initrd_end = 0x90001000,
		.virtio = 2,
		.rng_seed_size = 64,
	};
	static uint8_t buf[IMAGE_DTB_MAX];
	char err[256];
	int at, len;

	CHECK(fdt_make(&m, buf, sizeof(buf), err, 256) > 0);
	CHECK(!fdt_check_full(buf, sizeof(buf)));
	at = fdt_path_offset(buf, "/chosen");
	CHECK(!strcmp(fdt_getprop(buf, at, "bootargs", &len), "console=ttyS0"));
	CHECK(fdt_getprop(buf, at, "rng-seed", &len) && len == 64);
	CHECK(fdt_path_offset(buf, fdt_getprop(buf, at, "stdout-path", &len)) > 0);
	at = fdt_path_offset(buf, "/cpus/cpu@2");
	CHECK(!strcmp(fdt_getprop(buf, at, "riscv,isa", &len), "rv64ima_zicsr_sstc"));
	CHECK(fdt_stringlist_count(buf, at, "riscv,isa-extensions") == 5);
	at = fdt_path_offset(buf, "/soc/interrupt-controller@c000000");
	CHECK(fdt_getprop(buf, at, "interrupts-extended", &len) && len == 3 * 16);
	at = fdt_path_offset(buf, "/soc/clint@2000000");
	CHECK(fdt_getprop(buf, at, "interrupts-extended", &len) && len == 3 * 16);
	CHECK(fdt_path_offset(buf, "/soc/virtio_mmio@10002000") > 0);
	CHECK(fdt_path_offset(buf, "/soc/virtio_mmio@10003000") < 0);
	m.harts = 32;
	CHECK(fdt_make(&m, buf, sizeof(buf), err, 256) > 0);
	CHECK(fdt_make(&m, buf, 1000, err, 256) == -1 && strstr(err, "device tree"));
	CHECK(fdt_make(&m, buf, 10, err, 256) == -1);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = {
		{ "bus", test_bus },
		{ "uart: registers", test_uart_registers },
		{ "uart: transmit interrupt", test_uart_transmit_interrupt },
		{ "uart: receive", test_uart_receive },
		{ "uart: loopback", test_uart_loopback },
		{ "finisher", test_finisher },
		{ "rtc", test_rtc },
		{ "image: header and placement", test_kernel },
		{ "image: ELF", test_elf },
		{ "loader: Linux", test_loader_linux },
		{ "loader: firmware", test_loader_firmware },
		{ "loader: places", test_loader_place },
		{ "board", test_board },
		{ "flash", test_flash },
		{ "device tree", test_fdt },
	};
	int failed = 0;

	printf("TAP version 13\n1..%zu\n", sizeof(tests) / sizeof(tests[0]));
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		failures = 0;
		current = tests[i].name;
		tests[i].run();
		failed += !!failures;
		printf("%s %zu %s\n", failures ? "not ok" : "ok", i + 1, tests[i].name);
	}
	return failed ? 1 : 0;
}
