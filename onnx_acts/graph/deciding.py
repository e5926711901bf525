"""What becomes of each activation that is recognised, and what is told of those that stay."""

from __future__ import annotations

import dataclasses
from collections import Counter

from onnx_acts.definition.specs import ELEMENT_TYPES, spec_of
from onnx_acts.graph.kernels import has_standard_kernel
from onnx_acts.graph.match import Match

__all__ = ["Decision", "Left", "Report", "Request", "not_asked_for"]


_APPROXIMATE = "only approximately (--approximate): it differs in rounding, or at NaN or infinity"


@dataclasses.dataclass(frozen=True)
class Left:
    """An activation that stays as it is.

    Attributes:
        form: what it is, like "PRelu" or "where(x < 0, a*x, x)".
        operator: the operator of `onnx_acts` that computes the same.
        reason: why it stays.
    """

    form: str
    operator: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Report:
    """What `accelerate` has done.

    Attributes:
        replaced: how often each form was replaced, like {"PRelu -> PReLU": 3}; also names that were
            restored and bodies that are new.
        left: the activations that stay, and how many of each there are.
    """

    replaced: Counter[str] = dataclasses.field(default_factory=Counter)
    left: Counter[Left] = dataclasses.field(default_factory=Counter)


@dataclasses.dataclass(frozen=True)
class Decision:
    """The operator that takes a match's place; None with the reason where it stays."""

    operator: str | None
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Request:
    """What the caller wants replaced: see `onnx_acts.accelerate`."""

    ops: frozenset[str]
    approximate: bool = False
    unsigned: bool = False
    without_body: frozenset[tuple[str, str | None]] = frozenset()
    """Operators and element types of which the model's opset can have no body."""

    def decide(self, match: Match, dtype: str | None, opset: int) -> Decision:
        """Finds the operator for a match: one of `onnx_acts`, or the standard one.

        Args:
            match: what was recognised.
            dtype: the element type of x, None where it is unknown.
            opset: the version of the standard operators around it.
        """
        spec = spec_of(match.operator)
        is_asked = spec.name in self.ops
        becomes_standard = spec.is_fused and not match.is_standard
        if not is_asked and (
            dtype not in ELEMENT_TYPES
            or (has_standard_kernel(spec, dtype, opset) and not becomes_standard)
        ):
            return Decision(None, not_asked_for(spec.name))
        if dtype not in ELEMENT_TYPES:
            known = "its element type is unknown"
            return Decision(None, f"onnx_acts has no {spec.name} of {dtype}" if dtype else known)
        if match.is_approximate and not self.approximate:
            return Decision(None, _APPROXIMATE)
        if not is_asked and has_standard_kernel(spec, dtype, opset):
            return Decision(spec.standard_name)
        if (spec.name, dtype) in self.without_body:
            return Decision(None, "below opset 15 a function body serves one element type")
        return Decision(spec.name)


def not_asked_for(operator: str) -> str:
    """The reason of what is not among the operators of a request."""
    return f"{operator} is not among the operators that were asked for"
