"""The mean of what activations give: ``python -m models.output_means``.

ELU was proposed because its negative values pull the mean of a layer's outputs towards zero. This
measures the shipped networks over the held-out data and writes ``output_means.json``.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models import store
from models.data import FloatArray
from models.dead_units import ACTIVATIONS
from models.evaluate import held_out
from models.recipes import RECIPES
from onnx_acts.files.writing import write_atomically

MEANS = store.FOLDER / "output_means.json"


class LayerMean(NamedTuple):
    """The outputs of one activation layer over all examples, rows and columns.

    ``mean`` is of all elements, ``rms`` the square root of the mean of their squares. ``channels``
    is the square root of the mean of the squared means of the channels: means of different signs
    do not cancel in it.
    """

    mean: float
    rms: float
    channels: float


def output_means(module: nn.Module, batches: Iterable[FloatArray]) -> dict[str, LayerMean]:
    """Run ``module`` in inference mode over all batches; return a record for each activation."""
    sums: dict[str, list[Tensor]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)

    def watch(name: str, layer: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            by_channel = output.double().transpose(0, 1).flatten(1)
            sums[name].append(torch.stack([by_channel.sum(1), by_channel.square().sum(1)]))
            counts[name] += by_channel.shape[1]

        return layer.register_forward_hook(hook)

    layers = [(n, layer) for n, layer in module.named_modules() if isinstance(layer, ACTIVATIONS)]
    handles = [watch(name, layer) for name, layer in layers]
    module.eval()
    with torch.inference_mode():
        for batch in batches:
            module(torch.from_numpy(batch))
    for handle in handles:
        handle.remove()
    found = {}
    for name, parts in sums.items():
        means, squares = torch.stack(parts).sum(0) / counts[name]
        found[name] = LayerMean(
            float(means.mean()), float(squares.mean().sqrt()), float(means.square().mean().sqrt())
        )
    return found


def main() -> int:
    """Measure all shipped networks and write the file; return the exit status."""
    record = {}
    for name in RECIPES:
        layers = output_means(store.load(name), (batch.inputs for batch in held_out(name)))
        record[name] = {
            layer: {key: float(f"{value:.4g}") for key, value in means._asdict().items()}
            for layer, means in layers.items()
        }
    write_atomically(MEANS, (json.dumps(record, indent=1) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
