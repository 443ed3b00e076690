# SPDX-License-Identifier: GPL-2.0-or-later
"""What the privileged tests are made of: programs with named results, address
spaces, the suite that places them in an image."""

import re
import struct

import image
from image import FS_INITIAL, MPP, SIG
import rv
from rv import R

M64 = (1 << 64) - 1
PAGE = 4096
V, RD, W, X, U, G, A, D = 1, 2, 4, 8, 16, 32, 64, 128
RWX = RD | W | X
SV39 = 8 << 60
# PBMTE and ADUE: what QEMU 7.2, which has no such bits, does.
MENVCFG = 3 << 61
OUT = R["s11"]  # where results go
SAFE = R["s10"]  # a register that no trap handler of a test changes

CSRS = dict(fflags=1, frm=2, fcsr=3, sstatus=0x100, sie=0x104, stvec=0x105, scounteren=0x106, senvcfg=0x10a,
            sscratch=0x140, sepc=0x141, scause=0x142, stval=0x143, sip=0x144, stimecmp=0x14d, satp=0x180,
            mstatus=0x300, misa=0x301, medeleg=0x302, mideleg=0x303, mie=0x304, mtvec=0x305, mcounteren=0x306,
            menvcfg=0x30a, mcountinhibit=0x320, mscratch=0x340, mepc=0x341, mcause=0x342, mtval=0x343, mip=0x344,
            pmpcfg0=0x3a0, pmpaddr0=0x3b0, cycle=0xc00, time=0xc01, instret=0xc02, mhartid=0xf14)

MSTATUS_BITS = dict(SIE=1, MIE=3, SPIE=5, MPIE=7, SPP=8, MPRV=17, SUM=18, MXR=19, TVM=20, TW=21, TSR=22)
B = {k: 1 << v for k, v in MSTATUS_BITS.items()}
# Not FS and SD: FS may be set dirty early, SD follows. Not UXL and SXL: QEMU 7.2 lets them be written.
MSTATUS_MASK = sum(B.values()) | 3 << 11

E_MISALIGNED_FETCH, E_FETCH, E_ILLEGAL, E_BREAK, E_LOAD, E_STORE = 0, 1, 2, 3, 5, 7
E_ECALL_U, E_ECALL_S, E_ECALL_M, E_FETCH_PAGE, E_LOAD_PAGE, E_STORE_PAGE = 8, 9, 11, 12, 13, 15


class Test(rv.Asm):
    """A program with named results. Registers: s11 points to the results."""

    def __init__(self, suite, name, mode="M", mstatus=0, satp=0, flags=0, mtraps=64, compare_state=True):
        super().__init__()
        self.suite, self.name, self.mode, self.mstatus = suite, name, mode, mstatus
        self.satp, self.flags, self.mtraps = satp, flags, mtraps
        self.compare_state = compare_state
        self.outs = []  # (name, mask, want)
        self.x = [0] * 32

    def out(self, reg, what, mask=M64, want=None):
        """Store a result."""
        if len(self.outs) % 200 == 199:
            self.i("addi", rd=OUT, rs1=OUT, imm=1600)
        k = len(self.outs) + 1 if len(self.outs) % 200 == 199 else len(self.outs)
        self.i("sd", rs1=OUT, rs2=reg, imm=8 * (k % 200))
        self.outs.append((what, mask, want))

    def csrr(self, rd, name):
        self.i("csrrs", rd=rd, rs1=0, csr=CSRS.get(name, name))

    def csrw(self, name, rs):
        self.i("csrrw", rd=0, rs1=rs, csr=CSRS.get(name, name))

    def csrs(self, name, rs):
        self.i("csrrs", rd=0, rs1=rs, csr=CSRS.get(name, name))

    def csrc(self, name, rs):
        self.i("csrrc", rd=0, rs1=rs, csr=CSRS.get(name, name))

    def csrwv(self, name, v, tmp=R["t6"]):
        self.li(tmp, v)
        self.csrw(name, tmp)

    def jump_to_mode(self, mode, label, extra=0, clear=0, tmp=R["t6"]):
        """mret or, from S, sret to a label."""
        if mode == "S<U":
            self.li(tmp, B["SPP"])
            self.csrc("sstatus", tmp)
            self.la(tmp, label)
            self.csrw("sepc", tmp)
            self.i("sret")
            return
        self.li(tmp, (3 << 11) | clear)
        self.csrc("mstatus", tmp)
        self.li(tmp, MPP[mode] | extra)
        self.csrs("mstatus", tmp)
        self.la(tmp, label)
        self.csrw("mepc", tmp)
        self.i("mret")


class SuiteBase:
    def __init__(self, rt, only):
        self.img = image.Image(rt)
        self.only = re.compile(only) if only else None
        self.tests = []

    def want(self, name):
        return not self.only or self.only.search(name)

    def add(self, t):
        t.label("end")
        t.i("ecall")
        at = self.img.alloc(0, 64)
        t.code = t.bytes(at)
        self.img.data += t.code
        t.at = at
        n = 8 * (len(t.outs) + 8)
        t.results = self.img.sig_alloc(n, 8)
        x = list(t.x)
        x[OUT] = t.results
        p = image.Program(at, t.labels["end"], x, None, 0, MPP[t.mode] | FS_INITIAL | t.mstatus, t.satp,
                          t.mtraps, t.name, t.flags)
        t.prog = self.img.add(p)
        self.tests.append(t)

    # --- address spaces ---

    def space(self, maps):
        """An Sv39 root. maps: [(va, pa, flags, level)]; level 0 4K, 1 2M, 2 1G. Returns (root, {va: address of its PTE})."""
        root = self.img.sig_alloc(PAGE, PAGE)
        tabs = {(): root}
        where = {}

        def put(table, idx, v):
            at = table + 8 * idx - SIG
            struct.pack_into("<Q", self.img.sig, at, v)
            return table + 8 * idx
        for va, pa, flags, level in maps:
            idx = [va >> 30 & 511, va >> 21 & 511, va >> 12 & 511]
            path = ()
            for k in range(2 - level):
                nxt = path + (idx[k],)
                if nxt not in tabs:
                    tabs[nxt] = self.img.sig_alloc(PAGE, PAGE)
                    put(tabs[path], idx[k], tabs[nxt] >> 12 << 10 | V)
                path = nxt
            where[va] = put(tabs[path], idx[2 - level], pa >> 12 << 10 | flags)
        return root, where

    def fixup(self):
        """A program between tests that sets what others need."""
        t = Test(self, "(reset of M-mode state)", compare_state=False)
        for name, v in (("mie", 0), ("mip", 0), ("medeleg", 0), ("mideleg", 0), ("mcounteren", 7), ("scounteren", 7),
                        ("stvec", 0), ("satp", 0), ("menvcfg", MENVCFG), ("mstatus", FS_INITIAL | MPP["M"])):
            t.csrwv(name, v)
        t.i("sfence.vma")
        self.add(t)

    def cleanup(self, t):
        """M-mode state back to what the runtime set. Only at places that run in M-mode."""
        for name in ("mie", "mip", "medeleg", "mideleg", "stvec", "satp"):
            t.csrw(name, 0)
        t.csrwv("menvcfg", MENVCFG)
        t.i("sfence.vma")
        t.csrwv("mstatus", FS_INITIAL | MPP["M"])
        t.li(SAFE, 0)
        t.li(R["a1"], 0)
