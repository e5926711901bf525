"""A build that several rooms share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.locks import alone
from tests.native.builds.building import build


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The library as it is shipped, and the C++ tests: built once for all processes of a run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "release"
    with alone(folder):
        return build(folder)
