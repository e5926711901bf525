"""The report for programs. `schema-1.json` beside this file says what is in it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from onnx_acts.conformance.reports.facts import facts, verdict
from onnx_acts.conformance.suite import Cell, Result

__all__ = ["SCHEMA", "json_text"]

SCHEMA = Path(__file__).with_name("schema-1.json")
"""The JSON Schema of the report; another version of the format gets another file."""


def json_text(result: Result, environment: dict[str, Any], command: str = "") -> str:
    """Everything, as JSON.

    Args:
        result: what a run found.
        environment: as `onnx_acts.ort.environment` gives it.
        command: the command that repeats the run.
    """
    runtimes = {item.name: item for item in facts(result)}
    content = {
        "format": "onnx-acts conform",
        "version": 1,
        "command": command,
        "environment": environment,
        "runtimes": [dataclasses.asdict(item) for item in runtimes.values()],
        "ok": result.ok,
        "stale": result.stale,
        "cells": [
            {**_cell(cell), "verdict": verdict([cell], runtimes[cell.runtime])}
            for cell in result.cells
        ],
    }
    return json.dumps(content, indent=1) + "\n"


def _cell(cell: Cell) -> dict[str, Any]:
    content = {**dataclasses.asdict(cell), "status": cell.status}
    if content.pop("record") is not None and cell.record is not None:
        record = dataclasses.asdict(cell.record)
        record["curve"] = [[column, *ends] for column, ends in sorted(cell.record.curve.items())]
        record["wrong"] = [[column, count] for column, count in sorted(cell.record.wrong.items())]
        content["record"] = record
    return content
