"""`docs/adding_an_activation.md`, followed literally in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.building import CMAKE, ROOT
from tests.native.builds.building import LIBRARY, call

GUIDE = (ROOT / "docs" / "adding_an_activation.md").read_text()
NAME = "CELU"
SPECS = "onnx_acts/definition/specs.py"
BODY = "onnx_acts/definition/bodies/celu.onnxtxt"
REFERENCE = "onnx_acts/definition/reference.py"
FUNCTORS = "custom_ops/activations/functors.h"
ACCURACY = "docs/accuracy.md"
GENERATED = {"README.md", ACCURACY}
"""What `make tables` writes."""
COPIED = ("onnx_acts", "custom_ops", "docs", "models", "tests")


def block(file: str) -> str:
    """The guide's block of code for a file."""
    (found,) = re.findall(rf"```\w+\n(?:#|//) file: {re.escape(file)}\n(.*?)```", GUIDE, re.DOTALL)
    return str(found)


def insert(path: Path, before: str, text: str) -> None:
    """Puts text in front of the last line of `path` that is `before`."""
    head, mark, tail = path.read_text().rpartition(f"\n{before}")
    assert mark, f"{path} has no line {before!r}"
    path.write_text(f"{head}\n{text}{mark.lstrip()}{tail}")


def contents(project: Path) -> dict[str, bytes]:
    """The files of a project, by their paths."""
    paths = [path for folder in COPIED for path in (project / folder).rglob("*")]
    paths += project.iterdir()
    return {
        str(path.relative_to(project)): path.read_bytes()
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so"
    }


def follow(project: Path) -> None:
    """Does what the guide says."""
    insert(project / SPECS, ")\n\nDEFAULT_OPS", block(SPECS))
    (project / BODY).write_text(block(BODY))
    reference = project / REFERENCE
    names = '__all__ = [\n    "celu",\n    "celu_derivative",\n'
    text = reference.read_text().replace("__all__ = [\n", names)
    reference.write_text(f"{text}\n\n{block(REFERENCE)}")
    end = "}  // namespace\n}  // namespace onnx_acts"
    insert(project / FUNCTORS, end, block(FUNCTORS) + "\n")


def make_environment(project: Path) -> None:
    """A virtual environment of the copy: this one's packages, but the copy instead of the project.

    What this one's .pth files do, the editable install of the project among it, is not done there.
    """
    venv.create(project / ".venv")
    (site,) = (project / ".venv").glob("lib/python*/site-packages")
    (site / "copy.pth").write_text(f"{project}\n{sysconfig.get_path('purelib')}\n")


def run(project: Path, *command: str | Path) -> str:
    """Runs Python in the copy's environment; returns what it printed."""
    done = attempt(project, *command)
    assert done.returncode == 0, (done.stdout + done.stderr)[-10_000:]
    return done.stdout


def attempt(project: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """The same, whatever comes of it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # for CMake
    own = {name: value for name, value in os.environ.items() if name != "ONNX_ACTS_LIBRARY"}
    return subprocess.run(
        [project / ".venv" / "bin" / "python", *command],
        cwd=project,
        env=own | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the copy as they were, and the place of the copy."""
    project = tmp_path_factory.mktemp("project")
    for folder in COPIED:
        ignored = shutil.ignore_patterns("*.so", "__pycache__")
        shutil.copytree(ROOT / folder, project / folder, ignore=ignored)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, project)
    return {".": str(project).encode(), **contents(project)}


@pytest.fixture(scope="module")
def project(before: dict[str, bytes]) -> Path:
    """A copy of the project in which the guide was followed, built, with its tables made."""
    copy = Path(before["."].decode())
    follow(copy)
    make_environment(copy)
    python = f"-DPython_EXECUTABLE={sys.executable}"
    cuda = "-DONNX_ACTS_CUDA_ARCHITECTURES=90"  # where there is a CUDA compiler, for it too
    build = copy / "build"
    call(CMAKE, "-S", copy / "custom_ops", "-B", build, "-DCMAKE_BUILD_TYPE=Release", python, cuda)
    call(CMAKE, "--build", build, "--parallel", "2")
    shutil.copy(build / LIBRARY, copy / "onnx_acts")
    run(copy, "-m", "docs.tables", "README.md")
    figures = copy / "docs" / "figures" / "runtimes.json"
    files = [figures, *sorted((copy / "docs" / "accuracy").glob("*.json"))]
    (copy / ACCURACY).write_text(run(copy, "-m", "tests.native.accuracy.page", *files))
    return copy


IN_FILES = """
import onnx, onnx.parser
from onnx_acts import accelerate, lower
from onnx_acts.definition.nodes import read_attributes

def celu(kind, opset, alpha):
    return onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["": {opset}]> g ({kind}[N] x) => ({kind}[N] y)'
        f" {{ y = Celu <alpha = {alpha}> (x) }}"
    )

def operators(model):
    return [node.op_type for node in model.graph.node]

standard = celu("float", 17, 2.0)
fast = accelerate(standard)
assert operators(fast) == ["CELU"], fast
plain = lower(fast)
assert operators(plain) == ["Celu"], plain
assert plain.graph.node[0].attribute == standard.graph.node[0].attribute
onnx.checker.check_model(fast, full_check=True)
assert operators(accelerate(celu("float", 17, -2.0))) == ["Celu"]
default = onnx.parser.parse_model(
    '<ir_version: 8, opset_import: ["": 12]> g (float[N] x) => (float[N] y) { y = Celu (x) }'
)
assert read_attributes(accelerate(default).graph.node[0]) == {"alpha": 1.0}
for kind, opset in (("float", 11), ("float16", 20), ("double", 20)):
    model = onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["": {opset}, "onnx_acts": 1]> g ({kind}[N] x)'
        f" => ({kind}[N] y) {{ y = onnx_acts.CELU (x) }}"
    )
    plain = lower(model)
    assert "Celu" not in operators(plain), "not valid in this opset"
    onnx.checker.check_model(plain, full_check=True)
"""
EXPORTED = """
import onnxruntime, torch, onnx_acts
from torch import nn

layers = nn.Linear(8, 16), nn.CELU(0.7), nn.Linear(16, 4), nn.ReLU(), nn.CELU()
module = nn.Sequential(*layers).eval()
x = torch.randn(3, 8)
for style, counts in (("acts", {"CELU": 2}), ("standard", {})):
    result = onnx_acts.export(module, (x,), f"build/{style}.onnx", style=style)
    assert result.verification == "passed", result
    assert result.node_counts == counts, result
try:
    onnx_acts.export(nn.CELU(-1.0), (x,), "build/bad.onnx")
except ValueError as error:
    assert "CELU: alpha must be a finite number > 0, got -1.0" in str(error), error
else:
    raise AssertionError("exported")
"""
REFUSED = """
import onnxruntime, onnx_acts
from onnx import helper
from onnx_acts.definition.nodes import read_attributes

value = helper.make_tensor_value_info
node = helper.make_node("CELU", ["x"], ["y"], "act7", domain="onnx_acts", alpha=-0.5)
graph = helper.make_graph([node], "g", [value("x", 1, ["N"])], [value("y", 1, ["N"])])
opsets = [helper.make_opsetid("", 17), helper.make_opsetid("onnx_acts", 1)]
model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
options = onnxruntime.SessionOptions()
onnx_acts.register(options)
for refuse, text in (
    (lambda: read_attributes(node),
     "CELU (node 'act7'): alpha must be a finite number > 0, got -0.5"),
    (lambda: onnxruntime.InferenceSession(model.SerializeToString(), options),
     "onnx_acts::CELU (node 'act7'): attribute alpha is -0.5; expected a finite number > 0"),
):
    try:
        refuse()
    except Exception as error:
        assert text in str(error), error
    else:
        raise AssertionError("accepted")
"""
TESTS = (
    "bench",
    "cli",
    "conformance",
    "definition",
    "exporting/test_styles.py",
    "exporting/test_translations.py",
    "gpu",
    "graph",
    "native",
    "ort",
    "serving",
    "text",
)
"""The tests whose subject comes from the table, or may meet every operator of it. The others of
`exporting` are on modules, checkpoints and messages, and take minutes."""

OTHER_ROOMS = {"attacks", "comparing", "files", "fuzz", "house", "models", "mutants", "verifying"}
"""Rooms on attacks, arrays, files, random graphs, documents, networks, faults put in, models."""


def test_follows_everything() -> None:
    """Each room of tests takes part, but for those that are told."""
    rooms = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    assert rooms - {"__pycache__"} == {name.split("/")[0] for name in TESTS} | OTHER_ROOMS


@pytest.mark.slow
def test_conforms(project: Path) -> None:
    """Every runtime conforms to the new reference; to a wrong one it would not."""
    conform = ("-m", "onnx_acts", "conform", "--ops", NAME)
    assert NAME in run(project, *conform)
    reference = project / REFERENCE
    text = reference.read_text()
    right = "curve = np.expm1(ratio)"
    assert right in text
    reference.write_text(text.replace(right, "curve = ratio"))
    done = attempt(project, *conform, "--quick")
    reference.write_text(text)
    assert done.returncode == 1, "a wrong reference must fail"


@pytest.mark.slow
@pytest.mark.parametrize(
    "program", [IN_FILES, EXPORTED, REFUSED], ids=["files", "exported", "refused"]
)
def test_follows(project: Path, program: str) -> None:
    """accelerate, lower and export know the operator; a parameter out of range is refused."""
    run(project, "-W", "error::UserWarning", "-c", program)


@pytest.mark.slow
def test_all_tests(project: Path) -> None:
    """All quick tests pass with the new operator in the table, in every room that it concerns.

    But for those that are named after another operator: they are the same as in the project.
    """
    chosen = ("-m", "not slow", "-k", f"{NAME} or not (relu or elu)")
    options = ("-q", *chosen, "-p", "no:cacheprovider", "-n", "2", "--dist", "loadfile")
    said = run(project, "-m", "pytest", *options, *(f"tests/{name}" for name in TESTS))
    assert re.search(r"^[1-9]\d{3} passed", said.splitlines()[-1]), said[-2000:]
    forms = ("-q", "-k", "every_form", "tests/exporting/test_exported_values.py")
    assert " passed" in run(project, "-m", "pytest", *forms, "-p", "no:cacheprovider")


@pytest.mark.slow
def test_nothing_else_is_touched(project: Path, before: dict[str, bytes]) -> None:
    """The record, its body, the formula, one functor, and what is written by programs."""
    after = contents(project)
    touched = {name for name in after if after[name] != before.get(name)}
    assert touched == {SPECS, BODY, REFERENCE, FUNCTORS} | GENERATED
    assert before.keys() - {"."} <= after.keys()
