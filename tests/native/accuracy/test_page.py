"""The published page of accuracy: made from the measurements beside it, which keep the promises."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS
from tests.building import ROOT
from tests.native.accuracy.measuring import FULL_FLOAT64, Record, kept, with_limit
from tests.native.accuracy.page import page

DOCS = ROOT / "docs"
NAMES = {spec.name for spec in SPECS}
RUNTIMES = json.loads((DOCS / "figures" / "runtimes.json").read_text())
FILES = [json.loads(path.read_text()) for path in sorted((DOCS / "accuracy").glob("*.json"))]


def test_page_is_current() -> None:
    """The page is what the generator makes of the files."""
    assert (DOCS / "accuracy.md").read_text() == page(FILES, RUNTIMES)


@pytest.mark.parametrize("content", FILES, ids=lambda content: str(content["environment"]["title"]))
def test_published_promises_are_kept(content: dict[str, Any]) -> None:
    """Every record, held against the table's promise of today."""
    broken = [record for record in content["records"] if not kept(with_limit(record))]
    assert broken == []


def test_everything_was_measured_in_full() -> None:
    """On the CPU: every type of an operator; every float32 number, a million float64 inputs of ELU.

    A new operator may wait for `make accuracy`: the page says so.
    """
    (cpu,) = [content for content in FILES if content["environment"]["title"] == "CPU"]
    pairs = {(op, record["dtype"]) for record in cpu["records"] for op in record["op"].split(", ")}
    measured = {op for op, _ in pairs}
    assert pairs == set(itertools.product(measured, ELEMENT_TYPES))
    assert {"ReLU", "LeakyReLU", "PReLU", "RReLU", "ELU"} <= measured <= NAMES
    for record in cpu["records"]:
        least = {"float32": 2**31, "float64": FULL_FLOAT64 if record["op"] == "ELU" else 1}
        assert record["inputs"] >= least.get(record["dtype"], 65536)


def test_page_names_what_was_not_measured() -> None:
    """An operator of the table without a record is named; where there is none, nothing is said."""
    records = [{**RECORD, "op": "LeakyReLU, RReLU"}, RECORD]
    text = page([{"environment": {"title": "Here"}, "records": records}])
    (line,) = [line for line in text.splitlines() if line.startswith("Not measured yet: ")]
    named = set(line.removeprefix("Not measured yet: ").removesuffix(".").split(", "))
    assert named == NAMES - {"LeakyReLU", "RReLU", "ELU"}
    every = [{**RECORD, "op": name} for name in NAMES]
    assert "Not measured" not in page([{"environment": {"title": "Here"}, "records": every}])


RECORD = {
    "op": "ELU", "dtype": "float32", "parameter": "1", "inputs": 5000, "oracle": "truth",
    "level": "v4 v2", "wrong": 0, "worst": 0.63001, "at": "-0.3", "limit": 0.75,
}  # fmt: skip
EXACT = RECORD | {"op": "PReLU", "worst": None, "at": None, "limit": 0.5}


@pytest.mark.parametrize(
    ("records", "row"),
    [
        ([RECORD], "| ELU | float32 | 1 | 5,000 | truth | 0.75 ULP |"
                   " 0.6301 ULP at -0.3; same bits on v4, v2 |"),
        ([RECORD | {"wrong": 3}], "| ELU | float32 | 1 | 5,000 | truth | 0.75 ULP | 3 wrong |"),
        ([EXACT, EXACT | {"parameter": "2"}],
         "| PReLU | float32 | 1, 2 | 5,000 | truth | correctly rounded |"
         " every result; same bits on v4, v2 |"),
        ([EXACT | {"parameter": str(i), "level": "cuda"} for i in range(9)],
         "| PReLU | float32 | 9: list 1 | 5,000 | truth | correctly rounded |"
         " every result; cuda |"),
    ],
)  # fmt: skip
def test_rows(records: list[Record], row: str) -> None:
    """Figures are rounded up; exact results share a row; long lists stand below the table."""
    text = page([{"environment": {"title": "Here", "date": "today"}, "records": records}])
    assert row in text.splitlines()
    assert "### Here\n\n- date: today\n" in text
    assert ("List 1: 0, 1, 2" in text) == (len(records) == 9)
