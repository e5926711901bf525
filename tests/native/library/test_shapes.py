"""What reads a shape after a native operator sees the one that it sees without the library."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest

import onnx_acts
from onnx_acts.graph import accelerate_counted

# Text graphs from x to y (opset 17), and x's shape. "?" is a size of which the model says nothing.
GRAPHS: dict[str, tuple[str, tuple[int, ...]]] = {
    "Shape": ("(float[?,?] x) => (int64[2] y) { a = Elu (x) y = Shape (a) }", (2, 3)),
    "Shape, one named": ("(float[N,?] x) => (int64[2] y) { a = Elu (x) y = Shape (a) }", (2, 3)),
    "Shape, all named": ("(float[N,M] x) => (int64[2] y) { a = Elu (x) y = Shape (a) }", (2, 3)),
    "Shape, minus one": ("(float[-1,3] x) => (int64[2] y) { a = Elu (x) y = Shape (a) }", (2, 3)),
    "Shape, no rank": ("(float[] x) => (int64[2] y) { a = Elu (x) y = Shape (a) }", (2, 3)),
    "Size": ("(float[?,3] x) => (int64 y) { a = Elu (x) y = Size (a) }", (2, 3)),
    "Reshape": (
        "(float[?,6] x) => (float[R,4] y) <int64[2] s = {-1, 4}>"
        " { a = Elu (x) y = Reshape (a, s) }",
        (2, 6),
    ),
    "Reshape by Shape": (
        "(float[?,?] x) => (float[R] y) <int64[1] f = {-1}>"
        " { a = Elu (x) s = Shape (a) b = Reshape (a, f) c = Reshape (b, s) y = Reshape (c, f) }",
        (2, 6),
    ),
    "Expand": (
        "(float[?,3,?] x) => (float[A,B,C] y) { a = Elu (x) s = Shape (a) y = Expand (x, s) }",
        (2, 3, 4),
    ),
    "Slice from the end": (
        "(float[?,?] x) => (float[A,B] y) <int64[1] f = {-1}, int64[1] t = {9}, int64[1] d = {0}>"
        " { a = Elu (x) y = Slice (a, f, t, d) }",
        (2, 3),
    ),
    "Add": (
        "(float[?,?] x) => (float[2,3] y) <float[2,3] b = {1, 2, 3, 4, 5, 6}>"
        " { a = Elu (x) y = Add (a, b) }",
        (2, 3),
    ),
    "Add that enlarges": (
        "(float[?,?] x) => (float[2,3] y) <float[2,3] b = {1, 2, 3, 4, 5, 6}>"
        " { a = Elu (x) y = Add (a, b) }",
        (1, 3),
    ),
    "Concat": (
        "(float[?,3] x) => (float[A,3] y) { a = Elu (x) y = Concat <axis = 0> (a, x, a) }",
        (2, 3),
    ),
    "Split": (
        "(float[?,4] x) => (float[A,B] y) { a = Elu (x) y, z = Split <axis = 0> (a) }",
        (2, 4),
    ),
    "Pad": (
        "(float[?,4] x) => (float[A,B] y) <int64[4] p = {1, 0, 0, 0}>"
        " { a = Elu (x) y = Pad (a, p) }",
        (2, 4),
    ),
    "MatMul": (
        "(float[?,?] x) => (float[A,B] y) { a = Elu (x) t = Transpose (a) y = MatMul (a, t) }",
        (2, 3),
    ),
    "Conv before": (
        "(float[1,1,H,W] x) => (int64[4] y) <float[1,1,2,2] w = {1, 2, 3, 4}, float[1,1,1] s ="
        " {0.5}> { c = Conv (x, w) a = PRelu (c, s) y = Shape (a) }",
        (1, 1, 7, 9),
    ),
    "chain": (
        "(float[?,?] x) => (int64[2] y) <float s = {0.5}>"
        " { a = Elu (x) b = PRelu (a, s) c = Neg (b) d = Elu (c) y = Shape (d) }",
        (2, 3),
    ),
    "If": (
        "(float[?,?] x) => (int64[2] y) <int64 two = {2}> { a = Elu (x) n = Size (a)"
        " c = Greater (n, two) y = If (c) <"
        " then_branch = t () => (int64[2] p) { b = Elu (a) p = Shape (b) },"
        " else_branch = e () => (int64[2] q) { q = Shape (x) }> }",
        (2, 3),
    ),
    "Loop": (
        "(float[?,?] x) => (int64[2] y) <int64 n = {2}, bool yes = {1}> { r = Loop (n, yes, x) <"
        " body = l (int64 i, bool c, float[?,?] v) => (bool d, float[?,?] w)"
        " { d = Identity (c) w = Elu (v) }> y = Shape (r) }",
        (2, 3),
    ),
}


@pytest.mark.parametrize("optimised", [False, True])
@pytest.mark.parametrize("name", GRAPHS)
def test_shape_after(name: str, optimised: bool) -> None:
    """The same values, sizes included, as ONNX Runtime computes on the file without our nodes."""
    text, shape = GRAPHS[name]
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> g {text}')
    x = np.linspace(-2, 2, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    level = onnxruntime.GraphOptimizationLevel
    options = onnxruntime.SessionOptions()
    if not optimised:
        options.graph_optimization_level = level.ORT_DISABLE_ALL
    faster, counts = accelerate_counted(model)
    assert counts, "nothing is replaced: the test tests nothing"
    wanted = onnx_acts.session(model, accelerated=False).run(["y"], {"x": x})[0]
    got = onnx_acts.session(faster, session_options=options).run(["y"], {"x": x})[0]
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_names_of_sizes_are_kept() -> None:
    """Where every size is a number or has a name, the output has them."""
    text = "(float[N,3,M] x) => (float[A,B,C] y) { a = Elu (x) y = Identity (a) }"
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> g {text}')
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    model.graph.output[0].type.tensor_type.ClearField("shape")
    (output,) = onnx_acts.session(onnx_acts.accelerate(model)).get_outputs()
    assert output.shape == ["N", 3, "M"]
