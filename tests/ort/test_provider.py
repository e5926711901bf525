"""The execution provider in ONNX Runtime: which standard nodes it takes, and what they compute."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import helper

import onnx_acts
from onnx_acts.definition.specs import ELEMENT_TYPES, Spec, spec_of
from onnx_acts.ort.opsets import newest_opset
from onnx_acts.ort.profiles import executed_nodes
from onnx_acts.ort.provider import PROVIDER, add_provider
from onnx_acts.ort.sessions import CPU
from onnx_acts.ort.values import from_ort, to_ort
from tests.helpers import FIXED, feeds, in_type, one_node_model
from tests.standard_models import CLAIMED, network, standard_model, versions

pytestmark = pytest.mark.skipif(
    bool(onnx_acts.provider_error()), reason=onnx_acts.provider_error() or "none"
)

Array = NDArray[Any]

X = np.concatenate([[np.nan, -0.0, -1e-25, -np.inf], np.linspace(-9, 3, 26)]).reshape(2, 3, 5)
SLOPE = np.array([[0.1], [-0.2], [3.0]])


def run(
    model: onnx.ModelProto, x: Array, folder: Path, claim: str = "default", provided: bool = True
) -> tuple[Array, dict[str, str]]:
    """What a session computes, and the provider of each operator that ran."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.enable_profiling = True
    options.profile_file_prefix = str(folder / "profile")
    if provided:
        add_provider(options, {"claim": claim})
    opened = onnxruntime.InferenceSession(
        model.SerializeToString(), options, enable_fallback=0, **({} if provided else AT_CPU)
    )
    result = from_ort(opened.run_with_ort_values(None, {"x": to_ort(x)})[0])
    nodes = executed_nodes(opened.end_profiling())
    return result, {node.operator: node.provider for node in nodes}


AT_CPU: dict[str, Any] = {"providers": [CPU]}


def slope_of(spec: Spec, dtype: str) -> Array | None:
    """A slope for each channel, for those that have one."""
    return in_type(SLOPE, dtype) if spec.parameter_source == "input" else None


OPSETS = [
    (spec, dtype, opset)
    for spec in CLAIMED
    for dtype in ELEMENT_TYPES
    for opset in versions(spec)
    if spec.standard and spec.standard.since.get(dtype, 99) <= opset >= 7
    if opset <= newest_opset()
]


@pytest.mark.parametrize(
    ("spec", "dtype", "opset"), OPSETS, ids=[f"{s.name}-{d}-{n}" for s, d, n in OPSETS]
)
def test_same_bits_as_the_custom_operator(
    spec: Spec, dtype: str, opset: int, tmp_path: Path
) -> None:
    """Every operator and type, at every version of the operator, on the provider."""
    slope = slope_of(spec, dtype)
    model = standard_model(spec.standard_name, dtype, opset, X.shape, slope)
    got, providers = run(model, in_type(X, dtype), tmp_path, "all")
    assert providers == {spec.standard_name: PROVIDER}
    assert spec.standard is not None
    single: dict[str, Any] = {
        item.name: float(np.float32(item.default)) for item in spec.standard.attributes
    }
    ours = one_node_model(spec, dtype, **single)
    fed = feeds(spec, in_type(X, dtype), in_type(SLOPE, dtype))
    (want,) = onnx_acts.session(ours).run(None, fed)
    assert got.tobytes() == in_type(want, dtype).tobytes()


@pytest.mark.parametrize(
    ("operator", "dtype", "provider"),
    [
        ("PRelu", "float32", PROVIDER),
        ("PRelu", "float16", PROVIDER),
        ("Elu", "float32", PROVIDER),
        ("Elu", "float64", PROVIDER),
        ("LeakyRelu", "float32", CPU),
        ("LeakyRelu", "float64", PROVIDER),
        ("LeakyRelu", "bfloat16", PROVIDER),
        ("Relu", "float32", CPU),
        ("Relu", "float64", CPU),
        ("Relu", "bfloat16", PROVIDER),
    ],
)
def test_what_is_left_to_the_cpu(operator: str, dtype: str, provider: str, tmp_path: Path) -> None:
    """LeakyRelu and Relu, where the CPU provider has kernels: it fuses them with Conv."""
    slope = in_type(SLOPE, dtype) if operator == "PRelu" else None
    _, providers = run(
        standard_model(operator, dtype, 22, X.shape, slope), in_type(X, dtype), tmp_path
    )
    assert providers[operator] == provider


@pytest.mark.parametrize(
    ("operator", "dtype", "opset"),
    [
        ("PRelu", "float64", 9),
        ("PRelu", "float64", 15),
        ("Elu", "float64", 13),
        ("LeakyRelu", "float64", 15),
        ("Relu", "bfloat16", 13),
        ("PRelu", "bfloat16", 16),
    ],
)
def test_models_that_did_not_load(operator: str, dtype: str, opset: int, tmp_path: Path) -> None:
    """ONNX Runtime alone has no kernel for them; with the provider they are right."""
    slope = in_type(SLOPE, dtype) if operator == "PRelu" else None
    model = standard_model(operator, dtype, opset, X.shape, slope)
    x = in_type(X, dtype)
    with pytest.raises(Exception, match=r"(?i)not.?implemented"):
        run(model, x, tmp_path, provided=False)
    got, providers = run(model, x, tmp_path)
    assert providers == {operator: PROVIDER}
    spec = next(item for item in CLAIMED if item.standard_name == operator)
    inputs = [x] if slope is None else [x, slope]
    alpha = {"alpha": float(np.float32(0.01))} if operator == "LeakyRelu" else {}
    (want,) = onnx_acts.reference.evaluate(spec, inputs, alpha)
    wide = np.float64 if dtype == "float64" else np.float32
    np.testing.assert_array_max_ulp(got.astype(wide), want.astype(wide), maxulp=1)


@pytest.mark.parametrize(
    ("x_shape", "fed", "slope"),
    [
        ((2, 1, 5), (2, 1, 5), (3, 1)),
        ((2, None, 5), (2, 1, 5), (3, 1)),
        ((2, "C", 5), (2, 1, 5), (3, 1)),
        ((3, 5), (3, 5), (2, 1, 1)),
        ((5,), (5,), (3, 1)),
    ],
)
def test_slope_that_enlarges_x(
    x_shape: tuple[int | str | None, ...],
    fed: tuple[int, ...],
    slope: tuple[int, ...],
    tmp_path: Path,
) -> None:
    """It stays with the CPU provider, which computes it, against the standard."""
    x = np.arange(-3, np.prod(fed) - 3, dtype=np.float32).reshape(fed)
    slopes = np.linspace(-1, 2, int(np.prod(slope)), dtype=np.float32).reshape(slope)
    got, providers = run(standard_model("PRelu", "float32", 16, x_shape, slopes), x, tmp_path)
    assert providers["PRelu"] == CPU
    wide = np.broadcast_to(x, np.broadcast_shapes(fed, slope))
    np.testing.assert_array_equal(got, np.where(wide < 0, slopes * wide, wide))


def test_integers(tmp_path: Path) -> None:
    """PRelu of int32 is computed as without the provider."""
    x = np.array([[-4, 3], [2, -1]], np.int32)
    slope = np.array([3], np.int32)
    got, providers = run(standard_model("PRelu", 6, 16, (2, 2), slope), x, tmp_path)
    assert set(providers.values()) == {CPU}
    assert got.tolist() == [[-12, 3], [2, -3]]


def test_before_opset_7(tmp_path: Path) -> None:
    """A single slope is taken; one for each channel, which meant dimension 1, is not."""
    x = in_type(np.linspace(-2, 2, 18).reshape(2, 3, 3), "float32")
    model = standard_model("PRelu", "float32", 6, x.shape, np.array([0.5], np.float32))
    got, providers = run(model, x, tmp_path)
    assert providers == {"PRelu": PROVIDER}
    np.testing.assert_array_equal(got, np.where(x < 0, x / 2, x))
    model = standard_model("PRelu", "float32", 6, x.shape, np.array([1, 2, 3], np.float32))
    with pytest.raises(Exception, match="NOT_IMPLEMENTED"):  # ONNX Runtime has no kernel either
        run(model, x, tmp_path)


def test_branches(tmp_path: Path) -> None:
    """Nodes in the bodies of If are taken too."""
    value = helper.make_tensor_value_info
    bodies = [
        helper.make_graph(
            [helper.make_node("Elu", ["x"], [f"y{alpha}"], alpha=alpha)],
            "body",
            [],
            [value(f"y{alpha}", FIXED["float32"], [3])],
        )
        for alpha in (1.0, 2.0)
    ]
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Cast", ["sum"], ["c"], to=onnx.TensorProto.BOOL),
        helper.make_node("If", ["c"], ["y"], then_branch=bodies[0], else_branch=bodies[1]),
    ]
    graph = helper.make_graph(
        nodes, "g", [value("x", FIXED["float32"], [3])], [value("y", FIXED["float32"], [3])]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    got, providers = run(model, np.array([-1, 0, 2], np.float32), tmp_path)
    assert providers["Elu"] == PROVIDER
    np.testing.assert_allclose(got, [np.expm1(-1), 0, 2], rtol=1e-6)


def optimised(model: onnx.ModelProto, folder: Path, provided: bool) -> Counter[str]:
    """The operators of what ONNX Runtime makes of a model."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    if provided:
        add_provider(options)
    onnxruntime.InferenceSession(model.SerializeToString(), options, **({} if provided else AT_CPU))
    return Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)


@pytest.mark.parametrize("operator", ["Relu", "LeakyRelu", "PRelu"])
def test_fusions_stay(operator: str, tmp_path: Path) -> None:
    """The same graph as without the provider: Conv fused with what it was fused, nothing copied."""
    model = network(operator, slope=operator == "PRelu")
    alone = optimised(model, tmp_path, provided=False)
    assert alone[operator] == (2 if operator == "PRelu" else 0)
    assert optimised(model, tmp_path, provided=True) == alone


def test_constants_are_folded(tmp_path: Path) -> None:
    """An activation of a constant is computed once, as without the provider."""
    model = standard_model("Elu", "float32", 17, (2,))
    graph = model.graph
    graph.node[0].input[0] = "constant"
    graph.initializer.append(helper.make_tensor("constant", FIXED["float32"], [2], [-1.0, 2.0]))
    graph.node.append(helper.make_node("Add", ["y", "x"], ["z"]))
    graph.output[0].name = "z"
    assert optimised(model, tmp_path, provided=True) == {"Add": 1}


def test_bad_option(tmp_path: Path) -> None:
    """The value and those that there are stand in the message."""
    model = standard_model("Elu", "float32", 17, (2,))
    with pytest.raises(Exception, match="claim is 'some'; expected 'default' or 'all'"):
        run(model, np.zeros(2, np.float32), tmp_path, "some")


def test_custom_operators_come_along(tmp_path: Path) -> None:
    """Nodes of our domain run in the same session, without a second registration."""
    model = one_node_model(spec_of("ELU"), "float32", bodies=False)
    for register_too in ("no", "before", "after"):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if register_too == "before":
            onnx_acts.register(options)
        add_provider(options)
        if register_too == "after":
            onnx_acts.register(options)
        opened = onnxruntime.InferenceSession(model.SerializeToString(), options)
        (got,) = opened.run(None, {"x_in": np.full((1, 1, 1), -1.0)})
        np.testing.assert_allclose(got, np.expm1(-1), rtol=1e-6)


def test_every_bfloat16(tmp_path: Path) -> None:
    """All 65,536 values of bfloat16, correctly rounded."""
    x = np.arange(65536, dtype=np.uint16).view(ml_dtypes.bfloat16)
    got, _ = run(standard_model("Elu", "bfloat16", 22, x.shape), x, tmp_path)
    numbers = ~np.isnan(x.astype(np.float32))
    (want,) = onnx_acts.reference.evaluate(spec_of("ELU"), [x[numbers]])
    np.testing.assert_array_equal(got[numbers].view(np.uint16), want.view(np.uint16))
    assert np.isnan(got[~numbers].astype(np.float32)).all()
