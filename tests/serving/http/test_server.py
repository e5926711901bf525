"""The process: it says where it is, leaves without losing a request, and has several workers."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest

import onnx_acts
from onnx_acts.cli import serve as command
from onnx_acts.serving.http import server
from onnx_acts.serving.http.app import app
from onnx_acts.serving.http.server import bound
from tests.cli.running import run
from tests.serving.http.running import Reply, ask, elu_model, outputs, serving
from tests.serving.load.clients import Exchange, keep_busy
from tests.serving.load.messages import exchange, json_body
from tests.serving.load.processes import serving_process

CLIENTS = 32


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file."""
    onnx.save(elu_model(), tmp_path / "elu.onnx")
    return tmp_path / "elu.onnx"


def exchanges(model: Path) -> list[Exchange]:
    """A request for each client, no two alike, with its right answer."""
    session = onnx_acts.session(model)
    feeds = [np.random.default_rng(seed).normal(size=(1, 4)) for seed in range(CLIENTS)]
    made = []
    for x in (item.astype(np.float32) for item in feeds):
        (y,) = session.run(["y"], {"x": x})
        made.append(exchange("elu", {"x": x}, {"y": y}))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_leaving(model: Path, workers: int) -> None:
    """SIGTERM with 32 busy clients that connect elsewhere: not one request is lost."""
    words = (model, "--workers", str(workers))
    with serving_process(*words) as first, serving_process(model) as second:

        def each_second(now: float) -> None:
            if now > 0.9 and not told:
                told.append(now)
                first.tell(signal.SIGTERM)

        told: list[float] = []
        found = keep_busy(exchanges(model), [first.address, second.address], 2.5, each_second)
        assert (found.wrong, found.lost, found.moved) == ([], [], CLIENTS)
        assert len(found.latencies) > 5 * CLIENTS
        assert first.end(0) == (0, "")
        assert second.end() == (0, "")


@pytest.mark.slow
def test_leaving_slowly(model: Path) -> None:
    """While a connection is open the server still answers: not ready, and with the way out."""
    with serving_process(model, "--drain", "3") as process:
        connection = http.client.HTTPConnection(*process.address)
        connection.connect()
        process.tell(signal.SIGTERM)
        time.sleep(0.5)
        ready = ask(process.address[1], "/v2/health/ready")
        assert (ready.status, ready.headers["Connection"]) == (503, "close")
        assert ask(process.address[1], "/v2/models/elu/ready").status == 503
        assert ask(process.address[1], "/v2/health/live").status == 200
        body = json_body({"x": np.ones((1, 4), np.float32)})
        connection.request("POST", "/v2/models/elu/infer", body)
        reply = Reply(connection.getresponse())
        assert outputs(reply)["y"].tolist() == [[1, 1, 1, 1]]
        assert reply.headers["Connection"] == "close"
        assert process.end() == (0, "")
    with pytest.raises(ConnectionError):
        ask(process.address[1], "/v2/health/live")


@pytest.mark.slow
def test_the_end_of_patience(model: Path) -> None:
    """A connection that stays open is waited for until the time is over; SIGINT waits for none."""
    for words, number in ((("--drain", "1"), signal.SIGTERM), ((), signal.SIGINT)):
        with serving_process(model, *words) as process:
            connection = http.client.HTTPConnection(*process.address)
            connection.connect()
            start = time.monotonic()
            status, errors = process.end(number)
            assert time.monotonic() - start < 5
            wanted = (0, "") if number == signal.SIGTERM else (130, "onnx-acts: interrupted\n")
            assert (status, errors) == wanted
            connection.close()


@pytest.mark.slow
def test_workers(model: Path) -> None:
    """Each takes requests, their figures are added up, and one that dies is replaced."""
    with serving_process(f"net={model}", "--workers", "2", "--max-body", "1k") as process:
        port = process.address[1]
        assert process.line == f"serving net at http://127.0.0.1:{port}/v2\n"
        body = json_body({"x": np.ones((1, 4), np.float32)})
        for _ in range(20):
            assert ask(port, "/v2/models/net/infer", body).status == 200
        assert ask(port, "/v2/models/net/infer", bytes(2000)).status == 413
        assert (
            'onnx_acts_requests_total{model="net",status="200"} 20.0' in ask(port, "/metrics").text
        )
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(children[-1]), signal.SIGKILL)
        time.sleep(0.5)
        assert ask(port, "/v2/models/net/infer", body).status == 200
        status, errors = process.end()
        assert (status, errors) == (0, "onnx-acts: a worker has died (-9)\n")


BAD_WORDS: list[tuple[list[Any], str]] = [
    (["none.onnx"], "there is no ONNX file at none.onnx"),
    (["none.onnx", "--workers", "2"], "there is no ONNX file at none.onnx"),
    (["a/m.onnx", "b/m.onnx"], "two models have the name 'm'; give them names: NAME=FILE"),
    (["none.onnx", "--workers", "0"], "--workers: 1 to 64, not 0"),
    (["none.onnx", "--drain", "-1"], "--drain: seconds, 0 or more and finite, not -1.0"),
    (["none.onnx", "--port", "70000"], "--port: 0 to 65535, not 70000"),
    (["none.onnx", "--host", "256.1.1.1"], "cannot listen on 256.1.1.1:8000"),
]


@pytest.mark.parametrize(("words", "message"), BAD_WORDS[:1] + BAD_WORDS[2:])
def test_bad_usage(words: list[Any], message: str) -> None:
    """What cannot be served is said before anything listens for long."""
    port = [] if "--port" in words or "--host" in words else ["--port", "0"]
    with pytest.raises((ValueError, OSError), match=message.replace("[", r"\[")):
        run("serve", *words, *port)


@pytest.mark.slow
def test_bad_usage_of_workers() -> None:
    """What a worker cannot do, the command says."""
    words, message = BAD_WORDS[1]
    refused = pytest.raises(RuntimeError, match=f"^no server: onnx-acts: error: {message}\n$")
    with refused, serving_process(*words):
        pass


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """The usual address is the machine's own; sizes may have units; what is missing is named."""
    for text, size in (("1", 1), ("2k", 2048), ("3M", 3 << 20), ("1GiB", 1 << 30)):
        assert command._size(text) == size
    for text in ("", "0", "-1", "1.5M", "M", "1T"):
        with pytest.raises(SystemExit):
            run("serve", "m.onnx", "--max-body", text)
        assert "expected a size like 1000000, 512k or 64M" in capsys.readouterr().err


def test_names(tmp_path: Path) -> None:
    """NAME=FILE gives a name; a file whose name has an equals sign is a file."""
    odd = tmp_path / "a=b.onnx"
    odd.touch()
    assert command._named(["n=x.onnx", str(odd)]) == {"n": "x.onnx", "a=b": str(odd)}


def test_no_delay() -> None:
    """Connections of the socket send at once what is written, without waiting for more."""
    with bound("127.0.0.1", 0) as listener:
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the web framework the command says how to get it."""
    monkeypatch.setitem(__import__("sys").modules, "onnx_acts.serving.http.server", None)
    with pytest.raises(ImportError, match=r"pip install 'onnx-acts\[serve\]'"):
        run("serve", "m.onnx")


def test_own_address(model: Path) -> None:
    """Nothing but the machine itself reaches the server, unless it is told otherwise."""
    with serving_process(model) as process:
        assert process.address[0] == "127.0.0.1"
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        listening = [row.split()[1] for row in lines if row.split()[3] == "0A"]
        mine = [place for place in listening if place.endswith(f":{process.address[1]:04X}")]
        assert mine == [f"0100007F:{process.address[1]:04X}"]
        assert json.loads(ask(process.address[1], "/v2").body)["models"] == ["elu"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--threads", "999999999999"], "--threads: 0 to 1024, not 999999999999"),
        (["--threads", "-1"], "--threads: 0 to 1024, not -1"),
        (["--drain", "nan"], "--drain: seconds, 0 or more and finite, not nan"),
        (["--drain", "inf"], "--drain: seconds, 0 or more and finite, not inf"),
    ],
)
def test_numbers_that_make_no_sense(words: list[str], message: str, model: Path) -> None:
    """Each number is named, with what it may be."""
    with pytest.raises(ValueError, match=message):
        run("serve", model, "--port", "0", *words)


@pytest.mark.parametrize(("allowed", "wanted"), [((), ["0.0.0.0"]), (("a", "*"), None)])
def test_any_host(
    monkeypatch: pytest.MonkeyPatch, allowed: tuple[str, ...], wanted: list[str] | None
) -> None:
    """Behind a proxy, * takes every name."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(server, "app", lambda models, **named: given.update(named))
    monkeypatch.setattr(
        server, "server_of", lambda *rest: SimpleNamespace(run=lambda sockets: None)
    )
    settings = server.Settings({}, host="0.0.0.0", hosts=allowed)
    with server.bound("127.0.0.1", 0) as listener:
        server.run(settings, listener, lambda: None)
    assert given["hosts"] == (None if wanted is None else tuple(wanted))


def test_without_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that does not tell which processors a process may use can serve."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    with serving(app({"m": elu_model()})) as port:
        assert ask(port, "/v2/models/m/infer", json_body({"x": np.ones((1, 4), "f")})).status == 200
