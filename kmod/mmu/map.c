// SPDX-License-Identifier: GPL-2.0-only
/*
 * map.c - the mappings of a jail, and what a host page fault in them does.
 *
 * Views and cache are page-frame mappings, filled by faults; the area is
 * mapped as a whole. Each vCPU file has an inode of its own on a file system
 * of the module, so that unmap_mapping_range() zaps views of a vCPU from any
 * task without its mmap_lock: it takes the inode's i_mmap_rwsem. Only the jail
 * itself fills its views, under its mmap_lock.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/sched/task_stack.h>
#include <linux/vmalloc.h>

#include "../compat/compat.h"
#include "../jail.h"
#include "../vcpu.h"
#include "../vm.h"
#include "map.h"
#include "slots.h"

#define DTV_FS_MAGIC 0x64747601
#define VIEW_PAGES (DTV_VIEW_STRIDE >> PAGE_SHIFT)
/* Pages that are mapped with one fault: naturally aligned. */
#define CACHE_AROUND 16
#define VIEW_AROUND 16

static int init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, DTV_FS_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type fs_type = {
	.name = "dtv",
	.owner = THIS_MODULE,
	.init_fs_context = init_fs_context,
	.kill_sb = kill_anon_super,
};

/* Mounted while there are inodes: the mount holds the module. */
static struct vfsmount *mount;
static int mount_count;

struct inode *dtv_map_inode(void)
{
	struct inode *inode;
	int err;

	err = simple_pin_fs(&fs_type, &mount, &mount_count);
	if (err)
		return ERR_PTR(err);
	inode = alloc_anon_inode(mount->mnt_sb);
	if (IS_ERR(inode))
		simple_release_fs(&mount, &mount_count);
	return inode;
}

void dtv_map_inode_put(struct inode *inode)
{
	iput(inode);
	simple_release_fs(&mount, &mount_count);
}

struct file *dtv_map_file(struct inode *inode, const char *name, const struct file_operations *fops,
			  void *private)
{
	struct file *file;

	/* fput() drops the reference that is taken here. */
	if (!try_module_get(fops->owner))
		return ERR_PTR(-ENODEV);
	ihold(inode);
	file = alloc_file_pseudo(inode, mount, name, O_RDWR | O_CLOEXEC, fops);
	if (IS_ERR(file)) {
		iput(inode);
		module_put(fops->owner);
		return file;
	}
	file->private_data = private;
	return file;
}

/* --- zaps --- */

static void zap(struct dtv_vcpu *vcpu, u64 offset, u64 size)
{
	unmap_mapping_range(vcpu->inode->i_mapping, offset, size, 1);
}

void dtv_host_view_zap(struct dtv_cpu *cpu, unsigned int idx, gva_t gva, u64 size)
{
	u64 start = DTV_MAP_VIEW_BASE + (gva & PAGE_MASK);

	if (WARN_ON_ONCE(idx >= DTV_JAIL_VIEWS) || !size)
		return;
	/* What lies outside of the view's mapping is mapped nowhere. */
	if (start >= DTV_VIEW_STRIDE)
		return;
	size = min_t(u64, size + (gva & ~PAGE_MASK), DTV_VIEW_STRIDE - start);
	zap(dtv_vcpu_of(cpu), idx * DTV_VIEW_STRIDE + start, PAGE_ALIGN(size));
}

void dtv_host_view_reset(struct dtv_cpu *cpu, unsigned int idx)
{
	if (WARN_ON_ONCE(idx >= DTV_JAIL_VIEWS))
		return;
	zap(dtv_vcpu_of(cpu), idx * DTV_VIEW_STRIDE, DTV_VIEW_STRIDE);
}

u64 dtv_host_view_base(struct dtv_cpu *cpu, unsigned int idx)
{
	return DTV_JAIL_VIEW + idx * DTV_VIEW_STRIDE + DTV_MAP_VIEW_BASE;
}

/* --- views --- */

static pgprot_t view_prot(const struct vm_area_struct *vma, bool write)
{
	/*
	 * vm_page_prot lacks write permission, as there is a pfn_mkwrite. A
	 * writable page is mapped dirty: the processor has nothing to set then.
	 */
	if (!write)
		return vma->vm_page_prot;
	return __pgprot(pgprot_val(vm_get_page_prot(vma->vm_flags)) | _PAGE_DIRTY | _PAGE_ACCESSED);
}

/* Let only the jail's translated code fault: not a debugger, not the kernel on its behalf. */
static struct dtv_vcpu *faulting_vcpu(struct vm_fault *vmf)
{
	struct dtv_vcpu *vcpu = vmf->vma->vm_private_data;

	if (!(vmf->flags & FAULT_FLAG_USER) || current != vcpu->task || !vcpu->jailed ||
	    !READ_ONCE(vcpu->cpu.in_guest))
		return NULL;
	return vcpu;
}

static unsigned int view_of(const struct vm_area_struct *vma)
{
	return vma->vm_pgoff / VIEW_PAGES;
}

/* Ask the portable code. Return: true when a page is to be mapped; else all is done. */
static bool miss(struct dtv_vcpu *vcpu, struct vm_fault *vmf, struct dtv_miss *m)
{
	struct pt_regs *regs = task_pt_regs(current);
	unsigned int idx = view_of(vmf->vma);
	gva_t gva = vmf->real_address - dtv_host_view_base(&vcpu->cpu, idx);

	m->kind = DTV_MISS_RETRY;
	dtv_cpu_miss(&vcpu->cpu, idx, gva, vmf->flags & FAULT_FLAG_WRITE, regs->ip, m);
	if (m->kind == DTV_MISS_REDIRECT)
		regs->ip = m->ip;
	if (m->kind != DTV_MISS_MAP)
		return false;
	return !WARN_ON_ONCE(m->view != idx || !m->page);
}

static unsigned long pfn_of(const void *page)
{
	return __pa(page) >> PAGE_SHIFT;
}

/**
 * struct fill - pages to be mapped with one fault
 * @vma: view
 * @start: host address of the first
 * @page: host pointers, NULL for those to be left out
 * @write: bit i: page i is to be writable
 * @filled: out: bit i: page i was mapped
 */
struct fill {
	struct vm_area_struct *vma;
	unsigned long start;
	void *page[VIEW_AROUND];
	unsigned long write;
	unsigned long filled;
};

/* Under the page table's lock. */
static int fill_pte(pte_t *pte, unsigned long addr, void *data)
{
	struct fill *fill = data;
	unsigned long i = (addr - fill->start) >> PAGE_SHIFT;

	if (!fill->page[i] || !pte_none(*pte))
		return 0;
	set_pte_at(fill->vma->vm_mm, addr, pte,
		   pte_mkspecial(pfn_pte(pfn_of(fill->page[i]),
					 view_prot(fill->vma, test_bit(i, &fill->write)))));
	__set_bit(i, &fill->filled);
	return 0;
}

/*
 * The missed page alone, or with those around it that one superpage of the
 * guest maps alike: what a kernel uses next is mostly there. Return: how many pages are spanned.
 */
static unsigned int choose(struct dtv_vcpu *vcpu, const struct dtv_miss *m, struct fill *fill)
{
	unsigned int i, me = (m->gva >> PAGE_SHIFT) % VIEW_AROUND;
	const struct vm_area_struct *vma = fill->vma;

	/* A view's mapping is aligned, unless the jail has changed its mappings. */
	if (!m->level || fill->start < vma->vm_start + me * PAGE_SIZE ||
	    fill->start + (VIEW_AROUND - me) * PAGE_SIZE > vma->vm_end ||
	    !dtv_opt(&vcpu->vm->core.dbt, DTV_OPT_AROUND)) {
		fill->page[0] = m->page;
		fill->write = m->prot & 2 ? 1 : 0;
		return 1;
	}
	fill->start -= me * PAGE_SIZE;
	for (i = 0; i < VIEW_AROUND; i++) {
		gpa_t gpa = m->gpa + ((gpa_t)i - me) * PAGE_SIZE;

		fill->page[i] = i == me ? m->page : dtv_slots_ahead(vcpu->vm, gpa);
		if (m->prot & 2 && (i == me || !dtv_view_guarded(&vcpu->cpu, gpa)))
			__set_bit(i, &fill->write);
	}
	return VIEW_AROUND;
}

static vm_fault_t view_fault(struct vm_fault *vmf)
{
	struct dtv_vcpu *vcpu = faulting_vcpu(vmf);
	struct fill fill = { .vma = vmf->vma, .start = vmf->address };
	unsigned int i, nr;
	struct dtv_miss m;

	if (!vcpu)
		return VM_FAULT_SIGBUS;
	if (!miss(vcpu, vmf, &m))
		return VM_FAULT_NOPAGE;
	nr = choose(vcpu, &m, &fill);
	if (apply_to_page_range(vmf->vma->vm_mm, fill.start, nr * PAGE_SIZE, fill_pte, &fill))
		return VM_FAULT_OOM;
	if (unlikely(mm_pgtables_bytes(vmf->vma->vm_mm) > dtv_jail_tables_max(vcpu->vm))) {
		vcpu->trim = true;
		dtv_cpu_request(&vcpu->cpu, DTV_REQ_LEAVE);
	}
	/*
	 * A mapping is there before it is recorded, so that a write protection
	 * finds either the record or, being over, makes this return false. Until
	 * we return nobody can use it.
	 */
	if (m.rom && !dtv_view_shown(&vcpu->cpu, m.view, m.gva, m.gpa))
		dtv_host_view_zap(&vcpu->cpu, m.view, m.gva, PAGE_SIZE);
	for (i = 0; i < nr; i++) {
		s64 off = (s64)(fill.start - vmf->address) + (s64)i * PAGE_SIZE;

		if (test_bit(i, &fill.filled) && test_bit(i, &fill.write) &&
		    !dtv_view_filled(&vcpu->cpu, m.view, m.gva + off, m.gpa + off))
			dtv_host_view_zap(&vcpu->cpu, m.view, m.gva + off, PAGE_SIZE);
	}
	return VM_FAULT_NOPAGE;
}

/* A store to a page that is mapped read-only. */
static vm_fault_t view_mkwrite(struct vm_fault *vmf)
{
	struct dtv_vcpu *vcpu = faulting_vcpu(vmf);
	struct dtv_miss m;

	if (!vcpu)
		return VM_FAULT_SIGBUS;
	if (!miss(vcpu, vmf, &m))
		return VM_FAULT_NOPAGE;
	/*
	 * When the same page may now be written, the caller makes the entry
	 * writable if it has not changed meanwhile; a write protection that
	 * comes after the record removes the entry and so prevents that.
	 */
	if (m.prot & 2 && pte_pfn(vmf->orig_pte) == pfn_of(m.page) &&
	    dtv_view_filled(&vcpu->cpu, m.view, m.gva, m.gpa))
		return 0;
	dtv_host_view_zap(&vcpu->cpu, m.view, m.gva, PAGE_SIZE);
	return VM_FAULT_NOPAGE;
}

static const struct vm_operations_struct view_ops = {
	.fault = view_fault,
	.pfn_mkwrite = view_mkwrite,
};

/* --- cache --- */

static u64 cache_offset(const struct vm_area_struct *vma, unsigned long addr)
{
	return ((u64)vma->vm_pgoff << PAGE_SHIFT) - DTV_MAP_CACHE + (addr - vma->vm_start);
}

static vm_fault_t cache_fault(struct vm_fault *vmf)
{
	struct dtv_vcpu *vcpu = vmf->vma->vm_private_data;
	struct vm_area_struct *vma = vmf->vma;
	unsigned long first = vmf->address & ~(CACHE_AROUND * PAGE_SIZE - 1);
	unsigned long end = min(first + CACHE_AROUND * PAGE_SIZE, vma->vm_end);
	unsigned long addr = max(first, vma->vm_start);
	vm_fault_t ret = VM_FAULT_NOPAGE;

	/* The jail may have unmapped or moved parts: what is left still shows its own pages. */
	for (; addr < end && ret == VM_FAULT_NOPAGE; addr += PAGE_SIZE)
		ret = vmf_insert_pfn(vma, addr,
				     vmalloc_to_pfn(vcpu->vm->cache + cache_offset(vma, addr)));
	return ret;
}

static const struct vm_operations_struct cache_ops = {
	.fault = cache_fault,
};

/* --- area --- */

/* The address space is being torn down: there is no jail any more. */
static void area_close(struct vm_area_struct *vma)
{
	dtv_vcpu_gone(vma->vm_private_data);
}

static const struct vm_operations_struct area_ops = {
	.close = area_close,
};

/* By hand: what remap_vmalloc_range() takes is charged to no control group. */
static int map_area(struct dtv_vcpu *vcpu, struct vm_area_struct *vma)
{
	u64 off;
	int err = 0;

	for (off = 0; off < DTV_AREA_SIZE && !err; off += PAGE_SIZE)
		err = vm_insert_page(vma, vma->vm_start + off, vmalloc_to_page(vcpu->area + off));
	return err;
}

int dtv_map_mmap(struct dtv_vcpu *vcpu, struct vm_area_struct *vma)
{
	const u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	const u64 size = vma->vm_end - vma->vm_start;
	int err;

	if (current != vcpu->task || !vcpu->mapping)
		return -EACCES;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vma->vm_private_data = vcpu;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTCOPY | VM_DONTDUMP);
	if (offset == DTV_MAP_AREA && size == DTV_AREA_SIZE) {
		vm_flags_clear(vma, VM_EXEC | VM_MAYEXEC);
		err = map_area(vcpu, vma);
		if (!err)
			vma->vm_ops = &area_ops;
		return err;
	}
	/* VM_IO: or madvise(MADV_DOFORK) would take VM_DONTCOPY back. */
	vm_flags_set(vma, VM_PFNMAP | VM_IO);
	if (offset == DTV_MAP_CACHE && size == vcpu->vm->cache_size) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
		vma->vm_ops = &cache_ops;
		return 0;
	}
	if (offset / DTV_VIEW_STRIDE < DTV_JAIL_VIEWS && offset % DTV_VIEW_STRIDE == 0 &&
	    size == DTV_VIEW_STRIDE) {
		vm_flags_clear(vma, VM_EXEC | VM_MAYEXEC);
		vma->vm_ops = &view_ops;
		return 0;
	}
	return -EINVAL;
}
