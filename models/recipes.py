"""The table of recipes. Training, evaluation, tests and reports iterate over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from models import networks

SHIPPED_SEED = 0
"""Seed of the trainings whose weights are shipped."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides what a training gives, besides the seed.

    The rest is the same for all: AdamW, and mean squared error or cross-entropy by task.

    Attributes:
        factory: makes the untrained network; its name is the name of the model.
        activation: what the network is an example of, in words.
        task: ``digits`` (classify, metric accuracy) or ``superres`` (enlarge, metric PSNR).
        input_shape: shape of a batch; a string is a dimension that may have any size.
        epochs: passes over the training data (``superres``: over a fixed number of patches).
        batch_size: examples per step.
        learning_rate: of AdamW at the first step; it falls to 0 along a half cosine.
        weight_decay: of AdamW, on weight matrices and kernels only.
    """

    factory: Callable[[], nn.Module]
    activation: str
    task: Literal["digits", "superres"]
    input_shape: tuple[str | int, ...]
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.0

    @property
    def name(self) -> str:
        """Name of the model: of its weights, of its manifest entry and on the command line."""
        return self.factory.__name__


def _resnet(factory: Callable[[], nn.Module], activation: str) -> Recipe:
    """Return the one recipe that all five residual networks share."""
    return Recipe(
        factory=factory,
        activation=activation,
        task="digits",
        input_shape=("N", 1, 16, 16),
        epochs=25,
        batch_size=64,
        learning_rate=5e-3,
        weight_decay=1e-2,
    )


RESNETS = (
    _resnet(networks.resnet20_relu, "ReLU"),
    _resnet(networks.resnet20_leakyrelu, "LeakyReLU(0.01)"),
    _resnet(networks.resnet20_prelu, "PReLU per channel"),
    _resnet(networks.resnet20_rrelu, "RReLU(1/8, 1/3)"),
    _resnet(networks.resnet20_elu, "ELU(1)"),
)

_ALL = (
    Recipe(
        factory=networks.digits_mlp,
        activation="LeakyReLU(0.1)",
        task="digits",
        input_shape=("N", 1, 8, 8),
        epochs=60,
        batch_size=32,
        learning_rate=3e-3,
        weight_decay=1e-2,
    ),
    Recipe(
        factory=networks.lenet5_prelu,
        activation="PReLU per channel",
        task="digits",
        input_shape=("N", 1, 32, 32),
        epochs=30,
        batch_size=32,
        learning_rate=2e-3,
        weight_decay=1e-2,
    ),
    *RESNETS,
    Recipe(
        factory=networks.fsrcnn_prelu,
        activation="PReLU per channel",
        task="superres",
        input_shape=("N", 1, "H", "W"),
        epochs=60,
        batch_size=16,
        learning_rate=2e-3,
    ),
)

RECIPES = {recipe.name: recipe for recipe in _ALL}
