"""Count the activations that never let a positive value through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.data import FloatArray

ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU)


class DeadUnits(NamedTuple):
    """How many units and channels there are, and how many of them are dead.

    A unit is one element of the input of an activation, the batch left out: (channel,) or
    (channel, row, column). It is dead if it is > 0 for no example. A channel is dead if all its
    units are.
    """

    units: int
    dead_units: int
    channels: int
    dead_channels: int


def count_dead_units(module: nn.Module, batches: Iterable[FloatArray]) -> DeadUnits:
    """Run ``module`` in inference mode over all batches and count what never was positive."""
    alive: dict[str, Tensor] = {}

    def watch(name: str, layer: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            positive = (inputs[0] > 0).any(dim=0)
            alive[name] = alive[name] | positive if name in alive else positive

        return layer.register_forward_pre_hook(hook)

    layers = [(n, layer) for n, layer in module.named_modules() if isinstance(layer, ACTIVATIONS)]
    handles = [watch(name, layer) for name, layer in layers]
    module.eval()
    with torch.inference_mode():
        for batch in batches:
            module(torch.from_numpy(batch))
    for handle in handles:
        handle.remove()
    return _count(list(alive.values()))


def _count(alive: list[Tensor]) -> DeadUnits:
    channels = [layer.reshape(len(layer), -1).any(dim=1) for layer in alive]
    return DeadUnits(
        units=sum(layer.numel() for layer in alive),
        dead_units=sum(int((~layer).sum()) for layer in alive),
        channels=sum(layer.numel() for layer in channels),
        dead_channels=sum(int((~layer).sum()) for layer in channels),
    )
