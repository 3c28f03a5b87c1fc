"""Retention forgets what is old and over, and nothing that is open."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, func, select

from ward.alerts.model import Alert, Event
from ward.store import retention
from ward.store.access import LoginCode, Session, add_code, add_session
from ward.store.alerts import save_alerts
from ward.store.chunks import History
from ward.store.events import append_events
from ward.store.history import write_chunk
from ward.store.idempotency import claim
from ward.store.letters import DeadLetter, add_letters
from ward.store.outbox import Letter, enqueue, mark_sent, waiting
from ward.store.rules import put_rule
from ward.store.stays import admit, discharge
from ward.store.tables import metadata

OPEN = Alert("open", "s1", "A", "1", "r", "t", "low", "technical", "active", raised_at=1, closed_at=10)
CLOSED = replace(OPEN, id="closed", state="closed", closed_at=50)


def counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(table))
            for name, table in metadata.tables.items()
        }


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Of everything one from time 50 that is over, one from then that is open, one that ends at 100."""
    with engine.begin() as tx:
        for n, stay in enumerate(("over", "s1", "s2")):
            admit(tx, stay=stay, patient_ref="p", ward="A", bed=str(n), devices=[f"m{n}"], at=1)
        discharge(tx, "over", 50)
        discharge(tx, "s2", 100)
        write_chunk(tx, "over", History.of(signal=0, time=[10, 50], value=1))
        write_chunk(tx, "s1", History.of(signal=0, time=[10, 100], value=1))
        write_chunk(tx, None, History.of(signal=0, time=[50], value=1), device="A/x")
        save_alerts(tx, [OPEN, CLOSED, replace(CLOSED, id="late", closed_at=100)])
        event = Event(at=10, stay="s1", ward="A", alert=None, kind="x")
        append_events(tx, [replace(event, alert=a) for a in ("open", "closed", "late", None)])
        append_events(tx, [replace(event, at=100)])
        add_letters(tx, [DeadLetter(at, "t", "r", "d", b"") for at in (50, 100)])
        enqueue(tx, [Letter(key, "t", "{}", 1) for key in ("sent", "later", "waiting")])
        for letter, at in zip(waiting(tx, 1), (50, 100), strict=False):
            mark_sent(tx, [letter.id], at)
        for at in (50, 100):
            claim(tx, key=str(at), actor="a", route="r", digest="d", now=at)
            add_session(tx, Session(str(at), None, "n", "nurse", None, 1, 1, expires=at))
            add_code(tx, LoginCode(str(at), "n", "nurse", None, expires=at))
        put_rule(tx, rule_id="r", scope="all", definition={}, by="Ada", at=1, expected=0)
    return engine


GONE = {
    "history": 2,
    "dead_letters": 1,
    "outbox": 1,
    "idempotency": 1,
    "sessions": 1,
    "login_codes": 1,
    "alerts": 1,
    "events": 2,  # the closed alert's, and the one of no alert
    "stays": 1,
}


def test_what_is_old_and_over_goes_and_the_rest_stays(filled: Engine) -> None:
    before = counts(filled)
    assert retention.retain(filled, 100) == GONE
    after = counts(filled)
    changed = {name: before[name] - after[name] for name in before if before[name] != after[name]}
    assert changed == {**GONE, "assignments": 1}
    assert retention.retain(filled, 100) == dict.fromkeys(GONE, 0)


def test_small_batches_come_to_the_same(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    assert retention.retain(filled, 100) == GONE


def test_the_log_may_be_kept_longer_and_then_keeps_its_stay(filled: Engine) -> None:
    gone = retention.retain(filled, 100, log_before_ms=5)
    assert gone == {**GONE, "alerts": 0, "events": 0, "stays": 0}


def test_open_things_outlive_any_time(filled: Engine) -> None:
    retention.retain(filled, 10**12)
    left = {name: n for name, n in counts(filled).items() if n}
    assert left == {"stays": 1, "assignments": 1, "alerts": 1, "events": 1, "outbox": 1, "rules": 1}
