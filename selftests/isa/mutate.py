#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Are the instruction-set tests good enough? Breaks the engine on purpose, one
way at a time, builds uhost from a copy of the sources and looks whether a test
notices. Prints the share that was caught.

  mutate.py [--only REGEX] [--jobs N]

A mutation is a piece of a source file and what it is replaced with. One whose
piece is not found any more is an error: the table has to follow the sources.
"""

import os
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
# pylint: disable=wrong-import-position
import argparse
import concurrent.futures
import re
import shutil
import subprocess
import tempfile

import rv
import tap

INT, MEM, SEL, SYS, FP = ("kmod/dbt/x86/select_%s.c" % n for n in ("int", "mem", "", "sys", "fp"))
SEL = "kmod/dbt/x86/select.c"
HART, CACHE, TR = "kmod/hart.c", "kmod/dbt/cache.c", "kmod/dbt/translate.c"
RESV, PAIR = "kmod/mmu/resv.c", "kmod/dbt/pair.c"
CSR, PT, TRAP, DEC = ("kmod/guest/%s.c" % n for n in ("csr", "pagetable", "trap", "decode"))

MUTATIONS = [
    ("addi of a known value", INT, "set_const(tx, in->rd, v + in->imm);", "set_const(tx, in->rd, v - in->imm);"),
    ("addi to itself in a slot", INT, "alu_mi(b, ALU_ADD, slot(in->rd), in->imm);", "alu_mi(b, ALU_ADD, slot(in->rd), in->imm + 1);"),
    ("addiw without sign", INT, "set_const(tx, in->rd, (s64)(s32)(v + in->imm));", "set_const(tx, in->rd, (u32)(v + in->imm));"),
    ("sub with rd = rs2", INT, "d = in->rd == rs2 ? RAX : dst(tx, in->rd, RAX);", "d = dst(tx, in->rd, RAX);"),
    ("sub is taken for commutative", INT, "if (op != ALU_SUB && rs1 != in->rd", "if (rs1 != in->rd"),
    ("and with x0", INT, "else if (op == ALU_AND)\n\t\talu32_rr(b, ALU_XOR, d, d);", ""),
    ("32-bit results are not extended", INT, "movsxd_rr(&tx->b, d, h);\n\tcommit(tx, rd, d);", "mov32_rr(&tx->b, d, h);\n\tcommit(tx, rd, d);"),
    ("srai of a known value", INT, "(u64)((s64)v >> in->imm));", "(u64)(v >> in->imm));"),
    ("slti of a known value", INT, "cc == CC_L ? (s64)v < (s64)i : v < i", "v < i"),
    ("andi 255 of a sign-extended byte", INT, "op == ALU_AND && in->imm == 255", "op == ALU_AND && (in->imm & 255) == 255"),
    ("xori -1", INT, "if (op == ALU_XOR && in->imm == -1)", "if (op != ALU_AND && in->imm == -1)"),
    ("mulhsu is mulhu", INT, "if (in->op == DTV_OP_MULHSU) {", "if (0) {"),
    ("mul with rd = rs2", INT, "d = in->rd == in->rs2 && in->rd != in->rs1 ? RAX : dst(tx, in->rd, RAX);", "d = dst(tx, in->rd, RAX);"),
    ("INT_MIN / -1", INT, "\t\tminus = jcc_rel8(b, CC_E);", "\t\tminus = jcc_rel8(b, CC_P);"),
    ("remainder by zero", INT, "if (rem)\n\t\tmov_rr(b, RDX, RAX);", "if (rem)\n\t\tmov_rr(b, RDX, RCX);"),
    ("divw by a zero of 32 bits", INT, "if (w)\n\t\ttest32_rr(b, RCX, RCX);", "if (0)\n\t\ttest32_rr(b, RCX, RCX);"),
    ("bge is bgt", INT, "branch(tx, CC_GE);", "branch(tx, CC_G);"),
    ("bltu is blt", INT, "branch(tx, CC_B);", "branch(tx, CC_L);"),
    ("comparison of x0 with x0", INT, "alu32_rr(b, ALU_CMP, RCX, RCX);", "alu_mi(b, ALU_CMP, HART(scratch), 1);"),
    ("jalr keeps an odd target", INT, "alu_ri(b, ALU_AND, RAX, -2);\n\tif (in->rd &&", "if (in->rd &&"),
    ("jalr to a known target forgets the offset", INT, "(v + in->imm) & ~1ULL", "v & ~1ULL"),
    ("jal links to itself", INT, "gva_t link = tx->pc + in->len;", "gva_t link = tx->pc + 4;"),
    ("facts about rd stay", SEL, "tx->known &= ~(1U << rd);", ""),
    ("address facts about rd stay", SEL, "tx->canon &= ~(1U << rd);", ""),
    ("no address check", MEM, "if (rs1 == 0 || !(tx->canon & 1U << rs1)", "if (0 && !(tx->canon & 1U << rs1)"),
    ("x0 is stored from rax", MEM, "mov16_mi(b, m, 0);", "mov16_mr(b, m, RAX);"),
    ("lb is lbu", MEM, "movsx8_rm(b, d, m);", "movzx8_rm(b, d, m);"),
    ("lwu is lw", MEM, "mov32_rm(b, d, m);\n\t\tbreak;", "movsxd_rm(b, d, m);\n\t\tbreak;"),
    ("misaligned atomics are done", MEM, "test8_ri(&tx->b, base, w ? 7 : 3);", "test8_ri(&tx->b, base, 0);"),
    ("sc without reservation", MEM, "mov_ri(b, RAX, 1);\n\t\tcommit(tx, in->rd, RAX);", "mov_ri(b, RAX, 0);\n\t\tcommit(tx, in->rd, RAX);"),
    ("sc of a pair says it failed", MEM, "setcc_r(b, CC_NE, RAX);", "setcc_r(b, CC_E, RAX);"),
    ("lr of a pair keeps no value", MEM, "mov_mr(b, HART(resv_value), RAX);", ""),
    ("sc keeps the reservation", RESV, "resv_end(cpu);\n\tWRITE_ONCE(h->resv_addr, ~0ULL);", ""),
    ("sc at another address", HART, "h->resv_addr != gva) {", "0) {"),
    ("sc of a pair at another address", PAIR, "in.rs1 != lr->rs1 ||", ""),
    ("pair whose lr changes its address", PAIR, "if (lr->rd && lr->rd == lr->rs1)", "if (0)"),
    ("A and D bits are no stores", PT, "dtv_guest_pte_written(vm, table + ((gva >> shift) & ((1 << VPN_BITS) - 1)) * 8);", ""),
    ("amomaxu is amomax", MEM, "keep = CC_A;", "keep = CC_G;"),
    ("amo.w result is not extended", MEM, "if (!w)\n\t\t\tmovsxd_rr(&tx->b, RAX, RAX);", ""),
    ("amo of 32 bits compares 64", MEM, "alu32_rr(b, ALU_CMP, RAX, RDX);", "alu_rr(b, ALU_CMP, RAX, RDX);"),
    ("two registers share a host register", SEL, "[14] = R13,", "[14] = R12,"),
    ("the checked entry lets every page in", SEL, "x86_fix8(&tx->b, jcc_rel8(&tx->b, CC_NE), tx->start);\n\tif (xp2)", "if (xp2)"),
    ("the second page is not checked", SEL, "\tif (xp2) {\n\t\tcmp32", "\tif (0) {\n\t\tcmp32"),
    ("returns go where they were predicted", SEL, "dtv_tx_cold(tx, COLD_RETURN, jcc_rel32(&tx->b, CC_NE));", "dtv_tx_cold(tx, COLD_RETURN, jcc_rel32(&tx->b, CC_P));"),
    ("jump cache does not compare", SEL, "dtv_tx_cold(tx, COLD_JUMP, jcc_rel32(&tx->b, CC_NE));\n\tjmp_m", "dtv_tx_cold(tx, COLD_JUMP, jcc_rel32(&tx->b, CC_P));\n\tjmp_m"),
    ("csrrw sepc keeps bit 0", SYS, "plain(tx, HART(sepc), -2)", "plain(tx, HART(sepc), -1)"),
    ("sret leaves SIE alone", SYS, "alu32_rr(b, ALU_OR, RAX, RCX);\n\talu32_ri(b, ALU_OR, RAX, DTV_MSTATUS_SPIE);", "alu32_ri(b, ALU_OR, RAX, DTV_MSTATUS_SPIE);"),
    ("ecall forgets SPIE", SYS, "alu32_ri(b, ALU_AND, RCX, DTV_MSTATUS_SPIE);", "alu32_ri(b, ALU_AND, RCX, 0);"),
    ("sstatus reads without SD", SYS, "alu_rr(b, ALU_OR, RAX, RCX);\n\t/* UXL", "/* UXL"),
    ("SUM off does not change the view", SYS, "mov_rm(b, RDX, HART(view_s));\n\ttest_rr", "mov_rm(b, RDX, HART(view_sum));\n\ttest_rr"),
    ("TSR is not looked at", SYS, "DTV_MSTATUS_SPP | DTV_MSTATUS_TSR", "DTV_MSTATUS_SPP"),
    ("unmasking does not look for an interrupt", SYS, "\tif (on)\n\t\tlook_at_hint(tx);", ""),
    ("U pages are open to S-mode", PT, "(status & DTV_MSTATUS_SUM)", "true"),
    ("MXR is not looked at", PT, "(status & DTV_MSTATUS_MXR)", "0"),
    ("stores do not drop code", HART, "if (dtv_dbt_is_code(&vm->dbt, gpa))\n\t\tdtv_dbt_invalidate(&vm->dbt, gpa);", "(void)vm, (void)gpa;"),
    ("sfence.vma keeps mappings", HART, "dtv_view_fence(cpu, f);", ""),
    ("sfence.vma keeps executable pages", HART, "dtv_dbt_forget(cpu->area, ~0ULL, false);\n\tmemset(cpu->big", "memset(cpu->big"),
    ("a satp write keeps executable pages", HART, "dtv_dbt_forget(cpu->area, ~0ULL, !cpu->local_s && !bare);", ""),
    ("fetch fault in the second half names the first", HART, "trap(cpu, w.exc, pc + 2);", "trap(cpu, w.exc, pc);"),
    ("flw does not box", HART, "h->f[rd] = v | 0xffffffff00000000ULL;", "h->f[rd] = v;"),
    ("MPRV stays on mret", TRAP, "DTV_MSTATUS_MPRV", "0"),
    ("fflags are not cleared", CSR, "h->mxcsr &= ~MXCSR_FLAGS;", ""),
    ("mstatus.MPP takes 2", CSR, "if ((new & DTV_MSTATUS_MPP) == 2ULL << DTV_MSTATUS_MPP_SHIFT)", "if (0)"),
]


def copy_tree(top, to):
    for d in ("kmod", "daemon", "uapi", "selftests"):
        shutil.copytree(os.path.join(top, d), os.path.join(to, d), symlinks=True,
                        ignore=shutil.ignore_patterns("*.o", "*.ko", "__pycache__"))


class Lab:
    """A copy of the sources with a build directory of its own."""

    def __init__(self, top, build, cache):
        self.cache = cache
        self.top = top
        self.dir = tempfile.mkdtemp(prefix="dtv-mutate-")
        self.src = os.path.join(self.dir, "src")
        self.out = os.path.join(self.dir, "build")
        os.makedirs(os.path.join(self.out, "isa"))
        copy_tree(top, self.src)
        shutil.copy(os.path.join(build, "isa", "rt.elf"), os.path.join(self.out, "isa"))
        self.build()

    def build(self):
        r = subprocess.run(["make", "-s", "-C", os.path.join(self.src, "selftests", "host"), "O=" + self.out,
                            os.path.join(self.out, "uhost")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return r.returncode == 0, r.stdout.decode(errors="replace")

    def try_one(self, mutation):
        """(state, what noticed)"""
        _, path, old, new = mutation
        full = os.path.join(self.src, path)
        with open(full) as f:
            text = f.read()
        if old not in text:
            return "stale", "%s has no: %s" % (path, old.split("\n")[0])
        with open(full, "w") as f:
            f.write(text.replace(old, new))
        try:
            ok, log = self.build()
            if not ok:
                return "stale", "does not build: " + log[-200:]
            return self.tests()
        finally:
            with open(full, "w") as f:
                f.write(text)

    def tests(self):
        env = dict(os.environ, UHOST=os.path.join(self.out, "uhost"), O=self.out, ISA_CACHE=self.cache)
        here = os.path.dirname(os.path.abspath(__file__))
        for cmd in (["priv.py"], ["table.py"], ["random.py", "--seed", "mutate", "--count", "200", "--stop-after", "0", "--timeout", "10"],
                    ["random.py", "--seed", "mutates", "--count", "60", "--batch", "20", "--storm", "500", "--stop-after", "0", "--timeout", "10"]):
            r = subprocess.run([sys.executable, os.path.join(here, cmd[0])] + cmd[1:], env=env, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, check=False)
            if r.returncode:
                lines = [ln for ln in r.stdout.decode(errors="replace").splitlines() if ln.startswith("not ok")]
                return "caught", "%s: %d results" % (" ".join(cmd[:1]), len(lines))
        return "missed", ""

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--only", help="mutations whose name matches")
    ap.add_argument("--jobs", type=int, default=os.cpu_count())
    ap.add_argument("--top", default=rv.TOP)
    ap.add_argument("--build", default=rv.BUILD)
    args = ap.parse_args()
    chosen = [m for m in MUTATIONS if not args.only or re.search(args.only, m[0])]
    cache = tempfile.mkdtemp(prefix="dtv-mutate-cache-")
    labs = [Lab(args.top, args.build, cache) for _ in range(args.jobs)]
    out = tap.Tap()
    free = list(labs)
    states = {}

    def work(m):
        lab = free.pop()
        try:
            return m, lab.try_one(m)
        finally:
            free.append(lab)
    try:
        state, why = labs[0].tests()
        if state != "missed":
            out.result(False, "the tests pass without a mutation", [why])
            return out.done()
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as ex:
            for m, (state, why) in ex.map(work, chosen):
                states[state] = states.get(state, 0) + 1
                out.result(state == "caught", "%s (%s)" % (m[0], why if state == "caught" else state),
                           [why] if why and state != "caught" else [])
    finally:
        for lab in labs:
            lab.close()
        shutil.rmtree(cache, ignore_errors=True)
    print("# %d of %d caught (%.0f %%), %d not applicable" % (
        states.get("caught", 0), len(chosen), 100.0 * states.get("caught", 0) / max(1, len(chosen)), states.get("stale", 0)))
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
