"""The CUDA kernels compile without a warning, for every architecture, and use no local memory."""

import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import onnxruntime
import pytest

from onnx_acts.definition.specs import ELEMENT_TYPES
from onnx_acts.ort.sessions import library_info
from tests.building import CMAKE, ROOT

SOURCES = ROOT / "custom_ops"
ARCHITECTURES = ["75", "80", "86", "89", "90", "100", "120"]
PYTHON = f"-DPython_EXECUTABLE={sys.executable}"


def run(*command: str | Path, status: int = 0, **variables: str) -> str:
    """Runs a command, which must end with a status; returns what it printed."""
    done = subprocess.run(
        command,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout[-6000:]
    return done.stdout


def nvcc() -> str:
    """The CUDA compiler; skips the test where there is none."""
    named = os.environ.get("CUDACXX") or "nvcc"
    found = shutil.which(named) or shutil.which("nvcc", path="/usr/local/cuda/bin")
    if not found:
        pytest.skip("there is no CUDA compiler (nvcc) here")
    return found


def architectures() -> list[str]:
    """Those of the list that the CUDA compiler knows."""
    known = run(nvcc(), "--list-gpu-code").split()
    return [name for name in ARCHITECTURES if f"sm_{name}" in known]


def cuobjdump() -> str:
    """NVIDIA's tool that lists what is in a binary, from the toolkit or from its package."""
    found = shutil.which("cuobjdump") or shutil.which("cuobjdump", path="/usr/local/cuda/bin")
    if found:
        return found
    try:
        files = metadata.files("nvidia-cuda-cuobjdump") or []
    except metadata.PackageNotFoundError:
        pytest.skip("there is no cuobjdump here: pip install nvidia-cuda-cuobjdump")
    (path,) = [file for file in files if file.name == "cuobjdump"]
    return str(path.locate())


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library with every architecture, and the program that checks kernels on a GPU."""
    folder = tmp_path_factory.mktemp("cuda")
    options = ("-DONNX_ACTS_CUDA=ON", "-DONNX_ACTS_TESTS=ON", "-DCMAKE_BUILD_TYPE=Release")
    run(CMAKE, "-S", SOURCES, "-B", folder, *options, PYTHON, CUDACXX=nvcc())
    targets = ("onnx_acts_ops", "gpu_kernels")
    run(CMAKE, "--build", folder, "--parallel", "2", "--target", *targets)
    return folder / "libonnx_acts_ops.so"


def resources(library: Path) -> dict[str, dict[str, dict[str, int]]]:
    """Registers, stack and memory by architecture and kernel."""
    text = run(cuobjdump(), "--dump-resource-usage", library)
    found: dict[str, dict[str, dict[str, int]]] = {}
    for part in text.split("Fatbin elf code:")[1:]:
        architecture = re.findall(r"^arch = sm_(\w+)$", part, re.MULTILINE)[0]  # PTX may follow
        for name, line in re.findall(r"Function (\S+):\n\s+(REG:.*)", part):
            figures = {key: int(value) for key, value in re.findall(r"([A-Z]+):(\d+)", line)}
            found.setdefault(architecture, {})[name] = figures
    return found


@pytest.mark.slow
def test_every_kernel_for_every_architecture(library: Path) -> None:
    """The same kernels in each; none spills or has a stack, and all leave room for threads."""
    found = resources(library)
    known = architectures()
    assert sorted(found, key=int) == known
    names = set(found[known[0]])
    assert len(names) >= 30
    for architecture, kernels in found.items():
        assert set(kernels) == names, architecture
        for name, figures in kernels.items():
            assert figures["STACK"] == figures["LOCAL"] == 0, (architecture, name)
            assert figures["REG"] <= 80, (architecture, name)  # three blocks of 256 threads
    if known != ARCHITECTURES:
        pytest.skip(f"this nvcc knows {known} of {ARCHITECTURES}; for those all is well")


@pytest.mark.slow
def test_newer_devices_get_ptx(library: Path) -> None:
    """The newest architecture is there as PTX too, and no other."""
    listed = run(cuobjdump(), "--list-ptx", library)
    assert re.findall(r"\.sm_(\w+)\.ptx", listed) == architectures()[-1:]


@pytest.mark.slow
def test_loads_without_a_driver(library: Path) -> None:
    """It needs no CUDA library, shows its entries alone, and says whether it can use CUDA."""
    needed = run("readelf", "--dynamic", "--wide", library)
    assert not re.search(r"NEEDED.*(cuda|nvidia)", needed)
    names = run("nm", "-D", "--defined-only", library)
    exported = sorted(line.split()[-1] for line in names.splitlines())
    assert exported == [
        "CreateEpFactories",
        "OnnxActsInfo",
        "RegisterCustomOps",
        "ReleaseEpFactory",
    ]
    onnxruntime.SessionOptions().register_custom_ops_library(str(library))


@pytest.mark.slow
def test_says_what_it_has(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Architectures, and CUDA or the reason why not."""
    monkeypatch.setenv("ONNX_ACTS_LIBRARY", str(library))
    found = library_info()
    assert found["cuda_architectures"] == [f"{name[:-1]}.{name[-1]}" for name in architectures()]
    assert found["cuda"] is not bool(found["cuda_error"])
    assert found["element_types"] == list(ELEMENT_TYPES)
    if not found["cuda"]:
        assert re.match(r"cudaError\w+ \(|no kernel for device", found["cuda_error"])


def configure(folder: Path, choice: str, compiler: str, status: int = 0) -> str:
    """Configures with a choice of ONNX_ACTS_CUDA and a CUDA compiler."""
    options = (f"-DONNX_ACTS_CUDA={choice}", PYTHON)
    return run(CMAKE, "-S", SOURCES, "-B", folder, *options, CUDACXX=compiler, status=status)


def test_compiler_that_does_not_work(tmp_path: Path) -> None:
    """AUTO goes on without it, ON says what to do, OFF does not look."""
    broken = tmp_path / "nvcc"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    text = configure(tmp_path / "auto", "AUTO", str(broken))
    assert "CUDA kernels: left out, there is no working CUDA compiler" in text
    text = configure(tmp_path / "on", "ON", str(broken), status=1)
    assert "no working CUDA compiler was found" in text
    assert "-DONNX_ACTS_CUDA=OFF" in text
    assert "CUDA kernels: left out (ONNX_ACTS_CUDA=OFF)" in configure(tmp_path, "OFF", str(broken))
