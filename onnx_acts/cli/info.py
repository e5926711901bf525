"""What is installed and what it says of itself: `onnx-acts info` and the header of every report."""

from __future__ import annotations

import argparse
import json
from typing import Any

from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS
from onnx_acts.runtime.environment import environment

__all__ = ["add_parser", "run"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `onnx-acts info`."""
    parser = subparsers.add_parser(
        "info", help="versions, native library and operators", description=__doc__
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the environment and the operator table."""
    found = {**environment(), "operators": _operators()}
    print(json.dumps(found, indent=2) if arguments.json else _text(found))
    return 0


def _operators() -> list[dict[str, Any]]:
    """The operator table, as far as a user needs it."""
    return [
        {
            "name": spec.name,
            "formula": spec.formula,
            "attributes": {item.name: item.default for item in spec.attributes},
            "element_types": list(ELEMENT_TYPES),
        }
        for spec in SPECS
    ]


def _text(found: dict[str, Any]) -> str:
    """The same for people."""
    lines = [f"{name:12} {number or 'not installed'}" for name, number in found["packages"].items()]
    lines += [f"{name:12} {found[name]}" for name in ("python", "system", "cpu")]
    lines += [f"{'providers':12} {', '.join(found['providers'])}", ""]
    lines += [f"library {key:12} {_plain(value)}" for key, value in found["library"].items()]
    for item in found["operators"]:
        lines += ["", f"{item['name']}: {item['formula']}"]
        lines += [f"  {name} = {default!r}" for name, default in item["attributes"].items()]
    return "\n".join([*lines, "", f"element types: {', '.join(ELEMENT_TYPES)}"])


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
