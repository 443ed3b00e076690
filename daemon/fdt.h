/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fdt.h - the device tree that tells a guest what its machine has, and the
 * memory map behind it (QEMU virt's, as far as devices exist).
 */
#ifndef DTV_DAEMON_FDT_H
#define DTV_DAEMON_FDT_H

#include <stddef.h>
#include <stdint.h>

#define MACHINE_ROM_GPA 0x00001000ULL
#define MACHINE_FINISHER_GPA 0x00100000ULL
#define MACHINE_RTC_GPA 0x00101000ULL
#define MACHINE_RTC_IRQ 11
#define MACHINE_CLINT_GPA 0x02000000ULL
#define MACHINE_CLINT_SIZE 0x00010000ULL
#define MACHINE_PLIC_GPA 0x0c000000ULL
#define MACHINE_PLIC_SIZE 0x00600000ULL
#define MACHINE_PLIC_SOURCES 95
#define MACHINE_UART_GPA 0x10000000ULL
#define MACHINE_UART_IRQ 10
#define MACHINE_UART_CLOCK 3686400
#define MACHINE_VIRTIO_GPA 0x10001000ULL /* slot i at + i * MACHINE_VIRTIO_SIZE, irq 1 + i */
#define MACHINE_VIRTIO_SIZE 0x1000ULL
#define MACHINE_VIRTIO_IRQ 1
#define MACHINE_VIRTIO_MAX 8
#define MACHINE_FLASH_GPA 0x20000000ULL /* bank i at + i * MACHINE_FLASH_SIZE */
#define MACHINE_FLASH_SIZE 0x02000000ULL
#define MACHINE_FLASH_BANKS 2
#define MACHINE_RAM_GPA 0x80000000ULL
#define MACHINE_TIMEBASE_HZ 10000000
#define MACHINE_CACHE_BLOCK 64

#define FDT_RNG_SEED_MAX 64

/**
 * struct fdt_machine - what the tree is made from
 * @harts: 1 or more; hart ids 0 .. harts - 1
 * @isa: extensions as riscv,isa-extensions names them ("i", "m", ..., "zicsr", ...), single letters
 *       first, ended by NULL; the older riscv,isa string is made from the same list
 * @ram_size: bytes at MACHINE_RAM_GPA
 * @bootargs: kernel command line; NULL: none
 * @initrd_start: gpa; 0: no initrd
 * @initrd_end: first byte behind it
 * @virtio: how many virtio-mmio slots to describe
 * @rng_seed: random bytes for the guest's generator
 * @rng_seed_size: how many, 0: none
 */
struct fdt_machine {
	unsigned int harts;
	const char *const *isa;
	uint64_t ram_size;
	const char *bootargs;
	uint64_t initrd_start, initrd_end;
	unsigned int virtio;
	uint8_t rng_seed[FDT_RNG_SEED_MAX];
	size_t rng_seed_size;
};

/**
 * fdt_make() - write the flattened tree
 * @m: machine
 * @buf: where it goes
 * @size: room there
 * @err: message on failure
 * @n: bytes in @err
 *
 * Return: bytes used, or -1.
 */
long fdt_make(const struct fdt_machine *m, void *buf, size_t size, char *err, size_t n);

#endif /* DTV_DAEMON_FDT_H */
