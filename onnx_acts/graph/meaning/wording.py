"""A form as people read it: the formula that its nodes spell."""

from __future__ import annotations

from collections.abc import Collection

import onnx

from onnx_acts.graph.meaning.operators import OPERATORS
from onnx_acts.graph.view import View

__all__ = ["formula"]

_LONGEST = 90


def formula(view: View, root: onnx.NodeProto, x: Collection[str], inner: Collection[str]) -> str:
    """The formula of x that a form spells, such as "max(a*x, x)".

    Several values may be x, in other orders of dimensions. Constants are written as 0, 1 or -1,
    other numbers as a, all else as w.
    """
    text = _outside(_text(view, root, x, set(inner)))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _text(view: View, node: onnx.NodeProto, x: Collection[str], inner: set[str]) -> str:
    parts = [_part(view, name, x, inner) for name in node.input if name]
    template = OPERATORS[node.op_type].text
    if not template:
        return parts[0]
    bare = [_outside(part) for part in parts]
    is_call = template.endswith(")") and not template.startswith("(")
    text = template.format(*(bare if is_call else parts), all=", ".join(bare))
    return f"({text})" if template.startswith("{0} ") else text


def _part(view: View, name: str, x: Collection[str], inner: set[str]) -> str:
    if name in x:
        return "x"
    array = view.constant(name)
    if array is not None and array.size and (array == array.flat[0]).all():
        number = float(array.flat[0])
        return f"{number:g}" if number in (-1, 0, 1) else "a"
    node = view.maker(name)
    if name not in inner or node is None:
        return "0" if node is not None and node.op_type == "ConstantOfShape" else _named(view, node)
    return _text(view, node, x, inner)


def _named(view: View, node: onnx.NodeProto | None) -> str:
    """A constant that a node converts or expands, or w."""
    if node is not None and node.op_type in ("CastLike", "Expand", "Cast", "Identity"):
        return _part(view, node.input[0], (), set())
    return "w"


def _outside(text: str) -> str:
    """A formula without the brackets around all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for index, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and index < len(text) - 1:
            return text
    return text[1:-1]
