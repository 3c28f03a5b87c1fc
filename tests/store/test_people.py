"""Users, their sessions and codes, failed attempts; on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from ward.errors import ConflictError, NotFoundError
from ward.signals import HOUR, MINUTE
from ward.store import access, attempts, people
from ward.store.access import LoginCode, Session, Token
from ward.store.database import migrate
from ward.store.people import User
from ward.store.tables import login_codes, sessions, tokens
from ward.web import throttle

NINA = User("u1", "Nina", "nina", "Nina Weiß", "nurse", ["6A"], created=100, password="hash")
SESSION = Session(
    "c1", None, "Nina Weiß", "nurse", ["6A"], 100, 100, 1000, user="u1", active=100, method="password"
)


def test_a_user_is_found_by_login_id_and_subject(engine: Engine) -> None:
    with engine.begin() as tx:
        assert not people.has_users(tx)
        people.add_user(tx, NINA)
        people.add_user(tx, replace(NINA, id="u2", login_key="x", issuer="https://i", subject="s"))
        people.add_user(tx, replace(NINA, id="u3", login_key="y", issuer="https://j", subject="s"))
        assert people.has_users(tx)
        assert people.find_user(tx, "nina") == NINA
        assert people.get_user(tx, "u1") == NINA
        assert people.find_subject(tx, "https://i", "s").id == "u2"
        assert people.find_subject(tx, "https://k", "s") is None
        with pytest.raises(NotFoundError):
            people.get_user(tx, "u9")


@pytest.mark.parametrize("other", [{"login_key": "nina"}, {"issuer": "https://i", "subject": "s"}])
def test_nobody_is_there_twice_and_the_transaction_goes_on(engine: Engine, other: dict) -> None:
    with engine.begin() as tx:
        people.add_user(tx, replace(NINA, issuer="https://i", subject="s"))
        with pytest.raises(ConflictError):
            people.add_user(tx, replace(NINA, id="u2", **{"login_key": "other", **other}))
        assert people.get_user(tx, "u1").login == "Nina"


def test_users_are_listed_in_pages(engine: Engine) -> None:
    with engine.begin() as tx:
        for n in range(5):
            people.add_user(tx, replace(NINA, id=f"u{n}", login_key=f"n{4 - n}"))
        first = people.list_users(tx, limit=3)
        rest = people.list_users(tx, cursor=first.next, limit=3)
        assert [user.login_key for user in first.items + rest.items] == ["n0", "n1", "n2", "n3", "n4"]
        assert rest.next is None


def test_another_admin_is_one_of_all_wards_who_may_log_in(engine: Engine) -> None:
    admin = replace(NINA, role="admin", wards=None)
    with engine.begin() as tx:
        people.add_user(tx, admin)
        for n, change in enumerate(({"role": "nurse"}, {"wards": ["6A"]}, {"disabled": 5})):
            people.add_user(tx, replace(admin, id=f"o{n}", login_key=f"o{n}", **change))
            assert not people.has_other_admin(tx, "u1"), change
        people.update_user(tx, "o2", disabled=None)
        assert people.has_other_admin(tx, "u1")


def test_a_session_shows_its_user_as_she_is_now(engine: Engine) -> None:
    with engine.begin() as tx:
        people.add_user(tx, NINA)
        access.add_session(tx, SESSION)
        assert access.find_session(tx, "c1", 500) == SESSION
        people.update_user(tx, "u1", name="Nina Schwarz", role="clinician", wards=None)
        found = access.find_session(tx, "c1", 500)
        assert (found.name, found.role, found.wards) == ("Nina Schwarz", "clinician", None)
        people.update_user(tx, "u1", disabled=400)
        assert access.find_session(tx, "c1", 500) is None


def test_ending_sessions_and_touching_them(engine: Engine) -> None:
    with engine.begin() as tx:
        people.add_user(tx, NINA)
        for n in range(3):
            access.add_session(tx, replace(SESSION, hash=f"c{n}", last_seen=n))
        access.add_session(tx, replace(SESSION, hash="old", expires=400))
        access.touch_active(tx, "c1", 300)
        access.touch_active(tx, "c1", 200)
        assert [one.hash for one in access.list_sessions(tx, "u1", 500)] == ["c2", "c1", "c0"]
        assert access.find_session(tx, "c1", 500).active == 300
        assert access.end_sessions(tx, "u1", keep="c1") == 3
        assert [one.hash for one in access.list_sessions(tx, "u1", 0)] == ["c1"]


def test_codes_are_for_one_purpose_once_or_as_often_as_said(engine: Engine) -> None:
    code = LoginCode("h", "Nina", "nurse", ["6A"], 500, purpose="password", user="u1")
    with engine.begin() as tx:
        people.add_user(tx, NINA)
        access.add_code(tx, code)
        access.add_code(tx, replace(code, hash="again", purpose="login", reusable=True, user=None))
        assert access.use_code(tx, "h", 400) is None
        assert access.find_code(tx, "h", 400, "password") == code
        assert access.use_code(tx, "h", 500, "password") is None
        assert access.use_code(tx, "h", 499, "password").user == "u1"
        assert access.use_code(tx, "h", 499, "password") is None
        assert access.find_code(tx, "h", 400, "password") is None
        assert [access.use_code(tx, "again", 400).hash for _ in range(3)] == ["again"] * 3
        access.add_code(tx, replace(code, hash="h2"))
        access.drop_codes(tx, "u1")
        assert access.use_code(tx, "h2", 400, "password") is None


def test_old_attempts_are_forgotten(engine: Engine) -> None:
    with engine.begin() as tx:
        attempts.hold(tx, ["a"], 100)
        attempts.hold(tx, ["b", "c"], 200)
        attempts.forget(tx, before=200, keys=["c"])
        assert set(attempts.look(tx, ["a", "b", "c"])) == {"b"}


def test_attempts_at_once_are_counted_one_by_one(engine: Engine) -> None:
    heard: list[int] = []

    def attempt() -> None:
        with engine.begin() as tx:
            wait = throttle.charge(tx, "nina", "10.0.0.1", 1_000_000)
        heard.append(wait)

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard)[:5] == [0] * 5
    assert all(wait > 0 for wait in sorted(heard)[5:])


def test_what_was_right_costs_nothing(engine: Engine) -> None:
    now = 1_000_000
    with engine.begin() as tx:
        for _ in range(100):
            assert throttle.charge(tx, "nina", "10.0.0.1", now) == 0
            throttle.settle(tx, "nina", "10.0.0.1", now)
        for _ in range(100):
            assert throttle.charge(tx, "nina", "10.0.0.2", now) == 0
            throttle.refund(tx, "nina", "10.0.0.2", now)


def test_a_count_begins_anew_after_a_quiet_hour(engine: Engine) -> None:
    now = 1_000_000
    with engine.begin() as tx:
        for _ in range(5):
            assert throttle.charge(tx, "nina", "10.0.0.1", now) == 0
        assert throttle.waiting(tx, "nina", "10.0.0.1", now) == 5_000
        now += HOUR + MINUTE
        for _ in range(4):
            assert throttle.charge(tx, "nina", "10.0.0.1", now) == 0
        assert throttle.waiting(tx, "nina", "10.0.0.1", now) == 0


@given(st.integers(0, 200))
def test_a_wait_never_shrinks_and_has_its_end(failed: int) -> None:
    for limit in throttle.LIMITS.values():
        assert limit.wait(failed) <= limit.wait(failed + 1) <= limit.cap
        assert (limit.wait(failed) > 0) == (failed >= limit.free)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "nonsense", False),
    ],
)
def test_what_is_one_address(one: str, other: str, same: bool) -> None:
    assert (throttle.network(one) == throttle.network(other)) == same


def test_the_way_back_keeps_what_an_older_service_understands(engine: Engine) -> None:
    token = Token("t1", "x", "nurse", ["A"], "h1", created=1)
    with engine.begin() as tx:
        people.add_user(tx, NINA)
        access.add_token(tx, token)
        access.add_token(tx, replace(token, id="t2", hash="h2", role="kiosk"))
        access.add_token(tx, replace(token, id="t3", hash="h3", role="integration", scopes=["read"]))
        access.add_session(tx, SESSION)
        access.add_session(tx, replace(SESSION, hash="c2", user=None, token="t1"))
        access.add_code(tx, LoginCode("k1", "x", "admin", None, 5))
        access.add_code(tx, LoginCode("k2", "x", "kiosk", ["A"], 5, token="t1"))
    config = Config()
    config.set_main_option("script_location", "ward.store:migrations")
    with engine.begin() as tx:
        config.attributes["connection"] = tx
        command.downgrade(config, "0001")
    with engine.connect() as connection:
        kept = [
            connection.scalars(select(column)).all()
            for column in (tokens.c.id, sessions.c.hash, login_codes.c.hash)
        ]
    assert kept == [["t1"], ["c2"], ["k1"]]
    migrate(engine)
    with engine.connect() as connection:
        found = access.find_session(connection, "c2", 500)
    assert (found.token, found.active, found.user) == ("t1", 100, None)
