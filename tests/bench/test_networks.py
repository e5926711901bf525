"""Whole networks: exported, verified, profiled; on tiny inputs, and nothing is timed."""

import numpy as np
import onnx
import pytest
import torch

from onnx_acts.bench import network_rows
from onnx_acts.bench.network_rows import (
    NETWORK_PEERS,
    Exported,
    export_network,
    measure_network,
    run_networks,
)
from onnx_acts.bench.networks import EDSR, NETWORKS, Network, build
from onnx_acts.bench.prepared import Prepared
from onnx_acts.bench.profiling import share_of_activations
from onnx_acts.conformance import runtime_of
from onnx_acts.files.structure import walk_nodes

pytestmark = pytest.mark.slow

TINY = Network("edsr-prelu", (1, 3, 6, 7), lambda: EDSR(torch.nn.PReLU, blocks=2, channels=8))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A tiny network with its files."""
    return export_network(TINY, tmp_path_factory.mktemp("network"))


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_networks(network: Network) -> None:
    """Each is made the same every time, for inference, and maps its shape to what it says."""
    first = build(network)
    torch.rand(7)  # another state of the caller's generator
    second = build(network)
    assert not first.training
    state = second.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in first.state_dict().items())
    slopes = [part.weight for part in first.modules() if isinstance(part, torch.nn.PReLU)]
    elus = [part for part in first.modules() if isinstance(part, torch.nn.ELU)]
    places = {"iresnet18": 9, "fsrcnn": 7, "edsr": 16}[network.name.partition("-")[0]]
    assert len(slopes) + len(elus) == places
    assert bool(elus) == network.name.endswith("-elu")
    assert all(slope.unique().numel() > 1 for slope in slopes)
    batch, channels, height, width = network.shape
    if network.name.startswith("iresnet18"):
        shape: tuple[int, ...] = (batch, 512)
    else:
        height, width = 6, 8  # any size will do for a network that enlarges pictures
        shape = (batch, channels, 12, 16)
    with torch.no_grad():
        assert first(torch.zeros(batch, channels, height, width)).shape == shape


def test_random_state_is_left_alone() -> None:
    """Making a network draws nothing from the caller's generator."""
    before = torch.random.get_rng_state()
    build(NETWORKS[1])
    assert torch.equal(before, torch.random.get_rng_state())


def test_files_are_those_of_a_user(exported: Exported) -> None:
    """One file has onnx_acts nodes, the other standard ones; they are the same otherwise."""
    ours, standard = (
        [node.op_type for node in walk_nodes(onnx.load(path))]
        for path in (exported.ours, exported.standard)
    )
    assert "PReLU" in ours
    assert "PReLU" not in standard
    graph = [node.op_type for node in onnx.load(exported.ours).graph.node]
    assert [name.replace("PReLU", "PRelu") for name in graph] == standard


def test_row_of_a_network(exported: Exported) -> None:
    """Every peer that is there is verified and measured; ONNX Runtime's are profiled."""
    row = measure_network(exported, 2, NETWORK_PEERS, 1e-6)
    assert (row.name, row.dtype, row.size, row.threads) == ("edsr-prelu", "float32", "1x3x6x7", 2)
    assert set(row.times) | set(row.absent) == set(NETWORK_PEERS)
    assert {"standard", "pytorch"} <= set(row.times)
    assert ("library" in row.times) == (not runtime_of("library").unavailable())
    assert row.shares is not None
    assert set(row.shares) == {"library", "standard"} & set(row.times)
    assert all(0 < share < 1 for share in row.shares.values())


def idle(exported: Exported, threads: int) -> Prepared:
    """Computes nothing."""
    return Prepared(lambda: None, lambda: exported.y)


def other_slopes(exported: Exported, threads: int) -> Prepared:
    """The network with slopes that are 1 % off."""
    module = build(TINY)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, torch.nn.PReLU):
                part.weight.mul_(1.01)
        result = module(torch.from_numpy(exported.x)).numpy()
    return Prepared(lambda: None, lambda: result)


def other_shape(exported: Exported, threads: int) -> Prepared:
    """The right values in another shape."""
    return Prepared(lambda: None, lambda: exported.wanted[0])


@pytest.mark.parametrize("wrong", [idle, other_slopes, other_shape])
def test_wrong_network_is_rejected(exported: Exported, wrong: network_rows.Prepare) -> None:
    """A peer that computes something else, or nothing, is not measured."""
    peers = {"standard": NETWORK_PEERS["standard"], "wrong": wrong}
    with pytest.raises(RuntimeError, match="wrong does not compute edsr-prelu"):
        measure_network(exported, 1, peers, 1e-6)


def test_peers_are_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row for each network and number of threads, with those peers that run networks."""
    (row,) = run_networks([TINY], [1], {"copy", "pytorch"}, 1e-6)
    assert set(row.times) == {"pytorch"}
    assert row.shares == {}


def event(operator: str, microseconds: int, name: str = "node") -> dict[str, object]:
    """What the profiler writes of one kernel's run."""
    return {
        "cat": "Node",
        "name": f"{name}_kernel_time",
        "dur": microseconds,
        "args": {"op_name": operator},
    }


def test_share() -> None:
    """The activations' part of all nodes' time, without the warm runs and other events."""
    warm = [event("Conv", 900, "a"), event("PReLU", 5, "b")]
    counted = [event("Conv", 60, "a"), event("PReLU", 10, "b"), event("Elu", 30, "c")]
    other = [{"cat": "Session", "name": "model_run", "dur": 999}]
    other.append({"cat": "Node", "name": "a_fence_before", "dur": 7, "args": {}})
    events = [*warm, event("Elu", 70, "c"), *other, *counted]
    assert share_of_activations(events, 1) == pytest.approx(40 / 100)
    assert share_of_activations([], 1) == 0
    assert np.isclose(share_of_activations(counted, 0), 0.4)
