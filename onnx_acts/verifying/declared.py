"""Differences that the files declare and the values hide: another slope, behind 8 bits, say.

Of a network on 8 or 16 bits, a node may be another one than the reference's and stay within what
rounding explains. What is written in the two files tells. A difference there counts where the
node reads what the reference's reads; of the parameters of an activation, always; of anything else
only if the reference's own node makes something else when it is given the model's attributes and
constants: `axis=-1` may be the same as `axis=3`.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx

from onnx_acts.comparing.difference import difference_of
from onnx_acts.comparing.tolerance import is_real, tolerance_of
from onnx_acts.files.structure import STANDARD_DOMAINS
from onnx_acts.verifying.arrays import as_there
from onnx_acts.verifying.bodies import with_attributes
from onnx_acts.verifying.candidates import kind
from onnx_acts.verifying.counterparts import Counterparts
from onnx_acts.verifying.explaining import (
    differing_inputs,
    inner_parameters,
    is_evident,
    parameters,
    reasons,
    value_of,
)
from onnx_acts.verifying.graphs import Graph, names_read
from onnx_acts.verifying.guilt import Guilt
from onnx_acts.verifying.judging import is_tensor
from onnx_acts.verifying.lanes import Side, draws
from onnx_acts.verifying.quantities import is_converting
from onnx_acts.verifying.stepping import Step, StepError
from onnx_acts.verifying.values import Value

__all__ = ["is_declared", "is_other_activation"]

_ACTIVATIONS = frozenset(
    [
        "slope",
        "elu",
        "relu",
        "Clip",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "Mish",
        "Selu",
        "Shrink",
        "Sigmoid",
        "Softplus",
        "Softsign",
        "Swish",
        "Tanh",
        "ThresholdedRelu",
    ]
)
"""Kinds of functions of one value: one in the place of another is another network."""


def is_declared(known: Counterparts, model: Graph, reference: Side, found: Guilt) -> bool:
    """Whether a node that stands in the place of the reference's is written as another one.

    Args:
        known: the values of the walk.
        model: the graph of the node.
        reference: the other one.
        found: the node and its counterpart, whether or not the values differ.
    """
    node, maker = found.node, found.maker
    if maker is None or not known.reads_alike(node, maker):
        return False
    pair = {kind(node), kind(maker)}
    if is_converting(node):  # two ways to quantize are one network, but for what its users read
        is_output = found.output in known.pairs and pair == {"QuantizeLinear"}
        return is_output and any(differing_inputs(found, model, reference.graph))
    if len(pair) > 1 or pair <= {"slope", "elu"}:
        return is_other_activation(known, model, reference, found)
    written = reasons(found, model, reference.graph, counts_clamped=False)
    return is_evident(written) and (
        draws(node)
        or any(inner_parameters(found, model, reference.graph))
        or (_is_read_alike(model, reference.graph, found) and _has_effect(model, reference, found))
    )


def is_other_activation(known: Counterparts, model: Graph, reference: Side, found: Guilt) -> bool:
    """Whether one activation stands in the place of another, or has other parameters."""
    node, maker = found.node, found.maker
    assert maker is not None
    pair = {kind(node), kind(maker)}
    if len(pair) > 1:
        return pair <= _ACTIVATIONS and _is_other(known, reference, found)
    is_celu = node.op_type != maker.op_type and "Celu" in (node.op_type, maker.op_type)
    differs = any(parameters(found, model, reference.graph))
    return differs or (is_celu and _is_other(known, reference, found))


def _is_other(known: Counterparts, reference: Side, found: Guilt) -> bool:
    """Whether the reference's activation makes something else of what the model's reads."""
    maker, lanes = found.maker, known.lanes
    assert maker is not None
    if found.counterpart not in maker.output:  # there are nodes between
        return False
    given = dict(found.read)
    for name, value in found.given.items():
        pair = known.matches.get(name)
        if pair in given and isinstance(value, np.ndarray) and is_tensor(value):
            is_short = name in lanes.grids and not is_real(value.dtype)
            real = lanes.grids[name].real(value) if is_short else value
            given[pair] = real.astype(_dtype(given[pair]))
    want = _made(reference, maker, given, found.counterpart)
    got = found.got
    if not (isinstance(want, np.ndarray) and isinstance(got, np.ndarray)):
        return False
    half = 0.0
    if found.output in lanes.grids and not is_real(got.dtype):
        grid, dtype = lanes.grids[found.output], got.dtype
        got, want = grid.real(got), grid.clipped(want, dtype)
        half = 0.51 * grid.step
    if want.shape != got.shape or not (is_real(want.dtype) and is_real(got.dtype)):
        return False
    limit = tolerance_of(want, None, known.operators, got.dtype) + half
    return not difference_of(want, got, limit).same


def _is_read_alike(model: Graph, reference: Graph, found: Guilt) -> bool:
    """Whether the same kinds of nodes read a value and its counterpart.

    A convolution that has a batch normalisation in it keeps its name and has other weights: its
    value is read by what reads the normalisation's in the reference.
    """
    return _readers(model, found.output) == _readers(reference, found.counterpart)


def _readers(graph: Graph, name: str) -> Counter[str]:
    """The kinds of the nodes that read a value, as it is or converted; "" stands for an output."""
    found = Counter("" for item in graph.outputs if item.name == name)
    for node in graph.nodes:
        if name in node.input:
            found += _readers(graph, node.output[0]) if is_converting(node) else {kind(node): 1}
    return found


def _has_effect(model: Graph, reference: Side, found: Guilt) -> bool:
    """Whether the reference's node makes something else with the model's attributes and constants.

    It does so on the reference's values, in the reference's element types.
    """
    node, maker = found.node, found.maker
    assert maker is not None
    changed = maker
    if node.domain in STANDARD_DOMAINS and maker.domain in STANDARD_DOMAINS:
        changed = with_attributes(maker, node)
    given = dict(found.read)
    for place, _ in differing_inputs(found, model, reference.graph):
        value = value_of(node.input[place], found.given, model)
        right = value_of(maker.input[place], found.read, reference.graph)
        if isinstance(value, np.ndarray) and isinstance(right, np.ndarray):
            given[maker.input[place]] = as_there(value, right)
    want, got = found.want, _made(reference, changed, given, found.counterpart)
    if not (isinstance(want, np.ndarray) and isinstance(got, np.ndarray)):
        return True  # it does not run with them
    if want.shape != got.shape or not want.size:
        return want.shape != got.shape
    limit = tolerance_of(want, None, ()) if is_real(want.dtype) else np.zeros(want.shape)
    return not difference_of(want, got, limit).same


def _made(
    reference: Side, node: onnx.NodeProto, given: dict[str, Value], output: str
) -> Value | None:
    """What a node of the reference makes of values; None where it cannot."""
    read = {name: given[name] for name in names_read(node) if name in given}
    try:
        results = Step(reference.graph, node, reference.runtime, read).run(read)
    except StepError:
        return None
    names = [name for name in node.output if name]
    return results[names.index(output)]


def _dtype(value: Value) -> np.dtype[np.generic]:
    assert isinstance(value, np.ndarray)
    return value.dtype
