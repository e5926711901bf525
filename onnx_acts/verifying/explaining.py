"""What two nodes have differently: the reasons for a difference, as far as they can be seen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, helper, numpy_helper

from onnx_acts.comparing.tolerance import as_double, epsilon, is_real, largest
from onnx_acts.definition.nodes import read_attributes
from onnx_acts.definition.specs import DOMAIN
from onnx_acts.files.structure import STANDARD_DOMAINS, standard_opset, subgraphs
from onnx_acts.verifying.candidates import kind
from onnx_acts.verifying.graphs import Graph, title
from onnx_acts.verifying.guilt import Guilt
from onnx_acts.verifying.judging import coarser, is_tensor
from onnx_acts.verifying.quantities import Grid
from onnx_acts.verifying.values import Value

__all__ = ["is_evident", "reasons"]

_ROUNDED = 4
"""By how many units a constant may differ that was converted to another type."""

_BITS = 1 / 60
"""The share of the largest number by which a constant may differ that was rounded to 8 bits."""

_OTHER = (
    "another operator stands for the reference's, and no difference of their attributes shows in"
    " the files"
)
_SAME = (
    "the operator, its attributes and its constants are those of the reference: what runs the node"
    " computes something else"
)


def is_evident(found: tuple[str, ...]) -> bool:
    """Whether reasons name something that is different in the two files."""
    return not {_SAME, _OTHER}.issuperset(found)


def reasons(guilt: Guilt, model: Graph, reference: Graph) -> tuple[str, ...]:
    """What is different about a guilty node, in words; at least one.

    Args:
        guilt: the node.
        model: its graph.
        reference: the reference's.
    """
    found = [*_overflow(guilt)]
    if guilt.maker is None:
        return tuple(found) or ("the reference has this value without a node",)
    if len(guilt.nodes) == 1 or kind(guilt.node) == kind(guilt.maker):
        found += _operators(guilt, model, reference)
        if kind(guilt.node) == kind(guilt.maker):
            found += _attributes(guilt.node, guilt.maker)
        found += _inputs(guilt, model, reference)
        found += [] if found else _slopes(guilt, model, reference)
        found += _quantized_weight(guilt, model, reference)
        found += _inner(guilt.node, guilt.maker)
    elif not found:
        found.append(f"{len(guilt.nodes)} nodes stand for {title(guilt.maker)} of the reference")
    same = (guilt.node.op_type, guilt.node.domain) == (guilt.maker.op_type, guilt.maker.domain)
    return tuple(found) or (_SAME if same else _OTHER,)


def _overflow(guilt: Guilt) -> Iterator[str]:
    """A number that the element type cannot hold."""
    want, got = guilt.want, guilt.got
    if not (isinstance(want, np.ndarray) and isinstance(got, np.ndarray)):
        return
    if not (is_real(want.dtype) and is_real(got.dtype)) or want.shape != got.shape:
        return
    lost = np.isfinite(as_double(want)) & ~np.isfinite(as_double(got))
    if lost.any():
        most = float(np.abs(as_double(want))[lost].max())
        end = largest(got.dtype)
        if most > end:
            yield (
                f"overflow: the reference has {most:.6g}, and {got.dtype.name} ends at {end:.6g}"
            )
        else:
            yield f"{int(lost.sum())} of {want.size} numbers became infinite or NaN"


def _operators(guilt: Guilt, model: Graph, reference: Graph) -> Iterator[str]:
    node, other = guilt.node, guilt.maker
    assert other is not None
    if (node.op_type, node.domain) != (other.op_type, other.domain):
        if kind(node) != kind(other):
            yield f"{_operator(node)} here, {_operator(other)} in the reference"
        return
    if node.domain not in STANDARD_DOMAINS:
        return
    own, theirs = (standard_opset(graph.source.model) for graph in (model, reference))
    since = [_since(node.op_type, version) for version in (own, theirs)]
    if since[0] != since[1]:
        yield (
            f"opset {own} here, {theirs} in the reference: {node.op_type} was changed in opset"
            f" {max(since)}"
        )


def _operator(node: onnx.NodeProto) -> str:
    return f"{node.domain}.{node.op_type}" if node.domain else node.op_type


def _since(operator: str, opset: int) -> int:
    try:
        return int(onnx.defs.get_schema(operator, opset).since_version)
    except onnx.defs.SchemaError:
        return 0


def _attributes(node: onnx.NodeProto, other: onnx.NodeProto) -> Iterator[str]:
    own, theirs = ({item.name: item for item in n.attribute} for n in (node, other))
    for name in dict.fromkeys((*own, *theirs)):
        pair = [_attribute(attributes.get(name)) for attributes in (own, theirs)]
        if NotImplemented in pair or _is_default(name, pair):
            continue
        if node.op_type != other.op_type and (None in pair or _are_close(*pair)):
            continue
        if pair[0] != pair[1]:
            texts = ["not given" if value is None else _short(value) for value in pair]
            yield f"{name} is {texts[0]} here, {texts[1]} in the reference"


def _are_close(a: Any, b: Any) -> bool:
    """Whether two numbers are the same in float32: operators of ours have more digits."""
    return all(isinstance(x, int | float) for x in (a, b)) and math.isclose(a, b, rel_tol=1e-6)


def _is_default(name: str, pair: list[Any]) -> bool:
    """Whether one of two attributes is not given, and the other is what that means."""
    if None not in pair:
        return False
    value = pair[0] if pair[1] is None else pair[1]
    if name == "kernel_shape":  # that of the weight
        return True
    usual = {"dilations": 1, "strides": 1, "pads": 0, "output_padding": 0}.get(name)
    if usual is not None:
        return all(item == usual for item in value)
    return (name, value) in (("group", 1), ("auto_pad", b"NOTSET"))


def _attribute(attribute: onnx.AttributeProto | None) -> Any:
    """An attribute to compare; NotImplemented for graphs."""
    if attribute is None:
        return None
    if attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS):
        return NotImplemented
    if attribute.type == AttributeProto.TENSOR:
        try:
            return numpy_helper.to_array(attribute.t).tolist()
        except (ValueError, OSError):  # its data is in the file
            return NotImplemented
    value = helper.get_attribute_value(attribute)
    return list(value) if not isinstance(value, int | float | bytes | str) else value


def _short(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    shown = f"{text:.9g}" if isinstance(text, float) else str(text)
    return shown if len(shown) < 60 else f"{shown[:57]}..."


def _inputs(guilt: Guilt, model: Graph, reference: Graph) -> Iterator[str]:
    """Inputs of the same place that are not the same."""
    node, other = guilt.node, guilt.maker
    assert other is not None
    if node.op_type != other.op_type:
        return
    if len(node.input) != len(other.input):
        yield f"{len(node.input)} inputs here, {len(other.input)} in the reference"
    for place, (own, theirs) in enumerate(zip(node.input, other.input, strict=False)):
        a, b = _value(own, guilt.given, model), _value(theirs, guilt.read, reference)
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            is_short = own in guilt.quantized
            text = _differs(a, b, _BITS if is_short else 0.0)
            if text:
                yield f"input {place} ({own!r}; {theirs!r} in the reference) {text}"


def _slopes(guilt: Guilt, model: Graph, reference: Graph) -> Iterator[str]:
    """The slopes of two activations that have them in different places."""
    node, other = guilt.node, guilt.maker
    assert other is not None
    if node.op_type == other.op_type:
        return
    a, b = _slope(node, guilt.given, model), _slope(other, guilt.read, reference)
    if a is None or b is None:
        return
    if a.size == b.size == 1:
        if not math.isclose(a.item(), b.item(), rel_tol=1e-6):
            yield f"its slope is {a.item():.9g} here, {b.item():.9g} in the reference"
    elif a.size == b.size:
        text = _differs(a, b)
        if text:
            yield f"its slope {text}"


def _slope(node: onnx.NodeProto, given: Mapping[str, Value], graph: Graph) -> NDArray[Any] | None:
    """The slope of a LeakyReLU, PReLU or RReLU, whatever the operator; None of anything else."""
    if kind(node) != "slope":
        return None
    if node.op_type in ("PRelu", "PReLU"):
        value = _value(node.input[1], given, graph)
        return value if isinstance(value, np.ndarray) else None
    if node.domain == DOMAIN:
        found = read_attributes(node)
        if node.op_type == "RReLU":
            return np.asarray((found["lower"] + found["upper"]) / 2)
        return np.asarray(found["alpha"])
    alpha = next((item.f for item in node.attribute if item.name == "alpha"), 0.01)
    return np.asarray(alpha)


def _quantized_weight(guilt: Guilt, model: Graph, reference: Graph) -> Iterator[str]:
    """The weight of an operator on 8 bits, as real numbers, if it is not the reference's."""
    node, other = guilt.node, guilt.maker
    assert other is not None
    if node.op_type not in ("QLinearConv", "QLinearMatMul") or len(other.input) < 2:
        return
    weight, scale, zero = (_value(name, guilt.given, model) for name in node.input[3:6])
    right = _value(other.input[1], guilt.read, reference)
    arrays = [item for item in (weight, scale, zero, right) if isinstance(item, np.ndarray)]
    if len(arrays) == 4:
        axis = 0 if node.op_type == "QLinearConv" else -1
        text = _differs(Grid(arrays[1], arrays[2], axis).real(arrays[0]), arrays[3], _BITS)
        if text:
            yield f"its weight {node.input[3]!r} ({other.input[1]!r} in the reference) {text}"


def _value(name: str, given: Mapping[str, Value], graph: Graph) -> Value | None:
    if name in given:
        return given[name]
    return numpy_helper.to_array(graph.loaded(name)) if name in graph.stored else None


def _differs(a: NDArray[Any], b: NDArray[Any], share: float = 0.0) -> str:
    """How one array differs from another, up to a conversion of its type; empty if it does not.

    Args:
        a: what is here.
        b: what is there.
        share: by how much of the largest number any may differ.
    """
    if not (is_tensor(a) and is_tensor(b)) or is_real(a.dtype) != is_real(b.dtype):
        return ""
    if a.shape != b.shape and a.size != b.size:
        return f"has the shape {list(a.shape)} here, {list(b.shape)} there"
    if a.shape != b.shape:
        a = a.reshape(b.shape)
    x, y = as_double(a), as_double(b)
    scale = float(np.abs(y[np.isfinite(y)]).max(initial=0.0))
    eps = _ROUNDED * epsilon(coarser(a.dtype, b.dtype)) if is_real(a.dtype) else 0.0
    with np.errstate(invalid="ignore"):
        near = np.maximum(eps * np.maximum(np.abs(y), 1e-3 * scale), share * scale)
        wrong = ~((np.abs(x - y) <= near) | (x == y))
        wrong &= ~(np.isnan(x) & np.isnan(y))
    if not wrong.any():
        return ""
    if a.ndim >= 2 and a.shape == a.T.shape and np.allclose(x.T, y, rtol=eps, atol=eps * scale):
        return "is transposed"
    with np.errstate(invalid="ignore"):
        apart = np.where(wrong, np.nan_to_num(np.abs(x - y), nan=np.inf), -1.0)
    where = tuple(map(int, np.unravel_index(int(apart.argmax()), apart.shape)))
    return (
        f"differs in {int(wrong.sum())} of {wrong.size} elements, most at {list(where)}:"
        f" {x[where]:.6g} here, {y[where]:.6g} there"
    )


def _inner(node: onnx.NodeProto, other: onnx.NodeProto) -> Iterator[str]:
    """The first difference of each pair of subgraphs."""
    for own, theirs in zip(subgraphs(node), subgraphs(other), strict=False):
        place = f"in its subgraph {own.name!r}" if own.name else "in a subgraph"
        for a, b in zip(own.node, theirs.node, strict=False):
            if a.op_type != b.op_type:
                yield f"{place}: {title(a)} here, {title(b)} in the reference"
                break
            texts = [*_attributes(a, b), *_inner(a, b)]
            yield from (f"{place}: {title(a)}: {text}" for text in texts)
        stored = {item.name: item for item in theirs.initializer}
        for item in own.initializer:
            if item.name in stored:
                arrays = [numpy_helper.to_array(t) for t in (item, stored[item.name])]
                text = _differs(arrays[0], arrays[1])
                if text:
                    yield f"{place}: {item.name!r} {text}"
