"""Results that are streamed past the caches, through ONNX Runtime, at their real size.

`stream_test.cc` compares bits at every level, for every operator and type.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.native.builds.building import SOURCES
from tests.native.running import hand_made, open_hand_made


def stream_from() -> int:
    """The bytes of a result from which it is streamed."""
    text = (SOURCES / "cpu" / "cpu_node.cc").read_text()
    found = re.search(r"kStreamFrom = int64_t\{(\d+)\} << 20", text)
    assert found
    return int(found[1]) << 20


@pytest.mark.parametrize("more", [-1, 0, 5])
@pytest.mark.parametrize("offset", [0, 4, 1])
def test_results_around_the_size(more: int, offset: int) -> None:
    """Just below and above it, with y on a line, beside one, and at an odd address."""
    count = stream_from() // 4 + more
    x = np.resize(np.random.default_rng(3).standard_normal(1009).astype(np.float32), count)
    memory = np.full(4 * count + 256, 0x55, np.uint8)
    start = -memory.ctypes.data % 64 + 64 + offset
    binding = (session := open_hand_made(hand_made("LeakyReLU", {}))).io_binding()
    binding.bind_cpu_input("x", x)
    binding.bind_output("y", "cpu", 0, np.float32, x.shape, memory.ctypes.data + start)
    session.run_with_iobinding(binding)
    want = np.where(x < 0, np.float32(0.01) * x, x)
    assert memory[start : start + 4 * count].tobytes() == want.tobytes()
    assert (memory[:start] == 0x55).all()
    assert (memory[start + 4 * count :] == 0x55).all()
