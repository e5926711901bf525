"""Writes Keras's activations as ONNX files, with what Keras itself computes beside each.

Run by `test_keras.py` in a process of its own, with Keras's PyTorch backend:
python keras_exports.py FOLDER
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

os.environ["KERAS_BACKEND"] = "torch"  # before Keras is imported

import keras
from keras import layers

ONE_SIGN = keras.initializers.RandomUniform(0.1, 0.9, seed=1)
BOTH_SIGNS = keras.initializers.RandomUniform(-1, 2, seed=1)

LAYERS: dict[str, Callable[[], Any]] = {
    "PReLU": lambda: layers.PReLU(alpha_initializer=BOTH_SIGNS),
    "PReLU, shared": lambda: layers.PReLU(alpha_initializer=BOTH_SIGNS, shared_axes=[1, 2]),
    "PReLU, of rows": lambda: layers.PReLU(alpha_initializer=BOTH_SIGNS, shared_axes=[2, 3]),
    "PReLU, of one slope": lambda: layers.PReLU(alpha_initializer=ONE_SIGN, shared_axes=[1, 2, 3]),
    "PReLU, as it starts": lambda: layers.PReLU(shared_axes=[1, 2]),
    "LeakyReLU": layers.LeakyReLU,
    "LeakyReLU, 0.1": lambda: layers.LeakyReLU(negative_slope=0.1),
    "ReLU": layers.ReLU,
    "ReLU, slope": lambda: layers.ReLU(negative_slope=0.2),
    "ReLU, threshold": lambda: layers.ReLU(threshold=1.0),
    "ReLU, maximum": lambda: layers.ReLU(max_value=6.0),
    "ReLU, maximum and slope": lambda: layers.ReLU(max_value=6.0, negative_slope=0.1),
    "ReLU, all": lambda: layers.ReLU(max_value=6.0, negative_slope=0.1, threshold=0.5),
    "ELU": layers.ELU,
    "ELU, 0.5": lambda: layers.ELU(alpha=0.5),
    "relu": lambda: layers.Activation("relu"),
    "leaky_relu": lambda: layers.Activation("leaky_relu"),
    "elu": lambda: layers.Activation("elu"),
    "celu": lambda: layers.Activation("celu"),
}
OTHERS = [
    "relu6",
    "selu",
    "silu",
    "gelu",
    "softplus",
    "hard_silu",
    "hard_sigmoid",
    "mish",
    "squareplus",
    "sparse_plus",
    "tanh_shrink",
    "soft_shrink",
    "hard_shrink",
    "hard_tanh",
    "glu",
    "softsign",
]
"""Activations that are none of the five."""


def write(name: str, make: Callable[[], Any], dtype: str, folder: Path) -> None:
    """Writes one network and its values.

    ONNX Runtime's CPU has convolutions in float32 only; Keras writes float32 inputs for all types.
    """
    keras.config.set_dtype_policy(dtype)
    keras.utils.set_random_seed(3)
    first = layers.Conv2D(4, 3, padding="same") if dtype == "float32" else layers.Dense(4)
    network = keras.Sequential([keras.Input((6, 6, 3)), first, make()])
    x = np.random.default_rng(4).normal(size=(2, 6, 6, 3), scale=3).astype("float32")
    y = keras.ops.convert_to_numpy(network(x))
    np.savez(folder / f"{name} {dtype}.npz", x=x, y=y)
    network.export(str(folder / f"{name} {dtype}.onnx"), format="onnx", verbose=False)


def main(folder: Path) -> None:
    """Writes all of them."""
    for dtype in ("float32", "float64", "float16"):
        for name, make in LAYERS.items():
            write(name, make, dtype, folder)
    for name in OTHERS:
        write(name, functools.partial(layers.Activation, name), "float32", folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
