# SPDX-License-Identifier: GPL-2.0-or-later
"""Privileged tests of extensions: cache-block instructions, menvcfg and senvcfg,
Svpbmt, Svnapot, Svade. QEMU 7.2 has them in part, or not as the manual has
them: what must come out is said here (want, want_traps)."""

import struct

import image
from privbase import *  # noqa: F403 (names of bits and CSRs)
import rv
from rv import R

CBZE, CBCFE, CBIE_FLUSH, CBIE_INVAL = 1 << 7, 1 << 6, 1 << 4, 3 << 4
ADUE, PBMTE = 1 << 61, 1 << 62
N = 1 << 63
CBOS = ("cbo.zero", "cbo.clean", "cbo.flush", "cbo.inval")


class ExtTests:
    def envcfg(self):
        """Fields of menvcfg and senvcfg: CBIE has no 2."""
        for name in ("menvcfg", "senvcfg"):
            title = "envcfg %s" % name
            if not self.want(title):
                continue
            t = Test(self, title, compare_state=False)
            top = ADUE | PBMTE if name == "menvcfg" else 0
            all_bits = (1 << 63 if top else 0) | top | CBZE | CBCFE | CBIE_INVAL | 1
            for v, want in ((0, 0), (1 << 4, 1 << 4), (2 << 4, 1 << 4), (3 << 4, 3 << 4), (2 << 4 | CBZE, 3 << 4 | CBZE),
                            (CBCFE, CBCFE), (CBZE, CBZE), (ADUE, ADUE & top), (PBMTE, PBMTE & top), (M64, all_bits),
                            (0x1fffffffffffff0e, 0)):
                t.csrwv(name, v)
                t.csrr(R["a0"], name)
                t.out(R["a0"], "%x written" % v, want=want)
            t.csrwv("menvcfg", MENVCFG)
            t.csrwv("senvcfg", 0)
            self.add(t)

    def pmp_reserved(self):
        """W without R is reserved in pmpcfg: it becomes neither."""
        if not self.want("pmpcfg reserved"):
            return
        t = Test(self, "pmpcfg reserved", compare_state=False)
        for v, want in ((2, 0), (6, 4), (3, 3), (7, 7), (0x62, 0), (0, 0)):
            t.csrwv("pmpcfg0", 0x1f | v << 8)
            t.csrr(R["a0"], "pmpcfg0")
            t.out(R["a0"], "%x written" % v, want=0x1f | want << 8)
        self.add(t)

    def cbo_allowed(self):
        """Who may execute what, as menvcfg and senvcfg say."""
        mem = self.img.alloc(b"\x11" * 128, 64)
        for op in CBOS:
            on = {"cbo.zero": (CBZE,), "cbo.inval": (CBIE_FLUSH, CBIE_INVAL)}.get(op, (CBCFE,))
            others = (CBZE | CBCFE | CBIE_INVAL) & ~(CBIE_INVAL if op == "cbo.inval" else on[0])
            for mode in ("M", "S", "U"):
                for m in (0, others) + on:
                    for s in (0, others) + on:
                        name = "cbo %s in %s, menvcfg %x senvcfg %x" % (op, mode, m, s)
                        if not self.want(name):
                            continue
                        t = Test(self, name, compare_state=False)
                        t.csrwv("menvcfg", MENVCFG | m)
                        t.csrwv("senvcfg", s)
                        t.li(R["a0"], mem + 67)
                        t.li(R["a2"], M64)
                        t.i("sd", rs1=R["a0"], rs2=R["a2"], imm=-3)
                        if mode != "M":
                            t.jump_to_mode(mode, "there")
                            t.label("there")
                        t.i(op, rs1=R["a0"])
                        t.i("ld", rd=R["a1"], rs1=R["a0"], imm=-3)
                        ok = mode == "M" or m in on and (mode == "S" or s in on)
                        t.out(R["a1"], "memory", want=0 if ok and op == "cbo.zero" else M64)
                        t.want_traps = [] if ok else [(E_ILLEGAL, rv.enc(op, rs1=R["a0"]))]
                        self.add(t)
        self.fixup()

    def cbo_faults(self):
        """Rights, A and D, what is no RAM: a store's faults, tval is the block's first byte."""
        phys = self.img.sig_alloc(b"\x11" * PAGE, PAGE)
        pages = [("RW", RD | W | A | D | V), ("R", RD | A | D | V), ("X", X | A | D | V), ("U", RD | W | U | A | D | V),
                 ("no A", RD | W | V), ("no D", RD | W | A | V), ("invalid", RD | W | A | D)]
        for adue in (ADUE, 0):
            for op in CBOS:
                name = "cbo %s faults%s" % (op, "" if adue else ", ADUE off")
                if not self.want(name):
                    continue
                root, _ = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2)]
                                     + [(0x10000000 + k * PAGE, phys, f, 0) for k, (_, f) in enumerate(pages)]
                                     + [(0x10100000, 0x90000000, RD | W | A | D | V, 0)])
                t = Test(self, name, compare_state=False)
                t.csrwv("menvcfg", adue | PBMTE | CBZE | CBCFE | CBIE_INVAL)
                t.csrwv("satp", SV39 | root >> 12)
                t.i("sfence.vma")
                t.jump_to_mode("S", "there")
                t.label("there")
                t.want_traps = []
                zero = op == "cbo.zero"
                for k, (what, _) in enumerate(pages):
                    at = 0x10000000 + k * PAGE + 0x7c1
                    t.li(R["a0"], at)
                    t.i(op, rs1=R["a0"])
                    ok = {"RW": True, "R": not zero, "no A": bool(adue), "no D": bool(adue) or not zero}.get(what, False)
                    if not ok:
                        t.want_traps.append((E_STORE_PAGE, at & -64))
                for at, ok in ((0x10100021, not zero), (1 << 39, False), ((1 << 38) + 5, False), (0x20000000, False)):
                    t.li(R["a0"], at)
                    t.i(op, rs1=R["a0"])
                    if not ok:
                        t.want_traps.append((E_STORE if at == 0x10100021 else E_STORE_PAGE, at & -64))
                self.add(t)
        # Over code: what was translated from the block is gone.
        name = "cbo cbo.zero over code"
        if self.want(name):
            body = struct.pack("<8I", *([rv.enc("addi", rd=R["a1"], rs1=R["a1"], imm=1)] * 7 + [rv.enc("jalr", rs1=1)]))
            code = self.img.alloc(body * 2, PAGE)
            t = Test(self, name, compare_state=False)
            t.li(R["a0"], code)
            t.li(R["a1"], 0)
            t.i("jalr", rd=R["ra"], rs1=R["a0"])
            t.i("jalr", rd=R["ra"], rs1=R["a0"])
            t.out(R["a1"], "before", want=14)
            t.i("cbo.zero", rs1=R["a0"])
            t.li(R["a2"], rv.enc("jalr", rs1=1))
            t.i("sw", rs1=R["a0"], rs2=R["a2"])
            t.i("fence.i")
            t.i("jalr", rd=R["ra"], rs1=R["a0"])
            t.out(R["a1"], "behind", want=14)
            t.i("ld", rd=R["a3"], rs1=R["a0"], imm=56)
            t.out(R["a3"], "memory", want=0)
            t.want_traps = []
            self.add(t)
        self.fixup()

    def cbo_pmp(self):
        """A block that PMP denies in part is denied, beside blocks that it does not."""
        mem = self.img.alloc(b"\x11" * PAGE, PAGE)
        for op in CBOS:
            name = "cbo %s with PMP" % op
            if not self.want(name):
                continue
            t = Test(self, name, compare_state=False)
            t.csrwv("menvcfg", MENVCFG | CBZE | CBCFE | CBIE_INVAL)
            # 8 bytes in the second block without rights, 64 read-only in the fourth, then everything.
            for k, v in enumerate(((mem + 64 + 24) >> 2, (mem + 3 * 64) >> 2 | 7, M64)):
                t.csrwv(0x3b0 + k, v)
            t.csrwv(0x3a0, 0x1f << 16 | 0x19 << 8 | 0x18)
            t.i("sfence.vma")
            t.jump_to_mode("S", "there")
            t.label("there")
            t.want_traps = []
            for k in range(5):
                t.li(R["a0"], mem + 64 * k + 5)
                t.i(op, rs1=R["a0"])
                if k == 1 or k == 3 and op == "cbo.zero":
                    t.want_traps.append((E_STORE, mem + 64 * k))
                t.li(R["a0"], mem + 64 * k)
                t.i("ld", rd=R["a1"], rs1=R["a0"])
                t.out(R["a1"], "block %d" % k, want=0 if op == "cbo.zero" and k in (0, 2, 4) else 0x1111111111111111)
            self.add(t)
            back = Test(self, "(PMP as it was)", compare_state=False)
            back.csrwv(0x3b0, M64)
            back.csrwv(0x3a0, 0x1f)
            back.csrw(0x3b1, 0)
            back.csrw(0x3b2, 0)
            if op == "cbo.zero":
                back.li(R["a0"], mem)
                back.li(R["a1"], 0x1111111111111111)
                for k in range(0, 320, 8):
                    back.i("sd", rs1=R["a0"], rs2=R["a1"], imm=k)
            back.i("sfence.vma")
            self.add(back)
        self.fixup()

    def pte_upper(self):
        """Bits 63 to 54 of PTEs, in leaves of each level and in pointers."""
        phys = self.img.alloc(struct.pack("<Q", 0x77) * 512 * 16, 16 * PAGE)
        napot = phys | 8 * PAGE
        ok4k = RD | W | A | D | V
        # (what, level, pa, flags, legal with PBMTE, legal without)
        cases = [("bit %d" % b, lv, phys if not lv else phys & -(PAGE << 9 * lv), ok4k | 1 << b, False, False)
                 for b in range(54, 61) for lv in (0, 1, 2)]
        cases += [("PBMT %d" % p, lv, phys if not lv else phys & -(PAGE << 9 * lv), ok4k | p << 61, p < 3, p == 0)
                  for p in range(4) for lv in (0, 1, 2)]
        cases += [("N, PPN %x" % k, 0, phys | k * PAGE, ok4k | N, k == 8, k == 8) for k in range(16)]
        cases += [("N and PBMT", 0, napot, ok4k | N | 1 << 61, True, False)]
        cases += [("N, level %d" % lv, lv, (phys & -(PAGE << 9 * lv)) | 8 * PAGE, ok4k | N, False, False) for lv in (1, 2)]
        for pbmte in (PBMTE, 0):
            for at in range(0, len(cases), 20):
                part = cases[at:at + 20]
                name = "PTE upper bits %d, PBMTE %d" % (at // 20, bool(pbmte))
                if not self.want(name):
                    continue
                maps, vas = [(0x80000000, 0x80000000, RWX | A | D | V, 2)], []
                for k, (_, lv, pa, f, _, _) in enumerate(part):
                    va = (8 + k) << 30  # a GiB each: superpages never share a table with others
                    maps.append((va, pa, f, lv))
                    vas.append(va + (0 if lv == 0 else phys & ((PAGE << 9 * lv) - 1)))
                root, _ = self.space(maps)
                t = Test(self, name, compare_state=False)
                t.csrwv("menvcfg", ADUE | pbmte)
                t.csrwv("satp", SV39 | root >> 12)
                t.i("sfence.vma")
                t.jump_to_mode("S", "there")
                t.label("there")
                t.want_traps = []
                for (what, lv, _, _, on, off), va in zip(part, vas):
                    ok = on if pbmte else off
                    t.li(R["a0"], va)
                    t.li(R["a1"], 0x33)
                    t.i("lw", rd=R["a1"], rs1=R["a0"])
                    t.out(R["a1"], "%s, level %d" % (what, lv), want=0x77 if ok else 0x33)
                    if not ok:
                        t.want_traps.append((E_LOAD_PAGE, va))
                self.add(t)
        for pbmte in (PBMTE, 0):
            name = "PTE upper bits of pointers, PBMTE %d" % bool(pbmte)
            if not self.want(name):
                continue
            bits = list(range(54, 64))
            root, where = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2)]
                                     + [((8 + k) << 30, phys, ok4k, 0) for k in range(len(bits) + 1)])
            for k, b in enumerate(bits):
                at = root + 8 * (8 + k) - image.SIG
                v = struct.unpack_from("<Q", self.img.sig, at)[0]
                struct.pack_into("<Q", self.img.sig, at, v | 1 << b)
            t = Test(self, name, compare_state=False)
            t.csrwv("menvcfg", ADUE | pbmte)
            t.csrwv("satp", SV39 | root >> 12)
            t.i("sfence.vma")
            t.jump_to_mode("S", "there")
            t.label("there")
            t.want_traps = []
            for k in range(len(bits) + 1):
                va = (8 + k) << 30
                t.li(R["a0"], va)
                t.i("lw", rd=R["a1"], rs1=R["a0"])
                if k < len(bits):
                    t.want_traps.append((E_LOAD_PAGE, va))
            self.add(t)
        self.fixup()

    def napot(self):
        """64 KiB pages: each address its own, code and data, fences by any address of one."""
        words = [[0x1000 * w + k for k in range(16)] for w in range(2)]
        # Code stands elsewhere in each, so that a cache of jumps by the lower bits of addresses has them all.
        phys = [self.img.alloc(b"".join((struct.pack("<Q", v).ljust(16 + 16 * k, b"\0")
                                         + struct.pack("<II", rv.enc("addi", rd=R["a1"], rs1=R["a1"], imm=v & 0x7f | w << 7),
                                                       rv.enc("jalr", rs1=1))).ljust(PAGE, b"\0") for k, v in enumerate(ws)),
                               16 * PAGE) for w, ws in enumerate(words)]
        ok = RWX | A | D | V | N
        va = 0x40010000
        for how in ("first", "last", "all"):
            name = "napot pages, fence of %s" % how
            if not self.want(name):
                continue
            root, where = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2)]
                                     + [(va + k * PAGE, phys[0] | 8 * PAGE, ok, 0) for k in range(16)])
            t = Test(self, name, "S", 0, SV39 | root >> 12)
            t.li(R["a1"], 0)
            for w in (0, 1):
                want = 0
                for k in range(16):
                    t.li(R["a0"], va + k * PAGE)
                    t.i("ld", rd=R["a2"], rs1=R["a0"])
                    t.out(R["a2"], "page %d, time %d" % (k, w), want=words[w][k])
                    # An address that is not known when this is translated is looked up in a cache of jumps.
                    t.csrw("sscratch", R["a0"])
                    t.csrr(R["a0"], "sscratch")
                    t.i("jalr", rd=R["ra"], rs1=R["a0"], imm=16 + 16 * k)
                t.out(R["a1"], "sum of code, time %d" % w,
                      want=sum((v & 0x7f | j << 7) for j in range(w + 1) for v in words[j]))
                if w:
                    break
                t.li(R["a3"], (phys[1] | 8 * PAGE) >> 12 << 10 | ok)
                t.li(R["a4"], where[va])
                for k in range(16):
                    t.i("sd", rs1=R["a4"], rs2=R["a3"], imm=8 * k)
                t.li(R["a0"], va + (15 * PAGE if how == "last" else 0))
                t.i("sfence.vma", rs1=0 if how == "all" else R["a0"])
                t.i("fence.i")
            self.add(t)

    def sinval(self):
        """What sfence.vma does is done by the three of Svinval; who may execute them."""
        words = [self.img.alloc(struct.pack("<Q", v) * 512, PAGE) for v in (0x11, 0x22)]
        ok, va = RD | W | A | D | V, 0x10000000
        for k, (by_va, by_asid) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
            name = "sinval.vma %s, %s" % ("an address" if by_va else "all", "an ASID" if by_asid else "all")
            if not self.want(name):
                continue
            root, where = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2), (va, words[0], ok, 0)])
            t = Test(self, name, "S", 0, SV39 | 5 << 44 | root >> 12)
            t.li(R["a0"], va)
            t.i("ld", rd=R["a2"], rs1=R["a0"])
            t.out(R["a2"], "before", want=0x11)
            t.li(R["a3"], words[1] >> 12 << 10 | ok)
            t.li(R["a4"], where[va])
            t.li(R["a5"], 5)
            t.i("sd", rs1=R["a4"], rs2=R["a3"])
            t.i("sfence.w.inval")
            t.i("sinval.vma", rs1=R["a0"] if by_va else 0, rs2=R["a5"] if by_asid else 0)
            t.i("sfence.inval.ir")
            t.i("ld", rd=R["a2"], rs1=R["a0"])
            t.out(R["a2"], "behind", want=0x22)
            self.add(t)
        for mode, tvm in (("M", 0), ("S", 0), ("S", B["TVM"]), ("U", 0)):
            name = "svinval in %s%s" % (mode, ", TVM" if tvm else "")
            if not self.want(name):
                continue
            t = Test(self, name, mode, tvm, compare_state=False)
            t.want_traps = []
            for op in ("sfence.w.inval", "sinval.vma", "sfence.inval.ir"):
                t.i(op)
                if mode == "U" or tvm and op == "sinval.vma":
                    t.want_traps.append((E_ILLEGAL, rv.enc(op)))
            self.add(t)

    def clint(self):
        """msip, mtimecmp and mtime, whole and by halves. Time is as it was when it is done, or a little less."""
        base, name = 0x2000000, "clint"
        if not self.want(name):
            return
        t = Test(self, name, compare_state=False)
        t.want_traps = []

        def pending(bit, what, want):
            t.csrr(R["a1"], "mip")
            t.i("andi", rd=R["a1"], rs1=R["a1"], imm=1 << bit)
            t.out(R["a1"], what, want=want << bit)
        t.li(R["a0"], base)
        for v in (1, 0xfffffffe, 3, 0):
            t.li(R["a2"], v)
            t.i("sw", rs1=R["a0"], rs2=R["a2"])
            t.i("lw", rd=R["a2"], rs1=R["a0"])
            t.out(R["a2"], "msip, %x written" % v, want=v & 1)
            pending(3, "MSIP, %x written" % v, v & 1)
        t.li(R["a0"], base + 0x4000)
        t.li(R["a2"], 0x7fffffff12345678)
        t.i("sd", rs1=R["a0"], rs2=R["a2"])
        t.i("ld", rd=R["a3"], rs1=R["a0"])
        t.out(R["a3"], "mtimecmp", want=0x7fffffff12345678)
        for half, v, want in ((4, 0x76543210, 0x7654321012345678), (0, 0x0abcdef0, 0x765432100abcdef0)):
            t.li(R["a2"], v)
            t.i("sw", rs1=R["a0"], rs2=R["a2"], imm=half)
            t.i("lw", rd=R["a3"], rs1=R["a0"], imm=half)
            t.out(R["a3"], "half %d" % half, want=v)
            t.i("ld", rd=R["a3"], rs1=R["a0"])
            t.out(R["a3"], "mtimecmp, half %d written" % half, want=want)
            pending(7, "MTIP, half %d written" % half, 0)
        t.i("sd", rs1=R["a0"], rs2=0)
        pending(7, "MTIP at 0", 1)
        t.li(R["a2"], M64)
        t.i("sd", rs1=R["a0"], rs2=R["a2"])
        pending(7, "MTIP at the end of time", 0)
        # An hour on, as the CSR sees it too, then back.
        t.li(R["a4"], base + 0xbff8)
        t.i("ld", rd=R["a5"], rs1=R["a4"])
        t.li(R["a2"], 36000000000)
        t.i("add", rd=R["a2"], rs1=R["a2"], rs2=R["a5"])
        t.i("sd", rs1=R["a0"], rs2=R["a2"])
        pending(7, "MTIP, in an hour", 0)
        t.i("sd", rs1=R["a4"], rs2=R["a2"])
        t.csrr(R["a3"], "time")
        t.i("sltu", rd=R["a3"], rs1=R["a3"], rs2=R["a2"])
        t.out(R["a3"], "time has not come", want=0)
        pending(7, "MTIP, an hour later", 1)
        t.i("sd", rs1=R["a4"], rs2=R["a5"])
        pending(7, "MTIP, back again", 0)
        t.i("sd", rs1=R["a0"], rs2=0)
        self.add(t)
        self.fixup()

    def svade(self):
        """menvcfg.ADUE off: A and D are never set, their lack is a page fault."""
        phys = self.img.alloc(struct.pack("<II", rv.enc("addi", rd=R["a1"], rs1=R["a1"], imm=1), rv.enc("jalr", rs1=1)) * 512, PAGE)
        name = "svade"
        if not self.want(name):
            return
        flags = [RWX | V | a | d for a in (0, A) for d in (0, D)]
        root, where = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2)]
                                 + [(0x10000000 + k * PAGE, phys, f, 0) for k, f in enumerate(flags)])
        t = Test(self, name, compare_state=False, flags=1)
        t.csrwv("menvcfg", PBMTE)
        t.csrwv("satp", SV39 | root >> 12)
        t.i("sfence.vma")
        t.jump_to_mode("S", "there")
        t.label("there")
        t.want_traps = []
        t.li(R["a1"], 0)
        for k, f in enumerate(flags):
            at = 0x10000000 + k * PAGE
            t.li(R["a0"], at)
            t.i("lw", rd=R["a2"], rs1=R["a0"])
            t.i("sw", rs1=R["a0"], rs2=0, imm=2040)
            t.i("amoadd.w", rd=0, rs1=R["a0"], rs2=0)
            t.i("jalr", rd=R["ra"], rs1=R["a0"])
            if not f & A:
                t.want_traps.append((E_LOAD_PAGE, at))
            if not f & A or not f & D:
                t.want_traps += [(E_STORE_PAGE, at + 2040), (E_STORE_PAGE, at)]
            if not f & A:
                t.want_traps.append((E_FETCH_PAGE, at))
            t.li(R["a3"], where[at])
            t.i("ld", rd=R["a4"], rs1=R["a3"])
            t.out(R["a4"], "PTE %x" % f, want=phys >> 12 << 10 | f)
        t.out(R["a1"], "calls", want=2)
        self.add(t)
        self.fixup()
