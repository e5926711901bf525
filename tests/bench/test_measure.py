"""What is measured is verified, and complete. Nothing is timed."""

import dataclasses
import importlib.util
from collections.abc import Callable

import numpy as np
import pytest

from onnx_acts.bench.measure import Plan, measure_row, run
from onnx_acts.bench.peers import PEERS, Peer
from onnx_acts.bench.prepared import Prepared, UnsupportedError
from onnx_acts.bench.variants import SLOPES, as_column
from onnx_acts.bench.workload import LARGE, LEAKY_FAMILY, SIZES, Workload, make_workload
from onnx_acts.conformance import runtime_of
from onnx_acts.conformance.case import limits_of
from onnx_acts.definition.reference import rounded
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, Spec, spec_of

BY_NAME = {peer.name: peer for peer in PEERS}
BODIES = BY_NAME["bodies"]
SECONDS = 1e-6

needs_library = pytest.mark.skipif(
    bool(runtime_of("library").unavailable()), reason="no native library"
)


def altered(change: Callable[[np.ndarray], None], of: Peer = BODIES) -> Peer:
    """A peer with its result changed afterwards."""

    def prepare(workload: Workload) -> Prepared:
        right = of.prepare(workload)

        def call() -> None:
            right.call()
            change(workload.y.reshape(-1))

        return Prepared(call, right.output)

    return dataclasses.replace(of, name="altered", prepare=prepare)


def change_tail(y: np.ndarray) -> None:
    """Changes the last element alone."""
    y[-1] = y[-1] + 1


def lose_the_negative_branch(y: np.ndarray) -> None:
    """Makes it a ReLU."""
    np.maximum(y, 0, out=y)


def one_percent_off(y: np.ndarray) -> None:
    """Scales the result."""
    y *= y.dtype.type(1.01)


def do_nothing(workload: Workload) -> Prepared:
    """Computes nothing."""
    return Prepared(lambda: None, lambda: workload.y)


WRONG = [altered(change_tail), altered(lose_the_negative_branch), altered(one_percent_off)]
WRONG += [Peer("idle", "leaves y as it was", do_nothing)]


@pytest.mark.parametrize("peer", WRONG)
def test_wrong_peer_is_rejected(peer: Peer) -> None:
    """A peer that computes something else, or nothing, is not measured."""
    workload = make_workload(spec_of("ELU"), "float32", "16K", 1)
    with pytest.raises(RuntimeError, match=f"{peer.name} does not compute ELU float32"):
        measure_row(workload, [peer], SECONDS)


def test_result_of_an_earlier_peer_does_not_count() -> None:
    """What another peer left in y is wiped out before a peer is verified."""
    workload = make_workload(spec_of("ELU"), "float32", "16K", 1)
    with pytest.raises(RuntimeError, match="idle does not compute ELU float32"):
        measure_row(workload, [BODIES, WRONG[-1]], SECONDS)


def test_verification_covers_large_tensors() -> None:
    """What is verified of a tensor that is not small includes its last element."""
    workload = make_workload(spec_of("PReLU"), "float16", "1x64x112x112", 1)
    measure_row(workload, [BODIES], SECONDS)
    with pytest.raises(RuntimeError, match="element 802815 "):
        measure_row(workload, [altered(change_tail)], SECONDS)


def test_rows_follow_from_the_table() -> None:
    """One row for each operator, element type, size and number of threads, with every peer."""
    plan = Plan(sizes=["1"], threads=[1, 2], seconds=SECONDS)
    rows = list(run(plan))
    assert [(row.name, row.dtype, row.size, row.threads) for row in rows] == [
        (spec.name, dtype, "1", threads)
        for spec in SPECS
        for dtype in ELEMENT_TYPES
        for threads in (1, 2)
    ]
    for row in rows:
        default = {peer.name for peer in PEERS if not peer.on_request and not peer.variant}
        assert set(row.times) | set(row.absent) == default
        assert not set(row.times) & set(row.absent)
        assert {"copy", "bodies"} <= set(row.times)
        assert ("library" in row.times) == (not runtime_of("library").unavailable())
        assert ("parallel copy" in row.times) == (row.threads == 2)
        assert all(found.median > 0 and found.turns >= 5 for found in row.times.values())


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_chain(spec: Spec, dtype: str) -> None:
    """ONNX Runtime's peers compute the operator 200 times over; the others have no chain."""
    workload = make_workload(spec, dtype, "chain-1", 1)
    assert workload.nodes == 200
    workload.x[...] = -1.5
    row = measure_row(workload, PEERS, SECONDS)
    assert {"copy", "pytorch"} <= set(row.absent)
    assert "bodies" in row.times
    known = set(row.times) | set(row.absent)
    assert ("ort-relu" in known) == (spec.name in LEAKY_FAMILY)
    if dtype == "float32" and spec.name in LEAKY_FAMILY:
        assert "ort-relu" in row.times


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_values_of_a_chain_stay_normal(spec: Spec, dtype: str) -> None:
    """No node of a chain meets subnormal numbers, with which some processors are slow, or zeros.

    Of float16, whose normal numbers end at 6e-5, few do: some of x itself are below.
    """
    workload = make_workload(spec, dtype, "chain-16K", 1)
    limits, case = limits_of(workload.x.dtype), workload.case
    values = workload.x
    for _ in range(workload.nodes):
        (exact,) = dataclasses.replace(case, inputs=[values, *case.inputs[1:]]).exact()
        values = rounded(exact, workload.x.dtype)
    magnitudes = np.abs(values[workload.x < 0].astype(np.float64))
    if spec.parameter_source == "none":
        assert (magnitudes == 0).all(), "what is zero stays zero"
        return
    small = np.mean(magnitudes < float(limits.smallest_normal))
    assert small <= (1e-3 if dtype == "float16" else 0)
    assert magnitudes.max() < 100


def test_chain_is_verified() -> None:
    """A chain of another length is not taken for one of 200 nodes."""
    workload = make_workload(spec_of("ELU"), "float32", "chain-1", 1)
    workload.x[...] = -1.5
    single = dataclasses.replace(workload, size="1")
    wrong = dataclasses.replace(BODIES, prepare=lambda _: BODIES.prepare(single))
    with pytest.raises(RuntimeError, match="bodies does not compute ELU float32"):
        measure_row(workload, [wrong], SECONDS)


def test_workload() -> None:
    """Half of x is negative, x and y lie on cache lines, slopes are per channel."""
    first, second = (make_workload(spec_of("PReLU"), "float32", "16K", 1) for _ in range(2))
    assert np.array_equal(first.x, second.x)
    assert 0.45 < np.mean(first.x < 0) < 0.55
    assert first.x.ctypes.data % 64 == first.y.ctypes.data % 64 == 0
    assert first.case.inputs[1].shape == (64, 1, 1)


def test_sizes_are_those_promised() -> None:
    """The first layers of a network alone and in a batch, 16K elements, one element."""
    assert SIZES["1x64x112x112"] == (1, 64, 112, 112)
    assert SIZES["32x64x112x112"] == (32, 64, 112, 112)
    assert [np.prod(SIZES[name]) for name in ("16K", "1")] == [16384, 1]


def small(operator: str, dtype: str = "float32", of: str = LARGE[0]) -> Workload:
    """A workload that passes for a large one, of a few elements."""
    workload = make_workload(spec_of(operator), dtype, "16K", 1)
    part = workload.x[:, :4, :3, :5].copy()
    inputs = [part, *(slope[:4] for slope in workload.case.inputs[1:])]
    case = dataclasses.replace(workload.case, inputs=inputs)
    return dataclasses.replace(workload, case=case, size=of, y=np.zeros_like(part))


SHAPES = {
    "slope-last": (5,),
    "slope-full": (1, 4, 3, 5),
    "slope-scalar": (1,),
    "slope-N1H1": (1, 1, 3, 1),
    "slope-1C1W": (1, 4, 1, 5),
}


@pytest.mark.parametrize("name", SLOPES)
def test_slope_variants(name: str) -> None:
    """Each is PReLU on the same x with a slope of its shape, half of it different values."""
    workload = small("PReLU")
    changed = SLOPES[name](workload)
    assert changed is not None
    assert changed.x is workload.x
    assert changed.y is workload.y
    slope = changed.case.inputs[1]
    assert slope.shape == SHAPES[name]
    assert np.unique(slope).size > slope.size / 2
    assert SLOPES[name](small("ReLU")) is None
    assert SLOPES[name](make_workload(spec_of("PReLU"), "float32", "16K", 1)) is None


def test_column() -> None:
    """The same elements in the same buffers, in a shape that ends in 1, with the same slopes."""
    workload = small("PReLU")
    changed = as_column(workload)
    assert changed is not None
    batch, channels, height, width = workload.x.shape
    assert changed.x.shape == changed.y.shape == (batch, channels, height * width, 1)
    assert np.shares_memory(changed.x, workload.x)
    assert np.shares_memory(changed.y, workload.y)
    assert changed.case.inputs[1] is workload.case.inputs[1]
    assert as_column(make_workload(spec_of("ELU"), "float32", "1", 1)) is None


@needs_library
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize(
    ("operator", "variants"), [("PReLU", set(SLOPES)), ("ELU", {"selu-alpha"}), ("ReLU", set())]
)
def test_variants_are_measured_beside_ours(operator: str, variants: set[str], dtype: str) -> None:
    """Rows of the large sizes have the variants of their operator, each verified."""
    peers = [peer for peer in PEERS if peer.variant or peer.name == "library"]
    row = measure_row(small(operator, dtype), peers, SECONDS)
    assert set(row.times) == {"library", "bodies-column", *variants}
    assert not row.absent


@needs_library
@pytest.mark.parametrize(
    ("name", "operator"), [("slope-full", "PReLU"), ("selu-alpha", "ELU"), ("training", "RReLU")]
)
def test_variants_are_verified(name: str, operator: str) -> None:
    """A variant that computes what its row computes is not taken for the variant."""
    peer = BY_NAME[name]
    workload = small(operator)
    row = measure_row(workload, [peer], SECONDS)
    assert set(row.times) == {name}
    wrong = dataclasses.replace(peer, prepare=lambda _: BY_NAME["library"].prepare(workload))
    with pytest.raises(RuntimeError, match=f"{name} does not compute {operator}"):
        measure_row(workload, [wrong], SECONDS)


@needs_library
def test_random_slopes_are_those_of_the_elements() -> None:
    """A sample of the elements is compared with the draws of just these elements."""
    workload = make_workload(spec_of("RReLU"), "float32", LARGE[0], 1)
    assert set(measure_row(workload, [BY_NAME["training"]], SECONDS).times) == {"training"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's own, while it compiles
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_compiled_function_is_verified_and_measured(dtype: str) -> None:
    """torch.compile's peer computes the operator, or says why it is absent."""
    pytest.importorskip("torch")
    workload = make_workload(spec_of("PReLU"), dtype, "16K", 1)
    row = measure_row(workload, [BY_NAME["compiled"]], SECONDS)
    if "compiled" in row.absent:
        assert row.absent["compiled"].startswith("torch.compile failed: ")
    else:
        assert row.times["compiled"].turns >= 5


def test_compiler_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a C++ compiler the peer is absent with PyTorch's reason."""
    torch = pytest.importorskip("torch")

    def fail(*arguments: object) -> None:
        raise RuntimeError("no C++ compiler\nand more")

    monkeypatch.setattr(torch, "compile", lambda function, dynamic: fail)
    workload = make_workload(spec_of("ELU"), "float32", "1", 1)
    row = measure_row(workload, [BY_NAME["compiled"]], SECONDS)
    assert row.absent == {"compiled": "torch.compile failed: no C++ compiler"}


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("size", ["16K", "chain-1"])
def test_openvino(dtype: str, size: str) -> None:
    """Where OpenVINO is installed its results are verified; else, or in float64, it says so."""
    row = measure_row(make_workload(spec_of("PReLU"), dtype, size, 1), [BY_NAME["openvino"]], 1e-6)
    if not importlib.util.find_spec("openvino"):
        assert row.absent == {"openvino": "OpenVINO is not installed"}
    elif dtype == "float64":
        assert row.absent == {"openvino": "OpenVINO computes float64 in float32"}
    else:
        assert row.times["openvino"].turns >= 5


def test_absent_peer_is_told() -> None:
    """A peer that cannot compute a workload is absent with its reason."""

    def refuse(workload: Workload) -> Prepared:
        raise UnsupportedError("no kernel")

    workload = make_workload(spec_of("ELU"), "float32", "1", 1)
    row = measure_row(workload, [Peer("other", "", refuse)], SECONDS)
    assert (dict(row.times), row.absent) == ({}, {"other": "no kernel"})
