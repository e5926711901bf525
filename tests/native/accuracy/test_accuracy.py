"""The accuracy that the operator table promises, at every instruction-set level of this machine.

Some inputs only: `make accuracy` proves it for all, and writes the page.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from onnx_acts.definition import reference
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, spec_of
from tests.locks import alone
from tests.native.accuracy import applying, curves, measuring
from tests.native.accuracy import float64 as accuracy_float64
from tests.native.accuracy.measuring import THIN, THIN_FLOAT64, Record

pytestmark = pytest.mark.slow

CLOSE, CLOSE_FLOAT64 = 16, 50_000
"""Between the thin sweeps and the full ones, which are `make accuracy`."""


@pytest.fixture(scope="module")
def program(release: Path) -> Path:
    """The sweep, brought up to date where it is built already."""
    with alone(release):
        return measuring.build(release)


def check(records: Iterable[Record]) -> list[Record]:
    """Prints every record; fails if one breaks a promise."""
    found = list(records)
    print("\n".join(map(measuring.text, found)))
    broken = [measuring.text(record) for record in found if not measuring.kept(record)]
    assert not broken, "\n".join(broken)
    return found


def parameters(records: Iterable[Record], op: str, dtype: str) -> list[str]:
    """The parameters that an operator met."""
    return [
        record["parameter"]
        for record in records
        if op in record["op"].split(", ") and record["dtype"] == dtype
    ]


def test_16_bit(program: Path) -> None:
    """All 65,536 inputs and 32 parameters: correctly rounded."""
    found = check(measuring.sweep(program, "16bit"))
    assert {record["inputs"] for record in found} == {65536}
    for dtype in ("float16", "bfloat16"):
        counts = {name: len(parameters(found, name, dtype)) for name in curves.OWN_SWEEPS}
        assert counts == {"ReLU": 1, "LeakyReLU": 32, "PReLU": 64, "RReLU": 32, "ELU": 32}


@pytest.mark.parametrize("stride", [THIN, CLOSE])
def test_leaky_float32(program: Path, stride: int) -> None:
    """One of `stride` inputs: correctly rounded."""
    found = check(measuring.sweep(program, "leaky", str(stride)))
    assert {record["inputs"] for record in found} == {2**32 // stride}
    for op, count in (("ReLU", 1), ("LeakyReLU", 8), ("PReLU", 8), ("RReLU", 8)):
        assert len(parameters(found, op, "float32")) == count


@pytest.mark.parametrize("stride", [THIN, CLOSE])
def test_elu_float32(program: Path, stride: int) -> None:
    """One of `stride` negative inputs: within the promise; the levels give the same bits."""
    found = check(measuring.sweep(program, "elu", str(stride)))
    assert min(record["inputs"] for record in found) >= 2**31 // stride
    assert len(parameters(found, "ELU", "float32")) >= 8


def test_leaky_float64(program: Path) -> None:
    """Correctly rounded."""
    levels = " ".join(applying.families(program))
    found = check(map(measuring.with_limit, accuracy_float64.leaky(program, levels)))
    assert {op for record in found for op in record["op"].split(", ")} == {
        spec.name for spec in SPECS if spec.name in curves.OWN_SWEEPS and spec.is_product
    }


@pytest.mark.parametrize("count", [THIN_FLOAT64, CLOSE_FLOAT64])
def test_elu_float64(program: Path, count: int) -> None:
    """Within the promise of mpmath's value on stratified inputs."""
    for levels in applying.families(program):
        found = check(map(measuring.with_limit, accuracy_float64.elu(program, levels, count)))
        assert "1" in parameters(found, "ELU", "float64")
    x = accuracy_float64.inputs(count)
    assert len(x) == count
    assert (x < 0).all()


@pytest.mark.parametrize("count", [THIN_FLOAT64])
def test_other_operators(program: Path, count: int) -> None:
    """Within the promise of the reference, with the default and the samples of the table."""
    for levels in applying.families(program):
        for spec in curves.others():
            sweep = curves.sweep(program, levels, spec, THIN, count)
            found = check(map(measuring.with_limit, sweep))
            for dtype in ELEMENT_TYPES:
                tried = parameters(found, spec.name, dtype)
                assert len(set(tried)) == len(tried) == len(curves.parameters(spec))


def test_every_operator_is_swept() -> None:
    """By hand-written sweeps or by the one for the table."""
    assert {*curves.OWN_SWEEPS, *(spec.name for spec in curves.others())} == {
        spec.name for spec in SPECS
    }


def test_the_general_sweep_finds_errors(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ELU, which it could sweep too, held against another reference: a promise is broken."""
    levels, spec = applying.families(program)[0], spec_of("ELU")
    good = list(curves.sweep(program, levels, spec, 1 << 16, 1000))
    assert all(measuring.kept(measuring.with_limit(record)) for record in good)
    exact = reference.exact
    monkeypatch.setattr(
        reference, "exact", lambda *given: tuple(y * (1 + 1e-2) for y in exact(*given))
    )
    bad = list(curves.sweep(program, levels, spec, 1 << 16, 1000))
    assert not any(measuring.kept(measuring.with_limit(record)) for record in bad)


def test_the_table_promises_enough() -> None:
    """The promises are not looser than what the project set out for."""
    for spec in (spec_of(name) for name in curves.OWN_SWEEPS):
        wanted = dict.fromkeys(ELEMENT_TYPES, 0.5)
        if spec.name == "ELU":
            wanted |= {"float32": 1.0, "float64": 1.0}
        assert all(spec.promise.kernel[dtype] <= limit for dtype, limit in wanted.items())


GOOD = {"op": "ELU", "dtype": "float32", "parameter": "2", "inputs": 5, "wrong": 0, "worst": 0.9}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"worst": None}, True),
        ({"worst": 1.01}, False),
        ({"parameter": "1"}, False),
        ({"parameter": "1", "worst": 0.75}, True),
        ({"wrong": 1}, False),
        ({"inputs": 0}, False),
        ({"dtype": "float16"}, False),
    ],
)
def test_kept(change: Record, expected: bool) -> None:
    """A record is held against the promise of its operator, type and parameter."""
    assert measuring.kept(measuring.with_limit(GOOD | change)) == expected
