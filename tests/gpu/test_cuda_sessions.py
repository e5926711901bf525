"""Sessions on a GPU: values, placement, memory and failures. Skipped where there is none."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
import pytest

import onnx_acts
from onnx_acts.conformance import GROUPS, cases, runtime_of
from onnx_acts.conformance import suite as runner
from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.models import acts_model
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, Spec, spec_of
from onnx_acts.ort.sessions import CPU, CUDA
from onnx_acts.ort.values import to_ort
from tests.helpers import one_node_model

REASON = runtime_of("cuda").unavailable()
# check.sh is for machines where a reason to skip is a failure.
REQUIRED = bool(os.environ.get("ONNX_ACTS_REQUIRE_GPU"))
pytestmark = pytest.mark.skipif(bool(REASON) and not REQUIRED, reason=REASON)


def run_on(provider: str, case: Case) -> list[bytes]:
    """The bits of a case's outputs."""
    name = "cuda" if provider == CUDA else "library"
    return [array.tobytes() for array in runtime_of(name).run(case)]


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_conforms(spec: Spec, dtype: str) -> None:
    """Special values, shapes, slopes: the promises of the native library, on CUDA."""
    item = runtime_of("cuda")
    for group in GROUPS:
        for case in cases(spec, dtype, group, quick=True):
            found = runner.judge(item, case, runner.promise_of(item, spec, dtype))
            assert found.ok, f"{case.name}: {found.message}"


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("name", [spec.name for spec in SPECS if spec.is_product])
def test_same_bits_as_on_the_cpu(name: str, dtype: str) -> None:
    """The leaky family, RReLU's draws and noise among them; only a NaN's bits may differ."""
    spec, kind = spec_of(name), numpy_type(dtype)
    x = np.random.default_rng(4).standard_normal((3, 7, 4099)).astype(kind)
    slope = np.linspace(-0.5, 0.5, 7).astype(kind).reshape(7, 1)
    inputs = [x, *(slope for _ in spec.inputs[1:])]
    is_drawn = spec.parameter_source == "draw"
    drawn = {"training_mode": 1, "seed": 2**40 + 3} if is_drawn else {}
    for attributes in ({}, drawn):
        case = Case(name, dtype, inputs, attributes, outputs=len(spec.outputs))
        assert run_on(CUDA, case) == run_on(CPU, case)


def test_placement() -> None:
    """Nothing is copied around an activation between two nodes that run on CUDA."""
    for spec in SPECS:
        (node,) = onnx_acts.placement(one_node_model(spec, "float32"), providers=[CUDA])
        assert (node.provider, node.copies) == (CUDA, ())


def bound(session: onnxruntime.InferenceSession, case: Case) -> tuple[Any, list[Any], Any]:
    """A binding of a case's inputs and output to device memory, the inputs and the output."""
    binding = session.io_binding()
    inputs = [onnxruntime.OrtValue.ortvalue_from_numpy(array, "cuda", 0) for array in case.inputs]
    for item, value in zip(session.get_inputs(), inputs, strict=True):
        binding.bind_ortvalue_input(item.name, value)
    result = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros_like(case.inputs[0]), "cuda", 0)
    binding.bind_ortvalue_output(session.get_outputs()[0].name, result)
    return binding, inputs, result


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_cuda_graph(spec: Spec) -> None:
    """Captured once and replayed on new values, without a word of ours at the replay."""
    x = np.linspace(-3, 3, 2 * 3 * 1001, dtype=np.float32).reshape(2, 3, 1001)
    slope = np.array([[0.1], [0.2], [0.3]], np.float32)
    case = Case(spec.name, "float32", [x, *(slope for _ in spec.inputs[1:])])
    model = acts_model(case)
    for item, array in zip(model.graph.input, case.inputs, strict=True):
        for size, axis in zip(array.shape, item.type.tensor_type.shape.dim, strict=True):
            axis.dim_value = size
    session = onnx_acts.session(model, providers=[(CUDA, {"enable_cuda_graph": "1"})])
    binding, inputs, result = bound(session, case)
    for factor in (1, -2, 3):  # the first run captures
        values = (x * factor).astype(np.float32)
        inputs[0].update_inplace(values)
        session.run_with_iobinding(binding)
        want = runtime_of("cuda").run(replace(case, inputs=[values, *case.inputs[1:]]))[0]
        np.testing.assert_array_equal(result.numpy(), want)


def test_slope_that_does_not_fit() -> None:
    """The same refusal as on the CPU, and the session goes on."""
    model = one_node_model(spec_of("PReLU"), "float32", slope_shape=("S", 1))
    session = onnx_acts.session(model, providers=[CUDA])
    x = np.ones((1, 3, 2))
    with pytest.raises(Exception, match=r"node 'act'.*slope of shape \(2, 1\) does not broadcast"):
        session.run(None, {"x_in": x, "slope_in": np.ones((2, 1))})
    got = session.run(None, {"x_in": -x, "slope_in": np.full((3, 1), 2.0)})[0]
    np.testing.assert_array_equal(got, -2 * x)


def test_values_handed_over_as_they_are() -> None:
    """bfloat16, which NumPy does not have, in and out."""
    case = Case("ELU", "bfloat16", [np.array([-1.0, 2.0]).astype(numpy_type("bfloat16"))])
    session = onnx_acts.session(acts_model(case), providers=[CUDA])
    (got,) = session.run_with_ort_values(None, {"X": to_ort(case.inputs[0])})
    assert got.shape() == [2]
