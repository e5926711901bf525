"""`onnx-acts bench` as a command. Nothing is timed."""

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onnx_acts.bench import measure
from onnx_acts.bench.peers import PEERS
from onnx_acts.bench.workload import SIZES
from tests.bench.rows import NETWORK
from tests.cli.running import run


@pytest.fixture
def bench() -> Callable[..., int]:
    """Runs `onnx-acts bench` in this process."""
    return functools.partial(run, "bench")


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
        (["--networks", "nonsense"], "--networks: there is no 'nonsense'"),
        (["--threads", "0"], "--threads must be 1 or more"),
        (["--seconds", "nan"], "--seconds must be above 0"),
        (["--seconds", "inf"], "--seconds must be above 0 and finite"),
        (["--ops", "none"], "--ops none measures networks alone: name them"),
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


def test_command_reads_no_endless_file(bench: Callable[..., int]) -> None:
    """A device that never ends is told from a report."""
    with pytest.raises(ValueError, match=r"--from /dev/zero: it has more than 32 MiB"):
        bench("--from", "/dev/zero")


def test_help_lists_names(bench: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` has every size and every peer, unbroken."""
    with pytest.raises(SystemExit):
        bench("--help")
    words = capsys.readouterr().out.replace(",", " ").replace(".", " ").split()
    assert {*SIZES, *(peer.name for peer in PEERS if " " not in peer.name)} <= set(words)


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


def test_command_is_told_without_its_files(
    bench: Callable[..., int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Reports name the command that repeats them, and the page shows the picture."""
    pytest.importorskip("matplotlib")
    (tmp_path / "figures").mkdir()
    page, figure = str(tmp_path / "page.md"), str(tmp_path / "figures" / "bench.png")
    words = ["--ops", "PReLU", "--dtypes", "float32", "--sizes", "1", "--threads", "1"]
    words += ["--seconds", "1e-6", f"--markdown={page}", "--picture", figure, "--peers", "bodies"]
    monkeypatch.setattr(sys, "argv", ["onnx-acts", "bench", *words])
    assert bench(*words) == 0
    text = Path(page).read_text()
    command_line = "onnx-acts bench --ops PReLU --dtypes float32 --sizes 1 --threads 1"
    assert f"- command: {command_line} --seconds 1e-6 --peers bodies\n" in text
    assert "](figures/bench.png)" in text


def test_command_joins_runs(bench: Callable[..., int], tmp_path: Path) -> None:
    """Runs on one machine make one report; one of another machine is refused."""
    filters = ["--dtypes", "float32", "--sizes", "1", "--threads", "1", "--peers", "copy"]
    first, second, both = (str(tmp_path / name) for name in ("a.json", "b.json", "both.json"))
    bench(*filters, "--ops", "PReLU", "--seconds", "1e-6", "--json", first)
    bench(*filters, "--ops", "ELU", "--seconds", "1e-6", "--json", second)
    assert bench("--from", first, second, "--json", both) == 0
    joined = json.loads(Path(both).read_text())
    assert [row["name"] for row in joined["rows"]] == ["PReLU", "ELU"]
    assert joined["environment"]["command"].count("; onnx-acts") == 1
    other = json.loads(Path(second).read_text())
    other["environment"]["cpu"] = "another"
    Path(second).write_text(json.dumps(other))
    with pytest.raises(ValueError, match=r"b\.json: its cpu is not that of .*a\.json"):
        bench("--from", first, second)


def test_command_measures_all_or_nothing(
    bench: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`all` names every peer, `none` no operator; networks are measured where they are named."""
    network_rows = pytest.importorskip("onnx_acts.bench.network_rows")
    plans: list[measure.Plan] = []
    networks: list[list[str]] = []

    def keep_plan(plan: measure.Plan, progress: object) -> list[object]:
        plans.append(plan)
        return []

    def keep_networks(chosen: list[Any], *rest: object) -> list[object]:
        networks.append([network.name for network in chosen])
        return [NETWORK]

    monkeypatch.setattr(measure, "run", keep_plan)
    monkeypatch.setattr(network_rows, "run_networks", keep_networks)
    assert bench("--peers", "all") == 0
    assert "compiled" in [peer.name for peer in plans[0].peers]
    assert networks == []
    assert "edsr-prelu" not in capsys.readouterr().out
    assert bench("--ops", "none", "--networks", "all") == 0
    assert (plans[1].operators, "compiled" in [peer.name for peer in plans[1].peers]) == ([], False)
    assert "edsr-prelu" in capsys.readouterr().out
    assert networks[0][:4] == ["iresnet18-prelu", "fsrcnn-prelu", "edsr-prelu", "iresnet18-elu"]
    assert {name.rpartition("-")[2] for name in networks[0][4:]} == {"uint8"}
    assert bench("--networks", "edsr-prelu") == 0
    assert networks[1:] == [["edsr-prelu"]]
