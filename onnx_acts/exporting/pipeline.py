"""The steps of an export: check, capture, check again, place, verify, describe, write."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
import torch

from onnx_acts.comparing.limits import Limits
from onnx_acts.exporting import batch_trial, metadata, verification
from onnx_acts.exporting.arguments import tensors_of
from onnx_acts.exporting.building import Built, build, count_nodes
from onnx_acts.exporting.card import source_facts, write_card
from onnx_acts.exporting.eager import run_module
from onnx_acts.exporting.io_types import with_float32_io
from onnx_acts.exporting.options import Options, Verify
from onnx_acts.exporting.preflight import call_of, check_options, checked
from onnx_acts.exporting.result import ExportResult, OutputError, VerificationError
from onnx_acts.exporting.runtimes import Sessions
from onnx_acts.exporting.storing import save
from onnx_acts.exporting.subjects import subject_of
from onnx_acts.files.embedding import default_opset
from onnx_acts.files.weights import weight_bytes
from onnx_acts.ort.shared_weights import write_shared

__all__ = ["run"]

_HEAVY = 2**24
"""Bytes of weights from which a model is verified as a file, whose weights sessions share."""

_LARGE = 2**30
"""Bytes of weights from which that file is on a disk, not in memory."""

_MEMORY = Path("/dev/shm")
"""A file system in memory, where there is one: writing to it takes a fraction of the time."""

_PASSED = "passed"
_OFF = "not verified: not asked for"
_RANDOM = "passed with mean slopes; of the random slopes (training mode), shapes only"
_EMPTY = "nothing compared: every output is empty or NaN"
_NOTHING_IN = "output {!r}: nothing was compared, it is empty or NaN: give other example inputs"

_NOTHING_SHORT = (
    "keep_io_types (--keep-io-types) changes nothing: no input or output has 16 bits"
    " (dtype='float16', --dtype float16, makes them so)"
)

_LOCK = threading.Lock()
"""torch's exporter, its modes and the levels of its loggers are the process's: one at a time."""


def run(
    given: object,
    args: Any,
    kwargs: dict[str, Any],
    path: str | os.PathLike[str],
    options: Options,
) -> ExportResult:
    """Does what `onnx_acts.export` says."""
    check_options(path, options)
    subject = subject_of(given)
    source = source_facts(given, subject, options) if options.card else {}
    subject, (args, kwargs) = call_of(subject, args, kwargs, options.dtype)
    module = subject.module
    options = checked(subject, args, kwargs, options)
    with _LOCK, torch.random.fork_rng(devices=[]), _mode(module, training=options.training):
        options.tell("running the module in PyTorch")
        expected = [] if options.verify == "none" else _early(module, args, kwargs)
        options.tell("capturing it")
        built = build(subject, args, kwargs, options)
        if expected is None:
            expected = verification.expect_lazily(module, args, kwargs)
        options.tell("comparing ONNX Runtime with PyTorch")
        status, errors, sizes = _verify(
            (module, args, kwargs), expected, built, Path(path), options
        )
        if options.keep_io_types and errors:
            inputs = tensors_of(args, kwargs)
            errors = _verify_wide(inputs, expected, built, Path(path), options)
    model = with_float32_io(built.model) if options.keep_io_types else built.model
    if options.keep_io_types and model is built.model:
        warnings.warn(_NOTHING_SHORT, stacklevel=3)
    options.tell("writing the file")
    record = metadata.verification_record(status, errors, sizes)
    metadata.describe(
        model,
        style=options.style,
        ops=options.ops,
        verification=record,
        user=options.metadata or {},
    )
    save(model, path, options.external_data)
    cards = write_card(Path(path), source, record, built.fused, options) if options.card else ()
    return ExportResult(
        path=Path(path),
        style=options.style,
        opset=default_opset(model),
        node_counts=count_nodes(model),
        fused=built.fused,
        verification=status,
        errors=tuple(errors),
        sizes=sizes,
        cards=cards,
    )


def _early(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[verification.Expectation] | None:
    """What PyTorch gives; None where it cannot run, since the capture may know better why.

    This comes before the capture: a module that keeps tensors from its first run, in a cache say,
    must not keep those without values that torch captures with.
    """
    try:
        return verification.expect_lazily(module, args, kwargs)
    except ValueError:
        return None


def _verify(
    call: tuple[torch.nn.Module, tuple[Any, ...], dict[str, Any]],
    expected: list[verification.Expectation],
    built: Built,
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
    limits = Limits(options.atol, options.rtol)
    errors: list[OutputError] = []
    with _runnable(built.compared, path) as opened:
        for accelerated in runtimes:
            got = verification.run_model(opened, inputs, accelerated=accelerated)
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
        sizes = batch_trial.try_limits(built.limits, opened, outputs, call, built.operators, limits)
        sizes |= batch_trial.try_dimensions(
            built.dimensions, opened, outputs, call, built.operators, limits
        )
    values = [item.value for item in expected]
    nothing = [verification.is_nothing(value) for value in values]
    if all(nothing):
        return _EMPTY, errors, sizes
    for output, is_nothing in zip(outputs, nothing, strict=True):
        if is_nothing:
            warnings.warn(_NOTHING_IN.format(output.name), stacklevel=4)
    passed = f"{_PASSED} ({limits})" if limits else _PASSED
    if built.compared is built.model:
        return passed, errors, sizes
    with _runnable(built.model, path) as opened:
        for accelerated in runtimes:
            got = verification.run_model(opened, inputs, accelerated=accelerated)
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


def _verify_wide(
    inputs: Sequence[torch.Tensor],
    expected: list[verification.Expectation],
    built: Built,
    path: Path,
    options: Options,
) -> list[OutputError]:
    """Compares the model with inputs and outputs of float32, on the values of its 16-bit inputs.

    Its outputs are rounded to 16 bits first: ONNX Runtime leaves out a rounding between two casts.
    """
    outputs, given = built.model.graph.output, [_wide(tensor) for tensor in inputs]
    errors: list[OutputError] = []
    with _runnable(with_float32_io(built.compared), path) as opened:
        for accelerated in _runtimes(built.model, options.verify):
            got = verification.run_model(opened, given, accelerated=accelerated)
            rounded = [have.to(want.value.dtype) for want, have in zip(expected, got, strict=True)]
            errors += verification.compare(
                outputs,
                expected,
                rounded,
                accelerated=accelerated,
                operators=built.operators,
                limits=Limits(options.atol, options.rtol),
            )
    return errors


def _wide(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def _runtimes(model: onnx.ModelProto, verify: Verify) -> list[bool]:
    """Function bodies first, then the library where it is wanted and has a node to run."""
    return [False] if verify == "bodies" or not count_nodes(model) else [False, True]


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
def _runnable(model: onnx.ModelProto, path: Path) -> Iterator[Sessions]:
    """Yields sessions on the model, or on temporary files where it is heavy."""
    size = weight_bytes(model)
    if size < _HEAVY:
        yield Sessions(model)
        return
    with contextlib.ExitStack() as held:
        yield Sessions(_shared(model, size, path.parent, held))


def _shared(model: onnx.ModelProto, size: int, folder: Path, held: contextlib.ExitStack) -> Path:
    """Writes the model to memory, or to a folder where that has no room; `held` takes it away."""
    is_small = size < _LARGE and os.access(_MEMORY, os.W_OK)
    if is_small and shutil.disk_usage(_MEMORY).free > 2 * size:
        with contextlib.suppress(OSError):  # others may fill it meanwhile
            return _write(model, _MEMORY, held)
    return _write(model, folder, held)


def _write(model: onnx.ModelProto, place: Path, held: contextlib.ExitStack) -> Path:
    with contextlib.ExitStack() as failed:
        name = tempfile.TemporaryDirectory(prefix=".onnx_acts.", dir=place)
        path = write_shared(model, Path(failed.enter_context(name)))
        held.push(failed.pop_all())
    return path
