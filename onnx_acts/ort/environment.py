"""What is installed: versions, machine, execution providers and native library."""

from __future__ import annotations

import datetime
import functools
import os
import platform
from pathlib import Path
from typing import Any

import onnxruntime

from onnx_acts.definition.version import version
from onnx_acts.ort.provider import PROVIDER, provider_error
from onnx_acts.ort.sessions import library_info, plain_cuda_error

__all__ = ["cpu_name", "environment", "library_facts"]

_PACKAGES = ("onnx-acts", "onnx", "onnxruntime", "numpy", "torch")


def environment() -> dict[str, Any]:
    """Returns date, versions, machine, providers and native library, as JSON can hold them.

    A package that is not installed has the version None; a library that cannot be used has its
    reason under "error".
    """
    library = library_info()
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "packages": {name: version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpu": cpu_name(),
        "cpu_count": os.cpu_count(),
        "providers": list(onnxruntime.get_available_providers()),
        "library": library,
        "own_provider": {
            "name": PROVIDER,
            "error": provider_error() or str(library.get("error", "")),
        },
    }


def library_facts(library: dict[str, Any]) -> dict[str, str]:
    """What `library_info` has found, in words for people."""
    if "version" not in library:
        facts = {"path": library.get("path"), "error": library.get("error")}
        return {name: str(text) for name, text in facts.items() if text}
    levels = ", ".join(library.get("isa_levels", ()))
    level = library.get("isa") or f"none: {library.get('isa_error')}"
    architectures = ", ".join(library.get("cuda_architectures", ()))
    cuda = "yes" if library.get("cuda") else f"no: {plain_cuda_error(library)}"
    return {
        "path": str(library.get("path")),
        "version": str(library["version"]),
        "instructions": f"{level} (it has {levels})",
        "CUDA": cuda + (f" (it has kernels for {architectures})" if architectures else ""),
        "onnxruntime": f"1.{library.get('ort_api_floor')} or newer",
    }


@functools.cache
def cpu_name() -> str:
    """The processor's name, as far as the system tells."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
