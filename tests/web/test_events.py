"""The stream on a real server: snapshot, changes, heartbeat, resuming, and its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from tests.web.conftest import an_alert
from tests.web.fake import FakeService
from ward.web.identity import create_token

A = "/api/v1"


@dataclass
class Received:
    kind: str
    data: Any
    id: str | None


class Stream:
    """Parses server-sent events as the standard says."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._events = self._parse(response.iter_lines())

    @staticmethod
    def _parse(lines: Iterator[str]) -> Iterator[Received]:
        fields: dict[str, str] = {}
        for line in lines:
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            elif "data" in fields:
                yield Received(fields["event"], json.loads(fields["data"]), fields.get("id"))
                fields = {}

    def __next__(self) -> Received:
        return next(self._events)

    def until(self, kind: str) -> Received:
        return next(event for event in self._events if event.kind == kind)

    def rest(self) -> list[Received]:
        return list(self._events)


@pytest.fixture
def open_stream(live: str, engine, wall):
    @contextmanager
    def open_(
        role: str = "nurse", wards: list[str] | None = None, last: str | None = None, form: str = "views"
    ) -> Iterator[Stream]:
        listed = ["6A"] if role == "nurse" and wards is None else wards
        _, secret = create_token(engine, name=role, role=role, wards=listed, now=wall())
        headers = {"Authorization": f"Bearer {secret}"}
        if last is not None:
            headers["Last-Event-ID"] = last
        with (
            httpx.Client(base_url=live, trust_env=False, timeout=60) as client,
            client.stream("GET", f"{A}/events", params={"form": form}, headers=headers) as response,
        ):
            yield Stream(response)

    return open_


def test_first_a_snapshot_of_her_wards_then_heartbeats(open_stream, service: FakeService) -> None:
    with open_stream() as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-cache"
        first, second = next(stream), next(stream)
    assert first.kind == "snapshot"
    assert [stay["id"] for stay in first.data["stays"]] == ["stay-6A"]
    assert [alert["id"] for alert in first.data["alerts"]] == ["alert-6A"]
    assert [pending["id"] for pending in first.data["pending"]] == ["pending-6A"]
    assert first.data["time"] == "2026-11-21T12:00:00.000Z"
    assert second.kind == "heartbeat"
    assert second.data == {
        "time": "2026-11-21T12:00:00.000Z",
        "speed": 1.0,
        "last_message_age_s": 0.5,
        "ready": True,
        "live": True,
        "reasons": [],
        "failing": [],
    }


def test_a_heartbeat_tells_when_the_service_is_not_well(open_stream, service: FakeService) -> None:
    service.ready = False
    with open_stream() as stream:
        beat = stream.until("heartbeat")
    assert (beat.data["ready"], beat.data["reasons"]) == (False, ["no connection to the broker"])


def test_while_the_engine_stands_still_the_stream_says_so_and_then_tells_all_anew(
    open_stream, service: FakeService
) -> None:
    """Law 12: HTTP may be alive although nothing is evaluated; a screen must not look normal then."""
    service.ready = service.live = False
    with open_stream() as stream:
        next(stream)
        assert stream.until("heartbeat").data["live"] is False
        service.ready = service.live = True
        assert stream.until("snapshot").data["stays"]
        assert stream.until("heartbeat").data["live"] is True


def test_heartbeats_come_however_busy_the_ward_is(open_stream, service: FakeService) -> None:
    with open_stream() as stream:
        stream.until("heartbeat")
        for _ in range(1000):
            service.hub.publish("stay", {"id": "stay-6A"}, "6A")
            if next(stream).kind == "heartbeat":
                return
    pytest.fail("no heartbeat among 1000 events")


def test_changes_of_her_wards_as_they_happen(open_stream, service: FakeService) -> None:
    with open_stream() as stream:
        stream.until("heartbeat")
        service.change(an_alert("alert-6B", "stay-6B", "6B", state="closed"), "closed")
        service.change(an_alert(state="acknowledged", acknowledged_by="Ann"), "acknowledged", "Ann")
        service.hub.publish("stay", {"id": "stay-6A", "bed": "2"}, "6A")
        alert = stream.until("alert")
        stay = stream.until("stay")
    assert alert.data["alert"]["acknowledged_by"] == "Ann"
    assert alert.data["event"]["kind"] == "acknowledged"
    assert alert.id == str(alert.data["event"]["seq"])
    assert (stay.data, stay.id) == ({"id": "stay-6A", "bed": "2"}, None)


def test_what_was_missed_comes_first(open_stream, service: FakeService) -> None:
    with open_stream() as stream:
        place = next(stream).id
    service.change(an_alert(state="acknowledged"), "acknowledged", "Ann")
    service.change(an_alert("alert-6B", "stay-6B", "6B", state="closed"), "closed")
    service.change(an_alert(state="closed"), "closed")
    with open_stream(last=place) as stream:
        found = [next(stream) for _ in range(3)]
    assert [event.kind for event in found] == ["alert", "alert", "snapshot"]
    assert [event.data["event"]["kind"] for event in found[:2]] == ["acknowledged", "closed"]
    assert {event.data["alert"]["ward"] for event in found[:2]} == {"6A"}
    with open_stream(last=found[1].id) as stream:
        assert next(stream).kind == "snapshot"


def test_what_was_missed_of_a_patient_who_moved_to_another_ward_is_not_told(open_stream, service) -> None:
    """Her bed, and what is written of her there, are that ward's."""
    with open_stream() as stream:
        place = next(stream).id
    service.change(an_alert(state="acknowledged"), "acknowledged", "Ann")
    service.change(an_alert(ward="6B", state="acknowledged", note="of another ward"), "moved", "Ann")
    with open_stream(last=place) as stream:
        assert next(stream).kind == "snapshot"
    with open_stream(last=place, wards=["6A", "6B"]) as stream:
        assert [next(stream).kind for _ in range(3)] == ["alert", "alert", "snapshot"]


def test_many_missed_changes_come_all_and_in_order(open_stream, service: FakeService, monkeypatch) -> None:
    monkeypatch.setattr("ward.web.log.BLOCK", 2)
    with open_stream() as stream:
        place = next(stream).id
    for n in range(5):
        service.change(an_alert(f"more-{n}"), f"raised-{n}")
    with open_stream(last=place) as stream:
        found = [next(stream) for _ in range(6)]
    assert [event.data["event"]["kind"] for event in found[:5]] == [f"raised-{n}" for n in range(5)]
    assert found[5].kind == "snapshot"


def test_what_the_board_was_replaced_over_is_told_before_it_and_not_again(
    open_stream, service: FakeService
) -> None:
    """As when another engine takes a partition over: it has told others what no stream here heard of."""
    with open_stream() as stream:
        stream.until("heartbeat")
        unheard = service.change_unheard(an_alert(state="acknowledged"), "acknowledged", "Ann")
        service.hub.behind()
        found = [next(stream) for _ in range(2)]
        assert [event.kind for event in found] == ["alert", "snapshot"]
        assert found[0].data["event"]["kind"] == "acknowledged"
        assert found[1].id == found[0].id
        service.hub.tell([unheard])
        service.change(an_alert(state="closed"), "closed")
        assert stream.until("alert").data["event"]["kind"] == "closed"


def test_who_comes_with_a_place_of_another_log_is_told_what_happens(
    open_stream, service: FakeService
) -> None:
    with open_stream(last="99999") as stream:
        assert next(stream).kind == "snapshot"
        service.change(an_alert(state="closed"), "closed")
        assert stream.until("alert").data["event"]["kind"] == "closed"


@pytest.mark.parametrize("last", ["", "x", "-1", "1.5", "9" * 50, "99999", "\u00b2".encode()])
def test_an_id_that_was_never_given_gets_the_snapshot(open_stream, last: str) -> None:
    with open_stream(last=last) as stream:
        assert next(stream).kind == "snapshot"


def test_a_stream_ends_when_its_token_expires(open_stream, wall, engine, live: str) -> None:
    _, secret = create_token(engine, name="x", role="admin", expires=wall() + 1000, now=wall())
    headers = {"Authorization": f"Bearer {secret}"}
    with (
        httpx.Client(base_url=live, trust_env=False, timeout=60) as client,
        client.stream("GET", f"{A}/events", headers=headers) as response,
    ):
        stream = Stream(response)
        stream.until("heartbeat")
        wall.time += 1000
        stream.rest()
        assert client.get(f"{A}/events", headers=headers).status_code == 401


def test_a_stream_ends_when_the_service_does(open_stream, service: FakeService) -> None:
    with open_stream() as stream:
        stream.until("heartbeat")
        service.hub.close()
        stream.rest()


def test_a_stream_that_is_left_is_forgotten(open_stream, service: FakeService, live: str) -> None:
    with open_stream() as stream:
        next(stream)
        assert service.hub.subscribers == 1
    with httpx.Client(base_url=live, trust_env=False) as client:
        for _ in range(1000):  # round trips, in which the server notices
            if not service.hub.subscribers:
                return
            client.get("/healthz")
    pytest.fail("the stream is still there")


def test_without_credentials_there_is_no_stream(live: str) -> None:
    answer = httpx.get(f"{live}{A}/events", trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_stream_outlives_its_database(open_stream, app, service: FakeService, monkeypatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    with open_stream() as stream:
        stream.until("heartbeat")
        monkeypatch.setattr(app.state.identity, "identify", away)
        for _ in range(3):
            stream.until("heartbeat")
        service.hub.publish("stay", {"id": "stay-6A", "ward": "6A"}, "6A")
        assert stream.until("stay").data["id"] == "stay-6A"


def test_a_screen_is_told_by_what_changes(open_stream, service: FakeService) -> None:
    service.board = replace(service.board, number=7)
    with open_stream(form="changes") as stream:
        first = next(stream)
        stream.until("heartbeat")
        service.hub.publish("stays", {"time": "old", "stays": []}, "6A", step=7)  # the snapshot has it
        service.hub.publish("stay", {"id": "stay-6A"}, "6A", step=8)
        service.hub.publish("stays", {"time": "new", "stays": [{"id": "stay-6A"}]}, "6A", step=8)
        service.hub.publish("stays", {"time": "new", "stays": []}, "6B", step=8)
        assert stream.until("stays").data == {"time": "new", "stays": [{"id": "stay-6A"}]}
    assert [stay["id"] for stay in first.data["stays"]] == ["stay-6A"]
    assert first.data["minutes"]["stay-6A"]["signals"] == {"hr": [82, None]}
    assert first.data["alerts"] == []


def test_the_wall_sees_no_names_in_either_form(open_stream, service: FakeService) -> None:
    for form in ("views", "changes"):
        with open_stream("kiosk", ["6A"], form=form) as stream:
            assert {stay["patient_ref"] for stay in next(stream).data["stays"]} == {None}
        with open_stream(form=form) as stream:
            assert {stay["patient_ref"] for stay in next(stream).data["stays"]} != {None}


def test_no_third_form(open_stream, service: FakeService) -> None:
    with open_stream(form="all") as stream:
        assert stream.response.status_code == 422
