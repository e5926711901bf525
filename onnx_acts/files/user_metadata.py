"""What users write into a model's `metadata_props`: labels, a stride, preprocessing.

A text stays as it is, so that every tool can read it. Anything else is written as JSON, and
`onnx_acts.metadata` lists those keys, so that reading gives back what was written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import onnx
from onnx import helper

from onnx_acts.files.reading import Model, opened

__all__ = ["OWN_PREFIX", "encoded", "read_metadata", "record_of", "write_metadata"]

OWN_PREFIX = "onnx_acts."
"""How the keys begin that this package writes itself."""

_KINDS = f"{OWN_PREFIX}metadata"
_JSON, _NUMBERED = "json", "json, numbered"


def read_metadata(model: Model) -> dict[str, Any]:
    """Reads a model's metadata: what `export(..., metadata=...)` has written, or another tool.

    Args:
        model: a path, the bytes of a file or a `ModelProto`; weights are not loaded.

    Returns:
        The values by key, as they were given (a tuple comes back as a list). What other tools have
        written is text. The record of this package, whose keys begin with "onnx_acts.", is left
        out.

    Raises:
        ValueError: not a valid model, or a value that is no longer what was written.
        FileNotFoundError: there is no such file.

    Example:
        >>> onnx_acts.read_metadata("model.onnx")
        {'labels': ['cat', 'dog'], 'stride': 32}
    """
    with opened(model) as source:
        properties = _properties(source.model)
    kinds = _parsed(_KINDS, properties.get(_KINDS, "{}"))
    if not isinstance(kinds, dict):
        raise ValueError(f"metadata {_KINDS!r} is no JSON object")
    return {
        key: _decoded(key, text, kinds.get(key))
        for key, text in properties.items()
        if not key.startswith(OWN_PREFIX)
    }


def record_of(model: onnx.ModelProto) -> dict[str, str]:
    """What this package has written about an export, without the prefix of its keys."""
    return {
        key.removeprefix(OWN_PREFIX): text
        for key, text in _properties(model).items()
        if key.startswith(OWN_PREFIX) and key != _KINDS
    }


def write_metadata(model: onnx.ModelProto, metadata: Mapping[str, Any]) -> None:
    """Adds metadata to a model, in the place of what has the same keys.

    Raises:
        TypeError, ValueError: see `encoded`.
    """
    if metadata:
        helper.set_model_props(model, _properties(model) | encoded(metadata))


def encoded(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The metadata as texts.

    Raises:
        TypeError: no mapping, a key that is no text, or a value that JSON has no form for.
        ValueError: a key that is empty or this package's, or a number that is not finite.
    """
    if not isinstance(metadata, Mapping):
        raise TypeError(f"metadata must be a dictionary, got {type(metadata).__name__}")
    texts: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for key, value in metadata.items():
        _check_key(key)
        if isinstance(value, str):
            texts[key] = value
            continue
        kinds[key] = _NUMBERED if _is_numbered(value) else _JSON
        texts[key] = _json(key, value)
    return texts | ({_KINDS: json.dumps(kinds)} if kinds else {})


def _check_key(key: object) -> None:
    if not isinstance(key, str):
        raise TypeError(f"metadata: a key must be a str, got {key!r}")
    if not key or key.startswith(OWN_PREFIX):
        raise ValueError(
            f"metadata: {key!r} cannot be a key; keys are not empty and do not begin with"
            f" {OWN_PREFIX!r}"
        )


def _is_numbered(value: object) -> bool:
    """Whether a value is a dictionary like {0: "cat", 1: "dog"}: JSON makes texts of its keys."""
    return isinstance(value, dict) and bool(value) and all(type(key) is int for key in value)


def _json(key: str, value: Any) -> str:
    inner = value.values() if _is_numbered(value) else (value,)
    for item in inner:
        _check_keys(key, item)
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except TypeError as error:
        raise TypeError(
            f"metadata {key!r}: {error}; give texts, numbers, booleans, None, lists and"
            " dictionaries of these (array.tolist() makes a list)"
        ) from error
    except ValueError as error:
        raise ValueError(f"metadata {key!r}: {error}; numbers must be finite") from error


def _check_keys(key: str, value: Any) -> None:
    """Requires texts as keys, deep inside: JSON would change others without a word."""
    if isinstance(value, dict):
        for inner, item in value.items():
            if not isinstance(inner, str):
                raise TypeError(
                    f"metadata {key!r}: the key {inner!r} must be a str (whole numbers can be the"
                    " keys of the outermost dictionary, if all are)"
                )
            _check_keys(key, item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_keys(key, item)


def _decoded(key: str, text: str, kind: object) -> Any:
    if kind not in (_JSON, _NUMBERED):
        return text
    value = _parsed(key, text)
    if kind == _JSON:
        return value
    try:
        return {int(number): item for number, item in value.items()}
    except (AttributeError, ValueError) as error:
        raise ValueError(f"metadata {key!r} has keys that are no numbers") from error


def _parsed(key: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"metadata {key!r} is no JSON: {error}") from error


def _properties(model: onnx.ModelProto) -> dict[str, str]:
    return {item.key: item.value for item in model.metadata_props}
