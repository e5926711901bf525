"""Draw ``models/figures/*.png`` from the history and the weights: ``python -m models.plots``."""

from __future__ import annotations

import sys

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models import data, store
from models.evaluate import Predict, psnr, torch_predict
from models.recipes import RESNETS

FIGURES = store.FOLDER / "figures"
CROPS = (("chelsea", 96, 130), ("flower.jpg", 150, 250), ("camera", 90, 190))
"""Photograph and the first row and column of what is shown of it."""
CROP = 80
"""Height and width of a crop in pixels of the large photograph."""


def loss_curves() -> Figure:
    """Draw the training loss of the five residual networks, its geometric mean over seeds."""
    history = store.read_json(store.HISTORY)
    figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for recipe in RESNETS:
        seeds = history[recipe.name].values()
        losses = np.array([curve["train_loss"] for curve in seeds])
        epochs = np.arange(1, losses.shape[1] + 1)
        line = axes.plot(epochs, np.exp(np.log(losses).mean(axis=0)), label=recipe.activation)
        axes.fill_between(
            epochs, losses.min(axis=0), losses.max(axis=0), color=line[0].get_color(), alpha=0.12
        )
    axes.set(yscale="log", xlabel="epoch", ylabel="training loss (cross-entropy)")
    axes.set_title(
        f"ResNet-20 on digits: geometric mean of {len(seeds)} seeds, range shaded", fontsize=10
    )
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def super_resolution() -> Figure:
    """Draw crops of held-out photographs: bicubic, FSRCNN and the original."""
    predict = torch_predict(store.load("fsrcnn_prelu"))
    figure, rows = plt.subplots(len(CROPS), 3, figsize=(5.4, 5.8), layout="constrained")
    for axes, (photo, row, column) in zip(rows, CROPS, strict=True):
        _crop_row(axes, predict, photo, (slice(row, row + CROP), slice(column, column + CROP)))
    return figure


def _crop_row(axes: list[Axes], predict: Predict, photo: str, crop: tuple[slice, slice]) -> None:
    large = data.photograph(photo)
    small = data.downscale(large)
    pictures = {
        "bicubic": data.upscale_bicubic(small),
        "FSRCNN": predict(small[None, None])[0, 0],
        "original": large,
    }
    for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
        axis.imshow(picture[crop], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        quality = "" if picture is large else f", {psnr(picture, large):.2f} dB"
        axis.set_title(title + quality, fontsize=9)
        axis.set_axis_off()


def main() -> int:
    """Write all figures; return the exit status."""
    FIGURES.mkdir(exist_ok=True)
    for name, draw in (("resnet20_loss", loss_curves), ("fsrcnn_crops", super_resolution)):
        path = FIGURES / f"{name}.png"
        # Without the version of Matplotlib inside, the same picture is the same file.
        draw().savefig(path, dpi=100, metadata={"Software": None})
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
