"""The one binary serves old and new versions of ONNX Runtime, with the same bits."""

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

import onnx_acts
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, spec_of
from onnx_acts.graph.standard import as_standard
from tests.helpers import feeds, in_type, one_node_model
from tests.standard_models import CLAIMED

WITHOUT_PROVIDERS = {
    "1.17.3": "has no attribute 'register_execution_provider_library'",
    "1.23.2": "needs ONNX Runtime 1.24 or newer, this is ONNX Runtime 1.23.2",
}
"""Versions that take no provider of ours: the oldest, and the last one; with what they say."""

VERSIONS = (*WITHOUT_PROVIDERS, "1.24.1", "1.27.0", "1.31.1", "1.32.0")
OPSET = 22
"""Of standard nodes: the first that has all of ours in all types."""

STANDARD = [
    (spec, dtype)
    for spec in CLAIMED
    for dtype in ELEMENT_TYPES
    if spec.standard and spec.standard.since.get(dtype, 99) <= OPSET
]

X = np.concatenate([[np.nan, -0.0, -1e-25, -np.inf], np.linspace(-9, 3, 26)]).reshape(2, 3, 5)
SLOPE = np.array([[0.1], [-0.2], [3.0]])

PROBE = """
import json, sys
import numpy as np, onnxruntime
folder, library = sys.argv[1:]
cases = json.load(open(folder + "/cases.json"))
for name in cases:
    feeds = dict(np.load(f"{folder}/{name}.npz"))
    wanted = feeds.pop("y_out")
    options = onnxruntime.SessionOptions()
    if library:
        options.register_custom_ops_library(library)
    path = f"{folder}/{name}.onnx"
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    got = session.run(["y_out"], feeds)[0]
    same = got.tobytes() == wanted.tobytes()
    with np.errstate(invalid="ignore"):
        allowed = 1e-2 if "float16" in name else 1e-6
        near = np.allclose(got, wanted, rtol=allowed, equal_nan=True)
    print(name, "same" if same else "near" if near else f"differs {got.tolist()}")
print(onnxruntime.__version__)
"""


PROVIDER_PROBE = """
import json, sys
import numpy as np, onnxruntime
folder, library = sys.argv[1:]
try:
    onnxruntime.register_execution_provider_library("any name", library)
except Exception as error:
    print(error)
    sys.exit()
devices = [d for d in onnxruntime.get_ep_devices() if d.ep_name == "OnnxActsExecutionProvider"]
for name in json.load(open(folder + "/cases.json")):
    feeds = dict(np.load(f"{folder}/{name}.npz"))
    wanted = feeds.pop("y_out")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.enable_profiling = True
    options.profile_file_prefix = folder + "/profile"
    options.add_provider_for_devices(devices, {"claim": "all"})
    session = onnxruntime.InferenceSession(f"{folder}/{name}.onnx", options)
    got = session.run(["y_out"], feeds)[0]
    events = [event.get("args", {}) for event in json.load(open(session.end_profiling()))]
    found = [event["op_name"] for event in events if event.get("provider") == devices[0].ep_name]
    same = got.tobytes() == wanted.tobytes()
    print(name, *found, "same" if same else f"differs {got.tolist()}")
"""


# The newest Python for which each version has a wheel.
NEWEST_PYTHON = {"1.16.3": (3, 11), "1.17.3": (3, 12), "1.23.2": (3, 13)}


def environment(version: str, folder: Path) -> Path:
    """Makes an environment with one version of onnxruntime; returns its Python."""
    newest = NEWEST_PYTHON.get(version, sys.version_info[:2])
    if sys.version_info[:2] > newest:
        pytest.skip(f"onnxruntime {version} has wheels for Python {newest[0]}.{newest[1]} at most")
    venv.create(folder)
    python = folder / "bin" / "python"
    numpy = "numpy<2" if version < "1.19" else "numpy"
    # The rest of what it asks for is for its tools: to run models it needs NumPy.
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", *options]
    subprocess.run([*pip, f"onnxruntime=={version}", numpy], check=True, timeout=600)
    return python


def exported_network(folder: Path) -> str:
    """What a user has: a PyTorch module, exported with all five activations; the case's name."""
    layers = (torch.nn.ReLU(), torch.nn.LeakyReLU(0.2), torch.nn.PReLU(3), torch.nn.RReLU())
    module = torch.nn.Sequential(*layers, torch.nn.ELU(0.7)).eval()
    x = torch.linspace(-9, 3, 30).reshape(2, 3, 5)
    path = folder / "exported.onnx"
    onnx_acts.export(module, (x,), path, ops=[spec.name for spec in SPECS], output_names=["y_out"])
    opened = onnx_acts.session(path)
    fed: dict[str, Any] = {opened.get_inputs()[0].name: x.numpy()}
    np.savez(folder / "exported.npz", y_out=opened.run(["y_out"], fed)[0], **fed)
    return "exported"


def shape_readers(folder: Path) -> list[str]:
    """Models that read sizes of which nothing is known, after an activation."""
    graphs = {
        "Shape": "(float[?,?] x) => (int64[2] y_out) { a = Elu (x) y_out = Shape (a) }",
        "Slice": "(float[?,?] x) => (float[A,B] y_out) <int64[1] f = {-1}, int64[1] t = {9}>"
        " { a = Elu (x) y_out = Slice (a, f, t) }",
    }
    x = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    wanted = {"Shape": np.array([2, 3]), "Slice": x[1:]}
    for name, text in graphs.items():
        model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 13]> g {text}')
        onnx.save_model(onnx_acts.accelerate(model), folder / f"{name}.onnx")
        np.savez(folder / f"{name}.npz", y_out=wanted[name], x=x)
    return list(graphs)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models with inputs and the bits that this process's runtime gives with the library."""
    folder = tmp_path_factory.mktemp("cases")
    names = [exported_network(folder), *shape_readers(folder)]
    for spec in SPECS:
        for dtype in ELEMENT_TYPES:
            name = f"{spec.name}-{dtype}"
            model = one_node_model(spec, dtype)
            fed: dict[str, Any] = feeds(spec, in_type(X, dtype), in_type(SLOPE, dtype))
            (want,) = onnx_acts.session(model).run(None, fed)
            onnx.save_model(model, folder / f"{name}.onnx")
            np.savez(folder / f"{name}.npz", y_out=want, **fed)
            names.append(name)
    (folder / "cases.json").write_text(json.dumps(names))
    return folder


@pytest.fixture(scope="module")
def standard_cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for models of standard nodes: the bits of the custom operators."""
    folder = tmp_path_factory.mktemp("standard")
    for spec, dtype in STANDARD:
        items = spec.standard.attributes if spec.standard else ()
        single: dict[str, Any] = {item.name: float(np.float32(item.default)) for item in items}
        model = one_node_model(spec, dtype, opset=OPSET, bodies=False, **single)
        fed: dict[str, Any] = feeds(spec, in_type(X, dtype), in_type(SLOPE, dtype))
        (want,) = onnx_acts.session(model).run(None, fed)
        (node,) = [node for node in model.graph.node if node.domain == "onnx_acts"]
        node.CopyFrom(as_standard(node))
        model.ir_version = 10
        name = f"{spec.standard_name}-{dtype}"
        onnx.save_model(model, folder / f"{name}.onnx")
        np.savez(folder / f"{name}.npz", y_out=want, **fed)
    names = [f"{spec.standard_name}-{dtype}" for spec, dtype in STANDARD]
    (folder / "cases.json").write_text(json.dumps(names))
    return folder


def probe(python: Path | str, folder: Path, library: str, program: str = PROBE) -> list[str]:
    """Runs the cases in another Python; one line for each case, then the version."""
    done = subprocess.run(
        [python, "-c", program, folder, library], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_same_bits_in_every_version(
    version: str, cases: Path, standard_cases: Path, tmp_path: Path
) -> None:
    """With the library: bit for bit the same. With bodies only: the same function.

    Standard nodes have the same bits on the execution provider, where the version takes it.
    """
    python = environment(version, tmp_path / "env")
    *found, reported = probe(python, cases, onnx_acts.library_path())
    assert reported == version
    assert [line for line in found if not line.endswith(" same")] == []
    *found, _ = probe(python, cases, "")
    assert [line for line in found if not line.endswith((" same", " near"))] == []
    assert len(found) == len(SPECS) * len(ELEMENT_TYPES) + 3
    check_provider(version, probe(python, standard_cases, onnx_acts.library_path(), PROVIDER_PROBE))


def check_provider(version: str, found: list[str]) -> None:
    """Every standard node ran on the provider, with the bits of the custom operator."""
    if version in WITHOUT_PROVIDERS:
        assert WITHOUT_PROVIDERS[version] in " ".join(found)
        return
    wanted = [f"{spec.standard_name}-{dtype} {spec.standard_name} same" for spec, dtype in STANDARD]
    assert found == wanted


@pytest.mark.slow
def test_older_than_the_floor(tmp_path: Path) -> None:
    """A runtime below the floor gets a status that names both versions, and does not crash."""
    python = environment("1.16.3", tmp_path / "env")
    program = (
        "import onnxruntime, sys;"
        "onnxruntime.SessionOptions().register_custom_ops_library(sys.argv[1])"
    )
    done = subprocess.run(
        [python, "-c", program, onnx_acts.library_path()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "1.16.3" in done.stderr
    assert "1.17" in done.stderr


def test_the_probe_sees_differences(cases: Path, tmp_path: Path) -> None:
    """The probe that runs in the old environments tells wrong values from right ones."""
    name = f"{spec_of('ELU').name}-float32"
    content = dict(np.load(cases / f"{name}.npz"))
    content["y_out"] = content["y_out"] + 0.5
    np.savez(tmp_path / f"{name}.npz", **content)
    (tmp_path / f"{name}.onnx").write_bytes((cases / f"{name}.onnx").read_bytes())
    (tmp_path / "cases.json").write_text(json.dumps([name]))
    found, _ = probe(sys.executable, tmp_path, onnx_acts.library_path())
    assert found.startswith(f"{name} differs")


@pytest.mark.skipif(bool(onnx_acts.provider_error()), reason="no providers here")
def test_the_provider_here(standard_cases: Path) -> None:
    """The same check with this process's version."""
    found = probe(sys.executable, standard_cases, onnx_acts.library_path(), PROVIDER_PROBE)
    check_provider("this one", found)
