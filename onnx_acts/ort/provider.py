"""The execution provider: standard nodes of unchanged models on the native kernels."""

from __future__ import annotations

import re
import threading
from typing import Any

import onnxruntime

from onnx_acts.ort.sessions import library_path

__all__ = ["PROVIDER", "add_provider", "provider_error", "register_provider"]

PROVIDER = "OnnxActsExecutionProvider"
"""Its name in ONNX Runtime."""

_FLOOR = (1, 24)
"""The first version of ONNX Runtime that takes kernels from a provider outside."""

_MARK = f"ep.{PROVIDER.lower()}.domain"
"""Session options that have the provider have this entry: the library puts it there."""

_LOCK = threading.Lock()


def provider_error() -> str:
    """Returns why this ONNX Runtime cannot use the provider; empty if it can."""
    found = re.match(r"(\d+)\.(\d+)", onnxruntime.__version__)
    version = tuple(map(int, found.groups())) if found else (0, 0)
    if version < _FLOOR or not hasattr(onnxruntime, "register_execution_provider_library"):
        floor = ".".join(map(str, _FLOOR))
        return f"it needs ONNX Runtime {floor} or newer, this is {onnxruntime.__version__}"
    return ""


def register_provider() -> list[Any]:
    """Registers the library as an execution provider in this process, once.

    It claims standard PRelu and Elu nodes, and LeakyRelu and Relu in the types that ONNX Runtime
    has no kernels for; with the option `claim="all"` all LeakyRelu and Relu nodes. Sessions use it
    that are given its devices, name it, or have a device policy (see docs/guides/serving.md):

        devices = onnx_acts.register_provider()
        options.add_provider_for_devices(devices, {})  # or {"claim": "all"}
        session = onnxruntime.InferenceSession("theirs.onnx", options)

    Returns:
        Its devices (`onnxruntime.OrtEpDevice`): the CPU.

    Raises:
        FileNotFoundError: the library is not there.
        RuntimeError: ONNX Runtime is too old (see `provider_error`), or could not load the library.
    """
    path = library_path()
    reason = provider_error()
    if reason:
        raise RuntimeError(
            f"the execution provider of onnx-acts cannot be used: {reason}; upgrade it, or call"
            " onnx_acts.accelerate(model), whose nodes run on the library in older versions too"
        )
    with _LOCK:
        if not _devices():
            _register(path)
        return _devices()


def _devices() -> list[Any]:
    """The provider's devices, of one registration: it may be registered under two names."""
    return [device for device in onnxruntime.get_ep_devices() if device.ep_name == PROVIDER][:1]


def _register(path: str) -> None:
    try:
        onnxruntime.register_execution_provider_library("onnx_acts", path)
    except Exception as error:  # onnxruntime's own exceptions have no common public base
        raise RuntimeError(
            f"ONNX Runtime {onnxruntime.__version__} could not register {path} as an execution"
            f" provider: {error}"
        ) from error


def add_provider(
    session_options: onnxruntime.SessionOptions, options: dict[str, str] | None = None
) -> None:
    """Adds the provider to session options, unless they have it; errors as `register_provider`.

    Args:
        session_options: of sessions that are opened without the argument `providers`.
        options: of the provider: {"claim": "all"} or nothing.
    """
    devices = register_provider()
    try:
        session_options.get_session_config_entry(_MARK)
    except Exception:  # it has no such entry
        session_options.add_provider_for_devices(devices, dict(options or {}))
