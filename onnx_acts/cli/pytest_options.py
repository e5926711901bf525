"""Options of pytest for `pytest --pyargs onnx_acts.conformance`.

pytest loads this in every project of an environment that has onnx-acts. So it imports nothing of
weight, and adds its options only where the suite is asked for: elsewhere their names may be taken.
"""

from __future__ import annotations

import os
from typing import Any

__all__ = ["pytest_load_initial_conftests"]

_SUITE = "onnx_acts.conformance"


def pytest_load_initial_conftests(parser: Any, args: list[str]) -> None:
    """Adds the options; pytest reads its command line after this.

    Args:
        parser: pytest's, of options.
        args: the words of the command line.
    """
    if not any(_SUITE in word.replace(os.sep, ".") for word in args):
        return
    group = parser.getgroup("onnx-acts", "conformance of activations")
    group.addoption(
        "--runtime",
        action="append",
        metavar="NAME",
        help="a runtime of `onnx-acts conform`, library by default; may be given many times",
    )
    group.addoption("--quick", action="store_true", help="fewer cases, for a first look")
