#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Privileged tests: CSRs, traps and their delegation, interrupts, returns,
page tables, MPRV, fences, self-modifying code, fetches at the edges.

Each test is a program of an image (lib/image.py) that stores results, each with
a name. They are compared with QEMU's; where the manual leaves a choice or QEMU
departs from the manual, the result has an expectation of its own ("want") or a
mask, with the reason beside it.

  priv.py [--only REGEX] [--list]
"""

import os
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
# pylint: disable=wrong-import-position
import argparse
import struct

import image
from image import SIG, STATE_CMP
from privbase import M64, SuiteBase
from privcount import CountTests
from privext import ExtTests
from privmem import MemoryTests
from privorder import OrderTests
from privstate import StateTests
import rv
from rv import REGS
import tap


class Suite(StateTests, MemoryTests, ExtTests, CountTests, OrderTests, SuiteBase):
    """All of them, in order."""

    def build(self):
        self.csr_warl()
        self.csr_inside()
        self.kernel()
        self.warm_sret()
        self.csr_pmp()
        self.csr_access()
        self.fixup()
        self.traps()
        self.interrupts()
        self.timer()
        self.fixup()
        self.returns()
        self.fixup()
        self.page_bits()
        self.pointer_bits()
        self.reservations()
        self.pairs()
        self.mprv()
        self.fixup()
        self.fences()
        self.code()
        self.remap()
        self.remap_half()
        self.big_pages()
        self.mmio()
        self.envcfg()
        self.pmp_reserved()
        self.cbo_allowed()
        self.cbo_faults()
        self.cbo_pmp()
        self.pte_upper()
        self.napot()
        self.svade()
        self.sinval()
        self.clint()
        self.pte_code()
        self.near_pairs()
        self.page_sc()
        self.access_edges()
        self.counts()
        self.fixup()
        self.who_traps()
        self.order()
        self.quiet()


def check(t, want, got):
    """How a test's results differ."""
    why = []
    o = t.results - SIG
    for k, (what, mask, value) in enumerate(t.outs):
        a, b = (struct.unpack_from("<Q", s, o + 8 * k)[0] for s in (want, got))
        if value is not None:
            a = value
        if (a ^ b) & mask:
            why.append("%s: want %x got %x%s" % (what, a & mask, b & mask, "" if mask == M64 else " (mask %x)" % mask))
    if hasattr(t, "want_traps"):
        why += trap_diff(t.want_traps, got[t.prog.state - SIG:])
    if t.compare_state:
        s = t.prog.state - SIG
        a, b = want[s:s + STATE_CMP], got[s:s + STATE_CMP]
        why += image.state_diff(a, b, REGS)
    if hasattr(t, "ptes"):
        root, maps = t.ptes
        for va, pa, f, level in maps:
            at = pte_at(want, root, va, level)
            a, b = (struct.unpack_from("<Q", s, at - SIG)[0] for s in (want, got))
            if (a ^ b) & t.pte_mask:
                why.append("PTE of %x, flags %x: want %x got %x" % (va, f, a, b))
    return why


def trap_diff(want, state):
    """How the logged traps differ from [(cause, tval)]."""
    n = struct.unpack_from("<Q", state, image.S_TRAPS)[0]
    log = []
    for k in range(min(n, image.LOGGED)):
        cause, _, tval = struct.unpack_from("<QQQ", state, image.S_LOG + 24 * k)
        log.append((cause, tval))
    if n == len(want) and log == want:
        return []
    text = lambda ts: " ".join("%d:%x" % x for x in ts) or "none"  # noqa: E731
    return ["traps (cause:tval): want %s got %s" % (text(want), text(log))]


def pte_at(sig, root, va, level):
    idx = [va >> 30 & 511, va >> 21 & 511, va >> 12 & 511]
    at = root
    for k in range(2 - level):
        at = (struct.unpack_from("<Q", sig, at + 8 * idx[k] - SIG)[0] >> 10) << 12
    return at + 8 * idx[2 - level]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--only", help="tests whose name matches")
    ap.add_argument("--list", action="store_true")
    ap.add_argument("--uhost", default="", help="more arguments for it")
    ap.add_argument("--keep", help="write the image to this file")
    ap.add_argument("--self", action="store_true", help="QEMU against itself and against expectations")
    ap.add_argument("--build", default=rv.BUILD)
    args = ap.parse_args()
    run = image.Runner(args.build, 60)
    try:
        return tests(args, run)
    finally:
        run.close()


def tests(args, run):
    s = Suite(os.path.join(args.build, "isa", "rt.elf"), args.only)
    s.build()
    if args.list:
        print("\n".join(t.name for t in s.tests))
        return 0
    out = tap.Tap()
    if not args.self and not run.have_uhost():
        return out.skip_all("no uhost at %s" % run.uhost)
    if not run.have_qemu():
        return out.skip_all("no %s" % run.qemu)
    elf = args.keep or run.path("priv.elf")
    s.img.write(elf)
    try:
        qemu = run.run_qemu(elf, image.ICOUNT)
        got = run.run_qemu(elf, image.ICOUNT) if args.self else run.run_uhost(elf, args.uhost.split())
    except image.RunError as e:
        out.result(False, "the image of privileged tests runs", [str(e)])
        return out.done()
    groups = {}
    for t in s.tests:
        groups.setdefault(" ".join(t.name.split(" ")[:2 if t.name.startswith(("csr", "PTE", "MPRV", "trap", "who", "order", "quiet")) else 1]), []).append(t)
    total = bad = 0
    for g, ts in groups.items():
        why = []
        failed = 0
        for t in ts:
            total += 1
            w = check(t, qemu, got)
            if w:
                failed += 1
                if failed <= 4:
                    why += [t.name] + ["  " + x for x in w[:6]]
        bad += failed
        if failed > 4:
            why.append("and %d more tests" % (failed - 4))
        out.result(not failed, "%s (%d tests)" % (g, len(ts)), why)
    print("# %d tests, %d failed" % (total, bad))
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
