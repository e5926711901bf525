"""How long an export takes against plain `torch.onnx.export(dynamo=True)`, on ten networks.

    python -m models.export_times

Three exports of each network turn by turn, in one process: torch's own to a file, ours without
verification, ours with it. The ratios are of neighbouring exports, in processor time, which
a machine's other work changes less than time on the clock; medians over the rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

import onnx_acts
from models import gallery
from models.networks import DigitsMLP
from onnx_acts.bench.networks import NETWORKS, build

_BENCH = {network.name: network for network in NETWORKS}
Case = tuple[Callable[[], nn.Module], tuple[int, ...]]

CASES: dict[str, Case] = {
    "digits-mlp": (lambda: DigitsMLP().eval(), (1, 1, 8, 8)),
    "alexnet-elu": (lambda: gallery.build("alexnet", "elu"), (1, 3, 224, 224)),
    "vgg11-prelu": (lambda: gallery.build("vgg11", "prelu"), (1, 3, 224, 224)),
    "googlenet-prelu": (lambda: gallery.build("googlenet", "prelu"), (1, 3, 224, 224)),
    "vgg11-leakyrelu": (lambda: gallery.build("vgg11", "leaky_relu"), (1, 3, 224, 224)),
    "resnet34-relu": (lambda: gallery.build("resnet34", "relu"), (1, 3, 224, 224)),
    "resnet34-elu": (lambda: gallery.build("resnet34", "elu"), (1, 3, 224, 224)),
    "iresnet18-prelu": (lambda: build(_BENCH["iresnet18-prelu"]), (1, 3, 112, 112)),
    "fsrcnn-prelu": (lambda: build(_BENCH["fsrcnn-prelu"]), (1, 1, 135, 240)),
    "edsr-prelu": (lambda: build(_BENCH["edsr-prelu"]), (1, 3, 68, 120)),
}
"""Ten networks and their inputs."""


def main() -> None:
    """Measures and prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="networks whose names have this text")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    print("| network | torch, s | not verified | verified | the two on the clock |")
    print("|---|---|---|---|---|")
    found = []
    for name, case in CASES.items():
        if given.only is None or given.only in name:
            times = _measured(case, given.rounds)
            ratios = [
                statistics.median(row[i][kind] / row[0][kind] for row in times)
                for kind in (0, 1)
                for i in (1, 2)
            ]
            found.append(ratios)
            plain = statistics.median(row[0][0] for row in times)
            print(f"| {name} | {plain:.2f} | {_cells(ratios)} |", flush=True)
    medians = [statistics.median(column) for column in zip(*found, strict=True)]
    print(f"| median | | {_cells(medians)} |")


def _cells(ratios: list[float]) -> str:
    first, second, *clock = (f"{ratio:.2f}" for ratio in ratios)
    return f"{first} | {second} | {', '.join(clock)}"


def _measured(case: Case, rounds: int) -> list[list[tuple[float, float]]]:
    """Seconds of the three exports in each round, after one that warms up."""
    make, shape = case
    module, x = make(), torch.zeros(shape)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.onnx")

        def plain() -> None:
            batch = {0: torch.export.Dim.AUTO}
            torch.onnx.export(
                module, (x,), path, dynamo=True, verbose=False, external_data=False,
                dynamic_shapes=[batch],
            )  # fmt: skip  # short arguments

        exports = [
            plain,
            lambda: onnx_acts.export(module, (x,), path, verify=False),
            lambda: onnx_acts.export(module, (x,), path),
        ]
        return [[_seconds(export) for export in exports] for _ in range(rounds + 1)][1:]


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Processor time, and time on the clock."""
    start = time.process_time(), time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        work()
    return time.process_time() - start[0], time.perf_counter() - start[1]


if __name__ == "__main__":
    main()
