"""Builds that several files of tests share."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from tests.native.builds.building import build
from tests.native.library.soak_cases import write_cases


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The library as it is shipped, and the C++ tests: built once for all processes of a run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "release"
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return build(folder)


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models for the program `soak`."""
    return write_cases(tmp_path_factory.mktemp("soak"))
