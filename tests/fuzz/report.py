"""What a run of the fuzzer says."""

from __future__ import annotations

from collections import Counter

from tests.fuzz.campaign import Campaign, Fault
from tests.fuzz.case import as_python

__all__ = ["described", "summary"]


def described(fault: Fault, seed: int) -> str:
    """A fault: what differs, the graph for `onnx.parser.parse_model`, the inputs as Python."""
    finding, case = fault.finding, fault.case
    level = "with" if case.optimised else "without"
    feeds = "\n".join(as_python(feed) for feed in case.feeds)
    return "\n".join(
        [
            f"FAULT {finding.check}: {finding.kind}",
            f"  {finding.message}",
            f"  found after {fault.seconds:.1f} s and {fault.examples} graphs, seed {seed};"
            f" {level} graph optimisations, then {case.extra!r}",
            f"  replaced: {', '.join(sorted(finding.forms)) or 'unknown'}",
            case.text.rstrip(),
            "# np, nan and inf are NumPy's",
            feeds,
            "",
        ]
    )


def summary(campaign: Campaign, seed: int) -> str:
    """The counts of a run."""
    skipped = sum(campaign.skipped.values())
    rate = campaign.examples / max(campaign.elapsed, 1e-9) * 60
    total = max(campaign.examples, 1)
    lines = [
        f"seed {seed}: {campaign.examples} graphs in {campaign.elapsed:.0f} s"
        f" ({rate:.0f} a minute, shrinking included)",
        f"{skipped} ({skipped / total:.0%}) that ONNX Runtime itself does not run,"
        f" {campaign.examples - skipped} compared, {campaign.matched}"
        f" ({campaign.matched / total:.0%}) with something replaced,"
        f" {len(campaign.faults)} faults",
    ]
    lines += _table("form", campaign.replaced) + _table("check", campaign.checks)
    lines += _table("not run by ONNX Runtime", campaign.skipped, 8)
    return "\n".join(lines)


def _table(title: str, counts: Counter[str], rows: int | None = None) -> list[str]:
    return ["", f"{'graphs':>8}  {title}"] + [
        f"{count:8}  {name}" for name, count in counts.most_common(rows)
    ]
