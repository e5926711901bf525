"""The verdict on one case: refusals, inferred shapes, and which runtimes are asked what."""

from typing import Any

import numpy as np
import pytest

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.cases import GROUPS, cases, find_case
from onnx_acts.conformance.judging import judge, no_answer
from onnx_acts.conformance.runtimes import RUNTIMES, VARIANTS, runtime_of
from onnx_acts.conformance.suite import Selection, run
from onnx_acts.conformance.surroundings import SURROUNDINGS
from onnx_acts.definition.specs import OPERATORS, SPECS, Spec, spec_of
from tests.mutants.wrong_kernels import Wrong, enlarges, exactly, says_nothing, takes_any_bounds

X = np.array([[-1.0, 2.0, -3.0], [4.0, -5.0, 6.0]], np.float32)


def test_there_are_many_cases() -> None:
    """At least 5,000 in a full run, of every group; a first look has a part of them."""
    counts = dict.fromkeys((False, True), 0)
    for quick in counts:
        seen = set()
        for spec in OPERATORS:
            for dtype in spec.element_types:
                for group in GROUPS:
                    found = sum(1 for _ in cases(spec, dtype, group, quick))
                    counts[quick] += found
                    seen |= {group} if found else set()
        assert seen == set(GROUPS)
    assert counts[False] >= 12_000
    assert 1_000 < counts[True] < counts[False] / 4


def test_refusal() -> None:
    """Right is an error that names what is wrong; a result is wrong, and so are other words."""
    case = find_case("PReLU", "float32", "refused", "slope (3,) on (2, 1)")

    def refuses(kernel: Wrong, case: Case) -> list[Any]:
        raise ValueError("PReLU:\nslope of shape (3,) on (2, 1)")

    assert judge(Wrong(refuses), case, 0.5).ok
    assert (
        "computed what it must refuse: outputs of shape (2, 3)"
        in judge(Wrong(enlarges), case, 0.5).message
    )
    assert "with words that do not match" in judge(Wrong(says_nothing), case, 0.5).message


def test_refusals_in_a_run() -> None:
    """What computes instead fails its cases, with a message; the run goes on."""
    kernels = {takes_any_bounds: "computed what it must refuse", says_nothing: "words that do not"}
    for kernel, message in kernels.items():
        (cell,) = run(
            Selection([spec_of("PReLU")], ["float32"], ["refused"], [Wrong(kernel)], quick=True)
        ).cells
        assert cell.failed == cell.cases > 3
        assert all(message in failure.message for failure in cell.failures)


@pytest.mark.parametrize("name", ["library", "evaluator"])
def test_ours_refuse(name: str) -> None:
    """Those that have the operators refuse every case of the group, in float32 and in 8 bits."""
    runtime, tried = runtime_of(name), 0
    for spec in OPERATORS:
        for case in cases(spec, spec.element_types[-1], "refused", quick=True):
            assert not no_answer(runtime, case)
            found = judge(runtime, case, 0.5)
            assert found.ok, (case.name, found.message)
            tried += 1
    assert tried >= 15


def test_others_are_not_asked() -> None:
    """What has rules of its own is not judged by refusals, nor a function by models."""
    refused = find_case("PReLU", "float32", "refused", "slope (3,) on (2, 1)")
    model = find_case("ELU", "float32", "sizes", "Shape, fixed, (2, 3)")
    bare = find_case("ELU", "float32", "attributes", "absent")
    for runtime in (*RUNTIMES, *VARIANTS):
        if runtime.unavailable():
            continue
        ours = runtime.name.startswith("library") or runtime.name == "evaluator"
        assert bool(no_answer(runtime, refused)) != ours, runtime.name
        reads = runtime.package in ("onnx", "onnxruntime")
        assert (no_answer(runtime, model) == "") == reads, runtime.name
        if runtime.promise == "body":
            assert no_answer(runtime, bare) == "there is no body in that model"


class Telling(Wrong):
    """A right kernel with shapes of its own making."""

    def __init__(self, given: list[Any], found: list[Any], promise: str = "kernel") -> None:
        super().__init__(exactly)
        self.promise, self._told = promise, (given, found)

    def inferred_shapes(self, case: Case) -> tuple[list[Any], list[Any]]:
        """As told."""
        return self._told


@pytest.mark.parametrize(
    ("given", "found", "promise", "is_right"),
    [
        ([2, 3], [2, 3], "kernel", True),
        (["N", 3], ["N", 3], "kernel", True),
        ([2, 3], [], "kernel", False),
        ([2, 3], [], "body", True),
        ([2, 3], [3, 2], "body", False),
        (["N", 3], ["M", 3], "body", False),
        (["N", 3], ["N", None], "body", True),
        (["N", 3], ["N", None], "kernel", False),
        ([None, 3], [], "kernel", True),
        ([None, 3], [-1, 3], "kernel", False),
        ([2, 3], [2, 3, 1], "body", False),
    ],
)
def test_inferred_shapes(given: list[Any], found: list[Any], promise: str, is_right: bool) -> None:
    """A kernel of ours tells all that is known of X's sizes; nobody tells a wrong one."""
    case = Case("ReLU", "float32", [X], sizes="fixed")
    verdict = judge(Telling(given, found, promise), case, 0.5)
    assert verdict.ok == is_right
    assert is_right or f"inferred the shape {found} for Y, expected {given}" in verdict.message


def test_inferred_shapes_are_onnx_runtimes() -> None:
    """The library's, as a session tells them: numbers and names are kept, the rest is open."""
    library: Any = runtime_of("library")
    told = {
        sizes: library.inferred_shapes(Case("ELU", "float32", [X], sizes=sizes, within="Shape"))
        for sizes in ("named", "fixed", "unnamed", "unknown")
    }
    assert told["named"] == (["X0", "X1"], ["X0", "X1"])
    assert told["fixed"] == ([2, 3], [2, 3])
    assert told["unnamed"][1] == told["unknown"][1] == []


@pytest.mark.parametrize("within", SURROUNDINGS)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_surroundings_are_onnxs(spec: Spec, within: str) -> None:
    """What is expected of the nodes around is what onnx.reference computes."""
    slopes = [np.array([0.25], np.float32) for _ in spec.inputs[1:]]
    outputs = max(1, SURROUNDINGS[within].hides)
    if outputs > len(spec.outputs):
        pytest.skip(f"{spec.name} has one output")
    case = Case(spec.name, "float32", [X, *slopes], {}, outputs, sizes="unknown", within=within)
    found = judge(runtime_of("evaluator"), case, 0.5)
    assert found.ok, found.message


def test_absent_is_absent() -> None:
    """A bare case's model has no attribute but those given, and no body."""
    from onnx_acts.conformance.models import acts_model, standard_model

    case = Case("RReLU", "float32", [X], {"seed": 3}, bare=True)
    model = acts_model(case)
    assert [item.name for item in model.graph.node[0].attribute] == ["seed"]
    assert not model.functions
    bare = Case("LeakyReLU", "float32", [X], bare=True)
    assert not standard_model(bare).graph.node[0].attribute
    assert standard_model(Case("LeakyReLU", "float32", [X])).graph.node[0].attribute


def test_models_of_the_last_cases_are_copies() -> None:
    """A runtime that changes its model changes nobody else's."""
    from onnx_acts.conformance.models import acts_model

    case = Case("ELU", "float32", [X], {"alpha": 0.5})
    acts_model(case).graph.Clear()
    assert acts_model(case).graph.node[0].op_type == "ELU"
    other = Case("ELU", "float32", [X], {"alpha": -0.0})
    third = Case("ELU", "float32", [X], {"alpha": 0.0})
    assert acts_model(other) != acts_model(third)


def test_every_illegal_slope_is_refused_by_the_definition() -> None:
    """The list of illegal shapes is one: NumPy agrees that each is enlarged, or does not fit."""
    for case in cases(spec_of("PReLU"), "float64", "refused"):
        x, slope = case.inputs
        try:
            enlarged = np.broadcast_shapes(x.shape, slope.shape) != x.shape
        except ValueError:
            enlarged = True
        assert enlarged, case.name
