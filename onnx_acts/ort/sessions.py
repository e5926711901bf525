"""Running models in ONNX Runtime with the native operators."""

from __future__ import annotations

import ctypes
import importlib.resources
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime

from onnx_acts.definition.specs import DOMAIN
from onnx_acts.files.reading import Model, check_model_file, check_model_in_memory
from onnx_acts.files.saving import serialised

__all__ = [
    "CPU",
    "CUDA",
    "cuda_error",
    "library_info",
    "library_path",
    "open_session",
    "plain_cuda_error",
    "register",
    "session",
]

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"

_LIBRARY = "libonnx_acts_ops.dll" if sys.platform == "win32" else "libonnx_acts_ops.so"
_CUDA_WORDS = {
    "cudaErrorNoDevice": "there is no NVIDIA GPU here",
    "cudaErrorInsufficientDriver": "there is no NVIDIA driver here, or it is too old",
}
"""What CUDA's common errors mean; the library reports their names first."""

_REINSTALL = (
    "install it again: `pip install --force-reinstall --no-deps --no-cache-dir onnx-acts`, or with"
    " the wheel's or the clone's path in place of onnx-acts if it came from there"
)


def library_path() -> str:
    """Returns the path of the native library, for `register_custom_ops_library`.

    `ONNX_ACTS_LIBRARY` in the environment names another one (a build of your own, say).

    Raises:
        FileNotFoundError: the library is not there.
    """
    chosen = os.environ.get("ONNX_ACTS_LIBRARY")
    path = chosen or str(importlib.resources.files("onnx_acts").joinpath(_LIBRARY))
    if not os.path.isfile(path):
        mend = "ONNX_ACTS_LIBRARY names it: correct or unset it" if chosen else _mend(path)
        raise FileNotFoundError(f"the native library of onnx-acts is not at {path}; {mend}")
    return path


def _mend(path: str) -> str:
    """How to get a library that is not there: a clone's sources come without, and hide others."""
    clone = Path(path).parents[1]
    if not (clone / "custom_ops" / "CMakeLists.txt").is_file():
        return _REINSTALL
    return (
        f"Python imports onnx_acts from the sources in {clone}, which hide an installed package:"
        " run it in another folder (from there, `pip install` a clone's path installs it)"
    )


def library_info() -> dict[str, Any]:
    """Returns the native library's path and what it says of itself, or "error" with the reason."""
    try:
        path = library_path()
    except FileNotFoundError as error:
        return {"error": str(error)}
    try:
        function = ctypes.CDLL(path).OnnxActsInfo
        function.restype = ctypes.c_char_p
        return {"path": path, **json.loads(function().decode())}
    except (OSError, AttributeError, ValueError) as error:
        return {"path": path, "error": f"it cannot say what it is: {error}"}


def cuda_error() -> str:
    """Returns why the native operators cannot run on CUDA here; empty if they can."""
    found = library_info()
    if found.get("cuda"):
        return ""
    return plain_cuda_error(found)


def plain_cuda_error(library: Mapping[str, Any]) -> str:
    """The same in what `library_info` has found."""
    error = str(library.get("cuda_error") or "")
    known = _CUDA_WORDS.get(error.partition(" ")[0])
    return known or error or str(library.get("error") or "the library has no CUDA kernels")


def register(session_options: onnxruntime.SessionOptions) -> None:
    """Registers the native operators with `session_options`; does nothing when called again.

    Raises:
        FileNotFoundError: the library is not there.
        RuntimeError: ONNX Runtime could not load it; the message has its reason, the path and how
            to mend it.
    """
    path = library_path()
    try:
        session_options.register_custom_ops_library(path)
    except Exception as error:  # onnxruntime's own exceptions have no common public base
        raise RuntimeError(
            f"ONNX Runtime {onnxruntime.__version__} could not register {path}: {error};"
            f" if the library is damaged or for another machine, {_REINSTALL}"
        ) from error


def session(
    model: Model,
    *,
    providers: Sequence[str | tuple[str, dict[str, Any]]] | None = None,
    session_options: onnxruntime.SessionOptions | None = None,
    accelerated: bool = True,
) -> onnxruntime.InferenceSession:
    """Opens a session on `model`.

    Args:
        model: a path, the serialised bytes or a `ModelProto`.
        providers: execution providers in order of preference, as ONNX Runtime takes them; the CPU
            where not given.
        session_options: options to use; the native operators are added to them.
        accelerated: run `onnx_acts` nodes on the native operators; False runs the function bodies.

    Raises:
        ValueError: not a valid ONNX file, external data that is not to be opened (or any, in a
            model that is not a file), or an execution provider that is not available.
        FileNotFoundError: no such file, or the native library is missing.
        RuntimeError: a provider that was asked for could not be started, or the native operators
            cannot run on CUDA. Asking for the CPU after CUDA accepts the CPU in its place.
    """
    wanted = list(providers) if providers is not None else [CPU]
    _check_providers(wanted)
    if accelerated:
        _check_cuda(wanted)
    source = _source(model)
    options = session_options or onnxruntime.SessionOptions()
    if accelerated:
        register(options)
    opened = _open(source, options, wanted, accelerated)
    _check_started(wanted, opened.get_providers())
    return opened


def open_session(
    model: Model, session_options: onnxruntime.SessionOptions
) -> onnxruntime.InferenceSession:
    """Opens a session with the providers that the options have; errors as in `session`."""
    # Without ONNX Runtime's own way out, which prints and opens another session.
    return onnxruntime.InferenceSession(_source(model), session_options, enable_fallback=0)


def _open(
    source: str | bytes,
    options: onnxruntime.SessionOptions,
    providers: list[Any],
    accelerated: bool,
) -> onnxruntime.InferenceSession:
    """Opens the session; says what to add where only the native operators are missing."""
    try:
        return onnxruntime.InferenceSession(source, options, providers=providers)
    except Exception as error:  # onnxruntime's own exceptions have no common public base
        if accelerated or DOMAIN not in str(error):
            raise
        raise RuntimeError(
            f"{error}; the model has {DOMAIN} nodes without function bodies: call"
            " onnx_acts.register(session_options) before opening the session"
        ) from error


def _source(model: Model) -> str | bytes:
    """What `InferenceSession` takes, checked."""
    if isinstance(model, str | os.PathLike):
        return check_model_file(model)
    checked = check_model_in_memory(model)
    return model if isinstance(model, bytes) else serialised(checked)


def _check_providers(wanted: Sequence[str | tuple[str, dict[str, Any]]]) -> None:
    available = onnxruntime.get_available_providers()
    for name in map(_provider_name, wanted):
        if name not in available:
            raise ValueError(
                f"{name} is not in this build of onnxruntime {onnxruntime.__version__}"
                f" (it has {', '.join(available)}); install a build that has it"
                " (onnxruntime-gpu for CUDA), or leave it out of `providers`"
            )


def _check_cuda(wanted: Sequence[str | tuple[str, dict[str, Any]]]) -> None:
    """Requires native operators for CUDA where CUDA, and not the CPU, was asked for."""
    names = [_provider_name(item) for item in wanted]
    if CUDA not in names or CPU in names:
        return
    reason = cuda_error()
    if reason:
        raise RuntimeError(
            f"the native operators cannot run on CUDA: {reason}; to run them on the CPU ask for"
            f" {CPU} too, to run function bodies on CUDA pass accelerated=False"
        )


def _check_started(
    wanted: Sequence[str | tuple[str, dict[str, Any]]], started: Sequence[str]
) -> None:
    """Requires what was asked for: ONNX Runtime only logs a provider that fails to start.

    Where the CPU was asked for too, it may take that provider's place.
    """
    names = [_provider_name(item) for item in wanted]
    missing = [name for name in names if name not in started]
    if missing and CPU not in names:
        reason = cuda_error() if missing[0] == CUDA else ""
        raise RuntimeError(
            f"{missing[0]} could not be started ({reason or 'ONNX Runtime logs the reason'});"
            f" the session would run on {', '.join(started)}; ask for {CPU} too if it may"
        )


def _provider_name(provider: str | tuple[str, dict[str, Any]]) -> str:
    return provider if isinstance(provider, str) else provider[0]
