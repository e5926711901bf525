"""Accelerated files that other tools have changed are understood again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.compose
import onnx.parser
import onnx.version_converter
import onnxruntime
import onnxscript.optimizer
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxconverter_common import float16 as converter_common
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers import float16 as converter_transformers

import onnx_acts
from onnx_acts.definition.nodes import read_attributes
from onnx_acts.graph import accelerate, accelerate_counted, lower
from tests.graph.models import ONNX_NAMES, operators
from tests.helpers import ALL

Array = NDArray[Any]

FOUR = ["ELU", "LeakyReLU", "PReLU", "ReLU"]
"""What is in the model below."""
OURS = ["onnx_acts::ELU", "onnx_acts::PReLU", "onnx_acts::LeakyReLU", "onnx_acts::ReLU"]
BODY = (
    "a = Elu <alpha = 0.7> (x) b = PRelu (a, s) c = LeakyRelu <alpha = 0.2> (b) d = Relu (c)"
    " e = Sub (d, h) y = Elu (e)"
)
NUMBERS = {"float16": "FLOAT16", "float32": "FLOAT", "float64": "DOUBLE"}
X = np.random.default_rng(3).normal(size=(2, 3, 8), scale=3)


def accelerated(dtype: str = "float32", shape: str = "N,3,8", opset: int = 17) -> onnx.ModelProto:
    """A model with four activations of ours and a subtraction of 0.5, which ELU's body has too."""
    text = (
        f'<ir_version: 8, opset_import: ["": {opset}]>'
        f" g (T[{shape}] x) => (T[{shape}] y) {{ {BODY} }}"
    )
    model = onnx.parser.parse_model(text.replace("T[", f"{ONNX_NAMES[dtype]}["))
    for name, numbers in {"s": [[0.1], [0.2], [0.3]], "h": 0.5}.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array(numbers, dtype), name))
    return accelerate(model, ops=ALL)


def run(model: onnx.ModelProto, *, library: bool, dtype: str = "float32") -> Array:
    """The first output for X, or X's first column where the model takes that."""
    session = onnx_acts.session(model, accelerated=library)
    value = session.get_inputs()[0]
    x = X[:, :, :1] if value.shape[-1] == 1 else X
    return np.asarray(session.run(None, {value.name: x.astype(dtype)})[0], np.float64)


def check(
    changed: onnx.ModelProto, wanted: Array, *, dtype: str = "float32", new: int = 4
) -> onnx.ModelProto:
    """Accelerates what a tool has left; it must have all activations, with bodies that fit."""
    result, counts = accelerate_counted(changed, ops=ALL)
    assert sum(counts.values()) >= new
    ours = [name for name in operators(result) if name.startswith("onnx_acts::")]
    assert ours == [*OURS, "onnx_acts::ELU"]
    assert sorted(function.name for function in result.functions) == FOUR
    tolerance = 4e-3 if dtype == "float16" else 1e-5
    for library in (False, True):
        got = run(result, library=library, dtype=dtype)
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)
    again, counts = accelerate_counted(result, ops=ALL)
    assert again == result
    assert not counts
    return result


@pytest.mark.parametrize("opset", [18, 21, 23])
def test_version_converter(opset: int) -> None:
    """It drops the bodies; new ones are for the new opset."""
    model = accelerated()
    changed = onnx.version_converter.convert_version(model, opset)
    assert not changed.functions
    result = check(changed, run(model, library=False))
    assert {item.version for f in result.functions for item in f.opset_import} == {opset}
    assert not [n for n in lower(changed).graph.node if n.domain]


@pytest.mark.parametrize("keep_io_types", [False, True])
@pytest.mark.parametrize("converter", [converter_common, converter_transformers])
@pytest.mark.filterwarnings("ignore:the float32 number")
def test_float16_converters(converter: Any, keep_io_types: bool) -> None:
    """They change the element types and leave float32 bodies; new ones fit."""
    model = accelerated()
    changed = converter.convert_float_to_float16(model, keep_io_types=keep_io_types)
    dtype = "float32" if keep_io_types else "float16"
    result, counts = accelerate_counted(changed, ops=ALL)
    assert counts == {f"new body of {name}": 1 for name in FOUR}
    for library in (False, True):
        got = run(result, library=library, dtype=dtype)
        np.testing.assert_allclose(got, run(model, library=False), rtol=4e-3, atol=4e-3)


LEVELS = onnxruntime.GraphOptimizationLevel


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", ["N,3,8", "2,3,8", "N,3,1"])
@pytest.mark.parametrize(
    "level", [LEVELS.ORT_ENABLE_BASIC, LEVELS.ORT_ENABLE_ALL], ids=["basic", "all"]
)
def test_optimised_by_onnx_runtime(level: Any, shape: str, dtype: str, tmp_path: Path) -> None:
    """Bodies are inlined, their constants computed, equal constants merged."""
    model, path = accelerated(dtype, shape), tmp_path / "optimised.onnx"
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(model.SerializeToString(), options)
    wanted = run(model, library=False, dtype=dtype)
    check(onnx.load(path), wanted, dtype=dtype)


def test_optimised_with_convolutions(tmp_path: Path) -> None:
    """Convolutions in ONNX Runtime's own layout, whose types onnx does not know."""
    text = (
        '<ir_version: 8, opset_import: ["": 17]> g (float[N,3,H,W] x) => (float[N,8,A,B] y)'
        " { c = Conv (x, w) a = Elu (c) d = Conv (a, v) y = PRelu (d, s) }"
    )
    model, rng = onnx.parser.parse_model(text), np.random.default_rng(4)
    for name, shape in {"w": (8, 3, 3, 3), "v": (8, 8, 3, 3), "s": (8, 1, 1)}.items():
        array = rng.normal(size=shape).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    x = rng.normal(size=(2, 3, 9, 9)).astype(np.float32)
    wanted = onnx_acts.session(model, accelerated=False).run(None, {"x": x})[0]
    for source in (model, accelerate(model)):
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
        options.log_severity_level = 3
        onnxruntime.InferenceSession(source.SerializeToString(), options)
        changed = onnx.load(tmp_path / "optimised.onnx")
        result, counts = accelerate_counted(changed)
        assert sum(counts.values()) == 2
        got = onnx_acts.session(result).run(None, {"x": x})[0]
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


def test_optimised_with_the_library(tmp_path: Path) -> None:
    """ONNX Runtime keeps our nodes and drops their bodies; new ones are for the domain's version.

    Where a file has none of our nodes, it imports the domain as version 1000.
    """
    for model, imported in ((accelerated(), 1), (lower(accelerated()), 1000)):
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
        onnx_acts.session(model, session_options=options)
        changed = onnx.load(tmp_path / "optimised.onnx")
        assert [i.version for i in changed.opset_import if i.domain == "onnx_acts"] == [imported]
        result = check(changed, run(model, library=False))
        assert [i.version for i in result.opset_import if i.domain == "onnx_acts"] == [1]
        assert not [n for n in lower(changed).graph.node if n.domain]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_optimised_by_onnxscript(dtype: str) -> None:
    """Bodies are inlined and folded."""
    model = accelerated(dtype)
    changed = onnxscript.optimizer.optimize(model)
    assert not changed.functions
    check(changed, run(model, library=False, dtype=dtype), dtype=dtype)


def test_preprocessed_for_quantization(tmp_path: Path) -> None:
    """Also where a constant that is left has the name that ONNX Runtime gave it in a body."""
    model, path = accelerated(), tmp_path / "model.onnx"
    onnx.save_model(model, path)
    quant_pre_process(path, tmp_path / "changed.onnx")
    changed = onnx.load(tmp_path / "changed.onnx")
    assert not changed.functions
    check(changed, run(model, library=False))


def test_rrelu_with_folded_bounds() -> None:
    """Of the bounds their mean is left: it is a LeakyReLU then."""
    node = onnx_acts.make_node("RReLU", ["x"], ["y"], lower=0.1, upper=0.4)
    text = '<ir_version: 8, opset_import: ["": 17]> g (float[N,3,8] x) => (float[N,3,8] y) {}'
    model = onnx.parser.parse_model(text)
    model.graph.node.append(node)
    result, counts = accelerate_counted(onnxscript.optimizer.optimize(accelerate(model)), ops=ALL)
    assert counts == {"LeakyReLU body -> LeakyReLU": 1}
    assert read_attributes(result.graph.node[0])["alpha"] == np.float32(0.25)


@pytest.mark.parametrize("prefix", ["a_", "net/", "a", "x1", "Leaky", "R"])
def test_prefixes(prefix: str) -> None:
    """onnx.compose puts a prefix before the operators' names; the library then knows them not."""
    model = accelerated()
    changed = onnx.compose.add_prefix(model, prefix)
    assert f"onnx_acts::{prefix}ELU" in operators(changed)
    wanted = run(model, library=False)
    check(changed, wanted)
    lowered = lower(changed)
    assert not [node for node in lowered.graph.node if node.domain]
    np.testing.assert_allclose(run(lowered, library=False), wanted, rtol=1e-5, atol=1e-6)
    feeds = {f"{prefix}x": X.astype(np.float32)}
    got: Any = onnx_acts.reference_evaluator(changed).run(None, feeds)
    np.testing.assert_allclose(got[0], wanted, rtol=1e-5, atol=1e-6)


def test_merged_models() -> None:
    """Two models, each with functions under its own prefix."""
    model = accelerated()
    merged = onnx.compose.merge_models(
        model, model, io_map=[("y", "x")], prefix1="a_", prefix2="b_"
    )
    result, counts = accelerate_counted(merged, ops=ALL)
    assert counts["ELU renamed"] == 4
    assert sorted(function.name for function in result.functions) == FOUR
    wanted = run(merged, library=False)
    for library in (False, True):
        got = run(result, library=library)
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


def test_other_operators_with_similar_names() -> None:
    """XELU is not ELU with an X before it: neither its body nor its bare name is taken for it."""
    text = (
        '<ir_version: 9, opset_import: ["": 17, "onnx_acts": 1]> g (float[N] x) => (float[N] y)'
        " { y = onnx_acts.XELU <alpha: tensor = double {2}> (x) }"
    )
    body = '<domain: "onnx_acts", opset_import: ["": 17]> XELU <alpha> (x) => (y) { y = Celu (x) }'
    for source in (text, text + body):
        model = onnx.parser.parse_model(source)
        for change in (lower, accelerate):
            with pytest.raises(ValueError, match="unknown operator 'XELU'"):
                change(model)


def test_extracted(tmp_path: Path) -> None:
    """onnx.utils.extract_model drops functions that only an If's branches use."""
    branch = "{} () => (float[N,3,8] {}) {{ {} = Elu (x) }}"
    text = (
        '<ir_version: 8, opset_import: ["": 17]> g (float[N,3,8] x, bool c) => (float[N,3,8] y)'
        f" {{ y = If (c) <then_branch = {branch.format('t', 'p', 'p')},"
        f" else_branch = {branch.format('e', 'q', 'q')}> }}"
    )
    model = accelerate(onnx.parser.parse_model(text))
    onnx.save_model(model, tmp_path / "model.onnx")
    onnx.utils.extract_model(
        str(tmp_path / "model.onnx"), str(tmp_path / "part.onnx"), ["x", "c"], ["y"]
    )
    changed = onnx.load(tmp_path / "part.onnx")
    assert not changed.functions
    result, counts = accelerate_counted(changed)
    assert counts == {"new body of ELU": 1}
    fed = {"x": X.astype(np.float32), "c": np.array(True)}
    got = onnx_acts.session(result, accelerated=False).run(None, fed)[0]
    wanted = onnx_acts.session(model, accelerated=False).run(None, fed)[0]
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("change", [lambda model: model, lambda model: lower(model, exact=True)])
def test_bodies_that_fit_stay(change: Callable[[onnx.ModelProto], onnx.ModelProto]) -> None:
    """A file with bodies that fit is not written anew; one with inlined bodies is recognised."""
    model = accelerated()
    result, counts = accelerate_counted(change(model), ops=ALL)
    assert operators(result) == operators(model)
    assert list(result.functions) == list(model.functions)
    assert sum(counts.values()) == (0 if change(model) == model else 5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", [(), ("float16",), ("float32",), ("float32", "float16")])
def test_parameter_rounded_on_its_way(dtype: str, way: tuple[str, ...]) -> None:
    """A body's alpha that passes through a narrower type is the number that arrives."""
    alpha = np.float64(0.01)
    casts, name = "", "a"
    for index, to in enumerate((*way, dtype)):
        casts += f"a{index} = Cast <to: int = {getattr(onnx.TensorProto, NUMBERS[to])}> ({name}) "
        name, alpha = f"a{index}", alpha.astype(to)
    model = onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["": 13]> g (T[N] x) => (T[N] y)'
        f" <double a = {{0.01}}, T o = {{1}}, T z = {{0}}> {{ {casts} n = Less (x, z)"
        f" f = Where (n, {name}, o) y = Mul (x, f) }}".replace("T", ONNX_NAMES[dtype])
    )
    result, counts = accelerate_counted(model, ops=ALL)
    assert counts == {"LeakyReLU body -> LeakyReLU": 1}
    found = read_attributes(result.graph.node[0])["alpha"]
    is_direct = set(way) <= {dtype}
    assert found == (0.01 if is_direct else alpha)
