"""Loading trained weights into a module, from safetensors files only.

A pickle can run any code when it is read, so no other kind of file is opened here.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, load_model

__all__ = ["load_weights"]

_PICKLE_START = b"\x80"
_PYTORCH_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")
_ZIP_START = b"PK\x03\x04"

_CONVERT = (
    "convert it where you trust it, in two lines: `state = {load}`;"
    " `safetensors.torch.save_file(state, {name!r})`"
)


def load_weights(module: torch.nn.Module, path: str | os.PathLike[str]) -> None:
    """Loads a safetensors file into `module`, without rounding.

    Where all floating-point tensors of the file have one element type, the module is converted to
    it first, so that a float64 checkpoint stays float64.

    Args:
        module: the module; every parameter and persistent buffer must be in the file.
        path: the file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is a pickle, a TorchScript archive, damaged, or does not fit the module; the
            message lists what is missing, unexpected or of another shape.
    """
    source = Path(path)
    _check_kind(source)
    try:
        tensors = load_file(source)
    except SafetensorError as error:
        size = source.stat().st_size
        raise ValueError(
            f"{source} is not a complete safetensors file ({size} bytes): {error}{_hint(source)}"
        ) from error
    _check_shapes(source, module, tensors)
    types = {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()}
    if len(types) == 1:
        module.to(types.pop())
    missing, unexpected = load_model(module, source, strict=False)
    _report(source, {"missing": missing, "unexpected": unexpected})


def _hint(source: Path) -> str:
    """What a file probably is that is called as PyTorch's are; old pickles begin with any byte."""
    if source.suffix not in _PYTORCH_SUFFIXES:
        return ""
    return f"; if it is a checkpoint of PyTorch, {_conversion(source)}"


def _conversion(source: Path) -> str:
    """How to make a safetensors file of a pickle."""
    return _CONVERT.format(
        load=f"torch.load({source.name!r}, weights_only=True)",
        name=source.with_suffix(".safetensors").name,
    )


def _check_kind(source: Path) -> None:
    """Refuses everything that is recognisably no safetensors file."""
    if source.is_dir():
        raise ValueError(f"{source} is a directory; give a .safetensors file")
    if not source.is_file():
        raise FileNotFoundError(f"there is no weights file at {source}")
    with source.open("rb") as stream:
        start = stream.read(4)
    name = source.with_suffix(".safetensors").name
    if start == _ZIP_START and _is_torchscript(source):
        load = f"torch.jit.load({source.name!r}).state_dict()"
        raise ValueError(
            f"{source} is a TorchScript archive, which holds code; "
            + _CONVERT.format(load=load, name=name)
        )
    if start == _ZIP_START or start.startswith(_PICKLE_START):
        raise ValueError(
            f"{source} is a pickle, which can run code when it is read, so it is not opened; "
            + _conversion(source)
            + "; if it holds a whole module, save module.state_dict() where the class is defined"
        )


def _is_torchscript(source: Path) -> bool:
    """Whether a zip file has the code folder of TorchScript; only its list of names is read."""
    try:
        with zipfile.ZipFile(source) as archive:
            return any("/code/" in name for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def _check_shapes(
    source: Path, module: torch.nn.Module, tensors: Mapping[str, torch.Tensor]
) -> None:
    expected = module.state_dict()
    wrong = [
        f"{name} is {tuple(tensors[name].shape)}, the module has {tuple(expected[name].shape)}"
        for name in sorted(expected.keys() & tensors.keys())
        if tensors[name].shape != expected[name].shape
    ]
    _report(source, {"of another shape": wrong})


def _report(source: Path, problems: Mapping[str, list[str] | set[str]]) -> None:
    """Raises with every problem listed, where there is one."""
    found = [f"{kind}: {', '.join(sorted(names))}" for kind, names in problems.items() if names]
    if found:
        raise ValueError(f"{source} does not fit the module: {'; '.join(found)}")
