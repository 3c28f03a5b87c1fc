"""The board of all wards, put together from what each partition's engine tells of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ward.clock import iso
from ward.cluster.applied import applied
from ward.ingest.times import parse_time
from ward.live.minutes import BINS
from ward.partitions import Partition
from ward.signals import MINUTE
from ward.web.hub import Hub, Message
from ward.web.log import text_of

Json = dict[str, Any]
AWAY: Final = "no engine tells of {}"


@dataclass(frozen=True, slots=True)
class Part:
    """What is known of one partition. ``health`` None: nobody tells of it now, so that nothing of it is live;
    ``place`` is that of the last event in its log."""

    partition: Partition
    stays: Mapping[str, Json] = field(default_factory=dict)
    alerts: Sequence[Json] = ()
    devices: Sequence[Json] = ()
    minutes: Mapping[str, Json] = field(default_factory=dict)
    forged: Mapping[str, Json] = field(default_factory=dict)
    health: Json | None = None
    place: int = 0
    time: int = 0
    number: int = 0
    """Of its engine's board."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Two hours of each signal, as the engines showed them."""

    by_stay: Mapping[str, Json]

    def view(self, stay: str, first: int | None = None) -> Json:
        """See ``ward.web.service_protocol.Minutes``."""
        known = self.by_stay.get(stay, {"from": iso(0), "to": iso(0), "signals": {}})
        begin = _ms(known["from"]) // MINUTE
        skip = max(first - begin, 0) if first is not None else 0
        if not skip:
            return known
        signals = {name: values[skip:] for name, values in known["signals"].items()}
        some = {name: values for name, values in signals.items() if any(v is not None for v in values)}
        return {"from": iso((begin + skip) * MINUTE), "to": known["to"], "signals": some}


@dataclass(frozen=True, slots=True)
class WholeBoard:
    """As ``ward.web.service_protocol.Board``."""

    time: int = 0
    stays: Mapping[str, Json] = field(default_factory=dict)
    alerts: Sequence[Json] = ()
    devices: Sequence[Json] = ()
    minutes: Lines = field(default_factory=lambda: Lines({}))
    number: int = 0

    def seen_by(self, sees: Callable[[str], bool]) -> list[Json]:
        """See ``ward.web.service_protocol.Board``."""
        return [view for view in self.stays.values() if sees(view["ward"])]


class Whole:
    """Each partition's follower tells what came; the board is replaced, then the streams are told. From any
    thread."""

    def __init__(self, of: int, hub: Hub) -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self.parts = [Part(Partition(number, of)) for number in range(of)]
        self._number = 0
        self._board = WholeBoard()

    @property
    def board(self) -> WholeBoard:
        """Made when it is asked for: a second brings a change for each ward."""
        with self._lock:
            if self._board.number != self._number:
                self._board = self._made()
            return self._board

    def places(self) -> list[int]:
        """Up to where each partition's log was told."""
        return [part.place for part in self.parts]

    def begin(self, number: int, told: Json) -> None:
        """Everything of a partition, in place of what was known: who looks at it is told all anew."""
        views = {view["id"]: view for view in told["stays"]}
        with self._lock:
            before = self.parts[number]
            self._put(
                replace(
                    before,
                    stays=views,
                    alerts=told["alerts"],
                    devices=told["devices"],
                    minutes=told["minutes"],
                    forged=told["forged"],
                    health=told["health"],
                    place=max(told["place"], before.place),
                    time=told["time"],
                    number=told["number"],
                )
            )
            self._hub.behind()  # before anything is told at a place that is behind this one

    def away(self, number: int) -> None:
        """Nobody tells of it now."""
        with self._lock:
            self._put(replace(self.parts[number], health=None))

    def state(self, number: int, told: Json) -> None:
        with self._lock:
            time, health, forged = (told[name] for name in ("time", "health", "forged"))
            self._put(replace(self.parts[number], time=time, health=health, forged=forged))

    def devices(self, number: int, told: list[Json]) -> None:
        with self._lock:
            self._put(replace(self.parts[number], devices=told))

    def reached(self, number: int, board: int) -> None:
        with self._lock:
            self._put(replace(self.parts[number], number=board))

    def follow(self, number: int, kind: str, data: Json, id: int | None) -> None:
        """One change. Raises KeyError where it is of what is not known: then all is to be asked for."""
        with self._lock:
            part, messages = FOLLOWED[kind](self.parts[number], data)
            self._put(part if id is None else replace(part, place=id))
            if id is not None:
                messages = [replace(message, id=text_of(self.places())) for message in messages]
            step = self._number
            self._hub.tell([m if m.id is not None else replace(m, step=step) for m in messages])

    # ------------------------------------------------------------------ inside, with the lock

    def _put(self, part: Part) -> None:
        self.parts[part.partition.number] = part
        self._number += 1

    def _made(self) -> WholeBoard:
        stays = {id: view for one in self.parts for id, view in one.stays.items()}
        alerts = [alert for one in self.parts for alert in one.alerts]
        alerts += [alert for view in stays.values() for alert in view["alerts"]]
        return WholeBoard(
            max(one.time for one in self.parts),
            stays,
            alerts,
            [device for one in self.parts for device in one.devices],
            Lines({stay: lines for one in self.parts for stay, lines in one.minutes.items()}),
            self._number,
        )


Followed = tuple[Part, list[Message]]
"""A partition after what it told, and what the screens are told of it."""


def _changes(part: Part, data: Json) -> Followed:
    views = dict(part.stays)
    for told in data["stays"]:
        views[told["id"]] = applied(views.get(told["id"]), told, data["time"])
    changed = [views[told["id"]] for told in data["stays"]]
    messages = [Message("stay", view, view["ward"], of=view["id"]) for view in changed]
    messages += [Message("stays", data, view["ward"]) for view in changed[:1]]
    return replace(part, stays=views), messages


def _minutes(part: Part, data: Json) -> Followed:
    lines = {**part.minutes, **{s: _longer(part.minutes.get(s), new) for s, new in data["stays"].items()}}
    wards = {part.stays[stay]["ward"] for stay in data["stays"] if stay in part.stays}
    return replace(part, minutes=lines), [Message("minutes", data, ward) for ward in wards]


def _removed(part: Part, data: Json) -> Followed:
    stays = dict(part.stays)
    gone = stays.pop(data["id"], None)
    minutes = {stay: lines for stay, lines in part.minutes.items() if stay != data["id"]}
    told = [] if gone is None else [Message("stay-removed", data, gone["ward"], of=data["id"])]
    return replace(part, stays=stays, minutes=minutes), told


def _alert(part: Part, data: Json) -> Followed:
    alert = data["alert"]
    if alert["stay"] is None:
        others = [one for one in part.alerts if one["id"] != alert["id"]]
        open_ = [] if alert["state"] == "closed" else [alert]
        part = replace(part, alerts=[*others, *open_])
    return part, [Message("alert", data, alert["ward"] or "")]


def _notice(part: Part, data: Json) -> Followed:
    return part, [Message("notice", data, data["ward"])]


FOLLOWED: Final[Mapping[str, Callable[[Part, Json], Followed]]] = {
    "stays": _changes,
    "minutes": _minutes,
    "stay-removed": _removed,
    "alert": _alert,
    "notice": _notice,
}


def _ms(text: str) -> int:
    return parse_time(text) or 0


def _longer(before: Json | None, new: Json) -> Json:
    """A line that goes on with newer minutes, which may also be other than before."""
    if before is None:
        return new
    begin, end = _ms(before["from"]) // MINUTE, _ms(new["to"]) // MINUTE
    start = _ms(new["from"]) // MINUTE
    first = max(end - BINS + 1, begin)
    signals = {}
    for name in before["signals"].keys() | new["signals"].keys():
        known = dict(enumerate(before["signals"].get(name, ()), begin))
        known |= dict.fromkeys(range(start, end + 1)) | dict(enumerate(new["signals"].get(name, ()), start))
        values = [known.get(minute) for minute in range(first, end + 1)]
        if any(value is not None for value in values):
            signals[name] = values
    return {"from": iso(first * MINUTE), "to": new["to"], "signals": signals}
