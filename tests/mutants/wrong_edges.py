"""More wrong kernels: wrong at one length, in one layout, for one number, in one place of a model.

Each of them once passed the whole suite, or a first look at least.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from onnx_acts.conformance.case import Case
from tests.mutants.wrong_kernels import Array, Spoil, Wrong, exactly, first, right

Mask = Callable[[Array, Array], Array]


def from_on(start: int, size: int = 0) -> Spoil:
    """Zeros from an element on; with a size, only where there are just so many elements."""

    def change(x: Array, y: Array) -> Array:
        flat = np.array(y).reshape(-1)
        flat[start:] = 0 if not size or x.size == size else flat[start:]
        return flat.reshape(y.shape)

    return lambda kernel, case: first(case, change)


def with_parameter(change: Callable[[float], float]) -> Spoil:
    """Real attributes are changed before they are used."""

    def spoil(kernel: Wrong, case: Case) -> Sequence[Array]:
        kinds = {a.name: a.kind for a in case.spec.attributes}
        real = {n: change(v) for n, v in case.values.items() if kinds[n] == "real"}
        return right(case, attributes={**case.attributes, **real})

    return spoil


def without(condition: Callable[[Case], bool]) -> Spoil:
    """Zeros where a condition holds."""

    def spoil(kernel: Wrong, case: Case) -> Sequence[Array]:
        outputs = right(case)
        return [np.zeros_like(y) for y in outputs] if condition(case) else outputs

    return spoil


def where_slope(condition: Callable[[Case], bool], wrong: Callable[..., Array]) -> Spoil:
    """Another Y, of x, slope and the right Y, where the layout of the slope is of a kind."""

    def spoil(kernel: Wrong, case: Case) -> Sequence[Array]:
        (y,) = right(case)
        x, slope = case.inputs[0], case.inputs[-1]
        with np.errstate(all="ignore"):
            found = wrong(x, np.broadcast_to(slope, x.shape), y) if condition(case) else y
        return [np.asarray(found).astype(y.dtype)]

    return spoil


def is_planes(case: Case) -> bool:
    """Whether slopes are along another axis than the last."""
    slope = case.inputs[-1]
    return slope.size > 1 and slope.shape[-1] == 1


def is_whole(case: Case) -> bool:
    """Whether each element has a slope."""
    return case.inputs[-1].shape == case.inputs[0].shape


def relu_where_0(x: Array, slope: Array, y: Array) -> Array:
    """A slope of 0 is ReLU, which has no -0 and no NaN."""
    return np.where((slope == 0) & (x < 0), 0, y)


def none_where_nan(x: Array, slope: Array, y: Array) -> Array:
    """A slope that is NaN is left out."""
    return np.where(np.isnan(slope), x, y)


def nan_at_zero(x: Array, slope: Array, y: Array) -> Array:
    """0 is multiplied, too."""
    return np.where((x == 0) & np.isinf(slope), np.nan, y)


def first_slope_alone(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Of more than eight dimensions the strides are not known."""
    x, slope = case.inputs
    one = np.broadcast_to(slope.reshape(-1)[:1], slope.shape)
    return right(case, inputs=[x, one if x.ndim > 8 and slope.size > 1 else slope])


def inner_one(kernel: Wrong, case: Case) -> Sequence[Array]:
    """A 1 between two sizes of the slope ends its pattern."""
    x, slope = case.inputs
    is_inner = slope.ndim > 2 and slope.shape[-2] == 1 < min(slope.shape[-3], slope.shape[-1])
    return right(case, inputs=[x, np.broadcast_to(slope[:1], slope.shape) if is_inner else slope])


def slope_in_memory(kernel: Wrong, case: Case) -> Sequence[Array]:
    """A slope's memory is read in its own order."""
    x, slope = case.inputs
    packed = np.ravel(slope, order="K").reshape(slope.shape)
    return right(case, inputs=[x, slope if slope.flags.c_contiguous else packed])


def seed_as(change: Callable[[int], int]) -> Spoil:
    """The seed is changed before it is used."""
    return lambda kernel, case: right(
        case, attributes={**case.attributes, "seed": change(int(case.values["seed"]))}
    )


def where_many(spoil: Spoil) -> Spoil:
    """Wrong where threads share the elements, else right."""
    return lambda kernel, case: (spoil if case.inputs[0].size > 65_536 else exactly)(kernel, case)


def trained_by_seed(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Who gives a seed wants draws."""
    mode = int(case.values["seed"] != 0 or case.training)
    return right(case, attributes={**case.attributes, "training_mode": mode})


def drawn_for_noise(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Draws are made where the noise is asked for."""
    mode = int(case.training and case.outputs > 1)
    return right(case, attributes={**case.attributes, "training_mode": mode})


def bounds_to_one(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Slopes are never above 1 or below 0."""
    low, high = (min(max(value, 0.0), 1.0) for value in case.real_values)
    return right(case, attributes={**case.attributes, "lower": low, "upper": high})


def nan_by(bits: int) -> Spoil:
    """NaN is known by some of its bits alone; any other one becomes an infinity."""

    def change(x: Array, y: Array) -> Array:
        word = np.dtype(f"u{x.itemsize}")
        is_lost = np.isnan(x) & (x.view(word) & word.type(bits) == 0)
        return np.where(is_lost, x.dtype.type(np.inf), y)

    return lambda kernel, case: first(case, change)


def tail_twice(kernel: Wrong, case: Case) -> Sequence[Array]:
    """The last whole vector overlaps the tail: in place it reads what it has written."""
    outputs = right(case)
    if case.within == "X written over" and case.inputs[0].size % 8 and case.inputs[0].size > 8:
        flat = np.array(outputs[-1].T).reshape(-1)
        (flat[-8:],) = right(case, inputs=[flat[-8:], *case.inputs[1:]], within="", outputs=1)
        outputs[-1] = flat.reshape(outputs[-1].T.shape).T
    return outputs


def loop_has_one_size(kernel: Wrong, case: Case) -> Sequence[Array]:
    """A node in a loop computes as many elements as the first time."""
    outputs = right(case)
    if case.within == "inside subgraphs":
        outputs[2][len(outputs[0]) :] = 0
    return outputs


def one_buffer(kernel: Wrong, case: Case) -> Sequence[Array]:
    """All threads have one buffer; another thread's X is in it by now."""
    before = kernel.kept.get("x", case.inputs[:1])[0]
    kernel.kept["x"] = case.inputs[:1]
    same = case.shared and before.shape == case.inputs[0].shape
    return right(case, inputs=[before, *case.inputs[1:]]) if same else right(case)


def held_once(kernel: Wrong, case: Case) -> Sequence[Array]:
    """What is computed once of constants is gone after the first run."""
    outputs = right(case)
    if case.held and "run" in kernel.kept:
        return [y * 0 for y in outputs]
    kernel.kept["run"] = ()
    return outputs


def nothing_below_zero(kernel: Wrong, case: Case) -> Sequence[Array]:
    """Where nothing is negative, or all is, nothing is written."""
    x, outputs = case.inputs[0], right(case)
    is_one_sided = x.size > 16 and ((x > 0).all() or (x < 0).all())
    return [y * 0 for y in outputs] if is_one_sided else outputs


def beyond_64_bits(value: float) -> float:
    """Numbers beyond a range that seemed wide enough become infinite."""
    return float(np.copysign(np.inf, value)) if abs(value) > 1e300 else value


def flushed_parameter(value: float) -> float:
    """A subnormal float64 is 0."""
    return float(np.copysign(0.0, value)) if abs(value) < 2.3e-308 else value


def clipped_below(value: float) -> float:
    """Parameters go down to -1."""
    return max(value, -1.0) if value > -np.inf else value


def is_odd_scale(case: Case) -> bool:
    """Whether a scale of 8 bits is infinite, tiny or negative."""
    return bool(not 1e-30 < float(case.inputs[1].reshape(-1)[0]) < 1e30)
