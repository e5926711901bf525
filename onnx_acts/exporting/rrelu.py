"""PyTorch's functions of RReLU, with something else in their place while a module runs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from onnx_acts.definition.specs import spec_of
from onnx_acts.definition.validation import check_attributes
from onnx_acts.exporting.translations import TranslationError

__all__ = ["RReLUMode", "ready_to_capture", "with_mean_slope"]

_IN_PLACE = torch.ops.aten.rrelu_.default
_FUNCTIONS = (
    functional.rrelu,
    torch.rrelu,
    torch.rrelu_,
    torch.ops.aten.rrelu.default,
    _IN_PLACE,
)
_WITH_NOISE = (
    torch.ops.aten.rrelu_with_noise.default,
    torch.ops.aten.rrelu_with_noise_functional.default,
)
"""What captured programs may have; the second argument is for gradients."""


class RReLUMode(TorchFunctionMode):
    """Calls `replacement(func, *args, **kwargs)` wherever a module calls a function of RReLU."""

    def __init__(self, replacement: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self._replacement = replacement

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if func in _FUNCTIONS:
            return self._replacement(func, *args, **named)
        if func in _WITH_NOISE:
            x, noise, *rest = args
            return self._replacement(
                functools.partial(_without_noise, func, noise), x, *rest, **named
            )
        return func(*args, **named)


def _without_noise(
    func: Callable[..., Any], noise: torch.Tensor, x: torch.Tensor, *rest: Any, **named: Any
) -> Any:
    """Calls an operator that takes noise with the arguments of one that does not."""
    return func(x, noise, *rest, **named)


def ready_to_capture(
    func: Callable[..., torch.Tensor],
    input: torch.Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    *args: Any,
    **kwargs: Any,
) -> torch.Tensor:
    """Checks the bounds, and replaces the in-place operator by RReLU and a copy.

    torch refuses bad bounds without naming them. It decomposes the in-place form, when it runs the
    captured graph again, into an operator that cannot be translated; other in-place activations it
    turns into their usual forms itself.

    Raises:
        TranslationError: the bounds are not finite or in the wrong order.
    """
    try:
        check_attributes(spec_of("RReLU"), {"lower": lower, "upper": upper})
    except ValueError as error:
        raise TranslationError(str(error)) from None
    if func is _IN_PLACE:
        return input.copy_(torch.rrelu(input, lower, upper, *args, **kwargs))
    return func(input, lower, upper, *args, **kwargs)


def with_mean_slope(
    func: Callable[..., torch.Tensor],
    input: torch.Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    *args: Any,
    **kwargs: Any,
) -> torch.Tensor:
    """Runs RReLU in evaluation mode, also where it is asked for training mode."""
    return func(input, lower, upper, False, *args, **kwargs)
