"""Axes of Squeeze and Unsqueeze of which onnx infers a wrong number of dimensions.

What is right is what ONNX Runtime computes; the shapes of the tests are NumPy's.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest

import onnx_acts
from onnx_acts.definition.known import Known
from onnx_acts.files.scopes import Values
from onnx_acts.files.types import scopes, standardise_axes
from onnx_acts.graph import accelerate, lower
from onnx_acts.graph.accelerate import accelerate_reported
from onnx_acts.graph.deciding import Left
from tests.graph.models import Array, operators
from tests.helpers import ALL

Levels = onnxruntime.GraphOptimizationLevel
OPSETS = (9, 10, 11, 12)
SHAPES = ((1, 3, 1, 4), (1, 1), (1,), (2, 1, 1, 1))
Axes = tuple[int, ...]


def parsed(text: str, opset: int = 10, functions: str = "") -> onnx.ModelProto:
    """A model from text."""
    domain = ', "local": 1' if functions else ""
    return onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["": {opset}{domain}]> g {text} {functions}'
    )


def outermost(model: onnx.ModelProto) -> Values:
    """What is known of the values of the graph."""
    return next(scopes(model))[1]


def sizes(numbers: Axes) -> str:
    """A shape or axes in the text syntax."""
    return ",".join(map(str, numbers))


def typed(shape: Axes) -> str:
    """A type in the text syntax, where [] would be an unknown number of dimensions."""
    return f"float[{sizes(shape)}]" if shape else "float"


def ways(rank: int, axes: Axes) -> set[Axes]:
    """The axes in each order, each of them counted from either end."""
    pairs = [(axis, axis - rank) for axis in axes]
    return {way for chosen in itertools.product(*pairs) for way in itertools.permutations(chosen)}


def squeezed() -> list[tuple[Axes, Axes]]:
    """Shapes and axes, in each order and counted from either end."""
    found: list[tuple[Axes, Axes]] = []
    for shape in SHAPES:
        ones = [axis for axis, size in enumerate(shape) if size == 1]
        for count in range(1, len(ones) + 1):
            for axes in itertools.combinations(ones, count):
                found += [(shape, way) for way in sorted(ways(len(shape), axes))]
    return found


def unsqueezed() -> list[tuple[Axes, Axes]]:
    """The same for new axes."""
    found: list[tuple[Axes, Axes]] = []
    for shape in ((), (3,), (3, 4)):
        for count in (1, 2):
            rank = len(shape) + count
            for axes in itertools.combinations(range(rank), count):
                found += [(shape, way) for way in sorted(ways(rank, axes))]
    return found


def run(
    model: onnx.ModelProto,
    feeds: dict[str, Array],
    library: bool = False,
    level: Any = Levels.ORT_DISABLE_ALL,
) -> Array:
    """The first output in ONNX Runtime, which optimises nothing if not asked to."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 4
    session = onnx_acts.session(model, session_options=options, accelerated=library)
    return np.asarray(session.run(None, feeds)[0])


def check(model: onnx.ModelProto, feeds: dict[str, Array], operator: str) -> None:
    """Compares a model with its accelerated form, in each way to run that."""
    result = accelerate(model)
    assert operator in operators(result)
    wanted = run(model, feeds)
    for library in (False, True):
        for level in (Levels.ORT_DISABLE_ALL, Levels.ORT_ENABLE_ALL):
            got = run(result, feeds, library, level)
            np.testing.assert_allclose(got, wanted, rtol=1e-6, strict=True)
    np.testing.assert_allclose(run(lower(result), feeds), wanted, rtol=1e-6, strict=True)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("was_inferred", [False, True])
def test_squeeze(opset: int, was_inferred: bool) -> None:
    """Every order, also where the file has what onnx inferred."""
    for shape, axes in squeezed():
        text = f"({typed(shape)} x) => (y) {{ s = Squeeze<axes=[{sizes(axes)}]>(x)"
        model = parsed(f"{text} y = Neg(s) }}", opset)
        wanted = np.zeros(shape, np.float32).squeeze(axes).shape
        assert run(model, {"x": np.zeros(shape, np.float32)}).shape == wanted
        if was_inferred:
            model = onnx.shape_inference.infer_shapes(model)
        found = outermost(model)
        assert found["s"] == found["y"] == Known("float32", wanted), (shape, axes)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("was_inferred", [False, True])
def test_unsqueeze(opset: int, was_inferred: bool) -> None:
    """The same."""
    for shape, axes in unsqueezed():
        text = f"({typed(shape)} x) => (y) {{ s = Unsqueeze<axes=[{sizes(axes)}]>(x)"
        model = parsed(f"{text} y = Neg(s) }}", opset)
        wanted = np.expand_dims(np.zeros(shape), axes).shape
        assert run(model, {"x": np.zeros(shape, np.float32)}).shape == wanted
        if was_inferred:
            model = onnx.shape_inference.infer_shapes(model)
        found = outermost(model)
        assert found["s"] == found["y"] == Known("float32", wanted), (shape, axes)


def test_one_after_another() -> None:
    """Negative axes count from an end that is known only when those before are understood."""
    model = parsed(
        "(float[3,N] x) => (y) { a = Unsqueeze<axes=[-1,-4]>(x) b = Squeeze<axes=[-1,-4]>(a)"
        " c = Unsqueeze<axes=[-2]>(b) d = Neg(c) y = Squeeze<axes=[-2]>(d) }"
    )
    found = outermost(model)
    assert found["a"] == Known("float32", (1, 3, "N", 1))
    assert found["b"] == found["y"] == Known("float32", (3, "N"))
    assert found["c"] == found["d"] == Known("float32", (3, 1, "N"))


def test_unknown_rank() -> None:
    """No shape rather than a wrong one, and the element type; axes from the front need no rank."""
    model = parsed(
        "(float[] x, int64[K] n) => (y) { r = Reshape(x, n) a = Squeeze<axes=[-1]>(r)"
        " b = Unsqueeze<axes=[-1]>(r) y = Add(a, b) }"
    )
    found = outermost(model)
    assert found["a"] == found["b"] == found["y"] == Known("float32")


def test_branches_and_functions() -> None:
    """In subgraphs as in the graph; a function's axes are understood where they need no rank."""
    model = parsed(
        "(bool c, float[1,3,1] x) => (y, u, v) { y = If (c) <"
        " then_branch = t () => (p) { p = Squeeze<axes=[2,0]>(x) },"
        " else_branch = e () => (q) { q = Squeeze<axes=[-1,-3]>(x) }>"
        " u = local.front (x) v = local.end (x) }",
        functions='<domain: "local", opset_import: ["": 10]> front (a) => (b)'
        " { b = Squeeze<axes=[2,0]>(a) }"
        ' <domain: "local", opset_import: ["": 10]> end (a) => (b)'
        " { b = Squeeze<axes=[-1]>(a) }",
    )
    found = {graph.name: values for graph, values, _ in scopes(model)}
    three = Known("float32", (3,))
    assert found["t"]["p"] == found["e"]["q"] == found["g"]["y"] == found["g"]["u"] == three
    assert found["g"]["v"] == Known("float32")


def test_types_in_the_file() -> None:
    """Element types that only the file knows are kept; its shapes may be wrong ones."""
    model = parsed(
        "(float[1,3,1] x) => (y) <float[1,3] o> { s = Squeeze<axes=[2,0]>(x)"
        " o = other.Unknown(s) y = Neg(o) }"
    )
    model.opset_import.append(onnx.helper.make_opsetid("other", 1))
    before = model.SerializeToString()
    found = outermost(model)
    assert found["s"] == Known("float32", (3,))
    assert found["o"] == found["y"] == Known("float32")
    assert model.SerializeToString() == before, "the model was changed"


def test_written() -> None:
    """Axes in order, the shapes that follow; what is understood stays as it is."""
    model = parsed(
        "(float[1,3,1] x) => (y) { s = Squeeze<axes=[2,0]>(x) u = Unsqueeze<axes=[-1]>(s)"
        " t = Squeeze<axes=[1]>(u) y = Unsqueeze<axes=[1,0]>(t) }"
    )
    model = onnx.shape_inference.infer_shapes(model)
    standardise_axes(model)
    given = [list(node.attribute[0].ints) for node in model.graph.node]
    assert given == [[0, 2], [1], [1], [1, 0]]
    shapes = {
        value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in model.graph.value_info
    }
    assert shapes == {"s": [3], "u": [3, 1]}
    text = "(float[1,3,1] x) => (y) <float[1,9] s> {{ s = Squeeze<axes=[{}]>(x) y = Neg(s) }}"
    model = parsed(text.format("0,2"))
    before = model.SerializeToString()
    standardise_axes(model)
    assert model.SerializeToString() == before, "there was nothing to write"
    model = parsed(text.format("2,0"), 11)
    before = model.SerializeToString()
    standardise_axes(model)
    assert model.SerializeToString() == before, "opset 11 is understood"


SLOPES: tuple[tuple[Axes, str, Axes], ...] = (
    ((1, 1, 3), "Squeeze<axes=[1,0]>", (3,)),
    ((1, 1, 3), "Squeeze<axes=[1,0]>", (2, 3)),
    ((1, 3, 1), "Squeeze<axes=[-1,-3]>", (2, 3)),
    ((1, 1, 3), "Squeeze<axes=[-2,0]>", (3,)),
    ((1, 3, 1), "Squeeze<axes=[-1,0]>", (3,)),
    ((1, 3, 1), "Squeeze<axes=[-3]>", (2, 3, 4)),
    ((3,), "Unsqueeze<axes=[-1]>", (2, 3, 4)),
    ((3,), "Unsqueeze<axes=[-1,-2]>", (3, 2, 4)),
)
"""A slope's shape, what happens to it, and the shape of x."""


@pytest.mark.parametrize("opset", [9, 10])
@pytest.mark.parametrize("was_inferred", [False, True])
@pytest.mark.parametrize("is_constant", [True, False])
@pytest.mark.parametrize(("shape", "step", "x"), SLOPES)
def test_slopes(
    shape: Axes, step: str, x: Axes, is_constant: bool, was_inferred: bool, opset: int
) -> None:
    """A slope fits by the shape that it has; ONNX Runtime is not misled about it, either."""
    slope = f"{typed(shape)} s"
    constants = f"<{slope} = {{0.5, 0.25, 2}}>" if is_constant else ""
    inputs = f"{typed(x)} x" if is_constant else f"{typed(x)} x, {slope}"
    text = f"({inputs}) => (y) {constants} {{ t = {step}(s) a = PRelu(x, t) y = Neg(a) }}"
    model = parsed(text, opset)
    if was_inferred:
        model = onnx.shape_inference.infer_shapes(model)
    feeds = {"x": np.linspace(-2, 2, math.prod(x), dtype=np.float32).reshape(x)}
    if not is_constant:
        feeds["s"] = np.array([0.5, 0.25, 2], np.float32).reshape(shape)
    check(model, feeds, "onnx_acts::PReLU")


@pytest.mark.parametrize("opset", [9, 10])
@pytest.mark.parametrize("was_inferred", [False, True])
@pytest.mark.parametrize(
    ("shape", "step"),
    [
        ((1, 3, 1, 4), "Squeeze<axes=[2,0]>"),
        ((1, 3, 1, 4), "Squeeze<axes=[-2,0]>"),
        ((1, 3, 1, 4), "Squeeze<axes=[-2]>"),
        ((3, 4), "Unsqueeze<axes=[-1]>"),
        ((3, 4), "Unsqueeze<axes=[0,-1]>"),
    ],
)
@pytest.mark.parametrize("last", ["Neg", "Shape"])
def test_activations_of_such_values(
    shape: Axes, step: str, last: str, was_inferred: bool, opset: int
) -> None:
    """A body's constants have as many dimensions as x really has, and Shape says the truth."""
    text = f"({typed(shape)} x) => (y) {{ s = {step}(x) a = Elu(s) y = {last}(a) }}"
    model = parsed(text, opset)
    if was_inferred:
        model = onnx.shape_inference.infer_shapes(model)
    x = np.linspace(-2, 2, 12, dtype=np.float32).reshape(shape)
    check(model, {"x": x}, "onnx_acts::ELU")


def test_body_of_a_scan() -> None:
    """What a body declares of its input, from the same inference, becomes what it gets."""
    text = (
        "(float[2,3] x) => (y) <int64[1] n = {6}>"
        " { a = Elu(x) u = Unsqueeze<axes=[-3]>(a) y = Scan<num_scan_inputs=1,"
        " body = b (float[3] i) => (float[6] o) { o = Reshape(i, n) }>(u) }"
    )
    x = np.linspace(-2, 2, 6, dtype=np.float32).reshape(2, 3)
    check(parsed(text), {"x": x}, "onnx_acts::ELU")


def test_axes_that_cannot_be_counted() -> None:
    """Where the number of dimensions is unknown the file stays: its bodies would ask for it."""
    text = (
        "(float x, float s) => (y) <float o = {{0}}, float k = {{-0.5}}, float i = {{1}}>"
        " {{ n = Shape(x) r = Reshape(x, n) u = Unsqueeze<axes=[0,1]>(r) z = Squeeze<axes=[{}]>(u)"
        " b = Less(z, o) w = Where(b, k, i) a = Mul(z, w) y = Elu(a) }}"
    )
    feeds = {"x": np.array(-2, np.float32), "s": np.array(1, np.float32)}
    model = parsed(text.format("-2"), 9)
    result, report = accelerate_reported(model, ops=ALL)
    assert result == model
    assert not report.replaced
    reason = "ONNX Runtime finds wrong shapes for negative axes below opset 11"
    leaky = Left("LeakyReLU body", "LeakyReLU", reason)  # z * where(z < 0, k, 1)
    assert report.left == {Left("Elu", "ELU", reason): 1, leaky: 1}
    check(parsed(text.format("0"), 9), feeds, "onnx_acts::ELU")


@pytest.mark.parametrize("last", ["Neg", "Shape"])
def test_standard_nodes_pass_wrong_shapes_on(last: str) -> None:
    """Also where only standard nodes are written, the axes are counted from the front."""
    text = (
        "(float[C] x) => (y) <float k = {0.25}, float o = {0}, float i = {1}>"
        " { u = Unsqueeze<axes=[-2]>(x) b = Less(u, o) w = Where(b, k, i) a = Mul(u, w)"
        f" s = Squeeze<axes=[0]>(a) y = {last}(s) }}"
    )
    check(parsed(text, 10), {"x": np.array([-2, 3], np.float32)}, "LeakyRelu")
