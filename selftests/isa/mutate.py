#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Are the instruction-set tests good enough? Breaks the engine on purpose, one
way at a time, and looks whether a test notices.

  mutate.py [--only REGEX] [--jobs N] [--all]

The ways are the table in kmod/guest/mutants.h; uhost-mutate is built with them and
takes one by --mutate. A mutant is given to the tests in an order that begins with
the one that its row names, until one fails; with --all every test sees every
mutant. Prints the test that caught each, and the share that was caught.
"""

import os
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
# pylint: disable=wrong-import-position
import argparse
import concurrent.futures
import importlib.util
import re
import subprocess
import time

import gen
import image
import rv
import tap

HERE = os.path.dirname(os.path.abspath(__file__))
ORDER = ["table", "priv", "rights", "random", "storm", "meet", "kicked", "smp"]


def script(name):
    """A test program of this directory as a module: the random.py here is not Python's."""
    spec = importlib.util.spec_from_file_location("isa_" + name, os.path.join(HERE, name + ".py"))
    mod = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mod)
    return mod


class Elf:
    """A test that is an image: caught() compares what it leaves behind with QEMU's."""

    def __init__(self, name, args, extra=()):
        self.name, self.args, self.extra = name, args, list(extra)
        self.run = image.Runner(args.build, 120)
        self.elf = self.run.path(name + ".elf")
        self.good = None
        self.seconds = 0

    def prepare(self):
        """Run it with nothing broken. Returns what is wrong."""
        start = time.monotonic()
        self.good = self.run.run_uhost(self.elf, self.extra)
        self.seconds = time.monotonic() - start
        return self.differs(self.good)

    def caught(self, run, mutant):
        run.timeout = max(5, int(self.seconds * 5))
        try:
            got = run.run_uhost(self.elf, self.extra + ["--mutate", mutant])
        except image.RunError as e:
            return str(e).split("\n", maxsplit=1)[0]
        return None if got == self.good else self.differs(got)


class Table(Elf):
    def __init__(self, args):
        super().__init__("table", args)
        self.mod = script("table")
        self.t = self.mod.Tables(os.path.join(args.build, "isa", "rt.elf"), None)
        self.t.build()
        self.t.img.write(self.elf)
        self.want = self.run.run_qemu(self.elf)
        # What the packaged QEMU does wrong is the simulator's.
        mine = [g for g in self.t.groups if g.name.split(" ")[0] in self.mod.NOT_IN_QEMU]
        self.sim, self.mine = self.mod.simulate(self.t, mine)
        self.groups = [g for g in self.t.groups if g not in mine]

    def differs(self, got):
        bad = self.mod.check(self.groups, self.want, got, "")
        if not bad:
            # But for mstatus, which the simulator has not.
            sim = bytearray(self.sim)
            for g in self.mine:
                o = g.prog.state - image.SIG + image.S_MSTATUS
                sim[o:o + 8] = got[o:o + 8]
            bad = self.mod.check(self.mine, bytes(sim), got, "")
        return bad[0][0].name if bad else None


class Priv(Elf):
    def __init__(self, args):
        super().__init__("priv", args)
        self.mod = script("priv")
        self.s = self.mod.Suite(os.path.join(args.build, "isa", "rt.elf"), None)
        self.s.build()
        self.s.img.write(self.elf)
        self.want = self.run.run_qemu(self.elf, image.ICOUNT)

    def differs(self, got):
        for t in self.s.tests:
            if self.mod.check(t, self.want, got):
                return t.name
        return None


class Rights(Elf):
    """Several images, as locks stay until the machine ends."""

    def __init__(self, args):
        super().__init__("rights", args)
        self.suites = list(script("rights").suites(os.path.join(args.build, "isa", "rt.elf"), args.seed, 60))
        for k, s in enumerate(self.suites):
            s.img.write(self.run.path("rights-%d.elf" % k))

    def prepare(self):
        return self.caught(self.run, "none")

    def caught(self, run, mutant):
        try:
            for k, s in enumerate(self.suites):
                why = s.check(run.run_uhost(self.run.path("rights-%d.elf" % k), ["--mutate", mutant]))
                if why:
                    return why[0]
        except image.RunError as e:
            return str(e).split("\n", maxsplit=1)[0]
        return None


class Random(Elf):
    """Programs by seed, in three modes and with odd encodings; @storm: ticks between timer interrupts."""

    def __init__(self, args, name, count, storm=0, extra=()):
        super().__init__(name, args, extra)
        self.gens = [gen.Gen("%s.%d" % (args.seed, k), None, None, storm > 0) for k in range(count)]
        self.gens += [gen.Words("%s.%d" % (args.seed, k), None, None, storm > 0) for k in range(count // 4)]
        self.mod = script("random")
        bench = self.mod.Bench(argparse.Namespace(build=args.build, timeout=120))
        try:
            self.want = bench.run.run_qemu(bench.image(self.gens, name + "-still.elf"))
            os.replace(bench.image(self.gens, name + ".elf", storm), self.elf)
        finally:
            bench.run.close()
        self.bench = bench

    def differs(self, got):
        for g in self.gens:
            if self.bench.diff(g, self.want, got):
                return "program %s" % g.seed
        return None


class Meet(Elf):
    """Two harts over shared cells, maybe kicked at any place. On a busy machine they seldom run at the same time."""

    def __init__(self, args, name, rounds, extra=()):
        super().__init__(name, args, ["--cpus", "2"] + list(extra))
        self.m = script("meet").Meeting(os.path.join(args.build, "isa", "rt.elf"), rounds)
        self.m.img.write(self.elf)

    def differs(self, got):
        return next((name for name, why in self.m.check(got) if why), None)

    def patient(self, run, mutant):
        """The same for what shows by chance: up to twelve tries."""
        return next((why for why in (self.caught(run, mutant) for _ in range(12)) if why), None)


class Smp:
    """A kernel with a verdict of its own."""

    name = "smp"

    def __init__(self, args):
        self.cmd = [os.path.join(args.build, "uhost-mutate"), "--kernel", os.path.join(args.build, "smp", "Image"),
                    "--memory", "64M", "--cpus", "2", "--append", "smp.seconds=1", "--max-seconds", "6"]

    def prepare(self):
        return self.caught(None, "none")

    def caught(self, _, mutant):
        r = subprocess.run(self.cmd + ["--mutate", mutant], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False)
        lines = r.stdout.decode(errors="replace").splitlines()
        if r.returncode == 0 and "smp: passed" in lines:
            return None
        said = [ln for ln in lines if ln.startswith("smp:")]
        return said[-1] if said else "ends with %d" % r.returncode


def mutants(program):
    out = subprocess.run([program, "--mutate", "list"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return [tuple(ln.split("\t")) for ln in out.splitlines()]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--only", help="mutants whose name matches")
    ap.add_argument("--jobs", type=int, default=os.cpu_count())
    ap.add_argument("--seed", default="mutate", help="of the random programs")
    ap.add_argument("--all", action="store_true", help="do not stop at the first test that notices")
    ap.add_argument("--build", default=rv.BUILD)
    args = ap.parse_args()
    out = tap.Tap()
    program = os.path.join(args.build, "uhost-mutate")
    os.environ["UHOST"] = program
    if not os.access(program, os.X_OK):
        return out.skip_all("no %s: make -C selftests/host mutate" % program)
    start = time.monotonic()
    tests = {t.name: t for t in (Table(args), Priv(args), Rights(args), Random(args, "random", 240), Random(args, "storm", 60, 300),
                                 Meet(args, "meet", 40000), Meet(args, "kicked", 40000, ["--stress-kicks"]),
                                 Smp(args))}
    for t in tests.values():
        why = t.prepare()
        if why:
            out.result(False, "%s passes with nothing broken" % t.name, [why])
    if out.failed:
        return out.done()
    print("# prepared after %.0f s" % (time.monotonic() - start), flush=True)

    def work(m):
        run = image.Runner(args.build, 60)
        begin = time.monotonic()
        hits = []
        try:
            for name in sorted(ORDER, key=lambda n: n != m[1]):
                test = tests[name]
                why = test.patient(run, m[0]) if name == m[1] and name in ("meet", "kicked") else test.caught(run, m[0])
                if why:
                    hits.append("%s: %s" % (name, why))
                    if not args.all:
                        break
        finally:
            run.close()
        return hits, time.monotonic() - begin
    chosen = [m for m in mutants(program) if not args.only or re.search(args.only, m[0])]
    caught = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as ex:
        for m, (hits, seconds) in zip(chosen, ex.map(work, chosen)):
            caught += bool(hits)
            what = "; ".join(hits) or "no test notices"
            out.result(bool(hits), "%s (%s): %s%s" % (m[0], m[2], what, " [%.0f s]" % seconds if seconds >= 5 else ""))
    for t in tests.values():
        if isinstance(t, Elf):
            t.run.close()
    print("# caught %d of %d (%d %%) in %.0f s" % (caught, len(chosen), 100 * caught // max(1, len(chosen)),
                                                  time.monotonic() - start))
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
