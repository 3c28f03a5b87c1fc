"""Retention forgets what is old and over, and nothing that is open."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, func, insert, select

from ward.alerts.model import Alert, Event
from ward.config import Settings
from ward.errors import ConflictError
from ward.store import audit as trail
from ward.store import retention
from ward.store.access import LoginCode, Session, add_code, add_session
from ward.store.alerts import save_alerts
from ward.store.chunks import History
from ward.store.events import append_events
from ward.store.history import write_chunk
from ward.store.idempotency import claim
from ward.store.letters import DeadLetter, add_letters
from ward.store.meta import put_meta
from ward.store.outbox import Letter, enqueue, mark_sent, waiting
from ward.store.rules import put_rule
from ward.store.stays import admit, discharge
from ward.store.tables import attempts, baselines, deliveries, metadata
from ward.store.tallies import Tally, add_tallies

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
        for scope in ("all", "stay:s1", "stay:gone"):
            put_rule(tx, rule_id="r", scope=scope, definition={}, by="Ada", at=1, expected=0)
        for key in ("book:", "book:s1", "book:gone"):
            put_meta(tx, key, {})
        for n, (state, alert) in enumerate(
            [("sent", None), ("sent", "open"), ("waiting", None), ("sent", None)]
        ):
            tx.execute(
                insert(deliveries).values(
                    key=str(n), alert=alert, ward="A", priority="low", kind="technical", reason="first",
                    level=1, person="Ada", channel="mail", text={},
                    created=100 if n == 3 else 50, due=50, state=state,
                )
            )  # fmt: skip
        add_tallies(tx, [Tally(ward, at, {"hr": [1]}) for ward in ("A", "B") for at in (50, 100)])
        tx.execute(insert(baselines).values(ward="B", start=50, end=51, at=60))  # what B is compared with
        for at in (50, 100):
            tx.execute(insert(attempts).values(key=str(at), failed=1, last=at, until=at))
    return engine


NOW = 100 + 10 * retention.DAY
DAYS = dict.fromkeys({kind.setting for kind in retention.KINDS}, 10.0) | {
    "audit_retention_days": 10.0,
    "copy_retention_days": 10.0,
}
"""Everything from before time 100 is to go."""
NOTHING = dict.fromkeys([*(kind.name for kind in retention.KINDS), "audit", "copies"], 0)
GONE = NOTHING | {
    "readings": 2,
    "refused": 1,
    "published": 1,
    "deliveries": 1,
    "requests": 1,
    "sessions": 1,
    "login links": 1,
    "attempts": 1,
    "alerts": 1,
    "events": 2,  # the closed alert's, and the one of no alert
    "stays": 1,
    "books": 1,
    "limits": 1,
    "tallies": 1,
}


def retain(engine: Engine, now: int = NOW, **days: float) -> dict[str, int]:
    return retention.retain(engine, DAYS | days, ward=now, machine=now)


def test_what_is_old_and_over_goes_and_the_rest_stays(filled: Engine) -> None:
    before = counts(filled)
    assert retain(filled) == GONE
    after = counts(filled)
    changed = {name: before[name] - after[name] for name in before if before[name] != after[name]}
    tables = {kind.table.name: 0 for kind in retention.KINDS}
    for kind in retention.KINDS:
        tables[kind.table.name] += GONE[kind.name]
    assert changed == {**tables, "assignments": 1}
    assert retain(filled) == NOTHING


def test_small_batches_come_to_the_same(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    assert retain(filled) == GONE


@pytest.mark.parametrize("setting", sorted(DAYS))
def test_each_kind_goes_by_its_own_setting_when_it_is_due_and_not_before(
    filled: Engine, setting: str
) -> None:
    """All others are kept for ever: only what the setting names goes, and what waited for nothing else."""
    ever = dict.fromkeys(DAYS, 10_000.0)
    rest = {"books": 1, "limits": 1}  # go with their stay, at any time; here their stay is gone already
    assert retain(filled, now=10 + 10 * retention.DAY, **(ever | {setting: 10.0})) == NOTHING | rest
    mine = {kind.name for kind in retention.KINDS if kind.setting == setting} - {"stays", "books", "limits"}
    gone = retain(filled, **(ever | {setting: 10.0}))
    assert gone == {name: GONE[name] if name in mine else 0 for name in GONE}


def test_a_stay_goes_when_nothing_of_it_is_left(filled: Engine) -> None:
    assert retain(filled, retention_days=10_000.0)["stays"] == 0
    gone = retain(filled, log_retention_days=10_000.0)
    assert (gone["alerts"], gone["events"], gone["stays"]) == (0, 0, 1)


def test_open_things_outlive_any_time(filled: Engine) -> None:
    retain(filled, now=10**12)
    left = {name: n for name, n in counts(filled).items() if n}
    assert left == {
        "stays": 1, "assignments": 1, "alerts": 1, "events": 1, "outbox": 1, "rules": 2, "deliveries": 2,
        "meta": 3, "baselines": 1, "tallies": 1,
    }  # fmt: skip


def test_a_kind_that_fails_does_not_keep_the_others(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(engine: Engine, before: int, now: int) -> int:
        raise ConflictError("the audit trail does not hold at line 3")

    monkeypatch.setattr(retention, "_prune", fail)
    with pytest.raises(ConflictError):
        retain(filled)
    assert counts(filled)["sessions"] == 1


def test_the_audit_trail_goes_by_the_week_and_still_verifies(engine: Engine) -> None:
    day = retention.DAY
    with engine.begin() as tx:
        trail.append(tx, [trail.Entry(n * day, "a", None, "x") for n in range(30)])
    assert retain(engine, now=16 * day)["audit"] == 0  # six days are too old, which is not a week
    assert retain(engine, now=20 * day)["audit"] == 10
    with engine.connect() as connection:
        assert trail.verify(connection).holds
        assert connection.scalar(select(func.count()).select_from(metadata.tables["audit"])) == 21
    assert retain(engine, now=20 * day)["audit"] == 0


def test_every_setting_exists_and_every_table_is_thought_of() -> None:
    named = {kind.setting for kind in retention.KINDS} | {
        setting for setting, _ in retention.ELSEWHERE.values()
    }
    assert named <= set(Settings.model_fields)
    forgotten = {kind.table.name for kind in retention.KINDS}
    kept = {
        "assignments",  # go with their stay
        "audit", "journal", "snapshots",  # in their own way
        # until a person ends them
        "tokens", "users", "plans", "devices", "device_credentials", "device_numbers",
        "drafts", "draft_log",  # as the rules that came of them
        "trials",  # a number of them, the latest
        "trial_parts",  # with who waits for them
        "erasures",  # what was erased is to stay known
        "baselines",  # a line a ward and choice, of no patient
    }  # fmt: skip
    assert set(metadata.tables) - forgotten <= kept


def test_it_rests_between_batches_and_ends_when_told(engine: Engine, monkeypatch) -> None:
    """So that who writes finds the database free now and then; what is left goes the next time."""
    monkeypatch.setattr(retention, "BATCH", 2)
    with engine.begin() as tx:
        for at in range(5):
            write_chunk(tx, "s", History.of(signal=0, time=[at], value=1))
    rests = []
    days = dict.fromkeys((kind.setting for kind in retention.KINDS), 1.0) | {
        "audit_retention_days": 1.0,
        "copy_retention_days": 1.0,
    }
    times = {"ward": 10 * retention.DAY, "machine": 10 * retention.DAY}
    gone = retention.retain(engine, days, **times, rest=lambda took: rests.append(took) or True)
    assert gone["readings"] == 2
    assert len(rests) == 1
    assert retention.retain(engine, days, **times)["readings"] == 3
