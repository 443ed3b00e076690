/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat.h - what differs between kernel versions, under the name that the
 * newest of them uses. No other file asks for a version.
 */
#ifndef DTV_COMPAT_H
#define DTV_COMPAT_H

#include <linux/version.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/sched.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#include <linux/rseq.h>
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/* True when the task has a user shadow stack, which a jail has no memory for. */
static inline bool dtv_compat_shadow_stack(struct task_struct *task)
{
#ifdef CONFIG_X86_USER_SHADOW_STACK
	return task->thread.features;
#else
	return false;
#endif
}

#endif /* DTV_COMPAT_H */
