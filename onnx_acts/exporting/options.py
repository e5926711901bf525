"""The options of an export; needs no torch."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

from onnx_acts.definition.specs import DEFAULT_OPS

__all__ = [
    "CARD_ENDS",
    "STYLES",
    "VERIFY_WORDS",
    "Options",
    "Style",
    "Verify",
    "check_tolerances",
    "tell_nobody",
    "tolerance",
    "verify_word",
]

Style = Literal["acts", "standard"]
"""`onnx_acts` nodes with function bodies, or standard operators only."""

Verify = Literal["all", "bodies", "none"]
"""Compare with PyTorch on function bodies and library, on bodies alone, or not."""

STYLES: tuple[Style, ...] = get_args(Style)
VERIFY_WORDS: tuple[Verify, ...] = get_args(Verify)

CARD_ENDS = (".card.json", ".card.md")
"""What the names of a model's card have after the model's stem: for programs and for people."""

_DEFAULT_OPSET = 20
"""torch's default."""


def verify_word(given: Verify | bool) -> Verify:
    """Returns the word for True, "all", and for False, "none"; words stay.

    Raises:
        ValueError: something else.
    """
    if isinstance(given, bool):
        return "all" if given else "none"
    if given not in VERIFY_WORDS:
        raise ValueError(f"verify must be 'all', 'bodies', 'none' or a bool, got {given!r}")
    return given


def tolerance(name: str, value: float | None) -> float | None:
    """Requires a tolerance that is a number from 0 up, or none.

    Raises:
        ValueError: it is negative, infinite or NaN.
    """
    if value is not None and not 0 <= value < math.inf:
        raise ValueError(f"{name} must be 0 or greater and finite, got {value}")
    return value


def check_tolerances(verify: Verify, atol: float | None, rtol: float | None) -> None:
    """Refuses tolerances of a comparison that is not made.

    Raises:
        ValueError: one is given, and `verify` is "none".
    """
    if verify == "none" and (atol is not None or rtol is not None):
        raise ValueError(
            "atol and rtol are of the comparison, which verify='none' (--verify none) leaves out:"
            " leave them out too"
        )


def tell_nobody(_: str) -> None:
    """Tells nobody."""


@dataclasses.dataclass(frozen=True)
class Options:
    """The keyword arguments of `onnx_acts.export`, documented there, and who is told of progress.

    Attributes:
        tell: is told what is being done, each step once.
        origin: where the module comes from, for the model's card.
        command: the command line that does the same, for the card; "" in Python.
    """

    style: Style = "acts"
    ops: Sequence[str] = DEFAULT_OPS
    dynamic_shapes: Any = None
    opset: int | None = None
    verify: Verify = "all"
    training: bool = False
    seed: int = 0
    input_names: Sequence[str] | None = None
    output_names: Sequence[str] | None = None
    optimize: bool = True
    atol: float | None = None
    rtol: float | None = None
    custom_translation_table: Mapping[Callable[..., Any], Any] | None = None
    dtype: Any = None
    keep_io_types: bool = False
    external_data: bool | int | None = None
    metadata: Mapping[str, Any] | None = None
    card: bool = False
    tell: Callable[[str], None] = tell_nobody
    origin: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    command: str = ""

    @property
    def target_opset(self) -> int:
        """The version of the standard operators to write."""
        return _DEFAULT_OPSET if self.opset is None else self.opset

    def changed(self) -> dict[str, Any]:
        """The options that are not as they are by default, but for those of the command line."""
        own = {"tell", "origin", "command"}
        return {
            item.name: getattr(self, item.name)
            for item in dataclasses.fields(self)
            if item.name not in own and getattr(self, item.name) != item.default
        }
