"""A build of the native library with a mended fault in it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.building import CMAKE, ROOT
from tests.native.builds.building import LIBRARY, SOURCES, call

__all__ = ["library_that_takes_every_size"]

_FILE = "library/domain.cc"
_QUESTION = "!IsEverySizeKnown(op.api, x)"


def library_that_takes_every_size(folder: Path) -> Path:
    """Builds, in an empty folder, a library that takes the -1 of a size without a name for a size.

    It told ONNX Runtime that Y has that size. The loops are compiled without optimisation, which
    takes seconds.
    """
    sources = folder / SOURCES.name
    shutil.copytree(SOURCES, sources)
    (folder / "onnx_acts").symlink_to(ROOT / "onnx_acts")  # the operator table is made from it
    text = (sources / _FILE).read_text()
    assert text.count(_QUESTION) == 1, f"{_FILE} no longer asks {_QUESTION}"
    (sources / _FILE).write_text(text.replace(_QUESTION, f"(false && {_QUESTION})"))
    build = folder / "build"
    python = f"-DPython_EXECUTABLE={sys.executable}"
    options = ("-DCMAKE_BUILD_TYPE=Debug", "-DONNX_ACTS_CUDA=OFF", python)
    call(CMAKE, "-S", sources, "-B", build, *options)
    call(CMAKE, "--build", build, "--parallel", "2")
    return build / LIBRARY
