"""The kernels on 8 bits: the bits of DequantizeLinear, the activation and QuantizeLinear."""

import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

import onnx_acts
from onnx_acts.definition import reference
from tests.native.library.test_sessions import LEVELS, info, skip_at_a_level
from tests.quantized import ELU, PRELU, Array, Shape, f32, one_node, scales, some_scales, u8

ALL_X = np.arange(256, dtype=np.uint8)

SLOPES = f32([0, -0.0, 1, -1, 0.25, 0.5, 0.125, 1.5, -0.25, 0.1, 0.3, 1e-3, 3e38, 1e-42])


def body_session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """ONNX Runtime without the library: it runs the body, which is what quantizers write."""
    return onnx_acts.session(model, accelerated=False)


@pytest.mark.parametrize("last", [False, True], ids=["planes", "last axis"])
def test_prelu_has_the_bits_of_the_pair(last: bool) -> None:
    """All inputs with many slopes, scales and zero points: ONNX Runtime's, and the reference's."""
    rng = np.random.default_rng(1)
    slopes = np.concatenate([SLOPES, rng.normal(size=50).astype(np.float32)])
    x = np.broadcast_to(ALL_X, (len(slopes), 256))
    slope = slopes[:, None]
    if last:
        x, slope = np.ascontiguousarray(x.T), slopes
    model = one_node(PRELU, x.shape, slope.shape)
    ours, plain = onnx_acts.session(model), body_session(model)
    for given in some_scales(400):
        feeds = {"X": np.ascontiguousarray(x), **given, "slope": slope}
        (got,) = ours.run(None, feeds)
        np.testing.assert_array_equal(got, plain.run(None, feeds)[0])
        np.testing.assert_array_equal(got, reference.evaluate(PRELU, list(feeds.values()))[0])


@pytest.mark.parametrize("last", [False, True], ids=["planes", "last axis"])
def test_constants_have_the_same_bits(last: bool) -> None:
    """All inputs with many slopes that are in the model, where one product may do for all steps."""
    rng = np.random.default_rng(3)
    plain = body_session(one_node(PRELU, (50, 256) if not last else (256, 50), ("A", "B")))
    for number, given in enumerate(some_scales(120, seed=3)):
        slopes = rng.normal(size=50).astype(np.float32)
        if number % 3 == 0:
            slopes[: len(SLOPES)] = SLOPES
        x, slope = np.broadcast_to(ALL_X, (50, 256)), slopes[:, None]
        if last:
            x, slope = np.ascontiguousarray(x.T), slopes[None, :]
        feeds = {"X": np.ascontiguousarray(x), **given, "slope": slope}
        constants = {name: value for name, value in feeds.items() if name != "X"}
        ours = onnx_acts.session(one_node(PRELU, x.shape, constants=constants))
        (got,) = ours.run(None, {"X": feeds["X"]})
        np.testing.assert_array_equal(got, plain.run(None, feeds)[0])


@pytest.mark.parametrize("alpha", [1.0, 0.7, -0.5, 3e4])
def test_elu_has_the_bits_of_the_pair(alpha: float) -> None:
    """All inputs with many scales: the reference's; ONNX Runtime's but where exp decides a tie.

    Its exp has errors of its own, others in each version and at the end of a tensor.
    """
    model = one_node(ELU, (256,), alpha=alpha)
    ours, plain = onnx_acts.session(model), body_session(model)
    for given in some_scales(400):
        feeds = {"X": ALL_X, **given}
        (got,) = ours.run(None, feeds)
        (wanted,) = reference.evaluate(ELU, list(feeds.values()), {"alpha": alpha})
        np.testing.assert_array_equal(got, wanted)
        (body,) = plain.run(None, feeds)
        doubtful = got != body
        if doubtful.any():
            real = (ALL_X.astype(float) - int(given["x_zero_point"])) * float(given["x_scale"])
            steps = np.abs(alpha * np.expm1(real[doubtful]) / float(given["y_scale"]))
            error = 3e-7 * abs(alpha) / float(given["y_scale"])
            assert (np.abs(steps % 1 - 0.5) <= error).all()


@pytest.mark.parametrize(
    ("given", "slope", "wanted"),
    [
        (scales(0.5, 100, 1.0, 250), 1, [200, 248, 249, 250, 250, 250, 251, 252, 255, 255]),
        (scales(0.5, 100, 0.25, 3), 2, [0, 0, 0, 0, 3, 5, 7, 9, 203, 255]),
    ],
    ids=["ties", "saturation"],
)
def test_ties_and_saturation(given: dict[str, Array], slope: float, wanted: list[int]) -> None:
    """Worked out by hand: half a step goes to the even one; what is outside becomes 0 or 255."""
    x = u8([0, 97, 98, 99, 100, 101, 102, 103, 200, 255])
    model = one_node(PRELU, x.shape, (1,))
    for session in (onnx_acts.session(model), body_session(model)):
        (got,) = session.run(None, {"X": x, **given, "slope": f32([slope])})
        assert got.tolist() == wanted


SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((2, 3, 4, 5), ()),
    ((2, 3, 4, 5), (1,)),
    ((2, 3, 4, 5), (3, 1, 1)),
    ((2, 3, 4, 5), (1, 3, 1, 1)),
    ((2, 3, 4, 5), (5,)),
    ((2, 3, 4, 5), (4, 1)),
    ((2, 3, 4, 5), (4, 5)),
    ((2, 3, 4, 5), (3, 1, 5)),
    ((2, 3, 4, 5), (2, 3, 4, 5)),
    ((2, 12, 70, 71), (12, 1, 1)),
    ((1, 5, 50, 50), (5, 1, 1)),
    ((2, 71, 70, 12), (12,)),
    ((3, 1, 2000), (2000,)),
    ((1, 600, 700, 3), (3,)),  # more than one thread
    ((1, 3, 600, 700), (3, 1, 1)),
    ((7,), ()),
    ((), ()),
    ((0, 3), (3,)),
]


@pytest.mark.parametrize(("shape", "slope_shape"), SHAPES, ids=str)
def test_slopes_of_every_shape(shape: tuple[int, ...], slope_shape: tuple[int, ...]) -> None:
    """As the reference; the same whether scales and slope are constants or come with the call."""
    rng = np.random.default_rng(2)
    x = rng.integers(0, 256, shape).astype(np.uint8)
    given = scales(0.037, 131, 0.021, 40)
    slope = rng.normal(size=slope_shape).astype(np.float32)
    constants = {**given, "slope": slope}
    (wanted,) = reference.evaluate(PRELU, [x, *constants.values()])
    variable = onnx_acts.session(one_node(PRELU, shape, slope_shape))
    fixed = onnx_acts.session(one_node(PRELU, shape, slope_shape, constants))
    np.testing.assert_array_equal(variable.run(None, {"X": x, **constants})[0], wanted)
    np.testing.assert_array_equal(fixed.run(None, {"X": x})[0], wanted)


@pytest.mark.parametrize("count", [*range(34), 63, 64, 65, 2047, 2049, 300_001])
def test_every_length(count: int) -> None:
    """Tails of every loop, and tensors that threads share."""
    x = np.resize(ALL_X, count)
    given = scales(0.05, 100, 0.03, 60)
    slope = f32([0.3])
    for spec, more in ((PRELU, {"slope": slope}), (ELU, {})):
        model = one_node(spec, (count,), (1,), {**given, **more})
        (wanted,) = reference.evaluate(spec, [x, *given.values(), *more.values()])
        np.testing.assert_array_equal(onnx_acts.session(model).run(None, {"X": x})[0], wanted)


def test_elu_with_scales_of_the_call() -> None:
    """They may change from call to call."""
    session = onnx_acts.session(one_node(ELU, (256,)))
    for given in some_scales(5):
        (wanted,) = reference.evaluate(ELU, [ALL_X, *given.values()])
        np.testing.assert_array_equal(session.run(None, {"X": ALL_X, **given})[0], wanted)


def test_numbers_that_are_none() -> None:
    """A slope that is infinite saturates, one that is NaN gives 0; other x are as ever."""
    session = onnx_acts.session(one_node(PRELU, (4,), (1,)))
    given = scales(0.1, 128, 0.1, 10)
    for slope, wanted in ((np.inf, 0), (-np.inf, 255), (np.nan, 0)):
        feeds = {"X": u8([0, 127, 128, 130]), **given, "slope": f32([slope])}
        assert session.run(None, feeds)[0].tolist() == [wanted, wanted, 10, 12]


def refusal(constants: dict[str, Array], slope_shape: Shape = (1,), feeds: object = None) -> str:
    """What the library says to a node whose inputs do not fit."""
    model = one_node(PRELU, ("N", 3, 4), slope_shape, constants)
    with pytest.raises(Exception, match="onnx_acts::QLinearPReLU") as caught:
        onnx_acts.session(model).run(None, feeds or {})
    return str(caught.value)


def test_inputs_that_do_not_fit() -> None:
    """Named with their shape, with the session where the model says so, else with the call."""
    good = {**scales(1, 0, 1, 0), "slope": np.ones(1, np.float32)}
    x = np.zeros((1, 3, 4), np.uint8)
    bad_scale = {**good, "x_scale": np.ones(3, np.float32)}
    text = refusal(bad_scale)
    assert "x_scale of shape (3,); expected one value for the tensor" in text
    assert "node 'act'" in text
    bad_zero = {**good, "y_zero_point": np.zeros((2, 1), np.uint8)}
    assert "y_zero_point of shape (2, 1)" in refusal(bad_zero)
    bad_slope = {**good, "slope": np.ones(3, np.float32)}
    assert "slope of shape (3,) does not broadcast to X" in refusal(bad_slope)
    open_shape = {name: value for name, value in good.items() if name != "slope"}
    feeds = {"X": x, "slope": np.ones((5, 1, 1), np.float32)}
    assert "slope of shape (5, 1, 1)" in refusal(open_shape, ("S", 1, 1), feeds)


@pytest.mark.slow
def test_every_level() -> None:
    """The other tests, at each instruction-set level that this processor has."""
    skip_at_a_level()
    options = ["-q", "-p", "no:cacheprovider", "-m", "not slow"]
    for level in LEVELS:
        if info(level)["isa"] == level and level != info()["isa"]:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *options, __file__],
                env={**os.environ, "ONNX_ACTS_ISA": level},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout[-3000:]
