"""The documents get what was measured, and only that."""

import copy
import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.native.accuracy.page import page

FOLDER = Path(__file__).parent
_SPEC = importlib.util.spec_from_file_location("document", FOLDER / "document.py")
assert _SPEC
assert _SPEC.loader
document = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(document)

DEVICE = {"what": "device", "name": "A GPU", "capability": "9.0", "driver": 13010, "runtime": 12090}
TIME = {"what": "time", "kernel": "ELU", "type": "float32", "elements": 9, "us": 2.0}
TIME |= {"blocks_per_processor": 64, "gb_per_s": 4000.0, "of_copy": 0.951}
BITS = {"what": "bits as on the CPU", "type": "float16", "elements": 9}
REPORT: dict[str, Any] = {
    "date": "2001-02-03",
    "ok": True,
    "steps": {"kernels": {"status": 0}},
    "kernels": [
        DEVICE,
        TIME,
        {**TIME, "kernel": "with few blocks", "blocks_per_processor": 8},
        BITS | {"functor": "Relu", "different": 0},
        BITS | {"functor": "NegativeSlope", "different": 3},
        BITS | {"functor": "slopes", "different": 0},
        {"what": "accuracy", "operator": "ELU", "type": "float32", "alpha": 1.0}
        | {"elements": 7, "max_ulp": 0.625, "at": -0.5},
    ],
    "bench": {
        "environment": {"packages": {"torch": "9.9", "onnx": None}},
        "rows": [
            {"operator": "PReLU", "dtype": "float16", "size": "large"}
            | {"seconds": {"copy": 1e-4, "library": 1.1e-4, "standard": 2.2e-4, "relu": 1e-4}},
        ],
    },
}


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A document with something in it, and the folder of sweeps."""
    (tmp_path / "benchmarks.md").write_text("# benchmarks.md\n\nText.\n")
    (tmp_path / "accuracy").mkdir()
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    """All files."""
    return {path.name: path.read_text() for path in folder.rglob("*.*")}


def test_sections(docs: Path) -> None:
    """Where it is from and the figures; written again, the same."""
    assert document.document(REPORT, docs) == ["benchmarks.md", "accuracy/cuda.json"]
    first = texts(docs)
    benchmarks = first["benchmarks.md"]
    assert benchmarks.startswith("# benchmarks.md\n\nText.\n\n<!-- CUDA")
    assert "- device: A GPU, compute capability 9.0" in benchmarks
    assert "- versions: torch 9.9\n" in benchmarks
    assert "| ELU | float32 | 9 | 2.00 | 4000 | 95.1 % |" in benchmarks
    assert "with few blocks" not in benchmarks
    assert "| PReLU | float16 | large | 110.0 | 1.1 | 2 | - | - | 1.1 |" in benchmarks
    assert "- CUDA runtime: 12.9\n- driver: 13.1\n" in benchmarks
    document.document(REPORT, docs)
    assert texts(docs) == first


def test_accuracy(docs: Path) -> None:
    """The sweeps are a section of the accuracy page; what differs is wrong there."""
    document.document(REPORT, docs)
    content = json.loads((docs / "accuracy" / "cuda.json").read_text())
    lines = page([content]).splitlines()
    assert "- machine: A GPU, compute capability 9.0" in lines
    exact = "| {} | float16 | {} | 9 | the CPU's bits | correctly rounded | {} |"
    assert exact.format("ReLU", "none", "every result; CUDA") in lines
    assert exact.format("PReLU", "several", "every result; CUDA") in lines
    assert exact.format("LeakyReLU", "several", "3 wrong") in lines
    curve = "| ELU | float32 | 1 | 7 | wider arithmetic | 1 ULP | 0.6250 ULP at -0.5; CUDA |"
    assert curve in lines


def test_text_after_the_section_stays(docs: Path) -> None:
    """The section is replaced where it stands."""
    document.document(REPORT, docs)
    path = docs / "benchmarks.md"
    path.write_text(path.read_text() + "After.\n")
    newer = copy.deepcopy(REPORT)
    newer["date"] = "2002-02-02"
    document.document(newer, docs)
    text = path.read_text()
    assert text.endswith("After.\n")
    assert "2002-02-02" in text
    assert "2001-02-03" not in text


def test_nothing_measured_nothing_written(docs: Path) -> None:
    """A report without figures leaves the documents as they are."""
    before = texts(docs)
    assert document.document({**REPORT, "kernels": [DEVICE], "bench": {}}, docs) == []
    with pytest.raises(ValueError, match="these steps failed: kernels"):
        document.document({**REPORT, "ok": False, "steps": {"kernels": {"status": 1}}}, docs)
    assert texts(docs) == before


def test_findings_are_collected(tmp_path: Path) -> None:
    """One file with each step, each reason and each JSON; a failed step makes it not ok."""
    (tmp_path / "build.status").write_text("0 12\n")
    (tmp_path / "build.log").write_text("built")
    (tmp_path / "memcheck.skipped").write_text("not installed\n")
    (tmp_path / "kernels.json").write_text("[1]")
    target = tmp_path / "out" / "report"
    target.parent.mkdir()
    command: list[str | Path] = [sys.executable, FOLDER / "collect.py", tmp_path, target]
    subprocess.run(command, check=True)
    found = json.loads(target.read_text())
    assert found["ok"]
    assert found["kernels"] == [1]
    assert found["steps"] == {
        "build": {"status": 0, "seconds": 12, "log": "built"},
        "memcheck": {"skipped": "not installed"},
    }
    (tmp_path / "kernels.json").write_text('[{"max_ulp": NaN}]')
    subprocess.run(command, check=True)
    assert math.isnan(json.loads(target.read_text())["kernels"][0]["max_ulp"])
    (tmp_path / "build.status").write_text("3 12\n")
    subprocess.run(command, check=True)
    assert not json.loads(target.read_text())["ok"]


def test_findings_that_cannot_be_read(tmp_path: Path) -> None:
    """The rest is collected, and the report is not ok."""
    (tmp_path / "kernels.status").write_text("0 12\n")
    (tmp_path / "kernels.log").write_text("fine")
    (tmp_path / "kernels.json").write_text('[{"max_ulp": ')
    (tmp_path / "conform.json").write_text("[2]")
    target = tmp_path / "report"
    subprocess.run([sys.executable, FOLDER / "collect.py", tmp_path, target], check=True)
    found = json.loads(target.read_text())
    assert not found["ok"]
    assert found["conform"] == [2]
    assert found["steps"]["kernels"]["log"] == "fine"
    assert "line 1" in found["steps"]["kernels"]["unreadable"]


def test_check_without_a_gpu(tmp_path: Path) -> None:
    """Bad usage is answered by what the script takes."""
    done = subprocess.run(
        [FOLDER / "check.sh", "everything", tmp_path / "report"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "tests/gpu/check.sh kernels REPORT" in done.stderr
    assert not (tmp_path / "report").exists()
