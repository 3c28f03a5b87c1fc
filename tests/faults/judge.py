"""Compares what came out of the service with what one undisturbed engine says. Reads the database itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
from sqlalchemy import Engine as Database
from sqlalchemy import select

from tests.faults.oracle import Expected, Raised
from tests.faults.stream import INDICES, Plan
from ward.store.history import read_history, read_unassigned
from ward.store.tables import events, outbox

TICK: Final = 1_000
"""A transition may be stamped at its instant or at most so much later (ms): the contract, section 4."""


@dataclass(slots=True)
class Verdict:
    """Counts; everything but ``readings``, ``alerts``, ``interruptions`` and ``late`` ought to be 0."""

    readings: int = 0
    """acknowledged by the broker"""
    lost: int = 0
    doubled: int = 0
    nobodys: int = 0
    """kept, and of no stay: by the device's wrong clock they were measured before its patient came"""
    altered: int = 0
    """stored with another value or at another time than measured"""
    alerts: int = 0
    alerts_lost: int = 0
    alerts_doubled: int = 0
    """raised more often than there were breaches"""
    merged: int = 0
    """told as one: the alert of the breach before was still up when this one began in an outage"""
    otherwise: int = 0
    """told with another beginning: its first readings came when it was told already"""
    times_wrong: int = 0
    """raised before its instant, or never cleared"""
    late: int = 0
    """found only when readings came late: raised with their true beginning, after their instant"""
    latest_s: float = 0.0
    """how late the latest of these was raised"""
    cleared_late: int = 0
    cleared_early: int = 0
    """the readings of a breach within the calm came when it was told to be over"""
    interruptions: int = 0
    interruptions_wrong: int = 0
    untold: int = 0
    """changes of alerts that a listener on the broker never got"""
    retold: int = 0
    """changes that it got more than once (allowed: at least once)"""
    examples: list[str] = field(default_factory=list)

    def faults(self, *, late_is_right: bool) -> dict[str, int]:
        """What must be 0 and is not."""
        names = ["lost", "doubled", "altered", "alerts_lost", "alerts_doubled", "times_wrong"]
        names += ["interruptions_wrong", "untold"]
        names += [] if late_is_right else ["late", "cleared_late", "cleared_early", "merged", "otherwise"]
        return {name: getattr(self, name) for name in names if getattr(self, name)}


def ms(text: str | None) -> int | None:
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1000)


# ---------------------------------------------------------------------- what came out


def stored(db: Database, stay: str) -> Counter[tuple[int, int, int, float]]:
    """(seq, signal, time, value) of all readings of a stay that a device sent, not of scores."""
    with db.connect() as connection:
        found = read_history(connection, stay, INDICES, 0, 2**60)
    columns = (found.seq.tolist(), found.signal.tolist(), found.time.tolist(), found.value.tolist())
    return Counter(zip(*columns, strict=True))


def unassigned(db: Database, device: str) -> set[tuple[int, int]]:
    """(seq, signal) of the readings of a device (``ward/device``) that are kept as nobody's."""
    with db.connect() as connection:
        found = read_unassigned(connection, device, 0, 2**60)
    return set(zip(found.seq.tolist(), found.signal.tolist(), strict=True))


@dataclass(slots=True)
class Told:
    raised: list[Raised] = field(default_factory=list)
    late: set[int] = field(default_factory=set)
    """positions in ``raised`` that were found late"""
    interruptions: list[tuple[int, str, int, str]] = field(default_factory=list)
    seqs: set[int] = field(default_factory=set)
    """numbers of the changes that were to be published by the end"""
    kinds: Counter[str] = field(default_factory=Counter)
    """technical alerts, by rule"""


def told(db: Database, number_of: Mapping[str, int]) -> Told:
    """What staff were told: the log and the outbox, which are written with the alerts themselves."""
    found = Told()
    with db.connect() as connection:
        letters = connection.execute(select(outbox.c.payload, outbox.c.sent).order_by(outbox.c.id)).all()
        log = connection.execute(select(events.c.seq, events.c.alert, events.c.ward)).all()
    found.seqs = {row.seq for row in log if row.alert is not None and row.ward}
    open_: dict[tuple[int, str], Raised] = {}
    for payload, sent in letters:
        body = json.loads(payload)
        alert, event = body["alert"], body["event"]
        if sent is None:  # the outbox was empty: this change came of the service's last tick, and waits
            found.seqs.discard(event["seq"])
        number = number_of.get(alert["stay"], -1)
        if number < 0:
            continue
        if alert["kind"] == "technical":
            found.kinds[alert["rule"].partition(":")[0]] += event["kind"] == "raised"
            continue
        key = (number, alert["rule"])
        since = ms(alert["breach_since"]) or 0
        if event["kind"] in ("raised", "raised-again"):
            if event["detail"].get("late"):
                found.late.add(len(found.raised))
            open_[key] = Raised(*key, since, ms(alert["raised_at"]) or 0)
            found.raised.append(open_[key])
        elif event["kind"] == "cleared" and key in open_:
            open_.pop(key).cleared = ms(alert["cleared_at"])
        if event["notify"] in ("first", "priority", "signal", "again"):
            found.interruptions.append((*key, since, event["notify"]))
    return found


# ---------------------------------------------------------------------- comparing


def judge_readings(
    verdict: Verdict,
    db: Database,
    plan: Plan,
    origin: int,
    stays: Mapping[int, str],
    published: Iterable[tuple[int, int]],
    acknowledged: set[tuple[int, int]],
    shifted: Collection[int] = (),
) -> None:
    """Every acknowledged reading is there once, with its value and time. ``shifted``: devices whose
    clocks were set, where only values are compared."""
    verdict.readings = len(acknowledged) * len(INDICES)
    sent: dict[int, set[int]] = {}
    for n, k in published:
        sent.setdefault(n, set()).add(k)
    for n, stay in stays.items():
        have = stored(db, stay)
        values, times = plan.values(n), plan.times(n, origin)
        counts: Counter[tuple[int, int]] = Counter()
        for (seq, signal, time, value), times_there in have.items():
            counts[seq, signal] += times_there
            right = seq in sent.get(n, ()) and value == values[seq, INDICES.index(signal)]
            right = right and (n in shifted or time == times[seq])
            if not right:
                verdict.altered += 1
                _note(verdict, f"altered: device {n} seq {seq} signal {signal} at {time}: {value}")
        verdict.doubled += sum(count - 1 for count in counts.values())
        nobodys = unassigned(db, f"{plan.ward(n)}/{plan.device(n)}") if n in shifted else set()
        gone = [(k, s) for k in sent.get(n, ()) if (n, k) in acknowledged for s in INDICES
                if not counts[k, s]]  # fmt: skip
        verdict.nobodys += len(nobodys.intersection(gone))
        gone = [reading for reading in gone if reading not in nobodys]
        verdict.lost += len(gone)
        if gone:
            _note(verdict, f"lost: device {n}, samples {sorted({k for k, _ in gone})[:20]}")


def judge_alerts(verdict: Verdict, expected: Expected, got: Told, ignored: Iterable[int] = ()) -> None:
    """Every breach raised once, at its instant. ``ignored``: devices that cannot be compared."""
    out = set(ignored)
    want = _by_cell([r for r in expected.raised if r.number not in out])
    have = _by_cell([r for r in got.raised if r.number not in out])
    late = {id(got.raised[place]) for place in got.late}
    verdict.alerts = sum(map(len, want.values()))
    for cell in want.keys() | have.keys():
        _judge_cell(verdict, want.get(cell, []), have.get(cell, []), late)
    # Whom late readings told of with another beginning was interrupted for it all the same.
    exact = not (verdict.late or verdict.otherwise or verdict.merged)
    wanted, heard = (
        Counter((n, rule, since if exact else 0, reason) for n, rule, since, reason in found if n not in out)
        for found in (expected.interruptions, got.interruptions)
    )
    verdict.interruptions = wanted.total()
    for item in (wanted - heard).elements():
        _note(verdict, f"nobody was interrupted: {item}")
    for item in (heard - wanted).elements():
        _note(verdict, f"interrupted for nothing: {item}")
    missed = (wanted - heard).total() - verdict.merged  # two told as one interrupt once
    verdict.interruptions_wrong = max(missed, (heard - wanted).total(), 0)


def _judge_cell(verdict: Verdict, want: list[Raised], have: list[Raised], late: set[int]) -> None:
    left = list(have)
    missing, matched, joined = [], [], []
    for breach in want:
        match = next((h for h in left if h.since == breach.since), None)
        if match is None:
            missing.append(breach)
            continue
        left.remove(match)
        matched.append((breach, match))
    for breach in missing:
        again = next(
            (h for h in left if h.at < (breach.cleared or 2**60) and (h.cleared or 2**60) > breach.since),
            None,
        )
        covering = next((h for h in have if h.at <= breach.at and (h.cleared or 2**60) > breach.at), None)
        if again is not None:
            left.remove(again)
            verdict.otherwise += 1
            _note(verdict, f"another beginning: {breach} was told as {again}")
        elif covering is not None:
            verdict.merged += 1
            joined.append(covering)
            _note(verdict, f"told as one: {breach} with {covering}")
        else:
            verdict.alerts_lost += 1
            _note(verdict, f"lost: {breach}; told: {have}")
    for extra in left:
        verdict.alerts_doubled += 1
        _note(verdict, f"raised without a breach of its own: {extra}; expected: {want}")
    for breach, match in matched:
        _judge_raising(verdict, breach, match, id(match) in late)
        if match not in joined:  # else it ends with the other breach
            _judge_clearing(verdict, breach, match)


def _judge_raising(verdict: Verdict, breach: Raised, got: Raised, is_late: bool) -> None:
    """Instants agree up to the tick's rounding; what was found late is stamped later, never before."""
    delay = got.at - breach.at
    if delay > TICK or (is_late and delay >= 0):
        verdict.late += 1
        verdict.latest_s = max(verdict.latest_s, delay / 1000)
    elif not 0 <= delay <= TICK:
        verdict.times_wrong += 1
        _note(verdict, f"raised at another instant: {breach}, told {got}")


def _judge_clearing(verdict: Verdict, breach: Raised, got: Raised) -> None:
    if (breach.cleared is None) != (got.cleared is None):
        verdict.times_wrong += 1
        _note(verdict, f"not cleared alike: {breach}, told {got}")
    elif breach.cleared is not None and got.cleared is not None:
        after = got.cleared - breach.cleared
        if after < 0:
            verdict.cleared_early += 1
            _note(verdict, f"cleared too early: {breach}, told {got}")
        elif after > TICK:
            verdict.cleared_late += 1
            _note(verdict, f"cleared late: {breach}, told {got}")


def judge_telling(verdict: Verdict, got: Told, heard: Mapping[int, int]) -> None:
    """Every change of an alert reached another program on the broker."""
    missed = got.seqs - heard.keys()
    verdict.untold = len(missed)
    verdict.retold = sum(count - 1 for count in heard.values())
    if missed:
        _note(verdict, f"never published: events {sorted(missed)[:20]}")


def _by_cell(raised: Iterable[Raised]) -> dict[tuple[int, str], list[Raised]]:
    found: dict[tuple[int, str], list[Raised]] = {}
    for item in raised:
        found.setdefault((item.number, item.rule), []).append(item)
    return found


def _note(verdict: Verdict, text: str) -> None:
    if len(verdict.examples) < 20:
        verdict.examples.append(text)


def percentile(numbers: Iterable[float], q: float) -> float:
    found = sorted(numbers)
    return float(np.percentile(found, q)) if found else 0.0


def judge_roughly(
    verdict: Verdict,
    expected: Expected,
    got: Told,
    numbers: Collection[int],
    blind: Collection[tuple[int, int]],
    shifts: Collection[int],
    near: int = 4_000,
) -> None:
    """Where clocks are set: every breach outside ``blind`` spans of time (ms) was told once, at its time or
    moved by one of ``shifts``; nothing else was told outside of them. How long a breach lasted across the
    setting of a clock nobody can say."""
    mine = _by_cell([r for r in expected.raised if r.number in numbers])
    told_ = _by_cell([r for r in got.raised if r.number in numbers])
    for cell in mine.keys() | told_.keys():
        left = list(told_.get(cell, []))
        for breach in mine.get(cell, []):
            matches = [h for h in left if any(abs(h.since - breach.since - s) <= near for s in shifts)]
            is_blind = any(
                breach.since < end and (breach.cleared or breach.at) > begin for begin, end in blind
            )
            verdict.alerts += not is_blind
            if not matches and not is_blind:
                verdict.alerts_lost += 1
                _note(verdict, f"lost: {breach}; told: {told_.get(cell, [])}")
            left = [h for h in left if h not in matches[:1]]
        for extra in left:
            spans = [(extra.since - s, (extra.cleared or extra.at) - s) for s in shifts]
            if not any(since < end and cleared > begin for since, cleared in spans for begin, end in blind):
                verdict.alerts_doubled += 1
                _note(verdict, f"raised without a breach of its own: {extra}; expected: {mine.get(cell, [])}")
