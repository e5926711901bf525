"""Whether a module's parameters and buffers are there at all."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn.parameter import is_lazy

__all__ = ["check_state", "check_there"]


def check_state(module: torch.nn.Module) -> None:
    """Requires that every parameter and buffer of a module has values.

    Raises:
        ValueError: one is on the meta device or not initialised yet; the message names it.
    """
    check_there(dict((*module.named_parameters(), *module.named_buffers())))


def check_there(tensors: Mapping[str, torch.Tensor]) -> None:
    """Requires that every tensor has values; the keys are for the message."""
    for name, tensor in tensors.items():
        if is_lazy(tensor):
            raise ValueError(
                f"{name} is not initialised, because its module is lazy: run the module once on the"
                " example inputs (and load its weights) before the export"
            )
        if tensor.is_meta:
            raise ValueError(
                f"{name} is on the meta device, where tensors have shapes but no values: build the"
                " module on the CPU, or call module.to_empty(device='cpu') and then load every"
                " parameter and buffer"
            )
