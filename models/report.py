"""Write the tables of ``models/README.md`` from manifest, history and means:
``python -m models.report``.

A table stands between ``<!-- table NAME -->`` and ``<!-- end -->``; the text around is by hand.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from statistics import mean

from models import store
from models.output_means import MEANS
from models.recipes import RECIPES, RESNETS, SHIPPED_SEED
from onnx_acts.files.writing import write_atomically

README = store.FOLDER / "README.md"

Rows = list[list[str]]


def models_table() -> str:
    """Return all models with their size, held-out metric and training time."""
    rows = [["model", "activation", "input", "parameters", "weights", "held-out", "training"]]
    entries = store.read_json(store.MANIFEST)["models"]
    for name in RECIPES:
        entry = entries[name]
        rows.append(
            [
                f"`{name}`",
                entry["activation"],
                " x ".join(map(str, entry["input_shape"])),
                f"{entry['parameters']:,}",
                f"{entry['bytes'] / 1024:.0f} KiB",
                _metric(entry),
                f"{entry['train_minutes'] * 60:.0f} s",
            ]
        )
    return _markdown(rows)


def _metric(entry: store.Json) -> str:
    if entry["metric"] == "psnr_db":
        return f"{entry['value']:.2f} dB (bicubic {entry['bicubic']['value']:.2f} dB)"
    return f"{entry['value']:.2%} ({entry['parts']['correct']} of {entry['parts']['total']})"


def photos_table() -> str:
    """Return the PSNR of each held-out photograph, bicubic against FSRCNN."""
    entry = store.read_json(store.MANIFEST)["models"]["fsrcnn_prelu"]
    pairs = [(name, entry["bicubic"]["parts"][name], db) for name, db in entry["parts"].items()]
    pairs.append(("**mean**", entry["bicubic"]["value"], entry["value"]))
    rows = [["photograph", "bicubic", "FSRCNN", "gain"]]
    rows += [
        [name, f"{old:.2f} dB", f"{new:.2f} dB", f"{new - old:+.2f}"] for name, old, new in pairs
    ]
    return _markdown(rows)


def resnets_table() -> str:
    """Return the comparison of the five residual networks: mean over seeds (lowest to highest)."""
    history = store.read_json(store.HISTORY)
    rows = [
        [
            "activation",
            "errors, shipped",
            "errors, mean (range)",
            "accuracy, mean",
            "last loss, mean",
            "dead units, mean (range)",
            "dead channels, mean",
        ]
    ]
    total = store.read_json(store.MANIFEST)["models"][RESNETS[0].name]["parts"]["total"]
    for recipe in RESNETS:
        seeds = history[recipe.name]
        errors = {seed: round((1 - run["held_out"][-1]) * total) for seed, run in seeds.items()}
        units = [run["dead"]["dead_units"] / run["dead"]["units"] for run in seeds.values()]
        channels = [run["dead"]["dead_channels"] for run in seeds.values()]
        rows.append(
            [
                recipe.activation,
                f"{errors[str(SHIPPED_SEED)]}",
                f"{mean(errors.values()):.1f} ({min(errors.values())} to {max(errors.values())})",
                f"{1 - mean(errors.values()) / total:.2%}",
                f"{mean(run['train_loss'][-1] for run in seeds.values()):.4f}",
                f"{mean(units):.2%} ({min(units):.2%} to {max(units):.2%})",
                f"{mean(channels):.1f} of {seeds[str(SHIPPED_SEED)]['dead']['channels']}",
            ]
        )
    return _markdown(rows)


def outputs_table() -> str:
    """Return how far the means of activation outputs are from zero, beside the dead units."""
    rows = [
        [
            "model",
            "activation",
            "layers",
            "mean",
            "mean / rms (range)",
            "channels' means / rms",
            "dead",
        ]
    ]
    history, models = store.read_json(store.HISTORY), store.read_json(store.MANIFEST)["models"]
    for name, layers in store.read_json(MEANS).items():
        parts = [layer["mean"] / layer["rms"] for layer in layers.values()]
        dead = history[name][str(SHIPPED_SEED)].get("dead")
        rows.append(
            [
                f"`{name}`",
                models[name]["activation"],
                str(len(layers)),
                f"{mean(layer['mean'] for layer in layers.values()):.2f}",
                f"{mean(parts):.2f} ({min(parts):.2f} to {max(parts):.2f})",
                f"{mean(layer['channels'] / layer['rms'] for layer in layers.values()):.2f}",
                f"{dead['dead_units'] / dead['units']:.2%}" if dead else "not counted",
            ]
        )
    return _markdown(rows)


def _markdown(rows: Rows) -> str:
    rows = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


TABLES = {
    "models": models_table,
    "outputs": outputs_table,
    "photos": photos_table,
    "resnets": resnets_table,
}


def fill(text: str) -> str:
    """Return the README with all its tables made anew."""

    def table(match: re.Match[str]) -> str:
        return f"{match[1]}\n{TABLES[match[2]]()}\n<!-- end -->"

    return re.sub(r"(<!-- table (\w+) -->)\n.*?<!-- end -->", table, text, flags=re.DOTALL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Rewrite the tables, or with ``--check`` only say by the exit status if they are stale."""
    parser = argparse.ArgumentParser(prog="python -m models.report", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if stale")
    options = parser.parse_args(arguments)
    old = README.read_text("utf-8")
    new = fill(old)
    if not options.check:
        write_atomically(README, new.encode())
    elif new != old:
        print("models/README.md is stale: run python -m models.report", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
