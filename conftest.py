"""A test that fails shows what it claims: its docstring."""

from __future__ import annotations

import inspect
from collections.abc import Generator

import pytest


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
