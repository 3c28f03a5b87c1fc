"""``ward replay``: files in, event lines (and scores) out, with progress."""

from __future__ import annotations

import contextlib
import csv
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np

from ward.alerts.durations import parse_duration
from ward.alerts.packs import load_pack
from ward.errors import InvalidError
from ward.ingest.recordings import Recording, read_all
from ward.lifetime import Interruption
from ward.models import find_risk
from ward.replay import ReplayEvent, Summary, looks_at_risk, replay
from ward.replay_lives import Lives
from ward.replay_scores import steps
from ward.scoring.news2 import missing_names
from ward.scoring.risk import RiskModel
from ward.signals import MINUTE, OBSERVED

SCORE_COLUMNS: Final = ("stay", "time", "news2", "news2_missing", "risk")


def replay_files(
    files: Sequence[Path],
    *,
    pack: str,
    holds: Sequence[str],
    filtered: bool,
    format: str | None,
    output: Path | None,
    scores: Path | None,
    every: str,
    summary: bool,
    interruptions: Path | None,
    risk_model: str,
    say: Callable[[str], None],
) -> None:
    """Raises ``WardError`` for what cannot be read or makes no sense."""
    rules = load_pack(pack).rules
    wanted = dict(parse_hold(text) for text in holds)
    step = duration("--every", every)
    risk = find_risk(risk_model) if scores or looks_at_risk(rules) else None
    if risk is None and looks_at_risk(rules):
        say("there is no model: the risk is not known, and rules on it stay silent")
    for path in (output, scores, interruptions):
        if path is not None and not path.absolute().parent.is_dir():
            raise InvalidError(f"{path}: there is no folder {path.absolute().parent}")
    recordings = read_all(files, format)
    if not any(len(recording) for recording in recordings):
        say("no readings in " + " ".join(str(file) for file in files))
    said = Summary() if summary else None
    lives = Lives() if summary or interruptions else None
    progress = Progress(say)
    events = replay(
        recordings,
        rules,
        holds=wanted,
        filtered=filtered,
        progress=progress,
        summary=said,
        lives=lives,
        risk=risk,
    )
    with opened(output) as sink:
        for event in events:
            sink.write(json.dumps(line_of(event)) + "\n")
    if interruptions and lives is not None:
        with opened(interruptions) as sink:
            for call, recording in lives.interruptions():
                sink.write(json.dumps(call_of(call, recording)) + "\n")
    if scores:
        write_scores(
            scores, recordings, risk, every=step, holds=wanted, filtered=filtered, progress=Progress(say)
        )
    if said is not None:
        for line in summary_lines(said, len(events)):
            say(line)
    if lives is not None:
        for line in lives_lines(lives):
            say(line)


def parse_hold(text: str) -> tuple[str, int]:
    """``hr=90s`` as (signal, ms)."""
    name, sign, length = text.partition("=")
    if not sign or name not in OBSERVED:
        raise InvalidError(f"--hold {text!r}: must be SIGNAL=DURATION, SIGNAL one of {' '.join(OBSERVED)}")
    return name, duration("--hold", length)


def duration(option: str, text: str) -> int:
    """ms, more than 0."""
    try:
        ms = parse_duration(text)
    except ValueError as error:
        raise InvalidError(f"{option} {text!r}: allowed is {error}") from None
    if ms <= 0:
        raise InvalidError(f"{option} {text!r}: must be more than 0")
    return ms


def line_of(event: ReplayEvent) -> dict[str, Any]:
    at = event.recording.origin.to_input(event.at)
    return {
        "stay": event.stay,
        "rule": event.rule,
        "event": event.event,
        "at": at,
        "priority": event.priority,
    }


def call_of(call: Interruption, recording: Recording) -> dict[str, Any]:
    return {
        "stay": call.stay,
        "at": recording.origin.to_input(call.at),
        "rule": call.rule,
        "priority": call.priority,
        "kind": call.kind,
        "reason": call.reason,
        "episode": call.episode,
    }


def write_scores(path: Path, recordings: Sequence[Recording], risk: RiskModel | None, **options: Any) -> None:
    """One row per stay and step; in hourly recordings the steps are the rows' own. Not known is empty."""
    on_rows = bool(recordings) and all(r.hold is not None for r in recordings)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(SCORE_COLUMNS)
        for found in steps(recordings, on_rows=on_rows, **options):
            risks = risk.predict(found.inputs).value if risk else np.full(len(found.stay), np.nan)
            numbers = (found.stay, found.time, found.news2, risks)
            columns = (*(each.tolist() for each in numbers), found.missing)
            for stay, time, news2, value, missing in zip(*columns, strict=True):
                own = recordings[stay]
                score = news2 if news2 >= 0 else ""
                known = "" if math.isnan(value) else value
                writer.writerow((own.stay, own.origin.to_input(time), score, missing_names(missing), known))


def summary_lines(said: Summary, events: int) -> Iterator[str]:
    yield f"{said.stays} stays, {said.days:.2f} patient-days, {said.readings} readings, {events} events"
    days = max(said.days, 1e-9)
    for title, counts in (
        ("crossings of single thresholds, raw", said.crossings),
        ("crossings after the filter", said.crossings_filtered),
        ("sustained alerts", said.raised),
    ):
        total = sum(counts.values())
        yield f"{title}: {total} ({total / days:.1f} a patient-day)"
        for name, n in counts.most_common():
            if n:
                yield f"  {n:8} {name}"
    if said.invalid:
        yield "readings found invalid, by reason:"
        for name, n in said.invalid.most_common():
            yield f"  {n:8} {name}"


def lives_lines(lives: Lives) -> Iterator[str]:
    """What staff would have heard, if somebody takes each alert after the minutes that ``lives`` assumes."""
    counts, days = lives.counts(), max(lives.days, 1e-9)
    wait = (lives.staff.acknowledge_after or 0) // MINUTE
    yield f"told to staff, who take each alert after {wait} min ({lives.days:.2f} monitored patient-days):"
    for name, n in counts.items():
        yield f"  {n:8} {name.replace('_', ' ')} ({n / days:.1f} a patient-day)"


@contextlib.contextmanager
def opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    with output.open("w", encoding="utf-8") as file:
        yield file


class Progress:
    """Now and then a line: how many stays are done."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._tenth = 0

    def __call__(self, done: int, of: int) -> None:
        tenth = done * 10 // max(of, 1)
        if of > 100 and tenth != self._tenth:
            self._tenth = tenth
            self._say(f"{done} of {of} stays")
