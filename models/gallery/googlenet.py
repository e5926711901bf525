"""GoogLeNet (Szegedy 2015), with batch normalisation as it is used today, without side outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.gallery.layers import Activation, channels

__all__ = ["GoogLeNet"]

_Widths = tuple[int, int, int, int, int, int]

_STAGES: tuple[tuple[_Widths, ...], ...] = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)
"""Of each block: 1x1; 3x3 and what comes before it; 5x5 and what comes before it; after pooling."""


class GoogLeNet(nn.Module):
    """Nine Inception blocks: (N, 3, H, W) -> (N, classes) logits, any size from 32."""

    def __init__(
        self, activation: Activation, size: int = 224, width: float = 1.0, classes: int = 1000
    ) -> None:
        """Builds the network with `activation` at its 57 places; every `size` gives the same."""
        super().__init__()
        a, b = channels(64, width), channels(192, width)
        layers: list[nn.Module] = [
            _Convolution(3, a, 7, activation, stride=2),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            _Convolution(a, a, 1, activation),
            _Convolution(a, b, 3, activation),
            nn.MaxPool2d(3, 2, ceil_mode=True),
        ]
        inputs = b
        for number, stage in enumerate(_STAGES):
            for counts in stage:
                block = _Inception(inputs, [channels(n, width) for n in counts], activation)
                layers.append(block)
                inputs = block.outputs
            if number < len(_STAGES) - 1:
                layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
        self.layers = nn.Sequential(
            *layers,
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.4),
            nn.Linear(inputs, classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Returns the logits."""
        logits: Tensor = self.layers(images)
        return logits


class _Convolution(nn.Sequential):
    """A convolution that keeps the size, batch normalisation and the activation."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, activation: Activation, stride: int = 1
    ) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            activation(outputs),
        )


class _Inception(nn.Module):
    """Four ways side by side, their channels one after another."""

    def __init__(self, inputs: int, counts: list[int], activation: Activation) -> None:
        super().__init__()
        one, before_three, three, before_five, five, pooled = counts
        self.outputs = one + three + five + pooled
        self.ways = nn.ModuleList(
            [
                _Convolution(inputs, one, 1, activation),
                nn.Sequential(
                    _Convolution(inputs, before_three, 1, activation),
                    _Convolution(before_three, three, 3, activation),
                ),
                nn.Sequential(
                    _Convolution(inputs, before_five, 1, activation),
                    _Convolution(before_five, five, 5, activation),
                ),
                nn.Sequential(
                    nn.MaxPool2d(3, 1, padding=1), _Convolution(inputs, pooled, 1, activation)
                ),
            ]
        )

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([way(features) for way in self.ways], dim=1)
