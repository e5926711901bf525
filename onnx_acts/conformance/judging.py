"""The verdict on one case: bits and classes, the law of draws, refusals, inferred shapes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.compare import Comparison, compare
from onnx_acts.conformance.dtypes import numpy_type
from onnx_acts.conformance.law import judge_law
from onnx_acts.conformance.own_draws import judge_own_draws
from onnx_acts.conformance.running import results_of
from onnx_acts.conformance.runtimes import Runtime
from onnx_acts.conformance.seeds import judge_other_seeds, judge_seeds
from onnx_acts.conformance.shared_draws import shared_draws
from onnx_acts.definition.reference import rounded
from onnx_acts.text.spelling import printable

__all__ = ["judge", "no_answer"]

Array = NDArray[Any]


def no_answer(runtime: Runtime, case: Case) -> str:
    """Why a runtime has no answer to a case, or an empty string."""
    reason = runtime.unavailable()
    if not reason and case.refused and not _has_operators(runtime):
        reason = "what it makes of an input that the operator refuses is its own matter"
    if not reason and case.bare and runtime.promise == "body":
        reason = "there is no body in that model"
    if not reason and not case.is_one_node and not _reads_models(runtime):
        reason = "it computes an operator, not the model around it"
    return reason or runtime.unsupported(case)


def judge(
    runtime: Runtime, case: Case, promise: float, exact: tuple[Array, ...] | None = None
) -> Comparison:
    """Runs one case and compares every output of every run; the worst comparison counts.

    Args:
        runtime: what to run it on.
        case: what to run.
        promise: the largest error allowed, in ULP.
        exact: the true outputs, where the caller has them.
    """
    if case.refused:
        return _judge_refusal(runtime, case)
    exact = case.exact() if exact is None else exact
    results = _results(runtime, case, exact[0].size)
    if isinstance(results, Comparison):
        return results
    found = [
        _judge_outputs(runtime, one, list(outputs), exact if one is case else one.exact(), promise)
        for one, outputs in results
    ]
    return found[0] if len(found) == 1 else _worst_run([one for one, _ in results], found)


def _worst_run(tried: Sequence[Case], found: Sequence[Comparison]) -> Comparison:
    """The verdict on several runs of a case, the first of them on the case itself."""
    largest = max(one.max_ulp for one in found)
    failing = [pair for pair in zip(tried, found, strict=True) if not pair[1].ok]
    if not failing:
        return dataclasses.replace(found[0], max_ulp=largest)
    worst = max((one for _, one in failing), key=lambda one: one.max_ulp)
    again = "" if worst is found[0] else "run again: "
    return dataclasses.replace(
        worst,
        max_ulp=largest,
        message=f"{again}{worst.message}",
        outputs=found[0].outputs,
        runs=failing,
    )


def _judge_outputs(
    runtime: Runtime, case: Case, outputs: list[Array], exact: tuple[Array, ...], promise: float
) -> Comparison:
    """Compares every output of one run; the worst comparison counts."""
    if case.training and getattr(runtime, "own_draws", False):
        return _judge_draws(runtime, case, outputs, exact, promise)
    if len(outputs) != len(exact):
        return Comparison(0.0, 0, None, f"gave {len(outputs)} outputs, expected {len(exact)}")
    if case.law:
        law = judge_law(outputs, case, promise)
        # Y is judged by the noise; that is all that is left to compare, and mostly equal.
        drawn = rounded(exact[-1], numpy_type(case.dtype))
        if not law.ok or outputs[-1].tobytes() == drawn.tobytes():
            return law
    worst = _worst(outputs, exact, case, promise)
    no_shape = case.is_one_node or case.surrounding.hides > 0
    return worst if no_shape or not worst.ok else _judge_shape(runtime, case, worst)


def _results(
    runtime: Runtime, case: Case, size: int
) -> list[tuple[Case, Sequence[Array]]] | Comparison:
    """What a runtime computes; a verdict where it raises, or changes its inputs."""
    before = [array.tobytes() for array in case.inputs]
    try:
        found = results_of(runtime, case)
    except Exception as error:  # whatever a runtime raises is a result to report
        message = f"raised {type(error).__name__}: {_line(error)}"
        return Comparison(0.0, size, None, message, raised=True)
    if [array.tobytes() for array in case.inputs] != before:
        return Comparison(0.0, size, None, "it changed its inputs")
    return found


def _worst(
    outputs: Sequence[Array], exact: Sequence[Array], case: Case, promise: float
) -> Comparison:
    """Compares every output with what is true; the worst comparison counts."""
    found = [
        compare(got, true, case.type_of(true), promise, case.is_certain)
        for got, true in zip(outputs, exact, strict=True)
    ]
    worst = max(found, key=lambda one: (not one.ok, one.max_ulp))
    largest = max(one.max_ulp for one in found)
    return dataclasses.replace(worst, max_ulp=largest, outputs=tuple(outputs))


def _judge_draws(
    runtime: Runtime, case: Case, outputs: list[Array], exact: tuple[Array, ...], promise: float
) -> Comparison:
    """Draws that may be the reference's: then bits count, and else the law and the seed."""
    if 0 < len(outputs) <= len(exact):
        strict = _worst(outputs, exact[: len(outputs)], case, promise)
        if strict.ok and len(outputs) == len(exact):
            reason, about = _judge_seeds(runtime, case, outputs) if case.seeds else ("", "")
            return dataclasses.replace(strict, message=reason, about=about)
        shared = "" if strict.ok else shared_draws(outputs, case)
        if shared:
            return dataclasses.replace(strict, message=f"{strict.message}; {shared}")
    found = judge_own_draws(outputs, case)
    reason, about = _judge_seeds(runtime, case, outputs) if outputs else ("", "")
    if not reason:
        return found
    message = "; ".join(text for text in (found.message, reason) if text)
    wrong = Comparison(0.0, case.inputs[0].size, None, message)
    return wrong if found.message else dataclasses.replace(wrong, about=about)


def _judge_seeds(runtime: Runtime, case: Case, outputs: list[Array]) -> tuple[str, str]:
    """What is wrong with seeds, and what a record must be about to explain it."""
    try:
        if case.seeds:
            return judge_other_seeds(outputs, case, runtime.run)
        return (judge_seeds(outputs, case, runtime.run) if case.law else ""), ""
    except Exception as error:  # whatever a runtime raises is a result to report
        return f"raised {type(error).__name__} when it was run again: {_line(error)}", ""


def _judge_refusal(runtime: Runtime, case: Case) -> Comparison:
    """An error that names what is wrong is right."""
    try:
        outputs = runtime.run(case)
    except Exception as error:  # whatever a runtime raises is a result to report
        if re.search(case.refused, _line(error)):
            return Comparison(0.0)
        said = f"refused, but with words that do not match {case.refused!r}: {_line(error)}"
        return Comparison(0.0, case.inputs[0].size, None, said)
    shapes = ", ".join(str(array.shape) for array in outputs)
    message = f"computed what it must refuse: outputs of shape {shapes}"
    return Comparison(0.0, case.inputs[0].size, None, message)


def _judge_shape(runtime: Runtime, case: Case, right: Comparison) -> Comparison:
    """The shape of Y that a runtime has inferred, where it tells one: as far as X's was known."""
    inferred = getattr(runtime, "inferred_shapes", lambda case: None)(case)
    if inferred is None:
        return right
    given, found = inferred
    wanted = list(given)
    # A custom operator can tell ONNX Runtime a number or a name, not that a size has neither.
    must_tell = runtime.promise == "kernel" and None not in wanted
    allowed = [{*item, *(() if must_tell else (None,))} for item in _sizes_of_y(case, wanted)]
    is_right = len(found) == len(allowed) and all(
        a in b for a, b in zip(found, allowed, strict=False)
    )
    if is_right or not (found or must_tell):
        return right
    message = f"inferred the shape {list(found)} for Y, expected {wanted}"
    return Comparison(right.max_ulp, case.inputs[0].size, None, message)


def _sizes_of_y(case: Case, sizes: Sequence[object]) -> list[set[object]]:
    """What each size of Y may be called: as X's is, or the number that a slope in the model has."""
    found: list[set[object]] = [{size} for size in sizes]
    slope = case.inputs[-1].shape if case.held else ()
    for place, size in enumerate(reversed(slope), 1):
        if place <= len(found):
            found[-place] |= {size} - {1}
    return found


def _has_operators(runtime: Runtime) -> bool:
    """Whether it is of ours, and has the operators themselves."""
    return runtime.promise in ("kernel", "exact") and runtime.name != "provider"


def _reads_models(runtime: Runtime) -> bool:
    """Whether it runs the model of a case, whatever nodes that has."""
    return bool(getattr(runtime, "reads_models", runtime.package in ("onnx", "onnxruntime")))


def _line(error: Exception) -> str:
    return printable(" ".join(str(error).split()))
