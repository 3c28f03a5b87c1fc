"""Trials over the stored history: which stays, what is in force for each, and their readings.

It runs in a process of its own (``ward.trial.worker``) and only reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from ward.alerts.overrides import Rulebook
from ward.clock import iso
from ward.scoring.risk import RiskModel
from ward.scoring.rules import Rule
from ward.signals import INDEX
from ward.store.devices import Device, all_devices
from ward.store.history import count_history, newest_time
from ward.store.stays import Stay, list_stays
from ward.trial.candidates import Setting, candidates_of, grid_of
from ward.trial.events import AFTER, WINDOW
from ward.trial.load import Span, readings_of
from ward.trial.run import MOST_READINGS, Json, Patient, Tell, Wanted, run
from ward.trial.shared import Shared
from ward.trial.suggest import MISS_COST, Wish
from ward.trial.sweep import LEAD_IN

_WIDTH: Final = {"all": 0, "ward": 1, "stay": 2, "pack": -1}
"""How narrow a scope is: a change in one leaves those alone that have a narrower one of their own."""


def stored_trial(
    db: Database,
    rulebook: Rulebook,
    request: Json,
    tell: Tell,
    model: Callable[[], RiskModel | None] = lambda: None,
    processes: int = 1,
    *,
    is_shared: bool = False,
    most: int = MOST_READINGS,
) -> Json:
    """``request`` as ``ward.web.routers.trial`` makes it, times in ms. processes: as in ``ward.trial.sweep``;
    with more than one ``db`` is used by nobody else. is_shared: other processes may take parts of it
    (``ward.trial.shared``), with no processes all of them. most: readings. Raises InvalidError."""
    tell(0.0, "looking for stays")
    start, end = int(request["start"]), int(request["end"])
    with db.connect() as connection:
        stays = _stays(connection, request, start, end)
        intervals = _intervals(all_devices(connection))
        sizes = count_history(connection, start - LEAD_IN, end + 1)
        newest = newest_time(connection, end + 1)
    upto = end if newest is None else min(end, newest)
    in_force = {stay.id: rulebook.effective(stay.ward, stay.id) for stay in stays}
    wanted = wanted_of(request, list(dict.fromkeys(in_force.values())) or [rulebook.effective()])
    patients = [
        Patient(
            id=stay.id,
            start=max(start, stay.start),
            end=min(upto, stay.end if stay.end is not None else upto),
            size=sizes[stay.id],
            in_force=in_force[stay.id],
            flags=frozenset(stay.flags),
            declared=_declared(stay, intervals),
            kept=_kept(rulebook, stay, wanted.candidates.rules, request.get("scope")),
            ward=stay.ward,
            bed=stay.bed,
        )
        for stay in stays
        if sizes.get(stay.id)
    ]
    patients = [p for p in patients if p.end > p.start]
    by_number = {number: table for _, number, table in intervals if number is not None}
    span = Span(start - LEAD_IN, upto + 1, by_number)
    db.dispose()  # copies of this process open their own connections
    return run(
        patients,
        lambda some: readings_of(db, [p.id for p in some], span),
        wanted,
        tell,
        iso,
        model,
        max(processes, 1),  # what is not shared somebody must do
        Shared(db, [p.id for p in patients], span, processes) if is_shared else None,
        most,
    )


def _stays(connection: Connection, request: Json, start: int, end: int) -> list[Stay]:
    wanted: Collection[str] | None = request.get("stays")
    found: list[Stay] = []
    cursor = None
    while True:
        page = list_stays(
            connection, wards=request.get("wards"), include_ended=True, cursor=cursor, limit=500
        )
        found += [s for s in page.items if wanted is None or s.id in wanted]
        if (cursor := page.next) is None:
            break
    there = [s for s in found if s.start < end and (s.end is None or s.end > start)]
    return sorted(there, key=lambda stay: (stay.start, stay.id))


def wanted_of(
    request: Json, in_force: Sequence[Sequence[Rule]], labels: Mapping[str, set[int]] | None = None
) -> Wanted:
    """``in_force``: what any of the stays has; ``labels``: events, where the request's own are not meant.
    Raises InvalidError."""
    known = tuple({rule.id: rule for rules in reversed(in_force) for rule in rules}.values())
    definitions = tuple(request.get("rules") or ())
    grid, asked = None, request.get("grid")
    if asked is not None:
        # The rule that varies may itself be new, or changed beside.
        present = Setting("given", definitions).rules(known)
        grid = grid_of(asked["rule"], asked["thresholds"], asked["for"], asked.get("signal"), present)
    events: dict[str, set[int]] | None = None if labels is None else dict(labels)
    if labels is None and request.get("events") is not None:
        events = defaultdict(set)
        for event in request["events"]:
            events[event["stay"]].add(int(event["time"]))
    wish = request.get("suggest")
    holds = {INDEX[signal]: int(ms) for signal, ms in (request.get("holds") or {}).items()}
    return Wanted(
        candidates_of(definitions, grid, known, bare=bool(holds)),
        events,
        int(request.get("window", WINDOW)),
        int(request.get("after", AFTER)),
        None
        if wish is None
        else Wish(wish["per_day"], wish.get("of", "alerts"), wish.get("miss_cost", MISS_COST)),
        bool(request.get("listed", True)),
        holds,
        request.get("zone"),
    )


Intervals = Sequence[tuple[str, int | None, Mapping[int, float]]]
"""Of devices that declare any: key, number, interval (s) of each signal (index)."""


def _intervals(devices: Sequence[Device]) -> Intervals:
    return [
        (d.key, d.number, {INDEX[name]: seconds for name, seconds in d.intervals.items()})
        for d in devices
        if d.intervals
    ]


def _declared(stay: Stay, intervals: Intervals) -> tuple[int, ...]:
    """Signals that the devices announce which the stay has, or had when it ended."""
    keys = {f"{d.ward}/{d.device}" for d in stay.devices if d.end in (None, stay.end)}
    return tuple(sorted({signal for key, _, table in intervals if key in keys for signal in table}))


def _kept(rulebook: Rulebook, stay: Stay, tried: frozenset[str], scope: Any) -> frozenset[str]:
    """Rules that a change in ``scope`` would not reach in this stay: it, or its ward, has its own."""
    if scope is None:
        return frozenset()
    kind, _, name = str(scope).partition(":")
    if (kind == "ward" and name != stay.ward) or (kind == "stay" and name != stay.id):
        return tried
    own = {rule: rulebook.origin(rule, stay.ward, stay.id)[0].partition(":")[0] for rule in tried}
    return frozenset(rule for rule, origin in own.items() if _WIDTH[origin] > _WIDTH[kind])
