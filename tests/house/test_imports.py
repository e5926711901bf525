"""Imports flow one way, and the base install needs no torch."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import onnx_acts
from tests.building import ROOT

PACKAGE = Path(onnx_acts.__file__).parent

FLOORS = (
    {"text"},
    {"definition"},
    {"files"},
    {"ort"},
    {"graph", "comparing"},
    {"exporting", "conformance", "serving"},
    {"bench", "verifying"},
    {"cli"},
)
"""A room may import from the floors below it, and from itself."""

SOURCES = ROOT / "custom_ops"
NATIVE_FLOORS = ({"activations"}, {"ort"}, {"cpu"}, {"cuda"}, {"library"}, {"provider"})
"""The same for the native sources and what they include."""


def floor_of(room: str, floors: tuple[set[str], ...]) -> int:
    """The floor that a room is on; a new room must be put there."""
    (found,) = [i for i, rooms in enumerate(floors) if room in rooms]
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


def included(path: Path) -> set[str]:
    """The rooms that a native source includes from."""
    return set(re.findall(r'#include "(\w+)/', path.read_text()))


def upward(room: str, others: set[str], floors: tuple[set[str], ...]) -> set[str]:
    """Those of the other rooms that are not below."""
    return {name for name in others - {room} if floor_of(name, floors) >= floor_of(room, floors)}


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_direction(path: Path) -> None:
    """A module imports only from its own room and from the floors below."""
    room = path.relative_to(PACKAGE).parts[0]
    above = upward(room, imported(path), FLOORS)
    assert not above, f"{path.name} imports {above} from above or beside"


def test_modules_are_imported_by_those_who_use_them() -> None:
    """No test reaches into a room by `onnx_acts.`: it is there only if others have loaded it."""
    rooms = {room for floor in FLOORS for room in floor}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                reached = node.value.id == "onnx_acts" and node.attr in rooms
                assert not reached, f"{path}, line {node.lineno}: onnx_acts.{node.attr}"


def test_native_direction() -> None:
    """So do the native sources."""
    paths = [path for path in SOURCES.rglob("*") if path.suffix in (".h", ".cc", ".cu")]
    assert len(paths) > 30
    for path in paths:
        room = path.relative_to(SOURCES).parts[0]
        above = upward(room, included(path), NATIVE_FLOORS)
        assert not above, f"{path.name} includes {above} from above"


def test_first_room() -> None:
    """Beside the rooms there are the public names and the way to the command line alone."""
    found = {path.name for path in PACKAGE.glob("*.py")}
    assert found == {"__init__.py", "__main__.py", "reference.py"}


LIGHT = """
import sys
import onnx_acts
assert not {"onnx", "numpy", "onnxruntime"} & set(sys.modules)
onnx_acts.make_node("ELU", ["x"], ["y"])
onnx_acts.reference.elu([-1.0])
onnx_acts.accelerate, onnx_acts.lower, onnx_acts.export
heavy = {"onnxruntime", "onnx.reference", "torch"} & set(sys.modules)
assert not heavy, heavy
"""


def test_import_is_light() -> None:
    """`import onnx_acts` loads nothing; what needs no runtime loads none."""
    subprocess.run([sys.executable, "-c", LIGHT], check=True)


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
