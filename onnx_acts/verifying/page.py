"""A verification as one HTML file, which loads nothing from elsewhere."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator

from onnx_acts.comparing.difference import Difference
from onnx_acts.text.spelling import printable
from onnx_acts.verifying.chart import chart
from onnx_acts.verifying.result import Cause, NodeRecord, OutputRecord, Verification
from onnx_acts.verifying.words import distance_text, number, share_text, verdict

__all__ = ["page"]

_STYLE = """
:root{--ink:#1c2733;--soft:#5b6b7c;--line:#d8dee6;--paper:#fff;--panel:#f5f7fa;--good:#12714a;
--bad:#b3261e;--total:#0b6bcb;--local:#8a6d00;--limit:#7d8a99}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf1;--soft:#9fb0c0;--line:#33414f;
--paper:#12181f;--panel:#1a232d;--good:#5fd0a0;--bad:#ff8a80;--total:#6db3f8;--local:#e0bd45;--limit:#8b99a8}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:22px;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:17px;margin:34px 0 10px}
p{margin:6px 0}
.verdict{font-size:18px;font-weight:600;overflow-wrap:anywhere}
.good{color:var(--good)}.bad{color:var(--bad)}.soft{color:var(--soft)}
.box{background:var(--panel);border-left:4px solid var(--bad);padding:12px 16px;margin:12px 0;
overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:14px 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th,td{text-align:left;padding:5px 10px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600;white-space:nowrap}
td.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
th.number{text-align:right}
td.name{overflow-wrap:anywhere;min-width:120px}
code{font:13px ui-monospace,monospace}
tr.causes td{background:var(--panel);font-weight:600}
tr.causes td:last-child,.causes-text{color:var(--bad)}
svg{width:100%;height:auto;display:block;background:var(--panel)}
svg .grid{stroke:var(--line);stroke-width:1}
svg text{font:12px system-ui,sans-serif;fill:var(--soft)}
svg text.cause{fill:var(--bad);font-weight:600}
svg polyline{fill:none}
svg polyline.total{stroke:var(--total);stroke-width:1.5}
svg polyline.limit{stroke:var(--limit);stroke-width:1;stroke-dasharray:4 3}
svg circle.total{fill:var(--total)}svg rect.local{fill:var(--local)}
svg line.cause{stroke:var(--bad);stroke-width:1}svg path.cause{fill:var(--bad)}
.legend{display:flex;flex-wrap:wrap;gap:6px 22px;font-size:13.5px;margin:8px 0}
.legend span::before{content:"";display:inline-block;width:11px;height:11px;margin-right:7px;
vertical-align:-1px;background:var(--mark)}
.legend .round::before{border-radius:50%}
.legend .turned::before{transform:rotate(45deg) scale(.8)}
.legend .dashed::before{height:0;background:none;border-top:2px dashed var(--mark);
vertical-align:4px;width:18px}
"""

_LEGEND = """<p class="legend">
<span class="round" style="--mark:var(--total)">in the model, from its own values</span>
<span style="--mark:var(--local)">on the reference's values: what the node itself adds</span>
<span class="dashed" style="--mark:var(--limit)">what rounding explains</span>
<span class="turned" style="--mark:var(--bad)">causes a difference</span>
</p>"""

_STATUS = {
    "same": "same",
    "passes on": "passes a difference on",
    "causes": "causes a difference",
    "hidden": "differs without effect",
    "inside": "judged with the node after it",
    "not judged": "not judged",
}


def page(result: Verification) -> str:
    """The page; the same text for the same result."""
    tone = "good" if result.same else "bad"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_text(result.model)} against {_text(result.reference)}</title>",
        f"<style>{_STYLE}</style></head><body><main>",
        f"<h1>{_text(result.model)} <span class=soft>against</span> {_text(result.reference)}</h1>",
        f'<p class="verdict {tone}">{html.escape(_sentence(verdict(result)))}</p>',
        *_facts(result),
        *_outputs(result.outputs),
        *_causes(result.causes),
        *_notes(result.notes),
        *_nodes(result),
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _text(text: str) -> str:
    return html.escape(printable(text))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _facts(result: Verification) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    rows = (
        ("Inputs", result.inputs),
        ("Tolerance", result.tolerance),
        ("Model runs on", f"{result.kernels}; {', '.join(result.providers)}"),
        ("Versions", versions),
    )
    yield "<dl>"
    yield from (f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in rows)
    yield "</dl>"


def _outputs(records: Iterable[OutputRecord]) -> Iterator[str]:
    yield "<h2>Outputs</h2><div class=wide><table>"
    yield (
        "<tr><th>output<th>type<th class=number>largest difference<th class=number>ULP"
        "<th class=number>allowed<th>at<th class=number>got<th class=number>wanted"
        "<th class=number>NaN<th class=number>inf<th class=number>sign of 0<th></tr>"
    )
    for record in records:
        difference, classes = record.difference, record.difference.classes
        values = difference.got, difference.want
        where = "" if difference.where is None else str(list(difference.where))
        cells = (
            f"{difference.max_abs:.3g}",
            f"{difference.max_ulp:.3g}",
            f"{difference.allowed:.3g}",
        )
        tone = "good" if difference.same else "bad"
        word = difference.reason or ("same" if difference.same else "different")
        word = word if difference.is_compared else "not compared"
        yield (
            f'<tr><td class="name"><code>{_text(record.name)}</code><td>{_text(record.dtype)}'
            + "".join(f'<td class="number">{cell}' for cell in cells)
            + f"<td>{where}"
            + "".join(f'<td class="number">{_number(value)}' for value in values)
            + "".join(
                f'<td class="number">{count or ""}'
                for count in (classes.nan, classes.infinity, classes.zero_sign)
            )
            + f'<td class="{tone}">{_text(word)}</tr>'
        )
    yield "</table></div>"
    for record in records:
        told = _text(distance_text(record.difference, record.rule))
        yield f'<p class="soft"><code>{_text(record.name)}</code>: {told}</p>'


def _number(value: float | None) -> str:
    return "" if value is None else number(value)


def _causes(causes: Iterable[Cause]) -> Iterator[str]:
    for place, cause in enumerate(causes):
        if place == 0:
            yield "<h2>Cause</h2>"
        yield '<div class="box">'
        yield f"<p><strong>Node {cause.index}: {_text(str(cause))}</strong>, which makes"
        yield f"<code>{_text(cause.output)}</code></p>"
        yield from (f"<p>{_text(reason)}</p>" for reason in cause.reasons)
        told = distance_text(cause.difference, "what rounding explains")
        yield f'<p class="soft">Given the reference\'s values: {_text(told)}</p>'
        if len(cause.nodes) > 1:
            names = _text(", ".join(cause.nodes))
            told = "Judged together, as the reference has no values between"
            yield f'<p class="soft">{told}: {names}</p>'
        if cause.files:
            yield f"<p>To see it: <code>python {_text(str(cause.files[-1]))}</code></p>"
        yield "</div>"


def _notes(notes: Iterable[str]) -> Iterator[str]:
    yield from (f"<p>Note: {_text(note)}</p>" for note in notes)


def _nodes(result: Verification) -> Iterator[str]:
    """The picture, and a row for each node."""
    if not result.nodes:
        return
    yield "<h2>Where the error grows</h2>"
    yield chart(result.nodes, len(result.nodes))
    yield _LEGEND
    yield f"<h2>Nodes of the {result.walked}</h2><div class=wide><table>"
    yield (
        "<tr><th class=number>#<th>operator<th>name<th>value<th>reference's value"
        "<th class=number>itself<th class=number>of its limit<th class=number>in the model<th></tr>"
    )
    yield from map(_row, result.nodes)
    yield "</table></div>"


def _row(record: NodeRecord) -> str:
    same_name = record.counterpart == record.output
    counterpart = "" if same_name else f"<code>{_text(record.counterpart)}</code>"
    note = f' <span class="soft">({_text(record.note)})</span>' if record.note else ""
    return (
        f'<tr class="{record.status.replace(" ", "-")}"><td class="number">{record.index}'
        f"<td>{_text(record.operator)}"
        f'<td class="name">{_text(record.name)}<td class="name"><code>{_text(record.output)}</code>'
        f'<td class="name">{counterpart}'
        f'<td class="number">{_size(record.local)}<td class="number">{_share(record.local)}'
        f'<td class="number">{_size(record.total)}<td>{_STATUS[record.status]}{note}</tr>'
    )


def _size(difference: Difference | None) -> str:
    if difference is None:
        return ""
    return "shape" if difference.reason else f"{difference.max_abs:.3g}"


def _share(difference: Difference | None) -> str:
    if difference is None or difference.reason:
        return ""
    return share_text(difference).removesuffix(" of").replace(" times", " x")
