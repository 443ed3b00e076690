// SPDX-License-Identifier: GPL-2.0-or-later
/* machine.c - the guest's devices: the daemon's board, its wires on the engine's PLIC. */
#include <stdio.h>

#include "uhost.h"

static void output(void *opaque, uint8_t byte)
{
	console_put(opaque, &byte, 1);
}

static void irq(void *opaque, unsigned int irq, bool level)
{
	struct uhost *u = opaque;

	dtv_plic_set_level(&u->vm.plic, irq, level);
}

static void room(void *opaque)
{
	struct uhost *u = opaque;

	console_feed(u);
	/* stdin is read again once the buffer has room. */
	uhost_poke(u);
}

static void alarm_moved(void *opaque)
{
	uhost_poke(opaque);
}

static void finish(void *opaque, enum finisher_what what, unsigned int code)
{
	struct uhost *u = opaque;

	switch (what) {
	case FINISHER_POWEROFF:
		uhost_stop(u, UHOST_OK, "%s", "");
		break;
	case FINISHER_FAIL:
		uhost_stop(u, code & 255 ? (int)(code & 255) : UHOST_KILLED,
			   "guest failed with code %u", code);
		break;
	case FINISHER_RESET:
		uhost_stop(u, UHOST_KILLED, "guest asked for a reset");
		break;
	}
}

const struct store *machine_rom(const struct uhost *u, gpa_t gpa, u64 *at, unsigned int *idx)
{
	for (*idx = 0; *idx < BOARD_ROMS; (*idx)++) {
		uint64_t start;
		const struct store *mem = board_rom(&u->board, *idx, &start);

		*at = gpa - start;
		if (mem->data && *at < mem->size)
			return mem;
	}
	return NULL;
}

void *dtv_host_rom(struct dtv_vm_core *vm, gpa_t gpa, bool load)
{
	struct uhost *u = uhost_of(vm);
	unsigned int idx;
	u64 at;
	const struct store *mem = machine_rom(u, gpa, &at, &idx);

	return mem && !(load && READ_ONCE(u->hidden[idx])) ? mem->data + at : NULL;
}

static void hide(void *opaque, unsigned int rom, bool hidden)
{
	struct uhost *u = opaque;
	uint64_t gpa;
	const struct store *mem = board_rom(&u->board, rom, &gpa);

	WRITE_ONCE(u->hidden[rom], hidden);
	if (hidden)
		dtv_vm_rom_hidden(&u->vm, gpa, mem->size);
}

static void written(void *opaque, uint64_t gpa, uint64_t size)
{
	struct uhost *u = opaque;

	dtv_vm_memory_written(&u->vm, gpa, size);
}

int machine_init(struct uhost *u, char *err, size_t n)
{
	static const struct board_ops ops = {
		.irq = irq,
		.output = output,
		.room = room,
		.finish = finish,
		.alarm = alarm_moved,
		.hide = hide,
		.written = written,
	};

	pthread_mutex_init(&u->devices, NULL);
	return board_init(&u->board, &ops, u, err, n);
}

void machine_mmio(struct uhost *u, struct dtv_mmio *mmio)
{
	uint64_t data = mmio->data;
	int ret;

	pthread_mutex_lock(&u->devices);
	ret = bus_access(&u->board.bus, mmio->gpa, mmio->len, mmio->write, &data);
	pthread_mutex_unlock(&u->devices);
	mmio->failed = ret != 0;
	if (!mmio->write)
		mmio->data = data;
	if (ret && u->trace)
		fprintf(stderr, "uhost: nothing at gpa 0x%llx (%s, %u bytes)\n",
			(unsigned long long)mmio->gpa, mmio->write ? "write" : "read", mmio->len);
}
