"""Retrain models from scratch: ``python -m models.train NAME... | all``.

On one machine, with one version of PyTorch and one number of threads, a seed always gives the
same weights, byte for byte. Seed 0 makes the weights that are shipped; other seeds only add
their loss curves to ``history.json``.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models import store
from models.dead_units import count_dead_units
from models.evaluate import bicubic_score, evaluate, held_out, torch_predict
from models.recipes import RECIPES, SHIPPED_SEED, Recipe
from models.training_data import batches, steps_per_epoch

DISTRIBUTIONS = ("torch", "numpy", "scikit-learn", "scikit-image", "safetensors")


class Training(NamedTuple):
    """A trained network and, for every epoch, its mean training loss and held-out metric."""

    module: nn.Module
    losses: list[float]
    metrics: list[float]
    minutes: float


def train(recipe: Recipe, seed: int) -> Training:
    """Train one model from scratch; the last epoch counts, not the best."""
    start = time.monotonic()
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)  # initial weights, and the random slopes of RReLU
    random = np.random.default_rng(seed)  # order of the data, so that RReLU cannot shift it
    module = recipe.factory()
    optimiser = torch.optim.AdamW(parameter_groups(module, recipe), lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimiser, recipe.epochs * steps_per_epoch(recipe)
    )
    losses, metrics = [], []
    for epoch in range(recipe.epochs):
        losses.append(_epoch(module, recipe, random, optimiser, schedule))
        metrics.append(evaluate(recipe.name, torch_predict(module)).value)
        _progress(f"{recipe.name} seed {seed}", epoch + 1, recipe.epochs, losses, metrics)
    return Training(module, losses, metrics, (time.monotonic() - start) / 60)


def parameter_groups(module: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Decay weights only: decay would pull the slopes of PReLU to 0, that is to ReLU."""
    parameters = list(module.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _epoch(
    module: nn.Module,
    recipe: Recipe,
    random: np.random.Generator,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> float:
    module.train()
    losses = []
    for inputs, targets in batches(recipe, random):
        loss = _loss(recipe, module(inputs), targets)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # PyTorch left it untyped
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
    return float(np.mean(losses))


def _loss(recipe: Recipe, outputs: Tensor, targets: Tensor) -> Tensor:
    if recipe.task == "superres":
        return functional.mse_loss(outputs, targets)
    return functional.cross_entropy(outputs, targets)


def _progress(
    title: str, epoch: int, epochs: int, losses: Sequence[float], metrics: Sequence[float]
) -> None:
    line = f"{title}: epoch {epoch}/{epochs}, loss {losses[-1]:.6f}, held-out {metrics[-1]:.4f}"
    print(line, file=sys.stderr, flush=True)


def record(recipe: Recipe, seed: int, training: Training) -> None:
    """Add a training to the history and, for the shipped seed, to the weights and manifest."""
    history = store.read_json(store.HISTORY)
    history.setdefault(recipe.name, {})[str(seed)] = _curve(recipe, training)
    store.write_json(store.HISTORY, history)
    if seed != SHIPPED_SEED:
        return
    manifest = store.read_json(store.MANIFEST)
    entries = manifest.setdefault("models", {})
    before = entries.get(recipe.name, {}).get("sha256")
    entries[recipe.name] = _entry(recipe, training)
    store.write_json(store.MANIFEST, manifest)
    _report_change(recipe.name, before, entries[recipe.name]["sha256"])


def _curve(recipe: Recipe, training: Training) -> store.Json:
    curve: store.Json = {
        "train_loss": [float(f"{loss:.6g}") for loss in training.losses],
        "held_out": [round(metric, 6) for metric in training.metrics],
        "minutes": round(training.minutes, 2),
    }
    if recipe.task == "digits":  # photographs differ in size, and so do their units
        inputs = (batch.inputs for batch in held_out(recipe.name))
        curve["dead"] = count_dead_units(training.module, inputs)._asdict()
    return curve


def _entry(recipe: Recipe, training: Training) -> store.Json:
    score = evaluate(recipe.name, torch_predict(training.module))
    entry = {
        **store.save_weights(recipe.name, training.module),
        "factory": f"models.networks:{recipe.name}",
        "input_shape": list(recipe.input_shape),
        "activation": recipe.activation,
        "task": recipe.task,
        "seed": SHIPPED_SEED,
        "epochs": recipe.epochs,
        "metric": score.metric,
        "value": score.value,
        "parts": score.parts,
        "train_minutes": round(training.minutes, 2),
        "threads": torch.get_num_threads(),
        "versions": _versions(),
        "date": datetime.date.today().isoformat(),
    }
    if recipe.task == "superres":
        entry["bicubic"] = bicubic_score()._asdict()
    return entry


def _versions() -> dict[str, str]:
    versions = {distribution: version(distribution) for distribution in DISTRIBUTIONS}
    return {"python": platform.python_version(), **versions}


def _report_change(name: str, before: str | None, now: str) -> None:
    verdict = {None: "new", now: "same bytes as before"}.get(before, f"changed from {before}")
    print(f"{name}: sha256 {now} ({verdict})", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__)
    parser.add_argument("names", nargs="+", choices=["all", *RECIPES], metavar="NAME|all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[SHIPPED_SEED])
    parser.add_argument("--threads", type=int, default=2, help="change the last bits of weights")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    names = list(RECIPES) if "all" in options.names else options.names
    for seed in options.seeds:
        for name in names:
            record(RECIPES[name], seed, train(RECIPES[name], seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
