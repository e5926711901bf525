"""Faults for our own sources, each with the check that must fail with it.

`make mutants` puts one after another into a copy of the sources; `test_source_mutants.py` sees that
the places are still there.
"""

from __future__ import annotations

from tests.mutants.edge_mutants import EDGES
from tests.mutants.judge_mutants import JUDGE
from tests.mutants.kernel_mutants import KERNELS
from tests.mutants.library_mutants import LIBRARY
from tests.mutants.python_mutants import PYTHON

__all__ = ["JUDGE", "MUTANTS", "NATIVE", "PYTHON"]

NATIVE = (*KERNELS, *LIBRARY, *EDGES)

MUTANTS = (*JUDGE, *PYTHON, *NATIVE)
"""Every one, in the order in which they run."""
