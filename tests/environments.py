"""Environments of the tests' own, for packages that do not go with those of the project."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

__all__ = ["environment"]

_FOLDER = Path(__file__).parent.parent / "build" / "environments"
_OUT_OF_REACH = ("(from versions: none)", "Connection", "timed out", "No matching distribution")


def environment(name: str, *requirements: str) -> Path:
    """Makes an environment under build/, once, and returns its Python.

    Where the package index is out of reach, or has no such package for this Python, the test is
    skipped with pip's reason.

    Args:
        name: the environment's; it is made again when its requirements change.
        requirements: each with its version.
    """
    folder = _FOLDER / name
    python, mark = folder / "bin" / "python", folder / "requirements"
    wanted = "\n".join([sys.version, *requirements])
    if mark.is_file() and mark.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True, symlinks=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "--retries", "1", "--timeout", "30", *requirements]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(folder)
        assert any(words in done.stderr for words in _OUT_OF_REACH), done.stderr
        pytest.skip(f"no environment {name}: {done.stderr.strip().splitlines()[-1]}")
    mark.write_text(wanted)
    return python
