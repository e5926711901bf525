"""Imports flow one way, and the base install needs no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import onnx_acts

PACKAGE = Path(onnx_acts.__file__).parent

# Each line may import from the lines above it and from its own.
LAYERS = (
    {"specs"},
    {
        "arity",
        "version",
        "validation",
        "philox",
        "structure",
        "weights",
        "documentation",
        "ort_values",
        "runtime_types",
    },
    {"nodes", "reference", "schemas", "files", "known"},
    {"scans"},
    {"inference", "commands"},
    {"functions"},
    {"renaming"},
    {"evaluator"},
    {"embed"},
    {"runtime"},
    {"placing"},
    {"graph"},
    {"exporting"},
    {"info"},
    {"conformance", "bench"},
    {"cli"},
)


def level_of(module: str) -> int:
    """The line of `LAYERS` that a room stands in; a new room must be put there."""
    (found,) = [i for i, names in enumerate(LAYERS) if module in names]
    return found


def imported(path: Path) -> set[str]:
    """The rooms of the package that a file imports from, at any depth of the code."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        names |= {name.split(".")[1] for name in modules if name.startswith("onnx_acts.")}
    return names


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_direction(path: Path) -> None:
    """A module imports only from the layers below."""
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    above = {name for name in imported(path) if level_of(name) > level_of(room)}
    assert not above, f"{path.name} imports {above} from above"


WITHOUT_TORCH = """
import sys
for name in ("torch", "onnxscript", "safetensors", "matplotlib"):
    sys.modules[name] = None  # makes any import of it fail
import numpy as np, onnx, onnxruntime
from onnx import helper
import onnx_acts
options = onnxruntime.SessionOptions()
onnx_acts.register(options)
graph = helper.make_graph(
    [onnx_acts.make_node("ELU", ["x"], ["y"], alpha=0.5)],
    "g",
    [helper.make_tensor_value_info("x", 1, [2])],
    [helper.make_tensor_value_info("y", 1, [2])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20),
    helper.make_opsetid("onnx_acts", 1)], ir_version=9)
print(onnx_acts.session(model).run(None, {"x": np.array([-1e30, 3], np.float32)})[0].tolist())
"""


def test_base_install_needs_no_torch() -> None:
    """`import onnx_acts`, `register` and `session` work where torch cannot be imported."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[-0.5, 3.0]", done.stderr
