// SPDX-License-Identifier: GPL-2.0-only
/*
 * cache.c - code memory and what is known of it: blocks, executable pages,
 * the index, chaining, invalidation.
 *
 * Blocks are appended; a block that dies stays where it is, its main entry a
 * jump to the ENTER exit, until the part of the cache that it is in is thrown away. So
 * readers need no lock: what they find is complete (published with release) and stays.
 *
 * The cache is a ring of parts. When the newest is full the oldest is thrown away, with all
 * harts outside: what has to be found again is a part, not all.
 */
#include "translate.h"
#include "../host.h"

#define HASH_BITS 16
#define XP_BITS 14
#define MAX_XPS 65536
/* Side tables of small blocks are half as large as their code. */
#define NR_META(size) ((size) / 2)

static void part_reset(struct dtv_dbt *d, unsigned int i)
{
	struct dtv_part *p = &d->parts[i];

	p->start = d->stubs_end + i * d->part_size;
	p->used = p->start;
	p->first = i * d->part_blocks;
	p->meta_used = i * d->part_meta;
	/* Index 0 means none: a part's first is never used. */
	WRITE_ONCE(p->nr, p->first + 1);
}

/* Empty everything. */
static void flush(struct dtv_dbt *d)
{
	unsigned int i;

	for (i = 0; i < d->nr_parts; i++)
		part_reset(d, i);
	d->part = 0;
	d->nr_xps = 1;
	memset(d->hash, 0, (d->hash_mask + 1) * sizeof(u32));
	memset(d->xp_hash, 0, (d->xp_mask + 1) * sizeof(u32));
}

int dtv_dbt_init(struct dtv_dbt *d, struct dtv_vm_core *vm, const struct dtv_dbt_config *cfg)
{
	int err;

	memset(d, 0, sizeof(*d));
	spin_lock_init(&d->lock);
	d->cfg = *cfg;
	d->vm = vm;
	d->nr_parts = max_t(u64, 1, min_t(u64, DTV_PARTS, cfg->size / DTV_PART_MIN));
	d->part_blocks = cfg->size / 128 / d->nr_parts + 64;
	d->max_blocks = d->part_blocks * d->nr_parts;
	d->part_meta = NR_META(cfg->size) / d->nr_parts & ~3U;
	d->meta_size = d->part_meta * d->nr_parts;
	/* Some heads for each block: most searches are for what is not there, and end at once. */
	for (d->hash_mask = (1U << HASH_BITS) - 1; d->hash_mask < d->max_blocks;)
		d->hash_mask = d->hash_mask << 1 | 1;
	d->max_xps = MAX_XPS;
	d->xp_mask = (1U << XP_BITS) - 1;
	d->blocks = dtv_host_alloc(d->max_blocks * sizeof(*d->blocks));
	d->meta = dtv_host_alloc(d->meta_size);
	d->hash = dtv_host_alloc((d->hash_mask + 1) * sizeof(u32));
	d->xps = dtv_host_alloc(d->max_xps * sizeof(*d->xps));
	d->xp_hash = dtv_host_alloc((d->xp_mask + 1) * sizeof(u32));
	d->tx = dtv_host_alloc(sizeof(*d->tx));
	if (cfg->profile)
		d->profile = dtv_host_alloc(d->max_blocks * sizeof(*d->profile));
	err = -ENOMEM;
	if (!d->blocks || !d->meta || !d->hash || !d->xps || !d->xp_hash || !d->tx ||
	    (cfg->profile && !d->profile))
		goto fail;
	err = dtv_x86_stubs(d);
	if (err)
		goto fail;
	d->part_size = (cfg->size - d->stubs_end) / d->nr_parts & ~15U;
	flush(d);
	d->gen = 1;
	return 0;
fail:
	dtv_dbt_destroy(d);
	return err;
}

void dtv_dbt_destroy(struct dtv_dbt *d)
{
	dtv_host_free(d->blocks, d->max_blocks * sizeof(*d->blocks));
	dtv_host_free(d->meta, d->meta_size);
	dtv_host_free(d->hash, (d->hash_mask + 1) * sizeof(u32));
	dtv_host_free(d->xps, d->max_xps * sizeof(*d->xps));
	dtv_host_free(d->xp_hash, (d->xp_mask + 1) * sizeof(u32));
	dtv_host_free(d->tx, sizeof(*d->tx));
	if (d->profile)
		dtv_host_free(d->profile, d->max_blocks * sizeof(*d->profile));
	d->profile = NULL;
	d->blocks = NULL;
	d->meta = NULL;
	d->hash = NULL;
	d->xps = NULL;
	d->xp_hash = NULL;
	d->tx = NULL;
}

/* The part that offset @off of the cache is in; the stubs are in none. */
static const struct dtv_part *part_of(const struct dtv_dbt *d, u64 off)
{
	u64 i = (off - d->stubs_end) / d->part_size;

	return off >= d->stubs_end && i < d->nr_parts ? &d->parts[i] : NULL;
}

/* Whether a part has blocks. */
static bool part_filled(const struct dtv_part *p)
{
	return p->nr > p->first + 1;
}

u64 dtv_dbt_used(const struct dtv_dbt *d)
{
	u64 used = d->stubs_end;
	unsigned int i;

	for (i = 0; i < d->nr_parts; i++)
		used += READ_ONCE(d->parts[i].used) - READ_ONCE(d->parts[i].start);
	return used;
}

/* What is left of an area's code addresses: those of parts that have blocks. */
void dtv_dbt_area_evicted(struct dtv_dbt *d, struct dtv_area *area, u64 area_exec)
{
	unsigned int c, i;

	for (c = 0; c < DTV_NR_CLASSES; c++) {
		for (i = 0; i < DTV_JCACHE; i++) {
			struct dtv_jentry *j = &area->jcache[c][i];
			const struct dtv_part *p = part_of(d, READ_ONCE(j->ip) - d->cfg.exec);

			/* The part that is filled next is empty now. */
			if (!p || DTV_MUTANT(evict_jcache, false, !part_filled(p)))
				*j = (struct dtv_jentry){ .pc = ~0ULL };
		}
	}
	/* Pages are numbered anew after a flush. */
	if (d->nr_xps == 1)
		memset(area->xpage, 0, sizeof(area->xpage));
	if (DTV_MUTANT(evict_rstack, false, true))
		dtv_dbt_rstack_reset(area, area_exec);
	area->hart.resume_ip = d->stub_lookup;
}

void dtv_dbt_area_init(struct dtv_dbt *d, struct dtv_area *area, u64 area_exec)
{
	unsigned int c, i;

	memset(area->xpage, 0, sizeof(area->xpage));
	for (c = 0; c < DTV_NR_CLASSES; c++)
		for (i = 0; i < DTV_JCACHE; i++)
			area->jcache[c][i] = (struct dtv_jentry){ .pc = ~0ULL };
	for (i = 0; i < ARRAY_SIZE(area->rstack_top); i += 2) {
		area->rstack_top[i] = d->stub_unpredicted;
		area->rstack_top[i + 1] = 0;
	}
	dtv_dbt_rstack_reset(area, area_exec);
	area->hart.canon_mask = GENMASK_ULL(63, 38);
	area->hart.resume_ip = d->stub_lookup;
}

void dtv_dbt_rstack_reset(struct dtv_area *area, u64 area_exec)
{
	area->hart.rstack_sp = area_exec + offsetof(struct dtv_area, rstack_top);
}

/* --- executable pages --- */

static u32 xp_bucket(const struct dtv_dbt *d, gpa_t gpa)
{
	u64 pfn = gpa >> DTV_PAGE_SHIFT;

	return (pfn ^ pfn >> XP_BITS) & d->xp_mask;
}

static u32 xp_find(const struct dtv_dbt *d, gva_t gva, gpa_t gpa, u8 class, struct dtv_extent ext)
{
	/* Pairs with the release in dtv_dbt_page(): what is found is complete. */
	u32 i = smp_load_acquire(&d->xp_hash[xp_bucket(d, gpa)]);

	for (; i; i = d->xps[i].next) {
		const struct dtv_xp *x = &d->xps[i];

		if (x->gpa == gpa && x->gva == gva && x->class == class && x->ext.lo == ext.lo &&
		    x->ext.hi == ext.hi && READ_ONCE(x->state) != XP_DEAD)
			return i;
	}
	return 0;
}

u32 dtv_dbt_page(struct dtv_dbt *d, gva_t gva, gpa_t gpa, u8 class, struct dtv_extent ext,
		 bool *fresh)
{
	struct dtv_xp *x;
	u32 i, *head;

	gva &= DTV_PAGE_MASK;
	gpa &= DTV_PAGE_MASK;
	*fresh = false;
	i = xp_find(d, gva, gpa, class, ext);
	if (!i) {
		spin_lock(&d->lock);
		i = xp_find(d, gva, gpa, class, ext);
		if (!i && d->nr_xps < d->max_xps) {
			i = d->nr_xps++;
			head = &d->xp_hash[xp_bucket(d, gpa)];
			x = &d->xps[i];
			x->gva = gva;
			x->gpa = gpa;
			x->class = class;
			x->ext = ext;
			x->state = XP_NEW;
			x->blocks = 0;
			x->next = *head;
			/* Complete before it is found: pairs with the acquire in xp_find(). */
			smp_store_release(head, i);
		}
		spin_unlock(&d->lock);
		if (!i)
			return 0;
	}
	*fresh = READ_ONCE(d->xps[i].state) == XP_NEW;
	return i;
}

void dtv_dbt_page_ready(struct dtv_dbt *d, u32 xp)
{
	/* Only NEW becomes READY: a page that died meanwhile stays dead. */
	spin_lock(&d->lock);
	if (d->xps[xp].state == XP_NEW)
		WRITE_ONCE(d->xps[xp].state, XP_READY);
	spin_unlock(&d->lock);
}

bool dtv_dbt_is_code(const struct dtv_dbt *d, gpa_t gpa)
{
	u32 i;

	gpa &= DTV_PAGE_MASK;
	/* Pairs with the release in dtv_dbt_page() through the caller's lock on the reverse map. */
	for (i = smp_load_acquire(&d->xp_hash[xp_bucket(d, gpa)]); i; i = d->xps[i].next)
		if (d->xps[i].gpa == gpa && READ_ONCE(d->xps[i].state) != XP_DEAD)
			return true;
	return false;
}

/* --- blocks --- */

static u64 block_ip(const struct dtv_dbt *d, const struct dtv_block *bl)
{
	return d->cfg.exec + bl->host + DTV_CHECKED_OFF;
}

static u8 *block_rw(const struct dtv_dbt *d, const struct dtv_block *bl)
{
	return d->cfg.rw + bl->host;
}

static unsigned int main_off(const struct dtv_block *bl)
{
	return bl->xp2 ? DTV_MAIN_OFF2 : DTV_MAIN_OFF;
}

static u32 block_bucket(const struct dtv_dbt *d, u64 pc, u32 xp)
{
	return (u32)(pc >> 1 ^ pc >> (HASH_BITS + 1) ^ (u64)xp * 0x9e3779b1) & d->hash_mask;
}

static struct dtv_block *block_find(const struct dtv_dbt *d, u64 pc, u32 xp, u32 xp2)
{
	/* Pairs with the release in block_make(): what is found is complete. */
	u32 i = smp_load_acquire(&d->hash[block_bucket(d, pc, xp)]);

	for (; i; i = d->blocks[i].hash_next) {
		struct dtv_block *bl = &d->blocks[i];

		if (bl->pc == pc && bl->xp == xp && bl->xp2 == xp2 && !READ_ONCE(bl->dead))
			return bl;
	}
	return NULL;
}

/* Bytes of a block's number, which stands before the block and behind the call of a CHAIN exit. */
#define NUMBER_LEN 4

/* The block that the number at offset @at says, if it is one below @hi that contains @off. */
static struct dtv_block *numbered(const struct dtv_dbt *d, const struct dtv_part *p, u32 hi, u64 at,
				  u64 off)
{
	struct dtv_block *bl;
	u32 i;

	if (at + NUMBER_LEN > p->start + d->part_size)
		return NULL;
	memcpy(&i, d->cfg.rw + at, NUMBER_LEN);
	if (i <= p->first || i >= hi)
		return NULL;
	bl = &d->blocks[i];
	return off - bl->host < bl->host_len ? bl : NULL;
}

/* The block whose code contains offset @off of the cache. */
static struct dtv_block *block_at(const struct dtv_dbt *d, u64 off)
{
	const struct dtv_part *p = part_of(d, off);
	struct dtv_block *found;
	u32 lo, hi;

	if (!p)
		return NULL;
	lo = p->first + 1;
	/* Pairs with the release in block_make(): all below are complete. */
	hi = smp_load_acquire(&p->nr);
	/*
	 * Mostly it is the last byte of an exit's call or a checked entry. Whatever else stands
	 * there is a number that is none, or finds the block just as well.
	 */
	found = numbered(d, p, hi, off + 1, off);
	if (!found && off >= p->start + DTV_CHECKED_OFF + NUMBER_LEN)
		found = numbered(d, p, hi, off - DTV_CHECKED_OFF - NUMBER_LEN, off);
	if (found)
		return found;
	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;
		struct dtv_block *bl = &d->blocks[mid];

		if (off < bl->host)
			hi = mid;
		else if (off >= (u64)bl->host + bl->host_len)
			lo = mid + 1;
		else
			return bl;
	}
	return NULL;
}

static const struct dtv_entry_row *entries(const struct dtv_dbt *d, const struct dtv_block *bl)
{
	return (const void *)(d->meta + bl->meta);
}

static struct dtv_exit_row *exits(const struct dtv_dbt *d, const struct dtv_block *bl)
{
	return (void *)(d->meta + bl->meta + bl->nr_entries * sizeof(struct dtv_entry_row));
}

/* While instructions are counted: how many have retired, for each row of entries(). */
static const u8 *counts(const struct dtv_dbt *d, const struct dtv_block *bl)
{
	return (const u8 *)(exits(d, bl) + bl->nr_exits);
}

/* An exit as a number: its block, and its place in the block's table. */
#define EXIT_REF_BITS 7

static u32 exit_ref(const struct dtv_dbt *d, const struct dtv_block *bl, unsigned int i)
{
	BUILD_BUG_ON(DTV_BLOCK_EXITS > 1 << EXIT_REF_BITS);
	return (u32)(bl - d->blocks) << EXIT_REF_BITS | i;
}

/* Let an exit lead to the offset @to of the cache. Lock held. */
static void exit_patch(struct dtv_dbt *d, const struct dtv_block *bl, const struct dtv_exit_row *e,
		       u32 to)
{
	dtv_x86_patch_rel32(block_rw(d, bl) + e->patch, to - (bl->host + e->patch + 4));
}

/* Where the jump that a chained exit patched leads: offset in the cache. */
static u32 exit_goes(const struct dtv_dbt *d, const struct dtv_block *bl,
		     const struct dtv_exit_row *e)
{
	u32 rel;

	memcpy(&rel, block_rw(d, bl) + e->patch, 4);
	return bl->host + e->patch + 4 + rel;
}

/* No chained exit leads to the block any more. Lock held. */
static void block_unlink(struct dtv_dbt *d, struct dtv_block *bl)
{
	while (bl->incoming) {
		struct dtv_block *from = &d->blocks[bl->incoming >> EXIT_REF_BITS];
		struct dtv_exit_row *e =
			&exits(d, from)[bl->incoming & ((1U << EXIT_REF_BITS) - 1)];

		exit_patch(d, from, e, from->host + e->host);
		bl->incoming = e->next;
		e->chained = 0;
	}
}

/*
 * Where the next block stands, behind its number. The two-byte nop of its main entry, 17 or 29
 * bytes on, is patched by one store: it has to be even.
 */
static u32 block_start(const struct dtv_part *p)
{
	return (p->used + NUMBER_LEN) | 3;
}

static bool part_has_room(const struct dtv_dbt *d, const struct dtv_part *p)
{
	const u32 tables = sizeof(d->tx->entries) + sizeof(d->tx->exits) + 3 +
			   (d->counting ? sizeof(d->tx->counts) : 0);
	unsigned int i = p - d->parts;

	return p->nr < p->first + d->part_blocks &&
	       block_start(p) + DTV_BLOCK_BYTES <= p->start + d->part_size &&
	       p->meta_used + tables <= (i + 1) * d->part_meta;
}

/* Where a block of any size fits; NULL: the oldest part has to go first. Lock held. */
static struct dtv_part *part_with_room(struct dtv_dbt *d)
{
	u32 next = (d->part + 1) % d->nr_parts;

	if (part_has_room(d, &d->parts[d->part]))
		return &d->parts[d->part];
	if (part_filled(&d->parts[next]) || !part_has_room(d, &d->parts[next]))
		return NULL;
	d->part = next;
	return &d->parts[next];
}

/* Translate the block at @code. Called with the lock held. */
static struct dtv_block *block_make(struct dtv_dbt *d, struct dtv_code *code, u32 xp, u32 xp2)
{
	struct dtv_tx *tx = d->tx;
	struct dtv_block *bl;
	struct dtv_part *p;
	u32 start, meta, esize, xsize, csize, *head;

	p = part_with_room(d);
	if (!p)
		return NULL;
	start = block_start(p);
	meta = (p->meta_used + 3) & ~3U;
	tx->d = d;
	tx->number = p->nr;
	tx->start = d->cfg.rw + start;
	memcpy(tx->start - NUMBER_LEN, &tx->number, NUMBER_LEN);
	tx->delta = d->cfg.exec - (u64)(uintptr_t)d->cfg.rw;
	tx->b.p = tx->start;
	tx->b.end = tx->start + DTV_BLOCK_BYTES;
	tx->b.full = false;
	tx->profile = d->profile ? &d->profile[p->nr] : NULL;
	if (tx->profile)
		memset(tx->profile, 0, sizeof(*tx->profile));
	if (WARN_ON_ONCE(!dtv_translate(tx, code, xp, xp2)))
		return NULL;

	bl = &d->blocks[p->nr];
	bl->host = start;
	bl->host_len = tx->b.p - tx->start;
	bl->pc = code->pc;
	bl->meta = meta;
	bl->nr_entries = tx->nr_entries;
	bl->nr_exits = tx->nr_exits;
	bl->body_end = tx->body_end;
	bl->class = code->class;
	bl->dead = false;
	bl->incoming = 0;
	bl->xp = xp;
	bl->xp2 = xp2;
	esize = tx->nr_entries * sizeof(tx->entries[0]);
	xsize = tx->nr_exits * sizeof(tx->exits[0]);
	memcpy(d->meta + meta, tx->entries, esize);
	memcpy(d->meta + meta + esize, tx->exits, xsize);
	csize = d->counting ? tx->nr_entries : 0;
	memcpy(d->meta + meta + esize + xsize, tx->counts, csize);
	p->meta_used = meta + esize + xsize + csize;
	WRITE_ONCE(p->used, start + bl->host_len);

	head = &d->hash[block_bucket(d, code->pc, xp)];
	bl->hash_next = *head;
	bl->xp_next = d->xps[xp].blocks;
	if (xp2)
		bl->xp2_next = d->xps[xp2].blocks;
	/* Complete before a reader can find it by address: pairs with the acquire in block_at(). */
	smp_store_release(&p->nr, p->nr + 1);
	/* The same by key: pairs with the acquire in block_find(). */
	smp_store_release(head, (u32)(bl - d->blocks));
	d->xps[xp].blocks = bl - d->blocks;
	if (xp2)
		d->xps[xp2].blocks = bl - d->blocks;

	d->stat_blocks++;
	d->stat_guest_bytes += tx->guest_bytes;
	d->stat_host_bytes += bl->host_len;
	code->guest_bytes = tx->guest_bytes;
	code->host_bytes = bl->host_len;
	return bl;
}

bool dtv_dbt_info(const struct dtv_dbt *d, u32 index, struct dtv_block_info *info)
{
	const struct dtv_part *p = &d->parts[index / d->part_blocks];
	const struct dtv_block *bl = &d->blocks[index];

	if (!d->profile || index <= p->first || index >= p->nr)
		return false;
	*info = (struct dtv_block_info){
		.pc = bl->pc,
		.gpa = d->xps[bl->xp].gpa | (bl->pc & ~DTV_PAGE_MASK),
		.exec = d->cfg.exec + bl->host,
		.host = block_rw(d, bl),
		.host_len = bl->host_len,
		.body_len = bl->body_end,
		.class = bl->class,
		.dead = bl->dead,
		.profile = &d->profile[index],
	};
	return true;
}

u64 dtv_dbt_get(struct dtv_dbt *d, struct dtv_area *area, struct dtv_code *code, u32 xp, u32 xp2)
{
	struct dtv_block *bl = block_find(d, code->pc, xp, xp2);
	u64 ip;

	if (!bl) {
		spin_lock(&d->lock);
		if (d->xps[xp].state != XP_READY || (xp2 && d->xps[xp2].state != XP_READY)) {
			spin_unlock(&d->lock);
			return 0;
		}
		bl = block_find(d, code->pc, xp, xp2);
		if (!bl)
			bl = block_make(d, code, xp, xp2);
		spin_unlock(&d->lock);
		if (!bl)
			return DTV_DBT_FULL;
	}
	ip = block_ip(d, bl);
	WRITE_ONCE(area->xpage[dtv_xpage_index(code->class, code->pc)], xp);
	if (xp2)
		WRITE_ONCE(area->xpage[dtv_xpage_index(code->class, code->pc + DTV_PAGE_SIZE)],
			   xp2);
	return ip;
}

void dtv_dbt_chain(struct dtv_dbt *d, u64 site, u64 ip)
{
	struct dtv_block *from, *to;
	struct dtv_exit_row *e;
	unsigned int i;
	u32 off, target;

	spin_lock(&d->lock);
	from = block_at(d, site - 1 - d->cfg.exec);
	to = block_at(d, ip - d->cfg.exec);
	if (!from || !to || from->dead || to->dead || from->class != to->class ||
	    block_ip(d, to) != ip)
		goto out;
	/* The site's call has 5 bytes; exit_ip is behind it. */
	off = site - d->cfg.exec - from->host - 5;
	e = exits(d, from);
	for (i = 0; i < from->nr_exits; i++, e++)
		if (e->host == off)
			break;
	if (i == from->nr_exits || from->pc + (e->target & ~EXIT_CHECKED) != to->pc)
		goto out;
	/* Another hart may have done it: an exit is in one list at most. */
	if (e->chained || !dtv_opt(d, DTV_OPT_CHAIN))
		goto out;
	/* The same page at the same address needs no check. */
	target = to->host + DTV_CHECKED_OFF;
	if (from->xp == DTV_MUTANT(chain_unchecked, from->xp, to->xp) && !to->xp2 &&
	    !(e->target & EXIT_CHECKED))
		target = to->host + DTV_MAIN_OFF;
	e->chained = 1;
	e->next = to->incoming;
	to->incoming = exit_ref(d, from, i);
	exit_patch(d, from, e, target);
out:
	spin_unlock(&d->lock);
}

void dtv_dbt_jcache_fill(struct dtv_area *area, u8 class, gva_t pc, u64 ip)
{
	struct dtv_jentry *j = &area->jcache[class][(pc >> 1) & (DTV_JCACHE - 1)];

	WRITE_ONCE(j->pc, pc);
	WRITE_ONCE(j->ip, ip);
}

void dtv_dbt_jcache_renew(struct dtv_area *area, u8 class, gva_t pc, u64 ip)
{
	struct dtv_jentry *j = &area->jcache[class][(pc >> 1) & (DTV_JCACHE - 1)];

	if (READ_ONCE(j->pc) == pc)
		WRITE_ONCE(j->ip, ip);
}

void dtv_dbt_forget(struct dtv_area *area, gva_t gva, bool keep_s)
{
	if (gva == ~0ULL) {
		memset(area->xpage, 0, (DTV_XPAGES_U + (keep_s ? 0 : DTV_XPAGES_S)) * sizeof(u32));
		return;
	}
	WRITE_ONCE(area->xpage[dtv_xpage_index(DTV_CLASS_U, gva)], 0);
	if (!keep_s)
		WRITE_ONCE(area->xpage[dtv_xpage_index(DTV_CLASS_S, gva)], 0);
}

void dtv_dbt_forget_all(struct dtv_area *area)
{
	memset(area->xpage, 0, sizeof(area->xpage));
}

void dtv_dbt_where(const struct dtv_dbt *d, u64 ip, struct dtv_where *w)
{
	struct dtv_block *bl = block_at(d, ip - d->cfg.exec);
	const struct dtv_entry_row *e, *row;
	unsigned int lo = 0, hi, i, first;
	u32 off, nearest = 512;

	memset(w, 0, sizeof(*w));
	w->kind = DTV_WHERE_NOWHERE;
	if (ip < d->cfg.exec || !bl)
		return;
	off = ip - d->cfg.exec - bl->host;
	e = entries(d, bl);
	hi = bl->nr_entries;
	while (hi - lo > 1) {
		unsigned int mid = lo + (hi - lo) / 2;

		if (e[mid].host <= off)
			lo = mid;
		else
			hi = mid;
	}
	/*
	 * Rows without code of their own (facts made it superfluous) share an offset:
	 * the last is the next to execute.
	 */
	row = &e[lo];
	/* Rows that say more of it stand before it, at the same place. */
	for (first = lo; first && e[first - 1].kind >= ENTRY_NAN_D; first--) {
		if (e[first - 1].kind == ENTRY_NAN_D)
			w->nan_d = e[first - 1].guest;
		else
			w->nan_s = e[first - 1].guest;
	}
	w->class = bl->class;
	w->dead = READ_ONCE(bl->dead);
	w->count = d->counting ? counts(d, bl)[lo] : 0;
	w->pc = (bl->pc & DTV_PAGE_MASK) | row->guest;
	w->gpa = d->xps[bl->xp].gpa | row->guest;
	switch ((enum dtv_entry_kind)row->kind) {
	case ENTRY_LR:
		w->paired = true;
		fallthrough;
	case ENTRY_REWIND:
		w->kind = DTV_WHERE_INSN;
		break;
	case ENTRY_BUSY:
		/* In cold code the body's part of the instruction was executed before. */
		w->kind = off == row->host && row->host < bl->body_end &&
					  (!first || e[first - 1].guest != row->guest) ?
				  DTV_WHERE_INSN :
				  DTV_MUTANT(busy_rewinds, DTV_WHERE_INSN, DTV_WHERE_BUSY);
		break;
	case ENTRY_PAIR:
		w->kind = DTV_WHERE_BUSY;
		w->paired = true;
		break;
	case ENTRY_RAX:
		w->kind = DTV_WHERE_NEXT_RAX;
		return;
	case ENTRY_EXIT:
		w->kind = DTV_WHERE_NOWHERE;
		w->from = w->pc;
		for (i = 0; i < bl->nr_exits; i++) {
			const struct dtv_exit_row *x = &exits(d, bl)[i];
			u32 before = (u16)(x->patch - row->host - 1);

			/* A row at what leads to the next jump there is, or at the cold call. */
			if (x->host == row->host)
				before = 0;
			if (before < nearest) {
				nearest = before;
				w->kind = DTV_WHERE_NEXT;
				w->pc = bl->pc + (x->target & ~EXIT_CHECKED);
			}
		}
		return;
	case ENTRY_NAN_D:
	case ENTRY_NAN_S:
		/* Always followed by another row at the same place. */
		w->kind = DTV_WHERE_NOWHERE;
		return;
	}
	/*
	 * The boundary behind the instruction: the first row of the body for another
	 * instruction.
	 */
	if (row->host >= bl->body_end) {
		for (i = 1; i < bl->nr_entries &&
			    (e[i].guest != row->guest || e[i].kind >= ENTRY_NAN_D);
		     i++)
			;
	} else {
		i = lo;
	}
	for (; i < bl->nr_entries && e[i].host < bl->body_end; i++) {
		if (e[i].kind >= ENTRY_NAN_D)
			continue;
		if (e[i].guest != row->guest || e[i].kind == ENTRY_EXIT) {
			if (!e[i].warm)
				w->next_ip = d->cfg.exec + bl->host + e[i].host;
			break;
		}
	}
}

/* Lock held. */
static void block_kill(struct dtv_dbt *d, struct dtv_block *bl)
{
	WRITE_ONCE(bl->dead, true);
	block_unlink(d, bl);
	dtv_x86_patch_dead(block_rw(d, bl) + main_off(bl), block_rw(d, bl));
}

static struct dtv_mmio_site *mmio_site(struct dtv_dbt *d, gpa_t gpa)
{
	return &d->mmio_sites[(gpa >> 1 ^ gpa >> 12) & (DTV_MMIO_SITES - 1)];
}

bool dtv_dbt_is_mmio(struct dtv_dbt *d, gpa_t gpa)
{
	const struct dtv_mmio_site *s = mmio_site(d, gpa);

	return s->gpa == gpa && s->count >= DTV_MMIO_OFTEN && dtv_opt(d, DTV_OPT_MMIO);
}

void dtv_dbt_note_ram(struct dtv_dbt *d, u64 ip, gpa_t gpa)
{
	struct dtv_mmio_site *s = mmio_site(d, gpa);
	struct dtv_block *bl;

	if (READ_ONCE(s->gpa) != gpa)
		return;
	spin_lock(&d->lock);
	if (s->gpa == gpa && s->count >= DTV_MMIO_OFTEN && ++s->ram == DTV_MMIO_OFTEN) {
		*s = (struct dtv_mmio_site){ 0 };
		bl = block_at(d, ip - d->cfg.exec);
		if (bl && !bl->dead)
			block_kill(d, bl);
	}
	spin_unlock(&d->lock);
}

void dtv_dbt_note_mmio(struct dtv_dbt *d, u64 ip, gpa_t gpa)
{
	struct dtv_mmio_site *s = mmio_site(d, gpa);
	struct dtv_block *bl;

	spin_lock(&d->lock);
	if (s->gpa != gpa)
		*s = (struct dtv_mmio_site){ .gpa = gpa };
	if (++s->count == DTV_MMIO_OFTEN) {
		bl = block_at(d, ip - d->cfg.exec);
		if (bl && !bl->dead)
			block_kill(d, bl);
	}
	spin_unlock(&d->lock);
}

u32 dtv_dbt_invalidate(struct dtv_dbt *d, gpa_t gpa)
{
	u32 i, k, n = 0, *link;

	gpa &= DTV_PAGE_MASK;
	spin_lock(&d->lock);
	for (link = &d->xp_hash[xp_bucket(d, gpa)]; (i = *link);) {
		struct dtv_xp *x = &d->xps[i];

		if (x->gpa != gpa) {
			link = &x->next;
			continue;
		}
		for (k = x->blocks; k;) {
			struct dtv_block *bl = &d->blocks[k];

			if (!bl->dead) {
				block_kill(d, bl);
				n++;
			}
			k = bl->xp == i ? bl->xp_next : bl->xp2_next;
		}
		WRITE_ONCE(x->state, XP_DEAD);
		/*
		 * Readers that stand on it still find their way: it is not used again
		 * before everything is thrown away.
		 */
		WRITE_ONCE(*link, x->next);
	}
	d->stat_invalidated += n;
	spin_unlock(&d->lock);
	return n;
}

/* --- eviction; no hart looks at blocks --- */

static bool in_part(const struct dtv_part *p, u32 block)
{
	return block > p->first && block < p->nr;
}

/* Exits of the part's blocks lead to @bl no more. */
static void sweep_incoming(struct dtv_dbt *d, const struct dtv_part *p, struct dtv_block *bl)
{
	u32 ref = bl->incoming, kept = 0;
	struct dtv_exit_row *last = NULL;

	if (bl->swept == d->gen)
		return;
	bl->swept = d->gen;
	while (ref) {
		struct dtv_block *from = &d->blocks[ref >> EXIT_REF_BITS];
		struct dtv_exit_row *e = &exits(d, from)[ref & ((1U << EXIT_REF_BITS) - 1)];

		if (!in_part(p, ref >> EXIT_REF_BITS)) {
			if (last)
				last->next = ref;
			else
				kept = ref;
			last = e;
		}
		ref = e->next;
	}
	if (last)
		last->next = 0;
	bl->incoming = kept;
}

static void sweep_xp(struct dtv_dbt *d, const struct dtv_part *p, u32 xp)
{
	struct dtv_xp *x = &d->xps[xp];
	u32 *link = &x->blocks;

	if (x->swept == d->gen)
		return;
	x->swept = d->gen;
	while (*link) {
		struct dtv_block *bl = &d->blocks[*link];
		u32 *next = bl->xp == xp ? &bl->xp_next : &bl->xp2_next;

		if (in_part(p, *link))
			*link = *next;
		else
			link = next;
	}
}

static void evict_part(struct dtv_dbt *d, struct dtv_part *p)
{
	struct dtv_block *bl;
	u32 b, i, *link;

	/* What leads into the part becomes exits again: also what leads there from itself. */
	for (b = p->first + 1; DTV_MUTANT(evict_chains, false, b < p->nr); b++)
		block_unlink(d, &d->blocks[b]);
	for (b = p->first + 1; b < p->nr; b++) {
		bl = &d->blocks[b];
		/* So what is chained still leads to other parts. */
		for (i = 0; i < bl->nr_exits; i++) {
			struct dtv_exit_row *e = &exits(d, bl)[i];
			struct dtv_block *to;

			if (!e->chained)
				continue;
			to = block_at(d, exit_goes(d, bl, e));
			if (!WARN_ON_ONCE(!to))
				sweep_incoming(d, p, to);
		}
		for (link = &d->hash[block_bucket(d, bl->pc, bl->xp)]; *link;) {
			if (DTV_MUTANT(evict_index, false, in_part(p, *link)))
				*link = d->blocks[*link].hash_next;
			else
				link = &d->blocks[*link].hash_next;
		}
		sweep_xp(d, p, bl->xp);
		if (bl->xp2)
			sweep_xp(d, p, bl->xp2);
	}
	part_reset(d, p - d->parts);
}

void dtv_dbt_count(struct dtv_dbt *d, bool step)
{
	spin_lock(&d->lock);
	WRITE_ONCE(d->gen, d->gen + 1);
	WRITE_ONCE(d->counting, true);
	WRITE_ONCE(d->stepping, step);
	flush(d);
	d->stat_flushes++;
	spin_unlock(&d->lock);
}

void dtv_dbt_evict(struct dtv_dbt *d)
{
	u32 next = (d->part + 1) % d->nr_parts;

	/* No hart is here, but the daemon may be dropping translations. */
	spin_lock(&d->lock);
	WRITE_ONCE(d->gen, d->gen + 1);
	if (d->nr_xps < d->max_xps && part_with_room(d)) {
		; /* Another hart came first. */
	} else if (d->nr_xps == d->max_xps || !dtv_opt(d, DTV_OPT_PARTS)) {
		flush(d);
		d->stat_flushes++;
	} else {
		evict_part(d, &d->parts[next]);
		d->part = next;
		d->stat_evictions++;
	}
	spin_unlock(&d->lock);
}
