"""ConvTranspose for `onnx.reference`, in whole-array operations.

The evaluator's own loops over pixels in Python: 50 seconds for a photograph of 256 x 256, which the
demo cannot spend. This one covers what the networks here use: two dimensions, one group.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun

__all__ = ["ConvTranspose"]

Array = NDArray[Any]


class ConvTranspose(OpRun):
    """Y[s i + k - pad] += W[k] X[i] for each kernel position k, plus the bias."""

    def _run(  # noqa: PLR0913  # the operator's attributes
        self,
        x: Array,
        w: Array,
        bias: Array | None = None,
        *,
        auto_pad: str | None = None,
        dilations: list[int] | None = None,
        group: int | None = None,
        kernel_shape: list[int] | None = None,
        output_padding: list[int] | None = None,
        output_shape: list[int] | None = None,
        pads: list[int] | None = None,
        strides: list[int] | None = None,
    ) -> tuple[Array]:
        """Shapes: x (N, C, H, W), w (C, M, kH, kW), bias (M,)."""
        plain = auto_pad in (None, "NOTSET") and (group or 1) == 1 and output_shape is None
        if not plain or x.ndim != 4 or set(dilations or [1]) != {1}:
            raise NotImplementedError("only two dimensions, one group and explicit pads")
        (stride_h, stride_w), extra = strides or [1, 1], output_padding or [0, 0]
        top, left, bottom, right = pads or [0, 0, 0, 0]
        kernel_h, kernel_w = w.shape[2:]
        spread_h, spread_w = (x.shape[2] - 1) * stride_h + 1, (x.shape[3] - 1) * stride_w + 1
        height, width = spread_h + kernel_h - 1 + extra[0], spread_w + kernel_w - 1 + extra[1]
        full = np.zeros((x.shape[0], w.shape[1], height, width), dtype=x.dtype)
        for i in range(kernel_h):
            for j in range(kernel_w):
                window = full[:, :, i : i + spread_h : stride_h, j : j + spread_w : stride_w]
                window += np.einsum("nchw,cm->nmhw", x, w[:, :, i, j], optimize=True)
        result = full[:, :, top : height - bottom, left : width - right]
        return (result if bias is None else result + bias[:, None, None],)
