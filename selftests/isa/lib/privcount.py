# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of minstret: what every kind of instruction adds, trap or not, where a block ends and
where it goes on in C, while interrupts come, and what writes and mcountinhibit do (privileged
manual 3.1.10 and 3.1.12, unprivileged manual 6.1). The packaged QEMU counts blocks of its own:
what must come out is said here.

They come last: from the first look at minstret on the machine counts, so that all before them is
run by code that does not.
"""

from privbase import *  # noqa: F403 (names of bits and CSRs)
from rv import R

S2, S3, S4, S5 = R["s2"], R["s3"], R["s4"], R["s5"]
A0, A1, A2, T0, T1, T5, RA = R["a0"], R["a1"], R["a2"], R["t0"], R["t1"], R["t5"], R["ra"]
DATA_REG = R["s0"]
ROUNDS = 4  # not chained, chained, and as often again
HANDLER = 4  # instructions of the trap handler
PLIC = 0xc000004
NOTHING = 0x90000000


class Body(Test):
    """A test with labels of its own for each piece."""

    labels_made = 0

    def new(self, name):
        Body.labels_made += 1
        return "%s.%d" % (name, Body.labels_made)

    def counted(self, what, body):
        """body(t) makes code and returns how many instructions of it retire; run it some times."""
        loop = self.new("loop")
        self.li(S3, ROUNDS)
        self.li(S4, 0)
        self.label(loop)
        self.csrr(S2, "instret")
        n = body(self)
        self.csrr(S5, "instret")
        self.i("sub", rd=S5, rs1=S5, rs2=S2)
        self.i("addi", rd=T0, rs1=S5, imm=-(n + 1))
        self.i("or", rd=S4, rs1=S4, rs2=T0)
        self.i("addi", rd=S3, rs1=S3, imm=-1)
        self.to("bne", loop, rs1=S3, rs2=0)
        self.out(S5, what, want=n + 1)
        self.out(S4, what + ", each time", want=0)

    def handler(self):
        """Skips what traps."""
        while self.size() % 4:
            self.c("c.nop")
        self.label("skip")
        self.csrr(T5, "mepc")
        self.i("addi", rd=T5, rs1=T5, imm=4)
        self.csrw("mepc", T5)
        self.i("mret")


def plain(*insns):
    """Instructions one behind the other, all of which retire."""
    def body(t):
        for name, kw in insns:
            t.i(name, **kw)
        return len(insns)
    return body


def traps(name, **kw):
    """An instruction between two others that traps."""
    def body(t):
        t.i("addi", rd=A0, rs1=A0, imm=1)
        t.i(name, **kw)
        t.i("addi", rd=A0, rs1=A0, imm=1)
        return 2 + HANDLER
    return body


def taken(t):
    far = t.new("far")
    t.i("addi", rd=A0, rs1=0, imm=1)
    t.to("bne", far, rs1=A0, rs2=0)
    t.i("addi", rd=A0, rs1=0, imm=2)
    t.label(far)
    return 2


def not_taken(t):
    far = t.new("far")
    t.i("addi", rd=A0, rs1=0, imm=1)
    t.to("beq", far, rs1=A0, rs2=0)
    t.i("addi", rd=A0, rs1=0, imm=2)
    t.label(far)
    return 3


def back(t):
    """A loop in one block, which is made twice."""
    loop = t.new("back")
    t.i("addi", rd=A0, rs1=0, imm=10)
    t.label(loop)
    t.i("addi", rd=A0, rs1=A0, imm=-1)
    t.i("add", rd=A1, rs1=A1, rs2=A0)
    t.to("bne", loop, rs1=A0, rs2=0)
    return 1 + 30


def back_jal(t):
    """The same by a jump."""
    loop, out = t.new("back"), t.new("out")
    t.i("addi", rd=A0, rs1=0, imm=10)
    t.label(loop)
    t.i("addi", rd=A0, rs1=A0, imm=-1)
    t.to("beq", out, rs1=A0, rs2=0)
    t.i("add", rd=A1, rs1=A1, rs2=A0)
    t.to("jal", loop, rd=0)
    t.label(out)
    return 1 + 9 * 4 + 2


def back_exit(t):
    """A loop with an instruction that C does, and a jump behind it."""
    loop, there = t.new("back"), t.new("there")
    t.i("addi", rd=A0, rs1=0, imm=10)
    t.label(loop)
    t.i("addi", rd=A0, rs1=A0, imm=-1)
    t.csrw("mcause", A1)
    t.to("jal", there, rd=0)
    t.i("addi", rd=A1, rs1=A1, imm=1)
    t.label(there)
    t.to("bne", loop, rs1=A0, rs2=0)
    return 1 + 40


def follow(t):
    there = t.new("there")
    t.to("jal", there, rd=0)
    t.i("addi", rd=A0, rs1=A0, imm=1)
    t.label(there)
    return 1


def call(t):
    over, func = t.new("over"), t.new("func")
    t.to("jal", func, rd=RA)
    t.to("jal", over, rd=0)
    t.label(func)
    t.i("addi", rd=A0, rs1=A0, imm=1)
    t.i("jalr", rd=0, rs1=RA)
    t.label(over)
    return 4


def call_indirect(t):
    """A call of an address that is not known, which does not return to where it came from."""
    over, func = t.new("over"), t.new("func")
    t.la(A1, func)
    t.i("sd", rs1=DATA_REG, rs2=A1)
    t.i("ld", rd=A1, rs1=DATA_REG)
    t.i("jalr", rd=RA, rs1=A1)
    t.i("addi", rd=A0, rs1=A0, imm=1)
    t.to("jal", over, rd=0)
    t.label(func)
    t.i("addi", rd=RA, rs1=RA, imm=4)
    t.i("jalr", rd=0, rs1=RA)
    t.label(over)
    return 8


def jump_indirect(t):
    there = t.new("there")
    t.la(A1, there)
    t.i("sd", rs1=DATA_REG, rs2=A1)
    t.i("ld", rd=A1, rs1=DATA_REG)
    t.i("jalr", rd=0, rs1=A1)
    t.i("addi", rd=A0, rs1=A0, imm=1)
    t.label(there)
    return 5


def long_run(t):
    """More than a block holds."""
    for k in range(150):
        t.i("addi", rd=A0 + k % 4, rs1=A0 + (k + 1) % 4, imm=k)
    return 150


def mret(t):
    there = t.new("there")
    t.la(A1, there)
    t.csrw("mepc", A1)
    t.li(A1, 3 << 11)  # lui, addiw
    t.csrs("mstatus", A1)
    t.i("mret")
    t.label(there)
    return 7


def reads(t):
    """What reads its own counter reads the count before it."""
    t.csrr(A0, "instret")
    t.csrr(A1, "instret")
    return 2


def unboxed(t):
    """A single that is none: C computes it, in the middle of a block."""
    t.i("fcvt.d.w", rd=10, rs1=A0, rm=0)
    t.i("fadd.s", rd=11, rs1=10, rs2=10, rm=0)
    t.i("addi", rd=A0, rs1=A0, imm=1)
    return 3


def pieces(mode):
    """[(name, body)] that mode may run."""
    d = DATA_REG
    out = [
        ("nothing", plain()),
        ("nop", plain(("addi", dict(rd=0, rs1=0)))),
        ("addi", plain(("addi", dict(rd=A0, rs1=A0, imm=1)))),
        ("results that nobody sees", plain(("add", dict(rd=A0, rs1=A1, rs2=A2)), ("sub", dict(rd=A0, rs1=A1, rs2=A2)),
                                           ("xor", dict(rd=A0, rs1=A1, rs2=A2)))),
        ("an extension", plain(("slli", dict(rd=A0, rs1=A1, imm=32)), ("srli", dict(rd=A0, rs1=A0, imm=32)))),
        ("a rotation", plain(("slli", dict(rd=T0, rs1=A1, imm=13)), ("srli", dict(rd=T1, rs1=A1, imm=51)),
                             ("or", dict(rd=A0, rs1=T0, rs2=T1)), ("addi", dict(rd=T0, imm=1)),
                             ("addi", dict(rd=T1, imm=1)))),
        ("mul and div", plain(("mul", dict(rd=A0, rs1=A1, rs2=A2)), ("div", dict(rd=A0, rs1=A0, rs2=A2)))),
        ("load and store", plain(("sd", dict(rs1=d, rs2=A0)), ("ld", dict(rd=A1, rs1=d)))),
        ("misaligned load and store", plain(("sd", dict(rs1=d, rs2=A0, imm=3)), ("ld", dict(rd=A1, rs1=d, imm=3)))),
        ("accesses over a page's end", plain(("sd", dict(rs1=d, rs2=A0, imm=0x7fd)),
                                             ("ld", dict(rd=A1, rs1=d, imm=0x7fd)))),
        ("floating point", plain(("fcvt.d.w", dict(rd=10, rs1=A0, rm=0)), ("fadd.d", dict(rd=10, rs1=10, rs2=10)),
                                 ("fdiv.d", dict(rd=10, rs1=10, rs2=10, rm=1)), ("fsd", dict(rs1=d, rs2=10)))),
        ("a single without its box", unboxed),
        ("amoadd", plain(("amoadd.d", dict(rd=A0, rs1=d, rs2=A1)), ("amoadd.w", dict(rd=0, rs1=d, rs2=A1)))),
        ("amomax", plain(("amomax.d", dict(rd=A0, rs1=d, rs2=A1)), ("amoand.w", dict(rd=0, rs1=d, rs2=A1)))),
        ("LR and SC", plain(("lr.d", dict(rd=A0, rs1=d)), ("addi", dict(rd=A0, rs1=A0, imm=1)),
                            ("sc.d", dict(rd=A1, rs1=d, rs2=A0)))),
        ("LR and SC apart", plain(("lr.d", dict(rd=A0, rs1=d)), ("ld", dict(rd=A2, rs1=d)),
                                  ("sc.d", dict(rd=A1, rs1=d, rs2=A0)))),
        ("SC alone", plain(("sc.w", dict(rd=A1, rs1=d, rs2=A0)))),
        ("fence", plain(("fence", {}), ("fence.i", {}), ("addi", dict(rd=A0, rs1=A0)))),
        ("cbo.zero", plain(("cbo.zero", dict(rs1=d)), ("cbo.clean", dict(rs1=d)))),
        ("a branch that is taken", taken), ("a branch that is not taken", not_taken), ("a loop", back),
        ("a loop by a jump", back_jal), ("jal", follow), ("call and return", call),
        ("indirect call, return to elsewhere", call_indirect), ("indirect jump", jump_indirect),
        ("150 instructions", long_run), ("instret", reads),
    ]
    if mode == "M":
        out += [
            ("a CSR that C reads", plain(("csrrs", dict(rd=A0, csr=CSRS["mtvec"])), ("addi", dict(rd=A0, rs1=A0)))),
            ("sfence.vma", plain(("sfence.vma", {}), ("addi", dict(rd=A0, rs1=A0)))),
            ("a loop with an exit", back_exit), ("mret", mret),
            ("ecall", traps("ecall")), ("ebreak", traps("ebreak")),
            ("an illegal instruction", traps("csrrw", rd=0, rs1=A0, csr=0xc00)),
            ("a load from nowhere", traps("lw", rd=A1, rs1=R["s6"])),
            ("a store to nowhere", traps("sw", rs1=R["s6"], rs2=A1)),
            ("an AMO to nowhere", traps("amoadd.d", rd=A1, rs1=R["s6"], rs2=A1)),
            ("a misaligned AMO", traps("amoadd.d", rd=A1, rs1=R["s7"], rs2=A1)),
            ("an address that is none", traps("ld", rd=A1, rs1=R["s8"])),
            ("a device", lambda t: [t.i("lw", rd=A1, rs1=R["s9"]), t.i("sw", rs1=R["s9"], rs2=A1),
                                    t.i("addi", rd=A0, rs1=A0)] and 3),
        ]
    return out


class CountTests:
    def counts(self):
        """Everything about minstret; the last of the suite."""
        self.count_pieces()
        self.count_writes()
        self.count_modes()
        self.fixup()
        self.count_interrupts()
        self.fixup()

    def begin_count(self, name, **kw):
        t = Body(self, name, compare_state=False, **kw)
        t.li(DATA_REG, self.img.alloc(3 * PAGE, PAGE) + 0x800)
        return t

    def count_pieces(self):
        for name, body in pieces("M"):
            title = "instret %s" % name
            if not self.want(title):
                continue
            t = self.begin_count(title)
            t.csrr(SAFE, "mtvec")
            t.la(T5, "skip")
            t.csrw("mtvec", T5)
            t.li(R["s6"], NOTHING)
            t.i("addi", rd=R["s7"], rs1=DATA_REG, imm=4)
            t.li(R["s8"], 1 << 50)
            t.li(R["s9"], PLIC)
            t.counted(name, body)
            t.csrw("mtvec", SAFE)
            t.to("jal", "end", rd=0)
            t.handler()
            self.add(t)

    def count_writes(self):
        """The instruction behind a write reads what was written; nothing counts while it is inhibited."""
        if not self.want("minstret writes"):
            return
        t = self.begin_count("minstret writes")
        for v in (0, 7, M64, 1 << 63):
            t.li(A0, v)
            t.csrw(0xb02, A0)
            t.csrr(A1, 0xb02)
            t.csrr(A2, "instret")
            t.out(A1, "right behind a write of %x" % v, want=v)
            t.out(A2, "one later", want=(v + 1) & M64)
        # csrrs adds to what it reads.
        t.li(A0, 0x100)
        t.csrw(0xb02, 0)
        t.i("csrrs", rd=A1, rs1=A0, csr=0xb02)
        t.csrr(A2, 0xb02)
        t.out(A1, "csrrs reads", want=0)
        t.out(A2, "csrrs wrote", want=0x100)
        # Inhibited: by an instruction that counts, until one that does not.
        t.csrw(0xb02, 0)
        t.i("csrrwi", rd=0, imm=4, csr=CSRS["mcountinhibit"])
        for _ in range(5):
            t.i("addi", rd=A0, rs1=A0, imm=1)
        t.csrr(A1, 0xb02)
        t.li(A0, 1000)
        t.csrw(0xb02, A0)
        t.i("addi", rd=A0, rs1=A0, imm=1)
        t.csrr(A2, "instret")
        t.i("csrrwi", rd=R["a3"], imm=0, csr=CSRS["mcountinhibit"])
        t.csrr(R["a4"], "instret")
        t.csrr(R["a5"], "instret")
        t.out(A1, "inhibited", want=1)
        t.out(A2, "written while inhibited", want=1000)
        t.out(R["a3"], "mcountinhibit", want=4)
        t.out(R["a4"], "right behind the end of that", want=1000)
        t.out(R["a5"], "one later", want=1001)
        # cycle alone is inhibited.
        t.i("csrrwi", rd=0, imm=1, csr=CSRS["mcountinhibit"])
        t.csrr(A0, "instret")
        t.csrr(A1, "cycle")
        t.li(A2, 1000)
        t.label("wait")
        t.i("addi", rd=A2, rs1=A2, imm=-1)
        t.to("bne", "wait", rs1=A2, rs2=0)
        t.csrr(R["a3"], "instret")
        t.csrr(R["a4"], "cycle")
        t.i("csrrwi", rd=0, imm=0, csr=CSRS["mcountinhibit"])
        t.i("sub", rd=R["a3"], rs1=R["a3"], rs2=A0)
        t.i("sub", rd=R["a4"], rs1=R["a4"], rs2=A1)
        t.out(R["a3"], "instret while cycle is inhibited", want=2003)
        t.out(R["a4"], "cycle meanwhile", want=0)
        self.add(t)

    def count_modes(self):
        """A program of U-mode that makes system calls; the ways between the modes are translated."""
        if not self.want("instret S and U"):
            return
        rounds = 20
        up = 0x40000000
        root, _ = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2), (up, 0x80000000, RWX | U | A | D | V, 2)])
        t = Body(self, "instret S and U", compare_state=False)
        t.csrwv("medeleg", 1 << 8)
        t.csrwv("mcounteren", 7)
        t.csrwv("satp", SV39 | root >> 12)
        t.i("sfence.vma")
        t.la(T0, "handler")
        t.csrw("stvec", T0)
        t.jump_to_mode("S", "low")
        t.label("low")
        t.li(T0, B["SPP"])
        t.csrc("sstatus", T0)
        t.la(A0, "user")
        t.li(A1, 0x80000000 - up)
        t.i("sub", rd=A0, rs1=A0, rs2=A1)
        t.li(S3, rounds)
        t.csrr(S2, "instret")
        t.label("again")
        t.csrw("sepc", A0)
        t.i("sret")
        while t.size() % 4:
            t.c("c.nop")
        t.label("handler")
        t.csrr(T1, "scause")
        t.csrw("sscratch", T1)
        t.i("addi", rd=S3, rs1=S3, imm=-1)
        t.to("bne", "again", rs1=S3, rs2=0)
        t.csrr(S5, "instret")
        t.i("sub", rd=S5, rs1=S5, rs2=S2)
        t.out(S5, "of all", want=1 + rounds * (2 + 3 + 4))
        t.csrw("satp", 0)
        t.i("sfence.vma")
        t.to("jal", "end", rd=0)
        t.label("user")
        t.i("addi", rd=A2, rs1=A2, imm=1)
        t.i("xor", rd=A2, rs1=A2, rs2=S3)
        t.i("add", rd=A2, rs1=A2, rs2=A2)
        t.i("ecall")
        self.add(t)

    def count_interrupts(self):
        """Loops under timer interrupts, whose handler counts two.

        Each comes a little later after the one before: where an interrupt takes longer than the first
        time between two, none of the loop's instructions would ever be reached otherwise.
        """
        n = 60000
        for name, per, body in (("a loop", 4, plain(("add", dict(rd=A1, rs1=A1, rs2=A0)), ("xor", dict(rd=A2, rs1=A2, rs2=A1)))),
                                ("calls", 6, call), ("atomics", 5, plain(*[("amoadd.d", dict(rd=A1, rs1=DATA_REG, rs2=A0))] * 3)),
                                ("jumps", 7, jump_indirect), ("branches", 4, taken)):
            title = "instret interrupts in %s" % name
            if not self.want(title):
                continue
            t = self.begin_count(title)
            t.csrr(SAFE, "mtvec")
            t.la(T0, "tick")
            t.csrw("mtvec", T0)
            t.csrwv("menvcfg", 1 << 63 | MENVCFG)
            t.csrw("mideleg", 0)
            t.csrwv("mie", 0x20)
            t.li(S4, 0)
            t.csrr(T0, "time")
            t.csrw("stimecmp", T0)
            t.li(S3, n)
            t.csrr(S2, "instret")
            t.i("csrrsi", rd=0, imm=8, csr=CSRS["mstatus"])
            t.label("more")
            made = body(t)
            t.i("addi", rd=S3, rs1=S3, imm=-1)
            t.to("bne", "more", rs1=S3, rs2=0)
            t.i("csrrci", rd=0, imm=8, csr=CSRS["mstatus"])
            t.csrr(S5, "instret")
            assert made + 2 == per
            t.i("sub", rd=S5, rs1=S5, rs2=S2)
            t.i("slli", rd=T0, rs1=S4, imm=1)  # what counts of the handler: its first and its last
            t.i("sub", rd=S5, rs1=S5, rs2=T0)
            t.i("sltu", rd=S4, rs1=0, rs2=S4)
            t.out(S5, "of all", want=3 + n * per)
            t.out(S4, "any interrupt", want=1)
            t.csrw("mtvec", SAFE)
            t.to("jal", "end", rd=0)
            while t.size() % 4:
                t.c("c.nop")
            t.label("tick")
            t.i("csrrwi", rd=0, imm=4, csr=CSRS["mcountinhibit"])
            t.i("addi", rd=S4, rs1=S4, imm=1)
            t.csrr(T5, "time")
            t.i("addi", rd=T5, rs1=T5, imm=97)
            t.i("slli", rd=R["t4"], rs1=S4, imm=3)
            t.i("add", rd=T5, rs1=T5, rs2=R["t4"])
            t.csrw("stimecmp", T5)
            t.i("csrrwi", rd=0, imm=0, csr=CSRS["mcountinhibit"])
            t.i("mret")
            self.add(t)
