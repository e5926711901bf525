"""ResNet-34 (He 2016)."""

from __future__ import annotations

from torch import Tensor, nn

from models.gallery.layers import Activation, channels
from models.networks import ResidualBlock

__all__ = ["ResNet34"]

_STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
"""Channels and blocks."""


class ResNet34(nn.Module):
    """33 convolutions and a dense layer: (N, 3, H, W) -> (N, classes) logits, any size from 32."""

    def __init__(
        self, activation: Activation, size: int = 224, width: float = 1.0, classes: int = 1000
    ) -> None:
        """Builds the network with `activation` at its 33 places; every `size` gives the same."""
        super().__init__()
        inputs = channels(64, width)
        layers: list[nn.Module] = [
            nn.Conv2d(3, inputs, 7, 2, padding=3, bias=False),
            nn.BatchNorm2d(inputs),
            activation(inputs),
            nn.MaxPool2d(3, 2, padding=1),
        ]
        for number, (count, blocks) in enumerate(_STAGES):
            outputs = channels(count, width)
            for i in range(blocks):
                stride = 2 if number and i == 0 else 1
                layers.append(ResidualBlock(inputs, outputs, stride, activation))
                inputs = outputs
        self.layers = nn.Sequential(
            *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Returns the logits."""
        logits: Tensor = self.layers(images)
        return logits
