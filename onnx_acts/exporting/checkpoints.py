"""Loading trained weights into a module, from safetensors files only.

A pickle can run any code when it is read, so no other kind of file is opened here.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from onnx_acts.exporting.checkpoint_kinds import check_kind, hint
from onnx_acts.exporting.checkpoint_names import match_names
from onnx_acts.exporting.checkpoint_types import misfits, roundings
from onnx_acts.exporting.states import check_state

__all__ = ["load_weights"]


def load_weights(module: torch.nn.Module, path: str | os.PathLike[str]) -> None:
    """Loads a safetensors file into `module`.

    Where all floating-point tensors of the file have one element type, the module is converted to
    it first, so that a float64 checkpoint stays float64. Where the file mixes types, the module
    keeps its own, and a warning names the tensors that this rounds. Names that differ by the
    prefixes of DataParallel ("module.") or torch.compile ("_orig_mod.") are matched, with a
    warning.

    Args:
        module: the module; every parameter and persistent buffer must be in the file.
        path: the file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is a pickle, a TorchScript archive, an exported program, damaged, or does not
            fit the module; the message lists what is missing, unexpected, of another shape or of
            another kind of number.
    """
    source = Path(path)
    check_kind(source)
    check_state(module)
    tensors = _renamed(source, module, _read(source))
    wanted = module.state_dict(keep_vars=True)
    ties = _ties(wanted)
    wrong = {"of another shape": _other_shapes(tensors, wanted)}
    wrong["of another kind"] = misfits(tensors, wanted)
    wrong["one tensor in the module, but different in the file"] = _torn(ties, tensors)
    _report(source, wrong)
    _settle_type(source, module, tensors)
    missing, unexpected = module.load_state_dict(tensors, strict=False)
    tied = {name for names in ties if tensors.keys() & set(names) for name in names}
    _report(source, {"missing": list(set(missing) - tied), "unexpected": unexpected})


def _read(source: Path) -> dict[str, torch.Tensor]:
    try:
        tensors: dict[str, torch.Tensor] = load_file(source)
    except SafetensorError as error:
        size = source.stat().st_size
        raise ValueError(
            f"{source} is not a complete safetensors file ({size} bytes): {error}{hint(source)}"
        ) from error
    return tensors


def _renamed(
    source: Path, module: torch.nn.Module, tensors: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The tensors by the module's names; a warning says where these are others."""
    names = match_names(tensors.keys(), module.state_dict().keys())
    changed = sorted((old, new) for old, new in names.items() if old != new)
    if changed:
        old, new = changed[0]
        warnings.warn(
            f"{source}: the names have another prefix than the module's: {old!r} was taken as"
            f" {new!r}, and {len(changed) - 1} more in this way",
            stacklevel=3,
        )
    return {names[name]: tensor for name, tensor in tensors.items()}


def _settle_type(
    source: Path, module: torch.nn.Module, tensors: Mapping[str, torch.Tensor]
) -> None:
    """Converts the module to the file's element type where it has one, and tells of rounding."""
    types = {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()}
    if len(types) == 1:
        dtype = types.pop()  # Module.to would make complex buffers real
        module._apply(  # type: ignore[no-untyped-call]
            lambda item: item.to(dtype) if item.is_floating_point() else item
        )
    rounded = roundings(tensors, module.state_dict())
    if rounded:
        warnings.warn(
            f"{source} mixes element types, so the module keeps its own, which rounds"
            f" {', '.join(rounded)}",
            stacklevel=3,
        )


def _ties(wanted: Mapping[str, torch.Tensor]) -> list[list[str]]:
    """The names that stand for one tensor of the module; a file may have it once or more often."""
    groups: dict[object, list[str]] = {}
    for name, tensor in wanted.items():
        place = (tensor.data_ptr(), tensor.shape, tensor.stride()) if tensor.numel() else id(tensor)
        groups.setdefault(place, []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def _torn(ties: list[list[str]], tensors: Mapping[str, torch.Tensor]) -> list[str]:
    """The tied tensors that the file has several times with other values."""
    given = [[name for name in names if name in tensors] for names in ties]
    return [
        " and ".join(names)
        for names in given
        if any(not torch.equal(tensors[names[0]], tensors[name]) for name in names[1:])
    ]


def _other_shapes(
    tensors: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]
) -> list[str]:
    return [
        f"{name} is {tuple(tensors[name].shape)}, the module has {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & tensors.keys())
        if tensors[name].shape != wanted[name].shape
    ]


def _report(source: Path, problems: Mapping[str, list[str]]) -> None:
    """Raises with every problem listed, where there is one."""
    found = [f"{kind}: {', '.join(sorted(names))}" for kind, names in problems.items() if names]
    if found:
        raise ValueError(f"{source} does not fit the module: {'; '.join(found)}")
