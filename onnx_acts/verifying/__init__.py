"""Verifying: does a model compute what another one does, and if not, which node is to blame?"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from onnx_acts.verifying.result import Cause, NodeRecord, OutputRecord, Verification

if TYPE_CHECKING:
    import torch

    from onnx_acts.files.reading import Model
    from onnx_acts.verifying.runtimes import Kernels

__all__ = ["Cause", "NodeRecord", "OutputRecord", "Verification", "verify"]


def verify(  # noqa: PLR0913  # the public options, all but two by keyword
    model: Model,
    against: Model | torch.nn.Module | torch.export.ExportedProgram,
    *,
    inputs: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    random: int = 1,
    seed: int = 0,
    shapes: Mapping[str, Sequence[int]] | None = None,
    kernels: Kernels | None = None,
    providers: Sequence[str] | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    nodes: bool = False,
    folder: str | os.PathLike[str] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Verification:
    """Compares a model with a reference, and finds the node that causes a difference.

    Both run as a whole, on the same inputs, and their outputs are compared. The limit of each is
    what rounding explains, in its element type and at its depth (`onnx_acts.comparing.tolerance`).
    Where an output is beyond it, every node is given the reference's values, and the first that
    makes something else of them is the cause. The two may have different nodes: values are matched
    by their names, by what they are, and by their place in the graph.

    Args:
        model: what is verified: a path, the serialised bytes or a `ModelProto`.
        against: what is right: another model, or a PyTorch module or program as `onnx_acts.export`
            takes it, which runs in evaluation mode. Models have the same number of inputs and
            outputs; these are paired by name, or in order where the names differ.
        inputs: arrays by the names of the model's inputs, or the path of a .npz file of them. None
            is random numbers: standard normal ones, 0 or 1, and indices within their table.
        random: how many sets of random inputs, of batch sizes 2, 1 and 3 where that is free.
        seed: of the random numbers. The same seed gives the same result.
        shapes: shapes of random inputs, by name, where free dimensions need certain sizes.
        kernels: what runs the activations of `model`: "library" the native operators, "bodies" ONNX
            Runtime alone, "standard" the native kernels for standard nodes too. None is "library"
            where it has `onnx_acts` nodes. The reference runs on ONNX Runtime alone.
        providers: execution providers of `model`; the CPU where not given.
        atol: an absolute tolerance. With it or `rtol`, the limit is atol + rtol * |want|.
        rtol: a relative tolerance, of the reference's value.
        nodes: look at every node also where the outputs are the same.
        folder: a new or empty one, where the first cause is written: its inputs, a model of it
            alone, the values that it should have, and a program that shows the difference.
        tell: is told what is being done.

    Returns:
        What was found, see `Verification`; `same` is the answer.

    Raises:
        ValueError: a model that cannot be read or run, inputs that do not fit, another number of
            inputs or outputs, or an argument that makes no sense.
        TypeError: something that is no model, or inputs that are no arrays.
        OSError: there is no such file; or `folder` has files already, or cannot be written.
        RuntimeError: an execution provider that cannot be started.
        ImportError: a module, where the extra `export` is not installed.

    Example:
        >>> onnx_acts.verify("fast.onnx", "theirs.onnx").same
        True
    """
    from onnx_acts.comparing.limits import Limits
    from onnx_acts.files.folders import check_folder
    from onnx_acts.verifying.checking import Settings, check
    from onnx_acts.verifying.inputs import from_file
    from onnx_acts.verifying.runtimes import check_kernels
    from onnx_acts.verifying.whole import Plan

    if kernels is not None:
        check_kernels(kernels)
    if random < 1:
        raise ValueError(f"random must be 1 or greater, got {random}")
    if seed < 0:
        raise ValueError(f"seed must be 0 or greater, got {seed}")
    for name, value in (("atol", atol), ("rtol", rtol)):
        if value is not None and not 0 <= value < float("inf"):
            raise ValueError(f"{name} must be 0 or greater and finite, got {value}")
    if folder is not None:
        check_folder(folder)
    given = from_file(inputs) if isinstance(inputs, str | os.PathLike) else inputs
    settings = Settings(
        plan=Plan(given, random, seed, dict(shapes or {})),
        kernels=kernels,
        providers=tuple(providers or ()),
        limits=Limits(atol, rtol),
        nodes=nodes,
        folder=folder,
        tell=tell or (lambda _: None),
    )
    return check(model, against, settings)
