#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs: run in uhost and in QEMU, compare everything they leave
behind, and reduce a program that differs to a small one.

  random.py --count 300                fresh seeds (printed)
  random.py --seed 12345 --count 100   programs 12345.0 to 12345.99
  random.py --one 12345.17             one program, with its listing
  random.py --storm 30 --count 100     the same under timer interrupts
  random.py --harts 4 --count 100      the same on four harts at once
  random.py --words --count 100        random encodings
  random.py --plain --count 100        what QEMU has not, against a simulator
  random.py --runs --count 50          loops of computation, interrupted all the time
  random.py --coverage --count 500     which instructions do they execute?
  random.py --instret --count 100      the number of instructions too: QEMU's where nothing traps, as its
                                       count is not the manual's then; with and without optimizations and kicks
  random.py --self                     QEMU against itself: are they deterministic?
"""

import os
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
# pylint: disable=wrong-import-position
import argparse
import concurrent.futures
import copy
import random
import struct
import subprocess
import time

import gen
import image
import kinds
from image import SIG
import rv
import tap


class Bench:
    """Runs sets of programs on both sides."""

    def __init__(self, args):
        self.args = args
        self.rt = os.path.join(args.build, "isa", "rt.elf")
        self.run = image.Runner(args.build, args.timeout)
        self.kicked = self.plain = None  # signatures of uhost, with --instret
        self.compared = 0  # programs whose number of instructions was compared with QEMU's

    def image(self, gens, name, storm=0, harts=1):
        return self.made(gens, name, storm, harts)[0]

    def made(self, gens, name, storm, harts):
        img = image.Image(self.rt)
        img.storm, img.harts, img.count = storm, harts, int(self.args.instret)
        for g in gens:
            g.put(img)
        elf = self.run.path(name)
        img.write(elf)
        return elf, img

    def both(self, gens, name="random.elf"):
        """Returns (the oracle's signature, uhost's). Raises RunError."""
        if self.args.plain:
            elf, img = self.made(gens, name, self.args.storm, self.args.harts)
            return (kinds.simulated(img, gens),
                    self.run.run_uhost(elf, self.args.uhost_args + ["--cpus", str(self.args.harts)]))
        elf = self.image(gens, name)
        if self.args.instret:
            q = self.run.run_qemu(elf, image.ICOUNT_EXACT)
            self.kicked = self.run.run_uhost(elf, ["--stress-kicks"])
            self.plain = self.run.run_uhost(elf, ["--no-opt", "all"])
            return q, self.run.run_uhost(elf, self.args.uhost_args)
        if self.args.self:
            return self.run.run_qemu(elf), self.run.run_qemu(elf)
        hit = elf
        if self.args.storm or self.args.harts > 1:
            hit = self.image(gens, "other-" + name, self.args.storm, self.args.harts)
        with concurrent.futures.ThreadPoolExecutor(1) as ex:
            q = ex.submit(self.run.run_qemu, elf)
            try:
                u = self.run.run_uhost(hit, self.args.uhost_args + ["--cpus", str(self.args.harts)]
                                       + (["--stress-kicks"] if self.args.runs else []))
            finally:
                err = q.exception()
            if err:
                raise err
        return q.result(), u

    def diff(self, g, q, u):
        """How one program's results differ."""
        out = []
        for what, at, size in g.compare:
            if what == "state":
                size = image.STATE_CMP
            a, b = q[at - SIG:at - SIG + size], u[at - SIG:at - SIG + size]
            if a == b:
                continue
            if what == "state":
                out = image.state_diff(a, b, rv.REGS, 12) + out
                continue
            for o in range(0, size, 8):
                if a[o:o + 8] != b[o:o + 8]:
                    out.append("%s + %x: want %s got %s" % (what, o, a[o:o + 8][::-1].hex(), b[o:o + 8][::-1].hex()))
                    if len(out) > 20:
                        return out
        return out + (self.counts(g, q, u) if self.args.instret else [])

    def counts(self, g, q, u):
        """How the numbers of its instructions differ."""
        want, n, kicked, plain = (word(s, g, image.S_COUNT) for s in (q, u, self.kicked, self.plain))
        out = []
        if kicked != n:
            out.append("minstret: %d, under kicks %d" % (n, kicked))
        if plain != n:
            out.append("minstret: %d, without optimizations %d" % (n, plain))
        if word(q, g, image.S_RAW) == word(u, g, image.S_RAW) == 1 and not g.prog.flags & 2:
            self.compared += 1
            if want != n + image.ICOUNT_MORE:
                out.append("minstret: want %d got %d" % (want - image.ICOUNT_MORE, n))
        return out

    def crowd(self, gens):
        """The same for programs that need the company of others to fail: many copies of each at once."""
        out = []
        for g in gens:
            copies = [clone(g) for _ in range(16 * self.args.harts)]
            try:
                q, u = self.both(copies)
            except image.RunError as e:
                out.append((g, [str(e)]))
                continue
            for c in copies:
                d = self.diff(c, q, u)
                if d:
                    out.append((c, d))
                    break
        return out

    def failing(self, gens, alone=False):
        """[(program, differences)] of those that differ; a run that ends wrongly is bisected."""
        if not gens:
            return []
        if self.args.harts > 1 and (len(gens) == 1 or alone):
            return self.crowd(gens)
        try:
            q, u = self.both(gens)
        except image.RunError as e:
            if len(gens) == 1:
                return [(gens[0], [str(e)])]
            h = len(gens) // 2
            return self.failing(gens[:h]) + self.failing(gens[h:])
        out = []
        for g in gens:
            d = self.diff(g, q, u)
            if d:
                out.append((g, d))
        return out

    # --- reduction ---

    def reduce(self, g, seconds=60):
        """The smallest variant found that still differs."""
        end = time.monotonic() + seconds
        best = g
        chunk = max(1, count(best) // 2)
        while chunk and time.monotonic() < end:
            cands = list(variants(best, chunk))
            hit = None
            for k in range(0, len(cands), 48):
                bad = self.failing(cands[k:k + 48], alone=True)
                if bad:
                    hit = min((b for b, _ in bad), key=count)
                    break
                if time.monotonic() > end:
                    break
            if hit is None:
                chunk //= 2
            else:
                best = hit
                chunk = max(1, min(chunk, count(best) // 2))
        for g2 in plainer(best):
            if time.monotonic() > end:
                break
            if self.failing([g2]):
                best = g2
        return best

    def describe(self, g, diffs):
        out = ["program %s, mode %s, %d bytes of code" % (g.seed, g.mode, len(g.code))]
        path = self.run.path("code.bin")
        with open(path, "wb") as f:
            f.write(g.code)
        entry = g.prog.entry & gen.M64
        try:
            r = subprocess.run(["riscv64-linux-gnu-objdump", "-D", "-b", "binary", "-m", "riscv:rv64", "-M", "no-aliases",
                                "--adjust-vma=%#x" % entry, path], stdout=subprocess.PIPE, check=True)
            lines = [ln for ln in r.stdout.decode().splitlines() if ":\t" in ln]
        except (OSError, subprocess.CalledProcessError):
            lines = [g.code.hex()]
        out += ["  " + ln.expandtabs() for ln in (lines if len(lines) < 60 else lines[:60] + ["..."])]
        used = sorted(set(registers(g)))
        p = g.prog
        out.append("  initially: " + " ".join("%s=%x" % (rv.REGS[i], p.x[i] & gen.M64) for i in range(1, 32)
                                               if rv.REGS[i] in used or len(lines) < 60 and any(
                                                   rv.REGS[i] in w.replace("(", ",").replace(")", ",").split(",")
                                                   for ln in lines for w in ln.split())))
        out.append("  fcsr=%x mstatus=%x satp=%x" % (p.fcsr, p.mstatus, p.satp))
        fs = [i for i in range(32) if any(fname(i) in ln.replace(",", " ").split() for ln in lines)]
        if fs:
            out.append("  initially: " + " ".join("%s=%016x" % (fname(i), p.f[i]) for i in fs))
        out += ["  " + d for d in diffs[:14]]
        return out


def word(sig, g, what):
    """A word of a program's state."""
    return struct.unpack_from("<Q", sig, g.prog.state - SIG + what)[0]


def fname(i):
    return ("ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 "
            "fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11").split()[i]


def registers(g):
    return [rv.REGS[b] for b in g.bases]


def flat(nodes):
    """(list, index) of every node, deepest last."""
    for i, n in enumerate(nodes):
        yield nodes, i
        if n[0] != "asm":
            yield from flat(n[2])


def clone(g):
    c = copy.copy(g)
    c.main = copy.deepcopy(g.main)
    c.funcs = copy.deepcopy(g.funcs)
    return c


def lists(g):
    return [g.main] + [f["body"] for f in g.funcs]


def count(g):
    total = 0
    for ls in lists(g):
        for nodes, i in flat(ls):
            total += len(nodes[i][1]) if nodes[i][0] == "asm" else 1
    return total


def variants(g, chunk):
    """Copies of g with chunk nodes taken out, or a tree replaced by its content."""
    n = sum(1 for ls in lists(g) for _ in flat(ls))
    for at in range(0, n, chunk):
        c = clone(g)
        pos = [p for ls in lists(c) for p in flat(ls)][at:at + chunk]
        doomed = [(id(nodes), i) for nodes, i in pos]
        keep = {}
        for ls in lists(c):
            for nodes, _ in flat(ls):
                keep[id(nodes)] = nodes
        for k, nodes in keep.items():
            gone = {i for d, i in doomed if d == k}
            if gone:
                nodes[:] = [x for i, x in enumerate(nodes) if i not in gone]
        yield c
    if chunk == 1:
        for at in range(n):
            c = clone(g)
            nodes, i = [p for ls in lists(c) for p in flat(ls)][at]
            if nodes[i][0] == "asm":
                if len(nodes[i][1]) > 1:
                    for k in range(len(nodes[i][1])):
                        d = clone(g)
                        nd, j = [p for ls in lists(d) for p in flat(ls)][at]
                        nd[j] = ("asm", nd[j][1][:k] + nd[j][1][k + 1:])
                        yield d
                continue
            nodes[i:i + 1] = nodes[i][2]
            yield c


def plainer(g):
    """Copies with simpler surroundings."""
    for k, v in (("start", 0), ("fcsr", 0), ("mxr", False), ("sum", False), ("aged", True), ("fs", 3), ("share", False),
                 ("bare", False)):
        if getattr(g, k) != v:
            c = clone(g)
            setattr(c, k, v)
            yield c


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", help="first part of the programs' names; default: new")
    ap.add_argument("--count", type=int, default=100)
    ap.add_argument("--one", help="run and list one program")
    ap.add_argument("--batch", type=int, default=50, help="programs in one boot")
    ap.add_argument("--mode", choices=["M", "S", "U"])
    ap.add_argument("--size", type=int)
    ap.add_argument("--self", action="store_true", help="QEMU against itself")
    ap.add_argument("--storm", type=int, default=0, metavar="TICKS",
                    help="in uhost, take a timer interrupt every TICKS (100 ns): nothing else may change")
    ap.add_argument("--harts", type=int, default=1, help="in uhost, share the programs out to so many harts")
    ap.add_argument("--words", action="store_true", help="random encodings instead of random programs")
    ap.add_argument("--plain", action="store_true", help="integer programs without traps, against sim.py")
    ap.add_argument("--runs", action="store_true", help="long loops of computation, kicked all the time")
    ap.add_argument("--coverage", action="store_true", help="count the instructions that are executed")
    ap.add_argument("--instret", action="store_true", help="compare the number of instructions")
    ap.add_argument("--no-reduce", action="store_true")
    ap.add_argument("--timeout", type=int, default=20)
    ap.add_argument("--stop-after", type=int, default=3, help="failing programs to reduce")
    ap.add_argument("--uhost-args", default="", type=str.split)
    ap.add_argument("--build", default=rv.BUILD)
    args = ap.parse_args()

    b = Bench(args)
    out = tap.Tap()
    try:
        if not b.run.have_qemu() and not args.plain and not args.coverage:
            return out.skip_all("no %s" % b.run.qemu)
        if not args.self and not b.run.have_uhost():
            return out.skip_all("no uhost at %s" % b.run.uhost)
        if args.coverage:
            return coverage(b, args, out)
        if args.one:
            return one(b, args, out)
        return many(b, args, out)
    finally:
        b.run.close()


def one(b, args, out):
    g = program(args, args.one)
    bad = b.failing([g])
    if not bad:
        b.image([g], "one.elf")
        print("\n".join("# " + ln for ln in b.describe(g, [])))
    report(b, args, out, g, bad[0][1] if bad else [])
    return out.done()


def report(b, args, out, g, diffs):
    why = []
    if diffs:
        small = g if args.no_reduce else b.reduce(g)
        again = b.failing([small])
        b.image([small], "small.elf")
        why = b.describe(small, again[0][1] if again else diffs)
        keep = os.path.join(args.build, "isa", "random-%s.elf" % g.seed)
        os.makedirs(os.path.dirname(keep), exist_ok=True)
        copy_file(b.image([small], "keep.elf"), keep)
        why.append("  image: %s" % os.path.relpath(keep, rv.TOP))
    out.result(not diffs, "program %s" % g.seed, why)


def copy_file(a, b):
    with open(a, "rb") as f, open(b, "wb") as g:
        g.write(f.read())


def program(args, name):
    make = gen.Words if args.words else kinds.Plain if args.plain else kinds.Runs if args.runs else kinds.program
    return make(name, args.size, args.mode, args.storm > 0)


def coverage(b, args, out):
    """Which instructions do so many programs execute? Those that QEMU has must be among them."""
    seed = args.seed or str(random.SystemRandom().getrandbits(32))
    print("# seed %s, %d programs" % (seed, args.count), flush=True)
    path = b.run.path("ops")
    done = {}
    for at in range(0, args.count, args.batch):
        gens = [program(args, "%s.%d" % (seed, k)) for k in range(at, min(at + args.batch, args.count))]
        # What QEMU has not is in programs of another kind: not counted among the @count.
        plain = [kinds.Plain("%s.%d" % (seed, k)) for k in range(at, at + args.batch // 5)]
        elf = b.image(gens + plain, "cover.elf")
        # Blocks end at branches, so that what is in one is executed.
        b.run.run_uhost(elf, ["--no-opt", "branch,loop", "--dump-ops", path])
        with open(path) as f:
            for line in f:
                n, name = line.split()
                done[name] = done.get(name, 0) + int(n)
    want = {n for n in rv.TAB if n not in rv.NOT_IN_QEMU}
    never = sorted(want - set(done))
    rare = sorted(want & set(done), key=lambda n: done[n])[:8]
    print("# %d of %d instructions, %d of the %d that QEMU has; least often: %s"
          % (len(done), len(rv.TAB), len(want & set(done)), len(want), ", ".join("%s %d" % (n, done[n]) for n in rare)))
    out.result(not never, "%d programs execute every instruction that QEMU has" % args.count,
               ["never: " + " ".join(never)] if never else [])
    return out.done()


def many(b, args, out):
    seed = args.seed or str(random.SystemRandom().getrandbits(32))
    print("# seed %s, %d programs" % (seed, args.count), flush=True)
    reduced = 0
    for at in range(0, args.count, args.batch):
        names = ["%s.%d" % (seed, k) for k in range(at, min(at + args.batch, args.count))]
        gens = [program(args, n) for n in names]
        bad = b.failing(gens)
        why = []
        for g, diffs in bad:
            if reduced >= args.stop_after:
                why.append("program %s (not reduced): %s" % (g.seed, diffs[0]))
                continue
            reduced += 1
            alone = b.failing([g])
            if not alone:
                why.append("program %s differs only behind the others of its boot: %s" % (g.seed, "; ".join(diffs[:3])))
                continue
            small = g if args.no_reduce else b.reduce(g)
            again = b.failing([small])
            elf = b.image([small], "keep.elf")
            why += b.describe(small, again[0][1] if again else alone[0][1])
            keep = os.path.join(args.build, "isa", "random-%s.elf" % g.seed)
            copy_file(elf, keep)
            why.append("  image: %s" % os.path.relpath(keep, rv.TOP))
        out.result(not bad, "programs %s to %s" % (names[0], names[-1]), why)
    if args.instret:
        print("# instructions of %d programs were compared with QEMU's" % b.compared)
        out.result(b.compared > 0 or args.words, "programs without a trap")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
