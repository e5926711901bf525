"""The main job, start to end: every trained model to ONNX, every runtime against PyTorch.

``python -m models.demo`` exports each model under ``models/``, runs each file in ONNX Runtime on
the CPU with function bodies only and with the native library, and in the ONNX reference evaluator,
compares all of them with PyTorch on the held-out data, and prints one table.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnx.reference import ReferenceEvaluator

import onnx_acts
from models import evaluate, load
from models.conv_transpose import ConvTranspose
from models.data import FloatArray
from models.recipes import RECIPES

REPEATS = 15
"""Timed runs of each file; the median is shown."""

BATCH = 128


@dataclass(frozen=True)
class Row:
    """What the table shows of one model.

    Attributes:
        model: its name.
        metric: "accuracy" or "psnr_db".
        scores: the metric in each runtime, PyTorch first.
        max_ulp: the largest difference from PyTorch, over all runtimes and outputs, in units in the
            last place of the PyTorch value.
        max_abs: the largest absolute difference.
        milliseconds: median time of a batch, by kind of file.
    """

    model: str
    metric: str
    scores: Mapping[str, float]
    max_ulp: float
    max_abs: float
    milliseconds: Mapping[str, float]


def main() -> int:
    """Runs the demo; exit status 1 when a runtime changes a model's accuracy."""
    parser = argparse.ArgumentParser(prog="python -m models.demo", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder for files")
    parser.add_argument("--models", nargs="*", default=list(RECIPES), metavar="NAME")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in arguments.models:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows.append(run(name, arguments.output))
    print(table(rows))
    print(f"\nThe exported files are in {arguments.output}. {LEGEND}")
    return 0 if all(agrees(row) for row in rows) else 1


LEGEND = (
    "Differences are the largest over all outputs and runtimes, against PyTorch. A difference in"
    " ULP is large where sums cancel to almost nothing: read it beside the absolute one."
)


def run(name: str, folder: Path) -> Row:
    """Exports, compares and times one model."""
    module = load(name)
    batches = list(evaluate.held_out(name, BATCH))
    first = batches[0].inputs
    paths = {style: folder / f"{name}.{style}.onnx" for style in ("acts", "standard")}
    for style, path in paths.items():
        onnx_acts.export(
            module, (torch.from_numpy(first),), path, style=style, dynamic_shapes=dynamic(name)
        )
    runtimes = predictors(module, paths["acts"])
    seen: dict[str, list[FloatArray]] = {}
    scores = {}
    for runtime, predict in runtimes.items():
        seen[runtime] = []
        recorded = _recording(predict, seen[runtime])
        scores[runtime] = evaluate.evaluate(name, recorded, BATCH).value
    others = [outputs for runtime, outputs in seen.items() if runtime != "PyTorch"]
    ulp, absolute = _differences(seen["PyTorch"], others)
    metric = evaluate.evaluate(name, _replay(seen["PyTorch"]), BATCH).metric
    return Row(name, metric, scores, ulp, absolute, timings(paths, first))


def dynamic(name: str) -> tuple[dict[int, torch.export.Dim]]:
    """The dimensions of a model's input that may have any size, as torch.export takes them."""
    shape = enumerate(RECIPES[name].input_shape)
    return ({axis: torch.export.Dim(size) for axis, size in shape if isinstance(size, str)},)


def predictors(module: torch.nn.Module, path: Path) -> dict[str, evaluate.Predict]:
    """Every runtime that the demo compares, as a function from a batch to the output."""
    bodies = onnx_acts.session(path, accelerated=False)
    library = onnx_acts.session(path)
    reference = ReferenceEvaluator(str(path), new_ops=[ConvTranspose])
    (name,) = [item.name for item in bodies.get_inputs()]
    return {
        "PyTorch": evaluate.torch_predict(module),
        "ORT, bodies": lambda batch: bodies.run(None, {name: batch})[0],
        "ORT, library": lambda batch: library.run(None, {name: batch})[0],
        "onnx.reference": lambda batch: np.asarray(next(iter(reference.run(None, {name: batch})))),
    }


def timings(paths: Mapping[str, Path], batch: FloatArray) -> dict[str, float]:
    """Median milliseconds of a batch, the kinds of file taking turns."""
    sessions: dict[str, onnxruntime.InferenceSession] = {
        "standard": onnx_acts.session(paths["standard"], accelerated=False),
        "bodies": onnx_acts.session(paths["acts"], accelerated=False),
        "library": onnx_acts.session(paths["acts"]),
    }
    times: dict[str, list[float]] = {kind: [] for kind in sessions}
    for _ in range(REPEATS):
        for kind, opened in sessions.items():
            feed = {opened.get_inputs()[0].name: batch}
            start = time.perf_counter()
            opened.run(None, feed)
            times[kind].append(1e3 * (time.perf_counter() - start))
    return {kind: statistics.median(values) for kind, values in times.items()}


def agrees(row: Row) -> bool:
    """True where every runtime reaches PyTorch's metric (PSNR to a thousandth of a decibel)."""
    torch_score = row.scores["PyTorch"]
    allowed = 1e-3 if row.metric == "psnr_db" else 0.0
    return all(abs(score - torch_score) <= allowed for score in row.scores.values())


def table(rows: Iterable[Row]) -> str:
    """The rows as text, aligned."""
    rows = list(rows)
    runtimes, kinds = list(rows[0].scores), list(rows[0].milliseconds)
    lines = [
        ["model", *runtimes, "max ULP", "max abs", *(f"ms {kind}" for kind in kinds)],
        *(
            [
                row.model,
                *(_score(row.metric, row.scores[runtime]) for runtime in runtimes),
                f"{row.max_ulp:.0f}",
                f"{row.max_abs:.1e}",
                *(f"{row.milliseconds[kind]:.2f}" for kind in kinds),
            ]
            for row in rows
        ),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _score(metric: str, value: float) -> str:
    return f"{value:.3f} dB" if metric == "psnr_db" else f"{100 * value:.2f} %"


def _recording(
    predict: evaluate.Predict, outputs: list[FloatArray]
) -> Callable[[FloatArray], FloatArray]:
    """Wraps a runtime so that its outputs are kept for comparison."""

    def recorded(batch: FloatArray) -> FloatArray:
        outputs.append(predict(batch))
        return outputs[-1]

    return recorded


def _replay(outputs: list[FloatArray]) -> evaluate.Predict:
    remaining = iter(outputs)
    return lambda batch: next(remaining)


def _differences(
    expected: list[FloatArray], others: Iterable[list[FloatArray]]
) -> tuple[float, float]:
    """The largest difference from `expected` in ULP of the expected value, and absolute."""
    worst_ulp = worst = 0.0
    for outputs in others:
        for want, got in zip(expected, outputs, strict=True):
            difference = np.abs(got.astype(np.float64) - want.astype(np.float64))
            worst = max(worst, float(difference.max()))
            worst_ulp = max(worst_ulp, float((difference / np.spacing(np.abs(want))).max()))
    return worst_ulp, worst


if __name__ == "__main__":
    sys.exit(main())
