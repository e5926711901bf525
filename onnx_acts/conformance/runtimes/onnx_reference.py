"""The evaluator of the `onnx` package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.models import acts_model
from onnx_acts.conformance.runtimes.runtime import keep

__all__ = ["Reference"]

Array = NDArray[Any]
Model = onnx.ModelProto


class Reference:
    """The evaluator of the `onnx` package, which computes in NumPy."""

    package = "onnx"

    def __init__(
        self, name: str, title: str, promise: str, evaluator: Callable[[Model], ReferenceEvaluator]
    ) -> None:
        self.name, self.title, self.promise, self._evaluator = name, title, promise, evaluator
        self._evaluators: dict[bytes, ReferenceEvaluator] = {}

    def unavailable(self) -> str:
        """Why it cannot be used here at all, or an empty string."""
        return ""

    def unsupported(self, case: Case) -> str:
        """Why it has no answer to this case, or an empty string."""
        return ""

    def run(self, case: Case) -> list[Array]:
        """Computes the outputs that the case asks for."""
        model = acts_model(case)
        key = model.SerializeToString(deterministic=True)
        if key not in self._evaluators:
            keep(self._evaluators, key, self._evaluator(model))
        with np.errstate(all="ignore"):
            return [np.asarray(array) for array in self._evaluators[key].run(None, case.feeds)]
