"""Figures for Prometheus."""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

__all__ = ["FOLDER_VARIABLE", "Metrics", "ModelMetrics"]

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder that several processes share their figures in: prometheus_client's own."""

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class ModelMetrics:
    """The figures of one model; labels come from the server alone, never from a client."""

    def __init__(self, requests: Counter, whole: Histogram, run: Histogram, name: str) -> None:
        self._requests, self._name = requests, name
        self._whole, self._run = whole.labels(name), run.labels(name)
        self._ok = requests.labels(name, "200")

    def answered(self, status: int, seconds: float) -> None:
        """Counts a request."""
        counter = self._ok if status == 200 else self._requests.labels(self._name, str(status))
        counter.inc()
        self._whole.observe(seconds)

    def ran(self, seconds: float) -> None:
        """Counts a run of the model."""
        self._run.observe(seconds)


class Metrics:
    """The figures of an application."""

    def __init__(self, names: Iterable[str]) -> None:
        """Makes a row for each model of those names."""
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        requests = Counter(
            "onnx_acts_requests", "Requests.", ("model", "status"), registry=registry
        )
        whole = Histogram(
            "onnx_acts_request_seconds",
            "From the head of a request to its answer.",
            ("model",),
            registry=registry,
            buckets=_SECONDS,
        )
        run = Histogram(
            "onnx_acts_run_seconds",
            "In ONNX Runtime.",
            ("model",),
            registry=registry,
            buckets=_SECONDS,
        )
        self.waiting = Gauge(
            "onnx_acts_requests_in_progress",
            "Requests whose answer is not ready.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.models = {name: ModelMetrics(requests, whole, run, name) for name in names}

    def text(self) -> bytes:
        """All figures, of all processes where they share a folder, as Prometheus reads them."""
        if FOLDER_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)
