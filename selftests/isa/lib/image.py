# SPDX-License-Identifier: GPL-2.0-or-later
"""Images: the runtime (rt.S) with programs behind it, as an ELF file, and what
runs them: uhost and QEMU. The result of a run is the signature region."""

import array
import hashlib
import os
import shutil
import struct
import subprocess
import tempfile

BLOB = 0x80010000
DATA = 0x80200000
SIG = 0x84000000
RAM = 0x80000000
RAM_SIZE = 128 << 20

STATE_SIZE = 1152
STATE_CMP = 1128  # of them compared
LOGGED = 24
MASK64 = (1 << 64) - 1

# Masks and offsets as in rt.S.
S_F, S_FCSR, S_TRAPS, S_HASH, S_MSTATUS, S_CAUSE, S_EPC, S_LOG, S_FS = 248, 504, 512, 520, 528, 536, 544, 552, 1128
S_COUNT, S_RAW = 1136, 1144

FS_INITIAL = 1 << 13
MPP = {"U": 0, "S": 1 << 11, "M": 3 << 11}


class Program:
    """One program of an image, as the runtime knows it."""

    def __init__(self, entry, end, x, f=None, fcsr=0, mstatus=MPP["M"] | FS_INITIAL, satp=0,
                 mtraps=64, name="", flags=0):
        self.entry, self.end, self.x = entry, end, x
        self.f = f or [0] * 32
        self.fcsr, self.mstatus, self.satp, self.mtraps, self.name = fcsr, mstatus, satp, mtraps, name
        self.flags = flags
        self.state = 0


class Image:
    def __init__(self, rt):
        self.rt = rt
        self.data = bytearray()
        self.sig = bytearray()
        self.programs = []
        self.storm = 0  # ticks between timer interrupts
        self.harts = 1
        self.count = 0  # 1: count instructions

    def alloc(self, content, align=8):
        """Place content (bytes, or a size to be zero) and return its address."""
        if isinstance(content, int):
            content = bytes(content)
        self.data += bytes(-len(self.data) % align)
        at = DATA + len(self.data)
        self.data += content
        return at

    def sig_alloc(self, content, align=8):
        """The same in the region that is compared."""
        if isinstance(content, int):
            content = bytes(content)
        self.sig += bytes(-len(self.sig) % align)
        at = SIG + len(self.sig)
        self.sig += content
        return at

    def put(self, at, content):
        """Overwrite what alloc() gave."""
        o = at - DATA
        self.data[o:o + len(content)] = content

    def add(self, prog):
        prog.state = self.sig_alloc(STATE_SIZE)
        prog.init = self.alloc(struct.pack("<31Q", *[v & MASK64 for v in prog.x[1:]])
                               + struct.pack("<32Q", *prog.f) + struct.pack("<Q", prog.fcsr))
        self.programs.append(prog)
        return prog

    def write(self, path):
        """The ELF file: runtime, header, data, signature, with its symbols."""
        segs, syms, entry = read_elf(self.rt)
        hdr = struct.pack("<4Q", len(self.programs), self.storm, self.harts, self.count)
        for p in self.programs:
            hdr += struct.pack("<8Q", p.entry & MASK64, p.init, p.state, p.mstatus, p.satp,
                               p.end & MASK64, p.mtraps, p.flags)
        assert len(hdr) <= DATA - BLOB and DATA + len(self.data) <= SIG
        assert SIG + len(self.sig) <= RAM + RAM_SIZE
        segs = segs + [(BLOB, hdr), (DATA, bytes(self.data)), (SIG, bytes(self.sig))]
        syms = dict(syms)
        syms["begin_signature"] = SIG
        syms["end_signature"] = SIG + len(self.sig)
        write_elf(path, segs, {k: syms[k] for k in
                               ("tohost", "fromhost", "begin_signature", "end_signature")}, entry)


def read_elf(path):
    with open(path, "rb") as f:
        b = f.read()
    entry, phoff, shoff = struct.unpack_from("<QQQ", b, 24)
    phn = struct.unpack_from("<H", b, 56)[0]
    shn = struct.unpack_from("<H", b, 60)[0]
    segs = []
    for i in range(phn):
        typ, _, off, _, pa, fsz, msz, _ = struct.unpack_from("<IIQQQQQQ", b, phoff + 56 * i)
        if typ == 1:
            segs.append((pa, b[off:off + fsz] + bytes(msz - fsz)))
    syms = {}
    for i in range(shn):
        _, typ, _, _, off, size, link, _, _, es = struct.unpack_from("<IIQQQQIIQQ", b, shoff + 64 * i)
        if typ != 2:
            continue
        so = struct.unpack_from("<IIQQQQ", b, shoff + 64 * link)[4]
        for j in range(off, off + size, es):
            n, _, _, _, v, _ = struct.unpack_from("<IBBHQQ", b, j)
            e = b.index(b"\0", so + n)
            syms[b[so + n:e].decode()] = v
    return segs, syms, entry


def write_elf(path, segs, syms, entry):
    n = len(segs)
    out = bytearray()
    strtab = b"\0"
    symtab = bytes(24)
    for k, v in syms.items():
        symtab += struct.pack("<IBBHQQ", len(strtab), 0x10, 0, 0xfff1, v, 0)
        strtab += k.encode() + b"\0"
    shstr = b"\0.symtab\0.strtab\0.shstrtab\0"
    pos = 64 + 56 * n
    ph = b""
    body = b""
    for pa, c in segs:
        pad = (pa - pos - len(body)) % 4096
        body += bytes(pad)
        ph += struct.pack("<IIQQQQQQ", 1, 7, pos + len(body), pa, pa, len(c), len(c), 4096)
        body += c
    o_sym = pos + len(body)
    o_str = o_sym + len(symtab)
    o_shs = o_str + len(strtab)
    shoff = o_shs + len(shstr)
    out += struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 243, 1, entry, 64, shoff,
                       5, 64, 56, n, 64, 4, 3)
    out += ph + body + symtab + strtab + shstr
    out += bytes(64)
    out += struct.pack("<IIQQQQIIQQ", 1, 2, 0, 0, o_sym, len(symtab), 2, 1, 8, 24)
    out += struct.pack("<IIQQQQIIQQ", 9, 3, 0, 0, o_str, len(strtab), 0, 0, 1, 0)
    out += struct.pack("<IIQQQQIIQQ", 17, 3, 0, 0, o_shs, len(shstr), 0, 0, 1, 0)
    with open(path, "wb") as f:
        f.write(out)


# QEMU's time counts instructions: tests with timers give the same on a busy machine.
ICOUNT = ("-icount", "shift=1,sleep=off")


# The same to the instruction: without single steps it is off by some where atomics end a block.
ICOUNT_EXACT = ("-singlestep", "-icount", "shift=0,sleep=off")
# What it counts of a program that runs without a trap and uhost does not: csrw minstret and the ecall at the end.
ICOUNT_MORE = 2


class RunError(Exception):
    """A run that did not end by itself, or ended wrongly."""


QEMU_CPU = "rv64,zba=on,zbb=on,zbc=on,zbs=on,zbkb=on,svinval=on,Zfh=on,Zfhmin=on,svnapot=on,svpbmt=on,h=off,pmu-num=29"


class Runner:
    """Where programs run. Paths from the environment: UHOST, QEMU."""

    def __init__(self, build, timeout=60):
        self.build = build
        self.uhost = os.environ.get("UHOST", os.path.join(build, "uhost"))
        self.qemu = os.environ.get("QEMU", "qemu-system-riscv64")
        self.timeout = timeout
        self.tmp = tempfile.mkdtemp(prefix="dtv-isa-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)

    def close(self):
        shutil.rmtree(self.tmp, ignore_errors=True)

    def have_uhost(self):
        return os.access(self.uhost, os.X_OK)

    def have_qemu(self):
        return shutil.which(self.qemu) is not None

    def path(self, name):
        return os.path.join(self.tmp, name)

    def run_qemu(self, elf, extra=()):
        """Boot the ELF in QEMU; the signature is read from its RAM file. ISA_CACHE names a directory for results."""
        cache = os.environ.get("ISA_CACHE")
        if cache:
            with open(elf, "rb") as f:
                key = hashlib.sha256(f.read() + repr((QEMU_CPU, extra)).encode()).hexdigest()
            cache = os.path.join(cache, key)
            if os.path.exists(cache):
                with open(cache, "rb") as f:
                    return f.read()
            sig = self.boot_qemu(elf, extra)
            tmp = "%s.%d" % (cache, os.getpid())
            with open(tmp, "wb") as f:
                f.write(sig)
            os.replace(tmp, cache)
            return sig
        return self.boot_qemu(elf, extra)

    def boot_qemu(self, elf, extra):
        _, syms, _ = read_elf(elf)
        ram = self.path("ram-%d" % os.getpid())
        if os.path.exists(ram):
            os.unlink(ram)
        cmd = [self.qemu, "-M", "virt,memory-backend=ram", "-m", "128M", "-cpu", QEMU_CPU,
               "-object", "memory-backend-file,id=ram,size=128M,share=on,mem-path=" + ram,
               "-bios", elf, "-display", "none", "-serial", "none", "-monitor", "none", "-nodefaults"] + list(extra)
        try:
            r = subprocess.run(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=self.timeout)
        except subprocess.TimeoutExpired:
            raise RunError("QEMU did not end within %d s" % self.timeout)
        if r.returncode:
            raise RunError("QEMU ended with %d: %s" % (r.returncode, r.stdout.decode(errors="replace")[-300:]))
        a, b = syms["begin_signature"], syms["end_signature"]
        with open(ram, "rb") as f:
            f.seek(a - RAM)
            sig = f.read(b - a)
        os.unlink(ram)
        return sig

    def run_uhost(self, elf, extra=()):
        out = self.path("sig-%d" % os.getpid())
        if os.path.exists(out):
            os.unlink(out)
        cmd = [self.uhost, "--elf", elf, "--memory", "128M", "--signature", out,
               "--max-seconds", str(self.timeout)] + list(extra)
        try:
            r = subprocess.run(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=self.timeout + 10)
        except subprocess.TimeoutExpired:
            raise RunError("uhost hangs")
        if r.returncode:
            raise RunError("uhost ended with %d: %s" % (r.returncode, r.stdout.decode(errors="replace")[-600:]))
        with open(out) as f:
            words = array.array("I", bytes.fromhex(f.read()))
        words.byteswap()
        return words.tobytes()


def state_diff(want, got, x_names, limit=6):
    """Say how two final states differ, in words."""
    out = []

    def q(s, o):
        return struct.unpack_from("<Q", s, o)[0]

    names = [(x_names[i], 8 * i - 8) for i in range(1, 32)]
    names += [("f%d" % i, S_F + 8 * i) for i in range(32)]
    names += [("fcsr", S_FCSR), ("number of traps", S_TRAPS), ("hash of traps", S_HASH),
              ("mstatus", S_MSTATUS), ("end cause", S_CAUSE), ("end epc", S_EPC)]
    for i in range(LOGGED):
        for k, n in enumerate(("cause", "epc", "tval")):
            names.append(("trap %d %s" % (i, n), S_LOG + 24 * i + 8 * k))
    for n, o in names:
        if q(want, o) != q(got, o):
            out.append("%s: want %016x got %016x" % (n, q(want, o), q(got, o)))
    if len(out) > limit:
        out[limit:] = ["and %d more" % (len(out) - limit)]
    return out
