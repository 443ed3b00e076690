// SPDX-License-Identifier: GPL-2.0-only
/*
 * slots.c - guest RAM and ROM: which page of which memfd stands at a guest physical
 * address. Pages are pinned and charged to the VM's owner at their first touch
 * and given back when the VM is freed.
 *
 * Slots are added under vm->lock before the VM starts and never change, but for
 * whether ROM is hidden; page pointers are set once. So lookups take no lock.
 */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/user.h>
#include <linux/shmem_fs.h>

#include "../vm.h"
#include "slots.h"

/* An empty shmem file: the only way to know others of its kind that all kernels export. */
static struct file *specimen;

int dtv_slots_subsys_init(void)
{
	specimen = shmem_file_setup("dtv", 0, VM_NORESERVE);
	return PTR_ERR_OR_ZERO(specimen);
}

void dtv_slots_subsys_exit(void)
{
	fput(specimen);
}

static bool is_shmem(struct file *file)
{
	return file->f_op == specimen->f_op;
}

/* io_uring's rule: pages count against the user's RLIMIT_MEMLOCK and show in the owner's VmPin. */
static bool charge(struct dtv_vm *vm)
{
	if (vm->memlock != ~0ULL) {
		long cur = atomic_long_read(&vm->user->locked_vm);

		do {
			if (cur + 1 > vm->memlock)
				return false;
		} while (!atomic_long_try_cmpxchg(&vm->user->locked_vm, &cur, cur + 1));
	}
	atomic64_inc(&vm->mm->pinned_vm);
	atomic64_inc(&vm->pinned);
	return true;
}

static void uncharge(struct dtv_vm *vm, u64 pages)
{
	if (vm->memlock != ~0ULL)
		atomic_long_sub(pages, &vm->user->locked_vm);
	atomic64_sub(pages, &vm->mm->pinned_vm);
	atomic64_sub(pages, &vm->pinned);
}

static struct dtv_slot *find_slot(struct dtv_vm *vm, gpa_t gpa)
{
	/* Pairs with add_locked(): what is below the number is complete. */
	unsigned int i, nr = smp_load_acquire(&vm->nr_slots);

	for (i = 0; i < nr; i++) {
		struct dtv_slot *slot = &vm->slots[i];

		if (gpa >= slot->gpa && (gpa - slot->gpa) >> PAGE_SHIFT < slot->pages)
			return slot;
	}
	return NULL;
}

/* First touch of a page. Two vCPUs may race: one pointer wins, the other reference goes back. */
static struct page *touch(struct dtv_vm *vm, struct dtv_slot *slot, u64 index)
{
	struct page *page, *old;

	might_sleep();
	if (!charge(vm))
		return ERR_PTR(-EPERM);
	page = shmem_read_mapping_page(slot->file->f_mapping, slot->pgoff + index);
	if (IS_ERR(page)) {
		uncharge(vm, 1);
		return page;
	}
	old = cmpxchg(&slot->page[index], NULL, page);
	if (old) {
		put_page(page);
		uncharge(vm, 1);
		page = old;
	}
	return page;
}

static void refuse(struct dtv_vm *vm, long err)
{
	if (err == -EPERM)
		dtv_vm_kill(vm, "no more memory may be locked: RLIMIT_MEMLOCK of %llu KiB reached",
			    vm->memlock << (PAGE_SHIFT - 10));
	else
		dtv_vm_kill(vm, "guest memory cannot be had from the host (error %ld)", -err);
}

static void *slot_memory(struct dtv_vm *vm, struct dtv_slot *slot, gpa_t gpa)
{
	struct page *page;
	u64 index;

	index = (gpa - slot->gpa) >> PAGE_SHIFT;
	page = READ_ONCE(slot->page[index]);
	if (unlikely(!page)) {
		page = touch(vm, slot, index);
		if (IS_ERR(page)) {
			refuse(vm, PTR_ERR(page));
			return NULL;
		}
	}
	return (u8 *)page_address(page) + (gpa & ~PAGE_MASK);
}

void *dtv_host_ram(struct dtv_vm_core *core, gpa_t gpa)
{
	struct dtv_vm *vm = dtv_vm_of(core);
	struct dtv_slot *slot = find_slot(vm, gpa);

	if (unlikely(!slot) || slot->rom)
		return NULL;
	return slot_memory(vm, slot, gpa);
}

void *dtv_host_rom(struct dtv_vm_core *core, gpa_t gpa, bool load)
{
	struct dtv_vm *vm = dtv_vm_of(core);
	struct dtv_slot *slot = find_slot(vm, gpa);

	if (!slot || !slot->rom || (load && READ_ONCE(slot->hidden)))
		return NULL;
	return slot_memory(vm, slot, gpa);
}

void *dtv_slots_ahead(struct dtv_vm *vm, gpa_t gpa)
{
	struct dtv_slot *slot = find_slot(vm, gpa);
	struct page *page;
	u64 index;

	if (!slot || slot->rom)
		return NULL;
	index = (gpa - slot->gpa) >> PAGE_SHIFT;
	page = READ_ONCE(slot->page[index]);
	if (!page)
		page = touch(vm, slot, index);
	return IS_ERR(page) ? NULL : page_address(page);
}

static bool overlaps(struct dtv_vm *vm, gpa_t gpa, u64 size)
{
	unsigned int i;

	for (i = 0; i < vm->nr_slots; i++) {
		const struct dtv_slot *slot = &vm->slots[i];

		if (gpa < slot->gpa + (slot->pages << PAGE_SHIFT) && slot->gpa < gpa + size)
			return true;
	}
	return false;
}

/* Slots are numbered without gaps: a number is taken when it is below nr_slots. */
static int add_locked(struct dtv_vm *vm, const struct dtv_memory *mem, bool rom, struct file *file)
{
	struct dtv_slot *slot;

	if (dtv_vm_stopped(vm))
		return -ESHUTDOWN;
	if (vm->state != DTV_VM_CREATED)
		return -EBUSY;
	if (mem->slot < vm->nr_slots || overlaps(vm, mem->gpa, mem->size))
		return -EEXIST;
	if (mem->slot != vm->nr_slots)
		return -EINVAL;
	slot = &vm->slots[vm->nr_slots];
	slot->page = kvcalloc(mem->size >> PAGE_SHIFT, sizeof(*slot->page), DTV_GFP_TABLE);
	if (!slot->page)
		return -ENOMEM;
	slot->gpa = mem->gpa;
	slot->pages = mem->size >> PAGE_SHIFT;
	slot->pgoff = mem->offset >> PAGE_SHIFT;
	slot->file = get_file(file);
	slot->rom = rom;
	/* Lookups take no lock. */
	smp_store_release(&vm->nr_slots, vm->nr_slots + 1);
	return 0;
}

static int check_file(struct file *file, const struct dtv_memory *mem)
{
	const fmode_t both = FMODE_READ | FMODE_WRITE;

	if (!is_shmem(file) || (file->f_mode & both) != both)
		return -EINVAL;
	if (!(READ_ONCE(SHMEM_I(file_inode(file))->seals) & F_SEAL_SHRINK))
		return -EINVAL;
	if (mem->offset + mem->size > i_size_read(file_inode(file)))
		return -EINVAL;
	return 0;
}

/* ROM is where QEMU's virt has devices, but not where the module has its own. */
static bool valid_range(const struct dtv_memory *mem, bool rom)
{
	const u64 limit = rom ? DTV_GPA_RAM : 1ULL << 56; /* of a physical address in a PTE */

	if (mem->gpa >= limit || mem->size > limit - mem->gpa)
		return false;
	if (!rom)
		return mem->gpa >= DTV_GPA_RAM;
	return (mem->gpa + mem->size <= DTV_CLINT_BASE ||
		mem->gpa >= DTV_CLINT_BASE + DTV_CLINT_SIZE) &&
	       (mem->gpa + mem->size <= DTV_PLIC_BASE || mem->gpa >= DTV_PLIC_BASE + DTV_PLIC_SIZE);
}

int dtv_slots_add(struct dtv_vm *vm, const struct dtv_memory *mem, bool rom)
{
	struct file *file;
	int err;

	if (mem->slot >= DTV_SLOTS_MAX || !mem->size)
		return -EINVAL;
	if ((mem->gpa | mem->size | mem->offset) & ~PAGE_MASK)
		return -EINVAL;
	if (!valid_range(mem, rom) || mem->offset > LLONG_MAX - mem->size)
		return -EINVAL;
	file = fget(mem->fd);
	if (!file)
		return -EBADF;
	err = check_file(file, mem);
	if (!err) {
		mutex_lock(&vm->lock);
		err = add_locked(vm, mem, rom, file);
		mutex_unlock(&vm->lock);
	}
	fput(file);
	return err;
}

int dtv_slots_show(struct dtv_vm *vm, const struct dtv_show *show)
{
	struct dtv_slot *slot;

	/* Pairs with add_locked(). */
	if (show->slot >= smp_load_acquire(&vm->nr_slots) || show->shown > 1)
		return -EINVAL;
	slot = &vm->slots[show->slot];
	if (!slot->rom)
		return -EINVAL;
	WRITE_ONCE(slot->hidden, !show->shown);
	if (!show->shown)
		dtv_vm_rom_hidden(&vm->core, slot->gpa, slot->pages << PAGE_SHIFT);
	return 0;
}

static void release_slot(struct dtv_vm *vm, struct dtv_slot *slot)
{
	u64 i, n = 0;

	for (i = 0; i < slot->pages; i++) {
		struct page *page = slot->page[i];

		/* Most of a large slot may be untouched. */
		if (i % 4096 == 0)
			cond_resched();
		if (!page)
			continue;
		/* Views are page-frame mappings, whose writes leave no other trace. */
		set_page_dirty(page);
		put_page(page);
		n++;
	}
	uncharge(vm, n);
	kvfree(slot->page);
	fput(slot->file);
}

void dtv_slots_release(struct dtv_vm *vm)
{
	while (vm->nr_slots)
		release_slot(vm, &vm->slots[--vm->nr_slots]);
}
