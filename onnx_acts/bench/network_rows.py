"""Measuring whole networks, as files that a user would have: exported by this package.

Ours is the file with `onnx_acts` nodes and the native library. It is compared with the file of
standard operators, in ONNX Runtime (with our execution provider and without) and in OpenVINO, and
with PyTorch itself.
"""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from onnx_acts.bench import prepared
from onnx_acts.bench.networks import Network, build
from onnx_acts.bench.peers import EXTENDED, OURS, PROVIDED
from onnx_acts.bench.prepared import Prepared, UnsupportedError
from onnx_acts.bench.profiling import activation_share
from onnx_acts.bench.rows import Row
from onnx_acts.bench.timing import keep_freed_memory, take_turns
from onnx_acts.conformance import runtime_of
from onnx_acts.exporting import export
from onnx_acts.exporting.options import STYLES

__all__ = ["NETWORK_PEERS", "Exported", "export_network", "measure_network", "run_networks"]

_TOLERANCE = 1e-4
"""Largest absolute difference from PyTorch, over the largest |output|. Runtimes sum in different
orders, which costs about 1e-6 here; slopes that are off by 1 % cost more than 1e-3."""


@dataclasses.dataclass(frozen=True)
class Exported:
    """A network with its files.

    Attributes:
        network: its record.
        module: the PyTorch module.
        ours: the file with `onnx_acts` nodes.
        standard: the file with standard operators only.
        x: an input.
        wanted: what PyTorch computes for it.
        y: where the runtimes' results go.
    """

    network: Network
    module: torch.nn.Module
    ours: Path
    standard: Path
    x: NDArray[np.float32]
    wanted: NDArray[np.float32]
    y: NDArray[np.float32]


def run_networks(
    networks: Sequence[Network],
    threads: Sequence[int],
    peers: Collection[str],
    seconds: float,
    progress: Callable[[str], None] = lambda text: None,
) -> Iterator[Row]:
    """Exports and measures networks, row by row.

    Args:
        networks: the networks.
        threads: numbers of threads.
        peers: names of peers; those that run no networks are passed over.
        seconds: time for the turns of one row.
        progress: is told what is being done.

    Raises:
        RuntimeError: a peer computes something else.
    """
    keep_freed_memory()
    chosen = {name: prepare for name, prepare in NETWORK_PEERS.items() if name in peers}
    for network in networks:
        with tempfile.TemporaryDirectory() as folder:
            progress(f"{network.name}: exporting")
            exported = export_network(network, Path(folder))
            for count in threads:
                progress(f"{network.name}, {count} thread(s)")
                yield measure_network(exported, count, chosen, seconds)


def export_network(network: Network, folder: Path) -> Exported:
    """Exports a network twice, with `onnx_acts` nodes and with standard operators only."""
    module = build(network)
    x = np.random.default_rng(1509).standard_normal(network.shape, np.float32)
    with torch.no_grad():
        wanted = module(torch.from_numpy(x)).numpy()
    files = {style: folder / f"{style}.onnx" for style in STYLES}
    for style, path in files.items():  # the results are verified below, in every runtime
        export(module, (torch.from_numpy(x),), path, style=style, verify=False)
    y = np.zeros_like(wanted)
    return Exported(network, module, files["acts"], files["standard"], x, wanted, y)


Prepare = Callable[[Exported, int], Prepared]


def measure_network(
    exported: Exported, threads: int, peers: Mapping[str, Prepare], seconds: float
) -> Row:
    """Prepares, verifies and times the peers of one network, and profiles ONNX Runtime's.

    Raises:
        RuntimeError: a peer computes something else.
    """
    ready: dict[str, Prepared] = {}
    absent: dict[str, str] = {}
    for name, prepare in peers.items():
        try:
            ready[name] = prepare(exported, threads)
        except UnsupportedError as reason:
            absent[name] = str(reason)
            continue
        _verify(exported, name, ready[name])
    times = take_turns(ready, seconds)
    shares = {
        name: activation_share(path, exported.x, threads, accelerated=name == OURS)
        for name, path in ((OURS, exported.ours), ("standard", exported.standard))
        if name in ready
    }
    size = "x".join(map(str, exported.network.shape))
    return Row(exported.network.name, "float32", size, threads, times, absent, shares)


def _verify(exported: Exported, name: str, prepared: Prepared) -> None:
    """Requires a peer to compute what PyTorch computes."""
    exported.y[...] = np.nan
    prepared.call()
    got, wanted = prepared.output(), exported.wanted
    limit = _TOLERANCE * np.abs(wanted).max()
    if got.shape != wanted.shape or not np.abs(got - wanted).max() <= limit:
        raise RuntimeError(
            f"{name} does not compute {exported.network.name}: shape {got.shape}, expected"
            f" {wanted.shape}, {_difference(got, wanted)} over the largest value is above"
            f" {_TOLERANCE}; it is not measured"
        )


def _difference(got: NDArray[Any], wanted: NDArray[Any]) -> str:
    if got.shape != wanted.shape:
        return "a difference"
    return f"a difference of {np.abs(got - wanted).max() / np.abs(wanted).max():.2g}"


def _ours(exported: Exported, threads: int, changes_layout: bool = True) -> Prepared:
    reason = runtime_of(OURS).unavailable()
    if reason:
        raise UnsupportedError(reason)
    return prepared.onnxruntime_runner(
        exported.ours,
        [exported.x],
        exported.y,
        threads,
        accelerated=True,
        changes_layout=changes_layout,
    )


def _standard(exported: Exported, threads: int) -> Prepared:
    return prepared.onnxruntime_runner(
        exported.standard, [exported.x], exported.y, threads, accelerated=False
    )


def _provider(exported: Exported, threads: int) -> Prepared:
    reason = runtime_of(PROVIDED).unavailable()
    if reason:
        raise UnsupportedError(reason)
    return prepared.onnxruntime_runner(
        exported.standard,
        [exported.x],
        exported.y,
        threads,
        accelerated=False,
        claim="default",
    )


def _pytorch(exported: Exported, threads: int) -> Prepared:
    return prepared.torch_runner(exported.module, [torch.from_numpy(exported.x)], threads)


def _openvino(exported: Exported, threads: int) -> Prepared:
    return prepared.openvino_runner(exported.standard, [exported.x], exported.y, threads)


NETWORK_PEERS: Mapping[str, Prepare] = {
    OURS: _ours,
    PROVIDED: _provider,
    "standard": _standard,
    "pytorch": _pytorch,
    "openvino": _openvino,
    EXTENDED: functools.partial(_ours, changes_layout=False),
}
"""Those of the peers that run networks."""
