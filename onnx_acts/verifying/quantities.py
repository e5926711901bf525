"""The real numbers that values of 8 bits stand for, as the nodes that make them say."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from onnx_acts.verifying.values import Value

__all__ = ["Grid", "grid_of", "is_converting", "is_moving", "is_quantizing", "read_grid"]

_SCALES = {
    "QuantizeLinear": (1, 2),
    "QLinearConv": (6, 7),
    "QLinearMatMul": (6, 7),
    "QLinearAdd": (6, 7),
    "QLinearMul": (6, 7),
    "QGemm": (7, 8),
    "QLinearConcat": (0, 1),
    "QLinearAveragePool": (3, 4),
    "QLinearGlobalAveragePool": (3, 4),
    "QLinearLeakyRelu": (3, 4),
    "QLinearSigmoid": (3, 4),
    "QLinearSoftmax": (3, 4),
    "QLinearReduceMean": (3, 4),
    "QLinearPReLU": (3, 4),
    "QLinearELU": (3, 4),
}
"""Where an operator's inputs have the scale and the zero point of its output."""

_MOVING = [
    "Identity",
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Transpose",
    "Slice",
    "Split",
    "MaxPool",
    "Expand",
    "DepthToSpace",
    "SpaceToDepth",
    "Pad",
    "Gather",
    "GatherElements",
    "GatherND",
    "Tile",
    "Resize",
]
"""Operators whose output has the grid of their first input."""

_OTHERS = ("DynamicQuantizeLinear", "DequantizeLinear", "MatMulInteger", "ConvInteger")

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Grid:
    """The numbers that integers stand for: (q - zero) * scale, per channel along `axis`."""

    scale: NDArray[Any]
    zero: NDArray[Any]
    axis: int = 1

    def real(self, value: NDArray[Any]) -> NDArray[np.float32]:
        """The numbers that `value` stands for."""
        scale, zero = self._fitted(value.ndim)
        return np.asarray((value.astype(np.float64) - zero) * scale).astype(np.float32)

    def held(self, value: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        """The integers that stand for `value`, or for the nearest numbers that there are."""
        scale, zero = self._fitted(value.ndim)
        limits = np.iinfo(dtype)
        with np.errstate(invalid="ignore", divide="ignore"):
            steps = np.rint(value.astype(np.float64) / scale) + zero
        return np.asarray(np.clip(np.nan_to_num(steps), limits.min, limits.max)).astype(dtype)

    def clipped(self, value: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        """`value` within the range of the numbers that there are."""
        scale, zero = self._fitted(value.ndim)
        limits = np.iinfo(dtype)
        low, high = (limits.min - zero) * scale, (limits.max - zero) * scale
        return np.asarray(np.clip(value, low, high)).astype(value.dtype)

    @property
    def step(self) -> float:
        """The largest distance between neighbouring numbers."""
        return float(np.max(self.scale, initial=0.0))

    def _fitted(self, rank: int) -> tuple[Array, Array]:
        scale, zero = (np.asarray(item).astype(np.float64) for item in (self.scale, self.zero))
        shape = [1] * rank
        if scale.size > 1 and rank:
            shape[self.axis % rank] = scale.size
            scale = scale.reshape(shape)
            zero = zero.reshape(shape) if zero.size > 1 else zero.reshape(())
            return scale, zero
        return scale.reshape(()), zero.reshape(())


def is_quantizing(node: onnx.NodeProto) -> bool:
    """Whether a node rounds to a grid of integers, or reads one."""
    return node.op_type in _SCALES or node.op_type in _OTHERS


def is_moving(node: onnx.NodeProto) -> bool:
    """Whether a node hands on the numbers of its first input, or some of them."""
    return node.op_type in _MOVING


def is_converting(node: onnx.NodeProto) -> bool:
    """Whether a node gives the numbers that it reads, in another form."""
    return node.op_type in ("QuantizeLinear", "DequantizeLinear", "Cast", "Identity")


def grid_of(
    node: onnx.NodeProto, given: Mapping[str, Value], grids: Mapping[str, Grid]
) -> Grid | None:
    """The grid of the first output of a node; None where it has none, or none that is known.

    Args:
        node: the node.
        given: the values that it reads, stored ones included.
        grids: those that are known of other values.
    """
    if is_moving(node):
        return grids.get(node.input[0])
    places = _SCALES.get(node.op_type)
    return None if places is None else _grid(node, given, places)


def read_grid(node: onnx.NodeProto, given: Mapping[str, Value]) -> Grid | None:
    """The grid of what a DequantizeLinear node reads."""
    return _grid(node, given, (1, 2))


def _grid(node: onnx.NodeProto, given: Mapping[str, Value], places: tuple[int, int]) -> Grid | None:
    if len(node.input) <= places[0]:
        return None
    scale = given.get(node.input[places[0]])
    name = node.input[places[1]] if len(node.input) > places[1] else ""
    zero = given.get(name, np.zeros((), np.int64))
    if not isinstance(scale, np.ndarray) or not isinstance(zero, np.ndarray) or scale.ndim > 1:
        return None
    axis = next((int(item.i) for item in node.attribute if item.name == "axis"), 1)
    return Grid(scale, zero, axis)
