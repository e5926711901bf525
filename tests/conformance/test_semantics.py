"""The facts marked "(seen)", checked against what is installed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper
from onnx.reference import ReferenceEvaluator

from onnx_acts.conformance.semantics import FACTS, table
from tests.building import ROOT

torch = pytest.importorskip("torch")
functional = torch.nn.functional

Check = Callable[[], bool]
ZEROS = np.array([0.0, -0.0], np.float32)


def model(op_type: str, inputs: dict[str, np.ndarray], **attributes: Any) -> onnx.ModelProto:
    """A model of one standard node."""
    node = helper.make_node(op_type, list(inputs), ["y"], **attributes)
    values = [helper.make_tensor_value_info(n, 1, a.shape) for n, a in inputs.items()]
    graph = helper.make_graph([node], "g", values, [helper.make_tensor_value_info("y", 1, None)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def ort(op_type: str, *arrays: object, **attributes: float) -> np.ndarray:
    """What ONNX Runtime computes."""
    inputs = {f"x{i}": np.asarray(a, np.float32) for i, a in enumerate(arrays)}
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    data = model(op_type, inputs, **attributes).SerializeToString()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)[0]


def ref(op_type: str, *arrays: object, **attributes: float) -> np.ndarray:
    """What onnx.reference computes."""
    inputs = {f"x{i}": np.asarray(a, np.float32) for i, a in enumerate(arrays)}
    with np.errstate(all="ignore"):
        found: Any = ReferenceEvaluator(model(op_type, inputs, **attributes)).run(None, inputs)
        return found[0]


def five(x: Any) -> list[Any]:
    """PyTorch's five functions."""
    return [
        functional.relu(x),
        functional.leaky_relu(x),
        functional.prelu(x, torch.tensor([0.25])),
        functional.rrelu(x),
        functional.elu(x),
    ]


def refused(run: Callable[[], object]) -> bool:
    """Whether a call raises."""
    try:
        run()
    except Exception:
        return True
    return False


def signs(values: object) -> list[bool]:
    """The sign bits."""
    return np.signbit(np.asarray(values)).tolist()


def training_noise() -> bool:
    """PyTorch draws at zero too, and the noise is 1 elsewhere."""
    noise = torch.full((64,), -1.0)
    x = torch.tensor([0.0, 2.0] * 32)
    torch._C._nn.rrelu_with_noise(x, noise, 0.1, 0.3, True)
    drawn, kept = noise[::2], noise[1::2]
    return bool(((drawn >= 0.1) & (drawn < 0.3)).all() and (kept == 1).all())


def torch_zero() -> bool:
    """A negative slope turns +0 into -0 where it is multiplied."""
    x = torch.tensor([0.0])
    multiplied = (functional.leaky_relu(x, -1.0), functional.prelu(x, torch.tensor([-1.0])))
    return all(signs(y) == [True] for y in multiplied) and signs(functional.elu(x, -1.0)) == [False]


def torch_nan_at_zero() -> bool:
    """Zero times infinity or NaN."""
    x = torch.tensor([0.0])
    slopes = (float("inf"), float("nan"))
    return all(functional.prelu(x, torch.tensor([slope])).isnan().item() for slope in slopes)


IMAGE = np.full((2, 3, 4, 5), -1.0, np.float32)
CHANNELS = [1.0, 2.0, 3.0]

CHECKS: dict[tuple[str, str], Check] = {
    ("LeakyReLU's default slope", "pytorch"): lambda: (
        functional.leaky_relu(torch.tensor(-1.0)).item() == -np.float32(0.01)
    ),
    ("LeakyReLU's default slope", "onnx"): lambda: ort("LeakyRelu", [-1])[0] == -np.float32(0.01),
    ("RReLU's slope at test time", "pytorch"): lambda: (
        functional.rrelu(torch.tensor(-1.0).double()).item() == -(1 / 8 + 1 / 3) / 2
    ),
    ("RReLU in training", "pytorch"): training_noise,
    ("RReLU with lower > upper", "pytorch"): lambda: refused(
        lambda: functional.rrelu(torch.ones(2), 0.5, 0.1, training=True)
    ),
    ("PReLU's parameter", "pytorch"): lambda: refused(
        lambda: functional.prelu(torch.ones(3), torch.ones(3))
    ),
    ("PReLU's parameter", "onnx"): lambda: (
        ort("PRelu", [[1], [2]], CHANNELS).shape
        == ref("PRelu", [[1], [2]], CHANNELS).shape
        == (2, 3)
    ),
    ("PReLU's slope (3) on (2, 3, 4, 5)", "pytorch"): lambda: (
        functional.prelu(torch.from_numpy(IMAGE), torch.tensor(CHANNELS))[0, :, 0, 0].tolist()
        == [-1, -2, -3]
    ),
    ("PReLU's slope (3) on (2, 3, 4, 5)", "onnx"): lambda: (
        refused(lambda: ort("PRelu", IMAGE, CHANNELS))
        and ref("PRelu", IMAGE, CHANNELS)[0, :, 0, 0].tolist() == [-1, -2, -3]
    ),
    ("PReLU with an empty slope on x that is not empty", "pytorch"): lambda: refused(
        lambda: functional.prelu(torch.ones(2, 1), torch.ones(0))
    ),
    ("PReLU with an empty slope on x that is not empty", "onnx"): lambda: (
        ort("PRelu", [[1], [2]], np.zeros((0,))).size == 0
    ),
    ("x = 0", "pytorch"): torch_zero,
    ("slope inf or NaN at x = 0", "pytorch"): torch_nan_at_zero,
    ("slope inf or NaN at x = 0", "onnx"): lambda: (
        ort("PRelu", [0, 0], [np.inf, np.nan]).tolist() == [0, 0]
    ),
    ("-0.0 in ReLU", "pytorch"): lambda: (
        signs(functional.relu(torch.from_numpy(ZEROS))) == [False, True]
    ),
    ("-0.0 in ReLU", "onnx"): lambda: (
        (signs(ort("Relu", ZEROS)), signs(ref("Relu", ZEROS))) == ([False, True], [False, False])
    ),
    ("±0.0 in ELU with alpha = -1", "pytorch"): lambda: (
        signs(functional.elu(torch.from_numpy(ZEROS), -1.0)) == [False, True]
    ),
    ("±0.0 in ELU with alpha = -1", "onnx"): lambda: (
        signs(ort("Elu", ZEROS, alpha=-1.0)) == [False, True]
        and signs(ref("Elu", ZEROS, alpha=-1.0)) == [True, False]
    ),
    ("ELU near zero", "pytorch"): lambda: (
        functional.elu(torch.tensor(-1e-8)).item() == np.float32(-1e-8)
    ),
    ("ELU near zero", "onnx"): lambda: ort("Elu", [-1e-8])[0] == 0,
    ("NaN", "pytorch"): lambda: all(y.isnan().all() for y in five(torch.full((9,), torch.nan))),
    ("NaN", "onnx"): lambda: (
        all(np.isnan(ort(op, [np.nan] * 9)).all() for op in ("Relu", "LeakyRelu", "Elu"))
        and np.isnan(ort("PRelu", [np.nan] * 9, [0.25])).all()
    ),
    ("-inf with slope 0", "pytorch"): lambda: (
        functional.leaky_relu(torch.tensor(-torch.inf), 0.0).isnan().item()
    ),
    ("-inf with slope 0", "onnx"): lambda: (
        np.isnan(ort("LeakyRelu", [-np.inf], alpha=0.0)).all()
        and np.isnan(ort("PRelu", [-np.inf], [0.0])).all()
    ),
    ("parameter's precision", "pytorch"): lambda: (
        functional.leaky_relu(torch.tensor(-1.0).double(), 0.1).item() == -0.1
    ),
}


@pytest.mark.parametrize(("question", "who"), CHECKS, ids=lambda part: part)
def test_seen_fact_holds(question: str, who: str) -> None:
    """What was seen is still so with the installed versions."""
    assert CHECKS[question, who](), f"{who} no longer answers so: {question}"


def test_every_seen_fact_is_checked() -> None:
    """A fact is marked "(seen)" where there is a check, and only there."""
    assert {(fact.question, who) for fact in FACTS for who in fact.seen} == set(CHECKS)


def test_documentation_shows_the_table() -> None:
    """The table in the documentation is the data."""
    page = ROOT / "docs" / "semantics.md"
    assert table() in page.read_text()
