"""The handover of a shift: of each patient who had her, what is open, what happened, what differs. As plain
data, for the screen and for paper."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from ward.alerts.model import RANK, Alert, Event
from ward.clock import iso
from ward.errors import InvalidError, require_span
from ward.reports.then import news2_then
from ward.signals import HOUR
from ward.store.alerts import alerts_between
from ward.store.events import events_between, newest_before
from ward.store.stays import Stay, stays_between

Json = dict[str, Any]
LONGEST: Final = 36 * HOUR
USUAL: Final = 8 * HOUR
"""Where no roster says how long a shift is."""
CARE: Final = ("assigned", "unassigned")
CHANGES: Final = ("admitted", "discharged", "moved", "flags", "paused", "pause-ended", "attached", "detached")
"""Kinds of events that a handover tells."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What is so now: the stays' views by id, and the rules in force for ``stay:ID`` or ``ward:NAME``."""

    board: Mapping[str, Mapping[str, Any]]
    rules: Callable[[str], Sequence[Mapping[str, Any]]]


def handover(
    connection: Connection, sources: Sources, ward: str, start: int, end: int, now: int, shift: str | None
) -> Json:
    """Of ``[start, end)`` (ms). Raises InvalidError for a span that is none, or too long."""
    require_span(start, end, "query.start")
    if end - start > LONGEST:
        raise InvalidError(
            f"a handover is of {LONGEST // HOUR} h at the most",
            field="query.start",
            code="handover-long",
            params={"hours": LONGEST // HOUR},
        )
    stays = stays_between(connection, ward, start, end)
    ids = [stay.id for stay in stays]
    alerts = _by_stay(alerts_between(connection, ids, start, end))
    events = _by_stay(events_between(connection, ids, start, end))
    before = newest_before(connection, ids, CARE, start)
    then = news2_then(connection, stays, start)
    at_end = {} if now < end else news2_then(connection, stays, end)
    patients = []
    for stay in stays:
        shown = sources.board.get(stay.id) if stay.end is None else None
        score_now = _score_now(shown) if shown is not None and now <= end else at_end.get(stay.id)
        patients.append(
            _patient(stay, shown)
            | {
                "had": spells(before.get(stay.id), events[stay.id], stay, start, min(end, now)),
                "news2": {"then": then[stay.id], "now": score_now},
                **_alerts(alerts[stay.id], start, end),
                "changes": [_change(e) for e in events[stay.id] if e.kind in CHANGES],
                "limits": _limits(sources, stay) if shown is not None else [],
            }
        )
    return {
        "ward": ward,
        "shift": shift,
        "start": iso(start),
        "end": iso(end),
        "made_at": iso(now),
        "nobody": [p["bed"] for p in patients if p["discharged_at"] is None and p["carer"] is None],
        "patients": patients,
    }


def spells(before: Event | None, events: Sequence[Event], stay: Stay, start: int, end: int) -> list[Json]:
    """Who had the patient from when to when within ``[start, end)``; in a gap nobody had her."""
    found: list[Json] = []
    name, since = None, start
    if before is not None and before.kind == "assigned":
        name = before.detail["name"]
    over = end if stay.end is None else min(stay.end, end)
    for event in (e for e in events if e.kind in CARE):
        if name is not None and event.at > since:
            found.append({"name": name, "since": iso(since), "until": iso(event.at)})
        name = event.detail["name"] if event.kind == "assigned" else None
        since = event.at
    if name is not None and over > since:
        found.append({"name": name, "since": iso(since), "until": iso(over)})
    return _joined(found)


def _joined(found: list[Json]) -> list[Json]:
    """Who took the same patient again has had her all the time."""
    spells: list[Json] = []
    for one in found:
        last = spells[-1] if spells else None
        if last is not None and last["name"] == one["name"] and last["until"] == one["since"]:
            last["until"] = one["until"]
        else:
            spells.append(one)
    return spells


def _patient(stay: Stay, shown: Mapping[str, Any] | None) -> Json:
    names = ("carer", "paused_until", "paused_reason", "paused_by")
    return {
        "stay": stay.id,
        "bed": stay.bed,
        "patient_ref": stay.patient_ref,
        "flags": list(stay.flags),
        "admitted_at": iso(stay.start),
        "discharged_at": iso(stay.end),
        **{name: shown.get(name) if shown is not None else None for name in names},
    }


def _score_now(shown: Mapping[str, Any]) -> Json | None:
    score = shown.get("news2")
    return score and {name: score.get(name) for name in ("score", "risk", "partial", "not_applicable")}


def _alerts(alerts: Sequence[Alert], start: int, end: int) -> Json:
    """``open``: at the end of the shift; ``over``: raised in it, and over by then; ``raised``: how many."""
    raised = [a for a in alerts if start <= (a.raised_at or 0) < end]
    is_open = [a for a in alerts if a.closed_at is None or a.closed_at >= end]
    is_open.sort(key=lambda a: (a.kind == "technical", -RANK[a.priority], a.raised_at or 0))
    over = [a for a in raised if a not in is_open]
    return {
        "open": [_alert(a) for a in is_open],
        "over": [_alert(a) for a in over],
        "raised": {
            priority: sum(a.priority == priority and a.kind == "physiological" for a in raised)
            for priority in ("high", "medium", "low")
        }
        | {"technical": sum(a.kind == "technical" for a in raised)},
    }


def _alert(alert: Alert) -> Json:
    return {
        "id": alert.id,
        "rule": alert.rule,
        "title": alert.title,
        "titles": dict(alert.titles),
        "priority": alert.priority,
        "kind": alert.kind,
        "state": alert.state,
        "raised_at": iso(alert.raised_at),
        "over_at": iso(alert.cleared_at or alert.closed_at),
        "by": alert.acknowledged_by or alert.shelved_by,
        "assessment": alert.assessment,
        "shelved_until": iso(alert.shelved_until),
        "note": alert.note or alert.shelve_reason,
    }


def _change(event: Event) -> Json:
    return {"at": iso(event.at), "kind": event.kind, "by": event.by, "detail": event.detail}


def _limits(sources: Sources, stay: Stay) -> list[Json]:
    """Rules of this patient that are not the ward's, beside what the ward's say."""
    scope = f"stay:{stay.id}"
    usual = {rule["id"]: rule for rule in sources.rules(f"ward:{stay.ward}")}
    return [
        {
            "rule": rule["id"],
            "title": rule["title"],
            "titles": rule.get("titles") or {},
            "when": rule["when"],
            "for": rule["for"],
            "usual": usual[rule["id"]]["title"] if rule["id"] in usual else None,
            "usual_titles": (usual[rule["id"]].get("titles") or {}) if rule["id"] in usual else {},
            "by": rule["by"],
            "at": rule["at"],
            "until": rule.get("until"),
        }
        for rule in sources.rules(scope)
        if rule["scope"] == scope
    ]


def _by_stay(found: Sequence[Any]) -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = defaultdict(list)
    for one in found:
        table[one.stay].append(one)
    return table
