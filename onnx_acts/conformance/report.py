"""Reports of a run, under the name that callers use."""

from onnx_acts.conformance.reports import (
    SCHEMA,
    WRITERS,
    check_html,
    failures_text,
    html_text,
    json_text,
    junit_text,
    markdown_text,
    table_text,
)

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
