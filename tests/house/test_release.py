"""What a release is made of; its tools are tried by `make wheels` itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from release.page import index_page
from release.source import for_release
from release.targets import TARGETS
from release.zig_clang import translated
from tests.building import ROOT

README = (ROOT / "README.md").read_text("utf-8")
PROJECT = (ROOT / "pyproject.toml").read_text("utf-8")


def test_page_stands_alone() -> None:
    """The index's page has the README's example and table, no picture and no relative link."""
    page = index_page(README)
    assert "onnx_acts.export(module" in page
    assert "| PReLU |" in page
    assert "![" not in page
    assert not re.findall(r"\]\((?!https:)[^)]*\)", page)
    assert "{operators}" not in page


def test_addresses() -> None:
    """Where the project has an address, the release names it; else it has no URLs."""
    told = for_release(PROJECT, "https://forge.example/onnx-acts/")
    assert 'Issues = "https://forge.example/onnx-acts/issues"' in told
    assert "[project.urls]" not in for_release(PROJECT, "")
    assert '"licenses/*"' in told


def test_clang_in_the_spelling_of_zig() -> None:
    """Levels have underscores; only libraries of Linux stay loaded."""
    said = translated(["-march=x86-64-v3", "-shared"], "x86_64-linux-gnu.2.17")
    assert said == ["-march=x86_64_v3", "-shared", "-Wl,-z,nodelete"]
    assert translated(["-shared"], "x86_64-windows-gnu") == ["-shared"]


def test_tags() -> None:
    """The C library in a target's name is the one that its wheel promises."""
    for target in TARGETS:
        assert all(tag.startswith("py3-none-") for tag in target.wheel_tags)
        if target.system == "Linux":
            (minor,) = re.findall(r"gnu\.2\.(\d+)$", target.zig)
            assert f"manylinux_2_{minor}_{target.processor}" in target.tag


@pytest.mark.slow
def test_same_bytes_again(tmp_path: Path) -> None:
    """Two builds of a commit, in two folders, give the same files."""
    for tool in ("build", "auditwheel", "twine", "check_wheel_contents"):
        pytest.importorskip(tool, reason=f"{tool} is in the extra `release`")
    sums = []
    for name in ("one", "two"):
        command = [sys.executable, "-m", "release", "--build-only", "--only", "linux-x86_64"]
        subprocess.run([*command, "--out", tmp_path / name], cwd=ROOT, check=True)
        sums.append((tmp_path / name / "SHA256SUMS").read_text("utf-8"))
    assert sums[0] == sums[1]
    assert len(sums[0].splitlines()) == 2
