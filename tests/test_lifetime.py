"""The life of alerts offline against a book that is told and ticked second by second, as live does."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.alerts.desk import rule
from ward.alerts.book import AlertBook
from ward.alerts.model import StayState
from ward.alerts.technical import SILENCE, is_technical, rule_for
from ward.alerts.track import Breach
from ward.cli import app
from ward.ingest.recordings import Origin, Recording
from ward.lifetime import INTERRUPTS, NOBODY, Span, Staff, leads_off, live, silences
from ward.replay_lives import monitored
from ward.scoring.limits import OFF_FOR, OFF_MEMORY
from ward.scoring.readings import Readings
from ward.signals import HOUR, INDEX, MINUTE

RULES = [
    rule("mild", "medium"),
    rule("worse", "high", inhibits=("mild",)),
    rule("breath", "high", signal="rr"),
    rule("hint", "low", signal="hr", unless=("copd",)),
    rule("probe", "medium", kind="technical"),
    rule_for("no-valid-reading"),
]


def breach(which: int, raised: int, length: int | None) -> Span:
    return Span(RULES[which], raised, raised, None if length is None else raised + length)


@st.composite
def courses(draw) -> list[Span]:
    """Breaches of each rule one after another, in ms, over an hour or so."""
    found = []
    for which in range(len(RULES)):
        at = 0
        for _ in range(draw(st.integers(0, 3))):
            at += draw(st.integers(1, 40 * MINUTE))
            length = draw(st.one_of(st.integers(120_000, 50 * MINUTE)))
            found.append(breach(which, at, length))
            at += length
    return found


def second_by_second(spans: list[Span], end: int, flags: frozenset[str], wait: int | None):
    """(at, rule, reason) of all that is told."""
    book, told = AlertBook(), []

    def keep(changes) -> None:
        told.extend((c.event.at, c.alert.rule, c.notify.reason) for c in changes if c.alert and c.notify)

    keep(book.stay_changed(StayState("s", "", "", flags), None, 0))
    for now in range(0, -(-end // 1000) * 1000 + 1, 1000):
        edges = [
            (at, kind, s) for s in spans for kind, at in ((1, s.raised), (0, s.cleared))
            if at is not None and now - 1000 < at <= min(now, end)
        ]  # fmt: skip
        for watched in (False, True):
            up = []
            for at, kind, span in sorted(
                (e for e in edges if is_technical(e[2].rule.id) == watched), key=lambda e: e[:2]
            ):
                if kind:
                    up.append(("s", span.rule, Breach(span.since, at, "x", None, False)))
                else:
                    keep(book.raised_together(up, now))
                    up = []
                    keep(book.cleared("s", span.rule.id, span.since, at, now))
            keep(book.raised_together(up, now))
        for track in book.ledger.all("s"):
            open_ = wait is not None and track.alert and track.alert.state in ("active", "returned")
            if open_ and now >= track.active_at + wait:
                keep(book.acknowledge(track.alert.id, "staff", "actionable", now))
        keep(book.tick(now))
    return told


@settings(max_examples=25, deadline=None)
@given(
    spans=courses(),
    copd=st.booleans(),
    wait=st.sampled_from([None, 0, 90_500, 5 * MINUTE, 20 * MINUTE]),
)
def test_only_the_seconds_that_matter_are_looked_at(spans, copd, wait):
    flags, end = frozenset({"copd"} if copd else ()), 80 * MINUTE
    life = live("s", spans, end=end, flags=flags, staff=Staff(wait))
    found = sorted((c.at, c.rule, c.reason) for c in (*life.interruptions, *life.repeats))
    assert found == sorted(second_by_second(spans, end, flags, wait))
    assert all(c.reason in INTERRUPTS for c in life.interruptions)


def test_one_fall_is_one_interruption_and_a_worse_one_is_another():
    spans = [breach(0, 10 * MINUTE, 50 * MINUTE), breach(1, 20 * MINUTE, 5 * MINUTE)]
    life = live("s", spans, end=2 * HOUR)
    assert [(c.rule, c.reason) for c in life.interruptions] == [("mild", "first"), ("worse", "priority")]
    assert {alert.state for alert in life.alerts} == {"closed"}
    assert life.repeats == ()


def test_what_nobody_takes_is_told_again_when_it_comes_back():
    spans = [breach(1, at * MINUTE, 3 * MINUTE) for at in (10, 20, 30)]
    taken, untaken = (live("s", spans, end=HOUR, staff=staff) for staff in (Staff(MINUTE), NOBODY))
    assert [c.reason for c in taken.interruptions] == ["first"]
    assert [c.reason for c in untaken.interruptions] == ["first", "again", "again"]
    assert (len(taken.alerts), len(untaken.alerts)) == (3, 1)


def test_a_flag_and_the_end_of_the_stay_keep_alerts_from_being_told():
    spans = [breach(3, 10 * MINUTE, None), breach(1, 70 * MINUTE, None)]
    life = live("s", spans, end=HOUR, flags={"copd"})
    assert (life.alerts, life.interruptions) == ((), ())


def test_silence_is_found_where_it_lasts():
    times = np.array([0, 1000, SILENCE + 1000, SILENCE + 2000])
    found = silences(times, 0, 3 * SILENCE, rule_for("no-valid-reading"))
    assert [(s.since, s.raised, s.cleared) for s in found] == [
        (1000, SILENCE + 1000, SILENCE + 1000),
        (SILENCE + 2000, 2 * SILENCE + 2000, None),
    ]


def test_leads_are_off_from_their_first_wrong_zero_until_a_heart_rate_is_back():
    wrong = np.arange(10_000, 70_001, 1_000)
    found = leads_off(wrong, np.array([9_000, 75_000]), HOUR)
    assert [(s.since, s.raised, s.cleared) for s in found] == [(10_000, 10_000 + OFF_FOR, 75_000)]
    assert leads_off(wrong[:20], np.array([9_000, 31_000]), HOUR) == []  # back before it is told
    forgotten = leads_off(wrong, np.array([9_000]), HOUR)
    assert [s.cleared for s in forgotten] == [70_000 + OFF_MEMORY + 1]
    again = np.concatenate([wrong, wrong + 10 * MINUTE])
    assert [s.since for s in leads_off(again, np.array([75_000]), HOUR)] == [10_000, 610_000]


def test_monitored_time_is_that_in_which_anything_is_known():
    own = Recording("s", np.empty(0, np.int8), np.array([0]), np.empty(0), np.array([0, 400_000]), Origin())
    valid = Readings.of(
        signal=INDEX["hr"], slot=[0, 0, 1, 1], time=[300_000, 0, 0, 10_000], value=80.0, hold=90_000
    )
    later = Recording("t", own.signal, own.time, own.value, np.array([0, 50_000]), Origin())
    assert monitored([own, later], valid, 0).tolist() == [180_000, 50_000]


def csv_of(minutes: int, spo2: float) -> str:
    rows = ((t, spo2 if t >= 600 else 97) for t in range(0, minutes * 60, 5))
    return "time,spo2,rr\n" + "".join(f"{t},{value - t // 5 % 2},{14 + t // 5 % 3}\n" for t, value in rows)


@pytest.mark.parametrize(("spo2", "expected"), [(84, [("spo2-below-85", "high", "first")]), (97, [])])
def test_replay_lists_and_counts_the_interruptions(tmp_path, spo2, expected):
    (tmp_path / "a.csv").write_text(csv_of(30, spo2))
    options = ["--summary", "--output", tmp_path / "e", "--interruptions", tmp_path / "i"]
    done = CliRunner().invoke(app, ["replay", str(tmp_path / "a.csv"), *map(str, options)])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in (tmp_path / "i").read_text().splitlines()]
    assert [(x["rule"], x["priority"], x["reason"]) for x in lines] == expected
    assert f" {len(expected)} interruptions (" in done.output
