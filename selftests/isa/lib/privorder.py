# SPDX-License-Identifier: GPL-2.0-or-later
"""Privileged tests of who traps: instructions that TVM, TW and TSR forbid, which of two exceptions of one
instruction is taken, and programs that never trap whatever the host makes of their accesses. What has to come
out is the manual's and said here; QEMU is compared too."""

import itertools
import struct

from image import SIG
from privbase import *  # noqa: F403 (names of bits and CSRs)
import rv
from rv import R

E_LOAD_MISALIGNED, E_STORE_MISALIGNED = 4, 6
FS = 3 << 13
NOWHERE = 0x90000000  # behind the RAM
FRESH = 0x87000000  # RAM that nothing has touched before the quiet programs


class OrderTests:
    """Part of Suite."""

    def who_traps(self):
        """Each instruction of the supervisor's from each mode with each of TVM, TW and TSR (3.1.6.5, 3.3.2, Svinval)."""
        for mode in ("M", "S", "U"):
            for n in range(4):
                for bits in itertools.combinations(("TVM", "TW", "TSR"), n):
                    name = "who traps in %s with %s" % (mode, "+".join(bits) or "nothing")
                    if self.want(name):
                        self.who_traps_case(name, mode, bits)

    def who_traps_case(self, name, mode, bits):
        t = Test(self, name)
        a0, a4, a5, t0 = R["a0"], R["a4"], R["a5"], R["t0"]
        # The handler leaves the cause in a5 and goes on behind the instruction.
        t.csrr(SAFE, "mtvec")
        t.la(t0, "handler")
        t.csrw("mtvec", t0)
        t.csrwv("mideleg", 0x222)
        t.csrwv("medeleg", 0)
        if mode != "U":
            # For wfi: an interrupt that is pending and not taken. U-mode would take it.
            t.csrwv("mie", 2)
            t.csrwv("mip", 2)
        t.li(a4, 0)
        t.jump_to_mode(mode, "low", extra=sum(B[b] for b in bits), clear=B["SIE"] | B["MPIE"] | B["SPIE"])
        t.label("low")
        illegal = E_ILLEGAL

        def case(what, bad, emit):
            t.li(a5, 0)
            emit()
            t.out(a5, what, want=illegal if bad else 0)

        s, u = mode == "S", mode == "U"
        tvm, tw, tsr = (b in bits for b in ("TVM", "TW", "TSR"))
        for op in ("sfence.vma", "sinval.vma"):
            case(op, u or (s and tvm), lambda op=op: t.i(op))
            case(op + " of an address", u or (s and tvm), lambda op=op: t.i(op, rs1=a4))
            case(op + " of an ASID", u or (s and tvm), lambda op=op: t.i(op, rs2=a4))
        for op in ("sfence.w.inval", "sfence.inval.ir"):
            case(op, u, lambda op=op: t.i(op))
        case("satp read", u or (s and tvm), lambda: t.csrr(a0, "satp"))
        case("satp written", u or (s and tvm), lambda: t.csrw("satp", 0))
        case("satp, bits set", u or (s and tvm), lambda: t.i("csrrs", rd=a0, rs1=a4, csr=CSRS["satp"]))
        # In U-mode it may trap, or end, as the implementation likes (3.1.6.5): it traps.
        case("wfi", u or (s and tw), lambda: t.i("wfi"))
        case("fence.i", False, lambda: t.i("fence.i"))
        case("sstatus read", u, lambda: t.csrr(a0, "sstatus"))
        case("mstatus read", u or s, lambda: t.csrr(a0, "mstatus"))
        if mode != "M":
            case("mret", True, lambda: t.i("mret"))

        def sret():
            if not u:
                t.la(R["t6"], "after")
                t.csrw("sepc", R["t6"])
                t.li(R["t6"], B["SPP"])
                t.csrs("sstatus", R["t6"])
            t.i("sret")
            t.label("after")
        case("sret", u or (s and tsr), sret)
        t.li(a0, 0)
        # The end, in M-mode.
        t.li(a4, 1)
        t.i("ecall")
        while t.size() % 4:
            t.c("c.nop")
        t.label("handler")
        t.to("bne", "last", rs1=a4, rs2=0)
        t.csrr(a5, "mepc")
        t.i("addi", rd=a5, rs1=a5, imm=4)
        t.csrw("mepc", a5)
        t.csrr(a5, "mcause")
        t.i("mret")
        t.label("last")
        t.csrw("mtvec", SAFE)
        t.li(a4, 0)
        t.li(a5, 0)
        t.li(R["t6"], sum(B[b] for b in ("TVM", "TW", "TSR")))
        t.csrc("mstatus", R["t6"])
        self.cleanup(t)
        self.add(t)

    def order(self):
        """Two exceptions of one instruction: the one that table 3.7 of the privileged manual puts first."""
        for mode in ("S", "U"):
            for part in ("translation", "misaligned", "illegal", "fetch"):
                name = "order of exceptions, %s, in %s" % (part, mode)
                if self.want(name):
                    self.order_case(name, mode, part)
        self.order_interrupt()

    def order_case(self, name, mode, part):
        u = U if mode == "U" else 0
        rw, ro = RD | W | A | D | V | u, RD | A | V | u
        page = self.img.alloc(PAGE, PAGE)
        # Ends in the first half of an instruction; in one that is illegal as it is.
        half = self.img.alloc(b"\x01\x00" * 2047 + b"\x13\x05", PAGE)
        unimp = self.img.alloc(b"\x01\x00" * 2047 + b"\x00\x00", PAGE)
        ok, none, ro_at, lost, ro_lost = 0x10000000, 0x10001000, 0x10002000, 0x10003000, 0x10004000
        root, _ = self.space([
            (0x80000000, 0x80000000, RWX | A | D | V | u, 2), (ok, page, rw, 0), (ro_at, page, ro, 0),
            (lost, NOWHERE, rw, 0), (ro_lost, NOWHERE, ro, 0), (0x10005000, page, rw, 0),
            (0x10010000, half, rw | X, 0), (0x10012000, unimp, rw | X, 0), (0x10014000, NOWHERE, rw | X, 0),
            (0x10016000, page, rw, 0), (0x10018000, NOWHERE, rw, 0)])
        # A table that is nowhere.
        struct.pack_into("<Q", self.img.sig, root + 8 * 3 - SIG, NOWHERE >> 12 << 10 | V)
        walk = 0xc0000000
        # QEMU 7.2 makes a page fault of a walk that cannot read, and an access fault of an atomic that may not write.
        t = Test(self, name, mode, 0, SV39 | root >> 12, flags=1, mtraps=200, compare_state=part in ("misaligned", "illegal"))
        t.want_traps = []

        def access(op, at, cause, tval=None, **kw):
            t.li(R["s0"], at)
            t.i(op, rs1=R["s0"], **({"rs2": R["a0"]} if op[0] == "s" else {"rd": R["a0"]} if op[:2] != "am" else
                                    {"rd": R["a0"], "rs2": R["a1"]}), **kw)
            t.want_traps.append((cause, at if tval is None else tval))

        def fetch(at, *traps):
            t.li(R["s0"], at)
            t.i("jalr", rd=R["ra"], rs1=R["s0"])
            t.want_traps.extend(traps)

        def illegal(word, at, tval=None):
            t.li(R["s0"], at)
            t.raw(word, 4)
            t.want_traps.append((E_ILLEGAL, word if tval is None else tval))

        if part == "translation":
            # Translation comes before the access itself.
            access("ld", none, E_LOAD_PAGE)
            access("sd", none, E_STORE_PAGE)
            access("amoadd.d", none, E_STORE_PAGE)
            access("lr.d", none, E_LOAD_PAGE)
            access("ld", lost, E_LOAD)
            access("sd", lost, E_STORE)
            access("amoadd.d", lost, E_STORE)
            access("sd", ro_lost, E_STORE_PAGE)
            access("amoadd.d", ro_lost, E_STORE_PAGE)
            access("amoadd.w", ro_at, E_STORE_PAGE)
            # The walk itself fails: of its kind what the access is.
            access("ld", walk, E_LOAD)
            access("sd", walk, E_STORE)
            access("amoadd.d", walk, E_STORE)
            # Of an access over two pages, the first part's first.
            access("ld", none - 4, E_LOAD_PAGE, none)
            access("ld", none + 0xffc, E_LOAD_PAGE)
            access("sd", ro_at + 0xffc, E_STORE_PAGE)
            access("sd", ro_lost + 0xffc, E_STORE_PAGE)
            access("sd", 0x10005ffc, E_STORE_PAGE, 0x10006000)
            access("lw", 0x10005ffe, E_LOAD_PAGE, 0x10006000)
        elif part == "misaligned":
            # A choice: an atomic is misaligned before anything else, a load or store never.
            access("amoadd.w", none + 1, E_STORE_MISALIGNED)
            access("amoadd.d", lost + 4, E_STORE_MISALIGNED)
            access("amoadd.w", ro_at + 2, E_STORE_MISALIGNED)
            access("lr.w", none + 2, E_LOAD_MISALIGNED)
            access("ld", lost + 8 + 1, E_LOAD, lost + 8)
            access("sw", lost + 8 + 2, E_STORE, lost + 8)
        elif part == "illegal":
            # An illegal instruction does not come to its access.
            for word in (rv.enc("lr.d", rd=R["a0"], rs1=R["s0"]) | 3 << 20, rv.enc("amoadd.d", rd=R["a0"], rs1=R["s0"]) | 7 << 12,
                         rv.enc("ld", rd=R["a0"], rs1=R["s0"]) | 7 << 12):
                illegal(word, none)
                illegal(word, lost + 1)
            if mode == "S":
                t.li(R["a2"], FS)
                t.csrc("sstatus", R["a2"])
                for at in (none, lost + 1, walk):
                    illegal(rv.enc("fld", rd=3, rs1=R["s0"]), at)
                    illegal(rv.enc("fsw", rs2=3, rs1=R["s0"]), at)
                t.csrs("sstatus", R["a2"])
        elif part == "fetch":
            # A fetch comes before what is fetched.
            fetch(0x10011000, (E_FETCH_PAGE, 0x10011000))
            fetch(0x10010ffe, (E_FETCH_PAGE, 0x10011000))
            fetch(0x10012ffe, (E_ILLEGAL, 0), (E_FETCH_PAGE, 0x10013000))
            fetch(0x10014000, (E_FETCH, 0x10014000))
            fetch(0x10016000, (E_FETCH_PAGE, 0x10016000))
            fetch(0x10018000, (E_FETCH_PAGE, 0x10018000))
            fetch(walk, (E_FETCH, walk))
            fetch(1 << 38, (E_FETCH_PAGE, 1 << 38))
        self.add(t)

    def order_interrupt(self):
        """An interrupt that is pending when it is unmasked comes before what the next instruction raises (3.1.9)."""
        for what in ("illegal", "load", "ecall", "ebreak", "fetch"):
            for how in ("csr", "mret"):
                name = "order of interrupt and %s behind %s" % (what, how)
                if not self.want(name):
                    continue
                t = Test(self, name)
                a1, a2, a3 = R["a1"], R["a2"], R["a3"]
                t.csrr(SAFE, "mtvec")
                t.la(R["t0"], "handler")
                t.csrw("mtvec", R["t0"])
                t.csrwv("mideleg", 0)
                t.csrwv("mie", 2)
                t.csrwv("mip", 2)
                t.li(R["t5"], 0xffffffff90000000 if what == "fetch" else 0x90000000)
                t.li(a3, 0)
                t.la(R["t4"], "here")
                if how == "csr":
                    t.li(R["t6"], B["MIE"])
                    if what == "fetch":
                        t.la(R["t4"], "here")
                    t.csrs("mstatus", R["t6"])
                else:
                    t.li(R["t6"], B["MPIE"] | 3 << 11)
                    t.csrs("mstatus", R["t6"])
                    t.csrw("mepc", R["t4"])
                    t.i("mret")
                t.label("here")
                if what == "illegal":
                    t.raw(0xffffffff)
                elif what == "load":
                    t.i("ld", rd=R["a0"], rs1=R["t5"])
                elif what == "ecall":
                    t.i("ecall")
                elif what == "ebreak":
                    t.i("ebreak")
                else:
                    t.i("jalr", rd=0, rs1=R["t5"])
                while t.size() % 4:
                    t.c("c.nop")
                cause = {"illegal": E_ILLEGAL, "load": E_LOAD, "ecall": E_ECALL_M, "ebreak": E_BREAK, "fetch": E_FETCH}[what]
                t.label("handler")
                t.to("bne", "second", rs1=a3, rs2=0)
                t.i("addi", rd=a3, rs1=a3, imm=1)
                t.csrw("mie", 0)
                t.csrr(a1, "mcause")
                t.out(a1, "the first cause", want=1 << 63 | 1)
                t.csrr(a1, "mepc")
                t.i("sub", rd=a1, rs1=a1, rs2=R["t4"])
                t.out(a1, "its pc, from the instruction's on", want=0)
                t.i("mret")
                while t.size() % 4:
                    t.c("c.nop")
                t.label("second")
                t.csrr(a1, "mcause")
                t.out(a1, "the second cause", want=cause)
                t.csrr(a1, "mepc")
                t.csrr(a2, "mtval")
                if what != "fetch":
                    t.i("sub", rd=a1, rs1=a1, rs2=R["t4"])
                    t.out(a1, "its pc, from the instruction's on", want=0)
                t.csrw("mtvec", SAFE)
                t.li(a2, 0)
                t.li(a3, 0)
                t.li(R["t4"], 0)
                self.cleanup(t)
                self.add(t)
        self.fixup()

    def quiet(self):
        """Accesses that a host may fault at, and a guest does not: nothing traps. Pages touched for the first time, by each
        kind of access; code written to, and executed; accesses over its edges; more address spaces than views; fences; more
        code than a small cache holds. Results that hang on all of it."""
        for k, mode in enumerate(("M", "S", "U")):
            name = "quiet program in %s" % mode
            if self.want(name):
                self.quiet_case(name, mode, FRESH + (k << 22))

    def quiet_case(self, name, mode, fresh):
        u = U if mode == "U" else 0
        f = RWX | A | D | V | u
        page = self.img.sig_alloc(PAGE, PAGE)
        self.img.sig_alloc(PAGE, PAGE)
        root, where = self.space([(0x80000000, 0x80000000, f, 2), (0x10000000, page, f, 0), (0x10001000, page + PAGE, f, 0)])
        # More address spaces than a hart has views: the same tables, below roots of their own.
        at = root - SIG
        roots = [self.img.alloc(bytes(self.img.sig[at:at + PAGE]), PAGE) for _ in range(72)] if mode == "S" else []
        # Each four bytes a block: addi a0, a0, 1 and a return.
        code = self.img.alloc(struct.pack("<HH", rv.c_enc("c.addi", rd=R["a0"], imm=1), 0x8082) * (64 * 1024), PAGE)
        t = Test(self, name, mode, 0, SV39 | root >> 12 if mode != "M" else 0, flags=1)
        t.want_traps = []
        s0, s1, n, a0, a1 = R["s0"], R["s1"], R["t3"], R["a0"], R["a1"]
        t.li(a0, 0)
        t.li(R["s3"], PAGE)

        def loop(label, times, start, body, step=None):
            t.li(s0, start)
            t.li(n, times)
            t.label(label)
            body()
            t.i("add", rd=s0, rs1=s0, rs2=step or R["s3"])
            t.i("addi", rd=n, rs1=n, imm=-1)
            t.to("bne", label, rs1=n, rs2=0)

        def mix(reg):
            t.i("slli", rd=a1, rs1=a0, imm=5)
            t.i("xor", rd=a0, rs1=a0, rs2=a1)
            t.i("add", rd=a0, rs1=a0, rs2=reg)

        for k, op in enumerate(("sd", "ld", "amoadd.d", "lr.d", "fsd", "fld", "sb", "lh")):
            def touch(op=op):
                if op in ("sd", "sb"):
                    t.i(op, rs1=s0, rs2=n)
                elif op in ("fsd", "fld"):
                    t.i(op, rs1=s0, **({"rs2": 3} if op == "fsd" else {"rd": 3}))
                elif op == "amoadd.d":
                    t.i(op, rd=R["a2"], rs1=s0, rs2=n)
                    mix(R["a2"])
                else:
                    t.i(op, rd=R["a2"], rs1=s0)
                    mix(R["a2"])
            loop("touch %s" % op, 64, fresh + (k << 18), touch)
        # Over the edges of pages that nobody has touched.
        for k, (op, d) in enumerate((("sd", 4), ("ld", 3), ("sw", 1), ("lw", 2), ("sh", 1), ("lhu", 1), ("fsd", 5), ("fld", 7))):
            def edge(op=op, d=d):
                if op[0] == "s":
                    t.i(op, rs1=s0, rs2=n, imm=-d)
                elif op in ("fsd", "fld"):
                    t.i(op, rs1=s0, imm=-d, **({"rs2": 3} if op == "fsd" else {"rd": 3}))
                else:
                    t.i(op, rd=R["a2"], rs1=s0, imm=-d)
                    mix(R["a2"])
            loop("edge %s" % op, 32, fresh + (8 << 18) + (k << 18) + PAGE, edge)
        # Code that is written, executed, written beside, over its edge, read.
        code_at = 0x10000000 if mode != "M" else page
        t.li(s1, code_at)
        for k in range(24):
            t.li(R["a3"], rv.enc("addi", rd=a0, rs1=a0, imm=k + 1))
            t.i("sw", rs1=s1, rs2=R["a3"])
            t.li(R["a3"], 0x8082)
            t.i("sh", rs1=s1, rs2=R["a3"], imm=4)
            t.i("fence.i")
            t.i("jalr", rd=R["ra"], rs1=s1)
            t.i("sd", rs1=s1, rs2=a0, imm=1024)
            t.i("amoadd.d", rd=R["a2"], rs1=s1, rs2=a0) if k % 3 == 0 else t.i("ld", rd=R["a2"], rs1=s1, imm=1024)
            t.li(R["a4"], code_at + PAGE)
            t.i("sd", rs1=R["a4"], rs2=a0, imm=-4 + k % 4)
            t.i("ld", rd=R["a2"], rs1=R["a4"], imm=-3)
            mix(R["a2"])
        if mode == "S":
            # Fences between accesses, and address spaces in turn.
            t.li(s1, 0x10000000)
            t.li(R["s4"], where[0x10001000])
            for r in range(2):
                for k, other in enumerate(roots):
                    t.li(R["a3"], SV39 | (k + 1) << 44 | other >> 12)
                    t.csrw("satp", R["a3"])
                    t.i("ld", rd=R["a2"], rs1=s1, imm=1024)
                    mix(R["a2"])
                    t.i("sd", rs1=s1, rs2=a0, imm=2040)
                    t.i("sfence.vma", rs1=s1)
                    t.i("sd", rs1=s1, rs2=a0, imm=1024)
                    if k % 5 == r:
                        t.i("sfence.vma")
                        t.i("ld", rd=R["a2"], rs1=s1, imm=2040)
                        mix(R["a2"])
            t.li(R["a3"], SV39 | root >> 12)
            t.csrw("satp", R["a3"])
            t.i("sfence.vma")
        # More blocks than a cache of 1 MiB holds, twice.
        t.li(R["s5"], 32)
        for r in range(2):
            loop("blocks %d" % r, 8192, code, lambda: t.i("jalr", rd=R["ra"], rs1=s0), R["s5"])
        t.out(a0, "what all that comes to")
        for r in ("a1", "a2", "a3", "a4"):
            t.li(R[r], 0)
        self.add(t)
