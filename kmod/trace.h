/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - tracepoints of system dtv.
 *
 * All events of a vCPU begin with the VM's id and the hart's, so that scripts
 * can filter by them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dtv

#if !defined(DTV_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define DTV_TRACE_H

#include <linux/tracepoint.h>
#include <linux/dtv.h>

TRACE_EVENT(vm_created,
	TP_PROTO(u32 vm, const char *name),
	TP_ARGS(vm, name),
	TP_STRUCT__entry(
		__field(u32, vm)
		__array(char, name, DTV_NAME_MAX + 1)
	),
	TP_fast_assign(
		__entry->vm = vm;
		strscpy(__entry->name, name, sizeof(__entry->name));
	),
	TP_printk("vm=%u name=%s", __entry->vm, __entry->name)
);

TRACE_EVENT(vm_stopped,
	TP_PROTO(u32 vm, const char *name, const char *reason),
	TP_ARGS(vm, name, reason),
	TP_STRUCT__entry(
		__field(u32, vm)
		__array(char, name, DTV_NAME_MAX + 1)
		__array(char, reason, DTV_REASON_MAX + 1)
	),
	TP_fast_assign(
		__entry->vm = vm;
		strscpy(__entry->name, name, sizeof(__entry->name));
		strscpy(__entry->reason, reason, sizeof(__entry->reason));
	),
	TP_printk("vm=%u name=%s reason=\"%s\"", __entry->vm, __entry->name, __entry->reason)
);

TRACE_EVENT(vcpu_exit,
	TP_PROTO(u32 vm, u32 vcpu, u32 reason, u64 pc),
	TP_ARGS(vm, vcpu, reason, pc),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u32, reason)
		__field(u64, pc)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->reason = reason;
		__entry->pc = pc;
	),
	TP_printk("vm=%u vcpu=%u reason=%s pc=0x%llx", __entry->vm, __entry->vcpu,
		  __print_symbolic(__entry->reason,
				   { 0, "none" }, { 1, "chain" }, { 2, "enter" }, { 3, "jump" },
				   { 4, "system" }, { 5, "access" }, { 6, "kick" },
				   { 7, "resume" }, { 8, "illegal" }, { 9, "fetch" },
				   { 10, "fp" }),
		  __entry->pc)
);

TRACE_EVENT(block_translated,
	TP_PROTO(u32 vm, u32 vcpu, u64 pc, u32 guest_bytes, u32 host_bytes),
	TP_ARGS(vm, vcpu, pc, guest_bytes, host_bytes),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, pc)
		__field(u32, guest_bytes)
		__field(u32, host_bytes)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->pc = pc;
		__entry->guest_bytes = guest_bytes;
		__entry->host_bytes = host_bytes;
	),
	TP_printk("vm=%u vcpu=%u pc=0x%llx guest_bytes=%u host_bytes=%u", __entry->vm,
		  __entry->vcpu, __entry->pc, __entry->guest_bytes, __entry->host_bytes)
);

TRACE_EVENT(view_miss,
	TP_PROTO(u32 vm, u32 vcpu, u64 gva, u64 gpa),
	TP_ARGS(vm, vcpu, gva, gpa),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, gva)
		__field(u64, gpa)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->gva = gva;
		__entry->gpa = gpa;
	),
	TP_printk("vm=%u vcpu=%u gva=0x%llx gpa=0x%llx", __entry->vm, __entry->vcpu,
		  __entry->gva, __entry->gpa)
);

TRACE_EVENT(guest_trap,
	TP_PROTO(u32 vm, u32 vcpu, u64 cause, u64 pc),
	TP_ARGS(vm, vcpu, cause, pc),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, cause)
		__field(u64, pc)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->cause = cause;
		__entry->pc = pc;
	),
	TP_printk("vm=%u vcpu=%u cause=0x%llx pc=0x%llx", __entry->vm, __entry->vcpu,
		  __entry->cause, __entry->pc)
);

TRACE_EVENT(mmio,
	TP_PROTO(u32 vm, u32 vcpu, u64 gpa, u32 len, u32 write),
	TP_ARGS(vm, vcpu, gpa, len, write),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, gpa)
		__field(u32, len)
		__field(u32, write)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->gpa = gpa;
		__entry->len = len;
		__entry->write = write;
	),
	TP_printk("vm=%u vcpu=%u %s gpa=0x%llx len=%u", __entry->vm, __entry->vcpu,
		  __entry->write ? "write" : "read", __entry->gpa, __entry->len)
);

#endif /* DTV_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
