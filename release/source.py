"""The sources of a release: a commit's files, made ready for a package index."""

from __future__ import annotations

import re
import subprocess
import tarfile
from pathlib import Path

import ziglang

from release.page import index_page

__all__ = ["commit_time", "prepare"]

_LICENCES = {
    "LLVM-libcxx.txt": "libcxx/LICENSE.TXT",
    "LLVM-libcxxabi.txt": "libcxxabi/LICENSE.TXT",
    "LLVM-libunwind.txt": "libunwind/LICENSE.TXT",
    "mingw-w64.txt": "libc/mingw/COPYING",
}
"""Of the code that the linker puts into the wheels' libraries."""

_URLS = """\
[project.urls]
Repository = "{0}"
Documentation = "{0}/tree/main/docs"
Issues = "{0}/issues"
Changelog = "{0}/blob/main/CHANGELOG.md"

"""


def commit_time(root: Path, commit: str = "HEAD") -> int:
    """When a commit was made, in seconds since 1970: the time of every file in a release."""
    asked = ["git", "-C", str(root), "show", "-s", "--format=%ct", commit]
    return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)


def prepare(root: Path, folder: Path, commit: str = "HEAD", address: str = "") -> None:
    """Writes a commit's files into a new folder; what is not committed stays out.

    The README becomes the page for the index, and the licences of the C++ runtime join ours.

    Args:
        root: the repository.
        folder: where to write.
        commit: which one.
        address: the repository's address on the web, for the project's URLs; without one the
            release has none.
    """
    folder.mkdir(parents=True)
    archive = folder.with_suffix(".tar")
    subprocess.run(
        ["git", "-C", str(root), "archive", "--output", str(archive), commit], check=True
    )
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    archive.unlink()
    readme = folder / "README.md"
    readme.write_text(index_page(readme.read_text("utf-8")), "utf-8")
    _add_licences(folder / "licenses")
    project = folder / "pyproject.toml"
    project.write_text(for_release(project.read_text("utf-8"), address), "utf-8")


def _add_licences(folder: Path) -> None:
    folder.mkdir()
    sources = Path(ziglang.__file__).parent / "lib"
    for name, source in _LICENCES.items():
        (folder / name).write_bytes((sources / source).read_bytes())


def for_release(project: str, address: str) -> str:
    """pyproject.toml with the licences of what the wheels hold, and the project's addresses."""
    before = 'license-files = ["LICENSE"]'
    assert before in project
    project = project.replace(before, 'license-files = ["LICENSE", "licenses/*"]')
    urls = _URLS.format(address.rstrip("/")) if address else ""
    project, found = re.subn(r"^# No \[project\.urls\] yet:.*\n.*\n\n", urls, project, flags=re.M)
    assert found == 1
    return project
