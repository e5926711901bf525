"""What was seen of other projects' runtimes, with the version and the date."""

from __future__ import annotations

from onnx_acts.conformance.quirks import Quirk

__all__ = ["QUIRKS"]

QUIRKS: tuple[Quirk, ...] = ()
