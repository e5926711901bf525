"""Several processes: the same result, in the same order."""

import dataclasses
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx_acts
from onnx_acts.conformance import jobs
from onnx_acts.conformance.case import Case
from onnx_acts.conformance.jobs import spread
from onnx_acts.conformance.known_differences import KNOWN_DIFFERENCES
from onnx_acts.conformance.runtimes import runtime_of
from onnx_acts.conformance.suite import Result, Selection, run
from onnx_acts.definition import reference
from onnx_acts.definition.specs import spec_of
from tests.building import ROOT
from tests.environments import large_environment

CHOSEN = Selection(
    [spec_of("ELU"), spec_of("QLinearPReLU")],
    ["float32", "uint8"],
    ["special", "attributes", "refused", "quantized"],
    [runtime_of(name) for name in ("library", "standard", "reference")],
    quick=True,
)


class Last:
    """A runtime that no other process can import: the last element is one step too large."""

    name, title, package, promise = "last", "the last one", "onnx", "exact"

    def unavailable(self) -> str:
        """It is always here."""
        return ""

    def unsupported(self, case: Case) -> str:
        """It has an answer to everything."""
        return ""

    def run(self, case: Case) -> list[Any]:
        """Computes, then spoils."""
        with np.errstate(all="ignore"):
            y = np.array(reference.rounded(case.exact()[0], case.inputs[0].dtype))
        y.reshape(-1)[-1:] = 77
        return [y]


def content(result: Result) -> list[Any]:
    """Everything that a result says."""
    return [*map(dataclasses.asdict, result.cells), *result.stale]


def test_several_jobs_give_the_same() -> None:
    """Cells, failures with their programs, known and stale records, in the same order."""
    selection = dataclasses.replace(CHOSEN, runtimes=[*CHOSEN.runtimes, Last()])
    wide = dataclasses.replace(KNOWN_DIFFERENCES[0], cases="alpha=*")
    told: dict[int, list[str]] = {1: [], 2: []}
    found = {
        number: run(selection, (*KNOWN_DIFFERENCES, wide), told[number].append, number)
        for number in told
    }
    one, two = map(content, found.values())
    assert repr(one) == repr(two)
    assert told[1] == told[2]
    assert found[2].cells[3].failures, "the runtime that was sent is wrong"


def twice(number: int) -> int:
    """A task."""
    return 2 * number


@pytest.mark.parametrize("number", [1, 2, -1])
def test_order(number: int) -> None:
    """Results come in the order of their tasks."""
    assert list(spread(twice, [(i,) for i in range(40)], number)) == list(range(0, 80, 2))


@pytest.mark.parametrize("number", [0, -2])
def test_no_such_number(number: int) -> None:
    """A number of processes, or -1."""
    with pytest.raises(ValueError, match=f"got {number}"):
        spread(twice, [], number)


def test_without_joblib(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process needs nothing; for several the message says what to install."""
    monkeypatch.setattr(jobs, "can_spread", lambda: False)
    assert list(spread(twice, [(1,)], 1)) == [2]
    with pytest.raises(ValueError, match=r"pip install 'onnx-acts\[conform\]'"):
        spread(twice, [(1,)], 2)


def test_another_backend() -> None:
    """What joblib is configured to use is used, one without a generator of results too."""
    import joblib
    from joblib._parallel_backends import ThreadingBackend
    from joblib.parallel import register_parallel_backend

    asked: list[int] = []

    class Plain(ThreadingBackend):  # type: ignore[misc]  # joblib has no types
        supports_return_generator = False

        def effective_n_jobs(self, n_jobs: int) -> int:
            asked.append(n_jobs)
            return int(super().effective_n_jobs(n_jobs))

    register_parallel_backend("plain", Plain)
    with joblib.parallel_config(backend="plain"):
        assert list(spread(twice, [(1,), (2,)], 3)) == [2, 4]
    assert 3 in asked


PROGRAM = """
import dataclasses, joblib
from onnx_acts.conformance import Selection, run, runtime_of
from onnx_acts.conformance.jobs import spread
from onnx_acts.definition.specs import spec_of
CLUSTER
def content(result):
    return repr([*map(dataclasses.asdict, result.cells), *result.stale])
if __name__ == "__main__":
    chosen = Selection(
        [spec_of("ELU"), spec_of("QLinearPReLU")],
        ["float32", "uint8"],
        ["special", "attributes", "refused", "quantized"],
        [runtime_of(name) for name in ("library", "standard")],
        quick=True,
    )
    with cluster():
        there = all(spread(is_there, [()] * 20, 2))
        found = run(chosen, jobs=2)
    print("CELLS", len(found.cells), found.ok, content(found) == content(run(chosen)))
    print("THERE", there)
"""

CLUSTERS = {
    "ray": """
import contextlib, ray
from ray.util.joblib import register_ray
def is_there():
    return ray.is_initialized()
@contextlib.contextmanager
def cluster():
    register_ray()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    with joblib.parallel_config(backend="ray"):
        yield
    ray.shutdown()
""",
    "dask": """
import contextlib
from distributed import Client, get_worker
def is_there():
    try:
        return bool(get_worker())
    except ValueError:
        return False
@contextlib.contextmanager
def cluster():
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None):
        with joblib.parallel_config(backend="dask"):
            yield
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CLUSTERS)
def test_clusters(name: str, tmp_path: Path) -> None:
    """The same on a local cluster, in its processes."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.replace("CLUSTER", CLUSTERS[name]))
    library = str(onnx_acts.library_path())
    done = subprocess.run(
        [large_environment(name), program],
        env={**os.environ, "PYTHONPATH": str(ROOT), "ONNX_ACTS_LIBRARY": library},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert "CELLS 8 True True" in done.stdout, done.stderr
    assert "THERE True" in done.stdout, done.stdout
