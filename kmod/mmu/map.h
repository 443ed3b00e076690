/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * map.h - the mappings of a jail: offsets in the vCPU's file and the faults on them.
 *
 * The file's offsets: view i at i * DTV_VIEW_STRIDE, then the cache, then the
 * area. Each vCPU file has an inode of its own, so that zaps of one vCPU find
 * its mappings alone.
 */
#ifndef DTV_MMU_MAP_H
#define DTV_MMU_MAP_H

#include "view.h"

struct dtv_vcpu;
struct file;
struct vm_area_struct;

#define DTV_MAP_CACHE ((u64)DTV_VIEWS_MAX * DTV_VIEW_STRIDE)
#define DTV_MAP_AREA (DTV_MAP_CACHE + (1ULL << 32))

/* Bytes from the start of a view's mapping to the place of gva 0. */
#define DTV_MAP_VIEW_BASE ((DTV_VIEW_STRIDE - DTV_VIEW_SIZE) / 2 + DTV_VIEW_SIZE / 2)

/* The inode of a vCPU's file, and its end. Context: process, sleep. */
struct inode *dtv_map_inode(void);
void dtv_map_inode_put(struct inode *inode);

/**
 * dtv_map_file() - open a file on a vCPU's inode
 * @inode: from dtv_map_inode()
 * @name: seen in /proc
 * @fops: operations; holds a reference to its module while the file is open
 * @private: the file's private_data
 *
 * Return: the file or ERR_PTR. Context: process, sleeps.
 */
struct file *dtv_map_file(struct inode *inode, const char *name, const struct file_operations *fops,
			  void *private);

/* mmap() of a vCPU file: for the jail alone, while it is being made. */
int dtv_map_mmap(struct dtv_vcpu *vcpu, struct vm_area_struct *vma);

#endif /* DTV_MMU_MAP_H */
