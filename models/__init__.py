"""Networks trained on real data, which the demo, the tests and the benchmarks export.

Run from the root of the repository: ``python -m models.train all`` retrains them and
``models.load(name)`` gives one of them, trained, in inference mode.
"""

from models.store import load

__all__ = ["load"]
