"""Running an exported model in ONNX Runtime, on the CPU."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from onnx_acts.exporting.arguments import tensors_of
from onnx_acts.files.reading import Model
from onnx_acts.ort import sessions
from onnx_acts.ort.values import from_ort, to_ort

__all__ = ["Sessions", "array_of", "runtime_name"]


class Sessions:
    """The sessions on one model: each is opened when it is first needed, and once."""

    def __init__(self, model: Model) -> None:
        """Opens nothing yet."""
        self.model = model
        self._opened: dict[bool, onnxruntime.InferenceSession] = {}

    def run(self, tensors: Any, *, accelerated: bool) -> list[torch.Tensor]:
        """Runs the model, with ONNX Runtime's own exceptions.

        Args:
            tensors: one for each graph input in order, in a list or in a tree of arguments.
            accelerated: on the library, not on the bodies.
        """
        session = self._session(accelerated)
        names = [item.name for item in session.get_inputs()]
        values = [to_ort(array_of(tensor)) for tensor in tensors_of(tensors)]
        got = session.run_with_ort_values(None, dict(zip(names, values, strict=True)))
        return [_tensor(value) for value in got]

    def _session(self, accelerated: bool) -> onnxruntime.InferenceSession:
        if accelerated not in self._opened:
            self._opened[accelerated] = self._open(accelerated)
        return self._opened[accelerated]

    def _open(self, accelerated: bool) -> onnxruntime.InferenceSession:
        """Makes a session that prints nothing: its exceptions say the same.

        The weights of a file are not packed for it: that takes longer than the few runs.
        """
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not isinstance(self.model, onnx.ModelProto | bytes):
            options.add_session_config_entry("session.disable_prepacking", "1")
        return sessions.session(self.model, session_options=options, accelerated=accelerated)


def array_of(tensor: torch.Tensor) -> NDArray[Any]:
    """The values of a tensor in its own element type, as NumPy and ml_dtypes have it."""
    dense = tensor.detach().cpu().contiguous()
    if dense.dtype == torch.bfloat16:
        return dense.view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
    return dense.numpy()


def runtime_name(accelerated: bool) -> str:
    """What messages and records call a runtime."""
    return "library" if accelerated else "bodies"


def _tensor(value: onnxruntime.OrtValue) -> torch.Tensor:
    array = from_ort(value)
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.uint16)).view(torch.bfloat16)
    return torch.from_numpy(array)
