#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make what the lab runs through the module: the table, privileged, random and
meeting programs as ELF files, and beside each what it must leave behind.

  prepare.py [--seed S] [--count N]      to BUILD/isa/lab; N random programs (50)
"""

import os
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
# pylint: disable=wrong-import-position
import argparse
import random
import shutil

import rv
from suites import Meet, Priv, Quiet, Random, Table
import tap


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", default=str(random.SystemRandom().getrandbits(32)))
    ap.add_argument("--count", type=int, default=50)
    ap.add_argument("--build", default=rv.BUILD)
    args = ap.parse_args()
    out = tap.Tap()
    if not shutil.which(os.environ.get("QEMU", "qemu-system-riscv64")):
        return out.skip_all("no qemu-system-riscv64")
    print("# seed %s" % args.seed, flush=True)
    to = os.path.join(args.build, "isa", "lab")
    shutil.rmtree(to, ignore_errors=True)
    os.makedirs(to)
    b, s, n = args.build, args.seed, args.count
    for make in (lambda: Table(b), lambda: Priv(b), lambda: Quiet(b), lambda: Random("random", b, s, n),
                 lambda: Random("storm", b, s + "s", n, 2000), lambda: Random("harts", b, s + "h", n, 0, 2),
                 lambda: Meet("meet", b, 2000)):
        suite = make()
        suite.save(to)
        suite.run.close()
        out.result(True, "%s: %d records" % (suite.name, len(suite.records)))
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
