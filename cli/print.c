// SPDX-License-Identifier: GPL-2.0-or-later
/* How data is printed. */
#include "vmctl.h"

#include <stdio.h>

/** print_json - @data, which stays the caller's, and a newline */
void print_json(json_t *data)
{
	json_dumpf(data, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
	putchar('\n');
}

/** print_clean - text that a guest may have made, without control characters */
void print_clean(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

/** json_text - the string @key of @object, or an empty one */
const char *json_text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}
