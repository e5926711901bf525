"""A verification as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from onnx_acts.verifying.result import Verification

__all__ = ["FORMAT", "json_text"]

FORMAT = "onnx-acts verification 1"
"""The first entry of the file; the number grows when a reader of the old form would be misled."""


def json_text(result: Verification) -> str:
    """The whole result, the same text for the same result.

    Infinities and NaN are the strings "inf", "-inf" and "nan": JSON has no such numbers.
    """
    return json.dumps({"format": FORMAT, **_plain(result)}, indent=1, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
