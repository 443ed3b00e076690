// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bus.c - a sorted table and a binary search; see bus.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"

void bus_init(struct bus *bus)
{
	memset(bus, 0, sizeof(*bus));
}

/* Index of the first range that ends behind @gpa; bus->nr when there is none. */
static unsigned int bus_find(const struct bus *bus, uint64_t gpa)
{
	unsigned int lo = 0, hi = bus->nr;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;
		const struct bus_range *r = &bus->ranges[mid];

		if (r->gpa + (r->size - 1) < gpa)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int bus_add(struct bus *bus, const struct bus_range *range, char *err, size_t n)
{
	unsigned int at;

	if (!range->size || range->gpa + (range->size - 1) < range->gpa) {
		snprintf(err, n, "%s: empty or wrapping address range", range->name);
		return -1;
	}
	if (bus->nr == BUS_RANGES_MAX) {
		snprintf(err, n, "%s: more than %d devices on the bus", range->name,
			 BUS_RANGES_MAX);
		return -1;
	}
	at = bus_find(bus, range->gpa);
	if (at < bus->nr && bus->ranges[at].gpa <= range->gpa + (range->size - 1)) {
		snprintf(err, n, "%s at 0x%" PRIx64 " overlaps %s", range->name, range->gpa,
			 bus->ranges[at].name);
		return -1;
	}
	memmove(&bus->ranges[at + 1], &bus->ranges[at], (bus->nr - at) * sizeof(bus->ranges[0]));
	bus->ranges[at] = *range;
	bus->nr++;
	return 0;
}

int bus_access(const struct bus *bus, uint64_t gpa, unsigned int len, bool write, uint64_t *data)
{
	unsigned int at = bus_find(bus, gpa);
	const struct bus_range *r = &bus->ranges[at];
	uint64_t offset;

	if (at == bus->nr || gpa < r->gpa || r->size < len || gpa - r->gpa > r->size - len) {
		if (!write)
			*data = 0;
		return -1;
	}
	offset = gpa - r->gpa;
	if (write) {
		r->write(r->dev, offset, len, *data);
	} else {
		*data = r->read(r->dev, offset, len);
		if (len < 8)
			*data &= (1ULL << (len * 8)) - 1;
	}
	return 0;
}
