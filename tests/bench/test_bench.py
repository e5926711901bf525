"""The benchmark: what it measures is verified, and its reports are complete. Nothing is timed."""

import argparse
import dataclasses
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnx_acts.bench import command, measure, report
from onnx_acts.bench.goals import goal_table
from onnx_acts.bench.measure import Measurement, Plan, Row, measure_row, run
from onnx_acts.bench.peers import PEERS, Peer, Prepared, UnsupportedError
from onnx_acts.bench.workload import SIZES, Workload, make_workload
from onnx_acts.conformance import runtime_of
from onnx_acts.info import environment
from onnx_acts.specs import ELEMENT_TYPES, SPECS, Spec, spec_of

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
        default = {peer.name for peer in PEERS if not peer.on_request}
        assert set(row.times) | set(row.absent) == default
        assert not set(row.times) & set(row.absent)
        assert {"copy", "bodies"} <= set(row.times)
        assert ("library" in row.times) == (not runtime_of("library").unavailable())
        assert ("parallel copy" in row.times) == (row.threads == 2)
        assert all(found.median > 0 and found.turns >= 5 for found in row.times.values())


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_chain(spec: Spec, dtype: str) -> None:
    """ONNX Runtime's peers compute the operator 200 times over; the others have no chain."""
    workload = make_workload(spec, dtype, "chain-1", 1)
    assert workload.nodes == 200
    workload.x[...] = -1.5
    row = measure_row(workload, PEERS, SECONDS)
    assert {"copy", "pytorch"} <= set(row.absent)
    assert "bodies" in row.times


def test_chain_is_verified() -> None:
    """A chain of another length is not taken for one of 200 nodes; its times are per node."""
    workload = make_workload(spec_of("ELU"), "float32", "chain-1", 1)
    workload.x[...] = -1.5
    single = dataclasses.replace(workload, size="1")
    wrong = dataclasses.replace(BODIES, prepare=lambda _: BODIES.prepare(single))
    with pytest.raises(RuntimeError, match="bodies does not compute ELU float32"):
        measure_row(workload, [wrong], SECONDS)
    assert measure._per_node(measurement(4e-6), 200) == measurement(4e-6 / 200)


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


def altered_json(change: Callable[[dict[str, Any]], object]) -> str:
    """A benchmark's JSON with one thing wrong."""
    content = json.loads(report.json_text(ROWS, environment()))
    change(content)
    return json.dumps(content)


OTHER_JSON = [
    "{}",
    "[]",
    '{"rows": [{}]}',
    "nonsense",
    altered_json(lambda content: content["rows"][0].update(size="none")),
    altered_json(lambda content: content["rows"][0].update(times=7)),
    altered_json(lambda content: content["rows"][0]["times"]["copy"].update(median="fast")),
    altered_json(lambda content: content["environment"].pop("cpu")),
]


@pytest.mark.parametrize("text", OTHER_JSON, ids=range(len(OTHER_JSON)))
def test_other_json_is_refused(text: str) -> None:
    """What is no benchmark's JSON is a ValueError."""
    with pytest.raises(ValueError, match="not what `onnx-acts bench --json` writes"):
        report.from_json(text)


def test_tables() -> None:
    """The text has a line for each row, the page a table for each size and number of threads."""
    text = report.table_text(ROWS, environment())
    assert sum(line.lstrip().startswith("ELU") for line in text.splitlines()) == len(ROWS)
    assert "pytorch absent from ELU float32, ELU float64: not installed" in text
    page = report.markdown_text(ROWS, environment())
    assert sum(" element" in line for line in page.splitlines() if line.startswith("## ")) == 4
    assert "## Goals" not in page, "none of these rows is about a goal"
    assert "## Goals" in report.markdown_text(
        [dataclasses.replace(ROWS[0], size="1x64x112x112")], environment()
    )
    assert "| ELU | float32 | 1 | 4 | 4 | 5 |" in page


def test_page_says_where_it_is_from() -> None:
    """The page opens with machine, versions, date and command; an old run without date is read."""
    found = {**environment(), "command": "onnx-acts bench --quick"}
    head, _, _ = report.markdown_text(ROWS, found).partition("\n## ")
    for part in (found["cpu"], found["date"], "onnxruntime ", "command: onnx-acts bench --quick"):
        assert part in head
    del found["date"], found["command"]
    assert "date:" not in report.markdown_text(ROWS, found)


@pytest.mark.parametrize(
    ("operator", "size", "standard", "ours", "lines"),
    [
        ("PReLU", "1x64x112x112", 42e-6, 4e-6, ["at least 10 | 10.5 | yes"]),
        ("PReLU", "1x64x112x112", 38e-6, 4e-6, ["at least 10 | 9.5 | no"]),
        ("ELU", "1x64x112x112", 11e-6, 4e-6, ["at least 3 | 2.75 | no"]),
        (
            "ELU",
            "32x64x112x112",
            13e-6,
            4e-6,
            ["at least 3 | 3.25 | yes", "at most 2 | 2 | yes"],
        ),
        (
            "PReLU",
            "32x64x112x112",
            50e-6,
            5e-6,
            ["at least 10 | 10 | yes", "at most 2 | 2.5 | no"],
        ),
        ("ELU", "16K", 11e-6, 4e-6, []),
        ("ReLU", "1x64x112x112", 11e-6, 4e-6, []),
    ],
)
def test_goals(operator: str, size: str, standard: float, ours: float, lines: list[str]) -> None:
    """Each goal is compared with the ratio of the rows that it is about."""
    times = {"copy": 2e-6, "library": ours, "standard": standard}
    measured = {name: measurement(median) for name, median in times.items()}
    table = goal_table([Row(operator, "float32", size, 1, measured, {})])
    assert len(table) == (2 + len(lines) if lines else 0)
    for line, wanted in zip(table[2:], lines, strict=True):
        assert line.startswith(f"| {operator} | float32 | {size} | 1 |")
        assert wanted in line
    assert goal_table([Row(operator, "float32", size, 1, {}, {})]) == []


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


def test_command_names_a_file_that_is_something_else(
    bench: Callable[..., int], tmp_path: Path
) -> None:
    """An earlier run that is none is a ValueError with its path, text or not."""
    path = tmp_path / "other.json"
    for content in (b"{}", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"--from .*other\.json: "):
            bench("--from", str(path))


@pytest.mark.parametrize("flag", ["--json", "--markdown", "--picture"])
def test_command_checks_targets_first(
    bench: Callable[..., int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flag: str
) -> None:
    """A path that cannot be written is an error before anything is measured."""
    monkeypatch.setattr(measure, "run", lambda *rest: pytest.fail("it ran"))
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        bench(flag, str(tmp_path / "none" / "file.png"))
    with pytest.raises(IsADirectoryError, match="it is a directory"):
        bench(flag, str(tmp_path))


def test_command_checks_the_picture_first(
    bench: Callable[..., int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So are a picture format that there is not, and a missing matplotlib."""
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(measure, "run", lambda *rest: pytest.fail("it ran"))
    with pytest.raises(ValueError, match=r"must end in a picture format: .*png"):
        bench("--picture", str(tmp_path / "bench.nonsense"))
    monkeypatch.setitem(sys.modules, "matplotlib.backend_bases", None)
    with pytest.raises(ImportError, match="the picture needs matplotlib"):
        bench("--picture", str(tmp_path / "bench.png"))


def test_sizes_are_those_promised() -> None:
    """The first layers of a network alone and in a batch, 16K elements, one element."""
    assert SIZES["1x64x112x112"] == (1, 64, 112, 112)
    assert SIZES["32x64x112x112"] == (32, 64, 112, 112)
    assert [np.prod(SIZES[name]) for name in ("16K", "1")] == [16384, 1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's own, while it compiles
def test_compiled_function_is_verified_and_measured() -> None:
    """torch.compile's peer computes the operator, or says why it is absent."""
    pytest.importorskip("torch")
    (peer,) = (peer for peer in PEERS if peer.name == "compiled")
    row = measure_row(make_workload(spec_of("PReLU"), "float32", "16K", 1), [peer], SECONDS)
    if "compiled" in row.absent:
        assert row.absent["compiled"].startswith("torch.compile failed: ")
    else:
        assert row.times["compiled"].turns >= 5


def test_compiler_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a C++ compiler the peer is absent with PyTorch's reason."""
    torch = pytest.importorskip("torch")

    def fail(*arguments: object) -> None:
        raise RuntimeError("no C++ compiler\nand more")

    monkeypatch.setattr(torch, "compile", lambda function, dynamic: fail)
    (peer,) = (peer for peer in PEERS if peer.name == "compiled")
    row = measure_row(make_workload(spec_of("ELU"), "float32", "1", 1), [peer], SECONDS)
    assert row.absent == {"compiled": "torch.compile failed: no C++ compiler"}


def test_openvino() -> None:
    """Where OpenVINO is installed its results are verified; else its peer says so."""
    (peer,) = (peer for peer in PEERS if peer.name == "openvino")
    for size in ("16K", "chain-1"):
        row = measure_row(make_workload(spec_of("ELU"), "float32", size, 1), [peer], SECONDS)
        if importlib.util.find_spec("openvino"):
            assert row.times["openvino"].turns >= 5
        else:
            assert row.absent == {"openvino": "OpenVINO is not installed"}
    row = measure_row(make_workload(spec_of("PReLU"), "float64", "1", 1), [peer], SECONDS)
    assert "openvino" in row.absent


def test_absent_peer_is_told() -> None:
    """A peer that cannot compute a workload is absent with its reason."""

    def refuse(workload: Workload) -> Prepared:
        raise UnsupportedError("no kernel")

    workload = make_workload(spec_of("ELU"), "float32", "1", 1)
    row = measure_row(workload, [Peer("other", "", refuse)], SECONDS)
    assert (dict(row.times), row.absent) == ({}, {"other": "no kernel"})
