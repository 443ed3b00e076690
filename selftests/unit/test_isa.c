// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_isa.c - strings that name extensions.
 */
#include <string.h>
#include "unit.h"
#include "guest/isa.h"

#define GC                                                                                       \
	(DTV_ISA_I | DTV_ISA_M | DTV_ISA_A | DTV_ISA_F | DTV_ISA_D | DTV_ISA_C | DTV_ISA_ZICSR | \
	 DTV_ISA_ZIFENCEI | DTV_ISA_ZICNTR | DTV_ISA_ZIHPM)

void test_isa_parse(void)
{
	static const struct {
		const char *s;
		u64 isa;
	} good[] = {
		{ "rv64gc", GC },
		{ "rv64ic", DTV_ISA_I | DTV_ISA_C | DTV_ISA_ZICSR },
		{ "rv64ci", DTV_ISA_I | DTV_ISA_C | DTV_ISA_ZICSR },
		{ "rv64imac_zba",
		  DTV_ISA_I | DTV_ISA_M | DTV_ISA_A | DTV_ISA_C | DTV_ISA_ZICSR | DTV_ISA_ZBA },
		{ "rv64idc", DTV_ISA_I | DTV_ISA_F | DTV_ISA_D | DTV_ISA_C | DTV_ISA_ZICSR },
		{ "rv64gcb", GC | DTV_ISA_ZBA | DTV_ISA_ZBB | DTV_ISA_ZBS },
		{ "rv64gc_sstc_zbb_zbb", GC | DTV_ISA_SSTC | DTV_ISA_ZBB },
	};
	/* And a word of what is said about it. */
	static const struct {
		const char *s, *why;
	} bad[] = {
		{ "", "begins with rv64" },
		{ "rv32gc", "begins with rv64" },
		{ "RV64GC", "begins with rv64" },
		{ " rv64gc", "begins with rv64" },
		{ "rv64", "i (or g) and c" },
		{ "rv64g", "i (or g) and c" },
		{ "rv64mac", "i (or g) and c" },
		{ "rv64gcv", "\"v\"" },
		{ "rv64gch", "\"h\"" },
		{ "rv64gc_", "\"\"" },
		{ "rv64gc__zba", "\"\"" },
		{ "rv64gc_zba_", "\"\"" },
		{ "rv64gc_ZBA", "\"ZBA\"" },
		{ "rv64gc_zb", "\"zb\"" },
		{ "rv64gc_zbaa", "\"zbaa\"" },
		{ "rv64gc_m", "\"m\"" },
		{ "rv64gc_zba1p0", "\"zba1p0\"" },
		{ "rv64gczba", "\"zba\"" },
		{ "rv64gc_zve64x", "\"zve64x\"" },
		{ "rv64gc_\x1b[2J", "\"\"" },
		{ "rv64gc_xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "\"xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"" },
	};
	char why[128], tiny[8];
	unsigned int i;
	u64 isa;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		isa = 0;
		why[0] = 0;
		CHECK_EQ(dtv_isa_parse(good[i].s, &isa, why, sizeof(why)), 0);
		CHECK_EQ(isa, good[i].isa);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		isa = 42;
		why[0] = 0;
		CHECK(dtv_isa_parse(bad[i].s, &isa, why, sizeof(why)) < 0);
		CHECK_EQ(isa, 42);
		if (!strstr(why, bad[i].why))
			printf("# %s: %s\n", bad[i].s, why);
		CHECK(strstr(why, bad[i].why));
		CHECK(dtv_isa_parse(bad[i].s, &isa, tiny, sizeof(tiny)) < 0);
		CHECK(strlen(tiny) < sizeof(tiny));
	}
}

void test_isa_string(void)
{
	const char *names[DTV_ISA_NAMES];
	char s[DTV_ISA_STRING], why[128], tiny[10];
	u64 all = dtv_isa_all(), isa = 0, bits;
	unsigned int i, n;

	n = dtv_isa_names(all, names, DTV_ISA_NAMES);
	CHECK_EQ(n, __builtin_popcountll(all));
	CHECK(!strcmp(names[0], "i"));
	CHECK_EQ(dtv_isa_names(all, names, 3), 3);
	CHECK(dtv_isa_string(all, s, sizeof(s)) < sizeof(s) - 100);
	CHECK_EQ(dtv_isa_parse(s, &isa, why, sizeof(why)), 0);
	CHECK_EQ(isa, all);
	CHECK_EQ(dtv_isa_parse("rv64gc_zba_zbb", &isa, why, sizeof(why)), 0);
	dtv_isa_string(isa, s, sizeof(s));
	CHECK(!strcmp(s, "rv64imafdc_zicntr_zicsr_zifencei_zihpm_zba_zbb"));
	/* Whatever is left out, with what needs it, the rest is the same again. */
	for (i = 0; i < 64; i++) {
		bits = all & ~(1ULL << i);
		dtv_isa_string(bits, s, sizeof(s));
		if (dtv_isa_parse(s, &isa, why, sizeof(why)))
			CHECK((1ULL << i) & (DTV_ISA_I | DTV_ISA_C));
		else
			CHECK_EQ(isa & bits, bits);
	}
	dtv_isa_string(all, tiny, sizeof(tiny));
	CHECK_EQ(strlen(tiny), sizeof(tiny) - 1);
}
