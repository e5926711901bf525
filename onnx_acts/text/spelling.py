"""Names that are nearly right."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["printable", "same_letters", "suggestion"]

_CLOSE = 0.87
"""Prelu and PRLU are PReLU; Gelu and Celu are other functions than ELU."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Returns " (did you mean PReLU?)" for "Prelu"; "" where no known name is close.

    Args:
        name: what was written.
        known: what there is.
    """
    import difflib

    names = {_letters(item): item for item in known}
    close = difflib.get_close_matches(_letters(name), list(names), n=1, cutoff=_CLOSE)
    return f" (did you mean {names[close[0]]}?)" if close else ""


def same_letters(name: str, known: Iterable[str]) -> bool:
    """Tells whether a known name differs in case, hyphens and underscores at most."""
    return _letters(name) in map(_letters, known)


def printable(text: str) -> str:
    """Returns a text with escapes for what a terminal would obey, as names in a file may have."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()
