"""Peak memory: large weights do not enter the process that changes the model around them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from onnx_acts.files.saving import save_model
from tests.graph.test_from_file_to_file import SLOPES, model_of, slope

WEIGHT = 2**20
"""Bytes of one weight."""

COUNT = 128
"""Weights of the large model."""

ALLOWED = 32 * 2**20
"""Bytes by which the peak may pass that of the same work on a small model."""

CHILD = """
import sys
from pathlib import Path
from onnx_acts.cli.main import main
assert main(sys.argv[1:]) == 0
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""
"""Linux's peak of this program alone: `ru_maxrss` would begin with that of the parent."""


def write(path: Path, count: int, sidecar: Path | None) -> None:
    """Writes a model with PRelu and many weights, inside it or in a sidecar."""
    nodes = [helper.make_node("PRelu", ["x", "s"], ["y"])]
    model = model_of(nodes, [slope("s", SLOPES)])
    rng = np.random.default_rng(1)
    for number in range(count):
        data = rng.bytes(WEIGHT)
        tensor = model.graph.initializer.add(name=f"w{number}", dims=[WEIGHT], data_type=2)
        if sidecar is None:
            tensor.raw_data = data
            continue
        with open(sidecar, "ab") as stream:
            entries = {"location": sidecar.name, "offset": stream.tell(), "length": WEIGHT}
            stream.write(data)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=str(value))
    save_model(model, path)


@pytest.fixture(scope="module", params=["inline", "external"])
def models(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Path]]:
    """A large model and a small one like it."""
    folder = tmp_path_factory.mktemp("models")
    for name, count in (("large", COUNT), ("small", 1)):
        sidecar = folder / f"{name}.data" if request.param == "external" else None
        write(folder / f"{name}.onnx", count, sidecar)
    yield folder / "large.onnx", folder / "small.onnx"
    for path in folder.iterdir():
        path.unlink()


def peak(*words: str) -> int:
    """Bytes of memory that a command takes at most, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *words], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1]) * 1024


@pytest.mark.parametrize("command", ["accelerate", "accelerate elsewhere", "lower", "info"])
def test_memory(command: str, models: tuple[Path, Path], tmp_path: Path) -> None:
    """A command takes no more memory for 128 weights than for one."""
    peaks = []
    for model in models:
        folder = tmp_path if "elsewhere" in command else model.parent
        out = folder / f"out-{model.name}"
        words = [command.split(maxsplit=1)[0], str(model)]
        peaks.append(peak(*words, *([] if command == "info" else ["-o", str(out)])))
        out.unlink(missing_ok=True)
    assert peaks[0] < peaks[1] + ALLOWED


SAVING = """
import sys
from pathlib import Path
import onnx
from onnx_acts.files.saving import save_model
def memory(what):
    return int(Path("/proc/self/status").read_text().split(what)[1].split()[0])
model = onnx.ModelProto(ir_version=9)
for number in range(int(sys.argv[2])):
    model.graph.initializer.add(dims=[2**20], data_type=2).raw_data = bytes(2**20)
before = memory("VmRSS:")
save_model(model, sys.argv[1])
print(memory("VmHWM:") - before)
"""


def test_saving(tmp_path: Path) -> None:
    """A model in memory is written without a copy of its weights."""
    words = [sys.executable, "-c", SAVING, str(tmp_path / "m.onnx"), str(COUNT)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < ALLOWED
    assert (tmp_path / "m.onnx").stat().st_size > COUNT * WEIGHT
