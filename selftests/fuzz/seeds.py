#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A small corpus for engine.c: every instruction once in code that is run, left and
interrupted at its places, under a page table and without; and programs for what takes more than
one instruction: loops, NaNs that wait, runs of computation, pairs, PMP.

What fuzzing has found beyond them is kept in the file corpus, as little of it as reaches the same code.

  seeds.py DIRECTORY          write it all as files
  seeds.py --keep DIRECTORY   make corpus of the files there that this script did not make
"""

import base64

import os
import random
import re
import struct
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.append(os.path.join(TOP, "selftests/isa/lib"))
# pylint: disable=wrong-import-position
import rv

POKE, CODE, REG, CSR, PTE, GO, EXIT, CHAIN, MISS, KICK, INSN, LINE, ANSWER, EVICT, LOOK = range(15)


def words():
    """Each instruction with operands by chance, in the order of the table."""
    rng = random.Random(1)
    with open(os.path.join(TOP, "kmod/guest/insns.h"), encoding="utf-8") as f:
        for m in re.finditer(r"^INSN\(\w+, \"[^\"]+\", \w+, (0x\w+), (0x\w+),", f.read(), re.M):
            match, mask = int(m[1], 16), int(m[2], 16)
            yield match | rng.getrandbits(32) & ~mask & 0xffffffff


def code(hart, at, body):
    return bytes([CODE | hart << 7]) + at.to_bytes(3, "little") + bytes([len(body)]) + body


def walk(rng, n):
    """Leave and interrupt translated code at n places."""
    out = b""
    for _ in range(n):
        block, at = rng.randrange(4), rng.randrange(600)
        out += bytes([CHAIN]) + struct.pack("<HB", block, rng.randrange(4))
        out += bytes([EXIT, rng.randrange(11)]) + struct.pack("<HH", block, at)
        out += bytes([MISS, rng.randrange(2), 0]) + rng.getrandbits(24).to_bytes(3, "little") + struct.pack("<HH", block, at)
        out += bytes([KICK]) + struct.pack("<HH", block, at) + bytes([0]) + b"\0\0\0"
    return out + bytes([LOOK])


def space(user):
    """A root at page 16 with RAM under its own address by a gigapage, and pages from 0 on by three levels."""
    def pte(page, index, to, flags):
        return bytes([PTE, page]) + struct.pack("<H", index) + bytes([to, flags, 0])
    u = 16 if user else 0
    out = pte(16, 2, 0, 0xcf | u) + pte(16, 0, 17, 1) + pte(17, 0, 18, 1)
    for k in range(16):
        out += pte(18, k, k, 0xcf | u)
    return out + bytes([CSR, 1 + 12 * 16, 1])


SYSTEM = 4  # enum dtv_exit


def reg(hart, index, value):
    """A word of the hart's area: x registers come first."""
    return bytes([REG | hart << 7]) + struct.pack("<HQ", index, value)


def programs():
    """(name, bytes of code): what is made of several instructions."""
    e = rv.enc

    def words(*ws):
        return b"".join(w.to_bytes(4, "little") for w in ws)
    # Left and right shifts, results that are overwritten, in registers and in slots, and what shows them.
    rng = random.Random(3)
    for name, regs in (("slots", (5, 6, 7, 28, 29)), ("registers", (10, 11, 12, 13, 14)), ("both", (5, 10, 6, 11, 31))):
        run = []
        for k in range(48):
            d, a, b = (rng.choice(regs) for _ in range(3))
            run.append(e("slli", rd=d, rs1=a, imm=8) if k % 8 == 0 else e("srli", rd=d, rs1=a, imm=56) if k % 8 == 1 else
                       e("ld", rd=d, rs1=2, imm=8) if k == 24 else e(rng.choice(["add", "xor", "or", "sub", "mul"]), rd=d, rs1=a, rs2=b))
        yield "run-" + name, words(*run)
    for name, body in (
            ("integers", [e("add", rd=10, rs1=10, rs2=5), e("addi", rd=5, rs1=5, imm=3), e("lui", rd=6, imm=5)]),
            ("accesses", [e("ld", rd=6, rs1=8), e("sd", rs1=8, rs2=7, imm=8), e("addi", rd=8, rs1=8, imm=16)]),
            ("singles", [e("flw", rd=10, rs1=8), e("fmul.s", rd=10, rs1=10, rs2=11), e("fadd.s", rd=0, rs1=0, rs2=10)]),
            ("doubles", [e("fdiv.d", rd=1, rs1=2, rs2=3), e("fmadd.d", rd=10, rs1=1, rs2=10, rs3=20), e("feq.d", rd=10, rs1=1, rs2=1)]),
            ("changes", [e("fadd.d", rd=1, rs1=1, rs2=2), e("csrrwi", rd=0, csr=2, imm=3), e("fsub.s", rd=3, rs1=4, rs2=5)]),
            ("halves", [e("flh", rd=1, rs1=8), e("fadd.h", rd=1, rs1=1, rs2=2), e("fcvt.s.h", rd=3, rs1=1)])):
        yield "loop-" + name, words(*body, e("addi", rd=9, rs1=9, imm=-1), e("bne", rs1=9, rs2=0, imm=-16))
    nans = [e("fdiv." + w, rd=d, rs1=20, rs2=20) for d, w in ((0, "d"), (1, "s"), (2, "d"), (10, "s"), (15, "d"))]
    for name, seer in (("csr", e("csrrs", rd=10, csr=1)), ("jalr", e("jalr", rd=0, rs1=11)), ("store", e("fsd", rs1=8, rs2=2)),
                       ("branch", e("beq", rs1=10, rs2=11, imm=64)), ("ecall", e("ecall")), ("move", e("fmv.x.d", rd=10, rs1=0))):
        yield "nans-" + name, words(*nans, seer, *nans[:2], e("ld", rd=5, rs1=6))
    for name, middle in (("plain", []), ("branch", [e("bne", rs1=10, rs2=11, imm=16)]), ("load", [e("ld", rd=12, rs1=8)]),
                         ("wait", [e("wrs.nto")])):
        yield "pair-" + name, words(e("lr.d", rd=10, rs1=8), *middle, e("addi", rd=10, rs1=10, imm=1),
                                    e("sc.d", rd=11, rs1=8, rs2=10), e("bne", rs1=11, rs2=0, imm=-12 - 4 * len(middle)))
    # x5 to x7 are what the registers get: entries that part a page, then another mode.
    yield "pmp", words(e("csrrw", rd=0, rs1=5, csr=0x3b0), e("csrrw", rd=0, rs1=6, csr=0x3a0), e("csrrw", rd=0, rs1=7, csr=0x300),
                       e("ld", rd=10, rs1=8), e("sd", rs1=8, rs2=10, imm=64), e("cbo.zero", rs1=8), e("mret"), e("sfence.vma"))


CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
COLUMNS = 96


def kept():
    """The inputs in the file: base64, an empty line behind each."""
    with open(CORPUS, encoding="ascii") as f:
        text = "".join(ln for ln in f if not ln.startswith("#"))
    return [base64.b64decode(part.replace("\n", "")) for part in text.split("\n\n") if part.strip()]


def keep(where):
    """What fuzzing named by its hash, as libFuzzer does; see fuzz/run for how few are chosen."""
    names = sorted(n for n in os.listdir(where) if len(n) == 40)
    with open(CORPUS, "w", encoding="ascii") as f:
        f.write("# SPDX-License-Identifier: GPL-2.0-or-later\n# Made by seeds.py --keep.\n")
        for n in names:
            with open(os.path.join(where, n), "rb") as g:
                text = base64.b64encode(g.read()).decode()
            f.write("".join(text[k:k + COLUMNS] + "\n" for k in range(0, len(text), COLUMNS)) + "\n")
    print("%d inputs" % len(names))


def main():
    if sys.argv[1] == "--keep":
        keep(sys.argv[2])
        return
    where = sys.argv[1]
    os.makedirs(where, exist_ok=True)
    for k, data in enumerate(kept()):
        with open(os.path.join(where, "kept-%03d" % k), "wb") as f:
            f.write(data)
    rng = random.Random(2)
    every = list(words())
    for k in range(0, len(every), 12):
        body = b"".join(struct.pack("<I", w) for w in every[k:k + 12])
        out = struct.pack("<H", 1 | (k & 2))
        if k % 36 >= 12:
            out += space(k % 36 == 24) + bytes([CSR, (0 if k % 36 == 24 else 1) << 4])
        # At a page's end too.
        out += code(0, 0, body) + code(1, 0xfc6, body) + walk(rng, 6)
        out += b"".join(bytes([INSN]) + struct.pack("<IB", w, k & 1) for w in every[k:k + 12])
        with open(os.path.join(where, "insns-%03d" % k), "wb") as f:
            f.write(out)
    for n, (name, body) in enumerate(programs()):
        out = struct.pack("<H", 1)
        if n & 1:
            out += space(False) + bytes([CSR, 1 << 4])
        # Around the end of RAM's second page, and what PMP parts there.
        for x, v in ((2, 0x80001f00), (5, 0x80001ff0 >> 2 | 1), (6, 0x19), (7, 0x20800), (8, 0x80001ff8), (9, 9), (11, 0x80000040)):
            out += reg(0, x, v)
        out += code(0, 0, body)
        for at in range(0, 480, 20):
            out += bytes([EXIT, SYSTEM]) + struct.pack("<HH", 0, at) if name == "pmp" else b""
        out += walk(rng, 8) + code(0, 0x2000 - len(body) // 2 & ~1, body) + walk(rng, 8)
        with open(os.path.join(where, name), "wb") as f:
            f.write(out)
    for k in range(8):
        body = bytes(rng.getrandbits(8) for _ in range(200))
        out = struct.pack("<H", 3) + code(0, 2 * k, body) + walk(rng, 4) + bytes([EVICT]) + code(1, 4096 - k, body)
        out += bytes([LINE, rng.getrandbits(8), 9, 9, ANSWER]) + bytes(9) + walk(rng, 2)
        with open(os.path.join(where, "bytes-%d" % k), "wb") as f:
            f.write(out)


if __name__ == "__main__":
    main()
