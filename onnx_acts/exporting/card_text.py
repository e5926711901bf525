"""A model's card for people, in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["markdown"]


def markdown(card: Mapping[str, Any]) -> str:
    """The content of a card, see `card`, as a page."""
    file = card["file"]
    parts = [
        f"# {file['name']}",
        _table(("file", "bytes", "SHA-256"), (_file(item) for item in _files(card))),
        "Made by",
        _code(card["command"]),
        "## Source",
        _facts(card["source"]),
        "## Inputs and outputs",
        _table(
            ("", "name", "type", "shape"),
            (
                (kind, _word(item["name"]), item["type"], _word(_shape(item["shape"])))
                for kind in ("input", "output")
                for item in card[f"{kind}s"]
            ),
        ),
        "## Nodes",
        f"Style {card['style']}; "
        + ", ".join(f"{domain} {number}" for domain, number in card["opsets"].items())
        + f"; IR version {card['ir_version']}.",
        _table(("node", "count"), ((_word(n), str(count)) for n, count in card["nodes"].items())),
        *(f"Fused: {count} {form}." for form, count in card["fused"].items()),
        "## Verification",
        *_verification(card["verification"]),
        "## Versions",
        _table(("package", "version"), ((n, str(v)) for n, v in card["versions"].items())),
    ]
    if card["metadata"]:
        parts += ["## Metadata", _code(json.dumps(card["metadata"], indent=2, ensure_ascii=False))]
    return "\n\n".join(parts) + "\n"


def _files(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [card["file"], *card["external_data"]]


def _file(item: Mapping[str, Any]) -> tuple[str, str, str]:
    return _word(item["name"]), f"{item['bytes']:,}", _word(item["sha256"])


def _facts(facts: Mapping[str, Any]) -> str:
    """A list of facts; of those with parts, the parts in one line."""
    lines = []
    for name, fact in facts.items():
        if isinstance(fact, Mapping):
            parts = (f"{part} {item}" for part, item in fact.items())
            lines.append(f"- {name}: {_word(', '.join(parts))}")
        else:
            lines.append(f"- {name}: {_word(str(fact))}")
    return "\n".join(lines)


def _verification(record: Mapping[str, Any]) -> list[str]:
    """The status, and each output's difference in each runtime."""
    facts = [f"{name} {_plain(item)}" for name, item in record.items() if name not in _LONG]
    parts = [f"{record['status']} ({'; '.join(facts)})" if facts else str(record["status"])]
    outputs = record.get("outputs") or []
    if outputs:
        names = tuple(outputs[0])
        rows = (tuple(_plain(item[name]) for name in names) for item in outputs)
        parts.append(_table(tuple(name.replace("_", " ") for name in names), rows))
    return parts


_LONG = ("status", "outputs")


def _plain(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _shape(sizes: Iterable[object]) -> str:
    return "x".join(map(str, sizes)) or "scalar"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _word(text: str) -> str:
    """A text as it stands, which Markdown does not read."""
    return f"`{text}`" if "`" not in text else f"`` {text} ``"


def _code(text: str) -> str:
    """A block; its fence is longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"
