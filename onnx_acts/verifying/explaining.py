"""What two nodes have differently: the reasons for a difference, as far as they can be seen."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from onnx_acts.comparing.tolerance import as_double, is_real, largest
from onnx_acts.definition.nodes import read_attributes
from onnx_acts.definition.specs import DOMAIN, QUANTIZED, SPECS
from onnx_acts.files.structure import STANDARD_DOMAINS, standard_opset
from onnx_acts.verifying.arrays import differs
from onnx_acts.verifying.attributes import attributes
from onnx_acts.verifying.candidates import kind
from onnx_acts.verifying.graphs import Graph, title
from onnx_acts.verifying.guilt import Guilt
from onnx_acts.verifying.inside import inner_differences, is_activation
from onnx_acts.verifying.judging import coarser
from onnx_acts.verifying.quantities import Grid
from onnx_acts.verifying.values import Value

__all__ = [
    "differing_inputs",
    "inner_parameters",
    "is_evident",
    "parameters",
    "reasons",
    "slope_input",
    "turned",
    "value_of",
]

_BITS = 1 / 60
"""The share of the largest number by which a constant may differ that was rounded to 8 bits."""

_SLOPE_PLACES = {
    "PRelu": 1,
    **{x.name: x.inputs.index("slope") for x in (*SPECS, *QUANTIZED) if "slope" in x.inputs},
}
"""Where operators have a slope among their inputs."""

_OTHER = (
    "another operator stands for the reference's, and no difference of their attributes shows in"
    " the files"
)
_SAME = (
    "the operator, its attributes and its constants are those of the reference: what runs the node"
    " computes something else"
)
_ONE_OF = (
    "one of several nodes is at fault: the reference has nothing to compare the values between with"
)


def is_evident(found: tuple[str, ...]) -> bool:
    """Whether reasons name something that is different in the two files."""
    return not {_SAME, _OTHER, _ONE_OF}.issuperset(found)


def reasons(
    guilt: Guilt, model: Graph, reference: Graph, *, counts_clamped: bool = True
) -> tuple[str, ...]:
    """What is different about a guilty node, in words; at least one.

    Args:
        guilt: the node.
        model: its graph.
        reference: the reference's.
        counts_clamped: whether numbers count that the model's element type cannot hold. They are
            no evidence by themselves: a mask of -1e4 may do what one of -1e9 does.
    """
    found = [*_overflow(guilt)] if counts_clamped else []
    if guilt.maker is None:
        return tuple(found) or ("the reference has this value without a node",)
    if len(guilt.nodes) == 1 or kind(guilt.node) == kind(guilt.maker):
        found += _operators(guilt, model, reference)
        if kind(guilt.node) == kind(guilt.maker):
            opsets = standard_opset(model.source.model), standard_opset(reference.source.model)
            nodes = guilt.node, guilt.maker
            found += attributes(*nodes, opsets, counts_clamped=counts_clamped)
        found += _inputs(guilt, model, reference, counts_clamped=counts_clamped)
        found += [] if found else _slopes(guilt, model, reference)
        found += _quantized_weight(guilt, model, reference)
        found += [text for _, text in inner_differences(guilt, model, reference, _slope)]
    elif not found:
        found.append(f"{len(guilt.nodes)} nodes stand for {title(guilt.maker)} of the reference")
    same = (guilt.node.op_type, guilt.node.domain) == (guilt.maker.op_type, guilt.maker.domain)
    if len(guilt.nodes) > 1:
        return tuple(found) or (_ONE_OF,)
    return tuple(found) or (_SAME if same else _OTHER,)


def turned(text: str) -> str:
    """A reason in which "here" was the reference, as its nodes were walked."""
    for word, other in (
        ("the reference", "the model"),
        (" here,", " in the reference,"),
        (" there", " in the model"),
    ):
        text = text.replace(word, other)
    return text


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


def parameters(guilt: Guilt, model: Graph, reference: Graph) -> list[str]:
    """What an activation's parameters have differently from another's of its kind."""
    assert guilt.maker is not None
    found = [*attributes(guilt.node, guilt.maker), *_inputs(guilt, model, reference)]
    found = found or [*_slopes(guilt, model, reference)]
    a, b = _slope(guilt.node, guilt.known, model), _slope(guilt.maker, guilt.read, reference)
    has_more = guilt.node.op_type == guilt.maker.op_type == "RReLU"  # two bounds
    if found and not has_more and a is not None and b is not None and _is_rounded(guilt, a, b):
        return []
    return found


def _operators(guilt: Guilt, model: Graph, reference: Graph) -> Iterator[str]:
    node, other = guilt.node, guilt.maker
    assert other is not None
    if (node.op_type, node.domain) != (other.op_type, other.domain):
        if kind(node) != kind(other) or (
            "Celu" in (node.op_type, other.op_type) and _slope(node, {}, model) != 1
        ):
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


def _inputs(
    guilt: Guilt, model: Graph, reference: Graph, *, counts_clamped: bool = True
) -> Iterator[str]:
    """Inputs of the same place that are not the same, in words."""
    node, other = guilt.node, guilt.maker
    assert other is not None
    if node.op_type == other.op_type and len(node.input) != len(other.input):
        yield f"{len(node.input)} inputs here, {len(other.input)} in the reference"
    for place, text in differing_inputs(guilt, model, reference, counts_clamped=counts_clamped):
        own, theirs = node.input[place], other.input[place]
        yield f"input {place} ({own!r}; {theirs!r} in the reference) {text}"


def differing_inputs(
    guilt: Guilt, model: Graph, reference: Graph, *, counts_clamped: bool = True
) -> Iterator[tuple[int, str]]:
    """The places of the inputs that are not the same, each with how they differ.

    Of a node that reads what the reference's reads, only constants may differ.
    """
    node, other = guilt.node, guilt.maker
    assert other is not None
    if node.op_type != other.op_type:
        return
    for place, (own, theirs) in enumerate(zip(node.input, other.input, strict=False)):
        if guilt.is_sure and not (own in guilt.fixed or model.is_constant(own)):
            continue
        a, b = value_of(own, guilt.known, model), value_of(theirs, guilt.read, reference)
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            text = differs(a, b, *_coarseness(guilt, own), counts_clamped=counts_clamped)
            if text:
                yield place, text


def _coarseness(guilt: Guilt, name: str) -> tuple[float, float]:
    """The share of the largest number, and the step, by which rounding to 8 bits moves a value."""
    step = guilt.quantized.get(name)
    return (0.0, 0.0) if step is None else (_BITS, step)


def _slopes(guilt: Guilt, model: Graph, reference: Graph) -> Iterator[str]:
    """The slopes, or alphas, of two activations that have them in different places."""
    node, other = guilt.node, guilt.maker
    assert other is not None
    if node.op_type == other.op_type:
        return
    a, b = _slope(node, guilt.known, model), _slope(other, guilt.read, reference)
    if a is None or b is None:
        return
    word = "slope" if kind(node) == "slope" else "alpha"
    share, step = _coarseness(guilt, slope_input(node) or "")
    if a.size != b.size and 1 in (a.size, b.size):
        a, b = (np.broadcast_to(x.reshape(-1), max(a.size, b.size)) for x in (a, b))
    if a.size != b.size or _is_rounded(guilt, a, b):
        return
    if a.size == 1:
        if abs(a.item() - b.item()) > max(share * abs(b.item()), step, 1e-6 * abs(b.item())):
            yield f"its {word} is {a.item():.9g} here, {b.item():.9g} in the reference"
    else:
        text = differs(a, b, share, step)
        if text:
            yield f"its {word} {text}"


def _is_rounded(guilt: Guilt, a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether a parameter is the other's as its own node's element type holds it.

    Of a network in float16 the slope is one of float16, be it a tensor or, where a tool has made
    it one, an attribute.
    """
    for own, other, made in ((a, b, guilt.got), (b, a, guilt.want)):
        types = [own.dtype, *([made.dtype] if isinstance(made, np.ndarray) else [])]
        coarsest = functools.reduce(coarser, filter(is_real, types), np.dtype(np.float64))
        if own.size == other.size and np.array_equal(
            as_double(own).reshape(-1), as_double(other.astype(coarsest)).reshape(-1)
        ):
            return True
    return False


def _slope(node: onnx.NodeProto, given: Mapping[str, Value], graph: Graph) -> NDArray[Any] | None:
    """The slope of a LeakyReLU, PReLU or RReLU, or the alpha of an ELU, whatever the operator."""
    if kind(node) not in ("slope", "elu"):
        return None
    name = slope_input(node)
    if name is not None:
        value = value_of(name, given, graph)
        return value if isinstance(value, np.ndarray) else None
    if node.domain == DOMAIN:
        found = read_attributes(node)
        if node.op_type == "RReLU":
            return np.asarray((found["lower"] + found["upper"]) / 2)
        return np.asarray(found["alpha"])
    usual = 0.01 if kind(node) == "slope" else 1.0
    return np.asarray(next((item.f for item in node.attribute if item.name == "alpha"), usual))


def slope_input(node: onnx.NodeProto) -> str | None:
    """The input that is the slope of an activation; None where an attribute is, or nothing."""
    place = _SLOPE_PLACES.get(node.op_type)
    return None if place is None else node.input[place]


def _quantized_weight(guilt: Guilt, model: Graph, reference: Graph) -> Iterator[str]:
    """The weight of an operator on 8 bits, as real numbers, if it is not the reference's."""
    node, other = guilt.node, guilt.maker
    assert other is not None
    if node.op_type not in ("QLinearConv", "QLinearMatMul") or len(other.input) < 2:
        return
    weight, scale, zero = (value_of(name, guilt.given, model) for name in node.input[3:6])
    right = value_of(other.input[1], guilt.read, reference)
    arrays = [item for item in (weight, scale, zero, right) if isinstance(item, np.ndarray)]
    if len(arrays) == 4:
        axis = 0 if node.op_type == "QLinearConv" else -1
        text = differs(Grid(arrays[1], arrays[2], axis).real(arrays[0]), arrays[3], _BITS)
        if text:
            yield f"its weight {node.input[3]!r} ({other.input[1]!r} in the reference) {text}"


def value_of(name: str, given: Mapping[str, Value], graph: Graph) -> Value | None:
    """A value that a node is given, or that its graph stores; None where neither is known."""
    if name in given:
        return given[name]
    return numpy_helper.to_array(graph.loaded(name)) if name in graph.stored else None


def inner_parameters(guilt: Guilt, model: Graph, reference: Graph) -> list[str]:
    """What the activations in a node's subgraphs have differently."""
    found = inner_differences(guilt, model, reference, _slope)
    return [text for node, text in found if is_activation(node)]
