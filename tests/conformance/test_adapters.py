"""What adapters are given, and what they say of themselves."""

import importlib.util
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.cases import cases
from onnx_acts.conformance.models import has_single_parameters, standard_model
from onnx_acts.conformance.runtimes.adapters.call import standard_call
from onnx_acts.conformance.runtimes.catalogue import FOREIGN
from onnx_acts.conformance.runtimes.foreign import Foreign
from onnx_acts.conformance.suite import Selection, run
from onnx_acts.definition.specs import SPECS, Spec, spec_of
from onnx_acts.definition.validation import accepts

SCALED = [spec for spec in SPECS if spec.standard and spec.standard.attributes]


@pytest.mark.parametrize("spec", SCALED, ids=lambda spec: spec.name)
def test_parameters_are_those_of_the_standard_node(spec: Spec) -> None:
    """To the bit, the sign of zero among them: what reads calls and what reads models agree."""
    signs = set()
    names = [item.name for item in spec.attributes if item.kind == "real"]
    for case in cases(spec, "float32", "attributes", quick=False):
        if case.training or case.bare or not has_single_parameters(case):
            continue
        alpha = standard_call(case.operator, case.inputs, case.values).alpha
        (attribute,) = standard_model(case).graph.node[0].attribute
        with np.errstate(over="ignore"):
            single = np.float32(alpha)
        assert struct.pack("f", single) == struct.pack("f", attribute.f), case.name
        signs |= {bool(np.signbit(alpha))} if alpha == 0 else set()
    assert signs == ({False, True} if accepts(spec, dict.fromkeys(names, 0.0)) else set())


def test_a_compiler_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Clang tinygrad is not there, in words; its cases are no failures."""
    (tmp_path / "tinygrad.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("CC", "no-such-compiler")
    (item,) = (item for item in FOREIGN if item.name == "tinygrad")
    absent = type(item)(item.name, item.title, item.package, ["tinygrad"], "")
    said = "it cannot be loaded: it compiles with no-such-compiler, which is not installed"
    assert absent.unavailable() == said
    (cell,) = run(Selection([spec_of("ReLU")], ["float32"], ["special"], [absent], True)).cells
    assert (cell.status, cell.reasons) == ("n/a", [said])


def each_differs() -> Iterator[Case]:
    """Cases with results that every type has: each differs in one thing from one before it."""
    negative, other = np.array([-2.0, 4.0, -8.0, 1.0]), np.array([-16.0, -4.0, 2.0, -1.0])
    for x, dtype, alpha in (
        (negative, "float32", 0.5),
        (other, "float32", 0.5),
        (other, "float32", 0.25),
        (other.reshape(2, 2), "float32", 0.25),
        (other, "float16", 0.25),
        (negative, "float32", 0.5),
    ):
        yield Case("LeakyReLU", dtype, [x.astype(dtype)], {"alpha": alpha})
    for slope in ([0.5], [0.25], [0.25, 0.5]):
        slopes = np.array(slope, np.float32)
        yield Case("PReLU", "float32", [other.reshape(2, 2).astype(np.float32), slopes])


@pytest.mark.slow
@pytest.mark.parametrize("item", FOREIGN, ids=lambda item: item.name)
def test_what_is_kept_is_that_of_the_call(item: Foreign) -> None:
    """A program of an earlier call serves where numbers differ, and nowhere else."""
    if item.unavailable():
        pytest.skip(item.unavailable())
    answered = 0
    for case in each_differs():
        if item.unsupported(case):
            continue
        x, *slopes = case.inputs
        slope = slopes[0] if slopes else case.values["alpha"]
        assert item.run(case)[0].tolist() == np.where(x < 0, x * slope, x).tolist(), case
        answered += 1
    assert answered > 3


SAME_FILES = """
import numpy as np, torch
from onnx_acts.conformance.runtimes.adapters import executorch as adapter
from onnx_acts.conformance.runtimes.adapters.call import standard_call
from onnx_acts.conformance.runtimes.adapters.torch_call import TorchCall
x, slope = np.ones((2, 3), np.float32), np.ones(1, np.float32)
known = [("ReLU", [x], {}), ("ELU", [x], {"alpha": 0.3}), ("PReLU", [x, slope], {})]
calls = [TorchCall(standard_call(*call)) for call in known]
found = [adapter.file_of(call) for call in calls]
slow = torch._export.utils._collect_all_valid_cia_ops
for module in (torch.export.exported_program, torch.export.decomp_utils):
    assert module._collect_all_valid_cia_ops is not slow
    module._collect_all_valid_cia_ops = slow
print("FILES", len(set(found)), found == [adapter.file_of(call) for call in calls])
"""


@pytest.mark.slow
def test_files_of_executorch_are_made_faster_not_otherwise() -> None:
    """With what PyTorch looks up itself they are the same to the byte."""
    if importlib.util.find_spec("executorch") is None:
        pytest.skip("not installed: pip install 'onnx-acts[runtimes]'")
    command = [sys.executable, "-c", SAME_FILES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "FILES 3 True" in done.stdout, done.stderr


TOO_MANY = """
import numpy as np, torch
from onnx_acts.conformance.runtimes.adapters import pytorch_compiled as adapter
print("ROOM", torch._dynamo.config.accumulated_recompile_limit)
torch._dynamo.config.accumulated_recompile_limit = 2
for rank in range(1, 5):
    adapter.run("ReLU", [np.ones((2,) * rank, np.float32)], {})
    print("RANK", rank)
"""


@pytest.mark.slow
def test_what_pytorch_does_not_compile_is_no_result() -> None:
    """There is room for every form of a call; beyond it an error comes, not an eager result."""
    command = [sys.executable, "-c", TOO_MANY]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "ROOM 1000000" in done.stdout, done.stderr
    assert "RANK 2" in done.stdout, done.stderr
    assert "RANK 4" not in done.stdout
    assert "FailOnRecompileLimitHit" in done.stderr


@pytest.mark.slow
def test_tvm_takes_no_gigabytes() -> None:
    """Of a tensor without elements whose dimension 1 is huge, PReLU would repeat the slope."""
    (item,) = (item for item in FOREIGN if item.name == "tvm")
    if item.unavailable():
        pytest.skip(item.unavailable())
    huge = Case("PReLU", "float16", [np.zeros((0, 2**31), np.float16), np.ones(1, np.float16)])
    assert "gigabytes" in item.unsupported(huge)
    assert item.unsupported(Case("ReLU", "float16", huge.inputs[:1])) == ""
