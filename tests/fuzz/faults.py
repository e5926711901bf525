"""Faults to put into the process that runs cases: the oracle must see each of them."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import numpy as np
import onnx

import onnx_acts
from onnx_acts.graph import patterns, replacing, standard
from onnx_acts.graph.matching import Sign
from onnx_acts.graph.view import View

__all__ = ["FAULTS", "ended_process"]


def wrong_alpha() -> None:
    """Attributes are off by a little more than rounding."""
    make_node = replacing.make_node

    def wrong(name: str, inputs: Any, outputs: Any, **attributes: Any) -> onnx.NodeProto:
        changed = {key: value * (1 + 1e-4) for key, value in attributes.items()}
        return make_node(name, inputs, outputs, **changed)

    replacing.make_node = wrong


def swapped_branches() -> None:
    """Where takes the other branch."""
    sign_test = patterns.sign_test

    def wrong(view: View, name: str) -> Sign | None:
        sign = sign_test(view, name)
        if sign is None:
            return None
        return dataclasses.replace(sign, negative_if_true=not sign.negative_if_true)

    patterns.sign_test = wrong


def wrong_slope_shape() -> None:
    """Slopes that are computed lose their dimensions of size 1."""
    stored = patterns._stored

    def wrong(view: View, name: str) -> Any:
        found = stored(view, name)
        return found if isinstance(found, str) else np.squeeze(found)

    patterns._stored = wrong


def shared_values() -> None:
    """Values that others use are removed with the form that makes them."""
    replacing._is_private = lambda view, root, match: True


def enlarging_slopes() -> None:
    """A slope may enlarge x."""
    standard.fits = lambda view, name, x: True


FAULTS = (
    wrong_alpha,
    swapped_branches,
    wrong_slope_shape,
    shared_values,
    enlarging_slopes,
)


def ended_process() -> None:
    """ONNX Runtime ends the process when it gets the library."""
    session = onnx_acts.session

    def wrong(model: Any, **options: Any) -> Any:
        if options["accelerated"]:
            os.abort()
        return session(model, **options)

    onnx_acts.session = wrong
