"""Reports: what they contain."""

import dataclasses
import json
import re
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from onnx_acts.conformance import reports
from onnx_acts.conformance.recording import Outcome, Record, Worst
from onnx_acts.conformance.runtimes import ALL_RUNTIMES, RuntimeFacts
from onnx_acts.conformance.suite import Cell, Failure, Result
from onnx_acts.ort.environment import environment
from onnx_acts.text.tables import WIDTH

BITS = ("0xb22bcc77", "0x00000000", "0xb22bcc77")
WORST = Worst("defaults", -1.4e7, "-1e-08", "", "0.0", "-9.9999999392252903e-09", *BITS)
RECORD = Record(
    outcomes=[Outcome("one <b>", "fail", 1.4e7, "got <1>\x00, exact 2"), Outcome("two", "pass")],
    elements=9,
    curve={-3: (-1.4e7, 0.25), 0: (0.0, 0.0), 7: (-0.5, 0.5)},
    wrong={-3: 2},
    histogram=[1, 4, 0, 0, 0, 0, 0, 0, 2, 2],
    worst=[WORST, dataclasses.replace(WORST, ulp=None, got="nan")],
)
EXACT = Record(elements=9, curve={0: (0.0, 0.5)}, histogram=[5, 4, 0, 0, 0, 0, 0, 0, 0, 0])
RESULT = Result(
    cells=[
        Cell("ELU", "float32", "dense", "library", 1.0, max_ulp=0.77, cases=2, record=EXACT),
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
            record=RECORD,
        ),
        Cell("ELU", "float32", "dense", "pytorch", 1.0, cases=2, skipped=2, reasons=["none here"]),
        Cell("ELU", "float32", "dense", "jax", 1.0, cases=2, skipped=2, reasons=["no wheel"]),
        Cell("ELU", "float32", "shapes", "library", 1.0, max_ulp=0.5, cases=3, known=1),
    ],
    stale=["pytorch, ELU: no longer differs: remove the record (x)"],
    runtimes=[
        RuntimeFacts("library", "ONNX Runtime, native library", "onnxruntime", "1.31.1"),
        RuntimeFacts("jax", "JAX", "jax", "", "not installed: pip install jax"),
    ],
)


def test_table() -> None:
    """Rows, columns, figures, reasons, failures with their program, stale records, verdict."""
    text = reports.table_text(RESULT, environment())
    (row,) = [line for line in text.splitlines() if line.startswith("ELU")]
    assert re.split(r"\s{2,}", row)[2:] == ["0.77 known", "FAIL 1.4e7", "n/a", "n/a"]
    for part in ("onnxruntime ", "pytorch: none here", "1 of 2 cases", "    import numpy"):
        assert part in text
    assert "library: ONNX Runtime, native library (onnxruntime 1.31.1)" in text
    assert text.endswith("NOT OK: 1 fail, 1 known, 1 pass, 2 n/a, 1 stale records")


def test_table_of_all_runtimes() -> None:
    """With every runtime the table goes on below rather than beyond 100 columns; so does the rest.

    Paths are not broken, and no word of a program is.
    """
    cell = Cell("LeakyReLU", "bfloat16", "dense", "", 1.0, max_ulp=1.4e7, cases=2, failed=1)
    cell.reasons = ["a reason of many words, " * 20]
    cell.failures = [Failure("a case", "what was seen, " * 20, "import numpy")]
    cells = [dataclasses.replace(cell, runtime=item.name) for item in ALL_RUNTIMES]
    groups = [dataclasses.replace(cells[0], group=f"a group of length {i}") for i in range(9)]
    found = environment()
    found["library"] = {**found["library"], "path": "/somewhere/library.so"}
    text = reports.table_text(Result(cells=cells * 2 + groups, stale=["a sentence " * 30]), found)
    assert max(map(len, text.splitlines())) <= WIDTH
    headings = " ".join(line for line in text.splitlines() if line.startswith("operator")).split()
    assert {item.name for item in ALL_RUNTIMES} <= set(headings)
    assert not re.search("None|cudaError", text)


def schema() -> Any:
    """The schema that is in the package."""
    content = json.loads(reports.SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(content)
    return content


def test_json() -> None:
    """The JSON is what its schema says, and has every cell with its verdict."""
    content = json.loads(reports.json_text(RESULT, environment(), "onnx-acts conform"))
    jsonschema.validate(content, schema())
    assert [cell["status"] for cell in content["cells"]] == ["pass", "fail", "n/a", "n/a", "known"]
    verdicts = ["pass", "fail", "not implemented", "not installed", "known"]
    assert [cell["verdict"] for cell in content["cells"]] == verdicts
    assert content["cells"][0]["max_ulp"] == 0.77
    assert (content["ok"], content["version"]) == (False, 1)
    assert content["command"] == "onnx-acts conform"
    assert set(content["environment"]) >= {"packages", "cpu", "library", "python", "system"}
    assert [item["name"] for item in content["runtimes"]] == [
        "library", "standard", "pytorch", "jax",
    ]  # fmt: skip
    assert "record" not in content["cells"][2]
    assert content["cells"][1]["record"]["curve"][0] == [-3, -1.4e7, 0.25]
    assert content["cells"][1]["record"]["worst"][0]["x_bits"] == "0xb22bcc77"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["version"], 2),
        (["surprise"], 1),
        (["cells", 0, "verdict"], "fine"),
        (["cells", 1, "record", "worst", 0, "x_bits"], "12"),
        (["cells", 1, "failed"], -1),
        (["runtimes", 0, "name"], None),
    ],
)
def test_schema_is_not_empty(path: list[Any], value: Any) -> None:
    """It refuses what is no report of this version."""
    content = json.loads(reports.json_text(RESULT, environment()))
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema())


def test_junit() -> None:
    """One test case for each cell and stale record, with counts that agree; any text is valid."""
    root = ElementTree.fromstring(reports.junit_text(RESULT))
    (suite,) = root.findall("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("6", "2", "2")
    assert len(suite.findall("testcase")) == 6
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "got <1>?, exact 2" in str(failure.text)


def test_markdown() -> None:
    """A table with a sign for each verdict, the reasons, the failure, the command."""
    text = reports.markdown_text(RESULT, environment(), "onnx-acts conform --quick")
    assert "| operator | library | standard | pytorch | jax |" in text
    assert "| ELU | ≠ 0.77 | ✗ 1.4e7 | \N{EN DASH} | · |" in text
    for part in ("# Conformance: NOT OK", "- **pytorch**: none here", "1 of 2 cases"):
        assert part in text
    assert "    onnx-acts conform --quick\n" in text


def test_markdown_takes_any_name() -> None:
    """Bars, stars and brackets in names and reasons do not break the page."""
    odd = Cell("ELU", "float32", "dense", "a|b:run_*", 1.0, cases=1, skipped=1, reasons=["<i> *x*"])
    text = reports.markdown_text(Result(cells=[odd]), environment())
    assert r"| operator | a\|b:run\_\* |" in text
    assert r"\<i\> \*x\*" in text


def test_html() -> None:
    """One page: the matrix, drawings, worst inputs with bits, cases, environment, command."""
    text = reports.html_text(RESULT, environment(), "onnx-acts conform --html 'a b'")
    assert not re.search(r"(src|href)=\"(?!#|data:)", text), "it refers to something else"
    assert "@import" not in text
    assert "url(" not in text
    for key in ("library", "standard", "pytorch", "jax"):
        assert f'href="#ELU-float32-{key}"' in text
        assert f'id="ELU-float32-{key}"' in text
    assert text.count('<svg class="curve"') == text.count('<svg class="bars"') == 1
    assert "Correctly rounded in every case:" in text
    for part in ("0xb22bcc77", "-1.4e+07", "wrong class", "one &lt;b&gt;", "import numpy"):
        assert part in text
    assert "onnx-acts conform --html &#39;a b&#39;" in text
    assert "not installed: pip install jax" in text


def test_html_is_deterministic() -> None:
    """The same run gives the same bytes, whatever order the curve was found in."""
    found = environment()
    other = dataclasses.replace(RECORD, curve=dict(reversed(RECORD.curve.items())))
    cells = [dataclasses.replace(c, record=other if c.failed else c.record) for c in RESULT.cells]
    again = Result(cells, RESULT.stale, RESULT.runtimes)
    assert reports.html_text(RESULT, found) == reports.html_text(again, found)


def test_html_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and messages of a runtime are text, never markup."""
    evil = '"><script>alert(1)</script>'
    cell = dataclasses.replace(RESULT.cells[1], runtime=evil, reasons=[evil])
    text = reports.html_text(Result(cells=[cell]), environment(), evil)
    assert text.count("<script>") == 1, "its own"
    assert 'id="ELU-float32-___script_alert_1___script_"' in text


def test_html_needs_jinja(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the message says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    with pytest.raises(
        ImportError, match=r"--html needs Jinja2: pip install 'onnx-acts\[conform\]'"
    ):
        reports.check_html()
