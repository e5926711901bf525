"""A minute of the fuzzer, and what it finds when mended faults are put back."""

import os
import secrets
from collections.abc import Callable

import pytest

from tests.fuzz.campaign import Campaign
from tests.fuzz.mended import MENDED
from tests.fuzz.pool import Worker
from tests.fuzz.report import described, summary


@pytest.mark.slow
def test_graphs_compute_the_same_afterwards() -> None:
    """`accelerate` and `lower` change no result of random graphs.

    The seed is another one each time; `FUZZ_SEED` repeats a run, `FUZZ_SECONDS` makes it longer.
    """
    seed = int(os.environ.get("FUZZ_SEED") or secrets.randbelow(10**6))
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
    """A fault that was mended is found within two minutes when it is put back."""
    with Worker(fault) as worker:
        campaign = Campaign(worker.examine, seconds=120, seed=1)
        campaign.run()
    assert campaign.faults
    print(f"{fault.__name__}: {campaign.faults[0].seconds:.0f} s, {campaign.examples} graphs")
