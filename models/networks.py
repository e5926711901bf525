"""The networks, as plain PyTorch modules, and one factory without arguments for each.

This file imports nothing but PyTorch, so that a factory can also be reached by the path of the
file (``models/networks.py:lenet5_prelu``) from any folder.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

Activation = Callable[[int], nn.Module]
"""Makes one activation module for a tensor that has so many channels."""


class DigitsMLP(nn.Module):
    """Flatten, Dense(128), LeakyReLU(0.1), Dense(10): (N, 1, 8, 8) -> (N, 10) logits."""

    def __init__(self) -> None:
        """Build the network with PyTorch's default initial weights."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.1), nn.Linear(128, 10)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of the ten classes."""
        logits: Tensor = self.layers(images)
        return logits


class LeNet5(nn.Module):
    """LeNet-5 (LeCun 1998) with another activation: (N, 1, 32, 32) -> (N, 10) logits.

    The activation stands after two convolutions, where channels are dimension 1 of a rank-4
    tensor, and after two dense layers, where they are dimension 1 of a rank-2 tensor.
    """

    def __init__(self, activation: Activation) -> None:
        """Build the network with ``activation`` at its four places."""
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5), activation(6), nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5), activation(16), nn.AvgPool2d(2),
        )  # fmt: skip  # one row per stage
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120), activation(120),
            nn.Linear(120, 84), activation(84),
            nn.Linear(84, 10),
        )  # fmt: skip  # one row per layer

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of the ten classes."""
        logits: Tensor = self.classifier(self.features(images))
        return logits


class ResidualBlock(nn.Module):
    """The basic block of He 2016: act(bn(conv(act(bn(conv(x))))) + shortcut(x))."""

    def __init__(self, inputs: int, outputs: int, stride: int, activation: Activation) -> None:
        """Build a block; with another shape at its end, the shortcut is a 1x1 convolution."""
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            activation(outputs),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        same_shape = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same_shape else _projection(inputs, outputs, stride)
        self.activation = activation(outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        result: Tensor = self.activation(self.body(features) + self.shortcut(features))
        return result


def _projection(inputs: int, outputs: int, stride: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class ResNet20(nn.Module):
    """ResNet-20 (He 2016) with half its widths: (N, 1, H, W) -> (N, 10) logits.

    A stem, three stages of three blocks with 8, 16 and 32 channels, and a dense layer: 19
    places for the activation, a module of its own at each.
    """

    def __init__(self, activation: Activation) -> None:
        """Build the network with ``activation`` at its 19 places."""
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), activation(8)
        )
        self.stages = nn.Sequential(
            _stage(8, 8, 1, activation), _stage(8, 16, 2, activation), _stage(16, 32, 2, activation)
        )
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of the ten classes."""
        logits: Tensor = self.head(self.stages(self.stem(images)))
        return logits


def _stage(inputs: int, outputs: int, stride: int, activation: Activation) -> nn.Module:
    return nn.Sequential(
        ResidualBlock(inputs, outputs, stride, activation),
        ResidualBlock(outputs, outputs, 1, activation),
        ResidualBlock(outputs, outputs, 1, activation),
    )


class FSRCNN(nn.Module):
    """FSRCNN(56, 12, 4) of Dong 2016 for factor 2: (N, 1, H, W) -> (N, 1, 2H, 2W) luminance.

    Extract features, shrink, map four times, expand; a transposed convolution then enlarges.
    An activation follows every convolution but the last.
    """

    def __init__(self, activation: Activation) -> None:
        """Build the network with ``activation`` at its seven places."""
        super().__init__()
        mapping = [
            layer for _ in range(4) for layer in (nn.Conv2d(12, 12, 3, padding=1), activation(12))
        ]
        self.features = nn.Sequential(
            nn.Conv2d(1, 56, 5, padding=2), activation(56),
            nn.Conv2d(56, 12, 1), activation(12),
            *mapping,
            nn.Conv2d(12, 56, 1), activation(56),
        )  # fmt: skip  # one row per layer
        self.enlarge = nn.ConvTranspose2d(56, 1, 9, stride=2, padding=4, output_padding=1)
        # The paper starts the last layer near zero: the first pictures are then grey, not noise.
        nn.init.normal_(self.enlarge.weight, std=0.001)

    def forward(self, luminance: Tensor) -> Tensor:
        """Return the picture at twice the height and width; values may leave [0, 1] a little."""
        enlarged: Tensor = self.enlarge(self.features(luminance))
        return enlarged


def _prelu_per_channel(channels: int) -> nn.Module:
    return nn.PReLU(channels)


def digits_mlp() -> nn.Module:
    """Return the dense digit classifier with LeakyReLU(0.1)."""
    return DigitsMLP()


def lenet5_prelu() -> nn.Module:
    """Return LeNet-5 with one PReLU slope per channel."""
    return LeNet5(_prelu_per_channel)


def resnet20_relu() -> nn.Module:
    """Return the residual network with ReLU."""
    return ResNet20(lambda _: nn.ReLU())


def resnet20_leakyrelu() -> nn.Module:
    """Return the residual network with LeakyReLU(0.01)."""
    return ResNet20(lambda _: nn.LeakyReLU())


def resnet20_prelu() -> nn.Module:
    """Return the residual network with one PReLU slope per channel."""
    return ResNet20(_prelu_per_channel)


def resnet20_rrelu() -> nn.Module:
    """Return the residual network with RReLU(1/8, 1/3)."""
    return ResNet20(lambda _: nn.RReLU())


def resnet20_elu() -> nn.Module:
    """Return the residual network with ELU(1)."""
    return ResNet20(lambda _: nn.ELU())


def fsrcnn_prelu() -> nn.Module:
    """Return FSRCNN for factor 2 with one PReLU slope per channel."""
    return FSRCNN(_prelu_per_channel)
