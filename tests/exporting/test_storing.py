"""Where weights go, what the card says, and that the same export gives the same bytes."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import nn

from onnx_acts import export, session
from onnx_acts.exporting import pipeline
from onnx_acts.ort.shared_weights import write_shared
from tests.building import ROOT

X = torch.randn(2, 64, generator=torch.Generator().manual_seed(0))


def wide() -> nn.Module:
    """A network with 32 KiB of weights, the same every time; for the command line, too."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        return nn.Sequential(nn.Linear(64, 64), nn.PReLU(64), nn.Linear(64, 64), nn.ELU()).eval()


@pytest.mark.parametrize(
    ("wanted", "is_outside"), [(True, True), (0, True), (20_000, True), (40_000, False)]
)
def test_external_data(wanted: bool | int, is_outside: bool, tmp_path: Path) -> None:
    """Large weights go to a file beside the model always, or above a size; small ones stay."""
    path, module = tmp_path / "m.onnx", wide()
    export(module, X, path, external_data=wanted, verify=False)
    model = onnx.load(path, load_external_data=False)
    outside = [t.name for t in model.graph.initializer if t.data_location]
    assert len(outside) == (2 if is_outside else 0)
    assert len(list(tmp_path.iterdir())) == (2 if is_outside else 1)
    (got,) = session(path).run(None, {model.graph.input[0].name: X.numpy()})
    torch.testing.assert_close(torch.from_numpy(got), module(X))


@pytest.mark.parametrize(
    ("wrong", "kind"), [(-1, ValueError), ("1GB", TypeError), (1.5, TypeError)]
)
def test_wrong_external_data(wrong: Any, kind: type[Exception], tmp_path: Path) -> None:
    """Anything but a bool and a number of bytes is refused first."""
    with pytest.raises(kind, match="external_data must be"):
        export(wide(), X, tmp_path / "m.onnx", external_data=wrong)


def test_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """False refuses what one file cannot have."""
    from onnx_acts.files import saving

    monkeypatch.setattr(saving, "_INLINE_LIMIT", 100)
    with pytest.raises(ValueError, match="do not fit into one file"):
        export(wide(), X, tmp_path / "m.onnx", external_data=False, verify=False)
    assert not list(tmp_path.iterdir())


def test_card(tmp_path: Path) -> None:
    """The card's hashes are those of the files, its numbers those of the model."""
    path, told = tmp_path / "net.onnx", list[str]()
    result = export(
        wide(), X, path, card=True, external_data=True, metadata={"a|b": "c`"}, progress=told.append
    )
    assert result.cards == (tmp_path / "net.card.json", tmp_path / "net.card.md")
    card = json.loads(result.cards[0].read_text())
    files = [card["file"], *card["external_data"]]
    assert len(files) == 2
    for item in files:
        data = (tmp_path / item["name"]).read_bytes()
        assert item["sha256"] == hashlib.sha256(data).hexdigest()
        assert item["bytes"] == len(data)
    assert card["nodes"] == {"ai.onnx::Gemm": 2, "onnx_acts::ELU": 1, "onnx_acts::PReLU": 1}
    assert card["source"]["module"] == "torch.nn.modules.container.Sequential"
    assert card["source"]["state"]["elements"] == 2 * (64 * 64 + 64) + 64
    assert card["verification"]["status"] == "passed"
    assert [item["max_abs"] for item in card["verification"]["outputs"]] == [
        error.max_abs for error in result.errors
    ]
    assert card["versions"]["torch"] == torch.__version__
    assert card["metadata"] == {"a|b": "c`"}
    assert card["command"] == (
        "onnx_acts.export(module, args, 'net.onnx', external_data=True,"
        " metadata={'a|b': 'c`'}, card=True)"
    )
    page = result.cards[1].read_text()
    assert all(item["sha256"] in page for item in files)
    assert str(tmp_path) not in page + result.cards[0].read_text()
    assert told == [
        "running the module in PyTorch",
        "capturing it",
        "comparing ONNX Runtime with PyTorch",
        "writing the file",
    ]


def test_weights_change_the_card(tmp_path: Path) -> None:
    """One other weight gives another hash of the state."""
    module, hashes = wide(), set()
    for _ in range(2):
        export(module, X, tmp_path / "m.onnx", card=True, verify=False)
        hashes.add(json.loads((tmp_path / "m.card.json").read_text())["source"]["state"]["sha256"])
        with torch.no_grad():
            next(module.parameters())[3] += 1e-6
    assert len(hashes) == 2


@pytest.mark.slow
def test_same_bytes(tmp_path: Path) -> None:
    """Two processes with different hash seeds write the same files, byte for byte."""
    found = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        command = [sys.executable, "-m", "onnx_acts", "export", f"{__name__}:wide"]
        command += ["--input", "2x64", "--card", "--external-data", "always"]
        command += ["--metadata", "stride=32", "-o", str(folder / "m.onnx")]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        found.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert len(found[0]) == 4
    assert found[0] == found[1]


def test_memory_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory for shared weights runs out, they go to the disk; neither keeps any of them."""
    memory, out, places = tmp_path / "memory", tmp_path / "out", []
    memory.mkdir()
    out.mkdir()

    def written(model: onnx.ModelProto, folder: Path) -> Path:
        places.append(folder.parent)
        if folder.parent == memory:
            (folder / "weights").write_bytes(b"a part of it")
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_shared(model, folder)

    monkeypatch.setattr(pipeline, "_HEAVY", 0)
    monkeypatch.setattr(pipeline, "_MEMORY", memory)
    monkeypatch.setattr(pipeline, "write_shared", written)
    assert export(wide(), X, out / "m.onnx").verification == "passed"
    assert places == [memory, out]
    assert list(memory.iterdir()) == []
    assert [path.name for path in out.iterdir()] == ["m.onnx"]
