"""Running models in ONNX Runtime, and what can be said of them."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import numpy as np
import onnx
import onnxruntime

import onnx_acts
from onnx_acts.files.structure import walk_nodes
from tests.fuzz.case import Array, Case

__all__ = ["Levels", "Results", "as_bytes", "originals", "plain", "run", "uses_domain"]

Levels = onnxruntime.GraphOptimizationLevel
Results = list[list[Array]]


def originals(case: Case) -> tuple[list[dict[str, Array]], list[Results]]:
    """The inputs that ONNX Runtime takes, and its results without and with optimisation."""
    unoptimised = _session(case.model, Levels.ORT_DISABLE_ALL, False)
    feeds, results = [], []
    reason: Exception | None = None
    for feed in case.feeds:
        try:
            results.append(unoptimised.run(None, dict(feed)))
            feeds.append(dict(feed))
        except Exception as error:  # as above
            reason = error
    if not feeds and reason is not None:
        raise reason
    ways: list[Results] = [results]
    with contextlib.suppress(Exception):  # then there is one way only
        ways.append(run(case.proto, feeds, Levels.ORT_ENABLE_ALL, False))
    return feeds, [[list(map(np.asarray, arrays)) for arrays in way] for way in ways]


def _session(model: bytes, level: Any, library: bool) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnx_acts.session(model, session_options=options, accelerated=library)


def run(model: onnx.ModelProto, feeds: list[Any], level: Any, library: bool) -> Results:
    """The outputs for each set of inputs."""
    opened = _session(as_bytes(model), level, library)
    return [opened.run(None, feed) for feed in feeds]


def as_bytes(model: onnx.ModelProto) -> bytes:
    """The model serialised, the same each time."""
    return bytes(model.SerializeToString(deterministic=True))


def uses_domain(model: onnx.ModelProto) -> bool:
    """Whether a node of `onnx_acts` is left, in any graph."""
    return any(node.domain == "onnx_acts" for node in walk_nodes(model))


def plain(message: str) -> str:
    """A message without its names and numbers, so that equal faults are equal."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"|\([^()]*\)|\[[^\]]*\]|\{[^}]*\}", "_", message)
    text = re.sub(r"/\S+|\b\w*\d\w*\b", "_", text)
    return re.sub(r"[\s_]*_[\s_]*", " _ ", text).strip()[:150]
