"""The suite as pytest's tests, in any project: `pytest --pyargs onnx_acts.conformance`.

A test is one operator, element type and group of cases on one runtime. The options --runtime and
--quick come from `onnx_acts/cli/pytest_options.py`, which pytest finds by itself.
"""

from __future__ import annotations

import functools
import itertools

import pytest

from onnx_acts.conformance import reports
from onnx_acts.conformance.cases import GROUPS, cases
from onnx_acts.conformance.runtimes import Runtime, runtime_of
from onnx_acts.conformance.suite import Selection, run
from onnx_acts.definition.specs import OPERATORS, Spec, spec_of

__all__ = ["pytest_generate_tests", "test_conformance"]

_DEFAULT = "library"
"""The runtime that is tested where none is named."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Makes a test for each runtime, operator, element type and group that has cases."""
    names = metafunc.config.getoption("--runtime", None) or [_DEFAULT]
    try:
        runtimes = [runtime_of(name) for name in names]
    except ValueError as error:
        raise pytest.UsageError(f"--runtime: {error}") from error
    parts = [
        (runtime, spec.name, dtype, group)
        for runtime, (spec, dtype, group) in itertools.product(runtimes, _products())
    ]
    labels = ["-".join((item.name, *rest)) for item, *rest in parts]
    metafunc.parametrize(("runtime", "operator", "dtype", "group"), parts, ids=labels)


def test_conformance(
    runtime: Runtime, operator: str, dtype: str, group: str, pytestconfig: pytest.Config
) -> None:
    """Every case is right, or differs as a record of known differences says."""
    missing = runtime.unavailable()
    if missing:
        pytest.fail(f"the runtime {runtime.name} cannot be used: {missing}", pytrace=False)
    quick = bool(pytestconfig.getoption("--quick", False))
    result = run(Selection([spec_of(operator)], [dtype], [group], [runtime], quick))
    if not result.ran:
        pytest.skip("; ".join(reason for cell in result.cells for reason in cell.reasons))
    if not result.ok:
        pytest.fail(reports.failures_text(result), pytrace=False)


@functools.cache
def _products() -> list[tuple[Spec, str, str]]:
    """The operators with their element types and groups, as far as there are cases."""
    return [
        (spec, dtype, group)
        for spec, group in itertools.product(OPERATORS, GROUPS)
        for dtype in spec.element_types
        if next(cases(spec, dtype, group, quick=True), None) is not None
    ]
