"""The translation of torch's operators follows the table."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from onnx_acts import export
from onnx_acts.definition.specs import SPECS, Attribute, Spec, spec_of
from onnx_acts.exporting import translations
from onnx_acts.exporting.translations import TranslationError, translation_table

OTHER: dict[str, dict[str, Any]] = {
    # Of another library; of two tensors; with a string; with two numbers where the record has one.
    "nowhere": {"torch": "no_such_function"},
    "two inputs": {"torch": "cosine_similarity"},
    "a string": {"torch": "gelu"},
    "two numbers": {"torch": "hardtanh"},
    "another name": {"torch": "celu", "torch_names": {"alpha": "beta"}},
}


def with_torch(name: str) -> Spec:
    """A further operator whose function in torch has no translation."""
    return dataclasses.replace(spec_of("ELU"), name="Other", **OTHER[name])


def test_every_function_of_the_table() -> None:
    """Each has a translation."""
    table = translation_table(20, 0)
    for spec in SPECS:
        if spec.torch:
            assert getattr(torch.ops.aten, spec.torch).default in table


@pytest.mark.parametrize("name", OTHER)
def test_function_without_translation(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left to torch, and breaks no export of other networks."""
    before = translation_table(20, 0).keys()
    monkeypatch.setattr(translations, "SPECS", (*SPECS, with_torch(name)))
    assert translation_table(20, 0).keys() == before
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.ELU(), nn.LeakyReLU(0.3)).eval()
    ops = ("ELU", "LeakyReLU", "ReLU")
    result = export(module, torch.randn(2, 3), tmp_path / "m.onnx", ops=ops)
    assert result.node_counts == dict.fromkeys(ops, 1)


def test_one_for_one() -> None:
    """An ATen operator of one number, which has another name; defaults are ATen's."""
    operator = torch.ops.aten.leaky_relu.default
    leaky = spec_of("LeakyReLU")
    assert translations._one_for_one(leaky, operator) is not None
    assert translations._one_for_one(dataclasses.replace(leaky, torch_names={}), operator) is None
    assert translations._one_for_one(spec_of("PReLU"), torch.ops.aten.prelu.default) is None


def test_number_out_of_range() -> None:
    """It is refused before a node is made."""
    attribute = Attribute("alpha", "real", 1.0, "scale", "positive")
    spec = dataclasses.replace(spec_of("ELU"), attributes=(attribute,))
    translation = translations._one_for_one(spec, torch.ops.aten.celu.default)
    assert translation is not None
    with pytest.raises(TranslationError, match=r"ELU: alpha must be a finite number > 0, got -2"):
        translation(None, -2.0)
