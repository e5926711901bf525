"""The source archive, and the wheels that are built from it."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

from release.targets import Target

__all__ = ["run", "sdist", "wheel"]

_ZIG = Path(__file__).with_name("zig_clang.py")


def run(*command: str | Path, cwd: str | Path = ".", **variables: str) -> str:
    """Runs a command; returns what it printed.

    Raises:
        SystemExit: it failed; with the end of what it printed.
    """
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | variables,
        input="",  # a pipe: Windows' Python under wine takes no other standard input
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        name = " ".join(str(part) for part in command[:6])
        raise SystemExit(f"{name} ... failed ({done.returncode}):\n{done.stdout[-4000:]}")
    return done.stdout


def sdist(source: Path, out: Path, time: int) -> Path:
    """Writes the source archive of a folder of sources."""
    _build("--sdist", source, out, time)
    return _only(out, "*.tar.gz")


def wheel(archive: Path, target: Target, out: Path, work: Path, time: int) -> Path:
    """Writes the wheel of a platform, from the source archive, whatever machine this is.

    Zig's Clang brings the headers and libraries of every platform, so nothing of this machine's
    gets in. There are no CUDA kernels, whatever is installed here.
    """
    place = work / target.name
    with tarfile.open(archive) as files:
        files.extractall(place, filter="data")
    (source,) = place.iterdir()
    compiler = f"{sys.executable};{_ZIG};--target={target.zig}"
    defines = {
        "CMAKE_SYSTEM_NAME": target.system,
        "CMAKE_SYSTEM_PROCESSOR": target.processor,
        "CMAKE_CXX_COMPILER": compiler,
        "CMAKE_MODULE_LINKER_FLAGS": "-Wl,-s",
        "CMAKE_MAKE_PROGRAM": str(Path(sys.executable).with_name("ninja")),
        "Python_EXECUTABLE": sys.executable,
        "ONNX_ACTS_CUDA": "OFF",
    }
    settings = [f"-Ccmake.define.{name}={value}" for name, value in defines.items()]
    settings += [f"-Cwheel.tags={tag}" for tag in target.wheel_tags]
    settings += ["-Cinstall.strip=false", f"-Cbuild-dir={place / 'build'}"]
    _build("--wheel", source, out, time, *settings)
    return _only(out, f"*-{target.tag}.whl")


def _build(kind: str, source: Path, out: Path, time: int, *settings: str) -> None:
    command: tuple[str | Path, ...] = (
        sys.executable,
        "-m",
        "build",
        kind,
        "--no-isolation",
        "--outdir",
        out,
        *settings,
    )
    folder = Path(sys.executable).parent
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    run(*command, source, SOURCE_DATE_EPOCH=str(time), CMAKE_GENERATOR="Ninja", PATH=path)


def _only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found
