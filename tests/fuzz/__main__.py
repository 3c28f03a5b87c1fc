"""``python -m tests.fuzz --cases 1000000 --seed 1``: the long form; prints what it came to."""

from __future__ import annotations

import argparse
import logging
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import structlog

from tests.fuzz import files, mqtt


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000, help="MQTT messages")
    parser.add_argument("--files", type=int, help="files; by default a tenth of the messages")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    many = given.cases // 10 if given.files is None else given.files
    begun, tally, outcomes = time.monotonic(), mqtt.Tally(), Counter[str]()

    def told(now: mqtt.Tally) -> None:
        print(f"{now.cases:,} messages, {time.monotonic() - begun:.0f} s", flush=True)

    try:
        with tempfile.TemporaryDirectory(prefix="ward-fuzz-") as folder:
            mqtt.fuzz(given.seed, given.cases, Path(folder), tally, told)
            print(
                f"readings {tally.readings:,}, nulls {tally.nulls:,}, "
                f"duplicate samples {tally.duplicates:,}, "
                f"of devices that must sign {tally.signed:,}, "
                f"slowest message {tally.slowest_s * 1000:.0f} ms"
            )
            print("refused: " + ", ".join(f"{reason} {n:,}" for reason, n in sorted(tally.refusals.items())))
            outcomes = files.fuzz(given.seed, many, Path(folder))
    except mqtt.BrokenError as broken:
        print(f"broken: {broken}", file=sys.stderr)
        return 1
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"seed {given.seed}: {tally.cases:,} messages and {sum(outcomes.values()):,} files, 0 broken")
    print("files: " + ", ".join(f"{outcome} {n:,}" for outcome, n in sorted(outcomes.items())))
    print(f"{time.monotonic() - begun:.0f} s, {memory:.0f} MiB at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
