"""What a fault for our own sources is."""

from __future__ import annotations

import dataclasses

__all__ = ["FULL", "Mutant", "conform"]

FULL = "--runtimes library"
"""For a fault that `--quick` does not see."""


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


def conform(operator: str, dtype: str, group: str, *more: str) -> str:
    """The check that runs the cases of one group on the library alone."""
    options = " ".join(more) or "--quick --runtimes library"
    return f"conform --ops {operator} --dtypes {dtype} --groups {group} {options}"
