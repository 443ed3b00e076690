// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check.c - the invariants of kmod/dbt/cache.c, looked at from outside: what
 * translator.rst says of blocks, side tables, exits, pages and parts.
 */
#include "../../kmod/dbt/tx.h"
#include "check.h"

#define EXIT_REF_BITS 7
#define CHECK(c)                                           \
	do {                                               \
		if (!(c))                                  \
			fuzz_fail(__FILE__, __LINE__, #c); \
	} while (0)

static const struct dtv_entry_row *rows(const struct dtv_dbt *d,
					const struct dtv_block *bl)
{
	return (const void *)(d->meta + bl->meta);
}

static const struct dtv_exit_row *exits(const struct dtv_dbt *d,
					const struct dtv_block *bl)
{
	return (const void *)(rows(d, bl) + bl->nr_entries);
}

/* The part that block @i is in; NULL: there is no such block. */
static const struct dtv_part *part_with(const struct dtv_dbt *d, u32 i)
{
	const struct dtv_part *p = &d->parts[i / d->part_blocks];

	return i / d->part_blocks < d->nr_parts && i > p->first && i < p->nr ?
		       p :
		       NULL;
}

static u32 rel32(const struct dtv_dbt *d, const struct dtv_block *bl, u32 at)
{
	u32 rel;

	memcpy(&rel, d->cfg.rw + bl->host + at, 4);
	return bl->host + at + 4 + rel;
}

static u32 number_at(const struct dtv_dbt *d, u32 at)
{
	u32 number;

	memcpy(&number, d->cfg.rw + at, sizeof(number));
	return number;
}

/* Whether @exit of block @from is in @bl's list of what leads to it. */
static bool in_incoming(const struct dtv_dbt *d, const struct dtv_block *bl,
			u32 ref)
{
	u32 r = bl->incoming, steps = 0;

	while (r && r != ref) {
		const struct dtv_block *from = &d->blocks[r >> EXIT_REF_BITS];

		CHECK(part_with(d, r >> EXIT_REF_BITS));
		CHECK((r & ((1 << EXIT_REF_BITS) - 1)) < from->nr_exits);
		r = exits(d, from)[r & ((1 << EXIT_REF_BITS) - 1)].next;
		CHECK(++steps < d->max_blocks * DTV_BLOCK_EXITS);
	}
	return r == ref;
}

static const struct dtv_block *block_with(const struct dtv_dbt *d, u32 off)
{
	unsigned int i;
	u32 b;

	for (i = 0; i < d->nr_parts; i++) {
		const struct dtv_part *p = &d->parts[i];

		if (off < p->start || off >= p->used)
			continue;
		for (b = p->first + 1; b < p->nr; b++)
			if (off - d->blocks[b].host < d->blocks[b].host_len)
				return &d->blocks[b];
	}
	return NULL;
}

static void check_rows(const struct dtv_dbt *d, const struct dtv_block *bl)
{
	const struct dtv_entry_row *e = rows(d, bl);
	struct dtv_where w;
	unsigned int i;
	u32 off;

	CHECK(bl->nr_entries >= 1 && bl->nr_entries <= DTV_BLOCK_ENTRIES);
	CHECK(e[0].host == 0 && e[0].kind == ENTRY_REWIND);
	for (i = 0; i < bl->nr_entries; i++) {
		CHECK(e[i].kind <= ENTRY_NAN_S);
		/* What is said of f registers is said of a row at the same place. */
		if (e[i].kind >= ENTRY_NAN_D)
			CHECK(e[i].guest && i + 1 < bl->nr_entries &&
			      e[i + 1].host == e[i].host && e[i + 1].kind != e[i].kind);
		else
			CHECK(e[i].guest % 2 == 0);
		CHECK(e[i].host <= bl->host_len);
		CHECK(!i || e[i].host >= e[i - 1].host);
	}
	/* Every byte means something, and where a hart may go on is in the body of this block. */
	for (off = 0; off < bl->host_len; off++) {
		dtv_dbt_where(d, d->cfg.exec + bl->host + off, &w);
		CHECK(w.kind != DTV_WHERE_NOWHERE);
		CHECK(w.class == bl->class && w.dead == bl->dead);
		CHECK(w.pc % 2 == 0);
		CHECK(w.kind == DTV_WHERE_NEXT ||
		      w.kind == DTV_WHERE_NEXT_RAX ||
		      ((w.pc ^ bl->pc) & DTV_PAGE_MASK) == 0);
		CHECK(!w.next_ip ||
		      w.next_ip - d->cfg.exec - bl->host < bl->body_end);
	}
}

static void check_exits(const struct dtv_dbt *d, const struct dtv_block *bl)
{
	const struct dtv_exit_row *x = exits(d, bl);
	u32 self = bl - d->blocks;
	unsigned int i;

	CHECK(bl->nr_exits <= DTV_BLOCK_EXITS);
	for (i = 0; i < bl->nr_exits; i++) {
		u64 at = (u64)(uintptr_t)(d->cfg.rw + bl->host + x[i].patch);
		const struct dtv_block *to;
		u32 goes, host;

		/* A call of the stub, in the cold code. */
		CHECK(x[i].host >= bl->body_end &&
		      x[i].host + 5 <= bl->host_len);
		CHECK(d->cfg.rw[bl->host + x[i].host] == 0xe8);
		host = rel32(d, bl, x[i].host + 1);
		CHECK(d->cfg.exec + host == d->stub_exit[DTV_EXIT_CHAIN]);
		CHECK(number_at(d, bl->host + x[i].host + 5) == self);
		/* A displacement that one store changes, in the body or right before the call. */
		CHECK(x[i].patch >= DTV_MAIN_OFF &&
		      (x[i].patch + 4 <= bl->body_end || x[i].patch + 4 == x[i].host));
		CHECK((at & 7) <= 4);
		goes = rel32(d, bl, x[i].patch);
		if (!x[i].chained) {
			CHECK(goes == bl->host + x[i].host);
			continue;
		}
		to = block_with(d, goes);
		CHECK(to && !to->dead && to->class == bl->class);
		CHECK(bl->pc + (x[i].target & ~EXIT_CHECKED) == to->pc);
		if (goes != to->host + DTV_CHECKED_OFF) {
			CHECK(goes == to->host + DTV_MAIN_OFF);
			CHECK(to->xp == bl->xp && !to->xp2 &&
			      !(x[i].target & EXIT_CHECKED));
		}
		CHECK(in_incoming(d, to, self << EXIT_REF_BITS | i));
	}
}

static bool in_page_list(const struct dtv_dbt *d, u32 xp, u32 block)
{
	u32 i = d->xps[xp].blocks, steps = 0;

	while (i && i != block) {
		CHECK(part_with(d, i));
		i = d->blocks[i].xp == xp ? d->blocks[i].xp_next :
					    d->blocks[i].xp2_next;
		CHECK(++steps < d->max_blocks);
	}
	return i == block;
}

static void check_block_at(const struct dtv_dbt *d, const struct dtv_part *p,
			   u32 i)
{
	const struct dtv_block *bl = &d->blocks[i];
	const u8 *code = d->cfg.rw + bl->host;
	u32 main = bl->xp2 ? DTV_MAIN_OFF2 : DTV_MAIN_OFF;
	u32 part = p - d->parts;

	CHECK(bl->host >= p->start && bl->host + bl->host_len <= p->used);
	CHECK(number_at(d, bl->host - 4) == i);
	CHECK(bl->host_len >= main + 2 && bl->host_len <= DTV_BLOCK_BYTES);
	CHECK(i == p->first + 1 || bl->host >= bl[-1].host + bl[-1].host_len);
	CHECK(bl->body_end > main && bl->body_end <= bl->host_len);
	CHECK(bl->meta % 4 == 0 && bl->meta >= part * d->part_meta);
	CHECK((const u8 *)(exits(d, bl) + bl->nr_exits) <=
	      d->meta + p->meta_used);
	CHECK(bl->class < DTV_NR_CLASSES && bl->pc % 2 == 0);
	/* The head: exit ENTER, checks of pages, main entry. */
	CHECK(code[0] == 0xe8 &&
	      d->cfg.exec + rel32(d, bl, 1) == d->stub_exit[DTV_EXIT_ENTER]);
	CHECK((bl->host + main) % 2 == 0);
	if (bl->dead) {
		CHECK(code[main] == 0xeb &&
		      (s8)code[main + 1] == -(s32)(main + 2));
		CHECK(!bl->incoming);
	} else {
		CHECK(code[main] != 0xeb);
	}
	CHECK(bl->xp && bl->xp < d->nr_xps && bl->xp2 < d->nr_xps);
	CHECK(d->xps[bl->xp].gva == (bl->pc & DTV_PAGE_MASK));
	CHECK(d->xps[bl->xp].class == bl->class);
	CHECK(bl->dead || d->xps[bl->xp].state == XP_READY);
	CHECK(in_page_list(d, bl->xp, i));
	if (bl->xp2) {
		CHECK((bl->pc & 0xfff) == 0xffe);
		CHECK(d->xps[bl->xp2].gva ==
		      (bl->pc & DTV_PAGE_MASK) + DTV_PAGE_SIZE);
		CHECK(bl->dead || d->xps[bl->xp2].state == XP_READY);
		CHECK(in_page_list(d, bl->xp2, i));
	}
	check_rows(d, bl);
	check_exits(d, bl);
}

/* Every list ends, and leads to what is there. */
static void check_pages(const struct dtv_dbt *d)
{
	u32 i, h, steps;

	for (h = 0; h <= d->xp_mask; h++) {
		steps = 0;
		for (i = d->xp_hash[h]; i; i = d->xps[i].next) {
			CHECK(i < d->nr_xps && d->xps[i].state != XP_DEAD);
			CHECK(++steps < d->max_xps);
		}
	}
	for (h = 0; h <= d->hash_mask; h++) {
		steps = 0;
		for (i = d->hash[h]; i; i = d->blocks[i].hash_next) {
			CHECK(part_with(d, i));
			CHECK(++steps < d->max_blocks);
		}
	}
}

unsigned int check_cache(struct dtv_dbt *d)
{
	unsigned int i, n = 0;
	u32 b;

	CHECK(d->part < d->nr_parts && d->nr_xps >= 1 &&
	      d->nr_xps <= d->max_xps);
	CHECK(!d->lock.v);
	for (i = 0; i < d->nr_parts; i++) {
		const struct dtv_part *p = &d->parts[i];

		CHECK(p->start == d->stubs_end + i * d->part_size &&
		      p->used >= p->start);
		CHECK(p->used <= p->start + d->part_size &&
		      p->start + d->part_size <= d->cfg.size);
		CHECK(p->first == i * d->part_blocks && p->nr > p->first);
		CHECK(p->nr <= p->first + d->part_blocks);
		CHECK(p->meta_used >= i * d->part_meta &&
		      p->meta_used <= (i + 1) * d->part_meta);
		for (b = p->first + 1; b < p->nr; b++, n++)
			check_block_at(d, p, b);
	}
	check_pages(d);
	return n;
}

const struct dtv_block *check_block(const struct dtv_dbt *d, unsigned int n)
{
	unsigned int i, all = 0;

	for (i = 0; i < d->nr_parts; i++)
		all += d->parts[i].nr - d->parts[i].first - 1;
	if (!all)
		return NULL;
	n %= all;
	for (i = 0; n >= d->parts[i].nr - d->parts[i].first - 1; i++)
		n -= d->parts[i].nr - d->parts[i].first - 1;
	return &d->blocks[d->parts[i].first + 1 + n];
}

u64 check_block_ip(const struct dtv_dbt *d, const struct dtv_block *bl,
		   u32 *len)
{
	*len = bl->host_len;
	return d->cfg.exec + bl->host;
}

u64 check_exit_ip(const struct dtv_dbt *d, const struct dtv_block *bl,
		  unsigned int n)
{
	if (!bl->nr_exits)
		return 0;
	return d->cfg.exec + bl->host + exits(d, bl)[n % bl->nr_exits].host + 5;
}
