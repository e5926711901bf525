"""The benchmark: what it measures is verified, and its reports are complete. Nothing is timed."""

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from onnx_acts.bench import command, report
from onnx_acts.bench.measure import Measurement, Plan, Row, measure_row, run
from onnx_acts.bench.peers import PEERS, Peer, Prepared, UnsupportedError
from onnx_acts.bench.workload import SIZES, Workload, make_workload
from onnx_acts.conformance import runtime_of
from onnx_acts.info import environment
from onnx_acts.specs import ELEMENT_TYPES, SPECS, spec_of

BODIES = next(peer for peer in PEERS if peer.name == "bodies")
SECONDS = 1e-6


def altered(change: Callable[[np.ndarray], None]) -> Peer:
    """The function body, with its result changed afterwards."""

    def prepare(workload: Workload) -> Prepared:
        right = BODIES.prepare(workload)

        def call() -> None:
            right.call()
            change(workload.y.reshape(-1))

        return Prepared(call, right.output)

    return dataclasses.replace(BODIES, name="altered", prepare=prepare)


def change_tail(y: np.ndarray) -> None:
    """Changes the last element alone."""
    y[-1] = y[-1] + 1


def lose_the_negative_branch(y: np.ndarray) -> None:
    """Makes it a ReLU."""
    np.maximum(y, 0, out=y)


def one_percent_off(y: np.ndarray) -> None:
    """Scales the result."""
    y *= y.dtype.type(1.01)


def do_nothing(workload: Workload) -> Prepared:
    """Computes nothing."""
    return Prepared(lambda: None, lambda: workload.y)


WRONG = [altered(change_tail), altered(lose_the_negative_branch), altered(one_percent_off)]
WRONG += [Peer("idle", "leaves y as it was", do_nothing)]


@pytest.mark.parametrize("peer", WRONG)
def test_wrong_peer_is_rejected(peer: Peer) -> None:
    """A peer that computes something else, or nothing, is not measured."""
    workload = make_workload(spec_of("ELU"), "float32", "16K", 1)
    with pytest.raises(RuntimeError, match=f"{peer.name} does not compute ELU float32"):
        measure_row(workload, [peer], SECONDS)


def test_result_of_an_earlier_peer_does_not_count() -> None:
    """What another peer left in y is wiped out before a peer is verified."""
    workload = make_workload(spec_of("ELU"), "float32", "16K", 1)
    with pytest.raises(RuntimeError, match="idle does not compute ELU float32"):
        measure_row(workload, [BODIES, WRONG[-1]], SECONDS)


def test_verification_covers_large_tensors() -> None:
    """What is verified of a tensor that is not small includes its last element."""
    workload = make_workload(spec_of("PReLU"), "float16", "1x64x112x112", 1)
    measure_row(workload, [BODIES], SECONDS)
    with pytest.raises(RuntimeError, match="element 802815 "):
        measure_row(workload, [altered(change_tail)], SECONDS)


def test_rows_follow_from_the_table() -> None:
    """One row for each operator, element type, size and number of threads, with every peer."""
    plan = Plan(sizes=["1"], threads=[1, 2], seconds=SECONDS)
    rows = list(run(plan))
    assert [(row.operator, row.dtype, row.size, row.threads) for row in rows] == [
        (spec.name, dtype, "1", threads)
        for spec in SPECS
        for dtype in ELEMENT_TYPES
        for threads in (1, 2)
    ]
    for row in rows:
        assert set(row.times) | set(row.absent) == {peer.name for peer in PEERS}
        assert not set(row.times) & set(row.absent)
        assert {"copy", "bodies"} <= set(row.times)
        assert ("library" in row.times) == (not runtime_of("library").unavailable())
        assert ("parallel copy" in row.times) == (row.threads == 2)
        assert all(found.median > 0 and found.turns >= 5 for found in row.times.values())


def test_workload() -> None:
    """Half of x is negative, x and y lie on cache lines, slopes are per channel."""
    first, second = (make_workload(spec_of("PReLU"), "float32", "16K", 1) for _ in range(2))
    assert np.array_equal(first.x, second.x)
    assert 0.45 < np.mean(first.x < 0) < 0.55
    assert first.x.ctypes.data % 64 == first.y.ctypes.data % 64 == 0
    assert first.case.inputs[1].shape == (64, 1, 1)


def measurement(median: float) -> Measurement:
    """A measurement of that time."""
    return Measurement(median, (median, median), 5, 1, 0.0)


ROWS = [
    Row(
        "ELU",
        dtype,
        size,
        threads,
        {
            "copy": measurement(2e-6),
            "parallel copy": measurement(1e-6),
            "library": measurement(4e-6),
            "standard": measurement(2e-5),
        },
        {"pytorch": "not installed"},
    )
    for dtype in ("float32", "float64")
    for size in ("16K", "1")
    for threads in (1, 2)
]


def test_ratios() -> None:
    """Against the faster copy and against ours; none where something was not measured."""
    (row, *_) = ROWS
    assert row.copy == 1e-6
    assert row.to_copy("library") == pytest.approx(4)
    assert row.to_ours("standard") == pytest.approx(5)
    assert row.to_ours("pytorch") is None
    assert dataclasses.replace(row, times={}).to_copy("library") is None


def test_json_and_back() -> None:
    """The JSON carries rows, ratios and environment, and is read again."""
    text = report.json_text(ROWS, environment())
    content = json.loads(text)
    assert content["rows"][0]["to_ours"]["standard"] == pytest.approx(5)
    assert content["environment"]["cpu"]
    assert report.from_json(text)[0] == ROWS


@pytest.mark.parametrize("text", ["{}", "[]", '{"rows": [{}]}', "nonsense"])
def test_other_json_is_refused(text: str) -> None:
    """What is no benchmark's JSON is a ValueError."""
    with pytest.raises(ValueError, match=r"no benchmark's JSON|Expecting value"):
        report.from_json(text)


def test_tables() -> None:
    """The text has a line for each row, the page a table for each size and number of threads."""
    text = report.table_text(ROWS, environment())
    assert sum(line.lstrip().startswith("ELU") for line in text.splitlines()) == len(ROWS)
    assert "pytorch absent from ELU float32, ELU float64: not installed" in text
    page = report.markdown_text(ROWS, environment())
    assert page.count("\n## ") == 4
    assert "| ELU | float32 | 1 | 4 | 4 | 5 |" in page


def test_picture(tmp_path: Path) -> None:
    """A picture is drawn; nothing to draw is an error."""
    pytest.importorskip("matplotlib")
    report.save_picture(ROWS, str(tmp_path / "bench.png"))
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="no row"):
        report.save_picture([], str(tmp_path / "none.png"))


@pytest.fixture
def bench() -> Callable[..., int]:
    """Runs `onnx-acts bench` in this process."""

    def call(*arguments: str) -> int:
        parser = argparse.ArgumentParser()
        command.add_parser(parser.add_subparsers())
        parsed = parser.parse_args(["bench", *arguments])
        return int(parsed.run(parsed))

    return call


def test_command(
    bench: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run writes its files, and an earlier run can be reported on again."""
    files = {name: str(tmp_path / name) for name in ("a.json", "b.json", "page.md")}
    filters = ["--ops", "PReLU", "--dtypes", "float32", "--sizes", "1", "--threads", "1"]
    status = bench(*filters, "--seconds", "1e-6", "--json", files["a.json"])
    output = capsys.readouterr()
    assert (status, output.err) == (0, "")
    assert "PReLU" in output.out
    again = ["--from", files["a.json"], "--json", files["b.json"], "--markdown", files["page.md"]]
    assert bench(*again) == 0
    assert Path(files["a.json"]).read_text() == Path(files["b.json"]).read_text()
    assert "| PReLU | float32 |" in Path(files["page.md"]).read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ops", "nonsense"], "--ops: there is no 'nonsense'"),
        (["--sizes", "nonsense"], "--sizes: there is no 'nonsense'"),
        (["--peers", "nonsense"], "--peers: there is no 'nonsense'"),
        (["--threads", "0"], "--threads must be 1 or more"),
        (["--seconds", "nan"], "--seconds must be above 0"),
    ],
)
def test_command_refuses(bench: Callable[..., int], arguments: list[str], message: str) -> None:
    """Bad usage is a ValueError that says what is wrong."""
    with pytest.raises(ValueError, match=message):
        bench(*arguments)


def test_command_refuses_a_missing_file(bench: Callable[..., int], tmp_path: Path) -> None:
    """An earlier run that is not there is an OSError."""
    with pytest.raises(OSError, match=r"none\.json"):
        bench("--from", str(tmp_path / "none.json"))


def test_sizes_are_those_promised() -> None:
    """The first layers of a network alone and in a batch, 16K elements, one element."""
    assert SIZES["1x64x112x112"] == (1, 64, 112, 112)
    assert SIZES["32x64x112x112"] == (32, 64, 112, 112)
    assert [np.prod(SIZES[name]) for name in ("16K", "1")] == [16384, 1]


def test_absent_peer_is_told() -> None:
    """A peer that cannot compute a workload is absent with its reason."""

    def refuse(workload: Workload) -> Prepared:
        raise UnsupportedError("no kernel")

    workload = make_workload(spec_of("ELU"), "float32", "1", 1)
    row = measure_row(workload, [Peer("other", "", refuse)], SECONDS)
    assert (dict(row.times), row.absent) == ({}, {"other": "no kernel"})
