"""Reports of a run: a table for people, JSON, JUnit, Markdown, and one page of HTML."""

from onnx_acts.conformance.reports.as_html import check_html, html_text
from onnx_acts.conformance.reports.as_json import SCHEMA, json_text
from onnx_acts.conformance.reports.as_junit import junit_text
from onnx_acts.conformance.reports.as_markdown import markdown_text
from onnx_acts.conformance.reports.text import failures_text, table_text

WRITERS = {
    "json": json_text,
    "junit": lambda result, environment, command: junit_text(result),
    "markdown": markdown_text,
    "html": html_text,
}
"""What makes a report of a result, the environment and the command, by the report's name."""

__all__ = [
    "SCHEMA",
    "WRITERS",
    "check_html",
    "failures_text",
    "html_text",
    "json_text",
    "junit_text",
    "markdown_text",
    "table_text",
]
