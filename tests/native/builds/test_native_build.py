"""The native library builds without a warning, passes its C++ tests and shows its entries alone."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.native.builds.building import (
    LIBRARY,
    SOURCES,
    build,
    call,
    clang_compiler,
    compiler,
    ctest,
    python_tests,
)

VALUE_TESTS = ("values", "slopes", "draws", "attributes", "sessions")
HEADER_FOLDERS = ["/usr/include/onnxruntime", "/usr/local/include/onnxruntime"]
# Registers and instructions that no processor below a level has: AVX code is written with
# instructions that begin with "v".
ABOVE_V2 = r"\t(v[a-z]\w*)\b|%[yz]mm|%k[0-7]\b"
ABOVE_V3 = r"%zmm|%k[0-7]\b|%[xy]mm(1[6-9]|2\d|3[01])\b"


@pytest.fixture(scope="module")
def clang(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library as Clang builds it, the C++ tests, and records of what it made of each loop."""
    folder, flags = tmp_path_factory.mktemp("clang"), "-fsave-optimization-record"
    return build(folder, f"-DCMAKE_CXX_COMPILER={clang_compiler()}", f"-DCMAKE_CXX_FLAGS={flags}")


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.slow) for name in ("release", "clang")]
)
def built(request: pytest.FixtureRequest) -> Path:
    """The library and the C++ tests: by the compiler that CMake takes, and by Clang."""
    folder = request.getfixturevalue(request.param)
    assert isinstance(folder, Path)
    return folder


def instructions(path: Path) -> list[str]:
    """The disassembly of an object or a library, a line for each instruction."""
    lines = call("objdump", "-d", "--no-show-raw-insn", path).splitlines()
    return [line for line in lines if re.match(r"\s*[0-9a-f]+:\t", line)]


def level_object(build: Path, level: str) -> Path:
    """The loops of an instruction-set level."""
    path = build / f"CMakeFiles/onnx_acts_loops_{level}.dir/cpu/loop_cpu.cc.o"
    if platform.machine() != "x86_64":
        pytest.skip("not an x86-64 processor")
    assert path.exists(), path
    return path


def test_cpp_tests_pass(built: Path) -> None:
    """The parts by themselves, and the whole on a runtime in which everything fails in turn."""
    said = ctest(built)
    assert re.search(r"100% tests passed out of 1\d\d", said), said


def test_exports_its_entries(built: Path) -> None:
    """Nothing else can collide with other libraries in the process."""
    names = call("nm", "-D", "--defined-only", built / LIBRARY)
    assert sorted(line.split()[-1] for line in names.splitlines()) == [
        "CreateEpFactories",
        "OnnxActsInfo",
        "RegisterCustomOps",
        "ReleaseEpFactory",
    ]


def test_instruction_sets_share_nothing(built: Path) -> None:
    """The object of each level defines its table and no weak symbol, and calls only the C library.

    A weak (inline) function could be kept from the AVX-512 object for every processor.
    """
    objects = sorted(built.glob("CMakeFiles/onnx_acts_loops_*.dir/cpu/loop_cpu.cc.o"))
    assert objects
    for path in objects:
        symbols = [line.split()[-2:] for line in call("nm", path).splitlines()]
        defined = [name for kind, name in symbols if kind.isupper() and kind != "U"]
        assert len(defined) == 1, defined
        assert re.search(r"kLoops_\w+$", defined[0])
        undefined = {name for kind, name in symbols if kind == "U"}
        assert undefined <= {"memcpy", "memset", "memmove", "_GLOBAL_OFFSET_TABLE_"}


def test_older_processors_meet_no_newer_code(built: Path) -> None:
    """Code above the lowest level is in the loops of the higher levels alone.

    The library's own startup code and the C++ runtime inside it count too.
    """
    v2, v3, v4 = (level_object(built, level) for level in ("v2", "v3", "v4"))
    host = sorted(built.glob("CMakeFiles/onnx_acts_host.dir/*/*.o"))
    assert len(host) > 4
    for path in [*host, v2]:
        assert not [line for line in instructions(path) if re.search(ABOVE_V2, line)], path
    assert not [line for line in instructions(v3) if re.search(ABOVE_V3, line)]

    def above_v2(path: Path) -> int:
        return sum(re.search(ABOVE_V2, line) is not None for line in instructions(path))

    assert min(above_v2(v3), above_v2(v4)) > 1000
    assert above_v2(built / LIBRARY) == above_v2(v3) + above_v2(v4)


@pytest.mark.slow
@pytest.mark.parametrize("level", ["v2", "v3"])
def test_values_at_lower_levels(level: str, built: Path) -> None:
    """Whole files of tests where the library serves an older processor."""
    level_object(built, level)
    said = python_tests(built / LIBRARY, *VALUE_TESTS, ONNX_ACTS_ISA=level)
    assert re.search(r"\b[1-9]\d\d passed", said), said


@pytest.mark.slow
def test_values_of_clang(clang: Path) -> None:
    """The same at the level of this processor; the suite runs on another compiler's library."""
    said = python_tests(clang / LIBRARY, *VALUE_TESTS)
    assert re.search(r"\b[1-9]\d\d passed", said), said


@pytest.mark.slow
@pytest.mark.parametrize("level", ["v2", "v3", "v4"])
def test_clang_makes_vector_code(level: str, clang: Path) -> None:
    """Of every loop but the look-up and the stores past the caches, which are wide as they stand.

    What one loop leaves to the next is in the way: 16-bit ELU took ten times as long. (A loop over
    pieces of a block, not elements, is innermost where Clang unrolls what is in it.)
    """
    records = level_object(clang, level).with_suffix(".opt.yaml").read_text().split("\n--- ")
    loops = [record for record in records if "loop-vectorize" in record and "loop_cpu.cc" in record]
    assert sum(record.startswith("!Passed") for record in loops) > 20
    lines = (SOURCES / "cpu" / "loop_cpu.cc").read_text().splitlines()

    def is_over_pieces(record: str) -> bool:
        found = re.search(r"Line: (\d+)", record)
        return found is not None and "at += kPiece" in lines[int(found[1]) - 1]

    missed = [r for r in loops if r.startswith("!Missed") and not is_over_pieces(r)]
    named = {name for name in ("Lookup", "StreamLines") for record in missed if name in record}
    assert len(missed) == len(named) == 2, missed


SAY_LEVEL = (
    "import ctypes, json, sys; library = ctypes.CDLL(sys.argv[1]);"
    "library.OnnxActsInfo.restype = ctypes.c_char_p;"
    "print(json.loads(library.OnnxActsInfo())['isa'])"
)


def emulation(processor: str) -> tuple[str, ...]:
    """What starts a program as if on another processor."""
    emulator = shutil.which("qemu-x86_64") or shutil.which("qemu-x86_64-static")
    if emulator is None:
        pytest.skip("no qemu-x86_64 here (Debian: qemu-user or qemu-user-static)")
    return emulator, "-cpu", processor


@pytest.mark.slow
@pytest.mark.parametrize(
    ("processor", "level"),
    [
        ("qemu64", "None"),
        ("Nehalem", "v2"),
        ("Haswell,-f16c", "v2"),
        ("Haswell,-abm", "v2"),
        ("Haswell", "v3"),
    ],
)
def test_level_on_an_emulated_processor(processor: str, level: str, built: Path) -> None:
    """The best that the processor has in full."""
    start = (*emulation(processor), sys.executable, "-c", SAY_LEVEL)
    assert call(*start, built / LIBRARY, ONNX_ACTS_ISA="").splitlines()[-1] == level


@pytest.mark.slow
@pytest.mark.parametrize("processor", ["Nehalem", "Haswell"])
def test_on_an_emulated_older_processor(processor: str, release: Path) -> None:
    """Nothing is run that the processor lacks."""
    for name in ("failures_test", "threads_test"):
        call(*emulation(processor), release / "tests" / name, ONNX_ACTS_ISA="")


def test_functors_are_scalar() -> None:
    """One element at a time: no pointer, loop, element type or intrinsic in functors.h."""
    text = re.sub(r"//.*", "", (SOURCES / "activations" / "functors.h").read_text())
    for forbidden in (r"[\w>]\*", r"\bfor\b", r"\bwhile\b", r"_mm\d*_", r"\bHalf\b",
                      r"\bBFloat16\b", r"\bnew\b", r"\["):  # fmt: skip
        assert re.search(forbidden, text) is None, forbidden


def test_abi_agrees_with_the_official_header(tmp_path: Path) -> None:
    """Every slot and offset that is declared by hand, where ONNX Runtime's header is at hand."""
    named = os.environ.get("ONNX_ACTS_ORT_INCLUDE")
    folders = [named] if named else HEADER_FOLDERS
    folder = next((f for f in folders if Path(f, "onnxruntime_c_api.h").exists()), None)
    assert folder or not named, f"ONNX_ACTS_ORT_INCLUDE={named}: no onnxruntime_c_api.h there"
    if folder is None:
        pytest.skip("no onnxruntime_c_api.h here: CONTRIBUTING.md says how to get it from Debian")
    check = Path(__file__).parents[1] / "library" / "abi_check.cc"
    flags = (
        "-std=c++17",
        "-fsyntax-only",
        f"-I{SOURCES}",
        f"-I{check.parents[1]}",
        f"-isystem{folder}",
    )
    assert call(*compiler(), *flags, check) == ""
