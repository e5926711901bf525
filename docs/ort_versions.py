"""ONNX Runtime's own PRelu and Elu, and ours, in several versions of ONNX Runtime.

`python -m docs.ort_versions` makes an environment for each version, measures, and writes
`docs/figures/ort_versions.json`; `python -m docs.pictures` makes the table and the picture of it.

The versions take turns: in each round every version runs once, in random order, in a process of its
own, so that other work on the machine disturbs all of them alike. Of each round and peer the median
is kept.
"""

from __future__ import annotations

import argparse
import datetime
import json
import random
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from onnx_acts import accelerate, library_path, reference
from onnx_acts.ort.environment import environment

__all__ = ["PEERS", "VERSIONS", "main"]

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "figures" / "ort_versions.json"
WORKER = Path(__file__).with_name("ort_versions_worker.py")

VERSIONS = ("1.17.3", "1.19.2", "1.20.1", "1.21.1", "1.23.2", "1.26.0", "1.27.0", "1.31.1")
"""The oldest that the library serves, the newest when the page was made, and the versions around
1.21, in which Elu became faster, and 1.27, in which PRelu became slow."""

SHAPE = (1, 64, 112, 112)
OPSET = 17
"""Old enough for the oldest version."""

PEERS = ("copy", "PRelu", "PReLU", "Elu", "ELU")
"""A copy, and of each activation ONNX Runtime's own node and ours."""


def models(folder: Path) -> dict[str, Path]:
    """Writes the models of the peers: standard nodes, and what `accelerate` makes of them."""
    slope = np.full((SHAPE[1], 1, 1), 0.25, np.float32)
    values = {"PRelu": [numpy_helper.from_array(slope, "slope")], "Elu": []}
    found = {}
    for name, weights in values.items():
        graph = helper.make_graph(
            [helper.make_node(name, ["x", *(item.name for item in weights)], ["y"])],
            name,
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, SHAPE)],
            weights,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8
        )
        ours = {"PRelu": "PReLU", "Elu": "ELU"}[name]
        for label, made in ((name, model), (ours, accelerate(model))):
            found[label] = folder / f"{label}-{'ours' if label == ours else 'standard'}.onnx"
            onnx.save_model(made, found[label])
    return found


def environment_of(version: str, folder: Path) -> Path:
    """The Python of an environment with that version of ONNX Runtime, made where there is none."""
    python = folder / version / "bin" / "python"
    if not (folder / version / "ready").exists():
        print(f"environment for onnxruntime {version}", file=sys.stderr)
        venv.create(folder / version, with_pip=True, clear=True)
        # Builds of ONNX Runtime before 1.19 are for NumPy 1.
        numpy = "numpy<2" if int(version.split(".")[1]) < 19 else "numpy"
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run([*pip, f"onnxruntime=={version}", numpy], check=True)
        (folder / version / "ready").touch()
    return python


def plan(folder: Path, seconds: float, seed: int) -> Path:
    """Writes what the workers do, and what they must find."""
    x = np.random.default_rng(seed).standard_normal(SHAPE).astype(np.float32)
    expected = folder / "expected.npz"
    prelu, elu = reference.prelu(x, np.float32(0.25)), reference.elu(x)
    np.savez(expected, copy=x, PReLU=prelu, ELU=elu)
    paths = models(folder)
    peers = [
        {
            "name": name,
            "model": str(paths[name]) if name in paths else "",
            "library": name in ("PReLU", "ELU"),
            "expected": {"PRelu": "PReLU", "Elu": "ELU"}.get(name, name),
        }
        for name in PEERS
    ]
    text = {
        "seed": seed,
        "shape": SHAPE,
        "seconds": seconds,
        "library": library_path(),
        "expected": str(expected),
        "peers": peers,
    }
    path = folder / "plan.json"
    path.write_text(json.dumps(text))
    return path


def measure(pythons: Mapping[str, Path], rounds: int, seconds: float) -> dict[str, Any]:
    """Runs all versions in turns; returns a median of each round, in microseconds, for each peer.

    Raises:
        RuntimeError: a worker failed, or an environment has another version than its name says.
    """
    found: dict[str, dict[str, list[float]]] = {
        version: {name: [] for name in PEERS} for version in pythons
    }
    with tempfile.TemporaryDirectory() as folder:
        path = plan(Path(folder), seconds, seed=0)
        for number in range(rounds):
            for version in random.sample(list(pythons), len(pythons)):
                done = subprocess.run(
                    [pythons[version], WORKER, path], capture_output=True, text=True, check=False
                )
                if done.returncode:
                    raise RuntimeError(f"onnxruntime {version}: {done.stderr[-2000:]}")
                result = json.loads(done.stdout)
                if result["version"] != version:
                    raise RuntimeError(f"{pythons[version]} has onnxruntime {result['version']}")
                for name, times in result["seconds"].items():
                    found[version][name].append(round(1e6 * statistics.median(times), 1))
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and writes the figures."""
    parser = argparse.ArgumentParser(prog="python -m docs.ort_versions", description=__doc__)
    parser.add_argument("--versions", nargs="+", default=list(VERSIONS), metavar="V")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="default: 9")
    parser.add_argument(
        "--seconds", type=float, default=2.0, metavar="S", help="of each run (default: 2)"
    )
    parser.add_argument(
        "--environments",
        type=Path,
        default=ROOT / "build" / "ort_versions",
        metavar="FOLDER",
        help="where the environments are (default: build/ort_versions)",
    )
    parser.add_argument("--json", type=Path, default=FIGURES, metavar="FILE", help="to write")
    options = parser.parse_args(arguments)
    pythons = {
        version: environment_of(version, options.environments) for version in options.versions
    }
    about = environment()
    measured = measure(pythons, options.rounds, options.seconds)
    figures = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cpu": about["cpu"],
        "level": about["library"].get("isa"),
        "onnx_acts": about["packages"]["onnx-acts"],
        "shape": SHAPE,
        "command": "python -m docs.ort_versions"
        f" --rounds {options.rounds} --seconds {options.seconds:g}",
        "microseconds": measured,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
