"""What a ward hears of recordings of about one reading a second: figures for ``ward.evaluation.episodes``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ward.alerts.packs import load_pack
from ward.evaluation.lived import Course, courses, days
from ward.evaluation.section import Json, Progress
from ward.evaluation.severe import Event, events
from ward.ingest.recordings import Recording, read_recordings
from ward.lifetime import NOBODY, Life
from ward.signals import HOUR, MINUTE, SECOND

PACKS: Final = ("ward-rct-2025", "default")
JUDGED: Final = "default"
"""The pack whose interruptions are listed one by one."""
LONG: Final = HOUR
"""A recording shorter than this gives no rate: somebody chose its minutes."""
AFTER: Final = 2 * MINUTE
"""An interruption this long after an event's end still tells of it."""


@dataclass(frozen=True, slots=True)
class Source:
    """One collection, as PhysioNet lays it out below the folder (or with its files in one folder)."""

    name: str
    title: str
    pattern: str
    format: str


SOURCES: Final = (
    Source("mimic4wdb", "MIMIC-IV WDB", "*n.csv.gz", "mimic4wdb"),
    Source("bidmc", "BIDMC", "bidmc_*_Numerics.csv", "bidmc"),
)


@dataclass(slots=True)
class Heard:
    """What was heard of one recording under one pack."""

    recording: Recording
    monitored: int
    """ms"""
    crossings: int
    prompt: Life
    untaken: Life


Groups = dict[str, dict[str, list[Heard]]]
"""By name, then by pack."""


def find(folder: Path, source: Source) -> list[Path]:
    """Its files, by name; empty where the folder has none."""
    own = folder / source.name
    return sorted((own if own.is_dir() else folder).rglob(source.pattern), key=lambda path: path.name)


def groups_of(folder: Path, *, quick: bool, progress: Progress) -> Groups:
    """What was heard, by collection and length of the recordings. ``quick``: the first two of each."""
    groups: Groups = {}
    for number, source in enumerate(SOURCES):
        files = find(folder, source)[: 2 if quick else None]
        recordings = []
        for done, file in enumerate(files):
            progress(f"{source.name}: {file.name}", (number + done / len(files)) / len(SOURCES))
            recordings += read_recordings(file, source.format)
        heard = heard_of(recordings)
        for what, long in (("hours", True), ("minutes", False)):
            mine = {pack: [h for h in one if (h.monitored >= LONG) == long] for pack, one in heard.items()}
            if mine[JUDGED]:
                groups[f"{source.title}, {what} long"] = mine
    return groups


def heard_of(recordings: Sequence[Recording]) -> dict[str, list[Heard]]:
    packs = {name: load_pack(name).rules for name in PACKS}
    found: dict[str, list[Heard]] = {name: [] for name in packs}
    for recording in recordings:
        for course in courses([recording], packs):
            for name in packs:
                found[name].append(_heard(course, name))
    return found


def _heard(course: Course, pack: str) -> Heard:
    return Heard(
        course.recordings[0],
        int(course.monitored()[0]),
        len(course.crossed(pack)),
        course.lives(pack)[0],
        course.lives(pack, staff=NOBODY)[0],
    )


# ---------------------------------------------------------------------- from event to interruption


@dataclass(frozen=True, slots=True)
class Told:
    """When staff first heard of an event: ``at`` ms (None: never), by which rule. ``already``: they were
    told, and the alert was not over, before it began."""

    event: Event
    at: int | None
    rule: str
    already: bool


def told_of(event: Event, life: Life) -> Told:
    """The first physiological interruption from its beginning to its end, or one whose alert was still up
    when it began."""
    calls = [call for call in life.interruptions if call.kind == "physiological"]
    alerts = {alert.id: alert for alert in life.alerts}
    for call in calls:
        over = alerts[call.alert].cleared_at
        if call.at < event.start and (over is None or over > event.start):
            return Told(event, call.at, call.rule, already=True)
        if event.start <= call.at <= event.end + AFTER:
            return Told(event, call.at, call.rule, already=False)
    return Told(event, None, "", already=False)


# ---------------------------------------------------------------------- figures


def figures_of(groups: Groups) -> Json:
    severe = [
        event_figures(heard, told_of(event, heard.prompt))
        for packs in groups.values()
        for heard in packs[JUDGED]
        for event in events(heard.recording)
    ]
    calls = {
        heard.recording.stay: [
            {"min": round(c.at / MINUTE, 2), "rule": c.rule, "priority": c.priority, "reason": c.reason}
            for c in heard.prompt.interruptions
        ]
        for packs in groups.values()
        for heard in packs[JUDGED]
        if heard.prompt.interruptions
    }
    return {
        "load": {name: {p: load(heard) for p, heard in packs.items()} for name, packs in groups.items()},
        "severe": severe,
        "silent": sum(event["first_interruption_s"] is None for event in severe),
        "calls": calls,
    }


def load(heard: Sequence[Heard]) -> Json:
    """Sums over recordings, and rates where they are long enough to give any."""
    calls = [call for h in heard for call in h.prompt.interruptions]
    alerts = [a for h in heard for a in h.prompt.alerts if a.announced_at is not None]
    monitored = days(sum(h.monitored for h in heard))
    body = [call for call in calls if call.kind == "physiological"]
    aside = [call.rule.partition(":")[0] for call in calls if call.kind == "technical"]
    numbers = {
        "crossings": sum(h.crossings for h in heard),
        "alerts": sum(a.kind == "physiological" for a in alerts),
        "interruptions": len(body),
        "technical_alerts": sum(a.kind == "technical" for a in alerts),
        "technical_interruptions": len(aside),
        "interruptions_if_nobody_comes": sum(
            c.kind == "physiological" for h in heard for c in h.untaken.interruptions
        ),
    }
    long = all(h.monitored >= LONG for h in heard)
    return {
        "recordings": len(heard),
        "patient_days": round(monitored, 3),
        **numbers,
        "a_day": {name: round(n / monitored, 2) for name, n in numbers.items()} if long else None,
        "fewer": round(1 - len(body) / numbers["crossings"], 4) if numbers["crossings"] else None,
        "by_priority": dict(Counter(call.priority for call in body)),
        "by_rule": dict(Counter(call.rule for call in body).most_common()),
        "technical_by_rule": dict(Counter(aside).most_common()),
    }


def event_figures(heard: Heard, told: Told) -> Json:
    event = told.event
    return {
        "recording": heard.recording.stay,
        "event": event.kind.name,
        "words": event.kind.words,
        "start_min": round(event.start / MINUTE, 2),
        "end_min": round(event.end / MINUTE, 2),
        "severe_after_s": (event.due - event.start) // SECOND,
        "first_interruption_s": None if told.at is None else (told.at - event.start) // SECOND,
        "rule": told.rule,
        "already": told.already,
    }
