"""Recordings through a pack's rules, beside what a good analyst would write for DuckDB and for Polars.

The 18 rules of WARD's trial over patients of the simulator, in memory in each one's own form: ward's
recordings, a DuckDB table, a Polars frame. ward runs twice: without the filter, where all three must name the
very same alerts to the millisecond or the measurement fails, and as ``ward replay`` runs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.cohort import Cohort, cohort
from benchmarks.figures import ROUNDS, Figure, Part, Table, at_least, number, table
from benchmarks.peers.in_duckdb import InDuckDB, Raised
from benchmarks.peers.in_polars import InPolars
from ward.alerts.packs import load_pack
from ward.ingest.recordings import Recording
from ward.replay import ReplayEvent, replay
from ward.scoring.rules import Rule
from ward.signals import MINUTE, SECOND

PACK: Final = "ward-rct-2025"
WANTED: Final = 3.0
FULL, BARE, DUCKDB, POLARS = "ward", "ward without its filter", "DuckDB", "Polars"
UNSAID: Final = (
    (
        "the artefact filter: what a doubtful reading is, and what confirms it",
        "ward's first figure has it in",
    ),
    (
        "`within` longer than `for`, `clear_when`, `absent`, `pr` in place of `hr`",
        "the pack does not use them",
    ),
    ("two devices with one signal, the order of samples of one instant", "the data have none"),
    ("NEWS2 and risk", "the pack does not use them"),
    ("when an alert clears, since when the breach is", "ward tells both; the queries tell the raising alone"),
    (
        "readings that come late or while it runs, the life of an alert, inhibition",
        "live only: a query is over",
    ),
)
"""What the queries leave out, and why they agree all the same."""


@dataclass(frozen=True, slots=True)
class Size:
    name: str
    stays: int
    days: float
    step: int
    rounds: int = ROUNDS
    """At the most: of what takes half a minute three are enough."""


SIZES: Final = (
    Size("1,000 patient-days at 1/min", 250, 4.0, MINUTE),
    Size("50 patient-days at 1 Hz", 50, 1.0, SECOND, 3),
)
QUICK: Final = (Size("5 patient-days at 1/min", 5, 1.0, MINUTE), Size("2 h at 1 Hz", 2, 1 / 24, SECOND))


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds, [rounds]: of processor, and of the wall's clock with as many cores as each one takes."""

    processor: dict[str, NDArray[np.float64]]
    clock: dict[str, NDArray[np.float64]]


def told(events: Sequence[ReplayEvent], rules: Sequence[Rule]) -> Raised:
    """As the queries answer."""
    number = {rule.id: n for n, rule in enumerate(rules)}
    return sorted((int(e.stay), number[e.rule], e.at) for e in events if e.event == "raised")


def compared(
    made: Cohort, recordings: Sequence[Recording], rules: Sequence[Rule], rounds: int
) -> tuple[Taken, int]:
    """All in turn; and how many alerts there were. Raises RuntimeError where the answers differ."""
    duckdb, polars = InDuckDB(made, rules, os.cpu_count() or 1), InPolars(made, rules)
    works: dict[str, Callable[[], object]] = {
        FULL: lambda: replay(recordings, rules),
        BARE: lambda: replay(recordings, rules, filtered=False),
        DUCKDB: duckdb.raised,
        POLARS: polars.raised,
    }
    wanted = told(replay(recordings, rules, filtered=False), rules)
    for name in (DUCKDB, POLARS):
        if works[name]() != wanted:
            raise RuntimeError(f"{name} names other alerts than ward")
    processor: dict[str, list[float]] = {name: [] for name in works}
    clock: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            begun, used = time.perf_counter(), time.process_time()
            work()
            processor[name].append(time.process_time() - used)
            clock[name].append(time.perf_counter() - begun)
    return Taken(_arrays(processor), _arrays(clock)), len(wanted)


def _arrays(taken: dict[str, list[float]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.array(rounds) for name, rounds in taken.items()}


def figures(size: Size, taken: Taken) -> list[Figure]:
    """Of ward with all that it does and without the filter, beside the faster of the two."""
    found = []
    for what, seconds in (("processor", taken.processor), ("elapsed, each with all cores", taken.clock)):
        faster = min((DUCKDB, POLARS), key=lambda name: float(np.median(seconds[name])))
        for own, target in ((FULL, at_least(WANTED)), (BARE, None)):
            figure = Figure.ratio(
                f"{size.name}, {own}: times as fast ({what})",
                seconds[faster],
                seconds[own],
                against=f"{faster}, the faster of the two",
                target=target,
                why=WHY,
            )
            found.append(figure)
    return found


TEXT: Final = (
    "The {rules} rules of the pack `{pack}` over patients of the simulator with their courses, a monitor's "
    "noise, probes that come off and single values that are nonsense (`benchmarks/cohort.py`): heart rate, "
    "SpO2 and respiration with each sample, a cuff pressure each half hour. DuckDB has gaps and islands in "
    "SQL ([in_duckdb.py](../benchmarks/peers/in_duckdb.py)), Polars the same as expressions "
    "([in_polars.py](../benchmarks/peers/in_polars.py)), both on all cores, from rows in memory in their own "
    "form; ward from recordings as `ward replay` holds them once it has read its files. The alerts of ward "
    "without its filter, of DuckDB and of Polars are compared one by one, to the millisecond: the same."
)
WHY: Final = "the filter looks at every reading, which the queries do not; see docs/performance-notes.md"


def part(quick: bool = False, rounds: int = ROUNDS, sizes: Sequence[Size] = SIZES) -> Part:
    rules = load_pack(PACK).rules
    found: list[Figure] = []
    rows = []
    for size in QUICK if quick else sizes:
        made = cohort(size.stays, size.days, size.step)
        taken, alerts = compared(made, made.recordings(), rules, 1 if quick else min(rounds, size.rounds))
        found += figures(size, taken)
        rows += [
            (
                size.name,
                f"{made.readings:,}",
                name,
                number(float(np.median(taken.processor[name]))),
                number(float(np.median(taken.clock[name]))),
                number(1e6 * float(np.median(taken.processor[name])) / made.readings),
                "its own" if name == FULL else str(alerts),
            )
            for name in taken.processor
        ]
    return Part(
        "replay",
        "Replay",
        TEXT.format(rules=len(rules), pack=PACK),
        "python -m benchmarks.replay",
        tuple(found),
        (
            Table(
                "Seconds, medians",
                (
                    "data",
                    "readings",
                    "by",
                    "processor, s",
                    "elapsed, s",
                    "µs of processor a reading",
                    "alerts",
                ),
                tuple(rows),
            ),
            Table("What the queries do not express", ("what", "why they agree all the same"), UNSAID),
        ),
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    import duckdb
    import polars

    return {"DuckDB": duckdb.__version__, "Polars": polars.__version__, "numpy": np.__version__}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    print(table(part(asked.quick, asked.rounds)))


if __name__ == "__main__":
    main()
