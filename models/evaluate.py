"""Held-out batches and the metric, for any runtime.

A runtime is a callable from a NumPy batch to the NumPy output of the network, so that the same
code measures PyTorch, ONNX Runtime and the ONNX reference evaluator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models import data
from models.recipes import RECIPES

Predict = Callable[[data.FloatArray], NDArray[Any]]

BORDER = 2
"""Rows and columns at each edge of a photograph that PSNR leaves out."""


class Batch(NamedTuple):
    """Inputs and what a perfect network would answer.

    Digits: ``target`` holds the labels (N,); photographs: the large photograph (1, 1, 2H, 2W).
    """

    label: str
    inputs: data.FloatArray
    target: NDArray[Any]


class Score(NamedTuple):
    """The metric over the held-out data, and what it was made of.

    ``parts`` is ``correct`` and ``total`` for accuracy, and the PSNR of each photograph in dB
    for PSNR, whose mean is ``value``.
    """

    metric: str
    value: float
    parts: dict[str, float]


def held_out(name: str, batch_size: int = 128) -> Iterator[Batch]:
    """Yield the held-out batches of a model; the last batch of digits is a smaller one."""
    recipe = RECIPES[name]
    if recipe.task == "superres":
        yield from _photo_batches()
        return
    digits = data.digits(int(recipe.input_shape[-1]))
    for start in range(0, len(digits.held_out_labels), batch_size):
        rows = slice(start, start + batch_size)
        yield Batch(f"digits[{start}]", digits.held_out_images[rows], digits.held_out_labels[rows])


def _photo_batches() -> Iterator[Batch]:
    for photo in data.HELD_OUT_PHOTOS:
        large = data.photograph(photo)
        yield Batch(photo, data.downscale(large)[None, None], large[None, None])


def evaluate(name: str, predict: Predict, batch_size: int = 128) -> Score:
    """Measure ``predict`` on the held-out data of the model ``name``."""
    batches = held_out(name, batch_size)
    if RECIPES[name].task == "superres":
        return mean_psnr(predict, batches)
    return accuracy(predict, batches)


def accuracy(predict: Predict, batches: Iterator[Batch]) -> Score:
    """Return the share of rows whose largest logit is that of the label."""
    correct = total = 0
    for batch in batches:
        correct += int(np.sum(predict(batch.inputs).argmax(axis=1) == batch.target))
        total += len(batch.target)
    return Score("accuracy", correct / total, {"correct": correct, "total": total})


def mean_psnr(predict: Predict, batches: Iterator[Batch]) -> Score:
    """Return the mean over photographs of the PSNR in dB."""
    parts = {batch.label: psnr(predict(batch.inputs), batch.target) for batch in batches}
    return Score("psnr_db", sum(parts.values()) / len(parts), parts)


def psnr(image: NDArray[Any], truth: NDArray[Any]) -> float:
    """Return 10 log10(1 / MSE) in dB without the border; ``image`` is first cut to [0, 1]."""
    error = np.clip(image.astype(np.float64), 0, 1) - truth
    inner = error[..., BORDER:-BORDER, BORDER:-BORDER]
    return float(-10 * np.log10(np.mean(inner**2)))


def bicubic_score() -> Score:
    """Measure bicubic interpolation as if it were a super-resolution network."""
    return mean_psnr(lambda batch: data.upscale_bicubic(batch[0, 0])[None, None], _photo_batches())


def torch_predict(module: nn.Module) -> Predict:
    """Return a runtime that runs ``module``, put into inference mode, in PyTorch."""
    module.eval()

    def predict(inputs: data.FloatArray) -> NDArray[Any]:
        with torch.inference_mode():
            outputs: NDArray[Any] = module(torch.from_numpy(inputs)).numpy()
        return outputs

    return predict
