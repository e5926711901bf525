"""TensorFlow: the functions of `tf.nn`, eager; it leaves PReLU to Keras."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, standard_call

__all__ = ["run"]


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    call = standard_call(operator, arrays, attributes)
    if call.name == "PRelu" or (call.name == "Elu" and call.alpha != 1):
        raise NotImplementedError("tf.nn has no PReLU, and an ELU without alpha")
    x = tf.constant(call.x)
    if call.name == "LeakyRelu":
        return np.asarray(tf.nn.leaky_relu(x, call.alpha).numpy())
    return np.asarray({"Relu": tf.nn.relu, "Elu": tf.nn.elu}[call.name](x).numpy())
