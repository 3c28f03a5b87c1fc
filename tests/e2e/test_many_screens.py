"""Two hundred screens on one ward, of the real service and a real broker: an alert reaches them all, and its
acknowledgement too. What is late is counted in the ward's ticks, so that a busy machine is no failure."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.brokers import client_at, until
from tests.e2e.served import Served, served
from tests.ports import free_port
from ward.clock import iso, wall_ms
from ward.ingest.broker import EmbeddedBroker

SCREENS = 200
BEDS = 12
WARD = "6A"
LATE_TICKS = 2
EVENT = re.compile(rb"event: ([\w-]+)\n(?:id: \d+\n)?data: (.*)\Z", re.DOTALL)


class Screen(asyncio.Protocol):
    """What one screen was told, in its order; the framing of the answer is passed over."""

    def __init__(self, request: bytes) -> None:
        self._request, self._rest = request, b""
        self.told: list[tuple[str, Any]] = []
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(b"\n\n")
        for text in whole:
            if (found := EVENT.search(text)) is None:
                continue
            kind = found[1].decode()
            if kind == "stays":  # only which tick it was
                self.told.append((kind, json.loads(found[2])["time"]))
            elif kind == "alert":
                self.told.append((kind, json.loads(found[2])["alert"]))
            elif kind == "snapshot":
                self.told.append((kind, None))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True

    def alert(self, state: str) -> int | None:
        """Where in its order it was told of an alert in this state."""
        places = (n for n, (kind, of) in enumerate(self.told) if kind == "alert" and of["state"] == state)
        return next(places, None)

    def ticks_late(self, state: str, since: str) -> int:
        """How many ticks of after ``since`` it saw before it was told."""
        place = self.alert(state)
        assert place is not None
        return len({time for kind, time in self.told[:place] if kind == "stays" and time > since})


class Screens:
    """All of them, in a thread of their own."""

    def __init__(self, port: int, token: str) -> None:
        head = f"GET /api/v1/events?form=changes HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        request = f"{head}Authorization: Bearer {token}\r\n\r\n".encode()
        self.all = [Screen(request) for _ in range(SCREENS)]
        self._port, self._loop = port, asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self._loop.run_until_complete(self._open())
        self._loop.run_forever()

    async def _open(self) -> None:
        self._transports = [
            (await self._loop.create_connection(lambda one=one: one, "127.0.0.1", self._port))[0]
            for one in self.all
        ]

    def have(self, kind: str) -> bool:
        return all(any(told == kind for told, _ in list(one.told)) for one in self.all)

    def heard(self, state: str) -> bool:
        return all(one.alert(state) is not None for one in self.all)

    def close(self) -> None:
        async def end() -> None:
            for transport in self._transports:
                transport.abort()
            await asyncio.sleep(0)
            self._loop.stop()

        asyncio.run_coroutine_threadsafe(end(), self._loop)
        self._thread.join()
        self._loop.close()


class Beds(threading.Thread):
    """A sample of each bed each second; bed 0 falls in breach when told to."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.ill, self._done, self._port = False, threading.Event(), port

    def run(self) -> None:
        with client_at(self._port) as client:
            seq = 0
            while not self._done.wait(1 / BEDS):
                bed, seq = seq % BEDS, seq + 1
                spo2 = 84 if self.ill and bed == 0 else 96
                sample = {"seq": seq, "time": iso(wall_ms()), "readings": {"spo2": spo2, "hr": 70 + seq % 3}}
                client.publish(f"ward/v1/{WARD}/mon-{bed}/vitals", json.dumps(sample), qos=1)

    def stop(self) -> None:
        self._done.set()
        self.join()


@pytest.fixture
def ward(tmp_path) -> Iterator[tuple[Served, Beds]]:
    with EmbeddedBroker(free_port()) as broker, served(tmp_path, broker.url) as service:
        service.start()
        beds = Beds(broker.port)
        beds.start()
        yield service, beds
        beds.stop()
        assert service.stop() == 0


def test_an_alert_and_its_acknowledgement_reach_two_hundred_screens(ward):
    service, beds = ward
    client = service.client(service.token("admin"))
    for bed in range(BEDS):
        given = {"ward": WARD, "bed": str(bed), "patient_ref": f"p-{bed}", "devices": [f"mon-{bed}"]}
        client.post("/stays", json=given).raise_for_status()
    screens = Screens(service.port, service.token("nurse", WARD))
    try:
        until(lambda: screens.have("snapshot"), 60)
        beds.ill = True
        until(lambda: screens.heard("active"), 90)
        alert = screens.all[0].told[screens.all[0].alert("active") or 0][1]
        late = Counter(one.ticks_late("active", alert["announced_at"]) for one in screens.all)
        assert max(late) <= LATE_TICKS, late
        answer = client.post(f"/alerts/{alert['id']}/acknowledge", json={"assessment": "actionable"})
        answer.raise_for_status()
        until(lambda: screens.heard("acknowledged"), 60)
        at = answer.json()["acknowledged_at"]
        late = Counter(one.ticks_late("acknowledged", at) for one in screens.all)
        assert max(late) <= LATE_TICKS, late
        assert not [one for one in screens.all if one.lost]
        assert {one.told[0][0] for one in screens.all} == {"snapshot"}
    finally:
        screens.close()
