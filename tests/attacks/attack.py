"""What an attack is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Attack"]

Victim = TypeVar("Victim")


@dataclasses.dataclass(frozen=True)
class Attack(Generic[Victim]):
    """One row of docs/security.md.

    Attributes:
        name: a few words.
        tries: what it tries.
        stopped_by: what stops it, and with which answer.
        launch: does it to a victim; fails with an AssertionError where nothing stops it.
    """

    name: str
    tries: str
    stopped_by: str
    launch: Callable[[Victim], None]
