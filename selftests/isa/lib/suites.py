# SPDX-License-Identifier: GPL-2.0-or-later
"""The test images with what each must leave behind, as records that need no Python to compare."""

import importlib.util
import os
import struct
import time

import gen
import image
import kinds
from image import SIG, STATE_CMP

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
M64 = (1 << 64) - 1


def script(name):
    """A test program of selftests/isa as a module: the random.py there is not Python's."""
    spec = importlib.util.spec_from_file_location("isa_" + name, os.path.join(HERE, name + ".py"))
    mod = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mod)
    return mod


def ones(n):
    return b"\xff" * n


class Suite:
    """An image in a file, and records: (name, offset in the signature, what must be there, mask)."""

    harts = 1
    extra = ()

    def __init__(self, name, build):
        self.name, self.build = name, build
        self.run = image.Runner(build, 120)
        self.elf = self.run.path(name + ".elf")
        self.records = []
        self.good = None
        self.seconds = 0

    def rt(self):
        return os.path.join(self.build, "isa", "rt.elf")

    def expect(self, name, at, want, mask=None):
        self.records.append((name, at - SIG, bytes(want), mask or ones(len(want))))

    def expect_word(self, name, at, want, mask=M64):
        self.expect(name, at, struct.pack("<Q", want), struct.pack("<Q", mask))

    def differs(self, got):
        """The name of the first record that is not as it must be, or None."""
        for name, o, want, mask in self.records:
            a = got[o:o + len(want)]
            if a != want and (int.from_bytes(a, "little") ^ int.from_bytes(want, "little")) & int.from_bytes(mask, "little"):
                return name
        return None

    def options(self):
        return ["--cpus", str(self.harts)] + list(self.extra)

    def prepare(self):
        """Run it in uhost. Returns what is wrong."""
        start = time.monotonic()
        self.good = self.run.run_uhost(self.elf, self.options())
        self.seconds = time.monotonic() - start
        return self.differs(self.good)

    def save(self, directory):
        """The image and its records, for differs.c."""
        out = struct.pack("<4sII", b"DTVX", self.harts, len(self.records))
        for name, o, want, mask in self.records:
            n = name.encode()[:255]
            out += struct.pack("<III", o, len(want), len(n)) + n + want + mask
        path = os.path.join(directory, self.name)
        with open(self.elf, "rb") as f, open(path + ".elf", "wb") as g:
            g.write(f.read())
        with open(path + ".want", "wb") as g:
            g.write(out)


class Table(Suite):
    def __init__(self, build):
        super().__init__("table", build)
        mod = script("table")
        t = mod.Tables(self.rt(), None)
        t.build()
        t.img.write(self.elf)
        want = self.run.run_qemu(self.elf)
        # What the packaged QEMU does wrong is the simulator's, which has no mstatus.
        mine = [g for g in t.groups if g.name.split(" ")[0] in mod.NOT_IN_QEMU]
        sim, _ = mod.simulate(t, mine)
        ids = {id(g) for g in mine}
        for g in t.groups:
            src = sim if id(g) in ids else want
            if g.rows:
                o = g.out - SIG
                self.expect(g.name, g.out, src[o:o + g.per * len(g.rows)])
            s = g.prog.state - SIG
            mask = bytearray(ones(STATE_CMP))
            if id(g) in ids:
                mask[image.S_MSTATUS:image.S_MSTATUS + 8] = bytes(8)
            self.expect(g.name, g.prog.state, src[s:s + STATE_CMP], bytes(mask))
            if g.name.startswith("FS dirty"):
                self.expect_word(g.name, g.prog.state + image.S_FS, 3 << 13)


class Priv(Suite):
    def __init__(self, build, name="priv", only="^(?!quiet)"):
        super().__init__(name, build)
        mod = script("priv")
        s = mod.Suite(self.rt(), only)
        s.build()
        s.img.write(self.elf)
        sig = self.run.run_qemu(self.elf, image.ICOUNT)
        for t in s.tests:
            for k, (what, mask, value) in enumerate(t.outs):
                at = t.results + 8 * k
                want = struct.unpack_from("<Q", sig, at - SIG)[0] if value is None else value
                self.expect_word("%s: %s" % (t.name, what), at, want, mask)
            traps = getattr(t, "want_traps", None)
            if traps is not None:
                self.expect_word("%s: traps" % t.name, t.prog.state + image.S_TRAPS, len(traps))
                for k, (cause, tval) in enumerate(traps[:image.LOGGED]):
                    at = t.prog.state + image.S_LOG + 24 * k
                    self.expect_word("%s: cause of trap %d" % (t.name, k), at, cause)
                    self.expect_word("%s: tval of trap %d" % (t.name, k), at + 16, tval)
            if t.compare_state:
                o = t.prog.state - SIG
                self.expect(t.name, t.prog.state, sig[o:o + STATE_CMP])
            if hasattr(t, "want_traps"):
                self.expect_word("%s: traps" % t.name, t.prog.state + image.S_TRAPS, len(t.want_traps))
                for k, (cause, tval) in enumerate(t.want_traps[:image.LOGGED]):
                    self.expect_word("%s: cause of trap %d" % (t.name, k), t.prog.state + image.S_LOG + 24 * k, cause)
                    self.expect_word("%s: tval of trap %d" % (t.name, k), t.prog.state + image.S_LOG + 24 * k + 16, tval)
            root, maps = getattr(t, "ptes", (0, ()))
            for va, _, flags, level in maps:
                at = mod.pte_at(sig, root, va, level)
                self.expect_word("%s: PTE of %x, flags %x" % (t.name, va, flags), at,
                                 struct.unpack_from("<Q", sig, at - SIG)[0], t.pte_mask)


class Quiet(Priv):
    """Those that must not trap, by themselves, for a host with a small cache."""

    def __init__(self, build):
        super().__init__(build, "quiet", "^quiet")


class Random(Suite):
    """Programs by seed, and a quarter as many of odd encodings; @storm: ticks between timer interrupts."""

    def __init__(self, name, build, seed, count, storm=0, harts=1, extra=(), runs=False):
        super().__init__(name, build)
        self.harts, self.extra = harts, extra
        gens = [kinds.program("%s.%d" % (seed, k), None, None, storm > 0) for k in range(count)]
        gens += [gen.Words("%s.%d" % (seed, k), None, None, storm > 0) for k in range(count // 4)]
        if runs:
            gens = [kinds.Runs("%s.%d" % (seed, k)) for k in range(count)]
        if "--cache" in extra:
            gens += [kinds.Far("%s.%d" % (seed, k)) for k in range(2)]
        still = self.write(gens, name + "-still.elf", 0, 1)
        os.replace(self.write(gens, name + ".elf", storm, harts), self.elf)
        want = self.run.run_qemu(still)
        for g in gens:
            for what, at, size in g.compare:
                size = STATE_CMP if what == "state" else size
                self.expect("program %s: %s" % (g.seed, what), at, want[at - SIG:at - SIG + size])

    def write(self, gens, name, storm, harts):
        img = image.Image(self.rt())
        img.storm, img.harts = storm, harts
        for g in gens:
            g.put(img)
        img.write(self.run.path(name))
        return self.run.path(name)


class Meet(Suite):
    """Two harts over shared cells, maybe kicked at any place. On a busy machine they seldom run at the same time."""

    harts = 2

    def __init__(self, name, build, rounds, extra=()):
        super().__init__(name, build)
        self.extra = list(extra)
        m = script("meet").Meeting(self.rt(), rounds)
        m.img.write(self.elf)
        for what, at, size, end in m.cells:
            self.expect(what, at, end.to_bytes(size, "little"))
