"""``python -m tests.openapi --cases 1000 --seed 1``: the long form."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.openapi.walk import ROLES, running, walk


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.openapi", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000, help="of each operation, phase and role, at most")
    parser.add_argument("--seconds", type=int, help="for each role; by default until the cases are done")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    failed, total = [], 0
    with tempfile.TemporaryDirectory(prefix="ward-openapi-") as folder:
        for role in ROLES:
            begun = time.monotonic()
            with running(Path(folder) / role) as service:
                outcome = walk(service, role, cases=given.cases, seed=given.seed, seconds=given.seconds)
            total += outcome.cases
            took = time.monotonic() - begun
            print(
                f"{role}: {outcome.operations} operations, {outcome.cases:,} cases, {took:.0f} s", flush=True
            )
            if outcome.failed:
                print(outcome.report)
                failed.append(role)
    print(f"seed {given.seed}: {total:,} cases, failed: {', '.join(failed) or 'none'}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
