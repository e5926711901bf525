"""Which names a server is asked by, so that a web page cannot ask it through a name of its own.

A page may point its own name at 127.0.0.1 (DNS rebinding). For the browser the server is then part
of the page; only the name in `Host` tells. A page cannot have an address as its name unless it
comes from there, so that addresses are taken.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from onnx_acts.serving.http.refusals import quoted

__all__ = ["Hosts", "checked_hosts"]


_MEND = "`onnx-acts serve --allow-host`, or hosts= of serving.app, gives it a name"


def checked_hosts(names: Collection[str]) -> Collection[str] | None:
    """The names, of which each is one that `Host` may have; None where any name may be.

    Raises:
        TypeError: a text in place of a list of names.
        ValueError: something that no request's name can be, such as a URL.
    """
    if isinstance(names, str):
        raise TypeError(f"hosts is a list of names, such as [{names!r}], not a text")
    if "*" in names:
        return None
    for name in names:
        if not (re.fullmatch(r"[A-Za-z0-9._-]+", name) or _is_address(name)):
            raise ValueError(
                f"{quoted(name)} is no host's name: it has no port, no scheme and no pattern;"
                ' "*" alone takes any'
            )
    return names


class Hosts:
    """Answers requests for other names with 421, and those of other pages with 403."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app, self._names = app, {name.lower().rstrip(".") for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        answer = self._refusal(scope["headers"]) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)

    def _refusal(self, headers: Collection[tuple[bytes, bytes]]) -> JSONResponse | None:
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        for host in hosts:  # programs may leave it out, browsers do not
            if not self._is_ours(_name(f"//{host}")):
                text = f"this server is not {quoted(host)}; {_MEND}"
                return JSONResponse({"error": text}, 421)
        known = {_name(f"//{host}") for host in hosts}
        for origin in origins:
            name = _name(origin)
            if not name or name not in known | self._names | {"localhost"}:
                return JSONResponse({"error": f"pages of {quoted(origin)} may not ask"}, 403)
        return None

    def _is_ours(self, name: str) -> bool:
        if name in self._names or name == "localhost" or name.endswith(".localhost"):
            return True
        return _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _name(url: str) -> str:
    """The host of a URL, in small letters; empty where it has none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""
