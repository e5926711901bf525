"""Which value of the reference a value of the model should be.

Two files of one network rarely have the same nodes: tools fuse, split, convert and rename. A value
is looked for by its name, by what it is (a value of the reference that equals it), and by its place
in the graph: a node of the same kind that reads what the model's node reads.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from onnx_acts.verifying.graphs import Graph, names_read
from onnx_acts.verifying.judging import is_tensor
from onnx_acts.verifying.lanes import draws
from onnx_acts.verifying.values import Value

__all__ = ["Candidates", "kind"]

_ADDED = re.compile(
    r"(_(quantized|QuantizeLinear|DequantizeLinear|QuantizeLinear_Output|DequantizeLinear_Output"
    r"|QuantizeLinear_Input|input_cast_?\d*|output_cast_?\d*|cast_?\d*))+$"
)
"""What quantization and conversion to 16 bits append to names."""

_KINDS = {
    **dict.fromkeys(("PRelu", "LeakyRelu", "PReLU", "LeakyReLU", "RReLU"), "slope"),
    **dict.fromkeys(("Elu", "ELU", "Celu"), "elu"),
    **dict.fromkeys(("Relu", "ReLU"), "relu"),
    **dict.fromkeys(("FusedConv", "NhwcConv"), "Conv"),
    **{"FusedMatMul": "MatMul", "FusedGemm": "Gemm", "QGemm": "Gemm"},
}
"""Operators that compute the same kind of thing."""

_SAMPLE = 64
"""Elements that are looked at first."""


class Candidates:
    """The values of a reference that a model's values are looked for among.

    Attributes:
        constant: the names of those that depend on no input.
    """

    def __init__(self, graph: Graph, values: Mapping[str, Value]) -> None:
        """Of the reference's graph, with what it computes."""
        self._values = values
        self.constant = {*graph.stored, *graph.sparse}
        for node in graph.nodes:
            if self.constant.issuperset(names_read(node)) and not draws(node):
                self.constant.update(node.output)
        self._made = {name: node for node in graph.nodes for name in node.output if name in values}
        self._by_shape: dict[tuple[int, ...], list[str]] = defaultdict(list)
        self._readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for name in self._made:
            if is_tensor(values[name]):
                self._by_shape[_shape(values[name])].append(name)
        for node in graph.nodes:
            for name in dict.fromkeys(node.input):
                self._readers[name].append(node)

    def by_name(self, name: str) -> str | None:
        """The value of that name, or of the name that a tool has made it from."""
        for text in (name, _ADDED.sub("", name)):
            if text in self._made:
                return text
        return None

    def maker(self, name: str) -> onnx.NodeProto | None:
        """The reference's node that makes a value."""
        return self._made.get(name)

    def by_place(
        self, node: onnx.NodeProto, output: int, matches: Mapping[str, str], taken: Collection[str]
    ) -> str | None:
        """What a node of the same kind makes, which reads the counterparts of what `node` reads.

        Args:
            node: the model's node.
            output: which of its outputs.
            matches: the counterparts of the model's values.
            taken: the reference's values that are counterparts already.
        """
        read = [(i, matches[name]) for i, name in enumerate(node.input) if name in matches]
        if not read:
            return None
        for other in self._readers.get(read[0][1], ()):
            same = all(i < len(other.input) and other.input[i] == name for i, name in read)
            if same and kind(other) == kind(node) and output < len(other.output):
                name = other.output[output]
                if name in self._made and name not in taken:
                    return str(name)
        return None

    def equal_to(self, value: Value, taken: Collection[str]) -> Iterator[str]:
        """The reference's values that may equal a value: of its shape, by a look at a sample."""
        if not isinstance(value, np.ndarray) or value.dtype.kind in "OSU" or not value.size:
            return
        places = _places(value.size)
        own = np.ravel(value)[places].astype(np.float64)
        scale = float(np.abs(own[np.isfinite(own)]).max(initial=0.0))
        for name in self._by_shape.get(value.shape, ()):
            other = self._values[name]
            assert isinstance(other, np.ndarray)
            if name in taken:
                continue
            sample = np.ravel(other)[places].astype(np.float64)
            with np.errstate(invalid="ignore"):
                apart = np.abs(sample - own)
            near = np.nan_to_num(apart, nan=0.0, posinf=0.0) <= 0.1 * scale
            if near.mean() > 0.9:
                yield name


def kind(node: onnx.NodeProto) -> str:
    """What a node computes: operators of the same kind may stand for each other."""
    plain = node.op_type.removeprefix("QLinear")
    return _KINDS.get(plain, plain)


def _shape(value: Value) -> tuple[int, ...]:
    assert isinstance(value, np.ndarray)
    return value.shape


def _places(size: int) -> Sequence[int] | np.ndarray[Any, Any]:
    return np.linspace(0, size - 1, min(size, _SAMPLE)).astype(np.int64)
