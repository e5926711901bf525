"""check.sh from beginning to end without a GPU: CUDA's runtime is tests/native/cuda/host_cuda."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS
from tests.building import CMAKE
from tests.locks import alone

CHECK = Path(__file__).with_name("check.sh")
# What check.sh finds on its PATH in place of CUDA's programs.
PROGRAMS = {
    "cmake": f"""case " $* " in *" -S "*) set -- "$@" -DONNX_ACTS_CUDA=OFF ;; esac
exec {shlex.quote(str(CMAKE))} "$@"
""",
    "nvidia-smi": "echo 9.0\n",
}


@pytest.mark.slow
def test_kernels(tmp_path: Path, release: Path) -> None:
    """It builds, compares and measures all it would on a GPU, and everything is as it should be.

    What the other tests have built is not built again.
    """
    for name, text in PROGRAMS.items():
        path = tmp_path / name
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)
    report = tmp_path / "report.json"
    variables = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHON": sys.executable}
    with alone(release):
        done = subprocess.run(
            [CHECK, "kernels", report],
            env=os.environ | variables | {"BUILD": str(release)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-6000:]
    found = json.loads(report.read_text())
    assert found["ok"]
    assert {name: step["status"] for name, step in found["steps"].items()} == {
        "build": 0,
        "kernels": 0,
    }
    rows = found["kernels"]
    assert all(row["ok"] for row in rows)
    assert rows[0]["name"] == "the host"
    compared = [row for row in rows if row["what"] == "bits as on the CPU"]
    products = {spec.functor for spec in SPECS if spec.is_product}
    counted = {(row["functor"], row["type"]) for row in compared}
    # Products, slopes and draws in every type; what is looked up in a table, in the two of 16 bits.
    assert len(counted) == (len(products) + 2) * len(ELEMENT_TYPES) + 2
    assert all(row["elements"] > 100000 for row in compared)
    accuracy = [row for row in rows if row["what"] == "accuracy"]
    assert {row["type"] for row in accuracy} == {"float32", "float64"}
    assert all(0.5 < row["max_ulp"] <= 1 for row in accuracy)
    near = [row for row in rows if row["what"] == "near the CPU"]
    curves = {spec.name for spec in SPECS if not spec.is_product}
    assert {row["operator"] for row in near} == curves
    assert {row["type"] for row in near} == {"float32", "float64"}
    uniform = {spec.name for spec in SPECS if spec.parameter_source in ("none", "attribute")}
    timed = {(row["kernel"], row["type"]) for row in rows if row["what"] == "time"}
    assert {(name, dtype) for name in uniform for dtype in ELEMENT_TYPES} <= timed
