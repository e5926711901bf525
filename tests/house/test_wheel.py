"""The wheel installs and serves a model in an environment without torch."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import onnx
import pytest

from onnx_acts.definition.specs import spec_of
from tests.building import ROOT
from tests.helpers import one_node_model

PROGRAM = """
import sys
import importlib.util
assert importlib.util.find_spec("torch") is None, "torch is installed: the test proves nothing"
import numpy as np, onnx_acts
session = onnx_acts.session(sys.argv[1])
print(session.run(None, {"x_in": np.full((1, 1, 1), -1e9)})[0].item(), onnx_acts.library_path())
"""


def run(*command: str | Path) -> str:
    """Runs a command outside the checkout; returns what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_wheel_in_a_clean_environment(tmp_path: Path) -> None:
    """Build the wheel, install it with its base dependencies, run a model with the library."""
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    constraints = ROOT / "constraints.txt"
    run(sys.executable, *pip, "wheel", ROOT, "--no-deps", "--wheel-dir", tmp_path)
    (wheel,) = tmp_path.glob("onnx_acts-*.whl")
    assert "-py3-none-" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    data = {
        "definition/bodies/elu.onnxtxt",
        "conformance/reports/page.html.jinja",
        "conformance/reports/schema-1.json",
        "py.typed",
    }
    assert {f"onnx_acts/{name}" for name in data} <= set(names)
    venv.create(tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    install = ("--python", python, "install", "--no-compile", "-c", constraints, wheel)
    run(sys.executable, *pip, *install)
    model = tmp_path / "elu.onnx"
    onnx.save_model(one_node_model(spec_of("ELU"), "float32"), model)
    value, path = run(python, "-c", PROGRAM, model).split()
    assert float(value) == -1
    assert path.startswith(str(tmp_path / "env"))
    command = tmp_path / "env" / "bin" / "onnx-acts"
    assert "ELU" in run(command, "info")
    assert "vectors 1: " in run(command, "vectors", "--quick", tmp_path / "vectors")
