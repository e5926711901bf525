"""Networks that others have published with PReLU and ELU, from their packages.

The packages are no dependency of this project: a folder with them, installed without what they
need, is enough (`tests/packages.py` makes one). Each network is built from the package's own code,
MTCNN's three with their trained weights, the others with random ones.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.util
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

__all__ = ["FIELD", "FieldNetwork", "build"]

MONAI, FACENET, PYTORCHCV = "monai==1.6.1", "facenet-pytorch==2.6.0", "pytorchcv==0.0.74"


@dataclasses.dataclass(frozen=True)
class FieldNetwork:
    """One published network.

    Attributes:
        name: its name in reports.
        requirement: the package, for pip.
        make: builds it, when the package can be imported; gets the package's folder.
        input: the name of its input.
        shape: the shape of its example input.
        second: another shape that the file must serve.
        dimensions: the names of its dynamic dimensions, by axis.
        nodes: the activations that become `onnx_acts` nodes.
    """

    name: str
    requirement: str
    make: Callable[[Path], nn.Module]
    input: str
    shape: tuple[int, ...]
    second: tuple[int, ...]
    dimensions: Mapping[int, str]
    nodes: Mapping[str, int]


def build(network: FieldNetwork, folder: Path) -> nn.Module:
    """Makes a network in evaluation mode, the same every time.

    Args:
        network: one of `FIELD`.
        folder: a folder from which its package can be imported.
    """
    with (
        torch.random.fork_rng(devices=[]),
        torch.no_grad(),
        _importable(folder),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        torch.manual_seed(2015)
        return network.make(folder).eval()


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _unet(dimensions: int) -> Callable[[Path], nn.Module]:
    """A U-Net of MONAI with residual units and PReLU, in 2 or 3 dimensions."""

    def make(_: Path) -> nn.Module:
        nets: Any = importlib.import_module("monai.networks.nets.unet")
        module: nn.Module = nets.UNet(
            spatial_dims=dimensions,
            in_channels=1,
            out_channels=2,
            channels=(16, 32, 64),
            strides=(2, 2),
            num_res_units=2,
            act="PRELU",
        )
        return module

    return make


def _mtcnn(name: str) -> Callable[[Path], nn.Module]:
    """One of MTCNN's networks with its trained weights.

    Its file is loaded alone: the package around it needs torchvision for what comes before and
    after the networks.
    """

    def make(folder: Path) -> nn.Module:
        stubs = {name: types.ModuleType(name) for name in ("mtcnn", "mtcnn.utils", _DETECT)}
        for stub in stubs.values():
            stub.__path__ = []
        vars(stubs[_DETECT]).update(detect_face=None, extract_face=None)
        path = folder / "facenet_pytorch" / "models" / "mtcnn.py"
        spec = importlib.util.spec_from_file_location("mtcnn.networks", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules.update(stubs)
        try:
            spec.loader.exec_module(module)
        finally:
            for stub_name in stubs:
                del sys.modules[stub_name]
        made: nn.Module = getattr(module, name)()
        return made

    return make


_DETECT = "mtcnn.utils.detect_face"


def _sqnet(_: Path) -> nn.Module:
    """SQNet, a segmentation network with ELU, for the classes of Cityscapes."""
    models: Any = importlib.import_module("pytorchcv.models.sqnet")
    module: nn.Module = models.sqnet_cityscapes(in_size=(128, 256), fixed_size=False)
    return module


_PLANE = {0: "batch", 2: "height", 3: "width"}

FIELD: tuple[FieldNetwork, ...] = (
    FieldNetwork(
        "monai-unet-2d", MONAI, _unet(2), "x",
        (1, 1, 128, 128), (2, 1, 96, 160), _PLANE, {"PReLU": 9},
    ),
    FieldNetwork(
        "monai-unet-3d", MONAI, _unet(3), "x",
        (1, 1, 32, 32, 32), (2, 1, 32, 32, 32), {0: "batch"}, {"PReLU": 9},
    ),
    FieldNetwork(
        "mtcnn-pnet", FACENET, _mtcnn("PNet"), "x",
        (1, 3, 240, 320), (2, 3, 61, 47), _PLANE, {"PReLU": 3},
    ),
    FieldNetwork(
        "mtcnn-rnet", FACENET, _mtcnn("RNet"), "x",
        (16, 3, 24, 24), (3, 3, 24, 24), {0: "batch"}, {"PReLU": 4},
    ),
    FieldNetwork(
        "mtcnn-onet", FACENET, _mtcnn("ONet"), "x",
        (16, 3, 48, 48), (3, 3, 48, 48), {0: "batch"}, {"PReLU": 5},
    ),
    FieldNetwork(
        "pytorchcv-sqnet", PYTORCHCV, _sqnet, "x",
        (1, 3, 128, 256), (2, 3, 128, 256), {0: "batch"}, {"ELU": 29},
    ),
)  # fmt: skip  # a network in a few lines
"""Every network."""
