// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - init and exit of dtv.ko, in the order of dependency.
 */
#include <linux/cpufeature.h>
#include <linux/module.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>

#include "chardev.h"
#include "mmu/slots.h"
#include "netlink.h"
#include "vm.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* What translated code uses without asking again. */
static const struct {
	unsigned int feature;
	const char *name;
} needed[] = {
	{ X86_FEATURE_FSGSBASE, "FSGSBASE" },
	{ X86_FEATURE_AVX2, "AVX2" },
	{ X86_FEATURE_BMI1, "BMI1" },
	{ X86_FEATURE_BMI2, "BMI2" },
	{ X86_FEATURE_FMA, "FMA" },
	{ X86_FEATURE_ABM, "LZCNT" },
	{ X86_FEATURE_MOVBE, "MOVBE" },
	{ X86_FEATURE_POPCNT, "POPCNT" },
	{ X86_FEATURE_PCLMULQDQ, "PCLMULQDQ" },
};

static int __init check_host(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		if (!boot_cpu_has(needed[i].feature)) {
			pr_err("dtv: this processor (or its kernel's command line) lacks %s\n",
			       needed[i].name);
			return -ENODEV;
		}
	}
	if (!cpu_has_xfeatures(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM, NULL)) {
		pr_err("dtv: the kernel does not save AVX registers\n");
		return -ENODEV;
	}
	return 0;
}

static int __init dtv_init(void)
{
	int err;

	err = check_host();
	if (err)
		return err;
	err = dtv_slots_subsys_init();
	if (err)
		return err;
	err = dtv_irqfd_subsys_init();
	if (err)
		goto no_irqfd;
	err = dtv_vm_subsys_init();
	if (err)
		goto no_vm;
	err = dtv_netlink_init();
	if (err)
		goto no_netlink;
	err = dtv_chardev_init();
	if (err)
		goto no_chardev;
	return 0;

no_chardev:
	dtv_netlink_exit();
no_netlink:
	dtv_vm_subsys_exit();
no_vm:
	dtv_irqfd_subsys_exit();
no_irqfd:
	dtv_slots_subsys_exit();
	return err;
}

static void __exit dtv_exit(void)
{
	dtv_chardev_exit();
	dtv_netlink_exit();
	dtv_vm_subsys_exit();
	dtv_irqfd_subsys_exit();
	dtv_slots_subsys_exit();
}

module_init(dtv_init);
module_exit(dtv_exit);

MODULE_DESCRIPTION("RISC-V 64 machines by dynamic binary translation");
MODULE_LICENSE("GPL");
MODULE_ALIAS("devname:dtv");
