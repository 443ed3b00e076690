# SPDX-License-Identifier: GPL-2.0-or-later
"""The second oracle: user instructions of RV64IMAC, Zb* and Zicond in plain Python, written from
the manual, for programs that take no trap. Slow, simple, independent of QEMU."""

import struct

M64 = (1 << 64) - 1
M32 = (1 << 32) - 1


class NotSimulated(Exception):
    """An instruction or address that this simulator leaves alone."""


def s64(v):
    return v - (1 << 64) if v >> 63 else v


def sx32(v):
    v &= M32
    return v | 0xffffffff00000000 if v >> 31 else v


def s32(v):
    v &= M32
    return v - (1 << 32) if v >> 31 else v


def sx(v, n):
    v &= (1 << n) - 1
    return v - (1 << n) if v >> (n - 1) else v


def trunc_div(a, b):
    q = abs(a) // abs(b)
    return -q if (a < 0) != (b < 0) else q


def div(a, b, n):
    if b == 0:
        return -1
    if a == -(1 << (n - 1)) and b == -1:
        return a
    return trunc_div(a, b)


def rem(a, b, n):
    if b == 0:
        return a
    if a == -(1 << (n - 1)) and b == -1:
        return 0
    return a - b * trunc_div(a, b)


def rol(v, k, n):
    v &= (1 << n) - 1
    k &= n - 1
    return v << k | v >> (n - k)


def clmul(a, b):
    """All 127 bits of the product."""
    product = 0
    for i in range(64):
        if b >> i & 1:
            product ^= a << i
    return product


def each_byte(v, f):
    return int.from_bytes(bytes(f(c) for c in v.to_bytes(8, "little")), "little")


# Those of opcode 0x3b whose result is not sign-extended have 0x100 in their key.
OP = {
    (2, 0x10): lambda a, b: b + (a << 1), (4, 0x10): lambda a, b: b + (a << 2), (6, 0x10): lambda a, b: b + (a << 3),
    (0, 0x104): lambda a, b: b + (a & M32), (2, 0x110): lambda a, b: b + ((a & M32) << 1),
    (4, 0x110): lambda a, b: b + ((a & M32) << 2), (6, 0x110): lambda a, b: b + ((a & M32) << 3),
    (1, 0x104): lambda a, b: (a & M32) << b,
    (7, 0x20): lambda a, b: a & ~b, (6, 0x20): lambda a, b: a | ~b, (4, 0x20): lambda a, b: a ^ ~b,
    (4, 5): lambda a, b: min(s64(a), s64(b)), (5, 5): min, (6, 5): lambda a, b: max(s64(a), s64(b)), (7, 5): max,
    (1, 0x30): lambda a, b: rol(a, b, 64), (5, 0x30): lambda a, b: rol(a, -b, 64),
    (4, 4): lambda a, b: (a & M32) | b << 32, (7, 4): lambda a, b: (a & 255) | (b & 255) << 8,
    (1, 0x24): lambda a, b: a & ~(1 << (b & 63)), (5, 0x24): lambda a, b: a >> (b & 63) & 1,
    (1, 0x34): lambda a, b: a ^ 1 << (b & 63), (1, 0x14): lambda a, b: a | 1 << (b & 63),
    (1, 5): clmul, (2, 5): lambda a, b: clmul(a, b) >> 63, (3, 5): lambda a, b: clmul(a, b) >> 64,
    (5, 7): lambda a, b: a if b else 0, (7, 7): lambda a, b: 0 if b else a,
    (0, 0): lambda a, b: a + b, (0, 0x20): lambda a, b: a - b,
    (1, 0): lambda a, b: a << (b & 63), (2, 0): lambda a, b: int(s64(a) < s64(b)),
    (3, 0): lambda a, b: int(a < b), (4, 0): lambda a, b: a ^ b,
    (5, 0): lambda a, b: a >> (b & 63), (5, 0x20): lambda a, b: s64(a) >> (b & 63),
    (6, 0): lambda a, b: a | b, (7, 0): lambda a, b: a & b,
    (0, 1): lambda a, b: a * b, (1, 1): lambda a, b: (s64(a) * s64(b)) >> 64,
    (2, 1): lambda a, b: (s64(a) * b) >> 64, (3, 1): lambda a, b: (a * b) >> 64,
    (4, 1): lambda a, b: div(s64(a), s64(b), 64), (5, 1): lambda a, b: a // b if b else M64,
    (6, 1): lambda a, b: rem(s64(a), s64(b), 64), (7, 1): lambda a, b: a % b if b else a,
}
OPW = {
    (1, 0x30): lambda a, b: rol(a, b, 32), (5, 0x30): lambda a, b: rol(a, -b, 32),
    (4, 4): lambda a, b: (a & 0xffff) | (b & 0xffff) << 16,
    (0, 0): lambda a, b: a + b, (0, 0x20): lambda a, b: a - b,
    (1, 0): lambda a, b: a << (b & 31), (5, 0): lambda a, b: (a & M32) >> (b & 31),
    (5, 0x20): lambda a, b: s32(a) >> (b & 31), (0, 1): lambda a, b: a * b,
    (4, 1): lambda a, b: div(s32(a), s32(b), 32),
    (5, 1): lambda a, b: (a & M32) // (b & M32) if b & M32 else M32,
    (6, 1): lambda a, b: rem(s32(a), s32(b), 32),
    (7, 1): lambda a, b: (a & M32) % (b & M32) if b & M32 else a,
}
# One operand, by opcode, funct3 and the upper 12 bits.
UNARY = {
    (0x13, 1, 0x600): lambda a: 64 - a.bit_length(), (0x1b, 1, 0x600): lambda a: 32 - (a & M32).bit_length(),
    (0x13, 1, 0x601): lambda a: (a & -a).bit_length() - 1 if a else 64,
    (0x1b, 1, 0x601): lambda a: (a & -a).bit_length() - 1 if a & M32 else 32,
    (0x13, 1, 0x602): lambda a: bin(a).count("1"), (0x1b, 1, 0x602): lambda a: bin(a & M32).count("1"),
    (0x13, 1, 0x604): lambda a: sx(a, 8), (0x13, 1, 0x605): lambda a: sx(a, 16),
    (0x13, 5, 0x287): lambda a: each_byte(a, lambda c: 255 if c else 0),
    (0x13, 5, 0x687): lambda a: each_byte(a, lambda c: int("{:08b}".format(c)[::-1], 2)),
    (0x13, 5, 0x6b8): lambda a: int.from_bytes(a.to_bytes(8, "little"), "big"),
}
SHIFTS = ((1, 0), (5, 0), (5, 0x20), (5, 0x30), (1, 0x24), (5, 0x24), (1, 0x34), (1, 0x14))
BR = {
    0: lambda a, b: a == b, 1: lambda a, b: a != b, 4: lambda a, b: s64(a) < s64(b),
    5: lambda a, b: s64(a) >= s64(b), 6: lambda a, b: a < b, 7: lambda a, b: a >= b,
}


def expand(h):
    """A compressed instruction as (kind, ...) of the 32-bit one."""
    q, f = h & 3, h >> 13
    rd, rs2 = h >> 7 & 31, h >> 2 & 31
    rdc, rs2c = 8 + (h >> 7 & 7), 8 + (h >> 2 & 7)

    def b(hi, lo, to):
        return (h >> lo & ((1 << (hi - lo + 1)) - 1)) << to
    imm6 = sx(b(12, 12, 5) | b(6, 2, 0), 6)
    if q == 0:
        lw = b(12, 10, 3) | b(6, 6, 2) | b(5, 5, 6)
        ld = b(12, 10, 3) | b(6, 5, 6)
        if f == 0:
            i = b(12, 11, 4) | b(10, 7, 6) | b(6, 6, 2) | b(5, 5, 3)
            if i:
                return ("opi", 0, rs2c, 2, i)
        if f == 2:
            return ("load", 2, rs2c, rdc, lw)
        if f == 3:
            return ("load", 3, rs2c, rdc, ld)
        if f == 6:
            return ("store", 2, rdc, rs2c, lw)
        if f == 7:
            return ("store", 3, rdc, rs2c, ld)
    if q == 1:
        if f == 0:
            return ("opi", 0, rd, rd, imm6)
        if f == 1 and rd:
            return ("opiw", 0, rd, rd, imm6)
        if f == 2:
            return ("opi", 0, rd, 0, imm6)
        if f == 3 and rd == 2:
            i = sx(b(12, 12, 9) | b(6, 6, 4) | b(5, 5, 6) | b(4, 3, 7) | b(2, 2, 5), 10)
            if i:
                return ("opi", 0, 2, 2, i)
        elif f == 3 and imm6:
            return ("lui", rd, (imm6 << 12) & M64)
        if f == 4:
            k = h >> 10 & 3
            sh = imm6 & 63
            if k == 0:
                return ("shi", 5, 0, rdc, rdc, sh)
            if k == 1:
                return ("shi", 5, 0x20, rdc, rdc, sh)
            if k == 2:
                return ("opi", 7, rdc, rdc, imm6)
            o = (h >> 12 & 1) << 2 | h >> 5 & 3
            t = {0: ("op", 0, 0x20), 1: ("op", 4, 0), 2: ("op", 6, 0), 3: ("op", 7, 0),
                 4: ("opw", 0, 0x20), 5: ("opw", 0, 0)}.get(o)
            if t:
                return t + (rdc, rdc, rs2c)
        if f == 5:
            return ("jal", 0, sx(b(12, 12, 11) | b(11, 11, 4) | b(10, 9, 8) | b(8, 8, 10) | b(7, 7, 6)
                                 | b(6, 6, 7) | b(5, 3, 1) | b(2, 2, 5), 12))
        if f >= 6:
            return ("br", f - 6, rdc, 0, sx(b(12, 12, 8) | b(11, 10, 3) | b(6, 5, 6) | b(4, 3, 1)
                                            | b(2, 2, 5), 9))
    if q == 2:
        if f == 0:
            return ("shi", 1, 0, rd, rd, imm6 & 63)
        if f == 2 and rd:
            return ("load", 2, rd, 2, b(12, 12, 5) | b(6, 4, 2) | b(3, 2, 6))
        if f == 3 and rd:
            return ("load", 3, rd, 2, b(12, 12, 5) | b(6, 5, 3) | b(4, 2, 6))
        if f == 4:
            hi = h >> 12 & 1
            if rs2:
                return ("op", 0, 0, rd, rd if hi else 0, rs2)
            if rd:
                return ("jalr", hi, rd, 0)
        if f == 6:
            return ("store", 2, 2, rs2, b(12, 9, 2) | b(8, 7, 6))
        if f == 7:
            return ("store", 3, 2, rs2, b(12, 10, 3) | b(9, 7, 6))
    raise NotSimulated("%04x" % h)


def decode(w):
    op, rd, f3, rs1, rs2, f7 = w & 127, w >> 7 & 31, w >> 12 & 7, w >> 15 & 31, w >> 20 & 31, w >> 25
    i = sx(w >> 20, 12)
    if op == 0x37:
        return ("lui", rd, (sx(w >> 12, 20) << 12) & M64)
    if op == 0x17:
        return ("auipc", rd, sx(w >> 12, 20) << 12)
    if op == 0x6f:
        return ("jal", rd, sx((w >> 31) << 20 | (w >> 12 & 255) << 12 | (w >> 20 & 1) << 11
                              | (w >> 21 & 1023) << 1, 21))
    if op == 0x67 and f3 == 0:
        return ("jalr", rd, rs1, i)
    if op == 0x63 and f3 in BR:
        return ("br", f3, rs1, rs2, sx((w >> 31) << 12 | (w >> 7 & 1) << 11 | (w >> 25 & 63) << 5
                                       | (w >> 8 & 15) << 1, 13))
    if op == 0x03 and f3 < 7:
        return ("load", f3, rd, rs1, i)
    if op == 0x23 and f3 < 4:
        return ("store", f3, rs1, rs2, sx(f7 << 5 | rd, 12))
    if (op, f3, w >> 20) in UNARY:
        return ("unary", UNARY[op, f3, w >> 20], rd, rs1)
    if op == 0x13:
        if f3 in (1, 5):
            if (f3, f7 & 0x7e) in SHIFTS:
                return ("shi", f3, f7 & 0x7e, rd, rs1, w >> 20 & 63)
        else:
            return ("opi", f3, rd, rs1, i)
    if op == 0x1b:
        if f3 == 0:
            return ("opiw", f3, rd, rs1, i)
        if (f3, f7) in ((1, 0), (5, 0), (5, 0x20), (5, 0x30)):
            return ("shiw", f3, f7, rd, rs1, rs2)
        if (f3, f7 & 0x7e) == (1, 4):
            return ("shi", 1, 0x104, rd, rs1, w >> 20 & 63)
    if op == 0x33 and (f3, f7) in OP:
        return ("op", f3, f7, rd, rs1, rs2)
    if op == 0x3b and (f3, 0x100 | f7) in OP and f3 != 1:
        return ("op", f3, 0x100 | f7, rd, rs1, rs2)
    if op == 0x3b and (f3, f7) in OPW:
        return ("opw", f3, f7, rd, rs1, rs2)
    if op == 0x0f and f3 < 2 or w in (0x00d00073, 0x01d00073):
        return ("nop",)
    if op == 0x0f and f3 == 2 and rd == 0 and w >> 20 in (0, 1, 2, 4):
        return ("cbo", w >> 20, rs1)
    if op == 0x2f and f3 in (2, 3):
        return ("amo", w >> 27, f3, rd, rs1, rs2)
    raise NotSimulated("%08x" % w)


class Sim:
    """segs: [(address, bytearray)], changed in place."""

    def __init__(self, segs):
        self.segs = segs
        self.cache = {}
        self.resv = None

    def find(self, a, n):
        for base, b in self.segs:
            if base <= a and a + n <= base + len(b):
                return b, a - base
        raise NotSimulated("address %x" % a)

    def ld(self, a, n):
        b, o = self.find(a, n)
        return int.from_bytes(b[o:o + n], "little")

    def st(self, a, v, n):
        b, o = self.find(a, n)
        b[o:o + n] = (v & ((1 << 8 * n) - 1)).to_bytes(n, "little")

    def run(self, pc, end, x, steps=2000000):
        """Run to the ecall at end. x is changed in place."""
        cache = self.cache
        while pc != end:
            steps -= 1
            if steps == 0:
                raise NotSimulated("too long")
            d = cache.get(pc)
            if d is None:
                h = self.ld(pc, 2)
                d = (decode(h | self.ld(pc + 2, 2) << 16), 4) if h & 3 == 3 else (expand(h), 2)
                cache[pc] = d
            t, n = d
            k = t[0]
            nxt = (pc + n) & M64
            if k == "op":
                if t[3]:
                    x[t[3]] = OP[t[1], t[2]](x[t[4]], x[t[5]]) & M64
            elif k == "unary":
                if t[2]:
                    x[t[2]] = t[1](x[t[3]]) & M64
            elif k == "opi":
                _, f3, rd, rs1, i = t
                if rd:
                    x[rd] = OP[f3, 0](x[rs1], i & M64) & M64
            elif k == "load":
                _, f3, rd, rs1, i = t
                w = 1 << (f3 & 3)
                v = self.ld((x[rs1] + i) & M64, w)
                if rd:
                    x[rd] = v if f3 & 4 else sx(v, 8 * w) & M64
            elif k == "store":
                _, f3, rs1, rs2, i = t
                self.st((x[rs1] + i) & M64, x[rs2], 1 << f3)
            elif k == "br":
                _, f3, rs1, rs2, i = t
                if BR[f3](x[rs1], x[rs2]):
                    nxt = (pc + i) & M64
            elif k == "opw":
                if t[3]:
                    x[t[3]] = sx32(OPW[t[1], t[2]](x[t[4]], x[t[5]]))
            elif k == "opiw":
                if t[2]:
                    x[t[2]] = sx32(x[t[3]] + t[4])
            elif k == "shi":
                if t[3]:
                    x[t[3]] = OP[t[1], t[2]](x[t[4]], t[5]) & M64
            elif k == "shiw":
                if t[3]:
                    x[t[3]] = sx32(OPW[t[1], t[2]](x[t[4]], t[5]))
            elif k == "lui":
                if t[1]:
                    x[t[1]] = t[2]
            elif k == "auipc":
                if t[1]:
                    x[t[1]] = (pc + t[2]) & M64
            elif k == "jal":
                if t[1]:
                    x[t[1]] = nxt
                nxt = (pc + t[2]) & M64
            elif k == "jalr":
                to = (x[t[2]] + t[3]) & M64 & ~1
                if t[1]:
                    x[t[1]] = nxt
                nxt = to
            elif k == "cbo":
                if t[1] == 4:
                    for i in range(0, 64, 8):
                        self.st((x[t[2]] & -64) + i, 0, 8)
            elif k == "amo":
                self.amo(x, *t[1:])
            pc = nxt

    def amo(self, x, f5, f3, rd, rs1, rs2):
        w = 1 << f3
        n = 8 * w
        a = x[rs1]
        if a & (w - 1):
            raise NotSimulated("misaligned")
        src = x[rs2] & ((1 << n) - 1)
        if f5 == 3:  # sc
            ok = self.resv == a
            self.resv = None
            if ok:
                self.st(a, src, w)
            if rd:
                x[rd] = 0 if ok else 1
            return
        old = self.ld(a, w)
        if f5 == 2:  # lr
            self.resv = a
        else:
            so, ss = sx(old, n), sx(src, n)
            new = {0: old + src, 1: src, 4: old ^ src, 8: old | src, 12: old & src,
                   16: min(so, ss), 20: max(so, ss), 24: min(old, src), 28: max(old, src)}[f5]
            self.st(a, new, w)
        if rd:
            x[rd] = sx(old, n) & M64
