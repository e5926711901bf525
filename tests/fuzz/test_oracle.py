"""The oracle sees faults, and nothing else."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.fuzz import faults
from tests.fuzz.campaign import Campaign
from tests.fuzz.case import Case, Error
from tests.fuzz.comparing import difference
from tests.fuzz.oracle import Finding, Outcome
from tests.fuzz.pool import Worker
from tests.fuzz.report import described, summary
from tests.fuzz.searching import first_finding


def has(kinds: tuple[str, ...], form: str) -> Callable[[Finding], bool]:
    """Findings of these kinds in models where a form of this name was replaced."""
    return lambda finding: (
        finding.kind in kinds and any(form in replaced for replaced in finding.forms)
    )


FAULTS: dict[Callable[[], None], Callable[[Finding], bool]] = {
    faults.wrong_alpha: has(("value", "infinity"), "LeakyRelu"),
    faults.swapped_branches: has(("value",), "where"),
    faults.opposite_weight: has(("value",), "relu(x) - w*relu(-x)"),
    faults.shared_values: lambda finding: any(
        text in finding.message for text in ("does not exist in the graph", "not a graph input")
    ),
    faults.enlarging_slopes: lambda finding: "does not broadcast to X" in finding.message,
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_fault_is_seen(fault: Callable[[], None]) -> None:
    """Each of the faults shows in results or in a refusal within a few thousand graphs."""
    with Worker(fault) as worker:
        found = first_finding(worker.examine, FAULTS[fault])
    assert found is not None


def test_end_of_the_process() -> None:
    """It is a finding that says where; the next case runs in a new process."""
    with Worker(faults.ended_process) as worker:
        found = first_finding(worker.examine, lambda finding: finding.kind == "abort")
        again = first_finding(worker.examine, lambda finding: finding.kind == "abort")
    assert found is not None
    assert found.check == "accelerate, library"
    assert "the process ended with -6" in found.message
    assert found == again


def test_fault_is_shrunk() -> None:
    """What is reported is the smallest case, once for each kind, and the run goes on."""

    def examine(case: Case) -> Outcome:
        outcome = Outcome()
        operators = {node.op_type for node in case.proto.graph.node}
        for wanted in ("PRelu", "Elu"):
            if wanted in operators:
                outcome.findings.append(Finding("check, bodies", wanted, "wrong"))
        return outcome

    campaign = Campaign(examine, seconds=30, seed=1)
    seen: list[str] = []

    def stop(fault: object) -> None:
        seen.append(str(fault))
        if len(seen) == 2:
            campaign._seconds = 0

    campaign.run(find_all=True, on_fault=stop)
    assert {fault.finding.kind for fault in campaign.faults} == {"PRelu", "Elu"}
    assert len(campaign.faults) == len(seen) == 2
    for fault in campaign.faults:
        assert [node.op_type for node in fault.case.proto.graph.node] == [fault.finding.kind]
        assert fault.case.text.strip() in described(fault, 1)
    assert "2 faults" in summary(campaign, 1)


@pytest.mark.parametrize(
    ("got", "kind"),
    [
        ([1.0, np.nan, np.inf, 0.0], ""),
        ([1.0, np.nan, np.inf, -0.0], ""),
        ([1.0 + 2**-23, np.nan, np.inf, 0.0], ""),
        ([1.0 + 2**-21, np.nan, np.inf, 0.0], "value"),
        ([1.0, 0.0, np.inf, 0.0], "NaN"),
        ([1.0, np.nan, -np.inf, 0.0], "value"),
        ([1.0, np.nan, 3.0, 0.0], "infinity"),
        ([1.0, np.nan, np.inf, 1e-30], "value"),
        ([[1.0, np.nan, np.inf, 0.0]], "shape"),
    ],
)
def test_difference(got: list[float], kind: str) -> None:
    """Shapes, NaN, infinities and values beyond the tolerance."""
    wanted = np.array([1.0, np.nan, np.inf, 0.0], np.float32)
    error = Error(relative=2**-23)
    assert difference(np.array(got, np.float32), wanted, error, False)[0] == kind
    if kind == "":
        assert difference(np.array(got, np.float64), wanted, error, False)[0] == "dtype"


def test_approximate_may_give_infinity_for_nan() -> None:
    """p*x + q*abs(x) is NaN at infinity; elsewhere NaN must stay NaN."""
    wanted, got = np.array([np.nan, 1], np.float32), np.array([np.inf, 1], np.float32)
    error = Error(undefined_at_infinity=True)
    assert difference(got, wanted, error, True)[0] == ""
    assert difference(got, wanted, error, False)[0] == "NaN"
    assert difference(got, wanted, Error(), True)[0] == "NaN"


def test_approximate_may_give_a_number_for_a_number_made_of_nan() -> None:
    """After p*x + q*abs(x), which is NaN at infinity, an ELU may give 0 for that."""
    wanted, got = np.array([0, 1], np.float32), np.array([-0.5, 1], np.float32)
    both = Error(undefined_at_infinity=True, loses_nan=True)
    assert difference(got, wanted, both, True)[0] == ""
    for error in (both, Error(undefined_at_infinity=True), Error(loses_nan=True)):
        assert difference(got, wanted, error, False)[0] == "value"
    for error in (Error(undefined_at_infinity=True), Error(loses_nan=True)):
        assert difference(got, wanted, error, True)[0] == "value"
