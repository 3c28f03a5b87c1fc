"""Behind a broker that lets anyone say anything: ward itself refuses what is said in another's name."""

from __future__ import annotations

import json
import time

import pytest
from prometheus_client import REGISTRY

from tests.brokers import mosquitto_at, publish, until
from tests.live.world import World
from tests.ports import free_port
from ward.config import Settings
from ward.ingest.signatures import sign
from ward.service import WardService
from ward.store.credentials import load_heard
from ward.store.letters import list_letters

VITALS = "ward/v1/w/mon/vitals"
STATUS = "ward/v1/w/mon/status"


@pytest.fixture
def lax(tmp_path):
    """A ward that takes signed messages only, with a known device; and the device's key."""
    made = World(tmp_path / "data", devices="signed")
    yield made, enrol(made, "w/mon")
    made.close()


def enrol(world: World, user: str) -> str:
    key = world.service.credentials.add(user, world.now).key
    world.service._gatekeeper.look()
    return key


def letters(world: World) -> list[str]:
    with world.service.engine_db.connect() as connection:
        return [letter.reason for letter in list_letters(connection, limit=1000).items]


def device(world: World):
    return next((d for d in world.service.core.router.devices() if d.device == "mon"), None)


def refused(reason: str) -> float:
    return REGISTRY.get_sample_value("ward_refused_total", {"reason": reason}) or 0.0


def signed_sample(world: World, key: str, number: int, **readings: float) -> None:
    body = json.dumps(world.sample("mon", **readings)).encode()
    world.publish("mon", sign(key, VITALS, number, body))


def test_a_forged_message_leaves_no_trace_on_the_device(lax):
    world, key = lax
    stay = world.admit()
    signed_sample(world, key, 1, hr=80)
    world.tick()
    before, count = device(world), refused("unsigned")
    world.clock.time += 60_000
    world.publish("mon", {"readings": {"hr": 30}})
    world.publish("mon", {"state": "offline"}, "status")
    world.publish("mon", {"state": "online", "session": "forged"}, "status", retain=True)
    world.publish("mon", sign("0" * 64, VITALS, 2, b'{"readings": {"hr": 30}}'))
    world.publish("mon", sign(key, STATUS, 3, b'{"readings": {"hr": 30}}'))  # signed for another topic
    world.tick()
    assert device(world) == before
    assert letters(world) == ["bad-signature", "unsigned"]  # one of each kind a minute is kept
    assert refused("unsigned") == count + 3
    assert world.service._gatekeeper.gate.forged["w/mon"].count == 5
    assert sorted({float(v) for v in world.stored(stay).value}) == [80.0]
    signed_sample(world, key, 2, hr=81)
    world.tick()
    assert device(world).readings == before.readings + 1


def test_staff_hear_of_forgery_and_it_passes(lax):
    world, _ = lax
    world.admit()
    keeper = world.service._gatekeeper
    world.service.core.service_faults = keeper.report({}, lambda: (), world.clock)

    def raised():
        return {e.rule for e in world.alerts() if e.state == "active"}

    world.publish("mon", {"readings": {"hr": 30}})
    for _ in range(120):
        world.tick()
    assert "service-fault:forged-messages" in raised()
    for _ in range(400):
        world.tick()
    assert "service-fault:forged-messages" not in raised()


def test_a_recording_that_is_played_back_changes_nothing(lax):
    world, key = lax
    world.admit()
    payloads = [
        sign(key, VITALS, number, json.dumps({"readings": {"hr": 80 + number}}).encode())
        for number in range(3)
    ]
    for payload in payloads:
        world.publish("mon", payload)
    world.tick()
    assert device(world).readings == 3
    world.clock.time += 3_600_000
    for payload in payloads:
        world.publish("mon", payload)
    world.tick()
    assert device(world).readings == 3
    assert letters(world) == ["repeated-number"]


def test_numbers_and_what_is_durable_survive_a_crash(lax):
    world, key = lax
    stay = world.admit()
    for number in range(5):
        signed_sample(world, key, number, hr=80 + number)
    world.tick()
    world.service._gatekeeper.save()
    signed_sample(world, key, 5, hr=85)  # not taken yet: the broker has it
    world.crash()
    for item in list(world._out.values()):  # and everything again, as if nothing had been acknowledged
        world.service.link.intake.put(item)
    for _ in range(5):
        world.tick()
    assert sorted(float(v) for v in world.stored(stay).value) == [80.0, 81, 82, 83, 84, 85]


def test_a_recorded_message_that_nothing_else_identifies_is_not_heard_again_after_a_crash(lax):
    world, key = lax
    stay = world.admit()
    payloads = [sign(key, VITALS, n, json.dumps({"readings": {"hr": 80 + n}}).encode()) for n in range(3)]

    def say(*which: int) -> list[float]:
        for n in which:
            world.publish("mon", payloads[n])
            world.tick()
        world.tick(3_000)
        return sorted(float(v) for v in world.stored(stay).value)

    assert say(0, 1) == [80.0, 81.0]
    world.crash()  # long before the keeper of numbers would have saved them
    assert say(0, 1) == [80.0, 81.0]
    world.service._gatekeeper.save()
    assert say(2) == [80.0, 81.0, 82.0]
    world.crash()
    assert say(0, 1, 2) == [80.0, 81.0, 82.0]


def test_numbers_beside_the_journal_go_when_they_are_saved(lax):
    world, key = lax
    world.admit()

    def beside() -> int:
        with world.service.engine_db.connect() as connection:
            return len(load_heard(connection))

    for number in range(3):
        signed_sample(world, key, number, hr=80)
        world.tick()
    assert beside() == 3
    world.service._gatekeeper.save()
    assert beside() == 0
    signed_sample(world, key, 3, hr=80)
    world.tick()
    world.crash()
    assert beside() == 1
    world.service._gatekeeper.save()
    assert beside() == 0
    world.publish("other", {"readings": {"hr": 80}})
    world.tick()
    assert beside() == 0


def test_a_device_that_must_sign_must_also_where_others_need_not(world):
    world.service.credentials.add("w/strict", world.now, signed=True)
    world.service._gatekeeper.look()
    world.publish("strict", {"readings": {"hr": 80}})
    world.publish("lenient", {"readings": {"hr": 80}})
    world.tick()
    assert [d.device for d in world.service.core.router.devices()] == ["lenient"]


def test_a_flood_of_forged_messages_costs_no_true_one(lax):
    world, key = lax
    world.admit()
    for number in range(50):
        for _ in range(100):
            world.publish("mon", b'{"readings": {"hr": 30}}' + b" " * 5_000)
        signed_sample(world, key, number, hr=80)
        world.tick(100)
    assert device(world).readings == 50
    assert len(letters(world)) <= 2
    assert len(world.acked) == 50 * 101  # the broker keeps none of them


def test_a_lost_secret_is_said_and_a_found_one_mends_it(lax, tmp_path):
    world, key = lax
    secret = tmp_path / "data" / "device-secret"
    right = secret.read_text()
    secret.write_text("00" * 32)
    world.crash()
    assert any("device-secret" in reason for reason in world.service.health()["reasons"])
    secret.write_text(right)
    world.crash()
    assert not any("device-secret" in reason for reason in world.service.health()["reasons"])
    signed_sample(world, key, 1, hr=80)
    world.tick()
    assert device(world).readings == 1


def test_without_its_secret_an_open_ward_still_hears_no_imitator_of_a_device_that_signs(tmp_path):
    world = World(tmp_path / "data", devices="open")
    key = world.service.credentials.add("w/mon", world.now, signed=True).key
    secret = tmp_path / "data" / "device-secret"
    right = secret.read_text()
    secret.write_text("not to be read")
    world.crash()
    assert any("device-secret" in reason for reason in world.service.health()["reasons"])
    world.publish("mon", b'{"readings": {"hr": 30}}')
    world.publish("other", b'{"readings": {"hr": 70}}')
    world.tick()
    assert device(world) is None
    assert [d.device for d in world.service.core.router.devices()] == ["other"]
    assert letters(world) == ["unsigned"]
    secret.write_text(right)
    world.service._gatekeeper.look()
    signed_sample(world, key, 1, hr=80)
    world.tick()
    assert device(world).readings == 1
    world.close()


def test_the_real_thing_behind_a_lax_broker(tmp_path):
    """A device that is added while the service runs is heard; its imitator is not."""
    with mosquitto_at(free_port(), "allow_anonymous true") as port:
        url = f"mqtt://127.0.0.1:{port}"
        settings = Settings(data_dir=tmp_path / "data", mqtt_url=url, devices="signed")
        with WardService(settings).running() as service:
            until(lambda: service.link.stats().connected)
            made = service.credentials.add("w/mon", int(time.time() * 1000))
            until(lambda: service._gatekeeper.gate._known)

            def readings():
                return [d.readings for d in service.core.router.devices() if d.device == "mon"]

            forged = b'{"readings": {"hr": 30}}'
            publish(port, (VITALS, forged), (VITALS, sign(made.key, VITALS, 1, b'{"readings": {"hr": 80}}')))
            until(lambda: readings() == [1])
            publish(port, (VITALS, forged), (VITALS, sign(made.key, VITALS, 2, b'{"readings": {"hr": 81}}')))
            until(lambda: readings() == [2])
            with service.engine_db.connect() as connection:
                assert [x.reason for x in list_letters(connection).items] == ["unsigned"]
