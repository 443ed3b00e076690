/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vcpu.h - a hart and the task that runs it: exits, waits, kicks.
 */
#ifndef DTV_VCPU_H
#define DTV_VCPU_H

#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/task_work.h>
#include <linux/wait.h>

#include "hart.h"

struct dtv_mmio_reply;
struct dtv_vm;
struct file;
struct inode;
struct task_struct;
struct vm_area_struct;

enum dtv_vcpu_mmio {
	DTV_VCPU_MMIO_NONE,
	DTV_VCPU_MMIO_SENT, /* the VM fd's reader has to answer */
	DTV_VCPU_MMIO_TAKEN, /* an answer is being stored */
	DTV_VCPU_MMIO_DONE,
};

/**
 * struct dtv_vcpu - a vCPU
 * @cpu: what the portable code knows of it
 * @vm: its VM, which owns it
 * @inode: address space of the vCPU's file; zaps go through its i_mapping
 * @area: the vCPU area, from vmalloc_user()
 * @task: the jail; set once under vm->lock, holds a reference to the task
 * @mapping: the jail's views are being mapped: mmap() works
 * @jailed: the address space is complete; faults are served
 * @trim: page tables have grown beyond their limit; the jail's own
 * @gone: the jail has died
 * @parked: the jail's next DTV_VCPU_EXIT is no exit of translated code but goes on with @action
 * @action: what the run loop was about to do; the jail's own
 * @wait: where the jail sleeps
 * @kick_work: in the jail's queue while KICK_QUEUED
 * @kick_flags: bit 0: @kick_work is queued
 * @kick_again: a kick found an ip that cannot be interrupted
 * @timer: the guest's timer
 * @timer_when: guest time it is set to, ticks; ~0: none. The jail's own, and vm->lock's on unpause
 * @fd: the jail's descriptor of its vCPU file
 * @mmio: enum dtv_vcpu_mmio, cmpxchg'ed
 * @mmio_id: of the last request
 */
struct dtv_vcpu {
	struct dtv_cpu cpu;
	struct dtv_vm *vm;
	struct inode *inode;
	void *area;
	struct task_struct *task;
	bool mapping;
	bool jailed;
	bool trim;
	bool gone;
	bool parked;
	enum dtv_action action;
	wait_queue_head_t wait;
	struct callback_head kick_work;
	unsigned long kick_flags;
	struct hrtimer kick_again;
	struct hrtimer timer;
	u64 timer_when;
	unsigned int fd;
	u32 mmio;
	u64 mmio_id;
};

static inline struct dtv_vcpu *dtv_vcpu_of(struct dtv_cpu *cpu)
{
	return container_of(cpu, struct dtv_vcpu, cpu);
}

/**
 * dtv_vcpu_create() - add a vCPU to a VM
 * @vm: VM
 * @id: hart id: the next one
 *
 * Return: the vCPU, which the VM owns, or ERR_PTR: -EINVAL, -EEXIST, -EBUSY (the VM was started),
 * -ESHUTDOWN, -ENOMEM.
 * Context: process, sleeps; takes vm->lock.
 */
struct dtv_vcpu *dtv_vcpu_create(struct dtv_vm *vm, unsigned long id);
void dtv_vcpu_destroy(struct dtv_vcpu *vcpu);

/* The vCPU's file, and mmap() of it, which only the jail can do while it is being made. */
struct file *dtv_vcpu_file(struct dtv_vcpu *vcpu, const struct file_operations *fops);
int dtv_vcpu_mmap(struct file *file, struct vm_area_struct *vma);

/**
 * dtv_vcpu_exit() - the jail left translated code
 * @vcpu: vCPU
 *
 * Runs the hart's loop until there is translated code to go on with.
 *
 * Return: 0: go on behind the system call; -EPERM when the caller is not the
 * jail; -ERESTARTNOINTR when a signal has to be looked at first.
 * Context: the jail's, sleeps.
 */
long dtv_vcpu_exit(struct dtv_vcpu *vcpu);

/* DTV_MMIO_REPLY. Return: 0, -EINVAL, -ENOENT (nothing asked, or an old id). */
int dtv_vcpu_mmio_reply(struct dtv_vm *vm, const struct dtv_mmio_reply *reply);

/* The jail is dying (in its own context) or has lost its memory: stop the VM. */
void dtv_vcpu_gone(struct dtv_vcpu *vcpu);

/* Wake the vCPU or interrupt its translated code, whatever it does. Context: any. */
void dtv_vcpu_kick(struct dtv_vcpu *vcpu);

/* irq/timer.c */
void dtv_timer_init(struct dtv_vcpu *vcpu);
void dtv_timer_cancel(struct dtv_vcpu *vcpu);
void dtv_timer_rearm(struct dtv_vcpu *vcpu);
void dtv_timer_again(struct dtv_vcpu *vcpu);

#endif /* DTV_VCPU_H */
