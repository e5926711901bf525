"""What adapters are given, and what they say of themselves."""

import struct
from pathlib import Path

import numpy as np
import pytest

from onnx_acts.conformance.case import has_single_parameters, standard_model
from onnx_acts.conformance.cases import cases
from onnx_acts.conformance.runtimes.adapters.call import standard_call
from onnx_acts.conformance.runtimes.catalogue import FOREIGN
from onnx_acts.conformance.suite import Selection, run
from onnx_acts.definition.specs import SPECS, Spec, spec_of
from onnx_acts.definition.validation import accepts

SCALED = [spec for spec in SPECS if spec.standard and spec.standard.attributes]


@pytest.mark.parametrize("spec", SCALED, ids=lambda spec: spec.name)
def test_parameters_are_those_of_the_standard_node(spec: Spec) -> None:
    """To the bit, the sign of zero among them: what reads calls and what reads models agree."""
    signs = set()
    names = [item.name for item in spec.attributes if item.kind == "real"]
    for case in cases(spec, "float32", "attributes", quick=False):
        if case.training or case.bare or not has_single_parameters(case):
            continue
        alpha = standard_call(case.operator, case.inputs, case.values).alpha
        (attribute,) = standard_model(case).graph.node[0].attribute
        with np.errstate(over="ignore"):
            single = np.float32(alpha)
        assert struct.pack("f", single) == struct.pack("f", attribute.f), case.name
        signs |= {bool(np.signbit(alpha))} if alpha == 0 else set()
    assert signs == ({False, True} if accepts(spec, dict.fromkeys(names, 0.0)) else set())


def test_a_compiler_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Clang tinygrad is not there, in words; its cases are no failures."""
    (tmp_path / "tinygrad.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("CC", "no-such-compiler")
    (item,) = (item for item in FOREIGN if item.name == "tinygrad")
    absent = type(item)(item.name, item.title, item.package, ["tinygrad"], "")
    said = "it cannot be loaded: it compiles with no-such-compiler, which is not installed"
    assert absent.unavailable() == said
    (cell,) = run(Selection([spec_of("ReLU")], ["float32"], ["special"], [absent], True)).cells
    assert (cell.status, cell.reasons) == ("n/a", [said])
