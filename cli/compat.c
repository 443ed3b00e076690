// SPDX-License-Identifier: GPL-2.0-or-later
/* The compat verb: the conditions of the scoreboard, as they stand on this host. */
#include "compat.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS 78

enum here {
	HERE_HELD,
	HERE_PART,
	HERE_UNKNOWN,
	HERE_NOT_HELD,
};

static const char *const here_words[] = { "held", "held in part", "not known", "not held" };
static const char *const hold_words[] = { "host", "check", "part" };
static const char *const verdict_words[] = { "ok", "note", "unknown", "missing" };

/* How @c stands; @because: the fact that decides, or NR_FACTS. */
static enum here stands(const struct condition *c, const struct found *found, enum fact *because)
{
	enum here here = c->hold == HOLD_PART ? HERE_PART : HERE_HELD;

	*because = NR_FACTS;
	for (int i = 0; i < NR_FACTS; i++) {
		enum here h = found[i].mark == VERDICT_MISSING ? HERE_NOT_HELD :
			      found[i].mark == VERDICT_UNKNOWN ? HERE_UNKNOWN :
								 HERE_HELD;

		if (!(c->needs >> i & 1) || h <= here)
			continue;
		here = h;
		*because = i;
	}
	return here;
}

/* Words of @text in lines of @columns that begin with @indent; the first line has them already. */
static void wrap(const char *indent, unsigned int columns, const char *text)
{
	unsigned int at = strlen(indent);

	while (*text) {
		unsigned int len = strcspn(text, " ");

		if (at > strlen(indent) && at + 1 + len > columns) {
			printf("\n%s", indent);
			at = strlen(indent);
		} else if (at > strlen(indent)) {
			putchar(' ');
			at++;
		}
		printf("%.*s", (int)len, text);
		at += len;
		text += len + strspn(text + len, " ");
	}
	putchar('\n');
}

/* Strings up to a NULL or @max, with @between. */
static const char *join(const char *const *part, int max, const char *between)
{
	static char text[1024];

	*text = 0;
	for (int i = 0; i < max && part[i]; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? between : "",
			 part[i]);
	return text;
}

static const char *prose(const char *const *lines)
{
	return join(lines, LINES_MAX, " ");
}

static const char *tests(const struct condition *c)
{
	return join(c->shown, SHOWN_MAX, ", ");
}

/* A paragraph, @columns wide, behind @indent on each line and @label on the first. */
static void paragraph(const char *indent, unsigned int columns, const char *label, const char *text)
{
	char all[1200];

	snprintf(all, sizeof(all), "%s%s", label, text);
	printf("%s", indent);
	wrap(indent, columns, all);
}

static void print_facts(const struct found *found)
{
	printf("HOST\n");
	for (int i = 0; i < NR_FACTS; i++) {
		printf("  %-14s%-8s", fact_name(i), verdict_words[found[i].mark]);
		wrap("                        ", COLUMNS, found[i].text);
	}
}

static void print_condition(const struct condition *c, const struct found *found)
{
	const char *how = c->hold == HOLD_HOST ? " by the host" : " by checks";
	enum fact because;
	enum here here = stands(c, found, &because);

	printf("\n%s: %s%s\n", c->name, here_words[here], here == HERE_HELD ? how : "");
	if (because != NR_FACTS) {
		printf("    %s: ", fact_name(because));
		wrap("    ", COLUMNS - strlen(fact_name(because)) - 2, found[because].text);
	}
	paragraph("    ", COLUMNS, "", prose(c->by));
	if (c->not_held[0])
		paragraph("    ", COLUMNS, "Not: ", prose(c->not_held));
	paragraph("    ", COLUMNS, "Cost: ", prose(c->cost));
	paragraph("    ", COLUMNS, "Tests: ", tests(c));
}

static json_t *condition_json(const struct condition *c, const struct found *found)
{
	enum fact because;
	enum here here = stands(c, found, &because);
	json_t *row = json_pack("{s:s,s:s,s:s}", "name", c->name, "hold", hold_words[c->hold],
				"here", here_words[here]);
	json_t *shown = json_array();

	for (int i = 0; i < SHOWN_MAX && c->shown[i]; i++)
		json_array_append_new(shown, json_string(c->shown[i]));
	json_object_set_new(row, "by", json_string(prose(c->by)));
	json_object_set_new(row, "cost", json_string(prose(c->cost)));
	json_object_set_new(row, "tests", shown);
	if (c->not_held[0])
		json_object_set_new(row, "not_held", json_string(prose(c->not_held)));
	if (because != NR_FACTS)
		json_object_set_new(row, "because", json_string(fact_name(because)));
	return row;
}

static void print_all_json(const struct found *found, bool held)
{
	json_t *host = json_object(), *rows = json_array(), *all;

	for (int i = 0; i < NR_FACTS; i++)
		json_object_set_new(host, fact_name(i),
				    json_pack("{s:s,s:s}", "verdict", verdict_words[found[i].mark],
					      "found", found[i].text));
	for (const struct condition *c = conditions; c->name; c++)
		json_array_append_new(rows, condition_json(c, found));
	all = json_pack("{s:o,s:o,s:b}", "host", host, "conditions", rows, "held", held);
	print_json(all);
	json_decref(all);
}

static void print_cell(const char *text)
{
	printf("     - ");
	wrap("       ", 100, text);
}

/* The table as Documentation/compatibility.rst has it. */
static void print_table(void)
{
	printf(".. list-table::\n   :header-rows: 1\n   :widths: 18 8 40 18 16\n\n"
	       "   * - Condition\n     - State\n     - By what\n     - Cost\n     - Tests\n");
	for (const struct condition *c = conditions; c->name; c++) {
		printf("   * - %s\n     - %s\n", c->name, hold_words[c->hold]);
		print_cell(prose(c->by));
		if (c->not_held[0]) {
			putchar('\n');
			paragraph("       ", 100, "Not: ", prose(c->not_held));
		}
		print_cell(prose(c->cost));
		print_cell(tests(c));
	}
}

/** verb_compat - the conditions of the scoreboard, as they stand on this host */
int verb_compat(const struct vmctl *v, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "sysroot", required_argument, NULL, 'r' },
		{ "table", no_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned int n = 0, held = 0;
	struct found found[NR_FACTS];
	const char *sysroot = NULL;
	enum fact because;
	bool table = false;
	int o;

	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (o == 'r')
			sysroot = optarg;
		else if (o == 't')
			table = true;
		else
			return usage_of("compat");
	}
	if (optind != argc)
		return usage_of("compat");
	if (table) {
		print_table();
		return VMCTL_OK;
	}
	find_facts(v, sysroot, found);
	for (const struct condition *c = conditions; c->name; c++, n++)
		held += stands(c, found, &because) == HERE_HELD;
	if (v->json) {
		print_all_json(found, held == n);
	} else {
		print_facts(found);
		for (const struct condition *c = conditions; c->name; c++)
			print_condition(c, found);
		printf("\n%u of %u conditions are held here\n", held, n);
	}
	return held == n ? VMCTL_OK : VMCTL_NOT_HELD;
}
