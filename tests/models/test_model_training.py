"""Training: deterministic, data in the same order for all, and dead units counted by definition."""

import dataclasses
import hashlib
import importlib.util
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn

from models import report, store, train
from models.dead_units import count_dead_units
from models.evaluate import held_out
from models.output_means import MEANS, output_means
from models.recipes import RECIPES
from models.training_data import batches


@pytest.fixture(autouse=True)
def torch_settings() -> Iterator[None]:
    """One thread, as small steps are fastest so; training's settings are taken back afterwards."""
    deterministic, threads = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.use_deterministic_algorithms(deterministic)
    torch.set_num_threads(threads)


def _digest(name: str, seed: int) -> str:
    recipe = dataclasses.replace(RECIPES[name], epochs=1)
    training = train.train(recipe, seed)
    return hashlib.sha256(save(training.module.state_dict())).hexdigest()


@pytest.mark.parametrize("name", ["digits_mlp", "resnet20_rrelu"])
def test_same_seed_gives_the_same_bytes(name: str) -> None:
    """Two short trainings with one seed give the same weights; with another seed, others."""
    first = _digest(name, 0)
    torch.rand(7)  # what ran before must not matter
    assert _digest(name, 0) == first
    assert _digest(name, 1) != first


@pytest.mark.parametrize("name", ["digits_mlp", "fsrcnn_prelu"])
def test_batches_follow_the_generator_alone(name: str) -> None:
    """Equal generators give equal batches, whatever PyTorch drew in between."""
    first = next(batches(RECIPES[name], np.random.default_rng(3)))
    torch.rand(7)
    again = next(batches(RECIPES[name], np.random.default_rng(3)))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_patches_match_their_originals() -> None:
    """Each small patch is its large one halved: turned and mirrored alike."""
    small, large = next(batches(RECIPES["fsrcnn_prelu"], np.random.default_rng(0)))
    halved = nn.functional.avg_pool2d(large, 2)
    errors = (halved - small).abs().mean(dim=(1, 2, 3))
    mirrored = (halved.flip(-1) - small).abs().mean(dim=(1, 2, 3))
    assert (errors < 0.02).all()
    assert mirrored.mean() > 10 * errors.mean()  # so a patch turned the wrong way would show


def test_slopes_are_not_decayed() -> None:
    """Weight decay reaches matrices and kernels only."""
    recipe = RECIPES["lenet5_prelu"]
    decayed, exempt = train.parameter_groups(recipe.factory(), recipe)
    assert decayed["weight_decay"] > 0 == exempt["weight_decay"]
    assert {parameter.ndim for parameter in decayed["params"]} == {2, 4}
    assert {parameter.ndim for parameter in exempt["params"]} == {1}


def test_dead_units_are_counted_over_all_batches() -> None:
    """Of six units four are never positive; of two channels one has no other."""
    batch = np.zeros((2, 2, 1, 3), np.float32)
    other = batch.copy()
    batch[0, 0, 0, 0] = other[1, 0, 0, 1] = 1
    counted = count_dead_units(nn.Sequential(nn.ReLU()), [batch, other])
    assert counted == (6, 4, 2, 1)


def test_means_are_over_all_batches() -> None:
    """Means of different signs cancel in the mean, and not in that of the channels."""
    batch = np.array([[[3.0], [-1.0]], [[1.0], [-1.0]]], np.float32)  # 2 examples, 2 channels
    (means,) = output_means(nn.Sequential(nn.LeakyReLU(1.0)), [batch[:1], batch[1:]]).values()
    assert means == pytest.approx((0.5, 3**0.5, 2.5**0.5))


def test_recorded_means_are_those_of_the_weights() -> None:
    """Measured again for the smallest network."""
    recorded = store.read_json(MEANS)
    assert set(recorded) == set(RECIPES)
    examples = (batch.inputs for batch in held_out("digits_mlp"))
    for layer, found in output_means(store.load("digits_mlp"), examples).items():
        assert found._asdict() == pytest.approx(recorded["digits_mlp"][layer], rel=1e-3)


def test_networks_load_by_the_path_of_their_file() -> None:
    """The file of the networks needs neither its package nor the working folder."""
    spec = importlib.util.spec_from_file_location("by_path", store.FOLDER / "networks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert all(isinstance(getattr(module, name)(), nn.Module) for name in RECIPES)


def test_readme_tables_are_fresh() -> None:
    """The tables of the README are what manifest and history give."""
    assert report.main(["--check"]) == 0
