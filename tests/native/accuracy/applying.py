"""Asks the program that sweeps for the results of the loops on given inputs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def families(program: Path) -> list[str]:
    """The levels that must agree on a curve: with a fused multiply-add, and without."""
    done = subprocess.run([program, "families"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def apply(program: Path, levels: str, op: str, parameter: float, x: Array) -> tuple[Array, int]:
    """What the loops give; 1 if levels, body and tail do not agree on it, else 0."""
    command = [str(program), "apply", levels, op, x.dtype.name, repr(parameter)]
    done = subprocess.run(command, input=x.tobytes(), capture_output=True, check=False)
    if done.returncode not in (0, 1) or len(done.stdout) != x.nbytes:
        raise OSError(f"{program.name} apply {op} {parameter!r}: {done.stderr.decode()}")
    return np.frombuffer(done.stdout, x.dtype), done.returncode
