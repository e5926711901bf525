"""The networks that are benchmarked: architectures from the literature with random weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor, nn

from onnx_acts.bench.small_networks import MobileFaceNet, ResNet, UNet

__all__ = ["EDSR", "FSRCNN", "NETWORKS", "IResNet18", "Network", "build"]

Activation = Callable[[int], nn.Module]
"""Makes one activation module for a tensor that has so many channels."""


class _Block(nn.Module):
    """ArcFace's residual block: bn(conv(act(bn(conv(bn(x)))))) + shortcut(x)."""

    def __init__(self, inputs: int, outputs: int, activation: Activation, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            activation(outputs),
            nn.Conv2d(outputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = nn.Identity() if stride == 1 else _projection(inputs, outputs, stride)

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.body(features) + self.shortcut(features)
        return result


def _projection(inputs: int, outputs: int, stride: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class IResNet18(nn.Module):
    """The face-recognition network of ArcFace (Deng 2019): (N, 3, 112, 112) -> (N, 512)."""

    def __init__(self, activation: Activation) -> None:
        """Builds the network with `activation` at its nine places."""
        super().__init__()
        stages: list[nn.Module] = []
        for inputs, outputs in ((64, 64), (64, 128), (128, 256), (256, 512)):
            stages.append(_Block(inputs, outputs, activation, stride=2))
            stages.append(_Block(outputs, outputs, activation, stride=1))
        self.layers = nn.Sequential(
            nn.Conv2d(3, 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64),
            activation(64),
            *stages,
            nn.BatchNorm2d(512),
            nn.Flatten(),
            nn.Linear(512 * 7 * 7, 512),
            nn.BatchNorm1d(512),
        )

    def forward(self, faces: Tensor) -> Tensor:
        """Maps aligned faces to their embeddings."""
        embeddings: Tensor = self.layers(faces)
        return embeddings


class FSRCNN(nn.Module):
    """FSRCNN(56, 12, 4) of Dong 2016 for factor 2: (N, 1, H, W) -> (N, 1, 2H, 2W)."""

    def __init__(self, activation: Activation) -> None:
        """Builds the network with `activation` after every convolution but the last."""
        super().__init__()
        mapping = [
            layer for _ in range(4) for layer in (nn.Conv2d(12, 12, 3, padding=1), activation(12))
        ]
        self.layers = nn.Sequential(
            nn.Conv2d(1, 56, 5, padding=2),
            activation(56),
            nn.Conv2d(56, 12, 1),
            activation(12),
            *mapping,
            nn.Conv2d(12, 56, 1),
            activation(56),
            nn.ConvTranspose2d(56, 1, 9, stride=2, padding=4, output_padding=1),
        )

    def forward(self, luminance: Tensor) -> Tensor:
        """Enlarges a picture's luminance."""
        enlarged: Tensor = self.layers(luminance)
        return enlarged


class _Residual(nn.Module):
    """layers(x) + x."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.layers(features) + features
        return result


class EDSR(nn.Module):
    """EDSR's residual body (Lim 2017) with another activation, enlarged in one step at the end as
    in ESPCN (Shi 2016), factor 2: (N, 3, H, W) -> (N, 3, 2H, 2W).
    """

    def __init__(self, activation: Activation, blocks: int, channels: int) -> None:
        """Builds the network with `activation` in the middle of each residual block."""
        super().__init__()

        def convolution(inputs: int, outputs: int) -> nn.Module:
            return nn.Conv2d(inputs, outputs, 3, padding=1)

        body = [
            _Residual(
                convolution(channels, channels),
                activation(channels),
                convolution(channels, channels),
            )
            for _ in range(blocks)
        ]
        self.layers = nn.Sequential(
            convolution(3, channels),
            _Residual(*body, convolution(channels, channels)),
            convolution(channels, 3 * 2**2),
            nn.PixelShuffle(2),
        )

    def forward(self, picture: Tensor) -> Tensor:
        """Enlarges a picture."""
        enlarged: Tensor = self.layers(picture)
        return enlarged


def _prelu(channels: int) -> nn.Module:
    return nn.PReLU(channels)


def _elu(_: int) -> nn.Module:
    return nn.ELU()


@dataclasses.dataclass(frozen=True)
class Network:
    """One network to measure.

    Attributes:
        name: its name on the command line and in reports.
        shape: the shape of its input, float32.
        module: makes it, with PyTorch's initial weights.
        is_quantized: whether its activations are made uint8 and its weights int8.
    """

    name: str
    shape: tuple[int, ...]
    module: Callable[[], nn.Module]
    is_quantized: bool = False


def build(network: Network) -> nn.Module:
    """Makes a network for inference, the same every time.

    Slopes and the statistics of batch normalisation get random values, so that no runtime can
    simplify what a trained network would keep. The global random state is left as it was.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(1509)
        module = network.module().eval()
        for part in module.modules():
            if isinstance(part, nn.PReLU):
                part.weight.uniform_(0.05, 0.45)
            elif isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
                for name, values in part.state_dict().items():
                    if name in ("weight", "running_var"):
                        values.uniform_(0.5, 1.5)
                    elif name in ("bias", "running_mean"):
                        values.normal_(std=0.1)
    return module


NETWORKS: tuple[Network, ...] = (
    Network("iresnet18-prelu", (1, 3, 112, 112), lambda: IResNet18(_prelu)),
    Network("fsrcnn-prelu", (1, 1, 540, 960), lambda: FSRCNN(_prelu)),
    Network("edsr-prelu", (1, 3, 270, 480), lambda: EDSR(_prelu, blocks=16, channels=16)),
    Network("iresnet18-elu", (1, 3, 112, 112), lambda: IResNet18(_elu)),
    Network("iresnet18-prelu-uint8", (1, 3, 112, 112), lambda: IResNet18(_prelu), True),
    Network("fsrcnn-prelu-uint8", (1, 1, 270, 480), lambda: FSRCNN(_prelu), True),
    Network("edsr-prelu-uint8", (1, 3, 135, 240), lambda: EDSR(_prelu, 16, 16), True),
    Network("mobilefacenet-prelu-uint8", (1, 3, 112, 112), lambda: MobileFaceNet(_prelu), True),
    Network("resnet-prelu-uint8", (1, 3, 224, 224), lambda: ResNet(_prelu), True),
    Network("unet-prelu-uint8", (1, 3, 128, 128), lambda: UNet(_prelu), True),
    Network("unet-elu-uint8", (1, 3, 128, 128), lambda: UNet(_elu), True),
)
"""Every network, in the order of the report."""
