// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flash.c - see flash.h. Both chips get the same commands at the same time, as
 * drivers of such banks do, so there is one state; what a chip says stands in both
 * halves of a word.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash.h"

#define READ_ARRAY 0xff
#define READ_ARRAY_AMD 0xf0 /* drivers that do not know the chip send both */
#define READ_STATUS 0x70
#define CLEAR_STATUS 0x50
#define READ_ID 0x90
#define QUERY 0x98
#define PROGRAM 0x40
#define PROGRAM_OLD 0x10
#define ERASE 0x20
#define LOCK 0x60
#define BUFFERED 0xe8
#define CONFIRM 0xd0

#define STATUS_READY 0x80
#define STATUS_ERASE_ERROR 0x20
#define STATUS_PROGRAM_ERROR 0x10
#define STATUS_SEQUENCE (STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR)
#define STATUS_LOCKED 0x02

/* What chip this is: Intel's, of 128 Mbit. */
#define MANUFACTURER 0x89
#define DEVICE 0x18

/* JEDEC JESD68.01, from word 0x10 on; sizes are those of one chip. */
static const uint8_t query[] = {
	'Q',  'R',  'Y',  0x01, 0x00, /* Intel commands */
	0x31, 0x00, /* their table */
	0x00, 0x00, 0x00, 0x00, /* no others */
	0x45, 0x55, 0x00, 0x00, /* 4.5 to 5.5 V */
	0x07, 0x07, 0x0a, 0x00, /* typical times, as powers of 2 */
	0x04, 0x04, 0x04, 0x00, /* longest */
	0x18, /* 16 MiB */
	0x01, 0x00, /* 16 bits wide */
	0x0a, 0x00, /* buffer of 1024 bytes */
	0x01, 0x7f, 0x00, 0x00, 0x02, /* 128 blocks of 128 KiB */
	'P',  'R',  'I',  '1',	'0', /* Intel's table */
	0x00, 0x00, 0x00, 0x00, /* nothing optional */
	0x00, 0x00, 0x00, /* nothing after suspend; no block status */
	0x50, 0x00, /* 5 V */
	0x00, /* no protection registers */
};

/* Whether harts may read the array by themselves follows from the mode. */
static void show(struct flash *f)
{
	bool hidden = f->mode != READ_ARRAY;

	if (hidden == f->hidden)
		return;
	f->hidden = hidden;
	if (f->hide)
		f->hide(f->opaque, f);
}

void flash_reset(struct flash *f)
{
	f->mode = READ_ARRAY;
	f->cycle = 0;
	f->status = STATUS_READY;
	show(f);
}

int flash_load(struct flash *f, int fd, const char *name, bool writable, char *err, size_t n)
{
	struct stat st;
	size_t got = 0;

	if (fstat(fd, &st)) {
		snprintf(err, n, "%s: %s", name, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode) || !st.st_size || st.st_size > FLASH_SIZE) {
		snprintf(err, n, "%s: a flash bank is a file of at most %u MiB", name,
			 FLASH_SIZE >> 20);
		return -1;
	}
	flash_free(f);
	if (store_make(&f->mem, name, st.st_size, err, n))
		return -1;
	while (got < (size_t)st.st_size) {
		ssize_t ret = pread(fd, f->mem.data + got, st.st_size - got, got);

		if (ret < 0 && errno == EINTR)
			continue;
		if (ret <= 0) {
			snprintf(err, n, "%s: cannot read: %s", name,
				 ret ? strerror(errno) : "it became shorter");
			flash_free(f);
			return -1;
		}
		got += ret;
	}
	f->size = st.st_size;
	memset(f->mem.data + f->size, 0xff, f->mem.size - f->size);
	f->fd = writable ? fd : -1;
	return 0;
}

void flash_free(struct flash *f)
{
	store_free(&f->mem);
	f->size = 0;
	f->fd = -1;
}

static uint32_t both(uint8_t v)
{
	return v | (uint32_t)v << 16;
}

/* The word of 32 bits at @offset, a multiple of 4. */
static uint32_t read_word(const struct flash *f, uint64_t offset)
{
	uint64_t word = offset / 4;
	uint32_t v = 0;

	switch (f->mode) {
	case READ_ARRAY:
		for (unsigned int i = 0; i < 4; i++)
			v |= (uint32_t)(offset + i < f->size ? f->mem.data[offset + i] : 0xff)
			     << (8 * i);
		return v;
	case READ_ID:
		/* Block by block: maker, chip, not locked. */
		word %= FLASH_BLOCK / 4;
		return both(word == 0 ? MANUFACTURER : word == 1 ? DEVICE : 0);
	case QUERY:
		return both(word >= 0x10 && word - 0x10 < sizeof(query) ? query[word - 0x10] : 0);
	}
	return both(f->status);
}

uint64_t flash_read(void *dev, uint64_t offset, unsigned int len)
{
	const struct flash *f = dev;
	uint64_t at = offset & ~3ULL;
	uint64_t v = read_word(f, at);

	if (at + 4 < offset + len)
		v |= (uint64_t)read_word(f, at + 4) << 32;
	return v >> (8 * (offset & 3));
}

/* A part of the contents is new: write it through to the file. */
static bool keep(struct flash *f, size_t at, size_t n)
{
	if (f->changed)
		f->changed(f->opaque, f, at, n);
	while (n) {
		ssize_t done = pwrite(f->fd, f->mem.data + at, n, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		at += done;
		n -= done;
	}
	return true;
}

/* Bits can become 0. */
static void program(struct flash *f, uint64_t at, const uint8_t *bytes, size_t n)
{
	if (f->fd < 0 || at >= f->size || n > f->size - at) {
		f->status |= STATUS_PROGRAM_ERROR | (f->fd < 0 ? STATUS_LOCKED : 0);
		return;
	}
	for (size_t i = 0; i < n; i++)
		f->mem.data[at + i] &= bytes[i];
	if (!keep(f, at, n))
		f->status |= STATUS_PROGRAM_ERROR;
}

static void erase(struct flash *f, uint64_t at)
{
	size_t n = FLASH_BLOCK;

	at -= at % FLASH_BLOCK;
	if (f->fd < 0 || at >= f->size) {
		f->status |= STATUS_ERASE_ERROR | (f->fd < 0 ? STATUS_LOCKED : 0);
		return;
	}
	if (n > f->size - at)
		n = f->size - at;
	memset(f->mem.data + at, 0xff, n);
	if (!keep(f, at, n))
		f->status |= STATUS_ERASE_ERROR;
}

static void to_bytes(uint8_t *bytes, uint64_t data)
{
	for (unsigned int i = 0; i < 8; i++)
		bytes[i] = data >> (8 * i);
}

static void first_cycle(struct flash *f, uint8_t cmd)
{
	switch (cmd) {
	case PROGRAM:
	case PROGRAM_OLD:
	case ERASE:
	case LOCK:
	case BUFFERED:
		f->mode = cmd;
		f->cycle = 1;
		break;
	case READ_STATUS:
	case READ_ID:
	case QUERY:
		f->mode = cmd;
		break;
	case CLEAR_STATUS:
		f->status = STATUS_READY;
		f->mode = READ_ARRAY;
		break;
	default:
		f->mode = READ_ARRAY;
	}
}

/* Back to single commands; reads give the status. */
static void done(struct flash *f, uint8_t error)
{
	f->status |= error;
	f->mode = READ_STATUS;
	f->cycle = 0;
}

static void buffered(struct flash *f, uint64_t offset, unsigned int len, uint64_t data)
{
	switch (f->cycle) {
	case 1:
		if ((data & 0xffff) >= FLASH_BUFFER / 4) {
			done(f, STATUS_SEQUENCE);
			return;
		}
		f->left = (data & 0xffff) + 1;
		f->base = offset - offset % FLASH_BUFFER;
		f->bad = false;
		memset(f->buffer, 0xff, sizeof(f->buffer));
		f->cycle = 2;
		return;
	case 2: {
		uint8_t bytes[8];

		to_bytes(bytes, data);
		if (offset < f->base || offset - f->base + len > FLASH_BUFFER)
			f->bad = true;
		else
			memcpy(f->buffer + (offset - f->base), bytes, len);
		f->left -= len == 8 && f->left > 1 ? 2 : 1;
		if (!f->left)
			f->cycle = 3;
		return;
	}
	}
	if ((data & 0xff) != CONFIRM || f->bad) {
		done(f, STATUS_SEQUENCE);
		return;
	}
	program(f, f->base, f->buffer,
		f->base < f->size && f->size - f->base < FLASH_BUFFER ? f->size - f->base :
									FLASH_BUFFER);
	done(f, 0);
}

static void next_cycle(struct flash *f, uint64_t offset, unsigned int len, uint64_t data)
{
	uint8_t bytes[8];

	switch (f->mode) {
	case PROGRAM:
	case PROGRAM_OLD:
		to_bytes(bytes, data);
		program(f, offset, bytes, len);
		done(f, 0);
		break;
	case ERASE:
		if ((data & 0xff) == CONFIRM) {
			erase(f, offset);
			done(f, 0);
		} else {
			done(f, STATUS_SEQUENCE);
		}
		break;
	case LOCK:
		/* There are no locks to be set or cleared. */
		done(f, 0);
		break;
	case BUFFERED:
		buffered(f, offset, len, data);
		break;
	}
}

void flash_write(void *dev, uint64_t offset, unsigned int len, uint64_t data)
{
	struct flash *f = dev;

	if (f->cycle)
		next_cycle(f, offset, len, data);
	else
		first_cycle(f, data);
	show(f);
}
