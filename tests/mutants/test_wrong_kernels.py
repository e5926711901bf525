"""The suite against kernels that are wrong on purpose."""

import dataclasses

import pytest

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.cases import GROUPS, cases
from onnx_acts.conformance.suite import judge, promise_of
from onnx_acts.definition.specs import OPERATORS, Spec, spec_of
from tests.mutants.caught_edges import WRONG_EDGES
from tests.mutants.wrong_kernels import WRONG_KERNELS, Caught, Telling, Wrong, exactly

EVERY = (*WRONG_KERNELS, *WRONG_EDGES)


def case_of(caught: Caught) -> Case:
    """The case of that name."""
    spec = spec_of(caught.operator)
    for case in cases(spec, caught.dtype, caught.group, caught.quick):
        if case.name == caught.case:
            return case
    raise AssertionError(f"there is no case {caught.case!r}")


def named(caught: Caught) -> str:
    """The kernel and what catches it, as the list of tests shows it."""
    where = f"{caught.operator}-{caught.dtype}-{caught.group}-{caught.case}"
    return f"{caught.spoil.__name__}-{where}"


@pytest.mark.parametrize("caught", EVERY, ids=named)
def test_wrong_kernel_is_caught(caught: Caught) -> None:
    """The case that stands beside it fails on it, and passes on the kernel without the fault."""
    case, wrong = case_of(caught), Wrong(caught.spoil)
    promise = promise_of(wrong, case.spec, case.dtype)
    if caught.spoil.__name__ == "stale_output":  # the call before
        before = dataclasses.replace(case, inputs=[array[::-1].copy() for array in case.inputs])
        wrong.run(before)
    found = judge(wrong, case, promise)
    assert found.message.removeprefix("run again: ")
    assert case.refused or not found.message.startswith("raised"), found.message
    if not case.refused:
        assert judge(Wrong(exactly), case_of(caught), promise).ok


@pytest.mark.parametrize("name", ["alone, fixed, ()", "alone, fixed, (2, 1, 3, 1, 2)"])
def test_a_wrong_shape_that_is_told_is_caught(name: str) -> None:
    """Of what has no dimensions, and of what has many; a right one passes."""
    found = cases(spec_of("ELU"), "float32", "sizes", quick=True)
    (case,) = (case for case in found if case.name == name)
    told = judge(Telling(exactly), case, 0.5)
    assert "inferred the shape" in told.message
    assert judge(Wrong(exactly), case, 0.5).ok


def test_there_are_enough() -> None:
    """At least 20 faults, all but a few in a first look; none of them is listed twice."""
    assert len({caught.spoil for caught in EVERY}) >= 90
    assert sum(not caught.quick for caught in EVERY) <= 5
    assert len(set(EVERY)) == len(EVERY)


@pytest.mark.parametrize("spec", OPERATORS, ids=lambda spec: spec.name)
def test_no_case_fails_on_a_right_kernel(spec: Spec) -> None:
    """What is rounded correctly passes every case of a first look."""
    fine = Wrong(exactly)
    for dtype in spec.element_types:
        for group in GROUPS:
            for case in cases(spec, dtype, group, quick=True):
                if not case.refused:
                    found = judge(fine, case, 0.5 if not spec.is_quantized else 0.0)
                    assert found.ok, (case.name, found.message)
