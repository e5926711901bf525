"""`accelerate`: standard nodes, element types, subgraphs, functions, and what stays as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import pytest
from numpy.testing import assert_array_equal
from onnx import TensorProto, helper, numpy_helper

import onnx_acts
from onnx_acts.conformance.compare import ulp_error
from onnx_acts.definition import reference
from onnx_acts.definition.nodes import read_attributes
from onnx_acts.definition.specs import spec_of
from onnx_acts.files.saving import save_model
from onnx_acts.files.structure import walk_graphs
from onnx_acts.graph import accelerate, accelerate_counted
from onnx_acts.graph.accelerate import accelerate_reported
from tests.graph.models import operators, parsed, run, values
from tests.helpers import ALL

SLOPE = "T[3,1] w = {-0.5, 0.25, 2}"
TENTH, SEVENTH = float(np.float32(0.1)), float(np.float32(0.7))
NODES: dict[str, tuple[str, str, dict[str, float]]] = {
    "Relu": ("y = Relu (x)", "ReLU", {}),
    "LeakyRelu": (
        "y = LeakyRelu <alpha = 0.1> (x)",
        "LeakyReLU",
        {"alpha": TENTH},
    ),
    "LeakyRelu, default": ("y = LeakyRelu (x)", "LeakyReLU", {"alpha": float(np.float32(0.01))}),
    "PRelu": ("y = PRelu (x, w)", "PReLU", {}),
    "Elu": ("y = Elu <alpha = 0.7> (x)", "ELU", {"alpha": SEVENTH}),
    "Elu, default": ("y = Elu (x)", "ELU", {"alpha": 1.0}),
}
WITHOUT_KERNEL = {
    "float16": set(),
    "bfloat16": {"ReLU", "LeakyReLU", "PReLU", "ELU"},
    "float32": set(),
    "float64": {"LeakyReLU", "PReLU", "ELU"},
}


def build(name: str, dtype: str = "float32", **options: Any) -> onnx.ModelProto:
    """A model of one standard node."""
    return parsed(NODES[name][0], dtype, constants=SLOPE if name == "PRelu" else "", **options)


@pytest.mark.parametrize("dtype", WITHOUT_KERNEL)
@pytest.mark.parametrize("name", NODES)
def test_node(name: str, dtype: str) -> None:
    """Asked for, every standard node becomes its operator, with its attributes."""
    _, operator, attributes = NODES[name]
    result = accelerate(build(name, dtype, opset=22), ops=ALL)
    onnx.checker.check_model(result, full_check=True)
    (node,) = result.graph.node
    assert (node.domain, node.op_type) == ("onnx_acts", operator)
    assert read_attributes(node) == attributes


@pytest.mark.parametrize("dtype", WITHOUT_KERNEL)
@pytest.mark.parametrize("name", NODES)
def test_default(name: str, dtype: str) -> None:
    """By default PReLU and ELU; and, of every type, what ONNX Runtime could not load."""
    _, operator, _ = NODES[name]
    for ops in ((), ("PReLU", "RReLU", "ELU")):
        model = build(name, dtype, opset=22)
        result = accelerate(model, ops=ops)
        if operator in ops or operator in WITHOUT_KERNEL[dtype]:
            assert operators(result) == [f"onnx_acts::{operator}"]
            onnx_acts.session(result, accelerated=False)
        else:
            assert result == model


def test_default_argument() -> None:
    """The default of `ops` is PReLU, RReLU and ELU."""
    changed = {name for name in NODES if accelerate(build(name)) != build(name)}
    assert changed == {"PRelu", "Elu", "Elu, default"}


@pytest.mark.parametrize("accelerated", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", NODES)
def test_numbers(name: str, dtype: str, accelerated: bool) -> None:
    """The reference's numbers, and the old model's but for its own error."""
    _, operator, attributes = NODES[name]
    model, x = build(name, dtype), values(dtype)
    inputs = [x, np.array([[-0.5], [0.25], [2]], dtype)] if operator == "PReLU" else [x]
    exact = reference.exact(spec_of(operator), inputs, attributes)[0]
    result = accelerate(model, ops=ALL)
    new = onnx_acts.session(result, accelerated=accelerated).run(None, {"x": x})[0]
    promise = spec_of(operator).promise
    limit = (promise.kernel if accelerated else promise.body)[dtype]
    rounded = reference.rounded(exact, np.dtype(dtype))
    is_number = np.isfinite(rounded)
    assert ulp_error(new[is_number], exact[is_number]).max() <= limit
    assert_array_equal(new[~is_number], rounded[~is_number])
    tolerance = 4 * float(np.finfo(dtype).eps) if operator == "ELU" else 0
    np.testing.assert_allclose(run(model, x), new, rtol=tolerance, atol=tolerance)


def test_several() -> None:
    """Each form is counted, and each function is embedded once."""
    model = parsed(
        "a = PRelu (x, w) b = Elu (a) c = Relu (b) d = PRelu (c, w) y = Elu <alpha = 2.0> (d)",
        constants=SLOPE,
    )
    result, counts = accelerate_counted(model)
    assert counts == {"PRelu -> PReLU": 2, "Elu -> ELU": 2}
    assert sorted(function.name for function in result.functions) == ["ELU", "PReLU"]
    x = values("float32")
    np.testing.assert_allclose(run(model, x), run(result, x), rtol=1e-6, atol=1e-6)


def test_integer_prelu() -> None:
    """PRelu of integers has no operator here."""
    model = build("PRelu")
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.elem_type = TensorProto.INT32
    slope = numpy_helper.from_array(np.ones((3, 1), np.int32), "w")
    model.graph.initializer[0].CopyFrom(slope)
    assert accelerate(model, ops=ALL) == model


def test_unknown_type() -> None:
    """A value whose type nothing tells is left alone."""
    model = parsed("h = other.Op (x) k = Elu (h) y = Identity (k)")
    model.opset_import.append(helper.make_opsetid("other", 1))
    assert accelerate(model, ops=ALL) == model


@pytest.mark.parametrize(
    ("x_shape", "slope_shape", "is_replaced"),
    [
        ("N,3,H,W", (3, 1, 1), True),
        ("N,3,H,W", (1,), True),
        ("N,3,H,W", (), True),
        ("N,3,H,W", (1, 3, 1, 1), True),
        ("N,3,H,W", (1, 1, 3, 1, 1), False),  # a dimension more
        ("N,1,H,W", (3, 1, 1), False),  # enlarges x
        ("N,C,H,W", (3, 1, 1), False),  # enlarges x if C = 1
        (None, (3, 1, 1), False),  # rank unknown
        (None, (1,), False),
        (None, (), True),
    ],
)
def test_slope_that_may_enlarge(
    x_shape: str | None, slope_shape: tuple[int, ...], is_replaced: bool
) -> None:
    """A PRelu is replaced where its slope cannot enlarge x."""
    model = parsed("y = PRelu (x, w)", constants="T w = {0.5}", shape=x_shape or "N")
    slope = np.full(slope_shape, 0.5, np.float32)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(slope, "w"))
    model.graph.output[0].type.tensor_type.ClearField("shape")
    if x_shape is None:
        model.graph.input[0].type.tensor_type.ClearField("shape")
    assert bool(accelerate_counted(model)[1]) == is_replaced


def test_symbolic_slope() -> None:
    """A slope that is an input fits where its sizes have the names of x's."""
    for shape, is_replaced in (("C,1", True), ("D,1", False)):
        model = parsed("y = PRelu (x, w)", more_inputs=f", T[{shape}] w", shape="N,C,4")
        assert bool(accelerate_counted(model)[1]) == is_replaced


def test_random_slope() -> None:
    """Torch's old form of RReLU in training keeps its random slopes; only the PRelu changes."""
    model = parsed("w = RandomUniformLike <low = 0.1, high = 0.3> (x) y = PRelu (x, w)")
    assert operators(accelerate(model)) == ["RandomUniformLike", "onnx_acts::PReLU"]


def test_subgraphs() -> None:
    """Branches and loop bodies are processed; equal names in two branches are two values."""
    model = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["": 20]>
        g (float[2,3] x, bool b) => (float[2,3] y, float[4,2,3] z) <int64 four = {4}, bool on = {1}>
        {
            h = If (b) <
                then_branch = t () => (float[2,3] k) { v = Elu (x) k = PRelu (v, w) },
                else_branch = e () => (float[2,3] k) {
                    d = Cast <to = 11> (x)
                    v = Elu (d)
                    k = Cast <to = 1> (v)
                }
            >
            y, z = Loop (four, on, h) <
                body = l (int64 i, bool c, float[2,3] s) => (bool n, float[2,3] r, float[2,3] o)
                {
                    n = Identity (c)
                    e0 = Exp (s)
                    e1 = Sub (e0, one)
                    p = Greater (s, zero)
                    r = Where (p, s, e1)
                    o = PRelu (r, w)
                }
            >
        }""")
    for name, array in (("w", [0.5, 0.25, 2]), ("one", 1), ("zero", 0)):
        model.graph.initializer.append(numpy_helper.from_array(np.array(array, np.float32), name))
    result, counts = accelerate_counted(model)
    assert sum(counts.values()) == 5
    assert counts["where(x > 0, x, exp(x) - 1) -> ELU"] == 1
    onnx.checker.check_model(result, full_check=True)
    found = [n.op_type for g in walk_graphs(result.graph) for n in g.node if n.domain]
    assert sorted(found) == ["ELU", "ELU", "ELU", "PReLU", "PReLU"]
    # The comparison's constant has lost its use in the loop; the slope is still needed there.
    assert [tensor.name for tensor in result.graph.initializer] == ["four", "on", "w"]
    x = np.random.default_rng(3).normal(size=(2, 3)).astype(np.float32)
    loop_free = {"x": x}
    for b in (True, False):
        feed = {**loop_free, "b": np.array(b)}
        old = onnx_acts.session(_without_double_elu(model), accelerated=False).run(None, feed)
        new = onnx_acts.session(result, accelerated=False).run(None, feed)
        for before, after in zip(old, new, strict=True):
            np.testing.assert_allclose(before, after, rtol=1e-6, atol=1e-6)


def _without_double_elu(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model, in which the branch in float64 computes in float32: no float64 Elu runs."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for graph in walk_graphs(copy.graph):
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.name == "to":
                    attribute.i = TensorProto.FLOAT
    return copy


FUNCTIONS = """
    <ir_version: 10, opset_import: ["": 20, "local": 1]>
    g (T[N,3] x) => (T[N,3] y) <float[3] w = {0.5, 0.25, 2}>
    { [first] a = local.Block <scale: float = 0.7> (x)  b = local.Plain (a)  y = local.Block (b) }
    <domain: "local", opset_import: ["": 20, "local": 1]>
    Block <scale: float = 0.5> (x) => (y) { y = local.Activation <alpha: float = @scale> (x) }
    <domain: "local", opset_import: ["": 20]>
    Activation <alpha> (x) => (y) { s = Sigmoid (x) y = Elu <alpha: float = @alpha> (x) }
    <domain: "local", opset_import: ["": 20]>
    Plain (x) => (y) { y = Sin (x) }
"""


def test_functions() -> None:
    """Functions with activations are inlined, with their attributes and defaults; others stay."""
    model = onnx.parser.parse_model(FUNCTIONS.replace("T[", "float["))
    result, counts = accelerate_counted(model)
    assert counts == {"Elu -> ELU": 2}
    alphas = [read_attributes(n)["alpha"] for n in result.graph.node if n.domain == "onnx_acts"]
    assert alphas == [np.float32(0.7), 0.5]
    assert sorted((f.domain, f.name) for f in result.functions) == [
        ("local", "Plain"),
        ("onnx_acts", "ELU"),
    ]
    assert numpy_helper.to_array(result.graph.initializer[0]).tolist() == [0.5, 0.25, 2]
    x = np.random.default_rng(2).normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_allclose(run(model, x), run(result, x), rtol=1e-6, atol=1e-6)


def test_function_types_come_from_the_callers() -> None:
    """A function that two callers use with two types is right for both."""
    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["": 20, "local": 1]>
        g (float[N] x) => (float[N] y)
        { a = local.F (x) d = Cast <to = 11> (a) b = local.F (d) y = Cast <to = 1> (b) }
        <domain: "local", opset_import: ["": 20]>
        F (x) => (y) { y = LeakyRelu <alpha = 0.5> (x) }
    """)
    result, counts = accelerate_counted(model)
    assert counts == {"LeakyRelu -> LeakyReLU": 1}
    assert operators(result) == ["LeakyRelu", "Cast", "onnx_acts::LeakyReLU", "Cast"]
    assert not [function for function in result.functions if function.domain == "local"]


def test_function_that_has_nothing_to_replace() -> None:
    """Functions stay where they hold no activation that is wanted."""
    model = onnx.parser.parse_model(FUNCTIONS.replace("T[", "float[").replace("Elu", "LeakyRelu"))
    assert accelerate(model) == model


def test_inlined_for_nothing() -> None:
    """A function whose activation turns out to have no known type stays a function."""
    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["": 20, "local": 1]>
        g (float[N] x) => (y) { h = local.Unknown (x) y = local.F (h) }
        <domain: "local", opset_import: ["": 20]>
        F (x) => (y) { y = Elu (x) }
    """)
    assert accelerate(model) == model


def test_large_weights_survive_inlining() -> None:
    """Weights, which go round the inliner, come back as they were."""
    model = onnx.parser.parse_model(FUNCTIONS.replace("T[", "float["))
    large = np.arange(5000, dtype=np.float32)
    model.graph.initializer.append(numpy_helper.from_array(large, "large"))
    kept = {tensor.name: tensor for tensor in accelerate(model).graph.initializer}
    assert_array_equal(numpy_helper.to_array(kept["large"]), large)


def test_what_is_kept() -> None:
    """Names, documentation, metadata and other opsets are those of the old model."""
    model = parsed("h = Elu (x) y = other.Op (h)")
    model.opset_import.append(helper.make_opsetid("other", 3))
    model.producer_name, model.doc_string = "somebody", "a model"
    model.graph.doc_string = "a graph"
    model.metadata_props.add(key="author", value="A")
    model.graph.metadata_props.add(key="b", value="B")
    node = model.graph.node[0]
    node.name, node.doc_string = "stage/elu", "the activation"
    node.metadata_props.add(key="source", value="line 3")
    result = accelerate(model)
    new = result.graph.node[0]
    assert (new.op_type, new.name, new.doc_string) == ("ELU", "stage/elu", "the activation")
    assert list(new.input) == ["x"]
    assert list(new.output) == ["h"]
    assert new.metadata_props == node.metadata_props
    for field in ("producer_name", "doc_string", "metadata_props"):
        assert getattr(result, field) == getattr(model, field)
    assert result.graph.doc_string == "a graph"
    assert result.graph.metadata_props == model.graph.metadata_props
    imports = {item.domain: item.version for item in result.opset_import}
    assert imports == {"": 20, "other": 3, "onnx_acts": 1}


def test_stale_type_information_is_removed() -> None:
    """No type is told of a value that is gone."""
    model = parsed("s = Mul (a, x) y = Max (s, x)", constants="T a = {0.5}")
    model.graph.value_info.append(helper.make_tensor_value_info("s", 1, ["N", 3, 4]))
    assert not accelerate(model).graph.value_info


@pytest.mark.parametrize("name", NODES)
def test_twice(name: str) -> None:
    """The second time changes nothing, bodies included."""
    once = accelerate(build(name), ops=ALL)
    again, counts = accelerate_counted(once, ops=ALL)
    assert not counts
    assert again == once


def test_sources(tmp_path: Path) -> None:
    """A path, bytes and a message give the same model."""
    model, path = build("Elu"), tmp_path / "modèle d'essai.onnx"
    save_model(model, path)
    wanted = accelerate(model)
    assert accelerate(path) == wanted
    assert accelerate(str(path)) == wanted
    assert accelerate(path.read_bytes()) == wanted


def test_external_data(tmp_path: Path) -> None:
    """References of a model in memory stay; a model from a path has its data afterwards."""
    model, path = build("PRelu"), tmp_path / "m.onnx"
    onnx.save_model(
        build("PRelu"), path, save_as_external_data=True, location="m.data", size_threshold=0
    )
    light = onnx.load_model(path, load_external_data=False)
    result = accelerate(light)
    assert operators(result) == ["onnx_acts::PReLU"]
    assert result.graph.initializer[0] == light.graph.initializer[0]
    save_model(result, tmp_path / "new.onnx")
    x = values("float32")
    old = run(model, x)
    session = onnx_acts.session(tmp_path / "new.onnx", accelerated=False)
    assert_array_equal(session.run(None, {"x": x})[0], old)
    (tmp_path / "m.data").rename(tmp_path / "moved.data")
    with pytest.raises(ValueError, match=r"'w'.*there is no file .*m\.data"):
        accelerate(path)
    (tmp_path / "moved.data").rename(tmp_path / "m.data")
    assert_array_equal(run(accelerate(path), x), old)


def test_unloaded_constants_are_unknown(tmp_path: Path) -> None:
    """A decomposition whose constant is not loaded is left alone: its value is not known."""
    path = tmp_path / "m.onnx"
    model = parsed("s = Mul (a, x) y = Max (s, x)", constants="T a = {0.5}")
    onnx.save_model(model, path, save_as_external_data=True, location="m.data", size_threshold=0)
    light = onnx.load_model(path, load_external_data=False)
    assert accelerate(light) == light
    assert operators(accelerate(path)) == ["LeakyRelu"]


@pytest.mark.parametrize(
    ("dtype", "needed"), [("float32", 9), ("float16", 9), ("float64", 9), ("bfloat16", 13)]
)
def test_old_opset(dtype: str, needed: int) -> None:
    """Below the bodies' floor a model is refused if it has something to replace."""
    result = accelerate(build("PRelu", dtype, opset=needed))
    assert operators(result) == ["onnx_acts::PReLU"]
    x = values(dtype)
    assert run(result, x).dtype == x.dtype if dtype != "bfloat16" else result.functions
    old = build("PRelu", dtype, opset=needed - 1)
    with pytest.raises(ValueError, match=f"the model has opset {needed - 1}.*{needed} or newer"):
        accelerate(old)
    idle = parsed("y = Sin (x)", dtype, opset=needed - 1)
    assert accelerate(idle) == idle


def test_oldest_opset() -> None:
    """Opset 9 works for float32, the numbers included."""
    model, x = build("PRelu", opset=9), values("float32")
    assert_array_equal(run(accelerate(model), x), run(model, x))


def test_bad_arguments() -> None:
    """Unknown operators, a text for `ops` and things that are no model are refused."""
    with pytest.raises(ValueError, match=r"'PRelu' \(did you mean PReLU\?\); onnx_acts has"):
        accelerate(build("Elu"), ops=("PRelu",))
    with pytest.raises(TypeError, match=r"ops must be a sequence of operators, like \('ELU',\)"):
        accelerate(build("Elu"), ops="ELU")
    with pytest.raises(TypeError, match="expected a path, bytes or a ModelProto, got int"):
        accelerate(3)  # type: ignore[arg-type]  # the point of the test


def test_old_ir_version() -> None:
    """Initializers that old files list as inputs stay constants when the IR version rises."""
    model = build("PRelu", ir_version=3, opset=9, more_inputs=", T[3,1] w")
    result = accelerate(model)
    assert [value.name for value in result.graph.input] == ["x"]
    x = values("float32")
    assert_array_equal(run(result, x), run(model, x))


def test_types_that_were_there_keep_the_body() -> None:
    """Below opset 15 a body serves one type: that of the nodes that a file has, not a new one's."""
    head = '<ir_version: 8, opset_import: ["" : 9]>'
    first = onnx.parser.parse_model(f"{head} g (double[N] x) => (double[N] y) {{ y = Elu(x) }}")
    model = accelerate(first)
    assert model.graph.node[0].domain == "onnx_acts"
    more = onnx.parser.parse_model(f"{head} g (float[N] a) => (float[N] b) {{ b = Elu(a) }}")
    model.graph.node.append(more.graph.node[0])
    model.graph.input.append(more.graph.input[0])
    model.graph.output.append(more.graph.output[0])
    result, report = accelerate_reported(model)
    assert [node.domain for node in result.graph.node] == ["onnx_acts", ""]
    assert [left.reason for left in report.left] == [
        "below opset 15 a function body serves one element type"
    ]
