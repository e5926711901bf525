"""Measures the server: `python -m tests.serving.load`, on a machine that does nothing else.

Needs PyTorch, for LeNet-5. All figures are of one run; with --kserve they have KServe's Python
server beside them, in turns. Clients and server share the machine.
"""

from __future__ import annotations

import argparse
import http.client
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch

import onnx_acts
from models import store
from onnx_acts.ort.environment import environment
from tests.serving.http.running import elu_model
from tests.serving.load.clients import Address, Exchange, Outcome, keep_busy
from tests.serving.load.messages import binary_body, exchange
from tests.serving.load.processes import Process, serving_process

_KSERVE_PORT = 18321


def main(argv: Sequence[str] | None = None) -> None:
    """Runs all that is asked for, and prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.serving.load", description=__doc__)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5, help="of each turn")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--kserve", metavar="PYTHON", help="of an environment with kserve")
    parser.add_argument("--soak", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--megabytes", type=int, default=160, help="of the large request")
    parser.add_argument("--words", nargs="*", default=[], help="more for `onnx-acts serve`")
    given = parser.parse_args(argv)
    found = environment()
    print(f"{found['date']}, {found['cpu']}, {found['cpu_count']} processors, {found['packages']}")
    with tempfile.TemporaryDirectory() as folder:
        model = _lenet5(Path(folder))
        exchanges = _exchanges(model, given.clients)
        _turns(model, exchanges, given)
        _leave(model, exchanges)
        _beside_a_large_one(Path(folder), given.megabytes)
        _soak(model, exchanges, given.soak, given.words)


def _lenet5(folder: Path) -> Path:
    path = folder / "lenet5.onnx"
    batch = ({0: torch.export.Dim("batch")},)
    module = store.load("lenet5_prelu")
    onnx_acts.export(
        module,
        (torch.zeros(2, 1, 32, 32),),
        path,
        dynamic_shapes=batch,
        input_names=["x"],
        output_names=["y"],
    )
    return path


def _exchanges(model: Path, count: int) -> list[Exchange]:
    """A request for each client, no two alike."""
    session = onnx_acts.session(model)
    made = []
    for seed in range(count):
        x = np.random.default_rng(seed).standard_normal((1, 1, 32, 32)).astype(np.float32)
        (y,) = session.run(["y"], {"x": x})
        made.append(exchange(model.stem, {"x": x}, {"y": y}))
    return made


def _turns(model: Path, exchanges: list[Exchange], given: argparse.Namespace) -> None:
    """Requests a second, of ours and of KServe's in turns."""
    outcomes: dict[str, list[Outcome]] = {}
    with serving_process(model, *given.words) as ours:
        if not given.kserve:
            outcomes["ours"] = [_turn(ours, exchanges, given) for _ in range(given.turns)]
        else:
            script = str(Path(__file__).with_name("kserve_server.py"))
            words = [given.kserve, script, str(model), onnx_acts.library_path(), str(_KSERVE_PORT)]
            with serving_process(command=words) as theirs:
                _wait_until_ready(theirs.address)
                _turn(theirs, exchanges, given)  # it is slow at first
                for _ in range(given.turns):
                    for name, process in (("ours", ours), ("KServe", theirs)):
                        outcome = _turn(process, exchanges, given)
                        outcomes.setdefault(name, []).append(outcome)
    for name, found in outcomes.items():
        for outcome in found:
            print(f"{name}: {outcome}")
    rates = {
        name: statistics.median(item.rate for item in found) for name, found in outcomes.items()
    }
    slowest = statistics.median(item.percentile(99) for item in outcomes["ours"])
    print(f"ours: {rates['ours']:.0f} requests/s, p99 {slowest:.1f} ms (medians of the turns)")
    if "KServe" in rates:
        print(f"KServe: {rates['KServe']:.0f}; ratio {rates['ours'] / rates['KServe']:.2f}")


def _turn(process: Process, exchanges: list[Exchange], given: argparse.Namespace) -> Outcome:
    return keep_busy(exchanges, [process.address], given.seconds)


def _wait_until_ready(address: Address) -> None:
    """KServe prints before it listens."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            _health(address)
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("KServe's server does not answer")


def _health(address: Address, path: str = "/v2/health/ready") -> None:
    connection = http.client.HTTPConnection(*address, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise OSError(f"{path}: {answer.status}")


def _leave(model: Path, exchanges: list[Exchange]) -> None:
    """SIGTERM to one of two servers, all of whose clients are busy."""
    with serving_process(model) as first, serving_process(model) as second:
        told: list[float] = []

        def each_second(now: float) -> None:
            if now > 1 and not told:
                told.append(now)
                first.tell(signal.SIGTERM)

        outcome = keep_busy(exchanges, [first.address, second.address], 4, each_second)
        print(f"SIGTERM with {len(exchanges)} busy clients: {outcome}; status {first.end(0)[0]}")


def _beside_a_large_one(folder: Path, megabytes: int) -> None:
    """How long health takes to answer while a large request is read, run and answered."""
    onnx.save(elu_model(shape=("N", 1024)), folder / "wide.onnx")
    x = np.random.default_rng(0).standard_normal((megabytes * 10**6 // 4096, 1024))
    body, headers = binary_body({"x": x.astype(np.float32)})
    with serving_process(folder / "wide.onnx") as process:
        alone = _health_times(process.address, threading.Event(), 100)
        before = process.memory()
        is_over, times = threading.Event(), []

        def send() -> None:
            for _ in range(3):
                start = time.perf_counter()
                connection = http.client.HTTPConnection(*process.address, timeout=120)
                connection.request("POST", "/v2/models/wide/infer", body, headers)
                answer = connection.getresponse()
                times.append((answer.status, len(answer.read()), time.perf_counter() - start))
                connection.close()
            is_over.set()

        thread = threading.Thread(target=send)
        thread.start()
        beside = _health_times(process.address, is_over, 100_000)
        thread.join()
        for status, size, seconds in times:
            print(f"{megabytes} MB: {status}, {size} bytes in {seconds:.2f} s")
        print(
            f"health beside it: {len(beside)} answers, median {statistics.median(beside):.1f} ms,"
            f" longest {max(beside):.1f} ms (alone {statistics.median(alone):.1f} and"
            f" {max(alone):.1f}); memory {before:.0f} MB before,"
            f" {process.most_memory():.0f} at most"
        )


def _health_times(address: Address, is_over: threading.Event, most: int) -> list[float]:
    """Milliseconds of one health request after another."""
    found: list[float] = []
    while not is_over.is_set() and len(found) < most:
        start = time.perf_counter()
        _health(address)
        found.append(1e3 * (time.perf_counter() - start))
        time.sleep(0.005)
    return found


def _soak(model: Path, exchanges: list[Exchange], seconds: float, words: list[str]) -> None:
    """A minute of work: no wrong answer, and memory that does not grow."""
    with serving_process(model, *words) as process:
        memory: list[float] = []
        outcome = keep_busy(
            exchanges, [process.address], seconds, lambda _: memory.append(process.memory())
        )
        tenth = max(1, len(memory) // 10)
        cost = process.seconds() / len(outcome.latencies)
        print(
            f"{seconds:.0f} s: {outcome}; memory {memory[tenth]:.1f} MB after a tenth,"
            f" {memory[-1]:.1f} at the end, {max(memory):.1f} at most;"
            f" {1e6 * cost:.0f} us of processor time a request"
        )


if __name__ == "__main__":
    main()
