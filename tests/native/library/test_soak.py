"""Threads share sessions for a while: equal bits, no growth of memory."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.native.builds.building import EQUAL_BITS, soak

SECONDS = int(os.environ.get("ONNX_ACTS_SOAK_SECONDS", "20"))


@pytest.mark.slow
def test_soak(release: Path, cases: Path) -> None:
    """32 threads, every operator, type and size; ONNX_ACTS_SOAK_SECONDS sets the time."""
    said = soak(release, cases, threads=32, seconds=SECONDS, intra_op=2)
    print(said)
    assert re.search(EQUAL_BITS, said)
