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

from onnx_acts.definition.nodes import attribute_proto, read_attributes
from onnx_acts.definition.specs import DOMAIN, spec_of
from onnx_acts.exporting import batch_trial, checks, metadata, verification
from onnx_acts.exporting.arguments import Call, bound_arguments, settled, tensors_of
from onnx_acts.exporting.capture import capture
from onnx_acts.exporting.dynamic import Limit
from onnx_acts.exporting.eager import run_module
from onnx_acts.exporting.options import Options, Verify
from onnx_acts.exporting.ranges import Dimension
from onnx_acts.exporting.result import ExportResult, OutputError, VerificationError
from onnx_acts.exporting.states import check_state, check_there
from onnx_acts.exporting.styles import apply_style
from onnx_acts.exporting.subjects import Subject, check_program, subject_of
from onnx_acts.files.embedding import default_opset
from onnx_acts.files.reading import Model
from onnx_acts.files.saving import save_model
from onnx_acts.files.structure import walk_nodes
from onnx_acts.files.weights import weight_bytes
from onnx_acts.files.writing import check_target
from onnx_acts.graph.fusing import fuse_prelus

__all__ = ["run"]

_LARGE = 2**30
"""Bytes of weights from which a model is verified as a file: a protobuf message ends at 2 GiB."""

_PASSED = "passed"
_OFF = "not verified: not asked for"
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
        limits: the batch dimensions that may be free in part only.
        dimensions: the dynamic dimensions that the caller has asked for.
        fused: see `ExportResult`.
    """

    model: onnx.ModelProto
    compared: onnx.ModelProto
    operators: frozenset[str]
    limits: list[Limit]
    dimensions: list[Dimension]
    fused: Mapping[str, int]


def run(
    given: object,
    args: Any,
    kwargs: dict[str, Any],
    path: str | os.PathLike[str],
    options: Options,
) -> ExportResult:
    """Does what `onnx_acts.export` says."""
    _check_options(path, options)
    subject = subject_of(given)
    args, kwargs = _arguments(subject, args, kwargs)
    module = subject.module
    _check(subject, args, kwargs, options)
    with _LOCK, torch.random.fork_rng(devices=[]), _mode(module, training=options.training):
        options.tell("running the module in PyTorch")
        expected = [] if options.verify == "none" else _early(module, args, kwargs)
        options.tell("capturing it")
        built = _build(subject, args, kwargs, options)
        if expected is None:
            expected = verification.expect(module, args, kwargs)
        options.tell("comparing ONNX Runtime with PyTorch")
        status, errors, sizes = _verify(
            (module, args, kwargs), expected, built, Path(path), options
        )
    options.tell("writing the file")
    record = metadata.verification_record(status, errors, sizes)
    metadata.describe(built.model, style=options.style, ops=options.ops, verification=record)
    save_model(built.model, path)
    return ExportResult(
        path=Path(path),
        style=options.style,
        opset=default_opset(built.model),
        node_counts=_count_nodes(built.model),
        fused=built.fused,
        verification=status,
        errors=tuple(errors),
        sizes=sizes,
    )


def _arguments(subject: Subject, args: Any, kwargs: dict[str, Any]) -> Call:
    """The caller's arguments, or, where there are none, those that a program was captured with.

    A program has its inputs in the order that its own arguments had.
    """
    if subject.program is not None and not kwargs and isinstance(args, tuple | None) and not args:
        examples: tuple[Any, ...] = subject.program.example_inputs or ((), {})
        args, kwargs = examples[0], dict(examples[1])
    call = settled(subject.module, args, kwargs)
    if subject.program is not None and (spec := subject.program.call_spec.in_spec) is not None:
        with contextlib.suppress(ValueError):  # of another structure: the module refuses it
            call = pytree.tree_unflatten(spec.flatten_up_to(call), spec)
    return call


def _early(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[verification.Expectation] | None:
    """What PyTorch gives; None where it cannot run, since the capture may know better why.

    This comes before the capture: a module that keeps tensors from its first run, in a cache say,
    must not keep those without values that torch captures with.
    """
    try:
        return verification.expect(module, args, kwargs)
    except ValueError:
        return None


def _check_options(path: str | os.PathLike[str], options: Options) -> None:
    """Refuses options and places before anything else is looked at."""
    checks.check_style(options.style, options.ops)
    checks.check_opset(options.target_opset)
    if options.seed < 0:
        raise ValueError(f"seed must be 0 or greater, got {options.seed}")
    check_target(path)


def _check(
    subject: Subject, args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
) -> None:
    """Refuses what can be refused before the work begins."""
    module = subject.module
    check_state(module)
    checks.check_module(module, training=options.training)
    if subject.program is not None:
        check_program(subject.program, options.dynamic_shapes, training=options.training)
    inputs = {f"input {i}": tensor for i, tensor in enumerate(tensors_of(args, kwargs))}
    check_there(inputs)
    bound_arguments(module, args, kwargs)
    checks.check_tensors({**inputs, **module.state_dict(keep_vars=True)})


def _build(
    subject: Subject, args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
) -> _Built:
    """Makes the finished model in memory."""
    own_args, own_kwargs = pytree.tree_map(_copied, (args, kwargs))
    captured = capture(subject, own_args, own_kwargs, options)
    model = captured.model
    if not model.graph.output:
        raise ValueError("the module's forward returns no tensor")
    metadata.clean(model)
    checks.check_activations(model, training=options.training)
    operators = frozenset(_count_nodes(model))
    asks_for_both = options.style == "acts" and {"PReLU", "LeakyReLU"} <= set(options.ops)
    fused = {} if asks_for_both else fuse_prelus(model)
    mean = _with_mean_slopes(model)
    if options.training and mean is None:
        raise ValueError(
            "training=True (--training), but nothing draws: no RReLU module of the module is used"
            " in training mode"
        )
    built = apply_style(model, options.style, options.ops)
    metadata.lower_ir_version(built)
    compared = built if mean is None else apply_style(mean, options.style, options.ops)
    return _Built(built, compared, operators, captured.limits, captured.dimensions, fused)


def _verify(
    call: tuple[torch.nn.Module, tuple[Any, ...], dict[str, Any]],
    expected: list[verification.Expectation],
    built: _Built,
    path: Path,
    options: Options,
) -> tuple[str, list[OutputError], dict[str, tuple[int, ...]]]:
    """Compares every runtime with PyTorch; returns the status, the errors and the sizes tried."""
    if options.verify == "none":
        for limit in built.limits:
            batch_trial.tell_range(limit)
        return _OFF, [], {}
    inputs, outputs = tensors_of(call[1:]), built.model.graph.output
    runtimes = _runtimes(built.model, options.verify)
    limits = verification.Limits(options.atol, options.rtol)
    errors: list[OutputError] = []
    with _runnable(built.compared, path) as source:
        for accelerated in runtimes:
            got = verification.run_model(source, inputs, accelerated=accelerated)
            try:
                errors += verification.compare(
                    outputs,
                    expected,
                    got,
                    accelerated=accelerated,
                    operators=built.operators,
                    limits=limits,
                )
            except VerificationError as error:
                raise _if_random(error, call) from error
        sizes = batch_trial.try_limits(built.limits, source, outputs, call, built.operators)
        sizes |= batch_trial.try_dimensions(
            built.dimensions, source, outputs, call, built.operators, limits
        )
    values = [item.value for item in expected]
    if not any(value.numel() for value in values):
        return _EMPTY, errors, sizes
    passed = f"{_PASSED} ({limits})" if limits else _PASSED
    if built.compared is built.model:
        return passed, errors, sizes
    with _runnable(built.model, path) as source:
        for accelerated in runtimes:
            got = verification.run_model(source, inputs, accelerated=accelerated)
            verification.compare_shapes(outputs, values, got, accelerated=accelerated)
    return _RANDOM, errors, sizes


def _if_random(
    error: VerificationError, call: tuple[torch.nn.Module, tuple[Any, ...], dict[str, Any]]
) -> VerificationError:
    """The same error, or a plainer one where the module itself differs from run to run."""
    first, second = run_module(*call), run_module(*call)
    if all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(first, second, strict=True)):
        return error
    return VerificationError(
        "the module gives other values each time that it runs, so nothing can be compared: it draws"
        " random numbers, as dropout in training mode does; verify='none' (--verify none) writes it"
    )


def _runtimes(model: onnx.ModelProto, verify: Verify) -> list[bool]:
    """Function bodies first, then the library where it is wanted and has a node to run."""
    return [False] if verify == "bodies" or not _count_nodes(model) else [False, True]


@contextlib.contextmanager
def _mode(module: torch.nn.Module, *, training: bool) -> Iterator[None]:
    """Puts a module into evaluation mode, but for RReLU where wanted, and back afterwards."""
    flags = [(part, part.training) for part in module.modules()]
    try:
        with contextlib.suppress(NotImplementedError):  # of modules of exported programs
            module.eval()
        for part, flag in flags:
            part.training = training and flag and isinstance(part, torch.nn.RReLU)
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
