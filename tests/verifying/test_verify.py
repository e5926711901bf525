"""What `verify` says: outputs in words and as data, the user's tolerance, bad input, reports."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import onnx_acts
from onnx_acts.verifying.json_text import FORMAT, json_text
from onnx_acts.verifying.page import page
from onnx_acts.verifying.words import summary
from tests.cli.running import run


def small(
    operator: str = "Neg", *, inputs: int = 1, outputs: int = 1, free: bool = True
) -> onnx.ModelProto:
    """A node of an operator for each output, all of the first input."""
    value = helper.make_tensor_value_info
    sizes: list[str | int | None] = ["N", 3] if free else [2, 3]
    graph = helper.make_graph(
        [helper.make_node(operator, ["x0"], [f"y{i}"], name=f"n{i}") for i in range(outputs)],
        "small",
        [value(f"x{i}", TensorProto.FLOAT, sizes) for i in range(inputs)],
        [value(f"y{i}", TensorProto.FLOAT, sizes) for i in range(outputs)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def constant(values: list[float]) -> onnx.ModelProto:
    """A model that gives these numbers, whatever its input."""
    array = np.array(values, np.float32)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Constant", [], ["y"], value=numpy_helper.from_array(array))],
        "constant",
        [value("x", TensorProto.FLOAT, [1])],
        [value("y", TensorProto.FLOAT, [len(values)])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_classes() -> None:
    """NaN, infinities and signs of zero are counted; the last alone is no difference."""
    want = constant([1, 2, math.nan, math.inf, 0.0, 3])
    got = constant([1, math.nan, math.nan, -math.inf, -0.0, 3])
    (output,) = onnx_acts.verify(got, want).outputs
    assert not output.difference.same
    classes = output.difference.classes
    assert (classes.nan, classes.infinity, classes.zero_sign) == (1, 1, 1)
    assert output.difference.beyond == 2
    (output,) = onnx_acts.verify(constant([-0.0, 1]), constant([0.0, 1])).outputs
    assert output.difference.same
    assert output.difference.classes.zero_sign == 1


def test_units() -> None:
    """The worst element is given with its place, both values and the distance in ULP."""
    near = float(np.nextafter(np.float32(1), np.float32(2)))
    (output,) = onnx_acts.verify(constant([2, near]), constant([2, 1])).outputs
    difference = output.difference
    assert difference.same
    assert (difference.where, difference.ulp, difference.max_ulp) == ((1,), 1.0, 1.0)
    assert (difference.want, difference.got) == (1.0, near)


def test_own_tolerance() -> None:
    """The caller's tolerance replaces ours, in both directions, and is recorded."""
    want, got = constant([100.0, 1.0]), constant([101.0, 1.0])
    assert not onnx_acts.verify(got, want).same
    assert onnx_acts.verify(got, want, rtol=0.011).same
    assert not onnx_acts.verify(got, want, rtol=0.009).same
    result = onnx_acts.verify(got, want, atol=1.0)
    assert result.same
    assert result.tolerance == "the caller's: atol 1 + rtol 0 * |want|"
    assert not onnx_acts.verify(constant([near_one()]), constant([1.0]), atol=0).same


def near_one() -> float:
    """The number after 1."""
    return float(np.nextafter(np.float32(1), np.float32(2)))


def test_several_sets() -> None:
    """Several sets of random inputs have several batch sizes, and the same seed the same."""
    first = onnx_acts.verify(small(), small(), random=3, seed=4)
    assert first.inputs == "random, 3 sets, seed 4: x0 float32 [2, 3]"
    assert first == onnx_acts.verify(small(), small(), random=3, seed=4)


def test_given_inputs(tmp_path: Path) -> None:
    """Inputs of one's own, as arrays and from a file, show what random ones may not."""
    big = np.full((1, 3), 1e30, np.float32)
    assert onnx_acts.verify(small("Neg"), small("Neg"), inputs={"x0": big}).same
    np.savez(tmp_path / "in.npz", x0=big)
    result = onnx_acts.verify(small("Neg"), small("Identity"), inputs=tmp_path / "in.npz")
    assert result.outputs[0].difference.want == pytest.approx(1e30)
    assert result.inputs == "given: x0 float32 [1, 3]"


ARRAY = np.zeros((2, 3), np.float32)
BAD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "another number of outputs": (
        lambda _: onnx_acts.verify(small(outputs=2), small()),
        r"the model has 2 outputs \(y0, y1\), the reference has 1 \(y0\)",
    ),
    "another number of inputs": (
        lambda _: onnx_acts.verify(small(), small(inputs=2)),
        r"the model has 1 inputs \(x0\), the reference has 2",
    ),
    "a missing input": (
        lambda _: onnx_acts.verify(small(inputs=2), small(inputs=2), inputs={"x0": ARRAY}),
        r"input 'x1' is missing; the model takes 'x0' of float32 \[N, 3\], 'x1'",
    ),
    "an unknown input": (
        lambda _: onnx_acts.verify(
            small(inputs=2), small(inputs=2), inputs={"x0": ARRAY, "X_1": ARRAY}
        ),
        r"no input 'X_1' \(did you mean x1\?\); it has 'x0', 'x1'",
    ),
    "a wrong shape": (
        lambda _: onnx_acts.verify(small(), small(), inputs={"x0": np.zeros((2, 4))}),
        r"input 'x0' has the shape \[2, 4\]; the model takes 'x0' of float32 \[N, 3\]",
    ),
    "a wrong type": (
        lambda _: onnx_acts.verify(small(), small(), inputs={"x0": np.zeros((2, 3), int)}),
        "input 'x0' is int64; the model takes 'x0' of float32",
    ),
    "no file": (
        lambda folder: onnx_acts.verify(folder / "no.onnx", small()),
        "there is no ONNX file at .*no.onnx",
    ),
    "no inputs": (
        lambda folder: onnx_acts.verify(small(), small(), inputs=folder / "no.npz"),
        "there are no inputs at .*no.npz",
    ),
    "a damaged file": (
        lambda folder: onnx_acts.verify(written(folder / "bad.onnx", b"\xff" * 40), small()),
        "bad.onnx is not a valid ONNX file",
    ),
    "a damaged file of inputs": (
        lambda folder: onnx_acts.verify(
            small(), small(), inputs=written(folder / "bad.npz", b"PK but no archive")
        ),
        "bad.npz is no .npz file of arrays",
    ),
    "a negative tolerance": (
        lambda _: onnx_acts.verify(small(), small(), atol=-1),
        "atol must be 0 or greater and finite, got -1",
    ),
    "no sets": (lambda _: onnx_acts.verify(small(), small(), random=0), "random must be 1 or"),
    "unknown kernels": (
        lambda _: onnx_acts.verify(small(), small(), kernels="fast"),  # type: ignore[arg-type]
        "kernels must be one of 'library', 'bodies', 'standard', got 'fast'",
    ),
    "a shape of no input": (
        lambda _: onnx_acts.verify(small(), small(), shapes={"z": [1, 3]}),
        "the model has no input 'z' to give a shape; it has 'x0'",
    ),
    "no model": (lambda _: onnx_acts.verify(small(), 5), "module must be|expected"),  # type: ignore[arg-type]
    "an operator that there is not": (
        lambda _: onnx_acts.verify(small("Nothing"), small()),
        "ONNX Runtime cannot load the model: .*Nothing",
    ),
}


def written(path: Path, data: bytes) -> Path:
    """A file of these bytes."""
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str, tmp_path: Path) -> None:
    """Bad input gets an error that says what is wrong."""
    call, message = BAD[case]
    with pytest.raises((ValueError, TypeError, OSError), match=message):
        call(tmp_path)


def test_shapes_and_types_of_outputs() -> None:
    """Another shape or element type of an output is a difference, in words."""
    (output,) = onnx_acts.verify(constant([1, 2]), constant([1, 2, 3])).outputs
    assert output.difference.reason == "it has the shape [2], the reference has [3]"
    assert not output.difference.same


def save(folder: Path) -> tuple[Path, Path]:
    """Two files that differ."""
    onnx.save(small("Neg"), folder / "a.onnx")
    onnx.save(small("Abs"), folder / "b.onnx")
    return folder / "a.onnx", folder / "b.onnx"


def test_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit statuses, the reports, and the files of the cause."""
    monkeypatch.chdir(tmp_path)
    a, b = save(tmp_path)
    assert run("verify", a, "--against", a) == 0
    assert "a.onnx against a.onnx: the same" in capsys.readouterr().out
    assert run("verify", a, "--against", b, "--json", "r.json", "--html", "r.html") == 1
    told = capsys.readouterr().out
    assert "a.onnx against b.onnx: different; Neg 'n0' is the first node that causes it" in told
    assert "Neg here, Abs in the reference" in told
    assert (tmp_path / "a-cause" / "show.py").is_file()
    found = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert found["format"] == FORMAT
    assert [cause["name"] for cause in found["causes"]] == ["n0"]
    assert run("verify", a, "--against", b, "--atol", "100") == 0
    assert run("verify", a, "--against", b, "--shape", "x0=1x3", "--cause", "other") == 1
    assert (tmp_path / "other" / "node.onnx").is_file()


def test_the_cause_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in a folder stays: the next cause has a new one, and --cause is checked first."""
    monkeypatch.chdir(tmp_path)
    a, b = save(tmp_path)
    for folder in ("a-cause", "a-cause-2"):
        assert run("verify", a, "--against", b) == 1
        show = tmp_path / folder / "show.py"
        assert show.is_file()
        show.write_text("mine")
    assert (tmp_path / "a-cause" / "show.py").read_text() == "mine"
    capsys.readouterr()
    with pytest.raises(OSError, match="is not empty"):
        run("verify", a, "--against", b, "--cause", "a-cause")
    with pytest.raises(NotADirectoryError, match="it is no folder"):
        run("verify", a, "--against", b, "--cause", "a.onnx")
    with pytest.raises(ValueError, match="is a report's file"):
        run("verify", a, "--against", b, "--cause", "new", "--json", "new")
    with pytest.raises(OSError, match="is not empty"):
        onnx_acts.verify(a, a, folder="a-cause")
    assert not capsys.readouterr().out


def test_the_verdict_outlives_the_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full costs the files of the cause alone."""
    monkeypatch.chdir(tmp_path)
    a, b = save(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("onnx_acts.verifying.causes.write_atomically", full)
    assert run("verify", a, "--against", b) == 1
    told = capsys.readouterr().out
    assert "Neg 'n0' is the first node that causes it" in told
    assert "the cause could not be written: [Errno 28] No space left" in told


def test_reports_that_are_inputs(tmp_path: Path) -> None:
    """No report replaces what is read, or another report."""
    a, b = save(tmp_path)
    before = a.read_bytes(), b.read_bytes()
    for words in (["--json", a], ["--html", b], ["--json", "r", "--html", "r"]):
        with pytest.raises(ValueError, match=r"is read from there|asked for twice"):
            run("verify", a, "--against", b, *words)
    assert (a.read_bytes(), b.read_bytes()) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shape", "x0"], "must have the form NAME=SIZES"),
        (["--weights", "w.safetensors"], "--weights is for the module of a FACTORY"),
        (["--inputs", "i.npz", "--random", "2"], "leave out --random and --shape"),
    ],
)
def test_bad_usage(words: list[str], message: str, tmp_path: Path) -> None:
    """Options that do not go together are refused before anything runs."""
    a, b = save(tmp_path)
    with pytest.raises(ValueError, match=re.escape(message)):
        run("verify", a, "--against", b, *words)


def test_reports_are_safe_and_the_same() -> None:
    """Names of a file are text, not markup; the page loads nothing; two runs give one text."""
    names = "<script>alert(1)</script>"
    model = small("Neg")
    model.graph.node[0].name = names
    results = [onnx_acts.verify(model, small("Abs")) for _ in range(2)]
    for render in (page, json_text, summary):
        assert render(results[0]) == render(results[1])
    text = page(results[0])
    assert names not in text
    assert "&lt;script&gt;" in text
    assert not re.search(r"(src|href)=|url\(|@import|<script|<link", text)
    assert '<path class="cause"' in text


def test_library_against_bodies() -> None:
    """A file against itself compares the library with the function bodies."""
    graph = helper.make_graph(
        [onnx_acts.make_node("ELU", ["x"], ["y"], alpha=1.0)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 64])],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("onnx_acts", 1)]
    model = onnx_acts.accelerate(helper.make_model(graph, opset_imports=opsets, ir_version=8))
    result = onnx_acts.verify(model, model)
    assert result.same
    assert result.kernels == "library"
    assert 0 < result.outputs[0].difference.max_ulp < 30
