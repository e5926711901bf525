"""The native tests reach nearly every branch of the library's own C++."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.native.builds.coverage import gcov, measure, table, total


@pytest.mark.slow
def test_branch_coverage(tmp_path: Path) -> None:
    """At least 95 % of all branches; the table says where the others are."""
    try:
        gcov()
    except OSError as error:
        pytest.skip(str(error))
    rows = measure(tmp_path)
    print(table(rows))
    assert {"attributes.cc", "cpu_node.cc", "loop_cpu.cc", "slopes.cc"} <= {
        row.name for row in rows
    }
    found = total(rows)
    assert found.taken >= 0.95 * found.branches, table(rows)
