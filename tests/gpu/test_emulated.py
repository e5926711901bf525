"""What the CUDA kernels compute, without CUDA: their text compiled for the host.

The emulated library gives the CPU provider the nodes, threads and launches of the CUDA one; a loop
takes the place of the grid. Only CUDA itself is left out.
"""

import itertools
import re
import sys
from pathlib import Path

import onnx
import pytest

from onnx_acts.conformance.cases import GROUPS, cases
from onnx_acts.definition.specs import OPERATORS, SPECS
from tests.helpers import one_node_model
from tests.native.builds.building import call, python_tests

pytestmark = pytest.mark.slow  # a build

NATIVE_TESTS = ("values", "slopes", "draws", "attributes")


@pytest.fixture(scope="module")
def build(release: Path) -> Path:
    """The folder with the libraries of the tests."""
    return release / "tests"


def test_conforms(build: Path) -> None:
    """Every case of the conformance suite, by the promises of the native library."""
    library = str(build / "libemulated_ops.so")
    command = (sys.executable, "-m", "onnx_acts", "conform", "--runtimes", "library")
    text = call(*command, ONNX_ACTS_LIBRARY=library)
    assert "emulated on the host" in text
    parts = [
        (spec, dtype, group)
        for spec, group in itertools.product(OPERATORS, GROUPS)
        for dtype in spec.element_types
        if next(cases(spec, dtype, group), None) is not None
    ]
    assert len(parts) > 100
    assert f"ok: 0 fail, 0 known, {len(parts)} pass" in text


def test_passes_the_native_tests(build: Path) -> None:
    """Every 16-bit value under many parameters, slopes of every shape, draws, attributes."""
    said = python_tests(build / "libemulated_ops.so", *NATIVE_TESTS)
    assert re.search(r"\b[1-9]\d\d passed", said), said


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
    text = call(sys.executable, "-c", BOTH, build / "libboth_providers_ops.so", *paths)
    found = [float(line) for line in text.splitlines()]
    assert found == pytest.approx([0, -0.02, 4, -2 * 11 / 48, -0.8646647], abs=1e-6)
