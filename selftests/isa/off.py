#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""uhost --isa: what is off is an illegal instruction, what is on is none, and
misa agrees. Every instruction that comes with one extension, and its CSRs, is
run once in a machine with all extensions, and once in one without that.

  off.py [--only REGEX]
"""

import os
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
# pylint: disable=wrong-import-position
import argparse
import re
import struct

import image
from privbase import SuiteBase, Test
import rv
from rv import R, TAB
import tap

# In the order of a string; with what goes off with it.
LETTERS = "imafdc"
with open(os.path.join(rv.TOP, "kmod", "guest", "isa.c")) as table:
    NAMES = [n for n in re.findall(r'\{ "(\w+)", DTV_ISA_', table.read()) if len(n) > 1 and n != "zicsr"]
NEEDED_BY = {"f": ["d", "zfh", "zfhmin"], "zfhmin": ["zfh"]}
CSRS = {"zicntr": [0xc00, 0xc01, 0xc02], "zihpm": [0xc03, 0xc10, 0xc1f], "sstc": [0x14d], "smstateen": [0x30c, 0x30d, 0x30f, 0x10c, 0x10e, 0x10f], "f": [1, 2, 3]}
ALWAYS = ("i", "c")
# Nothing of these is illegal anywhere.
HINTS = ("zihintpause zic64b zicbop ziccamoa ziccif zicclsm ziccrse za64rs zkt ssccptr sscounterenw sstvala svade svadu "
         "svnapot svpbmt").split()
ILLEGAL = 2


def isa_string(off):
    gone = {off} | set(NEEDED_BY.get(off, []))
    return "_".join(["rv64" + "".join(x for x in LETTERS if x not in gone)] + [n for n in NAMES if n not in gone])


def all_exts():
    """Extensions of each row: an instruction goes with the last of them."""
    rows = {}
    with open(rv.TABLE) as f:
        for m in re.finditer(r'INSN\(\w+,\s*"([^"]+)"(.*)\)', f.read()):
            rows[m[1]] = [e.lower() for e in re.findall(r"DTV_ISA_(\w+)", m[2])]
    return rows


def words(ext):
    """(what, encoding) of what goes with an extension alone."""
    exts = all_exts()
    out = []
    for t in TAB.values():
        if not set(exts[t.name]) <= {ext} | set(NEEDED_BY.get(ext, [])):
            continue
        kw = {}
        if t.fmt not in ("NONE", "FENCE"):
            kw = dict(rd=R["a1"], rs1=R["a0"], rs2=R["a2"])
        if t.name == "sinval.vma":
            kw = {}
        out.append((t.name, rv.enc(t.name, **kw)))
    for c in CSRS.get(ext, []):
        out.append(("csr %x" % c, rv.enc("csrrs", rd=R["a1"], csr=c)))
    return out


CODE, HOST, LOG, MEM = 0x80000000, 0x80010000, 0x80011000, 0x80020000


class Case:
    """A program of its own: the runtime of the other tests needs most extensions. Its handler logs and goes on."""

    def __init__(self, ext):
        self.ext, self.words = ext, words(ext)
        a = rv.Asm()
        a.la(R["t0"], "trap")
        a.i("csrrw", rs1=R["t0"], csr=0x305)
        a.li(R["t0"], 3 << 13)
        a.i("csrrs", rs1=R["t0"], csr=0x300)
        a.i("csrrs", rd=R["a3"], csr=0x301)
        a.li(R["s1"], LOG)
        a.i("sd", rs1=R["s1"], rs2=R["a3"])
        a.i("addi", rd=R["s1"], rs1=R["s1"], imm=8)
        for _, w in self.words:
            # The address again: a load may have changed it.
            a.li(R["a0"], MEM)
            a.raw(w, 4)
        a.li(R["t0"], HOST)
        a.i("addi", rd=R["t1"], imm=1)
        a.i("sd", rs1=R["t0"], rs2=R["t1"])
        a.label("end")
        a.to("jal", "end")
        a.label("trap")
        for k, csr in enumerate((0x342, 0x343)):
            a.i("csrrs", rd=R["t1"], csr=csr)
            a.i("sd", rs1=R["s1"], rs2=R["t1"], imm=8 * k)
        a.i("addi", rd=R["s1"], rs1=R["s1"], imm=16)
        a.i("csrrs", rd=R["t1"], csr=0x341)
        a.i("addi", rd=R["t1"], rs1=R["t1"], imm=4)
        a.i("csrrw", rs1=R["t1"], csr=0x341)
        a.i("mret")
        self.size = 8 + 16 * len(self.words)
        self.code = a.bytes(CODE)

    def write(self, path):
        image.write_elf(path, [(CODE, self.code), (HOST, bytes(64)), (LOG, bytes(self.size)), (MEM, bytes(4096))],
                        dict(tohost=HOST, fromhost=HOST + 8, begin_signature=LOG, end_signature=LOG + self.size), CODE)

    def check(self, sig, off):
        log = [struct.unpack_from("<QQ", sig, 8 + 16 * k) for k in range(len(self.words))]
        log = [(c, t) for c, t in log if c]
        why = []
        if off:
            why += ["trap %d, tval %x, where the instruction is off" % (c, t) for c, t in log if c != ILLEGAL]
            got = [t for _, t in log]
            why += ["%s (%08x) is not illegal" % (name, w) for name, w in self.words if w not in got]
        else:
            why += ["trap %d, tval %x, with all on" % (c, t) for c, t in log]
        misa = struct.unpack_from("<Q", sig)[0]
        gone = ({self.ext} | set(NEEDED_BY.get(self.ext, []))) if off else set()
        want = 2 << 62 | sum(1 << ord(c) - ord("a") for c in LETTERS + "su" if c not in gone)
        if misa != want:
            why.append("misa: want %x got %x" % (want, misa))
        return why


class Stateen(SuiteBase):
    """Smstateen, which is off unless asked for: what mstateen may hold, and what it opens to S-mode."""

    def build(self):
        se, envcfg, untouched = 1 << 63, 1 << 62, 0x77
        t = Test(self, "mstateen", compare_state=False)
        for k in range(4):
            mask = se | envcfg if k == 0 else se
            for v in (0, (1 << 64) - 1, se, envcfg, 1):
                t.csrwv(0x30c + k, v)
                t.csrr(R["a0"], 0x30c + k)
                t.out(R["a0"], "mstateen%d, %x written" % (k, v), want=v & mask)
            t.csrwv(0x30c + k, 0)
        self.add(t)
        for bits in (0, se, envcfg, se | envcfg):
            t = Test(self, "mstateen0 %x" % bits, compare_state=False)
            t.csrwv(0x30c, bits)
            for mode in ("M", "S"):
                if mode == "S":
                    t.jump_to_mode("S", "there")
                    t.label("there")
                for csr, bit in ((0x10c, se), (0x10a, envcfg)):
                    t.i("addi", rd=R["a0"], imm=untouched)
                    t.csrr(R["a0"], csr)
                    t.out(R["a0"], "csr %x in %s" % (csr, mode), want=0 if mode == "M" or bits & bit else untouched)
            self.add(t)

    def run(self, runner, extra=()):
        """What is wrong, in words; RunError as it comes."""
        elf = runner.path("stateen.elf")
        self.img.write(elf)
        sig = runner.run_uhost(elf, ["--isa", isa_string("")] + list(extra))
        why = []
        for t in self.tests:
            for k, (what, _, want) in enumerate(t.outs):
                got = struct.unpack_from("<Q", sig, t.results + 8 * k - image.SIG)[0]
                if got != want:
                    why.append("%s: %s: want %x got %x" % (t.name, what, want, got))
        return why


def stateen(build):
    s = Stateen(os.path.join(build, "isa", "rt.elf"), None)
    s.build()
    return s


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--only", help="extensions that match")
    ap.add_argument("--build", default=rv.BUILD)
    args = ap.parse_args()
    run = image.Runner(args.build, 10)
    out = tap.Tap()
    try:
        if not run.have_uhost():
            return out.skip_all("no uhost at %s" % run.uhost)
        for ext in list(LETTERS) + NAMES:
            if ext in ALWAYS or args.only and not re.search(args.only, ext):
                continue
            c = Case(ext)
            elf = run.path("off.elf")
            c.write(elf)
            try:
                why = c.check(run.run_uhost(elf, ["--isa", isa_string("")]), False)
                why += c.check(run.run_uhost(elf, ["--isa", isa_string(ext)]), True)
            except image.RunError as e:
                why = [str(e)]
            if not c.words and ext not in HINTS:
                why.append("nothing to try")
            out.result(not why, "%s off (%d)" % (ext, len(c.words)), why)
        if not args.only or re.search(args.only, "stateen"):
            try:
                why = stateen(args.build).run(run)
            except image.RunError as e:
                why = [str(e)]
            out.result(not why, "smstateen on", why)
        return out.done()
    finally:
        run.close()


if __name__ == "__main__":
    sys.exit(main())
