"""One case of the fuzzer: a model, what it is fed with, and how far results may be apart."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnx.printer
from numpy.typing import NDArray

__all__ = ["EXACT", "EXTRAS", "Array", "Case", "Error", "as_python"]

Array = NDArray[Any]
Feeds = Mapping[str, Array]

EXTRAS = ("all operators", "approximate", "lower", "lower exact", "again", "reference", "checker")
"""What is tried beside `accelerate` with bodies and with the library; a case has one of them."""


@dataclasses.dataclass(frozen=True)
class Error:
    """How far a value may be from what the original computes.

    Attributes:
        relative: a bound of |got - wanted| / |wanted|.
        absolute: what comes on top, because exp(x) - 1 loses digits.
        loose: what `approximate` adds to the relative one.
        depth: activations on the way. ONNX Runtime may keep float32 between float16 nodes, so
            after two of them what overflows in one model need not in the other.
        undefined_at_infinity: a form is on the way that is NaN at infinity where its activation is
            not: p*x + q*abs(x), or one with 0 or infinity times something.
        loses_nan: an ELU that may give a number for NaN is on the way.
        is_narrow: there is float16 in the model, maybe on the way.
    """

    relative: float = 0.0
    absolute: float = 0.0
    loose: float = 0.0
    depth: int = 0
    undefined_at_infinity: bool = False
    loses_nan: bool = False
    is_narrow: bool = False

    @property
    def is_exact(self) -> bool:
        """Whether the value is the original's, bit for bit (zeros may differ in sign)."""
        return self == EXACT

    def through(
        self, slope: float, relative: float, absolute: float = 0.0, loose: float = 0.0
    ) -> Error:
        """The error after one activation whose steepest slope is `slope`, with errors of its own.

        The relative error passes: no activation is steeper than its own value over x.
        """
        grown = self.absolute * max(1.0, slope) if self.absolute else 0.0
        return dataclasses.replace(
            self,
            relative=self.relative + relative,
            absolute=grown + absolute,
            loose=self.loose + loose,
            depth=self.depth + 1,
        )

    def joined(self, other: Error) -> Error:
        """The larger of two errors, for a value that is either."""
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Error(*(max(pair) for pair in pairs))


EXACT = Error()


@dataclasses.dataclass(frozen=True)
class Case:
    """A case.

    Attributes:
        model: the serialised model.
        feeds: one or more sets of inputs.
        errors: the tolerance of each floating-point output.
        dtypes: the element types that activations have.
        optimised: ONNX Runtime optimises the changed models.
        extra: one of `EXTRAS`.
    """

    model: bytes
    feeds: tuple[Feeds, ...]
    errors: Mapping[str, Error]
    dtypes: frozenset[str]
    optimised: bool
    extra: str

    @property
    def proto(self) -> onnx.ModelProto:
        """The model."""
        return onnx.load_model_from_string(self.model)

    @property
    def digest(self) -> str:
        """A name for the case that depends on all of it."""
        told = hashlib.sha256(self.model)
        told.update(repr((self.feeds, self.optimised, self.extra)).encode())
        return told.hexdigest()

    @property
    def text(self) -> str:
        """The model in the text syntax, which `onnx.parser.parse_model` reads."""
        return str(onnx.printer.to_text(self.proto))


def as_python(feeds: Feeds) -> str:
    """Inputs as Python code: `np`, `nan` and `inf` are NumPy's."""
    items = [
        f"    {name!r}: np.array({_numbers(array)}, np.{array.dtype}).reshape({array.shape}),"
        for name, array in feeds.items()
    ]
    return "\n".join(["{", *items, "}"])


def _numbers(array: Array) -> str:
    """A flat list; a constant array as [value] * count, which is shorter."""
    flat = array.reshape(-1).tolist()
    same = len(flat) > 4 and len({np.asarray(v).tobytes() for v in flat}) == 1
    return f"[{flat[0]!r}] * {len(flat)}" if same else repr(flat)
