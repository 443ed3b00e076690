# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmarks run on: this machine itself, and guests that are asked by their console.

A guest is booted once and stays; it runs one program at a time, as told, and costs nothing between
(an idle guest waits). So programs can run in turns on all machines, whatever else the host does.
"""

import os
import re
import select
import shutil
import signal
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("DTV_BUILD") or os.path.join(TOP, "build")
PROGRAMS = os.path.join(BUILD, "bench")
CACHE = os.environ.get("DTV_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "dtv"
)
QEMU = os.environ.get("QEMU") or "qemu-system-riscv64"
BOOT_SECONDS, PROGRAM_SECONDS = 300, 300

sys.path.insert(0, os.path.join(TOP, "selftests", "lib"))
from newc import Archive  # noqa: E402


class BenchError(Exception):
    """A machine did not do what it was told; the text says which and what."""


def fetch():
    """The directory with the guest's kernel and initrd."""
    made = subprocess.run(
        [os.path.join(TOP, "selftests/guest/fetch")], stdout=subprocess.PIPE, text=True, check=False
    )
    if made.returncode:
        raise BenchError("the guest could not be fetched")
    return made.stdout.strip()


def make_initrd(guest):
    """The guest's initrd with the programs appended; returns its path."""
    archive = Archive()
    archive.directory("bench")
    for level in ("O2", "O3"):
        source = os.path.join(PROGRAMS, "riscv64", f"bench-{level}")
        slim = f"{source}.stripped"
        subprocess.run(["riscv64-linux-gnu-strip", "-o", slim, source], check=True)
        with open(slim, "rb") as file:
            archive.file(f"bench/bench-{level}", file.read())
    path = os.path.join(PROGRAMS, "initrd")
    with open(path, "wb") as out, open(os.path.join(guest, "initrd.gz"), "rb") as base:
        shutil.copyfileobj(base, out)
        # The kernel wants the second archive to begin at a multiple of four.
        out.write(b"\0" * (-out.tell() % 4))
        out.write(archive.finish())
    return path


def cpu_seconds(pid):
    """Processor time of all threads of a process, to the nanosecond."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        except OSError:
            pass
    return total / 1e9


def qemu_command(kernel, initrd, append, memory="1G", cpus=1):
    line = [QEMU, "-M", "virt", "-m", memory, "-smp", str(cpus), "-display", "none", "-monitor", "none"]
    line += ["-serial", "stdio", "-no-reboot", "-nodefaults"]
    return [*line, "-kernel", kernel, "-initrd", initrd, "-append", append]


def uhost_command(kernel, initrd, append, memory="1G", cpus=1):
    line = [os.path.join(BUILD, "uhost"), "--memory", memory, "--cpus", str(cpus)]
    return [*line, "--kernel", kernel, "--initrd", initrd, "--append", append]


def minivmm_command(kernel, initrd, append, memory="1024"):
    line = [os.path.join(BUILD, "api", "minivmm"), "--memory", memory, "--cpus", "1"]
    return [*line, "--kernel", kernel, "--initrd", initrd, "--append", append]


def boot(command):
    """Seconds to init and to the end, processor seconds to init and to the end."""
    start = time.monotonic()
    init = None
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        tail = b""
        while True:
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                break
            if time.monotonic() - start > BOOT_SECONDS:
                # Not process.kill(), which may take the status away from wait4().
                os.kill(process.pid, signal.SIGKILL)
                break
            tail = (tail + data)[-(1 << 16) :]
            if init is None and b"dtv-guest: init" in tail:
                init = time.monotonic() - start, cpu_seconds(process.pid)
        _, process.returncode, usage = os.wait4(process.pid, 0)
    if init is None or b"dtv-guest: status 0" not in tail:
        said = tail.decode(errors="replace")
        raise BenchError(f"{command[0]} did not boot:\n{said}")
    off = time.monotonic() - start
    return init[0], off, init[1], usage.ru_utime + usage.ru_stime


class Result:
    """One run of one program.

    check is its check value, seconds the time that it measured. Processor time is only known of the
    whole program, its preparations included (in a guest, of the emulator meanwhile): cpu is the
    part of it that the measured time is of the whole time.
    """

    def __init__(self, check, measured_ns, whole_ns, whole_cpu):
        self.check = check
        self.seconds = int(measured_ns) / 1e9
        self.cpu = whole_cpu * int(measured_ns) / max(int(whole_ns), 1)


class Native:
    """This machine; "scalar": by programs without vectors, which RV64GC has no instructions for."""

    def __init__(self, name="native"):
        self.name = name

    def run(self, level, program, scale, copies=None):
        path = os.path.join(PROGRAMS, self.name, f"bench-{level}")
        command = [path, "run", program, str(scale), *([str(copies)] if copies else [])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            said = process.stdout.read().split()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
        if status or len(said) != 4:
            raise BenchError(f"{self.name}: {program}: status {status:#x}")
        return Result(said[1], said[2], said[3], usage.ru_utime + usage.ru_stime)

    def close(self):
        pass


class Guest:
    """An emulator and the console of its guest."""

    ANSWER = re.compile(r"dtv-bench: (\S+) ([0-9a-f]{16}) (\d+) (\d+) (\d+)$")
    FAILED = re.compile(r"dtv-bench: failed (.*)$")

    def __init__(self, name, make_command, kernel, initrd, more_arguments=()):
        self.name = name
        append = 'console=ttyS0 quiet dtv.run="/bench/bench-O2 serve"'
        self.command = [*make_command(kernel, initrd, append), *more_arguments]
        self.process = None
        self.text = ""
        self.log = []
        self.warnings = []
        self.boots_failed = 0

    def _line(self, until):
        """The next line of the console, without its end; None at the end of the output."""
        while "\n" not in self.text:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise BenchError(f"{self.name}: no answer in time\n" + self.tail())
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            if not data:
                return None
            self.text += data.decode(errors="replace").replace("\r", "")
        line, self.text = self.text.split("\n", 1)
        self.log.append(line)
        return line

    def tail(self):
        return "\n".join(f"  | {line}" for line in [*self.log[-12:], self.text] if line)

    def _find(self, seconds, *patterns):
        until = time.monotonic() + seconds
        while True:
            line = self._line(until)
            if line is None:
                raise BenchError(f"{self.name}: the guest has ended\n" + self.tail())
            for pattern in patterns:
                match = pattern.search(line)
                if match:
                    return pattern, match

    def start(self):
        self.text, self.log = "", []
        try:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        except OSError as why:
            raise BenchError(f"{self.command[0]}: {why.strerror}") from why
        self._find(BOOT_SECONDS, re.compile("dtv-bench: ready$"))

    def run(self, level, program, scale, copies=None):
        if not self.process:
            # A guest that does not boot is not waited for again and again.
            if self.boots_failed >= 2:
                raise BenchError(f"{self.name}: does not boot")
            self.boots_failed += 1
            try:
                self.start()
            except BenchError:
                self.close()
                raise
            self.boots_failed = 0
        cpu, began = cpu_seconds(self.process.pid), time.monotonic()
        try:
            # By number: a line that the console's FIFO of 16 bytes holds at once.
            number = [name for name, _ in program_list()].index(program)
            self.process.stdin.write(f"{level} {number} {scale} {copies or ''}\n".encode())
            self.process.stdin.flush()
            which, match = self._find(PROGRAM_SECONDS, self.ANSWER, self.FAILED)
            took, cpu = time.monotonic() - began, cpu_seconds(self.process.pid) - cpu
        except (BenchError, OSError) as why:
            self.close()
            raise BenchError(f"{program}: {why}") from why
        if which is self.FAILED or match[1] != program:
            raise BenchError(f"{self.name}: {match[0]}")
        # A guest whose clock goes wrong would measure itself as it likes.
        total = int(match[5]) / 1e9
        if total > took * 1.02 + 0.005 or took > total * 1.05 + 0.1:
            self.warnings.append(
                f"{self.name}: {program}: the guest says {total:.3f} s, the host {took:.3f} s"
            )
        return Result(match[2], match[3], match[5], cpu)

    def close(self):
        """Kill it."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            try:
                self.process.stdin.close()
            except OSError:
                # What it has not read is lost with it.
                pass
            self.process = None

    def power_off(self, seconds=60):
        """Let it end by itself; returns what came after the last answer."""
        if not self.process:
            return []
        said = []
        until = time.monotonic() + seconds
        try:
            self.process.stdin.write(b"off\n")
            self.process.stdin.flush()
            while (line := self._line(until)) is not None:
                said.append(line)
            self.process.wait(timeout=10)
        except (BenchError, OSError, subprocess.TimeoutExpired):
            self.warnings.append(f"{self.name}: did not power off")
        self.close()
        return said


def program_list():
    """[(name, group)] as the programs themselves say."""
    path = os.path.join(PROGRAMS, "native", "bench-O2")
    said = subprocess.run([path, "list"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [tuple(line.split()) for line in said.splitlines()]


def entries(only, levels, skip=()):
    """[(full name, name, group, level)] of what is to run: levels count where the compiler does."""
    chosen = []
    for name, group in program_list():
        for level in levels if group in ("integer", "float") else ["O2"]:
            full = f"{name}-{level}" if group in ("integer", "float") else name
            kind = name.rsplit("_", 1)[0]
            if group in skip or only and not {full, name, group, kind} & set(only):
                continue
            chosen.append((full, name, group, level))
    return chosen


def geometric_mean(values):
    values = [value for value in values if value]
    return statistics.geometric_mean(values) if values else None
