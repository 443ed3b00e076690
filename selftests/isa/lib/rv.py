# SPDX-License-Identifier: GPL-2.0-or-later
"""RISC-V encodings: the 32-bit ones from the table that the product is made
from (kmod/guest/insns.h), the compressed ones by hand. Encodings only: what an
instruction means is said by the oracles."""

import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.normpath(os.path.join(HERE, "..", "..", ".."))
BUILD = os.environ.get("O") or os.environ.get("DTV_BUILD") or os.path.join(TOP, "build")
TABLE = os.path.join(TOP, "kmod", "guest", "insns.h")

REGS = ("zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 "
        "s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6").split()
R = {n: i for i, n in enumerate(REGS)}

# Registers that the translator keeps in host registers, and the others.
MAPPED = [R[n] for n in "ra sp s0 s1 a0 a1 a2 a3 a4 a5 s2".split()]
UNMAPPED = [r for r in range(1, 32) if r not in MAPPED]


class Insn:
    """A row of the table: name, format, match, mask, (first) extension."""

    def __init__(self, name, fmt, match, mask, ext):
        self.name, self.fmt, self.match, self.mask, self.ext = name, fmt, match, mask, ext


def _load():
    rows = {}
    pat = re.compile(r'INSN\(\w+,\s*"([^"]+)",\s*(\w+),\s*(0x[0-9a-f]+),\s*(0x[0-9a-f]+),\s*((?:DTV_ISA_\w+(?: \| )?)+)\)')
    with open(TABLE) as f:
        for m in pat.finditer(f.read()):
            exts = m[5].replace("DTV_ISA_", "").split(" | ")
            rows[m[1]] = Insn(m[1], m[2], int(m[3], 16), int(m[4], 16), exts[0])
    return rows


TAB = _load()

# Extensions of integer computation, and the instructions that the packaged QEMU has not or (ctzw) gets wrong.
INT_EXTS = ("I", "M", "ZBA", "ZBB", "ZBC", "ZBS", "ZBKB", "ZICOND")
FP_EXTS = ("F", "D", "ZFHMIN", "ZFH")
FP_MEM = "flh fsh flw fsw fld fsd".split()
NOT_IN_QEMU = [t.name for t in TAB.values() if t.ext in ("ZICOND", "ZAWRS", "ZICBOM", "ZICBOZ") or t.name == "ctzw"]

LOADS = "lb lh lw ld lbu lhu lwu".split()
STORES = "sb sh sw sd".split()
BRANCHES = "beq bne blt bge bltu bgeu".split()


def _bits(v, hi, lo):
    return (v >> lo) & ((1 << (hi - lo + 1)) - 1)


def enc(name, rd=0, rs1=0, rs2=0, rs3=0, imm=0, rm=7, aq=0, rl=0, csr=0):
    """Encode one 32-bit instruction. imm is a byte offset for branches and jumps,
    the value of bits 31:12 for lui and auipc, the shift amount for shifts, and
    the zimm of csrr?i."""
    t = TAB[name]
    w = t.match
    f = t.fmt
    if f == "U":
        return w | rd << 7 | (imm & 0xfffff) << 12
    if f == "J":
        return (w | rd << 7 | _bits(imm, 20, 20) << 31 | _bits(imm, 10, 1) << 21
                | _bits(imm, 11, 11) << 20 | _bits(imm, 19, 12) << 12)
    if f == "I":
        return w | rd << 7 | rs1 << 15 | (imm & 0xfff) << 20
    if f == "B":
        return (w | rs1 << 15 | rs2 << 20 | _bits(imm, 12, 12) << 31 | _bits(imm, 10, 5) << 25
                | _bits(imm, 4, 1) << 8 | _bits(imm, 11, 11) << 7)
    if f == "S":
        return w | rs1 << 15 | rs2 << 20 | _bits(imm, 11, 5) << 25 | _bits(imm, 4, 0) << 7
    if f == "SH":
        return w | rd << 7 | rs1 << 15 | (imm & 63) << 20
    if f == "SHW":
        return w | rd << 7 | rs1 << 15 | (imm & 31) << 20
    if f == "R":
        if t.mask & 0x01f00000 == 0x01f00000:
            rs2 = 0
        return w | rd << 7 | rs1 << 15 | rs2 << 20
    if f == "FP":
        if t.mask & 0x01f00000 == 0x01f00000:
            rs2 = 0
        return w | rd << 7 | rs1 << 15 | rs2 << 20 | rm << 12
    if f == "R4":
        return w | rd << 7 | rs1 << 15 | rs2 << 20 | rs3 << 27 | rm << 12
    if f == "AMO":
        if name.startswith("lr."):
            rs2 = 0
        return w | rd << 7 | rs1 << 15 | rs2 << 20 | aq << 26 | rl << 25
    if f == "CSR":
        return w | rd << 7 | rs1 << 15 | csr << 20
    if f == "CSRI":
        return w | rd << 7 | (imm & 31) << 15 | csr << 20
    if f == "CBO":
        return w | rs1 << 15
    if f == "FENCE":
        return w | rd << 7 | rs1 << 15 | (imm & 0xfff) << 20
    return w


def _c(r):
    """Three-bit register of the compressed forms (x8 to x15)."""
    assert 8 <= r <= 15
    return r - 8


def c_enc(name, rd=0, rs2=0, imm=0):
    """Encode a compressed instruction; rd is rd/rs1 where they share a field,
    and the base register of loads and stores' rs1' is rs2 for loads."""
    i = imm
    if name == "c.addi4spn":
        return (0x0000 | _c(rd) << 2 | _bits(i, 5, 4) << 11 | _bits(i, 9, 6) << 7
                | _bits(i, 2, 2) << 6 | _bits(i, 3, 3) << 5)
    ls = {"c.fld": (0x2000, 8), "c.lw": (0x4000, 4), "c.ld": (0x6000, 8),
          "c.fsd": (0xa000, 8), "c.sw": (0xc000, 4), "c.sd": (0xe000, 8)}
    if name in ls:
        # rd: value register (data), rs2: base
        op, n = ls[name]
        w = op | _c(rs2) << 7 | _c(rd) << 2 | _bits(i, 5, 3) << 10
        if n == 4:
            return w | _bits(i, 2, 2) << 6 | _bits(i, 6, 6) << 5
        return w | _bits(i, 7, 6) << 5
    imm6 = {"c.addi": 0x0001, "c.addiw": 0x2001, "c.li": 0x4001, "c.lui": 0x6001}
    if name in imm6:
        return imm6[name] | rd << 7 | _bits(i, 5, 5) << 12 | _bits(i, 4, 0) << 2
    if name == "c.addi16sp":
        return (0x6101 | _bits(i, 9, 9) << 12 | _bits(i, 4, 4) << 6 | _bits(i, 6, 6) << 5
                | _bits(i, 8, 7) << 3 | _bits(i, 5, 5) << 2)
    sh = {"c.srli": 0x8001, "c.srai": 0x8401, "c.andi": 0x8801}
    if name in sh:
        return sh[name] | _c(rd) << 7 | _bits(i, 5, 5) << 12 | _bits(i, 4, 0) << 2
    al = {"c.sub": 0x8c01, "c.xor": 0x8c21, "c.or": 0x8c41, "c.and": 0x8c61,
          "c.subw": 0x9c01, "c.addw": 0x9c21}
    if name in al:
        return al[name] | _c(rd) << 7 | _c(rs2) << 2
    if name == "c.j":
        return (0xa001 | _bits(i, 11, 11) << 12 | _bits(i, 4, 4) << 11 | _bits(i, 9, 8) << 9
                | _bits(i, 10, 10) << 8 | _bits(i, 6, 6) << 7 | _bits(i, 7, 7) << 6
                | _bits(i, 3, 1) << 3 | _bits(i, 5, 5) << 2)
    if name in ("c.beqz", "c.bnez"):
        return ((0xc001 if name == "c.beqz" else 0xe001) | _c(rd) << 7 | _bits(i, 8, 8) << 12
                | _bits(i, 4, 3) << 10 | _bits(i, 7, 6) << 5 | _bits(i, 2, 1) << 3
                | _bits(i, 5, 5) << 2)
    if name == "c.slli":
        return 0x0002 | rd << 7 | _bits(i, 5, 5) << 12 | _bits(i, 4, 0) << 2
    if name in ("c.fldsp", "c.ldsp"):
        return ((0x2002 if name == "c.fldsp" else 0x6002) | rd << 7 | _bits(i, 5, 5) << 12
                | _bits(i, 4, 3) << 5 | _bits(i, 8, 6) << 2)
    if name == "c.lwsp":
        return 0x4002 | rd << 7 | _bits(i, 5, 5) << 12 | _bits(i, 4, 2) << 4 | _bits(i, 7, 6) << 2
    if name == "c.jr":
        return 0x8002 | rd << 7
    if name == "c.jalr":
        return 0x9002 | rd << 7
    if name == "c.mv":
        return 0x8002 | rd << 7 | rs2 << 2
    if name == "c.add":
        return 0x9002 | rd << 7 | rs2 << 2
    if name == "c.ebreak":
        return 0x9002
    if name in ("c.fsdsp", "c.sdsp"):
        return ((0xa002 if name == "c.fsdsp" else 0xe002) | rd << 2 | _bits(i, 5, 3) << 10
                | _bits(i, 8, 6) << 7)
    if name == "c.swsp":
        return 0xc002 | rd << 2 | _bits(i, 5, 2) << 9 | _bits(i, 7, 6) << 7
    if name == "c.nop":
        return 0x0001
    raise KeyError(name)


class Asm:
    """A little assembler: items in order, labels, one pass for layout."""

    def __init__(self):
        self.items = []  # bytes | ("label", n) | (size, fn(pc, labels) -> int)

    def i(self, name, **kw):
        self.items.append(enc(name, **kw).to_bytes(4, "little"))

    def c(self, name, **kw):
        self.items.append(c_enc(name, **kw).to_bytes(2, "little"))

    def raw(self, word, size=None):
        if size is None:
            size = 4 if word & 3 == 3 else 2
        self.items.append((word & ((1 << 8 * size) - 1)).to_bytes(size, "little"))

    def label(self, n):
        self.items.append(("label", n))

    def to(self, name, target, off=0, **kw):
        """A branch or jump to a label (plus off bytes)."""
        self.items.append((4, lambda pc, L: enc(name, imm=L[target] + off - pc, **kw)))

    def c_to(self, name, target, **kw):
        self.items.append((2, lambda pc, L: c_enc(name, imm=L[target] - pc, **kw)))

    def la(self, rd, target, off=0):
        """Address of a label: auipc + addi."""
        def hi(pc, L):
            d = L[target] + off - pc
            return enc("auipc", rd=rd, imm=(d + 0x800) >> 12)

        def lo(pc, L):
            d = L[target] + off - (pc - 4)
            return enc("addi", rd=rd, rs1=rd, imm=d)
        self.items.append((4, hi))
        self.items.append((4, lo))

    def li(self, rd, v):
        """Any 64-bit constant, in as many instructions as it takes."""
        v &= (1 << 64) - 1
        s = v - (1 << 64) if v >> 63 else v
        if -2048 <= s < 2048:
            self.i("addi", rd=rd, imm=s)
            return
        if -(1 << 31) <= s < (1 << 31):
            lo = (s & 0xfff) - ((s & 0x800) << 1)
            self.i("lui", rd=rd, imm=(s - lo) >> 12)
            if lo:
                self.i("addiw", rd=rd, rs1=rd, imm=lo)
            return
        lo = (s & 0xfff) - ((s & 0x800) << 1)
        hi = (s - lo) >> 12
        sh = 12
        while not hi & 1:
            hi >>= 1
            sh += 1
        self.li(rd, hi)
        self.i("slli", rd=rd, rs1=rd, imm=sh)
        if lo:
            self.i("addi", rd=rd, rs1=rd, imm=lo)

    def size(self):
        return sum(0 if isinstance(x, tuple) and x[0] == "label" else
                   len(x) if isinstance(x, bytes) else x[0] for x in self.items)

    def bytes(self, base):
        L = {}
        pc = base
        for x in self.items:
            if isinstance(x, bytes):
                pc += len(x)
            elif x[0] == "label":
                L[x[1]] = pc
            else:
                pc += x[0]
        self.labels = L
        out = bytearray()
        pc = base
        for x in self.items:
            if isinstance(x, bytes):
                out += x
                pc += len(x)
            elif x[0] != "label":
                out += x[1](pc, L).to_bytes(x[0], "little")
                pc += x[0]
        return bytes(out)
