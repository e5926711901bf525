"""The benchmark: every operator against its peers and against a copy, whole networks, as ratios
within one run.
"""

from onnx_acts.bench.measure import Plan, run
from onnx_acts.bench.peers import PEERS, Peer
from onnx_acts.bench.rows import Row
from onnx_acts.bench.timing import Measurement
from onnx_acts.bench.workload import SIZES, Workload

__all__ = ["PEERS", "SIZES", "Measurement", "Peer", "Plan", "Row", "Workload", "run"]
