"""Comparing ONNX Runtime with PyTorch.

Which difference is allowed is decided in `onnx_acts.comparing`. Integers must be equal. NaN and
infinities must be the same and in the same places.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from onnx_acts.comparing.difference import difference_of, user_tolerance
from onnx_acts.comparing.tolerance import noise_of, tolerance_of
from onnx_acts.exporting.arguments import tensors_of
from onnx_acts.exporting.eager import run_module
from onnx_acts.exporting.result import OutputError, VerificationError
from onnx_acts.files.reading import Model
from onnx_acts.ort import sessions
from onnx_acts.ort.values import from_ort, to_ort

__all__ = [
    "Expectation",
    "Limits",
    "array_of",
    "compare",
    "compare_shapes",
    "expect",
    "open_session",
    "run_model",
    "run_session",
]


@dataclasses.dataclass(frozen=True)
class Limits:
    """The caller's own tolerance, which replaces ours: atol + rtol * |want|.

    Attributes:
        atol: the absolute part; 0 where only the other is given.
        rtol: the relative part, likewise. Where both are None, the tolerance is ours.
    """

    atol: float | None = None
    rtol: float | None = None

    def __bool__(self) -> bool:
        """Whether one is given."""
        return self.atol is not None or self.rtol is not None

    def __str__(self) -> str:
        """As the record of a verification has it."""
        return f"atol {self.atol or 0.0:g}, rtol {self.rtol or 0.0:g}"


@dataclasses.dataclass(frozen=True)
class Expectation:
    """What PyTorch gives for one output, and the rounding error of each of its elements.

    The error is None where it is not known.
    """

    value: torch.Tensor
    noise: NDArray[np.float64] | None


def expect(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[Expectation]:
    """Runs the module in its own element type and in another one, leaving it as it was.

    An RReLU that would draw its slopes has the mean slope instead.

    Raises:
        ValueError: the module cannot run on these arguments.
    """
    values = run_module(module, args, kwargs)
    tensors = (*module.parameters(), *module.buffers(), *tensors_of(args, kwargs))
    is_double = any(tensor.dtype == torch.float64 for tensor in tensors)
    other_type = torch.float32 if is_double else torch.float64
    try:
        others = run_module(module, args, kwargs, other_type)
    except ValueError:  # a module with fixed element types cannot run in another: no estimate
        return [Expectation(value, None) for value in values]
    return [
        Expectation(a, noise_of(array_of(a), array_of(b)))
        for a, b in zip(values, others, strict=True)
    ]


def run_model(
    model: Model, inputs: Sequence[torch.Tensor], *, accelerated: bool
) -> list[torch.Tensor]:
    """Runs a model in ONNX Runtime on the CPU, one tensor for each graph input in order.

    Raises:
        VerificationError: ONNX Runtime cannot load or run it.
    """
    try:
        return run_session(open_session(model, accelerated=accelerated), inputs)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{error}; or verify='bodies' (--verify bodies) leaves the library out"
        ) from error
    except ImportError:
        raise
    except Exception as error:  # onnxruntime's own exceptions have no common public base
        raise VerificationError(
            f"ONNX Runtime ({_runtime_name(accelerated)}) cannot run the exported model: {error};"
            " verify='none' (--verify none) writes it all the same"
        ) from error


def open_session(model: Model, *, accelerated: bool) -> onnxruntime.InferenceSession:
    """Makes a session that prints nothing: its exceptions say the same."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return sessions.session(model, session_options=options, accelerated=accelerated)


def run_session(
    session: onnxruntime.InferenceSession, inputs: Sequence[torch.Tensor]
) -> list[torch.Tensor]:
    """Runs a session, with ONNX Runtime's own exceptions."""
    names = [item.name for item in session.get_inputs()]
    feeds = dict(zip(names, map(_value, inputs), strict=True))
    return [_tensor(value) for value in session.run_with_ort_values(None, feeds)]


def compare(
    outputs: Sequence[onnx.ValueInfoProto],
    expected: Sequence[Expectation],
    got: Sequence[torch.Tensor],
    *,
    accelerated: bool,
    operators: Collection[str],
    limits: Limits | None = None,
) -> list[OutputError]:
    """Compares every output of one runtime with PyTorch.

    Args:
        outputs: the graph's outputs.
        expected: see `expect`.
        got: see `run_model`.
        accelerated: which runtime `got` comes from.
        operators: the activations in the model, whose promises widen the tolerance.
        limits: the caller's own tolerance.

    Raises:
        VerificationError: an output differs; names the worst element.
    """
    compare_shapes(outputs, [item.value for item in expected], got, accelerated=accelerated)
    name = _runtime_name(accelerated)
    return [
        _compare_one(output.name, name, item, tensor, operators, limits or Limits())
        for output, item, tensor in zip(outputs, expected, got, strict=True)
    ]


def compare_shapes(
    outputs: Sequence[onnx.ValueInfoProto],
    expected: Sequence[torch.Tensor],
    got: Sequence[torch.Tensor],
    *,
    accelerated: bool,
) -> None:
    """Requires the same number of outputs, of the same shapes and element types."""
    runtime_name = _runtime_name(accelerated)
    if not len(outputs) == len(expected) == len(got):
        raise VerificationError(
            f"the module gives {len(expected)} tensors, the exported model {len(got)}"
            " (a number that a module returns must be made a tensor)"
        )
    for output, want, have in zip(outputs, expected, got, strict=True):
        if want.shape != have.shape or want.dtype != have.dtype:
            raise VerificationError(
                f"output {output.name!r} ({runtime_name}) is {have.dtype} {tuple(have.shape)},"
                f" PyTorch gives {want.dtype} {tuple(want.shape)}"
            )


def _compare_one(
    output: str,
    runtime_name: str,
    expected: Expectation,
    got: torch.Tensor,
    operators: Collection[str],
    limits: Limits,
) -> OutputError:
    want, have = array_of(expected.value), array_of(got)
    if not want.size:
        return OutputError(output, runtime_name, 0.0, 0.0, 0.0, 0.0)
    if limits:
        allowed = user_tolerance(want, limits.atol or 0.0, limits.rtol or 0.0)
    else:
        allowed = tolerance_of(want, expected.noise, operators)
    found = difference_of(want, have, allowed)
    if not found.same:
        assert found.where is not None  # the shapes fit
        raise VerificationError(
            f"output {output!r} ({runtime_name}) differs from PyTorch: at {list(found.where)} got"
            f" {have[found.where].item()!r}, want {want[found.where].item()!r}:"
            f" {found.distance:.3g} ({found.ulp:.3g} ULP), allowed {found.allowed:.3g};"
            " nothing was written"
        )
    return OutputError(
        output,
        runtime_name,
        max_abs=found.max_abs,
        max_ulp=found.max_ulp,
        tolerance=float(allowed.max()),
        share=found.share,
    )


def array_of(tensor: torch.Tensor) -> NDArray[Any]:
    """The values of a tensor in its own element type, as NumPy and ml_dtypes have it."""
    dense = tensor.detach().cpu().contiguous()
    if dense.dtype == torch.bfloat16:
        return dense.view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
    return dense.numpy()


def _value(tensor: torch.Tensor) -> onnxruntime.OrtValue:
    return to_ort(array_of(tensor))


def _tensor(value: onnxruntime.OrtValue) -> torch.Tensor:
    array = from_ort(value)
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.uint16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def _runtime_name(accelerated: bool) -> str:
    return "library" if accelerated else "bodies"
