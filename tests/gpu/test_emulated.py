"""What the CUDA kernels compute, without CUDA: their text compiled for the host.

The emulated library gives the CPU provider the nodes, threads and launches of the CUDA one; a loop
takes the place of the grid. Only CUDA itself is left out.
"""

import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from onnx_acts.specs import SPECS
from tests.building import CMAKE
from tests.helpers import one_node_model

ROOT = Path(__file__).resolve().parents[2]
NATIVE_TESTS = ("values", "slopes", "draws", "attributes")


def run(*command: str | Path, **variables: str) -> str:
    """Runs a command, which must succeed; returns what it printed."""
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
    return done.stdout


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the libraries of the tests."""
    folder = tmp_path_factory.mktemp("emulated")
    options = ("-DONNX_ACTS_CUDA=OFF", "-DONNX_ACTS_TESTS=ON", "-DCMAKE_BUILD_TYPE=Release")
    python = f"-DPython_EXECUTABLE={sys.executable}"
    run(CMAKE, "-S", ROOT / "custom_ops", "-B", folder, *options, python)
    targets = ("emulated_ops", "both_providers_ops")
    run(CMAKE, "--build", folder, "--parallel", "2", "--target", *targets)
    return folder / "tests"


@pytest.mark.slow
def test_conforms(build: Path) -> None:
    """Every case of the conformance suite, by the promises of the native library."""
    library = str(build / "libemulated_ops.so")
    command = (sys.executable, "-m", "onnx_acts.cli", "conform", "--runtimes", "library")
    text = run(*command, ONNX_ACTS_LIBRARY=library)
    assert "emulated on the host" in text
    assert f"ok: 0 fail, 0 known, {4 * 4 * len(SPECS)} pass" in text


@pytest.mark.slow
def test_passes_the_native_tests(build: Path) -> None:
    """Every 16-bit value under many parameters, slopes of every shape, draws, attributes."""
    tests = [f"tests/native/test_{name}.py" for name in NATIVE_TESTS]
    flags = ("-q", "-p", "no:cacheprovider", "-m", "not slow")
    library = str(build / "libemulated_ops.so")
    run(sys.executable, "-m", "pytest", *flags, *tests, ONNX_ACTS_LIBRARY=library)


BOTH = """
import sys
import numpy as np, onnxruntime
for path in sys.argv[2:]:
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(sys.argv[1])
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    feeds = {item.name: np.full((1, 1, 1)[: len(item.shape)], -2.0) for item in inputs}
    print(session.run(None, feeds)[0].ravel()[0])
"""


def test_cpu_sessions_where_cuda_is_registered_too(build: Path, tmp_path: Path) -> None:
    """A runtime without the CUDA provider ignores the operators that are registered for it."""
    paths = []
    for spec in SPECS:
        paths.append(str(tmp_path / f"{spec.name}.onnx"))
        onnx.save_model(one_node_model(spec, "float32", bodies=False), paths[-1])
    text = run(sys.executable, "-c", BOTH, build / "libboth_providers_ops.so", *paths)
    found = [float(line) for line in text.splitlines()]
    assert found == pytest.approx([0, -0.02, 4, -2 * 11 / 48, -0.8646647], abs=1e-6)
