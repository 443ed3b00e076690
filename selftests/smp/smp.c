// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * smp.c - an S-mode kernel that makes harts meet: spin locks by AMO and by
 * LR/SC, counters by every AMO, IPIs answered by IPIs, remote fences, code
 * written by one hart and run by another, reservations that stores of others must
 * end although the value stays, and timers, for as many seconds as
 * its command line says (smp.seconds=N). It ends with the SBI's system reset
 * and the line "smp: passed", or "smp: FAILED ...", which is the result.
 *
 * An Image: runs wherever Linux does.
 */
#include <stddef.h>
#include <stdint.h>

#define MAX_HARTS 32
#define HZ 10000000ULL

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;

struct sbiret {
	long error, value;
};

struct per_hart {
	volatile u32 online;
	volatile u64 ipis, timers, rounds;
	volatile u64 beat; /* changes while the hart gets on */
	volatile u64 pong;
} __attribute__((aligned(64)));

static struct per_hart harts[MAX_HARTS];
static volatile u32 nr_online, stop, failed;
static u64 end_time;
static volatile u32 amo_lock, lrsc_lock;
static volatile u64 guarded_a, guarded_b, guarded_c;
static volatile u64 sum, bits, xors, biggest, smallest = ~0ULL;
static volatile u32 sum32;

void second(void);
void first_main(u64 id, const void *dtb);
void second_main(u64 id);
void on_trap(u64 cause, u64 epc, u64 tval);

static struct sbiret sbi(u64 ext, u64 fid, u64 a0_, u64 a1_, u64 a2_, u64 a3_)
{
	register u64 a0 asm("a0") = a0_;
	register u64 a1 asm("a1") = a1_;
	register u64 a2 asm("a2") = a2_;
	register u64 a3 asm("a3") = a3_;
	register u64 a4 asm("a4") = 0;
	register u64 a6 asm("a6") = fid;
	register u64 a7 asm("a7") = ext;

	asm volatile("ecall"
		     : "+r"(a0), "+r"(a1)
		     : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
		     : "memory");
	return (struct sbiret){ a0, a1 };
}

static u64 hart_id(void)
{
	u64 id;

	asm volatile("mv %0, tp" : "=r"(id));
	return id;
}

static u64 now(void)
{
	u64 t;

	asm volatile("rdtime %0" : "=r"(t));
	return t;
}

static void put(const char *s)
{
	for (; *s; s++)
		sbi(1, 0, (unsigned char)*s, 0, 0, 0);
}

static void put_number(u64 n)
{
	char buf[24];
	int i = sizeof(buf) - 1;

	buf[i] = 0;
	do {
		buf[--i] = '0' + n % 10;
		n /= 10;
	} while (n);
	put(buf + i);
}

static void fail(const char *why, u64 n)
{
	if (__atomic_exchange_n(&failed, 1, __ATOMIC_SEQ_CST))
		return;
	put("smp: FAILED: ");
	put(why);
	put(" ");
	put_number(n);
	put("\n");
	stop = 1;
}

static void send_ipi(u64 id)
{
	sbi(0x735049, 0, 1, id, 0, 0);
}

static void set_timer(u64 when)
{
	sbi(0x54494d45, 0, when, 0, 0, 0);
}

void on_trap(u64 cause, u64 epc, u64 tval)
{
	struct per_hart *me = &harts[hart_id()];

	(void)tval;
	switch (cause) {
	case 1ULL << 63 | 1:
		asm volatile("csrc sip, %0" ::"r"(2));
		me->ipis++;
		__atomic_fetch_add(&me->pong, 1, __ATOMIC_SEQ_CST);
		return;
	case 1ULL << 63 | 5:
		me->timers++;
		set_timer(now() + HZ / 1000);
		return;
	}
	fail("trap", cause);
	put_number(epc);
	put("\n");
	sbi(0x53525354, 0, 0, 1, 0, 0);
}

static void lock_amo(void)
{
	u32 was;

	do {
		asm volatile("amoswap.w.aq %0, %2, %1"
			     : "=r"(was), "+A"(amo_lock)
			     : "r"(1)
			     : "memory");
	} while (was);
}

static void unlock_amo(void)
{
	asm volatile("amoswap.w.rl x0, x0, %0" : "+A"(amo_lock)::"memory");
}

static void lock_lrsc(void)
{
	u32 t;

	asm volatile("1: lr.w.aq %0, %1\n"
		     "bnez %0, 1b\n"
		     "sc.w %0, %2, %1\n"
		     "bnez %0, 1b\n"
		     : "=&r"(t), "+A"(lrsc_lock)
		     : "r"(1)
		     : "memory");
}

static void unlock_lrsc(void)
{
	__atomic_store_n(&lrsc_lock, 0, __ATOMIC_RELEASE);
}

/* Code that one hart rewrites and all run after a remote fence: li a0, N; ret. */
static volatile u32 patched[1024] __attribute__((aligned(4096))) = { 0x00000513, 0x00008067 };
static volatile u32 patch_turn;

static void patch_and_call(u64 id, u64 round)
{
	u32 n = (round * 7 + id) & 0x3ff;
	long (*f)(void) = (void *)patched;

	/* One at a time: the others meanwhile do something else. */
	if (__atomic_exchange_n(&patch_turn, 1, __ATOMIC_ACQUIRE))
		return;
	patched[0] = 0x00000513 | n << 20;
	sbi(0x52464e43, 0, 0, -1ULL, 0, 0);
	asm volatile("fence.i" ::: "memory");
	if (f() != (long)n)
		fail("stale code", n);
	__atomic_store_n(&patch_turn, 0, __ATOMIC_RELEASE);
}

/*
 * A reservation against what another hart does meanwhile: hart 0 reserves, hart 1 acts, hart 0
 * stores conditionally. The word has its old value in every case.
 */
static struct {
	volatile u64 cell;
	volatile u8 bytes[56];
	volatile u64 other_set;
} __attribute__((aligned(4096))) reserved = { .cell = 0x1111 };
static volatile u32 probe_go, probe_done;

enum probe {
	PROBE_NOTHING = 1,
	PROBE_LOAD,
	PROBE_OTHER_SET,
	PROBE_LAST_SUCCESS = PROBE_OTHER_SET, /* what comes behind ends the reservation */
	PROBE_STORE,
	PROBE_THERE_AND_BACK,
	PROBE_BYTE,
	PROBE_SAME_SET,
	PROBE_AMO,
	PROBE_PAIR,
	PROBE_LR_SC,
	PROBES,
};

#define PROBE_ROUNDS 20

static void probe_act(u32 what)
{
	u64 t, v;

	switch (what) {
	case PROBE_LOAD:
		(void)reserved.cell;
		break;
	case PROBE_OTHER_SET:
		reserved.other_set++;
		break;
	case PROBE_STORE:
		reserved.cell = 0x1111;
		break;
	case PROBE_THERE_AND_BACK:
		reserved.cell = 0x2222;
		reserved.cell = 0x1111;
		break;
	case PROBE_BYTE:
		*(volatile u8 *)&reserved.cell = 0x11;
		break;
	case PROBE_SAME_SET:
		reserved.bytes[55] = 1;
		break;
	case PROBE_AMO:
		asm volatile("amoadd.d x0, x0, %0" : "+A"(reserved.cell)::"memory");
		break;
	case PROBE_PAIR:
		asm volatile("1: lr.d %0, %2\n"
			     "sc.d %1, %0, %2\n"
			     "bnez %1, 1b\n"
			     : "=&r"(v), "=&r"(t), "+A"(reserved.cell)::"memory");
		break;
	case PROBE_LR_SC:
		asm volatile("1: lr.d %0, %2\n"
			     "ld %1, %2\n"
			     "sc.d %1, %0, %2\n"
			     "bnez %1, 1b\n"
			     : "=&r"(v), "=&r"(t), "+A"(reserved.cell)::"memory");
		break;
	}
}

/* Hart 1's part. */
static void probe_serve(void)
{
	for (u32 n = 1; n <= (PROBES - 1) * PROBE_ROUNDS; n++) {
		while (probe_go != n)
			if (stop)
				return;
		probe_act((n - 1) % (PROBES - 1) + 1);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		probe_done = n;
	}
}

/* Hart 0's part, before it takes interrupts. */
static void probe(void)
{
	u32 succeeded[PROBES] = { 0 };

	for (u32 n = 1; n <= (PROBES - 1) * PROBE_ROUNDS; n++) {
		u64 v, t;

		asm volatile("lr.d %0, %2\n"
			     "sw %3, %4\n"
			     "1: lw %1, %5\n"
			     "bne %1, %3, 1b\n"
			     "fence\n"
			     "sc.d %1, %0, %2\n"
			     : "=&r"(v), "=&r"(t), "+A"(reserved.cell)
			     : "r"(n), "m"(probe_go), "m"(probe_done)
			     : "memory");
		if (v != 0x1111 || reserved.cell != 0x1111)
			fail("reserved word has", v);
		succeeded[(n - 1) % (PROBES - 1) + 1] += !t;
	}
	for (u32 what = 1; what < PROBES; what++) {
		if (what <= PROBE_LAST_SUCCESS && !succeeded[what])
			fail("sc never succeeded in case", what);
		if (what > PROBE_LAST_SUCCESS && succeeded[what])
			fail("sc did not see what another hart did: case", what);
	}
}

/*
 * A stack of nodes without any lock. To take one its successor is loaded between LR and SC: as a
 * compare-and-swap that would take a node twice, when others took it and gave it back.
 */
struct node {
	struct node *next;
	volatile u32 taken;
} __attribute__((aligned(64)));

static struct node nodes[3];
static struct node *volatile stack_top;

static struct node *node_take(void)
{
	struct node *n, *next;
	u64 t;

	asm volatile("1: lr.d.aq %0, %3\n"
		     "beqz %0, 2f\n"
		     "ld %1, 0(%0)\n"
		     "sc.d.rl %2, %1, %3\n"
		     "bnez %2, 1b\n"
		     "2:\n"
		     : "=&r"(n), "=&r"(next), "=&r"(t), "+A"(stack_top)::"memory");
	return n;
}

static void node_give(struct node *n)
{
	u64 t, top;

	asm volatile("1: lr.d.aq %0, %2\n"
		     "sd %0, 0(%3)\n"
		     "sc.d.rl %1, %3, %2\n"
		     "bnez %1, 1b\n"
		     : "=&r"(top), "=&r"(t), "+A"(stack_top)
		     : "r"(n)
		     : "memory");
}

static volatile u64 nodes_taken;

static void stack_round(void)
{
	struct node *n = node_take(), *m = node_take();

	if ((n && __atomic_exchange_n(&n->taken, 1, __ATOMIC_ACQ_REL)) ||
	    (m && __atomic_exchange_n(&m->taken, 1, __ATOMIC_ACQ_REL)))
		fail("a node was taken twice", nodes_taken);
	nodes_taken += !!n;
	if (n) {
		__atomic_store_n(&n->taken, 0, __ATOMIC_RELEASE);
		node_give(n);
	}
	if (m) {
		__atomic_store_n(&m->taken, 0, __ATOMIC_RELEASE);
		node_give(m);
	}
}

/* Constrained loops that are no straight line: they have to succeed at some time. */
static volatile u64 crooked;

static void crooked_add(void)
{
	u64 v, t;

	asm volatile("1: lr.d %0, %2\n"
		     "andi %1, %0, 1\n"
		     "beqz %1, 2f\n"
		     "addi %0, %0, 2\n"
		     "j 3f\n"
		     "2: addi %0, %0, 4\n"
		     "addi %0, %0, -2\n"
		     "3: addi %0, %0, -1\n"
		     "sc.d %1, %0, %2\n"
		     "bnez %1, 1b\n"
		     : "=&r"(v), "=&r"(t), "+A"(crooked)::"memory");
}

/* Every hart shall have asked its neighbour at least once: a loaded host may be slow. */
static void try_stop(void)
{
	for (u64 i = 0; i < nr_online; i++) {
		if (harts[i].beat >= 128)
			continue;
		if (now() >= end_time + 120 * HZ)
			fail("no progress on hart", i);
		return;
	}
	stop = 1;
}

/* Wait a little for a word to change, as kernels do: an LR that no SC follows, and wrs.nto. */
static void wait_change(volatile u64 *word, u64 old)
{
	u64 v;

	asm volatile("lr.d %0, %1\n"
		     "bne %0, %2, 1f\n"
		     ".word 0x00d00073\n"
		     "1:\n"
		     : "=&r"(v), "+A"(*word)
		     : "r"(old));
}

static void work(u64 id)
{
	struct per_hart *me = &harts[id];
	u64 r = 0, rnd = id * 0x9e3779b97f4a7c15ULL + 1, mine = 0;

	while (!stop) {
		r++;
		rnd ^= rnd << 13;
		rnd ^= rnd >> 7;
		rnd ^= rnd << 17;

		lock_amo();
		if (guarded_a != guarded_b)
			fail("amo lock let two in", r);
		guarded_a = guarded_a + 1;
		guarded_b = guarded_b + 1;
		unlock_amo();

		lock_lrsc();
		if (guarded_c & 1)
			fail("lr/sc lock let two in", r);
		guarded_c = guarded_c + 1;
		guarded_c = guarded_c + 1;
		unlock_lrsc();

		__atomic_fetch_add(&sum, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&sum32, 1, __ATOMIC_RELAXED);
		__atomic_fetch_xor(&xors, 1ULL << id, __ATOMIC_RELAXED);
		__atomic_fetch_or(&bits, 1ULL << id, __ATOMIC_RELAXED);
		asm volatile("amomaxu.d x0, %1, %0" : "+A"(biggest) : "r"(rnd));
		asm volatile("amominu.d x0, %1, %0" : "+A"(smallest) : "r"(rnd));
		mine++;
		if (biggest < rnd || smallest > rnd)
			fail("amomax or amomin lost a value", r);

		if ((r & 15) == 0)
			stack_round();
		crooked_add();

		if ((r & 63) == 0) {
			/* Ask the next hart; it answers by counting. */
			u64 other = (id + 1) % nr_online, before = harts[other].pong, t0 = now();

			send_ipi(other);
			while (other != id && harts[other].pong == before && !stop) {
				wait_change(&harts[other].pong, before);
				if (now() - t0 > 20 * HZ)
					fail("ipi not answered by hart", other);
			}
		}
		if ((r & 1023) == id)
			patch_and_call(id, r);
		if ((r & 255) == 0)
			sbi(0x52464e43, 1, 0, -1ULL, 0x80000000, 0x1000);
		if ((r & 4095) == 0)
			asm volatile("wfi"); /* a timer is never far */
		me->beat = r;
		if (id == 0 && now() >= end_time)
			try_stop();
	}
	me->rounds = mine;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	me->online = 2;
}

static void enable(void)
{
	set_timer(now() + HZ / 1000);
	asm volatile("csrs sie, %0" ::"r"(1 << 1 | 1 << 5));
	asm volatile("csrs sstatus, %0" ::"r"(2));
}

/*
 * Suspended, hart 1 is seen as that by hart 0 until an IPI, and as started behind it: twice, once
 * to go on behind the call, once to begin anew at second.
 */
static volatile u32 suspends, wakes, seen;

static void sleeper(void)
{
	asm volatile("csrs sie, %0" ::"r"(2));
	for (;;) {
		/* Whoever wakes it need not mean it. */
		while (wakes < suspends)
			sbi(0x48534d, 3, suspends == 2 ? 0x80000000 : 0, (u64)second, 0, 0);
		while (seen < suspends)
			;
		asm volatile("csrc sip, %0" ::"r"(2));
		if (suspends == 2)
			return;
		suspends = suspends + 1;
	}
}

static void await_state(u64 id, long state)
{
	u64 t0 = now();

	while (!failed && sbi(0x48534d, 2, id, 0, 0, 0).value != state)
		if (now() - t0 > 20 * HZ)
			fail("hart is not in state", state);
}

static void waker(void)
{
	for (u32 n = 0; n < 2; n++) {
		await_state(1, 4);
		if (suspends != n + 1)
			fail("suspends", suspends);
		wakes = n + 1;
		send_ipi(1);
		await_state(1, 0);
		seen = n + 1;
	}
}

void second_main(u64 id)
{
	harts[id].online = 1;
	if (id == 1)
		sleeper();
	enable();
	while (!nr_online)
		;
	if (id == 1)
		probe_serve();
	work(id);
}

/* smp.seconds=N anywhere in the device tree's text (bootargs). */
static u64 seconds(const char *dtb)
{
	const unsigned char *d = (const void *)dtb;
	u32 size = d[4] << 24 | d[5] << 16 | d[6] << 8 | d[7];
	static const char key[] = "smp.seconds=";
	u64 n = 0;

	for (u32 i = 0; i + sizeof(key) < size; i++) {
		u32 k = 0;

		while (key[k] && dtb[i + k] == key[k])
			k++;
		if (key[k])
			continue;
		for (i += k; dtb[i] >= '0' && dtb[i] <= '9'; i++)
			n = n * 10 + dtb[i] - '0';
		return n;
	}
	return 2;
}

void first_main(u64 id, const void *dtb)
{
	u64 n = 1, total = 0, secs = seconds(dtb), t0;

	(void)id;
	end_time = now() + secs * HZ;
	for (u64 i = 0; i < MAX_HARTS; i++)
		if (i != id && sbi(0x48534d, 0, i, (u64)second, 0, 0).error == 0)
			n++;
	t0 = now();
	for (u64 i = 1; i < n; i++)
		while (!harts[i].online)
			if (now() - t0 > 20 * HZ) {
				fail("hart did not start:", i);
				break;
			}
	if (n > 1)
		waker();
	nr_online = n;
	harts[0].online = 1;
	for (u64 i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		node_give(&nodes[i]);
	if (n > 1)
		probe();
	enable();
	work(id);
	t0 = now();
	for (u64 i = 0; i < n; i++) {
		while (harts[i].online != 2)
			if (now() - t0 > 20 * HZ) {
				fail("hart did not stop:", i);
				break;
			}
		total += harts[i].rounds;
	}
	asm volatile("csrc sstatus, %0" ::"r"(2));
	if (!failed) {
		if (sum != total || sum32 != (u32)total || guarded_a != total ||
		    guarded_c != 2 * total || crooked != total)
			fail("counts differ after rounds:", total);
		if (!nodes_taken)
			fail("no node was ever taken", total);
		if (bits != (1ULL << n) - 1)
			fail("amoor lost a bit", bits);
		for (u64 i = 0; i < n; i++)
			if (!harts[i].timers || (n > 1 && !harts[i].ipis))
				fail("no timer or ipi on hart", i);
	}
	put("smp: harts ");
	put_number(n);
	put(" seconds ");
	put_number(secs);
	put(" rounds ");
	put_number(total);
	put(" ipis ");
	put_number(harts[n - 1].ipis);
	put(" timers ");
	put_number(harts[0].timers);
	put(failed ? "\nsmp: FAILED\n" : "\nsmp: passed\n");
	sbi(0x53525354, 0, 0, failed ? 1 : 0, 0, 0);
}
