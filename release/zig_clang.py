"""Clang as PyPI has it, inside of Zig: `python zig_clang.py ARGUMENTS` is `clang++ ARGUMENTS`.

For any processor of a kind, where Zig would compile for this one. The first argument may be
`--target=NAME`, a target as Zig spells it; else the code is for this machine's kind and this C
library. Zig has other names for the levels, and another way to say where the records of
optimizations go. When a library of Zig's is unloaded, its static objects stay until the end of the
process, where the code that destroys them is gone: no library is unloaded.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import ziglang

__all__ = ["native_target", "translated"]

RECORD = "-fsave-optimization-record"


def native_target() -> str:
    """This machine's kind, with its C library."""
    return f"{platform.machine()}-linux-gnu.{platform.libc_ver()[1]}"


def spelt(argument: str) -> str:
    """An argument of Clang's as Zig wants it."""
    if argument.startswith("-march=x86-64"):
        return argument.replace("x86-64", "x86_64").replace("-v", "_v")
    return argument


def translated(arguments: list[str], target: str) -> list[str]:
    """Clang's arguments in Zig's spelling."""
    found = [spelt(argument) for argument in arguments]
    if RECORD in found and "-o" in found:
        output = Path(found[found.index("-o") + 1])
        found.append(f"-foptimization-record-file={output.with_suffix('.opt.yaml')}")
    if "-shared" in found and "linux" in target:
        found.append("-Wl,-z,nodelete")
    return found


def main(arguments: list[str]) -> None:
    """Becomes Clang."""
    target = native_target()
    if arguments and arguments[0].startswith("--target="):
        target = arguments.pop(0).partition("=")[2]
    zig = Path(ziglang.__file__).with_name("zig")
    os.execv(zig, [str(zig), "c++", "-target", target, *translated(arguments, target)])


if __name__ == "__main__":
    main(sys.argv[1:])
