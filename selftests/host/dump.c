// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dump.c - the hottest blocks, guest and host instructions side by side, for --dump-blocks.
 *
 * The engine counts each block's executions and keeps its guest instructions when asked to
 * (struct dtv_profile). The disassemblers are binutils', run once for each block: the host's
 * own and the one for the guest. Called when the harts have ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "uhost.h"

#define HOST_OBJDUMP "objdump"
#define GUEST_OBJDUMP "riscv64-linux-gnu-objdump"
#define TEXT_WIDTH 34

/* One disassembled instruction. */
struct line {
	u64 at;
	char text[96];
};

struct listing {
	struct line *lines;
	size_t nr;
};

static const char *const classes[] = { "U", "S", "M" };

/* Executed guest instructions, at most: who leaves in the middle executes fewer. */
static u64 weight(const struct dtv_block_info *b)
{
	return b->profile->count * b->profile->nr;
}

static int heavier(const void *a, const void *b)
{
	u64 x = weight(a), y = weight(b);

	return x < y ? 1 : x > y ? -1 : 0;
}

/* Only the characters that make an instruction: no bytes, one blank between its parts. */
static void add_line(struct listing *l, const char *text)
{
	struct line *line;
	char *end;
	u64 at = strtoull(text, &end, 16);
	size_t n = 0;

	if (*end != ':' || end[1] != '\t')
		return;
	if (l->nr % 64 == 0) {
		line = realloc(l->lines, (l->nr + 64) * sizeof(*line));
		if (!line)
			return;
		l->lines = line;
	}
	line = &l->lines[l->nr++];
	line->at = at;
	for (text = end + 2; *text && *text != '\n' && n < sizeof(line->text) - 1; text++) {
		char c = *text == '\t' ? ' ' : *text;

		if (c == '#' || (c == ' ' && (!n || line->text[n - 1] == ' ')))
			continue;
		line->text[n++] = c;
	}
	line->text[n] = 0;
}

/* Disassemble SIZE bytes that stand at address AT. */
static void disassemble(struct listing *l, const char *objdump, const char *arch, const void *code,
			size_t size, u64 at)
{
	int fd = memfd_create("uhost-dump", 0);
	char command[512], text[256];
	FILE *p;

	*l = (struct listing){ 0 };
	if (fd < 0 || write(fd, code, size) != (ssize_t)size)
		goto out;
	snprintf(command, sizeof(command),
		 "%s -D -z -w -b binary -m %s --no-show-raw-insn --adjust-vma=0x%llx %s/%d/fd/%d",
		 objdump, arch, (unsigned long long)at, "/proc", (int)getpid(), fd);
	p = popen(command, "r");
	if (!p)
		goto out;
	while (fgets(text, sizeof(text), p))
		add_line(l, text);
	pclose(p);
out:
	if (fd >= 0)
		close(fd);
}

static const char *text_at(const struct listing *l, u64 at)
{
	for (size_t i = 0; i < l->nr; i++) {
		if (l->lines[i].at == at)
			return l->lines[i].text;
	}
	return "?";
}

/* The guest's instructions at their addresses, between them zeros. */
static void guest_listing(const struct dtv_block_info *b, struct listing *l)
{
	const struct dtv_profile *p = b->profile;
	u8 page[DTV_PAGE_SIZE + 4] = { 0 };
	unsigned int low = DTV_PAGE_SIZE, high = 0;

	for (unsigned int i = 0; i < p->nr; i++) {
		unsigned int at = p->insn[i].guest, len = dtv_insn_len(p->insn[i].raw);

		memcpy(page + at, &p->insn[i].raw, len);
		low = at < low ? at : low;
		high = at + len > high ? at + len : high;
	}
	disassemble(l, GUEST_OBJDUMP, "riscv:rv64", page + low, high - low,
		    (b->pc & DTV_PAGE_MASK) + low);
}

static const char *stub_name(const struct dtv_dbt *d, u64 at)
{
	static char name[32];

	for (unsigned int i = 0; i < DTV_NR_EXITS; i++) {
		if (d->stub_exit[i] == at) {
			snprintf(name, sizeof(name), "exit %s", stats_exit_name(i));
			return name;
		}
	}
	return "stub";
}

/* A jump of the host, with what it leads to: this block's bytes, or another's guest address. */
static void print_host(FILE *f, const struct uhost *u, const struct dtv_block_info *b,
		       const char *text)
{
	const struct dtv_dbt *d = &u->vm.dbt;
	const char *hex = strstr(text, " 0x");
	struct dtv_where w;
	char *end;
	u64 to;

	if ((*text != 'j' && strncmp(text, "call 0x", 7)) || !hex) {
		fprintf(f, "%s\n", text);
		return;
	}
	to = strtoull(hex + 1, &end, 16);
	fprintf(f, "%.*s ", (int)(hex - text), text);
	if (*end) {
		fprintf(f, "%s\n", hex + 1);
	} else if (to - b->exec < b->host_len) {
		fprintf(f, "+%llu\n", (unsigned long long)(to - b->exec));
	} else {
		dtv_dbt_where(d, to, &w);
		if (w.kind == DTV_WHERE_NOWHERE)
			fprintf(f, "%s\n", stub_name(d, to));
		else
			fprintf(f, "block of 0x%llx\n", (unsigned long long)w.pc);
	}
}

static void print_block(FILE *f, const struct uhost *u, const struct dtv_block_info *b, u64 all)
{
	const struct dtv_profile *p = b->profile;
	struct listing guest, host;
	unsigned int i = 0;
	bool cold = false;

	fprintf(f,
		"block 0x%llx gpa 0x%llx %s: executed %llu times, %.1f %% of all, %u guest instructions, %u + %u host bytes%s\n",
		(unsigned long long)b->pc, (unsigned long long)b->gpa, classes[b->class],
		(unsigned long long)p->count, all ? 100.0 * weight(b) / all : 0, p->nr, b->body_len,
		b->host_len - b->body_len, b->dead ? ", dead" : "");
	guest_listing(b, &guest);
	disassemble(&host, HOST_OBJDUMP, "i386:x86-64 -M intel", b->host, b->host_len, b->exec);
	for (size_t n = 0; n < host.nr; n++) {
		u64 off = host.lines[n].at - b->exec;
		bool first = true;

		if (off >= b->body_len && !cold) {
			fprintf(f, "  cold code\n");
			cold = true;
		}
		/* Instructions that became nothing stand alone. */
		for (; i < p->nr && p->insn[i].host <= off; i++) {
			gva_t pc = (b->pc & DTV_PAGE_MASK) + p->insn[i].guest;
			bool last = i + 1 == p->nr || p->insn[i + 1].host > off;

			fprintf(f, "  %12llx  %-*s", (unsigned long long)pc, TEXT_WIDTH,
				text_at(&guest, pc));
			if (!last)
				fprintf(f, "\n");
			else
				first = false;
		}
		if (first)
			fprintf(f, "  %12s  %-*s", "", TEXT_WIDTH, "");
		fprintf(f, " +%-5llu ", (unsigned long long)off);
		print_host(f, u, b, host.lines[n].text);
	}
	fprintf(f, "\n");
	free(guest.lines);
	free(host.lines);
}

int dump_ops(const struct uhost *u, const char *path)
{
	const struct dtv_dbt *d = &u->vm.dbt;
	u64 count[DTV_NR_OPS] = { 0 };
	struct dtv_block_info b;
	struct dtv_insn insn;
	FILE *f = fopen(path, "w");

	if (!f) {
		fprintf(stderr, "uhost: %s: %s\n", path, strerror(errno));
		return -1;
	}
	for (u32 i = 0; i < d->max_blocks; i++) {
		if (!dtv_dbt_info(d, i, &b))
			continue;
		for (unsigned int k = 0; k < b.profile->nr; k++) {
			dtv_decode(b.profile->insn[k].raw, u->vm.isa, &insn);
			count[insn.op] += b.profile->count;
		}
	}
	for (unsigned int op = 0; op < DTV_NR_OPS; op++) {
		if (op != DTV_OP_ILLEGAL && count[op])
			fprintf(f, "%llu %s\n", (unsigned long long)count[op], dtv_op_name(op));
	}
	return fclose(f);
}

int dump_blocks(const struct uhost *u, const char *path, unsigned long top)
{
	const struct dtv_dbt *d = &u->vm.dbt;
	struct dtv_block_info *blocks;
	FILE *f = path ? fopen(path, "w") : stderr;
	u64 all = 0, executed = 0;
	size_t nr = 0;

	blocks = calloc(d->max_blocks, sizeof(*blocks));
	if (!f || !blocks) {
		fprintf(stderr, "uhost: %s: %s\n", path ? path : "blocks", strerror(errno));
		free(blocks);
		return -1;
	}
	for (u32 i = 0; i < d->max_blocks; i++) {
		if (dtv_dbt_info(d, i, &blocks[nr])) {
			all += weight(&blocks[nr]);
			executed += blocks[nr].profile->count;
			nr++;
		}
	}
	qsort(blocks, nr, sizeof(*blocks), heavier);
	fprintf(f, "%zu blocks, executed %llu times, %llu guest instructions at most\n", nr,
		(unsigned long long)executed, (unsigned long long)all);
	if (d->stat_evictions || d->stat_flushes)
		fprintf(f, "parts of the cache are gone, and their counts: give more --cache\n");
	fprintf(f, "\n");
	for (size_t i = 0; i < nr && i < top && blocks[i].profile->count; i++)
		print_block(f, u, &blocks[i], all);
	free(blocks);
	if (path)
		return fclose(f);
	return 0;
}
