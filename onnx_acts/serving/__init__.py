"""Serving models: sessions on our kernels, where their nodes ran, and an HTTP server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx_acts.serving.http.app import app

__all__ = ["app"]

if not TYPE_CHECKING:  # a type checker would take any name for a public one

    def __getattr__(name: str) -> Any:
        """Loads `app` when it is first used: sessions need no web framework."""
        if name != "app":
            raise AttributeError(f"module 'onnx_acts.serving' has no attribute {name!r}")
        from onnx_acts.serving.http.app import app

        return app
