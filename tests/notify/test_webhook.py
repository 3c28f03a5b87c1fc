"""Webhooks against a real HTTP server: signed, tried again, never led elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.notify.office import START, Office, Post, delivery, put
from tests.ports import free_port
from ward.notify import webhook
from ward.notify.channels import Configured, Failed, Refused
from ward.notify.message import Message, message_of
from ward.notify.webhook import Webhook, check_url, read_secret, sign
from ward.store.deliveries import Sending

SECRET, OLD = b"k" * 32, b"o" * 24


@pytest.fixture
def post() -> Iterator[Post]:
    with Post().open() as opened:
        yield opened


@pytest.fixture
def hook(post: Post) -> Iterator[Webhook]:
    made = Webhook(post.url, [SECRET], wall=lambda: START)
    yield made
    made.close()


def message(detail: str = "bed", **values: Any) -> Message:
    given = {
        "id": 1,
        "key": "a1/first|ada/pager",
        "alert": "a1",
        "ward": "6A",
        "priority": "high",
        "kind": "physiological",
        "reason": "first",
        "level": 0,
        "person": "ada",
        "channel": "pager",
        "address": "4711",
        "text": {"title": "SpO2 below 88 %", "bed": "12", "since": START, "zone": "UTC"},
        "created": START,
        "raised_at": START,
        "attempts": 1,
    } | values
    return message_of(Sending(**given), detail, "https://ward.example/")


def verified(heard: Any, secret: bytes) -> bool:
    """As the standard tells receivers to do it."""
    head = heard.headers
    signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + heard.body
    wanted = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in head["webhook-signature"].split(" ")


def test_the_signature_is_that_of_the_standard():
    """The example of its own libraries."""
    secret = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    id, at, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    made = sign([secret], id, at, body)
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_sent(post: Post, hook: Webhook):
    hook.send(message())
    hook.send(message(attempts=2))
    first, again = post.heard
    assert verified(first, SECRET)
    assert not verified(first, OLD)
    assert first.headers["webhook-id"] == again.headers["webhook-id"] == first.json["data"]["id"]
    assert "ada" not in first.headers["webhook-id"]
    assert first.json["type"] == "alert.first"
    data = first.json["data"]
    assert (data["ward"], data["bed"], data["person"], data["address"]) == ("6A", "12", "ada", "4711")
    assert data["text"] == (
        "Ward 6A, bed 12: high alert. SpO2 below 88 %, since 08:00. https://ward.example/"
    )


def test_with_no_detail_nothing_is_told_but_that_there_is_something(post: Post, hook: Webhook):
    hook.send(message("none"))
    data = post.heard[0].json["data"]
    assert data["text"] == "Ward 6A: high alert. See the dashboard. https://ward.example/"
    assert [data[name] for name in ("alert", "bed", "title", "since")] == [None] * 4


def test_while_a_secret_is_changed_both_sign(post: Post):
    hook = Webhook(post.url, [OLD, SECRET])
    hook.send(message())
    hook.close()
    assert verified(post.heard[0], SECRET)
    assert verified(post.heard[0], OLD)


@pytest.mark.parametrize(
    ("answer", "after_s"),
    [
        (500, None),
        (503, None),
        ((429, {"retry-after": "7"}), 7.0),
        ((503, {"retry-after": "99999"}), 60.0),
        ((429, {"retry-after": "Fri, 15 Jan 2027 08:00:05 GMT"}), 5.0),
        ((429, {"retry-after": "soon"}), None),
    ],
)
def test_what_may_pass_is_tried_again(post: Post, hook: Webhook, answer: Any, after_s: float | None):
    post.answers = [answer]
    with pytest.raises(Failed) as found:
        hook.send(message())
    assert not isinstance(found.value, Refused)
    assert found.value.after_s == after_s


@pytest.mark.parametrize("answer", [400, 401, 404, 410, (302, {"location": "http://169.254.169.254/"}), 304])
def test_what_will_not_pass_is_refused_and_no_redirect_is_followed(post: Post, hook: Webhook, answer: Any):
    post.answers = [answer]
    with pytest.raises(Refused):
        hook.send(message())
    assert len(post.heard) == 1


def test_who_does_not_answer_is_not_waited_for(post: Post, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(webhook, "ANSWER_S", 0.2)
    gone = []

    def hang(handler: Any) -> None:
        handler.connection.settimeout(5)
        gone.append(handler.connection.recv(1))  # until the other side goes

    post.answers = [hang]
    hook = Webhook(post.url, [SECRET])
    with pytest.raises(Failed, match="no answer in time"):
        hook.send(message())
    hook.close()


def test_nobody_there(hook: Webhook):
    nobody = Webhook(f"http://user:secret@127.0.0.1:{free_port()}/t0ken", [SECRET])
    with pytest.raises(Failed, match="no connection") as found:
        nobody.send(message())
    nobody.close()
    assert "t0ken" not in str(found.value)
    assert "secret" not in str(found.value)


def test_an_answer_that_is_no_http(post: Post, hook: Webhook):
    with socket.create_server(("127.0.0.1", 0)) as server:
        odd = Webhook(f"http://127.0.0.1:{server.getsockname()[1]}/", [SECRET])
        import threading

        def answer() -> None:
            connection, _ = server.accept()
            connection.recv(100_000)
            connection.sendall(b"220 mail.example ESMTP\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Failed, match="no connection"):
            odd.send(message())
        thread.join(5)
        odd.close()


@pytest.mark.parametrize("answers", [[500, 500, 429], [503]])
def test_a_receiver_that_recovers_has_it_once(engine: Engine, post: Post, hook: Webhook, answers: list[int]):
    post.answers = list(answers)
    office = Office(engine, {"pager": Configured("pager", "webhook", hook, 30_000, 2, "bed")})
    put(engine, delivery())
    office.run(20_000)
    assert office.states() == ["sent"]
    assert len(post.heard) == len(answers) + 1
    assert len({heard.headers["webhook-id"] for heard in post.heard}) == 1
    assert all(verified(heard, SECRET) for heard in post.heard)


@pytest.mark.parametrize(
    ("url", "allow", "ok"),
    [
        ("https://pager.example/x", False, True),
        ("http://127.0.0.1:9/x", False, True),
        ("http://[::1]/x", False, True),
        ("http://localhost/x", False, True),
        ("http://pager.example/x", True, True),
        ("http://pager.example/x", False, False),
        ("http://127.0.0.1.evil.example/", False, False),
        ("http://10.0.0.1/", False, False),
        ("ftp://pager.example/", True, False),
        ("file:///etc/passwd", True, False),
        ("pager.example", True, False),
    ],
)
def test_only_encrypted_unless_near_or_allowed(url: str, allow: bool, ok: bool):
    if ok:
        check_url(url, allow_http=allow)
    else:
        with pytest.raises(ValueError, match="allowed") as found:
            check_url(url, allow_http=allow)
        assert url not in str(found.value)


@pytest.mark.parametrize(
    "text", ["", "secret", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", "whsec_" + "AAAA" * 30]
)
def test_a_secret_is_one_of_the_standard(text: str):
    with pytest.raises(ValueError, match=re.escape("allowed: whsec_")):
        read_secret(text)
