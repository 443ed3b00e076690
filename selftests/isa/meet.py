#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Harts that meet in memory: two run the same loops over shared cells at the
same time. Atomics lose nothing, LR/SC pairs fail when they must, fence keeps a
store before a load. What the cells must hold at the end needs no other machine.

  meet.py [--rounds N]      run in uhost, alone and while it is kicked at any place
"""

import os
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
# pylint: disable=wrong-import-position
import argparse
import image
from image import FS_INITIAL, MPP, SIG
import rv
from rv import R
import tap

LINE = 64
BURSTS = 25  # odd, as the rounds in each are: what is flipped in each round is set at the end
CELL, COUNT, MINE, OTHER, TURN = R["s0"], R["t0"], R["s2"], R["s3"], R["t1"]


class Meeting:
    """The image: one program for each of two harts, and the cells they share."""

    def __init__(self, rt, rounds):
        self.img = image.Image(rt)
        self.img.harts = 2
        self.rounds = BURSTS * (rounds // BURSTS | 1)
        self.cells = []  # (name, address, bytes, value at the end)
        self.turns = self.img.sig_alloc(2 * LINE, LINE)
        self.litmus = self.img.sig_alloc(4 * LINE * self.tries(), LINE)
        self.places = {}
        for me in range(2):
            a = rv.Asm()
            a.li(MINE, self.turns + me * LINE)
            a.li(OTHER, self.turns + (1 - me) * LINE)
            a.li(TURN, 0)
            self.sums(a)
            self.locks(a, me)
            self.pairs(a)
            self.order(a, me)
            a.label("end")
            a.i("ecall")
            at = self.img.alloc(0, 64)
            code = a.bytes(at)
            self.img.data += code
            self.img.add(image.Program(at, a.labels["end"], [0] * 32, None, 0, MPP["M"] | FS_INITIAL, 0, 64, "hart %d" % me))

    def tries(self):
        return min(4096, max(64, self.rounds // 8))

    def cell(self, name, size, end):
        """Address of a cell of its own line, the same for both harts."""
        if name not in self.places:
            self.places[name] = self.img.sig_alloc(LINE, LINE)
            self.cells.append((name, self.places[name], size, end & ((1 << 8 * size) - 1)))
        return self.places[name]

    def turn(self, a, name):
        """Wait until the other hart is here."""
        a.i("addi", rd=TURN, rs1=TURN, imm=1)
        a.i("sd", rs1=MINE, rs2=TURN)
        a.label("wait " + name)
        a.i("ld", rd=R["a5"], rs1=OTHER)
        a.to("blt", "wait " + name, rs1=R["a5"], rs2=TURN)

    def loop(self, a, name, body, rounds):
        """Several bursts, which both begin at once: else one may be done before the other is scheduled."""
        assert rounds % BURSTS == 0
        a.li(R["t5"], BURSTS)
        a.label("burst " + name)
        self.turn(a, name)
        a.li(COUNT, rounds // BURSTS)
        a.label(name)
        body()
        a.i("addi", rd=COUNT, rs1=COUNT, imm=-1)
        a.to("bne", name, rs1=COUNT, rs2=0)
        a.i("addi", rd=R["t5"], rs1=R["t5"], imm=-1)
        a.to("bne", "burst " + name, rs1=R["t5"], rs2=0)

    def sums(self, a):
        """amoadd, with and without its result, in both sizes."""
        for op, size in (("amoadd.w", 4), ("amoadd.d", 8)):
            for rd in (0, R["a0"], R["t3"]):
                name = "%s to %s" % (op, rv.REGS[rd])
                a.li(CELL, self.cell(name, size, 2 * 3 * self.rounds))
                a.li(R["a1"], 3)
                self.loop(a, name, lambda op=op, rd=rd: a.i(op, rd=rd, rs1=CELL, rs2=R["a1"]), self.rounds)

    def locks(self, a, me):
        """Locks by each atomic that can be one, around a counter that is no atomic."""
        rounds = BURSTS * (self.rounds // BURSTS // 4)
        for op, take, free in (("amoor.w", 1, "sw"), ("amoor.d", 1, "amoand.d"), ("amomaxu.w", 1, "sw"), ("amomax.d", 1, "sd"),
                               ("amoswap.w", 1, "amoswap.w")):
            name = "lock by %s" % op
            a.li(CELL, self.cell(name, 8, 0))
            a.li(R["s1"], self.cell("counter in the " + name, 8, 2 * rounds))
            a.li(R["a1"], take)

            def body(op=op, free=free, name=name):
                a.label("take " + name)
                a.i(op, rd=R["a0"], rs1=CELL, rs2=R["a1"], aq=1)
                a.to("bne", "take " + name, rs1=R["a0"], rs2=0)
                a.i("ld", rd=R["a2"], rs1=R["s1"])
                a.i("addi", rd=R["a2"], rs1=R["a2"], imm=1)
                a.i("sd", rs1=R["s1"], rs2=R["a2"])
                if free in ("sw", "sd"):
                    a.i("fence", imm=0x31)
                    a.i(free, rs1=CELL, rs2=0)
                else:
                    a.i(free, rd=0, rs1=CELL, rs2=0, rl=1)
            self.loop(a, name, body, rounds)
        # amoxor and the others to x0: each hart has bits of its own.
        for op, end in (("amoxor.w", 3), ("amoxor.d", 3), ("amoor.d", 3)):
            name = "%s of own bits" % op
            a.li(CELL, self.cell(name, 8, end))
            a.li(R["a1"], 1 << me)
            self.loop(a, name, lambda op=op: a.i(op, rd=0, rs1=CELL, rs2=R["a1"]), self.rounds)

    def pairs(self, a):
        """Increments by LR and SC."""
        for w, size in (("w", 4), ("d", 8)):
            name = "lr.%s and sc.%s" % (w, w)
            a.li(CELL, self.cell(name, size, 2 * self.rounds))

            def body(w=w, name=name):
                a.label("try " + name)
                a.i("lr." + w, rd=R["a0"], rs1=CELL, aq=1)
                a.i("addi", rd=R["a0"], rs1=R["a0"], imm=1)
                a.i("sc." + w, rd=R["a1"], rs1=CELL, rs2=R["a0"], rl=1)
                a.to("bne", "try " + name, rs1=R["a1"], rs2=0)
            self.loop(a, name, body, self.rounds)

    def order(self, a, me):
        """Both store to their own cell, fence, and load the other's: one sees the other."""
        n = self.tries()
        a.li(CELL, self.litmus)
        a.li(R["a1"], 1)
        a.li(COUNT, n)
        a.label("order")
        self.turn(a, "order")
        a.i("sd", rs1=CELL, rs2=R["a1"], imm=me * LINE)
        a.i("fence", imm=0x33)
        a.i("ld", rd=R["a0"], rs1=CELL, imm=(1 - me) * LINE)
        a.i("sd", rs1=CELL, rs2=R["a0"], imm=(2 + me) * LINE)
        a.i("addi", rd=CELL, rs1=CELL, imm=4 * LINE)
        a.i("addi", rd=COUNT, rs1=COUNT, imm=-1)
        a.to("bne", "order", rs1=COUNT, rs2=0)
        # How often neither saw the other; both harts count the same.
        self.turn(a, "order done")
        a.li(CELL, self.litmus)
        a.li(R["s1"], self.cell("fence: neither sees the other's store", 8, 0))
        a.li(COUNT, n)
        a.li(R["a2"], 0)
        a.label("count")
        a.i("ld", rd=R["a0"], rs1=CELL, imm=2 * LINE)
        a.i("ld", rd=R["a1"], rs1=CELL, imm=3 * LINE)
        a.i("or", rd=R["a0"], rs1=R["a0"], rs2=R["a1"])
        a.i("sltiu", rd=R["a0"], rs1=R["a0"], imm=1)
        a.i("add", rd=R["a2"], rs1=R["a2"], rs2=R["a0"])
        a.i("addi", rd=CELL, rs1=CELL, imm=4 * LINE)
        a.i("addi", rd=COUNT, rs1=COUNT, imm=-1)
        a.to("bne", "count", rs1=COUNT, rs2=0)
        a.i("sd", rs1=R["s1"], rs2=R["a2"])

    def check(self, sig):
        """[(name, what is wrong or None)]"""
        out = []
        for name, at, size, end in self.cells:
            got = int.from_bytes(sig[at - SIG:at - SIG + size], "little")
            out.append((name, None if got == end else "want %d got %d" % (end, got)))
        return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--rounds", type=int, default=40000)
    ap.add_argument("--build", default=rv.BUILD)
    args = ap.parse_args()
    run = image.Runner(args.build, 60)
    out = tap.Tap()
    try:
        if not run.have_uhost():
            return out.skip_all("no uhost at %s" % run.uhost)
        for how, extra, rounds in (("", [], args.rounds), (", kicked", ["--stress-kicks"], args.rounds // 4)):
            m = Meeting(os.path.join(args.build, "isa", "rt.elf"), rounds)
            elf = run.path("meet.elf")
            m.img.write(elf)
            try:
                results = m.check(run.run_uhost(elf, ["--cpus", "2"] + extra))
            except image.RunError as e:
                out.result(False, "two harts meet" + how, [str(e)])
                continue
            for name, why in results:
                out.result(not why, name + how, [why] if why else [])
    finally:
        run.close()
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
