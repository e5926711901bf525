"""Kinds of differences: what they explain, what they do not, and that they are strict."""

import dataclasses
import itertools
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from onnx_acts.conformance import ledger
from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.cases import cases
from onnx_acts.conformance.foreign_differences import QUIRKS
from onnx_acts.conformance.kinds import KINDS
from onnx_acts.conformance.known_differences import measured_accuracy
from onnx_acts.conformance.quirks import Quirk, QuirkLedger
from onnx_acts.conformance.runtimes import runtime_of
from onnx_acts.conformance.suite import Result, Selection, run
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, spec_of

TINY = float(np.finfo(np.float32).tiny)


def explained(
    kind: str, operator: str, x: list[float], got: list[float], dtype: str = "float32", **more: Any
) -> list[str]:
    """The reasons of one record for a result."""
    record = Quirk("it", kind, ("Relu", "LeakyRelu", "PRelu", "Elu"), "seen today")
    slopes = more.pop("slopes", [])
    inputs = [np.array(values).astype(numpy_type(dtype)) for values in ([*x], *slopes)]
    case = Case(operator, dtype, inputs, more)
    output = np.array(got).astype(numpy_type(dtype))
    return QuirkLedger([record]).explain("it", "1.0", case, [output], 0.5)


@pytest.mark.parametrize(
    ("kind", "operator", "x", "right", "wrong", "more"),
    [
        ("subnormal", "ReLU", [TINY / 4, 2.0], [0.0, 2.0], [0.0, 3.0], {}),
        ("zero sign", "ReLU", [-0.0, 2.0], [0.0, 2.0], [1.0, 2.0], {}),
        ("NaN", "ReLU", [np.nan, 2.0], [0.0, 2.0], [np.nan, 3.0], {}),
        ("exp - 1", "ELU", [-1e-8, 2.0], [0.0, 2.0], [-1e-6, 2.0], {}),
        (
            "rounded product",
            "ELU",
            [-(2.0**-15), 2.0],
            [-3 * (2.0**-15 + 2.0**-24), 2.0],
            [-3 * (2.0**-15 + 2.0**-22), 2.0],
            {"alpha": 3.0, "dtype": "float16"},
        ),
        ("infinite x", "LeakyReLU", [-np.inf, 1.0], [np.nan, 1.0], [-np.inf, 2.0], {}),
        ("product at 0", "LeakyReLU", [0.0, 1.0], [-0.0, 1.0], [-1.0, 1.0], {"alpha": -0.5}),
        ("parameter -0", "LeakyReLU", [-1.0, 2.0], [-0.0, 2.0], [-1.0, 2.0], {"alpha": -0.0}),
        ("odd parameter", "LeakyReLU", [0.0, 1.0], [np.nan, 1.0], [42.0, 1.0], {"alpha": np.inf}),
        (
            "parameter from text",  # of 1 + 2**-24 it is a little larger
            "LeakyReLU",
            [-3.0, 1.0],
            [-3 * (1 + 2.0**-23), 1.0],
            [-3 * (1 - 2.0**-23), 1.0],
            {"alpha": 1 + 2.0**-24},
        ),
        (
            "rounded parameter",
            "LeakyReLU",
            [-5.0, 1.0],
            [-0.499755859375, 1.0],
            [-0.48, 1.0],
            {"alpha": 0.1, "dtype": "float16"},
        ),
        (
            "float32",
            "LeakyReLU",
            [-1.0, 1.0],
            [-float(np.float32(0.1)), 1.0],
            [-0.1001, 1.0],
            {"alpha": 0.1, "dtype": "float64"},
        ),
        (
            "exp - 1 in float32",
            "ELU",
            [-1e-8, 1.0],
            [0.0, 1.0],
            [-1e-5, 1.0],
            {"dtype": "float64"},
        ),
    ],
)
def test_kinds(
    kind: str, operator: str, x: list[float], right: list[float], wrong: list[float], more: Any
) -> None:
    """Each explains what it is about, and not another fault in the same place or beside it."""
    assert explained(kind, operator, x, right, **more) == [f"{KINDS[kind].reason} (seen today)"]
    assert explained(kind, operator, x, wrong, **more) == []


@pytest.mark.parametrize(
    ("kind", "x"), [("subnormal", TINY / 4), ("subnormal", -TINY / 4), ("infinite x", -np.inf)]
)
@pytest.mark.parametrize("operator", ["LeakyReLU", "ELU"])
def test_no_kind_explains_whatever_it_is(kind: str, x: float, operator: str) -> None:
    """42 is neither a zero in place of a subnormal number nor a number in place of infinity."""
    assert explained(kind, operator, [x, 1.0], [42.0, 1.0]) == []


INF, NAN, TOP = np.inf, np.nan, float(np.finfo(np.float32).max)

ODD: list[tuple[str, str, float, float, list[float], list[float]]] = [
    # operator, element type, alpha, x, what arithmetic can give, what it cannot
    ("LeakyReLU", "float32", INF, -0.0, [NAN], [1.0, INF, -INF]),
    ("LeakyReLU", "float32", -INF, 0.0, [NAN], [1.0, -TOP]),
    ("LeakyReLU", "float32", INF, -1.0, [-TOP], [0.0, 42.0, NAN, INF, TOP, -1.0]),
    ("LeakyReLU", "float32", -INF, -1.0, [TOP], [0.0, -42.0, NAN, -INF, -TOP]),
    ("LeakyReLU", "float32", NAN, -1.0, [], [0.0, -1.0, INF]),
    ("LeakyReLU", "float32", INF, 2.0, [NAN], [0.0, INF, 3.0]),
    ("LeakyReLU", "float64", INF, -1e-25, [-TOP * 1e-25], [-1.0, 0.0, NAN, -TOP]),
    ("LeakyReLU", "float64", -INF, -1e-25, [TOP * 1e-25], [1.0, 0.0, NAN, TOP]),
    ("LeakyReLU", "float16", 16777217.0, -(2.0**-14), [-INF], [0.0, 7.0, NAN, INF]),
    ("ELU", "float32", INF, -0.0, [NAN], [1.0, INF, -INF]),
    ("ELU", "float32", INF, -1e-9, [NAN], [42.0, INF, TOP]),
    ("ELU", "float32", -INF, -1.0, [], [0.0, 42.0, NAN, -INF]),
    ("ELU", "float32", -INF, -INF, [TOP], [0.0, NAN, -INF]),
    ("ELU", "float16", 16777217.0, -(2.0**-10), [-INF], [0.0, 7.0, INF]),
    ("ELU", "float64", 1e39, -1e-3, [-INF], [0.0, -1.0, NAN, INF]),
]


@pytest.mark.parametrize(("operator", "dtype", "alpha", "x", "can", "cannot"), ODD)
def test_what_arithmetic_makes_of_an_odd_parameter(
    operator: str, dtype: str, alpha: float, x: float, can: list[float], cannot: list[float]
) -> None:
    """Infinity times x, NaN of 0 times infinity, the largest number: no other result hides there.

    The same beside numbers that the parameter does not scale, and where a record says that
    parameters are rounded first.
    """
    for others in ([], [3.0, 0.5]):
        here = [x, *others]
        for got in can:
            found = explained("odd parameter", operator, here, [got, *others], dtype, alpha=alpha)
            assert found, (got, others)
        for got, kind in itertools.product(cannot, ("odd parameter", "rounded parameter")):
            found = explained(kind, operator, here, [got, *others], dtype, alpha=alpha)
            assert not found, (got, others, kind)


def test_an_odd_slope_is_that_of_its_element() -> None:
    """Beside an infinite slope another one excuses nothing."""
    x, slopes = [-1.0, -1.0, 0.0], [[np.inf, 0.5, np.nan]]
    for got, is_right in (
        ([-TOP, -0.5, NAN], True),
        ([-TOP, -0.75, NAN], False),
        ([-TOP, NAN, NAN], False),
        ([-0.5, -0.5, NAN], False),
    ):
        found = explained("odd parameter", "PReLU", x, got, slopes=slopes)
        assert bool(found) == is_right, got


@pytest.mark.parametrize(
    ("operator", "got", "is_right"),
    [
        ("LeakyReLU", 0.0, True),
        ("LeakyReLU", -0.5, False),
        ("LeakyReLU", 42.0, False),
        ("ELU", -0.5, True),
        ("ELU", 0.5, False),
        ("ELU", -INF, False),
    ],
)
def test_what_becomes_of_nan(operator: str, got: float, is_right: bool) -> None:
    """Zero, or what ELU comes to; no other number."""
    assert bool(explained("NaN", operator, [NAN], [got], alpha=0.5)) == is_right


@pytest.mark.parametrize(("x", "alpha"), [(-1e300, 0.5), (-1.0, 1e300), (1e300, 0.5)])
def test_beyond_float32_not_everything_is_float32(x: float, alpha: float) -> None:
    """An infinity of the right sign, or what is cut off to the largest number; nothing else."""
    sign = math.copysign(1, x)
    cut = sign * (TOP if x > 0 or alpha > 1 else TOP / 2)
    for got in (sign * INF, cut):
        assert explained("float32", "LeakyReLU", [x], [got], "float64", alpha=alpha), got
    for got in (42.0, 0.0, NAN, -sign * INF, -cut):
        assert not explained("float32", "LeakyReLU", [x], [got], "float64", alpha=alpha), got


@pytest.mark.parametrize("slope", [1e-42, 0.1])
def test_what_is_cut_off_is_multiplied_in_float32(slope: float) -> None:
    """With a slope that float32 rounds, in subnormal numbers far; nothing else is explained."""
    right = -TOP * float(np.float32(slope))
    assert explained("float32", "PReLU", [-1e300], [right], "float64", slopes=[[slope]])
    for got in (right * 1.01, 42.0, -TOP, 0.0):
        assert not explained("float32", "PReLU", [-1e300], [got], "float64", slopes=[[slope]])


def test_every_kind_is_tried_and_used() -> None:
    """The test above has them all, and a record needs each."""
    tried = {parameters[0] for parameters in test_kinds.pytestmark[0].args[1]}
    assert tried == set(KINDS) == {record.kind for record in QUIRKS}


def test_two_records_explain_one_case_together() -> None:
    """Each element needs one of them; without one of the two nothing is explained."""
    records = [Quirk("it", kind, ("Relu",), "seen") for kind in ("NaN", "zero sign")]
    case = Case("ReLU", "float32", [np.array([np.nan, -0.0], np.float32)])
    output = [np.zeros(2, np.float32)]
    assert len(QuirkLedger(records).explain("it", "1", case, output, 0.5)) == 2
    for record in records:
        assert QuirkLedger([record]).explain("it", "1", case, output, 0.5) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"runtime": "another"},
        {"operators": ("Elu",)},
        {"dtypes": ("float64",)},
        {"since": "2"},
        {"until": "0.9"},
    ],
    ids=str,
)
def test_a_record_about_something_else_explains_nothing(changes: dict[str, Any]) -> None:
    """Each field narrows it."""
    record = dataclasses.replace(Quirk("it", "NaN", ("Relu",), "seen"), **changes)
    case = Case("ReLU", "float32", [np.array([np.nan], np.float32)])
    assert QuirkLedger([record]).explain("it", "1", case, [np.zeros(1, np.float32)], 0.5) == []


def test_wrong_shapes_are_not_explained() -> None:
    """Nor is a wrong element type, or a missing output."""
    ledger = QuirkLedger([Quirk("it", "NaN", ("Relu",), "seen")])
    case = Case("ReLU", "float32", [np.array([np.nan], np.float32)])
    for outputs in ([], [np.zeros(2, np.float32)], [np.zeros(1)]):
        assert ledger.explain("it", "1", case, outputs, 0.5) == []


def test_a_record_is_strict() -> None:
    """One that could have shown at many elements and never did is stale; after a few it is not."""
    record = Quirk("it", "zero sign", ("Relu",), "seen")
    few, many = (Case("ReLU", "float32", [-np.zeros(n, np.float32)]) for n in (5, 1000))
    for case, count in ((few, 0), (many, 1)):
        ledger = QuirkLedger([record])
        assert ledger.explain("it", "1", case, [case.inputs[0]], 0.5) == []
        assert len(ledger.stale()) == count
    assert (
        "it, Relu float32: no longer differs: remove the record (it loses the" in ledger.stale()[0]
    )
    ledger.explain("it", "1", many, [np.zeros(1000, np.float32)], 0.5)
    assert ledger.stale() == []


def test_in_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A difference by kind is "known" with its reason, and without the record a failure."""

    class Flushing:
        name, title, package, promise = "evaluator", "fake", "onnx", "exact"

        def unavailable(self) -> str:
            return ""

        def unsupported(self, case: Case) -> str:
            return ""

        def run(self, case: Case) -> list[np.ndarray]:
            (y,) = runtime_of("evaluator").run(case)
            return [np.where(np.abs(y) < TINY, np.copysign(np.float32(0), y), y)]

    chosen = Selection([spec_of("ReLU")], ["float32"], ["special"], [Flushing()], quick=True)
    record = Quirk("evaluator", "subnormal", ("Relu",), "seen today")
    monkeypatch.setattr(ledger, "QUIRKS", (record,))
    (cell,) = run(chosen).cells
    subnormal = [
        case
        for case in cases(spec_of("ReLU"), "float32", "special", quick=True)
        if ((case.inputs[0] > 0) & (case.inputs[0] < TINY)).any()
    ]
    assert (cell.status, cell.known) == ("known", len(subnormal))
    assert 3 < len(subnormal) < cell.cases
    assert cell.reasons == [f"{KINDS['subnormal'].reason} (seen today)"]
    monkeypatch.setattr(ledger, "QUIRKS", ())
    assert run(chosen).cells[0].status == "fail"


def test_strict_in_a_run_of_all_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the groups cannot show that a kind is gone; all of them can."""
    record = Quirk("evaluator", "zero sign", ("Relu",), "seen today")
    monkeypatch.setattr(ledger, "QUIRKS", (record,))
    whole = Selection(
        [spec_of("ReLU")], ["float32"], runtimes=[runtime_of("evaluator")], quick=True
    )
    assert len(run(whole).stale) == 1
    assert run(dataclasses.replace(whole, groups=["special", "dense"])).stale == []


class Dropping:
    """A fake that takes a parameter of -0 as 0, but in the cases that `right` says."""

    name, title, package, promise = "evaluator", "fake", "onnx", "exact"

    def __init__(self, right: Callable[[Case], bool] = lambda case: False) -> None:
        self._right = right

    def unavailable(self) -> str:
        """It is there."""
        return ""

    def unsupported(self, case: Case) -> str:
        """It computes all."""
        return ""

    def run(self, case: Case) -> list[np.ndarray]:
        """Computes what is true of the parameter that it sees."""
        if not self._right(case):
            plain = {name: value + 0.0 for name, value in case.attributes.items()}  # of -0: 0
            case = dataclasses.replace(case, attributes=plain)
        return runtime_of("evaluator").run(case)


def dropping(
    monkeypatch: pytest.MonkeyPatch, runtime: Any, operators: tuple[str, ...] = ("LeakyRelu",)
) -> Result:
    """A run of the group about attributes, with one record that -0 is taken as 0."""
    record = Quirk("evaluator", "parameter -0", operators, "seen today")
    monkeypatch.setattr(ledger, "QUIRKS", (record,))
    chosen = [spec_of("LeakyReLU"), spec_of("ELU")]
    return run(Selection(chosen, ["float32"], ["attributes"], [runtime], quick=True))


def test_parameter_of_negative_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one case that it names differs as known; of an operator without the record it fails."""
    leaky, elu = dropping(monkeypatch, Dropping()).cells
    assert (leaky.status, leaky.known, elu.status, elu.failed) == ("known", 1, "fail", 1)
    assert [failure.case for failure in elu.failures] == ["alpha=-0"]
    assert dropping(monkeypatch, Dropping(), ("LeakyRelu", "Elu")).ok


def test_a_kind_that_always_shows_is_stale_where_it_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a part of the groups, too: of a runtime without it, and of one that is right at times."""
    found = dropping(monkeypatch, Dropping(lambda case: True))
    reason = KINDS["parameter -0"].reason
    assert found.stale == [
        f"evaluator, LeakyRelu float32: no longer differs: remove the record ({reason})"
    ]
    assert not found.ok
    both = ("LeakyRelu", "Elu")
    (one,) = dropping(monkeypatch, Dropping(lambda case: case.operator == "ELU"), both).stale
    assert one == f"evaluator, Elu float32: no longer differs: remove the record ({reason})"

    class Half(Dropping):
        """Right for numbers below -1."""

        def run(self, case: Case) -> list[np.ndarray]:
            ((y,), (right,)) = super().run(case), runtime_of("evaluator").run(case)
            return [np.where(case.inputs[0] < -1, right, y)]

    (two,) = dropping(monkeypatch, Half()).stale
    assert re.search(r"no longer differs at \d+ of \d+ elements: narrow the record", two)


@pytest.mark.parametrize("item", QUIRKS, ids=lambda item: f"{item.runtime}-{item.kind}")
def test_records_name_things_that_exist(item: Quirk) -> None:
    """The runtime, the kind, operators and types are real; package, version and date are told."""
    runtime_of(item.runtime)
    assert item.kind in KINDS
    assert item.operators
    assert set(item.operators) <= {spec.standard_name for spec in SPECS}
    assert set(item.dtypes) <= set(ELEMENT_TYPES)
    package = runtime_of(item.runtime).package
    assert item.seen.startswith(f"{package} ")
    assert item.seen.endswith(", 2026-11-26")


def test_no_record_is_there_twice() -> None:
    """For a runtime, kind, operator and type there is one."""
    keys = [
        (item.runtime, item.kind, operator, dtype)
        for item in QUIRKS
        for operator in item.operators
        for dtype in item.dtypes
    ]
    assert len(keys) == len(set(keys))


def test_accuracies_of_others() -> None:
    """They are found as those of PyTorch are; the figures seen in the issue bound them."""
    assert 1 < (measured_accuracy("jax", "ELU", "float32") or 0) < 6
    assert measured_accuracy("litert", "PReLU", "float32") is None


def test_cases_have_what_the_kinds_are_about() -> None:
    """The special values have elements at which the commonest kinds can show."""
    case = next(iter(cases(spec_of("ELU"), "float32", "special", True)))
    x = case.inputs[0]
    assert np.isnan(x).any()
    assert ((x != 0) & (np.abs(x) < TINY)).any()
