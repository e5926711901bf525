"""What each ONNX operator makes of values that are known as functions of x."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onnx_acts.definition.known import dtype_name
from onnx_acts.graph.meaning import assuming, conditions, values
from onnx_acts.graph.meaning.evaluating import (
    Constant,
    Described,
    Evaluation,
    Operator,
    ShapeOf,
    Unknown,
)
from onnx_acts.graph.meaning.values import Value

__all__ = ["OPERATORS"]

Apply = Callable[[Evaluation, onnx.NodeProto], Described]


def _binary(function: Callable[[Value, Value], Value]) -> Apply:
    """An operator of two values of one type."""

    def apply(evaluation: Evaluation, node: onnx.NodeProto) -> Value:
        u, v = _same_type(evaluation.operands(node), 2)
        return function(u, v)

    return apply


def _unary(function: Callable[[Value], Value]) -> Apply:
    def apply(evaluation: Evaluation, node: onnx.NodeProto) -> Value:
        (u,) = _same_type(evaluation.operands(node), 1)
        return function(u)

    return apply


def _comparison(function: Callable[[Value, Value], Value]) -> Apply:
    def apply(evaluation: Evaluation, node: onnx.NodeProto) -> Value:
        u, v = _same_type(evaluation.operands(node), 2)
        return assuming.compared(evaluation, function, u, v)

    return apply


def _extreme(sign: int) -> Apply:
    """Max and, with sign -1, Min of any number of values."""

    def apply(evaluation: Evaluation, node: onnx.NodeProto) -> Value:
        found, *others = _same_type(evaluation.operands(node), len(node.input))
        for other in others:
            found = assuming.larger(evaluation, found, other, sign)
        return found

    return apply


def _logical(function: Callable[..., Value]) -> Apply:
    """An operator of conditions."""

    def apply(evaluation: Evaluation, node: onnx.NodeProto) -> Value:
        operands = evaluation.operands(node)
        if any(item.at.dtype != bool for item in operands):
            raise Unknown("condition")
        return function(*operands)

    return apply


def _same_type(operands: list[Value], count: int) -> list[Value]:
    """Checks that operands are as many as there must be, and numbers of one type."""
    dtypes = {item.at.dtype for item in operands}
    if len(operands) != count or len(dtypes) != 1 or dtypes.pop().kind in "biu":
        raise Unknown("operands")
    return operands


def _sum(evaluation: Evaluation, node: onnx.NodeProto) -> Value:
    return functools.reduce(values.added, _same_type(evaluation.operands(node), len(node.input)))


def _smaller(u: Value, v: Value) -> Value:
    return values.larger(u, v, -1)


def _subtracted(u: Value, v: Value) -> Value:
    return values.added(u, v, -1)


def _relu(u: Value) -> Value:
    return values.larger(u, values.number(np.zeros(1, u.at.dtype)))


def _expm1(u: Value) -> Value:
    power = values.exponential(u)
    found = values.added(power, values.number(np.ones(1, u.at.dtype)), -1)
    return dataclasses.replace(found, at=np.expm1(u.at))


def _where(evaluation: Evaluation, node: onnx.NodeProto) -> Value:
    condition, *branches = evaluation.operands(node)
    u, v = _same_type(branches, 2)
    if condition.at.dtype != bool:
        raise Unknown("condition")
    return values.chosen(condition, u, v)


def _clip(evaluation: Evaluation, node: onnx.NodeProto) -> Value:
    """A bound that is not given is the largest number: infinity does not pass."""
    found = evaluation.value(node.input[0])
    given, bounds = _attributes(node), []
    for index, (key, sign) in enumerate((("min", -1), ("max", 1))):
        name = node.input[index + 1] if len(node.input) > index + 1 else ""
        if name:
            item = evaluation.described(name)
            if not isinstance(item, Constant) or item.array.size != 1:
                raise Unknown("bound")
            bounds.append(evaluation.constant(item.array, found.permutation))
        else:
            # In the old form bounds are attributes of 32 bits in every element type.
            dtype = np.dtype(np.float32) if evaluation.view.opset < 11 else found.at.dtype
            bound = given.get(key, sign * values.maximum(dtype))
            bounds.append(values.number(np.array([bound]).astype(found.at.dtype)))
    bounds = assuming.clipped_once(evaluation, found, bounds)
    for bound, function in zip(bounds, (values.larger, _smaller), strict=True):
        found = function(*_same_type([found, bound], 2))
    return found


def _elu(evaluation: Evaluation, node: onnx.NodeProto) -> Value:
    """where(u < 0, alpha*(exp(u) - 1), u); Celu with alpha 1 and Selu with gamma 1 are the same."""
    given = _attributes(node)
    alpha = float(given.get("alpha", 1.67326319217681884765625 if node.op_type == "Selu" else 1.0))
    if node.op_type == "Selu" and given.get("gamma") != 1:
        raise Unknown("Selu")
    if node.op_type == "Celu" and alpha != 1:
        alpha = evaluation.assume("its alpha is not 1", 1.0)
    u = evaluation.value(node.input[0])
    constant = [values.number(np.array([n]).astype(u.at.dtype)) for n in (alpha, 1.0, 0.0)]
    power = values.exponential(_smaller(u, constant[2]))
    return values.added(
        _relu(u), values.multiplied(constant[0], values.added(power, constant[1], -1))
    )


def _cast(evaluation: Evaluation, node: onnx.NodeProto) -> Described:
    to = dtype_name(_attributes(node).get("to", 0), node.output[0])
    return _converted(evaluation, evaluation.described(node.input[0]), to)


def _cast_like(evaluation: Evaluation, node: onnx.NodeProto) -> Described:
    known = evaluation.view.dtype(node.input[1]) or evaluation.view.dtype(node.output[0])
    item = evaluation.described(node.input[0])
    return _converted(evaluation, item, known or evaluation.dtype.name)


def _converted(evaluation: Evaluation, item: Described, to: str | None) -> Described:
    dtype = np.dtype(to or "O")
    if isinstance(item, Constant) and item.array.dtype.kind not in "OSU":
        return Constant(item.array.astype(_real(dtype)))
    if not isinstance(item, Value):
        raise Unknown("shape")
    if dtype == item.at.dtype:
        return item
    if dtype.kind == "b" or (dtype.kind in "iu" and item.at.dtype.kind == "b"):
        return conditions.as_mask(item, dtype)
    return values.converted(item, _real(dtype), evaluation.dtype)


def _real(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """An element type that is a floating-point number."""
    if dtype.name not in ("float16", "bfloat16", "float32", "float64"):
        raise Unknown(dtype.name)
    return dtype


def _identity(evaluation: Evaluation, node: onnx.NodeProto) -> Described:
    return evaluation.described(node.input[0])


def _transpose(evaluation: Evaluation, node: onnx.NodeProto) -> Described:
    item = evaluation.described(node.input[0])
    given = _attributes(node).get("perm")
    if isinstance(item, Constant):
        return Constant(item.array.transpose(given))
    rank = len(evaluation.view.shape(evaluation.x) or given or ())
    axes = tuple(given or reversed(range(rank)))
    if not isinstance(item, Value) or len(axes) != rank:
        raise Unknown("rank")
    before = item.permutation or tuple(range(rank))
    after = tuple(before[axis] for axis in axes)
    order = () if after == tuple(range(rank)) else after
    return dataclasses.replace(item, permutation=order)


def _shape(evaluation: Evaluation, node: onnx.NodeProto) -> ShapeOf:
    given = _attributes(node)
    if given.get("start", 0) != 0 or "end" in given:
        raise Unknown("part of a shape")
    return ShapeOf(evaluation.value(node.input[0]).permutation)


def _expand(evaluation: Evaluation, node: onnx.NodeProto) -> Described:
    """A constant with x's shape; it is seen later whether it fits."""
    item, view = evaluation.described(node.input[0]), evaluation.view
    if not isinstance(item, Constant):
        raise Unknown("variable")
    known = view.shape(node.output[0])
    if known is not None and None not in known and known == view.shape(evaluation.x):
        return item
    shape = evaluation.described(node.input[1])
    if not isinstance(shape, ShapeOf):
        raise Unknown("shape")
    evaluation.constant(item.array, shape.permutation)
    return item


def _constant_of_shape(evaluation: Evaluation, node: onnx.NodeProto) -> Described:
    if not isinstance(evaluation.described(node.input[0]), ShapeOf):
        raise Unknown("shape")
    given = _attributes(node).get("value")
    return Constant(
        np.zeros((), np.float32) if given is None else numpy_helper.to_array(given).reshape(())
    )


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def _with(*names: str) -> frozenset[str]:
    return frozenset(names)


OPERATORS: Mapping[str, Operator] = {
    "Abs": Operator(_unary(values.absolute), "abs({0})", bends=True, ends=True),
    "Add": Operator(_binary(values.added), "{0} + {1}", ends=True),
    "And": Operator(_logical(conditions.both), "({0} and {1})"),
    "Cast": Operator(_cast, attributes=_with("to", "saturate")),
    "CastLike": Operator(_cast_like, attributes=_with("saturate")),
    "Celu": Operator(_elu, "celu({0})", bends=True, ends=True, attributes=_with("alpha")),
    "Clip": Operator(_clip, "clip({0})", bends=True, ends=True, attributes=_with("min", "max")),
    "ConstantOfShape": Operator(_constant_of_shape, attributes=_with("value")),
    "Div": Operator(_binary(values.divided), "{0}/{1}", ends=True),
    "Elu": Operator(_elu, "elu({0})", bends=True, attributes=_with("alpha")),
    "Equal": Operator(_binary(conditions.equal), "({0} == {1})", bends=True),
    "Exp": Operator(_unary(values.exponential), "exp({0})"),
    "Expand": Operator(_expand),
    "Expm1": Operator(_unary(_expm1), "expm1({0})"),  # none of ONNX, but tf2onnx writes it
    "Greater": Operator(_comparison(conditions.greater), "({0} > {1})", bends=True),
    "GreaterOrEqual": Operator(_comparison(conditions.at_least), "({0} >= {1})", bends=True),
    "Identity": Operator(_identity),
    "Less": Operator(_comparison(conditions.less), "({0} < {1})", bends=True),
    "LessOrEqual": Operator(_comparison(conditions.at_most), "({0} <= {1})", bends=True),
    "Max": Operator(_extreme(1), "max({all})", bends=True, ends=True),
    "Min": Operator(_extreme(-1), "min({all})", bends=True, ends=True),
    "Mul": Operator(_binary(values.multiplied), "{0}*{1}", ends=True),
    "Neg": Operator(_unary(values.negated), "-{0}", ends=True),
    "Not": Operator(_logical(conditions.denied), "not {0}"),
    "Or": Operator(_logical(conditions.either), "({0} or {1})"),
    "Relu": Operator(_unary(_relu), "relu({0})", bends=True),
    "Selu": Operator(_elu, "selu({0})", bends=True, ends=True, attributes=_with("alpha", "gamma")),
    "Shape": Operator(_shape, attributes=_with("start", "end")),
    "Sign": Operator(_unary(values.signed), "sign({0})", bends=True),
    "Sub": Operator(_binary(_subtracted), "{0} - {1}", ends=True),
    "Sum": Operator(_sum, "sum({all})", ends=True),
    "Transpose": Operator(_transpose, attributes=_with("perm")),
    "Where": Operator(_where, "where({0}, {1}, {2})", bends=True, ends=True),
}
"""The operators that are understood."""
