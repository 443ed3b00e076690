// SPDX-License-Identifier: GPL-2.0-only
/*
 * view.c - which regime each view of a hart mirrors, and the reverse map of
 * writable mappings that lets a page of code be write-protected everywhere.
 *
 * The reverse map may hold entries of mappings that are gone (zapped or in a
 * view that was reset); acting on one again does no harm. What it may not do
 * is miss one: so an entry is added after the mapping was made, and then the
 * page is asked again whether it has become code (dtv_view_filled()). Mappings
 * of ROM are listed in the same way, for a device that hides its pages.
 */
#include "../hart.h"

struct dtv_rmap {
	gpa_t gpa; /* page */
	gva_t gva; /* page */
	u32 gen; /* of the view when the entry was made */
	u32 next; /* in the hash chain or the free list; index + 1, 0 ends */
	u8 cpu;
	u8 view;
};

#define HEAD_BITS 14

/*
 * A fill looks at so many entries for one that says the same: a guest can map a page at any number
 * of places. Two that say the same do no harm.
 */
#define LOOK_AT 64

int dtv_mmu_init(struct dtv_mmu *mmu, u32 entries)
{
	u32 i;

	memset(mmu, 0, sizeof(*mmu));
	spin_lock_init(&mmu->lock);
	mmu->pool_size = entries;
	mmu->heads_mask = (1U << HEAD_BITS) - 1;
	mmu->pool = dtv_host_alloc(entries * sizeof(*mmu->pool));
	mmu->heads = dtv_host_alloc((mmu->heads_mask + 1) * sizeof(u32));
	if (!mmu->pool || !mmu->heads) {
		dtv_mmu_destroy(mmu);
		return -ENOMEM;
	}
	for (i = 0; i < entries; i++)
		mmu->pool[i].next = i + 1 < entries ? i + 2 : 0;
	mmu->pool_free = 1;
	return 0;
}

void dtv_mmu_destroy(struct dtv_mmu *mmu)
{
	dtv_host_free(mmu->pool, mmu->pool_size * sizeof(*mmu->pool));
	dtv_host_free(mmu->heads, (mmu->heads_mask + 1) * sizeof(u32));
	mmu->pool = NULL;
	mmu->heads = NULL;
}

int dtv_views_init(struct dtv_views *vs, unsigned int nr)
{
	memset(vs, 0, sizeof(*vs));
	vs->nr = nr < DTV_VIEWS_MAX ? nr : DTV_VIEWS_MAX;
	vs->filters = dtv_host_alloc(vs->nr * sizeof(*vs->filters));
	return vs->filters ? 0 : -ENOMEM;
}

void dtv_views_destroy(struct dtv_views *vs)
{
	dtv_host_free(vs->filters, vs->nr * sizeof(*vs->filters));
	vs->filters = NULL;
}

static u32 page_bit(gva_t gva)
{
	u64 vpn = gva >> DTV_PAGE_SHIFT;

	return (vpn ^ vpn >> 14) & (DTV_FILTER_PAGES - 1);
}

static u32 region_bit(gva_t gva)
{
	u64 n = gva >> 21;

	return (n ^ n >> 12) & (DTV_FILTER_REGIONS - 1);
}

static u32 giga_bit(gva_t gva)
{
	return (gva >> 30) & (DTV_FILTER_GIGAS - 1);
}

void dtv_view_note(struct dtv_cpu *cpu, unsigned int idx, gva_t gva, u8 level)
{
	struct dtv_filter *f = &cpu->views.filters[idx];
	u32 bit;

	WRITE_ONCE(cpu->views.v[idx].filled, true);
	switch (level) {
	case 0:
		bit = page_bit(gva);
		f->pages[bit / 64] |= 1ULL << (bit % 64);
		break;
	case 1:
		bit = region_bit(gva);
		f->regions[bit / 64] |= 1ULL << (bit % 64);
		break;
	default:
		bit = giga_bit(gva);
		f->gigas[bit / 64] |= 1ULL << (bit % 64);
	}
}

/* Bytes of the leaf that may be mapped at @gva, 0: none. */
static u64 maybe_mapped(struct dtv_cpu *cpu, unsigned int idx, gva_t gva)
{
	const struct dtv_filter *f = &cpu->views.filters[idx];
	u32 p = page_bit(gva), r = region_bit(gva), g = giga_bit(gva);

	if (f->gigas[g / 64] >> (g % 64) & 1)
		return 1ULL << 30;
	if (f->regions[r / 64] >> (r % 64) & 1)
		return 1ULL << 21;
	if (f->pages[p / 64] >> (p % 64) & 1 || !dtv_opt(&cpu->vm->dbt, DTV_OPT_FILTER))
		return DTV_PAGE_SIZE;
	return 0;
}

/*
 * Forget a view, by its own hart; another hart leaves @filled, as its owner may be just
 * mapping a page.
 */
static void view_reset(struct dtv_cpu *cpu, unsigned int idx, bool own)
{
	struct dtv_view *v = &cpu->views.v[idx];

	if (!READ_ONCE(v->filled))
		return;
	if (own) {
		WRITE_ONCE(v->filled, false);
		memset(&cpu->views.filters[idx], 0, sizeof(cpu->views.filters[idx]));
	}
	/* A mapping made after the reset is entered with the new generation. */
	WRITE_ONCE(v->gen, v->gen + 1);
	dtv_host_view_reset(cpu, idx);
}

static u8 view_kind(const struct dtv_cpu *cpu, const struct dtv_regime *r)
{
	u8 kind = DTV_MUTANT(view_user, 1, r->priv & 3) | r->sum << 2 |
		  DTV_MUTANT(view_mxr, 0, r->mxr) << 3;

	/* Bare: one for all, unless PMP protects anything. SUM means nothing to U-mode. */
	if (!r->satp)
		return cpu->pmp_open || r->priv == DTV_PRIV_M ? 0 : DTV_PRIV_S;
	return r->priv == DTV_PRIV_U ? kind & ~4 : kind;
}

/* Key of the view of all address spaces: no satp has this mode. */
#define KEY_GLOBAL (~0ULL)

static u64 view_key(const struct dtv_cpu *cpu, const struct dtv_regime *r)
{
	if (r->satp && r->priv == DTV_PRIV_S && !r->sum && !r->mxr && !cpu->views.split)
		return KEY_GLOBAL;
	return DTV_MUTANT(view_satp, r->satp >> 60 << 60, r->satp);
}

bool dtv_view_admits(struct dtv_cpu *cpu, const struct dtv_regime *r, bool global)
{
	if (DTV_MUTANT(view_local, true, global) || view_key(cpu, r) != KEY_GLOBAL)
		return true;
	cpu->views.split = true;
	return false;
}

bool dtv_view_is(const struct dtv_cpu *cpu, unsigned int idx, const struct dtv_regime *r)
{
	const struct dtv_view *v = &cpu->views.v[idx];

	return idx < cpu->views.nr && v->used && v->key == view_key(cpu, r) &&
	       v->kind == view_kind(cpu, r);
}

int dtv_view_find(struct dtv_cpu *cpu, const struct dtv_regime *r)
{
	struct dtv_views *vs = &cpu->views;
	u8 *hint = &vs->last[view_kind(cpu, r) & 15];
	unsigned int i;

	if (!dtv_view_is(cpu, *hint, r)) {
		for (i = 0; i < vs->nr && !dtv_view_is(cpu, i, r); i++)
			;
		if (i == vs->nr)
			return -1;
		*hint = i;
	}
	vs->v[*hint].last = vs->clock;
	return *hint;
}

unsigned int dtv_view_get(struct dtv_cpu *cpu, const struct dtv_regime *r)
{
	struct dtv_views *vs = &cpu->views;
	unsigned int i, victim = 0;
	u64 oldest = ~0ULL;
	int found;

	vs->clock++;
	found = dtv_view_find(cpu, r);
	if (found >= 0)
		return found;
	for (i = 0; i < vs->nr; i++) {
		u64 last = vs->v[i].used ? vs->v[i].last : 0;

		if (last < oldest) {
			oldest = last;
			victim = i;
		}
	}
	view_reset(cpu, victim, true);
	vs->v[victim] = (struct dtv_view){
		.used = true,
		.key = view_key(cpu, r),
		.kind = view_kind(cpu, r),
		.gen = vs->v[victim].gen,
		.last = vs->clock,
	};
	return victim;
}

static u32 *rmap_head(struct dtv_mmu *mmu, gpa_t gpa)
{
	u64 pfn = gpa >> DTV_PAGE_SHIFT;

	return &mmu->heads[(pfn ^ pfn >> HEAD_BITS) & mmu->heads_mask];
}

static bool rmap_stale(struct dtv_vm_core *vm, const struct dtv_rmap *e)
{
	return READ_ONCE(vm->cpus[e->cpu]->views.v[e->view].gen) != e->gen;
}

static void rmap_free(struct dtv_mmu *mmu, u32 *link)
{
	u32 i = *link;

	*link = mmu->pool[i - 1].next;
	mmu->pool[i - 1].next = mmu->pool_free;
	mmu->pool_free = i;
}

/* Too many writable mappings to remember: start over with none. */
static void rmap_overflow(struct dtv_vm_core *vm)
{
	unsigned int c, i;

	for (c = 0; c < DTV_MAX_HARTS; c++) {
		struct dtv_cpu *cpu = vm->cpus[c];

		for (i = 0; cpu && i < cpu->views.nr; i++)
			view_reset(cpu, i, false);
	}
}

static void rmap_sweep(struct dtv_vm_core *vm)
{
	struct dtv_mmu *mmu = &vm->mmu;
	u32 h;

	for (h = 0; h <= mmu->heads_mask; h++) {
		u32 *link = &mmu->heads[h];

		while (*link) {
			if (rmap_stale(vm, &mmu->pool[*link - 1]))
				rmap_free(mmu, link);
			else
				link = &mmu->pool[*link - 1].next;
		}
	}
}

/*
 * Entries leave the reverse map before their mappings are zapped, which cannot
 * be done under its lock. Who finds no entry relies on the mapping's being
 * gone: so one at a time. The owner waits for nobody.
 */
static void zap_begin(struct dtv_cpu *self)
{
	unsigned int tries = 0;

	while (cmpxchg(&self->vm->mmu.zapping, 0, 1))
		dtv_host_relax(self, tries++);
}

static void zap_end(struct dtv_cpu *self)
{
	/* The mappings are gone for the next owner: pairs with the cmpxchg in zap_begin(). */
	smp_store_release(&self->vm->mmu.zapping, 0);
}

bool dtv_view_filled(struct dtv_cpu *cpu, unsigned int idx, gva_t gva, gpa_t gpa)
{
	struct dtv_vm_core *vm = cpu->vm;
	struct dtv_mmu *mmu = &vm->mmu;
	struct dtv_rmap *e;
	unsigned int seen;
	u32 *link, i;

	gva &= DTV_PAGE_MASK;
	gpa &= DTV_PAGE_MASK;
	spin_lock(&mmu->lock);
	for (link = rmap_head(mmu, gpa), seen = 0; *link && seen < LOOK_AT; seen++) {
		e = &mmu->pool[*link - 1];
		if (rmap_stale(vm, e)) {
			rmap_free(mmu, link);
			continue;
		}
		if (e->gpa == gpa && e->gva == gva && e->cpu == cpu->id && e->view == idx)
			goto added;
		link = &e->next;
	}
	if (!mmu->pool_free)
		rmap_sweep(vm);
	i = mmu->pool_free;
	if (!i) {
		spin_unlock(&mmu->lock);
		zap_begin(cpu);
		rmap_overflow(vm);
		zap_end(cpu);
		/* This mapping is gone too. */
		return false;
	}
	e = &mmu->pool[i - 1];
	mmu->pool_free = e->next;
	link = rmap_head(mmu, gpa);
	*e = (struct dtv_rmap){
		.gpa = gpa,
		.gva = gva,
		.gen = READ_ONCE(cpu->views.v[idx].gen),
		.next = *link,
		.cpu = cpu->id,
		.view = idx,
	};
	*link = i;
added:
	spin_unlock(&mmu->lock);
	/*
	 * The entry before the look at what is code or reserved. Who makes it so does it
	 * the other way round: dtv_dbt_page() or dtv_resv_load(), the cmpxchg in
	 * zap_begin(), the look at entries.
	 */
	smp_mb();
	return !dtv_view_guarded(cpu, gpa);
}

bool dtv_view_guarded(const struct dtv_cpu *cpu, gpa_t gpa)
{
	return dtv_dbt_is_code(&cpu->vm->dbt, gpa) ||
	       DTV_MUTANT(resv_fill, false, dtv_resv_held(cpu, gpa));
}

/* Take the right to write from all mappings of the page, but for those of @but. */
static void protect(struct dtv_cpu *self, gpa_t gpa, const struct dtv_cpu *but)
{
	struct dtv_vm_core *vm = self->vm;
	struct {
		struct dtv_cpu *cpu;
		gva_t gva;
		u8 view;
	} batch[16];
	struct dtv_mmu *mmu = &vm->mmu;
	unsigned int n, i;
	u32 *link;

	gpa &= DTV_PAGE_MASK;
	zap_begin(self);
	do {
		n = 0;
		spin_lock(&mmu->lock);
		for (link = rmap_head(mmu, gpa); *link && n < ARRAY_SIZE(batch);) {
			struct dtv_rmap *e = &mmu->pool[*link - 1];

			if (e->gpa != gpa || vm->cpus[e->cpu] == but) {
				link = &e->next;
				continue;
			}
			if (!rmap_stale(vm, e)) {
				batch[n].cpu = vm->cpus[e->cpu];
				batch[n].gva = e->gva;
				batch[n].view = e->view;
				n++;
			}
			rmap_free(mmu, link);
		}
		spin_unlock(&mmu->lock);
		/* Zapping may sleep and interrupts other harts: not under the lock. */
		for (i = 0; i < n; i++)
			dtv_host_view_zap(batch[i].cpu, batch[i].view, batch[i].gva, DTV_PAGE_SIZE);
	} while (n == ARRAY_SIZE(batch));
	zap_end(self);
}

void dtv_view_protect(struct dtv_cpu *self, gpa_t gpa)
{
	protect(self, gpa, NULL);
}

void dtv_view_protect_others(struct dtv_cpu *self, gpa_t gpa)
{
	protect(self, gpa, self);
}

static bool rom_map_stale(struct dtv_vm_core *vm, const struct dtv_rom_map *e)
{
	return !e->used || READ_ONCE(vm->cpus[e->cpu]->views.v[e->view].gen) != e->gen;
}

/* With mmu->lock held. Return: whether the mapping is listed. */
static bool rom_listed(struct dtv_vm_core *vm, const struct dtv_rom_map *new)
{
	unsigned int i;

	for (i = 0; i < DTV_ROM_MAPS; i++) {
		const struct dtv_rom_map *e = &vm->mmu.rom[i];

		if (!rom_map_stale(vm, e) && e->gpa == new->gpa && e->gva == new->gva &&
		    e->cpu == new->cpu && e->view == new->view)
			return true;
	}
	return false;
}

bool dtv_view_shown(struct dtv_cpu *cpu, unsigned int idx, gva_t gva, gpa_t gpa)
{
	struct dtv_vm_core *vm = cpu->vm;
	struct dtv_rom_map new = {
		.used = true,
		.cpu = cpu->id,
		.view = idx,
		.gen = READ_ONCE(cpu->views.v[idx].gen),
		.gpa = gpa & DTV_PAGE_MASK,
		.gva = gva & DTV_PAGE_MASK,
	};
	struct dtv_mmu *mmu = &vm->mmu;
	struct dtv_rom_map old;
	bool listed;

	spin_lock(&mmu->lock);
	listed = rom_listed(vm, &new);
	spin_unlock(&mmu->lock);
	if (!listed) {
		zap_begin(cpu);
		spin_lock(&mmu->lock);
		old = mmu->rom[mmu->rom_next];
		mmu->rom[mmu->rom_next] = new;
		mmu->rom_next = (mmu->rom_next + 1) % DTV_ROM_MAPS;
		spin_unlock(&mmu->lock);
		if (!rom_map_stale(vm, &old))
			dtv_host_view_zap(vm->cpus[old.cpu], old.view, old.gva, DTV_PAGE_SIZE);
		zap_end(cpu);
	}
	/* The entry before the look: dtv_vm_rom_hidden() does it the other way round. */
	smp_mb();
	return dtv_host_rom(vm, gpa, true);
}

void dtv_view_hide(struct dtv_cpu *self, gpa_t gpa, u64 size)
{
	struct dtv_vm_core *vm = self->vm;
	struct dtv_mmu *mmu = &vm->mmu;
	struct dtv_rom_map e;
	unsigned int i;

	zap_begin(self);
	for (i = 0; i < DTV_ROM_MAPS; i++) {
		spin_lock(&mmu->lock);
		e = mmu->rom[i];
		if (e.gpa - gpa < size)
			mmu->rom[i].used = false;
		spin_unlock(&mmu->lock);
		/* Not under the lock, as in protect(). */
		if (e.gpa - gpa < size && !rom_map_stale(vm, &e))
			dtv_host_view_zap(vm->cpus[e.cpu], e.view, e.gva, DTV_PAGE_SIZE);
	}
	zap_end(self);
}

static void fence_view(struct dtv_cpu *cpu, unsigned int idx, gva_t start, gva_t end)
{
	gva_t gva = start, from = 0, to = 0;

	/* Neighbours go in one zap. */
	while (gva < end) {
		u64 size = maybe_mapped(cpu, idx, gva);
		gva_t leaf = gva & ~(size - 1);

		if (!size) {
			gva += DTV_PAGE_SIZE;
			continue;
		}
		if (leaf != to) {
			if (to != from)
				dtv_host_view_zap(cpu, idx, from, to - from);
			from = leaf;
		}
		to = leaf + size;
		gva = to;
		if (!gva)
			break;
	}
	if (to != from)
		dtv_host_view_zap(cpu, idx, from, to - from);
}

void dtv_view_fence(struct dtv_cpu *cpu, const struct dtv_fence *f)
{
	gva_t start = f->gva & DTV_PAGE_MASK;
	gva_t end = (f->gva + f->size + DTV_PAGE_SIZE - 1) & DTV_PAGE_MASK;
	struct dtv_views *vs = &cpu->views;
	unsigned int i;

	for (i = 0; i < vs->nr; i++) {
		struct dtv_view *v = &vs->v[i];

		if (!v->used || !v->key || !READ_ONCE(v->filled))
			continue;
		/* A fence of one ASID leaves global mappings alone (privileged manual 4.2.1). */
		if (f->asid != ~0ULL && v->key == KEY_GLOBAL)
			continue;
		if (f->asid != ~0ULL && (v->key & DTV_SATP_ASID) >> DTV_SATP_ASID_SHIFT != f->asid)
			continue;
		/* Past some size it is cheaper to forget the view. */
		if (f->size > 512 * DTV_PAGE_SIZE || end < start)
			view_reset(cpu, i, true);
		else
			fence_view(cpu, i, start, end);
	}
}

void dtv_views_flush(struct dtv_cpu *cpu)
{
	unsigned int i;

	for (i = 0; i < cpu->views.nr; i++)
		view_reset(cpu, i, true);
}
