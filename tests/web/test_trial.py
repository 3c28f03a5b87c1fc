"""Trials over HTTP: as JSON or as a stream, for those who may, a few at a time; gone when the caller is."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.web.conftest import Client, problem
from tests.web.fake import NOON
from ward.errors import InvalidError, UnavailableError
from ward.store.tables import history
from ward.web.identity import create_token

A = "/api/v1"
TRIAL = f"{A}/rules/trial"
BODY = {
    "grid": {"rule": "spo2-below-88", "thresholds": [84, 86], "for": ["5m", "10m"]},
    "start": "2026-11-20T12:00:00Z",
    "end": "2026-11-21T12:00:00Z",
}
STREAM = {"Accept": "text/event-stream"}


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        found.append((fields["event"], json.loads(fields["data"])))
    return found


def headers(engine: Engine, wall: Any) -> dict[str, str]:
    secret = create_token(engine, name="x", role="clinician", wards=None, now=wall())[1]
    return {"Authorization": f"Bearer {secret}"}


def test_a_stream_tells_progress_and_then_the_result(clinician: TestClient, service) -> None:
    service.trial_steps = [("progress", {"done": 0.5, "what": "evaluating"})]
    answer = clinician.post(TRIAL, json=BODY, headers=STREAM)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = events(answer.text)
    assert [kind for kind, _ in told] == ["progress", "progress", "result"]
    assert told[1][1] == {"done": 0.5, "what": "evaluating"}
    assert told[2][1] == clinician.post(TRIAL, json=BODY).json()
    assert service.trials_ended == 2


def test_what_is_asked_reaches_the_service_in_its_own_words(clinician: TestClient, service) -> None:
    asked = {
        **BODY,
        "rules": [{"id": "spo2-below-88", "priority": "medium", "version": 3}],
        "scope": "ward:6A",
        "events": [{"stay": "stay-6A", "time": "2026-11-21T00:00:00Z"}],
        "window": "6h",
        "suggest": {"per_day": 3, "of": "interruptions"},
    }
    assert clinician.post(TRIAL, json=asked).status_code == 200
    (request,) = service.trials
    assert request["rules"] == [{"id": "spo2-below-88", "priority": "medium"}]
    assert request["grid"] == {"rule": "spo2-below-88", "thresholds": [84, 86], "for": ["5m", "10m"]}
    assert request["events"] == [{"stay": "stay-6A", "time": 1_795_219_200_000}]
    assert (request["window"], request["after"], request["scope"]) == (21_600_000, 43_200_000, "ward:6A")
    assert request["suggest"] == {"per_day": 3, "of": "interruptions", "miss_cost": 5}


@pytest.mark.parametrize(
    "change",
    [
        {"grid": None},
        {"grid": {"rule": "x", "thresholds": list(range(401))}},
        {"grid": {"rule": "x", "thresholds": ["NaN"]}},
        {"rules": [{"id": "x", "for": "1m"}] * 65},
        {"rules": [{"priority": "high"}]},
        {"suggest": {"per_day": 0}},
        {"suggest": {"per_day": 3, "of": "beeps"}},
        {"window": "8d"},
        {"scope": "bed:1"},
        {"treshold": 3},
        {"end": "2026-11-20T12:00:00Z"},
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_done(
    clinician: TestClient, service, change: dict
) -> None:
    answer = clinician.post(TRIAL, json={**BODY, **change})
    assert answer.status_code == 422
    assert service.trials == []


def test_a_window_that_is_too_long_is_refused_in_days(clinician: TestClient) -> None:
    (fault,) = problem(clinician.post(TRIAL, json={**BODY, "after": "8d"}))["errors"]
    assert (fault["field"], fault["message"]) == ("body.after", "at most 7d is allowed")


@pytest.mark.parametrize("accept", [{}, STREAM])
def test_what_the_trial_refuses_is_a_problem(clinician: TestClient, service, accept: dict) -> None:
    service.trial_steps = [InvalidError("no rule x in force", field="grid.rule")]
    answer = clinician.post(TRIAL, json=BODY, headers=accept)
    if accept:
        kind, told = events(answer.text)[-1]
        assert kind == "error"
    else:
        told = problem(answer)
    assert (told["status"], told["type"], told["detail"]) == (422, "/problems/invalid", "no rule x in force")
    service.trial_steps = [UnavailableError("it took longer than 300 s")]
    later = clinician.post(TRIAL, json=BODY, headers=accept)
    told = events(later.text)[-1][1] if accept else problem(later)
    assert told["status"] == 503


def test_only_who_may_tune_tries_and_it_is_told_in_the_trail(client: Client, service) -> None:
    for role in ("nurse", "integration"):
        assert client(role).post(TRIAL, json=BODY).status_code == 403
    assert service.trials == []
    assert client("clinician").post(TRIAL, json=BODY).status_code == 200
    lines = client("admin").get(f"{A}/audit?action=rules-trial").json()["items"]
    done = next(line for line in lines if line["outcome"] == "done")
    assert done["detail"]["rules"] == ["spo2-below-88"]


def slow() -> Any:
    """Steps that never come to an end by themselves."""

    class Slow:
        def __iter__(self) -> Any:
            while True:
                yield "progress", {"done": 0.1, "what": "evaluating"}

    return Slow()


@pytest.fixture
def unhurried(service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial that goes on until nobody waits any more."""
    told = type(service).trial

    async def trial(request: dict[str, Any]) -> Any:
        async for step in told(service, request):
            yield step
            await asyncio.sleep(0.01)

    service.trial_steps = slow()
    monkeypatch.setattr(service, "trial", trial)


@pytest.mark.parametrize("accept", [{}, STREAM])
def test_hanging_up_ends_the_trial(live, engine, wall, service, unhurried, accept: dict) -> None:
    host, port = live.removeprefix("http://").split(":")
    given = headers(engine, wall) | accept | {"Host": "x", "Content-Type": "application/json"}
    body = json.dumps(BODY).encode()
    lines = [
        f"POST {TRIAL} HTTP/1.1",
        *(f"{k}: {v}" for k, v in given.items()),
        f"Content-Length: {len(body)}",
    ]
    with socket.create_connection((host, int(port)), 10) as caller:
        caller.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        until(lambda: len(service.trials) == 1)
        if accept:
            assert caller.recv(12) == b"HTTP/1.1 200"
        assert service.trials_ended == 0
    until(lambda: service.trials_ended == 1)


def until(done: Any, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    waiting = threading.Event()
    while not done():
        assert time.monotonic() < deadline
        waiting.wait(0.02)


def test_so_many_at_a_time(live, engine, wall, service, unhurried) -> None:
    """One of each login or token, two altogether; more are told to come back."""
    tokens = [headers(engine, wall) | STREAM for _ in range(3)]

    def status(token: dict) -> int:
        return httpx.post(live + TRIAL, json=BODY, headers=token, timeout=60).status_code

    with httpx.Client() as caller:
        first, second = (
            caller.stream("POST", live + TRIAL, json=BODY, headers=token) for token in tokens[:2]
        )
        with first as one:
            assert one.status_code == 200
            refused = httpx.post(live + TRIAL, json=BODY, headers=tokens[0], timeout=60)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
            assert "trials are running" in refused.json()["detail"]
            with second as other:
                assert other.status_code == 200
                assert status(tokens[2]) == 429
    until(lambda: service.trials_ended == 2)
    service.trial_steps = []
    assert status(tokens[2]) == 200


def test_what_there_is_to_try_on(client: Client, engine: Engine) -> None:
    path = f"{A}/trials/history"
    nothing = client("clinician").get(path).json()
    assert (nothing["start"], nothing["end"], nothing["readings"], nothing["stays"]) == (None, None, 0, 0)
    with engine.begin() as tx:
        for n, stay in enumerate(("stay-6A", "stay-6B")):
            times = [NOON + 1_000 * n, NOON + 60_000 * (n + 1)]
            row = {"stay": stay, "start": times[0], "end": times[1], "count": 5 + n, "payload": b""}
            tx.execute(history.insert().values(row))
    both = client("clinician").get(path).json()
    assert (both["start"], both["end"]) == ("2026-11-21T12:00:00.000Z", "2026-11-21T12:02:00.000Z")
    assert (both["readings"], both["stays"]) == (11, 2)
    assert client("clinician", ["6A"]).get(path).json()["readings"] == 5
    assert client("clinician", ["6A"]).get(f"{path}?ward=6B").json()["readings"] == 0
