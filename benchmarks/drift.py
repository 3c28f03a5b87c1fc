"""Does the watch for drift cry wolf, and does it see what it should? Wards of made-up patients, for years.

    python -m benchmarks.drift

Patients come and go, differ from each other more than from themselves, have bad hours, and a few of them most
of the alerts. Without a change whatever is told is a false alarm; then one thing changes at once, and what
counts is the day on which that is told.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.reports.drift import MATERIAL_PSI, Key, Past, examine
from ward.reports.tally import HOURS, MONITORED, PRESENT, QUANTITIES, VITALS, count
from ward.scoring.news2 import score
from ward.signals import HOUR
from ward.store.feedback import Present
from ward.store.tallies import DAY, Baseline, Tally

START: Final = 20_000 * DAY
REFERENCE: Final = 14
FIRST: Final = REFERENCE + 10
"""The first day on which something can have been told."""

USUAL: Final = {
    "hr": (84.0, 13.0, 7.0),
    "pr": (84.0, 13.0, 7.0),
    "spo2": (95.8, 1.7, 1.2),
    "rr": (17.5, 2.8, 2.4),
    "sbp": (126.0, 17.0, 11.0),
    "dbp": (71.0, 9.0, 7.0),
    "map": (90.0, 11.0, 8.0),
    "temp": (36.9, 0.35, 0.3),
    "pi": (3.0, 1.6, 0.8),
}
"""Mean, spread between patients, spread within one: as ward patients are said to have them."""
SICK: Final = {"hr": 8.0, "pr": 8.0, "spo2": -0.8, "rr": 2.0, "sbp": -5.0, "temp": 0.15}
"""What one more step of illness does; steps are of a standard deviation between patients."""
KNOWN: Final = {"hr": 0.97, "pr": 0.93, "spo2": 0.93, "rr": 0.95, "temp": 0.9, "pi": 0.9}
STAY_DAYS: Final = (3.0, 0.8)
"""Median and logarithmic spread of stays."""


@dataclass(frozen=True)
class World:
    """A ward from day 0 on; from day ``change`` on it is another."""

    beds: int = 24
    days: int = 120
    change: int | None = None
    spo2: float = 0.0
    """added to what probes read"""
    illness: float = 0.0
    load: float = 1.0
    silent: float = 0.0
    """share of the beds whose device sends no RR any more"""
    alerts_a_day: float = 2.0


CHANGES: Final[dict[str, tuple[World, tuple[Key, ...]]]] = {
    "probes read SpO2 2 % lower": (World(spo2=-2.0), (Key("spo2", "value"),)),
    "probes read SpO2 1 % lower": (World(spo2=-1.0), (Key("spo2", "value"),)),
    "sicker patients (by one standard deviation)": (World(illness=1.0), (Key("news2", "value"),)),
    "sicker patients (by two standard deviations)": (World(illness=2.0), (Key("news2", "value"),)),
    "devices of every third bed send no RR": (World(silent=1 / 3), (Key("rr", "known"),)),
    "twice the alerts": (World(load=2.0), (Key("alerts", "load"), Key("interruptions", "load"))),
    "three times the alerts": (World(load=3.0), (Key("alerts", "load"), Key("interruptions", "load"))),
}


def live(world: World, seed: int) -> Past:
    """What would have been counted of it."""
    draw = np.random.default_rng(seed)
    stays, bed, begin, hours = _stays(world, draw)
    stay = np.repeat(np.arange(len(begin)), hours)
    hour = np.concatenate([np.arange(b, b + n) for b, n in zip(begin, hours, strict=True)])
    changed = hour >= (world.change if world.change is not None else world.days) * HOURS
    ill = draw.normal(size=len(begin))[stay] + world.illness * changed
    bad = _wandering(draw, stay)
    value = np.full((len(stay), len(QUANTITIES)), np.nan)
    for column, name in enumerate(VITALS):
        mean, between, within = USUAL[name]
        own = draw.normal(0, between, len(begin))[stay]
        value[:, column] = (
            mean + own + SICK.get(name, 0.0) * (0.5 * ill + 0.5 * bad) + within * _wandering(draw, stay)
        )
        patient = draw.beta(20 * KNOWN.get(name, 0.95), 20 * (1 - KNOWN.get(name, 0.95)), len(begin))[stay]
        value[draw.random(len(stay)) > patient, column] = np.nan
    at = VITALS.index("spo2")
    value[:, at] = np.clip(np.round(value[:, at] + world.spo2 * changed), 70, 100)
    value[changed & (bed[stay] < world.silent * world.beds), VITALS.index("rr")] = np.nan
    news = _news2(value)
    value[:, len(VITALS)] = np.where(news.known, news.total, np.nan)
    value[:, len(VITALS) + 1] = 1 / (
        1 + np.exp(4 - 0.35 * news.total - 0.5 * draw.normal(size=len(begin))[stay])
    )
    day = hour // HOURS
    per_day = count(value, day, world.days, 3600)
    watched = np.bincount(hour, minlength=world.days * HOURS).reshape(world.days, HOURS) * 3600
    tallies = [
        Tally("w", START + n * DAY, own | {MONITORED: watched[n].tolist(), PRESENT: watched[n].tolist()})
        for n, own in enumerate(per_day)
    ]
    # A tenth of the patients has about half of the alerts.
    rate = world.alerts_a_day * draw.gamma(0.6, 1 / 0.6, len(begin))[stay] / HOURS
    raised = draw.poisson(rate * np.where(changed, world.load, 1.0))
    told = draw.binomial(raised, 0.6)
    return Past(tallies, stays, *(_by_day(day, stay, n) for n in (raised, told)))


def _stays(world: World, draw: np.random.Generator) -> tuple[list[Present], Any, Any, Any]:
    stays, beds, begins, lengths = [], [], [], []
    for bed in range(world.beds):
        at = int(draw.integers(-72, 1))
        while at < world.days * HOURS:
            length = max(6, round(draw.lognormal(np.log(STAY_DAYS[0] * HOURS), STAY_DAYS[1])))
            low, high = max(at, 0), min(at + length, world.days * HOURS)
            if high > low:
                start, end = START + at * HOUR, START + (at + length) * HOUR
                stays.append(Present(str(len(stays)), "w", start, end))
                beds.append(bed)
                begins.append(low)
                lengths.append(high - low)
            at += length + int(draw.integers(2, 12))
    return stays, np.array(beds), np.array(begins), np.array(lengths)


def _wandering(
    draw: np.random.Generator, stay: NDArray[np.int64], keeps: float = 0.85
) -> NDArray[np.float64]:
    """Of unit spread, each hour much like the one before: in blocks, which is quick."""
    fresh = draw.random(len(stay)) > keeps
    fresh[np.flatnonzero(np.diff(stay, prepend=-1))] = True
    return np.asarray(draw.normal(size=int(fresh.sum()))[np.cumsum(fresh) - 1])


def _news2(value: NDArray[np.float64]) -> Any:
    of = {name: value[:, VITALS.index(name)] for name in ("rr", "spo2", "sbp", "hr", "temp")}
    return score(**of, oxygen=np.nan, consciousness=np.nan)


def _by_day(day: Any, stay: Any, number: Any) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for i in np.flatnonzero(number):
        own = found[START + int(day[i]) * DAY]
        own[str(stay[i])] = own.get(str(stay[i]), 0) + int(number[i])
    return found


def told(past: Past, days: Iterable[int]) -> dict[int, frozenset[Key]]:
    """What would be told on each of these days."""
    baseline = Baseline("w", START, START + REFERENCE * DAY, None, START)
    return {day: examine(past, baseline, START + day * DAY).lasting for day in days}


def notices(told_by_day: dict[int, frozenset[Key]]) -> int:
    """How often something began to be told that was not told the day before."""
    begun, before = 0, False
    for day in sorted(told_by_day):
        begun += bool(told_by_day[day]) and not before
        before = bool(told_by_day[day])
    return begun


def found_after(world: World, keys: Iterable[Key], seed: int, within: int) -> int | None:
    """Days from the change to the first day on which one of ``keys`` is told."""
    assert world.change is not None
    past = live(world, seed)
    wanted = frozenset(keys)
    for day in range(world.change + 1, world.change + within + 1):
        if told(past, [day])[day] & wanted:
            return day - world.change
    return None


def chance_psi(beds: int, wards: int, seed: int) -> list[float]:
    """Stability indices of SpO2 of single weeks, sorted, of wards that do not change."""
    found = []
    for n in range(wards):
        past = live(World(beds=beds, days=REFERENCE + 63), seed + n)
        baseline = Baseline("w", START, START + REFERENCE * DAY, None, START)
        for day in range(REFERENCE + 7, REFERENCE + 64, 7):
            findings = examine(past, baseline, START + day * DAY).findings
            found += [f.psi for f in findings if f.key == Key("spo2", "value") and f.days == 7 and f.psi]
    return sorted(found)


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--wards", type=int, default=20, help="of each kind")
    given.add_argument("--days", type=int, default=365, help="of those that do not change")
    given.add_argument("--seed", type=int, default=1)
    asked = given.parse_args()
    print(f"seed {asked.seed}; reference {REFERENCE} days")
    for beds in (12, 24, 48):
        begun, blamed, days = 0, Counter[str](), 0
        for n in range(asked.wards):
            by_day = told(live(World(beds=beds, days=asked.days), asked.seed + n), range(FIRST, asked.days))
            begun += notices(by_day)
            days += sum(map(bool, by_day.values()))
            blamed.update(f"{k.what} {k.aspect}" for k in frozenset().union(*by_day.values()))
        years = asked.wards * (asked.days - FIRST) / 365
        print(
            f"{beds} beds, no change: {begun} notices in {years:.1f} ward-years "
            f"({begun / years:.2f} a year, {days / years:.1f} days a year): {dict(blamed)}"
        )
    for beds in (12, 24, 48):
        psi = chance_psi(beds, asked.wards, asked.seed)
        part = sum(one > MATERIAL_PSI for one in psi) / len(psi)
        print(
            f"{beds} beds, no change: PSI of SpO2 of one week {psi[len(psi) // 2]:.2f} (median), "
            f"{psi[len(psi) * 9 // 10]:.2f} (90th percentile), over {MATERIAL_PSI} in {part:.0%} of weeks"
        )
    for name, (world, keys) in CHANGES.items():
        for beds in (12, 24, 48):
            changing = replace(world, beds=beds, days=110, change=45)
            took = [found_after(changing, keys, asked.seed + n, 60) for n in range(asked.wards)]
            seen = sorted(day for day in took if day is not None)
            middle = f"after {seen[len(seen) // 2]} days (median)" if seen else ""
            print(f"{beds} beds, {name}: found on {len(seen)} of {len(took)} wards within 60 days {middle}")


if __name__ == "__main__":
    main()
