"""A module's state: whether it is there at all, and that it stays as it was."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch.nn.parameter import is_lazy

__all__ = ["check_state", "check_there", "unchanged"]


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


@contextlib.contextmanager
def unchanged(module: torch.nn.Module) -> Iterator[None]:
    """Gives back what the module's code sets while it runs: counters, caches, new submodules.

    A cache of one batch size would otherwise fix that size in the next capture. Attributes get
    their values back, and the lists, dictionaries and sets among these their items; what lies
    deeper stays.
    """
    parts = [(part, dict(vars(part))) for part in module.modules()]
    containers = [
        (value, type(value)(value))
        for _, attributes in parts
        for value in attributes.values()
        if type(value) in (dict, list, set, collections.OrderedDict)
    ]
    try:
        yield
    finally:
        for part, attributes in parts:
            _give_back(vars(part), attributes)
        for value, items in containers:
            _give_back(value, items)


def _give_back(container: Any, items: Any) -> None:
    """Makes the contents of a container those of another one of its type."""
    if isinstance(container, list):
        container[:] = items
        return
    for key in [key for key in container if key not in items]:
        container.remove(key) if isinstance(container, set) else container.pop(key)
    container.update(items)
