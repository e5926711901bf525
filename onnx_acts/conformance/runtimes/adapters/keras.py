"""Keras 3 on TensorFlow: the functions of `keras.ops`, and the layer PReLU."""

from __future__ import annotations

import os

import numpy as np

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import tensorflow as tf

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, standard_call

__all__ = ["run"]


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    call = standard_call(operator, arrays, attributes)
    x = tf.constant(call.x)
    if call.slope is None:
        functions = {
            "Relu": keras.ops.relu,
            "Elu": keras.ops.elu,
            "LeakyRelu": keras.ops.leaky_relu,
        }
        parameters = () if call.name == "Relu" else (call.alpha,)
        return np.asarray(functions[call.name](x, *parameters).numpy())
    aligned = (1,) * (call.x.ndim - call.slope.ndim) + call.slope.shape
    if call.x.ndim < 2 or aligned[0] != 1:
        raise NotImplementedError("a Keras layer has one slope for all of a batch")
    shared = [axis for axis in range(1, call.x.ndim) if aligned[axis] == 1]
    layer = keras.layers.PReLU(shared_axes=shared, dtype=call.x.dtype.name)
    layer.build(call.x.shape)
    layer.set_weights([call.slope.reshape(layer.alpha.shape)])
    return np.asarray(layer(x).numpy())
