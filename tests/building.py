"""CMake for tests that build: the environment's own, which is not on the path by itself."""

import os
import shutil
import sys
from pathlib import Path

CMAKE = shutil.which("cmake", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
assert CMAKE, "cmake is missing: pip install -e '.[dev]' brings it"
