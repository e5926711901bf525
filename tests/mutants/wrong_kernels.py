"""Wrong kernels, each as a runtime, and the case of the suite that catches it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from onnx_acts.conformance.case import Case, limits_of, numpy_type
from onnx_acts.definition import reference

Array = np.ndarray[Any, Any]
Spoil = Callable[["Wrong", Case], Sequence[Array]]


class Wrong:
    """A runtime that computes by a function, with the promises of our kernels."""

    title, package, promise = "a wrong kernel", "onnxruntime", "kernel"

    def __init__(self, spoil: Spoil) -> None:
        self.name, self._spoil = "wrong", spoil
        self.kept: dict[object, Sequence[Array]] = {}

    def unavailable(self) -> str:
        """It is always here."""
        return ""

    def unsupported(self, case: Case) -> str:
        """It has an answer to everything."""
        return ""

    def run(self, case: Case) -> list[Array]:
        """What the function makes of the case."""
        with np.errstate(all="ignore"):
            return list(self._spoil(self, case))


def right(case: Case, **changes: Any) -> list[Array]:
    """The correctly rounded outputs, of the case or of one that differs from it."""
    changed = dataclasses.replace(case, **changes)
    with np.errstate(all="ignore"):
        return [np.asarray(reference.rounded(y, case.type_of(y))) for y in changed.exact()]


def first(case: Case, change: Callable[[Array, Array], Array]) -> list[Array]:
    """The right outputs with another Y, from X and the right Y."""
    y, *others = right(case)
    return [np.asarray(change(case.surrounding.arrange(case.inputs[0]), y), y.dtype), *others]


def exactly(kernel: Wrong, case: Case) -> Sequence[Array]:
    """No fault: every case must pass this one."""
    return right(case)


def at_zero(kernel: Wrong, case: Case) -> Sequence[Array]:
    """X <= 0 in place of x < 0."""
    factor = case.inputs[1] if len(case.inputs) > 1 else case.real_values[0]
    return first(case, lambda x, y: np.where(x == 0, x * np.asarray(factor, x.dtype), y))


def exp_minus_one(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The form that cancels, in float64 as in float32."""
    alpha = np.asarray(case.values["alpha"], case.inputs[0].dtype)
    return first(case, lambda x, y: np.where(x < 0, alpha * (np.exp(x) - x.dtype.type(1)), x))


def lost_nan(kernel: Wrong, case: Case) -> Sequence[Array]:
    """max(x, 0) as processors have it."""
    return first(case, lambda x, y: np.where(np.isnan(x), 0, y))


def lost_nan_in_bfloat16(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The rounding adds to NaN's bits, as it does to a number's, and 0x7fff8000 becomes zero."""
    return lost_nan(kernel, case) if case.dtype == "bfloat16" else right(case)


def nan_becomes_infinity(kernel: Wrong, case: Case) -> Sequence[Array]:
    """A NaN whose only bit is the last one of bfloat16 loses it, and an infinity is left."""
    if case.dtype != "bfloat16":
        return right(case)
    return first(
        case,
        lambda x, y: np.where(
            np.isnan(x) & (x.view(np.uint16) & 0x7F == 1), x.dtype.type(np.inf), y
        ),
    )


def scalar_slope_is_one(kernel: Wrong, case: Case) -> Sequence[Array]:
    """A slope of rank 0 is not read."""
    x, slope = case.inputs
    return right(case, inputs=[x, np.ones_like(slope) if slope.ndim == 0 else slope])


def noise_by_columns(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Draws are counted in the order of columns."""
    if not case.training or case.within:
        return right(case)
    turned = right(case, inputs=[np.ascontiguousarray(case.inputs[0].T)])
    return [array.T for array in turned]


def straight_near_zero(kernel: Wrong, case: Case) -> Sequence[Array]:
    """ELU is alpha * x a little too far from zero."""
    alpha = case.values["alpha"]

    def change(x: Array, y: Array) -> Array:
        return np.where((x < 0) & (x > -(2.0**-13)), np.asarray(alpha, x.dtype) * x, y)

    return first(case, change)


def saturates_at_254(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The largest step is never reached."""
    return [np.minimum(y, 254).astype(np.uint8) for y in right(case)]


def slope_rounded_first(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The parameter in the tensor's type."""
    kind = numpy_type(case.dtype)
    attributes = {
        item.name: float(np.asarray(case.values[item.name]).astype(kind))
        for item in case.spec.attributes
        if item.kind == "real"
    }
    return right(case, attributes={**case.attributes, **attributes})


def wrong_axis(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Slopes along the last axis, wherever they belong."""
    x, slope = case.inputs
    places = np.arange(x.size).reshape(x.shape) % max(slope.size, 1)
    taken = slope.reshape(-1)[places] if slope.size else np.broadcast_to(slope, x.shape)
    return right(case, inputs=[x, taken])


def tail_one_short(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The last element of a tail keeps what was in memory."""

    def change(x: Array, y: Array) -> Array:
        flat = np.array(y).reshape(-1)
        flat[-1:] = 0 if x.size % 8 else flat[-1:]
        return flat.reshape(y.shape)

    return first(case, change)


def vector_tail_of_nine(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Whole vectors of 16 and a tail of less than 8: what is between is left out."""

    def change(x: Array, y: Array) -> Array:
        rest = x.size % 16
        flat = np.array(y).reshape(-1)
        flat[x.size - rest : x.size - 8 if rest > 8 else None] *= 0 if rest > 8 else 1
        return flat.reshape(y.shape)

    return first(case, change)


def second_chunk_left_out(kernel: Wrong, case: Case) -> Sequence[Array]:
    """What a second thread had to do is not done."""

    def change(x: Array, y: Array) -> Array:
        flat = np.array(y).reshape(-1)
        flat[65_536:] = 0
        return flat.reshape(y.shape)

    return first(case, change)


def stale_output(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The results of the last call with that shape."""
    key = (case.operator, case.dtype, case.inputs[0].shape, case.outputs, case.within)
    return kernel.kept.setdefault(key, right(case))


def wrong_shape_told(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The runtime believes that all sizes are as the first, and folds Shape so."""
    outputs = right(case)
    if case.within == "Shape":
        outputs[-1] = np.full_like(outputs[-1], outputs[-1][:1])
    return outputs


def branch_taken_early(kernel: Wrong, case: Case) -> Sequence[Array]:
    """An unknown size counts as 1, and If is decided by it."""
    outputs = right(case)
    if case.within == "If":
        outputs[-1] = np.concatenate([outputs[0], outputs[0]])
    return outputs


def tie_away(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Ties go away from zero."""
    (exact, *_), (y, *others) = case.exact(), right(case)
    away = np.nextafter(y, np.copysign(y.dtype.type(np.inf), y))
    wide = exact.dtype.type
    middle = (y.astype(wide) + away.astype(wide)) / 2
    return [np.where(exact == middle, away, y), *others]


def rounded_twice(kernel: Wrong, case: Case) -> Sequence[Array]:
    """To float32 first, then to 16 bits."""
    exact, *_ = case.exact()
    once = reference.rounded(exact, np.float32) if numpy_type(case.dtype).itemsize == 2 else exact
    return [reference.rounded(once, numpy_type(case.dtype)), *right(case)[1:]]


def one_up_in_float64(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The next number up, in float64 alone."""
    if case.dtype != "float64":
        return right(case)
    return first(case, lambda x, y: np.where(x < 0, np.nextafter(y, np.inf), y))


def masked_block(kernel: Wrong, case: Case) -> Sequence[Array]:
    """A Philox block's number in 18 bits: draws come again after 2^20 elements."""
    if not case.training:
        return right(case)
    x = case.inputs[0].reshape(-1)
    pieces = [right(case, inputs=[x[i : i + 2**20]]) for i in range(0, max(x.size, 1), 2**20)]
    return [np.concatenate(p).reshape(case.inputs[0].shape) for p in zip(*pieces, strict=True)]


def dropped_seed_word(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The seed's low 32 bits alone."""
    if "seed" not in case.attributes:
        return right(case)
    return right(
        case, attributes={**case.attributes, "seed": int(case.values["seed"]) & 0xFFFFFFFF}
    )


def trained_by_default(kernel: Wrong, case: Case) -> Sequence[Array]:
    """`training_mode` is 1 where it is absent."""
    if not case.bare or "training_mode" in case.attributes or case.operator != "RReLU":
        return right(case)
    return right(case, attributes={**case.attributes, "training_mode": 1})


def default_in_float32(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Absent parameters have their defaults by way of float32."""
    given = {
        item.name: float(np.float32(item.default))
        for item in case.spec.attributes
        if item.kind == "real" and case.bare
    }
    return right(case, attributes={**given, **case.attributes})


def zero_is_absent(kernel: Wrong, case: Case) -> Sequence[Array]:
    """`alpha or default`."""
    return right(case, attributes={k: v for k, v in case.attributes.items() if v != 0})


def noise_after_y(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Y is written over X, and the noise asks X for its sign afterwards."""
    outputs = right(case)
    if case.within == "X written over" and case.outputs > 1:
        noise, z = outputs
        outputs[0] = np.where(z.T < 0, noise, noise.dtype.type(1))
    return outputs


def flushed(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Subnormal results are zero."""
    kind = numpy_type(case.dtype)
    tiny = kind.type(limits_of(kind).smallest_normal)
    return first(case, lambda x, y: np.where(np.abs(y) < tiny, y * kind.type(0), y))


def lost_negative_zero(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Adding +0 to it makes +0 of -0."""
    return first(case, lambda x, y: y + y.dtype.type(0))


def saturates_early(kernel: Wrong, case: Case) -> Sequence[Array]:
    """ELU is -alpha from -16 on, where float32 still tells the difference."""
    alpha = case.values["alpha"]
    return first(case, lambda x, y: np.where(x < -16, np.asarray(-alpha, y.dtype), y))


def keeps_overflow(kernel: Wrong, case: Case) -> Sequence[Array]:
    """What overflows becomes the largest number."""
    limit = limits_of(numpy_type(case.dtype)).max
    return first(case, lambda x, y: np.where(np.isinf(y) & ~np.isinf(x), np.copysign(limit, y), y))


def zero_times_infinity(kernel: Wrong, case: Case) -> Sequence[Array]:
    """0 times anything is 0."""
    return first(case, lambda x, y: np.where(np.isneginf(x) & np.isnan(y), -0.0, y))


def writes_its_input(kernel: Wrong, case: Case) -> Sequence[Array]:
    """X is used as a buffer."""
    outputs = right(case)
    if case.inputs[0].flags.writeable:
        case.inputs[0].reshape(-1)[:1] = 7
    return outputs


def ignores_strides(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Memory is read in its own order."""
    x = case.inputs[0]
    if x.flags.c_contiguous or x.base is None or x.base.dtype != x.dtype:
        return right(case)
    return right(case, inputs=[np.ravel(x, order="K").reshape(x.shape), *case.inputs[1:]])


def rank_zero_is_one(kernel: Wrong, case: Case) -> Sequence[Array]:
    """A scalar comes back as a vector."""
    return [np.atleast_1d(y) for y in right(case)]


def one_output(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The second output is forgotten."""
    return right(case)[:1]


def enlarges(kernel: Wrong, case: Case) -> Sequence[Array]:
    """A slope that does not fit makes X larger."""
    if not case.refused:
        return right(case)
    shape = np.broadcast_shapes(*(array.shape for array in case.inputs))
    return [np.zeros(shape, case.inputs[0].dtype)]


def says_nothing(kernel: Wrong, case: Case) -> Sequence[Array]:
    """It refuses what it must, without a word."""
    if case.refused:
        raise RuntimeError("invalid argument")
    return right(case)


def takes_any_bounds(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Bounds the wrong way round are taken as they are."""
    return [case.inputs[0]] if case.refused else right(case)


def mean_in_float32(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The mean of two bounds is rounded to float32."""
    low, high = case.real_values
    mean = float(np.float32((low + high) / 2))
    return right(case, attributes={"lower": mean, "upper": mean})


def noise_is_zero_elsewhere(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Where nothing is drawn the noise is 0 in place of 1."""
    y, noise = right(case)
    return [y, np.where(case.inputs[0] < 0, noise, noise.dtype.type(0))]


def flushed_in_vectors(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Subnormal results are zero in whole vectors, and right in the tail."""
    tiny = case.inputs[0].dtype.type(limits_of(case.inputs[0].dtype).smallest_normal)

    def change(x: Array, y: Array) -> Array:
        flat = np.array(y).reshape(-1)
        body = flat[: x.size // 16 * 16]
        body[np.abs(body) < tiny] *= y.dtype.type(0)
        return flat.reshape(y.shape)

    return first(case, change)


def last_of_63(kernel: Wrong, case: Case) -> Sequence[Array]:
    """A tail of 7 loses NaN in its last lane."""

    def change(x: Array, y: Array) -> Array:
        flat = np.array(y).reshape(-1)
        flat[-1:] = np.where(np.isnan(flat[-1:]) & (x.size % 8 == 7), 0, flat[-1:])
        return flat.reshape(y.shape)

    return first(case, change)


def empty_is_float32(kernel: Wrong, case: Case) -> Sequence[Array]:
    """What has no elements has one type."""
    return [y if y.size else y.astype(np.float32) for y in right(case)]


def empty_is_flat(kernel: Wrong, case: Case) -> Sequence[Array]:
    """What has no elements has one dimension."""
    return [y if y.size else y.reshape(-1) for y in right(case)]


def rows_of_three(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Three dimensions are walked through in another order."""
    return [y.T.reshape(y.shape) if y.ndim == 3 else y for y in right(case)]


def channels_share_draws(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The second channel has the draws of the first."""
    y, noise = right(case)
    if noise.ndim > 2 and (case.inputs[0] < 0).all():
        noise = np.array(noise)
        noise[:, 1] = noise[:, 0]
        y = np.asarray(
            reference.rounded(noise.astype(float) * case.inputs[0].astype(float), y.dtype)
        )
    return [y, noise]


class Telling(Wrong):
    """A right runtime that tells a wrong shape of Y."""

    def inferred_shapes(self, case: Case) -> tuple[list[Any], list[Any]]:
        """That of X, and of Y one with a size more where there is none, or with four at most."""
        given: list[Any] = list(case.inputs[0].shape) if case.sizes != "unknown" else []
        return given, given[:4] or [1]


def half_step_up(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Steps of 8 bits: ties go up in place of to even."""
    x, x_scale, x_zero, y_scale, *_ = case.inputs
    (y,) = right(case)
    real = (x.astype(float) - int(x_zero)) * float(x_scale) / float(y_scale)
    tie = (x >= x_zero) & (np.abs(real) % 1 == 0.5) & (np.floor(real) % 2 == 0)
    return [y + (tie & (y < 255)).astype(np.uint8)]


def threads_begin_with_the_first_slope(kernel: Wrong, case: Case) -> Sequence[Array]:
    """A thread's slopes begin anew, wherever in their pattern its first element is."""
    x, slope = case.inputs
    each, begin = np.array(np.broadcast_to(slope, x.shape)).reshape(-1), 32_768
    if x.size > 2 * begin:
        each[begin : 2 * begin] = each[:begin]
    return right(case, inputs=[x, each.reshape(x.shape)])


def looked_up_wrongly(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The first run computes; later ones look into a table without its last entry."""
    if "run" not in kernel.kept:
        kernel.kept["run"] = ()
        return right(case)
    return first(case, lambda x, y: np.where(x.view(np.uint16) == 0xFFFF, y.dtype.type(0), y))


def other_kinds_are_absent(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Attributes that are no tensors are not read."""
    return right(case, attributes={} if case.written != "tensor" else case.attributes)


def noise_over_x(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The noise is written into X's memory before Y is computed."""
    outputs = right(case)
    if case.within == "both outputs inside":
        outputs[0] = right(case, inputs=[outputs[1]])[0]
    return outputs


def sixteen_dimensions(kernel: Wrong, case: Case) -> Sequence[Array]:
    """More dimensions are not counted."""
    y = right(case)[0]
    flat = np.array(y).reshape(-1)
    flat[max(1, flat.size // 2) if y.ndim > 16 else flat.size :] = 0
    return [flat.reshape(y.shape)]


def short_parameters_need_no_care(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Products with a parameter of 14 bits are rounded to float32 first."""
    alpha = np.float32(case.values["alpha"])
    is_short = alpha.view(np.uint32) & 0x3FF == 0
    return rounded_twice(kernel, case) if is_short else right(case)


def list_for_a_scalar(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The first of several scales counts."""
    return [case.inputs[0]] if case.refused else right(case)


def nan_is_the_zero_point(kernel: Wrong, case: Case) -> Sequence[Array]:
    """A step that is NaN becomes the zero point."""
    y = right(case)[0]
    return [np.full_like(y, case.inputs[4]) if np.isnan(case.inputs[1]).any() else y]


@dataclasses.dataclass(frozen=True)
class Caught:
    """A wrong kernel, and by what it is caught.

    Attributes:
        spoil: the kernel.
        operator: the operator of the case.
        dtype: its element type.
        group: its group.
        case: its name.
        quick: whether `--quick` has it too.
    """

    spoil: Spoil
    operator: str
    dtype: str
    group: str
    case: str
    quick: bool = True


_TIES_OF_8_BITS = "3: steps 0.00195 to 0.00391, zeros 128 to 127, planes"

_NEGATIVE = "seed 17, shape (7, 11, 13), negative"

_FULL_RANGE = "1: steps 0.25 to 0.5, zeros 128 to 255, planes"

WRONG_KERNELS: tuple[Caught, ...] = (
    Caught(at_zero, "LeakyReLU", "float32", "attributes", "alpha=-0.5"),
    Caught(at_zero, "PReLU", "bfloat16", "slopes", "slope values: negative"),
    Caught(exp_minus_one, "ELU", "float32", "dense", "defaults"),
    Caught(exp_minus_one, "ELU", "float64", "special", "shifted by 0"),
    Caught(lost_nan, "ReLU", "float16", "special", "shifted by 0"),
    Caught(lost_nan, "ReLU", "float32", "special", "length 3, from 0"),
    Caught(lost_nan_in_bfloat16, "ELU", "bfloat16", "dense", "defaults"),
    Caught(nan_becomes_infinity, "ReLU", "bfloat16", "dense", "defaults"),
    Caught(scalar_slope_is_one, "PReLU", "float16", "slopes", "slope () on (2, 3, 4, 5)"),
    Caught(noise_by_columns, "RReLU", "float16", "training", "seed 0, shape (2, 3, 5)"),
    Caught(straight_near_zero, "ELU", "float16", "dense", "parameter 0.7 larger"),
    Caught(saturates_at_254, "QLinearPReLU", "uint8", "quantized", _FULL_RANGE),
    Caught(slope_rounded_first, "LeakyReLU", "float16", "dense", "defaults"),
    Caught(slope_rounded_first, "LeakyReLU", "bfloat16", "attributes", "alpha=1/3"),
    Caught(slope_rounded_first, "ELU", "bfloat16", "attributes", "alpha=1+3*2^-8"),
    Caught(wrong_axis, "PReLU", "float32", "slopes", "slope (3, 1, 1) on (2, 3, 4, 5)"),
    Caught(tail_one_short, "LeakyReLU", "float32", "shapes", "length 63"),
    Caught(tail_one_short, "ELU", "float64", "special", "length 67, from 32"),
    Caught(vector_tail_of_nine, "ReLU", "float32", "shapes", "length 63"),
    Caught(second_chunk_left_out, "ELU", "float16", "shapes", "length 65537"),
    Caught(stale_output, "ELU", "float32", "special", "shifted by 16"),
    Caught(wrong_shape_told, "PReLU", "float32", "sizes", "Shape, unnamed, (2, 3)"),
    Caught(branch_taken_early, "ELU", "float32", "sizes", "If, unnamed, (2, 3)"),
    Caught(tie_away, "LeakyReLU", "float32", "boundaries", "ties of 1.5"),
    Caught(tie_away, "PReLU", "float64", "boundaries", "ties of 0.5"),
    Caught(tie_away, "LeakyReLU", "float16", "boundaries", "ties of 0.5"),
    Caught(rounded_twice, "LeakyReLU", "float16", "dense", "defaults"),
    Caught(one_up_in_float64, "LeakyReLU", "float64", "dense", "defaults"),
    Caught(one_up_in_float64, "ELU", "float64", "dense", "defaults"),
    Caught(masked_block, "RReLU", "float32", "training", "shape (1048581,)", quick=False),
    Caught(dropped_seed_word, "RReLU", "bfloat16", "training", "seed 1099511627793, shape (1001,)"),
    Caught(trained_by_default, "RReLU", "float32", "attributes", "absent"),
    Caught(trained_by_default, "RReLU", "float16", "attributes", "training_mode absent"),
    Caught(default_in_float32, "LeakyReLU", "float64", "attributes", "absent"),
    Caught(default_in_float32, "RReLU", "float64", "attributes", "upper absent"),
    Caught(zero_is_absent, "ELU", "float32", "attributes", "alpha=0"),
    Caught(noise_after_y, "RReLU", "float32", "sizes", "X written over, unnamed, (37, 53), drawn"),
    Caught(flushed, "LeakyReLU", "float32", "special", "shifted by 0"),
    Caught(flushed, "ELU", "bfloat16", "dense", "defaults"),
    Caught(lost_negative_zero, "ReLU", "float64", "special", "shifted by 0"),
    Caught(saturates_early, "ELU", "float32", "boundaries", "edges"),
    Caught(keeps_overflow, "LeakyReLU", "float16", "attributes", "alpha=16777217"),
    Caught(zero_times_infinity, "PReLU", "float32", "slopes", "slope values: zero"),
    Caught(writes_its_input, "ReLU", "float32", "shapes", "length 24"),
    Caught(ignores_strides, "ReLU", "float32", "shapes", "transposed"),
    Caught(rank_zero_is_one, "ELU", "float32", "shapes", "shape ()"),
    Caught(one_output, "RReLU", "float32", "training", "both bounds 0.1"),
    Caught(enlarges, "PReLU", "float32", "refused", "slope (3,) on (2, 1)"),
    Caught(says_nothing, "PReLU", "float64", "refused", "slope (3,) on (2, 1)"),
    Caught(takes_any_bounds, "RReLU", "float32", "refused", "upper just below lower"),
    Caught(mean_in_float32, "RReLU", "float64", "attributes", "all outputs"),
    Caught(noise_is_zero_elsewhere, "RReLU", "float32", "training", "seed 0, shape (7,)"),
    Caught(flushed_in_vectors, "PReLU", "float16", "special", "shifted by 0"),
    Caught(flushed_in_vectors, "ELU", "float64", "special", "length 63, from 12"),
    Caught(last_of_63, "ReLU", "float32", "special", "length 63, from 12"),
    Caught(last_of_63, "PReLU", "bfloat16", "special", "length 63, from 12"),
    Caught(empty_is_float32, "ELU", "float64", "shapes", "shape (0, 3)"),
    Caught(empty_is_float32, "RReLU", "float16", "training", "seed 0, shape (0, 3)"),
    Caught(empty_is_float32, "QLinearELU", "uint8", "quantized", "shape (0, 3)"),
    Caught(empty_is_flat, "PReLU", "float32", "shapes", "shape (3, 0, 2)"),
    Caught(empty_is_flat, "QLinearPReLU", "uint8", "quantized", "shape (0, 3)"),
    Caught(rows_of_three, "LeakyReLU", "float32", "shapes", "shape (3, 5, 7)"),
    Caught(channels_share_draws, "RReLU", "float32", "training", _NEGATIVE),
    Caught(
        threads_begin_with_the_first_slope,
        "PReLU",
        "float32",
        "slopes",
        "held slope (3,) on (22003, 3), named",
    ),
    Caught(looked_up_wrongly, "ELU", "bfloat16", "dense", "defaults, second run"),
    Caught(other_kinds_are_absent, "LeakyReLU", "float64", "attributes", "written as FLOAT"),
    Caught(other_kinds_are_absent, "RReLU", "float32", "attributes", "written as INT"),
    Caught(noise_over_x, "RReLU", "float32", "sizes", "both outputs inside, unnamed, (2, 3)"),
    Caught(sixteen_dimensions, "ELU", "float16", "shapes", "20 dimensions"),
    Caught(
        short_parameters_need_no_care,
        "LeakyReLU",
        "float16",
        "boundaries",
        "product beside a tie, 14 bits",
        quick=False,
    ),
    Caught(list_for_a_scalar, "QLinearELU", "uint8", "refused", "y_scale of 2 values, held"),
    Caught(nan_is_the_zero_point, "QLinearPReLU", "uint8", "quantized", "scales nan and 0.04"),
    Caught(half_step_up, "QLinearPReLU", "uint8", "quantized", _TIES_OF_8_BITS),
)
"""Which case of the suite catches which wrong kernel."""
