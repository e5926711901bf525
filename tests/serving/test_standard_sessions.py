"""`session(standard=True)`: unchanged models on the native kernels, by provider or rewritten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import onnx_acts
from onnx_acts.ort import provider
from onnx_acts.ort.provider import PROVIDER
from onnx_acts.ort.sessions import CPU, CUDA
from onnx_acts.serving.placement import NodePlacement
from tests.standard_models import network

X = np.random.default_rng(3).standard_normal((2, 4, 8, 8)).astype(np.float32)
CAN = not onnx_acts.provider_error()
PLACE = PROVIDER if CAN else CPU
NAME = "PRelu" if CAN else "PReLU"


@pytest.fixture
def old_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime says that it is 1.23.2."""
    monkeypatch.setattr(onnxruntime, "__version__", "1.23.2")


def prelu() -> onnx.ModelProto:
    """A small network with two PRelu."""
    return network("PRelu", slope=True)


def test_sources_and_values(tmp_path: Path) -> None:
    """A path, bytes and a ModelProto; the bits of the accelerated file."""
    model, path = prelu(), tmp_path / "theirs.onnx"
    onnx.save_model(model, path)
    before = path.read_bytes()
    (want,) = onnx_acts.session(onnx_acts.accelerate(model)).run(None, {"x": X})
    for source in (path, str(path), model.SerializeToString(), model):
        opened = onnx_acts.session(source, standard=True)
        assert (PROVIDER in opened.get_providers()) == CAN
        assert opened.run(None, {"x": X})[0].tobytes() == want.tobytes()
    assert path.read_bytes() == before


def test_placement() -> None:
    """It shows the standard activations, where they ran, and no copies."""
    found = onnx_acts.placement(prelu(), standard=True)
    assert found == [NodePlacement(name, NAME, PLACE, ()) for name in ("first", "second")]
    assert onnx_acts.placement(prelu()) == [], "without it, our own nodes alone"


@pytest.mark.usefixtures("old_runtime")
def test_older_runtime(tmp_path: Path) -> None:
    """The model is rewritten in memory, weights beside the file too; the reason can be asked."""
    assert onnx_acts.provider_error() == "it needs ONNX Runtime 1.24 or newer, this is 1.23.2"
    path = tmp_path / "theirs.onnx"
    onnx.save_model(prelu(), path, save_as_external_data=True, size_threshold=0)
    opened = onnx_acts.session(path, standard=True)
    assert opened.get_providers() == [CPU]
    (want,) = onnx_acts.session(onnx_acts.accelerate(prelu())).run(None, {"x": X})
    assert opened.run(None, {"x": X})[0].tobytes() == want.tobytes()
    found = onnx_acts.placement(prelu(), standard=True)
    assert [(node.operator, node.provider) for node in found] == [("PReLU", CPU)] * 2


@pytest.mark.usefixtures("old_runtime")
def test_register_provider_in_an_older_runtime() -> None:
    """Both versions and the way out stand in the message."""
    with pytest.raises(RuntimeError, match=r"1\.24 or newer, this is 1\.23\.2; .*accelerate"):
        onnx_acts.register_provider()


@pytest.mark.parametrize("version", ["1.24.0", "1.30.1", "2.0.0", "1.32.0.dev20261001"])
def test_newer_runtimes(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions are compared as numbers."""
    monkeypatch.setattr(onnxruntime, "__version__", version)
    monkeypatch.setattr(onnxruntime, "register_execution_provider_library", None, raising=False)
    assert onnx_acts.provider_error() == ""


def test_options_may_be_shared() -> None:
    """The caller's options are used, and may be handed in again."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for _ in range(2):
        opened = onnx_acts.session(prelu(), session_options=options, standard=True)
        assert opened.get_session_options().intra_op_num_threads == 1


def test_contradiction() -> None:
    """Native kernels and none are not to be had together."""
    with pytest.raises(ValueError, match="standard=True asks for the native kernels"):
        onnx_acts.session(prelu(), standard=True, accelerated=False)


def test_other_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """With CUDA the model is rewritten: our provider is for the CPU alone."""
    seen = []
    monkeypatch.setattr(
        "onnx_acts.serving.sessions.sessions.session",
        lambda model, **more: seen.append((model, more["providers"])),
    )
    onnx_acts.session(prelu(), standard=True, providers=[CUDA, CPU])
    ((model, providers),) = seen
    assert providers == [CUDA, CPU]
    assert [node.op_type for node in model.graph.node].count("PReLU") == 2


@pytest.mark.skipif(not CAN, reason="this runtime cannot use the provider")
def test_damaged_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ONNX Runtime's reason and the path are in the message."""
    path = tmp_path / "damaged.so"
    path.write_bytes(b"garbage")
    monkeypatch.setenv("ONNX_ACTS_LIBRARY", str(path))
    monkeypatch.setattr(provider, "_devices", list)
    with pytest.raises(RuntimeError, match=r"could not register .*damaged\.so as an execution"):
        onnx_acts.register_provider()
