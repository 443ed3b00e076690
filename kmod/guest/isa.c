// SPDX-License-Identifier: GPL-2.0-only
/*
 * isa.c - the table of extensions: their names, in the order in which a string
 * has them (unprivileged manual chapter 36), and what each one brings along.
 * The string comes from users: nothing about it is taken for granted. No lock.
 */
#include "isa.h"
#include "decode.h"

/**
 * struct ext - an extension
 * @name: lower case; one letter, or more
 * @bit: DTV_ISA_*
 * @implies: bits that it has as well, all of them
 */
struct ext {
	const char *name;
	u64 bit;
	u64 implies;
};

#define GENERAL                                                                      \
	(DTV_ISA_I | DTV_ISA_M | DTV_ISA_A | DTV_ISA_F | DTV_ISA_D | DTV_ISA_ZICSR | \
	 DTV_ISA_ZIFENCEI | DTV_ISA_ZICNTR | DTV_ISA_ZIHPM)
#define FLOAT (DTV_ISA_F | DTV_ISA_ZICSR)

/* clang-format off */
static const struct ext exts[] = {
	/* M-, S- and U-mode are there in any case, and so are their CSRs. */
	{ "i", DTV_ISA_I, DTV_ISA_ZICSR },
	{ "m", DTV_ISA_M, 0 },
	{ "a", DTV_ISA_A, 0 },
	{ "f", DTV_ISA_F, DTV_ISA_ZICSR },
	{ "d", DTV_ISA_D, FLOAT },
	{ "c", DTV_ISA_C, 0 },
	{ "zic64b", DTV_ISA_ZIC64B, 0 },
	{ "zicbom", DTV_ISA_ZICBOM, 0 },
	{ "zicbop", DTV_ISA_ZICBOP, 0 },
	{ "zicboz", DTV_ISA_ZICBOZ, 0 },
	{ "ziccamoa", DTV_ISA_ZICCAMOA, 0 },
	{ "ziccif", DTV_ISA_ZICCIF, 0 },
	{ "zicclsm", DTV_ISA_ZICCLSM, 0 },
	{ "ziccrse", DTV_ISA_ZICCRSE, 0 },
	{ "zicntr", DTV_ISA_ZICNTR, DTV_ISA_ZICSR },
	{ "zicond", DTV_ISA_ZICOND, 0 },
	{ "zicsr", DTV_ISA_ZICSR, 0 },
	{ "zifencei", DTV_ISA_ZIFENCEI, 0 },
	{ "zihintpause", DTV_ISA_ZIHINTPAUSE, 0 },
	{ "zihpm", DTV_ISA_ZIHPM, DTV_ISA_ZICSR },
	{ "za64rs", DTV_ISA_ZA64RS, 0 },
	{ "zawrs", DTV_ISA_ZAWRS, 0 },
	{ "zfh", DTV_ISA_ZFH, FLOAT | DTV_ISA_ZFHMIN },
	{ "zfhmin", DTV_ISA_ZFHMIN, FLOAT },
	{ "zba", DTV_ISA_ZBA, 0 },
	{ "zbb", DTV_ISA_ZBB, 0 },
	{ "zbc", DTV_ISA_ZBC, 0 },
	{ "zbkb", DTV_ISA_ZBKB, 0 },
	{ "zbs", DTV_ISA_ZBS, 0 },
	{ "zkt", DTV_ISA_ZKT, 0 },
	{ "smstateen", DTV_ISA_SMSTATEEN, 0 },
	{ "ssccptr", DTV_ISA_SSCCPTR, 0 },
	{ "sscounterenw", DTV_ISA_SSCOUNTERENW, 0 },
	{ "sstc", DTV_ISA_SSTC, 0 },
	{ "sstvala", DTV_ISA_SSTVALA, 0 },
	{ "svade", DTV_ISA_SVADE, 0 },
	{ "svadu", DTV_ISA_SVADU, 0 },
	{ "svinval", DTV_ISA_SVINVAL, 0 },
	{ "svnapot", DTV_ISA_SVNAPOT, 0 },
	{ "svpbmt", DTV_ISA_SVPBMT, 0 },
};
/* clang-format on */

/* What cannot be left out: jumps to odd words trap without C, and nothing here does that. */
#define BASE (DTV_ISA_I | DTV_ISA_C)

static const struct ext *find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(exts); i++)
		if (strlen(exts[i].name) == len && !memcmp(exts[i].name, name, len))
			return &exts[i];
	return NULL;
}

/* Length of the name at @s: up to the next underscore or the end. */
static size_t word_len(const char *s)
{
	size_t n = 0;

	while (s[n] && s[n] != '_')
		n++;
	return n;
}

static int unknown(const char *at, size_t len, char *err, size_t n)
{
	/* What is not printable does not get into a message, nor what is without end. */
	size_t i;

	for (i = 0; i < len; i++)
		if (i == 32 || at[i] < '!' || at[i] > '~')
			len = i;
	snprintf(err, n, "there is no extension \"%.*s\" here", (int)len, at);
	return -1;
}

/**
 * dtv_isa_parse() - what a string as "rv64imafdc_zicsr_zba" switches on
 * @s: rv64, then single letters (g: imafd_zicsr_zifencei_zicntr_zihpm; b:
 *     zba_zbb_zbs) in any order, then names of more letters, each behind an
 *     underscore; all in lower case, without versions
 * @isa: result: DTV_ISA_* of what is named, and what that implies
 * @err: what is wrong with it, in words that continue "isa: "
 * @n: room there
 *
 * Return: 0, or -1 with @err written.
 * Context: any. Unprivileged manual chapter 36.
 */
int dtv_isa_parse(const char *s, u64 *isa, char *err, size_t n)
{
	const struct ext *e;
	u64 bits = 0;
	size_t len;

	if (strncmp(s, "rv64", 4)) {
		snprintf(err, n, "expected a string that begins with rv64, as \"rv64gc_zba\"");
		return -1;
	}
	for (s += 4; *s && *s != '_'; s++) {
		if (*s == 'g') {
			bits |= GENERAL;
		} else if (*s == 'b') {
			bits |= DTV_ISA_ZBA | DTV_ISA_ZBB | DTV_ISA_ZBS;
		} else {
			e = find(s, 1);
			if (!e)
				return unknown(s, word_len(s), err, n);
			bits |= e->bit | e->implies;
		}
	}
	while (*s) {
		len = word_len(++s);
		e = find(s, len);
		if (!e || len < 2)
			return unknown(s, len, err, n);
		bits |= e->bit | e->implies;
		s += len;
	}
	if ((bits & BASE) != BASE) {
		snprintf(err, n,
			 "expected i (or g) and c among the letters: they are always there");
		return -1;
	}
	*isa = bits;
	return 0;
}

/**
 * dtv_isa_all() - what a VM offers that is told nothing
 *
 * Return: all extensions but two. Svade with Svadu asks for page faults in place
 * of A and D bits until somebody sets menvcfg.ADUE; with Smstateen senvcfg traps
 * until somebody sets mstateen0.
 */
u64 dtv_isa_all(void)
{
	u64 bits = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(exts); i++)
		bits |= exts[i].bit;
	return bits & ~(DTV_ISA_SVADE | DTV_ISA_SMSTATEEN);
}

/**
 * dtv_isa_names() - the names of a set of extensions, single letters first
 * @isa: DTV_ISA_*
 * @names: result
 * @max: room there; DTV_ISA_NAMES is enough
 *
 * Return: how many there are.
 * Context: any.
 */
unsigned int dtv_isa_names(u64 isa, const char **names, unsigned int max)
{
	unsigned int used = 0;
	size_t i;

	BUILD_BUG_ON(ARRAY_SIZE(exts) >= DTV_ISA_NAMES);
	for (i = 0; i < ARRAY_SIZE(exts) && used < max; i++)
		if (isa & exts[i].bit)
			names[used++] = exts[i].name;
	return used;
}

/**
 * dtv_isa_string() - the string that dtv_isa_parse() would make @isa of
 * @isa: DTV_ISA_*
 * @buf: result, with its NUL
 * @n: room there; DTV_ISA_STRING is enough
 *
 * Return: its length.
 * Context: any.
 */
size_t dtv_isa_string(u64 isa, char *buf, size_t n)
{
	const char *names[DTV_ISA_NAMES];
	unsigned int i, nr = dtv_isa_names(isa, names, DTV_ISA_NAMES);
	size_t used = snprintf(buf, n, "rv64");

	for (i = 0; i < nr && used < n; i++)
		used += snprintf(buf + used, n - used, "%s%s", names[i][1] ? "_" : "", names[i]);
	return used;
}
