"""Activations that end in a node, and near misses of them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx

from onnx_acts.definition.specs import ELEMENT_TYPES
from onnx_acts.graph.match import Match
from onnx_acts.graph.meaning.evaluating import Unknown
from onnx_acts.graph.meaning.form import Form
from onnx_acts.graph.meaning.operators import OPERATORS
from onnx_acts.graph.meaning.searching import Candidate, candidates
from onnx_acts.graph.view import View

__all__ = ["recognised"]

_OVERRIDABLE = "a constant in it is an input of the graph, too"


def recognised(view: View, root: onnx.NodeProto) -> Match | None:
    """Recognises an activation that ends in `root` and takes more than one node.

    Where there is none, but would be if one thing were otherwise, returns that with the obstacle.
    """
    operator = OPERATORS.get(root.op_type)
    if operator is None or not operator.ends:
        return None
    if any(item.name not in operator.attributes or item.ref_attr_name for item in root.attribute):
        return None
    with np.errstate(all="ignore"):
        match = _found(view, root)
        fixed = view.fixed() if match is None or match.is_near_miss else None
        if fixed is not None:
            if_fixed = _found(fixed, root)
            if if_fixed is not None and not if_fixed.obstacle:
                match = dataclasses.replace(
                    if_fixed, obstacle=_OVERRIDABLE, is_near_miss=True, is_approximate=False
                )
        if match is not None and match.is_near_miss and _is_around_another(view, match):
            return None
    return match


def _found(view: View, root: onnx.NodeProto) -> Match | None:
    """The activation, or else the first near miss."""
    near_miss: Match | None = None
    is_enough = False
    for candidate in candidates(view, root):
        if is_enough or (near_miss is not None and candidate.twin is not None):
            break
        match = _matched(view, root, candidate)
        if match is not None and not match.is_near_miss:
            return match
        near_miss = near_miss or match
        is_enough = match is not None and candidate.slope is not None
    return near_miss


def _is_around_another(view: View, near_miss: Match) -> bool:
    """Tells whether a part of a near miss is one, or an activation: that is told alone."""
    makers = (view.maker(name) for name in sorted(near_miss.inner, key=view.position))
    return any(node is not None and recognised(view, node) is not None for node in makers)


def _matched(view: View, root: onnx.NodeProto, candidate: Candidate) -> Match | None:
    dtype = _dtype(view, root, candidate.x)
    if dtype is None or (candidate.slope and view.dtype(candidate.slope) not in (None, dtype.name)):
        return None
    form = Form(view, root, candidate, dtype)
    try:
        return form.match()
    except Unknown:
        return None


def _dtype(view: View, root: onnx.NodeProto, x: str) -> np.dtype[Any] | None:
    """The element type of x; where it is unknown, one that the nodes of a form could have."""
    name = view.dtype(x)
    if name is None:
        arrays = filter(lambda a: a is not None, (view.constant(i) for i in root.input if i))
        names = [array.dtype.name for array in arrays if array is not None]
        name = next((item for item in names if item in ELEMENT_TYPES), "float32")
    return np.dtype(name) if name in ELEMENT_TYPES else None
