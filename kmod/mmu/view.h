/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * view.h - which views a hart has, and which of their pages are writable.
 *
 * Portable bookkeeping; the mappings themselves are the host's
 * (dtv_host_view_zap(), dtv_host_view_reset()). mmu->lock (spin, nests in
 * nothing and nothing in it) rules the reverse map.
 */
#ifndef DTV_MMU_VIEW_H
#define DTV_MMU_VIEW_H

#include "../port.h"
#include "../guest/guest.h"

struct dtv_vm_core;
struct dtv_cpu;

#define DTV_VIEWS_MAX 64
#define DTV_VIEW_BITS 39
#define DTV_VIEW_SIZE (1ULL << DTV_VIEW_BITS)
/* Views stand this far apart; the gap on each side of a view is half of what is left. */
#define DTV_VIEW_STRIDE (DTV_VIEW_SIZE + (16ULL << 30))

/*
 * What may be mapped in a view, by the guest leaf that it came from, so that
 * most fences need not touch it, and a fence of one address reaches all of its
 * leaf: a bit per 4 KiB page and per 2 MiB, by hash, and per 1 GiB. Cleared
 * with the view.
 */
#define DTV_FILTER_PAGES 16384
#define DTV_FILTER_REGIONS 4096
#define DTV_FILTER_GIGAS 512

struct dtv_filter {
	u64 pages[DTV_FILTER_PAGES / 64];
	u64 regions[DTV_FILTER_REGIONS / 64];
	u64 gigas[DTV_FILTER_GIGAS / 64];
};

struct dtv_view {
	bool used;
	bool filled; /* something may be mapped in it */
	u64 key; /* satp, 0: bare */
	u8 kind; /* priv | sum << 2 | mxr << 3 */
	u32 gen; /* counts resets: reverse map entries of older ones are void */
	u64 last; /* LRU clock */
};

struct dtv_views {
	unsigned int nr;
	/*
	 * S-mode without SUM is mirrored in one view for all address spaces, as
	 * long as all it sees are global mappings (privileged manual 4.3.1).
	 */
	bool split; /* no longer: something else was met */
	u64 clock;
	u8 last[16]; /* by kind: the view found last */
	struct dtv_view v[DTV_VIEWS_MAX];
	struct dtv_filter *filters; /* @nr of them */
};

struct dtv_rmap; /* entry: a writable mapping of a page */

/*
 * Mappings of ROM, so that a device can take its pages back: the last so many. Who is pushed out of
 * the list loses its mapping.
 */
#define DTV_ROM_MAPS 256

struct dtv_rom_map {
	bool used;
	u8 cpu, view;
	u32 gen; /* of the view, as in the reverse map */
	gpa_t gpa; /* page */
	gva_t gva; /* page */
};

struct dtv_mmu {
	spinlock_t lock;
	struct dtv_rmap *pool; /* fixed number of entries */
	u32 pool_size, pool_free;
	u32 zapping; /* 1 while mappings whose entries are gone may still exist */
	u32 *heads; /* hash by gpa page -> pool index + 1 */
	u32 heads_mask;
	struct dtv_rom_map rom[DTV_ROM_MAPS];
	u32 rom_next; /* the oldest */
};

int dtv_mmu_init(struct dtv_mmu *mmu, u32 entries);
void dtv_mmu_destroy(struct dtv_mmu *mmu);

/* @nr views, all unused. Return: 0 or -ENOMEM. */
int dtv_views_init(struct dtv_views *vs, unsigned int nr);
void dtv_views_destroy(struct dtv_views *vs);

/*
 * The host is about to map the page at @gva in a view, or others of the same
 * guest leaf, which is of @level. Own context.
 */
void dtv_view_note(struct dtv_cpu *cpu, unsigned int idx, gva_t gva, u8 level);

/*
 * Find the view of a regime, or recycle the least recently used one. Returns its index.
 * Own context.
 */
unsigned int dtv_view_get(struct dtv_cpu *cpu, const struct dtv_regime *r);

/* The same without making one: index, or -1. A view that is found counts as used. */
int dtv_view_find(struct dtv_cpu *cpu, const struct dtv_regime *r);

/*
 * A mapping that is not @global was found in the regime. Return: false when its view is that of all
 * address spaces and must not show it: from now on each has its own; choose the view again.
 */
bool dtv_view_admits(struct dtv_cpu *cpu, const struct dtv_regime *r, bool global);

/* Whether view @idx is that of the regime. */
bool dtv_view_is(const struct dtv_cpu *cpu, unsigned int idx, const struct dtv_regime *r);

/**
 * dtv_view_filled() - a page was mapped writable
 * @cpu: hart
 * @idx: view
 * @gva: any address in the page
 * @gpa: where it stands
 *
 * Called by the host right after it made the mapping.
 *
 * Return: false when the page has become code or reserved meanwhile: the host takes the mapping
 * away again and lets the access fault anew.
 * Context: hart's own; may sleep.
 */
bool dtv_view_filled(struct dtv_cpu *cpu, unsigned int idx, gva_t gva, gpa_t gpa);

/**
 * dtv_view_shown() - a page of ROM was mapped
 * @cpu: hart
 * @idx: view
 * @gva: any address in the page
 * @gpa: where it stands
 *
 * Called by the host right after it made the mapping.
 *
 * Return: false when a device answers for the page by now: the host takes the mapping away again
 * and lets the access fault anew.
 * Context: hart's own; may sleep.
 */
bool dtv_view_shown(struct dtv_cpu *cpu, unsigned int idx, gva_t gva, gpa_t gpa);

/*
 * Zap all mappings of ROM in [gpa, gpa + size), of which dtv_host_rom() makes no more. @self
 * is any hart. May sleep.
 */
void dtv_view_hide(struct dtv_cpu *self, gpa_t gpa, u64 size);

/*
 * Take write permission from all mappings of gpa's page on all harts; @self is who
 * asks. May sleep.
 */
void dtv_view_protect(struct dtv_cpu *self, gpa_t gpa);

/* The same, but for those of @self. */
void dtv_view_protect_others(struct dtv_cpu *self, gpa_t gpa);

/*
 * Whether stores of @cpu to the page are made by C code: it is code, or another hart has
 * a reservation in it.
 */
bool dtv_view_guarded(const struct dtv_cpu *cpu, gpa_t gpa);

/* sfence.vma of this hart: zap what it names from the hart's views. */
void dtv_view_fence(struct dtv_cpu *cpu, const struct dtv_fence *f);

/* Zap everything of this hart. */
void dtv_views_flush(struct dtv_cpu *cpu);

#endif /* DTV_MMU_VIEW_H */
