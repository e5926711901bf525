"""The run: runtimes that are wrong, absent or without an answer, and known differences."""

import dataclasses
import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from onnx_acts.conformance import known_differences
from onnx_acts.conformance import suite as runner
from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.cases import GROUPS, cases
from onnx_acts.conformance.known_differences import (
    KNOWN_DIFFERENCES,
    MISSING_KERNELS,
    MissingKernel,
    measured_accuracy,
    missing_kernel,
    names,
    version_tuple,
)
from onnx_acts.conformance.ledger import Ledger
from onnx_acts.conformance.runtimes import RUNTIMES, Runtime, ort, runtime_of
from onnx_acts.conformance.suite import Result, Selection, run
from onnx_acts.definition import reference
from onnx_acts.definition.specs import (
    ELEMENT_TYPES,
    QUANTIZED,
    QUANTIZED_TYPES,
    SPECS,
    Difference,
    spec_of,
)
from onnx_acts.ort.sessions import session

OPERATORS = [spec.name for spec in SPECS]


class Fake:
    """A runtime that is right, or wrong in a given way for inputs of at least `wrong_from`."""

    name, title, package, promise = "evaluator", "fake", "onnx", "exact"

    def __init__(self, wrong_from: int | None = None, missing: str = "", refuses: str = "") -> None:
        self._wrong_from, self._missing, self._refuses = wrong_from, missing, refuses

    def unavailable(self) -> str:
        """As told."""
        return self._missing

    def unsupported(self, case: Case) -> str:
        """As told."""
        return self._refuses

    def run(self, case: Case) -> list[np.ndarray]:
        """Rounds what is true, and spoils the last element of a large result."""
        with np.errstate(all="ignore"):
            exact = [np.array(y, order="C") for y in case.exact()]
            results = [reference.rounded(y, numpy_type(case.dtype)) for y in exact]
        if self._wrong_from is not None and results[0].size >= self._wrong_from:
            results[0].reshape(-1)[-1] = 77
        return results


def run_fake(fake: Fake, known: tuple[Difference, ...] = (), group: str = "shapes") -> Result:
    """Runs one operator, type and group on it."""
    return run(Selection([spec_of("ELU")], ["float32"], [group], [fake], quick=True), known)


def record(**changes: Any) -> Difference:
    """A known difference of the fake."""
    base = Difference("evaluator", "because", "seen today", ("ELU",), groups=("shapes",))
    return dataclasses.replace(base, **changes)


def test_right_runtime_passes() -> None:
    """All is well, and the error measured is reported."""
    result = run_fake(Fake())
    (cell,) = result.cells
    assert (result.ok, cell.status, cell.failed) == (True, "pass", 0)
    assert 0 < cell.max_ulp <= 0.5


def test_wrong_runtime_fails_with_a_program() -> None:
    """A failure has a program, which in this case runs and names the case's one element."""
    result = run_fake(Fake(wrong_from=1))
    (cell,) = result.cells
    assert (result.ok, cell.status) == (False, "fail")
    text = cell.failures[0].program
    assert re.search(r"\[np\.array\(\[[^,\]]+\], np\.float32\)\]", text)
    exec(text, {})


def test_program_shows_the_failure_and_not_what_is_on_record() -> None:
    """A part that merely differs as known is not what failed."""

    class Two(Fake):
        def run(self, case: Case) -> list[np.ndarray]:
            """Loses the sign of zero, and of many elements gives 77 for zeros."""
            (y,) = super().run(case)
            y[y == 0] = 77 if y.size >= 12 else 0
            return [y]

    known = (record(explains="zero sign", groups=("special",), loose=True),)
    failure = run_fake(Two(), known, "special").cells[0].failures[0]
    names: dict[str, Any] = {}
    exec(failure.program.partition("\nruntime = ")[0], names)
    assert names["case"].inputs[0].size == 16


class Again(Fake):
    """Loses the signs of zeros, as on record; from the second run on it does something else."""

    def __init__(self, change: Callable[[np.ndarray], None]) -> None:
        super().__init__()
        self._change, self._ran = change, False

    def run(self, case: Case) -> list[np.ndarray]:
        """What is true, but for that."""
        (y,) = super().run(case)
        y[y == 0] = 0
        if self._ran:
            self._change(y)
        self._ran = True
        return [y]


def _spoil(y: np.ndarray) -> None:
    y[-1] = np.nan


def _step(y: np.ndarray) -> None:
    y[-1] = np.nextafter(y[-1], np.float32(9))


KNOWN_ZEROS = (record(explains="zero sign", groups=("special",)),)


@pytest.mark.parametrize(
    ("change", "is_right", "is_explained"),
    [(lambda y: None, False, True), (_spoil, False, False), (_step, False, True)],
)
def test_every_run_counts(change: Any, is_right: bool, is_explained: bool) -> None:
    """What the first run has on record excuses no other fault of the second, however small."""
    x = np.array([-0.0, -1.0, 2.0], np.float32)
    case = Case("ELU", "float32", [x], runs=2, group="special")
    found = runner.judge(Again(change), case, 1.5)
    reasons = Ledger(KNOWN_ZEROS).explain("evaluator", "1", case, found, 1.5)
    assert (found.ok, bool(reasons)) == (is_right, is_explained), found


def test_another_right_result_is_right() -> None:
    """A second run may have other bits within the promise."""
    case = Case("ELU", "float32", [np.array([-1.0, 2.0], np.float32)], runs=2)
    found = runner.judge(Again(_step), case, 1.5)
    assert (found.ok, found.message, found.max_ulp) == (True, "", 1.0)
    assert not runner.judge(Again(_step), case, 0.5).ok


def test_error_is_a_failure() -> None:
    """An exception of a runtime is a result like any other."""

    class Broken(Fake):
        def run(self, case: Case) -> list[np.ndarray]:
            """Fails."""
            raise RuntimeError("no\nmemory")

    (cell,) = run_fake(Broken()).cells
    assert cell.status == "fail"
    assert cell.failures[0].message == "raised RuntimeError: no memory"


def test_changed_inputs_are_a_failure() -> None:
    """A runtime that writes into what it was given is wrong, however right its results are."""

    class Writing(Fake):
        def run(self, case: Case) -> list[np.ndarray]:
            """Computes, then writes."""
            results = super().run(case)
            if case.inputs[0].flags.writeable:
                case.inputs[0][...] = 1
            return results

    (cell,) = run_fake(Writing()).cells
    assert (cell.status, cell.failures[0].message) == ("fail", "it changed its inputs")


@pytest.mark.parametrize("fake", [Fake(missing="not installed"), Fake(refuses="not installed")])
def test_absent_runtime_is_shown(fake: Fake) -> None:
    """What cannot be run is n/a with its reason, not dropped."""
    result = run_fake(fake)
    (cell,) = result.cells
    assert (cell.status, cell.reasons) == ("n/a", ["not installed"])
    assert cell.skipped == cell.cases > 0
    assert not result.ok, "nothing ran, so nothing is known to be right"


def test_empty_run_is_not_ok() -> None:
    """A selection without cases has no cells, and proves nothing."""
    result = run(Selection([spec_of("ReLU")], ["float32"], ["slopes"], [Fake()]))
    assert (result.cells, result.ran, result.ok) == ([], False, False)


def test_known_difference_is_no_failure() -> None:
    """A difference on record is reported as such."""
    result = run_fake(Fake(wrong_from=1), (record(),))
    assert result.ok
    assert result.cells[0].status == "known"
    assert result.cells[0].reasons == ["because (seen today)"]


def test_known_difference_excuses_only_what_differs() -> None:
    """Cases that are right are not counted as known differences, though a record names them."""
    (cell,) = run_fake(Fake(wrong_from=1000), (record(),)).cells
    assert cell.known == sum(
        case.inputs[0].size >= 1000 for case in cases(spec_of("ELU"), "float32", "shapes", True)
    )
    assert 0 < cell.known < cell.cases


def test_promises() -> None:
    """Ours are the table's; the evaluator's is exact; others' are measured, else the kernel's."""
    spec = spec_of("ELU")
    found = {item.name: runner.promise_of(item, spec, "float32") for item in RUNTIMES}
    assert found["library"] == found["standard"] == spec.promise.kernel["float32"]
    assert found["bodies"] == found["reference"] == spec.promise.body["float32"]
    assert (found["evaluator"], found["pytorch"]) == (0.5, 2.0)


def test_known_difference_that_no_longer_shows_fails() -> None:
    """A record is strict: when all its cases are right, it must go."""
    result = run_fake(Fake(), (record(),))
    assert not result.ok
    assert "no longer differs: remove the record" in result.stale[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"runtime": "library"},
        {"operators": ("PReLU",)},
        {"groups": ("dense",)},
        {"cases": "length *"},
        {"dtypes": ("float64",)},
        {"since": "999"},
        {"until": "1.2"},
    ],
    ids=str,
)
def test_record_about_something_else_excuses_nothing(changes: dict[str, object]) -> None:
    """Each field of a record narrows it."""
    result = run_fake(Fake(wrong_from=1000), (record(**changes),))
    assert result.cells[0].status == "fail"


@pytest.mark.parametrize("item", RUNTIMES, ids=lambda item: item.name)
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_runtimes_agree_on_a_plain_input(item: Runtime, dtype: str) -> None:
    """Every runtime that is here computes every operator that it supports, to its promise."""
    if item.unavailable():
        pytest.skip(item.unavailable())
    x = np.array([[-2.5, -0.5, 3.0], [1.5, -1.0, 0.25]]).astype(numpy_type(dtype))
    for spec in SPECS:
        slope = np.array([[0.25]]).astype(x.dtype)
        case = Case(spec.name, dtype, [x, *(slope for _ in spec.inputs[1:])])
        if not item.unsupported(case):
            found = runner.judge(item, case, runner.promise_of(item, spec, dtype))
            assert found.ok, found.message


def run_standard(dtype: str) -> Result:
    """Runs ELU on ONNX Runtime's standard node."""
    chosen = Selection([spec_of("ELU")], [dtype], ["special"], [runtime_of("standard")], True)
    return run(chosen)


@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
def test_missing_kernel_on_record_is_shown(dtype: str) -> None:
    """A standard node without a kernel is n/a with the record's date, and still has none."""
    result = run_standard(dtype)
    (cell,) = result.cells
    assert (cell.status, result.stale) == ("n/a", [])
    assert "no kernel for Elu (onnxruntime " in cell.reasons[0]


def test_missing_kernel_without_a_record_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any error that is not on record is a failure, that of a missing kernel too."""
    monkeypatch.setattr(known_differences, "MISSING_KERNELS", ())
    (cell,) = run_standard("float64").cells
    assert cell.status == "fail"
    assert "implementation for Elu" in cell.failures[0].message


def test_missing_kernel_that_is_there_by_now_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record is strict: when the kernel is there, it must go."""
    record = MissingKernel("standard", ("Elu",), ("float16",), "seen today")
    monkeypatch.setattr(known_differences, "MISSING_KERNELS", (record,))
    result = run_standard("float16")
    assert not result.ok
    assert result.stale == [
        "standard, Elu float16: no longer missing: remove the record (seen today)"
    ]


def test_missing_kernels_are_about_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its last version a record says nothing; nor about other types and operators."""
    record = MissingKernel("standard", ("Elu",), ("float16",), "seen today", until="1.31")
    monkeypatch.setattr(known_differences, "MISSING_KERNELS", (record,))
    elu, relu = spec_of("ELU"), spec_of("ReLU")
    assert missing_kernel("standard", "1.31", elu, "float16") is record
    assert missing_kernel("standard", "1.32", elu, "float16") is None
    assert missing_kernel("standard", "1.31", elu, "float32") is None
    assert missing_kernel("standard", "1.31", relu, "float16") is None
    assert missing_kernel("bodies", "1.31", elu, "float16") is None


@pytest.mark.parametrize("item", MISSING_KERNELS, ids=lambda item: "-".join(item.standard))
def test_missing_kernels_name_things_that_exist(item: MissingKernel) -> None:
    """A record's runtime, operators and types are real, and it says when it was seen."""
    runtime_of(item.runtime)
    assert set(item.standard) <= {spec.standard_name for spec in SPECS}
    assert set(item.dtypes) <= set(ELEMENT_TYPES)
    assert item.seen


def test_bfloat16_needs_a_runtime_that_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ONNX Runtime takes no bfloat16 from Python, that alone is n/a."""
    monkeypatch.setattr(ort, "_TAKES_BFLOAT16", False)
    for dtype in ELEMENT_TYPES:
        case = Case("ReLU", dtype, [np.ones(2).astype(numpy_type(dtype))])
        assert bool(runtime_of("bodies").unsupported(case)) == (dtype == "bfloat16")


def test_unknown_runtime() -> None:
    """The message lists those there are."""
    with pytest.raises(ValueError, match="there are library, provider, cuda, bodies, standard"):
        runtime_of("caffe")


def test_pytorch_channels() -> None:
    """A slope along dimension 1 is PyTorch's; along another one it is not."""
    torch_runtime = runtime_of("pytorch")
    if torch_runtime.unavailable():
        pytest.skip(torch_runtime.unavailable())
    x = -np.ones((2, 3, 4), np.float32)
    slope = np.array([[1], [2], [3]], np.float32)
    (y,) = torch_runtime.run(Case("PReLU", "float32", [x, slope]))
    assert y[0].tolist() == [[-1] * 4, [-2] * 4, [-3] * 4]
    last = Case("PReLU", "float32", [x, np.ones(4, np.float32)])
    assert torch_runtime.unsupported(last)


@pytest.mark.parametrize("item", KNOWN_DIFFERENCES, ids=lambda item: f"{item.runtime}-{item.cases}")
def test_records_name_things_that_exist(item: Difference) -> None:
    """A record's runtime, operators, types, groups and cases are real; it says why and when."""
    runtime_of(item.runtime)
    assert item.operators
    assert set(item.operators) <= {spec.name for spec in (*SPECS, *QUANTIZED)}
    assert set(item.dtypes) <= {*ELEMENT_TYPES, *QUANTIZED_TYPES}
    assert item.reason
    assert item.seen
    assert bool(item.groups) != (item.ulp is not None), "cases that fail, or an error"
    assert set(item.groups) <= set(GROUPS)
    for operator, dtype, group in itertools.product(item.operators, item.dtypes, item.groups):
        named = cases(spec_of(operator), dtype, group)
        if item.groups:
            version = item.until or "1.31"
            assert any(names(item, item.runtime, version, case) for case in named), group


def test_accuracies() -> None:
    """An accuracy is found by runtime, operator and element type."""
    assert measured_accuracy("pytorch", "ELU", "float32") == 2.0
    assert measured_accuracy("pytorch", "ELU", "bfloat16") == 0.501
    assert measured_accuracy("standard", "ELU", "float16") == 0.75
    assert measured_accuracy("pytorch", "PReLU", "float64") is None


def test_each_group_of_a_record_is_strict() -> None:
    """A record of two groups, of which one no longer differs, says which."""
    both = record(groups=("shapes", "special"))
    fake = Fake(wrong_from=1000)  # only shapes are that large
    chosen = Selection([spec_of("ELU")], ["float32"], ["special", "shapes"], [fake], quick=True)
    result = run(chosen, (both,))
    special, shapes = result.stale
    assert special.startswith("evaluator, ELU float32, special (*): no longer differs: remove")
    assert shapes.startswith("evaluator, ELU float32, shapes (*): no longer differs in ")


def test_versions() -> None:
    """Versions compare as numbers."""
    assert version_tuple("2.13.0+cpu") == (2, 13, 0)
    assert version_tuple("1.9") < version_tuple("1.31.1")
    assert version_tuple("") == ()


def test_a_node_that_lands_elsewhere_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Right numbers from the CPU are no proof for CUDA."""

    def on_the_cpu(model: onnx.ModelProto, **more: Any) -> onnxruntime.InferenceSession:
        return session(model, **{**more, "providers": None})

    cuda = runtime_of("cuda")
    monkeypatch.setattr("onnx_acts.ort.sessions.session", on_the_cpu)
    case = Case("ELU", "float32", [np.array([-1.0], np.float32)])
    found = runner.judge(cuda, case, 1.0)
    wanted = "ELU float32 ran on CPUExecutionProvider, not on CUDAExecutionProvider"
    assert found.message == f"raised RuntimeError: {wanted}"


def test_a_standard_node_that_lands_elsewhere_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do right numbers from the CPU provider prove anything about ours."""
    provider = runtime_of("provider")
    if provider.unavailable():
        pytest.skip(provider.unavailable())
    monkeypatch.setattr(ort, "add_provider", lambda options, more: None)
    case = Case("PReLU", "float32", [np.array([-3.0], np.float32), np.array([2.5], np.float32)])
    found = runner.judge(provider, case, 1.0)
    wanted = "PRelu float32 ran on CPUExecutionProvider, not on OnnxActsExecutionProvider"
    assert found.message == f"raised RuntimeError: {wanted}"


def test_parameters_of_the_provider() -> None:
    """In float64, what a FLOAT attribute cannot hold is n/a; elsewhere it is rounded anyway."""
    provider = runtime_of("provider")
    if provider.unavailable():
        pytest.skip(provider.unavailable())
    for dtype, alpha, reason in (
        ("float64", 0.1, "a FLOAT attribute has 32 bits"),
        ("float64", 0.5, ""),
        ("float64", np.nan, ""),
        ("float32", 0.1, ""),
    ):
        case = Case("ELU", dtype, [np.ones(2, dtype)], {"alpha": alpha})
        assert provider.unsupported(case) == reason, (dtype, alpha)
    both = {"lower": 0.25, "upper": 0.5}
    assert provider.unsupported(Case("RReLU", "float64", [np.ones(2)], both)) == ""


def test_cuda_that_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason: the build of onnxruntime first, then what the library says."""
    cuda = runtime_of("cuda")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert "CUDAExecutionProvider is not in this build of onnxruntime" in cuda.unavailable()
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr("onnx_acts.ort.sessions.library_info", lambda: {"cuda_error": "no driver"})
    assert cuda.unavailable() == "no driver"
    monkeypatch.setattr("onnx_acts.ort.sessions.library_info", lambda: {"cuda": True})
    assert cuda.unavailable() == ""


def test_quantized_operators() -> None:
    """They have the group of their own, and every runtime that can compute them keeps the promise.

    The body has ONNX Runtime's Elu, whose exp may decide a tie otherwise: one step.
    """
    result = run(Selection(operators=QUANTIZED, quick=True))
    places = {(cell.operator, cell.group) for cell in result.cells}
    names = ("QLinearPReLU", "QLinearELU")
    assert places == set(itertools.product(names, ("refused", "quantized")))
    verdicts = {
        (cell.operator, cell.runtime): cell.status
        for cell in result.cells
        if cell.group == "quantized"
    }
    for name in names:
        for runtime in ("library", "bodies", "evaluator"):
            assert verdicts[name, runtime] == "pass"
        assert verdicts[name, "standard"] == verdicts[name, "pytorch"] == "n/a"
    assert verdicts["QLinearPReLU", "reference"] == "known"  # what is too large
    assert verdicts["QLinearELU", "reference"] == "known"
    assert result.ok


def test_a_step_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal bits are promised: one integer that is off by one shows, with a program."""
    library = runtime_of("library")
    right = type(library).run

    def off_by_one(self: object, case: Case) -> list[Any]:
        (got,) = right(self, case)  # type: ignore[arg-type]
        return [got - (np.arange(got.size) == 130).reshape(got.shape).astype(got.dtype)]

    monkeypatch.setattr(type(library), "run", off_by_one)
    chosen = Selection(operators=QUANTIZED[1:], runtimes=[library], quick=True)
    (cell,) = [cell for cell in run(chosen).cells if cell.group == "quantized"]
    tried = cases(QUANTIZED[1], "uint8", "quantized", quick=True)
    assert cell.failed == sum(case.inputs[0].size > 130 for case in tried)
    assert "promise 0 steps; 1 of 256 elements, first 130" in cell.failures[0].message
    assert "find_case('QLinearELU', 'uint8', 'quantized'" in cell.failures[0].program
