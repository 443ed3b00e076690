/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dbt.h - the translator and its code cache, as the rest of dtv sees them:
 * look a block up or make it, say what a host address stands for, invalidate.
 *
 * Locking: d->lock (spin) rules translation, chaining, invalidation and the
 * block index's writers. Lookups and dtv_dbt_where() take no lock.
 */
#ifndef DTV_DBT_DBT_H
#define DTV_DBT_DBT_H

#include "../port.h"
#include "../guest/state.h"
#include "../guest/decode.h"
#include "opt.h"

struct dtv_vm_core;
struct dtv_cpu;

/* Why translated code left; counted per vCPU, the order is uapi's dtv_stats.exits[]. */
enum dtv_exit {
	DTV_EXIT_NONE = 0, /* entry after a wait, a kick, a reply: nothing executed */
	DTV_EXIT_CHAIN, /* direct branch to a block that was not linked yet */
	DTV_EXIT_ENTER, /* checked entry failed or block invalidated */
	DTV_EXIT_JUMP, /* indirect jump missed the jump cache; pc is set */
	DTV_EXIT_SYSTEM, /* instruction for dtv_guest_system() */
	/* load, store or AMO that translated code could not do: address check, MMIO */
	DTV_EXIT_ACCESS,
	DTV_EXIT_KICK, /* kicked; pc is set */
	DTV_EXIT_RESUME, /* pc is set: look up and go on (a redirect whose block has to be made) */
	DTV_EXIT_ILLEGAL, /* undefined instruction */
	/* fetch of the instruction at pc must be done in C (page fault, page crossing) */
	DTV_EXIT_FETCH,
	DTV_EXIT_FP, /* FP instruction that translated code left to C */
	DTV_NR_EXITS = 16,
};

enum dtv_counter {
	DTV_COUNTER_EXITS = 0, /* DTV_NR_EXITS of them */
	DTV_COUNTER_MISSES = DTV_NR_EXITS,
	DTV_COUNTER_TRAPS,
	DTV_COUNTER_MMIO,
	DTV_NR_COUNTERS,
};

/* Code class: blocks of different classes are never mixed. */
enum dtv_class {
	DTV_CLASS_U = 0,
	DTV_CLASS_S = 1,
	DTV_CLASS_M = 2,
	DTV_NR_CLASSES,
};

/* Executable-page tags: kernels are large and mapped alike everywhere, programs are small. */
#define DTV_XPAGES_U 1024
#define DTV_XPAGES_S 4096
#define DTV_XPAGES_M 1024
#define DTV_XPAGES (DTV_XPAGES_U + DTV_XPAGES_S + DTV_XPAGES_M)
#define DTV_JCACHE 1024
#define DTV_RSTACK_BYTES 8192
#define DTV_AREA_ALIGN 16384 /* of the area's address in translated code */

struct dtv_jentry {
	u64 pc; /* ~0: empty */
	u64 ip; /* checked entry of the block */
};

/**
 * struct dtv_area - what a jail can write beside guest memory
 * @hart: state (first page)
 * @page0: all of that page
 * @xpage: id of the executable page that stands at a gva page now; see dtv_xpage_index()
 * @jcache: targets of indirect jumps, per class
 * @pad: up to where @rstack has to stand
 * @rstack: return stack: pairs of a host address to return to and the guest
 *          return address that it stands for. A ring: it stands at an odd multiple of its size, so
 *          that setting one bit of rsp after a push wraps it
 * @rstack_top: the pairs above the ring, for returns that were never predicted
 * @sigstack: alternate signal stack of the jail
 */
struct dtv_area {
	union {
		struct dtv_hart hart;
		u8 page0[4096];
	};
	u32 xpage[DTV_XPAGES];
	struct dtv_jentry jcache[DTV_NR_CLASSES][DTV_JCACHE];
	u8 pad[DTV_RSTACK_BYTES + DTV_AREA_ALIGN -
	       (4096 + DTV_XPAGES * 4 + DTV_NR_CLASSES * DTV_JCACHE * 16) % DTV_AREA_ALIGN];
	u64 rstack[DTV_RSTACK_BYTES / 8];
	u64 rstack_top[8];
	u8 sigstack[16384];
};

/* Index into area->xpage[] for a page of code at @gva. */
static inline unsigned int dtv_xpage_index(u8 class, gva_t gva)
{
	u64 vpn = gva >> DTV_PAGE_SHIFT;

	switch (class) {
	case DTV_CLASS_U:
		return vpn & (DTV_XPAGES_U - 1);
	case DTV_CLASS_S:
		return DTV_XPAGES_U + (vpn & (DTV_XPAGES_S - 1));
	}
	return DTV_XPAGES_U + DTV_XPAGES_S + (vpn & (DTV_XPAGES_M - 1));
}

static_assert(offsetof(struct dtv_area, rstack) % DTV_AREA_ALIGN == DTV_RSTACK_BYTES,
	      "the return stack wraps");

#define DTV_AREA_SIZE ((sizeof(struct dtv_area) + 4095) & ~4095UL)

/**
 * struct dtv_dbt_config - what the host provides for the cache
 * @rw: where C code writes the cache
 * @exec: address of the same memory in every jail, read+execute
 * @size: bytes
 * @exit_jump: false: exits are an ioctl(hart->exit_fd, hart->exit_cmd) system
 *             call after which execution goes on at the resume stub (the jail);
 *             true: exits jump to hart->host_exit with rsp = hart->host_sp (uhost)
 * @profile: count blocks' executions and keep their instructions, for dtv_dbt_info(); only where
 *           translated code can write to C code's memory (uhost)
 * @no_opt: optimizations that are off: bit n for enum dtv_opt n
 */
struct dtv_dbt_config {
	u8 *rw;
	u64 exec;
	u64 size;
	bool exit_jump;
	bool profile;
	u64 no_opt;
};

#define DTV_BLOCK_INSNS 64 /* guest instructions in a block, at most; a loop's are there twice */

struct dtv_block;
struct dtv_xp;
struct dtv_tx;

#define DTV_MMIO_SITES 1024
#define DTV_MMIO_OFTEN 4

/* An instruction that missed on something that is no RAM. */
struct dtv_mmio_site {
	gpa_t gpa; /* of the instruction */
	u32 count; /* misses on MMIO */
	u32 ram; /* accesses to RAM since it is an exit */
};

/**
 * struct dtv_part - a part of the cache, which is emptied at once
 * @start: offset of its first byte
 * @used: offset of the first free byte
 * @first: index in blocks[] before its first block's; block 0 of the cache stands for none
 * @nr: index behind its last block's: they ascend by code address; published with release
 * @meta_used: offset of the first free byte in the side tables
 */
struct dtv_part {
	u32 start;
	u32 used;
	u32 first;
	u32 nr;
	u32 meta_used;
};

#define DTV_PARTS 16
#define DTV_PART_MIN (256 << 10)

struct dtv_dbt {
	struct dtv_dbt_config cfg;
	struct dtv_vm_core *vm;
	spinlock_t lock;
	u64 isa; /* DTV_ISA_* that blocks may use */
	u32 slots; /* bit r: x[r] has no host register */
	u32 gen; /* counts evictions: host addresses of an older one are void */
	bool counting; /* blocks add to hart->instret */
	bool limited; /* and leave when it is not negative */
	bool stepping; /* blocks are one instruction */
	u32 stubs_end; /* offset of the first byte after the stubs */
	/* The cache in parts, each with its share of blocks[] and meta; filled in turns */
	struct dtv_part parts[DTV_PARTS];
	u32 nr_parts;
	u32 part; /* the one that is filled */
	u32 part_size, part_blocks, part_meta;
	u32 max_blocks;
	struct dtv_block *blocks;
	struct dtv_profile *profile; /* of blocks[], with cfg.profile */
	struct dtv_tx *tx; /* work space of translation, under lock */
	u8 *meta; /* side tables of all blocks */
	u32 meta_size;
	u32 *hash; /* heads: index into blocks[], 0 none */
	u32 hash_mask;
	struct dtv_xp *xps; /* executable pages; the index is the id in area->xpage[] */
	u32 nr_xps, max_xps;
	u32 *xp_hash; /* heads by gpa page: index into xps[], 0 none */
	u32 xp_mask;
	struct dtv_mmio_site mmio_sites[DTV_MMIO_SITES]; /* by hash, the newest stays */
	/* Host addresses of the stubs. */
	u64 stub_resume; /* with rbp = area + DTV_HART_BIAS: reload all, jump to hart->resume_ip */
	u64 stub_redirect; /* registers are live: set gs base, jump to hart->resume_ip */
	u64 stub_kick; /* registers are live, hart->pc is set: save all, exit with KICK */
	u64 stub_access; /* the same with ACCESS; hart->exit_ip is set */
	u64 stub_lookup; /* the same with RESUME */
	u64 stub_unpredicted; /* returned to from above the return stack's ring */
	/* Exit stubs that sites call; indexed by enum dtv_exit. */
	u64 stub_exit[DTV_NR_EXITS];
	u64 stat_blocks, stat_guest_bytes, stat_host_bytes, stat_invalidated;
	u64 stat_evictions; /* of parts */
	u64 stat_flushes; /* of everything */
	u64 stat_opts[DTV_NR_OPTS]; /* how often each did something; not exact with several harts */
};

/* Whether an optimization is on, asked where it would do something. Any context. */
static inline bool dtv_opt(struct dtv_dbt *d, enum dtv_opt opt)
{
	if (unlikely(d->cfg.no_opt >> opt & 1))
		return false;
	WRITE_ONCE(d->stat_opts[opt], READ_ONCE(d->stat_opts[opt]) + 1);
	return true;
}

int dtv_dbt_init(struct dtv_dbt *d, struct dtv_vm_core *vm, const struct dtv_dbt_config *cfg);
void dtv_dbt_destroy(struct dtv_dbt *d);

/* Empty the area's tables and set its constants. @area_exec is a multiple of DTV_AREA_ALIGN. */
void dtv_dbt_area_init(struct dtv_dbt *d, struct dtv_area *area, u64 area_exec);

/*
 * The hart's code class changed: what the old class pushed must not be
 * returned to.
 */
void dtv_dbt_rstack_reset(struct dtv_area *area, u64 area_exec);

/*
 * Which part of a page's bytes code may be fetched from: all of them, but where physical memory
 * protection parts the page.
 */
struct dtv_extent {
	u16 lo, hi; /* offsets in the page; hi is exclusive */
};

#define DTV_WHOLE_PAGE ((struct dtv_extent){ 0, DTV_PAGE_SIZE })

/**
 * struct dtv_code - a place in guest code
 * @pc: gva of the instruction
 * @gpa: where it stands
 * @gpa2: page of the second half for an instruction that crosses into another page; ~0 otherwise
 * @ext: part of the page that the block stays in
 * @ext2: the same of the second half's page
 * @class: enum dtv_class
 * @loop: reached by a jump backwards: the block may well be worth more work
 * @guest_bytes: out: what a block that had to be made was made from; else 0
 * @host_bytes: out: what it was made to
 */
struct dtv_code {
	gva_t pc;
	gpa_t gpa;
	gpa_t gpa2;
	struct dtv_extent ext, ext2;
	u8 class;
	bool loop;
	u32 guest_bytes, host_bytes;
};

#define DTV_DBT_FULL (~0ULL)

/**
 * dtv_dbt_page() - find or register an executable page
 * @d: translator
 * @gva: any address in the page
 * @gpa: where it stands
 * @class: enum dtv_class
 * @ext: part of it that may be executed; another part is another executable page
 * @fresh: set true when write permission must be taken from all mappings of
 *         the page (dtv_view_protect()) and then dtv_dbt_page_ready() called
 *
 * From the return on dtv_dbt_is_code() is true of the page.
 *
 * Return: id of the page, 0 when the table is full: dtv_dbt_evict().
 * Context: any; takes d->lock when the page is new.
 */
u32 dtv_dbt_page(struct dtv_dbt *d, gva_t gva, gpa_t gpa, u8 class, struct dtv_extent ext,
		 bool *fresh);

/* All writable mappings of the page are gone. */
void dtv_dbt_page_ready(struct dtv_dbt *d, u32 xp);

/**
 * dtv_dbt_get() - find or make the block for a place
 * @d: translator
 * @area: the hart's area: the xpage entries of the block's pages are set
 * @code: place
 * @xp: its page
 * @xp2: page of the second half, 0 unless code->gpa2 is valid
 *
 * The caller has translated pc for execution, touched the RAM pages and made the pages ready.
 *
 * Return: host address of the block's checked entry; 0 when a page was
 * invalidated meanwhile (start again); DTV_DBT_FULL when dtv_dbt_evict() has to make room first.
 * Context: any; takes d->lock when the block has to be made.
 */
u64 dtv_dbt_get(struct dtv_dbt *d, struct dtv_area *area, struct dtv_code *code, u32 xp, u32 xp2);

/*
 * Make the exit site at @site (exit_ip as the stub saw it) jump to the block with
 * checked entry @ip, if that is valid.
 */
void dtv_dbt_chain(struct dtv_dbt *d, u64 site, u64 ip);

/* Put a block into the hart's jump cache. */
void dtv_dbt_jcache_fill(struct dtv_area *area, u8 class, gva_t pc, u64 ip);

/* The same, if there is one for @pc already. */
void dtv_dbt_jcache_renew(struct dtv_area *area, u8 class, gva_t pc, u64 ip);

/**
 * dtv_dbt_forget() - forget which pages of U- and S-mode are executable
 * @area: of the hart
 * @gva: one page, or ~0: all
 * @keep_s: leave those of S-mode alone (all came from global mappings)
 */
void dtv_dbt_forget(struct dtv_area *area, gva_t gva, bool keep_s);

/* Forget which pages are executable, in all modes. */
void dtv_dbt_forget_all(struct dtv_area *area);

/*
 * The access at host address @ip, of the instruction at @gpa, missed on
 * something that is no RAM. When it does so often, its block dies and is made
 * anew with an exit in place of the access. Takes d->lock.
 */
void dtv_dbt_note_mmio(struct dtv_dbt *d, u64 ip, gpa_t gpa);

/*
 * The opposite: it reached RAM. Code that does both is made for RAM again when it
 * mostly does that.
 */
void dtv_dbt_note_ram(struct dtv_dbt *d, u64 ip, gpa_t gpa);

enum dtv_where_kind {
	DTV_WHERE_NOWHERE, /* not in a block */
	DTV_WHERE_INSN, /* at the instruction at pc, or inside it with its state unchanged */
	/* inside the instruction at pc, which has changed state: a kick has to come again */
	DTV_WHERE_BUSY,
	DTV_WHERE_NEXT, /* block end: the instruction at pc is the next to execute */
	DTV_WHERE_NEXT_RAX, /* the same, with that pc in rax */
};

/**
 * struct dtv_where - what a host address stands for
 * @kind: see enum dtv_where_kind
 * @pc: gva
 * @gpa: of the instruction (INSN, BUSY)
 * @from: gva of the jump that leads to pc (NEXT)
 * @class: enum dtv_class of the block
 * @dead: the block was invalidated
 * @paired: an LR and an SC that make a pair (dbt/pair.c), or between them (BUSY)
 * @next_ip: host address of the instruction boundary behind it, 0 when the block
 *           ends there or relies on scratch registers (INSN, BUSY)
 * @nan_d: f registers that hold a double in which every NaN stands for the canonical one; as
 *         dtv_dbt_settle_nans() takes them
 * @nan_s: the same with a boxed single
 * @count: instructions of the block that have retired there and are not in hart->instret; 0 while
 *         nothing is counted
 */
struct dtv_where {
	enum dtv_where_kind kind;
	gva_t pc;
	gva_t from;
	gpa_t gpa;
	u8 class;
	bool dead;
	bool paired;
	u64 next_ip;
	u16 nan_d, nan_s;
	u8 count;
};

/**
 * dtv_dbt_where() - what a host address in translated code stands for
 * @d: translator
 * @ip: the address; may be anything
 * @w: result
 *
 * Context: any, no lock.
 */
void dtv_dbt_where(const struct dtv_dbt *d, u64 ip, struct dtv_where *w);

/*
 * Translated code leaves a NaN as the host made it until somebody could see it. Make those
 * of @h canonical (unprivileged manual 20.3). @nan_d, @nan_s: of struct dtv_where.
 */
void dtv_dbt_settle_nans(struct dtv_hart *h, u16 nan_d, u16 nan_s);

/*
 * Drop all blocks made from the page of @gpa. Returns the number of blocks dropped.
 * Takes d->lock.
 */
u32 dtv_dbt_invalidate(struct dtv_dbt *d, gpa_t gpa);

/* Whether any live block was made from the page. */
bool dtv_dbt_is_code(const struct dtv_dbt *d, gpa_t gpa);

/**
 * dtv_dbt_evict() - make room in the cache: the oldest part of it is thrown away
 * @d: translator
 *
 * Everything is when it is not code that there is too much of, but pages.
 *
 * Context: no hart is in translated code or looks at blocks; the caller then calls
 * dtv_dbt_area_evicted() for all of them. Takes d->lock.
 */
void dtv_dbt_evict(struct dtv_dbt *d);

/**
 * dtv_dbt_count() - from now on blocks count instructions
 * @d: translator
 * @step: blocks are one instruction each
 *
 * Everything is thrown away. Context: as dtv_dbt_evict().
 */
void dtv_dbt_count(struct dtv_dbt *d, bool step);

/* Let an area forget what dtv_dbt_evict() threw away. Parameters as for dtv_dbt_area_init(). */
void dtv_dbt_area_evicted(struct dtv_dbt *d, struct dtv_area *area, u64 area_exec);

/**
 * struct dtv_profile - what is kept of a block with dtv_dbt_config.profile
 * @count: executions that were begun, rounds of a loop in it too; a kick at the first instruction
 *         may count twice
 * @nr: guest instructions, in the order of the block
 * @insn: the instructions
 * @insn.raw: their bits
 * @insn.guest: offset in the guest's page
 * @insn.host: offset of their code in the block
 */
struct dtv_profile {
	u64 count;
	u32 nr;
	struct {
		u32 raw;
		u16 guest;
		u16 host;
	} insn[DTV_BLOCK_INSNS * 2];
};

/**
 * struct dtv_block_info - a block, for who wants to read it
 * @pc: gva of its first instruction
 * @gpa: where that stands
 * @exec: host address of its first byte in translated code
 * @host: where C code reads it
 * @host_len: bytes
 * @body_len: bytes of them before the cold code
 * @class: enum dtv_class
 * @dead: it was invalidated
 * @profile: its profile
 */
struct dtv_block_info {
	gva_t pc;
	gpa_t gpa;
	u64 exec;
	const u8 *host;
	u32 host_len, body_len;
	u8 class;
	bool dead;
	const struct dtv_profile *profile;
};

/**
 * dtv_dbt_info() - look at a block
 * @d: translator, with cfg.profile
 * @index: below d->max_blocks
 * @info: result
 *
 * Return: false when there is no block of that number.
 * Context: no hart translates or evicts.
 */
bool dtv_dbt_info(const struct dtv_dbt *d, u32 index, struct dtv_block_info *info);

/* Bytes of the cache that are in use, stubs included. */
u64 dtv_dbt_used(const struct dtv_dbt *d);

#endif /* DTV_DBT_DBT_H */
