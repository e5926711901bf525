"""The first finding among a number of cases: the same on every machine, however fast it is."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis
from hypothesis import HealthCheck, Phase

from tests.fuzz.case import Case
from tests.fuzz.oracle import Finding, Outcome
from tests.fuzz.strategy import cases

__all__ = ["first_finding"]


class _FoundError(Exception):
    """Ends the search."""


def first_finding(
    examine: Callable[[Case], Outcome],
    is_wanted: Callable[[Finding], bool] = lambda finding: True,
    seed: int = 1,
    examples: int = 3000,
) -> Finding | None:
    """Returns the first finding of a kind, None where no case has one."""
    found: list[Finding] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
    )
    @hypothesis.given(cases())
    def look(case: Case) -> None:
        found.extend(filter(is_wanted, examine(case).findings))
        if found:
            raise _FoundError

    try:
        look()
    except _FoundError:
        return found[0]
    return None
