"""VGG-11 (Simonyan 2015, configuration A)."""

from __future__ import annotations

from torch import Tensor, nn

from models.gallery.layers import Activation, channels, dense_layers

__all__ = ["VGG11"]

_STAGES = ((64,), (128,), (256, 256), (512, 512), (512, 512))
"""The channels of the convolutions before each pooling."""


class VGG11(nn.Module):
    """Eight convolutions and three dense layers: (N, 3, size, size) -> (N, classes) logits."""

    def __init__(
        self, activation: Activation, size: int = 224, width: float = 1.0, classes: int = 1000
    ) -> None:
        """Builds the network with `activation` at its ten places; `size` is a multiple of 32."""
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for stage in _STAGES:
            for count in stage:
                outputs = channels(count, width)
                layers += [nn.Conv2d(inputs, outputs, 3, padding=1), activation(outputs)]
                inputs = outputs
            layers.append(nn.MaxPool2d(2))
        pixels = (size // 32) ** 2
        ends = dense_layers(inputs * pixels, channels(4096, width), classes, activation)
        self.layers = nn.Sequential(*layers, *ends)

    def forward(self, images: Tensor) -> Tensor:
        """Returns the logits."""
        logits: Tensor = self.layers(images)
        return logits
