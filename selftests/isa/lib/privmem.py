# SPDX-License-Identifier: GPL-2.0-or-later
"""Privileged tests of memory: page tables, MPRV, fences, code that changes or moves, MMIO, edges, a small kernel."""

import struct

import image
from image import MPP, SIG
from privbase import *  # noqa: F403 (names of bits and CSRs)
import rv
from rv import R


class MemoryTests:
    """Part of Suite."""

    def page_bits(self):
        """All 256 values of a leaf PTE's low byte, and reserved upper bits, by load, store, atomic and fetch."""
        for mode, mst in (("S", 0), ("S", B["SUM"]), ("S", B["MXR"]), ("S", B["SUM"] | B["MXR"]), ("U", 0), ("U", B["MXR"])):
            for what in ("load", "store", "amo", "fetch", "lr"):
                name = "PTE bits %s in %s mstatus=%x" % (what, mode, mst)
                if not self.want(name):
                    continue
                self.page_bits_case(name, mode, mst, what, 0)
        for mode, mst in (("S", 0), ("U", 0)):
            for level in (1, 2):
                for what in ("load", "store", "fetch"):
                    name = "PTE bits %s in %s level %d" % (what, mode, level)
                    if self.want(name):
                        self.page_bits_case(name, mode, mst, what, level)

    def page_bits_case(self, name, mode, mst, what, level):
        u = U if mode == "U" else 0
        # The program itself: identity, a gigapage. Targets: 256 pages at 0x40000000 (4K or 2M), or gigapages from 3 on.
        target = self.img.alloc(struct.pack("<HH", 0x8082, 0x8082) + b"\x82\x80" * 2046, PAGE)  # c.jr ra
        size = PAGE << 9 * level
        flags = list(range(256))
        base = 0x40000000
        maps = [(0x80000000, 0x80000000, RWX | u | A | D | V, 2)]
        if level == 2:
            base = 0xc0000000
        # Bits 60 to 54 are nothing to QEMU 7.2 when it has Svpbmt ("PTE upper bits" has expectations).
        extra = [V | RWX | u | A | D | 1 << b for b in range(61, 64)] if level == 0 else []
        pa = target if level == 0 else target & -size
        vas = []
        for k, f in enumerate(flags + extra):
            # Beyond 256 pages of a level: the canonical end of the space is far.
            va = base + k * size
            if level == 2 and k >= 250:
                break
            # A pointer to a next level must not lead into its own page: PTE V alone is one, to the target's page.
            vas.append((va, f))
            maps.append((va, pa, f, level))
        # Misaligned superpages.
        if level:
            for k, f in enumerate((V | RWX | u | A | D,)):
                va = base + (len(vas) + k) * size
                vas.append((va, f))
                maps.append((va, pa + PAGE, f, level))
        root, _ = self.space(maps)
        t = Test(self, name, mode, mst, SV39 | root >> 12, flags=1, mtraps=2000)
        s0, a0, n, off = R["s0"], R["a0"], R["t1"], target - pa
        t.li(s0, base + off)
        t.li(n, len(vas))
        t.li(R["t2"], size)
        t.li(R["a2"], 0)
        t.label("loop")
        t.li(a0, 0x33)
        if what == "load":
            t.i("lw", rd=a0, rs1=s0)
        elif what == "store":
            t.li(R["a1"], 0x80828082 - (1 << 32))
            t.i("sw", rs1=s0, rs2=R["a1"])
        elif what == "amo":
            t.li(R["a1"], 0x80828082 - (1 << 32))
            t.i("amoor.w", rd=a0, rs1=s0, rs2=R["a1"])
        elif what == "lr":
            t.i("lr.w", rd=a0, rs1=s0)
        else:
            t.i("jalr", rd=R["ra"], rs1=s0)
        t.i("add", rd=R["a2"], rs1=R["a2"], rs2=a0)
        t.i("slli", rd=R["a3"], rs1=R["a2"], imm=7)
        t.i("xor", rd=R["a2"], rs1=R["a2"], rs2=R["a3"])
        t.i("add", rd=s0, rs1=s0, rs2=R["t2"])
        t.i("addi", rd=n, rs1=n, imm=-1)
        t.to("bne", "loop", rs1=n, rs2=0)
        t.ptes = (root, maps)
        # QEMU sets A of a page that an atomic then may not write; it checks before in dtv: both allowed.
        t.pte_mask = ~(A if what == "amo" else 0) & M64
        self.add(t)

    def reservations(self):
        """A trap between LR and SC ends the reservation, in each mode that it can come from."""
        for mode in ("M", "S", "U"):
            name = "reservation over a trap from %s" % mode
            if not self.want(name):
                continue
            cell = self.img.sig_alloc(64, 64)
            t = Test(self, name, mode)
            t.li(R["s0"], cell)
            t.li(R["a1"], 7)
            for w in ("w", "d"):
                t.i("lr." + w, rd=R["a0"], rs1=R["s0"])
                t.i("ebreak")
                t.i("sc." + w, rd=R["a2"], rs1=R["s0"], rs2=R["a1"])
                t.out(R["a2"], "sc." + w, want=1)
            t.i("ld", rd=R["a0"], rs1=R["s0"])
            t.out(R["a0"], "cell", want=0)
            self.add(t)

    def pairs(self):
        """LR and SC that C does: at addresses of U-mode's upper half, in the page that the code itself is in."""
        name = "LR and SC beside code in the upper half from U"
        if not self.want(name):
            return
        va = -0x3000000000 & M64
        c = rv.Asm()
        for w, rd, base, ok in (("d", "a0", "a6", "s4"), ("d", "t1", "s1", "s5"), ("w", "a0", "s1", "a5"), ("w", "t1", "t2", "t0")):
            c.i("addi", rd=R[base], rs1=R["a1"], imm=-208)
            c.i("lr." + w, rd=R[rd], rs1=R[base])
            c.i("sc." + w, rd=R[ok], rs1=R[base], rs2=R["t3"])
        c.i("jalr", rd=0, rs1=R["ra"])
        page = self.img.sig_alloc(c.bytes(va).ljust(PAGE, b"\0"), PAGE)
        root, _ = self.space([(0x80000000, 0x80000000, RWX | U | A | D | V, 2), (va, page, RWX | U | V, 0)])
        t = Test(self, name, "U", 0, SV39 | root >> 12)
        # Unknown to the translator, and so checked.
        t.x[R["a1"]] = va + PAGE - 8
        t.x[R["t3"]] = 0x1234
        t.x[R["t6"]] = va
        t.i("jalr", rd=R["ra"], rs1=R["t6"])
        for reg in ("s4", "s5", "a5", "t0"):
            t.out(R[reg], "result in %s" % reg, want=0)
        self.add(t)

    def pointer_bits(self):
        """Pointers to a next table with each bit that they must not have, and with G, which they may."""
        phys = self.img.sig_alloc(struct.pack("<Q", 0x77) * 512, PAGE)
        bits = (0, G, U, A, D, A | D, 1 << 61, 1 << 61, 1 << 63)
        for level in (2, 1):
            name = "PTE pointers of level %d" % level
            if not self.want(name):
                continue
            vas = [(4 + k << 30) if level == 2 else 0x10000000 + (k << 21) for k in range(len(bits))]
            root, _ = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2)] +
                                 [(va, phys, RD | W | A | D | V, 0) for va in vas])
            for va, b in zip(vas, bits):
                at = root
                if level == 1:
                    at = (struct.unpack_from("<Q", self.img.sig, root + 8 * (va >> 30) - SIG)[0] >> 10) << 12
                at += 8 * (va >> (30 if level == 2 else 21) & 511) - SIG
                pte = struct.unpack_from("<Q", self.img.sig, at)[0]
                struct.pack_into("<Q", self.img.sig, at, pte | b)
            t = Test(self, name, "S", 0, SV39 | root >> 12, mtraps=100)
            for va, b in zip(vas, bits):
                t.li(R["s0"], va)
                t.li(R["a0"], 0)
                t.i("ld", rd=R["a0"], rs1=R["s0"])
                t.out(R["a0"], "bits %x" % b)
            self.add(t)

    def mprv(self):
        """M-mode accesses with MPRV: the rights of MPP's mode; fetches are not concerned."""
        pages = [("S page", RD | W | A | D | V), ("U page", RD | W | U | A | D | V), ("X only", X | A | D | V),
                 ("U X only", X | U | A | D | V), ("read only", RD | A | D | V), ("no A D", RD | W | V),
                 ("invalid", 0)]
        phys = self.img.sig_alloc(b"\x11" * PAGE, PAGE)
        maps = [(0x10000000 + k * PAGE, phys, f, 0) for k, (_, f) in enumerate(pages)]
        root, _ = self.space(maps)
        for mpp in ("U", "S", "M"):
            for mst in (0, B["SUM"], B["MXR"], B["SUM"] | B["MXR"]):
                name = "MPRV as %s mstatus=%x" % (mpp, mst)
                if not self.want(name):
                    continue
                t = Test(self, name, "M", 0, SV39 | root >> 12, mtraps=100)
                for k, (what, _) in enumerate(pages):
                    for op in ("load", "store", "amo"):
                        t.li(R["s0"], 0x10000000 + k * PAGE if mpp != "M" else phys)
                        t.li(R["a0"], 0x77)
                        t.li(R["a1"], 0x11)
                        t.li(R["t6"], 3 << 11 | B["MPRV"] | B["SUM"] | B["MXR"])
                        t.csrc("mstatus", R["t6"])
                        t.li(R["t6"], MPP[mpp] | B["MPRV"] | mst)
                        t.csrs("mstatus", R["t6"])
                        if op == "load":
                            t.i("lbu", rd=R["a0"], rs1=R["s0"])
                        elif op == "store":
                            t.i("sb", rs1=R["s0"], rs2=R["a1"], imm=1)
                        else:
                            t.i("amoor.w", rd=R["a0"], rs1=R["s0"], rs2=0)
                        # The runtime's handler of a trap returns by mret: MPP is U then and MPRV is as before only from M.
                        t.li(R["t6"], B["MPRV"])
                        t.csrc("mstatus", R["t6"])
                        t.out(R["a0"], "%s %s" % (op, what))
                self.add(t)

    def fences(self):
        """sfence.vma after changes of page tables; satp switches with and without ASIDs."""
        p1 = self.img.sig_alloc(struct.pack("<Q", 0x1111) * 512, PAGE)
        p2 = self.img.sig_alloc(struct.pack("<Q", 0x2222) * 512, PAGE)
        f = RD | W | X | A | D | V
        for kind in ("all", "address", "asid", "both", "satp write back"):
            for rights in (f, f | G):
                if rights & G and kind in ("asid", "both"):
                    continue
                name = "sfence %s%s" % (kind, " global" if rights & G else "")
                if not self.want(name):
                    continue
                root, where = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2), (0x10000000, p1, rights, 0),
                                          (0x10001000, p1, rights, 0)])
                t = Test(self, name, "S", 0, SV39 | 5 << 44 | root >> 12)
                s0, s1, n = R["s0"], R["s1"], R["t3"]
                t.li(s0, 0x10000000)
                t.li(s1, where[0x10000000])
                t.li(n, 20)
                t.li(R["a4"], p1 >> 12 << 10 | rights)
                t.li(R["a5"], p2 >> 12 << 10 | rights)
                t.li(R["t4"], 5)
                t.li(R["s2"], 0)
                t.label("loop")
                t.i("ld", rd=R["a0"], rs1=s0)
                t.i("add", rd=R["s2"], rs1=R["s2"], rs2=R["a0"])
                t.i("slli", rd=R["a1"], rs1=R["s2"], imm=3)
                t.i("xor", rd=R["s2"], rs1=R["s2"], rs2=R["a1"])
                t.i("sd", rs1=s1, rs2=R["a5"])
                if kind == "all":
                    t.i("sfence.vma")
                elif kind == "address":
                    t.i("sfence.vma", rs1=s0)
                elif kind == "asid":
                    t.i("sfence.vma", rs2=R["t4"])
                elif kind == "both":
                    t.i("sfence.vma", rs1=s0, rs2=R["t4"])
                else:
                    t.i("csrrw", rd=R["a1"], rs1=0, csr=CSRS["satp"])
                    t.i("sfence.vma")
                    t.csrw("satp", R["a1"])
                t.i("ld", rd=R["a0"], rs1=s0)
                t.i("sd", rs1=s0, rs2=n, imm=8)
                t.i("add", rd=R["s2"], rs1=R["s2"], rs2=R["a0"])
                # Swap the two.
                t.i("addi", rd=R["a1"], rs1=R["a4"], imm=0)
                t.i("addi", rd=R["a4"], rs1=R["a5"], imm=0)
                t.i("addi", rd=R["a5"], rs1=R["a1"], imm=0)
                t.i("addi", rd=n, rs1=n, imm=-1)
                t.to("bne", "loop", rs1=n, rs2=0)
                t.out(R["s2"], "sum of what was read")
                t.li(R["a1"], 0)
                self.add(t)
        for asids in ((1, 2), (0, 0)):
            name = "satp switch asids %d %d" % asids
            if not self.want(name):
                continue
            q1 = self.img.sig_alloc(struct.pack("<Q", 0x1111) * 512, PAGE)
            q2 = self.img.sig_alloc(struct.pack("<Q", 0x2222) * 512, PAGE)
            base = [(0x80000000, 0x80000000, RWX | A | D | V, 2)]
            r1, _ = self.space(base + [(0x10000000, q1, f, 0), (0x10002000, q2, RD | A | V, 0)])
            r2, _ = self.space(base + [(0x10000000, q2, f, 0), (0x10002000, q1, RD | A | V, 0)])
            t = Test(self, name, "S", 0, SV39 | asids[0] << 44 | r1 >> 12, mtraps=500)
            s0, n = R["s0"], R["t3"]
            t.li(s0, 0x10000000)
            t.li(n, 40)
            t.li(R["a4"], SV39 | asids[0] << 44 | r1 >> 12)
            t.li(R["a5"], SV39 | asids[1] << 44 | r2 >> 12)
            t.li(R["s2"], 0)
            t.li(R["s3"], 0x10002000)
            t.label("loop")
            t.csrw("satp", R["a5"])
            if asids[0] == asids[1]:
                t.i("sfence.vma")
            t.i("ld", rd=R["a0"], rs1=s0)
            t.i("add", rd=R["s2"], rs1=R["s2"], rs2=R["a0"])
            t.i("sd", rs1=s0, rs2=n, imm=8)
            t.i("sd", rs1=R["s3"], rs2=n, imm=8)  # faults
            t.csrw("satp", R["a4"])
            if asids[0] == asids[1]:
                t.i("sfence.vma")
            t.i("ld", rd=R["a0"], rs1=s0)
            t.i("slli", rd=R["s2"], rs1=R["s2"], imm=1)
            t.i("add", rd=R["s2"], rs1=R["s2"], rs2=R["a0"])
            t.i("ld", rd=R["a0"], rs1=R["s3"], imm=8)
            t.i("add", rd=R["s2"], rs1=R["s2"], rs2=R["a0"])
            t.i("addi", rd=n, rs1=n, imm=-1)
            t.to("bne", "loop", rs1=n, rs2=0)
            t.out(R["s2"], "sum of what was read")
            self.add(t)
        # Rights that grow need no fence for a fault to be retried, rights that shrink need one.
        name = "rights taken away"
        if self.want(name):
            q = self.img.sig_alloc(PAGE, PAGE)
            root, where = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2), (0x10000000, q, f, 0)])
            t = Test(self, name, "S", 0, SV39 | root >> 12, mtraps=100)
            s0, s1 = R["s0"], R["s1"]
            t.li(s0, 0x10000000)
            t.li(s1, where[0x10000000])
            for k, fl in enumerate((f, RD | A | V, X | A | V, f, 0, V | RD | W, f)):
                t.li(R["a5"], q >> 12 << 10 | fl)
                t.i("sd", rs1=s1, rs2=R["a5"])
                t.i("sfence.vma", rs1=s0)
                t.li(R["a0"], 100 + k)
                t.li(R["a1"], 0)
                t.i("sd", rs1=s0, rs2=R["a0"], imm=8 * k)
                t.i("ld", rd=R["a1"], rs1=s0, imm=8 * k)
                t.out(R["a1"], "rights %x" % fl)
                t.i("ld", rd=R["a5"], rs1=s1)
                t.out(R["a5"], "PTE after %x" % fl)
            self.add(t)

    def code(self):
        """Self-modifying code, code under two addresses, code that is remapped, fetches at the edges."""
        def addi(rd, imm):
            return rv.enc("addi", rd=rd, rs1=rd, imm=imm)
        # A loop that rewrites an instruction in it, with fence.i.
        for where in ("same block", "next block", "other page"):
            for mode in ("M", "S"):
                name = "modify code %s in %s" % (where, mode)
                if not self.want(name):
                    continue
                if mode == "S":
                    root, _ = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2)])
                    t = Test(self, name, "S", 0, SV39 | root >> 12)
                else:
                    t = Test(self, name)
                t.la(R["s0"], "patch")
                t.li(R["t0"], 50)
                t.li(R["a0"], 0)
                t.li(R["a1"], addi(R["a0"], 1))
                t.label("loop")
                t.i("sw", rs1=R["s0"], rs2=R["a1"])
                t.i("fence.i")
                if where == "next block":
                    t.to("jal", "patch", rd=0)
                    t.raw(0, 4)
                elif where == "other page":
                    t.to("jal", "patch", rd=R["ra"])
                if where != "other page":
                    t.label("patch")
                    t.raw(0, 4)
                t.i("slli", rd=R["a2"], rs1=R["a0"], imm=1)
                t.i("xor", rd=R["a0"], rs1=R["a0"], rs2=R["a2"])
                t.li(R["a3"], 1 << 20)
                t.i("add", rd=R["a1"], rs1=R["a1"], rs2=R["a3"])
                t.i("addi", rd=R["t0"], rs1=R["t0"], imm=-1)
                t.to("bne", "loop", rs1=R["t0"], rs2=0)
                t.out(R["a0"], "sum")
                if where == "other page":
                    t.to("jal", "end", rd=0)
                    for _ in range(1100):
                        t.raw(0, 4)
                    t.label("patch")
                    t.raw(0, 4)
                    t.i("jalr", rd=0, rs1=R["ra"])
                self.add(t)
        # Functions rewritten in data pages, called through one address and written through another.
        name = "code written through another address"
        if self.want(name):
            page = self.img.sig_alloc(struct.pack("<II", addi(R["a0"], 1), rv.enc("jalr", rs1=1)) * 512, PAGE)
            root, _ = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2), (0x10000000, page, RD | X | A | V, 0),
                                  (0x10001000, page, RD | W | A | D | V, 0)])
            t = Test(self, name, "S", 0, SV39 | root >> 12)
            t.li(R["s0"], 0x10000000)
            t.li(R["s1"], 0x10001000)
            t.li(R["t0"], 40)
            t.li(R["a0"], 0)
            t.li(R["a1"], addi(R["a0"], 1))
            t.li(R["a3"], 1 << 20)
            t.label("loop")
            t.i("jalr", rd=R["ra"], rs1=R["s0"])
            t.i("jalr", rd=R["ra"], rs1=R["s0"], imm=64)
            t.i("add", rd=R["a1"], rs1=R["a1"], rs2=R["a3"])
            t.i("sw", rs1=R["s1"], rs2=R["a1"], imm=64)
            t.i("amoswap.w", rd=R["a2"], rs1=R["s1"], rs2=R["a1"])
            t.i("fence.i")
            t.i("jalr", rd=R["ra"], rs1=R["s0"], imm=64)
            t.i("slli", rd=R["a2"], rs1=R["a0"], imm=1)
            t.i("xor", rd=R["a0"], rs1=R["a0"], rs2=R["a2"])
            t.i("addi", rd=R["t0"], rs1=R["t0"], imm=-1)
            t.to("bne", "loop", rs1=R["t0"], rs2=0)
            t.out(R["a0"], "sum")
            self.add(t)
        # The page under a code address changes: another physical page, then sfence.vma.
        for g in (0, G):
            name = "code remapped%s" % (" global" if g else "")
            if not self.want(name):
                continue
            pages = [self.img.alloc(struct.pack("<II", addi(R["a0"], k), rv.enc("jalr", rs1=1)) * 512, PAGE)
                     for k in (3, 50, 700)]
            root, where = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2),
                                      (0x10000000, pages[0], RD | X | A | V | g, 0)])
            t = Test(self, name, "S", 0, SV39 | root >> 12)
            t.li(R["s0"], 0x10000000)
            t.li(R["s1"], where[0x10000000])
            t.li(R["t0"], 15)
            t.li(R["a0"], 0)
            t.label("loop")
            for p in pages:
                t.li(R["a1"], p >> 12 << 10 | RD | X | A | V | g)
                t.i("sd", rs1=R["s1"], rs2=R["a1"])
                t.i("sfence.vma", rs1=R["s0"])
                t.i("jalr", rd=R["ra"], rs1=R["s0"])
                t.i("jalr", rd=R["ra"], rs1=R["s0"], imm=16)
                t.i("slli", rd=R["a2"], rs1=R["a0"], imm=1)
                t.i("xor", rd=R["a0"], rs1=R["a0"], rs2=R["a2"])
            t.i("addi", rd=R["t0"], rs1=R["t0"], imm=-1)
            t.to("bne", "loop", rs1=R["t0"], rs2=0)
            t.out(R["a0"], "sum")
            self.add(t)
        # The same code address in two address spaces, with ASIDs, no fence.
        # Two places: one of them does not share an entry of a direct-mapped table with the test's own page.
        for va in (0x10000000, 0x10155000):
            name = "code of two address spaces at %x" % va
            if self.want(name):
                base = [(0x80000000, 0x80000000, RWX | A | D | V, 2)]
                pages = [self.img.alloc(struct.pack("<II", addi(R["a0"], k), rv.enc("jalr", rs1=1)) * 512, PAGE)
                         for k in (3, 50)]
                roots = [self.space(base + [(va, p, RD | X | A | V, 0)])[0] for p in pages]
                t = Test(self, name, "S", 0, SV39 | 1 << 44 | roots[0] >> 12)
                t.li(R["s0"], va)
                t.li(R["t0"], 30)
                t.li(R["a0"], 0)
                t.li(R["a4"], SV39 | 1 << 44 | roots[0] >> 12)
                t.li(R["a5"], SV39 | 2 << 44 | roots[1] >> 12)
                t.label("loop")
                for r in (R["a4"], R["a5"]):
                    t.csrw("satp", r)
                    t.i("jalr", rd=R["ra"], rs1=R["s0"])
                    t.i("slli", rd=R["a2"], rs1=R["a0"], imm=1)
                    t.i("xor", rd=R["a0"], rs1=R["a0"], rs2=R["a2"])
                t.i("addi", rd=R["t0"], rs1=R["t0"], imm=-1)
                t.to("bne", "loop", rs1=R["t0"], rs2=0)
                t.out(R["a0"], "sum")
                self.add(t)
        # A 4-byte instruction over two pages that are not neighbours; either half missing or changed.
        half = rv.enc("addi", rd=R["a0"], rs1=R["a0"], imm=5)
        pa = self.img.sig_alloc(bytes(PAGE - 2) + struct.pack("<H", half & 0xffff), PAGE)
        self.img.sig_alloc(PAGE, PAGE)
        pb = self.img.sig_alloc(struct.pack("<H", half >> 16) + struct.pack("<I", rv.enc("jalr", rs1=1)) + bytes(PAGE - 6), PAGE)
        for mode in ("S", "U"):
            u = U if mode == "U" else 0
            ok = RD | W | X | A | D | V | u
            for what, fa, fb in (("both", ok, ok), ("no second", ok, 0), ("no first", 0, ok), ("second not executable", ok, RD | A | V | u),
                                 ("second of another mode", ok, ok ^ U), ("second without A", ok, ok & ~A), ("none", 0, 0)):
                name = "instruction over two pages, %s, in %s" % (what, mode)
                if not self.want(name):
                    continue
                root, where = self.space([(0x80000000, 0x80000000, RWX | A | D | V | u, 2), (0x10000000, pa, fa, 0),
                                          (0x10001000, pb, fb, 0)])
                t = Test(self, name, mode, 0, SV39 | root >> 12, flags=1)
                t.li(R["s0"], 0x10000ffe)
                t.li(R["s1"], 0x10001000)
                t.li(R["t0"], 6)
                t.li(R["a0"], 0)
                t.label("loop")
                t.i("jalr", rd=R["ra"], rs1=R["s0"])
                t.i("addi", rd=R["t0"], rs1=R["t0"], imm=-1)
                t.to("bne", "loop", rs1=R["t0"], rs2=0)
                t.out(R["a0"], "sum")
                if what == "both":
                    # Change the immediate, which is in the second page.
                    t.i("lhu", rd=R["a1"], rs1=R["s1"])
                    t.i("addi", rd=R["a1"], rs1=R["a1"], imm=16 * 7)
                    t.i("sh", rs1=R["s1"], rs2=R["a1"])
                    t.i("fence.i")
                    t.i("jalr", rd=R["ra"], rs1=R["s0"])
                    t.i("addi", rd=R["a1"], rs1=R["a1"], imm=-16 * 7)
                    t.i("sh", rs1=R["s1"], rs2=R["a1"])
                    t.i("fence.i")
                    t.i("jalr", rd=R["ra"], rs1=R["s0"])
                    t.out(R["a0"], "sum after a change in the second page")
                self.add(t)
        name = "second page taken away and given back"
        if self.want(name):
            ok = RD | W | X | A | D | V
            root, where = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2), (0x10000000, pa, ok, 0),
                                      (0x10001000, pb, ok, 0)])
            t = Test(self, name, "S", 0, SV39 | root >> 12, flags=1)
            t.li(R["s0"], 0x10000ffe)
            t.li(R["s1"], where[0x10001000])
            t.i("ld", rd=R["a5"], rs1=R["s1"])
            t.li(R["a0"], 0)
            t.li(R["t0"], 5)
            t.label("loop")
            t.i("jalr", rd=R["ra"], rs1=R["s0"])
            t.i("sd", rs1=R["s1"], rs2=0)
            t.i("sfence.vma")
            t.i("jalr", rd=R["ra"], rs1=R["s0"])
            t.i("sd", rs1=R["s1"], rs2=R["a5"])
            t.i("sfence.vma")
            t.i("addi", rd=R["t0"], rs1=R["t0"], imm=-1)
            t.to("bne", "loop", rs1=R["t0"], rs2=0)
            t.out(R["a0"], "sum")
            self.add(t)
        # Jumps to nowhere.
        for mode in ("M", "S", "U"):
            name = "jumps to nowhere from %s" % mode
            if not self.want(name):
                continue
            u = U if mode == "U" else 0
            satp = 0
            if mode != "M":
                root, _ = self.space([(0x80000000, 0x80000000, RWX | A | D | V | u, 2),
                                      (0x10000000, pa, RD | W | A | D | V | u, 0), (0x10001000, pa, X | A | V | (u ^ U), 0)])
                satp = SV39 | root >> 12
            t = Test(self, name, mode, 0, satp, flags=1, mtraps=200)
            for a in (0, 0x10000000 if mode != "M" else 0xa0000000, 0x10001000 if mode != "M" else 0xb0000000,
                      0x50000000 if mode != "M" else 0x90000000, 1 << 38, 1 << 39, (1 << 38) - 2,
                      M64 - 1, M64 - 3, -(1 << 38) & M64, -(1 << 39) & M64, 1 << 63, 1 << 47, 1 << 55,
                      0x8000000080000000, 0x4080000000):
                t.li(R["s0"], a)
                t.i("jalr", rd=R["ra"], rs1=R["s0"])
                t.i("jalr", rd=R["ra"], rs1=R["s0"], imm=3)
            self.add(t)
        # Execute-only code; code that reads itself.
        name = "execute-only code"
        if self.want(name):
            page = self.img.alloc(struct.pack("<II", rv.enc("lw", rd=R["a0"], rs1=R["s0"]), rv.enc("jalr", rs1=1)) * 512, PAGE)
            root, _ = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2), (0x10000000, page, X | A | V, 0)])
            t = Test(self, name, "S", 0, SV39 | root >> 12)
            t.li(R["s0"], 0x10000000)
            t.li(R["a0"], 1)
            t.i("jalr", rd=R["ra"], rs1=R["s0"])
            t.out(R["a0"], "load from it")
            t.li(R["t6"], B["MXR"])
            t.csrs("sstatus", R["t6"])
            t.i("jalr", rd=R["ra"], rs1=R["s0"])
            t.out(R["a0"], "load from it with MXR")
            t.csrc("sstatus", R["t6"])
            t.i("jalr", rd=R["ra"], rs1=R["s0"])
            t.out(R["a0"], "load from it without again")
            self.add(t)

    def remap(self):
        """Pages of code that jump, call and return into each other directly; each is remapped while the others stay."""
        def page(va, k, other):
            c = rv.Asm()
            c.label("in")
            c.i("addi", rd=R["a0"], rs1=R["a0"], imm=k)
            c.i("jal", rd=R["ra"], imm=other + 0x40 - (va + 4))  # call into the other page
            c.i("xori", rd=R["a0"], rs1=R["a0"], imm=k)
            c.i("jalr", rd=0, rs1=R["s3"])
            b = c.bytes(va).ljust(0x40, b"\0")
            c = rv.Asm()
            c.i("slli", rd=R["a3"], rs1=R["a0"], imm=1)
            c.i("add", rd=R["a0"], rs1=R["a0"], rs2=R["a3"])
            c.i("addi", rd=R["a0"], rs1=R["a0"], imm=k)
            c.to("beq", "skip", rs1=0, rs2=0)
            c.i("addi", rd=R["a0"], rs1=0, imm=0)
            c.label("skip")
            c.i("jalr", rd=0, rs1=R["ra"])
            return (b + c.bytes(va + 0x40)).ljust(PAGE, b"\0")
        va = (0x10000000, 0x10001000)
        for kind in ("sfence page", "sfence all", "satp", "asid"):
            name = "code of several pages remapped, %s" % kind
            if not self.want(name):
                continue
            pages = [[self.img.alloc(page(va[w], 3 + 100 * w + 17 * k, va[1 - w]), PAGE) for k in range(3)] for w in range(2)]
            f = RD | X | A | V
            base = [(0x80000000, 0x80000000, RWX | A | D | V, 2)]
            root, where = self.space(base + [(va[w], pages[w][0], f, 0) for w in range(2)])
            root2, where2 = self.space(base + [(va[w], pages[w][2], f, 0) for w in range(2)])
            t = Test(self, name, "S", 0, SV39 | 1 << 44 | root >> 12)
            t.li(R["a0"], 0)
            t.li(R["t0"], 25)
            t.label("loop")
            n = 0
            for w, k in ((0, 1), (1, 1), (0, 2), (1, 0), (1, 2), (0, 0), (1, 0)):
                if kind in ("sfence page", "sfence all"):
                    t.li(R["s1"], where[va[w]])
                    t.li(R["a1"], pages[w][k] >> 12 << 10 | f)
                    t.i("sd", rs1=R["s1"], rs2=R["a1"])
                    t.li(R["s0"], va[w])
                    t.i("sfence.vma", rs1=R["s0"] if kind == "sfence page" else 0)
                elif kind == "satp":
                    t.li(R["a1"], SV39 | 1 << 44 | (root2 if k else root) >> 12)
                    t.csrw("satp", R["a1"])
                    t.i("sfence.vma")
                else:
                    t.li(R["a1"], SV39 | (2 << 44 | root2 >> 12 if k else 1 << 44 | root >> 12))
                    t.csrw("satp", R["a1"])
                for x in range(2):
                    t.li(R["s0"], va[x])
                    t.la(R["s3"], "back%d.%d" % (n, x))
                    t.i("jalr", rd=0, rs1=R["s0"])
                    t.label("back%d.%d" % (n, x))
                n += 1
            t.i("addi", rd=R["t0"], rs1=R["t0"], imm=-1)
            t.to("bne", "loop2", rs1=R["t0"], rs2=0)
            t.to("jal", "over", rd=0)
            t.label("loop2")
            t.to("jal", "loop", rd=0)
            t.label("over")
            t.out(R["a0"], "sum")
            self.add(t)

    def remap_half(self):
        """An instruction over two pages whose second page is remapped, the first staying as it is."""
        va = 0x10000000
        name = "second page of an instruction remapped"
        if not self.want(name):
            return
        word = [rv.enc("addi", rd=R["a0"], rs1=R["a0"], imm=i) for i in (3, 0x1f0)]
        first = self.img.alloc(bytes(PAGE - 2) + struct.pack("<H", word[0] & 0xffff), PAGE)
        second = [self.img.alloc(struct.pack("<HH", w >> 16, 0x8082).ljust(PAGE, b"\0"), PAGE) for w in word]
        f = RD | X | A | V
        root, where = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2), (va, first, f, 0),
                                  (va + PAGE, second[0], f, 0)])
        t = Test(self, name, "S", 0, SV39 | root >> 12)
        t.li(R["a0"], 0)
        t.li(R["s0"], va + PAGE - 2)
        t.li(R["s1"], where[va + PAGE])
        t.li(R["s2"], va + PAGE)
        t.li(R["a4"], second[0] >> 12 << 10 | f)
        t.li(R["a5"], second[1] >> 12 << 10 | f)
        t.li(R["t0"], 9)
        t.label("loop")
        t.i("slli", rd=R["a0"], rs1=R["a0"], imm=3)
        t.i("jalr", rd=R["ra"], rs1=R["s0"])
        t.i("sd", rs1=R["s1"], rs2=R["a5"])
        t.i("sfence.vma", rs1=R["s2"])
        t.i("addi", rd=R["a3"], rs1=R["a4"], imm=0)
        t.i("addi", rd=R["a4"], rs1=R["a5"], imm=0)
        t.i("addi", rd=R["a5"], rs1=R["a3"], imm=0)
        t.i("addi", rd=R["t0"], rs1=R["t0"], imm=-1)
        t.to("bne", "loop", rs1=R["t0"], rs2=0)
        t.out(R["a0"], "sum")
        self.add(t)

    def big_pages(self):
        """Code and data in superpages: the leaf changes, the fence names any address of it; global pages live on."""
        words = [struct.pack("<II", rv.enc("addi", rd=R["a0"], rs1=R["a0"], imm=k), rv.enc("jalr", rs1=1)) for k in (3, 50)]
        for level in (1, 2):
            for fence in ("an address of it", "all", "by asid"):
                for g in (0, G):
                    name = "level %d page changed, fence of %s%s" % (level, fence, ", global" if g else "")
                    if not self.want(name) or g and fence == "by asid":
                        continue
                    size = PAGE << 9 * level
                    # Two places that differ: a 2 MiB page at each of them, or 4 KiB pages instead of the big one.
                    pages = [self.img.alloc(w * (PAGE // 8), PAGE) for w in words]
                    f = RWX | A | D | V | g
                    va = 0x140000000 if level == 2 else 0x10000000
                    big = pages[0] & -size
                    off = pages[0] - big
                    # The table that stands in for the big page: one small page where pages[0] was.
                    small, _ = self.space([(va + off, pages[1], f, 0)])
                    root, where = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2), (va, big, f, level)])
                    sub = small
                    for k in range(3 - level if level == 2 else 2):
                        idx = va + off >> 30 - 9 * k & 511
                        sub = (struct.unpack_from("<Q", self.img.sig, sub + 8 * idx - image.SIG)[0] >> 10) << 12
                        if level == 2:
                            break
                    t = Test(self, name, "S", 0, SV39 | 7 << 44 | root >> 12)
                    t.li(R["s0"], va + off)
                    t.li(R["s1"], where[va])
                    t.li(R["s2"], va + off + (PAGE if level == 1 else 0x10000))
                    t.li(R["a4"], big >> 12 << 10 | f)
                    t.li(R["a5"], sub >> 12 << 10 | V)
                    t.li(R["t4"], 7)
                    t.li(R["t0"], 12)
                    t.li(R["a0"], 0)
                    t.label("loop")
                    for leaf in (R["a5"], R["a4"]):
                        t.i("jalr", rd=R["ra"], rs1=R["s0"])
                        t.i("jalr", rd=R["ra"], rs1=R["s0"], imm=32)
                        t.i("lw", rd=R["a2"], rs1=R["s0"])
                        t.i("slli", rd=R["a3"], rs1=R["a0"], imm=1)
                        t.i("xor", rd=R["a0"], rs1=R["a0"], rs2=R["a3"])
                        t.i("xor", rd=R["a0"], rs1=R["a0"], rs2=R["a2"])
                        t.i("sd", rs1=R["s1"], rs2=leaf)
                        if fence == "all":
                            t.i("sfence.vma")
                        elif fence == "by asid":
                            t.i("sfence.vma", rs2=R["t4"])
                        else:
                            t.i("sfence.vma", rs1=R["s0"])
                    t.i("addi", rd=R["t0"], rs1=R["t0"], imm=-1)
                    t.to("bne", "loop", rs1=R["t0"], rs2=0)
                    t.out(R["a0"], "sum")
                    self.add(t)
        # A fence that names another address of the same big leaf.
        for level in (1, 2):
            name = "level %d page changed, fence of another address" % level
            if not self.want(name):
                continue
            size = PAGE << 9 * level
            page = self.img.alloc(words[0] * (PAGE // 8), PAGE)
            va = 0x140000000 if level == 2 else 0x10000000
            big, off = page & -size, page & (size - 1)
            root, where = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2), (va, big, RWX | A | D | V, level)])
            t = Test(self, name, "S", 0, SV39 | root >> 12, flags=1, mtraps=500)
            t.li(R["s0"], va + off)
            t.li(R["s1"], where[va])
            t.li(R["s2"], (va + (off ^ 0x1000)))
            t.li(R["a4"], big >> 12 << 10 | RWX | A | D | V)
            t.li(R["t0"], 8)
            t.li(R["a0"], 0)
            t.label("loop")
            for rights in (RWX | A | D | V, RD | A | V, X | A | V, 0):
                t.li(R["a5"], big >> 12 << 10 | rights)
                t.i("sd", rs1=R["s1"], rs2=R["a5"])
                t.i("sfence.vma", rs1=R["s2"])
                t.i("jalr", rd=R["ra"], rs1=R["s0"])
                t.i("lw", rd=R["a2"], rs1=R["s0"])
                t.i("xor", rd=R["a0"], rs1=R["a0"], rs2=R["a2"])
                t.i("lw", rd=R["a2"], rs1=R["s0"], imm=2044)
                t.i("sw", rs1=R["s0"], rs2=R["a2"], imm=2044)
            t.i("addi", rd=R["t0"], rs1=R["t0"], imm=-1)
            t.to("bne", "loop", rs1=R["t0"], rs2=0)
            t.out(R["a0"], "sum")
            self.add(t)
        # Code that is global in two address spaces, beside code that is not.
        for asids in ((1, 2), (0, 0)):
            name = "global code in two address spaces, asids %d %d" % asids
            if not self.want(name):
                continue
            shared = self.img.alloc(words[0] * (PAGE // 8), PAGE)
            own = [self.img.alloc(w * (PAGE // 8), PAGE) for w in words]
            roots = [self.space([(0x80000000, 0x80000000, RWX | A | D | V | G, 2), (0x10000000, shared, RD | X | A | V | G, 0),
                                 (0x10001000, p, RD | X | A | V, 0)])[0] for p in own]
            t = Test(self, name, "S", 0, SV39 | asids[0] << 44 | roots[0] >> 12)
            t.li(R["s0"], 0x10000000)
            t.li(R["s1"], 0x10001000)
            t.li(R["a4"], SV39 | asids[0] << 44 | roots[0] >> 12)
            t.li(R["a5"], SV39 | asids[1] << 44 | roots[1] >> 12)
            t.li(R["t0"], 20)
            t.li(R["t4"], asids[0])
            t.li(R["a0"], 0)
            t.label("loop")
            for r in (R["a5"], R["a4"]):
                t.csrw("satp", r)
                if asids[0] == asids[1]:
                    t.i("sfence.vma", rs2=R["t4"])  # leaves what is global
                for s in (R["s0"], R["s1"]):
                    t.i("jalr", rd=R["ra"], rs1=s)
                    t.i("slli", rd=R["a3"], rs1=R["a0"], imm=1)
                    t.i("xor", rd=R["a0"], rs1=R["a0"], rs2=R["a3"])
            t.i("addi", rd=R["t0"], rs1=R["t0"], imm=-1)
            t.to("bne", "loop", rs1=R["t0"], rs2=0)
            t.out(R["a0"], "sum")
            self.add(t)

    def mmio(self):
        """The same instruction on RAM, on a device's registers (the PLIC's priorities) and on nothing, in turn."""
        ram = self.img.sig_alloc(64, 64)
        for mode in ("M", "S"):
            for op in ("lw", "sw", "lwu"):
                name = "%s on RAM, device, nothing in turn in %s" % (op, mode)
                if not self.want(name):
                    continue
                satp = 0
                dev, none = 0xc000004, 0x90000000
                if mode == "S":
                    root, _ = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2),
                                          (0x10000000, 0xc000000, RD | W | A | D | V, 0),
                                          (0x10001000, 0x90000000, RD | W | A | D | V, 0)])
                    satp, dev, none = SV39 | root >> 12, 0x10000004, 0x10001000
                t = Test(self, name, mode, 0, satp, mtraps=1000)
                seq = [dev, dev, ram, dev, ram, ram, none, dev, none, ram, ram, dev] * 4
                at = self.img.alloc(struct.pack("<%dQ" % len(seq), *seq))
                t.li(R["s0"], at)
                t.li(R["s1"], len(seq))
                t.li(R["a2"], 0)
                t.label("loop")
                t.i("ld", rd=R["a1"], rs1=R["s0"])
                t.i("andi", rd=R["a0"], rs1=R["s1"], imm=7)
                t.i("addi", rd=R["a3"], rs1=R["a0"], imm=0)
                if op == "sw":
                    t.i("sw", rs1=R["a1"], rs2=R["a0"])
                    t.i("lw", rd=R["a3"], rs1=R["a1"])
                else:
                    t.i(op, rd=R["a3"], rs1=R["a1"])
                    t.i("sw", rs1=R["a1"], rs2=R["a0"])
                t.i("slli", rd=R["a4"], rs1=R["a2"], imm=3)
                t.i("xor", rd=R["a2"], rs1=R["a2"], rs2=R["a4"])
                t.i("add", rd=R["a2"], rs1=R["a2"], rs2=R["a3"])
                t.i("addi", rd=R["s0"], rs1=R["s0"], imm=8)
                t.i("addi", rd=R["s1"], rs1=R["s1"], imm=-1)
                t.to("bne", "loop", rs1=R["s1"], rs2=0)
                t.out(R["a2"], "sum")
                t.li(R["a0"], 0)
                t.i("sw", rs1=R["a1"], rs2=R["a0"])
                self.add(t)

    def page_sc(self):
        """An SC alone at the begin of a page, where a pair's would be at offset 0, behind a pair and an LR alone."""
        name = "SC that begins a page"
        if not self.want(name):
            return
        mem = self.img.sig_alloc(64, 64)
        page = self.img.alloc(b"".join(x.to_bytes(4, "little") for x in (
            rv.enc("sc.w", rd=R["a2"], rs1=R["a0"], rs2=R["a1"]), rv.enc("jalr", rs1=R["ra"]))).ljust(PAGE, b"\0"), PAGE)
        t = Test(self, name)
        for lr, want in ((False, 1), (True, 0), (False, 1)):
            t.li(R["a0"], mem)
            t.li(R["a1"], 0x55)
            t.li(R["a4"], page)
            t.i("sw", rs1=R["a0"], rs2=0)
            t.i("lr.w", rd=R["a3"], rs1=R["a0"])
            t.i("sc.w", rd=R["a3"], rs1=R["a0"], rs2=R["a3"])
            t.out(R["a3"], "the pair", want=0)
            if lr:
                t.i("lr.w", rd=R["a3"], rs1=R["a0"])
            t.i("jalr", rd=R["ra"], rs1=R["a4"])
            t.out(R["a2"], "rd", want=want)
            t.i("lw", rd=R["a3"], rs1=R["a0"])
            t.out(R["a3"], "memory", want=0 if want else 0x55)
        self.add(t)

    def near_pairs(self):
        """LR and SC that nearly are a pair: of two registers, sizes, addresses, with branches between."""
        name = "LR and SC that are no pair"
        if not self.want(name):
            return
        page = self.img.sig_alloc(4096, PAGE)
        t = Test(self, name)
        s0, s1, a0, a1, v = (R[n] for n in ("s0", "s1", "a0", "a1", "t3"))

        def case(what, body, want, memory=None):
            """s0: a word with the address of s1; s1: a word with its own address."""
            t.li(s0, page)
            t.li(s1, page + 256)
            t.i("sd", rs1=s0, rs2=s1)
            t.i("sd", rs1=s1, rs2=s1)
            t.li(a1, 0x55)
            body()
            t.out(a0, what + ": rd", want=want)
            for r in (s0, s1):
                t.li(r, page + (256 if r == s1 else 0))
                t.i("ld", rd=v, rs1=r)
                t.out(v, what + ": memory", want=memory)

        def seq(*ins):
            def body():
                for x in ins:
                    if isinstance(x, str):
                        t.label("%s.%d" % (x, len(t.outs)))
                    elif isinstance(x[1], str):
                        t.to(x[0], "%s.%d" % (x[1], len(t.outs)), **x[2])
                    else:
                        t.i(x[0], **x[1])
            return body

        lr, sc = ("lr.d", dict(rd=v, rs1=s0)), ("sc.d", dict(rd=a0, rs1=s0, rs2=a1))
        nop = ("addi", dict(rd=0, rs1=0, imm=0))
        case("a pair", seq(lr, sc), 0)
        case("another register", seq(lr, ("sc.d", dict(rd=a0, rs1=s1, rs2=a1))), 1)
        case("the register is loaded", seq(("lr.d", dict(rd=s0, rs1=s0)), sc), 1)
        case("the register is changed", seq(lr, ("addi", dict(rd=s0, rs1=s1, imm=0)), sc), 1)
        # QEMU 7.2 does not look at the size.
        case("another size", seq(lr, ("sc.w", dict(rd=a0, rs1=s0, rs2=a1))), 1, page + 256)
        case("another register of the same address", seq(("addi", dict(rd=R["t4"], rs1=s0, imm=0)), lr,
                                                         ("sc.d", dict(rd=a0, rs1=R["t4"], rs2=a1))), 0)
        case("two LRs", seq(("lr.d", dict(rd=v, rs1=s1)), lr, sc), 0)
        case("two LRs, the first one's SC", seq(lr, ("lr.d", dict(rd=v, rs1=s1)), sc), 1)
        case("two SCs", seq(lr, ("sc.d", dict(rd=v, rs1=s0, rs2=a1)), sc), 1)
        case("a load between", seq(lr, ("ld", dict(rd=v, rs1=s1)), sc), 0)
        case("a branch to the SC", seq(lr, ("beq", "to", dict(rs1=0, rs2=0)), nop, nop, "to", sc), 0)
        case("a branch to another SC", seq(lr, ("beq", "to", dict(rs1=0, rs2=0)), sc, ("jal", "end", dict(rd=0)), "to", nop, sc,
                                           "end"), 0)
        case("a jump between", seq(lr, ("jal", "to", dict(rd=0)), ("addi", dict(rd=a1, rs1=0, imm=1)), "to", sc), 0)
        case("a branch that is not taken", seq(lr, ("bne", "end", dict(rs1=0, rs2=0)), sc, "end"), 0)
        # The pair ends the reservation that was there.
        case("a pair between", seq(lr, ("ld", dict(rd=v, rs1=s1)), ("lr.d", dict(rd=v, rs1=s1)),
                                   ("sc.d", dict(rd=v, rs1=s1, rs2=v)), sc), 1)
        self.add(t)

    def pte_code(self):
        """A PTE that is executed: what the walk writes to it is seen. As an instruction it is jalr zero,512(t0), and
        D makes it jalr ra,512(t0)."""
        name = "PTE as code"
        if not self.want(name):
            return
        va, pa = 0x10000000, 0x800a0000
        root, where = self.space([(va, pa, RD | W | G | A | V, 0)])
        t = Test(self, name, "M", 0, SV39 | root >> 12)
        for k in range(4):
            t.la(R["t0"], "back%d" % k)
            t.i("addi", rd=R["t0"], rs1=R["t0"], imm=-512)
            t.li(R["t1"], where[va])
            t.li(R["ra"], 0)
            t.i("jalr", rd=0, rs1=R["t1"])
            t.label("back%d" % k)
            # QEMU 7.2 goes on with the translation of the old PTE.
            t.out(R["ra"], "ra %d" % k, want=where[va] + 4 if k > 2 else 0)
            t.li(R["s0"], va)
            t.jump_to_mode("M", "on%d" % k)
            t.label("on%d" % k)
            t.li(R["t6"], 3 << 11)
            t.csrc("mstatus", R["t6"])
            t.li(R["t6"], MPP["S"] | B["MPRV"])
            t.csrs("mstatus", R["t6"])
            t.i("lw" if k < 2 else "sw", **(dict(rd=R["a0"], rs1=R["s0"]) if k < 2 else dict(rs1=R["s0"], rs2=0)))
            t.li(R["t6"], B["MPRV"])
            t.csrc("mstatus", R["t6"])
            t.i("fence.i")
        t.li(R["ra"], 0)
        self.add(t)

    def access_edges(self):
        """Accesses over page edges where one page is missing, misaligned atomics, the ends of the address space."""
        page = self.img.sig_alloc(bytes(range(256)) * 16, PAGE)
        for mode in ("S", "U"):
            u = U if mode == "U" else 0
            rw = RD | W | A | D | V | u
            root, _ = self.space([(0x80000000, 0x80000000, RWX | A | D | V | u, 2), (0x10001000, page, rw, 0),
                                  (0x10003000, page, RD | A | V | u, 0), (0x10004000, page, rw, 0),
                                  (0x3ffffff000, page, rw, 0), (M64 - 4095, page, rw, 0),
                                  (-(1 << 38) & M64, page, rw, 0)])
            for op, n in (("lh", 2), ("lw", 4), ("ld", 8), ("lwu", 4), ("sh", 2), ("sw", 4), ("sd", 8), ("flw", 4), ("fld", 8),
                          ("fsw", 4), ("fsd", 8)):
                name = "%s at edges in %s" % (op, mode)
                if not self.want(name):
                    continue
                t = Test(self, name, mode, 0, SV39 | root >> 12, mtraps=200)
                for edge in (0x10001000, 0x10002000, 0x10004000, 0x4000000000, 0, -(1 << 38) & M64):
                    for d in range(-n, 1):
                        t.li(R["s0"], edge + d & M64)
                        if op in ("sd", "sw", "sh", "fsw", "fsd"):
                            t.li(R["a0"], 0x0102030405060708)
                            t.i(op, rs1=R["s0"], rs2=R["a0"])
                        else:
                            t.li(R["a0"], 0x77)
                            t.i(op, rd=R["a0"], rs1=R["s0"])
                            if op[0] != "f":
                                t.out(R["a0"], "%x" % (edge + d & M64))
                self.add(t)
            self.pointer_loops(mode, root)
            name = "misaligned atomics in %s" % mode
            if self.want(name):
                t = Test(self, name, mode, 0, SV39 | root >> 12, mtraps=200)
                for op, n in (("amoadd.w", 4), ("amoswap.d", 8), ("lr.w", 4), ("lr.d", 8)):
                    for d in range(1, n):
                        t.li(R["s0"], 0x10001000 + 64 + d)
                        t.li(R["a0"], 7)
                        t.i(op, rd=R["a0"], rs1=R["s0"], rs2=0)
                        t.out(R["a0"], "%s %d" % (op, d))
                self.add(t)

    def pointer_loops(self, mode, root):
        """Loops whose pointer goes over the edges that access_edges() has, in either direction, by small steps and large ones;
        and one that follows pointers to where no address is."""
        s0, s1, a0, a1 = R["s0"], R["s1"], R["a0"], R["a1"]
        for op, steps in (("ld", [8]), ("ld", [-8]), ("sb", [1]), ("fld", [-8]), ("fsw", [4]), ("lw", [2040] * 9), ("sd", [-2048] * 6)):
            name = "%s by %d in a loop over edges in %s" % (op, sum(steps), mode)
            if not self.want(name):
                continue
            t = Test(self, name, mode, 0, SV39 | root >> 12, mtraps=400)
            for n, edge in enumerate((0x10001000, 0x10002000, 0x4000000000, 0, -(1 << 38) & M64)):
                t.li(s0, edge - 5 * sum(steps) & M64)
                t.li(s1, 9)
                t.li(a1, 0)
                t.label("loop%d" % n)
                t.li(a0, 0x77)
                t.i(op, rs1=s0, imm=-3 if op == "sb" else 0, **(dict(rs2=a0) if op[0] == "s" or op[:2] == "fs" else dict(rd=a0)))
                t.i("xor", rd=a1, rs1=a1, rs2=a0)
                for step in steps:
                    t.i("addi", rd=s0, rs1=s0, imm=step)
                t.i("addi", rd=s1, rs1=s1, imm=-1)
                t.to("bne", "loop%d" % n, rs1=s1, rs2=0)
                t.out(a1, "loaded at %x" % edge)
                t.out(s0, "pointer behind %x" % edge)
            self.add(t)
        name = "pointers followed to no address in %s" % mode
        if not self.want(name):
            return
        t = Test(self, name, mode, 0, SV39 | root >> 12)
        for n, last in enumerate((0x4000000000, 1 << 40, -(1 << 39) & M64, 0x8000000000000000)):
            for at, value in ((0x10001100, 0x10001140), (0x10001140, 0x10001180), (0x10001180, last)):
                t.li(s0, at)
                t.li(a0, value)
                t.i("sd", rs1=s0, rs2=a0)
            t.li(s0, 0x10001100)
            t.li(s1, 4)
            t.label("follow%d" % n)
            t.i("ld", rd=s0, rs1=s0)
            t.i("addi", rd=s1, rs1=s1, imm=-1)
            t.to("bne", "follow%d" % n, rs1=s1, rs2=0)
            t.out(s0, "last of %x" % last)
        self.add(t)

    def kernel(self):
        """A small kernel and a user program under Sv39: system calls, page faults and illegal instructions delegated
        to S-mode, SUM, a nested software interrupt, sret; with and without timer interrupts, in two address spaces."""
        for what in ("quiet", "timer", "two spaces", "two spaces, timer"):
            name = "kernel and user, %s" % what
            if self.want(name):
                self.kernel_case(name, "timer" in what, "two" in what)

    def warm_sret(self):
        """sret that a translator knows well by now, then with TSR set."""
        name = "kernel and user, then TSR"
        if not self.want(name):
            return
        u = rv.Asm()
        u.label("top")
        u.i("ecall")
        u.to("jal", "top", rd=0)
        code = self.img.alloc(u.bytes(0x10000000), PAGE)
        root, _ = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2), (0x10000000, code, RD | X | U | A | V, 0)])
        t = Test(self, name, "M", 0, SV39 | root >> 12)
        t0 = R["t0"]
        t.csrr(SAFE, "mtvec")
        t.la(t0, "mh")
        t.csrw("mtvec", t0)
        t.la(t0, "sh")
        t.csrw("stvec", t0)
        t.csrwv("medeleg", 1 << E_ECALL_U)
        t.li(R["s1"], 20)
        t.li(R["s2"], 0)
        t.jump_to_mode("S", "low", clear=B["SPP"])
        t.label("low")
        t.li(t0, 0x10000000)
        t.csrw("sepc", t0)
        t.to("jal", "go", rd=0)
        while t.size() % 4:
            t.c("c.nop")
        t.label("sh")
        t.i("addi", rd=R["s1"], rs1=R["s1"], imm=-1)
        t.to("bne", "go", rs1=R["s1"], rs2=0)
        t.i("ecall")  # M sets TSR
        t.label("go")
        t.i("sret")
        while t.size() % 4:
            t.c("c.nop")
        t.label("mh")
        t.i("addi", rd=R["s2"], rs1=R["s2"], imm=1)
        t.li(t0, 2)
        t.to("beq", "second", rs1=R["s2"], rs2=t0)
        t.csrr(R["a1"], "mcause")
        t.out(R["a1"], "first cause", want=E_ECALL_S)
        t.csrr(R["a1"], "mepc")
        t.i("addi", rd=R["a1"], rs1=R["a1"], imm=4)
        t.csrw("mepc", R["a1"])
        t.li(t0, B["TSR"])
        t.csrs("mstatus", t0)
        t.i("mret")
        t.label("second")
        t.csrr(R["a1"], "mcause")
        t.out(R["a1"], "cause of sret with TSR", want=E_ILLEGAL)
        t.csrr(R["a1"], "mstatus")
        t.out(R["a1"], "mstatus", MSTATUS_MASK)
        t.csrw("mtvec", SAFE)
        self.cleanup(t)
        self.add(t)

    def user_code(self):
        u = rv.Asm()
        a = lambda n: R[n]  # noqa: E731
        u.label("top")
        u.i("addi", rd=a("a0"), rs1=a("a0"), imm=7)
        u.i("sd", rs1=a("s0"), rs2=a("a0"))
        u.i("ecall")
        u.i("fadd.d", rd=1, rs1=1, rs2=2)
        u.i("fmul.d", rd=2, rs1=2, rs2=3)
        u.i("ld", rd=a("t3"), rs1=a("s0"), imm=8)
        u.i("add", rd=a("s3"), rs1=a("s3"), rs2=a("t3"))
        u.i("xor", rd=a("s3"), rs1=a("s3"), rs2=a("a1"))
        u.i("lw", rd=a("t3"), rs1=0, imm=64)  # faults
        u.i("addi", rd=a("t4"), rs1=a("s0"), imm=16)
        u.i("amoadd.w", rd=a("t5"), rs1=a("t4"), rs2=a("a0"))
        u.i("slli", rd=a("t5"), rs1=a("t5"), imm=3)
        u.i("add", rd=a("s3"), rs1=a("s3"), rs2=a("t5"))
        u.to("jal", "f", rd=a("ra"))
        u.i("csrrs", rd=a("t3"), rs1=0, csr=0x100)  # illegal
        u.i("ecall")
        u.i("sd", rs1=a("t6"), rs2=a("a0"))  # a page of the kernel: faults
        u.i("addi", rd=a("s1"), rs1=a("s1"), imm=-1)
        u.to("bne", "top", rs1=a("s1"), rs2=0)
        u.i("addi", rd=a("a7"), rs1=0, imm=99)
        u.i("ecall")
        u.label("f")
        u.i("ebreak")
        u.i("addi", rd=a("a5"), rs1=a("a5"), imm=1)
        u.i("jalr", rd=0, rs1=a("ra"))
        return u.bytes(0x10000000)

    def kernel_case(self, name, timer, two):
        code = self.img.alloc(self.user_code(), PAGE)
        self.img.alloc(0, PAGE)
        datas = [self.img.sig_alloc(PAGE, PAGE) for _ in range(2)]
        stack = self.img.sig_alloc(PAGE, PAGE)
        roots = [self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2), (0x10000000, code, RD | X | U | A | V, 0),
                             (0x10001000, d, RD | W | U | A | D | V, 0)])[0] for d in datas]
        t = Test(self, name, "M", 0, SV39 | 1 << 44 | roots[0] >> 12, mtraps=200)
        t0, t1, t2, sp, s9 = R["t0"], R["t1"], R["t2"], R["sp"], R["s9"]
        t.la(t0, "kh")
        t.csrw("stvec", t0)
        t.csrwv("medeleg", 0xb1ff)
        t.csrwv("mideleg", 0x222)
        t.csrwv("menvcfg", 1 << 63 | MENVCFG)
        t.csrwv("stimecmp", M64)
        t.csrwv("mie", 0x22 if timer else 2)
        t.li(t0, stack)
        t.csrw("sscratch", t0)
        t.li(s9, 1)
        t.li(R["s0"], 0x10001000)
        t.li(R["s1"], 400)
        t.li(R["t6"], stack)
        t.li(R["s4"], SV39 | 1 << 44 | roots[0] >> 12)
        t.li(R["s5"], SV39 | 2 << 44 | roots[1] >> 12)
        t.li(sp, 0x1234)
        if timer:
            t.csrr(t0, "time")
            t.i("addi", rd=t0, rs1=t0, imm=2000)
            t.csrw("stimecmp", t0)
        t.li(t0, 3 << 11 | B["MPIE"] | B["SPIE"] | B["SIE"])
        t.csrc("mstatus", t0)
        t.li(t0, 0x10000000)
        t.csrw("mepc", t0)
        t.i("mret")
        while t.size() % 4:
            t.c("c.nop")
        t.label("kh")
        t.i("csrrw", rd=sp, rs1=sp, csr=CSRS["sscratch"])
        for k, r in enumerate((t0, t1, t2)):
            t.i("sd", rs1=sp, rs2=r, imm=8 * k)
        t.csrr(t0, "scause")
        t.to("blt", "irq", rs1=t0, rs2=0)
        t.csrr(t1, "sepc")
        t.i("xor", rd=s9, rs1=s9, rs2=t1)
        t.i("addi", rd=t1, rs1=t1, imm=4)
        t.csrw("sepc", t1)
        t.i("addi", rd=t2, rs1=0, imm=99)
        t.to("beq", "end", rs1=R["a7"], rs2=t2)
        t.i("xor", rd=s9, rs1=s9, rs2=t0)
        t.i("addi", rd=t2, rs1=0, imm=3)
        t.i("csrrs", rd=t1, rs1=0, csr=CSRS["stval"])
        t.to("bne", "tval", rs1=t0, rs2=t2)
        t.i("addi", rd=t1, rs1=0, imm=0)  # of ebreak: 0 or pc
        t.label("tval")
        t.i("add", rd=s9, rs1=s9, rs2=t1)
        t.csrr(t1, "sstatus")
        t.i("srli", rd=t2, rs1=t1, imm=50)  # SD
        t.i("xor", rd=t1, rs1=t1, rs2=t2)
        t.i("add", rd=s9, rs1=s9, rs2=t1)
        t.i("slli", rd=t1, rs1=s9, imm=7)
        t.i("xor", rd=s9, rs1=s9, rs2=t1)
        # The user's memory.
        t.li(t0, B["SUM"])
        t.csrs("sstatus", t0)
        t.i("ld", rd=t1, rs1=R["s0"])
        t.i("xor", rd=s9, rs1=s9, rs2=t1)
        t.i("addi", rd=t1, rs1=t1, imm=3)
        t.i("sd", rs1=R["s0"], rs2=t1, imm=8)
        t.csrc("sstatus", t0)
        # A software interrupt inside the handler.
        for k, c in ((3, "sepc"), (4, "sstatus"), (5, "sscratch")):
            t.csrr(t0, c)
            t.i("sd", rs1=sp, rs2=t0, imm=8 * k)
        t.i("addi", rd=t1, rs1=sp, imm=256)
        t.csrw("sscratch", t1)
        t.i("csrrsi", rd=0, imm=2, csr=CSRS["sip"])
        t.i("addi", rd=s9, rs1=s9, imm=1)
        t.i("csrrsi", rd=t1, imm=2, csr=CSRS["sstatus"])
        t.i("slli", rd=t2, rs1=s9, imm=5)
        t.i("xor", rd=s9, rs1=s9, rs2=t2)
        t.i("csrrci", rd=t2, imm=2, csr=CSRS["sstatus"])
        t.i("sub", rd=t1, rs1=t2, rs2=t1)
        t.i("add", rd=s9, rs1=s9, rs2=t1)
        for k, c in ((3, "sepc"), (4, "sstatus"), (5, "sscratch")):
            t.i("ld", rd=t0, rs1=sp, imm=8 * k)
            t.csrw(c, t0)
        t.i("addi", rd=R["a1"], rs1=s9, imm=0)
        if two:
            t.i("xor", rd=t0, rs1=R["s4"], rs2=R["s5"])
            t.csrr(t1, "satp")
            t.i("xor", rd=t0, rs1=t0, rs2=t1)
            t.csrw("satp", t0)
        # SPIE of this return is SIE in the user program and SPIE of its next trap.
        t.i("addi", rd=t0, rs1=0, imm=B["SPIE"])
        t.csrc("sstatus", t0)
        t.i("and", rd=t0, rs1=s9, rs2=t0)
        t.csrs("sstatus", t0)
        t.label("out")
        for k, r in enumerate((t0, t1, t2)):
            t.i("ld", rd=r, rs1=sp, imm=8 * k)
        t.i("csrrw", rd=sp, rs1=sp, csr=CSRS["sscratch"])
        t.i("sret")
        t.label("irq")
        t.i("andi", rd=t1, rs1=t0, imm=15)
        t.i("addi", rd=t2, rs1=0, imm=1)
        t.to("bne", "tick", rs1=t1, rs2=t2)
        t.i("csrrci", rd=0, imm=2, csr=CSRS["sip"])
        t.i("addi", rd=s9, rs1=s9, imm=77)
        t.to("jal", "out", rd=0)
        t.label("tick")
        # The later this one is, the later the next: where interrupts are slow, the program goes on nevertheless.
        t.csrr(t1, "time")
        t.csrr(t2, "stimecmp")
        t.i("sub", rd=t2, rs1=t1, rs2=t2)
        t.i("slli", rd=t2, rs1=t2, imm=2)
        t.i("add", rd=t1, rs1=t1, rs2=t2)
        t.i("addi", rd=t1, rs1=t1, imm=2000)
        t.csrw("stimecmp", t1)
        t.to("jal", "out", rd=0)
        self.add(t)
        self.fixup()
