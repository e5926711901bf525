"""What a client is told that has asked for something wrong."""

from __future__ import annotations

from onnx_acts.text.spelling import printable

__all__ = ["RefusalError", "quoted"]

_LONGEST = 80
"""Characters of a client's text that are repeated in an answer."""


class RefusalError(Exception):
    """A request that is not served: the client can mend it.

    Attributes:
        message: one line that says what is wrong and what would be right.
        status: the HTTP status, 400 to 499.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = printable(" ".join(message.split())), status


def quoted(thing: object) -> str:
    """A client's name or value, in quotes, safe to print and not too long."""
    if isinstance(thing, list | dict):
        return "a list" if isinstance(thing, list) else "an object"
    text = repr(thing) if isinstance(thing, str | int | float | bool | None) else "a value"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
