// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_decode.c - the decoder against an independent one, binutils' objdump.
 *
 * Words are written to a file, disassembled, and compared as text with what
 * decode.c makes of them. objdump's names of compressed instructions are
 * expanded by a table here. Where objdump is known to differ from the manual
 * the manual's answer is written down (manual_says()).
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "unit.h"

#define NR_RANDOM 500000
#define NR_FROM_ROWS 500000
#define OBJDUMP_ARCH "rv64gc_zba_zbb_zbc_zbs_zbkb_zawrs_svinval_zfh_zicbom_zicboz"

static const struct {
	u32 match, mask;
} rows[] = {
#define INSN(id, name, fmt, match, mask, isa) { match, mask },
#include "guest/insns.h"
#undef INSN
};

/* --- dtv's side: text of a decoded instruction in objdump's style --- */

/* The dynamic mode is not printed. */
static const char *const rm_names[8] = { ",rne", ",rtz", ",rdn", ",rup", ",rmm", ",?", ",?", "" };

/* Which operands of an FP instruction are integer registers: bit 0 rd, bit 1 rs1. */
static unsigned int fp_ints(const char *name)
{
	if (!strncmp(name, "fmv.x", 5) || !strncmp(name, "fclass", 6) || !strncmp(name, "fle", 3) ||
	    !strncmp(name, "flt", 3) || !strncmp(name, "feq", 3) || !strncmp(name, "fcvt.w", 6) ||
	    !strncmp(name, "fcvt.l", 6))
		return 1;
	if (!strncmp(name, "fmv.w.x", 7) || !strncmp(name, "fmv.d.x", 7) ||
	    !strncmp(name, "fcvt.s.w", 8) || !strncmp(name, "fcvt.s.l", 8) ||
	    !strncmp(name, "fcvt.d.w", 8) || !strncmp(name, "fcvt.d.l", 8) ||
	    !strncmp(name, "fmv.h.x", 7) || !strncmp(name, "fcvt.h.w", 8) ||
	    !strncmp(name, "fcvt.h.l", 8))
		return 2;
	return 0;
}

static bool one_source(const struct dtv_insn *i)
{
	const char *name = dtv_op_name(i->op);

	if (i->fmt == DTV_FMT_R && (rows[i->op - 1].mask & 0x01f00000) == 0x01f00000)
		return true;
	return !strncmp(name, "fmv.", 4) || !strncmp(name, "fclass", 6) ||
	       !strncmp(name, "fcvt", 4) || !strncmp(name, "fsqrt", 5);
}

/* Integer to double and single to double are exact: objdump prints no rounding mode. */
static bool exact(u16 op)
{
	return op == DTV_OP_FCVT_S_H || op == DTV_OP_FCVT_D_H || op == DTV_OP_FCVT_D_W ||
	       op == DTV_OP_FCVT_D_WU || op == DTV_OP_FCVT_D_S;
}

static void disassemble(const struct dtv_insn *i, u64 pc, char *out, size_t n)
{
	const char *name = dtv_op_name(i->op);
	bool fp = name[0] == 'f' && i->fmt != DTV_FMT_FENCE;
	bool fp_mem = i->op == DTV_OP_FLH || i->op == DTV_OP_FSH || i->op == DTV_OP_FLW ||
		      i->op == DTV_OP_FLD || i->op == DTV_OP_FSW || i->op == DTV_OP_FSD;
	unsigned int ints = fp_ints(name);
	char rd = fp && !(ints & 1) ? 'f' : 'x';
	char rs1 = fp && !(ints & 2) ? 'f' : 'x';
	char rs2 = fp ? 'f' : 'x';
	static const char *const aqrl[4] = { "", ".rl", ".aq", ".aqrl" };
	int len;

	if (i->op == DTV_OP_ILLEGAL) {
		snprintf(out, n, "illegal");
		return;
	}
	len = snprintf(out, n, "%s", name);
	out += len;
	n -= len;
	switch (i->fmt) {
	case DTV_FMT_NONE:
	case DTV_FMT_FENCE:
		break;
	case DTV_FMT_CBO:
		snprintf(out, n, " (x%d)", i->rs1);
		break;
	case DTV_FMT_R:
		if (i->op == DTV_OP_SFENCE_VMA || i->op == DTV_OP_SINVAL_VMA)
			snprintf(out, n, " x%d,x%d", i->rs1, i->rs2);
		else if (one_source(i))
			snprintf(out, n, " %c%d,%c%d", rd, i->rd, rs1, i->rs1);
		else
			snprintf(out, n, " %c%d,%c%d,%c%d", rd, i->rd, rs1, i->rs1, rs2, i->rs2);
		break;
	case DTV_FMT_I:
		if (i->op == DTV_OP_JALR || fp_mem || (name[0] == 'l'))
			snprintf(out, n, " %c%d,%d(x%d)", rd, i->rd, i->imm, i->rs1);
		else
			snprintf(out, n, " x%d,x%d,%d", i->rd, i->rs1, i->imm);
		break;
	case DTV_FMT_SH:
	case DTV_FMT_SHW:
		snprintf(out, n, " x%d,x%d,0x%x", i->rd, i->rs1, (u32)i->imm);
		break;
	case DTV_FMT_S:
		snprintf(out, n, " %c%d,%d(x%d)", rs2, i->rs2, i->imm, i->rs1);
		break;
	case DTV_FMT_B:
		snprintf(out, n, " x%d,x%d,0x%llx", i->rs1, i->rs2,
			 (unsigned long long)(pc + i->imm));
		break;
	case DTV_FMT_U:
		snprintf(out, n, " x%d,0x%x", i->rd, (u32)i->imm >> 12);
		break;
	case DTV_FMT_J:
		snprintf(out, n, " x%d,0x%llx", i->rd, (unsigned long long)(pc + i->imm));
		break;
	case DTV_FMT_CSR:
		snprintf(out, n, " x%d,0x%x,x%d", i->rd, (u32)i->imm, i->rs1);
		break;
	case DTV_FMT_CSRI:
		snprintf(out, n, " x%d,0x%x,%d", i->rd, (u32)i->imm, i->rs1);
		break;
	case DTV_FMT_AMO:
		if (i->op == DTV_OP_LR_W || i->op == DTV_OP_LR_D)
			snprintf(out, n, "%s x%d,(x%d)", aqrl[i->rm & 3], i->rd, i->rs1);
		else
			snprintf(out, n, "%s x%d,x%d,(x%d)", aqrl[i->rm & 3], i->rd, i->rs2,
				 i->rs1);
		break;
	case DTV_FMT_R4:
		snprintf(out, n, " f%d,f%d,f%d,f%d%s", i->rd, i->rs1, i->rs2, i->rs3,
			 rm_names[i->rm & 7]);
		break;
	case DTV_FMT_FP:
		if (exact(i->op))
			snprintf(out, n, " %c%d,%c%d", rd, i->rd, rs1, i->rs1);
		else if (one_source(i))
			snprintf(out, n, " %c%d,%c%d%s", rd, i->rd, rs1, i->rs1,
				 rm_names[i->rm & 7]);
		else
			snprintf(out, n, " f%d,f%d,f%d%s", i->rd, i->rs1, i->rs2,
				 rm_names[i->rm & 7]);
		break;
	}
}

/* --- objdump's side --- */

/* Compressed names and what they stand for; $1 to $3 are operands. */
static const struct {
	const char *name, *expansion;
} compressed[] = {
	{ "c.addi4spn", "addi $1,$2,$3" },
	{ "c.fld", "fld $1,$2" },
	{ "c.lw", "lw $1,$2" },
	{ "c.ld", "ld $1,$2" },
	{ "c.fsd", "fsd $1,$2" },
	{ "c.sw", "sw $1,$2" },
	{ "c.sd", "sd $1,$2" },
	{ "c.nop", "addi x0,x0,0" },
	{ "c.addi", "addi $1,$1,$2" },
	{ "c.addiw", "addiw $1,$1,$2" },
	{ "c.li", "addi $1,x0,$2" },
	{ "c.addi16sp", "addi $1,$1,$2" },
	{ "c.lui", "lui $1,$2" },
	{ "c.srli", "srli $1,$1,$2" },
	{ "c.srai", "srai $1,$1,$2" },
	{ "c.slli", "slli $1,$1,$2" },
	{ "c.srli64", "srli $1,$1,0x0" },
	{ "c.srai64", "srai $1,$1,0x0" },
	{ "c.slli64", "slli $1,$1,0x0" },
	{ "c.andi", "andi $1,$1,$2" },
	{ "c.sub", "sub $1,$1,$2" },
	{ "c.xor", "xor $1,$1,$2" },
	{ "c.or", "or $1,$1,$2" },
	{ "c.and", "and $1,$1,$2" },
	{ "c.subw", "subw $1,$1,$2" },
	{ "c.addw", "addw $1,$1,$2" },
	{ "c.j", "jal x0,$1" },
	{ "c.beqz", "beq $1,x0,$2" },
	{ "c.bnez", "bne $1,x0,$2" },
	{ "c.fldsp", "fld $1,$2" },
	{ "c.lwsp", "lw $1,$2" },
	{ "c.ldsp", "ld $1,$2" },
	{ "c.jr", "jalr x0,0($1)" },
	{ "c.mv", "add $1,x0,$2" },
	{ "c.ebreak", "ebreak" },
	{ "c.jalr", "jalr x1,0($1)" },
	{ "c.add", "add $1,$1,$2" },
	{ "c.fsdsp", "fsd $1,$2" },
	{ "c.swsp", "sw $1,$2" },
	{ "c.sdsp", "sd $1,$2" },
};

static void expand(const char *pattern, char *operands, char *out)
{
	const char *arg[3] = { "", "", "" };
	unsigned int i = 0;
	char *p;

	for (p = strtok(operands, ","); p && i < 3; p = strtok(NULL, ","))
		arg[i++] = p;
	for (; *pattern; pattern++) {
		if (*pattern == '$')
			out += sprintf(out, "%s", arg[*++pattern - '1']);
		else
			*out++ = *pattern;
	}
	*out = 0;
}

/* Mnemonics that decode.c has rows of; everything else that objdump knows is illegal here. */
static bool known(const char *name)
{
	size_t n = strlen(name);
	char base[128];
	u16 op;

	snprintf(base, sizeof(base), "%s", name);
	if (!strncmp(name, "amo", 3) || !strncmp(name, "lr.", 3) || !strncmp(name, "sc.", 3)) {
		if (n > 5 && !strcmp(base + n - 5, ".aqrl"))
			base[n - 5] = 0;
		else if (!strcmp(base + n - 3, ".aq") || !strcmp(base + n - 3, ".rl"))
			base[n - 3] = 0;
	}
	for (op = 1; op < DTV_NR_OPS; op++)
		if (!strcmp(dtv_op_name(op), base))
			return true;
	return false;
}

/* objdump's line, with compressed forms expanded, as disassemble() would print it. */
static void normalise(char *name, char *operands, char *out)
{
	unsigned int i;
	char *p;

	p = strstr(operands, " #");
	if (p)
		*p = 0;
	p = strstr(operands, " <");
	if (p)
		*p = 0;
	if (name[0] == '.' || !strcmp(name, "c.unimp") || strstr(operands, "unknown")) {
		strcpy(out, "illegal");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(compressed); i++) {
		if (!strcmp(name, compressed[i].name)) {
			expand(compressed[i].expansion, operands, out);
			return;
		}
	}
	if (!known(name))
		strcpy(out, "illegal");
	else if (operands[0])
		sprintf(out, "%s %s", name, operands);
	else
		strcpy(out, name);
}

/* What the manual says where objdump 2.40 says something else. NULL: nothing special. */
static const char *manual_says(u32 raw, const struct dtv_insn *insn)
{
	if ((raw & 0x707f) == 0x000f) /* fence: unused fields are ignored */
		return "fence";
	if ((raw & 0x707f) == 0x100f)
		return "fence.i";
	if ((raw & 0xffff) == 0x6101 && insn->len == 2) /* c.addi16sp with 0 is reserved */
		return "illegal";
	return NULL;
}

/* csr names for numbers: take objdump's number or name on trust when the rest agrees. */
static bool csr_line_agrees(const char *theirs, const char *ours)
{
	const char *t = strchr(theirs, ','), *o = strchr(ours, ',');

	if (strncmp(theirs, "csr", 3) || !t || !o || !isalpha((unsigned char)t[1]))
		return false;
	if (t - theirs != o - ours || strncmp(theirs, ours, t - theirs))
		return false;
	t = strchr(t + 1, ',');
	o = strchr(o + 1, ',');
	return t && o && !strcmp(t, o);
}

static void compare(u32 raw, u64 pc, char *name, char *operands)
{
	char theirs[256], ours[256];
	struct dtv_insn insn;
	const char *manual;

	dtv_decode(raw, dtv_isa_all(), &insn);
	if (insn.len == 2)
		CHECK_EQ(insn.raw, raw & 0xffff);
	else
		CHECK_EQ(insn.raw, raw);
	disassemble(&insn, pc, ours, sizeof(ours));
	normalise(name, operands, theirs);
	manual = manual_says(raw, &insn);
	if (manual)
		strcpy(theirs, manual);
	/* objdump knows the exact conversions with rounding mode 0 alone; 5 and 6 are reserved. */
	if (exact(insn.op) && insn.rm && !strcmp(theirs, "illegal"))
		return;
	/* It knows Zicond since 2.41. */
	if ((insn.op == DTV_OP_CZERO_EQZ || insn.op == DTV_OP_CZERO_NEZ) &&
	    !strcmp(theirs, "illegal"))
		return;
	if (!strcmp(theirs, ours) || csr_line_agrees(theirs, ours))
		return;
	printf("# %08x at 0x%llx: objdump '%s', dtv '%s'\n", raw, (unsigned long long)pc, theirs,
	       ours);
	CHECK(!"decoders differ");
}

static void against_objdump(const void *words, size_t size, unsigned int len)
{
	char path[] = "/tmp/dtv-unit-XXXXXX", cmd[768], line[512], name[128];
	const char *tools = getenv("CROSS_COMPILE");
	unsigned long long addr;
	unsigned int raw;
	size_t seen = 0, used;
	FILE *f;
	char *p;
	int fd, n;

	if (!tools)
		tools = "riscv64-linux-gnu-";
	snprintf(cmd, sizeof(cmd), "command -v %sobjdump >/dev/null && command -v %sas >/dev/null",
		 tools, tools);
	if (system(cmd)) {
		unit_skip("no RISC-V binutils");
		return;
	}
	fd = mkstemp(path);
	CHECK(fd >= 0);
	if (fd < 0)
		return;
	CHECK_EQ(write(fd, words, size), size);
	close(fd);
	/* Objdump takes extensions from an object file alone; symbols would make it data. */
	snprintf(cmd, sizeof(cmd),
		 "printf '.attribute arch, \"%s\"\n.incbin \"%s\"\n' | %sas -o %s.o && %sobjcopy -S %s.o && ",
		 OBJDUMP_ARCH, path, tools, path, tools, path);
	used = strlen(cmd);
	snprintf(cmd + used, sizeof(cmd) - used,
		 "%sobjdump -D -z -j .text -M no-aliases,numeric %s.o; rm -f %s.o", tools, path,
		 path);
	f = popen(cmd, "r");
	CHECK(f);
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, " %llx:\t%x %n", &addr, &raw, &n) != 2)
			continue;
		if (sscanf(line + n, "%127s", name) != 1)
			continue;
		p = line + n + strlen(name);
		while (isspace((unsigned char)*p))
			p++;
		CHECK_EQ(addr, seen * len);
		seen++;
		compare(raw, addr, name, p);
	}
	if (f)
		pclose(f);
	unlink(path);
	CHECK_EQ(seen, size / len);
}

void test_decode_compressed(void)
{
	static u16 words[65536];
	struct dtv_insn insn;
	size_t n = 0;
	u32 w;

	for (w = 0; w < 65536; w++) {
		if ((w & 3) == 3)
			continue;
		words[n++] = w;
		dtv_decode(w | 0xdead0000, dtv_isa_all(), &insn);
		CHECK_EQ(insn.len, 2);
		CHECK_EQ(insn.raw, w);
		dtv_decode(w, dtv_isa_all() & ~DTV_ISA_C, &insn);
		CHECK_EQ(insn.op, DTV_OP_ILLEGAL);
	}
	against_objdump(words, n * sizeof(words[0]), 2);
}

static u32 random32(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 16;
}

void test_decode_random(void)
{
	static u32 words[NR_RANDOM + NR_FROM_ROWS];
	u64 seed = 0x9e3779b97f4a7c15;
	struct dtv_insn insn;
	unsigned int row;
	size_t i;
	u32 w;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		w = random32(&seed);
		if (i >= NR_RANDOM) {
			row = random32(&seed) % ARRAY_SIZE(rows);
			w = (w & ~rows[row].mask) | rows[row].match;
			if (random32(&seed) % 4 == 0) /* a neighbour, most often undefined */
				w ^= 1U << (2 + random32(&seed) % 30);
		}
		w |= 3;
		if ((w & 0x1f) == 0x1f) { /* longer than 32 bits, should there ever be such */
			dtv_decode(w, dtv_isa_all(), &insn);
			CHECK_EQ(insn.op, DTV_OP_ILLEGAL);
			CHECK_EQ(insn.len, 4);
			w ^= 4;
		}
		words[i] = w;
	}
	against_objdump(words, sizeof(words), 4);
}

void test_decode_isa(void)
{
	static const struct {
		u32 raw;
		u64 isa;
	} needs[] = {
		{ 0x02c58533, DTV_ISA_M }, /* mul a0,a1,a2 */
		{ 0x1005252f, DTV_ISA_A }, /* lr.w a0,(a0) */
		{ 0x00052507, DTV_ISA_F }, /* flw fa0,0(a0) */
		{ 0x00053507, DTV_ISA_D }, /* fld fa0,0(a0) */
		{ 0x00002108, DTV_ISA_D }, /* c.fld fa0,0(a0) */
		{ 0x0000a108, DTV_ISA_D }, /* c.fsd fa0,0(a0) */
		{ 0x00002502, DTV_ISA_D }, /* c.fldsp fa0,0(sp) */
		{ 0x0000a02a, DTV_ISA_D }, /* c.fsdsp fa0,0(sp) */
		{ 0x30001073, DTV_ISA_ZICSR }, /* csrw mstatus,zero */
		{ 0x0000100f, DTV_ISA_ZIFENCEI },
		{ 0x00000001, DTV_ISA_C }, /* c.nop */
		{ 0x20c52533, DTV_ISA_ZBA }, /* sh1add a0,a0,a2 */
		{ 0x60051513, DTV_ISA_ZBB }, /* clz a0,a0 */
		{ 0x0ac51533, DTV_ISA_ZBC }, /* clmul a0,a0,a2 */
		{ 0x48c51533, DTV_ISA_ZBS }, /* bclr a0,a0,a2 */
		{ 0x68755513, DTV_ISA_ZBKB }, /* brev8 a0,a0 */
		{ 0x0ec55533, DTV_ISA_ZICOND }, /* czero.eqz a0,a0,a2 */
		{ 0x00d00073, DTV_ISA_ZAWRS },
		{ 0x04c50553, DTV_ISA_ZFH }, /* fadd.h fa0,fa0,fa2,rne */
		{ 0x00051507, DTV_ISA_ZFH | DTV_ISA_ZFHMIN }, /* flh fa0,0(a0) */
		{ 0x42250553, DTV_ISA_D }, /* fcvt.d.h fa0,fa0 */
		{ 0x0045200f, DTV_ISA_ZICBOZ }, /* cbo.zero (a0) */
		{ 0x0015200f, DTV_ISA_ZICBOM }, /* cbo.clean (a0) */
	};
	struct dtv_insn insn;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		dtv_decode(needs[i].raw, dtv_isa_all(), &insn);
		CHECK(insn.op != DTV_OP_ILLEGAL);
		dtv_decode(needs[i].raw, dtv_isa_all() & ~needs[i].isa, &insn);
		CHECK_EQ(insn.op, DTV_OP_ILLEGAL);
		CHECK_EQ(insn.rd | insn.rs1 | insn.rs2 | insn.imm, 0);
		CHECK_EQ(insn.raw, needs[i].raw);
	}
	/* Of several extensions that have an instruction one is enough. */
	dtv_decode(0x08054533, DTV_ISA_RV64GC | DTV_ISA_ZBB, &insn); /* pack a0,a0,zero */
	CHECK_EQ(insn.op, DTV_OP_ILLEGAL);
	dtv_decode(0x0805453b, DTV_ISA_RV64GC | DTV_ISA_ZBB, &insn); /* zext.h a0,a0 */
	CHECK_EQ(insn.op, DTV_OP_ZEXT_H);
	dtv_decode(0x0805453b, DTV_ISA_RV64GC | DTV_ISA_ZBKB, &insn);
	CHECK_EQ(insn.op, DTV_OP_ZEXT_H);
	dtv_decode(0x0805453b, DTV_ISA_RV64GC, &insn);
	CHECK_EQ(insn.op, DTV_OP_ILLEGAL);
	dtv_decode(0x60c51533, DTV_ISA_RV64GC | DTV_ISA_ZBKB, &insn); /* rol a0,a0,a2 */
	CHECK_EQ(insn.op, DTV_OP_ROL);
	dtv_decode(0x16000073, DTV_ISA_RV64GC, &insn);
	CHECK_EQ(insn.op, DTV_OP_ILLEGAL);
	dtv_decode(0x16000073, DTV_ISA_RV64GC | DTV_ISA_SVINVAL, &insn);
	CHECK_EQ(insn.op, DTV_OP_SINVAL_VMA);
	CHECK(!strcmp(dtv_op_name(insn.op), "sinval.vma"));
	CHECK(!strcmp(dtv_op_name(DTV_NR_OPS), "illegal"));
	CHECK(!strcmp(dtv_op_name(0xffff), "illegal"));
}
