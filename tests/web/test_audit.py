"""Every call leaves its line, before its answer; and what happens when the trail cannot be written."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from tests.web.conftest import Client, problem
from ward.errors import UnavailableError
from ward.store.audit import Entry, Line, read, verify
from ward.web.audit import QUIET, about, acts
from ward.web.trail import Trail

A = "/api/v1"


def trail(engine: Engine) -> list[Line]:
    with engine.connect() as connection:
        assert verify(connection).holds
        return list(read(connection))


def told(engine: Engine) -> list[tuple[str, str, str | None, str | None, str]]:
    return [(line.actor, line.action, line.object, line.stay, line.outcome) for line in trail(engine)]


def test_views_of_a_patient(client: Client, engine: Engine, wall) -> None:
    nurse = client("nurse", ["6A"])
    for path in ("", "/vitals", "/score"):
        assert nurse.get(f"{A}/stays/stay-6A{path}").status_code == 200
    assert nurse.get(f"{A}/alerts/alert-6A").status_code == 200
    who = ("the nurse", "stay:stay-6A", "stay-6A", "done")
    assert told(engine) == [
        (who[0], "stays-get", *who[1:]),
        (who[0], "history-vitals", *who[1:]),
        (who[0], "history-score", *who[1:]),
        (who[0], "alerts-get", "alert:alert-6A", "stay-6A", "done"),
    ]
    line = trail(engine)[0]
    assert (line.at, line.role, line.ward, line.source) == (wall(), "nurse", "6A", "web")
    assert str(line.actor_id).startswith("token:")
    assert json.loads(line.detail) == {"from": "testclient", "status": 200}


def test_lists_say_which_wards(client: Client, engine: Engine) -> None:
    client("nurse", ["6A"]).get(f"{A}/stays")
    client("clinician").get(f"{A}/alerts?ward=6B")
    client("clinician").get(f"{A}/stays")
    assert [(line.action, line.ward, line.stay) for line in trail(engine)] == [
        ("stays-list", "6A", None),
        ("alerts-list", "6B", None),
        ("stays-list", None, None),
    ]


@pytest.mark.parametrize(
    ("path", "ward"),
    [("alerts?ward=6A&ward=6B", "6B"), ("channels?ward=6B", "6A"), ("channels?ward=6A%0Adone", "6A")],
)
def test_nobody_can_have_a_view_told_of_another_ward(
    client: Client, engine: Engine, path: str, ward: str
) -> None:
    wards = ["6A", "6B"] if path.startswith("alerts") else ["6A"]
    assert client("nurse", wards).get(f"{A}/{path}").status_code == 200
    assert [line.ward for line in trail(engine)] == [ward]


def test_a_change_is_told_before_and_after(client: Client, engine: Engine) -> None:
    nurse = client("nurse")
    nurse.post(f"{A}/alerts/alert-6A/acknowledge", json={"assessment": "actionable"})
    nurse.post(f"{A}/alerts/alert-6A/shelve", json={"minutes": 999})
    of = ("alert:alert-6A",)
    assert told(engine) == [
        ("the nurse", "alerts-acknowledge", *of, None, "asked"),
        ("the nurse", "alerts-acknowledge", *of, "stay-6A", "done"),
        ("the nurse", "alerts-shelve", *of, None, "asked"),
        ("the nurse", "alerts-shelve", *of, None, "refused"),
    ]


def test_an_admission_names_the_stay_and_never_the_patient(client: Client, engine: Engine) -> None:
    body = {"patient_ref": "MRN-4711-Lovelace", "ward": "6A", "bed": "9"}
    made = client("clinician").post(f"{A}/stays", json=body).json()
    assert told(engine)[-1] == ("the clinician", "stays-admit", None, made["id"], "done")
    assert "Lovelace" not in repr(trail(engine))


def test_refusals(client: Client, engine: Engine) -> None:
    nurse = client("nurse", ["6A"])
    client().get(f"{A}/stays/stay-6A")
    nurse.get(f"{A}/stays/stay-6B")
    nurse.get(f"{A}/tokens")
    nurse.get("/metrics")
    client().get("/wp-admin")
    client().get("/healthz")
    assert told(engine) == [
        ("", "stays-get", "stay:stay-6A", "stay-6A", "refused"),
        ("the nurse", "stays-get", "stay:stay-6B", "stay-6B", "refused"),
        ("the nurse", "access-list", None, None, "refused"),
        ("the nurse", "operations-metrics", None, None, "refused"),
    ]


def test_a_fault_of_ours_is_told(client: Client, engine: Engine, service) -> None:
    service.break_with = RuntimeError("no")
    guest = client("nurse", raise_server_exceptions=False)
    assert guest.post(f"{A}/stays/stay-6A/pause", json={"minutes": 5}).status_code == 500
    assert [line.outcome for line in trail(engine)] == ["asked", "failed"]


def test_opening_the_stream_is_a_view(live: str, client: Client, engine: Engine) -> None:
    import httpx

    headers = {"Authorization": client("nurse").headers["Authorization"]}
    with httpx.stream("GET", f"{live}{A}/events", headers=headers) as stream:
        next(stream.iter_lines())
        assert [(line.action, line.ward) for line in trail(engine)] == [("events-events", "6A")]


def test_reading_the_trail(client: Client, engine: Engine) -> None:
    client("nurse").get(f"{A}/stays/stay-6A")
    client("clinician").get(f"{A}/stays/stay-6B")
    admin = client("admin")
    items = admin.get(f"{A}/audit").json()["items"]
    assert [item["action"] for item in items] == ["stays-get", "stays-get"]
    assert items[0]["detail"]["status"] == 200
    assert [i["ward"] for i in admin.get(f"{A}/audit?stay=stay-6A").json()["items"]] == ["6A"]
    assert [i["ward"] for i in admin.get(f"{A}/audit?actor=the clinician").json()["items"]] == ["6B"]
    assert admin.get(f"{A}/audit?start=2026-11-22T00:00:00Z").json()["items"] == []
    first = admin.get(f"{A}/audit?limit=1").json()
    assert (
        admin.get(f"{A}/audit?limit=1&cursor={first['next']}").json()["items"][0]["seq"] < items[0]["seq"] + 9
    )
    local = client("admin", ["6A"]).get(f"{A}/audit").json()["items"]
    assert {item["ward"] for item in local} == {"6A"}
    assert problem(client("nurse").get(f"{A}/audit"))["status"] == 403


def test_what_a_route_knows_is_told_also_from_a_thread(app: FastAPI, client: Client, engine: Engine) -> None:
    about(actor="nobody")  # outside a request: nothing

    client().post(f"{A}/session", json={"token": "ward_wrong"})
    assert told(engine) == [("", "access-log-in", None, None, "refused")]


def test_every_line_can_be_told_in_words(app: FastAPI) -> None:
    root = Path(__file__).parents[2] / "ward"
    words = (root / "web/ui/src/text/en/trail.ts").read_text()
    told = set(re.findall(r'^    "?([a-z.-]+)"?: "', words, re.MULTILINE))
    assert {act.action for act in acts(app)} - QUIET == {one for one in told if "." not in one} - QUIET
    commands = "\n".join(file.read_text() for file in root.rglob("*.py"))
    written = set(re.findall(r'"((?:token|user|patient|backup|audit)\.[a-z]+)"', commands))
    assert written - {"audit.heads", "audit.syslog", "backup.last"} <= told  # those are kept, not told


def test_every_change_has_a_loud_name(app: FastAPI) -> None:
    found = acts(app)
    assert len({act.action for act in found}) == len(found) > 30
    router = APIRouter(tags=["operations"])

    @router.post("/healthz")
    async def healthz() -> None: ...

    made = FastAPI()
    made.include_router(router)
    with pytest.raises(RuntimeError, match="operations-healthz: a change must be told"):
        acts(made)
    made.include_router(router, prefix="/again")
    with pytest.raises(RuntimeError, match="two routes have one name"):
        acts(made)


# ---------------------------------------------------------------- when the database does not take lines


class Stuck:
    """Stands before the database's ``begin``: ``away`` refuses, ``release`` lets go on."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.away = threading.Event()
        self.tries = threading.Semaphore(0)

    def begin(self) -> Any:
        self.tries.release()
        if self.away.is_set():
            raise OperationalError("INSERT", {}, Exception("gone"))
        return self.engine.begin()


@pytest.fixture
def stuck(engine: Engine) -> Stuck:
    return Stuck(engine)


def entry(n: int) -> Entry:
    return Entry(n, "Ada", "nurse", "stays-get")


def settle(trail_: Trail) -> None:
    trail_.drain(10)


def test_a_view_goes_on_and_its_line_comes_later(engine: Engine, stuck: Stuck) -> None:
    made = Trail(stuck, lambda: 0, limit_s=0.05)  # type: ignore[arg-type]
    stuck.away.set()
    asyncio.run(made.write(entry(1)))
    assert trail(engine) == []
    stuck.away.clear()
    settle(made)
    assert [line.at for line in trail(engine)] == [1]


def test_a_change_is_refused_and_its_line_taken_back(engine: Engine, stuck: Stuck) -> None:
    made = Trail(stuck, lambda: 0, limit_s=0.05)  # type: ignore[arg-type]
    stuck.away.set()

    async def both() -> None:
        await made.write(entry(1))
        refused = 0
        while not refused:  # in the very moment of a try it cannot be taken back, and the change goes on
            try:
                await made.write(entry(2), must=True)
            except UnavailableError:
                refused += 1

    asyncio.run(both())
    stuck.away.clear()
    settle(made)
    assert {line.at for line in trail(engine)} <= {1, 2}


def test_what_had_to_be_given_up_is_told(engine: Engine, stuck: Stuck) -> None:
    made = Trail(stuck, lambda: 0, limit_s=0.01, most=3)  # type: ignore[arg-type]
    stuck.away.set()

    async def many() -> None:
        await asyncio.gather(*(made.write(entry(n)) for n in range(20)))
        with pytest.raises(UnavailableError):
            await made.write(entry(20), must=True)

    asyncio.run(many())
    stuck.away.clear()
    settle(made)
    lines = trail(engine)
    gap = next(line for line in lines if line.action == "audit.gap")
    said = json.loads(gap.detail)
    assert len(lines) - 1 + said["lost"] == 21
    assert said["to"] == 20


def test_many_at_once_share_transactions(engine: Engine, stuck: Stuck) -> None:
    made = Trail(stuck, lambda: 0)  # type: ignore[arg-type]

    async def many() -> None:
        await asyncio.gather(*(made.write(entry(n)) for n in range(300)))

    asyncio.run(many())
    assert len(trail(engine)) == 300
    tries = 0
    while stuck.tries.acquire(blocking=False):
        tries += 1
    assert tries < 100


def test_when_the_trail_is_stuck_the_board_is_shown_and_changes_are_refused(
    client: Client, engine: Engine, app: FastAPI, service
) -> None:
    nurse = client("nurse")
    with engine.begin() as tx:
        tx.execute(text("ALTER TABLE audit RENAME TO audit_gone"))
    assert nurse.get(f"{A}/alerts").status_code == 200
    refused = nurse.post(f"{A}/alerts/alert-6A/acknowledge", json={"assessment": "actionable"})
    assert problem(refused)["status"] == 503
    assert service.calls == []
    with engine.begin() as tx:
        tx.execute(text("ALTER TABLE audit_gone RENAME TO audit"))
    nurse.get(f"{A}/alerts")
    assert trail(engine)[0].action == "alerts-list"
