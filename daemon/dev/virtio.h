/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio.h - a virtio-mmio slot (virtio 1.2, 4.2). One with no device in it has
 * device ID 0, and nothing else to say: drivers pass it by.
 */
#ifndef DTV_DAEMON_DEV_VIRTIO_H
#define DTV_DAEMON_DEV_VIRTIO_H

#include <stdint.h>

/* Registers; the rest of a slot's page is nobody's. */
#define VIRTIO_SIZE 0x200

/**
 * struct virtio_slot - a slot
 * @unused: it has no state
 */
struct virtio_slot {
	uint8_t unused;
};

uint64_t virtio_read(void *dev, uint64_t offset, unsigned int len);
void virtio_write(void *dev, uint64_t offset, unsigned int len, uint64_t data);

#endif /* DTV_DAEMON_DEV_VIRTIO_H */
