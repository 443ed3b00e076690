#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Rights of memory: physical memory protection (privileged manual 3.7) with and
without Sv39 over it, in every mode that an access can be made in: M, M with
MPRV as S and as U, S, S with SUM, S with MXR, U.

A program steps through a table: it sets PMP registers, tries an access in a mode and
stores cause and tval. What they have to be is computed here from the manual
alone: QEMU 7.2 is wrong where entries part a page.

  rights.py [--seed S] [--count N] [--only REGEX]
"""

import os
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
# pylint: disable=wrong-import-position
import argparse
import random
import re
import struct

import image
from image import MPP, SIG
from privbase import B, PAGE, RD, W, X, U, A, D, G, V, RWX, SV39, M64, SuiteBase, Test
import rv
from rv import R
import tap

OFF, TOR, NA4, NAPOT, LOCK = 0, 8, 0x10, 0x18, 0x80
LOAD, STORE, FETCH = 0, 1, 2
RIGHT = {LOAD: 1, STORE: 2, FETCH: 4}
ACCESS_FAULT = {LOAD: 5, STORE: 7, FETCH: 1}
PAGE_FAULT = {LOAD: 13, STORE: 15, FETCH: 12}
ECALL = {"U": 8, "S": 9, "M": 11}
GIGA = 0x80000000

# name: (kind, bytes, instructions)
OPS = {
    "lb": (LOAD, 1), "lh": (LOAD, 2), "lw": (LOAD, 4), "ld": (LOAD, 8), "fld": (LOAD, 8), "lr.w": (LOAD, 4),
    "sb": (STORE, 1), "sh": (STORE, 2), "sw": (STORE, 4), "sd": (STORE, 8), "fsd": (STORE, 8), "amoor.w": (STORE, 4),
    "amoadd.d": (STORE, 8), "sc.w": (STORE, 4), "fetch": (FETCH, 4),
}
# Mode of the access as the test calls it: (mode of the instruction, bits of mstatus)
MODES = {"M": ("M", 0), "M as S": ("M", B["MPRV"] | MPP["S"]), "M as U": ("M", B["MPRV"]), "S": ("S", 0), "U": ("U", 0),
         "S+SUM": ("S", B["SUM"]), "S+MXR": ("S", B["MXR"]), "M as S+SUM": ("M", B["MPRV"] | MPP["S"] | B["SUM"]),
         "M as S+MXR": ("M", B["MPRV"] | MPP["S"] | B["MXR"])}


def napot(base, size):
    assert base % size == 0 and size >= 8
    return base >> 2 | (size >> 3) - 1


class Pmp:
    """The registers and what the manual says of them."""

    def __init__(self):
        self.cfg = [0] * 16
        self.addr = [0] * 16

    def words(self):
        lo, hi = (int.from_bytes(bytes(self.cfg[k:k + 8]), "little") for k in (0, 8))
        return self.addr + [lo, hi]

    def locked(self, i):
        return self.cfg[i] & LOCK

    def write(self, new):
        """Registers in ascending order, addresses first: locks keep what they lock."""
        for i in range(16):
            if self.locked(i) or (i < 15 and self.locked(i + 1) and self.cfg[i + 1] & 0x18 == TOR):
                continue
            self.addr[i] = new.addr[i] & (1 << 54) - 1
        for i in range(16):
            if not self.locked(i):
                self.cfg[i] = new.cfg[i]

    def range(self, i):
        a = self.cfg[i] & 0x18
        if a == TOR:
            return (self.addr[i - 1] << 2 if i else 0), self.addr[i] << 2
        if a == NA4:
            return self.addr[i] << 2, (self.addr[i] << 2) + 4
        if a == NAPOT:
            ones = self.addr[i] ^ (self.addr[i] + 1)
            lo = (self.addr[i] & ~ones) << 2
            return lo, lo + (ones + 1 << 2)
        return 0, 0

    def rights(self, mode, at, n):
        for i in range(16):
            lo, hi = self.range(i)
            if lo >= hi or hi <= at or lo >= at + n:
                continue
            if lo > at or hi < at + n:
                return 0
            return 7 if mode == "M" and not self.cfg[i] & LOCK else self.cfg[i] & 7
        return 7 if mode == "M" else 0


class Space:
    """An Sv39 address space as the walk sees it; None in a row: bare."""

    def __init__(self, root, maps, tables):
        self.root, self.maps, self.tables = root, [list(m) for m in maps], tables

    def leaf(self, va):
        for m in self.maps:
            if m[0] <= va < m[0] + (PAGE << 9 * m[3]):
                return m
        return None

    def find(self, va):
        m = self.leaf(va)
        return m and (m[1] + va - m[0], m[2], m[3])

    def ptes(self, va, level):
        """Addresses of the PTEs that the walk reads."""
        idx = [va >> 30 & 511, va >> 21 & 511, va >> 12 & 511]
        out = []
        for k in range(3 - level):
            out.append(self.tables[tuple(idx[:k])] + 8 * idx[k])
        return out


class Suite(SuiteBase):
    """One image: rows, and the program that steps through them."""

    ROW = 56

    def __init__(self, rt, name):
        super().__init__(rt, None)
        self.name = name
        self.pmp = Pmp()
        self.rows = []  # (what, cause, tval)
        self.table = b""
        self.stubs = {}
        self.cfg_at = 0
        a = rv.Asm()
        s0, a0, a1 = R["s0"], R["a0"], R["a1"]
        for op in OPS:
            a.label(op)
            if op == "fetch":
                a.i("jalr", rd=0, rs1=s0)
                continue
            if op in ("lb", "lh", "lw", "ld"):
                a.i(op, rd=a0, rs1=s0)
            elif op == "fld":
                a.i(op, rd=1, rs1=s0)
            elif op == "fsd":
                a.i(op, rs1=s0, rs2=1)
            elif op[0] == "s" and op != "sc.w":
                a.i(op, rs1=s0, rs2=a1)
            elif op == "lr.w":
                # Not a pair: another size.
                a.i("lr.w", rd=a0, rs1=s0)
                a.i("addi", rd=a0, rs1=a0, imm=0)
            elif op == "sc.w":
                a.i("lr.w", rd=a0, rs1=s0)
                a.i("sc.w", rd=a0, rs1=s0, rs2=a0)
            else:
                a.i(op, rd=a0, rs1=s0, rs2=0)
            a.i("ecall")
        # Stores store what is there: M-mode looks before.
        for op, n in (("lb", 1), ("lh", 2), ("lw", 4), ("ld", 8)):
            a.label("look%d" % n)
            a.i(op, rd=a1, rs1=s0)
            a.i("jalr", rd=0, rs1=R["ra"])
        a.label("look0")
        a.i("jalr", rd=0, rs1=R["ra"])
        # One page of code below everything, which all may execute.
        self.code = self.img.alloc(a.bytes(0), PAGE)
        self.stubs = {op: self.code + at for op, at in a.labels.items()}
        # The memory that is protected: ecalls, at even words and across words; in the last page behind three nops.
        words = struct.pack("<I", 0x73) * 1024
        halves = b"\x01\x00" + words[:-2]
        runs = struct.pack("<4I", 0x13, 0x13, 0x13, 0x73) * 256
        self.at = self.img.sig_alloc(words + halves + bytes(4) + words[4:] + runs, 4 * PAGE)

    def fetchable(self, va):
        """Whether an ecall stands there: at even words in the first page, across words and pages in the second."""
        page, off = divmod(va - self.at, PAGE)
        return 0 <= page < 4 and off % 4 == (2 if page == 1 else 0) and (page, off) != (2, 0)

    def set(self, pmp):
        """New contents of all PMP registers."""
        self.cfg_at = self.img.alloc(struct.pack("<18Q", *pmp.words()))
        self.pmp.write(pmp)

    def parts(self, kind, va, n):
        """An access as the pieces that are checked by themselves: at most one page each; a fetch, 16 bits."""
        if kind == FETCH:
            # Up to the ecall.
            last = va | 12 if self.at + 3 * PAGE <= va < self.at + 4 * PAGE else va
            return [(at, 2) for at in range(va, last + 4, 2)]
        m = min(n, PAGE - va % PAGE)
        return [(va, m)] + ([(va + m, n - m)] if m < n else [])

    def expect(self, mode, bits, op, va, space):
        """(cause, tval)"""
        kind, n = OPS[op]
        for half in (0, 2):
            if not self.pmp.rights(mode, self.stubs[op] + half, 2) & 4:
                return 1, self.stubs[op] + half
        eff = mode
        if kind != FETCH and bits & B["MPRV"]:
            eff = "S" if bits & MPP["M"] == MPP["S"] else "U"
        kinds = [LOAD, STORE] if op == "sc.w" else [kind]
        if op in ("lr.w", "sc.w", "amoor.w", "amoadd.d") and va % n:
            return (4 if kinds[0] == LOAD else 6), va
        for k in kinds:
            for at, m in self.parts(k, va, n):
                pa = at
                if space and eff != "M":
                    found = space.find(at)
                    if not found:
                        return PAGE_FAULT[k], at
                    pa, f, level = found
                    ptes = space.ptes(at, level)
                    if not all(self.pmp.rights("S", p, 8) & 1 for p in ptes):
                        return ACCESS_FAULT[k], at
                    ok = f & (RD | (X if bits & B["MXR"] else 0)) if k == LOAD else f & (W if k == STORE else X)
                    if eff == "U":
                        ok = ok and f & U
                    elif f & U:
                        ok = ok and k != FETCH and bits & B["SUM"]
                    if not ok:
                        return PAGE_FAULT[k], at
                    need = A | (D if k == STORE else 0)
                    if f & need != need and not self.pmp.rights("S", ptes[-1], 8) & 2:
                        return ACCESS_FAULT[k], at
                    space.leaf(at)[2] |= need
                if not self.pmp.rights(eff, pa, m) & RIGHT[k]:
                    return ACCESS_FAULT[k], at
        return ECALL[mode], 0

    def row(self, modename, op, va, space=None, what=""):
        mode, bits = MODES[modename]
        mst = image.FS_INITIAL | bits
        if not bits & B["MPRV"]:
            mst |= MPP[mode]
        satp = SV39 | space.root >> 12 if space else 0
        stub = self.stubs[op]
        kind, n = OPS[op]
        found = space.find(va) if space else (va,)
        look = self.stubs["look%d" % (n if kind == STORE and found else 0)]
        self.table += struct.pack("<7Q", mst, va & M64, stub, satp, self.cfg_at, look, found[0] if found else 0)
        self.cfg_at = 0
        cause, tval = self.expect(mode, bits, op, va, space)
        self.rows.append(("%s: %s of %x in %s%s" % (what, op, va, modename, ", Sv39" if space else ""), cause, tval & M64))

    def finish(self):
        """The program."""
        t = Test(self, self.name, compare_state=False)
        at = self.img.alloc(self.table, 8)
        self.results = self.img.sig_alloc(16 * len(self.rows), 8)
        s0, s2, s3, row, left, out, keep = (R[n] for n in ("s0", "s2", "s3", "s4", "s5", "s6", "s7"))
        cause, tval, t0, t1 = (R[n] for n in ("s8", "s9", "t0", "t1"))
        t.csrr(keep, "mtvec")
        t.la(t0, "handler")
        t.csrw("mtvec", t0)
        t.li(row, at)
        t.li(left, len(self.rows))
        t.li(out, self.results)
        t.label("loop")
        t.i("ld", rd=t0, rs1=row, imm=32)
        t.to("beq", "same", rs1=t0, rs2=0)
        for k in range(16):
            t.i("ld", rd=t1, rs1=t0, imm=8 * k)
            t.csrw(0x3b0 + k, t1)
        for k in range(2):
            t.i("ld", rd=t1, rs1=t0, imm=128 + 8 * k)
            t.csrw(0x3a0 + 2 * k, t1)
        t.label("same")
        t.i("ld", rd=t0, rs1=row, imm=24)
        t.csrr(t1, "satp")
        t.to("beq", "satp", rs1=t0, rs2=t1)
        t.csrw("satp", t0)
        t.i("sfence.vma")
        t.label("satp")
        t.i("ld", rd=s0, rs1=row, imm=48)
        t.i("ld", rd=t0, rs1=row, imm=40)
        t.la(s3, "looked")
        t.i("jalr", rd=R["ra"], rs1=t0)
        t.label("looked")
        t.i("fmv.d.x", rd=1, rs1=R["a1"])
        t.i("ld", rd=s0, rs1=row, imm=8)
        t.i("ld", rd=s2, rs1=row, imm=16)
        t.la(s3, "back")
        t.csrw("mepc", s2)
        t.i("ld", rd=t1, rs1=row)
        t.li(t0, B["MPRV"])
        t.i("and", rd=t0, rs1=t0, rs2=t1)
        t.csrw("mstatus", t1)
        t.to("bne", "mprv", rs1=t0, rs2=0)
        t.i("mret")
        t.label("mprv")
        t.i("jalr", rd=0, rs1=s2)
        t.label("back")
        t.i("sd", rs1=out, rs2=cause)
        t.i("sd", rs1=out, rs2=tval, imm=8)
        t.i("addi", rd=row, rs1=row, imm=self.ROW)
        t.i("addi", rd=out, rs1=out, imm=16)
        t.i("addi", rd=left, rs1=left, imm=-1)
        t.to("beq", "done", rs1=left, rs2=0)
        t.to("jal", "loop", rd=0)
        t.label("done")
        t.csrw("satp", 0)
        t.csrw("mtvec", keep)
        t.csrwv("mstatus", image.FS_INITIAL | MPP["M"])
        t.to("jal", "end", rd=0)
        while t.size() % 4:
            t.c("c.nop")
        t.label("handler")
        t.csrr(cause, "mcause")
        t.csrr(tval, "mtval")
        t.i("addi", rd=t0, rs1=0, imm=-1)
        t.i("slli", rd=t0, rs1=t0, imm=17)
        t.csrc("mstatus", t0)  # MPRV; the bits above it are set anew for each row
        t.i("jalr", rd=0, rs1=s3)
        self.add(t)

    def check(self, sig):
        why = []
        for k, (what, cause, tval) in enumerate(self.rows):
            a, b = struct.unpack_from("<QQ", sig, self.results + 16 * k - SIG)
            if (a, b) != (cause, tval):
                why.append("%s: want cause %d tval %x, got cause %d tval %x" % (what, cause, tval, a, b))
        return why


# --- what is tried ---

def base(s):
    """All of memory for everybody, last."""
    p = Pmp()
    p.cfg[15] = NAPOT | 7
    p.addr[15] = (1 << 54) - 1
    return p


def probes(s, what, addrs):
    for m in ("M", "M as S", "M as U", "S", "U"):
        for va in addrs:
            for op in OPS:
                if op != "fetch" or s.fetchable(va):
                    s.row(m, op, va, None, what)


def match_types(s):
    """Each way of matching, each set of rights."""
    at = s.at
    # What may be executed may not next.
    for perm in (7, 0, 5, 1, 4, 3):
        for kind, lo, size in ((NAPOT, at, PAGE), (NAPOT, at + 64, 64), (NAPOT, at + 16, 8), (NA4, at + 32, 4),
                               (NAPOT, at, 2 * PAGE), (TOR, at + 4, 16), (TOR, at + PAGE - 4, 8), (TOR, at, PAGE)):
            p = base(s)
            k = 4
            if kind == TOR:
                p.addr[k - 1] = lo >> 2
                p.addr[k] = lo + size >> 2
            else:
                p.addr[k] = lo >> 2 if kind == NA4 else napot(lo, size)
            p.cfg[k] = kind | perm
            s.set(p)
            edges = sorted({e + d for e in (lo, lo + size) for d in (-8, -4, -2, 0, 4) if at <= e + d < at + 3 * PAGE})
            probes(s, "%s %x+%x perm %d" % ({TOR: "TOR", NA4: "NA4", NAPOT: "NAPOT"}[kind], lo, size, perm), edges)
        # Code that runs into what may not be executed, and out of it.
        lo = at + 3 * PAGE + 64
        for k, (kind, first, size) in enumerate(((NA4, 8, 4), (NAPOT, 40, 8), (TOR, 68, 8), (NA4, 108, 4))):
            p = base(s)
            p.addr[4] = lo + first >> 2
            p.cfg[5] = kind | perm
            p.addr[5] = {NA4: lo + first >> 2, TOR: lo + first + size >> 2}.get(kind) or napot(lo + first, size)
            s.set(p)
            probes(s, "run %d perm %d" % (k, perm), [lo + first // 16 * 16 + d for d in range(-16, 32, 4)])


def locks(s, k, kind):
    """A locked entry binds M-mode and cannot be changed; with TOR neither can the address below."""
    at = s.at
    p = base(s)
    p.cfg[k] = kind | 1 | LOCK
    if kind == TOR:
        p.addr[k - 1] = at >> 2
        p.addr[k] = at + PAGE >> 2
    elif kind == NA4:
        p.addr[k] = at + 8 >> 2
    else:
        p.addr[k] = napot(at, 64)
    edges = [at, at + 4, at + 8, at + 12, at + 60, at + 64, at + PAGE - 8, at + PAGE]
    s.set(base(s))
    probes(s, "open", edges)
    s.set(p)
    probes(s, "locked", edges)
    q = base(s)
    q.cfg[k] = NAPOT | 7
    q.addr = [a ^ 0x40 if i != 15 else a for i, a in enumerate(p.addr)]
    s.set(q)
    probes(s, "written again", edges)
    # An entry before it that nobody has locked comes first.
    q = base(s)
    q.cfg[0] = NAPOT | 7
    q.addr[0] = napot(at, 16)
    s.set(q)
    probes(s, "behind an open one", edges)


def priority(s):
    at = s.at
    for a, b in ((1, 7), (7, 1), (0, 7), (5, 3), (4, 1)):
        for big in (0, 1):
            p = base(s)
            p.cfg[2 + big], p.addr[2 + big] = NAPOT | a, napot(at, PAGE)
            p.cfg[3 - big], p.addr[3 - big] = NAPOT | b, napot(at + 32, 16)
            s.set(p)
            probes(s, "order %d %d %d" % (a, b, big), [at + 24, at + 28, at + 32, at + 40, at + 44, at + 48])
    # No entry at all for the page: nothing for S and U, all for M.
    p = base(s)
    p.cfg[15] = 0
    p.cfg[14] = TOR | 7
    p.addr[13], p.addr[14] = 0, s.at >> 2
    s.set(p)
    probes(s, "no match", [at - 8, at - 4, at, at + 8])
    # Off, empty, and TOR of entry 0.
    p = base(s)
    p.cfg[3], p.addr[3] = OFF, napot(at, PAGE)
    p.cfg[5], p.addr[4], p.addr[5] = TOR, at + 64 >> 2, at + 32 >> 2
    s.set(p)
    probes(s, "off and empty", [at, at + 32, at + 64])
    p = base(s)
    p.cfg[0], p.addr[0] = TOR | 5, at + 8 >> 2
    s.set(p)
    probes(s, "TOR of entry 0", [at - 8, at, at + 4, at + 8])


def scattered(s, rnd, n):
    """Random entries over a few pages, random accesses."""
    at = s.at
    for k in range(n):
        p = base(s)
        for i in sorted(rnd.sample(range(0, 15), rnd.randrange(1, 8))):
            kind = rnd.choice([TOR, TOR, NA4, NAPOT, NAPOT, OFF])
            p.cfg[i] = kind | rnd.choice([0, 1, 3, 4, 5, 7, 7])
            size = rnd.choice([8, 16, 32, 64, 128, 1024, PAGE, 2 * PAGE])
            lo = at + rnd.randrange(0, 3 * PAGE) // 4 * 4
            p.addr[i] = napot(lo // size * size, size) if kind == NAPOT else lo >> 2
            if kind == TOR and not i:
                p.cfg[i] |= 4  # code below
        s.set(p)
        for _ in range(40):
            op = rnd.choice(list(OPS))
            edges = [e for i in range(15) for e in s.pmp.range(i) if at <= e < at + 3 * PAGE] + [at + 64, at + PAGE]
            va = min(max(rnd.choice(edges) + rnd.choice([-8, -4, -2, -1, 0, 0, 0, 1, 2, 4, 8]), at), at + 3 * PAGE - 8)
            if op == "fetch":
                va = va // 4 * 4 + (2 if (va - at) // PAGE == 1 else 0)
                if not s.fetchable(va):
                    continue
            s.row(rnd.choice(["M", "M as S", "M as U", "S", "U"]), op, va, None, "random %d" % k)


def translated(s):
    """Under Sv39: the page, its page tables, a superpage that entries part, each regime."""
    at = s.at
    va = 0x10000000
    big = 0x40000000
    spaces = {}
    for u in (0, U):
        maps = [(GIGA, GIGA, RWX | A | D | V | u, 2), (big, GIGA, RWX | A | D | V | u, 2)]
        flags = [RD | W | X | A | D, RD | W | A | D, RD | X | A | D, X | A | D, RD | A | D, RD | W | X, RD | W | X | A]
        maps += [(va + k * PAGE, at, f | V | u, 0) for k, f in enumerate(flags)]
        maps += [(va + (16 + k) * PAGE, at, f | V | (u ^ U), 0) for k, f in enumerate(flags)]
        root, where = space_of(s, maps)
        spaces[u] = Space(root, maps, where)
    regimes = ("M", "M as S", "M as U", "S", "U", "S+SUM", "S+MXR", "M as S+SUM", "M as S+MXR")
    ops = ("lb", "ld", "lr.w", "sw", "sd", "amoadd.d", "sc.w", "fetch")

    def each(what, addrs):
        for u, sp in spaces.items():
            for m in regimes:
                if (MODES[m][0] == "U") != bool(u) and MODES[m][0] != "M":
                    continue
                for ad in addrs:
                    if MODES[m][0] == "M":
                        o = [x for x in ops if x != "fetch"]
                        if m == "M":
                            continue
                    else:
                        o = ops
                    for op in o:
                        s.row(m, op, ad, sp, what)

    pages = [va + k * PAGE for k in range(7)] + [va + (16 + k) * PAGE for k in range(7)]
    for u, sp in spaces.items():
        # The last level first: its PTEs have no A and D yet.
        for table in reversed(list(sp.tables.values())):
            for perm in (0, 1):
                p = base(s)
                p.cfg[3], p.addr[3] = NAPOT | perm, napot(table, PAGE)
                s.set(p)
                m = "U" if u else "S"
                if table in (sp.root, sp.tables[(0,)], sp.tables[(0, 128)]):
                    for ad in (va, va + 5 * PAGE, va + 6 * PAGE):
                        # Where code itself is found by the root nothing can be executed.
                        for mm in ("M as " + m,) if table == sp.root else ("M as " + m, m):
                            for op in ("lb", "sw", "amoadd.d"):
                                s.row(mm, op, ad, sp, "table %x perm %d" % (table, perm))
    s.set(base(s))
    each("open", pages)
    for perm in (0, 1, 3, 4, 5):
        p = base(s)
        p.cfg[3], p.addr[3] = NAPOT | perm, napot(at, PAGE)
        s.set(p)
        each("page perm %d" % perm, pages + [big + at - GIGA, big + at - GIGA + PAGE])
        p = base(s)
        p.cfg[3], p.addr[3] = NAPOT | perm, napot(at + 64, 64)
        s.set(p)
        each("part of a page, perm %d" % perm, [va + 60, va + 64, va + 120, va + 128, big + at - GIGA + 56, big + at - GIGA + 64])
    s.set(base(s))


def space_of(s, maps):
    """As SuiteBase.space(), with the tables by path."""
    tables = {}
    img = s.img
    real = img.sig_alloc
    order = []

    def note(content, align=8):
        at = real(content, align)
        order.append(at)
        return at
    img.sig_alloc = note
    root, _ = s.space(maps)
    img.sig_alloc = real
    tables[()] = root
    rest = order[1:]
    for va, _, _, level in maps:
        idx = [va >> 30 & 511, va >> 21 & 511, va >> 12 & 511]
        for k in range(2 - level):
            path = tuple(idx[:k + 1])
            if path not in tables:
                tables[path] = rest.pop(0)
    return root, tables


def suites(rt, seed, count, only=None):
    """All images, ready to be written."""
    rnd = random.Random(seed)
    cases = [("match types", match_types), ("priority", priority),
             ("random entries", lambda s: scattered(s, rnd, count)), ("Sv39", translated)]
    for kind in (TOR, NA4, NAPOT):
        for k in (1, 7, 8, 14):
            cases.append(("locked %s %d" % ({TOR: "TOR", NA4: "NA4", NAPOT: "NAPOT"}[kind], k),
                          lambda s, k=k, kind=kind: locks(s, k, kind)))
    for name, fill in cases:
        if only and not re.search(only, name):
            continue
        s = Suite(rt, name)
        fill(s)
        s.finish()
        yield s


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", default="rights")
    ap.add_argument("--count", type=int, default=60, help="random sets of entries")
    ap.add_argument("--only", help="images whose name matches")
    ap.add_argument("--qemu", action="store_true", help="say where QEMU departs from the manual")
    ap.add_argument("--build", default=rv.BUILD)
    args = ap.parse_args()
    run = image.Runner(args.build, 60)
    rt = os.path.join(args.build, "isa", "rt.elf")
    out = tap.Tap()
    if not run.have_uhost():
        return out.skip_all("no uhost at %s" % run.uhost)
    try:
        for s in suites(rt, args.seed, args.count, args.only):
            elf = run.path("rights.elf")
            s.img.write(elf)
            try:
                why = s.check(run.run_uhost(elf))
                if args.qemu:
                    # Faults of atomics are those of loads there.
                    for w in [w for w in s.check(run.run_qemu(elf)) if ": amo" not in w][:5]:
                        print("# QEMU: " + w)
            except image.RunError as e:
                why = [str(e)]
            out.result(not why, "%s (%d accesses)" % (s.name, len(s.rows)), why[:12] + (["and %d more" % (len(why) - 12)] if len(why) > 12 else []))
    finally:
        run.close()
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
