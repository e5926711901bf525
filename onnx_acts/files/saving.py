"""Writing models: in one file, or with a sidecar for what does not fit or would stay behind."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import EncodeError

from onnx_acts.files.moving import move_external, move_weights
from onnx_acts.files.references import is_reference, restored
from onnx_acts.files.sidecars import remove_unused, sidecar_of, sidecars_used
from onnx_acts.files.sources import Weights
from onnx_acts.files.stored import without_data
from onnx_acts.files.weights import (
    check_external_data,
    external_tensors,
    is_large,
    rename_external,
    weight_bytes,
)
from onnx_acts.files.wire import Data, Piece, size
from onnx_acts.files.writing import check_target, replacing, write_pieces

__all__ = ["fits_one_file", "save_model", "serialised"]

_PROTOBUF_LIMIT = 2**31 - 1
"""Bytes that one protobuf message can have."""

_INLINE_LIMIT = _PROTOBUF_LIMIT - 2**24
"""Bytes of weights up to which a model is one file; the rest is for its nodes and names."""

_COPIED = 2**26
"""Bytes of weights of a model in memory up to which protobuf may copy them, twice, to write it."""


def serialised(model: onnx.ModelProto) -> bytes:
    """Returns the bytes of a model.

    Raises:
        ValueError: it is above 2 GiB.
    """
    if weight_bytes(model) <= _INLINE_LIMIT:
        with contextlib.suppress(EncodeError, ValueError):
            return bytes(model.SerializeToString())
    raise ValueError(
        "the model is above 2 GiB, too large to be handed over in memory: save it with"
        " onnx_acts.files.save_model and give the path"
    )


def fits_one_file(model: onnx.ModelProto) -> bool:
    """Tells whether a model can be written without a sidecar."""
    return weight_bytes(model) <= _INLINE_LIMIT


def save_model(
    model: onnx.ModelProto,
    path: str | os.PathLike[str],
    weights: Weights | None = None,
    *,
    inline_limit: int | None = None,
) -> None:
    """Writes a model atomically: the file at `path` is the old one or the whole new one.

    A model above 2 GiB, or above `inline_limit`, goes to two files, `path` and `path` +
    ".<16 digits>.data". The digits are of the content, so that the same model gives the same files,
    and an old model keeps its own sidecar until it is replaced. Then that is removed, unless
    another file beside it names it.

    External data stays where it is if `path` is in its folder. If not, and if `weights` knows where
    it is, it is copied to such a sidecar.

    Args:
        model: the model.
        path: where to write it.
        weights: where the data is that the tensors do not have themselves.
        inline_limit: bytes of weights above which the large ones go to a sidecar; None is the
            most that one file can have.

    Raises:
        ValueError: the model refers to external data that is not in the folder of `path`, or `path`
            is the file of that data; or the file with the data has changed since it was opened.
        OSError: it cannot be written; the message names `path`.
    """
    target = check_target(path)
    weights = weights or Weights()
    old = sidecars_used(target)
    _save(model, target, weights, inline_limit)
    remove_unused(old)


def _save(model: onnx.ModelProto, target: Path, weights: Weights, inline_limit: int | None) -> None:
    """Writes the model, and its sidecar where it needs one."""
    is_elsewhere = _is_elsewhere(model, target, weights)
    is_above = _is_above(model, _INLINE_LIMIT if inline_limit is None else inline_limit)
    if not is_elsewhere and not is_above:
        _write(model, target, weights)
        return
    scratch = sidecar_of(target, secrets.token_hex(8))
    try:
        with replacing(scratch) as stream:
            if is_elsewhere:
                model = move_external(model, stream, scratch.name, weights)
            if is_above:
                model = move_weights(model, stream, scratch.name, weights)
        with _named_by_content(model, scratch, target):
            _write(model, target, weights)
    finally:
        scratch.unlink(missing_ok=True)


def _is_above(model: onnx.ModelProto, limit: int) -> bool:
    """Tells whether there are more bytes of weights, and large tensors to move among them."""
    return weight_bytes(model) > min(limit, _INLINE_LIMIT) and any(
        is_reference(tensor) or is_large(tensor) for tensor in model.graph.initializer
    )


@contextlib.contextmanager
def _named_by_content(model: onnx.ModelProto, scratch: Path, target: Path) -> Iterator[None]:
    """Gives a new sidecar its name; a block that fails leaves none that was not there before."""
    with open(scratch, "rb") as stream:
        digits = hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    sidecar = sidecar_of(target, digits)
    is_new = not sidecar.exists()
    rename_external(model, scratch.name, sidecar.name)
    os.replace(scratch, sidecar)
    try:
        yield
    except BaseException:
        if is_new:
            sidecar.unlink(missing_ok=True)
        raise


def _is_elsewhere(model: onnx.ModelProto, target: Path, weights: Weights) -> bool:
    """Tells whether a model has external data in another folder than its new one; checks it."""
    folder = target.parent
    if weights.folder is not None and not os.path.samefile(weights.folder, folder):
        folder = weights.folder
    is_external = False
    for tensor in external_tensors(model):
        if not is_reference(tensor):
            is_external = True
            file = check_external_data(tensor, folder)
            if target.exists() and os.path.samefile(file, target):
                raise ValueError(
                    f"cannot write {target}: the model has the data of tensor {tensor.name!r} there"
                )
    return is_external and folder != target.parent


def _write(model: onnx.ModelProto, target: Path, weights: Weights) -> None:
    """Writes the file of a model, with the data that its file had before."""
    data: Data | None = weights.data
    if data is None and weight_bytes(model) > _COPIED:
        model, data = without_data(model)
    pieces = _encoded(model, target)
    with replacing(target) as stream:
        write_pieces(stream, pieces, data)
        weights.check_unchanged()


def _encoded(model: onnx.ModelProto, target: Path) -> list[Piece]:
    try:
        pieces = restored(bytes(model.SerializeToString()))
        if size(pieces) > _PROTOBUF_LIMIT:
            raise ValueError(f"{size(pieces)} bytes")
    except (EncodeError, ValueError) as error:
        raise ValueError(
            f"cannot write {target}: the model is above 2 GiB without its weights ({error});"
            " turn large Constant nodes into initializers"
        ) from error
    return pieces
