"""Builds that several files of tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.native.building import build
from tests.native.soak_cases import write_cases


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library as it is shipped, and the C++ tests."""
    return build(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models for the program `soak`."""
    return write_cases(tmp_path_factory.mktemp("soak"))
