"""The native library as it is on other processors: its lower instruction-set levels, and streaming.

The library chooses once in a process, by the environment; so each has a process of its own.
"""

from __future__ import annotations

import functools
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.runtimes.process import Process
from onnx_acts.ort.sessions import library_info

__all__ = ["VARIANTS", "Variant", "compute"]

Array = NDArray[Any]

_LEVEL, _STREAM = "ONNX_ACTS_ISA", "ONNX_ACTS_STREAM_FROM"


class Variant:
    """The library of another environment.

    Args:
        name: its name on the command line.
        title: what it is, for people.
        environment: the variables that make it so.
    """

    package, promise = "onnxruntime", "kernel"

    def __init__(self, name: str, title: str, environment: Mapping[str, str]) -> None:
        self.name, self.title = name, title
        self._level = environment.get(_LEVEL, "")
        self._process = Process(f"{__name__}:compute", environment=environment)

    def unavailable(self) -> str:
        """Why it cannot be used here at all, or an empty string."""
        return self._unavailable

    def unsupported(self, case: Case) -> str:
        """The library has an answer to every case that its Python interface can be asked."""
        from onnx_acts.conformance.runtimes import runtime_of

        return runtime_of("library").unsupported(case)

    def run(self, case: Case) -> list[Array]:
        """Computes the outputs that the case asks for."""
        return self._process.call("run", [_packed(case)], {})

    @functools.cached_property
    def _unavailable(self) -> str:
        found = library_info()
        if "error" in found:
            return str(found["error"])
        if found.get("isa") == self._level:
            return f"the library chooses {self._level} here: this is the runtime library"
        try:
            (said,) = self._process.call("error", [], {})
        except (RuntimeError, ValueError) as error:
            return str(error)
        return str(said)


def compute(
    what: str, arrays: Sequence[Array], attributes: Mapping[str, float | int]
) -> list[Array]:
    """What the process answers: the outputs of a case, or why this library cannot be used."""
    if what == "error":
        return [np.array(library_info().get("isa_error") or "")]
    from onnx_acts.conformance.runtimes import runtime_of

    case: Case = pickle.loads(arrays[0].tobytes())
    before = [array.tobytes() for array in case.inputs]
    outputs = runtime_of("library").run(case)
    if [array.tobytes() for array in case.inputs] != before:
        raise RuntimeError("it changed its inputs")
    return outputs


def _packed(case: Case) -> Array:
    """A case as bytes in an array, which is what processes exchange."""
    return np.frombuffer(pickle.dumps(case, protocol=pickle.HIGHEST_PROTOCOL), np.uint8)


VARIANTS: tuple[Variant, ...] = (
    *(
        Variant(
            f"library-{level}",
            f"ONNX Runtime, native library at the instruction-set level {level}",
            {_LEVEL: level},
        )
        for level in ("v2", "v3")
    ),
    Variant(
        "library-streamed",
        "ONNX Runtime, native library, every result stored past the caches",
        {_STREAM: "1"},
    ),
)
"""The levels of x86-64 below the highest, which is the runtime `library` where there is one."""
