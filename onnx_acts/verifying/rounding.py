"""What values have been rounded to on their way from the last values of the reference."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import onnx

from onnx_acts.comparing.tolerance import is_real
from onnx_acts.verifying.judging import coarser
from onnx_acts.verifying.quantities import is_quantizing
from onnx_acts.verifying.values import Value

__all__ = ["Rounding"]


class Rounding:
    """What is known of the values of one form (see `lanes`).

    Attributes:
        quantized: the names of those that have been rounded to 8 bits.
        coarsest: the coarsest real type that each has been rounded to.
    """

    def __init__(self) -> None:
        """Knows nothing yet: inputs are exact."""
        self.quantized: set[str] = set()
        self.coarsest: dict[str, np.dtype[Any]] = {}

    def follow(
        self, node: onnx.NodeProto, read: Collection[str], values: Mapping[str, Value]
    ) -> None:
        """Notes what the outputs of a node have been rounded to.

        Args:
            node: the node.
            read: the values that it reads, but for stored ones.
            values: those that there are.
        """
        outputs = [name for name in node.output if name]
        if is_quantizing(node) or any(name in self.quantized for name in read):
            self.quantized.update(outputs)
        else:
            self.quantized.difference_update(outputs)
        types = [value.dtype for name in read if isinstance(value := values.get(name), np.ndarray)]
        known = (self.coarsest[name] for name in read if name in self.coarsest)
        found = [*known, *filter(is_real, types)]
        for name in outputs:
            value = values.get(name)
            if isinstance(value, np.ndarray) and is_real(value.dtype):
                self.coarsest[name] = functools.reduce(coarser, found, value.dtype)

    def forget(self, name: str) -> None:
        """A value is the reference's from here on."""
        self.quantized.discard(name)
        self.coarsest.pop(name, None)
