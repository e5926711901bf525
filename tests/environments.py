"""Environments of the tests' own, for packages that do not go with those of the project."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.locks import alone

__all__ = ["LARGE", "environment", "large_environment"]

_FOLDER = Path(__file__).parent.parent / "build" / "environments"
_OUT_OF_REACH = ("(from versions: none)", "Connection", "timed out", "No matching distribution")


LARGE = {
    "ray": (
        "ray[data,serve]==2.60.0",
        "fastapi==0.165.0",
        "httptools==0.9.0",
        "joblib==1.6.0",
        "ml-dtypes==0.6.0",
        "numpy==2.4.6",
        "onnx==1.23.2",
        "onnxruntime==1.31.1",
        "orjson==3.13.0",
        "pandas",
        "prometheus_client==0.26.0",
        "uvicorn==0.54.0",
    ),
    "dask": (
        "distributed==2026.8.0",
        "joblib==1.6.0",
        "ml-dtypes==0.6.0",
        "numpy==2.4.6",
        "onnx==1.23.2",
        "onnxruntime==1.31.1",
    ),
    "kubernetes": ("kubernetes-validate==1.37.0", "kserve==0.21.0", "onnxruntime==1.31.1"),
}
"""Environments of hundreds of megabytes: `make environments` makes them, no test does."""


def large_environment(name: str) -> Path:
    """The Python of one of `LARGE`; the test is skipped where it has not been made."""
    if not _is_made(name, LARGE[name]):
        pytest.skip(f"no environment {name}: `make environments` makes it")
    return _FOLDER / name / "bin" / "python"


def _wanted(requirements: Sequence[str]) -> str:
    """What an environment that is as it should be has written down."""
    return "\n".join([sys.version, *requirements])


def _is_made(name: str, requirements: Sequence[str]) -> bool:
    mark = _FOLDER / name / "requirements"
    return mark.is_file() and mark.read_text() == _wanted(requirements)


def environment(name: str, *requirements: str) -> Path:
    """Makes an environment under build/, once, and returns its Python.

    Where the package index is out of reach, or has no such package for this Python, the test is
    skipped with pip's reason.

    Args:
        name: the environment's; it is made again when its requirements change.
        requirements: each with its version.
    """
    folder = _FOLDER / name
    with alone(folder):
        if not _is_made(name, requirements):
            _make(name, requirements)
    return folder / "bin" / "python"


def _make(name: str, requirements: Sequence[str]) -> None:
    folder = _FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True, symlinks=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--retries", "1", "--timeout", "30"]
    done = subprocess.run([*pip, *requirements], capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(folder)
        assert any(words in done.stderr for words in _OUT_OF_REACH), done.stderr
        pytest.skip(f"no environment {name}: {done.stderr.strip().splitlines()[-1]}")
    (folder / "requirements").write_text(_wanted(requirements))


if __name__ == "__main__":
    for name, requirements in LARGE.items():
        print(environment(name, *requirements))
