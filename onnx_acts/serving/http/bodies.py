"""Reading a request's body: not too long, not too slowly, and no more memory than has come."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from starlette.datastructures import Headers

from onnx_acts.serving.http.pace import Pace, Share
from onnx_acts.serving.http.refusals import RefusalError, quoted

__all__ = ["LARGE", "check_length", "count_in", "inflated", "read_body"]

LARGE = 2**20
"""Bytes above which a body needs a share of the memory for large ones."""

_WINDOWS = {"gzip": 31, "deflate": 15}
"""zlib's numbers for the encodings."""

_MOST_DIGITS = 19


def count_in(headers: Headers, name: str) -> int | None:
    """A header that is a count of bytes; None where it is missing.

    Raises:
        RefusalError: it is none. Python would take "+1", "1_0" and digits of other scripts.
    """
    found = set(headers.getlist(name))
    if not found:
        return None
    text = found.pop()
    if found:
        raise RefusalError(f"the header {name} is there twice, with different values")
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise RefusalError(f"the header {name} must be a count of bytes, it is {quoted(text)}")
    return int(text)


def check_length(headers: Headers, limit: int) -> None:
    """Refuses a body by the length that the client says it has, before anything is read.

    Raises:
        RefusalError: it is more than the limit.
    """
    length = count_in(headers, "content-length")
    if length is not None and length > limit:
        raise _too_long(limit)


async def read_body(chunks: AsyncIterator[bytes], limit: int, share: Share) -> bytearray:
    """Reads a body.

    Args:
        chunks: what comes.
        limit: bytes that it may have.
        share: is taken before the body becomes large.

    Raises:
        RefusalError: it is too long, or comes too slowly.
    """
    body = bytearray()
    try:
        async with Pace(share) as pace:
            async for chunk in chunks:
                if len(body) + len(chunk) > limit:
                    raise _too_long(limit)
                body += chunk
                pace.moved(len(chunk))
                if len(body) > LARGE and not share.is_taken:
                    pace.stop()
                    await share.take()
                    pace.start()
    except TimeoutError:
        raise RefusalError(f"the body comes too slowly: {len(body)} bytes so far", 408) from None
    return body


def inflated(body: bytearray, encoding: str, limit: int) -> bytearray | bytes:
    """What a body is without its Content-Encoding, of which no more than the limit is made.

    Raises:
        RefusalError: an encoding that is not known, more than the limit, or not so compressed.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in _WINDOWS:
        raise RefusalError(f"Content-Encoding may be gzip or deflate, not {quoted(encoding)}", 415)
    reader = zlib.decompressobj(_WINDOWS[name])
    try:
        content = reader.decompress(body, limit + 1)
    except zlib.error as error:
        raise RefusalError(f"the body is not {name}: {error}") from None
    if len(content) > limit:
        raise _too_long(limit)
    if not reader.eof or reader.unused_data:
        where = "goes on after the end of" if reader.eof else "ends before the end of"
        raise RefusalError(f"the body {where} its {name}")
    return content


def _too_long(limit: int) -> RefusalError:
    return RefusalError(f"the body is longer than the server's limit of {limit} bytes", 413)
