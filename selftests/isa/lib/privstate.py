# SPDX-License-Identifier: GPL-2.0-or-later
"""Privileged tests of a hart's own state: CSRs, traps, interrupts, returns, the timer."""

import struct

from image import MPP
from privbase import *  # noqa: F403 (names of bits and CSRs)
from rv import R, REGS


class StateTests:
    """Part of Suite."""

    def csr_warl(self):
        """What each CSR keeps of what is written, by csrrw, csrrs, csrrc and the immediate forms."""
        vals = [0, M64, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa, 1, 2, 3, 4, 1 << 63, 0x8000000000000000 | 9, 0xff,
                0x7ffffffffffffffe, 0x80200001, 0x80200002, 0x80200003, 0xffffffc000000001]
        mask = {
            "mstatus": MSTATUS_MASK, "sstatus": MSTATUS_MASK,
            # Bits of causes and interrupts that only QEMU knows (hypervisor, local counters, 10, 14, custom).
            "medeleg": 0xb3ff & ~(1 << 0), "mideleg": 0x222, "mie": 0xaaa, "mip": 0x2, "sie": 0x222, "sip": 0x222,
            # QEMU keeps what is written; cause codes are WLRL.
            "mcause": 1 << 63 | 15, "scause": 1 << 63 | 15,
            "mcounteren": 7, "scounteren": 7, "mcountinhibit": 5,
            # FIOM CBCFE CBZE STCE. QEMU takes 2 for CBIE, has no ADUE, and PBMTE is off first ("envcfg" has expectations).
            "menvcfg": 1 | 3 << 6 | 1 << 63, "senvcfg": 1 | 3 << 6,
            # QEMU keeps bit 0; the manual says it reads zero (test "csr fixed bits").
            "sepc": ~1 & M64, "mepc": ~1 & M64,
        }
        for name in ("fflags frm fcsr sstatus sie stvec scounteren senvcfg sscratch sepc scause stval sip stimecmp satp "
                     "mstatus misa medeleg mideleg mie mtvec mcounteren menvcfg mcountinhibit mscratch mepc mcause "
                     "mtval mip").split():
            if not self.want("csr " + name):
                continue
            t = Test(self, "csr " + name)
            t.csrr(SAFE, name)
            # Interrupts and delegation out of the way.
            t.i("csrrw", rd=R["s1"], rs1=0, csr=CSRS["mie"])
            if name in ("sie", "sip"):
                t.csrwv("mideleg", 0x222)
            if name == "stimecmp":
                t.li(SAFE, M64)  # not in the past
            t.csrw(name, SAFE)
            for v in vals:
                if name.endswith("tvec") and v & 2:
                    continue  # no such mode: any legal value may stand there
                if name == "mstatus" and v >> 11 & 3 == 2:
                    continue  # QEMU 7.2 takes it for MPP
                if name == "satp" and v >> 60 in (9, 10):
                    continue  # QEMU has Sv48 and Sv57
                t.li(R["a0"], v)
                m = mask.get(name, M64)
                if name == "misa":
                    # I M A F D C S U; MXL. That it can be written is QEMU's own.
                    m = 3 << 62 | sum(1 << (ord(c) - 65) for c in "IMAFDSU")
                if name == "mip":
                    m = 0x222
                if name == "mstatus":
                    # MPRV with MPP may not redirect this test's own stores.
                    t.li(R["a0"], v & ~B["MPRV"] & M64)
                t.csrw(name, R["a0"])
                t.csrr(R["a1"], name)
                t.csrw(name, SAFE)
                t.out(R["a1"], "csrrw %x" % v, m)
                t.li(R["a0"], v & (~B["MPRV"] if name == "mstatus" else M64))
                t.i("csrrs", rd=R["a2"], rs1=R["a0"], csr=CSRS[name])
                t.csrr(R["a1"], name)
                t.csrw(name, SAFE)
                t.out(R["a2"], "csrrs %x old" % v, m)
                t.out(R["a1"], "csrrs %x" % v, m)
                t.i("csrrc", rd=R["a2"], rs1=R["a0"], csr=CSRS[name])
                t.csrr(R["a1"], name)
                t.csrw(name, SAFE)
                t.out(R["a2"], "csrrc %x old" % v, m)
                t.out(R["a1"], "csrrc %x" % v, m)
            for op in ("csrrwi", "csrrsi", "csrrci"):
                for z in (0, 1, 29 if name.endswith("tvec") else 31):
                    t.i(op, rd=R["a2"], imm=z, csr=CSRS[name])
                    t.csrr(R["a1"], name)
                    t.csrw(name, SAFE)
                    t.out(R["a2"], "%s %d old" % (op, z), m)
                    t.out(R["a1"], "%s %d" % (op, z), m)
            # rd = x0, rs1 = x0, rd = rs1.
            t.li(R["a0"], 0x15)
            t.i("csrrw", rd=R["a0"], rs1=R["a0"], csr=CSRS[name])
            t.csrr(R["a1"], name)
            t.csrw(name, SAFE)
            t.out(R["a0"], "csrrw rd=rs1 old", m)
            t.out(R["a1"], "csrrw rd=rs1", m)
            t.csrw("mie", R["s1"])
            if name in ("sie", "sip"):
                t.csrw("mideleg", 0)
            # What they held before is nobody's result.
            t.li(SAFE, 0)
            t.li(R["s1"], 0)
            t.li(R["a2"], 0)
            t.li(R["a1"], 0)
            t.li(R["a0"], 0)
            self.add(t)

        if self.want("csr fixed bits"):
            t = Test(self, "csr fixed bits")
            for name in ("mepc", "sepc"):
                t.csrwv(name, M64)
                t.csrr(R["a0"], name)
                t.out(R["a0"], "%s bit 0" % name, 1, want=0)
            for name, v in (("satp", 9 << 60 | 5), ("satp", 10 << 60 | 5), ("satp", 1 << 60)):
                t.csrwv(name, v)
                t.csrr(R["a0"], name)
                t.out(R["a0"], "satp of a mode that is not there", want=0)
                t.csrw(name, 0)
            t.csrr(SAFE, "mtvec")
            for name in ("stvec", "mtvec"):
                for v in (2, 3, M64):
                    t.csrwv(name, v)
                    t.csrr(R["a0"], name)
                    t.out(R["a0"], "%s of a mode that is not there" % name, 2, want=0)
            t.csrw("mtvec", SAFE)
            t.csrr(R["a1"], "mstatus")
            t.li(R["a0"], 15 << 32)
            t.csrs("mstatus", R["a0"])
            t.csrr(R["a0"], "mstatus")
            t.out(R["a0"], "SXL, UXL", 15 << 32, want=10 << 32)
            t.li(R["a0"], 15 << 32)
            t.csrc("mstatus", R["a0"])
            t.csrr(R["a0"], "mstatus")
            t.out(R["a0"], "SXL, UXL", 15 << 32, want=10 << 32)
            t.csrw("mstatus", R["a1"])
            t.li(R["a0"], 1 << 11)
            t.csrc("mstatus", R["a0"])
            t.li(R["a0"], 2 << 11)
            t.csrs("mstatus", R["a0"])
            t.csrr(R["a0"], "mstatus")
            t.csrw("mstatus", R["a1"])
            t.i("srli", rd=R["a0"], rs1=R["a0"], imm=11)
            t.i("andi", rd=R["a0"], rs1=R["a0"], imm=3)
            t.i("addi", rd=R["a0"], rs1=R["a0"], imm=-2)
            t.i("sltu", rd=R["a0"], rs1=0, rs2=R["a0"])
            t.out(R["a0"], "MPP is not 2", want=1)
            t.li(R["a0"], 0)
            t.li(R["a1"], 0)
            t.li(SAFE, 0)
            self.add(t)

    def csr_pmp(self):
        """pmpcfg and pmpaddr keep what is written until locked; entry 0 stays what the runtime set."""
        if not self.want("csr pmp"):
            return
        t = Test(self, "csr pmp")
        for k in (1, 5, 15):
            for v in (0, 0x1234567, (1 << 54) - 1):
                t.csrwv(0x3b0 + k, v)
                t.csrr(R["a0"], 0x3b0 + k)
                t.out(R["a0"], "pmpaddr%d %x" % (k, v))
                t.csrw(0x3b0 + k, 0)
        for v in (0x1f00, 0x0700, 0x1b00, 0x1f1f1f1f00):
            t.csrwv("pmpcfg0", v | 0x1f)
            t.csrr(R["a0"], "pmpcfg0")
            t.out(R["a0"], "pmpcfg0 %x" % v)
        t.csrwv("pmpcfg0", 0x1f)
        t.li(R["a0"], 0)
        t.csrr(R["a0"], 0x3a1)
        t.out(R["a0"], "pmpcfg1 is not there on RV64", want=0)
        self.add(t)

    def csr_access(self):
        """Which CSR numbers can be read from which mode; the ones that exist in one place only are listed."""
        # QEMU's own: debug triggers, entropy, event counters' and interrupts' extensions, hypervisor, PMP 16 and up, vendor.
        # The machine's own: none.
        only_qemu = set(range(0x7a0, 0x7a8)) | set(range(0x3a4, 0x3b0, 2)) | set(range(0x3c0, 0x3f0)) | {0x747, 0x757} \
            | set(range(0x30c, 0x310)) | set(range(0x10c, 0x110)) | {0x321, 0x322, 0xda0, 0xdb0, 0xfb0, 0x24d} \
            | set(range(0x723, 0x740)) | set(range(0xb80, 0xba0)) | set(range(0xc80, 0xca0))
        for mode in ("M", "S", "U"):
            name = "csr access from %s" % mode
            if not self.want(name):
                continue
            for part in range(8):
                t = Test(self, "%s %x00" % (name, 2 * part), mode, mtraps=5000, compare_state=False)
                t.li(R["s0"], 0x5a5a1234a5a5)
                for csr in range(part * 512, part * 512 + 512):
                    if csr in only_qemu:
                        continue
                    t.i("addi", rd=R["a0"], rs1=R["s0"], imm=0)
                    t.i("csrrs", rd=R["a0"], rs1=0, csr=csr)
                    t.i("sub", rd=R["a0"], rs1=R["a0"], rs2=R["s0"])
                    t.i("sltu", rd=R["a0"], rs1=0, rs2=R["a0"])
                    t.out(R["a0"], "csr %03x" % csr)
                self.add(t)
        # Writing what is read only.
        if self.want("csr write"):
            t = Test(self, "csr write to read-only", mtraps=200)
            t.li(R["a1"], 5)
            for csr in (0xc00, 0xc01, 0xc02, 0xc03, 0xf11, 0xf12, 0xf13, 0xf14, 0xf15):
                for op, kw in (("csrrw", dict(rs1=R["a1"])), ("csrrs", dict(rs1=R["a1"])), ("csrrc", dict(rs1=R["a1"])),
                               ("csrrwi", dict(imm=0)), ("csrrsi", dict(imm=1)), ("csrrci", dict(imm=31))):
                    t.li(R["a0"], 0x77)
                    t.i(op, rd=R["a0"], csr=csr, **kw)
                    t.out(R["a0"], "%s %03x traps" % (op, csr), want=0x77)
                for op in ("csrrs", "csrrc"):
                    t.li(R["a0"], M64 - 5)
                    t.i(op, rd=R["a0"], rs1=0, csr=csr)
                    t.i("addi", rd=R["a0"], rs1=R["a0"], imm=6)
                    t.i("sltu", rd=R["a0"], rs1=0, rs2=R["a0"])
                    t.out(R["a0"], "%s x0 %03x does not" % (op, csr), want=1)
            t.li(R["a0"], 0)
            self.add(t)
        # Counters and their enables.
        for mc, sc in ((0, 7), (7, 0), (7, 7), (2, 7), (7, 5), (0, 0)):
            for mode in ("S", "U"):
                name = "counters mcounteren=%d scounteren=%d from %s" % (mc, sc, mode)
                if not self.want(name):
                    continue
                t = Test(self, name, "M", mtraps=100)
                t.csrwv("mcounteren", mc)
                t.csrwv("scounteren", sc)
                t.jump_to_mode(mode, "low")
                t.label("low")
                for csr in (0xc00, 0xc01, 0xc02, 0xc03, 0xc1f):
                    t.li(R["a0"], -7)
                    t.i("csrrs", rd=R["a0"], rs1=0, csr=csr)
                    t.i("addi", rd=R["a0"], rs1=R["a0"], imm=7)
                    t.i("sltu", rd=R["a0"], rs1=0, rs2=R["a0"])
                    t.out(R["a0"], "csr %03x" % csr)
                self.add(t)
                self.fixup()

    def traps(self):
        """Each cause from each mode, delegated and not: where it goes and what the handler finds."""
        causes = [("ecall", None), ("ebreak", E_BREAK), ("illegal", E_ILLEGAL), ("load", E_LOAD), ("store", E_STORE),
                  ("csr", E_ILLEGAL), ("c.ebreak", E_BREAK), ("fetch", E_FETCH)]
        for mode in ("U", "S", "M"):
            for what, cause in causes:
                if cause is None:
                    cause = {"U": 8, "S": 9, "M": 11}[mode]
                for deleg in (0, 1):
                    for sie, vec in ((0, 0), (1, 1)):
                        name = "trap %s from %s deleg=%d sie=%d vectored=%d" % (what, mode, deleg, sie, vec)
                        if not self.want(name):
                            continue
                        self.trap_case(name, mode, what, cause, deleg, sie, vec)

    def trap_case(self, name, mode, what, cause, deleg, sie, vec):
        t = Test(self, name)
        a0, t0 = R["a0"], R["t0"]
        t.csrr(SAFE, "mtvec")
        t.la(t0, "mtrap", vec)
        t.csrw("mtvec", t0)
        t.la(t0, "strap", vec)
        t.csrw("stvec", t0)
        t.csrwv("medeleg", deleg << cause)
        for c in ("scause", "sepc", "stval", "mcause", "mtval"):
            t.csrwv(c, 0)
        t.li(R["a5"], 0)
        t.li(R["t5"], 0x90000000)
        t.jump_to_mode(mode, "low", extra=(B["SIE"] | B["MPIE"]) if sie else 0,
                       clear=B["SIE"] | B["SPIE"] | B["MPIE"] | B["SPP"])
        t.label("low")
        t.i("addi", rd=R["s2"], rs1=0, imm=11)
        t.i("addi", rd=R["t4"], rs1=0, imm=12)
        t.label("here")
        if what == "ecall":
            t.i("ecall")
        elif what == "ebreak":
            t.i("ebreak")
        elif what == "c.ebreak":
            t.raw(0x9002)
        elif what == "illegal":
            t.raw(0xffffffff)
        elif what == "load":
            t.i("ld", rd=R["s2"], rs1=R["t5"], imm=16)
        elif what == "store":
            t.i("sd", rs1=R["t5"], rs2=R["s2"], imm=16)
        elif what == "csr":
            t.i("csrrw", rd=R["s2"], rs1=R["t4"], csr=0xfff)
        elif what == "fetch":
            t.i("jalr", rd=R["ra"], rs1=R["t5"])
        t.raw(0, 4)
        t.raw(0, 4)
        t.i("addi", rd=R["s2"], rs1=0, imm=99)
        # Handlers: 64-byte aligned not needed for vectored mode, 4 is.
        while t.size() % 4:
            t.c("c.nop")
        t.label("mtrap")
        t.to("jal", "m1", rd=0)
        t.to("jal", "wrong", rd=0)
        t.label("strap")
        t.to("jal", "s1", rd=0)
        t.to("jal", "wrong", rd=0)
        t.label("wrong")
        t.i("addi", rd=R["a5"], rs1=R["a5"], imm=1000)
        t.label("s1")
        t.i("addi", rd=R["a5"], rs1=R["a5"], imm=1)
        t.csrr(R["a1"], "sstatus")
        t.out(R["a1"], "sstatus in the S handler", MSTATUS_MASK)
        t.csrr(R["a1"], "scause")
        t.out(R["a1"], "scause")
        t.csrr(R["a1"], "sepc")
        t.out(R["a1"], "sepc")
        t.csrr(R["a1"], "stval")
        t.out(R["a1"], "stval", 0 if "ebreak" in what else M64)
        # Back to M, by a cause that is not delegated.
        if cause == E_ECALL_S:
            t.raw(0xffffffff)
        else:
            t.i("ecall")
        t.label("m1")
        t.i("addi", rd=R["a5"], rs1=R["a5"], imm=16)
        t.csrr(R["a1"], "mstatus")
        t.out(R["a1"], "mstatus in the M handler", MSTATUS_MASK)
        t.csrr(R["a1"], "mcause")
        t.out(R["a1"], "mcause")
        t.csrr(R["a1"], "mepc")
        t.out(R["a1"], "mepc")
        t.csrr(R["a1"], "mtval")
        t.out(R["a1"], "mtval", 0 if "ebreak" in what else M64)
        t.out(R["a5"], "handlers run")
        t.out(R["s2"], "s2")
        t.out(R["t4"], "t4")
        t.out(R["ra"], "ra")
        t.csrw("mtvec", SAFE)
        self.cleanup(t)
        self.add(t)

    def interrupts(self):
        """S-level interrupts by mip: enables, delegation, priority, vectors, in each mode."""
        for mode in ("M", "S", "U"):
            for pend in (0x2, 0x20, 0x200, 0x222, 0x22, 0x202):
                for deleg in (0, 0x222, 0x2):
                    for glob in (0, 1):
                        for vec in ((0, 1) if pend == 0x222 else (1,)):
                            name = "irq mip=%x mideleg=%x in %s enabled=%d vectored=%d" % (pend, deleg, mode, glob, vec)
                            if self.want(name):
                                self.irq_case(name, mode, pend, deleg, glob, vec, 0x222)
        for pend, en in ((0x222, 0x20), (0x222, 0x2), (0x20, 0x202)):
            name = "irq mip=%x mie=%x" % (pend, en)
            if self.want(name):
                self.irq_case(name, "S", pend, 0x222, 1, 1, en)

    def irq_case(self, name, mode, pend, deleg, glob, vec, enable):
        # Priorities are the manual's (3.1.9: SEI SSI STI); QEMU 7.2 takes the lowest number.
        def first(bits):
            return 9 if bits & 0x200 else 1 if bits & 2 else 5
        to_m = pend & enable & ~deleg if mode != "M" or glob else 0
        to_s = pend & enable & deleg if mode == "U" or (mode == "S" and glob) else 0
        irq = 1 << 63
        mcause = irq | first(to_m) if to_m else 9 if to_s else 0 if mode == "M" else 8 if mode == "U" else 9
        scause = irq | first(to_s)
        run = 200 + first(to_m) * vec if to_m else 200 + (100 + first(to_s) * vec if to_s else 0)
        t = Test(self, name)
        t0 = R["t0"]
        t.csrr(SAFE, "mtvec")
        t.la(t0, "mtrap", vec)
        t.csrw("mtvec", t0)
        t.la(t0, "strap", vec)
        t.csrw("stvec", t0)
        t.csrwv("mideleg", deleg)
        t.csrwv("mie", enable)
        for c in ("scause", "sepc", "stval", "mcause", "mtval"):
            t.csrwv(c, 0)
        t.li(R["a5"], 0)
        t.li(R["a4"], 0)
        t.csrwv("mip", pend)
        t.csrr(R["a1"], "mip")
        t.out(R["a1"], "mip", 0x222)
        t.csrr(R["a1"], "sip")
        t.out(R["a1"], "sip", 0x222)
        t.csrr(R["a1"], "sie")
        t.out(R["a1"], "sie", 0x222)
        if mode == "M":
            t.li(R["t6"], B["MIE"] if glob else B["SIE"])
            t.csrs("mstatus", R["t6"])
            t.i("addi", rd=R["a4"], rs1=0, imm=5)
        else:
            t.jump_to_mode(mode, "low", extra=B["SIE"] if glob else 0, clear=B["SIE"] | B["SPIE"] | B["MPIE"] | B["SPP"])
            t.label("low")
            t.i("addi", rd=R["a4"], rs1=0, imm=5)
        t.i("addi", rd=R["a3"], rs1=0, imm=6)
        if mode == "M":
            t.to("jal", "m0", rd=0)
        else:
            t.i("ecall")
        while t.size() % 4:
            t.c("c.nop")
        for lev in "ms":
            t.label(lev + "trap")
            for k in range(12):
                t.to("jal", lev + str(k), rd=0)
        for k in range(12):
            t.label("s%d" % k)
            t.i("addi", rd=R["a5"], rs1=R["a5"], imm=100 + k)
            t.to("jal", "sx", rd=0)
            t.label("m%d" % k)
            t.i("addi", rd=R["a5"], rs1=R["a5"], imm=200 + k)
            t.to("jal", "mx", rd=0)
        t.label("sx")
        t.csrr(R["a1"], "sstatus")
        t.out(R["a1"], "sstatus in the S handler", MSTATUS_MASK)
        t.csrr(R["a1"], "scause")
        t.out(R["a1"], "scause", want=scause if to_s and not to_m else 0)
        t.csrr(R["a1"], "sepc")
        t.out(R["a1"], "sepc")
        t.csrr(R["a1"], "stval")
        t.out(R["a1"], "stval")
        t.i("ecall")
        t.label("mx")
        t.csrr(R["a1"], "mstatus")
        t.out(R["a1"], "mstatus in the M handler", MSTATUS_MASK)
        t.csrr(R["a1"], "mcause")
        t.out(R["a1"], "mcause", want=mcause)
        t.csrr(R["a1"], "mepc")
        t.out(R["a1"], "mepc")
        t.out(R["a5"], "handlers run", want=run)
        t.li(R["a5"], 0)
        t.out(R["a4"], "a4")
        t.out(R["a3"], "a3")
        t.csrw("mtvec", SAFE)
        self.cleanup(t)
        self.add(t)

    def timer(self):
        """Sstc: stimecmp drives STIP."""
        for what in ("M", "S no STCE", "S"):
            name = "stimecmp from %s" % what
            if not self.want(name):
                continue
            t = Test(self, name)
            t.csrwv("stimecmp", M64)
            if what != "S no STCE":
                t.csrwv("menvcfg", 1 << 63 | MENVCFG)
            t.csrr(R["a1"], "mip")
            t.out(R["a1"], "STIP with stimecmp at its end", 0x20)
            if what != "M":
                t.jump_to_mode("S", "low")
                t.label("low")
            t.csrw("stimecmp", 0)
            # The wire may take a moment.
            t.li(R["a2"], 200000)
            t.label("wait")
            t.i("addi", rd=R["a2"], rs1=R["a2"], imm=-1)
            t.to("bne", "wait", rs1=R["a2"], rs2=0)
            t.csrr(R["a1"], "sip" if what != "M" else "mip")
            t.out(R["a1"], "STIP with stimecmp 0", 0x20, want=None if what == "M" else 0)
            t.csrwv("stimecmp", M64)
            t.csrr(R["a1"], "sip" if what != "M" else "mip")
            t.out(R["a1"], "STIP with stimecmp at its end again", 0x20)
            t.li(R["a1"], 0)
            self.add(t)
        for vec in (0, 1):
            name = "timer interrupt vectored=%d" % vec
            if not self.want(name):
                continue
            t = Test(self, name)
            t.csrr(SAFE, "mtvec")
            t.la(R["t0"], "mtrap")
            t.csrw("mtvec", R["t0"])
            t.la(R["t0"], "strap", vec)
            t.csrw("stvec", R["t0"])
            t.csrwv("stimecmp", M64)
            t.csrwv("menvcfg", 1 << 63 | MENVCFG)
            t.csrwv("mideleg", 0x222)
            t.csrwv("mie", 0x20)
            t.li(R["a5"], 0)
            t.jump_to_mode("S", "low", extra=B["SIE"], clear=B["SIE"] | B["SPIE"] | B["MPIE"] | B["SPP"])
            t.label("low")
            t.csrr(R["a0"], "time")
            t.i("addi", rd=R["a0"], rs1=R["a0"], imm=2000)  # 200 us
            t.csrw("stimecmp", R["a0"])
            t.label("spin")
            t.to("beq", "spin", rs1=R["a5"], rs2=0)
            # Once more, asleep: taken behind the wfi, which would sleep for good if it were taken before it.
            t.li(R["a5"], 0)
            t.i("csrrci", rd=0, imm=B["SIE"], csr=CSRS["sstatus"])
            t.csrr(R["a0"], "time")
            t.i("addi", rd=R["a0"], rs1=R["a0"], imm=2000)
            t.csrw("stimecmp", R["a0"])
            t.i("wfi")
            t.i("csrrsi", rd=0, imm=B["SIE"], csr=CSRS["sstatus"])
            t.label("spin2")
            t.to("beq", "spin2", rs1=R["a5"], rs2=0)
            t.i("ecall")
            while t.size() % 4:
                t.c("c.nop")
            t.label("strap")
            for k in range(10):
                t.to("jal", "s5" if k == (5 if vec else 0) else "wrong", rd=0)
            t.label("wrong")
            t.i("addi", rd=R["a5"], rs1=R["a5"], imm=1000)
            t.i("ecall")
            t.label("s5")
            t.i("addi", rd=R["a5"], rs1=R["a5"], imm=1)
            t.csrr(R["a1"], "time")
            t.i("sltu", rd=R["a1"], rs1=R["a1"], rs2=R["a0"])
            t.out(R["a1"], "too early", want=0)
            t.csrr(R["a1"], "scause")
            t.out(R["a1"], "scause", want=1 << 63 | 5)
            t.li(R["t6"], M64)
            t.csrw("stimecmp", R["t6"])
            t.i("sret")
            t.i("addi", rd=0, rs1=0, imm=0)
            while t.size() % 4:
                t.c("c.nop")
            t.label("mtrap")
            t.csrr(R["a1"], "mcause")
            t.out(R["a1"], "mcause", want=9)
            t.out(R["a5"], "handlers run", want=1)
            t.csrw("mtvec", SAFE)
            t.li(R["a0"], 0)
            self.cleanup(t)
            self.add(t)

    def returns(self):
        """mret and sret: modes, interrupt-enable stack, MPRV, TSR, TVM, TW, low modes."""
        for mpp in ("U", "S", "M"):
            for mpie in (0, 1):
                for mprv in (0, 1):
                    name = "mret to %s MPIE=%d MPRV=%d" % (mpp, mpie, mprv)
                    if not self.want(name):
                        continue
                    t = Test(self, name)
                    t.csrr(SAFE, "mtvec")
                    t.la(R["t0"], "mtrap")
                    t.csrw("mtvec", R["t0"])
                    # Results are stored in M-mode: no MPRV with a lower MPP until mret.
                    t.la(R["t6"], "low")
                    t.csrw("mepc", R["t6"])
                    t.li(R["t6"], 3 << 11 | B["MPIE"] | B["MIE"])
                    t.csrc("mstatus", R["t6"])
                    t.li(R["t6"], MPP[mpp] | mpie * B["MPIE"] | mprv * B["MPRV"])
                    t.csrs("mstatus", R["t6"])
                    t.i("mret")
                    t.label("low")
                    t.i("ecall")
                    while t.size() % 4:
                        t.c("c.nop")
                    t.label("mtrap")
                    t.csrr(R["a1"], "mstatus")
                    t.li(R["t6"], B["MPRV"])
                    t.csrc("mstatus", R["t6"])
                    # QEMU 7.2 leaves MPRV on; the manual clears it on the way to a lower mode (3.1.6.4).
                    t.out(R["a1"], "mstatus", MSTATUS_MASK & ~B["MPRV"])
                    t.out(R["a1"], "MPRV", B["MPRV"], want=B["MPRV"] * (mprv and mpp == "M"))
                    t.csrr(R["a1"], "mcause")
                    t.out(R["a1"], "mcause")
                    t.csrw("mtvec", SAFE)
                    self.cleanup(t)
                    self.add(t)
        for frm in ("M", "S"):
            for spp in (0, 1):
                for spie in (0, 1):
                    name = "sret from %s SPP=%d SPIE=%d" % (frm, spp, spie)
                    if not self.want(name):
                        continue
                    t = Test(self, name)
                    t.csrr(SAFE, "mtvec")
                    t.la(R["t0"], "mtrap")
                    t.csrw("mtvec", R["t0"])
                    if frm == "S":
                        t.jump_to_mode("S", "low", clear=B["SIE"] | B["MPIE"])
                        t.label("low")
                    else:
                        t.li(R["t6"], B["MPRV"])
                        t.csrs("mstatus", R["t6"])
                    t.li(R["t6"], B["SPP"] | B["SPIE"] | B["SIE"])
                    t.csrc("sstatus", R["t6"])
                    t.li(R["t6"], spp * B["SPP"] | spie * B["SPIE"])
                    t.csrs("sstatus", R["t6"])
                    t.la(R["t6"], "lower")
                    t.csrw("sepc", R["t6"])
                    t.i("sret")
                    t.raw(0, 4)
                    t.label("lower")
                    t.i("ecall")
                    while t.size() % 4:
                        t.c("c.nop")
                    t.label("mtrap")
                    t.csrr(R["a1"], "mstatus")
                    t.li(R["t6"], B["MPRV"])
                    t.csrc("mstatus", R["t6"])
                    # QEMU 7.2 leaves MPRV on; the manual clears it on the way to a lower mode (3.1.6.4).
                    t.out(R["a1"], "mstatus", MSTATUS_MASK & ~B["MPRV"])
                    t.out(R["a1"], "MPRV", B["MPRV"], want=0)
                    t.csrr(R["a1"], "mcause")
                    t.out(R["a1"], "mcause")
                    t.csrw("mtvec", SAFE)
                    self.cleanup(t)
                    self.add(t)
        self.sret_again()
        # Instructions that some modes may not execute.
        for mode in ("S", "U"):
            for bits in (0, B["TSR"], B["TVM"], B["TW"], B["TSR"] | B["TVM"] | B["TW"]):
                names = [k for k in ("TSR", "TVM", "TW") if bits & B[k]]
                name = "system instructions in %s with %s" % (mode, "+".join(names) or "nothing")
                if not self.want(name):
                    continue
                t = Test(self, name, "M", mtraps=100)
                t.csrwv("mideleg", 0x222)
                if mode == "S":
                    # An interrupt is pending and masked, so that wfi does not sleep. U-mode would take it.
                    t.csrwv("mie", 2)
                    t.csrwv("mip", 2)
                t.jump_to_mode(mode, "low", extra=bits, clear=B["SIE"] | B["MPIE"])
                t.label("low")
                t.i("addi", rd=R["a0"], rs1=0, imm=0)
                for what in ("sfence.vma", "mret", "satp", "fence.i", "sret", "wfi"):
                    if what == "wfi" and mode == "U":
                        # QEMU: illegal at once; the manual allows to be (or not) when TW is 0.
                        t.i("wfi")
                        continue
                    if what == "satp":
                        t.csrr(R["a1"], "satp")
                        t.csrw("satp", 0)
                        continue
                    if what == "sret":
                        if mode == "S" and not bits & B["TSR"]:
                            t.la(R["t6"], "after")
                            t.csrw("sepc", R["t6"])
                            t.li(R["t6"], B["SPP"])
                            t.csrs("sstatus", R["t6"])
                        t.i("sret")
                        t.label("after")
                        continue
                    t.i(what)
                self.add(t)
                self.fixup()

    def sret_again(self):
        """sret from S to U under Sv39, three times: what it does to SPIE, SIE and SPP shows in M-mode alone."""
        for spie in (0, 1):
            name = "sret again SPIE=%d" % spie
            if not self.want(name):
                continue
            # The code, once for S-mode and once, 1 GiB below, for U-mode.
            root, _ = self.space([(0x80000000, 0x80000000, RWX | A | D | V, 2),
                                  (0x40000000, 0x80000000, RWX | U | A | D | V, 2)])
            t = Test(self, name)
            t.csrr(SAFE, "mtvec")
            t.la(R["t0"], "mtrap")
            t.csrw("mtvec", R["t0"])
            t.csrwv("satp", SV39 | root >> 12)
            t.i("sfence.vma")
            t.li(R["s1"], 3)
            t.label("again")
            t.jump_to_mode("S", "low", clear=B["SIE"] | B["MPIE"])
            t.label("low")
            t.li(R["t6"], B["SPP"] | B["SPIE"] | B["SIE"])
            t.csrc("sstatus", R["t6"])
            t.li(R["t6"], spie * B["SPIE"])
            t.csrs("sstatus", R["t6"])
            t.la(R["t6"], "lower")
            t.li(R["t5"], 0x40000000)
            t.i("sub", rd=R["t6"], rs1=R["t6"], rs2=R["t5"])
            t.csrw("sepc", R["t6"])
            t.i("sret")
            t.label("lower")
            t.i("ecall")
            while t.size() % 4:
                t.c("c.nop")
            t.label("mtrap")
            t.csrr(R["a1"], "mstatus")
            t.csrr(R["a2"], "mcause")
            t.i("addi", rd=R["s1"], rs1=R["s1"], imm=-1)
            t.to("bne", "again", rs1=R["s1"], rs2=0)
            t.out(R["a1"], "mstatus", MSTATUS_MASK & ~B["MPRV"])
            t.out(R["a2"], "mcause")
            t.csrw("mtvec", SAFE)
            self.cleanup(t)
            self.add(t)

    def csr_inside(self):
        """CSR instructions of S-mode with masks that are known to a translator and ones that are not."""
        for mode in ("M", "S"):
            for csr in ("sstatus", "sscratch", "sepc", "scause", "stval"):
                name = "csr %s instructions in %s" % (csr, mode)
                if not self.want(name):
                    continue
                t = Test(self, name, mode)
                bits = MSTATUS_MASK if csr == "sstatus" else 1 << 63 | 15 if csr == "scause" else ~1 & M64 if csr == "sepc" else M64
                t.csrr(SAFE, csr)
                vals = [0, 1, B["SIE"], B["SUM"], B["SUM"] | B["SIE"], B["MXR"], B["SPP"], B["SPIE"], 0xff, M64, 5, 1 << 63]
                # Loaded, so not known; then made in place, so known.
                pool = self.img.alloc(struct.pack("<%dQ" % len(vals), *vals))
                for known in (0, 1):
                    for k, v in enumerate(vals):
                        for op in ("csrrw", "csrrs", "csrrc"):
                            for rd, rs in ((R["a0"], R["a1"]), (R["t3"], R["t4"]), (0, R["a2"]), (R["a3"], R["a3"]), (R["t5"], R["t5"])):
                                if rd and rd == R["t3"] and known:
                                    continue
                                if known:
                                    t.li(rs, v)
                                else:
                                    t.li(R["s3"], pool)
                                    t.i("ld", rd=rs, rs1=R["s3"], imm=8 * k)
                                t.i(op, rd=rd, rs1=rs, csr=CSRS[csr])
                                t.csrr(R["s4"], csr)
                                t.csrw(csr, SAFE)
                                if csr == "sstatus":
                                    t.i("csrrci", rd=0, imm=2, csr=CSRS[csr])
                                what = "%s %x%s rd=%s" % (op, v, " known" if known else "", REGS[rd])
                                if rd:
                                    t.out(rd, what + " old", bits)
                                t.out(R["s4"], what, bits)
                                if csr == "sepc":
                                    t.out(R["s4"], what + " bit 0", 1, want=0)
                for r in ("a0", "a1", "t3", "t4", "a2", "a3", "t5", "s3", "s4"):
                    t.li(R[r], 0)
                t.li(SAFE, 0)
                self.add(t)
        for imm in (0, 2, 8, 31):
            name = "csr sstatus immediate %d in S" % imm
            if not self.want(name):
                continue
            t = Test(self, name, "S")
            for op in ("csrrwi", "csrrsi", "csrrci"):
                for rd in (0, R["a0"], R["t3"]):
                    t.li(R["a2"], B["SPIE"] | B["SUM"])
                    t.csrw("sstatus", R["a2"])
                    t.i(op, rd=rd, imm=imm, csr=CSRS["sstatus"])
                    t.csrr(R["a1"], "sstatus")
                    t.csrw("sstatus", 0)
                    if rd:
                        t.out(rd, "%s old" % op, MSTATUS_MASK)
                    t.out(R["a1"], "%s rd=%s" % (op, REGS[rd]), MSTATUS_MASK)
            for r in ("a0", "a1", "a2", "t3"):
                t.li(R[r], 0)
            self.add(t)
        self.fixup()
