"""What the library computes, as hashes: `python hashes.py`, with onnx-acts installed, prints JSON.

Inputs are bits from a counter-based generator, the same everywhere, so every kind of number is in
them. Two machines, compilers or runtimes compute the same if these hashes are equal. Not compared:
which of its many NaNs a processor makes.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

import onnx_acts

Array = NDArray[Any]

TYPES: dict[str, tuple[int, Any, type[np.unsignedinteger[Any]]]] = {
    "float16": (TensorProto.FLOAT16, np.float16, np.uint16),
    "bfloat16": (TensorProto.BFLOAT16, ml_dtypes.bfloat16, np.uint16),
    "float32": (TensorProto.FLOAT, np.float32, np.uint32),
    "float64": (TensorProto.DOUBLE, np.float64, np.uint64),
}
SHAPES = ((1, 1, 1), (2, 5, 37), (3, 7, 1024))
"""A tail alone, tails after registers, and whole blocks."""

EVERY = (1, 64, 1024)
"""Every number of 16 bits once: few products lie where two roundings would be one too many."""

FORMS: tuple[tuple[str, dict[str, float | int]], ...] = (
    ("ReLU", {}),
    ("LeakyReLU", {}),
    ("LeakyReLU", {"alpha": -0.3}),
    ("LeakyReLU", {"alpha": 1.5}),
    ("PReLU", {}),
    ("RReLU", {}),
    ("RReLU", {"lower": 0.1, "upper": 0.7}),
    ("RReLU", {"training_mode": 1, "seed": 7}),
    ("RReLU", {"training_mode": 1, "seed": -1, "lower": 0.25, "upper": 2.5}),
    ("ELU", {}),
    ("ELU", {"alpha": 0.1}),
    ("ELU", {"alpha": -2.0}),
    ("ELU", {"alpha": 3.5}),
    ("ELU", {"alpha": 1e-30}),
)


def bits(kind: str, shape: tuple[int, ...], seed: int) -> Array:
    """Numbers of any kind: half with random bits, half of ordinary size."""
    _, dtype, unsigned = TYPES[kind]
    if shape == EVERY:
        every: Array = np.arange(2**16, dtype=unsigned).view(dtype)
        return every.reshape(shape)
    generator = np.random.Philox(key=seed)
    count = math.prod(shape)
    raw = generator.random_raw(2 * count)
    any_bits = raw[:count].astype(unsigned).view(dtype)
    ordinary = ((raw[count:] >> np.uint64(40)).astype(np.float64) / 2**20 - 8).astype(dtype)
    chosen = (raw[:count] >> np.uint64(63)).astype(bool)
    return np.where(chosen, any_bits, ordinary).reshape(shape)


def one_node(
    op: str, inputs: dict[str, tuple[int, tuple[int, ...]]], output: int, **attributes: Any
) -> bytes:
    """A model of one node without a body, so that only the library can compute it."""
    shape = next(iter(inputs.values()))[1]
    graph = helper.make_graph(
        [onnx_acts.make_node(op, list(inputs), ["y"], **attributes)],
        "hashes",
        [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()],
        [helper.make_tensor_value_info("y", output, shape)],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("onnx_acts", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return bytes(model.SerializeToString())


def run(model: bytes, values: list[Array]) -> Array:
    """The output of a model."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    onnx_acts.register(options)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    if not any(value.dtype == ml_dtypes.bfloat16 for value in values):
        return np.asarray(session.run(None, dict(zip(names, values, strict=True)))[0])
    from onnx_acts.ort.values import from_ort, to_ort

    fed = {name: to_ort(value) for name, value in zip(names, values, strict=True)}
    return from_ort(session.run_with_ort_values(None, fed)[0])


def digest(y: Array) -> str:
    """A hash of the bits of an array, with one NaN for all."""
    if y.dtype != np.uint8:
        y = np.where(np.isnan(y), np.asarray(np.nan, y.dtype), y)
    return hashlib.sha256(np.ascontiguousarray(y).tobytes()).hexdigest()[:16]


def real_cases() -> Iterator[tuple[str, bytes, list[Array]]]:
    """Every operator on every element type, by name."""
    for kind, (number, *_) in TYPES.items():
        for shape in (*SHAPES, EVERY) if kind.endswith("16") else SHAPES:
            for op, attributes in FORMS:
                kinds = slope_shapes(shape) if op == "PReLU" else [None]
                for slope in kinds:
                    inputs: dict[str, tuple[int, tuple[int, ...]]] = {"x": (number, shape)}
                    values = [bits(kind, shape, 1)]
                    if slope is not None:
                        inputs["slope"] = (number, slope)
                        values.append(ordinary(bits(kind, slope, 2)))
                    name = f"{op} {kind} {shape} {slope} {attributes}"
                    yield name, one_node(op, inputs, number, **attributes), values


def slope_shapes(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """One slope, one for each channel, one along the last dimension, one for each element."""
    return [(), (shape[1], 1), (shape[2],), shape]


def ordinary(values: Array) -> Array:
    """Finite slopes: NaN where a slope is infinite and x is 0 says nothing."""
    with np.errstate(invalid="ignore"):  # signalling NaNs
        return np.where(np.isfinite(values), values, np.asarray(0.25, values.dtype))


def quantized_cases() -> Iterator[tuple[str, bytes, list[Array]]]:
    """The operators on 8 bits."""
    byte, real = TensorProto.UINT8, TensorProto.FLOAT
    forms: list[tuple[str, dict[str, Any], tuple[int, ...] | None]] = [
        ("QLinearPReLU", {}, ()), ("QLinearPReLU", {}, (7, 1)),
        ("QLinearELU", {}, None), ("QLinearELU", {"alpha": 0.3}, None),
    ]  # fmt: skip
    x = np.random.Philox(key=3).random_raw(3 * 7 * 1024).astype(np.uint8).reshape(3, 7, 1024)
    for x_scale, zero in ((0.05, 128), (0.031, 117), (0.5, 3)):
        for op, attributes, slope in forms:
            inputs: dict[str, tuple[int, tuple[int, ...]]] = {
                "x": (byte, x.shape), "x_scale": (real, ()), "x_zero_point": (byte, ()),
                "y_scale": (real, ()), "y_zero_point": (byte, ()),
            }  # fmt: skip
            values: list[Array] = [
                x, np.array(x_scale, np.float32), np.array(zero, np.uint8),
                np.array(0.047, np.float32), np.array(100, np.uint8),
            ]  # fmt: skip
            if slope is not None:
                inputs["slope"] = (real, slope)
                values.append(ordinary(bits("float32", slope, 4)))
            name = f"{op} {x_scale} {zero} {slope} {attributes}"
            yield name, one_node(op, inputs, byte, **attributes), values


def hashes() -> dict[str, str]:
    """The hash of every case; those that this ONNX Runtime cannot be given are left out."""
    old = not hasattr(onnxruntime.OrtValue, "ortvalue_from_numpy_with_onnx_type")
    found = {}
    for cases in (real_cases(), quantized_cases()):
        for name, model, values in cases:
            if not (old and values[0].dtype == ml_dtypes.bfloat16):
                found[name] = digest(run(model, values))
    return found


if __name__ == "__main__":
    print(json.dumps({"onnxruntime": onnxruntime.__version__, "hashes": hashes()}))
