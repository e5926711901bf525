"""Outputs in files: what is right passes, what is wrong is found and named."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest

from onnx_acts.conformance import reports
from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.compare import broken
from onnx_acts.conformance.seeds import Seen
from onnx_acts.conformance.suite import Cell, Result
from onnx_acts.conformance.vectors.folders import DATA_SET
from onnx_acts.conformance.vectors.frozen import Vectors, frozen
from onnx_acts.conformance.vectors.index import Index
from onnx_acts.conformance.vectors.judging import judge_folder
from onnx_acts.conformance.vectors.known import Records
from onnx_acts.conformance.vectors.outputs import NOT_IMPLEMENTED, check_outputs
from onnx_acts.definition import reference
from onnx_acts.ort.environment import environment
from tests.conformance.vectors.folders import expected, part, write_outputs, write_vectors

Array = np.ndarray[Any, Any]
Compute = Callable[[Case, list[Array]], list[Array]]

ELU = ("ELU",)
FLOAT32 = ("float32",)


def judged(vectors: Vectors, folder: Path, name: str = "theirs", version: str = "") -> Result:
    """The verdict, after the look at the folder."""
    check_outputs(folder, vectors.index, [test.name for test in frozen().index.tests])
    return judge_folder(vectors, folder, name, version)


def failures(result: Result) -> dict[str, str]:
    """Messages by test."""
    return {item.case: item.message for cell in result.cells for item in cell.failures}


def test_expected_outputs_pass(tmp_path: Path) -> None:
    """Every expected output keeps the promise of every form."""
    result = judged(part(), write_outputs(part(), tmp_path))
    assert result.ok, failures(result)
    assert sum(cell.cases for cell in result.cells) == len(part().index.tests)
    assert {cell.status for cell in result.cells} == {"pass"}
    assert {cell.runtime for cell in result.cells} == {
        "theirs/acts",
        "theirs/standard",
        "theirs/lowered",
    }


def next_number(case: Case, outputs: list[Array]) -> list[Array]:
    """All outputs a step away from zero."""
    first = outputs[0]
    if case.spec.is_quantized:
        return [first ^ np.uint8(2)]
    with np.errstate(all="ignore"):
        return [np.nextafter(first, np.copysign(first.dtype.type(np.inf), first)), *outputs[1:]]


def without_nan(case: Case, outputs: list[Array]) -> list[Array]:
    """Zero for NaN."""
    return [np.where(np.isnan(array), array.dtype.type(0), array) for array in outputs]


def without_signs(case: Case, outputs: list[Array]) -> list[Array]:
    """+0 for -0."""
    return [np.where(array == 0, array.dtype.type(0), array) for array in outputs]


def without_infinities(case: Case, outputs: list[Array]) -> list[Array]:
    """The largest number for infinity."""
    top = ml_dtypes.finfo(outputs[0].dtype).max
    return [np.where(np.isinf(array), np.copysign(top, array), array) for array in outputs]


def all_special(operators: Sequence[str], dtype: str) -> Vectors:
    """The tests that have every special value."""
    vectors = part(operators, [dtype], ["special"])
    tests = [test for test in vectors.index.tests if test.case.startswith("shifted")]
    return Vectors(Index(vectors.index.vectors, tests), vectors.files)


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (without_nan, "wrong class"),
        (without_signs, "wrong class"),
        (without_infinities, "wrong class"),
        (next_number, "ULP"),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_wrong_numbers_fail(compute: Compute, message: str, dtype: str, tmp_path: Path) -> None:
    """A lost NaN, sign or infinity, and the next number where the bits must be right."""
    vectors = all_special(["PReLU"], dtype)
    result = judged(vectors, write_outputs(vectors, tmp_path, compute))
    assert not result.ok
    assert all(cell.failed == cell.cases for cell in result.cells)
    assert all(message in text for text in failures(result).values())


def test_wrong_integers_fail(tmp_path: Path) -> None:
    """Two steps are too many on 8 bits."""
    vectors = part(["QLinearELU"], ["uint8"], quick=True)
    result = judged(vectors, write_outputs(vectors, tmp_path, next_number))
    assert all(cell.failed == cell.cases for cell in result.cells)


def one_test() -> Vectors:
    """One test of ELU."""
    vectors = all_special(ELU, "float32")
    return Vectors(Index(vectors.index.vectors, vectors.index.tests[:1]), vectors.files)


def npy(array: Array) -> bytes:
    """NumPy's format."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def npz() -> bytes:
    """NumPy's archive."""
    stream = io.BytesIO()
    np.savez(stream, np.zeros(1))
    return stream.getvalue()


def external() -> bytes:
    """A tensor whose data is in another file."""
    tensor = onnx.TensorProto(data_type=1, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/hostname")
    return tensor.SerializeToString()


X = np.zeros(95, np.float32)
PB = onnx.numpy_helper.from_array(X).SerializeToString()
OPEN = onnx.TensorProto(dims=[-1], data_type=1, raw_data=X.tobytes()).SerializeToString()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "missing file output_0.pb"),
        ({"output_0.pb": b"\xff\xff"}, "unreadable file output_0.pb: not a TensorProto"),
        ({"output_0.pb": b""}, "unreadable file output_0.pb: a damaged TensorProto"),
        ({"output_0.pb": PB[:-3]}, "unreadable file output_0.pb"),
        ({"output_0.pb": external()}, "unreadable file output_0.pb: its data is in another file"),
        ({"output_0.npy": b"no"}, "unreadable file output_0.npy: not a .npy file"),
        ({"output_0.npy": npy(np.array([X, None], object))}, "unreadable file output_0.npy"),
        ({"output_0.npy": npz()}, "unreadable file output_0.npy: a .npz archive"),
        ({"output_0.npy": npy(X.astype(np.float64))}, "has type float64, expected float32"),
        ({"output_0.npy": npy(X[:-1])}, r"has shape \(94,\), expected \(95,\)"),
        ({"output_0.npy": npy(X[None])}, r"has shape \(1, 95\), expected \(95,\)"),
        ({"output_0.npy": npy(X), "output_0.pb": PB}, "are both there; keep one"),
        ({"output_0.pb": PB, "output_1.pb": PB}, "extra file output_1.pb: the test has 1 output"),
        ({"output_0.pb/x": PB}, "unreadable file output_0.pb: no plain file"),
        ({"output_0.pb": OPEN}, r"unreadable file output_0.pb: its shape is \(-1,\)"),
    ],
)
def test_bad_files_are_named(files: dict[str, bytes], message: str, tmp_path: Path) -> None:
    """Each fault of a file is a failure of its test, which says what it is."""
    vectors = one_test()
    (test,) = vectors.index.tests
    place = tmp_path / test.name / DATA_SET
    place.mkdir(parents=True)
    for name, data in files.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(data)
    found = failures(judged(vectors, tmp_path))
    assert list(found) == [test.name]
    assert pytest.RaisesExc(ValueError, match=message).matches(ValueError(found[test.name]))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_npy(dtype: str, tmp_path: Path) -> None:
    """NumPy's format is read, of bfloat16 its words."""
    vectors = part(["ReLU"], [dtype], ["special", "shapes"])
    for test in vectors.index.tests:
        place = tmp_path / test.name / DATA_SET
        place.mkdir(parents=True)
        (array,) = expected(vectors, test)
        is_bits = dtype == "bfloat16" and test.group == "special"
        (place / "output_0.npy").write_bytes(npy(array.view(np.uint16) if is_bits else array))
    assert judged(vectors, tmp_path).ok


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_npy_of_other_machines(tmp_path: Path, dtype: str) -> None:
    """The format says in which order bytes are, and any is right."""
    vectors = part(["ReLU"], [dtype], ["special"])
    for test in vectors.index.tests:
        place = tmp_path / test.name / DATA_SET
        place.mkdir(parents=True)
        (array,) = expected(vectors, test)
        (place / "output_0.npy").write_bytes(npy(_turned(array)))
    assert judged(vectors, tmp_path).ok


def _turned(array: np.ndarray) -> np.ndarray:
    """The bytes of each number the other way round; bfloat16 as words."""
    words = array.view(np.uint16) if array.dtype.itemsize == 2 else array
    return words.astype(words.dtype.newbyteorder(">"))


def test_words_that_a_terminal_would_obey(tmp_path: Path) -> None:
    """They are escaped."""
    vectors = one_test()
    (test,) = vectors.index.tests
    (tmp_path / test.name).mkdir()
    (tmp_path / test.name / "not_implemented.txt").write_bytes(b"\x1b[31mred")
    (cell,) = judged(vectors, tmp_path).cells
    assert cell.reasons == [r"\x1b[31mred"]


def test_words_for_what_is_not_there(tmp_path: Path) -> None:
    """A test that a runtime cannot compute is n/a, in its words; that alone is no success."""
    vectors = part(ELU, FLOAT32, ["special"])
    for test in vectors.index.tests:
        (tmp_path / test.name).mkdir()
        (tmp_path / test.name / "not_implemented.txt").write_bytes(b"no\nkernel \xff" + b"x" * 9999)
    result = judged(vectors, tmp_path)
    assert {cell.status for cell in result.cells} == {"n/a"}
    assert {len(cell.reasons) for cell in result.cells} == {1}
    assert all(cell.reasons[0].startswith("no kernel \ufffdxxx") for cell in result.cells)
    assert all(len(cell.reasons[0]) <= 500 for cell in result.cells)
    assert not result.ran


@pytest.mark.parametrize("kind", ["vectors", "others", "empty", "missing"])
def test_folders_that_hold_no_outputs(kind: str, tmp_path: Path) -> None:
    """The vectors themselves, whose outputs are right by themselves, and other folders."""
    vectors, folder = part(ELU, FLOAT32, ["special"]), tmp_path / "there"
    message = "there is no folder"
    if kind == "vectors":
        write_vectors(vectors, folder)
        message = "these are vectors, and their outputs are the expected ones"
    elif kind == "others":
        write_outputs(vectors, folder)
        (folder / "test_of_mine").mkdir()
        message = "has outputs of test_of_mine: there is no such test in vectors 1"
    elif kind == "empty":
        folder.mkdir()
        message = "there is no output in"
    with pytest.raises((ValueError, NotADirectoryError), match=message):
        judged(vectors, folder)


@np.errstate(all="ignore")
def own_draws(case: Case, outputs: list[Array], seed: int = 1) -> list[Array]:
    """A right runtime with another generator."""
    kind, x = numpy_type(case.dtype), case.inputs[0]
    low, high = case.real_values
    drawn = np.random.default_rng(seed).uniform(low, high, x.shape).astype(kind)
    noise = np.where(x < 0, drawn, kind.type(1))
    wide = np.longdouble if case.dtype == "float64" else np.float64
    product = reference.rounded(noise.astype(wide) * x.astype(wide), kind)
    return [np.where(x < 0, product, x), noise]


@np.errstate(all="ignore")
def outside(case: Case, outputs: list[Array]) -> list[Array]:
    """Slopes twice as large."""
    y, noise = own_draws(case, outputs)
    is_negative = case.inputs[0] < 0
    return [np.where(is_negative, 2 * y, y), np.where(is_negative, 2 * noise, noise)]


def unused(case: Case, outputs: list[Array]) -> list[Array]:
    """Noise that is not that of Y."""
    return [outputs[0], own_draws(case, outputs)[1]]


@np.errstate(all="ignore")
def everywhere(case: Case, outputs: list[Array]) -> list[Array]:
    """Noise where x is not negative."""
    y, noise = own_draws(case, outputs)
    return [y, np.where(case.inputs[0] < 0, noise, noise.dtype.type(0.25))]


@np.errstate(all="ignore")
def untrained(case: Case, outputs: list[Array]) -> list[Array]:
    """The mean slope, as in inference."""
    x, kind = case.inputs[0], numpy_type(case.dtype)
    noise = np.where(x < 0, kind.type(sum(case.real_values) / 2), kind.type(1))
    return [(noise * x).astype(kind), noise]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize(
    ("compute", "is_drawn"),
    [(untrained, 0), (own_draws, True), (outside, False), (unused, False), (everywhere, 0)],
)
def test_draws_of_another_generator(
    compute: Compute, is_drawn: bool, dtype: str, tmp_path: Path
) -> None:
    """They are n/a where slopes are in the support and are used, else wrong."""
    found = part(["RReLU"], [dtype], ["training"])
    tests = [test for test in found.index.tests if test.case == "seed 0, shape (1001,)"]
    vectors = Vectors(Index(found.index.vectors, tests), found.files)
    result = judged(vectors, write_outputs(vectors, tmp_path, compute))
    assert {cell.status for cell in result.cells} == {"n/a" if is_drawn else "fail"}
    if is_drawn:
        assert "a generator of its own" in result.cells[0].reasons[0]


@np.errstate(all="ignore")
def with_slopes(case: Case, slopes: Array) -> list[Array]:
    """Y and the noise."""
    x = case.inputs[0]
    noise = np.where(x < 0, slopes.astype(x.dtype), x.dtype.type(1))
    wide = noise.astype(np.longdouble) * x.astype(np.longdouble)
    return [np.where(x < 0, reference.rounded(wide, x.dtype), x), noise]


NEARLY: dict[str, Callable[[Array, Array], Array]] = {
    "the last four": lambda own, noise: np.append(noise[:-4], own[-4:]),
    "one": lambda own, noise: np.append(own[:1], noise[1:]),
    "one in the middle": lambda own, noise: np.where(np.arange(noise.size) == 500, own, noise),
    "the second half": lambda own, noise: np.append(noise[:500], own[500:]),
    "one lane": lambda own, noise: np.where(np.arange(noise.size) % 4 == 2, own, noise),
    "every other": lambda own, noise: np.where(np.arange(noise.size) % 2, own, noise),
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("which", NEARLY)
def test_nearly_the_references_draws(which: str, dtype: str, tmp_path: Path) -> None:
    """Draws of which many are the reference's are Philox with a fault, not another generator."""
    found = part(["RReLU"], [dtype], ["training"])
    tests = [test for test in found.index.tests if test.case.endswith("shape (1001,)")]
    vectors = Vectors(Index(found.index.vectors, tests), found.files)

    def spoilt(case: Case, outputs: list[Array]) -> list[Array]:
        own = np.full(1001, sum(case.real_values) / 2, outputs[1].dtype)
        return with_slopes(case, NEARLY[which](own, outputs[1]))

    result = judged(vectors, write_outputs(vectors, tmp_path, spoilt))
    assert sum(cell.failed for cell in result.cells) == len(tests) == 4
    assert all("of the draws are the reference's" in text for text in failures(result).values())


def test_equal_bounds_leave_nothing_to_draw(tmp_path: Path) -> None:
    """Y of equal bounds has one right value: no generator is an excuse for the next one."""
    found = part(["RReLU"], FLOAT32, ["training"])
    tests = [test for test in found.index.tests if test.case.startswith("both bounds")]
    vectors = Vectors(Index(found.index.vectors, tests), found.files)

    def next_one(case: Case, outputs: list[Array]) -> list[Array]:
        y, noise = outputs
        chosen = (case.inputs[0] < -0.1) & (case.inputs[0] > -4)
        with np.errstate(all="ignore"):
            return [np.where(chosen, np.nextafter(y, np.float32(1)), y), noise]

    result = judged(vectors, write_outputs(vectors, tmp_path, next_one))
    assert sum(cell.failed for cell in result.cells) == len(tests) == 4


@pytest.mark.parametrize("is_keyed", [True, False])
def test_the_same_draws_for_every_seed(is_keyed: bool, tmp_path: Path) -> None:
    """Two tests that differ in the seed alone must not have the same noise."""
    found = part(["RReLU"], ["float32"], ["training"])
    tests = [test for test in found.index.tests if test.case.endswith("shape (1001,)")]
    vectors = Vectors(Index(found.index.vectors, tests), found.files)

    def drawn(case: Case, outputs: list[Array]) -> list[Array]:
        return own_draws(case, outputs, int(case.values["seed"]) if is_keyed else 1)

    cells = judged(vectors, write_outputs(vectors, tmp_path, drawn)).cells
    assert len(tests) == 4, "two seeds in two forms"
    for cell in cells:
        assert (cell.skipped, cell.failed) == ((2, 0) if is_keyed else (1, 1))
        assert is_keyed or "has the same noise" in cell.failures[0].message


def seeded(seed: int) -> Case:
    """A case in training."""
    attributes = {"training_mode": 1, "seed": seed}
    x = -np.ones(64, np.float32)
    return Case("RReLU", "float32", [x], attributes, 2, "training", f"seed {seed}")


def test_every_noise_is_remembered() -> None:
    """The first noise is not the only one that must not come again."""
    seen, draws = Seen(), np.random.default_rng(1).uniform(1 / 8, 1 / 3, (3, 64))
    noises = [[-noise, noise] for noise in draws.astype(np.float32)]
    order = [(0, 0), (1, 1), (2, 2), (0, 0), (2**32, 1), (4, 2)]
    found = [seen.again("acts", seeded(seed), noises[which]) for seed, which in order]
    assert found[:4] == [""] * 4
    assert [text.split(": ")[1] for text in found[4:]] == [
        "seed 1 has the same noise",
        "seed 2 has the same noise",
    ]
    assert seen.again("lowered", seeded(9), noises[0]) == "", "another form of the same test"


def test_seeds_of_the_set_differ_in_their_high_bits_alone() -> None:
    """So a generator that reads 32 bits of a seed is found."""
    tests = part(["RReLU"], ["float32"], ["training"]).index.tests
    seeds = {int(test.attributes["seed"]) for test in tests if "negative" in test.case}
    assert len(seeds) == 2
    assert len({seed % 2**32 for seed in seeds}) == 1


def test_a_page_has_drawings(tmp_path: Path) -> None:
    """Records are kept where they are asked for: curves, histograms, worst inputs, every case."""
    vectors = part(ELU, FLOAT32, ["special", "dense", "attributes"])
    folder = write_outputs(vectors, tmp_path, next_number)
    (folder / vectors.index.tests[0].name / NOT_IMPLEMENTED).write_text("no kernel")
    result = judge_folder(vectors, folder, "theirs", recorded=True)
    assert all(cell.record is None for cell in judge_folder(vectors, folder, "theirs").cells)
    for cell in result.cells:
        assert cell.record is not None
        assert len(cell.record.outcomes) == cell.cases
        statuses = [outcome.status for outcome in cell.record.outcomes]
        assert statuses.count("fail") == cell.failed > 0
        assert statuses.count("n/a") == cell.skipped
        assert cell.record.curve
        assert cell.record.worst
    page = reports.html_text(result, environment())
    assert page.count('<svg class="curve"') == page.count('<svg class="bars"') == 2
    assert page.count("no kernel") >= 1


def minus_zero(case: Case, outputs: list[Array]) -> list[Array]:
    """What ONNX Runtime does to a body with a parameter of -0."""
    if "-0" in case.name.split("=")[-1:]:
        return [np.where(array == 0, -array, array) for array in outputs]
    return outputs


def cells_of(name: str, version: str, folder: Path, quick: bool = False) -> tuple[Result, Cell]:
    """The verdict on ELU's attributes, and its cell of the form acts."""
    vectors = part(ELU, FLOAT32, ["attributes"], quick)
    result = judged(vectors, folder, name, version)
    (cell,) = (cell for cell in result.cells if cell.runtime.endswith("/acts"))
    return result, cell


@pytest.mark.parametrize(
    ("name", "version", "status"),
    [
        ("onnxruntime", "1.31.1", "known"),
        ("onnxruntime-web", "1.30.0", "known"),
        ("onnxruntime", "", "fail"),
        ("theirs", "1.31.1", "fail"),
    ],
)
def test_differences_on_record(name: str, version: str, status: str, tmp_path: Path) -> None:
    """They are known of ONNX Runtime, and where its version is given."""
    write_outputs(part(ELU, FLOAT32, ["attributes"]), tmp_path, minus_zero)
    result, cell = cells_of(name, version, tmp_path)
    assert cell.status == status
    assert (cell.known, cell.failed) == ((1, 0) if status == "known" else (0, 1))
    stale = [text for text in result.stale if text.startswith("acts")]
    assert not stale


def test_differences_on_record_that_no_longer_show(tmp_path: Path) -> None:
    """Right outputs make records stale, as in every other run, case by case."""
    write_outputs(part(ELU, FLOAT32, ["attributes"]), tmp_path)
    result, cell = cells_of("onnxruntime", "1.31.1", tmp_path)
    assert cell.status == "pass"
    assert not result.ok
    assert any("acts, ELU float32, attributes (alpha=-0): no longer" in s for s in result.stale)
    result, _ = cells_of("onnxruntime", "1.31.1", tmp_path, quick=True)
    assert [text.split(",")[0] for text in result.stale] == ["standard"]


@pytest.mark.parametrize("group", ["special", "attributes", "shapes"])
def test_records_excuse_no_other_fault(group: str, tmp_path: Path) -> None:
    """What ONNX Runtime's exp(x) - 1 may be wrong by is no cover for 42."""

    def spoilt(case: Case, outputs: list[Array]) -> list[Array]:
        return [np.where(case.inputs[0] < 0, np.float32(42), outputs[0])]

    vectors = part(ELU, FLOAT32, [group])
    result = judged(vectors, write_outputs(vectors, tmp_path, spoilt), "onnxruntime", "1.31.1")
    assert {cell.status for cell in result.cells} == {"fail"}
    assert all(cell.known == 0 for cell in result.cells)


def test_wrong_bits_beside_ties(tmp_path: Path) -> None:
    """A product of float64 has one right result, however near to a tie it is."""

    def other_side(case: Case, outputs: list[Array]) -> list[Array]:
        (y,), (exact,) = outputs, case.exact()
        with np.errstate(all="ignore"):
            other = np.nextafter(y, np.inf)
            excused = ~broken(other, exact, 0.5) & np.isfinite(other)
        counts.append(int(excused.sum()))
        return [np.where(excused, other, y)]

    counts: list[int] = []
    vectors = part(["LeakyReLU"], ["float64"], ["dense", "boundaries"])
    tests = [test for test in vectors.index.tests if test.outputs[0].ulp == 0.5]
    chosen = Vectors(Index(vectors.index.vectors, tests), vectors.files)
    result = judged(chosen, write_outputs(chosen, tmp_path, other_side))
    assert sum(counts) > 100
    wrong = sum(count > 0 for count in counts)
    assert sum(cell.failed for cell in result.cells) == wrong > 0


def test_accuracy_on_record() -> None:
    """What was measured of ONNX Runtime is allowed it, where its version is given."""
    (test, *_) = (item for item in part(ELU, ["float16"]).index.tests if item.form == "standard")
    assert Records("onnxruntime", "1.31.1").promise(test) == 0.75
    assert Records("onnxruntime", "").promise(test) == test.outputs[0].ulp == 0.501
    assert Records("theirs", "1.31.1").promise(test) == 0.501
