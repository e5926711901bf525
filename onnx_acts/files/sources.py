"""Models to work on, and where the data of their large tensors is."""

from __future__ import annotations

import dataclasses

import onnx
from onnx import TensorProto

from onnx_acts.files.opened import OpenFile
from onnx_acts.files.references import data_range, is_reference, put_back
from onnx_acts.files.weights import external_tensors

__all__ = ["Source", "Weights"]


class Weights:
    """The data that a model's tensors do not have themselves.

    Attributes:
        data: the bytes that the model came from, in memory or in a file that is open.
        folder: where external data is; None for a model in memory.
    """

    def __init__(self, data: OpenFile | bytes | None = None) -> None:
        """Of a model from `data`; where None, all the data is in the tensors."""
        self.data = data
        self.folder = data.path.parent if isinstance(data, OpenFile) else None

    def knows(self, tensor: TensorProto) -> bool:
        """Tells whether a tensor has its data, or that is in a file that is known."""
        is_here = tensor.data_location != TensorProto.EXTERNAL
        return is_here or self.folder is not None or is_reference(tensor)

    def loaded(self, tensor: TensorProto) -> TensorProto | None:
        """Returns a tensor with its data; None where that is in a file that is not known."""
        if tensor.data_location != TensorProto.EXTERNAL:
            return tensor
        copy = TensorProto()
        copy.CopyFrom(tensor)
        return copy if self.load(copy) else None

    def load(self, tensor: TensorProto) -> bool:
        """Puts its data into a tensor; False where it is in a file that is not known."""
        if is_reference(tensor):
            assert self.data is not None  # the reference comes from there
            place = data_range(tensor)
            put_back(tensor, self.data[place.start : place.start + place.length])
            return True
        if self.folder is not None:
            onnx.external_data_helper.load_external_data_for_tensor(tensor, str(self.folder))
            # onnx before 1.22 leaves the reference in the tensor
            tensor.data_location = TensorProto.DEFAULT
            del tensor.external_data[:]
        return self.folder is not None

    def complete(self, model: onnx.ModelProto, *, with_external: bool = True) -> onnx.ModelProto:
        """Puts the data into a model in memory; returns it. What is in unknown files stays there.

        Args:
            model: the model; it is changed.
            with_external: also what is in other files than the model's own.
        """
        for tensor in external_tensors(model):
            if with_external or is_reference(tensor):
                self.load(tensor)
        self.check_unchanged()
        return model

    def check_unchanged(self) -> None:
        """Requires the model's file to be as it was when it was opened.

        Raises:
            ValueError: another program has written to it.
        """
        if isinstance(self.data, OpenFile):
            self.data.check_unchanged()


@dataclasses.dataclass(frozen=True)
class Source:
    """A model to work on.

    Attributes:
        model: the model, which may be somebody else's.
        weights: where the data of its large tensors is, as long as its file is open.
    """

    model: onnx.ModelProto
    weights: Weights

    def copy(self) -> onnx.ModelProto:
        """A copy of the model to change."""
        copy = onnx.ModelProto()
        copy.CopyFrom(self.model)
        return copy
