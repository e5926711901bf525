"""Taking turns. Nothing is timed for its own sake."""

import time

import numpy as np

from onnx_acts.bench.prepared import Prepared
from onnx_acts.bench.timing import per_node, take_turns
from tests.bench.rows import measurement


def test_peers_take_turns() -> None:
    """Each is called several times, never all of one first, and their times come by name."""
    called: list[str] = []

    def call(name: str) -> None:
        called.append(name)
        time.sleep(1e-3)

    def peer(name: str) -> Prepared:
        return Prepared(lambda: call(name), lambda: np.zeros(1))

    found = take_turns({"a": peer("a"), "b": peer("b")}, 1e-6)
    assert set(found) == {"a", "b"}
    assert all(item.turns == 5 and item.median >= 1e-3 for item in found.values())
    assert called.index("b") < len(called) - called[::-1].index("a") - 1


def test_workers_rest_after_a_turn() -> None:
    """The pause after a peer's turn is the peer's own."""
    seconds = 3e-3
    peers = {name: Prepared(lambda: None, lambda: np.zeros(1), seconds) for name in ("a", "b")}
    start = time.perf_counter()
    turns = sum(item.turns for item in take_turns(peers, 1e-6).values())
    assert time.perf_counter() - start >= turns * seconds


def test_time_of_a_node() -> None:
    """A chain's time is divided by its nodes."""
    assert per_node(measurement(4e-6), 200) == measurement(4e-6 / 200)
