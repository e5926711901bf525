"""What several files of tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.native.library.soak_cases import write_cases


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models for the program `soak`."""
    return write_cases(tmp_path_factory.mktemp("soak"))
