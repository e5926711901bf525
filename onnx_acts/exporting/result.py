"""What an export returns or raises; needs no torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from onnx_acts.exporting.options import Style

__all__ = ["ExportResult", "OutputError", "VerificationError"]


class VerificationError(ValueError):
    """ONNX Runtime computes something else than PyTorch."""


@dataclasses.dataclass(frozen=True)
class OutputError:
    """How far one output of the model is from PyTorch in one runtime.

    Attributes:
        output: its name in the graph.
        runtime: "bodies" (ONNX Runtime on the function bodies or standard nodes) or "library"
            (ONNX Runtime with the native operators).
        max_abs: the largest absolute difference.
        max_ulp: the largest difference in units in the last place of the output's element type.
        tolerance: the largest absolute difference that is allowed of any element; each element has
            its own limit, see `onnx_acts.comparing.tolerance`.
        share: the largest share of its own limit that an element's difference takes; 1 at most.
    """

    output: str
    runtime: str
    max_abs: float
    max_ulp: float
    tolerance: float
    share: float


@dataclasses.dataclass(frozen=True)
class ExportResult:
    """A written model.

    Attributes:
        path: the file.
        style: "acts" or "standard".
        opset: the version of the standard operators.
        node_counts: the number of `onnx_acts` nodes by operator; empty in the style "standard".
        fused: how many activations became standard nodes that ONNX Runtime's CPU fuses with the
            nodes beside them, like {"PReLU of one slope after Conv": 2}.
        verification: "passed", or why the values were not compared.
        errors: one record for each output and runtime that was compared.
        sizes: for which sizes each dynamic dimension was compared, the example's first; of a batch
            dimension that is free without being asked for, those for which the file is right.
        cards: the files of the model's card, where one was asked for.
    """

    path: Path
    style: Style
    opset: int
    node_counts: Mapping[str, int]
    fused: Mapping[str, int]
    verification: str
    errors: tuple[OutputError, ...]
    sizes: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    cards: tuple[Path, ...] = ()
