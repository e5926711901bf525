"""The benchmark of CUDA, on the CPU: whether it measures what it says."""

from typing import Any

import pytest
import torch

from onnx_acts.definition.specs import SPECS, spec_of
from onnx_acts.ort.sessions import CPU
from tests.gpu import bench_cuda


@pytest.fixture
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU in the place of the GPU, and little to do."""
    monkeypatch.setattr(bench_cuda, "DEVICE", "cpu")
    monkeypatch.setattr(bench_cuda, "provider", lambda: CPU)
    monkeypatch.setattr(bench_cuda, "synchronize", lambda: None)
    monkeypatch.setattr(bench_cuda, "TURNS", 2)
    monkeypatch.setattr(bench_cuda, "SIZES", {"large": (2, 3, 4, 5), "64K": (1, 3, 4, 5)})


@pytest.mark.usefixtures("on_the_cpu")
def test_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every operator and size; a time or a reason for every peer."""

    def not_compiled(*arguments: Any, compiled: bool) -> bench_cuda.Call:
        if compiled:
            raise RuntimeError("takes long\nand is left out")
        return original(*arguments, compiled=compiled)

    original: Any = bench_cuda.torch_call
    monkeypatch.setattr(bench_cuda, "torch_call", not_compiled)
    monkeypatch.setattr(bench_cuda, "ELEMENT_TYPES", ("float16", "float32"))
    rows = list(bench_cuda.run())
    found = {(row["operator"], row["dtype"], row["size"]) for row in rows}
    assert len(found) == len(rows) == len(SPECS) * 2 * 2
    for row in rows:
        assert row["seconds"].keys() >= {"copy", "library", "relu", "pytorch"}
        assert all(0 < seconds < 1 for seconds in row["seconds"].values())
        assert row["absent"]["compiled"] == "takes long"
        peers = row["seconds"].keys() | row["absent"].keys()
        assert peers == {"copy", "library", "standard", "relu", "pytorch", "compiled"}


@pytest.mark.usefixtures("on_the_cpu")
def test_other_results_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node of ours that computes something else, or does not run, ends the benchmark."""
    y = torch.zeros(3)

    def ready(value: float) -> dict[str, bench_cuda.Call]:
        wanted = torch.tensor([1.0, 2.0, 3.0])
        return {"library": lambda: y.copy_(wanted + value), "pytorch": lambda: wanted}

    bench_cuda.check(ready(0), y)
    with pytest.raises(RuntimeError, match="something else than PyTorch"):
        bench_cuda.check(ready(1e-4), y)
    with pytest.raises(RuntimeError, match="our node did not run"):
        bench_cuda.check({}, y)
    with pytest.raises(RuntimeError, match=r"PyTorch.* did not run"):
        bench_cuda.check({"library": ready(0)["library"]}, y)
    monkeypatch.setattr(bench_cuda, "session_call", lambda *_: 1 / 0)
    with pytest.raises(RuntimeError, match="did not run"):
        bench_cuda.peers(spec_of("ReLU"), "float32", "64K")
