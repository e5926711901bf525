"""What is made for the documents: pages of the site, pictures, the table over versions."""

import sys
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import pytest
from matplotlib.figure import Figure

import onnx_acts
from docs import pages, pictures, runtimes
from onnx_acts.graph import patterns


def test_version_table_is_current() -> None:
    """The table in docs/benchmarks.md is the one that the measurements give."""
    text = pictures.BENCHMARKS.read_text("utf-8")
    figures = pictures.measured("runtimes")
    assert pictures.with_version_table(text, figures) == text
    assert pictures.version_table(figures) in text


def test_version_table_comes_back() -> None:
    """A page that was written anew, without the section, gets it before the goals."""
    text = pictures.with_version_table("# Page\n\n## Goals\n", pictures.measured("runtimes"))
    assert text.index("## Versions of ONNX Runtime") < text.index("## Goals")


def test_readme_quotes_the_measurements() -> None:
    """The ratios of the README are those of the table."""
    found = pictures.medians(pictures.measured("runtimes"))
    prelu = {version: times["PRelu"] / times["PReLU"] for version, times in found.items()}
    elu = {version: times["Elu"] / times["ELU"] for version, times in found.items()}
    slow, old = ("1.27.0", "1.31.1"), ("1.17.3", "1.19.2", "1.20.1")
    assert all(11.5 < prelu[version] < 13.5 for version in slow)
    assert all(0.94 < prelu[version] < 1.065 for version in set(prelu) - set(slow))
    assert all(4 < elu[version] < 5 for version in set(elu) - set(old))
    assert all(13.5 < elu[version] < 16.5 for version in old)


@pytest.mark.parametrize("draw", [pictures.front, pictures.activations])
def test_pictures(draw: Callable[[], Figure], tmp_path: Path) -> None:
    """They can be drawn from what is recorded."""
    draw().savefig(tmp_path / "picture.png", dpi=20)


def test_measuring_versions() -> None:
    """Every peer runs and is verified, here with the installed version alone."""
    version = onnxruntime.__version__
    found = runtimes.measure({version: Path(sys.executable)}, rounds=1, seconds=0.01)
    assert {name: len(times) for name, times in found[version].items()} == dict.fromkeys(
        runtimes.PEERS, 1
    )
    with pytest.raises(RuntimeError, match=f"has onnxruntime {version}"):
        runtimes.measure({"0.0.1": Path(sys.executable)}, rounds=1, seconds=0.01)


def test_forms() -> None:
    """Every pattern has an example, and every example is recognised."""
    names = {f.__name__ for group in patterns.DECOMPOSITIONS.values() for f in group}
    assert {example.pattern for example in pages.EXAMPLES} == names | {"standard_node"}
    said = {example: pages.found_in(example, approximate=True) for example in pages.EXAMPLES}
    assert all(said.values()), said
    assert sum(not pages.found_in(item, approximate=False) for item in said) == 2
    assert "with `approximate` only" in pages.forms()


def test_commands() -> None:
    """Every option of every command is on the page."""
    text = pages.commands()
    parsers = pages.commands_by_name()
    assert set(parsers) == {"export", "accelerate", "lower", "conform", "bench", "info"}
    for name, parser in parsers.items():
        assert len(parser._actions) > 1
        section = text.split(f"## onnx-acts {name}\n")[1].split("\n## ")[0]
        for action in parser._actions:
            for flag in action.option_strings:
                assert flag in section or action.dest == "help", f"{name} {flag}"


def test_public_names() -> None:
    """Every public name is on the page."""
    text = pages.public_names()
    for name in onnx_acts.__all__:
        assert f".{name}" in text, name
