"""Every attack by requests is stopped, and the server is none the worse for it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import onnx
import pytest

import onnx_acts
from tests.attacks.attack import Attack
from tests.attacks.page import PAGE, with_tables
from tests.attacks.requests import ATTACKS, MAX_BODY, MODEL, X, infer
from tests.serving.http.running import ask, elu_model, outputs
from tests.serving.load.processes import Process, serving_process

LAUNCH = """
import sys
from onnx_acts.cli.main import main
from onnx_acts.serving.http import connections, pace
pace._PATIENCE = pace._PATIENCE_WITH_OTHERS = connections._PATIENCE = 1.0
sys.exit(main())
"""
"""The command, with less patience: 1 second in place of 20."""

MOST_MEMORY = 250
"""Megabytes that the server may ever have: about 100 when nothing happens."""


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server in a process of its own, which must outlive all attacks."""
    path = tmp_path_factory.mktemp("attacks") / f"{MODEL}.onnx"
    onnx.save(elu_model(), path)
    command = [sys.executable, "-c", LAUNCH, "serve", "--port", "0"]
    words = (path, "--max-body", str(MAX_BODY))
    with serving_process(*words, command=command) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack(attack: Attack[int], process: Process) -> None:
    """It is stopped; then the server answers quickly, and right, and has no more memory."""
    port = process.address[1]
    attack.launch(port)
    start = time.monotonic()
    assert ask(port, "/v2/health/ready").status == 200
    assert time.monotonic() - start < 2
    (wanted,) = onnx_acts.session(elu_model()).run(None, {"x": X})
    assert outputs(infer(port))["y"].tobytes() == wanted.tobytes()
    assert process.most_memory() < MOST_MEMORY
    assert b'status="500"' not in ask(port, "/metrics").body


def test_page() -> None:
    """docs/security.md has a row for each."""
    text = PAGE.read_text("utf-8")
    assert with_tables(text) == text
    for attack in ATTACKS:
        assert f"| {attack.name} | {attack.tries} | {attack.stopped_by} |\n" in text


def test_an_attack_that_succeeds_is_seen() -> None:
    """A row whose attack is not stopped fails."""
    from tests.attacks import requests

    class Open:
        status, body = 200, b"{}"

    with pytest.raises(AssertionError):
        requests._refused(Open())  # type: ignore[arg-type]  # it stands for an answer
