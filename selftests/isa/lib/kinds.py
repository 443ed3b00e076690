# SPDX-License-Identifier: GPL-2.0-or-later
"""Kinds of random programs besides gen.py's: Priv goes from mode to mode, with MPRV, PMP, two
address spaces and page tables that change; Plain is for the oracle that is no QEMU (sim.py)."""

import random
import struct

import image
from image import FS_INITIAL, MPP
import gen
from gen import Gen, M64, PAGE, PTE_A, PTE_D, PTE_R, PTE_U, PTE_V, PTE_W, PTE_X
import rv
from rv import MAPPED
import sim

SIE, MIE, SPIE, MPIE, SPP, MPP_ALL = 1 << 1, 1 << 3, 1 << 5, 1 << 7, 1 << 8, 3 << 11
MPRV, SUM, MXR, TVM, TW, TSR = (1 << b for b in range(17, 23))
MSTATUS, MEPC, SSTATUS, SEPC, SATP, MIE_CSR, MIP, PMPCFG0, PMPADDR0 = 0x300, 0x341, 0x100, 0x141, 0x180, 0x304, 0x344, 0x3a0, 0x3b0
NAPOT = 3 << 3
# Where no device is at the same physical address: M-mode may come by.
WINDOWS = [0x3fffe00000 - 0x200000, 0x3fc0000000, -(1 << 38) & M64, 0xffffffd000000000, 0xffffffff80000000, 0x1234500000]
EASY = ["lb", "lhu", "lw", "ld", "ld", "fld", "flw"]


class Priv(Gen):
    """A program of M-mode, parts of which are in S- and U-mode. All modes see RAM where it is, and the scratch
    area in a window by one of two address spaces; or there is no translation."""

    def __init__(self, seed, size=None, mode=None, long=False):
        self.low = False  # in a part that may be in another mode than M
        super().__init__(seed, size, "M", long)

    def choose(self):
        r = self.r
        self.flat = r.random() < 0.35
        self.lower = "SU" if self.flat else r.choice("SSU")
        self.asids = r.choice([(0, 0), (1, 2), (3, 0)])
        self.weights.update({"mprv": 0.6, "modes": 1.5, "wfi": 0.15, "inval": 0.15})
        self.guard = r.random() < 0.4
        if self.guard:
            # An access that two entries match is one access for QEMU, and may be two: there are none.
            self.weights.update({"pmp": 0.8, "move": 0, "walk": 0, "run": 0})
        if not self.flat:
            self.weights.update({"satp": 0.4, "pte": 0.4, "window": 1, "sret": 0.2})
        elif self.lower != "U":
            self.weights["sret"] = 0.3
        for k in ("loop", "calc", "walk", "run", "lrsc"):
            self.weights[k] *= 0.3

    def init(self):
        super().init()
        r = self.r
        self.window = r.choice(WINDOWS)
        self.share = self.deleg = self.bare = False
        self.fs = self.fs or 1
        self.orders = [r.sample(range(4), 4) for _ in range(2)]

    def off(self, align=1):
        return super().off(8 if self.guard else align)

    def in_m(self):
        return not self.low and not self.in_func

    # --- nodes ---

    def accesses(self, no):
        """Loads and stores by one register, as (instruction, operands without the base)."""
        r = self.r
        out = []
        for _ in range(r.randrange(1, 4)):
            if r.random() < 0.5:
                op = r.choice(EASY)
                out.append((op, dict(rd=r.randrange(32) if op[0] == "f" else self.tmp(*no), imm=r.choice([0, 8, 16]))))
            else:
                op = r.choice(["sb", "sw", "sd", "fsd"])
                out.append((op, dict(rs2=r.randrange(32) if op[0] == "f" else self.src(), imm=r.choice([0, 8, 16]))))
        return out

    def place_in(self):
        """An offset in the scratch area, often at the edge of one of its pages; none that code may be at."""
        r = self.r
        o = r.choice([1, 2, 3, 4]) * PAGE - r.choice([8, 16, 24, 4, 64, 1000, 2048, 24])
        return o & -8 if self.guard else o

    def n_mprv(self):
        r = self.r
        if not self.in_m():
            return None
        t, v = self.tmp(), None
        v = self.tmp(t)
        return ("mprv", dict(t=t, v=v, mpp=r.choice("MSSUU"), bits=r.choice([0, SUM, MXR, SUM | MXR]), off=self.place_in(),
                             acc=self.accesses((t, v))), [])

    def n_window(self):
        if not self.low:
            return None
        t = self.tmp()
        return ("window", dict(t=t, off=self.place_in(), acc=self.accesses((t,))), [])

    def n_modes(self):
        r = self.r
        if not self.in_m() or self.depth > 3:
            return None
        t = self.tmp()
        to = r.choice(self.lower)
        self.low = True
        self.depth += 1
        body = self.nodes(r.randrange(1, 12))
        self.depth -= 1
        self.low = False
        return ("modes", dict(t=t, to=to, bits=r.choice([0, 0, SUM, MXR, SUM | MXR]) | r.choice([0, 0, 0, TVM, TSR, TW, SPIE])),
                body)

    def n_sret(self):
        r = self.r
        if not self.low:
            return None
        return ("sret", dict(t=self.tmp(), spp=0 if self.flat and r.random() < 0.5 else SPP, spie=r.choice([0, SPIE])), [])

    def n_satp(self):
        r = self.r
        if self.in_func:
            return None
        which = r.randrange(2)
        return ("satp", dict(t=self.tmp(), which=which, fence=self.asids[0] == self.asids[1] or r.random() < 0.5), [])

    def n_pte(self):
        """Another page, or other rights, in one of the address spaces."""
        r = self.r
        if not self.in_m():
            return None
        t = self.tmp()
        return ("pte", dict(t=t, u=self.tmp(t), which=r.randrange(2), page=r.randrange(4), to=r.randrange(4),
                            rights=r.choice([0, PTE_R, PTE_R | PTE_W, PTE_R | PTE_W, PTE_X, PTE_R | PTE_W | PTE_X]),
                            user=r.random() < 0.5, one=r.random() < 0.5, inval=r.random() < 0.2), [])

    def n_pmp(self):
        """An entry over one or two pages of the scratch area. QEMU 7.2 is wrong about smaller ones: see rights.py."""
        r = self.r
        if not self.in_m():
            return None
        n = r.randrange(4)
        return ("pmp", dict(t=self.tmp(), n=n, page=r.randrange(4), two=r.random() < 0.3,
                            cfg=r.choice([0, NAPOT, NAPOT | 1, NAPOT | 3, NAPOT | 3, NAPOT | 4, NAPOT | 5, NAPOT | 7])), [])

    def n_wfi(self):
        if not self.in_m():
            return None
        return ("wfi", dict(), [])

    def n_inval(self):
        # In QEMU 7.2 the outer two are no traps in U-mode, and the other's trap has no tval there.
        if not self.in_m():
            return None
        v = self.r.choice([0, self.bases[0]])
        return ("asm", [("i", "sfence.w.inval", {}), ("i", "sinval.vma", dict(rs1=v, rs2=0)), ("i", "sfence.inval.ir", {})])

    def n_system(self):
        return None

    def n_lrsc(self):
        # Traps end a reservation, in QEMU 7.2 they do not: only where there are none.
        return super().n_lrsc() if self.in_m() else None

    def n_smc(self):
        return super().n_smc() if self.in_m() else None

    # --- placing ---

    def at(self, off):
        """What translated accesses find the scratch area by."""
        return (self.data if self.flat else self.window) + off

    def change(self, a, t, csr, clear, bits):
        a.li(t, clear | bits)
        a.i("csrrc", rd=0, csr=csr, rs1=t)
        if bits:
            a.li(t, bits)
            a.i("csrrs", rd=0, csr=csr, rs1=t)

    def place(self, a, n):
        k = n[0]
        if k not in ("mprv", "window", "modes", "sret", "satp", "pte", "pmp", "wfi"):
            super().place(a, n)
            return
        p = n[1]
        t = p.get("t")
        if k == "mprv":
            a.li(p["v"], self.at(p["off"]))
            for op, kw in p["acc"]:
                # A trap changes MPP, which QEMU 7.2 notices when it is written.
                self.change(a, t, MSTATUS, MPP_ALL | SUM | MXR, MPRV | MPP[p["mpp"]] | p["bits"])
                a.i(op, rs1=p["v"], **kw)
            self.change(a, t, MSTATUS, MPRV, 0)
        elif k == "window":
            a.li(t, self.at(p["off"]))
            for op, kw in p["acc"]:
                a.i(op, rs1=t, **kw)
        elif k == "modes":
            there = self.new()
            self.change(a, t, MSTATUS, MPP_ALL | MPIE | MIE | SUM | MXR | TVM | TW | TSR | SPIE, MPP[p["to"]] | p["bits"])
            a.la(t, there)
            a.i("csrrw", rd=0, csr=MEPC, rs1=t)
            a.i("mret")
            a.label(there)
            for c in n[2]:
                self.place(a, c)
            a.i("ecall")
        elif k == "sret":
            there = self.new()
            a.la(t, there)
            a.i("csrrw", rd=0, csr=SEPC, rs1=t)
            self.change(a, t, SSTATUS, SPP | SPIE, p["spp"] | p["spie"])
            a.i("sret")
            a.label(there)
        elif k == "satp":
            a.li(t, self.satps[p["which"]])
            a.i("csrrw", rd=0, csr=SATP, rs1=t)
            if p["fence"]:
                a.i("sfence.vma", rs1=0, rs2=0)
        elif k == "pte":
            va = (self.window + p["page"] * PAGE) & M64
            a.li(t, self.slots[p["which"]][va])
            a.li(p["u"], self.pte(p["to"], p["rights"], p["user"]))
            a.i("sd", rs1=t, rs2=p["u"])
            a.li(t, va)
            one = dict(rs1=t if p["one"] else 0, rs2=0)
            if p["inval"]:
                a.i("sfence.w.inval")
                a.i("sinval.vma", **one)
                a.i("sfence.inval.ir")
            else:
                a.i("sfence.vma", **one)
        elif k == "pmp":
            page = self.data + (p["page"] & ~int(p["two"])) * PAGE
            a.li(t, page >> 2 | (PAGE << p["two"] >> 3) - 1)
            a.i("csrrw", rd=0, csr=PMPADDR0 + p["n"], rs1=t)
            self.change(a, t, PMPCFG0, 0xff << 8 * p["n"], p["cfg"] << 8 * p["n"])
            a.i("sfence.vma", rs1=0, rs2=0)
        else:
            a.i("csrrsi", rd=0, csr=MIE_CSR, imm=2)
            a.i("csrrsi", rd=0, csr=MIP, imm=2)
            a.i("wfi")
            a.i("csrrci", rd=0, csr=MIP, imm=2)
            a.i("csrrci", rd=0, csr=MIE_CSR, imm=2)

    def pte(self, page, rights, user):
        if not rights:
            return 0
        u = PTE_U if user else 0
        return (self.data + page * PAGE) >> 12 << 10 | rights | u | PTE_A | PTE_D | PTE_V

    def put(self, img):
        x = list(self.x)
        self.compare = []
        # A multiple of two pages, as a PMP entry may be that large.
        self.data = img.sig_alloc(self.scratch[:4 * PAGE], 2 * PAGE)
        self.compare.append(("scratch", self.data, 4 * PAGE))
        user = self.lower == "U"
        everywhere = PTE_R | PTE_W | PTE_X | PTE_A | PTE_D | (PTE_U if user else 0)
        self.satps, self.slots = [], []
        for asid, order in zip(self.asids, self.orders if not self.flat else []):
            table = {}
            for k in range(4):
                if self.rights[order[k]]:
                    u = PTE_U if user != (k == 3 and self.sum) else 0
                    table[self.window + k * PAGE] = (self.data + order[k] * PAGE, self.rights[order[k]] | u | PTE_A | PTE_D)
                else:
                    # W without R is reserved: there is no page.
                    table[self.window + k * PAGE] = (self.data, PTE_W)
            root, chunks = self.page_table(img, table, {}, {image.RAM: (image.RAM, everywhere)})
            for what, at, content in chunks:
                img.sig[at - image.SIG:at - image.SIG + len(content)] = content
                self.compare.append((what, at, len(content)))
            self.satps.append(8 << 60 | asid << 44 | root >> 12)
            self.slots.append(self.leaves(img, root))
        a = self.assemble()
        size = a.size() + self.start
        entry = img.alloc(PAGE * (size // PAGE + 1), PAGE) + self.start
        self.code = a.bytes(entry)
        img.put(entry, self.code)
        for b, o in zip(self.bases, self.base_off):
            x[b] = (self.data + o) & M64
        prog = image.Program(entry, a.labels["end"], x, self.f, self.fcsr, MPP["M"] | self.fs * FS_INITIAL,
                             self.satps[0] if self.satps else 0, self.mtraps, str(self.seed), 4)
        self.prog = img.add(prog)
        self.compare.append(("state", prog.state, image.STATE_SIZE))

    def leaves(self, img, root):
        """Where the PTEs of the window's pages are."""
        out = {}
        for k in range(4):
            va = (self.window + k * PAGE) & M64
            at = root
            for shift in (30, 21):
                pte = struct.unpack_from("<Q", img.sig, at + 8 * (va >> shift & 511) - image.SIG)[0]
                at = pte >> 10 << 12
            out[va] = at + 8 * (va >> 12 & 511)
        return out


# What a program may have that sim.py knows: integers, no traps, and what QEMU 7.2 has not.
CBOS = ["cbo.zero", "cbo.clean", "cbo.flush", "cbo.inval"]


class Plain(Gen):
    """A program of integers without traps, for an oracle that is no QEMU."""

    KINDS = ("rr", "ri", "c", "li", "load", "store", "branch", "loop", "amo", "call", "jump", "move", "idiom", "run", "walk",
             "middle", "lrsc")
    OPS = gen.RR + [t.name for t in rv.TAB.values() if t.ext == "ZICOND" or t.name == "ctzw"]

    def __init__(self, seed, size=None, mode=None, long=False):
        super().__init__(seed, size, "M", long)

    def choose(self):
        self.weights = {k: v for k, v in self.weights.items() if k in self.KINDS}
        self.weights["new"] = 3
        self.weights["rr"] += 1

    def init(self):
        super().init()
        self.share = False

    def n_new(self):
        """What QEMU 7.2 has not, or gets wrong."""
        r = self.r
        k = r.random()
        if k < 0.6:
            op = r.choice(["czero.eqz", "czero.nez", "ctzw"])
            return ("asm", [("i", op, dict(rd=self.dst(), rs1=self.src(), rs2=self.src()))])
        if k < 0.8:
            t = self.tmp()
            return ("asm", [("i", "addi", dict(rd=t, rs1=r.choice(self.bases), imm=self.off())), ("i", r.choice(CBOS), dict(rs1=t))])
        return ("asm", [("i", r.choice(["wrs.nto", "wrs.sto"]), {})])

    def n_lrsc(self):
        """With the wait that Zawrs is for."""
        r = self.r
        w = r.choice(["w", "d"])
        t = self.tmp()
        return ("asm", [("i", "addi", dict(rd=t, rs1=self.bases[0], imm=8 * r.randrange(32))),
                        ("i", "lr." + w, dict(rd=self.tmp(t), rs1=t)), ("i", r.choice(["wrs.nto", "wrs.sto"]), {})])

    def n_run(self):
        node = super().n_run()
        return ("asm", [x for x in node[1] if x[1] in self.OPS or x[1] in gen.RI or x[1] in gen.SH])

    def n_walk(self):
        node = super().n_walk()
        return node and node[:2] + ([c for c in node[2] if c[1][0][1][0] != "f"],)

    def c_mem(self):
        node = super().c_mem()
        return None if node and node[1][0][1][2] == "f" else node

    def n_amo(self):
        node = super().n_amo()
        return node if node[1][1][1][-2:] in (".w", ".d") else None

    def put(self, img):
        super().put(img)
        # Of the state: x registers and traps.
        what, at, _ = self.compare.pop()
        assert what == "state"
        self.compare += [("x registers", at, 248), ("traps", at + image.S_TRAPS, 16)]


class Runs(Gen):
    """Loops of pure computation, round after round for a millisecond, to be kicked at any place: most of what they
    compute goes into the next round, so that what is done twice or not at all shows at the end."""

    # What is read ahead as a run of computation, and what ends such a run.
    PURE = "add sub xor add sub xor mul addw".split()
    OTHERS = PURE + "sh1add rolw minu".split()

    def __init__(self, seed, size=None, mode=None, long=False):
        super().__init__(seed, 1, mode, False)
        r = self.r
        self.funcs = []
        few = [x for x in self.free if x not in (1, 5)]
        body = []
        for _ in range(r.randrange(1, 4)):
            # Order is changed for results in slots alone.
            self.pool = r.sample([x for x in few if x in MAPPED] if r.random() < 0.5 else few, 4)
            body += [self.n_mix, self.n_mix, self.n_idiom, self.n_calc][r.randrange(4)]()[1]
        self.main = [("loop", dict(reg=self.counters[0], n=120),
                      [("loop", dict(reg=self.counters[1], n=r.choice([200, 800])), [("asm", [x]) for x in body])])]

    def init(self):
        super().init()
        self.share = False
        self.fs = self.fs or 1

    def counter(self):
        return None

    def n_fpmem(self):
        r = self.r
        return ("asm", [("i", *r.choice([("fld", dict(rd=r.randrange(32), rs1=self.bases[0], imm=8)),
                                         ("fsd", dict(rs2=r.randrange(32), rs1=self.bases[0], imm=16))]))])

    def n_csr(self):
        return self.n_fpmem()

    def n_mix(self):
        r = self.r
        s = []
        pure = r.random() < 0.7
        for _ in range(r.randrange(6, 50)):
            d, a, b = (r.choice(self.pool) for _ in range(3))
            k = r.random()
            if k < 0.6:
                s.append(("i", r.choice(self.PURE if pure else self.OTHERS), dict(rd=d, rs1=a, rs2=b)))
            elif k < 0.8:
                s.append(("i", r.choice(["addi", "xori", "addiw"]), dict(rd=d, rs1=a, imm=self.imm12())))
            elif k < 0.95 or pure:
                ops = ["slli", "srli", "slliw", "srliw"] + ([] if pure else ["rori"])
                s.append(("i", r.choice(ops), dict(rd=d, rs1=a, imm=r.choice([1, 8, 16, 24, 31]))))
            else:
                s.append(self.n_load()[1][0])
            if k < 0.1:
                # Nobody reads what this made: only who goes back to it does what is behind it twice.
                others = [x for x in self.pool if x != d]
                for _ in range(r.randrange(1, 9)):
                    e = r.choice(others)
                    s.append(("i", r.choice(self.PURE), dict(rd=e, rs1=e, rs2=r.choice(others))))
                s.append(("i", "addi", dict(rd=d, rs1=e, imm=self.imm12())))
        return ("asm", s)


class Far(Gen):
    """A call of a function whose code fills a cache of 1 MiB: what the caller was translated to is gone when it returns.

    Wherever in the function a wrong return leads to, what it counts is wrong then.
    """

    def __init__(self, seed, size=None, mode=None, long=False):
        super().__init__(seed, 10, mode, False)
        self.share = False
        one = ("i", "bne", dict(rs1=self.bases[0], rs2=self.bases[0], imm=8))
        count = ("i", "addi", dict(rd=self.counters[0], rs1=self.counters[0], imm=1))
        self.funcs = [{"link": 1, "body": [("asm", ([one] * 5 + [count]) * 10000)], "odd": False, "c": False}]
        self.main = [("call", dict(fn=0, how="jal", tmp=0), [])] * 2 + self.main[:1]


def simulated(img, gens):
    """The signature as sim.py has it."""
    sig = bytearray(img.sig)
    s = sim.Sim([(image.DATA, bytearray(img.data)), (image.SIG, sig)])
    for g in gens:
        p = g.prog
        x = [v & M64 for v in p.x]
        s.run(p.entry, p.end, x)
        struct.pack_into("<31Q", sig, p.state - image.SIG, *x[1:])
    return bytes(sig)


def program(name, size=None, mode=None, long=False):
    """A program by its name: one in five goes from mode to mode."""
    if mode in (None, "M") and random.Random("dtv-kind-%s" % name).random() < 0.2:
        return Priv(name, size, mode, long)
    return Gen(name, size, mode, long)
