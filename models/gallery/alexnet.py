"""AlexNet (Krizhevsky 2014, the form with one tower)."""

from __future__ import annotations

from torch import Tensor, nn

from models.gallery.layers import Activation, channels, dense_layers

__all__ = ["AlexNet"]


class AlexNet(nn.Module):
    """Five convolutions and three dense layers: (N, 3, size, size) -> (N, classes) logits."""

    def __init__(
        self, activation: Activation, size: int = 224, width: float = 1.0, classes: int = 1000
    ) -> None:
        """Builds the network with `activation` at its seven places; `size` is 63 or more."""
        super().__init__()
        a, b, c, d = (channels(count, width) for count in (64, 192, 384, 256))
        self.layers = nn.Sequential(
            nn.Conv2d(3, a, 11, 4, padding=2), activation(a), nn.MaxPool2d(3, 2),
            nn.Conv2d(a, b, 5, padding=2), activation(b), nn.MaxPool2d(3, 2),
            nn.Conv2d(b, c, 3, padding=1), activation(c),
            nn.Conv2d(c, d, 3, padding=1), activation(d),
            nn.Conv2d(d, d, 3, padding=1), activation(d), nn.MaxPool2d(3, 2),
            *dense_layers(d * _side(size) ** 2, channels(4096, width), classes, activation),
        )  # fmt: skip  # one row per layer

    def forward(self, images: Tensor) -> Tensor:
        """Returns the logits."""
        logits: Tensor = self.layers(images)
        return logits


def _side(size: int) -> int:
    """Pixels of a side after the last pooling."""
    size = (size + 2 * 2 - 11) // 4 + 1
    for _ in range(3):
        size = (size - 3) // 2 + 1
    if size < 1:
        raise ValueError("AlexNet takes images of 63 pixels or more")
    return size
