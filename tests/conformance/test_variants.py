"""The library as other processors have it: each variant is what it says, in its own process."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.cases import find_case
from onnx_acts.conformance.judging import judge
from onnx_acts.conformance.runtimes import VARIANTS, runtime_of, variants
from onnx_acts.conformance.runtimes.variants import Variant, compute
from onnx_acts.ort.sessions import library_info

CASE = find_case("RReLU", "float16", "training", "seed 0, shape (1001,)")


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_variant_keeps_the_promise(variant: Variant) -> None:
    """The same bits, and the same refusals, from its process."""
    if variant.unavailable():
        pytest.skip(variant.unavailable())
    assert judge(variant, CASE, 0.5).ok
    refused = find_case("PReLU", "float32", "refused", "slope (3,) on (2, 1)")
    assert judge(variant, refused, 0.5).ok
    assert runtime_of(variant.name) is variant


def test_level_is_chosen() -> None:
    """A level that there is not is refused in the library's words, by its process alone."""
    odd = Variant("odd", "no level", {"ONNX_ACTS_ISA": "v9"})
    assert "ONNX_ACTS_ISA=v9: no such instruction-set level" in odd.unavailable()
    assert not library_info().get("isa_error")


def test_own_level_is_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a processor whose best level it is, a variant is no other runtime."""
    monkeypatch.setattr(variants, "library_info", lambda: {"isa": "v2"})
    own = Variant("own", "", {"ONNX_ACTS_ISA": "v2"})
    assert "this is the runtime library" in own.unavailable()


def test_changed_inputs_are_seen_in_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs are copies there: so they are compared there."""
    library: Any = runtime_of("library")

    def writing(self: object, case: Case) -> list[Any]:
        case.inputs[0][...] = 1
        return [case.inputs[0]]

    monkeypatch.setattr(type(library), "run", writing)
    case = dataclasses.replace(CASE, inputs=[np.array([-1.0, 2.0], np.float16)])
    with pytest.raises(RuntimeError, match="it changed its inputs"):
        compute("run", [variants._packed(case)], {})
