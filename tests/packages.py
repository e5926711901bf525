"""Packages of which tests want files, and which have no place in the tests' own environment."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

__all__ = ["unpacked"]

_FOLDER = Path(__file__).parent.parent / "build" / "packages"
_OUT_OF_REACH = ("(from versions: none)", "Connection", "timed out")


def unpacked(*requirements: str) -> Path:
    """Installs packages, without what they need, into a folder under build/; once.

    Where the package index is out of reach, the test is skipped with pip's reason.

    Args:
        requirements: each with its version, like "keras==3.15.1".
    """
    folder = _FOLDER / requirements[0]
    reason = "" if folder.is_dir() else _installed(folder, requirements)
    if reason:
        pytest.skip(f"no package index: {reason}")
    return folder


@functools.cache
def _installed(folder: Path, requirements: tuple[str, ...]) -> str:
    """Makes a folder; returns why the index cannot be reached, if it cannot."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=_FOLDER))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--retries", "1", "--timeout", "20", "--target", str(unfinished)]
    done = subprocess.run([*command, *requirements], capture_output=True, text=True, check=False)
    if done.returncode == 0 and not folder.is_dir():  # another process may have been faster
        unfinished.rename(folder)
        return ""
    shutil.rmtree(unfinished)
    if done.returncode == 0:
        return ""
    assert any(words in done.stderr for words in _OUT_OF_REACH), done.stderr
    return done.stderr.strip().splitlines()[-1]
