"""A pack's sustained rules in Polars: the steps of ``in_duckdb`` as lazy expressions over sorted rows.

Null is three-valued logic's UNKNOWN here too (``&`` is Kleene's). What is expressed is as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_, ge, gt, le, lt, or_
from typing import Any

import polars as pl

from benchmarks.cohort import SIGNALS, Cohort
from benchmarks.peers.in_duckdb import Raised
from ward.scoring.rules import Rule
from ward.signals import INDEX, hold_of

_COMPARE: dict[str, Any] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_OWN = ["stay", "rule"]


def _condition(rule: Rule) -> pl.Expr:
    return reduce(and_, (_COMPARE[c.op](pl.col(c.signal), c.number) for c in rule.when))


def _hold_ends(rows: pl.LazyFrame, name: str) -> pl.LazyFrame:
    end = pl.col("time") + hold_of(INDEX[name])
    following = pl.col("time").shift(-1).over("stay")
    mine = rows.filter(pl.col(name).is_not_null()).select("stay", "time", following.alias("next"))
    return mine.filter(pl.col("next").is_null() | (pl.col("next") > end)).select("stay", end)


def _kept(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Worked out once, for the many that look at it: as one plan it took over ten times as long."""
    return frame.collect().lazy()


def raised(rows: pl.LazyFrame, rules: Sequence[Rule], end: int) -> pl.LazyFrame:
    """rows: stay, time and a column a signal, sorted by both. Answers stay, rule, moment."""
    ends = pl.concat([_hold_ends(rows, name) for name in SIGNALS]).unique().filter(pl.col("time") <= end)
    ends = ends.join(rows.select("stay", "time"), on=["stay", "time"], how="anti")
    instants = _kept(pl.concat([rows, ends], how="diagonal").sort("stay", "time"))
    latest = instants.with_columns(
        *(pl.col(name).is_not_null().alias(f"{name}_read") for name in SIGNALS),
        *(pl.col(name).forward_fill().over("stay") for name in SIGNALS),
        *(
            pl.when(pl.col(name).is_not_null()).then("time").forward_fill().over("stay").alias(f"{name}_time")
            for name in SIGNALS
        ),
    )
    held = latest.with_columns(
        pl.when(pl.col("time") < pl.col(f"{name}_time") + hold_of(INDEX[name])).then(name).alias(name)
        for name in SIGNALS
    )
    states = _kept(held.with_columns(_condition(rule).alias(f"state{n}") for n, rule in enumerate(rules)))
    first = pl.col("stay") != pl.col("stay").shift(1)
    kept = [
        states.filter(
            first.fill_null(True)
            | pl.col(f"state{n}").fill_null(False)
            | pl.col(f"state{n}").ne_missing(pl.col(f"state{n}").shift(1))
        ).select(
            "stay",
            "time",
            pl.lit(n, pl.Int32).alias("rule"),
            pl.col(f"state{n}").alias("state"),
            reduce(or_, (pl.col(f"{name}_read") for name in rule.signals)).alias("reads"),
            pl.lit(rule.for_ms).alias("for_ms"),
            pl.lit(rule.gap_ms).alias("gap_ms"),
            pl.lit(rule.min_readings).alias("min_readings"),
            pl.lit(rule.clear_for_ms).alias("clear_for_ms"),
        )
        for n, rule in enumerate(rules)
    ]
    timed = pl.concat(kept).with_columns(
        (pl.col("time").shift(-1).over(_OWN).fill_null(end) - pl.col("time")).alias("lasts")
    )
    ended = (~pl.col("state")).fill_null(pl.col("lasts") > pl.col("gap_ms"))
    islands = _kept(
        timed.with_columns(
            ended.cum_sum().over(_OWN).alias("island"),
            pl.col("state").fill_null(False).cum_sum().over(_OWN).alias("breaches"),
        )
    )
    clocks = islands.filter("state").with_columns(
        pl.col("lasts").cum_sum().over([*_OWN, "island"]).alias("total"),
        pl.col("reads").cum_sum().over([*_OWN, "island"]).alias("n"),
    )
    full = pl.col("time") + pl.col("for_ms") - (pl.col("total") - pl.col("lasts"))
    filled = (
        clocks.group_by([*_OWN, "island"])
        .agg(
            full.filter(pl.col("total") >= pl.col("for_ms")).min().alias("long_enough"),
            pl.col("time").filter(pl.col("n") >= pl.col("min_readings")).min().alias("often_enough"),
        )
        .drop_nulls()
        .select(
            *_OWN, pl.max_horizontal("long_enough", "often_enough").alias("moment"), pl.lit(True).alias("up")
        )
    )
    cleared = (
        islands.filter(~pl.col("state"))
        .group_by([*_OWN, "breaches"])
        .agg(pl.col("time").min(), pl.col("lasts").sum(), pl.col("clear_for_ms").first())
        .filter(pl.col("lasts") >= pl.col("clear_for_ms"))
        .select(*_OWN, (pl.col("time") + pl.col("clear_for_ms")).alias("moment"), pl.lit(False).alias("up"))
    )
    events = pl.concat([filled, cleared]).sort(*_OWN, "moment")
    was_up = pl.col("up").shift(1).over(_OWN).fill_null(False)
    return events.filter(pl.col("up") & ~was_up).select("stay", "rule", "moment")


class InPolars:
    """The rows as a frame in memory, sorted, numbers as narrow as they may be."""

    def __init__(self, cohort: Cohort, rules: Sequence[Rule]) -> None:
        columns = {
            name: pl.Series(column).cast(pl.Float32).fill_nan(None) for name, column in cohort.value.items()
        }
        self._rows = pl.DataFrame({"stay": cohort.stay, "time": cohort.time, **columns}).set_sorted("stay")
        self._rules, self._end = rules, cohort.end

    def raised(self) -> Raised:
        found = raised(self._rows.lazy(), self._rules, self._end).collect()
        return [(int(s), int(r), int(t)) for s, r, t in found.rows()]
