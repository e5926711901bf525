"""What can be said of the files of a release without running them.

`python -m release.checking WHEEL...` checks wheels that were made otherwise, such as with CUDA.
"""

from __future__ import annotations

import hashlib
import re
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from release.building import run
from release.targets import Target

__all__ = ["check_cuda", "check_files", "check_tag", "write_sums"]

_KERNELS = b".nv_fatbin"
"""The section that nvcc puts kernels into."""

_CUDA_LICENCE = "NVIDIA-CUDA.txt"
"""As the build calls it (custom_ops/cuda/licence.cmake)."""


def check_files(files: Sequence[Path]) -> None:
    """Requires metadata that an index shows, and wheels with nothing odd inside."""
    run(sys.executable, "-m", "twine", "check", "--strict", *files)
    wheels = [file for file in files if file.suffix == ".whl"]
    # W004 is about folders that are no packages: the operators' texts are in one.
    run(sys.executable, "-m", "check_wheel_contents", "--ignore", "W004", *wheels)


def check_tag(wheel: Path, target: Target) -> None:
    """Requires the platform's library, licences, and a tag that auditwheel agrees to."""
    names = zipfile.ZipFile(wheel).namelist()
    licences = [name for name in names if "/licenses/" in name]
    if f"onnx_acts/{target.library}" not in names or len(licences) < 5:
        raise SystemExit(f"{wheel.name} lacks {target.library} or licences; it has {names}")
    with zipfile.ZipFile(wheel) as files:
        start = files.read(f"onnx_acts/{target.library}")[:4]
    if not start.startswith(b"MZ" if target.system == "Windows" else b"\x7fELF"):
        raise SystemExit(f"{wheel.name}: {target.library} is no library, it begins with {start!r}")
    check_cuda(wheel)
    if target.system == "Linux":
        said = " ".join(run(sys.executable, "-m", "auditwheel", "show", wheel).split())
        found = re.search(r'consistent with the following platform tag: "([^"]+)"', said)
        glibc = re.compile(r"manylinux_2_(\d+)_")
        allowed = glibc.search(target.tag)
        needed = glibc.match(found[1]) if found else None
        if needed is None or allowed is None or int(needed[1]) > int(allowed[1]):
            raise SystemExit(f"{wheel.name} is not what its tag says: {said}")
        print(f"  auditwheel: {found[1] if found else ''}", flush=True)


def check_cuda(wheel: Path) -> None:
    """Requires NVIDIA's licence in a wheel with CUDA kernels, as CUDA's runtime is inside them.

    Raises:
        SystemExit: it has none.
    """
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
        libraries = [name for name in names if name.endswith((".so", ".dll"))]
        has_kernels = any(_KERNELS in files.read(name) for name in libraries)
    has_licence = any(name.endswith(f"/licenses/{_CUDA_LICENCE}") for name in names)
    if has_kernels and not has_licence:
        raise SystemExit(
            f"{wheel.name} has CUDA's runtime inside, and no licenses/{_CUDA_LICENCE}: it may not"
            " be passed on. The build did not find NVIDIA's licence; name it with"
            " -C cmake.define.ONNX_ACTS_CUDA_LICENCE=FILE"
        )


def write_sums(files: Sequence[Path], out: Path) -> None:
    """Writes SHA256SUMS, which `sha256sum --check` reads."""
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (out / "SHA256SUMS").write_text("".join(sorted(lines)), "utf-8")


if __name__ == "__main__":  # of a wheel with CUDA, which `make wheels` does not build
    given = [Path(name) for name in sys.argv[1:]]
    for one in given:
        check_cuda(one)
    check_files(given)
    print(f"{len(given)} checked")
