"""Faults to put into the process that runs cases: the oracle must see each of them."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import onnx

import onnx_acts
from onnx_acts.graph import replacing, standard
from onnx_acts.graph.meaning import activations, values

__all__ = [
    "ended_process",
    "enlarging_slopes",
    "opposite_weight",
    "shared_values",
    "swapped_branches",
    "wrong_alpha",
]


def wrong_alpha() -> None:
    """Attributes are off by a little more than rounding."""
    make_node = replacing.make_node

    def wrong(name: str, inputs: Any, outputs: Any, **attributes: Any) -> onnx.NodeProto:
        changed = {key: value * (1 + 1e-4) for key, value in attributes.items()}
        return make_node(name, inputs, outputs, **changed)

    replacing.make_node = wrong


def swapped_branches() -> None:
    """Where takes the other branch."""
    chosen = values.chosen
    values.chosen = lambda condition, u, v: chosen(condition, v, u)


def opposite_weight() -> None:
    """relu(x) - w*relu(-x) becomes a PReLU of -w."""
    leaky = activations._leaky

    def wrong(*arguments: Any) -> Any:
        found = leaky(*arguments)
        return found and dataclasses.replace(found, parameters=-found.parameters)

    activations._leaky = wrong


def shared_values() -> None:
    """Values that others use are removed with the form that makes them."""
    replacing._is_private = lambda view, root, match: True


def enlarging_slopes() -> None:
    """A slope may enlarge x."""
    standard.fits = lambda view, name, x: True


def ended_process() -> None:
    """ONNX Runtime ends the process when it gets the library."""
    session = onnx_acts.session

    def wrong(model: Any, **options: Any) -> Any:
        if options["accelerated"]:
            os.abort()
        return session(model, **options)

    onnx_acts.session = wrong
