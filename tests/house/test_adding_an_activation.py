"""`docs/adding_an_activation.md`, followed literally in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.building import CMAKE, ROOT

GUIDE = (ROOT / "docs" / "adding_an_activation.md").read_text()
NAME = "SoftsignLU"


def block(file: str) -> str:
    """The guide's block of code for a file."""
    (found,) = re.findall(rf"```\w+\n(?:#|//) file: {re.escape(file)}\n(.*?)```", GUIDE, re.DOTALL)
    return str(found)


def insert(path: Path, before: str, text: str) -> None:
    """Puts text in front of the last line of `path` that is `before`."""
    head, mark, tail = path.read_text().rpartition(f"\n{before}")
    assert mark, f"{path} has no line {before!r}"
    path.write_text(f"{head}\n{text}{mark.lstrip()}{tail}")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the guide's blocks in it."""
    copy = tmp_path_factory.mktemp("project")
    for folder in ("onnx_acts", "custom_ops", "docs"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("*.so"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, copy / file)
    insert(
        copy / "onnx_acts/definition/specs.py",
        ")\n\n_BY_NAME",
        block("onnx_acts/definition/specs.py"),
    )
    differences = "onnx_acts/conformance/known_differences.py"
    insert(copy / differences, ")\n\nACCURACIES", block(differences))
    with open(copy / "onnx_acts/definition/reference.py", "a") as stream:
        stream.write("\n\n" + block("onnx_acts/definition/reference.py"))
    insert(
        copy / "custom_ops/activations/functors.h",
        "}  // namespace\n}  // namespace onnx_acts",
        block("custom_ops/activations/functors.h") + "\n",
    )
    return copy


def run(project: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs a command in the copy, which comes first on the path."""
    library = project / "build" / "libonnx_acts_ops.so"
    environment = os.environ | {"PYTHONPATH": str(project), "ONNX_ACTS_LIBRARY": str(library)}
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )


# The editable install of the project itself would win over the copy: leave its finder out.
CONFORM = """
import sys
sys.meta_path = [f for f in sys.meta_path if "ScikitBuild" not in type(f).__name__]
import onnx_acts.definition.specs
assert onnx_acts.definition.specs.spec_of(sys.argv[1])
from onnx_acts.cli.main import main
sys.exit(main(["conform", "--ops", sys.argv[1]]))
"""


@pytest.mark.slow
def test_guide(project: Path) -> None:
    """The library builds with the new functor, and every runtime conforms to the new reference."""
    python = f"-DPython_EXECUTABLE={sys.executable}"
    cuda = "-DONNX_ACTS_CUDA_ARCHITECTURES=90"  # where there is a CUDA compiler, for it too
    for command in (
        (CMAKE, "-S", "custom_ops", "-B", "build", "-DCMAKE_BUILD_TYPE=Release", python, cuda),
        (CMAKE, "--build", "build"),
    ):
        done = run(project, *command)
        assert done.returncode == 0, done.stdout + done.stderr
    done = run(project, sys.executable, "-c", CONFORM, NAME)
    assert done.returncode == 0, done.stdout + done.stderr
    assert NAME in done.stdout
    table = run(project, sys.executable, "-m", "docs.tables", "README.md")
    assert table.returncode == 0, table.stderr
    broken = project / "onnx_acts" / "definition" / "reference.py"
    broken.write_text(broken.read_text().replace("(1 - wide)), wide)", "(2 - wide)), wide)"))
    done = run(project, sys.executable, "-c", CONFORM, NAME)
    assert done.returncode == 1, "a wrong reference must fail"
