"""Networks for phones and segmentation, which are quantized more often than large ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["Activation", "MobileFaceNet", "ResNet", "UNet"]

Activation = Callable[[int], nn.Module]
"""Makes one activation module for a tensor that has so many channels."""


def _convolved(
    inputs: int,
    outputs: int,
    size: int,
    stride: int = 1,
    groups: int = 1,
    activation: Activation | None = None,
    padded: bool = True,
) -> nn.Module:
    """A convolution, its batch normalisation and perhaps an activation."""
    padding = size // 2 if padded else 0
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, size, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([activation(outputs)] if activation else []))


class _Sum(nn.Module):
    """left(x) + right(x)."""

    def __init__(self, left: nn.Module, right: nn.Module) -> None:
        super().__init__()
        self.left, self.right = left, right

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.left(features) + self.right(features)
        return result


def _bottleneck(
    inputs: int, inner: int, outputs: int, stride: int, activation: Activation
) -> nn.Module:
    """MobileNetV2's block: wider, depthwise, narrower; with x added where it fits."""
    block = nn.Sequential(
        _convolved(inputs, inner, 1, activation=activation),
        _convolved(inner, inner, 3, stride, inner, activation),
        _convolved(inner, outputs, 1),
    )
    return _Sum(block, nn.Identity()) if stride == 1 and inputs == outputs else block


class MobileFaceNet(nn.Module):
    """MobileFaceNet (Chen 2018): (N, 3, 112, 112) -> (N, 128)."""

    def __init__(self, activation: Activation) -> None:
        """Builds the network with `activation` after every convolution that is not linear."""
        super().__init__()
        stages = ((128, 64, 5, 2), (256, 128, 1, 2), (256, 128, 6, 1), (512, 128, 1, 2))
        blocks: list[nn.Module] = []
        channels = 64
        for inner, outputs, count, first in (*stages, (256, 128, 2, 1)):
            for number in range(count):
                stride = first if number == 0 else 1
                blocks.append(_bottleneck(channels, inner, outputs, stride, activation))
                channels = outputs
        self.layers = nn.Sequential(
            _convolved(3, 64, 3, 2, activation=activation),
            _convolved(64, 64, 3, groups=64, activation=activation),
            *blocks,
            _convolved(128, 512, 1, activation=activation),
            _convolved(512, 512, 7, groups=512, padded=False),
            _convolved(512, 128, 1),
            nn.Flatten(),
        )

    def forward(self, faces: Tensor) -> Tensor:
        """Maps aligned faces to their embeddings."""
        embeddings: Tensor = self.layers(faces)
        return embeddings


class ResNet(nn.Module):
    """A small residual network (He 2016) with another activation: (N, 3, H, W) -> (N, 100)."""

    def __init__(self, activation: Activation) -> None:
        """Builds the network with `activation` in every block and after every sum."""
        super().__init__()
        blocks: list[nn.Module] = []
        for inputs, outputs in ((32, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128)):
            stride = 1 if inputs == outputs else 2
            body = nn.Sequential(
                _convolved(inputs, outputs, 3, stride, activation=activation),
                _convolved(outputs, outputs, 3),
            )
            same = nn.Identity() if stride == 1 else _convolved(inputs, outputs, 1, stride)
            blocks += [_Sum(body, same), activation(outputs)]
        self.layers = nn.Sequential(
            _convolved(3, 32, 3, 2, activation=activation),
            nn.MaxPool2d(3, 2, 1),
            *blocks,
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(128, 100),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Classifies pictures."""
        classes: Tensor = self.layers(pictures)
        return classes


class UNet(nn.Module):
    """U-Net (Ronneberger 2015) with 16 channels and two levels: (N, 3, H, W) -> (N, 1, H, W)."""

    def __init__(self, activation: Activation) -> None:
        """Builds the network with `activation` after every convolution but the last."""
        super().__init__()

        def twice(inputs: int, outputs: int) -> nn.Module:
            return nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, padding=1),
                activation(outputs),
                nn.Conv2d(outputs, outputs, 3, padding=1),
                activation(outputs),
            )

        self.down = nn.ModuleList([twice(3, 16), twice(16, 32)])
        self.bottom = twice(32, 64)
        self.up = nn.ModuleList(
            [nn.ConvTranspose2d(64, 32, 2, 2), nn.ConvTranspose2d(32, 16, 2, 2)]
        )
        self.joined = nn.ModuleList([twice(64, 32), twice(32, 16)])
        self.pool = nn.MaxPool2d(2)
        self.last = nn.Conv2d(16, 1, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """Segments a picture."""
        first = self.down[0](picture)
        second = self.down[1](self.pool(first))
        features = self.bottom(self.pool(second))
        for skipped, up, joined in zip((second, first), self.up, self.joined, strict=True):
            features = joined(torch.cat([up(features), skipped], 1))
        result: Tensor = self.last(features)
        return result
