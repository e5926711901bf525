"""The case generators: each visits what it says."""

import math

import numpy as np
import onnx
import pytest

from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.cases import GROUPS, cases, find_case
from onnx_acts.conformance.models import acts_model, standard_model
from onnx_acts.conformance.values import (
    dense_values,
    parameter_values,
    random_values,
    special_values,
    tie_parameters,
)
from onnx_acts.definition.specs import ELEMENT_TYPES, QUANTIZED, SPECS, Spec, spec_of
from onnx_acts.definition.validation import check_element_types, check_slope_shape

OPERATORS = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
TYPES = pytest.mark.parametrize("dtype", ELEMENT_TYPES)


@OPERATORS
@TYPES
def test_cases_are_valid_and_named_once(spec: Spec, dtype: str) -> None:
    """Inputs have the element type and right shapes; a name is used once in its group."""
    for group in GROUPS:
        names = []
        for case in cases(spec, dtype, group):
            names.append(case.name)
            if case.refused:
                with pytest.raises(ValueError, match=case.refused):
                    case.exact()
                continue
            check_element_types(spec, [array.dtype.name for array in case.inputs])
            for extra in case.inputs[1:]:
                check_slope_shape(case.inputs[0].shape, extra.shape)
        assert len(set(names)) == len(names)


@OPERATORS
def test_groups_apply_where_they_should(spec: Spec) -> None:
    """A group is empty exactly where the operator has nothing for it to vary."""
    found = {group for group in GROUPS if any(cases(spec, "float32", group))}
    real = any(attribute.kind == "real" for attribute in spec.attributes)
    limited = any(attribute.range != "any" for attribute in spec.attributes)
    expected = {"special", "dense", "boundaries", "shapes", "sizes"}
    expected |= ({"attributes"} if real else set()) | ({"refused"} if limited else set())
    expected |= {"input": {"slopes", "refused"}, "draw": {"training"}}.get(
        spec.parameter_source, set()
    )
    assert found == expected


@OPERATORS
def test_cases_are_the_same_every_time(spec: Spec) -> None:
    """Two runs see the same bytes."""
    for group in GROUPS:
        first, second = (list(cases(spec, "float16", group, quick=True)) for _ in range(2))
        assert [a.name for a in first] == [b.name for b in second]
        for a, b in zip(first, second, strict=True):
            assert [x.tobytes() for x in a.inputs] == [x.tobytes() for x in b.inputs]


@TYPES
def test_special_values_visit_every_position(dtype: str) -> None:
    """Every special value stands at every position of the vector body and of the tail."""
    values = special_values(dtype)
    found = [case.inputs[0] for case in cases(spec_of("ReLU"), dtype, "special")]
    stacked = np.stack([x for x in found if x.size == 95])
    bits = np.dtype(f"uint{8 * values.itemsize}")
    wanted = set(values.view(bits).tolist())
    for position in range(stacked.shape[1]):
        assert set(np.ascontiguousarray(stacked[:, position]).view(bits).tolist()) == wanted
    for length in range(1, 68):
        several = np.concatenate([x for x in found if x.size == length])
        assert set(several.view(bits).tolist()) == wanted, f"every one in the length {length}"


@TYPES
def test_special_values(dtype: str) -> None:
    """NaN, both infinities, both zeros, subnormals and the limits are among them."""
    values = special_values(dtype)
    limits = {"float16": (6e-8, 65504), "float32": (1e-45, 3.4e38), "float64": (5e-324, 1.79e308)}
    smallest, largest = limits.get(dtype, (9.2e-41, 3.38e38))
    wide = values.astype(np.float64)
    assert np.isnan(wide).any()
    assert {np.inf, -np.inf} <= set(wide.tolist())
    assert {False, True} == set(np.signbit(wide[wide == 0]).tolist())
    finite = np.abs(wide[np.isfinite(wide) & (wide != 0)])
    assert finite.min() == pytest.approx(smallest, rel=0.2)
    assert finite.max() == pytest.approx(largest, rel=0.01)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_dense_16_bit_values_are_all_there(dtype: str) -> None:
    """All 65,536 bit patterns, each once."""
    assert np.array_equal(np.sort(dense_values(dtype).view(np.uint16)), np.arange(2**16))


@pytest.mark.parametrize(("dtype", "bias"), [("float32", 127), ("float64", 1023)])
def test_dense_values_visit_every_exponent(dtype: str, bias: int) -> None:
    """Every exponent field occurs with both signs; zero and subnormals among them."""
    values = dense_values(dtype)
    assert values.dtype == dtype
    with np.errstate(all="ignore"):
        fields = (values.view(f"uint{8 * values.itemsize}") << 1) >> (53 if bias == 1023 else 24)
    for side in (np.signbit(values), ~np.signbit(values)):
        assert set(fields[side].tolist()) == set(range(2 * bias + 1))


def test_shapes() -> None:
    """Empty, 0-d, deep, single and every length up to 70, and memory that is not plain."""
    found = list(cases(spec_of("PReLU"), "float32", "shapes"))
    arrays = [case.inputs[0] for case in found]
    shapes = {array.shape for array in arrays}
    assert {(), (0, 3), (1,), (2,) * 10} <= shapes
    assert {(n,) for n in range(1, 71)} <= shapes
    assert max(array.size for array in arrays) > 131_072, "more than two threads' chunks"
    quick = {case.inputs[0].shape for case in cases(spec_of("PReLU"), "float32", "shapes", True)}
    assert {(1,), (63,), (65_537,)} <= quick
    assert any(not array.flags.c_contiguous for array in arrays)
    assert any(not array.flags.aligned for array in arrays)
    assert any(array.ctypes.data % 16 for array in arrays if array.flags.aligned and array.size)


def test_slopes() -> None:
    """Scalars, last dimension, per channel, full, size-1 dimensions; zero, negative, inf, NaN."""
    found = list(cases(spec_of("PReLU"), "float32", "slopes"))
    pairs = {tuple(array.shape for array in case.inputs) for case in found}
    full = (2, 3, 4, 5)
    assert {(full, slope) for slope in ((), (1,), (5,), (3, 1, 1), full, (1, 3, 1, 1))} <= pairs
    slopes = np.concatenate([case.inputs[1].reshape(-1) for case in found])
    assert np.isnan(slopes).any()
    assert {0.0, np.inf, -np.inf, -0.5} <= set(slopes.tolist())
    assert np.signbit(slopes[slopes == 0]).any()


def test_attributes() -> None:
    """Odd values of one parameter; every ordered pair of two, equal ones among them."""
    alphas = [case.values["alpha"] for case in cases(spec_of("ELU"), "float32", "attributes")]
    assert {0.0, -0.5, 0.1, 3e38, np.inf} <= set(alphas)
    assert np.isnan(alphas).any()
    # Every finite pair with lower <= upper; as text, which tells 0 from -0.
    values = [value for value in parameter_values().values() if math.isfinite(value)]
    wanted = {f"{low!r} {high!r}" for low in values for high in values if low <= high}
    others = cases(spec_of("RReLU"), "float32", "attributes")
    found = [case.values for case in others if case.written == "tensor"]
    ties = set(tie_parameters().values())
    bounds = [
        f"{case['lower']!r} {case['upper']!r}"
        for case in found
        if case["lower"] != 1 / 8 and not {case["lower"], case["upper"]} <= ties
    ]
    assert sorted(bounds) == sorted(wanted)


def test_training_compares_the_noise() -> None:
    """Several seeds, and both outputs."""
    found = list(cases(spec_of("RReLU"), "float32", "training"))
    assert len({case.attributes.get("seed") for case in found}) >= 4
    assert all(case.training for case in found)
    assert [case.name for case in found if case.outputs < 2] == ["first output alone"]
    assert max(case.inputs[0].size for case in found) > 2**20
    quick = cases(spec_of("RReLU"), "float32", "training", quick=True)
    assert any(case.attributes.get("seed", 0) > 2**32 for case in quick)


def test_find_case() -> None:
    """A case is found by its name; a wrong name is named."""
    found = find_case("PReLU", "float32", "slopes", "slope (5,) on (2, 3, 4, 5)")
    assert found.inputs[1].shape == (5,)
    with pytest.raises(ValueError, match="'nothing'"):
        find_case("PReLU", "float32", "slopes", "nothing")


@OPERATORS
@TYPES
def test_models_are_valid(spec: Spec, dtype: str) -> None:
    """Both models pass the checker and keep the element type."""
    x = random_values(dtype, (3, 4), 1)
    inputs = [x, *(x[:1] for _ in spec.inputs[1:])]
    case = Case(spec.name, dtype, inputs)
    since = spec.standard.since.get(dtype) if spec.standard else None
    for model in [acts_model(case)] + [standard_model(case)] * (since is not None):
        onnx.checker.check_model(model, full_check=True)
        if (
            since is None or since <= 20
        ):  # what ONNX Runtime 1.17 takes, the oldest one that is served
            assert model.ir_version <= 9
            assert all(item.version <= 20 for item in model.opset_import if not item.domain)
        kinds = {value.type.tensor_type.elem_type for value in model.graph.output}
        assert kinds == {onnx.helper.np_dtype_to_tensor_dtype(numpy_type(dtype))}


def test_standard_parameter_is_the_mean() -> None:
    """Two bounds become their mean, and -0 stays -0."""
    x = np.ones(1, np.float32)
    for bounds, mean in (((0.25, 0.75), 0.5), ((-0.0, -0.0), -0.0)):
        attributes = dict(zip(("lower", "upper"), bounds, strict=True))
        model = standard_model(Case("RReLU", "float32", [x], attributes))
        (alpha,) = (item.f for item in model.graph.node[0].attribute)
        assert (alpha, np.signbit(alpha)) == (mean, np.signbit(mean))


@pytest.mark.parametrize("spec", QUANTIZED, ids=lambda spec: spec.name)
def test_quantized_cases(spec: Spec) -> None:
    """One group, named once, of the record's types; every integer with ties, and odd lengths."""
    groups = {group for group in GROUPS if any(cases(spec, "uint8", group))}
    assert groups == {"quantized", "refused"}
    found = list(cases(spec, "uint8", "quantized"))
    assert len({case.name for case in found}) == len(found) > 100
    ties = 0
    for case in found:
        check_element_types(spec, [array.dtype.name for array in case.inputs])
        if case.is_one_node:  # of others the outputs have no shape, which the checker asks for
            onnx.checker.check_model(acts_model(case), full_check=True)
        x, x_scale, x_zero, y_scale, *_ = case.inputs
        with np.errstate(all="ignore"):
            real = (x.astype(float) - x_zero.item()) * x_scale.item()
            ties += int(np.count_nonzero(np.abs(real / y_scale.item()) % 1 == 0.5))
    assert ties > 1000
    assert {case.inputs[0].size % 8 for case in found} == set(range(8))
    every = [case for case in found if set(case.inputs[0].reshape(-1).tolist()) == set(range(256))]
    assert len(every) > 100


def test_no_quantized_cases_of_others() -> None:
    """Operators in floating point have none, and those on 8 bits none of another type."""
    assert not list(cases(spec_of("PReLU"), "float32", "quantized"))
    assert not list(cases(spec_of("QLinearPReLU"), "float32", "quantized"))
    assert not list(cases(spec_of("QLinearPReLU"), "uint8", "special"))
