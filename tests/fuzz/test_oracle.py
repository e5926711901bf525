"""The oracle sees faults, and nothing else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnx.parser
import pytest

from onnx_acts.graph import accelerate_counted
from tests.fuzz import campaign as searched
from tests.fuzz import faults, oracle
from tests.fuzz.campaign import Campaign
from tests.fuzz.case import Case, Error
from tests.fuzz.comparing import difference
from tests.fuzz.oracle import Finding, Outcome, examine
from tests.fuzz.pool import Worker
from tests.fuzz.report import described, summary
from tests.fuzz.running import originals
from tests.fuzz.searching import first_finding
from tests.fuzz.undefined import mark, undefined


def has(kinds: tuple[str, ...], form: str) -> Callable[[Finding], bool]:
    """Findings of these kinds in models where a form of this name was replaced."""
    return lambda finding: (
        finding.kind in kinds and any(form in replaced for replaced in finding.forms)
    )


FAULTS: dict[Callable[[], None], Callable[[Finding], bool]] = {
    faults.wrong_alpha: has(("value", "infinity"), "LeakyRelu"),
    faults.swapped_branches: has(("value",), "where"),
    faults.opposite_weight: has(("value",), "relu(-x)"),
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


def test_fault_is_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is reported is the smallest case, once for each kind, and the run goes on."""
    monkeypatch.setattr(searched, "_SHRINKING_SECONDS", 600)  # a busy machine needs more than 10

    def examine(case: Case) -> Outcome:
        outcome = Outcome()
        operators = {node.op_type for node in case.proto.graph.node}
        for wanted in ("PRelu", "Elu"):
            if wanted in operators:
                outcome.findings.append(Finding("check, bodies", wanted, "wrong"))
        return outcome

    campaign = Campaign(examine, seconds=600, seed=1)
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
    assert difference(np.array(got, np.float32), wanted, error)[0] == kind
    if kind == "":
        assert difference(np.array(got, np.float64), wanted, error)[0] == "dtype"


NAN = np.array([True, False])
"""Of two elements, where NaN arrives, if no form on the way makes a number of it."""


def test_approximate_may_give_infinity_for_nan() -> None:
    """p*x + q*abs(x) is NaN at infinity; elsewhere NaN must stay NaN."""
    wanted, got = np.array([np.nan, 1], np.float32), np.array([np.inf, 1], np.float32)
    error = Error(undefined_at_infinity=True)
    assert difference(got, wanted, error, NAN)[0] == ""
    assert difference(got, wanted, error)[0] == "NaN"
    assert difference(got, wanted, Error(), NAN)[0] == "NaN"


def test_approximate_may_give_a_number_for_a_number_made_of_nan() -> None:
    """After p*x + q*abs(x), which is NaN at infinity, an ELU may give 0 for that."""
    wanted, got = np.array([0, 1], np.float32), np.array([-0.5, 1], np.float32)
    both = Error(undefined_at_infinity=True, loses_nan=True)
    assert difference(got, wanted, both, NAN)[0] == ""
    for error in (both, Error(undefined_at_infinity=True), Error(loses_nan=True)):
        assert difference(got, wanted, error)[0] == "value"
    for error in (Error(undefined_at_infinity=True), Error(loses_nan=True)):
        assert difference(got, wanted, error, NAN)[0] == "value"


@pytest.mark.parametrize(
    ("got", "kind"), [(0.51, "value"), (np.nan, "NaN"), (np.inf, "infinity"), (0.5, "")]
)
@pytest.mark.parametrize("loses_nan", [False, True])
@pytest.mark.parametrize("undefined_at_infinity", [False, True])
def test_approximate_differs_nowhere_else(
    undefined_at_infinity: bool, loses_nan: bool, got: float, kind: str
) -> None:
    """Where no NaN arrives, the forms differ in rounding only."""
    wanted, found = np.array([0, 0.5], np.float32), np.array([np.nan, got], np.float32)
    error = Error(undefined_at_infinity=undefined_at_infinity, loses_nan=loses_nan)
    assert difference(found[1:], wanted[1:], error, NAN[1:])[0] == kind
    if undefined_at_infinity or loses_nan:
        return
    assert difference(found, wanted, error, NAN)[0] == "NaN"


FORMS = """<ir_version: 8, opset_import: ["": 17]> g (float[6] x) => (float[6] y, int64[1] n)
<float p = {0.625}, float q = {0.375}, float o = {0}, float i = {1}> {
    px = Mul(p, x) size = Abs(x) qx = Mul(q, size) a = Add(px, qx)
    l = Less(a, o) w = Where(l, a, o) e = Exp(w) m = Sub(e, i) t = Greater(a, o) y = Where(t, a, m)
    n = Shape(y)
}"""
X = np.array([-2, np.nan, -np.inf, np.inf, 3, -0.5], np.float32)


def two_forms() -> Case:
    """0.625*x + 0.375*abs(x), which is NaN at -inf, before an ELU that gives 0 for NaN."""
    model = onnx.parser.parse_model(FORMS)
    mark(next(node for node in model.graph.node if node.output[0] == "w"), "a")
    error = Error(1e-6, 1e-6, 1e-6, 2, undefined_at_infinity=True, loses_nan=True)
    return Case(
        model.SerializeToString(), ({"x": X},), {"y": error}, frozenset(), False, "approximate"
    )


def test_where_nan_arrives() -> None:
    """Through the ELU that makes a number of it, and nowhere else."""
    case = two_forms()
    feeds, ways = originals(case)
    assert ways[0][0][0][1] == ways[0][0][0][2] == 0
    ((of_y, of_n),) = undefined(case.proto, feeds, ways[0])
    np.testing.assert_array_equal(of_y, [False, True, True, False, False, False])
    np.testing.assert_array_equal(of_n, [False])


def test_approximate_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slope that is off by little is seen beside elements that may differ."""
    case = two_forms()
    outcome = examine(case)
    assert not outcome.findings
    assert outcome.checks["approximate, library"] == 1
    assert {form.split(" -> ")[1] for form in outcome.replaced} == {"LeakyRelu", "ELU"}

    def wrong(model: onnx.ModelProto, **options: Any) -> Any:
        result, replaced = accelerate_counted(model, **options)
        for node in result.graph.node:
            for item in node.attribute if node.op_type == "LeakyRelu" else ():
                item.f *= 1.001
        return result, replaced

    monkeypatch.setattr(oracle, "accelerate_counted", wrong)
    findings = examine(case).findings
    assert [(found.check, found.kind) for found in findings] == [
        ("approximate, bodies", "value"),
        ("approximate, library", "value"),
    ]
