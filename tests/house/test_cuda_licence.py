"""NVIDIA's licence goes where CUDA's runtime goes."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from release.checking import check_cuda
from tests.building import CMAKE, ROOT

FINDER = ROOT / "custom_ops/cuda/licence.cmake"


def make(path: Path, text: str = "") -> Path:
    """Writes a file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def cmake(tmp_path: Path, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of CMake's with the finder loaded."""
    script = make(tmp_path / "script.cmake", f"include({FINDER})\n{command}\n")
    words = [CMAKE, *options, "-P", str(script)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("runtime", "licence"),
    [
        ("cuda/targets/x86_64-linux/lib/libcudart_static.a", "cuda/EULA.txt"),
        ("cuda/lib64/libcudart_static.a", "cuda/doc/EULA.txt"),
        (
            "cuda/lib/libcudart_static.a",
            "cuda/dist-info/nvidia_cuda_runtime-13.0.96.dist-info/licenses/License.txt",
        ),
        (
            "site/nvidia/cu13/lib/libcudart_static.a",
            "site/nvidia_cuda_runtime-13.0.96.dist-info/licenses/License.txt",
        ),
        (
            "site/nvidia/cuda_runtime/lib/libcudart_static.a",
            "site/nvidia_cuda_runtime_cu12-12.8.90.dist-info/License.txt",
        ),
        ("usr/lib/x86_64-linux-gnu/libcudart_static.a", "usr/share/doc/libcudart12/copyright"),
        (
            "usr/local/cuda/targets/x86_64-linux/lib/libcudart_static.a",
            "usr/share/doc/cuda-cudart-dev-13-0/copyright",
        ),
    ],
)
def test_where_toolkits_have_it(runtime: str, licence: str, tmp_path: Path) -> None:
    """Each way to install a toolkit; a text that is not NVIDIA's is passed over."""
    library = make(tmp_path / runtime)
    find = f'onnx_acts_find_cuda_licence({library} found)\nmessage(STATUS "found=${{found}}")'
    text = make(tmp_path / licence, "somebody's\n")
    assert "found=\n" in cmake(tmp_path, find).stdout
    make(text, "an agreement with\nNVIDIA\n")
    assert f"found={text}\n" in cmake(tmp_path, find).stdout


def test_a_toolkit_without_it(tmp_path: Path) -> None:
    """The build goes on, for one's own use, and says what it lacks; a wrong name is an error."""
    install = f"onnx_acts_install_cuda_licence({make(tmp_path / 'cuda/lib/libcudart_static.a')})"
    done = cmake(tmp_path, install)
    assert done.returncode == 0
    said = " ".join(done.stderr.split())
    assert "do not pass on what this builds" in said
    assert "-DONNX_ACTS_CUDA_LICENCE=FILE" in said
    done = cmake(tmp_path, install, f"-DONNX_ACTS_CUDA_LICENCE={tmp_path / 'none'}")
    assert done.returncode != 0
    assert f"there is no file {tmp_path / 'none'}" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("library", "licences", "is_refused"),
    [
        (b"\x7fELF .nv_fatbin\0", ["LICENSE"], True),
        (b"\x7fELF .nv_fatbin\0", ["LICENSE", "NVIDIA-CUDA.txt"], False),
        (b"\x7fELF", ["LICENSE"], False),
    ],
)
def test_wheels(library: bytes, licences: list[str], is_refused: bool, tmp_path: Path) -> None:
    """A release has no wheel with CUDA's runtime and without the licence."""
    wheel = tmp_path / "onnx_acts-1-py3-none-linux_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as files:
        files.writestr("onnx_acts/libonnx_acts_ops.so", library)
        for name in licences:
            files.writestr(f"onnx_acts-1.dist-info/licenses/{name}", "NVIDIA")
    if is_refused:
        with pytest.raises(SystemExit, match="may not be passed on"):
            check_cuda(wheel)
    else:
        check_cuda(wheel)
