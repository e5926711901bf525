"""The comparison passes rounding and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from torch import nn

from onnx_acts.comparing.tolerance import tolerance_of
from onnx_acts.exporting import OutputError, VerificationError
from onnx_acts.exporting.eager import run_module
from onnx_acts.exporting.runtimes import array_of
from onnx_acts.exporting.verification import Expectation, compare, expect, expect_lazily
from tests.exporting.networks import Applied

OUTPUT = [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)]


def check(want: torch.Tensor, got: torch.Tensor, noise: float | None = 0.0) -> OutputError:
    """Compares one output, whose elements all have the same noise."""
    expected = Expectation(want, None if noise is None else np.full(want.shape, noise))
    (record,) = compare(OUTPUT, [expected], [got], accelerated=True, operators=["LeakyReLU"])
    return record


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_units(dtype: torch.dtype) -> None:
    """Neighbouring numbers are one unit apart, in every type."""
    want = torch.tensor([1.0, -3.0, 0.5], dtype=dtype)
    got = want.clone()
    got[1] = torch.nextafter(want[1], torch.tensor(-4.0, dtype=dtype))
    record = check(want, got)
    assert record.max_ulp == 1.0
    assert record.max_abs == float(got[1].double() - want[1].double()) * -1
    assert (record.output, record.runtime) == ("y", "library")


def test_float32_alpha_in_float64_fails() -> None:
    """The error of a 32-bit alpha, 1.5e-8, is not rounding for a float64 module."""
    x = torch.linspace(-3, 3, 50, dtype=torch.float64)
    (expected,) = expect(nn.LeakyReLU(0.1), (x,), {})
    rounded = float(torch.tensor(0.1, dtype=torch.float32))
    wrong = nn.functional.leaky_relu(x, rounded)
    with pytest.raises(VerificationError, match=r"output 'y' \(library\).*at \[0\]"):
        compare(OUTPUT, [expected], [wrong], accelerated=True, operators=["LeakyReLU"])


FAULTS = {
    torch.float16: 0.99,
    torch.bfloat16: 0.95,
    torch.float32: 1.00001,
    torch.float64: 1 + 1e-13,
}
"""By element type, the factor of a wrong parameter that must be seen."""

MODULES: dict[str, Callable[[float], nn.Module]] = {
    "LeakyReLU": lambda factor: nn.LeakyReLU(0.2 * factor),
    "PReLU": lambda factor: nn.PReLU(1, init=0.25 * factor, dtype=torch.float64),
    "RReLU": lambda factor: nn.RReLU(0.2 * factor, 0.3 * factor),
    "ELU": nn.ELU,
}


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("dtype", FAULTS)
def test_wrong_parameters(dtype: torch.dtype, name: str) -> None:
    """A slope or alpha that is a little wrong is no rounding, in any element type."""
    x = torch.randn(8, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    right, wrong = (MODULES[name](factor).eval().to(dtype) for factor in (1.0, FAULTS[dtype]))
    (expected,) = expect(right, (x.to(dtype),), {})
    (same,) = compare(OUTPUT, [expected], [right(x.to(dtype))], accelerated=True, operators=[name])
    assert same.share == 0
    with pytest.raises(VerificationError):
        compare(OUTPUT, [expected], [wrong(x.to(dtype))], accelerated=True, operators=[name])


@pytest.mark.parametrize(("dtype", "factor"), [(torch.float16, 0.9), (torch.bfloat16, 0.5)])
def test_wrong_parameters_in_a_network(dtype: torch.dtype, factor: float) -> None:
    """A wrong slope stands out of the noise of the layers around it."""
    torch.manual_seed(3)
    module = nn.Sequential(nn.Linear(64, 64), nn.PReLU(), nn.Linear(64, 64)).to(dtype)
    x = torch.randn(16, 64).to(dtype)
    (expected,) = expect(module, (x,), {})
    with torch.no_grad():
        module.get_parameter("1.weight").mul_(factor)
        wrong = module(x)
    with pytest.raises(VerificationError):
        compare(OUTPUT, [expected], [wrong], accelerated=True, operators=["PReLU"])


def test_limit_of_each_element() -> None:
    """A fault in a small element does not hide behind a large one; the message names it."""
    want = torch.tensor([[1000.0, 0.25, 0.5]], dtype=torch.float16)
    got = torch.tensor([[1000.5, 0.25, 0.505]], dtype=torch.float16)
    with pytest.raises(VerificationError, match=r"at \[0, 2\] got 0.50.*, want 0.5: .* ULP"):
        check(want, got)
    assert check(want, torch.tensor([[1000.5, 0.25, 0.5]], dtype=torch.float16)).share < 1


def test_an_element_may_be_lucky() -> None:
    """An element in which PyTorch happens to be exact may differ as much as its neighbours do."""
    want = torch.ones(2, 8, dtype=torch.float16)
    noise = np.full((2, 8), 0.01)
    noise[0, 3] = 0
    got = want.clone()
    got[0, 3] = 1.02
    expected = Expectation(want, noise)
    (record,) = compare(OUTPUT, [expected], [got], accelerated=True, operators=[])
    assert 0 < record.share < 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_deep_module_passes(dtype: torch.dtype) -> None:
    """Rounding that accumulates over layers is allowed, because PyTorch has as much itself."""
    torch.manual_seed(0)
    layers = [layer for _ in range(30) for layer in (nn.Linear(64, 64), nn.ELU())]
    module = nn.Sequential(*layers).to(dtype)
    x = torch.randn(8, 64, dtype=dtype)
    (expected,) = expect(module, (x,), {})
    order = torch.arange(63, -1, -1)
    other = x
    for layer in module:  # the same sums in another order
        other = (
            other[:, order] @ layer.weight[:, order].T + layer.bias
            if isinstance(layer, nn.Linear)
            else layer(other)
        )
    assert not torch.equal(other, expected.value)
    compare(OUTPUT, [expected], [other.detach()], accelerated=False, operators=["ELU"])


@pytest.mark.parametrize(
    ("want", "got"),
    [
        ([1.0, math.nan], [1.0, 2.0]),
        ([1.0, 2.0], [1.0, math.nan]),
        ([1.0, math.inf], [1.0, 3e38]),
        ([1.0, math.inf], [1.0, -math.inf]),
        ([0.0, 0.0], [0.0, 1e-30]),
        ([1.0, 0.5], [1.0, 0.5001]),
    ],
)
def test_differences(want: list[float], got: list[float]) -> None:
    """NaN and infinities are classes; zeros have a narrow tolerance."""
    with pytest.raises(VerificationError, match=r"at \[1\]"):
        check(torch.tensor(want), torch.tensor(got))


def test_special_values_agree() -> None:
    """Equal NaN and infinities are no difference, and -0 equals 0."""
    values = torch.tensor([math.nan, math.inf, -math.inf, 0.0])
    assert check(values, torch.tensor([math.nan, math.inf, -math.inf, -0.0])).max_abs == 0


def test_integers_are_exact() -> None:
    """Integers and flags must be equal."""
    assert check(torch.tensor([1, 2]), torch.tensor([1, 2])).max_abs == 0
    assert check(torch.tensor([True]), torch.tensor([True])).max_abs == 0
    with pytest.raises(VerificationError):
        check(torch.tensor([1, 2]), torch.tensor([1, 3]))


def test_empty() -> None:
    """Nothing differs in an empty output."""
    assert check(torch.zeros(0, 3), torch.zeros(0, 3)).max_ulp == 0


def test_shapes_and_types() -> None:
    """Another shape, element type or number of outputs is a difference."""
    with pytest.raises(
        VerificationError, match=r"is torch.float32 \(3,\), PyTorch gives .* \(2,\)"
    ):
        check(torch.zeros(2), torch.zeros(3))
    with pytest.raises(VerificationError, match=r"torch.float64"):
        check(torch.zeros(2), torch.zeros(2).double())
    with pytest.raises(VerificationError, match="gives 2 tensors, the exported model 1"):
        compare(
            OUTPUT,
            [Expectation(torch.zeros(1), None)] * 2,
            [torch.zeros(1)],
            accelerated=False,
            operators=[],
        )


@pytest.mark.parametrize("wrong", range(3))
def test_every_output_is_compared(wrong: int) -> None:
    """Of several outputs the one that differs is named, whichever it is."""
    outputs = [helper.make_tensor_value_info(f"y{i}", onnx.TensorProto.FLOAT, None) for i in "012"]
    expected = [Expectation(torch.ones(4), np.zeros(4)) for _ in outputs]
    got = [torch.ones(4) for _ in outputs]
    records = compare(outputs, expected, got, accelerated=True, operators=[])
    assert [record.output for record in records] == ["y0", "y1", "y2"]
    got[wrong][2] = 1.5
    with pytest.raises(VerificationError, match=f"output 'y{wrong}'"):
        compare(outputs, expected, got, accelerated=True, operators=[])


def test_noise_cannot_hide_a_fault() -> None:
    """However noisy PyTorch is, a difference of one part in a thousand fails in float32."""
    with pytest.raises(VerificationError):
        check(torch.tensor([1.0]), torch.tensor([1.001]), noise=10.0)


def test_module_of_fixed_type() -> None:
    """A module that cannot run in another element type is compared without an estimate."""
    weight = torch.randn(3, 3)
    (expected,) = expect(Applied(lambda x: x @ weight), (torch.randn(2, 3),), {})
    assert expected.noise is None


def test_failing_module() -> None:
    """A module that fails on the example inputs is refused with its own words."""
    with pytest.raises(ValueError, match=r"cannot run on these inputs: RuntimeError: .*shapes"):
        expect(nn.Linear(3, 3), (torch.zeros(2, 4),), {})


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_no_noise_is_the_narrowest(dtype: torch.dtype) -> None:
    """Whatever the noise is, no limit is below the one without it: what passes there passes."""
    generator = np.random.default_rng(5)
    for scale in (1e-6, 1.0, 1e4):
        value = torch.from_numpy(generator.standard_normal(20) * scale).to(dtype)
        want = array_of(value)
        narrow = tolerance_of(want, np.zeros(()), ["ELU"])
        for noise in (None, np.zeros(20), np.full(20, 1e-9), np.full(20, math.nan), np.ones(20)):
            assert (tolerance_of(want, noise, ["ELU"]) >= narrow).all()


def test_noise_is_asked_for_where_it_is_needed() -> None:
    """The module runs in float64 only if the narrowest limit does not do, and that is enough."""
    seen: list[torch.dtype] = []

    def function(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.dtype)
        return (x * 1000 + 0.1) - x * 1000  # cancels, and leaves noise

    x = torch.linspace(1, 2, 50)
    (expected,) = expect_lazily(Applied(function), (x,), {})
    compare(OUTPUT, [expected], [expected.value], accelerated=True, operators=[])
    assert seen == [torch.float32]
    other = expected.value + 4e-6
    with pytest.raises(VerificationError):
        check(expected.value, other)  # without noise
    compare(OUTPUT, [expected], [other], accelerated=True, operators=[])
    compare(OUTPUT, [expected], [other], accelerated=False, operators=[])
    assert seen == [torch.float32, torch.float64]
    with pytest.raises(VerificationError):
        compare(OUTPUT, [expected], [other + 0.01], accelerated=True, operators=[])


def test_threads_stay() -> None:
    """Reference runs take half the threads and leave the number as it was, also when they fail."""
    own, seen = torch.get_num_threads(), set[int]()

    def function(x: torch.Tensor) -> torch.Tensor:
        seen.add(torch.get_num_threads())
        return x @ x

    module = Applied(function)
    try:
        torch.set_num_threads(4)
        run_module(module, (torch.ones(2, 2),), {})
        with pytest.raises(ValueError, match="cannot run on these inputs"):
            run_module(module, (torch.ones(2, 3),), {})
        left = torch.get_num_threads()
    finally:
        torch.set_num_threads(own)
    assert (seen, left) == ({2}, 4)
