"""The reference agrees with PyTorch and autograd in float64, and with the definition."""

from typing import Any

import ml_dtypes
import mpmath
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from onnx_acts.definition import reference
from onnx_acts.definition.specs import SPECS, Spec, spec_of
from tests.quantized import u8

RNG = np.random.default_rng(7)
# No zeros: there PyTorch's derivatives follow x > 0, ours x < 0.
X = RNG.normal(scale=2, size=(4, 3, 5))
SLOPE = RNG.normal(size=(3, 1))
IN_TORCH = pytest.mark.parametrize(
    "spec", [spec for spec in SPECS if spec.torch], ids=lambda spec: spec.name
)


def in_torch(spec: Spec, *tensors: torch.Tensor) -> torch.Tensor:
    """PyTorch's result; its parameters come in the order of the table's attributes."""
    x, *slopes = tensors
    function = getattr(functional, spec.torch)
    result: torch.Tensor = function(
        x, *(slope.reshape(-1) for slope in slopes), *spec.samples[0].values()
    )
    return result


def arrays(spec: Spec) -> list[np.ndarray[Any, Any]]:
    """Inputs for an operator."""
    return [X, SLOPE][: len(spec.inputs)]


@IN_TORCH
def test_values_are_pytorchs(spec: Spec) -> None:
    """Float64 values agree with torch.nn.functional to the last two bits."""
    inputs = arrays(spec)
    want = in_torch(spec, *map(torch.tensor, inputs)).numpy()
    got = reference.evaluate(spec, inputs, spec.samples[0])[0]
    np.testing.assert_array_max_ulp(got, want, maxulp=2)


@IN_TORCH
def test_derivatives_are_autograds(spec: Spec) -> None:
    """dy/dx, and for a learned slope dy/dslope, agree with torch.autograd in float64."""
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays(spec)]
    upstream = RNG.normal(size=X.shape)
    in_torch(spec, *tensors).backward(torch.tensor(upstream))
    derivative = getattr(reference, f"{spec.reference}_derivative")
    got = derivative(*arrays(spec), **spec.samples[0]) * upstream
    assert tensors[0].grad is not None
    np.testing.assert_allclose(got.astype(float), tensors[0].grad.numpy(), rtol=1e-14, atol=0)
    if len(tensors) > 1:
        assert tensors[1].grad is not None
        slope = reference.prelu_slope_derivative(X, SLOPE, upstream)
        np.testing.assert_allclose(slope.astype(float), tensors[1].grad.numpy(), rtol=1e-13)


@pytest.mark.parametrize("x", [-1e-3, -1.0, -40.0, -700.0])
def test_derivative_of_elu_far_below_zero(x: float) -> None:
    """It is alpha * exp(x): by way of expm1 + 1 nothing would be left of it."""
    with mpmath.workdps(50):
        wanted = float(mpmath.mpf("0.7") * mpmath.exp(mpmath.mpf(x)))
    got = float(reference.elu_derivative(np.array([x]), alpha=0.7)[0])
    assert got == pytest.approx(wanted, rel=1e-14, abs=0)  # abs is 1e-12 where it is left out


def test_derivative_of_rrelu_has_the_draws_of_its_seed() -> None:
    """The derivative of a training run is the slope that was drawn there, seed by seed."""
    x = -np.ones(50, np.float64)
    for seed in (0, 3, 2**40):
        noise = reference.rrelu(x, training_mode=1, seed=seed)[1]
        derivative = reference.rrelu_derivative(x, training_mode=1, seed=seed)
        np.testing.assert_array_equal(derivative.astype(float), noise.astype(float))
    one, other = (reference.rrelu_derivative(x, training_mode=1, seed=seed) for seed in (3, 4))
    assert not np.array_equal(one, other)


def test_derivative_at_zero_and_nan() -> None:
    """At +-0 the positive branch holds; NaN stays NaN."""
    got = reference.elu_derivative(np.array([0.0, -0.0, np.nan]), alpha=3.0)
    np.testing.assert_array_equal(got.astype(float), [1, 1, np.nan])


def test_elu_against_mpmath() -> None:
    """The float64 reference is right to far more than 53 bits (100-digit oracle)."""
    x = -np.logspace(-300, 2.8, 400)
    with mpmath.workdps(100):
        for value, got in zip(x, reference.elu(x), strict=True):
            want = mpmath.expm1(mpmath.mpf(float(value)))
            high = float(got)
            low = float(got - np.longdouble(high))
            error = abs((mpmath.mpf(high) + mpmath.mpf(low) - want) / want)
            assert error < 2.0**-60


@pytest.mark.parametrize("alpha_exponent", [0, 3, -6])
@pytest.mark.parametrize(("dtype", "bits"), [(np.float16, 11), (ml_dtypes.bfloat16, 8)])
def test_elu_far_below_zero(dtype: type, bits: int, alpha_exponent: int) -> None:
    """Times an alpha half-way between two numbers it is nearer to the one next to zero.

    The curve is -1 there in float64 and a little more in truth. At -infinity it is -1, a tie.
    """
    unit = 2.0**-bits  # half the distance of two numbers between 1 and 2
    scale = 2.0**alpha_exponent
    alpha = (1 + 3 * unit) * scale
    x: NDArray[Any] = np.array([-30, -36, -37, -38, -50, -100, -1000, -60000, -np.inf], dtype)
    want = [-(1 + 2 * unit) * scale] * 8 + [-(1 + 4 * unit) * scale]
    got = reference.evaluate(spec_of("ELU"), [x], {"alpha": alpha})[0]
    assert got.astype(float).tolist() == want


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_special_values(spec: Spec, dtype: type) -> None:
    """NaN stays NaN, +-0 and positive values are kept as they are, in every type."""
    x: NDArray[Any] = np.array([np.nan, 0.0, -0.0, np.inf, 2.0], dtype=dtype)
    inputs = [x, np.array(np.inf, dtype=dtype)][: len(spec.inputs)]
    got = reference.evaluate(spec, inputs)[0]
    assert got.dtype == x.dtype
    assert np.isnan(got[0])
    np.testing.assert_array_equal(got[1:].astype(float), [0.0, -0.0, np.inf, 2.0])
    np.testing.assert_array_equal(np.signbit(got[1:].astype(float)), [False, True, False, False])


def test_minus_infinity() -> None:
    """ELU saturates at -alpha; slope 0 at -inf is 0 * inf = NaN."""
    minus = np.array([-np.inf])
    assert reference.elu(minus, alpha=2.0)[0] == -2
    assert np.isnan(reference.leaky_relu(minus, alpha=0.0)[0])
    assert reference.relu(minus)[0] == 0


def test_parameters_are_rounded_to_the_compute_type() -> None:
    """Alpha = 0.1 is float32's 0.1 for float32 and 16-bit inputs, float64's for float64."""
    single, double = np.float64(np.float32(0.1)), np.float64(0.1)
    assert reference.leaky_relu(np.array([-1], np.float16), 0.1)[0] == -single
    assert reference.leaky_relu(np.array([-1], np.float32), 0.1)[0] == -single
    assert reference.leaky_relu(np.array([-1], np.float64), 0.1)[0] == -double


def test_rrelu_mean_slope() -> None:
    """The inference slope is (1/8 + 1/3) / 2, not the paper's 2/11."""
    y, noise = reference.rrelu(np.array([-1.0, 1.0]))
    assert float(y[0]) == -(1 / 8 + 1 / 3) / 2
    assert noise.astype(float).tolist() == [(1 / 8 + 1 / 3) / 2, 1.0]


def test_rrelu_training() -> None:
    """Draws lie in the interval, differ by seed, and y is noise * x."""
    x = -np.ones((50, 7), dtype=np.float32)
    (y, noise), (_, other) = (reference.rrelu(x, training_mode=1, seed=seed) for seed in (3, 4))
    assert noise.min() >= 1 / 8
    assert noise.max() <= np.float32(1 / 3)
    assert np.array_equal(y, -noise)
    assert np.unique(noise).size == noise.size
    assert not np.array_equal(noise, other)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32])
def test_draws_are_rounded_to_the_element_type(dtype: type) -> None:
    """Noise is a number of that type, and y its exact product: what a kernel can store."""
    x: NDArray[Any] = np.full(300, -1, dtype)
    y, noise = reference.rrelu(x, training_mode=1, seed=3)
    assert np.array_equal(noise, noise.astype(dtype).astype(noise.dtype))
    assert np.array_equal(y, -noise)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32])
def test_rounding_is_done_once(dtype: type) -> None:
    """A value just above the middle of two neighbours goes up, the middle itself to even."""
    one: NDArray[Any] = np.array(1, dtype)
    step = float(np.nextafter(one, np.array(2, dtype)).astype(float)) - 1
    middle = 1 + step / 2
    values = np.array([middle, middle * (1 + 2**-50), middle + step, middle * (1 - 2**-50)])
    got = reference.rounded(values, dtype).astype(float)
    assert got.tolist() == [1, 1 + step, 1 + 2 * step, 1]


def test_rounding_extremes() -> None:
    """Overflow gives infinity, tiny values keep their sign, NaN stays."""
    got = reference.rounded(np.array([1e300, -1e-300, np.nan]), ml_dtypes.bfloat16).astype(float)
    assert got[0] == np.inf
    assert got[1] == 0
    assert np.signbit(got[1])
    assert np.isnan(got[2])


def test_bad_inputs_are_refused() -> None:
    """Integers, mixed types and a slope that would enlarge x raise with both sides named."""
    with pytest.raises(TypeError, match="int64; supported element types"):
        reference.relu([1, 2])
    with pytest.raises(TypeError, match="X is float64 and slope is float32"):
        reference.prelu(X, SLOPE.astype(np.float32))
    with pytest.raises(ValueError, match=r"shape \(3,\) on x of shape \(2, 1\)"):
        reference.prelu(np.ones((2, 1)), np.ones(3))
    with pytest.raises(ValueError, match=r"lower = 1.0 and upper = 0.5"):
        reference.rrelu(X, lower=1.0, upper=0.5)


QUANTIZED_BY_HAND = u8([96, 98, 99, 100, 101, 103, 255])
"""x with the zero point 100: -4, -2, -1, 0, 1, 3 and 155 steps of 0.5."""


def test_quantized_prelu_by_hand() -> None:
    """Slope 0.5 and steps of 0.25: -1, -0.5 and -0.25 are -4, -2 and -1 steps; 77.5 is too many."""
    scales = (np.float32(0.5), np.uint8(100), np.float32(0.25), np.uint8(10))
    got = reference.qlinear_prelu(QUANTIZED_BY_HAND, *scales, np.float32(0.5))
    assert got.dtype == np.uint8
    assert got.tolist() == [6, 8, 9, 10, 12, 16, 255]


def test_quantized_elu_by_hand() -> None:
    """exp(-2) - 1 = -0.8647, exp(-1) - 1 = -0.6321, exp(-0.5) - 1 = -0.3935; steps of 0.01."""
    scales = (np.float32(0.5), np.uint8(100), np.float32(0.01), np.uint8(100))
    assert reference.qlinear_elu(QUANTIZED_BY_HAND, *scales).tolist() == [
        *(100 - 86, 100 - 63, 100 - 39, 100, 150, 250, 255)
    ]
    halved = reference.qlinear_elu(QUANTIZED_BY_HAND, *scales, alpha=0.5)
    assert halved.tolist()[:3] == [100 - 43, 100 - 32, 100 - 20]


def test_bad_quantized_inputs_are_refused() -> None:
    """Scales for each channel, other integers and slopes of another type, by name."""
    x = np.zeros((2, 3), np.uint8)
    one, zero = np.float32(1), np.uint8(0)
    with pytest.raises(ValueError, match=r"QLinearELU: x_scale has the shape \(3,\)"):
        reference.qlinear_elu(x, np.ones(3, np.float32), zero, one, zero)
    with pytest.raises(TypeError, match="QLinearELU: X is int8; supported element types are uint8"):
        reference.qlinear_elu(x.astype(np.int8), one, zero, one, zero)
    with pytest.raises(TypeError, match="slope is float64; convert slope to float32"):
        reference.qlinear_prelu(x, one, zero, one, zero, np.ones(3))
    with pytest.raises(TypeError, match="y_zero_point is int8; convert y_zero_point to X's"):
        reference.qlinear_prelu(x, one, zero, one, np.int8(0), np.float32(1))


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,) * 10])
def test_any_shape(shape: tuple[int, ...]) -> None:
    """The result has x's shape: 0-d, empty, rank 10."""
    x = np.full(shape, -1.0)
    for spec in SPECS:
        inputs = [x, np.array(0.5)][: len(spec.inputs)]
        assert all(out.shape == shape for out in reference.evaluate(spec, inputs))


def test_the_default_slope_of_a_list_is_float64() -> None:
    """A Python list counts as float64."""
    assert reference.leaky_relu([-1.0])[0] == -np.float64(0.01)
    assert spec_of("LeakyReLU").attributes[0].default == 0.01
