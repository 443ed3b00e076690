// SPDX-License-Identifier: GPL-2.0-only
/*
 * chardev.c - /dev/dtv, VM and vCPU descriptors, their ioctls: the only place
 * that copies from and to users. What the calls mean is elsewhere; a table a
 * kind of descriptor says which there are.
 *
 * Documentation/api.rst is the reference for arguments and errors.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include <linux/dtv.h>

#include "chardev.h"
#include "jail.h"
#include "vcpu.h"
#include "vm.h"

/* The largest argument structure. */
union argument {
	struct dtv_create_vm create;
	struct dtv_memory memory;
	struct dtv_entry entry;
	struct dtv_irq_level irq_level;
	struct dtv_irqfd irqfd;
	struct dtv_mmio_reply reply;
	struct dtv_stop stop;
	struct dtv_state state;
	struct dtv_stats stats;
	struct dtv_range range;
	struct dtv_isa isa;
	struct dtv_show show;
	struct dtv_limit limit;
};

/**
 * struct call - an ioctl
 * @cmd: number; its direction and size bits say what is copied
 * @fn: what it does; @plain is the ioctl's argument itself, @arg its copy
 */
struct call {
	unsigned int cmd;
	long (*fn)(struct file *file, unsigned long plain, union argument *arg);
};

static long dispatch(const struct call *calls, size_t nr, struct file *file, unsigned int cmd,
		     unsigned long plain)
{
	void __user *user = (void __user *)plain;
	union argument arg;
	size_t i;
	long ret;

	for (i = 0; i < nr; i++)
		if (calls[i].cmd == cmd)
			break;
	if (i == nr)
		return -ENOTTY;
	BUILD_BUG_ON(sizeof(arg) > 512);
	if (_IOC_DIR(cmd) & _IOC_WRITE && copy_from_user(&arg, user, _IOC_SIZE(cmd)))
		return -EFAULT;
	ret = calls[i].fn(file, plain, &arg);
	if (ret >= 0 && _IOC_DIR(cmd) & _IOC_READ && copy_to_user(user, &arg, _IOC_SIZE(cmd)))
		return -EFAULT;
	return ret;
}

/* --- vCPU --- */

static long vcpu_enter(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_jail_enter(file->private_data, file, plain);
}

static long vcpu_exit(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_vcpu_exit(file->private_data);
}

static long vcpu_stray(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_jail_stray(file->private_data);
}

/* Most frequent first. */
static const struct call vcpu_calls[] = {
	{ DTV_VCPU_EXIT, vcpu_exit },
	{ DTV_VCPU_STRAY, vcpu_stray },
	{ DTV_VCPU_ENTER, vcpu_enter },
};

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long plain)
{
	return dispatch(vcpu_calls, ARRAY_SIZE(vcpu_calls), file, cmd, plain);
}

/* Each close() of a descriptor comes here: the jail's own is its end. */
static int vcpu_flush(struct file *file, fl_owner_t id)
{
	struct dtv_vcpu *vcpu = file->private_data;

	if (vcpu->jailed && current == vcpu->task)
		dtv_vcpu_gone(vcpu);
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct dtv_vcpu *vcpu = file->private_data;

	dtv_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vcpu_ioctl,
	.mmap = dtv_vcpu_mmap,
	.flush = vcpu_flush,
	.release = vcpu_release,
	.llseek = noop_llseek,
};

/* --- VM --- */

static long vm_set_memory(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_vm_set_memory(file->private_data, &arg->memory);
}

static long vm_set_rom(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_vm_set_rom(file->private_data, &arg->memory);
}

static long vm_show_rom(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_vm_show_rom(file->private_data, &arg->show);
}

static long vm_create_vcpu(struct file *file, unsigned long plain, union argument *arg)
{
	struct dtv_vm *vm = file->private_data;
	struct dtv_vcpu *vcpu;
	struct file *new;
	int fd;

	fd = get_unused_fd_flags(O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fd;
	vcpu = dtv_vcpu_create(vm, plain);
	if (IS_ERR(vcpu)) {
		put_unused_fd(fd);
		return PTR_ERR(vcpu);
	}
	dtv_vm_get(vm);
	new = dtv_vcpu_file(vcpu, &vcpu_fops);
	if (IS_ERR(new)) {
		/* The vCPU stays without a file; such a VM cannot run. */
		dtv_vm_kill(vm, "vcpu %lu: no file can be made", plain);
		dtv_vm_put(vm);
		put_unused_fd(fd);
		return PTR_ERR(new);
	}
	fd_install(fd, new);
	return fd;
}

static long vm_set_entry(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_vm_set_entry(file->private_data, &arg->entry);
}

static long vm_set_isa(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_vm_set_isa(file->private_data, &arg->isa);
}

static long vm_set_limit(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_vm_set_limit(file->private_data, &arg->limit);
}

static long vm_irq_line(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_vm_irq_line(file->private_data, &arg->irq_level);
}

static long vm_irqfd(struct file *file, unsigned long plain, union argument *arg)
{
	struct dtv_vm *vm = file->private_data;
	long ret;

	mutex_lock(&vm->lock);
	ret = dtv_irqfd(vm, &arg->irqfd);
	mutex_unlock(&vm->lock);
	return ret;
}

static long vm_mmio_reply(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_vcpu_mmio_reply(file->private_data, &arg->reply);
}

static long vm_start(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_vm_start(file->private_data);
}

static long vm_pause(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_vm_pause(file->private_data);
}

static long vm_unpause(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_vm_unpause(file->private_data);
}

static long vm_stop(struct file *file, unsigned long plain, union argument *arg)
{
	struct dtv_vm *vm = file->private_data;
	const char *reason = arg->stop.reason;

	if (strnlen(reason, sizeof(arg->stop.reason)) == sizeof(arg->stop.reason) || !*reason)
		return -EINVAL;
	if (dtv_vm_stopped(vm))
		return -ESHUTDOWN;
	dtv_vm_kill(vm, "%s", reason);
	return 0;
}

static long vm_get_state(struct file *file, unsigned long plain, union argument *arg)
{
	dtv_vm_get_state(file->private_data, &arg->state);
	return 0;
}

static long vm_get_stats(struct file *file, unsigned long plain, union argument *arg)
{
	dtv_vm_get_stats(file->private_data, &arg->stats);
	return 0;
}

static long vm_written(struct file *file, unsigned long plain, union argument *arg)
{
	return dtv_vm_written(file->private_data, &arg->range);
}

static const struct call vm_calls[] = {
	{ DTV_MMIO_REPLY, vm_mmio_reply },
	{ DTV_IRQ_LINE, vm_irq_line },
	{ DTV_WRITTEN, vm_written },
	{ DTV_SHOW_ROM, vm_show_rom },
	{ DTV_SET_MEMORY, vm_set_memory },
	{ DTV_SET_ROM, vm_set_rom },
	{ DTV_CREATE_VCPU, vm_create_vcpu },
	{ DTV_SET_ENTRY, vm_set_entry },
	{ DTV_SET_ISA, vm_set_isa },
	{ DTV_SET_LIMIT, vm_set_limit },
	{ DTV_IRQFD, vm_irqfd },
	{ DTV_START, vm_start },
	{ DTV_PAUSE, vm_pause },
	{ DTV_UNPAUSE, vm_unpause },
	{ DTV_STOP_VM, vm_stop },
	{ DTV_GET_STATE, vm_get_state },
	{ DTV_GET_STATS, vm_get_stats },
};

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long plain)
{
	return dispatch(vm_calls, ARRAY_SIZE(vm_calls), file, cmd, plain);
}

/* As many whole records as fit; waits for the first alone. */
static ssize_t vm_read(struct file *file, char __user *user, size_t size, loff_t *pos)
{
	struct dtv_vm *vm = file->private_data;
	struct dtv_event event;
	ssize_t done = 0;
	int got;

	if (size < sizeof(event))
		return -EINVAL;
	while (size - done >= sizeof(event)) {
		got = dtv_vm_next_event(vm, &event);
		if (got == -EAGAIN && !done && !(file->f_flags & O_NONBLOCK)) {
			if (wait_event_interruptible(vm->event_wait, dtv_vm_has_event(vm)))
				return -ERESTARTSYS;
			continue;
		}
		if (got != 1)
			return done ?: got;
		/* A record that cannot be delivered is lost: its reader is broken anyway. */
		if (copy_to_user(user + done, &event, sizeof(event)))
			return done ?: -EFAULT;
		done += sizeof(event);
	}
	return done;
}

static __poll_t vm_poll(struct file *file, poll_table *table)
{
	struct dtv_vm *vm = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &vm->event_wait, table);
	if (dtv_vm_has_event(vm))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(vm->eof))
		mask |= EPOLLHUP;
	return mask;
}

static int vm_release(struct inode *inode, struct file *file)
{
	struct dtv_vm *vm = file->private_data;

	dtv_vm_orphan(vm);
	dtv_vm_put(vm);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_ioctl,
	.read = vm_read,
	.poll = vm_poll,
	.release = vm_release,
	.llseek = noop_llseek,
};

/* --- /dev/dtv --- */

static long dev_get_api_version(struct file *file, unsigned long plain, union argument *arg)
{
	return plain ? -EINVAL : DTV_API_VERSION;
}

static long dev_check_cap(struct file *file, unsigned long plain, union argument *arg)
{
	switch (plain) {
	case DTV_CAP_VCPUS:
		return DTV_VCPUS_MAX;
	case DTV_CAP_SLOTS:
		return DTV_SLOTS_MAX;
	case DTV_CAP_VIEWS:
		return DTV_JAIL_VIEWS;
	case DTV_CAP_SBI:
		return 2 << 24;
	case DTV_CAP_IRQFD:
	case DTV_CAP_ISA:
	case DTV_CAP_ROM:
	case DTV_CAP_LIMIT:
		return 1;
	default:
		return 0;
	}
}

static long dev_create_vm(struct file *file, unsigned long plain, union argument *arg)
{
	struct dtv_vm *vm = dtv_vm_create(&arg->create);
	int fd;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	fd = anon_inode_getfd("dtv-vm", &vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		dtv_vm_orphan(vm);
		dtv_vm_put(vm);
	}
	return fd;
}

static const struct call dev_calls[] = {
	{ DTV_GET_API_VERSION, dev_get_api_version },
	{ DTV_CHECK_CAP, dev_check_cap },
	{ DTV_CREATE_VM, dev_create_vm },
};

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long plain)
{
	return dispatch(dev_calls, ARRAY_SIZE(dev_calls), file, cmd, plain);
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = dev_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dtv",
	.fops = &dev_fops,
	.mode = 0660,
};

int dtv_chardev_init(void)
{
	return misc_register(&device);
}

void dtv_chardev_exit(void)
{
	misc_deregister(&device);
}
