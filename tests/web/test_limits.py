"""Too much, too slow, too big, too deep: refused, and nobody else notices."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.brokers import until
from tests.web.conftest import UNLIMITED, TestClient, problem
from tests.web.fake import FakeService
from ward.store.audit import read
from ward.web import audit as audit_of_web
from ward.web import limits as limits_of_web
from ward.web import middleware
from ward.web.app import create_app
from ward.web.identity import create_token
from ward.web.limits import LIMITS, Buckets, Budget, Limits, is_dear, is_trial
from ward.web.patience import PatientProtocol
from ward.web.schemas.notices import Delay

A = "/api/v1"
FEW = Budget("few", 3, 0.001)


# ---------------------------------------------------------------- the bucket


@given(
    burst=st.integers(1, 20),
    rate=st.floats(0.1, 50),
    steps=st.lists(st.floats(0, 5), min_size=1, max_size=60),
)
def test_never_more_than_burst_and_rate_allow(burst: int, rate: float, steps: list[float]) -> None:
    buckets, now, taken = Buckets(), 100.0, 0
    for step in steps:
        now += step
        wait = buckets.take(Budget("b", burst, rate), "k", now)
        taken += wait == 0.0
        if wait:
            assert buckets.take(Budget("b", burst, rate), "k", now + wait * 0.99 - 1e-6) > 0.0
            now += wait * 0.99 - 1e-6 if wait * 0.99 > 1e-6 else 0
    assert taken <= burst + (now - 100.0) * rate + 1e-6


def test_after_the_wait_there_is_one() -> None:
    buckets, budget = Buckets(), Budget("b", 2, 0.5)
    assert [buckets.take(budget, "k", 0.0) for _ in range(3)] == [0.0, 0.0, 2.0]
    assert buckets.take(budget, "other", 0.0) == 0.0
    assert buckets.take(budget, "k", 2.0) == 0.0
    assert buckets.take(budget, "k", 1.0) > 0.0  # a clock that went back gives nothing


def test_memory_is_bounded() -> None:
    buckets = Buckets(most=10)
    for n in range(1000):
        buckets.take(FEW, str(n), float(n))
    assert len(buckets._buckets) == 10


@pytest.mark.parametrize(
    ("path", "query", "dear"),
    [
        (f"{A}/stays/s/vitals", b"", True),
        (f"{A}/stays/s/vitals", b"resolution=5m", False),
        (f"{A}/stays/s/vitals", b"signal=resolution", True),
        (f"{A}/stays/s/vitals", b"signal=%C3%8E&resolution=%F1%B1%AA%8A", False),
        (f"{A}/stays/s/vitals", b"signal=\xff", True),
        (f"{A}/stays", b"", False),
        (f"{A}/audit", b"", True),
    ],
)
def test_what_is_dear(path: str, query: bytes, dear: bool) -> None:
    assert is_dear(path, query) is dear
    assert is_trial("POST", f"{A}/rules/trial")
    assert is_trial("GET", f"{A}/reports/rules")
    assert not is_trial("GET", path)


# ---------------------------------------------------------------- the application


@pytest.fixture
def limited(service: FakeService, wall, ui):
    def make(**limits: object) -> FastAPI:
        chosen: Limits = replace(UNLIMITED, **limits)
        return create_app(service, wall=wall, heartbeat_s=0.05, ui=ui, limits=chosen)

    return make


def headers(engine: Engine, wall, role: str = "nurse") -> dict[str, str]:
    secret = create_token(engine, name="x", role=role, wards=["6A"], now=wall())[1]
    return {"Authorization": f"Bearer {secret}"}


def test_one_who_asks_too_much_is_told_when_to_come_back(limited, engine: Engine, wall) -> None:
    client = TestClient(limited(anybody=FEW))
    mine, other = headers(engine, wall), headers(engine, wall)
    codes = [client.get(f"{A}/session", headers=mine).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    refused = client.get(f"{A}/stays/stay-6A", headers=mine)
    assert problem(refused)["type"] == "/problems/too-many-requests"
    assert int(refused.headers["retry-after"]) > 1
    assert client.get(f"{A}/session", headers=other).status_code == 200
    with engine.connect() as connection:
        assert [line.action for line in read(connection)] == []


def test_what_is_dear_has_a_budget_of_its_own(limited, engine: Engine, wall) -> None:
    client = TestClient(limited(dear=FEW, trial=replace(FEW, name="trial", burst=1)))
    mine = headers(engine, wall, "clinician")
    raw, binned = f"{A}/stays/stay-6A/vitals", f"{A}/stays/stay-6A/vitals?resolution=1h"
    assert [client.get(raw, headers=mine).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get(binned, headers=mine).status_code == 200
    body = {"rules": [], "start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z"}
    codes = [client.post(f"{A}/rules/trial", json=body, headers=mine).status_code for _ in range(2)]
    assert codes[1] == 429


def test_guessing_slows_only_who_guesses(limited, engine: Engine, wall) -> None:
    client = TestClient(limited(stranger=FEW))
    wrong = {"Authorization": "Bearer ward_wrong"}
    assert [client.get(f"{A}/stays", headers=wrong).status_code for _ in range(5)] == [401] * 3 + [429] * 2
    assert client.get(f"{A}/stays", headers=headers(engine, wall)).status_code == 200


def test_guests_are_counted_by_address(limited, engine: Engine, wall) -> None:
    client = TestClient(limited(guest=FEW))
    assert [client.get("/").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get(f"{A}/stays", headers=headers(engine, wall)).status_code == 200


def test_two_hundred_screens_load_the_dashboard_at_once() -> None:
    buckets = Buckets()
    assert all(buckets.take(LIMITS.guest, "proxy", 0.0) == 0.0 for _ in range(200 * 20))
    assert all(buckets.take(LIMITS.anybody, "kiosk", 0.0) == 0.0 for _ in range(200 * 5))
    assert LIMITS.streams >= 200


def test_a_flood_of_wrong_credentials_does_not_flood_the_trail(
    limited, engine: Engine, wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_of_web, "STRANGERS", FEW)
    client = TestClient(limited())
    for _ in range(10):
        assert client.get(f"{A}/stays").status_code == 401
    client.get(f"{A}/stays", headers=headers(engine, wall))
    with engine.connect() as connection:
        lines = list(read(connection))
    assert [line.outcome for line in lines] == ["refused"] * 3 + ["done"]
    assert json.loads(lines[-1].detail)["before_untold"] == 7


def test_a_path_written_otherwise_is_not_a_way_around_the_limits(limited, engine: Engine, wall) -> None:
    client, mine = TestClient(limited(streams=0)), headers(engine, wall)
    assert client.get(f"{A}/events", headers=mine).status_code == 429
    for path in ("events%0A", "audit%0A", "alerts/delays%0a", "stays%00", "stays%C2%85"):
        assert client.get(f"{A}/{path}", headers=mine).status_code == 404


def test_streams_are_counted_while_they_are_open(limited, engine: Engine, wall, service: FakeService) -> None:
    with served(limited(streams=2)) as base:
        mine, other = headers(engine, wall), headers(engine, wall)
        with httpx.Client(base_url=base, timeout=60) as client:
            url = f"{A}/events"
            with client.stream("GET", url, headers=mine) as one, client.stream("GET", url, headers=mine):
                lines = one.iter_lines()  # kept: a generator that is left closes its connection
                next(lines)
                assert client.get(url, headers=mine).status_code == 429
                with client.stream("GET", url, headers=other) as third:
                    assert third.status_code == 200
                lines.close()
            deadline = time.monotonic() + 60
            while True:
                with client.stream("GET", url, headers=mine) as again:
                    if again.status_code == 200:
                        break
                assert time.monotonic() < deadline
        service.hub.close()


# ---------------------------------------------------------------- slow, big, deep


class served:  # noqa: N801 - reads as a word
    """The application on a real server, with the protocol that the service uses."""

    def __init__(self, app: FastAPI) -> None:
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_level="error",
            http=PatientProtocol,
            timeout_graceful_shutdown=2,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)

    def __enter__(self) -> str:
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
            time.sleep(0.005)
        return f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(60)
        assert not self.thread.is_alive()


class Exports:
    """That have no end, by their connections to the database. Each begins a moment after its answer does."""

    def __init__(self) -> None:
        self.open: list[object] = []
        self.ended: list[object] = []


@pytest.fixture
def endless(service: FakeService, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Exports:
    made = Exports()

    def delays(**_: object) -> Iterator[dict[str, object]]:
        with engine.connect() as connection:
            made.open.append(connection)
            try:
                while True:
                    yield dict.fromkeys(Delay.model_fields, "x" * 10_000)
            finally:
                made.open.remove(connection)
                made.ended.append(connection)

    monkeypatch.setattr(service.notifier, "delays", delays)
    return made


EXPORT = f"{A}/alerts/delays?since=2026-01-01T00:00:00Z"


def ask_and_read_no_further(base: str, mine: dict[str, str]) -> tuple[socket.socket, bytes]:
    """The caller, who is still there, and how the answer to it begins."""
    host, port = base.removeprefix("http://").split(":")
    caller = socket.create_connection((host, int(port)), 60)
    asked = f"GET {EXPORT} HTTP/1.1\r\nHost: x\r\nAuthorization: {mine['Authorization']}\r\n\r\n"
    caller.sendall(asked.encode())
    return caller, caller.recv(12)


def test_who_does_not_read_an_export_holds_few_connections(
    limited, engine: Engine, wall, endless: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each export keeps a connection to the database until its end: the core must not lack one for it."""
    monkeypatch.setattr(limits_of_web, "STALLED_S", 3600.0)  # however slow the machine: none ends meanwhile
    mine, other = headers(engine, wall), headers(engine, wall)
    with served(limited(exports=2, all_exports=3)) as base, contextlib.ExitStack() as held:
        answers = []
        for who in (mine, mine, mine, other, other):
            caller, answer = ask_and_read_no_further(base, who)
            held.callback(caller.close)
            answers.append(answer)
        assert answers == [b"HTTP/1.1 " + code for code in (b"200", b"200", b"429", b"200", b"429")]
        until(lambda: len(endless.open) == 3)
        assert httpx.get(f"{base}{EXPORT}", headers=other, timeout=60).status_code == 429
        assert (len(endless.open), len(endless.ended)) == (3, 0)
        held.close()  # all hang up
        until(lambda: len(endless.ended) == 3)


def test_nor_does_it_hold_them_for_long(
    limited, engine: Engine, wall, endless: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits_of_web, "STALLED_S", 0.2)
    mine = headers(engine, wall)
    with served(limited(exports=3, all_exports=3)) as base, contextlib.ExitStack() as held:
        for _ in range(3):
            caller, answer = ask_and_read_no_further(base, mine)
            held.callback(caller.close)
            assert answer == b"HTTP/1.1 200"
        until(lambda: len(endless.ended) == 3)

        def has_room() -> bool:
            caller, answer = ask_and_read_no_further(base, mine)
            held.callback(caller.close)
            return answer == b"HTTP/1.1 200"

        until(has_room)
        until(lambda: len(endless.ended) == 4)


@pytest.fixture
def impatient(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(PatientProtocol, "patience_s", 0.2)
    monkeypatch.setattr(middleware, "BODY_S", 0.2)
    with served(app) as base:
        yield base


def raw(base: str, sent: bytes) -> bytes:
    """All that the server says until it hangs up."""
    host, port = base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connected:
        connected.sendall(sent)
        got = b""
        with contextlib.suppress(ConnectionResetError):  # it hung up while we were talking
            while piece := connected.recv(65536):
                got += piece
        return got


@pytest.mark.parametrize("head", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_a_head_that_does_not_end_ends_the_connection(impatient: str, head: bytes) -> None:
    assert raw(impatient, head) == b""


def test_also_of_a_second_request(impatient: str) -> None:
    got = raw(impatient, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HT")
    assert got.count(b"HTTP/1.1 200") == 1


def test_a_body_that_does_not_come(impatient: str) -> None:
    head = b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    for more in (b"Content-Length: 50\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"):
        got = raw(impatient, head + more)
        assert got.startswith(b"HTTP/1.1 408")
        assert b"/problems/too-slow" in got


def test_who_waits_for_an_answer_is_not_slow(impatient: str, engine: Engine, wall) -> None:
    with httpx.stream("GET", f"{impatient}{A}/events", headers=headers(engine, wall)) as stream:
        lines = stream.iter_lines()
        begun = time.monotonic()
        while time.monotonic() < begun + 0.6:  # longer than any patience
            next(lines)


def test_more_connections_than_there_are_files_for_are_closed(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a file left the core could not write, and nobody would be alarmed."""
    monkeypatch.setattr(PatientProtocol, "most", 3)
    with served(app) as base, contextlib.ExitStack() as held:
        host, port = base.removeprefix("http://").split(":")
        idle = [held.enter_context(socket.create_connection((host, int(port)), 60)) for _ in range(3)]
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{base}/healthz", timeout=60)
        idle.pop().close()
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx.TransportError):
                assert httpx.get(f"{base}/healthz", timeout=60).status_code == 200
                break
            assert time.monotonic() < deadline


def test_half_of_the_files_are_left_to_the_core() -> None:
    script = 'ulimit -n 500; exec "$0" -c "from ward.web.patience import room; print(room())"'
    said = subprocess.run(
        ["bash", "-c", script, sys.executable],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said.stdout.strip() == "250"


def test_a_head_that_is_too_big(impatient: str) -> None:
    got = raw(impatient, b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 200_000)
    assert got.startswith(b"HTTP/1.1 4") or got == b""


def test_a_body_that_is_too_big_in_pieces(app: FastAPI, engine: Engine, wall) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 65536

    mine = headers(engine, wall, "admin")
    with served(app) as base:
        answer = httpx.post(f"{base}{A}/stays", content=pieces(), headers=mine, timeout=60)
    assert problem(answer)["type"] == "/problems/too-large"


@pytest.mark.parametrize(
    "body",
    ["[" * 100_000, '{"a":' * 50_000, '{"patient_ref": ' + "[" * 900_000, "1" * 1_000_000, "\x00", "{"],
)
def test_a_body_that_is_too_deep_or_senseless(client, body: str) -> None:
    mine = client("admin", raise_server_exceptions=False)
    answer = mine.post(f"{A}/stays", content=body, headers={"Content-Type": "application/json"})
    assert problem(answer)["status"] in (400, 422)


def test_many_parameters_cost_little(client) -> None:
    begun = time.process_time()
    answer = client("nurse").get(f"{A}/alerts?" + "&".join(f"p{n}=1" for n in range(5_000)))
    assert answer.status_code == 200
    states = "&".join(["state=active"] * 5_000)
    assert client("nurse").get(f"{A}/alerts?{states}").status_code == 200
    assert time.process_time() - begun < 5
