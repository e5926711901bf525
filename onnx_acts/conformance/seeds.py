"""What a seed decides: the same draws when it is given again, others for every other seed.

A generator of another kind is asked three things. The case about the law is computed again, at once
and after the next seed, whose draws must be independent and not the same ones moved. The case about
seeds is computed for others, far away and below zero. Seeds that differ in their high 32 bits alone
are a question of their own: the Mersenne Twister reads no more than 32, in PyTorch too, which is on
record. Of tests in files, those that differ in the seed alone are compared with each other.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.own_draws import slopes_in
from onnx_acts.conformance.repeats import repeated

__all__ = ["SEED_BITS", "Seen", "judge_other_seeds", "judge_seeds"]

Array = NDArray[Any]
Run = Callable[[Case], Sequence[Array]]

SEED_BITS = "seed bits"
"""What a record explains that is about seeds of which 32 bits are read."""

_UNLIKELY = 1e-9
"""So seldom the draws of two seeds are called dependent."""

_SAME = "draws do not depend on the seed"

_ENOUGH = 32
"""Draws that are not the same by chance."""

_LOW = 2**32
"""Seeds that are the same below this are one seed for generators that read 32 bits."""


class Seen:
    """The outputs of tests, in files, that differ in nothing but the seed."""

    def __init__(self) -> None:
        self._found: dict[object, list[tuple[Case, Sequence[Array]]]] = {}

    @np.errstate(invalid="ignore")  # signalling NaNs
    def again(self, form: str, case: Case, outputs: Sequence[Array]) -> str:
        """Notes outputs; what is wrong where draws are those of another seed, or an empty string.

        Args:
            form: how the model says the case.
            case: the case in training.
            outputs: what a runtime gave.
        """
        x = case.inputs[0]
        if np.count_nonzero(x < 0) < _ENOUGH or len(set(case.real_values)) == 1:
            return ""
        key = (form, case.operator, case.dtype, *case.real_values, x.shape, x.tobytes())
        before = self._found.setdefault(key, [])
        faults = (
            _compared(earlier, outputs, case, other.name)
            for other, earlier in before
            if seed_of(other) != seed_of(case)
        )
        reason = next((fault for fault in faults if fault), "")
        before.append((case, outputs))
        return reason


def seed_of(case: Case) -> int:
    """The case's seed."""
    return int(case.values[_seed_name(case)])


def _seed_name(case: Case) -> str:
    (name,) = (item.name for item in case.spec.attributes if item.kind == "seed")
    return name


def _with_seed(case: Case, seed: int) -> Case:
    return dataclasses.replace(case, attributes={**case.attributes, _seed_name(case): seed})


def judge_seeds(outputs: Sequence[Array], case: Case, run: Run) -> str:
    """What is wrong with the seed, or an empty string: asks for the case again, and for the next.

    Args:
        outputs: what a runtime computed of the case.
        case: a case with many draws.
        run: computes a case.
    """
    at_once, changed = run(case), run(_with_seed(case, seed_of(case) + 1))
    for again in (at_once, run(case)):
        if again[-1].tobytes() != outputs[-1].tobytes():
            return "the same seed gave other draws when it was run again"
    return _compared(outputs, changed, case, "the next seed")


def judge_other_seeds(outputs: Sequence[Array], case: Case, run: Run) -> tuple[str, str]:
    """What is wrong with seeds far away, in words, and what a record must be about to explain it.

    Args:
        outputs: what a runtime computed of the case.
        case: a case whose seed has more than 32 bits.
        run: computes a case; a seed that it has not implemented is left out.

    Raises:
        RuntimeError: a run has raised an error; the message names the seed.
    """
    seed = seed_of(case)
    found = {seed: outputs}
    for other in (seed % _LOW, 0, -1, -seed, 2**63 - 1, -(2**63)):
        try:
            found[other] = run(_with_seed(case, other))
        except NotImplementedError:
            continue
        except Exception as error:  # onnxruntime's exceptions have no common base
            raise RuntimeError(f"with seed {other}: {error}") from error
    bits = ""
    for one, other in itertools.combinations(found, 2):
        reason = _compared(found[one], found[other], case, f"beside seed {one}, seed {other}")
        if reason and (one - other) % _LOW:
            return reason, ""
        bits = bits or reason
    return bits, SEED_BITS if bits else ""


@np.errstate(invalid="ignore")  # signalling NaNs
def _compared(first: Sequence[Array], second: Sequence[Array], case: Case, whose: str) -> str:
    """What is wrong with the draws of two seeds, or an empty string.

    Args:
        first: the outputs for one seed.
        second: those for the other.
        case: either case.
        whose: what to call the second.
    """
    if second[-1].shape != first[-1].shape:
        return f"another seed gave outputs of shape {second[-1].shape}"
    if second[-1].tobytes() == first[-1].tobytes():
        return f"{_SAME}: {whose} has the same noise"
    centred = [_centred(found, case) for found in (first, second)]
    mean = _covariance(*centred)
    if mean:
        return f"{_SAME}: {whose} has draws with a covariance of {mean:.3g}"
    if len(first) > 1 and _is_moved([first[-1], second[-1]], case):
        return f"{_SAME}: {whose} has the same noise, moved"
    return ""


def _is_moved(noises: Sequence[Array], case: Case) -> bool:
    """Whether a seed is no more than a place in one stream of draws."""
    drawn = case.inputs[0].reshape(-1) < 0
    both = np.concatenate([noise.reshape(-1) for noise in noises])
    return bool(repeated(both, np.tile(drawn, 2), case))


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


def _covariance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """That of the draws of two seeds; 0 where chance gives as much."""
    products = (first * second)[np.isfinite(first * second)]
    # Independent products are within 1/4 of 0; their mean is by Hoeffding's bound.
    bound = math.sqrt(math.log(2 / _UNLIKELY) / (8 * max(products.size, 1)))
    mean = float(products.mean()) if products.size else 0.0
    return mean if abs(mean) > bound + 1e-3 else 0.0
