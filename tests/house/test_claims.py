"""A failing test shows its claim."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.building import ROOT

TESTS = '''
def test_wrong():
    """Two and two are five."""
    assert 2 + 2 == 5

def test_right():
    """Two and two are four."""
    assert 2 + 2 == 4

def test_silent():
    assert not 1
'''


def test_claim_of_a_failure(tmp_path: Path) -> None:
    """The docstring stands in the report of a test that fails, and of no other."""
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "test_sums.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "- claim -" in done.stdout
    assert done.stdout.count("Two and two are five.") == 2  # in the source that is shown, too
    assert "are four" not in done.stdout
    assert "2 failed, 1 passed" in done.stdout
