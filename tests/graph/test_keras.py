"""What Keras's export makes of its activations is recognised; it is made while the tests run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from onnx_acts.graph import accelerate_reported
from tests.graph.models import OF_CELU, operators, run_unfused
from tests.helpers import ALL
from tests.packages import unpacked

pytestmark = pytest.mark.slow  # Keras with PyTorch exports 70 files first

KERAS = "keras==3.15.1"
NEEDED = (
    "absl-py==2.5.1",
    "h5py==3.16.0",
    "markdown-it-py==4.3.0",
    "mdurl==0.1.2",
    "namex==0.1.0",
    "optree==0.20.0",
    "rich==15.0.0",
)
"""What Keras asks for and this environment does not have."""

PRELU = "relu(x) + w*relu(-x) -> PReLU"
REPLACED = {
    "PReLU": {PRELU: 1},
    "PReLU, shared": {PRELU: 1},
    "PReLU, of rows": {PRELU: 1},
    "PReLU, of one slope": {"relu(x) + a*relu(-x) -> LeakyReLU": 1},
    "PReLU, as it starts": {"Relu -> ReLU": 2},  # slopes of 0: NaN for infinity, where ReLU has 0
    "LeakyReLU": {"LeakyRelu -> LeakyReLU": 1},
    "LeakyReLU, 0.1": {"LeakyRelu -> LeakyReLU": 1},
    "ReLU": {"Relu -> ReLU": 1},
    "ReLU, slope": {"LeakyRelu -> LeakyReLU": 1},
    "ReLU, threshold": {},
    "ReLU, maximum": {},
    "ReLU, maximum and slope": {"Relu -> ReLU": 1},  # of -x: a part of it
    "ReLU, all": {"Relu -> ReLU": 1},
    "ELU": {"Elu -> ELU": 1},
    "ELU, 0.5": {"Elu -> ELU": 1},
    "relu": {"Relu -> ReLU": 1},
    "leaky_relu": {"LeakyRelu -> LeakyReLU": 1},
    "elu": {"Elu -> ELU": 1},
    "celu": {"celu(x) -> ELU" if OF_CELU == "ELU" else f"Celu -> {OF_CELU}": 1},
}
"""By default with all operators; with `approximate` the same but for one."""

NEAR = {"float16": 8e-3, "float32": 1e-5, "float64": 1e-5}
"""How near Keras's own values: the exporter's inputs and alpha have 32 bits, and sums of
products round differently."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keras's files, with what Keras computes."""
    result = tmp_path_factory.mktemp("keras")
    program = Path(__file__).with_name("keras_exports.py")
    path = {"PYTHONPATH": str(unpacked(KERAS, *NEEDED))}
    command = [sys.executable, "-W", "ignore", str(program), str(result)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return result


@pytest.mark.parametrize("dtype", NEAR)
@pytest.mark.parametrize("name", REPLACED)
def test_layer(name: str, dtype: str, folder: Path) -> None:
    """What is told is replaced; the values are Keras's, and those of the file.

    Bit for bit, but for what ONNX Runtime's CPU has in float32 only or computes less accurately. In
    float16 it computes chains of nodes in float32, which end at our nodes.
    """
    model, known = (
        onnx.load(folder / f"{name} {dtype}.onnx"),
        np.load(folder / f"{name} {dtype}.npz"),
    )
    feeds = {"": known["x"]}
    for approximate in (False, True):
        result, report = accelerate_reported(model, ops=ALL, approximate=approximate)
        if not approximate or name != "PReLU, as it starts":
            assert report.replaced == REPLACED[name]
        for library in (False, True):
            (got,) = run_unfused(result, feeds, library=library)
            assert_allclose(got, known["y"], rtol=NEAR[dtype], atol=NEAR[dtype])
            if dtype != "float16" and not {"Elu", "Celu", "LeakyRelu"} & set(operators(model)):
                assert_array_equal(got, run_unfused(model, feeds, library=False)[0])


def test_others(folder: Path) -> None:
    """Other activations stay as they are, and nothing is said of them."""
    own = {folder / f"{name} {dtype}.onnx" for name in REPLACED for dtype in NEAR}
    others = set(folder.glob("*.onnx")) - own
    assert len(others) == 16
    for path in others:
        model = onnx.load(path)
        result, report = accelerate_reported(model, ops=ALL, approximate=True)
        assert operators(result) == operators(model)
        assert not report.left
