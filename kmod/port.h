/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * port.h - the few kernel interfaces that the portable sources may use.
 *
 * guest/, dbt/, mmu/view.c, irq/plic.c and hart.c are built into the module
 * and, unchanged, into user-space programs (uhost, unit tests, fuzzers).
 * They include this header and nothing else of the world outside. In the
 * kernel it is a list of includes; elsewhere it gives the same names.
 */
#ifndef DTV_PORT_H
#define DTV_PORT_H

#ifdef __KERNEL__

#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/bitops.h>
#include <linux/atomic.h>
#include <linux/spinlock.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/build_bug.h>

#else

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define BIT_ULL(n) (1ULL << (n))
#define GENMASK_ULL(h, l) (((~0ULL) << (l)) & (~0ULL >> (63 - (h))))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define smp_mb() atomic_thread_fence(memory_order_seq_cst)
#define smp_rmb() atomic_thread_fence(memory_order_acquire)
#define smp_wmb() atomic_thread_fence(memory_order_release)
#define smp_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define cmpxchg(p, o, n)                                                                       \
	({                                                                                     \
		__typeof__(*(p)) _o = (o);                                                     \
		__atomic_compare_exchange_n(p, &_o, n, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		_o;                                                                            \
	})
#define xchg(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
/* clang-format off */
#define container_of(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))
/* clang-format on */
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define __acquires(lock)
#define __releases(lock)
#define S32_MIN INT32_MIN
#define S32_MAX INT32_MAX
#define U32_MAX UINT32_MAX
#define fallthrough __attribute__((__fallthrough__))
#define __maybe_unused __attribute__((__unused__))
#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif
#define BUILD_BUG_ON(c) _Static_assert(!(c), #c)
#define static_assert _Static_assert
#ifndef WARN_ON_ONCE
#define WARN_ON_ONCE(c)                                                                       \
	({                                                                                    \
		bool _c = !!(c);                                                              \
		if (unlikely(_c))                                                             \
			fprintf(stderr, "dtv: warning: %s:%d: %s\n", __FILE__, __LINE__, #c); \
		_c;                                                                           \
	})
#endif

/* A spin lock that signal handlers of one thread never nest. */
typedef struct {
	u32 v;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *l)
{
	l->v = 0;
}

static inline void spin_lock(spinlock_t *l)
{
	unsigned int n = 0;

	while (__atomic_exchange_n(&l->v, 1, __ATOMIC_ACQUIRE)) {
		while (READ_ONCE(l->v)) {
			__builtin_ia32_pause();
			/* The owner may have been preempted: there is no preempt_disable() here. */
			if (++n % 128 == 0)
				sched_yield();
		}
	}
}

static inline void spin_unlock(spinlock_t *l)
{
	__atomic_store_n(&l->v, 0, __ATOMIC_RELEASE);
}

#endif /* __KERNEL__ */

/* Guest and host addresses are never mixed; the names say which is which. */
typedef u64 gva_t;
typedef u64 gpa_t;

#define DTV_PAGE_SHIFT 12
#define DTV_PAGE_SIZE 4096ULL
#define DTV_PAGE_MASK (~(DTV_PAGE_SIZE - 1))

#endif /* DTV_PORT_H */
