# SPDX-License-Identifier: GPL-2.0-or-later
"""Test output in the form that kselftest's runner reads (TAP 13)."""


class Tap:
    def __init__(self):
        self.n = self.failed = 0
        print("TAP version 13", flush=True)

    def result(self, ok, name, why=()):
        self.n += 1
        if not ok:
            self.failed += 1
        for w in why:
            print("# " + w)
        print("%s %d %s" % ("ok" if ok else "not ok", self.n, name), flush=True)

    def skip(self, name, why):
        self.n += 1
        print("ok %d %s # SKIP %s" % (self.n, name, why), flush=True)

    def skip_all(self, why):
        print("1..0 # SKIP " + why)
        return 4

    def done(self):
        print("1..%d" % self.n)
        return 1 if self.failed or not self.n else 0
