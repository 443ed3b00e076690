#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write an initramfs (cpio, format newc) without root: owners are 0:0, device nodes are entries.

Usage: newc.py [-z] OUTPUT < LIST, with the lines of the kernel's gen_init_cpio:

  dir PATH MODE        file PATH SOURCE MODE        slink PATH TARGET
  nod PATH MODE c|b MAJOR MINOR

Parents are not made up. Times are 0, so that equal input gives an equal archive.
"""

import gzip
import os
import shlex
import stat
import sys


class Archive:
    def __init__(self):
        self.parts = []
        self.inode = 0
        self.seen = set()

    def add(self, path, mode, data=b"", major=0, minor=0):
        """Append one entry; a path is taken once, the first time."""
        name = path.strip("/").encode() + b"\0"
        if name in self.seen:
            return
        self.seen.add(name)
        self.inode += 1
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name), 0)
        entry = b"070701" + b"".join(b"%08X" % f for f in fields) + name
        self.parts.append(self._pad(entry) + self._pad(data))

    @staticmethod
    def _pad(data):
        return data + b"\0" * (-len(data) % 4)

    def directory(self, path, mode=0o755):
        self.add(path, stat.S_IFDIR | mode)

    def file(self, path, data, mode=0o755):
        self.add(path, stat.S_IFREG | mode, data)

    def link(self, path, target):
        self.add(path, stat.S_IFLNK | 0o777, target.encode())

    def node(self, path, mode, kind, major, minor):
        fmt = {"c": stat.S_IFCHR, "b": stat.S_IFBLK}[kind]
        self.add(path, fmt | mode, b"", major, minor)

    def finish(self):
        """Return the archive's bytes, trailer included."""
        name = b"TRAILER!!!\0"
        fields = (0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, len(name), 0)
        trailer = b"070701" + b"".join(b"%08X" % f for f in fields) + name
        data = b"".join(self.parts) + self._pad(trailer)
        return data + b"\0" * (-len(data) % 512)


def line(archive, words):
    kind, rest = words[0], words[1:]
    if kind == "dir":
        archive.directory(rest[0], int(rest[1], 8))
    elif kind == "file":
        with open(rest[1], "rb") as source:
            archive.file(rest[0], source.read(), int(rest[2], 8))
    elif kind == "slink":
        archive.link(rest[0], rest[1])
    elif kind == "nod":
        archive.node(rest[0], int(rest[1], 8), rest[2], int(rest[3]), int(rest[4]))
    else:
        raise ValueError(f"no such kind of entry: {kind}")


def main():
    args = sys.argv[1:]
    zipped = args[:1] == ["-z"]
    if zipped:
        args = args[1:]
    if len(args) != 1:
        sys.exit("usage: newc.py [-z] OUTPUT < LIST")
    archive = Archive()
    for number, text in enumerate(sys.stdin, 1):
        words = shlex.split(text, comments=True)
        if not words:
            continue
        try:
            line(archive, words)
        except (ValueError, IndexError, KeyError, OSError) as why:
            sys.exit(f"newc.py: line {number}: {why}")
    data = archive.finish()
    if zipped:
        data = gzip.compress(data, 6, mtime=0)
    scratch = f"{args[0]}.{os.getpid()}"
    with open(scratch, "wb") as out:
        out.write(data)
    os.rename(scratch, args[0])


if __name__ == "__main__":
    main()
