"""What is made for the documents: pages of the site, pictures, the table over versions."""

import pkgutil
import re
import sys
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import pytest
from matplotlib.figure import Figure

import onnx_acts
from docs import ort_versions, pages, pictures
from tests.building import ROOT

_FASTER_PRELU = re.compile(
    r"\*\*(\S+) to (\S+) times as fast\*\* as the PRelu of ONNX Runtime (\S+) and (\S+)\."
    r" From (\S+) to (\S+) its PRelu takes the same time as ours, to within (\S+) %\."
)
_FASTER_ELU = re.compile(
    r"\*\*(\S+) to (\S+) times as fast\*\* as its Elu from (\S+) to (\S+),"
    r" (\S+) to (\S+) times from (\S+) to (\S+)\."
)


def test_version_table_is_current() -> None:
    """The table in docs/benchmarks.md is the one that the measurements give."""
    text = pictures.BENCHMARKS.read_text("utf-8")
    figures = pictures.measured("ort_versions")
    assert pictures.with_version_table(text, figures) == text
    assert pictures.version_table(figures) in text


def test_public_names_are_where_their_page_says() -> None:
    """What mkdocstrings is told to describe can be imported; the site itself takes minutes."""
    paths = re.findall(r"^::: (\S+)$", pages.public_names(), re.MULTILINE)
    assert len(paths) > len(onnx_acts.__all__)
    for path in paths:
        assert pkgutil.resolve_name(path) is not None


def test_version_table_comes_back() -> None:
    """A page that was written anew, without the section, gets it before the goals."""
    text = pictures.with_version_table("# Page\n\n## Goals\n", pictures.measured("ort_versions"))
    assert text.index("## Versions of ONNX Runtime") < text.index("## Goals")


def _span(ratios: dict[str, float], first: str, last: str) -> tuple[list[str], list[str]]:
    """The versions from first to last; the smallest and the largest ratio of theirs, as written."""
    versions = list(ratios)
    inside = versions[versions.index(first) : versions.index(last) + 1]
    found = [ratios[version] for version in inside]
    return inside, [f"{min(found):.1f}", f"{max(found):.1f}"]


def test_readme_quotes_the_measurements() -> None:
    """The ratios of the README are those of the table, for every version that was measured."""
    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    figures = pictures.measured("ort_versions")
    found = pictures.medians(figures)
    prelu = {version: times["PRelu"] / times["PReLU"] for version, times in found.items()}
    elu = {version: times["Elu"] / times["ELU"] for version, times in found.items()}

    ((low, high, *slow, first, last, percent),) = _FASTER_PRELU.findall(text)
    assert _span(prelu, *slow) == (slow, [low, high])
    same, _ = _span(prelu, first, last)
    assert [*same, *slow] == list(prelu)
    furthest = max(abs(prelu[version] - 1) for version in same)
    assert int(percent) - 1 < 100 * furthest <= int(percent)

    ((low, high, first, last, old_low, old_high, old_first, old_last),) = _FASTER_ELU.findall(text)
    new, ratios = _span(elu, first, last)
    assert ratios == [low, high]
    old, ratios = _span(elu, old_first, old_last)
    assert ratios == [old_low, old_high]
    assert [*old, *new] == list(elu)

    size = "x".join(map(str, figures["shape"]))
    assert f"float32, {size}, 1 thread, an Intel Xeon, one run on {figures['date']}" in text


@pytest.mark.parametrize("draw", [pictures.front, pictures.activations])
def test_pictures(draw: Callable[[], Figure], tmp_path: Path) -> None:
    """They can be drawn from what is recorded."""
    draw().savefig(tmp_path / "picture.png", dpi=20)


def test_measuring_versions() -> None:
    """Every peer runs and is verified, here with the installed version alone."""
    version = onnxruntime.__version__
    found = ort_versions.measure({version: Path(sys.executable)}, rounds=1, seconds=0.01)
    assert {name: len(times) for name, times in found[version].items()} == dict.fromkeys(
        ort_versions.PEERS, 1
    )
    with pytest.raises(RuntimeError, match=f"has onnxruntime {version}"):
        ort_versions.measure({"0.0.1": Path(sys.executable)}, rounds=1, seconds=0.01)


def test_forms() -> None:
    """Every example is recognised, as the activation that it stands under."""
    for example in pages.EXAMPLES:
        said = pages.found_in(example, approximate=True)
        assert said.count("->") == 1, example
        if example.group != "Standard nodes":
            assert said.split(" -> ")[1] in example.group.split(" and "), example
    exact = [pages.found_in(item, approximate=False) for item in pages.EXAMPLES]
    assert exact.count("") == 5
    assert "with `approximate` only" in pages.forms()


def test_commands() -> None:
    """Every option of every command is on the page."""
    text = pages.commands()
    parsers = pages.commands_by_name()
    assert set(parsers) == {
        "export",
        "accelerate",
        "lower",
        "verify",
        "conform",
        "vectors",
        "bench",
        "serve",
        "triton",
        "info",
    }
    for name, parser in parsers.items():
        assert len(parser._actions) > 1
        section = text.split(f"## onnx-acts {name}\n")[1].split("\n## ")[0]
        for action in parser._actions:
            for flag in action.option_strings:
                assert flag in section or action.dest == "help", f"{name} {flag}"


def test_public_names() -> None:
    """Every public name is on the page."""
    lines = pages.public_names().splitlines()
    assert any("`onnx_acts.__version__`" in line for line in lines)
    for name in set(onnx_acts.__all__) - {"__version__"}:
        assert any(re.fullmatch(rf"::: onnx_acts(\.\w+)*\.{name}", line) for line in lines), name
