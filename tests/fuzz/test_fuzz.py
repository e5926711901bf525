"""A minute of the fuzzer, and what it finds when mended faults are put back."""

import functools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz.campaign import Campaign
from tests.fuzz.faulty_library import library_that_takes_every_size
from tests.fuzz.mended import MENDED, uses_library
from tests.fuzz.pool import Worker
from tests.fuzz.report import described, summary
from tests.fuzz.searching import first_finding


@pytest.mark.slow
def test_graphs_compute_the_same_afterwards() -> None:
    """`accelerate` and `lower` change no result of random graphs.

    The seed is the same each time, so that a failure is of the change that is tested; `make fuzz`
    looks further. `FUZZ_SEED` and `FUZZ_SECONDS` take the place of the seed and the minute.
    """
    seed = int(os.environ.get("FUZZ_SEED") or 102)
    seconds = float(os.environ.get("FUZZ_SECONDS") or 60)
    print(f"FUZZ_SEED={seed}")
    with Worker() as worker:
        campaign = Campaign(worker.examine, seconds, seed)
        campaign.run()
    print(summary(campaign, seed))
    assert not campaign.faults, described(campaign.faults[0], seed)
    assert campaign.matched > seconds, "hardly anything was replaced"


@pytest.mark.slow
@pytest.mark.parametrize("fault", MENDED, ids=lambda fault: fault.__name__)
def test_mended_faults_are_found(fault: Callable[[], None]) -> None:
    """A fault that was mended is found when it is put back."""
    seed, examples = MENDED[fault]
    with Worker(fault) as worker:
        assert first_finding(worker.examine, seed=seed, examples=examples) is not None


@pytest.mark.slow
def test_mended_fault_of_the_library_is_found(tmp_path: Path) -> None:
    """A size without a name was a size for the native library: that is found, too."""
    library = library_that_takes_every_size(tmp_path)
    with Worker(functools.partial(uses_library, str(library))) as worker:
        found = first_finding(worker.examine, seed=1, examples=1400)
    assert found is not None
    assert found.check.endswith("library")
