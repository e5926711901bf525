"""Real data that ships inside the wheels of scikit-learn and scikit-image; no network needed.

Digits: the 1,797 scans of the UCI test set "Optical Recognition of Handwritten Digits", 8 x 8.
Photographs: luminance only; whole photographs are held out, not patches of trained ones.
All values are float32 in [0, 1].
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import skimage.data
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits, load_sample_image
from sklearn.model_selection import train_test_split
from torch.nn import functional

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

SPLIT_SEED = 0
"""Seed of the split of the digits. It is not the training seed: every model has one split."""

TRAINING_PHOTOS = (
    "astronaut",
    "brick",
    "china.jpg",
    "coins",
    "grass",
    "gravel",
    "hubble_deep_field",
    "moon",
    "retina",
    "stereo_motorcycle",
)
HELD_OUT_PHOTOS = ("camera", "chelsea", "coffee", "flower.jpg", "rocket")
"""Names in ``skimage.data``, or with ``.jpg`` in ``sklearn.datasets.load_sample_image``."""

_BT601 = np.array([0.299, 0.587, 0.114])


class Digits(NamedTuple):
    """Images (N, 1, size, size) and labels (N,), for training and held out."""

    train_images: FloatArray
    train_labels: IntArray
    held_out_images: FloatArray
    held_out_labels: IntArray


@cache
def digits_split() -> tuple[IntArray, IntArray]:
    """Return the row numbers of the 1,257 training and the 540 held-out digits, stratified."""
    labels = load_digits().target
    train, held_out = train_test_split(
        np.arange(len(labels)), test_size=0.3, random_state=SPLIT_SEED, stratify=labels
    )
    return np.sort(train), np.sort(held_out)


@cache
def digits(size: int) -> Digits:
    """Return the digits, enlarged from 8 x 8 to ``size`` x ``size`` by bilinear interpolation."""
    bunch = load_digits()
    images = torch.from_numpy(bunch.images.astype(np.float32) / 16).unsqueeze(1)
    if size != images.shape[-1]:
        images = functional.interpolate(images, size=(size, size), mode="bilinear")
    pixels, labels = images.numpy(), bunch.target.astype(np.int64)
    train, held_out = digits_split()
    return Digits(pixels[train], labels[train], pixels[held_out], labels[held_out])


@cache
def photograph(name: str) -> FloatArray:
    """Return the luminance (H, W) of a photograph, cut to even height and width."""
    is_file = name.endswith(".jpg")
    pixels = load_sample_image(name) if is_file else getattr(skimage.data, name)()
    if isinstance(pixels, tuple):  # the stereo pair with its disparity: the left photograph
        pixels = pixels[0]
    is_colour = pixels.shape[2:] == (3,)
    luminance = pixels @ _BT601 if is_colour else pixels
    height, width = (length // 2 * 2 for length in luminance.shape)
    return np.asarray(luminance[:height, :width] / 255, dtype=np.float32)


def downscale(photo: FloatArray) -> FloatArray:
    """Halve (H, W) by antialiased bicubic interpolation, then round to 8 bits like a file."""
    return np.asarray(np.round(_bicubic(photo, 0.5) * 255) / 255, dtype=np.float32)


def upscale_bicubic(photo: FloatArray) -> FloatArray:
    """Double (H, W) by bicubic interpolation: the method that a network has to beat."""
    return _bicubic(photo, 2.0)


def _bicubic(photo: FloatArray, factor: float) -> FloatArray:
    # With antialias=True PyTorch uses the cubic with a = -0.5, as Pillow does, in both directions;
    # without, a = -0.75, and halving would skip pixels.
    resized = functional.interpolate(
        torch.from_numpy(photo)[None, None], scale_factor=factor, mode="bicubic", antialias=True
    )
    return np.asarray(resized[0, 0].clamp(0, 1).numpy())
