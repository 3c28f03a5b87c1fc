"""Keeps the board: views of the stays that changed, pending alerts with the time left, devices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain

import numpy as np

from ward.alerts.model import Alert
from ward.alerts.technical import SERVICE
from ward.clock import iso
from ward.ingest.router import DeviceView
from ward.live import metrics
from ward.live.changes import change
from ward.live.core import Core
from ward.live.frames import Frame
from ward.live.minutes import Recent
from ward.live.raises import measured
from ward.live.risks import RiskShown
from ward.live.views import Json, device_view
from ward.scoring.sustain import BREACH
from ward.signals import MINUTE
from ward.web.hub import Message
from ward.web.views import alert_view

EVERYTHING_MS = 15_000
"""So often each view is made anew though nothing in it is known to have changed: what only ages."""
TURNS = 30
"""Not those of all stays at once: a part of them in each half second."""
DEVICES = 10
"""After so many turns the list of devices is made anew."""


Step = tuple[Frame | None, str]
"""The frame of a stay's view before, None where it was not told; and the stay."""


class Views(Mapping[str, Json]):
    """Views of stays by id, each made when somebody asks for it."""

    def __init__(self, frames: Mapping[str, Frame]) -> None:
        self._frames = frames

    def __getitem__(self, stay: str) -> Json:
        return self._frames[stay].view(stay)

    def __contains__(self, stay: object) -> bool:
        return stay in self._frames

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)


class Board:
    """One moment of all open stays (see ``ward.web.service_protocol``). ``frames``: of each stay the one in
    which it changed last. ``number`` counts the boards of this process: what was told by one of no higher
    number is in it."""

    def __init__(
        self,
        time: int,
        frames: Mapping[str, Frame] | None = None,
        of_service: Sequence[Alert] = (),
        devices: Callable[[], Sequence[Json]] = tuple,
        minutes: Recent | None = None,
        number: int = 0,
    ) -> None:
        self.time, self.minutes, self.number = time, minutes or Recent(), number
        self.frames: Mapping[str, Frame] = frames or {}
        self.stays = Views(self.frames)
        self._of_service, self._devices = of_service, devices

    @property
    def alerts(self) -> list[Json]:
        listed = [alert_view(alert) for alert in self._of_service]
        for stay, frame in self.frames.items():
            if frame.has_alerts(stay):
                listed += frame.view(stay)["alerts"]
        return listed

    @property
    def devices(self) -> Sequence[Json]:
        return self._devices()

    @property
    def wards(self) -> set[str]:
        """Those with open stays."""
        return {frame.ward(stay) for stay, frame in self.frames.items()}

    def seen_by(self, sees: Callable[[str], bool]) -> list[Json]:
        return [frame.view(stay) for stay, frame in self.frames.items() if sees(frame.ward(stay))]

    def risk(self, stay: str) -> RiskShown | None:
        frame = self.frames.get(stay)
        return None if frame is None else frame.risk(stay)


class BoardKeeper:
    """Makes each tick's board from the core; stays that did not change keep their view."""

    def __init__(self, core: Core, speed: float = 1.0) -> None:
        self._core, self._turn_ms = core, EVERYTHING_MS * speed / TURNS
        self._waiting: set[str] = set()
        """Stays with something pending."""
        self._devices: Callable[[], Sequence[Json]] = tuple
        self._recent = Recent()
        self._turn = 0
        self._fresh = core.engine.held.fresh(core.engine.frontier)
        self._news: list[Message] = []
        """Minutes that are not told yet: only once the board that has them is there, lest a stream that
        begins just then miss them in both."""
        self.board = Board(0)

    def refresh(self, now: int) -> Board:
        """The board of now; tells the dashboards what changed of every stay."""
        core = self._core
        turn = int(now // self._turn_ms)
        since = self._turn if self._turn <= turn else 0  # the clock was set back
        turns = {each % TURNS for each in range(max(since, turn - TURNS) + 1, turn + 1)}
        alerts: dict[str, list[Alert]] = defaultdict(list)
        for alert in core.book.open_alerts():
            alerts[alert.stay].append(alert)
        present = {
            s: slot for slot in core.slots.taken() if core.stays[s := core.slots.stay(slot)].end is None
        }
        self._note_minutes(now, present)
        pending = pending_views(core, present, alerts)
        before, wanted = self.board.frames, core.changed | pending.keys() | self._waiting
        turned = self._turned_stale()
        anew = {s for s, slot in present.items() if slot % TURNS in turns or slot in turned}
        due = {s: slot for s, slot in present.items() if s in anew or s in wanted or s not in before}
        frame = Frame(core, due, alerts, pending, self._recent, now)
        if self._turn // DEVICES != turn // DEVICES:
            self._devices = _once(core.router.devices())
        self._turn = turn
        kept = {stay: old for stay, old in before.items() if stay in present}
        frames = kept | dict.fromkeys(due, frame)
        self._waiting = set(pending)
        core.changed.clear()
        number = self.board.number + 1
        self.board = Board(now, frames, alerts.get(SERVICE, ()), self._devices, self._recent, number)
        told = chain(
            (_removed(stay, old.ward(stay)) for stay, old in before.items() if stay not in present),
            self._news,
            _told(kept, due, frame, anew),
        )
        core.hub.tell(replace(message, step=number) for message in told)
        self._news = []
        self._measure(alerts, pending)
        return self.board

    def _turned_stale(self) -> set[int]:
        """Slots of which a hold has ended, or begun, since the board before."""
        engine = self._core.engine
        before, self._fresh = self._fresh, engine.held.fresh(engine.frontier)
        known = min(len(before), len(self._fresh))
        return set(np.flatnonzero((before[:known] != self._fresh[:known]).any(axis=1)).tolist())

    def _note_minutes(self, now: int, present: dict[str, int]) -> None:
        """Once a minute of the ward's time: the lines go on."""
        if now // MINUTE - 1 == self._recent.last and self._recent.slots.keys() == present.keys():
            return
        recent = self._recent = self._core.newest.minutes.show(now, present)
        news: dict[str, dict[str, int]] = defaultdict(dict)
        for stay, first in recent.news.items():
            news[self._core.stays[stay].ward][stay] = first
        self._news += [Message("minutes", partial(_lines, recent, firsts), w) for w, firsts in news.items()]

    def _measure(self, alerts: dict[str, list[Alert]], pending: dict[str, list[Json]]) -> None:
        metrics.STAYS.set(len(self.board.frames))
        metrics.PENDING.set(sum(len(p) for p in pending.values()))
        counts: dict[tuple[str, str], int] = defaultdict(int)
        for alert in (a for mine in alerts.values() for a in mine):
            counts[alert.state, alert.priority] += 1
        metrics.ALERTS.clear()
        for (state, priority), n in counts.items():
            metrics.ALERTS.labels(state, priority).set(n)
        metrics.STREAMS.set(self._core.hub.subscribers)


def _once(devices: Sequence[DeviceView]) -> Callable[[], Sequence[Json]]:
    """Their views, made when they are asked for first."""
    return cache(lambda: [device_view(device) for device in devices])


def _lines(recent: Recent, firsts: Mapping[str, int]) -> Json:
    return {"stays": {stay: recent.view(stay, first) for stay, first in firsts.items()}}


def _told(
    kept: Mapping[str, Frame], due: Iterable[str], frame: Frame, anew: Collection[str]
) -> Iterator[Message]:
    """What is other than before, a message a ward; one also where nothing is: that much is live. ``anew``:
    stays of which that is told, too, which only ages."""
    steps: dict[str, list[Step]] = {old.ward(stay): [] for stay, old in kept.items()}
    for stay in due:
        ward, before = frame.ward(stay), kept.get(stay)
        if before is not None and before.ward(stay) != ward:
            yield _removed(stay, before.ward(stay))
            before = None
        yield Message("stay", partial(frame.view, stay), ward, of=stay)
        steps.setdefault(ward, []).append((before, stay))
    for ward, some in steps.items():
        yield Message("stays", partial(_changes, some, frame, anew), ward)


def _removed(stay: str, ward: str) -> Message:
    return Message("stay-removed", {"id": stay}, ward, of=stay)


def _changes(steps: Sequence[Step], after: Frame, anew: Collection[str]) -> Json:
    """What is other than before; only made where a screen is told of it."""
    found = (
        change(None if old is None else old.view(stay), after.view(stay), everything=stay in anew)
        for old, stay in steps
    )
    return {"time": iso(after.now), "stays": [one for one in found if one is not None]}


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
) -> dict[str, list[Json]]:
    """By stay: what is in breach and nobody was told of, soonest first; also what a pause holds back."""
    engine = core.engine
    rules = engine.rules
    cells, left = engine.sustain.pending(engine.frontier)
    since = engine.sustain.cell["since"][cells].tolist()
    goes_on = (engine.sustain.cell["state"][cells] == BREACH).tolist()
    waiting = [
        _Waiting(cell // len(rules), cell % len(rules), *of)
        for cell, *of in zip(cells.tolist(), since, left.tolist(), goes_on, strict=True)
    ]
    found: dict[str, list[Json]] = defaultdict(list)
    for one in [*waiting, *_held_back(core, present)]:
        if not engine.applies[one.slot, one.column]:
            continue
        rule, stay = rules[one.column], core.slots.stay(one.slot)
        if rule.off_for(core.stays[stay].flags) or any(a.rule == rule.id for a in alerts[stay]):
            continue
        inhibitor = core.book.is_inhibited(stay, rule.id)
        signal, value = measured(core, one.slot, rule)
        found[stay].append(
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
