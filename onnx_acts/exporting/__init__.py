"""PyTorch -> ONNX: trained modules become files with `onnx_acts` nodes and their bodies.

The package is called `exporting` because `onnx_acts.export` is the function: a subpackage of that
name would replace it as soon as it is imported. Importing this package does not import torch.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from onnx_acts.definition.specs import DEFAULT_OPS
from onnx_acts.exporting.options import (
    Options,
    Style,
    Verify,
    tell_nobody,
    tolerance,
    verify_word,
)
from onnx_acts.exporting.result import ExportResult, OutputError, VerificationError

if TYPE_CHECKING:
    import torch

__all__ = ["ExportResult", "OutputError", "VerificationError", "export", "require_torch"]

_NEEDED = ("onnxscript", "safetensors", "torch")
"""What the extra `export` brings."""


def export(  # noqa: PLR0913  # the public options, all but three by keyword
    module: torch.nn.Module | torch.export.ExportedProgram | str | os.PathLike[str],
    args: Any,
    path: str | os.PathLike[str],
    *,
    kwargs: Mapping[str, Any] | None = None,
    style: Style = "acts",
    ops: Sequence[str] = DEFAULT_OPS,
    dynamic_shapes: Any = None,
    opset: int | None = None,
    verify: Verify | bool = "all",
    training: bool = False,
    seed: int = 0,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    optimize: bool = True,
    custom_translation_table: Mapping[Callable[..., Any], Any] | None = None,
    dtype: str | torch.dtype | None = None,
    keep_io_types: bool = False,
    external_data: bool | int | None = None,
    metadata: Mapping[str, Any] | None = None,
    card: bool = False,
    progress: Callable[[str], None] | None = None,
    atol: float | None = None,
    rtol: float | None = None,
) -> ExportResult:
    """Exports a PyTorch module to an ONNX file, compares it with PyTorch, then writes it.

    ReLU, LeakyReLU, PReLU, RReLU and ELU are exported with their exact parameters, whether they are
    modules, functions or in-place functions. The module and `args` are left as they were. A module
    in training mode is exported in evaluation mode; an RReLU in training mode is refused, unless
    `training` says that it shall draw. Several threads may export: they take turns.

    Args:
        module: the trained module; element types float16, bfloat16, float32 and float64. Of one in
            DataParallel, DistributedDataParallel or torch.compile, the module inside is exported.
            A `torch.export.ExportedProgram`, or the path of a .pt2 file, keeps the shapes and the
            mode that it was captured in. torch unpickles parts of such a file, which can run code:
            give only files that you trust.
        args: the example inputs: a tensor or a tuple of what `module.forward` takes. A dictionary
            at the end is an argument like any other, unless `forward` takes it as keyword arguments
            only. An empty tuple stands for the inputs that a program was captured with.
        path: the file to write. It is replaced as a whole, and only after verification.
        kwargs: keyword arguments of `module.forward`.
        style: "acts" writes `onnx_acts` nodes with their function bodies, for the operators in
            `ops` and wherever ONNX Runtime's CPU has no kernel of the standard operator for the
            element type; "standard" writes nothing but standard ONNX operators. In both, a float32
            PReLU of one slope after a convolution is a standard LeakyRelu, unless "acts" and `ops`
            ask for PReLU and LeakyReLU.
        ops: the operators that become `onnx_acts` nodes in the style "acts".
        dynamic_shapes: None makes the first dimension of every input a symbolic "batch" where the
            module allows it, and warns where it does not; `{}` fixes all shapes. A dictionary names
            the dynamic dimensions, and all others are fixed: `{"image": {0: "batch", 2: "height"}}`
            by the inputs' names and axes, with names or `torch.export.Dim`; other forms are as in
            `torch.onnx.export`. The verification tries a second size of each dynamic dimension.
        opset: the version of the standard operators, from 17 to the newest that ONNX Runtime loads;
            None is torch's default. 17 is converted from 18, where each node has an equal.
        verify: "all", or True, compares ONNX Runtime with PyTorch on `args`, on the function bodies
            and on the native library; "bodies" leaves out the library; "none", or False, writes
            without comparing. The tolerance is described in `onnx_acts.comparing.tolerance`.
        training: RReLU modules that are in training mode draw their slopes at run time; everything
            else, such as dropout and batch normalisation, is exported in evaluation mode all the
            same. The values are compared with the mean slope in place of each draw; of the file
            with the draws, only the shapes are.
        seed: the seeds of the random nodes are derived from it, one for each node.
        input_names: names for the graph's inputs, one for each tensor.
        output_names: names for the graph's outputs, one for each tensor.
        optimize: False leaves out the optimiser of torch's exporter, where that fails.
        custom_translation_table: as in `torch.onnx.export`: for operators of your own, the function
            that writes ONNX for them. It goes before this package's translations.
        dtype: an element type, like "float16", to which a copy of the module and its inputs is
            converted.
        keep_io_types: inputs and outputs of 16 bits become float32, with casts inside.
        external_data: True writes large weights to a file beside `path`, False never does, a number
            does so above that many bytes of weights; None does so above 2 GiB.
        metadata: what `onnx_acts.read_metadata` gives back: texts, and whatever JSON can hold.
        card: also writes a model card beside the model, `NAME.card.json` and `NAME.card.md`.
        progress: is told what is being done, a line for each step.
        atol: an absolute tolerance of the verification. With it or `rtol`, the limit of each
            element is atol + rtol * |what PyTorch gives|; the file's metadata say so.
        rtol: a relative tolerance, likewise.

    Returns:
        What was written and how far it is from PyTorch, see `ExportResult`.

    Raises:
        VerificationError: ONNX Runtime differs from PyTorch; nothing is written.
        ValueError: an argument or a parameter that cannot be exported, a module that PyTorch cannot
            export or run, or RReLU in training mode without `training=True`.
        TypeError: an element type that is not supported, or an argument of the wrong kind.
        OSError: the file cannot be written.
        ImportError: the extra is not installed: `pip install "onnx-acts[export]"`.

    Example:
        >>> result = onnx_acts.export(model, torch.zeros(1, 3, 32, 32), "model.onnx")
        >>> result.node_counts
        {'PReLU': 4}
    """
    require_torch()
    from onnx_acts.exporting import pipeline

    options = Options(
        style=style,
        ops=ops if isinstance(ops, str) else tuple(ops),
        dynamic_shapes=dynamic_shapes,
        opset=opset,
        verify=verify_word(verify),
        training=training,
        seed=seed,
        input_names=input_names,
        output_names=output_names,
        optimize=optimize,
        custom_translation_table=custom_translation_table,
        dtype=dtype,
        keep_io_types=keep_io_types,
        external_data=external_data,
        metadata=metadata,
        card=card,
        tell=tell_nobody if progress is None else progress,
        atol=tolerance("atol", atol),
        rtol=tolerance("rtol", rtol),
    )
    return pipeline.run(module, args, dict(kwargs or {}), path, options)


def require_torch() -> None:
    """Imports what exporting needs.

    Raises:
        ImportError: something is not installed; the message says how to install it.
    """
    try:
        for name in _NEEDED:
            importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"exporting needs {error.name}, which is not installed:"
            ' run `pip install "onnx-acts[export]"`; in a clone, `pip install ".[export]"`'
        ) from error
