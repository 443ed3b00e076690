/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bus.h - which device answers at a guest physical address.
 *
 * A table of disjoint ranges, filled while the machine is built and constant
 * afterwards. The bus takes no lock: whoever owns it serialises accesses.
 */
#ifndef DTV_DAEMON_BUS_H
#define DTV_DAEMON_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUS_RANGES_MAX 64

/*
 * A device's registers. @offset is from the start of the range, @len is 1, 2,
 * 4 or 8, and the access lies within the range. Data is little endian in the
 * low bytes; what a read returns above @len bytes is cut off by the bus.
 */
typedef uint64_t (*bus_read_fn)(void *dev, uint64_t offset, unsigned int len);
typedef void (*bus_write_fn)(void *dev, uint64_t offset, unsigned int len, uint64_t data);

/**
 * struct bus_range - one device on the bus
 * @gpa: first address
 * @size: bytes
 * @read: never NULL
 * @write: never NULL
 * @dev: handed to both
 * @name: for messages; must outlive the bus
 */
struct bus_range {
	uint64_t gpa;
	uint64_t size;
	bus_read_fn read;
	bus_write_fn write;
	void *dev;
	const char *name;
};

/**
 * struct bus - the table
 * @ranges: ascending by @gpa
 * @nr: how many are in use
 */
struct bus {
	struct bus_range ranges[BUS_RANGES_MAX];
	unsigned int nr;
};

void bus_init(struct bus *bus);

/**
 * bus_add() - put a device on the bus
 * @bus: bus
 * @range: copied
 * @err: message on failure
 * @n: bytes in @err
 *
 * Return: 0; -1 when the range is empty, wraps, overlaps another, or the table is full.
 */
int bus_add(struct bus *bus, const struct bus_range *range, char *err, size_t n);

/**
 * bus_access() - one load or store
 * @bus: bus
 * @gpa: address
 * @len: 1, 2, 4 or 8 bytes
 * @write: store
 * @data: value to store, or where the loaded value goes (zero-extended; 0 on failure)
 *
 * Return: 0; -1 when no device covers the whole access.
 */
int bus_access(const struct bus *bus, uint64_t gpa, unsigned int len, bool write, uint64_t *data);

#endif /* DTV_DAEMON_BUS_H */
