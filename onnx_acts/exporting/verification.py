"""Comparing ONNX Runtime with PyTorch.

Rounding accumulates in a network, in each runtime in its own way, so a fixed tolerance is either
too wide for a small module or too narrow for a deep one. The allowed difference for an output is

    8 * noise + promise * eps * scale

where eps is the distance from 1 to the next number of the output's element type, scale the largest
finite magnitude in the output, and promise the largest error, in units in the last place, that the
function bodies of the model's operators may have (`specs.py`). noise is what PyTorch's own rounding
does to this output: the difference between the module run in its element type and in float64 (for
float64 modules: in float32, scaled to float64), kept between eps * scale and 64 * eps * scale.
Integers must be equal. NaN and infinities must be the same and in the same places.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch.utils import _pytree as pytree

from onnx_acts import runtime
from onnx_acts.exporting.dynamic import tensors_of
from onnx_acts.exporting.result import OutputError, VerificationError
from onnx_acts.files import Model
from onnx_acts.specs import spec_of

__all__ = ["Expectation", "compare", "compare_shapes", "expect", "run_model"]

_NOISE_FACTOR = 8
_NOISE_LIMIT = 64
_UNKNOWN_NOISE = 8
_NUMPY_TYPES: dict[torch.dtype, Any] = {
    torch.float16: np.float16,
    torch.bfloat16: ml_dtypes.bfloat16,
    torch.float32: np.float32,
    torch.float64: np.float64,
}


@dataclasses.dataclass(frozen=True)
class Expectation:
    """What PyTorch gives for one output, and its rounding noise (None where it is not known)."""

    value: torch.Tensor
    noise: float | None


def expect(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[Expectation]:
    """Runs the module in its own element type and in another one, leaving it as it was.

    Raises:
        ValueError: the module cannot run on these arguments.
    """
    try:
        values = _run_module(module, args, kwargs, None)
    except Exception as error:  # a module may raise anything
        raise ValueError(
            f"the module cannot run on these args: {type(error).__name__}: {error}"
        ) from error
    tensors = (*module.parameters(), *module.buffers(), *tensors_of(args, kwargs))
    is_double = any(tensor.dtype == torch.float64 for tensor in tensors)
    other_type = torch.float32 if is_double else torch.float64
    try:
        others = _run_module(module, args, kwargs, other_type)
    except Exception:  # a module with fixed element types cannot run in another: no estimate
        return [Expectation(value, None) for value in values]
    return [Expectation(a, _noise(a, b)) for a, b in zip(values, others, strict=True)]


def run_model(
    model: Model, inputs: Sequence[torch.Tensor], *, accelerated: bool
) -> list[torch.Tensor]:
    """Runs a model in ONNX Runtime on the CPU, one tensor for each graph input in order.

    Raises:
        VerificationError: ONNX Runtime cannot load or run it.
    """
    name = _runtime_name(accelerated)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = runtime.session(model, session_options=options, accelerated=accelerated)
        names = [item.name for item in session.get_inputs()]
        feeds = dict(zip(names, map(_to_ort, inputs), strict=True))
        results = session.run_with_ort_values(None, feeds)
        return [_from_ort(value) for value in results]
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{error}; or verify='bodies' (--verify bodies) leaves the library out"
        ) from error
    except Exception as error:  # onnxruntime's own exceptions have no common public base
        raise VerificationError(
            f"ONNX Runtime ({name}) cannot run the exported model: {error};"
            " verify=False (--verify none) writes it all the same"
        ) from error


def compare(
    outputs: Sequence[onnx.ValueInfoProto],
    expected: Sequence[Expectation],
    got: Sequence[torch.Tensor],
    *,
    accelerated: bool,
    operators: Collection[str],
) -> list[OutputError]:
    """Compares every output of one runtime with PyTorch.

    Args:
        outputs: the graph's outputs.
        expected: see `expect`.
        got: see `run_model`.
        accelerated: which runtime `got` comes from.
        operators: the activations in the model, whose promises widen the tolerance.

    Raises:
        VerificationError: an output differs; names the worst element.
    """
    compare_shapes(outputs, [item.value for item in expected], got, accelerated=accelerated)
    name = _runtime_name(accelerated)
    return [
        _compare_one(output.name, name, item, tensor, operators)
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
    operators: Iterable[str],
) -> OutputError:
    want = expected.value
    difference = _difference(want, got)
    if not difference.size:
        return OutputError(output, runtime_name, 0.0, 0.0, 0.0)
    ulp = difference / _spacing(want)
    tolerance = _tolerance(expected, operators)
    record = OutputError(output, runtime_name, float(difference.max()), float(ulp.max()), tolerance)
    if record.max_abs > tolerance:
        worst = tuple(map(int, np.unravel_index(int(difference.argmax()), difference.shape)))
        raise VerificationError(
            f"output {output!r} ({runtime_name}) differs from PyTorch: at {list(worst)} got"
            f" {got[worst].item()!r}, want {want[worst].item()!r}; largest difference"
            f" {record.max_abs:.3g} ({record.max_ulp:.3g} ULP), allowed {tolerance:.3g};"
            " nothing was written"
        )
    return record


def _run_module(
    module: torch.nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    dtype: torch.dtype | None,
) -> list[torch.Tensor]:
    """Runs a module on copies of its state and arguments, all floating tensors as `dtype`."""

    def copied(leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor):
            return leaf
        change = dtype is not None and leaf.is_floating_point()
        return leaf.detach().to(dtype if change else leaf.dtype, copy=True)

    state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    with torch.no_grad():
        result = torch.func.functional_call(
            module,
            {name: copied(tensor) for name, tensor in state.items()},
            pytree.tree_map(copied, args),
            pytree.tree_map(copied, kwargs),
        )
    return [tensor.detach().cpu() for tensor in tensors_of(result)]


def _noise(value: torch.Tensor, other: torch.Tensor) -> float | None:
    """PyTorch's rounding error in `value`, estimated from a run in another element type."""
    if not (value.is_floating_point() and other.is_floating_point() and value.numel()):
        return None
    difference = (value.double() - other.double()).abs()
    finite = difference[torch.isfinite(difference)]
    ratio = min(1.0, torch.finfo(value.dtype).eps / torch.finfo(other.dtype).eps)
    return float(finite.max()) * ratio if finite.numel() else None


def _tolerance(expected: Expectation, operators: Iterable[str]) -> float:
    value = expected.value
    if not value.is_floating_point():
        return 0.0
    finite = value[torch.isfinite(value)].double().abs()
    scale = max(float(finite.max()) if finite.numel() else 0.0, torch.finfo(value.dtype).tiny)
    unit = torch.finfo(value.dtype).eps * scale
    dtype = str(value.dtype).removeprefix("torch.")
    promise = max((spec_of(name).promise.body[dtype] for name in operators), default=0.0)
    noise = _UNKNOWN_NOISE * unit if expected.noise is None else expected.noise
    return _NOISE_FACTOR * min(max(noise, unit), _NOISE_LIMIT * unit) + promise * unit


def _difference(want: torch.Tensor, got: torch.Tensor) -> NDArray[np.float64]:
    """The absolute differences; infinite where NaN or an infinity stands on one side only."""
    a, b = _as_double(want), _as_double(got)
    with np.errstate(invalid="ignore"):
        difference = np.abs(a - b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isnan(difference), math.inf, difference))


def _spacing(want: torch.Tensor) -> NDArray[np.float64]:
    """One unit in the last place of each element; 1 for integers and what is not finite."""
    if want.dtype not in _NUMPY_TYPES:
        return np.ones(want.shape)
    typed = np.abs(_as_double(want)).astype(_NUMPY_TYPES[want.dtype])
    with np.errstate(invalid="ignore"):
        spacing = np.spacing(typed).astype(np.float64)
    return np.where(np.isfinite(spacing), spacing, 1.0)


def _as_double(tensor: torch.Tensor) -> NDArray[np.float64]:
    return tensor.detach().to(torch.float64).numpy()


def _to_ort(tensor: torch.Tensor) -> onnxruntime.OrtValue:
    """Makes an ONNX Runtime value; NumPy has no bfloat16, so its bits are handed over."""
    dense = tensor.detach().cpu().contiguous()
    if dense.dtype == torch.bfloat16:
        return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(
            dense.view(torch.uint16).numpy(), onnx.TensorProto.BFLOAT16
        )
    return onnxruntime.OrtValue.ortvalue_from_numpy(dense.numpy())


def _from_ort(value: onnxruntime.OrtValue) -> torch.Tensor:
    if value.element_type() == onnx.TensorProto.BFLOAT16:
        return torch.utils.dlpack.from_dlpack(value).clone()
    return torch.from_numpy(np.array(value.numpy()))


def _runtime_name(accelerated: bool) -> str:
    return "library" if accelerated else "bodies"
