"""What the gallery's networks share."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

__all__ = ["Activation", "channels", "dense_layers"]

Activation = Callable[[int], nn.Module]
"""Makes one activation module for a tensor that has so many channels."""


def channels(count: int, width: float) -> int:
    """A number of channels after a factor; at least one."""
    return max(1, round(count * width))


def dense_layers(
    inputs: int, hidden: int, classes: int, activation: Activation
) -> tuple[nn.Module, ...]:
    """The end of AlexNet and VGG: two wide layers with dropout, then the classes."""
    return (
        nn.Flatten(),
        nn.Linear(inputs, hidden), activation(hidden), nn.Dropout(),
        nn.Linear(hidden, hidden), activation(hidden), nn.Dropout(),
        nn.Linear(hidden, classes),
    )  # fmt: skip  # one row per layer
