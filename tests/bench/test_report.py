"""The reports are complete."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onnx_acts.bench import picture, report, rows
from onnx_acts.bench.peers import COPIES, OURS, PEERS
from onnx_acts.ort.environment import environment
from onnx_acts.text.tables import WIDTH
from tests.bench.rows import NETWORK, ROWS, row


def test_ratios() -> None:
    """Against the faster copy and against ours; none where something was not measured."""
    (first, *_) = ROWS
    assert first.copy == 1e-6
    assert first.ours == 4e-6
    assert first.to_copy("library") == pytest.approx(4)
    assert first.to_ours("standard") == pytest.approx(5)
    assert first.to_ours("pytorch") is None
    assert dataclasses.replace(first, times={}).to_copy("library") is None


def test_json_and_back() -> None:
    """The JSON carries rows, ratios and environment, and is read again."""
    text = rows.json_text([*ROWS, NETWORK], environment())
    content = json.loads(text)
    assert content["rows"][0]["to_ours"]["standard"] == pytest.approx(5)
    assert content["environment"]["cpu"]
    assert rows.from_json(text)[0] == [*ROWS, NETWORK]


def altered_json(change: Callable[[dict[str, Any]], object]) -> str:
    """A benchmark's JSON with one thing wrong."""
    content = json.loads(rows.json_text([*ROWS, NETWORK], environment()))
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
    altered_json(lambda content: content["rows"][-1].update(shares={"library": "large"})),
    altered_json(lambda content: content["environment"].pop("cpu")),
]


@pytest.mark.parametrize("text", OTHER_JSON, ids=range(len(OTHER_JSON)))
def test_other_json_is_refused(text: str) -> None:
    """What is no benchmark's JSON is a ValueError."""
    with pytest.raises(ValueError, match="not what `onnx-acts bench --json` writes"):
        rows.from_json(text)


def test_text() -> None:
    """The text has a line for each row, once for its peers and once for its variants."""
    lines = report.table_text([*ROWS, NETWORK], environment()).splitlines()
    assert sum(line.lstrip().startswith("ELU") for line in lines) == 2 * len(ROWS)
    assert any(line.startswith("edsr-prelu") for line in lines)
    assert "pytorch absent from ELU float32, ELU float64: not installed" in lines
    assert "1 of 3 reached." in lines


def test_text_of_many_peers() -> None:
    """With every peer there is, the tables go on below rather than beyond 100 columns."""
    times = {peer.name: ROWS[0].times["copy"] for peer in PEERS}
    text = report.table_text([dataclasses.replace(ROWS[0], times=times), NETWORK], environment())
    tables = text[text.index("operator") : text.index("Times in")].splitlines()
    assert max(map(len, tables)) <= WIDTH
    headings = " ".join(line for line in tables if line.startswith("operator"))
    assert all(
        f"{peer.name}/ours" in headings for peer in PEERS if peer.name not in (OURS, *COPIES)
    )


def test_page() -> None:
    """The page has a table for each size and number of threads, networks and goals."""
    page = report.markdown_text(ROWS, environment())
    assert sum(" element" in line for line in page.splitlines() if line.startswith("## ")) == 4
    assert "## Goals" not in page, "none of these rows is about a goal"
    assert "## Networks" not in page
    assert "| ELU | float32 | 1 | 4 | 4 | 5 |" in page
    assert "| operator | type | selu-alpha/ours |\n|---|---|---:|\n| ELU | float32 | 1.5 |" in page
    page = report.markdown_text([*ROWS, NETWORK], environment())
    assert "## Goals" in page
    assert (
        "| network | type | input | threads | ours ms | standard/ours | openvino/ours | share"
        " | standard's share |\n|---|---|---|---:|---:|---:|---:|---:|---:|\n"
        "| edsr-prelu | float32 | 1x3x270x480 | 1 | 100 | 1.5 | 0.8 | 2.1 % | 44 % |"
    ) in page


def test_page_says_where_it_is_from() -> None:
    """The page opens with machine, versions, date and command; an old run without date is read."""
    found = {**environment(), "command": "onnx-acts bench --quick"}
    head, _, _ = report.markdown_text(ROWS, found).partition("\n## ")
    for part in (found["cpu"], found["date"], "onnxruntime ", "command: onnx-acts bench --quick"):
        assert part in head
    del found["date"], found["command"]
    assert "date:" not in report.markdown_text(ROWS, found)


@pytest.mark.parametrize("measured", [ROWS, [NETWORK], [*ROWS, NETWORK]])
def test_picture(tmp_path: Path, measured: list[rows.Row]) -> None:
    """A picture is drawn of operators, of networks, of both."""
    pytest.importorskip("matplotlib")
    picture.save_picture(measured, str(tmp_path / "bench.png"))
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_picture_shows_bandwidths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One panel for each type and one for networks; bars are over the copy or the standard."""
    figure = pytest.importorskip("matplotlib.figure").Figure
    drawn: list[Any] = []
    monkeypatch.setattr(figure, "savefig", lambda self, *rest, **options: drawn.append(self))
    picture.save_picture([*ROWS, NETWORK], str(tmp_path / "bench.png"))
    panels = drawn[0].axes
    assert [panel.get_title().partition(",")[0] for panel in panels] == [
        "float32",
        "float64",
        "networks",
    ]
    ours, standard = ([bar.get_height() for bar in bars] for bars in panels[0].containers)
    assert (ours, standard) == ([pytest.approx(1 / 4)], [pytest.approx(1 / 20)])
    speeds = [bars[0].get_height() for bars in panels[2].containers]
    assert speeds == [pytest.approx(1.5), pytest.approx(1), pytest.approx(0.15 / 0.08)]


def test_picture_of_nothing(tmp_path: Path) -> None:
    """Nothing to draw, or copies alone, is an error."""
    pytest.importorskip("matplotlib")
    for measured in ([], [row("ELU", "float32", "1", {"copy": 1})]):
        with pytest.raises(ValueError, match="no row"):
            picture.save_picture(measured, str(tmp_path / "none.png"))
