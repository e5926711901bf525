"""Pages of the site that are made from the code: commands, forms, public names."""

from __future__ import annotations

import argparse
import dataclasses
import html
import re
from collections.abc import Callable

import onnx
import onnx.parser

import onnx_acts
from onnx_acts.cli.main import COMMANDS, command_parser
from onnx_acts.comparing.difference import Classes, Difference
from onnx_acts.definition.specs import SPECS
from onnx_acts.exporting.result import OutputError
from onnx_acts.graph.accelerate import accelerate_counted
from onnx_acts.graph.meaning.operators import OPERATORS
from onnx_acts.serving import app
from onnx_acts.serving.placement import NodePlacement
from onnx_acts.verifying import Cause, NodeRecord, OutputRecord

__all__ = [
    "EXAMPLES",
    "Example",
    "commands",
    "commands_by_name",
    "forms",
    "found_in",
    "public_names",
]


def commands() -> str:
    """Every command with its options, from the parsers of the command line."""
    parser = command_parser([])
    lines = ["# Commands", "", str(parser.description), "", _usage(parser), "", str(parser.epilog)]
    lines += ["", "Exit status 0: done; 1: a comparison failed; 2: bad usage or bad input."]
    for name, command in commands_by_name().items():
        lines += ["", f"## onnx-acts {name}", "", _cell(command.description or ""), ""]
        lines += [_usage(command), "", "| argument | what it is | default |", "|---|---|---|"]
        lines += [_row(item, command) for item in command._actions if item.dest != "help"]
    return "\n".join(lines) + "\n"


def commands_by_name() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command; the command line makes but the one that is asked for."""
    found = {}
    for name in COMMANDS:
        for action in command_parser([name])._actions:
            if isinstance(action, argparse._SubParsersAction):
                found[name] = action.choices[name]
    return found


def _usage(parser: argparse.ArgumentParser) -> str:
    return f"```text\n{parser.format_usage().strip()}\n```"


def _row(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """One argument as a row of the table."""
    formatter = parser._get_formatter()
    shown = formatter._format_action_invocation(action)
    text = formatter._expand_help(action) if action.help else ""
    default = action.default
    given = default not in (None, False, argparse.SUPPRESS) and action.nargs != 0
    words = [default] if isinstance(default, str | int | float) else default or []
    usual = " ".join(map(str, words)) if given else ""
    name = shown.replace("|", "\\|")
    return f"| `{name}` | {_cell(text)} | {f'`{usual}`' if usual else ''} |"


def _cell(text: str) -> str:
    """Plain text for a page; what stands between backquotes is code already."""
    parts = html.escape(" ".join(text.split()), quote=False).split("`")
    parts[::2] = [re.sub(r"([*_|\\])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


@dataclasses.dataclass(frozen=True)
class Example:
    """A graph that `accelerate` recognises.

    Attributes:
        group: the heading that it stands under.
        body: its nodes, from x to y, in the ONNX text syntax.
        constants: its constants: name and number.
    """

    group: str
    body: str
    constants: tuple[tuple[str, float], ...] = ()


EXAMPLES = (
    Example("Standard nodes", "y = PRelu (x, w)", (("w", 0.25),)),
    Example("Standard nodes", "y = Elu <alpha = 0.5> (x)"),
    Example("Standard nodes", "y = Celu (x)"),
    Example("Standard nodes", "y = LeakyRelu <alpha = 0.1> (x)"),
    Example("Standard nodes", "y = Relu (x)"),
    Example("LeakyReLU and PReLU", "s = Mul (a, x)\ny = Max (s, x)", (("a", 0.1),)),
    Example("LeakyReLU and PReLU", "s = Div (x, a)\ny = Max (s, x)", (("a", 3.0),)),
    Example(
        "LeakyReLU and PReLU",
        "p = Relu (x)\nm = Neg (x)\nr = Relu (m)\nq = Mul (w, r)\ny = Sub (p, q)",
        (("w", 0.25),),
    ),
    Example(
        "LeakyReLU and PReLU",
        "p = Clip (x, zero)\nm = Clip (x, , zero)\nq = Mul (w, m)\ny = Add (p, q)",
        (("w", 0.25), ("zero", 0.0)),
    ),
    Example(
        "LeakyReLU and PReLU",
        "c = Less (x, zero)\ns = Mul (a, x)\ny = Where (c, s, x)",
        (("a", 0.1), ("zero", 0.0)),
    ),
    Example(
        "LeakyReLU and PReLU",
        "p = Relu (x)\nm = Neg (x)\nr = Relu (m)\nt = Transpose <perm = [0, 2, 1]> (r)\n"
        "q = Mul (w, t)\nu = Transpose <perm = [0, 2, 1]> (q)\ny = Sub (p, u)",
        (("w", 0.25),),
    ),
    Example(
        "LeakyReLU and PReLU",
        "m = Abs (x)\nf = Mul (p, x)\ng = Mul (q, m)\ny = Add (f, g)",
        (("p", 0.625), ("q", 0.375)),
    ),
    Example(
        "LeakyReLU and PReLU",
        "c = Greater (x, zero)\nm = Cast <to = 1> (c)\np = Mul (x, m)\nd = Not (c)\n"
        "n = Cast <to = 1> (d)\ns = Mul (x, n)\nq = Mul (a, s)\ny = Add (p, q)",
        (("a", 0.1), ("zero", 0.0)),
    ),
    Example(
        "ELU",
        "c = Greater (x, zero)\ne = Exp (x)\nd = Sub (e, one)\ns = Mul (a, d)\ny = Where (c, x, s)",
        (("a", 0.5), ("zero", 0.0), ("one", 1.0)),
    ),
    Example(
        "ELU",
        "p = Relu (x)\nm = Min (x, zero)\ne = Exp (m)\nd = Sub (e, one)\ns = Mul (a, d)\n"
        "y = Add (p, s)",
        (("a", 0.5), ("zero", 0.0), ("one", 1.0)),
    ),
    Example("ReLU", "c = Greater (x, zero)\ny = Where (c, x, zero)", (("zero", 0.0),)),
)
"""Of each activation, written in some of the ways."""


def found_in(example: Example, *, approximate: bool) -> str:
    """What `accelerate` recognises in an example, such as "Elu -> ELU"; empty if nothing."""
    heading = '<ir_version: 8, opset_import: ["": 20]> g (float[N,3,4] x) => (float[N,3,4] y)'
    model = onnx.parser.parse_model(f"{heading} {{ {example.body} }}")
    for name, number in example.constants:
        model.graph.initializer.append(onnx.helper.make_tensor(name, 1, (), [number]))
    ops = [spec.name for spec in SPECS]
    _, counts = accelerate_counted(model, ops=ops, approximate=approximate)
    return ", ".join(form for form in counts if not form.startswith("new body"))


def forms() -> str:
    """The forms that `accelerate` recognises, with what it says to an example of each."""
    lines = [
        "# Forms that `accelerate` recognises",
        "",
        "`accelerate` does not look for spellings: it computes what a graph makes of a value x,"
        " as c + a x + k exp(x) for x < 0 and for x > 0, in real arithmetic, and in floating point"
        " at 0, at the smallest and largest numbers, at infinity and NaN"
        " ([why](decisions/0008-meaning-instead-of-spelling.md)). Where that is one of the"
        " activations, it is replaced, however it is written with these operators:"
        f" {', '.join(OPERATORS)}.",
        "",
        "The examples are graphs from x to y in the ONNX text syntax; constants may also be"
        " computed in the graph from other constants. Below each stands what"
        f" `accelerate` of onnx-acts {onnx_acts.__version__} said to it when this page was made,"
        " asked for all operators. [Forms of the same functions]"
        "(semantics.md#forms-of-the-same-functions) says where values differ.",
    ]
    for group in dict.fromkeys(example.group for example in EXAMPLES):
        lines += ["", f"## {group}"]
        for example in EXAMPLES:
            if example.group == group:
                lines += _shown(example)
    return "\n".join(lines) + "\n"


def _shown(example: Example) -> list[str]:
    """An example and what was said to it."""
    exact = found_in(example, approximate=False)
    said = exact or f"{found_in(example, approximate=True)}, with `approximate` only"
    constants = ", ".join(f"{name} = {number:g}" for name, number in example.constants)
    lines = ["", "```text", example.body, "```", ""]
    return [
        *lines,
        f"{f'With {constants}: ' if constants else ''}{_cell(said).replace('-&gt;', '→')}",
    ]


_SHADOWED: dict[str, Callable[..., object]] = {
    "accelerate": onnx_acts.accelerate,
    "accelerate_file": onnx_acts.accelerate_file,
    "lower": onnx_acts.lower,
    "lower_file": onnx_acts.lower_file,
}
"""Functions on the way to whose names mkdocstrings finds modules: it gets their own paths."""


_RETURNED = (OutputError, NodePlacement, Cause, NodeRecord, OutputRecord, Difference, Classes)
"""Classes whose objects the public functions return, in others."""


def public_names() -> str:
    """A page of mkdocstrings' marks, one for each public name, and for what they return."""
    lines = [
        "# Public names",
        "",
        "Everything below is `onnx_acts.NAME` or in the headings; nothing else is promised"
        " ([stability](stability.md)). `onnx_acts.__version__` is the version, as a string.",
    ]
    for name in onnx_acts.__all__:
        if name not in ("__version__", "reference"):
            if name in _SHADOWED:
                lines += ["", f"[](){{#onnx_acts.{name}}}", "", f"::: {_path(_SHADOWED[name])}"]
            else:
                lines += ["", f"::: onnx_acts.{name}"]
    lines += ["", "## What they return", ""]
    for returned in _RETURNED:
        lines += ["", f"::: {_path(returned)}", "    options:", "      heading_level: 3"]
    lines += ["", "## onnx_acts.serving.app", "", f"::: {_path(app)}"]
    lines += ["    options:", "      heading_level: 3"]
    lines += ["", "## onnx_acts.reference", "", "::: onnx_acts.reference"]
    lines += ["    options:", "      heading_level: 3", "      show_root_heading: false"]
    return "\n".join(lines) + "\n"


def _path(public: Callable[..., object]) -> str:
    """Where a function or a class is, so that a move of its module is followed."""
    return f"{public.__module__}.{public.__qualname__}"
