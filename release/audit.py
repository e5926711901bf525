"""`python -m release.audit`: asks whether the pinned versions have known holes.

It fails where a version has one, and where the index cannot tell.
"""

from __future__ import annotations

import sys
from pathlib import Path

from release.building import run

if __name__ == "__main__":
    pinned = Path(__file__).parents[1] / "constraints.txt"
    print(
        run(
            sys.executable,
            "-m",
            "pip_audit",
            "--strict",
            "--no-deps",
            "--disable-pip",
            "-r",
            pinned,
        )
    )
