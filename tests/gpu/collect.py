"""Puts what check.sh found into one JSON file: python collect.py FINDINGS REPORT."""

import datetime
import json
import sys
from pathlib import Path
from typing import Any

_TAIL = 4000


def collect(findings: Path) -> dict[str, Any]:
    """Every step with its exit status, seconds and the end of its log; every JSON by its name."""
    steps: dict[str, Any] = {}
    for path in sorted(findings.glob("*.status")):
        status, seconds = map(int, path.read_text().split())
        log = path.with_suffix(".log").read_text(errors="replace")
        steps[path.stem] = {"status": status, "seconds": seconds, "log": log[-_TAIL:]}
    for path in sorted(findings.glob("*.skipped")):
        steps[path.stem] = {"skipped": path.read_text().strip()}
    found = {path.stem: _read(path, steps) for path in sorted(findings.glob("*.json"))}
    content: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "ok": all(step.get("status", 0) == 0 for step in steps.values()),
        "steps": steps,
    }
    return content | found


def _read(path: Path, steps: dict[str, Any]) -> Any:
    """A step's findings; where they cannot be read, the step failed."""
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        steps[path.stem] = steps.get(path.stem, {}) | {"status": 1, "unreadable": str(error)}
        return None


def main() -> None:
    """Reads the folder, writes the file."""
    findings, report = map(Path, sys.argv[1:3])
    report.write_text(json.dumps(collect(findings), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
