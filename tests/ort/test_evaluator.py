"""The reference evaluator with our operators computes the reference's values."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import pytest

from onnx_acts import reference_evaluator
from onnx_acts.definition import reference
from onnx_acts.definition.specs import ELEMENT_TYPES, QUANTIZED, SPECS, Spec, spec_of
from onnx_acts.files.embedding import embed_functions
from tests.helpers import feeds, in_type, one_node_model
from tests.quantized import f32, one_node, scales

X = np.concatenate([[np.nan, -0.0, -1e-25], np.linspace(-20, 5, 27)]).reshape(2, 3, 5)
SLOPE = np.array([[0.1], [-0.2], [3.0]])


@pytest.mark.parametrize("bodies", [True, False])
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_values(spec: Spec, dtype: str, bodies: bool) -> None:
    """Correctly rounded in every type, with or without a body in the file (a body rounds more)."""
    attributes: dict[str, Any] = {
        item.name: 0.3 for item in spec.attributes if item.name == "alpha"
    }
    model = one_node_model(spec, dtype, bodies=bodies, outputs=len(spec.outputs), **attributes)
    inputs = [in_type(X, dtype), in_type(SLOPE, dtype)][: len(spec.inputs)]
    got = reference_evaluator(model).run(None, feeds(spec, *inputs))
    want = reference.evaluate(spec, inputs, attributes)
    for ours, theirs in zip(got, want, strict=True):
        assert np.array_equal(ours, theirs.astype(float), equal_nan=True)


@pytest.mark.parametrize("spec", QUANTIZED, ids=lambda spec: spec.name)
def test_quantized_values(spec: Spec) -> None:
    """Those of the reference, on tensors of 8 bits."""
    model = one_node(spec, (2, 128), (2, 1))
    slope = {"slope": f32([[0.3], [-0.2]])} if "slope" in spec.inputs else {}
    x = np.arange(256, dtype=np.uint8).reshape(2, 128)
    inputs = {"X": x, **scales(0.05, 120, 0.03, 60), **slope}
    (got,) = reference_evaluator(model).run(None, inputs)
    (wanted,) = reference.evaluate(spec, list(inputs.values()))
    np.testing.assert_array_equal(got, wanted, strict=True)


def test_sources(tmp_path: Path) -> None:
    """A model, its bytes and its path are taken; defaults apply to a bare node."""
    model = one_node_model(spec_of("ELU"), "float64")
    del model.graph.node[1].attribute[:]
    path = tmp_path / "elu é.onnx"
    onnx.save_model(model, path)
    for source in (model, model.SerializeToString(), str(path), path):
        got: Any = reference_evaluator(source).run(None, {"x_in": -np.ones((1, 1, 1))})
        assert got[0].item() == np.expm1(-1)


def test_enlarging_slope_is_refused() -> None:
    """A slope that would enlarge x raises with both shapes, as the text of the standard has it."""
    model = one_node_model(spec_of("PReLU"), "float32", x_shape=(2, 1), slope_shape=(3,))
    with pytest.raises(ValueError, match=r"shape \(3,\) on x of shape \(2, 1\)"):
        reference_evaluator(model).run(None, {"x_in": np.ones((2, 1)), "slope_in": np.ones(3)})


def test_functions_of_others_stay() -> None:
    """Functions of the model's own are run, also those that call our operators."""
    model = onnx.parser.parse_model("""
      <ir_version: 8, opset_import: ["": 18, "onnx_acts": 1, "own": 1]>
      g (float[n] x) => (float[n] y) { y = own.Twice (x) }
      <domain: "own", opset_import: ["": 18, "onnx_acts": 1]>
      Twice (x) => (y) { r = onnx_acts.ReLU (x) y = Add (r, r) }
    """)
    embed_functions(model)
    before = model.SerializeToString(deterministic=True)
    (y,) = reference_evaluator(model).run(None, {"x": np.array([-1, 2], np.float32)})
    np.testing.assert_array_equal(np.asarray(y), [0, 4])
    assert model.SerializeToString(deterministic=True) == before, "the model is the caller's"
