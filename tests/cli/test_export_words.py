"""What the words of `onnx-acts export` mean."""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import nn

from onnx_acts import read_metadata
from onnx_acts.cli.export_flags import add_flags
from onnx_acts.cli.export_words import (
    command_line,
    parse_dynamic,
    parse_factory_arguments,
    parse_metadata,
    parse_names,
    parse_size,
)
from tests.cli import running


def run(*words: object) -> int:
    """Runs the subcommand in this process."""
    return running.run("export", *words)


def test_dynamic() -> None:
    """Axes and names, for several inputs; one input may come in parts."""
    found = parse_dynamic(["image:0=batch,2=height,-1=width", "extra:0=batch", "image:1=c"])
    assert found == {"image": {0: "batch", 2: "height", -1: "width", 1: "c"}, "extra": {0: "batch"}}


@pytest.mark.parametrize(
    "text",
    ["image", "image:0", "image:a=b", ":0=b", "image:0=", "image:0=a,", "image:0=a=b", "0=b"],
)
def test_wrong_dynamic(text: str) -> None:
    """Every other form is shown with the right one."""
    with pytest.raises(ValueError, match="must have the form NAME:AXIS=DIMENSION"):
        parse_dynamic([text])


def test_dynamic_twice() -> None:
    """One axis has one name."""
    with pytest.raises(ValueError, match="axis 0 of 'image' stands twice"):
        parse_dynamic(["image:0=a", "image:0=b"])


def test_factory_arguments() -> None:
    """Python literals, and text where a value is none."""
    texts = ["width=0.5", "act=elu", "sizes=[1, 2]", "flag=True", "path=a=b", "text='1'"]
    wanted = {"width": 0.5, "act": "elu", "sizes": [1, 2], "flag": True, "path": "a=b", "text": "1"}
    assert parse_factory_arguments(texts) == wanted
    for wrong in ("3", "=3", "a b=3"):
        with pytest.raises(ValueError, match="must have the form NAME=VALUE"):
            parse_factory_arguments([wrong])
    with pytest.raises(ValueError, match="'a' is given twice"):
        parse_factory_arguments(["a=1", "a=2"])


def test_metadata(tmp_path: Path) -> None:
    """JSON, text, and a file; nothing is given twice."""
    path = tmp_path / "m.json"
    path.write_text('{"labels": ["a"]}')
    assert parse_metadata(["stride=32", "note=a=b"], str(path)) == {
        "labels": ["a"],
        "stride": 32,
        "note": "a=b",
    }
    with pytest.raises(ValueError, match="'labels' is given twice"):
        parse_metadata(["labels=[]"], str(path))
    with pytest.raises(ValueError, match="must have the form KEY=VALUE"):
        parse_metadata(["stride"], None)
    for text in ("[1]", "{"):
        path.write_text(text)
        with pytest.raises(ValueError, match="--metadata-file"):
            parse_metadata([], str(path))
    with pytest.raises(FileNotFoundError, match="there is no file"):
        parse_metadata([], str(tmp_path / "none.json"))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("auto", None), ("always", True), ("never", False), ("0", 0), ("100", 100),
        ("1kB", 1000), ("100MB", 10**8), ("1.5 GiB", 3 * 2**29), ("2gib", 2**31),
    ],
)  # fmt: skip  # a table
def test_size(text: str, size: bool | int | None) -> None:
    """Words and sizes."""
    assert parse_size(text) is size if isinstance(size, bool | None) else parse_size(text) == size


@pytest.mark.parametrize("text", ["", "sometimes", "-1", "1XB", "MB", "1e9"])
def test_wrong_size(text: str) -> None:
    """Everything else is refused."""
    with pytest.raises(ValueError, match="must be auto, always, never or a size"):
        parse_size(text)


def test_names() -> None:
    """A list with commas."""
    assert parse_names("a,b") == ["a", "b"]
    assert parse_names(None) is None


@pytest.mark.parametrize(
    "words",
    [
        "m:f --input 1x2 -o x.onnx",
        "m:f --input 'a=1x2:int64:0..3' --input 3 -o x.onnx --dynamic a:0=n --no-verify --card",
        "m:f --inputs 'my file.npz' -o x.onnx --no-optimize --opset 17 --ops ELU --verify bodies"
        " --metadata 'labels=[\"a b\"]' --external-data 1MB --factory-arg a=1 --input-names a,b",
    ],
)
def test_command_line(words: str) -> None:
    """The command that a card shows means the same, with the output's name alone."""
    parser = argparse.ArgumentParser()
    add_flags(parser)
    given = parser.parse_args(shlex.split(words.replace("x.onnx", "some/folder/x.onnx")))
    again = shlex.split(command_line(parser, given, "x.onnx"))
    assert again[:2] == ["onnx-acts", "export"]
    repeated = vars(parser.parse_args(again[2:]))
    assert repeated.pop("output") == "x.onnx"
    wanted = {name: value for name, value in vars(given).items() if name != "output"}
    assert repeated == wanted


class Tokens(nn.Module):
    """A network with an index, an optional keyword input and a size of its own."""

    def __init__(self, width: int = 4, words: int = 10) -> None:
        super().__init__()
        self.embed, self.act = nn.Embedding(words, width), nn.ELU()

    def forward(
        self, image: torch.Tensor, tokens: torch.Tensor, *, scale: torch.Tensor | None = None
    ) -> torch.Tensor:
        """image: (N, H); tokens: (N, L); scale: (N, 1)."""
        y = self.act(self.embed(tokens)).mean(1) + image.mean(1, keepdim=True)
        return y if scale is None else y * scale


FACTORY = "tests.cli.test_export_words:Tokens"
INPUTS = ["--input", "2x3", "--input", "tokens=2x5:int64:0..9", "--input", "scale=2x1"]


def test_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Arguments, inputs by name and range, dimensions, names, metadata and card, in one command."""
    path = tmp_path / "m.onnx"
    words: list[Any] = [FACTORY, "--factory-arg", "width=6", *INPUTS, "-o", path, "--card"]
    words += ["--dynamic", "image:0=batch,1=height", "--dynamic", "tokens:0=batch,1=length"]
    words += ["--dynamic", "scale:0=batch", "--output-names", "y", "--metadata", "stride=32"]
    assert run(*words) == 0
    graph = onnx.load(path).graph
    shapes = {
        value.name: [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.output)
    }
    assert shapes == {
        "image": ["batch", "height"],
        "tokens": ["batch", "length"],
        "scale": ["batch", 1],
        "y": ["batch", 6],
    }
    assert read_metadata(path) == {"stride": 32}
    card = json.loads((tmp_path / "m.card.json").read_text())
    assert card["source"]["factory"] == FACTORY
    assert "--factory-arg width=6" in card["command"]
    assert "m.card.md" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dynamic", "imag:0=n"], r"no input 'imag' \(did you mean image\?\)"),
        (["--fixed-shapes", "--dynamic", "image:0=n"], "exclude each other"),
        (["--inputs", "x.npz"], "no file x.npz"),
        (["--input", "tokens=2x5"], "'tokens' is given twice"),
        (["--factory-arg", "wide=3"], "fails when called with wide=3: TypeError"),
        (["--translations", "tests.cli.test_export_words:nothing"], "has no 'nothing'"),
        (["--external-data", "much"], "must be auto"),
    ],
)
def test_wrong_words(words: list[str], message: str, tmp_path: Path) -> None:
    """Each is refused by name, and nothing is written."""
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run(FACTORY, *INPUTS, "-o", tmp_path / "m.onnx", *words)
    assert not list(tmp_path.iterdir())
