// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * views.c - views by mmap: reserved address space in which pages of the RAM
 * memfd are mapped as they are missed.
 *
 * View i of hart h is slot h * nr_views + i. The reservation is inaccessible
 * anonymous memory; a page is mapped over it with MAP_FIXED and removed by
 * mapping inaccessible memory over it again, so no moment leaves a hole.
 * Each mapping may cost the kernel a VMA, of which there are some 65,000: views
 * keep an upper bound, which is made exact when it comes near the limit.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "uhost.h"

/*
 * Where views start. Above the shadow memory that AddressSanitizer claims, and
 * with 120 slots below the place of position-independent programs.
 */
#define VIEW_AREA 0x110000000000ULL
#define VIEW_SLOTS 120

#define GAP ((DTV_VIEW_STRIDE - DTV_VIEW_SIZE) / 2)

/* Neighbours of a page within a guest superpage are mapped in runs of this size. */
#define RUN_SHIFT 18
#define RUN_SIZE (1ULL << RUN_SHIFT)
/* At 2 MiB and above the guest's page stays physically contiguous for this long. */
#define SUPERPAGE (2ULL << 20)

static u32 vma_limit;
static u32 vma_count;

static u64 slot_start(const struct uhart *h, unsigned int idx)
{
	return VIEW_AREA + (h->cpu.id * (u64)h->host->nr_views + idx) * DTV_VIEW_STRIDE;
}

static u64 view_base(const struct uhart *h, unsigned int idx)
{
	return slot_start(h, idx) + GAP + DTV_VIEW_SIZE / 2;
}

/* Make [addr, addr + size) inaccessible. */
static void remove_mapping(u64 addr, u64 size)
{
	void *p = mmap((void *)addr, size, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	if (p == MAP_FAILED) {
		perror("uhost: cannot remove a mapping");
		abort();
	}
}

static u32 read_vma_limit(void)
{
	FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
	unsigned int limit = 65530;

	if (f) {
		if (fscanf(f, "%u", &limit) != 1)
			limit = 65530;
		fclose(f);
	}
	/* Others need some: stacks, libraries, both ends of a split. */
	return limit > 8192 ? limit - 4096 : limit / 2;
}

int views_reserve(struct uhost *u, char *err, size_t n)
{
	u64 size;
	void *p;

	u->nr_views = VIEW_SLOTS / u->nr_harts;
	if (u->nr_views > DTV_VIEWS_MAX)
		u->nr_views = DTV_VIEWS_MAX;
	size = u->nr_harts * (u64)u->nr_views * DTV_VIEW_STRIDE;
	vma_limit = read_vma_limit();
	p = mmap((void *)VIEW_AREA, size, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (p != (void *)VIEW_AREA) {
		snprintf(err, n, "cannot reserve %llu GiB of address space for views: %s",
			 (unsigned long long)(size >> 30), strerror(errno));
		return -1;
	}
	return 0;
}

int views_init(struct uhart *h)
{
	h->views = calloc(h->host->nr_views, sizeof(*h->views));
	return h->views ? 0 : -1;
}

bool views_find(struct uhart *h, u64 addr, unsigned int *idx, gva_t *gva)
{
	u64 slot = (addr - VIEW_AREA) / DTV_VIEW_STRIDE;
	u64 first = h->cpu.id * (u64)h->host->nr_views;

	if (addr < VIEW_AREA || slot < first || slot >= first + h->host->nr_views)
		return false;
	*idx = slot - first;
	*gva = addr - view_base(h, *idx);
	return true;
}

/* --- VMA accounting --- */

static void add_vmas(struct uhart *h, unsigned int idx, u32 n)
{
	__atomic_fetch_add(&h->views[idx].vmas, n, __ATOMIC_RELAXED);
	__atomic_fetch_add(&vma_count, n, __ATOMIC_RELAXED);
}

static void set_vmas(struct uhart *h, unsigned int idx, u32 n)
{
	u32 old = __atomic_exchange_n(&h->views[idx].vmas, n, __ATOMIC_RELAXED);

	__atomic_fetch_add(&vma_count, n - old, __ATOMIC_RELAXED);
}

/* Make all bounds exact. In a fault handler: plain system calls, no stdio. */
static void recount(struct uhost *u)
{
	u32 counts[VIEW_SLOTS] = { 0 };
	char buf[8192];
	bool in_start = true;
	u64 start = 0;
	ssize_t got;
	int fd;

	fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while ((got = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			char c = buf[i];

			if (c == '\n') {
				in_start = true;
				start = 0;
			} else if (in_start && c == '-') {
				u64 slot = (start - VIEW_AREA) / DTV_VIEW_STRIDE;

				in_start = false;
				if (start >= VIEW_AREA && slot < VIEW_SLOTS)
					counts[slot]++;
			} else if (in_start) {
				start = start << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
			}
		}
	}
	close(fd);
	for (unsigned int i = 0; i < u->nr_harts * u->nr_views; i++)
		set_vmas(u->harts[i / u->nr_views], i % u->nr_views, counts[i]);
}

/*
 * Before VMAs run out: count, and if they really do, empty the view that has
 * most. It may be another hart's: that one misses again, no more.
 */
static void make_room(struct uhost *u)
{
	struct uhart *hart = u->harts[0];
	unsigned int idx = 0;

	recount(u);
	if (READ_ONCE(vma_count) < vma_limit / 4 * 3)
		return;
	for (unsigned int i = 1; i < u->nr_harts * u->nr_views; i++) {
		struct uhart *h = u->harts[i / u->nr_views];

		if (h->views[i % u->nr_views].vmas > hart->views[idx].vmas) {
			hart = h;
			idx = i % u->nr_views;
		}
	}
	dtv_host_view_reset(&hart->cpu, idx);
}

/* --- runs --- */

/* True the first time a run is met since it was last forgotten. */
static bool first_time(struct uview *v, gva_t gva, bool write)
{
	u64 run = gva >> RUN_SHIFT << 1 | write;
	u64 *tag = &v->tags[(run ^ run >> 10) % UHOST_RUN_TAGS];

	if (*tag == run + 1)
		return false;
	WRITE_ONCE(*tag, run + 1);
	return true;
}

/*
 * Guests fence pages that they never touched. A page that its own hart has
 * removed and not mapped since is known to be gone. Others remove pages without a
 * note here: between their removal and the note the owner may have mapped it again.
 */
static u64 *gone_slot(struct uview *v, gva_t gva)
{
	u64 n = gva >> DTV_PAGE_SHIFT;

	return &v->gone[(n ^ n >> 8) % UHOST_GONE];
}

static void forget_runs(struct uview *v)
{
	for (unsigned int i = 0; i < UHOST_RUN_TAGS; i++)
		WRITE_ONCE(v->tags[i], 0);
}

/* --- mapping --- */

static void map_file(struct uhart *h, unsigned int idx, gva_t gva, u64 size, u8 prot, int flags,
		     int fd, u64 at)
{
	void *p;

	p = mmap((void *)(view_base(h, idx) + gva), size,
		 prot & 2 ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED | MAP_FIXED | flags,
		 fd, at);
	if (p == MAP_FAILED) {
		perror("uhost: cannot map a page into a view");
		abort();
	}
	if (size == DTV_PAGE_SIZE && *gone_slot(&h->views[idx], gva) == gva + 1)
		*gone_slot(&h->views[idx], gva) = 0;
	else if (size != DTV_PAGE_SIZE)
		memset(h->views[idx].gone, 0, sizeof(h->views[idx].gone));
	h->maps++;
	add_vmas(h, idx, 2);
}

static void map_pages(struct uhart *h, unsigned int idx, gva_t gva, gpa_t gpa, u64 size, u8 prot,
		      int flags)
{
	const struct uhost *u = h->host;

	map_file(h, idx, gva, size, prot, flags, u->ram_fd, gpa - u->ram.gpa);
}

static void map_rom(struct uhart *h, const struct dtv_miss *m)
{
	unsigned int rom;
	u64 at;
	const struct store *mem = machine_rom(h->host, m->gpa, &at, &rom);

	map_file(h, m->view, m->gva, DTV_PAGE_SIZE, 1, MAP_POPULATE, mem->fd, at);
	if (!dtv_view_shown(&h->cpu, m->view, m->gva, m->gpa))
		dtv_host_view_zap(&h->cpu, m->view, m->gva, DTV_PAGE_SIZE);
}

/* After a writable mapping was made: take the right away again from pages that are code. */
static void confirm_writable(struct uhart *h, unsigned int idx, gva_t gva, gpa_t gpa, u64 size)
{
	for (u64 i = 0; i < size; i += DTV_PAGE_SIZE) {
		if (!dtv_view_filled(&h->cpu, idx, gva + i, gpa + i))
			map_pages(h, idx, gva + i, gpa + i, DTV_PAGE_SIZE, 1, 0);
	}
}

void views_map(struct uhart *h, const struct dtv_miss *m)
{
	struct uhost *u = h->host;
	gva_t gva = m->gva & DTV_PAGE_MASK;
	gpa_t gpa = m->gpa & DTV_PAGE_MASK;
	u64 size = DTV_PAGE_SIZE;
	int flags = MAP_POPULATE;

	if (READ_ONCE(vma_count) > vma_limit)
		make_room(u);
	if (m->rom) {
		map_rom(h, m);
		return;
	}

	if (m->level >= 1 && ((gva ^ gpa) & (SUPERPAGE - 1)) == 0 &&
	    first_time(&h->views[m->view], gva, m->prot & 2) &&
	    dtv_opt(&u->vm.dbt, DTV_OPT_AROUND)) {
		u64 before = gva & (RUN_SIZE - 1);

		/* RAM starts and ends at multiples of a run, so that runs never leave it. */
		gva -= before;
		gpa -= before;
		size = RUN_SIZE;
		/*
		 * The kernel fills page tables around each touched page on its own,
		 * without allocating others.
		 */
		flags = 0;
	}
	if (gpa < u->ram.gpa || gpa - u->ram.gpa + size > u->ram.size) {
		dtv_host_kill(&u->vm, "view miss mapped outside of RAM");
		return;
	}
	map_pages(h, m->view, gva, gpa, size, m->prot, flags);
	if (m->prot & 2)
		confirm_writable(h, m->view, gva, gpa, size);
}

/* --- host.h --- */

void dtv_host_view_zap(struct dtv_cpu *cpu, unsigned int idx, gva_t gva, u64 size)
{
	struct uhart *h = uhart_of(cpu);
	s64 half = DTV_VIEW_SIZE / 2;
	s64 start = gva & DTV_PAGE_MASK, end;

	if (idx >= h->host->nr_views || !size)
		return;
	/* What lies outside of the view was never mapped. */
	if (start >= half)
		return;
	if (start < -half) {
		u64 below = (u64)-half - (u64)start;

		if (size <= below)
			return;
		size -= below;
		start = -half;
	}
	end = size > (u64)(half - start) ?
		      half :
		      (s64)((start + size + DTV_PAGE_SIZE - 1) & DTV_PAGE_MASK);
	if (end - start == (s64)DTV_PAGE_SIZE && hart_is_self(h)) {
		u64 *gone = gone_slot(&h->views[idx], start);

		if (*gone == (u64)start + 1)
			return;
		*gone = start + 1;
	}
	remove_mapping(view_base(h, idx) + start, end - start);
	h->zaps++;
	if ((u64)(end - start) > DTV_PAGE_SIZE)
		forget_runs(&h->views[idx]);
	add_vmas(h, idx, 1);
}

void dtv_host_view_reset(struct dtv_cpu *cpu, unsigned int idx)
{
	struct uhart *h = uhart_of(cpu);

	if (idx >= h->host->nr_views)
		return;
	forget_runs(&h->views[idx]);
	if (!READ_ONCE(h->views[idx].vmas))
		return;
	remove_mapping(slot_start(h, idx), DTV_VIEW_STRIDE);
	set_vmas(h, idx, 0);
	h->resets++;
}

u64 dtv_host_view_base(struct dtv_cpu *cpu, unsigned int idx)
{
	return view_base(uhart_of(cpu), idx);
}
