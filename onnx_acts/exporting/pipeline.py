"""The steps of an export: check, capture, check again, place, verify, describe, write."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from torch.utils import _pytree as pytree

from onnx_acts.embed import default_opset
from onnx_acts.exporting import checks, metadata, verification
from onnx_acts.exporting.capture import capture
from onnx_acts.exporting.dynamic import tensors_of
from onnx_acts.exporting.options import Options
from onnx_acts.exporting.placement import place
from onnx_acts.exporting.result import ExportResult, OutputError
from onnx_acts.files import Model, check_target, save_model
from onnx_acts.nodes import attribute_proto, read_attributes
from onnx_acts.specs import DOMAIN, spec_of
from onnx_acts.structure import walk_nodes
from onnx_acts.weights import weight_bytes

__all__ = ["run"]

_LARGE = 2**30
"""Bytes of weights from which a model is verified as a file: a protobuf message ends at 2 GiB."""

_PASSED = "passed"
_OFF = "not verified: verify=False"
_RANDOM = "passed with mean slopes; of the random slopes (training mode), shapes only"
_EMPTY = "nothing compared: every output is empty"

_LOCK = threading.Lock()
"""torch's exporter, its modes and the levels of its loggers are the process's: one at a time."""


@dataclasses.dataclass(frozen=True)
class _Built:
    """A finished model and what its verification needs.

    Attributes:
        model: what is written.
        compared: what is compared: `model`, or the same with mean slopes where `model` draws them.
        operators: the activations that the module has.
    """

    model: onnx.ModelProto
    compared: onnx.ModelProto
    operators: frozenset[str]


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
    with _LOCK, _mode(module, training=options.training):
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
    checks.check_opset(options.target_opset)
    if options.verify not in (True, False, "bodies"):
        raise ValueError(f"verify must be True, False or 'bodies', got {options.verify!r}")
    if options.seed < 0:
        raise ValueError(f"seed must be 0 or greater, got {options.seed}")
    check_target(path)
    checks.check_module(module, training=options.training)
    inputs = {f"input {i}": tensor for i, tensor in enumerate(tensors_of(args, kwargs))}
    checks.check_tensors({**inputs, **module.state_dict(keep_vars=True)})


def _build(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
) -> _Built:
    """Makes the finished model in memory."""
    own_args, own_kwargs = pytree.tree_map(_copied, (args, kwargs))
    model = capture(module, own_args, own_kwargs, options)
    metadata.clean(model)
    checks.check_activations(model, training=options.training)
    operators = frozenset(_count_nodes(model))
    mean = _with_mean_slopes(model)
    if options.training and mean is None:
        raise ValueError(
            "training=True (--training), but nothing draws: no RReLU module of the module is used"
            " in training mode"
        )
    built = place(model, options.style, options.ops)
    metadata.lower_ir_version(built)
    compared = built if mean is None else place(mean, options.style, options.ops)
    return _Built(built, compared, operators)


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
    expected = verification.expect(module, args, kwargs)
    inputs, outputs = tensors_of(args, kwargs), built.model.graph.output
    runtimes = _runtimes(built.model, verify)
    errors: list[OutputError] = []
    with _runnable(built.compared, path) as source:
        for accelerated in runtimes:
            got = verification.run_model(source, inputs, accelerated=accelerated)
            errors += verification.compare(
                outputs, expected, got, accelerated=accelerated, operators=built.operators
            )
    values = [item.value for item in expected]
    if not any(value.numel() for value in values):
        return _EMPTY, errors
    if built.compared is built.model:
        return _PASSED, errors
    with _runnable(built.model, path) as source:
        for accelerated in runtimes:
            got = verification.run_model(source, inputs, accelerated=accelerated)
            verification.compare_shapes(outputs, values, got, accelerated=accelerated)
    return _RANDOM, errors


def _runtimes(model: onnx.ModelProto, verify: bool | str) -> list[bool]:
    """Function bodies first, then the library where it is wanted and has a node to run."""
    return [False] if verify == "bodies" or not _count_nodes(model) else [False, True]


@contextlib.contextmanager
def _mode(module: torch.nn.Module, *, training: bool) -> Iterator[None]:
    """Puts a module into evaluation mode, but for RReLU where wanted, and back afterwards."""
    flags = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        for part, flag in flags:
            if isinstance(part, torch.nn.RReLU):
                part.train(training and flag)
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


def _copied(leaf: Any) -> Any:
    return leaf.detach().clone() if isinstance(leaf, torch.Tensor) else leaf


def _with_mean_slopes(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """A copy in which no node draws its slopes at run time; None where none does already."""
    if not any(map(_draws, walk_nodes(model))):
        return None
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for node in filter(_draws, walk_nodes(copy)):
        values = {**read_attributes(node), "training_mode": 0}
        del node.attribute[:]
        node.attribute.extend(
            attribute_proto(item, values[item.name]) for item in spec_of(node.op_type).attributes
        )
    return copy


def _draws(node: onnx.NodeProto) -> bool:
    return node.domain == DOMAIN and bool(read_attributes(node).get("training_mode"))


def _count_nodes(model: onnx.ModelProto) -> Mapping[str, int]:
    """The number of `onnx_acts` nodes by operator."""
    names = (node.op_type for node in walk_nodes(model) if node.domain == DOMAIN)
    return dict(sorted(collections.Counter(names).items()))
