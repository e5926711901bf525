"""Quantizing an exported network, as ONNX Runtime's own tool does it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["quantize"]


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """The tool logs advice about preparing the model."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def quantize(model: Path, output: Path, name: str, x: NDArray[np.float32]) -> None:
    """Writes a file with DequantizeLinear and QuantizeLinear around the operators.

    Activations are uint8 and weights int8 with a scale for each channel.

    Args:
        model: a network of standard operators.
        output: where to write.
        name: of the model's input.
        x: an input, from which the scales come.
    """
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]  # has no types
        def __init__(self) -> None:
            self._feeds = iter([{name: x}])

        def get_next(self) -> dict[str, Any] | None:
            return next(self._feeds, None)

    prepared = output.with_suffix(".prepared.onnx")
    with _without_advice():
        quant_pre_process(str(model), str(prepared))
        quantization.quantize_static(
            str(prepared),
            str(output),
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
        )
