"""Names of inputs, outputs and dynamic dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import nn

from onnx_acts import export, session

X, EXTRA = torch.randn(2, 3, 6, 8), torch.randn(2, 3)


class Two(nn.Module):
    """Two inputs that share their first dimension, of which one is optional."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ELU()

    def forward(self, image: torch.Tensor, extra: torch.Tensor | None = None) -> torch.Tensor:
        """image: (N, 3, H, W); extra: (N, 3)."""
        means = self.act(image).mean((2, 3))
        return means if extra is None else means + extra


def dimensions(path: Path) -> list[list[Any]]:
    """The sizes of each input in a file, symbols by name."""
    return [
        [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in onnx.load(path).graph.input
    ]


def test_named(tmp_path: Path) -> None:
    """Any axis of any input, counted from either end; the file is right at other sizes."""
    path, module = tmp_path / "m.onnx", Two().eval()
    shapes = {"image": {0: "batch", 2: "height", -1: "width"}, "extra": {0: "batch"}}
    export(module, (X, EXTRA), path, dynamic_shapes=shapes)
    assert dimensions(path) == [["batch", 3, "height", "width"], ["batch", 3]]
    image, extra = torch.randn(5, 3, 9, 4), torch.randn(5, 3)
    (got,) = session(path).run(None, {"image": image.numpy(), "extra": extra.numpy()})
    torch.testing.assert_close(torch.from_numpy(got), module(image, extra))


@pytest.mark.slow
def test_part(tmp_path: Path) -> None:
    """Inputs that are left out keep their sizes; input_names and keyword inputs count as names."""
    path = tmp_path / "m.onnx"
    names: dict[str, Any] = {"input_names": ["pixels", "more"], "output_names": ["score"]}
    shapes = {"pixels": {2: "height"}}
    export(Two().eval(), X, path, kwargs={"extra": EXTRA}, dynamic_shapes=shapes, **names)
    assert dimensions(path) == [[2, 3, "height", 8], [2, 3]]
    graph = onnx.load(path).graph
    assert [item.name for item in (*graph.input, *graph.output)] == ["pixels", "more", "score"]


@pytest.mark.slow
def test_keywords(tmp_path: Path) -> None:
    """Inputs that forward takes as **kwargs have names, too."""

    class Open(nn.Module):
        def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
            return nn.functional.elu(inputs["image"]).mean((2, 3)) + inputs["extra"]

    path = tmp_path / "m.onnx"
    given = {"image": X, "extra": EXTRA}
    export(Open().eval(), (), path, kwargs=given, dynamic_shapes={"image": {3: "width"}})
    assert dimensions(path) == [[2, 3, 6, "width"], [2, 3]]


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "input": ({"imagee": {0: "n"}}, ValueError, r"no input 'imagee' \(did you mean image\?\)"),
    "no text": ({0: {0: "n"}}, TypeError, "an input is given by its name, got 0"),
    "axis": ({"image": {4: "n"}}, ValueError, r"no axis 4; its shape is \(2, 3, 6, 8\), axes 0 to"),
    "first axis": ({"image": {-5: "n"}}, ValueError, "no axis -5"),
    "axis kind": ({"image": {"0": "n"}}, TypeError, "an axis is a number, got '0'"),
    "twice": ({"image": {3: "n", -1: "m"}}, ValueError, "axis 3 of input 'image' is given twice"),
    "sizes": ({"image": {2: "n", 3: "n"}}, ValueError, "'n' is 6 in axis 2 .* and 8 in axis 3"),
    "other input": (
        {"image": {2: "n"}, "extra": {1: "n"}},
        ValueError,
        "'n' is 6 in axis 2 of input 'image' and 3 in axis 1 of input 'extra'",
    ),
    "name": ({"image": {2: "my size"}}, ValueError, "letters, digits and underscores, got 'my"),
    "fixed": ({"image": {1: "n"}}, ValueError, "fixes axis 1 of input 'image' to 3"),
    "equal": (
        {"image": {0: "n"}, "extra": {0: "m"}},
        ValueError,
        "needs axis 0 of input 'extra', 'm', to be equal to 'n': give both one name",
    ),
}


class Fixed(Two):
    """A module for three channels only, which its code says."""

    def forward(self, image: torch.Tensor, extra: torch.Tensor | None = None) -> torch.Tensor:
        """image: (N, 3, H, W)."""
        return super().forward(image * torch.ones(1, 3, 1, 1), extra)


@pytest.mark.parametrize("name", WRONG)
def test_wrong(name: str, tmp_path: Path) -> None:
    """Each wrong spelling is named; nothing is written."""
    shapes, kind, message = WRONG[name]
    module = Fixed() if name == "fixed" else Two()
    with pytest.raises(kind, match=message):
        export(module.eval(), (X, EXTRA), tmp_path / "m.onnx", dynamic_shapes=shapes)
    assert not list(tmp_path.iterdir())


NAMES: tuple[tuple[dict[str, Any], type[Exception], str], ...] = (
    ({"input_names": ["a"]}, ValueError, r"has 1 name\(s\), a; the module gets 2 tensor"),
    ({"input_names": ["a", "b", "c"]}, ValueError, r"has 3 name\(s\)"),
    ({"output_names": ["a", "b"]}, ValueError, r"output_names has 2 .* the module gives 1"),
    ({"input_names": ["a", "a"]}, ValueError, "'a' stands twice"),
    ({"input_names": ["a", "b"], "output_names": ["b"]}, ValueError, "'b' stands twice"),
    ({"input_names": "ab"}, TypeError, r"must be a sequence of names, like \['ab'\]"),
    ({"input_names": ["a", ""]}, ValueError, "a name is empty"),
    ({"output_names": [1]}, TypeError, "a name must be a str, got 1"),
)


@pytest.mark.parametrize(("names", "kind", "message"), NAMES)
def test_wrong_names(
    names: dict[str, Any], kind: type[Exception], message: str, tmp_path: Path
) -> None:
    """So are names that are too many, too few or the same."""
    with pytest.raises(kind, match=message):
        export(Two().eval(), (X, EXTRA), tmp_path / "m.onnx", **names)
    assert not list(tmp_path.iterdir())
