// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that makes the kernel report trouble on purpose: the lab's own test that it notices. It
 * knows nothing of dtv. Its parameter @how says what happens at insmod.
 */
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/string.h>

static char *how = "none";
module_param(how, charp, 0444);
MODULE_PARM_DESC(how, "none, warn, oops or panic");

static int __init splat_init(void)
{
	pr_info("how=%s\n", how);
	if (!strcmp(how, "warn"))
		WARN(1, "on purpose");
	else if (!strcmp(how, "oops"))
		WRITE_ONCE(*(int *)8, 1);
	else if (!strcmp(how, "panic"))
		panic("on purpose");
	return 0;
}

static void __exit splat_exit(void)
{
	pr_info("gone\n");
}

module_init(splat_init);
module_exit(splat_exit);
MODULE_DESCRIPTION("Kernel reports on purpose");
MODULE_LICENSE("GPL");
