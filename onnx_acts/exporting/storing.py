"""Where the weights of an exported model go: into its file, or into one beside it."""

from __future__ import annotations

import os

import onnx

from onnx_acts.files.saving import fits_one_file, save_model

__all__ = ["check_external_data", "save"]


def check_external_data(wanted: object) -> None:
    """Requires None, a bool or a number of bytes.

    Raises:
        TypeError: something else.
        ValueError: a negative number.
    """
    if wanted is not None and not isinstance(wanted, int):
        raise TypeError(
            "external_data must be True, False, None or a number of bytes, got"
            f" {type(wanted).__name__}"
        )
    if isinstance(wanted, int) and wanted < 0:
        raise ValueError(f"external_data must be 0 bytes or more, got {wanted}")


def save(
    model: onnx.ModelProto, path: str | os.PathLike[str], external_data: bool | int | None
) -> None:
    """Writes a model.

    Args:
        model: the model.
        path: its file.
        external_data: True writes the large weights to a file beside it, a number does so where
            there are more bytes of weights, None where one file cannot have them, False never.

    Raises:
        ValueError: False, and one file cannot have them.
        OSError: it cannot be written.
    """
    if external_data is False and not fits_one_file(model):
        raise ValueError(
            "the weights do not fit into one file, which ends at 2 GiB: leave external_data=False"
            " (--external-data never) out"
        )
    if isinstance(external_data, bool):
        external_data = 0 if external_data else None
    save_model(model, path, inline_limit=external_data)
