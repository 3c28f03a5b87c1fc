"""How the service says that it is, and the simulator that stands in for patients."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.live.world import World
from ward.config import Settings
from ward.errors import ConflictError, ForbiddenError
from ward.practice import Practice
from ward.protection.backup import note_backup


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path, mqtt_url="mqtt://ward:secret@127.0.0.1:1")
    yield made
    made.close()


def test_the_service_tells_how_it_is_and_no_secret(world: World) -> None:
    view = world.service.operations.view(5)
    assert view["ready"] is False
    assert view["broker"]["url"] == "mqtt://ward:***@127.0.0.1:1"
    assert "secret" not in str(view)
    assert (view["backup"], view["administrator"], view["database"]["kind"]) == (None, False, "sqlite")
    assert view["database"]["bytes"] > 10_000
    note_backup(world.service.engine_db, 1_795_262_400_000, 1234)
    assert world.service.operations.view(5)["backup"] == {"at": "2026-11-21T12:00:00.000Z", "bytes": 1234}


def test_how_far_evaluation_is_behind(world: World) -> None:
    world.admit()
    world.live(3, hr=80)
    found = world.service.operations._more()
    assert found["delay"] == 2.0  # the lateness
    world.clock.time += 30_000
    assert world.service.operations._more()["delay"] == 32.0


def test_the_trail_is_gone_through(world: World) -> None:
    verdict = world.service.operations.verify_trail(100)
    assert (verdict["holds"], verdict["wrong"]) == (True, None)


class Ward:
    """Takes commands; knows its stays."""

    def __init__(self) -> None:
        self.stays: dict[str, dict[str, Any]] = {}

    async def call(self, command: str, **given: Any) -> dict[str, Any]:
        if command == "admit":
            self.stays[given["bed"]] = {"id": given["bed"], "ward": given["ward"], "bed": given["bed"]}
        else:
            assert command == "discharge"
            del self.stays[given["stay"]]
        return {}


def practice(ward: Ward, tmp_path: Path, **given: Any) -> Practice:
    settings = Settings(
        **{"simulator": "allowed", "data_dir": tmp_path, "mqtt_url": "mqtt://127.0.0.1:1", **given}
    )
    return Practice(settings, _Clock(), ward.call, lambda: list(ward.stays.values()))


class _Clock:
    speed = 60.0

    def now(self) -> int:
        return 1_800_000_000_000


def test_the_simulator_is_off_unless_it_was_allowed_on_this_machine(tmp_path: Path) -> None:
    for given in ({"simulator": "off"}, {"http_host": "0.0.0.0"}):
        with pytest.raises(ForbiddenError):
            asyncio.run(practice(Ward(), tmp_path, **given).start(4, "Ada"))


def test_the_simulator_never_stands_beside_patients(tmp_path: Path) -> None:
    ward = Ward()
    ward.stays["x"] = {"id": "x", "ward": "6A", "bed": "1"}
    with pytest.raises(ConflictError, match="there are patients"):
        asyncio.run(practice(ward, tmp_path).start(4, "Ada"))


def test_its_patients_come_and_go_with_it(tmp_path: Path) -> None:
    async def both() -> None:
        ward = Ward()
        made = practice(ward, tmp_path)
        assert (await made.start(4, "Ada"))["running"] is True
        assert {stay["ward"] for stay in ward.stays.values()} == {"practice"}
        assert len(ward.stays) == 4
        with pytest.raises(ConflictError, match="runs already"):
            await made.start(4, "Ada")
        assert (await made.end("Ada"))["running"] is False
        assert ward.stays == {}

    asyncio.run(both())
