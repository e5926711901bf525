"""Clang as PyPI has it, inside of Zig: `python zig_clang.py ARGUMENTS` is `clang++ ARGUMENTS`.

For any processor of this kind, where Zig would compile for this one, and for this C library. Zig
has other names for the levels, and another way to say where the records of optimizations go. When a
library of Zig's is unloaded, its static objects stay until the end of the process, where the
code that destroys them is gone: no library is unloaded.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import ziglang

RECORD = "-fsave-optimization-record"


def spelt(argument: str) -> str:
    """An argument of Clang's as Zig wants it."""
    if argument.startswith("-march=x86-64"):
        return argument.replace("x86-64", "x86_64").replace("-v", "_v")
    return argument


def translated(arguments: list[str]) -> list[str]:
    """Clang's arguments in Zig's spelling."""
    found = [spelt(argument) for argument in arguments]
    if RECORD in found and "-o" in found:
        output = Path(found[found.index("-o") + 1])
        found.append(f"-foptimization-record-file={output.with_suffix('.opt.yaml')}")
    if "-shared" in found:
        found.append("-Wl,-z,nodelete")
    return found


if __name__ == "__main__":
    zig = Path(ziglang.__file__).with_name("zig")
    target = f"{platform.machine()}-linux-gnu.{platform.libc_ver()[1]}"
    os.execv(zig, [str(zig), "c++", "-target", target, *translated(sys.argv[1:])])
