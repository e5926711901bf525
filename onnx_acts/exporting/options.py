"""The options of an export; needs no torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

__all__ = ["Options"]

_DEFAULT_OPSET = 20
"""torch's default."""


@dataclasses.dataclass(frozen=True)
class Options:
    """The keyword arguments of `onnx_acts.export`, documented there."""

    style: str
    ops: Sequence[str]
    dynamic_shapes: Any
    opset: int | None
    verify: bool | str
    training: bool
    seed: int
    input_names: Sequence[str] | None
    output_names: Sequence[str] | None
    optimize: bool

    @property
    def target_opset(self) -> int:
        """The version of the standard operators to write."""
        return _DEFAULT_OPSET if self.opset is None else self.opset
