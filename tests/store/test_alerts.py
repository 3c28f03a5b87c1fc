"""Alerts and the log of events: what the book says is what comes back, in order, by page and by ward."""

import base64
import contextlib
import json
from dataclasses import fields, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from ward.alerts.model import STATES, Alert, Event
from ward.errors import InvalidError, NotFoundError
from ward.store import alerts as store
from ward.store import events as log
from ward.store.sql import MAX_PAGE
from ward.store.tables import alerts as table

FULL = Alert(
    id="a1",
    stay="s1",
    ward="A",
    bed="1",
    rule="spo2-below-88",
    title="SpO2 below 88 % for 10 min",
    priority="high",
    kind="physiological",
    state="acknowledged",
    signal="spo2",
    value=0.0,
    breach_since=1000,
    raised_at=2000,
    announced_at=2001,
    acknowledged_at=3000,
    acknowledged_by="Ada",
    assessment="actionable",
    note="oxygen given — 2 l/min",
    cleared_at=4000,
    closed_at=5000,
    close_reason="cleared",
    shelved_until=6000,
    shelved_by="Bo",
    shelve_reason="turning",
    suppressed_by="a0",
    episode="e1",
    late=True,
    sustained=True,
    titles=(("da", "SpO2 under 88 % i 10 min"), ("nb", "SpO2 under 88 % i 10 min")),
    handed_over_by="Eva",
    handed_over_at=3500,
    signals=("spo2", "rr"),
)
PLAIN = Alert("a2", "s1", "A", "1", "r", "t", "low", "technical", "active")


@pytest.fixture
def tx(engine: Engine):
    with engine.begin() as connection:
        yield connection


@pytest.mark.parametrize("alert", [FULL, PLAIN])
def test_every_field_comes_back(tx: Connection, alert: Alert) -> None:
    store.save_alerts(tx, [alert])
    assert store.get_alert(tx, alert.id) == alert


def test_the_table_has_a_column_for_each_field() -> None:
    """A new field of Alert without a column would be lost at a restart."""
    assert {field.name for field in fields(Alert)} | {"listed_at"} == {column.name for column in table.c}
    filled = {field.name: getattr(FULL, field.name) for field in fields(Alert)}
    assert None not in filled.values(), "FULL must fill every field, to be a test of each"


def test_saving_again_updates_and_the_later_of_two_counts(tx: Connection) -> None:
    store.save_alerts(tx, [PLAIN, replace(PLAIN, state="acknowledged"), FULL])
    store.save_alerts(tx, [replace(FULL, note=None, acknowledged_at=None)])
    assert store.get_alert(tx, "a2").state == "acknowledged"
    assert store.get_alert(tx, "a1") == replace(FULL, note=None, acknowledged_at=None)
    store.save_alerts(tx, [])


def test_an_alert_of_another_ward_is_not_found(tx: Connection) -> None:
    store.save_alerts(tx, [FULL])
    assert store.get_alert(tx, "a1", ["A"]).id == "a1"
    for alert, wards in (("a1", ["B"]), ("a1", []), ("nothing", None)):
        with pytest.raises(NotFoundError):
            store.get_alert(tx, alert, wards)


def test_a_start_gets_what_is_open(tx: Connection) -> None:
    for n, state in enumerate(STATES):
        closed = 5000 if state == "closed" else None
        store.save_alerts(tx, [replace(FULL, id=state, state=state, raised_at=n, closed_at=closed)])
    assert [alert.state for alert in store.open_alerts(tx)] == [s for s in STATES if s != "closed"]
    assert set(store.get_alerts(tx, ["active", "gone"])) == {"active"}


def ids(page) -> list[str]:
    return [alert.id for alert in page.items]


def test_lists_filter(tx: Connection) -> None:
    base = replace(PLAIN, raised_at=1000)
    store.save_alerts(
        tx,
        [
            replace(base, id="a"),
            replace(base, id="b", ward="B", state="closed", raised_at=2000, cleared_at=2500, closed_at=9000),
            replace(base, id="c", stay="s2", state="shelved", raised_at=None, breach_since=3000),
            replace(base, id="d", acknowledged_at=7000, state="acknowledged"),
        ],
    )
    assert ids(store.list_alerts(tx)) == ["c", "b", "d", "a"]
    assert ids(store.list_alerts(tx, states=["active", "closed"])) == ["b", "a"]
    assert ids(store.list_alerts(tx, wards=["A"])) == ["c", "d", "a"]
    assert ids(store.list_alerts(tx, wards=[])) == []
    assert ids(store.list_alerts(tx, stay="s2")) == ["c"]
    assert ids(store.list_alerts(tx, since=3000)) == ["c", "b", "d"]
    assert ids(store.list_alerts(tx, since=7001)) == ["b"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 5))
def test_pages_join_to_the_whole_list(sqlite_engine: Engine, moments: list[int], limit: int) -> None:
    with sqlite_engine.begin() as tx:
        tx.execute(table.delete())
        store.save_alerts(tx, [replace(PLAIN, id=f"{n:02}", raised_at=at) for n, at in enumerate(moments)])
        whole, cursor, pages = [], None, 0
        while pages == 0 or (cursor is not None and pages <= len(moments)):
            page = store.list_alerts(tx, limit=limit, cursor=cursor)
            whole += ids(page)
            pages += 1
            cursor = page.next
    expected = sorted(((at, f"{n:02}") for n, at in enumerate(moments)), reverse=True)
    assert whole == [alert for _, alert in expected]
    assert pages == max(1, -(-len(moments) // limit))


def test_a_page_is_not_disturbed_by_newer_rows(tx: Connection) -> None:
    store.save_alerts(tx, [replace(PLAIN, id=str(n), raised_at=n) for n in range(4)])
    first = store.list_alerts(tx, limit=2)
    store.save_alerts(tx, [replace(PLAIN, id="new", raised_at=99)])
    assert ids(store.list_alerts(tx, limit=2, cursor=first.next)) == ["1", "0"]


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!", "WzFd", "W10", "bnVsbA", "WyJhIiwgMV0", "\u00e9", "W" * 5000]
)
def test_a_strange_cursor_is_not_valid(tx: Connection, cursor: str) -> None:
    with pytest.raises(InvalidError, match="cursor"):
        store.list_alerts(tx, cursor=cursor)


@pytest.mark.parametrize("place", ["\0", "\ud800", "a' OR 1=1", "", "ä"])
def test_a_forged_cursor_does_no_harm(tx: Connection, place: str) -> None:
    store.save_alerts(tx, [replace(PLAIN, raised_at=1)])
    cursor = base64.urlsafe_b64encode(json.dumps([5, place]).encode()).decode()
    assert ids(store.list_alerts(tx, cursor=cursor)) == ["a2"]


@given(st.text(max_size=40))
def test_any_cursor_is_refused_or_works(any_cursor_engine: Engine, cursor: str) -> None:
    # Any other error, from decoding or from the database, fails the test.
    with any_cursor_engine.connect() as connection, contextlib.suppress(InvalidError):
        store.list_alerts(connection, cursor=cursor)


@pytest.fixture(scope="module")
def any_cursor_engine(tmp_path_factory: pytest.TempPathFactory):
    from tests.databases import migrated

    with migrated(f"sqlite:///{tmp_path_factory.mktemp('cursor')}/ward.db") as engine:
        yield engine


@pytest.mark.parametrize("limit", [0, -1, MAX_PAGE + 1])
def test_a_page_has_a_sensible_length(tx: Connection, limit: int) -> None:
    with pytest.raises(InvalidError, match="limit"):
        store.list_alerts(tx, limit=limit)


# ---- events ------------------------------------------------------------------------------------


def raised(n: int, **more) -> Event:
    return Event(
        at=n, stay="s1", ward="A", alert=f"a{n}", kind="raised", before="pending", after="active", **more
    )


def test_events_come_back_in_the_order_of_writing(tx: Connection) -> None:
    written = [raised(9, detail={"value": 0.0, "why": None}), raised(1, by="Ada"), raised(5)]
    seqs = log.append_events(tx, written)
    seqs += log.append_events(tx, [raised(2)])
    assert seqs == sorted(set(seqs))
    assert [(logged.seq, logged.event) for logged in log.events_after(tx, 0)] == list(
        zip(seqs, [*written, raised(2)], strict=True)
    )
    assert log.append_events(tx, []) == []
    assert log.last_event(tx) == seqs[-1]


def test_a_large_batch_keeps_its_order(tx: Connection) -> None:
    seqs = log.append_events(tx, [raised(n) for n in range(2500)])
    assert seqs == sorted(seqs)
    assert [logged.event.at for logged in log.events_after(tx, 0, limit=2500)] == list(range(2500))


def test_an_empty_log_is_at_0(tx: Connection) -> None:
    assert log.last_event(tx) == 0
    assert log.events_after(tx, 0) == []


def test_a_cut_stream_resumes_within_its_wards(tx: Connection) -> None:
    pause = Event(at=3, stay="s1", ward="A", alert=None, kind="paused", by="Ada")
    other = replace(raised(2), ward="B")
    first, second, third, fourth = log.append_events(tx, [raised(1), other, pause, raised(4)])
    assert [logged.seq for logged in log.events_after(tx, first)] == [second, third, fourth]
    assert [logged.seq for logged in log.events_after(tx, first, wards=["A"])] == [third, fourth]
    assert [logged.seq for logged in log.events_after(tx, first, wards=["A"], alerts_only=True)] == [fourth]
    assert [logged.seq for logged in log.events_after(tx, 0, limit=2)] == [first, second]


def test_the_log_of_a_stay_and_of_an_alert(tx: Connection) -> None:
    log.append_events(tx, [raised(1), replace(raised(2), stay="s2"), raised(3)])
    assert [logged.event.at for logged in log.list_events(tx, stay="s1").items] == [3, 1]
    assert [logged.event.at for logged in log.list_events(tx, alert="a2").items] == [2]
    page = log.list_events(tx, limit=2)
    assert [logged.event.at for logged in log.list_events(tx, limit=2, cursor=page.next).items] == [1]
    assert log.list_events(tx, wards=["B"]).items == []


def test_nothing_in_the_store_changes_or_overwrites_an_event() -> None:
    """The log is append-only: only retention deletes, and nothing updates."""
    from pathlib import Path

    import ward.store

    sources = [path.read_text() for path in Path(ward.store.__path__[0]).glob("*.py")]
    assert sources
    assert not any("update(events" in source or "events.update" in source for source in sources)
