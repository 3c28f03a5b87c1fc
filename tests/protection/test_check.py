"""What is wrong with the machine or the settings is found, named, and told how to mend."""

from __future__ import annotations

import ctypes
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.brokers import mosquitto_at, until
from tests.databases import migrated
from tests.live.world import World
from tests.ports import free_port
from ward import doctor, housekeeping, machine
from ward.config import Settings
from ward.ingest.broker import EmbeddedBroker
from ward.ingest.mqtt import MqttLink
from ward.live import metrics
from ward.machine import MachineClock
from ward.store.meta import put_meta
from ward.store.schema import COMPATIBLE
from ward.web.people import create_user


@pytest.fixture
def broker() -> Any:
    with EmbeddedBroker(free_port()) as made:
        yield made


def found(settings: Settings) -> dict[str, list[tuple[str, str, str]]]:
    answer: dict[str, list[tuple[str, str, str]]] = {}
    for each in doctor.examine(settings):
        answer.setdefault(each.what, []).append((each.level, each.text, each.to_do))
    return answer


def right(tmp_path: Path, port: int, **more: Any) -> Settings:
    (tmp_path / "data").mkdir(mode=0o700, exist_ok=True)
    given = {"data_dir": tmp_path / "data", "mqtt_url": f"mqtt://127.0.0.1:{port}", "clock_check": "off"}
    return Settings(**(given | more))


def test_all_is_well(tmp_path: Path, broker: EmbeddedBroker) -> None:
    settings = right(tmp_path, broker.port)
    with migrated(settings.database):
        pass
    levels = {what: [level for level, *_ in each] for what, each in found(settings).items()}
    assert set(levels) == {what for what, _ in doctor.CHECKS}
    assert not [what for what, each in levels.items() if "wrong" in each]


def test_what_is_wrong_is_found_and_told_how_to_mend(tmp_path: Path) -> None:
    settings = right(
        tmp_path, free_port(), pack=str(tmp_path / "no.toml"), channels_file=tmp_path / "none.toml",
        plan_file=tmp_path / "none.toml", backup_recipients="nonsense", disk_low_mb=1e12,
    )  # fmt: skip
    (tmp_path / "data").chmod(0o755)
    with migrated(settings.database) as engine, engine.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '0999'"))
        put_meta(tx, COMPATIBLE, "0999")
    (tmp_path / "data").chmod(0o755)
    answer = found(settings)
    wrong = {what for what, each in answer.items() if "wrong" in [level for level, *_ in each]}
    assert wrong >= {"data folder", "database", "broker", "rules", "care plan", "channels", "backup"}
    assert "newer ward" in answer["database"][0][1]
    assert "chmod 0700" in answer["data folder"][0][2]
    assert "nothing listens" in answer["broker"][0][1]
    assert all(to_do for each in answer.values() for level, _, to_do in each if level != "ok")


def test_a_broker_that_does_not_let_us_in_is_told_apart_from_one_that_is_away(tmp_path: Path) -> None:
    port = free_port()
    with mosquitto_at(port, "allow_anonymous false"):
        ((level, said, _),) = found(right(tmp_path, port))["broker"]
        assert level == "wrong"
        assert "Not authorized" in said


def test_a_wrong_password_at_the_broker_is_told_and_never_shown(tmp_path: Path) -> None:
    port = free_port()
    with mosquitto_at(port, "allow_anonymous false"):
        url = f"mqtt://ward:hunter2@127.0.0.1:{port}"
        ((level, said, to_do),) = found(right(tmp_path, port, mqtt_url=url))["broker"]
        assert (level, "Not authorized" in said, "WARD_MQTT_URL" in to_do) == ("wrong", True, True)
        assert "hunter2" not in said + to_do
        with MqttLink(url, now=lambda: 0) as link:
            until(lambda: link.stats().last_error)
        assert str(link.stats().last_error).startswith("refused: Not authorized")
        assert "hunter2" not in str(link.stats())


def test_a_broker_that_refuses_us_is_told_apart_on_readyz(tmp_path: Path, monkeypatch: Any) -> None:
    world = World(tmp_path)
    link = world.service.link
    real = link.stats()
    for error, said in (
        ("refused: Not authorized", "not connected to the broker: it refuses the service"),
        ("Connection refused by the machine", "not connected to the broker"),
    ):
        monkeypatch.setattr(link, "stats", lambda error=error: replace(real, last_error=error))
        assert said in world.service.health()["reasons"]
        assert world.service.health()["detail"] == {"broker": error}
    world.close()


def test_the_first_administrator_is_missed_until_there_is_one(tmp_path: Path) -> None:
    settings = right(tmp_path, 1)
    ((level, said, to_do),) = found(settings)["people"]
    assert (level, "no administrator" in said) == ("warning", True)
    assert to_do == "ward user add NAME --role admin"
    with migrated(settings.database) as engine:
        assert found(settings)["people"][0][0] == "warning"
        given = {"role": "admin", "wards": None, "now": 0, "hashed": "x"}
        create_user(engine, login="ada", name="Ada", **given)
    assert found(settings)["people"] == [("ok", "there is an administrator", "")]


@pytest.mark.parametrize(
    ("text", "mode", "level"),
    [
        ('mqtt_url = "mqtt://ward:hunter2@h:1"\n', 0o644, "wrong"),
        ('mqtt_url = "mqtt://ward:hunter2@h:1"\n', 0o640, "ok"),
        ('oidc_client_secret = "hunter2"\n', 0o604, "wrong"),
        ('mqtt_url = "mqtt://h:1"\n', 0o644, "ok"),
    ],
)
def test_settings_with_a_secret_that_all_may_read_are_found(
    tmp_path: Path, monkeypatch: Any, text: str, mode: int, level: str
) -> None:
    file = tmp_path / "ward.toml"
    file.write_text(text)
    file.chmod(mode)
    monkeypatch.setenv("WARD_CONFIG", str(file))
    ((found_level, said, to_do),) = found(right(tmp_path, 1))["settings"]
    assert found_level == level
    assert "hunter2" not in said + to_do


def test_a_password_is_in_no_finding(tmp_path: Path) -> None:
    settings = right(tmp_path, 1, mqtt_url="mqtt://ward:hunter2@127.0.0.1:1")
    assert "hunter2" not in str(found(settings))


@pytest.mark.parametrize(
    ("state", "status", "says"), [(0, 0, "yes"), (0, 0x40, "no"), (5, 0, "no"), (-1, 0, "no")]
)
def test_the_kernel_says_whether_the_clock_is_synchronised(
    monkeypatch: pytest.MonkeyPatch, state: int, status: int, says: str
) -> None:
    class Kernel:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        @staticmethod
        def adjtimex(asked: Any) -> int:
            asked._obj.status, asked._obj.maxerror = status, 250_000
            return state

    monkeypatch.setattr(ctypes, "CDLL", Kernel)
    monkeypatch.setattr(machine.sys, "platform", "linux")
    assert machine.machine_clock().synchronised == says


def test_elsewhere_nothing_is_claimed_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.sys, "platform", "darwin")
    assert machine.machine_clock() == MachineClock("unknown")


@pytest.mark.parametrize(
    ("wanted", "ready", "warned"), [("off", True, False), ("warn", True, True), ("require", False, False)]
)
def test_an_unsynchronised_clock_is_told_as_the_setting_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, ready: bool, warned: bool
) -> None:
    monkeypatch.setattr(housekeeping, "machine_clock", lambda: MachineClock("no", 16.0))
    world = World(tmp_path / "data", clock_check=wanted)
    try:
        world.service.house.look_at_machine()
        health = world.service.health()
        told = [reason for reason in health["reasons"] if "synchronised" in reason]
        assert (not told, bool(health["warnings"])) == (ready, warned)
        if wanted != "off":
            assert metrics.CLOCK_UNSYNCHRONISED._value.get() == 1
            monkeypatch.setattr(housekeeping, "machine_clock", lambda: MachineClock("yes", 0.1))
            world.service.house.look_at_machine()
            assert world.service.health()["warnings"] == []
            assert metrics.CLOCK_UNSYNCHRONISED._value.get() == 0
    finally:
        world.close()


def test_a_disk_that_is_nearly_full_makes_it_not_ready_and_says_how_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path / "data", clock_check="off")
    try:
        monkeypatch.setattr(housekeeping, "free_bytes", lambda folder: 100_000_000)
        monkeypatch.setattr(housekeeping, "wanted_bytes", lambda folder, wanted: wanted * 1e6)
        world.service.house.look_at_machine()
        assert "the disk is nearly full: 100 MB left of 512" in world.service.health()["reasons"]
        assert "disk" in world.service.healthy.failing()
        monkeypatch.setattr(housekeeping, "free_bytes", lambda folder: 600_000_000)
        world.service.house.look_at_machine()
        assert not [r for r in world.service.health()["reasons"] if "disk" in r]
    finally:
        world.close()


def test_a_small_disk_needs_a_part_of_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: type("Usage", (), {"total": 64_000_000}))
    assert machine.wanted_bytes(tmp_path, 512) == 3_200_000
