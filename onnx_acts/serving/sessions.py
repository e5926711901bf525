"""Sessions on the native kernels, of our files and of anybody's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnxruntime

from onnx_acts.files.reading import Model
from onnx_acts.graph import accelerate
from onnx_acts.ort import sessions
from onnx_acts.ort.provider import add_provider, provider_error
from onnx_acts.ort.sessions import CPU

__all__ = ["session"]


def session(
    model: Model,
    *,
    providers: Sequence[str | tuple[str, dict[str, Any]]] | None = None,
    session_options: onnxruntime.SessionOptions | None = None,
    accelerated: bool = True,
    standard: bool = False,
) -> onnxruntime.InferenceSession:
    """Opens a session on `model`.

    Args:
        model: a path, the serialised bytes or a `ModelProto`.
        providers: execution providers in order of preference, as ONNX Runtime takes them; the CPU
            where not given.
        session_options: options to use; the native operators are added to them.
        accelerated: run `onnx_acts` nodes on the native operators; False runs the function bodies.
        standard: run the standard activations of an unchanged model on the native kernels too. On
            the CPU of ONNX Runtime 1.24 and newer our execution provider takes them, and
            `get_providers()` of the session begins with "OnnxActsExecutionProvider"; elsewhere the
            model is rewritten in memory by `onnx_acts.accelerate`. `onnx_acts.provider_error()`
            says why a runtime cannot use the provider.

    Raises:
        ValueError: not a valid ONNX file, external data that is not to be opened (or any, in a
            model that is not a file), an execution provider that is not available, `standard` with
            `accelerated=False`, or a model above 2 GiB that would have to be rewritten in memory.
        FileNotFoundError: no such file, or the native library is missing.
        RuntimeError: a provider that was asked for could not be started, or the native operators
            cannot run on CUDA. Asking for the CPU after CUDA accepts the CPU in its place.
    """
    if standard and not accelerated:
        raise ValueError("standard=True asks for the native kernels, accelerated=False for none")
    if standard and (provider_error() or list(providers or [CPU]) != [CPU]):
        model = accelerate(model)
    elif standard:
        return _with_provider(model, session_options or onnxruntime.SessionOptions())
    return sessions.session(
        model, providers=providers, session_options=session_options, accelerated=accelerated
    )


def _with_provider(
    model: Model, options: onnxruntime.SessionOptions
) -> onnxruntime.InferenceSession:
    """Opens a session with our provider before the CPU's."""
    add_provider(options)
    return sessions.open_session(model, options)
