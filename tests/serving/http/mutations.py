"""Requests with one to three faults, drawn from a seed."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import numpy as np

from tests.serving.load.messages import binary_body, json_body

__all__ = ["mutated_body", "mutated_message"]

_NUMBERS = [0, 1, -1, 2, 4, 8, 32, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e39, 1e308]
_TEXTS = ["", "x", "y", "FP32", "FP16", "BYTES", "\x00", "\ud800", "\u00e9", "z" * 300]
_LISTS: list[Any] = [[], [[]], [{}], [1, 2], [2, 4], [0, 4], [1] * 8, [[1] * 4] * 2]
_OBJECTS: list[Any] = [{}, {"name": "x"}, {"binary_data_size": 32}]
_VALUES: list[Any] = [None, True, False, *_NUMBERS, *_TEXTS, *_LISTS, *_OBJECTS]

_TOKENS = [
    b"NaN",
    b"Infinity",
    b"-",
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b",",
    b":",
    b"\x00",
    b"\xff",
    b"1e999",
]

X = np.arange(8, dtype=np.float32).reshape(2, 4)


def mutated_body(seed: int) -> tuple[bytes, int | None]:
    """A body, and the length of its JSON where that is said."""
    draw = random.Random(seed)
    if draw.random() < 0.5:
        body, headers = binary_body({"x": X}, id="i", outputs=[{"name": "y", "parameters": {}}])
        length = int(headers["Inference-Header-Content-Length"])
    else:
        body = json_body({"x": X}, id="i", outputs=[{"name": "y", "parameters": {}}])
        length = len(body)
    content, tail, is_told = json.loads(body[:length]), body[length:], length < len(body)
    for _ in range(draw.randint(0, 2)):
        content = _changed(content, draw)
    head = json.dumps(content).encode()
    told = len(head)
    if draw.random() < 0.5:
        head = _cut_or_filled(head, draw)
        told = draw.choice([told, len(head)])
    if draw.random() < 0.2:
        tail = _cut_or_filled(tail, draw)
    if draw.random() < 0.1:
        told, is_told = draw.choice([0, 1, told - 1, told + 1, told + 40, 2**40]), True
    return head + tail, told if is_told else None


def _changed(content: Any, draw: random.Random) -> Any:
    """JSON with a value in another's place, a member more or less, or an item twice."""
    content = copy.deepcopy(content)
    places = list(_places(content))
    if not places:
        return draw.choice(_VALUES)
    holder, key = draw.choice(places)
    deed = draw.randrange(4)
    if deed == 0:
        del holder[key]
    elif deed == 1 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    elif deed == 2 and isinstance(holder, dict):
        holder[draw.choice(["name", "data", "shape", "datatype", "parameters", "id", "é"])] = (
            copy.deepcopy(holder[key])
        )
    else:
        holder[key] = copy.deepcopy(draw.choice(_VALUES))
    return content


def _places(content: Any) -> Any:
    """Everything that is in a list or an object."""
    if isinstance(content, dict | list):
        for key in content if isinstance(content, dict) else range(len(content)):
            yield content, key
            yield from _places(content[key])


def _cut_or_filled(text: bytes, draw: random.Random) -> bytes:
    """Bytes with a piece gone, doubled, or something else in its place."""
    start = draw.randint(0, len(text))
    end = min(len(text), start + draw.choice([1, 1, 1, 4, 40, 10**9]))
    piece = [b"", text[start:end] * 2, draw.choice(_TOKENS), draw.randbytes(3)]
    return text[:start] + draw.choice(piece) + text[end:]


def mutated_message(seed: int) -> bytes:
    """A whole HTTP message with faults in its head, too."""
    draw = random.Random(seed)
    body, length = mutated_body(seed)
    lines = [b"POST /v2/models/m/infer HTTP/1.1", b"Host: localhost", b"Connection: close"]
    lines.append(b"Content-Length: %d" % len(body))
    if length is not None:
        lines.append(b"Inference-Header-Content-Length: %d" % length)
    head = b"\r\n".join([*lines, b"", b""])
    for _ in range(draw.randint(1, 3)):
        head = _cut_or_filled(head, draw)
    return head + body
