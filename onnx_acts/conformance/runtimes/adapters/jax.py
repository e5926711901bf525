"""JAX: the functions of `jax.nn`; a leaky ReLU takes a slope for each element."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, standard_call

__all__ = ["run"]

jax.config.update("jax_enable_x64", True)


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    call = standard_call(operator, arrays, attributes)
    x = jnp.asarray(call.x)
    if call.name == "Relu":
        return np.asarray(jax.nn.relu(x))
    if call.name == "Elu":
        return np.asarray(jax.nn.elu(x, call.alpha))
    slope = call.alpha if call.slope is None else jnp.asarray(call.slope)
    return np.asarray(jax.nn.leaky_relu(x, slope))
