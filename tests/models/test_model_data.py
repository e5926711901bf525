"""The data: what is held out was not trained on, and nothing comes from the network."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models import data
from tests.building import ROOT

OFFLINE = """
import socket

def refuse(*_args, **_keywords):
    raise AssertionError("the data asked for the network")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from models import data

data.digits(8)
for photo in (*data.TRAINING_PHOTOS, *data.HELD_OUT_PHOTOS):
    data.photograph(photo)
"""


def test_all_data_loads_offline_with_empty_caches(tmp_path: Path) -> None:
    """Data loads in a fresh process that has no network and no cache, and it leaves no cache."""
    variables = ("HOME", "XDG_CACHE_HOME", "SKIMAGE_DATADIR", "SCIKIT_LEARN_DATA")
    empty = {variable: str(tmp_path) for variable in variables}
    # Newer releases of onnxruntime keep a file of their own in the cache, whatever is loaded.
    command = [sys.executable, "-c", OFFLINE]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **empty})
    assert {path.name for path in tmp_path.iterdir()} <= {"Microsoft"}


def test_every_digit_is_either_trained_on_or_held_out() -> None:
    """The two parts of the split are disjoint and together are all digits."""
    train, held_out = data.digits_split()
    assert (len(train), len(held_out)) == (1257, 540)
    assert np.array_equal(np.sort(np.concatenate([train, held_out])), np.arange(1797))


def test_held_out_digits_are_stratified() -> None:
    """Each class has its share of the held-out digits, to within one image."""
    digits = data.digits(8)
    share = len(digits.held_out_labels) / 1797
    classes = np.bincount(np.concatenate([digits.train_labels, digits.held_out_labels]))
    assert np.all(np.abs(np.bincount(digits.held_out_labels) - share * classes) <= 1)


def test_held_out_photographs_are_not_trained_on() -> None:
    """No photograph stands in both lists, under its own name or under another."""
    train, held_out = (
        {data.photograph(name).tobytes() for name in names}
        for names in (data.TRAINING_PHOTOS, data.HELD_OUT_PHOTOS)
    )
    assert len(train) == len(data.TRAINING_PHOTOS)
    assert len(held_out) == len(data.HELD_OUT_PHOTOS)
    assert not train & held_out


@pytest.mark.parametrize("size", [8, 16, 32])
def test_digits_are_float32_in_unit_range(size: int) -> None:
    """Digits of every size are float32 and use [0, 1]."""
    images = data.digits(size).held_out_images
    assert images.dtype == np.float32
    assert images.shape[1:] == (1, size, size)
    assert images.min() == 0
    assert 0.9 < images.max() <= 1


@pytest.mark.parametrize("name", data.HELD_OUT_PHOTOS)
def test_photographs_scale_by_two(name: str) -> None:
    """A photograph has even sides, lies in [0, 1], and keeps its shape when halved and doubled."""
    photo = data.photograph(name)
    small = data.downscale(photo)
    assert photo.dtype == small.dtype == np.float32
    assert 0 <= photo.min() < 0.1
    assert 0.5 < photo.max() <= 1
    assert data.upscale_bicubic(small).shape == photo.shape
