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
import itertools
import re
import subprocess
import time

import image
import rv
from suites import Meet, Priv, Random, Table, script
import tap

# Harts that have to meet do so more often if nothing else runs.
ALONE = ("meet", "kicked", "smp")
ORDER = ["table", "priv", "rights", "off", "random", "storm", "runs", "evicted", "meet", "kicked", "smp"]


def notices(test, run, mutant):
    """Show a mutant to a suite. Returns what it notices."""
    # Harts that have to wait for each other take longer on a busy machine.
    run.timeout = max(5 if test.harts == 1 else 30, int(test.seconds * 5))
    try:
        got = run.run_uhost(test.elf, test.options() + ["--mutate", mutant])
    except image.RunError as e:
        return str(e).split("\n", maxsplit=1)[0]
    return None if got == test.good else test.differs(got)


class Rights:
    """Several images, as locks stay until the machine ends."""

    name = "rights"

    def __init__(self, build, seed):
        self.run = image.Runner(build, 120)
        self.suites = list(script("rights").suites(os.path.join(build, "isa", "rt.elf"), seed, 60))
        for k, s in enumerate(self.suites):
            s.img.write(self.run.path("rights-%d.elf" % k))

    def prepare(self):
        return self.caught(self.run, "none")

    def caught(self, run, mutant):
        run.timeout = 20
        try:
            for k, s in enumerate(self.suites):
                why = s.check(run.run_uhost(self.run.path("rights-%d.elf" % k), ["--mutate", mutant]))
                if why:
                    return why[0]
        except image.RunError as e:
            return str(e).split("\n", maxsplit=1)[0]
        return None


class Off:
    """What is on only if asked for."""

    name = "off"

    def __init__(self, build):
        self.suite = script("off").stateen(build)
        self.run = image.Runner(build, 20)

    def prepare(self):
        return self.caught(self.run, "none")

    def caught(self, run, mutant):
        run.timeout = 20
        try:
            why = self.suite.run(run, ["--mutate", mutant])
        except image.RunError as e:
            return str(e).split("\n", maxsplit=1)[0]
        return why[0] if why else None


class Smp:
    """A kernel with a verdict of its own."""

    name = "smp"

    def __init__(self, build):
        self.cmd = [os.path.join(build, "uhost-mutate"), "--kernel", os.path.join(build, "smp", "Image"),
                    "--memory", "64M", "--cpus", "2", "--append", "smp.seconds=1", "--max-seconds", "30"]

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
    ap.add_argument("--seed", default="mutants", help="of the random programs")
    ap.add_argument("--all", action="store_true", help="do not stop at the first test that notices")
    ap.add_argument("--build", default=rv.BUILD)
    args = ap.parse_args()
    out = tap.Tap()
    program = os.path.join(args.build, "uhost-mutate")
    os.environ["UHOST"] = program
    if not os.access(program, os.X_OK):
        return out.skip_all("no %s: make -C selftests/host mutate" % program)
    start = time.monotonic()
    suites = [Table(args.build), Priv(args.build), Random("random", args.build, args.seed, 240),
              Random("storm", args.build, args.seed, 60, 300),
              Random("runs", args.build, args.seed, 150, runs=True, extra=["--stress-kicks"]),
              Random("evicted", args.build, args.seed, 240, extra=["--cache", "1M"]),
              Meet("meet", args.build, 40000), Meet("kicked", args.build, 40000, ["--stress-kicks"])]
    others = [Rights(args.build, args.seed), Off(args.build), Smp(args.build)]
    tests = {t.name: t for t in suites + others}
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
                # What shows by chance gets twelve tries.
                for _ in range(12 if name == m[1] and name in ("runs", "meet", "kicked") else 1):
                    test = tests[name]
                    why = test.caught(run, m[0]) if test in others else notices(test, run, m[0])
                    if why:
                        break
                if why:
                    hits.append("%s: %s" % (name, why))
                    if not args.all:
                        break
        finally:
            run.close()
        return hits, time.monotonic() - begin
    chosen = [m for m in mutants(program) if not args.only or re.search(args.only, m[0])]
    chosen.sort(key=lambda m: m[1] in ALONE)
    together = [m for m in chosen if m[1] not in ALONE]
    caught = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as ex:
        for m, (hits, seconds) in zip(chosen, itertools.chain(ex.map(work, together), map(work, chosen[len(together):]))):
            caught += bool(hits)
            what = "; ".join(hits) or "no test notices"
            out.result(bool(hits), "%s (%s): %s%s" % (m[0], m[2], what, " [%.0f s]" % seconds if seconds >= 5 else ""))
    for t in suites + others[:2]:
        t.run.close()
    share = "caught %d of %d (%d %%)" % (caught, len(chosen), 100 * caught // max(1, len(chosen)))
    print("# %s in %.0f s" % (share, time.monotonic() - start))
    # make check-isa ends with this.
    if not args.only:
        with open(os.path.join(args.build, "isa", "share"), "w") as f:
            f.write("broken engines: %s\n" % share)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
