"""The decompositions of activations that exporters and authors leave in graphs.

Each pattern is a function of a view and the last node of the candidate. It matches only where the
activation gives the same value for every input (the sign of a zero may differ: a formula such as
0 - w*0 loses it), or, marked `is_approximate`, the same in exact arithmetic for finite input.

Constants must be finite: 0 times infinity is NaN, which the activations do not give at x = 0.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import onnx

from onnx_acts.graph.matching import (
    Match,
    Part,
    Sign,
    either_way,
    fits,
    is_constant,
    scalar,
    sign_test,
    where_negative,
)
from onnx_acts.graph.view import Array, View

__all__ = ["DECOMPOSITIONS", "Pattern"]

Pattern = Callable[[View, onnx.NodeProto], Match | None]


def maximum(view: View, root: onnx.NodeProto) -> Match | None:
    """max(slope*x, x) with slope <= 1. Above 1 it is another function; 0 gives NaN at infinity."""
    for scaled, x in either_way(root):
        found = _scaled(view, scaled, x)
        slope = None if found is None else _values(view, found.slope)
        if found is None or slope is None:
            continue
        if np.all(slope <= 1) and np.all(slope != 0):
            return dataclasses.replace(found, form="max(slope*x, x)", inner=(scaled,))
    return None


def two_relus(view: View, root: onnx.NodeProto) -> Match | None:
    """relu(x) - w*relu(-x) and relu(x) + w*min(x, 0), as Keras writes PReLU; w constant."""
    for positive, negative in either_way(root):
        if root.op_type == "Sub" and positive != root.input[0]:
            continue
        first = _relu_of(view, positive)
        if first is None:
            continue
        found = _weighted_negative_part(view, negative, first.source)
        if found is None:
            continue
        weight, sign, inner = found
        values = view.constant(weight)
        if values is None or not values.size or not np.all(np.isfinite(values)):
            continue
        same = (sign > 0) != (root.op_type == "Sub")
        return Match(
            form="relu(x) - w*relu(-x)",
            operator="PReLU",
            x=first.source,
            slope=_stored(view, weight) if same else np.asarray(-values),
            inner=(*first.inner, *inner),
        )
    return None


def selected_by_sign(view: View, root: onnx.NodeProto) -> Match | None:
    """where(x < 0, f(x), x) and its variants, where f is LeakyReLU's, PReLU's or ELU's."""
    sign = sign_test(view, root.input[0])
    if sign is None:
        return None
    negative, positive = root.input[1:] if sign.negative_if_true else reversed(root.input[1:])
    if positive != sign.x:
        return None
    found = _exponential(view, negative, sign) or _scaled(view, negative, sign.x)
    if found is None:
        return None
    is_variable = found.slope is not None and _values(view, found.slope) is None
    if is_variable and sign.zero_is_negative and not view.is_tolerant:
        return None  # such a slope may be infinite, and x = 0 must not meet it
    return dataclasses.replace(
        found, form=f"where(x < 0, {found.form}, x)", inner=(*found.inner, *sign.inner)
    )


def absolute(view: View, root: onnx.NodeProto) -> Match | None:
    """p*x + q*abs(x) with p + q = 1, that is 0.5*(1+slope)*x + 0.5*(1-slope)*abs(x)."""
    for first, second in either_way(root):
        for p_name, x in either_way(view.standard_maker(first, "Mul")):
            for q_name, magnitude in either_way(view.standard_maker(second, "Mul")):
                node = view.standard_maker(magnitude, "Abs")
                p, q = scalar(view, p_name, x), scalar(view, q_name, x)
                if node is None or node.input[0] != x or p is None or q is None:
                    continue
                if abs(p + q - 1) > _precision(view, p_name):
                    continue
                return Match(
                    form="p*x + q*abs(x)",
                    operator="LeakyReLU",
                    x=x,
                    attributes={"alpha": p - q},
                    inner=(first, second, magnitude),
                    is_approximate=True,
                )
    return None


DECOMPOSITIONS: Mapping[str, tuple[Pattern, ...]] = {
    "Max": (maximum,),
    "Sub": (two_relus,),
    "Add": (two_relus, absolute),
    "Where": (selected_by_sign,),
}
"""The patterns by the operator of their last node."""


def _scaled(view: View, name: str, x: str) -> Match | None:
    """slope*x or x/a: a LeakyReLU's or PReLU's negative branch."""
    for slope, value in either_way(view.standard_maker(name, "Mul")):
        if value == x and fits(view, slope, x):
            return _with_slope(view, _stored(view, slope), name, x)
    node = view.standard_maker(name, "Div")
    if node is None or node.input[0] != x or not fits(view, node.input[1], x):
        return None
    divisor = view.constant(node.input[1])
    if divisor is None or not np.all(np.isfinite(divisor) & (divisor != 0)):
        return None
    with np.errstate(over="ignore", under="ignore"):
        inverse = (1 / divisor.astype(np.float64)).astype(divisor.dtype)
    found = _with_slope(view, inverse, name, x)
    # A power of two has an exact inverse (a half, a quarter); any other is rounded.
    exact = np.all(np.abs(np.frexp(divisor.astype(np.float64))[0]) == 0.5)
    if found is None:
        return None
    return dataclasses.replace(found, form="x/a", is_approximate=not exact)


def _with_slope(view: View, slope: str | Array, name: str, x: str) -> Match | None:
    """A LeakyReLU where the slope is one constant, else a PReLU."""
    values = _values(view, slope)
    if values is not None and (values.size == 0 or not np.all(np.isfinite(values))):
        return None
    if values is not None and values.size == 1:
        alpha = float(values.reshape(-1)[0])
        return Match("slope*x", "LeakyReLU", x, {"alpha": alpha}, slope=slope, inner=(name,))
    return Match("slope*x", "PReLU", x, slope=slope, inner=(name,))


def _values(view: View, slope: str | Array | None) -> Array | None:
    return view.constant(slope) if isinstance(slope, str) else slope


def _stored(view: View, name: str) -> str | Array:
    """A value by its name, or, where nodes compute it from constants, what they compute."""
    values = view.constant(name)
    node = view.maker(name)
    return name if values is None or node is None or node.op_type == "Constant" else values


def _relu_of(view: View, name: str) -> Part | None:
    """relu(x) or max(x, 0), with any x."""
    node = view.standard_maker(name, "Relu")
    if node is not None:
        return Part(node.input[0], (name,))
    for x, zero in either_way(view.standard_maker(name, "Max")):
        if is_constant(view, zero, 0, x):
            return Part(x, (name,))
    return None


def _weighted_negative_part(
    view: View, name: str, x: str
) -> tuple[str, int, tuple[str, ...]] | None:
    """w*relu(-x) or w*min(x, 0): the weight, the sign of the part, the values on the way."""
    for weight, part in either_way(view.standard_maker(name, "Mul")):
        found = _negative_part(view, part, x)
        if found is not None and fits(view, weight, x):
            sign, inner = found
            return weight, sign, (name, *inner)
    return None


def _negative_part(view: View, name: str, x: str) -> tuple[int, tuple[str, ...]] | None:
    """relu(-x), which is positive, or -relu(-x) or min(x, 0), which are negative."""
    negation = view.standard_maker(name, "Neg")
    if negation is not None:
        inner = _relu_of_opposite(view, negation.input[0], x)
        return None if inner is None else (1, (name, *inner))
    for value, zero in either_way(view.standard_maker(name, "Min")):
        if value == x and is_constant(view, zero, 0, x):
            return 1, (name,)
    inner = _relu_of_opposite(view, name, x)
    return None if inner is None else (-1, inner)


def _relu_of_opposite(view: View, name: str, x: str) -> tuple[str, ...] | None:
    """relu(-x)."""
    found = _relu_of(view, name)
    opposite = None if found is None else view.standard_maker(found.source, "Neg")
    if found is None or opposite is None or opposite.input[0] != x:
        return None
    return (*found.inner, found.source)


def _exponential(view: View, name: str, sign: Sign) -> Match | None:
    """alpha*expm1(x) or expm1(x): an ELU's negative branch."""
    for factor, value in (("", name), *either_way(view.standard_maker(name, "Mul"))):
        alpha = scalar(view, factor, sign.x) if factor else 1.0
        part = _expm1(view, value, sign.x)
        if alpha is None or part is None:
            continue
        return Match(
            f"{'alpha*' if factor else ''}expm1(x)",
            "ELU",
            sign.x,
            {"alpha": alpha},
            inner=(name, *part.inner) if factor else part.inner,
            # Where NaN takes this side and is not kept, the form gives a number for it.
            is_approximate=sign.nan_is_negative and not part.keeps_nan,
        )
    return None


def _expm1(view: View, name: str, x: str) -> Part | None:
    """exp(x) - 1 or exp(x) + (-1)."""
    difference = view.standard_maker(name, "Sub")
    if difference is not None and is_constant(view, difference.input[1], 1, x):
        return _through(name, _exp(view, difference.input[0], x))
    for power, minus_one in either_way(view.standard_maker(name, "Add")):
        part = _exp(view, power, x)
        if part is not None and is_constant(view, minus_one, -1, x):
            return _through(name, part)
    return None


def _exp(view: View, name: str, x: str) -> Part | None:
    node = view.standard_maker(name, "Exp")
    return None if node is None else _through(name, where_negative(view, node.input[0], x))


def _through(name: str, part: Part | None) -> Part | None:
    """A part with one more value on the way to it."""
    return None if part is None else dataclasses.replace(part, inner=(name, *part.inner))


def _precision(view: View, name: str) -> float:
    """How far the sum of two rounded constants may be from 1."""
    array = view.constant(name)
    return 0.0 if array is None else 2.0 ** -{2: 7, 4: 22, 8: 51}.get(array.dtype.itemsize, 51)
