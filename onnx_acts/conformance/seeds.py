"""What a seed decides: the same draws when it is given again, others for the next one.

A generator of another kind may read 32 bits of the seed, as the Mersenne Twister does, also in
PyTorch. So a run asks for the next seed alone. Of tests in files, none have the same noise: the
seeds of the frozen set differ in their low 32 bits, too.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.own_draws import slopes_in
from onnx_acts.conformance.repeats import repeated

__all__ = ["Seen", "judge_seeds"]

Array = NDArray[Any]

_UNLIKELY = 1e-9
"""So seldom the draws of two seeds are called dependent."""

_ENOUGH = 32
"""Draws that are not the same by chance."""


class Seen:
    """The noise of tests, in files, that differ in nothing but the seed."""

    def __init__(self) -> None:
        self._found: dict[object, tuple[int, str]] = {}

    @np.errstate(invalid="ignore")  # signalling NaNs
    def again(self, form: str, case: Case, noise: Array) -> str:
        """Notes the noise; what is wrong where it is that of another seed, or an empty string.

        Args:
            form: how the model says the case.
            case: the case in training.
            noise: what a runtime gave.
        """
        x, seed = case.inputs[0], _seed_of(case)
        if np.count_nonzero(x < 0) < _ENOUGH or len(set(case.real_values)) == 1:
            return ""
        digest = hashlib.sha256(noise.tobytes()).digest()
        key = (form, case.operator, case.dtype, *case.real_values, x.shape, x.tobytes(), digest)
        before, name = self._found.setdefault(key, (seed, case.name))
        if before == seed:
            return ""
        return f"draws do not depend on the seed: {name} has the same noise"


def _seed_of(case: Case) -> int:
    return int(case.values[_seed_name(case)])


def _seed_name(case: Case) -> str:
    (name,) = (item.name for item in case.spec.attributes if item.kind == "seed")
    return name


def judge_seeds(
    outputs: Sequence[Array], case: Case, run: Callable[[Case], Sequence[Array]]
) -> str:
    """What is wrong with the seed, or an empty string: asks for the case again, and with another.

    Args:
        outputs: what a runtime computed of the case.
        case: a case with many draws.
        run: computes a case.
    """
    other = {**case.attributes, _seed_name(case): _seed_of(case) + 1}
    again, changed = run(case), run(dataclasses.replace(case, attributes=other))
    last = outputs[-1]
    if again[-1].tobytes() != last.tobytes():
        return "the same seed gave other draws when it was run again"
    if changed[-1].shape != last.shape:
        return f"another seed gave outputs of shape {changed[-1].shape}"
    reason = _dependence(*(_centred(found, case) for found in (outputs, changed)))
    if reason or len(outputs) < 2:
        return reason
    return _moved([last, changed[-1]], case)


@np.errstate(invalid="ignore")  # signalling NaNs
def _moved(noises: Sequence[Array], case: Case) -> str:
    """What is wrong where a seed is no more than a place in one stream of draws."""
    drawn = case.inputs[0].reshape(-1) < 0
    both = np.concatenate([noise.reshape(-1) for noise in noises])
    if repeated(both, np.tile(drawn, 2), case):
        return "draws do not depend on the seed: those of the next seed are the same, moved"
    return ""


def _centred(outputs: Sequence[Array], case: Case) -> NDArray[np.float64]:
    """The draws from -1/2 to 1/2; NaN where there is none, or a single output does not tell it."""
    x, (low, high) = case.inputs[0], case.real_values
    with np.errstate(all="ignore"):
        if len(outputs) > 1:
            slopes = np.where(x < 0, outputs[-1].astype(np.float64), np.nan)
        else:
            found, told = slopes_in(outputs[0], x)
            slopes = np.where(told, found, np.nan)
        return np.asarray((slopes - (low + high) / 2) / (high - low))


def _dependence(first: NDArray[np.float64], second: NDArray[np.float64]) -> str:
    products = (first * second)[np.isfinite(first * second)]
    # Independent products are within 1/4 of 0; their mean is by Hoeffding's bound.
    bound = math.sqrt(math.log(2 / _UNLIKELY) / (8 * max(products.size, 1)))
    mean = float(products.mean()) if products.size else 0.0
    if abs(mean) > bound + 1e-3:
        return f"draws do not depend on the seed: those of the next seed have covariance {mean:.3g}"
    return ""
