"""python -m tests.fuzz: looks for graphs that `accelerate` or `lower` changes wrongly."""

from __future__ import annotations

import argparse
import secrets
import sys

from tests.fuzz.campaign import Campaign, Fault
from tests.fuzz.pool import Worker
from tests.fuzz.report import described, summary

__all__: list[str] = []


def main() -> int:
    """Runs the fuzzer; the status is 1 where it found a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None, help="a random one where not given")
    parser.add_argument("--find-all", action="store_true", help="go on after a fault")
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)

    def show(fault: Fault) -> None:
        print(described(fault, seed), flush=True)

    with Worker() as worker:
        campaign = Campaign(worker.examine, options.seconds, seed)
        campaign.run(options.find_all, show)
    print(summary(campaign, seed))
    return 1 if campaign.faults else 0


if __name__ == "__main__":
    sys.exit(main())
