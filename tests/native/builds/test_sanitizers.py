"""No report of a sanitizer: memory, undefined behaviour and races, fuzzing included."""

from __future__ import annotations

import platform
import re
import subprocess
from pathlib import Path

import pytest

from tests.native.builds.building import (
    EQUAL_BITS,
    LIBRARY,
    attempt,
    build,
    call,
    compiler,
    ctest,
    python_tests,
    soak,
)

pytestmark = pytest.mark.slow

MEMORY = "-fsanitize=address,undefined -fno-sanitize-recover=all -O1 -g1"
RACES = "-fsanitize=thread -O1 -g1"
FUZZ_SECONDS = 7
# A failure aborts, so that a fuzzer can say which input it was; freed memory is kept, but not much.
MEMORY_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:quarantine_size_mb=16",
    "UBSAN_OPTIONS": "print_stacktrace=1:abort_on_error=1",
}
# ONNX Runtime is not instrumented. It hands work to its own threads in ways that the sanitizer does
# not see, so threads_test splits tensors over threads, and here each run stays on its caller.
RACE_OPTIONS = {"TSAN_OPTIONS": "ignore_noninstrumented_modules=1:halt_on_error=1"}
THROUGH_ONNXRUNTIME = ("slopes", "attributes", "draws", "sessions", "provider")


def runtime_library(name: str) -> str:
    """The path of a sanitizer's runtime, which Python must load first."""
    asked = [*compiler(), f"-print-file-name=lib{name}.so"]
    path = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(path).is_absolute():  # the compiler gives back a name that it cannot find
        pytest.skip(f"the C++ compiler has no lib{name}.so")
    return path


def require(folder: Path, flags: str, *start: str, **variables: str) -> None:
    """Skips the test where an empty program does not compile with these flags, or does not run."""
    source, program = folder / "empty.cc", folder / "empty"
    source.write_text("int main() {}\n")
    compile_it = [*compiler(), *flags.split(), str(source), "-o", str(program)]
    for command in (compile_it, [*start, str(program)]):
        done = attempt(*command, **variables)
        if done.returncode != 0:
            reason = (done.stdout.strip() or f"status {done.returncode}").splitlines()[-1]
            pytest.skip(f"a program with {flags} does not work here: {reason}")


@pytest.fixture(scope="module")
def memory_checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build with the address and undefined-behaviour sanitizers."""
    folder = tmp_path_factory.mktemp("memory")
    require(folder, MEMORY, **MEMORY_OPTIONS)
    return build(folder, flags=MEMORY)


@pytest.fixture(scope="module")
def same_addresses() -> tuple[str, ...]:
    """What starts a program without random addresses, which the thread sanitizer may not bear."""
    start = ("setarch", platform.machine(), "-R")
    try:  # some containers have the command and forbid it
        return start if attempt(*start, "true").returncode == 0 else ()
    except FileNotFoundError:
        return ()


@pytest.fixture(scope="module")
def race_checked(tmp_path_factory: pytest.TempPathFactory, same_addresses: tuple[str, ...]) -> Path:
    """A build with the thread sanitizer, of the programs that have threads."""
    folder = tmp_path_factory.mktemp("races")
    require(folder, RACES, *same_addresses, **RACE_OPTIONS)
    targets = ("onnx_acts_ops", "threads_test", "soak")
    return build(folder, flags=RACES, targets=targets)


def test_memory_in_cpp_tests(memory_checked: Path) -> None:
    """Every C++ test, among them those in which allocations and calls fail; no leak."""
    said = ctest(memory_checked, "--exclude-regex", "fuzz", **MEMORY_OPTIONS)
    assert re.search(r"100% tests passed out of \d\d", said), said


@pytest.mark.parametrize("target", ["slopes", "kernel", "device"])
def test_fuzzing(target: str, memory_checked: Path) -> None:
    """Random shapes, slopes and attributes; `fuzz_TARGET 0 NUMBER` repeats an input that fails."""
    program = memory_checked / "tests" / f"fuzz_{target}"
    said = call(program, str(FUZZ_SECONDS), **MEMORY_OPTIONS)
    print(said)
    assert re.fullmatch(r"[1-9]\d* inputs\n", said)


def test_memory_on_onnxruntime(memory_checked: Path, cases: Path) -> None:
    """Models of every operator on the real runtime, opened, run and closed by C++; no leak."""
    said = soak(memory_checked, cases, 8, seconds=5, intra_op=2, start=(), **MEMORY_OPTIONS)
    print(said)
    assert re.search(EQUAL_BITS, said)


def test_memory_in_python_tests(memory_checked: Path) -> None:
    """The library inside ONNX Runtime inside Python, whose own leaks do not count."""
    options = MEMORY_OPTIONS | {"ASAN_OPTIONS": "detect_leaks=0"}
    preloaded = f"{runtime_library('asan')}:{runtime_library('ubsan')}"
    library, files = memory_checked / LIBRARY, THROUGH_ONNXRUNTIME
    said = python_tests(library, *files, LD_PRELOAD=preloaded, **options)
    assert re.search(r"\b[1-9]\d\d passed", said), said


def test_races_between_threads_of_one_tensor(
    race_checked: Path, same_addresses: tuple[str, ...]
) -> None:
    """Threads share kernels, and split their tensors over more threads."""
    said = call(*same_addresses, race_checked / "tests" / "threads_test", **RACE_OPTIONS)
    assert "ThreadSanitizer" not in said


def test_races_on_onnxruntime(
    race_checked: Path, cases: Path, same_addresses: tuple[str, ...]
) -> None:
    """Threads share sessions of every operator on the real runtime."""
    start = same_addresses
    said = soak(race_checked, cases, 8, seconds=5, intra_op=1, start=start, **RACE_OPTIONS)
    print(said)
    assert re.search(EQUAL_BITS, said)
