"""Times of the networks of the field: the standard file against the accelerated one.

    pip install --no-deps --target build/field monai==1.6.1 facenet-pytorch==2.6.0 pytorchcv==0.0.74
    python -m models.field_times --packages build/field

prints a table in Markdown. The two files of a network run turn by turn in one process; what counts
is the median of the ratios of neighbouring runs, which a machine's other work changes little.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from torch import nn

import onnx_acts
from models import field, gallery
from onnx_acts.ort.environment import cpu_name

Case = tuple[str, tuple[int, ...], str, Callable[[], nn.Module]]
"""Name, shape and name of the input, and what makes the module."""


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=Path, help="folder with the published networks")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", help="networks whose names have this text")
    given = parser.parse_args()
    print(
        f"{cpu_name()}, {given.threads} thread(s), onnxruntime {onnxruntime.__version__},"
        f" {time.strftime('%Y-%m-%d', time.gmtime())}\n"
    )
    print("| network | input | standard, ms | accelerated, ms | times as fast |")
    print("|---|---|---|---|---|")
    for case in _cases(given.packages):
        if given.only is None or given.only in case[0]:
            print(_row(case, given.rounds, given.threads), flush=True)


def _cases(packages: Path | None) -> Iterator[Case]:
    for network in gallery.NETWORKS:
        for activation in ("prelu", "elu"):
            make = functools.partial(gallery.build, network, activation)
            yield f"{network}, {activation}", (1, 3, 224, 224), "images", make
    if packages is not None:
        for item in field.FIELD:
            make = functools.partial(field.build, item, packages)
            yield item.name, item.shape, item.input, make


def _row(case: Case, rounds: int, threads: int) -> str:
    name, shape, input_name, make = case
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    with tempfile.TemporaryDirectory() as folder:
        plain, fast = Path(folder, "plain.onnx"), Path(folder, "fast.onnx")
        onnx_acts.export(make(), x, plain, style="standard", verify=False, dynamic_shapes={})
        onnx_acts.accelerate_file(plain, fast)
        sessions = [
            onnxruntime.InferenceSession(plain, _options(threads), _CPU),
            onnx_acts.session(fast, session_options=_options(threads)),
        ]
        feeds = {input_name: x.numpy()}
        times = [[_time(session, feeds) for session in sessions] for _ in range(rounds + 2)][2:]
    standard, accelerated = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(first / second for first, second in times)
    size = "x".join(map(str, shape))
    return f"| {name} | {size} | {standard:.2f} | {accelerated:.2f} | {ratio:.2f} |"


_CPU = ["CPUExecutionProvider"]


def _options(threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return options


def _time(session: Any, feeds: dict[str, Any]) -> float:
    """Milliseconds of one run; of the fastest of three where runs are short."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        session.run(None, feeds)
        times.append((time.perf_counter() - start) * 1e3)
        if times[0] > 50:
            break
    return min(times)


if __name__ == "__main__":
    main()
