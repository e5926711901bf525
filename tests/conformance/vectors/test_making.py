"""Making a new version: the same bytes each time, from whatever cases there are."""

from collections.abc import Iterator

import numpy as np
import onnx
import pytest

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.compare import ulp_error
from onnx_acts.conformance.vectors import making as module
from onnx_acts.conformance.vectors.folders import DATA_SET, case_of, steps_of
from onnx_acts.conformance.vectors.frozen import frozen, vectors_files
from onnx_acts.conformance.vectors.index import INDEX, read_index
from onnx_acts.conformance.vectors.making import chosen_cases, make
from onnx_acts.conformance.vectors.tensors import read_tensor
from onnx_acts.definition.reference import rounded


def some_cases() -> Iterator[Case]:
    """Those of one group."""
    return (case for case in chosen_cases() if case.group == "attributes")


def test_the_same_bytes() -> None:
    """Twice the same."""
    assert make("vectors 9", some_cases()) == make("vectors 9", some_cases())


def test_files_give_back_their_cases() -> None:
    """A case that is read from its files is the one that was written, to the bits."""
    chosen = {}
    for case in some_cases():
        chosen[case.operator, case.dtype, case.group, case.name] = case
    files = make("vectors 9", chosen.values())
    index = read_index(files[INDEX], INDEX)
    assert index.vectors == "vectors 9"
    quick = [(t.operator, t.dtype, t.group, t.form) for t in index.tests if t.quick]
    assert len(quick) == len(set(quick)) < len(index.tests)
    for test in index.tests:
        mine = {p.partition("/")[2]: d for p, d in files.items() if p.startswith(f"{test.name}/")}
        found = case_of(test, mine)
        wanted = chosen[test.operator, test.dtype, test.group, test.case]
        assert repr(found.values) == repr(wanted.values)
        assert (found.outputs, len(found.inputs)) == (wanted.outputs, len(wanted.inputs))
        for one, other in zip(found.inputs, wanted.inputs, strict=True):
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            assert one.tobytes() == other.tobytes()


def test_expected_float64_is_certain() -> None:
    """No true value of float64 is so near to a tie that its last bits could turn the rounding."""
    open_values, changed = 0, 0
    for case in chosen_cases():
        if case.dtype == "float64" and not case.is_certain:
            for exact in case.exact():
                slack = 4 * np.finfo(exact.dtype).eps
                with np.errstate(all="ignore"):
                    low, high = (rounded(exact * (1 + s * slack), np.float64) for s in (-1, 1))
                open_values += int(((low != high) & np.isfinite(exact)).sum())
            changed += int((case.inputs[0] == 1).sum())
    assert open_values == 0
    assert changed > 10


def test_names_that_are_alike() -> None:
    """Two cases may not share a folder."""
    (first, *_) = some_cases()
    with pytest.raises(ValueError, match="two cases give test_acts_"):
        make("vectors 9", [first, first])


def test_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A set that is too large is refused."""
    monkeypatch.setattr(module, "_LIMIT", 1000)
    with pytest.raises(ValueError, match="the limit is 1000"):
        make("vectors 9", some_cases())


def test_large_cases_have_one_form() -> None:
    """The one that more runtimes read."""
    (case, *_) = (case for case in chosen_cases() if case.inputs[0].size > 10_000)
    index = read_index(make("vectors 9", [case])[INDEX], INDEX)
    assert [test.form == "acts" for test in index.tests] == [False]


def test_signed_zeros_survive() -> None:
    """-0 as an attribute and in a tensor."""
    (case,) = (c for c in some_cases() if (c.operator, c.dtype, c.name) == _MINUS_ZERO)
    files = make("vectors 9", [case])
    index = read_index(files[INDEX], INDEX)
    assert all(np.signbit(test.attributes["alpha"]) for test in index.tests)
    data = files[f"{index.tests[0].name}/{DATA_SET}/input_0.pb"]
    assert np.signbit(read_tensor(data)[read_tensor(data) == 0]).any()


_MINUS_ZERO = ("ELU", "float32", "alpha=-0")


def test_sizes_are_numbers() -> None:
    """The models of a new set have them, too."""
    (case,) = (c for c in some_cases() if (c.operator, c.dtype, c.name) == _MINUS_ZERO)
    files = make("vectors 9", [case])
    models = [data for path, data in files.items() if path.endswith("model.onnx")]
    for model in map(onnx.load_model_from_string, models):
        for value in (*model.graph.input, *model.graph.output):
            assert [size.dim_value for size in value.type.tensor_type.shape.dim] == [240]


def test_index_is_the_last_file() -> None:
    """A folder without it is known not to be whole."""
    assert list(vectors_files(frozen()))[-1] == INDEX


@pytest.mark.parametrize(
    ("ulp", "rule", "steps"),
    [
        (0, "float", 0),
        (0.5, "float", 0),
        (0.501, "float", 2),
        (1, "float", 3),
        (8, "drawn", 17),
        (0, "integer", 0),
        (1, "integer", 1),
    ],
)
def test_steps(ulp: float, rule: str, steps: int) -> None:
    """Half a unit for the rounding of what is expected, and twice as many below a power of two."""
    assert steps_of(ulp, rule) == steps


@pytest.mark.parametrize("ulp", [0.5, 0.501, 1.0, 8.0])
def test_steps_refuse_nothing_that_is_right(ulp: float) -> None:
    """Whatever the judge accepts is within the steps, beside powers of two, too."""
    random = np.random.default_rng(3)
    exact = np.concatenate([random.uniform(0.5, 4, 3000), 2.0 ** random.integers(-9, 9, 3000)])
    exact *= 1 + np.where(random.random(6000) < 0.5, 1, -1) * 2.0 ** random.uniform(-30, -20, 6000)
    want = exact.astype(np.float32)
    reached = 0
    for step in range(-20, 21):
        got = (want.view(np.int32) + np.int32(step)).view(np.float32)
        errors = ulp_error(got, exact)
        accepted = got == want if ulp == 0.5 else errors <= ulp
        reached = max(reached, abs(step)) if accepted.any() else reached
    assert reached <= steps_of(ulp, "float")
    assert reached > ulp - 1
