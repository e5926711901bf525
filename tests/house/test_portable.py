"""The package runs where Linux's own calls are missing."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

import onnx_acts
from onnx_acts.definition.specs import spec_of
from tests.helpers import one_node_model

WITHOUT = """
import os, sys
for name in ("pread", "copy_file_range", "O_DIRECTORY", "O_CLOEXEC", "sched_getaffinity"):
    delattr(os, name)
for name in ("resource", "fcntl", "pwd"):
    sys.modules[name] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "resource" else find(name, *rest)
import onnx_acts
from onnx_acts.bench import timing
assert timing._page_faults() == 0
from onnx_acts.cli.main import main
sys.exit(main(["lower", sys.argv[1], "-o", sys.argv[2]]))
"""


def test_in_an_archive(tmp_path: Path) -> None:
    """A wheel that is put on the path as it is gives an error that says what to do."""
    archive = tmp_path / "onnx_acts.whl"
    with zipfile.ZipFile(archive, "w") as files:
        files.write(onnx_acts.__file__, "onnx_acts/__init__.py")
    program = f"import sys; sys.path.insert(0, {str(archive)!r}); import onnx_acts"
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"imported from an archive ({archive}" in done.stderr
    assert "install the wheel with pip, or unpack it" in done.stderr


def test_without_the_calls_of_linux(tmp_path: Path) -> None:
    """A model with large weights is rewritten, bit for bit, and the benchmark can be imported."""
    source, target = tmp_path / "in.onnx", tmp_path / "out.onnx"
    model = one_node_model(spec_of("ELU"), "float32")
    weights = np.arange(2**18, dtype=np.float32)
    model.graph.initializer.append(numpy_helper.from_array(weights, "weights"))
    onnx.save_model(model, source)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, source, target], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (kept,) = [item for item in onnx.load(target).graph.initializer if item.name == "weights"]
    np.testing.assert_array_equal(numpy_helper.to_array(kept), weights)
    assert onnx_acts.library_path().endswith(".so")
