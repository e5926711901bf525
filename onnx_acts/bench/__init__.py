"""The benchmark: every operator against its peers and against a copy, as ratios within one run."""

from onnx_acts.bench.measure import Measurement, Plan, run
from onnx_acts.bench.peers import PEERS, Peer
from onnx_acts.bench.workload import SIZES, Workload

__all__ = ["PEERS", "SIZES", "Measurement", "Peer", "Plan", "Workload", "run"]
