"""Weights and manifest on disk: written atomically, hashed, checked before they are loaded."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import nn

from models.recipes import RECIPES
from onnx_acts.files.writing import write_atomically

FOLDER = Path(__file__).parent
MANIFEST = FOLDER / "manifest.json"
HISTORY = FOLDER / "history.json"

Json = dict[str, Any]


class WeightsError(RuntimeError):
    """Weights that are not the ones which the manifest describes."""


def load(name: str) -> nn.Module:
    """Return a trained network in inference mode.

    Args:
        name: a name in ``models.recipes.RECIPES``, such as ``lenet5_prelu``.

    Raises:
        KeyError: no such model.
        WeightsError: the file is missing, or its SHA-256 is not the manifest's.
    """
    if name not in RECIPES:
        raise KeyError(f"no model {name!r}; there are {', '.join(RECIPES)}")
    entry = read_json(MANIFEST)["models"][name]
    path = FOLDER / entry["file"]
    module = RECIPES[name].factory()
    module.load_state_dict(safetensors.torch.load(_checked(path, entry["sha256"])), strict=True)
    return module.eval()


def _checked(path: Path, expected: str) -> bytes:
    """Read a file once and return its bytes, so that what was hashed is what is used."""
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; python -m models.train {path.stem} makes it")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise WeightsError(f"{path}: expected sha256 {expected}, found {found}")
    return content


def save_weights(name: str, module: nn.Module) -> Json:
    """Write ``weights/NAME.safetensors`` and return what the manifest says about the file."""
    content = safetensors.torch.save(module.state_dict())
    file = f"weights/{name}.safetensors"
    write_atomically(FOLDER / file, content)
    return {
        "file": file,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
    }


def read_json(path: Path) -> Json:
    """Return the object in a JSON file, or an empty one where there is no file yet."""
    content: Json = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return content


def write_json(path: Path, content: Json) -> None:
    """Write an object as JSON with one line per list, to be read and compared line by line."""
    text = json.dumps(content, indent=2, sort_keys=True)
    text = re.sub(r"\[[^\[\]{}]*\]", _on_one_line, text)
    write_atomically(path, (text + "\n").encode())


def _on_one_line(match: re.Match[str]) -> str:
    return "[" + " ".join(match[0][1:-1].split()) + "]"
