"""What can be handed over for an export: modules, wrappers around them, captured programs."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from onnx_acts.exporting.quiet import quiet

__all__ = ["Subject", "check_program", "load_program", "subject_of"]

_RANDOM = ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "native_dropout")
_NORMS = (
    "batch_norm",
    "instance_norm",
    "native_batch_norm",
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_functional",
    "_batch_norm_with_update",
    "_batch_norm_with_update_functional",
)
_RRELU = ("rrelu", "rrelu_", "rrelu_with_noise", "rrelu_with_noise_functional")
_WRAPPERS = (
    torch.nn.DataParallel,
    torch.nn.parallel.DistributedDataParallel,
    torch._dynamo.OptimizedModule,  # of torch.compile
)


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is exported.

    Attributes:
        module: what runs in PyTorch.
        program: the captured program that `module` was made of; None where torch has to capture it.
    """

    module: torch.nn.Module
    program: ExportedProgram | None = None


def subject_of(given: object) -> Subject:
    """Finds what is to be exported: the module inside of wrappers, the module of a program.

    Args:
        given: a module, one in DataParallel, DistributedDataParallel or torch.compile, a
            `torch.export.ExportedProgram`, or the path of a .pt2 file, which is loaded.

    Raises:
        TypeError: something else, such as TorchScript, which torch cannot capture.
        ValueError: a file that holds no program.
    """
    if isinstance(given, str | os.PathLike):
        given = load_program(given)
    if isinstance(given, ExportedProgram):
        return Subject(given.module(), given)
    while isinstance(given, _WRAPPERS):
        is_compiled = isinstance(given, torch._dynamo.OptimizedModule)
        given = given._orig_mod if is_compiled else given.module
    if isinstance(given, torch.jit.ScriptModule | torch.jit.ScriptFunction):
        raise TypeError(
            "a TorchScript module cannot be exported: build the Python module and load its weights"
            " with module.load_state_dict(scripted.state_dict())"
        )
    if isinstance(given, torch.nn.Module):
        return Subject(given)
    raise TypeError(
        "module must be a torch.nn.Module or a torch.export.ExportedProgram, got"
        f" {type(given).__name__}"
    )


def load_program(path: str | os.PathLike[str]) -> ExportedProgram:
    """Loads a .pt2 file of `torch.export.save`.

    torch unpickles parts of such a file, which can run code: give only files that you trust.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it has another suffix, or torch cannot read it.
    """
    source = Path(path)
    if source.suffix != ".pt2":
        raise ValueError(
            f"{source} is no .pt2 file of torch.export.save: give a module, an exported program, or"
            " the path of such a file"
        )
    if not source.is_file():
        raise FileNotFoundError(f"there is no program at {source}")
    try:
        with quiet():
            return torch.export.load(source)
    except Exception as error:  # torch lets everything through that a damaged file causes
        raise ValueError(
            f"{source} cannot be loaded as an exported program: {type(error).__name__}:"
            f" {str(error).splitlines()[0] if str(error) else ''}"
        ) from error


def check_program(program: ExportedProgram, shapes: Any, *, training: bool) -> None:
    """Requires a program of the inference mode, and no shapes beside its own.

    A program has its mode and its shapes from when it was captured.

    Raises:
        ValueError: it has dropout, normalisation or, unless `training`, RReLU in training mode, or
            `shapes` are given for it.
    """
    if shapes or (shapes is not None and program.range_constraints):
        raise ValueError(
            "an exported program keeps the shapes that it was captured with: leave dynamic_shapes"
            " (--fixed-shapes) out, and give dynamic_shapes to torch.export.export"
        )
    names = {*_RANDOM, *_NORMS, *(() if training else _RRELU)}
    for node in program.graph.nodes:
        found = _operator(node)
        if found in names and _trains(node):
            raise ValueError(
                f"the program was captured in training mode, in which its {found} stays: call"
                " module.eval() and then torch.export.export again"
                + (", or pass training=True" if found in _RRELU else "")
            )


def _operator(node: torch.fx.Node) -> str:
    """The name of the ATen operator that a node calls, without its overload."""
    target = node.target
    return target._schema.name.partition("::")[2] if hasattr(target, "_schema") else ""


def _trains(node: torch.fx.Node) -> bool:
    """Whether an operator is in training mode; statistics of the input alone are no such mode."""
    given = _arguments(node)
    if given.get("running_mean", node) is None:
        return False
    return any(given.get(name) for name in ("train", "training", "use_input_stats"))


def _arguments(node: torch.fx.Node) -> dict[str, Any]:
    """An operator's arguments by their names."""
    arguments = node.target._schema.arguments  # type: ignore[union-attr]
    given = {item.name: item.default_value for item in arguments}
    given |= node.kwargs
    return given | {item.name: value for item, value in zip(arguments, node.args, strict=False)}
