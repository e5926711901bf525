"""Files of 16 and 8 bits: a right one is not accused, a fault in one is named."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnxconverter_common import float16
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

import onnx_acts
from tests.verifying.networks import changed, deep
from tests.verifying.test_causes import edited, set_attribute

REFERENCE = deep()
pytestmark = pytest.mark.slow


def half(model: onnx.ModelProto) -> onnx.ModelProto:
    """The network in float16, with inputs and outputs as they were."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float16.convert_float_to_float16(copy, keep_io_types=True)


class Batches(CalibrationDataReader):  # type: ignore[misc]  # it has no annotations
    """Standard normal numbers, as `verify` makes them."""

    def __init__(self) -> None:
        """Eight batches of four."""
        generator = np.random.default_rng(7)
        size = (4, 8, 12, 12)
        self._left = [generator.standard_normal(size).astype(np.float32) for _ in range(8)]

    def get_next(self) -> dict[str, Any] | None:
        """The next one."""
        return {"x": self._left.pop()} if self._left else None


def quantized(model: onnx.ModelProto, how: QuantFormat, folder: Path) -> onnx.ModelProto:
    """The network on 8 bits."""
    paths = folder / "float.onnx", folder / "int8.onnx"
    onnx.save(model, paths[0])
    quantize_static(paths[0], paths[1], Batches(), quant_format=how)
    return onnx.load(paths[1])


def test_half() -> None:
    """float16 is not accused, in either order; a wrong alpha in it is named."""
    short = half(REFERENCE)
    for result in (
        onnx_acts.verify(short, REFERENCE),
        onnx_acts.verify(REFERENCE, short),
        onnx_acts.verify(onnx_acts.accelerate(short), REFERENCE),
    ):
        assert result.same, result.causes
    wrong = half(edited("act11", set_attribute("alpha", 0.8)))
    for file in (wrong, onnx_acts.accelerate(wrong)):
        result = onnx_acts.verify(file, REFERENCE)
        assert [cause.name for cause in result.causes] == ["act11"]


def test_overflow() -> None:
    """A number beyond float16 is named where it appears first, with the number."""
    large = changed(REFERENCE, "scale10.by", lambda a: a * 9000)
    large = changed(large, "conv11a.weight", lambda a: a * 20)
    large = changed(large, "scale11.by", lambda a: a * 1e-4)
    result = onnx_acts.verify(half(large), large)
    assert not result.same
    assert result.cause is not None
    assert result.cause.name == "conv11a"
    assert result.cause.reasons[0].startswith("overflow: the reference has ")
    assert result.cause.reasons[0].endswith("float16 ends at 65504")


@pytest.mark.parametrize("how", [QuantFormat.QDQ, QuantFormat.QOperator])
def test_eight_bits(how: QuantFormat, tmp_path: Path) -> None:
    """A quantized network is not accused; a wrong weight and a wrong alpha in one are named."""
    right = quantized(REFERENCE, how, tmp_path)
    result = onnx_acts.verify(right, REFERENCE)
    assert result.same, result.causes
    unsigned = onnx_acts.accelerate(right, unsigned=True)
    for got, want in ((unsigned, REFERENCE), (onnx_acts.accelerate(right), REFERENCE),
                      (unsigned, right), (right, unsigned)):  # fmt: skip
        result = onnx_acts.verify(got, want)
        assert result.same, result.causes

    def spoilt(array: np.ndarray) -> np.ndarray:
        array[1, 3, 0, 1] += 1
        return array

    wrong = quantized(changed(REFERENCE, "conv7b.weight", spoilt), how, tmp_path)
    result = onnx_acts.verify(wrong, REFERENCE)
    assert [cause.counterpart for cause in result.causes] == ["conv7b_out"]
    assert "[1, 3, 0, 1]" in result.causes[0].reasons[0]
    wrong = quantized(edited("act9", set_attribute("alpha", 0.6)), how, tmp_path)
    result = onnx_acts.verify(wrong, REFERENCE)
    assert [cause.counterpart for cause in result.causes] == ["act9_out"]
    assert result.causes[0].reasons == ("alpha is 0.600000024 here, 0.100000001 in the reference",)
    wrong = quantized(edited("act8", set_attribute("alpha", 0.98)), how, tmp_path)  # an Elu
    result = onnx_acts.verify(onnx_acts.accelerate(wrong, unsigned=True), REFERENCE)
    assert not result.same
    assert [cause.counterpart for cause in result.causes] == ["act8_out"]
