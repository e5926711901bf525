"""The native tests run without a report under the address and undefined-behaviour sanitizers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.building import CMAKE

ROOT = Path(__file__).resolve().parents[2]
FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=all -O1"
THROUGH_ONNXRUNTIME = ("slopes", "attributes", "draws", "sessions")


def run(*command: str | Path, **variables: str) -> None:
    """Runs a command, which must succeed."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]


def runtime_library(name: str) -> str:
    """The path of a sanitizer's runtime, which Python must load first."""
    asked = ["c++", f"-print-file-name=lib{name}.so"]
    path = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(path).is_absolute():  # the compiler gives back a name that it cannot find
        pytest.skip(f"the C++ compiler has no lib{name}.so")
    return path


@pytest.mark.slow
def test_no_reports(tmp_path: Path) -> None:
    """The C++ tests, and the library inside ONNX Runtime; Python's own leaks do not count."""
    preloaded = f"{runtime_library('asan')}:{runtime_library('ubsan')}"
    options = ("-DCMAKE_BUILD_TYPE=Debug", f"-DCMAKE_CXX_FLAGS={FLAGS}", "-DONNX_ACTS_TESTS=ON")
    python = f"-DPython_EXECUTABLE={sys.executable}"
    run(CMAKE, "-S", ROOT / "custom_ops", "-B", tmp_path, *options, python)
    run(CMAKE, "--build", tmp_path, "--parallel", "2")
    run(Path(CMAKE).with_name("ctest"), "--test-dir", tmp_path, "--output-on-failure")
    tests = [f"tests/native/test_{name}.py" for name in THROUGH_ONNXRUNTIME]
    run(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests),
        LD_PRELOAD=preloaded,
        ASAN_OPTIONS="detect_leaks=0",
        ONNX_ACTS_LIBRARY=str(tmp_path / "libonnx_acts_ops.so"),
    )
