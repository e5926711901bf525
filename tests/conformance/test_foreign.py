"""Runtimes of other projects, and the user's own: processes, refusals, crashes."""

import dataclasses
import importlib.util
import pickle
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnx_acts.conformance import reports
from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.cases import find_case
from onnx_acts.conformance.judging import judge
from onnx_acts.conformance.known_differences import KNOWN_DIFFERENCES, version_tuple
from onnx_acts.conformance.ledger import Ledger
from onnx_acts.conformance.runtimes import (
    ALL_RUNTIMES,
    RUNTIMES,
    Runtime,
    facts_of,
    runtime_of,
    version_of,
)
from onnx_acts.conformance.runtimes.catalogue import FOREIGN
from onnx_acts.conformance.runtimes.foreign import Custom, Foreign
from onnx_acts.conformance.suite import Result, Selection, run
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, spec_of
from onnx_acts.ort.environment import environment
from tests.building import ROOT

X = np.array([-2.0, -0.0, 3.0], np.float32)

MODULE = """
import os, signal, time
import numpy as np
calls = 0
def run(operator, arrays, attributes):
    global calls
    calls += 1
    print("a line that is no message")
    if operator == "ELU":
        raise NotImplementedError("no such kernel here")
    if operator == "PReLU":
        raise RuntimeError("type 7 is not supported by this build")
    x, alpha = arrays[0], attributes.get("alpha")
    below = x.dtype.type(0) if alpha is None else x.dtype.type(alpha) * x
    return np.where(x < 0, below, x)
def count(operator, arrays, attributes): return np.float32(calls), np.float32(os.getpid())
def crash(operator, arrays, attributes): os.kill(os.getpid(), signal.SIGSEGV)
def leave(operator, arrays, attributes):
    print("last words"); os._exit(3)
def write(operator, arrays, attributes):
    arrays[0][...] = 0
    return arrays[0]
def divide(operator, arrays, attributes): raise ZeroDivisionError("by\\nzero")
def text(operator, arrays, attributes): return "0.5"
def floats(operator, arrays, attributes): return [0.5, 1.5]
def two(operator, arrays, attributes): return arrays[0], arrays[0] + 1
def hang(operator, arrays, attributes):
    print("one moment", file=open("asked.txt", "a")); print("one moment"); time.sleep(1000)
def orphan(operator, arrays, attributes):
    if os.fork() == 0:
        os.setsid(); time.sleep(20); open("left.txt", "w").close(); os._exit(0)
    time.sleep(1000)
def interrupt(operator, arrays, attributes): raise KeyboardInterrupt("by itself")
def odd(operator, arrays, attributes): raise ValueError("\\udcff and \\x1b[31m")
class Mute(Exception):
    def __str__(self): raise KeyError
def mute(operator, arrays, attributes): raise Mute
class Holder:
    method = staticmethod(run)
number = 3
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that is in the current folder only; its name."""
    (tmp_path / "own_of_a_user.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return "own_of_a_user"


def case(operator: str = "LeakyReLU", **more: Any) -> Case:
    """A short case."""
    slopes = [np.array([0.5], np.float32) for _ in spec_of(operator).inputs[1:]]
    return Case(operator, "float32", [X, *slopes], **more)


def judged(runtime: Custom, operators: list[str]) -> Result:
    """Runs the special values on a runtime."""
    specs = [spec_of(name) for name in operators]
    return run(Selection(specs, ["float32"], ["special"], [runtime], quick=True))


def test_own_runtime(module: str) -> None:
    """A function in the current folder is found, computes, refuses in its words, and may print."""
    result = judged(Custom(f"{module}:run"), ["ReLU", "LeakyReLU", "ELU"])
    assert [cell.status for cell in result.cells] == ["pass", "pass", "n/a"]
    assert result.cells[2].reasons == ["no such kernel here"]
    assert Custom(f"{module}:Holder.method").run(case())[0].tolist() == [
        -0.01 * np.float32(2),
        0,
        3,
    ]


def test_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program of the guide, as it stands there, is right where it has a kernel."""
    text = (ROOT / "docs" / "guides" / "own_runtime.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "my_runtime.py").write_text(program)
    monkeypatch.chdir(tmp_path)
    result = judged(Custom("my_runtime:run"), ["LeakyReLU", "ELU"])
    assert [cell.status for cell in result.cells] == ["pass", "n/a"]
    assert result.cells[1].reasons == ["no kernel for ELU of float32"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("crash", "raised RuntimeError: its process died of SIGSEGV"),
        ("leave", "raised RuntimeError: its process died with exit status 3: last words"),
        ("write", "raised RuntimeError: it changed its inputs"),
        ("divide", "raised RuntimeError: ZeroDivisionError: by zero"),
        ("text", "it must return an array or several, and returned str"),
        ("floats", "it must return an array or several, and returned float in a list"),
        ("interrupt", "raised RuntimeError: KeyboardInterrupt: by itself"),
        ("mute", "raised RuntimeError: Mute: (its text raises KeyError)"),
        ("odd", r"raised RuntimeError: ValueError: \udcff and \x1b[31m"),
    ],
)
def test_faults_are_failures(module: str, name: str, message: str) -> None:
    """Whatever a function does is a result of its case, and the next case is tried as well."""
    (cell,) = judged(Custom(f"{module}:{name}"), ["ReLU"]).cells
    assert cell.failed == cell.cases == 8
    assert all(message in failure.message for failure in cell.failures)


def test_a_function_that_hangs(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended after a while, and not asked again; its other cases fail at once."""
    monkeypatch.setenv("ONNX_ACTS_TIME_LIMIT", "2")
    (cell,) = judged(Custom(f"{module}:hang"), ["ReLU"]).cells
    assert Path("asked.txt").read_text() == "one moment\n"
    assert cell.failed == cell.cases == 8
    first, *others = (failure.message for failure in cell.failures)
    assert "it gave no answer within 2 s, and is not asked again: one moment" in first
    assert (
        others
        == ["raised RuntimeError: not asked any more: it gave no answer within 2 s before"] * 2
    )
    assert "hang')" in cell.failures[0].program
    assert "find_case('ReLU', 'float32', 'special', 'shifted by 0')" in cell.failures[0].program


def test_cases_that_were_not_asked_have_no_program(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would show nothing: an earlier case hung."""
    monkeypatch.setenv("ONNX_ACTS_TIME_LIMIT", "2")
    found = [
        cell.failures[0].program
        for cell in judged(Custom(f"{module}:hang"), ["ReLU", "PReLU"]).cells
    ]
    assert [bool(text) for text in found] == [True, False]


def test_what_a_hanging_function_leaves_behind(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process of its own that keeps the pipe open is not waited for."""
    monkeypatch.setenv("ONNX_ACTS_TIME_LIMIT", "2")
    (cell,) = judged(Custom(f"{module}:orphan"), ["ReLU"]).cells
    assert not Path("left.txt").exists()
    assert "it gave no answer within 2 s, and is not asked again" in cell.failures[0].message


def test_a_module_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be loaded."""
    (tmp_path / "sleeps.py").write_text("import time\ntime.sleep(1000)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONNX_ACTS_TIME_LIMIT", "2")
    found = Custom("sleeps:run").unavailable()
    assert found == "it cannot be loaded: it gave no answer within 2 s, and is not asked again"


@pytest.mark.parametrize("text", ["0", "-1", "soon", "nan", "inf"])
def test_a_limit_that_is_none(module: str, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What is no number of seconds is refused by its name."""
    monkeypatch.setenv("ONNX_ACTS_TIME_LIMIT", text)
    found = Custom(f"{module}:run").unavailable()
    assert found == f"ONNX_ACTS_TIME_LIMIT={text}: expected a number of seconds above 0"


def test_odd_words_are_in_every_report(module: str) -> None:
    """What no file can hold, and what a terminal would obey, stands there escaped."""
    result = judged(Custom(f"{module}:odd"), ["ReLU"])
    texts = [reports.WRITERS[name](result, environment(), "") for name in ("json", "markdown")]
    for text in (*texts, reports.junit_text(result), reports.table_text(result, environment())):
        assert "\x1b" not in text
        assert "\\x1b[31m" in text
        text.encode()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module:run", "No module named 'no_such_module'"),
        ("{}:none", "the module own_of_a_user has no 'none'"),
        ("{}:number", "own_of_a_user:number cannot be called: it is a int"),
        (":run", "':run' is not of the form module:callable"),
        ("{}:", "'own_of_a_user:' is not of the form module:callable"),
    ],
)
def test_what_cannot_be_loaded(module: str, name: str, message: str) -> None:
    """It is unavailable, with the reason."""
    assert Custom(name.format(module)).unavailable() == f"it cannot be loaded: {message}"


def test_a_module_that_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is one that does not survive its own import, or raises something unusual."""
    (tmp_path / "ends.py").write_text("import os\nos._exit(1)\n")
    (tmp_path / "raises.py").write_text("{}['key']\n")
    monkeypatch.chdir(tmp_path)
    wanted = "it cannot be loaded: its process died with exit status 1"
    assert Custom("ends:run").unavailable() == wanted
    assert Custom("raises:run").unavailable() == "it cannot be loaded: KeyError: 'key'"


def test_refusals_in_the_words_of_a_runtime(module: str) -> None:
    """A message that matches is "not implemented", and the match is told; else it is an error."""
    refusing = Custom(f"{module}:run", refusals=[r"type \d+ is not supported"])
    assert refusing.unsupported(case("PReLU")) == "type 7 is not supported"
    strict = Custom(f"{module}:run")
    assert strict.unsupported(case("PReLU")) == ""
    with pytest.raises(RuntimeError, match="type 7 is not supported by this build"):
        strict.run(case("PReLU"))


def test_a_case_is_computed_once(module: str) -> None:
    """What `unsupported` has computed, `run` returns; a second run computes again."""
    runtime = Custom(f"{module}:count")
    both = case("RReLU", outputs=2)
    assert runtime.unsupported(both) == ""
    calls, process = runtime.run(both)
    assert calls == 0
    assert runtime.run(both)[1] == process, "one process for all calls"


def test_number_of_outputs(module: str) -> None:
    """One of two is not implemented; of more than were asked for, the first count."""
    one = Custom(f"{module}:run")
    assert one.unsupported(case("RReLU", outputs=2)) == "it returned one output of 2"
    assert len(Custom(f"{module}:two").run(case())) == 1


def test_runtimes_travel(module: str) -> None:
    """A runtime can be sent to another process, and starts its own there; so by its name."""
    runtime = Custom(f"{module}:run")
    runtime.run(case())
    copy = pickle.loads(pickle.dumps(runtime))
    assert copy.run(case())[0].tolist() == runtime.run(case())[0].tolist()
    assert runtime_of(f"{module}:run") is runtime_of(f"{module}:run")


def test_every_adapter_has_a_place() -> None:
    """Adapters and the catalogue name the same runtimes; none of them is in a plain run."""
    folder = Path(sys.modules[Custom.__module__].__file__ or "").parent / "adapters"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "call", "torch_call"}
    assert modules == {item.name.replace("-", "_") for item in FOREIGN}
    assert not {item.name for item in FOREIGN} & {item.name for item in RUNTIMES}
    assert len({item.name for item in ALL_RUNTIMES}) == len(ALL_RUNTIMES)


def test_what_is_not_installed() -> None:
    """It says how it is installed, before anything is loaded."""
    absent = Foreign("jax", "JAX", "jax", ["json", "no_such_module"], "pip install it")
    assert absent.unavailable() == "not installed: pip install it"
    assert facts_of(absent).missing == absent.unavailable()
    (cell,) = judged(absent, ["ELU"]).cells
    assert (cell.status, cell.reasons) == ("n/a", ["not installed: pip install it"])


def test_foreign_runtimes_do_inference_only() -> None:
    """Training, a second output and operators without a standard one are refused in words."""
    jax = next(item for item in FOREIGN if item.name == "jax")
    both = dataclasses.replace(case("RReLU"), outputs=2)
    assert jax.unsupported(both) == "LeakyRelu computes inference only"
    trained = case("RReLU", attributes={"training_mode": 1})
    assert jax.unsupported(trained) == "LeakyRelu computes inference only"


@pytest.mark.slow
@pytest.mark.parametrize("item", FOREIGN, ids=lambda item: item.name)
def test_foreign_runtimes_differ_as_on_record(item: Foreign) -> None:
    """On special values in two types, whatever is installed here."""
    if item.unavailable():
        pytest.skip(item.unavailable())
    slow = item.name in ("executorch", "pytorch-compiled")
    specs = [spec_of("ELU")] if slow else SPECS
    dtypes = ["float32"] if slow else ["bfloat16", "float32"]
    result = run(Selection(specs, dtypes, ["special"], [item], quick=True))
    failures = [failure for cell in result.cells for failure in cell.failures]
    assert result.ok, (failures, result.stale)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["jax", "litert", "openvino"])
def test_foreign_runtimes_in_every_group(name: str) -> None:
    """The same with all groups of cases; in other types than float32 with odd parameters."""
    item = runtime_of(name)
    if item.unavailable():
        pytest.skip(item.unavailable())
    whole = Selection(runtimes=[item], dtypes=["float32"], quick=True)
    others = [dtype for dtype in ELEMENT_TYPES if dtype != "float32"]
    odd = dataclasses.replace(whole, dtypes=others, groups=["attributes", "slopes"])
    for result in (run(whole), run(odd)):
        failures = [failure for cell in result.cells for failure in cell.failures]
        assert result.ok, (failures, result.stale)


@pytest.mark.slow
def test_the_runtimes_of_the_extra_are_here() -> None:
    """In the tests' own environment the four are installed, in the versions that were seen."""
    for name in ("jax", "openvino", "litert", "executorch"):
        item = runtime_of(name)
        if importlib.util.find_spec("jax") is None:
            pytest.skip("the extra 'runtimes' is not installed")
        assert item.unavailable() == ""
        assert version_tuple(version_of(item))


def executorch() -> Runtime:
    """The runtime; a test is skipped where it is not installed."""
    item = runtime_of("executorch")
    if item.unavailable():
        pytest.skip(item.unavailable())
    return item


@pytest.mark.slow
def test_executorch_refuses_many_dimensions() -> None:
    """More than XNNPACK takes are not implemented, in words."""
    deep = Case("ReLU", "float32", [np.ones((1,) * 7, np.float32)])
    assert executorch().unsupported(deep).startswith("at most 6 dimensions: Failed to execute")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (("LeakyReLU", "float32", "attributes", "alpha=-0"), "it takes a parameter of -0 as 0"),
        (
            ("LeakyReLU", "float32", "attributes", "alpha=1+1*2^-24"),
            "it reads the parameter from decimal text",
        ),
        (
            ("PReLU", "float32", "slopes", "slope values: negative"),
            "it multiplies where x <= 0 rather than x < 0",
        ),
        (
            ("LeakyReLU", "bfloat16", "attributes", "alpha=1e39"),
            "ExecuTorch refuses a parameter that overflows in bfloat16",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_executorch_differs_as_on_record(place: tuple[str, ...], reason: str) -> None:
    """Where its files, its exporter and its kernels do otherwise; an error is one, not "n/a"."""
    item, case = executorch(), find_case(*place)
    assert item.unsupported(case) == ""
    outcome = judge(item, case, 1.5)
    assert not outcome.ok
    records = Ledger(KNOWN_DIFFERENCES)
    reasons = records.explain("executorch", version_of(item), case, outcome, 1.5)
    assert any(text.startswith(reason) for text in reasons), (outcome, reasons)


def test_bfloat16_arrays_travel(module: str) -> None:
    """Element types that NumPy does not have itself go there and back."""
    x = np.array([-1.0, 2.0]).astype(numpy_type("bfloat16"))
    (y,) = Custom(f"{module}:run").run(Case("ReLU", "bfloat16", [x]))
    assert (y.dtype, y.tolist()) == (x.dtype, [0, 2])
