"""The steps of an export: check, capture, check again, place, verify, describe, write."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from torch.utils import _pytree as pytree

from onnx_acts.embed import default_opset
from onnx_acts.exporting import checks, metadata, verification
from onnx_acts.exporting.capture import capture
from onnx_acts.exporting.dynamic import tensors_of
from onnx_acts.exporting.placement import place
from onnx_acts.exporting.result import ExportResult, OutputError
from onnx_acts.files import Model, save_model
from onnx_acts.nodes import read_attributes
from onnx_acts.specs import DOMAIN
from onnx_acts.structure import walk_nodes
from onnx_acts.weights import weight_bytes

__all__ = ["Options", "run"]

_DEFAULT_OPSET = 20
"""torch's default."""

_LARGE = 2**30
"""Bytes of weights from which a model is verified as a file: a protobuf message ends at 2 GiB."""

_PASSED = "passed"
_OFF = "not verified: verify=False"
_RANDOM = "shapes only: the values are random (training mode)"


@dataclasses.dataclass(frozen=True)
class Options:
    """The keyword arguments of `onnx_acts.export`, documented there."""

    style: str
    ops: tuple[str, ...]
    dynamic_shapes: Any
    opset: int | None
    verify: bool | str
    training: bool
    seed: int
    input_names: Sequence[str] | None
    output_names: Sequence[str] | None


@dataclasses.dataclass(frozen=True)
class _Built:
    """A finished model, the activations that the module has, and whether values are random."""

    model: onnx.ModelProto
    operators: frozenset[str]
    is_random: bool


def run(
    module: torch.nn.Module,
    args: Any,
    kwargs: dict[str, Any],
    path: str | os.PathLike[str],
    options: Options,
) -> ExportResult:
    """Does what `onnx_acts.export` says."""
    args = _as_tuple(args)
    _check(module, args, kwargs, path, options)
    with _mode(module, training=options.training):
        built = _build(module, args, kwargs, options)
        status, errors = _verify(module, args, kwargs, built, Path(path), options.verify)
    record = metadata.verification_record(status, errors)
    metadata.describe(built.model, style=options.style, ops=options.ops, verification=record)
    save_model(built.model, path)
    return ExportResult(
        path=Path(path),
        style=options.style,
        opset=default_opset(built.model),
        node_counts=_count_nodes(built.model),
        verification=status,
        errors=tuple(errors),
    )


def _as_tuple(args: Any) -> tuple[Any, ...]:
    if isinstance(args, torch.Tensor):
        return (args,)
    if isinstance(args, tuple | list):
        return tuple(args)
    raise TypeError(
        "args must be a tensor or a tuple of what module.forward takes (keyword arguments go to"
        f" kwargs), got {type(args).__name__}"
    )


def _check(
    module: torch.nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    path: str | os.PathLike[str],
    options: Options,
) -> None:
    """Refuses what can be refused before the work begins."""
    checks.check_style(options.style, options.ops)
    checks.check_opset(_opset(options))
    if options.verify not in (True, False, "bodies"):
        raise ValueError(f"verify must be True, False or 'bodies', got {options.verify!r}")
    if options.seed < 0:
        raise ValueError(f"seed must be 0 or greater, got {options.seed}")
    checks.check_target(path)
    checks.check_module(module, training=options.training)
    inputs = {f"input {i}": tensor for i, tensor in enumerate(tensors_of(args, kwargs))}
    checks.check_tensors({**inputs, **module.state_dict(keep_vars=True)})


def _build(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
) -> _Built:
    """Makes the finished model in memory."""
    model = capture(
        module,
        *pytree.tree_map(_copied, (args, kwargs)),
        opset=_opset(options),
        seed=options.seed,
        dynamic_shapes=options.dynamic_shapes,
        input_names=options.input_names,
        output_names=options.output_names,
    )
    metadata.clean(model)
    checks.check_activations(model, training=options.training)
    operators = frozenset(_count_nodes(model))
    is_random = any(part.training for part in module.modules()) or _draws(model)
    return _Built(place(model, options.style, options.ops), operators, is_random)


def _verify(
    module: torch.nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    built: _Built,
    path: Path,
    verify: bool | str,
) -> tuple[str, list[OutputError]]:
    """Compares every runtime with PyTorch; returns the status and the errors that were seen."""
    if not verify:
        return _OFF, []
    outputs, errors = built.model.graph.output, []
    expected = verification.expect(module, args, kwargs)
    with _runnable(built.model, path) as source:
        for accelerated in (False, True):
            if accelerated and (verify == "bodies" or not _count_nodes(built.model)):
                continue
            got = verification.run_model(source, tensors_of(args, kwargs), accelerated=accelerated)
            if built.is_random:
                values = [item.value for item in expected]
                verification.compare_shapes(outputs, values, got, accelerated=accelerated)
            else:
                errors += verification.compare(
                    outputs, expected, got, accelerated=accelerated, operators=built.operators
                )
    return (_RANDOM if built.is_random else _PASSED), errors


@contextlib.contextmanager
def _mode(module: torch.nn.Module, *, training: bool) -> Iterator[None]:
    """Puts a module into evaluation mode unless training is wanted, and back afterwards."""
    flags = [(part, part.training) for part in module.modules()]
    if not training:
        module.eval()
    try:
        yield
    finally:
        for part, flag in flags:
            part.training = flag


@contextlib.contextmanager
def _runnable(model: onnx.ModelProto, path: Path) -> Iterator[Model]:
    """Yields what a session can be made of: the model, or a temporary file where it is large."""
    if weight_bytes(model) < _LARGE:
        yield model
        return
    with tempfile.TemporaryDirectory(prefix=".onnx_acts.", dir=path.parent) as folder:
        staged = Path(folder) / "model.onnx"
        save_model(model, staged)
        yield staged


def _opset(options: Options) -> int:
    return _DEFAULT_OPSET if options.opset is None else options.opset


def _copied(leaf: Any) -> Any:
    return leaf.detach().clone() if isinstance(leaf, torch.Tensor) else leaf


def _draws(model: onnx.ModelProto) -> bool:
    """Whether a node draws its slopes at run time."""
    return any(
        node.domain == DOMAIN and read_attributes(node).get("training_mode")
        for node in walk_nodes(model)
    )


def _count_nodes(model: onnx.ModelProto) -> Mapping[str, int]:
    """The number of `onnx_acts` nodes by operator."""
    names = (node.op_type for node in walk_nodes(model) if node.domain == DOMAIN)
    return dict(sorted(collections.Counter(names).items()))
