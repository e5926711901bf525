"""What is installed and what it says of itself, or what is in a model: `onnx-acts info`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from onnx_acts.cli.arguments import add_ops
from onnx_acts.definition.specs import OPERATORS
from onnx_acts.text.spelling import printable
from onnx_acts.text.tables import WIDTH, columns

if TYPE_CHECKING:
    from onnx_acts.graph.overview import Overview

__all__ = ["add_info", "run"]

_LONGEST = 300
"""Characters of a metadata value that are shown."""

_LABEL = 16
"""Characters of a line before what it tells."""


def add_info(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `onnx-acts info`."""
    parser.description = (
        "Without MODEL: versions, native library and operators. With it: the model's activations,"
        " whether they have function bodies and where they run natively, and what `onnx-acts"
        " accelerate` with the same options would change and leave, with the reasons."
    )
    parser.add_argument("model", metavar="MODEL.onnx", nargs="?", help="an ONNX file")
    add_ops(parser, "with MODEL: operators that accelerate would put in")
    parser.add_argument(
        "--approximate", action="store_true", help="with MODEL: as `onnx-acts accelerate` has it"
    )
    parser.add_argument("--unsigned", action="store_true", help="the same")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints what is in a model, or the environment and the operator table."""
    if arguments.model is not None:
        from onnx_acts.graph.overview import overview

        seen = overview(
            arguments.model,
            ops=arguments.ops,
            approximate=arguments.approximate,
            unsigned=arguments.unsigned,
        )
        content = _model_content(arguments.model, seen)
        print(json.dumps(content, indent=2) if arguments.json else _model_text(content))
        return 0
    from onnx_acts.ort.environment import environment

    found = {**environment(), "operators": _operators()}
    print(json.dumps(found, indent=2) if arguments.json else _text(found))
    return 0


def _model_content(path: str, seen: Overview) -> dict[str, Any]:
    """What is known of a model, as JSON can hold it."""
    leaves = [
        {**dataclasses.asdict(left), "count": count}
        for left, count in seen.report.left.most_common()
    ]
    accelerate = {"replaces": dict(seen.report.replaced), "leaves": leaves, "refuses": seen.refusal}
    activations = [dataclasses.asdict(item) for item in seen.activations]
    opsets = dict(seen.opsets)
    return {
        "model": path,
        "opsets": opsets,
        "metadata": dict(seen.metadata),
        "export": dict(seen.record),
        "activations": activations,
        "accelerate": accelerate,
    }


def _model_text(content: dict[str, Any]) -> str:
    """The same for people."""
    content = _printable(content)
    opsets = ", ".join(f"{domain} {number}" for domain, number in content["opsets"].items())
    lines = [f"{content['model']}: operators of {opsets}", ""]
    rows = [["activation", "type", "count", "body", "native here", "native on CUDA"]]
    for item in content["activations"]:
        native = [_yes_or_no(item["no_cpu"]), _yes_or_no(item["no_cuda"])]
        cells = [item["operator"], item["element_type"], str(item["count"]), item["body"] or "-"]
        rows.append([*cells, *native])
    lines += columns(rows, numbers=("count",)) if content["activations"] else ["no activations"]
    reasons: dict[str, None] = {}
    for item in content["activations"]:
        for where, reason in (("here", item["no_cpu"]), ("on CUDA", item["no_cuda"])):
            if reason and not (where == "on CUDA" and reason == item["no_cpu"]):
                reasons[f"not natively {where}: {reason}"] = None
    if any(item["body"] == "missing" for item in content["activations"]):
        has_new = any(form.startswith("new body") for form in content["accelerate"]["replaces"])
        mend = "; accelerate puts bodies in" if has_new else ""
        reasons[f"without a body a node needs the native library{mend}"] = None
    lines += _wrapped(reasons)
    lines += ["", *_accelerate_lines(content["accelerate"])]
    for title in ("metadata", "export"):
        if content[title]:
            facts = {name: _one_line(value) for name, value in content[title].items()}
            lines += ["", f"{title}:", *_labelled(facts, "  ")]
    return "\n".join(lines)


def _one_line(value: Any) -> str:
    """A value as a text that is not too long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"


def _printable(content: Any) -> Any:
    """The content without characters that a terminal would obey, as a file's names may have."""
    if isinstance(content, dict):
        return {_printable(name): _printable(item) for name, item in content.items()}
    if isinstance(content, list):
        return [_printable(item) for item in content]
    return printable(content) if isinstance(content, str) else content


def _yes_or_no(reason: str | None) -> str:
    if reason is None:
        return "-"
    return "no" if reason else "yes"


def _accelerate_lines(found: dict[str, Any]) -> list[str]:
    """What `accelerate` would do."""
    if found["refuses"]:
        return _wrapped([f"accelerate refuses the model: {found['refuses']}"])
    lines = ["accelerate would change:", "  nothing"]
    if found["replaces"]:
        lines = lines[:1] + [f"  {count} {form}" for form, count in found["replaces"].items()]
    if found["leaves"]:
        left = [f"  {item['count']} {item['form']}: {item['reason']}" for item in found["leaves"]]
        lines += ["accelerate would leave:", *_wrapped(left)]
    return lines


def _operators() -> list[dict[str, Any]]:
    """The operator table, as far as a user needs it."""
    return [
        {
            "name": spec.name,
            "formula": spec.formula,
            "attributes": {item.name: item.default for item in spec.attributes},
            "element_types": list(spec.element_types),
        }
        for spec in OPERATORS
    ]


def _text(found: dict[str, Any]) -> str:
    """The environment and the operators, for people."""
    from onnx_acts.ort.environment import library_facts

    lines = _labelled({k: v or "not installed" for k, v in found["packages"].items()})
    lines += _labelled({name: found[name] for name in ("python", "system", "cpu")})
    lines += _labelled({"providers": ", ".join(found["providers"])})
    lines += ["", "native library", *_labelled(library_facts(found["library"]), "  ")]
    if "version" in found["library"]:
        own = found["own_provider"]
        is_here = f"{own['name']}, for standard nodes"
        fact = f"not here: {own['error']}" if own["error"] else is_here
        lines += _labelled({"provider": fact}, "  ")
    types: list[str] = []
    for item in found["operators"]:
        if item["element_types"] != types:
            types = item["element_types"]
            lines += ["", f"operators, for {', '.join(types)}"]
        given = ", ".join(f"{name} = {value:.6g}" for name, value in item["attributes"].items())
        lines += _labelled({item["name"]: item["formula"]}, "  ")
        lines += _labelled({"": f"default: {given}"}, "  ") if given else []
    return "\n".join(lines)


def _labelled(facts: dict[str, str], start: str = "") -> list[str]:
    """A line for each fact, all beginning in one column."""
    lines = []
    for name, text in facts.items():
        label = f"{start}{name}".ljust(_LABEL)
        label = label if label.endswith(" ") else f"{label} "
        lines += _fold(text, " " * _LABEL, label)
    return lines


def _wrapped(texts: Iterable[str]) -> list[str]:
    """Lines that are not too wide."""
    return [line for text in texts for line in _fold(text, "    ")]


def _fold(text: str, later: str, first: str = "") -> list[str]:
    """The lines of a paragraph; paths and names stay whole."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_on_hyphens=False,
        break_long_words=False,
    )
