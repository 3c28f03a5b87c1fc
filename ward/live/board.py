"""Keeps the board: views of the stays that changed, pending alerts with the time left, devices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from ward.alerts.model import Alert
from ward.alerts.technical import SERVICE
from ward.clock import iso
from ward.live import metrics
from ward.live.changes import change
from ward.live.core import Core
from ward.live.drafts import limits_of
from ward.live.minutes import Recent
from ward.live.risks import RiskShown, known, risks_now
from ward.live.views import Board, Json, device_view, stay_views
from ward.scoring.sustain import BREACH
from ward.signals import MINUTE
from ward.web.hub import Message
from ward.web.views import alert_view

EVERYTHING_MS = 5_000
"""So often all views are made anew: what only ages changes too."""


Step = tuple[Json | None, Json]
"""A stay's view before, None where it was not told, and after."""


class BoardKeeper:
    """Makes each tick's board from the core; stays that did not change keep their view."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._views: dict[str, Json] = {}
        self._risks: dict[str, RiskShown] = {}
        self._devices: list[Json] = []
        self._recent = Recent()
        self._full_at = 0
        self._messages: list[Message] = []
        """What the board's next state is told by: only once it is there, lest a stream that begins just then
        miss it in both."""
        self.board = Board(0)

    def refresh(self, now: int, speed: float = 1.0) -> Board:
        """The board of now; tells the dashboards what changed of every stay."""
        core = self._core
        full = now - self._full_at >= EVERYTHING_MS * speed or now < self._full_at
        if full:
            self._full_at = now
        alerts: dict[str, list[Alert]] = defaultdict(list)
        for alert in core.book.open_alerts():
            alerts[alert.stay].append(alert)
        present = {
            s: slot for slot in core.slots.taken() if core.stays[s := core.slots.stay(slot)].end is None
        }
        self._forget(set(present))
        self._note_minutes(now, present)
        pending = pending_views(core, present, alerts)
        had = {stay for stay, view in self._views.items() if view["pending"]}
        wanted = core.changed | {core.slots.stay(slot) for slot in pending} | had
        due = [s for s in present if full or s in wanted or s not in self._views]
        devices = core.router.devices()
        views = stay_views(
            [present[s] for s in due],
            [core.stays[s] for s in due],
            core.engine,
            core.newest,
            alerts,
            pending,
            {d.key: d for d in devices},
            core.router.device_key,
            core.book.ledger,
            self._recent,
            now,
        )
        for view, risk in zip(views, risks_now(core.engine, [present[s] for s in due]), strict=False):
            self._risks[view["id"]] = risk
            view["risk"] = known(risk.value)
        for view in views:
            view["limits"] = limits_of(core.rulebook, view["id"])
        self._tell(views, now, full)
        core.changed.clear()
        if full:
            self._devices = [device_view(d) for d in devices]
        listed = [alert_view(alert) for alert in alerts.get(SERVICE, ())]
        listed += [alert for view in self._views.values() for alert in view["alerts"]]
        self.board = Board(
            now,
            dict(self._views),
            listed,
            self._devices,
            dict(self._risks),
            self._recent,
            self.board.number + 1,
        )
        core.hub.tell([replace(message, step=self.board.number) for message in self._messages])
        self._messages = []
        self._measure(alerts, pending)
        return self.board

    def _tell(self, views: list[Json], now: int, full: bool) -> None:
        """What is other than before, a message a ward; one also where nothing is: that much is live."""
        told: dict[str, list[Step]] = {view["ward"]: [] for view in self._views.values()}
        for view in views:
            stay, ward = view["id"], view["ward"]
            before = self._views.get(stay)
            if before is not None and before["ward"] != ward:
                self._messages.append(_removed(stay, before["ward"]))
                before = None
            self._views[stay] = view
            self._messages.append(Message("stay", view, ward, of=stay))
            told.setdefault(ward, []).append((before, view))
        for ward, steps in told.items():
            changes = partial(_changes, steps, now, everything=full)
            self._messages.append(Message("stays", changes, ward))

    def _note_minutes(self, now: int, present: dict[str, int]) -> None:
        """Once a minute of the ward's time: the lines go on."""
        if now // MINUTE - 1 == self._recent.last and self._recent.rows.keys() == present.keys():
            return
        self._recent = self._core.newest.minutes.show(now, present)
        news: dict[str, dict[str, Json]] = defaultdict(dict)
        for stay, first in self._recent.news.items():
            news[self._core.stays[stay].ward][stay] = self._recent.view(stay, first)
        for ward, stays in news.items():
            self._messages.append(Message("minutes", {"stays": stays}, ward))

    def _forget(self, present: set[str]) -> None:
        for gone in self._views.keys() - present:
            self._messages.append(_removed(gone, self._views.pop(gone)["ward"]))
            self._risks.pop(gone, None)

    def _measure(self, alerts: dict[str, list[Alert]], pending: dict[int, list[Json]]) -> None:
        metrics.STAYS.set(len(self._views))
        metrics.PENDING.set(sum(len(p) for p in pending.values()))
        counts: dict[tuple[str, str], int] = defaultdict(int)
        for alert in (a for mine in alerts.values() for a in mine):
            counts[alert.state, alert.priority] += 1
        metrics.ALERTS.clear()
        for (state, priority), n in counts.items():
            metrics.ALERTS.labels(state, priority).set(n)
        metrics.STREAMS.set(self._core.hub.subscribers)


def _removed(stay: str, ward: str) -> Message:
    return Message("stay-removed", {"id": stay}, ward, of=stay)


def _changes(steps: Sequence[Step], now: int, *, everything: bool) -> Json:
    """What is other than before; only made where a screen is told of it."""
    found = (change(before, view, everything=everything) for before, view in steps)
    return {"time": iso(now), "stays": [one for one in found if one is not None]}


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One breach that nobody was told of."""

    slot: int
    column: int
    since: int
    left: int | None
    """ms until it would be told; None: it is sustained, and held back"""
    goes_on: bool = False
    """Whether the time left grows less: it stands still while it is not known whether the breach goes on."""


def pending_views(
    core: Core, present: dict[str, int], alerts: dict[str, list[Alert]]
) -> dict[int, list[Json]]:
    """By slot: what is in breach and nobody was told of, soonest first; also what a pause holds back."""
    engine = core.engine
    rules = engine.rules
    cells, left = engine.sustain.pending(engine.frontier)
    since = engine.sustain.cell["since"][cells].tolist()
    goes_on = (engine.sustain.cell["state"][cells] == BREACH).tolist()
    waiting = [
        _Waiting(cell // len(rules), cell % len(rules), *of)
        for cell, *of in zip(cells.tolist(), since, left.tolist(), goes_on, strict=True)
    ]
    found: dict[int, list[Json]] = defaultdict(list)
    for one in [*waiting, *_held_back(core, present)]:
        if not engine.applies[one.slot, one.column]:
            continue
        rule, stay = rules[one.column], core.slots.stay(one.slot)
        if rule.off_for(core.stays[stay].flags) or any(a.rule == rule.id for a in alerts[stay]):
            continue
        inhibitor = core.book.is_inhibited(stay, rule.id)
        signal, value = core.measured(one.slot, rule)
        found[one.slot].append(
            {
                "id": core.book.pending_id(stay, rule.id, one.since),
                "rule": rule.id,
                "title": rule.title,
                "titles": dict(rule.titles),
                "priority": rule.priority,
                "kind": rule.kind,
                "state": "pending" if inhibitor is None else "suppressed",
                "suppressed_by": inhibitor,
                "held_by": "pause" if one.left is None else None,
                "since": iso(one.since),
                "left_s": None if one.left is None else one.left / 1000,
                "due_at": iso(int(engine.frontier[one.slot]) + (one.left or 0)) if one.goes_on else None,
                "signal": signal,
                "value": value,
            }
        )
    for mine in found.values():
        mine.sort(key=lambda p: p["left_s"] or 0.0)
    return found


def _held_back(core: Core, present: dict[str, int]) -> list[_Waiting]:
    """What is sustained in a pause: nobody is told until it ends, but who looks must see it."""
    sustain = core.engine.sustain
    raised, since = sustain.grid("raised"), sustain.grid("raised_since")
    return [
        _Waiting(slot, column, int(since[slot, column]), None)
        for stay, slot in present.items()
        if core.book.is_paused(stay)
        for column in raised[slot].nonzero()[0].tolist()
    ]
