"""Attributes of hand-made nodes: what is read, what is refused and with which words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper

from tests.native.running import hand_made, open_hand_made

TENSOR = numpy_helper.from_array

ACCEPTED = [
    ("LeakyReLU", {}, 0.01),
    ("LeakyReLU", {"alpha": 0.25}, 0.25),  # FLOAT
    ("LeakyReLU", {"alpha": 2}, 2.0),  # INT
    ("LeakyReLU", {"alpha": TENSOR(np.array(0.3))}, 0.3),
    ("LeakyReLU", {"alpha": TENSOR(np.array([0.3]))}, 0.3),
    ("LeakyReLU", {"alpha": TENSOR(np.array(0.0))}, 0.0),
    ("RReLU", {}, 11 / 48),
    ("RReLU", {"lower": 0.5, "upper": 0.5}, 0.5),
    ("RReLU", {"lower": TENSOR(np.array(0.1)), "seed": -5, "training_mode": 0}, 0.65 / 3),
]


@pytest.mark.parametrize(("op", "attributes", "slope"), ACCEPTED)
def test_accepted(op: str, attributes: dict[str, Any], slope: float) -> None:
    """A real attribute may be a tensor of one float64, a FLOAT or an INT; missing, the default."""
    (got,) = open_hand_made(hand_made(op, attributes)).run(
        None, {"x": np.array([-1, 1], np.float32)}
    )
    np.testing.assert_array_equal(got, np.array([-np.float32(slope), 1], np.float32))


REFUSED = [
    ("ELU", {"alpha": "one"}, ["alpha is a STRING", "one float64 value"]),
    ("ELU", {"alpha": [1.0, 2.0]}, ["alpha is a list of 2 FLOATS"]),
    ("ELU", {"alpha": [1, 2, 3]}, ["alpha is a list of 3 INTS"]),
    ("ELU", {"alpha": ["a"]}, ["alpha is of another kind"]),
    ("ELU", {"alpha": helper.make_graph([], "g", [], [])}, ["alpha is of another kind"]),
    ("ELU", {"alpha": TENSOR(np.array(1, np.float32))}, ["a tensor of 1 float32 value(s)"]),
    ("ELU", {"alpha": TENSOR(np.arange(3.0))}, ["a tensor of 3 float64 value(s)"]),
    ("ELU", {"alpha": TENSOR(np.zeros(0))}, ["a tensor of 0 float64 value(s)"]),
    ("RReLU", {"lower": 0.5, "upper": 0.25}, ["lower = 0.5 and upper = 0.25", "lower <= upper"]),
    ("RReLU", {"lower": float("nan")}, ["lower = nan", "finite"]),
    ("RReLU", {"upper": float("inf")}, ["upper = inf", "finite"]),
    ("RReLU", {"training_mode": 2}, ["training_mode is 2; expected 0 or 1"]),
    ("RReLU", {"training_mode": 1.0}, ["training_mode is a FLOAT; expected an INT"]),
    ("RReLU", {"seed": "x"}, ["seed is a STRING; expected an INT"]),
]


@pytest.mark.parametrize(("op", "attributes", "parts"), REFUSED)
def test_refused(op: str, attributes: dict[str, Any], parts: list[str]) -> None:
    """The session is refused; the message names operator, node, attribute, found and expected."""
    with pytest.raises(Exception, match="onnx_acts") as caught:
        open_hand_made(hand_made(op, attributes))
    for part in [f"onnx_acts::{op}", "act7", *parts]:
        assert part in str(caught.value)
