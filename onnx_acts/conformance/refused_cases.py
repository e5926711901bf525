"""Cases that the operator must refuse, with an error that names what is wrong.

Only runtimes of ours are judged by them that have the operator itself: others have rules of their
own, and a function body is made of standard operators, which enlarge x where they can.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import numpy as np

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.drafting import Attributes, draft, with_slope
from onnx_acts.conformance.slope_cases import illegal_slopes
from onnx_acts.conformance.values import random_values
from onnx_acts.definition.specs import Attribute, Spec

__all__ = ["refused_cases"]


def refused_cases(spec: Spec, dtype: str, quick: bool) -> Iterator[Case]:
    """Slopes of every illegal kind, and attributes out of their range; at a first look too."""
    if spec.parameter_source == "input":
        wanted = f"{re.escape(spec.name)}.*slope of shape"
        for name, inputs in illegal_slopes(spec, dtype):
            yield draft(spec, name, inputs, refused=wanted)
    x = random_values(dtype, (5,), 4)
    for item in spec.attributes:
        for name, given in _illegal_values(spec, item):
            wanted = f"{re.escape(spec.name)}.*{re.escape(item.name)}"
            yield draft(spec, name, with_slope(spec, x), given, bare=True, refused=wanted)


def _illegal_values(spec: Spec, item: Attribute) -> Iterator[tuple[str, Attributes]]:
    """Values of one attribute that the table does not allow."""
    if item.kind == "flag":
        for flag in (2, -1, 2**32):
            yield f"{item.name}={flag}", {item.name: flag}
    odd = [] if item.range == "any" else [math.nan, math.inf, -math.inf]
    odd += [0.0, -1.0] if item.range == "positive" else []
    yield from ((f"{item.name}={value}", {item.name: value}) for value in odd)
    if item.at_least:
        (low,) = (other for other in spec.attributes if other.name == item.at_least)
        given: Attributes = {
            low.name: low.default,
            item.name: float(np.nextafter(low.default, -math.inf)),
        }
        yield f"{item.name} just below {low.name}", given
        yield f"{item.name} below {low.name}", {low.name: 0.5, item.name: -0.5}
