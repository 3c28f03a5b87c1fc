"""What a region needs, calculated: ``python -m tests.cluster.region MEASURED [--patients 100000]``.

MEASURED holds what ``tests.cluster.throughput`` printed; bytes on disk and memory a stay are those of
docs/performance.json. Each figure is a product of measured constants and a rate: nothing is taken off
for what grows cheaper in bigger batches, and nothing added for what was not measured.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from tests.cluster.throughput import PARTS, SIGNALS

PERFORMANCE: Final = Path(__file__).parents[2] / "docs" / "performance.json"
BYTES: Final = "bytes a reading on postgresql, simulated monitors, 1 Hz"
MEMORY: Final = "memory a stay, of 1,000"
DAY_S: Final = 86_400
RETENTION_DAYS: Final = 90
"""``WARD_RETENTION_DAYS`` by default."""


def figure(what: str) -> float:
    """A median of docs/performance.json. Raises StopIteration where it is not there."""
    parts = json.loads(PERFORMANCE.read_text())["parts"]
    found = (one for part in parts for one in part["part"].get("figures", ()) if one["what"] == what)
    return float(next(found)["value"])


def needed(measured: dict[str, Any], patients: int) -> dict[str, float]:
    """Of patients with a monitor that sends a message of five signals each second; cores, GB, TB and MB/s."""
    readings = patients * len(SIGNALS)
    beds = measured["beds"] / measured["engines"]
    cores = {f"{part}_cores": readings * measured[f"{part}_us_a_reading"] / 1e6 for part in PARTS}
    day = readings * figure(BYTES) * DAY_S
    return {
        "messages_a_second": patients,
        "readings_a_second": readings,
        "beds_an_engine_as_measured": beds,
        **{name: round(value, 1) for name, value in cores.items()},
        "memory_of_stays_gb": round(patients * figure(MEMORY) * 1000 / 1e9, 1),
        "memory_an_engine_gb": round(measured["memory_mb_an_engine"] / 1024, 2),
        "disk_a_day_gb": round(day / 1e9, 1),
        "disk_of_retention_tb": round(day * RETENTION_DAYS / 1e12, 1),
        "network_from_devices_mb_s": round(patients * measured["bytes_a_message"] / 1e6, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.region")
    parser.add_argument("measured", type=Path)
    parser.add_argument("--patients", type=int, default=100_000)
    args = parser.parse_args()
    for line in args.measured.read_text().splitlines():
        measured = json.loads(line)
        print(json.dumps({"engines_measured": measured["engines"], **needed(measured, args.patients)}))


if __name__ == "__main__":
    main()
