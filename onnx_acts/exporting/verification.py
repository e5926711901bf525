"""Comparing ONNX Runtime with PyTorch.

Which difference is allowed is decided in `onnx_acts.comparing`. Integers must be equal. NaN and
infinities must be the same and in the same places.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from onnx_acts.comparing.difference import Difference, difference_of
from onnx_acts.comparing.limits import Limits
from onnx_acts.comparing.tolerance import noise_of, tolerance_of
from onnx_acts.exporting.arguments import tensors_of
from onnx_acts.exporting.eager import run_module
from onnx_acts.exporting.result import OutputError, VerificationError
from onnx_acts.exporting.runtimes import Sessions, array_of, runtime_name
from onnx_acts.files.reading import Model

__all__ = [
    "Expectation",
    "compare",
    "compare_shapes",
    "expect",
    "expect_lazily",
    "is_nothing",
    "run_model",
]

Noise = NDArray[np.float64] | None

_NO_NOISE = np.zeros(())


class Expectation:
    """What PyTorch gives for one output, and the rounding error of each of its elements."""

    def __init__(self, value: torch.Tensor, noise: Noise | Callable[[], Noise]) -> None:
        """Takes a value and its noise, or what tells the noise when it is asked for."""
        self.value, self._noise = value, noise

    @property
    def noise(self) -> Noise:
        """The rounding error; None where it is not known."""
        if callable(self._noise):
            self._noise = self._noise()
        return self._noise


def expect(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[Expectation]:
    """Runs the module in its own element type and in another one, leaving it as it was.

    An RReLU that would draw its slopes has the mean slope instead.

    Raises:
        ValueError: the module cannot run on these arguments.
    """
    return [Expectation(item.value, item.noise) for item in expect_lazily(module, args, kwargs)]


def expect_lazily(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[Expectation]:
    """The same; the other element type's turn comes when the noise of an output is asked for.

    Until then the module and the arguments must stay as they are.
    """
    values = run_module(module, args, kwargs)

    @functools.cache
    def others() -> list[torch.Tensor] | None:
        tensors = (*module.parameters(), *module.buffers(), *tensors_of(args, kwargs))
        is_double = any(tensor.dtype == torch.float64 for tensor in tensors)
        try:
            return run_module(module, args, kwargs, torch.float32 if is_double else torch.float64)
        except ValueError:  # a module with fixed element types cannot run in another: no estimate
            return None

    def noise(i: int) -> Noise:
        found = others()
        return None if found is None else noise_of(array_of(values[i]), array_of(found[i]))

    return [Expectation(value, functools.partial(noise, i)) for i, value in enumerate(values)]


def is_nothing(value: torch.Tensor) -> bool:
    """Whether there is nothing in an output to compare: no element, or none that is a number."""
    return not value.numel() or (value.is_floating_point() and bool(value.isnan().all()))


def run_model(
    model: Model | Sessions, inputs: Sequence[torch.Tensor], *, accelerated: bool
) -> list[torch.Tensor]:
    """Runs a model in ONNX Runtime on the CPU, one tensor for each graph input in order.

    Raises:
        VerificationError: ONNX Runtime cannot load or run it.
    """
    opened = model if isinstance(model, Sessions) else Sessions(model)
    try:
        return opened.run(inputs, accelerated=accelerated)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{error}; or verify='bodies' (--verify bodies) leaves the library out"
        ) from error
    except ImportError:
        raise
    except Exception as error:  # onnxruntime's own exceptions have no common public base
        raise VerificationError(
            f"ONNX Runtime ({runtime_name(accelerated)}) cannot run the exported model: {error};"
            " verify='none' (--verify none) writes it all the same"
        ) from error


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
    name = runtime_name(accelerated)
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
    runtime = runtime_name(accelerated)
    if not len(outputs) == len(expected) == len(got):
        raise VerificationError(
            f"the module gives {len(expected)} tensors, the exported model {len(got)}"
            " (a number that a module returns must be made a tensor)"
        )
    for output, want, have in zip(outputs, expected, got, strict=True):
        if want.shape != have.shape or want.dtype != have.dtype:
            raise VerificationError(
                f"output {output.name!r} ({runtime}) is {have.dtype} {tuple(have.shape)},"
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
        allowed = limits.allowed(want)
        found = difference_of(want, have, allowed)
    else:
        allowed, found = _judged(want, have, expected, operators)
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


def _judged(
    want: NDArray[Any], have: NDArray[Any], expected: Expectation, operators: Collection[str]
) -> tuple[NDArray[np.float64], Difference]:
    """Our own tolerance, and the difference: first without noise, then with it where that fails.

    No noise makes the tolerance narrower than none does, so what passes without passes with it.
    The run that tells the noise takes several times as long as the module's own.
    """
    allowed = tolerance_of(want, _NO_NOISE, operators)
    found = difference_of(want, have, allowed)
    if not found.same:
        allowed = tolerance_of(want, expected.noise, operators)
        found = difference_of(want, have, allowed)
    return allowed, found
