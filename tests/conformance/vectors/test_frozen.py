"""The frozen set stays as it is, says what is true, and is read by those who do not know us."""

import json
import math
import os
import subprocess
import sys
import unittest
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.backend.base import Backend, BackendRep
from onnx.backend.test import loader, runner

from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.compare import compare
from onnx_acts.conformance.vectors import frozen as module
from onnx_acts.conformance.vectors.folders import FORMS, case_of
from onnx_acts.conformance.vectors.frozen import (
    DIGEST,
    VERSION,
    digest_of,
    frozen,
    vectors_files,
)
from onnx_acts.conformance.vectors.index import INDEX, Test
from onnx_acts.definition.specs import DOMAIN, OPERATORS, spec_of
from tests.conformance.vectors.folders import expected, part, write_vectors

Array = np.ndarray[Any, Any]

GROUPS_OF_THE_SET = (
    "special",
    "dense",
    "boundaries",
    "shapes",
    "slopes",
    "attributes",
    "training",
    "quantized",
)

CHANGED = """\
The frozen set has changed. Others have its bytes: make no change, but a new version.
docs/decisions/0017-frozen-vectors.md says how `vectors 2` is made."""

AMPLIFIED = "_standard_elu_float32_attributes_alpha_(16777217|3e38|1e39|inf|minus_inf)_cpu"
"""Where ONNX Runtime's exp(x) - 1 is so wrong that ONNX's own tolerance shows it."""


def test_the_set_has_not_changed() -> None:
    """Every byte of it is pinned."""
    assert VERSION == frozen().index.vectors == "vectors 1"
    assert digest_of(vectors_files(frozen())) == DIGEST, CHANGED


def test_other_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that makes another set must not give it that name."""
    monkeypatch.setattr(module, "DIGEST", DIGEST[::-1])
    module.frozen.cache_clear()
    with pytest.raises(RuntimeError, match=f"other bytes here .*{DIGEST}, not {DIGEST[::-1]}"):
        module.frozen()
    module.frozen.cache_clear()


# NumPy has other code for exp and the like on each of these.
@pytest.mark.parametrize("without", ["X86_V4", "X86_V4 X86_V3", "AVX512F AVX512_SKX AVX2 FMA3"])
@pytest.mark.slow
def test_the_same_bytes_on_older_processors(without: str) -> None:
    """The set does not depend on instructions."""
    code = "from onnx_acts.conformance.vectors.frozen import frozen; frozen()"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": without},
        check=True,
    )


def test_coverage() -> None:
    """Seven operators in all of their types and groups; each case in a form that all read."""
    tests = frozen().index.tests
    found = {(test.operator, test.dtype) for test in tests}
    operators = [spec for spec in OPERATORS if spec.name in {name for name, _ in found}]
    assert len(operators) == 7
    assert found == {(spec.name, dtype) for spec in operators for dtype in spec.element_types}
    groups = Counter(test.group for test in tests)
    assert set(groups) == set(GROUPS_OF_THE_SET)
    assert min(groups.values()) > 40
    assert {test.form for test in tests} == set(FORMS)
    assert len(tests) == len({test.name for test in tests}) > 1500
    plain = {(t.operator, t.dtype, t.group, t.case) for t in tests if t.form != "acts"}
    assert {(t.operator, t.dtype, t.group, t.case) for t in tests} == plain


def test_size() -> None:
    """All files are below 25 MB, and a quick set has one test of each kind."""
    assert sum(map(len, vectors_files(frozen()).values())) < 25_000_000
    kinds = [(t.operator, t.dtype, t.group, t.form) for t in frozen().index.tests if t.quick]
    everything = {(t.operator, t.dtype, t.group, t.form) for t in frozen().index.tests}
    assert len(kinds) == len(set(kinds))
    assert set(kinds) == everything


def test_expected_outputs_are_those_of_the_reference() -> None:
    """Each is correctly rounded, as the judge sees it, and of the type and shape of the index."""
    for test in frozen().index.tests:
        case = case_of(test, frozen().files(test))
        for got, exact, output in zip(
            expected(frozen(), test), case.exact(), test.outputs, strict=True
        ):
            assert (got.dtype.name, got.shape) == (output.dtype, output.shape), test.name
            found = compare(got, exact, numpy_type(test.dtype), 0.5)
            assert found.ok or test.dtype == "uint8", f"{test.name}: {found.message}"


@np.errstate(over="ignore")
def nearest(got: Array, true: Fraction) -> bool:
    """Whether no neighbour of a number is nearer to the true value."""
    error = abs(Fraction(float(got)) - true)
    sides = [float(np.nextafter(got, got.dtype.type(end))) for end in (-math.inf, math.inf)]
    return all(abs(Fraction(side) - true) >= error for side in sides if math.isfinite(side))


def true_value(case: Case, x: Array, slope: Array | None) -> Fraction:
    """The value on the negative side, from the definition, with 300 bits."""
    compute = np.float64 if case.dtype == "float64" else np.float32
    parameter = Fraction(float(slope)) if slope is not None else Fraction(0)
    if case.spec.attributes:
        values = case.real_values
        parameter = Fraction(float(compute(sum(values) / len(values))))
    if case.spec.functor != "Elu":
        return parameter * Fraction(float(x))
    with mpmath.workprec(300):
        curve = mpmath.expm1(mpmath.mpf(float(x)))
        sign, mantissa, exponent, _ = curve._mpf_
        return parameter * (-1) ** sign * mantissa * Fraction(2) ** exponent


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("operator", ["LeakyReLU", "PReLU", "RReLU", "ELU"])
def test_expected_outputs_are_those_of_exact_arithmetic(operator: str, dtype: str) -> None:
    """Fractions and mpmath agree with every expected output that was looked at."""
    checked = 0
    vectors = part([operator], [dtype])
    for test in vectors.index.tests:
        case = case_of(test, vectors.files(test))
        if case.training or test.form == "acts":
            continue
        (y, *_) = expected(vectors, test)
        slopes = [np.broadcast_to(a, y.shape).reshape(-1) for a in case.inputs[1:]]
        x, y = case.inputs[0].reshape(-1), y.reshape(-1)
        is_open = (x < 0) & np.isfinite(x) & np.isfinite(y)
        for index in np.flatnonzero(is_open)[:: 1 if y.size < 300 else 23]:
            slope = slopes[0][index] if slopes else None
            if slope is None or np.isfinite(slope):
                assert nearest(y[index], true_value(case, x[index], slope)), (test.name, index)
                checked += 1
    assert checked > 1000


class OnnxRuntime(Backend):
    """ONNX Runtime as ONNX's runner wants it, with nothing of ours."""

    @classmethod
    def is_compatible(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> bool:
        """Not where ONNX Runtime takes no arrays, or has no kernel."""
        kind = model.graph.input[0].type.tensor_type.elem_type
        is_ours = model.graph.node[0].domain == DOMAIN or len(model.graph.node) > 1
        has_kernel = is_ours or kind != onnx.TensorProto.DOUBLE
        is_relu = model.graph.node[0].op_type == "Relu"
        return kind != onnx.TensorProto.BFLOAT16 and (has_kernel or is_relu)

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> BackendRep:
        """A session."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        data = model.SerializeToString()
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

        class Prepared(BackendRep):
            def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
                names = [item.name for item in session.get_inputs()]
                return tuple(session.run(None, dict(zip(names, inputs, strict=True))))

        return Prepared()

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """The CPU alone."""
        return device == "CPU"


@pytest.mark.parametrize("quick", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_onnx_runner(quick: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX's own loader and runner read the folders; ONNX Runtime passes where it has kernels."""
    vectors = part(quick=quick)
    write_vectors(vectors, tmp_path / "acts")
    found = loader.load_model_tests(str(tmp_path), kind="acts")
    assert len(found) == len(vectors.index.tests)
    # ONNX's own tests would take long to make.
    monkeypatch.setattr(runner, "load_model_tests", lambda kind: found if kind == "real" else [])
    backend = runner.Runner(OnnxRuntime).xfail(AMPLIFIED).exclude("_cuda$")
    outcome = unittest.TestResult()
    backend.test_suite.run(outcome)
    assert not outcome.failures + outcome.errors, outcome.failures + outcome.errors
    assert not outcome.unexpectedSuccesses
    ran = outcome.testsRun - len(outcome.skipped)
    assert ran > 0.6 * len(vectors.index.tests), outcome.skipped[:3]
    assert bool(outcome.expectedFailures) != quick


def test_plain_form_needs_nothing_of_ours() -> None:
    """Models of the other forms have standard operators alone, and the checker takes all."""
    for test in part(quick=True).index.tests:
        model = onnx.load_model_from_string(frozen().files(test)["model.onnx"])
        onnx.checker.check_model(model)
        domains = {item.domain for item in model.opset_import}
        assert (DOMAIN in domains) == (test.form == "acts"), test.name
        assert not (model.functions and test.form != "acts")
        assert not model.producer_name
        assert not model.metadata_props


def test_sizes_are_in_the_model() -> None:
    """Inputs and outputs have numbers for sizes."""
    for test in part(quick=True).index.tests:
        model = onnx.load_model_from_string(frozen().files(test)["model.onnx"])
        for value, output in zip(model.graph.output, test.outputs, strict=True):
            sizes = [size.dim_value for size in value.type.tensor_type.shape.dim]
            assert tuple(sizes) == output.shape
            assert value.name == output.name


def test_index_says_what_the_model_says() -> None:
    """The attributes of the index are those of the node, and the bounds the operator table's."""
    for test in frozen().index.tests:
        spec = spec_of(test.operator)
        assert set(test.attributes) == {item.name for item in spec.attributes}
        bound = {output.ulp for output in test.outputs}
        table = {spec.promise.kernel[test.dtype], spec.promise.body[test.dtype]}
        assert bound <= table, CHANGED
        assert all(output.rule == expected_rule(test) for output in test.outputs)


def expected_rule(test: Test) -> str:
    """The rule of an operator's outputs."""
    if test.dtype == "uint8":
        return "integer"
    return "drawn" if test.attributes.get("training_mode") else "float"


def test_index_is_json_for_everyone() -> None:
    """No NaN and no infinity, which JSON does not have; every rule that is used is explained."""

    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is not JSON")

    content = json.loads(vectors_files(frozen())[INDEX], parse_constant=refuse)
    assert content["format"] == 1
    used = {output["rule"] for test in content["tests"] for output in test["outputs"]}
    assert used == set(content["rules"])
    assert {"nan", "inf", "-inf"} <= {
        value for test in content["tests"] for value in test["attributes"].values()
    }
