"""The differential oracle: what ONNX Runtime computes from the original is right."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

import onnx_acts
from onnx_acts.graph import accelerate_counted
from tests.fuzz.case import Array, Case, Error
from tests.fuzz.comparing import difference
from tests.fuzz.misread import misread
from tests.fuzz.running import Levels, Results, as_bytes, originals, plain, run, uses_domain
from tests.fuzz.undefined import undefined
from tests.helpers import ALL

__all__ = ["Finding", "Outcome", "examine"]

_NARROW = ({"float32"}, {"float16"}, {"float16", "float32"})


@dataclasses.dataclass(frozen=True)
class Finding:
    """A fault: in which check, what kind, and in full.

    Attributes:
        check: what was compared with the original.
        kind: "shape", "NaN", "abort", or an error without the names and numbers in it.
        message: the whole of it.
        forms: what was replaced in the model.
    """

    check: str
    kind: str
    message: str
    forms: frozenset[str] = frozenset()


@dataclasses.dataclass
class Outcome:
    """What came of a case.

    Attributes:
        skipped: why ONNX Runtime does not run the original, empty where it does.
        replaced: how often each form was replaced.
        checks: how often each comparison was made.
        findings: the faults.
    """

    skipped: str = ""
    replaced: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    checks: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    findings: list[Finding] = dataclasses.field(default_factory=list)


def examine(case: Case, tell: Callable[[str], None] = lambda check: None) -> Outcome:
    """Runs a case; `tell` learns of each check before it starts, in case it ends the process."""
    outcome = Outcome()
    outcome.skipped = misread(case.proto)
    if outcome.skipped:
        return outcome
    tell("original")
    try:
        feeds, wanted = originals(case)
    except Exception as error:  # onnxruntime's own exceptions have no common public base
        outcome.skipped = plain(str(error))
        return outcome
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        _Examination(case, feeds, wanted, outcome, tell).run()
    return outcome


class _Examination:
    """The checks of one case."""

    def __init__(
        self,
        case: Case,
        feeds: list[dict[str, Array]],
        wanted: Sequence[Results],
        outcome: Outcome,
        tell: Callable[[str], None],
    ) -> None:
        self._case, self._feeds, self._wanted = case, feeds, wanted
        self._outcome, self._tell = outcome, tell
        self._original = case.proto
        # Where ONNX Runtime cannot optimise the original, it need not be able to afterwards.
        self._optimised = case.optimised and len(wanted) > 1
        self._names = [value.name for value in self._original.graph.output]

    def run(self) -> None:
        """Makes every check that the case asks for."""
        model = self._accelerated("accelerate")
        if model is None:
            return
        if uses_domain(model):
            self._float64(model)
            self._both("accelerate", model)
        elif self._outcome.replaced:
            self._values("accelerate, bodies", model)
        self._extra(model)

    def _extra(self, model: onnx.ModelProto) -> None:
        extra = self._case.extra
        if extra == "all operators":
            self._again(extra, ops=ALL)
        elif extra == "approximate":
            self._again(extra, approximate=True)
        elif not uses_domain(model):
            return
        elif extra.startswith("lower"):
            self._lowered(extra, model)
        elif extra == "again":
            with self._step("again"):
                again = onnx_acts.accelerate(model)
                if as_bytes(again) != as_bytes(model):
                    self._both("again", again)
        elif extra == "reference":
            self._reference(model)
        elif extra == "checker":
            self._checked(model)

    def _accelerated(self, check: str, **options: Any) -> onnx.ModelProto | None:
        with self._step(check):
            model, replaced = accelerate_counted(self._original, **options)
            self._outcome.replaced |= replaced
            return model
        return None

    def _again(self, check: str, **options: Any) -> None:
        """With other options than the default ones."""
        before = dict(self._outcome.replaced)
        model = self._accelerated(check, **options)
        if model is None or dict(self._outcome.replaced) == before:
            return
        nan = None
        if check == "approximate":
            nan = undefined(self._original, self._feeds, self._wanted[0])
        self._both(check, model, nan)

    def _both(self, check: str, model: onnx.ModelProto, nan: Results | None = None) -> None:
        self._values(f"{check}, bodies", model, False, nan)
        self._values(f"{check}, library", model, True, nan)

    def _values(
        self, check: str, model: onnx.ModelProto, library: bool = False, nan: Results | None = None
    ) -> None:
        with self._step(check):
            level = Levels.ORT_ENABLE_ALL if self._optimised else Levels.ORT_DISABLE_ALL
            results = [
                np.asarray(array)
                for got in run(model, self._feeds, level, library)
                for array in got
            ]
            self._compare(check, results, nan)

    def _compare(self, check: str, results: list[Array], nan: Results | None = None) -> None:
        """Compares all outputs for all inputs; ONNX Runtime's two ways are both right.

        `nan` is there for results of `approximate`: see `difference`.
        """
        masks = [None] * len(results) if nan is None else [a for arrays in nan for a in arrays]
        flat = [[a for arrays in results_ for a in arrays] for results_ in self._wanted]
        names = self._names * len(self._feeds)
        for index, (name, got) in enumerate(zip(names, results, strict=True)):
            error = self._case.errors.get(name, Error())
            found = [difference(got, way[index], error, masks[index]) for way in flat]
            if all(kind for kind, _ in found):
                self._report(check, found[0][0], f"output {name}: {found[0][1]}")
                return

    def _lowered(self, check: str, model: onnx.ModelProto) -> None:
        with self._step(check):
            lowered = onnx_acts.lower(model, exact=check == "lower exact")
            if uses_domain(lowered):
                self._report(check, "nodes left", "a node of onnx_acts is left")
            self._values(f"{check}, values", lowered)

    def _reference(self, model: onnx.ModelProto) -> None:
        """onnx_acts.reference_evaluator, where onnx.reference agrees with ONNX Runtime."""
        try:
            evaluator = ReferenceEvaluator(self._original)
            results = [np.asarray(a) for feed in self._feeds for a in evaluator.run(None, feed)]
        except Exception:  # onnx.reference raises anything
            return
        before = len(self._outcome.findings)
        self._compare("reference", results)
        if len(self._outcome.findings) > before:
            del self._outcome.findings[before:]
            return
        with self._step("reference"):
            ours = onnx_acts.reference_evaluator(model)
            results = [np.asarray(a) for feed in self._feeds for a in ours.run(None, feed)]
            self._compare("reference", results)

    def _checked(self, model: onnx.ModelProto) -> None:
        try:
            onnx.checker.check_model(self._original, full_check=True)
        except Exception:  # the checker's errors have no common public base
            return
        with self._step("checker"):
            onnx.checker.check_model(model, full_check=True)

    def _float64(self, model: onnx.ModelProto) -> None:
        """Bodies of a model without float64 do not compute in it."""
        self._outcome.checks["float64"] += 1
        wide = [
            function.name
            for function in model.functions
            if function.domain == "onnx_acts"
            and any(
                node.op_type == "Cast" and node.attribute[0].i == onnx.TensorProto.DOUBLE
                for node in function.node
            )
        ]
        if wide and set(self._case.dtypes) in _NARROW:
            self._report("float64", "computes in float64", f"the body of {', '.join(wide)}")

    @contextlib.contextmanager
    def _step(self, check: str) -> Iterator[None]:
        """One check; what it raises is a finding, unless the documentation says so."""
        self._tell(check)
        self._outcome.checks[check] += 1
        try:
            yield
        except Exception as error:  # whatever it is, it is what is looked for
            if not self._is_of_onnxruntime(check, error):
                text = f"{type(error).__name__}: {error}"
                self._report(check, plain(text), text)

    def _is_of_onnxruntime(self, check: str, error: Exception) -> bool:
        """Without optimisation ONNX Runtime 1.31 gives values of function bodies in nested
        subgraphs names that it then mixes up. A real cycle shows with optimisation too.
        """
        is_plain = check.endswith("bodies") and not self._optimised
        return is_plain and "graph is not acyclic" in str(error)

    def _report(self, check: str, kind: str, message: str) -> None:
        forms = frozenset(self._outcome.replaced)
        self._outcome.findings.append(Finding(check, kind, message, forms))
