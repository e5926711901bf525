"""Answers: results to bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from onnx_acts.serving.http.datatypes import Datatype
from onnx_acts.serving.http.refusals import RefusalError, quoted
from onnx_acts.serving.http.tensors import as_bytes

__all__ = ["Answer", "answer"]


@dataclasses.dataclass(frozen=True)
class Answer:
    """The body of an answer.

    Attributes:
        parts: JSON first, then the bytes of tensors.
        header_length: bytes of the JSON; None where there is nothing else.
    """

    parts: Sequence[bytes | memoryview]
    header_length: int | None

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(map(len, self.parts))


def answer(
    head: Mapping[str, Any],
    results: Mapping[str, NDArray[Any]],
    datatypes: Mapping[str, Datatype],
    as_binary: Mapping[str, bool],
    most_in_json: int,
) -> Answer:
    """Writes results as the client wants them.

    Args:
        head: what stands before the outputs: names of model and version, the request's id.
        results: the outputs by name.
        datatypes: their element types.
        as_binary: whether each goes as bytes or into the JSON.
        most_in_json: elements that one may have to go into the JSON.

    Raises:
        RefusalError: an output that JSON cannot hold, as it is not finite or has too many elements.
    """
    outputs, binary = [], []
    for name, array in results.items():
        item: dict[str, Any] = {
            "name": name,
            "datatype": datatypes[name].name,
            "shape": list(array.shape),
        }
        if as_binary[name]:
            binary.append(as_bytes(array))
            item["parameters"] = {"binary_data_size": len(binary[-1])}
        else:
            item["data"] = _for_json(array, datatypes[name], name, most_in_json)
        outputs.append(item)
    text = orjson.dumps({**head, "outputs": outputs}, option=orjson.OPT_SERIALIZE_NUMPY)
    return Answer([text, *binary], len(text) if binary else None)


def _for_json(array: NDArray[Any], datatype: Datatype, name: str, most: int) -> NDArray[Any]:
    """A flat array that the JSON writer takes; every number is read back as it was."""
    mend = 'ask for bytes: {"binary_data": true} in its parameters'
    if array.size > most:
        raise RefusalError(
            f"output {quoted(name)} has {array.size} elements, more than {most}; {mend}"
        )
    flat = np.ascontiguousarray(array).reshape(-1)
    if datatype.kind != "float":
        return flat
    wide = flat.astype(np.float32) if flat.dtype.itemsize == 2 else flat
    if not np.isfinite(wide).all():
        raise RefusalError(
            f"output {quoted(name)} has NaN or infinity, which JSON does not; {mend}", 406
        )
    return wide
