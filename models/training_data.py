"""Training batches of one epoch, in an order that the generator alone decides."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models import data
from models.recipes import Recipe

PATCH = 24
"""Height and width of a small patch; the large one has twice as much."""
PATCHES_PER_EPOCH = 1600

Pair = tuple[Tensor, Tensor]


def batches(recipe: Recipe, random: np.random.Generator) -> Iterator[Pair]:
    """Yield (inputs, targets) of one epoch."""
    if recipe.task == "superres":
        return _patches(recipe.batch_size, random)
    return _digits(int(recipe.input_shape[-1]), recipe.batch_size, random)


def steps_per_epoch(recipe: Recipe) -> int:
    """Return how many batches an epoch has: those that are whole."""
    if recipe.task == "superres":
        return PATCHES_PER_EPOCH // recipe.batch_size
    return len(data.digits_split()[0]) // recipe.batch_size


def _digits(size: int, batch_size: int, random: np.random.Generator) -> Iterator[Pair]:
    digits = data.digits(size)
    order = random.permutation(len(digits.train_labels))
    # A last, smaller batch would give batch normalisation a noisier estimate: leave it out.
    for start in range(0, len(order) - batch_size + 1, batch_size):
        rows = order[start : start + batch_size]
        yield (
            torch.from_numpy(digits.train_images[rows]),
            torch.from_numpy(digits.train_labels[rows]),
        )


def _patches(batch_size: int, random: np.random.Generator) -> Iterator[Pair]:
    for _ in range(PATCHES_PER_EPOCH // batch_size):
        pairs = [_patch(random) for _ in range(batch_size)]
        small, large = (np.stack(side)[:, None] for side in zip(*pairs, strict=True))
        yield torch.from_numpy(small), torch.from_numpy(large)


def _patch(random: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a random small patch and its large original, turned and mirrored alike."""
    small, large = _photos()[random.integers(len(data.TRAINING_PHOTOS))]
    row = int(random.integers(small.shape[0] - PATCH + 1))
    column = int(random.integers(small.shape[1] - PATCH + 1))
    turns, mirrored = int(random.integers(4)), bool(random.integers(2))

    def cut(photo: data.FloatArray, scale: int) -> NDArray[Any]:
        rows = slice(row * scale, (row + PATCH) * scale)
        columns = slice(column * scale, (column + PATCH) * scale)
        patch = np.rot90(photo[rows, columns], turns)
        return patch[:, ::-1] if mirrored else patch

    return cut(small, 1), cut(large, 2)


@cache
def _photos() -> list[tuple[data.FloatArray, data.FloatArray]]:
    photos = [data.photograph(name) for name in data.TRAINING_PHOTOS]
    return [(data.downscale(photo), photo) for photo in photos]
