"""Rows made by hand."""

from onnx_acts.bench.rows import Row
from onnx_acts.bench.timing import Measurement

__all__ = ["NETWORK", "ROWS", "measurement", "row"]


def measurement(median: float) -> Measurement:
    """A measurement of that time."""
    return Measurement(median, (median, median), 5, 1, 0.0)


def row(name: str, dtype: str, size: str, times: dict[str, float], threads: int = 1) -> Row:
    """A row of those times, in µs."""
    measured = {peer: measurement(time * 1e-6) for peer, time in times.items()}
    return Row(name, dtype, size, threads, measured, {})


ROWS = [
    Row(
        "ELU",
        dtype,
        size,
        threads,
        {
            "copy": measurement(2e-6),
            "parallel copy": measurement(1e-6),
            "library": measurement(4e-6),
            "standard": measurement(2e-5),
            "selu-alpha": measurement(6e-6),
        },
        {"pytorch": "not installed"},
    )
    for dtype in ("float32", "float64")
    for size in ("16K", "1")
    for threads in (1, 2)
]

NETWORK = Row(
    "edsr-prelu",
    "float32",
    "1x3x270x480",
    1,
    {"library": measurement(0.1), "standard": measurement(0.15), "openvino": measurement(0.08)},
    {},
    {"library": 0.021, "standard": 0.44},
)
