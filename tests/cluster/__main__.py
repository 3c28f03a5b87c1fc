"""What happens to a pair of services when parts of it fail: `python -m tests.cluster FAULT [--times 3]`."""

from __future__ import annotations

import argparse
import json

from tests.cluster.nats_house import NATS
from tests.cluster.pair import PAIR
from tests.faults.run import Options, run_fault

FAULTS = PAIR | NATS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster")
    parser.add_argument("fault", choices=sorted(FAULTS))
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--stays", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    options = Options(
        args.seed, "postgresql", args.stays, args.times, say=lambda text: print(text, flush=True)
    )
    report = run_fault(FAULTS[args.fault], options)
    print(json.dumps(report.as_json(), indent=1))
    raise SystemExit(1 if report.wrong else 0)


if __name__ == "__main__":
    main()
