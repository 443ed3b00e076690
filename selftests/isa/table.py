#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Table tests: every unprivileged instruction over the operand classes that
break translators: x0, aliased operands, registers with and without a host
register in each role, limits of immediates and shift amounts, special values,
page edges, rounding modes.

Each group is a program of an image (lib/image.py). It runs in uhost and in
QEMU; final state, traps and results are compared bit for bit. Integer groups
are run by lib/sim.py too.

  table.py [--only REGEX] [--oracle]     --oracle: compare QEMU with sim.py only
  table.py --disassemble REGEX           show the code of groups
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
from image import FS_INITIAL, MPP, SIG, STATE_CMP
import rv
from rv import BRANCHES, FP_EXTS, FP_MEM, INT_EXTS, LOADS, MAPPED, NOT_IN_QEMU, R, REGS, STORES, TAB, UNMAPPED
import sim
import tap

M64 = (1 << 64) - 1
INTS = [0, 1, M64, 2, M64 - 1, 1 << 63, (1 << 63) - 1, 1 << 31, (1 << 31) - 1, M64 << 31 & M64,
        (1 << 32) - 1, 1 << 32, 31, 32, 33, 63, 64, 127, 0x5555555555555555, 0x123456789abcdef0,
        0x80000000ffffffff, 0x00000001deadbeef]
IMMS = [0, 1, -1, 2, 2047, -2048, -2047, 0x555, 0x7f, -128, 31, 255]
SHIFTS = [0, 1, 2, 15, 31, 32, 33, 47, 62, 63]
SHIFTSW = [0, 1, 2, 15, 30, 31]

# (rd, rs1, rs2): host-mapped and not, in each role; aliased; x0 in each role.
_M = MAPPED
_U = UNMAPPED
TRIPLES = [
    (R["a0"], R["a1"], R["a2"]), (R["t0"], R["t1"], R["t2"]), (R["a0"], R["t1"], R["t2"]),
    (R["t0"], R["a1"], R["t2"]), (R["t0"], R["t1"], R["a2"]), (R["a0"], R["a1"], R["t2"]),
    (R["s0"], R["s3"], R["s1"]), (R["t6"], R["s2"], R["sp"]),
    (R["a3"], R["a3"], R["a4"]), (R["a5"], R["a4"], R["a5"]), (R["ra"], R["a0"], R["a0"]),
    (R["sp"], R["sp"], R["sp"]), (R["s2"], R["s2"], R["t3"]), (R["s1"], R["t4"], R["s1"]),
    (R["t3"], R["t3"], R["t4"]), (R["t5"], R["s8"], R["t5"]), (R["gp"], R["tp"], R["tp"]),
    (R["s9"], R["s9"], R["s9"]), (R["a7"], R["a7"], R["a1"]), (R["s10"], R["a2"], R["s10"]),
    (0, R["a0"], R["a1"]), (0, R["t0"], R["t1"]), (R["a0"], 0, R["a1"]), (R["a1"], R["a0"], 0),
    (R["t0"], 0, R["t1"]), (R["t1"], R["t0"], 0), (R["a2"], 0, 0), (R["t2"], 0, 0), (0, 0, 0),
    (R["ra"], R["s0"], R["s2"]), (R["s0"], R["ra"], R["sp"]), (R["s6"], R["a6"], R["s11"]),
]
PAIRS = [(R["a0"], R["a1"]), (R["t0"], R["t1"]), (R["a0"], R["t1"]), (R["t0"], R["a1"]),
         (R["a2"], R["a2"]), (R["t2"], R["t2"]), (0, R["a3"]), (0, R["t3"]), (R["a4"], 0),
         (R["t4"], 0), (R["sp"], R["s0"]), (R["ra"], R["s2"]), (R["s1"], R["sp"])]

F_SPECIAL_D = [0, 1 << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000,
               0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000001234, 0x7ff0000000000001,
               0xfff4000000000000, 1, 0x800fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff,
               0x3ca0000000000000, 0x3ff0000000000001, 0x41dfffffffc00000, 0xc1e0000000000000,
               0x43e0000000000000, 0x43f0000000000000, 0x3fe0000000000000, 0x400921fb54442d18,
               0xc1e0000000200000, 0x41efffffffe00001, 0x47efffffefffffff, 0x380fffffffffffff,
               0x36a0000000000000, 0xc3e0000000000001, 0xbfe8000000000000]
_S = [0, 1 << 31, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc01234, 0x7f800001,
      0xffa00000, 1, 0x807fffff, 0x00800000, 0x7f7fffff, 0x33800000, 0x3f800001, 0x4effffff,
      0xcf000000, 0x4f000000, 0x5f000000, 0x5f800000, 0x3f000000, 0x40490fdb, 0xcf000001, 0xdf000001,
      0xbf400000, 0x4f7fffff]
F_SPECIAL_S = [0xffffffff00000000 | v for v in _S] + [0x7ff8000000000000, 0x3f800000, 0xfffffffe3f800000]
_H = [0, 1 << 15, 0x3c00, 0xbc00, 0x7c00, 0xfc00, 0x7e00, 0xfe12, 0x7c01, 0xfd00, 1, 0x83ff, 0x0400, 0x7bff,
      0x1400, 0x3c01, 0x77ff, 0xf800, 0x7800, 0x0200, 0x3800, 0x4248, 0xbe00, 0x5bff, 0x6400, 0x8001]
F_SPECIAL_H = [0xffffffffffff0000 | v for v in _H] + [0x7ff8000000000000, 0xffffffff00003c00, 0x3c00]
FMA_H = [F_SPECIAL_H[i] for i in (0, 1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 21)] + [0xffffffff3f803c00]
FMA_D = [F_SPECIAL_D[i] for i in (0, 1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 21)]
FMA_S = [F_SPECIAL_S[i] for i in (0, 1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 22)] + [0x3f800000]
F_TRIPLES = [(1, 2, 3), (0, 31, 16), (4, 4, 5), (6, 7, 6), (8, 9, 9), (10, 10, 10)]


class Group:
    """A program plus what names its results."""

    def __init__(self, name, prog, out, per, rows, pure):
        self.name, self.prog, self.out, self.per, self.rows, self.pure = name, prog, out, per, rows, pure


class Tables:
    """Builds all groups into one image."""

    def __init__(self, rt, only):
        self.img = image.Image(rt)
        self.only = re.compile(only) if only else None
        self.groups = []
        self.rng = random.Random(1)
        self.tables = {}
        self.code = []

    def x(self):
        """Distinct initial registers that are no addresses."""
        return [0] + [(0x1111111111111111 * (i % 15 + 1) ^ i << 40 ^ 0xabc0) & M64 for i in range(1, 32)]

    def table(self, rows):
        """Operand rows in memory, shared between groups. Returns (address, rows, row size)."""
        key = tuple(rows)
        if key not in self.tables:
            n = len(rows[0])
            self.tables[key] = self.img.alloc(b"".join(struct.pack("<%dQ" % n, *r) for r in rows))
        return self.tables[key]

    def want(self, name):
        return not self.only or self.only.search(name)

    def free(self, used, n):
        """n registers outside of used, other ones each time."""
        c = [r for r in range(1, 32) if r not in used]
        self.rng.shuffle(c)
        # Keep addressing registers of both kinds.
        return c[:n]

    def emit(self, name, a, x, out=0, per=0, rows=0, pure=True, f=None, fcsr=0,
             mstatus=MPP["M"] | FS_INITIAL, mtraps=64):
        a.label("end")
        a.i("ecall")
        at = self.img.alloc(0, 4)
        code = a.bytes(at)
        self.img.data += code
        # Some groups start at odd halfwords, so that 4-byte instructions cross lines and pages.
        self.img.data += bytes(2 * self.rng.randrange(4))
        self.img.data += bytes(len(self.img.data) % 2)
        p = image.Program(at, a.labels["end"], x, f, fcsr, mstatus, 0, mtraps, name)
        self.img.add(p)
        self.groups.append(Group(name, p, out, per, rows, pure))
        self.code.append((name, at, code))

    def loop(self, name, used, rows, body, per, pure=True, **kw):
        """A program that runs body over operand rows. body(asm, p, o) emits the
        code with p at the row and o at the results; per: bytes of results a row."""
        if not self.want(name):
            return
        p, o, n = self.free(set(used), 3)
        tab = self.table(rows)
        out = self.img.sig_alloc(per * len(rows))
        x = self.x()
        x[p], x[o], x[n] = tab, out, len(rows)
        a = rv.Asm()
        a.label("loop")
        body(a, p, o)
        a.i("addi", rd=p, rs1=p, imm=8 * len(rows[0]))
        a.i("addi", rd=o, rs1=o, imm=per)
        a.i("addi", rd=n, rs1=n, imm=-1)
        a.to("bne", "loop", rs1=n, rs2=0)
        self.emit(name, a, x, out, per, rows, pure, **kw)

    # --- integer ---

    def int_rr(self):
        full = [(a, b) for a in INTS for b in INTS]
        for t in TAB.values():
            if t.fmt != "R" or t.ext not in INT_EXTS or t.name == "sfence.vma":
                continue
            for k, (rd, r1, r2) in enumerate(TRIPLES):
                rows = full if k < 2 else [full[(17 * j + 5 * k) % len(full)] for j in range(40)]

                def body(a, p, o, t=t, rd=rd, r1=r1, r2=r2):
                    a.i("ld", rd=r1, rs1=p, imm=0)
                    a.i("ld", rd=r2, rs1=p, imm=8)
                    a.i(t.name, rd=rd, rs1=r1, rs2=r2)
                    a.i("sd", rs1=o, rs2=rd, imm=0)
                    a.i("sd", rs1=o, rs2=r1, imm=8)
                    a.i("sd", rs1=o, rs2=r2, imm=16)
                self.loop("%s %s,%s,%s" % (t.name, REGS[rd], REGS[r1], REGS[r2]), (rd, r1, r2), rows, body, 24)

    def int_ri(self):
        vals = [(v,) for v in INTS]
        for t in TAB.values():
            if t.ext not in INT_EXTS or t.fmt not in ("I", "SH", "SHW") or t.name in LOADS + ["jalr"]:
                continue
            for rd, r1 in PAIRS:
                imms = {"I": IMMS, "SH": SHIFTS, "SHW": SHIFTSW}[t.fmt]

                def body(a, p, o, t=t, rd=rd, r1=r1, imms=imms):
                    for k, i in enumerate(imms):
                        a.i("ld", rd=r1, rs1=p)
                        a.i(t.name, rd=rd, rs1=r1, imm=i)
                        a.i("sd", rs1=o, rs2=rd, imm=8 * k)
                self.loop("%s %s,%s,imm" % (t.name, REGS[rd], REGS[r1]), (rd, r1), vals, body, 8 * len(imms))

    def int_known(self):
        """Operands that the translator knows: constants made in the same block."""
        cs = [0, 1, -1, 5, 63, 64, -2048, 1 << 31, (1 << 31) - 1, -(1 << 31), 0xffffffff, 1 << 63, 1 << 40]
        for t in TAB.values():
            if t.fmt != "R" or t.ext not in INT_EXTS or t.name == "sfence.vma":
                continue
            for rd, r1, r2 in TRIPLES[0:2] + TRIPLES[8:12] + TRIPLES[14:16] + TRIPLES[20:22]:
                name = "%s known %s,%s,%s" % (t.name, REGS[rd], REGS[r1], REGS[r2])
                if not self.want(name):
                    continue
                (o,) = self.free({rd, r1, r2}, 1)
                prs = [(cs[k], cs[(k * 5 + 3) % len(cs)]) for k in range(len(cs))]
                prs += [(c, c) for c in cs[:4]] + [(1 << 63, -1), (-(1 << 31), -1), (7, 0), (-7, 2)]
                out = self.img.sig_alloc(8 * len(prs))
                a = rv.Asm()
                for k, (v, w) in enumerate(prs):
                    a.li(r1, v)
                    a.li(r2, w)
                    a.i(t.name, rd=rd, rs1=r1, rs2=r2)
                    a.i("sd", rs1=o, rs2=rd, imm=8 * k)
                x = self.x()
                x[o] = out
                self.emit(name, a, x, out, 8, prs)
        for rd, r1 in PAIRS:
            name = "immediate ops known %s,%s" % (REGS[rd], REGS[r1])
            if not self.want(name):
                continue
            (o,) = self.free({rd, r1}, 1)
            a = rv.Asm()
            rows = []
            for t in TAB.values():
                if t.ext not in INT_EXTS or t.fmt not in ("I", "SH", "SHW") or t.name in LOADS + ["jalr"]:
                    continue
                for c, i in ((-1, 1), (0, 0), (1 << 63, 31), (-(1 << 31), 5), (0x7fffffff, 1)):
                    a.li(r1, c)
                    a.i(t.name, rd=rd, rs1=r1, imm=i)
                    a.i("sd", rs1=o, rs2=rd)
                    a.i("addi", rd=o, rs1=o, imm=8)
                    rows.append((t.name, c, i))
            out = self.img.sig_alloc(8 * len(rows))
            x = self.x()
            x[o] = out
            self.emit(name, a, x, out, 8, rows)

    def waits(self):
        """Hints and waits that may end at once: nothing happens."""
        a = rv.Asm()
        for w in (0x0100000f, rv.enc("wrs.nto"), rv.enc("wrs.sto"),
                  0x00056013, 0x00156013, 0x00356013, 0xfe056013):  # pause, prefetch.i, .r, .w, .i -32(a0)
            a.raw(w)
            a.i("addi", rd=R["a1"], rs1=R["a1"], imm=1)
        if self.want("wrs.nto and hints"):
            self.emit("wrs.nto and hints", a, self.x())

    def upper(self):
        for rd in (0, R["a0"], R["t0"], R["sp"], R["s2"], R["t6"]):
            for op in ("lui", "auipc"):
                name = "%s %s" % (op, REGS[rd])
                if not self.want(name):
                    continue
                (o,) = self.free({rd}, 1)
                imms = [0, 1, 0x7ffff, 0x80000, 0xfffff, 0x12345, 0x80001]
                out = self.img.sig_alloc(16 * len(imms))
                a = rv.Asm()
                for k, i in enumerate(imms):
                    a.i(op, rd=rd, imm=i)
                    a.i("sd", rs1=o, rs2=rd, imm=16 * k)
                    a.i(op, rd=rd, imm=i)
                    a.i("addi", rd=rd, rs1=rd, imm=-1)
                    a.i("sd", rs1=o, rs2=rd, imm=16 * k + 8)
                x = self.x()
                x[o] = out
                self.emit(name, a, x, out, 16, imms)

    # --- memory ---

    def memory(self):
        rng = random.Random(2)
        page = bytes(rng.randrange(256) for _ in range(8192))
        ro = self.img.alloc(page, 4096)
        edge = ro + 4096
        bases = [(b,) for b in [edge - 2048, edge, edge - 1, edge - 2, edge - 3, edge - 4, edge - 5, edge - 7,
                                edge - 8, edge + 1, edge + 8]]
        offs = [0, 1, -1, 3, 7, 8, 2047, -2048]
        regs = PAIRS[:8] + [(R["s2"], R["sp"]), (R["sp"], R["sp"]), (R["t6"], R["ra"])]
        for op in LOADS:
            for rd, b in regs:
                def body(a, p, o, op=op, rd=rd, b=b):
                    for k, i in enumerate(offs):
                        a.i("ld", rd=b, rs1=p)
                        a.i(op, rd=rd, rs1=b, imm=i)
                        a.i("sd", rs1=o, rs2=rd, imm=8 * k)
                    # The same base again and again: what is known of it must stay true.
                    a.i("ld", rd=b, rs1=p)
                    a.i(op, rd=rd, rs1=b, imm=4)
                    if rd != b:
                        a.i("addi", rd=b, rs1=b, imm=2)
                        a.i(op, rd=rd, rs1=b, imm=4)
                    a.i("sd", rs1=o, rs2=rd, imm=8 * len(offs))
                self.loop("%s %s,(%s)" % (op, REGS[rd], REGS[b]), (rd, b), bases, body, 8 * len(offs) + 8)
        for op in STORES:
            for src, b in [(s, d) for s, d in regs if s != d] + [(R["a0"], R["a0"]), (R["t0"], R["t0"])]:
                name = "%s %s,(%s)" % (op, REGS[src], REGS[b])
                if not self.want(name):
                    continue
                area = self.img.sig_alloc(page, 4096)
                mid = area + 4096
                rows = [(mid + d, INTS[(3 * k + 19) % len(INTS)]) for k, d in
                        enumerate((-2048, 0, -1, -2, -3, -4, -5, -7, -8, 1, 8, 40, 77))]

                def body(a, p, o, op=op, src=src, b=b):
                    for i in offs:
                        a.i("ld", rd=src, rs1=p, imm=8)
                        a.i("ld", rd=b, rs1=p)
                        a.i(op, rs1=b, rs2=src, imm=i)
                    a.i("ld", rd=b, rs1=p)
                    a.i("ld", rd=b, rs1=b)
                    a.i("sd", rs1=o, rs2=b)
                self.loop(name, (src, b), rows, body, 8)

    def cache_blocks(self):
        """cbo.*: from any address of a block; only cbo.zero changes something."""
        rng = random.Random(5)
        for op in ("cbo.zero", "cbo.clean", "cbo.flush", "cbo.inval"):
            for b in (R["a0"], R["t0"], R["sp"], R["s9"]):
                name = "%s (%s)" % (op, REGS[b])
                if not self.want(name):
                    continue
                area = self.img.sig_alloc(bytes(rng.randrange(1, 256) for _ in range(8192)), 4096)
                rows = [(area + k,) for k in (64, 191, 4095, 4096 + 33, 6000, 8063)]

                def body(a, p, o, op=op, b=b):
                    a.i("ld", rd=b, rs1=p)
                    a.i(op, rs1=b)
                    a.i("sd", rs1=o, rs2=b)
                    # The base again: it was checked. The block's first and last bytes, and its neighbours.
                    for k, at in enumerate((-8, 0, 24, 56, 64)):
                        a.i("ld", rd=b, rs1=p)
                        a.i("andi", rd=b, rs1=b, imm=-64)
                        a.i("ld", rd=b, rs1=b, imm=at)
                        a.i("sd", rs1=o, rs2=b, imm=8 + 8 * k)
                self.loop(name, (b,), rows, body, 48)
                if not self.want(name + " known"):
                    continue
                a = rv.Asm()
                a.li(b, area + 1000)
                a.i(op, rs1=b)
                self.emit(name + " known", a, self.x())

    def atomics(self):
        for t in TAB.values():
            if t.fmt != "AMO" or t.name[:2] in ("lr", "sc"):
                continue
            wide = t.name.endswith(".d")
            vals = [(a, b) for a in INTS[:13] for b in INTS[:13]]
            for k, (rd, r1, r2) in enumerate(TRIPLES):
                if r1 == 0:
                    continue
                name = "%s %s,%s,(%s)" % (t.name, REGS[rd], REGS[r2], REGS[r1])
                if not self.want(name):
                    continue
                cell = self.img.sig_alloc(16, 16) + (0 if wide or k % 2 else 4)
                rows = [(a, b, cell) for a, b in (vals if k < 2 else vals[k::9])]
                (v,) = self.free({rd, r1, r2}, 1)

                def body(a, p, o, t=t, rd=rd, r1=r1, r2=r2, v=v, k=k, wide=wide):
                    a.i("ld", rd=v, rs1=p, imm=16)
                    a.i("ld", rd=r1, rs1=p)
                    a.i("sd" if wide else "sw", rs1=v, rs2=r1)
                    a.i("ld", rd=r2, rs1=p, imm=8)
                    a.i("ld", rd=r1, rs1=p, imm=16)
                    a.i(t.name, rd=rd, rs1=r1, rs2=r2, aq=k & 1, rl=k >> 1 & 1)
                    a.i("sd", rs1=o, rs2=rd)
                    a.i("ld" if wide else "lw", rd=v, rs1=v)
                    a.i("sd", rs1=o, rs2=v, imm=8)
                self.loop(name, (rd, r1, r2, v), rows, body, 16)
        for w in ("w", "d"):
            for k, (rd, r1, r2) in enumerate(TRIPLES):
                if r1 == 0:
                    continue
                name = "lr/sc.%s %s,%s,(%s)" % (w, REGS[rd], REGS[r2], REGS[r1])
                if not self.want(name):
                    continue
                cell = self.img.sig_alloc(32, 16)
                rows = [(a, b, cell) for a, b in zip(INTS, INTS[3:])]
                v, z = self.free({rd, r1, r2}, 2)

                def body(a, p, o, w=w, rd=rd, r1=r1, r2=r2, v=v, z=z, k=k):
                    def ptr():
                        a.i("ld", rd=r2, rs1=p, imm=8)
                        a.i("ld", rd=r1, rs1=p, imm=16)
                    lr, sc = "lr." + w, "sc." + w
                    st = "sd" if w == "d" else "sw"
                    a.i("ld", rd=z, rs1=p)
                    a.i("ld", rd=v, rs1=p, imm=16)
                    a.i(st, rs1=v, rs2=z)
                    a.i(st, rs1=v, rs2=z, imm=16)
                    # Success.
                    ptr()
                    a.i(lr, rd=rd, rs1=r1, aq=k & 1)
                    a.i("sd", rs1=o, rs2=rd)
                    ptr()
                    a.i(sc, rd=rd, rs1=r1, rs2=r2, rl=k & 1)
                    a.i("sd", rs1=o, rs2=rd, imm=8)
                    a.i("ld", rd=z, rs1=v)
                    a.i("sd", rs1=o, rs2=z, imm=16)
                    # The reservation is used up: fails.
                    ptr()
                    a.i("addi", rd=r2, rs1=r2, imm=1) if r2 != r1 else None
                    a.i(sc, rd=rd, rs1=r1, rs2=r2)
                    a.i("sd", rs1=o, rs2=rd, imm=24)
                    a.i("ld", rd=z, rs1=v)
                    a.i("sd", rs1=o, rs2=z, imm=32)
                    # Another address: fails.
                    ptr()
                    a.i(lr, rd=rd, rs1=r1)
                    ptr()
                    a.i("addi", rd=r1, rs1=r1, imm=16)
                    a.i(sc, rd=rd, rs1=r1, rs2=r2)
                    a.i("sd", rs1=o, rs2=rd, imm=40)
                    a.i("ld", rd=z, rs1=v, imm=16)
                    a.i("sd", rs1=o, rs2=z, imm=48)
                self.loop(name, (rd, r1, r2, v, z), rows, body, 56)

    # --- control flow ---

    def branches(self):
        full = [(a, b) for a in INTS for b in INTS]
        for op in BRANCHES:
            for k, (rd, r1, r2) in enumerate(TRIPLES):
                rows = full if k < 2 else [full[(13 * j + 7 * k) % len(full)] for j in range(40)]
                (m,) = self.free({r1, r2}, 1)

                def body(a, p, o, op=op, r1=r1, r2=r2, m=m):
                    n = len(a.items)
                    a.i("ld", rd=r1, rs1=p)
                    a.i("ld", rd=r2, rs1=p, imm=8)
                    a.i("addi", rd=m, rs1=0, imm=1)
                    a.to(op, "f%d" % n, rs1=r1, rs2=r2)
                    a.i("addi", rd=m, rs1=m, imm=2)
                    a.label("f%d" % n)
                    a.i("sd", rs1=o, rs2=m)
                    # Backward: over there, back here when taken.
                    a.i("addi", rd=m, rs1=0, imm=0)
                    a.to("jal", "g%d" % n, rd=0)
                    a.label("h%d" % n)
                    a.i("addi", rd=m, rs1=m, imm=64)
                    a.to("jal", "k%d" % n, rd=0)
                    a.label("g%d" % n)
                    a.i("addi", rd=m, rs1=m, imm=1)
                    a.to(op, "h%d" % n, rs1=r1, rs2=r2)
                    a.i("addi", rd=m, rs1=m, imm=8)
                    a.label("k%d" % n)
                    a.i("sd", rs1=o, rs2=m, imm=8)
                    # A branch to itself plus 4 and to the next instruction.
                    a.to(op, "n%d" % n, rs1=r1, rs2=r2)
                    a.label("n%d" % n)
                    a.i("sd", rs1=o, rs2=m, imm=16)
                self.loop("%s %s,%s" % (op, REGS[r1], REGS[r2]), (r1, r2, m), rows, body, 24)
        # Known operands.
        for op in BRANCHES:
            name = "%s known" % op
            if not self.want(name):
                continue
            a = rv.Asm()
            cs = [(0, 0), (0, 1), (1, 0), (-1, 0), (0, -1), (-1, -1), (1 << 63, (1 << 63) - 1), (5, -5)]
            out = self.img.sig_alloc(16 * len(cs))
            x = self.x()
            x[R["t0"]] = out
            for k, (v, w) in enumerate(cs):
                for q, (r1, r2) in enumerate(((R["a0"], R["a1"]), (R["t1"], R["t2"]))):
                    a.li(r1, v)
                    a.li(r2, w)
                    a.li(R["a5"], 1)
                    a.to(op, "l%d.%d" % (k, q), rs1=r1, rs2=r2)
                    a.li(R["a5"], 2)
                    a.label("l%d.%d" % (k, q))
                    a.i("sd", rs1=R["t0"], rs2=R["a5"], imm=16 * k + 8 * q)
            self.emit(name, a, x, out, 16, cs)

    def jumps(self):
        for rd in (0, R["ra"], R["t0"], R["a0"], R["s3"], R["sp"]):
            name = "jal %s" % REGS[rd]
            if self.want(name):
                (o,) = self.free({rd}, 1)
                out = self.img.sig_alloc(32)
                a = rv.Asm()
                a.to("jal", "b", rd=rd)
                a.label("a")
                a.i("sd", rs1=o, rs2=rd, imm=8)
                a.to("jal", "c", rd=rd)
                a.label("b")
                a.i("sd", rs1=o, rs2=rd)
                a.to("jal", "a", rd=rd)
                a.label("c")
                a.i("sd", rs1=o, rs2=rd, imm=16)
                a.to("jal", "d", rd=rd)
                a.label("d")
                a.i("sd", rs1=o, rs2=rd, imm=24)
                x = self.x()
                x[o] = out
                self.emit(name, a, x, out, 8, range(4))
            for r1 in (R["ra"], R["t0"], R["a0"], R["s3"], R["sp"], R["t1"]):
                for off in (0, 1, -2, 2047, -2048):
                    name = "jalr %s,%d(%s)" % (REGS[rd], off, REGS[r1])
                    if not self.want(name):
                        continue
                    o, n = self.free({rd, r1}, 2)
                    out = self.img.sig_alloc(48)
                    a = rv.Asm()
                    a.label("top")
                    a.la(r1, "b", -off)
                    a.i("jalr", rd=rd, rs1=r1, imm=off)
                    a.raw(0, 2)
                    a.label("b")
                    a.i("sd", rs1=o, rs2=rd)
                    a.i("sd", rs1=o, rs2=r1, imm=8)
                    a.i("addi", rd=o, rs1=o, imm=16)
                    a.i("addi", rd=n, rs1=n, imm=-1)
                    a.to("bne", "top", rs1=n, rs2=0)
                    x = self.x()
                    x[o], x[n] = out, 3
                    self.emit(name, a, x, out, 16, range(3))
        # Calls and returns nested deeper than a return stack, and returns that do not match.
        if self.want("nested calls"):
            a = rv.Asm()
            sp, ra, n, s = R["sp"], R["ra"], R["a0"], R["a1"]
            a.to("jal", "f", rd=ra)
            a.to("jal", "end", rd=0)
            a.label("f")
            a.i("addi", rd=sp, rs1=sp, imm=-16)
            a.i("sd", rs1=sp, rs2=ra)
            a.i("addi", rd=s, rs1=s, imm=3)
            a.to("beq", "r", rs1=n, rs2=0)
            a.i("addi", rd=n, rs1=n, imm=-1)
            a.to("jal", "f", rd=ra)
            a.label("r")
            a.i("ld", rd=ra, rs1=sp)
            a.i("addi", rd=sp, rs1=sp, imm=16)
            a.i("add", rd=s, rs1=s, rs2=ra)
            a.i("jalr", rd=0, rs1=ra)
            x = self.x()
            x[sp] = self.img.alloc(65536, 16) + 65536
            x[n] = 1500
            self.emit("nested calls", a, x)
        if self.want("returns elsewhere"):
            a = rv.Asm()
            ra, n, t5 = R["ra"], R["a0"], R["t0"]
            a.label("top")
            a.to("jal", "f", rd=ra)
            a.i("addi", rd=R["a1"], rs1=R["a1"], imm=1)
            a.to("jal", "f", rd=t5)
            a.i("addi", rd=R["a1"], rs1=R["a1"], imm=16)
            a.i("addi", rd=R["a1"], rs1=R["a1"], imm=32)
            a.i("addi", rd=n, rs1=n, imm=-1)
            a.to("bne", "top", rs1=n, rs2=0)
            a.to("jal", "end", rd=0)
            a.label("f")
            a.i("andi", rd=R["a2"], rs1=n, imm=1)
            a.i("slli", rd=R["a2"], rs1=R["a2"], imm=2)
            a.to("beq", "g", rs1=R["a3"], rs2=0)
            a.i("add", rd=t5, rs1=t5, rs2=R["a2"])
            a.i("addi", rd=R["a3"], rs1=0, imm=0)
            a.i("jalr", rd=0, rs1=t5)
            a.label("g")
            a.i("addi", rd=R["a3"], rs1=0, imm=1)
            a.i("add", rd=ra, rs1=ra, rs2=R["a2"])
            a.i("jalr", rd=0, rs1=ra)
            x = self.x()
            x[n], x[R["a3"]] = 40, 0
            self.emit("returns elsewhere", a, x)
        # Coroutines: jalr rd=rs1=ra and rd=t0, rs1=ra swap link registers.
        if self.want("coroutines"):
            a = rv.Asm()
            ra, t0, n = R["ra"], R["t0"], R["a0"]
            a.la(t0, "co")
            a.label("top")
            a.i("jalr", rd=ra, rs1=t0)
            a.i("addi", rd=R["a1"], rs1=R["a1"], imm=5)
            a.i("addi", rd=n, rs1=n, imm=-1)
            a.to("bne", "top", rs1=n, rs2=0)
            a.to("jal", "end", rd=0)
            a.label("co")
            a.i("addi", rd=R["a1"], rs1=R["a1"], imm=64)
            a.i("jalr", rd=t0, rs1=ra)
            a.i("addi", rd=R["a1"], rs1=R["a1"], imm=1024)
            a.i("jalr", rd=t0, rs1=ra)
            a.to("jal", "co", rd=0)
            x = self.x()
            x[n] = 50
            self.emit("coroutines", a, x)

    # --- compressed ---

    def compressed(self):
        vals = [(a, b) for a in INTS for b in INTS[::3]]
        cregs = [8, 9, 10, 12, 15]
        for op in ("c.sub", "c.xor", "c.or", "c.and", "c.subw", "c.addw"):
            for rd in cregs:
                for r2 in cregs[:3] + [rd]:
                    def body(a, p, o, op=op, rd=rd, r2=r2):
                        a.i("ld", rd=rd, rs1=p)
                        a.i("ld", rd=r2, rs1=p, imm=8)
                        a.c(op, rd=rd, rs2=r2)
                        a.i("sd", rs1=o, rs2=rd)
                    self.loop("%s %s,%s" % (op, REGS[rd], REGS[r2]), (rd, r2), vals, body, 8)
        wide = [1, 2, 5, 8, 10, 15, 16, 18, 28, 31]
        for op in ("c.mv", "c.add"):
            for rd in [0] + wide:
                for r2 in (rd or 1, 2, 9, 17, 30):
                    def body(a, p, o, op=op, rd=rd, r2=r2):
                        a.i("ld", rd=rd, rs1=p)
                        a.i("ld", rd=r2, rs1=p, imm=8)
                        a.c(op, rd=rd, rs2=r2)
                        a.i("sd", rs1=o, rs2=rd)
                    self.loop("%s %s,%s" % (op, REGS[rd], REGS[r2]), (rd, r2), vals[::4], body, 8)
        one = [(v,) for v in INTS]
        for op, regs, imms in (("c.addi", [0] + wide, [0, 1, -1, 31, -32]), ("c.addiw", wide, [0, 1, -1, 31, -32]),
                               ("c.li", [0] + wide, [0, 1, -1, 31, -32]), ("c.andi", cregs, [0, 1, -1, 31, -32]),
                               ("c.lui", [0, 1, 5, 8, 10, 18, 31], [1, -1, 31, -32]),
                               ("c.srli", cregs, [0, 1, 31, 32, 63]), ("c.srai", cregs, [0, 1, 31, 32, 63]),
                               ("c.slli", [0] + wide, [0, 1, 31, 32, 63]), ("c.nop", [0], [0]),
                               ("c.addi16sp", [2], [16, -16, 32, 496, -512, 64, 128, 256]),
                               ("c.addi4spn", cregs, [4, 8, 16, 32, 64, 128, 256, 512, 1020])):
            for rd in regs:
                def body(a, p, o, op=op, rd=rd, imms=imms):
                    for k, i in enumerate(imms):
                        a.i("ld", rd=2 if op == "c.addi4spn" else rd, rs1=p)
                        a.c(op, rd=rd, imm=i)
                        a.i("sd", rs1=o, rs2=rd, imm=8 * k)
                self.loop("%s %s" % (op, REGS[rd]), (rd, 2), one, body, 8 * len(imms))
        area = self.img.alloc(bytes(self.rng.randrange(256) for _ in range(8192)), 4096)
        bases = [(area + d,) for d in (2048, 2049, 4096 - 8, 4096 - 4, 4096 - 1, 4096 - 252, 4096 - 500)]
        for op, n, regs in (("c.lw", 4, cregs), ("c.ld", 8, cregs), ("c.lwsp", 4, wide), ("c.ldsp", 8, wide)):
            sp = op.endswith("sp")
            imms = [0, n, 8 * n, 16 * n, 31 * n] + ([63 * n, 32 * n] if sp else [])
            for rd in regs:
                for b in ([2] if sp else [rd, 9, 14]):
                    def body(a, p, o, op=op, rd=rd, b=b, imms=imms):
                        for k, i in enumerate(imms):
                            a.i("ld", rd=b, rs1=p)
                            a.c(op, rd=rd, rs2=b, imm=i)
                            a.i("sd", rs1=o, rs2=rd, imm=8 * k)
                    self.loop("%s %s,(%s)" % (op, REGS[rd], REGS[b]), (rd, b), bases, body, 8 * len(imms))
        for op, n, regs in (("c.sw", 4, cregs), ("c.sd", 8, cregs), ("c.swsp", 4, [0] + wide),
                            ("c.sdsp", 8, [0] + wide)):
            sp = op.endswith("sp")
            imms = [0, n, 8 * n, 16 * n, 31 * n] + ([63 * n] if sp else [])
            for rd in regs:
                b = 2 if sp else 11
                name = "%s %s,(%s)" % (op, REGS[rd], REGS[b])
                if not self.want(name):
                    continue
                mem = self.img.sig_alloc(1024, 8)
                rows = [(mem + d, v) for d, v in zip((0, 1, 9, 200, 333), INTS[18:] + INTS[5:])]

                def body(a, p, o, op=op, rd=rd, b=b, imms=imms):
                    for i in imms:
                        a.i("ld", rd=rd, rs1=p, imm=8)
                        a.i("ld", rd=b, rs1=p)
                        a.c(op, rd=rd, rs2=b, imm=i)
                    a.i("sd", rs1=o, rs2=rd)
                self.loop(name, (rd, b), rows, body, 8)
        for op in ("c.beqz", "c.bnez"):
            for r in cregs:
                (m,) = self.free({r}, 1)

                def body(a, p, o, op=op, r=r, m=m):
                    n = len(a.items)
                    a.i("ld", rd=r, rs1=p)
                    a.i("addi", rd=m, rs1=0, imm=1)
                    a.c_to(op, "f%d" % n, rd=r)
                    a.i("addi", rd=m, rs1=m, imm=2)
                    a.label("f%d" % n)
                    a.c_to("c.j", "g%d" % n)
                    a.label("h%d" % n)
                    a.i("addi", rd=m, rs1=m, imm=64)
                    a.c_to("c.j", "k%d" % n)
                    a.label("g%d" % n)
                    a.c_to(op, "h%d" % n, rd=r)
                    a.i("addi", rd=m, rs1=m, imm=8)
                    a.label("k%d" % n)
                    a.i("sd", rs1=o, rs2=m)
                self.loop("%s %s" % (op, REGS[r]), (r, m), one, body, 8)
        for op in ("c.jr", "c.jalr"):
            for r in (1, 2, 5, 6, 8, 10, 17, 31):
                name = "%s %s" % (op, REGS[r])
                if not self.want(name):
                    continue
                o, n = self.free({r, 1}, 2)
                out = self.img.sig_alloc(48)
                a = rv.Asm()
                a.label("top")
                a.la(r, "b", 1)
                a.c(op, rd=r)
                a.raw(0, 2)
                a.label("b")
                a.i("sd", rs1=o, rs2=1)
                a.i("sd", rs1=o, rs2=r, imm=8)
                a.i("addi", rd=o, rs1=o, imm=16)
                a.i("addi", rd=n, rs1=n, imm=-1)
                a.to("bne", "top", rs1=n, rs2=0)
                x = self.x()
                x[o], x[n] = out, 3
                self.emit(name, a, x, out, 16, range(3))

    # --- floating point ---

    def fp(self):
        def clear(a):
            a.i("csrrwi", rd=0, imm=0, csr=1)

        def flags(a, t, o, imm):
            a.i("csrrs", rd=t, rs1=0, csr=1)
            a.i("sd", rs1=o, rs2=t, imm=imm)

        for t in TAB.values():
            if t.ext not in FP_EXTS or t.name in FP_MEM:
                continue
            parts = t.name.split(".")
            two = t.mask & 0x01f00000 == 0 and t.fmt != "R4"
            from_int = parts[0] == "fcvt" and parts[2] in ("w", "wu", "l", "lu") or parts[-1] == "x"
            to_int = (parts[0] == "fcvt" and parts[1] in ("w", "wu", "l", "lu")
                      or parts[0] in ("feq", "flt", "fle", "fclass") or t.name.startswith("fmv.x"))
            src = parts[2] if parts[0] in ("fcvt", "fmv") else parts[1]
            single = src in ("s", "w") and not from_int
            half = src == "h" and not from_int
            vals = F_SPECIAL_H if half else F_SPECIAL_S if single else F_SPECIAL_D
            if from_int:
                rows = [(v,) for v in INTS + [M64 - (1 << 10), 0xffffffffffffff7f, 0x1000001, 0x20000000000001,
                                              0xff7fffffffffffff, 0x7fffffbfffffffff, 0x8000004000000001,
                                              0x7ffffffffffffdff, 0xfffffffffffffc00, 0x1000003]]
            elif t.fmt == "R4":
                v3 = FMA_H if half else FMA_S if single else FMA_D
                rows = [(a, b, c) for a in v3 for b in v3 for c in v3]
            elif two:
                rows = [(a, b) for a in vals for b in vals]
            else:
                rows = [(a,) for a in vals + self.numbers(16 if half else 32 if single else 64)]
            variants = []
            if t.fmt in ("FP", "R4"):
                variants += [(rm, 0, F_TRIPLES[0]) for rm in range(5)]
                variants += [(7, frm << 5, F_TRIPLES[0]) for frm in range(5)]
                variants += [(1, 3 << 5, F_TRIPLES[0]), (0, 2 << 5, F_TRIPLES[0])]
            else:
                variants += [(0, 0, F_TRIPLES[0])]
            variants += [(7, 0, f) for f in F_TRIPLES[1:]]
            for rm, fcsr, (fd, f1, f2) in variants:
                few = rows
                if (fd, f1, f2) != F_TRIPLES[0] or fcsr == (4 << 5) or rm in (1, 2):
                    few = rows[::7 if t.fmt == "R4" else 3] if len(rows) > 100 else rows
                elif t.fmt == "R4":
                    few = rows[::2]
                f3 = {(1, 2, 3): 4, (0, 31, 16): 7, (4, 4, 5): 6, (6, 7, 6): 7, (8, 9, 9): 8,
                      (10, 10, 10): 10}[fd, f1, f2]
                xd = (R["a0"], R["t0"], 0, R["s2"], R["s5"], R["ra"])[F_TRIPLES.index((fd, f1, f2))]
                name = "%s rm=%d frm=%d f%d,f%d,f%d" % (t.name, rm, fcsr >> 5, fd, f1, f2)

                (tmp,) = self.free({xd}, 1)

                def body(a, p, o, t=t, rm=rm, fd=fd, f1=f1, f2=f2, f3=f3, xd=xd, tmp=tmp, two=two,
                         to_int=to_int, from_int=from_int):
                    if from_int:
                        a.i("ld", rd=xd, rs1=p)
                    else:
                        a.i("fld", rd=f1, rs1=p)
                    if two or t.fmt == "R4":
                        a.i("fld", rd=f2, rs1=p, imm=8)
                    if t.fmt == "R4":
                        a.i("fld", rd=f3, rs1=p, imm=16)
                    clear(a)
                    kw = {"rs3": f3} if t.fmt == "R4" else {}
                    if t.fmt in ("FP", "R4"):
                        kw["rm"] = rm
                    a.i(t.name, rd=xd if to_int else fd, rs1=xd if from_int else f1, rs2=f2, **kw)
                    if to_int:
                        a.i("sd", rs1=o, rs2=xd)
                    else:
                        a.i("fsd", rs1=o, rs2=fd)
                    flags(a, tmp, o, 8)
                self.loop(name, (xd, tmp), few, body, 16, pure=False, fcsr=fcsr)
            # Flags that accumulate, no CSR access between; results that feed the next operation.
            if not from_int and not to_int:
                def body(a, p, o, t=t, two=two):
                    a.i("fld", rd=1, rs1=p)
                    if two or t.fmt == "R4":
                        a.i("fld", rd=2, rs1=p, imm=8)
                    if t.fmt == "R4":
                        a.i("fld", rd=3, rs1=p, imm=16)
                    a.i(t.name, rd=4, rs1=1, rs2=2, rs3=3)
                    a.i("fmul.s", rd=5, rs1=4, rs2=4)
                    a.i("fadd.d", rd=6, rs1=4, rs2=4)
                    a.i("fsd", rs1=o, rs2=4)
                    a.i("fsd", rs1=o, rs2=5, imm=8)
                    a.i("fsd", rs1=o, rs2=6, imm=16)
                self.loop("%s chained" % t.name, (), rows[::11] if len(rows) > 100 else rows, body, 24, pure=False)
        self.fp_memory()
        self.fp_illegal()

    def numbers(self, bits):
        rng = random.Random(3)
        out = []
        for k in range(60):
            if bits == 16:
                out.append(0xffffffffffff0000 | rng.getrandbits(1) << 15 | rng.randrange(32) << 10 | rng.getrandbits(10))
            elif bits == 32:
                e = rng.choice([rng.randrange(256), rng.randrange(90, 200)])
                out.append(0xffffffff00000000 | rng.getrandbits(1) << 31 | e << 23 | rng.getrandbits(23))
            else:
                e = rng.choice([rng.randrange(2048), rng.randrange(990, 1100), rng.randrange(890, 1160)])
                out.append(rng.getrandbits(1) << 63 | e << 52 | rng.getrandbits(52))
        # Around what halves hold: conversions to them round, overflow and underflow there.
        if bits == 32:
            out += [0xffffffff00000000 | v for v in (0x477fe000, 0x477fefff, 0x477ff000, 0x387fe000, 0x387fefff, 0x387ff000,
                                                     0x33000000, 0x33000001, 0x32ffffff, 0x387fc000, 0xb8000fff, 0x3f801000)]
        if bits == 64:
            out += [0x40effdffffffffff, 0x40effe0000000000, 0x3f0ffc0000000000, 0x3f0ffdffffffffff, 0x3f0ffe0000000001,
                    0x3e60000000000000, 0x3e60000000000001, 0xbf00020000000000, 0x3ff0020000000000, 0x3ff0020000000001]
        return out

    def fp_memory(self):
        area = self.img.alloc(bytes(self.rng.randrange(256) for _ in range(8192)), 4096)
        bases = [(area + d,) for d in (2048, 2049, 4096 - 8, 4096 - 4, 4096 - 1, 4097)]
        offs = [0, 4, -4, 2047, -2048]
        for op in ("flh", "flw", "fld"):
            for fd, b in ((0, R["a0"]), (31, R["t0"]), (10, R["sp"]), (8, R["s10"])):
                def body(a, p, o, op=op, fd=fd, b=b):
                    for k, i in enumerate(offs):
                        a.i("ld", rd=b, rs1=p)
                        a.i(op, rd=fd, rs1=b, imm=i)
                        a.i("fsd", rs1=o, rs2=fd, imm=8 * k)
                self.loop("%s f%d,(%s)" % (op, fd, REGS[b]), (b,), bases, body, 8 * len(offs), pure=False)
        for op in ("fsh", "fsw", "fsd"):
            for fs, b in ((0, R["a0"]), (31, R["t0"]), (10, R["sp"]), (8, R["s10"])):
                name = "%s f%d,(%s)" % (op, fs, REGS[b])
                if not self.want(name):
                    continue
                mem = self.img.sig_alloc(8192, 4096)
                rows = [(mem + 4096 + d, v) for d, v in zip((0, -8, -4, -1, 100, 301), F_SPECIAL_D[4:])]

                def body(a, p, o, op=op, fs=fs, b=b):
                    for i in offs:
                        a.i("ld", rd=b, rs1=p)
                        a.i("fld", rd=fs, rs1=p, imm=8)
                        a.i(op, rs1=b, rs2=fs, imm=i)
                    a.i("sd", rs1=o, rs2=b)
                self.loop(name, (b,), rows, body, 8, pure=False)
        for op, b, imms in (("c.fld", 9, [0, 8, 64, 248]), ("c.fldsp", 2, [0, 8, 64, 504, 256]),
                            ("c.fsd", 9, [0, 8, 64, 248]), ("c.fsdsp", 2, [0, 8, 64, 504, 256])):
            for fr in (8, 15) if b == 9 else (0, 8, 31):
                name = "%s f%d" % (op, fr)
                if not self.want(name):
                    continue
                mem = self.img.sig_alloc(bytes(range(256)) * 8, 8)
                rows = [(mem + d, v) for d, v in zip((0, 8, 333, 512), F_SPECIAL_D[13:])]

                def body(a, p, o, op=op, b=b, fr=fr, imms=imms):
                    for k, i in enumerate(imms):
                        a.i("ld", rd=b, rs1=p)
                        a.i("fld", rd=fr, rs1=p, imm=8)
                        a.c(op, rd=fr, rs2=b, imm=i)
                        a.i("fsd", rs1=o, rs2=fr, imm=8 * k)
                self.loop(name, (b,), rows, body, 8 * len(imms), pure=False)

    def fp_illegal(self):
        """FS off, reserved rounding modes: every FP instruction traps, or does not, as the manual says."""
        def all_fp(a, kw):
            for t in TAB.values():
                if t.ext not in FP_EXTS or (kw and t.fmt not in ("FP", "R4")):
                    continue
                base = dict(kw)
                if t.name in FP_MEM:
                    base["rs1"] = R["a0"]
                    a.i(t.name, rd=5, rs2=6, **base)
                else:
                    a.i(t.name, rd=5, rs1=6, rs2=7, rs3=8, **base)
        cases = [("FP with FS off", {}, 0, MPP["M"])]
        cases += [("FP static rm=%d" % rm, {"rm": rm}, 0, MPP["M"] | FS_INITIAL) for rm in (5, 6)]
        cases += [("FP frm=%d" % frm, {}, frm << 5, MPP["M"] | FS_INITIAL) for frm in (5, 6, 7)]
        cases += [("FP frm=%d dynamic" % frm, {"rm": 7}, frm << 5, MPP["M"] | FS_INITIAL) for frm in (4, 5, 6, 7)]
        for name, kw, fcsr, mstatus in cases:
            if not self.want(name):
                continue
            mem = self.img.sig_alloc(64, 8)
            a = rv.Asm()
            all_fp(a, kw)
            if not kw:
                for c in ("c.fld", "c.fsd"):
                    a.c(c, rd=9, rs2=10)
                for csr in (1, 2, 3):
                    a.i("csrrs", rd=R["a1"], rs1=0, csr=csr)
                    a.i("csrrwi", rd=R["a1"], imm=0, csr=csr)
            x = self.x()
            x[R["a0"]] = mem
            self.emit(name, a, x, pure=False, fcsr=fcsr, mstatus=mstatus, mtraps=1000)

    def fs_dirty(self):
        """Which FP instructions make FS dirty: those that write FP state must."""
        for t in TAB.values():
            if t.ext not in FP_EXTS or t.fmt == "S" or t.name.startswith(("fmv.x", "feq", "flt", "fle",
                                                                            "fclass", "fcvt.w", "fcvt.l")):
                continue
            name = "FS dirty after %s" % t.name
            if not self.want(name):
                continue
            a = rv.Asm()
            a.i(t.name, rd=5, rs1=R["a0"] if t.name in FP_MEM else 6, rs2=7)
            x = self.x()
            x[R["a0"]] = self.img.alloc(8)
            self.emit(name, a, x, pure=False)

    # --- undefined encodings ---

    def illegal(self):
        rng = random.Random(4)
        rows = list(TAB.values())
        words = [0, 0xffff, 0xffffffff, 0x0000, 0x9c41, 0x9c61, 0x8000, 0x6101, 0x6081 & ~0x107c, 0x2001, 0x4002,
                 0x6002, 0x8002]
        for h in range(0x10000):  # compressed, reserved by the manual
            q, f = h & 3, h >> 13
            rd = h >> 7 & 31
            bad = (q == 0 and (f == 4 or f == 0 and not h & 0x1fe0)) or \
                (q == 1 and (f == 1 and rd == 0 or f == 3 and not h & 0x107c
                             or f == 4 and h & 0x1c00 == 0x1c00 and h & 0x60 in (0x40, 0x60))) or \
                (q == 2 and (f in (2, 3) and rd == 0 and f != 1 or h == 0x8002))
            if bad and (rng.random() < 0.12):
                words.append(h)
        majors = [0x03, 0x07, 0x13, 0x1b, 0x23, 0x27, 0x2f, 0x33, 0x3b, 0x43, 0x47, 0x4b, 0x4f, 0x53, 0x63,
                  0x67, 0x0b, 0x2b, 0x5b, 0x7b, 0x57, 0x77, 0x1f, 0x3f]
        n = 0
        while n < 1500:
            w = rng.getrandbits(32) & ~127 | rng.choice(majors)
            if w & 127 == 0x2f and rng.random() < 0.5:
                w = w & ~0x7000 | 0x2000
            if any(w & t.mask == t.match for t in rows):
                rm = w >> 12 & 7
                t = next(t for t in rows if w & t.mask == t.match)
                if t.fmt not in ("FP", "R4") or rm not in (5, 6):
                    continue
            words.append(w)
            n += 1
        for k in range(0, len(words), 200):
            name = "undefined encodings %d" % (k // 200)
            if not self.want(name):
                continue
            a = rv.Asm()
            for w in words[k:k + 200]:
                a.raw(w)
            # Each one alone in its log: 24 are logged, the rest is in the hash.
            self.emit(name, a, self.x(), pure=False, mtraps=1000)

    def build(self):
        self.int_rr()
        self.int_ri()
        self.int_known()
        self.upper()
        self.waits()
        self.memory()
        self.cache_blocks()
        self.atomics()
        self.branches()
        self.jumps()
        self.compressed()
        self.fp()
        self.fs_dirty()
        self.illegal()


def check(groups, want, got, who, verbose=0):
    """Compare two signatures group by group. Returns [(group, [difference])]."""
    bad = []
    for g in groups:
        why = []
        if g.rows:
            o = g.out - SIG
            n = g.per * len(g.rows)
            if want[o:o + n] != got[o:o + n]:
                for k, row in enumerate(g.rows):
                    a, b = want[o + k * g.per:o + (k + 1) * g.per], got[o + k * g.per:o + (k + 1) * g.per]
                    if a != b:
                        ops = " ".join("%x" % v if isinstance(v, int) else str(v) for v in
                                       (row if isinstance(row, tuple) else (row,)))
                        for w in range(0, g.per, 8):
                            if a[w:w + 8] != b[w:w + 8]:
                                why.append("operands %s result %d: want %016x got %016x" % (
                                    ops, w // 8, int.from_bytes(a[w:w + 8], "little"),
                                    int.from_bytes(b[w:w + 8], "little")))
        s = g.prog.state - SIG
        a, b = want[s:s + STATE_CMP], got[s:s + STATE_CMP]
        if a != b:
            why += image.state_diff(a, b, REGS)
        if g.name.startswith("FS dirty") and got[s + image.S_FS:s + image.S_FS + 8] != struct.pack("<Q", 3 << 13):
            why.append("FS is not dirty")
        if why:
            bad.append((g, ["%s: %s" % (who, w) for w in why[:8]]))
    return bad


def simulate(t, groups):
    """Run the integer groups in sim.py. Returns the signature and the groups it covers."""
    sig = bytearray(t.img.sig)
    s = sim.Sim([(image.DATA, bytearray(t.img.data)), (SIG, sig)])
    done = []
    for g in groups:
        if not g.pure:
            continue
        p = g.prog
        x = [v & M64 for v in p.x]
        try:
            s.run(p.entry, p.end, x)
        except sim.NotSimulated:
            continue
        o = p.state - SIG
        struct.pack_into("<31Q", sig, o, *x[1:])
        struct.pack_into("<32Q", sig, o + image.S_F, *p.f)
        struct.pack_into("<Q", sig, o + image.S_FCSR, p.fcsr)
        struct.pack_into("<Q", sig, o + image.S_CAUSE, 11)
        struct.pack_into("<Q", sig, o + image.S_EPC, p.end)
        done.append(g)
    return bytes(sig), done


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--only", help="groups whose name matches")
    ap.add_argument("--oracle", action="store_true", help="compare the oracles with each other only")
    ap.add_argument("--build", default=rv.BUILD)
    ap.add_argument("--keep", help="write the image to this file")
    ap.add_argument("--list", action="store_true", help="list the groups")
    args = ap.parse_args()

    run = image.Runner(args.build)
    try:
        return tests(args, run)
    finally:
        run.close()


def tests(args, run):
    t = Tables(os.path.join(args.build, "isa", "rt.elf"), args.only)
    t.build()
    if args.list:
        for g in t.groups:
            print(g.name)
        return 0
    elf = args.keep or run.path("table.elf")
    t.img.write(elf)
    out = tap.Tap()
    if not args.oracle and not run.have_uhost():
        return out.skip_all("no uhost at %s" % run.uhost)
    if not run.have_qemu() and args.oracle:
        return out.skip_all("no %s" % run.qemu)

    sims, simmed = simulate(t, t.groups)
    qemu = got = None
    try:
        if run.have_qemu():
            qemu = run.run_qemu(elf)
        got = qemu if args.oracle else run.run_uhost(elf)
    except image.RunError as e:
        out.result(False, "the table image runs", [str(e)])
        return out.done()

    # mstatus at the end is not in the simulator: take it from what is checked.
    def with_mstatus(sig):
        b = bytearray(sig)
        for g in simmed:
            o = g.prog.state - SIG + image.S_MSTATUS
            b[o:o + 8] = got[o:o + 8]
        return bytes(b)
    classes = {}
    for g in t.groups:
        classes.setdefault(g.name.split(" ")[0], []).append(g)
    bad = {}
    for g, why in check(simmed, with_mstatus(sims), got, "sim"):
        bad.setdefault(g.name, []).extend(why)
    if not args.oracle and qemu is not None:
        for g, why in check([g for g in t.groups if g.name.split(" ")[0] not in NOT_IN_QEMU], qemu, got, "qemu"):
            bad.setdefault(g.name, []).extend(why)
    for c, gs in classes.items():
        why = []
        failed = [g for g in gs if g.name in bad]
        for g in failed[:5]:
            why.append(g.name)
            why += ["  " + w for w in bad[g.name]]
        if len(failed) > 5:
            why.append("and %d more groups" % (len(failed) - 5))
        out.result(not failed, "%s (%d groups)" % (c, len(gs)), why)
    print("# %d groups, %d of them simulated, %d of %d failed" % (len(t.groups), len(simmed), len(bad), len(t.groups)))
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
