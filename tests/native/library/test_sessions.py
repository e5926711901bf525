"""Sessions, threads, memory and instruction sets do not change a bit."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import threading

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest
from onnx import helper, numpy_helper

import onnx_acts
from onnx_acts.definition.specs import OPERATORS, SPECS
from onnx_acts.ort.values import from_ort, to_ort
from tests.native.oracle import DTYPES
from tests.native.running import PROVIDERS, hand_made, open_hand_made, options, run

OF_X_ALONE = [spec.name for spec in SPECS if len(spec.inputs) == 1]

LEVELS = ["v2", "v3", "v4"]


def info(level: str = "") -> dict[str, object]:
    """What the library says about itself, read in a fresh process."""
    program = (
        "import ctypes, sys; library = ctypes.CDLL(sys.argv[1]);"
        "library.OnnxActsInfo.restype = ctypes.c_char_p; print(library.OnnxActsInfo().decode())"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program, onnx_acts.library_path()],
        env={**os.environ, "ONNX_ACTS_ISA": level},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return dict(json.loads(printed))


def test_info() -> None:
    """The library's own description agrees with the operator table."""
    found = info()
    assert found["ops"] == [spec.name for spec in OPERATORS]
    assert found["element_types"] == list(DTYPES)
    assert found["isa"] in [*LEVELS, "baseline"]
    assert found["ort_api_floor"] == 17


def test_info_whatever_the_variable_holds() -> None:
    """A level that does not exist is told, and what is told stays JSON."""
    found = info('v"9\\\n\u00e9')
    assert found["isa"] is None
    assert 'ONNX_ACTS_ISA=v"9\\???: no such instruction-set level' in str(found["isa_error"])


DIGEST = """
import hashlib, sys
import numpy as np
from onnx_acts.definition.specs import SPECS
from onnx_acts.ort.values import from_ort, to_ort
from tests.native.oracle import DTYPES
from tests.native.running import run
digest = hashlib.sha256()
for dtype in DTYPES:
    bits = {2: np.uint16, 4: np.uint32, 8: np.uint64}[DTYPES[dtype].itemsize]
    step = {2: 1, 4: 65521, 8: 281474976710597}[DTYPES[dtype].itemsize]
    x = (np.arange(65536, dtype=np.uint64) * np.uint64(step)).astype(bits).view(DTYPES[dtype])
    with np.errstate(invalid="ignore"):
        x = x.astype(np.float64)
    slopes = np.linspace(-1, 1, 64).astype(DTYPES[dtype]).astype(np.float64)
    for spec in SPECS:
        if spec.promise.kernel[dtype] > 0.5 and sys.argv[1:] != ["fused"]:
            continue  # not correctly rounded: other bits where there is no fused multiply-add
        drawn = {"training_mode": 1, "seed": 3} if spec.parameter_source == "draw" else {}
        inputs = [x.reshape(-1, 64), slopes][:len(spec.inputs)]
        for attributes in ({}, *spec.samples):
            count = len(spec.outputs)
            got = run(spec.name, dtype, *inputs, outputs=count, **attributes, **drawn)
            for output in got if count > 1 else [got]:
                digest.update(output.tobytes())
print(digest.hexdigest())
"""


def digest(level: str, *arguments: str) -> str:
    """A digest of what the operators give at one instruction-set level.

    Results that are not correctly rounded are left out but with the argument "fused".
    """
    done = subprocess.run(
        [sys.executable, "-c", DIGEST, *arguments],
        env={**os.environ, "ONNX_ACTS_ISA": level, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def skip_at_a_level() -> None:
    """Skips a test that starts processes of every level, where it runs at one of them itself."""
    if os.environ.get("ONNX_ACTS_ISA"):
        pytest.skip("this is one of the levels")


def test_every_level_gives_the_same_bits() -> None:
    """Forced by the environment variable, each level that this processor has."""
    skip_at_a_level()
    levels = [level for level in LEVELS if info(level)["isa"] == level]
    if not levels:
        pytest.skip("this processor has one level only")
    assert {digest(level) for level in levels} == {digest("")}


def test_fused_levels_give_the_same_elu() -> None:
    """ELU in float32 and float64 too, where there is a fused multiply-add."""
    skip_at_a_level()
    levels = [level for level in ("v3", "v4") if info(level)["isa"] == level]
    if not levels:
        pytest.skip("this processor has no level with a fused multiply-add")
    assert {digest(level, "fused") for level in levels} == {digest("", "fused")}


def test_unknown_level_is_refused() -> None:
    """An instruction-set level that does not exist, or that the processor lacks, is an error."""
    error = str(info("v9")["isa_error"])
    assert "ONNX_ACTS_ISA=v9" in error
    assert "v2, v3, v4" in error
    program = "from tests.native.running import options; options()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "ONNX_ACTS_ISA": "v9", "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ONNX_ACTS_ISA=v9" in done.stderr


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", OF_X_ALONE)
def test_threads_do_not_change_bits(op: str, dtype: str) -> None:
    """A tensor of many chunks and an odd tail."""
    x = np.random.default_rng(5).standard_normal(200_003).astype(DTYPES[dtype]).astype(np.float64)
    one, two = (run(op, dtype, x, threads=threads) for threads in (1, 2))
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("alpha", [1.0, 0.7])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_runs_do_not_change_bits(dtype: str, alpha: float) -> None:
    """16-bit ELU is computed or looked up, whatever is faster: every number, in both ways."""
    bits = np.random.default_rng(3).permutation(65536).astype(np.uint16)
    text = (
        '<ir_version: 9, opset_import: ["": 17, "onnx_acts": 1]>'
        f" g ({dtype}[N] x) => ({dtype}[N] y)"
        f" {{ y = onnx_acts.ELU <alpha: tensor = double {{{alpha}}}> (x) }}"
    )
    model = onnx.parser.parse_model(text).SerializeToString()
    session = onnxruntime.InferenceSession(model, options())
    x = {"x": to_ort(bits.view(DTYPES[dtype]))}
    found = {from_ort(session.run_with_ort_values(None, x)[0]).tobytes() for _ in range(40)}
    assert len(found) == 1


def test_in_place_chain_keeps_the_input() -> None:
    """Intermediate values may be overwritten, the caller's array and values read twice may not."""
    nodes = [
        helper.make_node("Neg", ["x"], ["a"]),
        helper.make_node("ELU", ["a"], ["b"], domain="onnx_acts"),
        helper.make_node("LeakyReLU", ["b"], ["c"], domain="onnx_acts"),
        helper.make_node("PReLU", ["c", "s"], ["d"], domain="onnx_acts"),
        helper.make_node("RReLU", ["d"], ["e", "noise"], domain="onnx_acts"),
        helper.make_node("Add", ["e", "b"], ["y"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "chain",
        [value("x", onnx.TensorProto.FLOAT, ["N"])],
        [value(name, onnx.TensorProto.FLOAT, ["N"]) for name in ("y", "noise")],
        [numpy_helper.from_array(np.array([0.5], np.float32), "s")],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("onnx_acts", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options(2), providers=PROVIDERS
    )
    x = np.random.default_rng(6).standard_normal(100_003).astype(np.float32)
    kept = x.copy()
    y, noise = session.run(None, {"x": x})
    assert x.tobytes() == kept.tobytes()
    b = run("ELU", "float32", -x.astype(np.float64)).astype(np.float32)
    scaled = np.where(b < 0, np.float32(0.01) * b, b)
    scaled = np.where(b < 0, np.float32(0.5) * scaled, b)
    mean = np.float32((1 / 8 + 1 / 3) / 2)
    np.testing.assert_array_equal(noise, np.where(b < 0, mean, np.float32(1)))
    np.testing.assert_array_equal(y, np.where(b < 0, mean * scaled, b) + b)


SUBNORMALS = """
import numpy as np, onnxruntime, sys
from tests.native.running import PROVIDERS, hand_made, options
made = options()
made.add_session_config_entry("session.set_denormal_as_zero", sys.argv[1])
session = onnxruntime.InferenceSession(hand_made("LeakyReLU", {}), made, providers=PROVIDERS)
(y,) = session.run(None, {"x": np.array([-2e-38, -2e-36], np.float32)})
print(*y.view(np.uint32))
"""


@pytest.mark.parametrize("flushed", [False, True])
def test_subnormal_results(flushed: bool) -> None:
    """They are kept, or are zero where the session's configuration asks for that."""
    if info()["isa"] == "baseline":
        pytest.skip("ONNX Runtime has this setting for x86-64 alone")
    done = subprocess.run(
        [sys.executable, "-c", SUBNORMALS, str(int(flushed))],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    want = np.float32(0.01) * np.array([-2e-38, -2e-36], np.float32)
    want[0] *= not flushed
    assert done.stdout.split() == [str(bits) for bits in want.view(np.uint32)]


def test_many_sessions_from_many_threads() -> None:
    """Sessions made, run and dropped in a race, and one session shared by all."""
    model = hand_made("ELU", {})
    shared = open_hand_made(model)
    x = np.linspace(-3, 3, 501, dtype=np.float32)
    (want,) = shared.run(None, {"x": x})
    failures: list[object] = []

    def work() -> None:
        try:
            for _ in range(25):
                for session in (shared, open_hand_made(model)):
                    np.testing.assert_array_equal(session.run(None, {"x": x})[0], want)
        except Exception as error:  # reported by the main thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_registered_twice() -> None:
    """Options that get the library twice open a session all the same."""
    twice = options()
    twice.register_custom_ops_library(onnx_acts.library_path())
    for _ in range(2):
        session = onnxruntime.InferenceSession(hand_made("ELU", {}), twice, providers=PROVIDERS)
        assert session.run(None, {"x": np.array([2], np.float32)})[0][0] == 2


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,) * 10, (2,) * 12, (1,) * 20])
def test_any_rank(shape: tuple[int, ...]) -> None:
    """No dimension to twenty, with and without elements."""
    x = -np.ones(shape)
    for op in OF_X_ALONE:
        got = run(op, "float32", x)
        assert got.shape == shape
        assert (got == run(op, "float32", -np.ones(1))).all()


def test_output_shape_is_inferred() -> None:
    """Names of unknown sizes reach the output, so that later nodes are planned."""
    session = open_hand_made(hand_made("ELU", {}, x_shape=["N", 3, "W"]))
    assert session.get_outputs()[0].shape == ["N", 3, "W"]


def test_library_needs_no_python() -> None:
    """The library loads by itself and offers its two functions."""
    library = ctypes.CDLL(onnx_acts.library_path())
    assert library.RegisterCustomOps
    assert library.OnnxActsInfo
