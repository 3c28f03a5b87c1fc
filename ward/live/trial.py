"""Candidate rules over stored history: what they would have raised, and how that differs from now.

It drives the very engine that runs live, filter included, over the stored readings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine as Database

from ward.alerts.overrides import Rulebook, merge
from ward.alerts.packs import parse_rule
from ward.clock import iso
from ward.errors import InvalidError
from ward.live.history import HistoryBuffer, stored_readings
from ward.live.views import Json
from ward.scoring.engine import Engine
from ward.scoring.readings import Readings
from ward.scoring.rules import Rule
from ward.scoring.sustain import CLEARED, RAISED
from ward.signals import INDEX
from ward.store.devices import Device, all_devices
from ward.store.stays import Stay


def run_trial(
    db: Database, rulebook: Rulebook, stays: Sequence[Stay], request: Json, start: int, end: int
) -> Json:
    """``request["rules"]`` in place of (or beside) those in force, for these stays over [start, end] ms."""
    repeated = sorted({c["id"] for c in request["rules"]} - {*_once(request["rules"])})
    if repeated:
        raise InvalidError(f"the same rule twice: {', '.join(repeated)}", field="rules")
    with db.connect() as connection:
        declared = {d.key: d for d in all_devices(connection) if d.intervals}
    intervals = {d.number: _by_signal(d) for d in declared.values() if d.number is not None}
    candidate: list[Json] = []
    now: list[Json] = []
    for stay in stays:
        in_force = rulebook.effective(stay.ward, stay.id)
        given = {c["id"]: _candidate(c, in_force) for c in request["rules"]}
        changed = tuple(given.get(rule.id, rule) for rule in in_force)
        added = tuple(rule for rule in given.values() if rule.id not in {r.id for r in in_force})
        with db.connect() as connection:
            readings = stored_readings(connection, HistoryBuffer(), stay.id, start, end, intervals)
        keys = [f"{d.ward}/{d.device}" for d in stay.devices if d.end is None]
        signals = sorted({s for key in keys if key in declared for s in _by_signal(declared[key])})
        now += _raised(stay, in_force, readings, end, signals)
        candidate += _raised(stay, (*changed, *added), readings, end, signals)
    known = {_key(item) for item in now}
    found = {_key(item) for item in candidate}
    return {
        "raised": candidate,
        "now": now,
        "only_candidate": [item for item in candidate if _key(item) not in known],
        "only_now": [item for item in now if _key(item) not in found],
    }


def _candidate(definition: Json, in_force: Sequence[Rule]) -> Rule:
    old = next((rule for rule in in_force if rule.id == definition["id"]), None)
    return parse_rule(merge(old, definition), file="trial")


def _once(rules: Sequence[Json]) -> list[str]:
    counts = Counter(rule["id"] for rule in rules)
    return [rule for rule, count in counts.items() if count == 1]


def _by_signal(device: Device) -> dict[int, float]:
    return {INDEX[name]: seconds for name, seconds in (device.intervals or {}).items()}


def _raised(
    stay: Stay, rules: Sequence[Rule], readings: Readings, end: int, declared: Sequence[int]
) -> list[Json]:
    mine = [rule for rule in rules if not set(rule.unless) & set(stay.flags)]
    engine = Engine(mine, 1, lateness=0)
    engine.configure(0, declared=declared, scale=2 if "spo2-scale-2" in stay.flags else 1)
    engine.add(readings)
    found: list[Json] = []
    last: dict[int, Json] = {}
    transitions = engine.step(min(end, int(readings.time.max()) if len(readings) else end)).transitions
    for column, kind, at in zip(transitions.rule, transitions.kind, transitions.at, strict=True):
        rule = mine[int(column)]
        if kind == RAISED:
            item: dict[str, Any] = {
                "stay": stay.id,
                "rule": rule.id,
                "raised_at": iso(int(at)),
                "cleared_at": None,
                "priority": rule.priority,
            }
            last[int(column)] = item
            found.append(item)
        elif kind == CLEARED and int(column) in last:
            last[int(column)]["cleared_at"] = iso(int(at))
    return found


def _key(item: Json) -> tuple[str, str, str]:
    return item["stay"], item["rule"], item["raised_at"]
