#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A small corpus for engine.c: every instruction once in code that is run, left and
interrupted at its places, under a page table and without.

  seeds.py DIRECTORY
"""

import os
import random
import re
import struct
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
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


def main():
    where = sys.argv[1]
    os.makedirs(where, exist_ok=True)
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
    for k in range(8):
        body = bytes(rng.getrandbits(8) for _ in range(200))
        out = struct.pack("<H", 3) + code(0, 2 * k, body) + walk(rng, 4) + bytes([EVICT]) + code(1, 4096 - k, body)
        out += bytes([LINE, rng.getrandbits(8), 9, 9, ANSWER]) + bytes(9) + walk(rng, 2)
        with open(os.path.join(where, "bytes-%d" % k), "wb") as f:
            f.write(out)


if __name__ == "__main__":
    main()
