"""The main job, start to end: every trained model to ONNX, every runtime against PyTorch.

``python -m models.demo`` exports each model under ``models/``, runs each file in ONNX Runtime on
the CPU with function bodies only and with the native library, and in the ONNX reference evaluator,
compares all of them with PyTorch on the held-out data, and prints one table.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

import onnx_acts
from models import evaluate, load
from models.conv_transpose import ConvTranspose
from models.data import FloatArray
from models.recipes import RECIPES
from onnx_acts.definition.specs import SPECS
from onnx_acts.exporting.options import STYLES, Style

REPEATS = 15
"""Timed runs of each file; the median is shown."""

BATCH = 128

PYTORCH = "PyTorch"
"""The runtime that the others are compared with."""


TOLERANCE = 1e-4
"""Largest absolute difference from PyTorch, over the largest |output|. Runtimes sum in different
orders, which costs about 1e-6 in the float32 networks here."""


class Difference(NamedTuple):
    """The largest difference of a runtime from PyTorch, over all outputs; NaN where one is NaN.

    ``ulp`` counts units in the last place of the PyTorch value, ``absolute`` is |got - PyTorch|.
    """

    ulp: float
    absolute: float


@dataclass(frozen=True)
class Row:
    """What the table shows of one model.

    Attributes:
        model: its name.
        metric: "accuracy" or "psnr_db".
        scores: the metric in each runtime, PyTorch first.
        differences: from PyTorch, by runtime.
        scale: the largest absolute value of PyTorch's outputs.
        milliseconds: median time of a batch, by kind of file.
    """

    model: str
    metric: str
    scores: Mapping[str, float]
    differences: Mapping[str, Difference]
    scale: float
    milliseconds: Mapping[str, float]


def main() -> int:
    """Runs the demo; exit status 1 when a runtime differs from PyTorch: see `agrees`."""
    arguments = parse(sys.argv[1:])
    arguments.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in arguments.models:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows.append(run(name, arguments.output))
    print(table(rows))
    print(f"\nThe exported files are in {arguments.output}.\n{LEGEND}")
    wrong = [row.model for row in rows if not agrees(row)]
    print(f"NOT OK: {', '.join(wrong)}" if wrong else "ok: every runtime agrees with PyTorch")
    return 1 if wrong else 0


LEGEND = f"""\
Differences are the largest from PyTorch over all outputs, in the runtime that is named: bodies and
library are ONNX Runtime, reference is onnx.reference. A difference in ULP is large where sums
cancel to almost nothing: read it beside the absolute one. The demo fails (exit status 1) where a
runtime changes the score, where an absolute difference is above {TOLERANCE:g} of the model's
largest |output|, and where an output is NaN. Every activation is an onnx_acts node here; by default
export leaves ReLU and LeakyReLU to ONNX Runtime, which fuses them with Conv."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m models.demo", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder for files")
    parser.add_argument(
        "--models",
        nargs="+",
        choices=RECIPES,
        default=list(RECIPES),
        metavar="NAME",
        help=f"only these, of {', '.join(RECIPES)}",
    )
    return parser.parse_args(arguments)


def run(name: str, folder: Path) -> Row:
    """Exports, compares and times one model."""
    module = load(name)
    batches = list(evaluate.held_out(name, BATCH))
    first = batches[0].inputs
    paths = {style: folder / f"{name}.{style}.onnx" for style in STYLES}
    for style, path in paths.items():
        onnx_acts.export(
            module,
            (torch.from_numpy(first),),
            path,
            style=style,
            ops=[spec.name for spec in SPECS],
            dynamic_shapes=dynamic(name),
        )
    runtimes = predictors(module, paths["acts"])
    seen: dict[str, list[FloatArray]] = {}
    scores = {}
    for runtime, predict in runtimes.items():
        seen[runtime] = []
        recorded = _recording(predict, seen[runtime])
        scores[runtime] = evaluate.evaluate(name, recorded, BATCH).value
    expected = seen.pop(PYTORCH)
    differences = {runtime: difference(expected, outputs) for runtime, outputs in seen.items()}
    scale = max(float(np.abs(batch).max()) for batch in expected)
    metric = evaluate.evaluate(name, _replay(expected), BATCH).metric
    return Row(name, metric, scores, differences, scale, timings(paths, first))


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
        PYTORCH: evaluate.torch_predict(module),
        "bodies": lambda batch: bodies.run(None, {name: batch})[0],
        "library": lambda batch: library.run(None, {name: batch})[0],
        "reference": lambda batch: np.asarray(next(iter(reference.run(None, {name: batch})))),
    }


def timings(paths: Mapping[Style, Path], batch: FloatArray) -> dict[str, float]:
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
    """True where every runtime has PyTorch's score and its outputs, to within `TOLERANCE`.

    PSNR may differ by a thousandth of a decibel, accuracy not at all. NaN agrees with nothing.
    """
    torch_score = row.scores[PYTORCH]
    allowed = 1e-3 if row.metric == "psnr_db" else 0.0
    same_score = all(abs(score - torch_score) <= allowed for score in row.scores.values())
    return same_score and all(
        found.absolute <= TOLERANCE * row.scale for found in row.differences.values()
    )


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
                _largest(row, "ulp", ".0f"),
                _largest(row, "absolute", ".1e"),
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


def _largest(row: Row, field: str, form: str) -> str:
    """The largest difference over the runtimes, NaN before all others, and which one has it."""
    found = {name: float(getattr(one, field)) for name, one in row.differences.items()}
    worst = max(found, key=lambda name: (math.isnan(found[name]), found[name]))
    return f"{found[worst]:{form}} {worst}"


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


def difference(expected: list[FloatArray], got: list[FloatArray]) -> Difference:
    """Compares the outputs of a runtime with those of PyTorch, batch by batch.

    Raises:
        ValueError: another number of batches, or another shape.
    """
    pairs = [_distances(*pair) for pair in zip(expected, got, strict=True)]
    # NumPy's maximum keeps NaN; Python's drops it or not, depending on the order.
    return Difference(
        *(float(np.max([found.max() for found in kind])) for kind in zip(*pairs, strict=True))
    )


def _distances(want: FloatArray, got: FloatArray) -> tuple[NDArray[Any], NDArray[Any]]:
    """The differences of every element, in ULP and absolute."""
    if want.shape != got.shape:
        raise ValueError(f"a runtime gave the shape {got.shape}, PyTorch {want.shape}")
    distance = np.abs(got.astype(np.float64) - want.astype(np.float64))
    return distance / np.spacing(np.abs(want)), distance


if __name__ == "__main__":
    sys.exit(main())
