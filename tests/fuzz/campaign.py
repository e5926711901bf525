"""Looking for faults for some time: draws cases, shrinks what fails, keeps the count."""

from __future__ import annotations

import collections
import dataclasses
import time
from collections.abc import Callable

import hypothesis
from hypothesis import HealthCheck, Phase

from tests.fuzz.case import Case
from tests.fuzz.oracle import Finding, Outcome
from tests.fuzz.strategy import cases

__all__ = ["Campaign", "Fault"]

_BATCH = 2000
_SHRINKING_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault that was found, with the smallest case that shows it.

    Attributes:
        finding: what is wrong.
        case: the case.
        seconds: when it was found first.
        examples: after how many cases.
    """

    finding: Finding
    case: Case
    seconds: float
    examples: int


class _TimeIsUp(BaseException):
    """Leaves Hypothesis, which catches every `Exception`."""


class Campaign:
    """One run of the fuzzer.

    Attributes:
        faults: what was found, each kind once.
        examples: how many cases were drawn.
        skipped: reasons why ONNX Runtime ran no original, with counts.
        replaced: in how many cases each form was replaced.
        checks: how often each comparison was made.
    """

    def __init__(self, examine: Callable[[Case], Outcome], seconds: float, seed: int) -> None:
        """`examine` runs a case (`Worker.examine`)."""
        self.faults: list[Fault] = []
        self.examples = self.matched = 0
        self.skipped: collections.Counter[str] = collections.Counter()
        self.replaced: collections.Counter[str] = collections.Counter()
        self.checks: collections.Counter[str] = collections.Counter()
        self.elapsed = 0.0
        self._examine, self._seconds, self._seed = examine, seconds, seed
        self._start = time.monotonic()
        self._shrinking: _Shrinking | None = None

    def run(self, find_all: bool = False, on_fault: Callable[[Fault], None] | None = None) -> None:
        """Looks until the time is up, or for the first fault only."""
        self._start = time.monotonic()
        batch = 0
        while self._now() < self._seconds and (find_all or not self.faults):
            fault = self._batch(self._seed + batch)
            if fault is not None:
                self.faults.append(fault)
                if on_fault is not None:
                    on_fault(fault)
            batch += 1
        self.elapsed = self._now()

    def _batch(self, seed: int) -> Fault | None:
        """Draws cases until one fails, and shrinks that."""
        self._shrinking = None

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=_BATCH,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            print_blob=False,
            verbosity=hypothesis.Verbosity.quiet,
        )
        @hypothesis.given(cases())
        def check(case: Case) -> None:
            __tracebackhide__ = True
            self._check(case)

        try:
            check()
        except _TimeIsUp:
            pass
        except AssertionError:
            assert self._shrinking is not None
            return self._shrinking.fault
        return None

    def _check(self, case: Case) -> None:
        shrinking = self._shrinking
        if shrinking is None:
            if self._now() > self._seconds:
                raise _TimeIsUp
            finding = self._new(self._counted(case))
            if finding is None:
                return
            fault = Fault(finding, case, self._now(), self.examples)
            self._shrinking = shrinking = _Shrinking(fault, time.monotonic() + _SHRINKING_SECONDS)
            shrinking.failing[case.digest] = finding
        elif case.digest not in shrinking.failing:
            if time.monotonic() > shrinking.deadline:
                return
            finding = self._new(self._examine(case), shrinking.fault.finding)
            if finding is None:
                return
            shrinking.failing[case.digest] = finding
        # Hypothesis runs the smallest case last.
        finding = shrinking.failing[case.digest]
        shrinking.fault = dataclasses.replace(shrinking.fault, finding=finding, case=case)
        raise AssertionError(finding.message)

    def _counted(self, case: Case) -> Outcome:
        outcome = self._examine(case)
        self.examples += 1
        if outcome.skipped:
            self.skipped[outcome.skipped] += 1
        self.matched += bool(outcome.replaced)
        self.replaced.update(outcome.replaced.keys())
        self.checks += outcome.checks
        return outcome

    def _new(self, outcome: Outcome, like: Finding | None = None) -> Finding | None:
        """The first finding that is no known fault, and of the same kind as `like` if given.

        It is known where a fault shows in the same way, and takes no form that is not here.
        """
        for finding in outcome.findings:
            known = any(
                _way(fault.finding) == _way(finding)
                and (finding.kind == "abort" or fault.finding.forms <= finding.forms)
                for fault in self.faults
            )
            if not known and (like is None or _way(like) == _way(finding)):
                return finding
        return None

    def _now(self) -> float:
        return time.monotonic() - self._start


@dataclasses.dataclass
class _Shrinking:
    """A fault that gets smaller. After the deadline only known cases fail, so that it ends."""

    fault: Fault
    deadline: float
    failing: dict[str, Finding] = dataclasses.field(default_factory=dict)


def _way(finding: Finding) -> tuple[str, str]:
    """With bodies or with the library, and how: the same fault shows after different options."""
    kind = finding.check.partition(", ")[2]
    return kind, finding.kind
