"""The networks of the articles that this project was made after, with any of the five activations.

Random weights: they are here to be exported, compared and timed, not to classify. Each is defined
once, in its paper's shape, with the activation as a parameter and a factor for its widths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from models.gallery.alexnet import AlexNet
from models.gallery.googlenet import GoogLeNet
from models.gallery.layers import Activation
from models.gallery.resnet import ResNet34
from models.gallery.vgg import VGG11

__all__ = ["ACTIVATIONS", "NETWORKS", "build"]

ACTIVATIONS: Mapping[str, Activation] = {
    "relu": lambda _: nn.ReLU(),
    "leaky_relu": lambda _: nn.LeakyReLU(0.1),
    "prelu": nn.PReLU,
    "rrelu": lambda _: nn.RReLU(),
    "elu": lambda _: nn.ELU(),
}
"""By their names in PyTorch's functional form; PReLU has a slope for each channel."""

NETWORKS: Mapping[str, Callable[..., nn.Module]] = {
    "alexnet": AlexNet,
    "vgg11": VGG11,
    "googlenet": GoogLeNet,
    "resnet34": ResNet34,
}
"""Each takes `activation`, `size` (pixels), `width` (a factor for the channels) and `classes`."""


def build(
    network: str, activation: str, size: int = 224, width: float = 1.0, classes: int = 1000
) -> nn.Module:
    """Makes a network in evaluation mode, the same every time.

    Slopes and the statistics of batch normalisation get random values, as training would give
    them, so that nothing can be simplified away. The global random state is left as it was.

    Args:
        network: a name in `NETWORKS`.
        activation: a name in `ACTIVATIONS`.
        size: pixels of an input's side.
        width: a factor for the number of channels; the papers' is 1.
        classes: the number of outputs.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(2015)
        module = NETWORKS[network](ACTIVATIONS[activation], size, width, classes).eval()
        for part in module.modules():
            if isinstance(part, nn.PReLU):
                part.weight.uniform_(0.05, 0.45)
            elif isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_(std=0.1)  # type: ignore[union-attr]  # it tracks them
                part.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]  # the same
    return module
