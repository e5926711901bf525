"""How many inputs and outputs a node has, against what its operator takes and gives.

Code that reads the inputs of a node then need not ask whether they are there.
"""

from __future__ import annotations

import functools

import onnx

from onnx_acts.definition.specs import OPERATORS

__all__ = ["check_own_arity", "check_standard_arity"]

_UNLIMITED = 2**31 - 1
"""The largest number of inputs of an operator that takes any number of them."""

_SPECS = {spec.name: spec for spec in OPERATORS}


def check_standard_arity(node: onnx.NodeProto, opset: int) -> None:
    """Requires a standard node to have as many inputs and outputs as its operator.

    Args:
        node: the node; an operator that is not in the standard is not checked.
        opset: the version of the standard operators.

    Raises:
        ValueError: too few or too many; the message names the node.
    """
    known = _standard(node.op_type, opset)
    if known is None:
        return
    for names, allowed, what in (
        (node.input, known[0], "input(s)"),
        (node.output, known[1], "output(s)"),
    ):
        if len(names) not in allowed:
            raise ValueError(
                f"{node.op_type} (node {node.name!r}) of ai.onnx {opset} has {len(names)} {what}"
                f" {list(names)}; the standard has {_text(allowed)}"
            )


def check_own_arity(node: onnx.NodeProto) -> None:
    """The same for a node of the domain `onnx_acts`; inputs and Y must have names.

    Raises:
        ValueError: too few or too many; the message names the node.
    """
    spec = _SPECS.get(node.op_type)
    if spec is None:
        return
    has_inputs = len(node.input) == len(spec.inputs) and all(node.input)
    has_outputs = 1 <= len(node.output) <= len(spec.outputs) and node.output[0]
    if not has_inputs or not has_outputs:
        raise ValueError(
            f"{node.op_type} (node {node.name!r}) takes {', '.join(spec.inputs)} and gives"
            f" {', '.join(spec.outputs)}; it has the inputs {list(node.input)} and the outputs"
            f" {list(node.output)}"
        )


@functools.cache
def _standard(operator: str, opset: int) -> tuple[range, range] | None:
    """The counts that a standard operator allows, None where it is not known."""
    if not onnx.defs.has(operator):
        return None
    try:
        schema = onnx.defs.get_schema(operator, opset, "")
    except onnx.defs.SchemaError:  # newer than the opset: the newest is the only measure
        schema = onnx.defs.get_schema(operator)
    return (
        range(schema.min_input, schema.max_input + 1),
        range(schema.min_output, schema.max_output + 1),
    )


def _text(allowed: range) -> str:
    fewest, most = allowed.start, allowed.stop - 1
    if fewest == most:
        return str(fewest)
    return f"{fewest} or more" if most >= _UNLIMITED else f"{fewest} to {most}"
