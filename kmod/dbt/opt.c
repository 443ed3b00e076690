// SPDX-License-Identifier: GPL-2.0-only
/* opt.c - names of the optimizations. */
#include "opt.h"

static const struct {
	const char *name, *text;
} opts[] = {
#define OPT(id, name, text) { name, text },
	DTV_OPTS(OPT)
#undef OPT
};

const char *dtv_opt_name(unsigned int opt)
{
	return opt < DTV_NR_OPTS ? opts[opt].name : NULL;
}

const char *dtv_opt_text(unsigned int opt)
{
	return opt < DTV_NR_OPTS ? opts[opt].text : NULL;
}

bool dtv_opts_parse(const char *list, u64 *mask)
{
	unsigned int i;
	size_t n;

	BUILD_BUG_ON(DTV_NR_OPTS > 64);
	*mask = 0;
	for (; *list; list += n + (list[n] == ',')) {
		for (n = 0; list[n] && list[n] != ','; n++)
			;
		if (n == 3 && !strncmp(list, "all", n)) {
			*mask = ~0ULL;
			continue;
		}
		for (i = 0; i < DTV_NR_OPTS; i++)
			if (strlen(opts[i].name) == n && !strncmp(list, opts[i].name, n))
				break;
		if (i == DTV_NR_OPTS)
			return false;
		*mask |= 1ULL << i;
	}
	return true;
}
