"""PyTorch as the reference: what a module gives, and the ONNX file of it for the walk."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import torch
from numpy.typing import NDArray

from onnx_acts.exporting import export, verification
from onnx_acts.exporting.subjects import subject_of

__all__ = ["TorchReference"]


class TorchReference:
    """A module, in evaluation mode while it is asked."""

    def __init__(self, given: object, names: Sequence[str]) -> None:
        """Takes the module that is to be compared with.

        Args:
            given: as `onnx_acts.export` takes it.
            names: the inputs of the model, in order.

        Raises:
            TypeError: it is no module or program.
        """
        self._given, self._names = given, list(names)
        self.module = subject_of(given).module
        self.name = f"PyTorch's {type(self.module).__name__}"
        tensors = (*self.module.parameters(), *self.module.buffers())
        self.rounds = any(item.dtype in (torch.float16, torch.bfloat16) for item in tensors)

    def expect(self, feeds: Mapping[str, NDArray[Any]]) -> list[verification.Expectation]:
        """What the module gives, and how far rounding can take that.

        Raises:
            ValueError: it cannot run on these inputs.
        """
        args, kwargs = self._call(feeds)
        with _evaluating(self.module):
            return verification.expect(self.module, args, kwargs)

    def exported(self, feeds: Mapping[str, NDArray[Any]], folder: Path) -> Path:
        """Exports the module, for inputs of these shapes, and compares the file with it.

        Raises:
            VerificationError, ValueError, TypeError: as in `onnx_acts.export`.
        """
        args, kwargs = self._call(feeds)
        path = folder / "reference.onnx"
        shapes: Any = None if isinstance(self._given, torch.export.ExportedProgram) else {}
        with warnings.catch_warnings(), _evaluating(self.module):
            warnings.simplefilter("ignore")
            export(
                self._given,  # type: ignore[arg-type]  # what `subject_of` takes
                args,
                path,
                kwargs=kwargs,
                style="standard",
                dynamic_shapes=shapes,
                verify="bodies",
                input_names=None,
            )
        return path

    def _call(self, feeds: Mapping[str, NDArray[Any]]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments: by keyword where the names are those of `forward`, else in order."""
        tensors = {name: _tensor(feeds[name]) for name in self._names}
        known = inspect.signature(self.module.forward).parameters
        plain = [n for n, p in known.items() if p.kind == inspect.Parameter.POSITIONAL_OR_KEYWORD]
        if set(tensors) <= set(plain) and list(tensors) != plain[: len(tensors)]:
            return (), tensors
        return tuple(tensors.values()), {}


@contextlib.contextmanager
def _evaluating(module: torch.nn.Module) -> Iterator[None]:
    """Puts a module into evaluation mode, and back afterwards."""
    flags = [(part, part.training) for part in module.modules()]
    try:
        with contextlib.suppress(NotImplementedError):  # of modules of exported programs
            module.eval()
        yield
    finally:
        for part, flag in flags:
            part.training = flag


def _tensor(array: NDArray[Any]) -> torch.Tensor:
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.uint16).copy()).view(torch.bfloat16)
    return torch.from_numpy(np.array(array))
