"""The native library builds without a warning, passes its C++ tests and exports two names."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.building import CMAKE

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "custom_ops"
HEADER_FOLDERS = ["/usr/include/onnxruntime", "/usr/local/include/onnxruntime"]


def call(*command: str | Path) -> str:
    """Runs a command; its output, which a failure shows."""
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete build with tests, warnings as errors."""
    folder = tmp_path_factory.mktemp("native")
    call(
        CMAKE, "-S", SOURCES, "-B", folder, "-DONNX_ACTS_TESTS=ON", "-DONNX_ACTS_WERROR=ON",
        f"-DPython_EXECUTABLE={sys.executable}",
    )  # fmt: skip
    call(CMAKE, "--build", folder, "--parallel", "2")
    return folder


def test_cpp_tests_pass(build: Path) -> None:
    """Functors, 16-bit conversions, Philox and slopes."""
    print(call(Path(CMAKE).with_name("ctest"), "--test-dir", build, "--output-on-failure"))


def test_exports_two_names(build: Path) -> None:
    """Nothing else can collide with other libraries in the process."""
    names = call("nm", "-D", "--defined-only", build / "libonnx_acts_ops.so")
    assert sorted(line.split()[-1] for line in names.splitlines()) == [
        "OnnxActsInfo",
        "RegisterCustomOps",
    ]


def test_instruction_sets_share_nothing(build: Path) -> None:
    """The object of each level defines its table and no weak symbol, and calls only the C library.

    A weak (inline) function could be kept from the AVX-512 object for every processor.
    """
    objects = sorted(build.glob("CMakeFiles/onnx_acts_loops_*.dir/loop_cpu.cc.o"))
    assert objects
    for path in objects:
        symbols = [line.split()[-2:] for line in call("nm", path).splitlines()]
        defined = [name for kind, name in symbols if kind.isupper() and kind != "U"]
        assert len(defined) == 1, defined
        assert re.search(r"kLoops_\w+$", defined[0])
        undefined = {name for kind, name in symbols if kind == "U"}
        assert undefined <= {"memcpy", "memset", "memmove", "_GLOBAL_OFFSET_TABLE_"}


def test_functors_are_scalar() -> None:
    """One element at a time: no pointer, loop, element type or intrinsic in functors.h."""
    text = re.sub(r"//.*", "", (SOURCES / "functors.h").read_text())
    for forbidden in (r"[\w>]\*", r"\bfor\b", r"\bwhile\b", r"_mm\d*_", r"\bHalf\b",
                      r"\bBFloat16\b", r"\bnew\b", r"\["):  # fmt: skip
        assert re.search(forbidden, text) is None, forbidden


def test_abi_agrees_with_the_official_header(tmp_path: Path) -> None:
    """Every slot and offset of ort_abi.h, where ONNX Runtime's header is installed."""
    folder = next((f for f in HEADER_FOLDERS if Path(f, "onnxruntime_c_api.h").exists()), None)
    if folder is None:
        pytest.skip("no onnxruntime_c_api.h here (Debian 13: libonnxruntime-dev)")
    check = Path(__file__).parent / "abi_check.cc"
    call("c++", "-std=c++17", "-fsyntax-only", f"-I{SOURCES}", f"-isystem{folder}", check)
