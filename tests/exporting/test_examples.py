"""Example inputs from descriptions and from files."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from onnx_acts.exporting.examples import check_example_file, load_examples, parse_example


def made(text: str) -> torch.Tensor:
    """The tensor of a description, in a float32 module."""
    return parse_example(text).tensor(torch.float32, torch.Generator().manual_seed(0))


def test_described() -> None:
    """Shape, element type and range, with and without a name."""
    assert made("2x3").shape == (2, 3)
    assert made("").shape == ()
    assert made("4:float64").dtype == torch.float64
    assert not made("4:int32").any()
    tokens = made("1000:int64:-2..3")
    assert tokens.dtype == torch.int64
    assert set(tokens.tolist()) == {-2, -1, 0, 1, 2, 3}
    assert set(made("100:bool:0..1").tolist()) == {False, True}
    pixels = made("1000:float16:0.5..2")
    assert pixels.dtype == torch.float16
    assert 0.5 <= float(pixels.min()) < 0.6
    assert 1.9 < float(pixels.max()) <= 2
    assert made("5::3..3").tolist() == [3.0] * 5
    assert parse_example("image=1x3:float32:0..1").name == "image"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2,3", "must be numbers joined by x"),
        ("2x3:float3", "'float3' is not one of float16"),
        ("2x3:int64:9", "must be numbers joined by x"),
        ("2x3:int64:9..", "must be numbers joined by x"),
        ("2x3:int64:9..1", "the range ends below its start"),
        ("a b=2x3", "must be numbers joined by x"),
        ("=2x3", "must be numbers joined by x"),
    ],
)
def test_wrong(text: str, message: str) -> None:
    """What cannot be read is shown."""
    with pytest.raises(ValueError, match=f"--input {re.escape(repr(text))}: .*{message}"):
        parse_example(text)


@pytest.mark.parametrize(
    "text", ["2:int64:0.5..2", "2:uint8:0..256", "2:bool:0..2", "2:int8:-9..200"]
)
def test_wrong_range(text: str) -> None:
    """A range that the type does not have is refused with the type's own."""
    with pytest.raises(ValueError, match="must be two whole numbers from"):
        made(text)


def test_files(tmp_path: Path) -> None:
    """By name from dictionaries, by place from lists; every kind of file."""
    a, b = torch.arange(3.0), torch.tensor([[1, 2]])
    np.savez(tmp_path / "named.npz", image=a.numpy(), extra=b.numpy())
    np.savez(tmp_path / "placed.npz", *[np.full(1, i) for i in range(12)])
    torch.save({"image": a, "extra": b}, tmp_path / "named.pt")
    torch.save([a, b], tmp_path / "placed.pt")
    torch.save(a, tmp_path / "one.pt")
    save_file({"image": a, "extra": b}, tmp_path / "named.safetensors")
    for name in ("named.npz", "named.pt", "named.safetensors"):
        check_example_file(tmp_path / name)
        args, kwargs = load_examples(tmp_path / name)
        assert args == ()
        assert torch.equal(kwargs["image"], a)
        assert torch.equal(kwargs["extra"], b)
        assert kwargs["extra"].dtype == torch.int64
    assert [int(item) for item in load_examples(tmp_path / "placed.npz")[0]] == list(range(12))
    assert [item.shape for item in load_examples(tmp_path / "placed.pt")[0]] == [a.shape, b.shape]
    assert torch.equal(load_examples(tmp_path / "one.pt")[0][0], a)


class Runs:
    """Code in a pickle."""

    def __reduce__(self) -> Any:
        """What unpickling calls."""
        return (Path.touch, (Path("ran"),))


def test_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in a file runs: pickled objects are refused in every kind of it."""
    monkeypatch.chdir(tmp_path)
    torch.save({"image": Runs()}, "bad.pt")
    Path("old.pt").write_bytes(pickle.dumps(Runs()))
    np.savez("bad.npz", image=np.array([Runs()], dtype=object))
    for name in ("bad.pt", "old.pt", "bad.npz"):
        with pytest.raises(ValueError, match=rf"--inputs {name}"):
            load_examples(Path(name))
    assert not Path("ran").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"image": 3}, "'image' is a int, not a tensor"),
        ([torch.zeros(1), None], "1 is a NoneType"),
        ({}, "there is no tensor in it"),
        ({1: torch.zeros(1)}, "the name 1 is not a text"),
        ("text", "it has a str, not tensors"),
    ],
)
def test_other_content(content: object, message: str, tmp_path: Path) -> None:
    """Tensors only, in a list or by name."""
    path = tmp_path / "x.pt"
    torch.save(content, path)
    with pytest.raises(ValueError, match=message):
        load_examples(path)


@pytest.mark.parametrize("name", ["x.npz", "x.pt", "x.safetensors"])
@pytest.mark.parametrize("data", [b"", b"nonsense", b"PK\x03\x04 cut off"])
def test_damaged(name: str, data: bytes, tmp_path: Path) -> None:
    """A damaged file is named."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ValueError, match=re.escape(f"--inputs {path}")):
        load_examples(path)


def test_no_file(tmp_path: Path) -> None:
    """A missing file, and one of another kind."""
    with pytest.raises(FileNotFoundError, match="there is no file"):
        check_example_file(tmp_path / "x.npz")
    with pytest.raises(ValueError, match=r"must be one of \.npz, \.pt, \.safetensors"):
        check_example_file(tmp_path / "x.txt")
