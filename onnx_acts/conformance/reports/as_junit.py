"""The report for continuous integration."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from onnx_acts.conformance.reports.text import cell_failures
from onnx_acts.conformance.suite import Cell, Result

__all__ = ["junit_text"]

_NOT_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd]")


def junit_text(result: Result) -> str:
    """One test case for each cell and each stale record, as JUnit's XML."""
    suite = ElementTree.Element("testsuite", name="onnx-acts conform")
    for cell in result.cells:
        _junit_cell(suite, cell)
    for sentence in result.stale:
        case = ElementTree.SubElement(suite, "testcase", classname="known_differences")
        case.set("name", sentence.partition(": no longer")[0])
        ElementTree.SubElement(case, "failure", message=_clean(sentence))
    for kind, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
        suite.set(kind, str(len(list(suite.iter(tag)))))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _junit_cell(suite: ElementTree.Element, cell: Cell) -> None:
    name = f"{cell.operator} {cell.dtype} {cell.group}"
    case = ElementTree.SubElement(suite, "testcase", classname=cell.runtime, name=name)
    if cell.status == "fail":
        failure = ElementTree.SubElement(case, "failure")
        failure.set("message", _clean(f"{cell.failed} of {cell.cases} cases"))
        failure.text = _clean(cell_failures(cell))
    elif cell.status == "n/a":
        ElementTree.SubElement(case, "skipped", message=_clean("; ".join(cell.reasons)))
    else:
        output = ElementTree.SubElement(case, "system-out")
        output.text = _clean("\n".join([f"max {cell.max_ulp:.6g} ULP", *cell.reasons]))


def _clean(text: str) -> str:
    """Text without the characters that XML forbids."""
    return _NOT_XML.sub("?", text)
