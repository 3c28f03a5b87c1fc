"""Tokens, sessions, login codes and idempotency keys."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from ward.errors import NotFoundError
from ward.store import access
from ward.store.access import LoginCode, Session, Token
from ward.store.idempotency import ABANDONED_MS, Remembered, claim, forget, remember

TOKEN = Token("t1", "Ward A", "nurse", ["A"], "hash-1", created=100)
SESSION = Session("cookie-1", "t1", "Ward A", "nurse", ["A"], created=100, last_seen=100, expires=1000)
CODE = LoginCode("code-1", "Demo", "admin", None, expires=500)


def test_a_token_is_found_by_its_hash_while_it_is_valid(engine: Engine) -> None:
    with engine.begin() as tx:
        access.add_token(tx, TOKEN)
        access.add_token(tx, replace(TOKEN, id="t2", hash="hash-2", wards=None, created=50, expires=500))
        assert access.find_token(tx, "hash-1", 10**12) == TOKEN
        assert access.find_token(tx, "hash-2", 499).wards is None
        assert access.find_token(tx, "hash-2", 500) is None
        assert access.find_token(tx, "other", 0) is None
        assert [token.id for token in access.list_tokens(tx)] == ["t2", "t1"]


def test_no_wards_is_not_all_wards(engine: Engine) -> None:
    with engine.begin() as tx:
        access.add_token(tx, replace(TOKEN, wards=[]))
        assert access.find_token(tx, "hash-1", 0).wards == []


def test_revoking_logs_out_and_keeps_the_record(engine: Engine) -> None:
    with engine.begin() as tx:
        access.add_token(tx, TOKEN)
        access.add_session(tx, SESSION)
        access.add_session(tx, replace(SESSION, hash="cookie-2", token=None))
        access.revoke_token(tx, "t1", 200)
        access.revoke_token(tx, "t1", 300)
        assert access.find_token(tx, "hash-1", 200) is None
        assert access.find_session(tx, "cookie-1", 200) is None
        assert access.find_session(tx, "cookie-2", 200) is not None
        assert access.list_tokens(tx)[0].revoked == 200
        with pytest.raises(NotFoundError):
            access.revoke_token(tx, "t9", 200)


def test_a_session_ends_at_its_time_or_with_its_token(engine: Engine) -> None:
    with engine.begin() as tx:
        access.add_token(tx, replace(TOKEN, expires=400))
        access.add_session(tx, SESSION)
        access.add_session(tx, replace(SESSION, hash="cookie-2", token=None))
        assert access.find_session(tx, "cookie-1", 399) == SESSION
        assert access.find_session(tx, "cookie-1", 400) is None
        assert access.find_session(tx, "cookie-2", 999) is not None
        assert access.find_session(tx, "cookie-2", 1000) is None
        access.delete_session(tx, "cookie-2")
        assert access.find_session(tx, "cookie-2", 0) is None


def test_last_seen_only_grows(engine: Engine) -> None:
    with engine.begin() as tx:
        access.add_session(tx, replace(SESSION, token=None))
        for now in (300, 200):
            access.touch_session(tx, "cookie-1", now)
        assert access.find_session(tx, "cookie-1", 300).last_seen == 300


def test_a_login_code_works_once(engine: Engine) -> None:
    with engine.begin() as tx:
        access.add_code(tx, CODE)
        assert access.use_code(tx, "other", 100) is None
        assert access.use_code(tx, "code-1", 500) is None
        assert access.use_code(tx, "code-1", 100) == replace(CODE, used=100)
        assert access.use_code(tx, "code-1", 101) is None


def test_of_many_uses_at_once_one_gets_in(engine: Engine) -> None:
    with engine.begin() as tx:
        access.add_code(tx, CODE)
    got: list[LoginCode | None] = []

    def use() -> None:
        with engine.begin() as tx:
            got.append(access.use_code(tx, "code-1", 100))

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 6
    assert sum(code is not None for code in got) == 1


KEY = {"key": "k1", "actor": "t1", "route": "POST /alerts/a1/acknowledge"}


def test_a_key_is_claimed_once_and_then_answers_the_same(engine: Engine) -> None:
    with engine.begin() as tx:
        assert claim(tx, **KEY, digest="d1", now=100) is None
        assert claim(tx, **KEY, digest="d1", now=101) == Remembered("d1", None, None)
        remember(tx, **KEY, status=200, body={"id": "a1"})
        later = 100 + 10 * ABANDONED_MS
        assert claim(tx, **KEY, digest="d2", now=later) == Remembered("d1", 200, {"id": "a1"})


@pytest.mark.parametrize("other", [{"key": "k2"}, {"actor": "t2"}, {"route": "POST /stays"}])
def test_keys_belong_to_one_actor_and_route(engine: Engine, other: dict[str, str]) -> None:
    with engine.begin() as tx:
        assert claim(tx, **KEY, digest="d", now=100) is None
        assert claim(tx, **{**KEY, **other}, digest="d", now=100) is None


def test_a_failed_request_gives_its_key_back(engine: Engine) -> None:
    with engine.begin() as tx:
        claim(tx, **KEY, digest="d", now=100)
        forget(tx, **KEY)
        assert claim(tx, **KEY, digest="d", now=101) is None
        remember(tx, **KEY, status=200, body=None)
        forget(tx, **KEY)  # an answer stays
        assert claim(tx, **KEY, digest="d", now=102).status == 200


def test_a_claim_of_a_process_that_died_does_not_hold_for_ever(engine: Engine) -> None:
    with engine.begin() as tx:
        claim(tx, **KEY, digest="d", now=100)
        assert claim(tx, **KEY, digest="d", now=99 + ABANDONED_MS) is not None
        assert claim(tx, **KEY, digest="d", now=100 + ABANDONED_MS) is None
