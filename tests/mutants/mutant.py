"""A fault for our own sources."""

from __future__ import annotations

import dataclasses

__all__ = ["Mutant"]


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        what: what is wrong with it.
        path: the file, from the project's folder.
        before: the text to replace, which stands there once.
        after: what stands there instead.
        killer: what must fail: the arguments of `onnx-acts conform`, or "pytest" and its arguments.
    """

    what: str
    path: str
    before: str
    after: str
    killer: str

    @property
    def is_native(self) -> bool:
        """Whether the library is to be built with it."""
        return self.path.startswith("custom_ops/")
