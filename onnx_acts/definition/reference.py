"""What is true: the activations and their derivatives in NumPy, in float64 or better.

For float16, bfloat16 and float32 inputs the values are float64; for float64 inputs they are
`numpy.longdouble` (80 bits on x86-64). They are not rounded to the element type: `rounded` does
that once, correctly. Parameters are first rounded to the compute type, float32 unless x is float64,
as PyTorch, ONNX Runtime and the native kernels do; the rest is exact to the working precision.

On 8 bits the definition is float32 arithmetic, step by step: the values are those of the element
type.

The negative branch is taken where x < 0, so NaN stays NaN and both zeros keep their sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import ArrayLike, NDArray

from onnx_acts.definition import philox
from onnx_acts.definition.specs import Spec, spec_of
from onnx_acts.definition.validation import check_attributes, check_element_types, check_slope_shape

__all__ = [
    "elu",
    "elu_derivative",
    "evaluate",
    "exact",
    "leaky_relu",
    "leaky_relu_derivative",
    "prelu",
    "prelu_derivative",
    "prelu_slope_derivative",
    "qlinear_elu",
    "qlinear_prelu",
    "relu",
    "relu_derivative",
    "rounded",
    "rrelu",
    "rrelu_derivative",
]

Array = NDArray[Any]


def relu(x: ArrayLike) -> Array:
    """Y = 0 where x < 0, else x (Nair and Hinton 2010)."""
    wide, _ = _widen("ReLU", x)
    return np.where(wide < 0, wide.dtype.type(0), wide)


def leaky_relu(x: ArrayLike, alpha: float = 0.01) -> Array:
    """Y = alpha * x where x < 0, else x (Maas et al. 2013)."""
    wide, compute = _widen("LeakyReLU", x)
    return _scaled(wide, _parameter(alpha, compute, wide))


def prelu(x: ArrayLike, slope: ArrayLike) -> Array:
    """Y = slope * x where x < 0, else x (He et al. 2015).

    Args:
        x: any shape.
        slope: x's element type; broadcasts to x's shape, aligned at the last dimension.
    """
    x, slope = np.asarray(x), np.asarray(slope)
    check_element_types(spec_of("PReLU"), (x.dtype.name, slope.dtype.name))
    check_slope_shape(x.shape, slope.shape)
    wide, _ = _widen("PReLU", x)
    return _scaled(wide, slope.astype(wide.dtype))


def rrelu(
    x: ArrayLike,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training_mode: int = 0,
    seed: int = 0,
) -> tuple[Array, Array]:
    """Y = s * x where x < 0, else x (Xu et al. 2015).

    In inference s = (lower + upper) / 2. In training s is drawn for each element from
    U[lower, upper) with Philox 4x32-10, and rounded to x's element type: upper itself can occur
    after the rounding. Sum and difference of the bounds are those of float64, in every
    implementation: they are infinite where the bounds are beyond half of its range.

    Returns:
        y and the noise: s where x < 0, else 1.
    """
    check_attributes(spec_of("RReLU"), {"lower": lower, "upper": upper})
    wide, compute = _widen("RReLU", x)
    if training_mode:
        draws = lower + (upper - lower) * philox.uniform(seed, wide.size).reshape(wide.shape)
        slope = rounded(draws.astype(compute), np.asarray(x).dtype).astype(wide.dtype)
    else:
        slope = _parameter((lower + upper) / 2, compute, wide)
    return _scaled(wide, slope), np.where(wide < 0, slope, wide.dtype.type(1))


def elu(x: ArrayLike, alpha: float = 1.0) -> Array:
    """Y = alpha * (exp(x) - 1) where x < 0, else x (Clevert et al. 2016)."""
    wide, compute = _widen("ELU", x)
    factor = _parameter(alpha, compute, wide)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        curve = np.expm1(wide)
        # Next to 0 the true curve is nearer to 0 than x, and far below 0 nearer to 0 than -1, by
        # less than the working precision tells. Times alpha that may be a tie in fewer bits, and
        # this decides it. At -inf the curve is -1.
        ends = (curve == wide) | ((curve == -1) & np.isfinite(wide))
        curve = np.where(ends, np.nextafter(curve, wide.dtype.type(0)), curve)
        return np.where(wide < 0, factor * curve, wide)


def qlinear_prelu(
    x: ArrayLike,
    x_scale: ArrayLike,
    x_zero_point: ArrayLike,
    y_scale: ArrayLike,
    y_zero_point: ArrayLike,
    slope: ArrayLike,
) -> Array:
    """PReLU between DequantizeLinear and QuantizeLinear, in float32, every step rounded.

    Args:
        x: uint8, any shape.
        x_scale: one float32; so is `y_scale`.
        x_zero_point: one uint8; so is `y_zero_point`.
        y_scale: see above.
        y_zero_point: see above.
        slope: float32; broadcasts to x's shape, aligned at the last dimension.

    Returns:
        y, uint8.
    """
    arrays = _quantized_inputs("QLinearPReLU", x, x_scale, x_zero_point, y_scale, y_zero_point)
    factor = np.asarray(slope)
    check_element_types(spec_of("QLinearPReLU"), [a.dtype.name for a in (*arrays, factor)])
    check_slope_shape(arrays[0].shape, factor.shape, "QLinearPReLU")
    real = _dequantized(*arrays[:3])
    with np.errstate(all="ignore"):
        return _quantized(np.where(real < 0, real * factor, real), *arrays[3:])


def qlinear_elu(
    x: ArrayLike,
    x_scale: ArrayLike,
    x_zero_point: ArrayLike,
    y_scale: ArrayLike,
    y_zero_point: ArrayLike,
    alpha: float = 1.0,
) -> Array:
    """ELU between DequantizeLinear and QuantizeLinear, in float32, every step rounded.

    The steps are those of the standard operator, alpha * (exp(x) - 1), with the nearest float32 to
    exp(x): what a quantized file computes, within the error of a runtime's exp.

    Args:
        x: as in `qlinear_prelu`, as are the next four.
        x_scale: see there.
        x_zero_point: see there.
        y_scale: see there.
        y_zero_point: see there.
        alpha: rounded to float32.

    Returns:
        y, uint8.
    """
    arrays = _quantized_inputs("QLinearELU", x, x_scale, x_zero_point, y_scale, y_zero_point)
    check_element_types(spec_of("QLinearELU"), [array.dtype.name for array in arrays])
    real = _dequantized(*arrays[:3])
    with np.errstate(all="ignore"):
        power = np.exp(real.astype(np.float64)).astype(np.float32)
        curve = np.float32(alpha) * (power - np.float32(1))
        return _quantized(np.where(real < 0, curve, real), *arrays[3:])


def _quantized_inputs(name: str, *values: ArrayLike) -> list[Array]:
    """X, then scales and zero points of one value each, without dimensions."""
    x, *scalars = map(np.asarray, values)
    for label, array in zip(spec_of(name).inputs[1:], scalars, strict=False):
        if array.size != 1:
            raise ValueError(
                f"{name}: {label} has the shape {array.shape}; expected one value for the tensor"
            )
    return [x, *(array.reshape(()) for array in scalars)]


def _dequantized(x: Array, scale: Array, zero_point: Array) -> Array:
    """DequantizeLinear: (x - zero point) * scale, in float32."""
    with np.errstate(all="ignore"):
        steps: Array = (x.astype(np.int32) - zero_point.astype(np.int32)).astype(np.float32) * scale
    return steps


def _quantized(real: Array, scale: Array, zero_point: Array) -> Array:
    """QuantizeLinear: the nearest step, even at a tie, saturated; 0 for NaN."""
    zero = zero_point.astype(np.float32)
    low, high = -zero, np.float32(255) - zero
    steps = real / scale
    steps = np.where(steps > low, np.minimum(steps, high), low)
    return (np.rint(steps) + zero).astype(np.uint8)


def relu_derivative(x: ArrayLike) -> Array:
    """dy/dx = 0 where x < 0, else 1."""
    wide, _ = _widen("ReLU", x)
    return _derivative(wide, wide.dtype.type(0))


def leaky_relu_derivative(x: ArrayLike, alpha: float = 0.01) -> Array:
    """dy/dx = alpha where x < 0, else 1."""
    wide, compute = _widen("LeakyReLU", x)
    return _derivative(wide, _parameter(alpha, compute, wide))


def prelu_derivative(x: ArrayLike, slope: ArrayLike) -> Array:
    """dy/dx = slope where x < 0, else 1; shapes as in `prelu`."""
    wide, _ = _widen("PReLU", x)
    slope = np.asarray(slope)
    check_slope_shape(wide.shape, slope.shape)
    return _derivative(wide, slope.astype(wide.dtype))


def prelu_slope_derivative(x: ArrayLike, slope: ArrayLike, upstream: ArrayLike = 1.0) -> Array:
    """d(sum(upstream * y))/dslope: upstream * min(x, 0) summed over the broadcast dimensions.

    Args:
        x: any shape.
        slope: its shape is the result's shape.
        upstream: the gradient of the loss with respect to y, broadcastable to x's shape.
    """
    wide, _ = _widen("PReLU", x)
    shape = np.asarray(slope).shape
    check_slope_shape(wide.shape, shape)
    terms = _derivative(wide, wide, positive=0) * np.asarray(upstream, dtype=wide.dtype)
    leading = wide.ndim - len(shape)
    ones = tuple(leading + i for i, size in enumerate(shape) if size == 1)
    summed: Array = terms.sum(axis=(*range(leading), *ones), keepdims=True)
    return summed.reshape(shape)


def rrelu_derivative(
    x: ArrayLike,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training_mode: int = 0,
    seed: int = 0,
) -> Array:
    """dy/dx = s where x < 0, else 1: the noise of `rrelu`."""
    return rrelu(x, lower, upper, training_mode, seed)[1]


def elu_derivative(x: ArrayLike, alpha: float = 1.0) -> Array:
    """dy/dx = alpha * exp(x) where x < 0, else 1."""
    wide, compute = _widen("ELU", x)
    factor = _parameter(alpha, compute, wide)
    return _derivative(wide, factor * np.exp(np.minimum(wide, 0)))


def exact(
    spec: Spec, inputs: Sequence[ArrayLike], attributes: Mapping[str, float | int] | None = None
) -> tuple[Array, ...]:
    """Computes any operator of the table in the working precision, one array for each output.

    Args:
        spec: the operator.
        inputs: its inputs, of one element type.
        attributes: its attributes; those left out have their defaults.
    """
    values = check_attributes(spec, attributes or {})
    arrays = [np.asarray(array) for array in inputs]
    check_element_types(spec, [array.dtype.name for array in arrays])
    result = globals()[spec.reference](*arrays, **values)
    return result if isinstance(result, tuple) else (result,)


def evaluate(
    spec: Spec, inputs: Sequence[ArrayLike], attributes: Mapping[str, float | int] | None = None
) -> tuple[Array, ...]:
    """Like `exact`, rounded once to the element type of the inputs."""
    dtype = np.asarray(inputs[0]).dtype
    return tuple(rounded(array, dtype) for array in exact(spec, inputs, attributes))


def rounded(values: ArrayLike, dtype: np.dtype[Any] | type) -> Array:
    """Rounds `values` to `dtype` once, to nearest, ties to even; overflow gives infinity."""
    wide, target = np.asarray(values), np.dtype(dtype)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        if target == ml_dtypes.bfloat16:
            # ml_dtypes converts from float64 through float32, which would round twice.
            return _to_odd_float32(wide).astype(target)
        return wide.astype(target)


def _to_odd_float32(wide: Array) -> NDArray[np.float32]:
    """Converts to float32, making the last bit odd where bits are lost, so that a further
    rounding to fewer bits gives what one rounding would have given.
    """
    near = np.atleast_1d(wide).astype(np.float32)
    lost = np.isfinite(near) & (near != np.atleast_1d(wide))
    even = (near.view(np.uint32) & 1) == 0
    goal = np.where(near < np.atleast_1d(wide), np.float32(np.inf), np.float32(-np.inf))
    return np.where(lost & even, np.nextafter(near, goal), near).reshape(wide.shape)


def _widen(name: str, x: ArrayLike) -> tuple[Array, type[np.floating[Any]]]:
    """Returns x in the working precision, and the compute type of its element type."""
    array = np.asarray(x)
    check_element_types(spec_of(name), (array.dtype.name,) * len(spec_of(name).inputs))
    if array.dtype == np.float64:
        return array.astype(np.longdouble), np.float64
    return array.astype(np.float64), np.float32


def _parameter(value: float, compute: type[np.floating[Any]], wide: Array) -> Any:
    """Rounds a parameter to the compute type."""
    with np.errstate(over="ignore"):
        return wide.dtype.type(compute(value))


def _scaled(wide: Array, slope: Any) -> Array:
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        product = slope * wide
        if wide.dtype == np.longdouble:
            product = _off_ties(product, _lost(np.asarray(slope), wide, product))
        return np.where(wide < 0, product, wide)


def _lost(a: Array, b: Array, product: Array) -> Array:
    """What a product of float64 numbers in the longest type has lost: a * b - product (Dekker)."""
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    crossed = (a_high * b_high - product) + a_high * b_low + a_low * b_high
    return np.asarray(crossed + a_low * b_low)


def _halves(values: Array) -> tuple[Array, Array]:
    """Two parts, each short enough that products of two are exact (Veltkamp)."""
    scaled = values * values.dtype.type(2 ** ((np.finfo(values.dtype).nmant + 1) // 2) + 1)
    high = scaled - (scaled - values)
    return high, values - high


def _off_ties(values: Array, lost: Array) -> Array:
    """Moves what only looks like a tie between two float64 numbers to the side of the truth."""
    near = values.astype(np.float64)
    other = np.nextafter(near, np.where(values > near, np.inf, -np.inf))
    limits = np.finfo(np.float64)
    largest = values.dtype.type(limits.max) + np.spacing(limits.max) / values.dtype.type(2)
    is_tie = (values - near == other - values) | (np.abs(values) == largest)
    goal = np.copysign(values.dtype.type(np.inf), lost)
    return np.where(is_tie & (lost != 0), np.nextafter(values, goal), values)


def _derivative(wide: Array, negative: Any, positive: float = 1) -> Array:
    """`negative` where x < 0, `positive` elsewhere, NaN where x is NaN."""
    return np.where(np.isnan(wide), wide, np.where(wide < 0, negative, wide.dtype.type(positive)))
