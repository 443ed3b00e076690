# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs. A program is a tree of nodes with all choices made, so that
it can be placed again after nodes were taken out (random.py reduces so).

What it may do: anything whose result the manual fixes. Registers that hold the
program together (bases of the scratch area, loop counters, links) are chosen
at random per program and kept out of other instructions' rd; stray addresses
are such that no device and no code is there."""

import random
import struct

import image
from image import FS_INITIAL, MPP
import rv
from rv import BRANCHES, FP_EXTS, FP_MEM, INT_EXTS, LOADS, MAPPED, NOT_IN_QEMU, STORES, TAB, UNMAPPED

M64 = (1 << 64) - 1
PAGE = 4096

RR = [t.name for t in TAB.values() if t.fmt == "R" and t.ext in INT_EXTS and t.name not in NOT_IN_QEMU + ["sfence.vma"]]
RI = [t.name for t in TAB.values() if t.ext == "I" and t.fmt == "I" and t.name not in LOADS + ["jalr"]]
SH = [t.name for t in TAB.values() if t.fmt in ("SH", "SHW")]
AMO = [t.name for t in TAB.values() if t.fmt == "AMO" and t.name[:2] not in ("lr", "sc")]
FPOPS = [t for t in TAB.values() if t.ext in FP_EXTS and t.name not in FP_MEM]
ARITH = [t for t in FPOPS if t.ext in ("F", "D") and t.name.split(".")[0] in
         ("fadd", "fsub", "fmul", "fdiv", "fmadd", "fnmsub", "fmin", "fsgnjx", "fcvt", "feq", "flt", "fsgnj")]

VALUES = [0, 1, M64, 2, 1 << 63, (1 << 63) - 1, 1 << 31, (1 << 31) - 1, M64 << 31 & M64, (1 << 32) - 1,
          1 << 32, 31, 32, 63, 64, 1 << 12, 0x5555555555555555]
# Addresses where nothing is, in any mode: around the edges of what is canonical.
STRAY = [1 << 63, 1 << 62, 0x7ffffffffffff000, M64 - 4095 & M64, 1 << 39, 1 << 38, (1 << 38) - 8 & M64,
         -(1 << 39) & M64, -(1 << 38) & M64, -(1 << 38) - 8 & M64, 1 << 47, -(1 << 47) & M64, 1 << 55,
         0x123456789abcdef0, 0xdeadbeef00000000, (1 << 39) + 0x80000000, (1 << 40) - 4, 3 << 38]
FVALUES = [0, 1 << 63, 0x3ff0000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
           0x7ff0000000000001, 1, 0x800fffffffffffff, 0x7fefffffffffffff, 0x41dfffffffc00000,
           0xffffffff3f800000, 0xffffffff7f800000, 0xffffffff7fc00000, 0xffffffff00000001, 0xffffffff80000000,
           0xffffffffffff3c00, 0xffffffffffff7c00, 0xffffffffffff0001, 0xffffffff7f7fffff, 0xffffffff4effffff, 0x43e0000000000000, 0xc3e0000000000000]
ILLEGAL = [0, 0xffffffff, 0x8002, 0x0000000b, 0x9c41, 0xfffff07f, 0x00007003, 0x02000013 | 0x7c001000, 0x7f]

# Where programs in S- and U-mode see their pages.
WINDOWS = [0x10000000, 0x40000000, 0x3fffe00000 - 0x200000, 0x3fc0000000, -(1 << 38) & M64, 0xffffffd000000000,
           0xffffffff80000000, 0x1234500000, 0x200000]

PTE_V, PTE_R, PTE_W, PTE_X, PTE_U, PTE_A, PTE_D = 1, 2, 4, 8, 16, 64, 128

# The runtime with its S-mode handler, where it is: U-mode does not reach it.
RUNTIME = PTE_R | PTE_W | PTE_X | PTE_A | PTE_D

# Bytes at the start of the scratch area that no data access reaches: see base_off, off(), n_move().
SHARED = 1600


def from_int(name):
    """Whether its operand is an x register."""
    n = name.split(".")
    return n[0] == "fcvt" and n[2] in ("w", "wu", "l", "lu") or n[-1] == "x"


def to_int(name):
    """Whether its result is one."""
    n = name.split(".")
    return (n[0] == "fcvt" and n[1] in ("w", "wu", "l", "lu") or n[0] in ("feq", "flt", "fle", "fclass")
            or name.startswith("fmv.x"))


class Gen:
    """One program: seeds in, tree and initial state out."""

    def __init__(self, seed, size=None, mode=None, long=False):
        self.seed = seed
        self.mtraps = 64
        r = self.r = random.Random("dtv-isa-%s" % seed)
        self.long = long  # loops that run for milliseconds, few traps
        self.mode = mode or r.choice(["M", "M", "S", "S", "U", "U"])
        regs = list(range(1, 32))
        r.shuffle(regs)
        # Bases of the scratch area: one in a host register, one not.
        self.bases = [r.choice([x for x in MAPPED if x > 1]), r.choice([x for x in UNMAPPED if x != 5])]
        rest = [x for x in regs if x not in self.bases + [1, 5]]
        self.counters = rest[:2]
        self.fixed = set(self.bases + self.counters)
        free = [x for x in range(1, 32) if x not in self.fixed]
        # Few registers at a time make dependencies; the fixed map and the others in equal parts.
        n = r.choice([4, 8, 16, 27])
        self.pool = r.sample(free, min(n, len(free)))
        self.free = free
        self.weights = {k: r.choice([0, 1, 1, 2, 4]) for k in
                        ("rr", "ri", "c", "li", "load", "store", "branch", "loop", "amo", "lrsc", "fp", "fpmem",
                         "trap", "stray", "call", "jump", "smc", "csr", "fence", "move", "idiom", "run",
                         "calc", "walk", "middle", "system", "nans", "frm")}
        for k in ("run", "calc", "walk", "system", "nans", "frm"):
            self.weights[k] *= 0.1
        for k in ("trap", "stray", "smc", "csr", "fence", "call", "jump", "loop", "amo", "lrsc", "middle"):
            self.weights[k] *= 0.25
        if long:
            for k in ("trap", "stray", "csr", "smc"):
                self.weights[k] *= 0.1
            self.weights["loop"] = 1
        self.weights["rr"] += 1
        self.weights["load"] += 0.5
        self.weights["store"] += 0.5
        self.choose()
        self.links = set()
        self.busy = set()
        self.depth = 0
        self.funcs = []
        self.in_func = False
        nf = r.choice([0, 0, 1, 2, 3])
        for k in range(nf):
            # Leaf functions, linked in ra or t0.
            link = r.choice([1, 1, 5])
            self.links = {link}
            self.in_func = True
            self.funcs.append({"link": link, "body": self.nodes(r.randrange(1, 12)), "odd": r.random() < 0.2,
                               "c": link == 1 and r.random() < 0.5 or r.random() < 0.3})
        self.links = set()
        self.in_func = False
        self.main = self.nodes(size or r.choice([8, 20, 40, 80, 120]))
        self.init()

    # --- choices ---

    def choose(self):
        """What a kind of programs decides before there are any nodes."""

    def src(self):
        r = self.r
        k = r.random()
        if k < 0.06:
            return 0
        if k < 0.8:
            return r.choice(self.pool)
        return r.randrange(32)

    def dst(self):
        r = self.r
        for _ in range(50):
            k = r.random()
            d = 0 if k < 0.04 else r.choice(self.pool) if k < 0.8 else r.choice(self.free)
            if d not in self.links:
                return d
        return 0

    def tmp(self, *no):
        return self.r.choice([x for x in self.free if x not in self.links and x not in no])

    def imm12(self):
        r = self.r
        return r.choice([0, 1, -1, 2047, -2048, r.randrange(-2048, 2048), r.randrange(-2048, 2048), r.randrange(-32, 32)])

    def off(self, align=1):
        """An offset from a base that stays in the scratch area, often at its page's edge."""
        r = self.r
        k = r.random()
        o = r.randrange(-16, 17) if k < 0.45 else r.randrange(-256, 256) if k < 0.7 else r.randrange(-2040, 2033)
        return o & -align

    def nodes(self, n):
        out = []
        kinds = list(self.weights)
        w = [self.weights[k] for k in kinds]
        while len(out) < n:
            k = self.r.choices(kinds, w)[0]
            node = getattr(self, "n_" + k)()
            if node:
                out.append(node)
        return out

    # --- nodes: ("asm", [(method, args, kwargs)...]) or trees ---

    def n_rr(self):
        op = self.r.choice(RR)
        a, b = self.src(), self.src()
        if self.r.random() < 0.15:
            b = a
        d = self.dst()
        if self.r.random() < 0.25 and a not in self.fixed | self.links:
            d = a
        elif self.r.random() < 0.2 and b not in self.fixed | self.links:
            d = b
        return ("asm", [("i", op, dict(rd=d, rs1=a, rs2=b))])

    def n_ri(self):
        r = self.r
        a, d = self.src(), self.dst()
        if r.random() < 0.3 and a not in self.fixed | self.links:
            d = a
        if r.random() < 0.4:
            op = r.choice(SH)
            return ("asm", [("i", op, dict(rd=d, rs1=a, imm=r.choice([0, 1, 31, 32, 63, r.randrange(64)])))])
        if r.random() < 0.15:
            return ("asm", [("i", r.choice(["lui", "auipc"]), dict(rd=d, imm=r.getrandbits(20)))])
        return ("asm", [("i", r.choice(RI), dict(rd=d, rs1=a, imm=self.imm12()))])

    def n_li(self):
        r = self.r
        v = r.choice([r.choice(VALUES), r.getrandbits(64), r.getrandbits(32), r.choice(VALUES) + r.randrange(-3, 4)])
        return ("asm", [("li", self.tmp(), dict(v=v & M64))])

    def n_c(self):
        r = self.r
        cregs = [x for x in range(8, 16) if x not in self.fixed | self.links]
        d = self.dst()
        op = r.choice("c.sub c.xor c.or c.and c.subw c.addw c.mv c.add c.addi c.addiw c.li c.andi c.lui c.srli "
                      "c.srai c.slli c.nop c.addi16sp c.addi4spn mem mem mem".split())
        if op == "mem":
            return self.c_mem()
        if op in ("c.andi", "c.srli", "c.srai", "c.addi4spn", "c.sub", "c.xor", "c.or", "c.and", "c.subw", "c.addw"):
            if not cregs:
                return None
            d = r.choice(cregs)
        imm, rs2 = r.randrange(-32, 32), 0
        if op in ("c.sub", "c.xor", "c.or", "c.and", "c.subw", "c.addw"):
            rs2 = r.randrange(8, 16)
        elif op in ("c.mv", "c.add"):
            rs2 = r.randrange(1, 32)
        elif op == "c.addiw" and d == 0:
            return None
        elif op == "c.lui":
            if d == 2 or imm == 0:
                return None
        elif op in ("c.srli", "c.srai", "c.slli"):
            imm = r.randrange(64)
        elif op == "c.addi16sp":
            if 2 in self.fixed | self.links:
                return None
            d, imm = 2, 16 * r.randrange(1, 32) * r.choice([1, -1])
        elif op == "c.addi4spn":
            imm = 4 * r.randrange(1, 256)
        elif op == "c.nop":
            d, imm = 0, 0
        return ("asm", [("c", op, dict(rd=d, rs2=rs2, imm=imm))])

    def c_mem(self):
        r = self.r
        b = [x for x in self.bases if 8 <= x < 16]
        d = r.randrange(8, 16)
        safe = d not in self.fixed | self.links
        if b and r.random() < 0.7:
            op = r.choice(["c.lw", "c.ld", "c.sw", "c.sd", "c.fld", "c.fsd"])
            if op in ("c.lw", "c.ld") and not safe:
                return None
            n = 4 if op.endswith("w") else 8
            return ("asm", [("c", op, dict(rd=d, rs2=b[0], imm=n * r.randrange(32)))])
        if 2 in self.bases:
            op = r.choice(["c.lwsp", "c.ldsp", "c.swsp", "c.sdsp", "c.fldsp", "c.fsdsp"])
            d = self.src() if op.startswith("c.s") else self.tmp()
            n = 4 if "w" in op else 8
            return ("asm", [("c", op, dict(rd=d, imm=n * r.randrange(64)))])
        return None

    def n_load(self):
        return ("asm", [("i", self.r.choice(LOADS), dict(rd=self.dst(), rs1=self.r.choice(self.bases), imm=self.off()))])

    def n_store(self):
        return ("asm", [("i", self.r.choice(STORES), dict(rs2=self.src(), rs1=self.r.choice(self.bases), imm=self.off()))])

    def n_move(self):
        """A computed address: base plus part of a register's value."""
        r = self.r
        t = self.tmp()
        b = r.choice(self.bases)
        s = [("i", "andi", dict(rd=t, rs1=self.src(), imm=r.choice([0x3f, 0xff, 0x7ff, 0x7f8]))),
             ("i", r.choice(["add", "sub"]), dict(rd=t, rs1=b, rs2=t))]
        for _ in range(r.randrange(1, 4)):
            o = r.choice([0, 1, 4, 8, -8, 16, r.randrange(-64, 64)])
            if r.random() < 0.5:
                d = self.dst()
                s.append(("i", r.choice(LOADS), dict(rd=d, rs1=t, imm=o)))
                if d == t:
                    break
            else:
                s.append(("i", r.choice(STORES), dict(rs2=self.src(), rs1=t, imm=o)))
            if r.random() < 0.3:
                s.append(("i", "addi", dict(rd=t, rs1=t, imm=r.randrange(-32, 33))))
        return ("asm", s)

    def n_idiom(self):
        """What translators make one instruction of, and nearly that; then what hides the parts."""
        r = self.r
        x = self.src()
        t, u, d = (r.choice([self.dst(), self.tmp(), x if x not in self.fixed | self.links else 0]) for _ in range(3))
        if r.random() < 0.3:
            d = r.choice([t, u])
        if r.random() < 0.3:
            u = t
        w = r.random() < 0.5
        bits = 32 if w else 64
        n = r.choice([1, 8, 31, bits - 1, r.randrange(bits)]) % bits
        k = r.randrange(5)
        if k < 2:
            m = (bits - n) % bits if r.random() < 0.7 else r.randrange(bits)
            s = [("i", "slliw" if w else "slli", dict(rd=t, rs1=x, imm=n)),
                 ("i", "srliw" if w else "srli", dict(rd=u, rs1=x if r.random() < 0.7 else self.src(), imm=m))]
            r.shuffle(s)
            if r.random() < 0.2 and x and x not in self.fixed | self.links:
                # It is another value that is shifted the second time, or there is another behind both.
                s.insert(r.choice([1, 2]), ("i", "addi", dict(rd=x, rs1=self.src(), imm=self.imm12())))
            s.append(("i", r.choice(["or", "xor", "add", "addw"]), dict(zip(("rd", "rs1", "rs2"), (d, *r.sample([t, u], 2))))))
        elif k == 2:
            a = r.choice([16, 32, 48, 56, r.randrange(64)])
            b = r.choice([a, a, r.randrange(64)])
            s = [("i", "slli", dict(rd=t, rs1=x, imm=a)), ("i", r.choice(["srli", "srai"]), dict(rd=d, rs1=t, imm=b))]
        elif k == 3:
            a = r.randrange(5)
            s = [("i", "slli", dict(rd=t, rs1=x, imm=a)),
                 ("i", "add", dict(zip(("rd", "rs1", "rs2"), (d, *r.sample([t, self.src()], 2)))))]
        else:
            s = [("i", r.choice(["addiw", "addw", "srliw", "sraiw", "lui"]), dict(rd=t, rs1=x, rs2=x, imm=n % 32)),
                 ("i", "addiw", dict(rd=d, rs1=t, imm=0))]
            if s[0][1] == "lui":
                del s[0][2]["rs1"], s[0][2]["rs2"]
            elif s[0][1] == "addw":
                del s[0][2]["imm"]
            else:
                del s[0][2]["rs2"]
        if r.random() < 0.3:
            more = r.choice([self.n_rr, self.n_ri, self.n_load, self.n_store])()
            s[r.randrange(len(s)):0] = more[1]
        for y in (t, u):
            if r.random() < 0.5:
                s.append(("i", "addi", dict(rd=y, rs1=self.src(), imm=self.imm12())))
        return ("asm", s)

    def n_run(self):
        """Nothing but computation for long, with few registers: most results are overwritten in it."""
        r = self.r
        regs = r.sample([x for x in self.free if x not in self.links], 6)
        s = []
        for _ in range(r.randrange(8, 80)):
            d, a, b = r.choice(regs), r.choice(regs), r.choice(regs)
            k = r.random()
            if k < 0.4:
                s.append(("i", r.choice(RR), dict(rd=d, rs1=a, rs2=b)))
            elif k < 0.7:
                s.append(("i", r.choice(SH), dict(rd=d, rs1=a, imm=r.randrange(32))))
            else:
                s.append(("i", r.choice(RI), dict(rd=d, rs1=a, imm=self.imm12())))
        # What shows all registers, in the middle of it.
        if r.random() < 0.5:
            more = r.choice([self.n_load, self.n_store, self.n_stray, self.n_trap, self.n_csr, self.n_fp, self.n_fpmem,
                             self.n_amo, self.n_move])()
            at = r.randrange(len(s))
            s[at:at] = more[1]
        return ("asm", s)

    def n_amo(self):
        r = self.r
        op = r.choice(AMO)
        t = self.tmp()
        o = self.off(4 if op.endswith(".w") else 8)
        d, s = self.dst(), self.src()
        k = r.random()
        if k < 0.15:
            d = t
        elif k < 0.25:
            s = t
        return ("asm", [("i", "addi", dict(rd=t, rs1=r.choice(self.bases), imm=o)),
                        ("i", op, dict(rd=d, rs1=t, rs2=s, aq=r.getrandbits(1), rl=r.getrandbits(1)))])

    def n_lrsc(self):
        r = self.r
        w = r.choice(["w", "d"])
        t = self.tmp()
        d = self.tmp(t)
        o = 8 * r.randrange(0, 32)
        if self.mode != "M":
            o = -8 * r.randrange(1, 32)  # in a page that may be written
        if self.long:
            # An interrupt may make the SC fail: the loop that the manual guarantees to succeed.
            s = self.tmp(t, d)
            v = self.tmp(t, d, s)
            ok = self.tmp(t, d, s, v)
            return ("asm", [("i", "addi", dict(rd=t, rs1=self.bases[0], imm=o)), ("i", "lr." + w, dict(rd=d, rs1=t)),
                            ("i", r.choice(["add", "xor", "sub"]), dict(rd=v, rs1=d, rs2=s)),
                            ("i", "sc." + w, dict(rd=ok, rs1=t, rs2=r.choice([s, v]), rl=r.getrandbits(1))),
                            ("i", "bne", dict(rs1=ok, rs2=0, imm=-12))])
        s = [("i", "addi", dict(rd=t, rs1=self.bases[0], imm=o)), ("i", "lr." + w, dict(rd=d, rs1=t, aq=r.getrandbits(1)))]
        for _ in range(r.choice([0, 1, 1, 2, 5])):
            k = r.random()
            d2 = self.tmp(t)
            if k < 0.5:
                s.append(("i", r.choice(["add", "xor", "sub"]), dict(rd=d2, rs1=d, rs2=self.src())))
            elif k < 0.7:
                s.append(("i", r.choice(RI), dict(rd=d2, rs1=self.src(), imm=self.imm12())))
            elif k < 0.8:
                # Taken or not, on to the next instruction or over it.
                s.append(("i", r.choice(BRANCHES), dict(rs1=self.src(), rs2=d, imm=4)))
            elif k < 0.85:
                s.append(("i", "jal", dict(rd=0, imm=4)))
            elif k < 0.9:
                s.append(("i", r.choice(LOADS), dict(rd=d2, rs1=self.bases[0], imm=o)))
            elif k < 0.95:
                s.append(("i", r.choice(STORES), dict(rs2=self.src(), rs1=self.bases[0], imm=o)))
            else:
                # Another address, then that which the lr had or not.
                s.append(("i", "addi", dict(rd=t, rs1=t, imm=r.choice([0, 8, 0]))))
        if r.random() < 0.15:
            s.append(("i", r.choice(["beq", "bne", "bgeu"]), dict(rs1=self.src(), rs2=d, imm=8)))
        s.append(("i", "sc." + w, dict(rd=self.dst(), rs1=t, rs2=self.src(), rl=r.getrandbits(1))))
        if r.random() < 0.2:
            s.append(("i", "addi", dict(rd=t, rs1=self.bases[0], imm=o)))
            s.append(("i", "sc." + w, dict(rd=self.dst(), rs1=t, rs2=self.src())))
        return ("asm", s)

    def n_fp(self):
        r = self.r
        t = r.choice(FPOPS)
        f = lambda: r.choice([r.randrange(8), r.randrange(8), r.randrange(32)])  # noqa: E731
        kw = dict(rd=self.dst() if to_int(t.name) else f(), rs1=self.src() if from_int(t.name) else f(), rs2=f())
        if t.fmt == "R4":
            kw["rs3"] = f()
        if t.fmt in ("FP", "R4"):
            kw["rm"] = r.choice([7, 7, 7, 7, 0, 1, 2, 3, 4, 5 if r.random() < 0.05 else 0])
        return ("asm", [("i", t.name, kw)])

    def n_calc(self):
        """Floating point for long, in a loop of one block too: NaNs and what waits for them stay in registers."""
        r = self.r
        few = [r.sample(range(8), 4), r.sample(range(10, 16), 4), r.sample(range(32), 6)][r.randrange(3)]
        s = []
        for _ in range(r.randrange(4, 40)):
            k = r.random()
            if k < 0.85:
                t = r.choice(FPOPS if r.random() < 0.2 else ARITH)
                kw = dict(rd=r.choice(few), rs1=r.choice(few), rs2=r.choice(few))
                if t.fmt == "R4":
                    kw["rs3"] = r.choice(few)
                if t.fmt in ("FP", "R4"):
                    kw["rm"] = r.choice([7, 7, 7, 7, 7, 0, 1, 2, 3, 4])
                if to_int(t.name):
                    kw["rd"] = self.dst()
                if from_int(t.name):
                    kw["rs1"] = self.src()
                s.append(("i", t.name, kw))
            elif k < 0.93:
                s += self.n_fpmem()[1]
            else:
                s += r.choice([self.n_rr, self.n_load, self.n_store, self.n_csr])()[1]
        c = self.counter() if r.random() < 0.7 else None
        if c is None:
            return ("asm", s)
        self.busy -= {c}
        return ("loop", dict(reg=c, n=self.rounds()), [("asm", [x]) for x in s])

    def n_nans(self):
        """Several NaNs at a time, then what sees them."""
        r = self.r
        w = r.choice("sd")
        regs = r.sample(list(range(6)) + list(range(10, 16)) + [20, 21], r.randrange(3, 7))
        s = [("i", "fmv.d.x" if w == "d" else "fmv.w.x", dict(rd=regs[0], rs1=0))]
        s += [("i", r.choice(["fdiv.", "fdiv.", "fmul."]) + w, dict(rd=d, rs1=r.choice(regs[:2]), rs2=regs[0], rm=7)) for d in regs[1:]]
        s += r.choice([self.n_csr, self.n_trap, self.n_stray, self.n_fpmem, self.n_load, self.n_amo, self.n_fp, self.n_rr])()[1]
        return ("asm", s)

    def n_frm(self):
        """Operations before and behind a change of the rounding mode, to one that there is or not."""
        r = self.r
        ops = [x for x in ARITH if x.fmt == "FP" and x.name.split(".")[0] in ("fadd", "fdiv", "fmul", "fsub")]

        def op():
            return ("i", r.choice(ops).name, dict(rd=r.randrange(8), rs1=r.randrange(8), rs2=r.randrange(8), rm=7))
        s = [op() for _ in range(r.randrange(1, 4))]
        s.append(("i", "csrrwi", dict(rd=0, csr=2, imm=r.choice([0, 1, 2, 3, 4, 4, 5, 6, 7]))))
        s += [op() for _ in range(r.randrange(1, 4))]
        s.append(("i", "csrrwi", dict(rd=0, csr=2, imm=r.randrange(5))))
        return ("asm", s)

    def n_walk(self):
        """A loop that goes along memory: addresses that were checked once, over page edges."""
        r = self.r
        c = self.counter()
        if c is None:
            return None
        t = self.tmp()
        step = r.choice([1, 4, 8, -8, 16, 64])
        n = r.choice([3, 9, 33])
        s = []
        for _ in range(r.randrange(1, 4)):
            o = r.choice([0, 0, 8, -8, r.randrange(-64, 64)])
            d = self.dst()
            k = r.random()
            if k < 0.5 and d != t:
                s.append(("i", r.choice(LOADS), dict(rd=d, rs1=t, imm=o)))
            elif k < 0.8:
                s.append(("i", r.choice(STORES), dict(rs2=self.src(), rs1=t, imm=o)))
            else:
                s.append(("i", r.choice(["flw", "fld"]), dict(rd=r.randrange(32), rs1=t, imm=o)))
        s.append(("i", "addi", dict(rd=t, rs1=t, imm=step)))
        self.busy -= {c}
        start = r.choice([0, 0, r.randrange(-512, 512), -step * n // 2])
        return ("walk", dict(reg=c, n=n * (60 if self.long and abs(step) == 1 else 1), t=t, base=r.choice(self.bases), start=start),
                [("asm", [x]) for x in s])

    def n_middle(self):
        """A jump into an instruction: its second half is another one."""
        r = self.r
        d = self.dst()
        low = self.r.choice([x for x in self.free if x not in self.links])
        half = rv.c_enc(*r.choice([("c.addi", low, 0, r.randrange(1, 32)), ("c.mv", low, r.randrange(1, 32), 0),
                                   ("c.add", low, r.randrange(1, 32), 0), ("c.li", low, 0, r.randrange(-32, 32))]))
        word = 0x37 | d << 7 | r.randrange(8) << 12 | half << 16
        return ("middle", dict(op=r.choice(BRANCHES), rs1=self.src(), rs2=self.src(), word=word), [])

    def n_system(self):
        """What is an illegal instruction or does nothing that shows, by mode."""
        r = self.r
        inval = ["sinval.vma", "sfence.w.inval", "sfence.inval.ir"]
        # QEMU 7.2 does some of Svinval in U-mode.
        k = r.choice({"U": ["mret", "sret", "wfi"], "S": inval + ["mret"], "M": inval}[self.mode])
        kw = dict(rs1=r.choice([0, self.bases[0]]), rs2=0) if k == "sinval.vma" else {}
        return ("asm", [("i", k, kw)])

    def n_fpmem(self):
        r = self.r
        b = r.choice(self.bases)
        if r.random() < 0.6:
            return ("asm", [("i", r.choice(["flh", "flw", "flw", "fld", "fld"]), dict(rd=r.randrange(32), rs1=b, imm=self.off()))])
        return ("asm", [("i", r.choice(["fsh", "fsw", "fsw", "fsd", "fsd"]), dict(rs2=r.randrange(32), rs1=b, imm=self.off()))])

    def n_trap(self):
        r = self.r
        k = r.randrange(5)
        if k == 0:
            return ("asm", [("i", "ecall", {})])
        if k == 1:
            return ("asm", [("i", "ebreak", {})])
        if k == 2:
            return ("asm", [("raw", 0x9002, {})])
        return ("asm", [("raw", r.choice(ILLEGAL), {})])

    def n_stray(self):
        r = self.r
        t = self.tmp()
        a = (r.choice(STRAY) + r.choice([0, 0, r.randrange(4096)])) & M64
        s = [("li", t, dict(v=a))]
        for _ in range(r.randrange(1, 3)):
            o = self.imm12()
            k = r.random()
            # A program's code may be where the upper half begins: a store to it would have to be fenced.
            code = (a + o + (1 << 38)) & M64 < 1 << 20
            if k < 0.45 or k < 0.85 and code:
                s.append(("i", r.choice(LOADS), dict(rd=self.dst(), rs1=t, imm=o)))
            elif k < 0.85:
                s.append(("i", r.choice(STORES), dict(rs2=self.src(), rs1=t, imm=o)))
            else:
                s.append(("i", r.choice(["fld", "flw"]), dict(rd=r.randrange(32), rs1=t, imm=o)))
        return ("asm", s)

    def n_csr(self):
        r = self.r
        k = r.random()
        if k < 0.5:
            csr = r.choice([1, 2, 3])
        elif k < 0.8:
            csr = r.choice([0x140, 0x143])  # sscratch stval
        else:
            csr = r.choice([0x7c0, 0x5c0, 0x8ff, 0xcff])  # nothing there
        op = r.choice(["csrrw", "csrrs", "csrrc", "csrrwi", "csrrsi", "csrrci"])
        kw = dict(rd=self.dst(), csr=csr)
        if op.endswith("i"):
            kw["imm"] = r.choice([0, 1, 31, r.randrange(32)])
        else:
            kw["rs1"] = self.src()
        s = [("i", op, kw)]
        if csr == 2 and r.random() < 0.7:
            s.append(("i", "csrrwi", dict(rd=0, csr=2, imm=r.randrange(5))))
        return ("asm", s)

    def n_fence(self):
        r = self.r
        k = r.random()
        if k < 0.3:
            return ("asm", [("i", "fence", dict(imm=r.choice([0xff, 0x33, 0x833, 0x010, 0])))])
        if k < 0.6:
            return ("asm", [("i", "fence.i", {})])
        return ("asm", [("i", "sfence.vma", dict(rs1=r.choice([0, self.bases[0]]), rs2=0))])

    def n_branch(self):
        r = self.r
        if self.depth > 4:
            return None
        self.depth += 1
        body = self.nodes(r.randrange(1, 6))
        self.depth -= 1
        a, b = self.src(), self.src()
        return ("if", dict(op=r.choice(BRANCHES), rs1=a, rs2=b, c=r.random() < 0.4 and 8 <= a < 16), body)

    def n_loop(self):
        r = self.r
        c = self.counter()
        if c is None:
            return None
        self.depth += 1
        body = self.nodes(r.randrange(1, 10))
        self.depth -= 1
        self.busy -= {c}
        return ("loop", dict(reg=c, n=self.rounds()), body)

    def counter(self):
        """A register for a loop here, busy from now on; None if there is none."""
        if self.depth >= 2 or self.in_func:
            return None
        c = self.counters[self.depth]
        if c in self.busy:
            return None
        self.busy |= {c}
        return c

    def rounds(self):
        return self.r.choice([1, 2, 3, 5, 9, 33]) * (60 if self.long and self.depth == 0 else 1)

    def n_call(self):
        r = self.r
        if not self.funcs or self.in_func:
            return None
        return ("call", dict(fn=r.randrange(len(self.funcs)), how=r.choice(["jal", "jal", "jalr", "la"]),
                             tmp=self.tmp()), [])

    def n_jump(self):
        r = self.r
        self.depth += 1
        body = self.nodes(r.randrange(0, 3)) if self.depth < 5 else []
        self.depth -= 1
        return ("jump", dict(how=r.choice(["j", "c.j", "jal", "jalr", "jalr", "c.jr"]), tmp=self.tmp(),
                             rd=self.dst(), odd=r.randrange(2), off=r.choice([0, 0, 4, -6])), body)

    def n_smc(self):
        r = self.r
        t, u = self.tmp(), None
        u = self.tmp(t)
        d = self.dst()
        old = rv.enc("addi", rd=d, rs1=self.src(), imm=self.imm12())
        new = rv.enc(r.choice(RI), rd=d, rs1=self.src(), imm=self.imm12())
        # In a loop it is one instruction in one round, the other in the next.
        flip = self.tmp(t, u) if r.random() < 0.5 else None
        return ("smc", dict(t=t, u=u, old=old, new=new, flip=flip, dist=r.choice([0, 0, 1, 3])), [])

    # --- initial state ---

    def init(self):
        r = self.r
        self.x = [0] * 32
        for i in range(1, 32):
            self.x[i] = r.choice([r.choice(VALUES), r.getrandbits(64), r.getrandbits(64), r.getrandbits(16)])
        self.f = [r.choice([r.choice(FVALUES), r.getrandbits(64), 0xffffffff00000000 | r.getrandbits(32),
                            (r.getrandbits(1) << 63) | r.randrange(1000, 1050) << 52 | r.getrandbits(52),
                            0xffffffff00000000 | r.getrandbits(1) << 31 | r.randrange(110, 145) << 23
                            | r.getrandbits(23)]) for _ in range(32)]
        self.fcsr = r.choice([0, 0, 0, 1, 2, 3, 4, r.choice([5, 6, 7])]) << 5 | r.choice([0, r.getrandbits(5)])
        self.fs = r.choice([1, 1, 1, 2, 3, 0 if r.random() < 0.3 else 1])
        self.start = r.choice([0, 0, r.randrange(0, PAGE, 2), PAGE - 2 * r.randrange(1, 40)])
        self.super = r.random() < 0.2
        self.window = r.choice(WINDOWS)
        self.window2 = r.choice([w for w in WINDOWS if w != self.window])
        self.code_rights = PTE_R | PTE_W | PTE_X
        self.aged = r.random() < 0.6
        self.rights = [PTE_R | PTE_W, PTE_R | PTE_W, r.choice([PTE_R, 0, PTE_R | PTE_W, PTE_X, PTE_R | PTE_W | PTE_X]),
                       PTE_R | PTE_W]
        # bases[0] stands near the middle of the first two pages, bases[1] between others.
        self.base_off = [PAGE + r.choice([0, 0, 8, -8, 64, -128]), 2 * PAGE + r.choice([0, 0, -8, 16])]
        self.scratch = bytes(r.getrandbits(8) for _ in range(64)) * 256
        # Code in the first page of the scratch area, below where data accesses go.
        self.share = r.random() < 0.2  # each store drops the code: slow
        # Traps of U-mode go to the runtime's S-mode handler.
        self.deleg = self.mode == "U" and r.random() < 0.6
        # S- and U-mode without translation.
        self.bare = r.random() < 0.15
        self.mxr = r.random() < 0.2
        self.sum = r.random() < 0.3

    # --- placing ---

    def assemble(self):
        a = rv.Asm()
        self.labels = 0
        for n in self.main:
            self.place(a, n)
        a.label("end")
        a.i("ecall")
        used = set()

        def find(nodes):
            for n in nodes:
                if n[0] == "call":
                    used.add(n[1]["fn"])
                if n[0] != "asm":
                    find(n[2])
        find(self.main)
        for k, f in enumerate(self.funcs):
            if k not in used:
                continue
            a.label("f%d" % k)
            for n in f["body"]:
                self.place(a, n)
            if f["c"]:
                a.c("c.jr", rd=f["link"])
            else:
                a.i("jalr", rd=0, rs1=f["link"], imm=int(f["odd"]))
        return a

    def new(self):
        self.labels += 1
        return "l%d" % self.labels

    def place(self, a, n):
        if n[0] == "asm":
            for m, arg, kw in n[1]:
                if m == "i":
                    a.i(arg, **kw)
                elif m == "c":
                    a.c(arg, **kw)
                elif m == "raw":
                    a.raw(arg)
                else:
                    a.li(arg, kw["v"])
            return
        k, p, body = n
        if k == "if":
            end = self.new()
            sub = rv.Asm()
            for c in body:
                self.place(sub, c)
            if p["c"] and sub.size() < 200:
                a.c_to("c.beqz" if p["op"] in ("beq", "bge", "bltu") else "c.bnez", end, rd=p["rs1"])
            else:
                a.to(p["op"], end, rs1=p["rs1"], rs2=p["rs2"])
            a.items += sub.items
            a.label(end)
        elif k == "middle":
            at = self.new()
            a.to(p["op"], at, off=2, rs1=p["rs1"], rs2=p["rs2"])
            a.label(at)
            a.raw(p["word"])
        elif k in ("loop", "walk"):
            top = self.new()
            if k == "walk":
                a.i("addi", rd=p["t"], rs1=p["base"], imm=p["start"])
            a.i("addi", rd=p["reg"], rs1=0, imm=p["n"])
            a.label(top)
            for c in body:
                self.place(a, c)
            a.i("addi", rd=p["reg"], rs1=p["reg"], imm=-1)
            a.to("bne", top, rs1=p["reg"], rs2=0)
        elif k == "call":
            f = self.funcs[p["fn"]]
            to = "f%d" % p["fn"]
            if p["how"] == "jal":
                a.to("jal", to, rd=f["link"])
            elif p["how"] == "jalr":
                a.la(f["link"], to)
                a.i("jalr", rd=f["link"], rs1=f["link"])
            else:
                a.la(p["tmp"], to, 8)
                a.i("jalr", rd=f["link"], rs1=p["tmp"], imm=-8)
        elif k == "jump":
            to = self.new()
            if p["how"] in ("j", "jal"):
                a.to("jal", to, rd=0 if p["how"] == "j" else p["rd"])
            elif p["how"] == "c.j":
                sub = rv.Asm()
                for c in body:
                    self.place(sub, c)
                a.c_to("c.j", to) if sub.size() < 1500 else a.to("jal", to, rd=0)
                a.items += sub.items
                a.label(to)
                return
            elif p["how"] == "jalr":
                a.la(p["tmp"], to, p["odd"] - p["off"])
                a.i("jalr", rd=p["rd"], rs1=p["tmp"], imm=p["off"])
            else:
                a.la(p["tmp"], to, p["odd"])
                a.c("c.jr", rd=p["tmp"])
            for c in body:
                self.place(a, c)
            a.label(to)
        elif k == "smc":
            at = self.new()
            a.la(p["t"], at)
            for o in (0, 16):
                new = p["new"] >> o & 0xffff
                if p["flip"]:
                    a.i("lhu", rd=p["flip"], rs1=p["t"], imm=o // 8)
                    new ^= p["old"] >> o & 0xffff
                a.li(p["u"], new)
                if p["flip"]:
                    a.i("xor", rd=p["u"], rs1=p["u"], rs2=p["flip"])
                a.i("sh", rs1=p["t"], rs2=p["u"], imm=o // 8)
            a.i("fence.i")
            for _ in range(p["dist"]):
                a.i("addi", rd=p["u"], rs1=p["u"], imm=1)
            a.label(at)
            a.raw(p["old"], 4)

    def put(self, img):
        """Place the program into an image. Remembers what to compare: [(what, address, size)]."""
        a = self.assemble()
        x = list(self.x)
        mstatus = MPP[self.mode] | self.fs * FS_INITIAL | 1 << 7
        satp = 0
        self.compare = []
        share = self.share and a.size() <= SHARED
        if self.mode == "M" or self.bare:
            size = a.size() + self.start
            page = img.alloc(PAGE * (size // PAGE + 1), PAGE)
            entry = page + self.start
            code = a.bytes(entry)
            img.put(entry, code)
            data = img.sig_alloc(self.scratch[:4 * PAGE], PAGE)
            self.compare.append(("scratch", data, 4 * PAGE))
            if share:
                entry = data
                code = a.bytes(entry)
                img.sig[data - image.SIG:data - image.SIG + len(code)] = code
        else:
            entry, code, data, satp = self.put_paged(img, a, share)
            if self.mxr:
                mstatus |= 1 << 19
            if self.sum:
                mstatus |= 1 << 18
        self.code = code
        for b, o in zip(self.bases, self.base_off):
            x[b] = (data + o) & M64
        prog = image.Program(entry, a.labels["end"], x, self.f, self.fcsr, mstatus, satp, self.mtraps, str(self.seed),
                             2 if self.deleg else 0)
        self.prog = img.add(prog)
        self.compare.append(("state", prog.state, image.STATE_SIZE))

    def put_paged(self, img, a, share):
        """Code and scratch in windows of an address space of their own, over pages that are not in order."""
        u = PTE_U if self.mode == "U" else 0
        size = a.size() + self.start
        n = size // PAGE + 1
        entry = (self.window2 + self.start) & M64
        code = a.bytes(entry)
        body = bytes(self.start) + code
        pages = [(self.window2 + k * PAGE, body[k * PAGE:(k + 1) * PAGE].ljust(PAGE, b"\0")) for k in range(n)]
        table = {}
        supers = {}
        gigas = {}
        if self.deleg:
            gigas[image.RAM] = (image.RAM, RUNTIME)
        for va, content in reversed(pages):
            pa = img.alloc(content, PAGE)
            table[va] = (pa, self.code_rights | u | PTE_A | PTE_D)
        data = self.window
        if self.super and not share:
            # One 2 MiB page over what is compared; the scratch area is somewhere in it.
            if len(img.sig) % (2 << 20) > (2 << 20) - 6 * PAGE:
                img.sig_alloc(0, 2 << 20)
            pa = img.sig_alloc(self.scratch[:4 * PAGE], PAGE)
            self.compare.append(("scratch", pa, 4 * PAGE))
            mega = pa & -(2 << 20)
            supers[self.window & -(2 << 20)] = (mega, PTE_R | PTE_W | u | (PTE_A | PTE_D if self.aged else 0))
            data = (self.window & -(2 << 20)) + (pa - mega)
        else:
            for k in (2, 0, 3, 1):
                pa = img.sig_alloc(self.scratch[k * PAGE:(k + 1) * PAGE], PAGE)
                self.compare.append(("scratch page %d" % k, pa, PAGE))
                if k == 0 and share:
                    entry = data
                    code = a.bytes(entry)
                    img.sig[pa - image.SIG:pa - image.SIG + len(code)] = code
                    table[data] = (pa, self.code_rights | u | PTE_A | PTE_D)
                elif self.rights[k]:
                    # QEMU sets A for an atomic that then may not write; the manual allows both.
                    aged = self.aged or not self.rights[k] & PTE_W
                    table[data + k * PAGE] = (pa, self.rights[k] | u | (PTE_A | PTE_D if aged else 0))
        root, chunks = self.page_table(img, table, supers, gigas)
        for what, at, content in chunks:
            img.sig[at - image.SIG:at - image.SIG + len(content)] = content
            self.compare.append((what, at, len(content)))
        return entry, code, data, 8 << 60 | root >> 12

    def page_table(self, img, table, supers, gigas):
        root = img.sig_alloc(PAGE, PAGE)
        tabs = {(): (root, {})}

        def child(path, idx):
            key = path + (idx,)
            if key not in tabs:
                at = img.sig_alloc(PAGE, PAGE)
                tabs[key] = (at, {})
                tabs[path][1][idx] = at >> 12 << 10 | PTE_V
            return key
        for va, (pa, rights) in list(table.items()) + list(supers.items()):
            va &= M64
            path = child((), va >> 30 & 511)
            if va in supers and (pa, rights) == supers[va]:
                tabs[path][1][va >> 21 & 511] = pa >> 12 << 10 | rights | PTE_V
                continue
            path = child(path, va >> 21 & 511)
            tabs[path][1][va >> 12 & 511] = pa >> 12 << 10 | rights | PTE_V
        for va, (pa, rights) in gigas.items():
            tabs[()][1][va >> 30 & 511] = pa >> 12 << 10 | rights | PTE_V
        out = []
        for key, (at, ptes) in tabs.items():
            b = bytearray(PAGE)
            for i, v in ptes.items():
                struct.pack_into("<Q", b, 8 * i, v)
            out.append(("page table %s" % "/".join(map(str, key)), at, bytes(b)))
        return root, out


class Words(Gen):
    """Encodings at random: any compressed word, any fields of any row of the table, any bits; no control flow."""

    ROWS = [t for t in TAB.values() if t.fmt not in ("B", "J", "CSR", "CSRI", "NONE") and t.name != "jalr"
            and t.name[:3] not in ("lr.", "sc.") and t.name not in NOT_IN_QEMU + ["sfence.vma", "sinval.vma"]]
    ALONE = [TAB[n] for n in NOT_IN_QEMU]
    # Opcodes whose words may jump, change state that others see, or read the time.
    NOT = (0x63, 0x67, 0x6f, 0x73)

    def __init__(self, seed, size=None, mode=None, long=False):
        super().__init__(seed, 8, "U", False)
        r = self.r
        self.bare = self.share = False
        # A word may store to the words behind it, and may run old or new ones: without a fence.i both are right.
        self.code_rights = PTE_R | PTE_X
        self.mtraps = 1000
        self.funcs = []
        self.main = []
        while len(self.main) < (size or 150):
            w = self.word(r)
            if w is not None:
                self.main.append(("asm", [("raw", w, {})]))

    def word(self, r):
        k = r.random()
        if k < 0.45:
            h = r.getrandbits(16)
            q, f = h & 3, h >> 13
            jump = q == 1 and f >= 5 or q == 2 and f == 4 and not h >> 2 & 31
            return None if q == 3 or jump else h
        if k < 0.9:
            t = r.choice(self.ROWS)
            w = t.match | r.getrandbits(32) & ~t.mask & 0xffffffff
            if t.fmt in ("I", "S", "AMO") and r.random() < 0.7:
                w = w & ~(31 << 15) | r.choice(self.bases) << 15
            return w
        w = r.getrandbits(32) | 3
        if w & 127 in self.NOT or w & 0x7f == 0x2f and w >> 27 in (2, 3) or any(w & t.mask == t.match for t in self.ALONE):
            return None
        return w
