"""A pack's sustained rules in DuckDB, with window functions: gaps and islands, step by step.

SQL's NULL is three-valued logic's UNKNOWN, so a condition is written as it stands. What is expressed: holds,
UNKNOWN and ``gap``, ``for``, ``min_readings``, raised once until ``clear_for`` has passed. What is not: the
artefact filter, ``within`` longer than ``for``, ``clear_when``, ``absent``, ``pr`` in place of ``hr``, two
devices with one signal, NEWS2 and risk, the life of an alert, and readings that come while it runs.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from benchmarks.cohort import SIGNALS, Cohort
from ward.scoring.rules import Rule
from ward.signals import INDEX, hold_of

Raised = list[tuple[int, int, int]]
"""Stay, rule (both positions) and instant (ms) of each alert, sorted."""

QUERY = """
WITH
rules(rule, for_ms, gap_ms, min_readings, clear_for_ms) AS (VALUES
  {rules}
),
-- Where a hold ends before the signal's next reading.
ends AS (
  {ends}
),
instants AS (
  SELECT stay, time, {signals} FROM readings
  UNION ALL BY NAME
  SELECT stay, time FROM ends ANTI JOIN readings USING (stay, time) WHERE time <= {end}
),
latest AS (
  SELECT stay, time,
    {latest}
  FROM instants
  WINDOW so_far AS (PARTITION BY stay ORDER BY time ROWS UNBOUNDED PRECEDING)
),
-- NULL: unknown.
held AS (
  SELECT stay, time,
    {held}
  FROM latest
),
states AS (
  SELECT *,
    {states}
  FROM held
),
compared AS (
  SELECT *, row_number() OVER so_far = 1 AS first,
    {before}
  FROM states
  WINDOW so_far AS (PARTITION BY stay ORDER BY time ROWS UNBOUNDED PRECEDING)
),
-- A row a rule, where its state changes and while it is true.
kept AS (
  {kept}
),
timed AS (
  SELECT *, coalesce(lead(time) OVER (PARTITION BY stay, rule ORDER BY time), {end}) - time AS lasts
  FROM kept
),
-- An island of breaches ends with a moment that is fine, or that is unknown for too long.
islands AS (
  SELECT timed.*, for_ms, min_readings, clear_for_ms,
    count(*) FILTER (NOT state OR (state IS NULL AND lasts > gap_ms)) OVER so_far AS island,
    count(*) FILTER (state) OVER so_far AS breaches
  FROM timed JOIN rules USING (rule)
  WINDOW so_far AS (PARTITION BY stay, rule ORDER BY time ROWS UNBOUNDED PRECEDING)
),
clocks AS (
  SELECT *, sum(lasts) OVER so_far AS total, count(*) FILTER (reads) OVER so_far AS n
  FROM islands WHERE state
  WINDOW so_far AS (PARTITION BY stay, rule, island ORDER BY time ROWS UNBOUNDED PRECEDING)
),
filled AS (
  SELECT stay, rule,
    min(time + for_ms - (total - lasts)) FILTER (total >= for_ms) AS long_enough,
    min(time) FILTER (n >= min_readings) AS often_enough
  FROM clocks GROUP BY stay, rule, island
),
-- What is fine for long enough between two breaches clears.
cleared AS (
  SELECT stay, rule, min(time) + any_value(clear_for_ms) AS moment
  FROM islands WHERE NOT state GROUP BY stay, rule, breaches HAVING sum(lasts) >= any_value(clear_for_ms)
),
events AS (
  SELECT stay, rule, greatest(long_enough, often_enough) AS moment, true AS up
  FROM filled WHERE long_enough IS NOT NULL AND often_enough IS NOT NULL
  UNION ALL
  SELECT stay, rule, moment, false FROM cleared
),
ordered AS (
  SELECT *, lag(up) OVER (PARTITION BY stay, rule ORDER BY moment) AS was_up FROM events
)
SELECT stay, rule, moment FROM ordered WHERE up AND was_up IS NOT TRUE ORDER BY stay, rule, moment
"""


def query(rules: Sequence[Rule], end: int) -> str:
    """The whole of it, for these rules."""
    every = range(len(rules))
    holds = {name: hold_of(INDEX[name]) for name in SIGNALS}
    return QUERY.format(
        end=end,
        signals=", ".join(SIGNALS),
        rules=",\n  ".join(
            f"({n}, {r.for_ms}, {r.gap_ms}, {r.min_readings}, {r.clear_for_ms})" for n, r in enumerate(rules)
        ),
        ends="\n  UNION\n  ".join(
            f"SELECT stay, time + {hold} AS time FROM (SELECT stay, time, lead(time) OVER "
            f"(PARTITION BY stay ORDER BY time) AS next FROM readings WHERE {name} IS NOT NULL) "
            f"WHERE next IS NULL OR next > time + {hold}"
            for name, hold in holds.items()
        ),
        latest=",\n    ".join(
            f"{name} IS NOT NULL AS {name}_read, last_value({name} IGNORE NULLS) OVER so_far AS {name}, "
            f"last_value(CASE WHEN {name} IS NOT NULL THEN time END IGNORE NULLS) OVER so_far AS {name}_time"
            for name in SIGNALS
        ),
        held=",\n    ".join(
            f"{name}_read, CASE WHEN time < {name}_time + {hold} THEN {name} END AS {name}"
            for name, hold in holds.items()
        ),
        states=",\n    ".join(
            f"({' AND '.join(map(str, rule.when))}) AS state{n}" for n, rule in enumerate(rules)
        ),
        before=",\n    ".join(f"lag(state{n}) OVER so_far AS before{n}" for n in every),
        kept="\n  UNION ALL\n  ".join(
            f"SELECT stay, {n} AS rule, time, state{n} AS state, "
            f"({' OR '.join(f'{name}_read' for name in rule.signals)}) AS reads "
            f"FROM compared WHERE first OR state{n} OR state{n} IS DISTINCT FROM before{n}"
            for n, rule in enumerate(rules)
        ),
    )


class InDuckDB:
    """The rows as a table in memory, numbers as narrow as they may be."""

    def __init__(self, cohort: Cohort, rules: Sequence[Rule], threads: int) -> None:
        self._connection = duckdb.connect(config={"threads": threads})
        self._connection.register("wide", {"stay": cohort.stay, "time": cohort.time, **cohort.value})
        columns = ", ".join(
            f"CASE WHEN NOT isnan({name}) THEN {name}::FLOAT END AS {name}" for name in SIGNALS
        )
        self._connection.execute(f"CREATE TABLE readings AS SELECT stay, time, {columns} FROM wide")
        self._query = query(rules, cohort.end)

    def raised(self) -> Raised:
        return [(int(s), int(r), int(t)) for s, r, t in self._connection.execute(self._query).fetchall()]
