"""What a release is made of; its tools are tried by `make wheels` itself."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from release import audit
from release.__main__ import clear
from release.bill import completed
from release.building import sdist
from release.page import index_page
from release.source import commit_time, for_release, prepare
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


def test_only_files_of_a_release_are_taken_away(tmp_path: Path) -> None:
    """A folder with anything else in it stays as it is."""
    ours = ["onnx_acts-0.1.0.tar.gz", "onnx_acts-0.1.0-py3-none-any.whl", "SHA256SUMS"]
    for name in [*ours, "thesis.txt"]:
        (tmp_path / name).write_text("a")
    with pytest.raises(SystemExit, match=r"'thesis\.txt', which is not of a release"):
        clear(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
    (tmp_path / "thesis.txt").unlink()
    clear(tmp_path)
    assert list(tmp_path.iterdir()) == []
    clear(tmp_path / "new")
    (tmp_path / "SHA256SUMS").mkdir()
    with pytest.raises(SystemExit, match="SHA256SUMS"):
        clear(tmp_path)


def test_tags() -> None:
    """The C library in a target's name is the one that its wheel promises."""
    for target in TARGETS:
        assert all(tag.startswith("py3-none-") for tag in target.wheel_tags)
        if target.system == "Linux":
            (minor,) = re.findall(r"gnu\.2\.(\d+)$", target.zig)
            assert f"manylinux_2_{minor}_{target.processor}" in target.tag


def environment(*names: str) -> dict[str, Any]:
    """The bill of an environment."""
    parts = [
        {
            "name": name,
            "bom-ref": f"{name}==1",
            "version": "1",
            "externalReferences": [{"url": f"file:///home/someone/{name}.whl"}],
        }
        for name in names
    ]
    needs = [{"ref": part["bom-ref"]} for part in parts]
    return {"components": parts, "dependencies": needs, "metadata": {}}


def test_bill(tmp_path: Path) -> None:
    """It is about the files, by name and hash, and has what is inside of them; not where they lay,
    and not what was in the environment before.
    """
    (tmp_path / "a.whl").write_bytes(b"abc")
    names = ("pip", "setuptools", "numpy", "onnx", "onnxruntime", "onnx-acts")
    bill = completed(environment(*names), [tmp_path / "a.whl"])
    ours = bill["metadata"]["component"]
    (file,) = ours["externalReferences"]
    assert file["url"] == "a.whl"
    assert file["hashes"][0]["content"] == hashlib.sha256(b"abc").hexdigest()
    assert {part["name"] for part in bill["components"]} == {"numpy", "onnx", "onnxruntime"}
    assert {one["ref"] for one in bill["dependencies"]} == {f"{name}==1" for name in names[2:]}
    inside = {part["name"]: part["version"] for part in ours["components"]}
    assert inside.keys() == {"libc++", "libc++abi", "libunwind", "mingw-w64"}
    assert re.fullmatch(r"\d\d\.\d\.\d+", inside["libc++"])
    with pytest.raises(SystemExit, match=r"lacks .*onnxruntime"):
        completed(environment("pip", "numpy", "onnx", "onnx-acts"), [])


@pytest.mark.parametrize(
    ("of_known", "of_ours", "message"),
    [
        ((1, "urllib3 1.24.1  PYSEC-2019-133 1.24.2"), (0, ""), None),
        ((1, "urllib3 1.24.1  PYSEC-2019-133 1.24.2"), (1, "numpy 1 CVE-1"), "numpy 1 CVE-1"),
        ((0, ""), (0, ""), "Nothing was audited"),
        ((1, "ERROR: urllib3: not found (1.24.1)"), (0, ""), "Nothing was audited"),
    ],
)
def test_audit(
    of_known: tuple[int, str],
    of_ours: tuple[int, str],
    message: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who sees no hole in what is known to have one has not looked."""

    def ask(pinned: str) -> subprocess.CompletedProcess[str]:
        code, said = of_known if pinned.startswith("urllib3") else of_ours
        return subprocess.CompletedProcess([], code, said, "")

    monkeypatch.setattr(audit, "ask", ask)
    if message is None:
        audit.audit()
    else:
        with pytest.raises(SystemExit, match=message):
            audit.audit()


def commit() -> str:
    """The last commit: there may be another one before a test has ended."""
    asked = ["git", "rev-parse", "HEAD"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.slow
def test_same_archive_again(tmp_path: Path) -> None:
    """Two source archives of a commit, made in two folders, have the same bytes; so do the sources
    in them, wherever they are unpacked.
    """
    pytest.importorskip("build", reason="build is in the extra `release`")
    last, archives = commit(), []
    for name in ("one", "two"):
        prepare(ROOT, tmp_path / name / "source", last)
        out = tmp_path / name / "out"
        archives.append(sdist(tmp_path / name / "source", out, commit_time(ROOT, last)))
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with tarfile.open(archives[0]) as files:
        names = {Path(*Path(name).parts[1:]).as_posix() for name in files.getnames()}
        assert {member.mtime for member in files if member.isfile()} == {commit_time(ROOT, last)}
    assert {"custom_ops/CMakeLists.txt", "licenses/LLVM-libcxx.txt", "LICENSE"} <= names
    assert not {name for name in names if name.startswith(("tests", "docs", "release"))}


@pytest.mark.slow
def test_same_bytes_again(tmp_path: Path) -> None:
    """Two builds of a commit, in two folders, give the same files."""
    last = commit()
    for tool in ("build", "auditwheel", "twine", "check_wheel_contents"):
        pytest.importorskip(tool, reason=f"{tool} is in the extra `release`")
    sums = []
    for name in ("one", "two"):
        command = [sys.executable, "-m", "release", "--commit", last]
        command += ["--build-only", "--only", "linux-x86_64"]
        subprocess.run([*command, "--out", tmp_path / name], cwd=ROOT, check=True)
        sums.append((tmp_path / name / "SHA256SUMS").read_text("utf-8"))
    assert sums[0] == sums[1]
    assert len(sums[0].splitlines()) == 2
