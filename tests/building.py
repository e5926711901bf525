"""For tests that build: the project's folder, and CMake, which is not on the path by itself."""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_FOLDERS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
CMAKE = shutil.which("cmake", path=_FOLDERS) or ""
assert CMAKE, "cmake is missing: pip install -e '.[dev]' brings it"
