"""Reports: what they contain."""

import dataclasses
import json
import re
from xml.etree import ElementTree

from onnx_acts.conformance import report
from onnx_acts.conformance.runtimes import RUNTIMES
from onnx_acts.conformance.suite import Cell, Failure, Result
from onnx_acts.ort.environment import environment
from onnx_acts.text.tables import WIDTH

RESULT = Result(
    cells=[
        Cell("ELU", "float32", "dense", "library", 1.0, max_ulp=0.77, cases=2),
        Cell(
            "ELU",
            "float32",
            "dense",
            "standard",
            1.0,
            max_ulp=1.4e7,
            cases=2,
            failed=1,
            known=1,
            failures=[Failure("defaults", "got <1>\x00, exact 2", "import numpy")],
        ),
        Cell("ELU", "float32", "dense", "pytorch", 1.0, cases=2, skipped=2, reasons=["none here"]),
        Cell("ELU", "float32", "shapes", "library", 1.0, max_ulp=0.5, cases=3, known=1),
    ],
    stale=["pytorch, ELU: no longer differs: remove the record (x)"],
)


def test_table() -> None:
    """Rows, columns, figures, reasons, failures with their program, stale records, verdict."""
    text = report.table_text(RESULT, environment())
    (row,) = [line for line in text.splitlines() if line.startswith("ELU")]
    assert re.split(r"\s{2,}", row)[2:] == ["0.77 known", "FAIL 1.4e+07", "n/a"]
    for part in ("onnxruntime ", "pytorch: none here", "1 of 2 cases", "    import numpy"):
        assert part in text
    assert text.endswith("NOT OK: 1 fail, 1 known, 1 pass, 1 n/a, 1 stale records")


def test_table_of_all_runtimes() -> None:
    """With every runtime the table goes on below rather than beyond 100 columns."""
    cell = Cell("LeakyReLU", "bfloat16", "dense", "", 1.0, max_ulp=1.4e7, cases=2, failed=1)
    cells = [dataclasses.replace(cell, runtime=item.name) for item in RUNTIMES]
    text = report.table_text(Result(cells=cells * 2, stale=[]), environment())
    rows = [line for line in text.splitlines() if line.startswith(("operator", "LeakyReLU"))]
    assert max(map(len, rows)) <= WIDTH
    headings = " ".join(line for line in rows if line.startswith("operator")).split()
    assert {item.name for item in RUNTIMES} <= set(headings)
    assert not re.search("None|cudaError", text)


def test_json() -> None:
    """The JSON has the environment and every cell with its status."""
    content = json.loads(report.json_text(RESULT, environment()))
    assert set(content) == {"environment", "ok", "stale", "cells"}
    assert [cell["status"] for cell in content["cells"]] == ["pass", "fail", "n/a", "known"]
    assert content["cells"][0]["max_ulp"] == 0.77
    assert content["ok"] is False
    assert set(content["environment"]) >= {"packages", "cpu", "library", "python", "system"}


def test_junit() -> None:
    """One test case for each cell and stale record, with counts that agree; any text is valid."""
    root = ElementTree.fromstring(report.junit_text(RESULT))
    (suite,) = root.findall("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "2", "1")
    assert len(suite.findall("testcase")) == 5
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "got <1>?, exact 2" in str(failure.text)
