"""The function bodies are valid ONNX and compute what the reference says."""

import dataclasses
import os
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from onnx_acts import session
from onnx_acts.conformance.compare import ulp_error
from onnx_acts.definition import reference
from onnx_acts.definition.functions import (
    MINIMUM_OPSET,
    Form,
    form_for,
    function_proto,
    needs_alignment,
)
from onnx_acts.definition.known import Known, Shape
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, Spec, spec_of
from tests.helpers import feeds, in_type, one_node_model

RNG = np.random.default_rng(11)
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, -1e-8, -1e-25, 65504.0]
X = np.concatenate([SPECIAL, RNG.normal(scale=3, size=22)]).reshape(2, 3, 5)
SLOPE = RNG.normal(size=(3, 1))
BOTH_FORMS = [(spec, 0) for spec in SPECS] + [(spec, 1) for spec in SPECS if spec.training_body]


def identify(value: object) -> str | None:
    """The operator's name, for the test's name."""
    return value.name if isinstance(value, Spec) else None


def check_against_reference(
    spec: Spec, dtype: str, got: list[np.ndarray], x: np.ndarray, **attributes: int
) -> None:
    """Classes (NaN, zero signs) are equal, values within the promise of the body."""
    inputs = [x, in_type(SLOPE, dtype)][: len(spec.inputs)]
    for ours, exact in zip(got, reference.exact(spec, inputs, attributes), strict=False):
        rounded = reference.rounded(exact, x.dtype).astype(float)
        assert np.array_equal(np.isnan(ours), np.isnan(rounded))
        assert np.array_equal(np.signbit(ours[ours == 0]), np.signbit(rounded[ours == 0]))
        finite = np.isfinite(rounded)
        assert np.array_equal(ours[~finite], rounded[~finite], equal_nan=True)
        normal = finite & (np.abs(rounded) >= float(ml_dtypes.finfo(x.dtype).smallest_normal))
        errors = ulp_error(in_type(ours[normal], dtype), exact[normal])
        assert errors.max() <= spec.promise.body[dtype] * (1 + 1e-9)


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize(("spec", "training"), BOTH_FORMS, ids=identify)
def test_body_is_valid_and_right(spec: Spec, training: int, dtype: str) -> None:
    """Passes the checker, infers shapes, and runs in ONNX Runtime and onnx.reference."""
    attributes: dict[str, Any] = {}
    if spec.training_body:
        attributes = {"training_mode": training, "seed": 2**40 + 3}
    model = one_node_model(spec, dtype, outputs=len(spec.outputs), **attributes)
    onnx.checker.check_model(model, full_check=True)
    x = in_type(X, dtype)
    fed = feeds(spec, x, in_type(SLOPE, dtype))
    for run in (session(model, accelerated=False).run, ReferenceEvaluator(model).run):
        with np.errstate(over="ignore"):  # exp of a large positive x, which the body then drops
            got: Any = run(None, fed)
        check_against_reference(spec, dtype, got, x, **attributes)


@pytest.mark.parametrize("spec", SPECS, ids=identify)
def test_shapes_and_types_are_inferred(spec: Spec) -> None:
    """The output of a node has X's type and shape, through the body alone."""
    model = one_node_model(spec, "float16")
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    (info,) = [value for value in inferred.graph.value_info if value.name == "y"]
    assert info.type.tensor_type.elem_type == onnx.TensorProto.FLOAT16
    dims = info.type.tensor_type.shape.dim
    assert len(dims) == 3
    assert [dim.dim_param for dim in dims][:1] == ["N"]


@pytest.mark.parametrize("opset", [MINIMUM_OPSET, 11, 13, 15, 18, 22, 23])
@pytest.mark.parametrize("spec", SPECS, ids=identify)
def test_every_opset(spec: Spec, opset: int) -> None:
    """A float32 body is valid and runs in every opset from the floor to the newest tried."""
    function = function_proto(spec, form_for(opset, [Known("float32", ("N", "C", "L"))]))
    model = one_node_model(spec, "float32", opset=opset)
    assert model.functions[0].node == function.node or spec.training_body
    onnx.checker.check_model(model, full_check=True)
    x = in_type(X, "float32")
    got = session(model, accelerated=False).run(None, feeds(spec, x, in_type(SLOPE, "float32")))
    check_against_reference(spec, "float32", got, x)


def known(*dtypes: str | None) -> list[Known]:
    """Uses of these element types, of a shape that constants of no dimensions suit."""
    return [Known(dtype, (2, 3, 5)) for dtype in dtypes]


def test_pure_models_have_no_casts() -> None:
    """Where the element type is the compute type the body converts nothing."""
    for dtype, double in (("float32", False), ("float64", True)):
        form = form_for(20, known(dtype))
        assert form == Form(20, double=double, convert=False)
        kinds = {node.op_type for node in function_proto(spec_of("PReLU"), form).node}
        assert kinds == {"Constant", "Less", "Mul", "Where"}


@pytest.mark.parametrize(
    ("dtypes", "double"),
    [(["float16"], False), (["float16", "float32"], False), (["float32", "float64"], True)],
)
def test_mixed_models_convert(dtypes: list[str], double: bool) -> None:
    """A model of several types gets one body that is right for all of them."""
    assert form_for(20, known(*dtypes)) == Form(20, double=double, convert=True)


def test_unknown_types_compute_in_float64() -> None:
    """A type that cannot be inferred is assumed to be any."""
    assert form_for(20, known(None)) == Form(20, double=True, convert=True)


@pytest.mark.parametrize(("dtype", "opset"), [("float16", 9), ("float16", 14), ("bfloat16", 13)])
def test_one_type_in_an_old_opset(dtype: str, opset: int) -> None:
    """Below opset 15, which has CastLike, the result is cast to the one type that there is."""
    assert form_for(opset, known(dtype, dtype)) == Form(opset, result=dtype)
    for spec in SPECS:
        model = one_node_model(spec, dtype, opset=opset)
        onnx.checker.check_model(model, full_check=True)
        x = in_type(X, dtype)
        fed = feeds(spec, x, in_type(SLOPE, dtype))
        got = session(model, accelerated=False).run(None, fed)
        check_against_reference(spec, dtype, got, x)


def test_old_opsets_are_refused() -> None:
    """The message names the opset found, the one needed and how to convert."""
    with pytest.raises(ValueError, match=r"opset 14; .*float16, float32 need opset 15 .*version_c"):
        form_for(14, known("float16", "float32"))
    with pytest.raises(ValueError, match=r"opset 12; .*bfloat16 need opset 13 "):
        form_for(12, known("bfloat16"))
    with pytest.raises(ValueError, match=r"opset 8; .*need opset 9"):
        form_for(8, known("float32"))
    training = dataclasses.replace(form_for(17, known("float32")), training=True)
    with pytest.raises(ValueError, match="RReLU in training mode needs opset 18"):
        function_proto(spec_of("RReLU"), training)


# Constants with dimensions: ONNX Runtime broadcasts those without in runs that end at a size of 1


@pytest.mark.parametrize(
    ("shapes", "aligned"),
    [
        ([(1, 25, 64, 1116)], False),
        ([(32, 64, 112, 112), (32, 10)], False),
        ([("N", 64, 7, 7)], False),
        ([(None, 10)], False),
        ([()], False),
        ([(6,), ("N",)], False),
        ([(1,)], True),
        ([(1, 25, 1116, 1)], True),
        ([(9300, 1, 3)], True),
        ([(1, 27900, 1, 1)], True),
        ([("N", "C", "H", 7)], True),  # any of them may be 1
        ([("N", 3, None, 5)], True),
        ([(2, 3), (2, 1)], True),
        ([None], True),
        ([(2, 3), None], True),
        ([], False),
    ],
)
def test_alignment(shapes: list[Shape | None], aligned: bool) -> None:
    """Constants have X's dimensions where X may have a size of 1, but for the first."""
    assert needs_alignment(shapes) == aligned


RANKED_SHAPES = [
    (),
    (6,),
    (1,),
    (1, 1),
    (2, 3),
    (2, 3, 1),
    (3, 1, 1),
    (0, 3, 1),
    (1, 0),
    (4, 1, 3),
    (2, 1, 3, 1, 1),
]


@pytest.mark.parametrize("level", ["disabled", "all"])
@pytest.mark.parametrize(("spec", "training"), BOTH_FORMS, ids=identify)
def test_any_shape(spec: Spec, training: int, level: str) -> None:
    """With aligned constants the values and the shape are right."""
    attributes = {"training_mode": training, "seed": 7} if spec.training_body else {}
    form = Form(20, convert=False, aligned=True, training=bool(training), outputs=1)
    levels = onnxruntime.GraphOptimizationLevel
    for shape in RANKED_SHAPES:
        sizes = tuple(f"d{i}" for i in range(len(shape)))
        model = one_node_model(
            spec, "float32", x_shape=sizes, slope_shape=sizes[-1:], bodies=False, **attributes
        )
        model.functions.append(function_proto(spec, form))
        options = onnxruntime.SessionOptions()
        if level == "disabled":
            options.graph_optimization_level = levels.ORT_DISABLE_ALL
        x = RNG.normal(size=shape).astype(np.float32)
        slope = RNG.normal(size=shape[-1:]).astype(np.float32)
        opened = session(model, accelerated=False, session_options=options)
        (got,) = opened.run(None, feeds(spec, x, slope))
        want = reference.evaluate(spec, [x, slope][: len(spec.inputs)], attributes)[0]
        assert got.shape == shape
        np.testing.assert_allclose(got, want, rtol=2e-6, atol=0)


def negatives(stride: int) -> np.ndarray:
    """Every `stride`-th normal negative float32."""
    return np.arange(0x80800000, 0xFF800000, stride, dtype=np.uint32).view(np.float32)


def worst_elu_body(x: np.ndarray) -> float:
    """The largest error in ULP of ELU's body in ONNX Runtime over x."""
    model = one_node_model(spec_of("ELU"), "float32", x_shape=("N",))
    fed = {"x_in": x.astype(np.float64)}
    got = session(model, accelerated=False).run(None, fed)[0]
    exact = reference.elu(x)
    normal = np.abs(exact) >= np.finfo(np.float32).smallest_normal
    return float(ulp_error(in_type(got[normal], "float32"), exact[normal]).max())


def test_elu_body_near_zero_and_far() -> None:
    """ELU's body keeps its promise over a dense sweep of all normal negative float32."""
    worst = worst_elu_body(negatives(stride=997))
    print(f"ELU body, float32, every 997th normal negative: {worst:.2f} ULP")
    assert worst <= spec_of("ELU").promise.body["float32"]


def test_elu_body_at_disabled_optimisation() -> None:
    """The body is right without ONNX Runtime's optimiser, too."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    x = in_type(X, "float32")
    model = one_node_model(spec_of("ELU"), "float32")
    opened = session(model, session_options=options, accelerated=False)
    check_against_reference(
        spec_of("ELU"), "float32", opened.run(None, feeds(spec_of("ELU"), x)), x
    )


@pytest.mark.slow
def test_elu_body_normal_negatives() -> None:
    """ELU's body keeps its promise over the normal negative float32.

    One of 17 is looked at; `make accuracy` sets ONNX_ACTS_BODY_STRIDE to 1, for every one.
    """
    stride = int(os.environ.get("ONNX_ACTS_BODY_STRIDE") or 17)
    step = 2**26
    worst, count = 0.0, 0
    for start in range(0x80800000, 0xFF800000, step):
        stop = min(start + step, 0xFF800000)
        x = np.arange(start, stop, stride, dtype=np.uint32).view(np.float32)
        # Below -104 float32's ELU is -1 everywhere; a coarse look is enough there.
        chosen = x if x[0] > -110 else x[::4096]
        worst, count = max(worst, worst_elu_body(chosen)), count + chosen.size
    print(f"ELU body, float32, {count} normal negatives: {worst:.2f} ULP")
    assert count > 2**30 // stride
    assert worst <= spec_of("ELU").promise.body["float32"]


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (5,), (1,) * 9])
def test_rrelu_training_bits_for_any_shape(shape: tuple[int, ...]) -> None:
    """The body's Philox gives the reference's draws for every shape, empty ones too."""
    spec = spec_of("RReLU")
    model = one_node_model(spec, "float32", x_shape=shape, outputs=2, training_mode=1, seed=-5)
    x = -np.ones(shape, dtype=np.float32)
    want = reference.evaluate(spec, [x], {"training_mode": 1, "seed": -5})
    got = session(model, accelerated=False).run(None, feeds(spec, x))
    for ours, theirs in zip(got, want, strict=True):
        assert np.array_equal(ours, theirs.astype(np.float64))
