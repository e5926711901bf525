"""What a runtime is to the suite: something that computes cases, or says why it does not."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.definition.version import version

__all__ = ["Runtime", "RuntimeFacts", "facts_of", "keep", "version_of"]

Array = NDArray[Any]

_CACHE_SIZE = 64
"""Sessions kept open: cases that follow one another often share a model."""


class Runtime(Protocol):
    """Something that computes cases.

    Attributes:
        name: its name on the command line.
        title: what it is, for people.
        package: the distribution whose version matters.
        promise: what it must keep: the operator table's promise for the "kernel" or the "body",
            "exact" (correctly rounded), or the accuracy that was "measured" of other projects.

    One that has a true `own_draws` brings a random generator of its own, which is judged by the law
    of draws; all others must give the reference's bits.
    """

    name: str
    title: str
    package: str
    promise: str

    def unavailable(self) -> str:
        """Why it cannot be used here at all, or an empty string."""

    def unsupported(self, case: Case) -> str:
        """Why it has no answer to this case, or an empty string."""

    def run(self, case: Case) -> list[Array]:
        """Computes the outputs that the case asks for."""


def version_of(runtime: Runtime) -> str:
    """The version of the package behind a runtime, empty where it is not installed."""
    return (version(runtime.package) or "") if runtime.package else ""


def keep(cache: dict[Any, Any], key: object, value: Any) -> None:
    """Adds to a cache, dropping the oldest entry of a full one."""
    if len(cache) >= _CACHE_SIZE:
        cache.pop(next(iter(cache)))
    cache[key] = value


@dataclasses.dataclass(frozen=True)
class RuntimeFacts:
    """What a report says of a runtime.

    Attributes:
        name: its name on the command line.
        title: what it is, for people.
        package: the distribution whose version matters; empty where that is not known.
        version: the version installed; empty where there is none.
        missing: why it cannot be used here, or an empty string.
    """

    name: str
    title: str
    package: str = ""
    version: str = ""
    missing: str = ""


def facts_of(runtime: Runtime) -> RuntimeFacts:
    """What is known of a runtime here."""
    return RuntimeFacts(
        runtime.name,
        runtime.title,
        runtime.package,
        version_of(runtime),
        runtime.unavailable(),
    )
