"""A test that fails shows what it claims: its docstring. Long files begin first."""

from __future__ import annotations

import inspect
from collections.abc import Generator

import pytest

_FIRST = (
    "tests/native/builds/test_native_build.py",
    "tests/native/builds/test_sanitizers.py",
    "tests/native/builds/test_coverage.py",
    "tests/house/test_adding_an_activation.py",
    "tests/cli/test_conform.py",
    "tests/ort/test_old_runtimes.py",
    "tests/fuzz/test_fuzz.py",
    "tests/fuzz/test_cases.py",
)
"""The C++ tests, which are the first to see a fault of a kernel, and other files that take a minute
or more, the longest first: begun last, they would be waited for."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts those files before the others."""
    ranks = {name: rank for rank, name in enumerate(_FIRST)}
    items.sort(key=lambda item: ranks.get(item.nodeid.partition("::")[0], len(ranks)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the claim to the report of a failure."""
    report = yield
    claim = inspect.getdoc(getattr(item, "obj", None))
    if report.failed and claim:
        report.sections.insert(0, ("claim", claim))
    return report
