"""JAX: the functions of `jax.nn`; a leaky ReLU takes a slope for each element."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, standard_call

__all__ = ["run"]

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]  # jax declares none

_CALLS = itertools.count(1)
"""Each shape is compiled, and what is compiled is kept: gigabytes after thousands of cases."""


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    call = standard_call(operator, arrays, attributes)
    if next(_CALLS) % 100 == 0:
        jax.clear_caches()  # type: ignore[no-untyped-call]  # as above
    x = jnp.asarray(call.x)
    if call.name == "Relu":
        return np.asarray(jax.nn.relu(x))
    if call.name == "Elu":
        return np.asarray(jax.nn.elu(x, call.alpha))
    slope = call.alpha if call.slope is None else jnp.asarray(call.slope)
    return np.asarray(jax.nn.leaky_relu(x, slope))
