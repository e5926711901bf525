"""Versions of packages."""

import numpy as np

from onnx_acts.definition.version import version


def test_version() -> None:
    """Of a package that is there, and of one that is not."""
    assert version("numpy") == np.__version__
    assert version("no-such-package-at-all") is None
