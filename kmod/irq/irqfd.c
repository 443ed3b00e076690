// SPDX-License-Identifier: GPL-2.0-only
/*
 * irqfd.c - eventfds that raise interrupts.
 *
 * A write to the eventfd wakes us with its lock held and interrupts off; the
 * PLIC's lock is an ordinary one, so a work item carries the edge on. The list
 * is ruled by vm->lock. An irqfd ends by DTV_IRQFD_DEASSIGN, with its VM, or
 * when the eventfd is closed; who takes it out of the list frees it.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "../vm.h"

/**
 * struct irqfd - a connection
 * @node: in vm->irqfds; vm->lock
 * @vm: VM; without a reference: the VM shuts its irqfds down before it ends
 * @eventfd: what is waited on
 * @irq: PLIC source
 * @closed: nobody can write to the eventfd any more
 * @wait: our entry in the eventfd's queue
 * @table: finds that queue
 * @inject: raises the interrupt
 */
struct irqfd {
	struct list_head node;
	struct dtv_vm *vm;
	struct eventfd_ctx *eventfd;
	u32 irq;
	bool closed;
	wait_queue_entry_t wait;
	poll_table table;
	struct work_struct inject;
};

/* Most irqfds of a VM: some for each source. */
#define DTV_IRQFDS_MAX (4 * DTV_IRQS_MAX)

static struct workqueue_struct *queue;

int dtv_irqfd_subsys_init(void)
{
	queue = alloc_workqueue("dtv-irqfd", WQ_HIGHPRI | WQ_UNBOUND, 0);
	return queue ? 0 : -ENOMEM;
}

void dtv_irqfd_subsys_exit(void)
{
	destroy_workqueue(queue);
}

static void inject(struct work_struct *work)
{
	struct irqfd *fd = container_of(work, struct irqfd, inject);

	dtv_plic_pulse(&fd->vm->core.plic, fd->irq);
}

/* Context: lock of the eventfd held, interrupts off. */
static int wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *fd = container_of(wait, struct irqfd, wait);
	__poll_t flags = key_to_poll(key);
	u64 count;

	if (flags & EPOLLHUP)
		WRITE_ONCE(fd->closed, true);
	if (!(flags & EPOLLIN))
		return 0;
	eventfd_ctx_do_read(fd->eventfd, &count);
	queue_work(queue, &fd->inject);
	return 1;
}

static void attach(struct file *file, wait_queue_head_t *head, poll_table *table)
{
	struct irqfd *fd = container_of(table, struct irqfd, table);

	add_wait_queue(head, &fd->wait);
}

static void release(struct irqfd *fd)
{
	u64 count;

	list_del(&fd->node);
	eventfd_ctx_remove_wait_queue(fd->eventfd, &fd->wait, &count);
	cancel_work_sync(&fd->inject);
	eventfd_ctx_put(fd->eventfd);
	kfree(fd);
}

static struct irqfd *find(struct dtv_vm *vm, struct eventfd_ctx *eventfd, u32 irq)
{
	struct irqfd *fd;

	list_for_each_entry(fd, &vm->irqfds, node)
		if (fd->eventfd == eventfd && fd->irq == irq)
			return fd;
	return NULL;
}

static int assign(struct dtv_vm *vm, struct file *file, struct eventfd_ctx *eventfd, u32 irq)
{
	struct irqfd *fd, *next;
	unsigned int nr = 0;

	list_for_each_entry_safe(fd, next, &vm->irqfds, node) {
		if (READ_ONCE(fd->closed))
			release(fd);
		else
			nr++;
	}
	if (find(vm, eventfd, irq))
		return -EEXIST;
	if (nr >= DTV_IRQFDS_MAX)
		return -ENOSPC;
	fd = kzalloc(sizeof(*fd), GFP_KERNEL_ACCOUNT);
	if (!fd)
		return -ENOMEM;
	fd->vm = vm;
	fd->irq = irq;
	/* The caller's reference becomes ours. */
	fd->eventfd = eventfd;
	INIT_WORK(&fd->inject, inject);
	init_waitqueue_func_entry(&fd->wait, wake);
	init_poll_funcptr(&fd->table, attach);
	list_add(&fd->node, &vm->irqfds);
	if (vfs_poll(file, &fd->table) & EPOLLIN)
		queue_work(queue, &fd->inject);
	return 0;
}

int dtv_irqfd(struct dtv_vm *vm, const struct dtv_irqfd *args)
{
	struct eventfd_ctx *eventfd;
	struct irqfd *fd;
	struct file *file;
	int err = 0;

	lockdep_assert_held(&vm->lock);
	if (!args->irq || args->irq >= DTV_IRQS_MAX || args->reserved ||
	    args->flags & ~DTV_IRQFD_DEASSIGN)
		return -EINVAL;
	file = fget(args->fd);
	if (!file)
		return -EBADF;
	eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(eventfd)) {
		err = PTR_ERR(eventfd);
	} else if (args->flags & DTV_IRQFD_DEASSIGN) {
		fd = find(vm, eventfd, args->irq);
		if (fd)
			release(fd);
		else
			err = -ENOENT;
		eventfd_ctx_put(eventfd);
	} else {
		err = assign(vm, file, eventfd, args->irq);
		if (err)
			eventfd_ctx_put(eventfd);
	}
	fput(file);
	return err;
}

void dtv_irqfd_release_all(struct dtv_vm *vm)
{
	struct irqfd *fd, *next;

	list_for_each_entry_safe(fd, next, &vm->irqfds, node)
		release(fd);
}
