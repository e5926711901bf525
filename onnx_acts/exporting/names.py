"""The caller's names for inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence

import onnx

__all__ = ["check_input_names", "check_names", "check_output_names"]


def check_names(inputs: Sequence[str] | None, outputs: Sequence[str] | None) -> None:
    """Requires names that can stand side by side.

    Raises:
        TypeError: no sequence of texts.
        ValueError: a name is empty, or stands twice.
    """
    for what, names in (("input_names", inputs), ("output_names", outputs)):
        if names is None:
            continue
        if isinstance(names, str):
            raise TypeError(f"{what} must be a sequence of names, like [{names!r}], got a str")
        for name in names:
            if not isinstance(name, str):
                raise TypeError(f"{what}: a name must be a str, got {name!r}")
            if not name:
                raise ValueError(f"{what}: a name is empty")
    both = [*(inputs or ()), *(outputs or ())]
    twice = sorted({name for name in both if both.count(name) > 1})
    if twice:
        raise ValueError(f"input_names, output_names: {twice[0]!r} stands twice")


def check_input_names(names: Sequence[str] | None, count: int) -> None:
    """Requires a name for each input.

    Raises:
        ValueError: there are more names or fewer.
    """
    if names is not None and len(names) != count:
        raise ValueError(
            f"input_names has {len(names)} name(s), {', '.join(names)}; the module gets {count}"
            " tensor(s)"
        )


def check_output_names(model: onnx.ModelProto, names: Sequence[str] | None) -> None:
    """Requires a name for each output of a captured model, which has them by now.

    Raises:
        ValueError: there are more names or fewer.
    """
    count = len(model.graph.output)
    if names is not None and len(names) != count:
        raise ValueError(
            f"output_names has {len(names)} name(s), {', '.join(names)}; the module gives {count}"
            " tensor(s)"
        )
