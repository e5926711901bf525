"""Requests in the protocol's words, written without the server's code."""

from __future__ import annotations

import json
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from tests.serving.load.clients import Exchange, post

__all__ = ["DATATYPES", "binary_body", "exchange", "json_body", "read_answer"]

DATATYPES = {
    "FP16": np.dtype(np.float16),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
}


def _name(array: NDArray[Any]) -> str:
    return next(name for name, dtype in DATATYPES.items() if dtype == array.dtype)


def binary_body(feeds: dict[str, NDArray[Any]], **more: Any) -> tuple[bytes, dict[str, str]]:
    """A request with its tensors as bytes, which asks for bytes; and the headers that it needs."""
    inputs = [
        {
            "name": name,
            "shape": list(array.shape),
            "datatype": _name(array),
            "parameters": {"binary_data_size": array.nbytes},
        }
        for name, array in feeds.items()
    ]
    head = json.dumps(
        {"inputs": inputs, "parameters": {"binary_data_output": True}, **more}
    ).encode()
    content = head + b"".join(array.tobytes() for array in feeds.values())
    return content, {
        "Inference-Header-Content-Length": str(len(head)),
        "Content-Type": "application/octet-stream",
    }


def json_body(feeds: dict[str, NDArray[Any]], **more: Any) -> bytes:
    """A request in JSON alone."""
    inputs = [
        {
            "name": name,
            "shape": list(array.shape),
            "datatype": _name(array),
            "data": array.astype(np.float64).ravel().tolist(),
        }
        for name, array in feeds.items()
    ]
    return json.dumps({"inputs": inputs, **more}).encode()


def read_answer(body: bytes, header_length: str | None) -> dict[str, NDArray[Any]]:
    """The outputs of an answer, from bytes or JSON."""
    length = len(body) if header_length is None else int(header_length)
    head, rest = json.loads(body[:length]), body[length:]
    found = {}
    for output in head["outputs"]:
        dtype, shape = DATATYPES[output["datatype"]], output["shape"]
        if "data" in output:
            found[output["name"]] = np.array(output["data"]).astype(dtype).reshape(shape)
            continue
        size = output["parameters"]["binary_data_size"]
        found[output["name"]] = np.frombuffer(rest[:size], dtype).reshape(shape)
        rest = rest[size:]
    assert not rest
    return found


def exchange(
    model: str, feeds: dict[str, NDArray[Any]], outputs: dict[str, NDArray[Any]]
) -> Exchange:
    """A request with bytes, and the answer that is right: with these outputs, bit for bit."""
    body, headers = binary_body(feeds)
    answer = b"".join(array.tobytes() for array in outputs.values())
    return Exchange(post(f"/v2/models/{model}/infer", body, headers), answer)
