"""The trained weights: they are what the manifest says, and do what it says."""

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import models
from models import evaluate, store
from models.data import FloatArray
from models.recipes import RECIPES

MANIFEST = store.read_json(store.MANIFEST)["models"]


@pytest.fixture
def copied_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store in a folder of its own, with a copy of the weights of the dense network."""
    file = tmp_path / MANIFEST["digits_mlp"]["file"]
    file.parent.mkdir()
    file.write_bytes((store.FOLDER / MANIFEST["digits_mlp"]["file"]).read_bytes())
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    return file


def test_recipes_weights_and_manifest_name_the_same_models() -> None:
    """Every recipe has weights and a manifest entry, and no others exist."""
    files = {path.stem for path in (store.FOLDER / "weights").glob("*")}
    assert files == set(RECIPES) == set(MANIFEST)


@pytest.mark.parametrize("name", RECIPES)
def test_manifest_describes_the_file_and_the_recipe(name: str) -> None:
    """Hash, sizes and recipe in the manifest are those of the weights and of the table."""
    entry, recipe = MANIFEST[name], RECIPES[name]
    content = (store.FOLDER / entry["file"]).read_bytes()
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert entry["bytes"] == len(content)
    assert entry["parameters"] == sum(p.numel() for p in models.load(name).parameters())
    assert entry["input_shape"] == list(recipe.input_shape)
    assert entry["epochs"] == recipe.epochs


@pytest.mark.parametrize("name", RECIPES)
def test_held_out_metric_is_the_manifests(name: str) -> None:
    """Loaded weights give the count of correct digits, or the PSNR within 0.01 dB."""
    score = evaluate.evaluate(name, evaluate.torch_predict(models.load(name)))
    tolerance = 0.01 if score.metric == "psnr_db" else 0
    assert score.metric == MANIFEST[name]["metric"]
    assert score.parts == pytest.approx(MANIFEST[name]["parts"], abs=tolerance, rel=0)
    assert score.value == pytest.approx(MANIFEST[name]["value"], abs=tolerance, rel=0)


@pytest.mark.parametrize("name", [name for name in RECIPES if RECIPES[name].task == "digits"])
def test_classifiers_are_right_on_19_of_20(name: str) -> None:
    """A classifier that learnt nothing would have 10 %; all of these have at least 95 %."""
    assert MANIFEST[name]["value"] >= 0.95


def test_fsrcnn_beats_bicubic() -> None:
    """FSRCNN is better on every held-out photograph, by half a decibel in the mean."""
    entry, bicubic = MANIFEST["fsrcnn_prelu"], evaluate.bicubic_score()
    assert bicubic.parts == pytest.approx(entry["bicubic"]["parts"], abs=0.01, rel=0)
    assert all(entry["parts"][photo] > bicubic.parts[photo] for photo in bicubic.parts)
    assert entry["value"] > bicubic.value + 0.5


@pytest.mark.parametrize("name", RECIPES)
def test_loaded_model_is_in_inference_mode(name: str) -> None:
    """No module of a loaded model is left in training mode."""
    assert not any(module.training for module in models.load(name).modules())


def test_corrupted_weights_are_refused(copied_store: Path) -> None:
    """One flipped bit gives an error that names the file and both hashes."""
    content = bytearray(copied_store.read_bytes())
    content[-1] ^= 1
    copied_store.write_bytes(content)
    expected, found = MANIFEST["digits_mlp"]["sha256"], hashlib.sha256(content).hexdigest()
    with pytest.raises(store.WeightsError, match=f"{expected}, found {found}") as error:
        models.load("digits_mlp")
    assert str(copied_store) in str(error.value)


def test_missing_weights_say_how_to_make_them(copied_store: Path) -> None:
    """Without the file, the error names it and the command that makes it."""
    copied_store.unlink()
    with pytest.raises(store.WeightsError, match=r"models\.train digits_mlp"):
        models.load("digits_mlp")


def test_unknown_model_lists_the_known() -> None:
    """A wrong name is answered with the right ones."""
    with pytest.raises(KeyError, match="lenet5_prelu"):
        models.load("lenet6")


def test_psnr_leaves_the_border_out() -> None:
    """A uniform error of 0.1 is 20 dB, whatever stands in the border."""
    truth = np.full((1, 1, 12, 12), 0.5)
    image = np.zeros_like(truth)
    image[..., 2:-2, 2:-2] = 0.6
    assert math.isclose(evaluate.psnr(image, truth), 20)


def test_accuracy_notices_wrong_answers() -> None:
    """A runtime that always says 0 is right on the zeros only."""

    def always_zero(images: FloatArray) -> NDArray[Any]:
        return np.eye(1, 10).repeat(len(images), axis=0)

    parts = evaluate.evaluate("digits_mlp", always_zero).parts
    zeros = sum(int(np.sum(batch.target == 0)) for batch in evaluate.held_out("digits_mlp"))
    assert parts == {"correct": zeros, "total": 540}


def test_residual_networks_start_alike() -> None:
    """The five residual networks have the same initial weights under the same seed."""
    starts = []
    for name in RECIPES:
        if name.startswith("resnet20_"):
            torch.manual_seed(0)
            network = RECIPES[name].factory()
            weights = [p.flatten() for p in network.parameters() if p.ndim > 1]
            starts.append(torch.cat(weights))
    assert len(starts) == 5
    assert all(torch.equal(start, starts[0]) for start in starts)


@pytest.mark.parametrize("name", RECIPES)
def test_no_activation_module_is_used_twice(name: str) -> None:
    """Every activation runs exactly once per forward pass: one module at each place."""
    runs: list[nn.Module] = []
    kinds = (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU)
    network = models.load(name)
    activations = [module for module in network.modules() if isinstance(module, kinds)]
    for module in activations:
        module.register_forward_hook(lambda module, *_: runs.append(module))
    network(torch.from_numpy(next(evaluate.held_out(name)).inputs))
    assert sorted(map(id, runs)) == sorted(map(id, activations))
