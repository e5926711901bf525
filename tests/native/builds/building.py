"""Builds of the native library and of its C++ tests, and programs run on them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import onnxruntime

from tests.building import CMAKE, ROOT

SOURCES = ROOT / "custom_ops"
LIBRARY = "libonnx_acts_ops.so"
EQUAL_BITS = r"[1-9]\d* runs with equal bits"
"""What `soak` says at its end."""


def compiler() -> list[str]:
    """The C++ compiler that CMake takes."""
    return shlex.split(os.environ.get("CXX") or "c++")


def clang_compiler() -> str:
    """Clang, for CMake: the one on the path, else that of the package ziglang."""
    zig = f"{sys.executable};{ROOT / 'release' / 'zig_clang.py'}"
    return shutil.which("clang++") or zig


def attempt(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in the repository's root: its status and its output."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def call(*command: str | Path, **variables: str) -> str:
    """Runs a command in the repository's root, which must succeed; its output."""
    done = attempt(*command, **variables)
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def build(folder: Path, *options: str, flags: str = "", targets: tuple[str, ...] = ()) -> Path:
    """Builds the library and the tests (or some targets) with extra compiler flags; the folder."""
    kind = "Debug" if flags else "Release"
    call(
        CMAKE, "-S", SOURCES, "-B", folder, f"-DCMAKE_BUILD_TYPE={kind}", "-DONNX_ACTS_TESTS=ON",
        f"-DCMAKE_CXX_FLAGS={flags}", "-DONNX_ACTS_CUDA=OFF",
        f"-DPython_EXECUTABLE={sys.executable}", *options,
    )  # fmt: skip
    chosen = ["--target", *targets] if targets else []
    call(CMAKE, "--build", folder, "--parallel", "2", *chosen)
    return folder


def ctest(folder: Path, *options: str, **variables: str) -> str:
    """Runs the C++ tests of a build, all of which must pass; what CTest said."""
    program = Path(CMAKE).with_name("ctest")
    return call(program, "--test-dir", folder, "--output-on-failure", *options, **variables)


def python_tests(library: Path, *names: str, **variables: str) -> str:
    """Runs files of Python tests, without the slow ones, on a library; all must pass.

    They are those of the native rooms and, where these have none of a name, of the room of ONNX
    Runtime.
    """
    paths = {path.stem: path for path in (ROOT / "tests" / "ort").glob("test_*.py")}
    paths |= {path.stem: path for path in (ROOT / "tests" / "native").glob("*/test_*.py")}
    files = [paths[f"test_{name}"] for name in names]
    options = ["-q", "-p", "no:cacheprovider", "-m", "not slow"]
    variables["ONNX_ACTS_LIBRARY"] = str(library)
    return call(sys.executable, "-m", "pytest", *options, *files, **variables)


def soak(
    folder: Path,
    cases: Path,
    threads: int,
    seconds: int,
    intra_op: int,
    start: tuple[str, ...] = (),
    **variables: str,
) -> str:
    """Runs the program `soak` of a build, with `start` before it, on this environment's runtime."""
    found = sorted(Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*"))
    numbers = [str(number) for number in (threads, seconds, intra_op)]
    program = folder / "tests" / "soak"
    return call(*start, program, found[0], folder / LIBRARY, cases, *numbers, **variables)
