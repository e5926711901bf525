"""`python -m release.audit`: asks whether the pinned versions have known holes.

It fails where a version has one, and where it cannot tell: pip-audit asks PyPI, not the index that
pip uses, and a mirror may know of no holes at all. So it is first asked for one that is known.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["audit"]

PINNED = Path(__file__).parents[1] / "constraints.txt"

_KNOWN = "urllib3==1.24.1"
"""A version with holes since 2019."""


def audit() -> str:
    """Returns what pip-audit says of the pinned versions where it finds no hole.

    Raises:
        SystemExit: there is one, or there is no telling.
    """
    known = ask(_KNOWN + "\n")
    if "urllib3 1.24.1" not in " ".join(known.stdout.split()):
        raise SystemExit(
            f"Nothing was audited: pip-audit finds no hole in {_KNOWN}, which has several, so it"
            " cannot see any. It asks https://pypi.org for them, whatever index pip uses: run"
            f" `make audit` where that can be reached. It says:\n{last_line(known)}"
        )
    done = ask(PINNED.read_text("utf-8"))
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout}{done.stderr}")
    return done.stdout + last_line(done)


def ask(pinned: str) -> subprocess.CompletedProcess[str]:
    """What pip-audit says of requirements."""
    handle, name = tempfile.mkstemp(suffix=".txt")
    os.write(handle, pinned.encode())
    os.close(handle)
    try:
        options = ("--strict", "--no-deps", "--disable-pip", "--progress-spinner", "off")
        return subprocess.run(
            [sys.executable, "-m", "pip_audit", *options, "-r", name],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        Path(name).unlink()


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """The end of what a program said of its work."""
    return (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]


if __name__ == "__main__":
    print(audit())
